import { Thread } from "./Thread.ts"

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
  #thread: Thread | undefined
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
    await this.#thread?.close().catch(() => undefined)
  }

  async #fold(): Promise<void> {
    try {
      this.#thread ??= await this.#start()
      await this.#thread.ask("fold")
    } catch {
      this.#holds++
      return
    }
    this.#pages = 0
    // A writer that fails has said so to whoever wrote; the log begins anew after another fold.
    await this.#finish().catch(() => undefined)
  }

  async #start(): Promise<Thread> {
    const thread = await Thread.start({ role: "fold", settings: { file: this.#file } })
    if (typeof thread === "string") throw new Error(thread)
    return thread
  }
}
