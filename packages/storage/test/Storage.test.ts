import { strict as assert } from "node:assert"
import { type Limits, MemoryStorage, Storage, StorageFaults } from "@switchboard/storage"
import type { Commit, NewEvent, StorageDriver } from "@switchboard/storage/StorageDriver"
import fc from "fast-check"
import { expect, test } from "vitest"

const counters = { name: "counters", version: 1, fields: { count: "number" }, indexes: [["count"]] } as const

const event = (body: NewEvent["body"] = {}): NewEvent => ({ type: "Increased", schema: 1, recordedAtMs: 0, body })

const append = (stream: string, expectedVersion: number, count = 1) => ({
  stream,
  expectedVersion,
  events: Array.from({ length: count }, () => event())
})

/** A memory driver that keeps the groups it was given. */
const recording = (driver: StorageDriver = MemoryStorage.make()) => {
  const groups: Array<ReadonlyArray<Commit>> = []
  const calls: Array<string> = []
  const watched: StorageDriver = {
    ...driver,
    commit: (group, nowMs) => {
      groups.push(group)
      return driver.commit(group, nowMs)
    },
    documents: (...parameters) => {
      calls.push("documents")
      return driver.documents(...parameters)
    },
    streamVersions: (...parameters) => {
      calls.push("streamVersions")
      return driver.streamVersions(...parameters)
    },
    journal: (...parameters) => {
      calls.push("journal")
      return driver.journal(...parameters)
    }
  }
  return { driver: watched, groups, calls }
}

const open = (driver: StorageDriver, options: Partial<Storage.Options> = {}) =>
  Storage.open(driver, { views: [counters], now: () => 0, ...options })

const increase = (workspace: Storage.Workspace, key: string, lane = key) =>
  workspace.turn(lane, async (reads) => {
    const version = (await reads.document("counters", key))?.version ?? 0
    return {
      value: version + 1,
      commit: {
        appends: [append(key, version)],
        views: [{ view: "counters", key, put: { count: version + 1 }, version: version + 1 }]
      }
    }
  })

test("[STORAGE-30] a turn takes what is waiting, up to the largest group, in the order of arrival", async () => {
  const { driver, groups } = recording()
  const storage = await open(driver, { maxGroup: 4 })
  const workspace = storage.workspace("w")
  const streams = Array.from({ length: 10 }, (_, index) => `s${index}`)
  const positions = await Promise.all(streams.map((stream) => workspace.commit({ appends: [append(stream, 0)] })))
  assert.deepEqual(
    groups.map((group) => group.length),
    [4, 4, 2]
  )
  assert.deepEqual(
    positions.flat(),
    streams.map((_, index) => index + 1)
  )
})

test("[STORAGE-30] the largest group is what suits the driver, unless told otherwise", async () => {
  const { driver, groups } = recording()
  const workspace = (await open({ ...driver, groupSize: 3 })).workspace("w")
  await Promise.all(Array.from({ length: 7 }, (_, index) => workspace.commit({ appends: [append(`s${index}`, 0)] })))
  assert.deepEqual(
    groups.map((group) => group.length),
    [3, 3, 1]
  )
})

test("[STORAGE-31] commits that touch one key never share a group, and the first comes first", async () => {
  const { driver, groups } = recording()
  const workspace = (await open(driver)).workspace("w")
  const touching: ReadonlyArray<(round: number) => Storage.WorkspaceCommit> = [
    (round) => ({ appends: [append("s", round)] }),
    () => ({ views: [{ view: "counters", key: "k", put: {} }] }),
    () => ({ timers: [{ set: { kind: "job", key: "t", dueAtMs: 0, payload: {} } }] }),
    (round) => ({ cursor: { reader: "r", from: round, to: round + 1 } })
  ]
  await Promise.all(touching.flatMap((make) => [0, 1].map((round) => workspace.commit(make(round)))))
  assert.deepEqual(
    groups.map((group) => group.length),
    [4, 4]
  )
  const guard = { appends: [{ stream: "s", expectedVersion: 2, events: [] }] }
  const claims = { claims: [{ key: "c", value: "x" }] }
  groups.length = 0
  const results = await Promise.allSettled([
    workspace.commit(guard),
    workspace.commit({ appends: [append("s", 2)] }),
    workspace.commit(claims),
    workspace.commit(claims)
  ])
  assert.deepEqual(
    results.map(({ status }) => status),
    ["fulfilled", "fulfilled", "fulfilled", "rejected"]
  )
  assert.deepEqual(
    groups.map((group) => group.length),
    [2, 2]
  )
})

test("[STORAGE-31] the same key in two workspaces may share a group", async () => {
  const { driver, groups } = recording()
  const storage = await open(driver)
  await Promise.all(["v", "w"].map((id) => storage.workspace(id).commit({ appends: [append("s", 0)] })))
  assert.equal(groups.length, 1)
})

test("[STORAGE-32] decisions of one lane follow one another, in order, each on what the one before committed", async () => {
  const { driver, groups } = recording()
  const workspace = (await open(driver)).workspace("w")
  const values = await Promise.all(Array.from({ length: 20 }, () => increase(workspace, "a")))
  assert.deepEqual(
    values,
    values.map((_, index) => index + 1)
  )
  assert.ok(groups.every((group) => group.length === 1))
})

