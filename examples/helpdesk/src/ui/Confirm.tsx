/** Asks before something is done: what it changes, and one button that does it. */
import { Button, Group, Modal } from "@mantine/core"
import { type ReactNode, useRef } from "react"
import { useAct } from "./conversation/useGive.ts"

export const Confirm = <A,>({
  about,
  title,
  button,
  color,
  run,
  done,
  onClose,
  children
}: {
  /** What it is about; the question stands there as long as there is something. */
  readonly about: A | null
  readonly title: string
  readonly button: string
  readonly color?: "red"
  readonly run: (about: A) => Promise<unknown>
  /** Said once it is done. */
  readonly done: string
  readonly onClose: () => void
  readonly children: (about: A) => ReactNode
}) => {
  const { act, isBusy } = useAct()
  // What is said stays while the dialog fades.
  const shown = useRef(about)
  if (about !== null) shown.current = about
  const confirm = async (): Promise<void> => {
    if (about !== null && (await act(() => run(about), done))) onClose()
  }
  return (
    <Modal opened={about !== null} onClose={onClose} title={title}>
      {shown.current !== null && children(shown.current)}
      <Group justify="flex-end" mt="lg">
        <Button variant="default" onClick={onClose}>
          Cancel
        </Button>
        <Button {...(color && { color })} onClick={confirm} loading={isBusy} data-autofocus>
          {button}
        </Button>
      </Group>
    </Modal>
  )
}
