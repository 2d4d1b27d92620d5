import { type Actor, Address, Contact, Id } from "@switchboard/conversation"
import { describe, expect, test } from "vitest"
import { ana, jo, otherConversation, timer } from "./scenario.ts"

const id = Id.ContactId.parse("jo")
const other = Id.ContactId.parse("jim")
const claimed: Address.Address = { kind: "email", value: "jo@example.org", state: "claimed" }
const verified: Address.Address = { ...claimed, state: "verified" }
const phone: Address.Address = { kind: "phone", value: "+34600000001", state: "verified" }

const create = (more: object = {}): Contact.ContactCommand => ({
  type: "CreateContact",
  contactId: id,
  addresses: [claimed],
  ...more
})

const history = (...commands: ReadonlyArray<Contact.ContactCommand>): ReadonlyArray<Contact.ContactEvent> => {
  let contact: Contact.Contact | undefined
  return commands.flatMap((command, index) => {
    const decided = Contact.decide(contact, command, { actor: jo, nowMs: 1000 * (index + 1) })
    if (!decided.ok) throw new Error(`${command.type} as a given step was refused: ${decided.error.message}`)
    for (const event of decided.value) contact = Contact.evolve(contact, event)
    return decided.value
  })
}

const given = (...commands: ReadonlyArray<Contact.ContactCommand>) => {
  const before = history(...commands).reduce<Contact.Contact | undefined>(Contact.evolve, undefined)
  return {
    when: (command: Contact.ContactCommand, actor: Actor.Actor = jo) => {
      const result = Contact.decide(before, command, { actor, nowMs: 9000 })
      const contact = result.ok ? result.value.reduce(Contact.evolve, before) : before
      if (contact === undefined && result.ok) throw new Error("there is no contact")
      return {
        result,
        told: result.ok ? result.value.map(({ type }) => type).join(" ") || "-" : `!${result.error.code}`,
        contact: contact as Contact.Contact
      }
    }
  }
}

describe("a contact", () => {
  test("[CONTACT-1] begins with CreateContact, once", () => {
    const { contact } = given().when(create({ name: "Jo", language: "ca", attributes: { plan: "pro" } }))
    expect(contact).toEqual({
      id,
      version: 1,
      name: "Jo",
      language: "ca",
      addresses: [claimed],
      attributes: { plan: "pro" },
      consents: [],
      suggestions: [],
      createdAtMs: 9000,
      updatedAtMs: 9000
    })
    expect(given().when({ type: "UpdateContact" }).told).toBe("!contactUnknown")
    expect(given(create()).when(create()).told).toBe("!contactExists")
  })

  test("[CONTACT-2] takes what is set, keeps the rest", () => {
    const start = create({ name: "Jo", language: "ca", attributes: { plan: "pro", vip: true } })
    expect(given(start).when({ type: "UpdateContact", attributes: { plan: "free" } }).contact).toMatchObject({
      name: "Jo",
      language: "ca",
      attributes: { plan: "free", vip: true },
      version: 2,
      updatedAtMs: 9000
    })
    expect(given(start).when({ type: "UpdateContact", name: "Joan", language: "es" }).contact).toMatchObject({
      name: "Joan",
      language: "es",
      attributes: { plan: "pro", vip: true }
    })
  })

  test("[CONTACT-3] knows the conversation it last began", () => {
    const { contact } = given(create()).when({ type: "StartConversation", conversationId: otherConversation })
    expect(contact.lastConversationId).toBe(otherConversation)
  })
})

