import { BotAction, BotTesting, Step } from "@switchboard/bot"
import fc from "fast-check"
import { expect, test } from "vitest"

const turn = BotTesting.turn({ text: "hi" })
const silent: Step.Step = () => undefined
const late: Step.Step = async () => undefined
const says =
  (text: string): Step.Step =>
  async () => ({ actions: [BotAction.reply(text)] })
const fails: Step.Step = () => {
  throw new Error("failed")
}
const failsLate: Step.Step = async (asked) => fails(asked)

const textOf = (response: BotAction.BotResponse | undefined): string =>
  response === undefined
    ? "-"
    : response.actions
        .map((action) =>
          action.type === "reply"
            ? action.parts.map((part) => (part.kind === "text" ? part.text : part.kind)).join()
            : action.type
        )
        .join(" ")

test("[BOT-5] the first answer wins, and nothing after it is asked", async () => {
  const asked: Array<string> = []
  const marked =
    (name: string, step: Step.Step): Step.Step =>
    (one) => {
      asked.push(name)
      return step(one)
    }
  const step = Step.firstOf(marked("a", silent), marked("b", late), marked("c", says("c")), marked("d", fails))
  expect(textOf(await step(turn))).toBe("c")
  expect(asked).toEqual(["a", "b", "c"])
  expect(await Step.firstOf()(turn)).toBeUndefined()
  expect(await Step.firstOf(silent, late)(turn)).toBeUndefined()
  await expect(Step.firstOf(silent, fails, says("never"))(turn)).rejects.toThrow("failed")
})

test("[BOT-5] an answer without actions is an answer", async () => {
  expect(await Step.firstOf(() => ({ actions: [] }), says("never"))(turn)).toEqual({ actions: [] })
})

test("[BOT-5] how steps are grouped makes no difference", async () => {
  const step = fc.constantFrom<Step.Step>(silent, late, says("a"), says("b"), Step.answer("c"))
  await fc.assert(
    fc.asyncProperty(fc.array(step), fc.array(step), fc.array(step), async (a, b, c) => {
      const flat = await Step.firstOf(...a, ...b, ...c)(turn)
      expect(await Step.firstOf(Step.firstOf(...a), Step.firstOf(...b, Step.firstOf(...c)))(turn)).toEqual(flat)
    }),
    { numRuns: 50 }
  )
})

test("[BOT-6] a step is asked only when its predicate holds", async () => {
  expect(textOf(await Step.when(() => true, says("yes"))(turn))).toBe("yes")
  expect(await Step.when(() => false, fails)(turn)).toBeUndefined()
})

test.each<[string, Step.Step, string]>([
  ["a step that answers", says("answer"), "answer"],
  ["one without an answer", silent, "fallback undefined"],
  ["one without an answer, later", late, "fallback undefined"],
  ["one that throws", fails, "fallback Error: failed"],
  ["one that rejects", failsLate, "fallback Error: failed"]
])("[BOT-7] a fallback for %s", async (_, step, expected) => {
  const withFallback = Step.withFallback(step, (_turn, error) => ({ actions: [BotAction.reply(`fallback ${error}`)] }))
  expect(textOf(await withFallback(turn))).toBe(expected)
})

test("[BOT-7] any step is a fallback, and what it throws is thrown", async () => {
  expect(textOf(await Step.withFallback(fails, says("sorry"))(turn))).toBe("sorry")
  expect(await Step.withFallback(fails, silent)(turn)).toBeUndefined()
  await expect(Step.withFallback(silent, fails)(turn)).rejects.toThrow("failed")
})

test("[BOT-8] no step is begun after the deadline", async () => {
  const late = () => {
    const controller = new AbortController()
    const abort: Step.Step = () => {
      controller.abort(new Error("deadline"))
      return undefined
    }
    return { asked: BotTesting.turn({ text: "hi", signal: controller.signal }), abort }
  }
  const never: Step.Step = () => {
    throw new Error("was asked")
  }
  for (const compose of [Step.firstOf, Step.withFallback]) {
    const { asked, abort } = late()
    await expect(compose(abort, never)(asked)).rejects.toThrow("deadline")
  }
  const { asked, abort } = late()
  const abortAndFail: Step.Step = (one) => {
    abort(one)
    throw new Error("interrupted")
  }
  await expect(Step.withFallback(abortAndFail, never)(asked)).rejects.toThrow("interrupted")
})

test("[BOT-9] an unsure answer becomes a handoff, whatever else it wanted", async () => {
  const guess =
    (confidence?: number): Step.Step =>
    () => ({
      actions: [BotAction.reply("Restart it"), { type: "tag", tag: "router" }],
      ...(confidence !== undefined && { confidence })
    })
  const below = (step: Step.Step) => Step.handOffBelow(0.7, step)(turn)
  expect((await below(guess(0.69)))?.actions).toEqual([
    { type: "handOff", reason: "lowConfidence", summary: "chat\nhi" }
  ])
  for (const passes of [guess(0.7), guess(1), guess(), silent]) expect(await below(passes)).toEqual(await passes(turn))
  const handsOff: Step.Step = () => ({ actions: [{ type: "handOff", reason: "own", summary: "s" }], confidence: 0 })
  expect(await below(handsOff)).toEqual(await handsOff(turn))
  const named = await Step.handOffBelow(1, guess(0.5), {
    reason: "unsure",
    wanted: { skills: { routers: 3 } },
    say: "One moment"
  })(turn)
  expect(named?.actions).toEqual([
    BotAction.reply("One moment"),
    { type: "handOff", reason: "unsure", summary: "chat\nhi", wanted: { skills: { routers: 3 } } }
  ])
})

test("[BOT-9] it hands off exactly below the share", async () => {
  const share = fc.double({ min: 0, max: 1, noNaN: true })
  await fc.assert(
    fc.asyncProperty(share, share, async (least, confidence) => {
      const response = await Step.handOffBelow(least, () => ({ actions: [], confidence }))(turn)
      expect(response?.actions.length).toBe(confidence < least ? 1 : 0)
    })
  )
})

test("[BOT-10] a handoff speaks first and says what is wanted", async () => {
  const step = Step.handOff({
    reason: "billing",
    wanted: { teamId: "money" },
    summary: "An invoice",
    say: "One moment"
  })
  expect(BotAction.BotResponse.parse(await step(turn))).toEqual({
    actions: [
      { type: "reply", parts: [{ kind: "text", text: "One moment", format: "plain" }] },
      { type: "handOff", reason: "billing", summary: "An invoice", wanted: { teamId: "money" } }
    ]
  })
  const made = await Step.handOff({ reason: "r", summary: ({ messages }) => "x".repeat(20_000 * messages.length) })(
    turn
  )
  expect(BotAction.BotResponse.safeParse(made).success).toBe(true)
})
