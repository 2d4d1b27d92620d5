import { type BotAction, BotTesting, Menu, Predicate, Step, Turn } from "@switchboard/bot"
import { Id, Message } from "@switchboard/conversation"
import fc from "fast-check"
import { describe, expect, test } from "vitest"

const simple: Menu.MenuOptions = {
  text: "What is it about?",
  options: [
    { id: "hours", label: "Opening hours", step: Step.answer("9 to 5") },
    { id: "billing", label: "Billing", step: Step.handOff({ reason: "billing", summary: "" }) },
    { id: "other", label: "Something else", step: () => undefined }
  ]
}

const told = (response: BotAction.BotResponse | undefined): string =>
  response === undefined
    ? "-"
    : response.actions
        .map((action) => {
          if (action.type === "ask") return `? ${action.text}`
          if (action.type === "handOff") return `! ${action.reason}`
          return action.type === "reply" ? Message.toText(action.parts) : action.type
        })
        .join(", ")

/** What a step answers to one line after the other; `-` is no answer. */
const talk = async (step: Step.Step, ...lines: ReadonlyArray<string | { readonly choice: string }>) => {
  const silence: BotAction.BotResponse = { actions: [] }
  const responses = await BotTesting.talk({ onTurn: async (turn) => (await step(turn)) ?? silence }, lines)
  return responses.map((response) => told(response) || "-")
}

const asks = "? What is it about?"

