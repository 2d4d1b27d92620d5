import { strict as assert } from "node:assert"
import { request as httpRequest } from "node:http"
import { inspect } from "node:util"
import { blobConformance } from "@switchboard/storage/BlobConformance"
import { S3BlobStore } from "@switchboard/storage-s3"
import { describe, test } from "vitest"
import { ofKey } from "../src/internal/ObjectName.ts"
import { accessKeyId, type Fault, secretAccessKey, start } from "./FakeS3.ts"
import { inChunks, MiB, optionsFor, pattern, put, read, withS3 } from "./Setting.ts"

const partBytes = 5 * MiB
const bytes = (text: string): Buffer => Buffer.from(text)

for (const conditions of ["heeded", "refused"] as const)
  describe(`with conditions ${conditions}`, () => {
    blobConformance({
      // Conditions matter to puts only; and where they are refused, only puts one after the other keep the first.
      test: (title, run) => {
        if (conditions === "heeded" || /^\[STORAGE-6[024]\]/.test(title)) test(title, run)
      },
      make: async () => {
        const fake = await start({ conditions })
        const options = optionsFor(fake, conditions === "heeded" ? { prefix: "desk/blobs" } : {})
        return {
          store: S3BlobStore.make(options),
          reopen: async () => S3BlobStore.make(options),
          dispose: fake.close
        }
      }
    })
  })

describe("[S3-4] contents come back,", () => {
  const sizes: ReadonlyArray<readonly [string, number, number]> = [
    ["empty", 0, 0],
    ["exactly a part", partBytes, 0],
    ["a part and a byte", partBytes + 1, 2],
    ["exactly two parts", 2 * partBytes, 2],
    ["twenty million bytes", 20_000_000, 4]
  ]
  for (const [what, size, parts] of sizes)
    for (const [how, source] of [
      ["at once", (content: Uint8Array) => content],
      ["by stream", (content: Uint8Array) => inChunks(content, 300_007)]
    ] as const)
      test(`${what}, put ${how}`, () =>
        withS3({}, async ({ fake, blobs, count }) => {
          const content = pattern(size)
          const info = { key: "k", sizeBytes: size, mediaType: put.mediaType }
          assert.deepEqual(await blobs.put("w", "k", source(content), put), info)
          assert.deepEqual(await blobs.info("w", "k"), info)
          assert.ok(content.equals((await read(await blobs.get("w", "k")))!))
          const range = { start: Math.max(0, size - 70_000), end: size }
          assert.ok(content.subarray(range.start).equals((await read(await blobs.get("w", "k", range)))!))
          assert.deepEqual([count("UploadPart"), count("PutObject")], [parts, parts === 0 ? 1 : 0])
          assert.equal(fake.uploads.size, 0)
        }))
})

test("[S3-4] the source is read no further than the part that is under way", async () => {
  let produced = 0
  const ahead: Array<number> = []
  const fault = ({ operation, query }: { readonly operation: string; readonly query: URLSearchParams }) => {
    if (operation === "UploadPart") ahead.push(produced - Number(query.get("partNumber")) * partBytes)
    return undefined
  }
  await withS3({ fault }, async ({ blobs }) => {
    const chunk = pattern(64 * 1_024)
    async function* source() {
      for (let index = 0; index < 20 * 16; index++) {
        produced += chunk.length
        yield chunk
      }
    }
    await blobs.put("w", "k", source(), put)
    // One chunk more tells that the part is not the last.
    assert.deepEqual(ahead, [chunk.length, chunk.length, chunk.length, 0])
  })
})

test("[S3-4] a source may use its memory again for every chunk", () =>
  withS3({}, async ({ blobs }) => {
    const content = pattern(partBytes + 1_000)
    async function* source() {
      const chunk = Buffer.alloc(100_000)
      for (let at = 0; at < content.length; at += chunk.length)
        yield chunk.subarray(0, content.copy(chunk, 0, at, at + chunk.length))
    }
    await blobs.put("w", "k", source(), put)
    assert.ok(content.equals((await read(await blobs.get("w", "k")))!))
  }))

