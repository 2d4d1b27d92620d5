/** Text of others in a line of ours. */

// What moves the cursor, begins a line, or turns the direction of writing round; and the backslash that writes it out.
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is written out
const obeyed = /[\\\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069]|\p{Cs}/gu

/** Everything on one line, and nothing that a terminal obeys: what a contact wrote must not look like a line of ours. */
export const inLine = (text: string): string =>
  text.replace(obeyed, (character) => {
    const written = JSON.stringify(character).slice(1, -1)
    return written === character ? `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}` : written
  })
