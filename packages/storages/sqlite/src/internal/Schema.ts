import type { DatabaseSync } from "node:sqlite"
import { SqliteStorageError } from "../SqliteStorageError.ts"

/** "SWBD": marks a file as ours. */
export const applicationId = 0x53574244

/**
 * Forward only: a released step is never changed, a new one is added at the end. `user_version` counts the steps done.
 *
 * - `journal.id` is the workspace's number and the position in one (see Position.ts), so that the table itself is the
 *   index of the journal and a workspace's events lie side by side.
 * - `subjects` says in which streams a subject has personal fields: one small row per stream instead of an index entry
 *   per event.
 * - `timers.ready` is 0 for a timer that waits behind another of its lane: only ready ones are in the due index.
 * - `words_state` says how far the full-text index of a view has come, in ids of its rows; `words_changed` names the rows
 *   before that which changed since.
 * - A primary key on a `WITHOUT ROWID` table only where rows are small; documents and payloads would make it slow.
 */
export const migrations: ReadonlyArray<string> = [
  `
  CREATE TABLE workspaces (
    id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, head INTEGER NOT NULL, revisions INTEGER NOT NULL
  );
  CREATE TABLE journal (
    id INTEGER PRIMARY KEY, workspace INTEGER NOT NULL, stream TEXT NOT NULL, version INTEGER NOT NULL,
    type TEXT NOT NULL, schema INTEGER NOT NULL, recorded_at NUMERIC NOT NULL, subject TEXT, personal TEXT,
    body TEXT NOT NULL
  );
  CREATE UNIQUE INDEX journal_stream ON journal (workspace, stream, version);
  CREATE TABLE subjects (
    workspace INTEGER NOT NULL, subject TEXT NOT NULL, stream TEXT NOT NULL, PRIMARY KEY (workspace, subject, stream)
  ) WITHOUT ROWID;
  CREATE TABLE views (
    name TEXT NOT NULL PRIMARY KEY, version INTEGER NOT NULL, fields TEXT NOT NULL, indexes TEXT NOT NULL
  ) WITHOUT ROWID;
  CREATE TABLE timers (
    id INTEGER PRIMARY KEY, workspace INTEGER NOT NULL, key TEXT NOT NULL, kind TEXT NOT NULL, due_at NUMERIC NOT NULL,
    lane TEXT, subject TEXT, revision INTEGER NOT NULL, sequence INTEGER NOT NULL, ready INTEGER NOT NULL,
    payload TEXT NOT NULL
  );
  CREATE UNIQUE INDEX timers_key ON timers (workspace, key);
  CREATE INDEX timers_due ON timers (kind, due_at) WHERE ready = 1;
  CREATE INDEX timers_lane ON timers (workspace, lane, sequence) WHERE lane IS NOT NULL;
  CREATE TABLE cursors (
    reader TEXT NOT NULL, workspace INTEGER NOT NULL, position INTEGER NOT NULL, PRIMARY KEY (reader, workspace)
  ) WITHOUT ROWID;
  CREATE TABLE claims (
    workspace INTEGER NOT NULL, key TEXT NOT NULL, value TEXT NOT NULL, expires_at NUMERIC, revision INTEGER NOT NULL,
    subject TEXT, PRIMARY KEY (workspace, key)
  ) WITHOUT ROWID;
  CREATE INDEX claims_expiry ON claims (expires_at) WHERE expires_at IS NOT NULL;
  `,
  `
  CREATE TABLE words_state (view TEXT NOT NULL PRIMARY KEY, paths TEXT NOT NULL, position INTEGER NOT NULL) WITHOUT ROWID;
  CREATE TABLE words_changed (view TEXT NOT NULL, id INTEGER NOT NULL, PRIMARY KEY (view, id)) WITHOUT ROWID;
  `,
  "ALTER TABLE workspaces ADD COLUMN epoch INTEGER NOT NULL DEFAULT 0"
]

/** What a file says of itself before anything is written to it. */
export interface FileState {
  readonly version: number
  readonly application: number
  readonly empty: boolean
}

export const stateOf = (db: DatabaseSync): FileState => {
  const number = (name: string) => Number(Object.values(db.prepare(`PRAGMA ${name}`).get() ?? { 0: 0 })[0])
  return {
    version: number("user_version"),
    application: number("application_id"),
    empty: db.prepare("SELECT 1 FROM sqlite_schema LIMIT 1").get() === undefined
  }
}

/** **Fails with** {@link SqliteStorageError} (thrown) for a file that is neither ours nor new, or of a newer version. */
export const checkState = (file: string, { version, application, empty }: FileState): void => {
  if (application !== applicationId && !(application === 0 && empty))
    throw new SqliteStorageError("sqlite-foreign", file, "it holds other tables than ours")
  if (version > migrations.length)
    throw new SqliteStorageError(
      "sqlite-newer",
      file,
      `its schema version is ${version}, known are those up to ${migrations.length}`
    )
}

/** Does the steps still missing, inside the caller's transaction. */
export const migrate = (db: DatabaseSync, from: number): void => {
  if (from === migrations.length) return
  for (const step of migrations.slice(from)) db.exec(step)
  db.exec(`PRAGMA application_id = ${applicationId}; PRAGMA user_version = ${migrations.length}`)
}
