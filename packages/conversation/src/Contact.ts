/**
 * The outside person: addresses, attributes and consents, as a stream of its own.
 *
 * @module
 */
import * as z from "zod"
import { type Actor, Meta } from "./Actor.ts"
import * as Address from "./Address.ts"
import { ContactId, ConversationId } from "./Id.ts"
import { Purpose } from "./Message.ts"
import { personal } from "./Personal.ts"
import type { Rejection } from "./Rejection.ts"
import * as Rejections from "./Rejection.ts"
import { fail, type Result, succeed } from "./Result.ts"
import { ChannelKind } from "./Thread.ts"

/** Facts an application keeps on a contact or conversation. */
export const Attributes = z.record(z.string().min(1).max(64), z.union([z.string().max(2000), z.number(), z.boolean()]))
export type Attributes = z.infer<typeof Attributes>

/** What a contact allows, by purpose and channel, with its evidence (a form, a message, a call). */
export const Consent = z.object({
  purpose: Purpose,
  channelKind: ChannelKind,
  grantedAtMs: z.number().int(),
  evidence: personal(z.string().min(1).max(2000), "erased")
})
export type Consent = z.infer<typeof Consent>

const Name = personal(z.string().max(256), undefined)
const Addresses = Address.Addresses
const PersonalAddress = personal(Address.Address, { kind: "erased", value: "erased", state: "claimed" })
const PersonalAttributes = personal(Attributes, {})

/**
 * A contact as it stands.
 *
 * **Shape** `mergedInto` is set while this contact counts as another; `suggestions` are contacts that may be the same
 * person, with the evidence, for an agent to decide. `erasedAtMs` is when everything personal was asked to be removed:
 * from then on nothing is kept of the contact but that there was one.
 */
export const Contact = z.object({
  id: ContactId,
  version: z.number().int().nonnegative(),
  name: Name.optional(),
  language: z.string().max(35).optional(),
  addresses: Addresses,
  attributes: PersonalAttributes,
  consents: z.array(Consent).max(100),
  suggestions: personal(z.array(z.object({ contactId: ContactId, evidence: z.string().max(256) })).max(20), []),
  mergedInto: ContactId.optional(),
  erasedAtMs: z.number().int().optional(),
  lastConversationId: ConversationId.optional(),
  createdAtMs: z.number().int(),
  updatedAtMs: z.number().int()
})
export type Contact = z.infer<typeof Contact>

/** What can be asked of a contact's stream. */
export const ContactCommand = z.discriminatedUnion("type", [
  z.strictObject({
    type: z.literal("CreateContact"),
    contactId: ContactId,
    name: Name.optional(),
    language: z.string().max(35).optional(),
    addresses: Addresses,
    attributes: PersonalAttributes.optional()
  }),
  z.strictObject({ type: z.literal("AddAddress"), address: PersonalAddress }),
  z.strictObject({ type: z.literal("RemoveAddress"), address: PersonalAddress }),
  z.strictObject({
    type: z.literal("UpdateContact"),
    name: Name.optional(),
    language: z.string().max(35).optional(),
    attributes: PersonalAttributes.optional()
  }),
  z.strictObject({
    type: z.literal("GrantConsent"),
    purpose: Purpose,
    channelKind: ChannelKind,
    evidence: z.string().min(1).max(2000)
  }),
  z.strictObject({ type: z.literal("WithdrawConsent"), purpose: Purpose, channelKind: ChannelKind }),
  z.strictObject({ type: z.literal("StartConversation"), conversationId: ConversationId }),
  z.strictObject({ type: z.literal("SuggestMatch"), contactId: ContactId, evidence: z.string().min(1).max(256) }),
  z.strictObject({ type: z.literal("MergeContact"), into: ContactId }),
  z.strictObject({ type: z.literal("UndoContactMerge") }),
  z.strictObject({ type: z.literal("RecordExport") }),
  z.strictObject({ type: z.literal("EraseContact") })
])
export type ContactCommand = z.infer<typeof ContactCommand>

