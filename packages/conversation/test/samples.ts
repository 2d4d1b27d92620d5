import { Contact, type ConversationEvent, Id, Message } from "@switchboard/conversation"
import {
  ana,
  contactId,
  did,
  echo,
  give,
  held,
  heldByBot,
  history,
  jo,
  mid,
  note,
  open,
  otherConversation,
  receive,
  robo,
  send,
  sue,
  thread,
  timer
} from "./scenario.ts"

const attachment = (id: string) => ({
  id: Id.AttachmentId.parse(id),
  name: "passport of jo.png",
  mediaType: "image/png",
  state: "pending" as const,
  source: "https://files.example.org/jo"
})
const record = (attachmentId: string, result: { state: "failed"; failure: string } | Stored) =>
  ({
    type: "RecordAttachment",
    messageId: mid("m1"),
    attachmentId: Id.AttachmentId.parse(attachmentId),
    result
  }) as const
type Stored = { state: "stored"; blobKey: string; sizeBytes: number; mediaType: string }
const link = { kind: "related", conversationId: otherConversation } as const
const cc = { role: "cc", address: { kind: "email", value: "max@example.org" } } as const

/** A conversation in which everything happens that can, with something personal wherever there can be. */
export const everything: ReadonlyArray<ConversationEvent.ConversationEvent> = history(
  [
    open({
      holder: heldByBot,
      subject: "jo is ill",
      attributes: { insurance: "jo-77" },
      thread: thread("mail", { subject: "jo is ill" })
    }),
    jo
  ],
  [{ type: "AddThread", thread: thread("side", { key: "+34600000001", audience: "internal" }) }, robo],
  [receive("m1", { platformId: "base64-of-a-number", attachments: [attachment("a1"), attachment("a2")] }), jo],
  [record("a1", { state: "stored", blobKey: "b1", sizeBytes: 3, mediaType: "image/png" }), timer],
  [record("a2", { state: "failed", failure: "no such file: passport of jo.png" }), timer],
  [{ type: "AddReaction", messageId: mid("m1"), emoji: "👍" }, jo],
  [{ type: "RemoveReaction", messageId: mid("m1"), emoji: "👍" }, jo],
  [send("m2", { replyTo: mid("m1") }), robo],
  [
    {
      type: "RecordDelivery",
      messageId: mid("m2"),
      deliveryId: did("d-m2"),
      state: "failed",
      platformIds: ["base64-of-a-number"],
      failure: { code: "bounced", message: "jo@example.org is unknown", retryable: false },
      possiblyDuplicated: true
    },
    timer
  ],
  [{ type: "HandOff", summary: "jo is ill", reason: "asked" }, robo],
  [give(held("ana")), timer],
  [echo("m3"), timer],
  [note("m4"), ana],
  [{ type: "EditMessage", messageId: mid("m1"), parts: [Message.text("jo is well")] }, jo],
  [{ type: "DeleteMessage", messageId: mid("m1") }, jo],
  [{ type: "MarkRead" }, ana],
  [{ type: "SetPriority", priority: "high" }, ana],
  [{ type: "AddTag", tag: "a" }, ana],
  [{ type: "RemoveTag", tag: "a" }, ana],
  [{ type: "SetAttributes", attributes: { insurance: "jo-78" } }, ana],
  [{ type: "SetSubject", subject: "jo is well" }, ana],
  [{ type: "AddParticipant", participant: cc }, ana],
  [{ type: "RemoveParticipant", participant: cc }, ana],
  [{ type: "LinkConversation", link }, ana],
  [{ type: "UnlinkConversation", link }, ana],
  [{ type: "WaitForContact" }, ana],
  [{ type: "SnoozeConversation", untilMs: 90_000 }, ana],
  [{ type: "WakeConversation" }, ana],
  [{ type: "TransferConversation", wanted: {}, note: "jo likes ben" }, ana],
  [receive("m5"), jo],
  [{ type: "ResolveConversation" }, ana],
  [{ type: "ReopenConversation" }, ana],
  [{ type: "MergeConversation", into: otherConversation }, sue],
  [{ type: "UndoMerge" }, sue],
  [{ type: "CloseConversation" }, sue],
  [{ type: "EraseContent", reason: "retention" }, timer]
)

const address = { kind: "email", value: "jo@example.org", state: "claimed", label: "Jo" } as const

const contactCommands: ReadonlyArray<Contact.ContactCommand> = [
  { type: "CreateContact", contactId, name: "Jo", addresses: [address], attributes: { insurance: "jo-77" } },
  { type: "AddAddress", address: { ...address, value: "jo@example.com" } },
  { type: "AddAddress", address: { ...address, state: "verified" } },
  { type: "RemoveAddress", address },
  { type: "UpdateContact", name: "Joan", attributes: { insurance: "jo-78" } },
  { type: "GrantConsent", purpose: "survey", channelKind: "email", evidence: "a form signed by Jo" },
  { type: "WithdrawConsent", purpose: "survey", channelKind: "email" },
  { type: "StartConversation", conversationId: otherConversation },
  { type: "SuggestMatch", contactId: Id.ContactId.parse("jim"), evidence: "both jo@example.org" },
  { type: "MergeContact", into: Id.ContactId.parse("jim") },
  { type: "UndoContactMerge" },
  { type: "RecordExport" },
  { type: "EraseContact" }
]

/** A contact to whom everything happens. */
export const everythingOfContact: ReadonlyArray<Contact.ContactEvent> = (() => {
  let contact: Contact.Contact | undefined
  return contactCommands.flatMap((command, index) => {
    const decided = Contact.decide(contact, command, { actor: jo, nowMs: index })
    if (!decided.ok) throw new Error(decided.error.message)
    for (const event of decided.value) contact = Contact.evolve(contact, event)
    return decided.value
  })
})()
