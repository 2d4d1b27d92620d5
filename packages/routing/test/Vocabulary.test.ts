import { Requirement, Vocabulary } from "@switchboard/routing"
import { describe, expect, it } from "vitest"
import * as z from "zod"

const vocabulary = Vocabulary.make({
  agent: z.object({
    region: z.enum(["eu", "us"]).optional(),
    years: z.number().min(0),
    senior: z.boolean().optional(),
    products: z.array(z.string()).default([])
  }),
  item: z.object({
    region: z.string(),
    score: z.number().optional(),
    vip: z.boolean().optional(),
    regions: z.array(z.string()).optional()
  })
})
const { agent, item } = vocabulary

describe("typed requirements", () => {
  it("[ROUTING-46] are the plain data that is written by hand", () => {
    const requirement = Requirement.all(
      agent.region.equals("eu"),
      agent.region.in(item.regions),
      agent.region.startsWith("e"),
      agent.years.atLeast(item.score),
      agent.years.in([1, 2]),
      agent.senior.equals(item.vip),
      agent.products.contains("crm")
    )
    expect(requirement).toEqual(
      Requirement.all(
        Requirement.attribute("region").equals("eu"),
        Requirement.attribute("region").in({ itemAttribute: "regions" }),
        Requirement.attribute("region").startsWith("e"),
        Requirement.attribute("years").atLeast({ itemAttribute: "score" }),
        Requirement.attribute("years").in([1, 2]),
        Requirement.attribute("senior").equals({ itemAttribute: "vip" }),
        Requirement.attribute("products").contains("crm")
      )
    )
    expect(vocabulary.decode(JSON.parse(JSON.stringify(requirement)))).toEqual({ ok: true, value: requirement })
  })

  // What compiles here without an error would fail the type check: each line is one.
  it("[ROUTING-46] don't compile with an attribute that doesn't exist or a comparison of the wrong types", () => {
    const wrong = [
      // @ts-expect-error no such attribute of the agent
      () => agent.regoin.equals("eu"),
      // @ts-expect-error no such attribute of the item
      () => agent.region.equals(item.regoin),
      // @ts-expect-error not one of the values
      () => agent.region.equals("uk"),
      // @ts-expect-error a text beside a number
      () => agent.region.equals(3),
      // @ts-expect-error a text isn't above anything
      () => agent.region.above(3),
      // @ts-expect-error a number beside a text
      () => agent.years.atLeast("3"),
      // @ts-expect-error a number beside the item's text
      () => agent.years.atLeast(item.region),
      // @ts-expect-error a text beside the item's number
      () => agent.region.equals(item.score),
      // @ts-expect-error one of a text
      () => agent.region.in(item.region),
      // @ts-expect-error a list isn't equal to a text
      () => agent.products.equals("crm"),
      // @ts-expect-error a list contains no list
      () => agent.products.contains(item.regions),
      // @ts-expect-error true or false only
      () => agent.senior.equals("yes"),
      // @ts-expect-error a date is no attribute
      () => Vocabulary.make({ agent: z.object({ since: z.date() }), item: z.object({}) })
    ]
    expect(wrong).toHaveLength(13)
  })
})

