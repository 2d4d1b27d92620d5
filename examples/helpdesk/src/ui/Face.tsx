/** A person or a program as a small round picture. */
import { IconRobot, IconUser } from "@tabler/icons-react"
import { toInitials } from "./Format.ts"

const hues = [265, 165, 320, 55, 215, 0, 115, 240]
const hueOf = (name: string): number => {
  let sum = 0
  for (const character of name) sum = (sum * 31 + (character.codePointAt(0) ?? 0)) % 9973
  return hues[sum % hues.length] ?? 0
}

export const Face = ({
  name,
  kind = "person",
  size = 32,
  title
}: {
  readonly name: string
  readonly kind?: "person" | "bot"
  readonly size?: number
  readonly title?: string
}) => {
  const initials = toInitials(name)
  return (
    <span
      className="face"
      data-kind={kind}
      style={{ "--hue": hueOf(name), width: size, height: size, fontSize: size * 0.38 } as React.CSSProperties}
      {...(title === undefined ? { "aria-hidden": true } : { role: "img", "aria-label": title, title })}
    >
      {kind === "bot" ? (
        <IconRobot size={size * 0.58} stroke={1.7} />
      ) : initials === "" ? (
        <IconUser size={size * 0.58} stroke={1.7} />
      ) : (
        initials
      )}
    </span>
  )
}
