import type { Attachment } from "@switchboard/conversation"
import { Id, Rejection } from "@switchboard/conversation"
import type { Explanation, Overtaking } from "@switchboard/routing"
import { Effect } from "effect"
import { describe, expect, test } from "vitest"
import * as z from "zod"
import * as Answers from "../../src/Answers.ts"
import * as Api from "../../src/Api.ts"
import {
  CommandReusedError,
  type DeskError,
  NotFoundError,
  OverloadedError,
  RejectedError,
  RoutingRefusedError,
  StorageFailedError
} from "../../src/DeskError.ts"
import type * as OpenApi from "../../src/OpenApi.ts"
import { ProblemDetails } from "../../src/ProblemDetails.ts"
import { detail, make, origin, problemOf, request } from "./FakeDesk.ts"

describe("failures of the desk", () => {
  const rejected = (code: Rejection.RejectionCode) =>
    new RejectedError({ rejection: Rejection.make(code, `because of ${code}`, { fact: code }) })
  const storage = (retryable: boolean) =>
    new StorageFailedError({ reason: "disk /var/secret is full", retryable, cause: new Error("EIO") })

  test.each<[DeskError, number, string]>([
    [rejected("notAllowed"), 403, "notAllowed"],
    [rejected("notAnAuthor"), 403, "notAnAuthor"],
    [rejected("conversationUnknown"), 404, "conversationUnknown"],
    [rejected("messageUnknown"), 404, "messageUnknown"],
    [rejected("conversationClosed"), 409, "conversationClosed"],
    [rejected("conversationMerged"), 409, "conversationMerged"],
    [rejected("staleFence"), 409, "staleFence"],
    [rejected("limit"), 409, "limit"],
    [new RoutingRefusedError({ code: "offer_over", facts: { fact: 1 }, explanation: "it is over" }), 409, "offer_over"],
    [new CommandReusedError({ commandId: "k1" }), 409, "commandReused"],
    [new NotFoundError({ what: "conversation", id: "c1" }), 404, "notFound"],
    [new OverloadedError({ retryAfterMs: 1500 }), 503, "overloaded"],
    [storage(true), 503, "storageFailed"],
    [storage(false), 500, "internalError"]
  ])("[HTTP-17] %o is %i %s", async (error, status, code) => {
    const { fetch } = make({ answers: { conversation: () => Effect.fail(error) } })
    const answer = await fetch(await request("GET", "/api/conversations/c1"))
    expect(answer.status).toBe(status)
    const problem = ProblemDetails.parse(await problemOf(answer))
    expect(problem).toMatchObject({ status, code, type: `urn:switchboard:problem:${code}` })
    expect(problem.detail).not.toBe("")
    if (error._tag === "RejectedError") expect(problem.facts).toEqual(error.rejection.facts)
    expect(answer.headers.get("retry-after")).toBe(error._tag === "OverloadedError" ? "2" : status === 503 ? "1" : null)
    expect(JSON.stringify(problem)).not.toContain("/var/secret")
  })

  test("[HTTP-18] what nobody foresaw is 500 and says nothing about itself", async () => {
    for (const inbox of [
      () => Effect.die(new Error("password=hunter2")),
      () => {
        throw new Error("password=hunter2")
      }
    ]) {
      const { fetch } = make({ answers: { inbox } })
      const answer = await fetch(await request("GET", "/api/inbox"))
      expect(answer.status).toBe(500)
      expect(JSON.stringify(await problemOf(answer))).not.toContain("hunter2")
    }
  })
})

