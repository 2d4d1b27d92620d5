import { Worker } from "node:worker_threads"
import { type Answer, errorOf, type Request } from "./ThreadMessage.ts"
import { openWriter, type WriterSettings, type Writing } from "./WriterConnection.ts"

/** {@link Writing}, asked of another thread. */
export type Asked = {
  readonly [Name in keyof Writing]: (...input: Parameters<Writing[Name]>) => Promise<ReturnType<Writing[Name]>>
}

// Both are literals, so that bundlers see them: the sources run as TypeScript, the package as JavaScript.
const isSource = import.meta.url.endsWith(".ts")
const threadUrl = isSource
  ? new URL("../SqliteWriterThread.ts", import.meta.url)
  : new URL("./SqliteWriterThread.js", import.meta.url)

interface Waiting {
  readonly resolve: (value: never) => void
  readonly reject: (error: Error) => void
}

/** A thread that has opened the file, or why none can be started. */
const start = async (settings: WriterSettings): Promise<Thread | string> => {
  let worker: Worker
  try {
    worker = new Worker(threadUrl, {
      workerData: settings,
      env: {},
      execArgv: ["--disable-warning=ExperimentalWarning", ...(isSource ? ["--conditions=@switchboard/source"] : [])]
    })
  } catch (error) {
    return String(error)
  }
  const thread = new Thread(worker)
  try {
    await thread.next()
    return thread
  } catch (error) {
    await worker.terminate()
    if (thread.isOver) return String(error)
    throw error
  }
}

class Thread {
  /** It ended: nothing can be asked of it any more. */
  isOver = false
  readonly #worker: Worker
  readonly #waiting: Array<Waiting> = []
  constructor(worker: Worker) {
    this.#worker = worker
    worker
      .on("message", (answer: Answer) => {
        const asked = this.#waiting.shift()
        if (this.#waiting.length === 0) worker.unref()
        if ("failure" in answer) asked?.reject(errorOf(answer.failure))
        else asked?.resolve(answer.value as never)
      })
      .on("error", (error: Error) => this.#end(error))
      .on("exit", (code) => this.#end(new Error(`The thread that writes ended with code ${code}.`)))
  }

  #end(error: Error): void {
    this.isOver = true
    for (const { reject } of this.#waiting.splice(0)) reject(error)
  }

  /** Waits for one answer more; the first says that the file is open. */
  next(): Promise<never> {
    // Only while it works does it keep the program alive.
    if (this.#waiting.length === 0) this.#worker.ref()
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject })
    })
  }

  ask(...request: Request): Promise<never> {
    this.#worker.postMessage(request)
    return this.next()
  }

  terminate(): Promise<number> {
    return this.#worker.terminate()
  }
}

const inThread = (first: Thread, settings: WriterSettings): Asked => {
  let thread = first
  let starting: Promise<void> | undefined
  /** Another one, when it ended: what that left undone, SQLite has rolled back. */
  const restart = async (): Promise<void> => {
    const another = await start(settings)
    if (typeof another === "string")
      throw new Error(`The thread that writes ended, and can't be started again: ${another}`)
    thread = another
  }
  const ask = async (...request: Request): Promise<never> => {
    if (thread.isOver) {
      starting ??= restart().finally(() => {
        starting = undefined
      })
      await starting
    }
    return thread.ask(...request)
  }
  return {
    commit: (packed, nowMs) => ask("commit", packed, nowMs),
    erase: (workspace, subject) => ask("erase", workspace, subject),
    sweep: (nowMs, limit) => ask("sweep", nowMs, limit),
    index: (limit) => ask("index", limit),
    fold: () => ask("fold"),
    emptyLog: () => ask("emptyLog"),
    close: async () => {
      if (thread.isOver) return
      await thread.ask("close")
      await thread.terminate()
    }
  }
}

const inPlace = (writing: Writing): Asked => ({
  commit: async (packed, nowMs) => writing.commit(packed, nowMs),
  erase: async (workspace, subject) => writing.erase(workspace, subject),
  sweep: async (nowMs, limit) => writing.sweep(nowMs, limit),
  index: async (limit) => writing.index(limit),
  fold: async () => writing.fold(),
  emptyLog: async () => writing.emptyLog(),
  close: async () => writing.close()
})

/**
 * The connection that writes, on a thread of its own, so that the event loop goes on while the disk syncs.
 *
 * Where no thread can be started (a program may be forbidden to, a bundler may have left its module out) it writes in
 * place, blocking.
 */
export const startWriter = async (settings: WriterSettings): Promise<Asked> => {
  const thread = await start(settings)
  if (typeof thread !== "string") return inThread(thread, settings)
  process.emitWarning(
    `Commits to ${settings.file} block the event loop: no thread can be started to write. ${thread}`,
    {
      code: "SWITCHBOARD_SQLITE_IN_PLACE"
    }
  )
  return inPlace(openWriter(settings))
}
