/**
 * A working desk, as an Effect service: everything in {@link DeskService}, and what runs it.
 *
 * @module
 */
import { Context, Effect, Layer, type Scope, Stream } from "effect"
import * as Audit from "./Audit.ts"
import * as Board from "./Board.ts"
import * as Commands from "./Commands.ts"
import * as ContactCommands from "./ContactCommands.ts"
import * as ContactExport from "./ContactExport.ts"
import * as ContactThreads from "./ContactThreads.ts"
import type { DeskConfig } from "./DeskConfig.ts"
import { type ConfigError, type DeskError, NotFoundError } from "./DeskError.ts"
import type { Recorded } from "./DeskEvent.ts"
import type { Change, DeskService } from "./DeskService.ts"
import { Environment, fromPromise, Ids, settled } from "./Environment.ts"
import * as Handlers from "./Handlers.ts"
import * as InboxReactor from "./InboxReactor.ts"
import * as Live from "./Live.ts"
import * as MetricsReactor from "./MetricsReactor.ts"
import * as PoolRequests from "./PoolRequests.ts"
import * as Reactors from "./Reactor.ts"
import * as Reading from "./Reading.ts"
import * as Receiver from "./Receiver.ts"
import * as Replies from "./Replies.ts"
import * as Retention from "./Retention.ts"
import { isPerson, notAllowed, requirePerson, requireRole } from "./Rights.ts"
import * as Router from "./Router.ts"
import * as Runner from "./Runner.ts"
import * as SlaReactor from "./SlaReactor.ts"
import type { ParkedStream } from "./Views.ts"
import * as Workers from "./Workers.ts"

/** The desk. */
export class Desk extends Context.Service<
  Desk,
  DeskService & {
    /**
     * Listeners, reactors, workers and timers, in a scope: returns once every listener takes input. **Fails with**
     * {@link ConfigError} when one can't, such as when its port is taken.
     */
    readonly start: Effect.Effect<void, ConfigError, Scope.Scope>
    /** The same until interrupted. */
    readonly run: Effect.Effect<never, ConfigError, Scope.Scope>
    readonly environment: Environment["Service"]
  }
>()("@switchboard/desk/Desk") {
  /**
   * A desk from its configuration. It starts nothing by itself: run `run`, or call `drain`.
   *
   * **Fails with** {@link ConfigError}; {@link DeskError} when storage can't be read.
   *
   * **Example**
   *
   * ```ts
   * import { strict as assert } from "node:assert"
   * import { Desk } from "@switchboard/desk"
   * import { MemoryBlobStore, MemoryStorage } from "@switchboard/storage"
   * import { Effect } from "effect"
   *
   * const program = Effect.gen(function* () {
   *   const desk = yield* Desk
   *   // Reactors, workers and listeners, until the scope closes.
   *   yield* Effect.forkScoped(desk.run)
   *   const { rows } = yield* desk.inbox({ kind: "system", name: "example" })
   *   return rows.length
   * })
   *
   * const layer = Desk.layer({
   *   storage: MemoryStorage.make(),
   *   blobs: MemoryBlobStore.make(),
   *   credentialSecret: "change me: 32 characters or more"
   * })
   * assert.equal(await Effect.runPromise(program.pipe(Effect.scoped, Effect.provide(layer))), 0)
   * ```
   */
  static readonly layer = (config: DeskConfig): Layer.Layer<Desk, ConfigError | DeskError> =>
    Layer.effect(Desk, make).pipe(Layer.provide(Environment.layer(config)), Layer.provide(Ids.layer))

  /** The same over given ids, so that a simulation repeats itself. */
  static readonly layerWith = (config: DeskConfig): Layer.Layer<Desk, ConfigError | DeskError, Ids> =>
    Layer.effect(Desk, make).pipe(Layer.provide(Environment.layer(config)))
}

/** What a change tells whoever follows the desk: never the event itself. */
const toChange = (recorded: Recorded): Change => {
  const event = recorded.event as { readonly type: string; readonly decision?: Record<string, unknown> }
  const decision = event.decision
  const text = (value: unknown): string | null => (typeof value === "string" ? value : null)
  return {
    position: recorded.position,
    type: decision ? String(decision["type"]) : event.type,
    conversationId:
      recorded.family === "conversation" || recorded.family === "sla" ? recorded.id : text(decision?.["itemId"]),
    contactId: recorded.family === "contact" ? recorded.id : null,
    agentId: text(decision?.["agentId"])
  }
}

