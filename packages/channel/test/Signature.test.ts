import { createHmac } from "node:crypto"
import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { Signature } from "../src/index.ts"

// Every run tries the same cases.
fc.configureGlobal({ seed: 1 })

const bytes = (...values: Array<number>): Uint8Array => new Uint8Array(values)

test("[CHANNEL-7] bytes are equal when all are, and empty ones never", () => {
  expect(Signature.isEqual(bytes(1, 2), bytes(1, 2))).toBe(true)
  expect(Signature.isEqual(bytes(1, 2), bytes(1, 3))).toBe(false)
  expect(Signature.isEqual(bytes(1, 2), bytes(1, 2, 3))).toBe(false)
  expect(Signature.isEqual(bytes(0, 2), bytes(1, 2))).toBe(false)
  expect(Signature.isEqual(bytes(), bytes())).toBe(false)
})

test("[CHANNEL-8] fresh on both sides of now, bounds included", () => {
  const fresh = [-300, -299, 0, 300].map((offset) => Signature.isFresh(1000 + offset, 1000, 300))
  expect(fresh).toEqual([true, true, true, true])
  const stale = [1301, 699, Number.NaN, Number.POSITIVE_INFINITY].map((at) => Signature.isFresh(at, 1000, 300))
  expect(stale).toEqual([false, false, false, false])
})

describe("[CHANNEL-9] decoding", () => {
  test("reads what Buffer writes", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (value) => {
        const buffer = Buffer.from(value)
        expect(Signature.fromHex(buffer.toString("hex"))).toEqual(value)
        expect(Signature.fromHex(buffer.toString("hex").toUpperCase())).toEqual(value)
        expect(Signature.fromBase64(buffer.toString("base64"))).toEqual(value)
        expect(Signature.fromBase64(buffer.toString("base64url"))).toEqual(value)
      })
    )
  })

  test.each(["abc", "zz", "0x12", " 12", "1"])("refuses %j as hexadecimal", (text) => {
    expect(Signature.fromHex(text)).toBeUndefined()
  })

  test.each(["a", "a===", "ab=c", "äb", "a b c d", "abcde"])("refuses %j as base64", (text) => {
    expect(Signature.fromBase64(text)).toBeUndefined()
  })
})

describe("[CHANNEL-10] an HMAC", () => {
  const body = new TextEncoder().encode(`{"a":1}`)
  const names = { "SHA-1": "sha1", "SHA-256": "sha256", "SHA-512": "sha512" } as const

  test.each(["SHA-1", "SHA-256", "SHA-512"] as const)("of %s is the one others compute", async (hash) => {
    const expected = new Uint8Array(createHmac(names[hash], "secret").update(body).digest())
    expect(await Signature.sign("secret", body, hash)).toEqual(expected)
    expect(await Signature.isSigned("secret", body, expected, hash)).toBe(true)
  })

  test("of other bytes, under another or an empty secret proves nothing", async () => {
    const signature = await Signature.sign("secret", body)
    expect(await Signature.isSigned("secret", new TextEncoder().encode(`{"a":2}`), signature)).toBe(false)
    expect(await Signature.isSigned("other", body, signature)).toBe(false)
    expect(await Signature.isSigned("secret", body, signature.slice(0, 8))).toBe(false)
    const empty = new Uint8Array(createHmac("sha256", "").update(body).digest())
    expect(await Signature.isSigned("", body, empty)).toBe(false)
    await expect(Signature.sign("", body)).rejects.toThrow(/secret is empty/)
  })
})
