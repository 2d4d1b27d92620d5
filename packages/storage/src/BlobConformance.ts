/** What every blob store must pass; takes the test function of your runner and asserts on its own. */
import { type BlobRange, type BlobStore, blobKeyBytes } from "./BlobStore.ts"
import { equal, ok, rejects } from "./internal/Check.ts"

/** One empty blob store to test. */
export interface Subject {
  readonly store: BlobStore
  /** Opens the same data once more, where it is durable. */
  readonly reopen?: () => Promise<BlobStore>
  /** Removes what is left. */
  readonly dispose?: () => Promise<void>
}

/** What the suite needs. */
export interface Options {
  readonly test: (title: string, run: () => Promise<void>) => void
  /** Opens a new, empty store. */
  readonly make: () => Promise<Subject>
}

const text = (content: string): Uint8Array => new TextEncoder().encode(content)

const options = { mediaType: "text/plain; charset=utf-8", limitBytes: 10_000_000 }

const read = async (store: BlobStore, workspace: string, key: string, range?: BlobRange) => {
  const parts = await store.get(workspace, key, range)
  if (parts === undefined) return undefined
  const bytes: Array<number> = []
  for await (const part of parts) for (const byte of part) bytes.push(byte)
  return new TextDecoder().decode(Uint8Array.from(bytes))
}

async function* chunks(...contents: ReadonlyArray<string>): AsyncIterable<Uint8Array> {
  for (const content of contents) yield text(content)
}

/**
 * Registers the tests of the blob contract.
 *
 * **Example**
 * ```ts
 * import { MemoryBlobStore } from "@switchboard/storage"
 * import { blobConformance } from "@switchboard/storage/BlobConformance"
 *
 * const tests: Array<() => Promise<void>> = []
 * blobConformance({ test: (_title, run) => tests.push(run), make: async () => ({ store: MemoryBlobStore.make() }) })
 * for (const run of tests) await run()
 * ```
 */
