import { toDomain } from "../EmailAddress.ts"

interface MethodResult {
  readonly method: string
  readonly result: string
  readonly properties: ReadonlyMap<string, string>
}

/** Removes comments and quotes: comments hold what people like, also `dmarc=pass`. */
const bare = (value: string): string => {
  let text = ""
  let depth = 0
  let quoted = false
  for (let index = 0; index < value.length; index++) {
    const character = value[index]!
    if (character === "\\") {
      index++
      continue
    }
    if (character === '"' && depth === 0) quoted = !quoted
    else if (character === "(" && !quoted) depth++
    else if (character === ")" && !quoted && depth > 0) depth--
    // What is quoted can't end a statement or name another property.
    else if (depth === 0) text += quoted && /[;=\s]/.test(character) ? "_" : character
  }
  return text
}

/** RFC 8601, section 2.2: `authserv-id; method=result ptype.property=value …; …` */
const parse = (header: string): { readonly server: string; readonly results: ReadonlyArray<MethodResult> } => {
  const [first = "", ...statements] = bare(header).split(";")
  const server = first.trim().split(/\s+/)[0]?.toLowerCase() ?? ""
  const results = statements.flatMap((statement) => {
    const words = statement
      .trim()
      .split(/\s+/)
      .map((word) => word.split("="))
    const [method, result] = words[0] ?? []
    if (method === undefined || result === undefined) return []
    const properties = new Map<string, string>()
    for (const [name, value] of words.slice(1))
      if (name !== undefined && value !== undefined) properties.set(name.toLowerCase(), value.toLowerCase())
    return [{ method: method.toLowerCase().split("/")[0]!, result: result.toLowerCase(), properties }]
  })
  return { server, results }
}

/** The author's domain itself, or one above it: `example.com` vouches for `mail.example.com`, not the other way round. */
const isAligned = (domain: string | undefined, author: string): boolean =>
  domain?.includes(".") === true && (author === domain || author.endsWith(`.${domain}`))

/**
 * Whether our own mail server says that the mail comes from the domain of its author. Only its topmost header counts:
 * servers write theirs above what came in.
 */
export const isAuthenticated = (headers: ReadonlyArray<string>, server: string, author: string): boolean => {
  const own = headers.map(parse).find((header) => header.server === server.toLowerCase())
  if (own === undefined) return false
  const domain = toDomain(author)
  const named = (method: string): ReadonlyArray<MethodResult> =>
    own.results.filter((result) => result.method === method)
  const dmarc = named("dmarc")
  if (dmarc.length > 0)
    return dmarc.every(({ result, properties }) => result === "pass" && properties.get("header.from") === domain)
  return (
    named("dkim").some(({ result, properties }) => {
      const signer = properties.get("header.d") ?? properties.get("header.i")?.split("@").at(-1)
      return result === "pass" && isAligned(signer, domain)
    }) ||
    named("spf").some(
      ({ result, properties }) =>
        result === "pass" && isAligned(properties.get("smtp.mailfrom")?.split("@").at(-1), domain)
    )
  )
}
