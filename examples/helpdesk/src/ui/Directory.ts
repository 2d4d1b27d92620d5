/** Agents and teams by id, and what to call whoever wrote something. */
import type { Actor, Agent, Contact, Conversation } from "@switchboard/conversation"
import { useQuery } from "@tanstack/react-query"
import { createContext, useContext, useMemo } from "react"
import * as DeskClient from "./DeskClient.ts"
import { toWords } from "./Format.ts"

const longMs = 5 * 60_000

export interface Directory {
  readonly agents: ReadonlyArray<Agent.Agent>
  readonly teams: ReadonlyArray<Agent.Team>
  readonly agentName: (id: string) => string
  readonly teamName: (id: string) => string
}

export const useDirectory = (): Directory => {
  const agents = useQuery({ queryKey: ["agents"], queryFn: DeskClient.agents, staleTime: longMs }).data
  const teams = useQuery({ queryKey: ["teams"], queryFn: DeskClient.teams, staleTime: longMs }).data
  // The same object while nothing changed: rows and messages are drawn again only when they must.
  return useMemo(
    () => ({
      agents: agents ?? [],
      teams: teams ?? [],
      agentName: (id) => agents?.find((agent) => agent.id === id)?.name ?? toWords(id),
      teamName: (id) => teams?.find((team) => team.id === id)?.name ?? toWords(id)
    }),
    [agents, teams]
  )
}

const MeContext = createContext<Agent.Agent | null>(null)
export const MeProvider = MeContext.Provider

/** The agent who is signed in. */
export const useMe = (): Agent.Agent => {
  const me = useContext(MeContext)
  if (me === null) throw new Error("nobody is signed in here")
  return me
}

/** Whether this agent did something, or holds it. */
export const isMe = (actor: Actor.Actor | Conversation.Holder, { id }: Agent.Agent): boolean =>
  actor.kind === "agent" && actor.id === id

/** Supervisors and administrators. */
export const isLeading = ({ role }: Agent.Agent): boolean => role !== "agent"

export const nameOf = (actor: Actor.Actor, contactName: string, directory: Directory): string => {
  switch (actor.kind) {
    case "agent":
      return directory.agentName(actor.id)
    case "contact":
      return contactName
    case "bot":
      return toWords(actor.id)
    case "system":
      return "Switchboard"
    case "apiKey":
      return toWords(actor.id)
  }
}

export const holderName = (holder: Conversation.Holder, directory: Directory): string =>
  holder.kind === "nobody" ? "Nobody yet" : holder.kind === "bot" ? toWords(holder.id) : directory.agentName(holder.id)

const visitorId = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{8}([0-9a-f]{4})$/i

/** What to call somebody the desk knows by this name or, without one, by this address. A visitor's id is no name. */
export const contactNameOf = (name: string | undefined): string => {
  if (name === undefined || name === "") return "Unknown visitor"
  const [, end] = visitorId.exec(name) ?? []
  return end === undefined ? name : `Visitor ${end}`
}

/** What to call a contact, in the list's way. */
export const nameOfContact = (contact: Contact.Contact | null): string => {
  const [address] = contact?.addresses ?? []
  return contactNameOf(contact?.name ?? address?.label ?? address?.value)
}
