/**
 * A piece of work that routing places with an agent.
 *
 * @module
 */
import * as z from "zod"
import { Attributes } from "./Attributes.ts"
import type { InputError } from "./InputError.ts"
import { decodeWith } from "./internal/decodeWith.ts"
import { Relaxation } from "./Relaxation.ts"
import { Requirement } from "./Requirement.ts"
import type { Result } from "./Result.ts"

const id = z.string().min(1).max(128)

/**
 * Agents who come before all others until an instant.
 *
 * **Units** `untilMs`: epoch milliseconds, exclusive.
 */
export const Tier = z.object({ agents: z.array(id).min(1).max(1000).readonly(), untilMs: z.int() })
export type Tier = z.infer<typeof Tier>

/**
 * A work item.
 *
 * **Shape** `requirement` is what the item itself asks for and replaces that of its queue; without one, the queue's
 * holds. `relaxation` replaces the queue's table; an item with a requirement of its own and no table keeps it at any age.
 * `attributes` are what requirements compare agents with. `priority` is higher for what is more urgent. `weight` is what
 * it takes of an agent's capacity. `preferred` are tiers of agents who are asked one after the other before everyone, for
 * example the last agent, then those who know the contact. `preferredAgent` with `preferredUntilMs` is one tier of one
 * agent; give both or neither, and not beside `preferred`. `dueAtMs` is when it should be with an agent, `handlingMs` how long
 * it will probably take one: the order's rules look at them. `knownBy` are agents who know the contact, the best first: the choice
 * by `sticky` looks at them.
 *
 * **Units** times are epoch milliseconds, `handlingMs` is a duration; `weight` capacity units.
 *
 * **Gotchas** `arrivedAtMs` is the item's age for ever: declines, transfers and returns don't change it.
 */
export const WorkItem = z
  .object({
    itemId: id,
    queueId: id,
    requirement: Requirement.exactOptional(),
    relaxation: Relaxation.exactOptional(),
    attributes: Attributes.exactOptional(),
    channelKind: id,
    weight: z.int().min(1).max(1000).default(1),
    priority: z.int().min(-1_000_000).max(1_000_000).default(0),
    arrivedAtMs: z.int(),
    dueAtMs: z.int().exactOptional(),
    handlingMs: z.int().min(0).max(31_536_000_000).exactOptional(),
    knownBy: z.array(id).max(1000).readonly().exactOptional(),
    preferred: z.array(Tier).min(1).max(20).readonly().exactOptional(),
    preferredAgent: id.exactOptional(),
    preferredUntilMs: z.int().exactOptional()
  })
  .refine((item) => (item.preferredAgent === undefined) === (item.preferredUntilMs === undefined), {
    path: ["preferredUntilMs"],
    message: "expected together with preferredAgent, or neither"
  })
  .refine((item) => item.preferred === undefined || item.preferredAgent === undefined, {
    path: ["preferredAgent"],
    message: "expected none beside preferred: make it the first tier"
  })
  .refine(
    ({ preferred }) => preferred?.every(({ untilMs }, at) => at === 0 || untilMs > preferred[at - 1]!.untilMs) ?? true,
    {
      path: ["preferred"],
      message: "expected tiers whose untilMs rise"
    }
  )
export type WorkItem = z.infer<typeof WorkItem>

/** Reads an item from outside. **Fails with** an `InputError` that names the field. */
export const decode: (input: unknown) => Result<WorkItem, InputError> = decodeWith("A work item", WorkItem)

/** An item of weight 1 and priority 0, unless given. */
export const make = (
  item: Pick<WorkItem, "itemId" | "queueId" | "channelKind" | "arrivedAtMs"> & Partial<WorkItem>
): WorkItem => ({ weight: 1, priority: 0, ...item })

const nobody: ReadonlyArray<Tier> = []

/** The tiers of agents an item waits for before everyone, in order; nothing when it prefers nobody. */
export const tiersOf = (item: WorkItem): ReadonlyArray<Tier> =>
  item.preferred ??
  (item.preferredAgent === undefined ? nobody : [{ agents: [item.preferredAgent], untilMs: item.preferredUntilMs! }])

/**
 * An agent who is passed over for an item for a while: they declined it, let its offer expire, or handed it back.
 *
 * **Units** `untilMs`: epoch milliseconds, from then on the agent may be offered the item again.
 */
export const Exclusion = z.object({
  agentId: id,
  cause: z.enum(["declined", "missed", "handedBack"]),
  untilMs: z.int()
})
export type Exclusion = z.infer<typeof Exclusion>
