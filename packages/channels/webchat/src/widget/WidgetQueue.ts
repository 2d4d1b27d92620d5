/** A file on its way, as the desk takes it. */
export interface QueuedAttachment {
  readonly name: string
  readonly mediaType: string
  readonly sizeBytes: number
  readonly base64: string
}

interface QueuedBase {
  readonly clientId: string
  readonly writtenAtMs: number
}

/** What the visitor wrote and the desk has not confirmed. */
export type Queued =
  | (QueuedBase & {
      readonly kind: "message"
      readonly text: string
      readonly attachments: ReadonlyArray<QueuedAttachment>
    })
  | (QueuedBase & {
      readonly kind: "action"
      readonly actionId: string
      readonly label: string
      readonly ofMessageId: string
    })

/** A browser's store, reduced to what is needed. `set` says whether it could: stores are full or forbidden at times. */
export interface WidgetStorage {
  readonly get: (key: string) => string | null
  readonly set: (key: string, value: string) => boolean
  readonly remove: (key: string) => void
  readonly keys: () => ReadonlyArray<string>
}

export interface WidgetQueue {
  /** Everything kept, in the order it was written. */
  readonly load: () => ReadonlyArray<Queued>
  /** False when it will not outlive the page. */
  readonly keep: (entry: Queued) => boolean
  readonly drop: (clientId: string) => void
  readonly clear: () => void
}

/** Each entry under a key of its own, so that two tabs never overwrite each other's. */
export const makeQueue = (storage: WidgetStorage, prefix: string): WidgetQueue => {
  const toKey = (clientId: string): string => `${prefix}:out:${clientId}`
  const keys = (): ReadonlyArray<string> => storage.keys().filter((key) => key.startsWith(toKey("")))
  return {
    load: () =>
      keys()
        .flatMap((key) => parseQueued(storage.get(key)))
        .sort((a, b) => a.writtenAtMs - b.writtenAtMs),
    keep: (entry) => storage.set(toKey(entry.clientId), JSON.stringify(entry)),
    drop: (clientId) => storage.remove(toKey(clientId)),
    clear: () => keys().forEach(storage.remove)
  }
}

const parseQueued = (text: string | null): ReadonlyArray<Queued> => {
  try {
    const entry = JSON.parse(text ?? "") as Queued
    return typeof entry.clientId === "string" && typeof entry.writtenAtMs === "number" ? [entry] : []
  } catch {
    return []
  }
}
