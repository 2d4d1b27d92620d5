import * as fc from "fast-check"
import { describe, expect, test } from "vitest"
import { fromText } from "../src/EmailAddress.ts"
import { EmailConfigError, resolve } from "../src/EmailConfig.ts"
import { fromAddress, toAddress } from "../src/EmailThreadToken.ts"
import { isOwn, make } from "../src/internal/MessageId.ts"
import { withoutQuote } from "../src/internal/Quote.ts"
import { config } from "./Mails.ts"

const problemsOf = (run: () => unknown): ReadonlyArray<string> => {
  try {
    run()
  } catch (error) {
    if (error instanceof EmailConfigError) return error.problems
    throw error
  }
  return []
}

describe("configuration", () => {
  test("credentials come from the environment when they are not given", () => {
    const { accounts } = config
    const resolved = resolve(
      { accounts },
      {
        EMAIL_INBOUND_SECRET: "i".repeat(16),
        EMAIL_THREAD_SECRET: "t".repeat(16),
        EMAIL_SMTP_URL: "smtps://mx.example.com"
      }
    )
    expect(resolved).toMatchObject({
      inboundSecret: "i".repeat(16),
      threadSecret: "t".repeat(16),
      smtpUrl: "smtps://mx.example.com"
    })
  })

  test("every missing credential names its field and its variable; an empty variable is missing", () => {
    const problems = problemsOf(() => resolve({ accounts: config.accounts }, { EMAIL_THREAD_SECRET: "" })).join("\n")
    expect(problems).toMatch(/threadSecret: .*EMAIL_THREAD_SECRET/)
    expect(problems).toMatch(/smtpUrl: .*EMAIL_SMTP_URL/)
    const neither = problemsOf(() => resolve({ ...config, inboundSecret: undefined }, {})).join("\n")
    expect(neither).toMatch(/inboundSecret: .*`listen`.*EMAIL_INBOUND_SECRET/)
  })

  test("no error holds a secret", () => {
    const text = problemsOf(() =>
      resolve({ ...config, threadSecret: "hunter2", inboundSecret: "letmein", smtpUrl: "http://user:pa55word@mx" }, {})
    ).join("\n")
    expect(text).toMatch(/threadSecret: .* found a value of 7 characters/)
    expect(text).not.toMatch(/hunter2|letmein|pa55word/)
  })

  test("wrong fields are named with what was found", () => {
    expect(problemsOf(() => resolve({ ...config, accounts: [{ id: "a", address: "no address" }] }, {}))).toEqual([
      'accounts.0.address: expected an address such as support@example.com, found "no address"'
    ])
    const [first] = config.accounts
    expect(problemsOf(() => resolve({ ...config, accounts: [first!, first!] }, {}))).toHaveLength(2)
    expect(problemsOf(() => resolve({ ...config, smtp: 1 } as never, {})).join()).toContain("smtp")
  })
})

describe("addresses", () => {
  test.each([
    "",
    "a",
    "a@",
    "@b",
    "a b@c.example",
    "a@b..c",
    "a@-b.example",
    "a\r\n@b.example",
    '"a b"@c.example',
    "a@[192.0.2.1]",
    "a,b@c.example",
    `${"a".repeat(400)}@b.example`
  ])("%j is none", (text) => {
    expect(fromText(text)).toBeUndefined()
  })

  test("an address in its normal form stays as it is, and holds nothing that ends a header", () => {
    fc.assert(
      fc.property(
        fc
          .array(fc.constantFrom(...'aZÄé+.-@@@ \r\n\t\u2028\u0000<>,;:"', "münchen", "x.example"), {
            minLength: 3,
            maxLength: 12
          })
          .map((characters) => characters.join("")),
        (text) => {
          const address = fromText(text)
          if (address === undefined) return
          expect(fromText(address)).toBe(address)
          expect(address).not.toMatch(/[\s<>,;:\p{Cc}]/u)
        }
      )
    )
  })
})

describe("thread addresses", () => {
  test("say their thread again, in any case of letters, and no longer than mail servers take", () => {
    fc.assert(
      fc.property(fc.oneof(fc.string({ minLength: 1, maxLength: 30 }), fc.uuid()), (id) => {
        const thread = id.toWellFormed()
        const address = toAddress("secret", "support@example.com", thread)
        expect(address.split("@")[0]!.length).toBeLessThanOrEqual(64)
        if (address === "support@example.com") return
        expect(fromAddress("secret", "support@example.com", address.toUpperCase())).toBe(thread)
        expect(fromAddress("secret", "sales@example.com", address.replace("support", "sales"))).toBeUndefined()
        expect(fromAddress("other", "support@example.com", address)).toBeUndefined()
      })
    )
    expect(toAddress("secret", "support@example.com", "0195f7c2-6d3e-7c1a-9b57-3f2f6c1d8e90")).not.toBe(
      "support@example.com"
    )
  })

  test("a changed character makes them worthless", () => {
    const address = toAddress("secret", "support@example.com", "thread-1")
    for (let index = 8; index < address.indexOf("@"); index++) {
      const changed = address.slice(0, index) + (address[index] === "b" ? "c" : "b") + address.slice(index + 1)
      expect(fromAddress("secret", "support@example.com", changed)).toBeUndefined()
    }
  })
})

describe("Message-IDs", () => {
  test("are the same for the same attempt and known as ours", () => {
    const id = make("secret", "key", 0, "example.com")
    expect(make("secret", "key", 0, "example.com")).toBe(id)
    expect(make("secret", "key", 1, "example.com")).not.toBe(id)
    expect(isOwn("secret", id)).toBe(true)
    expect(isOwn("other", id)).toBe(false)
    expect(isOwn("secret", "<a.b@example.com>")).toBe(false)
  })
})

describe("quotes", () => {
  test("what is left is a beginning of the text, and never nothing", () => {
    const line = fc.constantFrom(
      "Hello",
      "",
      "> quoted",
      "On Monday Ana wrote:",
      "________________________________",
      "From: a@b",
      "Sent: Monday",
      "Subject: x",
      "Am 5.5. schrieb Ana:",
      "-----Original Message-----",
      "-- "
    )
    fc.assert(
      fc.property(fc.array(line, { maxLength: 12 }), (lines) => {
        const text = lines.join("\n")
        const left = withoutQuote(text, "Re: x")
        expect(text.startsWith(left)).toBe(true)
        expect(left.trim() === "").toBe(text.trim() === "")
      })
    )
  })

  test.each([
    ["a sentence that only begins like an attribution", "On Monday I wrote:\nplease call me"],
    ["a quote without attribution", "Yes.\n\n> Is it?"],
    ["words after the quote", "On Monday Ana wrote:\n> Is it?\nYes."],
    ["a forwarded mail", "See:\n\n---------- Forwarded message ---------\nFrom: a@b\nDate: x\nSubject: y\n\nz"],
    ["a letter with From and To", "From: Madrid\nTo: Paris\nI need a ticket."],
    ["only a quote", "On Monday Ana wrote:\n> Is it?"]
  ])("%s stays whole", (_, text) => {
    expect(withoutQuote(text, "Re: x")).toBe(text)
  })
})
