export const eventColumns = "position, stream, version, type, schema, recorded_at, subject, personal, body"

/** Of a table called `t`. */
export const timerColumns = "t.key, t.kind, t.due_at, t.lane, t.subject, t.revision, t.sequence, t.payload"
