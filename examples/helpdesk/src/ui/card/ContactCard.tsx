import { Button, CopyButton, Skeleton, Text, Tooltip, UnstyledButton } from "@mantine/core"
import type { Contact, Conversation } from "@switchboard/conversation"
import {
  IconBrandTelegram,
  IconCircleCheck,
  IconCircleDashed,
  IconCopy,
  IconMail,
  IconPhone,
  IconUser,
  IconWorld
} from "@tabler/icons-react"
import type { ReactNode } from "react"
import { isActive } from "../Active.ts"
import { ChannelIcon } from "../Channels.tsx"
import { useConversation } from "../conversation/Conversation.tsx"
import { nameOfContact } from "../Directory.ts"
import { Face } from "../Face.tsx"
import { toDate, toLanguage, toWhen, toWords } from "../Format.ts"
import { followLink, toHref } from "../Place.ts"
import { Consents } from "./Consents.tsx"
import { Context } from "./Context.tsx"
import { Merged } from "./Merged.tsx"
import { Suggestion } from "./Suggestion.tsx"

const addressIcons = { email: IconMail, phone: IconPhone, telegram: IconBrandTelegram, visitor: IconWorld } as const
const iconOf = (kind: string) =>
  Object.hasOwn(addressIcons, kind) ? addressIcons[kind as keyof typeof addressIcons] : IconUser

export const Section = ({ title, children }: { readonly title: string; readonly children: ReactNode }) => (
  <section className="card-section">
    <h3>{title}</h3>
    {children}
  </section>
)

export const Facts = ({ facts }: { readonly facts: ReadonlyArray<readonly [string, ReactNode]> }) => (
  <dl className="facts">
    {facts.map(([label, value]) => (
      <div key={label}>
        <dt>{label}</dt>
        <dd dir="auto">{value}</dd>
      </div>
    ))}
  </dl>
)

const AddressLine = ({ address }: { readonly address: Contact.Contact["addresses"][number] }) => {
  const Icon = iconOf(address.kind)
  const isVerified = address.state === "verified"
  const explanation = isVerified
    ? "Verified: the platform or a signature vouches for it"
    : "Claimed: somebody says so, nothing proves it"
  return (
    <li className="address">
      <Icon size={16} stroke={1.8} aria-label={toWords(address.kind)} />
      <span className="grow truncate" title={address.value}>
        {address.label ?? address.value}
        {address.label !== undefined && <small className="block quiet truncate">{address.value}</small>}
      </span>
      <Tooltip label={explanation}>
        <span className="standing" data-state={address.state} role="img" aria-label={explanation}>
          {isVerified ? <IconCircleCheck size={16} aria-hidden /> : <IconCircleDashed size={16} aria-hidden />}
        </span>
      </Tooltip>
      <CopyButton value={address.value}>
        {({ copied, copy }) => (
          <UnstyledButton className="copy" onClick={copy} aria-label={copied ? "Copied" : `Copy ${address.value}`}>
            {copied ? <IconCircleCheck size={15} /> : <IconCopy size={15} />}
          </UnstyledButton>
        )}
      </CopyButton>
    </li>
  )
}

const Other = ({ conversation }: { readonly conversation: Conversation.Conversation }) => {
  const place = { page: "inbox", conversationId: conversation.id } as const
  return (
    <li>
      <a className="other" href={toHref(place)} onClick={followLink(place)}>
        {[...new Set(conversation.threads.map(({ channelKind }) => channelKind))].map((kind) => (
          <ChannelIcon key={kind} kind={kind} size={14} />
        ))}
        <span className="grow truncate" dir="auto">
          {conversation.subject || conversation.preview || "Without a subject"}
        </span>
        <span className="state" data-status={conversation.status}>
          {toWords(conversation.status)}
        </span>
        <small className="quiet">{toWhen(conversation.updatedAtMs, Date.now())}</small>
      </a>
    </li>
  )
}

export const ContactCard = ({ conversationId }: { readonly conversationId: string }) => {
  const detail = useConversation(conversationId)
  if (!detail.data)
    return (
      <div className="card-body" aria-busy="true">
        {detail.isPending && (
          <>
            <Skeleton circle h={56} />
            <Skeleton h={18} w="60%" mt="md" />
            <Skeleton h={12} w="80%" mt="lg" />
            <Skeleton h={12} w="70%" mt="sm" />
          </>
        )}
      </div>
    )
  const { contact, merged, others, conversation } = detail.data
  const open = others.filter(isActive)
  const past = others.filter((other) => !isActive(other))
  const name = nameOfContact(contact)
  const attributes = { ...contact?.attributes, ...conversation.attributes }
  const language = conversation.language ?? contact?.language
  return (
    <div className="card-body">
      <div className="card-name">
        <Face name={contact?.name ?? ""} size={52} />
        <div className="grow">
          <h2 dir="auto">{name}</h2>
          <Text fz="sm" c="dimmed">
            {[
              language === undefined ? null : toLanguage(language),
              contact
                ? `Contact since ${new Intl.DateTimeFormat(undefined, { month: "short", year: "numeric" }).format(contact.createdAtMs)}`
                : null
            ]
              .filter(Boolean)
              .join(" · ")}
          </Text>
        </div>
      </div>
      {open.length > 0 && (
        <Section title={open.length === 1 ? "Another open conversation" : `${open.length} other open conversations`}>
          <ul className="bare others open">
            {open.map((other) => (
              <Other key={other.id} conversation={other} />
            ))}
          </ul>
        </Section>
      )}
      {contact?.suggestions
        .filter(({ contactId }) => !merged.some(({ id }) => id === contactId))
        .map((suggestion) => (
          <Suggestion key={suggestion.contactId} suggestion={suggestion} into={contact.id} />
        ))}
      <Section title="Addresses">
        {contact && contact.addresses.length > 0 ? (
          <ul className="bare">
            {contact.addresses.map((address) => (
              <AddressLine key={`${address.kind}:${address.value}`} address={address} />
            ))}
          </ul>
        ) : (
          <p className="quiet">None known</p>
        )}
      </Section>
      <Merged contacts={merged} />
      {contact && <Context contactId={contact.id} />}
      {Object.keys(attributes).length > 0 && (
        <Section title="Attributes">
          <Facts
            facts={Object.entries(attributes).map(([key, value]) => [
              toWords(key),
              typeof value === "boolean" ? (value ? "Yes" : "No") : String(value)
            ])}
          />
        </Section>
      )}
      <Section title="Earlier conversations">
        {past.length === 0 ? (
          <p className="quiet">None before this one</p>
        ) : (
          <ul className="bare others">
            {past.map((other) => (
              <Other key={other.id} conversation={other} />
            ))}
          </ul>
        )}
      </Section>
      {contact && <Consents contact={contact} />}
      <Section title="This conversation">
        <Facts
          facts={[
            ["Opened", toDate(conversation.openedAtMs)],
            ["Messages", String(conversation.messageCount)],
            ...(conversation.cycle > 1 ? [["Opened again", `${conversation.cycle - 1} times`] as const] : []),
            ...(conversation.resolvedAtMs === undefined
              ? []
              : [["Resolved", toDate(conversation.resolvedAtMs)] as const])
          ]}
        />
      </Section>
      {detail.isError && (
        <Button size="xs" variant="default" onClick={() => detail.refetch()}>
          Read again
        </Button>
      )}
    </div>
  )
}
