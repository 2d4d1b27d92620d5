/**
 * The facts by which a number can be split: channel, account, team, agent, priority, and your own.
 *
 * @module
 */
import { z } from "zod"

/**
 * What was true of a conversation at the moment something happened to it.
 *
 * **Shape** a flat record of strings. The named ones are what a desk knows; any other name (`language`, `brand`) is
 * carried too and can be used by a measure that lists it. `target` and `author` are added by the fold.
 *
 * **Gotchas** every value is a line in every hour's bucket: use ids and short codes, never free text, and nothing that
 * identifies the contact.
 */
export interface Dimensions {
  /** The kind of channel the conversation is on. */
  readonly channelKind?: string
  /** The connected address it came in through. */
  readonly accountId?: string
  /** The team that holds it. */
  readonly teamId?: string
  /** The agent that holds it, or, on a reply or an offer, the agent it is about. */
  readonly agentId?: string
  /** Its priority. */
  readonly priority?: string
  /** The promised target a completed SLA clock measured. */
  readonly target?: string
  /** Who wrote a sent message: `agent` or `bot`. */
  readonly author?: string
  readonly [name: string]: string | undefined
}

/** The Zod schema of {@link Dimensions}. */
export const schema: z.ZodType<Dimensions> = z.record(z.string().min(1), z.string())

/**
 * Keeps the named dimensions, in the order of the names; what isn't known is left out.
 *
 * **Example**
 * ```ts
 * import { strict as assert } from "node:assert"
 * import { Dimensions } from "@switchboard/metrics"
 *
 * const known = { priority: "high", channelKind: "email", agentId: "a1" }
 * assert.deepEqual(Dimensions.pick(known, ["channelKind", "teamId"]), { channelKind: "email" })
 * ```
 */
export const pick = (dimensions: Dimensions, names: ReadonlyArray<string>): Dimensions => {
  const picked: Record<string, string> = {}
  for (const name of names) {
    const value = dimensions[name]
    if (value !== undefined) picked[name] = value
  }
  return picked
}

/** A string that is equal for equal dimensions, whatever order they were written in. */
export const toKey = (dimensions: Dimensions): string => {
  // Written out, since it runs for every sample: pairs and a comparator cost a third more and leave more to collect.
  let key = ""
  for (const name of Object.keys(dimensions).sort()) {
    const value = dimensions[name]
    if (value !== undefined) key += `${JSON.stringify(name)}:${JSON.stringify(value)},`
  }
  return key
}

/** Whether the dimensions have, for every name in the filter, one of the accepted values. */
export const matches = (dimensions: Dimensions, filter: DimensionsFilter): boolean =>
  Object.entries(filter).every(([name, accepted]) => {
    const value = dimensions[name]
    return value !== undefined && accepted.includes(value)
  })

/** Which values of which dimensions to keep: all names must match, by any of their values. */
export type DimensionsFilter = Readonly<Record<string, ReadonlyArray<string>>>