test("[STORAGE-32] a busy lane does not hold up others", async () => {
  const { driver, groups } = recording()
  const workspace = (await open(driver)).workspace("w")
  const finished: Array<string> = []
  const run = (key: string) => increase(workspace, key).then(() => finished.push(key))
  await Promise.all([...Array.from({ length: 5 }, () => run("busy")), run("a"), run("b")])
  assert.deepEqual(finished.slice(0, 3), ["busy", "a", "b"])
  assert.equal(groups.length, 5)
})

test("[STORAGE-33] decisions that overlap are decided again on what was committed meanwhile", async () => {
  const { driver } = recording()
  const workspace = (await open(driver)).workspace("w")
  const values = await Promise.all(Array.from({ length: 8 }, (_, lane) => increase(workspace, "same", `lane ${lane}`)))
  assert.deepEqual(
    values,
    values.map((_, index) => index + 1)
  )
})

test("[STORAGE-33] after a conflict it is decided again on fresh reads, also of what it only reads", async () => {
  const memory = MemoryStorage.make()
  const workspace = (await open({ ...memory, capabilities: { ...memory.capabilities, multiProcess: true } })).workspace(
    "w"
  )
  await increase(workspace, "guarded")
  const elsewhere = (expected: number): Commit => ({
    workspace: "w",
    appends: [append("guarded", expected)],
    views: [{ view: "counters", key: "guarded", put: { count: expected + 1 }, version: expected + 1 }]
  })
  assert.equal((await memory.commit([elsewhere(1)], 0))[0]?.ok, true)
  const seen: Array<number> = []
  await workspace.turn("lane", async (reads) => {
    const version = (await reads.document("counters", "guarded"))?.version ?? 0
    seen.push(version)
    const guard = { stream: "guarded", expectedVersion: version, events: [] }
    return { value: undefined, commit: { appends: [guard, append("other", 0)] } }
  })
  assert.deepEqual(seen, [1, 2])
})

test("[STORAGE-33] a claim that another process released is forgotten once a fresh read misses it", async () => {
  const memory = MemoryStorage.make()
  const driver = { ...memory, capabilities: { ...memory.capabilities, multiProcess: true } }
  const workspace = (await open(driver)).workspace("w")
  await workspace.commit({ claims: [{ key: "owner", value: "jo" }], appends: [append("guarded", 0)] })
  const [held] = await workspace.cached.claims(["owner"])
  const elsewhere: Commit = {
    workspace: "w",
    appends: [append("guarded", 1)],
    claims: [{ key: "owner", release: true, revision: held!.revision }]
  }
  assert.equal((await memory.commit([elsewhere], 0))[0]?.ok, true)
  const seen: Array<string | undefined> = []
  await workspace.turn("lane", async (reads) => {
    seen.push((await reads.claims(["owner"]))[0]?.value)
    const expectedVersion = await reads.streamVersion("guarded")
    return { value: undefined, commit: { appends: [{ stream: "guarded", expectedVersion, events: [] }] } }
  })
  assert.deepEqual(seen, ["jo", undefined])
  assert.deepEqual(await workspace.cached.claims(["owner"]), [undefined])
})

test("[STORAGE-33] a decision that conflicts every time ends in a ConflictError", async () => {
  const workspace = (await open(MemoryStorage.make())).workspace("w")
  let tries = 0
  const stubborn = workspace.turn("lane", async () => {
    tries++
    return { value: 1, commit: { appends: [append("s", 7)] } }
  })
  await assert.rejects(stubborn, {
    _tag: "ConflictError",
    code: "storage-conflict",
    conflict: { kind: "stream", key: "s", expected: 7, found: 0 }
  })
  assert.equal(tries, 10)
})

test("[STORAGE-34] a decision that throws fails only its own caller, and its lane goes on", async () => {
  const workspace = (await open(MemoryStorage.make())).workspace("w")
  const results = await Promise.allSettled([
    increase(workspace, "a"),
    workspace.turn("a", async () => Promise.reject(new Error("no"))),
    workspace.turn("b", () => {
      throw new Error("at once")
    }),
    increase(workspace, "a"),
    workspace.turn("c", async () => ({ value: "nothing to commit" }))
  ])
  assert.deepEqual(
    results.map((result) => (result.status === "fulfilled" ? result.value : result.reason.message)),
    [1, "no", "at once", 2, "nothing to commit"]
  )
})

test("[STORAGE-35] over the largest number waiting callers are refused at once, and later served again", async () => {
  const workspace = (await open(MemoryStorage.make(), { maxWaiting: 3 })).workspace("w")
  const results = await Promise.allSettled([
    ...["a", "b"].map((key) => workspace.commit({ appends: [append(key, 0)] })),
    increase(workspace, "c"),
    increase(workspace, "c"),
    workspace.commit({ appends: [append("d", 0)] })
  ])
  assert.deepEqual(
    results.map((result) => (result.status === "fulfilled" ? "ok" : result.reason.code)),
    ["ok", "ok", "ok", "storage-busy", "storage-busy"]
  )
  const refused = results[4]
  assert.equal(refused?.status === "rejected" && refused.reason.retryable, true)
  assert.deepEqual(await workspace.commit({ appends: [append("d", 0)] }), [4])
})

