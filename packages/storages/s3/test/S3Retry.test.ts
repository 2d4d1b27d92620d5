import { strict as assert } from "node:assert"
import { afterEach, describe, test, vi } from "vitest"
import type { Fault } from "./FakeS3.ts"
import { put, read, withS3 } from "./Setting.ts"

const pauses: Array<number> = []

// Nobody waits here: the pauses are noted instead.
vi.mock("node:timers/promises", () => ({
  setTimeout: async (ms: number) => {
    pauses.push(ms)
  }
}))

afterEach(() => pauses.splice(0))

const bytes = new Uint8Array([1, 2, 3])

describe("[S3-7] what may pass is tried again:", () => {
  const passing: ReadonlyArray<readonly [string, Fault]> = [
    ["an internal error", { status: 500, code: "InternalError" }],
    ["a gateway's error, without a body", { status: 502 }],
    ["too many requests", { status: 503, code: "SlowDown" }],
    ["429", { status: 429 }],
    ["a body damaged on its way", { status: 400, code: "BadDigest" }],
    ["a connection that ends", "hang up"]
  ]
  for (const [what, fault] of passing)
    test(`${what}, and then it goes well`, () => {
      const failed = new Set<string>()
      return withS3(
        {
          fault: ({ operation }) => {
            // Without a body nothing of it is damaged.
            if (failed.has(operation) || (what.includes("body damaged") && /Head|List/.test(operation)))
              return undefined
            failed.add(operation)
            return fault
          }
        },
        async ({ blobs, count }) => {
          await blobs.put("w", "k", bytes, put)
          assert.deepEqual(await read(await blobs.get("w", "k")), Buffer.from(bytes))
          assert.equal((await blobs.list("w", undefined, 9)).length, 1)
          await blobs.delete("w", ["k"])
          assert.deepEqual([count("PutObject"), count("GetObject"), count("DeleteObjects")], [2, 2, 2])
        }
      )
    })

  test("so often and no more, after pauses that double", () =>
    withS3(
      { fault: ({ operation }) => (operation === "PutObject" ? { status: 503, code: "SlowDown" } : undefined) },
      async ({ blobs, count }) => {
        await assert.rejects(blobs.put("w", "k", bytes, put), {
          code: "s3-unavailable",
          status: 503,
          s3Code: "SlowDown",
          attempts: 6
        })
        assert.equal(count("PutObject"), 6)
        assert.equal(pauses.length, 5)
        for (const [index, pause] of pauses.entries()) {
          const most = Math.min(10_000, 1_000 * 2 ** index)
          assert.ok(pause >= most / 2 && pause <= most, `pause ${index}: ${pause}`)
        }
      },
      { attempts: 6, firstRetryMs: 1_000 }
    ))

  test("after as long as the store asks, within bounds", async () => {
    for (const [asked, waited] of [
      ["7", 7_000],
      ["86400", 30_000]
    ] as const)
      await withS3(
        {
          fault: ({ operation }) =>
            operation === "PutObject" ? { status: 503, headers: { "retry-after": asked } } : undefined
        },
        async ({ blobs }) => {
          await assert.rejects(blobs.put("w", "k", bytes, put), { code: "s3-unavailable" })
          assert.deepEqual(pauses.splice(0), [waited])
        },
        { attempts: 2 }
      )
  })

  test("silence, when its time is over", () =>
    withS3(
      { fault: ({ operation }) => (operation === "HeadObject" ? "silence" : undefined) },
      async ({ blobs, count }) => {
        await assert.rejects(blobs.info("w", "k"), {
          code: "s3-unavailable",
          message: /no answer within 20 ms, 2 times/
        })
        assert.equal(count("HeadObject"), 2)
      },
      { attempts: 2, timeoutMs: 20 }
    ))
})

describe("[S3-7] a refusal is asked once:", () => {
  for (const [status, code] of [
    [400, "InvalidRequest"],
    [403, "AccessDenied"],
    [403, "RequestTimeTooSkewed"],
    [404, "NoSuchBucket"],
    [405, "MethodNotAllowed"]
  ] as const)
    test(code, () =>
      withS3(
        { fault: ({ operation }) => (operation === "PutObject" ? { status, code } : undefined) },
        async ({ blobs, count }) => {
          await assert.rejects(blobs.put("w", "k", bytes, put), { _tag: "S3Error", s3Code: code, attempts: 1 })
          assert.deepEqual([count("PutObject"), pauses], [1, []])
        }
      )
    )
})
