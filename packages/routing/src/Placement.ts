/**
 * Where a conversation goes: rules over what is known when it begins, the first that matches wins.
 *
 * Rules are data. They look at the channel, the words of the first message, a topic that somebody else found, the time it
 * came in, attributes of the contact, the language and the area.
 *
 * **Example**
 *
 * ```ts
 * import { strict as assert } from "node:assert"
 * import { Placement, Requirement, WorkItem } from "@switchboard/routing"
 *
 * const { all, words, language, contact, time, workdays } = Placement
 * const placement: Placement.Placement = {
 *   rules: [
 *     {
 *       ruleId: "gold",
 *       when: contact(Requirement.attribute("tier").equals("gold")),
 *       to: { queueId: "concierge", priority: 10 }
 *     },
 *     { ruleId: "refunds", when: words("refund*", "money back", "reembols*"), to: { queueId: "billing", priority: 5 } },
 *     {
 *       ruleId: "catalan-by-day",
 *       when: all(language("ca"), time("Europe/Madrid", workdays({ opens: "09:00", closes: "18:00" }))),
 *       to: { queueId: "support", requirement: Requirement.language("ca") }
 *     }
 *   ],
 *   otherwise: { queueId: "support" }
 * }
 * const atMs = Date.parse("2026-03-06T17:59+01:00")
 *
 * const { because, ...to } = Placement.place(placement, { atMs, channelKind: "chat", text: "¿Y mi REEMBOLSO?" })
 * assert.deepEqual(because, { kind: "rule", ruleId: "refunds" })
 * const item = WorkItem.make({ itemId: "c1", channelKind: "chat", arrivedAtMs: atMs, ...to })
 * assert.equal(item.queueId, "billing")
 *
 * const minuteLater = Placement.explain(placement, { atMs: atMs + 60_000, language: "ca" })
 * assert.deepEqual(minuteLater.placed, { queueId: "support", because: { kind: "otherwise" } })
 * assert.equal(minuteLater.passedOver.at(-1)?.unmet[0]?.found, "friday 18:00")
 *
 * const problems = Placement.check(placement, { queueIds: ["concierge", "support"] })
 * assert.deepEqual(problems.map(({ code, path }) => [code, path]), [["queue_unknown", "rules[1].to.queueId"]])
 * ```
 *
 * @module
 */
import * as z from "zod"
import { Attributes } from "./Attributes.ts"
import type { InputError } from "./InputError.ts"
import { decodeWith } from "./internal/decodeWith.ts"
import { days, isIn, isZone, minuteAt, spansOfWeek, toText } from "./internal/placement/hours.ts"
import { problemsOf } from "./internal/placement/problems.ts"
import { includes, phraseOf, phrasesOf, type Text, textOf } from "./internal/placement/words.ts"
import * as Requirement from "./Requirement.ts"
import type { Result } from "./Result.ts"
import type { Shape, Vocabulary } from "./Vocabulary.ts"
import { WorkItem } from "./WorkItem.ts"

const name = z.string().min(1).max(128)
const names = z.array(name).min(1).max(1000).readonly()

/**
 * What is known of a conversation when it begins.
 *
 * **Shape** `text` is its first message; `topics` are labels that a bot or a classifier gave it; `contact` holds
 * attributes of the contact; `language` is a BCP 47 tag; `country` and `region` are codes, such as those of ISO 3166.
 * What is missing meets no condition about it.
 *
 * **Units** `atMs`: the instant it came in, epoch milliseconds. `phoneNumber` with its country code.
 */
export const Facts = z.object({
  atMs: z.number().min(-8_640_000_000_000_000).max(8_640_000_000_000_000),
  channelKind: name.exactOptional(),
  accountId: name.exactOptional(),
  text: z.string().exactOptional(),
  topics: z.array(name).max(1000).readonly().exactOptional(),
  contact: Attributes.exactOptional(),
  language: name.exactOptional(),
  country: name.exactOptional(),
  region: name.exactOptional(),
  postalCode: name.exactOptional(),
  phoneNumber: name.exactOptional()
})
export type Facts = z.infer<typeof Facts>

/** Reads facts from outside. **Fails with** an `InputError` that names the field. */
export const decodeFacts: (input: unknown) => Result<Facts, InputError> = decodeWith("Facts to place by", Facts)

