import {
  Capacity,
  type ChoiceRule,
  type OrderRule,
  type Relaxation,
  Requirement,
  RoutingAgent,
  RoutingPolicy,
  type Signal,
  WorkItem
} from "@switchboard/routing"
import * as fc from "fast-check"

const agentIds = ["a1", "a2", "a3", "a4"] as const
const itemIds = Array.from({ length: 12 }, (_, index) => `i${index}`)
const kinds = ["call", "chat", "mail"] as const

const region = Requirement.attribute("region")
const years = Requirement.attribute("years")

const comparisons: fc.Arbitrary<Requirement.Requirement> = fc.oneof(
  fc.constantFrom("eu", "us").map(region.equals),
  fc.constantFrom(["eu"], ["us", "eu"], ["uk"]).map(region.in),
  fc.constantFrom("e", "").map(region.startsWith),
  fc.integer({ min: 0, max: 3 }).map(years.atLeast),
  fc.integer({ min: 0, max: 3 }).map(years.below),
  fc.constantFrom("p1", "p2").map(Requirement.attribute("products").contains),
  fc.constantFrom(
    region.equals(Requirement.ofItem("region")),
    years.above(Requirement.ofItem("years")),
    Requirement.attribute("products").contains(Requirement.ofItem("product"))
  )
)

/** Of an agent. */
export const attributes = fc.record(
  {
    region: fc.constantFrom("eu", "us"),
    years: fc.integer({ min: 0, max: 4 }),
    products: fc.subarray(["p1", "p2"])
  },
  { requiredKeys: [] }
)

const itemAttributes = fc.record(
  { region: fc.constantFrom("eu", "us"), years: fc.integer({ min: 0, max: 2 }), product: fc.constantFrom("p1", "p2") },
  { requiredKeys: [] }
)

export const requirements: fc.Arbitrary<Requirement.Requirement> = fc.letrec<{ any: Requirement.Requirement }>(
  (tie) => ({
    any: fc.oneof(
      { maxDepth: 3 },
      fc.constant(Requirement.anyone),
      fc
        .tuple(fc.constantFrom("s1", "s2"), fc.integer({ min: 1, max: 3 }))
        .map(([name, level]) => Requirement.skill(name, level)),
      fc.constantFrom("t1", "t2").map(Requirement.team),
      fc.constantFrom("en", "es").map(Requirement.language),
      fc.subarray([...agentIds], { minLength: 1 }).map((ids) => Requirement.agents(...ids)),
      fc.array(tie("any"), { maxLength: 3 }).map((of) => Requirement.all(...of)),
      comparisons,
      fc.array(tie("any"), { minLength: 1, maxLength: 3 }).map((of) => Requirement.any(...of)),
      fc
        .tuple(fc.integer({ min: 1, max: 3 }), fc.array(tie("any"), { minLength: 1, maxLength: 3 }))
        .map(([count, of]) => Requirement.atLeast(Math.min(count, of.length), ...of)),
      tie("any").map(Requirement.not)
    )
  })
).any

/** Mostly requirements somebody meets, so that histories get somewhere. */
const asked = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.constantFrom(
      Requirement.anyone,
      Requirement.skill("s1"),
      Requirement.team("t1"),
      region.equals(Requirement.ofItem("region"))
    )
  },
  { weight: 1, arbitrary: requirements }
)

/** Ages that histories live through. */
const relaxations: fc.Arbitrary<Relaxation.Relaxation> = fc
  .array(
    fc.record(
      {
        afterMs: fc.integer({ min: 0, max: 1200 }),
        requirement: asked,
        skipIf: fc.constant("nobodyOnDuty" as const)
      },
      { requiredKeys: ["afterMs", "requirement"] }
    ),
    { minLength: 1, maxLength: 4 }
  )
  .map((rows) =>
    rows
      .sort((a, b) => a.afterMs - b.afterMs)
      .filter(({ afterMs }, index) => index === 0 || afterMs > rows[index - 1]!.afterMs)
  )