describe("a menu", () => {
  test.each<[string, string | { readonly choice: string }, string]>([
    ["a button", { choice: "hours" }, "9 to 5"],
    ["a number", "1", "9 to 5"],
    ["a number with a dot", "2.", "! billing"],
    ["a number in other digits", "٢", "! billing"],
    ["a label", "opening HOURS!", "9 to 5"],
    ["a step without an answer", "3", "-"],
    ["zero", "0", "-"],
    ["a number too high", "4", "-"],
    ["other words", "My parcel is lost", "-"],
    ["a label among other words", "Is this about billing?", "-"],
    ["a button of something else", { choice: "nothing" }, "-"]
  ])("[BOT-24] asks, and %s chooses", async (_, answer, expected) => {
    expect(await talk(Menu.make(simple), "hello", answer)).toEqual([asks, expected])
  })

  test("[BOT-24] a number that is a label is that label", async () => {
    const step = Menu.make({
      text: "How many?",
      options: [
        { id: "two", label: "2", step: Step.answer("two") },
        { id: "one", label: "1", step: Step.answer("one") }
      ]
    })
    expect(await talk(step, "hi", "1")).toEqual(["? How many?", "one"])
  })

  test("[BOT-24] an answer among several messages of one turn counts", async () => {
    const [question] = (await Menu.make(simple)(BotTesting.turn({ text: "hi" })))?.actions ?? []
    if (question?.type !== "ask") throw new Error("no question")
    const history = [
      { from: "bot" as const, parts: [{ kind: "choices" as const, text: question.text, options: question.options }] }
    ]
    const first = BotTesting.turn({ text: "1", history })
    const second = BotTesting.turn({ text: "please", history })
    expect(told(await Menu.make(simple)({ ...first, messages: [...first.messages, ...second.messages] }))).toBe(
      "9 to 5"
    )
  })

  test("[BOT-25] leaves what does not choose to others, and does not repeat itself", async () => {
    const step = Step.firstOf(Menu.make(simple), Step.answer("?!"))
    expect(await talk(step, "hello", "what?", "well", "1", "thanks")).toEqual([asks, "?!", "?!", "9 to 5", "?!"])
  })

  test("[BOT-25] asks no second time after it was answered", async () => {
    expect(await talk(Menu.make(simple), "hello", "1", "hello", "1")).toEqual([asks, "9 to 5", "-", "-"])
  })

  test("[BOT-26] a button chooses again, a typed number only once", async () => {
    expect(await talk(Menu.make(simple), "hello", "1", "2", { choice: "billing" })).toEqual([
      asks,
      "9 to 5",
      "-",
      "! billing"
    ])
  })

  test("[BOT-26] an option that stays gets every later turn, also one that looks like an answer", async () => {
    const model: Step.Step = ({ messages }) => ({
      actions: [
        {
          type: "reply",
          parts: [Message.text(`you said ${messages.flatMap(({ parts }) => parts.map(({ kind }) => kind)).join()}`)]
        }
      ]
    })
    const step = Menu.make({
      text: "Who?",
      options: [
        { id: "model", label: "The model", step: model, stays: true },
        { id: "hours", label: "Hours", step: Step.answer("9 to 5") }
      ]
    })
    expect(await talk(step, "hi", "1", "2", "why?", { choice: "unknown" }, { choice: "hours" }, "why?")).toEqual([
      "? Who?",
      "you said text",
      "you said text",
      "you said text",
      "you said choice",
      "9 to 5",
      "-"
    ])
  })

  test("[BOT-26] a menu in a menu", async () => {
    const inner = Menu.make({
      text: "Which order?",
      options: [
        { id: "late", label: "It is late", step: Step.answer("Sorry!") },
        { id: "broken", label: "It is broken", step: Step.handOff({ reason: "broken" }) }
      ]
    })
    const outer = Menu.make({
      text: "What?",
      options: [{ id: "order", label: "An order", step: inner, stays: true }, ...simple.options]
    })
    expect(await talk(outer, "hi", "1", "hm", "2")).toEqual(["? What?", "? Which order?", "-", "! broken"])
    expect(await talk(outer, "hi", "1", "1", "thanks")).toEqual(["? What?", "? Which order?", "Sorry!", "-"])
    expect(await talk(outer, "hi", "1", { choice: "hours" })).toEqual(["? What?", "? Which order?", "9 to 5"])
  })

  test("[BOT-27] with a condition of its own it is asked whenever that holds, and answered on any turn", async () => {
    const step = Step.firstOf(Menu.make({ ...simple, when: Predicate.saysAny(["menu"]) }), Step.answer("?!"))
    expect(await talk(step, "hello", "menu", "menu!", "1", "1", "the menu", "2")).toEqual([
      "?!",
      asks,
      "?!",
      "9 to 5",
      "?!",
      asks,
      "! billing"
    ])
  })

  test("[BOT-28] is forgotten after a time", async () => {
    const step = Menu.make({
      ...simple,
      forgetMs: 60_000,
      options: simple.options.map((one) => ({ ...one, stays: true }))
    })
    const question = {
      kind: "choices" as const,
      text: simple.text,
      options: simple.options.map(({ id, label }) => ({ id, label }))
    }
    const history: ReadonlyArray<BotTesting.Said> = [
      { from: "bot", parts: [question] },
      { from: "contact", parts: [Message.text("1")] }
    ]
    const turn = BotTesting.turn({ text: "and on Sunday?", history })
    const asked = (waitMs: number) => step({ ...turn, nowMs: BotTesting.startMs + waitMs })
    expect(told(await asked(60_000))).toBe("9 to 5")
    expect(told(await asked(61_001))).toBe(asks)
    const button = BotTesting.turn({ choice: "hours", history })
    expect(told(await step({ ...button, nowMs: BotTesting.startMs + 600_000 }))).toBe("9 to 5")
  })

  test("[BOT-29] takes no answer to another question", async () => {
    const other = Menu.make({
      text: "Sure?",
      when: Predicate.saysAny(["cancel"]),
      options: [
        { id: "hours", label: "In some hours", step: Step.answer("later") },
        { id: "now", label: "Now", step: Step.answer("cancelled") }
      ]
    })
    const step = Step.firstOf(Menu.make(simple), other, Step.answer("?!"))
    expect(await talk(step, "hello", "cancel it", "2")).toEqual([asks, "? Sure?", "cancelled"])
    expect(await talk(step, "hello", "cancel it", { choice: "hours" })).toEqual([asks, "? Sure?", "later"])
    expect(await talk(step, "hello", "cancel it", { choice: "billing" })).toEqual([asks, "? Sure?", "! billing"])
  })

  test("[BOT-29] tells menus with the same options apart by their text", async () => {
    const yes = (text: string, said: string, when: Predicate.Predicate): Step.Step =>
      Menu.make({ text, when, options: [{ id: "yes", label: "Yes", step: Step.answer(said) }] })
    const step = Step.firstOf(
      yes("Delivered?", "fine", Predicate.firstTurn),
      yes("Refund?", "refunded", Predicate.saysAny(["refund"]))
    )
    expect(await talk(step, "hi", "refund", "yes")).toEqual(["? Delivered?", "? Refund?", "refunded"])
  })

  test("[BOT-30] gives the same turn the same answer", async () => {
    const line = fc.constantFrom("hi", "1", "2", "3", "billing", "menu")
    const menu = Menu.make({ ...simple, when: Predicate.or(Predicate.firstTurn, Predicate.saysAny(["menu"])) })
    await fc.assert(
      fc.asyncProperty(fc.array(line, { minLength: 1, maxLength: 8 }), async (lines) => {
        expect(await talk(menu, ...lines)).toEqual(await talk(menu, ...lines))
      }),
      { numRuns: 50 }
    )
  })

  test("[BOT-25] never asks while its question is open", async () => {
    const line = fc.constantFrom<string | { readonly choice: string }>("hi", "1", "3", "menu", { choice: "hours" })
    const menu = Menu.make({ ...simple, when: Predicate.saysAny(["menu"]) })
    await fc.assert(
      fc.asyncProperty(fc.array(line, { minLength: 1, maxLength: 10 }), async (lines) => {
        let isOpen = false
        const step: Step.Step = async (turn) => {
          const response = await menu(turn)
          if (response?.actions[0]?.type === "ask") {
            expect(isOpen).toBe(false)
            isOpen = true
          } else if (Turn.dialogue(turn).choices.some(({ isNew }) => isNew)) isOpen = false
          return response
        }
        await talk(step, ...lines)
      }),
      { numRuns: 100 }
    )
  })
})

