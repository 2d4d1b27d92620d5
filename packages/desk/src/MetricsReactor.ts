/**
 * Folds what happens into measures, by hour.
 *
 * @module
 */
import type { Id } from "@switchboard/conversation"
import { Bucket, Fold, Measures, type MetricSignal, type Sample } from "@switchboard/metrics"
import * as Attribution from "./Attribution.ts"
import type { Recorded } from "./DeskEvent.ts"
import { load, touched } from "./InboxReactor.ts"
import type { Reactor } from "./Reactor.ts"

const dimensionsOf = (attribution: Attribution.Attribution, agentId: string | undefined) => ({
  channelKind: attribution.channelKind,
  accountId: attribution.accountId,
  priority: attribution.priority,
  ...(attribution.teamId !== undefined && { teamId: attribution.teamId }),
  ...(agentId !== undefined && { agentId })
})

/** What the measures are told of an event, and what it is attributed to: what is true once it has happened. */
export const toSignals = (
  recorded: Recorded,
  conversationId: Id.ConversationId,
  attribution: Attribution.Attribution
): ReadonlyArray<MetricSignal.MetricSignal> => {
  const { holder } = attribution
  const holding = holder.kind === "agent" ? holder.id : undefined
  const at = recorded.recordedAtMs
  const facts = (agentId: string | undefined = holding) => ({
    at,
    conversationId,
    dimensions: dimensionsOf(attribution, agentId)
  })
  if (recorded.family === "sla") {
    const { change } = recorded.event
    if (change.kind === "fulfilled") {
      return [{ kind: "slaCompleted", ...facts(), target: change.target, breached: change.breached }]
    }
    return []
  }
  if (recorded.family === "pool") {
    if (recorded.event.type !== "PoolDecided") return []
    const { decision } = recorded.event
    switch (decision.type) {
      case "offerMade":
      case "offerDeclined":
      case "offerExpired":
        return [{ kind: decision.type, ...facts(decision.agentId) }]
      case "itemAssigned":
        return decision.how === "offer" ? [{ kind: "offerAccepted", ...facts(decision.agentId) }] : []
      default:
        return []
    }
  }
  if (recorded.family !== "conversation") return []
  const { event } = recorded
  switch (event.type) {
    case "ConversationOpened":
      return [
        { kind: "opened", ...facts() },
        { kind: "controlChanged", ...facts(), to: event.control.holder.kind }
      ]
    case "MessageReceived":
      return event.message.automatic || Attribution.isAside(attribution, event.message)
        ? []
        : [{ kind: "contactMessage", ...facts() }]
    case "MessageSent":
    case "MessageEchoed": {
      const { author } = event.message
      if (Attribution.isAside(attribution, event.message)) return []
      if (author.kind === "bot") return [{ kind: "botReply", ...facts() }]
      if (author.kind === "agent") return [{ kind: "agentReply", ...facts(author.id) }]
      // A program that a person runs, or the platform's own app, answers for whoever has it.
      return event.type === "MessageEchoed" || author.kind === "apiKey" ? [{ kind: "agentReply", ...facts() }] : []
    }
    case "ControlChanged":
      return [{ kind: "controlChanged", ...facts(), to: event.control.holder.kind }]
    case "ConversationResolved":
      return [{ kind: "resolved", ...facts() }]
    case "ConversationReopened":
      return [{ kind: "reopened", ...facts() }]
    case "ConversationClosed":
      return [{ kind: "closed", ...facts() }]
    // It can be undone: until then nobody waits here, least of all for people because a bot lost it by this.
    case "ConversationMerged":
      return [
        { kind: "controlChanged", ...facts(), to: "nobody" },
        { kind: "abandoned", ...facts() }
      ]
    default:
      return []
  }
}

/** What is kept of a conversation to measure it. */
interface Kept {
  readonly state: Fold.FoldState
  readonly attribution: Attribution.Attribution
}

/** The reactor. */
export const make = (): Reactor => ({
  name: "metrics",
  react: async (events, reads) => {
    const stored = await load<Kept>(reads, "metricStates", touched(events))
    const changed = new Map<string, Kept>()
    const samples: Array<Sample.Sample> = []
    for (const recorded of events) {
      const [id] = touched([recorded])
      if (id === undefined) continue
      const before = changed.get(id) ?? stored.get(id)
      const attribution =
        recorded.family === "conversation"
          ? Attribution.evolve(before?.attribution, recorded.event)
          : before?.attribution
      // Its opening waits to be read.
      if (!attribution) continue
      let state = before?.state
      for (const signal of toSignals(recorded, id, attribution)) {
        const step = Fold.apply(state, signal)
        state = step.state
        samples.push(...step.samples)
      }
      if (state && (state !== before?.state || attribution !== before.attribution)) {
        changed.set(id, { state, attribution })
      }
    }
    const buckets = await load<Bucket.Bucket>(reads, "metricBuckets", Bucket.toIds(samples))
    return {
      commit: {
        views: [
          ...[...changed].map(([key, kept]) => ({
            view: "metricStates",
            key,
            put: { ...kept, waitingSince: Fold.waiting(kept.state)?.sinceMs ?? null }
          })),
          ...Bucket.add(buckets.values(), samples).map((bucket) => ({
            view: "metricBuckets",
            key: Bucket.toId(bucket),
            put: { ...bucket }
          }))
        ]
      }
    }
  }
})

/** Every measure a desk keeps. */
export const measures = Measures.all
