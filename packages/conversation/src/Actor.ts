/**
 * Who does something: every command and event carries one.
 *
 * @module
 */
import * as z from "zod"
import { AgentId, BotId, ContactId } from "./Id.ts"

/** What an agent or API key may do: `agent` works conversations, `supervisor` also others' work, `administrator` everything. */
export const Role = z.enum(["agent", "supervisor", "administrator"])
export type Role = z.infer<typeof Role>

/** Somebody or something that acts. The role is the one held at that moment. */
export const Actor = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("agent"), id: AgentId, role: Role }),
  z.object({ kind: z.literal("bot"), id: BotId }),
  z.object({ kind: z.literal("contact"), id: ContactId }),
  z.object({ kind: z.literal("system"), name: z.string().min(1).max(64) }),
  z.object({ kind: z.literal("apiKey"), id: z.string().min(1).max(128), role: Role })
])
export type Actor = z.infer<typeof Actor>

/** A part of Switchboard acting by itself: a reactor, a timer. */
export const system = (name: string): Actor => ({ kind: "system", name })

/** Whether two actors are the same one; the role, which may change, doesn't matter. */
export const isSame = (a: Actor, b: Actor): boolean =>
  a.kind === b.kind &&
  (a.kind === "system" ? a.name === (b as { name: string }).name : a.id === (b as { id: string }).id)

/** What every event carries beside its own facts. `occurredAtMs` is the platform's time, `recordedAtMs` ours. */
export const Meta = z.object({
  actor: Actor,
  onBehalfOf: Actor.optional(),
  /** The event or request this answers, such as `journal/42` or a platform's name for an entry; never an address. */
  causation: z.string().max(1024).optional(),
  commandId: z.string().max(256).optional(),
  occurredAtMs: z.number().int().optional(),
  recordedAtMs: z.number().int()
})
export type Meta = z.infer<typeof Meta>