const homes = fc.subarray(["q1", "q2", "unlisted"])

const together = fc.record(
  { exclusive: fc.subarray([...kinds]), interruptible: fc.subarray([...kinds]) },
  { requiredKeys: [] }
)

export const profiles: fc.Arbitrary<RoutingAgent.RoutingAgent> = fc
  .record({
    agentId: fc.constantFrom(...agentIds),
    skills: fc.dictionary(fc.constantFrom("s1", "s2"), fc.integer({ min: 1, max: 3 })),
    teams: fc.subarray(["t1", "t2"]),
    languages: fc.subarray(["en", "es-MX"]),
    attributes,
    units: fc.integer({ min: 0, max: 5 }),
    call: fc.integer({ min: 0, max: 2 }),
    together,
    more: fc.record({ homeQueues: homes, weight: fc.constantFrom(0.5, 1, 3) }, { requiredKeys: [] })
  })
  .map(({ units, call, together, more, ...profile }) =>
    RoutingAgent.make({ ...profile, ...more, capacity: { ...Capacity.make(units, { call }), ...together } })
  )

const orderRules: fc.Arbitrary<OrderRule.OrderRule> = fc.oneof(
  fc.constantFrom<OrderRule.OrderRule>(
    { by: "priority" },
    { by: "age" },
    { by: "agedPriority", pointsPerMinute: 3000 },
    { by: "earliestDue" },
    { by: "leastSlack" },
    { by: "queueCost", cost: "flat" },
    { by: "queueCost", cost: "growing" },
    { by: "queueShares" },
    { by: "longestQueue" }
  ),
  fc.record({
    by: fc.constant("score" as const),
    queues: fc.uniqueArray(
      fc.record({
        queueId: fc.constantFrom("q1", "q2", "unlisted"),
        credit: fc.integer({ min: -2, max: 2 }),
        pointsPerMinute: fc.constantFrom(0, 600, 3000)
      }),
      { selector: ({ queueId }) => queueId }
    ),
    bonuses: fc.array(
      fc.record({
        queueId: fc.constantFrom("q1", "q2"),
        homeQueueId: fc.constantFrom("q1", "q2", "unlisted"),
        points: fc.integer({ min: -3, max: 3 })
      }),
      { maxLength: 3 }
    )
  })
)

const choiceRules = fc.constantFrom<ChoiceRule.ChoiceRule>(
  { by: "leastLoaded" },
  { by: "longestIdle" },
  { by: "longestIdle", since: "assigned" },
  { by: "bestFit" },
  { by: "bestFit", weights: { s1: 0.5, s2: 2 } },
  { by: "fewestSkills" },
  { by: "roundRobin" },
  { by: "weighted" },
  { by: "sticky" }
)

const helping = {
  fromLength: fc.integer({ min: 1, max: 3 }),
  afterMs: fc.constantFrom(0, 40, 300),
  keepFree: fc.integer({ min: 0, max: 2 })
}

const queueFacts = fc.record(
  {
    handlingMs: fc.constantFrom(30_000, 120_000),
    costPerMinute: fc.constantFrom(0, 1, 3),
    share: fc.constantFrom(0, 1, 3),
    helping: fc.record(helping, { requiredKeys: [] })
  },
  { requiredKeys: [] }
)

