/** What a dump holds, what becomes of it elsewhere, and what is left of a workspace that is dropped. */
import { type Commit, type Holding, type StorageDriver, StorageInvalidError } from "../../StorageDriver.ts"
import { equal, ok } from "../Check.ts"
import { append, committed, dueKeys, event, hardBody, type Opened, one, state, timer, written } from "./Given.ts"

/** Everything that a driver can hold, in ways that are easily lost. */
const commits = (workspace: string): ReadonlyArray<Commit> => [
  {
    workspace,
    appends: [
      {
        stream: "s/1",
        expectedVersion: 0,
        events: [
          event("Opened", 5),
          { ...event("Said", 9, hardBody), schema: 3, personal: { subject: "p", fields: { text: "by p" } } },
          { ...event("Said", 9), personal: { subject: "q", fields: { text: "by q" } } }
        ]
      },
      append("s/2", 0)
    ],
    views: [
      { view: "things", key: "t2", put: { name: "two", size: 2 }, subject: "q" },
      { view: "things", key: "t1", put: { name: "one" }, version: 2 },
      { view: "letters", key: "l1", put: { parts: [{ text: "good morning" }] }, subject: "q", version: 1 },
      { view: "letters", key: "l2", put: { parts: [{ text: "good night" }] } },
      { view: "notes", key: "n1", put: hardBody }
    ],
    timers: [
      { set: timer("w1", 5) },
      { set: timer("b", 9, { lane: "l" }) },
      { set: timer("a", 3, { lane: "l", subject: "q", payload: hardBody }) }
    ],
    cursor: { reader: "r", from: 0, to: 2 },
    claims: [
      { key: "c1", value: "v" },
      { key: "c2", value: "u", expiresAtMs: 50, subject: "q" }
    ]
  },
  {
    workspace,
    appends: [append("s/1", 3), append("s/3", 0, 2)],
    views: [
      { view: "things", key: "t2", put: { name: "two again", size: 2 }, subject: "q" },
      { view: "letters", key: "l2", delete: true }
    ],
    timers: [{ set: timer("w1", 6), revision: 1 }],
    cursor: { reader: "z", from: 0, to: 0 }
  }
]

const stock = async (driver: StorageDriver): Promise<void> => {
  for (const commit of commits("w")) committed(await one(driver, commit))
  committed(await one(driver, { ...commits("v")[0]!, workspace: "v" }))
  await driver.erase("w", "p")
}

const dumped = async (driver: StorageDriver, workspace: string, after = 0): Promise<ReadonlyArray<Holding>> => {
  const found: Array<Holding> = []
  for await (const batch of driver.dump(workspace, after)) {
    ok(batch.length > 0, "a batch holds something")
    found.push(...batch)
  }
  return found
}

/** Views in one order, and claims and cursors in one: dumps may name them in any. */
const sorted = (holdings: ReadonlyArray<Holding>): ReadonlyArray<Holding> => {
  const rank = (holding: Holding): string => {
    switch (holding.kind) {
      case "document":
        return `2 ${holding.view}`
      case "claim":
        return `4 ${holding.claim.key}`
      case "cursor":
        return `5 ${holding.reader}`
      default:
        return holding.kind === "event" ? "1" : "3"
    }
  }
  const compare = (left: string, right: string) => (left < right ? -1 : left > right ? 1 : 0)
  return [...holdings].sort((left, right) => compare(rank(left), rank(right)))
}

const claimed = async (driver: StorageDriver, workspace: string, keys: ReadonlyArray<string>) =>
  driver.claims(workspace, keys, 0)

