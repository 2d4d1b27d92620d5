/**
 * Everything a desk is made of, in one object.
 *
 * @module
 */
import type { Bot } from "@switchboard/bot"
import type { Channel } from "@switchboard/channel"
import { Agent, Authorise, type Contact, type Conversation, Id, Thread } from "@switchboard/conversation"
import { Placement, Requirement, RoutingPolicy } from "@switchboard/routing"
import { SlaPlan } from "@switchboard/sla"
import type { BlobStore, StorageDriver } from "@switchboard/storage"
import { ConfigError } from "./DeskError.ts"

/** One fact about a contact from the application's own systems, as shown on the card. */
export interface ContextFact {
  readonly label: string
  readonly value: string
  readonly url?: string
}

/**
 * Puts facts from the application's own systems on a contact's card. When it takes longer than `deadlineMs`, the card
 * says so; nothing else waits for it.
 */
export interface ContextProvider {
  readonly name: string
  readonly deadlineMs: number
  readonly facts: (contact: Contact.Contact, signal: AbortSignal) => Promise<ReadonlyArray<ContextFact>>
}

/**
 * A key with which a program uses the API.
 *
 * **Shape** `secret` has at least 32 printable ASCII characters and no space: it travels in a header. It is compared in
 * constant time and never shown again.
 */
export interface ApiKey {
  readonly id: string
  readonly secret: string
  readonly role: Agent.Agent["role"]
}

/**
 * How long what was said is kept in conversations that nobody has to act on any more.
 *
 * **Shape** a rule without `channelKinds` is for all kinds that no other rule names; each kind has one rule at most. A
 * conversation over several kinds goes by the rule that keeps longest, and is kept where one of its kinds has none.
 *
 * **Units** `afterDays` counts days of 24 hours, whole ones, from 1, since the last thing that happened in the
 * conversation.
 *
 * **Gotchas** a kind may be one whose channel was taken away: its conversations are there still. One that no channel has
 * is reported in the log when the desk is made, as it may be a slip.
 */
export interface RetentionRule {
  readonly channelKinds?: ReadonlyArray<string>
  readonly afterDays: number
}

/**
 * How work finds its agent: what of `RoutingPolicy` should be otherwise, and the rules of `Placement` that choose queue,
 * priority, requirement and weight of a conversation by what is known when it begins.
 *
 * **Shape** rules see the channel kind and account it began on, its subject and the contact's first message, its tags as
 * topics, when it began, its language, and the contact's attributes and phone number. Nothing is known of country, region
 * and postal code.
 *
 * **Gotchas** what an agent or a bot asked for by name, a team, skills or languages, comes before what a rule says; so does
 * a priority other than `normal`. The rules are asked each time a conversation comes to wait for people.
 */
export interface DeskRouting extends Partial<RoutingPolicy.RoutingPolicy> {
  readonly placement?: Placement.Placement
}

/**
 * A desk's configuration.
 *
 * **Shape** `credentialSecret` signs the agents' credentials, at least 32 characters, none of them a space at an end.
 * `workspace` is the tenant the desk serves, `main` by default: a desk serves one, and nothing it does reaches another in
 * the same storage. `firstResponder` is the bot that answers new conversations on the channel kinds named (all when none
 * are). `retention` says how long words are kept, for ever where no rule is. `publicUrl` is what browsers see in front of the path, such as `https://desk.example`, where a proxy before the
 * desk leaves requests with another address.
 */
