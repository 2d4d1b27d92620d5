import { ConversationDecision, ConversationEvolution, Id, Message, Thread } from "@switchboard/conversation"
import { describe, expect, test } from "vitest"
import {
  after,
  ana,
  ben,
  type Command,
  contactId,
  conversationId,
  did,
  echo,
  give,
  given,
  held,
  heldByBot,
  history,
  jo,
  key,
  messageAfter,
  mid,
  nobody,
  note,
  open,
  otherBot,
  otherConversation,
  receive,
  recipient,
  refusal,
  robo,
  type Step,
  send,
  sideThread,
  sue,
  thread,
  threadId,
  timer
} from "./scenario.ts"

const opened: Step = [open(), jo]
const resolve: Step = [{ type: "ResolveConversation" }, timer]
const pending: Step = [{ type: "WaitForContact" }, timer]
const snoozed = (untilMs: number): Step => [{ type: "SnoozeConversation", untilMs }, timer]

describe("opening", () => {
  test("[CONV-1] a conversation begins with OpenConversation", () => {
    const { conversation } = given([]).when(open(), jo, 5)
    expect(conversation).toMatchObject({ id: conversationId, contactId, version: 1, openedAtMs: 5, updatedAtMs: 5 })
    expect(refusal(given([]).when(receive("m1"), jo)).code).toBe("conversationUnknown")
    expect(refusal(given(history(opened)).when(open(), jo))).toMatchObject({
      code: "conversationExists",
      facts: { conversationId }
    })
  })

  test("[CONV-2] it opens open, normal, held by nobody with fence 1, the requester taking part", () => {
    expect(after(opened)).toMatchObject({
      status: "open",
      cycle: 1,
      priority: "normal",
      control: { holder: nobody, fence: 1 },
      participants: [{ role: "requester", contactId }],
      threads: [{ id: threadId, openedAtMs: 1000 }],
      tags: [],
      links: [],
      attributes: {},
      messageCount: 0,
      unreadCount: 0
    })
  })

  test("[CONV-2] what the command says stands instead, and a tag counts once", () => {
    const wanted = { teamId: Id.TeamId.parse("billing") }
    const links = [{ kind: "followUpOf" as const, conversationId: otherConversation }]
    const conversation = after([
      open({
        subject: "Refund",
        priority: "high",
        language: "de",
        attributes: { order: 7 },
        tags: ["a", "b", "a"],
        holder: heldByBot,
        wanted,
        links
      }),
      jo
    ])
    expect(conversation).toMatchObject({
      subject: "Refund",
      priority: "high",
      language: "de",
      attributes: { order: 7 },
      tags: ["a", "b"],
      control: { holder: heldByBot, fence: 1 },
      wanted,
      links
    })
  })

  test("[CONV-2] a bot or agent that answers first takes part", () => {
    expect(after([open({ holder: heldByBot }), jo]).participants).toEqual([
      { role: "requester", contactId },
      { role: "bot", botId: "robo" }
    ])
  })

  test("[CONV-38] every event carries who, for whom, why, under which command and both times", () => {
    const decided = ConversationDecision.decide(ConversationEvolution.empty, open(), {
      actor: key,
      onBehalfOf: ana,
      causation: "journal/42",
      commandId: "k1",
      occurredAtMs: 7,
      nowMs: 9
    })
    expect(decided.ok && decided.value.map(({ meta }) => meta)).toEqual([
      { actor: key, onBehalfOf: ana, causation: "journal/42", commandId: "k1", occurredAtMs: 7, recordedAtMs: 9 }
    ])
    const bare = ConversationDecision.decide(ConversationEvolution.empty, open(), { actor: jo, nowMs: 9 })
    expect(bare.ok && bare.value[0]?.meta).toEqual({ actor: jo, recordedAtMs: 9 })
  })
})

