/** Contacts that count as this one since somebody merged them, and taking that back. */
import { Text, UnstyledButton } from "@mantine/core"
import type { Contact } from "@switchboard/conversation"
import { useState } from "react"
import { Confirm } from "../Confirm.tsx"
import * as DeskClient from "../DeskClient.ts"
import { nameOfContact } from "../Directory.ts"
import { Face } from "../Face.tsx"
import { Section } from "./ContactCard.tsx"

export const Merged = ({ contacts }: { readonly contacts: ReadonlyArray<Contact.Contact> }) => {
  const [parted, setParted] = useState<Contact.Contact | null>(null)
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
      <Confirm
        about={parted}
        title="Undo this merge?"
        button="Undo the merge"
        run={({ id }) => DeskClient.giveToContact(id, { type: "UndoContactMerge" })}
        done="Two contacts again"
        onClose={() => setParted(null)}
      >
        {(shown) => (
          <Text>
            <bdi>{nameOfContact(shown)}</bdi> is a contact of its own again, with its addresses and its earlier
            conversations. What was written since the merge stays where it is.
          </Text>
        )}
      </Confirm>
    </Section>
  )
}
