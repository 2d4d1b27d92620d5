/** A growing set of small numbers. Hot loops walk its words themselves. */
export class Bits {
  words = new Uint32Array(1)

  add(index: number): void {
    const word = index >>> 5
    if (word >= this.words.length) {
      const grown = new Uint32Array(Math.max(word + 1, this.words.length * 2))
      grown.set(this.words)
      this.words = grown
    }
    this.words[word]! |= 1 << (index & 31)
  }

  remove(index: number): void {
    const word = index >>> 5
    if (word < this.words.length) this.words[word]! &= ~(1 << (index & 31))
  }

  has(index: number): boolean {
    return ((this.words[index >>> 5] ?? 0) & (1 << (index & 31))) !== 0
  }

  set(index: number, present: boolean): void {
    if (present) this.add(index)
    else this.remove(index)
  }

  get isEmpty(): boolean {
    return this.words.every((word) => word === 0)
  }

  meets(other: Bits): boolean {
    const length = Math.min(this.words.length, other.words.length)
    for (let word = 0; word < length; word++) if ((this.words[word]! & other.words[word]!) !== 0) return true
    return false
  }
}

/** The number of the lowest bit of a word that isn't 0. */
export const lowest = (word: number): number => 31 - Math.clz32(word & -word)

/** How many bits of a word are set. */
export const countOf = (word: number): number => {
  const pairs = word - ((word >>> 1) & 0x55555555)
  const fours = (pairs & 0x33333333) + ((pairs >>> 2) & 0x33333333)
  return Math.imul((fours + (fours >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24
}