describe("[S3-5] nothing is left of a put", () => {
  const nothing = (
    what: string,
    options: {
      readonly fault?: Fault
      readonly source?: () => AsyncIterable<Uint8Array>
      readonly limitBytes?: number
      readonly code?: string
    }
  ) =>
    test(what, () =>
      withS3(
        {
          fault: ({ operation, query }) =>
            operation === "UploadPart" && query.get("partNumber") === "2" ? options.fault : undefined
        },
        async ({ fake, blobs, count }) => {
          const source = options.source?.() ?? inChunks(pattern(2 * partBytes + 9), 1_000_000)
          await assert.rejects(
            blobs.put("w", "k", source, { ...put, limitBytes: options.limitBytes ?? put.limitBytes }),
            options.code === undefined ? /lost/ : { code: options.code }
          )
          assert.deepEqual([fake.objects.size, fake.uploads.size, count("AbortMultipartUpload")], [0, 0, 1])
          assert.deepEqual(await blobs.list("w", undefined, 9), [])
        }
      )
    )
  nothing("that goes over its limit in a later part", { limitBytes: 2 * partBytes + 8, code: "blob-limit" })
  nothing("whose later part is refused", { fault: { status: 403, code: "AccessDenied" }, code: "s3-refused" })
  nothing("whose later part never arrives", { fault: "hang up", code: "s3-unavailable" })
  nothing("whose source fails", {
    source: async function* () {
      yield pattern(partBytes + 1)
      throw new Error("lost")
    }
  })

  test("that is larger than its limit: it is not even begun", () =>
    withS3({}, async ({ fake, blobs }) => {
      const limited = { ...put, limitBytes: 10 }
      await assert.rejects(blobs.put("w", "k", new Uint8Array(11), limited), { code: "blob-limit" })
      await assert.rejects(blobs.put("w", "k", inChunks(new Uint8Array(11), 3), limited), { code: "blob-limit" })
      assert.deepEqual([...new Set(fake.seen.map((each) => each.operation))], ["HeadObject", "ListObjectsV2"])
    }))

  test("also when the parts can't be taken back: the first failure is told", () =>
    withS3(
      {
        fault: ({ operation }) =>
          /UploadPart|Abort/.test(operation) ? { status: 403, code: "AccessDenied" } : undefined
      },
      async ({ fake, blobs }) => {
        await assert.rejects(blobs.put("w", "k", pattern(partBytes + 1), put), { operation: "UploadPart" })
        assert.deepEqual([fake.objects.size, fake.uploads.size], [0, 1])
      }
    ))
})

