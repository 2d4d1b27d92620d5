import { strict as assert } from "node:assert"
import { Storage } from "@switchboard/storage"
import { StorageInvalidError } from "@switchboard/storage/StorageDriver"
import { SqliteStorage } from "@switchboard/storage-sqlite"
import fc from "fast-check"
import { test } from "vitest"
import { event, inDirectory, open, view } from "./Given.ts"

/** Any UTF-16 at all, also what is no text: lone surrogates, NUL, what is not a character. */
const anyText = fc
  .array(fc.oneof(fc.nat(0xffff), fc.constantFrom(0, 0x22, 0x27, 0x5c, 0xd800, 0xdc00, 0xdfff, 0xfffe, 0xffff)), {
    maxLength: 60
  })
  .map((units) => String.fromCharCode(...units))

const anyJson = fc
  .letrec((tie) => ({
    value: fc.oneof(
      { depthSize: "medium" },
      anyText,
      fc.double({ noNaN: true, noDefaultInfinity: true }).map((number) => number + 0),
      fc.boolean(),
      fc.constant(null),
      fc.array(tie("value"), { maxLength: 4 }),
      fc.dictionary(anyText, tie("value"), { maxKeys: 4, noNullPrototype: true })
    )
  }))
  .value.map((value) => ({ value }))

test("[STORAGE-6] any JSON comes back exactly, wherever it is kept", () =>
  inDirectory(async (file) => {
    const driver = await open(file)
    let number = 0
    await fc.assert(
      fc.asyncProperty(anyJson, async (body) => {
        const key = `k${number++}`
        const commit = {
          workspace: "w",
          appends: [
            { stream: key, expectedVersion: 0, events: [{ ...event, body, personal: { subject: "p", fields: body } }] }
          ],
          views: [{ view: "things", key, put: body }],
          timers: [{ set: { kind: "job", key, dueAtMs: 0, payload: body } }]
        }
        assert.equal((await driver.commit([commit], 0))[0]?.ok, true)
        const [stored] = await driver.stream("w", key, 0, 1)
        const [document] = await driver.documents("w", "things", [key])
        const [timer] = await driver.timers("w", [key])
        for (const found of [stored?.body, stored?.personal?.fields, document?.document, timer?.payload])
          assert.deepEqual(found, body)
      }),
      { seed: 20_260_101, numRuns: 300 }
    )
    await driver.close()
    const again = await open(file)
    const journal = await again.journal("w", 0, number)
    const documents = await again.documents(
      "w",
      "things",
      journal.map(({ stream }) => stream)
    )
    assert.deepEqual(
      documents.map((found) => found?.document),
      journal.map(({ body }) => body)
    )
    await again.close()
  }))

test("[STORAGE-26] any text is kept exactly as a key or a claim's value, or refused with what is wrong, and nothing written", () =>
  inDirectory(async (file) => {
    const driver = await open(file)
    const kept = new Set<string>()
    await fc.assert(
      fc.asyncProperty(anyText, async (text) => {
        if (kept.has(text)) return
        const before = await driver.head("w")
        const commit = {
          workspace: "w",
          appends: [{ stream: text, expectedVersion: 0, events: [event] }],
          views: [{ view: "things", key: text, put: {} }],
          timers: [{ set: { kind: "job", key: text, dueAtMs: 0, payload: {} } }],
          claims: [{ key: text, value: text }]
        }
        const error = await driver.commit([commit], 0).then(
          () => undefined,
          (cause: unknown) => cause
        )
        if (error !== undefined) {
          assert(error instanceof StorageInvalidError && /well-formed text without NUL/.test(error.message))
          assert(text.includes("\0") || !text.isWellFormed())
          assert.equal(await driver.head("w"), before)
          return
        }
        kept.add(text)
        const [stored] = await driver.stream("w", text, 0, 1)
        const [document] = await driver.documents("w", "things", [text])
        const [timer] = await driver.timers("w", [text])
        const [claim] = await driver.claims("w", [text], 0)
        assert.deepEqual([stored?.stream, document?.key, timer?.key, claim?.key, claim?.value], Array(5).fill(text))
      }),
      { seed: 20_260_101, numRuns: 300 }
    )
    assert(kept.size > 50 && kept.size < 250)
    await driver.close()
  }))

test("[STORAGE-7] ten megabytes of anything are kept exactly where the limits allow them, and refused where not", () =>
  inDirectory(async (file) => {
    const text = '\0\ud800é\u{1f600}\\"'.repeat(1_500_000)
    const commit = {
      appends: [{ stream: "s", expectedVersion: 0, events: [{ ...event, body: { text } }] }],
      views: [{ view: "things", key: "k", put: { other: text } }]
    }
    const storage = await Storage.open(SqliteStorage.make({ file }), { views: [view], now: () => 0 })
    await assert.rejects(storage.workspace("w").commit(commit), { code: "storage-limit", message: /eventBytes/ })
    assert.equal(await storage.workspace("w").head(), 0)
    await storage.close()
    const driver = await open(file)
    assert.equal((await driver.commit([{ workspace: "w", ...commit }], 0))[0]?.ok, true)
    assert.equal((await driver.journal("w", 0, 1))[0]?.body["text"], text)
    assert.equal((await driver.documents("w", "things", ["k"]))[0]?.document["other"], text)
    await driver.close()
  }))

test("[STORAGE-36] what is nested too deep is refused with what is wrong, and storage goes on", () =>
  inDirectory(async (file) => {
    const nested = (depth: number) => {
      let body: Record<string, unknown> = {}
      for (let level = 0; level < depth; level++) body = { body }
      return body
    }
    const storage = await Storage.open(SqliteStorage.make({ file }), { views: [view], now: () => 0 })
    const workspace = storage.workspace("w")
    const put = (depth: number) => workspace.commit({ views: [{ view: "things", key: "k", put: nested(depth) }] })
    await assert.rejects(put(1_000_000), { code: "storage-invalid", message: /at most 100 deep/ })
    await put(90)
    assert.deepEqual((await workspace.documents("things", ["k"]))[0]?.document, nested(90))
    await storage.close()
    // A driver alone has no such limit.
    const driver = await open(file)
    const views = [{ view: "things", key: "deep", put: nested(1_000) }]
    assert.equal((await driver.commit([{ workspace: "w", views }], 0))[0]?.ok, true)
    assert.deepEqual((await driver.documents("w", "things", ["deep"]))[0]?.document, nested(1_000))
    await driver.close()
  }))
