import { entryOf } from "./MapEntry.ts"

/**
 * What a `RecentMap` is, by workspace, table and key, with one capacity for all: each is looked up as it is, where
 * joining them into one text would cost more than the look-ups.
 */
export class RecentTables<A> {
  readonly #capacity: number
  readonly #spaces = new Map<string, Map<string, Generations<A>>>()
  #young = 0
  /** A capacity of 0 remembers nothing. */
  constructor(capacity: number) {
    this.#capacity = capacity
  }

  get(workspace: string, table: string, key: string): A | undefined {
    const found = this.#spaces.get(workspace)?.get(table)
    if (found === undefined) return undefined
    const young = found.young.get(key)
    if (young !== undefined) return young
    const old = found.old.get(key)
    if (old !== undefined) this.#put(found, key, old)
    return old
  }

  set(workspace: string, table: string, key: string, value: A): void {
    if (this.#capacity === 0) return
    const space = entryOf(this.#spaces, workspace, () => new Map<string, Generations<A>>())
    const found = entryOf(space, table, () => ({ young: new Map(), old: new Map() }))
    this.#put(found, key, value)
  }

  /** Sets what is remembered already, or was until lately; what nobody asked for yet is not worth the memory. */
  replace(workspace: string, table: string, key: string, value: A): void {
    const found = this.#spaces.get(workspace)?.get(table)
    if (found !== undefined && (found.young.has(key) || found.old.has(key))) this.#put(found, key, value)
  }

  delete(workspace: string, table: string, key: string): void {
    const found = this.#spaces.get(workspace)?.get(table)
    if (found?.young.delete(key)) this.#young--
    found?.old.delete(key)
  }

  clear(): void {
    this.#spaces.clear()
    this.#young = 0
  }

  #put({ young }: Generations<A>, key: string, value: A): void {
    const { size } = young
    young.set(key, value)
    if (young.size > size && ++this.#young > this.#capacity) this.#age()
  }

  #age(): void {
    this.#young = 0
    for (const [workspace, space] of this.#spaces) {
      for (const [name, table] of space) {
        table.old = table.young
        table.young = new Map()
        if (table.old.size === 0) space.delete(name)
      }
      if (space.size === 0) this.#spaces.delete(workspace)
    }
  }
}

interface Generations<A> {
  young: Map<string, A>
  old: Map<string, A>
}
