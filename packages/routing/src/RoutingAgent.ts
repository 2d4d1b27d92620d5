/**
 * An agent as routing sees them: what they can do and how much of it at once.
 *
 * @module
 */
import * as z from "zod"
import { Attributes } from "./Attributes.ts"
import { Capacity } from "./Capacity.ts"
import type { InputError } from "./InputError.ts"
import { decodeWith } from "./internal/decodeWith.ts"
import type { Result } from "./Result.ts"

const id = z.string().min(1).max(128)

/**
 * An agent's profile.
 *
 * **Shape** `skills` maps a skill to its level, 1 to 10; `languages` are BCP 47 tags; `attributes` are the
 * application's own. `homeQueues` are the queues whose work is their own, see `Helping`; without any, everything is.
 * `weight` is how much work they should be given beside others when the policy chooses by `weighted`; 1 when missing.
 */
export const RoutingAgent = z.object({
  agentId: id,
  skills: z.record(z.string(), z.int().min(1).max(10)).default({}),
  teams: z.array(id).default([]),
  languages: z.array(id).default([]),
  attributes: Attributes.exactOptional(),
  homeQueues: z.array(id).max(1000).readonly().exactOptional(),
  weight: z.number().positive().max(1_000_000).exactOptional(),
  capacity: Capacity
})
export type RoutingAgent = z.infer<typeof RoutingAgent>

/** Reads a profile from outside. **Fails with** an `InputError` that names the field. */
export const decode: (input: unknown) => Result<RoutingAgent, InputError> = decodeWith("An agent", RoutingAgent)

/** A profile with no skills, teams or languages beyond those given. */
export const make = (profile: Pick<RoutingAgent, "agentId" | "capacity"> & Partial<RoutingAgent>): RoutingAgent => ({
  skills: {},
  teams: [],
  languages: [],
  ...profile
})
