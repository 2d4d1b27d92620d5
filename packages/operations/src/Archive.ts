/**
 * A workspace in a file: one JSON value per line, the same for every storage.
 *
 * **Shape** the first line is the {@link Header}; then come the events in order, documents, timers, claims and cursors,
 * one {@link StorageDriver.Holding} a line; the last line is the {@link End}. A name that ends in `.gz` is compressed.
 */
import { createHash } from "node:crypto"
import { createReadStream } from "node:fs"
import { createGunzip } from "node:zlib"
import { Views } from "@switchboard/desk"
import type { StorageDriver } from "@switchboard/storage"
import { z } from "zod"
import { OperationError } from "./OperationError.ts"

/** The format this release writes. */
export const format = 1

/** What a file holds: of which workspace, from when, and in which shape its documents are. */
export const Header = z.strictObject({
  kind: z.literal("header"),
  format: z.literal(format),
  workspace: z.string().min(1),
  exportedAt: z.iso.datetime(),
  /** The version of each view. */
  views: z.record(z.string(), z.int().positive())
})
export type Header = z.infer<typeof Header>

/** The version of each view of this release. */
export const viewVersions: Header["views"] = Object.fromEntries(
  Views.definitions.map(({ name, version }) => [name, version])
)

/** Says that a file is whole. **Shape** `sha256` is of every byte before this line, in hexadecimal. */
export const End = z.strictObject({
  kind: z.literal("end"),
  lines: z.int().nonnegative(),
  sha256: z.string().regex(/^[0-9a-f]{64}$/)
})
export type End = z.infer<typeof End>

const text = z.string().min(1)
const json = z.record(z.string(), z.unknown())
const whole = z.int().nonnegative()
const instant = z.number()

const Event = z.strictObject({
  kind: z.literal("event"),
  event: z.strictObject({
    position: z.int().positive(),
    stream: text,
    version: z.int().positive(),
    type: text,
    schema: z.int().positive(),
    recordedAtMs: instant,
    body: json,
    personal: z.strictObject({ subject: text, fields: json.nullable() }).optional()
  })
})
const Document = z.strictObject({
  kind: z.literal("document"),
  view: text,
  document: z.strictObject({ key: text, document: json, version: whole.optional() }),
  subject: text.optional()
})
const Timer = z.strictObject({
  kind: z.literal("timer"),
  timer: z.strictObject({
    kind: text,
    key: text,
    dueAtMs: instant,
    payload: json,
    lane: text.optional(),
    subject: text.optional(),
    revision: z.int().positive(),
    sequence: z.int().positive()
  })
})
const Claim = z.strictObject({
  kind: z.literal("claim"),
  claim: z.strictObject({
    key: text,
    value: z.string(),
    expiresAtMs: instant.optional(),
    revision: z.int().positive()
  }),
  subject: text.optional()
})
const Cursor = z.strictObject({ kind: z.literal("cursor"), reader: text, position: z.int().positive() })

const Line = z.discriminatedUnion("kind", [Header, Event, Document, Timer, Claim, Cursor, End])
type Line = z.infer<typeof Line>

/** A holding as a line tells it: without the workspace, which whoever loads it names. */
export const encode = (holding: StorageDriver.Holding): string => {
  switch (holding.kind) {
    case "event": {
      const { workspace: _, ...event } = holding.event
      return JSON.stringify({ kind: "event", event })
    }
    case "timer": {
      const { workspace: _, ...timer } = holding.timer
      return JSON.stringify({ kind: "timer", timer })
    }
    default:
      return JSON.stringify(holding)
  }
}

const toHolding = (line: Exclude<Line, Header | End>, workspace: string): StorageDriver.Holding =>
  (line.kind === "event"
    ? { kind: "event", event: { ...line.event, workspace } }
    : line.kind === "timer"
      ? { kind: "timer", timer: { ...line.timer, workspace } }
      : line) as StorageDriver.Holding

const again = "export it again: the file is damaged or no export"

const wrong = (file: string, number: number, found: string, fix: string): OperationError =>
  new OperationError({ code: "archive", what: `${file}, line ${number}`, found, fix })

/** One line, as read. **Fails with** {@link OperationError} (thrown), which names the field. */
export const decode = (file: string, number: number, line: string): Line => {
  let value: unknown
  try {
    value = JSON.parse(line)
  } catch {
    throw wrong(file, number, "what is no JSON", again)
  }
  const parsed = Line.safeParse(value)
  if (parsed.success) return parsed.data
  const [issue] = parsed.error.issues
  const path = issue?.path.join(".") || "the line"
  const newer =
    typeof value === "object" && value !== null && "format" in value && Number(value.format) > format
      ? "install a newer release"
      : again
  throw wrong(file, number, `${path}: ${issue?.message}`, newer)
}

