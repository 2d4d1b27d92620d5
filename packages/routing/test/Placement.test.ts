import { Placement, Requirement, Vocabulary } from "@switchboard/routing"
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import * as z from "zod"

const {
  account,
  all,
  any,
  channelKind,
  contact,
  country,
  language,
  not,
  phoneNumber,
  postalCode,
  region,
  time,
  topic,
  weekend,
  words,
  workdays
} = Placement
const { attribute } = Requirement

const oneOf = (name: string, ...values: ReadonlyArray<string>) => attribute(name).in(values)

/** 2026-03-06 is a Friday. */
const at = (text: string): number => Date.parse(text)
const facts = (more: Partial<Placement.Facts> = {}): Placement.Facts => ({ atMs: at("2026-03-06T10:00Z"), ...more })
const daytime = { opens: "09:00", closes: "18:00" }

describe("a support team's rules", () => {
  const placement: Placement.Placement = {
    rules: [
      {
        ruleId: "outage",
        when: all(topic("outage"), not(account("press"))),
        to: { queueId: "incidents", priority: 90 }
      },
      {
        ruleId: "gold",
        when: contact(oneOf("tier", "gold", "platinum")),
        to: { queueId: "concierge", priority: 50, attributes: { careful: true } }
      },
      {
        ruleId: "fraud",
        when: words("fraud*", "stolen card", "tarjeta robada", "carte volée", "盗刷"),
        to: { queueId: "security", priority: 80, requirement: Requirement.skill("fraud", 5) }
      },
      {
        ruleId: "refunds",
        when: words("refund*", "money back", "reembols*", "rückerstattung*"),
        to: { queueId: "billing" }
      },
      {
        ruleId: "barcelona-shop",
        when: all(country("ES"), any(postalCode("08"), region("ES-CT"))),
        to: { queueId: "barcelona", requirement: Requirement.language("ca") }
      },
      { ruleId: "iberia-calls", when: all(channelKind("call"), phoneNumber("+34", "+351")), to: { queueId: "iberia" } },
      {
        ruleId: "spanish-by-day",
        when: all(language("es"), time("Europe/Madrid", workdays(daytime))),
        to: { queueId: "spanish" }
      },
      {
        ruleId: "nights",
        when: time("Europe/Madrid", {
          ...workdays({ opens: "22:00", closes: "07:00" }),
          friday: [{ opens: "22:00", closes: "24:00" }],
          ...weekend({ opens: "00:00", closes: "24:00" })
        }),
        to: { queueId: "follow-the-sun", priority: -5 }
      },
      { ruleId: "sales", when: account("sales@example.com"), to: { queueId: "sales" } }
    ],
    otherwise: { queueId: "support" }
  }

  it.each<[string, Partial<Placement.Facts>, string, string | undefined]>([
    ["nothing is known", {}, "support", undefined],
    ["an outage", { topics: ["login", "outage"] }, "incidents", "outage"],
    ["an outage, from the press", { topics: ["outage"], accountId: "press" }, "support", undefined],
    ["an outage comes before gold", { topics: ["outage"], contact: { tier: "gold" } }, "incidents", "outage"],
    ["gold comes before words", { text: "a refund please", contact: { tier: "gold" } }, "concierge", "gold"],
    ["silver is nothing special", { text: "a refund please", contact: { tier: "silver" } }, "billing", "refunds"],
    ["the beginning of a word", { text: "Are you REFUNDING me?" }, "billing", "refunds"],
    ["not its middle", { text: "prerefund" }, "support", undefined],
    ["a phrase", { text: "My stolen\n card!" }, "security", "fraud"],
    ["not its words apart", { text: "stolen, my card" }, "support", undefined],
    ["accents left out", { text: "CARTE VOLEE" }, "security", "fraud"],
    ["accents put in", { text: "¿reembólso?" }, "billing", "refunds"],
    ["umlauts", { text: "Rückerstattungsantrag" }, "billing", "refunds"],
    ["Chinese has no spaces", { text: "我的卡被盗刷了" }, "security", "fraud"],
    ["a postal code", { country: "es", postalCode: "08 014" }, "barcelona", "barcelona-shop"],
    ["of another country", { country: "IT", postalCode: "08014" }, "support", undefined],
    ["a region", { country: "ES", region: "es-ct" }, "barcelona", "barcelona-shop"],
    ["a phone number", { channelKind: "call", phoneNumber: "+34 (600) 12-34" }, "iberia", "iberia-calls"],
    ["of another country", { channelKind: "call", phoneNumber: "+33 600 12 34" }, "support", undefined],
    ["a language, by day", { language: "es-MX" }, "spanish", "spanish-by-day"],
    ["by night", { language: "es-MX", atMs: at("2026-03-06T22:30+01:00") }, "follow-the-sun", "nights"],
    ["Saturday morning", { atMs: at("2026-03-07T06:59+01:00") }, "follow-the-sun", "nights"],
    ["Monday, 06:59: Sunday was no workday", { atMs: at("2026-03-09T06:59+01:00") }, "support", undefined],
    ["Tuesday, 06:59", { atMs: at("2026-03-10T06:59+01:00") }, "follow-the-sun", "nights"],
    ["Tuesday, 07:00", { atMs: at("2026-03-10T07:00+01:00") }, "support", undefined],
    ["an account", { accountId: "sales@example.com" }, "sales", "sales"]
  ])("[ROUTING-110, ROUTING-111, ROUTING-113] %s", (_, known, queueId, ruleId) => {
    const placed = Placement.place(placement, facts(known))
    expect(placed.queueId).toBe(queueId)
    expect(placed.because).toEqual(ruleId === undefined ? { kind: "otherwise" } : { kind: "rule", ruleId })
  })

  it("[ROUTING-110] a rule gives all it decides of the item", () => {
    expect(Placement.place(placement, facts({ contact: { tier: "platinum" } }))).toEqual({
      queueId: "concierge",
      priority: 50,
      attributes: { careful: true },
      because: { kind: "rule", ruleId: "gold" }
    })
  })

  it("[ROUTING-114] survives a trip through JSON", () => {
    expect(Placement.decode(JSON.parse(JSON.stringify(placement)))).toEqual({ ok: true, value: placement })
  })

  it("[ROUTING-115] has no problems", () => {
    const queueIds = [...placement.rules.map(({ to }) => to.queueId), "support"]
    expect(Placement.check(placement, { queueIds })).toEqual([])
  })
})

