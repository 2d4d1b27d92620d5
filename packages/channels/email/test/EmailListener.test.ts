import { once } from "node:events"
import { connect } from "node:net"
import type { Channel } from "@switchboard/channel"
import nodemailer, { type SendMailOptions } from "nodemailer"
import { afterEach, describe, expect, test } from "vitest"
import { make } from "../src/EmailChannel.ts"
import type { EmailConfig } from "../src/EmailConfig.ts"
import { config, receivedAtMs } from "./Mails.ts"

const open: Array<() => Promise<void>> = []
afterEach(async () => {
  for (const stop of open.splice(0)) await stop()
})

const start = async (receive: Channel.ListenContext["receive"], listen: EmailConfig["listen"] = {}, more = {}) => {
  const channel = make({ ...config, ...more, listen: { port: 0, ...listen } }, {})
  const controller = new AbortController()
  const listener = await channel.listen!({ receive, signal: controller.signal, now: () => receivedAtMs })
  open.push(listener.stop)
  const transport = nodemailer.createTransport(listener.url!)
  return { channel, controller, listener, send: (mail: SendMailOptions) => transport.sendMail(mail) }
}

const letter = { from: "Ana <ana@customer.example>", to: "support@example.com", subject: "Hi", text: "Hello there" }
const code = (promise: Promise<unknown>): Promise<number | string> =>
  promise.then(
    () => 250,
    (error: { responseCode?: number; code?: string }) => error.responseCode ?? error.code ?? "?"
  )

/** Says lines to the server, one after the other's answer. */
const dialogue = async (url: string, lines: ReadonlyArray<string>): Promise<ReadonlyArray<string>> => {
  const socket = connect(Number(new URL(url).port), "127.0.0.1")
  const answers: Array<string> = []
  for (const line of ["", ...lines]) {
    if (line !== "") socket.write(`${line}\r\n`)
    const [chunk] = await once(socket, "data")
    answers.push(String(chunk).trim())
  }
  socket.destroy()
  return answers
}

describe("the SMTP server", () => {
  test("takes a real mail and answers only when it was kept", async () => {
    const kept: Array<Channel.Verified> = []
    let release = (): void => undefined
    const gate = new Promise<void>((resolve) => {
      release = resolve
    })
    const { channel, send } = await start(async (input) => {
      kept.push(input)
      await gate
    })
    let answered = false
    const sending = send({ ...letter, cc: "sales@example.com", html: "<b>Hello</b> there" }).then((info) => {
      answered = true
      return info
    })
    while (kept.length === 0) await new Promise((resolve) => setImmediate(resolve))
    expect(answered).toBe(false)
    release()
    expect((await sending).response).toMatch(/^250/)
    expect(kept[0]?.headers).toEqual({
      "x-envelope-from": "<ana@customer.example>",
      "x-envelope-to": "support@example.com, sales@example.com"
    })
    const decoded = await channel.decode(kept[0]!)
    expect(decoded.ok && decoded.value).toMatchObject([
      { kind: "messageReceived", account: "support@example.com", parts: [{ kind: "html", text: "Hello there" }] },
      { kind: "messageReceived", account: "sales@example.com" }
    ])
  })

  test("asks to come back when the mail could not be kept", async () => {
    const { send } = await start(() => Promise.reject(new Error("the disk is full")))
    await expect(send(letter)).rejects.toMatchObject({ responseCode: 451 })
    await expect(send(letter)).rejects.not.toThrow(/disk/)
  })

  test("takes sub-addresses and relays for nobody", async () => {
    const kept: Array<Channel.Verified> = []
    const { send } = await start(async (input) => void kept.push(input))
    expect(await code(send({ ...letter, to: "SUPPORT+abc@example.com" }))).toBe(250)
    for (const to of ["nobody@example.com", "support@example.org", "supporter@example.com", "ana@customer.example"])
      expect(await code(send({ ...letter, to }))).toBe(550)
    expect(kept).toHaveLength(1)
  })

  test("refuses a mail that is too large, announced or not, and takes the next", async () => {
    const kept: Array<Channel.Verified> = []
    const { listener, send } = await start(
      async (input) => void kept.push(input),
      {},
      { limits: { messageBytes: 2048 } }
    )
    expect(await code(send({ ...letter, text: "x".repeat(5000) }))).not.toBe(250)
    const answers = await dialogue(listener.url!, [
      "EHLO x",
      "MAIL FROM:<a@customer.example>",
      "RCPT TO:<support@example.com>",
      "DATA",
      `Subject: x\r\n\r\n${"x".repeat(900)}\r\n${"y".repeat(900)}\r\n${"z".repeat(900)}\r\n.`,
      "RSET"
    ])
    expect(answers.at(-2)).toMatch(/^552 /)
    expect(answers.at(-1)).toMatch(/^250 /)
    expect(await code(send(letter))).toBe(250)
    expect(kept).toHaveLength(1)
  })

  test("offers neither login nor a certificate that everybody has", async () => {
    const { listener } = await start(async () => undefined)
    const [, ehlo] = await dialogue(listener.url!, ["EHLO x"])
    expect(ehlo).not.toMatch(/AUTH|STARTTLS/)
  })

  test("limits recipients", async () => {
    const to = ["support+1@example.com", "support+2@example.com", "support+3@example.com"]
    const { send } = await start(async () => undefined, { maxRecipients: 2 })
    const { accepted, rejected } = await send({ ...letter, to })
    expect([accepted.length, rejected.length]).toEqual([2, 1])
  })

  test("limits connections, and how long one lasts", async () => {
    const { listener, send } = await start(async () => undefined, { maxConnections: 1, sessionTimeoutMs: 1_000 })
    const idle = connect(Number(new URL(listener.url!).port), "127.0.0.1")
    const [greeting] = await once(idle, "data")
    expect(String(greeting)).toMatch(/^220/)
    const last = once(idle, "data")
    expect(await code(send(letter))).toBe(421)
    const [goodbye] = await last
    expect(String(goodbye)).toMatch(/^421/)
    idle.destroy()
  })

  test("a mail that breaks off is not kept", async () => {
    let received = 0
    const { listener, send } = await start(async () => void received++)
    const socket = connect(Number(new URL(listener.url!).port), "127.0.0.1")
    await once(socket, "data")
    for (const line of ["EHLO x", "MAIL FROM:<>", "RCPT TO:<support@example.com>", "DATA"]) {
      socket.write(`${line}\r\n`)
      await once(socket, "data")
    }
    socket.write("Subject: x\r\n\r\nhalf of it")
    socket.destroy()
    await send(letter)
    expect(received).toBe(1)
  })

  test("stops when it is told to", async () => {
    const { controller, listener, send } = await start(async () => undefined)
    controller.abort()
    await listener.stopped
    expect(await code(send(letter))).toBe("ESOCKET")
  })

  test("a port that is taken is an error", async () => {
    const { listener } = await start(async () => undefined)
    await expect(start(async () => undefined, { port: Number(new URL(listener.url!).port) })).rejects.toThrow(
      /EADDRINUSE/
    )
  })
})
