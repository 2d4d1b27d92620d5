/** The measures folded anew from the journal, beside those that are there. */
import { DeskEvent, Views } from "@switchboard/desk"
import * as MetricsReactor from "@switchboard/desk/MetricsReactor"
import { batchSize } from "@switchboard/desk/Reactor"
import { MemoryStorage, Storage, type StorageDriver } from "@switchboard/storage"

/** Where the reactor of the measures keeps what it makes, those first that the others follow from. */
export const measureViews = ["metricStates", "metricBuckets"] as const

/** A desk's measures as the journal tells them up to a position, in memory. */
export class MeasuresReplay {
  position = 0
  readonly #source: Pick<StorageDriver.StorageDriver, "journal">
  readonly #from: string
  readonly #shadow: StorageDriver.StorageDriver
  readonly #storage: Storage.Storage
  readonly #reactor = MetricsReactor.make()

  private constructor(
    source: Pick<StorageDriver.StorageDriver, "journal">,
    from: string,
    shadow: StorageDriver.StorageDriver,
    storage: Storage.Storage
  ) {
    this.#source = source
    this.#from = from
    this.#shadow = shadow
    this.#storage = storage
  }

  static async make(source: Pick<StorageDriver.StorageDriver, "journal">, from: string): Promise<MeasuresReplay> {
    const shadow = MemoryStorage.make()
    const storage = await Storage.open(shadow, { views: Views.definitions, now: () => 0 })
    return new MeasuresReplay(source, from, shadow, storage)
  }

  /** Reads on, exactly up to a position. */
  async advance(to: number, onProgress?: (position: number) => void): Promise<void> {
    const workspace = this.#storage.workspace("replay")
    while (this.position < to) {
      const page = await this.#source.journal(this.#from, this.position, Math.min(batchSize, to - this.position))
      const last = page.at(-1)
      if (!last) return
      const reaction = await this.#reactor.react(page.map(DeskEvent.decode), workspace.cached, 0)
      await workspace.commit(reaction.commit)
      this.position = last.position
      onProgress?.(this.position)
    }
  }

  /** What a view should hold. */
  async documents(view: (typeof measureViews)[number]): Promise<ReadonlyMap<string, StorageDriver.JsonObject>> {
    const documents = await Views.readAll(this.#storage.workspace("replay"), { view })
    return new Map(documents.map(({ key, document }) => [key, document]))
  }

  close(): Promise<void> {
    return this.#shadow.close()
  }
}