/**
 * One stretch of time on the wall clock.
 *
 * **Units** `HH:MM`; the opening minute is in it, the closing minute is not.
 *
 * **Gotchas** a window whose `closes` is not after its `opens` runs over midnight and belongs to the day it opens on:
 * `22:00`–`06:00`, and `09:00`–`09:00` is 24 hours. The whole day is `00:00`–`24:00`.
 */
export const Window = z.strictObject({
  opens: z.string().regex(/^([01]\d|2[0-3]):[0-5]\d$/, 'expected a time from "00:00" to "23:59"'),
  closes: z.string().regex(/^(([01]\d|2[0-3]):[0-5]\d|24:00)$/, 'expected a time from "00:00" to "24:00"')
})
export type Window = z.infer<typeof Window>

const windows = z.array(Window).max(100).readonly().exactOptional()

/** Windows by weekday, any number each, in any order. */
export const Week = z
  .strictObject({
    monday: windows,
    tuesday: windows,
    wednesday: windows,
    thursday: windows,
    friday: windows,
    saturday: windows,
    sunday: windows
  })
  .refine((week) => days.some((day) => (week[day] ?? []).length > 0), "expected at least one window")
export type Week = z.infer<typeof Week>

/**
 * A condition on the facts.
 *
 * **Shape**
 * - `channelKind`, `account`, `topic`, `country`, `region`: one of a list; countries and regions whatever their case.
 * - `words`: one of these words or phrases is in the text, whatever its case and accents. A word is found whole; one that ends
 *   in a star by its beginning, `refund*` in "refunding".
 * - `time`: the wall clock of the zone then reads a time inside a window.
 * - `contact`: the contact's attributes meet a requirement of comparisons with constants.
 * - `language`: the tag is one of these or a more specific form of one, as `Requirement.language` has it.
 * - `postalCode`, `phoneNumber`: it begins with one of these; spaces, hyphens, case and the like don't count.
 * - `all` (of nothing: always), `any`, `not`.
 *
 * **Gotchas** a condition on what isn't known is not met; under `not` it therefore is. Scripts that put nothing between
 * words, as Chinese, Japanese and Thai, are searched for the phrase at any place. There are no regular expressions:
 * nothing that is written here, or by a contact, makes it slow.
 */
export type Condition =
  | { readonly kind: "channelKind"; readonly in: ReadonlyArray<string> }
  | { readonly kind: "account"; readonly in: ReadonlyArray<string> }
  | { readonly kind: "words"; readonly in: ReadonlyArray<string> }
  | { readonly kind: "topic"; readonly in: ReadonlyArray<string> }
  | { readonly kind: "time"; readonly timeZone: string; readonly week: Week }
  | { readonly kind: "contact"; readonly meets: Requirement.Requirement }
  | { readonly kind: "language"; readonly in: ReadonlyArray<string> }
  | { readonly kind: "country"; readonly in: ReadonlyArray<string> }
  | { readonly kind: "region"; readonly in: ReadonlyArray<string> }
  | { readonly kind: "postalCode"; readonly startsWith: ReadonlyArray<string> }
  | { readonly kind: "phoneNumber"; readonly startsWith: ReadonlyArray<string> }
  | { readonly kind: "all"; readonly of: ReadonlyArray<Condition> }
  | { readonly kind: "any"; readonly of: ReadonlyArray<Condition> }
  | { readonly kind: "not"; readonly of: Condition }

const isOfContact = (requirement: Requirement.Requirement): boolean => {
  switch (requirement.kind) {
    case "attribute":
      return Requirement.itemAttributesOf(requirement).length === 0
    case "not":
      return isOfContact(requirement.of)
    case "all":
    case "any":
    case "atLeast":
      return requirement.of.every(isOfContact)
    default:
      return false
  }
}

const prefixes = names.refine((each) => each.every((prefix) => toPlain(prefix) !== ""), "expected letters or digits")

