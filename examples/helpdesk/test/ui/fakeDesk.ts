import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import type { Agent, Contact, Conversation, Message } from "@switchboard/conversation"
import type { Change, ConversationDetail, Health, OfferView, SearchAnswer } from "@switchboard/desk/DeskService"
import type { DeadLetter, InboxRow } from "@switchboard/desk/Views"
import { Measures } from "@switchboard/metrics"
import type { Explanation } from "@switchboard/routing"
import { channels, contexts, letters, type Seed, seed } from "./fakeSeed.ts"

type Mutable<A> = { -readonly [Key in keyof A]: A[Key] }
type Held = {
  conversation: Mutable<Conversation.Conversation>
  messages: Array<Mutable<Message.Message>>
  clocks: ConversationDetail["clocks"]
}

const json = (body: unknown, status = 200, headers: Record<string, string> = {}): Response =>
  new Response(JSON.stringify(body), { status, headers: { "content-type": "application/json", ...headers } })

const problem = (status: number, code: string, detail: string, facts: Record<string, unknown> = {}): Response =>
  json({ type: "about:blank", title: code, status, detail, code, facts }, status, {
    "content-type": "application/problem+json"
  })

/** Behaves like the desk's API, over seeded data in memory; tests reach in to make things happen. */
export class FakeDesk {
  readonly now: () => number
  readonly calls: Array<{ method: string; path: string; body: unknown; commandId: string | null }> = []
  readonly agents: ReadonlyArray<Agent.Agent>
  readonly teams: ReadonlyArray<Agent.Team>
  readonly contacts: Map<string, Mutable<Contact.Contact>>
  readonly held: Map<string, Held>
  parked: Health["parked"]
  letters: ReadonlyArray<DeadLetter>
  /** What trying something again comes to: why it is in vain, or null. */
  stillWrong: string | null = null
  /** Why a conversation waits, for those that routing holds. */
  readonly explanations = new Map<string, Explanation.ItemExplanation>()
  /** The next command answers with this instead. */
  refuseNext: (() => Response) | undefined
  /** What a search does not see yet. */
  behind = 0
  /** Searches wait for this. */
  searchGate: Promise<void> = Promise.resolve()
  /** Commands wait for this. */
  gate: Promise<void> = Promise.resolve()
  private position = 100
  private readonly presences = new Map<string, { readonly status: string; readonly reason?: string }>()
  private readonly offered = new Map<string, { offerId: string; agentId: string; expiresAtMs: number }>()
  private readonly answers = new Map<string, unknown>()
  /** Who listens, each with the conversation that it follows. */
  private readonly streams = new Map<ReadableStreamDefaultController<Uint8Array>, string | null>()
  private messageNumber = 0

  constructor(now: () => number = Date.now) {
    this.now = now
    const seeded: Seed = seed(now())
    this.agents = seeded.agents
    this.teams = seeded.teams
    this.contacts = new Map(seeded.contacts.map((contact) => [contact.id, contact]))
    this.held = new Map(seeded.conversations.map((held) => [held.conversation.id, held]))
    this.letters = letters(now())
    this.parked = [
      {
        reactor: "sla",
        stream: "conversation/c-long",
        position: 88,
        reason: "the calendar office has no hours any more",
        parkedAtMs: now() - 7 * 60_000
      }
    ]
    for (const agent of this.agents)
      this.presences.set(agent.id, agent.id === "tomas" ? { status: "away", reason: "lunch" } : { status: "available" })
  }

  // What tests do

  emit(conversationId: string | null, type = "changed"): void {
    this.position += 1
    const contactId = conversationId === null ? null : (this.held.get(conversationId)?.conversation.contactId ?? null)
    const change: Change = { position: this.position, type, conversationId, contactId, agentId: null }
    const bytes = new TextEncoder().encode(`id: ${change.position}\ndata: ${JSON.stringify(change)}\n\n`)
    for (const stream of this.streams.keys()) stream.enqueue(bytes)
  }

  /** The contact of a conversation types: heard by who follows it. */
  type(conversationId: string, typing: boolean): void {
    const bytes = new TextEncoder().encode(`event: typing\ndata: ${JSON.stringify({ conversationId, typing })}\n\n`)
    for (const [stream, followed] of this.streams) if (followed === conversationId) stream.enqueue(bytes)
  }

