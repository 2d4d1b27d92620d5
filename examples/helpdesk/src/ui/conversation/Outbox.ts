/**
 * What the agent has sent and the desk has not shown yet.
 *
 * Each keeps its command id through every attempt, so that trying again never says anything twice.
 */
import type { Message } from "@switchboard/conversation"
import { useSyncExternalStore } from "react"
import * as DeskClient from "../DeskClient.ts"

export interface Outgoing {
  readonly commandId: string
  readonly conversationId: string
  readonly kind: "reply" | "note"
  readonly text: string
  readonly files: ReadonlyArray<DeskClient.OutgoingFile>
  readonly mentions: ReadonlyArray<Message.Mention>
  readonly threadId?: string
  readonly fence?: number
  readonly atMs: number
  readonly state: "sending" | "sent" | "failed"
  readonly messageId?: string
  readonly fault?: unknown
}

/** Waits between attempts while the desk can't be reached or is busy. */
const pausesMs = [500, 2000, 5000]

let all: ReadonlyArray<Outgoing> = []
const listeners = new Set<() => void>()
const set = (next: ReadonlyArray<Outgoing>): void => {
  all = next
  for (const listener of listeners) listener()
}
const change = (commandId: string, to: Partial<Outgoing>): void =>
  set(all.map((one) => (one.commandId === commandId ? { ...one, ...to } : one)))

export const useOutbox = (): ReadonlyArray<Outgoing> =>
  useSyncExternalStore(
    (listener) => {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    () => all
  )

const deliver = async (item: Outgoing): Promise<void> => {
  for (let attempt = 0; ; attempt += 1) {
    try {
      const answer =
        item.kind === "note"
          ? await DeskClient.note(item.conversationId, item, item.commandId)
          : await DeskClient.reply(
              item.conversationId,
              {
                text: item.text,
                files: item.files,
                ...(item.threadId !== undefined && { threadId: item.threadId }),
                ...(item.fence !== undefined && { fence: item.fence })
              },
              item.commandId
            )
      change(item.commandId, { state: "sent", ...(answer.messageId !== undefined && { messageId: answer.messageId }) })
      return
    } catch (fault) {
      const pauseMs = pausesMs[attempt]
      if (!(fault instanceof DeskClient.DeskFault && fault.isPassing) || pauseMs === undefined) {
        change(item.commandId, { state: "failed", fault })
        return
      }
      await new Promise((resolve) => setTimeout(resolve, pauseMs))
    }
  }
}

/** Sends; `done` is called when it succeeded. */
export const send = async (input: Omit<Outgoing, "commandId" | "atMs" | "state">, done: () => void): Promise<void> => {
  const item: Outgoing = { ...input, commandId: DeskClient.newCommandId(), atMs: Date.now(), state: "sending" }
  set([...all, item])
  await deliver(item)
  if (all.find(({ commandId }) => commandId === item.commandId)?.state === "sent") done()
}

export const retry = async (item: Outgoing, done: () => void): Promise<void> => {
  change(item.commandId, { state: "sending", fault: undefined })
  await deliver(item)
  done()
}

/** Sends it although control has changed: another command, since this one was refused. */
export const insist = async ({ fence: _, ...item }: Outgoing, done: () => void): Promise<void> => {
  drop(item.commandId)
  await send(item, done)
}

export const drop = (commandId: string): void => set(all.filter((one) => one.commandId !== commandId))

/** Forgets what the desk shows by now. */
export const settle = (messageIds: ReadonlySet<string>): void => {
  const rest = all.filter(({ messageId }) => messageId === undefined || !messageIds.has(messageId))
  if (rest.length !== all.length) set(rest)
}