/** One good request for every operation. */
const requests: Readonly<Record<string, readonly [path: string, body?: object]>> = {
  getMe: ["/api/me"],
  getInbox: ["/api/inbox"],
  search: ["/api/search?text=paid&limit=5"],
  listConversations: ["/api/conversations"],
  getConversation: ["/api/conversations/c1"],
  listMessages: ["/api/conversations/c1/messages"],
  reply: ["/api/conversations/c1/replies", { parts: [{ kind: "text", text: "x", format: "plain" }] }],
  addNote: ["/api/conversations/c1/notes", { text: "x" }],
  commandConversation: ["/api/conversations/c1/commands", { type: "MarkRead" }],
  pickConversation: ["/api/conversations/c1/pick"],
  assignConversation: ["/api/conversations/c1/assign", { agentId: "ada" }],
  explainConversation: ["/api/conversations/c1/explanation"],
  getContext: ["/api/contacts/p1/context"],
  commandContact: ["/api/contacts/p1/commands", { type: "UpdateContact", name: "Rosa" }],
  eraseContact: ["/api/contacts/p1"],
  exportContact: ["/api/contacts/p1/export"],
  auditConversation: ["/api/conversations/c1/audit?atMs=5"],
  getAttachment: ["/api/messages/m1/attachments/a1"],
  listOffers: ["/api/offers"],
  acceptOffer: ["/api/offers/c1.1/accept"],
  declineOffer: ["/api/offers/c1.1/decline"],
  setPresence: ["/api/agents/ada/presence", { status: "away" }],
  listAgents: ["/api/agents"],
  listTeams: ["/api/teams"],
  listChannels: ["/api/channels"],
  getBoard: ["/api/board"],
  listMeasures: ["/api/measures"],
  getMetrics: ["/api/metrics?measure=reply-time&fromMs=0&toMs=3600000"],
  listDeadLetters: ["/api/dead-letters"],
  redriveDeadLetter: ["/api/dead-letters/d1/redrive"],
  retryParked: ["/api/parked/retry", { reactor: "inbox", stream: "conversation/c1" }],
  setTyping: ["/api/conversations/c1/typing", { typing: true }],
  getHealth: ["/api/health"],
  followChanges: ["/api/events"]
}

describe("every operation", () => {
  test("[HTTP-21] has a request here, and a name of its own", () => {
    expect(Api.routes.map((route) => route.operationId).sort()).toEqual(Object.keys(requests).sort())
  })

  test.each(Api.routes.map((route) => [route.operationId, route] as const))(
    "[HTTP-19, HTTP-21] %s answers what it describes, unkept, unsniffed and for no other site",
    async (operationId, route) => {
      const { fetch } = make()
      const [path, body] = requests[operationId]!
      const answer = await fetch(await request(route.method, path, { as: "root", ...(body && { body }) }))
      expect(answer.headers.get("cache-control")).toBe("no-store")
      expect(answer.headers.get("x-content-type-options")).toBe("nosniff")
      expect(answer.headers.get("cross-origin-resource-policy")).toBe("same-origin")
      expect([...answer.headers.keys()].filter((name) => name.startsWith("access-control"))).toEqual([])
      if (route.returns.kind === "json") {
        expect(answer.status).toBe(200)
        const value: unknown = await answer.json()
        // Parsing drops what a schema doesn't know: nothing may be lost.
        expect(route.returns.schema.parse(value)).toEqual(value)
      } else if (route.returns.kind === "nothing") {
        expect(answer.status).toBe(204)
        expect(await answer.text()).toBe("")
      } else {
        expect(answer.status).toBe(200)
        await answer.body!.cancel()
      }
    }
  )

  test("[HTTP-19] a problem, too, is unkept and unsniffed", async () => {
    const answer = await make().fetch(await request("GET", "/api/inbox", { as: null }))
    expect(answer.headers.get("cache-control")).toBe("no-store")
    expect(answer.headers.get("x-content-type-options")).toBe("nosniff")
  })

  test("[HTTP-21] a conversation that routing doesn't hold has no explanation", async () => {
    const { fetch } = make({ answers: { explain: () => Effect.succeed(null) } })
    const answer = await fetch(await request("GET", "/api/conversations/c1/explanation"))
    expect(await answer.json()).toBe(null)
  })

  const overtakings: ReadonlyArray<Overtaking.Overtaking> = [
    { kind: "bounded", by: "agedPriority", withinMs: 300_000, message: "…" },
    { kind: "unbounded", code: "age_unseen", message: "…" },
    { kind: "unbounded", code: "cost_first", by: "queueCost", queueId: "main", otherQueueId: "billing", message: "…" }
  ]

  test.each(overtakings)(
    "[DESK-126] everything that routing says of an item reaches the client: %o",
    async (overtaking) => {
      const explained: Explanation.ItemExplanation = {
        item: {
          itemId: "c1",
          queueId: "main",
          channelKind: "chat",
          weight: 1,
          priority: 0,
          arrivedAtMs: 0,
          dueAtMs: 9,
          attributes: { tags: ["vip"], language: "es" },
          knownBy: ["ada"],
          preferred: [{ agents: ["ada", "grace"], untilMs: 5 }]
        },
        requirement: { kind: "all", of: [] },
        relaxation: { step: 1, of: 2, nextAtMs: 20, next: { kind: "language", language: "es" } },
        place: { kind: "waiting" },
        ageMs: 10,
        waitsFor: "homeAgent",
        ahead: 0,
        changesAtMs: 20,
        overtaking,
        overtakenUntilMs: 300_000,
        agents: [
          {
            agentId: "ada",
            obstacles: [
              { kind: "othersWork", queueId: "main", waiting: 1, fromLength: 2, untilMs: 20 },
              { kind: "keptFree", queueId: "main", othersFree: 0, keepFree: 1 },
              { kind: "reserved", agentId: "ada", agents: ["ada", "grace"], untilMs: 5 },
              {
                kind: "requirement",
                unmet: [
                  {
                    kind: "atLeast",
                    count: 2,
                    of: [
                      { kind: "team", team: "a" },
                      { kind: "team", team: "b" }
                    ],
                    met: 1
                  }
                ]
              }
            ]
          }
        ]
      }
      const { fetch } = make({ answers: { explain: () => Effect.succeed(explained) } })
      const answer = await fetch(await request("GET", "/api/conversations/c1/explanation"))
      const value: unknown = await answer.json()
      expect(value).toEqual(explained)
      expect(Answers.ItemExplanation.parse(value)).toEqual(explained)
    }
  )

  test("[DESK-126] and is described", async () => {
    const described = await (await make().fetch(new Request(`${origin}/openapi.json`))).text()
    for (const word of ["othersWork", "keptFree", "overtakenUntilMs", "nextAtMs", "longer_queue_first", "leastSlack"]) {
      expect(described).toContain(`"${word}"`)
    }
  })
})

