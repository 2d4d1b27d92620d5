/**
 * E-mail addresses in one normal form, so that equal texts are the same mailbox.
 *
 * @module
 */
import { domainToASCII } from "node:url"

const local = /^[^\s\p{Cc}<>()[\]\\,;:@"]{1,128}$/u
const domain = /^(?!-)[a-z0-9-]{1,63}(?:\.[a-z0-9-]{1,63}){0,20}$/

/**
 * The normal form of an address: lower case, the domain in ASCII; `undefined` when the text is no address.
 *
 * **Gotchas** Quoted local parts (`"a b"@…`) and address literals (`a@[192.0.2.1]`) are not taken: nobody's mailbox is
 * called that, and header injections are.
 *
 * **Example**
 *
 * ```ts
 * import { strict as assert } from "node:assert"
 * import { EmailAddress } from "@switchboard/channel-email"
 *
 * assert.equal(EmailAddress.fromText("<Ana@Example.COM>"), "ana@example.com")
 * assert.equal(EmailAddress.fromText("info@münchen.example"), "info@xn--mnchen-3ya.example")
 * assert.equal(EmailAddress.fromText("ana@example.com\r\nBcc: eve@example.net"), undefined)
 * ```
 */
export const fromText = (text: string): string | undefined => {
  if (text.length > 400) return undefined
  const bare = text.trim().replace(/^<(.*)>$/, "$1")
  const at = bare.lastIndexOf("@")
  if (at < 1) return undefined
  const name = bare.slice(0, at).normalize("NFC").toLowerCase()
  const written = bare.slice(at + 1).toLowerCase()
  const host = /^[\x20-\x7e]*$/.test(written) ? written : domainToASCII(written)
  return local.test(name) && domain.test(host) ? `${name}@${host}` : undefined
}

/** The domain of an address in its normal form. */
export const toDomain = (address: string): string => address.slice(address.lastIndexOf("@") + 1)

/** The part before the domain. */
export const toLocalPart = (address: string): string => address.slice(0, address.lastIndexOf("@"))

/**
 * What stands behind the `+` of a sub-address of `base`: empty for `base` itself, `undefined` when it is another mailbox.
 *
 * **Example**
 *
 * ```ts
 * import { strict as assert } from "node:assert"
 * import { EmailAddress } from "@switchboard/channel-email"
 *
 * assert.equal(EmailAddress.toSubaddress("help+abc@example.com", "help@example.com"), "abc")
 * assert.equal(EmailAddress.toSubaddress("help@example.com", "help@example.com"), "")
 * assert.equal(EmailAddress.toSubaddress("sales@example.com", "help@example.com"), undefined)
 * ```
 */
export const toSubaddress = (address: string, base: string): string | undefined => {
  if (address === base) return ""
  if (toDomain(address) !== toDomain(base)) return undefined
  const prefix = `${toLocalPart(base)}+`
  return address.startsWith(prefix) ? toLocalPart(address).slice(prefix.length) : undefined
}
