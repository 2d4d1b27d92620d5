/**
 * Makes of a conversation the work item that its pool places.
 *
 * A rule of placement may look at what is personal, such as the words of the first message or the contact's attributes.
 * The item keeps only what the rule says: the pool's documents and decisions belong to no person, so that an erasure
 * need not look for anybody there.
 *
 * @module
 */
import { type Contact, type Conversation, type Id, Message } from "@switchboard/conversation"
import { type Attributes, Placement, Requirement, WorkItem } from "@switchboard/routing"
import { SlaRecord } from "@switchboard/sla"
import type { Storage } from "@switchboard/storage"
import { mainQueue, priorities, type Settings } from "./DeskConfig.ts"
import { personOf, survivorOf } from "./Erasure.ts"

type Reads = Pick<Storage.Reads, "document" | "query">

/** How many earlier conversations of a contact say who knows them, and how many messages may come before the first word. */
const mostEarlier = 20
const mostBefore = 10

/** What a desk makes work items with. What the rules don't look at is not read. */
export interface WorkItems {
  readonly toItem: (conversation: Conversation.Conversation, atMs: number, reads: Reads) => Promise<WorkItem.WorkItem>
  readonly priorityOf: (conversation: Conversation.Conversation, reads: Reads) => Promise<number>
  /** By when the promise that ends first has to be kept; always `undefined` where the order doesn't look at it. */
  readonly dueOf: (conversationId: string, reads: Reads) => Promise<number | undefined>
  readonly isByDue: boolean
  readonly comparesTags: boolean
}

const toRequirement = (wanted: Conversation.Wanted): Requirement.Requirement | undefined => {
  const parts = [
    ...(wanted.teamId === undefined ? [] : [Requirement.team(wanted.teamId)]),
    ...Object.entries(wanted.skills ?? {}).map(([skill, level]) => Requirement.skill(skill, level)),
    ...(wanted.languages === undefined ? [] : [Requirement.any(...wanted.languages.map(Requirement.language))])
  ]
  return parts.length === 0 ? undefined : Requirement.all(...parts)
}

const looksAt = (condition: Placement.Condition, kind: Placement.Condition["kind"]): boolean => {
  switch (condition.kind) {
    case "all":
    case "any":
      return condition.of.some((part) => looksAt(part, kind))
    case "not":
      return looksAt(condition.of, kind)
    default:
      return condition.kind === kind
  }
}

/** The names of the item's attributes that anything asked of an agent compares. */
const comparedBy = ({ routing, placement }: Pick<Settings, "routing" | "placement">): ReadonlySet<string> => {
  const targets = placement === undefined ? [] : Placement.targetsOf(placement)
  const asked = [...routing.queues, ...targets].flatMap(({ requirement, relaxation = [] }) => [
    ...(requirement === undefined ? [] : [requirement]),
    ...relaxation.map((row) => row.requirement)
  ])
  return new Set(asked.flatMap(Requirement.itemAttributesOf))
}

const firstWords = async (conversation: Conversation.Conversation, reads: Reads): Promise<string | undefined> => {
  const { documents } = await reads.query({
    view: "messages",
    where: [{ field: "conversationId", equals: conversation.id }],
    order: { field: "sequence", direction: "ascending" },
    limit: mostBefore
  })
  const first = documents
    .map(({ document }) => document as unknown as Message.Message)
    .find(({ direction }) => direction === "in")
  const words = [conversation.subject ?? "", first === undefined ? "" : Message.toText(first.parts)]
  return words.every((each) => each === "") ? undefined : words.join("\n")
}