describe("the contact writes", () => {
  test("[CONV-4] a message opens a pending conversation", () => {
    expect(given(history(opened, pending)).when(receive("m1"), jo).conversation.status).toBe("open")
  })

  test("[CONV-4] a message wakes a snoozed one", () => {
    const { told, conversation, result } = given(history(opened, snoozed(99_000))).when(receive("m1"), jo, 3000)
    expect(told).toBe("ConversationWoken MessageReceived")
    expect(result).toMatchObject({ value: [{ reason: "message" }, {}] })
    expect(conversation.status).toBe("open")
    expect(conversation.snoozedUntilMs).toBeUndefined()
  })

  test("[CONV-4] a message opens a resolved one again, in its next cycle", () => {
    const outcome = given(history(opened, resolve)).when(receive("m1"), jo)
    expect(outcome.told).toBe("ConversationReopened MessageReceived")
    expect(outcome.result).toMatchObject({ value: [{ reason: "message" }, {}] })
    expect(outcome.conversation).toMatchObject({ status: "open", cycle: 2 })
    expect(outcome.conversation.resolvedAtMs).toBeUndefined()
  })

  test.each([
    ["pending", [opened, pending]],
    ["snoozed", [opened, snoozed(99_000)]],
    ["resolved", [opened, resolve]]
  ] as const)("[CONV-5] an automatic message leaves it %s", (status, steps) => {
    const { told, conversation, message } = given(history(...steps)).when(receive("m1", { automatic: true }), jo)
    expect(told).toBe("MessageReceived")
    expect(conversation.status).toBe(status)
    expect(conversation.waitingSinceMs).toBeUndefined()
    expect(message("m1").automatic).toBe(true)
  })

  test("[CONV-24] the thread must be there", () => {
    const unknown = { threadId: Id.ThreadId.parse("elsewhere") }
    for (const [command, actor] of [
      [receive("m1", unknown), jo],
      [send("m1", unknown), ana]
    ] as const) {
      expect(refusal(given(history(opened)).when(command, actor))).toMatchObject({
        code: "threadUnknown",
        facts: unknown
      })
    }
  })

  test("[CONV-23] a message's id is used once", () => {
    for (const command of [receive("m1"), echo("m1"), send("m1"), note("m1")]) {
      expect(refusal(given(history(opened, [receive("m1"), jo])).when(command, ana))).toMatchObject({
        code: "messageExists",
        facts: { messageId: "m1" }
      })
    }
  })

  test("[CONV-23] messages of all directions count from 1 without a gap", () => {
    const { messages } = ConversationEvolution.fold(
      history(
        opened,
        [receive("m1"), jo],
        [send("m2"), ana],
        [note("m3"), ben],
        [echo("m4"), timer],
        [receive("m5"), jo]
      )
    )
    expect([...messages.values()].map(({ sequence, direction, origin }) => [sequence, direction, origin])).toEqual([
      [1, "in", "platform"],
      [2, "out", "desk"],
      [3, "note", "desk"],
      [4, "out", "echo"],
      [5, "in", "platform"]
    ])
  })
})

describe("sleep", () => {
  test("[CONV-6] it ends in the future, and not after the matter is done", () => {
    const at = (untilMs: number) => given(history(opened)).when({ type: "SnoozeConversation", untilMs }, ana, 5000)
    expect(at(5001).conversation).toMatchObject({ status: "snoozed", snoozedUntilMs: 5001 })
    expect(refusal(at(5000))).toMatchObject({ code: "snoozeInThePast", facts: { untilMs: 5000, nowMs: 5000 } })
    expect(
      refusal(given(history(opened, resolve)).when({ type: "SnoozeConversation", untilMs: 9e9 }, ana))
    ).toMatchObject({ code: "statusNotAllowed", facts: { status: "resolved" } })
  })

  test("[CONV-6] it can be moved", () => {
    expect(after(opened, snoozed(50_000), snoozed(60_000)).snoozedUntilMs).toBe(60_000)
  })

  test("[CONV-7] the system wakes it when the time has come and not before, people at any time", () => {
    const wake = (actor: typeof ana, nowMs: number) =>
      given(history(opened, snoozed(50_000))).when({ type: "WakeConversation" }, actor, nowMs)
    expect(wake(timer, 49_999).told).toBe("-")
    expect(wake(timer, 50_000).result).toMatchObject({ value: [{ type: "ConversationWoken", reason: "time" }] })
    expect(wake(ana, 3000).result).toMatchObject({ value: [{ type: "ConversationWoken", reason: "person" }] })
    expect(wake(timer, 50_000).conversation).toMatchObject({ status: "open" })
    expect(wake(timer, 50_000).conversation.snoozedUntilMs).toBeUndefined()
  })

  test("[CONV-7] the timer of a sleep that was moved wakes nobody", () => {
    const moved = history(opened, snoozed(50_000), snoozed(60_000))
    expect(given(moved).when({ type: "WakeConversation" }, timer, 50_000).told).toBe("-")
  })

  test.each([
    ["waiting for the contact", { type: "WaitForContact" }],
    ["resolving", { type: "ResolveConversation" }],
    ["closing", { type: "CloseConversation" }],
    ["merging", { type: "MergeConversation", into: otherConversation }]
  ] as const)("[CONV-8] %s ends the sleep and the wait", (_, command) => {
    const { conversation } = given(history(opened, [receive("m1"), jo], snoozed(50_000))).when(command, ana)
    expect(conversation.snoozedUntilMs).toBeUndefined()
    expect(conversation.waitingSinceMs).toBeUndefined()
  })
})

