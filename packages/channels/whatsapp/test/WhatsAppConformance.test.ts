import { ChannelConformance, type Inbound } from "@switchboard/channel"
import { afterAll, beforeAll, test } from "vitest"
import { whatsapp } from "../src/index.ts"
import { config, payload, signed, startPlatform } from "./Platform.ts"

let platform: Awaited<ReturnType<typeof startPlatform>>
beforeAll(async () => {
  platform = await startPlatform()
})
afterAll(() => platform.stop())

const kinds: Readonly<Record<string, ReadonlyArray<Inbound.Entry["kind"]>>> = {
  text: ["messageReceived"],
  "text-reply": ["messageReceived"],
  "text-from-advert": ["messageReceived"],
  "text-about-product": ["messageReceived"],
  "text-username-only": ["messageReceived"],
  image: ["messageReceived"],
  video: ["messageReceived"],
  voice: ["messageReceived"],
  document: ["messageReceived"],
  sticker: ["messageReceived"],
  location: ["messageReceived"],
  contacts: ["messageReceived"],
  "button-reply": ["actionChosen"],
  "list-reply": ["actionChosen"],
  "flow-reply": ["messageReceived"],
  "call-permission": ["messageReceived"],
  "template-button": ["actionChosen"],
  reactions: ["reactionAdded", "reactionRemoved", "reactionRemoved"],
  order: ["messageReceived"],
  "changed-number": ["identityChanged", "identityChanged"],
  "changed-user-id": ["identityChanged", "identityChanged"],
  "changed-security-code": ["unsupported"],
  welcome: ["messageReceived"],
  edited: ["messageEdited", "messageEdited"],
  revoked: ["messageDeleted"],
  "not-passed-on": ["messageReceived"],
  "new-type": ["unsupported"],
  group: ["unsupported"],
  receipts: ["deliveryChanged", "deliveryChanged", "deliveryChanged", "deliveryChanged"],
  "receipt-failed": ["deliveryChanged", "deliveryChanged"],
  "receipt-deleted": ["messageDeleted"],
  "receipt-unknown": ["unsupported", "unsupported"],
  echoes: ["messageEchoed", "messageEchoed", "messageEdited", "messageDeleted"],
  calls: ["callChanged", "callChanged"],
  "call-outgoing": ["callChanged", "callChanged", "callChanged", "callChanged"],
  "account-error": ["channelTrouble"],
  history: ["unsupported"],
  "template-status": ["unsupported"],
  batch: ["messageReceived", "unsupported", "messageReceived", "messageReceived", "deliveryChanged", "unsupported"]
}

ChannelConformance.channelConformance({
  test,
  name: "whatsapp",
  make: () => whatsapp({ ...config, apiUrl: platform.apiUrl }),
  signed,
  tampered: (request) => ({
    "with another signature": {
      ...request,
      headers: { ...request.headers, "x-hub-signature-256": `sha256=${"0".repeat(64)}` }
    },
    "with a short signature": { ...request, headers: { ...request.headers, "x-hub-signature-256": "sha256=00" } },
    "with a changed body": { ...request, body: new Uint8Array([...request.body, 32]) }
  }),
  payloads: Object.entries(kinds).map(([name, expected]) => ({ name, kinds: expected, body: payload(name) })),
  recipient: { kind: "phone", value: "+16505551234" },
  threadKey: "US.13491208655302741918",
  platformId: "wamid.9",
  mediaRef: "1003383421387256",
  damaged: 40
})
