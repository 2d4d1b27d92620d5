import type { Message } from "@switchboard/conversation"
import { createDesk, DeskEvent } from "@switchboard/desk"
import { MemoryStorage, type StorageDriver } from "@switchboard/storage"
import { expect, test } from "vitest"
import { Rebuild, Verification } from "../src/index.ts"
import { agent, configure, everything, makeWorked, work } from "./Fixture.ts"

const findingsOf = async (
  driver: StorageDriver.StorageDriver,
  options?: Verification.Options
): Promise<ReadonlyArray<Verification.Finding>> => {
  const found: Array<Verification.Finding> = []
  for await (const finding of Verification.verify(driver, "main", options)) found.push(finding)
  return found
}

/** In any order. */
const sorted = (findings: ReadonlyArray<Verification.Finding>) => findings.map((one) => JSON.stringify(one)).sort()

/** Every call takes a turn of the event loop, as with a driver that waits for a disk: a desk gets between any two. */
const inTurns = (driver: StorageDriver.StorageDriver): StorageDriver.StorageDriver => {
  const turn = () => new Promise((resolve) => setImmediate(resolve))
  const { stream, documents, query, cursor, head, journal } = driver
  return {
    ...driver,
    stream: (...of) => turn().then(() => stream(...of)),
    documents: (...of) => turn().then(() => documents(...of)),
    query: (...of) => turn().then(() => query(...of)),
    cursor: (...of) => turn().then(() => cursor(...of)),
    head: (...of) => turn().then(() => head(...of)),
    journal: (...of) => turn().then(() => journal(...of))
  }
}

const documentsOf = async (driver: StorageDriver.StorageDriver, view: string) =>
  (await driver.query("main", { view, limit: 100 })).documents

test("[OPERATIONS-30] a desk that has worked is found whole", async () => {
  const { driver } = await makeWorked()
  expect(await driver.head("main")).toBeGreaterThan(50)
  for (const view of ["conversations", "messages", "contacts", "inbox", "slaRecords", "metricStates", "metricBuckets"])
    expect(await documentsOf(driver, view)).not.toEqual([])
  expect(await findingsOf(driver)).toEqual([])
})

test("[OPERATIONS-30] a desk without promises is whole, and one in which somebody was renamed", async () => {
  const driver = MemoryStorage.make()
  const { sla: _, ...without } = configure(driver)
  const desk = await createDesk(without)
  await work(desk, 3)
  const [contact] = await documentsOf(driver, "contacts")
  await desk.executeOnContact(agent, contact!.key, { type: "UpdateContact", name: "Ada Lovelace" })
  await desk.drain()
  await desk.stop()
  expect((await documentsOf(driver, "inbox")).map(({ document }) => document["contactName"])).toContain("Ada Lovelace")
  expect(await findingsOf(driver)).toEqual([])
})

test("[OPERATIONS-30] somebody who was erased leaves a desk that is whole", async () => {
  const { driver } = await makeWorked(3)
  const desk = await createDesk(configure(driver))
  const [contact] = await documentsOf(driver, "contacts")
  await desk.erase({ kind: "agent", id: "ada", role: "administrator" } as never, contact!.key)
  await desk.drain()
  await desk.stop()
  expect(await findingsOf(driver)).toEqual([])
})

test("[OPERATIONS-30] a desk is found whole while it works", async () => {
  const { driver } = await makeWorked(3)
  const desk = await createDesk(configure(driver))
  await desk.start()
  const working = work(desk, 6, "b")
  const found: Array<Verification.Finding> = []
  let isOver = false
  working.finally(() => {
    isOver = true
  })
  do {
    found.push(...(await findingsOf(inTurns(driver))))
    found.push(...(await findingsOf(inTurns(driver), { held: 1 })))
  } while (!isOver)
  await working
  await desk.stop()
  expect(found).toEqual([])
})

/** A message may stand at any version at which its events were written together. */
const unversioned = (lines: ReadonlyArray<string>): ReadonlyArray<string> =>
  lines.map((line) => (line.includes('"view":"messages"') ? line.replaceAll(/"version":\d+/g, "") : line)).sort()

