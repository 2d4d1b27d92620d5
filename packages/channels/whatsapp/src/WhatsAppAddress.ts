/**
 * How WhatsApp names people: by phone number, by business-scoped user id, or by both.
 *
 * A person who took a user name may hide the phone number, so that only the id is there. The user name itself is a
 * label: people change it.
 *
 * **Source** https://developers.facebook.com/documentation/business-messaging/whatsapp/business-scoped-user-ids
 *
 * @module
 */
import type { Inbound } from "@switchboard/channel"
import type { Address, Delivery } from "@switchboard/conversation"
import { type CountryCode, parsePhoneNumberFromString } from "libphonenumber-js/min"

/** The address kind of a business-scoped user id, such as `US.13491208655302741918`; parent ids are of the same kind. */
export const userIdKind = "whatsapp"

/** The address kind of a phone number, shared with every other channel that knows people by theirs. */
export const phoneKind = "phone"

/** Numbers that come again and again are read once: reading one takes longer than the rest of a message. */
const remembered = new Map<string, string | undefined>()
const rememberedLimit = 10_000

const read = (text: string, country: CountryCode | undefined): string | undefined => {
  const parsed = parsePhoneNumberFromString(text, country)
  // A number that no plan knows stays as it is written, if it is written with its country.
  const digits =
    parsed?.isValid() === true
      ? parsed.number.slice(1)
      : /^\s*\+([\d\s()./-]{5,30})$/.exec(text)?.[1]?.replaceAll(/\D/g, "")
  if (digits === undefined || !/^\d{5,15}$/.test(digits)) return undefined
  // Mexico gave up the 1 before mobile numbers in 2019, WhatsApp keeps it for those who had it.
  if (/^521\d{10}$/.test(digits)) return `+52${digits.slice(3)}`
  // Brazil put a 9 before mobile numbers (they begin with 6 to 9), WhatsApp leaves it out for those who had none.
  if (/^55[1-9]{2}[6-9]\d{7}$/.test(digits)) return `+${digits.slice(0, 4)}9${digits.slice(4)}`
  return `+${digits}`
}

/**
 * A phone number in its normal form, E.164, under which the same person's number from elsewhere is found again.
 *
 * **Shape** `country` is where a number without a country code belongs, as ISO 3166. WhatsApp's own ids are numbers
 * with a country code and may lack the plus: write it before them.
 *
 * **Fails with** `undefined` when it is no number.
 *
 * **Gotchas** WhatsApp's ids differ from the dialled numbers in Brazil (a 9 is missing), Mexico (a 1 too many) and, as
 * people write them, in Argentina (15 inside instead of 9 in front): all get the form that is dialled from abroad.
 *
 * **Example**
 *
 * ```ts
 * import { strict as assert } from "node:assert"
 * import { WhatsAppAddress } from "@switchboard/channel-whatsapp"
 *
 * assert.equal(WhatsAppAddress.fromPhone("+559281723241"), "+5592981723241")
 * assert.equal(WhatsAppAddress.fromPhone("+5215512345678"), "+525512345678")
 * assert.equal(WhatsAppAddress.fromPhone("011 15 5874-9895", "AR"), "+5491158749895")
 * assert.equal(WhatsAppAddress.fromPhone("Ana"), undefined)
 * ```
 */
export const fromPhone = (text: string, country?: CountryCode): string | undefined => {
  const key = country === undefined ? text : `${country} ${text}`
  if (remembered.has(key)) return remembered.get(key)
  const phone = text.length > 64 ? undefined : read(text, country)
  if (remembered.size >= rememberedLimit) remembered.clear()
  remembered.set(key, phone)
  return phone
}

/** Whether a text has the form of a business-scoped user id, its own or a parent's: a country, a dot, letters and digits. */
export const isUserId = (text: string): boolean => /^[A-Z]{2}\.(ENT\.)?[A-Za-z0-9]{1,128}$/.test(text)

/** What a webhook says of a person. `waId` is a phone number without its plus. */
export interface WhatsAppIdentity {
  readonly waId?: string | undefined
  readonly userId?: string | undefined
  readonly parentUserId?: string | undefined
  readonly username?: string | undefined
  readonly name?: string | undefined
}

/** The address behind a `wa_id`, a `from` or a `to`: a phone number, or a user id where WhatsApp gives that instead. */
export const fromWaId = (waId: string): Delivery.Recipient | undefined => {
  if (isUserId(waId)) return { kind: userIdKind, value: waId }
  const phone = /^\+?\d+$/.test(waId) ? fromPhone(waId.startsWith("+") ? waId : `+${waId}`) : undefined
  return phone === undefined ? undefined : { kind: phoneKind, value: phone }
}

const fits = (text: string | undefined, limit: number): string | undefined =>
  text === undefined || text.trim() === "" ? undefined : text.slice(0, limit).toWellFormed()

/**
 * A person as the sender of an entry: the phone number first, then the user id, then the parent id, all verified by
 * WhatsApp. `undefined` when none of them is there.
 */
export const toSender = (identity: WhatsAppIdentity): Inbound.Sender | undefined => {
  const label = fits(identity.username, 200)
  const addresses: Array<Address.Address> = []
  const add = (found: Delivery.Recipient | undefined): void => {
    if (found === undefined || addresses.some(({ value }) => value === found.value)) return
    const labelled = found.kind === userIdKind && label !== undefined ? { label: `@${label}` } : {}
    addresses.push({ ...found, state: "verified", ...labelled })
  }
  if (identity.waId !== undefined) add(fromWaId(identity.waId))
  for (const id of [identity.userId, identity.parentUserId])
    if (id !== undefined && isUserId(id)) add({ kind: userIdKind, value: id })
  if (addresses.length === 0) return undefined
  const name = fits(identity.name, 256)
  return { addresses, ...(name === undefined ? {} : { name }) }
}

/**
 * Where a person's exchange belongs. Its key is the user id where there is one, because a phone number may be hidden
 * in the next message; an answer goes to the phone number where there is one.
 */
export const toThread = ({ addresses }: Inbound.Sender): Inbound.InboundThread => {
  const [first] = addresses as [Address.Address, ...Array<Address.Address>]
  const lasting = addresses.find(({ kind }) => kind === userIdKind) ?? first
  return { key: lasting.value, audience: "private", replyTo: [{ kind: first.kind, value: first.value }] }
}

/** How a request names the recipient: `to` takes phone numbers, `recipient` user ids. `undefined` when it is neither. */
export const toDestination = ({
  kind,
  value
}: Delivery.Recipient): { readonly to: string } | { readonly recipient: string } | undefined => {
  if (kind === userIdKind) return isUserId(value) ? { recipient: value } : undefined
  return kind === phoneKind && /^\+\d{5,15}$/.test(value) ? { to: value.slice(1) } : undefined
}
