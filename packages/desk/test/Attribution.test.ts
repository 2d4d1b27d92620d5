import { expect, test } from "@effect/vitest"
import {
  type Actor,
  type ConversationCommand,
  ConversationDecision,
  type ConversationEvent,
  ConversationEvolution,
  Id
} from "@switchboard/conversation"
import type { Bucket } from "@switchboard/metrics"
import { SlaPlan, type SlaRecord, Target } from "@switchboard/sla"
import type { Storage } from "@switchboard/storage"
import type { Recorded } from "../src/DeskEvent.ts"
import * as MetricsReactor from "../src/MetricsReactor.ts"
import type { Reactor } from "../src/Reactor.ts"
import * as SlaReactor from "../src/SlaReactor.ts"

const id = Id.ConversationId.parse("c1")
const jo: Actor.Actor = { kind: "contact", id: Id.ContactId.parse("jo") }
const vera: Actor.Actor = { kind: "agent", id: Id.AgentId.parse("vera"), role: "supervisor" }
const ana: Actor.Actor = { kind: "agent", id: Id.AgentId.parse("ana"), role: "agent" }
const bo: Actor.Actor = { kind: "agent", id: Id.AgentId.parse("bo"), role: "agent" }
const team = (name: string) => ({ teamId: Id.TeamId.parse(name) })
const thread = (name: string, audience: "private" | "internal" = "private") => ({
  id: Id.ThreadId.parse(name),
  channelKind: "chat",
  accountId: Id.ChannelAccountId.parse("site"),
  audience,
  key: name,
  recipients: []
})
let count = 0
const words = (threadId = "t") => ({
  messageId: Id.MessageId.parse(`m${++count}`),
  threadId: Id.ThreadId.parse(threadId),
  parts: [{ kind: "text" as const, text: "x", format: "plain" as const }],
  attachments: []
})
const hears: ConversationCommand.ConversationCommand = { type: "ReceiveMessage", ...words() }

/** One matter that passes through many hands, a command a minute. */
const matter: ReadonlyArray<readonly [ConversationCommand.ConversationCommand, Actor.Actor]> = [
  [
    {
      type: "OpenConversation",
      conversationId: id,
      contactId: Id.ContactId.parse("jo"),
      thread: thread("t"),
      wanted: team("billing")
    },
    jo
  ],
  [hears, jo],
  [{ type: "SendMessage", ...words(), deliveries: [] }, ana],
  [{ type: "AddThread", thread: thread("colleagues", "internal") }, ana],
  [{ type: "SendMessage", ...words("colleagues"), deliveries: [] }, ana],
  [{ type: "ReceiveMessage", ...words() }, jo],
  [{ type: "TransferConversation", wanted: team("returns") }, ana],
  [{ type: "SetPriority", priority: "urgent" }, vera],
  [{ type: "AddTag", tag: "vip" }, vera],
  [{ type: "SendMessage", ...words(), deliveries: [] }, bo],
  [{ type: "ResolveConversation" }, bo],
  [{ type: "ReceiveMessage", ...words() }, jo],
  [{ type: "MergeConversation", into: Id.ConversationId.parse("c2") }, vera],
  [{ type: "UndoMerge" }, vera],
  [{ type: "GiveControl", to: { kind: "agent", id: Id.AgentId.parse("ana") } }, vera],
  [{ type: "ResolveConversation" }, ana],
  [{ type: "CloseConversation" }, vera]
]

const minuteMs = 60_000
let state = ConversationEvolution.empty
const events: Array<ConversationEvent.ConversationEvent> = []
for (const [index, [command, actor]] of matter.entries()) {
  const decided = ConversationDecision.decide(state, command, { actor, nowMs: (index + 1) * minuteMs })
  if (!decided.ok) throw new Error(`${command.type}: ${decided.error.message}`)
  state = ConversationEvolution.fold(decided.value, state)
  events.push(...decided.value)
}
const journal = events.map(
  (event, index): Recorded => ({
    family: "conversation",
    id,
    event,
    position: index + 1,
    stream: "conversation/c1",
    version: index + 1,
    recordedAtMs: event.meta.recordedAtMs
  })
)

