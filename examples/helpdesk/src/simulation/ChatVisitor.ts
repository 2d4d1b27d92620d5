/** A visitor of the web chat, through the same routes as the widget. */
import type { ContactThread } from "@switchboard/channel"
import { WebchatIdentity } from "@switchboard/channel-webchat"
import { secrets } from "../../desk.config.ts"
import { type Answer, post } from "./Answer.ts"

/** Who the site says is signed in. Nobody without an address. */
export interface Visitor {
  readonly name: string
  readonly language: string
  readonly email?: string
  readonly phone?: string
}

export interface ChatVisitor {
  /** The same visitor at another address of the desk. */
  readonly at: (deskUrl: string) => ChatVisitor
  /** What the visitor did, as the widget says it; each message with a UUID that is the same at every attempt. */
  readonly send: (entries: ReadonlyArray<unknown>) => Promise<Answer>
  readonly thread: (after?: number) => Promise<ContactThread.ThreadPage>
  /** What is said from now on, after a sequence. */
  readonly follow: (after: number, signal: AbortSignal) => AsyncGenerator<ContactThread.ThreadMessage>
}

/** Opens a session; fails when the desk gives none. */
export const openChat = async (deskUrl: string, visitor: Visitor): Promise<ChatVisitor> => {
  const { name, language, email, phone } = visitor
  const isKnown = email !== undefined || phone !== undefined
  const response = await fetch(`${deskUrl}/channels/webchat/web/session`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(
      isKnown
        ? {
            identity: WebchatIdentity.sign({
              secret: secrets.identity,
              account: "web",
              ...(email === undefined ? {} : { email }),
              ...(phone === undefined ? {} : { phone }),
              name,
              issuedAtMs: Date.now()
            })
          }
        : {}
    ),
    signal: AbortSignal.timeout(30_000)
  })
  if (!response.ok) throw new Error(`no chat session: ${response.status} ${await response.text()}`)
  const { visitorToken } = (await response.json()) as { readonly visitorToken: string }
  return toVisitor(deskUrl, `Bearer ${visitorToken}`, isKnown ? { language } : { name, language })
}

const toVisitor = (deskUrl: string, authorization: string, about: object): ChatVisitor => {
  const base = `${deskUrl}/channels/webchat/web`
  return {
    at: (other) => toVisitor(other, authorization, about),
    send: (entries) =>
      post(`${base}/messages`, {
        headers: { "content-type": "application/json", authorization },
        body: JSON.stringify({ entries, visitor: about })
      }),
    thread: async (after = 0) => {
      const page = await fetch(`${base}/thread?after=${after}`, { headers: { authorization } })
      if (!page.ok) throw new Error(`no thread: ${page.status} ${await page.text()}`)
      return (await page.json()) as ContactThread.ThreadPage
    },
    follow: async function* (after, signal) {
      const live = await fetch(`${base}/thread?after=${after}&live=1`, { headers: { authorization }, signal })
      if (!live.ok || !live.body) throw new Error(`no live thread: ${live.status}`)
      let pending = ""
      for await (const text of live.body.pipeThrough(new TextDecoderStream())) {
        pending += text
        const events = pending.split("\n\n")
        pending = events.pop() ?? ""
        for (const event of events) {
          const data = /^data: ?(.*)$/m.exec(event)?.[1]
          if (/^event: ?(?:message|update)$/m.test(event) && data !== undefined) {
            yield JSON.parse(data) as ContactThread.ThreadMessage
          }
        }
      }
    }
  }
}