/** The schema of a condition, for data that comes from outside. */
export const Condition: z.ZodType<Condition> = z.lazy(() =>
  z.discriminatedUnion("kind", [
    z.strictObject({ kind: z.literal("channelKind"), in: names }),
    z.strictObject({ kind: z.literal("account"), in: names }),
    z.strictObject({
      kind: z.literal("words"),
      in: z
        .array(name.refine((phrase) => phraseOf(phrase).length > 0, "expected at least one letter or digit"))
        .min(1)
        .max(1000)
        .readonly()
    }),
    z.strictObject({ kind: z.literal("topic"), in: names }),
    z.strictObject({
      kind: z.literal("time"),
      timeZone: z.string().refine(isZone, 'expected an IANA time zone such as "Europe/Madrid"'),
      week: Week
    }),
    z.strictObject({
      kind: z.literal("contact"),
      meets: Requirement.Requirement.refine(
        isOfContact,
        "expected comparisons of attributes with constants, alone or under all, any, not and atLeast"
      )
    }),
    z.strictObject({ kind: z.literal("language"), in: names }),
    z.strictObject({ kind: z.literal("country"), in: names }),
    z.strictObject({ kind: z.literal("region"), in: names }),
    z.strictObject({ kind: z.literal("postalCode"), startsWith: prefixes }),
    z.strictObject({ kind: z.literal("phoneNumber"), startsWith: prefixes }),
    z.strictObject({ kind: z.literal("all"), of: z.array(Condition).max(1000).readonly() }),
    z.strictObject({ kind: z.literal("any"), of: z.array(Condition).min(1).max(1000).readonly() }),
    z.strictObject({ kind: z.literal("not"), of: Condition })
  ])
)

/** What a rule makes of a conversation: the fields of its work item that it decides. */
export const Target = z.strictObject({
  queueId: WorkItem.shape.queueId,
  priority: WorkItem.shape.priority.unwrap().exactOptional(),
  weight: WorkItem.shape.weight.unwrap().exactOptional(),
  requirement: WorkItem.shape.requirement,
  relaxation: WorkItem.shape.relaxation,
  attributes: WorkItem.shape.attributes
})
export type Target = z.infer<typeof Target>

/** One rule. */
export const Rule = z.strictObject({ ruleId: name, when: Condition, to: Target })
export type Rule = z.infer<typeof Rule>

/** Rules in order, and where what none of them matches goes. */
export const Placement = z.strictObject({
  rules: z
    .array(Rule)
    .max(1000)
    .readonly()
    .superRefine((rules, context) => {
      const ids = new Set<string>()
      for (const [index, { ruleId }] of rules.entries()) {
        if (ids.has(ruleId))
          context.addIssue({ code: "custom", path: [index, "ruleId"], message: "expected an id no rule before has" })
        ids.add(ruleId)
      }
    }),
  otherwise: Target
})
export type Placement = z.infer<typeof Placement>

/** Reads a placement from outside. **Fails with** an `InputError` that names the field. */
export const decode: (input: unknown) => Result<Placement, InputError> = decodeWith("A placement", Placement)

/** On one of these channel kinds. */
export const channelKind = (...kinds: ReadonlyArray<string>): Condition => ({ kind: "channelKind", in: kinds })

/** On one of these channel accounts. */
export const account = (...accounts: ReadonlyArray<string>): Condition => ({ kind: "account", in: accounts })

/** With one of these words or phrases in the first message; a star at the end of a word finds its beginning. */
export const words = (...phrases: ReadonlyArray<string>): Condition => ({ kind: "words", in: phrases })

/** About one of these topics. */
export const topic = (...topics: ReadonlyArray<string>): Condition => ({ kind: "topic", in: topics })

/** While the wall clock of a time zone reads a time inside one of these windows. */
export const time = (timeZone: string, week: Week): Condition => ({ kind: "time", timeZone, week })

/** The same windows from Monday to Friday. */
export const workdays = (...each: ReadonlyArray<Window>): Week => ({
  monday: each,
  tuesday: each,
  wednesday: each,
  thursday: each,
  friday: each
})

/** The same windows on Saturday and Sunday. */
export const weekend = (...each: ReadonlyArray<Window>): Week => ({ saturday: each, sunday: each })

/**
 * From a contact whose attributes meet this.
 *
 * **Gotchas** only comparisons with constants, alone or combined, mean anything here. For typed builders make a
 * `Vocabulary` whose `agent` is the schema of your contacts.
 */
export const contact = (meets: Requirement.Requirement): Condition => ({ kind: "contact", meets })

/** In one of these languages: `es` is met by `es` and `es-MX`. */
export const language = (...ranges: ReadonlyArray<string>): Condition => ({ kind: "language", in: ranges })

/** From one of these countries. */
export const country = (...countries: ReadonlyArray<string>): Condition => ({ kind: "country", in: countries })

