/** Why a conversation stands where it does, in sentences. Everything takes its instant as an argument. */
import type { Conversation } from "@switchboard/conversation"
import type { ClockView, ConversationDetail } from "@switchboard/desk/DeskService"
import type { Explanation, Overtaking, Requirement } from "@switchboard/routing"
import { lookOf } from "../Channels.tsx"
import { type Directory, holderName } from "../Directory.ts"
import { toCountdown, toDate, toDuration, toLanguage, toTime, toWords } from "../Format.ts"

type Explained = Explanation.ItemExplanation

const join = (words: ReadonlyArray<string>, last: string): string =>
  words.length < 2 ? words.join("") : `${words.slice(0, -1).join(", ")} ${last} ${words.at(-1)}`

/** Times of today without their day. */
const toMoment = (ms: number, now: number): string => (Math.abs(ms - now) < 12 * 3_600_000 ? toTime(ms) : toDate(ms))

const comparisons = {
  equals: "is",
  in: "is one of",
  above: "is above",
  atLeast: "is at least",
  below: "is below",
  atMost: "is at most",
  startsWith: "starts with",
  contains: "contains"
} as const

const toComparison = ({ attribute, test, value }: Requirement.Comparison): string => {
  const than =
    typeof value !== "object"
      ? String(value)
      : "itemAttribute" in value
        ? `the conversation's ${toWords(value.itemAttribute).toLowerCase()}`
        : join(value.map(String), "or")
  return `${toWords(attribute).toLowerCase()} that ${comparisons[test]} ${than}`
}

const toRequirement = (requirement: Requirement.Requirement, directory: Directory): string => {
  switch (requirement.kind) {
    case "skill":
      return `${toWords(requirement.skill).toLowerCase()} at level ${requirement.atLeast}`
    case "team":
      return `the team ${directory.teamName(requirement.team)}`
    case "language":
      return toLanguage(requirement.language)
    case "agents":
      return join(requirement.agents.map(directory.agentName), "or")
    case "all":
      return join(
        requirement.of.map((part) => toRequirement(part, directory)),
        "and"
      )
    case "any":
      return join(
        requirement.of.map((part) => toRequirement(part, directory)),
        "or"
      )
    case "attribute":
      return toComparison(requirement)
    case "atLeast":
      return `${requirement.count} of ${join(
        requirement.of.map((part) => toRequirement(part, directory)),
        "and"
      )}`
    case "not":
      return `anybody but ${toRequirement(requirement.of, directory)}`
  }
}

const toLack = (requirement: Requirement.Requirement, directory: Directory): string => {
  switch (requirement.kind) {
    case "team":
      return `is not in ${directory.teamName(requirement.team)}`
    case "language":
      return `doesn't speak ${toLanguage(requirement.language)}`
    case "agents":
      return "was not asked for"
    case "any":
      return requirement.of.every(({ kind }) => kind === "language")
        ? `doesn't speak ${toRequirement(requirement, directory)}`
        : `lacks ${toRequirement(requirement, directory)}`
    default:
      return `lacks ${toRequirement(requirement, directory)}`
  }
}

const toQueue = (queueId: string, directory: Directory): string =>
  queueId === "main" ? "everybody" : directory.teamName(queueId)

const causes = { declined: "declined it", missed: "let the offer go by", handedBack: "handed it back" } as const