/** What can go wrong in a view, and what is then found. */
const damages: ReadonlyArray<
  readonly [
    view: string,
    rebuild: string,
    change: (document: StorageDriver.JsonObject) => StorageDriver.JsonObject | undefined
  ]
> = [
  ["conversations", "conversations", (document) => ({ ...document, priority: "low" })],
  ["messages", "messages", (document) => ({ ...document, parts: [] })],
  ["messages", "messages", () => undefined],
  ["contacts", "contacts", (document) => ({ ...document, name: "somebody else" })],
  ["inbox", "inbox", (document) => ({ ...document, preview: "something else" })],
  ["inbox", "inbox", (document) => ({ ...document, contactName: "what they were called before" })],
  ["inbox", "inbox", (document) => ({ ...document, active: !document["active"] })],
  ["metricStates", "measures", (document) => ({ ...document, waitingSince: 7 })],
  ["metricBuckets", "measures", () => undefined]
]

test.each(damages)(
  "[OPERATIONS-31] [OPERATIONS-32] [OPERATIONS-34] a damaged document of %s is found, and put right by rebuilding %s",
  async (view, rebuild, change) => {
    const { driver } = await makeWorked(5)
    const before = await everything(driver)
    const { key, document, version } = (await documentsOf(driver, view))[1]!
    const wrong = change(document)
    await driver.commit(
      [
        {
          workspace: "main",
          views: [
            wrong ? { view, key, put: wrong, ...(version !== undefined && { version }) } : { view, key, delete: true }
          ]
        }
      ],
      0
    )
    const found = await findingsOf(driver)
    expect(found.map(({ rebuild }) => rebuild)).toContain(rebuild)
    expect(found.every((finding) => finding.rebuild === rebuild)).toBe(true)
    expect(found.map((finding) => finding.key)).toContain(`${view}/${key}`)
    expect(sorted(await findingsOf(driver, { held: 1 }))).toEqual(sorted(found))

    const { changed } = await Rebuild.rebuild(driver, "main", rebuild)
    expect(changed).toBeGreaterThan(0)
    expect(await findingsOf(driver)).toEqual([])
    expect(unversioned(await everything(driver))).toEqual(unversioned(before))
    expect(await Rebuild.rebuild(driver, "main", rebuild)).toMatchObject({ changed: 0 })
  }
)

test("[OPERATIONS-34] a desk is found whole, however little may be held in memory", async () => {
  const { driver } = await makeWorked(6)
  const read: Array<string> = []
  const watched: StorageDriver.StorageDriver = {
    ...driver,
    stream: (...of) => {
      read.push(of[1])
      return driver.stream(...of)
    }
  }
  const steps = new Map<Verification.Step, readonly [done: number, total: number]>()
  expect(await findingsOf(watched, { onProgress: (step, ...progress) => steps.set(step, progress) })).toEqual([])
  // Nothing is read again.
  expect(read).toEqual([])
  expect([...steps.keys()]).toEqual(["journal", "views", "inbox"])
  for (const [done, total] of steps.values()) expect(done).toBe(total)
  for (const held of [1, 2, 3, 4, 5, 8]) expect(await findingsOf(watched, { held })).toEqual([])
  expect(read).not.toEqual([])
})

test("[OPERATIONS-31] a message that a change has passed by is found", async () => {
  const { driver, conversations } = await makeWorked(2)
  // As it stood before it was delivered.
  const stream = await driver.stream("main", `conversation/${conversations[0]}`, 0, 1000)
  const { version, event } = stream.map(DeskEvent.decode).find(({ event }) => event.type === "MessageSent")!
  const { message } = event as unknown as { readonly message: Message.Message }
  await driver.commit(
    [{ workspace: "main", views: [{ view: "messages", key: message.id, put: { ...message }, version }] }],
    0
  )
  const found = await findingsOf(driver)
  expect(found.filter(({ part }) => part === "view")).toMatchObject([
    { key: `messages/${message.id}`, found: "something else", rebuild: "messages" }
  ])
  await Rebuild.rebuild(driver, "main", "messages")
  expect(await findingsOf(driver)).toEqual([])
})

