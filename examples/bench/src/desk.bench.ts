/**
 * What a whole desk does per second on SQLite with synchronous=FULL: signed WhatsApp webhooks in, committed with their
 * views, every reactor level; then how long each takes at a steady 1,000 a second, while agents read the inbox over HTTP.
 *
 * `--live 1000` sets the number of live conversations, `--messages 20000` how many messages are sent, `--at-once 256`
 * how many of them are under way together.
 */
import { fork } from "node:child_process"
import { once } from "node:events"
import { mkdtempSync, rmSync } from "node:fs"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { join } from "node:path"
import { parseArgs } from "node:util"
import { Desk, type DeskConfig, DeskFetch } from "@switchboard/desk"
import { MemoryBlobStore, MemoryStorage } from "@switchboard/storage"
import { SqliteStorage } from "@switchboard/storage-sqlite"
import { Context, Effect, Exit, ManagedRuntime, Scope } from "effect"
import * as Baseline from "./Baseline.ts"
import { measure, percentile, report, say } from "./Figures.ts"
import * as Traffic from "./Traffic.ts"

const { values } = parseArgs({
  options: {
    live: { type: "string", default: "1000" },
    messages: { type: "string", default: "20000" },
    "at-once": { type: "string", default: "256" },
    json: { type: "boolean", default: false },
    memory: { type: "boolean", default: false }
  }
})
const live = Number(values.live)
const messages = Number(values.messages)
const atOnce = Number(values["at-once"])

const key = "the-benchmark-s-key-of-32-characters"
const directory = mkdtempSync(join(process.cwd(), ".bench-"))
const config: DeskConfig.DeskConfig = {
  ...Traffic.configure(
    values.memory ? MemoryStorage.make() : SqliteStorage.make({ file: join(directory, "desk.db") }),
    MemoryBlobStore.make()
  ),
  apiKeys: [{ id: "bench", secret: key, role: "agent" }]
}

const runtime = ManagedRuntime.make(Desk.layer(config))
const context = await runtime.context()
const desk = Context.get(context, Desk)
const run = Effect.runPromiseWith(context)
const scope = await run(Scope.make())

const url = new URL("http://desk.test/channels/whatsapp/")
const send = ({ body, signature }: Traffic.Webhook) =>
  run(
    desk.receive("whatsapp", {
      method: "POST",
      url,
      headers: { "x-hub-signature-256": signature, "content-type": "application/json" },
      body,
      receivedAtMs: Date.now()
    })
  )

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

const reactors = ["router", "sla", "inbox", "metrics"]
const { workspace } = desk.environment
const positions = async () => {
  const head = await workspace.head()
  return { head, behind: head - Math.min(...(await Promise.all(reactors.map(workspace.cursor)))) }
}

const level = async () => {
  while ((await positions()).behind > 0) await pause(2)
}

/** Sends all of them with so many under way at once. */
const flood = async (all: ReadonlyArray<Traffic.Webhook>): Promise<ReadonlyArray<number>> => {
  const times: Array<number> = []
  let next = 0
  await Promise.all(
    Array.from({ length: atOnce }, async () => {
      for (;;) {
        const one = all[next++]
        if (!one) return
        const begin = performance.now()
        await send(one)
        times.push(performance.now() - begin)
      }
    })
  )
  return times.sort((a, b) => a - b)
}

const traffic = Traffic.make(live)

say(`opening ${live} conversations …`)
for (let opened = 0; opened < live; opened += 5000)
  await flood(traffic.next(Math.min(5000, live - opened), traffic.everyone))

// Inbound alone: the reactors don't run yet.
const inboundOnly = traffic.next(Math.min(messages, 10_000))
const alone = await measure(() => flood(inboundOnly))
const baseline = Baseline.make(directory, live)
const inboundBaseline = baseline.throughput(5120, "inbound", traffic.skewed)
report({
  name: `inbound alone, ${live} live`,
  value: (inboundOnly.length / alone.ms) * 1000,
  unit: "messages/s",
  baseline: inboundBaseline.perSecond
})
report({
  name: "inbound alone, CPU",
  value: (alone.cpuMs / inboundOnly.length) * 1000,
  unit: "µs/message",
  baseline: inboundBaseline.cpuUs
})

await run(Effect.forkIn(Effect.provideService(desk.run, Scope.Scope, scope), scope))
await level()

