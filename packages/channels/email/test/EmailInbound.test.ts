import { readdirSync } from "node:fs"
import type { Inbound } from "@switchboard/channel"
import { describe, expect, test } from "vitest"
import { make } from "../src/EmailChannel.ts"
import { config, inboundSecret, input, mail, ours, receivedAtMs, request } from "./Mails.ts"

const channel = make(config, {})
const verify = async (...given: Parameters<typeof request>) => channel.verify(request(...given))

const decode = async (name: string, to?: string, from?: string): Promise<ReadonlyArray<Inbound.Entry>> => {
  const decoded = await channel.decode(input(mail(name), to, from))
  if (!decoded.ok) throw new Error(decoded.error.message)
  return decoded.value
}

const message = async (name: string, to?: string, from?: string) => {
  const [entry, ...others] = await decode(name, to, from)
  expect(others).toEqual([])
  if (entry?.kind !== "messageReceived" && entry?.kind !== "autoReplyReceived") throw new Error(`a ${entry?.kind}`)
  return entry
}

const textOf = ({ parts }: { parts: Inbound.MessageReceived["parts"] }) =>
  parts[0]?.kind === "text" || parts[0]?.kind === "html" ? parts[0].text : undefined

describe("raw mail by HTTP", () => {
  const bytes = mail("plain-en")

  test.each([
    ["another secret", { authorization: "Bearer another secret for tests" }, 401],
    ["no secret", { authorization: "" }, 401],
    ["an empty secret", { authorization: "Bearer " }, 401],
    ["another scheme", { authorization: `Basic ${inboundSecret}` }, 401],
    ["the beginning of the secret", { authorization: `Bearer ${inboundSecret.slice(0, -1)}` }, 401],
    ["no account among the recipients", { "x-envelope-to": "nobody@example.com, support@example.org" }, 404]
  ])("is refused with %s", async (_, headers, status) => {
    expect(await verify(bytes, headers)).toMatchObject({ kind: "refused", status })
  })

  test("is refused without an envelope, without a body, when too large, elsewhere and with GET", async () => {
    const whole = request(bytes)
    const { "x-envelope-to": _, ...withoutTo } = whole.headers
    expect(await channel.verify({ ...whole, headers: withoutTo })).toMatchObject({ status: 400 })
    expect(await verify(new Uint8Array())).toMatchObject({ status: 400 })
    const small = make({ ...config, limits: { messageBytes: 1024 } }, {})
    expect(await small.verify(request(new Uint8Array(1025)))).toMatchObject({ status: 413 })
    expect(await channel.verify({ ...whole, url: new URL("http://desk.example/channels/email") })).toMatchObject({
      status: 404
    })
    expect(await channel.verify({ ...whole, method: "GET" })).toMatchObject({ status: 405 })
    const closed = make({ ...config, inboundSecret: undefined, listen: {} }, {})
    expect(await closed.verify(whole)).toMatchObject({ status: 404 })
  })

  test("is taken with its bytes and envelope", async () => {
    expect(await verify(bytes, { "x-envelope-to": "Support+x@Example.com" })).toEqual({
      kind: "verified",
      input: {
        bytes,
        headers: { "x-envelope-from": "<someone@customer.example>", "x-envelope-to": "Support+x@Example.com" },
        receivedAtMs
      }
    })
  })
})