export const policies: fc.Arbitrary<RoutingPolicy.RoutingPolicy> = fc
  .record({
    order: fc.oneof(
      fc.constantFrom<Array<OrderRule.OrderRule>>([{ by: "priority" }, { by: "age" }], [{ by: "age" }], []),
      { weight: 3, arbitrary: fc.array(orderRules, { minLength: 1, maxLength: 3 }) }
    ),
    choice: fc.array(choiceRules, { maxLength: 3 }),
    helping: fc.record(helping),
    offerTimeoutMs: fc.constantFrom(1, 20, 50),
    declineMemoryMs: fc.constantFrom(0, 30, 200),
    awayAfterMissed: fc.constantFrom(null, 1, 3),
    overCapacity: fc.constantFrom("never" as const, "onPick" as const),
    relaxation: fc.option(relaxations, { freq: 2, nil: undefined }),
    facts: fc.tuple(queueFacts, queueFacts),
    more: fc.record(
      {
        wrapUpMs: fc.dictionary(fc.constantFrom(...kinds), fc.constantFrom(0, 5, 60)),
        filling: fc.dictionary(
          fc.constantFrom(...kinds),
          fc.constantFrom("spread" as const, "pack" as const, "drain" as const)
        )
      },
      { requiredKeys: [] }
    )
  })
  .map(({ relaxation, facts, more, ...changes }) =>
    RoutingPolicy.make({
      ...changes,
      ...more,
      queues: [
        {
          queueId: "q1",
          requirement: Requirement.anyone,
          ...(relaxation !== undefined && { relaxation }),
          ...facts[0]
        },
        { queueId: "q2", requirement: Requirement.skill("s2"), ...facts[1] }
      ]
    })
  )

const agentId = fc.constantFrom(...agentIds)
const itemId = fc.constantFrom(...itemIds)
const queueId = fc.constantFrom("q1", "q2", "unlisted")
/** Stands for a current offer or holder, filled in when the step is taken, so that most requests mean something. */
export const current = "current"

export type Step = { readonly signal: Signal.Signal; readonly afterMs: number; readonly pick: number }

const item = (now: number) =>
  fc
    .record(
      {
        itemId,
        queueId,
        requirement: asked,
        relaxation: relaxations,
        attributes: itemAttributes,
        channelKind: fc.constantFrom(...kinds),
        weight: fc.integer({ min: 1, max: 3 }),
        priority: fc.integer({ min: 0, max: 3 }),
        arrivedAtMs: fc.integer({ min: now, max: now + 100 }),
        dueAtMs: fc.integer({ min: now, max: now + 500 }),
        handlingMs: fc.constantFrom(0, 60, 200),
        knownBy: fc.shuffledSubarray([...agentIds]),
        preference: fc.oneof(
          fc.record({ preferredAgent: agentId, preferredUntilMs: fc.integer({ min: 0, max: 2000 }) }),
          fc
            .array(
              fc.record({
                agents: fc.subarray([...agentIds], { minLength: 1 }),
                untilMs: fc.integer({ min: 0, max: 2000 })
              }),
              { minLength: 1, maxLength: 3 }
            )
            .map((tiers) => ({ preferred: tiers.sort((a, b) => a.untilMs - b.untilMs) }))
        )
      },
      { requiredKeys: ["itemId", "queueId", "channelKind", "arrivedAtMs"] }
    )
    .map(({ preference, ...rest }) => WorkItem.make({ ...rest, ...preference }))

/** An agent of the morning, with these queues of their own; one of them takes calls alone. */
const atHome = (index: number, homeQueues: ReadonlyArray<string>): Step => ({
  signal: {
    type: "agentUpdated",
    agent: RoutingAgent.make({
      agentId: agentIds[index]!,
      skills: { s1: 1 + index, ...(index % 2 === 0 && { s2: 2 }) },
      teams: [index < 2 ? "t1" : "t2"],
      languages: ["en"],
      homeQueues,
      capacity: {
        ...Capacity.make(1 + index, { call: 1 }),
        ...(index === 3 && { exclusive: ["call"], interruptible: ["mail"] })
      }
    })
  },
  afterMs: 1,
  pick: 0
})

