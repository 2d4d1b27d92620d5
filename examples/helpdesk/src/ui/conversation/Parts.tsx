import { Anchor } from "@mantine/core"
import type { Attachment, Message } from "@switchboard/conversation"
import {
  IconCheck,
  IconDownload,
  IconExternalLink,
  IconFile,
  IconFileTypePdf,
  IconMapPin,
  IconPhotoOff,
  IconTemplate,
  IconUserSquare
} from "@tabler/icons-react"
import { useState } from "react"
import { attachmentUrl } from "../DeskClient.ts"
import type { Directory } from "../Directory.ts"
import { toSize } from "../Format.ts"
import { MailFrame } from "./MailFrame.tsx"
import { toSpans } from "./Spans.ts"

const Words = ({
  text,
  isMarkdown,
  names
}: {
  readonly text: string
  readonly isMarkdown: boolean
  readonly names: ReadonlyArray<string>
}) => (
  <p className="text" dir="auto">
    {toSpans(text, isMarkdown, names).map((span, index) => {
      // biome-ignore-start lint/suspicious/noArrayIndexKey: spans of a text keep their order.
      if (span.kind === "link")
        return (
          <a key={index} href={span.href} target="_blank" rel="noopener noreferrer nofollow">
            {span.text}
          </a>
        )
      if (span.kind === "strong") return <b key={index}>{span.text}</b>
      if (span.kind === "emphasis") return <em key={index}>{span.text}</em>
      if (span.kind === "code") return <code key={index}>{span.text}</code>
      if (span.kind === "mention")
        return (
          <span key={index} className="mention">
            {span.text}
          </span>
        )
      return span.text
      // biome-ignore-end lint/suspicious/noArrayIndexKey: spans of a text keep their order.
    })}
  </p>
)

export const AttachmentView = ({
  attachment,
  messageId,
  caption
}: {
  readonly attachment: Attachment.Attachment
  readonly messageId: string
  readonly caption?: string | undefined
}) => {
  const [isBroken, setBroken] = useState(false)
  const { id, mediaType, state } = attachment
  const name = attachment.name ?? "Attachment"
  const url = attachmentUrl(messageId, id)
  const size = attachment.sizeBytes === undefined ? "" : toSize(attachment.sizeBytes)
  if (state !== "stored")
    return (
      <div className="file" data-state={state}>
        <IconPhotoOff size={20} aria-hidden />
        <span className="grow">
          <b>{name}</b>
          <small>
            {state === "pending" ? "Being fetched…" : `Can't be had: ${attachment.failure ?? "no reason given"}`}
          </small>
        </span>
      </div>
    )
  return (
    <>
      {mediaType.startsWith("image/") && !isBroken ? (
        <a className="picture" href={url} target="_blank" rel="noopener" title={`${name} ${size}`}>
          <img src={url} alt={name} loading="lazy" onError={() => setBroken(true)} />
        </a>
      ) : mediaType.startsWith("audio/") ? (
        // biome-ignore lint/a11y/useMediaCaption: contacts send no captions.
        <audio controls src={url} aria-label={name} preload="none" />
      ) : mediaType.startsWith("video/") ? (
        // biome-ignore lint/a11y/useMediaCaption: contacts send no captions.
        <video controls src={url} aria-label={name} preload="none" />
      ) : (
        <a className="file" href={url} target="_blank" rel="noopener">
          {mediaType === "application/pdf" ? (
            <IconFileTypePdf size={22} aria-hidden />
          ) : (
            <IconFile size={22} aria-hidden />
          )}
          <span className="grow">
            <b>{name}</b>
            <small>{size}</small>
          </span>
          <IconDownload size={17} aria-hidden />
        </a>
      )}
      {caption !== undefined && caption !== "" && <Words text={caption} isMarkdown={false} names={[]} />}
    </>
  )
}

export const PartView = ({
  part,
  message,
  mentions,
  directory
}: {
  readonly part: Message.MessagePart
  readonly message: Message.Message
  readonly mentions: ReadonlyArray<Message.Mention>
  readonly directory: Directory
}) => {
  switch (part.kind) {
    case "text":
      return (
        <Words
          text={part.text}
          isMarkdown={part.format === "markdown"}
          names={mentions.map((mention) =>
            mention.kind === "team" ? directory.teamName(mention.id) : directory.agentName(mention.id)
          )}
        />
      )
    case "html":
      return <MailFrame html={part.html} text={part.text} />
    case "attachment": {
      const attachment = message.attachments.find(({ id }) => id === part.attachmentId)
      return attachment ? (
        <AttachmentView attachment={attachment} messageId={message.id} caption={part.caption} />
      ) : (
        <p className="deleted">An attachment that is no longer here</p>
      )
    }
    case "location":
      return (
        <div className="file">
          <IconMapPin size={22} aria-hidden />
          <span className="grow">
            <b dir="auto">{part.name ?? "Location"}</b>
            <small dir="auto">
              {part.address ?? ""} {part.latitude.toFixed(5)}, {part.longitude.toFixed(5)}
            </small>
          </span>
          <Anchor fz="sm" href={`geo:${part.latitude},${part.longitude}`}>
            Map
          </Anchor>
        </div>
      )
    case "contactCard":
      return (
        <div className="file">
          <IconUserSquare size={22} aria-hidden />
          <span className="grow">
            <b dir="auto">{part.name}</b>
            <small>{[...part.phones, ...part.emails].join(" · ")}</small>
          </span>
        </div>
      )
    case "choices":
      return (
        <div className="choices">
          <Words text={part.text} isMarkdown={false} names={[]} />
          {part.options.map(({ id, label, url }) => (
            <span key={id} className="choice" dir="auto">
              {label} {url !== undefined && <IconExternalLink size={13} aria-hidden />}
            </span>
          ))}
        </div>
      )
    case "choice":
      return (
        <p className="chosen" dir="auto">
          <IconCheck size={15} aria-hidden /> <span className="sr">Chose: </span>
          {part.label}
        </p>
      )
    case "template":
      return (
        <div className="file">
          <IconTemplate size={22} aria-hidden />
          <span className="grow">
            <b>Template {part.name}</b>
            <small>{part.parameters.join(" · ")}</small>
          </span>
        </div>
      )
    case "unsupported":
      return <p className="deleted">{part.description}</p>
  }
}