  /** Which conversations are followed at this moment. */
  followed(): ReadonlyArray<string | null> {
    return [...this.streams.values()]
  }

  offer(conversationId: string, agentId: string, lifetimeMs = 30_000): void {
    this.offered.set(conversationId, {
      offerId: `${conversationId}.${this.position}`,
      agentId,
      expiresAtMs: this.now() + lifetimeMs
    })
    this.emit(conversationId)
  }

  receive(conversationId: string, text: string, type?: string): void {
    const held = this.get(conversationId)
    this.add(held, {
      direction: "in",
      author: { kind: "contact", id: held.conversation.contactId },
      parts: [{ kind: "text", text, format: "plain" }],
      threadId: held.conversation.threads[0]!.id
    })
    held.conversation.unreadCount += 1
    held.conversation.waitingSinceMs ??= this.now()
    held.conversation.status = "open"
    this.emit(conversationId, type)
  }

  /** Makes a conversation the most urgent of all. */
  hurry(conversationId: string): void {
    const held = this.get(conversationId)
    held.clocks = [
      {
        target: "first-reply",
        state: "running",
        dueAtMs: this.now() - 3_600_000,
        breachedAtMs: this.now() - 3_600_000,
        startedAtMs: 0
      }
    ]
    this.emit(conversationId)
  }

  /** What happens to an agent who leaves offers without an answer. */
  sendAway(agentId: string): void {
    this.presences.set(agentId, { status: "away", reason: "missed_offers" })
    this.emit(null)
  }

  takeOver(conversationId: string, agentId: string): void {
    const { conversation } = this.get(conversationId)
    conversation.control = {
      holder: { kind: "agent", id: agentId as Agent.Agent["id"] },
      fence: conversation.control.fence + 1
    }
    this.emit(conversationId)
  }

  dropStreams(): void {
    for (const stream of this.streams.keys()) stream.close()
    this.streams.clear()
  }

  get(conversationId: string): Held {
    const held = this.held.get(conversationId)
    if (!held) throw new Error(`no conversation ${conversationId} in the seed`)
    return held
  }

  // The API

