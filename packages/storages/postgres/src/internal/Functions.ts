import { commitFunction } from "./CommitFunction.ts"

/** Makes the oldest timer of each lane ready. */
const freeLanes = `
CREATE OR REPLACE FUNCTION free_lanes(spaces int[], lanes text[]) RETURNS void LANGUAGE sql
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

/**
 * The epoch of a workspace, or where it would begin, which is read first: of one that is dropped meanwhile nothing newer is
 * told than what is read of it afterwards.
 */
const epochFunction = `
CREATE OR REPLACE FUNCTION workspace_epoch(space text) RETURNS bigint LANGUAGE plpgsql VOLATILE
SET search_path = SCHEMA, pg_temp
AS $function$
DECLARE
  beginning bigint;
  standing bigint;
BEGIN
  SELECT e.last_value INTO beginning FROM epochs e;
  SELECT w.epoch INTO standing FROM workspaces w WHERE w.name = space;
  RETURN coalesce(standing, beginning);
END
$function$
`

const eraseFunction = `
CREATE OR REPLACE FUNCTION erase_subject(
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
  UPDATE workspaces w SET epoch = nextval('epochs') + 1 WHERE w.id = number;

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
CREATE OR REPLACE FUNCTION forget_words() RETURNS trigger LANGUAGE plpgsql
SET enable_seqscan = off SET search_path = SCHEMA, pg_temp
AS $function$
BEGIN
  EXECUTE format('DELETE FROM %I w USING gone g WHERE w.workspace = g.workspace AND w.key = g.key', TG_ARGV[0]);
  RETURN NULL;
END
$function$
`

const all: Readonly<Record<string, string>> = {
  free_lanes: freeLanes,
  forget_words: forgetWords,
  workspace_epoch: epochFunction,
  erase_subject: eraseFunction,
  commit_group: commitFunction
}

/**
 * Drops what there is of functions by these names, with whatever parameters, so that who still runs an older program is
 * refused. Those of triggers have none, and are only made anew.
 */
const dropFunctions = `
DO $do$
DECLARE
  each regprocedure;
BEGIN
  FOR each IN
    SELECT p.oid FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
    WHERE n.nspname = current_schema() AND p.prorettype <> 'trigger'::regtype
      AND p.proname IN (${Object.keys(all)
        .map((name) => `'${name}'`)
        .join(", ")})
  LOOP
    EXECUTE 'DROP FUNCTION ' || each;
  END LOOP;
END
$do$
`

/** Makes the functions as they are now, whatever was there. `SCHEMA` stands for the schema's name. */
export const functions: ReadonlyArray<string> = [dropFunctions, ...Object.values(all)]