/** What can happen to a contact. */
export const ContactEvent = z.discriminatedUnion("type", [
  z.object({
    type: z.literal("ContactCreated"),
    meta: Meta,
    contactId: ContactId,
    name: Name.optional(),
    language: z.string().max(35).optional(),
    addresses: Addresses,
    attributes: PersonalAttributes
  }),
  z.object({ type: z.literal("AddressAdded"), meta: Meta, address: PersonalAddress }),
  z.object({ type: z.literal("AddressVerified"), meta: Meta, address: PersonalAddress }),
  z.object({ type: z.literal("AddressRemoved"), meta: Meta, address: PersonalAddress }),
  z.object({
    type: z.literal("ContactUpdated"),
    meta: Meta,
    name: Name.optional(),
    language: z.string().max(35).optional(),
    attributes: PersonalAttributes.optional()
  }),
  z.object({ type: z.literal("ConsentGranted"), meta: Meta, consent: Consent }),
  z.object({ type: z.literal("ConsentWithdrawn"), meta: Meta, purpose: Purpose, channelKind: ChannelKind }),
  z.object({ type: z.literal("ConversationStarted"), meta: Meta, conversationId: ConversationId }),
  z.object({
    type: z.literal("MatchSuggested"),
    meta: Meta,
    contactId: ContactId,
    evidence: personal(z.string().max(256), "")
  }),
  z.object({ type: z.literal("ContactMerged"), meta: Meta, into: ContactId }),
  z.object({ type: z.literal("ContactMergeUndone"), meta: Meta, from: ContactId }),
  z.object({ type: z.literal("ContactExported"), meta: Meta }),
  z.object({ type: z.literal("ContactErased"), meta: Meta })
])
export type ContactEvent = z.infer<typeof ContactEvent>

/** When and by whom a command is decided. */
export interface Stamp {
  readonly actor: Actor
  readonly onBehalfOf?: Actor
  readonly causation?: string
  readonly commandId?: string
  readonly occurredAtMs?: number
  readonly nowMs: number
}

/** The meta of the events that a stamped command causes. */
export const toMeta = (stamp: Stamp): Meta => ({
  actor: stamp.actor,
  ...(stamp.onBehalfOf && { onBehalfOf: stamp.onBehalfOf }),
  ...(stamp.causation !== undefined && { causation: stamp.causation }),
  ...(stamp.commandId !== undefined && { commandId: stamp.commandId }),
  ...(stamp.occurredAtMs !== undefined && { occurredAtMs: stamp.occurredAtMs }),
  recordedAtMs: stamp.nowMs
})

const isSameConsent = (a: { purpose: string; channelKind: string }, b: { purpose: string; channelKind: string }) =>
  a.purpose === b.purpose && a.channelKind === b.channelKind

/** Each identity once, `verified` when any of its entries is. */
const withoutDoubles = (addresses: ReadonlyArray<Address.Address>): Array<Address.Address> => {
  const known = new Map<string, Address.Address>()
  for (const address of addresses) {
    const found = known.get(Address.toKey(address))
    if (found === undefined || (found.state === "claimed" && address.state === "verified")) {
      known.set(Address.toKey(address), { ...found, ...address })
    }
  }
  return [...known.values()]
}

