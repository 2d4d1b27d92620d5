/// <reference lib="dom" />
import type { ContactThread } from "@switchboard/channel"
import { h, icon, icons } from "./WidgetDom.ts"
import { type Block, fromMarkdown, fromPlain, type Inline, toSafeHref } from "./WidgetMarkup.ts"
import type { WidgetTexts } from "./WidgetTexts.ts"

type Part = ContactThread.ThreadMessage["parts"][number]
type ChoicesPart = Extract<Part, { readonly kind: "choices" }>

/** What is needed to show a message's parts. `onChoose` is absent once an option was chosen. */
export interface ContentOptions {
  readonly texts: WidgetTexts
  readonly endpoint: string
  readonly language: string
  readonly onChoose: ((id: string, label: string) => void) | undefined
}

/** A new tab that learns nothing about this one. */
const anchor = (href: string, ...children: ReadonlyArray<Node | string>): HTMLAnchorElement =>
  h("a", { href, target: "_blank", rel: "noopener noreferrer nofollow" }, ...children)

const inlineNodes = (inlines: ReadonlyArray<Inline>): ReadonlyArray<Node | string> =>
  inlines.map((inline) => {
    switch (inline.kind) {
      case "text":
        return inline.text
      case "break":
        return h("br")
      case "code":
        return h("code", {}, inline.text)
      case "strong":
        return h("strong", {}, ...inlineNodes(inline.children))
      case "emphasis":
        return h("em", {}, ...inlineNodes(inline.children))
      case "struck":
        return h("s", {}, ...inlineNodes(inline.children))
      case "link":
        return anchor(inline.href, ...inlineNodes(inline.children))
    }
  })

const blockNode = (block: Block): HTMLElement => {
  switch (block.kind) {
    case "paragraph":
      return h("p", {}, ...inlineNodes(block.children))
    case "heading":
      return h("p", {}, h("strong", {}, ...inlineNodes(block.children)))
    case "quote":
      return h("blockquote", {}, ...inlineNodes(block.children))
    case "code":
      return h("pre", { tabindex: 0 }, h("code", {}, block.text))
    case "list": {
      const items = block.items.map((item) => h("li", {}, ...inlineNodes(item)))
      return block.start === undefined ? h("ul", {}, ...items) : h("ol", { start: block.start }, ...items)
    }
  }
}

const plain = (text: string): ReadonlyArray<HTMLElement> => (text === "" ? [] : fromPlain(text).map(blockNode))

/** `1.5 MB` in the reader's language. */
export const toSize = (bytes: number, language: string): string => {
  const [unit, value] =
    bytes >= 1_048_576 ? ["megabyte", bytes / 1_048_576] : bytes >= 1024 ? ["kilobyte", bytes / 1024] : ["byte", bytes]
  return new Intl.NumberFormat(language, { style: "unit", unit: String(unit), maximumFractionDigits: 1 }).format(
    Number(value)
  )
}

/** A file as a chip: its name and size, a link when its bytes are there. Images of the desk itself are shown. */
export const attachmentNode = (
  { name, mediaType, sizeBytes, url }: Omit<ContactThread.ThreadAttachment, "id">,
  { texts, endpoint, language }: Pick<ContentOptions, "texts" | "endpoint" | "language">
): HTMLElement => {
  const href =
    url === undefined ? undefined : toSafeHref(URL.canParse(url, endpoint) ? new URL(url, endpoint).href : "")
  const label = name ?? texts.file
  if (href !== undefined && mediaType.startsWith("image/") && new URL(href).origin === new URL(endpoint).origin) {
    const image = h("img", { src: href, alt: label, loading: "lazy" })
    const link = anchor(href, image)
    link.className = "image"
    return link
  }
  const children = [
    icon(icons.file),
    h("span", { class: "file-name" }, label),
    sizeBytes === undefined ? "" : h("span", { class: "file-size" }, toSize(sizeBytes, language))
  ]
  const chip = href === undefined ? h("span", {}, ...children) : anchor(href, ...children)
  chip.className = "file"
  return chip
}

const optionsNode = (part: ChoicesPart, { texts, onChoose }: ContentOptions): HTMLElement =>
  h(
    "div",
    { class: "choices", role: "group", "aria-label": part.text === "" ? texts.choices : part.text },
    ...part.options.map(({ id, label, url }) => {
      const href = url === undefined ? undefined : toSafeHref(url)
      if (href !== undefined) return anchor(href, label)
      const button = h("button", { type: "button", disabled: onChoose === undefined }, label)
      button.addEventListener("click", () => onChoose?.(id, label))
      return button
    })
  )

/** The nodes of one part; text goes into the bubble, files and choices stand below it. */
const partNodes = (
  part: Part,
  attachments: ReadonlyArray<ContactThread.ThreadAttachment>,
  options: ContentOptions
): ReadonlyArray<HTMLElement> => {
  switch (part.kind) {
    case "text":
      return part.format === "markdown" ? fromMarkdown(part.text).map(blockNode) : plain(part.text)
    case "html":
      return plain(part.text)
    case "attachment": {
      const attachment = attachments.find(({ id }) => id === part.attachmentId)
      return [...(attachment ? [attachmentNode(attachment, options)] : []), ...plain(part.caption ?? "")]
    }
    case "location": {
      const place = part.name ?? part.address ?? `${part.latitude}, ${part.longitude}`
      const map = `https://www.openstreetmap.org/?mlat=${part.latitude}&mlon=${part.longitude}`
      return [
        h("p", { class: "place" }, icon(icons.pin), h("span", {}, place, h("br"), anchor(map, options.texts.showOnMap)))
      ]
    }
    case "contactCard": {
      const lines = [
        ...part.phones.map((phone) => [`tel:${phone}`, phone] as const),
        ...part.emails.map((email) => [`mailto:${email}`, email] as const)
      ].flatMap(([address, label]) => {
        const href = toSafeHref(address)
        return [h("br"), href === undefined ? label : anchor(href, label)]
      })
      return [h("p", { class: "place" }, icon(icons.card), h("span", {}, h("strong", {}, part.name), ...lines))]
    }
    case "choices":
      return [...plain(part.text), optionsNode(part, options)]
    case "choice":
      return plain(part.label)
    case "template":
      return plain([part.name, ...part.parameters].join(" "))
    case "unsupported":
      return [h("p", { class: "quiet" }, part.description)]
  }
}

/** Everything a message says. Files that no part places stand at its end. */
export const contentNodes = (
  { parts, attachments }: Pick<ContactThread.ThreadMessage, "parts" | "attachments">,
  options: ContentOptions
): ReadonlyArray<HTMLElement> => {
  const placed = new Set(parts.map((part) => (part.kind === "attachment" ? part.attachmentId : undefined)))
  return [
    ...parts.flatMap((part) => partNodes(part, attachments, options)),
    ...attachments.filter(({ id }) => !placed.has(id)).map((attachment) => attachmentNode(attachment, options))
  ]
}
