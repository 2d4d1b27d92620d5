/** Why things stand as they do, and why something can't be done, in words. */
import type { Capabilities } from "@switchboard/channel"
import type { Agent, Conversation, Message } from "@switchboard/conversation"
import type { ClockView } from "@switchboard/desk/DeskService"
import type { InboxRow } from "@switchboard/desk/Views"
import type { Explanation, Requirement } from "@switchboard/routing"
import { describe, expect, test } from "vitest"
import { allowedOn, isInHand } from "../../src/ui/conversation/Changes.ts"
import type { Directory } from "../../src/ui/Directory.ts"
import { toTime } from "../../src/ui/Format.ts"
import { contentOf, conversationOf, senderOf } from "../../src/ui/health/Letters.ts"
import { toClock, toObstacle, toPlace, toTurn } from "../../src/ui/why/Reasons.ts"

const now = new Date(2026, 10, 25, 12).getTime()
const minute = 60_000
const at = (ms: number) => toTime(now + ms)

const directory: Directory = {
  agents: [],
  teams: [],
  agentName: (id) => ({ mara: "Mara", jonas: "Jonas" })[id] ?? id,
  teamName: (id) => ({ billing: "Billing" })[id] ?? id
}

const conversation = (more: Record<string, unknown> = {}) =>
  ({
    status: "open",
    priority: "high",
    control: { holder: { kind: "nobody" }, fence: 1 },
    ...more
  }) as unknown as Conversation.Conversation

const explained = (more: Partial<Explanation.ItemExplanation> = {}): Explanation.ItemExplanation => ({
  item: {
    itemId: "c1",
    queueId: "main",
    channelKind: "webchat",
    weight: 1,
    priority: 0,
    arrivedAtMs: now - 5 * minute
  },
  requirement: { kind: "all", of: [] },
  place: { kind: "waiting" },
  ageMs: 5 * minute,
  agents: [],
  ...more
})

describe("where it is", () => {
  test("waiting: since when, what it asks for, what is missing, and when that ends by itself", () => {
    const requirement: Requirement.Requirement = {
      kind: "all",
      of: [
        { kind: "team", team: "billing" },
        { kind: "skill", skill: "refunds", atLeast: 3 }
      ]
    }
    expect(
      toPlace(
        conversation(),
        explained({ requirement, waitsFor: "capacity", changesAtMs: now + minute }),
        directory,
        now
      )
    ).toEqual([
      `Nobody has it. It has waited in the queue of everybody since ${at(-5 * minute)}, 5m now.`,
      "It asks for the team Billing and refunds at level 3.",
      "Whoever could take it has no hand free.",
      `At ${at(minute)} one of the reasons below ends by itself.`
    ])
  })

  test("waiting for those whose work it is, and what it asks for later", () => {
    const next: Requirement.Requirement = { kind: "language", language: "es" }
    const relaxation = { step: 1, of: 2, nextAtMs: now + minute, next }
    expect(toPlace(conversation(), explained({ relaxation, waitsFor: "homeAgent" }), directory, now).slice(2)).toEqual([
      `From ${at(minute)} on it asks for Spanish.`,
      "Those who do this work have no hand free. Others help when more of it waits, or when it has waited a while."
    ])
    const anyone = { ...relaxation, next: { kind: "all" as const, of: [] } }
    expect(toPlace(conversation(), explained({ relaxation: anyone }), directory, now)[2]).toBe(
      `From ${at(minute)} on anybody may take it.`
    )
    // At the last step nothing more changes.
    expect(toPlace(conversation(), explained({ relaxation: { step: 2, of: 2 } }), directory, now)).toHaveLength(3)
  })

  test("offered and assigned: to whom", () => {
    const offered = { kind: "offered", agentId: "mara", sinceMs: now, expiresAtMs: now + 20_000 } as const
    expect(toPlace(conversation(), explained({ place: offered }), directory, now)[0]).toBe(
      `It is offered to Mara since ${at(0)}, for another 0:20.`
    )
    const assigned = { kind: "assigned", agentId: "jonas", sinceMs: now - minute } as const
    expect(toPlace(conversation(), explained({ place: assigned }), directory, now)).toEqual([
      `Jonas has had it since ${at(-minute)}.`
    ])
  })

  test.each([
    [{ status: "resolved" }, "It is resolved, so it is nobody's turn."],
    [{ status: "pending" }, "It waits for the contact, so it is nobody's turn."],
    [
      { control: { holder: { kind: "bot", id: "first-aid" }, fence: 0 } },
      "First aid answers first. People are asked once it hands over."
    ],
    [{}, "It has only just come in. Look again in a moment."]
  ])("outside of routing, with %j: %s", (more, sentence) =>
    expect(toPlace(conversation(more), null, directory, now)).toEqual([sentence])
  )
})