const limits = {
  keyBytes: 20,
  eventBytes: 100,
  documentBytes: 200,
  payloadBytes: 50,
  eventsPerCommit: 3,
  changesPerCommit: 4,
  depth: 5
}
const timer = (payload: NewEvent["body"]) => ({ set: { kind: "job", key: "t", dueAtMs: 0, payload } })
const overLimit: ReadonlyArray<readonly [Storage.WorkspaceCommit, string, keyof Limits.Limits, number]> = [
  [{ appends: [append("é".repeat(11), 0)] }, "appends[0].stream", "keyBytes", 22],
  [
    { appends: [{ ...append("s", 0), events: [event(), event({ a: "é".repeat(60) })] }] },
    "appends[0].events[1].body",
    "eventBytes",
    128
  ],
  [{ appends: [append("a", 0, 2), append("b", 0, 2)] }, "appends", "eventsPerCommit", 4],
  [
    { views: [{ view: "counters", key: "k", put: { text: "\u0000".repeat(50) } }] },
    "views[0].put",
    "documentBytes",
    311
  ],
  [{ timers: [timer({ a: "x".repeat(60) })] }, "timers[0].set.payload", "payloadBytes", 68],
  [{ claims: [{ key: "c", value: "x".repeat(51) }] }, "claims[0].value", "keyBytes", 51],
  [
    { appends: ["a", "b", "c"].map((key) => append(key, 0)), claims: ["a", "b"].map((key) => ({ key, value: "" })) },
    "commit",
    "changesPerCommit",
    5
  ]
]
for (const [commit, field, limit, found] of overLimit)
  test(`[STORAGE-36] ${field} over ${limit} is refused and nothing is written`, async () => {
    const { driver, groups } = recording()
    const workspace = (await open(driver, { limits })).workspace("w")
    const expected = { _tag: "StorageLimitError", code: "storage-limit", field, limit, found }
    await assert.rejects(workspace.commit(commit), expected)
    await assert.rejects(
      workspace.turn("lane", async () => ({ commit, value: 1 })),
      expected
    )
    assert.equal(groups.length, 0)
  })

test("[STORAGE-36] a claim's value has its own limit, also where that is below the one of keys", async () => {
  const { driver, groups } = recording()
  const workspace = (await open(driver, { limits: { payloadBytes: 10 } })).workspace("w")
  await assert.rejects(workspace.commit({ claims: [{ key: "c", value: "x".repeat(11) }] }), {
    code: "storage-limit",
    field: "claims[0].value",
    allowed: 10
  })
  assert.equal(groups.length, 0)
})

const nested = JSON.parse(`${'{"a":'.repeat(6)}1${"}".repeat(6)}`) as NewEvent["body"]
const invalid: ReadonlyArray<readonly [Storage.WorkspaceCommit, string]> = [
  [{ appends: [append("", 0)] }, "appends[0].stream"],
  [{ appends: [append("a\0b", 0)] }, "appends[0].stream"],
  [{ appends: [append("\ud800", 0)] }, "appends[0].stream"],
  [{ appends: [append("a", -1)] }, "appends[0].expectedVersion"],
  [
    { appends: [{ ...append("a", 0), events: [event({ at: { it: new Date(0) } })] }] },
    "appends[0].events[0].body.at.it"
  ],
  [
    { appends: [{ ...append("a", 0), events: [event({ list: [1, Number.NaN] })] }] },
    "appends[0].events[0].body.list[1]"
  ],
  [{ appends: [{ ...append("a", 0), events: [event({ big: 1n })] }] }, "appends[0].events[0].body.big"],
  [{ views: [{ view: "counters", key: "k", put: nested }] }, "views[0].put.a.a.a.a.a"],
  [{ views: [{ view: "none", key: "k", put: {} }] }, "views[0].view"],
  [{ views: [{ view: "counters", key: "k", put: { count: "1" } }] }, "views[0].put.count"],
  [{ timers: [{ clear: "" }] }, "timers[0].clear"],
  [{ claims: [{ key: "c", value: "a\0b" }] }, "claims[0].value"],
  [{ cursor: { reader: "r", from: 0.5, to: 1 } }, "cursor.from"],
  [{ appends: [append("a", 0), append("a", 1)] }, "commit"]
]
for (const [commit, field] of invalid)
  test(`[STORAGE-36] what can't be kept is refused with its path: ${field} of ${JSON.stringify(commit, (_, value) => (typeof value === "bigint" ? "bigint" : value)).slice(0, 60)}`, async () => {
    const { driver, groups } = recording()
    const workspace = (await open(driver, { limits })).workspace("w")
    await assert.rejects(workspace.commit(commit), { _tag: "StorageInvalidError", code: "storage-invalid", field })
    assert.equal(groups.length, 0)
  })

test("[STORAGE-37] when the driver fails all of the group is told that the outcome is unknown, and caches forget it", async () => {
  const memory = MemoryStorage.make()
  let failing = false
  const driver: StorageDriver = {
    ...memory,
    commit: async (group, nowMs) => {
      const outcomes = await memory.commit(group, nowMs)
      if (failing) throw new Error("connection lost")
      return outcomes
    }
  }
  const workspace = (await open(driver)).workspace("w")
  await increase(workspace, "a")
  failing = true
  const results = await Promise.allSettled([increase(workspace, "a"), workspace.commit({ appends: [append("b", 0)] })])
  for (const result of results) {
    assert.equal(result.status, "rejected")
    assert.equal(result.reason.code, "storage-unavailable")
    assert.equal(result.reason.outcome, "unknown")
    assert.match(result.reason.message, /connection lost/)
  }
  failing = false
  assert.equal(await increase(workspace, "a"), 3)
  assert.deepEqual(
    (await workspace.journal(0, 9)).map(({ position }) => position),
    [1, 2, 3, 4]
  )
})