export interface DeskConfig {
  readonly storage: StorageDriver.StorageDriver
  readonly blobs: BlobStore.BlobStore
  readonly credentialSecret: string
  readonly workspace?: string
  readonly publicUrl?: string
  readonly channels?: ReadonlyArray<Channel.Channel>
  readonly agents?: ReadonlyArray<Agent.Agent>
  readonly teams?: ReadonlyArray<Agent.Team>
  readonly apiKeys?: ReadonlyArray<ApiKey>
  readonly bots?: ReadonlyArray<Bot.Bot>
  readonly firstResponder?: { readonly bot: string; readonly channelKinds?: ReadonlyArray<string> }
  readonly routing?: DeskRouting
  readonly sla?: SlaPlan.SlaPlanDefinition
  readonly continuity?: "join" | "link"
  readonly contextProvider?: ContextProvider
  readonly retention?: ReadonlyArray<RetentionRule>
  readonly authorise?: Authorise.Authorise
  readonly limits?: Partial<DeskLimits>
}

/**
 * **Units** `requestBytes` and `attachmentBytes` in bytes, `callTimeoutMs` (one call to a platform) and
 * `preferredAgentMs` (how long work waits for the agent who knows it) in milliseconds.
 *
 * **Gotchas** a file comes in a reply as base64, a third larger: `requestBytes` has to leave room for it.
 */
export interface DeskLimits {
  readonly requestBytes: number
  readonly attachmentBytes: number
  readonly callTimeoutMs: number
  readonly callsAtOnce: number
  readonly deliveryAttempts: number
  readonly preferredAgentMs: number
  readonly waitingCommits: number
}

/** The limits of a desk that says nothing else. */
export const defaultLimits: DeskLimits = {
  requestBytes: 35_000_000,
  attachmentBytes: 25_000_000,
  callTimeoutMs: 20_000,
  callsAtOnce: 32,
  deliveryAttempts: 8,
  preferredAgentMs: 60_000,
  waitingCommits: 10_000
}

/** A configuration that was checked and completed. */
export interface Settings {
  readonly config: DeskConfig
  readonly workspace: Id.WorkspaceId
  /** What clients see in front of the path; `undefined` when requests say so themselves. */
  readonly publicOrigin: string | undefined
  readonly channels: ReadonlyMap<string, Channel.Channel>
  readonly agents: ReadonlyMap<string, Agent.Agent>
  readonly teams: ReadonlyMap<string, Agent.Team>
  readonly bots: ReadonlyMap<string, Bot.Bot>
  readonly plan: SlaPlan.SlaPlan
  readonly routing: RoutingPolicy.RoutingPolicy
  readonly placement: Placement.Placement | undefined
  /** What is usable and probably not meant, in sentences for the log. */
  readonly warnings: ReadonlyArray<string>
  readonly retention: ReadonlyArray<RetentionRule>
  readonly authorise: Authorise.Authorise
  readonly limits: DeskLimits
}

const wrong = (field: string, found: string, fix: string): never => {
  throw new ConfigError({ field, found, fix })
}

const keyed = <A>(field: string, all: ReadonlyArray<A>, keyOf: (one: A) => string): ReadonlyMap<string, A> => {
  const map = new Map<string, A>()
  for (const one of all) {
    const key = keyOf(one)
    if (map.has(key)) wrong(field, `"${key}" twice`, "give each a name of its own")
    map.set(key, one)
  }
  return map
}

const secretLength = 32

/** Says what is wrong with a secret, never the secret. */
const checkSecret = (field: string, secret: string | undefined): void => {
  const fix = `use at least ${secretLength} random characters, such as the output of \`openssl rand -base64 32\``
  if (!secret) wrong(field, "nothing", fix)
  else if (secret !== secret.trim()) {
    wrong(field, "white space at an end", "take it away; a file or a variable often ends with a line break")
  } else if (secret.length < secretLength) wrong(field, `${secret.length} characters`, fix)
}

const checkLimits = ({ requestBytes, attachmentBytes }: DeskLimits): void => {
  const neededBytes = 4 * Math.ceil(attachmentBytes / 3)
  if (requestBytes >= neededBytes) return
  wrong(
    "limits.attachmentBytes",
    `${attachmentBytes}, which as base64 has ${neededBytes}, more than the ${requestBytes} of limits.requestBytes`,
    `raise limits.requestBytes above ${neededBytes}, or lower limits.attachmentBytes to ${Math.floor(requestBytes / 4) * 3} at most`
  )
}

