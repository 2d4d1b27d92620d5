/**
 * Asks bots: one turn at a time in each conversation, within a deadline, and people when a bot can't.
 *
 * @module
 */
import { type Bot, BotAction, Handoff, type Turn } from "@switchboard/bot"
import {
  type Actor,
  type Contact,
  type Conversation,
  type ConversationCommand,
  Id,
  Message
} from "@switchboard/conversation"
import { Cause, Duration, Effect } from "effect"
import { type Draft, stampOf } from "./Draft.ts"
import { type Environment, fromPromise } from "./Environment.ts"
import { survivorOf } from "./Erasure.ts"
import type { Payloads } from "./Jobs.ts"
import { readAll } from "./Views.ts"
import type { Handler } from "./Workers.ts"

/** How many messages a bot is shown of what was said before. */
const historyLength = 30
/** How often a turn is begun before people take over: a bot may take the whole process down with it. */
const attemptLimit = 3

/** Where a bot has read up to, in one conversation. */
const seenClaim = (conversationId: string): string => `bot-seen/${conversationId}`

/** The handler of `botTurn` jobs. */
export const make = (environment: Environment["Service"]): Handler => {
  const { settings, workspace, turn, newId } = environment

  const act = async (
    draft: Draft,
    bot: Id.BotId,
    conversationId: Id.ConversationId,
    threadId: Id.ThreadId,
    fence: number,
    actions: ReadonlyArray<BotAction.BotAction>
  ): Promise<void> => {
    const actor: Actor.Actor = { kind: "bot", id: bot }
    const run = (command: ConversationCommand.ConversationCommand) =>
      draft.run(conversationId, command, stampOf(actor, draft.nowMs))
    const say = async (parts: ReadonlyArray<Message.MessagePart>) => {
      const conversation = await draft.conversation(conversationId)
      const recipient = conversation?.threads.find((thread) => thread.id === threadId)?.recipients[0]
      await run({
        type: "SendMessage",
        messageId: Id.MessageId.parse(newId()),
        threadId,
        parts: [...parts],
        attachments: [],
        deliveries: recipient ? [{ id: Id.DeliveryId.parse(newId()), recipient }] : [],
        fence
      })
    }
    for (const action of actions) {
      switch (action.type) {
        case "reply":
          await say(action.parts)
          break
        case "ask":
          await say([{ kind: "choices", text: action.text, options: action.options }])
          break
        case "note":
          await run({
            type: "AddNote",
            messageId: Id.MessageId.parse(newId()),
            parts: [Message.text(action.text)],
            attachments: []
          })
          break
        case "tag":
          await run({ type: "AddTag", tag: action.tag })
          break
        case "prioritise":
          await run({ type: "SetPriority", priority: action.priority })
          break
        case "setAttributes":
          await run({ type: "SetAttributes", attributes: action.attributes })
          break
        case "handOff": {
          const { type: _, ...handOff } = action
          await run({ type: "HandOff", ...handOff, fence })
          return
        }
        case "resolve":
          await run({ type: "ResolveConversation", fence })
          return
      }
    }
  }

  return Effect.fnUntraced(function* (job) {
    const payload = job.timer.payload as unknown as Payloads["botTurn"]
    const { conversationId, fence } = payload
    const finish = Effect.asVoid(fromPromise(() => workspace.commit({ timers: [job.done] })))
    const read = yield* fromPromise(async () => {
      const stored = (await workspace.document("conversations", conversationId))?.document
      const conversation = stored as Conversation.Conversation | undefined
      if (!conversation) return undefined
      const [seen] = await workspace.claims([seenClaim(conversationId)])
      const seenTo = Number(seen?.value ?? 0)
      const ofConversation = { field: "conversationId", equals: conversationId } as const
      const unseen = await readAll(workspace, {
        view: "messages",
        where: [ofConversation, { field: "sequence", above: seenTo }],
        order: { field: "sequence", direction: "ascending" }
      })
      const earlier = await workspace.query({
        view: "messages",
        where: [ofConversation, { field: "sequence", atMost: seenTo }],
        order: { field: "sequence", direction: "descending" },
        limit: historyLength
      })
      const contactId = await survivorOf(workspace, conversation.contactId)
      const contact = (await workspace.document("contacts", contactId))?.document
      return {
        conversation,
        contact: contact as Contact.Contact | undefined,
        seen: seenTo,
        messages: [...earlier.documents.toReversed(), ...unseen]
          .map((one) => one.document as unknown as Message.Message)
          .filter((one) => one.direction !== "note")
      }
    })
    const bot: Bot.Bot | undefined = settings.bots.get(payload.botId)
    // Control has changed hands, or an earlier turn has answered this message too: nothing is left to say.
    const isHolder =
      read?.conversation.control.holder.kind === "bot" &&
      read.conversation.control.holder.id === payload.botId &&
      read.conversation.control.fence === fence
    const unseen = read?.messages.filter((one) => one.direction === "in" && one.sequence > read.seen) ?? []
    const last = unseen.at(-1)
    if (!read || !isHolder || !last) return yield* finish
    const asked: Turn.Turn = {
      turnId: `${conversationId}/${last.sequence}`,
      conversation: read.conversation,
      contact: read.contact,
      messages: unseen,
      history: read.messages.filter((one) => one.sequence < unseen[0]!.sequence),
      nowMs: environment.now(),
      signal: new AbortController().signal
    }
    const handOff = (reason: string, detail: string): BotAction.BotResponse => ({
      actions: [
        { type: "note", text: `${bot?.name ?? payload.botId}: ${detail}` },
        { type: "handOff", reason, summary: Handoff.summarise(asked) }
      ]
    })
    const ask = (one: Bot.Bot): Effect.Effect<BotAction.BotResponse> =>
      Effect.tryPromise({
        try: async (signal) => BotAction.BotResponse.parse(await one.onTurn({ ...asked, signal })),
        catch: (cause) => cause
      }).pipe(
        Effect.timeoutOrElse({
          duration: Duration.millis(one.deadlineMs),
          orElse: () =>
            Effect.succeed(handOff("botTimedOut", `did not answer within ${one.deadlineMs} ms; handed to people`))
        }),
        Effect.catchCause((cause) =>
          Effect.succeed(
            handOff("botFailed", `failed and handed to people: ${String(Cause.squash(cause)).slice(0, 500)}`)
          )
        )
      )
    const response = !bot
      ? handOff("botGone", "is no longer configured; handed to people")
      : payload.attempt >= attemptLimit
        ? handOff("botFailed", `did not finish ${payload.attempt} turns; handed to people`)
        : yield* ask(bot)
    const commit = (actions: ReadonlyArray<BotAction.BotAction>) =>
      turn(`conversation/${conversationId}`, async (draft) => {
        draft.timer(job.done)
        const [seen] = await draft.reads.claims([seenClaim(conversationId)])
        // Another turn has answered these meanwhile.
        if (Number(seen?.value ?? 0) >= last.sequence) return
        draft.claim({
          key: seenClaim(conversationId),
          value: String(last.sequence),
          ...(seen && { revision: seen.revision }),
          subject: read.conversation.contactId
        })
        await act(draft, payload.botId, conversationId, last.threadId, fence, actions)
      })
    yield* commit(response.actions).pipe(
      Effect.catchTag("RejectedError", (error) =>
        // A person took over while the bot thought: its answer is not wanted any more.
        error.rejection.code === "staleFence" || error.rejection.code === "notInControl"
          ? finish
          : commit(handOff("botFailed", `asked for something that is refused: ${error.message}`).actions).pipe(
              // Nobody can take it over, such as when it was closed: then nobody has to.
              Effect.catchTag("RejectedError", () => finish)
            )
      )
    )
  })
}