test("[STORAGE-38] what is cached is not read again, and what is read equals what the driver holds", async () => {
  const { driver, calls } = recording()
  const workspace = (await open(driver)).workspace("w")
  await increase(workspace, "a")
  calls.length = 0
  await increase(workspace, "a")
  assert.equal((await workspace.document("counters", "a"))?.version, 2)
  assert.deepEqual(await workspace.streamVersions(["a"]), [2])
  assert.deepEqual(calls, [])
  assert.deepEqual(
    await workspace.documents("counters", ["none", "a"]),
    await driver.documents("w", "counters", ["none", "a"])
  )
  await workspace.commit({ views: [{ view: "counters", key: "a", delete: true }] })
  assert.equal(await workspace.document("counters", "a"), undefined)
})

test("[STORAGE-38] where several processes write, plain reads ask the driver", async () => {
  const memory = MemoryStorage.make()
  const workspace = (await open({ ...memory, capabilities: { ...memory.capabilities, multiProcess: true } })).workspace(
    "w"
  )
  await increase(workspace, "a")
  await memory.commit(
    [{ workspace: "w", appends: [append("a", 1)], views: [{ view: "counters", key: "a", put: {}, version: 2 }] }],
    0
  )
  assert.equal((await workspace.document("counters", "a"))?.version, 2)
  assert.deepEqual([await workspace.streamVersion("a"), await workspace.head()], [2, 2])
  assert.equal((await workspace.journal(0, 9)).length, 1)
  assert.equal((await workspace.journal(1, 9)).length, 1)
})

test("[STORAGE-38] a read that crosses a commit does not leave the older document in the cache", async () => {
  const memory = MemoryStorage.make()
  let release: (() => void) | undefined
  const driver: StorageDriver = {
    ...memory,
    documents: async (...parameters) => {
      const found = await memory.documents(...parameters)
      if (release === undefined)
        await new Promise<void>((resolve) => {
          release = resolve
        })
      return found
    }
  }
  const workspace = (await open(driver)).workspace("w")
  await workspace.epoch()
  const crossing = workspace.document("counters", "a")
  await workspace.commit({ views: [{ view: "counters", key: "a", put: { count: 1 } }] })
  release?.()
  assert.equal(await crossing, undefined)
  assert.deepEqual((await workspace.document("counters", "a"))?.document, { count: 1 })
})

test("[STORAGE-38] caches stay bounded and right, whatever is read and written", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.tuple(fc.nat(5), fc.nat(2)), { maxLength: 60 }), async (steps) => {
      const memory = MemoryStorage.make()
      const workspace = (await open(memory, { cachedDocuments: 2, cachedEvents: 3 })).workspace("w")
      for (const [name, kind] of steps) {
        const key = `k${name}`
        if (kind === 0) await increase(workspace, key)
        assert.deepEqual(
          await workspace.documents("counters", [key, "k0"]),
          await memory.documents("w", "counters", [key, "k0"])
        )
        assert.deepEqual(await workspace.streamVersions([key]), await memory.streamVersions("w", [key]))
        assert.deepEqual(await workspace.journal(name, 2), await memory.journal("w", name, 2))
        assert.equal(await workspace.head(), await memory.head("w"))
      }
    }),
    { seed: 5, numRuns: 60 }
  )
})

test("[STORAGE-38] what is forgotten and read again makes no other leave the cache", async () => {
  const memory = MemoryStorage.make()
  const asked: Array<string> = []
  const driver: StorageDriver = {
    ...memory,
    claims: (workspace, keys, nowMs) => {
      asked.push(...keys)
      return memory.claims(workspace, keys, nowMs)
    }
  }
  const workspace = (await open(driver, { cachedDocuments: 4 })).workspace("w")
  await workspace.commit({ claims: ["a", "b", "lease"].map((key) => ({ key, value: "1" })) })
  await workspace.claims(["a", "b"])
  for (let round = 0; round < 20; round++) {
    const [lease] = await workspace.claims(["lease"])
    await workspace.commit({ claims: [{ key: "lease", value: "1", revision: lease!.revision }] })
  }
  asked.length = 0
  await workspace.claims(["a", "b"])
  assert.deepEqual(asked, [])
})

test("[STORAGE-38] claims are right from memory after they were renewed, released, taken again, or have expired", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(fc.nat(2), fc.nat(4)), { maxLength: 40 }),
      fc.nat(3),
      async (steps, capacity) => {
        const memory = MemoryStorage.make()
        let nowMs = 0
        const options = { now: () => nowMs, cachedDocuments: capacity }
        const workspace = (await open(memory, options)).workspace("w")
        for (const [name, kind] of steps) {
          const key = `k${name}`
          const [stands] = await workspace.claims([key])
          const revision = stands && { revision: stands.revision }
          if (kind === 0) nowMs += 2
          if (kind === 1) await workspace.commit({ claims: [{ key, value: "v", expiresAtMs: nowMs + 3, ...revision }] })
          if (kind === 2) await workspace.commit({ claims: [{ key, value: `at ${nowMs}`, subject: "s", ...revision }] })
          if (kind === 3 && revision) await workspace.commit({ claims: [{ key, release: true, ...revision }] })
          if (kind === 4) await workspace.erase("s")
          const keys = ["k0", "k1", "k2"]
          assert.deepEqual(await workspace.claims(keys), await memory.claims("w", keys, nowMs))
        }
      }
    ),
    { seed: 7, numRuns: 60 }
  )
})

