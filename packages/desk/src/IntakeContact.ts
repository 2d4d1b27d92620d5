/**
 * Whose an entry is: the contact its addresses lead to, and who else that may be.
 *
 * @module
 */
import type { Inbound } from "@switchboard/channel"
import { type Contact, Id } from "@switchboard/conversation"
import type { StorageDriver } from "@switchboard/storage"
import { addressClaim, type Draft, stampOf } from "./Draft.ts"

/** The contact an address set belongs to; a new one when none does. Verified addresses join, others are suggested. */
export const findContact = async (draft: Draft, from: Inbound.Sender, newId: () => string): Promise<Id.ContactId> => {
  const owners = await draft.reads.claims(from.addresses.map(addressClaim))
  const verified = from.addresses.flatMap((address, index) =>
    address.state === "verified" && owners[index] ? [owners[index].value] : []
  )
  // An address that was only claimed leads to the contact that claimed it before, never to the one who proved it.
  const claimed = from.addresses.some((address) => address.state === "verified")
    ? []
    : from.addresses.flatMap((_, index) => (owners[index] ? [owners[index].value] : []))
  const found = verified[0] ?? claimed[0]
  const known = found === undefined ? undefined : await follow(draft, Id.ContactId.parse(found))
  // Somebody erased this instant is nobody: what comes is from somebody new.
  const isGone = known !== undefined && (await draft.contact(known))?.erasedAtMs !== undefined
  const contactId = known === undefined || isGone ? draft.mint(Id.ContactId.parse(newId())) : known
  const stamp = stampOf({ kind: "contact", id: contactId }, draft.nowMs)
  const unowned = from.addresses.filter((_, index) => !owners[index])
  if (known === undefined || isGone) {
    await draft.runOnContact(
      contactId,
      {
        type: "CreateContact",
        contactId,
        ...(from.name !== undefined && { name: from.name }),
        ...(from.language !== undefined && { language: from.language }),
        addresses: unowned
      },
      stamp
    )
  } else {
    for (const address of unowned) {
      if (address.state === "verified" || claimed.length > 0) {
        await draft.runOnContact(contactId, { type: "AddAddress", address }, stamp)
      }
    }
    const contact = await draft.contact(contactId)
    if (from.name !== undefined && contact?.name === undefined) {
      await draft.runOnContact(contactId, { type: "UpdateContact", name: from.name }, stamp)
    }
  }
  if (unowned.length > 0 || new Set(verified).size > 1) await suggest(draft, contactId, from, owners, stamp)
  return contactId
}

/** Other contacts that may be the same person, for an agent to decide. */
const suggest = async (
  draft: Draft,
  contactId: Id.ContactId,
  from: Inbound.Sender,
  owners: ReadonlyArray<StorageDriver.StoredClaim | undefined>,
  stamp: Contact.Stamp
): Promise<void> => {
  const opposite = await draft.reads.claims(
    from.addresses.map((address) =>
      addressClaim({ ...address, state: address.state === "verified" ? "claimed" : "verified" })
    )
  )
  for (const [index, address] of from.addresses.entries()) {
    for (const claim of [owners[index], opposite[index]]) {
      if (claim === undefined) continue
      const other = await follow(draft, Id.ContactId.parse(claim.value))
      if (other === contactId || (await draft.contact(other))?.erasedAtMs !== undefined) continue
      const evidence = `same ${address.kind}, ${address.state === "verified" && claim === owners[index] ? "verified on both sides" : "not verified on one side"}`
      await draft.runOnContact(contactId, { type: "SuggestMatch", contactId: other, evidence }, stamp)
    }
  }
}

/** The contact that a merged one counts as. */
export const follow = async (draft: Draft, id: Id.ContactId): Promise<Id.ContactId> => {
  let current = id
  for (let steps = 0; steps < 10; steps++) {
    const into = (await draft.contact(current))?.mergedInto
    if (into === undefined) return current
    current = into
  }
  return current
}
