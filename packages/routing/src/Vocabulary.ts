/**
 * The attributes an application's agents and items have, each with its Zod schema, and the requirements that can be made of
 * them: an attribute that doesn't exist and a comparison of the wrong types don't compile, and are refused in JSON.
 *
 * **Example**
 *
 * ```ts
 * import { strict as assert } from "node:assert"
 * import { Requirement, Vocabulary } from "@switchboard/routing"
 * import * as z from "zod"
 *
 * const vocabulary = Vocabulary.make({
 *   agent: z.object({ region: z.enum(["eu", "us"]), years: z.number(), products: z.array(z.string()) }),
 *   item: z.object({ region: z.enum(["eu", "us"]).optional(), product: z.string() })
 * })
 * const { agent, item } = vocabulary
 * const requirement = Requirement.all(
 *   agent.region.equals(item.region),
 *   agent.products.contains(item.product),
 *   agent.years.atLeast(2)
 * )
 * assert.deepEqual(vocabulary.decode(JSON.parse(JSON.stringify(requirement))), { ok: true, value: requirement })
 *
 * // @ts-expect-error years are a number
 * agent.years.equals("two")
 * const refused = vocabulary.decode({ kind: "attribute", attribute: "years", test: "equals", value: "two" })
 * assert.equal(refused.ok ? undefined : refused.error.path, "value")
 * ```
 *
 * @module
 */
import * as z from "zod"
import type { Attribute, Attributes } from "./Attributes.ts"
import type { InputError } from "./InputError.ts"
import { describe, refuse, toText } from "./internal/decodeWith.ts"
import type { Relaxation } from "./Relaxation.ts"
import * as Requirement from "./Requirement.ts"
import type { Result } from "./Result.ts"
import * as RoutingAgent from "./RoutingAgent.ts"
import * as RoutingPolicy from "./RoutingPolicy.ts"
import * as WorkItem from "./WorkItem.ts"

/** The schemas of attributes, by name. */
export type Shape = Readonly<Record<string, z.ZodType<Attribute | undefined>>>

/** An attribute of the item, of a known type, to compare the agent's with. */
export interface ItemAttribute<T> extends Requirement.FromItem {
  /** Only for the compiler: it tells attributes of different types apart. */
  readonly "~type"?: T
}

/** What a text of the agent can be compared with. */
export interface TextComparisons<T extends string> {
  readonly equals: (value: T | ItemAttribute<string>) => Requirement.Requirement
  readonly in: (values: ReadonlyArray<T> | ItemAttribute<ReadonlyArray<string>>) => Requirement.Requirement
  readonly startsWith: (prefix: string | ItemAttribute<string>) => Requirement.Requirement
}

/** What a number of the agent can be compared with. */
export interface NumberComparisons<T extends number> {
  readonly equals: (value: T | ItemAttribute<number>) => Requirement.Requirement
  readonly in: (values: ReadonlyArray<T>) => Requirement.Requirement
  readonly above: (value: number | ItemAttribute<number>) => Requirement.Requirement
  readonly atLeast: (value: number | ItemAttribute<number>) => Requirement.Requirement
  readonly below: (value: number | ItemAttribute<number>) => Requirement.Requirement
  readonly atMost: (value: number | ItemAttribute<number>) => Requirement.Requirement
}

/** What a yes or no of the agent can be compared with. */
export interface FlagComparisons {
  readonly equals: (value: boolean | ItemAttribute<boolean>) => Requirement.Requirement
}

/** What a list of texts of the agent can be compared with. */
export interface ListComparisons<T extends string> {
  readonly contains: (value: T | ItemAttribute<string>) => Requirement.Requirement
}

/** The comparisons that fit an attribute of this type. */
export type ComparisonsOf<T> = [T] extends [boolean]
  ? FlagComparisons
  : [T] extends [number]
    ? NumberComparisons<T>
    : [T] extends [string]
      ? TextComparisons<T>
      : [T] extends [ReadonlyArray<infer E extends string>]
        ? ListComparisons<E>
        : never

/** The comparisons of every attribute of the agent. */
export type AgentWords<A extends Shape> = {
  readonly [K in keyof A]: ComparisonsOf<Exclude<z.output<A[K]>, undefined>>
}

/** Every attribute of the item. */
export type ItemWords<I extends Shape> = { readonly [K in keyof I]: ItemAttribute<Exclude<z.output<I[K]>, undefined>> }