test("[STORAGE-39] readers near the head read from memory just what the driver holds", async () => {
  const { driver, calls } = recording()
  const workspace = (await open(driver)).workspace("w")
  const late = { ...event({ n: 1 }), recordedAtMs: 100, personal: { subject: "p", fields: { text: "x" } } }
  await workspace.commit({ appends: [{ stream: "a", expectedVersion: 0, events: [late] }] })
  await workspace.commit({ appends: [append("b", 0, 2), { stream: "a", expectedVersion: 1, events: [event()] }] })
  const kept = [await workspace.journal(0, 9), await workspace.journal(1, 2), await workspace.journal(4, 9)]
  assert.deepEqual(calls, [])
  assert.deepEqual(kept, [await driver.journal("w", 0, 9), await driver.journal("w", 1, 2), []])
  assert.equal(kept[0]?.at(-1)?.recordedAtMs, 100)
})

test("[STORAGE-40] listeners hear which workspaces grew and whether timers changed, after they can read it", async () => {
  const storage = await open(MemoryStorage.make())
  const heard: Array<readonly [ReadonlyArray<string>, boolean]> = []
  const stop = storage.changes((workspaces, timers) => heard.push([workspaces, timers]))
  const workspace = storage.workspace("w")
  await Promise.all([
    workspace.commit({ appends: [append("a", 0)] }),
    storage.workspace("v").commit({ appends: [append("a", 0)] })
  ])
  await workspace.commit({ timers: [timer({})] })
  await workspace.commit({ claims: [{ key: "c", value: "" }] })
  assert.deepEqual(heard, [
    [["w", "v"], false],
    [[], true]
  ])
  stop()
  await workspace.commit({ appends: [append("a", 1)] })
  assert.equal(heard.length, 2)
})

test("[STORAGE-41] an erasure waits for the turn under way and leaves nothing in the caches", async () => {
  const memory = MemoryStorage.make()
  const storage = await open(memory)
  const workspace = storage.workspace("w")
  const personal = { ...event(), personal: { subject: "p", fields: { name: "Ada" } } }
  await workspace.commit({
    appends: [{ stream: "a", expectedVersion: 0, events: [personal] }],
    views: [{ view: "counters", key: "p", put: { name: "Ada" }, subject: "p" }]
  })
  const order: Array<string> = []
  let begun = () => {}
  const turn = new Promise<void>((resolve) => {
    begun = resolve
  })
  const deciding = workspace
    .turn("lane", async (reads) => {
      begun()
      const document = await reads.document("counters", "p")
      return { value: 1, commit: { views: [{ view: "counters", key: "p", put: document!.document, subject: "p" }] } }
    })
    .then(() => order.push("decided"))
  await turn
  const erasing = workspace.erase("p").then((erased) => {
    order.push("erased")
    return erased
  })
  // It arrives while the erasure waits, and is decided on what that leaves.
  const later = workspace.turn("other", async (reads) => ({ value: await reads.document("counters", "p") }))
  await deciding
  assert.equal(await later, undefined)
  assert.deepEqual((await erasing).documents, [{ view: "counters", key: "p" }])
  assert.deepEqual(order, ["decided", "erased"])
  assert.equal(await workspace.document("counters", "p"), undefined)
  assert.equal(
    await workspace.turn("lane", async (reads) => ({ value: await reads.document("counters", "p") })),
    undefined
  )
  assert.equal((await workspace.journal(0, 1))[0]?.personal?.fields, null)
})

test("[STORAGE-42] closing commits what is waiting and refuses what comes later", async () => {
  const memory = MemoryStorage.make()
  const storage = await open(memory, { maxGroup: 2 })
  const workspace = storage.workspace("w")
  const waiting = ["a", "b", "c", "d", "e"].map((key) => increase(workspace, key))
  await storage.close()
  assert.deepEqual(await Promise.all(waiting), [1, 1, 1, 1, 1])
  await assert.rejects(workspace.commit({ appends: [append("f", 0)] }), {
    code: "storage-unavailable",
    outcome: "nothing written"
  })
  await assert.rejects(increase(workspace, "f"), { code: "storage-unavailable" })
  await assert.rejects(workspace.erase("p"), { code: "storage-unavailable" })
})

test("[STORAGE-43] a turn only begins when the host schedules it", async () => {
  const runs: Array<() => void> = []
  const { driver, groups } = recording()
  const workspace = (await open(driver, { schedule: (run) => runs.push(run) })).workspace("w")
  const commit = workspace.commit({ appends: [append("a", 0)] })
  await Promise.resolve()
  assert.equal(groups.length, 0)
  runs.shift()?.()
  assert.deepEqual(await commit, [1])
})

/** A memory driver whose groups are written when the test says so. */
const gated = () => {
  const memory = MemoryStorage.make()
  const { driver, groups, calls } = recording(memory)
  const gates: Array<PromiseWithResolvers<void>> = []
  const held: StorageDriver = {
    ...driver,
    commit: async (group, nowMs) => {
      const outcomes = driver.commit(group, nowMs)
      const gate = Promise.withResolvers<void>()
      gates.push(gate)
      await gate.promise
      return outcomes
    }
  }
  return { driver: held, memory, groups, calls, gates }
}

/** Lets everything happen that waits for nothing but promises. */
const rest = () => new Promise((resolve) => setImmediate(resolve))

