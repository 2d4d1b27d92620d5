import type { Channel } from "@switchboard/channel"
import { describe, expect, test } from "vitest"
import { Credential, createDesk } from "../src/index.ts"
import { actor, config, message, platform } from "./harness.ts"

const secret = "a secret of at least 32 characters"

/** A chat whose clients read their thread from the desk: `?reader=<key>` is all the proof there is. */
const chat = (): Channel.Channel => {
  const { channel } = platform("chat", { contactReads: true })
  return {
    ...channel,
    verify: (request) => {
      const reader = request.url.searchParams.get("reader")
      return reader === null
        ? channel.verify(request)
        : {
            kind: "reads",
            account: "key",
            address: { kind: "phone", value: reader, state: "verified" },
            threadKey: reader,
            afterSequence: Number(request.url.searchParams.get("after") ?? 0),
            live: request.url.searchParams.has("live")
          }
    }
  }
}

const hook = (entries: ReadonlyArray<unknown>, signature = "good") =>
  new Request("http://desk.test/channels/chat/", {
    method: "POST",
    headers: { "x-signature": signature },
    body: JSON.stringify(entries)
  })

const asAgent = async (id: string) => ({
  authorization: `Bearer ${await Credential.issue(secret, id, { nowMs: Date.now(), lifetimeMs: 3_600_000 })}`
})

describe("a desk in plain promises", () => {
  test("[DESK-50] fetch takes signed webhooks and serves the API to agents; everything else is refused", async () => {
    await using desk = await createDesk(config({ channels: [chat()] }))
    expect((await desk.fetch(hook([message("hello")], "bad"))).status).toBe(401)
    const taken = await desk.fetch(hook([message("hello")]))
    expect([taken.status, await taken.text()]).toEqual([200, "ok"])
    expect(await desk.drain()).toEqual({ level: true })
    expect((await desk.fetch(new Request("http://desk.test/api/inbox"))).status).toBe(401)
    const inbox = await desk.fetch(new Request("http://desk.test/api/inbox", { headers: await asAgent("grace") }))
    const { rows } = (await inbox.json()) as { rows: ReadonlyArray<{ preview: string }> }
    expect(rows.map((row) => row.preview)).toEqual(["hello"])
  })

  test("[DESK-51] it starts nothing by itself; start runs it until stop", async () => {
    const desk = await createDesk(config({ channels: [chat()] }))
    await desk.setPresence(actor("grace"), "grace", "available")
    await desk.fetch(hook([message("anybody?")]))
    expect(await desk.offers(actor("grace"))).toEqual([])
    await desk.start()
    for await (const change of desk.changes(actor("grace"), 0)) if (change.type === "offerMade") break
    expect(await desk.offers(actor("grace"))).toHaveLength(1)
    await desk.stop()
    expect((await desk.fetch(hook([message("too late")]))).status).toBe(503)
  })

  test("[DESK-52] refusals are rejected with their tagged error", async () => {
    await using desk = await createDesk(config({ channels: [chat()] }))
    await expect(desk.conversation(actor("grace"), "nowhere")).rejects.toMatchObject({ _tag: "NotFoundError" })
    await expect(createDesk(config({ credentialSecret: "short" }))).rejects.toMatchObject({
      _tag: "ConfigError",
      field: "credentialSecret"
    })
  })
})

describe("a contact's own client", () => {
  test("[DESK-53] reads its thread and nothing else: no notes, no other channel, files by signed links", async () => {
    const sms = platform("sms")
    await using desk = await createDesk(config({ channels: [chat(), sms.channel] }))
    const phone = "+34600000055"
    await desk.fetch(hook([message("hello", { phone })]))
    await desk.fetch(hook([message("not yours", { phone: "+34600000056" })]))
    await desk.drain()
    const { rows } = await desk.inbox(actor("grace"))
    const id = rows.find((row) => row.preview === "hello")!.conversationId
    await desk.note(actor("grace"), id, { text: "a difficult one" })
    await desk.reply(actor("grace"), id, {
      parts: [{ kind: "text", text: "see this", format: "plain" }],
      attachments: [{ name: "bill.txt", mediaType: "text/plain", bytes: new TextEncoder().encode("42") }]
    })
    // The same person goes on by another channel.
    await desk.fetch(
      new Request("http://desk.test/channels/sms/", {
        method: "POST",
        headers: { "x-signature": "good" },
        body: JSON.stringify([message("by phone", { phone })])
      })
    )
    await desk.drain()
    const read = async (query: string) =>
      (await (
        await desk.fetch(new Request(`http://desk.test/channels/chat/?reader=${encodeURIComponent(phone)}${query}`))
      ).json()) as {
        messages: ReadonlyArray<{
          sequence: number
          parts: ReadonlyArray<{ text?: string }>
          attachments: ReadonlyArray<{ url: string }>
        }>
        head: number
      }
    const page = await read("")
    expect(page.messages.map((one) => one.parts[0]?.text)).toEqual(["hello", "see this"])
    expect((await read(`&after=${page.messages[0]!.sequence}`)).messages).toHaveLength(1)

    const url = new URL(page.messages[1]!.attachments[0]!.url, "http://desk.test/")
    const file = await desk.fetch(new Request(url))
    expect([file.status, await file.text()]).toEqual([200, "42"])
    expect((await desk.fetch(new Request(`${url.href}x`))).status).toBe(404)
  })

  test("[DESK-54] hears of new and changed messages live, from where it stopped", async () => {
    await using desk = await createDesk(config({ channels: [chat()] }))
    await desk.start()
    const phone = "+34600000057"
    await desk.fetch(hook([message("hello", { phone })]))
    const abort = new AbortController()
    const live = await desk.fetch(
      new Request(`http://desk.test/channels/chat/?reader=${encodeURIComponent(phone)}&live=1`, {
        signal: abort.signal
      })
    )
    const reader = live.body!.pipeThrough(new TextDecoderStream()).getReader()
    let heard = ""
    const until = async (pattern: RegExp) => {
      while (!pattern.test(heard)) {
        const { value, done } = await reader.read()
        if (done) throw new Error(`the stream ended before ${pattern}: ${heard}`)
        heard += value
      }
    }
    await until(/"text":"hello"/)
    const { rows } = await desk.inbox(actor("grace"))
    const id = rows[0]?.conversationId ?? (await firstConversation(desk))
    const { messageId } = await desk.reply(actor("grace"), id, {
      parts: [{ kind: "text", text: "good day", format: "plain" }]
    })
    await until(/event: message\n(?:.*\n)*?.*"text":"good day"/)
    await desk.execute(actor("grace"), id, {
      type: "EditMessage",
      messageId: messageId as never,
      parts: [{ kind: "text", text: "good evening", format: "plain" }]
    })
    await until(/event: update\n.*"text":"good evening"/)
    abort.abort()
  })
})

const firstConversation = async (desk: Awaited<ReturnType<typeof createDesk>>): Promise<string> => {
  for await (const change of desk.changes(actor("grace"), 0)) if (change.conversationId) return change.conversationId
  throw new Error("no conversation")
}