test("[OPERATIONS-31] a conversation without a document is found", async () => {
  const { driver, conversations } = await makeWorked(2)
  await driver.commit(
    [{ workspace: "main", views: [{ view: "conversations", key: conversations[0]!, delete: true }] }],
    0
  )
  expect(await findingsOf(driver)).toMatchObject([
    { key: `conversations/${conversations[0]}`, found: "no document", rebuild: "conversations" }
  ])
})

test("[OPERATIONS-31] a timer that is needed and not there is found, and one that nobody handles", async () => {
  const { driver, conversations } = await makeWorked(2)
  await driver.commit(
    [
      {
        workspace: "main",
        timers: [
          { clear: `snooze/${conversations[1]}` },
          { set: { kind: "nobody", key: "n", dueAtMs: 0, payload: {} } }
        ]
      }
    ],
    0
  )
  expect((await findingsOf(driver)).map(({ part, key }) => [part, key])).toEqual([
    ["timer", "n"],
    ["timer", `snooze/${conversations[1]}`]
  ])
})

test("[OPERATIONS-31] a cursor beyond the journal and an address of nobody are found", async () => {
  const { driver } = await makeWorked(1)
  await driver.load("main", [
    { kind: "cursor", reader: "inbox", position: 9999 },
    { kind: "claim", claim: { key: "address/verified/x", value: "nobody", revision: 1 } }
  ])
  expect((await findingsOf(driver)).map(({ part, key }) => [part, key])).toEqual([
    ["claim", "address/verified/x"],
    ["cursor", "inbox"]
  ])
})

test("[OPERATIONS-31] a hole in the journal, time that runs backwards and an event that nobody knows are found", async () => {
  const { driver } = await makeWorked(1)
  const broken: StorageDriver.StorageDriver = {
    ...driver,
    dump: async function* (workspace, after) {
      for await (const batch of driver.dump(workspace, after)) {
        yield batch.flatMap((holding): ReadonlyArray<StorageDriver.Holding> => {
          if (holding.kind !== "event") return [holding]
          const { event } = holding
          if (event.position === 2) return []
          if (event.position === 5) return [{ ...holding, event: { ...event, type: "Unheard", schema: 9 } }]
          return [{ ...holding, event: { ...event, recordedAtMs: event.recordedAtMs - event.position * 1e6 } }]
        })
      }
    }
  }
  const found = await findingsOf(broken)
  const journal = found.filter(({ part }) => part === "journal").map(({ expected }) => expected)
  expect(journal).toContain("position 2")
  expect(journal.some((expected) => expected.startsWith("a time from"))).toBe(true)
  expect(journal).toContain("an event that this release knows")
})

test("[OPERATIONS-32] a view that is no other than its journal is refused", async () => {
  const { driver } = await makeWorked(1)
  await expect(Rebuild.rebuild(driver, "main", "poolItems")).rejects.toMatchObject({ code: "unsupported" })
})

test("[OPERATIONS-33] views are rebuilt while a desk works, and all is whole in the end", async () => {
  const { driver } = await makeWorked(4)
  for (const view of ["messages", "contacts", "inbox", "metricStates", "metricBuckets"]) {
    const documents = await documentsOf(driver, view)
    await driver.commit(
      [
        {
          workspace: "main",
          views: documents
            .filter((_, index) => index % 2 === 0)
            .map(({ key }) => ({ view, key, delete: true as const }))
        }
      ],
      0
    )
  }
  const desk = await createDesk(configure(driver))
  await desk.start()
  const working = work(desk, 4, "c")
  for (const view of Rebuild.rebuildable) await Rebuild.rebuild(inTurns(driver), "main", view)
  await working
  await desk.stop()
  expect(await findingsOf(driver)).toEqual([])
})

