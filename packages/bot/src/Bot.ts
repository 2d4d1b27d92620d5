/**
 * A program that answers contacts, one turn at a time.
 *
 * @module
 */
import { Id } from "@switchboard/conversation"
import * as z from "zod"
import type { BotResponse } from "./BotAction.ts"
import { decode } from "./BotDefinitionError.ts"
import { handOff, type Step } from "./Step.ts"
import type { Turn } from "./Turn.ts"

/**
 * A bot as a desk runs it. Every turn has an answer; {@link defineBot} makes one of a step.
 *
 * **Units** `deadlineMs` is how long a turn may take, in milliseconds, before the conversation is handed to people.
 */
export interface Bot {
  readonly id: Id.BotId
  readonly name: string
  readonly deadlineMs: number
  readonly onTurn: (turn: Turn) => BotResponse | Promise<BotResponse>
}

/** How long a turn may take, in milliseconds: a contact is waiting. */
export const deadlines = { default: 20_000, longest: 60_000 } as const

/**
 * A bot as its author writes it.
 *
 * **Shape** `id` has 1 to 128 characters and stays the same for good; `name` is what colleagues see, 1 to 256 characters.
 *
 * **Units** `deadlineMs` is a whole number of milliseconds from 1 to 60,000; 20,000 without it.
 */
export interface BotDefinition {
  readonly id: string
  readonly name: string
  readonly deadlineMs?: number
  readonly onTurn: Step
}

const Definition = z.strictObject({
  id: Id.BotId,
  name: z.string().trim().min(1, "must be a name that colleagues see").max(256),
  deadlineMs: z
    .int("must be a whole number of milliseconds")
    .min(1, "must be at least 1 ms")
    .max(deadlines.longest, `must be at most ${deadlines.longest} ms, for a contact is waiting`)
    .default(deadlines.default),
  onTurn: z.custom<Step>((value) => typeof value === "function", "must be a step: a function that answers a turn")
})

/**
 * Makes a bot of a step.
 *
 * A turn that its step has no answer for is handed to people, reason `noAnswer`: no contact is left beside a bot that has
 * nothing to say. An answer is taken at its word, also one without actions.
 *
 * **Fails with** `BotDefinitionError`, thrown at once, naming each field that is wrong. What the step throws is thrown by
 * `onTurn`, and a desk hands off then.
 *
 * **Example**
 *
 * ```ts
 * import { strict as assert } from "node:assert"
 * import { BotTesting, defineBot, Predicate, Step } from "@switchboard/bot"
 *
 * const bot = defineBot({
 *   id: "greeter",
 *   name: "Greeter",
 *   onTurn: Step.when(Predicate.firstTurn, Step.answer("Hello! What can we do for you?"))
 * })
 * const [hello, rest] = await BotTesting.talk(bot, ["Hi", "My parcel is lost"])
 * assert.equal(hello?.actions[0]?.type, "reply")
 * assert.deepEqual(rest?.actions, [{ type: "handOff", reason: "noAnswer", summary: "chat\nHi\nMy parcel is lost" }])
 * ```
 */
export const defineBot = (definition: BotDefinition): Bot => {
  const what = typeof definition?.id === "string" && definition.id !== "" ? `bot "${definition.id}"` : "bot"
  const { onTurn, ...bot } = decode(what, Definition, definition)
  const noAnswer = handOff({ reason: "noAnswer" })
  return { ...bot, onTurn: async (turn) => (await onTurn(turn)) ?? noAnswer(turn) }
}