test("[STORAGE-44] while a group is written the next is handed over, when as many as half a group wait", async () => {
  const { driver, groups, gates } = gated()
  const workspace = (await open(driver, { maxGroup: 4 })).workspace("w")
  const commit = (stream: string) => workspace.commit({ appends: [append(stream, 0)] })
  const sizes = () => groups.map((group) => group.length)
  const first = commit("a")
  await rest()
  const second = commit("b")
  await rest()
  assert.deepEqual(sizes(), [1])
  const third = commit("c")
  await rest()
  assert.deepEqual(sizes(), [1, 2])
  const others = ["d", "e", "f", "g"].map(commit)
  await rest()
  assert.deepEqual(sizes(), [1, 2], "two at most are under way")
  // Whichever is written first: they become known in the order of their departure.
  gates[1]!.resolve()
  await rest()
  assert.deepEqual(sizes(), [1, 2])
  gates[0]!.resolve()
  assert.deepEqual(await Promise.all([first, second, third]), [[1], [2], [3]])
  await rest()
  assert.deepEqual(sizes(), [1, 2, 4])
  gates[2]!.resolve()
  assert.deepEqual((await Promise.all(others)).flat(), [4, 5, 6, 7])
})

test("[STORAGE-44] what touches a group under way waits for it, and a decision is taken again on what it wrote", async () => {
  const { driver, groups, gates } = gated()
  const workspace = (await open(driver, { maxGroup: 2 })).workspace("w")
  const first = increase(workspace, "a")
  await rest()
  const again = increase(workspace, "a", "another lane")
  const other = increase(workspace, "b")
  await rest()
  assert.deepEqual(
    groups.map((group) => group.map(({ appends }) => appends?.[0]?.stream)),
    [["a"], ["b"]]
  )
  gates[0]!.resolve()
  gates[1]!.resolve()
  assert.deepEqual(await Promise.all([first, other]), [1, 1])
  await rest()
  gates[2]!.resolve()
  assert.equal(await again, 2)
})

test("[STORAGE-44] what is read of a key that is being written is not cached, of another it is", async () => {
  const { driver, memory, gates, calls } = gated()
  const seed = ["a", "b"].map((key) => ({ view: "counters", key, put: { count: 1 } }))
  const storage = await open(driver)
  await memory.commit([{ workspace: "w", views: seed }], 0)
  // The driver answers with what it held before the group.
  const { cached, ...workspace } = storage.workspace("w")
  const writing = workspace.commit({ views: [{ view: "counters", key: "a", put: { count: 2 } }] })
  await rest()
  for (const key of ["a", "b", "a", "b"]) await cached.document("counters", key)
  assert.equal(calls.length, 3)
  gates[0]!.resolve()
  await writing
  assert.equal((await cached.document("counters", "a"))?.document.count, 2)
})

test("[STORAGE-44] an erasure waits for both groups under way", async () => {
  const { driver, gates } = gated()
  const workspace = (await open(driver, { maxGroup: 2 })).workspace("w")
  const done: Array<string> = []
  const run = (name: string, work: Promise<unknown>) => work.then(() => done.push(name))
  const first = run("first", increase(workspace, "a"))
  await rest()
  const second = [run("second", increase(workspace, "b")), run("second", increase(workspace, "c"))]
  await rest()
  const erased = run("erased", workspace.erase("p"))
  const third = run("third", increase(workspace, "d"))
  await rest()
  assert.equal(gates.length, 2)
  for (const gate of gates) gate.resolve()
  await Promise.all([first, ...second, erased])
  assert.deepEqual(done, ["first", "second", "second", "erased"])
  await rest()
  gates[2]!.resolve()
  await third
})

test("[STORAGE-44] a group that fails and one that is written beside it are each told so", async () => {
  const memory = MemoryStorage.make()
  let calls = 0
  const driver: StorageDriver = {
    ...memory,
    commit: (group, nowMs) => {
      if (++calls === 1) throw new Error("no")
      return memory.commit(group, nowMs)
    }
  }
  const workspace = (await open(driver, { maxGroup: 2 })).workspace("w")
  const results = await Promise.allSettled(["a", "b", "c", "d"].map((key) => increase(workspace, key)))
  assert.deepEqual(
    results.map(({ status }) => status),
    ["rejected", "rejected", "fulfilled", "fulfilled"]
  )
  assert.deepEqual(await Promise.all(["a", "b", "c", "d"].map((key) => increase(workspace, key))), [1, 1, 2, 2])
})

test("[STORAGE-39] groups that become known out of order leave what is read at the head whole", async () => {
  const memory = MemoryStorage.make()
  const late: Array<() => Promise<unknown>> = []
  // The first group is handed to the database after the second.
  const driver: StorageDriver = {
    ...memory,
    commit: async (group, nowMs) => {
      if (late.length === 0) {
        const gate = Promise.withResolvers<void>()
        late.push(async () => gate.resolve())
        await gate.promise
        return memory.commit(group, nowMs)
      }
      const outcomes = await memory.commit(group, nowMs)
      await late[0]!()
      return outcomes
    }
  }
  const storage = await open(driver, { maxGroup: 2 })
  const workspace = storage.workspace("w")
  const [first] = await Promise.all([
    workspace.commit({ appends: [append("a", 0)] }),
    workspace.commit({ appends: [append("b", 0)] }),
    workspace.commit({ appends: [append("c", 0)] }),
    workspace.commit({ appends: [append("d", 0)] })
  ])
  assert.deepEqual(first, [3])
  assert.equal(await workspace.head(), 4)
  assert.deepEqual(
    (await workspace.journal(0, 9)).map(({ position }) => position),
    [1, 2, 3, 4]
  )
})

