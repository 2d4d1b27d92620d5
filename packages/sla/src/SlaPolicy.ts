/**
 * What is promised to which conversations.
 *
 * @module
 */
import * as z from "zod"
import { type DecodeError, decode } from "./DecodeError.ts"
import { Condition, type Facts, matches } from "./Facts.ts"
import type { Result } from "./Result.ts"
import { Kind } from "./SlaSignal.ts"
import { Target } from "./Target.ts"

/**
 * A set of targets for the conversations that meet a condition.
 *
 * **Gotchas** Raise `version` with every change and keep the old version in the list while conversations run under it:
 * they go on as promised. Without it they move to whatever policy their facts select.
 */
export interface SlaPolicy {
  readonly id: string
  /** A whole number from 1 on. */
  readonly version: number
  readonly name?: string
  /** When the policy applies; always, when absent. */
  readonly when?: Condition
  /** The id of the calendar whose time is counted; needed by every target that counts business time. */
  readonly calendar?: string
  readonly targets: ReadonlyArray<Target>
  /**
   * Signals after which policies are selected anew for a conversation under this one; `["factsChanged"]` when absent, an
   * empty list keeps a conversation where it is.
   */
  readonly reselects?: ReadonlyArray<Kind>
}

/** Reads an {@link SlaPolicy}. */
export const SlaPolicy: z.ZodType<SlaPolicy> = z
  .strictObject({
    id: z.string().min(1),
    version: z.int().positive(),
    name: z.exactOptional(z.string()),
    when: z.exactOptional(Condition),
    calendar: z.exactOptional(z.string().min(1)),
    targets: z
      .array(Target)
      .min(1)
      .readonly()
      .refine((all) => new Set(all.map(({ id }) => id)).size === all.length, "expected targets with different ids"),
    reselects: z.exactOptional(z.array(Kind).readonly())
  })
  .refine(({ calendar, targets }) => calendar !== undefined || targets.every(({ time }) => time === "elapsed"), {
    path: ["calendar"],
    error: `expected the id of a calendar, because a target counts business time`
  })

/**
 * Checks a policy.
 *
 * **Fails with** {@link DecodeError} naming the field: an unknown signal, two targets of one id, a duration that is not
 * positive, business time without a calendar.
 */
export const make = (policy: SlaPolicy): Result<SlaPolicy, DecodeError> => decode("policy", SlaPolicy, policy)

/**
 * The first policy in the list whose condition the facts meet, in its newest version.
 *
 * **Example**
 * ```ts
 * import { strict as assert } from "node:assert"
 * import { SlaPolicy, Target } from "@switchboard/sla"
 *
 * const targets = [Target.firstReply({ durationMs: 60_000, time: "elapsed" })]
 * const policies = [
 *   { id: "chat", version: 1, when: { channel: ["chat"] }, targets },
 *   { id: "everything-else", version: 1, targets }
 * ]
 * assert.equal(SlaPolicy.select(policies, { channel: "chat" })?.id, "chat")
 * assert.equal(SlaPolicy.select(policies, { channel: "email" })?.id, "everything-else")
 * ```
 */
export const select = (policies: ReadonlyArray<SlaPolicy>, facts: Facts): SlaPolicy | undefined =>
  policies.find(
    (policy) =>
      matches(facts, policy.when ?? {}) &&
      !policies.some(({ id, version }) => id === policy.id && version > policy.version)
  )
