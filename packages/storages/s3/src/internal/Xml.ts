/**
 * The little of XML that S3 answers with: elements that are read by name. Everything read is text of ours (names of
 * letters, digits, `-`, `_`, `/`), a code, a number or an opaque id, so no parser is needed.
 */

const entities: Readonly<Record<string, string>> = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'" }

const unescape = (text: string): string =>
  text.replace(/&(?:#(\d{1,7})|#x([0-9a-fA-F]{1,6})|(amp|lt|gt|quot|apos));/g, (whole, decimal, hex, name) => {
    if (name !== undefined) return entities[name] ?? whole
    const code = decimal === undefined ? Number.parseInt(hex, 16) : Number(decimal)
    return code <= 0x10ffff ? String.fromCodePoint(code) : whole
  })

export const escape = (text: string): string => text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`)

/** Whether the document's root is this element. */
export const isRoot = (document: string, name: string): boolean =>
  new RegExp(`^\\s*(?:<\\?[^>]*\\?>\\s*)?<${name}[\\s/>]`).test(document.replace(/^\ufeff/, ""))

/** What is inside each element of that name, as it stands there. */
export const elements = (document: string, name: string): ReadonlyArray<string> =>
  [...document.matchAll(new RegExp(`<${name}(?:\\s[^>]*)?>([\\s\\S]*?)</${name}>`, "g"))].map(
    ([, inner]) => inner ?? ""
  )

/** The text of the first element of that name. */
export const textOf = (document: string, name: string): string | undefined => {
  const inner = elements(document, name)[0]
  return inner === undefined ? undefined : unescape(inner.trim())
}
