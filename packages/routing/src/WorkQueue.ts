/**
 * Waiting items that share what they ask for.
 *
 * @module
 */
import * as z from "zod"
import { anyone, Requirement } from "./Requirement.ts"

/**
 * A work queue.
 *
 * **Shape** `requirement` holds for every item of the queue that brings none of its own; by default anyone will do.
 */
export const WorkQueue = z.strictObject({
  queueId: z.string().min(1).max(128),
  requirement: Requirement.default(anyone)
})
export type WorkQueue = z.infer<typeof WorkQueue>
