/** An agent who accepts what is offered after a moment, replies, and resolves. */
import { setTimeout as sleep } from "node:timers/promises"
import type { OfferView } from "@switchboard/desk/DeskService"
import type { InboxRow } from "@switchboard/desk/Views"
import { ApiError, signIn } from "./DeskApi.ts"
import type { Random } from "./Random.ts"

const replies = [
  "Thank you for writing. I am looking into it right now.",
  "I have checked it with our warehouse: it is solved.",
  "You are right, and we are sorry. I have put it in order.",
  "Done! You get a confirmation by mail within the hour."
] as const

const replyLimit = 2

/**
 * Works until the signal, then goes off duty.
 *
 * **Fails with** a rejection when the agent can't sign in.
 */
export const work = async (deskUrl: string, agentId: string, random: Random, signal: AbortSignal): Promise<void> => {
  const api = await signIn(deskUrl, agentId)
  const answered = new Map<string, number>()
  const pause = (least: number, most: number) =>
    sleep(random.between(least, most), undefined, { signal }).catch(() => {})
  /** What people do at the same time gets in each other's way now and then: nothing is wrong then. */
  const attempt = async (call: Promise<unknown>): Promise<void> => {
    await call.catch((error: unknown) => {
      if (!(error instanceof ApiError) || error.status >= 500) throw error
    })
  }

  const takeOffers = async (): Promise<void> => {
    for (const { offerId } of await api.get<ReadonlyArray<OfferView>>("/api/offers")) {
      await pause(300, 1500)
      if (signal.aborted) return
      await attempt(
        random.chance(0.1)
          ? api.send("POST", `/api/offers/${offerId}/decline`, { reason: "busy" })
          : api.send("POST", `/api/offers/${offerId}/accept`)
      )
    }
  }

  const serve = async ({ conversationId, status }: InboxRow): Promise<void> => {
    const done = answered.get(conversationId) ?? 0
    const conversation = `/api/conversations/${conversationId}`
    if (done >= replyLimit || (status !== "open" && done > 0)) {
      answered.delete(conversationId)
      await attempt(api.send("POST", `${conversation}/commands`, { type: "ResolveConversation" }))
      return
    }
    if (status !== "open") return
    answered.set(conversationId, done + 1)
    const said = { kind: "text", text: random.pick(replies), format: "plain" }
    await attempt(api.send("POST", `${conversation}/replies`, { parts: [said] }))
    await attempt(api.send("POST", `${conversation}/commands`, { type: "WaitForContact" }))
  }

  const presence = (status: "available" | "offline") => api.send("PUT", `/api/agents/${agentId}/presence`, { status })
  await presence("available")
  while (!signal.aborted) {
    try {
      await takeOffers()
      const mine = await api.get<{ readonly rows: ReadonlyArray<InboxRow> }>(`/api/inbox?assignee=${agentId}`)
      for (const row of mine.rows) {
        await pause(300, 1200)
        if (signal.aborted) break
        await serve(row)
      }
    } catch {
      // The desk is away or busy: look again soon.
    }
    await pause(300, 900)
  }
  await presence("offline").catch(() => {})
}