describe("attachments", () => {
  const fetchOf = (attachment: Partial<Attachment.Attachment>) =>
    make({
      answers: {
        attachment: () =>
          Effect.succeed({
            attachment: { id: Id.AttachmentId.parse("a1"), mediaType: "image/png", state: "stored", ...attachment },
            bytes: (async function* () {
              yield new Uint8Array([1, 2])
              yield new Uint8Array([3])
            })()
          })
      }
    }).fetch

  test.each([
    ["image/png", true],
    ["image/jpeg; charset=x", true],
    ["IMAGE/GIF", true],
    ["audio/ogg", true],
    ["video/mp4", true],
    ["application/pdf", true],
    ["image/svg+xml", false],
    ["IMAGE/SVG+XML", false],
    ["text/html", false],
    ["text/HTML; charset=utf-8", false],
    ["application/xhtml+xml", false],
    ["text/xml", false],
    ["text/plain", false],
    ["text/javascript", false],
    ["application/zip", false],
    ["image/png\r\nset-cookie: x=1", false],
    ["image/", false],
    ["nonsense", false]
  ])("[HTTP-20] %j is shown in the browser: %s", async (mediaType, isShown) => {
    const answer = await fetchOf({ mediaType })(await request("GET", "/api/messages/m1/attachments/a1"))
    expect(answer.status).toBe(200)
    expect(new Uint8Array(await answer.arrayBuffer())).toEqual(new Uint8Array([1, 2, 3]))
    expect(answer.headers.get("content-disposition")).toMatch(isShown ? /^inline;/ : /^attachment;/)
    if (!isShown) expect(answer.headers.get("content-type")).toBe("application/octet-stream")
    expect(answer.headers.get("content-security-policy")).toBe(
      mediaType === "application/pdf" ? "frame-ancestors 'self'" : "default-src 'none'; sandbox"
    )
    expect(answer.headers.get("set-cookie")).toBe(null)
  })

  test("[HTTP-20] a name is carried whole and can't break out of its header", async () => {
    const name = `Räch"nung\r\nx: y \\ 'é*(1)\ud800.pdf`
    const answer = await fetchOf({ name })(await request("GET", "/api/messages/m1/attachments/a1"))
    const header = answer.headers.get("content-disposition")!
    expect(header).toMatch(/^inline; filename="[\x20-\x21\x23-\x5b\x5d-\x7e]*"; filename\*=UTF-8''[\w.%~!-]+$/)
    expect(decodeURIComponent(/UTF-8''(.*)$/.exec(header)![1]!)).toBe(name.toWellFormed())
  })
})

