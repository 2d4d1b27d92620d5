/**
 * Takes a channel's input: verified, decoded, applied entry by entry, and kept as a dead letter where it can't be used.
 *
 * @module
 */
import type { Channel, ChannelAccount, Inbound } from "@switchboard/channel"
import { Id } from "@switchboard/conversation"
import type { StorageDriver } from "@switchboard/storage"
import { Effect } from "effect"
import { type DeskError, NotFoundError, type StorageFailedError } from "./DeskError.ts"
import { claimLifetimeMs } from "./Draft.ts"
import { type Environment, fromPromise, settled } from "./Environment.ts"
import { senderOf } from "./Erasure.ts"
import * as Intake from "./Intake.ts"
import type { Payloads } from "./Jobs.ts"
import type { Live } from "./Live.ts"
import { type DeadLetter, threadKey } from "./Views.ts"
import { isConflict } from "./Workers.ts"

/** A desk's entrance. */
export interface Receiver {
  /** Applies verified input; returns once everything in it is durable. */
  readonly take: (channel: Channel.Channel, input: Channel.Verified) => Effect.Effect<void, DeskError>
  /** Tries an entry again whose message had not come yet. */
  readonly again: (waiting: Payloads["entry"]) => Effect.Effect<void, DeskError>
  readonly deadLetters: Effect.Effect<ReadonlyArray<DeadLetter>, DeskError>
  /** Tries a dead letter again; `reason` says why it is still one. */
  readonly redrive: (id: string) => Effect.Effect<{ readonly done: boolean; readonly reason: string | null }, DeskError>
}

const toBase64 = (bytes: Uint8Array): string => {
  let binary = ""
  for (let start = 0; start < bytes.length; start += 0x8000) {
    binary += String.fromCharCode(...bytes.subarray(start, start + 0x8000))
  }
  return btoa(binary)
}
const fromBase64 = (text: string): Uint8Array<ArrayBuffer> => Uint8Array.from(atob(text), (char) => char.charCodeAt(0))

const partition = <A>(
  all: ReadonlyArray<A>,
  is: (one: A) => boolean
): readonly [ReadonlyArray<A>, ReadonlyArray<A>] => [all.filter((one) => !is(one)), all.filter(is)]

/** Bytes become text in a dead letter's entry, where JSON can't hold them. */
const plain = (entry: Inbound.Entry): unknown =>
  JSON.parse(JSON.stringify(entry, (_, value) => (value instanceof Uint8Array ? { base64: toBase64(value) } : value)))

const isBase64 = (value: unknown): value is { readonly base64: string } =>
  typeof value === "object" && value !== null && "base64" in value && typeof value.base64 === "string"

/** The entry of a dead letter as it came, bytes and all. */
const whole = (kept: unknown): Inbound.Entry => {
  const entry = kept as Inbound.Entry
  if (!("attachments" in entry)) return entry
  return {
    ...entry,
    attachments: entry.attachments.map((attachment) => {
      const bytes: unknown = "bytes" in attachment.content ? attachment.content.bytes : undefined
      return isBase64(bytes) ? { ...attachment, content: { bytes: fromBase64(bytes.base64) } } : attachment
    })
  }
}

const decode = (channel: Channel.Channel, input: Channel.Verified): Effect.Effect<Channel.Decoded> =>
  Effect.catchDefect(
    settled(() => channel.decode(input)),
    (cause) => Effect.succeed({ ok: false, error: { code: "decodeThrew", message: String(cause) } })
  )

type Blobs = Intake.Arrival["blobKeys"]

const noBlobs: Blobs = new Map()

const bringsFiles = (entry: Inbound.Entry): boolean => "attachments" in entry && entry.attachments.length > 0

const isUnstorable = (error: DeskError): error is StorageFailedError =>
  error._tag === "StorageFailedError" && !error.retryable

/**
 * What an entry came to that will never be taken: what the model refuses is kept for people to see, and what storage
 * refuses would come again and again, and be lost in the end. Other failures are the caller's to try again.
 */
const refusalOf = (error: DeskError): Intake.IntakeResult | undefined =>
  error._tag === "RejectedError"
    ? { outcome: "unusable", code: error.rejection.code, reason: error.rejection.message }
    : isUnstorable(error)
      ? { outcome: "unusable", code: "notStorable", reason: error.message }
      : undefined

/** A dead letter as it is kept: an erasure finds it by the address it came from. */
const toChange = (letter: DeadLetter): StorageDriver.ViewChange => {
  const subject = senderOf(letter.entry)
  return { view: "deadLetters", key: letter.id, put: { ...letter }, ...(subject !== undefined && { subject }) }
}