describe("done", () => {
  test("[CONV-9] a resolved conversation stays with who has it", () => {
    const steps = [[open({ holder: held("ana") }), jo], resolve] as const
    expect(after(...steps)).toMatchObject({
      status: "resolved",
      resolvedAtMs: 2000,
      control: { holder: held("ana"), fence: 1 }
    })
  })

  test.each([
    ["the contact writes", receive("m1"), jo, "message"],
    ["a person reopens it", { type: "ReopenConversation" }, sue, "person"]
  ] as const)(
    "[CONV-10] when %s, the agent who held it is preferred, and nobody has control",
    (_, command, actor, reason) => {
      const { result, conversation } = given(history([open({ holder: held("ana") }), jo], resolve)).when(command, actor)
      expect(result).toMatchObject({
        value: expect.arrayContaining([
          expect.objectContaining({ type: "ConversationReopened", reason }),
          expect.objectContaining({ type: "ControlChanged", reason: "reopened", wanted: { agentId: "ana" } })
        ])
      })
      expect(conversation).toMatchObject({
        status: "open",
        cycle: 2,
        control: { holder: nobody, fence: 2 },
        wanted: { agentId: "ana" }
      })
    }
  )

  test("[CONV-10] a bot that held it goes on", () => {
    const { told, conversation } = given(history([open({ holder: heldByBot }), jo], resolve)).when(receive("m1"), jo)
    expect(told).toBe("ConversationReopened MessageReceived")
    expect(conversation.control).toEqual({ holder: heldByBot, fence: 1 })
  })

  test("[CONV-11] closing takes control from whoever has it", () => {
    const { conversation } = given(history([open({ holder: held("ana") }), jo])).when(
      { type: "CloseConversation" },
      sue,
      7
    )
    expect(conversation).toMatchObject({ status: "closed", closedAtMs: 7, control: { holder: nobody, fence: 2 } })
  })

  test("[CONV-11] a closed conversation takes no message: it says to open a follow-up", () => {
    const closed = history(opened, [{ type: "CloseConversation" }, sue])
    expect(refusal(given(closed).when(receive("m1"), jo))).toMatchObject({
      code: "conversationClosed",
      facts: { conversationId },
      message: expect.stringContaining("follow-up")
    })
    expect(ConversationDecision.takesMessages(after(opened, [{ type: "CloseConversation" }, sue]))).toBe(false)
    for (const steps of [[], [pending], [snoozed(50_000)], [resolve]]) {
      expect(ConversationDecision.takesMessages(after(opened, ...steps))).toBe(true)
    }
  })

  test("[CONV-12] a closed conversation takes receipts, files, edits by the contact and merges, and stays closed", () => {
    const closed = history(
      opened,
      [
        receive("m1", {
          attachments: [{ id: Id.AttachmentId.parse("a1"), mediaType: "image/png", state: "pending", source: "ref" }]
        }),
        jo
      ],
      [send("m2"), ana],
      [{ type: "CloseConversation" }, sue]
    )
    const receipt = given(closed).when(
      { type: "RecordDelivery", messageId: mid("m2"), deliveryId: did("d-m2"), state: "read" },
      timer
    )
    expect(receipt.message("m2").deliveries[0]?.state).toBe("read")
    const edit = given(closed).when({ type: "EditMessage", messageId: mid("m1"), parts: [Message.text("other")] }, jo)
    expect(edit.message("m1").parts).toEqual([Message.text("other")])
    const merge = given(closed).when({ type: "MergeConversation", into: otherConversation }, sue)
    expect(merge.conversation.mergedInto).toBe(otherConversation)
    for (const { conversation } of [receipt, edit, merge]) expect(conversation.status).toBe("closed")
    expect(
      refusal(given(closed).when({ type: "EditMessage", messageId: mid("m2"), parts: [Message.text("other")] }, ana))
        .code
    ).toBe("conversationClosed")
  })
})

describe("merging", () => {
  const merge: Step = [{ type: "MergeConversation", into: otherConversation }, sue]

  test("[CONV-13] a merged conversation is closed and says where it goes on", () => {
    const merged = history([open({ holder: held("ana") }), jo], merge)
    expect(ConversationEvolution.fold(merged).conversation).toMatchObject({
      status: "closed",
      mergedInto: otherConversation,
      control: { holder: nobody, fence: 2 }
    })
    expect(refusal(given(merged).when(receive("m1"), jo))).toMatchObject({
      code: "conversationMerged",
      facts: { mergedInto: otherConversation },
      message: expect.stringContaining(otherConversation)
    })
  })

  test("[CONV-13] it goes neither into itself nor into two", () => {
    const into = (id: Id.ConversationId) => ({ type: "MergeConversation", into: id }) as const
    expect(refusal(given(history(opened)).when(into(conversationId), sue)).code).toBe("mergeIntoItself")
    expect(refusal(given(history(opened, merge)).when(into(Id.ConversationId.parse("c3")), sue))).toMatchObject({
      code: "conversationMerged",
      facts: { mergedInto: otherConversation }
    })
  })

  test.each([
    ["open", [], "open"],
    ["pending", [pending], "pending"],
    ["snoozed", [snoozed(90_000)], "open"],
    ["resolved", [resolve], "resolved"],
    ["closed", [[{ type: "CloseConversation" }, sue] as Step], "closed"]
  ] as const)("[CONV-14] undoing the merge of a conversation that was %s", (_, steps, status) => {
    const before = after(opened, ...steps)
    const { conversation, result } = given(history(opened, ...steps, merge)).when({ type: "UndoMerge" }, sue)
    expect(result).toMatchObject({ value: [{ type: "MergeUndone", from: otherConversation }] })
    expect(conversation.status).toBe(status)
    expect(conversation.mergedInto).toBeUndefined()
    expect(conversation.closedAtMs).toBe(before.closedAtMs)
    expect(conversation.resolvedAtMs).toBe(before.resolvedAtMs)
  })

  test("[CONV-14] there is nothing to undo in one that stands alone, nor twice", () => {
    expect(refusal(given(history(opened)).when({ type: "UndoMerge" }, sue)).code).toBe("notMerged")
    const undone = history(opened, merge, [{ type: "UndoMerge" }, sue])
    expect(refusal(given(undone).when({ type: "UndoMerge" }, sue)).code).toBe("notMerged")
    expect(given(undone).when({ type: "MergeConversation", into: Id.ConversationId.parse("c3") }, sue).told).toBe(
      "ConversationMerged"
    )
  })
})

