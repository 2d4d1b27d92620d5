/**
 * One measurable promise: how long, in which time, and which signals start, stop, pause and end it.
 *
 * The presets {@link firstReply}, {@link nextReply} and {@link resolution} are made of the same parts that are open to
 * everybody, so a target of your own is one more object literal.
 *
 * @module
 */
import * as z from "zod"
import { Escalation } from "./Escalation.ts"
import { Condition, type Facts, matches } from "./Facts.ts"
import { Kind } from "./SlaSignal.ts"
import { Threshold } from "./Threshold.ts"

/** A reason to stand still: from the first of these signals until the first of those. Several may hold at once. */
export interface Pause {
  readonly from: ReadonlyArray<Kind>
  readonly until: ReadonlyArray<Kind>
}

/** Another duration for some conversations; the first that matches counts. */
export interface DurationOverride {
  readonly when: Condition
  /** Whole milliseconds, at least 1. */
  readonly durationMs: number
}

/** One measurable promise. */
export interface Target {
  /** Unique within its policy, such as `first-reply`. */
  readonly id: string
  readonly name?: string
  /** Whole milliseconds, at least 1. */
  readonly durationMs: number
  readonly overrides?: ReadonlyArray<DurationOverride>
  /**
   * Whether the duration follows the facts as they change (`current`, the default) or stays what it was when the clock
   * started (`start`).
   */
  readonly durationFrom?: "current" | "start"
  /** `business` (the default) counts the policy's calendar, `elapsed` counts every millisecond. */
  readonly time?: "business" | "elapsed"
  readonly starts: ReadonlyArray<Kind>
  /** When given, a start counts only after one of these has been seen in the conversation. */
  readonly after?: ReadonlyArray<Kind>
  /** Signals that set a running clock back to nothing counted; a breach stays. */
  readonly restarts?: ReadonlyArray<Kind>
  readonly pauses?: ReadonlyArray<Pause>
  readonly fulfils: ReadonlyArray<Kind>
  /** Signals that end the measurement without a result. */
  readonly cancels?: ReadonlyArray<Kind>
  /** Whether a start after fulfilment begins a new cycle; otherwise the promise is for once. `false` when absent. */
  readonly repeats?: boolean
  /** Only `share` below 1 and `beforeMs`. */
  readonly warnings?: ReadonlyArray<Threshold>
  readonly escalations?: ReadonlyArray<Escalation>
}

const Duration = z.int().positive()
const Kinds = z.array(Kind).readonly()
const SomeKinds = z.array(Kind).min(1).readonly()

const isUnique = (values: ReadonlyArray<string>): boolean => new Set(values).size === values.length

/** Reads a {@link Target}. */
export const Target: z.ZodType<Target> = z.strictObject({
  id: z.string().min(1),
  name: z.exactOptional(z.string()),
  durationMs: Duration,
  overrides: z.exactOptional(z.array(z.strictObject({ when: Condition, durationMs: Duration })).readonly()),
  durationFrom: z.exactOptional(z.enum(["current", "start"])),
  time: z.exactOptional(z.enum(["business", "elapsed"])),
  starts: SomeKinds,
  after: z.exactOptional(SomeKinds),
  restarts: z.exactOptional(Kinds),
  pauses: z.exactOptional(z.array(z.strictObject({ from: SomeKinds, until: SomeKinds })).readonly()),
  fulfils: SomeKinds,
  cancels: z.exactOptional(Kinds),
  repeats: z.exactOptional(z.boolean()),
  warnings: z.exactOptional(
    z
      .array(
        Threshold.refine(
          (warning) => !("afterMs" in warning) && !("share" in warning && warning.share >= 1),
          "expected a warning before the due time: { share } below 1 or { beforeMs }"
        )
      )
      .readonly()
  ),
  escalations: z.exactOptional(
    z
      .array(Escalation)
      .readonly()
      .refine((all) => isUnique(all.map(({ id }) => id)), "expected escalations with different ids")
  )
})

/**
 * The duration promised under these facts.
 *
 * **Units** Milliseconds of the target's own time.
 */
export const durationOf = (target: Target, facts: Facts): number =>
  target.overrides?.find(({ when }) => matches(facts, when))?.durationMs ?? target.durationMs

/** What the presets have in common: the duration, and everything of a {@link Target} that signals don't decide. */
export interface PresetOptions
  extends Pick<Target, "name" | "durationMs" | "overrides" | "durationFrom" | "time" | "warnings" | "escalations"> {
  /** The preset's name when absent. */
  readonly id?: string
  /**
   * What a bot means to the promise. `ignored` (the default): its replies don't answer and its control changes nothing.
   * `counts`: its reply is as good as an agent's. `pauses`: the clock stands still while a bot has control.
   */
  readonly bot?: "ignored" | "counts" | "pauses"
}

