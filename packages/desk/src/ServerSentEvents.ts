/**
 * Live answers: an Effect stream as server-sent events.
 *
 * **Source** WHATWG HTML, section 9.2 (server-sent events).
 *
 * @module
 */
import { ContactThread } from "@switchboard/channel"
import { Effect, Stream } from "effect"

/** One event. Without `data` it only moves the client's last event id; without `event` it is a `message`. */
export interface ServerSentEvent {
  readonly event?: string
  readonly id?: string
  readonly data?: unknown
}

/**
 * An event as it goes over the wire; `data` becomes JSON, which has no line breaks.
 *
 * **Example**
 *
 * ```ts
 * import { strict as assert } from "node:assert"
 * import { ServerSentEvents } from "@switchboard/desk"
 *
 * assert.equal(ServerSentEvents.encode({ id: "7", data: { a: 1 } }), 'id: 7\ndata: {"a":1}\n\n')
 * ```
 */
export const encode = (event: ServerSentEvent): string =>
  [
    ...(event.event === undefined ? [] : [`event: ${event.event}\n`]),
    ...(event.id === undefined ? [] : [`id: ${event.id}\n`]),
    ...(event.data === undefined ? [] : [`data: ${JSON.stringify(event.data)}\n`]),
    "\n"
  ].join("")

const comment = ":\n\n"

/** The longest a timer can wait; a live answer that should last longer is simply begun again by its client. */
const longestMs = 2_147_483_647

/**
 * A live answer. A comment opens it and follows every 15 seconds. It ends when the client goes (`signal`, or the body is
 * cancelled), when `lifetimeMs` is over, or when the stream ends or fails: a client then asks again from its last id.
 */
export const toResponse = <E>(
  stream: Stream.Stream<ServerSentEvent, E>,
  options: {
    readonly signal: AbortSignal
    readonly headers: Readonly<Record<string, string>>
    readonly lifetimeMs?: number
  }
): Effect.Effect<Response> =>
  Effect.gen(function* () {
    const beats = Stream.map(Stream.drop(Stream.tick(ContactThread.heartbeatMs), 1), () => comment)
    const events = stream.pipe(
      Stream.map(encode),
      Stream.catchCause((cause) =>
        Stream.drain(
          Stream.fromEffect(Effect.logWarning("a live answer ended early; its client will ask again", cause))
        )
      )
    )
    const bytes = Stream.concat(Stream.succeed(comment), Stream.merge(events, beats, { haltStrategy: "left" })).pipe(
      Stream.interruptWhen(Effect.sleep(Math.max(0, Math.min(longestMs, options.lifetimeMs ?? longestMs)))),
      Stream.encodeText
    )
    const body = Stream.toReadableStreamWith(bytes, yield* Effect.context<never>(), { signal: options.signal })
    return new Response(body, {
      headers: {
        ...options.headers,
        "content-type": "text/event-stream",
        "cache-control": "no-store",
        // Proxies that buffer would hold events back.
        "x-accel-buffering": "no"
      }
    })
  })