describe("control", () => {
  test.each([
    ["given", give(held("ben")), held("ben")],
    ["given to nobody", give(nobody), nobody],
    ["transfer", { type: "TransferConversation", wanted: {} }, nobody],
    ["handed off", { type: "HandOff", summary: "", reason: "asked" }, nobody],
    ["closed", { type: "CloseConversation" }, nobody],
    ["merged", { type: "MergeConversation", into: otherConversation }, nobody]
  ] as const)("[CONV-15] the fence rises by one: %s", (_, command, holder) => {
    const { conversation } = given(history([open({ holder: heldByBot }), jo])).when(command, timer)
    expect(conversation.control).toEqual({ holder, fence: 2 })
  })

  const fenced = (fence: number) => [
    send("m1", { fence }),
    { type: "WaitForContact", fence } as const,
    { type: "SnoozeConversation", untilMs: 9e9, fence } as const,
    { type: "ResolveConversation", fence } as const,
    give(held("ben"), fence),
    { type: "HandOff", summary: "", reason: "asked", fence } as const,
    { type: "TransferConversation", wanted: {}, fence } as const
  ]

  test.each(fenced(0))("[CONV-16] $type that names another fence is refused, whoever gives it", ({ type }) => {
    const events = history([open({ holder: heldByBot }), jo], [give(nobody), timer], [give(heldByBot), timer])
    for (const actor of [robo, ana, sue, timer, key, jo]) {
      for (const fence of [0, 2, 4]) {
        const command = fenced(fence).find((one) => one.type === type)!
        expect(refusal(given(events).when(command, actor))).toMatchObject({
          code: "staleFence",
          facts: { fence, current: 3, holder: heldByBot }
        })
      }
    }
    const current = fenced(3).find((one) => one.type === type)!
    expect(given(events).when(current, robo).result.ok).toBe(true)
  })

  test("[CONV-17] an agent takes over from a bot or nobody by writing", () => {
    for (const holder of [heldByBot, nobody]) {
      const { told, conversation } = given(history([open({ holder }), jo])).when(send("m1"), ana)
      expect(told).toBe("ControlChanged MessageSent")
      expect(conversation.control).toEqual({ holder: held("ana"), fence: 2 })
      expect(conversation.participants).toContainEqual({ role: "agent", agentId: "ana" })
    }
  })

  test("[CONV-17] not from another agent", () => {
    const events = history([open({ holder: held("ben") }), jo])
    expect(refusal(given(events).when(send("m1"), ana))).toMatchObject({
      code: "notInControl",
      facts: { holder: held("ben"), actor: ana }
    })
  })

  test.each([sue, timer, key])("[CONV-17] $kind writes beside the agent who has control", (actor) => {
    const { told, conversation } = given(history([open({ holder: held("ben") }), jo])).when(send("m1"), actor)
    expect(told).toBe("MessageSent")
    expect(conversation.control).toEqual({ holder: held("ben"), fence: 1 })
  })

  test("[CONV-18] a bot's answer that comes after a human took over is refused, with or without its fence", () => {
    const takenOver = history([open({ holder: heldByBot }), jo], [receive("m1"), jo], [send("m2"), ana])
    expect(refusal(given(takenOver).when(send("m3", { fence: 1 }), robo)).code).toBe("staleFence")
    expect(refusal(given(takenOver).when(send("m3"), robo)).code).toBe("notInControl")
    const handedBack = history([open({ holder: heldByBot }), jo], [give(held("ana")), ana], [give(heldByBot), ana])
    expect(refusal(given(handedBack).when(send("m3", { fence: 1 }), robo)).code).toBe("staleFence")
    expect(given(handedBack).when(send("m3", { fence: 3 }), robo).told).toBe("MessageSent")
  })

  test("[CONV-18] a bot that waited too long can't set a human's conversation aside", () => {
    const events = history([open({ holder: held("ana") }), jo], [receive("m1"), jo])
    expect(refusal(given(events).when({ type: "WaitForContact" }, robo)).code).toBe("notInControl")
    expect(refusal(given(events).when({ type: "ResolveConversation" }, otherBot)).code).toBe("notInControl")
  })

  test("[CONV-19] giving control to who has it changes nothing", () => {
    for (const holder of [held("ana"), heldByBot, nobody]) {
      expect(given(history([open({ holder }), jo])).when(give(holder), sue).told).toBe("-")
    }
  })

  test("[CONV-19] what was wanted is forgotten once control changes", () => {
    const wanted = { teamId: Id.TeamId.parse("billing"), skills: { french: 3 }, languages: ["fr"] }
    const given_ = after(opened, [{ type: "TransferConversation", wanted }, sue])
    expect(given_.wanted).toEqual(wanted)
    expect(
      after(opened, [{ type: "TransferConversation", wanted }, sue], [give(held("ana")), timer]).wanted
    ).toBeUndefined()
  })

  test("[CONV-20] a bot hands over with a summary and what it takes to go on", () => {
    const wanted = { skills: { refunds: 2 } }
    const handOff = { type: "HandOff", summary: "paid twice", reason: "asked", wanted } as const
    const { told, conversation } = given(history([open({ holder: heldByBot }), jo])).when(handOff, robo)
    expect(told).toBe("HandedOff ControlChanged")
    expect(conversation).toMatchObject({
      handoffSummary: "paid twice",
      wanted,
      control: { holder: nobody, fence: 2 }
    })
  })

  test("[CONV-20] a hand-off takes nothing from a human, not even one by the system", () => {
    const handOff = { type: "HandOff", summary: "", reason: "deadline" } as const
    for (const holder of [held("ana"), nobody]) {
      for (const actor of [robo, ana, timer, key]) {
        expect(refusal(given(history([open({ holder }), jo])).when(handOff, actor)).code).toBe("notInControl")
      }
    }
    expect(given(history([open({ holder: heldByBot }), jo])).when(handOff, timer).told).toBe("HandedOff ControlChanged")
  })

  test("[CONV-21] a transfer leaves it to nobody, says who is wanted, and keeps its note", () => {
    const wanted = { agentId: Id.AgentId.parse("ben") }
    const { result, conversation } = given(history([open({ holder: held("ana") }), jo])).when(
      { type: "TransferConversation", wanted, note: "knows the case" },
      ana
    )
    expect(result).toMatchObject({
      value: [
        { type: "ConversationTransferred", wanted, note: "knows the case" },
        { type: "ControlChanged", reason: "transfer", wanted }
      ]
    })
    expect(conversation).toMatchObject({ wanted, control: { holder: nobody, fence: 2 } })
  })

  test("[CONV-22] who gets control takes part, once", () => {
    const { participants } = after(opened, [give(held("ana")), sue], [give(heldByBot), sue], [give(held("ana")), sue])
    expect(participants).toEqual([
      { role: "requester", contactId },
      { role: "agent", agentId: "ana" },
      { role: "bot", botId: "robo" }
    ])
  })
})

