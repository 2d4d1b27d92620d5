/** The shop's own system, as a context provider: what it knows of a contact appears on their card. */
import type { DeskConfig } from "@switchboard/desk"

const plans = ["Basic", "Plus", "Family"]

export const shop: DeskConfig.ContextProvider = {
  name: "Shop",
  deadlineMs: 2000,
  facts: async (contact) => {
    const known = contact.addresses.find((address) => address.kind === "email" || address.kind === "phone")
    if (!known) return []
    // The demo has no shop: facts follow from the address, so that they stay the same.
    let sum = 0
    for (const char of known.value) sum += char.codePointAt(0)!
    return [
      { label: "Customer since", value: String(2015 + (sum % 10)) },
      { label: "Plan", value: plans[sum % plans.length]! },
      { label: "Orders", value: String(1 + (sum % 23)) },
      {
        label: "Last order",
        value: `#${10_000 + (sum % 9000)}`,
        url: `https://shop.test/orders/${10_000 + (sum % 9000)}`
      }
    ]
  }
}
