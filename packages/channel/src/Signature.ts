/**
 * Proving that input comes from the platform: comparison in constant time, strict decoding, freshness both ways.
 *
 * @module
 */

/**
 * Whether two byte strings are the same, in a time that depends on their lengths only.
 *
 * **Gotchas** Two empty strings are not equal here: an empty digest or secret proves nothing.
 *
 * **Example**
 *
 * ```ts
 * import { strict as assert } from "node:assert"
 * import { Signature } from "@switchboard/channel"
 *
 * const digest = new Uint8Array([1, 2, 3])
 * assert.equal(Signature.isEqual(digest, new Uint8Array([1, 2, 3])), true)
 * assert.equal(Signature.isEqual(digest, new Uint8Array([1, 2, 4])), false)
 * assert.equal(Signature.isEqual(new Uint8Array(), new Uint8Array()), false)
 * ```
 */
export const isEqual = (a: Uint8Array, b: Uint8Array): boolean => {
  if (a.length !== b.length || a.length === 0) return false
  let difference = 0
  for (let index = 0; index < a.length; index++) difference |= a[index]! ^ b[index]!
  return difference === 0
}

/** Whether a moment lies within the window around now, in the past or in the future: a replay and a forged clock are both refused. */
export const isFresh = (timestampMs: number, nowMs: number, windowMs: number): boolean =>
  Number.isFinite(timestampMs) && Math.abs(nowMs - timestampMs) <= windowMs

/** The bytes of a hexadecimal string of either case; `undefined` when it is none. */
export const fromHex = (text: string): Uint8Array | undefined => {
  if (text.length % 2 !== 0 || !/^[0-9a-fA-F]*$/.test(text)) return undefined
  return Uint8Array.from({ length: text.length / 2 }, (_, index) =>
    Number.parseInt(text.slice(index * 2, index * 2 + 2), 16)
  )
}

/** The bytes of a base64 or base64url string, padded or not; `undefined` when it is none. */
export const fromBase64 = (text: string): Uint8Array | undefined => {
  const bare = text.replace(/={1,2}$/, "")
  if (bare.length % 4 === 1 || !/^[A-Za-z0-9+/_-]*$/.test(bare)) return undefined
  const binary = atob(bare.replaceAll("-", "+").replaceAll("_", "/"))
  return Uint8Array.from(binary, (character) => character.charCodeAt(0))
}

/** The hash functions that platforms sign with. */
export type Hash = "SHA-1" | "SHA-256" | "SHA-512"

const key = (secret: string, hash: Hash) =>
  crypto.subtle.importKey("raw", new TextEncoder().encode(secret), { name: "HMAC", hash }, false, ["sign"])

/**
 * The HMAC of some bytes under a secret.
 *
 * **Fails with** a rejection when the secret is empty.
 */
export const sign = async (secret: string, bytes: Uint8Array, hash: Hash = "SHA-256"): Promise<Uint8Array> => {
  if (secret === "") throw new RangeError("The secret is empty: give the one the platform shows you.")
  return new Uint8Array(await crypto.subtle.sign("HMAC", await key(secret, hash), bytes as Uint8Array<ArrayBuffer>))
}

/**
 * Whether a signature is the HMAC of these very bytes, compared in constant time. An empty secret proves nothing.
 *
 * **Example**
 *
 * ```ts
 * import { strict as assert } from "node:assert"
 * import { Signature } from "@switchboard/channel"
 *
 * const body = new TextEncoder().encode(`{"text":"Hello"}`)
 * const signature = await Signature.sign("secret", body)
 * assert.equal(await Signature.isSigned("secret", body, signature), true)
 * assert.equal(await Signature.isSigned("another", body, signature), false)
 * ```
 */
export const isSigned = async (
  secret: string,
  bytes: Uint8Array,
  signature: Uint8Array,
  hash: Hash = "SHA-256"
): Promise<boolean> => secret !== "" && isEqual(await sign(secret, bytes, hash), signature)