  readonly fetch = async (request: Request): Promise<Response> => {
    const url = new URL(request.url)
    const { pathname: path, searchParams } = url
    const text = await request.text()
    const body = text === "" ? undefined : JSON.parse(text)
    const commandId = request.headers.get("idempotency-key")
    this.calls.push({ method: request.method, path, body, commandId })
    const route = `${request.method} ${path}`

    if (route === "GET /auth/agents")
      return json(this.agents.map(({ id, name, role, teams }) => ({ id, name, role, teams })))
    if (route === "POST /auth/sign-in") {
      if (body.password !== "switchboard") return problem(401, "wrongPassword", "the password is wrong")
      return json({ ok: true }, 200, {
        "set-cookie": `switchboard_session=${body.agentId}; HttpOnly; SameSite=Strict; Path=/`
      })
    }
    if (route === "POST /auth/sign-out")
      return json({ ok: true }, 200, { "set-cookie": "switchboard_session=; Max-Age=0; Path=/" })

    const session = /switchboard_session=([\w-]+)/.exec(request.headers.get("cookie") ?? "")?.[1]
    const me = this.agents.find(({ id }) => id === session)
    if (!me) return problem(401, "credentialNeeded", "sign in first")
    if (request.method !== "GET" && request.headers.get("x-switchboard") !== "1")
      return problem(403, "forgeryPossible", "send the header x-switchboard: 1")

    if (request.method !== "GET") {
      await this.gate
      const refusal = this.refuseNext
      this.refuseNext = undefined
      if (refusal) return refusal()
      if (commandId !== null && this.answers.has(commandId)) return json(this.answers.get(commandId))
    }
    const answer = (value: unknown): Response => {
      if (commandId !== null) this.answers.set(commandId, value)
      return json(value)
    }

    if (route === "GET /api/me") return json({ actor: { kind: "agent", id: me.id, role: me.role }, agent: me })
    if (route === "GET /api/agents") return json(this.agents)
    if (route === "GET /api/teams") return json(this.teams)
    if (route === "GET /api/channels") return json(channels)
    if (route === "GET /api/health") return json(this.health())
    if (route === "GET /api/dead-letters") return json(this.letters)
    if (route === "POST /api/parked/retry") {
      if (this.stillWrong === null) this.parked = this.parked.filter(({ stream }) => stream !== body.stream)
      return json({ done: this.stillWrong === null, reason: this.stillWrong })
    }
    if (route === "GET /api/inbox") return json(this.inbox(searchParams))
    if (route === "GET /api/search") {
      await this.searchGate
      return json(this.search(searchParams.get("text") ?? "", Number(searchParams.get("limit") ?? 20)))
    }
    if (route === "GET /api/offers") return json(this.offersOf(me.id))
    if (route === "GET /api/board") return json(this.board())
    if (route === "GET /api/measures") return json(Measures.catalog())
    if (route === "GET /api/metrics") return json(metrics(searchParams))
    if (route === "GET /api/events") return this.events(request, searchParams.get("conversation"))

    const at = (pattern: string) => new RegExp(`^${pattern}$`).exec(route)?.slice(1).map(decodeURIComponent)
    let found = at("POST /api/offers/([^/]+)/(accept|decline)")
    if (found) {
      const entry = [...this.offered].find(([, { offerId, agentId }]) => offerId === found?.[0] && agentId === me.id)
      if (!entry || entry[1].expiresAtMs < this.now())
        return problem(409, "offer_over", "the offer is over; another agent may have it")
      this.offered.delete(entry[0])
      if (found[1] === "accept") this.takeOver(entry[0], me.id)
      this.emit(entry[0])
      return answer({})
    }
    found = at("POST /api/dead-letters/([^/]+)/redrive")
    if (found) {
      if (this.stillWrong === null) this.letters = this.letters.filter(({ id }) => id !== found?.[0])
      return json({ done: this.stillWrong === null, reason: this.stillWrong })
    }
    found = at("POST /api/conversations/([^/]+)/typing")
    if (found) return new Response(null, { status: 204 })
    found = at("PUT /api/agents/([^/]+)/presence")
    if (found) {
      this.presences.set(found[0]!, { status: body.status })
      this.emit(null)
      return answer({})
    }
    found = at("GET /api/contacts/([^/]+)/context")
    if (found) return json(contexts(found[0]!))
    found = at("POST /api/contacts/([^/]+)/commands")
    if (found) {
      const contact = this.contacts.get(found[0]!)
      if (!contact) return problem(404, "notFound", "no such contact")
      if (body.type === "MergeContact") contact.mergedInto = body.into
      if (body.type === "UndoContactMerge") delete contact.mergedInto
      if (body.type === "GrantConsent" || body.type === "WithdrawConsent") {
        const { purpose, channelKind, evidence } = body
        contact.consents = [
          ...contact.consents.filter((one) => one.purpose !== purpose || one.channelKind !== channelKind),
          ...(evidence === undefined ? [] : [{ purpose, channelKind, evidence, grantedAtMs: this.now() }])
        ]
      }
      if (body.type === "UpdateContact") Object.assign(contact, body)
      this.emit(
        [...this.held.values()].find(({ conversation }) => conversation.contactId === body.into)?.conversation.id ??
          null
      )
      return answer({ contactId: contact.id, version: 2 })
    }
    found = at("GET /api/messages/([^/]+)/attachments/([^/]+)")
    if (found) return picture()
    found = at("GET /api/conversations/([^/]+)")
    if (found) {
      const held = this.held.get(found[0]!)
      return held ? json(this.detail(held)) : problem(404, "notFound", `no such conversation: ${found[0]}`)
    }
    found = at("GET /api/conversations/([^/]+)/messages")
    if (found) {
      const before = Number(searchParams.get("before"))
      const limit = Number(searchParams.get("limit") ?? 50)
      return json(
        this.get(found[0]!)
          .messages.filter(({ sequence }) => sequence < before)
          .slice(-limit)
      )
    }
    found = at("GET /api/conversations/([^/]+)/explanation")
    if (found) return json(this.explanations.get(found[0]!) ?? null)
    found = at("POST /api/conversations/([^/]+)/(replies|notes|commands|pick|assign)")
    if (found) {
      const held = this.held.get(found[0]!)
      if (!held) return problem(404, "notFound", "no such conversation")
      const { conversation } = held
      if (body?.fence !== undefined && body.fence !== conversation.control.fence)
        return problem(409, "staleFence", "control has changed since; read the conversation again", {
          found: body.fence,
          current: conversation.control.fence
        })
      let messageId: string | undefined
      if (found[1] === "replies") messageId = this.reply(held, me, body)
      else if (found[1] === "notes") messageId = this.note(held, me, body)
      else if (found[1] === "commands") this.command(held, body, me)
      else this.takeOver(conversation.id, found[1] === "pick" ? me.id : body.agentId)
      conversation.version += 1
      this.emit(conversation.id)
      return answer({ conversationId: conversation.id, version: conversation.version, repeated: false, messageId })
    }
    return problem(404, "notFound", `${route} is not here`)
  }

