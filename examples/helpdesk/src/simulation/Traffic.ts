/** What a simulation will do: who writes what, where and when. The same seed gives the same traffic. */
import { makeRandom, type Random } from "./Random.ts"
import { type Language, languages, type Matter, matters, names, type Turn } from "./Sentences.ts"

export type ChannelKind = "webchat" | "email" | "whatsapp" | "telegram"
export const channelKinds: ReadonlyArray<ChannelKind> = ["webchat", "email", "whatsapp", "telegram"]

/** Somebody who writes, with all their addresses. `signedIn`: the shop vouches for them on the web chat. */
export interface Person {
  readonly index: number
  readonly name: string
  readonly language: Language
  readonly email: string
  /** Without its plus. */
  readonly phone: string
  readonly chatId: number
  readonly signedIn: boolean
}

/**
 * One message.
 *
 * **Shape** `turn` is its place in its conversation, from 0. `afterAnswer`: it is written once the desk has answered the
 * message before, if it does so soon. `repeated`: the platform delivers it a second time. `nonsense`: nothing that can be
 * used.
 *
 * **Units** `atMs` in milliseconds since the start.
 */
export interface Step {
  readonly index: number
  readonly atMs: number
  readonly conversation: number
  readonly turn: number
  readonly channel: ChannelKind
  readonly person: Person
  readonly subject: string
  readonly said: Turn
  readonly afterAnswer: boolean
  readonly repeated: boolean
  readonly nonsense: boolean
}

export interface TrafficOptions {
  readonly seed: number
  readonly perSecond: number
  readonly durationMs: number
}

interface Exchange {
  readonly conversation: number
  readonly person: Person
  readonly matter: Matter
  readonly order: number
  readonly amount: number
  /** Where the last turn is written, which for some people is elsewhere. */
  readonly channels: readonly [ChannelKind, ChannelKind]
  turn: number
  lastAtMs: number
}

const makePerson = (random: Random, index: number): Person => {
  const language = random.pick(languages)
  return {
    index,
    name: random.pick(names[language]),
    language,
    email: `contact-${index + 1}@kunde.example`,
    phone: String(34_600_000_000 + index),
    chatId: 50_000_000 + index,
    signedIn: random.chance(0.5)
  }
}

/** Chats are quick, mails are fewer. */
const pickChannel = (random: Random): ChannelKind => {
  const drawn = random.next()
  return drawn < 0.3 ? "webchat" : drawn < 0.6 ? "whatsapp" : drawn < 0.8 ? "telegram" : "email"
}

/** Where somebody may go on so that the desk knows them again: by an address that both channels verify. */
const pickNext = (random: Random, from: ChannelKind, { signedIn }: Person): ChannelKind => {
  if (!signedIn || from === "telegram" || !random.chance(0.4)) return from
  return from === "webchat" ? random.pick(["email", "whatsapp"]) : "webchat"
}

const fill = (turn: Turn, { order, amount }: Exchange): Turn => ({
  ...turn,
  text: turn.text.replace("{order}", String(order)).replace("{amount}", String(amount))
})

/** How long somebody takes for the next message, at least. */
const pauseMs = 3000

/** All messages, in order of time. */
export const make = ({ seed, perSecond, durationMs }: TrafficOptions): ReadonlyArray<Step> => {
  const random = makeRandom(seed)
  const people: Array<Person> = []
  let exchanges: ReadonlyArray<Exchange> = []
  let conversations = 0

  const begin = (atMs: number): Exchange => {
    const isKnown = people.length > 3 && random.chance(0.15)
    const person = isKnown ? people[random.between(0, people.length - 1)]! : makePerson(random, people.length)
    if (!isKnown) people.push(person)
    const first = pickChannel(random)
    const exchange: Exchange = {
      conversation: conversations++,
      person,
      matter: random.pick(matters[person.language]),
      order: random.between(10_000, 99_999),
      amount: random.between(12, 240),
      channels: [first, pickNext(random, first, person)],
      turn: 0,
      lastAtMs: atMs
    }
    exchanges = [...exchanges, exchange]
    return exchange
  }

  return Array.from({ length: Math.round((perSecond * durationMs) / 1000) }, (_, index): Step => {
    // Even on the whole, uneven in detail: each message has a slot of its own and comes somewhere in it.
    const atMs = Math.round(((index + random.next()) * 1000) / perSecond)
    const waiting = exchanges.find((one) => atMs - one.lastAtMs >= pauseMs)
    const exchange = waiting !== undefined && random.chance(0.7) ? waiting : begin(atMs)
    const { conversation, person, matter, channels } = exchange
    const turn = exchange.turn++
    exchange.lastAtMs = atMs
    const isLast = exchange.turn === matter.turns.length
    if (isLast) exchanges = exchanges.filter((one) => one !== exchange)
    return {
      index,
      atMs,
      conversation,
      turn,
      channel: isLast && turn > 0 ? channels[1] : channels[0],
      person,
      subject: matter.subject,
      said: fill(matter.turns[turn]!, exchange),
      afterAnswer: turn > 0,
      repeated: random.chance(0.05),
      nonsense: random.chance(0.02)
    }
  })
}
