import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { WhatsAppAddress } from "../src/index.ts"

describe("a phone number in its normal form", () => {
  test.each([
    ["a Brazilian mobile without its 9", "+559281723241", "+5592981723241"],
    ["a Brazilian mobile with it", "+5592981723241", "+5592981723241"],
    ["a Brazilian landline", "+551132345678", "+551132345678"],
    ["a Mexican mobile with its old 1", "+5215512345678", "+525512345678"],
    ["a Mexican mobile without", "+525512345678", "+525512345678"],
    ["an Argentine mobile", "+5491158749895", "+5491158749895"],
    ["an Argentine mobile with its 15", "+54111558749895", "+5491158749895"],
    ["a number as people write it", "+34 600 11-12.22", "+34600111222"],
    ["a number that no plan knows", "+12345678", "+12345678"]
  ])("%s", (_, written, expected) => {
    expect(WhatsAppAddress.fromPhone(written)).toBe(expected)
  })

  test("needs its country, written or said", () => {
    expect(WhatsAppAddress.fromPhone("600 11 12 22")).toBeUndefined()
    expect(WhatsAppAddress.fromPhone("600 11 12 22", "ES")).toBe("+34600111222")
  })

  test.each(["", "Ana", "+12", "+1234567890123456", "x".repeat(1000)])("%j is none", (written) => {
    expect(WhatsAppAddress.fromPhone(written)).toBeUndefined()
  })

  test("is its own normal form", () => {
    fc.assert(
      fc.property(fc.stringMatching(/^\+(55|52|521|54|549|1|34|49)\d{8,10}$/), (written) => {
        const phone = WhatsAppAddress.fromPhone(written)
        if (phone !== undefined) expect(WhatsAppAddress.fromPhone(phone)).toBe(phone)
      }),
      { numRuns: 500, seed: 7 }
    )
  })
})

test("an id is a phone number, or a user id where WhatsApp writes that instead", () => {
  expect(WhatsAppAddress.fromWaId("16505551234")).toEqual({ kind: "phone", value: "+16505551234" })
  expect(WhatsAppAddress.fromWaId("US.13491208655302741918")).toEqual({
    kind: "whatsapp",
    value: "US.13491208655302741918"
  })
  for (const none of ["", "1 650 555", "us.1", "US.", "US.1 2"]) expect(WhatsAppAddress.fromWaId(none)).toBeUndefined()
})

test("a long name is cut, never a reason to lose a message", () => {
  const sender = WhatsAppAddress.toSender({ waId: "16505551234", name: `${"x".repeat(255)}😀` })
  expect(sender?.name).toHaveLength(256)
  expect(sender?.name?.isWellFormed()).toBe(true)
  expect(WhatsAppAddress.toSender({ waId: "16505551234", name: "  " })).not.toHaveProperty("name")
})

test("requests name phone numbers and user ids in different fields, and nobody else", () => {
  expect(WhatsAppAddress.toDestination({ kind: "phone", value: "+16505551234" })).toEqual({ to: "16505551234" })
  expect(WhatsAppAddress.toDestination({ kind: "whatsapp", value: "US.ENT.1" })).toEqual({ recipient: "US.ENT.1" })
  expect(WhatsAppAddress.toDestination({ kind: "email", value: "ana@example.com" })).toBeUndefined()
  expect(WhatsAppAddress.toDestination({ kind: "phone", value: "16505551234" })).toBeUndefined()
})
