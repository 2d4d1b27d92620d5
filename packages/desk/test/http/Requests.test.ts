import { ConversationCommand } from "@switchboard/conversation"
import { describe, expect, test } from "vitest"
import * as Api from "../../src/Api.ts"
import { defaultLimits } from "../../src/DeskConfig.ts"
import { make, nowMs, origin, problemOf, request, token } from "./FakeDesk.ts"

const ada = { kind: "agent", id: "ada", role: "agent" }
const text = { kind: "text", text: "Hello", format: "plain" }
const errorsOf = (facts: Readonly<Record<string, unknown>>) => facts["errors"]

describe("paths and methods", () => {
  test("[HTTP-13] a path that leads nowhere is 404", async () => {
    const { fetch } = make()
    for (const path of ["/api/nothing", "/api/inbox/", "/api/conversations/", "/api/conversations/%E0%A4%A", "/api"]) {
      const answer = await fetch(await request("GET", path))
      expect([path, answer.status]).toEqual([path, 404])
      expect((await problemOf(answer)).code).toBe("notFound")
    }
    expect((await fetch(new Request(`${origin}/`))).status).toBe(404)
  })

  test("[HTTP-13] another method is 405 and names those there are", async () => {
    const { fetch } = make()
    const answer = await fetch(await request("DELETE", "/api/inbox"))
    expect(answer.status).toBe(405)
    expect(answer.headers.get("allow")).toBe("GET, HEAD")
    expect((await fetch(await request("GET", "/api/conversations/c1/pick"))).headers.get("allow")).toBe("POST")
  })

  test("[HTTP-13] HEAD answers like GET, without the body", async () => {
    const { fetch } = make()
    const answer = await fetch(await request("HEAD", "/api/inbox"))
    expect(answer.status).toBe(200)
    expect(answer.headers.get("content-type")).toBe("application/json")
    expect(await answer.text()).toBe("")
    const attachment = await fetch(await request("HEAD", "/api/messages/m1/attachments/a1"))
    expect(attachment.headers.get("content-length")).toBe("3")
    expect(await attachment.text()).toBe("")
  })

  test("[HTTP-13] parameters are decoded", async () => {
    const { fetch, calls } = make()
    await fetch(await request("GET", "/api/conversations/c%2F1%20%C3%A9"))
    expect(calls).toEqual([["conversation", ada, "c/1 é"]])
  })
})

describe("queries", () => {
  test("[HTTP-11] what is asked reaches the desk as numbers, truths and lists", async () => {
    const { fetch, calls } = make()
    await fetch(await request("GET", "/api/inbox?active=false&limit=10&assignee=&after=1893920400000.5,c%2C1"))
    await fetch(await request("GET", "/api/conversations"))
    await fetch(await request("GET", "/api/conversations/c1/messages?before=7&limit=3"))
    await fetch(await request("GET", "/api/conversations/c1/messages"))
    await fetch(await request("GET", `/api/metrics?measure=reply-time&fromMs=0&toMs=${nowMs}&by=agentId,channelKind`))
    expect(calls).toEqual([
      ["inbox", ada, { active: false, limit: 10, assignee: "", after: { attention: 1893920400000.5, key: "c,1" } }],
      ["inbox", ada, {}],
      ["messages", ada, "c1", 7, 3],
      ["messages", ada, "c1", Number.MAX_SAFE_INTEGER, 50],
      ["metrics", ada, { measure: "reply-time", fromMs: 0, toMs: nowMs, by: ["agentId", "channelKind"] }]
    ])
  })

  test("[HTTP-11] a page's next asks for the page after it", async () => {
    const { fetch, calls } = make()
    const page = (await (await fetch(await request("GET", "/api/inbox"))).json()) as {
      next: { attention: number; key: string }
    }
    await fetch(await request("GET", `/api/inbox?after=${page.next.attention},${page.next.key}`))
    expect(calls[1]).toEqual(["inbox", ada, { after: page.next }])
  })

  test.each([
    ["/api/inbox?limit=many", "query.limit", '"many"'],
    ["/api/inbox?limit=0", "query.limit", '"0"'],
    ["/api/inbox?limit=", "query.limit", '""'],
    ["/api/inbox?limit=1e1", "query.limit", '"1e1"'],
    ["/api/inbox?limit=5&limit=6", "query.limit", "a list of 2"],
    ["/api/inbox?active=yes", "query.active", '"yes"'],
    ["/api/inbox?after=c1", "query.after", '"c1"'],
    ["/api/inbox?asignee=ada", "query.asignee", '"ada"'],
    ["/api/metrics?measure=x&fromMs=5&toMs=5", "query.toMs", '"5"'],
    ["/api/metrics?fromMs=5&toMs=6", "query.measure", "nothing"],
    [`/api/metrics?measure=x&fromMs=0&toMs=${nowMs}&stepMs=3600000`, "query.stepMs", '"3600000"'],
    [`/api/conversations/${"x".repeat(129)}`, "path.id", `"${"x".repeat(59)}…`]
  ])("[HTTP-11] %s is refused for %s", async (path, field, found) => {
    const { fetch, calls } = make()
    const answer = await fetch(await request("GET", path))
    expect(answer.status).toBe(400)
    const { code, facts, detail } = await problemOf(answer)
    expect(code).toBe("requestInvalid")
    expect(errorsOf(facts)).toEqual([{ field, expected: expect.any(String), found }])
    expect(detail).toContain(field)
    expect(calls).toEqual([])
  })
})

