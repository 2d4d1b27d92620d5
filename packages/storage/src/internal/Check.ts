/** Assertions of the suites: a runner's own can't be imported here, and Node's neither. */

const show = (value: unknown): string => {
  const text = JSON.stringify(value) ?? String(value)
  return text.length > 600 ? `${text.slice(0, 600)}…` : text
}

const same = (left: unknown, right: unknown): boolean => {
  if (Object.is(left, right)) return true
  if (typeof left !== "object" || typeof right !== "object" || left === null || right === null) return false
  if (Array.isArray(left) !== Array.isArray(right)) return false
  if (Array.isArray(left) && left.length !== (right as ReadonlyArray<unknown>).length) return false
  const a = left as Record<string, unknown>
  const b = right as Record<string, unknown>
  const keys = new Set([...Object.keys(a), ...Object.keys(b)])
  for (const key of keys)
    if (!same(Object.hasOwn(a, key) ? a[key] : undefined, Object.hasOwn(b, key) ? b[key] : undefined)) return false
  return true
}

/** Fails unless both are alike all the way down; a property that is `undefined` counts as absent. */
export const equal = (found: unknown, expected: unknown, what: string): void => {
  if (!same(found, expected)) throw new Error(`${what}: expected ${show(expected)}, found ${show(found)}`)
}

export const ok = (condition: boolean, what: string): void => {
  if (!condition) throw new Error(what)
}

/** Fails unless it rejects; returns what it rejected with. */
export const rejects = async (run: () => Promise<unknown>, what: string): Promise<unknown> => {
  let found: unknown
  try {
    found = await run()
  } catch (error) {
    return error
  }
  throw new Error(`${what}: expected a rejection, found ${show(found)}`)
}