const articles = { name: "articles", version: 1, fields: {}, indexes: [], words: ["title", "parts.text"] } as const

const withArticles = async (texts: ReadonlyArray<string>, driver: StorageDriver = MemoryStorage.make()) => {
  const storage = await Storage.open(driver, { views: [articles, counters], now: () => 0 })
  const workspace = storage.workspace("w")
  for (const [index, text] of texts.entries())
    await workspace.commit({ views: [{ view: "articles", key: `${index}`, put: { parts: [{ text }] } }] })
  return { storage, workspace }
}

test("[STORAGE-91] whole words weigh more than beginnings, many more than one, in short texts more than in long; of equals the latest is first", async () => {
  const { workspace } = await withArticles([
    "a refunded order",
    "the refund, and after the refund another refund",
    "refund",
    `refund ${"and so on ".repeat(40)}`,
    "a refund or a refund",
    "refund",
    "nothing of it"
  ])
  const { hits, behind } = await workspace.search("articles", "refund")
  assert.deepEqual(
    hits.map(({ key }) => key),
    ["1", "4", "5", "2", "0", "3"]
  )
  assert.equal(behind, 0)
  assert.deepEqual(hits[4]?.snippet, { text: "a refunded order", matches: [{ start: 2, end: 10 }] })
  assert.deepEqual(
    (await workspace.search("articles", "refund ", 2)).hits.map(({ key }) => key),
    ["1", "4"]
  )
  assert.equal((await workspace.search("articles", "refund ")).hits.length, 5)
  assert.deepEqual(await workspace.search("articles", " ?! "), { hits: [], behind: 0 })
})

test("[STORAGE-91] the best are sought among the latest two hundred", async () => {
  const { workspace } = await withArticles([
    "refund refund refund",
    ...Array.from({ length: 200 }, () => "refund and other words")
  ])
  const { hits } = await workspace.search("articles", "refund", 200)
  assert.equal(hits.length, 200)
  assert.equal(
    hits.some(({ key }) => key === "0"),
    false
  )
})

test("[STORAGE-89] a search of a view without words, with a limit that is none or over a driver without full text is refused", async () => {
  const { workspace } = await withArticles(["refund"])
  for (const [view, limit] of [
    ["counters", 20],
    ["nothing", 20],
    ["articles", 0],
    ["articles", 201],
    ["articles", 1.5]
  ] as const)
    await assert.rejects(workspace.search(view, "refund", limit), { code: "storage-invalid" })
  const { fullText: _, ...without } = MemoryStorage.make()
  const other = await withArticles(["refund"], without)
  await assert.rejects(other.workspace.search("articles", "refund"), {
    code: "storage-invalid",
    message: /one with full text, found memory/
  })
  assert.equal(await other.storage.index(100), 0)
})

test("[STORAGE-70] a crash is counted, and everything after it fails", async () => {
  const scenario = async (driver: StorageDriver) => {
    await driver.prepare([counters])
    await driver.commit([{ workspace: "w", appends: [append("a", 0)] }], 0)
    await driver.commit([{ workspace: "w", appends: [append("a", 1)] }], 0)
    await driver.head("w")
  }
  const counting = StorageFaults.crash(MemoryStorage.make())
  await scenario(counting.driver)
  assert.deepEqual(counting.methods(), ["prepare", "commit", "commit", "head"])
  assert.equal(counting.crashed(), false)
  const heads: Array<number> = []
  for (let at = 1; at <= counting.calls(); at++)
    for (const when of ["before", "after"] as const) {
      const memory = MemoryStorage.make()
      const { driver, crashed } = StorageFaults.crash(memory, { at, when })
      await assert.rejects(scenario(driver), { code: "crashed", call: at, method: counting.methods()[at - 1] })
      await assert.rejects(driver.head("w"), { code: "crashed" })
      expect(() => driver.watch(() => {})).toThrow(StorageFaults.CrashedError)
      assert.equal(crashed(), true)
      heads.push(await memory.head("w"))
    }
  assert.deepEqual(heads, [0, 0, 0, 1, 1, 2, 2, 2])
})

test("[STORAGE-70] one plan counts and kills several objects together", async () => {
  const { wrap, calls } = StorageFaults.plan({ at: 2 })
  const network = wrap({ send: async (text: string) => text.length })
  const driver = wrap(MemoryStorage.make())
  assert.equal(await network.send("four"), 4)
  await assert.rejects(driver.head("w"), { code: "crashed" })
  await assert.rejects(network.send("x"), { code: "crashed" })
  assert.equal(calls(), 2)
})

/** Two services over one driver, as two processes have. */
const twoProcesses = async () => {
  const memory = MemoryStorage.make()
  const driver = { ...memory, capabilities: { ...memory.capabilities, multiProcess: true } }
  const here = (await open(driver)).workspace("w")
  const elsewhere = (await open(driver)).workspace("w")
  return { memory, here, elsewhere }
}