describe("bodies", () => {
  test("[HTTP-11] every wrong field is named, with what was expected and what was found", async () => {
    const { fetch, calls } = make()
    const body = { parts: [{ kind: "text", text: 7, format: "plain" }], threadID: "t1", fence: -1 }
    const answer = await fetch(await request("POST", "/api/conversations/c1/replies", { body }))
    expect(answer.status).toBe(400)
    expect(errorsOf((await problemOf(answer)).facts)).toEqual([
      { field: "body.parts[0].text", expected: "string", found: "7" },
      { field: "body.fence", expected: "number to be >=0", found: "-1" },
      { field: "body.threadID", expected: "no such field", found: '"t1"' }
    ])
    expect(calls).toEqual([])
  })

  test("[HTTP-11] a body that is missing, or has another shape, is named as such", async () => {
    const { fetch } = make()
    for (const [body, found] of [
      [undefined, "nothing"],
      ["[]", "a list of 0"],
      ["null", "null"]
    ] as const) {
      const answer = await fetch(
        await request("POST", "/api/conversations/c1/notes", body === undefined ? {} : { body })
      )
      expect(errorsOf((await problemOf(answer)).facts)).toEqual([{ field: "body", expected: "object", found }])
    }
  })

  test("[HTTP-11] what was found is quoted only so far", async () => {
    const { fetch } = make()
    const answer = await fetch(
      await request("POST", "/api/conversations/c1/commands", { body: { type: "AddTag", tag: "x".repeat(10_000) } })
    )
    expect(JSON.stringify(await problemOf(answer)).length).toBeLessThan(1000)
  })

  test.each<[string | Uint8Array<ArrayBuffer>, string]>([
    ["{", "not JSON"],
    [new Uint8Array([0x22, 0xff, 0x22]), "not UTF-8"]
  ])("[HTTP-10] %j is %s: 400", async (body) => {
    const { fetch } = make()
    const answer = await fetch(
      new Request(`${origin}/api/conversations/c1/notes`, {
        method: "POST",
        headers: { authorization: `Bearer ${await token("ada")}`, "content-type": "application/json; charset=utf-8" },
        body
      })
    )
    expect(answer.status).toBe(400)
    expect((await problemOf(answer)).code).toBe("jsonInvalid")
  })

  test.each([
    "text/plain",
    "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=x",
    "application/jsonp"
  ])("[HTTP-10] %s is 415", async (type) => {
    const { fetch } = make()
    const answer = await fetch(
      await request("POST", "/api/conversations/c1/notes", { body: { text: "x" }, headers: { "content-type": type } })
    )
    expect(answer.status).toBe(415)
  })

  const config = { limits: { ...defaultLimits, requestBytes: 100, attachmentBytes: 75 } }
  const endless = (chunks: { pulled: number; cancelled: boolean }) =>
    new ReadableStream<Uint8Array>(
      {
        pull: (controller) => {
          chunks.pulled++
          controller.enqueue(new Uint8Array(40))
        },
        cancel: () => {
          chunks.cancelled = true
        }
      },
      { highWaterMark: 0 }
    )

  test("[HTTP-9] a body is read only as far as it is allowed to go", async () => {
    const { fetch, calls } = make({ config })
    for (const path of ["/api/conversations/c1/notes", "/channels/chat/hook"]) {
      const chunks = { pulled: 0, cancelled: false }
      const answer = await fetch(
        new Request(`${origin}${path}`, {
          method: "POST",
          headers: { authorization: `Bearer ${await token("ada")}`, "content-type": "application/json" },
          body: endless(chunks),
          duplex: "half"
        })
      )
      expect(answer.status).toBe(413)
      expect((await problemOf(answer)).facts).toEqual({ limitBytes: 100 })
      expect(chunks).toEqual({ pulled: 3, cancelled: true })
    }
    expect(calls).toEqual([])
  })

  test("[HTTP-9] a body that announces too much isn't read at all", async () => {
    const { fetch } = make({ config })
    const chunks = { pulled: 0, cancelled: false }
    const answer = await fetch(
      new Request(`${origin}/channels/chat/hook`, {
        method: "POST",
        headers: { "content-length": "101" },
        body: endless(chunks),
        duplex: "half"
      })
    )
    expect(answer.status).toBe(413)
    expect(chunks).toEqual({ pulled: 0, cancelled: true })
  })

  test("[HTTP-9] a body of exactly the limit is read", async () => {
    const { fetch } = make({ config })
    const answer = await fetch(new Request(`${origin}/channels/chat/hook`, { method: "POST", body: "x".repeat(100) }))
    expect(answer.status).toBe(200)
  })

  test("[HTTP-9] a body that breaks off is 400", async () => {
    const { fetch, calls } = make()
    const body = new ReadableStream<Uint8Array>({ pull: (controller) => controller.error(new Error("gone")) })
    const answer = await fetch(new Request(`${origin}/channels/chat/hook`, { method: "POST", body, duplex: "half" }))
    expect((await problemOf(answer)).code).toBe("bodyIncomplete")
    expect(calls).toEqual([])
  })
})