describe("conditions", () => {
  it.each<[string, ReadonlyArray<string>, boolean]>([
    ["Straße", ["STRASSE"], true],
    ["łódź", ["Lodz"], true],
    ["smørrebrød", ["smorrebrod"], true],
    ["İstanbul ISPARTA ısparta", ["istanbul"], true],
    ["ısparta", ["ISPARTA"], true],
    ["ΟΔΟΣ", ["οδός"], true],
    ["ёлка", ["елка"], true],
    ["ﬁnance", ["finance"], true],
    ["ｒｅｆｕｎｄ", ["refund"], true],
    ["مُحَمَّد", ["محمد"], true],
    ["환불 요청", ["환불"], true],
    ["환불을", ["환불"], false],
    ["환불을", ["환불*"], true],
    ["कि", ["का"], false],
    ["がき", ["かき"], false],
    ["コーヒーを返品したい", ["返品"], true],
    ["ขอคืนเงิน", ["คืนเงิน"], true],
    ["can't log-in", ["can't log in"], true],
    ["order 1234", ["12*"], true],
    ["order 1234", ["12"], false],
    ["a b a c", ["a c"], true],
    ["money backing", ["mon* back*"], true],
    ["money backing", ["mon* back"], false],
    ["2*3", ["2 3"], true],
    ["constructor", ["constructor"], true],
    ["nothing", ["constructor"], false],
    ["", ["a*"], false]
  ])("[ROUTING-111] in %j, %j is found: %s", (text, phrases, expected) => {
    expect(Placement.isMet(words(...phrases), facts({ text }))).toBe(expected)
  })

  it("[ROUTING-111] long texts and phrases that almost match are done at once", () => {
    const text = "a ".repeat(50_000)
    const phrase = `${"a ".repeat(60)}b`
    // A pattern that backtracks would need years.
    expect(Placement.isMet(words(phrase, `${"a* ".repeat(40)}b`), facts({ text }))).toBe(false)
  })

  const open = time("Europe/Madrid", {
    sunday: [{ opens: "01:00", closes: "04:00" }],
    monday: [{ opens: "22:00", closes: "06:00" }]
  })
  it.each([
    // 2026-03-29, 02:00 becomes 03:00.
    ["2026-03-29T00:59+01:00", false],
    ["2026-03-29T01:00+01:00", true],
    ["2026-03-29T01:59+01:00", true],
    ["2026-03-29T03:00+02:00", true],
    ["2026-03-29T03:59+02:00", true],
    ["2026-03-29T04:00+02:00", false],
    // 2026-10-25, 03:00 becomes 02:00.
    ["2026-10-25T02:30+02:00", true],
    ["2026-10-25T02:30+01:00", true],
    ["2026-10-25T03:59+01:00", true],
    ["2026-10-25T04:00+01:00", false],
    ["2026-03-30T21:59+02:00", false],
    ["2026-03-30T22:00+02:00", true],
    ["2026-03-31T05:59+02:00", true],
    ["2026-03-31T06:00+02:00", false]
  ])("[ROUTING-112] at %s: %s", (instant, expected) => {
    expect(Placement.isMet(open, facts({ atMs: at(instant) }))).toBe(expected)
  })

  it("[ROUTING-112] a window over the end of the week, and one of a whole day", () => {
    const night = time("UTC", { sunday: [{ opens: "22:00", closes: "02:00" }] })
    const day = time("Asia/Kathmandu", { friday: [{ opens: "00:00", closes: "24:00" }] })
    const isOpen = (condition: Placement.Condition, instant: string) =>
      Placement.isMet(condition, facts({ atMs: at(instant) }))
    expect(
      ["2026-03-08T21:59Z", "2026-03-08T22:00Z", "2026-03-09T01:59Z", "2026-03-09T02:00Z"].map((each) =>
        isOpen(night, each)
      )
    ).toEqual([false, true, true, false])
    expect(
      ["2026-03-05T18:14Z", "2026-03-05T18:15Z", "2026-03-06T18:14Z", "2026-03-06T18:15Z"].map((each) =>
        isOpen(day, each)
      )
    ).toEqual([false, true, true, false])
  })

  it("[ROUTING-112] agrees with the wall clock every three quarters of an hour of a year", () => {
    const zone = "America/Santiago"
    const condition = time(zone, workdays({ opens: "08:30", closes: "17:45" }))
    const clock = new Intl.DateTimeFormat("en-GB", {
      timeZone: zone,
      weekday: "short",
      hour: "2-digit",
      minute: "2-digit"
    })
    const wrong: Array<string> = []
    for (let atMs = at("2026-01-01T00:00Z"); atMs < at("2027-01-01T00:00Z"); atMs += 2_700_000) {
      const text = clock.format(atMs)
      const expected = !text.startsWith("S") && text.slice(-5) >= "08:30" && text.slice(-5) < "17:45"
      if (Placement.isMet(condition, facts({ atMs })) !== expected) wrong.push(text)
    }
    expect(wrong).toEqual([])
  })

  it.each([
    channelKind("chat"),
    account("a"),
    words("a"),
    topic("a"),
    contact(attribute("a").equals(1)),
    language("en"),
    country("ES"),
    region("ES-CT"),
    postalCode("08"),
    phoneNumber("+34")
  ])("[ROUTING-113] what isn't known doesn't meet %j", (condition) => {
    expect(Placement.isMet(condition, facts())).toBe(false)
    expect(Placement.isMet(not(condition), facts())).toBe(true)
  })

  it("[ROUTING-113] what is no instant is at no time", () => {
    const always = time("UTC", {
      ...workdays({ opens: "00:00", closes: "24:00" }),
      ...weekend({ opens: "00:00", closes: "24:00" })
    })
    expect(Placement.isMet(always, facts())).toBe(true)
    for (const atMs of [Number.NaN, Number.POSITIVE_INFINITY, 9e15])
      expect(Placement.isMet(always, { atMs })).toBe(false)
  })
})

