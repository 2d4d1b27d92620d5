/**
 * A desk's whole write set per message, through the storage service on SQLite, next to the same rows written raw by
 * `node:sqlite` into the same tables in transactions of as many commits: synchronous=FULL, the same disk, the same run.
 *
 * The write set is what a desk commits for signed WhatsApp messages: claim, events, conversation, message, contact, row of
 * the inbox, clocks, measures, timers and cursors. It is recorded on memory storage first. `--messages 10000`,
 * `--live 1000` conversations, `--at-once 1000` commits under way together.
 */
import { mkdtempSync, rmSync } from "node:fs"
import { join } from "node:path"
import { DatabaseSync } from "node:sqlite"
import { parseArgs } from "node:util"
import { createDesk, Views } from "@switchboard/desk"
import { MemoryBlobStore, MemoryStorage, Storage, type StorageDriver } from "@switchboard/storage"
import { SqliteStorage } from "@switchboard/storage-sqlite"
import { measure, report, say } from "./Figures.ts"
import * as Traffic from "./Traffic.ts"

const { values } = parseArgs({
  options: {
    live: { type: "string", default: "1000" },
    messages: { type: "string", default: "10000" },
    "at-once": { type: "string", default: "1000" },
    rounds: { type: "string", default: "3" },
    json: { type: "boolean", default: false }
  }
})
const live = Number(values.live)
const messages = Number(values.messages)
const atOnce = Number(values["at-once"])
const rounds = Number(values.rounds)
/** Commits of a raw transaction: as many as the service puts into a group. */
const groupSize = 128

/** Without the revisions of timers and claims: commits that touch nothing of each other may change places. */
const unfenced = ({ timers, claims, ...commit }: StorageDriver.Commit): StorageDriver.Commit => ({
  ...commit,
  ...(timers && { timers: timers.map((change) => ("set" in change ? { set: change.set } : { clear: change.clear })) }),
  ...(claims && { claims: claims.filter((change) => !("release" in change) && change.revision === undefined) })
})

/** What a desk commits for so many messages in so many conversations. */
const record = async (): Promise<ReadonlyArray<StorageDriver.Commit>> => {
  const memory = MemoryStorage.make()
  const recorded: Array<StorageDriver.Commit> = []
  const driver: StorageDriver.StorageDriver = {
    ...memory,
    commit: async (group, nowMs) => {
      const outcomes = await memory.commit(group, nowMs)
      for (const [index, outcome] of outcomes.entries()) if (outcome.ok) recorded.push(unfenced(group[index]!))
      return outcomes
    }
  }
  const desk = await createDesk(Traffic.configure(driver, MemoryBlobStore.make()))
  const traffic = Traffic.make(live)
  for (let sent = 0; sent < messages; sent += 500) {
    const some = traffic.next(Math.min(500, messages - sent))
    await Promise.all(
      some.map(async ({ body, signature }) => {
        const answer = await desk.fetch(
          new Request("http://desk.test/channels/whatsapp/", {
            method: "POST",
            headers: { "x-hub-signature-256": signature, "content-type": "application/json" },
            body
          })
        )
        if (!answer.ok) throw new Error(`${answer.status}: ${await answer.text()}`)
      })
    )
    await desk.drain()
  }
  await desk.stop()
  return recorded
}

const inDirectory = async <A>(run: (file: string) => Promise<A>): Promise<A> => {
  const directory = mkdtempSync(join(process.cwd(), ".bench-"))
  try {
    return await run(join(directory, "desk.db"))
  } finally {
    rmSync(directory, { recursive: true })
  }
}

/** Commits all through the service, so many under way at once. */
const throughService = (commits: ReadonlyArray<StorageDriver.Commit>) =>
  inDirectory(async (file) => {
    const storage = await Storage.open(SqliteStorage.make({ file }), {
      views: Views.definitions,
      now: () => 0,
      schedule: setImmediate
    })
    const workspace = storage.workspace("main")
    let next = 0
    const figures = await measure(() =>
      Promise.all(
        Array.from({ length: atOnce }, async () => {
          for (let commit = commits[next++]; commit !== undefined; commit = commits[next++]) {
            const { workspace: _, ...changes } = commit
            await workspace.commit(changes)
          }
        })
      )
    )
    await storage.close()
    return figures
  })

/** The same rows by plain prepared statements: no checks, no conflicts, nothing remembered. */
class Raw {
  readonly #db: DatabaseSync
  readonly #statements = new Map<string, ReturnType<DatabaseSync["prepare"]>>()
  readonly #versions = new Map<string, number>()
  #position = 0
  #revision = 0

  constructor(file: string) {
    this.#db = new DatabaseSync(file)
    this.#db.exec("PRAGMA synchronous = FULL; PRAGMA cache_size = -65536; PRAGMA wal_autocheckpoint = 4000")
    this.#db.exec("INSERT INTO workspaces (name, head, revisions) VALUES ('main', 0, 0)")
  }

