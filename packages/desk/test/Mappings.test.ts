import { describe, expect, test } from "@effect/vitest"
import {
  type Actor,
  type ConversationCommand,
  ConversationDecision,
  type ConversationEvent,
  ConversationEvolution,
  Id
} from "@switchboard/conversation"
import { Fold } from "@switchboard/metrics"
import * as Attribution from "../src/Attribution.ts"
import * as MetricsReactor from "../src/MetricsReactor.ts"
import * as SlaReactor from "../src/SlaReactor.ts"

const contactId = Id.ContactId.parse("jo")
const conversationId = Id.ConversationId.parse("c1")
const jo: Actor.Actor = { kind: "contact", id: contactId }
const ana: Actor.Actor = { kind: "agent", id: Id.AgentId.parse("ana"), role: "supervisor" }
const robo: Actor.Actor = { kind: "bot", id: Id.BotId.parse("robo") }
const key: Actor.Actor = { kind: "apiKey", id: "key", role: "agent" }
const desk: Actor.Actor = { kind: "system", name: "desk" }

const thread = (id: string, audience: "private" | "internal" = "private") => ({
  id: Id.ThreadId.parse(id),
  channelKind: "chat",
  accountId: Id.ChannelAccountId.parse("site"),
  audience,
  key: id,
  recipients: []
})

type Step = readonly [ConversationCommand.ConversationCommand, Actor.Actor]
const open = (holder?: "bot"): Step => [
  {
    type: "OpenConversation",
    conversationId,
    contactId,
    thread: thread("t"),
    ...(holder && { holder: { kind: "bot", id: Id.BotId.parse("robo") } })
  },
  jo
]
let count = 0
const words = () => ({
  messageId: Id.MessageId.parse(`m${++count}`),
  parts: [{ kind: "text" as const, text: "x", format: "plain" as const }],
  attachments: []
})
const hears = (threadId = "t", automatic = false): Step => [
  { type: "ReceiveMessage", threadId: Id.ThreadId.parse(threadId), ...words(), automatic },
  jo
]
const says = (by: Actor.Actor, threadId = "t", purpose: "service" | "survey" = "service"): Step => [
  { type: "SendMessage", threadId: Id.ThreadId.parse(threadId), ...words(), deliveries: [], purpose },
  by
]
const aside: Step = [{ type: "AddThread", thread: thread("colleagues", "internal") }, ana]
const give = (to: "ana" | "robo" | undefined): Step => [
  {
    type: "GiveControl",
    to:
      to === undefined
        ? { kind: "nobody" }
        : to === "ana"
          ? { kind: "agent", id: Id.AgentId.parse("ana") }
          : { kind: "bot", id: Id.BotId.parse("robo") }
  },
  ana
]
const does = (type: "WaitForContact" | "ResolveConversation" | "ReopenConversation" | "CloseConversation"): Step => [
  { type },
  ana
]
const snooze: Step = [{ type: "SnoozeConversation", untilMs: 99 }, ana]
const wake: Step = [{ type: "WakeConversation" }, ana]
const handOff: Step = [{ type: "HandOff", summary: "", reason: "asked" }, robo]
const transfer: Step = [{ type: "TransferConversation", wanted: {} }, ana]
const merge: Step = [{ type: "MergeConversation", into: Id.ConversationId.parse("c2") }, ana]
const undo: Step = [{ type: "UndoMerge" }, ana]
const echo: Step = [{ type: "RecordEcho", threadId: Id.ThreadId.parse("t"), ...words() }, desk]

type Map = (
  event: ConversationEvent.ConversationEvent,
  before: Attribution.Attribution,
  after: Attribution.Attribution
) => ReadonlyArray<string>

/** What a step's events come to, after the steps before it. */
const after = (before: ReadonlyArray<Step>, step: Step, map: Map): string => {
  let state = ConversationEvolution.empty
  let attribution: Attribution.Attribution | undefined
  const give = ([command, actor]: Step) => {
    const decided = ConversationDecision.decide(state, command, { actor, nowMs: 5 })
    if (!decided.ok) throw new Error(`${command.type}: ${decided.error.message}`)
    state = ConversationEvolution.fold(decided.value, state)
    return decided.value.flatMap((event) => {
      const was = attribution
      attribution = Attribution.evolve(was, event)!
      return map(event, was ?? attribution, attribution)
    })
  }
  for (const one of before) give(one)
  return give(step).join(" ") || "-"
}

const sla: Map = (event, before) =>
  SlaReactor.toSignals(event, { attribution: before, facts: {} }).map((signal) => signal.kind)

const measured = (event: ConversationEvent.ConversationEvent, attribution: Attribution.Attribution) =>
  MetricsReactor.toSignals(
    { family: "conversation", id: conversationId, event, position: 1, stream: "s", version: 1, recordedAtMs: 5 },
    conversationId,
    attribution
  )

const metrics: Map = (event, _, attribution) =>
  measured(event, attribution).map((signal) =>
    "to" in signal
      ? `${signal.kind}:${signal.to}`
      : `${signal.kind}${signal.dimensions.agentId ? `:${signal.dimensions.agentId}` : ""}`
  )