  private add(
    held: Held,
    input: Partial<Message.Message> & Pick<Message.Message, "direction" | "author" | "parts">
  ): string {
    this.messageNumber += 1
    const id = `new-${this.messageNumber}` as Message.Message["id"]
    held.messages.push({
      id,
      conversationId: held.conversation.id,
      threadId: "notes" as Message.Message["threadId"],
      sequence: (held.messages.at(-1)?.sequence ?? 0) + 1,
      origin: "desk",
      purpose: "service",
      attachments: [],
      sentAtMs: this.now(),
      recordedAtMs: this.now(),
      reactions: [],
      deliveries: [],
      ...input
    })
    const first = input.parts[0]
    held.conversation.preview = first?.kind === "text" ? first.text.slice(0, 200) : ""
    held.conversation.updatedAtMs = this.now()
    return id
  }

  private reply(held: Held, me: Agent.Agent, body: { parts: Message.Message["parts"]; threadId?: string }): string {
    const thread = held.conversation.threads.find(({ id }) => id === body.threadId) ?? held.conversation.threads[0]!
    if (held.conversation.control.holder.kind !== "agent") this.takeOver(held.conversation.id, me.id)
    delete held.conversation.waitingSinceMs
    return this.add(held, {
      direction: "out",
      author: { kind: "agent", id: me.id, role: me.role },
      parts: body.parts,
      threadId: thread.id,
      deliveries: thread.recipients.map((recipient, index) => ({
        id: `d${index}` as Message.Message["deliveries"][number]["id"],
        recipient,
        state: "sent" as const,
        changedAtMs: this.now(),
        platformIds: []
      }))
    })
  }

  private note(held: Held, me: Agent.Agent, body: { text: string; mentions?: Message.Message["mentions"] }): string {
    return this.add(held, {
      direction: "note",
      author: { kind: "agent", id: me.id, role: me.role },
      parts: [{ kind: "text", text: body.text, format: "plain" }],
      ...(body.mentions && { mentions: body.mentions })
    })
  }

  private command(
    { conversation, messages }: Held,
    command: Record<string, never> & { type: string },
    me: Agent.Agent
  ): void {
    const message = messages.find(({ id }) => id === command.messageId)
    const by = { kind: "agent", id: me.id, role: me.role } as const
    switch (command.type) {
      case "EditMessage":
        Object.assign(message ?? {}, { parts: command.parts, editedAtMs: this.now() })
        return
      case "DeleteMessage":
        Object.assign(message ?? {}, { parts: [], attachments: [], deletedAtMs: this.now() })
        return
      case "AddReaction":
        message?.reactions.push({ emoji: command.emoji ?? "", by, atMs: this.now() })
        return
      case "RemoveReaction":
        if (message)
          message.reactions = message.reactions.filter(
            (one) => !(one.by.kind === "agent" && one.by.id === me.id && one.emoji === command.emoji)
          )
        return
      case "MarkRead":
        conversation.unreadCount = 0
        return
      case "ResolveConversation":
        conversation.status = "resolved"
        delete conversation.waitingSinceMs
        return
      case "ReopenConversation":
      case "WakeConversation":
        conversation.status = "open"
        return
      case "WaitForContact":
        conversation.status = "pending"
        return
      case "CloseConversation":
        conversation.status = "closed"
        return
      case "SnoozeConversation":
        conversation.status = "snoozed"
        conversation.snoozedUntilMs = command.untilMs ?? 0
        return
      case "SetPriority":
        conversation.priority = command.priority ?? "normal"
        return
      case "SetSubject":
        conversation.subject = command.subject ?? ""
        return
      case "AddTag":
        conversation.tags = [...conversation.tags, command.tag ?? ""]
        return
      case "RemoveTag":
        conversation.tags = conversation.tags.filter((tag) => tag !== command.tag)
        return
      case "TransferConversation":
        conversation.wanted = command.wanted ?? {}
        conversation.control = { holder: { kind: "nobody" }, fence: conversation.control.fence + 1 }
        return
      case "RetryDelivery":
        for (const delivery of messages.flatMap(({ deliveries }) => deliveries))
          if (delivery.id === command.deliveryId) {
            delivery.state = "queued"
            delete delivery.failure
          }
        return
    }
  }