  #run(sql: string, ...parameters: ReadonlyArray<string | number | null>): void {
    let statement = this.#statements.get(sql)
    if (statement === undefined) {
      statement = this.#db.prepare(sql)
      this.#statements.set(sql, statement)
    }
    statement.run(...parameters)
  }

  #put(change: Extract<StorageDriver.ViewChange, { readonly put: unknown }>): void {
    const view = Views.definitions.find(({ name }) => name === change.view)!
    const fields = Object.entries(view.fields)
    const columns = fields.map(([name]) => `, "f_${name}"`).join("")
    const updates = fields.map(([name]) => `, "f_${name}" = excluded."f_${name}"`).join("")
    const found = fields.map(([name, type]) => {
      const value = change.put[name] ?? null
      return type === "boolean" && value !== null ? Number(value) : (value as string | number | null)
    })
    this.#run(
      `INSERT INTO "view_${view.name}" (workspace, key, version, subject${columns}, document)
       VALUES (1, ?, ?, ?${", ?".repeat(fields.length)}, ?) ON CONFLICT (workspace, key) DO UPDATE
       SET version = excluded.version, subject = excluded.subject${updates}, document = excluded.document`,
      change.key,
      change.version ?? null,
      change.subject ?? null,
      ...found,
      JSON.stringify(change.put)
    )
    if ((view.words ?? []).length > 0) {
      this.#run(
        `INSERT OR IGNORE INTO words_changed (view, id) SELECT ?, id FROM "view_${view.name}" WHERE workspace = 1 AND key = ?`,
        view.name,
        change.key
      )
    }
  }

  #write({ appends = [], views = [], timers = [], claims = [], cursor }: StorageDriver.Commit): void {
    for (const { stream, events } of appends) {
      for (const event of events) {
        const version = (this.#versions.get(stream) ?? 0) + 1
        this.#versions.set(stream, version)
        const subject = event.personal?.subject ?? null
        this.#run(
          `INSERT INTO journal (id, workspace, stream, version, type, schema, recorded_at, subject, personal, body)
           VALUES (?, 1, ?, ?, ?, ?, ?, ?, ?, ?)`,
          ++this.#position,
          stream,
          version,
          event.type,
          event.schema,
          event.recordedAtMs,
          subject,
          event.personal ? JSON.stringify(event.personal.fields) : null,
          JSON.stringify(event.body)
        )
        if (subject !== null && version === 1)
          this.#run("INSERT OR IGNORE INTO subjects (workspace, subject, stream) VALUES (1, ?, ?)", subject, stream)
      }
    }
    for (const change of views) {
      if ("put" in change) this.#put(change)
      else this.#run(`DELETE FROM "view_${change.view}" WHERE workspace = 1 AND key = ?`, change.key)
    }
    for (const change of timers) {
      if ("clear" in change) this.#run("DELETE FROM timers WHERE workspace = 1 AND key = ?", change.clear)
      else {
        const { key, kind, dueAtMs, lane = null, subject = null, payload } = change.set
        this.#run(
          `INSERT INTO timers (workspace, key, kind, due_at, lane, subject, revision, sequence, ready, payload)
           VALUES (1, ?, ?, ?, ?, ?, ?, ?, 1, ?) ON CONFLICT (workspace, key) DO UPDATE
           SET due_at = excluded.due_at, revision = excluded.revision, payload = excluded.payload`,
          key,
          kind,
          dueAtMs,
          lane,
          subject,
          ++this.#revision,
          this.#revision,
          JSON.stringify(payload)
        )
      }
    }
    if (cursor)
      this.#run(
        "INSERT OR REPLACE INTO cursors (reader, workspace, position) VALUES (?, 1, ?)",
        cursor.reader,
        cursor.to
      )
    for (const claim of claims) {
      if ("release" in claim) continue
      this.#run(
        "INSERT OR REPLACE INTO claims (workspace, key, value, expires_at, revision, subject) VALUES (1, ?, ?, ?, ?, ?)",
        claim.key,
        claim.value,
        claim.expiresAtMs ?? null,
        ++this.#revision,
        claim.subject ?? null
      )
    }
  }

  async commitAll(commits: ReadonlyArray<StorageDriver.Commit>): Promise<void> {
    for (let from = 0; from < commits.length; from += groupSize) {
      this.#db.exec("BEGIN IMMEDIATE")
      for (const commit of commits.slice(from, from + groupSize)) this.#write(commit)
      this.#run("UPDATE workspaces SET head = ?, revisions = ? WHERE id = 1", this.#position, this.#revision)
      this.#db.exec("COMMIT")
      await new Promise(setImmediate)
    }
  }

  close(): void {
    this.#db.close()
  }
}

const raw = (commits: ReadonlyArray<StorageDriver.Commit>) =>
  inDirectory(async (file) => {
    const driver = SqliteStorage.make({ file })
    await driver.prepare(Views.definitions)
    await driver.close()
    const writer = new Raw(file)
    const figures = await measure(() => writer.commitAll(commits))
    writer.close()
    return figures
  })

const median = (all: ReadonlyArray<number>): number => all.toSorted((left, right) => left - right)[all.length >> 1]!

say(`recording the write set of ${messages} messages in ${live} conversations …`)
const commits = await record()
say(`${commits.length} commits; ${atOnce} under way at once; medians of ${rounds} rounds`)
const found: Array<Awaited<ReturnType<typeof raw>>> = []
const baselines: typeof found = []
for (let round = 0; round < rounds; round++) {
  baselines.push(await raw(commits))
  found.push((await throughService(commits)) as unknown as (typeof found)[number])
}
const perSecond = (all: typeof found) => median(all.map(({ ms }) => (messages / ms) * 1000))
report({
  name: `write set of a desk, ${live} live`,
  value: perSecond(found),
  unit: "messages/s",
  baseline: perSecond(baselines)
})
report({
  name: "CPU per message",
  value: median(found.map(({ cpuMs }) => (cpuMs * 1000) / messages)),
  unit: "µs",
  baseline: median(baselines.map(({ cpuMs }) => (cpuMs * 1000) / messages))
})
report({
  name: "written per message",
  value: median(found.map(({ writtenBytes }) => writtenBytes / messages / 1000)),
  unit: "kB",
  baseline: median(baselines.map(({ writtenBytes }) => writtenBytes / messages / 1000))
})
