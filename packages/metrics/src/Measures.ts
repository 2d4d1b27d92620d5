/**
 * The measures this package ships, each with its exact definition.
 *
 * @module
 */
import { type Definition, type Measure, toDefinition } from "./Measure.ts"

const holder = ["channelKind", "accountId", "teamId", "agentId", "priority"]
const place = ["channelKind", "accountId", "priority"]

/** How long a contact waited for the first answer of a person. */
export const firstResponseTime: Measure = {
  id: "first-response-time",
  version: 1,
  unit: "ms",
  time: "calendar",
  moment: "firstReply",
  start: "the first wait that a person answers begins: the contact writes, or a bot hands off to people",
  stop: "the first agent reply that ends a wait",
  attribution: "the agent and team replying, at that moment",
  abandons: "not included; see unanswered-wait-time, and the waiting gauge for those still waiting",
  dimensions: holder,
  definition:
    "Time from the start of the first wait that a person answered, which is the contact's oldest unanswered message or, if a bot had answered it, the handoff, to that answer; bot replies are no answer of a person, and each conversation counts at most once."
}

/** How long a contact waited for a person's answer, each time. */
export const replyTime: Measure = {
  id: "reply-time",
  version: 1,
  unit: "ms",
  time: "calendar",
  moment: "reply",
  start: "the contact writes while not waiting already, or a bot hands off to people",
  stop: "the next agent reply",
  attribution: "the agent and team replying, at that moment",
  abandons: "not included; see unanswered-wait-time, and the waiting gauge for those still waiting",
  dimensions: holder,
  definition:
    "Time from the contact's oldest unanswered message, or from the bot's handoff if a bot had answered it, to the next agent reply; several messages in a row are one wait, and every wait counts."
}

/** How long a contact waited for a bot's answer, each time. */
export const botReplyTime: Measure = {
  id: "bot-reply-time",
  version: 1,
  unit: "ms",
  time: "calendar",
  moment: "botReply",
  start: "the contact writes while not waiting already",
  stop: "the next bot reply while the bot has control",
  attribution: "the channel and account at that moment",
  abandons: "not included; a wait a bot passes on to people goes on and counts in reply-time",
  dimensions: place,
  definition:
    "Time from the contact's oldest unanswered message to the next bot reply sent while the bot has control; a wait handed off unanswered goes on and counts in reply-time instead."
}

/** How long contacts waited who got no answer. */
export const unansweredWaitTime: Measure = {
  id: "unanswered-wait-time",
  version: 1,
  unit: "ms",
  time: "calendar",
  moment: "unanswered",
  start: "the contact writes while not waiting already, or a bot hands off to people",
  stop: "the conversation is resolved or closed, or the contact leaves, with no reply since",
  attribution: "what held the conversation at the end of the wait",
  abandons: "this is the measure of them",
  dimensions: holder,
  definition:
    "Time from the contact's oldest unanswered message, or from the bot's handoff, to resolving, closing or the contact leaving without any reply in between; a wait that ends in the millisecond it began is none."
}

/** How long conversations took to be resolved. */
export const resolutionTime: Measure = {
  id: "resolution-time",
  version: 1,
  unit: "ms",
  time: "calendar",
  moment: "resolved",
  start: "the conversation opens, or comes back after being resolved",
  stop: "it is resolved",
  attribution: "what held the conversation when it was resolved",
  abandons: "closed without being resolved: not included",
  dimensions: holder,
  definition:
    "Time from the opening, or from the latest reopening, to the resolution, waiting for the contact and snoozing included; every resolution counts."
}

/** How many conversations began. */
export const conversationsOpened: Measure = {
  id: "conversations-opened",
  version: 1,
  unit: "count",
  time: "calendar",
  moment: "opened",
  stop: "the conversation opens",
  attribution: "the channel, account and priority at the opening",
  abandons: "counted",
  dimensions: place,
  definition: "Conversations opened, whoever began them; coming back after a resolution is not an opening."
}

/** How many conversations people took care of. */
export const conversationsHandled: Measure = {
  id: "conversations-handled",
  version: 1,
  unit: "count",
  time: "calendar",
  moment: "handled",
  stop: "the first agent reply",
  attribution: "the agent and team of that first reply",
  abandons: "without an agent reply: not counted",
  dimensions: holder,
  definition:
    "Conversations in which an agent wrote to the contact, counted once per conversation, at its first agent reply and for that agent."
}

/** How often conversations were resolved. */
export const conversationsResolved: Measure = {
  id: "conversations-resolved",
  version: 1,
  unit: "count",
  time: "calendar",
  moment: "resolved",
  stop: "the conversation is resolved",
  attribution: "what held the conversation when it was resolved",
  abandons: "closed without being resolved: not counted",
  dimensions: holder,
  definition: "Resolutions; a conversation that comes back and is resolved again counts again."
}

/** How often resolved conversations came back. */
export const conversationsReopened: Measure = {
  id: "conversations-reopened",
  version: 1,
  unit: "count",
  time: "calendar",
  moment: "reopened",
  stop: "a resolved conversation is open again",
  attribution: "what holds the conversation when it comes back",
  abandons: "does not apply",
  dimensions: holder,
  definition: "Times a resolved conversation came back, in the hour in which it came back."
}