const mostDays = 36_500

const checkRetention = (rules: ReadonlyArray<RetentionRule>): void => {
  /** Which rule is for a kind; for `undefined`, that for all that no rule names. */
  const ruleOf = new Map<string | undefined, number>()
  for (const [index, { channelKinds, afterDays }] of rules.entries()) {
    const field = `retention[${index}]`
    if (!Number.isInteger(afterDays) || afterDays < 1 || afterDays > mostDays) {
      wrong(`${field}.afterDays`, String(afterDays), `use a whole number of days, 1 to ${mostDays}`)
    }
    if (channelKinds?.length === 0) {
      wrong(`${field}.channelKinds`, "an empty list", "name kinds, or leave the field out for all that no rule names")
    }
    for (const kind of channelKinds ?? [undefined]) {
      if (kind !== undefined && !Thread.ChannelKind.safeParse(kind).success) {
        wrong(`${field}.channelKinds`, JSON.stringify(kind), "name a kind of channel, such as email")
      }
      const earlier = ruleOf.get(kind)
      if (earlier !== undefined) {
        const found = kind === undefined ? "nothing" : `"${kind}"`
        wrong(`${field}.channelKinds`, `${found}, as in retention[${earlier}]`, "give each kind one rule")
      }
      ruleOf.set(kind, index)
    }
  }
}

const toOrigin = (field: string, address: string | undefined): string | undefined => {
  if (address === undefined) return undefined
  const url = URL.parse(address)
  if (!url || !/^https?:$/.test(url.protocol) || url.href !== `${url.origin}/`) {
    return wrong(field, JSON.stringify(address), "name scheme and host alone, such as https://desk.example")
  }
  return url.origin
}

/** The queue that takes what no team is asked for. */
export const mainQueue = "main"

/** What each priority of a conversation is to routing. */
export const priorities: Readonly<Record<Conversation.Priority, number>> = { low: -10, normal: 0, high: 10, urgent: 20 }

const resolvePlacement = (given: Placement.Placement | undefined): Placement.Placement | undefined => {
  if (given === undefined) return undefined
  const placement = Placement.decode(given)
  return placement.ok
    ? placement.value
    : wrong("routing.placement", placement.error.message, "see Placement in @switchboard/routing")
}

/** Stops at what is not usable, and returns what is probably not meant. */
const checkPlacement = (
  placement: Placement.Placement,
  { queues }: RoutingPolicy.RoutingPolicy
): ReadonlyArray<string> => {
  const problems = Placement.check(placement, { queueIds: queues.map(({ queueId }) => queueId) })
  const error = problems.find(({ severity }) => severity === "error")
  if (error) wrong(`routing.placement.${error.path}`, error.found, `use ${error.expected}`)
  return problems.map(({ message }) => message)
}

/** From the lowest to the highest priority that an item of the desk can have. */
const prioritiesOf = (placement: Placement.Placement | undefined): RoutingPolicy.Ranges["priority"] => {
  const targets = placement === undefined ? [] : Placement.targetsOf(placement)
  const all = [...Object.values(priorities), ...targets.map(({ priority = 0 }) => priority)]
  return { min: Math.min(...all), max: Math.max(...all) }
}

/**
 * Checks a configuration as a whole.
 *
 * **Fails with** {@link ConfigError} (thrown), naming the field, what was found and the fix.
 */
