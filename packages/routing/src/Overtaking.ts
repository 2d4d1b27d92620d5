/**
 * How far a waiting item can be overtaken by what arrives after it: either a bound, or why there is none.
 *
 * The bound speaks of items that the same agents may take as their own work and that weigh the same: an agent who helps takes
 * their own work first, and a heavy item is passed by lighter ones while nobody has enough room at once.
 *
 * **Example**
 *
 * ```ts
 * import { strict as assert } from "node:assert"
 * import { Overtaking, RoutingPolicy } from "@switchboard/routing"
 *
 * const ranges = RoutingPolicy.Ranges.parse({ priority: { min: 0, max: 10 } })
 * const ageing = RoutingPolicy.make({ order: [{ by: "agedPriority", pointsPerMinute: 2 }], ranges })
 * const bound = Overtaking.of(ageing)
 * assert.deepEqual(bound.kind === "bounded" && [bound.by, bound.withinMs], ["agedPriority", 300_000])
 * assert.equal(bound.message, "Served before whatever arrives more than 5 minutes after it.")
 *
 * const strict = Overtaking.of(RoutingPolicy.make({ order: [{ by: "priority" }, { by: "age" }], ranges }))
 * assert.equal(strict.kind === "unbounded" && strict.code, "priority_first")
 * ```
 *
 * @module
 */
import type { OrderRule } from "./OrderRule.ts"
import type { RoutingPolicy } from "./RoutingPolicy.ts"
import type { WorkItem } from "./WorkItem.ts"

/**
 * Why an item can be overtaken by any number of later ones.
 *
 * **Shape** `priority_first`: later items of higher priority go first at any age · `due_first`: it has no due time, or so may
 * others that do · `cost_first`, `score_first`: later items of `otherQueueId` go first at any age · `cost_outgrows`,
 * `score_outgrows`: the items of `otherQueueId` gain more with every minute · `share_first`: while its queue has its share,
 * others go first · `longer_queue_first`: while another queue is longer, it goes first · `own_work_first`: nobody on duty has
 * it as their own work · `age_unseen`: no rule looks at age.
 */
export type Code =
  | "priority_first"
  | "due_first"
  | "cost_first"
  | "cost_outgrows"
  | "score_first"
  | "score_outgrows"
  | "share_first"
  | "longer_queue_first"
  | "own_work_first"
  | "age_unseen"

/**
 * How far later items can overtake.
 *
 * **Shape** `bounded`: only by items that arrive within `withinMs` after it, or at that very instant; `by` is the rule that
 * bounds it. `unbounded`: by any number of later ones; `code` says why, `by` which rule, and the queues are those it compares.
 * `message` says either in a sentence.
 *
 * **Units** milliseconds.
 */
export type Overtaking =
  | { readonly kind: "bounded"; readonly by: OrderRule["by"]; readonly withinMs: number; readonly message: string }
  | {
      readonly kind: "unbounded"
      readonly code: Code
      readonly by?: OrderRule["by"]
      readonly queueId?: string
      readonly otherQueueId?: string
      readonly message: string
    }

type Unbounded = Extract<Overtaking, { kind: "unbounded" }>

/** What is known of one item, or of the one that a policy treats worst. */
interface Facts {
  readonly queueId: string
  readonly priority: number
  /** After its arrival; undefined when it has no due time. */
  readonly dueInMs: number | undefined
  readonly handlingMs: number
}

/** A rule puts later items before it never, at most so many milliseconds later, or without end. */
type Lead = "never" | number | Unbounded

const minuteMs = 60_000

const toDuration = (ms: number): string => {
  const [amount, unit] =
    ms < minuteMs ? [ms / 1000, "second"] : ms < 60 * minuteMs ? [ms / minuteMs, "minute"] : [ms / 3_600_000, "hour"]
  const rounded = Math.round(amount * 10) / 10
  return `${rounded} ${unit}${rounded === 1 ? "" : "s"}`
}

const never = (code: Code, because: string, facts: Omit<Unbounded, "kind" | "code" | "message"> = {}): Unbounded => ({
  kind: "unbounded",
  code,
  ...facts,
  message: `Can starve, because ${because}.`
})

const queueOf = ({ queues }: RoutingPolicy, queueId: string) => {
  const queue = queues.find((each) => each.queueId === queueId)
  const { costPerMinute = 0, handlingMs } = queue ?? {}
  return { queueId, rate: costPerMinute / ((handlingMs ?? minuteMs) / minuteMs), handlingMs: handlingMs ?? 0 }
}

/** The queues that compete with an item's: those of the policy, and its own. */
const rivalsOf = (policy: RoutingPolicy, queueId: string) =>
  [...new Set([queueId, ...policy.queues.map((queue) => queue.queueId)])].map((each) => queueOf(policy, each))

const leadByDue = (by: "earliestDue" | "leastSlack", policy: RoutingPolicy, facts: Facts): Lead => {
  const { dueInMs, handlingMs } = policy.ranges
  if (facts.dueInMs === undefined)
    return never("due_first", "whatever has a due time goes before what has none; let the SLA give it one", { by })
  if (by === "earliestDue") return Math.max(0, facts.dueInMs - dueInMs.min)
  const longest = Math.max(handlingMs?.max ?? 0, ...rivalsOf(policy, facts.queueId).map((each) => each.handlingMs))
  return Math.max(0, facts.dueInMs - facts.handlingMs - (dueInMs.min - longest))
}