describe("what a mail says", () => {
  test.each([
    [
      "plain-en",
      "Where is my order?",
      "Hello,\n\nmy order 1001 has not arrived. Could you have a look?\n\nKind regards\nAna"
    ],
    [
      "plain-es-latin1-quoted-printable",
      "Devolución del pedido #1002",
      "Buenos días: ¿podrían decirme cómo devolver el pedido? Llevo esperando una semana."
    ],
    ["alternative-ca-base64", "Factura de març", "Bon dia, em falta la factura de març. Gràcies!"],
    ["plain-de-windows-1252-8bit", "Rechnung", "Guten Tag, die Gebühr von 5 € für „Größe L“ ist falsch."],
    ["plain-ja-iso-2022-jp", "配送について", "商品がまだ届きません。"],
    ["plain-ru-koi8-r", "Возврат", "Как вернуть товар?"],
    ["plain-unknown-charset", "Broken ÿÿÿ\ufffd\ufffd", "Still readable."],
    ["calendar-invite", "Call on Thursday", "Could we talk on Thursday?"],
    ["signed-smime", "Signed", "This text is signed."],
    ["nested-mixed", "Papers", "The papers are attached."],
    ["reply-gmail-en", "Re: Where is my order?", "Yes, that is the right address."],
    ["reply-gmail-es", "Re: Devolución", "Gracias, ya lo he enviado."],
    ["reply-apple-ca", "Re: Factura", "Perfecte, moltes gràcies!\n\nNúria"],
    ["reply-thunderbird-de", "Re: Rechnung", "Danke, das passt."],
    ["reply-outlook-de", "AW: Rechnung", "Vielen Dank für die schnelle Antwort.\n\nMit freundlichen Grüßen\nJürgen"],
    ["reply-outlook-html-only-en", "RE: Where is my order?", "It arrived, thank you!"],
    ["contact-form", "Contact form", "Carla wants to know the price."]
  ])("%s", async (name, subject, text) => {
    const entry = await message(name)
    expect(entry.kind).toBe("messageReceived")
    expect(entry.thread.subject).toBe(subject)
    expect(textOf(entry)).toBe(text)
  })

  test("answers between quoted lines and forwarded mails stay whole", async () => {
    expect(textOf(await message("reply-inline-en"))).toMatch(/^On Mon.*> Which size\?\n\nLarge\.$/s)
    expect(textOf(await message("forward-gmail-en"))).toContain("Your invoice 77 over 12 EUR.")
  })

  test("the HTML keeps the quote that the text lost", async () => {
    const [part] = (await message("reply-gmail-en")).parts
    expect(part?.kind === "html" && part.html).toContain("<blockquote>Hello Ana,")
  })

  test("the sender has an address, a name and a language, and proves nothing by itself", async () => {
    expect((await message("alternative-ca-base64")).from).toEqual({
      addresses: [{ kind: "email", value: "nuria@client.example", state: "claimed" }],
      name: "Núria Puig",
      language: "ca"
    })
  })

  test("HTML is shown without scripts, forms, styles that place or load, and remote images", async () => {
    const entry = await message("html-inline-image-and-tracker")
    const html = entry.parts[0]?.kind === "html" ? entry.parts[0].html : ""
    expect(html).toContain('<img alt="shot" src="cid:shot@1" />')
    expect(html).toContain('data-blocked-src="http://tracker.example/p.gif"')
    expect(html).not.toMatch(/script|onload|steal|iframe|form|input|position|url\(| src="http/)
    expect(html).toContain('<a href="https://shop.example/1" rel="noopener noreferrer nofollow" target="_blank">')
    expect(entry.parts).toHaveLength(1)
    expect(entry.attachments).toMatchObject([{ name: "shot.png", mediaType: "image/png", contentId: "shot@1" }])
  })

  test("files come with their bytes, names and places", async () => {
    const entry = await message("nested-mixed")
    expect(entry.attachments.map(({ name, mediaType }) => [name, mediaType])).toEqual([
      ["Übersicht 2025.pdf", "application/pdf"],
      ["orders.csv", "text/csv"]
    ])
    const [pdf] = entry.attachments
    expect(pdf && "bytes" in pdf.content && Buffer.from(pdf.content.bytes).toString()).toBe("%PDF-1.4\n")
    expect(entry.parts.slice(1)).toEqual(entry.attachments.map(({ id }) => ({ kind: "attachment", attachmentId: id })))
    expect((await message("calendar-invite")).attachments).toMatchObject([
      { name: "invite.ics", mediaType: "text/calendar" }
    ])
  })

  test("a mail inside a mail stays a file", async () => {
    const entry = await message("forward-as-attachment")
    expect(textOf(entry)).toBe("Is this mail really from you?")
    expect(entry.attachments).toMatchObject([{ name: "message.eml", mediaType: "message/rfc822" }])
  })

  test("an encrypted mail says so and keeps its files", async () => {
    const entry = await message("encrypted-pgp")
    expect(entry.parts[0]?.kind).toBe("unsupported")
    expect(entry.attachments).toHaveLength(2)
  })

  test("a mail without Message-ID gets a lasting one", async () => {
    const [first, second] = [await message("without-message-id"), await message("without-message-id")]
    expect(first.platformId).toMatch(/^<[0-9a-f]{32}@without-id\.invalid>$/)
    expect(first).toEqual(second)
  })

  test("two mails with the same Message-ID are two entries", async () => {
    const text = Buffer.from(mail("plain-en")).toString("latin1")
    const other = await channel.decode(input(new Uint8Array(Buffer.from(text.replace("1001", "1002"), "latin1"))))
    expect(other.ok && other.value[0]?.entryId).not.toBe((await message("plain-en")).entryId)
  })

  test("a date in the future is the time of arrival", async () => {
    const text = Buffer.from(mail("plain-en")).toString("latin1").replace("2025", "2035")
    const decoded = await channel.decode(input(new Uint8Array(Buffer.from(text, "latin1"))))
    expect(decoded.ok && decoded.value[0]?.occurredAtMs).toBe(receivedAtMs)
  })
})

describe("where a mail belongs", () => {
  test("a new mail opens a thread under its own id", async () => {
    expect((await message("plain-en")).thread).toEqual({
      key: "<m1@customer.example>",
      audience: "private",
      subject: "Where is my order?",
      replyTo: [{ kind: "email", value: "ana@customer.example" }]
    })
  })

  test("an answer names what it answers, oldest first", async () => {
    const entry = await message("reply-gmail-en")
    expect(entry.thread.references).toEqual(["<first@customer.example>", ours])
    expect(entry.replyToPlatformId).toBe(ours)
    expect(entry.thread.token).toBeUndefined()
  })

  test("a thread address joins its thread, also when only the envelope has it", async () => {
    expect((await message("reply-with-thread-address")).thread.token).toBe("thread-42")
    const { threadAddress } = await import("./Mails.ts")
    expect((await message("plain-en", threadAddress.toUpperCase())).thread.token).toBe("thread-42")
  })

  test("a forged thread address joins nothing", async () => {
    const { threadAddress } = await import("./Mails.ts")
    const forged = threadAddress.replace("thread-42", "thread-43")
    const entry = await message("plain-en", forged)
    expect(entry.thread.token).toBeUndefined()
    expect(entry.account).toBe("support@example.com")
  })

  test("one mail to two accounts is an entry of each; others are copied", async () => {
    const entries = await decode("nested-mixed", "support@example.com, sales@example.com")
    expect(entries.map(({ kind, account }) => [kind, account])).toEqual([
      ["messageReceived", "support@example.com"],
      ["messageReceived", "sales@example.com"]
    ])
    const [first, second] = entries as ReadonlyArray<Inbound.MessageReceived>
    expect(first?.thread.cc).toEqual([{ kind: "email", value: "bob@customer.example", name: "Bob Example" }])
    expect(first?.attachments[0]?.id).not.toBe(second?.attachments[0]?.id)
  })

  test("answers go to Reply-To, but never to an account of the desk", async () => {
    expect((await message("contact-form")).thread.replyTo).toEqual([{ kind: "email", value: "carla@customer.example" }])
  })

  test("a mail for nobody is kept as unsupported", async () => {
    expect(await decode("plain-en", "gone@example.com")).toMatchObject([
      { kind: "unsupported", account: "gone@example.com" }
    ])
  })
})

describe("who is believed", () => {
  const state = async (name: string, change: (text: string) => string = (text) => text, to = "support@example.com") => {
    const text = change(Buffer.from(mail(name)).toString("latin1"))
    const decoded = await channel.decode(input(new Uint8Array(Buffer.from(text, "latin1")), to))
    const [entry] = decoded.ok ? decoded.value : []
    return entry?.kind === "messageReceived" ? entry.from.addresses[0]?.state : entry?.kind
  }
  const results = (value: string) => (text: string) => `Authentication-Results: ${value}\r\n${text}`

  test("our own server's DMARC pass verifies", async () => {
    expect(await state("authenticated")).toBe("verified")
  })

  test("an account that trusts no server believes nobody", async () => {
    expect(await state("authenticated", undefined, "sales@example.com")).toBe("claimed")
  })

  test.each([
    ["another server", "mx.evil.example; dmarc=pass header.from=customer.example", "claimed"],
    ["a comment", "mx.example.com; none (dmarc=pass header.from=customer.example)", "claimed"],
    ["a quoted text", 'mx.example.com; dmarc=fail reason="x; dmarc=pass header.from=customer.example"', "claimed"],
    ["another domain's pass", "mx.example.com; dmarc=pass header.from=evil.example", "claimed"],
    [
      "a DMARC failure beside a DKIM pass",
      "mx.example.com; dkim=pass header.d=customer.example; dmarc=fail header.from=customer.example",
      "claimed"
    ],
    ["a foreign signature", "mx.example.com; dkim=pass header.d=evil.example", "claimed"],
    ["a signature from below the domain", "mx.example.com; dkim=pass header.d=evil.customer.example", "claimed"],
    ["a whole top-level domain", "mx.example.com; dkim=pass header.d=example", "claimed"],
    ["nothing", "mx.example.com; none", "claimed"],
    ["an aligned signature", "mx.example.com; dkim=pass header.d=customer.example", "verified"],
    ["an aligned SPF pass", "mx.example.com 1; spf=pass smtp.mailfrom=bounce@customer.example", "verified"]
  ])("%s", async (_, value, expected) => {
    expect(await state("plain-en", results(value))).toBe(expected)
  })

  test("only the topmost header of our server counts", async () => {
    const forged = results("mx.example.com; dmarc=pass header.from=customer.example")
    const honest = results("mx.example.com; dmarc=fail header.from=customer.example")
    expect(await state("plain-en", (text) => honest(forged(text)))).toBe("claimed")
  })

  test("two authors are nobody in particular", async () => {
    const pass = results("mx.example.com; dmarc=pass header.from=customer.example")
    expect(await state("plain-en", (text) => `From: ceo@bank.example\r\n${pass(text)}`)).toBe("claimed")
    expect(
      await state("plain-en", (text) =>
        pass(text).replace("<ana@customer.example>", "<ana@customer.example>, ceo@bank.example")
      )
    ).toBe("claimed")
  })

  test("a forged mail from our own account is no message; an authenticated one is an echo", async () => {
    expect(await state("own-account-forged")).toBe("unsupported")
    const pass = results("mx.example.com; dmarc=pass header.from=example.com")
    expect(await state("own-account-forged", pass)).toBe("messageEchoed")
  })
})

describe("programs", () => {
  test.each([["auto-reply-exchange-es"], ["auto-reply-vacation-de"], ["newsletter-list"]])(
    "%s is never answered by a program",
    async (name) => {
      expect((await message(name)).kind).toBe("autoReplyReceived")
    }
  )

  const kindWith = async (header: string, from?: string, given = channel) => {
    const bytes = new Uint8Array(Buffer.concat([Buffer.from(header === "" ? "" : `${header}\r\n`), mail("plain-en")]))
    const decoded = await given.decode(input(bytes, undefined, from))
    return decoded.ok ? decoded.value[0]?.kind : decoded.error.code
  }

  test.each([
    ["Auto-Submitted: auto-generated", "autoReplyReceived"],
    ["Auto-Submitted: no", "messageReceived"],
    ["Precedence: junk", "autoReplyReceived"],
    ["X-Auto-Response-Suppress: DR, OOF, AutoReply", "autoReplyReceived"],
    ["X-Auto-Response-Suppress: RN, NRN", "messageReceived"],
    ["X-Autoreply: yes", "autoReplyReceived"],
    ["List-Id: <x.example.com>", "autoReplyReceived"]
  ])("%s", async (header, kind) => {
    expect(await kindWith(header)).toBe(kind)
  })

  test("an empty return path means a program", async () => {
    expect(await kindWith("", "<>")).toBe("autoReplyReceived")
  })

  test("behind a mailing list, list headers mean nothing", async () => {
    const group = make(
      { ...config, accounts: [{ id: "support", address: "support@example.com", mailingList: true }] },
      {}
    )
    expect(await kindWith("List-Id: <x.example.com>\r\nPrecedence: list", undefined, group)).toBe("messageReceived")
  })

  test("our own mail coming back is never a message, also under another Message-ID", async () => {
    expect(await decode("own-mail-coming-back")).toMatchObject([{ kind: "unsupported" }])
    expect(await kindWith(`X-Switchboard: ${ours.slice(1, ours.indexOf("@"))}`)).toBe("unsupported")
    expect(await kindWith("X-Switchboard: aaaaaaaaaaaaaaaaaaaaaaaa.aaaaaaaaaaaaaaaa")).toBe("messageReceived")
  })
})

describe("mail systems", () => {
  test.each([
    ["bounce-postfix", [[true, "5.1.1 550 5.1.1 <nobody@customer.example>: Recipient address rejected: User unknown"]]],
    [
      "bounce-exchange-two-recipients",
      [
        [true, "5.2.2 554 5.2.2 mailbox full"],
        [true, "5.1.10 550 5.1.10 RESOLVER.ADR.RecipientNotFound"]
      ]
    ],
    ["bounce-delayed", [[false, "4.4.1 The recipient server did not accept our requests to connect."]]],
    ["bounce-exim", [[true, "5.7.1 550 5.7.1 Unrouteable address"]]],
    ["bounce-qmail", [[true, "5.1.1 Sorry, no mailbox here by that name. (#5.1.1)"]]]
  ])("%s names our message", async (name, expected) => {
    const entries = await decode(name, undefined, "<>")
    expect(entries.map((entry) => entry.kind === "bounceReceived" && [entry.permanent, entry.reason])).toEqual(expected)
    for (const entry of entries) expect(entry).toMatchObject({ platformId: ours })
    expect(entries[0]).toMatchObject({ recipient: { kind: "email", value: "nobody@customer.example" } })
  })

  test("reports that are no failure, or not about our mail, are kept as unsupported", async () => {
    expect(await decode("bounce-delivered", undefined, "<>")).toMatchObject([{ kind: "unsupported" }])
    expect(await decode("bounce-of-someone-else", undefined, "<>")).toMatchObject([{ kind: "unsupported" }])
    expect(await decode("read-receipt")).toMatchObject([{ kind: "unsupported" }])
  })

  test("a complaint about our mail is trouble of the account", async () => {
    expect(await decode("complaint-arf")).toMatchObject([{ kind: "channelTrouble", code: "complaint" }])
  })

  test("a mail without author is kept whole", async () => {
    const [entry] = await decode("without-author")
    expect(entry?.kind === "unsupported" && entry.raw).toMatchObject({
      mailBase64: Buffer.from(mail("without-author")).toString("base64")
    })
  })
})

test("every recorded mail is decoded", async () => {
  for (const file of readdirSync(new URL("./payloads", import.meta.url)))
    expect((await decode(file.replace(".eml", ""))).length).toBeGreaterThan(0)
})