export const resolve = (config: DeskConfig): Settings => {
  const workspace = Id.WorkspaceId.parse(config.workspace ?? "main")
  checkSecret("credentialSecret", config.credentialSecret)
  for (const { id, secret } of config.apiKeys ?? []) {
    const field = `apiKeys.${id}.secret`
    checkSecret(field, secret)
    if (!/^[\x21-\x7e]+$/.test(secret)) {
      wrong(field, "a character that no header carries", "use printable ASCII without spaces")
    }
  }
  const publicOrigin = toOrigin("publicUrl", config.publicUrl)
  const limits = { ...defaultLimits, ...config.limits }
  checkLimits(limits)
  checkRetention(config.retention ?? [])
  for (const [index, agent] of (config.agents ?? []).entries()) {
    const parsed = Agent.Agent.safeParse(agent)
    if (!parsed.success) {
      const issue = parsed.error.issues[0]!
      wrong(`agents[${index}].${issue.path.join(".")}`, issue.message, "see Agent in @switchboard/conversation")
    }
  }
  const agents = keyed("agents", config.agents ?? [], (agent) => agent.id)
  const teams = keyed("teams", config.teams ?? [], (team) => team.id)
  const bots = keyed("bots", config.bots ?? [], (bot) => bot.id)
  const channels = keyed("channels", config.channels ?? [], (channel) => channel.kind)
  keyed("apiKeys", config.apiKeys ?? [], (key) => key.id)
  keyed(
    "channels[].accounts",
    [...channels.values()].flatMap((channel) => channel.accounts),
    (account) => account.id
  )
  for (const channel of channels.values()) {
    for (const account of channel.accounts) {
      if (account.workspace !== workspace) {
        wrong(
          `channels.${channel.kind}.accounts.${account.id}.workspace`,
          `"${account.workspace}"`,
          `a desk serves one workspace, this one "${workspace}"; make another desk for the other`
        )
      }
    }
  }
  for (const agent of agents.values()) {
    for (const team of agent.teams) {
      if (!teams.has(team))
        wrong(
          `agents.${agent.id}.teams`,
          `"${team}"`,
          `name one of the teams: ${[...teams.keys()].join(", ") || "none is declared"}`
        )
    }
  }
  if (config.firstResponder && !bots.has(config.firstResponder.bot)) {
    wrong(
      "firstResponder.bot",
      `"${config.firstResponder.bot}"`,
      `name one of the bots: ${[...bots.keys()].join(", ") || "none is declared"}`
    )
  }
  for (const kind of config.firstResponder?.channelKinds ?? []) {
    if (!channels.has(kind))
      wrong("firstResponder.channelKinds", `"${kind}"`, `name one of the channels: ${[...channels.keys()].join(", ")}`)
  }
  const plan = SlaPlan.make(config.sla ?? { policies: [], calendars: [] })
  if (!plan.ok)
    throw new ConfigError({ field: "sla", found: plan.error.message, fix: "see SlaPlan in @switchboard/sla" })
  const { placement: givenPlacement, ...policy } = config.routing ?? {}
  const placement = resolvePlacement(givenPlacement)
  const routing = RoutingPolicy.decode({
    ...policy,
    ranges: { priority: prioritiesOf(placement), ...policy.ranges },
    queues: policy.queues ?? [
      { queueId: mainQueue },
      ...[...teams.keys()].map((team) => ({ queueId: team, requirement: Requirement.team(team) }))
    ]
  })
  if (!routing.ok)
    throw new ConfigError({
      field: "routing",
      found: routing.error.message,
      fix: "see RoutingPolicy in @switchboard/routing"
    })
  for (const agent of agents.values()) {
    for (const home of agent.homeQueues ?? []) {
      if (!routing.value.queues.some(({ queueId }) => queueId === home)) {
        const names = routing.value.queues.map(({ queueId }) => queueId).join(", ")
        wrong(`agents.${agent.id}.homeQueues`, `"${home}"`, `name one of the queues: ${names || "none is declared"}`)
      }
    }
  }
  return {
    config,
    workspace,
    publicOrigin,
    channels,
    agents,
    teams,
    bots,
    plan: plan.value,
    routing: routing.value,
    placement,
    warnings: placement ? checkPlacement(placement, routing.value) : [],
    retention: config.retention ?? [],
    authorise: config.authorise ?? Authorise.byDefault,
    limits
  }
}
