import { Button } from "@mantine/core"
import { IconZzz } from "@tabler/icons-react"
import { useStanding } from "./useStanding.ts"

/** Says so when the desk made this agent away, because offers went by without an answer. */
export const Away = () => {
  const { mine, change } = useStanding()
  if (mine?.presence.status !== "away" || mine.presence.reason !== "missed_offers") return null
  return (
    <div className="away" role="status">
      <IconZzz size={17} aria-hidden />
      <span>Offers went by without an answer, so you are away now and get no more.</span>
      <Button size="compact-sm" variant="default" onClick={() => change("available")}>
        I am back
      </Button>
    </div>
  )
}
