/**
 * Who may use which part of a desk. What a command needs is the model's to say, and `authorise`'s.
 *
 * @module
 */
import { type Actor, type Agent, type Id, Rejection } from "@switchboard/conversation"
import { Effect } from "effect"
import { RejectedError } from "./DeskError.ts"

type Role = Agent.Agent["role"]

/** The refusal of what somebody has no right to: `needs` says who has. */
export const notAllowed = (actor: Actor.Actor, what: string, needs: string): RejectedError =>
  new RejectedError({ rejection: Rejection.make("notAllowed", `${what} needs ${needs}`, { actor, needs }) })

const roleOf = (actor: Actor.Actor): Role | undefined =>
  actor.kind === "agent" || actor.kind === "apiKey" ? actor.role : undefined

/** Whether an actor sees what agents see: an agent, a program with an agent's role, or the desk itself. */
export const isPerson = (actor: Actor.Actor): boolean => actor.kind === "system" || roleOf(actor) !== undefined

/** Refuses everybody who does not see what agents see. */
export const requirePerson = (actor: Actor.Actor, what: string): Effect.Effect<void, RejectedError> =>
  isPerson(actor) ? Effect.void : Effect.fail(notAllowed(actor, what, "an agent's role"))

/** Refuses everybody with none of these roles, the least of them first. The desk itself has all. */
export const requireRole = (
  actor: Actor.Actor,
  what: string,
  roles: readonly [Role, ...ReadonlyArray<Role>]
): Effect.Effect<void, RejectedError> => {
  const role = roleOf(actor)
  return actor.kind === "system" || (role !== undefined && roles.includes(role))
    ? Effect.void
    : Effect.fail(notAllowed(actor, what, `the role ${roles[0]}`))
}

/** The agent who asks: what only an agent can have done to them, such as an offer. */
export const agentOf = (actor: Actor.Actor): Effect.Effect<Id.AgentId, RejectedError> =>
  actor.kind === "agent" ? Effect.succeed(actor.id) : Effect.fail(notAllowed(actor, "this", "to be an agent"))
