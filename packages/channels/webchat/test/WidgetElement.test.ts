import { readFile } from "node:fs/promises"
import { createRequire } from "node:module"
import type { Page } from "playwright-core"
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest"
import { type Stage, setStage } from "./Browser.ts"

let stage: Stage
let axe = ""

beforeAll(async () => {
  stage = await setStage()
  axe = await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8")
})
afterEach(async () => {
  await stage.closePages()
  expect(stage.strangers).toEqual([])
  expect(stage.complaints).toEqual([])
})
afterAll(() => stage.close())

const launcher = (page: Page) => page.locator("switchboard-chat .launcher")
const input = (page: Page) => page.getByRole("textbox", { name: "Write a message" })
const bubbles = (page: Page) => page.locator("switchboard-chat .bubble").allInnerTexts()
const write = async (page: Page, text: string): Promise<void> => {
  await input(page).fill(text)
  await input(page).press("Enter")
}
const begin = async (page: Page, text = "Hello"): Promise<void> => {
  await launcher(page).click()
  await write(page, text)
  await vi.waitFor(() => expect(stage.desk().texts).toContain(text), 5000)
  await page.locator("switchboard-chat .mine .meta:not([data-state])").waitFor()
}
const focused = (page: Page): Promise<string> =>
  page.evaluate(() => {
    const element = document.activeElement?.shadowRoot?.activeElement ?? document.activeElement
    return element?.getAttribute("aria-label") ?? element?.tagName ?? ""
  })

/** One of everything a desk may show. */
const fillThread = (): void => {
  const desk = stage.desk()
  const thread = desk.onlyThread
  desk.write(thread, {
    authorKind: "bot",
    authorName: "Robi",
    parts: [
      {
        kind: "choices",
        text: "What is it about?",
        options: [
          { id: "billing", label: "A payment" },
          { id: "order", label: "An order" },
          { id: "docs", label: "Read the guide", url: "https://docs.example/guide" }
        ]
      }
    ]
  })
  desk.write(thread, {
    authorName: "Marta",
    parts: [
      {
        kind: "text",
        format: "markdown",
        text: "I see it, **two charges**:\n\n1. Monday\n2. Tuesday\n\n> The second will be *refunded*.\n\nSee https://shop.example/refunds and `REF-42`."
      },
      { kind: "location", latitude: 41.39, longitude: 2.17, name: "Our shop in Barcelona" },
      { kind: "contactCard", name: "Refunds", phones: ["+34600000001"], emails: ["refunds@shop.example"] }
    ],
    attachments: [
      { id: "a1" as never, name: "refund.pdf", mediaType: "application/pdf", sizeBytes: 48_213, url: "/f/a1" }
    ]
  })
}

