/**
 * The address that answers go to: `help+<token>@example.com`, where the token names a thread and proves that we wrote it.
 *
 * @module
 */
import { toDomain, toLocalPart, toSubaddress } from "./EmailAddress.ts"
import * as Base32 from "./internal/Base32.ts"
import { isSigned, macLength, sign } from "./internal/Mac.ts"

// RFC 5321 4.5.3.1.1: longer local parts are refused by some servers.
const localPartLimit = 64

const packable = /^([0-9a-f]{8})-([0-9a-f]{4})-([0-9a-f]{4})-([0-9a-f]{4})-([0-9a-f]{12})\.([1-9]\d?)$/

/** A desk's own ids, a UUID and a small number, take 17 bytes instead of 38 characters. */
const pack = (threadId: string): string | undefined => {
  const found = packable.exec(threadId)
  if (!found) return undefined
  const hex = found.slice(1, 6).join("")
  return Base32.encode(Uint8Array.from([...Buffer.from(hex, "hex"), Number(found[6])]))
}

const unpack = (bytes: Uint8Array): string => {
  const hex = Buffer.from(bytes.subarray(0, 16)).toString("hex")
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}.${bytes[16]}`
}

const toBody = (threadId: string): string => {
  const packed = pack(threadId)
  if (packed !== undefined) return `u${packed}`
  return /^[a-z0-9-]+$/.test(threadId) ? `i${threadId}` : `x${Base32.encode(new TextEncoder().encode(threadId))}`
}

/**
 * The address of a thread on an account: the account's own when the token would not fit into an address.
 *
 * **Shape** The token is the thread id (as it is when it is made of lower-case letters, digits and dashes, packed when it
 * is a UUID with a number, in base32 otherwise), followed by an HMAC-SHA256 of account and id, cut to 80 bits. Mail systems may change the case of it.
 *
 * **Gotchas** A local part has 64 characters: a packed id leaves 17 to the account's own name, another id of up to 39
 * fits an account named `support`.
 *
 * **Example**
 *
 * ```ts
 * import { strict as assert } from "node:assert"
 * import { EmailThreadToken } from "@switchboard/channel-email"
 *
 * const secret = "a long random secret"
 * const address = EmailThreadToken.toAddress(secret, "help@example.com", "thread-1")
 * assert.match(address, /^help\+ithread-1[a-z2-7]{16}@example\.com$/)
 * assert.equal(EmailThreadToken.fromAddress(secret, "help@example.com", address), "thread-1")
 * assert.equal(EmailThreadToken.fromAddress("another secret", "help@example.com", address), undefined)
 * ```
 */
export const toAddress = (secret: string, account: string, threadId: string): string => {
  const body = toBody(threadId)
  const local = `${toLocalPart(account)}+${body}${sign(secret, "thread", account, body)}`
  return local.length > localPartLimit ? account : `${local}@${toDomain(account)}`
}

/** The thread that an address of the account names; `undefined` when it names none or was not made with this secret. */
export const fromAddress = (secret: string, account: string, address: string): string | undefined => {
  const token = toSubaddress(address.toLowerCase(), account)
  if (token === undefined || token.length <= macLength + 1) return undefined
  const body = token.slice(0, -macLength)
  if (!isSigned(secret, token.slice(-macLength), "thread", account, body)) return undefined
  if (body.startsWith("i")) return body.slice(1)
  const bytes = /^[ux]/.test(body) ? Base32.decode(body.slice(1)) : undefined
  if (bytes === undefined) return undefined
  if (body.startsWith("x")) return new TextDecoder().decode(bytes)
  return bytes.length === 17 ? unpack(bytes) : undefined
}