describe("data from outside", () => {
  const rule = (when: unknown, more: object = {}) => ({ ruleId: "a", when, to: { queueId: "q" }, ...more })
  it.each<[unknown, string, string]>([
    [{ rules: [] }, "otherwise", "nothing"],
    [{ rules: [rule({ kind: "word", in: ["a"] })], otherwise: { queueId: "q" } }, "rules[0].when.kind", '"word"'],
    [{ rules: [rule(words("a", "!*"))], otherwise: { queueId: "q" } }, "rules[0].when.in[1]", '"!*"'],
    [
      { rules: [rule(time("Mars/Olympus", workdays(daytime)))], otherwise: { queueId: "q" } },
      "rules[0].when.timeZone",
      '"Mars/Olympus"'
    ],
    [
      { rules: [rule(time("UTC", workdays({ opens: "9", closes: "18:00" })))], otherwise: { queueId: "q" } },
      "rules[0].when.week.monday[0].opens",
      '"9"'
    ],
    [{ rules: [rule(time("UTC", { monday: [] }))], otherwise: { queueId: "q" } }, "rules[0].when.week", "an object"],
    [
      { rules: [rule(not(contact(Requirement.skill("a"))))], otherwise: { queueId: "q" } },
      "rules[0].when.of.meets",
      "an object"
    ],
    [
      { rules: [rule(contact(attribute("a").equals(Requirement.ofItem("a"))))], otherwise: { queueId: "q" } },
      "rules[0].when.meets",
      "an object"
    ],
    [{ rules: [rule(postalCode("-"))], otherwise: { queueId: "q" } }, "rules[0].when.startsWith", "a list"],
    [{ rules: [rule(any())], otherwise: { queueId: "q" } }, "rules[0].when.of", "a list"],
    [
      { rules: [rule(all(), { to: { queueId: "q", prio: 1 } })], otherwise: { queueId: "q" } },
      "rules[0].to",
      "an object"
    ],
    [{ rules: [rule(all()), rule(topic("b"))], otherwise: { queueId: "q" } }, "rules[1].ruleId", '"a"']
  ])("[ROUTING-114] %j is refused", (input, path, found) => {
    const decoded = Placement.decode(input)
    expect(decoded.ok ? undefined : [decoded.error.path, decoded.error.found]).toEqual([path, found])
  })

  it("[ROUTING-114] so are facts", () => {
    expect(Placement.decodeFacts({ atMs: 1, language: "es" }).ok).toBe(true)
    const refused = Placement.decodeFacts({ atMs: 1, topics: "billing" })
    expect(refused.ok ? undefined : refused.error.path).toBe("topics")
  })
})

