/** Contacts that count as this one since somebody merged them, and taking that back. */
import { Button, Group, Modal, Text, UnstyledButton } from "@mantine/core"
import type { Contact } from "@switchboard/conversation"
import { useRef, useState } from "react"
import { useAct } from "../conversation/useGive.ts"
import * as DeskClient from "../DeskClient.ts"
import { nameOfContact } from "../Directory.ts"
import { Face } from "../Face.tsx"
import { Section } from "./ContactCard.tsx"

export const Merged = ({ contacts }: { readonly contacts: ReadonlyArray<Contact.Contact> }) => {
  const { act, isBusy } = useAct()
  const [parted, setParted] = useState<Contact.Contact | null>(null)
  // What is said stays while the dialog fades.
  const shown = useRef(parted)
  if (parted) shown.current = parted
  const undo = async (): Promise<void> => {
    if (!parted) return
    if (await act(() => DeskClient.giveToContact(parted.id, { type: "UndoContactMerge" }), "Two contacts again"))
      setParted(null)
  }
  if (contacts.length === 0) return null
  return (
    <Section title="Merged into this contact">
      <ul className="bare consents">
        {contacts.map((contact) => {
          const name = nameOfContact(contact)
          const where = contact.addresses.map(({ label, value }) => label ?? value).filter((value) => value !== name)
          return (
            <li key={contact.id}>
              <Face name={contact.name ?? ""} size={22} />
              <span className="grow">
                <b dir="auto">{name}</b>
                {where.length > 0 && <small className="block quiet">{where.join(" · ")}</small>}
              </span>
              <UnstyledButton
                className="link-button"
                aria-label={`Undo the merge of ${name}`}
                onClick={() => setParted(contact)}
              >
                Undo
              </UnstyledButton>
            </li>
          )
        })}
      </ul>
      <Modal
        opened={parted !== null}
        onClose={() => setParted(null)}
        title="Undo this merge?"
        closeButtonProps={{ "aria-label": "Close" }}
      >
        <Text>
          <bdi>{nameOfContact(shown.current)}</bdi> is a contact of its own again, with its addresses and its earlier
          conversations. What was written since the merge stays where it is.
        </Text>
        <Group justify="flex-end" mt="lg">
          <Button variant="default" onClick={() => setParted(null)}>
            Cancel
          </Button>
          <Button onClick={undo} loading={isBusy} data-autofocus>
            Undo the merge
          </Button>
        </Group>
      </Modal>
    </Section>
  )
}