  private row({ conversation, clocks }: Held): InboxRow {
    const contact = this.contacts.get(conversation.contactId)
    const { holder } = conversation.control
    const due = clocks
      .filter(({ state, dueAtMs }) => state === "running" && dueAtMs !== null)
      .sort((a, b) => a.dueAtMs! - b.dueAtMs!)[0]
    const calm = 1e14
    const offer = this.offered.get(conversation.id)
    return {
      conversationId: conversation.id,
      contactId: conversation.contactId,
      contactName: contact?.name ?? contact?.addresses[0]?.value ?? "",
      subject: conversation.subject ?? "",
      preview: conversation.preview,
      status: conversation.status,
      priority: conversation.priority,
      channelKinds: [...new Set(conversation.threads.map(({ channelKind }) => channelKind))],
      holder,
      assignee: holder.kind === "agent" ? holder.id : null,
      teamId: conversation.wanted?.teamId ?? null,
      tags: conversation.tags,
      unreadCount: conversation.unreadCount,
      active: ["open", "pending", "snoozed"].includes(conversation.status),
      attention:
        conversation.status !== "open"
          ? 2 * calm + conversation.updatedAtMs
          : (due?.dueAtMs ??
            (conversation.waitingSinceMs === undefined
              ? calm + conversation.updatedAtMs
              : conversation.waitingSinceMs + 4 * 3_600_000)),
      waitingSinceMs: conversation.waitingSinceMs ?? null,
      due: due ? { target: due.target, dueAtMs: due.dueAtMs!, breached: due.breachedAtMs !== null } : null,
      offer: offer ?? null,
      updatedAtMs: conversation.updatedAtMs,
      openedAtMs: conversation.openedAtMs
    }
  }

  private rows(): ReadonlyArray<InboxRow> {
    return [...this.held.values()]
      .map((held) => this.row(held))
      .sort((a, b) => a.attention - b.attention || (a.conversationId < b.conversationId ? -1 : 1))
  }

  private inbox(query: URLSearchParams) {
    const active = query.get("active") !== "false"
    const assignee = query.get("assignee")
    const limit = Number(query.get("limit") ?? 50)
    const all = this.rows().filter(
      (row) => row.active === active && (assignee === null || (row.assignee ?? "") === assignee)
    )
    const afterKey = query.get("after")?.split(",")[1]
    const from = afterKey === undefined ? 0 : all.findIndex(({ conversationId }) => conversationId === afterKey) + 1
    const rows = all.slice(from, from + limit)
    const last = rows.at(-1)
    return {
      rows,
      next: last && from + limit < all.length ? { attention: last.attention, key: last.conversationId } : null,
      position: this.position
    }
  }

  /** All the words have to be there, the last one as a beginning; the latest message first. */
  private search(text: string, limit: number): SearchAnswer {
    const words = [...text.matchAll(/[\p{L}\p{N}]+(\s?)/gu)].map(
      ([word, space]) => `${word.trim()}${space === "" ? "[\\p{L}\\p{N}]*" : "(?![\\p{L}\\p{N}])"}`
    )
    const snippetOf = (said: string) => {
      if (words.length === 0) return null
      const found = words.map((word) => [...said.matchAll(new RegExp(`(?<![\\p{L}\\p{N}])${word}`, "giu"))])
      if (found.some(({ length }) => length === 0)) return null
      return {
        text: said,
        matches: found
          .flat()
          .map(({ index, 0: match }) => ({ start: index, end: index + match.length }))
          .sort((a, b) => a.start - b.start)
      }
    }
    const said = (message: Message.Message): string =>
      [
        ...message.parts.flatMap((part) =>
          ["text", "caption", "label"].flatMap((name) => (part as Record<string, unknown>)[name] ?? [])
        ),
        ...message.attachments.map(({ name }) => name)
      ].join("\n")
    return {
      messages: [...this.held.values()]
        .flatMap((held) =>
          held.messages.flatMap((message) => {
            const snippet = snippetOf(said(message))
            const { conversationId, id: messageId, direction, recordedAtMs } = message
            return snippet ? [{ conversationId, messageId, direction, recordedAtMs, snippet, row: this.row(held) }] : []
          })
        )
        .sort((a, b) => b.recordedAtMs - a.recordedAtMs)
        .slice(0, limit),
      contacts: [...this.contacts.values()]
        .flatMap(({ id, mergedInto, name, addresses }) => {
          const snippet = snippetOf([name, ...addresses.map(({ value }) => value)].filter(Boolean).join("\n"))
          return snippet ? [{ contactId: mergedInto ?? id, name: name ?? "", snippet }] : []
        })
        .slice(0, limit),
      behind: this.behind
    }
  }

