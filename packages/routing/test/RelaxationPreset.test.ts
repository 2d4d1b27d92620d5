import { type Relaxation, RelaxationPreset, Requirement, type RoutingAgent } from "@switchboard/routing"
import { describe, expect, it } from "vitest"
import { agent, brief, pool } from "./given.ts"

const { agents, all, anyone, attribute, ofItem, skill, team } = Requirement
const seconds = (table: Relaxation.Relaxation) => table.map(({ afterMs }) => afterMs / 1000)

/** Agents who are on duty but take nothing yet, so that a table's instants show. */
const busy = (relaxation: Relaxation.Relaxation, staff: ReadonlyArray<RoutingAgent.RoutingAgent>, policy = {}) => {
  const given = pool({ queues: [{ queueId: "support", requirement: anyone, relaxation }], ...policy }).available(staff)
  for (const { agentId } of staff) given.tell({ type: "presenceChanged", agentId, status: "busy" })
  const comes = (agentId: string, second: number) =>
    given
      .tell({ type: "presenceChanged", agentId, status: "available" }, second * 1000)
      .slice(1)
      .map(brief)
  const at = (second: number) => given.tell({ type: "tick" }, second * 1000).map(brief)
  return { ...given, comes, at }
}

describe("Twilio TaskRouter workflow targets", () => {
  // twilio.com/docs/taskrouter/task-evaluation: targets Q1, Q2, Q3 with a timeout of 10 each, a reservation timeout of 5.
  // The reservation of t=3 runs out at t=8; the task goes to Q2, whose timeout is the sum, 20, so 12 seconds are left.
  // Here it goes on at t=8 because the only worker of Q1 is set away by what they missed.
  it("[ROUTING-56] add their timeouts up on the task's age, however early a target was left", () => {
    const targets = ["Q1", "Q2", "Q3"].map((queue) => ({
      requirement: team(queue),
      timeoutSeconds: 10,
      skipIfNoneAvailable: true
    }))
    const table = RelaxationPreset.twilioTargets(targets)
    expect(seconds(table)).toEqual([0, 10, 20])
    const staff = ["Q1", "Q2", "Q3"].map((queue) => agent(`of${queue}`, { teams: [queue] }))
    const { arrive, comes, at, engine } = busy(table, staff, { offerTimeoutMs: 5000, awayAfterMissed: 1 })
    arrive("taskA")
    expect(comes("ofQ1", 3)).toEqual(["offer taskA.1 to ofQ1"])
    expect(at(8)).toEqual([
      "expired taskA.1",
      "presence ofQ1 away missedOffers",
      "relaxed taskA to 2 of 3 nobodyOnDuty"
    ])
    expect(engine.nextDueAt()).toBe(20_000)
    expect(at(19.999)).toEqual([])
    expect(at(20)).toEqual(["relaxed taskA to 3 of 3"])
  })

  // …/lifecycle-task-workflows-and-assignment: `worker.id IN task.preferred_agents` for 15 seconds, then the support queue
  // for 15, then the default filter's Everyone.
  it("[ROUTING-56] ask the agents the task prefers first, then the queue, then the default filter", () => {
    const table = RelaxationPreset.twilioTargets([
      { requirement: all(team("support"), attribute("id").in(ofItem("preferred_agents"))), timeoutSeconds: 15 },
      { requirement: team("support"), timeoutSeconds: 15 },
      { requirement: anyone }
    ])
    const { arrive, comes, at } = busy(table, [
      agent("alice", { teams: ["support"], attributes: { id: "alice" } }),
      agent("bob", { teams: ["support"], attributes: { id: "bob" } }),
      agent("carol", { attributes: { id: "carol" } })
    ])
    arrive("task", { attributes: { preferred_agents: ["alice", "zed"] } })
    expect(comes("bob", 1)).toEqual([])
    expect(comes("carol", 2)).toEqual([])
    expect(at(15)).toEqual(["relaxed task to 2 of 3", "offer task.1 to bob"])
  })

  // …/worker-presence: skipped when no reservation is created at once and `workers.available == 0`; a worker who is
  // available but holds other tasks keeps the task in the target.
  it("[ROUTING-56] are skipped at once when nobody there is available, but not when they have no room", () => {
    const table = RelaxationPreset.twilioTargets([
      { requirement: team("night"), timeoutSeconds: 60, skipIfNoneAvailable: true },
      { requirement: team("day"), timeoutSeconds: 60, skipIfNoneAvailable: true },
      { requirement: anyone }
    ])
    const { arrive, place, engine } = pool({
      queues: [{ queueId: "support", requirement: anyone, relaxation: table }]
    }).available([agent("dora", { teams: ["day"] }), agent("eve")])
    arrive("first", {}, 1000)
    arrive("second", {}, 2000)
    expect([place("first"), place("second")]).toEqual(["offered dora", "waiting"])
    expect(engine.itemDocument("second")?.step).toBe(2)
    expect(engine.explain("second", 2000)?.relaxation?.nextAtMs).toBe(122_000)
  })

  it("[ROUTING-56] without a timeout are the last", () => {
    expect(
      RelaxationPreset.twilioTargets([{ requirement: team("a") }, { requirement: team("b"), timeoutSeconds: 5 }])
    ).toEqual([{ afterMs: 0, requirement: team("a") }])
  })
})

