/**
 * The owner of a pool: feeds its engine from the journal and commits what it decides.
 *
 * Everything the engine hears follows from the journal, with the time it was written: what is read beside the events are
 * documents that the journal makes, as they stand when the events are read. Accepts, picks, transfers and presence are
 * requests in a stream of their own, answered here and nowhere else.
 *
 * @module
 */
import { type Agent, type Conversation, Conversation as Conversations, type Id } from "@switchboard/conversation"
import {
  type Decision,
  type Explanation,
  type Pool,
  RoutingAgent,
  RoutingEngine,
  type Signal
} from "@switchboard/routing"
import type { Storage, StorageDriver } from "@switchboard/storage"
import type { Settings } from "./DeskConfig.ts"
import { encode, type Recorded, streams } from "./DeskEvent.ts"
import { load, touched } from "./InboxReactor.ts"
import * as Jobs from "./Jobs.ts"
import type { Consequence, Reactor } from "./Reactor.ts"
import * as WorkItems from "./WorkItems.ts"

/** The only pool of a workspace. */
export const pool = "main"

/** An agent as routing sees them. */
export const toRoutingAgent = (agent: Agent.Agent): RoutingAgent.RoutingAgent =>
  RoutingAgent.make({
    agentId: agent.id,
    skills: agent.skills,
    teams: agent.teams,
    languages: agent.languages,
    capacity: {
      units: agent.capacity.total,
      perChannelKind: agent.capacity.perChannelKind,
      ...(agent.capacity.exclusive && { exclusive: agent.capacity.exclusive }),
      ...(agent.capacity.interruptible && { interruptible: agent.capacity.interruptible })
    },
    ...(agent.homeQueues && { homeQueues: agent.homeQueues }),
    ...(agent.weight !== undefined && { weight: agent.weight }),
    ...(agent.attributes && { attributes: agent.attributes })
  })

type Answer = Extract<Decision.Decision, { readonly type: "requestAnswered" }>

/** The pool's owner in this process. */
export interface Router {
  readonly reactor: Reactor
  /** The engine as the last commit left it, for reading; `undefined` before the first event. */
  readonly engine: () => RoutingEngine.RoutingEngine | undefined
  readonly explain: (conversationId: string, nowMs: number) => Explanation.ItemExplanation | undefined
  /** Settles with the answer to a request. Ask before the request is committed. */
  readonly answer: (requestId: string) => Promise<Answer>
  /** Nobody waits for the answer any more. */
  readonly forget: (requestId: string) => void
}

interface Held {
  readonly engine: RoutingEngine.RoutingEngine
  version: number
  lastMs: number
  dueAtMs: number | undefined
}

