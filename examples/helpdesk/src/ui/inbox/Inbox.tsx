import { Drawer } from "@mantine/core"
import { useDisclosure, useMediaQuery } from "@mantine/hooks"
import { IconMessages } from "@tabler/icons-react"
import { Blank } from "../Blank.tsx"
import { ContactCard } from "../card/ContactCard.tsx"
import { Conversation } from "../conversation/Conversation.tsx"
import { ConversationList } from "./ConversationList.tsx"

/** Three panes where there is room, two with the card on demand, or one at a time. */
export const Inbox = ({ conversationId }: { readonly conversationId: string | null }) => {
  const hasRoomForCard = useMediaQuery("(min-width: 1180px)", true, { getInitialValueInEffect: false })
  const [isCardOpen, card] = useDisclosure(false)
  return (
    <main className="inbox" data-open={conversationId !== null || undefined}>
      <h1 className="sr">Inbox</h1>
      <ConversationList chosen={conversationId} />
      {conversationId === null ? (
        <section className="pane conversation none" aria-label="Conversation">
          <Blank
            icon={IconMessages}
            title="No conversation open"
            hint="Choose one from the list, or press j and Enter."
          />
        </section>
      ) : (
        <>
          <Conversation key={conversationId} id={conversationId} onCard={hasRoomForCard ? undefined : card.open} />
          {hasRoomForCard ? (
            <aside className="pane card" aria-label="Contact">
              <ContactCard key={conversationId} conversationId={conversationId} />
            </aside>
          ) : (
            <Drawer opened={isCardOpen} onClose={card.close} position="right" size={360} title="Contact">
              <ContactCard conversationId={conversationId} />
            </Drawer>
          )}
        </>
      )}
    </main>
  )
}