const all = traffic.next(messages)
const whole = await measure(async () => {
  const times = await flood(all)
  await level()
  return times
})
const wholeBaseline = baseline.throughput(5120, "whole", traffic.skewed)
report({
  name: `whole journey, all reactors level, ${live} live`,
  value: (messages / whole.ms) * 1000,
  unit: "messages/s",
  baseline: wholeBaseline.perSecond
})
report({
  name: "whole journey, CPU",
  value: (whole.cpuMs / messages) * 1000,
  unit: "µs/message",
  baseline: wholeBaseline.cpuUs
})
report({ name: "whole journey, written", value: whole.writtenBytes / messages / 1000, unit: "kB/message" })
report({ name: "whole journey, p99 to durable at saturation", value: percentile(whole.result, 0.99), unit: "ms" })

const fetch = DeskFetch.make(desk, desk.environment.settings, run, Date.now)
const server = createServer(async (incoming, outgoing) => {
  const answer = await fetch(
    new Request(`http://127.0.0.1${incoming.url}`, { headers: incoming.headers as Record<string, string> })
  )
  outgoing.writeHead(answer.status, Object.fromEntries(answer.headers))
  outgoing.end(new Uint8Array(await answer.arrayBuffer()))
})
await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
const inbox = `http://127.0.0.1:${(server.address() as AddressInfo).port}/api/inbox?limit=50`

// A steady 1,000 a second, latency counted from when each should have been sent.
const steadyMs = Math.min(messages, 10_000)
const lags: Array<number> = []
let isOver = false
/** Reads a page of the inbox twenty times a second, from a process of its own, as some agents' browsers do. */
const reader = fork(new URL("./inboxReader.ts", import.meta.url), [inbox, key], {
  execArgv: ["--disable-warning=ExperimentalWarning"]
})
const pagesRead = async (): Promise<Array<number>> => {
  const answer = once(reader, "message")
  reader.send("times")
  return (await answer)[0]
}
/** Sends one every millisecond; returns how long each took, from when it should have been sent. */
const pace = async (all: ReadonlyArray<Traffic.Webhook>): Promise<Array<number>> => {
  const begin = performance.now()
  return Promise.all(
    all.map(async (one, position) => {
      const due = begin + position
      const wait = due - performance.now()
      if (wait > 0) await pause(wait)
      await send(one)
      return performance.now() - due
    })
  )
}
/** How long after an event is in the journal the last reactor has read it. */
const watch = async () => {
  const open: Array<{ readonly head: number; readonly sinceMs: number }> = []
  while (!isOver) {
    const { head, behind } = await positions()
    const nowMs = performance.now()
    while (open[0] && open[0].head <= head - behind) lags.push(nowMs - open.shift()!.sinceMs)
    open.push({ head, sinceMs: nowMs })
    await pause(10)
  }
}
// Not measured: what starts, and what the flood left to be cleared away.
await pace(traffic.next(2_000))
const paced = traffic.next(steadyMs)
await pagesRead()
const steady = await measure(async () => {
  const watching = watch()
  const times = await pace(paced)
  await level()
  isOver = true
  await watching
  return { times: times.sort((a, b) => a - b), pages: await pagesRead() }
})
const shares = [0.5, 0.99, 0.999]
const latencies = baseline.latency(shares, traffic.skewed)
for (const [place, share] of shares.entries()) {
  report({
    name: `at 1,000/s, p${share * 100} to durable`,
    value: percentile(steady.result.times, share),
    unit: "ms",
    baseline: latencies[place]!
  })
}
report({ name: "at 1,000/s, one core used", value: (steady.cpuMs / steady.ms) * 100, unit: "%" })
for (const [name, times] of [
  ["reactors level", lags],
  ["a page of the inbox over HTTP", steady.result.pages]
] as const) {
  times.sort((a, b) => a - b)
  report({ name: `at 1,000/s, ${name}, p50`, value: percentile(times, 0.5), unit: "ms" })
  report({ name: `at 1,000/s, ${name}, p99`, value: percentile(times, 0.99), unit: "ms" })
}
report({ name: "memory, resident", value: process.memoryUsage().rss / 1e6, unit: "MB" })

reader.kill()
await once(reader, "exit")
server.closeAllConnections()
server.close()
baseline.close()
await run(Scope.close(scope, Exit.void))
await runtime.dispose()
rmSync(directory, { recursive: true, force: true })
