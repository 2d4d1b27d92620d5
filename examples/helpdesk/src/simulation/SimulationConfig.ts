/** What `npm run simulate` is told. */
import { agents } from "../people.ts"

/** **Units** messages per second; milliseconds. */
export interface SimulationConfig {
  readonly perSecond: number
  readonly durationMs: number
  readonly url: string
  readonly smtp: { readonly host: string; readonly port: number }
  readonly seed: number
  readonly agents: number
}

export const options = {
  rate: { type: "string", default: "5/s" },
  minutes: { type: "string", default: "2" },
  url: { type: "string", default: "http://127.0.0.1:4000" },
  smtp: { type: "string", default: "127.0.0.1:2525" },
  seed: { type: "string", default: "1" },
  agents: { type: "string", default: "0" }
} as const

const wrong = (option: string, found: string, expected: string): never => {
  throw new Error(`--${option}: found ${JSON.stringify(found)}, expected ${expected}`)
}

const toNumber = (option: string, text: string, least: number, most: number): number => {
  const value = text.trim() === "" ? Number.NaN : Number(text)
  return value >= least && value <= most ? value : wrong(option, text, `a number from ${least} to ${most}`)
}

const toWhole = (option: string, text: string, most: number): number => {
  const value = toNumber(option, text, 0, most)
  return Number.isInteger(value) ? value : wrong(option, text, "a whole number")
}

const seconds: Readonly<Record<string, number>> = { s: 1, m: 60, min: 60, h: 3600 }

/** **Fails with** a thrown error that names the option, what was found and what is expected. */
export const decode = (given: Readonly<Record<keyof typeof options, string>>): SimulationConfig => {
  const [, count = "", unit = "s"] =
    /^([\d.]+)(?:\/(s|m|min|h))?$/.exec(given.rate) ?? wrong("rate", given.rate, "such as 5/s or 90/min")
  const [, host = "", port = ""] =
    /^(?:smtp:\/\/)?([^:/]+):(\d{1,5})$/.exec(given.smtp) ??
    wrong("smtp", given.smtp, "a host and port, such as 127.0.0.1:2525")
  const url = URL.canParse(given.url) ? new URL(given.url) : wrong("url", given.url, "such as http://127.0.0.1:4000")
  const perSecond = Number(count) / seconds[unit]!
  if (!(perSecond > 0 && perSecond <= 1000)) wrong("rate", given.rate, "more than none and at most 1000/s")
  return {
    perSecond,
    durationMs: Math.max(0.01, toNumber("minutes", given.minutes, 0, 10_000)) * 60_000,
    url: url.origin,
    smtp: { host, port: toWhole("smtp", port, 65_535) },
    seed: toWhole("seed", given.seed, 2 ** 32 - 1),
    agents: toWhole("agents", given.agents, agents.filter(({ role }) => role !== "administrator").length)
  }
}