describe("problems", () => {
  const placement = (...conditions: ReadonlyArray<Placement.Condition>): Placement.Placement => ({
    rules: conditions.map((when, index) => ({ ruleId: `r${index}`, when, to: { queueId: "q" } })),
    otherwise: { queueId: "q" }
  })
  const codes = (...conditions: ReadonlyArray<Placement.Condition>) =>
    Placement.check(placement(...conditions)).map(({ code, path }) => `${code} ${path}`)

  it("[ROUTING-115] unknown queues, everywhere, with what there is", () => {
    const wrong: Placement.Placement = {
      rules: [{ ruleId: "a", when: topic("a"), to: { queueId: "bilding" } }],
      otherwise: { queueId: "suport" }
    }
    const problems = Placement.check(wrong, { queueIds: ["billing", "support"] })
    expect(problems.map(({ severity, path, expected, found }) => [severity, path, expected, found])).toEqual([
      ["error", "rules[0].to.queueId", "one of billing, support", '"bilding"'],
      ["error", "otherwise.queueId", "one of billing, support", '"suport"']
    ])
    expect(Placement.check(wrong)).toEqual([])
  })

  it("[ROUTING-115] attributes that contacts don't have", () => {
    const contacts = Vocabulary.make({ agent: z.object({ tier: z.enum(["gold", "silver"]) }), item: z.object({}) })
    const good = contact(contacts.agent.tier.equals("gold"))
    const bad = all(good, not(contact(Requirement.all(attribute("tier").equals("bronze")))))
    const problems = Placement.check(placement(good, bad), { contacts })
    expect(problems.map(({ code, path, found }) => [code, path, found])).toEqual([
      ["attribute_invalid", "rules[1].when.of[1].of.meets.of[0].value", '"bronze"'],
      ["rule_unreachable", "rules[1]", '"r0" takes all that "r1" would']
    ])
  })

  it.each<[Placement.Condition, Placement.Condition]>([
    [all(), topic("a")],
    [topic("a"), topic("a")],
    [topic("a", "b"), topic("b")],
    [topic("a"), all(topic("a"), language("es"))],
    [any(topic("a"), language("es")), language("es-MX")],
    [any(topic("a"), language("es")), any(language("es-MX"), topic("a"))],
    [all(topic("a", "b"), country("es")), all(country("ES"), topic("a"), words("x"))],
    [words("refund*"), words("refunds", "a refunding")],
    [words("money back"), words("my money back", "get money back now*")],
    [postalCode("08"), postalCode("08014", "08-1")],
    [not(topic("a")), not(topic("a", "b"))],
    [time("UTC", workdays(daytime)), time("UTC", { friday: [{ opens: "10:00", closes: "11:00" }] })],
    [
      time("UTC", workdays({ opens: "00:00", closes: "12:00" }, { opens: "12:00", closes: "24:00" })),
      time("UTC", { monday: [{ opens: "11:00", closes: "13:00" }] })
    ],
    [
      contact(Requirement.any(attribute("a").equals(1), attribute("b").equals(2))),
      contact(Requirement.any(attribute("b").equals(2), attribute("a").equals(1)))
    ]
  ])("[ROUTING-116] after %j nothing is left for %j", (first, second) => {
    expect(codes(first, second).filter((each) => each.startsWith("rule_unreachable"))).toEqual([
      "rule_unreachable rules[1]"
    ])
  })

  it.each<[Placement.Condition, Placement.Condition]>([
    [topic("a"), topic("a", "b")],
    [language("es-MX"), language("es")],
    [words("refunds"), words("refund*")],
    [words("money back"), words("money")],
    [words("back money"), words("money back")],
    [all(topic("a"), language("es")), topic("a")],
    [not(topic("a", "b")), not(topic("a"))],
    [postalCode("080"), postalCode("08")],
    [time("UTC", workdays(daytime)), time("Europe/Madrid", workdays(daytime))]
  ])("[ROUTING-116] after %j something is left for %j", (first, second) => {
    expect(codes(first, second)).toEqual([])
  })

  const leaves: fc.Arbitrary<Placement.Condition> = fc.oneof(
    fc.subarray(["a", "b"], { minLength: 1 }).map((each) => topic(...each)),
    fc.subarray(["es", "es-MX", "en"], { minLength: 1 }).map((each) => language(...each)),
    fc.subarray(["x", "x y", "x*", "xy", "y x", "x* y*"], { minLength: 1 }).map((each) => words(...each)),
    fc.subarray(["08", "080", "1"], { minLength: 1 }).map((each) => postalCode(...each)),
    fc.constantFrom(attribute("n").above(1), attribute("n").equals(2)).map(contact),
    fc
      .subarray(
        [
          { opens: "09:00", closes: "12:00" },
          { opens: "10:00", closes: "11:00" },
          { opens: "23:00", closes: "10:00" }
        ],
        { minLength: 1 }
      )
      .map((each) => time("Europe/Madrid", workdays(...each)))
  )
  const conditions: fc.Arbitrary<Placement.Condition> = fc.letrec<{ any: Placement.Condition }>((tie) => ({
    any: fc.oneof(
      { maxDepth: 3 },
      leaves,
      fc.array(tie("any"), { maxLength: 3 }).map((of) => all(...of)),
      fc.array(tie("any"), { minLength: 1, maxLength: 3 }).map((of) => any(...of)),
      tie("any").map(not)
    )
  })).any
  const known: fc.Arbitrary<Placement.Facts> = fc.record(
    {
      atMs: fc.integer({ min: 0, max: 168 }).map((hours) => at("2026-03-27T00:00Z") + hours * 3_600_000),
      topics: fc.subarray(["a", "b", "c"]),
      language: fc.constantFrom("es", "es-MX", "en-GB", "fr"),
      text: fc.array(fc.constantFrom("x", "y", "xy", "z"), { maxLength: 4 }).map((each) => each.join(" ")),
      postalCode: fc.constantFrom("08", "08014", "1", "2"),
      contact: fc.record({ n: fc.integer({ min: 0, max: 3 }) })
    },
    { requiredKeys: ["atMs"] }
  )

  it("[ROUTING-116] no rule that is called unreachable ever matches", () => {
    fc.assert(
      fc.property(
        fc.array(conditions, { minLength: 2, maxLength: 6 }),
        fc.array(known, { minLength: 20, maxLength: 20 }),
        (rules, all) => {
          const made = placement(...rules)
          const unreachable = new Set(
            Placement.check(made).flatMap(({ code, path }) => (code === "rule_unreachable" ? [path] : []))
          )
          for (const each of all) {
            const { because } = Placement.place(made, each)
            if (because.kind === "rule") expect(unreachable.has(`rules[${because.ruleId.slice(1)}]`)).toBe(false)
          }
        }
      ),
      { numRuns: 300 }
    )
  })

  it("[ROUTING-110, ROUTING-118] the first rule that matches wins, and every one before says why not", () => {
    fc.assert(
      fc.property(fc.array(conditions, { maxLength: 6 }), known, (rules, each) => {
        const made = placement(...rules)
        const first = rules.findIndex((condition) => Placement.isMet(condition, each))
        const { placed, passedOver } = Placement.explain(made, each)
        expect(placed).toEqual(Placement.place(made, each))
        expect(placed.because).toEqual(first < 0 ? { kind: "otherwise" } : { kind: "rule", ruleId: `r${first}` })
        expect(passedOver.map(({ ruleId }) => ruleId)).toEqual(
          made.rules.slice(0, first < 0 ? undefined : first).map(({ ruleId }) => ruleId)
        )
        for (const { unmet } of passedOver) {
          expect(unmet.length).toBeGreaterThan(0)
          for (const { condition } of unmet) expect(Placement.isMet(condition, each)).toBe(false)
        }
        expect(Placement.decode(JSON.parse(JSON.stringify(made)))).toEqual({ ok: true, value: made })
      }),
      { numRuns: 300 }
    )
  })

  it("[ROUTING-117] windows of one condition that share time", () => {
    const twice = time("UTC", {
      monday: [
        { opens: "09:00", closes: "13:00" },
        { opens: "12:00", closes: "14:00" }
      ],
      tuesday: [{ opens: "00:00", closes: "01:00" }]
    })
    const night = time("UTC", {
      monday: [{ opens: "00:00", closes: "01:00" }],
      sunday: [{ opens: "23:00", closes: "00:30" }]
    })
    expect(Placement.check(placement(twice))).toMatchObject([
      {
        code: "windows_overlap",
        severity: "warning",
        path: "rules[0].when.week.monday[1]",
        found: "monday 12:00 to monday 13:00 is in rules[0].when.week.monday[0], too"
      }
    ])
    expect(codes(night)).toEqual(["windows_overlap rules[0].when.week.sunday[0]"])
    expect(
      codes(
        time("UTC", {
          monday: [
            { opens: "09:00", closes: "12:00" },
            { opens: "12:00", closes: "14:00" }
          ]
        })
      )
    ).toEqual([])
  })

  it("[ROUTING-117] rules that differ in times that overlap", () => {
    const early = time("Europe/Madrid", workdays({ opens: "08:00", closes: "14:30" }))
    const late = time("Europe/Madrid", workdays({ opens: "14:00", closes: "22:00" }))
    const after = time("Europe/Madrid", workdays({ opens: "14:30", closes: "22:00" }))
    expect(Placement.check(placement(all(topic("a"), early), topic("b"), all(late, topic("a"))))).toMatchObject([
      {
        code: "rules_overlap",
        severity: "warning",
        path: "rules[2].when",
        found: "monday 14:00 to monday 14:30 in both"
      }
    ])
    expect(codes(all(topic("a"), early), all(topic("b"), late))).toEqual([])
    expect(codes(early, after)).toEqual([])
  })

  it("[ROUTING-116] hundreds of rules of many words are checked at once", () => {
    const many = placement(
      ...Array.from({ length: 400 }, (_, index) =>
        any(
          words(...Array.from({ length: 10 }, (_, word) => `w${index} v${word}*`)),
          all(topic(`t${index}`), language("es"))
        )
      )
    )
    expect(Placement.check(many)).toEqual([])
  })
})