describe("a conversation", () => {
  test("goes to the desk, answers arrive live, and a reload keeps it", async () => {
    const page = await stage.open()
    await begin(page, "I was charged twice")
    stage.desk().type(true)
    await page.getByText("Marta is typing…").waitFor()
    const { id } = stage.desk().reply("Let me look.")
    await page.getByText("Let me look.").waitFor()
    await vi.waitFor(() => expect(stage.desk().receipts).toEqual([`read ${id}`]), 5000)
    expect(await page.getByText("Marta is typing…").count()).toBe(0)
    stage.desk().change(id, { parts: [{ kind: "text", text: "Let me see.", format: "plain" }], editedAtMs: Date.now() })
    await page.getByText("Let me see.").waitFor()
    await page.reload()
    await launcher(page).click()
    await page.getByText("Let me see.").waitFor()
    expect(await bubbles(page)).toEqual(["Hello! How can we help?", "I was charged twice", "Let me see."])
  })

  test("a connection lost while sending loses nothing and doubles nothing, also over a reload", async () => {
    const page = await stage.open()
    await begin(page, "one")
    stage.desk().faults.push("lostAfter")
    await write(page, "two")
    stage.desk().isDown = true
    stage.desk().cutStreams()
    await write(page, "three")
    await page.getByText("No connection. Your messages are kept and sent later.").waitFor()
    await page.getByText("Waiting for a connection").first().waitFor()
    await page.reload()
    await launcher(page).click()
    await page.locator("switchboard-chat .bubble", { hasText: "three" }).waitFor()
    await write(page, "four")
    stage.desk().isDown = false
    await page.getByRole("button", { name: "Try again" }).first().click()
    await vi.waitFor(() => expect(stage.desk().texts).toEqual(["one", "two", "three", "four"]), 20_000)
    await vi.waitFor(async () => expect(await page.locator("switchboard-chat [data-state]").count()).toBe(0), 20_000)
    expect(await bubbles(page)).toEqual(["Hello! How can we help?", "one", "two", "three", "four"])
  })

  test("a closed chat counts what arrives, and opening it reads it", async () => {
    const page = await stage.open()
    await begin(page)
    await page.getByRole("button", { name: "Close chat" }).first().click()
    stage.desk().reply("One")
    stage.desk().reply("Two")
    await page.getByRole("button", { name: "Open chat, 2 unread" }).waitFor()
    await page.reload()
    await page.getByRole("button", { name: "Open chat, 2 unread" }).click()
    await page.getByText("Two").waitFor()
    await vi.waitFor(
      () => expect(stage.desk().receipts.filter((each) => each.startsWith("read"))).toHaveLength(2),
      5000
    )
    expect(await page.locator("switchboard-chat .badge").isVisible()).toBe(false)
  })

  test("choices are buttons until one is chosen", async () => {
    const page = await stage.open()
    await begin(page)
    stage.desk().write(stage.desk().onlyThread, {
      authorKind: "bot",
      parts: [{ kind: "choices", text: "About?", options: [{ id: "billing", label: "A payment" }] }]
    })
    await page.getByRole("group", { name: "About?" }).getByRole("button", { name: "A payment" }).click()
    await vi.waitFor(() => expect(stage.desk().texts).toEqual(["Hello", "About?", "A payment"]), 5000)
    await vi.waitFor(async () => expect(await page.locator(".choices button:disabled").count()).toBe(1), 5000)
    expect((await bubbles(page)).at(-1)).toBe("A payment")
  })

  test("files go along; one that is too large is refused before it is sent", async () => {
    const page = await stage.open()
    await launcher(page).click()
    await vi.waitFor(() => expect(stage.desk().requests).toContain("POST session"), 5000)
    const picker = page.locator("switchboard-chat input[type=file]")
    await picker.setInputFiles([
      { name: "small.txt", mimeType: "text/plain", buffer: Buffer.from("hello") },
      { name: "large.bin", mimeType: "application/octet-stream", buffer: Buffer.alloc(5 * 1024 * 1024 + 1) }
    ])
    await page.getByText("large.bin is too large: at most 5 MB.").waitFor()
    await page.getByRole("button", { name: "Remove small.txt" }).waitFor()
    await page.getByRole("button", { name: "Send" }).click()
    await vi.waitFor(() => expect(stage.desk().messages).toHaveLength(1), 5000)
    expect(stage.desk().messages[0]?.attachments).toMatchObject([{ name: "small.txt", sizeBytes: 5 }])
  })

  test("nothing that is written becomes code", async () => {
    const page = await stage.open()
    const hostile = `<img src=x onerror="document.title='owned'"> [x](javascript:document.title='owned') <script>1</script>`
    await begin(page, hostile)
    stage.desk().reply(hostile, hostile)
    stage.desk().write(stage.desk().onlyThread, {
      parts: [
        { kind: "html", html: hostile, text: hostile },
        {
          kind: "choices",
          text: hostile,
          options: [{ id: "x", label: hostile, url: "javascript:document.title='owned'" }]
        }
      ],
      attachments: [
        { id: "a1" as never, name: hostile, mediaType: "image/png", url: "javascript:document.title='owned'" },
        { id: "a2" as never, name: "tracker.png", mediaType: "image/png", url: "https://tracker.example/pixel.png" }
      ]
    })
    await page.getByText("tracker.png").waitFor()
    const found = await page.evaluate(() => {
      const root = document.querySelector("switchboard-chat")!.shadowRoot!
      return {
        elements: root.querySelectorAll("img, script").length,
        hrefs: [...root.querySelectorAll("a")].map(({ href }) => href),
        title: document.title
      }
    })
    expect(found).toEqual({ elements: 0, hrefs: ["https://tracker.example/pixel.png"], title: "A shop" })
  })

  test("asks for a name and an address where the site wants it", async () => {
    const page = await stage.open({ attributes: "prechat" })
    await launcher(page).click()
    await page.getByLabel("Your e-mail (optional)").fill("nonsense")
    await write(page, "Hello")
    await page.getByRole("alert").waitFor()
    expect(stage.desk().texts).toEqual([])
    await page.getByLabel("Your e-mail (optional)").fill("ana@example.com")
    await page.getByLabel("Your name (optional)").fill("Ana")
    await input(page).press("Enter")
    await vi.waitFor(() => expect(stage.desk().texts).toEqual(["Hello"]), 5000)
    expect(stage.desk().senders[0]).toMatchObject({ name: "Ana", addresses: [{}, { state: "claimed" }] })
    expect(await page.getByLabel("Your name (optional)").isVisible()).toBe(false)
  })
})

