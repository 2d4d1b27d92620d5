/**
 * What people read of a desk: the list, conversations with their contacts and files, and measures.
 *
 * @module
 */
import type { Contact, Conversation, Message } from "@switchboard/conversation"
import { type Bucket, Measures, Report } from "@switchboard/metrics"
import { SlaClock, type SlaRecord } from "@switchboard/sla"
import { Cause, Duration, Effect } from "effect"
import { NotFoundError } from "./DeskError.ts"
import type { ClockView, DeskService } from "./DeskService.ts"
import { type Environment, fromPromise, required } from "./Environment.ts"
import * as Erasure from "./Erasure.ts"
import { requirePerson } from "./Rights.ts"
import { type InboxRow, readAll } from "./Views.ts"

/** How many messages a conversation opens with. */
const detailMessages = 100

/** Of each kind a search answers with at most. */
const mostFound = 50

const toClocks = (record: SlaRecord.SlaRecord | undefined): ReadonlyArray<ClockView> =>
  (record?.clocks ?? []).flatMap((clock) =>
    clock.cycle === null
      ? []
      : [
          {
            target: clock.target,
            state: SlaClock.isFulfilled(clock) ? "fulfilled" : SlaClock.isRunning(clock) ? "running" : "paused",
            dueAtMs: clock.cycle.dueAt,
            breachedAtMs: clock.cycle.breachedAt,
            startedAtMs: clock.cycle.startedAt
          } as const
        ]
  )

/** What people read of one desk. */
export const make = ({
  settings,
  workspace
}: Environment["Service"]): Pick<
  DeskService,
  "inbox" | "search" | "conversation" | "messages" | "context" | "attachment" | "metrics" | "measures"
