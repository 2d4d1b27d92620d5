import { createHash } from "node:crypto"
import * as Base32 from "./Base32.ts"
import { isSigned, macLength, sign } from "./Mac.ts"

/** Longer ids are not written by mail programs; platform ids of deliveries end at 512. */
const limit = 500

/** Every id in an In-Reply-To, References or Message-ID header, as `<left@right>`, in order and without repeats. */
export const fromHeader = (text: string): ReadonlyArray<string> => {
  const found = text.match(/<[^<>\s\p{Cc}]{1,1000}>/gu) ?? []
  return [...new Set(found.filter((id) => id.length <= limit))]
}

/** The mail's own id; ids without angle brackets are repaired. */
export const fromMessageId = (text: string): string | undefined => {
  const [first] = fromHeader(text)
  if (first !== undefined) return first
  const bare = text.trim()
  return /^[^<>\s\p{Cc}]{1,498}$/u.test(bare) ? `<${bare}>` : undefined
}

/**
 * The id of a mail we send: the same for every attempt at the same thing, and recognisable as ours when it comes back,
 * because it carries a MAC of itself.
 */
export const make = (secret: string, idempotencyKey: string, index: number, domain: string): string => {
  const hash = Base32.encode(
    createHash("sha256")
      .update(JSON.stringify([idempotencyKey, index]))
      .digest()
      .subarray(0, 15)
  )
  return `<${hash}.${sign(secret, "message", hash)}@${domain}>`
}

/** Whether we made this id. */
export const isOwn = (secret: string, id: string): boolean => {
  const [, hash, mac] = /^<([a-z2-7]{24})\.([a-z2-7]{16})@[^@]+>$/.exec(id) ?? []
  return hash !== undefined && mac?.length === macLength && isSigned(secret, mac, "message", hash)
}
