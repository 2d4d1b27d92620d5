import { describe, expect, it } from "vitest"
import * as SimulationConfig from "../src/simulation/SimulationConfig.ts"
import * as Summary from "../src/simulation/Summary.ts"
import * as Traffic from "../src/simulation/Traffic.ts"

const options = { seed: 1, perSecond: 5, durationMs: 120_000 }

describe("traffic", () => {
  it("is the same for the same seed and another for another", () => {
    expect(Traffic.make(options)).toEqual(Traffic.make(options))
    expect(Traffic.make({ ...options, seed: 2 })).not.toEqual(Traffic.make(options))
  })

  it("has as many messages as the rate says, in order of time, within the duration", () => {
    const steps = Traffic.make(options)
    expect(steps).toHaveLength(600)
    expect(steps.map(({ atMs }) => atMs)).toEqual(steps.map(({ atMs }) => atMs).toSorted((a, b) => a - b))
    expect(steps.every(({ atMs }) => atMs >= 0 && atMs <= options.durationMs)).toBe(true)
    expect(Traffic.make({ ...options, perSecond: 0.5, durationMs: 10_000 })).toHaveLength(5)
  })

  it("carries each exchange on turn by turn, by one person, with pauses", () => {
    const exchanges = Map.groupBy(Traffic.make(options), ({ conversation }) => conversation)
    for (const steps of exchanges.values()) {
      expect(steps.map(({ turn }) => turn)).toEqual(steps.map((_, index) => index))
      expect(new Set(steps.map(({ person }) => person.index)).size).toBe(1)
      expect(steps.map(({ afterAnswer }) => afterAnswer)).toEqual(steps.map((_, index) => index > 0))
      for (const [index, step] of steps.entries()) {
        if (index > 0) expect(step.atMs - steps[index - 1]!.atMs).toBeGreaterThanOrEqual(3000)
      }
    }
    expect([...exchanges.values()].filter((steps) => steps.length > 1).length).toBeGreaterThan(exchanges.size / 2)
  })

  it("uses every channel and language, pictures, buttons, repeats and nonsense, and people on several channels", () => {
    const steps = Traffic.make(options)
    const seen = <A>(of: (step: Traffic.Step) => A) => new Set(steps.map(of))
    expect([...seen(({ channel }) => channel)].toSorted()).toEqual(Traffic.channelKinds.toSorted())
    expect([...seen(({ person }) => person.language)].toSorted()).toEqual(["ar", "ca", "de", "en", "es", "zh"])
    expect(seen(({ said }) => said.kind)).toEqual(new Set(["text", "picture", "choice"]))
    expect(seen(({ repeated }) => repeated).size).toBe(2)
    expect(seen(({ nonsense }) => nonsense).size).toBe(2)
    const channels = [...Map.groupBy(steps, ({ conversation }) => conversation).values()].map(
      (turns) => new Set(turns.map(({ channel }) => channel)).size
    )
    expect(channels).toContain(2)
    expect(steps.some(({ said }) => /[{}]/.test(said.text))).toBe(false)
  })

  it("gives people addresses of their own", () => {
    const people = new Map(Traffic.make(options).map(({ person }) => [person.index, person]))
    for (const field of ["email", "phone", "chatId"] as const) {
      expect(new Set([...people.values()].map((person) => person[field])).size).toBe(people.size)
    }
  })
})

describe("the summary", () => {
  it("gives the value that a share of all does not exceed", () => {
    const values = Array.from({ length: 100 }, (_, index) => 100 - index)
    expect([0.5, 0.95, 0.99].map((share) => Summary.percentile(values, share))).toEqual([50, 95, 99])
    expect(Summary.percentile([7], 0.5)).toBe(7)
    expect(Summary.percentile([], 0.5)).toBeUndefined()
  })

  it("adds the channels up in a table", () => {
    const summary = Summary.make()
    Object.assign(summary.channels.email, { sent: 2, acknowledged: 1, refused: 1 })
    summary.channels.email.acknowledgedMs.push(12.4)
    Object.assign(summary.channels.webchat, { sent: 3, acknowledged: 3, answers: 4 })
    summary.reasons.add("email: 550 no such mailbox here")
    const lines = Summary.toText(summary).split("\n")
    expect(
      lines.map((line) =>
        line
          .trim()
          .split(/\s{2,}/)
          .join("|")
      )
    ).toEqual([
      "sent|acknowledged|refused|retries|repeated|answers seen|p50|p95|p99",
      "webchat|3|3|0|0|0|4|–|–|–",
      "email|2|1|1|0|0|0|12 ms|12 ms|12 ms",
      "whatsapp|0|0|0|0|0|0|–|–|–",
      "telegram|0|0|0|0|0|0|–|–|–",
      "all|5|4|1|0|0|4|12 ms|12 ms|12 ms",
      "! email: 550 no such mailbox here"
    ])
  })
})

describe("the options of a simulation", () => {
  const given = {
    rate: "5/s",
    minutes: "2",
    url: "http://127.0.0.1:4000/",
    smtp: "127.0.0.1:2525",
    seed: "1",
    agents: "2"
  }

  it("are read with their units", () => {
    expect(SimulationConfig.decode(given)).toEqual({
      perSecond: 5,
      durationMs: 120_000,
      url: "http://127.0.0.1:4000",
      smtp: { host: "127.0.0.1", port: 2525 },
      seed: 1,
      agents: 2
    })
    expect(SimulationConfig.decode({ ...given, rate: "90/min" }).perSecond).toBe(1.5)
    expect(SimulationConfig.decode({ ...given, rate: "20" }).perSecond).toBe(20)
  })

  it.each([
    { option: "rate", value: "fast" },
    { option: "rate", value: "0/s" },
    { option: "minutes", value: "long" },
    { option: "minutes", value: "-1" },
    { option: "url", value: "here" },
    { option: "smtp", value: "127.0.0.1" },
    { option: "seed", value: "1.5" },
    { option: "agents", value: "99" }
  ])("name --$option when it is $value", ({ option, value }) => {
    expect(() => SimulationConfig.decode({ ...given, [option]: value })).toThrow(`--${option}: found "${value}"`)
  })
})
