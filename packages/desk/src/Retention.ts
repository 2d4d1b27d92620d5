/**
 * Removes what was said in conversations once it has been kept for as long as the rules say.
 *
 * One timer for each desk walks through the conversations that nobody has to act on, a bounded part at a time, once a
 * day. What it removes is recorded in the conversation before it goes.
 *
 * @module
 */
import { Actor, type Conversation, Conversation as Conversations, type Id } from "@switchboard/conversation"
import type { StorageDriver } from "@switchboard/storage"
import { Effect } from "effect"
import type { ContactCommands } from "./ContactCommands.ts"
import type { RetentionRule } from "./DeskConfig.ts"
import type { DeskError } from "./DeskError.ts"
import { type Draft, stampOf } from "./Draft.ts"
import { type Environment, fromPromise } from "./Environment.ts"
import * as Erasure from "./Erasure.ts"
import { restingMs } from "./InboxReactor.ts"
import * as Jobs from "./Jobs.ts"
import type { DeadLetter, InboxRow } from "./Views.ts"
import type { Handler } from "./Workers.ts"

const dayMs = 24 * 3_600_000
/** The first walk comes soon after the rules are new; it waits for a desk that has just begun. */
const firstAfterMs = 60_000
/** Rows looked at in one part of a walk, and conversations erased in it: other jobs come between two parts. */
const rowsAtOnce = 200
const erasedAtOnce = 10

const timerName = "daily"

/**
 * How long what was said over these kinds of channels is kept; `undefined`: for ever.
 *
 * **Units** milliseconds since the last thing that happened.
 *
 * **Example**
 *
 * ```ts
 * import { strict as assert } from "node:assert"
 * import { keptForMs } from "@switchboard/desk/Retention"
 *
 * const dayMs = 24 * 3_600_000
 * const rules = [{ channelKinds: ["webchat"], afterDays: 90 }, { channelKinds: ["email"], afterDays: 730 }]
 * assert.equal(keptForMs(rules, ["webchat"]), 90 * dayMs)
 * // The rule that keeps longest; and no rule keeps for ever.
 * assert.equal(keptForMs(rules, ["webchat", "email"]), 730 * dayMs)
 * assert.equal(keptForMs(rules, ["webchat", "telegram"]), undefined)
 * ```
 */
export const keptForMs = (
  rules: ReadonlyArray<RetentionRule>,
  channelKinds: ReadonlyArray<string>
): number | undefined => {
  let longest: number | undefined
  for (const kind of channelKinds) {
    const rule =
      rules.find((one) => one.channelKinds?.includes(kind)) ?? rules.find((one) => one.channelKinds === undefined)
    if (rule === undefined) return undefined
    longest = Math.max(longest ?? 0, rule.afterDays * dayMs)
  }
  return longest
}

const isOver = (
  rules: ReadonlyArray<RetentionRule>,
  channelKinds: ReadonlyArray<string>,
  lastMs: number,
  nowMs: number
): boolean => {
  const keptMs = keptForMs(rules, channelKinds)
  return keptMs !== undefined && lastMs + keptMs <= nowMs
}

/** How rules are compared with those a timer was set for. */
const textOf = (rules: ReadonlyArray<RetentionRule>): string =>
  JSON.stringify(rules.map(({ channelKinds, afterDays }) => ({ channelKinds, afterDays })))

/** Sets the timer where rules are new or others than before, and clears it where there are none any more. */
export const schedule = Effect.fnUntraced(function* ({
  settings,
  workspace,
  now
}: Environment["Service"]): Effect.fn.Return<void, DeskError> {
  const { retention: rules, channels } = settings
  for (const kind of rules.flatMap(({ channelKinds = [] }) => channelKinds)) {
    if (!channels.has(kind)) {
      yield* Effect.logWarning(`retention names ${kind}, which no channel here has: right only if it was taken away`)
    }
  }
  yield* fromPromise(async () => {
    const text = textOf(rules)
    const set = Jobs.job("retention", timerName, now() + firstAfterMs, { rules: text })
    const [stored] = await workspace.timers([set.key])
    if (rules.length === 0) {
      if (stored) await workspace.commit({ timers: [{ clear: set.key }] })
    } else if (stored?.payload["rules"] !== text) await workspace.commit({ timers: [{ set }] })
  })
})

