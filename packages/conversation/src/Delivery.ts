/**
 * What became of one message towards one recipient on one platform.
 *
 * @module
 */
import * as z from "zod"
import { AddressKind } from "./Address.ts"
import { DeliveryId } from "./Id.ts"
import { personal } from "./Personal.ts"

/** `queued → sent → delivered → read`; `failed` is a branch of its own. */
export const DeliveryState = z.enum(["queued", "sent", "delivered", "read", "failed"])
export type DeliveryState = z.infer<typeof DeliveryState>

/** Why a platform would not take a message. `retryable`: trying again may help. The sentence may name an address. */
export const DeliveryFailure = z.object({
  code: z.string().min(1).max(128),
  message: personal(z.string().max(2000), ""),
  retryable: z.boolean()
})
export type DeliveryFailure = z.infer<typeof DeliveryFailure>

/** Whom a delivery is for. */
export const Recipient = z.object({ kind: AddressKind, value: z.string().min(1).max(512) })
export type Recipient = z.infer<typeof Recipient>

/** What a platform calls a message, one name for each piece that was sent; some platforms write the phone number into it. */
export const PlatformIds = personal(z.array(z.string().max(998)).max(50), undefined)

/**
 * A delivery as it stands.
 *
 * **Shape** `platformIds` are what the platform calls the message (several when it was split). `possiblyDuplicated` is
 * set when a send's outcome was unknown and the platform takes no idempotency key.
 */
export const Delivery = z.object({
  id: DeliveryId,
  recipient: Recipient,
  state: DeliveryState,
  changedAtMs: z.number().int(),
  platformIds: PlatformIds,
  failure: DeliveryFailure.optional(),
  possiblyDuplicated: z.boolean().optional()
})
export type Delivery = z.infer<typeof Delivery>

/** The deliveries of a message, personal because they hold addresses; erased the list is empty. */
export const Deliveries = personal(z.array(Delivery).max(100), [])

const rank: Readonly<Record<DeliveryState, number>> = { queued: 0, sent: 1, failed: 2, delivered: 3, read: 4 }

/**
 * Whether a report may move a delivery from one state to another: it only rises. A failure is final unless the platform
 * later reports that the message arrived after all.
 *
 * **Gotchas** Trying again (`RetryDelivery`) is no report: it sets a failed delivery back to `queued`.
 *
 * **Example**
 *
 * ```ts
 * import { strict as assert } from "node:assert"
 * import { Delivery } from "@switchboard/conversation"
 *
 * assert(Delivery.mayMove("sent", "read"))
 * // Receipts come in any order: one that would lower a delivery is ignored.
 * assert(!Delivery.mayMove("read", "delivered"))
 * assert(!Delivery.mayMove("delivered", "failed"))
 * assert(Delivery.mayMove("failed", "delivered"))
 * ```
 */
export const mayMove = (from: DeliveryState, to: DeliveryState): boolean => rank[to] > rank[from]