/**
 * What a command does to a contact: events (none when nothing changes), or why it is refused.
 *
 * **Fails with** `contactUnknown`, `contactExists`, `contactMerged`, `contactErased`, `notMerged`, `addressLimit`,
 * `mergeIntoItself`.
 *
 * **Gotchas** `ContactExported` records that everything kept of the contact was handed out, to whoever asked.
 * `ContactErased` records that an erasure was asked for, and empties the contact; whoever keeps its events removes their
 * personal fields. One stream sees only itself: whether a merge would close a ring, or an address belongs to somebody else
 * already, is for the caller to check in the same commit.
 *
 * **Example**
 *
 * ```ts
 * import { strict as assert } from "node:assert"
 * import { Contact, Id } from "@switchboard/conversation"
 *
 * const contactId = Id.ContactId.parse("jo")
 * const stamp: Contact.Stamp = { actor: { kind: "contact", id: contactId }, nowMs: 1000 }
 * const email = { kind: "email", value: "jo@example.org" } as const
 *
 * let jo: Contact.Contact | undefined
 * const give = (command: Contact.ContactCommand) => {
 *   const decided = Contact.decide(jo, command, stamp)
 *   if (!decided.ok) throw new Error(decided.error.message)
 *   for (const event of decided.value) jo = Contact.evolve(jo, event)
 *   return decided.value.map((event) => event.type)
 * }
 * give({ type: "CreateContact", contactId, name: "Jo", addresses: [{ ...email, state: "claimed" }] })
 * assert.deepEqual(give({ type: "AddAddress", address: { ...email, state: "verified" } }), ["AddressVerified"])
 * assert.deepEqual(give({ type: "AddAddress", address: { ...email, state: "claimed" } }), [])
 * assert.equal(jo?.addresses[0]?.state, "verified")
 * ```
 */
export const decide = (
  contact: Contact | undefined,
  command: ContactCommand,
  stamp: Stamp
): Result<ReadonlyArray<ContactEvent>, Rejection> => {
  const meta = toMeta(stamp)
  if (command.type === "CreateContact") {
    if (contact) return fail(Rejections.make("contactExists", "the contact exists already", { contactId: contact.id }))
    const { type: _, attributes, addresses, ...facts } = command
    return succeed([
      { type: "ContactCreated", meta, ...facts, addresses: withoutDoubles(addresses), attributes: attributes ?? {} }
    ])
  }
  if (!contact) return fail(Rejections.make("contactUnknown", "no such contact; create it first", {}))
  if (command.type === "EraseContact") {
    return succeed(contact.erasedAtMs === undefined ? [{ type: "ContactErased", meta }] : [])
  }
  // Whatever the contact has become: who was given what is still kept of it has to stand somewhere.
  if (command.type === "RecordExport") return succeed([{ type: "ContactExported", meta }])
  if (contact.erasedAtMs !== undefined) {
    return fail(
      Rejections.make("contactErased", "the contact was erased; what comes from now on is somebody new", {
        contactId: contact.id,
        erasedAtMs: contact.erasedAtMs
      })
    )
  }
  if (command.type === "UndoContactMerge") {
    return contact.mergedInto
      ? succeed([{ type: "ContactMergeUndone", meta, from: contact.mergedInto }])
      : fail(Rejections.make("notMerged", "the contact is not merged into another", { contactId: contact.id }))
  }
  if (contact.mergedInto && command.type !== "StartConversation") {
    return fail(
      Rejections.make(
        "contactMerged",
        `the contact counts as ${contact.mergedInto}; address that one, or undo the merge`,
        {
          contactId: contact.id,
          mergedInto: contact.mergedInto
        }
      )
    )
  }
  switch (command.type) {
    case "AddAddress": {
      const known = contact.addresses.find((address) => Address.isSame(address, command.address))
      if (!known) {
        return contact.addresses.length >= 50
          ? fail(Rejections.make("addressLimit", "a contact has at most 50 addresses; remove one first", { limit: 50 }))
          : succeed([{ type: "AddressAdded", meta, address: command.address }])
      }
      return succeed(
        known.state === "claimed" && command.address.state === "verified"
          ? [{ type: "AddressVerified", meta, address: command.address }]
          : []
      )
    }
    case "RemoveAddress":
      return succeed(
        contact.addresses.some((address) => Address.isSame(address, command.address))
          ? [{ type: "AddressRemoved", meta, address: command.address }]
          : []
      )
    case "UpdateContact": {
      const { type: _, ...facts } = command
      return succeed([{ type: "ContactUpdated", meta, ...facts }])
    }
    case "GrantConsent":
      return succeed([
        {
          type: "ConsentGranted",
          meta,
          consent: {
            purpose: command.purpose,
            channelKind: command.channelKind,
            grantedAtMs: stamp.nowMs,
            evidence: command.evidence
          }
        }
      ])
    case "WithdrawConsent":
      return succeed(
        contact.consents.some((consent) => isSameConsent(consent, command))
          ? [{ type: "ConsentWithdrawn", meta, purpose: command.purpose, channelKind: command.channelKind }]
          : []
      )
    case "StartConversation":
      return succeed([{ type: "ConversationStarted", meta, conversationId: command.conversationId }])
    case "SuggestMatch":
      return succeed(
        command.contactId === contact.id || contact.suggestions.some((one) => one.contactId === command.contactId)
          ? []
          : [{ type: "MatchSuggested", meta, contactId: command.contactId, evidence: command.evidence }]
      )
    case "MergeContact":
      return command.into === contact.id
        ? fail(Rejections.make("mergeIntoItself", "a contact can't be merged into itself", { contactId: contact.id }))
        : succeed([{ type: "ContactMerged", meta, into: command.into }])
  }
}