describe("addresses", () => {
  test.each([
    ["nothing", [], claimed, "AddressAdded", "claimed"],
    ["nothing", [], verified, "AddressAdded", "verified"],
    ["claimed", [claimed], claimed, "-", "claimed"],
    ["claimed", [claimed], verified, "AddressVerified", "verified"],
    ["verified", [verified], claimed, "-", "verified"],
    ["verified", [verified], verified, "-", "verified"]
  ] as const)("[CONTACT-4] an address that was %s", (_, addresses, address, told, state) => {
    const outcome = given(create({ addresses })).when({ type: "AddAddress", address })
    expect(outcome.told).toBe(told)
    expect(outcome.contact.addresses).toEqual([{ ...claimed, state }])
  })

  test("[CONTACT-4] an identity stands once, verified when it is so anywhere", () => {
    const doubled = create({ addresses: [claimed, phone, { ...verified, label: "Jo" }, claimed] })
    expect(given().when(doubled).contact.addresses).toEqual([{ ...verified, label: "Jo" }, phone])
  })

  test("[CONTACT-5] a label is shown and never matched", () => {
    const labelled = { ...claimed, label: "jo the great" }
    expect(Address.isSame(labelled, claimed)).toBe(true)
    expect(Address.isSame(claimed, { ...claimed, kind: "phone" })).toBe(false)
    expect(Address.isSame(claimed, { ...claimed, value: "other@example.org" })).toBe(false)
    expect(Address.toKey(labelled)).toBe("email:jo@example.org")
    expect(given(create()).when({ type: "AddAddress", address: labelled }).told).toBe("-")
  })

  test("[CONTACT-6] an address is removed, others stay", () => {
    const start = create({ addresses: [claimed, phone] })
    expect(given(start).when({ type: "RemoveAddress", address: verified }).contact.addresses).toEqual([phone])
    expect(given(create()).when({ type: "RemoveAddress", address: phone }).told).toBe("-")
  })

  test("[CONTACT-7] a contact has at most 50", () => {
    const addresses = Array.from({ length: 50 }, (_, n) => ({ ...claimed, value: `${n}@example.org` }))
    const { result } = given(create({ addresses })).when({ type: "AddAddress", address: phone })
    expect(result).toMatchObject({ error: { code: "addressLimit", facts: { limit: 50 } } })
    const verify = { type: "AddAddress", address: { ...addresses[0]!, state: "verified" } } as const
    expect(given(create({ addresses })).when(verify).told).toBe("AddressVerified")
  })

  test("[CONTACT-5] kinds are lower case", () => {
    expect(Address.AddressKind.safeParse("visitor-2").success).toBe(true)
    for (const kind of ["Email", "2fa", "", "a b"]) expect(Address.AddressKind.safeParse(kind).success).toBe(false)
  })
})

describe("the same person", () => {
  const merge: Contact.ContactCommand = { type: "MergeContact", into: other }

  test("[CONTACT-8] one is suggested once, with its evidence, and never itself", () => {
    const suggest = (contactId: Id.ContactId) => ({ type: "SuggestMatch", contactId, evidence: "same email" }) as const
    const { contact } = given(create()).when(suggest(other))
    expect(contact.suggestions).toEqual([{ contactId: other, evidence: "same email" }])
    expect(given(create(), suggest(other)).when(suggest(other)).told).toBe("-")
    expect(given(create()).when(suggest(id)).told).toBe("-")
  })

  test("[CONTACT-8] the newest 20 suggestions are kept", () => {
    const all = Array.from({ length: 21 }, (_, n) => Id.ContactId.parse(`x${n}`))
    const { contact } = given(
      create(),
      ...all.slice(0, 20).map((contactId) => ({ type: "SuggestMatch", contactId, evidence: "e" }) as const)
    ).when({ type: "SuggestMatch", contactId: all[20]!, evidence: "e" })
    expect(contact.suggestions.map(({ contactId }) => contactId)).toEqual(all.slice(1))
  })

  test("[CONTACT-9] a merged contact counts as the other, and what is asked of it says so", () => {
    expect(given(create()).when(merge, ana).contact.mergedInto).toBe(other)
    for (const command of [
      { type: "AddAddress", address: phone },
      { type: "RemoveAddress", address: claimed },
      { type: "UpdateContact", name: "Jo" },
      { type: "GrantConsent", purpose: "survey", channelKind: "email", evidence: "form" },
      { type: "WithdrawConsent", purpose: "survey", channelKind: "email" },
      { type: "SuggestMatch", contactId: other, evidence: "e" },
      { type: "MergeContact", into: Id.ContactId.parse("x") }
    ] as const) {
      expect(given(create(), merge).when(command).result).toMatchObject({
        error: { code: "contactMerged", facts: { mergedInto: other }, message: expect.stringContaining("jim") }
      })
    }
    const started = given(create(), merge).when({ type: "StartConversation", conversationId: otherConversation }, timer)
    expect(started.told).toBe("ConversationStarted")
  })

  test("[CONTACT-9] a contact is not merged into itself", () => {
    expect(given(create()).when({ type: "MergeContact", into: id }).told).toBe("!mergeIntoItself")
  })

  test("[CONTACT-10] an undone merge leaves the contact as it was", () => {
    const start = create({ name: "Jo", addresses: [verified, phone] })
    const before = given().when(start).contact
    const { contact, result } = given(start, merge).when({ type: "UndoContactMerge" }, ana)
    expect(result).toMatchObject({ value: [{ type: "ContactMergeUndone", from: other }] })
    const { version: _, updatedAtMs: __, createdAtMs: ___, ...facts } = contact
    expect(before).toMatchObject(facts)
    expect(given(create()).when({ type: "UndoContactMerge" }).told).toBe("!notMerged")
    expect(given(create(), merge, { type: "UndoContactMerge" }).when(merge).told).toBe("ContactMerged")
  })
})

