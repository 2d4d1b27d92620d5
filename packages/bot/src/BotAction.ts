/**
 * What a bot wants done after a turn.
 *
 * @module
 */
import { Contact, Conversation, Message } from "@switchboard/conversation"
import * as z from "zod"

/** Says something to the contact. */
export const Reply = z.strictObject({ type: z.literal("reply"), parts: z.array(Message.MessagePart).min(1).max(100) })
/** Asks the contact to choose: buttons where the channel has them, numbered lines where not. */
export const Ask = z.strictObject({
  type: z.literal("ask"),
  text: z.string().min(1).max(4096),
  options: z
    .array(z.strictObject({ id: z.string().min(1).max(256), label: z.string().min(1).max(256) }))
    .min(1)
    .max(30)
})
/** Writes to colleagues. */
export const Note = z.strictObject({ type: z.literal("note"), text: z.string().min(1).max(20_000) })
/** Adds a tag. */
export const TagIt = z.strictObject({ type: z.literal("tag"), tag: Conversation.Tag })
/** Sets the urgency. */
export const Prioritise = z.strictObject({ type: z.literal("prioritise"), priority: Conversation.Priority })
/** Keeps facts on the conversation. */
export const SetAttributes = z.strictObject({ type: z.literal("setAttributes"), attributes: Contact.Attributes })
/**
 * Gives the conversation to people. Nothing after it is done.
 *
 * **Shape** `reason` is a code for reports, `summary` what the person who takes over reads first, `wanted` whom the router
 * looks for.
 */
export const HandOff = z.strictObject({
  type: z.literal("handOff"),
  summary: z.string().max(10_000),
  reason: z.string().min(1).max(256),
  wanted: Conversation.Wanted.optional()
})
/** The matter is done. Nothing after it is done. */
export const Resolve = z.strictObject({ type: z.literal("resolve") })

/** One thing to do, in the order given. */
export const BotAction = z.discriminatedUnion("type", [
  Reply,
  Ask,
  Note,
  TagIt,
  Prioritise,
  SetAttributes,
  HandOff,
  Resolve
])
export type BotAction = z.infer<typeof BotAction>

/**
 * What a bot answers.
 *
 * **Shape** No actions is an answer too: the bot chose to say nothing.
 *
 * **Units** `confidence` is a share from 0 to 1; absent means the bot does not say.
 *
 * **Example**
 *
 * ```ts
 * import { strict as assert } from "node:assert"
 * import { BotAction } from "@switchboard/bot"
 *
 * const response: BotAction.BotResponse = {
 *   actions: [BotAction.reply("Your parcel left today."), { type: "tag", tag: "parcel" }, { type: "resolve" }],
 *   confidence: 0.9
 * }
 * assert.equal(BotAction.BotResponse.safeParse(response).success, true)
 * assert.equal(BotAction.BotResponse.safeParse({ actions: [{ type: "replay" }] }).success, false)
 * ```
 */
export const BotResponse = z.strictObject({
  actions: z.array(BotAction).max(50),
  confidence: z.number().min(0).max(1).optional()
})
export type BotResponse = z.infer<typeof BotResponse>

/** Answers with text. */
export const reply = (text: string): BotAction => ({ type: "reply", parts: [Message.text(text)] })
