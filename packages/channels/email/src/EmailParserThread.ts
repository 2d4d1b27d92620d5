/**
 * The thread that reads mails: started by `EmailParser`, never imported. A mail that would hang or exhaust a process
 * takes only this thread with it.
 *
 * @module
 */
import { parentPort } from "node:worker_threads"
import { read } from "./internal/MailReader.ts"
import type { ReadLimits, ReadResult } from "./internal/ParsedMail.ts"

/**
 * The parser collects every line of a body in a Blob. Node's takes 10 µs per line, so that a text of 25 MB would take
 * many seconds; this takes what is needed of one. In this thread nobody else uses it.
 */
class Lines {
  readonly #bytes: Uint8Array<ArrayBuffer>
  constructor(chunks: ReadonlyArray<Uint8Array | ArrayBuffer | string>) {
    // Strings are line ends: one byte for each character.
    const sizeOf = (chunk: Uint8Array | ArrayBuffer | string) =>
      typeof chunk === "string" ? chunk.length : chunk.byteLength
    this.#bytes = new Uint8Array(chunks.reduce((sum, chunk) => sum + sizeOf(chunk), 0))
    let at = 0
    for (const chunk of chunks) {
      if (typeof chunk === "string")
        for (let index = 0; index < chunk.length; index++) this.#bytes[at + index] = chunk.charCodeAt(index)
      else this.#bytes.set(chunk instanceof ArrayBuffer ? new Uint8Array(chunk) : chunk, at)
      at += sizeOf(chunk)
    }
  }
  async arrayBuffer(): Promise<ArrayBuffer> {
    return this.#bytes.buffer
  }
}
Object.assign(globalThis, { Blob: Lines })

const port = parentPort

port?.on("message", async ({ bytes, limits }: { bytes: Uint8Array; limits: ReadLimits }) => {
  let result: ReadResult
  try {
    result = await read(bytes, limits)
  } catch (error) {
    const reason = error instanceof Error ? error.message.slice(0, 300) : "unknown"
    result = { ok: false, error: { code: "mailUnreadable", message: `The mail can't be read: ${reason}` } }
  }
  const buffers = result.ok ? result.value.attachments.map((attachment) => attachment.bytes.buffer as ArrayBuffer) : []
  port.postMessage(result, [...new Set(buffers)])
})

port?.postMessage("ready")