/** The handler of `retention` jobs. */
export const make = (
  { settings, workspace, now, turn }: Environment["Service"],
  eraseNow: ContactCommands["eraseNow"]
): Handler => {
  const { retention: rules } = settings
  const shortestMs = Math.min(...rules.map(({ afterDays }) => afterDays)) * dayMs

  /** A merged conversation is the beginning of the one it goes on in, and kept as long. */
  const isDue = async (draft: Draft, conversation: Conversation.Conversation): Promise<boolean> => {
    const channelKinds: Array<string> = []
    let lastMs = 0
    let current: Conversation.Conversation | undefined = conversation
    while (current) {
      if (Conversations.isActive(current)) return false
      channelKinds.push(...current.threads.map((thread) => thread.channelKind))
      lastMs = Math.max(lastMs, current.updatedAtMs)
      current = current.mergedInto === undefined ? undefined : await draft.conversation(current.mergedInto)
    }
    return isOver(rules, channelKinds, lastMs, draft.nowMs)
  }

  /** Whether there was something to remove. What fails is taken up by its own job, and stops nobody else's. */
  const eraseOne = (conversationId: Id.ConversationId): Effect.Effect<boolean> =>
    turn(`conversation/${conversationId}`, async (draft) => {
      const conversation = await draft.conversation(conversationId)
      if (!conversation || conversation.contentErasedAtMs !== undefined || !(await isDue(draft, conversation))) return
      const stamp = stampOf(Actor.system("retention"), draft.nowMs)
      return Erasure.requestContent(draft, conversation, "retention", stamp)
    }).pipe(
      Effect.flatMap((target) => (target ? Effect.as(eraseNow(target), true) : Effect.succeed(false))),
      Effect.catch((error) =>
        Effect.as(Effect.logWarning(`retention of conversation ${conversationId}: ${error.message}`), true)
      )
    )

  /** Dead letters hold words too, from the day they came. */
  const removeLetters = async (state: DeadLetter["state"]): Promise<void> => {
    const nowMs = now()
    let after: StorageDriver.Query["after"]
    do {
      const page = await workspace.query({
        view: "deadLetters",
        where: [
          { field: "state", equals: state },
          { field: "receivedAtMs", atMost: nowMs - shortestMs }
        ],
        order: { field: "receivedAtMs", direction: "ascending" },
        limit: rowsAtOnce,
        ...(after && { after })
      })
      const over = page.documents.filter(({ document }) => {
        const { channelKind, receivedAtMs } = document as unknown as DeadLetter
        return isOver(rules, [channelKind], receivedAtMs, nowMs)
      })
      if (over.length > 0) {
        await workspace.commit({ views: over.map(({ key }) => ({ view: "deadLetters", key, delete: true })) })
      }
      after = page.next
    } while (after)
  }

  return Effect.fnUntraced(function* (job) {
    const payload = job.timer.payload as unknown as Jobs.Payloads["retention"]
    const { after } = payload
    if (rules.length === 0) {
      return yield* Effect.asVoid(fromPromise(() => workspace.commit({ timers: [job.done] })))
    }
    if (after === undefined) {
      yield* fromPromise(() => removeLetters("done"))
      yield* fromPromise(() => removeLetters("waiting"))
    }
    const nowMs = now()
    const page = yield* fromPromise(() =>
      workspace.query({
        view: "inbox",
        where: [
          { field: "active", equals: false },
          { field: "attention", atLeast: restingMs, atMost: restingMs + nowMs - shortestMs }
        ],
        order: { field: "attention", direction: "ascending" },
        limit: rowsAtOnce,
        ...(after && { after: { value: after.attention, key: after.key } })
      })
    )
    let erased = 0
    let reached = after
    for (const { key, document } of page.documents) {
      if (erased === erasedAtOnce) break
      const row = document as unknown as InboxRow
      reached = { attention: row.attention, key }
      if (isOver(rules, row.channelKinds, row.updatedAtMs, nowMs) && (yield* eraseOne(row.conversationId))) erased++
    }
    const isThrough = page.next === undefined && reached?.key === (page.documents.at(-1)?.key ?? after?.key)
    const next: Jobs.Payloads["retention"] = { rules: textOf(rules), ...(!isThrough && reached && { after: reached }) }
    yield* fromPromise(() => workspace.commit({ timers: [job.later(isThrough ? nowMs + dayMs : nowMs, { ...next })] }))
  })
}
