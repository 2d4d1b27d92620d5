import {
  Capacity,
  type Decision,
  Presence,
  Relaxation,
  Requirement,
  RoutingEngine,
  type RoutingPolicy,
  type Signal,
  type WorkItem
} from "@switchboard/routing"
import * as fc from "fast-check"
import { describe, expect, it, vi } from "vitest"
import { current, isSoak, morning, policies, type Step, steps } from "./arbitraries.ts"
import { asksOf, before, fits, loadOf, mayBeOffered, type State, sumOf } from "./plain.ts"

// Hours of checking, asked for by SWITCHBOARD_SOAK=1.
if (isSoak) vi.setConfig({ testTimeout: 10_800_000 })

/** Fills in the offer or holder a step speaks of, from the engine it is told to. */
const aim = (engine: RoutingEngine.RoutingEngine, { signal, pick }: Step): Signal.Signal => {
  if (signal.type === "offerAccepted" || signal.type === "offerDeclined") {
    const offered = engine.snapshot().items.filter(({ place }) => place.kind === "offered")
    const chosen = offered[pick % Math.max(offered.length, 1)]
    if (chosen?.place.kind !== "offered") return signal
    const agentId = pick % 10 === 0 ? signal.agentId : chosen.place.agentId
    return { ...signal, offerId: `${chosen.item.itemId}.${chosen.offersMade}`, agentId }
  }
  if (signal.type === "itemReleased" && signal.itemId === current) {
    const held = engine.snapshot().items.filter(({ place }) => place.kind === "assigned")
    const chosen = held[pick % Math.max(held.length, 1)]
    if (chosen?.place.kind !== "assigned") return signal
    return { ...signal, itemId: chosen.item.itemId, agentId: chosen.place.agentId }
  }
  return signal
}

interface Told {
  readonly signal: Signal.Signal
  readonly now: number
  readonly decisions: ReadonlyArray<Decision.Decision>
}

const run = (
  policy: RoutingPolicy.RoutingPolicy,
  script: ReadonlyArray<Step>,
  check: (engine: RoutingEngine.RoutingEngine, told: Told) => void = () => {},
  isPunctual = false
): ReadonlyArray<Told> => {
  const engine = RoutingEngine.make(policy)
  let now = 0
  return [...morning, ...script].map((step) => {
    now += step.afterMs
    for (let due = engine.nextDueAt(); isPunctual && due !== undefined && due <= now; due = engine.nextDueAt()) {
      const signal = { type: "tick" } as const
      check(engine, { signal, now: due, decisions: engine.apply(signal, due) })
    }
    const told = { signal: aim(engine, step), now, decisions: [] as ReadonlyArray<Decision.Decision> }
    told.decisions = engine.apply(told.signal, now)
    check(engine, told)
    return told
  })
}

const histories = (
  numRuns: number,
  property: (policy: RoutingPolicy.RoutingPolicy, script: ReadonlyArray<Step>) => void
): void => fc.assert(fc.property(policies, steps, property), { seed: 2026, numRuns: isSoak ? 2 : numRuns })

const stateOf = (policy: RoutingPolicy.RoutingPolicy, engine: RoutingEngine.RoutingEngine, now: number): State => ({
  policy,
  now,
  ...engine.snapshot()
})

