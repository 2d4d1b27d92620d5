import { BotTesting, Predicate, type Turn } from "@switchboard/bot"
import { Id, Message } from "@switchboard/conversation"
import fc from "fast-check"
import { expect, test } from "vitest"
import { fold, foldBare } from "../src/internal/fold.ts"

const says = (phrase: string, text: string): boolean => Predicate.saysAny([phrase])(BotTesting.turn({ text }))

test.each([
  ["human", "a HUMAN, please", true],
  ["human", "human", true],
  ["human", "(human)", true],
  ["human", "how humane", false],
  ["human", "superhuman", false],
  ["art", "start", false],
  ["art", "art-house", true],
  ["bot", "bot2", false],
  ["bot", "bot_2", false],
  ["real person", "a real\n  person!", true],
  ["real person", "a really nice person", false],
  ["persona", "PERSÓNA", true],
  ["persóna", "persona", true],
  ["cafe", "cafe\u0301", true],
  ["café", "cafeteria", false],
  ["straße", "STRASSE", true],
  ["größe", "GRÖSSE", true],
  ["größe", "GRÖẞE", true],
  ["istanbul", "İSTANBUL", true],
  ["οδός", "ΟΔΟΣ", true],
  ["οδος", "οδός.", true],
  ["οδος", "ΟΔΟΣ:ΑΘΗΝΑ", true],
  ["человек", "ЧЕЛОВЕК нужен", true],
  ["человек", "человека", false],
  ["ещё", "еще раз", true],
  ["help", "ｈｅｌｐ！", true],
  ["don't", "don’t", true],
  ["e-mail", "my e-mail", true],
  ["e-mail", "my e\u00admail", false],
  ["email", "my e\u00admail", true],
  ["c++", "I write c++.", true],
  ["c++", "I write cpp", false],
  ["a.c", "abc", false],
  ["$100", "costs $100 today", true],
  ["10", "100", false],
  ["12", "١٢ please", true],
  ["👍", "ok 👍🏽!", true],
  ["👍", "thumbs👍up", true]
])("[BOT-13] saying %j in %j: %s", (phrase, text, expected) => {
  expect(says(phrase, text)).toBe(expected)
})

test.each([
  ["人工", "我要人工客服", true],
  ["人工", "我要机器人", false],
  ["bot", "我要bot吧", true],
  ["オペレーター", "オペレーターと話したい", true],
  ["はか", "はが", false],
  ["ガス", "ｶﾞｽのこと", true],
  ["คน", "อยากคุยกับคน", true],
  ["คน", "คนี้", false],
  ["상담원", "상담원을 연결해 주세요", true],
  ["का", "का है", true],
  ["का", "की है", false],
  ["का", "काम", false],
  ["مساعدة", "أريد مُساعَدة", true],
  ["مساعدة", "والمساعدة", false],
  ["می‌خواهم", "میخواهم", true],
  ["אדם", "אָדָם בבקשה", true]
])("[BOT-14] saying %j in %j: %s", (phrase, text, expected) => {
  expect(says(phrase, text)).toBe(expected)
})

test("[BOT-13] a phrase is found in itself and between other words, however it is written", () => {
  const phrase = fc.string({ unit: "grapheme", minLength: 1, maxLength: 20 }).filter((text) => fold(text) !== "")
  fc.assert(
    fc.property(phrase, (text) => {
      for (const written of [text, ` ${text}\n`, text.normalize("NFD"), text.normalize("NFC")])
        expect(says(text, written), JSON.stringify(written)).toBe(true)
      expect(says(text, `so ${text} then`)).toBe(true)
    })
  )
})

test("[BOT-13] folding what is folded changes nothing, for every character", () => {
  const wrong: Array<string> = []
  for (let start = 0; start < 0x30000; start += 256) {
    const characters = Array.from({ length: 256 }, (_, index) => start + index)
      .filter((codePoint) => codePoint < 0xd800 || codePoint > 0xdfff)
      .map((codePoint) => String.fromCodePoint(codePoint))
    const folded = fold(characters.join("a|a"))
    if (fold(folded) !== folded) wrong.push(start.toString(16))
  }
  expect(wrong).toEqual([])
})

test("[BOT-15] words are what the contact wrote in this turn", () => {
  const holds = (options: BotTesting.TurnOptions) => Predicate.saysAny(["person"])(BotTesting.turn(options))
  expect(holds({ parts: [{ kind: "html", html: "<b>person</b>", text: "person" }] })).toBe(true)
  expect(
    holds({ parts: [{ kind: "attachment", attachmentId: Id.AttachmentId.parse("a"), caption: "this person" }] })
  ).toBe(true)
  expect(holds({ parts: [{ kind: "choice", id: "a", label: "A person" }] })).toBe(false)
  expect(holds({ parts: [{ kind: "unsupported", description: "a person" }] })).toBe(false)
  expect(holds({ text: "hi", history: [{ from: "contact", parts: [Message.text("person")] }] })).toBe(false)
  expect(holds({})).toBe(false)
})