describe("everybody can use it", () => {
  test("with the keyboard alone", async () => {
    const page = await stage.open()
    await page.keyboard.press("Tab")
    await page.keyboard.press("Tab")
    expect(await focused(page)).toBe("Open chat")
    await page.keyboard.press("Enter")
    expect(await focused(page)).toBe("Write a message")
    await page.keyboard.type("Hello")
    await page.keyboard.press("Shift+Enter")
    await page.keyboard.type("there")
    await page.keyboard.press("Enter")
    await vi.waitFor(() => expect(stage.desk().texts).toEqual(["Hello\nthere"]), 5000)
    stage.desk().write(stage.desk().onlyThread, {
      authorKind: "bot",
      parts: [{ kind: "choices", text: "About?", options: [{ id: "billing", label: "A payment" }] }]
    })
    await page.getByRole("button", { name: "A payment" }).waitFor()
    const order: Array<string> = []
    for (let step = 0; step < 4; step++) {
      await page.keyboard.press("Shift+Tab")
      order.push(await focused(page))
    }
    expect(order).toEqual(["Attach files", "BUTTON", "Messages", "Close chat"])
    await page.keyboard.press("Tab")
    await page.keyboard.press("Tab")
    await page.keyboard.press("Enter")
    await vi.waitFor(() => expect(stage.desk().texts).toContain("A payment"), 5000)
    expect(await focused(page)).toBe("Write a message")
    await page.keyboard.press("Escape")
    expect(await focused(page)).toBe("Open chat")
    expect(await page.getByRole("dialog").count()).toBe(0)
  })

  test("a panel that covers the page keeps the focus", async () => {
    const page = await stage.open({ width: 390, height: 844 })
    await launcher(page).click()
    const seen = new Set<string>()
    for (let step = 0; step < 6; step++) {
      await page.keyboard.press("Tab")
      seen.add(await focused(page))
    }
    expect([...seen].sort()).toEqual(["Attach files", "Close chat", "Messages", "Write a message"])
  })

  test("a screen reader is told of new messages, not of the history", async () => {
    const page = await stage.open()
    await begin(page)
    const log = page.getByRole("log", { name: "Messages" })
    expect(await log.getAttribute("aria-live")).toBe("polite")
    await page.evaluate(() => {
      const items = document.querySelector("switchboard-chat")!.shadowRoot!.querySelector(".items")!
      const changes: Array<string> = []
      Object.assign(window, { changes })
      new MutationObserver((records) => {
        for (const { addedNodes, removedNodes } of records) {
          for (const node of [...addedNodes]) changes.push(`+ ${node.textContent}`)
          for (const node of [...removedNodes]) changes.push(`- ${node.textContent}`)
        }
      }).observe(items, { childList: true })
    })
    stage.desk().reply("Only this")
    await page.getByText("Only this").waitFor()
    const changes = await page.evaluate(() => (window as unknown as { changes: ReadonlyArray<string> }).changes)
    expect(changes).toEqual([expect.stringMatching(/^\+ .*Marta.*Only this/)])
  })

  test.each([
    ["light", { dark: false }],
    ["dark", { dark: true }],
    ["light, in a bright colour", { attributes: 'color="#ffd400" theme="light"' }],
    ["dark, in a bright colour, narrow", { attributes: 'color="#ffd400"', dark: true, width: 390 }],
    ["right to left", { dir: "rtl", attributes: "prechat" }]
  ] as const)("axe finds nothing: %s", async (_, options) => {
    const page = await stage.open(options)
    const check = async (): Promise<void> => {
      const violations =
        await page.evaluate(`${axe}; axe.run(document, { resultTypes: ["violations"] }).then(({ violations }) =>
        violations.map(({ id, nodes }) => id + ": " + nodes.map(({ target, failureSummary }) => target.join(" ") + " " + failureSummary).join("; ")))`)
      expect(violations).toEqual([])
    }
    await launcher(page).click()
    await check()
    await write(page, "Hello")
    await vi.waitFor(() => expect(stage.desk().texts).toEqual(["Hello"]), 5000)
    fillThread()
    await page.getByText("two charges").waitFor()
    stage.desk().type(true)
    await page.getByText("Marta is typing…").waitFor()
    stage.desk().faults.push(413)
    await write(page, "Refused")
    await page.getByText("Not sent").waitFor()
    await check()
  })
})

test("an empty endpoint is none: the desk is where the script came from, whatever the page", async () => {
  const page = await stage.open()
  const asked: Array<string> = []
  await page.route("**/channels/webchat/**", (route) => {
    asked.push(route.request().url())
    return route.fulfill({ status: 503 })
  })
  await page.evaluate(() => {
    history.pushState(null, "", "/shoes/42?size=7")
    document.querySelector("switchboard-chat")!.setAttribute("endpoint", "")
  })
  await launcher(page).click()
  await write(page, "Hello")
  await vi.waitFor(() => expect(asked).not.toEqual([]), 5000)
  const { origin } = new URL(page.url())
  expect(asked.filter((url) => !url.startsWith(`${origin}/channels/webchat/shop/`))).toEqual([])
})

test("speaks the visitor's language, in the site's words where it has some", async () => {
  const page = await stage.open({ lang: "es", attributes: 'greeting="¡Bienvenida!"' })
  await page.getByRole("button", { name: "Abrir el chat" }).click()
  await page.getByText("¡Bienvenida!").waitFor()
  await page.getByRole("dialog", { name: "Habla con nosotros" }).waitFor()
  await page.evaluate(() => Object.assign(document.querySelector("switchboard-chat")!, { texts: { send: "Mandar" } }))
  await page.getByRole("button", { name: "Mandar" }).waitFor()
})