export const blobConformance = ({ test, make }: Options): void => {
  const opened = (title: string, run: (store: BlobStore, subject: Subject) => Promise<void>): void =>
    test(title, async () => {
      const subject = await make()
      try {
        await run(subject.store, subject)
      } finally {
        await subject.dispose?.()
      }
    })

  opened("[STORAGE-60] bytes come back as they were put, whole or in parts", async (store) => {
    ok(store.name !== "", "a store has a name")
    const info = { key: "k", sizeBytes: 11, mediaType: options.mediaType }
    equal(await store.put("w", "k", text("hello world"), options), info, "put")
    equal(await store.info("w", "k"), info, "info")
    equal(await read(store, "w", "k"), "hello world", "whole")
    equal(await store.put("w", "s", chunks("hello", "", " world"), options), { ...info, key: "s" }, "put in parts")
    equal(await read(store, "w", "s"), "hello world", "whole, put in parts")
    equal((await store.put("w", "e", text(""), options)).sizeBytes, 0, "empty")
    equal(await read(store, "w", "e"), "", "empty")
    equal([await store.info("w", "none"), await store.get("w", "none")], [undefined, undefined], "absent")
  })

  opened("[STORAGE-60] large blobs are kept whole", async (store) => {
    const part = new Uint8Array(64 * 1024).map((_, index) => (index * 31) % 251)
    async function* parts() {
      for (let count = 0; count < 40; count++) yield part
    }
    await store.put("w", "k", parts(), options)
    let offset = 0
    for await (const found of (await store.get("w", "k"))!) {
      for (let index = 0; index < found.length; index += 997)
        ok(found[index] === part[(offset + index) % part.length], `byte ${offset + index}`)
      offset += found.length
    }
    equal(offset, 40 * part.length, "size")
  })

  const ranges: ReadonlyArray<readonly [BlobRange, string]> = [
    [{ start: 0 }, "0123456789"],
    [{ start: 0, end: 1 }, "0"],
    [{ start: 3, end: 7 }, "3456"],
    [{ start: 9 }, "9"],
    [{ start: 4, end: 4 }, ""],
    [{ start: 8, end: 99 }, "89"],
    [{ start: 10 }, ""],
    [{ start: 50, end: 60 }, ""]
  ]
  for (const [range, expected] of ranges)
    opened(`[STORAGE-61] the range ${range.start} to ${range.end ?? "the end"} is read`, async (store) => {
      await store.put("w", "k", text("0123456789"), options)
      equal(await read(store, "w", "k", range), expected, "bytes")
    })

  opened("[STORAGE-61] a range that is none is refused", async (store) => {
    await store.put("w", "k", text("0123456789"), options)
    for (const range of [{ start: -1 }, { start: 0.5 }, { start: 5, end: 4 }, { start: Number.NaN }])
      await rejects(() => store.get("w", "k", range), JSON.stringify(range))
  })

  opened("[STORAGE-62] what is larger than its limit is refused, and nothing is left of it", async (store) => {
    const small = { mediaType: "text/plain", limitBytes: 10 }
    for (const bytes of [text("0123456789a"), chunks("01234", "56789", "a")]) {
      const error = (await rejects(() => store.put("w", "k", bytes, small), "over the limit")) as {
        readonly code?: string
      }
      equal(error.code, "blob-limit", "code")
    }
    equal([await store.info("w", "k"), await store.list("w", undefined, 9)], [undefined, []], "nothing left")
    equal((await store.put("w", "k", text("0123456789"), small)).sizeBytes, 10, "exactly the limit")
  })

  opened("[STORAGE-62] a source that fails leaves nothing", async (store) => {
    async function* broken() {
      yield text("some")
      throw new Error("connection lost")
    }
    await rejects(() => store.put("w", "k", broken(), options), "broken")
    equal([await store.info("w", "k"), await store.list("w", undefined, 9)], [undefined, []], "nothing left")
    await store.put("w", "k", text("again"), options)
    equal(await read(store, "w", "k"), "again", "again")
  })

  opened("[STORAGE-63] bytes under a key never change: the first put stays", async (store) => {
    const first = await store.put("w", "k", text("first"), { ...options, mediaType: "a/first" })
    equal(await store.put("w", "k", text("second one"), { ...options, mediaType: "a/second" }), first, "second put")
    equal(await read(store, "w", "k"), "first", "bytes")
    const many = await Promise.all(["one", "two", "three"].map((each) => store.put("w", "m", chunks(each), options)))
    const kept = await read(store, "w", "m")
    ok(["one", "two", "three"].includes(kept ?? ""), "one of them, whole")
    equal(await store.info("w", "m"), many[["one", "two", "three"].indexOf(kept!)], "its info")
  })

  opened("[STORAGE-64] deleting removes, also what is not there, and the key is free again", async (store) => {
    await store.put("w", "a", text("a"), options)
    await store.put("w", "b", text("b"), options)
    await store.delete("w", ["a", "none"])
    await store.delete("none", ["a"])
    await store.delete("w", [])
    equal([await read(store, "w", "a"), await read(store, "w", "b")], [undefined, "b"], "left")
    await store.put("w", "a", text("new"), options)
    equal(await read(store, "w", "a"), "new", "put again")
  })

  opened("[STORAGE-65] listing goes through the keys in order of code points, in pages", async (store) => {
    const keys = ["B", "a", "a/b", "a0", "b", "é", "\uffee", "\u{1f600}"]
    for (const key of [...keys].reverse()) await store.put("w", key, text(key), options)
    for (const limit of [1, 3, 8, 100]) {
      const found: Array<string> = []
      for (;;) {
        const page = await store.list("w", found.at(-1), limit)
        ok(page.length <= limit, "no longer than the limit")
        if (page.length === 0) break
        found.push(...page.map(({ key }) => key))
      }
      equal(found, keys, `pages of ${limit}`)
    }
    equal((await store.list("w", "a1", 1))[0], await store.info("w", "b"), "after a key that is none")
    equal(await store.list("none", undefined, 9), [], "no workspace")
  })

  const tricky: ReadonlyArray<readonly [readonly [string, string], readonly [string, string]]> = [
    [
      ["a/b", "c"],
      ["a", "b/c"]
    ],
    [
      ["a", "b"],
      ["A", "b"]
    ],
    [
      ["w", "x"],
      ["w", "X"]
    ],
    [
      ["w", "."],
      ["w", ".."]
    ],
    [
      ["..", "x"],
      [".", "x"]
    ],
    [
      ["w", "../v/x"],
      ["v", "x"]
    ],
    [
      ["w", "%2e"],
      ["w", "."]
    ],
    [
      ["w", "é"],
      ["w", "e\u0301"]
    ],
    [
      ["w", "con"],
      ["w", "nul.txt"]
    ],
    [
      ["w", "a\\b"],
      ["w", 'a:b*?"<>|']
    ],
    [
      ["w", "a"],
      ["w", "a "]
    ],
    [
      ["w", "x".repeat(blobKeyBytes)],
      ["w", "x".repeat(blobKeyBytes - 1)]
    ],
    [
      ["y".repeat(blobKeyBytes), "k"],
      ["w", "日".repeat(170)]
    ]
  ]
  for (const [[workspace, key], [otherWorkspace, otherKey]] of tricky)
    opened(
      `[STORAGE-66] ${JSON.stringify([workspace, key]).slice(0, 40)} and ${JSON.stringify([otherWorkspace, otherKey]).slice(0, 40)} stay apart`,
      async (store) => {
        await store.put(workspace, key, text("one"), options)
        equal(await store.get(otherWorkspace, otherKey), undefined, "the other is not there")
        await store.put(otherWorkspace, otherKey, text("two"), options)
        equal([await read(store, workspace, key), await read(store, otherWorkspace, otherKey)], ["one", "two"], "bytes")
        ok(
          (await store.list(workspace, undefined, 9)).some((info) => info.key === key),
          "listed"
        )
        await store.delete(workspace, [key])
        equal(await read(store, otherWorkspace, otherKey), "two", "the other stays")
      }
    )

  for (const [what, workspace, key] of [
    ["an empty key", "w", ""],
    ["an empty workspace", "", "k"],
    ["a key with NUL", "w", "a\0b"],
    ["a key that is not well-formed", "w", "\ud800"],
    ["a key that is too long", "w", "x".repeat(blobKeyBytes + 1)]
  ] as const)
    opened(`[STORAGE-66] ${what} is refused`, async (store) => {
      await rejects(() => store.put(workspace, key, text("x"), options), "put")
      await rejects(() => store.info(workspace, key), "info")
      await rejects(() => store.get(workspace, key), "get")
    })

  opened("[STORAGE-67] a durable store keeps what was put", async (store, { reopen }) => {
    if (reopen === undefined) return
    const info = await store.put("w", "k", text("kept"), options)
    const again = await reopen()
    equal([await again.info("w", "k"), await read(again, "w", "k")], [info, "kept"], "after opening again")
  })
}
