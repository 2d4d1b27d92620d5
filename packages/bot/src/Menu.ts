/**
 * A question with options, each with the step that answers for it.
 *
 * @module
 */
import type { Message } from "@switchboard/conversation"
import * as z from "zod"
import { Ask } from "./BotAction.ts"
import { BotDefinitionError, decode } from "./BotDefinitionError.ts"
import { foldBare } from "./internal/fold.ts"
import type { Predicate } from "./Predicate.ts"
import type { Step } from "./Step.ts"
import * as Turns from "./Turn.ts"

/** One option. `stays` keeps later messages with its step too: for a step of several turns, such as another menu. */
export interface MenuOption {
  readonly id: string
  readonly label: string
  readonly step: Step
  readonly stays?: boolean
}

/**
 * A question with its options, 1 to 30 of them.
 *
 * **Shape** With `when` it is asked whenever that holds; without, once.
 *
 * **Units** `forgetMs` is how long a question and its answer count, in milliseconds; 24 hours without it.
 */
export interface MenuOptions {
  readonly text: string
  readonly options: ReadonlyArray<MenuOption>
  readonly when?: Predicate
  readonly forgetMs?: number
}

const isFunction = (value: unknown): boolean => typeof value === "function"

const Definition = z.strictObject({
  text: Ask.shape.text,
  options: z
    .array(
      z.strictObject({
        ...Ask.shape.options.element.shape,
        step: z.custom<Step>(isFunction, "must be a step: a function that answers a turn"),
        stays: z.boolean().optional()
      })
    )
    .min(1)
    .max(30),
  when: z.custom<Predicate>(isFunction, "must be a predicate: a function of a turn").optional(),
  forgetMs: z.number().positive().default(86_400_000)
})

const repeated = (what: string, options: ReadonlyArray<MenuOption>, keyOf: (option: MenuOption) => string) =>
  options.flatMap((option, index) => {
    const first = options.findIndex((other) => keyOf(other) === keyOf(option))
    return first === index
      ? []
      : [`options.${index}.${what}: must differ from options.${first}.${what}; found "${option[what as "id"]}".`]
  })

/**
 * A step that asks with options and passes the contact on to the step of the one they choose, by its button or by typing
 * its number or label.
 *
 * What the contact writes instead of choosing is not the menu's: the next step of `firstOf` gets it. Neither is what they
 * write after the chosen step has answered, unless the option `stays`. A button pressed again, or another one, chooses
 * again. The question is never asked twice while it waits for an answer.
 *
 * **Fails with** `BotDefinitionError`, thrown at once, naming each wrong field, and ids or labels that occur twice.
 *
 * **Gotchas** The menu keeps no state: it finds its question in the history by text and ids, so a question that was
 * changed since is asked again. Two menus with the same text and ids are the same menu. A menu must be reached again on
 * the turn of the answer: put no `when` of a step around it that holds for the asking only, give it one of its own.
 *
 * **Example**
 *
 * ```ts
 * import { strict as assert } from "node:assert"
 * import { BotTesting, defineBot, Menu, Step } from "@switchboard/bot"
 *
 * const bot = defineBot({
 *   id: "receptionist",
 *   name: "Receptionist",
 *   onTurn: Menu.make({
 *     text: "What is it about?",
 *     options: [
 *       { id: "hours", label: "Opening hours", step: Step.answer("We are open from 9 to 5.") },
 *       { id: "billing", label: "Billing", step: Step.handOff({ reason: "billing" }) }
 *     ]
 *   })
 * })
 * const asked = await BotTesting.talk(bot, ["hello", "2"])
 * assert.deepEqual(asked.map(({ actions }) => actions[0]?.type), ["ask", "handOff"])
 * ```
 */
export const make = (definition: MenuOptions): Step => {
  const { text, options, when, forgetMs } = decode("menu", Definition, definition)
  const typed = ({ label }: { readonly label: string }) => foldBare(label)
  const problems = [
    ...repeated("id", definition.options, ({ id }) => id),
    ...repeated("label", definition.options, typed)
  ]
  if (problems.length > 0) throw new BotDefinitionError("menu", problems)
  const ask = { type: "ask" as const, text, options: options.map(({ id, label }) => ({ id, label })) }
  const byId = new Map(options.map((option) => [option.id, option]))
  const isOurs = (question: Message.ChoicesPart): boolean =>
    question.text === text &&
    question.options.length === options.length &&
    question.options.every(({ id }, index) => id === options[index]?.id)
  return (turn) => {
    const { questions, choices, open } = Turns.dialogue(turn, turn.nowMs - forgetMs)
    const chosen = choices.findLast(
      ({ question, optionId, isNew }) => byId.has(optionId) && (question ? isOurs(question) : isNew)
    )
    const option = chosen && byId.get(chosen.optionId)
    if (option && (chosen.isNew || option.stays)) return option.step(turn)
    if (open && isOurs(open)) return undefined
    if (when ? !when(turn) : questions.some(isOurs)) return undefined
    return { actions: [ask] }
  }
}