/** What a reactor leaves when it reads the journal in batches of `size`, long after all of it happened. */
const read = async (reactor: Reactor, size: number) => {
  const documents = new Map<string, { key: string; document: object; version?: number }>([
    ["conversations/c1", { key: "c1", document: state.conversation! }]
  ])
  const reads = {
    documents: async (view: string, keys: ReadonlyArray<string>) => keys.map((key) => documents.get(`${view}/${key}`))
  } as unknown as Storage.Reads
  const reported: Array<unknown> = []
  for (let at = 0; at < journal.length; at += size) {
    const { commit } = await reactor.react(journal.slice(at, at + size), reads, 99 * minuteMs)
    for (const change of commit.views ?? []) {
      if ("put" in change) {
        const { view, key, put: document, version } = change
        documents.set(`${view}/${key}`, { key, document, ...(version !== undefined && { version }) })
      }
    }
    for (const append of commit.appends ?? []) reported.push(...append.events.map((event) => event.body))
  }
  documents.delete("conversations/c1")
  return { documents: Object.fromEntries(documents), reported }
}

const plan = SlaPlan.make({
  calendars: [],
  policies: [
    {
      id: "vip",
      version: 1,
      when: { tags: ["vip"] },
      targets: [Target.firstReply({ durationMs: minuteMs, time: "elapsed" })]
    },
    {
      id: "all",
      version: 1,
      targets: [
        Target.firstReply({
          durationMs: 30 * minuteMs,
          time: "elapsed",
          overrides: [{ when: { priority: ["urgent"] }, durationMs: 5 * minuteMs }]
        }),
        Target.resolution({ durationMs: 120 * minuteMs, time: "elapsed" })
      ]
    }
  ]
})
if (!plan.ok) throw new Error(plan.error.message)

test("[DESK-103] measures are the same in one batch and event by event", async () => {
  const whole = await read(MetricsReactor.make(), journal.length)
  for (const size of [1, 2, 3, 5]) expect(await read(MetricsReactor.make(), size)).toEqual(whole)

  const cells = (measure: string) =>
    Object.values(whole.documents)
      .map((one) => one.document as Bucket.Bucket)
      .filter((bucket) => bucket.measure === measure)
      .flatMap((bucket) => Object.values(bucket.cells))
      .map(({ dimensions, count: many, sum }) => ({ ...dimensions, many, sum }))
  const chat = { channelKind: "chat", accountId: "site" }
  expect(cells("first-response-time")).toEqual([
    { ...chat, teamId: "billing", agentId: "ana", priority: "normal", many: 1, sum: minuteMs }
  ])
  expect(cells("reply-time")).toEqual([
    { ...chat, teamId: "billing", agentId: "ana", priority: "normal", many: 1, sum: minuteMs },
    { ...chat, teamId: "returns", agentId: "bo", priority: "urgent", many: 1, sum: 4 * minuteMs }
  ])
})

test("[DESK-103] clocks are the same in one batch and event by event", async () => {
  const whole = await read(SlaReactor.make(plan.value), journal.length)
  for (const size of [1, 2, 3, 5]) {
    const other = await read(SlaReactor.make(plan.value), size)
    expect(other.reported).toEqual(whole.reported)
    expect(Object.values(other.documents).map((one) => one.document)).toEqual(
      Object.values(whole.documents).map((one) => one.document)
    )
  }
  const changes = whole.reported.map((body) => (body as { readonly change: Record<string, unknown> }).change)
  // The tag came in the ninth minute; before it the other policy held, with the terms of each moment.
  expect(changes.find((change) => change["kind"] === "policyChanged")).toMatchObject({
    at: 9 * minuteMs,
    to: { id: "vip" }
  })
  expect(changes.find((change) => change["kind"] === "started")).toMatchObject({ at: minuteMs, dueAt: 121 * minuteMs })
  const record = Object.values(whole.documents)[0]!.document as SlaRecord.SlaRecord
  expect(record.facts).toEqual({ channel: "chat", priority: "urgent", tags: ["vip"], attributes: {} })
})
