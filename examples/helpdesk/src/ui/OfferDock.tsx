/** Work that is offered to this agent, with the time left to take it. */
import { Button, Kbd, RingProgress, Text } from "@mantine/core"
import { useHotkeys } from "@mantine/hooks"
import { notifications } from "@mantine/notifications"
import type { OfferView } from "@switchboard/desk/DeskService"
import { IconCheck, IconMessages, IconX } from "@tabler/icons-react"
import { useQuery, useQueryClient } from "@tanstack/react-query"
import { useEffect, useRef, useState } from "react"
import { isActive } from "./Active.ts"
import { ChannelIcon, lookOf } from "./Channels.tsx"
import * as DeskClient from "./DeskClient.ts"
import { contactNameOf, nameOfContact } from "./Directory.ts"
import { toWhen } from "./Format.ts"
import { PriorityIcon } from "./inbox/ListRow.tsx"
import { useNow } from "./Now.ts"
import { openConversation } from "./Place.ts"
import { toSentence } from "./Problems.ts"
import { useSound } from "./TopBar.tsx"

const title = "Switchboard"

const chime = (): void => {
  const audio = new AudioContext()
  const gain = audio.createGain()
  gain.connect(audio.destination)
  gain.gain.setValueAtTime(0.08, audio.currentTime)
  gain.gain.exponentialRampToValueAtTime(0.001, audio.currentTime + 0.5)
  for (const [pitch, after] of [
    [660, 0],
    [880, 0.14]
  ] as const) {
    const tone = audio.createOscillator()
    tone.frequency.value = pitch
    tone.connect(gain)
    tone.start(audio.currentTime + after)
    tone.stop(audio.currentTime + 0.5)
  }
}

const Countdown = ({ offer }: { readonly offer: OfferView }) => {
  const now = useNow()
  const left = Math.max(0, offer.expiresAtMs - now)
  // The whole span is not in the offer: what was left when it was first seen stands for it.
  const [span] = useState(() => Math.max(1000, offer.expiresAtMs - Date.now()))
  const seconds = Math.ceil(left / 1000)
  return (
    <RingProgress
      size={58}
      thickness={5}
      roundCaps
      sections={[{ value: Math.min(100, (100 * left) / span), color: left < 8000 ? "red" : "indigo" }]}
      label={
        <Text ta="center" fz="sm" fw={700} role="timer" aria-live="off">
          {seconds}
          <span className="sr"> seconds left</span>
        </Text>
      }
    />
  )
}

const Card = ({ offer, more }: { readonly offer: OfferView; readonly more: number }) => {
  const queries = useQueryClient()
  const [busy, setBusy] = useState<"accept" | "decline" | null>(null)
  const [shownAt] = useState(() => Date.now())
  const { conversationId, row } = offer
  const detail = useQuery({
    queryKey: ["conversation", conversationId],
    queryFn: ({ signal }) => DeskClient.conversation(conversationId, signal)
  })
  // The row may come a moment after the offer; the conversation itself is there.
  const about = row ?? detail.data?.conversation
  const others = (detail.data?.others ?? []).filter(isActive)
  const kinds = new Set(detail.data?.conversation.threads.map(({ channelKind }) => channelKind))
  const [begun] = kinds.size > 1 ? kinds : []
  const answer = async (what: "accept" | "decline"): Promise<void> => {
    // A click or a key that was meant for what was there a moment ago answers nothing.
    if (busy !== null || Date.now() - shownAt < 400) return
    setBusy(what)
    try {
      if (what === "accept") {
        await DeskClient.acceptOffer(offer.offerId)
        openConversation(conversationId)
      } else await DeskClient.declineOffer(offer.offerId)
    } catch (error) {
      notifications.show({ color: "red", message: toSentence(error) })
    }
    setBusy(null)
    for (const key of ["offers", "inbox", "board", "conversation"]) void queries.invalidateQueries({ queryKey: [key] })
  }
  useHotkeys([
    ["a", () => void answer("accept")],
    ["d", () => void answer("decline")]
  ])
  return (
    <div className="offer">
      <Countdown offer={offer} />
      <div className="offer-words">
        <Text fz="xs" fw={650} c="indigo" className="offer-kicker">
          Offered to you{more > 0 ? ` · ${more} more waiting` : ""}
        </Text>
        <div className="row-line">
          {row?.channelKinds.map((kind) => (
            <ChannelIcon key={kind} kind={kind} />
          ))}
          <strong className="row-name" dir="auto">
            {row ? contactNameOf(row.contactName) : nameOfContact(detail.data?.contact ?? null)}
          </strong>
          {row && <PriorityIcon priority={row.priority} />}
        </div>
        <Text fz="sm" c="dimmed" ta="left" truncate dir="auto">
          {about?.subject || about?.preview || "No text yet"}
        </Text>
        {row && begun !== undefined && (
          <Text fz="sm" className="offer-others whole">
            <IconMessages size={14} aria-hidden /> Already open by {lookOf(begun).label} since{" "}
            {toWhen(row.openedAtMs, Date.now())}
          </Text>
        )}
        {others.length > 0 && (
          <Text fz="sm" className="offer-others">
            <IconMessages size={14} aria-hidden /> Already open:{" "}
            <span dir="auto">{others[0]!.subject || others[0]!.preview}</span>
            {others.length > 1 && ` and ${others.length - 1} more`}
          </Text>
        )}
      </div>
      <div className="offer-buttons">
        <Button
          leftSection={<IconCheck size={17} aria-hidden />}
          rightSection={
            <Kbd size="xs" aria-hidden>
              a
            </Kbd>
          }
          loading={busy === "accept"}
          onClick={() => answer("accept")}
        >
          Accept
        </Button>
        <Button
          variant="default"
          leftSection={<IconX size={17} aria-hidden />}
          rightSection={
            <Kbd size="xs" aria-hidden>
              d
            </Kbd>
          }
          loading={busy === "decline"}
          onClick={() => answer("decline")}
        >
          Decline
        </Button>
      </div>
    </div>
  )
}

export const OfferDock = () => {
  const now = useNow()
  const [sound] = useSound()
  const offers = useQuery({
    queryKey: ["offers"],
    queryFn: ({ signal }) => DeskClient.offers(signal),
    refetchInterval: 10_000
  })
  const open = (offers.data ?? []).filter(({ expiresAtMs }) => expiresAtMs > now)
  const first = [...open].sort((a, b) => a.expiresAtMs - b.expiresAtMs)[0]
  const count = open.length
  const announced = useRef<string>(undefined)
  useEffect(() => {
    document.title = count > 0 ? `(${count}) Offer · ${title}` : title
  }, [count])
  useEffect(() => {
    if (first && announced.current !== first.offerId && sound) chime()
    announced.current = first?.offerId
  }, [first, sound])
  return (
    <section className="dock" aria-label="Offers" aria-live="assertive">
      {first && <Card key={first.offerId} offer={first} more={count - 1} />}
    </section>
  )
}
