/// <reference lib="dom" />
import { makeEnvironment, readableOn, readFile } from "./WidgetBrowser.ts"
import { type OutboxEntry, ownIdOf, WidgetClient, type WidgetIdentity, type WidgetState } from "./WidgetClient.ts"
import { attachmentNode, contentNodes, toSize } from "./WidgetContent.ts"
import { h, type Item, icon, icons, reconcile, setAttributes } from "./WidgetDom.ts"
import type { QueuedAttachment } from "./WidgetQueue.ts"
import { css } from "./WidgetStyle.ts"
import { fill, textsFor, type WidgetTexts } from "./WidgetTexts.ts"

type ThreadMessage = WidgetState["messages"][number]

/** Where there is no browser, such as on a rendering server, the module can still be imported. */
const Base = globalThis.HTMLElement ?? (class {} as typeof HTMLElement)

const groupMs = 5 * 60_000
const defaultEndpoint = (): string => {
  const { protocol, origin } = new URL(import.meta.url)
  return protocol.startsWith("http") ? origin : location.origin
}

/**
 * `<switchboard-chat account="shop" endpoint="https://desk.example.com">`: a button that opens a chat.
 *
 * **Attributes** `account`, `endpoint` (the desk; where this script comes from when left out or empty), `identity` (JSON, also a
 * property), `heading`, `greeting`, `language`, `theme` (`auto`, `light`, `dark`), `color`, `prechat` (asks for a name
 * and an e-mail address first).
 */
export class SwitchboardChat extends Base {
  static readonly observedAttributes = [
    "account",
    "endpoint",
    "identity",
    "heading",
    "greeting",
    "language",
    "theme",
    "color",
    "prechat"
  ]

  #client: WidgetClient | undefined
  #identity: WidgetIdentity | undefined
  #customTexts: Partial<WidgetTexts> = {}
  #texts: WidgetTexts = textsFor("en")
  #files: ReadonlyArray<QueuedAttachment> = []
  #error = ""
  #open = false
  #announced = 0
  #stopListening: AbortController | undefined

