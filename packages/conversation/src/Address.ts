/**
 * A platform identity of a contact.
 *
 * @module
 */
import * as z from "zod"
import { personal } from "./Personal.ts"

/**
 * The space in which an address is unique: `email`, `phone`, or a platform's own, such as `visitor`. Several channels
 * may share one: a phone number is the same on SMS, WhatsApp and a call.
 */
export const AddressKind = z
  .string()
  .regex(/^[a-z][a-z0-9-]{0,39}$/, "an address kind is lower case, such as email or phone")
export type AddressKind = z.infer<typeof AddressKind>

/** `claimed`: somebody says so. `verified`: a platform or a signature says so; only these join contacts. */
export const AddressState = z.enum(["claimed", "verified"])
export type AddressState = z.infer<typeof AddressState>

/**
 * One identity of a contact.
 *
 * **Shape** `value` is in its channel's normal form (an e-mail address in lower case, a phone number as E.164), so that
 * equal values are the same identity. `label` is what to show, such as a user name; it is never matched.
 */
export const Address = z.object({
  kind: AddressKind,
  value: z.string().min(1).max(512),
  state: AddressState,
  label: z.string().max(256).optional()
})
export type Address = z.infer<typeof Address>

/**
 * The identity as one string, for claims and comparison.
 *
 * **Example**
 *
 * ```ts
 * import { strict as assert } from "node:assert"
 * import { Address } from "@switchboard/conversation"
 *
 * const card: Address.Address = { kind: "email", value: "jo@example.org", state: "verified", label: "Jo" }
 * assert.equal(Address.toKey(card), "email:jo@example.org")
 * assert(Address.isSame(card, { kind: "email", value: "jo@example.org" }))
 * ```
 */
export const toKey = (address: { readonly kind: string; readonly value: string }): string =>
  `${address.kind}:${address.value}`

/** Whether two addresses are the same identity. */
export const isSame = (
  a: { readonly kind: string; readonly value: string },
  b: { readonly kind: string; readonly value: string }
): boolean => a.kind === b.kind && a.value === b.value

/** A list of addresses marked personal; erased it is empty. */
export const Addresses = personal(z.array(Address).max(50), [])
