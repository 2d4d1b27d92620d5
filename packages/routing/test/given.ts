import {
  Capacity,
  type Decision,
  RoutingAgent,
  RoutingEngine,
  RoutingPolicy,
  type Signal,
  WorkItem
} from "@switchboard/routing"

export const agent = (agentId: string, more: Partial<RoutingAgent.RoutingAgent> = {}) =>
  RoutingAgent.make({ agentId, capacity: Capacity.make(1), ...more })

export const item = (itemId: string, more: Partial<WorkItem.WorkItem> = {}) =>
  WorkItem.make({ itemId, queueId: "support", channelKind: "chat", arrivedAtMs: 0, ...more })

/** What asks for an answer, told without its `requestId`. */
type Request<T extends Signal.Signal = Signal.Signal> = T extends { readonly requestId?: string }
  ? Omit<T, "requestId">
  : never

/** An engine in a test, told things in few words. */
export const pool = (policy: Partial<RoutingPolicy.RoutingPolicy> = {}) => {
  const engine = RoutingEngine.make(RoutingPolicy.make(policy))
  let requests = 0
  const tell = (signal: Signal.Signal, now = 0): ReadonlyArray<Decision.Decision> => engine.apply(signal, now)
  const self = {
    engine,
    tell,
    /** Adds agents who are available from `now` on. */
    available: (agents: ReadonlyArray<RoutingAgent.RoutingAgent>, now = 0) => {
      for (const agent of agents) {
        tell({ type: "agentUpdated", agent }, now)
        tell({ type: "presenceChanged", agentId: agent.agentId, status: "available" }, now)
      }
      return self
    },
    arrive: (itemId: string, more: Partial<WorkItem.WorkItem> = {}, now = more.arrivedAtMs ?? 0) =>
      tell({ type: "itemArrived", item: item(itemId, { arrivedAtMs: now, ...more }) }, now),
    /** Sends a request and returns what followed its answer; a refusal comes back as its code. */
    ask: (signal: Request, now = 0) => {
      const requestId = `r${++requests}`
      const decisions = tell({ ...signal, requestId } as Signal.Signal, now)
      const at = decisions.findIndex(({ type }) => type === "requestAnswered")
      const answer = decisions[at]
      if (answer?.type !== "requestAnswered" || answer.requestId !== requestId) throw new Error("no answer")
      return answer.outcome === "refused" ? [answer.refusal!.code] : decisions.slice(at + 1).map(brief)
    },
    /** Where an item is: `waiting`, `offered ada`, `assigned ada`, or undefined. */
    place: (itemId: string) => {
      const place = engine.itemDocument(itemId)?.place
      return place && (place.kind === "waiting" ? "waiting" : `${place.kind} ${place.agentId}`)
    }
  }
  return self
}

/** A decision in a few words. */
export const brief = (decision: Decision.Decision): string => {
  switch (decision.type) {
    case "requestAnswered":
      return decision.outcome === "accepted" ? "accepted" : decision.refusal!.code
    case "itemQueued":
      return `queued ${decision.itemId} ${decision.cause}${decision.waitsFor === undefined ? "" : ` for ${decision.waitsFor}`}`
    case "itemRelaxed":
      return `relaxed ${decision.itemId} to ${decision.step} of ${decision.of}${decision.cause === "age" ? "" : ` ${decision.cause}`}`
    case "offerMade":
      return `offer ${decision.offerId} to ${decision.agentId}`
    case "offerDeclined":
      return `declined ${decision.offerId}`
    case "offerExpired":
      return `expired ${decision.offerId}`
    case "offerWithdrawn":
      return `withdrawn ${decision.offerId} ${decision.cause}`
    case "itemAssigned":
      return `assigned ${decision.itemId} to ${decision.agentId} ${decision.how}${decision.overCapacity ? " over" : ""}`
    case "itemLeft":
      return `left ${decision.itemId} ${decision.cause}`
    case "wrapUpEnded":
      return `wrapUp ${decision.agentId} ${decision.itemId} ${decision.cause}`
    case "presenceSet":
      return `presence ${decision.agentId} ${decision.status} ${decision.cause}`
  }
}
