import { notifications } from "@mantine/notifications"
import type { ConversationCommand } from "@switchboard/conversation"
import { useQueryClient } from "@tanstack/react-query"
import { useState } from "react"
import * as DeskClient from "../DeskClient.ts"
import { toSentence } from "../Problems.ts"

/** Runs something on the desk, tells what went wrong, and reads again what it changed. */
export const useAct = () => {
  const queries = useQueryClient()
  const [isBusy, setBusy] = useState(false)
  const act = async (run: () => Promise<unknown>, done?: string): Promise<boolean> => {
    setBusy(true)
    try {
      await run()
      if (done !== undefined) notifications.show({ message: done, autoClose: 2500 })
      return true
    } catch (error) {
      notifications.show({ color: "red", message: toSentence(error) })
      return false
    } finally {
      for (const key of ["inbox", "board"]) void queries.invalidateQueries({ queryKey: [key] })
      // The next command must name the fence as it is after this one.
      await queries.invalidateQueries({ queryKey: ["conversation"] })
      setBusy(false)
    }
  }
  return { act, isBusy }
}

/** Ids cross the wire as plain text; the desk checks them. */
export type PlainCommand = { readonly type: ConversationCommand.ConversationCommand["type"] } & Readonly<
  Record<string, unknown>
>

/** Gives one conversation commands. */
export const useGive = (conversationId: string) => {
  const { act, isBusy } = useAct()
  const give = (command: PlainCommand, done?: string): Promise<boolean> =>
    act(() => DeskClient.give(conversationId, command as unknown as ConversationCommand.ConversationCommand), done)
  return { give, act, isBusy }
}
