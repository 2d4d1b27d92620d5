/**
 * A human who accepts work, and the teams they belong to.
 *
 * @module
 */
import * as z from "zod"
import { Role } from "./Actor.ts"
import { AgentId, TeamId } from "./Id.ts"

/** A group of agents. */
export const Team = z.object({ id: TeamId, name: z.string().min(1).max(256) })
export type Team = z.infer<typeof Team>

/**
 * An agent as it stands.
 *
 * **Shape** `skills` maps a skill to a level from 1 to 5; `languages` are BCP 47 tags; `capacity` is how much work at
 * once, in total and per channel kind; who holds an `exclusive` kind, a call, is given no other, and `interruptible` kinds
 * don't stand in its way. `homeQueues` are the queues whose work is their own: they take it first, and help
 * elsewhere; without any, all work is. `weight` is how much they should be given beside others, 1 when missing.
 * `attributes` are the application's own: texts, numbers, yes or no, lists of texts.
 */
export const Agent = z.object({
  id: AgentId,
  name: z.string().min(1).max(256),
  email: z.email().optional(),
  role: Role,
  teams: z.array(TeamId).max(50),
  skills: z.record(z.string().min(1).max(64), z.number().int().min(1).max(5)),
  languages: z.array(z.string().min(2).max(35)).max(20),
  capacity: z.object({
    total: z.number().int().nonnegative(),
    perChannelKind: z.record(z.string(), z.number().int().nonnegative()),
    exclusive: z.array(z.string().min(1).max(128)).max(100).optional(),
    interruptible: z.array(z.string().min(1).max(128)).max(100).optional()
  }),
  homeQueues: z.array(z.string().min(1).max(128)).max(1000).optional(),
  weight: z.number().positive().max(1_000_000).optional(),
  attributes: z
    .record(
      z.string().min(1).max(128),
      z.union([z.string().max(1024), z.number(), z.boolean(), z.array(z.string().max(1024)).max(1000)])
    )
    .optional()
})
export type Agent = z.infer<typeof Agent>
