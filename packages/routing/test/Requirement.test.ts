import { Requirement, RoutingPolicy, Signal, WorkItem } from "@switchboard/routing"
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import { attributes, requirements } from "./arbitraries.ts"

const { skill, team, language, agents, all, any, not, anyone } = Requirement
const ada: Requirement.Profile = {
  agentId: "ada",
  skills: { billing: 4 },
  teams: ["mad"],
  languages: ["ca", "es-MX"]
}

describe("requirements", () => {
  it.each([
    [skill("billing"), true],
    [skill("billing", 4), true],
    [skill("billing", 5), false],
    [skill("constructor"), false],
    [team("mad"), true],
    [team("bcn"), false],
    [agents("bob", "ada"), true],
    [agents("bob"), false],
    [anyone, true],
    [any(), false],
    [all(skill("billing"), team("bcn")), false],
    [any(skill("returns"), team("mad")), true],
    [not(team("mad")), false],
    [not(any(team("bcn"), skill("returns"))), true]
  ])("[ROUTING-1] %j is met: %s", (requirement, expected) => {
    expect(Requirement.isMet(requirement, ada)).toBe(expected)
  })

  it.each([
    ["ca", true],
    ["CA", true],
    ["es", true],
    ["es-mx", true],
    ["es-ES", false],
    ["ca-ES", false],
    ["e", false]
  ])("[ROUTING-3] who speaks ca and es-MX serves %s: %s", (range, expected) => {
    expect(Requirement.isMet(language(range), ada)).toBe(expected)
  })

  it("[ROUTING-43] names the unmet parts only", () => {
    const choice = any(team("bcn"), team("vlc"))
    expect(Requirement.unmet(all(skill("billing"), all(choice, skill("returns", 2))), ada)).toEqual([
      choice,
      skill("returns", 2)
    ])
  })

  it.each([
    [all(skill("a"), team("b")), all(team("b"), skill("a"))],
    [all(skill("a"), all(team("b"), skill("a"))), all(team("b"), skill("a"))],
    [any(team("b")), team("b")],
    [not(not(team("b"))), team("b")],
    [agents("b", "a", "b"), agents("a", "b")],
    [language("es-MX"), language("es-mx")]
  ])("[ROUTING-2] %j has the key of %j", (a, b) => {
    expect(Requirement.toKey(a)).toBe(Requirement.toKey(b))
  })

  it("[ROUTING-2] equal keys are met by the same agents", () => {
    const profile = fc.record({
      agentId: fc.constantFrom("a1", "a2"),
      skills: fc.dictionary(fc.constantFrom("s1", "s2"), fc.integer({ min: 1, max: 3 })),
      teams: fc.subarray(["t1", "t2"]),
      languages: fc.subarray(["en", "es-MX"]),
      attributes
    })
    fc.assert(
      fc.property(requirements, profile, (requirement, profile) => {
        const normalised = JSON.parse(Requirement.toKey(requirement)) as Requirement.Requirement
        expect(Requirement.isMet(normalised, profile)).toBe(Requirement.isMet(requirement, profile))
        expect(Requirement.unmet(requirement, profile).length === 0).toBe(Requirement.isMet(requirement, profile))
        expect(Requirement.toKey(normalised)).toBe(Requirement.toKey(requirement))
      }),
      { seed: 4, numRuns: 500 }
    )
  })
})

