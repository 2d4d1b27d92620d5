import {
  Actor,
  Agent,
  Conversation,
  ConversationCommand,
  Id,
  Message,
  Participant,
  Rejection,
  Result
} from "@switchboard/conversation"
import { describe, expect, test } from "vitest"
import {
  ana,
  held,
  heldByBot,
  jo,
  mid,
  nobody,
  otherBot,
  receive,
  recipient,
  robo,
  send,
  sue,
  timer
} from "./scenario.ts"

describe("values", () => {
  test("[CONV-32] an actor is the same whatever its role", () => {
    expect(Actor.isSame(ana, { ...ana, role: "supervisor" } as Actor.Actor)).toBe(true)
    expect(Actor.isSame(timer, Actor.system("timer"))).toBe(true)
    const all = [ana, sue, robo, otherBot, jo, timer, Actor.system("router")]
    for (const a of all) for (const b of all) expect(Actor.isSame(a, b)).toBe(a === b)
  })

  test("[CONV-19] holders are the same by kind and id", () => {
    const all = [held("ana"), held("ben"), held("robo"), heldByBot, nobody]
    for (const a of all) for (const b of all) expect(Conversation.isSameHolder(a, b)).toBe(a === b)
  })

  test("[CONV-22] participants are the same in the same role", () => {
    const agentId = Id.AgentId.parse("ana")
    const all: ReadonlyArray<Participant.Participant> = [
      { role: "requester", contactId: Id.ContactId.parse("jo") },
      { role: "requester", contactId: Id.ContactId.parse("jim") },
      { role: "cc", address: recipient },
      { role: "cc", address: { ...recipient, kind: "phone" } },
      { role: "agent", agentId },
      { role: "observer", agentId },
      { role: "bot", botId: Id.BotId.parse("robo") }
    ]
    for (const a of all) for (const b of all) expect(Participant.isSame(a, b)).toBe(a === b)
  })

  test("[CONV-28] a message of any parts reads as text", () => {
    const attachmentId = Id.AttachmentId.parse("a1")
    const parts: ReadonlyArray<Message.MessagePart> = [
      Message.text("words"),
      { kind: "html", html: "<b>bold</b>", text: "bold" },
      { kind: "attachment", attachmentId },
      { kind: "attachment", attachmentId, caption: "my passport" },
      { kind: "location", latitude: 41.93, longitude: 2.25 },
      { kind: "location", latitude: 41.93, longitude: 2.25, name: "Vic" },
      { kind: "contactCard", name: "Max", phones: [], emails: [] },
      { kind: "choices", text: "Which?", options: [{ id: "1", label: "this" }] },
      { kind: "choice", id: "1", label: "this" },
      { kind: "template", name: "reminder", language: "en", parameters: ["Monday"] },
      { kind: "unsupported", description: "a sticker" }
    ]
    expect(Message.MessagePart.array().parse(parts)).toEqual(parts)
    expect(new Set(parts.map(({ kind }) => kind)).size).toBe(Message.MessagePart.options.length)
    expect(Message.toText(parts).split("\n")).toEqual([
      "words",
      "bold",
      "my passport",
      "41.93, 2.25",
      "Vic",
      "Max",
      "Which?",
      "this",
      "reminder Monday",
      "a sticker"
    ])
    expect(Message.toText([])).toBe("")
  })

  test("[CONV-25] a decision needs the message it is about and the one it quotes", () => {
    expect(ConversationCommand.toMessageIds(receive("m1"))).toEqual(["m1"])
    expect(ConversationCommand.toMessageIds(send("m2", { replyTo: mid("m1") }))).toEqual(["m2", "m1"])
    expect(ConversationCommand.toMessageIds({ type: "MarkRead" })).toEqual([])
  })

  test("[SCHEMA-3] a command with a field that nobody knows is refused", () => {
    expect(ConversationCommand.ConversationCommand.safeParse({ type: "MarkRead", all: true }).success).toBe(false)
  })

  test("[SCHEMA-4] levels of skills are 1 to 5, ids 1 to 128 characters", () => {
    const agent = {
      id: "ana",
      name: "Ana",
      role: "agent",
      teams: [],
      languages: ["ca"],
      capacity: { total: 3, perChannelKind: {} }
    }
    expect(Agent.Agent.safeParse({ ...agent, skills: { refunds: 5 } }).success).toBe(true)
    for (const level of [0, 6, 1.5]) {
      expect(Agent.Agent.safeParse({ ...agent, skills: { refunds: level } }).success).toBe(false)
    }
    const routed = { homeQueues: ["billing"], weight: 0.5, attributes: { region: "eu", senior: true, areas: ["a"] } }
    expect(Agent.Agent.parse({ ...agent, skills: {}, ...routed })).toMatchObject(routed)
    for (const wrong of [{ homeQueues: [""] }, { weight: 0 }, { attributes: { region: null } }]) {
      expect(Agent.Agent.safeParse({ ...agent, skills: {}, ...wrong }).success).toBe(false)
    }
    expect(Id.AgentId.safeParse("x".repeat(128)).success).toBe(true)
    for (const id of ["", "x".repeat(129)]) expect(Id.AgentId.safeParse(id).success).toBe(false)
  })

  test("[AUTH-3] a refusal is a value with a code, facts and a sentence", () => {
    const rejection = Rejection.make("limit", "there are at most 50 tags; remove one first", { limit: 50 })
    expect(Result.fail(rejection)).toEqual({
      ok: false,
      error: { code: "limit", message: "there are at most 50 tags; remove one first", facts: { limit: 50 } }
    })
    expect(Result.succeed(1)).toEqual({ ok: true, value: 1 })
  })
})
