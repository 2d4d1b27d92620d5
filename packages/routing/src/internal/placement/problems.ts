import type { InputError } from "../../InputError.ts"
import type { Condition, Placement, Problem, Rule, Week } from "../../Placement.ts"
import type * as Requirement from "../../Requirement.ts"
import type { Result } from "../../Result.ts"
import { days, overlap, type Span, spansOf, spansOfWeek, toText } from "./hours.ts"
import { implies, toKey } from "./implies.ts"

type Path = string

const problem = (
  code: Problem["code"],
  severity: Problem["severity"],
  path: Path,
  expected: string,
  found: string,
  advice: string
): Problem => ({
  code,
  severity,
  path,
  expected,
  found,
  message: `A placement: ${path} is ${severity === "error" ? "not usable" : "probably not meant"} (expected ${expected}; found ${found}). ${advice}`
})

/** Every condition in a condition, with its path. */
const partsOf = (condition: Condition, path: Path): ReadonlyArray<readonly [Path, Condition]> => {
  switch (condition.kind) {
    case "all":
    case "any":
      return condition.of.flatMap((part, index) => partsOf(part, `${path}.of[${index}]`))
    case "not":
      return partsOf(condition.of, `${path}.of`)
    default:
      return [[path, condition]]
  }
}

const windowProblems = (week: Week, path: Path): ReadonlyArray<Problem> => {
  const all = days.flatMap((day) =>
    (week[day] ?? []).map((window, index) => ({
      at: `${path}.week.${day}[${index}]`,
      spans: spansOf(day, window)
    }))
  )
  return all.flatMap(({ at, spans }, index) => {
    for (const earlier of all.slice(0, index)) {
      const shared = overlap(earlier.spans, spans)
      if (shared !== undefined)
        return problem(
          "windows_overlap",
          "warning",
          at,
          "windows that share no time",
          `${toText(shared.from)} to ${toText(shared.until)} is in ${earlier.at}, too`,
          "They count as one: write them as one, or correct them."
        )
    }
    return []
  })
}

interface Timed {
  /** What the rule asks beside the time. */
  readonly rest: string
  readonly timeZone: string
  readonly spans: ReadonlyArray<Span>
}

/** A rule that is one condition on the time, beside any others. */
const timedOf = ({ when }: Rule): Timed | undefined => {
  const parts = when.kind === "all" ? when.of : [when]
  const [time, more] = parts.filter(({ kind }) => kind === "time")
  if (time?.kind !== "time" || more !== undefined) return undefined
  const { timeZone, week } = time
  return {
    rest: toKey({ kind: "all", of: parts.filter((part) => part !== time) }),
    timeZone,
    spans: spansOfWeek(week)
  }
}

interface Known {
  readonly queueIds?: ReadonlyArray<string>
  readonly contacts?: { readonly decode: (input: unknown) => Result<Requirement.Requirement, InputError> }
}

export const problemsOf = ({ rules, otherwise }: Placement, { queueIds, contacts }: Known): ReadonlyArray<Problem> => {
  const queues = queueIds && new Set(queueIds)
  const queueProblem = (queueId: string, path: Path): ReadonlyArray<Problem> =>
    queues === undefined || queues.has(queueId)
      ? []
      : [
          problem(
            "queue_unknown",
            "error",
            `${path}.queueId`,
            queues.size === 0 ? "a queue, and there is none" : `one of ${[...queues].join(", ")}`,
            JSON.stringify(queueId),
            "Correct the name, or add the queue first."
          )
        ]
  const timed = rules.map(timedOf)
  const ofRules = rules.flatMap(({ ruleId, when, to }, index): ReadonlyArray<Problem> => {
    const path = `rules[${index}]`
    const inside = partsOf(when, `${path}.when`).flatMap(([at, condition]): ReadonlyArray<Problem> => {
      if (condition.kind === "time") return windowProblems(condition.week, at)
      if (condition.kind !== "contact" || contacts === undefined) return []
      const decoded = contacts.decode(condition.meets)
      if (decoded.ok) return []
      const { path: field, expected, found } = decoded.error
      const within = field === "" || field.startsWith("[") ? field : `.${field}`
      return [
        problem("attribute_invalid", "error", `${at}.meets${within}`, expected, found, "Correct it and try again.")
      ]
    })
    const target = queueProblem(to.queueId, `${path}.to`)
    const before = rules.slice(0, index)
    const winner = before.findIndex((earlier) => implies(when, earlier.when))
    if (winner >= 0)
      return [
        ...inside,
        ...target,
        problem(
          "rule_unreachable",
          "warning",
          path,
          "a rule that can match what no earlier one takes",
          `${JSON.stringify(rules[winner]!.ruleId)} takes all that ${JSON.stringify(ruleId)} would`,
          "Move it before that rule, narrow that rule, or remove it."
        )
      ]
    const own = timed[index]
    const rival = before.flatMap((earlier, at) => {
      const other = timed[at]
      if (own === undefined || other === undefined) return []
      if (own.rest !== other.rest || own.timeZone !== other.timeZone) return []
      const shared = overlap(other.spans, own.spans)
      return shared === undefined ? [] : [{ earlier, shared }]
    })[0]
    if (rival === undefined) return [...inside, ...target]
    return [
      ...inside,
      ...target,
      problem(
        "rules_overlap",
        "warning",
        `${path}.when`,
        `times that ${JSON.stringify(rival.earlier.ruleId)} doesn't have`,
        `${toText(rival.shared.from)} to ${toText(rival.shared.until)} in both`,
        "The earlier rule takes what both mean: correct the times if it shouldn't."
      )
    ]
  })
  return [...ofRules, ...queueProblem(otherwise.queueId, "otherwise")]
}
