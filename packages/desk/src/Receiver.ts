/**
 * Takes a channel's input: verified, decoded, applied entry by entry, and kept as a dead letter where it can't be used.
 *
 * @module
 */
import type { Channel, ChannelAccount, Inbound } from "@switchboard/channel"
import { Id } from "@switchboard/conversation"
import { Effect } from "effect"
import { type DeskError, NotFoundError } from "./DeskError.ts"
import { type Environment, fromPromise } from "./Environment.ts"
import { addressSubject } from "./Erasure.ts"
import * as Intake from "./Intake.ts"
import type { Live } from "./Live.ts"
import type { DeadLetter } from "./Views.ts"

/** A desk's entrance. */
export interface Receiver {
  /** Applies verified input; returns once everything in it is durable. */
  readonly take: (channel: Channel.Channel, input: Channel.Verified) => Effect.Effect<void, DeskError>
  /** Applies one entry, first or again. */
  readonly apply: (
    channel: Channel.Channel,
    entry: Inbound.Entry,
    retry: { readonly attempt: number; readonly firstAtMs: number } | undefined
  ) => Effect.Effect<Intake.IntakeResult, DeskError>
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
const fromBase64 = (text: string): Uint8Array => Uint8Array.from(atob(text), (char) => char.charCodeAt(0))

const partition = <A>(
  all: ReadonlyArray<A>,
  is: (one: A) => boolean
): readonly [ReadonlyArray<A>, ReadonlyArray<A>] => [all.filter((one) => !is(one)), all.filter(is)]

/** Bytes become text in a dead letter's entry, where JSON can't hold them. */
const plain = (entry: Inbound.Entry): unknown =>
  JSON.parse(JSON.stringify(entry, (_, value) => (value instanceof Uint8Array ? { base64: toBase64(value) } : value)))

/** Whose words a dead letter holds, where its entry names somebody. */
const subjectOf = (entry: unknown): string | undefined => {
  const from = (entry as Partial<Inbound.MessageReceived> | null)?.from
  const address = from?.addresses[0]
  return address && addressSubject(address)
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

  const bury = (letter: Omit<DeadLetter, "id" | "state">): Effect.Effect<void, DeskError> => {
    const id = newId()
    const put: DeadLetter = { ...letter, id, state: "waiting" }
    const subject = subjectOf(letter.entry)
    return Effect.asVoid(
      fromPromise(() =>
        workspace.commit({
          views: [{ view: "deadLetters", key: id, put: { ...put }, ...(subject !== undefined && { subject }) }]
        })
      )
    )
  }

  /** Bytes that came along are stored before the commit that names them. */
  const storeBytes = (entry: Inbound.Entry) =>
    Effect.gen(function* () {
      const stored = new Map<string, { readonly blobKey: string; readonly sizeBytes: number }>()
      if (!("attachments" in entry)) return stored
      for (const attachment of entry.attachments) {
        if (!("bytes" in attachment.content)) continue
        const { bytes } = attachment.content
        const blobKey = newId()
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

  const accountOf = (channel: Channel.Channel, entry: Inbound.Entry): ChannelAccount.ChannelAccount | undefined =>
    channel.accounts.find((account) => account.key === entry.account)

  const apply: Receiver["apply"] = Effect.fnUntraced(function* (channel, entry, retry) {
    const account = accountOf(channel, entry)
    const receivedAtMs = now()
    const kept = { channelKind: channel.kind, receivedAtMs, headers: {}, bytes: null }
    if (!account) {
      const reason = `no account of ${channel.kind} has the key ${entry.account}; connect it or remove its webhook`
      yield* bury({ ...kept, code: "unknownAccount", reason, entry: plain(entry) })
      return { outcome: "unusable", code: "unknownAccount", reason } as const
    }
    if (entry.kind === "typingChanged") {
      const address = entry.from.addresses[0]!
      live.typing.publish({
        conversationId: undefined,
        address: `${address.kind}:${address.value}`,
        update: { event: "typing", typing: { typing: entry.typing } }
      })
      return { outcome: "ephemeral" } as const
    }
    const blobKeys = yield* storeBytes(entry)
    const arrival: Intake.Arrival = { channel, account, entry, newId, blobKeys }
    const result = yield* turn(Intake.laneOf(account, entry), async (draft) => {
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
    }).pipe(
      // What the model refuses is kept for people to see; what storage refuses is the caller's to try again.
      Effect.catchTag("RejectedError", (error) =>
        Effect.succeed({
          outcome: "unusable",
          code: error.rejection.code,
          reason: error.rejection.message
        } as Intake.IntakeResult)
      )
    )
    if (result.outcome === "unusable") {
      yield* bury({ ...kept, code: result.code, reason: result.reason, entry: plain(entry) })
    }
    return result
  })

  const take: Receiver["take"] = Effect.fnUntraced(function* (channel, input) {
    const decoded = yield* Effect.promise(async () => {
      try {
        return await channel.decode(input)
      } catch (cause) {
        return { ok: false as const, error: { code: "decodeThrew", message: String(cause) } }
      }
    })
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
    const [about, content] = partition(decoded.value, Intake.isContent)
    for (const entries of [content, about]) {
      yield* Effect.forEach(entries, (entry) => apply(channel, entry, undefined), {
        concurrency: "unbounded",
        discard: true
      })
    }
  })

  return {
    take,
    apply,
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
      const channel = settings.channels.get(letter.channelKind)
      if (!channel) return { done: false, reason: `no channel ${letter.channelKind} is configured` }
      const done = (reason: string | null) =>
        Effect.as(
          fromPromise(() =>
            workspace.commit({ views: [{ view: "deadLetters", key: id, put: { ...letter, state: "done" } }] })
          ),
          { done: reason === null, reason }
        )
      if (letter.bytes !== null) {
        const bytes = fromBase64(letter.bytes)
        const input = { bytes, headers: letter.headers, receivedAtMs: letter.receivedAtMs }
        const decoded = yield* Effect.promise(async () => {
          try {
            return await channel.decode(input)
          } catch (cause) {
            return { ok: false as const, error: { code: "decodeThrew", message: String(cause) } }
          }
        })
        if (!decoded.ok) return { done: false, reason: decoded.error.message }
        yield* Effect.forEach(decoded.value, (entry) => apply(channel, entry, undefined), { discard: true })
        return yield* done(null)
      }
      const result = yield* apply(channel, letter.entry as Inbound.Entry, undefined)
      // Applying it again has buried it again: the new letter stands for it.
      return yield* done(result.outcome === "unusable" ? result.reason : null)
    })
  }
}
