import {
  type Actor,
  Contact,
  Conversation,
  ConversationCommand,
  ConversationDecision,
  ConversationEvent,
  ConversationEvolution,
  Id,
  Message
} from "@switchboard/conversation"
import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { erase, withoutPersonal } from "./erasure.ts"
import {
  ana,
  ben,
  type Command,
  contactId,
  conversationId,
  did,
  echo,
  held,
  heldByBot,
  jo,
  key,
  nobody,
  note,
  open,
  otherBot,
  otherConversation,
  receive,
  recipient,
  robo,
  send,
  sue,
  thread,
  timer
} from "./scenario.ts"

const run = { seed: 20_260_302, numRuns: 150 } as const

const actors = fc.constantFrom<Actor.Actor>(ana, ben, sue, robo, otherBot, jo, timer, key)
const messageIds = fc.constantFrom("m1", "m2", "m3", "m4")
const holders = fc.constantFrom<Conversation.Holder>(held("ana"), held("ben"), heldByBot, nobody)
const threadIds = fc.constantFrom("mail", "mail", "mail", "side", "chat", "notes", "nowhere")
const optional = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined, freq: 3 })
const fence = optional(fc.integer({ min: 0, max: 6 }))
const words = fc.string({ unit: "grapheme", maxLength: 300 })
const attachment = fc.constantFrom("a1", "a2").map((id) => ({
  id: Id.AttachmentId.parse(id),
  mediaType: "image/png",
  state: "pending" as const
}))
const parts = words.map((text) => [Message.text(text)])
const links = fc
  .record({
    kind: fc.constantFrom("related", "followUpOf", "followedUpBy", "mergedFrom"),
    conversationId: fc.constantFrom(otherConversation, Id.ConversationId.parse("c3"))
  })
  .map((link) => link as Conversation.Link)
const participants = fc.oneof(
  fc.constant({ role: "cc" as const, address: recipient }),
  fc.constant({ role: "requester" as const, contactId }),
  fc.constantFrom("ana", "ben").map((id) => ({ role: "observer" as const, agentId: Id.AgentId.parse(id) }))
)
const wanted = fc.constantFrom<Conversation.Wanted>(
  {},
  { skills: { refunds: 2 } },
  { agentId: Id.AgentId.parse("ben") }
)

const without = <T extends object>(value: T): T =>
  Object.fromEntries(Object.entries(value).filter(([, inner]) => inner !== undefined)) as T

