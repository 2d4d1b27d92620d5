/** How times, sizes and names read on screen. Everything takes its instant as an argument. */

const minute = 60_000
const hour = 60 * minute
const day = 24 * hour

/** `45s`, `12m`, `3h 05m`, `2d 4h`: as short as it is still useful. */
export const toDuration = (ms: number): string => {
  const abs = Math.max(0, ms)
  if (abs < minute) return `${Math.floor(abs / 1000)}s`
  if (abs < hour) return `${Math.floor(abs / minute)}m`
  if (abs < day) return `${Math.floor(abs / hour)}h ${String(Math.floor((abs % hour) / minute)).padStart(2, "0")}m`
  return `${Math.floor(abs / day)}d ${Math.floor((abs % day) / hour)}h`
}

/** Like {@link toDuration}, with seconds while they matter: `9:41` below ten minutes. */
export const toCountdown = (ms: number): string => {
  const abs = Math.abs(ms)
  if (abs >= 10 * minute) return toDuration(abs)
  return `${Math.floor(abs / minute)}:${String(Math.floor((abs % minute) / 1000)).padStart(2, "0")}`
}

const startOfDay = (ms: number): number => new Date(ms).setHours(0, 0, 0, 0)
const daysBetween = (from: number, to: number): number => Math.round((startOfDay(to) - startOfDay(from)) / day)

export const toTime = (ms: number): string =>
  new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" }).format(ms)

export const toDate = (ms: number): string =>
  new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" }).format(ms)

/** What stands above a day's messages. */
export const toDay = (ms: number, now: number): string => {
  const days = daysBetween(ms, now)
  if (days === 0) return "Today"
  if (days === 1) return "Yesterday"
  return new Intl.DateTimeFormat(undefined, {
    weekday: "long",
    day: "numeric",
    month: "long",
    ...(new Date(ms).getFullYear() !== new Date(now).getFullYear() && { year: "numeric" })
  }).format(ms)
}

export const isSameDay = (a: number, b: number): boolean => startOfDay(a) === startOfDay(b)

/** `14:03`, `Mon`, `3 Nov`: when something last happened, in a list. */
export const toWhen = (ms: number, now: number): string => {
  const days = daysBetween(ms, now)
  if (days <= 0) return toTime(ms)
  if (days < 7) return new Intl.DateTimeFormat(undefined, { weekday: "short" }).format(ms)
  return new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short" }).format(ms)
}

export const toSize = (bytes: number): string => {
  if (bytes < 1000) return `${bytes} B`
  if (bytes < 1_000_000) return `${Math.round(bytes / 1000)} kB`
  return `${(bytes / 1_000_000).toFixed(1)} MB`
}

/** Makes a beginning of half a sentence: the desk's reasons are such. */
export const toCapital = (words: string): string => `${words.charAt(0).toUpperCase()}${words.slice(1)}`

/** `first-reply` → `First reply`. */
export const toWords = (id: string): string => {
  const words = id.replace(/([a-z])([A-Z])/g, "$1 $2").replace(/[-_]+/g, " ")
  return toCapital(words.toLowerCase())
}

/** Up to two letters that stand for a name. */
export const toInitials = (name: string): string => {
  const words = name.split(/\s+/).filter((word) => /^\p{L}/u.test(word))
  const picked = words.length > 1 ? [words[0]!, words.at(-1)!] : words
  return picked.map((word) => [...word][0]!.toUpperCase()).join("")
}

export const toPercent = (share0to1: number): string =>
  new Intl.NumberFormat(undefined, { style: "percent", maximumFractionDigits: share0to1 < 0.1 ? 1 : 0 }).format(
    share0to1
  )

/** A language's own name in the agent's language. */
export const toLanguage = (tag: string): string => {
  try {
    return new Intl.DisplayNames(undefined, { type: "language" }).of(tag) ?? tag
  } catch {
    return tag
  }
}