/** From one of these regions. */
export const region = (...regions: ReadonlyArray<string>): Condition => ({ kind: "region", in: regions })

/** From a postal code that begins so. **Gotchas** countries share codes: combine it with {@link country}. */
export const postalCode = (...startsWith: ReadonlyArray<string>): Condition => ({ kind: "postalCode", startsWith })

/** From a phone number that begins so: `+34 93`. */
export const phoneNumber = (...startsWith: ReadonlyArray<string>): Condition => ({ kind: "phoneNumber", startsWith })

/** All of these. */
export const all = (...of: ReadonlyArray<Condition>): Condition => ({ kind: "all", of })

/** At least one of these. */
export const any = (...of: ReadonlyArray<Condition>): Condition => ({ kind: "any", of })

/** Not this. */
export const not = (of: Condition): Condition => ({ kind: "not", of })

/** Letters and digits alone, in upper case. */
const toPlain = (code: string): string => code.toUpperCase().replace(/[^\p{L}\p{N}]/gu, "")

/** Facts with what conditions share, worked out when the first one needs it. */
class Subject {
  readonly facts: Facts
  readonly profile: Requirement.Profile
  #text: Text | undefined
  readonly #minutes = new Map<string, number | undefined>()

  constructor(facts: Facts) {
    const { language: tag, contact: attributes } = facts
    this.facts = facts
    this.profile = {
      agentId: "",
      skills: {},
      teams: [],
      languages: tag === undefined ? [] : [tag],
      ...(attributes !== undefined && { attributes })
    }
  }

  get text(): Text {
    this.#text ??= textOf(this.facts.text ?? "")
    return this.#text
  }

