/**
 * Fetches the bytes of attachments that a platform only named.
 *
 * @module
 */
import type { Outbound } from "@switchboard/channel"
import { Actor, type Conversation, type ConversationCommand, type Message } from "@switchboard/conversation"
import { Effect } from "effect"
import { callWithin, pauseMs, toBytes } from "./Deliveries.ts"
import { stampOf } from "./Draft.ts"
import { type Environment, fromPromise, jitter } from "./Environment.ts"
import type { Payloads } from "./Jobs.ts"
import { type Handler, isConflict } from "./Workers.ts"

type Recorded = Extract<ConversationCommand.ConversationCommand, { readonly type: "RecordAttachment" }>["result"]

/** The handler of `fetch` jobs. */
export const make = (environment: Environment["Service"]): Handler => {
  const { settings, workspace, turn, newId } = environment
  return Effect.fnUntraced(function* (job) {
    const payload = job.timer.payload as unknown as Payloads["fetch"]
    const { conversationId, messageId, attachmentId } = payload
    const stored = yield* fromPromise(async () => [
      await workspace.document("conversations", conversationId),
      await workspace.document("messages", messageId)
    ])
    const conversation = stored[0]?.document as Conversation.Conversation | undefined
    const message = stored[1]?.document as Message.Message | undefined
    const attachment = message?.attachments.find((one) => one.id === attachmentId)
    const thread = conversation?.threads.find((one) => one.id === message?.threadId)
    const channel = thread && settings.channels.get(thread.channelKind)
    const account = channel?.accounts.find((one) => one.id === thread?.accountId)
    const conclude = (result: Recorded) =>
      turn(`conversation/${conversationId}`, async (draft) => {
        draft.timer(job.done)
        if (!(await draft.message(conversationId, messageId))) return
        await draft.run(
          conversationId,
          { type: "RecordAttachment", messageId, attachmentId, result },
          stampOf(Actor.system("media"), draft.nowMs)
        )
      })
    if (attachment?.state !== "pending" || attachment.source === undefined || !channel?.fetch || !account) {
      return attachment?.state === "pending"
        ? yield* conclude({ state: "failed", failure: "no configured channel can fetch it" })
        : yield* Effect.asVoid(fromPromise(() => workspace.commit({ timers: [job.done] })))
    }
    const attempt = payload.attempt + 1
    const source = attachment.source
    const fetchMedia = channel.fetch
    const result = yield* callWithin<Outbound.FetchResult>(
      settings.limits.callTimeoutMs,
      async (signal) => {
        const fetched = await fetchMedia(source, account, {
          idempotencyKey: `${messageId}/${attachmentId}`,
          attempt,
          nowMs: environment.now(),
          signal,
          readAttachment: () => Promise.reject(new Error("nothing is attached to a download"))
        })
        if (fetched.outcome !== "fetched" || fetched.bytes instanceof Uint8Array) return fetched
        return { ...fetched, bytes: await toBytes(fetched.bytes) }
      },
      (code, text) => ({ outcome: "unavailable", code, message: text })
    )
    if (result.outcome === "fetched") {
      const blobKey = newId()
      const put = yield* Effect.result(
        fromPromise(() =>
          settings.config.blobs.put(workspace.id, blobKey, result.bytes, {
            mediaType: result.mediaType,
            limitBytes: settings.limits.attachmentBytes
          })
        )
      )
      return yield* put._tag === "Failure"
        ? conclude({ state: "failed", failure: put.failure.message.slice(0, 1000) })
        : conclude({ state: "stored", blobKey, sizeBytes: put.success.sizeBytes, mediaType: result.mediaType }).pipe(
            // The message is gone, or somebody else stored it: nothing names these bytes.
            Effect.tapError((error) =>
              error._tag === "RejectedError" || isConflict(error)
                ? fromPromise(() => settings.config.blobs.delete(workspace.id, [blobKey]))
                : Effect.void
            )
          )
    }
    if (result.outcome === "refused" || attempt >= settings.limits.deliveryAttempts) {
      return yield* conclude({ state: "failed", failure: `${result.code}: ${result.message}`.slice(0, 1000) })
    }
    const wait = Math.max(result.retryAfterMs ?? 0, yield* jitter(pauseMs(attempt)))
    yield* fromPromise(() =>
      workspace.commit({ timers: [job.later(environment.now() + wait, { ...payload, attempt })] })
    )
  })
}