describe("[S3-6] the first put stays", () => {
  const first = bytes("first")
  for (const conditions of ["heeded", "refused", "ignored"] as const)
    test(`with conditions ${conditions}, and the source of the second is not read`, () =>
      withS3({ conditions }, async ({ blobs, count }) => {
        const info = await blobs.put("w", "k", first, put)
        async function* unread(): AsyncGenerator<Uint8Array> {
          yield await Promise.reject(new Error("read"))
        }
        assert.deepEqual(await blobs.put("w", "k", unread(), { ...put, mediaType: "text/plain" }), info)
        assert.deepEqual(await read(await blobs.get("w", "k")), first)
        assert.equal(count("PutObject"), conditions === "refused" ? 2 : 1)
      }))

  for (const [size, conditions] of [
    [9, "heeded"],
    [partBytes + 1, "heeded"],
    [9, "refused"],
    [partBytes + 1, "refused"]
  ] as const)
    test(`when another one ends while the source is read: ${size} bytes, conditions ${conditions}`, () =>
      withS3({ conditions }, async ({ fake, blobs }) => {
        const other = S3BlobStore.make(optionsFor(fake))
        async function* overtaken() {
          yield pattern(size)
          await other.put("w", "k", first, put)
        }
        const info = await blobs.put("w", "k", overtaken(), { ...put, mediaType: "text/plain" })
        assert.deepEqual(info, { key: "k", sizeBytes: 5, mediaType: put.mediaType })
        assert.deepEqual(await read(await blobs.get("w", "k")), first)
        assert.equal(fake.uploads.size, 0)
      }))

  test("a conflict is tried again", () => {
    const fault = (
      { operation }: { readonly operation: string },
      earlier: ReadonlyArray<{ readonly operation: string }>
    ) =>
      operation === "PutObject" && earlier.every((each) => each.operation !== "PutObject")
        ? { status: 409, code: "ConditionalRequestConflict" }
        : undefined
    return withS3({ fault }, async ({ blobs, count }) => {
      await blobs.put("w", "k", first, put)
      assert.deepEqual([await read(await blobs.get("w", "k")), count("PutObject")], [first, 2])
    })
  })

  test("that the store knows no conditions is asked once", () =>
    withS3({ conditions: "refused" }, async ({ fake, blobs }) => {
      for (const key of ["a", "b", "c"]) await blobs.put("w", key, first, put)
      const asked = fake.seen.filter(({ headers }) => headers["if-none-match"] !== undefined)
      assert.equal(asked.length, 1)
    }))
})

describe("[S3-8] a put whose answer was lost ends with one blob", () => {
  for (const conditions of ["heeded", "refused"] as const)
    for (const [size, operation] of [
      [9, "PutObject"],
      [partBytes + 1, "CompleteMultipartUpload"]
    ] as const)
      test(`${operation}, conditions ${conditions}`, () => {
        let lost = 0
        return withS3(
          {
            conditions,
            // The first try that would be done; with conditions refused that is the one without.
            fault: (request) =>
              request.operation === operation &&
              (conditions === "heeded" || request.headers["if-none-match"] === undefined) &&
              lost++ === 0
                ? "done, then hang up"
                : undefined
          },
          async ({ fake, blobs }) => {
            const content = pattern(size)
            const info = await blobs.put("w", "k", content, put)
            assert.deepEqual(info, { key: "k", sizeBytes: size, mediaType: put.mediaType })
            assert.ok(content.equals((await read(await blobs.get("w", "k")))!))
            assert.deepEqual([fake.objects.size, fake.uploads.size], [1, 0])
          }
        )
      })

  for (const [what, answer] of [
    [
      "an answer that began well and tells of an error",
      "<?xml version='1.0'?>\n\n <Error><Code>InternalError</Code></Error>"
    ],
    ["an answer that ends before it tells", "<?xml version='1.0'?>\n\n  "]
  ] as const)
    test(`${what} is no success`, () => {
      let answered = 0
      return withS3(
        { fault: ({ operation }) => (operation.startsWith("Complete") && answered++ === 0 ? { answer } : undefined) },
        async ({ blobs, fake, count }) => {
          await blobs.put("w", "k", pattern(partBytes + 1), put)
          assert.deepEqual([count("CompleteMultipartUpload"), fake.objects.size], [2, 1])
        }
      )
    })
})