  minuteIn(timeZone: string): number | undefined {
    if (!this.#minutes.has(timeZone)) this.#minutes.set(timeZone, minuteAt(timeZone, this.facts.atMs))
    return this.#minutes.get(timeZone)
  }
}

const isOneOf = (found: string | undefined, wanted: ReadonlyArray<string>): boolean =>
  found !== undefined && wanted.includes(found)

const isCode = (found: string | undefined, wanted: ReadonlyArray<string>): boolean =>
  found !== undefined && wanted.some((each) => each.toUpperCase() === found.toUpperCase())

const startsPlain = (found: string | undefined, wanted: ReadonlyArray<string>): boolean => {
  if (found === undefined) return false
  const plain = toPlain(found)
  return wanted.some((prefix) => plain.startsWith(toPlain(prefix)))
}

const isMetBy = (condition: Condition, subject: Subject): boolean => {
  const { facts, profile } = subject
  switch (condition.kind) {
    case "channelKind":
      return isOneOf(facts.channelKind, condition.in)
    case "account":
      return isOneOf(facts.accountId, condition.in)
    case "words":
      return facts.text !== undefined && phrasesOf(condition.in).some((phrase) => includes(subject.text, phrase))
    case "topic":
      return facts.topics?.some((each) => condition.in.includes(each)) ?? false
    case "time": {
      const minute = subject.minuteIn(condition.timeZone)
      return minute !== undefined && isIn(spansOfWeek(condition.week), minute)
    }
    case "contact":
      return Requirement.isMet(condition.meets, profile)
    case "language":
      return condition.in.some((range) => Requirement.isMet(Requirement.language(range), profile))
    case "country":
      return isCode(facts.country, condition.in)
    case "region":
      return isCode(facts.region, condition.in)
    case "postalCode":
      return startsPlain(facts.postalCode, condition.startsWith)
    case "phoneNumber":
      return startsPlain(facts.phoneNumber, condition.startsWith)
    case "all":
      return condition.of.every((part) => isMetBy(part, subject))
    case "any":
      return condition.of.some((part) => isMetBy(part, subject))
    case "not":
      return !isMetBy(condition.of, subject)
  }
}

/** Whether the facts meet a condition. */
export const isMet = (condition: Condition, facts: Facts): boolean => isMetBy(condition, new Subject(facts))

/** Everywhere that a conversation can go, in the order of the rules, `otherwise` last. */
export const targetsOf = ({ rules, otherwise }: Placement): ReadonlyArray<Target> => [
  ...rules.map(({ to }) => to),
  otherwise
]

/** Why a conversation went where it did: by this rule, or because none matched. */
export type Because = { readonly kind: "rule"; readonly ruleId: string } | { readonly kind: "otherwise" }

/** Where a conversation goes. */
export interface Placed extends Target {
  readonly because: Because
}

/**
 * Where a conversation with these facts goes: by the first rule that matches, or else `otherwise`.
 *
 * **Gotchas** lists and windows are read once: make new ones rather than change those of a placement in use.
 */
export const place = ({ rules, otherwise }: Placement, facts: Facts): Placed => {
  const subject = new Subject(facts)
  const rule = rules.find(({ when }) => isMetBy(when, subject))
  return rule === undefined
    ? { ...otherwise, because: { kind: "otherwise" } }
    : { ...rule.to, because: { kind: "rule", ruleId: rule.ruleId } }
}

/**
 * A condition that isn't met. `found` says what the facts have in its place; it is missing for `any`, `not`, `words` and
 * `contact`.
 */
export interface Unmet {
  readonly condition: Condition
  readonly found?: string
}

/** A placement with its reasons: the rules before the one that matched, each with the conditions that kept it from matching. */
export interface PlacementExplanation {
  readonly placed: Placed
  readonly passedOver: ReadonlyArray<{ readonly ruleId: string; readonly unmet: ReadonlyArray<Unmet> }>
}

const foundOf = (condition: Condition, subject: Subject): string | undefined => {
  const { facts } = subject
  const shown = (found: string | undefined): string => found ?? "nothing"
  switch (condition.kind) {
    case "channelKind":
      return shown(facts.channelKind)
    case "account":
      return shown(facts.accountId)
    case "topic":
      return facts.topics === undefined || facts.topics.length === 0 ? "nothing" : facts.topics.join(", ")
    case "time": {
      const minute = subject.minuteIn(condition.timeZone)
      return minute === undefined ? "no instant" : toText(minute)
    }
    case "language":
      return shown(facts.language)
    case "country":
      return shown(facts.country)
    case "region":
      return shown(facts.region)
    case "postalCode":
      return shown(facts.postalCode)
    case "phoneNumber":
      return shown(facts.phoneNumber)
    default:
      return undefined
  }
}

const unmetOf = (condition: Condition, subject: Subject): ReadonlyArray<Unmet> => {
  if (condition.kind === "all") return condition.of.flatMap((part) => unmetOf(part, subject))
  if (isMetBy(condition, subject)) return []
  const found = foundOf(condition, subject)
  return [{ condition, ...(found !== undefined && { found }) }]
}

/** Where a conversation goes and why no earlier rule took it. */
export const explain = (placement: Placement, facts: Facts): PlacementExplanation => {
  const placed = place(placement, facts)
  const subject = new Subject(facts)
  const { because } = placed
  const at =
    because.kind === "rule"
      ? placement.rules.findIndex(({ ruleId }) => ruleId === because.ruleId)
      : placement.rules.length
  return {
    placed,
    passedOver: placement.rules.slice(0, at).map(({ ruleId, when }) => ({ ruleId, unmet: unmetOf(when, subject) }))
  }
}

/**
 * Something about a placement that is wrong, or probably not meant.
 *
 * **Shape** `queue_unknown` and `attribute_invalid` are errors. `rule_unreachable`: an earlier rule matches whatever this
 * one would. `windows_overlap`: two windows of one condition share time. `rules_overlap`: two rules ask for the same but
 * at times that overlap, so the first takes what both mean. These three are warnings. `path` names the field, `message`
 * says all of it and what to do.
 */
export interface Problem {
  readonly code: "queue_unknown" | "attribute_invalid" | "rule_unreachable" | "windows_overlap" | "rules_overlap"
  readonly severity: "error" | "warning"
  readonly path: string
  readonly expected: string
  readonly found: string
  readonly message: string
}

/**
 * Every problem of a placement that can be seen without traffic, in the order of its rules.
 *
 * **Shape** `queueIds` are the queues there are; `contacts` a vocabulary whose `agent` is the schema of the contacts.
 * What isn't given isn't checked.
 *
 * **Gotchas** a rule is called unreachable only when that follows from one earlier rule and is found at once. Rules that
 * together leave nothing to a later one aren't seen.
 */
export const check = (
  placement: Placement,
  known: {
    readonly queueIds?: ReadonlyArray<string>
    readonly contacts?: Pick<Vocabulary<Shape, Shape>, "decode">
  } = {}
): ReadonlyArray<Problem> => problemsOf(placement, known)