test("[OPERATIONS-31] [OPERATIONS-32] what no journal tells of is found, and removed by rebuilding", async () => {
  const { driver } = await makeWorked(2)
  const before = await everything(driver)
  const views: Array<StorageDriver.ViewChange> = []
  for (const view of ["conversations", "messages", "contacts", "inbox"]) {
    const { document, version } = (await documentsOf(driver, view))[0]!
    views.push({ view, key: "nobody", put: document, ...(version !== undefined && { version }) })
  }
  const [message] = await documentsOf(driver, "messages")
  views.push({
    view: "messages",
    key: "of-nobody",
    put: { ...message!.document, conversationId: "nobody" },
    version: 1
  })
  await driver.commit([{ workspace: "main", views }], 0)
  const found = await findingsOf(driver)
  for (const key of [...views.slice(0, 4).map(({ view }) => `${view}/nobody`), "messages/of-nobody"])
    expect(found.map((finding) => finding.key)).toContain(key)
  for (const view of ["conversations", "messages", "contacts", "inbox"]) await Rebuild.rebuild(driver, "main", view)
  expect(await findingsOf(driver)).toEqual([])
  expect(unversioned(await everything(driver))).toEqual(unversioned(before))
})

test("[OPERATIONS-32] a message at a version that never was is put right", async () => {
  const { driver } = await makeWorked(2)
  for (const version of [999, undefined]) {
    const [message] = await documentsOf(driver, "messages")
    await driver.commit(
      [
        {
          workspace: "main",
          views: [
            {
              view: "messages",
              key: message!.key,
              put: message!.document,
              ...(version !== undefined && { version })
            }
          ]
        }
      ],
      0
    )
    expect(await findingsOf(driver)).toMatchObject([{ key: `messages/${message!.key}`, rebuild: "messages" }])
    expect(await Rebuild.rebuild(driver, "main", "messages")).toMatchObject({ changed: 1 })
    expect(await findingsOf(driver)).toEqual([])
  }
})

test.each(["conversations", "messages", "contacts", "inbox"])(
  "[OPERATIONS-33] somebody who is erased while %s is rebuilt does not come back",
  async (view) => {
    const { driver } = await makeWorked(1)
    const [contact] = await documentsOf(driver, "contacts")
    for (const { key, document, version } of await documentsOf(driver, view)) {
      // Of a contact without a document nobody can be erased.
      const wrong =
        view === "contacts" ? { put: { ...document, name: "x" }, version: version! } : { delete: true as const }
      await driver.commit([{ workspace: "main", views: [{ view, key, ...wrong }] }], 0)
    }
    let isErased = false
    // Everything is read, and before anything is written the whole erasure takes place.
    const late: StorageDriver.StorageDriver = {
      ...driver,
      commit: async (...commit) => {
        if (!isErased) {
          isErased = true
          const desk = await createDesk(configure(driver))
          await desk.erase(agent, contact!.key)
          await desk.stop()
        }
        return driver.commit(...commit)
      }
    }
    await Rebuild.rebuild(late, "main", view)
    expect(isErased).toBe(true)
    const left = (await everything(driver)).join("\n")
    expect(left).not.toContain("I am 0")
    expect(left).not.toContain("+34600")
    expect((await findingsOf(driver)).filter(({ rebuild }) => rebuild === view)).toEqual([])
  }
)

test("[OPERATIONS-33] [OPERATIONS-30] an erasure that was recorded is left to those who see it through", async () => {
  const { driver, conversations } = await makeWorked(1)
  // Dies when it was recorded: the words are still in the journal.
  const dying = await createDesk(configure({ ...driver, erase: () => Promise.reject(new Error("killed")) }))
  await dying.execute(agent, conversations[0]!, { type: "ResolveConversation" })
  await dying.execute(agent, conversations[0]!, { type: "EraseContent", reason: "request" }).catch(() => {})
  await dying.stop()
  expect(JSON.stringify(await driver.journal("main", 0, 1000))).toContain("I am 0")
  const before = await documentsOf(driver, "messages")
  expect(JSON.stringify(before)).not.toContain("I am 0")
  for (const view of Rebuild.rebuildable) await Rebuild.rebuild(driver, "main", view)
  expect(await documentsOf(driver, "messages")).toEqual(before)
  expect(await findingsOf(driver)).toEqual([])
})