/** How this desk makes work items. */
export const make = (settings: Pick<Settings, "routing" | "placement" | "limits">): WorkItems => {
  const { routing, placement, limits } = settings
  const compared = comparedBy(settings)
  const isByDue = routing.order.some(({ by }) => by === "earliestDue" || by === "leastSlack")
  const isSticky = routing.choice.some(({ by }) => by === "sticky")
  const ruleLooksAt = (kind: Placement.Condition["kind"]): boolean =>
    placement?.rules.some(({ when }) => looksAt(when, kind)) ?? false
  const looksAtWords = ruleLooksAt("words")
  const looksAtContact = ruleLooksAt("contact") || ruleLooksAt("phoneNumber")

  const contactOf = async (id: Id.ContactId, reads: Reads): Promise<Contact.Contact | undefined> =>
    (await reads.document("contacts", await survivorOf(reads, id)))?.document as Contact.Contact | undefined

  const factsOf = async (conversation: Conversation.Conversation, reads: Reads): Promise<Placement.Facts> => {
    const [text, contact] = await Promise.all([
      looksAtWords ? firstWords(conversation, reads) : undefined,
      looksAtContact ? contactOf(conversation.contactId, reads) : undefined
    ])
    const thread = conversation.threads[0]
    const phone = contact?.addresses.find(({ kind }) => kind === "phone")
    return {
      atMs: conversation.openedAtMs,
      ...(thread && { channelKind: thread.channelKind, accountId: thread.accountId }),
      ...(text !== undefined && { text }),
      topics: conversation.tags,
      ...(contact && { contact: contact.attributes }),
      ...(conversation.language !== undefined && { language: conversation.language }),
      ...(phone && { phoneNumber: phone.value })
    }
  }

  const placedOf = async (
    conversation: Conversation.Conversation,
    reads: Reads
  ): Promise<Placement.Placed | undefined> =>
    placement && Placement.place(placement, await factsOf(conversation, reads))

  /** The latest first. */
  const knownByOf = async (
    { id, contactId }: Conversation.Conversation,
    reads: Reads
  ): Promise<ReadonlyArray<string>> => {
    const earlier: Array<Conversation.Conversation> = []
    for (const one of await personOf(reads, contactId)) {
      const { documents } = await reads.query({
        view: "conversations",
        where: [{ field: "contactId", equals: one }],
        order: { field: "openedAtMs", direction: "descending" },
        limit: mostEarlier
      })
      for (const { document } of documents) earlier.push(document as unknown as Conversation.Conversation)
    }
    const agents = earlier
      .filter((one) => one.id !== id)
      .sort((a, b) => b.openedAtMs - a.openedAtMs || (a.id < b.id ? -1 : 1))
      .flatMap(({ participants }) =>
        participants.flatMap((one) => (one.role === "agent" ? [one.agentId as string] : [])).toReversed()
      )
    return [...new Set(agents)]
  }

  const dueOf: WorkItems["dueOf"] = async (conversationId, reads) => {
    if (!isByDue) return undefined
    const record = (await reads.document("slaRecords", conversationId))?.document as SlaRecord.SlaRecord | undefined
    return record && SlaRecord.nextDue(record)?.dueAt
  }

  const toPriority = ({ priority }: Conversation.Conversation, placed: Placement.Placed | undefined): number =>
    priority === "normal" ? (placed?.priority ?? priorities.normal) : priorities[priority]

  const attributesOf = ({ tags, language, threads }: Conversation.Conversation): Attributes.Attributes => {
    const accountId = threads[0]?.accountId
    return {
      ...(compared.has("tags") && { tags }),
      ...(compared.has("language") && language !== undefined && { language }),
      ...(compared.has("accountId") && accountId !== undefined && { accountId })
    }
  }

  const toItem: WorkItems["toItem"] = async (conversation, atMs, reads) => {
    const [placed, dueAtMs, knownBy] = await Promise.all([
      placedOf(conversation, reads),
      dueOf(conversation.id, reads),
      isSticky ? knownByOf(conversation, reads) : []
    ])
    const wanted = conversation.wanted ?? {}
    const { teamId } = wanted
    const team = routing.queues.find(({ queueId }) => queueId === teamId)
    // What somebody asked for by name counts before what the rules make of it.
    const requirement = toRequirement(wanted)
    const asked = requirement ? { requirement } : placed
    const attributes = { ...attributesOf(conversation), ...placed?.attributes }
    return WorkItem.make({
      itemId: conversation.id,
      queueId: team?.queueId ?? placed?.queueId ?? mainQueue,
      channelKind: conversation.threads.at(-1)?.channelKind ?? "",
      priority: toPriority(conversation, placed),
      arrivedAtMs: conversation.waitingSinceMs ?? atMs,
      ...(placed?.weight !== undefined && { weight: placed.weight }),
      ...(asked?.requirement && { requirement: asked.requirement }),
      ...(asked === placed && placed?.relaxation && { relaxation: placed.relaxation }),
      ...(Object.keys(attributes).length > 0 && { attributes }),
      ...(dueAtMs !== undefined && { dueAtMs }),
      ...(knownBy.length > 0 && { knownBy }),
      ...(wanted.agentId !== undefined && {
        preferredAgent: wanted.agentId,
        preferredUntilMs: atMs + limits.preferredAgentMs
      })
    })
  }

  return {
    toItem,
    priorityOf: async (conversation, reads) => toPriority(conversation, await placedOf(conversation, reads)),
    dueOf,
    isByDue,
    comparesTags: compared.has("tags")
  }
}
