/** What each connected channel can do. */
import type { ChannelView } from "@switchboard/desk/Answers"
import { useQuery } from "@tanstack/react-query"
import * as DeskClient from "./DeskClient.ts"

/** The connected channels, `undefined` until they are known; they change only with the desk's configuration. */
export const useChannels = (): ReadonlyArray<ChannelView> | undefined =>
  useQuery({ queryKey: ["channels"], queryFn: DeskClient.channels, staleTime: Number.POSITIVE_INFINITY }).data

/** What a kind of channel can do; `null` until that is known, `undefined` when it is not connected. */
export const capabilitiesOf = (channels: ReadonlyArray<ChannelView> | undefined, channelKind: string | undefined) =>
  channels === undefined ? null : channels.find(({ kind }) => kind === channelKind)?.capabilities
