/** How a channel's kind is shown. A kind that is not known here still gets a name and an icon. */
import { Tooltip } from "@mantine/core"
import {
  IconBrandFacebook,
  IconBrandInstagram,
  IconBrandTelegram,
  IconBrandWhatsapp,
  IconDeviceMobileMessage,
  IconLock,
  IconMail,
  IconMessageCircle,
  IconMessages,
  IconPhone
} from "@tabler/icons-react"
import { toWords } from "./Format.ts"

const looks = {
  email: { label: "E-mail", Icon: IconMail, color: "#3d6fd9" },
  webchat: { label: "Web chat", Icon: IconMessageCircle, color: "#6b5bd6" },
  whatsapp: { label: "WhatsApp", Icon: IconBrandWhatsapp, color: "#1f9d57" },
  telegram: { label: "Telegram", Icon: IconBrandTelegram, color: "#2492d1" },
  messenger: { label: "Messenger", Icon: IconBrandFacebook, color: "#1d74e8" },
  instagram: { label: "Instagram", Icon: IconBrandInstagram, color: "#c13584" },
  sms: { label: "SMS", Icon: IconDeviceMobileMessage, color: "#0f8f8f" },
  voice: { label: "Call", Icon: IconPhone, color: "#b0632a" },
  notes: { label: "Internal", Icon: IconLock, color: "#9a7400" }
} as const

export const lookOf = (kind: string) =>
  Object.hasOwn(looks, kind)
    ? looks[kind as keyof typeof looks]
    : { label: toWords(kind), Icon: IconMessages, color: "#6f7688" }

export const ChannelIcon = ({ kind, size = 16 }: { readonly kind: string; readonly size?: number }) => {
  const { label, Icon, color } = lookOf(kind)
  return (
    <Tooltip label={label}>
      <span className="channel" role="img" aria-label={label}>
        <Icon size={size} color={color} stroke={1.9} aria-hidden />
      </span>
    </Tooltip>
  )
}