  private detail(held: Held): ConversationDetail {
    const { conversation, messages, clocks } = held
    return {
      conversation,
      row: this.row(held),
      contact: this.contacts.get(conversation.contactId) ?? null,
      merged: [...this.contacts.values()].filter(({ mergedInto }) => mergedInto === conversation.contactId),
      messages: messages.slice(-50),
      hasEarlier: messages.length > 50,
      others: [...this.held.values()]
        .map((other) => other.conversation)
        .filter(({ id, contactId }) => contactId === conversation.contactId && id !== conversation.id),
      clocks,
      position: this.position
    }
  }

  private offersOf(agentId: string): ReadonlyArray<OfferView> {
    return [...this.offered].flatMap(([conversationId, offer]) =>
      offer.agentId === agentId && offer.expiresAtMs > this.now()
        ? [
            {
              offerId: offer.offerId,
              conversationId,
              expiresAtMs: offer.expiresAtMs,
              row: this.row(this.get(conversationId))
            }
          ]
        : []
    )
  }

  private board() {
    const rows = this.rows().filter(({ active }) => active)
    return {
      nowMs: this.now(),
      agents: this.agents.map((agent) => ({
        agent,
        presence: this.presences.get(agent.id) ?? { status: "offline" },
        holds: rows.filter(({ assignee, status }) => assignee === agent.id && status === "open").length,
        capacity: agent.capacity.total
      })),
      queues: ["main", ...this.teams.map(({ id }) => id)].map((queueId, index) => ({
        queueId,
        waiting: [7, 3, 0][index] ?? 1,
        oldestWaitMs: [22 * 60_000, 4 * 60_000 + 12_000, 0][index] ?? 61_000
      })),
      waiting: [
        {
          dimensions: { channelKind: "email" },
          count: 4,
          oldestAgeMs: 81 * 60_000,
          oldestConversationId: "c-refund",
          medianAgeMs: 30 * 60_000
        },
        {
          dimensions: { channelKind: "webchat" },
          count: 3,
          oldestAgeMs: 190_000,
          oldestConversationId: "c-webchat",
          medianAgeMs: 80_000
        },
        {
          dimensions: { channelKind: "whatsapp" },
          count: 1,
          oldestAgeMs: 45_000,
          oldestConversationId: "c-arabic",
          medianAgeMs: 45_000
        }
      ],
      breachingSoon: 3,
      active: rows.length
    }
  }

  private health(): Health {
    return {
      position: this.position,
      reactors: [
        { name: "router", position: this.position, behind: 0, stopped: null },
        { name: "sla", position: this.position - 3, behind: 3, stopped: null },
        { name: "inbox", position: this.position, behind: 0, stopped: null },
        {
          name: "metrics",
          position: this.position - 41,
          behind: 41,
          stopped: { reason: "the measures can't be stored: the disk is full", sinceMs: this.now() - 95_000 }
        }
      ],
      parked: this.parked,
      deadLetters: this.letters.length
    }
  }

  private events(request: Request, followed: string | null): Response {
    let mine: ReadableStreamDefaultController<Uint8Array> | undefined
    const stop = () => mine && this.streams.delete(mine)
    request.signal.addEventListener("abort", stop)
    const stream = new ReadableStream<Uint8Array>({
      start: (controller) => {
        mine = controller
        this.streams.set(controller, followed)
        controller.enqueue(new TextEncoder().encode(": here\n\n"))
      },
      cancel: () => void stop()
    })
    return new Response(stream, { headers: { "content-type": "text/event-stream" } })
  }
}

