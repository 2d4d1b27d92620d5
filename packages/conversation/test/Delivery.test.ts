import { ConversationEvolution, Delivery } from "@switchboard/conversation"
import { describe, expect, test } from "vitest"
import { ana, did, given, history, jo, mid, open, recipient, refusal, type Step, send, timer } from "./scenario.ts"

const states = Delivery.DeliveryState.options
const record = (state: Delivery.DeliveryState, more: object = {}) =>
  ({ type: "RecordDelivery", messageId: mid("m1"), deliveryId: did("d-m1"), state, ...more }) as const
const retry = { type: "RetryDelivery", messageId: mid("m1"), deliveryId: did("d-m1") } as const

/** Delivered so far: a message whose one delivery was brought to a state. */
const at = (state: Delivery.DeliveryState, more: object = {}): ReadonlyArray<Step> => [
  [open(), jo],
  [send("m1"), ana],
  ...(state === "queued" ? [] : [[record(state, more), timer] as const])
]

/** Rows are what a delivery is, columns what is reported: `yes` it becomes that, `no` it stays. */
const moves = {
  queued: { queued: "no", sent: "yes", delivered: "yes", read: "yes", failed: "yes" },
  sent: { queued: "no", sent: "no", delivered: "yes", read: "yes", failed: "yes" },
  delivered: { queued: "no", sent: "no", delivered: "no", read: "yes", failed: "no" },
  read: { queued: "no", sent: "no", delivered: "no", read: "no", failed: "no" },
  failed: { queued: "no", sent: "no", delivered: "yes", read: "yes", failed: "no" }
} as const

describe("a delivery", () => {
  test("[CONV-23, CONV-39] begins queued for each recipient", () => {
    expect(
      given(history([open(), jo]))
        .when(send("m1"), ana, 7)
        .message("m1").deliveries
    ).toEqual([{ id: "d-m1", recipient, state: "queued", changedAtMs: 7, platformIds: [] }])
  })

  test.each(states.flatMap((from) => states.map((to) => [from, to] as const)))(
    "[CONV-39] only rises: from %s to %s",
    (from, to) => {
      const rises = moves[from][to] === "yes"
      expect(Delivery.mayMove(from, to)).toBe(rises)
      const outcome = given(history(...at(from))).when(record(to), timer)
      expect(outcome.told).toBe(rises ? "DeliveryChanged" : "-")
      expect(outcome.message("m1").deliveries[0]?.state).toBe(rises ? to : from)
    }
  )

  test("[CONV-39] ends the same whatever the order in which receipts come", () => {
    const orders = [
      ["sent", "delivered", "read"],
      ["read", "delivered", "sent"],
      ["delivered", "sent", "read"]
    ] as const
    for (const order of orders) {
      const events = history(...at("queued"), ...order.map((state): Step => [record(state), timer]))
      expect(ConversationEvolution.fold(events).messages.get(mid("m1"))?.deliveries[0]?.state).toBe("read")
    }
  })

  test("[CONV-39] keeps what the platform calls it", () => {
    const longest = `<${"x".repeat(990)}@a.b>`
    const events = history(...at("sent", { platformIds: ["p1", longest] }), [record("read"), timer])
    expect(ConversationEvolution.fold(events).messages.get(mid("m1"))?.deliveries[0]?.platformIds).toEqual([
      "p1",
      longest
    ])
  })

  const failure = { code: "refused", message: "mailbox full", retryable: true }

  test("[CONV-40] says why it failed until it arrives after all", () => {
    const failed = history(...at("failed", { failure }))
    expect(ConversationEvolution.fold(failed).messages.get(mid("m1"))?.deliveries[0]).toMatchObject({ failure })
    const arrived = given(failed).when(record("delivered"), timer).message("m1").deliveries[0]
    expect(arrived?.state).toBe("delivered")
    expect(arrived?.failure).toBeUndefined()
  })

  test.each(states)("[CONV-41] is tried again only after it failed: %s", (state) => {
    const outcome = given(history(...at(state))).when(retry, ana)
    if (state === "failed") {
      expect(outcome.message("m1").deliveries[0]?.state).toBe("queued")
      return
    }
    expect(refusal(outcome)).toMatchObject({ code: "statusNotAllowed", facts: { state } })
  })

  test("[CONV-41] may fail and succeed again after it was tried again", () => {
    const again = [...at("failed", { failure }), [retry, ana]] as const
    expect(given(history(...again)).when(record("failed", { failure }), timer).told).toBe("DeliveryChanged")
    expect(
      given(history(...again))
        .when(record("sent"), timer)
        .message("m1").deliveries[0]?.failure
    ).toBeUndefined()
  })

  test("[CONV-42] that may have gone out twice stays marked", () => {
    const twice = history(...at("sent", { possiblyDuplicated: true }))
    const { deliveries } = given(twice)
      .when(record("read", { possiblyDuplicated: false }), timer)
      .message("m1")
    expect(deliveries[0]?.possiblyDuplicated).toBe(true)
    const once = given(history(...at("sent")))
      .when(record("read"), timer)
      .message("m1").deliveries[0]
    expect(once?.possiblyDuplicated).toBeUndefined()
  })

  test("[CONV-39] of another id is refused", () => {
    for (const command of [record("sent"), retry]) {
      const unknown = given(history(...at("queued"))).when({ ...command, deliveryId: did("other") }, timer)
      expect(refusal(unknown)).toMatchObject({ code: "deliveryUnknown", facts: { deliveryId: "other" } })
    }
  })
})
