import { afterAll, expect, test } from "vitest"
import { EmailLimits } from "../src/EmailConfig.ts"
import { make } from "../src/EmailParser.ts"

const limits = EmailLimits.parse({ parseMs: 1_000, parseHeapMb: 128, messageBytes: 20_000_000 })
const parser = make(limits)
afterAll(() => parser.close())

const bytes = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, "latin1"))
const head = "From: a@customer.example\r\nTo: support@example.com\r\nMessage-ID: <x@y>\r\n"
const html = (body: string): Uint8Array => bytes(`${head}Content-Type: text/html\r\n\r\n${body}`)
const plain = (body: string, more = ""): Uint8Array =>
  bytes(`${head}${more}Content-Type: text/plain; charset=utf-8\r\n\r\n${body}`)

const nested = (depth: number): string => {
  let text = head
  for (let level = 0; level < depth; level++)
    text += `Content-Type: multipart/mixed; boundary="b${level}"\r\n\r\n--b${level}\r\n`
  return text
}

const hostile: ReadonlyArray<readonly [string, () => Uint8Array]> = [
  ["multiparts 200 deep", () => bytes(nested(200))],
  ["multiparts 20,000 deep", () => bytes(nested(20_000))],
  [
    "10,000 parts with files",
    () =>
      bytes(
        `${head}Content-Type: multipart/mixed; boundary=b\r\n\r\n${"--b\r\nContent-Type: image/png\r\n\r\nx\r\n".repeat(10_000)}--b--`
      )
  ],
  [
    "20,000 empty parts",
    () => bytes(`${head}Content-Type: multipart/mixed; boundary=b\r\n\r\n${"--b\r\n\r\n".repeat(20_000)}`)
  ],
  ["one header of 5 MB", () => bytes(`${head}X: ${"y".repeat(5_000_000)}\r\n\r\nhello`)],
  ["200,000 headers", () => bytes(`${head}${"X: y\r\n".repeat(200_000)}\r\nhello`)],
  ["a header folded 60,000 times", () => bytes(`${head}Subject: a\r\n${" b\r\n".repeat(60_000)}\r\nhello`)],
  ["encoded words without end", () => bytes(`${head}Subject: ${"=?utf-8?q?=41?= ".repeat(15_000)}\r\n\r\nhello`)],
  ["encoded words in an unknown charset", () => bytes(`${head}Subject: ${"=?x?b?////?=".repeat(15_000)}\r\n\r\nhello`)],
  ["10,000 recipients", () => bytes(`${head}Cc: ${"a@customer.example, ".repeat(10_000)}\r\n\r\nhello`)],
  ["addresses in nested groups and quotes", () => bytes(`From: ${'"(<:'.repeat(20_000)}\r\n\r\nhello`)],
  [
    "an open comment in Content-Type",
    () => bytes(`${head}Content-Type: text/plain; ${"(".repeat(100_000)}\r\n\r\nhello`)
  ],
  ["mails in mails in mails", () => bytes(head + "Content-Type: message/rfc822\r\n\r\n".repeat(20_000))],
  ["HTML 20,000 deep", () => html("<div>".repeat(20_000))],
  ["HTML with 200,000 open brackets", () => html("<".repeat(200_000))],
  ["HTML of 3 MB", () => html("<p>hello</p>".repeat(250_000))],
  ["an attribute of 200 kB", () => html(`<p style="${"color:red;".repeat(20_000)}">hello</p>`)],
  ["nested tables", () => html("<table><tr><td>".repeat(5_000))],
  ["entities", () => html("&amp;lt;".repeat(50_000))],
  ["5 MB in one line", () => plain("x".repeat(5_000_000))],
  ["200,000 quoted lines", () => plain("> a\n".repeat(200_000), "In-Reply-To: <a@b>\r\n")],
  [
    "20,000 attributions",
    () => plain("On Monday\nAna wrote:\n> x\n\nOn Monday ".repeat(20_000), "In-Reply-To: <a@b>\r\n")
  ],
  [
    "lines that begin like attributions",
    () => plain(`On ${"a".repeat(290)}\n`.repeat(2_000), "In-Reply-To: <a@b>\r\n")
  ],
  ["Message-ID lines", () => plain("Message-ID: <".repeat(200_000))],
  [
    "quoted-printable of nothing",
    () => bytes(`${head}Content-Transfer-Encoding: quoted-printable\r\n\r\n${"=\r\n".repeat(500_000)}`)
  ],
  ["base64 that is none", () => bytes(`${head}Content-Transfer-Encoding: base64\r\n\r\n${"\u00ff*".repeat(500_000)}`)],
  ["bytes that are no mail", () => new Uint8Array(100_000).map((_, index) => (index * 7919) % 251)]
]

test.each(hostile)("%s ends in bounded time", { timeout: 10_000 }, async (_, make) => {
  const result = await parser.parse(make())
  if (result.ok) {
    expect(result.value.text.length).toBeLessThanOrEqual(200_000)
    expect(result.value.attachments.length).toBeLessThanOrEqual(99)
  } else expect(result.error.code).toMatch(/^mail[A-Z]/)
})

test.each([
  ["mailTooDeep", nested(200)],
  ["mailHeadersTooLarge", `${head}X: ${"y".repeat(5_000_000)}\r\n\r\nhello`],
  [
    "mailTooManyParts",
    `${head}Content-Type: multipart/mixed; boundary=b\r\n\r\n${"--b\r\nContent-Type: image/png\r\n\r\nx\r\n".repeat(200)}--b--`
  ]
])("%s says which limit", async (code, text) => {
  expect(await parser.parse(bytes(text))).toMatchObject({ ok: false, error: { code } })
})

test("an empty and an oversized mail are not read", async () => {
  expect(await parser.parse(new Uint8Array())).toMatchObject({ error: { code: "mailEmpty" } })
  expect(await parser.parse(new Uint8Array(20_000_001))).toMatchObject({ error: { code: "mailTooLarge" } })
})

test("a mail that needs too much time or memory costs only its thread, and the next is read", async () => {
  const slow = make({ ...limits, parseMs: 700 })
  const fine = plain("hello")
  expect(await slow.parse(fine)).toMatchObject({ ok: true })
  const heavy = bytes(`${head}Content-Type: multipart/mixed; boundary=b\r\n\r\n${"--b\r\n\r\n".repeat(400_000)}`)
  expect(await slow.parse(heavy)).toMatchObject({ ok: false, error: { code: "mailTooSlow" } })
  expect(await slow.parse(fine)).toMatchObject({ ok: true })
  await slow.close()
  const small = make({ ...limits, parseHeapMb: 32, parseMs: 10_000 })
  expect(await small.parse(plain("x\n".repeat(9_000_000)))).toMatchObject({
    ok: false,
    error: { code: "mailTooMuchMemory" }
  })
  expect(await small.parse(fine)).toMatchObject({ ok: true })
  await small.close()
})

test("what does not fit into a message becomes a file", async () => {
  const long = await parser.parse(plain(`${"word ".repeat(60_000)}`))
  expect(long.ok && long.value.attachments.map(({ name }) => name)).toEqual(["message.txt"])
  const wide = await parser.parse(html("<p>hello</p>".repeat(250_000)))
  expect(wide.ok && wide.value.attachments.map(({ name }) => name)).toEqual(["message.html"])
})

test("mails wait for each other and keep their order", async () => {
  const results = await Promise.all(["one", "two", "three"].map((text) => parser.parse(plain(text))))
  expect(results.map((result) => result.ok && result.value.text)).toEqual(["one", "two", "three"])
})