/** What keeps an agent from being offered it. */
export const toObstacle = (obstacle: Explanation.Obstacle, channelKind: string, directory: Directory, now: number) => {
  switch (obstacle.kind) {
    case "requirement":
      return join(
        obstacle.unmet.map((part) => toLack(part, directory)),
        "and"
      )
    case "presence": {
      const reason = obstacle.reason === undefined ? "" : ` (${toWords(obstacle.reason).toLowerCase()})`
      return obstacle.status === "busy" ? `takes no new offers${reason}` : `is ${obstacle.status}${reason}`
    }
    case "channelOff":
      return `takes nothing by ${lookOf(obstacle.channelKind).label}`
    case "capacity":
      if (obstacle.limit === "together") return "holds work that doesn't go together with this"
      if (obstacle.limit === "wrapUp")
        return `is wrapping up${obstacle.untilMs === undefined ? "" : ` until ${toMoment(obstacle.untilMs, now)}`}`
      return `holds ${obstacle.used} of ${obstacle.allowed}${obstacle.limit === "channelKind" ? ` by ${lookOf(channelKind).label}` : ""}`
    case "excluded":
      return `${causes[obstacle.cause]}, and is asked again from ${toMoment(obstacle.untilMs, now)}`
    case "reserved": {
      const names = (obstacle.agents ?? [obstacle.agentId]).map(directory.agentName)
      return `comes after ${join(names, "and")} until ${toMoment(obstacle.untilMs, now)}`
    }
    case "othersWork":
      return `has other work first, and helps when ${obstacle.fromLength} wait, or from ${toMoment(obstacle.untilMs, now)}`
    case "keptFree":
      return `stays for the work of ${toQueue(obstacle.queueId, directory)}: ${obstacle.othersFree} of ${obstacle.keepFree} others are free for it`
  }
}

const waitsFor = {
  eligibleAgent: "Nobody who works here is what it asks for.",
  availableAgent: "Whoever could take it is not available.",
  capacity: "Whoever could take it has no hand free.",
  homeAgent:
    "Those who do this work have no hand free. Others help when more of it waits, or when it has waited a while.",
  declineMemory: "Whoever could take it has just declined it or let it go by.",
  preferredAgent: "It is kept for a while for the agent who was asked for."
} as const

const toPlaceOutside = (conversation: Conversation.Conversation, directory: Directory): string => {
  const { holder } = conversation.control
  switch (conversation.status) {
    case "resolved":
    case "closed":
      return `It is ${conversation.status}, so it is nobody's turn.`
    case "snoozed":
      return "It sleeps until its time or the contact's next message."
    case "pending":
      return "It waits for the contact, so it is nobody's turn."
    case "open":
      return holder.kind === "bot"
        ? `${holderName(holder, directory)} answers first. People are asked once it hands over.`
        : holder.kind === "agent"
          ? `${holderName(holder, directory)} has it.`
          : "It has only just come in. Look again in a moment."
  }
}

/** What it will ask for once it has waited longer. */
const toNext = ({ relaxation }: Explained, directory: Directory, now: number): ReadonlyArray<string> => {
  if (relaxation?.next === undefined || relaxation.nextAtMs === undefined) return []
  const asked = toRequirement(relaxation.next, directory)
  const from = toMoment(relaxation.nextAtMs, now)
  return [asked === "" ? `From ${from} on anybody may take it.` : `From ${from} on it asks for ${asked}.`]
}

/** Where it is, and why nobody has been offered it yet. */
export const toPlace = (
  conversation: Conversation.Conversation,
  explained: Explained | null,
  directory: Directory,
  now: number
): ReadonlyArray<string> => {
  if (explained === null) return [toPlaceOutside(conversation, directory)]
  const { item, place, requirement } = explained
  const asked = toRequirement(requirement, directory)
  const asks = asked === "" ? "Anybody may take it." : `It asks for ${asked}.`
  switch (place.kind) {
    case "assigned":
      return [`${directory.agentName(place.agentId)} has had it since ${toMoment(place.sinceMs, now)}.`]
    case "offered":
      return [
        `It is offered to ${directory.agentName(place.agentId)} since ${toMoment(place.sinceMs, now)}, for another ${toCountdown(Math.max(0, place.expiresAtMs - now))}.`,
        asks
      ]
    case "waiting":
      return [
        `Nobody has it. It has waited in ${item.queueId === "main" ? "the queue of everybody" : `the queue ${directory.teamName(item.queueId)}`} since ${toMoment(item.arrivedAtMs, now)}, ${toDuration(explained.ageMs)} now.`,
        asks,
        ...toNext(explained, directory, now),
        explained.waitsFor === undefined ? "It is about to be offered." : waitsFor[explained.waitsFor],
        ...(explained.changesAtMs === undefined
          ? []
          : [`At ${toMoment(explained.changesAtMs, now)} one of the reasons below ends by itself.`])
      ]
  }
}

