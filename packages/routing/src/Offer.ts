/**
 * A time-limited proposal of one item to one agent: a lease on the agent's capacity and on the item.
 *
 * @module
 */
import * as z from "zod"

/**
 * An open offer.
 *
 * **Units** epoch milliseconds. At `expiresAtMs` it is over: an accept at that very instant is refused.
 */
export const Offer = z.object({
  offerId: z.string(),
  itemId: z.string(),
  agentId: z.string(),
  offeredAtMs: z.int(),
  expiresAtMs: z.int()
})
export type Offer = z.infer<typeof Offer>

/** The name of an item's n-th offer, counted from 1: the same history gives the same names. */
export const toId = (itemId: string, sequence: number): string => `${itemId}.${sequence}`

const zero = "0".charCodeAt(0)

/** The item and sequence an offer's name was made of; undefined for a text that names none. */
export const fromId = (offerId: string): { readonly itemId: string; readonly sequence: number } | undefined => {
  const dot = offerId.lastIndexOf(".")
  const { length } = offerId
  // Read digit by digit: it is done for every answer to an offer.
  if (dot < 1 || length - dot > 16 || offerId.charCodeAt(dot + 1) === zero) return undefined
  let sequence = 0
  for (let at = dot + 1; at < length; at++) {
    const digit = offerId.charCodeAt(at) - zero
    if (!(digit >= 0 && digit <= 9)) return undefined
    sequence = sequence * 10 + digit
  }
  return sequence > 0 ? { itemId: offerId.slice(0, dot), sequence } : undefined
}
