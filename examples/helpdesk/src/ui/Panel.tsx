/** A titled part of a page of figures. */
import type { ReactNode } from "react"

export const Panel = ({
  title,
  aside,
  children
}: {
  readonly title: string
  /** At the other end of its head. */
  readonly aside?: ReactNode
  readonly children: ReactNode
}) => (
  <article className="panel" aria-label={title}>
    <header>
      <h3>{title}</h3>
      {aside}
    </header>
    {children}
  </article>
)
