import { ActionIcon, TextInput } from "@mantine/core"
import { IconSearch, IconX } from "@tabler/icons-react"
import type { Ref } from "react"

/** The longest text the desk searches for. */
const longest = 512

export const SearchField = ({
  ref,
  text,
  onText
}: {
  readonly ref: Ref<HTMLInputElement>
  readonly text: string
  readonly onText: (text: string) => void
}) => (
  <search>
    <TextInput
      ref={ref}
      value={text}
      onChange={(event) => onText(event.currentTarget.value)}
      maxLength={longest}
      autoComplete="off"
      placeholder="Search messages and contacts"
      aria-label="Search messages and contacts"
      leftSection={<IconSearch size={16} aria-hidden />}
      rightSection={
        text === "" ? null : (
          <ActionIcon variant="subtle" color="gray" size="sm" aria-label="Clear the search" onClick={() => onText("")}>
            <IconX size={15} />
          </ActionIcon>
        )
      }
    />
  </search>
)
