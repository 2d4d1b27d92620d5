/** Carries out traffic against a running desk. */
import { randomUUID } from "node:crypto"
import { setTimeout as sleep } from "node:timers/promises"
import { supportAddress } from "../../desk.config.ts"
import { toPicture } from "../sandbox/picture.ts"
import type { Answer } from "./Answer.ts"
import { type Answered, makeAnswers, toAddress } from "./Answers.ts"
import { type ChatVisitor, openChat } from "./ChatVisitor.ts"
import { compose, type MailSender } from "./MailSender.ts"
import * as Summary from "./Summary.ts"
import * as Telegram from "./TelegramSender.ts"
import type { Step } from "./Traffic.ts"
import * as WhatsApp from "./WhatsAppSender.ts"

export interface SimulationOptions {
  readonly deskUrl: string
  readonly mail: MailSender
  readonly steps: ReadonlyArray<Step>
  /** Ends it early: what is under way is finished, nothing new begins. */
  readonly signal: AbortSignal
}

/** A simulation under way; `summary` counts while it runs. */
export interface Simulation {
  readonly summary: Summary.Summary
  readonly finished: Promise<void>
}

/** How long a contact waits for an answer before writing on without one. */
const patienceMs = 8000
/** How long answers are still looked for after the last message. */
const lastAnswersMs = 3000
const pollMs = 500
const attemptLimit = 30

/** The same bytes at every attempt. */
type Attempt = () => Promise<Answer>

const addressOf = ({ channel, person }: Step): string => {
  switch (channel) {
    case "webchat":
      return toAddress(channel, String(person.index))
    case "email":
      return toAddress(channel, person.email)
    case "whatsapp":
      return toAddress(channel, person.phone)
    case "telegram":
      return toAddress(channel, String(person.chatId))
  }
}

