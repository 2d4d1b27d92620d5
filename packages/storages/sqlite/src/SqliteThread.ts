/**
 * A thread with a connection of its own: one writes, another folds the log, others check or copy the file. It answers in the order in which it is asked.
 *
 * @module
 */
import { parentPort, workerData } from "node:worker_threads"
import { openRole } from "./internal/Roles.ts"
import { answer, type Opening, type Request } from "./internal/ThreadMessage.ts"

let methods: { readonly [name: string]: (...input: ReadonlyArray<never>) => unknown } = {}
const opened = answer(() => {
  const { role, settings } = workerData as Opening
  methods = { ...openRole(role, settings) }
})
parentPort?.postMessage(opened)
parentPort?.on("message", ([name, ...input]: Request) => {
  parentPort?.postMessage(answer(() => Reflect.apply(methods[name]!, undefined, input)))
})
