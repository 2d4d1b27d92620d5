import { commitFunction, commitFunctionAmongDrops } from "./CommitFunction.ts"

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
CREATE TABLE views (name text COLLATE "C" PRIMARY KEY, version bigint NOT NULL, "table" text NOT NULL, put text NOT NULL);
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

/** Makes the oldest timer of each lane ready. */
const freeLanes = `
CREATE FUNCTION free_lanes(spaces int[], lanes text[]) RETURNS void LANGUAGE sql
SET enable_seqscan = off SET search_path = SCHEMA, pg_temp
AS $function$
  UPDATE timers o SET ready = true
  FROM (
    SELECT DISTINCT f.workspace, n.key FROM unnest(spaces, lanes) f(workspace, lane)
    CROSS JOIN LATERAL (
      SELECT t.key FROM timers t WHERE t.workspace = f.workspace AND t.lane = f.lane ORDER BY t.sequence LIMIT 1
    ) n
  ) first
  WHERE o.workspace = first.workspace AND o.key = first.key AND NOT o.ready
$function$
`

const eraseFunction = `
CREATE FUNCTION erase_subject(
  space text, person text,
  OUT events bigint, OUT document_view text[], OUT document_key text[], OUT timer_key text[], OUT claim_key text[]
) LANGUAGE plpgsql VOLATILE
SET enable_seqscan = off SET search_path = SCHEMA, pg_temp
AS $function$
DECLARE
  number int;
  each record;
  keys text[];
  freed_space int[];
  freed_lane text[];
BEGIN
  IF current_setting('synchronous_commit') = 'off' THEN PERFORM set_config('synchronous_commit', 'on', true); END IF;
  events := 0; document_view := '{}'; document_key := '{}'; timer_key := '{}'; claim_key := '{}';
  SELECT w.id INTO number FROM workspaces w WHERE w.name = space FOR UPDATE;
  IF number IS NULL THEN RETURN; END IF;

  UPDATE journal j SET personal = NULL FROM subjects s
  WHERE s.workspace = number AND s.subject = person
    AND j.workspace = number AND j.stream = s.stream AND j.subject = person AND j.personal IS NOT NULL;
  GET DIAGNOSTICS events = ROW_COUNT;
  DELETE FROM subjects s WHERE s.workspace = number AND s.subject = person;

  -- Every view there is, also one this program doesn't know.
  FOR each IN SELECT v.name, v."table" FROM views v ORDER BY v.name LOOP
    EXECUTE format('WITH gone AS (DELETE FROM %I WHERE workspace = $1 AND subject = $2 RETURNING key)
      SELECT array_agg(key ORDER BY key) FROM gone', each."table") INTO keys USING number, person;
    IF keys IS NOT NULL THEN
      document_key := document_key || keys;
      document_view := document_view || array_fill(each.name, ARRAY[cardinality(keys)]);
    END IF;
  END LOOP;

  WITH gone AS (DELETE FROM timers o WHERE o.workspace = number AND o.subject = person RETURNING o.*)
  SELECT coalesce(array_agg(gone.key ORDER BY gone.sequence), '{}'),
    array_agg(gone.workspace) FILTER (WHERE gone.ready AND gone.lane IS NOT NULL),
    array_agg(gone.lane) FILTER (WHERE gone.ready AND gone.lane IS NOT NULL)
  INTO timer_key, freed_space, freed_lane FROM gone;
  IF freed_space IS NOT NULL THEN PERFORM free_lanes(freed_space, freed_lane); END IF;

  WITH gone AS (DELETE FROM claims o WHERE o.workspace = number AND o.subject = person RETURNING o.key)
  SELECT coalesce(array_agg(gone.key ORDER BY gone.key), '{}') INTO claim_key FROM gone;
END
$function$
`

/** What is deleted takes its words with it, whoever deletes it. The argument is the table of the view's words. */
const forgetWords = `
CREATE FUNCTION forget_words() RETURNS trigger LANGUAGE plpgsql
SET enable_seqscan = off SET search_path = SCHEMA, pg_temp
AS $function$
BEGIN
  EXECUTE format('DELETE FROM %I w USING gone g WHERE w.workspace = g.workspace AND w.key = g.key', TG_ARGV[0]);
  RETURN NULL;
END
$function$
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
 * Documents get numbers in the order of their first put. Of those that are there that order is known only where they have
 * words; the others are numbered in the order of their keys. Functions that put without a number go on as they are.
 */
const numberDocuments = `
DO $do$
DECLARE
  each record;
  ordered text;
  last bigint;
BEGIN
  FOR each IN SELECT v."table", v.words FROM views v ORDER BY v.name LOOP
    ordered := CASE WHEN each.words IS NULL THEN format('SELECT d.workspace, d.key, 0 AS number FROM %I d', each."table")
      ELSE format('SELECT w.workspace, w.key, w.number FROM %I w', each.words) END;
    EXECUTE format('ALTER TABLE %I ADD COLUMN number bigint', each."table");
    EXECUTE format('UPDATE %I v SET number = o.place FROM (
        SELECT d.workspace, d.key, row_number() OVER (ORDER BY d.number, d.workspace, d.key) AS place FROM (%s) d
      ) o WHERE o.workspace = v.workspace AND o.key = v.key', each."table", ordered);
    EXECUTE format('SELECT coalesce(max(number), 0) FROM %I', each."table") INTO last;
    EXECUTE format('ALTER TABLE %I ALTER COLUMN number SET NOT NULL', each."table");
    EXECUTE format('ALTER TABLE %I ALTER COLUMN number ADD GENERATED BY DEFAULT AS IDENTITY (START WITH %s)',
      each."table", last + 1);
  END LOOP;
END
$do$
`

/**
 * Forward only: a released step is never changed, a new one is added at the end. `SCHEMA` stands for the schema's name.
 *
 * - `journal`'s primary key is the order of the journal; a workspace's events lie side by side in it.
 * - `subjects` says in which streams a subject has personal fields: one row per stream instead of an index entry per event.
 * - `timers.ready` is false for a timer that waits behind another of its lane: only ready ones are in the due index.
 * - `views.words` names the table of the view's words, where it has any.
 * - `number` of a view's table is the order of first puts. It is in no index, which would cost every new document: who asks
 *   for the order sorts, and that is only a dump, or what builds a table anew.
 * - Rows that are written over and over have room for it on their page, so that no index entry is written with them.
 */
export const migrations: ReadonlyArray<ReadonlyArray<string>> = [
  [...tables.split(";"), freeLanes, eraseFunction, commitFunction],
  ["ALTER TABLE views ADD COLUMN words text", forgetWords, ...unsampled],
  [numberDocuments, commitFunctionAmongDrops]
]