describe("command ids", () => {
  const note = { text: "Call her back" }
  const send = async (body: object, headers: Readonly<Record<string, string>>) => {
    const { fetch, calls } = make()
    return { answer: await fetch(await request("POST", "/api/conversations/c1/notes", { body, headers })), calls }
  }

  test.each<[string, object, Record<string, string>, object]>([
    ["none", note, {}, {}],
    ["the header", note, { "idempotency-key": "k1" }, { commandId: "k1" }],
    ["the header as a quoted string", note, { "idempotency-key": '"k1"' }, { commandId: "k1" }],
    ["the body", { ...note, commandId: "k1" }, {}, { commandId: "k1" }],
    ["both, the same", { ...note, commandId: "k1" }, { "idempotency-key": "k1" }, { commandId: "k1" }]
  ])("[HTTP-12] taken from %s", async (_, body, headers, options) => {
    const { answer, calls } = await send(body, headers)
    expect(answer.status).toBe(200)
    expect(calls).toEqual([["note", ada, "c1", note, options]])
  })

  test.each<[string, object, Record<string, string>, string]>([
    ["differs from the header's", { ...note, commandId: "k2" }, { "idempotency-key": "k1" }, "body.commandId"],
    ["is no text", { ...note, commandId: 7 }, {}, "body.commandId"],
    ["is empty", note, { "idempotency-key": '""' }, "idempotency-key"],
    ["is too long", note, { "idempotency-key": "k".repeat(129) }, "idempotency-key"]
  ])("[HTTP-12] one that %s is refused", async (_, body, headers, field) => {
    const { answer, calls } = await send(body, headers)
    expect(answer.status).toBe(400)
    expect(errorsOf((await problemOf(answer)).facts)).toMatchObject([{ field }])
    expect(calls).toEqual([])
  })

  test("[HTTP-12] what is no command takes none", async () => {
    const { fetch } = make()
    const body = { status: "away", commandId: "k1" }
    expect((await fetch(await request("PUT", "/api/agents/ada/presence", { body }))).status).toBe(400)
  })
})

