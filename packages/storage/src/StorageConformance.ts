/**
 * What every storage driver must pass, for the author of one.
 *
 * The suite takes the test function of whatever runner you use, asserts on its own, and is steered only by the declared
 * capabilities: a durable driver is also closed and opened again, one for several processes is opened twice.
 */
import { equal, ok, rejects } from "./internal/Check.ts"
import type {
  Append,
  Commit,
  Condition,
  FieldValue,
  NewEvent,
  NewTimer,
  Outcome,
  Page,
  Query,
  StorageCapabilities,
  StorageDriver,
  StoredDocument,
  ViewDefinition
} from "./StorageDriver.ts"

/** One empty storage to test. */
export interface Subject {
  readonly driver: StorageDriver
  /** Opens the same data once more, not prepared; a durable driver must have it. The suite closes what it opened before, unless it tests several at once. */
  readonly reopen?: () => Promise<StorageDriver>
  /** Removes what is left. Called after every driver was closed. */
  readonly dispose?: () => Promise<void>
}

/** What the suite needs. */
export interface Options {
  readonly test: (title: string, run: () => Promise<void>) => void
  /** Opens a new, empty storage, not prepared. */
  readonly make: () => Promise<Subject>
  /** What the driver declares: steers which tests there are. */
  readonly capabilities: StorageCapabilities
}

const things: ViewDefinition = {
  name: "things",
  version: 1,
  fields: { name: "text", size: "number", open: "boolean", owner: "text" },
  indexes: [["open", "size"], ["owner", "name"], ["size"]]
}
const notes: ViewDefinition = { name: "notes", version: 1, fields: {}, indexes: [] }
const views = [things, notes]

const event = (type: string, recordedAtMs = 0, body: NewEvent["body"] = {}): NewEvent => ({
  type,
  schema: 1,
  recordedAtMs,
  body
})

const append = (stream: string, expectedVersion: number, count = 1): Append => ({
  stream,
  expectedVersion,
  events: Array.from({ length: count }, (_, index) => event(`E${expectedVersion + index + 1}`))
})

const timer = (key: string, dueAtMs: number, more: Partial<NewTimer> = {}): NewTimer => ({
  kind: "job",
  key,
  dueAtMs,
  payload: {},
  ...more
})

const committed = (outcome: Outcome | undefined): ReadonlyArray<number> => {
  if (outcome?.ok !== true) throw new Error(`expected a commit, found ${JSON.stringify(outcome)}`)
  return outcome.positions
}

const refused = (outcome: Outcome | undefined) => {
  if (outcome?.ok !== false) throw new Error(`expected a conflict, found ${JSON.stringify(outcome)}`)
  return outcome.conflict
}

/** Every text a backend is likely to trip over. */
const hardTexts: ReadonlyArray<string> = [
  "",
  "plain",
  'it\'s; drop table "things" -- %_\\',
  "new\nline\ttab\r\u0000nul",
  "ñandú ç العربية 日本語 👩‍👩‍👧 \u{10ffff}",
  "\ud800 lone \udfff",
  "\u2028\u2029\ufeff\ufffe\uffff",
  "x".repeat(100_000)
]

const hardBody = {
  texts: hardTexts,
  numbers: [0, 1, -1, 0.1, 1e21, 1e-7, Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER, Number.MAX_VALUE, 5e-324],
  nothing: null,
  yes: true,
  no: false,
  empty: { list: [], object: {}, "": "empty key" },
  "hard \u0000 \ud800 key": 1
}

/**
 * Registers the tests of the storage contract.
 *
 * **Example**
 * ```ts
 * import { MemoryStorage } from "@switchboard/storage"
 * import { storageConformance } from "@switchboard/storage/StorageConformance"
 *
 * // With Vitest or node:test, pass its own `test`.
 * const tests: Array<() => Promise<void>> = []
 * storageConformance({
 *   test: (_title, run) => tests.push(run),
 *   make: async () => ({ driver: MemoryStorage.make() }),
 *   capabilities: { durable: false, multiProcess: false, notify: false }
 * })
 * for (const run of tests) await run()
 * ```
 */
