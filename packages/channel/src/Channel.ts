/**
 * The contract of a channel: its declaration, `verify`, `decode` and `send`, and whatever the declaration obliges.
 *
 * @module
 */
import type { Address } from "@switchboard/conversation"
import type { Capabilities } from "./Capabilities.ts"
import type { ChannelAccount } from "./ChannelAccount.ts"
import type { Entry } from "./Inbound.ts"
import type { CallContext, FetchResult, Outbound, SendResult } from "./Outbound.ts"

/** The version of this contract, raised when channels must change. */
export const contractVersion = 1

/** A value now or later. */
export type Awaitable<A> = A | Promise<A>

/** A request as it came: header names in lower case, the body's raw bytes. */
export interface ChannelRequest {
  readonly method: string
  readonly url: URL
  readonly headers: Readonly<Record<string, string>>
  readonly body: Uint8Array
  readonly receivedAtMs: number
}

/** An answer for the platform. */
export interface ChannelAnswer {
  readonly status: number
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
}

/** Input proven to come from the platform. Plain data, so that it can be kept and driven again. */
export interface Verified {
  readonly bytes: Uint8Array
  readonly headers: Readonly<Record<string, string>>
  readonly receivedAtMs: number
}

/**
 * What `verify` found.
 *
 * - `refused`: not proven; `status` is 400, 401, 403, 404, 405 or 413. Nothing is kept.
 *   `answerHeaders` lets a browser on another origin read the status.
 * - `answered`: a handshake, preflight or other request that needs no storage.
 * - `verified`: for `decode`; the platform gets the channel's `acknowledgement` once everything in it is durable.
 * - `reads`: only with `contactReads`: the contact's client asks for its thread after a sequence number, once or `live`.
 */
export type Verification =
  | {
      readonly kind: "refused"
      readonly status: number
      readonly reason: string
      readonly answerHeaders?: Readonly<Record<string, string>>
    }
  | { readonly kind: "answered"; readonly answer: ChannelAnswer }
  | { readonly kind: "verified"; readonly input: Verified; readonly answerHeaders?: Readonly<Record<string, string>> }
  | {
      readonly kind: "reads"
      readonly account: string
      readonly address: Address.Address
      readonly threadKey: string
      readonly afterSequence: number
      readonly live: boolean
      readonly answerHeaders?: Readonly<Record<string, string>>
    }

/** Input that could not be decoded: it becomes a dead letter with this reason. */
export interface DecodeError {
  readonly code: string
  /** Names the field, what was expected, what was found. */
  readonly message: string
}

/** What `decode` returns: every entry of the input, in order, or why it can't be read at all. */
export type Decoded =
  | { readonly ok: true; readonly value: ReadonlyArray<Entry> }
  | { readonly ok: false; readonly error: DecodeError }

/** What `listen` is given: `receive` resolves when the input is durable, and rejects when it could not be kept. */
export interface ListenContext {
  readonly receive: (input: Verified) => Promise<void>
  readonly signal: AbortSignal
  readonly now: () => number
}

/** A running listener; `stopped` settles when it ended by itself. */
export interface Listener {
  readonly stop: () => Promise<void>
  readonly stopped: Promise<void>
  /** Where it listens, for people, such as `smtp://127.0.0.1:2525`. */
  readonly url?: string
}

/** The operations that every channel has. */
export interface ChannelBase {
  readonly contractVersion: typeof contractVersion
  /** The channel kind, such as `email`. */
  readonly kind: string
  readonly capabilities: Capabilities
  readonly accounts: ReadonlyArray<ChannelAccount>
  /** What the platform is told when its input is durable, and also when it was kept as a dead letter. */
  readonly acknowledgement: ChannelAnswer
  readonly verify: (request: ChannelRequest) => Awaitable<Verification>
  /** Without network and without state: the same input gives the same entries. */
  readonly decode: (input: Verified) => Awaitable<Decoded>
  readonly send: (outbound: Outbound, context: CallContext) => Promise<SendResult>
}

/** Obliged by `media`: gets the bytes behind an attachment's reference. */
export interface FetchesMedia {
  readonly fetch: (ref: string, account: ChannelAccount, context: CallContext) => Promise<FetchResult>
}

/** Obliged by the transport `listen`. */
export interface Listens {
  readonly listen: (context: ListenContext) => Promise<Listener>
}

/** A channel ready for a desk. */
export type Channel = ChannelBase & Partial<FetchesMedia> & Partial<Listens>
