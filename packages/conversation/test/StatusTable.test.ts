import type { Actor, ConversationCommand } from "@switchboard/conversation"
import { ConversationCommand as Commands, Id } from "@switchboard/conversation"
import { describe, expect, test } from "vitest"
import {
  ana,
  contactId,
  did,
  echo,
  given,
  held,
  history,
  holderOf,
  jo,
  key,
  mid,
  note,
  open,
  otherConversation,
  receive,
  recipient,
  robo,
  type Step,
  send,
  thread,
  timer
} from "./scenario.ts"

type Kind = Actor.Actor["kind"]
const actors: Readonly<Record<Kind, Actor.Actor>> = { agent: ana, bot: robo, contact: jo, system: timer, apiKey: key }
const statuses = ["open", "pending", "snoozed", "resolved", "closed", "merged"] as const

/** Everything a command needs to be there; the agent or bot that acts has control, else nobody. */
const setUp = (status: (typeof statuses)[number], actor: Actor.Actor): ReadonlyArray<Step> => {
  const own = `m-${actor.kind}`
  const steps: Array<Step> = [
    [open({ holder: holderOf(actor), tags: ["old"] }), jo],
    [
      receive("m-in", {
        attachments: [{ id: Id.AttachmentId.parse("a1"), mediaType: "image/png", state: "pending", source: "ref" }]
      }),
      jo
    ],
    [send("m-out"), timer],
    [{ type: "RecordDelivery", messageId: mid("m-out"), deliveryId: did("d-m-out"), state: "sent" }, timer],
    [send("m-failed"), timer],
    [{ type: "RecordDelivery", messageId: mid("m-failed"), deliveryId: did("d-m-failed"), state: "failed" }, timer],
    [actor.kind === "contact" ? receive(own) : actor.kind === "system" ? send(own) : note(own), actor],
    [{ type: "AddReaction", messageId: mid(own), emoji: "👍" }, actor],
    [{ type: "LinkConversation", link: { kind: "related", conversationId: Id.ConversationId.parse("old") } }, timer],
    [{ type: "AddParticipant", participant: { role: "cc", address: recipient } }, timer],
    [receive("m-last"), jo]
  ]
  const then: Record<(typeof statuses)[number], ReadonlyArray<Step>> = {
    open: [],
    pending: [[{ type: "WaitForContact" }, timer]],
    snoozed: [[{ type: "SnoozeConversation", untilMs: 50_000 }, timer]],
    resolved: [[{ type: "ResolveConversation" }, timer]],
    closed: [[{ type: "CloseConversation" }, timer]],
    merged: [[{ type: "MergeConversation", into: otherConversation }, timer]]
  }
  return [...steps, ...then[status]]
}

