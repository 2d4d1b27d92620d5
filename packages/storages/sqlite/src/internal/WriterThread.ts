import { Thread } from "./Thread.ts"
import type { Request } from "./ThreadMessage.ts"
import { openWriter, type WriterSettings, type Writing } from "./WriterConnection.ts"

/** {@link Writing}, asked of another thread. */
export type Asked = {
  readonly [Name in keyof Writing]: (...input: Parameters<Writing[Name]>) => Promise<ReturnType<Writing[Name]>>
}

const inThread = (first: Thread, settings: WriterSettings): Asked => {
  let thread = first
  let starting: Promise<void> | undefined
  /** Another one, when it ended: what that left undone, SQLite has rolled back. */
  const restart = async (): Promise<void> => {
    const another = await Thread.start({ role: "write", settings })
    if (typeof another === "string")
      throw new Error(`The thread that writes ended, and can't be started again: ${another}`)
    thread = another
  }
  const ask = async (...request: Request): Promise<never> => {
    if (thread.isOver) {
      starting ??= restart().finally(() => {
        starting = undefined
      })
      await starting
    }
    return thread.ask(...request)
  }
  return {
    commit: (packed, nowMs) => ask("commit", packed, nowMs),
    load: (workspace, holdings) => ask("load", workspace, holdings),
    drop: (workspace) => ask("drop", workspace),
    erase: (workspace, subject, stream) => ask("erase", workspace, subject, stream),
    sweep: (nowMs, limit) => ask("sweep", nowMs, limit),
    index: (limit) => ask("index", limit),
    fold: () => ask("fold"),
    emptyLog: () => ask("emptyLog"),
    close: () => thread.close()
  }
}

const inPlace = (writing: Writing): Asked => ({
  commit: async (packed, nowMs) => writing.commit(packed, nowMs),
  load: async (workspace, holdings) => writing.load(workspace, holdings),
  drop: async (workspace) => writing.drop(workspace),
  erase: async (workspace, subject, stream) => writing.erase(workspace, subject, stream),
  sweep: async (nowMs, limit) => writing.sweep(nowMs, limit),
  index: async (limit) => writing.index(limit),
  fold: async () => writing.fold(),
  emptyLog: async () => writing.emptyLog(),
  close: async () => writing.close()
})

/**
 * The connection that writes, on a thread of its own, so that the event loop goes on while the disk syncs.
 *
 * Where no thread can be started (a program may be forbidden to, a bundler may have left its module out) it writes in
 * place, blocking.
 */
export const startWriter = async (settings: WriterSettings): Promise<Asked> => {
  const thread = await Thread.start({ role: "write", settings })
  if (typeof thread !== "string") return inThread(thread, settings)
  process.emitWarning(
    `Commits to ${settings.file} block the event loop: no thread can be started to write. ${thread}`,
    {
      code: "SWITCHBOARD_SQLITE_IN_PLACE"
    }
  )
  return inPlace(openWriter(settings))
}