/** Makes the owner of the workspace's pool. */
export const make = (settings: Pick<Settings, "routing" | "placement" | "limits">): Router => {
  const workItems = WorkItems.make(settings)
  let held: Held | undefined
  const waiting = new Map<string, (answer: Answer) => void>()

  const restore = async (reads: Storage.Reads): Promise<Held> => {
    const all = async <A>(view: string): Promise<ReadonlyArray<A>> => {
      const found: Array<A> = []
      let after: StorageDriver.Query["after"]
      do {
        const page = await reads.query({
          view,
          where: [{ field: "pool", equals: pool }],
          limit: 1000,
          ...(after && { after })
        })
        for (const stored of page.documents) found.push(stored.document as unknown as A)
        after = page.next
      } while (after)
      return found
    }
    const [items, agents, version] = await Promise.all([
      all<Pool.PoolItem>("poolItems"),
      all<Pool.PoolAgent>("poolAgents"),
      reads.streamVersion(streams.pool(pool))
    ])
    const [last] = version === 0 ? [] : await reads.stream(streams.pool(pool), version - 1, 1)
    return {
      engine: RoutingEngine.restore(settings.routing, { items, agents }),
      version,
      // The pool's time never runs backwards, not from one owner to the next either.
      lastMs: Number(last?.body["nowMs"] ?? 0),
      dueAtMs: undefined
    }
  }

  /** What the engine is told when the clocks of a conversation have reported something. */
  const toDue = async (
    engine: RoutingEngine.RoutingEngine,
    itemId: string,
    reads: Storage.Reads
  ): Promise<ReadonlyArray<Signal.Signal>> => {
    const known = engine.itemDocument(itemId)
    if (!known) return []
    const dueAtMs = await workItems.dueOf(itemId, reads)
    return dueAtMs === known.item.dueAtMs ? [] : [{ type: "itemChanged", itemId, dueAtMs: dueAtMs ?? null }]
  }

  /** What the engine is told of an event. */
  const toSignals = async (
    engine: RoutingEngine.RoutingEngine,
    recorded: Recorded,
    conversation: Conversation.Conversation | undefined,
    reads: Storage.Reads
  ): Promise<ReadonlyArray<Signal.Signal>> => {
    if (recorded.family === "pool") return recorded.event.type === "PoolAsked" ? [recorded.event.signal] : []
    if (recorded.family === "sla") return workItems.isByDue ? toDue(engine, recorded.id, reads) : []
    if (recorded.family !== "conversation" || !conversation) return []
    const { event } = recorded
    const itemId = conversation.id
    const item = engine.itemDocument(itemId)
    const atMs = recorded.recordedAtMs
    const remove = (reason: string): ReadonlyArray<Signal.Signal> =>
      item ? [{ type: "itemRemoved", itemId, reason }] : []
    const { holder } = conversation.control
    const arrive = async (): Promise<Signal.Signal> => ({
      type: "itemArrived",
      item: await workItems.toItem(conversation, atMs, reads)
    })
    /** Whoever holds it has it on their desk; what nobody holds waits. Only open conversations are work. */
    const place = async (): Promise<ReadonlyArray<Signal.Signal>> => {
      if (item || conversation.status !== "open" || holder.kind === "bot") return []
      return [await arrive(), ...(holder.kind === "agent" ? [heldBy(holder.id)] : [])]
    }
    // They hold it already: nothing that capacity says can change that.
    const heldBy = (agentId: string): Signal.Signal => ({
      type: "itemAssigned",
      requestId: `journal/${recorded.position}`,
      itemId,
      agentId,
      by: agentId
    })
    switch (event.type) {
      case "ConversationOpened":
        return event.control.holder.kind === "nobody" ? [await arrive()] : []
      case "ControlChanged": {
        const now = event.control.holder
        if (now.kind === "bot") return remove("bot")
        if (now.kind === "agent") {
          if (!item) return conversation.status === "open" ? [await arrive(), heldBy(now.id)] : []
          return item.place.kind === "assigned" && item.place.agentId === now.id ? [] : [heldBy(now.id)]
        }
        if (event.reason === "closed" || !Conversations.isActive(conversation)) return remove("closed")
        // The reopening that came with it has placed it already.
        if (event.reason === "reopened" && item && item.place.kind !== "assigned") return []
        return [...remove(event.reason), await arrive()]
      }
      // Back from pending, which has no event of its own.
      case "MessageReceived":
      case "ConversationWoken":
      case "ConversationReopened":
      case "MergeUndone":
        return place()
      case "ConversationPending":
      case "ConversationSnoozed":
        return remove(event.type === "ConversationPending" ? "pending" : "snoozed")
      case "ConversationResolved":
        return remove("resolved")
      case "ConversationClosed":
      case "ConversationMerged":
        return remove("closed")
      case "PriorityChanged":
        return item ? [{ type: "itemChanged", itemId, priority: await workItems.priorityOf(conversation, reads) }] : []
      case "TagAdded":
      case "TagRemoved":
        return item && workItems.comparesTags
          ? [{ type: "itemChanged", itemId, attributes: { ...item.item.attributes, tags: conversation.tags } }]
          : []
      default:
        return []
    }
  }

  const react: Reactor["react"] = async (events, reads) => {
    held ??= await restore(reads)
    const current = held
    const conversations = await load<Conversation.Conversation>(
      reads,
      "conversations",
      touched(events.filter((recorded) => recorded.family === "conversation"))
    )
    const appended: Array<StorageDriver.NewEvent> = []
    const consequences: Array<Consequence> = []
    for (const recorded of events) {
      // Orders come from what the pool decided, once it is in the journal.
      if (recorded.family === "pool" && recorded.event.type === "PoolDecided") {
        const { decision } = recorded.event
        // An answer counts once it is in the journal, whoever wrote it there.
        if (decision.type === "requestAnswered") waiting.get(decision.requestId)?.(decision)
        if (decision.type === "itemAssigned") {
          consequences.push({
            conversationId: decision.itemId as Id.ConversationId,
            command: { type: "GiveControl", to: { kind: "agent", id: decision.agentId as Id.AgentId } },
            commandId: `journal/${recorded.position}`
          })
        }
        continue
      }
      const conversation = recorded.family === "conversation" ? conversations.get(recorded.id) : undefined
      for (const signal of await toSignals(current.engine, recorded, conversation, reads)) {
        current.lastMs = Math.max(current.lastMs, recorded.recordedAtMs)
        for (const decision of current.engine.apply(signal, current.lastMs)) {
          appended.push(
            encode(
              { type: "PoolDecided", answers: recorded.position, nowMs: current.lastMs, decision },
              undefined,
              current.lastMs
            )
          )
        }
      }
    }
    const changed = current.engine.takeChanged()
    const dueAtMs = current.engine.nextDueAt()
    const timers: ReadonlyArray<StorageDriver.TimerChange> =
      dueAtMs === current.dueAtMs
        ? []
        : dueAtMs === undefined
          ? [{ clear: `pool/${pool}` }]
          : [{ set: Jobs.job("pool", pool, dueAtMs, { pool }) }]
    const expectedVersion = current.version
    current.version += appended.length
    current.dueAtMs = dueAtMs
    const document = (view: string, key: string, put: object | undefined): StorageDriver.ViewChange =>
      put ? { view, key, put: { ...put, pool } } : { view, key, delete: true }
    const itemChange = (id: string): StorageDriver.ViewChange => {
      const put = current.engine.itemDocument(id)
      return document(
        "poolItems",
        id,
        put && {
          ...put,
          placed: put.place.kind,
          ...(put.place.kind !== "waiting" && { agentId: put.place.agentId })
        }
      )
    }
    return {
      consequences,
      commit: {
        appends: appended.length > 0 ? [{ stream: streams.pool(pool), expectedVersion, events: appended }] : [],
        views: [
          ...changed.items.map(itemChange),
          ...changed.agents.map((id) => document("poolAgents", id, current.engine.agentDocument(id)))
        ],
        timers
      }
    }
  }

  return {
    reactor: {
      name: "router",
      // Every assignment is in these two: passing over them would be to give nobody control any more.
      isEssential: (stream) => stream === streams.pool(pool) || stream === streams.poolRequests(pool),
      react,
      // Decisions counted in memory at once: what was not committed never happened.
      reset: () => {
        held = undefined
      }
    },
    engine: () => held?.engine,
    explain: (conversationId, nowMs) => held?.engine.explain(conversationId, nowMs),
    answer: (requestId) => new Promise((resolve) => void waiting.set(requestId, resolve)),
    forget: (requestId) => void waiting.delete(requestId)
  }
}