const commandOf = (type: Exclude<ConversationCommand.ConversationCommand["type"], "OpenConversation">, kind: Kind) => {
  const own = mid(`m-${kind}`)
  const link = { kind: "related" as const, conversationId: otherConversation }
  const participant = { role: "requester" as const, contactId: Id.ContactId.parse("jim") }
  const table: Readonly<Record<typeof type, ConversationCommand.ConversationCommand>> = {
    AddThread: { type: "AddThread", thread: thread("chat") },
    ReceiveMessage: receive("new"),
    RecordEcho: echo("new"),
    SendMessage: send("new"),
    AddNote: note("new"),
    EditMessage: { type: "EditMessage", messageId: own, parts: [{ kind: "text", text: "other", format: "plain" }] },
    DeleteMessage: { type: "DeleteMessage", messageId: own },
    AddReaction: { type: "AddReaction", messageId: own, emoji: "🎉" },
    RemoveReaction: { type: "RemoveReaction", messageId: own, emoji: "👍" },
    RecordDelivery: {
      type: "RecordDelivery",
      messageId: mid("m-out"),
      deliveryId: did("d-m-out"),
      state: "delivered"
    },
    RetryDelivery: { type: "RetryDelivery", messageId: mid("m-failed"), deliveryId: did("d-m-failed") },
    RecordAttachment: {
      type: "RecordAttachment",
      messageId: mid("m-in"),
      attachmentId: Id.AttachmentId.parse("a1"),
      result: { state: "stored", blobKey: "b", sizeBytes: 3, mediaType: "image/png" }
    },
    MarkRead: { type: "MarkRead" },
    WaitForContact: { type: "WaitForContact" },
    SnoozeConversation: { type: "SnoozeConversation", untilMs: 2_000_000 },
    WakeConversation: { type: "WakeConversation" },
    ResolveConversation: { type: "ResolveConversation" },
    ReopenConversation: { type: "ReopenConversation" },
    CloseConversation: { type: "CloseConversation" },
    GiveControl: { type: "GiveControl", to: held("zoe") },
    HandOff: { type: "HandOff", summary: "wants a human", reason: "asked" },
    TransferConversation: { type: "TransferConversation", wanted: { teamId: Id.TeamId.parse("billing") } },
    SetPriority: { type: "SetPriority", priority: "urgent" },
    AddTag: { type: "AddTag", tag: "new" },
    RemoveTag: { type: "RemoveTag", tag: "old" },
    SetAttributes: { type: "SetAttributes", attributes: { order: 7 } },
    SetSubject: { type: "SetSubject", subject: "Refund" },
    AddParticipant: { type: "AddParticipant", participant },
    RemoveParticipant: { type: "RemoveParticipant", participant: { role: "requester", contactId } },
    LinkConversation: { type: "LinkConversation", link },
    UnlinkConversation: {
      type: "UnlinkConversation",
      link: { kind: "related", conversationId: Id.ConversationId.parse("old") }
    },
    MergeConversation: { type: "MergeConversation", into: Id.ConversationId.parse("c3") },
    UndoMerge: { type: "UndoMerge" },
    EraseContent: { type: "EraseContent", reason: "request" }
  }
  return table[type]
}

/**
 * What each command does, by status and kind of actor. A cell is the events' types, `-` for none, or `!` and the code
 * of the refusal; `"` is the cell to its left. `closed` and `merged` stand for their two refusals. Where an agent or a
 * bot acts it has control (the other table has those who have not); where others act, nobody has.
 */
