/** The example desk on free ports and a database of its own, and waiting for what it does by itself. */
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { ConversationDetail } from "@switchboard/desk/DeskService"
import type { InboxRow } from "@switchboard/desk/Views"
import { type RunningServer, startServer } from "../src/server.ts"
import type { Answer } from "../src/simulation/Answer.ts"
import { type DeskApi, signIn } from "../src/simulation/DeskApi.ts"
import { compose, type Mail, makeMailSender } from "../src/simulation/MailSender.ts"

export interface TestDesk extends RunningServer {
  /** Writes to the desk by SMTP. */
  readonly write: (mail: Mail) => Promise<Answer>
  readonly as: (agentId: string) => Promise<DeskApi>
}

/** A directory that is gone at the end. */
export const temporary = async (): Promise<{ readonly path: string; readonly remove: () => Promise<void> }> => {
  const path = await mkdtemp(join(tmpdir(), "helpdesk-"))
  return { path, remove: () => rm(path, { recursive: true, force: true }) }
}

export const startTestDesk = async ({ pages = false } = {}): Promise<TestDesk> => {
  const directory = await temporary()
  const server = await startServer({
    port: 0,
    smtpPort: 0,
    database: join(directory.path, "desk.db"),
    pages
  })
  const smtp = new URL(server.smtpUrl)
  const mail = makeMailSender(smtp.hostname, Number(smtp.port))
  return {
    ...server,
    write: async (written) => mail.send(await compose(written, Date.now())),
    as: (agentId) => signIn(server.url, agentId),
    stop: async () => {
      mail.close()
      await server.stop()
      await directory.remove()
    }
  }
}

/** Looks again until there is something. The desk works by itself: what it will do is awaited, never slept for. */
export const until = async <A>(
  what: string,
  look: () => A | undefined | false | Promise<A | undefined | false>,
  timeoutMs = 15_000,
  pauseMs = 20
): Promise<A> => {
  const endsAt = performance.now() + timeoutMs
  while (true) {
    const found = await look()
    if (found !== undefined && found !== false) return found
    if (performance.now() > endsAt) throw new Error(`waited ${timeoutMs} ms in vain for ${what}`)
    await new Promise((resolve) => setTimeout(resolve, pauseMs))
  }
}

export const rows = async (api: DeskApi, active = true): Promise<ReadonlyArray<InboxRow>> =>
  (await api.get<{ readonly rows: ReadonlyArray<InboxRow> }>(`/api/inbox?active=${active}&limit=200`)).rows

export const detail = (api: DeskApi, conversationId: string): Promise<ConversationDetail> =>
  api.get(`/api/conversations/${conversationId}`)

/** The texts of messages, with who wrote them. */
export const said = ({ messages }: Pick<ConversationDetail, "messages">): ReadonlyArray<string> =>
  messages.map(
    ({ author, parts }) =>
      `${author.kind}: ${parts
        .map((part) =>
          part.kind === "text" ? part.text.trim() : part.kind === "choice" ? `[${part.label}]` : `(${part.kind})`
        )
        .join(" ")}`
  )
