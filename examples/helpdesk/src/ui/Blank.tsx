/** What stands where there is nothing to show: says so, and what to do. */
import type { IconInbox } from "@tabler/icons-react"
import type { ReactNode } from "react"

export const Blank = ({
  icon: Icon,
  title,
  hint,
  children
}: {
  readonly icon: typeof IconInbox
  readonly title: string
  readonly hint: string
  readonly children?: ReactNode
}) => (
  <div className="blank">
    <Icon size={34} stroke={1.4} aria-hidden />
    <strong>{title}</strong>
    <span>{hint}</span>
    {children}
  </div>
)
