/**
 * The thread that writes: it holds the one connection that does, and answers in the order in which it is asked.
 *
 * @module
 */
import { parentPort, workerData } from "node:worker_threads"
import { answer, type Request } from "./internal/ThreadMessage.ts"
import { openWriter, type WriterSettings, type Writing } from "./internal/WriterConnection.ts"

let writing: Writing | undefined
const use = (name: keyof Writing, input: ReadonlyArray<unknown>): unknown => {
  if (writing === undefined) throw new Error("The file could not be opened.")
  return (writing[name] as (...input: ReadonlyArray<unknown>) => unknown)(...input)
}
const opened = answer(() => {
  writing = openWriter(workerData as WriterSettings)
})
parentPort?.postMessage(opened)
parentPort?.on("message", ([name, ...input]: Request) => {
  parentPort?.postMessage(answer(() => use(name, input)))
})
