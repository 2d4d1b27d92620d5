/**
 * The names of objects: `prefix/workspace/key`, where any workspace and any key has a name of its own that every store
 * takes, and names sort as the keys do.
 *
 * A name has at most 1,024 bytes; stores that keep objects as files also refuse a step of more than 255, `.`, `..`, and
 * an object where another's name needs a directory; XML can't carry control characters. So both are encoded to letters,
 * digits, `-` and `_`: a workspace stays readable, a key becomes base64 whose digits sort as their values, because
 * escaping could treble its bytes.
 */
import { createHash } from "node:crypto"

// ── Workspaces ──

const workspaceLength = 100

/** A leading `__` is in no escaped name, so that digests meet nothing else. */
export const ofWorkspace = (workspace: string): string => {
  let encoded = ""
  for (const byte of Buffer.from(workspace, "utf8")) {
    const character = String.fromCharCode(byte)
    encoded += /[A-Za-z0-9-]/.test(character) ? character : `_${byte.toString(16).padStart(2, "0")}`
  }
  return encoded.length <= workspaceLength ? encoded : `__${createHash("sha256").update(workspace).digest("hex")}`
}

// ── Keys ──

const usual = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
const sorted = "-0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz"

const digits = (from: string, to: string) => {
  const table = new Map([...from].map((digit, index) => [digit, to[index] ?? ""]))
  return (text: string): string => Array.from(text, (digit) => table.get(digit) ?? "").join("")
}
const toSorted = digits(usual, sorted)
const toUsual = digits(sorted, usual)

// Pieces stand at the same places in every name, so they don't change the order; one before the last is a character
// longer than any last one, so no object's name is another's directory.
const pieceLength = 250

export const ofKey = (key: string): string => {
  const encoded = toSorted(Buffer.from(key, "utf8").toString("base64url"))
  const pieces: Array<string> = []
  for (let start = 0; start < encoded.length; start += pieceLength)
    pieces.push(encoded.slice(start, start + pieceLength))
  return pieces.join("_/")
}

/** The key of a name; `undefined` when it is none of ours. */
export const toKey = (name: string): string | undefined => {
  const key = Buffer.from(toUsual(name.replaceAll("_/", "")), "base64url").toString("utf8")
  return key !== "" && ofKey(key) === name ? key : undefined
}
