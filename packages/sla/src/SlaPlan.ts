/**
 * The policies and calendars in force, checked against each other.
 *
 * @module
 */
import * as z from "zod"
import { type Calendar, CalendarDefinition, make as makeCalendar } from "./Calendar.ts"
import { type DecodeError, decode } from "./DecodeError.ts"
import type { Facts } from "./Facts.ts"
import { type Result, succeed } from "./Result.ts"
import type { Terms } from "./SlaClock.ts"
import { SlaPolicy } from "./SlaPolicy.ts"
import type { Target } from "./Target.ts"

/**
 * Everything the clocks of a workspace are measured by; {@link make} builds one.
 *
 * **Gotchas** Keep the value: its calendars remember their tables.
 */
export interface SlaPlan {
  readonly policies: ReadonlyArray<SlaPolicy>
  /** By id. */
  readonly calendars: ReadonlyMap<string, Calendar>
}

/** A plan as it is written down: plain JSON. */
export interface SlaPlanDefinition {
  /** In order: the first that matches a conversation applies to it. */
  readonly policies: ReadonlyArray<SlaPolicy>
  readonly calendars: ReadonlyArray<CalendarDefinition>
}

const isUnique = (values: ReadonlyArray<string>): boolean => new Set(values).size === values.length

/** Reads an {@link SlaPlanDefinition}. */
export const SlaPlanDefinition: z.ZodType<SlaPlanDefinition> = z
  .strictObject({
    policies: z
      .array(SlaPolicy)
      .readonly()
      .refine(
        (all) => isUnique(all.map(({ id, version }) => `${id}@${version}`)),
        "expected every version of a policy once"
      ),
    calendars: z
      .array(CalendarDefinition)
      .readonly()
      .refine((all) => isUnique(all.map(({ id }) => id)), "expected calendars with different ids")
  })
  .superRefine(({ policies, calendars }, context) => {
    const known = calendars.map(({ id }) => id)
    for (const [index, { calendar }] of policies.entries())
      if (calendar !== undefined && !known.includes(calendar))
        context.addIssue({
          code: "custom",
          path: ["policies", index, "calendar"],
          message: `expected one of the calendars declared (${known.join(", ")})`
        })
  })

/**
 * Checks policies and calendars together and makes them ready for use.
 *
 * **Fails with** {@link DecodeError} naming the field, such as `policies[0].calendar` when no such calendar is declared.
 */
export const make = (definition: SlaPlanDefinition): Result<SlaPlan, DecodeError> => {
  const decoded = decode("plan", SlaPlanDefinition, definition)
  if (!decoded.ok) return decoded
  const calendars = new Map<string, Calendar>()
  for (const written of decoded.value.calendars) {
    const made = makeCalendar(written)
    if (!made.ok) return made
    calendars.set(written.id, made.value)
  }
  return succeed({ policies: decoded.value.policies, calendars })
}

/** A policy in exactly one version, if the plan has it. */
export const policyOf = (plan: SlaPlan, id: string, version: number): SlaPolicy | undefined =>
  plan.policies.find((policy) => policy.id === id && policy.version === version)

/** What a clock of this target is measured by. */
export const termsOf = (plan: SlaPlan, policy: SlaPolicy, target: Target, facts: Facts): Terms => ({
  target,
  calendar:
    target.time === "elapsed" || policy.calendar === undefined ? null : (plan.calendars.get(policy.calendar) ?? null),
  facts
})