/** The entrance of one desk. */
export const make = (environment: Environment["Service"], live: Live): Receiver => {
  const { settings, workspace, now, newId, turn } = environment
  const rules: Intake.OpeningRules = {
    continuity: settings.config.continuity ?? "join",
    firstResponder: (channelKind) => {
      const first = settings.config.firstResponder
      if (!first || (first.channelKinds && !first.channelKinds.includes(channelKind))) return undefined
      return Id.BotId.parse(first.bot)
    }
  }

  /** Keeps what can't be used; what is delivered again meanwhile is kept once. */
  const bury = Effect.fnUntraced(function* (
    letter: Omit<DeadLetter, "id" | "state">,
    entry?: Inbound.Entry
  ): Effect.fn.Return<void, DeskError> {
    const id = newId()
    const put: DeadLetter = { ...letter, id, state: "waiting" }
    const commit = (kept: DeadLetter) =>
      fromPromise(() =>
        workspace.commit({
          views: [toChange(kept)],
          ...(entry && {
            claims: [{ key: Intake.letterClaim(entry), value: id, expiresAtMs: now() + claimLifetimeMs }]
          })
        })
      )
    yield* commit(put).pipe(
      // Too large to keep whole: then at least that it came.
      Effect.catchIf(isUnstorable, (error) =>
        commit({ ...put, entry: null, bytes: null, reason: `${put.reason} (not kept: ${error.message})` })
      ),
      Effect.catchIf(isConflict, () => Effect.void)
    )
  })

  /** Bytes that came along are stored before the commit that names them. */
  const storeBytes = (entry: Inbound.Entry): Effect.Effect<Blobs, DeskError> =>
    Effect.gen(function* () {
      const stored = new Map<string, { readonly blobKey: string; readonly sizeBytes: number }>()
      if (!("attachments" in entry)) return stored
      for (const attachment of entry.attachments) {
        if (!("bytes" in attachment.content)) continue
        const { bytes } = attachment.content
        const blobKey = newId()
        // What is larger than allowed is left out and shows as failed; its message is kept.
        if (bytes.byteLength > settings.limits.attachmentBytes) continue
        const info = yield* fromPromise(() =>
          settings.config.blobs.put(workspace.id, blobKey, bytes, {
            mediaType: attachment.mediaType,
            limitBytes: settings.limits.attachmentBytes
          })
        )
        stored.set(attachment.id, { blobKey, sizeBytes: info.sizeBytes })
      }
      return stored
    })

  /** Nothing came to name these bytes. */
  const drop = (blobs: Blobs): Effect.Effect<void, DeskError> =>
    blobs.size === 0
      ? Effect.void
      : fromPromise(() =>
          settings.config.blobs.delete(
            workspace.id,
            [...blobs.values()].map(({ blobKey }) => blobKey)
          )
        )

  const accountOf = (channel: Channel.Channel, entry: Inbound.Entry): ChannelAccount.ChannelAccount | undefined =>
    channel.accounts.find((account) => account.key === entry.account)

  /** Applies an entry whose bytes are stored, and says what it came to; a dead letter is for the caller to keep. */
  const applyStored = Effect.fnUntraced(function* (
    channel: Channel.Channel,
    entry: Inbound.Entry,
    blobKeys: Blobs,
    retry: { readonly attempt: number; readonly firstAtMs: number } | undefined
  ): Effect.fn.Return<Intake.IntakeResult, DeskError> {
    const account = accountOf(channel, entry)
    if (!account) {
      yield* drop(blobKeys)
      const reason = `no account of ${channel.kind} has the key ${entry.account}; connect it or remove its webhook`
      return { outcome: "unusable", code: "unknownAccount", reason } as const
    }
    if (entry.kind === "typingChanged") {
      live.typing.publish({
        thread: threadKey(account.id, entry.thread.key),
        by: "contact",
        update: { event: "typing", typing: { typing: entry.typing } }
      })
      return { outcome: "ephemeral" } as const
    }
    const arrival: Intake.Arrival = { channel, account, entry, newId, blobKeys }
    const applied = yield* Effect.catch(
      turn(Intake.laneOf(account, entry), async (draft) => {
        const applied = await Intake.apply(draft, arrival, rules)
        if (applied.outcome !== "retry") return applied
        const timer = Intake.retryOf(
          channel.kind,
          entry,
          retry?.attempt ?? 0,
          retry?.firstAtMs ?? draft.nowMs,
          draft.nowMs
        )
        if (!timer) return { outcome: "unusable", code: "targetUnknown", reason: applied.reason } as const
        draft.timer({ set: timer })
        return applied
      }),
      (error) => {
        const refused = refusalOf(error)
        return refused ? Effect.succeed(refused) : Effect.fail(error)
      }
    )
    if (applied.outcome !== "applied") yield* drop(blobKeys)
    return applied
  })

  const buryEntry = (channelKind: string, entry: Inbound.Entry, code: string, reason: string) =>
    bury({ channelKind, receivedAtMs: now(), headers: {}, bytes: null, code, reason, entry: plain(entry) }, entry)

  const applyOne = Effect.fnUntraced(function* (
    channel: Channel.Channel,
    entry: Inbound.Entry,
    blobKeys: Blobs
  ): Effect.fn.Return<void, DeskError> {
    const result = yield* applyStored(channel, entry, blobKeys, undefined)
    if (result.outcome === "unusable") yield* buryEntry(channel.kind, entry, result.code, result.reason)
  })

  const applyAll = Effect.fnUntraced(function* (
    channel: Channel.Channel,
    entries: ReadonlyArray<Inbound.Entry>
  ): Effect.fn.Return<void, DeskError> {
    // Before any of them enters its lane: whoever has bytes to store would lose its place.
    const blobs = entries.some(bringsFiles) ? yield* Effect.forEach(entries, storeBytes, { concurrency: 8 }) : []
    // Most webhooks bring one entry, and a fiber of its own costs more than the rest of the way.
    if (entries.length === 1) return yield* applyOne(channel, entries[0]!, blobs[0] ?? noBlobs)
    yield* Effect.forEach(entries, (entry, index) => applyOne(channel, entry, blobs[index] ?? noBlobs), {
      concurrency: "unbounded",
      discard: true
    })
  })

  const again: Receiver["again"] = Effect.fnUntraced(function* ({ channelKind, entry, ...retry }) {
    const channel = settings.channels.get(channelKind)
    const known = entry as Inbound.Entry
    const result: Intake.IntakeResult = channel
      ? yield* applyStored(channel, known, noBlobs, retry)
      : { outcome: "unusable", code: "unknownChannel", reason: `no channel ${channelKind} is configured any more` }
    if (result.outcome === "unusable") yield* buryEntry(channelKind, known, result.code, result.reason)
  })

  const take: Receiver["take"] = Effect.fnUntraced(function* (channel, input) {
    const decoded = yield* decode(channel, input)
    if (!decoded.ok) {
      yield* bury({
        channelKind: channel.kind,
        code: decoded.error.code,
        reason: decoded.error.message,
        receivedAtMs: input.receivedAtMs,
        headers: input.headers,
        bytes: toBase64(input.bytes),
        entry: null
      })
      return
    }
    // Entries of one sender share a lane, which keeps their order; what speaks of a message comes after all messages.
    if (decoded.value.length === 1) return yield* applyAll(channel, decoded.value)
    const [about, content] = partition(decoded.value, Intake.isContent)
    for (const entries of [content, about]) yield* applyAll(channel, entries)
  })

  return {
    take,
    again,
    deadLetters: Effect.map(
      fromPromise(() =>
        workspace.query({
          view: "deadLetters",
          where: [{ field: "state", equals: "waiting" }],
          order: { field: "receivedAtMs", direction: "descending" },
          limit: 200
        })
      ),
      (page) => page.documents.map((stored) => stored.document as unknown as DeadLetter)
    ),
    redrive: Effect.fnUntraced(function* (id) {
      const stored = yield* fromPromise(() => workspace.document("deadLetters", id))
      if (!stored) return yield* new NotFoundError({ what: "dead letter", id })
      const letter = stored.document as unknown as DeadLetter
      // Its ids are claimed no longer than a platform may retry: later it would be taken for new.
      if (letter.state === "done") return { done: true, reason: null }
      const channel = settings.channels.get(letter.channelKind)
      if (!channel) return { done: false, reason: `no channel ${letter.channelKind} is configured` }
      const keep = (put: DeadLetter) => fromPromise(() => workspace.commit({ views: [toChange(put)] }))
      if (letter.bytes !== null) {
        const bytes = fromBase64(letter.bytes)
        const input = { bytes, headers: letter.headers, receivedAtMs: letter.receivedAtMs }
        const decoded = yield* decode(channel, input)
        if (!decoded.ok) return { done: false, reason: decoded.error.message }
        yield* applyAll(channel, decoded.value)
        yield* keep({ ...letter, state: "done" })
        return { done: true, reason: null }
      }
      if (letter.entry === null) return { done: false, reason: letter.reason }
      const entry = whole(letter.entry)
      const result = yield* applyStored(channel, entry, yield* storeBytes(entry), undefined)
      if (result.outcome === "unusable") {
        yield* keep({ ...letter, code: result.code, reason: result.reason })
        return { done: false, reason: result.reason }
      }
      yield* keep({ ...letter, state: "done" })
      return { done: true, reason: null }
    })
  }
}
