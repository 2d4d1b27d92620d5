import { SqliteStorageError } from "../SqliteStorageError.ts"
import { type Beside, beside, startBeside } from "./Beside.ts"
import type { CheckerSettings, Checking } from "./CheckConnection.ts"
import { explain } from "./Explain.ts"

/** **Fails with** {@link SqliteStorageError} (thrown) that says what was found, when anything was. */
export const checkFound = (file: string, found: ReadonlyArray<string>): void => {
  if (found.length > 0)
    throw new SqliteStorageError("sqlite-corrupt", file, `the integrity check found: ${found.join("; ")}`)
}

/** Checks a file on a thread of its own. **Fails with** {@link SqliteStorageError} (rejected) when it is damaged. */
export const checkOnThread = (settings: CheckerSettings): Promise<void> =>
  beside("check", settings, async (ask) => {
    for (const table of await ask("tables")) checkFound(settings.file, await ask("check", table))
  })

/** Checks a file while it is in use, on a thread of its own. */
export class IntegrityCheck {
  readonly #settings: CheckerSettings
  readonly #onDamage: (error: SqliteStorageError) => void
  /** Reasons to pause: erasures under way. */
  #holds = 0
  #isStopped = false
  #resume = Promise.withResolvers<void>()
  #checking: Promise<unknown> | undefined
  readonly #done: Promise<void>
  constructor(settings: CheckerSettings, onDamage: (error: SqliteStorageError) => void) {
    this.#settings = settings
    this.#onDamage = onDamage
    this.#done = this.#run()
  }

  /** Does something while the check does not hold the log. */
  async paused<A>(run: () => Promise<A>): Promise<A> {
    this.#holds++
    try {
      await this.#checking?.catch(() => undefined)
      return await run()
    } finally {
      this.#holds--
      this.#wake()
    }
  }

  /** Ends it; a table that is being checked is checked to its end. */
  async stop(): Promise<void> {
    this.#isStopped = true
    this.#wake()
    await this.#done
  }

  #wake(): void {
    this.#resume.resolve()
    this.#resume = Promise.withResolvers()
  }

  async #run(): Promise<void> {
    const { file } = this.#settings
    try {
      const other = await startBeside("check", this.#settings)
      if (other === undefined) throw new Error('no thread can be started; ask for the check "before"')
      try {
        await this.#checkAll(other)
      } finally {
        await other.close()
      }
    } catch (cause) {
      const error = explain(file, cause)
      if (error instanceof SqliteStorageError && error.code === "sqlite-corrupt") {
        process.emitWarning(error.message, { code: "SWITCHBOARD_SQLITE_DAMAGED" })
        this.#onDamage(error)
      } else if (!this.#isStopped) {
        const reason = error instanceof Error ? error.message : String(error)
        process.emitWarning(`The integrity of ${file} was not checked: ${reason}`, {
          code: "SWITCHBOARD_SQLITE_UNCHECKED"
        })
      }
    }
  }

  async #checkAll({ ask }: Beside<Checking>): Promise<void> {
    for (const table of await ask("tables")) {
      while (this.#holds > 0 && !this.#isStopped) await this.#resume.promise
      if (this.#isStopped) return
      const checking = ask("check", table)
      this.#checking = checking
      checkFound(this.#settings.file, await checking)
    }
  }
}
