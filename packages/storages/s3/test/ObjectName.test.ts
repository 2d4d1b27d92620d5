import { strict as assert } from "node:assert"
import { blobKeyBytes } from "@switchboard/storage/BlobStore"
import { compareText } from "@switchboard/storage/View"
import fc from "fast-check"
import { describe, test } from "vitest"
import { ofKey, ofWorkspace, toKey } from "../src/internal/ObjectName.ts"

const fits = (text: string) => text !== "" && Buffer.byteLength(text) <= blobKeyBytes
const anyKey = fc
  .oneof(
    fc.string({ unit: "binary", maxLength: 170 }),
    fc.string({ unit: fc.constantFrom("a", "b", "/", ".", "é", "\uffee", "\u{1f600}", "\u0001"), maxLength: 128 }),
    // Around where a name goes on in its next piece: 187 and a half bytes.
    fc
      .integer({ min: 180, max: 195 })
      .chain((length) => fc.string({ unit: fc.constantFrom("a", "b"), minLength: length, maxLength: length }))
  )
  .filter(fits)

describe("[S3-3] names of keys", () => {
  test("come back, are plain, short enough, and in no other's way", () =>
    fc.assert(
      fc.property(anyKey, anyKey, (left, right) => {
        for (const key of [left, right]) {
          const name = ofKey(key)
          assert.equal(toKey(name), key)
          assert.match(name, /^[A-Za-z0-9_-]+(\/[A-Za-z0-9_-]+)*$/)
          assert.ok(name.split("/").every((step) => step.length <= 251))
        }
        assert.ok(!ofKey(left).startsWith(`${ofKey(right)}/`))
      }),
      { numRuns: 300 }
    ))

  test("sort as the keys do", () =>
    fc.assert(
      fc.property(anyKey, anyKey, fc.nat(blobKeyBytes), (left, other, shared) => {
        const right = fits(left.slice(0, shared) + other) ? left.slice(0, shared) + other : other
        assert.equal(
          Math.sign(compareText(left.toWellFormed(), right.toWellFormed())),
          Math.sign(compareText(ofKey(left), ofKey(right)))
        )
      }),
      { numRuns: 500 }
    ))

  test("that are others' are none of ours", () => {
    for (const name of ["", "!", "a.txt", "a/b", "é", "NW", "_/", "NF_/", "NF/", "NG", `${"N".repeat(251)}`])
      assert.equal(toKey(name), undefined, name)
    assert.equal(toKey("NF"), "a")
  })
})

describe("[S3-3] names of workspaces", () => {
  test("are readable, plain and short", () => {
    assert.equal(ofWorkspace("acme-eu"), "acme-eu")
    assert.equal(ofWorkspace("Acme GmbH/é"), "Acme_20GmbH_2f_c3_a9")
    assert.equal(ofWorkspace(".."), "_2e_2e")
    assert.match(ofWorkspace("w".repeat(101)), /^__[0-9a-f]{64}$/)
  })

  test("never meet", () => {
    const longest = ofWorkspace("w".repeat(101))
    assert.notEqual(ofWorkspace(longest), longest)
    fc.assert(
      fc.property(anyKey, anyKey, (left, right) => {
        assert.equal(ofWorkspace(left) === ofWorkspace(right), left === right)
        assert.match(ofWorkspace(left), /^[A-Za-z0-9_-]{1,100}$/)
      }),
      { numRuns: 300 }
    )
  })

  test("fit into 1,024 bytes with the longest prefix and the longest key", () => {
    const longest = 201 + ofWorkspace("w".repeat(100)).length + 1 + ofKey("x".repeat(blobKeyBytes)).length
    assert.ok(longest <= 1_024, String(longest))
  })
})
