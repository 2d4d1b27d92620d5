/** Figures of this minute, side by side. */
import type { Icon } from "@tabler/icons-react"

export interface NowTile {
  readonly label: string
  readonly value: string
  readonly hint?: string
  readonly Icon: Icon
  /** The colour of a figure that wants attention; empty for one that doesn't. */
  readonly tone: string
}

export const NowTiles = ({
  tiles,
  className = ""
}: {
  readonly tiles: ReadonlyArray<NowTile>
  readonly className?: string
}) => (
  <div className={`now ${className}`}>
    {tiles.map(({ label, value, hint, Icon, tone }) => (
      <article key={label} className="now-tile" data-tone={tone} aria-label={label}>
        <Icon size={20} stroke={1.7} aria-hidden />
        <div>
          <strong>{value}</strong>
          <span>
            {label}
            {hint !== undefined && <small className="block">{hint}</small>}
          </span>
        </div>
      </article>
    ))}
  </div>
)
