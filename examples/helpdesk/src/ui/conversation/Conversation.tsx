import { Alert, Skeleton } from "@mantine/core"
import { IconAlertCircle, IconMessages, IconSparkles } from "@tabler/icons-react"
import { useQuery } from "@tanstack/react-query"
import { useEffect } from "react"
import { isActive } from "../Active.ts"
import * as DeskClient from "../DeskClient.ts"
import { isMe, useMe } from "../Directory.ts"
import { toWhen } from "../Format.ts"
import { NotShown } from "../NotShown.tsx"
import { followLink, toHref } from "../Place.ts"
import { Composer } from "./Composer.tsx"
import { Header } from "./Header.tsx"
import { Timeline } from "./Timeline.tsx"

export const useConversation = (id: string) =>
  useQuery({
    queryKey: ["conversation", id],
    queryFn: ({ signal }) => DeskClient.conversation(id, signal)
  })

export const Conversation = ({ id, onCard }: { readonly id: string; readonly onCard: (() => void) | undefined }) => {
  const me = useMe()
  const detail = useConversation(id)
  const { holder } = detail.data?.conversation.control ?? {}
  const mustMark = (detail.data?.conversation.unreadCount ?? 0) > 0 && holder !== undefined && isMe(holder, me)
  useEffect(() => {
    // What nobody saw is not read: a hidden tab waits until it is looked at.
    if (!mustMark) return
    const mark = () => void (document.hidden || DeskClient.give(id, { type: "MarkRead" }).catch(() => {}))
    mark()
    document.addEventListener("visibilitychange", mark)
    return () => document.removeEventListener("visibilitychange", mark)
  }, [mustMark, id])

  if (detail.isPending)
    return (
      <section className="pane conversation" aria-label="Conversation" aria-busy="true">
        <div className="conversation-skeleton">
          <Skeleton h={22} w="45%" />
          <Skeleton h={14} w="65%" />
          <Skeleton h={64} w="58%" radius="lg" mt={40} />
          <Skeleton h={48} w="42%" radius="lg" ms="auto" />
          <Skeleton h={84} w="52%" radius="lg" />
        </div>
      </section>
    )
  if (!detail.data)
    return (
      <section className="pane conversation none" aria-label="Conversation">
        <NotShown what="This conversation" icon={IconAlertCircle} query={detail} />
      </section>
    )
  const { conversation, others } = detail.data
  const open = others.filter(isActive)
  return (
    <section className="pane conversation" aria-label="Conversation">
      <Header detail={detail.data} onCard={onCard} />
      {open.length > 0 && (
        <Alert
          className="already-open"
          color="yellow"
          variant="light"
          icon={<IconMessages size={19} />}
          p="xs"
          radius={0}
        >
          <span className="already-open-words">
            There is already an open conversation:{" "}
            {open.map((other, index) => {
              const place = { page: "inbox", conversationId: other.id } as const
              return (
                <span key={other.id}>
                  {index > 0 && ", "}
                  <a href={toHref(place)} onClick={followLink(place)} dir="auto">
                    {other.subject || other.preview || "without a subject"}
                  </a>
                </span>
              )
            })}{" "}
            <span className="quiet">· last {toWhen(open[0]!.updatedAtMs, Date.now())}</span>
          </span>
        </Alert>
      )}
      {conversation.handoffSummary && holder?.kind !== "bot" && (
        <div className="summary">
          <IconSparkles size={17} aria-hidden />
          <span dir="auto">
            <b>The bot's summary:</b> {conversation.handoffSummary}
          </span>
        </div>
      )}
      <Timeline detail={detail.data} />
      <Composer detail={detail.data} />
    </section>
  )
}
