import { commitFunction } from "./CommitFunction.ts"

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

/**
 * Forward only: a released step is never changed, a new one is added at the end. `SCHEMA` stands for the schema's name.
 *
 * - `journal`'s primary key is the order of the journal; a workspace's events lie side by side in it.
 * - `subjects` says in which streams a subject has personal fields: one row per stream instead of an index entry per event.
 * - `timers.ready` is false for a timer that waits behind another of its lane: only ready ones are in the due index.
 * - Rows that are written over and over have room for it on their page, so that no index entry is written with them.
 */
export const migrations: ReadonlyArray<ReadonlyArray<string>> = [
  [...tables.split(";"), freeLanes, eraseFunction, commitFunction]
]