test("[BOT-15] all messages of the turn are read", () => {
  const first = BotTesting.turn({ text: "a person" })
  const second = BotTesting.turn({ text: "please" })
  expect(Predicate.saysAny(["person"])({ ...second, messages: [...first.messages, ...second.messages] })).toBe(true)
})

const colours: Message.ChoicesPart = {
  kind: "choices",
  text: "Which?",
  options: [
    { id: "red", label: "The red one" },
    { id: "blue", label: "The blue one" }
  ]
}
const asked: ReadonlyArray<BotTesting.Said> = [{ from: "bot", parts: [colours] }]

test.each<[string, BotTesting.TurnOptions, boolean]>([
  ["its button", { choice: "blue", history: asked }, true],
  ["its number", { text: "2", history: asked }, true],
  ["its label", { text: "the BLUE one!", history: asked }, true],
  ["another number", { text: "1", history: asked }, false],
  ["a number without a question", { text: "2" }, false],
  [
    "a choice before this turn",
    { text: "thanks", history: [...asked, { from: "contact", parts: [Message.text("2")] }] },
    false
  ]
])("[BOT-16] choosing an option by %s", (_, options, expected) => {
  expect(Predicate.choice("blue")(BotTesting.turn(options))).toBe(expected)
})

test("[BOT-17] the channel is that of the latest message", () => {
  const turn = BotTesting.turn({ text: "hi", channelKind: "sms" })
  expect(Predicate.channel("sms")(turn)).toBe(true)
  expect(Predicate.channel("chat")(turn)).toBe(false)
  const [thread] = turn.conversation.threads
  const [message] = turn.messages
  if (!thread || !message) throw new Error("no thread")
  const mail = { ...thread, id: Id.ThreadId.parse("mail"), channelKind: "mail" }
  const moved: Turn.Turn = {
    ...turn,
    conversation: { ...turn.conversation, threads: [mail, thread] },
    messages: [message, { ...message, threadId: mail.id }]
  }
  expect([Predicate.channel("sms")(moved), Predicate.channel("mail")(moved)]).toEqual([false, true])
})

test.each([
  ["de", "de", true],
  ["de", "de-AT", true],
  ["DE", "de-at", true],
  ["de-AT", "de", false],
  ["de", "den", false],
  ["zh-Hant", "zh-Hant-TW", true],
  ["de", undefined, false]
])("[BOT-18] %s for a conversation in %s: %s", (tag, spoken, expected) => {
  expect(Predicate.language(tag)(BotTesting.turn({ text: "hi", ...(spoken && { language: spoken }) }))).toBe(expected)
})

test("[BOT-18] the conversation's language goes before the contact's", () => {
  const { contact, conversation, ...turn } = BotTesting.turn({ text: "hi" })
  if (!contact) throw new Error("no contact")
  const german = { ...contact, language: "de" }
  expect(Predicate.language("de")({ ...turn, conversation, contact: german })).toBe(true)
  expect(
    Predicate.language("de")({ ...turn, contact: german, conversation: { ...conversation, language: "fr" } })
  ).toBe(false)
  expect(Predicate.language("de")({ ...turn, conversation, contact: undefined })).toBe(false)
})

test("[BOT-19] the first turn has no history", () => {
  expect(Predicate.firstTurn(BotTesting.turn({ text: "hi" }))).toBe(true)
  expect(Predicate.firstTurn(BotTesting.turn({ text: "hi", history: asked }))).toBe(false)
})

test("[BOT-20] and, or, not", () => {
  const turn = BotTesting.turn({ text: "hi" })
  const fixed =
    (value: boolean): Predicate.Predicate =>
    () =>
      value
  fc.assert(
    fc.property(fc.array(fc.boolean()), (values) => {
      const predicates = values.map(fixed)
      expect(Predicate.and(...predicates)(turn)).toBe(!values.includes(false))
      expect(Predicate.or(...predicates)(turn)).toBe(values.includes(true))
      const negated = Predicate.not(Predicate.and(...predicates))(turn)
      expect(negated).toBe(Predicate.or(...predicates.map(Predicate.not))(turn))
    })
  )
})

test("[BOT-23] every digit of every numbering system is its number", () => {
  const systems = Intl.supportedValuesOf("numberingSystem").filter(
    (system) => !/^han|roman|finan|traditio/.test(system)
  )
  expect(systems.length).toBeGreaterThan(50)
  for (const numberingSystem of systems) {
    const format = new Intl.NumberFormat("en", { numberingSystem, useGrouping: false })
    const typed = Array.from({ length: 10 }, (_, digit) => format.format(digit))
    if (typed.every((digit) => /^\p{Nd}$/u.test(digit)))
      expect(typed.map(fold), numberingSystem).toEqual(["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"])
  }
})

test.each([
  ["2.", "2"],
  ["(2)", "2"],
  [" #2! ", "2"],
  ["2️⃣", "2"],
  ["٢", "2"],
  ["२)", "2"],
  ["Billing?", "billing"],
  ["👍", "👍"],
  ["", ""]
])("[BOT-23] %j is read as %j", (text, expected) => {
  expect(foldBare(text)).toBe(expected)
})