describe("an erased contact", () => {
  const everything = [
    create({ name: "Jo", language: "ca", addresses: [verified, phone], attributes: { plan: "pro" } }),
    { type: "StartConversation", conversationId: otherConversation },
    { type: "GrantConsent", purpose: "survey", channelKind: "email", evidence: "form" },
    { type: "SuggestMatch", contactId: other, evidence: "same email" }
  ] as const

  test("[CONTACT-14] is recorded with who asked and when, nothing personal, and is empty", () => {
    const { result, contact } = given(...everything).when({ type: "EraseContact" }, ana)
    expect(result).toEqual({ ok: true, value: [{ type: "ContactErased", meta: { actor: ana, recordedAtMs: 9000 } }] })
    expect(contact).toEqual({
      id,
      version: 5,
      addresses: [],
      attributes: {},
      consents: [],
      suggestions: [],
      erasedAtMs: 9000,
      lastConversationId: otherConversation,
      createdAtMs: 1000,
      updatedAtMs: 9000
    })
  })

  test("[CONTACT-14] is erased once, merged or not, and takes no other command", () => {
    expect(given(create(), { type: "MergeContact", into: other }).when({ type: "EraseContact" }).contact).toMatchObject(
      {
        mergedInto: other,
        erasedAtMs: 9000
      }
    )
    expect(given(create(), { type: "EraseContact" }).when({ type: "EraseContact" }).told).toBe("-")
    for (const command of [
      { type: "AddAddress", address: phone },
      { type: "UpdateContact", name: "Jo" },
      { type: "StartConversation", conversationId: otherConversation },
      { type: "MergeContact", into: other },
      { type: "UndoContactMerge" }
    ] as const) {
      expect(given(create(), { type: "EraseContact" }).when(command).told).toBe("!contactErased")
    }
    expect(given().when({ type: "EraseContact" }).told).toBe("!contactUnknown")
  })
})

describe("an export", () => {
  test("[CONTACT-15] is recorded every time, with who asked and when, and changes nothing else", () => {
    const before = given(create()).when({ type: "UpdateContact", name: "Jo" }).contact
    const { result, contact } = given(create(), { type: "UpdateContact", name: "Jo" }).when(
      { type: "RecordExport" },
      ana
    )
    expect(result).toEqual({ ok: true, value: [{ type: "ContactExported", meta: { actor: ana, recordedAtMs: 9000 } }] })
    expect(contact).toEqual({ ...before, version: 3 })
    expect(given(create(), { type: "RecordExport" }).when({ type: "RecordExport" }).told).toBe("ContactExported")
  })

  test("[CONTACT-15] is recorded of merged and erased contacts too, of unknown ones not", () => {
    for (const command of [{ type: "MergeContact", into: other }, { type: "EraseContact" }] as const) {
      expect(given(create(), command).when({ type: "RecordExport" }).told).toBe("ContactExported")
    }
    expect(given().when({ type: "RecordExport" }).told).toBe("!contactUnknown")
  })
})

describe("consents", () => {
  const grant = (evidence: string): Contact.ContactCommand => ({
    type: "GrantConsent",
    purpose: "marketing",
    channelKind: "email",
    evidence
  })
  const withdraw: Contact.ContactCommand = { type: "WithdrawConsent", purpose: "marketing", channelKind: "email" }

  test("[CONTACT-11] a consent stands by purpose and channel, with its time and evidence; a new one replaces it", () => {
    expect(given(create()).when(grant("form 1")).contact.consents).toEqual([
      { purpose: "marketing", channelKind: "email", grantedAtMs: 9000, evidence: "form 1" }
    ])
    expect(given(create(), grant("form 1")).when(grant("form 2")).contact.consents).toEqual([
      { purpose: "marketing", channelKind: "email", grantedAtMs: 9000, evidence: "form 2" }
    ])
  })

  test("[CONTACT-11] it is withdrawn; what isn't there can't be", () => {
    expect(given(create(), grant("form")).when(withdraw).contact.consents).toEqual([])
    expect(given(create()).when(withdraw).told).toBe("-")
    expect(given(create(), grant("form")).when({ ...withdraw, channelKind: "sms" } as typeof withdraw).told).toBe("-")
  })

  test("[CONTACT-12] service needs no consent, everything else its own", () => {
    const { contact } = given(create()).when(grant("form"))
    expect(Contact.allows(contact, "service", "sms")).toBe(true)
    expect(Contact.allows(contact, "marketing", "email")).toBe(true)
    expect(Contact.allows(contact, "marketing", "sms")).toBe(false)
    expect(Contact.allows(contact, "survey", "email")).toBe(false)
    expect(Contact.allows(given(create(), grant("form")).when(withdraw).contact, "marketing", "email")).toBe(false)
  })
})
