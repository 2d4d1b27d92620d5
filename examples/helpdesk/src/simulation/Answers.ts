/** What the desk answered, as the simulated contacts see it: from the sandbox, and from the web chat. */
import type { ContactThread } from "@switchboard/channel"
import { readHeaders } from "../sandbox/mail.ts"
import type { SentMessage } from "../sandbox/sent.ts"
import type { ChatVisitor } from "./ChatVisitor.ts"

/** The last answer to one address, and how many there were. */
export interface Answered {
  readonly count: number
  /** What the platform calls it. */
  readonly id: string
  readonly buttons: SentMessage["buttons"]
  /** Of a mail: where an answer goes. */
  readonly replyTo?: string
}

export interface Answers {
  readonly of: (address: string) => Answered | undefined
  /** Reads what is new from the sandbox; returns it. */
  readonly poll: () => Promise<ReadonlyArray<SentMessage>>
  /** Reads what is new to a visitor of the web chat; returns how much. */
  readonly read: (address: string, visitor: ChatVisitor) => Promise<number>
}

/** How an address is told from those of other channels. */
export const toAddress = (platform: string, to: string): string => `${platform}:${to}`

const toButtons = ({ parts }: ContactThread.ThreadMessage): SentMessage["buttons"] =>
  parts.flatMap((part) => (part.kind === "choices" ? part.options.map(({ id, label }) => ({ id, label })) : []))

export const makeAnswers = (deskUrl: string): Answers => {
  const answered = new Map<string, Answered>()
  const places = new Map<string, number>()
  let after: number | undefined

  const add = (address: string, answer: Omit<Answered, "count">): void => {
    answered.set(address, { ...answer, count: (answered.get(address)?.count ?? 0) + 1 })
  }
  const sent = async (from: number) => {
    const response = await fetch(`${deskUrl}/sandbox/sent?after=${from}`, { signal: AbortSignal.timeout(10_000) })
    return (await response.json()) as { readonly messages: ReadonlyArray<SentMessage>; readonly head: number }
  }

  return {
    of: (address) => answered.get(address),
    poll: async () => {
      // What was sent before the simulation is not an answer to it, and a desk that was started again counts anew.
      after ??= (await sent(Number.MAX_SAFE_INTEGER)).head
      const { messages, head } = await sent(after)
      after = head
      for (const { platform, to, id, buttons, raw } of messages) {
        const replyTo = platform === "email" ? readHeaders(String(raw)).get("reply-to") : undefined
        add(toAddress(platform, to), { id, buttons, ...(replyTo === undefined ? {} : { replyTo }) })
      }
      return messages
    },
    read: async (address, visitor) => {
      const { messages, head } = await visitor.thread(places.get(address) ?? 0)
      places.set(address, head)
      const answers = messages.filter(({ direction }) => direction === "out")
      for (const message of answers) add(address, { id: message.id, buttons: toButtons(message) })
      // As the widget does for what it shows.
      if (answers.length > 0) await visitor.send(answers.map(({ id }) => ({ kind: "read", messageId: id })))
      return answers.length
    }
  }
}
