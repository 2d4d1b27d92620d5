/** What the sandbox was sent, so that tests and the simulator see the desk's answers as a contact would. */

/** One message as it left the desk. */
export interface SentMessage {
  /** Rises by one for each. */
  readonly sequence: number
  readonly platform: "whatsapp" | "telegram" | "email"
  /** A phone number without its plus, a chat's id or a mail address. */
  readonly to: string
  readonly text: string
  /** What the platform calls it. */
  readonly id: string
  readonly buttons: ReadonlyArray<{ readonly id: string; readonly label: string }>
  /** The request's body, or the whole mail. */
  readonly raw: unknown
}

export interface SentLog {
  readonly messages: ReadonlyArray<SentMessage>
  readonly add: (message: Omit<SentMessage, "sequence">) => void
  readonly after: (sequence: number) => { readonly messages: ReadonlyArray<SentMessage>; readonly head: number }
}

// A sandbox that runs for days must not remember everything.
const remembered = 5000

export const makeSentLog = (): SentLog => {
  const messages: Array<SentMessage> = []
  let head = 0
  return {
    messages,
    add: (message) => {
      messages.push({ ...message, sequence: ++head })
      if (messages.length > remembered) messages.shift()
    },
    after: (sequence) => ({ messages: messages.filter((one) => one.sequence > sequence), head })
  }
}
