/** What one reading of a workspace notes of its streams, packed: there may be millions. */
import { DeskEvent } from "@switchboard/desk"
import type { StorageDriver } from "@switchboard/storage"

const slaPrefix = DeskEvent.streams.sla("")

/** Places that are made room for at once, at least. */
const leastRoom = 1024

type Family = "conversation" | "contact"

/** Where a stream stood; `version` 0: it was not there. */
export type Noted = Pick<StorageDriver.StoredEvent, "version" | "recordedAtMs">

/**
 * Of each stream how far it has come, and what its documents should be, less what they are.
 *
 * **Shape** the stream of a conversation's clocks has its place beside the conversation's own. A balance is a sum of
 * digests: 0 once everything that was added has been subtracted.
 */
export class Ledger {
  readonly #places = new Map<string, number>()
  /** Two for each place: of the stream itself, and of the clocks. */
  #versions = new Uint32Array(0)
  #times = new Float64Array(0)
  /** Two for each place: of the documents, and of the measures' state. */
  #balances = new Uint32Array(0)

  /** The version of a stream's last event, 0 where there is none. */
  version(stream: string): number {
    const place = this.#places.get(nameOf(stream))
    return place === undefined ? 0 : this.#versions[2 * place + besideOf(stream)]!
  }

  /** Notes an event of a stream, and returns where the one before it stood. */
  note({ stream, version, recordedAtMs }: StorageDriver.StoredEvent): Noted {
    const at = 2 * this.#placeOf(nameOf(stream)) + besideOf(stream)
    const before = { version: this.#versions[at]!, recordedAtMs: this.#times[at]! }
    this.#versions[at] = version
    this.#times[at] = recordedAtMs
    return before
  }

  /** Adds to the balance of a conversation or a contact, or with a negative number subtracts. */
  add(stream: string, what: "documents" | "state", amount: number): void {
    const at = 2 * this.#placeOf(stream) + (what === "state" ? 1 : 0)
    this.#balances[at] = this.#balances[at]! + amount
  }

  /** The ids of a family that were noted, in the order of their first event. */
  *ids(family: Family): Generator<string> {
    for (const [name] of this.#of(family)) yield idOf(name)
  }

  count(family: Family): number {
    let count = 0
    for (const _ of this.#of(family)) count++
    return count
  }

  /** The ids of those of which something is left over. */
  unbalanced(family: Family, what: "documents" | "state"): ReadonlyArray<string> {
    const ids: Array<string> = []
    for (const [name, place] of this.#of(family))
      if (this.#balances[2 * place + (what === "state" ? 1 : 0)] !== 0) ids.push(idOf(name))
    return ids
  }

  *#of(family: Family): Generator<readonly [name: string, place: number]> {
    for (const entry of this.#places) {
      if (this.#versions[2 * entry[1]]! > 0 && entry[0].startsWith(`${family}/`)) yield entry
    }
  }

  #placeOf(name: string): number {
    const known = this.#places.get(name)
    if (known !== undefined) return known
    const place = this.#places.size
    this.#places.set(name, place)
    if (2 * place >= this.#versions.length) this.#grow(2 * Math.max(leastRoom, 2 * place))
    return place
  }

  #grow(length: number): void {
    const [versions, times, balances] = [this.#versions, this.#times, this.#balances]
    this.#versions = new Uint32Array(length)
    this.#times = new Float64Array(length)
    this.#balances = new Uint32Array(length)
    this.#versions.set(versions)
    this.#times.set(times)
    this.#balances.set(balances)
  }
}

const idOf = (name: string): string => name.slice(name.indexOf("/") + 1)

const besideOf = (stream: string): 0 | 1 => (stream.startsWith(slaPrefix) ? 1 : 0)

const nameOf = (stream: string): string =>
  stream.startsWith(slaPrefix) ? DeskEvent.streams.conversation(stream.slice(slaPrefix.length)) : stream
