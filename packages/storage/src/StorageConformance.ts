/**
 * What every storage driver must pass, for the author of one.
 *
 * The suite takes the test function of whatever runner you use, asserts on its own, and is steered only by the declared
 * capabilities: a durable driver is also closed and opened again, one for several processes is opened twice.
 */
import { equal, ok } from "./internal/Check.ts"
import { claims } from "./internal/conformance/Claims.ts"
import { commits } from "./internal/conformance/Commits.ts"
import { documents } from "./internal/conformance/Documents.ts"
import { durability, processes } from "./internal/conformance/Durability.ts"
import { epochs } from "./internal/conformance/Epochs.ts"
import { erasure } from "./internal/conformance/Erasure.ts"
import { fullText } from "./internal/conformance/FullText.ts"
import { type Opened, type Reopened, views } from "./internal/conformance/Given.ts"
import { holdings } from "./internal/conformance/Holdings.ts"
import { journal } from "./internal/conformance/Journal.ts"
import { limits } from "./internal/conformance/Limits.ts"
import { readers } from "./internal/conformance/Readers.ts"
import { timers } from "./internal/conformance/Timers.ts"
import { workspaces } from "./internal/conformance/Workspaces.ts"
import type { StorageCapabilities, StorageDriver } from "./StorageDriver.ts"

/** One empty storage to test. */
export interface Subject {
  readonly driver: StorageDriver
  /** Opens the same data once more, not prepared; a durable driver must have it. The suite closes what it opened before, unless it tests several at once. */
  readonly reopen?: () => Promise<StorageDriver>
  /** Removes what is left. Called after every driver was closed. */
  readonly dispose?: () => Promise<void>
}

/** What the suite needs. */
export interface Options {
  readonly test: (title: string, run: () => Promise<void>) => void
  /** Opens a new, empty storage, not prepared. */
  readonly make: () => Promise<Subject>
  /** What the driver declares: steers which tests there are. */
  readonly capabilities: StorageCapabilities
}

/**
 * Registers the tests of the storage contract.
 *
 * **Example**
 * ```ts
 * import { MemoryStorage } from "@switchboard/storage"
 * import { storageConformance } from "@switchboard/storage/StorageConformance"
 *
 * // With Vitest or node:test, pass its own `test`.
 * const tests: Array<() => Promise<void>> = []
 * storageConformance({
 *   test: (_title, run) => tests.push(run),
 *   make: async () => ({ driver: MemoryStorage.make() }),
 *   capabilities: { durable: false, multiProcess: false, notify: false, fullText: true }
 * })
 * for (const run of tests) await run()
 * ```
 */
export const storageConformance = ({ test, make, capabilities }: Options): void => {
  const opened: Opened = (title, run) =>
    test(title, async () => {
      const subject = await make()
      try {
        await subject.driver.prepare(views)
        await run(subject.driver, subject)
      } finally {
        await subject.driver.close()
        await subject.dispose?.()
      }
    })

  const reopened: Reopened = (title, run) =>
    test(title, async () => {
      const subject = await make()
      let current = subject.driver
      await current.prepare(views)
      try {
        await run(current, async () => {
          await current.close()
          current = await subject.reopen!()
          return current
        })
      } finally {
        await current.close()
        await subject.dispose?.()
      }
    })

  test("[STORAGE-0] the driver declares the capabilities the suite was given", async () => {
    const { driver, dispose } = await make()
    equal(driver.capabilities, capabilities, "capabilities")
    equal(driver.fullText !== undefined, capabilities.fullText, "full text")
    ok(driver.name !== "", "a driver has a name")
    await driver.prepare(views)
    await driver.close()
    await dispose?.()
  })

  for (const topic of [
    commits,
    journal,
    documents,
    timers,
    claims,
    readers,
    erasure,
    workspaces,
    limits,
    holdings,
    epochs
  ])
    topic(opened)
  if (capabilities.durable) durability(reopened)
  if (capabilities.fullText)
    fullText(opened, {
      reopened: capabilities.durable ? reopened : undefined,
      isShared: capabilities.multiProcess
    })
  if (capabilities.multiProcess) processes(opened)
}
