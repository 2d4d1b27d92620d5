/**
 * What an agent is available for.
 *
 * @module
 */
import * as z from "zod"

/**
 * **Shape** `available` takes offers · `busy` is on duty but takes no offer now · `away` is on a break · `offline` is gone.
 */
export const Status = z.enum(["available", "busy", "away", "offline"])
export type Status = z.infer<typeof Status>

/**
 * An agent's presence.
 *
 * **Shape** `reason` is a code of the team's choice (`lunch`, `training`). `channels` switches single channel kinds off
 * with `false`; a kind that isn't listed is on.
 *
 * **Units** `sinceMs`: epoch milliseconds of the last change of status.
 */
export const Presence = z.object({
  status: Status,
  reason: z.string().max(128).exactOptional(),
  channels: z.record(z.string(), z.boolean()).exactOptional(),
  sinceMs: z.int()
})
export type Presence = z.infer<typeof Presence>

/** Whether a channel kind is switched on, whatever the status. */
export const isOn = (presence: Presence, channelKind: string): boolean =>
  presence.channels === undefined ||
  !Object.hasOwn(presence.channels, channelKind) ||
  presence.channels[channelKind] === true

/** Whether the agent takes offers on this channel kind. */
export const isAvailable = (presence: Presence, channelKind: string): boolean =>
  presence.status === "available" && isOn(presence, channelKind)