/**
 * Typed builders, and decoders that know the attributes.
 *
 * **Fails with** each decoder refuses what the one of its module refuses, and besides attributes that don't exist,
 * comparisons that don't fit their type, and values their schema refuses: an `InputError` with path, expected and found.
 */
export interface Vocabulary<A extends Shape, I extends Shape> {
  /** The agent's attributes, to be compared. */
  readonly agent: AgentWords<A>
  /** The item's attributes, to compare with. */
  readonly item: ItemWords<I>
  /** Reads a requirement from outside. */
  readonly decode: (input: unknown) => Result<Requirement.Requirement, InputError>
  /** Reads an agent's profile from outside, attributes included. */
  readonly decodeAgent: (input: unknown) => Result<RoutingAgent.RoutingAgent, InputError>
  /** Reads an item from outside: its attributes, its own requirement, its own relaxation. */
  readonly decodeItem: (input: unknown) => Result<WorkItem.WorkItem, InputError>
  /** Reads a policy from outside: the requirements and relaxations of its queues. */
  readonly decodePolicy: (input: unknown) => Result<RoutingPolicy.RoutingPolicy, InputError>
}

type Path = ReadonlyArray<PropertyKey>
interface Problem {
  readonly path: Path
  readonly expected: string
  readonly found: unknown
}

const kinds = { text: "a text", number: "a number", flag: "true or false", list: "a list of texts" } as const
type Kind = keyof typeof kinds

const tests: Readonly<Record<Kind, ReadonlyArray<Requirement.Comparison["test"]>>> = {
  text: ["equals", "in", "startsWith"],
  number: ["equals", "in", "above", "atLeast", "below", "atMost"],
  flag: ["equals"],
  list: ["contains"]
}

/** The schema without what wraps it: optional, default, readonly. */
const unwrap = (schema: z.core.$ZodType): z.core.$ZodType => {
  const { def } = schema._zod
  if ("innerType" in def) return unwrap(def.innerType as z.core.$ZodType)
  return def.type === "pipe" ? unwrap((def as z.core.$ZodPipeDef).out) : schema
}

const kindOf = (wrapped: z.core.$ZodType): Kind | undefined => {
  const schema = unwrap(wrapped)
  const { def } = schema._zod
  switch (def.type) {
    case "string":
    case "enum":
    case "template_literal":
      return "text"
    case "number":
      return "number"
    case "boolean":
      return "flag"
    case "array":
      return "list"
    case "literal": {
      const [first] = (def as z.core.$ZodLiteralDef<z.core.util.Literal>).values
      return typeof first === "number" ? "number" : typeof first === "boolean" ? "flag" : "text"
    }
    case "union":
      return kindOf((def as z.core.$ZodUnionDef).options[0]!)
    default:
      return undefined
  }
}

const oneOf = (names: ReadonlyArray<string>): string =>
  names.length === 0 ? "none: none is declared" : `one of ${names.join(", ")}`

const problemOf = (schema: z.core.$ZodType, value: unknown, path: Path): Problem | undefined => {
  const parsed = z.safeParse(schema, value)
  if (parsed.success) return undefined
  const issue = parsed.error.issues[0]!
  return { path: [...path, ...issue.path], expected: issue.message, found: value }
}

const comparisonProblem = (
  { attribute, test, value }: Requirement.Comparison,
  agent: Shape,
  item: Shape,
  path: Path
): Problem | undefined => {
  const schema = Object.hasOwn(agent, attribute) ? agent[attribute]! : undefined
  if (schema === undefined)
    return { path: [...path, "attribute"], expected: oneOf(Object.keys(agent)), found: attribute }
  const kind = kindOf(schema)
  if (kind === undefined || !tests[kind].includes(test)) {
    const fitting = kind === undefined ? "none" : oneOf(tests[kind])
    const what = kind === undefined ? "of no type that can be compared" : kinds[kind]
    return { path: [...path, "test"], expected: `${fitting}: ${attribute} is ${what}`, found: test }
  }
  const bare = unwrap(schema)
  if (typeof value === "object" && "itemAttribute" in value) {
    const name = value.itemAttribute
    const at = [...path, "value", "itemAttribute"]
    if (!Object.hasOwn(item, name)) return { path: at, expected: oneOf(Object.keys(item)), found: name }
    // A list of numbers is no attribute, so a number is looked for in no item's list.
    const wanted = test === "in" ? (kind === "text" ? "list" : undefined) : test === "contains" ? "text" : kind
    const found = kindOf(item[name]!)
    if (found !== undefined && found === wanted) return undefined
    const expected = wanted === undefined ? "a list of numbers in place" : `an attribute that is ${kinds[wanted]}`
    return {
      path: at,
      expected,
      found: `${name}, ${found === undefined ? "of no type that can be compared" : kinds[found]}`
    }
  }
  const at = [...path, "value"]
  if (test === "equals") return problemOf(bare, value, at)
  if (test === "contains") return problemOf((bare._zod.def as z.core.$ZodArrayDef).element, value, at)
  if (test !== "in") return undefined
  for (const [index, each] of value.entries()) {
    const problem = problemOf(bare, each, [...at, index])
    if (problem !== undefined) return problem
  }
  return undefined
}