describe("requirements from outside", () => {
  const attribute = (name: string, test: string, value: unknown) => ({
    kind: "attribute",
    attribute: name,
    test,
    value
  })

  it.each([
    [attribute("regoin", "equals", "eu"), "attribute", "one of region, years, senior, products", '"regoin"'],
    [attribute("region", "above", 3), "test", "one of equals, in, startsWith: region is a text", '"above"'],
    [attribute("products", "equals", "crm"), "test", "one of contains: products is a list of texts", '"equals"'],
    [attribute("region", "equals", "uk"), "value", expect.stringContaining("eu"), '"uk"'],
    [attribute("region", "in", ["eu", "uk"]), "value[1]", expect.stringContaining("eu"), '"uk"'],
    [attribute("years", "equals", -1), "value", expect.any(String), "-1"],
    [attribute("senior", "equals", "yes"), "value", expect.stringContaining("boolean"), '"yes"'],
    [
      attribute("region", "equals", { itemAttribute: "regoin" }),
      "value.itemAttribute",
      "one of region, score, vip, regions",
      '"regoin"'
    ],
    [
      attribute("years", "atLeast", { itemAttribute: "region" }),
      "value.itemAttribute",
      "an attribute that is a number",
      '"region, a text"'
    ],
    [
      attribute("years", "in", { itemAttribute: "regions" }),
      "value.itemAttribute",
      "a list of numbers in place",
      '"regions, a list of texts"'
    ],
    [
      attribute("products", "contains", { itemAttribute: "regions" }),
      "value.itemAttribute",
      "an attribute that is a text",
      '"regions, a list of texts"'
    ]
  ])("[ROUTING-46] %j is refused at %s", (input, path, expected, found) => {
    expect(vocabulary.decode(input)).toMatchObject({ ok: false, error: { path, expected, found } })
    const deep = {
      kind: "atLeast",
      count: 1,
      of: [
        { kind: "team", team: "a" },
        { kind: "not", of: input }
      ]
    }
    expect(vocabulary.decode(deep)).toMatchObject({ ok: false, error: { path: `of[1].of.${path}` } })
  })

  it.each([
    [{ kind: "attribute", attribute: "years", test: "above", value: "3" }, "value"],
    [{ kind: "attribute", attribute: "years", test: "matches", value: "(a+)+" }, "test"],
    [{ kind: "attribute", attribute: "years", test: "in", value: [] }, "value"],
    [{ kind: "atLeast", count: 2, of: [{ kind: "team", team: "a" }] }, "count"]
  ])("[ROUTING-4] %j is refused at %s whatever the vocabulary", (input, path) => {
    expect(Requirement.decode(input)).toMatchObject({ ok: false, error: { path } })
  })

  it("[ROUTING-46] agents and items are refused attributes that don't exist or don't fit", () => {
    const profile = { agentId: "ada", capacity: { units: 1 } }
    const placed = { itemId: "c1", queueId: "q", channelKind: "chat", arrivedAtMs: 0 }
    expect(vocabulary.decodeAgent({ ...profile, attributes: { years: 3, region: "eu" } }).ok).toBe(true)
    expect(vocabulary.decodeAgent({ ...profile, attributes: { years: "3" } })).toMatchObject({
      error: { path: "attributes.years" }
    })
    expect(vocabulary.decodeAgent(profile)).toMatchObject({ error: { path: "attributes.years" } })
    expect(vocabulary.decodeAgent({ ...profile, attributes: { years: 3, shoe: 42 } })).toMatchObject({
      error: { path: "attributes.shoe", expected: "one of region, years, senior, products" }
    })
    expect(vocabulary.decodeItem({ ...placed, attributes: { region: "eu" } }).ok).toBe(true)
    expect(vocabulary.decodeItem({ ...placed, attributes: { region: 1 } })).toMatchObject({
      error: { path: "attributes.region" }
    })
    const relaxation = [{ afterMs: 5, requirement: attribute("yaers", "above", 1) }]
    expect(vocabulary.decodeItem({ ...placed, attributes: { region: "eu" }, relaxation })).toMatchObject({
      error: { path: "relaxation[0].requirement.attribute" }
    })
    const queues = [{ queueId: "q" }, { queueId: "r", requirement: attribute("years", "equals", "x") }]
    expect(vocabulary.decodePolicy({ queues })).toMatchObject({ error: { path: "queues[1].requirement.value" } })
    expect(vocabulary.decodePolicy({ queues: [{ queueId: "q", relaxation }] })).toMatchObject({
      error: { path: "queues[0].relaxation[0].requirement.attribute" }
    })
    expect(vocabulary.decodePolicy({}).ok).toBe(true)
  })

  it("[ROUTING-46] schemas of every kind know their comparisons", () => {
    const many = Vocabulary.make({
      agent: z.object({
        plan: z.literal("gold"),
        rank: z.union([z.literal(1), z.literal(2)]),
        mail: z.email().readonly(),
        size: z
          .string()
          .transform((text) => text.trim())
          .pipe(z.string())
      }),
      item: z.object({})
    })
    const { plan, rank, mail, size } = many.agent
    const requirement = Requirement.any(plan.equals("gold"), rank.in([1]), mail.startsWith("a@"), size.equals("x"))
    expect(many.decode(requirement)).toEqual({ ok: true, value: requirement })
    expect(many.decode(Requirement.attribute("rank").equals(3))).toMatchObject({ error: { path: "value" } })
    expect(many.decode(Requirement.attribute("plan").equals(Requirement.ofItem("plan")))).toMatchObject({
      error: { expected: "none: none is declared" }
    })
  })
})
