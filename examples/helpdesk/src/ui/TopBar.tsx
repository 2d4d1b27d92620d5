import {
  ActionIcon,
  Menu,
  Text,
  Tooltip,
  UnstyledButton,
  useComputedColorScheme,
  useMantineColorScheme
} from "@mantine/core"
import { useHotkeys, useLocalStorage } from "@mantine/hooks"
import {
  IconActivity,
  IconBell,
  IconBellOff,
  IconChartBar,
  IconCheck,
  IconChevronDown,
  IconInbox,
  IconKeyboard,
  IconLogout,
  IconMoon,
  IconSun
} from "@tabler/icons-react"
import { useQueryClient } from "@tanstack/react-query"
import { useState } from "react"
import * as DeskClient from "./DeskClient.ts"
import { isLeading, useMe } from "./Directory.ts"
import { Face } from "./Face.tsx"
import { toWords } from "./Format.ts"
import { Keys } from "./Keys.tsx"
import { useLiveState } from "./Live.ts"
import { Mark } from "./Mark.tsx"
import { followLink, type Place, toHref } from "./Place.ts"
import { useStanding } from "./useStanding.ts"

const statuses = ["available", "busy", "away", "offline"] as const
const meanings = {
  available: "You are offered work",
  busy: "On duty, no new offers",
  away: "On a break",
  offline: "Gone for now"
} as const

const places: ReadonlyArray<{
  readonly place: Place
  readonly label: string
  readonly Icon: typeof IconInbox
  /** For whoever leads. */
  readonly forLeading?: true
}> = [
  { place: { page: "inbox", conversationId: null }, label: "Inbox", Icon: IconInbox },
  { place: { page: "dashboard", conversationId: null }, label: "Dashboard", Icon: IconChartBar },
  { place: { page: "health", conversationId: null }, label: "Health", Icon: IconActivity, forLeading: true }
]

const Connection = () => {
  const live = useLiveState()
  const label =
    live === "live" ? "Live: changes show at once" : live === "lost" ? "Connection lost, trying again" : "Connecting"
  return (
    <Tooltip label={label}>
      <span className="connection" data-state={live} role="status" aria-label={label}>
        <i className="dot" />
        <span className="wide-only">{live === "live" ? "Live" : live === "lost" ? "Reconnecting" : "Connecting"}</span>
      </span>
    </Tooltip>
  )
}

const Standing = () => {
  const { mine, change } = useStanding()
  const status = mine?.presence.status ?? "offline"
  return (
    <>
      {mine && (
        <Tooltip label={`You hold ${mine.holds} of ${mine.capacity} at once`}>
          <span
            className="capacity wide-only"
            role="img"
            aria-label={`You hold ${mine.holds} of ${mine.capacity} at once`}
          >
            <i className="bar">
              <i style={{ width: `${Math.min(100, (100 * mine.holds) / Math.max(1, mine.capacity))}%` }} />
            </i>
            {mine.holds}/{mine.capacity}
          </span>
        </Tooltip>
      )}
      <Menu width={240} position="bottom-end">
        <Menu.Target>
          <UnstyledButton className="presence" aria-label={`Your presence: ${status}. Change it`} disabled={!mine}>
            <i className="dot" data-presence={status} />
            <span className="wide-only">{toWords(status)}</span>
            <IconChevronDown size={15} aria-hidden />
          </UnstyledButton>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Label>Your presence</Menu.Label>
          {statuses.map((each) => (
            <Menu.Item
              key={each}
              leftSection={<i className="dot" data-presence={each} />}
              rightSection={each === status ? <IconCheck size={16} aria-label="chosen" /> : null}
              onClick={() => change(each)}
            >
              <Text fz="sm" fw={550}>
                {toWords(each)}
              </Text>
              <Text fz="xs" c="dimmed">
                {meanings[each]}
              </Text>
            </Menu.Item>
          ))}
        </Menu.Dropdown>
      </Menu>
    </>
  )
}

/** Whether an offer makes a sound: off until the agent wants it. */
export const useSound = () => useLocalStorage({ key: "switchboard-sound", defaultValue: false })

export const TopBar = ({ page }: { readonly page: Place["page"] }) => {
  const me = useMe()
  const queries = useQueryClient()
  const { setColorScheme } = useMantineColorScheme()
  const scheme = useComputedColorScheme("light")
  const [sound, setSound] = useSound()
  const [isHelpOpen, setHelpOpen] = useState(false)
  useHotkeys([["shift+?", () => setHelpOpen(true)]])
  const other = scheme === "dark" ? "light" : "dark"
  const leave = async (): Promise<void> => {
    await DeskClient.signOut().catch(() => {})
    queries.setQueryData(["me"], null)
    queries.removeQueries({ predicate: ({ queryKey: [name] }) => name !== "me" })
  }
  return (
    <header className="top-bar">
      <a
        className="brand"
        href="/"
        onClick={followLink({ page: "inbox", conversationId: null })}
        aria-label="Switchboard"
      >
        <Mark />
        <span className="wide-only">Switchboard</span>
      </a>
      <nav aria-label="Pages">
        {places
          .filter(({ forLeading }) => !forLeading || isLeading(me))
          .map(({ place, label, Icon }) => (
            <a
              key={label}
              href={toHref(place)}
              onClick={followLink(place)}
              aria-current={page === place.page ? "page" : undefined}
              aria-label={label}
            >
              <Icon size={18} stroke={1.8} aria-hidden />
              <span className="wide-only">{label}</span>
            </a>
          ))}
      </nav>
      <span className="grow" />
      <Connection />
      <Standing />
      <Tooltip label={`Use ${other} colours`}>
        <ActionIcon
          variant="subtle"
          color="gray"
          size="lg"
          onClick={() => setColorScheme(other)}
          aria-label={`Use ${other} colours`}
        >
          {scheme === "dark" ? <IconSun size={19} stroke={1.8} /> : <IconMoon size={19} stroke={1.8} />}
        </ActionIcon>
      </Tooltip>
      <Menu width={250} position="bottom-end">
        <Menu.Target>
          <UnstyledButton className="me">
            <Face name={me.name} size={32} />
            <span className="sr">{me.name}: menu</span>
          </UnstyledButton>
        </Menu.Target>
        <Menu.Dropdown>
          <div className="me-name">
            <Text fw={600} truncate>
              {me.name}
            </Text>
            <Text fz="xs" c="dimmed">
              {toWords(me.role)}
            </Text>
          </div>
          <Menu.Divider />
          <Menu.Item
            leftSection={sound ? <IconBell size={17} /> : <IconBellOff size={17} />}
            onClick={() => setSound(!sound)}
            closeMenuOnClick={false}
          >
            Sound for offers: {sound ? "on" : "off"}
          </Menu.Item>
          <Menu.Item leftSection={<IconKeyboard size={17} />} onClick={() => setHelpOpen(true)}>
            Keyboard
          </Menu.Item>
          <Menu.Item leftSection={<IconLogout size={17} />} onClick={leave}>
            Sign out
          </Menu.Item>
        </Menu.Dropdown>
      </Menu>
      <Keys opened={isHelpOpen} onClose={() => setHelpOpen(false)} />
    </header>
  )
}
