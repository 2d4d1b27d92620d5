import { Contact, ConversationEvent, EventVersion, Personal } from "@switchboard/conversation"
import { describe, expect, test } from "vitest"

/** Made up: `TicketNamed` once had `title`, then `subject`, and since then its language beside it. */
const upcasts: EventVersion.Upcasts = {
  TicketNamed: [
    ({ title, ...rest }) => (title === undefined ? rest : { ...rest, subject: title }),
    (body) => ({ ...body, language: "und" })
  ]
}

describe("versions of events", () => {
  test("[EVENT-1] a type is at version 1 until it has a step", () => {
    expect(EventVersion.current(upcasts, "TicketNamed")).toBe(3)
    expect(EventVersion.current(upcasts, "TagAdded")).toBe(1)
  })

  test.each([
    [1, { title: "Refund", by: "ana" }],
    [2, { subject: "Refund", by: "ana" }],
    [3, { subject: "Refund", by: "ana", language: "und" }]
  ])("[EVENT-2] version %i is brought up to date step by step", (version, body) => {
    const before = structuredClone(body)
    const upcast = EventVersion.upcast(upcasts, "TicketNamed", version, body)
    expect(upcast).toEqual({ ok: true, value: { subject: "Refund", by: "ana", language: "und" } })
    expect(body).toEqual(before)
  })

  test("[EVENT-2] a body of the current version is left alone", () => {
    const body = { tag: "a" }
    expect(EventVersion.upcast(upcasts, "TagAdded", 1, body)).toEqual({ ok: true, value: body })
  })

  test.each([
    [4, "run a newer release"],
    [0, "begin at 1"]
  ])("[EVENT-3] version %i is unknown, and the refusal says what to do", (version, todo) => {
    expect(EventVersion.upcast(upcasts, "TicketNamed", version, {})).toMatchObject({
      ok: false,
      error: { code: "unknownVersion", type: "TicketNamed", version, newest: 3, message: expect.stringContaining(todo) }
    })
  })

  test("[EVENT-4] an old event's personal fields are whole again before its steps, wherever they stand now", () => {
    const now: ReadonlyArray<Personal.PersonalField> = [{ path: ["subject"], erased: "" }]
    const stored = { rest: { by: "ana" }, taken: { title: "Refund" } }
    const whole = EventVersion.upcast(upcasts, "TicketNamed", 1, Personal.join(now, stored.rest, stored.taken))
    expect(whole).toEqual({ ok: true, value: { by: "ana", subject: "Refund", language: "und" } })
    const erased = EventVersion.upcast(upcasts, "TicketNamed", 1, stored.rest)
    expect(erased.ok && Personal.join(now, { ...erased.value }, null)).toEqual({
      by: "ana",
      subject: "",
      language: "und"
    })
  })

  test("[EVENT-5] steps of this release are for events of this release", () => {
    const types = new Set<string>(
      [...ConversationEvent.ConversationEvent.options, ...Contact.ContactEvent.options].map(
        (option) => option.shape.type.value
      )
    )
    expect(Object.keys(EventVersion.upcasts).filter((type) => !types.has(type))).toEqual([])
  })
})
