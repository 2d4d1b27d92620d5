/**
 * A desk on memory storage and a virtual clock, with a made-up channel whose platform is this file.
 */
import type { Bot } from "@switchboard/bot"
import type { Capabilities, Channel, Inbound, Outbound } from "@switchboard/channel"
import { type Actor, Id } from "@switchboard/conversation"
import { MemoryBlobStore, MemoryStorage, type StorageDriver } from "@switchboard/storage"
import { Effect, Layer, References } from "effect"
import { Desk } from "../src/Desk.ts"
import type { DeskConfig } from "../src/DeskConfig.ts"
import { Ids } from "../src/Environment.ts"

export const capabilities: Capabilities.Capabilities = {
  transports: ["webhook"],
  outbound: ["message", "edit", "delete", "reaction"],
  text: { limit: 500, formats: ["plain"] },
  media: { types: ["*/*"], limitBytes: 1_000_000, perMessage: 1, captionLimit: 100 },
  choices: { limit: 3, labelLimit: 20, urls: false },
  templates: false,
  locations: false,
  contactCards: false,
  replies: true,
  receipts: ["delivered", "read"],
  threads: "dialog",
  audiences: ["private"],
  messagingWindowMs: null,
  starts: "either",
  idempotentSend: false,
  contactReads: false
}

/** The platform behind a made-up channel: what was sent to it, and what it answers. */
export interface Platform {
  readonly channel: Channel.Channel
  readonly sent: Array<{ readonly outbound: Outbound.Outbound; readonly context: Outbound.CallContext }>
  /** Answers to come, first in first out; afterwards everything is accepted. */
  readonly answers: Array<(outbound: Outbound.Outbound) => Outbound.SendResult | Promise<Outbound.SendResult>>
}

export const platform = (
  kind: string,
  changes: Partial<Capabilities.Capabilities> = {},
  workspace = "main"
): Platform => {
  const sent: Platform["sent"] = []
  const answers: Platform["answers"] = []
  let count = 0
  return {
    sent,
    answers,
    channel: {
      contractVersion: 1,
      kind,
      capabilities: { ...capabilities, ...changes },
      accounts: [
        {
          id: Id.ChannelAccountId.parse(`${kind}-account`),
          key: "key",
          name: kind,
          workspace: Id.WorkspaceId.parse(workspace)
        }
      ],
      acknowledgement: { status: 200, body: "ok" },
      verify: (request) =>
        request.headers["x-signature"] === "good"
          ? { kind: "verified", input: { bytes: request.body, headers: {}, receivedAtMs: request.receivedAtMs } }
          : { kind: "refused", status: 401, reason: "bad signature" },
      decode: ({ bytes }) => {
        try {
          return { ok: true, value: JSON.parse(new TextDecoder().decode(bytes)) as ReadonlyArray<Inbound.Entry> }
        } catch (cause) {
          return { ok: false, error: { code: "notJson", message: String(cause) } }
        }
      },
      send: async (outbound, context) => {
        sent.push({ outbound, context })
        const answer = answers.shift()
        return answer ? answer(outbound) : { outcome: "accepted", platformIds: [`${kind}-out-${++count}`] }
      },
      fetch: async (ref) => ({ outcome: "fetched", bytes: new TextEncoder().encode(ref), mediaType: "text/plain" })
    }
  }
}

let entries = 0

/** A message from a person with a verified phone number. */
export const message = (
  text: string,
  more: Partial<Inbound.MessageReceived> & { readonly phone?: string; readonly email?: string } = {}
): Inbound.MessageReceived => {
  const { phone = "+34600000001", email, ...rest } = more
  const id = `in-${++entries}`
  const address = email
    ? ({ kind: "email", value: email, state: "verified" } as const)
    : ({ kind: "phone", value: phone, state: "verified" } as const)
  return {
    kind: "messageReceived",
    account: "key",
    entryId: id,
    occurredAtMs: 0,
    platformId: id,
    from: { addresses: [address], name: "Ada" },
    thread: {
      key: address.value,
      audience: "private",
      replyTo: [{ kind: address.kind, value: address.value }]
    },
    parts: [{ kind: "text", text, format: "plain" }],
    attachments: [],
    ...rest
  }
}

export const agent = (id: string, more: Partial<NonNullable<DeskConfig["agents"]>[number]> = {}) => ({
  id: Id.AgentId.parse(id),
  name: id[0]!.toUpperCase() + id.slice(1),
  role: "agent" as const,
  teams: [],
  skills: {},
  languages: [],
  capacity: { total: 3, perChannelKind: {} },
  ...more
})

export const actor = (id: string, role: "agent" | "supervisor" | "administrator" = "agent"): Actor.Actor => ({
  kind: "agent",
  id: Id.AgentId.parse(id),
  role
})

export const supervisor = actor("vera", "supervisor")

export const config = (more: Partial<DeskConfig> = {}, driver?: StorageDriver.StorageDriver): DeskConfig => ({
  storage: driver ?? MemoryStorage.make(),
  blobs: MemoryBlobStore.make(),
  credentialSecret: "a secret of at least 32 characters",
  agents: [
    agent("grace"),
    agent("linus"),
    agent("vera", { role: "supervisor" }),
    agent("root", { role: "administrator" })
  ],
  ...more
})

/** A desk's layer over ids that repeat. */
export const layer = (made: DeskConfig, prefix = "id") =>
  Desk.layerWith(made).pipe(Layer.provide(Ids.layerSequence(prefix)))

/** Provides such a desk without its log: what it complains of is what the test brings about. */
export const quietly =
  (made: DeskConfig, prefix?: string) =>
  <A, E>(effect: Effect.Effect<A, E, Desk>) =>
    effect.pipe(Effect.provide(layer(made, prefix)), Effect.provideService(References.MinimumLogLevel, "None"))

/** Posts entries as the platform would. */
export const post = Effect.fnUntraced(function* (
  kind: string,
  posted: ReadonlyArray<Inbound.Entry>,
  signature = "good"
) {
  const desk = yield* Desk
  return yield* desk.receive(kind, {
    method: "POST",
    url: new URL(`http://desk.test/channels/${kind}/`),
    headers: { "x-signature": signature },
    body: new TextEncoder().encode(JSON.stringify(posted)),
    receivedAtMs: 0
  })
})

/** The same, and the desk does all that follows. */
export const arrive = Effect.fnUntraced(function* (kind: string, posted: ReadonlyArray<Inbound.Entry>) {
  const desk = yield* Desk
  const received = yield* post(kind, posted)
  yield* desk.drain()
  return received
})

/** Grace is free, contacts write: the first offer that she gets. */
export const offered = Effect.fnUntraced(function* (kind: string, posted: ReadonlyArray<Inbound.Entry>) {
  const desk = yield* Desk
  yield* desk.setPresence(actor("grace"), "grace", "available")
  yield* arrive(kind, posted)
  const [offer] = yield* desk.offers(actor("grace"))
  return offer!
})

/** The conversation that stands first in the list. */
export const firstId = Effect.gen(function* () {
  const desk = yield* Desk
  const { rows } = yield* desk.inbox(supervisor)
  return rows[0]!.conversationId
})

export const bot = (onTurn: Bot.Bot["onTurn"], deadlineMs = 5000): Bot.Bot => ({
  id: Id.BotId.parse("helper"),
  name: "Helper",
  deadlineMs,
  onTurn
})
