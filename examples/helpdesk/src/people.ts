/** Who works at the example desk. */
import { type Agent, Id } from "@switchboard/conversation"

const team = (id: string, name: string): Agent.Team => ({ id: Id.TeamId.parse(id), name })

export const teams: ReadonlyArray<Agent.Team> = [team("orders", "Orders"), team("billing", "Billing")]

const agent = (
  id: string,
  name: string,
  role: Agent.Agent["role"],
  inTeams: ReadonlyArray<string>,
  languages: ReadonlyArray<string>
): Agent.Agent => ({
  id: Id.AgentId.parse(id),
  name,
  role,
  teams: inTeams.map((one) => Id.TeamId.parse(one)),
  skills: {},
  languages: [...languages],
  // Mail is slow work, chats are not: four at once, of which two may be mails.
  capacity: { total: 4, perChannelKind: { email: 2 } }
})

export const agents: ReadonlyArray<Agent.Agent> = [
  agent("ada", "Ada Ferrer", "agent", ["orders"], ["en", "ca", "es"]),
  agent("bruno", "Bruno Keller", "agent", ["billing"], ["en", "de"]),
  agent("chidi", "Chidi Okafor", "agent", ["orders", "billing"], ["en", "fr"]),
  agent("dalia", "Dalia Haddad", "supervisor", ["orders", "billing"], ["en", "ar", "es"]),
  agent("root", "Administrator", "administrator", [], ["en"])
]

/** The password of every seeded agent. */
export const password = process.env["DESK_PASSWORD"] ?? "switchboard"