/** One arbitrary for every type of command, so that none is forgotten. */
const byType: { readonly [T in Command["type"]]: fc.Arbitrary<unknown> } = {
  OpenConversation: fc
    .record({ holder: optional(holders), subject: optional(words) })
    .map((more) => open(without(more) as object)),
  AddThread: fc
    .record({ id: threadIds, audience: fc.constantFrom("public", "private", "internal") })
    .map(({ id, audience }) => ({ type: "AddThread", thread: thread(id, { audience: audience as "public" }) })),
  ReceiveMessage: fc
    .record({
      id: messageIds,
      threadId: threadIds,
      parts,
      attachments: fc.array(attachment, { maxLength: 2 }),
      automatic: optional(fc.boolean()),
      platformId: optional(fc.string({ maxLength: 998 }))
    })
    .map(({ id, ...more }) => receive(id, without(more) as object)),
  RecordEcho: messageIds.map(echo),
  SendMessage: fc
    .record({
      id: messageIds,
      threadId: threadIds,
      parts,
      replyTo: optional(messageIds),
      purpose: optional(fc.constantFrom("service", "marketing", "survey")),
      fence
    })
    .map(({ id, ...more }) => send(id, without(more) as object)),
  AddNote: messageIds.map(note),
  EditMessage: fc.record({ type: fc.constant("EditMessage"), messageId: messageIds, parts }),
  DeleteMessage: fc.record({ type: fc.constant("DeleteMessage"), messageId: messageIds }),
  AddReaction: fc.record({
    type: fc.constant("AddReaction"),
    messageId: messageIds,
    emoji: fc.constantFrom("👍", "🎉")
  }),
  RemoveReaction: fc
    .record({
      type: fc.constant("RemoveReaction"),
      messageId: messageIds,
      emoji: optional(fc.constantFrom("👍", "🎉"))
    })
    .map(without),
  RecordDelivery: fc
    .record({
      type: fc.constant("RecordDelivery"),
      messageId: messageIds,
      state: fc.constantFrom("queued", "sent", "delivered", "read", "failed"),
      platformIds: optional(fc.array(fc.string({ maxLength: 998 }), { maxLength: 3 })),
      failure: optional(fc.record({ code: fc.constant("refused"), message: words, retryable: fc.boolean() })),
      possiblyDuplicated: optional(fc.boolean())
    })
    .map((command) => without({ ...command, deliveryId: did(`d-${command.messageId}`) })),
  RetryDelivery: messageIds.map((id) => ({ type: "RetryDelivery", messageId: id, deliveryId: did(`d-${id}`) })),
  RecordAttachment: fc.record({
    type: fc.constant("RecordAttachment"),
    messageId: messageIds,
    attachmentId: fc.constantFrom("a1", "a2"),
    result: fc.oneof(
      fc.record({ state: fc.constant("failed"), failure: words }),
      fc.constant({ state: "stored", blobKey: "b", sizeBytes: 3, mediaType: "image/png" })
    )
  }),
  MarkRead: fc.constant({ type: "MarkRead" }),
  WaitForContact: fc.record({ type: fc.constant("WaitForContact"), fence }).map(without),
  SnoozeConversation: fc
    .record({ type: fc.constant("SnoozeConversation"), untilMs: fc.integer({ min: 0, max: 20_000 }), fence })
    .map(without),
  WakeConversation: fc.constant({ type: "WakeConversation" }),
  ResolveConversation: fc.record({ type: fc.constant("ResolveConversation"), fence }).map(without),
  ReopenConversation: fc.constant({ type: "ReopenConversation" }),
  CloseConversation: fc.constant({ type: "CloseConversation" }),
  GiveControl: fc.record({ type: fc.constant("GiveControl"), to: holders, fence }).map(without),
  HandOff: fc
    .record({
      type: fc.constant("HandOff"),
      summary: words,
      reason: fc.constant("asked"),
      wanted: optional(wanted),
      fence
    })
    .map(without),
  TransferConversation: fc
    .record({ type: fc.constant("TransferConversation"), wanted, note: optional(words), fence })
    .map(without),
  SetPriority: fc.record({
    type: fc.constant("SetPriority"),
    priority: fc.constantFrom("low", "normal", "high", "urgent")
  }),
  AddTag: fc.record({ type: fc.constant("AddTag"), tag: fc.constantFrom("a", "b") }),
  RemoveTag: fc.record({ type: fc.constant("RemoveTag"), tag: fc.constantFrom("a", "b") }),
  SetAttributes: fc.record({
    type: fc.constant("SetAttributes"),
    attributes: fc.dictionary(fc.constantFrom("order", "vip", "__proto__"), fc.oneof(words, fc.integer(), fc.boolean()))
  }),
  SetSubject: fc.record({ type: fc.constant("SetSubject"), subject: fc.string({ minLength: 1, maxLength: 998 }) }),
  AddParticipant: fc.record({ type: fc.constant("AddParticipant"), participant: participants }),
  RemoveParticipant: fc.record({ type: fc.constant("RemoveParticipant"), participant: participants }),
  LinkConversation: fc.record({ type: fc.constant("LinkConversation"), link: links }),
  UnlinkConversation: fc.record({ type: fc.constant("UnlinkConversation"), link: links }),
  MergeConversation: fc.record({
    type: fc.constant("MergeConversation"),
    into: fc.constantFrom(conversationId, otherConversation)
  }),
  UndoMerge: fc.constant({ type: "UndoMerge" }),
  EraseContent: fc.constantFrom("retention", "request").map((reason) => ({ type: "EraseContent", reason }))
}

// What ends a conversation comes seldom, or most sequences would be refusals; what needs much to be there comes often.
const seldom: ReadonlyArray<string> = ["CloseConversation", "MergeConversation"]
const often: ReadonlyArray<string> = [
  "ReceiveMessage",
  "SendMessage",
  "RecordDelivery",
  "RetryDelivery",
  "RecordAttachment",
  "AddReaction",
  "RemoveReaction",
  "HandOff",
  "UndoMerge"
]
const command = fc.oneof(
  ...Object.entries(byType).map(([type, arbitrary]) => ({
    arbitrary,
    weight: seldom.includes(type) ? 1 : often.includes(type) ? 30 : 10
  }))
) as fc.Arbitrary<Command>

const starts: fc.Arbitrary<Command> = fc.constantFrom(open(), open({ holder: heldByBot }))