describe("threads", () => {
  test("[CONV-24] a thread is added once, and the notes' id is taken", () => {
    expect(after(opened, [{ type: "AddThread", thread: thread("side") }, ana]).threads.map(({ id }) => id)).toEqual([
      "mail",
      "side"
    ])
    const add = (id: string) => given(history(opened)).when({ type: "AddThread", thread: thread(id) }, ana)
    expect(refusal(add("mail"))).toMatchObject({ code: "threadExists", facts: { threadId: "mail" } })
    expect(refusal(add(Thread.notes)).code).toBe("threadExists")
    expect(refusal(given([]).when(open({ thread: thread(Thread.notes) }), jo)).code).toBe("threadExists")
  })

  test("[CONV-25] an answer quotes no message of another thread", () => {
    const events = history(
      opened,
      [{ type: "AddThread", thread: thread("side", { audience: "public" }) }, ana],
      [receive("m1"), jo],
      [note("m2"), ana]
    )
    const reply = (replyTo: string, to = threadId) =>
      given(events).when(send("m9", { replyTo: mid(replyTo), threadId: to }), ana)
    expect(reply("m1").told).toBe("ControlChanged MessageSent")
    expect(refusal(reply("m1", sideThread))).toMatchObject({ code: "messageUnknown", facts: { messageId: "m1" } })
    expect(refusal(reply("m2")).code).toBe("messageUnknown")
    expect(refusal(reply("nowhere")).code).toBe("messageUnknown")
  })

  test("[CONV-29] a thread knows when the contact last wrote there, by our time, whatever the message claims", () => {
    const decided = ConversationDecision.decide(ConversationEvolution.fold(history(opened)), receive("m1"), {
      actor: jo,
      occurredAtMs: 9_000_000,
      nowMs: 2000
    })
    if (!decided.ok) throw new Error(decided.error.message)
    const { conversation, messages } = ConversationEvolution.fold([...history(opened), ...decided.value])
    expect(conversation?.threads[0]?.lastInboundAtMs).toBe(2000)
    expect(messages.get(mid("m1"))).toMatchObject({ sentAtMs: 9_000_000, recordedAtMs: 2000 })
  })
})