describe("[S3-9] a download", () => {
  const content = pattern(3_000_000)

  test("goes on where it broke off, and again, and asks only for what is missing", () =>
    withS3(
      {
        fault: ({ operation }, earlier) =>
          operation === "GetObject" && earlier.filter((each) => each.operation === "GetObject").length < 6
            ? "cut off"
            : undefined
      },
      async ({ fake, blobs, count }) => {
        await blobs.put("w", "k", content, put)
        assert.ok(content.equals((await read(await blobs.get("w", "k")))!))
        assert.equal(count("GetObject"), 7)
        const starts = fake.seen.flatMap(({ operation, headers }) =>
          operation === "GetObject" ? [Number(/^bytes=(\d+)-2999999$/.exec(headers.range ?? "")?.[1] ?? 0)] : []
        )
        assert.deepEqual(
          starts,
          [...new Set(starts)].sort((left, right) => left - right)
        )
      },
      { attempts: 2 }
    ))

  test("fails when it gets no further", () =>
    withS3(
      { fault: ({ operation }) => (operation === "GetObject" ? "hang up" : undefined) },
      async ({ blobs, count }) => {
        await blobs.put("w", "k", content, put)
        await assert.rejects(read(await blobs.get("w", "k")), { code: "s3-unavailable", attempts: 4 })
        assert.equal(count("GetObject"), 4)
      }
    ))

  test("of a blob that was put anew, or deleted, meanwhile is refused", () =>
    withS3({ fault: ({ operation }) => (operation === "GetObject" ? "cut off" : undefined) }, async ({ blobs }) => {
      for (const renew of [true, false]) {
        await blobs.put("w", "k", content, put)
        const parts = (await blobs.get("w", "k"))![Symbol.asyncIterator]()
        await parts.next()
        await blobs.delete("w", ["k"])
        if (renew) await blobs.put("w", "k", pattern(9), put)
        await assert.rejects(
          async () => {
            while (!(await parts.next()).done);
          },
          { code: "s3-gone" }
        )
        await blobs.delete("w", ["k"])
      }
    }))

  test("that nobody reads, or not to its end, keeps no connection", () =>
    withS3({}, async ({ fake, blobs, count }) => {
      await blobs.put("w", "k", pattern(20_000_000), put)
      await blobs.get("w", "k")
      assert.equal(count("GetObject"), 0)
      for await (const _ of (await blobs.get("w", "k"))!) break
      while (fake.underWay() > 0) await new Promise(setImmediate)
    }))

  test("of a range is refused from a store that answers with the whole", () =>
    withS3({ withoutRanges: true }, async ({ blobs, count }) => {
      await blobs.put("w", "k", content, put)
      await assert.rejects(read(await blobs.get("w", "k", { start: 5 })), { code: "s3-unsupported" })
      assert.equal(count("GetObject"), 1)
    }))
})

describe("[S3-10] blobs are deleted", () => {
  test("a thousand at a time", () =>
    withS3({}, async ({ fake, blobs, count }) => {
      const keys = Array.from({ length: 2_001 }, (_, index) => `k${index}`)
      await blobs.put("w", "k2000", bytes("x"), put)
      await blobs.put("w", "other", bytes("x"), put)
      await blobs.delete("w", keys)
      assert.deepEqual([count("DeleteObjects"), fake.objects.size], [3, 1])
    }))

  const entry = (object: string, code: string) => `<Error><Key>${object}</Key><Code>${code}</Code></Error>`
  const gone = (object: string) => `<Deleted><Key>${object}</Key></Deleted>`

  test("what failed for a while is asked for again, what was not there is gone, and nothing else is asked for twice", () =>
    withS3(
      {
        fault: ({ operation, body }, earlier) => {
          if (operation !== "DeleteObjects" || earlier.some((each) => each.operation === operation)) return undefined
          const [one = "", two = "", three = ""] = [...String(body).matchAll(/<Key>(.*?)<\/Key>/g)].map(
            ([, key]) => key
          )
          return {
            answer: `<DeleteResult>${gone(encodeURIComponent(one))}${entry(two, "InternalError")}${entry(three, "NoSuchKey")}</DeleteResult>`
          }
        }
      },
      async ({ fake, blobs }) => {
        await blobs.delete("w", ["a", "b", "c"])
        const asked = fake.seen.map(({ body }) => [...String(body).matchAll(/<Key>/g)].length)
        assert.deepEqual(asked, [3, 1])
      }
    ))

  for (const [what, answer, code, s3Code] of [
    ["refused", entry(`w/${ofKey("a")}`, "AccessDenied"), "s3-refused", "AccessDenied"],
    ["not spoken of", "", "s3-failed", undefined]
  ] as const)
    test(`what is ${what} is reported`, () =>
      withS3({ fault: () => ({ answer: `<DeleteResult>${answer}</DeleteResult>` }) }, async ({ blobs, count }) => {
        await assert.rejects(blobs.delete("w", ["a"]), { code, s3Code })
        assert.equal(count("DeleteObjects"), 1)
      }))
})

