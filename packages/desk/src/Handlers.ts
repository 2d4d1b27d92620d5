/**
 * What workers do for each kind of job.
 *
 * @module
 */
import { SlaRecord } from "@switchboard/sla"
import { Effect } from "effect"
import * as BotTurns from "./BotTurns.ts"
import type { ContactCommands } from "./ContactCommands.ts"
import * as Deliveries from "./Deliveries.ts"
import { stampOf } from "./Draft.ts"
import { type Environment, fromPromise } from "./Environment.ts"
import type { JobKind, Payloads } from "./Jobs.ts"
import * as Media from "./Media.ts"
import type { Receiver } from "./Receiver.ts"
import * as SlaReactor from "./SlaReactor.ts"
import type { Handler } from "./Workers.ts"

/** The handlers of one desk; `tick` is the pool's, `retention` that of the rules. */
export const make = (
  environment: Environment["Service"],
  receiver: Pick<Receiver, "again">,
  tick: Handler,
  eraseNow: ContactCommands["eraseNow"],
  retention: Handler
): Readonly<Record<JobKind, Handler>> => {
  const { workspace, turn } = environment

  const snooze: Handler = (job) => {
    const { conversationId } = job.timer.payload as unknown as Payloads["snooze"]
    return turn(`conversation/${conversationId}`, async (draft) => {
      draft.timer(job.done)
      if (await draft.conversation(conversationId)) {
        await draft.run(
          conversationId,
          { type: "WakeConversation" },
          stampOf({ kind: "system", name: "snooze" }, draft.nowMs)
        )
      }
    })
  }

  /** Clocks report what is over; only once everything that happened before is known to them. */
  const sla: Handler = (job) =>
    turn(`sla/${job.timer.key}`, async (draft) => {
      const { conversationId } = job.timer.payload as unknown as Payloads["sla"]
      const stored = await draft.reads.document("slaRecords", conversationId)
      draft.timer(job.done)
      if (!stored) return
      const before = stored.document as unknown as SlaReactor.Kept
      // A breach is never taken back: while the clocks have not heard everything, time has only come as far as they have.
      const [unheard] = await draft.reads.journal(await draft.reads.cursor("sla"), 1)
      const heardUntilMs = Math.min(draft.nowMs, unheard?.recordedAtMs ?? draft.nowMs)
      const { record, events } = SlaRecord.tick(before, heardUntilMs)
      const changed = SlaReactor.toChanges(stored.version ?? 0, before, { ...before, ...record }, events, draft.nowMs)
      draft.append(changed.append.stream, changed.append.expectedVersion, changed.append.events)
      draft.view(changed.view)
      const next = SlaRecord.nextDeadline(record)
      if (next)
        draft.timer(
          job.later(Math.max(next.at, heardUntilMs < draft.nowMs ? draft.nowMs + 100 : 0), { conversationId })
        )
    })

  const entry: Handler = Effect.fnUntraced(function* (job) {
    const payload = job.timer.payload as unknown as Payloads["entry"]
    yield* receiver.again(payload)
    // Applied, or set again under the same key: then the revision has moved on and this clears nothing.
    yield* Effect.ignore(fromPromise(() => workspace.commit({ timers: [job.done] })))
  })

  const erase: Handler = (job) => {
    const { contactId, conversationId } = job.timer.payload as unknown as Payloads["erase"]
    return Effect.asVoid(eraseNow({ contactId, ...(conversationId !== undefined && { conversationId }) }))
  }

  return {
    ...Deliveries.make(environment),
    fetch: Media.make(environment),
    botTurn: BotTurns.make(environment),
    snooze,
    sla,
    pool: tick,
    entry,
    erase,
    retention
  }
}