/** A line of a file, with what it is checked by and where it ends. */
export interface RawLine {
  /** From 1. */
  readonly number: number
  readonly text: string
  /** Bytes of the file, uncompressed, up to and with this line. */
  readonly endsAt: number
}

/** What is damaged or cut short can't be unpacked. */
async function* unpacked(bytes: AsyncIterable<Buffer>, explain: () => OperationError): AsyncGenerator<Buffer> {
  try {
    yield* bytes
  } catch (cause) {
    const isOfZlib = cause instanceof Error && "code" in cause && String(cause.code).startsWith("Z_")
    throw isOfZlib ? explain() : cause
  }
}

/** Lines of a file in batches. A last line without its line break is left out: nobody finished it. */
export async function* readLines(
  file: string,
  isCompressed = file.endsWith(".gz")
): AsyncGenerator<ReadonlyArray<RawLine>> {
  const source = createReadStream(file, { highWaterMark: 1 << 20 })
  const gunzip = isCompressed ? createGunzip({ chunkSize: 1 << 20 }) : undefined
  const bytes: AsyncIterable<Buffer> = gunzip ? source.pipe(gunzip) : source
  source.on("error", (error) => gunzip?.destroy(error))
  let rest: Buffer = Buffer.alloc(0)
  let number = 0
  let endsAt = 0
  for await (const chunk of unpacked(bytes, () => wrong(file, number + 1, "what can't be unpacked", again))) {
    const all = rest.length === 0 ? chunk : Buffer.concat([rest, chunk])
    const lines: Array<RawLine> = []
    let from = 0
    for (let to = all.indexOf(10, from); to >= 0; to = all.indexOf(10, from)) {
      endsAt += to + 1 - from
      lines.push({ number: ++number, text: all.toString("utf8", from, to), endsAt })
      from = to + 1
    }
    rest = all.subarray(from)
    if (lines.length > 0) yield lines
  }
}

/** A file that was read from end to end and found whole. */
export interface Whole {
  readonly header: Header
  /** Lines between the first and the last. */
  readonly holdings: number
  /** Of every byte before the last line, in hexadecimal: no other file has it. */
  readonly sha256: string
}

/**
 * Reads a file to its end without keeping it: every line is what it should be, and all are there.
 *
 * **Fails with** {@link OperationError} (rejected), with the line and the field.
 */
export const check = async (file: string): Promise<Whole> => {
  const hash = createHash("sha256")
  let header: Header | undefined
  let end: End | undefined
  let holdings = 0
  let last = 0
  for await (const lines of readLines(file)) {
    for (const { number, text: line } of lines) {
      last = number
      if (end) throw wrong(file, number, "a line after the end", "export it again")
      const parsed = decode(file, number, line)
      if (number === 1) {
        if (parsed.kind !== "header")
          throw wrong(file, 1, `a line of kind ${parsed.kind}`, "name a file that `export` wrote")
        header = parsed
      } else if (parsed.kind === "header") throw wrong(file, number, "a second header", "export it again")
      else if (parsed.kind === "end") end = parsed
      else holdings++
      if (parsed.kind !== "end") hash.update(`${line}\n`)
    }
  }
  const finish = "export it again, or finish the export that was broken off"
  if (!header) throw wrong(file, 1, "no header", "name a file that `export` wrote")
  if (!end) throw wrong(file, last, "no end", finish)
  if (end.lines !== holdings) throw wrong(file, last, `${holdings} lines where ${end.lines} were written`, finish)
  if (end.sha256 !== hash.digest("hex")) throw wrong(file, last, "other bytes than were written", finish)
  return { header, holdings, sha256: end.sha256 }
}

/** What a checked file holds, for a workspace, in batches. */
export async function* holdingsOf(
  file: string,
  workspace: string
): AsyncGenerator<ReadonlyArray<StorageDriver.Holding>> {
  for await (const lines of readLines(file)) {
    const holdings: Array<StorageDriver.Holding> = []
    for (const { number, text: line } of lines) {
      const parsed = decode(file, number, line)
      if (parsed.kind !== "header" && parsed.kind !== "end") holdings.push(toHolding(parsed, workspace))
    }
    if (holdings.length > 0) yield holdings
  }
}