describe("what the inbox needs", () => {
  test("[CONV-26] the wait begins with the first unanswered message", () => {
    expect(after(opened, [receive("m1"), jo], [receive("m2"), jo]).waitingSinceMs).toBe(2000)
    expect(after(opened, [receive("m1"), jo], [send("m2"), ana], [receive("m3"), jo]).waitingSinceMs).toBe(4000)
  })

  test.each([
    ["an agent's answer", send("m2"), ana, undefined],
    ["an API key's", send("m2"), key, undefined],
    ["one written outside the desk", echo("m2"), timer, undefined],
    ["the system's", send("m2"), timer, 2000],
    ["an offer", send("m2", { purpose: "marketing" }), key, 2000],
    ["a note", note("m2"), ana, 2000]
  ] as const)("[CONV-26] after %s the contact waits since", (_, command, actor, since) => {
    expect(after(opened, [receive("m1"), jo], [command, actor]).waitingSinceMs).toBe(since)
  })

  test("[CONV-26] what is said on an internal thread neither begins nor ends the wait", () => {
    const side: Step = [{ type: "AddThread", thread: thread("side", { audience: "internal" }) }, ana]
    const asked: Step = [send("m2", { threadId: sideThread }), ana]
    expect(after(opened, side, [receive("m1"), jo], asked).waitingSinceMs).toBe(3000)
    expect(after(opened, side, asked, [receive("m3", { threadId: sideThread }), jo]).waitingSinceMs).toBeUndefined()
  })

  test("[CONV-26] a bot's answer ends the wait", () => {
    expect(
      after([open({ holder: heldByBot }), jo], [receive("m1"), jo], [send("m2"), robo]).waitingSinceMs
    ).toBeUndefined()
  })

  test("[CONV-27] unread counts the contact's messages until an agent answers or reads", () => {
    const steps: ReadonlyArray<Step> = [
      [open({ holder: heldByBot }), jo],
      [receive("m1"), jo],
      [receive("m2"), jo]
    ]
    expect(after(...steps, [send("m3"), robo], [note("m4"), ana]).unreadCount).toBe(2)
    expect(after(...steps, [send("m3"), ana]).unreadCount).toBe(0)
    const read = history(...steps, [{ type: "MarkRead" }, ana])
    expect(ConversationEvolution.fold(read).conversation?.unreadCount).toBe(0)
    expect(given(read).when({ type: "MarkRead" }, ana).told).toBe("-")
  })

  test("[CONV-28] the preview is the last message's first 200 characters on one line, no note's", () => {
    const words = { parts: [Message.text("one\n\n  two")] }
    expect(after(opened, [receive("m1", words), jo], [note("m2"), ana]).preview).toBe("one two")
    expect(after(opened, [receive("m1"), jo], [send("m2"), ana]).preview).toBe("words of m2")
    expect(after(opened, [receive("m1", { parts: [Message.text("x".repeat(500))] }), jo]).preview).toHaveLength(200)
  })

  test("[CONV-28] the preview never ends in half a character", () => {
    const { preview } = after(opened, [receive("m1", { parts: [Message.text(`${"x".repeat(199)}🙂`)] }), jo])
    expect(preview).toBe("x".repeat(199))
  })

  test("[CONV-28] the preview follows an edit and a deletion of the message it shows, and of no other", () => {
    const steps: ReadonlyArray<Step> = [opened, [receive("m1"), jo], [receive("m2"), jo]]
    const edit = (id: string): Step => [{ type: "EditMessage", messageId: mid(id), parts: [Message.text("other")] }, jo]
    const remove = (id: string): Step => [{ type: "DeleteMessage", messageId: mid(id) }, jo]
    expect(after(...steps, edit("m2")).preview).toBe("other")
    expect(after(...steps, edit("m1")).preview).toBe("words of m2")
    expect(after(...steps, remove("m2")).preview).toBe("")
    expect(after(...steps, remove("m1")).preview).toBe("words of m2")
  })

  test("[CONV-33] what already stands changes nothing; what is set leaves the rest", () => {
    const link = { kind: "related", conversationId: otherConversation } as const
    const cc = { role: "cc", address: recipient } as const
    const steps: ReadonlyArray<Step> = [
      [open({ tags: ["a"], attributes: { order: 7, vip: true } }), jo],
      [{ type: "SetPriority", priority: "high" }, ana],
      [{ type: "AddTag", tag: "b" }, ana],
      [{ type: "SetAttributes", attributes: { order: 8 } }, ana],
      [{ type: "AddParticipant", participant: cc }, ana],
      [{ type: "LinkConversation", link }, ana]
    ]
    expect(after(...steps)).toMatchObject({
      priority: "high",
      tags: ["a", "b"],
      attributes: { order: 8, vip: true },
      links: [link]
    })
    for (const command of [
      { type: "SetPriority", priority: "high" },
      { type: "AddTag", tag: "b" },
      { type: "RemoveTag", tag: "c" },
      { type: "AddParticipant", participant: cc },
      { type: "RemoveParticipant", participant: { role: "observer", agentId: Id.AgentId.parse("ben") } },
      { type: "LinkConversation", link },
      { type: "UnlinkConversation", link: { ...link, kind: "followUpOf" } }
    ] as const) {
      expect(given(history(...steps)).when(command, ana).told).toBe("-")
    }
    const undone = after(
      ...steps,
      [{ type: "RemoveTag", tag: "a" }, ana],
      [{ type: "RemoveParticipant", participant: cc }, ana],
      [{ type: "UnlinkConversation", link }, ana]
    )
    expect(undone).toMatchObject({ tags: ["b"], links: [], participants: [{ role: "requester", contactId }] })
  })

  test.each([
    ["tags", 50, (n: number) => ({ type: "AddTag", tag: `tag ${n}` }) as const],
    ["threads", 49, (n: number) => ({ type: "AddThread", thread: thread(`t${n}`) }) as const],
    [
      "links",
      50,
      (n: number) =>
        ({
          type: "LinkConversation",
          link: { kind: "related", conversationId: Id.ConversationId.parse(`x${n}`) }
        }) as const
    ],
    [
      "participants",
      99,
      (n: number) =>
        ({
          type: "AddParticipant",
          participant: { role: "cc", address: { kind: "email", value: `${n}@example.org` } }
        }) as const
    ],
    ["attributes", 100, (n: number) => ({ type: "SetAttributes", attributes: { [`a${n}`]: n } }) as const],
    ["reactions", 200, (n: number) => ({ type: "AddReaction", messageId: mid("m1"), emoji: `:${n}:` }) as const]
  ])("[CONV-34] %s have a limit", (what, room, make) => {
    const steps = Array.from({ length: room }, (_, n): Step => [make(n), timer])
    const full = history(opened, [receive("m1"), jo], ...steps)
    expect(refusal(given(full).when(make(room), timer))).toMatchObject({ code: "limit", facts: { what } })
    if (what !== "threads") expect(given(full).when(make(room - 1), timer).result.ok).toBe(true)
  })

  test("[CONV-34] an agent gets control of a conversation with a full list of participants", () => {
    const ccs = Array.from(
      { length: 99 },
      (_, n): Step => [
        { type: "AddParticipant", participant: { role: "cc", address: { kind: "email", value: `${n}@example.org` } } },
        timer
      ]
    )
    const { control, participants } = after(opened, ...ccs, [give(held("ana")), timer])
    expect(control.holder).toEqual(held("ana"))
    expect(participants).toHaveLength(100)
  })
})