const requirementProblem = (
  requirement: Requirement.Requirement,
  agent: Shape,
  item: Shape,
  path: Path
): Problem | undefined => {
  switch (requirement.kind) {
    case "attribute":
      return comparisonProblem(requirement, agent, item, path)
    case "not":
      return requirementProblem(requirement.of, agent, item, [...path, "of"])
    case "all":
    case "any":
    case "atLeast":
      for (const [index, part] of requirement.of.entries()) {
        const problem = requirementProblem(part, agent, item, [...path, "of", index])
        if (problem !== undefined) return problem
      }
      return undefined
    default:
      return undefined
  }
}

const attributesProblem = (schema: z.ZodObject<Shape>, attributes: Attributes | undefined): Problem | undefined => {
  const stranger = Object.keys(attributes ?? {}).find((name) => !Object.hasOwn(schema.shape, name))
  return stranger === undefined
    ? problemOf(schema, attributes ?? {}, ["attributes"])
    : { path: ["attributes", stranger], expected: oneOf(Object.keys(schema.shape)), found: stranger }
}

/** The requirements of what has a requirement and a relaxation, with their paths. */
const requirementsOf = (
  owner: { readonly requirement?: Requirement.Requirement; readonly relaxation?: Relaxation },
  path: Path
): ReadonlyArray<readonly [Path, Requirement.Requirement]> => [
  ...(owner.requirement === undefined ? [] : [[[...path, "requirement"], owner.requirement] as const]),
  ...(owner.relaxation ?? []).map(
    ({ requirement }, index) => [[...path, "relaxation", index, "requirement"], requirement] as const
  )
]

/**
 * The vocabulary of these attributes.
 *
 * **Gotchas** schemas check values as they are: defaults and transforms change nothing in what is kept. What a schema
 * requires is required of every agent or item that is decoded here.
 */
export const make = <A extends Shape, I extends Shape>(schemas: {
  readonly agent: z.ZodObject<A>
  readonly item: z.ZodObject<I>
}): Vocabulary<A, I> => {
  const agent: Shape = schemas.agent.shape
  const item: Shape = schemas.item.shape
  const known =
    <T>(
      what: string,
      decode: (input: unknown) => Result<T, InputError>,
      requirements: (value: T) => ReadonlyArray<readonly [Path, Requirement.Requirement]>,
      attributes: (value: T) => Problem | undefined = () => undefined
    ) =>
    (input: unknown): Result<T, InputError> => {
      const decoded = decode(input)
      if (!decoded.ok) return decoded
      const problem =
        attributes(decoded.value) ??
        requirements(decoded.value)
          .map(([path, requirement]) => requirementProblem(requirement, agent, item, path))
          .find((found) => found !== undefined)
      return problem === undefined
        ? decoded
        : refuse(what, toText(problem.path), problem.expected, describe(problem.found))
    }
  const words = <T>(shape: Shape, word: (name: string) => T) =>
    Object.fromEntries(Object.keys(shape).map((name) => [name, word(name)]))
  return {
    // Every attribute gets all comparisons; the types offer those that fit.
    agent: words(agent, Requirement.attribute) as unknown as AgentWords<A>,
    item: words(item, Requirement.ofItem) as ItemWords<I>,
    decode: known("A requirement", Requirement.decode, (requirement) => [[[], requirement]]),
    decodeAgent: known(
      "An agent",
      RoutingAgent.decode,
      () => [],
      ({ attributes }) => attributesProblem(schemas.agent, attributes)
    ),
    decodeItem: known(
      "A work item",
      WorkItem.decode,
      (decoded) => requirementsOf(decoded, []),
      ({ attributes }) => attributesProblem(schemas.item, attributes)
    ),
    decodePolicy: known("A routing policy", RoutingPolicy.decode, ({ queues }) =>
      queues.flatMap((queue, index) => requirementsOf(queue, ["queues", index]))
    )
  }
}
