import { ActionIcon, Button, Menu, Modal, Text, TextInput, Tooltip, UnstyledButton } from "@mantine/core"
import { useHotkeys } from "@mantine/hooks"
import type { ConversationDetail } from "@switchboard/desk/DeskService"
import {
  IconArrowLeft,
  IconArrowRight,
  IconCheck,
  IconChevronDown,
  IconDots,
  IconHandGrab,
  IconHelpCircle,
  IconHourglass,
  IconId,
  IconLock,
  IconMoonStars,
  IconPencil,
  IconPlus,
  IconRotate,
  IconUserPlus,
  IconX
} from "@tabler/icons-react"
import { lazy, useState } from "react"
import { isActive } from "../Active.ts"
import * as DeskClient from "../DeskClient.ts"
import { holderName, isLeading, isMe, nameOfContact, useDirectory, useMe } from "../Directory.ts"
import { DueChip } from "../DueChip.tsx"
import { Face } from "../Face.tsx"
import { toDate, toWords } from "../Format.ts"
import { PriorityIcon } from "../inbox/ListRow.tsx"
import { Later } from "../Later.tsx"
import { go } from "../Place.ts"
import { SnoozeMenu } from "./Snooze.tsx"
import { Transfer } from "./Transfer.tsx"
import { useGive } from "./useGive.ts"

const Why = lazy(() => import("../why/Why.tsx"))

const priorities = ["low", "normal", "high", "urgent"] as const

const Subject = ({ detail }: { readonly detail: ConversationDetail }) => {
  const { conversation, contact } = detail
  const { give } = useGive(conversation.id)
  const [draft, setDraft] = useState<string | null>(null)
  const save = (): void => {
    const subject = draft?.trim() ?? ""
    setDraft(null)
    if (subject !== "" && subject !== conversation.subject) void give({ type: "SetSubject", subject })
  }
  const shown = conversation.subject || nameOfContact(contact)
  if (draft !== null)
    return (
      <TextInput
        className="grow"
        size="xs"
        value={draft}
        autoFocus
        dir="auto"
        maxLength={998}
        aria-label="Subject"
        onChange={(event) => setDraft(event.currentTarget.value)}
        onBlur={save}
        onKeyDown={(event) => {
          if (event.key === "Enter") save()
          if (event.key === "Escape") setDraft(null)
        }}
      />
    )
  return (
    <div className="subject grow">
      <h2 dir="auto" title={shown} id="conversation-heading">
        {shown}
      </h2>
      <ActionIcon
        className="subject-edit"
        variant="subtle"
        color="gray"
        size="sm"
        aria-label="Edit the subject"
        onClick={() => setDraft(conversation.subject ?? "")}
      >
        <IconPencil size={15} />
      </ActionIcon>
    </div>
  )
}

const Tags = ({ id, tags }: { readonly id: string; readonly tags: ReadonlyArray<string> }) => {
  const { give } = useGive(id)
  const [draft, setDraft] = useState<string | null>(null)
  const add = (): void => {
    const tag = draft?.trim().toLowerCase() ?? ""
    setDraft(null)
    if (tag !== "" && !tags.includes(tag)) void give({ type: "AddTag", tag })
  }
  return (
    <>
      {tags.map((tag) => (
        <span key={tag} className="tag">
          {tag}
          <button type="button" aria-label={`Remove the tag ${tag}`} onClick={() => give({ type: "RemoveTag", tag })}>
            <IconX size={11} stroke={2.4} aria-hidden />
          </button>
        </span>
      ))}
      {draft === null ? (
        <UnstyledButton className="tag add" onClick={() => setDraft("")}>
          <IconPlus size={12} aria-hidden /> Tag
        </UnstyledButton>
      ) : (
        <input
          className="tag-input"
          aria-label="New tag"
          // biome-ignore lint/a11y/noAutofocus: the agent has just asked for it.
          autoFocus
          maxLength={64}
          value={draft}
          onChange={(event) => setDraft(event.currentTarget.value)}
          onBlur={add}
          onKeyDown={(event) => {
            if (event.key === "Enter") add()
            if (event.key === "Escape") setDraft(null)
          }}
        />
      )}
    </>
  )
}

