import { type Bot, BotAction, BotDefinitionError, BotTesting, defineBot, Menu, Predicate, Step } from "@switchboard/bot"
import { expect, test } from "vitest"

const thrown = (make: () => unknown): BotDefinitionError.BotDefinitionError => {
  try {
    make()
  } catch (error) {
    if (error instanceof BotDefinitionError.BotDefinitionError) return error
    throw error
  }
  throw new Error("nothing was thrown")
}

const silent: Step.Step = () => undefined

test("[BOT-1] a bot whose step has no answer hands off with a summary", async () => {
  for (const onTurn of [silent, async () => undefined]) {
    const bot = defineBot({ id: "b", name: "B", onTurn })
    expect(await bot.onTurn(BotTesting.turn({ text: "Anybody?", name: "Ada" }))).toEqual({
      actions: [{ type: "handOff", reason: "noAnswer", summary: "Ada · chat\nAnybody?" }]
    })
  }
})

test("[BOT-2] an answer is taken at its word, and an error is thrown on", async () => {
  const quiet = defineBot({ id: "b", name: "B", onTurn: () => ({ actions: [] }) })
  expect(await quiet.onTurn(BotTesting.turn({ text: "hi" }))).toEqual({ actions: [] })
  const broken = defineBot({
    id: "b",
    name: "B",
    onTurn: () => {
      throw new Error("no model")
    }
  })
  await expect(broken.onTurn(BotTesting.turn({ text: "hi" }))).rejects.toThrow("no model")
})

test("[BOT-3] every wrong field of a bot is named, with what was found", () => {
  const wrong = { id: "", name: " ", deadlineMs: 1.5, onTurn: "hello", retries: 3 } as unknown as Bot.BotDefinition
  const error = thrown(() => defineBot(wrong))
  expect(error.code).toBe("botDefinition")
  expect(error.what).toBe("bot")
  expect(error.problems.join("\n")).toMatch(
    /^id: .*found ""\.\nname: must be a name.*found " "\.\ndeadlineMs: must be a whole number.*found 1\.5\.\nonTurn: must be a step.*found "hello"\.\nit: Unrecognized key: "retries"/
  )
  expect(thrown(() => defineBot({ id: "greeter", name: "", onTurn: silent })).message).toContain(
    'The bot "greeter" can\'t be used:\n- name: '
  )
  expect(thrown(() => defineBot(undefined as unknown as Bot.BotDefinition)).message).toContain("found undefined")
})

test.each<[string, () => unknown, string]>([
  ["saysAny of nothing", () => Predicate.saysAny([]), "found []"],
  ["saysAny of space", () => Predicate.saysAny(["person", " \u200b"]), "1: must be a word or phrase"],
  ["an impossible channel kind", () => Predicate.channel("Web Chat"), 'found "Web Chat"'],
  ["an impossible language", () => Predicate.language("deutsch!"), "must be a BCP 47 tag"],
  ["a confidence in percent", () => Step.handOffBelow(70, silent), "found 70"],
  ["no number as confidence", () => Step.handOffBelow(Number.NaN, silent), "handOffBelow"],
  [
    "a handoff without a reason",
    () => Step.handOff({ reason: "" }),
    'reason: Too small: expected string to have >=1 characters; found ""'
  ],
  [
    "an impossible skill",
    () => Step.handOff({ reason: "r", wanted: { skills: { welding: 9 } } }),
    "wanted.skills.welding"
  ],
  ["a menu without options", () => Menu.make({ text: "?", options: [] }), "options"],
  [
    "an option twice",
    () =>
      Menu.make({
        text: "?",
        options: [
          { id: "a", label: "A", step: silent },
          { id: "a", label: "b", step: silent }
        ]
      }),
    'options.1.id: must differ from options.0.id; found "a".'
  ],
  [
    "labels that sound alike",
    () =>
      Menu.make({
        text: "?",
        options: [
          { id: "a", label: "Größe", step: silent },
          { id: "b", label: "GROSSE!", step: silent }
        ]
      }),
    'options.1.label: must differ from options.0.label; found "GROSSE!".'
  ],
  [
    "an option without a step",
    () => Menu.make({ text: "?", options: [{ id: "a", label: "A" } as unknown as Menu.MenuOption] }),
    "options.0.step: must be a step: a function that answers a turn; found undefined."
  ]
])("[BOT-3] %s is refused where it is written", (_, make, message) => {
  expect(thrown(make).message).toContain(message)
})

test("[BOT-4] a turn has a deadline", () => {
  const withDeadline = (deadlineMs: number) => defineBot({ id: "b", name: "B", deadlineMs, onTurn: silent }).deadlineMs
  expect(defineBot({ id: "b", name: "B", onTurn: silent }).deadlineMs).toBe(20_000)
  expect([withDeadline(1), withDeadline(60_000)]).toEqual([1, 60_000])
  for (const wrong of [0, -1, 60_001, Number.POSITIVE_INFINITY, Number.NaN])
    expect(thrown(() => withDeadline(wrong)).problems[0]).toMatch(/^deadlineMs: /)
})

test("[BOT-31] a conversation that is tried out gives each turn what was said before", async () => {
  const seen: Array<string> = []
  const bot = defineBot({
    id: "b",
    name: "B",
    onTurn: ({ conversation, history, messages }) => {
      const said = [...history, ...messages].map(({ author, parts }) => `${author.kind}:${parts[0]?.kind}`)
      seen.push(`${said.join(" ")} ${JSON.stringify(conversation.attributes)}`)
      if (history.length > 4) return { actions: [BotAction.reply("Bye"), { type: "resolve" }] }
      return {
        actions: [
          { type: "ask", text: "Which?", options: [{ id: "a", label: "A" }] },
          { type: "note", text: "asked" },
          { type: "setAttributes", attributes: { turns: history.length } }
        ]
      }
    }
  })
  const responses = await BotTesting.talk(bot, ["hi", { choice: "a" }, "well", "unheard", "unheard"], {
    attributes: { vip: true }
  })
  expect(seen).toEqual([
    'contact:text {"vip":true}',
    'contact:text bot:choices contact:choice {"vip":true,"turns":0}',
    'contact:text bot:choices contact:choice bot:choices contact:text {"vip":true,"turns":2}',
    'contact:text bot:choices contact:choice bot:choices contact:text bot:choices contact:text {"vip":true,"turns":4}'
  ])
  expect(responses.length).toBe(4)
})

test("[BOT-31] a button has the label that was offered", () => {
  const question = { kind: "choices" as const, text: "?", options: [{ id: "a", label: "Apples" }] }
  const turn = BotTesting.turn({ choice: "a", history: [{ from: "bot", parts: [question] }] })
  expect(turn.messages[0]?.parts).toEqual([{ kind: "choice", id: "a", label: "Apples" }])
  expect(BotTesting.turn({ choice: "z" }).messages[0]?.parts).toEqual([{ kind: "choice", id: "z", label: "z" }])
})

test("[BOT-32] an answer that a desk would refuse fails", async () => {
  const step = (response: unknown) => ({ onTurn: () => response as BotAction.BotResponse })
  await expect(BotTesting.talk(step({ actions: [{ type: "replay" }] }), ["hi"])).rejects.toThrow("Invalid")
  await expect(BotTesting.talk(step(undefined), ["hi"])).rejects.toThrow("expected object")
  await expect(BotTesting.talk(step({ actions: [], confidence: 95 }), ["hi"])).rejects.toThrow("confidence")
})