describe("[S3-11] listing", () => {
  const fill = (fake: Awaited<ReturnType<typeof start>>, name: string) =>
    fake.objects.set(name, { bytes: bytes("x"), headers: { "content-type": "a/b" }, etag: '"1"' })

  test("asks for page after page, and leaves out what is not ours", () =>
    withS3({ pageSize: 20 }, async ({ fake, blobs, count }) => {
      const keys = Array.from({ length: 50 }, (_, index) => `k${index + 100}`)
      for (const key of keys) fill(fake, `w/${ofKey(key)}`)
      for (const foreign of ["w/", "w/!", "w/zz.txt", "w/é", "w/%zz", "w/\u{1f600}", "w/\uffee", "w0/k", "k"])
        fill(fake, foreign)
      assert.deepEqual(
        (await blobs.list("w", undefined, 5_000)).map(({ key }) => key),
        keys
      )
      assert.equal(count("ListObjectsV2"), 3)
      assert.deepEqual(
        (await blobs.list("w", "k117x", 3)).map(({ key }) => key),
        ["k118", "k119", "k120"]
      )
      assert.deepEqual(await blobs.list("w", undefined, 0), [])
    }))

  test("fills its page, also when others' objects come first", () =>
    withS3({}, async ({ fake, blobs, count }) => {
      for (let index = 0; index < 1_500; index++) fill(fake, `w/!${index}`)
      await blobs.put("w", "k", bytes("x"), put)
      assert.deepEqual(await blobs.list("w", undefined, 1), [{ key: "k", sizeBytes: 1, mediaType: put.mediaType }])
      assert.equal(count("ListObjectsV2"), 4)
    }))

  test("fills its page, also when a blob is deleted meanwhile", async () => {
    const gone = `w/${ofKey("a")}`
    const objects: Array<Map<string, unknown>> = []
    const fault = ({ operation, object }: { readonly operation: string; readonly object: string }) => {
      if (operation === "HeadObject" && object === gone) objects[0]?.delete(gone)
      return undefined
    }
    await withS3({ fault }, async ({ fake, blobs }) => {
      for (const key of ["a", "b", "c", "d"]) await blobs.put("w", key, bytes("x"), put)
      objects.push(fake.objects)
      assert.deepEqual(
        (await blobs.list("w", undefined, 2)).map(({ key }) => key),
        ["b", "c"]
      )
    })
  })

  test("refuses a store that lists in another order", () =>
    withS3({ withoutOrder: true }, async ({ blobs }) => {
      for (const key of ["a", "b"]) await blobs.put("w", key, bytes("x"), put)
      await assert.rejects(blobs.list("w", undefined, 9), { code: "s3-unsupported" })
    }))

  test("refuses an answer that is no listing", () =>
    withS3(
      { fault: ({ operation }) => (operation === "ListObjectsV2" ? { answer: "<html></html>" } : undefined) },
      async ({ blobs }) => {
        await assert.rejects(blobs.list("w", undefined, 9), { code: "s3-failed" })
      }
    ))
})

