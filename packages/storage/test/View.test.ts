import { strict as assert } from "node:assert"
import { View } from "@switchboard/storage"
import type { ViewDefinition } from "@switchboard/storage/StorageDriver"
import fc from "fast-check"
import { test } from "vitest"

const good: ViewDefinition = { name: "things", version: 1, fields: { name: "text" }, indexes: [["name"]] }

const wrong: ReadonlyArray<readonly [string, ReadonlyArray<ViewDefinition>]> = [
  ["a name with a quote", [{ ...good, name: 'a"b' }]],
  ["an empty name", [{ ...good, name: "" }]],
  ["names that differ only in case", [good, { ...good, name: "Things" }]],
  ["fields that differ only in case", [{ ...good, fields: { name: "text", Name: "text" } }]],
  ["a field that is no name", [{ ...good, fields: { "a b": "text" }, indexes: [] }]],
  ["an index over an undeclared field", [{ ...good, indexes: [["colour"]] }]],
  ["an index over what every object inherits", [{ ...good, indexes: [["toString"]] }]],
  ["an empty index", [{ ...good, indexes: [[]] }]],
  ["version 0", [{ ...good, version: 0 }]],
  ["words at an empty path", [{ ...good, words: [""] }]],
  ["words at a path with a gap", [{ ...good, words: ["parts..text"] }]]
]
for (const [title, definitions] of wrong)
  test(`[STORAGE-11] a view with ${title} is refused`, () => {
    assert.throws(() => View.checkDefinitions(definitions), { _tag: "StorageInvalidError" })
  })

test("[STORAGE-10] text is ordered as its UTF-8 bytes are", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), fc.string({ unit: "binary" }), (left, right) => {
      const bytes = Buffer.compare(Buffer.from(left), Buffer.from(right))
      assert.equal(Math.sign(View.compareText(left, right)), bytes)
    }),
    {
      seed: 1,
      numRuns: 2_000,
      examples: [
        ["\uffff", "\u{10000}"],
        ["a\uffee", "a\u{1f600}"]
      ]
    }
  )
})

test("[STORAGE-85] the words of a document are those at its view's paths, through lists, and nothing else", () => {
  const view = { ...good, words: ["subject", "parts.text", "parts.more.text", "tags", "toString"] }
  const document = {
    subject: "Bill",
    parts: [{ text: "one" }, { text: 2 }, {}, { more: [{ text: "two" }, null] }, "three", { text: "" }],
    tags: ["vip", ["nested"]],
    other: "unseen"
  }
  assert.equal(View.textOf(view, document), "Bill\none\ntwo\nvip\nnested")
  assert.equal(View.textOf(good, document), "")
})

test("[STORAGE-85] of a long document the first fifty thousand units are searched", () => {
  const view = { ...good, words: ["a", "b"] }
  const text = View.textOf(view, { a: "x".repeat(49_990), b: "within the bound and beyond" })
  assert.equal(text.length, 50_000)
  assert.equal(text.slice(49_990), "\nwithin th")
})
