import { ChannelConformance } from "@switchboard/channel"
import { afterAll, beforeAll, test } from "vitest"
import { make } from "../src/EmailChannel.ts"
import { config, mail, request } from "./Mails.ts"
import { standIn } from "./StandInServer.ts"

let server: Awaited<ReturnType<typeof standIn>>
beforeAll(async () => {
  server = await standIn()
})
afterAll(() => server.stop())

let channel: ReturnType<typeof make> | undefined

ChannelConformance.channelConformance({
  test,
  name: "email",
  // One for all: each has a thread of its own.
  make: () => {
    channel ??= make({ ...config, listen: { port: 0 }, smtpUrl: server.url }, {})
    return channel
  },
  signed: (body) => request(body as Uint8Array),
  tampered: (signed) => ({
    "with another secret": request(signed.body, { authorization: "Bearer another secret for tests" }),
    "for nobody here": request(signed.body, { "x-envelope-to": "nobody@example.com" })
  }),
  payloads: (
    [
      ["plain-es-latin1-quoted-printable", "messageReceived"],
      ["nested-mixed", "messageReceived"],
      ["html-inline-image-and-tracker", "messageReceived"],
      ["reply-gmail-en", "messageReceived"],
      ["auto-reply-exchange-es", "autoReplyReceived"],
      ["bounce-postfix", "bounceReceived"],
      ["complaint-arf", "channelTrouble"],
      ["own-mail-coming-back", "unsupported"]
    ] as const
  ).map(([name, kind]) => ({ name, body: mail(name), kinds: [kind] })),
  recipient: { kind: "email", value: "ana@customer.example" },
  damaged: 40
})
