/** What exactly a number means. */
import { Tooltip } from "@mantine/core"
import { IconInfoCircle } from "@tabler/icons-react"
import { useQuery } from "@tanstack/react-query"
import * as DeskClient from "../DeskClient.ts"

export const Definition = ({ measures }: { readonly measures: ReadonlyArray<string> }) => {
  const all = useQuery({ queryKey: ["measures"], queryFn: DeskClient.measures, staleTime: Number.POSITIVE_INFINITY })
  const found = (all.data ?? []).filter(({ id }) => measures.includes(id))
  if (found.length === 0) return null
  const text = found.map(({ id, version, definition }) => `${id}, version ${version}: ${definition}`).join("\n\n")
  return (
    <Tooltip label={text} multiline maw={360} style={{ whiteSpace: "pre-line" }}>
      <button type="button" className="definition" aria-label={`What this means. ${text}`}>
        <IconInfoCircle size={16} stroke={1.8} aria-hidden />
      </button>
    </Tooltip>
  )
}