const overtakes: Readonly<Record<Overtaking.Code, string>> = {
  priority_first: "a higher priority goes first",
  due_first: "what is due sooner goes first",
  cost_first: "work whose wait costs more goes first",
  cost_outgrows: "the wait of other work costs more with every minute",
  score_first: "work with more points goes first",
  score_outgrows: "other work gains more points with every minute",
  share_first: "other queues get their share first",
  longer_queue_first: "the longer queue goes first",
  own_work_first: "nobody who is here has it as their own work",
  age_unseen: "how long it waits does not count"
}

/** Whether what comes later may go before it. */
const toOvertaking = ({ overtaking, overtakenUntilMs }: Explained, now: number): ReadonlyArray<string> => {
  if (overtaking === undefined) return []
  if (overtaking.kind === "unbounded") {
    return [`What comes later may be given out before it, however long it waits: ${overtakes[overtaking.code]}.`]
  }
  return overtakenUntilMs === undefined
    ? []
    : [`Nothing that comes after ${toMoment(overtakenUntilMs, now)} is given out before it.`]
}

/** Why it is not sooner, among what waits and in the list. The desk gives out what is urgent first, then what is old. */
export const toTurn = (
  { conversation, row }: Pick<ConversationDetail, "conversation" | "row">,
  explained: Explained | null,
  now: number
): ReadonlyArray<string> => {
  const { ahead } = explained ?? {}
  const inLine =
    ahead === undefined
      ? []
      : [
          ahead === 0
            ? "It is the next to be given out."
            : `${ahead === 1 ? "One conversation is" : `${ahead} conversations are`} given out before it: higher priority goes first, then the longer wait. Its priority is ${conversation.priority}.`,
          ...(explained === null ? [] : toOvertaking(explained, now))
        ]
  if (row === null) return inLine
  const { status, attention, due, waitingSinceMs } = row
  const inList =
    status !== "open"
      ? "In the list it stands at the end: it is not open."
      : due !== null && attention === due.dueAtMs
        ? `In the list it stands by the promise that ends first: ${toWords(due.target).toLowerCase()}, ${toMoment(due.dueAtMs, now)}.`
        : waitingSinceMs === null
          ? "In the list it stands after all that is urgent: nobody waits for an answer."
          : `In the list it stands by the wait: somebody who waits since ${toMoment(waitingSinceMs, now)} at ${conversation.priority} priority is due at ${toMoment(attention, now)}.`
  return [...inLine, inList]
}

/** A promise: whether it counts, since when, and until when. */
export const toClock = (clock: ClockView, now: number): string => {
  const { state, startedAtMs, dueAtMs, breachedAtMs } = clock
  const name = toWords(clock.target)
  const began = `began ${toMoment(startedAtMs, now)}`
  const missed = breachedAtMs === null ? "" : ` It was missed ${toMoment(breachedAtMs, now)}.`
  if (state === "fulfilled") return `${name} ${began} and is met.${missed}`
  if (state === "paused") return `${name} ${began} and stands still: time doesn't count at the moment.${missed}`
  if (dueAtMs === null) return `${name} ${began} and counts.${missed}`
  return dueAtMs < now
    ? `${name} ${began} and was due ${toMoment(dueAtMs, now)}, ${toDuration(now - dueAtMs)} ago. It counts on.`
    : `${name} ${began} and is due ${toMoment(dueAtMs, now)}, in ${toCountdown(dueAtMs - now)}.${missed}`
}
