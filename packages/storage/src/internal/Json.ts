/** What JSON makes of a value, deep-frozen: later changes to the original can't reach it, and it can be shared. */
export const freezeCopy = <A>(value: A): A => copy(value) as A

const copy = (value: unknown): unknown => {
  switch (typeof value) {
    case "string":
    case "boolean":
      return value
    case "number":
      // JSON knows neither infinities nor a negative zero.
      return Number.isFinite(value) ? value + 0 : null
    case "object":
      break
    case "bigint":
      throw new TypeError("a bigint can't be stored as JSON")
    default:
      return undefined
  }
  if (value === null) return null
  if (Array.isArray(value)) return Object.freeze(value.map((item) => copy(item) ?? null))
  const from = value as { readonly [key: string]: unknown; readonly toJSON?: unknown }
  if (typeof from.toJSON === "function") return copy(from.toJSON())
  const to: Record<string, unknown> = {}
  for (const key of Object.keys(from)) {
    const item = copy(from[key])
    if (item === undefined) continue
    if (key === "__proto__") Object.defineProperty(to, key, { value: item, enumerable: true })
    else to[key] = item
  }
  return Object.freeze(to)
}

/** What keeps a value from being stored as JSON and read back equal: where, and what was found there. */
export interface Unfit {
  readonly path: string
  readonly found: string
}

/**
 * An upper bound of the UTF-8 bytes of a value's JSON, or what makes it unfit. A walk instead of a `JSON.stringify`:
 * the driver will do that anyway, and most values are far below any limit.
 */
export const measure = (value: unknown, depth: number): number | Unfit => {
  switch (typeof value) {
    case "string":
      // A control character or lone surrogate takes six bytes as an escape.
      return value.length * 6 + 2
    case "number":
      return Number.isFinite(value) ? 25 : { path: "", found: String(value) }
    case "boolean":
      return 5
    case "object":
      break
    default:
      return { path: "", found: typeof value }
  }
  if (value === null) return 4
  if (depth === 0) return { path: "", found: "deeper nesting" }
  let bytes = 2
  if (Array.isArray(value)) {
    for (let index = 0; index < value.length; index++) {
      const item = measure(value[index], depth - 1)
      if (typeof item !== "number") return { path: `[${index}]${item.path}`, found: item.found }
      bytes += item + 1
    }
    return bytes
  }
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype !== Object.prototype && prototype !== null) {
    const name = (value as { constructor?: { name?: string } }).constructor?.name
    return { path: "", found: name === undefined || name === "" ? "not a plain object" : `an instance of ${name}` }
  }
  const from = value as Record<string, unknown>
  for (const key in from) {
    const property = from[key]
    if (property === undefined) continue
    const item = measure(property, depth - 1)
    if (typeof item !== "number") return { path: `.${key}${item.path}`, found: item.found }
    bytes += item + key.length * 6 + 4
  }
  return bytes
}
