/**
 * Part of a bot: a function that answers a turn, or says that it is not for it. Steps compose into steps.
 *
 * @module
 */
import { Conversation, Message } from "@switchboard/conversation"
import * as z from "zod"
import { type BotAction, type BotResponse, HandOff } from "./BotAction.ts"
import { decode } from "./BotDefinitionError.ts"
import { type HandoffOptions, summarise } from "./Handoff.ts"
import { cut } from "./internal/cut.ts"
import type { Predicate } from "./Predicate.ts"
import type { Turn } from "./Turn.ts"

/** Answers a turn; `undefined` means "not mine", and leaves it to the next step. It keeps no state: the turn holds everything. */
export type Step = (turn: Turn) => BotResponse | undefined | Promise<BotResponse | undefined>

/** A step that knows why it is asked: `error` is what the step before it threw, if it did. */
export type Fallback = (turn: Turn, error?: unknown) => ReturnType<Step>

/**
 * Always answers the same: texts to say and actions to take, in order.
 *
 * **Example**
 *
 * ```ts
 * import { strict as assert } from "node:assert"
 * import { BotTesting, Step } from "@switchboard/bot"
 *
 * const hours = Step.answer("We are open from 9 to 5.", { type: "tag", tag: "opening-hours" })
 * assert.deepEqual(await hours(BotTesting.turn({ text: "When are you open?" })), {
 *   actions: [
 *     { type: "reply", parts: [{ kind: "text", text: "We are open from 9 to 5.", format: "plain" }] },
 *     { type: "tag", tag: "opening-hours" }
 *   ]
 * })
 * ```
 */
export const answer =
  (...said: ReadonlyArray<string | BotAction>): Step =>
  () => ({
    actions: said.map((one) => (typeof one === "string" ? { type: "reply", parts: [Message.text(one)] } : one))
  })

/**
 * Asks steps in order, and gives the answer of the first that has one.
 *
 * **Fails with** what a step throws; the steps after it are not asked. Once the deadline has passed no further step is
 * begun, and the signal's reason is thrown.
 *
 * **Example**
 *
 * ```ts
 * import { strict as assert } from "node:assert"
 * import { BotTesting, Predicate, Step } from "@switchboard/bot"
 *
 * const step = Step.firstOf(
 *   Step.when(Predicate.saysAny(["hours", "open"]), Step.answer("From 9 to 5.")),
 *   Step.when(Predicate.firstTurn, Step.answer("Hello! What can I do for you?"))
 * )
 * const response = await step(BotTesting.turn({ text: "hi" }))
 * assert.equal(response?.actions[0]?.type, "reply")
 * ```
 */
export const firstOf =
  (...steps: ReadonlyArray<Step>): Step =>
  async (turn) => {
    for (const step of steps) {
      turn.signal.throwIfAborted()
      const response = await step(turn)
      if (response !== undefined) return response
    }
    return undefined
  }

/**
 * Asks a step only when the predicate holds for the turn.
 *
 * **Gotchas** A step that asks a question must be reached again on the turn of the answer, where the predicate may no
 * longer hold: give the predicate to the menu as its `when` instead.
 */
export const when =
  (predicate: Predicate, step: Step): Step =>
  (turn) =>
    predicate(turn) ? step(turn) : undefined

/**
 * Asks another step when the first has no answer or throws.
 *
 * **Fails with** what the fallback throws; with the first step's error, or the signal's reason, when the deadline has
 * passed meanwhile: nobody waits for a fallback then.
 *
 * **Example**
 *
 * ```ts
 * import { strict as assert } from "node:assert"
 * import { BotTesting, Step } from "@switchboard/bot"
 *
 * const step = Step.withFallback(
 *   () => {
 *     throw new Error("the model is overloaded")
 *   },
 *   (_turn, error) => ({ actions: [{ type: "note", text: String(error) }] })
 * )
 * assert.deepEqual(await step(BotTesting.turn({ text: "hi" })), {
 *   actions: [{ type: "note", text: "Error: the model is overloaded" }]
 * })
 * ```
 */
export const withFallback =
  (step: Step, fallback: Fallback): Step =>
  async (turn) => {
    let response: BotResponse | undefined
    try {
      response = await step(turn)
    } catch (error) {
      if (turn.signal.aborted) throw error
      return fallback(turn, error)
    }
    if (response !== undefined) return response
    turn.signal.throwIfAborted()
    return fallback(turn)
  }

const HandoffDefinition = z.strictObject({
  reason: HandOff.shape.reason,
  wanted: Conversation.Wanted.optional(),
  summary: z
    .union([HandOff.shape.summary, z.custom<(turn: Turn) => string>((value) => typeof value === "function")])
    .optional(),
  say: z.string().min(1).max(200_000).optional()
})

/**
 * A step that always hands the conversation to people.
 *
 * **Fails with** `BotDefinitionError`, thrown at once, naming each option that is wrong. A summary that is made from the
 * turn is cut to the length that an action allows.
 *
 * **Example**
 *
 * ```ts
 * import { strict as assert } from "node:assert"
 * import { BotTesting, Step } from "@switchboard/bot"
 *
 * const toBilling = Step.handOff({
 *   reason: "billing",
 *   wanted: { teamId: "billing" },
 *   say: "I am passing you on to a colleague."
 * })
 * const { actions } = await toBilling(BotTesting.turn({ text: "My invoice is wrong" }))
 * assert.deepEqual(actions.map(({ type }) => type), ["reply", "handOff"])
 * ```
 */
export const handOff = (options: HandoffOptions): ((turn: Turn) => BotResponse) => {
  const { reason, wanted, summary = summarise, say } = decode("handoff", HandoffDefinition, options)
  return (turn) => ({
    actions: [
      ...(say === undefined ? [] : [{ type: "reply" as const, parts: [Message.text(say)] }]),
      {
        type: "handOff",
        reason,
        summary: cut(typeof summary === "string" ? summary : summary(turn), 10_000),
        ...(wanted && { wanted })
      }
    ]
  })
}

/**
 * Hands the conversation to people instead of giving an answer that the step is not sure of.
 *
 * An answer without a stated confidence passes, and so does one that hands off by itself. Nothing of an unsure answer is
 * done, its tags and notes included. `reason` is `lowConfidence` when none is given.
 *
 * **Units** `confidence` is a share from 0 to 1; an answer of exactly that confidence passes.
 *
 * **Fails with** `BotDefinitionError`, thrown at once, when the share or an option is wrong.
 *
 * **Example**
 *
 * ```ts
 * import { strict as assert } from "node:assert"
 * import { BotAction, BotTesting, Step } from "@switchboard/bot"
 *
 * const guess: Step.Step = () => ({ actions: [BotAction.reply("Restart it?")], confidence: 0.3 })
 * const response = await Step.handOffBelow(0.7, guess)(BotTesting.turn({ text: "It blinks" }))
 * assert(response !== undefined)
 * assert.equal(response.actions[0]?.type, "handOff")
 * ```
 */
export const handOffBelow = (confidence: number, step: Step, options: Partial<HandoffOptions> = {}): Step => {
  const least = decode("handOffBelow", z.number("must be a share from 0 to 1").min(0).max(1), confidence)
  const giveAway = handOff({ reason: "lowConfidence", ...options })
  return async (turn) => {
    const response = await step(turn)
    if (response?.confidence === undefined || response.confidence >= least) return response
    return response.actions.some(({ type }) => type === "handOff") ? response : giveAway(turn)
  }
}