describe("comparisons of attributes", () => {
  const { attribute, ofItem, atLeast } = Requirement
  const eve: Requirement.Profile = {
    ...ada,
    attributes: { region: "eu-west", years: 3, senior: true, products: ["crm", "tv"] }
  }

  it.each([
    [attribute("region").equals("eu-west"), true],
    [attribute("region").equals("EU-WEST"), false],
    [attribute("senior").equals(true), true],
    [attribute("years").equals("3"), false],
    [attribute("region").in(["us", "eu-west"]), true],
    [attribute("years").in([1, 2]), false],
    [attribute("region").startsWith("eu-"), true],
    [attribute("region").startsWith("west"), false],
    [attribute("years").startsWith("3"), false],
    [attribute("years").above(3), false],
    [attribute("years").atLeast(3), true],
    [attribute("years").below(3), false],
    [attribute("years").atMost(3), true],
    [attribute("region").above(0), false],
    [attribute("products").contains("tv"), true],
    [attribute("products").contains("t"), false],
    [attribute("region").contains("eu"), false],
    [attribute("shoe").equals(42), false],
    [attribute("constructor").startsWith(""), false],
    [not(attribute("shoe").equals(42)), true],
    [attribute("region").equals(ofItem("region")), false],
    [not(attribute("region").equals(ofItem("region"))), true]
  ])("[ROUTING-45] %j is met: %s", (requirement, expected) => {
    expect(Requirement.isMet(requirement, eve)).toBe(expected)
  })

  it("[ROUTING-45] a prefix is compared in time that grows with its length alone", () => {
    const long = "a".repeat(1000)
    const hostile = attribute("region").startsWith(`${long}!`)
    expect(Requirement.isMet(hostile, { ...ada, attributes: { region: long } })).toBe(false)
  })

  it.each([
    [attribute("region").equals(ofItem("r")), { r: "eu" }, attribute("region").equals("eu")],
    [attribute("region").in(ofItem("r")), { r: ["eu", "us"] }, attribute("region").in(["eu", "us"])],
    [attribute("years").above(ofItem("r")), { r: 2 }, attribute("years").above(2)],
    [attribute("products").contains(ofItem("r")), { r: "tv" }, attribute("products").contains("tv")],
    [
      atLeast(1, not(attribute("years").below(ofItem("r"))), team("a")),
      { r: 2 },
      atLeast(1, not(attribute("years").below(2)), team("a"))
    ]
  ])("[ROUTING-47] %j for an item with %j is %j", (requirement, attributes, expected) => {
    expect(Requirement.resolve(requirement, attributes)).toEqual(expected)
    expect(Requirement.resolve(expected, attributes)).toBe(expected)
    expect(Requirement.itemAttributesOf(requirement)).toEqual(["r"])
    // Without the attribute, or with one of another type, it stays, and nobody meets it.
    expect(Requirement.resolve(requirement, {})).toBe(requirement)
    expect(Requirement.resolve(requirement, { r: false }).kind).toBe(requirement.kind)
  })

  it.each([
    [attribute("x").in(["b", "a", "b"]), attribute("x").in(["a", "b"])],
    [attribute("x").in(["a"]), attribute("x").equals("a")],
    [attribute("x").equals(ofItem("y")), { ...attribute("x").equals({ itemAttribute: "y" }) }],
    [atLeast(1, team("a"), team("b")), any(team("b"), team("a"))],
    [atLeast(2, team("a"), team("b")), all(team("b"), team("a"))],
    [atLeast(2, team("c"), team("a"), team("b")), atLeast(2, team("a"), team("b"), team("c"))],
    [atLeast(3, team("a"), team("b")), any()],
    [atLeast(0, team("a")), anyone]
  ])("[ROUTING-2] %j has the key of %j", (a, b) => {
    expect(Requirement.toKey(a)).toBe(Requirement.toKey(b))
  })

  it.each([
    [attribute("x").in(["1"]), attribute("x").in([1])],
    [attribute("x").atLeast(1), attribute("x").above(1)],
    [attribute("x").equals(ofItem("y")), attribute("x").equals("y")],
    [atLeast(2, team("a"), team("a"), team("b")), atLeast(2, team("a"), team("b"))]
  ])("[ROUTING-2] %j has another key than %j", (a, b) => {
    expect(Requirement.toKey(a)).not.toBe(Requirement.toKey(b))
  })

  it("[ROUTING-48] so many of the parts must be met, and it is said how many are", () => {
    const parts = [skill("billing"), team("bcn"), attribute("years").above(2), language("fr")]
    expect(Requirement.isMet(atLeast(2, ...parts), eve)).toBe(true)
    expect(Requirement.isMet(atLeast(3, ...parts), eve)).toBe(false)
    const [unmet] = Requirement.unmet(all(team("mad"), atLeast(3, ...parts)), eve)
    expect(unmet).toEqual({ kind: "atLeast", count: 3, of: parts, met: 2 })
    expect(Requirement.Unmet.parse(JSON.parse(JSON.stringify(unmet)))).toEqual(unmet)
    expect(Requirement.Unmet.parse(team("bcn"))).toEqual(team("bcn"))
  })
})

describe("what comes from outside", () => {
  it("[ROUTING-4] a requirement is read as it is", () => {
    const requirement = all(skill("billing", 3), any(language("ca"), not(agents("bob"))))
    expect(Requirement.decode(JSON.parse(JSON.stringify(requirement)))).toEqual({ ok: true, value: requirement })
  })

  it("[ROUTING-4] a wrong field is named", () => {
    const input = { kind: "all", of: [{ kind: "skill", skill: "billing", atLeast: "3" }] }
    expect(Requirement.decode(input)).toMatchObject({
      ok: false,
      error: {
        code: "input_invalid",
        path: "of[0].atLeast",
        found: '"3"',
        message: expect.stringContaining("of[0].atLeast")
      }
    })
  })

  it("[ROUTING-4] nesting without end is refused, not followed", () => {
    const deep = JSON.parse(`${'{"kind":"not","of":'.repeat(20_000)}{"kind":"team","team":"a"}${"}".repeat(20_000)}`)
    expect(Requirement.decode(deep)).toMatchObject({ ok: false, error: { expected: "at most 64 levels of nesting" } })
  })

  it.each([
    [
      WorkItem.decode,
      { itemId: "c1", queueId: "q", channelKind: "chat", arrivedAtMs: 0, preferredAgent: "ada" },
      "preferredUntilMs"
    ],
    [WorkItem.decode, { itemId: "c1", queueId: "q", channelKind: "chat", arrivedAtMs: 0, weight: 0 }, "weight"],
    [RoutingPolicy.decode, { order: [{ by: "agedPriority", pointsPerMinute: 0 }] }, "order[0].pointsPerMinute"],
    [RoutingPolicy.decode, { offerTimeOutMs: 1 }, ""],
    [Signal.decode, { type: "offerAccepted", offerId: "c1.1", agentId: "ada" }, "requestId"],
    [Signal.decode, { type: "itemStolen" }, "type"]
  ])("[ROUTING-4] %o refuses %j at %s", (decode, input, path) => {
    expect(decode(input)).toMatchObject({ ok: false, error: { path } })
  })

  it("[ROUTING-4] what is left out gets its default", () => {
    expect(WorkItem.decode({ itemId: "c1", queueId: "q", channelKind: "chat", arrivedAtMs: 5 })).toEqual({
      ok: true,
      value: WorkItem.make({ itemId: "c1", queueId: "q", channelKind: "chat", arrivedAtMs: 5 })
    })
    expect(RoutingPolicy.decode({})).toEqual({ ok: true, value: RoutingPolicy.make() })
  })
})
