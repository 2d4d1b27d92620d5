/** A small seeded generator (mulberry32): the same seed gives the same damage. */
export const random = (seed: number): (() => number) => {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}

const strange: ReadonlyArray<unknown> = [
  null,
  true,
  0,
  -1,
  1e308,
  1.5,
  "",
  "\u0000",
  "\ud800",
  "🧑‍🚀".repeat(3),
  "x".repeat(70_000),
  [],
  {},
  [[[]]],
  { id: {} },
  "__proto__"
]

const pick = <A>(from: ReadonlyArray<A>, next: () => number): A => from[Math.floor(next() * from.length)]!

/** Changes one place of a JSON value: takes it out, replaces it or doubles it. */
const mutate = (value: unknown, next: () => number): unknown => {
  const isList = Array.isArray(value)
  if (typeof value !== "object" || value === null || next() < 0.15) return pick(strange, next)
  const entries = Object.entries(value as Record<string, unknown>)
  if (entries.length === 0) return pick(strange, next)
  const [name, inner] = pick(entries, next)
  const roll = next()
  if (isList) {
    const list = [...(value as Array<unknown>)]
    const index = Number(name)
    if (roll < 0.15) list.splice(index, 1)
    else if (roll < 0.3) list.splice(index, 0, inner)
    else list[index] = mutate(inner, next)
    return list
  }
  const { [name]: _, ...others } = value as Record<string, unknown>
  return roll < 0.2 ? others : { ...others, [name]: mutate(inner, next) }
}

const parsed = (bytes: Uint8Array): { readonly value: unknown } | undefined => {
  try {
    return { value: JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes)) }
  } catch {
    return undefined
  }
}

/** Damaged versions of some input: cut off, bytes changed, and where it is JSON, values replaced inside. */
export const mutations = (bytes: Uint8Array, count: number, seed: number): ReadonlyArray<Uint8Array> => {
  const next = random(seed)
  const json = parsed(bytes)
  return Array.from({ length: count }, (_, index) => {
    if (json !== undefined && index % 4 !== 0) {
      let value = json.value
      for (let left = 1 + Math.floor(next() * 3); left > 0; left--) value = mutate(value, next)
      return new TextEncoder().encode(JSON.stringify(value))
    }
    if (index % 8 === 0) return bytes.slice(0, Math.floor(next() * bytes.length))
    const changed = bytes.slice()
    for (let left = 1 + Math.floor(next() * 8); left > 0; left--)
      changed[Math.floor(next() * changed.length)] = Math.floor(next() * 256)
    return changed
  })
}