describe("what people may send", () => {
  const refused = [
    "OpenConversation",
    "ReceiveMessage",
    "RecordEcho",
    "RecordDelivery",
    "RecordAttachment",
    "SendMessage",
    "AddNote"
  ]
  const typesOf = (options: ReadonlyArray<{ readonly shape: { readonly type: { readonly value: string } } }>) =>
    options.map((option) => option.shape.type.value)

  test("[HTTP-14] every command of a conversation but those of the desk itself and those with an operation", () => {
    const all = typesOf(ConversationCommand.ConversationCommand.options)
    expect([...typesOf(Api.Command.options), ...refused].sort()).toEqual([...all].sort())
  })

  test.each(refused)("[HTTP-14] %s is refused", async (type) => {
    const { fetch, calls } = make()
    const answer = await fetch(await request("POST", "/api/conversations/c1/commands", { body: { type } }))
    expect(answer.status).toBe(400)
    expect(errorsOf((await problemOf(answer)).facts)).toMatchObject([{ field: "body.type", found: `"${type}"` }])
    expect(calls).toEqual([])
  })

  test("[HTTP-14] a command reaches the desk as it is", async () => {
    const { fetch, calls } = make()
    const body = { type: "SnoozeConversation", untilMs: nowMs + 1, fence: 2 }
    const answer = await fetch(await request("POST", "/api/conversations/c1/commands", { body }))
    expect(await answer.json()).toEqual({ conversationId: "c1", version: 4, repeated: false })
    expect(calls).toEqual([["execute", ada, "c1", body, {}]])
  })

  test("[HTTP-14] a contact is created under the id of the path only", async () => {
    const { fetch, calls } = make()
    const body = { type: "CreateContact", contactId: "p2", addresses: [] }
    expect((await fetch(await request("POST", "/api/contacts/p1/commands", { body }))).status).toBe(400)
    expect((await fetch(await request("POST", "/api/contacts/p2/commands", { body }))).status).toBe(200)
    expect(calls).toEqual([["executeOnContact", ada, "p2", body, {}]])
  })

  test.each(["replies", "commands"])("[HTTP-15] HTML is not taken from people in %s", async (where) => {
    const { fetch, calls } = make()
    const parts = [{ kind: "html", html: "<script>steal()</script>", text: "Hello" }]
    const body = where === "replies" ? { parts } : { type: "EditMessage", messageId: "m1", parts }
    const answer = await fetch(await request("POST", `/api/conversations/c1/${where}`, { body }))
    expect(errorsOf((await problemOf(answer)).facts)).toMatchObject([{ field: "body.parts[0].kind", found: '"html"' }])
    expect(calls).toEqual([])
  })

  test("[HTTP-16] a reply carries its files as base64", async () => {
    const { fetch, calls } = make()
    const files = [{ name: "a.txt", mediaType: "text/plain", base64: "aGVsbG8=" }]
    const body = { parts: [text], threadId: "t1", attachments: files, purpose: "service", fence: 3 }
    const answer = await fetch(await request("POST", "/api/conversations/c1/replies", { body }))
    expect(await answer.json()).toMatchObject({ messageId: "m2" })
    const attachments = [{ name: "a.txt", mediaType: "text/plain", bytes: new TextEncoder().encode("hello") }]
    expect(calls).toEqual([["reply", ada, "c1", { ...body, attachments }, {}]])
  })

  test.each(["aGVsbG8", "aGVs bG8=", "aGVsbG8_", "====", "é==="])("[HTTP-16] %j is no base64", async (base64) => {
    const { fetch, calls } = make()
    const body = { parts: [], attachments: [{ name: "a.txt", mediaType: "text/plain", base64 }] }
    const answer = await fetch(await request("POST", "/api/conversations/c1/replies", { body }))
    expect(errorsOf((await problemOf(answer)).facts)).toMatchObject([{ field: "body.attachments[0].base64" }])
    expect(calls).toEqual([])
  })

  test("[HTTP-16] a file over the limit is 413 and named; one of exactly the limit goes through", async () => {
    const { fetch, calls } = make({ config: { limits: { ...defaultLimits, attachmentBytes: 3 } } })
    const send = async (base64: string) =>
      fetch(
        await request("POST", "/api/conversations/c1/replies", {
          body: { parts: [], attachments: [{ name: "big.bin", mediaType: "application/zip", base64 }] }
        })
      )
    const answer = await send("AAAAAA==")
    expect(answer.status).toBe(413)
    expect((await problemOf(answer)).facts).toEqual({ name: "big.bin", sizeBytes: 4, limitBytes: 3 })
    expect(calls).toEqual([])
    expect((await send("AAAA")).status).toBe(200)
  })

  test("[HTTP-16] a reply says something or carries a file", async () => {
    const { fetch } = make()
    const answer = await fetch(await request("POST", "/api/conversations/c1/replies", { body: { parts: [] } }))
    expect(errorsOf((await problemOf(answer)).facts)).toMatchObject([{ field: "body.parts" }])
  })

  test("[HTTP-11] an offer is declined with a reason or without a body", async () => {
    const { fetch, calls } = make()
    await fetch(await request("POST", "/api/offers/c1.1/decline", { body: { reason: "lunch" } }))
    await fetch(await request("POST", "/api/offers/c1.1/decline"))
    expect(calls).toEqual([
      ["declineOffer", ada, "c1.1", "lunch"],
      ["declineOffer", ada, "c1.1", undefined]
    ])
  })
})