/** How much contacts wrote. */
export const messagesReceived: Measure = {
  id: "messages-received",
  version: 1,
  unit: "count",
  time: "calendar",
  moment: "messageReceived",
  stop: "the contact's message is in",
  attribution: "the channel and account it came through",
  abandons: "does not apply",
  dimensions: ["channelKind", "accountId"],
  definition: "Messages from contacts, each once."
}

/** How much was written to contacts. */
export const messagesSent: Measure = {
  id: "messages-sent",
  version: 1,
  unit: "count",
  time: "calendar",
  moment: "messageSent",
  stop: "the message is written",
  attribution: "the channel and account it goes out by, and whether an agent or a bot wrote it (`author`)",
  abandons: "counted whether or not it is delivered",
  dimensions: ["channelKind", "accountId", "author"],
  definition: "Messages agents and bots wrote to contacts, each once, without regard to delivery; notes don't count."
}

/** Which share of promises was broken. */
export const slaBreachShare: Measure = {
  id: "sla-breach-share",
  version: 1,
  unit: "share",
  time: "calendar",
  moment: "slaCompleted",
  stop: "the target completes: what was promised is done, late or in time",
  attribution: "what holds the conversation when the target completes, and the target",
  abandons: "targets cancelled or still running are in neither number",
  dimensions: [...holder, "target"],
  definition:
    "Breached targets divided by completed targets; a target still running past its due time counts when it completes."
}

/** Which share of the conversations with a bot needed no person. */
export const botContainmentShare: Measure = {
  id: "bot-containment-share",
  version: 1,
  unit: "share",
  time: "calendar",
  moment: "botEnded",
  stop: "for the first time, the conversation is resolved, closed, or left by a contact who was waiting",
  attribution: "the channel, account and priority at that moment",
  abandons: "left while waiting, or closed without being resolved: not contained",
  dimensions: place,
  definition:
    "Conversations resolved with no agent having replied or held control and without a handoff to people before, divided by all ended conversations in which a bot replied or held control; decided once, at the first end, so coming back later doesn't change it."
}

/** How often work was proposed to agents. */
export const offersMade: Measure = {
  id: "offers-made",
  version: 1,
  unit: "count",
  time: "calendar",
  moment: "offerMade",
  stop: "the offer is made",
  attribution: "the agent it is made to",
  abandons: "does not apply",
  dimensions: holder,
  definition: "Offers of a conversation to an agent."
}

/** How often agents took the offered work. */
export const offersAccepted: Measure = {
  ...offersMade,
  id: "offers-accepted",
  moment: "offerAccepted",
  stop: "the agent accepts",
  definition: "Offers the agent accepted, in the hour of the acceptance."
}

/** How often agents refused the offered work. */
export const offersDeclined: Measure = {
  ...offersMade,
  id: "offers-declined",
  moment: "offerDeclined",
  stop: "the agent declines",
  definition: "Offers the agent declined, in the hour of the refusal."
}

/** How often offers lapsed. */
export const offersExpired: Measure = {
  ...offersMade,
  id: "offers-expired",
  moment: "offerExpired",
  stop: "the offer's time is up",
  definition: "Offers that lapsed without an answer of the agent, in the hour of the lapse."
}

/** Which share of the offers was taken. */
export const offerAcceptanceShare: Measure = {
  ...offersMade,
  id: "offer-acceptance-share",
  unit: "share",
  moment: "offerEnded",
  stop: "the offer is accepted, declined or lapses",
  attribution: "the agent it was made to",
  abandons: "offers withdrawn or still open are in neither number",
  definition: "Accepted offers divided by offers accepted, declined or lapsed."
}

/** Every shipped measure, in the order documents list them. */
export const all: ReadonlyArray<Measure> = [
  firstResponseTime,
  replyTime,
  botReplyTime,
  unansweredWaitTime,
  resolutionTime,
  conversationsOpened,
  conversationsHandled,
  conversationsResolved,
  conversationsReopened,
  messagesReceived,
  messagesSent,
  slaBreachShare,
  botContainmentShare,
  offersMade,
  offersAccepted,
  offersDeclined,
  offersExpired,
  offerAcceptanceShare
]

/**
 * The definitions of measures as plain JSON, for an API or a page that says what each number means.
 *
 * **Example**
 * ```ts
 * import { strict as assert } from "node:assert"
 * import { Measures } from "@switchboard/metrics"
 *
 * assert.equal(Measures.catalog()[1]?.id, "reply-time")
 * ```
 */
export const catalog = (measures: ReadonlyArray<Measure> = all): ReadonlyArray<Definition> => measures.map(toDefinition)

/** The catalog as a Markdown list: id, version, unit and the exact definition. */
export const toMarkdown = (measures: ReadonlyArray<Measure> = all): string =>
  measures
    .map(({ id, version, unit, definition }) => `- \`${id}\` (version ${version}, ${unit}): ${definition}`)
    .join("\n")
