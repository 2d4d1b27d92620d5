import { ActionIcon, Button, Menu, Modal, Stack, Text, TextInput, Tooltip } from "@mantine/core"
import { IconMoonStars, IconSunrise } from "@tabler/icons-react"
import { useState } from "react"
import { toDate, toWords } from "../Format.ts"
import type { PlainCommand } from "./useGive.ts"

const at = (days: number, hour: number): number => {
  const day = new Date()
  day.setDate(day.getDate() + days)
  return day.setHours(hour, 0, 0, 0)
}

/** The usual times to come back to something, as seen now. */
export const presets = (now: number): ReadonlyArray<{ readonly label: string; readonly untilMs: number }> => [
  { label: "In 1 hour", untilMs: now + 3_600_000 },
  { label: "In 3 hours", untilMs: now + 3 * 3_600_000 },
  { label: "Tomorrow morning", untilMs: at(1, 9) },
  { label: "Next Monday", untilMs: at((8 - new Date(now).getDay()) % 7 || 7, 9) },
  { label: "In a week", untilMs: at(7, 9) }
]

export const SnoozeMenu = ({
  isSnoozed,
  give,
  fence
}: {
  readonly isSnoozed: boolean
  readonly fence: number
  readonly give: (command: PlainCommand, done?: string) => Promise<boolean>
}) => {
  const [isChoosing, setChoosing] = useState(false)
  const [chosen, setChosen] = useState("")
  const snooze = (untilMs: number) =>
    give({ type: "SnoozeConversation", untilMs, fence }, `Snoozed until ${toDate(untilMs)}`)
  const untilMs = Date.parse(chosen)
  return (
    <>
      <Menu width={250} position="bottom-end">
        <Menu.Target>
          <Tooltip label="Snooze">
            <ActionIcon variant="default" size={30} aria-label="Snooze">
              <IconMoonStars size={17} />
            </ActionIcon>
          </Tooltip>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Label>Sleep until then, or the next message</Menu.Label>
          {isSnoozed && (
            <Menu.Item leftSection={<IconSunrise size={17} />} onClick={() => give({ type: "WakeConversation" })}>
              Wake now
            </Menu.Item>
          )}
          {presets(Date.now()).map(({ label, untilMs }) => (
            <Menu.Item
              key={label}
              onClick={() => snooze(untilMs)}
              rightSection={
                <Text fz="xs" c="dimmed">
                  {toWords(
                    new Intl.DateTimeFormat(undefined, { weekday: "short", hour: "2-digit", minute: "2-digit" }).format(
                      untilMs
                    )
                  )}
                </Text>
              }
            >
              {label}
            </Menu.Item>
          ))}
          <Menu.Item onClick={() => setChoosing(true)}>Choose a time…</Menu.Item>
        </Menu.Dropdown>
      </Menu>
      <Modal opened={isChoosing} onClose={() => setChoosing(false)} title="Snooze until" size="sm">
        <Stack>
          <TextInput
            type="datetime-local"
            label="Date and time"
            value={chosen}
            onChange={(event) => setChosen(event.currentTarget.value)}
            data-autofocus
          />
          <Button
            disabled={!(untilMs > Date.now())}
            onClick={() => {
              setChoosing(false)
              void snooze(untilMs)
            }}
          >
            Snooze
          </Button>
        </Stack>
      </Modal>
    </>
  )
}
