/**
 * Everything a desk is made of, in one object.
 *
 * @module
 */
import type { Bot } from "@switchboard/bot"
import type { Channel } from "@switchboard/channel"
import { Agent, Authorise, type Contact, Id } from "@switchboard/conversation"
import { Requirement, RoutingPolicy } from "@switchboard/routing"
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

/** A key with which a program uses the API. The secret is compared in constant time and never shown again. */
export interface ApiKey {
  readonly id: string
  readonly secret: string
  readonly role: Agent.Agent["role"]
}

/**
 * A desk's configuration.
 *
 * **Shape** `credentialSecret` signs the agents' credentials, at least 32 characters. `workspace` is the tenant the desk
 * serves, `main` by default: a desk serves one, and nothing it does reaches another in the same storage. `firstResponder`
 * is the bot that answers new conversations on the channel kinds named (all when none are).
 */
export interface DeskConfig {
  readonly storage: StorageDriver.StorageDriver
  readonly blobs: BlobStore.BlobStore
  readonly credentialSecret: string
  readonly workspace?: string
  readonly channels?: ReadonlyArray<Channel.Channel>
  readonly agents?: ReadonlyArray<Agent.Agent>
  readonly teams?: ReadonlyArray<Agent.Team>
  readonly apiKeys?: ReadonlyArray<ApiKey>
  readonly bots?: ReadonlyArray<Bot.Bot>
  readonly firstResponder?: { readonly bot: string; readonly channelKinds?: ReadonlyArray<string> }
  readonly routing?: Partial<RoutingPolicy.RoutingPolicy>
  readonly sla?: SlaPlan.SlaPlanDefinition
  readonly continuity?: "join" | "link"
  readonly contextProvider?: ContextProvider
  readonly authorise?: Authorise.Authorise
  readonly limits?: Partial<DeskLimits>
}

/**
 * **Units** `requestBytes` and `attachmentBytes` in bytes, `callTimeoutMs` (one call to a platform) and
 * `preferredAgentMs` (how long work waits for the agent who knows it) in milliseconds.
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
  requestBytes: 30_000_000,
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
  readonly channels: ReadonlyMap<string, Channel.Channel>
  readonly agents: ReadonlyMap<string, Agent.Agent>
  readonly teams: ReadonlyMap<string, Agent.Team>
  readonly bots: ReadonlyMap<string, Bot.Bot>
  readonly plan: SlaPlan.SlaPlan
  readonly routing: RoutingPolicy.RoutingPolicy
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

/** The queue that takes what no team is asked for. */
export const mainQueue = "main"

/**
 * Checks a configuration as a whole.
 *
 * **Fails with** {@link ConfigError} (thrown), naming the field, what was found and the fix.
 */
export const resolve = (config: DeskConfig): Settings => {
  const workspace = Id.WorkspaceId.parse(config.workspace ?? "main")
  if (config.credentialSecret.length < 32) {
    wrong(
      "credentialSecret",
      `${config.credentialSecret.length} characters`,
      "use at least 32 random characters, such as the output of `openssl rand -base64 32`"
    )
  }
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
  const routing = RoutingPolicy.decode({
    ...config.routing,
    queues: config.routing?.queues ?? [
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
  return {
    config,
    workspace,
    channels,
    agents,
    teams,
    bots,
    plan: plan.value,
    routing: routing.value,
    authorise: config.authorise ?? Authorise.byDefault,
    limits: { ...defaultLimits, ...config.limits }
  }
}
