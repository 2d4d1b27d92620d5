/**
 * What an item asks of the agent who may take it, as plain data.
 *
 * **Example**
 *
 * ```ts
 * import { strict as assert } from "node:assert"
 * import { Requirement } from "@switchboard/routing"
 *
 * const requirement = Requirement.all(
 *   Requirement.skill("billing", 3),
 *   Requirement.any(Requirement.language("ca"), Requirement.language("es"))
 * )
 * const ada = { agentId: "ada", skills: { billing: 4 }, teams: [], languages: ["es-MX"] }
 * assert.equal(Requirement.isMet(requirement, ada), true)
 * assert.deepEqual(Requirement.unmet(requirement, { ...ada, skills: {} }), [
 *   { kind: "skill", skill: "billing", atLeast: 3 }
 * ])
 * ```
 *
 * @module
 */
import * as z from "zod"
import type { InputError } from "./InputError.ts"
import { decodeWith } from "./internal/decodeWith.ts"
import type { Result } from "./Result.ts"

/**
 * A condition on an agent.
 *
 * **Shape** `skill` asks for a level of 1 to 10, `team` for membership, `language` for a BCP 47 language range, `agents`
 * for being on a list; `all`, `any` and `not` combine. `all` of nothing is met by everyone.
 */
export type Requirement =
  | { readonly kind: "skill"; readonly skill: string; readonly atLeast: number }
  | { readonly kind: "team"; readonly team: string }
  | { readonly kind: "language"; readonly language: string }
  | { readonly kind: "agents"; readonly agents: ReadonlyArray<string> }
  | { readonly kind: "all"; readonly of: ReadonlyArray<Requirement> }
  | { readonly kind: "any"; readonly of: ReadonlyArray<Requirement> }
  | { readonly kind: "not"; readonly of: Requirement }

const name = () => z.string().min(1).max(128)

/** The schema of a requirement, for data that comes from outside. */
export const Requirement: z.ZodType<Requirement> = z.lazy(() =>
  z.discriminatedUnion("kind", [
    z.strictObject({ kind: z.literal("skill"), skill: name(), atLeast: z.int().min(1).max(10) }),
    z.strictObject({ kind: z.literal("team"), team: name() }),
    z.strictObject({ kind: z.literal("language"), language: name() }),
    z.strictObject({ kind: z.literal("agents"), agents: z.array(name()).min(1) }),
    z.strictObject({ kind: z.literal("all"), of: z.array(Requirement) }),
    z.strictObject({ kind: z.literal("any"), of: z.array(Requirement).min(1) }),
    z.strictObject({ kind: z.literal("not"), of: Requirement })
  ])
)

/** Reads a requirement from outside. **Fails with** an `InputError` that names the field. */
export const decode: (input: unknown) => Result<Requirement, InputError> = decodeWith("A requirement", Requirement)

/** Asks for a skill at this level (1 to 10) or above. */
export const skill = (skill: string, atLeast = 1): Requirement => ({ kind: "skill", skill, atLeast })

/** Asks for membership of a team. */
export const team = (team: string): Requirement => ({ kind: "team", team })

/**
 * Asks for a language: `es` is met by an agent who speaks `es` or `es-MX`, `es-MX` only by one who lists `es-MX`.
 *
 * **Source** RFC 4647, section 3.3.1 (basic filtering).
 */
export const language = (language: string): Requirement => ({ kind: "language", language })

/** Asks for one of these agents. */
export const agents = (...agents: ReadonlyArray<string>): Requirement => ({ kind: "agents", agents })

/** Asks for everything listed. */
export const all = (...of: ReadonlyArray<Requirement>): Requirement => ({ kind: "all", of })

/** Asks for at least one of what is listed. **Gotchas** of nothing, nobody meets it. */
export const any = (...of: ReadonlyArray<Requirement>): Requirement => ({ kind: "any", of })

/** Asks for the opposite. */
export const not = (of: Requirement): Requirement => ({ kind: "not", of })

/** Asks for nothing: every agent will do. */
export const anyone: Requirement = all()

/** What a requirement looks at in an agent. */
export interface Profile {
  readonly agentId: string
  readonly skills: Readonly<Record<string, number>>
  readonly teams: ReadonlyArray<string>
  readonly languages: ReadonlyArray<string>
}

const speaks = (spoken: string, range: string): boolean => {
  const tag = spoken.toLowerCase()
  const wanted = range.toLowerCase()
  return tag === wanted || tag.startsWith(`${wanted}-`)
}

/** Whether this agent may take an item with this requirement. */
export const isMet = (requirement: Requirement, profile: Profile): boolean => {
  switch (requirement.kind) {
    case "skill":
      return (
        Object.hasOwn(profile.skills, requirement.skill) && profile.skills[requirement.skill]! >= requirement.atLeast
      )
    case "team":
      return profile.teams.includes(requirement.team)
    case "language":
      return profile.languages.some((spoken) => speaks(spoken, requirement.language))
    case "agents":
      return requirement.agents.includes(profile.agentId)
    case "all":
      return requirement.of.every((part) => isMet(part, profile))
    case "any":
      return requirement.of.some((part) => isMet(part, profile))
    case "not":
      return !isMet(requirement.of, profile)
  }
}

/** The parts of a requirement that keep this agent out; nothing when it is met. */
export const unmet = (requirement: Requirement, profile: Profile): ReadonlyArray<Requirement> =>
  requirement.kind === "all"
    ? requirement.of.flatMap((part) => unmet(part, profile))
    : isMet(requirement, profile)
      ? []
      : [requirement]

const normalise = (requirement: Requirement): Requirement => {
  switch (requirement.kind) {
    case "skill":
      return { kind: "skill", skill: requirement.skill, atLeast: requirement.atLeast }
    case "team":
      return { kind: "team", team: requirement.team }
    case "language":
      return { kind: "language", language: requirement.language.toLowerCase() }
    case "agents":
      return { kind: "agents", agents: [...new Set(requirement.agents)].sort() }
    case "not": {
      const of = normalise(requirement.of)
      return of.kind === "not" ? of.of : { kind: "not", of }
    }
    default: {
      const parts = requirement.of.map(normalise).flatMap((part) => (part.kind === requirement.kind ? part.of : [part]))
      const distinct = new Map(parts.map((part) => [JSON.stringify(part), part]))
      const of = [...distinct.keys()].sort().map((text) => distinct.get(text)!)
      return of.length === 1 ? of[0]! : { kind: requirement.kind, of }
    }
  }
}

/**
 * One text for requirements that mean the same whatever the order, nesting and repetition of their parts: items with
 * equal keys wait in the same line.
 */
export const toKey = (requirement: Requirement): string => JSON.stringify(normalise(requirement))
