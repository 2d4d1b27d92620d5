/** `npm run simulate`: contacts who write to the running desk, and agents if you like. */
import { connect } from "node:net"
import { parseArgs } from "node:util"
import { Presets, SingleBar } from "cli-progress"
import { agents } from "./people.ts"
import { makeMailSender } from "./simulation/MailSender.ts"
import { makeRandom } from "./simulation/Random.ts"
import { work } from "./simulation/SimulatedAgent.ts"
import * as Simulation from "./simulation/Simulation.ts"
import * as SimulationConfig from "./simulation/SimulationConfig.ts"
import * as Summary from "./simulation/Summary.ts"
import * as Traffic from "./simulation/Traffic.ts"

const fail = (message: string): never => {
  console.error(message)
  process.exit(1)
}

const usage = `npm run simulate -- [--rate 5/s] [--minutes 2] [--seed 1] [--agents 0] [--url http://127.0.0.1:4000] [--smtp 127.0.0.1:2525]`

const readConfig = (): SimulationConfig.SimulationConfig => {
  try {
    const { values } = parseArgs({ options: SimulationConfig.options })
    return SimulationConfig.decode(values)
  } catch (error) {
    return fail(`${error instanceof Error ? error.message : error}\n\n${usage}`)
  }
}

const config = readConfig()
const { url, smtp, seed, perSecond, durationMs } = config

await fetch(`${url}/auth/agents`).then(
  (answer) =>
    answer.ok || fail(`${url} answers, but not as the example desk does (${answer.status}): name the desk with --url`),
  () => fail(`no desk answers at ${url}: start one with npm start, or name another with --url`)
)
await new Promise<void>((resolve) => {
  const socket = connect(smtp.port, smtp.host, () => {
    socket.end()
    resolve()
  })
  socket.once("error", () =>
    fail(`nothing takes mail at ${smtp.host}:${smtp.port}: start the desk, or name its mail address with --smtp`)
  )
})

const steps = Traffic.make({ seed, perSecond, durationMs })
const mail = makeMailSender(smtp.host, smtp.port)
const ending = new AbortController()
const offDuty = new AbortController()
let asked = 0
process.on("SIGINT", () => {
  if (++asked > 1) process.exit(130)
  ending.abort()
})

const onDuty = agents
  .filter(({ role }) => role !== "administrator")
  .slice(0, config.agents)
  .map(({ id }, index) => work(url, id, makeRandom(seed + 1000 + index), offDuty.signal))
for (const agent of onDuty) agent.catch((error: unknown) => console.error(`an agent can't work: ${error}`))

const toClock = (ms: number) => `${Math.floor(ms / 60_000)}:${String(Math.floor((ms / 1000) % 60)).padStart(2, "0")}`

const beganAt = performance.now()
const simulation = Simulation.start({ deskUrl: url, mail, steps, signal: ending.signal })
const bar = new SingleBar(
  {
    format: "  {bar} {value}/{total} messages  {acknowledged} acknowledged  {answers} answers  {left} left",
    hideCursor: true
  },
  Presets.shades_classic
)
const show = () => {
  const { sent, acknowledged, answers } = Summary.total(simulation.summary)
  const leftMs = Math.max(0, durationMs - (performance.now() - beganAt))
  bar.update(sent, { acknowledged, answers, left: toClock(leftMs) })
}
bar.start(steps.length, 0, { acknowledged: 0, answers: 0, left: toClock(durationMs) })
const refresh = setInterval(show, 200)

await simulation.finished
clearInterval(refresh)
show()
bar.stop()
offDuty.abort()
await Promise.allSettled(onDuty)
mail.close()
console.log(`\n${Summary.toText(simulation.summary)}`)
process.exit(asked > 0 ? 130 : 0)
