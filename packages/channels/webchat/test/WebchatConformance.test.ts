import { ChannelConformance } from "@switchboard/channel"
import { WebchatSession } from "@switchboard/channel-webchat"
import { test } from "vitest"
import { bearer, makeChannel, nowMs, openSession, payload, request, sessionSecret } from "./Fixtures.ts"

const visitorId = "6b0f8a3e-2c2b-4e07-9d3c-5f7a1c9b2d10"
const visitor = { visitorId, account: "shop", expiresAtMs: nowMs + 1000 }
const withToken = (visitorToken: string) => bearer({ visitorToken })

ChannelConformance.channelConformance({
  test,
  name: "webchat",
  make: () => makeChannel(),
  signed: (body) =>
    request("shop/messages", { headers: withToken(WebchatSession.toToken(visitor, sessionSecret)), body }),
  tampered: (original) => ({
    "with a token signed with another secret": {
      ...original,
      headers: withToken(WebchatSession.toToken(visitor, "another secret of 32 characters or more"))
    },
    "with another visitor under the same signature": {
      ...original,
      headers: withToken(
        original.headers.authorization!.replace(/^Bearer v1\.[^.]+/, () => {
          const other = JSON.stringify({ ...visitor, visitorId: "6b0f8a3e-2c2b-4e07-9d3c-5f7a1c9b2d11" })
          return `v1.${Buffer.from(other).toString("base64url")}`
        })
      )
    },
    "with a token of another account": {
      ...original,
      headers: withToken(WebchatSession.toToken({ ...visitor, account: "blog" }, sessionSecret))
    },
    "with an expired token": { ...original, receivedAtMs: nowMs + 181 * 86_400_000 },
    "with a cut token": { ...original, headers: { authorization: original.headers.authorization!.slice(0, -1) } },
    "with the visitor in a header of its own": {
      ...original,
      headers: { "x-webchat-visitor": JSON.stringify({ accountKey: "shop-key", visitor }) }
    },
    "from another site": { ...original, headers: { ...original.headers, origin: "https://evil.example" } },
    "for an account that doesn't exist": { ...original, url: new URL("https://desk.example/none/messages") },
    "with a body over the limit": { ...original, body: new Uint8Array(8 * 1024 * 1024 + 1) },
    "as another method": { ...original, method: "PUT" }
  }),
  payloads: [
    {
      name: "a conversation",
      body: payload("conversation"),
      kinds: ["messageReceived", "actionChosen", "deliveryChanged", "deliveryChanged", "typingChanged"]
    },
    { name: "an offline queue", body: payload("offline-queue"), kinds: ["messageReceived", "messageReceived"] },
    {
      name: "a batch with nonsense in it",
      body: payload("with-nonsense"),
      kinds: ["unsupported", "unsupported", "messageReceived", "unsupported", "unsupported"]
    },
    {
      name: "a request of a session's visitor",
      request: request("shop/messages", {
        headers: bearer(openSession(makeChannel())),
        body: payload("offline-queue")
      }),
      kinds: ["messageReceived", "messageReceived"]
    }
  ],
  recipient: { kind: "visitor", value: visitorId },
  platformId: `${visitorId}/message-1`
})