describe("[S3-12] the media type comes back:", () => {
  for (const mediaType of [
    "text/plain; charset=utf-8",
    'multipart/mixed; boundary="a b"',
    "",
    "application/pdf, text/html",
    "bild/größe",
    "a/b\r\nx-amz-acl: public-read",
    "\ud800",
    " text/plain ",
    "日".repeat(100)
  ])
    test(JSON.stringify(mediaType).slice(0, 50), () =>
      withS3({}, async ({ fake, blobs }) => {
        for (const size of [1, partBytes + 1]) {
          const key = String(size)
          assert.equal((await blobs.put("w", key, pattern(size), { ...put, mediaType })).mediaType, mediaType)
          assert.equal((await blobs.info("w", key))?.mediaType, mediaType)
        }
        assert.ok(fake.seen.every(({ headers }) => headers["x-amz-acl"] === undefined))
      })
    )

  test("one that is longer is refused before anything is asked", () =>
    withS3({}, async ({ fake, blobs }) => {
      for (const mediaType of [`a/${"b".repeat(2_000)}`, "日".repeat(200)])
        await assert.rejects(blobs.put("w", "k", bytes("x"), { ...put, mediaType }), { code: "storage-invalid" })
      assert.equal(fake.seen.length, 0)
    }))
})

describe("[S3-13] a signed address", () => {
  test("leads to the blob, under the name and type it was given", () =>
    withS3({}, async ({ blobs }) => {
      await blobs.put("w", "a b/../é%2e", bytes("<script>"), { ...put, mediaType: "text/html" })
      const url = await blobs.signedUrl("w", "a b/../é%2e", {
        expiresInMs: 61_999,
        fileName: 'Re: "größe" 100%\r\n/..\\x.pdf',
        mediaType: "application/pdf"
      })
      const response = await fetch(url)
      assert.equal(await response.text(), "<script>")
      assert.equal(response.headers.get("content-type"), "application/pdf")
      assert.equal(
        response.headers.get("content-disposition"),
        `attachment; filename="Re: _gr__e_ 100____.._x.pdf"; filename*=UTF-8''Re%3A%20%22gr%C3%B6%C3%9Fe%22%20100%25___.._x.pdf`
      )
      assert.equal(new URL(url).searchParams.get("X-Amz-Expires"), "61")
    }))

  test("is saved and not shown, whatever the blob is", () =>
    withS3({}, async ({ blobs }) => {
      await blobs.put("w", "k", bytes("<script>"), { ...put, mediaType: "text/html" })
      const response = await fetch(await blobs.signedUrl("w", "k", { expiresInMs: 1_000 }))
      assert.equal(response.headers.get("content-disposition"), "attachment")
      await response.text()
    }))

  test("leads to nothing else, and does nothing else", () =>
    withS3({}, async ({ blobs, fake }) => {
      await blobs.put("w", "k", bytes("one"), put)
      await blobs.put("w", "l", bytes("two"), put)
      const url = await blobs.signedUrl("w", "k", { expiresInMs: 60_000, fileName: "a" })
      const [one = "", two = ""] = [...fake.objects.keys()]
      for (const [changed, method] of [
        [url.replace(one, two), "GET"],
        [url.replace("X-Amz-Expires=60", "X-Amz-Expires=6000"), "GET"],
        [url.replace("filename", "file"), "GET"],
        [url, "DELETE"]
      ] as const)
        assert.equal((await fetch(changed, { method })).status, 403, `${method} ${changed}`)
      assert.equal(fake.objects.size, 2)
    }))

  test("is refused for a time that can't be, and for a key that can't be", () =>
    withS3({}, async ({ blobs }) => {
      for (const expiresInMs of [0, 999, -1, Number.NaN, Number.POSITIVE_INFINITY, 604_801_000])
        await assert.rejects(blobs.signedUrl("w", "k", { expiresInMs }), { code: "storage-invalid" })
      await assert.rejects(blobs.signedUrl("w", "", { expiresInMs: 1_000 }), { code: "storage-invalid" })
    }))

  test("has the bucket in its host, or in its path, and the signature covers either", () =>
    withS3({ pathStyle: false }, async ({ fake }) => {
      fake.objects.set(`w/${ofKey("a")}`, { bytes: bytes("x"), headers: {}, etag: '"1"' })
      const blobs = S3BlobStore.make(optionsFor(fake, { forcePathStyle: false }))
      const url = new URL(await blobs.signedUrl("w", "a", { expiresInMs: 1_000 }))
      assert.equal(url.hostname, "attachments.localhost")
      const status = await new Promise((resolve, reject) => {
        const { port, pathname, search, host } = url
        httpRequest({ host: "127.0.0.1", port, path: pathname + search, headers: { host } }, (response) => {
          response.resume()
          resolve(response.statusCode)
        })
          .on("error", reject)
          .end()
      })
      assert.equal(status, 200)
    }))
})

