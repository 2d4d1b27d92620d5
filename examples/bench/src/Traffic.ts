/** Signed WhatsApp webhooks of so many people, and a desk that takes them. */
import { createHmac } from "node:crypto"
import { whatsapp } from "@switchboard/channel-whatsapp"
import type { DeskConfig } from "@switchboard/desk"
import { Target } from "@switchboard/sla"

const appSecret = "a benchmark's app secret, 32 chars"
const text =
  "My order has not arrived yet and the tracking page shows no change since Monday, could you please look into it? "
const clock = Math.floor(Date.now() / 1000)

export interface Webhook {
  readonly body: Uint8Array<ArrayBuffer>
  readonly signature: string
}

const webhook = (index: number, person: number): Webhook => {
  const phone = String(34_600_000_000 + person)
  const body = JSON.stringify({
    object: "whatsapp_business_account",
    entry: [
      {
        id: "102290129340398",
        changes: [
          {
            field: "messages",
            value: {
              messaging_product: "whatsapp",
              metadata: { display_phone_number: "15550783881", phone_number_id: "106540352242922" },
              contacts: [{ profile: { name: `Customer ${person}` }, wa_id: phone }],
              messages: [
                {
                  from: phone,
                  id: `wamid.bench.${index}`,
                  timestamp: String(clock),
                  type: "text",
                  text: { body: text.slice(index % 40) + index }
                }
              ]
            }
          }
        ]
      }
    ]
  })
  return {
    body: new TextEncoder().encode(body),
    signature: `sha256=${createHmac("sha256", appSecret).update(body).digest("hex")}`
  }
}

/** What a benchmark's desk is made of, over a storage. */
export const configure = (
  storage: DeskConfig.DeskConfig["storage"],
  blobs: DeskConfig.DeskConfig["blobs"]
): DeskConfig.DeskConfig => ({
  storage,
  blobs,
  credentialSecret: "a secret of at least 32 characters",
  channels: [
    whatsapp({
      accounts: [{ id: "main", phoneNumberId: "106540352242922", name: "Main", workspace: "main" }],
      accessToken: "a-token-of-sixteen-or-more",
      appSecret,
      verifyToken: "verify-token"
    })
  ],
  sla: {
    calendars: [],
    policies: [
      {
        id: "p",
        version: 1,
        targets: [Target.firstReply({ durationMs: 3_600_000, time: "elapsed", warnings: [{ share: 0.8 }] })]
      }
    ]
  }
})

/** Messages of so many people, one after another; the same in every run. */
export const make = (people: number) => {
  let index = 0
  /** A person in eight writes half of the messages. */
  const skewed = (): number => {
    const share = (Math.imul(++index, 2_654_435_761) >>> 0) / 2 ** 32
    return Math.floor(share < 0.5 ? share * 2 * (people / 8) : people / 8 + (share - 0.5) * 2 * ((people * 7) / 8))
  }
  const everyone = (): number => index++ % people
  const next = (count: number, person: () => number = skewed): ReadonlyArray<Webhook> =>
    Array.from({ length: count }, () => {
      const from = person()
      return webhook(index, from)
    })
  return { skewed, everyone, next }
}