describe("its turn", () => {
  const row = (more: Partial<InboxRow>) =>
    ({ status: "open", attention: 0, due: null, waitingSinceMs: null, ...more }) as InboxRow
  const turn = (more: Partial<InboxRow>, ahead?: number) =>
    toTurn({ conversation: conversation(), row: row(more) }, ahead === undefined ? null : explained({ ahead }), now)
  test("what is ahead, and by which rule", () => {
    expect(turn({}, 0)[0]).toBe("It is the next to be given out.")
    expect(turn({}, 3)[0]).toBe(
      "3 conversations are given out before it: higher priority goes first, then the longer wait. Its priority is high."
    )
  })
  test("what comes later and goes before it: until when, or why without end", () => {
    const ofItem = (more: Partial<Explanation.ItemExplanation>) =>
      toTurn({ conversation: conversation(), row: null }, explained({ ahead: 1, ...more }), now).slice(1)
    const bounded = { kind: "bounded", by: "agedPriority", withinMs: 6 * minute, message: "" } as const
    expect(ofItem({ overtaking: bounded, overtakenUntilMs: now + minute })).toEqual([
      `Nothing that comes after ${at(minute)} is given out before it.`
    ])
    expect(ofItem({ overtaking: { kind: "unbounded", code: "priority_first", by: "priority", message: "" } })).toEqual([
      "What comes later may be given out before it, however long it waits: a higher priority goes first."
    ])
    expect(ofItem({})).toEqual([])
  })
  test("its place in the list", () => {
    const due = { target: "first-reply", dueAtMs: now + minute, breached: false }
    expect(turn({ attention: now + minute, due })).toEqual([
      `In the list it stands by the promise that ends first: first reply, ${at(minute)}.`
    ])
    expect(turn({ attention: now + 10 * minute, waitingSinceMs: now })[0]).toContain(
      "In the list it stands by the wait"
    )
    expect(turn({})[0]).toContain("nobody waits for an answer")
    expect(turn({ status: "pending", waitingSinceMs: now })[0]).toContain("it is not open")
  })
})

describe("what keeps an agent from it", () => {
  test.each<[Explanation.Obstacle, string]>([
    [{ kind: "requirement", unmet: [{ kind: "team", team: "billing" }] }, "is not in Billing"],
    [
      {
        kind: "requirement",
        unmet: [
          { kind: "any", of: [{ kind: "language", language: "es" }] },
          { kind: "skill", skill: "refunds", atLeast: 2 }
        ]
      },
      "doesn't speak Spanish and lacks refunds at level 2"
    ],
    [{ kind: "presence", status: "busy" }, "takes no new offers"],
    [{ kind: "presence", status: "away", reason: "missed_offers" }, "is away (missed offers)"],
    [{ kind: "channelOff", channelKind: "email" }, "takes nothing by E-mail"],
    [{ kind: "capacity", limit: "units", used: 3, allowed: 3 }, "holds 3 of 3"],
    [{ kind: "capacity", limit: "channelKind", used: 2, allowed: 2 }, "holds 2 of 2 by Web chat"],
    [{ kind: "capacity", limit: "together", used: 1, allowed: 4 }, "holds work that doesn't go together with this"],
    [
      { kind: "capacity", limit: "wrapUp", used: 3, allowed: 3, untilMs: now + minute },
      `is wrapping up until ${at(minute)}`
    ],
    [
      { kind: "excluded", cause: "missed", untilMs: now + minute },
      `let the offer go by, and is asked again from ${at(minute)}`
    ],
    [{ kind: "reserved", agentId: "mara", untilMs: now + minute }, `comes after Mara until ${at(minute)}`],
    [
      { kind: "reserved", agentId: "mara", agents: ["mara", "jonas"], untilMs: now + minute },
      `comes after Mara and Jonas until ${at(minute)}`
    ],
    [
      { kind: "othersWork", queueId: "billing", waiting: 1, fromLength: 2, untilMs: now + minute },
      `has other work first, and helps when 2 wait, or from ${at(minute)}`
    ],
    [
      { kind: "keptFree", queueId: "billing", othersFree: 0, keepFree: 1 },
      "stays for the work of Billing: 0 of 1 others are free for it"
    ],
    [
      { kind: "keptFree", queueId: "main", othersFree: 0, keepFree: 1 },
      "stays for the work of everybody: 0 of 1 others are free for it"
    ]
  ])("%j", (obstacle, words) => expect(toObstacle(obstacle, "webchat", directory, now)).toBe(words))
})

