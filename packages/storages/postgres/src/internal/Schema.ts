/** What marks the table of steps, and so a schema, as ours. */
export const mark = "Switchboard storage"

const tables = `
CREATE TABLE workspaces (
  id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text COLLATE "C" NOT NULL UNIQUE,
  head bigint NOT NULL DEFAULT 0, revisions bigint NOT NULL DEFAULT 0
) WITH (fillfactor = 50);
CREATE TABLE journal (
  workspace integer NOT NULL, position bigint NOT NULL, stream text COLLATE "C" NOT NULL, version bigint NOT NULL,
  type text NOT NULL, schema bigint NOT NULL, recorded_at float8 NOT NULL, subject text COLLATE "C", personal text,
  body text NOT NULL,
  PRIMARY KEY (workspace, position), UNIQUE (workspace, stream, version)
);
CREATE TABLE subjects (
  workspace integer NOT NULL, subject text COLLATE "C" NOT NULL, stream text COLLATE "C" NOT NULL,
  PRIMARY KEY (workspace, subject, stream)
);
CREATE TABLE views (
  name text COLLATE "C" PRIMARY KEY, version bigint NOT NULL, "table" text NOT NULL, put text NOT NULL, words text,
  step int NOT NULL
);
CREATE TABLE timers (
  workspace integer NOT NULL, key text COLLATE "C" NOT NULL, kind text COLLATE "C" NOT NULL, due_at float8 NOT NULL,
  lane text COLLATE "C", subject text COLLATE "C", revision bigint NOT NULL, sequence bigint NOT NULL,
  ready boolean NOT NULL, payload text NOT NULL,
  PRIMARY KEY (workspace, key)
) WITH (fillfactor = 70);
CREATE INDEX timers_due ON timers (kind, due_at, workspace, sequence) WHERE ready;
CREATE INDEX timers_lane ON timers (workspace, lane, sequence) WHERE lane IS NOT NULL;
CREATE TABLE cursors (
  workspace integer NOT NULL, reader text COLLATE "C" NOT NULL, position bigint NOT NULL,
  PRIMARY KEY (workspace, reader)
) WITH (fillfactor = 50);
CREATE TABLE claims (
  workspace integer NOT NULL, key text COLLATE "C" NOT NULL, value text NOT NULL, expires_at float8,
  revision bigint NOT NULL, subject text COLLATE "C",
  PRIMARY KEY (workspace, key)
);
CREATE INDEX claims_expiry ON claims (expires_at) WHERE expires_at IS NOT NULL
`

/**
 * Statistics keep samples of what a column holds. Nothing is looked for by these, so there is no use in sampling them, and
 * what was erased is not kept there.
 */
const unsampled = ["journal.personal", "journal.body", "timers.payload", "claims.value"].map((name) => {
  const [table, column] = name.split(".")
  return `ALTER TABLE ${table} ALTER COLUMN ${column} SET STATISTICS 0`
})

/**
 * What tables hold, forward only: a released step is never changed, a new one is added at the end. Functions are made anew
 * after the last of them, so a function that changes needs a step too, if only an empty one.
 *
 * - `journal`'s primary key is the order of the journal; a workspace's events lie side by side in it.
 * - `subjects` says in which streams a subject has personal fields: one row per stream instead of an index entry per event.
 * - `timers.ready` is false for a timer that waits behind another of its lane: only ready ones are in the due index.
 * - `views.words` names the table of the view's words, where it has any; `step` is the one after which `put` was made.
 * - `number` of a view's table is the order of first puts. It is in no index, which would cost every new document: who asks
 *   for the order sorts, and that is only a dump, or what builds a table anew.
 * - Rows that are written over and over have room for it on their page, so that no index entry is written with them.
 * - `epochs` gives no number twice, so nothing has to be kept of a workspace that was dropped. Its numbers are even: at the
 *   last one workspaces begin, and that is read of absent ones. Raised is to the odd one after the next: so what is read of
 *   a workspace that another begins and raises meanwhile is never where it will stand.
 */
export const migrations: ReadonlyArray<ReadonlyArray<string>> = [
  [...tables.split(";"), ...unsampled],
  [
    "ALTER TABLE workspaces ADD COLUMN epoch bigint NOT NULL DEFAULT 0",
    "CREATE SEQUENCE epochs INCREMENT 2 MINVALUE 0 START 0",
    "SELECT nextval('epochs')"
  ]
]