describe("changes of a message", () => {
  const received: ReadonlyArray<Step> = [opened, [receive("m1"), jo]]
  const edit = (id: string): Command => ({ type: "EditMessage", messageId: mid(id), parts: [Message.text("other")] })
  const remove = (id: string): Command => ({ type: "DeleteMessage", messageId: mid(id) })

  test("[CONV-30] an author edits soon after and long after", () => {
    for (const nowMs of [2001, 2000 + 400 * 24 * 3_600_000]) {
      const { message } = given(history(...received)).when(edit("m1"), jo, nowMs)
      expect(message("m1")).toMatchObject({ parts: [Message.text("other")], editedAtMs: nowMs, sequence: 1 })
    }
  })

  test.each([
    ["its author", send("m2"), ana, ana, true],
    ["another agent", send("m2"), ana, ben, false],
    ["a supervisor, of what the business wrote", send("m2"), ana, sue, true],
    ["a supervisor, of what the contact wrote", receive("m2"), jo, sue, false],
    ["the system", receive("m2"), jo, timer, true],
    ["another contact", receive("m2"), jo, { kind: "contact", id: Id.ContactId.parse("eve") }, false],
    ["a bot", send("m2"), ana, robo, false]
  ] as const)("[CONV-30] edit and deletion by %s", (_, command, author, actor, allowed) => {
    const events = history([open({ holder: held("ana") }), jo], [command, author])
    for (const change of [edit("m2"), remove("m2")]) {
      const outcome = given(events).when(change, actor)
      expect(outcome.result.ok).toBe(allowed)
      if (!allowed) expect(refusal(outcome)).toMatchObject({ code: "notAnAuthor", facts: { author } })
    }
  })

  test("[CONV-30] an agent whose role has changed is still the author", () => {
    const events = history(
      [open({ holder: held("ana") }), jo],
      [send("m2"), { ...ana, role: "supervisor" } as typeof ana]
    )
    expect(given(events).when(edit("m2"), ana).told).toBe("MessageEdited")
  })

  test("[CONV-31] a deleted message keeps its place and loses its words", () => {
    const deleted = history(
      ...received,
      [{ type: "AddReaction", messageId: mid("m1"), emoji: "👍" }, jo],
      [remove("m1"), jo]
    )
    expect(ConversationEvolution.fold(deleted).messages.get(mid("m1"))).toMatchObject({
      sequence: 1,
      parts: [],
      attachments: [],
      deletedAtMs: 4000
    })
    expect(refusal(given(deleted).when(edit("m1"), jo)).code).toBe("messageDeleted")
    expect(refusal(given(deleted).when({ type: "AddReaction", messageId: mid("m1"), emoji: "🎉" }, jo)).code).toBe(
      "messageDeleted"
    )
    expect(given(deleted).when({ type: "RemoveReaction", messageId: mid("m1") }, jo).told).toBe("ReactionRemoved")
    expect(given(deleted).when(remove("m1"), jo).told).toBe("-")
  })

  test.each([
    edit("m9"),
    remove("m9"),
    { type: "AddReaction", messageId: mid("m9"), emoji: "👍" },
    { type: "RemoveReaction", messageId: mid("m9") },
    { type: "RecordDelivery", messageId: mid("m9"), deliveryId: did("d"), state: "sent" },
    { type: "RetryDelivery", messageId: mid("m9"), deliveryId: did("d") },
    {
      type: "RecordAttachment",
      messageId: mid("m9"),
      attachmentId: Id.AttachmentId.parse("a1"),
      result: { state: "failed", failure: "gone" }
    }
  ] as ReadonlyArray<Command>)("[CONV-23] $type of a message that isn't there", (command) => {
    expect(refusal(given(history(...received)).when(command, timer))).toMatchObject({
      code: "messageUnknown",
      facts: { messageId: "m9" }
    })
  })

  test("[CONV-32] an actor has each emoji once on a message, and takes back one or all of its own", () => {
    const react = (emoji: string, actor: typeof jo): Step => [
      { type: "AddReaction", messageId: mid("m1"), emoji },
      actor
    ]
    const events = history(...received, react("👍", jo), react("🎉", jo), react("👍", ana))
    const when = (emoji: string | undefined, actor: typeof jo) =>
      given(events).when({ type: "RemoveReaction", messageId: mid("m1"), ...(emoji && { emoji }) }, actor)
    const left = (outcome: ReturnType<typeof when>) =>
      outcome.message("m1").reactions.map(({ emoji, by }) => `${emoji} ${by.kind}`)
    expect(given(events).when(react("👍", jo)[0], jo).told).toBe("-")
    expect(left(when("👍", jo))).toEqual(["🎉 contact", "👍 agent"])
    expect(left(when(undefined, jo))).toEqual(["👍 agent"])
    expect(when("🎉", ana).told).toBe("-")
    expect(when(undefined, ben).told).toBe("-")
  })

  test("[CONV-32] two parts of the system are two actors", () => {
    const other = { kind: "system", name: "importer" } as const
    const events = history(...received, [{ type: "AddReaction", messageId: mid("m1"), emoji: "👍" }, timer])
    expect(given(events).when({ type: "RemoveReaction", messageId: mid("m1") }, other).told).toBe("-")
    expect(given(events).when({ type: "AddReaction", messageId: mid("m1"), emoji: "👍" }, other).told).toBe(
      "ReactionAdded"
    )
  })

  test("[CONV-35] an attachment's bytes are stored once; a failure may still turn out well", () => {
    const attachmentId = Id.AttachmentId.parse("a1")
    const attachments = [{ id: attachmentId, mediaType: "image/*", state: "pending" as const, source: "ref" }]
    const stored = { state: "stored", blobKey: "b1", sizeBytes: 3, mediaType: "image/png" } as const
    const record = (result: typeof stored | { state: "failed"; failure: string }) =>
      ({ type: "RecordAttachment", messageId: mid("m1"), attachmentId, result }) as const
    const steps: ReadonlyArray<Step> = [opened, [receive("m1", { attachments }), jo]]
    const failed: Step = [record({ state: "failed", failure: "gone" }), timer]
    expect(messageAfter("m1", ...steps, failed).attachments).toEqual([
      { ...attachments[0], state: "failed", failure: "gone" }
    ])
    expect(messageAfter("m1", ...steps, failed, [record(stored), timer]).attachments).toEqual([
      { ...attachments[0], ...stored }
    ])
    const done = history(...steps, [record(stored), timer])
    expect(given(done).when(record({ state: "failed", failure: "gone" }), timer).told).toBe("-")
    const unknown = { ...record(stored), attachmentId: Id.AttachmentId.parse("a2") }
    expect(refusal(given(done).when(unknown, timer)).code).toBe("attachmentUnknown")
  })
})