const table = `
command              | actors                    | open                                      | pending | snoozed | resolved | closed | merged
AddThread            | all                       | ThreadAdded                               | "       | "       | "        | closed | merged
ReceiveMessage       | agent                     | MessageReceived                           | "       | ConversationWoken MessageReceived | ConversationReopened ControlChanged MessageReceived | closed | merged
ReceiveMessage       | bot contact system apiKey | MessageReceived                           | "       | ConversationWoken MessageReceived | ConversationReopened MessageReceived | closed | merged
RecordEcho           | all                       | MessageEchoed                             | "       | "       | "        | closed | merged
SendMessage          | agent bot system apiKey   | MessageSent                               | "       | "       | "        | closed | merged
SendMessage          | contact                   | !notInControl                             | "       | "       | "        | closed | merged
AddNote              | all                       | NoteAdded                                 | "       | "       | "        | closed | merged
EditMessage          | agent bot apiKey          | MessageEdited                             | "       | "       | "        | closed | merged
EditMessage          | contact system            | MessageEdited                             | "       | "       | "        | "      | "
DeleteMessage        | agent bot apiKey          | MessageDeleted                            | "       | "       | "        | closed | merged
DeleteMessage        | contact system            | MessageDeleted                            | "       | "       | "        | "      | "
AddReaction          | agent bot apiKey          | ReactionAdded                             | "       | "       | "        | closed | merged
AddReaction          | contact system            | ReactionAdded                             | "       | "       | "        | "      | "
RemoveReaction       | agent bot apiKey          | ReactionRemoved                           | "       | "       | "        | closed | merged
RemoveReaction       | contact system            | ReactionRemoved                           | "       | "       | "        | "      | "
RecordDelivery       | all                       | DeliveryChanged                           | "       | "       | "        | "      | "
RetryDelivery        | all                       | DeliveryChanged                           | "       | "       | "        | closed | merged
RecordAttachment     | all                       | AttachmentStored                          | "       | "       | "        | "      | "
MarkRead             | all                       | ConversationRead                          | "       | "       | "        | closed | merged
WaitForContact       | all                       | ConversationPending                       | -       | ConversationPending | !statusNotAllowed | closed | merged
SnoozeConversation   | all                       | ConversationSnoozed                       | "       | "       | !statusNotAllowed | closed | merged
WakeConversation     | all                       | -                                         | "       | ConversationWoken | - | closed | merged
ResolveConversation  | all                       | ConversationResolved                      | "       | "       | -        | closed | merged
ReopenConversation   | agent                     | -                                         | "       | "       | ConversationReopened ControlChanged | closed | merged
ReopenConversation   | bot contact system apiKey | -                                         | "       | "       | ConversationReopened | closed | merged
CloseConversation    | agent bot                 | ConversationClosed ControlChanged         | "       | "       | "        | closed | merged
CloseConversation    | contact system apiKey     | ConversationClosed                        | "       | "       | "        | closed | merged
GiveControl          | all                       | ControlChanged                            | "       | "       | "        | closed | merged
HandOff              | bot                       | HandedOff ControlChanged                  | "       | "       | "        | closed | merged
HandOff              | agent contact system apiKey | !notInControl                           | "       | "       | "        | closed | merged
TransferConversation | all                       | ConversationTransferred ControlChanged    | "       | "       | "        | closed | merged
SetPriority          | all                       | PriorityChanged                           | "       | "       | "        | closed | merged
AddTag               | all                       | TagAdded                                  | "       | "       | "        | closed | merged
RemoveTag            | all                       | TagRemoved                                | "       | "       | "        | closed | merged
SetAttributes        | all                       | AttributesSet                             | "       | "       | "        | closed | merged
SetSubject           | all                       | SubjectSet                                | "       | "       | "        | closed | merged
AddParticipant       | all                       | ParticipantAdded                          | "       | "       | "        | closed | merged
RemoveParticipant    | all                       | ParticipantRemoved                        | "       | "       | "        | closed | merged
LinkConversation     | agent bot apiKey          | ConversationLinked                        | "       | "       | "        | closed | merged
LinkConversation     | contact system            | ConversationLinked                        | "       | "       | "        | "      | "
UnlinkConversation   | agent bot apiKey          | ConversationUnlinked                      | "       | "       | "        | closed | merged
UnlinkConversation   | contact system            | ConversationUnlinked                      | "       | "       | "        | "      | "
MergeConversation    | agent bot                 | ConversationMerged ControlChanged         | "       | "       | "        | ConversationMerged | merged
MergeConversation    | contact system apiKey     | ConversationMerged                        | "       | "       | "        | "      | merged
UndoMerge            | all                       | !notMerged                                | "       | "       | "        | "      | MergeUndone
EraseContent         | agent bot                 | !statusNotAllowed                         | "       | "       | ConversationClosed ControlChanged ContentErased | ContentErased | "
EraseContent         | contact system apiKey     | !statusNotAllowed                         | "       | "       | ConversationClosed ContentErased | ContentErased | "
`

const rows = table
  .trim()
  .split("\n")
  .slice(1)
  .flatMap((line) => {
    const [type = "", who = "", ...cells] = line.split("|").map((cell) => cell.trim())
    let left = ""
    const expected = cells.map((cell) => {
      left =
        cell === '"'
          ? left
          : cell === "closed" || cell === "merged"
            ? `!conversation${cell[0]?.toUpperCase()}${cell.slice(1)}`
            : cell
      return left
    })
    const kinds = who === "all" ? (Object.keys(actors) as Array<Kind>) : (who.split(" ") as Array<Kind>)
    return kinds.map((kind) => ({ type: type as Parameters<typeof commandOf>[0], kind, expected }))
  })

