import {
  Contact,
  Conversation,
  ConversationEvent,
  ConversationEvolution,
  Message,
  Personal
} from "@switchboard/conversation"
import { describe, expect, test } from "vitest"
import * as z from "zod"
import { erase, personalFieldsOf, withoutPersonal } from "./erasure.ts"
import { everything, everythingOfContact } from "./samples.ts"

const options = [...ConversationEvent.ConversationEvent.options, ...Contact.ContactEvent.options]
const samples = [...everything, ...everythingOfContact]

/** What is personal of each event, and what stands there after an erasure. */
const marks: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  ConversationOpened: {
    subject: "",
    attributes: {},
    "thread/key": "erased",
    "thread/recipients": [],
    "thread/subject": ""
  },
  ThreadAdded: { "thread/key": "erased", "thread/recipients": [], "thread/subject": "" },
  ...Object.fromEntries(
    ["MessageReceived", "MessageEchoed", "MessageSent", "NoteAdded"].map((type) => [
      type,
      { "message/parts": [], "message/attachments": [], "message/platformId": null, "message/deliveries": [] }
    ])
  ),
  MessageEdited: { parts: [] },
  DeliveryChanged: { platformIds: null, "failure/message": "" },
  AttachmentFailed: { failure: "" },
  HandedOff: { summary: "" },
  ConversationTransferred: { note: "" },
  AttributesSet: { attributes: {} },
  SubjectSet: { subject: "" },
  ParticipantAdded: { participant: { role: "cc", address: { kind: "erased", value: "erased" } } },
  ParticipantRemoved: { participant: { role: "cc", address: { kind: "erased", value: "erased" } } },
  ContactCreated: { name: null, addresses: [], attributes: {} },
  AddressAdded: { address: { kind: "erased", value: "erased", state: "claimed" } },
  AddressVerified: { address: { kind: "erased", value: "erased", state: "claimed" } },
  AddressRemoved: { address: { kind: "erased", value: "erased", state: "claimed" } },
  ContactUpdated: { name: null, attributes: {} },
  ConsentGranted: { "consent/evidence": "erased" },
  MatchSuggested: { evidence: "" }
}

describe("personal fields", () => {
  test.each(options.map((option) => [option.shape.type.value as string] as const))("[PERSONAL-1] of %s", (type) => {
    const found = personalFieldsOf(type).map(({ path, erased }) => [path.join("/"), erased])
    expect(Object.fromEntries(found)).toEqual(marks[type] ?? {})
  })

  test("[PERSONAL-1] the samples hold every type of event", () => {
    const types = options.map((option) => option.shape.type.value as string)
    expect([...new Set(samples.map(({ type }) => type as string))].sort()).toEqual(types.sort())
  })

  test.each(samples.map((event) => [event.type, event] as const))(
    "[PERSONAL-2] %s is whole again after a round trip",
    (type, event) => {
      const fields = personalFieldsOf(type)
      const { rest, taken } = Personal.split(fields, event)
      const stored = JSON.parse(JSON.stringify({ rest, taken }))
      expect(Personal.join(fields, stored.rest, stored.taken)).toEqual(event)
      for (const { path } of fields) expect(Object.keys(taken).concat(path.join("/"))).toContain(path.join("/"))
    }
  )

  test.each(samples.map((event) => [event.type, event] as const))(
    "[PERSONAL-3] what is kept of %s names nobody",
    (type, event) => {
      const { rest } = Personal.split(personalFieldsOf(type), event)
      // The contact's and the actors' ids are pseudonyms: they stay, or nothing could be counted.
      const words = JSON.stringify(rest).replaceAll(/"(contactId|id)":"jo"/g, "")
      expect(words).not.toMatch(/\bjo\b|joan|example\.org|example\.com|34600000001|base64-of-a-number|words of/i)
    }
  )

  test.each(samples.map((event) => [event.type, event] as const))(
    "[PERSONAL-4] an erased %s is still an event",
    (_, event) => {
      const schema: z.ZodType = options.find((option) => option.shape.type.value === event.type)!
      expect(schema.safeParse(event).error).toBeUndefined()
      expect(schema.safeParse(erase(event)).error).toBeUndefined()
    }
  )

  test("[PERSONAL-5] a journal folds the same after an erasure, personal fields aside", () => {
    for (let length = 1; length <= everything.length; length++) {
      const before = ConversationEvolution.fold(everything.slice(0, length))
      const after = ConversationEvolution.fold(everything.slice(0, length).map(erase))
      expect(withoutPersonal(Conversation.Conversation, after.conversation)).toEqual(
        withoutPersonal(Conversation.Conversation, before.conversation)
      )
      for (const [id, message] of before.messages) {
        expect(withoutPersonal(Message.Message, after.messages.get(id))).toEqual(
          withoutPersonal(Message.Message, message)
        )
      }
    }
    const contact = everythingOfContact.reduce(Contact.evolve, undefined as Contact.Contact | undefined)
    const erased = everythingOfContact.map(erase).reduce(Contact.evolve, undefined as Contact.Contact | undefined)
    expect(withoutPersonal(Contact.Contact, erased)).toEqual(withoutPersonal(Contact.Contact, contact))
  })

  test("[PERSONAL-5] erased documents are documents still, and name nobody", () => {
    const { conversation, messages } = ConversationEvolution.fold(everything.map(erase))
    expect(Conversation.Conversation.safeParse(conversation).error).toBeUndefined()
    for (const message of messages.values()) expect(Message.Message.safeParse(message).error).toBeUndefined()
    const contact = everythingOfContact.map(erase).reduce(Contact.evolve, undefined as Contact.Contact | undefined)
    expect(Contact.Contact.safeParse(contact).error).toBeUndefined()
    const words = JSON.stringify([conversation, [...messages.values()], contact])
    expect(words).not.toMatch(/joan|example\.org|example\.com|34600000001|base64-of-a-number|words of|passport/i)
  })
})

describe("marking", () => {
  const schema = z.object({
    id: z.string(),
    name: Personal.personal(z.string(), undefined).optional(),
    home: z.object({ city: z.string(), street: Personal.personal(z.string(), "erased") }).optional()
  })
  const fields = Personal.fields(schema)

  test("[PERSONAL-1] fields are found in nested objects and behind what may be absent", () => {
    expect(fields).toEqual([
      { path: ["name"], erased: null },
      { path: ["home", "street"], erased: "erased" }
    ])
    expect(Personal.fields(z.string())).toEqual([])
    expect(Personal.fields(z.object({ a: Personal.personal(z.string(), "").nullable().readonly() }))).toEqual([
      { path: ["a"], erased: "" }
    ])
  })

  test.each([
    [{ id: "1" }, { id: "1" }, {}, { id: "1" }],
    [{ id: "1", name: "Jo" }, { id: "1" }, { name: "Jo" }, { id: "1" }],
    [
      { id: "1", home: { city: "Vic", street: "Sol 3" } },
      { id: "1", home: { city: "Vic" } },
      { "home/street": "Sol 3" },
      { id: "1", home: { city: "Vic", street: "erased" } }
    ]
  ])("[PERSONAL-2] %j", (value, rest, taken, erased) => {
    const before = structuredClone(value)
    expect(Personal.split(fields, value)).toEqual({ rest, taken })
    expect(value).toEqual(before)
    expect(Personal.join(fields, rest, taken)).toEqual(value)
    expect(Personal.join(fields, rest, null)).toEqual(erased)
  })
})
