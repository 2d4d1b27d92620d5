/**
 * Scheduled steps of a target.
 *
 * @module
 */
import * as z from "zod"
import { Threshold } from "./Threshold.ts"

/**
 * Something to do when a clock gets to a point: notify, raise the priority, take to a supervisor, tell the contact.
 *
 * **Shape** The clock says when; `action` is the application's own word for what.
 *
 * **Gotchas** A clock that was paused, fulfilled or cancelled before the point never gets there.
 */
export interface Escalation {
  /** Unique within the target. */
  readonly id: string
  readonly when: Threshold
  readonly action: string
}

/** Reads an {@link Escalation}. */
export const Escalation: z.ZodType<Escalation> = z.strictObject({
  id: z.string().min(1),
  when: Threshold,
  action: z.string().min(1)
})