const leadByCost = (cost: "flat" | "growing", policy: RoutingPolicy, { queueId }: Facts): Lead => {
  const by = "queueCost"
  const rivals = rivalsOf(policy, queueId)
  const { rate } = queueOf(policy, queueId)
  const costliest = rivals.reduce((a, b) => (b.rate > a.rate ? b : a))
  if (costliest.rate > rate) {
    const otherQueueId = costliest.queueId
    return cost === "flat"
      ? never("cost_first", `waiting in ${otherQueueId} costs more than in ${queueId} at any age`, {
          by,
          queueId,
          otherQueueId
        })
      : never(
          "cost_outgrows",
          `what waiting in ${otherQueueId} costs grows faster than in ${queueId}: as much of it as comes can stay ahead`,
          {
            by,
            queueId,
            otherQueueId
          }
        )
  }
  return cost === "flat" || rate === 0 ? "never" : 0
}

const leadByScore = (rule: Extract<OrderRule, { by: "score" }>, policy: RoutingPolicy, { queueId }: Facts): Lead => {
  const { by } = rule
  const scoreOf = (id: string) => {
    const { credit = 0, pointsPerMinute = 0 } = rule.queues.find((each) => each.queueId === id) ?? {}
    const bonuses = [0, ...rule.bonuses.filter((each) => each.queueId === id).map(({ points }) => points)]
    return { slope: pointsPerMinute, most: credit + Math.max(...bonuses), least: credit + Math.min(...bonuses) }
  }
  const own = scoreOf(queueId)
  let leadMs = 0
  for (const { queueId: otherQueueId } of rivalsOf(policy, queueId)) {
    if (otherQueueId === queueId) continue
    const other = scoreOf(otherQueueId)
    const facts = { by, queueId, otherQueueId }
    if (other.slope > own.slope)
      return never(
        "score_outgrows",
        `items of ${otherQueueId} gain more points per minute than those of ${queueId}`,
        facts
      )
    const gap = other.most - own.least
    if (own.slope > 0) leadMs = Math.max(leadMs, (gap / own.slope) * minuteMs)
    else if (gap > 0)
      return never(
        "score_first",
        `items of ${otherQueueId} have more points than those of ${queueId} at any age`,
        facts
      )
  }
  return own.slope > 0 ? leadMs : "never"
}

const leadBy = (rule: OrderRule, policy: RoutingPolicy, facts: Facts): Lead => {
  const { by } = rule
  const { priority } = policy.ranges
  const isAlone = rivalsOf(policy, facts.queueId).length === 1
  switch (by) {
    case "age":
      return 0
    case "agedPriority":
      return Math.max(0, (priority.max - facts.priority) / rule.pointsPerMinute) * minuteMs
    case "priority":
      return priority.max <= facts.priority
        ? "never"
        : never(
            "priority_first",
            "a higher priority goes first at any age; put agedPriority in its place to bound the wait",
            { by }
          )
    case "earliestDue":
    case "leastSlack":
      return leadByDue(by, policy, facts)
    case "queueCost":
      return leadByCost(rule.cost, policy, facts)
    case "score":
      return leadByScore(rule, policy, facts)
    case "queueShares":
      return isAlone
        ? "never"
        : never("share_first", "while its queue has its share of the work being done, other queues go first", {
            by,
            queueId: facts.queueId
          })
    case "longestQueue":
      return isAlone
        ? "never"
        : never("longer_queue_first", "while more waits in another queue, that goes first", {
            by,
            queueId: facts.queueId
          })
  }
}

const overtaking = (policy: RoutingPolicy, facts: Facts): Overtaking => {
  for (const rule of policy.order) {
    const lead = leadBy(rule, policy, facts)
    if (lead === "never") continue
    if (typeof lead !== "number") return lead
    const message =
      lead === 0
        ? "Served before whatever arrives after it."
        : `Served before whatever arrives more than ${toDuration(lead)} after it.`
    return { kind: "bounded", by: rule.by, withinMs: lead, message }
  }
  return never("age_unseen", 'no rule looks at its age; add { by: "age" }')
}

/**
 * How far the policy lets the item that it treats worst be overtaken: by the queues, costs and shares it lists, and within the
 * `ranges` it states of what items bring.
 *
 * **Gotchas** queues that the policy doesn't list are left out, unless it lists none. Whether somebody on duty has an item as
 * their own work is not known here: `explain` of an item knows.
 */
export const of = (policy: RoutingPolicy): Overtaking => {
  const { priority, dueInMs, handlingMs } = policy.ranges
  const queueIds = policy.queues.length === 0 ? [""] : policy.queues.map(({ queueId }) => queueId)
  let worst: Overtaking | undefined
  for (const queueId of queueIds) {
    const found = overtaking(policy, {
      queueId,
      priority: priority.min,
      dueInMs: dueInMs.max ?? undefined,
      handlingMs: Math.min(handlingMs?.min ?? Number.POSITIVE_INFINITY, queueOf(policy, queueId).handlingMs)
    })
    if (found.kind === "unbounded") return found
    if (worst?.kind !== "bounded" || found.withinMs > worst.withinMs) worst = found
  }
  return worst!
}

/** How far this item can be overtaken, by its own priority, queue and due time. */
export const ofItem = (policy: RoutingPolicy, item: WorkItem): Overtaking =>
  overtaking(policy, {
    queueId: item.queueId,
    priority: item.priority,
    dueInMs: item.dueAtMs === undefined ? undefined : item.dueAtMs - item.arrivedAtMs,
    handlingMs: item.handlingMs ?? queueOf(policy, item.queueId).handlingMs
  })

/** What becomes of an item that no agent on duty has as their own work: whoever helps has their own first. */
export const ofNobodysOwn = ({ queueId }: WorkItem): Overtaking =>
  never(
    "own_work_first",
    `nobody on duty has the work of ${queueId} as their own, and who helps takes their own first`,
    { queueId }
  )
