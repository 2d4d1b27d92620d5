/** What a contact allows besides service, with its source; recorded and withdrawn here. */
import { Button, Group, Modal, Select, Stack, Text, Textarea, UnstyledButton } from "@mantine/core"
import type { Contact } from "@switchboard/conversation"
import { IconPlus } from "@tabler/icons-react"
import { useRef, useState } from "react"
import { useChannels } from "../Capabilities.ts"
import { ChannelIcon, lookOf } from "../Channels.tsx"
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

/** Ids cross the wire as plain text; the desk checks them. */
type PlainCommand = { readonly type: Contact.ContactCommand["type"] } & Readonly<Record<string, unknown>>

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
  const [purpose, setPurpose] = useState<string | null>("marketing")
  const [channelKind, setChannelKind] = useState<string | null>(null)
  const [source, setSource] = useState("")
  const known = contact.consents.find((one) => one.purpose === purpose && one.channelKind === channelKind)
  const isWhole = purpose !== null && channelKind !== null && source.trim() !== ""
  const save = async (): Promise<void> => {
    const command: PlainCommand = { type: "GrantConsent", purpose, channelKind, evidence: source.trim() }
    const isDone = await act(
      () => DeskClient.giveToContact(contact.id, command as unknown as Contact.ContactCommand),
      "Consent recorded"
    )
    if (!isDone) return
    setSource("")
    setChannelKind(null)
    onClose()
  }
  return (
    <Modal opened={isOpen} onClose={onClose} title="Record a consent" closeButtonProps={{ "aria-label": "Close" }}>
      <Stack>
        <Group grow align="flex-start">
          <Select
            label="For"
            data={[...purposes]}
            value={purpose}
            onChange={setPurpose}
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
          <Button onClick={save} disabled={!isWhole} loading={isBusy}>
            Record
          </Button>
        </Group>
      </Stack>
    </Modal>
  )
}

const Withdraw = ({
  contactId,
  consent,
  onClose
}: {
  readonly contactId: string
  readonly consent: Consent | null
  readonly onClose: () => void
}) => {
  const { act, isBusy } = useAct()
  // What is said stays while the dialog fades.
  const shown = useRef(consent)
  if (consent) shown.current = consent
  const { current } = shown
  const withdraw = async (): Promise<void> => {
    if (!consent) return
    const { purpose, channelKind } = consent
    const command: PlainCommand = { type: "WithdrawConsent", purpose, channelKind }
    const isDone = await act(
      () => DeskClient.giveToContact(contactId, command as unknown as Contact.ContactCommand),
      "Consent withdrawn"
    )
    if (isDone) onClose()
  }
  return (
    <Modal
      opened={consent !== null}
      onClose={onClose}
      title="Withdraw this consent?"
      closeButtonProps={{ "aria-label": "Close" }}
    >
      {current && (
        <Text>
          Nothing more goes to this contact for {nameOf(current.purpose).toLowerCase()} by{" "}
          {lookOf(current.channelKind).label}, until they consent again. What is on its way still arrives.
        </Text>
      )}
      <Group justify="flex-end" mt="lg">
        <Button variant="default" onClick={onClose}>
          Cancel
        </Button>
        <Button color="red" onClick={withdraw} loading={isBusy} data-autofocus>
          Withdraw
        </Button>
      </Group>
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
      <Withdraw contactId={contact.id} consent={withdrawn} onClose={() => setWithdrawn(null)} />
    </Section>
  )
}
