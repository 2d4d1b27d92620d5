/**
 * A piece of work that routing places with an agent.
 *
 * @module
 */
import * as z from "zod"
import type { InputError } from "./InputError.ts"
import { decodeWith } from "./internal/decodeWith.ts"
import { Requirement } from "./Requirement.ts"
import type { Result } from "./Result.ts"

const id = z.string().min(1).max(128)

/**
 * A work item.
 *
 * **Shape** `requirement` is what the item itself asks for and replaces that of its queue; without one, the queue's
 * holds. `priority` is higher for what is more urgent. `weight` is what it takes of an agent's capacity. The preferred
 * agent, who knows the contact, gets the item alone until `preferredUntilMs`; give both or neither.
 *
 * **Units** times are epoch milliseconds; `weight` capacity units.
 *
 * **Gotchas** `arrivedAtMs` is the item's age for ever: declines, transfers and returns don't change it.
 */
export const WorkItem = z
  .object({
    itemId: id,
    queueId: id,
    requirement: Requirement.exactOptional(),
    channelKind: id,
    weight: z.int().min(1).max(1000).default(1),
    priority: z.int().min(-1_000_000).max(1_000_000).default(0),
    arrivedAtMs: z.int(),
    preferredAgent: id.exactOptional(),
    preferredUntilMs: z.int().exactOptional()
  })
  .refine((item) => (item.preferredAgent === undefined) === (item.preferredUntilMs === undefined), {
    path: ["preferredUntilMs"],
    message: "expected together with preferredAgent, or neither"
  })
export type WorkItem = z.infer<typeof WorkItem>

/** Reads an item from outside. **Fails with** an `InputError` that names the field. */
export const decode: (input: unknown) => Result<WorkItem, InputError> = decodeWith("A work item", WorkItem)

/** An item of weight 1 and priority 0, unless given. */
export const make = (
  item: Pick<WorkItem, "itemId" | "queueId" | "channelKind" | "arrivedAtMs"> & Partial<WorkItem>
): WorkItem => ({ weight: 1, priority: 0, ...item })

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
