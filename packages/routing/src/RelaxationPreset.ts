/**
 * Relaxation tables that behave as those of other systems do, made from the figures their configuration has.
 *
 * Give what they return to a queue's or an item's `relaxation`: their first row is at age 0, so nothing else is needed.
 *
 * @module
 */
import type { Relaxation, Step } from "./Relaxation.ts"
import { all, anyone, attribute, type Requirement, skill } from "./Requirement.ts"

interface Stage {
  readonly requirement: Requirement
  /** Missing: it lasts for ever. */
  readonly forMs?: number
  readonly skipIf?: Step["skipIf"]
}

/** Stages one after the other, up to and with the first that never ends; one of no length is never seen. */
const cascade = (stages: ReadonlyArray<Stage>): Relaxation => {
  const table: Array<Step> = []
  let afterMs = 0
  for (const { requirement, forMs, skipIf } of stages) {
    if (forMs !== 0) table.push({ afterMs, requirement, ...(skipIf !== undefined && { skipIf }) })
    if (forMs === undefined) break
    afterMs += forMs
  }
  return table
}

/**
 * A target of a TaskRouter workflow: who may take the task there, and for how long it stays.
 *
 * **Shape** `requirement` stands for the target's queue and expression together. `skipIfNoneAvailable` is
 * `skip_if: workers.available == 0`.
 *
 * **Units** `timeoutSeconds`: seconds; missing: until it is taken.
 */
export interface Target {
  readonly requirement: Requirement
  readonly timeoutSeconds?: number
  readonly skipIfNoneAvailable?: boolean
}

/**
 * The targets of a Twilio TaskRouter workflow filter, in order.
 *
 * Timeouts add up on the task's age, so a target is left at the sum of the timeouts up to it, however late the task came
 * to it; one that is skipped leaves its time to the next.
 *
 * **Gotchas** after the last target its requirement stays in force, where TaskRouter turns to the default filter: name that
 * as one more target. A target is skipped not only when the task enters it, but also as soon as its last available agent
 * goes, or all of them have turned it down; agents who are `busy` count as available.
 *
 * **Source** twilio.com/docs/taskrouter/task-evaluation, …/worker-presence and …/lifecycle-task-workflows-and-assignment.
 *
 * **Example**
 *
 * ```ts
 * import { strict as assert } from "node:assert"
 * import { RelaxationPreset, Requirement } from "@switchboard/routing"
 *
 * const { agents, team } = Requirement
 * const table = RelaxationPreset.twilioTargets([
 *   { requirement: agents("alice"), timeoutSeconds: 15, skipIfNoneAvailable: true },
 *   { requirement: team("support"), timeoutSeconds: 15 },
 *   { requirement: Requirement.anyone }
 * ])
 * assert.deepEqual(table, [
 *   { afterMs: 0, requirement: agents("alice"), skipIf: "nobodyOnDuty" },
 *   { afterMs: 15_000, requirement: team("support") },
 *   { afterMs: 30_000, requirement: Requirement.anyone }
 * ])
 * ```
 */
export const twilioTargets = (targets: ReadonlyArray<Target>): Relaxation =>
  cascade(
    targets.map(({ requirement, timeoutSeconds, skipIfNoneAvailable }) => ({
      requirement,
      ...(timeoutSeconds !== undefined && { forMs: timeoutSeconds * 1000 }),
      ...(skipIfNoneAvailable && { skipIf: "nobodyOnDuty" as const })
    }))
  )

/** A skill with the level that is asked, 1 unless given. */
export interface SkillWanted {
  readonly skill: string
  readonly atLeast?: number
}

/**
 * A ring of bullseye routing: how long an interaction stays in it, and which skills are dropped when it leaves.
 *
 * **Units** `timeoutSeconds`: seconds.
 */
export interface Ring {
  readonly timeoutSeconds: number
  readonly skillsToRemove?: ReadonlyArray<string>
}

const toSkill = (wanted: SkillWanted): Requirement => skill(wanted.skill, wanted.atLeast)

/**
 * The rings of Genesys Cloud's bullseye routing.
 *
 * The interaction asks for all its skills in ring 1; on leaving a ring the skills listed there are dropped for good, and the
 * last ring, after all those listed, has no end. With `ringAttribute`, the agent's attribute that holds their ring number,
 * ring n also reaches only agents of rings 1 to n, and the last one everybody.
 *
 * **Gotchas** Genesys Cloud allows six rings and 50 skills removed per ring; there is no such limit here. Skills match as with
 * its "all skills matching".
 *
 * **Source** help.mypurecloud.com/articles/specify-routing-settings; the `bullseye.rings` of GET /api/v2/routing/queues.
 *
 * **Example**
 *
 * ```ts
 * import { strict as assert } from "node:assert"
 * import { RelaxationPreset, Requirement } from "@switchboard/routing"
 *
 * const { all, skill } = Requirement
 * const table = RelaxationPreset.genesysRings({
 *   skills: [{ skill: "billing", atLeast: 3 }, { skill: "spanish" }],
 *   rings: [{ timeoutSeconds: 90, skillsToRemove: ["billing"] }]
 * })
 * assert.deepEqual(table, [
 *   { afterMs: 0, requirement: all(skill("billing", 3), skill("spanish")) },
 *   { afterMs: 90_000, requirement: all(skill("spanish")) }
 * ])
 * ```
 */