export const Header = ({
  detail,
  onCard
}: {
  readonly detail: ConversationDetail
  readonly onCard: (() => void) | undefined
}) => {
  const { conversation, clocks, contact } = detail
  const { id, status, control } = conversation
  const me = useMe()
  const directory = useDirectory()
  const { give, act, isBusy } = useGive(id)
  const [transfer, setTransfer] = useState<"transfer" | "assign" | null>(null)
  const [isAskingWhy, setAskingWhy] = useState(false)
  const holder = holderName(control.holder, directory)
  const isMine = isMe(control.holder, me)
  const leads = isLeading(me)
  const isDone = !isActive(conversation)
  const resolve = () => give({ type: "ResolveConversation", fence: control.fence }, "Resolved")
  const take = () =>
    act(() => {
      switch (control.holder.kind) {
        case "bot":
          return DeskClient.give(id, { type: "GiveControl", to: { kind: "agent", id: me.id }, fence: control.fence })
        case "agent":
          return DeskClient.assign(id, me.id)
        case "nobody":
          return DeskClient.pick(id)
      }
    }, "It is yours now")
  useHotkeys([
    ["e", () => void (isDone || resolve())],
    ["w", () => setAskingWhy(true)]
  ])
  const shownClocks = clocks.filter(({ state }) => state !== "fulfilled")

  return (
    <header className="conversation-head">
      <div className="head-line">
        <ActionIcon
          className="narrow-only"
          variant="subtle"
          color="gray"
          size="lg"
          aria-label="Back to the list"
          onClick={() => go({ page: "inbox", conversationId: null })}
        >
          <IconArrowLeft size={20} />
        </ActionIcon>
        <Subject detail={detail} />
        {!isDone && !isMine && (control.holder.kind !== "agent" || leads) && (
          <Button
            className="head-button"
            aria-label={control.holder.kind === "nobody" ? "Take" : "Take over"}
            size="xs"
            variant="light"
            leftSection={<IconHandGrab size={16} aria-hidden />}
            onClick={take}
            loading={isBusy}
          >
            {control.holder.kind === "nobody" ? "Take" : "Take over"}
          </Button>
        )}
        {isDone ? (
          status === "resolved" && (
            <Button
              className="head-button"
              aria-label="Reopen"
              size="xs"
              variant="default"
              leftSection={<IconRotate size={16} aria-hidden />}
              onClick={() => give({ type: "ReopenConversation" })}
            >
              Reopen
            </Button>
          )
        ) : (
          <Tooltip label="Resolve (e)">
            <Button
              className="head-button"
              aria-label="Resolve"
              size="xs"
              color="teal.9"
              leftSection={<IconCheck size={16} aria-hidden />}
              onClick={resolve}
              loading={isBusy}
            >
              Resolve
            </Button>
          </Tooltip>
        )}
        {!isDone && <SnoozeMenu isSnoozed={status === "snoozed"} give={give} fence={control.fence} />}
        <Menu width={220} position="bottom-end">
          <Menu.Target>
            <ActionIcon variant="default" size={30} aria-label="More actions">
              <IconDots size={17} />
            </ActionIcon>
          </Menu.Target>
          <Menu.Dropdown>
            {status === "open" && (
              <Menu.Item
                leftSection={<IconHourglass size={17} />}
                onClick={() => give({ type: "WaitForContact", fence: control.fence }, "Waiting for the contact")}
              >
                Wait for the contact
              </Menu.Item>
            )}
            {status === "pending" && (
              <Menu.Item leftSection={<IconRotate size={17} />} onClick={() => give({ type: "ReopenConversation" })}>
                Open again
              </Menu.Item>
            )}
            <Menu.Item
              leftSection={<IconArrowRight size={17} />}
              disabled={isDone || !(isMine || leads || control.holder.kind !== "agent")}
              onClick={() => setTransfer("transfer")}
            >
              Transfer…
            </Menu.Item>
            {leads && (
              <Menu.Item
                leftSection={<IconUserPlus size={17} />}
                disabled={isDone}
                onClick={() => setTransfer("assign")}
              >
                Assign to an agent…
              </Menu.Item>
            )}
            {leads && (
              <>
                <Menu.Divider />
                <Menu.Item
                  color="red"
                  leftSection={<IconLock size={17} />}
                  disabled={status === "closed"}
                  onClick={() => give({ type: "CloseConversation" }, "Closed for good")}
                >
                  Close for good
                </Menu.Item>
              </>
            )}
          </Menu.Dropdown>
        </Menu>
        {onCard && (
          <ActionIcon variant="default" size={30} aria-label="Show the contact" onClick={onCard}>
            <IconId size={18} />
          </ActionIcon>
        )}
      </div>
      <div className="head-line head-facts">
        <span className="state" data-status={status}>
          {status === "snoozed" && <IconMoonStars size={12} aria-hidden />}
          {toWords(status)}
          {conversation.snoozedUntilMs !== undefined &&
            status === "snoozed" &&
            ` until ${toDate(conversation.snoozedUntilMs)}`}
        </span>
        <Menu width={180} position="bottom-start">
          <Menu.Target>
            <UnstyledButton className="fact-button" aria-label={`Priority: ${conversation.priority}. Change it`}>
              <PriorityIcon priority={conversation.priority} size={14} />
              {toWords(conversation.priority)}
              <IconChevronDown size={13} aria-hidden />
            </UnstyledButton>
          </Menu.Target>
          <Menu.Dropdown>
            {priorities.map((priority) => (
              <Menu.Item
                key={priority}
                leftSection={
                  <span className="icon-slot">
                    <PriorityIcon priority={priority} />
                  </span>
                }
                rightSection={priority === conversation.priority ? <IconCheck size={16} aria-label="chosen" /> : null}
                onClick={() => give({ type: "SetPriority", priority })}
              >
                {toWords(priority)}
              </Menu.Item>
            ))}
          </Menu.Dropdown>
        </Menu>
        <span className="fact">
          {control.holder.kind !== "nobody" && (
            <Face name={holder} kind={control.holder.kind === "bot" ? "bot" : "person"} size={18} />
          )}
          <Text span fz="inherit" truncate maw={170}>
            {isMine ? "You" : holder}
          </Text>
        </span>
        {conversation.wanted?.teamId !== undefined && (
          <span className="fact quiet">for {directory.teamName(conversation.wanted.teamId)}</span>
        )}
        {!isDone &&
          shownClocks.map((clock) => (
            <DueChip key={clock.target} due={clock} named onOpen={() => setAskingWhy(true)} />
          ))}
        <Tooltip label="Why it stands where it does (w)">
          <UnstyledButton
            className="fact-button"
            aria-label="Why it stands where it does"
            onClick={() => setAskingWhy(true)}
          >
            <IconHelpCircle size={14} aria-hidden />
            Why
          </UnstyledButton>
        </Tooltip>
        <Tags id={id} tags={conversation.tags} />
      </div>
      <Modal opened={isAskingWhy} onClose={() => setAskingWhy(false)} title="Why it stands where it does" size="lg">
        <Later>
          <Why detail={detail} />
        </Later>
      </Modal>
      <Transfer
        kind={transfer}
        onClose={() => setTransfer(null)}
        detail={detail}
        contactName={nameOfContact(contact)}
      />
    </header>
  )
}
