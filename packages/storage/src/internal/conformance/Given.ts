/** What the topics of the suite start from: views, commits, hard texts, and how an outcome is read. */
import type { Append, Commit, NewEvent, NewTimer, Outcome, StorageDriver, ViewDefinition } from "../../StorageDriver.ts"

/** A view with fields of every type, and one without. */
export const things: ViewDefinition = {
  name: "things",
  version: 1,
  fields: { name: "text", size: "number", open: "boolean", owner: "text" },
  indexes: [["open", "size"], ["owner", "name"], ["size"]]
}
export const notes: ViewDefinition = { name: "notes", version: 1, fields: {}, indexes: [] }
/** A view whose words can be searched. */
export const letters: ViewDefinition = { name: "letters", version: 1, fields: {}, indexes: [], words: ["parts.text"] }
export const views = [things, notes, letters]

export const event = (type: string, recordedAtMs = 0, body: NewEvent["body"] = {}): NewEvent => ({
  type,
  schema: 1,
  recordedAtMs,
  body
})

export const append = (stream: string, expectedVersion: number, count = 1): Append => ({
  stream,
  expectedVersion,
  events: Array.from({ length: count }, (_, index) => event(`E${expectedVersion + index + 1}`))
})

export const timer = (key: string, dueAtMs: number, more: Partial<NewTimer> = {}): NewTimer => ({
  kind: "job",
  key,
  dueAtMs,
  payload: {},
  ...more
})

export const committed = (outcome: Outcome | undefined): ReadonlyArray<number> => {
  if (outcome?.ok !== true) throw new Error(`expected a commit, found ${JSON.stringify(outcome)}`)
  return outcome.positions
}

export const refused = (outcome: Outcome | undefined) => {
  if (outcome?.ok !== false) throw new Error(`expected a conflict, found ${JSON.stringify(outcome)}`)
  return outcome.conflict
}

/** Every text a backend is likely to trip over. */
export const hardTexts: ReadonlyArray<string> = [
  "",
  "plain",
  'it\'s; drop table "things" -- %_\\',
  "new\nline\ttab\r\u0000nul",
  "ñandú ç العربية 日本語 👩‍👩‍👧 \u{10ffff}",
  "\ud800 lone \udfff",
  "\u2028\u2029\ufeff\ufffe\uffff",
  "x".repeat(100_000)
]

export const hardBody = {
  texts: hardTexts,
  numbers: [0, 1, -1, 0.1, 1e21, 1e-7, Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER, Number.MAX_VALUE, 5e-324],
  nothing: null,
  yes: true,
  no: false,
  empty: { list: [], object: {}, "": "empty key" },
  "hard \u0000 \ud800 key": 1
}

/** Opens an empty storage with the views for one test, and closes it afterwards. */
export type Opened = (
  title: string,
  run: (driver: StorageDriver, subject: { readonly reopen?: () => Promise<StorageDriver> }) => Promise<void>
) => void

/** The same for a durable one: `reopen` closes what was open and opens the data again, not prepared. */
export type Reopened = (
  title: string,
  run: (driver: StorageDriver, reopen: () => Promise<StorageDriver>) => Promise<void>
) => void

/** The outcome of a commit that is alone in its group. */
export const one = async (driver: StorageDriver, commit: Commit, nowMs = 0): Promise<Outcome> =>
  (await driver.commit([commit], nowMs))[0]!

/** A commit that writes one of everything, and what then stands or doesn't. */
export const whole = (workspace: string): Commit => ({
  workspace,
  appends: [append("s/1", 0, 2)],
  views: [{ view: "things", key: "t1", put: { name: "one" }, version: 2 }],
  timers: [{ set: timer("w1", 5) }],
  cursor: { reader: "r", from: 0, to: 2 },
  claims: [{ key: "c1", value: "v" }]
})

export const state = async (driver: StorageDriver, workspace: string) => ({
  journal: (await driver.journal(workspace, 0, 100)).map((stored) => `${stored.stream} ${stored.version}`),
  document: (await driver.documents(workspace, "things", ["t1"]))[0]?.document,
  timer: (await driver.timers(workspace, ["w1"]))[0]?.dueAtMs,
  cursor: await driver.cursor(workspace, "r"),
  claim: (await driver.claims(workspace, ["c1"], 0))[0]?.value
})

export const written = { journal: ["s/1 1", "s/1 2"], document: { name: "one" }, timer: 5, cursor: 2, claim: "v" }
export const nothing = { journal: [], document: undefined, timer: undefined, cursor: 0, claim: undefined }

/** Documents whose order differs by every field. */
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

export const stock = async (driver: StorageDriver) => {
  const changes = shelf.map(([key, put]) => ({ view: "things", key, put }))
  committed(await one(driver, { workspace: "w", views: changes }))
}

/** What is due, as `workspace:key`, in order. */
export const dueKeys = async (
  driver: StorageDriver,
  nowMs: number,
  kinds: ReadonlyArray<string> = ["job"],
  limit = 99
) => (await driver.due(nowMs, kinds, limit)).map(({ workspace, key }) => `${workspace}:${key}`).join(" ")