export const start = ({ deskUrl, mail, steps, signal }: SimulationOptions): Simulation => {
  const summary = Summary.make()
  const answers = makeAnswers(deskUrl)
  const visitors = new Map<number, Promise<ChatVisitor>>()
  /** Visitors who wrote lately, by address. */
  const lively = new Map<string, { readonly visitor: ChatVisitor; readonly untilMs: number }>()
  /** The mails of an exchange, for the headers that tie it together. */
  const mails = new Map<number, ReadonlyArray<string>>()
  // Platforms never use an id twice: each run has its own, whatever its seed.
  const run = Date.now()

  const visitorOf = async ({ person }: Step): Promise<ChatVisitor> => {
    const { name, language, email, phone, signedIn } = person
    const opening =
      visitors.get(person.index) ??
      openChat(deskUrl, { name, language, ...(signedIn ? { email, phone: `+${phone}` } : {}) })
    visitors.set(person.index, opening)
    try {
      return await opening
    } catch (error) {
      visitors.delete(person.index)
      throw error
    }
  }

  const pressed = (step: Step, answer: Answered | undefined) =>
    step.said.kind === "choice" ? answer?.buttons.find(({ id }) => id === step.said.choice) : undefined

  const toWhatsApp = (step: Step, answer: Answered | undefined): Attempt => {
    const { person, said, index } = step
    const id = `wamid.simulation.${run}.${index}`
    const button = pressed(step, answer)
    const event: WhatsApp.WhatsAppEvent =
      button && answer
        ? { kind: "button", id, buttonId: button.id, label: button.label, of: answer.id }
        : said.kind === "picture"
          ? { kind: "image", id, mediaId: String(run + index), caption: said.text }
          : { kind: "text", id, text: said.text }
    const body = step.nonsense
      ? '{"object":"whatsapp_business_account","entry":['
      : WhatsApp.toBody(person, event, Date.now())
    return () => WhatsApp.send(deskUrl, body)
  }

  const toTelegram = (step: Step, answer: Answered | undefined): Attempt => {
    const { person, said, index } = step
    const id = run + index
    const button = pressed(step, answer)
    const event: Telegram.TelegramEvent =
      button && answer
        ? { kind: "button", id, data: button.id, label: button.label, ofMessageId: Number(answer.id) }
        : said.kind === "picture"
          ? { kind: "photo", id, fileId: `photo-${id}`, caption: said.text }
          : { kind: "text", id, text: said.text }
    const body = step.nonsense
      ? JSON.stringify({ update_id: id, message: { message_id: "none" } })
      : Telegram.toBody(person, event, Date.now())
    return () => Telegram.send(deskUrl, body)
  }

  const toMail = async (step: Step, answer: Answered | undefined): Promise<Attempt> => {
    const { person, said, index, conversation, subject } = step
    const before = mails.get(conversation) ?? []
    const messageId = `<simulation-${run}-${index}@kunde.example>`
    const references = [...before, ...(answer ? [answer.id] : [])]
    const inReplyTo = references.at(-1)
    mails.set(conversation, [...references, messageId])
    const letter = await compose(
      {
        from: { name: person.name, address: person.email },
        to: answer?.replyTo ?? supportAddress,
        subject: inReplyTo === undefined ? subject : `Re: ${subject}`,
        text: said.text,
        messageId,
        language: person.language,
        ...(inReplyTo === undefined ? {} : { inReplyTo, references }),
        ...(said.kind === "picture" ? { picture: toPicture(messageId) } : {})
      },
      Date.now()
    )
    const nobody = Buffer.from(`Subject: ${index}\r\n\r\nNobody wrote this.\r\n`)
    return () => mail.send(step.nonsense ? { ...letter, raw: nobody } : letter)
  }

  const toChat = (step: Step, answer: Answered | undefined): Attempt => {
    const { said } = step
    const clientId = randomUUID()
    const button = pressed(step, answer)
    const base64 = said.kind === "picture" ? Buffer.from(toPicture(clientId)).toString("base64") : ""
    const entry = step.nonsense
      ? { kind: "dance", clientId }
      : button && answer
        ? { kind: "action", clientId, actionId: button.id, label: button.label, ofMessageId: answer.id }
        : {
            kind: "message",
            clientId,
            text: said.text,
            ...(said.kind === "picture" ? { attachments: [{ name: "photo.png", mediaType: "image/png", base64 }] } : {})
          }
    return async () => {
      try {
        const visitor = await visitorOf(step)
        const result = await visitor.send([entry])
        lively.set(addressOf(step), { visitor, untilMs: Date.now() + 60_000 })
        return result
      } catch (error) {
        return { outcome: "again", reason: error instanceof Error ? error.message : String(error), afterMs: 500 }
      }
    }
  }

  const toAttempt = (step: Step): Attempt | Promise<Attempt> => {
    const answer = answers.of(addressOf(step))
    switch (step.channel) {
      case "webchat":
        return toChat(step, answer)
      case "email":
        return toMail(step, answer)
      case "whatsapp":
        return toWhatsApp(step, answer)
      case "telegram":
        return toTelegram(step, answer)
    }
  }

  const deliver = async (step: Step): Promise<void> => {
    const counts = summary.channels[step.channel]
    const attempt = await toAttempt(step)
    const beganAt = performance.now()
    counts.sent++
    for (let attempts = 1; ; attempts++) {
      const answer = await attempt()
      if (answer.outcome === "acknowledged") break
      const isOver = attempts === attemptLimit || signal.aborted
      if (answer.outcome === "refused" || isOver) {
        counts.refused++
        summary.reasons.add(`${step.channel}: ${answer.reason}`)
        return
      }
      counts.retried++
      await sleep(answer.afterMs, undefined, { signal }).catch(() => {})
    }
    counts.acknowledged++
    counts.acknowledgedMs.push(performance.now() - beganAt)
    if (step.repeated) {
      counts.repeated++
      await attempt()
    }
  }

  const poll = async (): Promise<void> => {
    for (const { platform } of await answers.poll()) summary.channels[platform].answers++
    for (const [address, { visitor, untilMs }] of [...lively].slice(0, 100)) {
      summary.channels.webchat.answers += await answers.read(address, visitor)
      if (untilMs < Date.now()) lively.delete(address)
    }
  }

  const carryOut = async (): Promise<void> => {
    const beganAt = performance.now()
    const watching = new AbortController()
    const watch = (async () => {
      while (!watching.signal.aborted) {
        await poll().catch(() => {})
        await sleep(pollMs, undefined, { signal: watching.signal }).catch(() => {})
      }
    })()

    /** One exchange is carried on by one person: a message follows the one before. */
    const exchanges = new Map<number, Promise<void>>()
    const counted = new Map<string, number>()
    const write = async (step: Step): Promise<void> => {
      const address = addressOf(step)
      const hasAnswer = () => (answers.of(address)?.count ?? 0) > (counted.get(address) ?? 0)
      const until = performance.now() + patienceMs
      while (step.afterAnswer && !hasAnswer() && performance.now() < until && !signal.aborted) await sleep(100)
      if (signal.aborted) return
      counted.set(address, answers.of(address)?.count ?? 0)
      await deliver(step)
    }
    for (const step of steps) {
      const waitMs = step.atMs - (performance.now() - beganAt)
      if (waitMs > 0) await sleep(waitMs, undefined, { signal }).catch(() => {})
      if (signal.aborted) break
      const before = exchanges.get(step.conversation) ?? Promise.resolve()
      exchanges.set(
        step.conversation,
        before.then(() => write(step))
      )
    }
    await Promise.all(exchanges.values())
    if (!signal.aborted) await sleep(lastAnswersMs, undefined, { signal }).catch(() => {})
    watching.abort()
    await watch
  }

  return { summary, finished: carryOut() }
}
