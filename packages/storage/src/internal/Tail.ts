import type { StoredEvent } from "../StorageDriver.ts"

interface Run {
  /** The position of the first event. */
  first: number
  events: Array<StoredEvent>
}

/** The latest events of the workspaces written to lately, without gaps, so that readers near the head read memory. */
export class Tail {
  readonly #runs = new Map<string, Run>()
  readonly #eventsPerWorkspace: number
  readonly #workspaces: number
  constructor(eventsPerWorkspace: number, workspaces: number) {
    this.#eventsPerWorkspace = eventsPerWorkspace
    this.#workspaces = workspaces
  }
  push(event: StoredEvent): void {
    let run = this.#runs.get(event.workspace)
    // A group that was written before another may become known after it: what is kept goes further already.
    if (run !== undefined && event.position < run.first + run.events.length) return
    if (run === undefined || run.first + run.events.length !== event.position) {
      // Something else wrote in between: what is kept must have no gap.
      run = { first: event.position, events: [] }
      this.#runs.set(event.workspace, run)
      if (this.#runs.size > this.#workspaces) this.#runs.delete(this.#runs.keys().next().value!)
    }
    run.events.push(event)
    if (run.events.length >= 2 * this.#eventsPerWorkspace) {
      run.first += run.events.length - this.#eventsPerWorkspace
      run.events = run.events.slice(-this.#eventsPerWorkspace)
    }
  }
  /** The last position kept, `undefined` when nothing is. */
  head(workspace: string): number | undefined {
    const run = this.#runs.get(workspace)
    return run === undefined ? undefined : run.first + run.events.length - 1
  }
  /** Events after a position, `undefined` when the first of them isn't kept. At the head: none. */
  after(workspace: string, position: number, limit: number): ReadonlyArray<StoredEvent> | undefined {
    const run = this.#runs.get(workspace)
    if (run === undefined || position + 1 < run.first || position + 1 > run.first + run.events.length) return undefined
    const start = position + 1 - run.first
    return run.events.slice(start, start + limit)
  }
  forget(workspace: string): void {
    this.#runs.delete(workspace)
  }
}
