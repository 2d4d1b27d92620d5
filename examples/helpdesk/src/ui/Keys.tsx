import { Kbd, Modal, Table } from "@mantine/core"

const keys: ReadonlyArray<readonly [ReadonlyArray<string>, string]> = [
  [["j"], "Next conversation"],
  [["k"], "Previous conversation"],
  [["Enter"], "Open it"],
  [["r"], "Reply"],
  [["n"], "Write a note"],
  [["e"], "Resolve"],
  [["w"], "Why it stands where it does"],
  [["m"], "What to do with the latest message"],
  [["↑", "↓"], "The message before, after"],
  [["/"], "Search messages and contacts"],
  [["a"], "Accept the offer"],
  [["d"], "Decline the offer"],
  [["Ctrl", "Enter"], "Send"],
  [["Esc"], "Leave the text"],
  [["?"], "This help"]
]

export const Keys = ({ opened, onClose }: { readonly opened: boolean; readonly onClose: () => void }) => (
  <Modal opened={opened} onClose={onClose} title="Keyboard">
    <Table>
      <Table.Tbody>
        {keys.map(([names, does]) => (
          <Table.Tr key={does}>
            <Table.Td>{does}</Table.Td>
            <Table.Td ta="end">
              {names.map((name) => (
                <Kbd key={name} ms={4}>
                  {name}
                </Kbd>
              ))}
            </Table.Td>
          </Table.Tr>
        ))}
      </Table.Tbody>
    </Table>
  </Modal>
)
