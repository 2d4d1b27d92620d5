/**
 * A visitor's token: who a browser is to us, without cookies and without anything kept on the server.
 *
 * @module
 */
import { createHash } from "node:crypto"
import type { Address } from "@switchboard/conversation"
import * as z from "zod"
import { isMac, mac } from "./internal/Mac.ts"

/**
 * What a token says.
 *
 * **Shape** `account` is the chat account's id. `identity` is what the site has signed about the visitor; `email` in
 * lower case.
 *
 * **Units** `expiresAtMs` in epoch milliseconds, exclusive.
 */
export const WebchatVisitor = z.object({
  visitorId: z.uuid(),
  account: z.string().min(1),
  expiresAtMs: z.number().int(),
  identity: z
    .object({
      id: z.string().optional(),
      email: z.string().optional(),
      phone: z.string().optional(),
      name: z.string().optional()
    })
    .optional()
})
export type WebchatVisitor = z.infer<typeof WebchatVisitor>

const version = "v1"
const signedText = (body: string): string => `switchboard-webchat-visitor.${version}.${body}`

/** A token: version, claims and code, in characters that are safe in a header. */
export const toToken = (visitor: WebchatVisitor, secret: string): string => {
  const body = Buffer.from(JSON.stringify(visitor)).toString("base64url")
  return `${version}.${body}.${mac(secret, signedText(body)).toString("base64url")}`
}

/** The visitor a token stands for, when one of the secrets signed it, for this account, and it has not expired. */
export const fromToken = (
  token: string,
  check: { readonly secrets: ReadonlyArray<string>; readonly account: string; readonly nowMs: number }
): WebchatVisitor | undefined => {
  const [head, body, code, ...rest] = token.split(".")
  if (head !== version || body === undefined || code === undefined || rest.length > 0) return undefined
  const claimed = Buffer.from(code, "base64url")
  if (!check.secrets.some((secret) => isMac(claimed, secret, signedText(body)))) return undefined
  const visitor = WebchatVisitor.safeParse(JSON.parse(Buffer.from(body, "base64url").toString("utf8")))
  return visitor.success && visitor.data.account === check.account && check.nowMs < visitor.data.expiresAtMs
    ? visitor.data
    : undefined
}

/** What tells one signed-in person from another: the most lasting thing the site says. */
export const toSubject = (identity: NonNullable<WebchatVisitor["identity"]>): string =>
  identity.id !== undefined
    ? `id:${identity.id}`
    : identity.email !== undefined
      ? `email:${identity.email}`
      : `phone:${identity.phone ?? ""}`

/**
 * The visitor id of a signed-in person without an earlier token: always the same one, so that they find their thread on
 * every device. Not a secret: only a token opens a thread.
 */
export const toVisitorId = (account: string, subject: string): string => {
  const bytes = createHash("sha256")
    .update(`switchboard-webchat-person.${account}\n${subject}`)
    .digest()
    .subarray(0, 16)
  // RFC 9562 version 8: a UUID of our own making.
  bytes[6] = (bytes[6]! & 0x0f) | 0x80
  bytes[8] = (bytes[8]! & 0x3f) | 0x80
  return bytes.toString("hex").replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5")
}

/** The identities of a visitor, the most lasting first, all verified. `site-id` is the site's own id of the person. */
export const toAddresses = (visitor: WebchatVisitor): ReadonlyArray<Address.Address> => {
  const { id, email, phone } = visitor.identity ?? {}
  const verified = (kind: string, value: string | undefined): ReadonlyArray<Address.Address> =>
    value === undefined ? [] : [{ kind, value, state: "verified" }]
  return [
    ...verified("visitor", visitor.visitorId),
    ...verified("site-id", id === undefined ? undefined : `${visitor.account}:${id}`),
    ...verified("email", email),
    ...verified("phone", phone)
  ]
}