const requestId = fc.constant("request")
const signals: fc.Arbitrary<Signal.Signal> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ type: fc.constant("agentUpdated" as const), agent: profiles }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant("agentRemoved" as const), agentId }) },
  {
    weight: 6,
    arbitrary: fc.record(
      {
        type: fc.constant("presenceChanged" as const),
        requestId,
        agentId,
        status: fc.constantFrom(
          "available" as const,
          "available" as const,
          "available" as const,
          "busy" as const,
          "away" as const,
          "offline" as const
        ),
        channels: fc.dictionary(fc.constantFrom(...kinds), fc.boolean(), { maxKeys: 2 })
      },
      { requiredKeys: ["type", "agentId", "status"] }
    )
  },
  { weight: 10, arbitrary: fc.record({ type: fc.constant("itemArrived" as const), item: item(0) }) },
  {
    weight: 2,
    arbitrary: fc.record(
      {
        type: fc.constant("itemChanged" as const),
        itemId,
        priority: fc.integer({ min: 0, max: 3 }),
        dueAtMs: fc.option(fc.integer({ min: 0, max: 500 }), { nil: null }),
        queueId,
        requirement: fc.option(asked, { nil: null }),
        relaxation: fc.option(relaxations, { nil: null }),
        attributes: itemAttributes
      },
      { requiredKeys: ["type", "itemId"] }
    )
  },
  { weight: 1, arbitrary: fc.record({ type: fc.constant("itemRemoved" as const), itemId }) },
  {
    weight: 8,
    arbitrary: fc.record({
      type: fc.constant("offerAccepted" as const),
      requestId,
      offerId: fc.constant(current),
      agentId
    })
  },
  {
    weight: 4,
    arbitrary: fc.record({
      type: fc.constant("offerDeclined" as const),
      requestId,
      offerId: fc.constant(current),
      agentId
    })
  },
  { weight: 2, arbitrary: fc.record({ type: fc.constant("itemPicked" as const), requestId, itemId, agentId }) },
  {
    weight: 2,
    arbitrary: fc.record({ type: fc.constant("itemAssigned" as const), requestId, itemId, agentId, by: agentId })
  },
  {
    weight: 6,
    arbitrary: fc.record({
      type: fc.constant("itemReleased" as const),
      requestId,
      itemId: fc.constant(current),
      agentId,
      next: fc.constantFrom("leave" as const, "wait" as const)
    })
  },
  {
    weight: 2,
    arbitrary: fc.record(
      { type: fc.constant("wrapUpEnded" as const), requestId, agentId, itemId },
      { requiredKeys: ["type", "agentId"] }
    )
  },
  {
    weight: 2,
    arbitrary: fc.record({
      type: fc.constant("transferRequested" as const),
      requestId,
      itemId,
      by: agentId,
      to: fc.oneof(
        fc.record({ kind: fc.constant("agent" as const), agentId }),
        fc.record({ kind: fc.constant("team" as const), team: fc.constantFrom("t1", "t2") }),
        fc.record({ kind: fc.constant("queue" as const), queueId })
      )
    })
  },
  { weight: 2, arbitrary: fc.constant({ type: "tick" as const }) }
)

/** Histories of 100,000 signals each instead of short ones. */
export const isSoak = process.env["SWITCHBOARD_SOAK"] === "1"

const script = fc.array(
  fc.record({
    signal: signals,
    afterMs: fc.oneof(
      { weight: 3, arbitrary: fc.integer({ min: 0, max: 5 }) },
      { weight: 1, arbitrary: fc.integer({ min: 10, max: 80 }) }
    ),
    pick: fc.nat()
  }),
  isSoak ? { minLength: 100_000, maxLength: 100_000, size: "max" } : { minLength: 1, maxLength: 120, size: "max" }
)

/** Half of them with agents who have queues of their own from the start. */
export const steps: fc.Arbitrary<ReadonlyArray<Step>> = fc
  .tuple(fc.option(fc.tuple(homes, homes, homes, homes)), script)
  .map(([homesOf, rest]) => [
    ...(homesOf === null ? [] : agentIds.map((_, index) => atHome(index, homesOf[index]!))),
    ...rest
  ])

/** Agents on duty and work waiting, so that what follows happens in the middle of a day. */
export const morning: ReadonlyArray<Step> = agentIds.flatMap((agentId, index) => [
  atHome(index, []),
  { signal: { type: "presenceChanged", agentId, status: "available" }, afterMs: 1, pick: 0 }
])