const botPause = { from: ["botTookOver"], until: ["handedOff", "agentReply", "resolved", "closed"] } as const

const common = <O extends PresetOptions>({ id, bot, ...rest }: O, name: string) => {
  const replies: ReadonlyArray<Kind> = bot === "counts" ? ["agentReply", "botReply"] : ["agentReply"]
  const pauses: ReadonlyArray<Pause> = bot === "pauses" ? [botPause] : []
  return { id: id ?? name, rest, replies, pauses }
}

/** Options of {@link firstReply}. */
export interface FirstReplyOptions extends PresetOptions {
  /**
   * `contactMessage` (the default): the clock starts when the contact first writes, so a conversation that an agent
   * began owes no first reply. `opened`: it starts when the conversation does. `handedOff`: it starts when a bot gives
   * control up.
   */
  readonly startsAt?: "contactMessage" | "opened" | "handedOff"
  /**
   * A conversation that is resolved without a reply: `cancel` (the default) ends the measurement, `fulfil` takes
   * resolving for the answer, `run` goes on until somebody replies.
   */
  readonly resolvedWithoutReply?: "cancel" | "fulfil" | "run"
}

/**
 * The time until a person first answers, once per conversation.
 *
 * **Example**
 * ```ts
 * import { strict as assert } from "node:assert"
 * import { Target } from "@switchboard/sla"
 *
 * const target = Target.firstReply({
 *   durationMs: 4 * 3_600_000,
 *   overrides: [{ when: { priority: ["urgent"] }, durationMs: 30 * 60_000 }],
 *   warnings: [{ share: 0.8 }]
 * })
 * assert.equal(Target.durationOf(target, { priority: "urgent" }), 1_800_000)
 * assert.deepEqual(target.fulfils, ["agentReply"])
 * ```
 */
export const firstReply = (options: FirstReplyOptions): Target => {
  const { startsAt, resolvedWithoutReply, ...preset } = options
  const { id, rest, replies, pauses } = common(preset, "first-reply")
  return {
    ...rest,
    id,
    starts: [startsAt ?? "contactMessage"],
    pauses,
    fulfils: resolvedWithoutReply === "fulfil" ? [...replies, "resolved", "closed"] : replies,
    cancels: resolvedWithoutReply === undefined || resolvedWithoutReply === "cancel" ? ["resolved", "closed"] : []
  }
}

/** Options of {@link nextReply}. */
export interface NextReplyOptions extends PresetOptions {
  /**
   * Of several messages without an answer, the one that time is counted from: the `oldest` (the default), or the
   * `newest`, which gives the team all its time again with each message.
   */
  readonly measuredFrom?: "oldest" | "newest"
}

/** The time until each later message of the contact is answered, counted once the first reply was given. */
export const nextReply = (options: NextReplyOptions): Target => {
  const { measuredFrom, ...preset } = options
  const { id, rest, replies, pauses } = common(preset, "next-reply")
  return {
    ...rest,
    id,
    starts: ["contactMessage"],
    after: replies,
    restarts: measuredFrom === "newest" ? ["contactMessage"] : [],
    pauses,
    fulfils: replies,
    cancels: ["resolved", "closed"],
    repeats: true
  }
}

/** Options of {@link resolution}. */
export interface ResolutionOptions extends Omit<PresetOptions, "bot"> {
  /** As in {@link PresetOptions}; a bot that resolves always fulfils the promise. */
  readonly bot?: "ignored" | "pauses"
  /** The statuses in which the clock stands still; both when absent. */
  readonly pausedWhile?: ReadonlyArray<"pending" | "snoozed">
  /** Whether reopening begins a `newCycle` (the default) or the promise was for the first resolution only (`ignore`). */
  readonly reopened?: "newCycle" | "ignore"
}

/** The time until the conversation is resolved. */
export const resolution = (options: ResolutionOptions): Target => {
  const { pausedWhile, reopened, ...preset } = options
  const { id, rest, pauses } = common(preset, "resolution")
  return {
    ...rest,
    id,
    starts: ["opened", "reopened"],
    pauses: [
      ...(pausedWhile ?? (["pending", "snoozed"] as const)).map((status) => ({
        from: [status],
        until: ["resumed", "contactMessage", "reopened", status === "pending" ? "snoozed" : "pending"] as const
      })),
      ...pauses
    ],
    fulfils: ["resolved", "closed"],
    repeats: reopened !== "ignore"
  }
}
