import { once } from "node:events"
import { Worker } from "node:worker_threads"

// Text, not a module of its own: a bundler would not find that one. Commits go on meanwhile, so each round folds what came
// during the one before, until that is little.
const script = `
const { parentPort, workerData } = require("node:worker_threads")
const { DatabaseSync } = require("node:sqlite")
const db = new DatabaseSync(workerData.file)
db.exec("PRAGMA wal_autocheckpoint = 0")
const fold = db.prepare("PRAGMA wal_checkpoint(PASSIVE)")
parentPort.on("message", () => {
  let folded = 0
  for (let round = 0; round < 5; round++) {
    const { log } = fold.get()
    if (log - folded < 50) break
    folded = log
  }
  parentPort.postMessage("folded")
})`

/**
 * The pause after a fold: what a page is changed to meanwhile is folded once. Many small folds rather than few large
 * ones, since the disk syncs a fold at once and commits wait behind it.
 */
const restMs = 200

/**
 * Folds the log into the file on a thread of its own, so that commits go on.
 *
 * It starts with the first fold. Should its thread fail, the writer's own connection folds instead, later and blocking.
 */
export class Checkpointer {
  readonly #file: string
  readonly #everyPages: number
  readonly #finish: () => Promise<unknown>
  #worker: Worker | undefined
  #folding: Promise<void> | undefined
  /** In the log, at most: a change dirties about a page. */
  #pages = 0
  /** Reasons not to fold: erasures under way; and, for good, that it was stopped or its thread failed. */
  #holds = 0
  #foldedAtMs = 0
  /** `finish` folds what was written during the last fold, between two commits, so that the next begins the log anew. */
  constructor(file: string, everyPages: number, finish: () => Promise<unknown>) {
    this.#file = file
    this.#everyPages = everyPages
    this.#finish = finish
  }

  /** Counts what was written, and folds when that is enough. */
  wrote(changes: number): void {
    this.#pages += changes
    if (this.#pages < this.#everyPages || this.#folding !== undefined || this.#holds > 0) return
    if (performance.now() < this.#foldedAtMs + restMs) return
    this.#folding = this.#fold().finally(() => {
      this.#folding = undefined
      this.#foldedAtMs = performance.now()
    })
  }

  /** Does something while nothing is folded: two checkpoints exclude each other. */
  async exclusively<A>(run: () => Promise<A>): Promise<A> {
    this.#holds++
    try {
      await this.#folding
      return await run()
    } finally {
      this.#holds--
    }
  }

  async stop(): Promise<void> {
    this.#holds++
    await this.#folding
    await this.#worker?.terminate()
  }

  async #fold(): Promise<void> {
    try {
      this.#worker ??= this.#start()
      this.#worker.postMessage("fold")
      await once(this.#worker, "message")
      await this.#finish()
      this.#pages = 0
    } catch {
      this.#holds++
    }
  }

  #start(): Worker {
    const worker = new Worker(script, {
      eval: true,
      workerData: { file: this.#file },
      execArgv: ["--disable-warning=ExperimentalWarning"]
    })
    // It must not keep a program alive that has nothing else to do.
    worker.unref()
    return worker
  }
}