const make = Effect.gen(function* () {
  const environment = yield* Environment
  const { settings, workspace } = environment
  const live = yield* Live.make(environment)
  const receiver = Receiver.make(environment, live)
  const threads = ContactThreads.make(environment, live)
  const commands = Commands.make(environment)

  for (const warning of settings.warnings) yield* Effect.logWarning(warning)
  const router = Router.make(settings)
  const react = (reactor: Reactors.Reactor) =>
    Reactors.start(environment, reactor, (consequence) => commands.follow(reactor.name, consequence))
  const routing = yield* react(router.reactor)
  const reactors = [
    routing,
    yield* react(SlaReactor.make(settings.plan)),
    yield* react(InboxReactor.make()),
    yield* react(MetricsReactor.make())
  ]

  const contactCommands = ContactCommands.make(environment, commands.once, reactors)
  const poolRequests = PoolRequests.make(environment, router, routing)
  yield* poolRequests.syncAgents

  yield* Retention.schedule(environment)
  const retention = Retention.make(environment, contactCommands.eraseNow)
  const handlers = Handlers.make(environment, receiver, poolRequests.tick, contactCommands.eraseNow, retention)
  const workers = Workers.make(environment, handlers, settings.limits.callsAtOnce)
  const { start, drain } = Runner.make(environment, receiver, reactors, workers)

  const changes: DeskService["changes"] = (actor, afterPosition) =>
    isPerson(actor)
      ? Stream.map(live.after(afterPosition), toChange)
      : Stream.fail(notAllowed(actor, "the live stream", "an agent's role"))

  const contactTyping: DeskService["contactTyping"] = (actor, conversationId) =>
    isPerson(actor)
      ? live.typing.ofContacts(conversationId)
      : Stream.fail(notAllowed(actor, "who types", "an agent's role"))

  const receive: DeskService["receive"] = Effect.fnUntraced(
    function* (channelKind, request) {
      const channel = settings.channels.get(channelKind)
      if (!channel) return yield* new NotFoundError({ what: "channel", id: channelKind })
      const verified = yield* settled(() => channel.verify(request))
      switch (verified.kind) {
        case "refused":
          return {
            kind: "answer",
            answer: {
              status: verified.status,
              headers: { "content-type": "application/json", ...verified.answerHeaders },
              body: JSON.stringify({ error: verified.reason })
            }
          } as const
        case "answered":
          return { kind: "answer", answer: verified.answer } as const
        case "verified": {
          yield* receiver.take(channel, verified.input)
          const { acknowledgement } = channel
          return {
            kind: "answer",
            answer: { ...acknowledgement, headers: { ...acknowledgement.headers, ...verified.answerHeaders } }
          } as const
        }
        case "reads": {
          const headers = verified.answerHeaders ?? {}
          return verified.live
            ? ({ kind: "live", headers, stream: threads.live(channel, verified) } as const)
            : ({ kind: "thread", headers, page: yield* threads.page(channel, verified) } as const)
        }
      }
    },
    // The one operation that runs for every message: its call's stack would cost more than its span.
    Effect.withSpan("Desk.receive", {}, { captureStackTrace: false })
  )

  const retryParked: DeskService["retryParked"] = Effect.fn("Desk.retryParked")(function* (actor, name, stream) {
    yield* requireRole(actor, "reading a parked stream again", ["supervisor", "administrator"])
    const reactor = reactors.find((one) => one.name === name)
    if (!reactor) return yield* new NotFoundError({ what: "reactor", id: name })
    const reason = yield* reactor.retry(stream)
    return { done: reason === undefined, reason: reason ?? null }
  })

  const health: DeskService["health"] = Effect.fn("Desk.health")(function* (actor) {
    yield* requirePerson(actor, "the desk's health")
    const [head, parked, letters] = yield* fromPromise(() =>
      Promise.all([
        workspace.head(),
        workspace.query({ view: "parked", limit: 200 }),
        workspace.query({ view: "deadLetters", where: [{ field: "state", equals: "waiting" }], limit: 1000 })
      ])
    )
    return {
      position: head,
      reactors: reactors.map((reactor) => {
        const stopped = reactor.stopped()
        return {
          name: reactor.name,
          position: reactor.position(),
          behind: head - reactor.position(),
          stopped: stopped ? { reason: stopped.reason, sinceMs: stopped.sinceMs } : null
        }
      }),
      parked: parked.documents.map((stored) => stored.document as unknown as ParkedStream),
      deadLetters: letters.documents.length
    }
  })

  const service: DeskService = {
    receive,
    execute: (actor, conversationId, command, options) =>
      command.type === "EraseContent"
        ? contactCommands.eraseContent(actor, conversationId, command.reason, options)
        : commands.operations.execute(actor, conversationId, command, options),
    ...contactCommands.operations,
    ...ContactExport.make(environment),
    audit: Audit.make(environment),
    ...Replies.make(environment, commands.once, live),
    ...Reading.make(environment),
    ...Board.make(environment, router),
    ...poolRequests.operations,
    changes,
    contactTyping,
    deadLetters: (actor) => Effect.andThen(requirePerson(actor, "dead letters"), receiver.deadLetters),
    redrive: (actor, id) =>
      Effect.andThen(
        requireRole(actor, "driving a dead letter again", ["supervisor", "administrator"]),
        receiver.redrive(id)
      ),
    health,
    retryParked,
    drain
  }
  return { ...service, start, run: Effect.andThen(start, Effect.never), environment }
})