describe("explanations", () => {
  it("[ROUTING-118] name what was found in place of what was asked", () => {
    const { place, explain } = Placement
    const rules: Placement.Placement = {
      rules: [
        { ruleId: "a", when: all(language("es"), channelKind("chat"), words("x")), to: { queueId: "a" } },
        { ruleId: "b", when: any(topic("a"), topic("b")), to: { queueId: "b" } },
        { ruleId: "c", when: time("Europe/Madrid", weekend(daytime)), to: { queueId: "c" } },
        { ruleId: "d", when: topic("z"), to: { queueId: "d" } },
        { ruleId: "e", when: all(), to: { queueId: "e" } }
      ],
      otherwise: { queueId: "q" }
    }
    const known = facts({ channelKind: "chat", language: "fr", text: "y", topics: ["u", "v"] })
    expect(explain(rules, known)).toEqual({
      placed: place(rules, known),
      passedOver: [
        { ruleId: "a", unmet: [{ condition: language("es"), found: "fr" }, { condition: words("x") }] },
        { ruleId: "b", unmet: [{ condition: any(topic("a"), topic("b")) }] },
        { ruleId: "c", unmet: [{ condition: time("Europe/Madrid", weekend(daytime)), found: "friday 11:00" }] },
        { ruleId: "d", unmet: [{ condition: topic("z"), found: "u, v" }] }
      ]
    })
  })
})
