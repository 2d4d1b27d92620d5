/**
 * Folds what happens into measures, by hour.
 *
 * @module
 */
import type { Conversation } from "@switchboard/conversation"
import { Bucket, Fold, Measures, type MetricSignal, type Sample } from "@switchboard/metrics"
import type { Recorded } from "./DeskEvent.ts"
import { load, touched } from "./InboxReactor.ts"
import type { Reactor } from "./Reactor.ts"
import { isAside } from "./SlaReactor.ts"

const dimensionsOf = (conversation: Conversation.Conversation, agentId: string | undefined) => ({
  channelKind: conversation.threads[0]?.channelKind ?? "",
  accountId: conversation.threads[0]?.accountId ?? "",
  priority: conversation.priority,
  ...(conversation.wanted?.teamId !== undefined && { teamId: conversation.wanted.teamId }),
  ...(agentId !== undefined && { agentId })
})

/** What the measures are told of an event. */
export const toSignals = (
  recorded: Recorded,
  conversation: Conversation.Conversation
): ReadonlyArray<MetricSignal.MetricSignal> => {
  const conversationId = conversation.id
  const { holder } = conversation.control
  const holding = holder.kind === "agent" ? holder.id : undefined
  const at = recorded.recordedAtMs
  const facts = (agentId: string | undefined = holding) => ({
    at,
    conversationId,
    dimensions: dimensionsOf(conversation, agentId)
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
      return event.message.automatic || isAside(conversation, event.message)
        ? []
        : [{ kind: "contactMessage", ...facts() }]
    case "MessageSent":
    case "MessageEchoed": {
      const { author } = event.message
      if (isAside(conversation, event.message)) return []
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
    case "ConversationMerged":
      return [{ kind: "closed", ...facts() }]
    default:
      return []
  }
}

/** The reactor. */
export const make = (): Reactor => ({
  name: "metrics",
  react: async (events, reads) => {
    const ids = touched(events)
    const conversations = await load<Conversation.Conversation>(reads, "conversations", ids)
    const stored = await load<{ readonly state: Fold.FoldState }>(reads, "metricStates", ids)
    const states = new Map<string, Fold.FoldState>()
    const samples: Array<Sample.Sample> = []
    for (const recorded of events) {
      const [id] = touched([recorded])
      const conversation = id && conversations.get(id)
      if (!conversation) continue
      for (const signal of toSignals(recorded, conversation)) {
        const step = Fold.apply(states.get(id) ?? stored.get(id)?.state, signal)
        states.set(id, step.state)
        samples.push(...step.samples)
      }
    }
    const buckets = await load<Bucket.Bucket>(reads, "metricBuckets", Bucket.toIds(samples))
    return {
      commit: {
        views: [
          ...[...states].map(([key, state]) => ({
            view: "metricStates",
            key,
            put: { state, waitingSince: Fold.waiting(state)?.sinceMs ?? null }
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
