/** A channel without a platform: a contact's message is the body of a request, its file comes along. */
import { defineChannel } from "@switchboard/channel"
import { Id, Message } from "@switchboard/conversation"
import type { PromiseDesk } from "@switchboard/desk"

export const sms = defineChannel({
  kind: "sms",
  accounts: [
    {
      id: Id.ChannelAccountId.parse("sms-1"),
      key: "sms-1",
      name: "Our number",
      workspace: Id.WorkspaceId.parse("main")
    }
  ],
  capabilities: {
    transports: ["webhook"],
    outbound: ["message"],
    text: { limit: 1600, formats: ["plain"] },
    media: { types: ["*/*"], limitBytes: 1_000_000, perMessage: 1, captionLimit: 100 },
    choices: null,
    templates: false,
    locations: false,
    contactCards: false,
    replies: false,
    receipts: [],
    threads: "dialog",
    audiences: ["private"],
    messagingWindowMs: null,
    starts: "either",
    idempotentSend: false,
    contactReads: false
  },
  verify: async ({ body, receivedAtMs }) => ({
    kind: "verified",
    input: { bytes: body, headers: {}, receivedAtMs }
  }),
  decode: ({ bytes, receivedAtMs }) => {
    const { id, from, text, file } = JSON.parse(new TextDecoder().decode(bytes))
    const phone = { kind: "phone", value: from }
    return {
      ok: true,
      value: [
        {
          kind: "messageReceived",
          account: "sms-1",
          entryId: id,
          platformId: id,
          occurredAtMs: receivedAtMs,
          from: { addresses: [{ ...phone, state: "verified" }], name: `Contact ${from}` },
          thread: { key: from, audience: "private", replyTo: [phone] },
          parts: [Message.text(text)],
          attachments:
            file === undefined
              ? []
              : [
                  {
                    id: Id.AttachmentId.parse("1"),
                    name: "note.txt",
                    mediaType: "text/plain",
                    content: { bytes: new TextEncoder().encode(file) }
                  }
                ]
        }
      ]
    }
  },
  send: {
    message: ({ deliveryId }) => ({ outcome: "accepted", platformIds: [deliveryId] })
  },
  fetch: async () => ({ outcome: "refused", code: "none", message: "every file comes along" })
})

/** A contact writes. */
export const write = async (
  desk: PromiseDesk,
  message: { readonly id: string; readonly from: string; readonly text: string; readonly file?: string }
): Promise<void> => {
  const answer = await desk.fetch(
    new Request("http://desk.test/channels/sms", { method: "POST", body: JSON.stringify(message) })
  )
  if (answer.status !== 200) throw new Error(`${answer.status}: ${await answer.text()}`)
}
