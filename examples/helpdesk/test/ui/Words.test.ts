import { describe, expect, test } from "vitest"
import { fromMarkup } from "../../src/ui/conversation/Draft.ts"
import { toSpans } from "../../src/ui/conversation/Spans.ts"
import { DeskFault } from "../../src/ui/DeskClient.ts"
import { contactNameOf } from "../../src/ui/Directory.ts"
import { toRange } from "../../src/ui/dashboard/Range.ts"
import { toCountdown, toDuration, toInitials, toWords } from "../../src/ui/Format.ts"
import { concerns } from "../../src/ui/Live.ts"
import { toSentence } from "../../src/ui/Problems.ts"

describe("words", () => {
  test.each([
    [0, "0s"],
    [59_999, "59s"],
    [60_000, "1m"],
    [3_900_000, "1h 05m"],
    [2 * 86_400_000 + 4 * 3_600_000, "2d 4h"],
    [-5, "0s"]
  ])("%d ms lasts %s", (ms, words) => expect(toDuration(ms)).toBe(words))

  test("a countdown shows seconds only while they matter", () => {
    expect(toCountdown(61_000)).toBe("1:01")
    expect(toCountdown(-61_000)).toBe("1:01")
    expect(toCountdown(601_000)).toBe("10m")
  })

  test("initials come from first and last name in any script", () => {
    expect(toInitials("Tomás Ferreira dos Santos")).toBe("TS")
    expect(toInitials("ليلى حداد")).toBe("لح")
    expect(toInitials("+34 600")).toBe("")
  })

  test("ids read as words", () => {
    expect(toWords("first-reply")).toBe("First reply")
    expect(toWords("followUpOf")).toBe("Follow up of")
  })
})

describe("spans", () => {
  test("plain text keeps its marks and gets its links", () => {
    expect(toSpans("see https://a.test/x, *now*", false, [])).toEqual([
      { kind: "text", text: "see " },
      { kind: "link", text: "https://a.test/x", href: "https://a.test/x" },
      { kind: "text", text: ", *now*" }
    ])
  })

  test("a Markdown link to a script stays text", () => {
    expect(toSpans("[x](javascript:alert)", true, [])).toEqual([{ kind: "text", text: "x" }])
  })

  test("Markdown marks and mentions are found", () => {
    expect(toSpans("**a** `b` _c_ @Ada Ferrer", true, ["Ada Ferrer"]).map(({ kind }) => kind)).toEqual([
      "strong",
      "text",
      "code",
      "text",
      "emphasis",
      "text",
      "mention"
    ])
  })
})

test("a note's markup gives its words and whom it calls for", () => {
  expect(fromMarkup("Ask @[Billing](team:billing) and @[Ada Ferrer](agent:ada)!")).toEqual({
    text: "Ask @Billing and @Ada Ferrer!",
    mentions: [
      { kind: "team", id: "billing" },
      { kind: "agent", id: "ada" }
    ]
  })
})

describe("problems", () => {
  test("a known code has a sentence of its own", () => {
    expect(toSentence(new DeskFault(409, "staleFence", "x"))).toContain("took this conversation over")
    expect(toSentence(new DeskFault(409, "agent_offline", "ada is offline"))).toContain("You are offline")
  })

  test("a field that is wrong is named with what is expected", () => {
    const errors = [{ field: "body.text", expected: "string to have <=200000 characters", found: "a lot" }]
    expect(toSentence(new DeskFault(400, "requestInvalid", "x", { errors }))).toBe(
      "The desk can't take this (text): it expects at most 200000 characters."
    )
  })

  test("anything else is the desk's own words as a sentence", () => {
    expect(toSentence(new DeskFault(409, "linkOver", "the link is over"))).toBe("The link is over.")
  })
})

test("a range covers whole hours up to the end of the running one", () => {
  const now = new Date(2026, 10, 25, 14, 20).getTime()
  const { fromMs, toMs } = toRange("today", now)
  expect(new Date(fromMs).getHours()).toBe(0)
  expect(toMs).toBe(new Date(2026, 10, 25, 15).getTime())
  expect(new Date(toRange("week", now).fromMs).getDate()).toBe(19)
})

test("a visitor's id is no name", () => {
  expect(contactNameOf("bad30a06-761f-4177-b56d-408d245f0c02")).toBe("Visitor 0c02")
  expect(contactNameOf("ana@example.com")).toBe("ana@example.com")
  expect(contactNameOf("")).toBe("Unknown visitor")
})

describe("what a change makes worth reading again", () => {
  const change = (
    about: Partial<{ readonly type: string; readonly conversationId: string; readonly contactId: string }>
  ) => [{ position: 1, type: "MessageReceived", conversationId: null, contactId: null, agentId: null, ...about }]
  const shown = {
    conversation: { id: "c1", contactId: "k1" },
    others: [{ id: "c2" }],
    contact: { id: "k1" },
    merged: [{ id: "k3" }]
  }
  const key = ["conversation", "c1"]

  test("the list always", () => expect(concerns(change({}), ["inbox", {}], undefined)).toBe(true))
  test.each([
    [{ conversationId: "c1" }, true],
    [{ conversationId: "c2" }, true],
    [{ conversationId: "c3" }, false],
    [{ contactId: "k1" }, true],
    [{ contactId: "k2" }, false],
    [{ contactId: "k3" }, true],
    [{ type: "ConversationOpened", conversationId: "c3" }, true]
  ])("an open conversation after %j: %s", (about, expected) =>
    expect(concerns(change(about), key, shown)).toBe(expected)
  )
  test("a conversation that could not be read, when it changes", () => {
    expect(concerns(change({ conversationId: "c1" }), key, undefined)).toBe(true)
    expect(concerns(change({ conversationId: "c2" }), key, undefined)).toBe(false)
  })
  test("what other systems know, never", () => expect(concerns(change({}), ["context", "k1"], {})).toBe(false))
})
