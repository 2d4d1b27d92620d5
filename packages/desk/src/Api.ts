/**
 * The operations of the JSON API, as one table.
 *
 * @module
 */
import { Buffer } from "node:buffer"
import { Agent, Attachment, ConversationCommand as Commands, Contact, Id, Message } from "@switchboard/conversation"
import { Presence } from "@switchboard/routing"
import { Effect, Stream } from "effect"
import * as z from "zod"
import * as Answers from "./Answers.ts"
import type { ReplyInput } from "./DeskService.ts"
import { invalid, refuse } from "./ProblemDetails.ts"
import { type Route, make as route } from "./Route.ts"
import type { ServerSentEvent } from "./ServerSentEvents.ts"

const json = <S extends z.ZodType>(schema: S) => ({ kind: "json", schema }) as const
const nothing = { kind: "nothing" } as const

/** Whole numbers of a query: text there, and a number from here on. */
const whole = (least: number, most: number) =>
  z.preprocess(
    (text) => (typeof text === "string" && /^-?\d{1,16}$/.test(text) ? Number(text) : text),
    z.number().int().min(least).max(most)
  )
const instant = whole(0, 8_640_000_000_000_000)
const yesNo = z.enum(["true", "false"]).transform((text) => text === "true")
const list = z.string().transform((text) => (text === "" ? [] : text.split(",")))
const cursor = z
  .string()
  .regex(/^-?\d+(\.\d+)?,.+$/, "expected <attention>,<key> of a page's next")
  .transform((text) => {
    const comma = text.indexOf(",")
    return { attention: Number(text.slice(0, comma)), key: text.slice(comma + 1) }
  })

const conversation = z.strictObject({ id: Id.ConversationId })
const contact = z.strictObject({ id: Id.ContactId })
const agent = z.strictObject({ id: Id.AgentId })
const some = z.strictObject({ id: z.string().max(256) })

/**
 * What people write to a contact. HTML is not among it: what is kept as HTML came from outside and was made safe on the
 * way in.
 */
const Written = z.discriminatedUnion("kind", [
  Message.TextPart,
  Message.LocationPart,
  Message.ContactCardPart,
  Message.ChoicesPart,
  Message.TemplatePart
])

const base64 = z.string().transform((text, context) => {
  if (text.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(text)) return new Uint8Array(Buffer.from(text, "base64"))
  context.issues.push({ code: "custom", message: "expected base64 with padding", input: text })
  return z.NEVER
})

/**
 * A reply to the contact.
 *
 * **Shape** `attachments` carry their bytes as base64. With `fence`, it is refused when control has changed since.
 */
export const Reply = z
  .strictObject({
    parts: z.array(Written).max(100),
    threadId: Id.ThreadId.exactOptional(),
    attachments: z
      .array(
        z.strictObject({ name: z.string().min(1).max(512), mediaType: Attachment.Attachment.shape.mediaType, base64 })
      )
      .max(20)
      .exactOptional(),
    purpose: Message.Purpose.exactOptional(),
    replyTo: Id.MessageId.exactOptional(),
    fence: z.number().int().nonnegative().exactOptional()
  })
  .refine((reply) => reply.parts.length + (reply.attachments?.length ?? 0) > 0, {
    path: ["parts"],
    message: "expected something to say, or an attachment"
  })

/** A note to colleagues. */
export const Note = z.strictObject({
  text: z.string().min(1).max(200_000),
  mentions: z.array(Message.Mention).max(50).exactOptional()
})

/**
 * The commands that people and programs may give a conversation. Messages and notes have operations of their own, and only
 * the desk reports what came from outside.
 */
export const Command = z.discriminatedUnion("type", [
  Commands.AddThread,
  Commands.EditMessage.extend({
    parts: z
      .array(z.discriminatedUnion("kind", [...Written.options, Message.AttachmentPart]))
      .min(1)
      .max(100)
  }),
  Commands.DeleteMessage,
  Commands.AddReaction,
  Commands.RemoveReaction,
  Commands.RetryDelivery,
  Commands.MarkRead,
  Commands.WaitForContact,
  Commands.SnoozeConversation,
  Commands.WakeConversation,
  Commands.ResolveConversation,
  Commands.ReopenConversation,
  Commands.CloseConversation,
  Commands.GiveControl,
  Commands.HandOff,
  Commands.TransferConversation,
  Commands.SetPriority,
  Commands.AddTag,
  Commands.RemoveTag,
  Commands.SetAttributes,
  Commands.SetSubject,
  Commands.AddParticipant,
  Commands.RemoveParticipant,
  Commands.LinkConversation,
  Commands.UnlinkConversation,
  Commands.MergeConversation,
  Commands.UndoMerge,
  Commands.EraseContent
])

