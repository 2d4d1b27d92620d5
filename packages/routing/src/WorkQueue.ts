/**
 * Waiting items that share what they ask for.
 *
 * @module
 */
import * as z from "zod"
import { Relaxation } from "./Relaxation.ts"
import { anyone, Requirement } from "./Requirement.ts"

/**
 * A work queue.
 *
 * **Shape** `requirement` holds for every item of the queue that brings none of its own; by default anyone will do. So
 * does `relaxation`, the table of what is asked of older items.
 */
export const WorkQueue = z.strictObject({
  queueId: z.string().min(1).max(128),
  requirement: Requirement.default(anyone),
  relaxation: Relaxation.exactOptional()
})
export type WorkQueue = z.infer<typeof WorkQueue>
