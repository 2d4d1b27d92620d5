import type { Commit, Erased, Outcome } from "@switchboard/storage/StorageDriver"
import { key, quote, type ViewNames } from "./Columns.ts"
import { type Database, number } from "./Database.ts"
import { type Answer, pack, unpack } from "./Packed.ts"

interface ErasedRow {
  readonly events: bigint
  readonly document_view: ReadonlyArray<string>
  readonly document_key: ReadonlyArray<string>
  readonly timer_key: ReadonlyArray<string>
  readonly claim_key: ReadonlyArray<string>
}

// A sweep keeps others from claiming only for so many at a time.
const sweepAtOnce = 5_000

/** Every write of the contract, each one call. */
export class Writer {
  readonly #database: Database
  readonly #views: ReadonlyMap<string, ViewNames>
  readonly #instance: string
  readonly #statements
  /** `instance` is what this driver calls itself in notifications. */
  constructor(database: Database, views: ReadonlyMap<string, ViewNames>, instance: string) {
    this.#database = database
    this.#views = views
    this.#instance = instance
    const schema = quote(database.settings.schema)
    const places = Array.from({ length: 46 }, (_, index) => `$${index + 1}`).join(", ")
    this.#statements = {
      commit: `SELECT * FROM ${schema}.commit_group(${places})`,
      erase: `SELECT * FROM ${schema}.erase_subject($1, $2)`,
      // What another one has locked is left to it: nobody waits here, so nobody waits in a circle.
      sweep: `WITH expired AS (
          SELECT c.workspace, c.key FROM ${schema}.claims c WHERE c.expires_at <= $1::float8 AND c.expires_at IS NOT NULL
          LIMIT ${sweepAtOnce} FOR UPDATE SKIP LOCKED
        ), gone AS (
          DELETE FROM ${schema}.claims c USING expired e WHERE c.workspace = e.workspace AND c.key = e.key RETURNING 1
        ) SELECT count(*)::int4 AS count FROM gone`
    }
  }

  async commit(group: ReadonlyArray<Commit>, nowMs: number): Promise<ReadonlyArray<Outcome>> {
    if (group.length === 0) return []
    const { schema } = this.#database.settings
    const parameters = [number(nowMs), schema, this.#instance, ...pack(this.#views, group)]
    const rows = await this.#database.write<Answer>(this.#statements.commit, parameters)
    return unpack(group, rows[0]!)
  }

  async erase(workspace: string, subject: string): Promise<Erased> {
    const parameters = [key("workspace", workspace), key("subject", subject)]
    const [row] = await this.#database.write<ErasedRow>(this.#statements.erase, parameters)
    const { events, document_view, document_key, timer_key, claim_key } = row!
    const documents = document_key.map((name, index) => ({ view: document_view[index]!, key: name }))
    return { events: Number(events), documents, timers: timer_key, claims: claim_key }
  }

  async sweep(nowMs: number): Promise<number> {
    let swept = 0
    for (;;) {
      const [row] = await this.#database.write<{ readonly count: number }>(this.#statements.sweep, [nowMs])
      swept += row!.count
      if (row!.count < sweepAtOnce) return swept
    }
  }
}
