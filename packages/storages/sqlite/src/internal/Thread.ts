import { Worker } from "node:worker_threads"
import { type Answer, errorOf, type Opening, type Request } from "./ThreadMessage.ts"

// Both are literals, so that bundlers see them: the sources run as TypeScript, the package as JavaScript.
const isSource = import.meta.url.endsWith(".ts")
const threadUrl = isSource
  ? new URL("../SqliteThread.ts", import.meta.url)
  : new URL("./SqliteThread.js", import.meta.url)

// Of the environment only where compiled code is kept: it starts in a third of the time.
const { NODE_COMPILE_CACHE } = process.env
const env = NODE_COMPILE_CACHE === undefined ? {} : { NODE_COMPILE_CACHE }

interface Waiting {
  readonly resolve: (value: never) => void
  readonly reject: (error: Error) => void
}

/** A thread that has opened its connection. */
export class Thread {
  /** It ended: nothing can be asked of it any more. */
  isOver = false
  readonly #worker: Worker
  readonly #waiting: Array<Waiting> = []
  private constructor(worker: Worker) {
    this.#worker = worker
    worker
      .on("message", (answer: Answer) => {
        const asked = this.#waiting.shift()
        if (this.#waiting.length === 0) worker.unref()
        if ("failure" in answer) asked?.reject(errorOf(answer.failure))
        else asked?.resolve(answer.value as never)
      })
      .on("error", (error: Error) => this.#end(error))
      .on("exit", (code) => this.#end(new Error(`The thread ended with code ${code}.`)))
  }

  /** Starts one; where none can be started, why. **Fails with** (rejected) why it could not open its connection. */
  static async start(opening: Opening): Promise<Thread | string> {
    let worker: Worker
    try {
      worker = new Worker(threadUrl, {
        workerData: opening,
        env,
        execArgv: ["--disable-warning=ExperimentalWarning", ...(isSource ? ["--conditions=@switchboard/source"] : [])]
      })
    } catch (error) {
      return String(error)
    }
    const thread = new Thread(worker)
    try {
      await thread.#next()
      return thread
    } catch (error) {
      await worker.terminate()
      if (thread.isOver) return String(error)
      throw error
    }
  }

  ask(...request: Request): Promise<never> {
    this.#worker.postMessage(request)
    return this.#next()
  }

  /** Closes its connection, and ends it. */
  async close(): Promise<void> {
    if (this.isOver) return
    try {
      await this.ask("close")
    } finally {
      await this.#worker.terminate()
    }
  }

  /** Waits for one answer more; the first says that the connection is open. */
  #next(): Promise<never> {
    // Only while it works does it keep the program alive.
    if (this.#waiting.length === 0) this.#worker.ref()
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject })
    })
  }

  #end(error: Error): void {
    this.isOver = true
    for (const { reject } of this.#waiting.splice(0)) reject(error)
  }
}
