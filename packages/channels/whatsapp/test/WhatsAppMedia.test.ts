import type { Outbound } from "@switchboard/channel"
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest"
import { whatsapp } from "../src/index.ts"
import type { WhatsAppConfigInput } from "../src/WhatsAppConfig.ts"
import { accessToken, config, startPlatform } from "./Platform.ts"

let platform: Awaited<ReturnType<typeof startPlatform>>
let other: Awaited<ReturnType<typeof startPlatform>>
beforeAll(async () => {
  ;[platform, other] = await Promise.all([startPlatform(), startPlatform()])
})
afterAll(() => Promise.all([platform.stop(), other.stop()]))
beforeEach(() => {
  for (const { asked, answers } of [platform, other]) {
    asked.length = 0
    answers.length = 0
  }
})

const id = "1003383421387256"
const fetchFile = async (
  others: Partial<WhatsAppConfigInput> = {},
  ref = id,
  signal = new AbortController().signal
): Promise<Outbound.FetchResult> => {
  const channel = whatsapp({ ...config, apiUrl: platform.apiUrl, ...others })
  const context = {
    idempotencyKey: "k",
    attempt: 1,
    nowMs: 0,
    signal,
    readAttachment: () => Promise.reject(new Error())
  }
  return channel.fetch!(ref, channel.accounts[0]!, context)
}
/** The platform says that the file is there. */
const fileAt = (url: string, others: Record<string, unknown> = {}) =>
  platform.answers.push({ status: 200, body: { url, mime_type: "image/jpeg", ...others } })

test("a file: its address is asked for, then its bytes, both with the token", async () => {
  expect(await fetchFile()).toEqual({ outcome: "fetched", bytes: platform.file, mediaType: "image/jpeg" })
  expect(platform.asked.map(({ path }) => path)).toEqual([`/v26.0/${id}?phone_number_id=106540352242922`, "/files/one"])
  for (const { authorization } of platform.asked) expect(authorization).toBe(`Bearer ${accessToken}`)
})

describe("no other host is asked", () => {
  test.each([
    "https://evil.example.com/x",
    "https://fbcdn.net.evil.example.com/x",
    "https://evilfbcdn.net/x",
    "https://fbcdn.net/x",
    "https://lookaside.fbsbx.com:8443/x",
    "https://user:pass@lookaside.fbsbx.com/x",
    "http://169.254.169.254/latest/meta-data",
    "http://127.0.0.1:1/x",
    "ftp://lookaside.fbsbx.com/x",
    "file:///etc/passwd"
  ])("%s", async (url) => {
    fileAt(url)
    expect(await fetchFile()).toMatchObject({ outcome: "refused", code: "hostNotAllowed" })
    expect(platform.asked).toHaveLength(1)
  })

  test("nor through a redirect", async () => {
    fileAt(`${platform.origin}/moved`)
    platform.answers.push({ status: 302, headers: { location: `${other.origin}/files/one` } })
    expect(await fetchFile()).toMatchObject({ outcome: "refused", code: "hostNotAllowed" })
    expect(other.asked).toEqual([])
  })

  test("a listed host is, and gets no token by a redirect", async () => {
    const mediaHosts = [new URL(other.origin).host]
    fileAt(`${platform.origin}/moved`)
    platform.answers.push({ status: 302, headers: { location: `${other.origin}/signed` } })
    other.answers.push({ status: 200, body: "bytes" })
    expect(await fetchFile({ mediaHosts })).toMatchObject({ outcome: "fetched" })
    expect(other.asked).toMatchObject([{ path: "/signed", authorization: undefined }])
  })

  test("and not for ever", async () => {
    fileAt(`${platform.origin}/moved`)
    for (let index = 0; index < 4; index++) platform.answers.push({ status: 302, headers: { location: "/moved" } })
    expect(await fetchFile()).toMatchObject({ outcome: "refused", code: "tooManyRedirects" })
  })
})

test.each(["../me", "1/../../me", "", "a?b", "x".repeat(200)])("%j names no file", async (ref) => {
  expect(await fetchFile({}, ref)).toMatchObject({ outcome: "refused", code: "badReference" })
  expect(platform.asked).toEqual([])
})

test("a file is not read beyond the limit, whether its size was said or not", async () => {
  fileAt(`${platform.origin}/files/one`, { file_size: "5" })
  expect(await fetchFile({ mediaLimitBytes: 4 })).toMatchObject({ outcome: "refused", code: "tooLarge" })
  expect(platform.asked).toHaveLength(1)
  fileAt(`${platform.origin}/files/one`)
  expect(await fetchFile({ mediaLimitBytes: 3 })).toMatchObject({ outcome: "refused", code: "tooLarge" })
})

describe("a file that can't be had", () => {
  test.each([
    [404, "refused"],
    [403, "refused"],
    [429, "unavailable"],
    [503, "unavailable"]
  ])("its host answers %i: %s", async (status, outcome) => {
    fileAt(`${platform.origin}/files/one`)
    platform.answers.push({ status, headers: { "retry-after": "2" } })
    const result = await fetchFile()
    expect(result).toMatchObject({ outcome, code: String(status) })
    if (result.outcome === "unavailable") expect(result.retryAfterMs).toBe(2000)
  })

  test("the platform doesn't know it, or has trouble itself", async () => {
    expect(await fetchFile({}, "404")).toMatchObject({ outcome: "refused", code: "100" })
    platform.answers.push({ status: 500 })
    expect(await fetchFile()).toMatchObject({ outcome: "unavailable" })
  })

  test("the connection breaks, or time is over", async () => {
    fileAt(`${platform.origin}/files/one`)
    platform.answers.push("hangUp")
    expect(await fetchFile()).toMatchObject({ outcome: "unavailable", code: "connectionBroken" })
    const over = new AbortController()
    over.abort()
    expect(await fetchFile({}, id, over.signal)).toMatchObject({ outcome: "unavailable", code: "timeout" })
  })
})