const o = open()
const held = [o, give("ana")]

describe("[DESK-86] what clocks and measures are told", () => {
  test.each([
    ["the contact writes", [o], hears(), "resumed contactMessage", "contactMessage"],
    ["a program writes for them", [o], hears("t", true), "-", "-"],
    ["on a pending conversation", [o, does("WaitForContact")], hears(), "resumed contactMessage", "contactMessage"],
    ["among colleagues", [o, aside], hears("colleagues"), "-", "-"],
    ["an agent takes it and answers", [o], says(ana), "accepted agentReply", "controlChanged:agent agentReply:ana"],
    ["an agent answers", held, says(ana), "agentReply", "agentReply:ana"],
    ["an agent writes to colleagues", [...held, aside], says(ana, "colleagues"), "-", "-"],
    ["an agent sends a survey", held, says(ana, "t", "survey"), "-", "-"],
    ["a program answers with a key", held, says(key), "agentReply", "agentReply:ana"],
    ["the desk sends a notice", held, says(desk), "-", "-"],
    ["the business answers elsewhere", held, echo, "agentReply", "agentReply:ana"],
    ["a bot answers", [open("bot")], says(robo), "botReply", "botReply"],
    ["a bot hands off", [open("bot")], handOff, "handedOff queued", "controlChanged:nobody"],
    ["a person takes over from a bot", [open("bot")], give("ana"), "handedOff accepted", "controlChanged:agent"],
    ["a person takes over from nobody", [o], give("ana"), "accepted", "controlChanged:agent"],
    ["a person gives it to a bot", held, give("robo"), "botTookOver", "controlChanged:bot"],
    ["a person lets it go", held, give(undefined), "queued", "controlChanged:nobody"],
    ["a person passes it on", held, transfer, "queued", "controlChanged:nobody"],
    ["it waits for the contact", held, does("WaitForContact"), "pending", "-"],
    ["it sleeps", held, snooze, "snoozed", "-"],
    ["it wakes", [...held, snooze], wake, "resumed", "-"],
    ["a message wakes it", [...held, snooze], hears(), "resumed resumed contactMessage", "contactMessage:ana"],
    ["it is resolved", held, does("ResolveConversation"), "resolved", "resolved:ana"],
    [
      "a message opens it again",
      [...held, does("ResolveConversation")],
      hears(),
      "reopened queued resumed contactMessage",
      "reopened:ana controlChanged:nobody contactMessage"
    ],
    [
      "a person opens it again",
      [o, does("ResolveConversation")],
      does("ReopenConversation"),
      "reopened queued",
      "reopened"
    ],
    [
      "it opens again with its bot",
      [open("bot"), does("ResolveConversation")],
      hears(),
      "reopened resumed contactMessage",
      "reopened contactMessage"
    ],
    ["it is closed", held, does("CloseConversation"), "closed", "closed:ana controlChanged:nobody"],
    ["a bot's is closed", [open("bot")], does("CloseConversation"), "closed", "closed controlChanged:nobody"],
    [
      "what was said in a resolved one is removed",
      [...held, does("ResolveConversation")],
      [{ type: "EraseContent", reason: "retention" }, desk],
      "closed",
      "closed:ana controlChanged:nobody"
    ],
    [
      "what was said in a closed one is removed",
      [o, does("CloseConversation")],
      [{ type: "EraseContent", reason: "retention" }, desk],
      "-",
      "-"
    ],
    ["it goes on elsewhere", [o], merge, "closed", "controlChanged:nobody abandoned"],
    ["it stands alone again", [o, merge], undo, "reopened", "-"],
    ["it stands alone again, as it was: resolved", [o, does("ResolveConversation"), merge], undo, "-", "-"],
    ["its urgency changes", [o], [{ type: "SetPriority", priority: "high" }, ana], "factsChanged", "-"],
    ["a note is written", [o], [{ type: "AddNote", ...words() }, ana], "-", "-"]
  ] as ReadonlyArray<readonly [string, ReadonlyArray<Step>, Step, string, string]>)(
    "%s",
    (_, before, step, clocks, measures) => {
      expect(after(before, step, sla)).toBe(clocks)
      expect(after(before, step, metrics)).toBe(measures)
    }
  )
})

test.each([
  ["a bot's", [open("bot"), hears()]],
  ["a bot's that has answered", [open("bot"), hears(), says(robo)]],
  ["an agent's", [...held, hears()]],
  ["nobody's", [o, hears()]]
] as ReadonlyArray<readonly [string, ReadonlyArray<Step>]>)(
  "[DESK-86] nobody waits in a conversation that went on elsewhere: %s",
  (_, before) => {
    let state: Fold.FoldState | undefined
    after(before, merge, (event, _, attribution) => {
      for (const signal of measured(event, attribution)) state = Fold.apply(state, signal).state
      return []
    })
    expect(Fold.waiting(state!)).toBeUndefined()
  }
)