describe("[S3-2] requests are signed", () => {
  test("with temporary credentials too", () =>
    withS3(
      { sessionToken: "token+/=1" },
      async ({ blobs }) => {
        await blobs.put("w", "k", pattern(partBytes + 1), put)
        assert.equal((await blobs.list("w", undefined, 9)).length, 1)
        await blobs.delete("w", ["k"])
        const response = await fetch(await blobs.signedUrl("w", "k", { expiresInMs: 1_000 }))
        assert.equal(response.status, 404)
        await response.text()
      },
      { sessionToken: "token+/=1" }
    ))

  test("and no error, and nothing that is printed, holds a credential", () =>
    withS3({ fault: () => ({ status: 403, code: "SignatureDoesNotMatch" }) }, async ({ blobs }) => {
      const errors: Array<unknown> = [blobs]
      for (const run of [
        () => blobs.put("w", "k", bytes("x"), put),
        () => blobs.get("w", "k"),
        () => blobs.list("w", undefined, 9),
        () => blobs.delete("w", ["k"])
      ])
        await assert.rejects(run, (error) => errors.push(error) > 0)
      for (const each of errors) {
        const printed = `${inspect(each, { depth: 9, showHidden: true })} ${JSON.stringify(each)} ${String(each)}`
        assert.ok(!printed.includes(accessKeyId) && !printed.includes(secretAccessKey), printed)
      }
    }))
})

describe("[S3-14] a failure tells what to do about", () => {
  const cases: ReadonlyArray<readonly [string, Parameters<typeof optionsFor>[1], string, RegExp]> = [
    ["the key", { accessKeyId: "AKIAOTHER" }, "s3-refused", /InvalidAccessKeyId.*Check the credentials/s],
    ["the secret", { secretAccessKey: "other" }, "s3-refused", /SignatureDoesNotMatch.*Check the credentials/s],
    ["the region", { region: "us-east-1" }, "s3-wrong-region", /AuthorizationHeaderMalformed.*own region/s],
    ["the bucket", { bucket: "missing" }, "s3-no-bucket", /NoSuchBucket.*Create the bucket/s]
  ]
  for (const [what, options, code, message] of cases)
    test(what, () =>
      withS3({}, async ({ fake }) => {
        const blobs = S3BlobStore.make(optionsFor(fake, options))
        for (const run of [
          () => blobs.info("w", "k"),
          () => blobs.get("w", "k"),
          () => blobs.put("w", "k", bytes("x"), put),
          () => blobs.list("w", undefined, 9),
          () => blobs.delete("w", ["k"])
        ])
          await assert.rejects(run, { code, message, attempts: 1 })
      })
    )

  test("an address where nobody is", async () => {
    const fake = await start()
    await fake.close()
    const blobs = S3BlobStore.make(optionsFor(fake))
    await assert.rejects(blobs.info("w", "k"), {
      code: "s3-unavailable",
      operation: "HeadObject",
      bucket: "attachments",
      object: `w/${ofKey("k")}`,
      attempts: 4
    })
  })

  test("a redirect: it is not followed", () =>
    withS3(
      {
        fault: ({ operation }) =>
          operation === "PutObject" ? { status: 307, headers: { location: "http://127.0.0.1:1/" } } : undefined
      },
      async ({ blobs }) => {
        await assert.rejects(blobs.put("w", "k", bytes("x"), put), {
          code: "s3-wrong-region",
          status: 307,
          requestId: "REQ1"
        })
      }
    ))
})
