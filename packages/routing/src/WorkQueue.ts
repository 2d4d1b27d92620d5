/**
 * Waiting items that share what they ask for.
 *
 * @module
 */
import * as z from "zod"
import { Overrides } from "./Helping.ts"
import { Relaxation } from "./Relaxation.ts"
import { anyone, Requirement } from "./Requirement.ts"

/**
 * A work queue.
 *
 * **Shape** `requirement` holds for every item of the queue that brings none of its own; by default anyone will do. So
 * does `relaxation`, the table of what is asked of older items. `handlingMs` is how long an item takes an agent on average,
 * `costPerMinute` what a minute of waiting costs, `share` how much of what agents do it should get beside the other
 * queues: the order's rules look at them. `helping` replaces parts of the policy's.
 *
 * **Units** milliseconds; `costPerMinute` and `share` in any unit that is the same for all queues.
 */
export const WorkQueue = z.strictObject({
  queueId: z.string().min(1).max(128),
  requirement: Requirement.default(anyone),
  relaxation: Relaxation.exactOptional(),
  handlingMs: z.int().min(1).max(31_536_000_000).exactOptional(),
  costPerMinute: z.number().min(0).max(1_000_000_000).exactOptional(),
  share: z.number().min(0).max(1_000_000_000).exactOptional(),
  helping: Overrides.exactOptional()
})
export type WorkQueue = z.infer<typeof WorkQueue>