/** The contact after an event. */
export const evolve = (contact: Contact | undefined, event: ContactEvent): Contact => {
  const updatedAtMs = event.meta.recordedAtMs
  if (event.type === "ContactCreated") {
    return {
      id: event.contactId,
      version: 1,
      ...(event.name !== undefined && { name: event.name }),
      ...(event.language !== undefined && { language: event.language }),
      addresses: event.addresses,
      attributes: event.attributes,
      consents: [],
      suggestions: [],
      createdAtMs: updatedAtMs,
      updatedAtMs
    }
  }
  if (!contact) throw new Error(`a contact's stream begins with ContactCreated, found ${event.type}`)
  const next = { ...contact, version: contact.version + 1, updatedAtMs }
  switch (event.type) {
    case "AddressAdded":
      return { ...next, addresses: [...contact.addresses, event.address] }
    case "AddressVerified":
      return {
        ...next,
        addresses: contact.addresses.map((address) =>
          Address.isSame(address, event.address) ? { ...address, state: "verified" as const } : address
        )
      }
    case "AddressRemoved":
      return { ...next, addresses: contact.addresses.filter((address) => !Address.isSame(address, event.address)) }
    case "ContactUpdated":
      return {
        ...next,
        ...(event.name !== undefined && { name: event.name }),
        ...(event.language !== undefined && { language: event.language }),
        ...(event.attributes && { attributes: { ...contact.attributes, ...event.attributes } })
      }
    case "ConsentGranted":
      return {
        ...next,
        consents: [...contact.consents.filter((consent) => !isSameConsent(consent, event.consent)), event.consent]
      }
    case "ConsentWithdrawn":
      return { ...next, consents: contact.consents.filter((consent) => !isSameConsent(consent, event)) }
    case "ConversationStarted":
      return { ...next, lastConversationId: event.conversationId }
    case "MatchSuggested":
      return {
        ...next,
        suggestions: [...contact.suggestions, { contactId: event.contactId, evidence: event.evidence }].slice(-20)
      }
    case "ContactMerged":
      return { ...next, mergedInto: event.into }
    case "ContactMergeUndone": {
      const { mergedInto: _, ...rest } = next
      return rest
    }
    case "ContactExported":
      return next
    case "ContactErased": {
      const { name: _, language: __, ...rest } = next
      return { ...rest, addresses: [], attributes: {}, consents: [], suggestions: [], erasedAtMs: updatedAtMs }
    }
  }
}

/**
 * Whether a contact allows messages of a purpose on a channel kind: service always, the others only with a consent.
 *
 * **Gotchas** Ask it of the contact that a merged one counts as.
 */
export const allows = (contact: Contact, purpose: Purpose, channelKind: string): boolean =>
  purpose === "service" || contact.consents.some((consent) => isSameConsent(consent, { purpose, channelKind }))
