/**
 * What is known about a conversation and its contact, and conditions over it.
 *
 * @module
 */
import * as z from "zod"

/** Plain facts that policies and durations depend on; the application chooses the words. */
export interface Facts {
  /** The kind of channel, such as `chat` or `email`. */
  readonly channel?: string
  readonly priority?: string
  readonly tags?: ReadonlyArray<string>
  /** Anything else: the contact's plan, the topic, the team, … */
  readonly attributes?: Readonly<Record<string, string | number | boolean>>
}

/**
 * What facts must be for a policy or a duration to apply: every field that is given has to hold; the empty condition
 * always does.
 */
export interface Condition {
  /** The channel is one of these. */
  readonly channel?: ReadonlyArray<string>
  /** The priority is one of these. */
  readonly priority?: ReadonlyArray<string>
  /** At least one of these tags is set. */
  readonly tags?: ReadonlyArray<string>
  /** None of these tags is set. */
  readonly withoutTags?: ReadonlyArray<string>
  /** Each named attribute is one of the values listed for it. */
  readonly attributes?: Readonly<Record<string, ReadonlyArray<string | number | boolean>>>
}

const Text = z.string().min(1)
const Texts = z.array(Text).readonly()
const Value = z.union([z.string(), z.number(), z.boolean()])

/** Reads {@link Facts}. */
export const Facts: z.ZodType<Facts> = z.strictObject({
  channel: z.exactOptional(Text),
  priority: z.exactOptional(Text),
  tags: z.exactOptional(Texts),
  attributes: z.exactOptional(z.record(Text, Value).readonly())
})

/** Reads a {@link Condition}. */
export const Condition: z.ZodType<Condition> = z.strictObject({
  channel: z.exactOptional(Texts),
  priority: z.exactOptional(Texts),
  tags: z.exactOptional(Texts),
  withoutTags: z.exactOptional(Texts),
  attributes: z.exactOptional(z.record(Text, z.array(Value).readonly()).readonly())
})

const includes = <A>(values: ReadonlyArray<A>, value: A | undefined): boolean =>
  value !== undefined && values.includes(value)

/** Whether the facts meet the condition; a fact that is not known meets no list. */
export const matches = (facts: Facts, condition: Condition): boolean => {
  const tags = facts.tags ?? []
  return (
    (condition.channel === undefined || includes(condition.channel, facts.channel)) &&
    (condition.priority === undefined || includes(condition.priority, facts.priority)) &&
    (condition.tags === undefined || condition.tags.some((tag) => tags.includes(tag))) &&
    (condition.withoutTags === undefined || !condition.withoutTags.some((tag) => tags.includes(tag))) &&
    Object.entries(condition.attributes ?? {}).every(([name, values]) => includes(values, facts.attributes?.[name]))
  )
}