describe("Genesys Cloud bullseye rings", () => {
  // developer.genesys.cloud forum, topic 21142: GET /api/v2/routing/queues shows a ring with the threshold 90 that removes
  // one skill, and a closing ring.
  it("[ROUTING-56] drop a skill when the interaction leaves the ring", () => {
    const table = RelaxationPreset.genesysRings({
      skills: [{ skill: "premium", atLeast: 3 }, { skill: "english" }],
      rings: [{ timeoutSeconds: 90, skillsToRemove: ["premium"] }]
    })
    const { arrive, comes, at } = busy(table, [
      agent("all", { skills: { premium: 3, english: 1 } }),
      agent("some", { skills: { english: 1 } })
    ])
    arrive("call")
    expect(comes("some", 89)).toEqual([])
    expect(at(90)).toEqual(["relaxed call to 2 of 2", "offer call.1 to some"])
  })

  // community.genesys.com, "Bullseye Ring Number & skills": A is removed after 30 seconds and B after the next 30; agents
  // with A and B belong in ring 1, with B in ring 2, all others in ring 3.
  it("[ROUTING-56] reach the agents of their number and of those before", () => {
    const table = RelaxationPreset.genesysRings({
      skills: [{ skill: "A" }, { skill: "B" }],
      rings: [
        { timeoutSeconds: 30, skillsToRemove: ["A"] },
        { timeoutSeconds: 30, skillsToRemove: ["B"] }
      ],
      ringAttribute: "ring"
    })
    expect(seconds(table)).toEqual([0, 30, 60])
    const inRing = (ring: number, skills: Record<string, number>) => ({
      agentId: "x",
      skills,
      teams: [],
      languages: [],
      attributes: { ring }
    })
    const reached = (ring: number, skills: Record<string, number>) =>
      table.map(({ requirement }) => Requirement.isMet(requirement, inRing(ring, skills)))
    expect(reached(1, { A: 1, B: 1 })).toEqual([true, true, true])
    expect(reached(2, { B: 1 })).toEqual([false, true, true])
    expect(reached(3, {})).toEqual([false, false, true])
    expect(reached(3, { A: 1, B: 1 })).toEqual([false, false, true])
  })
})

describe("Salesforce Omni-Channel additional skills", () => {
  // Summer '20 release notes, "Prioritize Additional Routing Skills": language required; issue type of priority 0, product
  // of 1, location of 2. Location goes first, issue type last, each after the time-out.
  it("[ROUTING-56] are dropped in groups, the highest priority value first, after each time-out", () => {
    const table = RelaxationPreset.salesforceSkills({
      skills: [
        { skill: "english" },
        { skill: "french" },
        { skill: "hardware", priority: 0 },
        { skill: "mouse", priority: 1 },
        { skill: "keyboard", priority: 1 },
        { skill: "canada", priority: 2 }
      ],
      dropAfterSeconds: 30
    })
    const language = [skill("english"), skill("french")]
    expect(table).toEqual([
      {
        afterMs: 0,
        requirement: all(...language, skill("hardware"), skill("mouse"), skill("keyboard"), skill("canada"))
      },
      { afterMs: 30_000, requirement: all(...language, skill("hardware"), skill("mouse"), skill("keyboard")) },
      { afterMs: 60_000, requirement: all(...language, skill("hardware")) },
      { afterMs: 90_000, requirement: all(...language) }
    ])
    const { arrive, comes, at } = busy(table, [
      agent("right", { skills: { english: 5, french: 5, hardware: 5 } }),
      agent("wrong", { skills: { english: 5, hardware: 5 } })
    ])
    arrive("case")
    expect(comes("wrong", 1)).toEqual([])
    expect(comes("right", 2)).toEqual([])
    expect(at(30)).toEqual(["relaxed case to 2 of 4"])
    expect(at(60)).toEqual(["relaxed case to 3 of 4", "offer case.1 to right"])
  })

  it("[ROUTING-56] that are all required stay", () => {
    const table = RelaxationPreset.salesforceSkills({
      skills: [{ skill: "english", atLeast: 7 }],
      dropAfterSeconds: 30
    })
    expect(table).toEqual([{ afterMs: 0, requirement: all(skill("english", 7)) }])
  })
})

describe("Amazon Connect routing criteria", () => {
  // docs.aws.amazon.com/connect/latest/adminguide/set-routing-criteria: a step that offers the contact to one agent for a
  // certain duration, and one that never expires, Language:English >= 4 AND Technology:AWS Kinesis >= 2.
  const proficient = all(skill("english", 4), skill("aws-kinesis", 2))
  const staff = [agent("known"), agent("expert", { skills: { english: 4, "aws-kinesis": 2 } }), agent("other")]

  it("[ROUTING-56] ask one step after the other, up to one that never expires", () => {
    const table = RelaxationPreset.amazonSteps([
      { requirement: agents("known"), expiresAfterSeconds: 45 },
      { requirement: proficient }
    ])
    expect(seconds(table)).toEqual([0, 45])
    const { arrive, comes, at } = busy(table, staff)
    arrive("contact")
    expect(comes("expert", 10)).toEqual([])
    expect(at(45)).toEqual(["relaxed contact to 2 of 2", "offer contact.1 to expert"])
  })

  // API_RoutingCriteriaInput: when all steps are exhausted, the contact is offered to any agent in the queue.
  it("[ROUTING-56] reach any agent of the queue when all have expired", () => {
    const table = RelaxationPreset.amazonSteps(
      [
        { requirement: skill("english", 4), expiresAfterSeconds: 30 },
        { requirement: skill("english", 2), expiresAfterSeconds: 30 }
      ],
      team("queue")
    )
    expect(seconds(table)).toEqual([0, 30, 60])
    const { arrive, comes, at } = busy(table, [
      agent("in", { teams: ["queue"] }),
      agent("out", { skills: { english: 5 } })
    ])
    arrive("contact")
    expect([...comes("in", 1), ...comes("out", 2), ...at(30)]).toEqual(["relaxed contact to 2 of 3"])
    expect(at(60)).toEqual(["relaxed contact to 3 of 3", "offer contact.1 to in"])
  })
})
