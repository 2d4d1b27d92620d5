/**
 * What the pool shows: an agent's offers, why a conversation waits, and the live board.
 *
 * @module
 */
import { Fold, Report } from "@switchboard/metrics"
import type { Pool } from "@switchboard/routing"
import type { StorageDriver } from "@switchboard/storage"
import { Clock, Effect } from "effect"
import type { DeskService, QueueView } from "./DeskService.ts"
import { type Environment, fromPromise } from "./Environment.ts"
import * as InboxReactor from "./InboxReactor.ts"
import { agentOf, requirePerson } from "./Rights.ts"
import * as Router from "./Router.ts"
import { type InboxRow, readAll } from "./Views.ts"

/** How soon a promise is due that the board counts as about to be broken. */
const breachingSoonMs = 15 * 60_000

/** What the pool of one desk shows. */
export const make = (
  { settings, workspace, now }: Environment["Service"],
  router: Router.Router
): Pick<DeskService, "offers" | "explain" | "board"> => {
  const poolItems = async (where: StorageDriver.Condition): Promise<ReadonlyArray<Pool.PoolItem>> =>
    (await readAll(workspace, { view: "poolItems", where: [where] })).map(
      (stored) => stored.document as unknown as Pool.PoolItem
    )

  const offers: DeskService["offers"] = Effect.fn("Desk.offers")(function* (actor) {
    const agentId = yield* agentOf(actor)
    return yield* fromPromise(async () => {
      const mine = (await poolItems({ field: "agentId", equals: agentId })).filter(
        (one) => one.place.kind === "offered" && one.place.expiresAtMs > now()
      )
      const rows = await InboxReactor.load<InboxRow>(
        workspace,
        "inbox",
        mine.map((one) => one.item.itemId)
      )
      return mine.map(({ item, place, offersMade }) => ({
        offerId: `${item.itemId}.${offersMade}`,
        conversationId: item.itemId,
        expiresAtMs: place.kind === "offered" ? place.expiresAtMs : 0,
        row: rows.get(item.itemId) ?? null
      }))
    })
  })

  const explain: DeskService["explain"] = Effect.fn("Desk.explain")(function* (actor, conversationId) {
    yield* requirePerson(actor, "an explanation")
    return router.explain(conversationId, now()) ?? null
  })

  const board: DeskService["board"] = Effect.fn("Desk.board")(function* (actor) {
    yield* requirePerson(actor, "the board")
    const nowMs = yield* Clock.currentTimeMillis
    return yield* fromPromise(async () => {
      const depths = router.engine()?.queueDepths()
      const soon = nowMs + breachingSoonMs
      const [items, agentPage, waitingPage, urgent, counts] = await Promise.all([
        // The engine counts its queues; who holds something is few enough to read.
        poolItems(depths ? { field: "placed", equals: "assigned" } : { field: "pool", equals: Router.pool }),
        workspace.documents("poolAgents", [...settings.agents.keys()]),
        readAll(workspace, {
          view: "metricStates",
          where: [{ field: "waitingSince", atLeast: 0 }],
          order: { field: "waitingSince", direction: "ascending" }
        }),
        // A promise due by then is what calls for attention by then.
        readAll(workspace, {
          view: "inbox",
          where: [
            { field: "active", equals: true },
            { field: "attention", below: soon }
          ],
          order: { field: "attention", direction: "ascending" }
        }),
        workspace.document("counts", InboxReactor.countKey)
      ])
      const queues = new Map<string, { waiting: number; oldest: number }>()
      const holds = new Map<string, number>()
      for (const { item, place } of items) {
        if (place.kind === "assigned") {
          holds.set(place.agentId, (holds.get(place.agentId) ?? 0) + 1)
          continue
        }
        const queue = queues.get(item.queueId) ?? { waiting: 0, oldest: nowMs }
        queues.set(item.queueId, { waiting: queue.waiting + 1, oldest: Math.min(queue.oldest, item.arrivedAtMs) })
      }
      for (const { queueId, waiting, offered, oldestArrivedAtMs = nowMs } of depths ?? []) {
        queues.set(queueId, { waiting: waiting + offered, oldest: oldestArrivedAtMs })
      }
      const stored = new Map(
        agentPage.flatMap((one) => (one ? [[one.key, one.document as unknown as Pool.PoolAgent] as const] : []))
      )
      const waits = waitingPage.flatMap((one) => {
        const wait = Fold.waiting((one.document as unknown as { readonly state: Fold.FoldState }).state)
        return wait ? [wait] : []
      })
      const rows = urgent.map((one) => one.document as unknown as InboxRow)
      return {
        nowMs,
        agents: [...settings.agents.values()].map((agent) => {
          const presence = stored.get(agent.id)?.presence
          return {
            agent,
            presence: {
              status: presence?.status ?? ("offline" as const),
              ...(presence?.reason !== undefined && { reason: presence.reason })
            },
            holds: holds.get(agent.id) ?? 0,
            capacity: agent.capacity.total
          }
        }),
        queues: settings.routing.queues.map(
          ({ queueId }): QueueView => ({
            queueId,
            waiting: queues.get(queueId)?.waiting ?? 0,
            oldestWaitMs: nowMs - (queues.get(queueId)?.oldest ?? nowMs)
          })
        ),
        waiting: Report.toWaiting(waits, { atMs: nowMs, by: ["channelKind"] }),
        breachingSoon: rows.filter((row) => row.due && !row.due.breached && row.due.dueAtMs < soon).length,
        active: (counts?.document as unknown as InboxReactor.Counts | undefined)?.active ?? 0
      }
    })
  })

  return { offers, explain, board }
}