> => {
  const inbox: DeskService["inbox"] = Effect.fn("Desk.inbox")(function* (actor, query = {}) {
    yield* requirePerson(actor, "the inbox")
    const { active = true, assignee, limit = 50, after } = query
    return yield* fromPromise(async () => {
      const position = await workspace.head()
      const page = await workspace.query({
        view: "inbox",
        where: [
          { field: "active", equals: active },
          ...(assignee === undefined ? [] : [{ field: "assignee", equals: assignee === "" ? null : assignee }])
        ],
        order: { field: "attention", direction: active ? "ascending" : "descending" },
        ...(after && { after: { value: after.attention, key: after.key } }),
        limit: Math.min(Math.max(1, limit), 200)
      })
      return {
        rows: page.documents.map((stored) => stored.document as unknown as InboxRow),
        next: page.next ? { attention: Number(page.next.value), key: page.next.key } : null,
        position
      }
    })
  })

  const search: DeskService["search"] = Effect.fn("Desk.search")(function* (actor, { text, limit = 20 }) {
    yield* requirePerson(actor, "a search")
    const { storage } = settings.config
    if (!storage.capabilities.fullText)
      return yield* new NotFoundError({ what: "full text in this desk's storage", id: storage.name })
    const most = Math.min(Math.max(1, limit), mostFound)
    return yield* fromPromise(async () => {
      const [messages, contacts] = await Promise.all([
        workspace.search("messages", text, most),
        workspace.search("contacts", text, most)
      ])
      const said = messages.hits.map(({ document, snippet }) => ({
        ...(document as unknown as Message.Message),
        snippet
      }))
      const rows = await workspace.documents(
        "inbox",
        said.map(({ conversationId }) => conversationId)
      )
      return {
        messages: said.map(({ id, conversationId, direction, recordedAtMs, snippet }, index) => ({
          messageId: id,
          conversationId,
          direction,
          recordedAtMs,
          snippet,
          row: (rows[index]?.document as InboxRow | undefined) ?? null
        })),
        contacts: contacts.hits.map(({ document, snippet }) => {
          const { id, mergedInto, name } = document as unknown as Contact.Contact
          return { contactId: mergedInto ?? id, name: name ?? "", snippet }
        }),
        behind: messages.behind + contacts.behind
      }
    })
  })

  const messagesBefore = async (
    conversationId: string,
    beforeSequence: number,
    limit: number
  ): Promise<ReadonlyArray<Message.Message>> => {
    const page = await workspace.query({
      view: "messages",
      where: [
        { field: "conversationId", equals: conversationId },
        { field: "sequence", below: beforeSequence }
      ],
      order: { field: "sequence", direction: "descending" },
      limit
    })
    return page.documents.map((stored) => stored.document as unknown as Message.Message).toReversed()
  }

  const conversation: DeskService["conversation"] = Effect.fn("Desk.conversation")(function* (actor, conversationId) {
    yield* requirePerson(actor, "a conversation")
    const found = yield* required<Conversation.Conversation>(workspace, "conversations", "conversation", conversationId)
    return yield* fromPromise(async () => {
      const position = await workspace.head()
      const person = await Erasure.personOf(workspace, found.contactId)
      const [messages, row, contacts, record, others] = await Promise.all([
        messagesBefore(found.id, Number.MAX_SAFE_INTEGER, detailMessages),
        workspace.document("inbox", found.id),
        workspace.documents("contacts", person),
        workspace.document("slaRecords", found.id),
        workspace.query({
          view: "conversations",
          where: [{ field: "contactId", in: person }],
          order: { field: "openedAtMs", direction: "descending" },
          limit: 21
        })
      ])
      const [contact, ...merged] = contacts.map((stored) => stored?.document as Contact.Contact | undefined)
      return {
        conversation: found,
        row: (row?.document as InboxRow | undefined) ?? null,
        contact: contact ?? null,
        merged: merged.filter((one) => one !== undefined),
        messages,
        hasEarlier: (messages[0]?.sequence ?? 1) > 1,
        others: others.documents
          .map((stored) => stored.document as unknown as Conversation.Conversation)
          .filter((other) => other.id !== found.id)
          .slice(0, 20),
        clocks: toClocks(record?.document as SlaRecord.SlaRecord | undefined),
        position
      }
    })
  })

  const messages: DeskService["messages"] = Effect.fn("Desk.messages")(function* (actor, id, beforeSequence, limit) {
    yield* requirePerson(actor, "messages")
    return yield* fromPromise(() => messagesBefore(id, beforeSequence, Math.min(Math.max(1, limit), 200)))
  })

  const context: DeskService["context"] = Effect.fn("Desk.context")(function* (actor, contactId) {
    yield* requirePerson(actor, "a contact's card")
    const contact = yield* required<Contact.Contact>(workspace, "contacts", "contact", contactId)
    const provider = settings.config.contextProvider
    if (!provider) return { state: "none", provider: null, facts: [] } as const
    return yield* Effect.tryPromise({ try: (signal) => provider.facts(contact, signal), catch: (cause) => cause }).pipe(
      Effect.map((facts) => ({ state: "ready", provider: provider.name, facts }) as const),
      Effect.timeoutOrElse({
        duration: Duration.millis(provider.deadlineMs),
        orElse: () => Effect.succeed({ state: "late", provider: provider.name, facts: [] } as const)
      }),
      Effect.catchCause((cause) =>
        Effect.as(Effect.logWarning(`${provider.name}: ${String(Cause.squash(cause))}`), {
          state: "failed",
          provider: provider.name,
          facts: []
        } as const)
      )
    )
  })

  const attachment: DeskService["attachment"] = Effect.fn("Desk.attachment")(
    function* (actor, messageId, attachmentId) {
      yield* requirePerson(actor, "an attachment")
      const message = yield* required<Message.Message>(workspace, "messages", "message", messageId)
      const found = message.attachments.find((one) => one.id === attachmentId)
      const bytes =
        found?.blobKey === undefined
          ? undefined
          : yield* fromPromise(() => settings.config.blobs.get(workspace.id, found.blobKey!))
      if (!found || !bytes) return yield* new NotFoundError({ what: "attachment", id: attachmentId })
      return { attachment: found, bytes }
    }
  )

  const metrics: DeskService["metrics"] = Effect.fn("Desk.metrics")(function* (actor, query) {
    yield* requirePerson(actor, "measures")
    const measure = Measures.all.find((one) => one.id === query.measure)
    if (!measure) return yield* new NotFoundError({ what: "measure", id: query.measure })
    const hour = (ms: number) => new Date(ms).toISOString().slice(0, 13)
    return yield* fromPromise(async () => {
      const stored = await readAll(workspace, {
        view: "metricBuckets",
        where: [
          { field: "measure", equals: measure.id },
          { field: "hour", atLeast: hour(query.fromMs), below: hour(query.toMs + 3_599_999) }
        ],
        order: { field: "hour", direction: "ascending" }
      })
      const buckets = stored.map((one) => one.document as unknown as Bucket.Bucket)
      const { stepMs, by = [] } = query
      const range = { measure, fromMs: query.fromMs, toMs: query.toMs }
      return {
        definition: Measures.catalog([measure])[0]!,
        total: Report.toTotal(buckets, range),
        rows: by.length === 0 ? [] : Report.toRows(buckets, { ...range, by }),
        series:
          stepMs === undefined
            ? null
            : Report.toSeries(
                buckets,
                { measure, by, edgesMs: Report.toEdges(query.fromMs, query.toMs, stepMs) },
                measure.unit === "ms" ? "p50Ms" : measure.unit === "share" ? "share0to1" : "count"
              )
      }
    })
  })

  return { inbox, search, conversation, messages, context, attachment, metrics, measures: () => Measures.catalog() }
}
