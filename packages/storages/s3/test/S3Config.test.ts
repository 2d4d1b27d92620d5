import { strict as assert } from "node:assert"
import { S3Config } from "@switchboard/storage-s3"
import { describe, test } from "vitest"

const given = {
  bucket: "attachments",
  region: "eu-central-1",
  accessKeyId: "id",
  secretAccessKey: "a-secret-that-is-never-shown"
}

const issuesOf = (options: object, environment: Readonly<Record<string, string>> = {}) => {
  try {
    S3Config.decode({ ...given, ...options }, environment)
  } catch (error) {
    assert.ok(error instanceof S3Config.S3ConfigError)
    assert.ok(!error.message.includes(given.secretAccessKey), error.message)
    return error
  }
  return undefined
}

describe("[S3-1] what is left out comes from the environment", () => {
  test("and is named, all at once, where it is not there either", () => {
    assert.throws(
      () => S3Config.decode({ bucket: "attachments" }, {}),
      (error: S3Config.S3ConfigError) => {
        assert.deepEqual(
          error.issues.map(({ field }) => field),
          ["region", "accessKeyId", "secretAccessKey"]
        )
        assert.match(error.message, /AWS_REGION.*AWS_ACCESS_KEY_ID.*AWS_SECRET_ACCESS_KEY/s)
        return true
      }
    )
  })

  test("by its usual names", () => {
    const environment = {
      AWS_ENDPOINT_URL: "https://all.example.com/",
      AWS_ENDPOINT_URL_S3: "https://s3.example.com/store/",
      AWS_REGION: "r1",
      AWS_DEFAULT_REGION: "r2",
      AWS_ACCESS_KEY_ID: "id",
      AWS_SECRET_ACCESS_KEY: "secret",
      AWS_SESSION_TOKEN: "token"
    }
    const config = S3Config.decode({ bucket: "attachments", prefix: "a/b/" }, environment)
    assert.deepEqual(config, {
      bucket: "attachments",
      bucketUrl: "https://s3.example.com/store/attachments",
      region: "r1",
      accessKeyId: "id",
      secretAccessKey: "secret",
      sessionToken: "token",
      prefix: "a/b/",
      partBytes: 8 * 1_024 * 1_024,
      attempts: 4,
      firstRetryMs: 200,
      timeoutMs: 60_000
    })
  })

  test("but a session token only with the credentials it belongs to", () => {
    assert.equal(S3Config.decode(given, { AWS_SESSION_TOKEN: "token" }).sessionToken, undefined)
  })
})

test("[S3-1] the bucket is in the host at Amazon's own endpoint, and in the path elsewhere, unless it is told", () => {
  const urlOf = (options: object) => S3Config.decode({ ...given, ...options }, {}).bucketUrl
  assert.equal(urlOf({}), "https://attachments.s3.eu-central-1.amazonaws.com")
  assert.equal(urlOf({ forcePathStyle: true }), "https://s3.eu-central-1.amazonaws.com/attachments")
  assert.equal(urlOf({ endpoint: "http://127.0.0.1:9000" }), "http://127.0.0.1:9000/attachments")
  assert.equal(
    urlOf({ endpoint: "https://s3.example.com/x/", forcePathStyle: false }),
    "https://attachments.s3.example.com/x"
  )
})

describe("[S3-1] is refused by name:", () => {
  const wrong: ReadonlyArray<readonly [string, object]> = [
    ["bucket", { bucket: "a" }],
    ["bucket", { bucket: "a/b" }],
    ["bucket", { bucket: undefined }],
    ["bucket", { bucket: "with.dots" }],
    ["endpoint", { endpoint: "s3.example.com" }],
    ["endpoint", { endpoint: "ftp://s3.example.com" }],
    ["endpoint", { endpoint: "https://user:a-secret-that-is-never-shown@s3.example.com" }],
    ["endpoint", { endpoint: "https://s3.example.com/?x" }],
    ["endpoint", { endpoint: 5 }],
    ["region", { region: "eu central" }],
    ["accessKeyId", { accessKeyId: "with space" }],
    ["secretAccessKey", { secretAccessKey: "a-secret-that-is-never-shown\n" }],
    ["secretAccessKey", { secretAccessKey: "" }],
    ["sessionToken", { sessionToken: "a-secret-that-is-never-shown\r\n" }],
    ["prefix", { prefix: "/a" }],
    ["prefix", { prefix: "a//b" }],
    ["prefix", { prefix: "a/../b" }],
    ["prefix", { prefix: "a b" }],
    ["prefix", { prefix: "a".repeat(201) }],
    ["prefix", { prefix: 5 }],
    ["forcePathStyle", { forcePathStyle: "yes" }],
    ["partBytes", { partBytes: 5 * 1_024 * 1_024 - 1 }],
    ["partBytes", { partBytes: Number.NaN }],
    ["attempts", { attempts: 0 }],
    ["firstRetryMs", { firstRetryMs: -1 }],
    ["timeoutMs", { timeoutMs: "1" }]
  ]
  for (const [field, options] of wrong)
    test(`${field}, ${Object.values(options).map((value) => JSON.stringify(value))}`.slice(0, 70), () => {
      assert.deepEqual(
        issuesOf(options)?.issues.map((issue) => issue.field),
        [field]
      )
    })
})