  readonly #launcherIcon = h("span")
  readonly #badge = h("span", { class: "badge", "aria-hidden": "true", hidden: true })
  readonly #launcher = h(
    "button",
    { class: "launcher", type: "button", "aria-expanded": "false", "aria-controls": "panel" },
    this.#launcherIcon,
    this.#badge
  )
  readonly #heading = h("h2", { id: "heading" })
  readonly #expected = h("p", { hidden: true })
  readonly #close = h("button", { type: "button" }, icon(icons.close))
  readonly #notice = h("p", { class: "notice", role: "status", hidden: true })
  readonly #items = h("div", { class: "items" })
  readonly #log = h(
    "div",
    { class: "log", role: "log", "aria-live": "polite", "aria-relevant": "additions text", tabindex: 0 },
    this.#items
  )
  readonly #typing = h("p", { class: "typing" })
  readonly #prechat = h("fieldset", { hidden: true })
  readonly #nameLabel = h("span")
  readonly #name = h("input", { autocomplete: "name", maxlength: 256 })
  readonly #emailLabel = h("span")
  readonly #email = h("input", {
    type: "email",
    autocomplete: "email",
    maxlength: 320,
    "aria-describedby": "email-hint"
  })
  readonly #emailHint = h("small", { id: "email-hint" })
  readonly #alert = h("p", { class: "error", role: "alert", hidden: true })
  readonly #chips = h("ul", { class: "chips", hidden: true })
  readonly #picker = h("input", { type: "file", multiple: true, hidden: true, tabindex: -1, "aria-hidden": "true" })
  readonly #attach = h("button", { type: "button" }, icon(icons.clip))
  readonly #input = h("textarea", { rows: 1, dir: "auto" })
  readonly #send = h("button", { type: "submit", class: "send" }, icon(icons.send))
  readonly #form = h(
    "form",
    { novalidate: true },
    this.#prechat,
    this.#alert,
    this.#chips,
    h("div", { class: "field" }, this.#attach, this.#picker, this.#input, this.#send)
  )
  readonly #panel = h(
    "section",
    { class: "panel", id: "panel", role: "dialog", "aria-labelledby": "heading", hidden: true },
    h(
      "header",
      {},
      h("span", { class: "mark" }, icon(icons.chat)),
      h("div", { class: "titles" }, this.#heading, this.#expected),
      this.#close
    ),
    this.#notice,
    this.#log,
    this.#typing,
    this.#form
  )
  readonly #announcer = h("p", { class: "sr", role: "status" })
  readonly #root = h("div", { class: "root" }, this.#launcher, this.#panel, this.#announcer)

  constructor() {
    super()
    const shadow = this.attachShadow({ mode: "open" })
    const sheet = new CSSStyleSheet()
    sheet.replaceSync(css)
    shadow.adoptedStyleSheets = [sheet]
    this.#prechat.append(
      h("label", {}, this.#nameLabel, this.#name),
      h("label", {}, this.#emailLabel, this.#email, this.#emailHint)
    )
    shadow.append(this.#root)
    this.#launcher.addEventListener("click", () => (this.#open ? this.close() : this.open()))
    this.#close.addEventListener("click", () => this.close())
    this.#panel.addEventListener("keydown", (event) => this.#onKey(event))
    this.#input.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || event.shiftKey || event.isComposing) return
      event.preventDefault()
      this.#submit()
    })
    this.#input.addEventListener("input", () => this.#onInput())
    this.#input.addEventListener("blur", () => this.#client?.setTyping(false))
    this.#input.addEventListener("paste", (event) => {
      const files = event.clipboardData?.files
      if (files === undefined || files.length === 0) return
      event.preventDefault()
      void this.#addFiles(files)
    })
    this.#form.addEventListener("submit", (event) => {
      event.preventDefault()
      this.#submit()
    })
    this.#attach.addEventListener("click", () => this.#picker.click())
    this.#picker.addEventListener("change", () => {
      void this.#addFiles(this.#picker.files)
      this.#picker.value = ""
    })
    this.#panel.addEventListener("dragover", (event) => event.preventDefault())
    this.#panel.addEventListener("drop", (event) => {
      event.preventDefault()
      void this.#addFiles(event.dataTransfer?.files ?? null)
    })
  }

  /** Who is signed in on the site, signed by its server; `undefined` or `null` when nobody is. */
  get identity(): WidgetIdentity | undefined {
    return this.#identity
  }
  set identity(identity: WidgetIdentity | null | undefined) {
    this.#identity = identity ?? undefined
    this.#client?.identify(this.#identity)
    this.#render()
  }

  /** Own words for some of the built-in texts. */
  get texts(): Partial<WidgetTexts> {
    return this.#customTexts
  }
  set texts(texts: Partial<WidgetTexts>) {
    this.#customTexts = texts
    this.#dress()
  }

  /** Opens the panel and puts the focus into it. */
  open(): void {
    this.#show(true)
    this.#input.focus()
    this.#log.scrollTop = this.#log.scrollHeight
  }

  /** Closes the panel and gives the focus back to the button. */
  close(): void {
    this.#show(false)
    this.#launcher.focus()
  }

  connectedCallback(): void {
    this.#takeProperties()
    const listening = new AbortController()
    this.#stopListening = listening
    const { signal } = listening
    window.addEventListener("online", () => this.#client?.wake(), { signal })
    document.addEventListener("visibilitychange", () => this.#client?.show(this.#open, !document.hidden), { signal })
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.#dress(), { signal })
    this.#dress()
    this.#begin()
  }

  disconnectedCallback(): void {
    this.#stopListening?.abort()
    this.#client?.stop()
  }

  attributeChangedCallback(name: string, before: string | null, after: string | null): void {
    if (before === after) return
    if (name === "identity") this.identity = parseIdentity(after)
    if (!this.isConnected) return
    if (name === "account" || name === "endpoint") {
      this.#client?.stop()
      this.#client = undefined
      this.#begin()
    }
    this.#dress()
  }

  /** Properties that were set before the browser knew this element. */
  #takeProperties(): void {
    for (const key of ["identity", "texts"] as const) {
      if (!Object.hasOwn(this, key)) continue
      const value = this[key]
      Reflect.deleteProperty(this, key)
      Object.assign(this, { [key]: value })
    }
  }

  get #endpoint(): string {
    return new URL(this.getAttribute("endpoint")?.trim() || defaultEndpoint(), location.href).href
  }

  get #language(): string {
    const wanted = this.getAttribute("language") ?? (document.documentElement.lang || navigator.language)
    try {
      return new Intl.Locale(wanted).toString()
    } catch {
      return "en"
    }
  }

  get #state(): WidgetState | undefined {
    return this.#client?.state
  }

  #begin(): void {
    const account = this.getAttribute("account")
    if (account === null || account === "") {
      console.error('<switchboard-chat> has no account: set account="<the chat account\'s id>"')
      return
    }
    this.#client ??= new WidgetClient({
      endpoint: this.#endpoint,
      account,
      environment: makeEnvironment(),
      onChange: () => this.#render()
    })
    this.#client.start(this.#identity)
    this.#client.show(this.#open, !document.hidden)
    this.#name.value = this.#client.visitor.name ?? ""
    this.#email.value = this.#client.visitor.email ?? ""
    this.#render()
  }

  #show(open: boolean): void {
    if (open === this.#open) return
    this.#open = open
    this.#panel.hidden = !open
    setAttributes(this.#root, { "data-open": open })
    this.#client?.show(open, !document.hidden)
    this.#dress()
    this.dispatchEvent(new CustomEvent(open ? "chat-open" : "chat-close"))
  }

  #onKey(event: KeyboardEvent): void {
    if (event.key === "Escape" && !event.isComposing) {
      event.stopPropagation()
      this.close()
    }
    // A panel that covers the page keeps the focus; beside the page it must not.
    if (event.key !== "Tab" || !matchMedia("(max-width: 480px)").matches) return
    const places = [...this.#panel.querySelectorAll<HTMLElement>("a, button, input, textarea, [tabindex='0']")].filter(
      (place) => !place.matches(":disabled, [tabindex='-1']") && place.checkVisibility()
    )
    const current = this.shadowRoot?.activeElement
    const [from, to] = event.shiftKey ? [places[0], places.at(-1)] : [places.at(-1), places[0]]
    if (current !== from) return
    event.preventDefault()
    to?.focus()
  }

  // Writing

  #onInput(): void {
    const { style, value } = this.#input
    style.height = "auto"
    style.height = `${this.#input.scrollHeight}px`
    this.#client?.setTyping(value.trim() !== "")
    this.#say("")
    this.#dressComposer()
  }

  #say(error: string): void {
    this.#error = error
    this.#alert.textContent = error
    this.#alert.hidden = error === ""
  }

  async #addFiles(list: FileList | null): Promise<void> {
    const limits = this.#state?.limits
    if (list === null || limits === undefined) return
    this.#say("")
    for (const file of [...list]) {
      if (this.#files.length >= limits.attachments)
        return this.#say(fill(this.#texts.tooManyFiles, { count: limits.attachments }))
      if (file.size > limits.attachmentBytes) {
        const size = toSize(limits.attachmentBytes, this.#language)
        this.#say(fill(this.#texts.fileTooLarge, { name: file.name, size }))
        continue
      }
      try {
        this.#files = [...this.#files, await readFile(file)]
      } catch {
        this.#say(fill(this.#texts.fileUnreadable, { name: file.name }))
      }
      this.#dressComposer()
    }
    this.#input.focus()
  }

  #submit(): void {
    const text = this.#input.value.trim()
    const limit = this.#state?.limits.textLength ?? Number.POSITIVE_INFINITY
    if ((text === "" && this.#files.length === 0) || this.#client === undefined) return
    if (text.length > limit) {
      this.#say(fill(this.#texts.textTooLong, { count: limit }))
      return
    }
    const email = this.#email.value.trim()
    if (!this.#prechat.hidden && email !== "" && !this.#email.checkValidity()) {
      this.#say(this.#email.validationMessage)
      this.#email.focus()
      return
    }
    const name = this.#name.value.trim()
    this.#client.introduce({
      language: this.#language,
      ...(name === "" ? {} : { name }),
      ...(email === "" ? {} : { email })
    })
    this.#client.sendMessage(text, this.#files)
    this.#input.value = ""
    this.#files = []
    this.#onInput()
    this.#log.scrollTop = this.#log.scrollHeight
    this.#input.focus()
  }

  // Looks

  /** Everything that attributes and texts decide. */
  #dress(): void {
    const language = this.#language
    this.#texts = { ...textsFor(language), ...this.#customTexts }
    const theme = this.getAttribute("theme")
    const isDark = theme === "dark" || (theme !== "light" && matchMedia("(prefers-color-scheme: dark)").matches)
    setAttributes(this.#root, { "data-theme": isDark ? "dark" : "light", lang: language })
    const color = this.getAttribute("color") ?? ""
    const readable = readableOn(color, this.#root)
    this.#root.style.setProperty("--accent", readable === undefined ? "" : color)
    this.#root.style.setProperty("--on-accent", readable ?? "")
    const texts = this.#texts
    this.#heading.textContent = this.getAttribute("heading") ?? texts.heading
    setAttributes(this.#close, { "aria-label": texts.close, title: texts.close })
    setAttributes(this.#log, { "aria-label": texts.log })
    setAttributes(this.#attach, { "aria-label": texts.attach, title: texts.attach })
    setAttributes(this.#send, { "aria-label": texts.send, title: texts.send })
    setAttributes(this.#input, { "aria-label": texts.write, placeholder: texts.write })
    this.#nameLabel.textContent = texts.name
    this.#emailLabel.textContent = texts.email
    this.#emailHint.textContent = texts.emailHint
    this.#launcherIcon.replaceChildren(icon(this.#open ? icons.down : icons.chat))
    setAttributes(this.#launcher, { "aria-expanded": String(this.#open) })
    this.#render()
  }

  #dressComposer(): void {
    this.#send.disabled = this.#input.value.trim() === "" && this.#files.length === 0
    this.#chips.hidden = this.#files.length === 0
    this.#chips.replaceChildren(
      ...this.#files.map((file) => {
        const remove = h(
          "button",
          { type: "button", "aria-label": fill(this.#texts.removeFile, { name: file.name }) },
          icon(icons.close)
        )
        remove.addEventListener("click", () => {
          this.#files = this.#files.filter((other) => other !== file)
          this.#dressComposer()
          this.#input.focus()
        })
        const chip = attachmentNode(file, { texts: this.#texts, endpoint: this.#endpoint, language: this.#language })
        chip.append(remove)
        return h("li", {}, chip)
      })
    )
  }

  /** Everything that the client's state decides. */
  #render(): void {
    const state = this.#state
    if (state === undefined || !this.isConnected) return
    const texts = this.#texts
    const launcherLabel = this.#open
      ? texts.close
      : state.unread > 0
        ? fill(texts.openUnread, { count: state.unread })
        : texts.open
    setAttributes(this.#launcher, { "aria-label": launcherLabel })
    this.#badge.hidden = state.unread === 0
    this.#badge.textContent = state.unread > 99 ? "99+" : String(state.unread)
    if (state.unread !== this.#announced) {
      this.#announced = state.unread
      this.#announcer.textContent = state.unread > 0 ? launcherLabel : ""
      this.dispatchEvent(new CustomEvent("chat-unread", { detail: state.unread }))
    }
    this.#expected.textContent = state.expected ?? ""
    this.#expected.hidden = state.expected === undefined
    const notice = this.#toNotice(state)
    if (this.#notice.textContent !== notice) this.#notice.textContent = notice
    this.#notice.hidden = notice === ""
    this.#prechat.hidden =
      !this.hasAttribute("prechat") ||
      this.#identity !== undefined ||
      state.messages.length > 0 ||
      state.outbox.length > 0
    this.#renderTyping(state)
    // Read out what arrives, not the whole history when it is first shown.
    setAttributes(this.#log, { "aria-live": state.loaded || state.connection === "idle" ? "polite" : "off" })
    const isAtEnd = this.#log.scrollHeight - this.#log.scrollTop - this.#log.clientHeight < 80
    reconcile(this.#items, this.#toItems(state))
    if (isAtEnd) this.#log.scrollTop = this.#log.scrollHeight
    if (this.#error === "") this.#say("")
    this.#dressComposer()
  }

  #toNotice(state: WidgetState): string {
    if (state.trouble === "identity") return this.#texts.identityTrouble
    if (state.trouble === "refused") return this.#texts.refusedTrouble
    if (state.connection === "offline") return this.#texts.offline
    return state.connection === "connecting" && !state.loaded ? this.#texts.connecting : ""
  }

  #renderTyping({ typing }: WidgetState): void {
    const text = typing === undefined ? "" : fill(this.#texts.typing, { name: typing.authorName ?? this.#texts.team })
    if (this.#typing.dataset.text === text) return
    this.#typing.dataset.text = text
    const dots = h("span", { class: "dots", "aria-hidden": "true" }, h("i"), h("i"), h("i"))
    this.#typing.replaceChildren(...(text === "" ? [] : [dots, text]))
  }

  #toItems(state: WidgetState): ReadonlyArray<Item> {
    const items: Array<Item> = []
    let day = ""
    let group = ""
    let groupedAtMs = Number.NEGATIVE_INFINITY
    const lookKey = `${this.#language} ${this.#endpoint} ${JSON.stringify(this.#customTexts)}`
    const add = (
      key: string,
      atMs: number,
      author: string,
      signature: string,
      make: (first: boolean) => HTMLElement
    ) => {
      const label = this.#toDay(atMs)
      if (label !== day) {
        day = label
        group = ""
        items.push({ key: `day ${label}`, signature: "", make: () => h("p", { class: "day" }, label) })
      }
      const first = author !== group || atMs - groupedAtMs > groupMs
      group = author
      groupedAtMs = atMs
      items.push({ key, signature: `${signature} ${first} ${lookKey}`, make: () => make(first) })
    }
    const greeting = this.getAttribute("greeting") ?? this.#texts.greeting
    if (greeting !== "")
      items.push({
        key: "greeting",
        signature: greeting,
        make: () => h("div", { class: "message first" }, h("div", { class: "bubble", dir: "auto" }, greeting))
      })
    const lastIn = state.messages.findLast(({ direction }) => direction === "in")?.sequence ?? 0
    const answered = new Set(state.outbox.map(({ entry }) => (entry.kind === "action" ? entry.ofMessageId : "")))
    for (const message of state.messages) {
      const canChoose = message.sequence > lastIn && !answered.has(message.id)
      const author = message.direction === "in" ? "" : `${message.authorKind} ${message.authorName ?? ""}`
      // The desk's name for it takes over from the outbox under the same key: the bubble stays where it is.
      const ownId = ownIdOf(message)
      const key = ownId === undefined ? message.id : `mine ${ownId}`
      add(key, message.sentAtMs, author, `${JSON.stringify(message)} ${canChoose}`, (first) =>
        this.#toBubble(message, first, canChoose)
      )
    }
    for (const each of state.outbox)
      add(`mine ${each.entry.clientId}`, each.entry.writtenAtMs, "", `${each.state} ${each.kept}`, (first) =>
        this.#toOwnBubble(each, first)
      )
    return items
  }

  #toDay(atMs: number): string {
    const date = new Date(atMs)
    const today = new Date()
    const yesterday = new Date(today.getFullYear(), today.getMonth(), today.getDate() - 1)
    if (date.toDateString() === today.toDateString()) return this.#texts.today
    if (date.toDateString() === yesterday.toDateString()) return this.#texts.yesterday
    return new Intl.DateTimeFormat(this.#language, {
      weekday: "long",
      day: "numeric",
      month: "long",
      ...(date.getFullYear() === today.getFullYear() ? {} : { year: "numeric" })
    }).format(date)
  }

  #toTime(atMs: number): HTMLElement {
    const date = new Date(atMs)
    const text = new Intl.DateTimeFormat(this.#language, { hour: "numeric", minute: "2-digit" }).format(date)
    return h("time", { datetime: date.toISOString() }, text)
  }

  #toBubble(message: ThreadMessage, first: boolean, canChoose: boolean): HTMLElement {
    const texts = this.#texts
    const mine = message.direction === "in"
    const deleted = message.deletedAtMs !== undefined
    const edited = message.editedAtMs !== undefined && !deleted
    const name = message.authorName ?? (message.authorKind === "bot" ? texts.bot : texts.team)
    const content = deleted
      ? [h("p", {}, texts.deleted)]
      : contentNodes(message, {
          texts,
          endpoint: this.#endpoint,
          language: this.#language,
          onChoose: canChoose
            ? (id, label) => {
                this.#client?.choose(message.id, id, label)
                this.#input.focus()
              }
            : undefined
        })
    return h(
      "div",
      { class: `message${mine ? " mine" : ""}${first ? " first" : ""}${deleted ? " deleted" : ""}` },
      mine
        ? h("span", { class: "sr" }, `${texts.you}:`)
        : h(
            "p",
            { class: first ? "author" : "sr" },
            h("span", { class: "face", "aria-hidden": "true" }, [...name][0]?.toUpperCase()),
            name,
            message.authorKind === "bot" && name !== texts.bot ? h("span", { class: "tag" }, texts.bot) : undefined
          ),
      h("div", { class: "bubble", dir: "auto" }, ...content),
      h(
        "p",
        { class: edited ? "meta" : "meta when" },
        this.#toTime(message.sentAtMs),
        edited ? texts.edited : undefined
      )
    )
  }

  #toOwnBubble({ entry, state, kept }: OutboxEntry, first: boolean): HTMLElement {
    const texts = this.#texts
    const options = { texts, endpoint: this.#endpoint, language: this.#language, onChoose: undefined }
    const content =
      entry.kind === "message"
        ? [
            ...contentNodes({ parts: [{ kind: "text", text: entry.text, format: "plain" }], attachments: [] }, options),
            ...entry.attachments.map((file) => attachmentNode(file, options))
          ]
        : contentNodes({ parts: [{ kind: "text", text: entry.label, format: "plain" }], attachments: [] }, options)
    const button = (label: string, act: () => void): HTMLElement => {
      const element = h("button", { type: "button" }, label)
      element.addEventListener("click", () => {
        act()
        this.#input.focus()
      })
      return element
    }
    return h(
      "div",
      { class: `message mine${first ? " first" : ""}` },
      h("span", { class: "sr" }, `${texts.you}:`),
      h("div", { class: "bubble", dir: "auto" }, ...content),
      h(
        "p",
        { class: `meta${state === "failed" ? " bad" : ""}`, "data-state": state },
        state === "sent" ? this.#toTime(entry.writtenAtMs) : undefined,
        kept || state === "sent" ? texts[state] : `${texts[state]} · ${texts.notKept}`,
        state === "failed" || state === "waiting"
          ? button(texts.retry, () => this.#client?.retry(entry.clientId))
          : undefined,
        state === "failed" ? button(texts.discard, () => this.#client?.discard(entry.clientId)) : undefined
      )
    )
  }
}

const parseIdentity = (text: string | null): WidgetIdentity | undefined => {
  if (text === null || text.trim() === "") return undefined
  try {
    return JSON.parse(text) as WidgetIdentity
  } catch {
    console.error("<switchboard-chat> identity is not JSON: it is ignored, and nobody is signed in")
    return undefined
  }
}

declare global {
  interface HTMLElementTagNameMap {
    "switchboard-chat": SwitchboardChat
  }
}
