/**
 * Who a visitor is, said and signed by the site's own server.
 *
 * @module
 */
import * as z from "zod"
import { isMac, mac } from "./internal/Mac.ts"

/** One line: control characters could shift a signed value into another field. */
const line = (limit: number) =>
  z
    .string()
    .min(1)
    .max(limit)
    .refine((value) => !/\p{Cc}/u.test(value), { error: "control characters are not allowed" })

/**
 * A signed identity. At least one of `id`, `email` and `phone`.
 *
 * **Shape** `id` is the site's own lasting id of the person; `phone` is E.164, such as `+34600000001`; `signature` is
 * lower-case hex.
 *
 * **Units** `issuedAtMs` in epoch milliseconds.
 */
export const WebchatIdentity = z
  .strictObject({
    id: line(256).optional(),
    email: z.email().max(320).optional(),
    phone: z
      .string()
      .regex(/^\+[1-9]\d{6,14}$/, "a phone number is E.164, such as +34600000001")
      .optional(),
    name: line(256).optional(),
    issuedAtMs: z.number().int(),
    signature: z.string().regex(/^[0-9a-f]{64}$/, "a signature is 64 lower-case hex digits")
  })
  .refine(({ id, email, phone }) => id !== undefined || email !== undefined || phone !== undefined, {
    error: "an identity has an id, an email or a phone"
  })
export type WebchatIdentity = z.infer<typeof WebchatIdentity>

/** What the signature covers. */
export type WebchatIdentityClaims = Omit<WebchatIdentity, "signature">

/**
 * The text that is signed: seven lines, each value as it is sent, nothing after the `=` of an absent one.
 *
 * ```text
 * switchboard-webchat-identity-v1
 * account=<account id>
 * id=
 * email=ana@example.com
 * phone=
 * name=Ana
 * issuedAtMs=1764028800000
 * ```
 */
export const toSignedText = (account: string, claims: WebchatIdentityClaims): string =>
  [
    "switchboard-webchat-identity-v1",
    `account=${account}`,
    `id=${claims.id ?? ""}`,
    `email=${claims.email ?? ""}`,
    `phone=${claims.phone ?? ""}`,
    `name=${claims.name ?? ""}`,
    `issuedAtMs=${claims.issuedAtMs}`
  ].join("\n")

/**
 * Signs who is signed in on a site, for the widget's `identity`. Runs on the site's server: the secret must never reach
 * a browser.
 *
 * **Gotchas** signed for one account. Sign at each page view: the time is checked.
 *
 * **Example**
 *
 * ```ts
 * import { strict as assert } from "node:assert"
 * import { WebchatIdentity } from "@switchboard/channel-webchat"
 *
 * const identity = WebchatIdentity.sign({
 *   secret: "a secret of at least 32 characters",
 *   account: "shop",
 *   email: "ana@example.com",
 *   name: "Ana",
 *   issuedAtMs: 1_764_028_800_000
 * })
 * assert.equal(identity.signature.length, 64)
 * ```
 */
export const sign = ({
  secret,
  account,
  ...claims
}: WebchatIdentityClaims & { readonly secret: string; readonly account: string }): WebchatIdentity => ({
  ...claims,
  signature: mac(secret, toSignedText(account, claims)).toString("hex")
})

/** Why an identity was not believed. */
export type WebchatIdentityRefusal = "signature" | "time"

/** Checks a signature and its time; `undefined` when the identity can be believed. */
export const whyRefused = (
  { signature, ...claims }: WebchatIdentity,
  check: { readonly secret: string; readonly account: string; readonly nowMs: number; readonly windowMs: number }
): WebchatIdentityRefusal | undefined => {
  if (!isMac(Buffer.from(signature, "hex"), check.secret, toSignedText(check.account, claims))) return "signature"
  return Math.abs(check.nowMs - claims.issuedAtMs) > check.windowMs ? "time" : undefined
}
