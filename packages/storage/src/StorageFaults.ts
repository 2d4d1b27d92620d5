/**
 * A process that dies at a chosen call, for tests that enumerate crash points: run the scenario once to count its calls,
 * then once for each of them, dying before and after it, and open again what is left.
 */
import type { StorageDriver } from "./StorageDriver.ts"

/** Where to die: before or after the call of that number, counted from 1. No number: nowhere, only count. */
export interface CrashPoint {
  readonly at?: number
  readonly when?: "before" | "after"
}

/** The simulated process is dead: this call, and every one after it, fails. */
export class CrashedError extends Error {
  readonly _tag = "CrashedError"
  readonly code = "crashed"
  readonly call: number
  readonly method: string
  constructor(call: number, method: string) {
    super(`The simulated process died at call ${call}, ${method}. Open the storage again to see what is left.`)
    this.name = "CrashedError"
    this.call = call
    this.method = method
  }
}

/** Counts the calls of everything it wraps together, and dies at one of them. */
export interface Crash {
  /** Puts a wrapper around an object's functions; what they close over stays alive behind it. */
  readonly wrap: <A extends object>(target: A) => A
  readonly calls: () => number
  /** What was called, in order. */
  readonly methods: () => ReadonlyArray<string>
  readonly crashed: () => boolean
}

/**
 * One count over several objects: a storage driver, a blob store, a network client.
 *
 * **Example**
 * ```ts
 * import { strict as assert } from "node:assert"
 * import { MemoryStorage, StorageFaults } from "@switchboard/storage"
 *
 * const memory = MemoryStorage.make()
 * const { driver, calls, crashed } = StorageFaults.crash(memory, { at: 2, when: "after" })
 * await driver.prepare([])
 * const claim = { workspace: "acme", claims: [{ key: "message/1", value: "here" }] }
 * await assert.rejects(driver.commit([claim], 0), { code: "crashed", call: 2 })
 * await assert.rejects(driver.head("acme"), { code: "crashed" })
 * assert.deepEqual([calls(), crashed()], [2, true])
 * // It died after the commit: the caller doesn't know, but it is there.
 * assert.equal((await memory.claims("acme", ["message/1"], 0))[0]?.value, "here")
 * ```
 */
export const plan = ({ at, when = "before" }: CrashPoint = {}): Crash => {
  const methods: Array<string> = []
  let dead: CrashedError | undefined
  const die = (method: string): CrashedError => {
    dead = new CrashedError(methods.length, method)
    return dead
  }
  const call = (method: string, run: () => unknown): unknown => {
    if (dead !== undefined) throw dead
    const fatal = methods.push(method) === at
    if (fatal && when === "before") throw die(method)
    const result = run()
    if (!(result instanceof Promise)) {
      if (fatal) throw die(method)
      return result
    }
    if (fatal) return result.then(() => Promise.reject(die(method)))
    // A call under way when the process dies has no one to return to.
    return result.then((value) => (dead === undefined ? value : Promise.reject(dead)))
  }
  const wrap = <A extends object>(target: A): A => {
    const wrapped: Record<string, unknown> = {}
    for (const [name, member] of Object.entries(target)) {
      wrapped[name] =
        typeof member !== "function"
          ? member
          : (...parameters: ReadonlyArray<unknown>) => {
              const run = () => Reflect.apply(member, target, parameters)
              // These answer at once; what would reject must not throw.
              if (name === "watch" || name === "dump") return call(name, run)
              return (async () => call(name, run))()
            }
    }
    return wrapped as A
  }
  return { wrap, calls: () => methods.length, methods: () => methods, crashed: () => dead !== undefined }
}

/** Wraps a driver that dies before or after its call number `at`. */
export const crash = (
  driver: StorageDriver,
  point: CrashPoint = {}
): Omit<Crash, "wrap"> & { readonly driver: StorageDriver } => {
  const { wrap, ...rest } = plan(point)
  const { fullText } = driver
  return { driver: { ...wrap(driver), ...(fullText && { fullText: wrap(fullText) }) }, ...rest }
}
