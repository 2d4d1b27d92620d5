import { createHmac, timingSafeEqual } from "node:crypto"
import * as Base32 from "./Base32.ts"

/** Characters of a MAC: 80 bits in base32. */
export const macLength = 16

/** An HMAC-SHA256 of the fields under the secret, cut to 80 bits: enough against guessing through a mail server. */
export const sign = (secret: string, ...fields: ReadonlyArray<string>): string =>
  Base32.encode(createHmac("sha256", secret).update(JSON.stringify(fields)).digest().subarray(0, 10))

export const isSigned = (secret: string, mac: string, ...fields: ReadonlyArray<string>): boolean => {
  const expected = Buffer.from(sign(secret, ...fields))
  const found = Buffer.from(mac)
  return expected.length === found.length && timingSafeEqual(expected, found)
}