export const genesysRings = (bullseye: {
  readonly skills: ReadonlyArray<SkillWanted>
  readonly rings: ReadonlyArray<Ring>
  readonly ringAttribute?: string
}): Relaxation => {
  const { skills, rings, ringAttribute } = bullseye
  const removedBy = (ring: number) =>
    new Set(rings.slice(0, ring).flatMap(({ skillsToRemove }) => skillsToRemove ?? []))
  return cascade(
    [...rings, undefined].map((ring, index) => {
      const removed = removedBy(index)
      const reach =
        ringAttribute === undefined || ring === undefined ? [] : [attribute(ringAttribute).atMost(index + 1)]
      const left = skills.filter((wanted) => !removed.has(wanted.skill)).map(toSkill)
      return {
        requirement: all(...reach, ...left),
        ...(ring !== undefined && { forMs: ring.timeoutSeconds * 1000 })
      }
    })
  )
}

/**
 * A skill requirement of Omni-Channel: `priority` makes it an additional skill, dropped sooner the higher it is; without
 * one it is required for ever.
 */
export interface OmniSkill extends SkillWanted {
  readonly priority?: number
}

/**
 * Salesforce Omni-Channel's skills-based routing with additional skills.
 *
 * All skills are asked at first. After each further timeout the additional skills with the highest remaining priority value
 * are dropped together, those of 0 last; required skills stay.
 *
 * **Units** `dropAfterSeconds`: seconds, "Drop Additional Skills Time-Out" of the routing configuration.
 *
 * **Gotchas** Omni-Channel starts anew, with all skills, when an agent declines or goes offline; here an item keeps its age,
 * and with it what was dropped.
 *
 * **Source** Salesforce Summer '20 release notes, "Prioritize Additional Routing Skills"; help.salesforce.com, "Add a Skill
 * Requirement Action".
 *
 * **Example**
 *
 * ```ts
 * import { strict as assert } from "node:assert"
 * import { RelaxationPreset, Requirement } from "@switchboard/routing"
 *
 * const { all, skill } = Requirement
 * const table = RelaxationPreset.salesforceSkills({
 *   skills: [{ skill: "english" }, { skill: "email", priority: 1 }, { skill: "sales", priority: 4 }],
 *   dropAfterSeconds: 20
 * })
 * assert.deepEqual(
 *   table.map(({ afterMs, requirement }) => [afterMs, requirement]),
 *   [
 *     [0, all(skill("english"), skill("email"), skill("sales"))],
 *     [20_000, all(skill("english"), skill("email"))],
 *     [40_000, all(skill("english"))]
 *   ]
 * )
 * ```
 */
export const salesforceSkills = (routing: {
  readonly skills: ReadonlyArray<OmniSkill>
  readonly dropAfterSeconds: number
}): Relaxation => {
  const { skills, dropAfterSeconds } = routing
  const priorities = skills.flatMap(({ priority }) => (priority === undefined ? [] : [priority]))
  const dropped = [...new Set(priorities)].sort((a, b) => b - a)
  // In each stage, skills from this priority value on are gone.
  return cascade(
    [Number.POSITIVE_INFINITY, ...dropped].map((from, index) => ({
      requirement: all(...skills.filter(({ priority }) => priority === undefined || priority < from).map(toSkill)),
      ...(index < dropped.length && { forMs: dropAfterSeconds * 1000 })
    }))
  )
}

/**
 * A step of Amazon Connect's routing criteria.
 *
 * **Units** `expiresAfterSeconds`: seconds the step lasts; missing: it never expires.
 */
export interface CriteriaStep {
  readonly requirement: Requirement
  readonly expiresAfterSeconds?: number
}

/**
 * The steps of Amazon Connect's routing criteria.
 *
 * Each step is asked for its duration, one after the other. When all have expired, any agent of the queue will do; a step
 * that never expires is the last.
 *
 * **Gotchas** Amazon Connect counts from the transfer to the queue, this from the item's arrival. A step replaces the one
 * before: to widen, each must ask less.
 *
 * **Source** docs.aws.amazon.com/connect, API_RoutingCriteriaInput, API_RoutingCriteriaInputStepExpiry and "Set routing
 * criteria".
 *
 * **Example**
 *
 * ```ts
 * import { strict as assert } from "node:assert"
 * import { RelaxationPreset, Requirement } from "@switchboard/routing"
 *
 * const { agents, anyone, skill } = Requirement
 * const table = RelaxationPreset.amazonSteps([
 *   { requirement: agents("ada"), expiresAfterSeconds: 30 },
 *   { requirement: skill("english", 4), expiresAfterSeconds: 60 }
 * ])
 * assert.deepEqual(table, [
 *   { afterMs: 0, requirement: agents("ada") },
 *   { afterMs: 30_000, requirement: skill("english", 4) },
 *   { afterMs: 90_000, requirement: anyone }
 * ])
 * ```
 */
export const amazonSteps = (steps: ReadonlyArray<CriteriaStep>, queue: Requirement = anyone): Relaxation =>
  cascade([
    ...steps.map(({ requirement, expiresAfterSeconds }) => ({
      requirement: queue === anyone ? requirement : all(queue, requirement),
      ...(expiresAfterSeconds !== undefined && { forMs: expiresAfterSeconds * 1000 })
    })),
    { requirement: queue }
  ])