const sequences = fc
  .tuple(
    starts,
    fc.array(fc.record({ command, actor: actors, later: fc.nat({ max: 500 }) }), { minLength: 20, maxLength: 60 })
  )
  .map(([start, steps]) => [{ command: start, actor: jo, later: 0 }, ...steps])

interface Played {
  readonly events: ReadonlyArray<ConversationEvent.ConversationEvent>
  readonly states: ReadonlyArray<ConversationEvolution.State>
}

/** Decides and evolves one after the other; refusals change nothing. */
const play = (steps: ReadonlyArray<{ command: Command; actor: Actor.Actor; later: number }>): Played => {
  let nowMs = 0
  let state = ConversationEvolution.empty
  const events: Array<ConversationEvent.ConversationEvent> = []
  const states: Array<ConversationEvolution.State> = []
  for (const { command, actor, later } of steps) {
    nowMs += later
    const decided = ConversationDecision.decide(state, ConversationCommand.ConversationCommand.parse(command), {
      actor,
      nowMs
    })
    if (!decided.ok) continue
    for (const event of decided.value) {
      events.push(event)
      state = ConversationEvolution.evolve(state, event)
      states.push(state)
    }
  }
  return { events, states }
}

describe("any sequence of commands", () => {
  test("[CONV-37] throws nothing; every event is one by its schema and survives JSON", () => {
    const seen = new Set<string>()
    fc.assert(
      fc.property(sequences, (steps) => {
        for (const event of play(steps).events) {
          seen.add(event.type)
          expect(ConversationEvent.ConversationEvent.parse(event)).toEqual(event)
          expect(JSON.parse(JSON.stringify(event))).toEqual(event)
        }
      }),
      run
    )
    // A generator that never gets anywhere would prove nothing.
    const all = ConversationEvent.ConversationEvent.options.map((option) => option.shape.type.value as string)
    expect([...seen].sort()).toEqual(all.sort())
  })

  test("[CONV-37] leaves documents that are ones by their schemas and well-formed text", () => {
    fc.assert(
      fc.property(sequences, (steps) => {
        const last = play(steps).states.at(-1)
        const conversation = Conversation.Conversation.parse(last?.conversation)
        expect(conversation).toEqual(last?.conversation)
        expect(conversation.preview.isWellFormed()).toBe(true)
        for (const message of last?.messages.values() ?? []) expect(Message.Message.parse(message)).toEqual(message)
      }),
      run
    )
  })

  test("[CONV-15] the fence never falls, and rises by one exactly when control changes", () => {
    fc.assert(
      fc.property(sequences, (steps) => {
        let before: Conversation.Control | undefined
        const { events, states } = play(steps)
        for (const [index, { conversation }] of states.entries()) {
          const control = conversation!.control
          if (before !== undefined) {
            const changed = events[index]?.type === "ControlChanged"
            expect(control.fence).toBe(before.fence + (changed ? 1 : 0))
            if (!changed) expect(control.holder).toEqual(before.holder)
          }
          before = control
        }
      }),
      run
    )
  })

  test("[CONV-23] the sequence of messages has no gap and no double", () => {
    fc.assert(
      fc.property(sequences, (steps) => {
        const { states } = play(steps)
        const last = states.at(-1)!
        const found = [...last.messages.values()].map(({ sequence }) => sequence)
        expect(found).toEqual(found.map((_, index) => index + 1))
        expect(last.conversation?.messageCount).toBe(found.length)
      }),
      run
    )
  })

  test("[CONV-18] no bot's words go out while it has no control", () => {
    fc.assert(
      fc.property(sequences, (steps) => {
        const { events, states } = play(steps)
        for (const [index, event] of events.entries()) {
          const { actor } = event.meta
          if (event.type !== "MessageSent" || actor.kind !== "bot") continue
          expect(states[index - 1]?.conversation?.control.holder).toEqual({ kind: "bot", id: actor.id })
        }
      }),
      run
    )
  })

  test("[CONV-11, CONV-13] a merged conversation is closed, a snoozed one knows until when, nothing else does", () => {
    fc.assert(
      fc.property(sequences, (steps) => {
        for (const { conversation } of play(steps).states) {
          const { status, mergedInto, snoozedUntilMs, closedAtMs } = conversation!
          if (mergedInto !== undefined) expect(status).toBe("closed")
          expect(snoozedUntilMs !== undefined).toBe(status === "snoozed")
          expect(closedAtMs !== undefined).toBe(status === "closed")
        }
      }),
      run
    )
  })

  test("[CONV-36] a prefix and then the rest is the whole", () => {
    fc.assert(
      fc.property(sequences, fc.nat(), (steps, cut) => {
        const { events } = play(steps)
        const at = cut % (events.length + 1)
        const stepwise = ConversationEvolution.fold(events.slice(at), ConversationEvolution.fold(events.slice(0, at)))
        expect(stepwise).toEqual(ConversationEvolution.fold(events))
      }),
      run
    )
  })

  test("[CONV-36] the version counts the events", () => {
    fc.assert(
      fc.property(sequences, (steps) => {
        const { events, states } = play(steps)
        expect(states.map(({ conversation }) => conversation?.version)).toEqual(events.map((_, index) => index + 1))
      }),
      run
    )
  })

  test("[PERSONAL-4, PERSONAL-5] erased, every event is still one, and everything not personal folds the same", () => {
    fc.assert(
      fc.property(sequences, (steps) => {
        const { events, states } = play(steps)
        let state = ConversationEvolution.empty
        for (const [index, event] of events.entries()) {
          const erased = erase(event)
          expect(ConversationEvent.ConversationEvent.safeParse(erased).error).toBeUndefined()
          state = ConversationEvolution.evolve(state, erased)
          expect(withoutPersonal(Conversation.Conversation, state.conversation)).toEqual(
            withoutPersonal(Conversation.Conversation, states[index]?.conversation)
          )
        }
        for (const [id, message] of states.at(-1)!.messages) {
          expect(withoutPersonal(Message.Message, state.messages.get(id))).toEqual(
            withoutPersonal(Message.Message, message)
          )
        }
      }),
      { ...run, numRuns: 60 }
    )
  })
})

