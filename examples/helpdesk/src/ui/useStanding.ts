/** Where the agent who is signed in stands: presence and load, and changing the presence. */
import { notifications } from "@mantine/notifications"
import type { AgentView } from "@switchboard/desk/DeskService"
import type { Presence } from "@switchboard/routing"
import { useQuery, useQueryClient } from "@tanstack/react-query"
import * as DeskClient from "./DeskClient.ts"
import { useMe } from "./Directory.ts"
import { toSentence } from "./Problems.ts"

export const useStanding = () => {
  const me = useMe()
  const queries = useQueryClient()
  const board = useQuery({
    queryKey: ["board"],
    queryFn: ({ signal }) => DeskClient.board(signal),
    refetchInterval: 30_000
  })
  const mine: AgentView | undefined = board.data?.agents.find(({ agent }) => agent.id === me.id)
  const change = async (next: Presence.Status): Promise<void> => {
    try {
      await DeskClient.setPresence(me.id, next)
    } catch (error) {
      notifications.show({ color: "red", message: toSentence(error) })
    }
    await queries.invalidateQueries({ queryKey: ["board"] })
  }
  return { mine, change }
}
