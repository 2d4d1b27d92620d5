/**
 * What is asked of the pool: presence, offers taken and declined, conversations picked and assigned, and agents' profiles.
 *
 * Requests go into a stream of their own; only the pool's owner answers them.
 *
 * @module
 */
import { Id } from "@switchboard/conversation"
import type { Pool, Signal } from "@switchboard/routing"
import { Duration, Effect } from "effect"
import { type DeskError, NotFoundError, OverloadedError, RoutingRefusedError } from "./DeskError.ts"
import { encode, streams } from "./DeskEvent.ts"
import type { DeskService } from "./DeskService.ts"
import { type Draft, stampOf } from "./Draft.ts"
import { type Environment, fromPromise, required } from "./Environment.ts"
import type * as Reactors from "./Reactor.ts"
import { agentOf, requireRole } from "./Rights.ts"
import * as Router from "./Router.ts"
import { readAll } from "./Views.ts"
import type { Handler } from "./Workers.ts"

/** How the pool is asked. */
export interface PoolRequests {
  readonly operations: Pick<DeskService, "setPresence" | "acceptOffer" | "declineOffer" | "pick" | "assign">
  /** Tells the pool about agents whose profile is new or changed, and about those who are gone. */
  readonly syncAgents: Effect.Effect<void, DeskError>
  /** The handler of `pool` jobs: tells the pool that time has passed. */
  readonly tick: Handler
}

/** How long an answer to a pool request is waited for. */
const answerTimeoutMs = 10_000

const append = async (draft: Draft, signal: Signal.Signal): Promise<void> => {
  const stream = streams.poolRequests(Router.pool)
  draft.append(stream, await draft.reads.streamVersion(stream), [
    encode({ type: "PoolAsked", signal }, undefined, draft.nowMs)
  ])
}

/** Requests to the pool of one desk, whose owner `routing` is. */
export const make = (
  { settings, workspace, newId, turn }: Environment["Service"],
  router: Router.Router,
  routing: Reactors.Running
): PoolRequests => {
  /** Tells the pool's owner, and waits for no answer. */
  const tell = (signal: Signal.Signal): Effect.Effect<void, DeskError> =>
    turn("pool-requests", (draft) => append(draft, signal))

  /** Asks the pool's owner and waits for its answer. */
  const ask = Effect.fnUntraced(function* (
    signal: Signal.Signal & { readonly requestId?: string }
  ): Effect.fn.Return<void, DeskError> {
    const requestId = signal.requestId
    if (requestId === undefined) return
    const answered = yield* Effect.gen(function* () {
      const answer = router.answer(requestId)
      yield* tell(signal)
      // Where this process owns the pool, the answer is two steps away; elsewhere it is waited for.
      while (yield* routing.step) {
        // Until the owner is level.
      }
      return yield* Effect.promise(() => answer).pipe(
        Effect.timeoutOrElse({
          duration: Duration.millis(answerTimeoutMs),
          orElse: () => Effect.fail(new OverloadedError({ retryAfterMs: 1000 }))
        })
      )
    }).pipe(Effect.ensuring(Effect.sync(() => router.forget(requestId))))
    if (answered.outcome === "refused") {
      const { code = "refused", message = "the pool refused", ...facts } = answered.refusal ?? {}
      return yield* new RoutingRefusedError({ code, explanation: message, facts })
    }
  })

  const setPresence: DeskService["setPresence"] = Effect.fn("Desk.setPresence")(
    function* (actor, agentId, status, reason) {
      if (!(actor.kind === "agent" && actor.id === agentId)) {
        yield* requireRole(actor, "another agent's presence", ["supervisor", "administrator"])
      }
      if (!settings.agents.has(agentId)) return yield* new NotFoundError({ what: "agent", id: agentId })
      yield* ask({
        type: "presenceChanged",
        requestId: newId(),
        agentId,
        status,
        ...(reason !== undefined && { reason })
      })
    }
  )

  /** The pool's word becomes control of the conversation in a step of its own; whoever asked sees both done. */
  const takeControl = (conversationId: string, agentId: Id.AgentId): Effect.Effect<void, DeskError> =>
    turn(`conversation/${conversationId}`, async (draft) => {
      await draft.run(
        Id.ConversationId.parse(conversationId),
        { type: "GiveControl", to: { kind: "agent", id: agentId } },
        stampOf({ kind: "system", name: "router" }, draft.nowMs)
      )
    })

  const acceptOffer: DeskService["acceptOffer"] = Effect.fn("Desk.acceptOffer")(function* (actor, offerId) {
    const agentId = yield* agentOf(actor)
    yield* ask({ type: "offerAccepted", requestId: newId(), offerId, agentId })
    yield* takeControl(offerId.slice(0, offerId.lastIndexOf(".")), agentId)
  })

  const declineOffer: DeskService["declineOffer"] = Effect.fn("Desk.declineOffer")(function* (actor, offerId, reason) {
    const agentId = yield* agentOf(actor)
    yield* ask({
      type: "offerDeclined",
      requestId: newId(),
      offerId,
      agentId,
      ...(reason !== undefined && { reason })
    })
  })

  const pick: DeskService["pick"] = Effect.fn("Desk.pick")(function* (actor, conversationId) {
    const agentId = yield* agentOf(actor)
    yield* required(workspace, "conversations", "conversation", conversationId)
    yield* ask({ type: "itemPicked", requestId: newId(), itemId: conversationId, agentId })
    yield* takeControl(conversationId, agentId)
  })

  const assign: DeskService["assign"] = Effect.fn("Desk.assign")(function* (actor, conversationId, agentId) {
    yield* requireRole(actor, "assigning", ["supervisor", "administrator"])
    if (!settings.agents.has(agentId)) return yield* new NotFoundError({ what: "agent", id: agentId })
    yield* required(workspace, "conversations", "conversation", conversationId)
    yield* ask({
      type: "itemAssigned",
      requestId: newId(),
      itemId: conversationId,
      agentId,
      ...("id" in actor && { by: actor.id })
    })
    yield* takeControl(conversationId, Id.AgentId.parse(agentId))
  })

  const syncAgents = Effect.gen(function* () {
    const all = yield* fromPromise(() =>
      readAll(workspace, { view: "poolAgents", where: [{ field: "pool", equals: Router.pool }] })
    )
    const known = new Map(
      all.map((stored) => [stored.key, (stored.document as unknown as Pool.PoolAgent).agent] as const)
    )
    for (const agent of settings.agents.values()) {
      const profile = Router.toRoutingAgent(agent)
      if (JSON.stringify(known.get(agent.id)) !== JSON.stringify(profile)) {
        yield* tell({ type: "agentUpdated", agent: profile })
      }
      known.delete(agent.id)
    }
    for (const agentId of known.keys()) yield* tell({ type: "agentRemoved", agentId })
  })

  const tick: Handler = (job) =>
    turn("pool-requests", async (draft) => {
      draft.timer(job.done)
      await append(draft, { type: "tick" })
    })

  return { operations: { setPresence, acceptOffer, declineOffer, pick, assign }, syncAgents, tick }
}