describe("questions and choices", () => {
  const one: Message.ChoicesPart = { kind: "choices", text: "One?", options: [{ id: "yes", label: "Yes" }] }
  const two: Message.ChoicesPart = {
    kind: "choices",
    text: "Two?",
    options: [
      { id: "yes", label: "Yes" },
      { id: "no", label: "No" }
    ]
  }
  const bot = (part: Message.MessagePart): BotTesting.Said => ({ from: "bot", parts: [part] })
  const contact = (text: string): BotTesting.Said => ({ from: "contact", parts: [Message.text(text)] })
  const agent: BotTesting.Said = { from: "agent", parts: [Message.text("Let me see")] }
  const read = (options: BotTesting.TurnOptions) => {
    const { choices, open } = Turn.dialogue(BotTesting.turn(options))
    return [
      ...choices.map(
        ({ question, optionId, isNew }) => `${question?.text ?? "-"} ${optionId} ${isNew ? "now" : "before"}`
      ),
      `open: ${open?.text ?? "-"}`
    ]
  }

  test.each<[string, BotTesting.TurnOptions, ReadonlyArray<string>]>([
    ["answers the latest question", { text: "yes", history: [bot(one), bot(two)] }, ["Two? yes now", "open: -"]],
    [
      "is no answer to an older one",
      { text: "1", history: [bot(two), bot(one), contact("1")] },
      ["One? yes before", "open: -"]
    ],
    [
      "answers after other words",
      { text: "2", history: [bot(two), contact("hm"), bot(Message.text("well?"))] },
      ["Two? no now", "open: -"]
    ],
    ["is no answer once a person has written", { text: "1", history: [bot(one), agent] }, ["open: -"]],
    ["is no answer without a question", { text: "1" }, ["open: -"]],
    ["of other words leaves it open", { text: "maybe", history: [bot(one)] }, ["open: One?"]]
  ])("[BOT-21] what is typed %s", (_, options, expected) => {
    expect(read(options)).toEqual(expected)
  })

  test.each<[string, BotTesting.TurnOptions, ReadonlyArray<string>]>([
    [
      "goes to the latest question that offers it",
      { choice: "yes", history: [bot(one), bot(two)] },
      ["Two? yes now", "open: -"]
    ],
    [
      "goes past a question that doesn't offer it",
      { choice: "no", history: [bot(two), bot(one)] },
      ["Two? no now", "open: One?"]
    ],
    ["counts after a person has written", { choice: "yes", history: [bot(one), agent] }, ["One? yes now", "open: -"]],
    ["counts without its question", { choice: "yes" }, ["- yes now", "open: -"]],
    ["of something else leaves a question open", { choice: "old", history: [bot(one)] }, ["- old now", "open: One?"]],
    [
      "goes to the question the platform names",
      {
        parts: [{ kind: "choice", id: "yes", label: "Yes", of: Id.MessageId.parse("message-1") }],
        history: [bot(one), bot(two)]
      },
      ["One? yes now", "open: Two?"]
    ]
  ])("[BOT-22] a button %s", (_, options, expected) => {
    expect(read(options)).toEqual(expected)
  })

  test("[BOT-21] a message that was deleted chooses nothing", () => {
    expect(read({ parts: [], history: [bot(one)] })).toEqual(["open: One?"])
  })
})