export const holdings = (opened: Opened): void => {
  opened("[STORAGE-45] a dump holds everything of its workspace, and nothing of another", async (driver) => {
    await stock(driver)
    const all = await dumped(driver, "w")
    const kinds = [...new Set(all.map(({ kind }) => kind))]
    equal(kinds.slice(0, 3), ["event", "document", "timer"], "order")
    equal([...kinds.slice(3)].sort(), ["claim", "cursor"], "the rest")
    const events = all.flatMap((holding) => (holding.kind === "event" ? [holding.event] : []))
    equal(events, await driver.journal("w", 0, 99), "events")
    equal(events[1]?.personal, { subject: "p", fields: null }, "erased")
    const documents = (view: string) =>
      all.flatMap((holding) =>
        holding.kind === "document" && holding.view === view ? [[holding.document, holding.subject] as const] : []
      )
    const [t2, t1] = await driver.documents("w", "things", ["t2", "t1"])
    equal(
      documents("things"),
      [
        [t2, "q"],
        [t1, undefined]
      ],
      "things"
    )
    equal(
      documents("letters").map(([{ key, version }, subject]) => [key, version, subject]),
      [["l1", 1, "q"]],
      "letters"
    )
    equal(
      documents("notes").map(([{ document }]) => document),
      [hardBody],
      "notes"
    )
    const timers = all.flatMap((holding) => (holding.kind === "timer" ? [holding.timer] : []))
    equal(timers, await driver.timers("w", ["w1", "b", "a"]), "timers")
    const claims = all.flatMap((holding) => (holding.kind === "claim" ? [holding] : []))
    equal(
      [...claims].sort((left, right) => (left.claim.key < right.claim.key ? -1 : 1)),
      (await claimed(driver, "w", ["c1", "c2"])).map((claim, place) => ({
        kind: "claim",
        claim,
        ...(place === 1 && { subject: "q" })
      })),
      "claims"
    )
    equal(
      all.filter(({ kind }) => kind === "cursor"),
      [{ kind: "cursor", reader: "r", position: 2 }],
      "cursors"
    )
    equal(await dumped(driver, "none"), [], "no workspace")
  })

  opened("[STORAGE-45] a dump begins its events after a position", async (driver) => {
    await stock(driver)
    const all = await dumped(driver, "w")
    const rest = all.filter((holding) => holding.kind !== "event" || holding.event.position > 4)
    equal(await dumped(driver, "w", 4), rest, "after 4")
    equal(
      await dumped(driver, "w", 99),
      all.filter(({ kind }) => kind !== "event"),
      "after the last"
    )
  })

  opened("[STORAGE-45] what is committed while a dump is read is not in it, and can be committed", async (driver) => {
    const many = 3000
    for (let from = 0; from < many; from += 500) {
      committed(
        await one(driver, {
          workspace: "w",
          appends: [append("s/1", from, 500)],
          views: Array.from({ length: 500 }, (_, index) => ({
            view: "things",
            key: `t${from + index}`,
            put: { name: "before", text: "x".repeat(200) }
          }))
        })
      )
    }
    const found: Array<Holding> = []
    for await (const batch of driver.dump("w", 0)) {
      if (found.length === 0) {
        committed(
          await one(driver, {
            workspace: "w",
            appends: [append("s/1", many), append("s/2", 0)],
            views: [
              { view: "things", key: `t${many - 1}`, put: { name: "after" } },
              { view: "things", key: "t0", delete: true },
              { view: "things", key: "new", put: {} }
            ],
            timers: [{ set: timer("new", 1) }]
          })
        )
      }
      found.push(...batch)
    }
    const positions = found.flatMap((holding) => (holding.kind === "event" ? [holding.event.position] : []))
    equal([positions.length, positions[0], positions.at(-1)], [many, 1, many], "events")
    const names = found.flatMap((holding) => (holding.kind === "document" ? [holding.document.document["name"]] : []))
    equal([names.length, new Set(names)], [many, new Set(["before"])], "documents")
    equal(
      found.filter(({ kind }) => kind === "timer"),
      [],
      "timers"
    )
    equal((await dumped(driver, "w", many)).flatMap(({ kind }) => (kind === "event" ? [kind] : [])).length, 2, "next")
  })

  opened("[STORAGE-45] a reader that leaves a dump early leaves nothing open", async (driver) => {
    await stock(driver)
    for (let round = 0; round < 20; round++) for await (const _ of driver.dump("w", 0)) break
    committed(await one(driver, { workspace: "w", appends: [append("s/9", 0)] }))
    equal((await driver.erase("w", "q")).events, 1, "an erasure goes on")
  })

  opened("[STORAGE-46] what was dumped is loaded exactly, and goes on as the first would", async (driver) => {
    await stock(driver)
    const all = await dumped(driver, "w")
    const before = await dumped(driver, "v")
    // In pieces of any size, each following on the one before.
    for (let from = 0; from < all.length; from += 4) await driver.load("x", all.slice(from, from + 4))
    const moved = all.map((holding) =>
      holding.kind === "event"
        ? { ...holding, event: { ...holding.event, workspace: "x" } }
        : holding.kind === "timer"
          ? { ...holding, timer: { ...holding.timer, workspace: "x" } }
          : holding
    )
    equal(sorted(await dumped(driver, "x")), sorted(moved), "the same")
    equal(await driver.head("x"), await driver.head("w"), "head")
    equal(await driver.streamVersions("x", ["s/1", "s/2", "s/3"]), [4, 1, 2], "versions")
    equal(
      await driver.query("x", { view: "things", limit: 9 }),
      await driver.query("w", { view: "things", limit: 9 }),
      "found"
    )
    equal(
      (await dueKeys(driver, 99))
        .split(" ")
        .filter((key) => !key.startsWith("v:"))
        .sort(),
      ["w:b", "w:w1", "x:b", "x:w1"],
      "due"
    )
    for (const workspace of ["w", "x"]) {
      committed(
        await one(driver, {
          workspace,
          appends: [append("s/1", 4), append("s/4", 0)],
          timers: [{ clear: "b" }, { set: timer("new", 1) }],
          claims: [{ key: "c3", value: "new" }],
          cursor: { reader: "r", from: 2, to: 3 }
        })
      )
    }
    equal(
      await driver.timers("x", ["new"]).then(([found]) => found?.revision),
      (await driver.timers("w", ["new"]))[0]?.revision,
      "revisions of timers"
    )
    equal(await claimed(driver, "x", ["c3"]), await claimed(driver, "w", ["c3"]), "revisions of claims")
    equal(
      await driver.erase("x", "q").then(({ documents, ...rest }) => ({ ...rest, documents: documents.length })),
      { events: 1, documents: 2, timers: ["a"], claims: ["c2"] },
      "erased"
    )
    equal(sorted(await dumped(driver, "v")), sorted(before), "another workspace")
  })

  opened("[STORAGE-46] what is loaded again takes the place of what is there", async (driver) => {
    await stock(driver)
    const all = (await dumped(driver, "w")).filter(({ kind }) => kind !== "event" && kind !== "timer")
    await driver.load("w", all)
    await driver.load("w", [
      { kind: "cursor", reader: "r", position: 0 },
      { kind: "document", view: "things", document: { key: "t1", document: { name: "loaded" } } },
      { kind: "timer", timer: { ...timer("w1", 77), workspace: "elsewhere", revision: 9, sequence: 40 } },
      { kind: "claim", claim: { key: "c1", value: "loaded", revision: 50 } }
    ])
    equal(await driver.cursor("w", "r"), 0, "cursor")
    equal((await driver.documents("w", "things", ["t1"]))[0], { key: "t1", document: { name: "loaded" } }, "document")
    equal(
      (await driver.timers("w", ["w1"]))[0],
      { ...timer("w1", 77), workspace: "w", revision: 9, sequence: 40 },
      "timer"
    )
    equal(await claimed(driver, "w", ["c1"]), [{ key: "c1", value: "loaded", revision: 50 }], "claim")
    committed(await one(driver, { workspace: "w", claims: [{ key: "c9", value: "new" }] }))
    ok((await claimed(driver, "w", ["c9"]))[0]!.revision > 50, "revisions go on after those that were loaded")
  })

  opened("[STORAGE-46] a load that does not follow on what is there loads nothing", async (driver) => {
    await stock(driver)
    const all = await dumped(driver, "w")
    const events = all.filter(({ kind }) => kind === "event")
    const rest = all.filter(({ kind }) => kind !== "event")
    const refused = async (holdings: ReadonlyArray<Holding>, field: string) => {
      const error = await driver.load("x", holdings).then(
        () => undefined,
        (cause: unknown) => cause
      )
      ok(error instanceof StorageInvalidError, `refused as invalid, found ${String(error)}`)
      equal((error as StorageInvalidError).field, field, "field")
      equal(await dumped(driver, "x"), [], "nothing was loaded")
      ok(!(await driver.workspaces()).includes("x"), "no workspace came to be")
    }
    await refused([...rest, ...events.slice(1)], `[${rest.length}].event.position`)
    await refused([...events.slice(0, 2), ...events.slice(3)], "[2].event.position")
    const [first, second] = events as ReadonlyArray<Extract<Holding, { kind: "event" }>>
    await refused([first!, { ...second!, event: { ...second!.event, version: 5 } }], "[1].event.version")
    await refused([first!, { kind: "document", view: "unknown", document: { key: "k", document: {} } }], "view")
  })

  opened("[STORAGE-47] a workspace that is dropped is as if it had never been", async (driver) => {
    for (const commit of commits("w")) committed(await one(driver, commit))
    committed(await one(driver, { ...commits("v")[0]!, workspace: "v" }))
    const before = await dumped(driver, "v")
    await driver.drop("w")
    equal(await dumped(driver, "w"), [], "nothing is held")
    equal(await driver.workspaces(), ["v"], "workspaces")
    equal([await driver.head("w"), await driver.streamVersions("w", ["s/1"])], [0, [0]], "journal")
    equal(await dueKeys(driver, 99), "v:w1 v:b", "timers")
    equal(await driver.lagging("r"), [{ workspace: "v", cursor: 2, head: 4 }], "cursors")
    equal(await claimed(driver, "w", ["c1"]), [undefined], "claims")
    equal(await dumped(driver, "v"), before, "another workspace")
    committed(
      await one(driver, {
        workspace: "w",
        appends: [append("s/1", 0, 2)],
        views: [{ view: "things", key: "t1", put: { name: "one" }, version: 2 }],
        timers: [{ set: timer("w1", 5) }],
        cursor: { reader: "r", from: 0, to: 2 },
        claims: [{ key: "c1", value: "v" }]
      })
    )
    equal(await state(driver, "w"), written, "begins anew")
    await driver.drop("none")
  })
}