const inboxQuery = z.strictObject({
  /** Empty for what nobody has. */
  assignee: z.string().max(128).exactOptional(),
  active: yesNo.exactOptional(),
  limit: whole(1, 200).exactOptional(),
  after: cursor.exactOptional()
})

/**
 * What a browser may do with an attachment's bytes: pictures other than SVG, sound, film and PDF are shown, everything
 * else is only saved, under a type that no browser interprets.
 *
 * **Gotchas** PDF goes without `sandbox`: Chromium doesn't start its viewer, which is isolated anyway, in a sandbox.
 */
export const toAttachmentHeaders = (attachment: Attachment.Attachment): Readonly<Record<string, string>> => {
  const mediaType = attachment.mediaType.toLowerCase().split(";")[0]!.trim()
  const isPdf = mediaType === "application/pdf"
  const isShown = isPdf || /^(?:image\/(?!svg)|audio\/|video\/)[\w.+-]+$/.test(mediaType)
  const name = (attachment.name ?? "attachment").toWellFormed()
  const plain = name.replace(/[^\x20-\x7e]|["\\%]/g, "_")
  const encoded = encodeURIComponent(name).replace(
    /['()*]/g,
    (one) => `%${one.charCodeAt(0).toString(16).toUpperCase()}`
  )
  return {
    "content-type": isShown ? mediaType : "application/octet-stream",
    "content-disposition": `${isShown ? "inline" : "attachment"}; filename="${plain}"; filename*=UTF-8''${encoded}`,
    "content-security-policy": isPdf ? "frame-ancestors 'self'" : "default-src 'none'; sandbox",
    ...(attachment.sizeBytes !== undefined && { "content-length": String(attachment.sizeBytes) })
  }
}

const toDownload = (mediaType: string, name: string): Readonly<Record<string, string>> => ({
  ...toAttachmentHeaders({ id: Id.AttachmentId.parse("download"), name, mediaType, state: "stored" }),
  "content-type": mediaType
})

const inbox = {
  method: "GET",
  query: inboxQuery,
  returns: json(Answers.InboxPage)
} as const

/** Every operation. */
export const routes: ReadonlyArray<Route> = [
  route({
    method: "GET",
    path: "/api/me",
    operationId: "getMe",
    summary: "Who calls, with which rights",
    returns: json(Answers.Me),
    handle: ({ caller: { actor, expiresAtMs }, settings }) =>
      Effect.succeed({
        actor,
        agent: (actor.kind === "agent" ? settings.agents.get(actor.id) : undefined) ?? null,
        workspace: settings.workspace,
        expiresAtMs
      })
  }),
  route({
    ...inbox,
    path: "/api/inbox",
    operationId: "getInbox",
    summary: "A page of the list, what needs attention first; an empty assignee asks for what nobody has",
    handle: ({ desk, caller, query }) => desk.inbox(caller.actor, query)
  }),
  route({
    method: "GET",
    path: "/api/search",
    operationId: "search",
    summary: "Messages and contacts by the words of a text, the last word as a beginning",
    query: z.strictObject({ text: z.string().min(1).max(512), limit: whole(1, 50).exactOptional() }),
    returns: json(Answers.SearchAnswer),
    handle: ({ desk, caller, query }) => desk.search(caller.actor, query)
  }),
  route({
    ...inbox,
    path: "/api/conversations",
    operationId: "listConversations",
    summary: "The conversations, as rows of the list",
    handle: ({ desk, caller, query }) => desk.inbox(caller.actor, query)
  }),
  route({
    method: "GET",
    path: "/api/conversations/{id}",
    operationId: "getConversation",
    summary: "Everything an agent sees on opening a conversation",
    params: conversation,
    returns: json(Answers.ConversationDetail),
    handle: ({ desk, caller, params }) => desk.conversation(caller.actor, params.id)
  }),
  route({
    method: "GET",
    path: "/api/conversations/{id}/messages",
    operationId: "listMessages",
    summary: "Messages before a sequence number, the latest of them",
    params: conversation,
    query: z.strictObject({
      before: whole(1, Number.MAX_SAFE_INTEGER).exactOptional(),
      limit: whole(1, 200).exactOptional()
    }),
    returns: json(z.array(Message.Message) as z.ZodType<ReadonlyArray<Message.Message>>),
    handle: ({ desk, caller, params, query: { before = Number.MAX_SAFE_INTEGER, limit = 50 } }) =>
      desk.messages(caller.actor, params.id, before, limit)
  }),
  route({
    method: "POST",
    path: "/api/conversations/{id}/replies",
    operationId: "reply",
    summary: "Writes to the contact",
    command: true,
    params: conversation,
    body: Reply,
    returns: json(Answers.CommandAnswer),
    handle: ({ desk, settings, caller, params, body: { attachments, ...reply }, options }) => {
      const limitBytes = settings.limits.attachmentBytes
      const tooLarge = attachments?.find((one) => one.base64.byteLength > limitBytes)
      if (tooLarge) {
        const { name, base64 } = tooLarge
        const detail = `${name} has ${base64.byteLength} bytes, ${limitBytes} are allowed; send a smaller file`
        return Effect.fail(
          refuse(413, "attachmentTooLarge", detail, { name, sizeBytes: base64.byteLength, limitBytes })
        )
      }
      const input: ReplyInput = {
        ...reply,
        ...(attachments && {
          attachments: attachments.map(({ name, mediaType, base64: bytes }) => ({ name, mediaType, bytes }))
        })
      }
      return desk.reply(caller.actor, params.id, input, options)
    }
  }),
  route({
    method: "POST",
    path: "/api/conversations/{id}/notes",
    operationId: "addNote",
    summary: "Writes to colleagues",
    command: true,
    params: conversation,
    body: Note,
    returns: json(Answers.CommandAnswer),
    handle: ({ desk, caller, params, body, options }) => desk.note(caller.actor, params.id, body, options)
  }),
  route({
    method: "POST",
    path: "/api/conversations/{id}/commands",
    operationId: "commandConversation",
    summary: "Gives a conversation a command: resolve, snooze, transfer, tag, and so on",
    command: true,
    params: conversation,
    body: Command,
    returns: json(Answers.CommandAnswer),
    handle: ({ desk, caller, params, body, options }) => desk.execute(caller.actor, params.id, body, options)
  }),
  route({
    method: "POST",
    path: "/api/conversations/{id}/pick",
    operationId: "pickConversation",
    summary: "Takes a waiting conversation",
    params: conversation,
    returns: nothing,
    handle: ({ desk, caller, params }) => desk.pick(caller.actor, params.id)
  }),
  route({
    method: "POST",
    path: "/api/conversations/{id}/assign",
    operationId: "assignConversation",
    summary: "Gives a conversation to an agent",
    role: "supervisor",
    params: conversation,
    body: z.strictObject({ agentId: Id.AgentId }),
    returns: nothing,
    handle: ({ desk, caller, params, body }) => desk.assign(caller.actor, params.id, body.agentId)
  }),
  route({
    method: "GET",
    path: "/api/conversations/{id}/explanation",
    operationId: "explainConversation",
    summary: "Why a conversation waits, or null when routing doesn't hold it",
    params: conversation,
    returns: json(Answers.ItemExplanation.nullable()),
    handle: ({ desk, caller, params }) => desk.explain(caller.actor, params.id)
  }),
  route({
    method: "GET",
    path: "/api/conversations/{id}/audit",
    operationId: "auditConversation",
    summary: "A conversation as it stood at an instant, and every change up to then with its actor and cause",
    role: "supervisor",
    params: conversation,
    query: z.strictObject({ atMs: instant.exactOptional() }),
    returns: json(Answers.Audit),
    handle: ({ desk, caller, params, query }) => desk.audit(caller.actor, params.id, query)
  }),
  route({
    method: "GET",
    path: "/api/contacts/{id}/context",
    operationId: "getContext",
    summary: "What the application's own systems know about a contact",
    params: contact,
    returns: json(Answers.ContextAnswer),
    handle: ({ desk, caller, params }) => desk.context(caller.actor, params.id)
  }),
  route({
    method: "POST",
    path: "/api/contacts/{id}/commands",
    operationId: "commandContact",
    summary: "Gives a contact a command: create, update, merge, record a consent, and so on",
    command: true,
    params: contact,
    body: Contact.ContactCommand,
    returns: json(Answers.ContactAnswer),
    handle: ({ desk, caller, params, body, options }) =>
      body.type === "CreateContact" && body.contactId !== params.id
        ? Effect.fail(
            invalid([{ field: "body.contactId", expected: `the path's ${params.id}`, found: body.contactId }])
          )
        : desk.executeOnContact(caller.actor, params.id, body, options)
  }),
  route({
    method: "DELETE",
    path: "/api/contacts/{id}",
    operationId: "eraseContact",
    summary: "Removes everything personal to a contact, for good",
    role: "administrator",
    params: contact,
    returns: json(Answers.Erased),
    handle: ({ desk, caller, params }) => desk.erase(caller.actor, params.id)
  }),
  route({
    method: "GET",
    path: "/api/contacts/{id}/export",
    operationId: "exportContact",
    summary: "Everything that is kept of a contact, as a ZIP with contact.json and their files",
    role: "administrator",
    params: contact,
    returns: { kind: "bytes", mediaType: "application/zip" },
    handle: ({ desk, caller, params }) =>
      Effect.map(desk.exportContact(caller.actor, params.id), ({ name, bytes }) => ({
        headers: toDownload("application/zip", name),
        bytes
      }))
  }),
  route({
    method: "GET",
    path: "/api/messages/{id}/attachments/{attachmentId}",
    operationId: "getAttachment",
    summary: "An attachment's bytes",
    params: z.strictObject({ id: Id.MessageId, attachmentId: Id.AttachmentId }),
    returns: { kind: "bytes" },
    handle: ({ desk, caller, params }) =>
      Effect.map(desk.attachment(caller.actor, params.id, params.attachmentId), ({ attachment, bytes }) => ({
        headers: toAttachmentHeaders(attachment),
        bytes
      }))
  }),
  route({
    method: "GET",
    path: "/api/offers",
    operationId: "listOffers",
    summary: "What is offered to the calling agent",
    returns: json(z.array(Answers.OfferView).readonly()),
    handle: ({ desk, caller }) => desk.offers(caller.actor)
  }),
  route({
    method: "POST",
    path: "/api/offers/{id}/accept",
    operationId: "acceptOffer",
    summary: "Accepts an offer",
    params: some,
    returns: nothing,
    handle: ({ desk, caller, params }) => desk.acceptOffer(caller.actor, params.id)
  }),
  route({
    method: "POST",
    path: "/api/offers/{id}/decline",
    operationId: "declineOffer",
    summary: "Declines an offer",
    params: some,
    body: z.strictObject({ reason: z.string().max(256).exactOptional() }).optional(),
    returns: nothing,
    handle: ({ desk, caller, params, body }) => desk.declineOffer(caller.actor, params.id, body?.reason)
  }),
  route({
    method: "PUT",
    path: "/api/agents/{id}/presence",
    operationId: "setPresence",
    summary: "Says what an agent is available for",
    params: agent,
    body: z.strictObject({ status: Presence.Status, reason: z.string().max(128).exactOptional() }),
    returns: nothing,
    handle: ({ desk, caller, params, body }) => desk.setPresence(caller.actor, params.id, body.status, body.reason)
  }),
  route({
    method: "GET",
    path: "/api/agents",
    operationId: "listAgents",
    summary: "Everybody who works here",
    returns: json(z.array(Agent.Agent)),
    handle: ({ settings }) => Effect.succeed([...settings.agents.values()])
  }),
  route({
    method: "GET",
    path: "/api/teams",
    operationId: "listTeams",
    summary: "The teams",
    returns: json(z.array(Agent.Team)),
    handle: ({ settings }) => Effect.succeed([...settings.teams.values()])
  }),
  route({
    method: "GET",
    path: "/api/channels",
    operationId: "listChannels",
    summary: "The connected channels and what each can do",
    returns: json(z.array(Answers.ChannelView).readonly()),
    handle: ({ settings }) =>
      Effect.sync(() =>
        [...settings.channels.values()].map(({ kind, capabilities, accounts }) => ({
          kind,
          capabilities,
          accounts: accounts.map(({ id, name }) => ({ id, name }))
        }))
      )
  }),
  route({
    method: "GET",
    path: "/api/board",
    operationId: "getBoard",
    summary: "The live board: agents, queues, who waits",
    returns: json(Answers.Board),
    handle: ({ desk, caller }) => desk.board(caller.actor)
  }),
  route({
    method: "GET",
    path: "/api/measures",
    operationId: "listMeasures",
    summary: "The exact definition behind every number",
    returns: json(z.array(Answers.Definition).readonly()),
    handle: ({ desk }) => Effect.sync(() => desk.measures())
  }),
  route({
    method: "GET",
    path: "/api/metrics",
    operationId: "getMetrics",
    summary: "The figures of a measure over a range, split by dimensions and in steps when asked",
    query: z
      .strictObject({
        measure: z.string().max(128),
        fromMs: instant,
        toMs: instant,
        stepMs: whole(3_600_000, 8_640_000_000_000_000).exactOptional(),
        by: list.exactOptional()
      })
      .refine((query) => query.fromMs < query.toMs, { path: ["toMs"], message: "expected a time after fromMs" })
      .refine((query) => query.stepMs === undefined || (query.toMs - query.fromMs) / query.stepMs <= 10_000, {
        path: ["stepMs"],
        message: "expected at most 10000 steps in the range"
      }),
    returns: json(Answers.MetricsAnswer),
    handle: ({ desk, caller, query }) => desk.metrics(caller.actor, query)
  }),
  route({
    method: "GET",
    path: "/api/dead-letters",
    operationId: "listDeadLetters",
    summary: "Input that could not be used",
    returns: json(z.array(Answers.DeadLetter).readonly()),
    handle: ({ desk, caller }) => desk.deadLetters(caller.actor)
  }),
  route({
    method: "POST",
    path: "/api/dead-letters/{id}/redrive",
    operationId: "redriveDeadLetter",
    summary: "Tries a dead letter again",
    role: "supervisor",
    params: some,
    returns: json(Answers.Redriven),
    handle: ({ desk, caller, params }) => desk.redrive(caller.actor, params.id)
  }),
  route({
    method: "GET",
    path: "/api/health",
    operationId: "getHealth",
    summary: "What the desk is doing inside",
    returns: json(Answers.Health),
    handle: ({ desk, caller }) => desk.health(caller.actor)
  }),
  route({
    method: "POST",
    path: "/api/parked/retry",
    operationId: "retryParked",
    summary: "Lets a reactor read a stream again that it has parked",
    role: "supervisor",
    body: z.strictObject({ reactor: z.string().min(1).max(64), stream: z.string().min(1).max(512) }),
    returns: json(Answers.Redriven),
    handle: ({ desk, caller, body }) => desk.retryParked(caller.actor, body.reactor, body.stream)
  }),
  route({
    method: "POST",
    path: "/api/conversations/{id}/typing",
    operationId: "setTyping",
    summary: "Says that the calling agent types, or stopped; the contact sees it",
    params: conversation,
    body: z.strictObject({ typing: z.boolean() }),
    returns: nothing,
    handle: ({ desk, caller, params, body }) => desk.typing(caller.actor, params.id, body.typing)
  }),
  route({
    method: "GET",
    path: "/api/events",
    operationId: "followChanges",
    summary:
      "What changes, live: after a position, after Last-Event-ID, or from now on; with a conversation also when its contact types",
    query: z.strictObject({
      after: whole(0, Number.MAX_SAFE_INTEGER).exactOptional(),
      conversation: Id.ConversationId.exactOptional()
    }),
    returns: { kind: "events", schema: z.union([Answers.Change, Answers.ContactTyping]) },
    handle: ({ desk, caller: { actor }, query, headers }) =>
      Effect.gen(function* () {
        const last = headers.get("last-event-id")
        if (last && !/^\d{1,16}$/.test(last)) {
          return yield* invalid([{ field: "last-event-id", expected: "a position", found: JSON.stringify(last) }])
        }
        // A browser that reconnects repeats the address it began with, so its last id is the newer of the two.
        const after = last ? Number(last) : (query.after ?? (yield* desk.inbox(actor, { limit: 1 })).position)
        const changes = Stream.map(
          desk.changes(actor, after),
          (change): ServerSentEvent => ({ id: String(change.position), data: change })
        )
        const { conversation } = query
        return Stream.concat(
          // The client learns where it stands before anything happens, so that it loses nothing when the line breaks.
          Stream.succeed<ServerSentEvent>({ id: String(after) }),
          conversation === undefined
            ? changes
            : Stream.merge(
                changes,
                // Without an id: it is no place to resume from.
                Stream.map(
                  desk.contactTyping(actor, conversation),
                  ({ typing }): ServerSentEvent => ({
                    event: "typing",
                    data: { conversationId: conversation, typing }
                  })
                )
              )
        )
      })
  })
]