export const storageConformance = ({ test, make, capabilities }: Options): void => {
  const opened = (title: string, run: (driver: StorageDriver, subject: Subject) => Promise<void>): void =>
    test(title, async () => {
      const subject = await make()
      try {
        await subject.driver.prepare(views)
        await run(subject.driver, subject)
      } finally {
        await subject.driver.close()
        await subject.dispose?.()
      }
    })

  const one = async (driver: StorageDriver, commit: Commit, nowMs = 0): Promise<Outcome> =>
    (await driver.commit([commit], nowMs))[0]!

  test("[STORAGE-0] the driver declares the capabilities the suite was given", async () => {
    const { driver, dispose } = await make()
    equal(driver.capabilities, capabilities, "capabilities")
    ok(driver.name !== "", "a driver has a name")
    await driver.prepare(views)
    await driver.close()
    await dispose?.()
  })

  // ── Commits ──

  const whole = (workspace: string): Commit => ({
    workspace,
    appends: [append("s/1", 0, 2)],
    views: [{ view: "things", key: "t1", put: { name: "one" }, version: 2 }],
    timers: [{ set: timer("w1", 5) }],
    cursor: { reader: "r", from: 0, to: 2 },
    claims: [{ key: "c1", value: "v" }]
  })

  const state = async (driver: StorageDriver, workspace: string) => ({
    journal: (await driver.journal(workspace, 0, 100)).map((stored) => `${stored.stream} ${stored.version}`),
    document: (await driver.documents(workspace, "things", ["t1"]))[0]?.document,
    timer: (await driver.timers(workspace, ["w1"]))[0]?.dueAtMs,
    cursor: await driver.cursor(workspace, "r"),
    claim: (await driver.claims(workspace, ["c1"], 0))[0]?.value
  })

  const written = { journal: ["s/1 1", "s/1 2"], document: { name: "one" }, timer: 5, cursor: 2, claim: "v" }
  const nothing = { journal: [], document: undefined, timer: undefined, cursor: 0, claim: undefined }

  opened("[STORAGE-1] a commit writes events, documents, timers, cursor and claims together", async (driver) => {
    equal(committed(await one(driver, whole("w"))), [1, 2], "positions")
    equal(await state(driver, "w"), written, "state")
  })

  const breaks: ReadonlyArray<readonly [string, Commit]> = [
    ["a stream's version", { ...whole("w"), appends: [append("s/1", 0, 2), append("s/2", 3)] }],
    ["a guard", { ...whole("w"), appends: [append("s/1", 0, 2), { stream: "s/2", expectedVersion: 1, events: [] }] }],
    ["a timer's revision", { ...whole("w"), timers: [{ set: timer("w1", 5) }, { clear: "w2", revision: 1 }] }],
    ["the cursor", { ...whole("w"), cursor: { reader: "r", from: 1, to: 2 } }],
    [
      "a claim",
      {
        ...whole("w"),
        claims: [
          { key: "c1", value: "v" },
          { key: "held", value: "mine" }
        ]
      }
    ]
  ]
  for (const [what, commit] of breaks)
    opened(`[STORAGE-1] ${what} that stands elsewhere leaves nothing of the commit`, async (driver) => {
      committed(await one(driver, { workspace: "w", claims: [{ key: "held", value: "other" }] }))
      refused(await one(driver, commit))
      equal(await state(driver, "w"), nothing, "state")
    })

  opened("[STORAGE-2] a conflict fails only its own commit of a group, and names its key", async (driver) => {
    committed(
      await one(driver, { workspace: "w", appends: [append("s/1", 0)], claims: [{ key: "c", value: "first" }] })
    )
    const outcomes = await driver.commit(
      [
        { workspace: "w", appends: [append("s/2", 0)] },
        { workspace: "w", appends: [append("s/1", 0)] },
        { workspace: "w", claims: [{ key: "c", value: "second" }] },
        { workspace: "w", cursor: { reader: "r", from: 4, to: 5 } },
        { workspace: "w", timers: [{ set: timer("t", 1), revision: 7 }] },
        { workspace: "w", appends: [append("s/3", 0)] }
      ],
      0
    )
    equal(committed(outcomes[0]), [2], "first")
    equal(refused(outcomes[1]), { kind: "stream", key: "s/1", expected: 0, found: 1 }, "stream")
    const { revision } = (await driver.claims("w", ["c"], 0))[0]!
    equal(refused(outcomes[2]), { kind: "claim", key: "c", found: { key: "c", value: "first", revision } }, "claim")
    equal(refused(outcomes[3]), { kind: "cursor", key: "r", expected: 4, found: 0 }, "cursor")
    equal(refused(outcomes[4]), { kind: "timer", key: "t", expected: 7, found: 0 }, "timer")
    equal(committed(outcomes[5]), [3], "last")
  })

  opened("[STORAGE-2] an empty group and an empty commit succeed and write nothing", async (driver) => {
    equal(await driver.commit([], 0), [], "empty group")
    equal(committed(await one(driver, { workspace: "w" })), [], "empty commit")
    equal(await driver.workspaces(), [], "workspaces")
  })

  opened("[STORAGE-3] a guard checks a version and writes nothing", async (driver) => {
    const guard = (expectedVersion: number): Append => ({ stream: "s", expectedVersion, events: [] })
    equal(committed(await one(driver, { workspace: "w", appends: [guard(0)] })), [], "absent")
    committed(await one(driver, { workspace: "w", appends: [append("s", 0, 3)] }))
    equal(committed(await one(driver, { workspace: "w", appends: [guard(3), append("s/2", 0)] })), [4], "present")
    equal(
      refused(await one(driver, { workspace: "w", appends: [guard(2)] })),
      { kind: "stream", key: "s", expected: 2, found: 3 },
      "older"
    )
    ok(!(await one(driver, { workspace: "w", appends: [guard(4)] })).ok, "newer")
    equal(await driver.streamVersions("w", ["s", "none", "s/2"]), [3, 0, 1], "versions")
  })

  opened("[STORAGE-4] positions are gapless per workspace and versions per stream, in commit order", async (driver) => {
    equal(
      committed(await one(driver, { workspace: "w", appends: [append("a", 0, 2), append("b", 0, 1)] })),
      [1, 2, 3],
      "first"
    )
    const outcomes = await driver.commit(
      [
        { workspace: "w", appends: [append("a", 2)] },
        { workspace: "v", appends: [append("a", 0)] },
        { workspace: "w", appends: [append("b", 9)] },
        { workspace: "w", appends: [append("c", 0, 2)] }
      ],
      0
    )
    equal([outcomes[0], outcomes[1], outcomes[3]].map(committed), [[4], [1], [5, 6]], "group")
    equal(
      (await driver.journal("w", 0, 100)).map(({ position, stream, version, type, workspace }) => [
        workspace,
        position,
        stream,
        version,
        type
      ]),
      [
        ["w", 1, "a", 1, "E1"],
        ["w", 2, "a", 2, "E2"],
        ["w", 3, "b", 1, "E1"],
        ["w", 4, "a", 3, "E3"],
        ["w", 5, "c", 1, "E1"],
        ["w", 6, "c", 2, "E2"]
      ],
      "journal"
    )
    equal([await driver.head("w"), await driver.head("v"), await driver.head("none")], [6, 1, 0], "heads")
  })

  opened("[STORAGE-5] time in a stream never runs backwards, and the outcome says what was raised", async (driver) => {
    const at = (stream: string, expectedVersion: number, ...times: ReadonlyArray<number>): Append => ({
      stream,
      expectedVersion,
      events: times.map((time) => event("E", time))
    })
    const first = await one(driver, { workspace: "w", appends: [at("a", 0, 100, 90, 100)] })
    equal(first, { ok: true, positions: [1, 2, 3], raised: [{ position: 2, recordedAtMs: 100 }] }, "within")
    const second = await one(driver, { workspace: "w", appends: [at("b", 0, 50), at("a", 3, 20, 120)] })
    equal(second, { ok: true, positions: [4, 5, 6], raised: [{ position: 5, recordedAtMs: 100 }] }, "between")
    equal(
      (await driver.stream("w", "a", 0, 9)).map((stored) => stored.recordedAtMs),
      [100, 100, 100, 100, 120],
      "a"
    )
    equal(
      (await driver.stream("w", "b", 0, 9)).map((stored) => stored.recordedAtMs),
      [50],
      "b"
    )
  })

  opened("[STORAGE-6] events come back exactly as they were put", async (driver) => {
    const events: ReadonlyArray<NewEvent> = [
      { type: "Hard", schema: 3, recordedAtMs: 1_700_000_000_123, body: hardBody },
      {
        type: "Personal",
        schema: 1,
        recordedAtMs: 1_700_000_000_124,
        body: {},
        personal: { subject: "p", fields: hardBody }
      }
    ]
    committed(await one(driver, { workspace: "w", appends: [{ stream: "s", expectedVersion: 0, events }] }))
    const expected = events.map((put, index) => ({
      ...put,
      workspace: "w",
      stream: "s",
      position: index + 1,
      version: index + 1
    }))
    equal(await driver.journal("w", 0, 9), expected, "journal")
    equal(await driver.stream("w", "s", 0, 9), expected, "stream")
  })

  opened("[STORAGE-6] a property named __proto__ is a property like any other", async (driver) => {
    const body = JSON.parse('{"__proto__":{"admin":true},"constructor":1,"toString":2}') as NewEvent["body"]
    committed(
      await one(driver, {
        workspace: "w",
        appends: [{ stream: "s", expectedVersion: 0, events: [event("E", 0, body)] }],
        views: [{ view: "notes", key: "k", put: body }]
      })
    )
    const found = [
      (await driver.journal("w", 0, 1))[0]?.body,
      (await driver.documents("w", "notes", ["k"]))[0]?.document
    ]
    for (const each of found) equal(JSON.stringify(each), JSON.stringify(body), "content")
  })

  opened("[STORAGE-6] what was put is not changed by changing it afterwards", async (driver) => {
    const list = [1]
    const commit = { workspace: "w", views: [{ view: "notes", key: "k", put: { list } }] }
    committed(await one(driver, commit))
    list.push(2)
    equal((await driver.documents("w", "notes", ["k"]))[0]?.document, { list: [1] }, "document")
  })

  opened("[STORAGE-7] a stream and the journal are read in pages after a place", async (driver) => {
    for (const [index, stream] of ["a", "b", "a", "a", "b"].entries()) {
      const version = [0, 0, 1, 2, 1][index]!
      committed(await one(driver, { workspace: "w", appends: [append(stream, version)] }))
    }
    equal(
      (await driver.stream("w", "a", 1, 1)).map(({ version }) => version),
      [2],
      "stream page"
    )
    equal(
      (await driver.stream("w", "a", 1, 9)).map(({ version }) => version),
      [2, 3],
      "stream rest"
    )
    equal(await driver.stream("w", "a", 3, 9), [], "stream end")
    equal(await driver.stream("w", "none", 0, 9), [], "no stream")
    equal(
      (await driver.journal("w", 1, 2)).map(({ position }) => position),
      [2, 3],
      "journal page"
    )
    equal(
      (await driver.journal("w", 3, 9)).map(({ position }) => position),
      [4, 5],
      "journal rest"
    )
    equal(await driver.journal("w", 5, 9), [], "journal end")
    equal(await driver.journal("none", 0, 9), [], "no workspace")
  })

  opened("[STORAGE-7] large commits and large documents are kept whole", async (driver) => {
    const big = "é".repeat(2_000_000)
    const commit: Commit = {
      workspace: "w",
      appends: Array.from({ length: 100 }, (_, index) => append(`s/${index}`, 0, 10)),
      views: [{ view: "notes", key: "big", put: { big } }]
    }
    equal(committed(await one(driver, commit)).length, 1_000, "events")
    equal(await driver.head("w"), 1_000, "head")
    const versions = await driver.streamVersions(
      "w",
      commit.appends!.map(({ stream }) => stream)
    )
    ok(
      versions.every((version) => version === 10),
      "every stream stands at 10"
    )
    ok((await driver.documents("w", "notes", ["big"]))[0]?.document.big === big, "the document is whole")
    let nested: NewEvent["body"] = { end: true }
    for (let depth = 0; depth < 95; depth++) nested = { nested }
    committed(await one(driver, { workspace: "w", views: [{ view: "notes", key: "deep", put: nested }] }))
    equal((await driver.documents("w", "notes", ["deep"]))[0]?.document, nested, "deep document")
  })

  // ── Documents ──

  opened("[STORAGE-8] documents are put, replaced, deleted and read in the order asked", async (driver) => {
    const put = (key: string, document: NewEvent["body"], version?: number) => ({
      view: "things",
      key,
      put: document,
      ...(version === undefined ? {} : { version })
    })
    committed(await one(driver, { workspace: "w", views: [put("a", { name: "A", more: [1] }, 1), put("b", {})] }))
    committed(await one(driver, { workspace: "w", views: [put("a", { name: "A2" }, 2), put("c", { size: 3 })] }))
    committed(
      await one(driver, {
        workspace: "w",
        views: [
          { view: "things", key: "c", delete: true },
          { view: "things", key: "never", delete: true }
        ]
      })
    )
    equal(
      await driver.documents("w", "things", ["c", "b", "a", "none", "b"]),
      [
        undefined,
        { key: "b", document: {} },
        { key: "a", document: { name: "A2" }, version: 2 },
        undefined,
        { key: "b", document: {} }
      ],
      "documents"
    )
    equal(await driver.documents("w", "notes", ["a"]), [undefined], "another view")
    equal(await driver.documents("w", "things", []), [], "no keys")
  })

  opened("[STORAGE-8] replacing a document moves it in every index", async (driver) => {
    const found = async (...where: ReadonlyArray<Condition>) =>
      (await driver.query("w", { view: "things", where, limit: 9 })).documents.map(({ key }) => key)
    const put = async (document: NewEvent["body"]) =>
      committed(await one(driver, { workspace: "w", views: [{ view: "things", key: "k", put: document }] }))
    await put({ name: "n", owner: "o", open: true, size: 1 })
    await put({ name: "n", owner: "p", open: true, size: 1 })
    equal(await found({ field: "owner", equals: "o" }), [], "old owner")
    equal(await found({ field: "owner", equals: "p" }, { field: "name", equals: "n" }), ["k"], "new owner")
    await put({ name: "m", open: false, size: 2 })
    equal(await found({ field: "owner", equals: "p" }), [], "removed owner")
    equal(await found({ field: "open", equals: false }, { field: "size", equals: 2 }), ["k"], "open and size")
    committed(await one(driver, { workspace: "w", views: [{ view: "things", key: "k", delete: true }] }))
    equal(await found(), [], "deleted")
    await put({ name: "again" })
    equal(await found({ field: "name", equals: "again" }), ["k"], "put again")
    equal(await found({ field: "size", equals: null }), ["k"], "nothing left of before")
  })

  const shelf: ReadonlyArray<readonly [string, NewEvent["body"]]> = [
    ["a", { name: "b", size: 2, open: true, owner: "x" }],
    ["b", { name: "a", size: 2, open: false, owner: "x" }],
    ["c", { size: -1.5, open: true, owner: "y" }],
    ["d", { name: null, size: 10 }],
    ["e", { name: "\u{1f600}", size: null, open: false, owner: "x" }],
    ["f", { name: "\uffee", size: 2, open: null, owner: "" }],
    ["g", { name: "B", size: 0, open: true, owner: "y" }],
    ["h", {}]
  ]

  const stock = async (driver: StorageDriver) => {
    const changes = shelf.map(([key, put]) => ({ view: "things", key, put }))
    committed(await one(driver, { workspace: "w", views: changes }))
  }

  const matching: ReadonlyArray<readonly [string, ReadonlyArray<Condition>, string]> = [
    ["no condition", [], "abcdefgh"],
    ["equality with text", [{ field: "owner", equals: "x" }], "abe"],
    ["equality with empty text", [{ field: "owner", equals: "" }], "f"],
    ["equality with a number", [{ field: "size", equals: 2 }], "abf"],
    ["equality with true", [{ field: "open", equals: true }], "acg"],
    ["equality with false", [{ field: "open", equals: false }], "be"],
    ["equality with null", [{ field: "open", equals: null }], "dfh"],
    ["in several", [{ field: "size", in: [2, 10, 11] }], "abdf"],
    ["in several with null", [{ field: "size", in: [10, null] }], "deh"],
    ["in booleans", [{ field: "open", in: [true, null] }], "acdfgh"],
    ["in nothing", [{ field: "size", in: [] }], ""],
    ["at least", [{ field: "size", atLeast: 2 }], "abdf"],
    ["above", [{ field: "size", above: 0 }], "abdf"],
    ["at most", [{ field: "size", atMost: 0 }], "cg"],
    ["below", [{ field: "size", below: 2 }], "cg"],
    ["between", [{ field: "size", atLeast: 0, below: 10 }], "abfg"],
    ["text range by code points", [{ field: "name", above: "b" }], "ef"],
    ["text range past the surrogates", [{ field: "name", above: "\uffee" }], "e"],
    [
      "several conditions",
      [
        { field: "owner", equals: "x" },
        { field: "size", atLeast: 1 },
        { field: "open", equals: false }
      ],
      "b"
    ],
    [
      "two conditions on one field",
      [
        { field: "size", atLeast: 0 },
        { field: "size", in: [-1.5, 0, 10] }
      ],
      "dg"
    ]
  ]
  for (const [title, where, expected] of matching)
    opened(`[STORAGE-9] a query finds by ${title}`, async (driver) => {
      await stock(driver)
      const page = await driver.query("w", { view: "things", where, limit: 100 })
      equal(page.documents.map(({ key }) => key).join(""), expected, "keys")
      equal(page.next, undefined, "next")
    })

  const orders: ReadonlyArray<readonly [string, Omit<Query, "limit">, string]> = [
    ["key", { view: "things" }, "abcdefgh"],
    ["a number, ties by key", { view: "things", order: { field: "size", direction: "ascending" } }, "ehcgabfd"],
    ["a number downwards", { view: "things", order: { field: "size", direction: "descending" } }, "dfbagche"],
    ["text by code points", { view: "things", order: { field: "name", direction: "ascending" } }, "cdhgbafe"],
    ["text downwards", { view: "things", order: { field: "name", direction: "descending" } }, "efabghdc"],
    ["booleans", { view: "things", order: { field: "open", direction: "ascending" } }, "dfhbeacg"],
    [
      "an index's last field under equality",
      {
        view: "things",
        where: [{ field: "open", equals: true }],
        order: { field: "size", direction: "descending" }
      },
      "agc"
    ],
    [
      "a field within a list",
      {
        view: "things",
        where: [{ field: "owner", in: ["x", "y"] }],
        order: { field: "name", direction: "ascending" }
      },
      "cgbae"
    ]
  ]
  for (const [title, query, expected] of orders)
    opened(`[STORAGE-10] pages ordered by ${title} neither skip nor repeat`, async (driver) => {
      await stock(driver)
      for (const limit of [1, 2, 3, expected.length, 100]) {
        const keys: Array<string> = []
        let after: { readonly value: FieldValue; readonly key: string } | undefined
        let pages = 0
        do {
          const page: Page = await driver.query("w", { ...query, limit, ...(after === undefined ? {} : { after }) })
          keys.push(...page.documents.map(({ key }) => key))
          ok(page.documents.length <= limit, "a page is no longer than its limit")
          after = page.next
          ok(++pages <= expected.length, "pages end")
        } while (after !== undefined)
        equal(keys.join(""), expected, `pages of ${limit}`)
        equal(pages, Math.max(1, Math.ceil(expected.length / limit)), `number of pages of ${limit}`)
      }
    })

  opened("[STORAGE-10] a page goes on where it ended though documents came, went and moved", async (driver) => {
    await stock(driver)
    const query: Query = { view: "things", order: { field: "size", direction: "ascending" }, limit: 4 }
    const { next } = await driver.query("w", query)
    const changes = [
      { view: "things", key: "g", delete: true as const },
      { view: "things", key: "e", put: { size: 99 } },
      { view: "things", key: "aa", put: { size: 2 } }
    ]
    committed(await one(driver, { workspace: "w", views: changes }))
    const page = await driver.query("w", { ...query, after: next!, limit: 9 })
    equal(page.documents.map(({ key }) => key).join(" "), "a aa b f d e", "rest")
  })

  const wrong: ReadonlyArray<readonly [string, Query]> = [
    ["an undeclared field", { view: "things", where: [{ field: "colour", equals: "red" }], limit: 1 }],
    ["an undeclared order", { view: "things", order: { field: "colour", direction: "ascending" }, limit: 1 }],
    ["a value of another type", { view: "things", where: [{ field: "size", atLeast: "2" }], limit: 1 }],
    ["an unknown view", { view: "nothing", limit: 1 }],
    ["a limit of 0", { view: "things", limit: 0 }]
  ]
  for (const [title, query] of wrong)
    opened(`[STORAGE-11] a query with ${title} is refused`, async (driver) => {
      await rejects(() => driver.query("w", query), title)
    })

  // ── Timers ──

  const timerOf = async (driver: StorageDriver, key: string) => (await driver.timers("w", [key]))[0]

  opened("[STORAGE-12] a timer is set, set again at its revision, and cleared at it", async (driver) => {
    const change = async (timers: Commit["timers"] & object) => one(driver, { workspace: "w", timers })
    committed(await change([{ set: timer("t", 10, { payload: hardBody, lane: "l", subject: "p" }), revision: 0 }]))
    const first = (await timerOf(driver, "t"))!
    equal(
      first,
      {
        workspace: "w",
        ...timer("t", 10, { payload: hardBody, lane: "l", subject: "p" }),
        revision: first.revision,
        sequence: first.sequence
      },
      "stored"
    )
    const { revision } = first
    equal(
      refused(await change([{ set: timer("t", 20), revision: 0 }])),
      { kind: "timer", key: "t", expected: 0, found: revision },
      "exists"
    )
    committed(await change([{ set: timer("t", 20), revision }]))
    equal((await timerOf(driver, "t"))?.revision, revision + 1, "raised by one")
    equal(
      refused(await change([{ clear: "t", revision }])),
      { kind: "timer", key: "t", expected: revision, found: revision + 1 },
      "stale"
    )
    committed(await change([{ set: timer("t", 30) }]))
    equal((await timerOf(driver, "t"))?.revision, revision + 2, "unconditional")
    committed(await change([{ clear: "t", revision: revision + 2 }]))
    equal(await timerOf(driver, "t"), undefined, "cleared")
    committed(await change([{ clear: "t" }]))
    committed(await change([{ clear: "t", revision: 0 }]))
    equal(await driver.timers("w", ["none", "t"]), [undefined, undefined], "absent")
  })

  opened("[STORAGE-13] a revision held from a cleared timer never fits its successor", async (driver) => {
    committed(await one(driver, { workspace: "w", timers: [{ set: timer("t", 1) }] }))
    committed(await one(driver, { workspace: "w", timers: [{ set: timer("t", 2) }] }))
    const held = (await timerOf(driver, "t"))!.revision
    committed(await one(driver, { workspace: "w", timers: [{ clear: "t" }] }))
    committed(await one(driver, { workspace: "w", timers: [{ set: timer("t", 3) }] }))
    ok((await timerOf(driver, "t"))!.revision > held, "the new revision is higher")
    refused(await one(driver, { workspace: "w", timers: [{ clear: "t", revision: held }] }))
  })

  const dueKeys = async (driver: StorageDriver, nowMs: number, kinds: ReadonlyArray<string> = ["job"], limit = 99) =>
    (await driver.due(nowMs, kinds, limit)).map(({ workspace, key }) => `${workspace}:${key}`).join(" ")

  opened("[STORAGE-14] timers come due by kind, earliest first, across workspaces", async (driver) => {
    await driver.commit(
      [
        {
          workspace: "w",
          timers: [{ set: timer("late", 30) }, { set: timer("soon", 10) }, { set: timer("other", 5, { kind: "sla" }) }]
        },
        { workspace: "v", timers: [{ set: timer("mid", 20) }] }
      ],
      0
    )
    equal(await dueKeys(driver, 9), "", "none yet")
    equal(await dueKeys(driver, 10), "w:soon", "at its instant")
    equal(await dueKeys(driver, 99), "w:soon v:mid w:late", "all")
    equal(await dueKeys(driver, 99, ["job"], 2), "w:soon v:mid", "limit")
    equal(await dueKeys(driver, 99, ["sla", "job", "none"]), "w:other w:soon v:mid w:late", "kinds")
    equal(await dueKeys(driver, 99, []), "", "no kind")
    committed(await one(driver, { workspace: "w", timers: [{ set: timer("soon", 25) }, { clear: "late" }] }))
    equal(await dueKeys(driver, 99), "v:mid w:soon", "moved and cleared")
    committed(await one(driver, { workspace: "w", timers: [{ set: timer("soon", 25, { kind: "sla" }) }] }))
    equal(await dueKeys(driver, 99), "v:mid", "of another kind now")
  })

  opened("[STORAGE-15] timers of a lane come due one after another, oldest first", async (driver) => {
    const lane = { lane: "l" }
    committed(
      await one(driver, {
        workspace: "w",
        timers: [{ set: timer("a", 50, lane) }, { set: timer("b", 10, lane) }, { set: timer("free", 20) }]
      })
    )
    committed(await one(driver, { workspace: "w", timers: [{ set: timer("c", 1, { ...lane, kind: "sla" }) }] }))
    committed(await one(driver, { workspace: "v", timers: [{ set: timer("x", 15, lane) }] }))
    equal(await dueKeys(driver, 20), "v:x w:free", "the oldest holds the others back")
    equal(await dueKeys(driver, 99, ["sla"]), "", "also those of another kind")
    equal(await dueKeys(driver, 50), "v:x w:free w:a", "the oldest")
    committed(await one(driver, { workspace: "w", timers: [{ set: timer("a", 60, lane) }] }))
    equal(await dueKeys(driver, 50), "v:x w:free", "set again it keeps its place")
    committed(await one(driver, { workspace: "w", timers: [{ clear: "a" }] }))
    equal(await dueKeys(driver, 50), "w:b v:x w:free", "the next")
    committed(await one(driver, { workspace: "w", timers: [{ clear: "b" }] }))
    equal(await dueKeys(driver, 50, ["sla"]), "w:c", "the last")
    const { sequence } = (await timerOf(driver, "c"))!
    committed(await one(driver, { workspace: "w", timers: [{ set: timer("d", 1, lane) }] }))
    ok((await timerOf(driver, "d"))!.sequence > sequence, "sequences rise")
  })

  opened("[STORAGE-15] a timer cleared in the middle of its lane holds nothing back", async (driver) => {
    const lane = { lane: "l" }
    committed(
      await one(driver, {
        workspace: "w",
        timers: [{ set: timer("a", 1, lane) }, { set: timer("b", 1, lane) }, { set: timer("c", 1, lane) }]
      })
    )
    committed(await one(driver, { workspace: "w", timers: [{ clear: "b" }] }))
    equal(await dueKeys(driver, 9), "w:a", "the first stays")
    committed(await one(driver, { workspace: "w", timers: [{ clear: "a" }, { set: timer("d", 1, lane) }] }))
    equal(await dueKeys(driver, 9), "w:c", "then the third")
  })

  opened("[STORAGE-15] a timer that changes its lane leaves the old and goes to the end of the new", async (driver) => {
    committed(
      await one(driver, {
        workspace: "w",
        timers: [
          { set: timer("a", 1, { lane: "l" }) },
          { set: timer("b", 1, { lane: "l" }) },
          { set: timer("c", 2, { lane: "m" }) }
        ]
      })
    )
    committed(await one(driver, { workspace: "w", timers: [{ set: timer("a", 1, { lane: "m" }) }] }))
    equal(await dueKeys(driver, 9), "w:b w:c", "b is free, a waits behind c")
    committed(
      await one(driver, { workspace: "w", timers: [{ set: timer("c", 3) }, { set: timer("b", 2, { lane: "l" }) }] })
    )
    equal(await dueKeys(driver, 9), "w:a w:b w:c", "c left its lane")
  })

  opened("[STORAGE-16] the next due instant respects kinds and lanes", async (driver) => {
    equal(await driver.nextDueAtMs(["job"]), undefined, "none")
    committed(
      await one(driver, {
        workspace: "w",
        timers: [
          { set: timer("a", 50, { lane: "l" }) },
          { set: timer("b", 10, { lane: "l" }) },
          { set: timer("c", 70) },
          { set: timer("d", 1, { kind: "sla" }) }
        ]
      })
    )
    equal(await driver.nextDueAtMs(["job"]), 50, "held back")
    equal(await driver.nextDueAtMs(["job", "sla"]), 1, "several kinds")
    equal(await driver.nextDueAtMs(["none"]), undefined, "another kind")
    committed(await one(driver, { workspace: "w", timers: [{ clear: "a" }] }))
    equal(await driver.nextDueAtMs(["job"]), 10, "freed")
  })

  // ── Claims ──

  const claim = async (driver: StorageDriver, change: NonNullable<Commit["claims"]>[number], nowMs = 0) =>
    one(driver, { workspace: "w", claims: [change] }, nowMs)
  const claimOf = async (driver: StorageDriver, key: string, nowMs = 0) => (await driver.claims("w", [key], nowMs))[0]

  opened("[STORAGE-17] a claim is given once, and the loser is told what is stored", async (driver) => {
    const outcomes = await Promise.all(["x", "y", "z"].map((value) => claim(driver, { key: "c", value })))
    equal(outcomes.filter(({ ok }) => ok).length, 1, "winners")
    const stored = (await claimOf(driver, "c"))!
    const winner = ["x", "y", "z"][outcomes.findIndex(({ ok }) => ok)]!
    equal(stored.value, winner, "value")
    for (const outcome of outcomes)
      if (!outcome.ok) equal(outcome.conflict, { kind: "claim", key: "c", found: stored }, "conflict")
    equal(
      (await driver.claims("w", ["none", "c"], 0)).map((found) => found?.value),
      [undefined, winner],
      "in order"
    )
  })

  opened("[STORAGE-18] a claim is expired from its instant on, and then stands as if absent", async (driver) => {
    committed(await claim(driver, { key: "c", value: "x", expiresAtMs: 100 }))
    const first = (await claimOf(driver, "c", 99))!
    equal(first.expiresAtMs, 100, "expiry")
    refused(await claim(driver, { key: "c", value: "y" }, 99))
    equal(await claimOf(driver, "c", 100), undefined, "read")
    equal(
      refused(await claim(driver, { key: "c", value: "x", revision: first.revision }, 100)),
      { kind: "claim", key: "c", found: undefined },
      "too late to renew"
    )
    committed(await claim(driver, { key: "c", value: "y", expiresAtMs: 300 }, 100))
    equal((await claimOf(driver, "c", 200))?.value, "y", "taken over")
  })

  opened("[STORAGE-19] only the holder renews and releases", async (driver) => {
    committed(await claim(driver, { key: "c", value: "x", expiresAtMs: 100 }))
    const { revision } = (await claimOf(driver, "c"))!
    committed(await claim(driver, { key: "c", value: "x2", expiresAtMs: 200, revision }))
    const renewed = (await claimOf(driver, "c", 150))!
    equal(renewed, { key: "c", value: "x2", expiresAtMs: 200, revision: revision + 1 }, "renewed")
    equal(
      refused(await claim(driver, { key: "c", value: "x3", revision })),
      { kind: "claim", key: "c", found: renewed },
      "stale"
    )
    refused(await claim(driver, { key: "c", release: true, revision }))
    committed(await claim(driver, { key: "c", value: "x4", revision: revision + 1 }))
    equal((await claimOf(driver, "c", 1e15))?.value, "x4", "without expiry: for ever")
    committed(await claim(driver, { key: "c", release: true, revision: revision + 2 }))
    equal(await claimOf(driver, "c"), undefined, "released")
    equal(
      refused(await claim(driver, { key: "c", release: true, revision: revision + 2 })),
      { kind: "claim", key: "c", found: undefined },
      "twice"
    )
  })

  opened(
    "[STORAGE-19] a late holder can't renew what was released, swept or expired and taken since",
    async (driver) => {
      committed(await claim(driver, { key: "c", value: "x", expiresAtMs: 100 }))
      const late = (await claimOf(driver, "c"))!.revision
      await driver.sweep(100)
      committed(await claim(driver, { key: "c", value: "y" }, 100))
      refused(await claim(driver, { key: "c", value: "x", revision: late }, 100))
      equal((await claimOf(driver, "c"))?.value, "y", "the new holder")
    }
  )

  // ── Cursors ──

  opened("[STORAGE-20] a cursor moves only from where it stands", async (driver) => {
    const move = async (reader: string, from: number, to: number) =>
      one(driver, { workspace: "w", cursor: { reader, from, to } })
    equal(await driver.cursor("w", "r"), 0, "absent")
    const outcomes = await Promise.all([move("r", 0, 3), move("r", 0, 3), move("r", 0, 3)])
    equal(outcomes.filter(({ ok }) => ok).length, 1, "moved once")
    committed(await move("r", 3, 4))
    equal(refused(await move("r", 3, 5)), { kind: "cursor", key: "r", expected: 3, found: 4 }, "behind")
    equal([await driver.cursor("w", "r"), await driver.cursor("w", "other")], [4, 0], "cursors")
  })

  opened("[STORAGE-21] lagging names the workspaces whose journal has passed a reader", async (driver) => {
    await driver.commit(
      [
        { workspace: "a", appends: [append("s", 0, 3)], cursor: { reader: "r", from: 0, to: 1 } },
        { workspace: "b", appends: [append("s", 0, 2)], cursor: { reader: "r", from: 0, to: 2 } },
        { workspace: "c", appends: [append("s", 0, 1)] },
        { workspace: "d", timers: [{ set: timer("t", 1) }] }
      ],
      0
    )
    const lagging = [...(await driver.lagging("r"))].sort((left, right) => (left.workspace < right.workspace ? -1 : 1))
    equal(
      lagging,
      [
        { workspace: "a", cursor: 1, head: 3 },
        { workspace: "c", cursor: 0, head: 1 }
      ],
      "r"
    )
    equal((await driver.lagging("new")).length, 3, "a reader that never read")
    equal(await driver.workspaces(), ["a", "b", "c", "d"], "workspaces, in order")
  })

  // ── Erasure ──

  opened("[STORAGE-22] erasing a subject removes all that is personal to it and nothing else", async (driver) => {
    const personal = (subject: string): NewEvent => ({
      ...event("Said"),
      personal: { subject, fields: { text: `by ${subject}` } }
    })
    const commit = (workspace: string): Commit => ({
      workspace,
      appends: [
        { stream: "s/1", expectedVersion: 0, events: [personal("p"), event("Opened"), personal("q")] },
        { stream: "s/2", expectedVersion: 0, events: [personal("p")] }
      ],
      views: [
        { view: "things", key: "p1", put: { name: "P" }, subject: "p" },
        { view: "notes", key: "p1", put: {}, subject: "p" },
        { view: "things", key: "q1", put: { name: "Q" }, subject: "q" },
        { view: "things", key: "n1", put: { name: "N" } }
      ],
      timers: [
        { set: timer("p1", 1, { lane: "l", subject: "p" }) },
        { set: timer("q1", 2, { lane: "l", subject: "q" }) },
        { set: timer("n1", 3) }
      ],
      claims: [
        { key: "p1", value: "P", subject: "p" },
        { key: "q1", value: "Q", subject: "q" },
        { key: "n1", value: "N" }
      ]
    })
    await driver.commit([commit("w"), commit("v")], 0)
    const before = await driver.journal("w", 0, 99)
    const untouched = await driver.journal("v", 0, 99)
    const erased = await driver.erase("w", "p")
    equal(erased.events, 2, "events")
    equal(
      [...erased.documents].sort((left, right) => (left.view < right.view ? -1 : 1)),
      [
        { view: "notes", key: "p1" },
        { view: "things", key: "p1" }
      ],
      "documents"
    )
    equal([erased.timers, erased.claims], [["p1"], ["p1"]], "timers and claims")

    const gone = (stored: (typeof before)[number]) =>
      stored.personal?.subject === "p" ? { ...stored, personal: { subject: "p", fields: null } } : stored
    equal(await driver.journal("w", 0, 99), before.map(gone), "journal")
    equal(await driver.stream("w", "s/1", 0, 99), before.filter(({ stream }) => stream === "s/1").map(gone), "stream")
    equal(await driver.streamVersions("w", ["s/1", "s/2"]), [3, 1], "versions")
    const keys = (documents: ReadonlyArray<StoredDocument>) => documents.map(({ key }) => key)
    equal(keys((await driver.query("w", { view: "things", limit: 9 })).documents), ["n1", "q1"], "things")
    equal((await dueKeys(driver, 9)).split(" ").sort(), ["v:n1", "v:p1", "w:n1", "w:q1"], "timers")
    equal(
      (await driver.claims("w", ["p1", "q1", "n1"], 0)).map((found) => found?.value),
      [undefined, "Q", "N"],
      "claims"
    )
    equal(await driver.journal("v", 0, 99), untouched, "another workspace")
    equal(await driver.erase("w", "p"), { events: 0, documents: [], timers: [], claims: [] }, "twice")
    equal(await driver.erase("none", "p"), { events: 0, documents: [], timers: [], claims: [] }, "no workspace")
    equal(committed(await one(driver, { workspace: "w", appends: [append("s/1", 3)] })), [5], "goes on")
  })

  opened("[STORAGE-22] the subject of a document is that of its last put", async (driver) => {
    const put = (key: string, subject?: string) => ({
      view: "notes",
      key,
      put: {},
      ...(subject === undefined ? {} : { subject })
    })
    committed(await one(driver, { workspace: "w", views: [put("a", "p"), put("b", "p"), put("c")] }))
    committed(await one(driver, { workspace: "w", views: [put("a"), put("b", "q"), put("c", "p")] }))
    equal((await driver.erase("w", "p")).documents, [{ view: "notes", key: "c" }], "erased")
  })

  // ── Workspaces ──

  const tricky: ReadonlyArray<readonly [readonly [string, string], readonly [string, string]]> = [
    [
      ["a/b", "c"],
      ["a", "b/c"]
    ],
    [
      ["a", "b"],
      ["A", "b"]
    ],
    [
      ["a", "b"],
      ["a ", "b"]
    ],
    [
      ["é", "k"],
      ["e\u0301", "k"]
    ],
    [
      ["1", "k"],
      ["01", "k"]
    ],
    [
      ["%", "k"],
      ["_", "k"]
    ],
    [
      ["a:b", ":c"],
      ["a", ":b:c"]
    ],
    [
      ["a'b", "k"],
      ["a''b", "k"]
    ]
  ]
  for (const [[first, key], [second, otherKey]] of tricky)
    opened(`[STORAGE-23] "${first}" with "${key}" and "${second}" with "${otherKey}" stay apart`, async (driver) => {
      const commit = (workspace: string, key: string, value: string): Commit => ({
        workspace,
        appends: [{ stream: key, expectedVersion: 0, events: [event("E", 0, { value })] }],
        views: [{ view: "things", key, put: { name: value } }],
        timers: [{ set: timer(key, 1, { payload: { value } }), revision: 0 }],
        cursor: { reader: key, from: 0, to: value.length },
        claims: [{ key, value }]
      })
      for (const outcome of await driver.commit([commit(first, key, "one"), commit(second, otherKey, "second")], 0))
        committed(outcome)
      for (const [workspace, own, value] of [
        [first, key, "one"],
        [second, otherKey, "second"]
      ] as const) {
        const found = {
          journal: (await driver.journal(workspace, 0, 9)).map(({ body }) => body.value),
          stream: (await driver.stream(workspace, own, 0, 9)).map(({ body }) => body.value),
          documents: (await driver.query(workspace, { view: "things", limit: 9 })).documents.map(
            ({ key, document }) => [key, document.name]
          ),
          timer: (await driver.timers(workspace, [own]))[0]?.payload.value,
          cursor: await driver.cursor(workspace, own),
          claim: (await driver.claims(workspace, [own], 0))[0]?.value
        }
        equal(
          found,
          {
            journal: [value],
            stream: [value],
            documents: [[own, value]],
            timer: value,
            cursor: value.length,
            claim: value
          },
          workspace
        )
      }
      if (key !== otherKey) equal(await driver.streamVersions(first, [otherKey]), [0], "the other's key")
    })

  // ── The host's tier ──

  opened("[STORAGE-24] a watcher hears which workspaces grew, after the commit, until it stops", async (driver) => {
    const heard: Array<string> = []
    const stop = driver.watch((workspaces) => heard.push(...workspaces))
    await driver.commit(
      [
        { workspace: "w", appends: [append("s", 0)] },
        { workspace: "v", appends: [append("s", 5)] }
      ],
      0
    )
    await driver.head("w")
    ok(heard.includes("w"), "w was heard")
    ok(!heard.includes("v"), "v did not grow")
    stop()
    heard.length = 0
    committed(await one(driver, { workspace: "w", appends: [append("s", 1)] }))
    equal(heard, [], "after stopping")
  })

  opened("[STORAGE-25] sweeping removes expired claims only, and counts them", async (driver) => {
    const claims = [
      { key: "old", value: "", expiresAtMs: 10 },
      { key: "now", value: "", expiresAtMs: 20 },
      { key: "later", value: "", expiresAtMs: 21 },
      { key: "ever", value: "" }
    ]
    await driver.commit(
      [
        { workspace: "w", claims },
        { workspace: "v", claims: claims.slice(0, 1) }
      ],
      0
    )
    equal(await driver.sweep(20), 3, "swept")
    equal(await driver.sweep(20), 0, "again")
    const keys = claims.map(({ key }) => key)
    equal(
      (await driver.claims("w", keys, 0)).map((found) => found?.key),
      [undefined, undefined, "later", "ever"],
      "left"
    )
  })

  // ── What can't be stored ──

  const poison: ReadonlyArray<readonly [string, Commit]> = [
    ["an unknown view", { workspace: "w", views: [{ view: "nothing", key: "k", put: {} }] }],
    ["an indexed field of another type", { workspace: "w", views: [{ view: "things", key: "k", put: { size: "2" } }] }],
    [
      "a body that JSON can't write",
      { workspace: "w", appends: [{ stream: "s", expectedVersion: 0, events: [event("E", 0, { n: 1n })] }] }
    ]
  ]
  for (const [title, commit] of poison)
    opened(`[STORAGE-26] ${title} is refused and nothing of the group is written`, async (driver) => {
      await rejects(() => driver.commit([whole("v"), commit], 0), title)
      equal([await driver.head("w"), await driver.head("v")], [0, 0], "heads")
      equal(await state(driver, "v"), nothing, "state")
      equal(committed(await one(driver, whole("v"))), [1, 2], "the driver goes on")
    })

  const hardKeys = ["nul\u0000key", "lone\ud800", "k".repeat(100_000), "\u{1f600}", " ", "a\nb"]
  for (const key of hardKeys)
    opened(
      `[STORAGE-26] the key ${JSON.stringify(key.slice(0, 12))} of ${key.length} is kept exactly or refused`,
      async (driver) => {
        const commit: Commit = {
          workspace: "w",
          appends: [append(key, 0)],
          views: [{ view: "notes", key, put: {} }],
          timers: [{ set: timer(key, 1) }],
          claims: [{ key, value: key }]
        }
        let outcome: Outcome
        try {
          outcome = await one(driver, commit)
        } catch {
          equal(await driver.head("w"), 0, "head after a refusal")
          return
        }
        committed(outcome)
        equal(
          (await driver.journal("w", 0, 9)).map(({ stream }) => stream),
          [key],
          "stream"
        )
        equal(
          (await driver.query("w", { view: "notes", limit: 9 })).documents.map((found) => found.key),
          [key],
          "document"
        )
        equal((await driver.timers("w", [key]))[0]?.key, key, "timer")
        const found = (await driver.claims("w", [key], 0))[0]
        equal([found?.key, found?.value], [key, key], "claim")
      }
    )

  for (const [index, text] of hardTexts.entries())
    opened(`[STORAGE-26] an indexed text is kept exactly and found again (${index})`, async (driver) => {
      committed(await one(driver, { workspace: "w", views: [{ view: "things", key: "k", put: { name: text } }] }))
      const where = [{ field: "name", equals: text }]
      const query: Query = { view: "things", where, order: { field: "name", direction: "ascending" }, limit: 1 }
      equal((await driver.query("w", query)).documents, [{ key: "k", document: { name: text } }], "found")
    })

  // ── Durability and several processes ──

  if (capabilities.durable) {
    const reopened = (
      title: string,
      run: (driver: StorageDriver, reopen: () => Promise<StorageDriver>) => Promise<void>
    ) =>
      test(title, async () => {
        const subject = await make()
        let current = subject.driver
        await current.prepare(views)
        try {
          await run(current, async () => {
            await current.close()
            current = await subject.reopen!()
            return current
          })
        } finally {
          await current.close()
          await subject.dispose?.()
        }
      })

    reopened("[STORAGE-27] what was committed is there after closing and opening again", async (driver, reopen) => {
      committed(await one(driver, whole("w")))
      committed(await one(driver, { workspace: "w", timers: [{ clear: "w1" }], claims: [{ key: "c2", value: "v" }] }))
      const journal = await driver.journal("w", 0, 9)
      const claimed = (await driver.claims("w", ["c2"], 0))[0]!
      const again = await reopen()
      await again.prepare(views)
      equal(await again.journal("w", 0, 9), journal, "journal")
      equal(await state(again, "w"), { ...written, timer: undefined }, "state")
      equal(
        committed(await one(again, { workspace: "w", appends: [append("s/1", 2), append("s/2", 0)] })),
        [3, 4],
        "goes on"
      )
      committed(await one(again, { workspace: "w", timers: [{ set: timer("w1", 9) }] }))
      ok((await again.timers("w", ["w1"]))[0]!.revision > claimed.revision, "revisions go on")
    })

    reopened(
      "[STORAGE-28] fields and indexes declared later are searchable over older documents",
      async (driver, reopen) => {
        await stock(driver)
        committed(
          await one(driver, { workspace: "w", views: [{ view: "notes", key: "k", put: { stars: 4, text: "x" } }] })
        )
        const again = await reopen()
        const { name: _name, ...fields } = things.fields
        await again.prepare([
          { ...things, version: 2, fields, indexes: [["owner", "size"]] },
          { ...notes, version: 2, fields: { stars: "number" }, indexes: [["stars"]] },
          { ...notes, name: "extra" }
        ])
        const found = await again.query("w", { view: "notes", where: [{ field: "stars", atLeast: 4 }], limit: 9 })
        equal(found.documents, [{ key: "k", document: { stars: 4, text: "x" } }], "a field that was added")
        const page = await again.query("w", { view: "things", where: [{ field: "owner", equals: "x" }], limit: 9 })
        equal(page.documents.map(({ key }) => key).join(""), "abe", "a field that stayed")
        await rejects(
          () => again.query("w", { view: "things", where: [{ field: "name", equals: "a" }], limit: 1 }),
          "a field that went"
        )
        committed(
          await one(again, {
            workspace: "w",
            views: [
              { view: "things", key: "z", put: { name: 1, owner: "x" } },
              { view: "extra", key: "k", put: {} }
            ]
          })
        )
      }
    )

    reopened("[STORAGE-28] a view older than the stored one is refused", async (driver, reopen) => {
      await driver.head("w")
      const again = await reopen()
      await again.prepare([{ ...things, version: 2 }, notes])
      const older = await reopen()
      await rejects(() => older.prepare(views), "version 1 after version 2")
    })
  }

  if (capabilities.multiProcess) {
    opened(
      "[STORAGE-29] two open at once on the same data see and respect each other's commits",
      async (first, subject) => {
        const second = await subject.reopen!()
        try {
          await second.prepare(views)
          let version = 0
          for (let round = 0; round < 10; round++)
            for (const driver of [first, second]) {
              const other = driver === first ? second : first
              equal(
                committed(
                  await one(driver, {
                    workspace: "w",
                    appends: [append("s", version)],
                    cursor: { reader: "r", from: version, to: version + 1 }
                  })
                ),
                [version + 1],
                "position"
              )
              version++
              refused(await one(other, { workspace: "w", appends: [append("s", version - 1)] }))
              refused(await one(other, { workspace: "w", cursor: { reader: "r", from: version - 1, to: version } }))
              equal(await other.streamVersions("w", ["s"]), [version], "version")
              const put = { view: "things", key: "k", put: { size: version, name: `n${round}` } }
              committed(await one(driver, { workspace: "w", views: [put] }))
              equal(
                (await other.query("w", { view: "things", where: [{ field: "size", equals: version }], limit: 1 }))
                  .documents.length,
                1,
                "document"
              )
            }
          committed(await one(first, { workspace: "w", claims: [{ key: "c", value: "first" }] }))
          const conflict = refused(await one(second, { workspace: "w", claims: [{ key: "c", value: "second" }] }))
          equal(conflict.kind === "claim" ? conflict.found?.value : undefined, "first", "claim")
          const grabs = await Promise.all(
            Array.from({ length: 40 }, (_, index) =>
              one(index % 2 === 0 ? first : second, {
                workspace: "w",
                timers: [{ set: timer(`t${index % 10}`, 1), revision: 0 }],
                appends: [append(`g${index % 10}`, 0)]
              })
            )
          )
          equal(grabs.filter(({ ok }) => ok).length, 10, "each is given once")
          const positions = (await second.journal("w", 0, 999)).map(({ position }) => position)
          equal(
            positions,
            Array.from({ length: 30 }, (_, index) => index + 1),
            "no gap, no duplicate"
          )
        } finally {
          await second.close()
        }
      }
    )
  }
}
