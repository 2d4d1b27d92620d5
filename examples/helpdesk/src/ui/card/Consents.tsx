/** What a contact allows besides service, with its source; recorded and withdrawn here. */
import { Button, Group, Modal, Select, Stack, Text, Textarea, UnstyledButton } from "@mantine/core"
import type { Contact } from "@switchboard/conversation"
import { IconPlus } from "@tabler/icons-react"
import { useState } from "react"
import { useChannels } from "../Capabilities.ts"
import { ChannelIcon, lookOf } from "../Channels.tsx"
import { Confirm } from "../Confirm.tsx"
import { useAct } from "../conversation/useGive.ts"
import * as DeskClient from "../DeskClient.ts"
import { toDate } from "../Format.ts"
import { Section } from "./ContactCard.tsx"

type Consent = Contact.Contact["consents"][number]

/** What may be asked of a contact; service needs no consent. */
const purposes = [
  { value: "marketing", label: "Marketing" },
  { value: "survey", label: "Surveys" }
] as const
const nameOf = (purpose: string) => purposes.find(({ value }) => value === purpose)?.label ?? purpose

const Record = ({
  contact,
  isOpen,
  onClose
}: {
  readonly contact: Contact.Contact
  readonly isOpen: boolean
  readonly onClose: () => void
}) => {
  const { act, isBusy } = useAct()
  const channels = useChannels() ?? []
  const [purpose, setPurpose] = useState<Consent["purpose"]>("marketing")
  const [channelKind, setChannelKind] = useState<string | null>(null)
  const [source, setSource] = useState("")
  const known = contact.consents.find((one) => one.purpose === purpose && one.channelKind === channelKind)
  const evidence = source.trim()
  const save = async (): Promise<void> => {
    if (channelKind === null) return
    const isDone = await act(
      () => DeskClient.giveToContact(contact.id, { type: "GrantConsent", purpose, channelKind, evidence }),
      "Consent recorded"
    )
    if (!isDone) return
    setSource("")
    setChannelKind(null)
    onClose()
  }
  return (
    <Modal opened={isOpen} onClose={onClose} title="Record a consent">
      <Stack>
        <Group grow align="flex-start">
          <Select
            label="For"
            data={[...purposes]}
            value={purpose}
            onChange={(chosen) => chosen && setPurpose(chosen)}
            allowDeselect={false}
            comboboxProps={{ withinPortal: true }}
          />
          <Select
            label="By"
            placeholder="Choose"
            data={channels.map(({ kind }) => ({ value: kind, label: lookOf(kind).label }))}
            value={channelKind}
            onChange={setChannelKind}
            allowDeselect={false}
          />
        </Group>
        <Textarea
          label="Where it comes from"
          description="A form, a message, a call: what you could show if somebody asked."
          placeholder="Sign-up form of 12 May"
          autosize
          minRows={2}
          maxRows={6}
          maxLength={2000}
          value={source}
          onChange={(event) => setSource(event.currentTarget.value)}
          data-autofocus
        />
        {known && (
          <Text fz="sm" c="dimmed">
            It takes the place of the one since {toDate(known.grantedAtMs)}.
          </Text>
        )}
        <Group justify="flex-end">
          <Button variant="default" onClick={onClose}>
            Cancel
          </Button>
          <Button onClick={save} disabled={channelKind === null || evidence === ""} loading={isBusy}>
            Record
          </Button>
        </Group>
      </Stack>
    </Modal>
  )
}

export const Consents = ({ contact }: { readonly contact: Contact.Contact }) => {
  const [isRecording, setRecording] = useState(false)
  const [withdrawn, setWithdrawn] = useState<Consent | null>(null)
  const isErased = contact.erasedAtMs !== undefined
  return (
    <Section title="Consents">
      {contact.consents.length === 0 ? (
        <p className="quiet">Service messages only</p>
      ) : (
        <ul className="bare consents">
          {contact.consents.map((consent) => {
            const what = `${nameOf(consent.purpose)} by ${lookOf(consent.channelKind).label}`
            return (
              <li key={what}>
                <ChannelIcon kind={consent.channelKind} size={15} />
                <span className="grow">
                  <b>{what}</b>
                  <small className="block quiet">
                    <span dir="auto">{consent.evidence}</span> · {toDate(consent.grantedAtMs)}
                  </small>
                </span>
                <UnstyledButton
                  className="link-button"
                  aria-label={`Withdraw ${what}`}
                  onClick={() => setWithdrawn(consent)}
                >
                  Withdraw
                </UnstyledButton>
              </li>
            )
          })}
        </ul>
      )}
      {!isErased && (
        <UnstyledButton className="tag add" mt={8} onClick={() => setRecording(true)}>
          <IconPlus size={12} aria-hidden /> Record a consent
        </UnstyledButton>
      )}
      <Record contact={contact} isOpen={isRecording} onClose={() => setRecording(false)} />
      <Confirm
        about={withdrawn}
        title="Withdraw this consent?"
        button="Withdraw"
        color="red"
        run={({ purpose, channelKind }) =>
          DeskClient.giveToContact(contact.id, { type: "WithdrawConsent", purpose, channelKind })
        }
        done="Consent withdrawn"
        onClose={() => setWithdrawn(null)}
      >
        {({ purpose, channelKind }) => (
          <Text>
            Nothing more goes to this contact for {nameOf(purpose).toLowerCase()} by {lookOf(channelKind).label}, until
            they consent again. What is on its way still arrives.
          </Text>
        )}
      </Confirm>
    </Section>
  )
}