describe("status × command × actor", () => {
  test("[CONV-3] the table has one row for every command and kind of actor", () => {
    const wanted = Commands.ConversationCommand.options
      .map((option) => option.shape.type.value)
      .filter((type) => type !== "OpenConversation")
      .flatMap((type) => Object.keys(actors).map((kind) => `${type} ${kind}`))
    expect(rows.map(({ type, kind }) => `${type} ${kind}`).sort()).toEqual(wanted.sort())
    expect(rows.every(({ expected }) => expected.length === statuses.length)).toBe(true)
  })

  test.each(rows)("[CONV-3] $type by $kind", ({ type, kind, expected }) => {
    const actor = actors[kind]
    const found = statuses.map(
      (status) => given(history(...setUp(status, actor))).when(commandOf(type, kind), actor).told
    )
    expect(found).toEqual(expected)
  })

  test.each(Object.values(actors))("[CONV-1] OpenConversation by $kind opens nothing twice", (actor) => {
    for (const status of statuses) {
      expect(given(history(...setUp(status, actor))).when(open(), actor).told).toBe("!conversationExists")
    }
  })

  test.each(rows)("[CONV-1] $type by $kind is refused before the conversation is opened", ({ type, kind }) => {
    expect(given([]).when(commandOf(type, kind), actors[kind]).told).toBe("!conversationUnknown")
  })
})

/** What those do who have no control, while the conversation is open; what is not named here is as above. */
const controlled = `
command              | agent, another agent has it | bot, an agent has it | bot, another bot has it | bot, nobody has it
SendMessage          | !notInControl               | !notInControl        | !notInControl           | !notInControl
WaitForContact       | ConversationPending         | !notInControl        | !notInControl           | !notInControl
SnoozeConversation   | ConversationSnoozed         | !notInControl        | !notInControl           | !notInControl
WakeConversation     | -                           | !notInControl        | !notInControl           | !notInControl
ResolveConversation  | ConversationResolved        | !notInControl        | !notInControl           | !notInControl
ReopenConversation   | -                           | !notInControl        | !notInControl           | !notInControl
CloseConversation    | ConversationClosed ControlChanged | !notInControl  | !notInControl           | !notInControl
GiveControl          | ControlChanged              | !notInControl        | !notInControl           | !notInControl
HandOff              | !notInControl               | !notInControl        | !notInControl           | !notInControl
TransferConversation | ConversationTransferred ControlChanged | !notInControl | !notInControl       | !notInControl
`
const controlRows = controlled
  .trim()
  .split("\n")
  .slice(1)
  .map((line) => line.split("|").map((cell) => cell.trim()))

describe("who has no control", () => {
  const situations = [
    [ana, "held by ben", held("ben")],
    [robo, "held by ben", held("ben")],
    [robo, "held by another bot", { kind: "bot", id: Id.BotId.parse("other-bot") }],
    [robo, "held by nobody", { kind: "nobody" }]
  ] as const

  test.each(rows.filter(({ kind }) => kind === "agent" || kind === "bot"))("[CONV-18] $type by $kind", (row) => {
    const other = controlRows.find(([type]) => type === row.type)?.slice(1)
    for (const [index, [actor, , holder]] of situations.entries()) {
      if (actor.kind !== row.kind) continue
      const [[, by], ...steps] = setUp("open", actor) as [Step, ...Array<Step>]
      const events = history([open({ holder, tags: ["old"] }), by], ...steps)
      const withControl = row.expected[0] ?? ""
      const expected =
        other?.[index] ??
        // Merging takes control away from whoever has it.
        (row.type === "MergeConversation" && holder.kind === "nobody" ? "ConversationMerged" : withControl)
      expect(given(events).when(commandOf(row.type, row.kind), actor).told).toBe(expected)
    }
  })
})
