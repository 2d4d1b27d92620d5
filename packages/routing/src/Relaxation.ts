/**
 * What an item asks of an agent as it grows older: a table of "after this age, this requirement".
 *
 * **Example**
 *
 * ```ts
 * import { strict as assert } from "node:assert"
 * import { Relaxation, Requirement } from "@switchboard/routing"
 *
 * const { skill, anyone } = Requirement
 * const table: Relaxation.Relaxation = [
 *   { afterMs: 30_000, requirement: skill("billing", 1) },
 *   { afterMs: 90_000, requirement: anyone }
 * ]
 * const asksFor = (ageMs: number) => Relaxation.requirementAt(skill("billing", 4), table, Relaxation.stepAt(table, ageMs))
 * assert.deepEqual(asksFor(29_999), skill("billing", 4))
 * assert.deepEqual(asksFor(30_000), skill("billing", 1))
 * assert.deepEqual(asksFor(90_000), anyone)
 * ```
 *
 * @module
 */
import * as z from "zod"
import type { InputError } from "./InputError.ts"
import { decodeWith } from "./internal/decodeWith.ts"
import { Requirement } from "./Requirement.ts"
import type { Result } from "./Result.ts"

/**
 * One row of the table: from this age on, this requirement, in place of the one before.
 *
 * **Shape** with `skipIf: "nobodyOnDuty"` the row is passed over, at once or as soon as it becomes so, when nobody who
 * meets it is available or busy on the item's channel kind, or all of those have just turned the item down. The last row
 * is never passed over: nothing follows it.
 *
 * **Units** `afterMs`: milliseconds of age, inclusive. Age counts from the item's `arrivedAtMs`, whatever happened since.
 *
 * **Gotchas** the later rows keep their ages when one is passed over.
 */
export const Step = z.strictObject({
  afterMs: z.int().min(0).max(31_536_000_000),
  requirement: Requirement,
  skipIf: z.literal("nobodyOnDuty").exactOptional()
})
export type Step = z.infer<typeof Step>

/**
 * A table of steps, ages rising.
 *
 * **Shape** before the first row the queue's or item's `requirement` holds; a first row at age 0 replaces it from the start.
 */
export const Relaxation = z
  .array(Step)
  .max(100)
  .readonly()
  .superRefine((table, context) => {
    const at = table.findIndex((step, index) => index > 0 && step.afterMs <= table[index - 1]!.afterMs)
    if (at > 0)
      context.addIssue({
        code: "custom",
        path: [at, "afterMs"],
        message: "expected a later age than the row before it"
      })
  })
export type Relaxation = z.infer<typeof Relaxation>

/** Reads a table from outside. **Fails with** an `InputError` that names the field. */
export const decode: (input: unknown) => Result<Relaxation, InputError> = decodeWith("A relaxation", Relaxation)

/** How many rows of the table have come into force at this age: 0 before the first. */
export const stepAt = (table: Relaxation, ageMs: number): number => {
  let step = 0
  while (step < table.length && table[step]!.afterMs <= ageMs) step++
  return step
}

/** What is asked when so many rows have come into force; `requirement` before the first. */
export const requirementAt = (requirement: Requirement, table: Relaxation, step: number): Requirement =>
  table[step - 1]?.requirement ?? requirement