describe("promises", () => {
  const clock = (more: Partial<ClockView>): ClockView => ({
    target: "first-reply",
    state: "running",
    startedAtMs: now - 5 * minute,
    dueAtMs: now + minute,
    breachedAtMs: null,
    ...more
  })
  const began = `First reply began ${at(-5 * minute)}`
  test.each([
    [clock({}), `${began} and is due ${at(minute)}, in 1:00.`],
    [
      clock({ dueAtMs: now - 2 * minute, breachedAtMs: now - 2 * minute }),
      `${began} and was due ${at(-2 * minute)}, 2m ago. It counts on.`
    ],
    [clock({ state: "paused", dueAtMs: null }), `${began} and stands still: time doesn't count at the moment.`],
    [clock({ state: "fulfilled", breachedAtMs: now - minute }), `${began} and is met. It was missed ${at(-minute)}.`]
  ])("%j", (given, sentence) => expect(toClock(given, now)).toBe(sentence))
})

describe("what can be done with a message", () => {
  const agent = (id: string, role: Agent.Agent["role"] = "agent") => ({ id, role }) as Agent.Agent
  const message = (more: Record<string, unknown> = {}) =>
    ({
      direction: "out",
      author: { kind: "agent", id: "mara", role: "agent" },
      parts: [{ kind: "text", text: "x", format: "plain" }],
      deliveries: [{ state: "sent", platformIds: ["p1"] }],
      ...more
    }) as unknown as Message.Message
  const where = (outbound: ReadonlyArray<string>, isOver = false) => ({
    isOver,
    channel: "E-mail",
    capabilities: { outbound } as unknown as Capabilities.Capabilities
  })

  test("its author and whoever leads may, nobody changes what a contact wrote", () => {
    expect(isInHand(message(), agent("mara"))).toBe(true)
    expect(isInHand(message(), agent("jonas"))).toBe(false)
    expect(isInHand(message(), agent("ines", "supervisor"))).toBe(true)
    expect(
      isInHand(message({ direction: "in", author: { kind: "contact", id: "mara" } }), agent("ines", "supervisor"))
    ).toBe(false)
  })

  test("what the channel can do decides", () => {
    expect(allowedOn(message(), where(["message", "edit", "delete", "reaction"]))).toEqual({
      react: null,
      edit: null,
      remove: null
    })
    expect(allowedOn(message(), where(["message"]))).toEqual({
      react: "E-mail takes no reactions.",
      edit: "E-mail can't change what was sent.",
      remove: "E-mail can't take back what was sent."
    })
    expect(allowedOn(message(), { ...where([]), capabilities: undefined }).edit).toBe(
      "E-mail is not connected any more."
    )
  })

  test("what never left, and what is for colleagues, needs no channel", () => {
    const failed = message({ deliveries: [{ state: "failed", platformIds: [] }] })
    expect(allowedOn(failed, where(["message"]))).toMatchObject({ edit: null, remove: null })
    expect(allowedOn(message({ direction: "note" }), { ...where([]), capabilities: undefined })).toEqual({
      react: null,
      edit: null,
      remove: null
    })
  })

  test("only words can be changed, and nothing once the conversation is over", () => {
    const picture = message({ parts: [{ kind: "attachment", attachmentId: "a" }] })
    expect(allowedOn(picture, where(["edit", "delete"]))).toMatchObject({
      edit: "Only text can be changed.",
      remove: null
    })
    expect(allowedOn(message(), where(["edit"], true)).edit).toBe("This conversation is over.")
  })
})

describe("a dead letter", () => {
  const letter = {
    id: "l",
    channelKind: "email",
    state: "waiting",
    code: "x",
    reason: "x",
    receivedAtMs: 0,
    headers: {}
  } as const
  test("names its sender as far as that is known", () => {
    const entry = { from: { name: "Ana", addresses: [{ kind: "email", value: "ana@example.com" }] } }
    expect(senderOf({ ...letter, bytes: null, entry })).toEqual(["Ana", "ana@example.com"])
    expect(senderOf({ ...letter, bytes: null, entry: { from: { addresses: [] } } })).toEqual([])
    expect(senderOf({ ...letter, bytes: "eA==", entry: null })).toEqual([])
    expect(senderOf({ ...letter, bytes: null, entry: { kind: "unsupported", raw: { from: "3460" } } })).toEqual([
      "3460"
    ])
    expect(senderOf({ ...letter, bytes: null, entry: { kind: "unsupported", raw: [] } })).toEqual([])
  })
  test("shows what came, as text and not too much of it", () => {
    expect(contentOf({ ...letter, bytes: btoa("<b>hi"), entry: null })).toBe("<b>hi")
    expect(contentOf({ ...letter, bytes: btoa("x".repeat(9000)), entry: null })).toHaveLength(4001)
    expect(contentOf({ ...letter, bytes: null, entry: null })).toBe("")
  })
  test("leads to the conversation a parked stream is of", () => {
    expect(conversationOf("conversation/c1")).toBe("c1")
    expect(conversationOf("pool/main")).toBeNull()
  })
})
