import type { Condition } from "../../Placement.ts"
import * as Requirement from "../../Requirement.ts"
import { covers, spansOfWeek } from "./hours.ts"
import { isNarrower, phrasesOf } from "./words.ts"

/** More steps than any rule somebody wrote needs: then it is left undecided. */
const enough = 10_000

type Leaf = Exclude<Condition, { readonly kind: "all" | "any" | "not" }>

const within = (narrow: ReadonlyArray<string>, wide: ReadonlyArray<string>): boolean =>
  narrow.every((each) => wide.includes(each))

const upper = (codes: ReadonlyArray<string>): ReadonlyArray<string> => codes.map((code) => code.toUpperCase())

const begins = (narrow: ReadonlyArray<string>, wide: ReadonlyArray<string>): boolean => {
  const plain = (prefix: string): string => prefix.toUpperCase().replace(/[^\p{L}\p{N}]/gu, "")
  return narrow.every((each) => wide.some((prefix) => plain(each).startsWith(plain(prefix))))
}

const leafImplies = (a: Leaf, b: Leaf): boolean => {
  switch (a.kind) {
    case "channelKind":
    case "account":
    case "topic":
      return b.kind === a.kind && within(a.in, b.in)
    case "country":
    case "region":
      return b.kind === a.kind && within(upper(a.in), upper(b.in))
    case "words": {
      if (b.kind !== "words") return false
      const wider = phrasesOf(b.in)
      return phrasesOf(a.in).every((phrase) => wider.some((each) => isNarrower(phrase, each)))
    }
    case "time":
      return b.kind === "time" && a.timeZone === b.timeZone && covers(spansOfWeek(b.week), spansOfWeek(a.week))
    case "contact":
      return b.kind === "contact" && Requirement.toKey(a.meets) === Requirement.toKey(b.meets)
    case "language":
      return (
        b.kind === "language" &&
        a.in.every((tag) => {
          const profile = { agentId: "", skills: {}, teams: [], languages: [tag] }
          return b.in.some((range) => Requirement.isMet(Requirement.language(range), profile))
        })
      )
    case "postalCode":
    case "phoneNumber":
      return b.kind === a.kind && begins(a.startsWith, b.startsWith)
  }
}

/** Whether all facts that meet `a` meet `b`, as far as that is seen part by part. It never says so wrongly. */
export const implies = (a: Condition, b: Condition): boolean => {
  let steps = 0
  const decide = (narrow: Condition, wide: Condition): boolean => {
    if (++steps > enough) return false
    // Both of these lose nothing; the ones after may.
    if (narrow.kind === "any") return narrow.of.every((part) => decide(part, wide))
    if (wide.kind === "all") return wide.of.every((part) => decide(narrow, part))
    if (wide.kind === "any" && wide.of.some((part) => decide(narrow, part))) return true
    if (narrow.kind === "all") return narrow.of.some((part) => decide(part, wide))
    if (narrow.kind === "not") return wide.kind === "not" && decide(wide.of, narrow.of)
    return wide.kind !== "not" && wide.kind !== "any" && leafImplies(narrow, wide)
  }
  return decide(a, b)
}

/** One text for conditions that are the same whatever the order of their parts. */
export const toKey = (condition: Condition): string => {
  switch (condition.kind) {
    case "all":
    case "any":
      return JSON.stringify([condition.kind, condition.of.map(toKey).sort()])
    case "not":
      return JSON.stringify(["not", toKey(condition.of)])
    case "contact":
      return JSON.stringify(["contact", Requirement.toKey(condition.meets)])
    default:
      return JSON.stringify(Object.entries(condition).sort(([x], [y]) => (x < y ? -1 : 1)))
  }
}