describe("the description", () => {
  type Operation = {
    readonly operationId: string
    readonly parameters: ReadonlyArray<{ readonly name: string; readonly in: string; readonly required: boolean }>
    readonly requestBody?: { readonly required: boolean; readonly content: Record<string, { schema: object }> }
    readonly responses: Readonly<Record<string, { readonly content?: Record<string, { readonly schema: object }> }>>
  }
  const read = async () => {
    const answer = await make().fetch(new Request(`${origin}/openapi.json`))
    return { answer, document: (await answer.json()) as OpenApi.OpenApiDocument }
  }
  const operationOf = (document: OpenApi.OpenApiDocument, path: string, method: string) =>
    document.paths[path]![method] as unknown as Operation

  test("[HTTP-22] is public", async () => {
    const { answer, document } = await read()
    expect(answer.status).toBe(200)
    expect(answer.headers.get("content-type")).toBe("application/json")
    expect(document.openapi).toBe("3.1.1")
    expect((await make().fetch(new Request(`${origin}/openapi.json`, { method: "POST", body: "" }))).status).toBe(404)
  })

  test("[HTTP-22] holds every operation, each with its parameters and answers", async () => {
    const { document } = await read()
    const described = Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`)
    )
    expect(described.sort()).toEqual(Api.routes.map(({ method, path }) => `${method} ${path}`).sort())
    for (const route of Api.routes) {
      const operation = operationOf(document, route.path, route.method.toLowerCase())
      const inPath = [...route.path.matchAll(/\{(\w+)\}/g)].map((match) => match[1])
      expect(operation.parameters.filter((one) => one.in === "path").map((one) => one.name)).toEqual(inPath)
      expect(Object.keys(operation.responses)).toEqual([route.returns.kind === "nothing" ? "204" : "200", "default"])
      expect(operation.requestBody !== undefined).toBe(route.body !== undefined)
      expect(operation.parameters.some((one) => one.name === "idempotency-key")).toBe(route.command === true)
    }
    expect(operationOf(document, "/api/offers/{id}/decline", "post").requestBody!.required).toBe(false)
    expect(operationOf(document, "/api/conversations/{id}/notes", "post").requestBody!.required).toBe(true)
    expect(operationOf(document, "/api/metrics", "get").parameters.filter((one) => one.required)).toHaveLength(3)
  })

  test("[HTTP-22] every reference leads somewhere and nothing is referred to outside the document", async () => {
    const { document } = await read()
    const broken: Array<string> = []
    const walk = (value: unknown): void => {
      if (typeof value !== "object" || value === null) return
      for (const [key, inner] of Object.entries(value)) {
        if (key === "$ref") {
          const target = String(inner)
            .replace(/^#\//, "")
            .split("/")
            .reduce<unknown>((at, name) => (at as Record<string, unknown> | undefined)?.[name], document)
          if (!String(inner).startsWith("#/components/") || target === undefined) broken.push(String(inner))
        } else walk(inner)
      }
    }
    walk(document)
    expect(broken).toEqual([])
    expect(JSON.stringify(document)).not.toContain("$defs")
  })

  /** A schema of the document, compiled by a reader that has only the document. */
  const compile = (document: OpenApi.OpenApiDocument, schema: object): z.ZodType => {
    const whole = { ...schema, $defs: document.components.schemas }
    const local = JSON.stringify(whole).replaceAll("#/components/schemas/", "#/$defs/")
    return z.fromJSONSchema(JSON.parse(local) as Parameters<typeof z.fromJSONSchema>[0])
  }

  test("[HTTP-22] every schema compiles from the document alone, and tells good from bad", async () => {
    const { document } = await read()
    for (const route of Api.routes) {
      const operation = operationOf(document, route.path, route.method.toLowerCase())
      const answered = operation.responses["200"]?.content
      if (route.returns.kind === "json") compile(document, answered!["application/json"]!.schema)
      const sent = operation.requestBody?.content["application/json"]?.schema
      const body = requests[route.operationId]![1]
      if (sent && body) {
        const schema = compile(document, sent)
        expect([route.operationId, schema.safeParse(body).success]).toEqual([route.operationId, true])
        const commanded = { ...body, commandId: "k1" }
        expect(schema.safeParse(commanded).success).toBe(route.command === true)
        expect(schema.safeParse({ ...body, surprise: 1 }).success).toBe(false)
      }
    }
    const shown = operationOf(document, "/api/conversations/{id}", "get").responses["200"]!.content!
    const schema = compile(document, shown["application/json"]!.schema)
    expect(schema.safeParse(JSON.parse(JSON.stringify(detail))).success).toBe(true)
    expect(schema.safeParse({ ...detail, position: "41" }).success).toBe(false)
    expect(schema.safeParse({ ...detail, row: { ...detail.row, openedAtMs: undefined } }).success).toBe(false)
  })
})
