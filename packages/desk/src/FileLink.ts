/**
 * Links under which a contact's client gets a file: signed, for one attachment, for a while.
 *
 * @module
 */
import { jwtVerify, SignJWT } from "jose"

const issuer = "switchboard"
const audience = "file"

/** How long a link holds; a client that reads its thread again gets fresh ones. **Units** milliseconds. */
export const lifetimeMs = 24 * 3_600_000

/** What a link opens. */
export interface FileLink {
  readonly messageId: string
  readonly attachmentId: string
}

const toKey = (secret: string): Uint8Array => new TextEncoder().encode(`file:${secret}`)

/**
 * A link, relative to where the desk answers.
 *
 * **Example**
 *
 * ```ts
 * import { strict as assert } from "node:assert"
 * import { FileLink } from "@switchboard/desk"
 *
 * const secret = "change me: 32 characters or more"
 * const link = { messageId: "m1", attachmentId: "m1.1" }
 * const path = await FileLink.sign(secret, link, 0)
 * const token = path.slice(FileLink.prefix.length - 1)
 * assert.deepEqual(await FileLink.verify(secret, token, 1000), link)
 * assert.equal(await FileLink.verify(secret, token, FileLink.lifetimeMs + 1000), undefined)
 * ```
 */
export const sign = async (secret: string, link: FileLink, nowMs: number): Promise<string> =>
  `${prefix.slice(1)}${await new SignJWT({ m: link.messageId, a: link.attachmentId })
    .setProtectedHeader({ alg: "HS256" })
    .setIssuer(issuer)
    .setAudience(audience)
    .setExpirationTime(Math.ceil((nowMs + lifetimeMs) / 1000))
    .sign(toKey(secret))}`

/** Where links lead; no channel kind is called `-`. */
export const prefix = "/channels/-/files/"

/** What a link opens; `undefined` when it is forged or over. */
export const verify = async (secret: string, token: string, nowMs: number): Promise<FileLink | undefined> => {
  try {
    const { payload } = await jwtVerify(token, toKey(secret), {
      algorithms: ["HS256"],
      issuer,
      audience,
      currentDate: new Date(nowMs)
    })
    const { m, a } = payload
    return typeof m === "string" && typeof a === "string" ? { messageId: m, attachmentId: a } : undefined
  } catch {
    return undefined
  }
}
