/**
 * Reads mails in a thread of their own, with limits on time and memory.
 *
 * @module
 */
import { Worker } from "node:worker_threads"
import type { EmailLimits } from "./EmailConfig.ts"
import type { ReadResult } from "./internal/ParsedMail.ts"

export type {
  MailAttachment,
  Mailbox,
  MailReport,
  ParsedMail,
  ReadError,
  ReadResult,
  ReportedRecipient
} from "./internal/ParsedMail.ts"

/** Reads one mail at a time; the others wait. */
export interface EmailParser {
  /** The mail, or why it can't be read: `code` and a sentence. Never rejects because of the mail. */
  readonly parse: (bytes: Uint8Array) => Promise<ReadResult>
  /** Ends the thread. A later `parse` starts another. */
  readonly close: () => Promise<void>
}

// Both are literals, so that bundlers see them: the sources run as TypeScript, the package as JavaScript.
const threadUrl = import.meta.url.endsWith(".ts")
  ? new URL("./EmailParserThread.ts", import.meta.url)
  : new URL("./EmailParserThread.js", import.meta.url)

const startMs = 30_000

/** Listens for one thing to happen to the thread. Returns what takes the listeners away again. */
const listenTo = (
  worker: Worker,
  onMessage: (message: unknown) => void,
  onEnd: (error: Error & { readonly code?: string }) => void
): (() => void) => {
  const onExit = (code: number): void => onEnd(new Error(`the thread ended with code ${code}`))
  worker.on("message", onMessage).on("error", onEnd).on("exit", onExit)
  return () => void worker.off("message", onMessage).off("error", onEnd).off("exit", onExit)
}

const start = async (limits: EmailLimits): Promise<Worker> => {
  const worker = new Worker(threadUrl, {
    // Nothing of the process: no environment with its secrets, no flags.
    env: {},
    execArgv: [],
    resourceLimits: { maxOldGenerationSizeMb: limits.parseHeapMb, maxYoungGenerationSizeMb: 32, stackSizeMb: 4 }
  })
  // A thread may fail while nobody waits for it: without a listener that would end the process.
  worker.on("error", () => undefined)
  const problem = await new Promise<Error | undefined>((resolve) => {
    const timer = setTimeout(() => settle(new Error(`no answer within ${startMs} ms`)), startMs)
    const settle = (error?: Error): void => {
      clearTimeout(timer)
      silence()
      resolve(error)
    }
    const silence = listenTo(worker, () => settle(), settle)
  })
  if (problem === undefined) return worker
  await worker.terminate()
  throw new Error(`The mail parsing thread did not start: ${problem.message}. Is ${threadUrl.pathname} there?`)
}

interface Answer {
  readonly result: ReadResult
  /** The thread can't be used any more. */
  readonly isBroken: boolean
}

const readWith = (worker: Worker, bytes: Uint8Array, limits: EmailLimits) =>
  new Promise<Answer>((resolve) => {
    const settle = (result: ReadResult, isBroken: boolean): void => {
      clearTimeout(timer)
      silence()
      resolve({ result, isBroken })
    }
    const fail = (code: string, message: string): void => settle({ ok: false, error: { code, message } }, true)
    const timer = setTimeout(
      () =>
        fail(
          "mailTooSlow",
          `The mail took longer than ${limits.parseMs} ms to read. Raise limits.parseMs if it is wanted.`
        ),
      limits.parseMs
    )
    const silence = listenTo(
      worker,
      // The thread is ended when an answer is given up, so that every answer belongs to the last question.
      (result) => settle(result as ReadResult, false),
      (error) =>
        error.code === "ERR_WORKER_OUT_OF_MEMORY"
          ? fail(
              "mailTooMuchMemory",
              `The mail needs more than ${limits.parseHeapMb} MB to read. Raise limits.parseHeapMb if it is wanted.`
            )
          : fail("mailUnreadable", `The mail broke the parser: ${error.message.slice(0, 300)}`)
    )
    // A copy: a view on a larger buffer would be sent with all of it, and Buffer's own slice is such a view.
    const copy = new Uint8Array(bytes)
    worker.postMessage({ bytes: copy, limits: { headerBytes: limits.headerBytes, depth: limits.depth } }, [copy.buffer])
  })

/** A parser with its own thread, started at the first mail and again whenever a mail broke it. */
export const make = (limits: EmailLimits): EmailParser => {
  let thread: Worker | undefined
  let tail: Promise<unknown> = Promise.resolve()

  const run = async (bytes: Uint8Array): Promise<ReadResult> => {
    if (bytes.length === 0) return { ok: false, error: { code: "mailEmpty", message: "The mail is empty." } }
    if (bytes.length > limits.messageBytes)
      return {
        ok: false,
        error: {
          code: "mailTooLarge",
          message: `The mail has ${bytes.length} bytes, more than limits.messageBytes allows.`
        }
      }
    thread ??= await start(limits)
    thread.ref()
    const { result, isBroken } = await readWith(thread, bytes, limits)
    // An idle thread keeps no process alive.
    thread.unref()
    if (isBroken) {
      const ended = thread
      thread = undefined
      await ended.terminate()
    }
    return result
  }

  const serial = <A>(work: () => Promise<A>): Promise<A> => {
    const result = tail.then(work)
    tail = result.catch(() => undefined)
    return result
  }

  return {
    parse: (bytes) => serial(() => run(bytes)),
    close: () =>
      serial(async () => {
        await thread?.terminate()
        thread = undefined
      })
  }
}