const picture = (): Response =>
  new Response(
    `<svg xmlns="http://www.w3.org/2000/svg" width="640" height="420"><rect width="640" height="420" fill="#dfe7f5"/><rect x="150" y="110" width="340" height="200" rx="18" fill="#fff" stroke="#9db0d0" stroke-width="6"/><path d="M150 170h340" stroke="#9db0d0" stroke-width="30"/><path d="M190 250h120M190 280h70" stroke="#c3cfe4" stroke-width="14"/></svg>`,
    { headers: { "content-type": "image/svg+xml", "x-content-type-options": "nosniff" } }
  )

/** Plausible figures that depend only on the question. */
const metrics = (query: URLSearchParams) => {
  const definition = Measures.catalog().find(({ id }) => id === query.get("measure"))
  if (!definition) throw new Error(`no measure ${query.get("measure")}`)
  const [from, to, step] = ["fromMs", "toMs", "stepMs"].map((name) => Number(query.get(name))) as [
    number,
    number,
    number
  ]
  const by = (query.get("by") ?? "").split(",").filter((name) => name !== "")
  const wave = (index: number, scale: number) =>
    Math.max(
      0,
      Math.round(scale * (1 + Math.sin(index / 2.6 - 1.4)) + ((index * 7919 + definition.id.length * 31) % 5))
    )
  const figures = (count: number, base: number) => ({
    count,
    yeses: definition.unit === "share" ? Math.round(count * 0.08) : null,
    share0to1: definition.unit === "share" && count > 0 ? (definition.id.startsWith("bot") ? 0.41 : 0.08) : null,
    meanMs: definition.unit === "ms" ? base * 1.3 : null,
    p50Ms: definition.unit === "ms" ? base : null,
    p90Ms: definition.unit === "ms" ? base * 3.1 : null,
    p95Ms: definition.unit === "ms" ? base * 4 : null,
    minMs: definition.unit === "ms" ? base / 10 : null,
    maxMs: definition.unit === "ms" ? base * 9 : null
  })
  const base =
    { "first-response-time": 154_000, "reply-time": 201_000, "resolution-time": 5_640_000 }[definition.id] ?? 60_000
  const kinds = by.includes("channelKind") ? ["email", "webchat", "whatsapp", "telegram"] : []
  const startsMs =
    step > 0 ? Array.from({ length: Math.ceil((to - from) / step) }, (_, index) => from + index * step) : []
  const valuesOf = (scale: number) =>
    startsMs.map((_, index) => (definition.unit === "ms" ? base * (0.6 + wave(index, 1) / 3) : wave(index, scale)))
  return {
    definition,
    total: figures(247, base),
    rows: kinds.map((channelKind, index) => ({
      dimensions: { channelKind },
      ...figures([132, 88, 61, 19][index]!, base)
    })),
    series:
      step > 0
        ? {
            startsMs,
            lines:
              kinds.length > 0
                ? kinds.map((channelKind, index) => ({
                    dimensions: { channelKind },
                    values: valuesOf([6, 9, 5, 2][index]!)
                  }))
                : [{ dimensions: {}, values: valuesOf(7) }]
          }
        : null
  }
}

/** Serves a fetch handler on a free port. */
export const serve = async (
  fetch: (request: Request) => Promise<Response>
): Promise<{ readonly url: string; readonly close: () => Promise<void> }> => {
  const server = createServer((incoming, outgoing) => {
    const chunks: Array<Buffer> = []
    const aborting = new AbortController()
    outgoing.on("close", () => aborting.abort())
    incoming.on("data", (chunk: Buffer) => chunks.push(chunk))
    incoming.on("end", async () => {
      const headers = new Headers()
      for (const [name, value] of Object.entries(incoming.headers))
        if (value !== undefined) headers.set(name, String(value))
      const answer = await fetch(
        new Request(`http://${incoming.headers.host}${incoming.url}`, {
          method: incoming.method ?? "GET",
          headers,
          signal: aborting.signal,
          ...(chunks.length > 0 && { body: Buffer.concat(chunks) })
        })
      )
      outgoing.writeHead(answer.status, Object.fromEntries(answer.headers))
      if (!answer.body) return outgoing.end()
      try {
        for await (const chunk of answer.body) outgoing.write(chunk)
      } finally {
        outgoing.end()
      }
    })
  })
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: async () => {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    }
  }
}
