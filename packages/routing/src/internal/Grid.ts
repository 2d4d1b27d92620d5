/** Small whole numbers by row and column, in one piece of memory: a row is read at the cost of one look. */
export class Grid {
  words: Int32Array = new Int32Array(0)
  /** Columns per row. */
  width = 4
  #rows = 0

  at(row: number, column: number): number {
    return this.words[row * this.width + column]!
  }

  set(row: number, column: number, value: number): void {
    this.fit(row + 1, column + 1)
    this.words[row * this.width + column] = value
  }

  add(row: number, column: number, by: number): void {
    this.words[row * this.width + column]! += by
  }

  /** Sets all of a row to 0. */
  clear(row: number): void {
    this.fit(row + 1, 1)
    this.words.fill(0, row * this.width, (row + 1) * this.width)
  }

  /** Makes place for so many rows and columns; what is new is 0. */
  fit(rows: number, columns: number): void {
    if (rows <= this.#rows && columns <= this.width) return
    const { words, width } = this
    const before = this.#rows
    if (columns > width) this.width = Math.max(columns, width * 2)
    if (rows > before) this.#rows = Math.max(rows, before * 2, 16)
    this.words = new Int32Array(this.#rows * this.width)
    for (let row = 0; row < before; row++)
      this.words.set(words.subarray(row * width, (row + 1) * width), row * this.width)
  }

  /** Sets one bit of a row that is read as bits, 32 to a column. */
  setBit(row: number, bit: number, present: boolean): void {
    const column = bit >>> 5
    this.fit(row + 1, column + 1)
    const at = row * this.width + column
    if (present) this.words[at]! |= 1 << (bit & 31)
    else this.words[at]! &= ~(1 << (bit & 31))
  }
}