describe("what was said is removed", () => {
  const eraseContent: Command = { type: "EraseContent", reason: "retention" }
  const attachmentId = Id.AttachmentId.parse("a1")
  const said: ReadonlyArray<Step> = [
    [open({ holder: held("ana") }), jo],
    [receive("m1", { attachments: [{ id: attachmentId, mediaType: "image/*", state: "pending", source: "ref" }] }), jo],
    [send("m2"), ana]
  ]

  test("[CONV-43] closes a resolved conversation, and says why", () => {
    const { result, conversation } = given(history(...said, resolve)).when(eraseContent, timer, 7)
    expect(result).toMatchObject({
      value: [
        { type: "ConversationClosed" },
        { type: "ControlChanged" },
        { type: "ContentErased", reason: "retention" }
      ]
    })
    expect(conversation).toMatchObject({ status: "closed", contentErasedAtMs: 7, control: { holder: nobody } })
    expect(ConversationDecision.takesMessages(conversation)).toBe(false)
  })

  test.each([
    ["open", []],
    ["pending", [pending]],
    ["snoozed", [snoozed(50_000)]]
  ] as const)("[CONV-43] is refused while it is %s", (status, steps) => {
    expect(refusal(given(history(...said, ...steps)).when(eraseContent, timer))).toMatchObject({
      code: "statusNotAllowed",
      message: expect.stringContaining("resolve it first"),
      facts: { status }
    })
  })

  test("[CONV-43] is recorded once", () => {
    const erased = history(...said, [{ type: "CloseConversation" }, sue], [eraseContent, timer])
    expect(erased.at(-1)?.type).toBe("ContentErased")
    expect(given(erased).when({ type: "EraseContent", reason: "request" }, timer).told).toBe("-")
  })

  test("[CONV-44] nothing brings words back", () => {
    const erased = given(history(...said, resolve, [eraseContent, timer]))
    const stored = { state: "stored", blobKey: "b1", sizeBytes: 3, mediaType: "image/png" } as const
    for (const [command, actor] of [
      [{ type: "EditMessage", messageId: mid("m1"), parts: [Message.text("other")] }, jo],
      [{ type: "RecordDelivery", messageId: mid("m2"), deliveryId: did("d-m2"), state: "sent" }, timer],
      [{ type: "RecordAttachment", messageId: mid("m1"), attachmentId, result: stored }, timer]
    ] as ReadonlyArray<Step>) {
      expect(refusal(erased.when(command, actor))).toMatchObject({
        code: "contentErased",
        message: expect.stringContaining("follow-up"),
        facts: { conversationId }
      })
    }
    const link = { kind: "followedUpBy", conversationId: otherConversation } as const
    expect(erased.when({ type: "LinkConversation", link }, timer).told).toBe("ConversationLinked")
  })

  test("[CONV-44] an undone merge opens nothing again", () => {
    const merged = history(
      ...said,
      [{ type: "MergeConversation", into: otherConversation }, sue],
      [eraseContent, timer]
    )
    const { told, conversation } = given(merged).when({ type: "UndoMerge" }, sue)
    expect(told).toBe("MergeUndone")
    expect(conversation.status).toBe("closed")
    expect(conversation.closedAtMs).toBeDefined()
  })
})
