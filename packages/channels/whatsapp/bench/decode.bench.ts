import { createHmac } from "node:crypto"
import { readFileSync } from "node:fs"
import type { Channel } from "@switchboard/channel"
import { whatsapp } from "@switchboard/channel-whatsapp"

// npm run bench:whatsapp [-- --json]. Every figure is the median of five runs, per second of processor time, so that
// what else the machine does matters little.
// The baseline is JSON.parse of the same bytes, without a signature and without looking at what it says.
const asJson = process.argv.includes("--json")
const count = 50_000
const receivedAtMs = 1_749_416_400_000
const appSecret = "0123456789abcdef0123456789abcdef"

const channel = whatsapp({
  accounts: [{ id: "shop", phoneNumberId: "106540352242922", name: "Shop" }],
  accessToken: "EAAG-no-real-token-0123456789",
  appSecret,
  verifyToken: "a-word-of-ours"
})

const median = (values: ReadonlyArray<number>): number => values.toSorted((a, b) => a - b)[values.length >> 1]!

const perSecond = async (run: () => Promise<void> | void): Promise<number> => {
  const times: Array<number> = []
  for (let turn = 0; turn < 6; turn++) {
    const from = process.cpuUsage()
    await run()
    // The first turn warms up.
    const { user, system } = process.cpuUsage(from)
    if (turn > 0) times.push((user + system) / 1000)
  }
  return count / (median(times) / 1000)
}

const report = (name: string, value: number, unit: string, baseline: number): void => {
  const ratio = Number((value / baseline).toPrecision(3))
  if (asJson)
    console.log(JSON.stringify({ name, value: Math.round(value), unit, baseline: Math.round(baseline), ratio }))
  else console.log(`${name.padEnd(48)} ${Math.round(value)} ${unit}  baseline ${Math.round(baseline)}, ratio ${ratio}`)
}

/** As many webhooks as there are turns, each of another person. */
const webhooks = (payload: string): ReadonlyArray<Channel.ChannelRequest> => {
  const text = readFileSync(new URL(`../test/payloads/${payload}.json`, import.meta.url), "utf8")
  const compact = JSON.stringify(JSON.parse(text))
  return Array.from({ length: count }, (_, index) => {
    const person = String(1_000_000 + (index % 5000))
    const body = Buffer.from(compact.replaceAll("6505551234", `650${person}`))
    return {
      method: "POST",
      url: new URL("https://desk.example.com/channels/whatsapp/"),
      headers: { "x-hub-signature-256": `sha256=${createHmac("sha256", appSecret).update(body).digest("hex")}` },
      body,
      receivedAtMs
    }
  })
}

for (const [name, payload] of [
  ["a text message", "text"],
  ["four receipts", "receipts"]
] as const) {
  const requests = webhooks(payload)
  const baseline = await perSecond(() => {
    for (const { body } of requests) JSON.parse(body.toString())
  })
  const value = await perSecond(async () => {
    for (const request of requests) {
      const verification = await channel.verify(request)
      if (verification.kind !== "verified") throw new Error("a signed webhook was refused")
      const decoded = await channel.decode(verification.input)
      if (!decoded.ok || decoded.value.some(({ kind }) => kind === "unsupported")) throw new Error("not decoded")
    }
  })
  report(`verify and decode: ${name} (${requests[0]?.body.length} B)`, value, "webhooks/s", baseline)
}