describe("any history", () => {
  it("[ROUTING-13] no agent who may be offered an item stands beside it", () => {
    histories(120, (policy, script) => {
      run(policy, script, (engine, { now }) => {
        const state = stateOf(policy, engine, now)
        for (const document of state.items)
          for (const agent of state.agents)
            if (document.place.kind === "waiting" && mayBeOffered(state, agent, document))
              expect.fail(`${JSON.stringify(agent)} stands beside ${JSON.stringify(document)}`)
      })
    })
  })

  it("[ROUTING-9, ROUTING-59] offers an agent the first of what they may be offered", () => {
    histories(120, (policy, script) => {
      const check = (engine: RoutingEngine.RoutingEngine, { signal, now, decisions }: Told): void => {
        const last = decisions.at(-1)
        if (last?.type !== "offerMade" || decisions.filter(({ type }) => type === "offerMade").length > 1) return
        const after = stateOf(policy, engine, now)
        const agent = after.agents.find((each) => each.agent.agentId === last.agentId)!
        // What waited when it was decided: the item that was offered, too.
        const items = after.items.map((document) =>
          document.item.itemId === last.itemId ? { ...document, place: { kind: "waiting" } as const } : document
        )
        const state = { ...after, items }
        const offered = items.find(({ item }) => item.itemId === last.itemId)!
        // What somebody leaves behind is placed piece by piece.
        if (signal.type === "agentRemoved") return
        for (const document of items)
          if (document.place.kind === "waiting" && document !== offered && mayBeOffered(state, agent, document))
            expect(before(state, agent, offered, document), JSON.stringify([last, document, signal, decisions])).toBe(
              true
            )
      }
      run(policy, script, check, true)
    })
  })

  it("[ROUTING-5, ROUTING-7] exceeds no capacity when it gives, except by a permitted pick", () => {
    histories(40, (policy, script) => {
      const engine = RoutingEngine.make(policy)
      let now = 0
      for (const step of [...morning, ...script]) {
        now += step.afterMs
        const held = engine.snapshot()
        const decisions = engine.apply(aim(engine, step), now)
        const over = new Set(
          decisions.flatMap((each) => (each.type === "itemAssigned" && each.overCapacity ? [each.agentId] : []))
        )
        if (policy.overCapacity === "never") expect(over.size).toBe(0)
        const holds = engine.snapshot()
        for (const { agent } of holds.agents) {
          const { agentId, capacity } = agent
          const [old, load] = [loadOf(held, agentId), loadOf(holds, agentId)]
          if (over.has(agentId)) continue
          if (load.units > old.units) expect(load.units).toBeLessThanOrEqual(capacity.units)
          for (const [channelKind, used] of Object.entries(load.perChannelKind))
            if (used > (old.perChannelKind[channelKind] ?? 0))
              expect(used).toBeLessThanOrEqual(Capacity.limitOf(capacity, channelKind))
        }
      }
    })
  })

  it("[ROUTING-5, ROUTING-130, ROUTING-131, ROUTING-132] gives nothing that doesn't fit what was given before, decision by decision", () => {
    histories(40, (policy, script) => {
      const items = new Map<string, WorkItem.WorkItem>()
      const capacities = new Map<string, Capacity.Capacity>()
      const holders = new Map<string, string>()
      const wrapUps = new Map<string, ReadonlyArray<WorkItem.WorkItem>>()
      const holdsOf = (id: string) => [
        ...[...holders].flatMap(([itemId, agentId]) => (agentId === id ? [items.get(itemId)!] : [])),
        ...(wrapUps.get(id) ?? [])
      ]
      const check = (engine: RoutingEngine.RoutingEngine, { signal, decisions }: Told): void => {
        if (signal.type === "itemArrived" && !items.has(signal.item.itemId)) items.set(signal.item.itemId, signal.item)
        if (signal.type === "agentUpdated") capacities.set(signal.agent.agentId, signal.agent.capacity)
        if (signal.type === "agentRemoved") wrapUps.delete(signal.agentId)
        for (const each of decisions) {
          if (each.type === "offerMade" || each.type === "itemAssigned") {
            const item = items.get(each.itemId)!
            const isOver = each.type === "itemAssigned" && each.overCapacity === true
            if (isOver) expect(policy.overCapacity).toBe("onPick")
            const isAtHand = holders.get(each.itemId) === each.agentId
            holders.delete(each.itemId)
            if (!isOver && !isAtHand)
              expect(
                fits(capacities.get(each.agentId)!, sumOf(holdsOf(each.agentId)), item),
                JSON.stringify(each)
              ).toBe(true)
            holders.set(each.itemId, each.agentId)
          } else if (each.type === "itemLeft") {
            const item = items.get(each.itemId)!
            holders.delete(each.itemId)
            items.delete(each.itemId)
            const wrapUpMs = each.fromAgentId === undefined ? 0 : (policy.wrapUpMs?.[item.channelKind] ?? 0)
            expect(each.wrapUpUntilMs !== undefined).toBe(wrapUpMs > 0)
            if (wrapUpMs > 0) wrapUps.set(each.fromAgentId!, [...(wrapUps.get(each.fromAgentId!) ?? []), item])
          } else if (each.type === "wrapUpEnded") {
            const left = [...wrapUps.get(each.agentId)!]
            const at = left.findIndex(({ itemId }) => itemId === each.itemId)
            expect(at).toBeGreaterThanOrEqual(0)
            left.splice(at, 1)
            wrapUps.set(each.agentId, left)
          } else if ("itemId" in each && each.type !== "itemRelaxed") holders.delete(each.itemId)
        }
        for (const { agent, wrapUps: ended = [] } of engine.snapshot().agents)
          expect(ended.map(({ itemId }) => itemId).sort()).toEqual(
            (wrapUps.get(agent.agentId) ?? []).map(({ itemId }) => itemId).sort()
          )
      }
      run(policy, script, check, true)
    })
  })

  it("[ROUTING-14] makes an item's decisions follow one another, with one offer or holder at a time", () => {
    histories(40, (policy, script) => {
      const places = new Map<string, string>()
      run(policy, script, (engine, { decisions }) => {
        for (const decision of decisions) {
          if (decision.type === "requestAnswered" || decision.type === "presenceSet") continue
          if (decision.type === "wrapUpEnded") continue
          if (decision.type === "itemRelaxed") {
            expect(places.get(decision.itemId)).toBe("waiting")
            continue
          }
          const { itemId } = decision
          const place = places.get(itemId)
          const offer = "offerId" in decision ? `offer ${decision.offerId} ${decision.agentId}` : ""
          switch (decision.type) {
            case "itemQueued":
              expect(place).toBe(
                decision.cause === "arrived"
                  ? undefined
                  : decision.fromAgentId === undefined
                    ? "waiting"
                    : `assigned ${decision.fromAgentId}`
              )
              places.set(itemId, "waiting")
              break
            case "offerMade":
              expect(place).toBe("waiting")
              places.set(itemId, offer)
              break
            case "offerDeclined":
            case "offerExpired":
            case "offerWithdrawn":
              expect(place).toBe(offer)
              places.set(itemId, "waiting")
              break
            case "itemAssigned":
              expect(place).toBe(
                decision.offerId !== undefined
                  ? offer
                  : decision.fromAgentId === undefined
                    ? "waiting"
                    : `assigned ${decision.fromAgentId}`
              )
              places.set(itemId, `assigned ${decision.agentId}`)
              break
            case "itemLeft":
              expect(place).toBe(decision.fromAgentId === undefined ? "waiting" : `assigned ${decision.fromAgentId}`)
              places.delete(itemId)
          }
        }
        const documents = engine
          .snapshot()
          .items.map(({ item, place, offersMade }): [string, string] => [
            item.itemId,
            place.kind === "waiting"
              ? "waiting"
              : place.kind === "assigned"
                ? `assigned ${place.agentId}`
                : `offer ${item.itemId}.${offersMade} ${place.agentId}`
          ])
        expect(new Map(documents)).toEqual(places)
      })
    })
  })

  it("[ROUTING-50] holds every waiting item at the step of its age, or past it where rows were skipped", () => {
    histories(60, (policy, script) => {
      run(policy, script, (engine, { now }) => {
        for (const document of engine.snapshot().items) {
          const { item, place, step = 0 } = document
          if (place.kind !== "waiting") continue
          const { table } = asksOf(policy, document)
          const byAge = Relaxation.stepAt(table, now - item.arrivedAtMs)
          expect(step).toBeGreaterThanOrEqual(byAge)
          const isKept = step < table.length && table[step - 1]?.skipIf !== undefined
          if (step > byAge) expect(table[Math.max(0, step - 2)]!.skipIf).toBe("nobodyOnDuty")
          if (!isKept || document.exclusions.length > 0) continue
          const { agents } = engine.snapshot()
          const requirement = asksOf(policy, document).at(step)
          const isSomebodyOnDuty = agents.some(
            ({ agent, presence }) =>
              (presence.status === "available" || presence.status === "busy") &&
              Presence.isOn(presence, item.channelKind) &&
              Requirement.isMet(requirement, agent)
          )
          expect(isSomebodyOnDuty).toBe(true)
        }
      })
    })
  })

  it("[ROUTING-51] offers nothing to who doesn't meet the step of the moment", () => {
    histories(60, (policy, script) => {
      run(policy, script, (engine, { signal, now, decisions }) => {
        for (const decision of decisions) {
          if (decision.type !== "offerMade") continue
          // An offer that came due before this change was made to what the item asked before.
          if (signal.type === "itemChanged" && signal.itemId === decision.itemId) continue
          const document = engine.itemDocument(decision.itemId)
          const agent = engine.agentDocument(decision.agentId)?.agent
          if (document?.place.kind !== "offered") continue
          if (decision.offerId !== `${decision.itemId}.${document.offersMade}`) continue
          const { table, at } = asksOf(policy, document)
          const step = decision.step ?? 0
          expect(step).toBe(document.step ?? 0)
          expect(step).toBeGreaterThanOrEqual(Relaxation.stepAt(table, now - document.item.arrivedAtMs))
          expect(Requirement.isMet(at(step), agent!)).toBe(true)
        }
      })
    })
  })

  it("[ROUTING-52] serves what waits in the order of its policy, whatever steps its items are at", () => {
    histories(40, (policy, script) => {
      if (policy.order[0]?.by !== "age") return
      run(policy, script, (engine) => {
        const ages = engine.waiting(1000).map(({ arrivedAtMs }) => arrivedAtMs)
        expect(ages).toEqual([...ages].sort((a, b) => a - b))
      })
    })
  })

  it("[ROUTING-39] is repeated by its signals, and goes on the same from its documents", () => {
    histories(25, (policy, script) => {
      const told = run(policy, script)
      const cut = Math.floor(told.length / 2)
      const repeated = RoutingEngine.make(policy)
      let restored = RoutingEngine.make(policy)
      told.forEach(({ signal, now, decisions }, index) => {
        expect(repeated.apply(signal, now)).toEqual(decisions)
        if (index % 3 === 0 || index === cut)
          restored = RoutingEngine.restore(policy, JSON.parse(JSON.stringify(restored.snapshot())))
        expect(restored.apply(signal, now)).toEqual(decisions)
        expect(restored.snapshot()).toEqual(repeated.snapshot())
        expect(restored.nextDueAt()).toBe(repeated.nextDueAt())
      })
    })
  })

  it("[ROUTING-41] reports every document that changed", () => {
    histories(40, (policy, script) => {
      let before = new Map<string, string>()
      run(policy, script, (engine) => {
        const { items, agents } = engine.snapshot()
        const after = new Map([
          ...items.map((document): [string, string] => [`item ${document.item.itemId}`, JSON.stringify(document)]),
          ...agents.map((document): [string, string] => [`agent ${document.agent.agentId}`, JSON.stringify(document)])
        ])
        const changed = engine.takeChanged()
        const reported = new Set([
          ...changed.items.map((id) => `item ${id}`),
          ...changed.agents.map((id) => `agent ${id}`)
        ])
        const differing = [...new Set([...before.keys(), ...after.keys()])].filter(
          (key) => before.get(key) !== after.get(key)
        )
        expect(differing.filter((key) => !reported.has(key))).toEqual([])
        expect(engine.takeChanged()).toEqual({ items: [], agents: [] })
        before = after
      })
    })
  })

  it("[ROUTING-40] a tick before the next due instant decides nothing", () => {
    histories(50, (policy, script) => {
      run(policy, script, (engine, { now }) => {
        const due = engine.nextDueAt()
        const before = engine.snapshot()
        expect(engine.apply({ type: "tick" }, due === undefined ? now + 1_000_000 : Math.max(now, due - 1))).toEqual([])
        expect(engine.snapshot()).toEqual(before)
      })
    })
  })

  it("[ROUTING-23] keeps an item's age", () => {
    histories(50, (policy, script) => {
      const arrivals = new Map<string, number>()
      run(policy, script, (engine, { signal, decisions }) => {
        for (const each of decisions) {
          if (each.type === "itemLeft") arrivals.delete(each.itemId)
          if (each.type === "itemQueued" && each.cause === "arrived" && signal.type === "itemArrived")
            arrivals.set(each.itemId, signal.item.arrivedAtMs)
        }
        for (const { item } of engine.snapshot().items) expect(item.arrivedAtMs).toBe(arrivals.get(item.itemId))
      })
    })
  })

  it("[ROUTING-67] ends every item, once there is somebody who may take it and ends what they have", () => {
    histories(60, (policy, script) => {
      const engine = RoutingEngine.make(policy)
      let now = 0
      for (const step of [...morning, ...script]) {
        now += step.afterMs
        engine.apply(aim(engine, step), now)
      }
      for (const { agent } of engine.snapshot().agents)
        engine.apply({ type: "agentUpdated", agent: { ...agent, capacity: Capacity.make(1000) } }, now)
      for (let round = 0; round < 200 && engine.snapshot().items.length > 0; round++) {
        now = Math.max(now, engine.nextDueAt() ?? now)
        engine.apply({ type: "tick" }, now)
        for (const { agent } of engine.snapshot().agents)
          engine.apply({ type: "presenceChanged", agentId: agent.agentId, status: "available" }, now)
        for (const { item, place, offersMade } of engine.snapshot().items) {
          if (place.kind === "waiting") continue
          const { itemId } = item
          const { agentId } = place
          const offerId = `${itemId}.${offersMade}`
          if (place.kind === "offered") engine.apply({ type: "offerAccepted", requestId: "r", offerId, agentId }, now)
          engine.apply({ type: "itemReleased", itemId, agentId, next: "leave" }, now)
        }
      }
      // Nobody ever may: they don't meet it, or are kept free for queues with too few agents to spare one.
      for (const { item } of engine.snapshot().items)
        for (const { obstacles } of engine.explain(item.itemId, now)!.agents)
          expect(
            obstacles.some(({ kind }) => kind === "requirement" || kind === "keptFree"),
            JSON.stringify([item, obstacles])
          ).toBe(true)
    })
  })

  it("[ROUTING-43] is explained: no obstacle for an agent exactly when they have or could be given the item", () => {
    histories(25, (policy, script) => {
      run(policy, script, (engine, { now }) => {
        for (const { item, place } of engine.snapshot().items) {
          const explanation = engine.explain(item.itemId, now)!
          if (place.kind !== "waiting") continue
          expect(explanation.waitsFor).toBeDefined()
          for (const { obstacles } of explanation.agents) expect(obstacles.length).toBeGreaterThan(0)
        }
        for (const { agent } of engine.snapshot().agents) {
          const next = engine.explainAgent(agent.agentId, now)!.next
          if (next !== undefined) expect(next.obstacles.length).toBeGreaterThan(0)
        }
      })
    })
  })

  it("[ROUTING-9] lists what waits in the order it is served", () => {
    histories(40, (policy, script) => {
      run(policy, script, (engine, { now }) => {
        const all = engine.waiting(1000)
        expect(all.map(({ itemId }) => engine.explain(itemId, now)!.ahead)).toEqual(all.map((_, index) => index))
        expect(engine.waiting(2)).toEqual(all.slice(0, 2))
        const depths = engine.queueDepths().reduce((sum, { waiting }) => sum + waiting, 0)
        expect(depths).toBe(all.length)
      })
    })
  })
})
