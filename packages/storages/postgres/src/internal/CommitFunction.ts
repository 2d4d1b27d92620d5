/**
 * The function that writes a group of commits, whole, in one round trip.
 *
 * It locks the counter rows of the group's workspaces, so that what it reads afterwards stands still and positions are
 * given in the order of commit. Then it reads what the commits expect, one statement per kind; decides which of them
 * hold, and which positions, versions and revisions they get; and writes what holds, one statement per kind. Each
 * statement of a volatile function has a snapshot of its own, so what is read after the lock is what stands.
 *
 * Arrays of one kind run side by side; `…_commit` and `event_append` say to which commit or append an entry belongs,
 * `event_step` and `event_turn` the event's number in its commit and in its append. It answers with the position before
 * the first of each commit (null: refused), the conflicts, and the time at which each append's stream stood.
 *
 * A group that waited for a workspace that went is begun again by its caller.
 */
export const commitFunction = `
CREATE OR REPLACE FUNCTION commit_group(
  now_ms float8, channel text, instance text,
  names text[], commit_space int[], commit_epoch float8[], commit_raises boolean[], commit_writes boolean[],
  commit_events int[],
  append_commit int[], append_stream text[], append_expected float8[],
  event_append int[], event_step int[], event_turn int[], event_type text[], event_schema float8[], event_at float8[], event_subject text[],
  event_personal text[], event_body text[],
  timer_commit int[], timer_key text[], timer_expected float8[], timer_kind text[], timer_due float8[],
  timer_lane text[], timer_subject text[], timer_payload text[],
  cursor_commit int[], cursor_reader text[], cursor_from float8[], cursor_to float8[],
  claim_commit int[], claim_key text[], claim_expected float8[], claim_value text[], claim_expires float8[],
  claim_subject text[],
  view_put text[], view_documents int[], view_columns int[],
  document_commit int[], document_key text[], document_version float8[], document_subject text[], document_text text[],
  document_columns text[],
  OUT bases float8[], OUT conflicts text[], OUT stream_times float8[]
) LANGUAGE plpgsql VOLATILE
-- Plans are kept, and made when tables may still be empty: they must fit tables that are large.
SET enable_seqscan = off SET plan_cache_mode = force_generic_plan SET search_path = SCHEMA, pg_temp
AS $function$
DECLARE
  created int[];
  spaces int[];
  heads bigint[];
  counters bigint[];
  found_epochs bigint[];
  before_heads bigint[];
  stream_versions bigint[];
  commit_base bigint[];
  fails boolean;
  timer_found bigint[];
  timer_lane_found text[];
  timer_sequence bigint[];
  timer_revision bigint[];
  timer_kept boolean[];
  freed_space int[];
  freed_lane text[];
  cursor_found bigint[];
  claim_found bigint[];
  claim_value_found text[];
  claim_expires_found float8[];
  claim_revision bigint[];
  document_space int[];
  s int; t int := 1; l int := 1; d int := 1; f int := 1; upto int;
  next_revision bigint;
BEGIN
  IF current_setting('synchronous_commit') = 'off' THEN PERFORM set_config('synchronous_commit', 'on', true); END IF;

  -- The workspaces. New ones come first, in the order of their names, then all are locked in the order of their ids:
  -- who waits for a row holds none that comes after it.
  IF (SELECT count(*) FROM workspaces w WHERE w.name = ANY(names)) < cardinality(names) THEN
    WITH added AS (
      INSERT INTO workspaces (name)
      SELECT n.name FROM unnest(names) n(name) WHERE NOT EXISTS (SELECT FROM workspaces w WHERE w.name = n.name)
      ORDER BY n.name COLLATE "C" ON CONFLICT (name) DO NOTHING RETURNING id
    ) SELECT array_agg(added.id) INTO created FROM added;
    -- Only now nobody else can begin and drop them: what was read before may be where one of them stood already.
    UPDATE workspaces w SET epoch = (SELECT e.last_value FROM epochs e) WHERE w.id = ANY(created);
  END IF;
  WITH locked AS MATERIALIZED (
    SELECT w.id, w.name, w.head, w.revisions, w.epoch FROM workspaces w
    WHERE w.name = ANY(names) ORDER BY w.id FOR UPDATE
  )
  SELECT array_agg(w.id ORDER BY n.place), array_agg(w.head ORDER BY n.place),
    array_agg(w.revisions ORDER BY n.place), array_agg(w.epoch ORDER BY n.place)
  INTO spaces, heads, counters, found_epochs
  FROM unnest(names) WITH ORDINALITY n(name, place) JOIN locked w ON w.name = n.name;
  IF cardinality(spaces) IS DISTINCT FROM cardinality(names) THEN
    RAISE EXCEPTION 'a workspace was dropped meanwhile' USING ERRCODE = 'serialization_failure';
  END IF;
  before_heads := heads;

  conflicts := array_fill(NULL::text, ARRAY[cardinality(commit_space)]);

  -- What stands elsewhere than expected: the first of a commit counts: epoch, streams, timers, cursor, claims.
  SELECT bool_or(found_epochs[x.space] <> x.expected) INTO fails FROM unnest(commit_space, commit_epoch) x(space, expected);
  FOR i IN 1..CASE WHEN fails THEN cardinality(commit_epoch) ELSE 0 END LOOP
    IF found_epochs[commit_space[i]] <> commit_epoch[i] THEN
      conflicts[i] := json_build_object('kind', 'epoch', 'key', names[commit_space[i]],
        'expected', commit_epoch[i], 'found', found_epochs[commit_space[i]]);
    END IF;
  END LOOP;
  IF cardinality(append_commit) > 0 THEN
    SELECT array_agg(coalesce(j.version, 0) ORDER BY x.place),
      array_agg(coalesce(j.recorded_at, '-Infinity') ORDER BY x.place),
      bool_or(coalesce(j.version, 0) <> x.expected)
    INTO stream_versions, stream_times, fails
    FROM unnest(append_commit, append_stream, append_expected) WITH ORDINALITY x(commit, stream, expected, place)
    LEFT JOIN LATERAL (
      SELECT e.version, e.recorded_at FROM journal e
      WHERE e.workspace = spaces[commit_space[x.commit]] AND e.stream = x.stream ORDER BY e.version DESC LIMIT 1
    ) j ON true;
    FOR i IN 1..CASE WHEN fails THEN cardinality(append_commit) ELSE 0 END LOOP
      IF stream_versions[i] <> append_expected[i] AND conflicts[append_commit[i]] IS NULL THEN
        conflicts[append_commit[i]] := json_build_object('kind', 'stream', 'key', append_stream[i],
          'expected', append_expected[i], 'found', stream_versions[i]);
      END IF;
    END LOOP;
  END IF;
  IF cardinality(timer_commit) > 0 THEN
    SELECT array_agg(o.revision ORDER BY x.place), array_agg(o.lane ORDER BY x.place),
      array_agg(o.sequence ORDER BY x.place), bool_or(coalesce(o.revision, 0) <> x.expected)
    INTO timer_found, timer_lane_found, timer_sequence, fails
    FROM unnest(timer_commit, timer_key, timer_expected) WITH ORDINALITY x(commit, key, expected, place)
    LEFT JOIN timers o ON o.workspace = spaces[commit_space[x.commit]] AND o.key = x.key;
    FOR i IN 1..CASE WHEN fails THEN cardinality(timer_commit) ELSE 0 END LOOP
      IF coalesce(timer_found[i], 0) <> timer_expected[i] AND conflicts[timer_commit[i]] IS NULL THEN
        conflicts[timer_commit[i]] := json_build_object('kind', 'timer', 'key', timer_key[i],
          'expected', timer_expected[i], 'found', coalesce(timer_found[i], 0));
      END IF;
    END LOOP;
  END IF;
  IF cardinality(cursor_commit) > 0 THEN
    SELECT array_agg(coalesce(o.position, 0) ORDER BY x.place) INTO cursor_found
    FROM unnest(cursor_commit, cursor_reader) WITH ORDINALITY x(commit, reader, place)
    LEFT JOIN cursors o ON o.workspace = spaces[commit_space[x.commit]] AND o.reader = x.reader;
    FOR i IN 1..cardinality(cursor_commit) LOOP
      IF cursor_found[i] <> cursor_from[i] AND conflicts[cursor_commit[i]] IS NULL THEN
        conflicts[cursor_commit[i]] := json_build_object('kind', 'cursor', 'key', cursor_reader[i],
          'expected', cursor_from[i], 'found', cursor_found[i]);
      END IF;
    END LOOP;
  END IF;
  IF cardinality(claim_commit) > 0 THEN
    SELECT array_agg(o.revision ORDER BY x.place), array_agg(o.value ORDER BY x.place),
      array_agg(o.expires_at ORDER BY x.place), bool_or(o.revision IS DISTINCT FROM x.expected)
    INTO claim_found, claim_value_found, claim_expires_found, fails
    FROM unnest(claim_commit, claim_key, claim_expected) WITH ORDINALITY x(commit, key, expected, place)
    LEFT JOIN claims o ON o.workspace = spaces[commit_space[x.commit]] AND o.key = x.key
      AND (o.expires_at IS NULL OR o.expires_at > now_ms);
    FOR i IN 1..CASE WHEN fails THEN cardinality(claim_commit) ELSE 0 END LOOP
      IF claim_found[i] IS DISTINCT FROM claim_expected[i] AND conflicts[claim_commit[i]] IS NULL THEN
        conflicts[claim_commit[i]] := json_strip_nulls(json_build_object('kind', 'claim', 'key', claim_key[i],
          'found', CASE WHEN claim_found[i] IS NOT NULL THEN json_build_object('key', claim_key[i],
            'value', claim_value_found[i], 'revision', claim_found[i], 'expiresAtMs', claim_expires_found[i]) END));
      END IF;
    END LOOP;
  END IF;

  -- A workspace in which nothing is written is not there.
  IF created IS NOT NULL THEN
    DELETE FROM workspaces w WHERE w.id = ANY(created) AND NOT EXISTS (
      SELECT FROM unnest(commit_space, commit_writes, conflicts) x(space, writes, conflict)
      WHERE spaces[x.space] = w.id AND x.writes AND x.conflict IS NULL
    );
  END IF;

  -- Events: a commit's own follow one another from its base on.
  FOR i IN 1..cardinality(commit_space) LOOP
    IF conflicts[i] IS NULL THEN
      commit_base[i] := heads[commit_space[i]];
      heads[commit_space[i]] := heads[commit_space[i]] + commit_events[i];
    ELSE
      commit_base[i] := NULL;
    END IF;
  END LOOP;
  bases := commit_base;
  IF cardinality(event_append) > 0 THEN
    INSERT INTO journal (workspace, position, stream, version, type, schema, recorded_at, subject, personal, body)
    SELECT spaces[commit_space[append_commit[e.append]]], commit_base[append_commit[e.append]] + e.step,
      append_stream[e.append], stream_versions[e.append] + e.turn, e.type, e.schema,
      greatest(e.at, stream_times[e.append]), e.subject, e.personal, e.body
    FROM unnest(event_append, event_step, event_turn, event_type, event_schema, event_at, event_subject,
      event_personal, event_body) e(append, step, turn, type, schema, at, subject, personal, body)
    WHERE commit_base[append_commit[e.append]] IS NOT NULL;
    IF array_length(array_remove(event_subject, NULL), 1) > 0 THEN
      INSERT INTO subjects (workspace, subject, stream)
      SELECT DISTINCT spaces[commit_space[append_commit[e.append]]], e.subject, append_stream[e.append]
      FROM unnest(event_append, event_subject) e(append, subject)
      WHERE commit_base[append_commit[e.append]] IS NOT NULL AND e.subject IS NOT NULL
      ON CONFLICT DO NOTHING;
    END IF;
  END IF;

  -- Revisions, of a workspace's timers and claims together, in the order of the commits.
  IF cardinality(timer_commit) > 0 OR cardinality(claim_commit) > 0 THEN
    FOR i IN 1..cardinality(commit_space) LOOP
      s := commit_space[i];
      WHILE timer_commit[t] = i LOOP
        IF conflicts[i] IS NULL AND timer_payload[t] IS NOT NULL THEN
          next_revision := coalesce(timer_found[t], counters[s]) + 1;
          counters[s] := greatest(counters[s], next_revision);
          timer_revision[t] := next_revision;
          timer_kept[t] := timer_found[t] IS NOT NULL AND timer_lane_found[t] IS NOT DISTINCT FROM timer_lane[t];
          IF timer_found[t] IS NULL THEN
            timer_sequence[t] := next_revision;
          ELSIF NOT timer_kept[t] THEN
            counters[s] := counters[s] + 1;
            timer_sequence[t] := counters[s];
          END IF;
        ELSE
          -- Cleared, when its commit holds; what is refused is kept as it stands.
          timer_kept[t] := conflicts[i] IS NOT NULL;
          timer_revision[t] := NULL;
        END IF;
        t := t + 1;
      END LOOP;
      WHILE claim_commit[l] = i LOOP
        claim_revision[l] := NULL;
        IF conflicts[i] IS NULL AND claim_value[l] IS NOT NULL THEN
          next_revision := coalesce(claim_expected[l], counters[s]) + 1;
          counters[s] := greatest(counters[s], next_revision);
          claim_revision[l] := next_revision;
        END IF;
        l := l + 1;
      END LOOP;
    END LOOP;
  END IF;

  -- Timers: those that are cleared or change their lane go, those that are set come, lanes go on.
  IF cardinality(timer_commit) > 0 THEN
    WITH gone AS (
      DELETE FROM timers o USING unnest(timer_commit, timer_key, timer_kept) x(commit, key, kept)
      WHERE NOT x.kept AND o.workspace = spaces[commit_space[x.commit]] AND o.key = x.key
      RETURNING o.workspace, o.lane, o.ready
    ) SELECT array_agg(gone.workspace), array_agg(gone.lane) INTO freed_space, freed_lane
      FROM gone WHERE gone.ready AND gone.lane IS NOT NULL;
    INSERT INTO timers (workspace, key, kind, due_at, lane, subject, revision, sequence, ready, payload)
    SELECT x.space, x.key, x.kind, x.due, x.lane, x.subject, x.revision, x.sequence,
      x.lane IS NULL OR (x.place_in_lane = 1 AND NOT EXISTS (
        SELECT FROM timers o WHERE o.workspace = x.space AND o.lane = x.lane)),
      x.payload
    FROM (
      SELECT *, spaces[commit_space[commit]] AS space,
        row_number() OVER (PARTITION BY commit_space[commit], lane ORDER BY sequence) AS place_in_lane
      FROM unnest(timer_commit, timer_key, timer_kind, timer_due, timer_lane, timer_subject, timer_revision,
        timer_sequence, timer_payload) y(commit, key, kind, due, lane, subject, revision, sequence, payload)
      WHERE y.revision IS NOT NULL
    ) x
    ON CONFLICT ON CONSTRAINT timers_pkey DO UPDATE SET kind = excluded.kind, due_at = excluded.due_at,
      subject = excluded.subject, revision = excluded.revision, payload = excluded.payload;
    IF freed_space IS NOT NULL THEN PERFORM free_lanes(freed_space, freed_lane); END IF;
  END IF;

  IF cardinality(claim_commit) > 0 THEN
    DELETE FROM claims o USING unnest(claim_commit, claim_key, claim_value) x(commit, key, value)
    WHERE x.value IS NULL AND conflicts[x.commit] IS NULL
      AND o.workspace = spaces[commit_space[x.commit]] AND o.key = x.key;
    INSERT INTO claims (workspace, key, value, expires_at, revision, subject)
    SELECT spaces[commit_space[x.commit]], x.key, x.value, x.expires, x.revision, x.subject
    FROM unnest(claim_commit, claim_key, claim_value, claim_expires, claim_revision, claim_subject)
      x(commit, key, value, expires, revision, subject)
    WHERE x.revision IS NOT NULL
    ON CONFLICT ON CONSTRAINT claims_pkey DO UPDATE SET value = excluded.value, expires_at = excluded.expires_at,
      revision = excluded.revision, subject = excluded.subject;
  END IF;

  IF cardinality(cursor_commit) > 0 THEN
    INSERT INTO cursors (workspace, reader, position)
    SELECT spaces[commit_space[x.commit]], x.reader, x.upto
    FROM unnest(cursor_commit, cursor_reader, cursor_to) x(commit, reader, upto)
    WHERE conflicts[x.commit] IS NULL
    ON CONFLICT ON CONSTRAINT cursors_pkey DO UPDATE SET position = excluded.position;
  END IF;

  -- Documents, view by view.
  IF cardinality(view_put) > 0 THEN
    FOR i IN 1..cardinality(document_commit) LOOP
      IF conflicts[document_commit[i]] IS NULL THEN
        document_space[i] := spaces[commit_space[document_commit[i]]];
      ELSE
        document_space[i] := NULL;
      END IF;
    END LOOP;
    FOR v IN 1..cardinality(view_put) LOOP
      upto := d + view_documents[v] - 1;
      EXECUTE format('SELECT %I($1, $2, $3, $4, $5, $6)', view_put[v])
      USING document_space[d:upto], document_key[d:upto], document_version[d:upto], document_subject[d:upto],
        document_text[d:upto], document_columns[f:f + view_documents[v] * view_columns[v] - 1];
      d := upto + 1;
      f := f + view_documents[v] * view_columns[v];
    END LOOP;
  END IF;

  UPDATE workspaces w SET head = x.head, revisions = x.revisions
  FROM unnest(spaces, heads, counters) x(id, head, revisions)
  WHERE w.id = x.id AND (w.head <> x.head OR w.revisions <> x.revisions);
  IF true = ANY(commit_raises) THEN
    UPDATE workspaces w SET epoch = nextval('epochs') + 1 WHERE w.id IN (
      SELECT spaces[x.space] FROM unnest(commit_space, commit_raises, conflicts) x(space, raises, conflict)
      WHERE x.raises AND x.conflict IS NULL
    );
  END IF;
  FOR i IN 1..cardinality(names) LOOP
    IF heads[i] > before_heads[i] THEN PERFORM pg_notify(channel, instance || ' ' || names[i]); END IF;
  END LOOP;
END
$function$
`