test("[STORAGE-49] a decision on a document that another process has made anew is taken again on what stands", async () => {
  const { memory, here, elsewhere } = await twoProcesses()
  const addOne = () =>
    here.turn("a", async (reads) => {
      const stored = await reads.document("counters", "a")
      const version = stored?.version ?? 0
      const put = { count: Number(stored?.document.count ?? 0) + 1 }
      const commit = {
        appends: [append("a", version)],
        views: [{ view: "counters", key: "a", put, version: version + 1 }]
      }
      return { value: undefined, commit }
    })
  await addOne()
  // It follows the same stream, and was wrong: nothing but the epoch tells of it.
  await elsewhere.commit({
    appends: [{ stream: "a", expectedVersion: 1, events: [] }],
    views: [{ view: "counters", key: "a", put: { count: 40 }, version: 1 }],
    raisesEpoch: true
  })
  await addOne()
  assert.deepEqual((await memory.documents("w", "counters", ["a"]))[0]?.document, { count: 41 })
  // From then on it is remembered again.
  await addOne()
  assert.deepEqual((await here.cached.document("counters", "a"))?.document, { count: 42 })
})

for (const [what, change] of [
  ["erased", (memory: StorageDriver) => memory.erase("w", "p")],
  ["dropped", (memory: StorageDriver) => memory.drop("w")],
  [
    "loaded",
    (memory: StorageDriver) =>
      memory.load("w", [{ kind: "document", view: "counters", document: { key: "p", document: { count: 7 } } }])
  ]
] as const)
  test(`[STORAGE-49] what another process has ${what} does not come back from what is remembered`, async () => {
    const { memory, here } = await twoProcesses()
    await here.commit({ views: [{ view: "counters", key: "p", put: { count: 1 }, subject: "p" }] })
    assert.equal((await here.cached.document("counters", "p"))?.document.count, 1)
    await change(memory)
    const stands = (await memory.documents("w", "counters", ["p"]))[0]?.document.count
    await here.turn("other", async (reads) => ({
      value: undefined,
      commit: {
        views: [
          {
            view: "counters",
            key: "copy",
            put: { count: Number((await reads.document("counters", "p"))?.document.count ?? 0) }
          }
        ]
      }
    }))
    assert.equal((await memory.documents("w", "counters", ["copy"]))[0]?.document.count, stands ?? 0)
    assert.equal((await here.cached.document("counters", "p"))?.document.count, stands)
  })

test("[STORAGE-49] a commit that names the epoch it was made at is refused at a later one, and tells its maker", async () => {
  const { memory, here } = await twoProcesses()
  const epoch = await here.epoch()
  await here.commit({ views: [{ view: "counters", key: "a", put: { count: 1 } }], epoch })
  await memory.commit([{ workspace: "w", raisesEpoch: true }], 0)
  const commit = { views: [{ view: "counters", key: "a", put: { count: 2 } }] }
  await assert.rejects(here.commit({ ...commit, epoch }), { code: "storage-conflict" })
  await here.commit({ ...commit, epoch: await here.epoch() })
  assert.deepEqual((await memory.documents("w", "counters", ["a"]))[0]?.document, { count: 2 })
})

test("[STORAGE-49] an epoch that can't be read fails who asked, and the next is served", async () => {
  const memory = MemoryStorage.make()
  let isAway = true
  const workspace = (
    await open({
      ...memory,
      epoch: (name) => (isAway ? Promise.reject(new Error("away")) : memory.epoch(name))
    })
  ).workspace("w")
  await assert.rejects(increase(workspace, "a"), { code: "storage-unavailable", outcome: "nothing written" })
  await assert.rejects(workspace.commit({ appends: [append("b", 0)] }), { outcome: "nothing written" })
  isAway = false
  await increase(workspace, "a")
  assert.equal(await workspace.head(), 1)
})

test("[STORAGE-49] what was written before an epoch was raised is not remembered when that becomes known first", async () => {
  const memory = MemoryStorage.make()
  let release = () => {}
  let calls = 0
  const driver: StorageDriver = {
    ...memory,
    capabilities: { ...memory.capabilities, multiProcess: true },
    commit: async (...of) => {
      // The first of two groups under way is written after the second.
      if (++calls === 1)
        await new Promise<void>((resolve) => {
          release = resolve
        })
      return memory.commit(...of)
    }
  }
  const workspace = (await open(driver, { maxGroup: 2 })).workspace("w")
  const first = increase(workspace, "a")
  await rest()
  const said = { ...event(), personal: { subject: "p", fields: { words: "erase me" } } }
  const second = workspace.turn("k", async () => ({
    value: undefined,
    commit: { appends: [{ stream: "k", expectedVersion: 0, events: [said] }] }
  }))
  await rest()
  assert.equal((await memory.erase("w", "p")).events, 1)
  release()
  await Promise.all([first, second])
  assert.deepEqual(
    (await workspace.cached.journal(0, 9)).flatMap(({ personal }) => personal ?? []),
    [{ subject: "p", fields: null }]
  )
})

test("[STORAGE-49] an epoch is read once, however much is written elsewhere meanwhile", async () => {
  const memory = MemoryStorage.make()
  let release = () => {}
  let calls = 0
  const storage = await open({
    ...memory,
    epoch: async (name) => {
      if (name !== "quiet") return memory.epoch(name)
      calls++
      await new Promise<void>((resolve) => {
        release = resolve
      })
      return memory.epoch(name)
    }
  })
  const read = storage.workspace("quiet").epoch()
  await increase(storage.workspace("busy"), "a")
  release()
  await rest()
  release()
  await read
  assert.equal(calls, 1)
})