const others = fc.constantFrom("jo", "jim", "max").map((id) => Id.ContactId.parse(id))
const addresses = fc.record({
  kind: fc.constantFrom("email", "phone"),
  value: fc.constantFrom("1", "2", "3"),
  state: fc.constantFrom("claimed" as const, "verified" as const)
})
const purposes = fc.constantFrom("service" as const, "marketing" as const, "survey" as const)
const channelKinds = fc.constantFrom("email", "sms")
const contactCommand: fc.Arbitrary<Contact.ContactCommand> = fc.oneof(
  fc.record({ type: fc.constant("AddAddress" as const), address: addresses }),
  fc.record({ type: fc.constant("RemoveAddress" as const), address: addresses }),
  words.map((name) => ({ type: "UpdateContact" as const, name: name.slice(0, 256) })),
  fc.record({
    type: fc.constant("GrantConsent" as const),
    purpose: purposes,
    channelKind: channelKinds,
    evidence: fc.constant("form")
  }),
  fc.record({ type: fc.constant("WithdrawConsent" as const), purpose: purposes, channelKind: channelKinds }),
  fc.constant({ type: "StartConversation" as const, conversationId: otherConversation }),
  fc.record({ type: fc.constant("SuggestMatch" as const), contactId: others, evidence: fc.constant("same") }),
  fc.record({ type: fc.constant("MergeContact" as const), into: others }),
  fc.constant({ type: "UndoContactMerge" as const }),
  fc.constant({ type: "EraseContact" as const })
)

test("[CONTACT-4] [CONTACT-13] any sequence of commands on a contact keeps each identity once and never takes its proof away", () => {
  fc.assert(
    fc.property(
      fc.array(addresses, { maxLength: 5 }),
      fc.array(contactCommand, { maxLength: 40 }),
      (known, commands) => {
        let contact: Contact.Contact | undefined
        for (const one of [{ type: "CreateContact" as const, contactId, addresses: known }, ...commands]) {
          const decided = Contact.decide(contact, Contact.ContactCommand.parse(one), { actor: jo, nowMs: 1 })
          if (!decided.ok) continue
          for (const event of decided.value) {
            expect(Contact.ContactEvent.parse(JSON.parse(JSON.stringify(event)))).toEqual(event)
            expect(Contact.ContactEvent.safeParse(erase(event)).error).toBeUndefined()
            const next = Contact.evolve(contact, event)
            const keys = next.addresses.map(({ kind, value }) => `${kind}:${value}`)
            expect(new Set(keys).size).toBe(keys.length)
            for (const { kind, value, state } of contact?.addresses ?? []) {
              const still = next.addresses.find((each) => each.kind === kind && each.value === value)
              if (state === "verified" && still) expect(still.state).toBe("verified")
            }
            contact = next
          }
        }
        expect(Contact.Contact.parse(contact)).toEqual(contact)
      }
    ),
    run
  )
})
