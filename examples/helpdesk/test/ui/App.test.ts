import type { Page } from "playwright-core"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { eventually, type Stage, setStage, violations } from "./stage.ts"

let stage: Stage
beforeAll(async () => {
  stage = await setStage()
})
afterAll(() => stage.close())

const commands = (path: RegExp) => stage.desk().calls.filter((call) => call.method === "POST" && path.test(call.path))
const rowNames = (page: Page) =>
  page.locator("[data-row]").evaluateAll((rows) => rows.map((row) => row.getAttribute("href")))

describe("signing in", () => {
  test("an agent signs in with the demo's password and is back after a reload", async () => {
    const page = await stage.open()
    await page.getByRole("button", { name: /Mara Lindqvist/ }).click()
    await page.getByRole("link", { name: /Charged twice/ }).waitFor()
    await page.reload()
    await page.getByRole("link", { name: /Charged twice/ }).waitFor()
    await page.getByRole("button", { name: "Mara Lindqvist: menu" }).click()
    await page.getByRole("menuitem", { name: "Sign out" }).click()
    await page.getByRole("heading", { name: "Welcome back" }).waitFor()
  })

  test("a wrong password is said in words", async () => {
    const page = await stage.open()
    await page.getByLabel("Password", { exact: true }).fill("nonsense")
    await page.getByRole("button", { name: /Mara Lindqvist/ }).click()
    expect(await page.getByRole("alert").textContent()).toBe("That password is not right.")
  })
})

describe("the list", () => {
  test("it is in the order of attention, and pages as it is scrolled", async () => {
    const page = await stage.open({ as: "mara" })
    await page.locator("[data-row]").first().waitFor()
    expect(await page.locator("[data-row]").first().textContent()).toContain("ليلى حداد")
    expect(await page.locator("[data-row]").count()).toBe(50)
    await page.locator(".list-body").evaluate((list) => list.scrollTo(0, list.scrollHeight))
    await eventually(() => page.locator("[data-row]").count()).toBe(68)
  })

  test("it never reorders under the pointer", async () => {
    const page = await stage.open({ as: "mara" })
    await page.locator(".row").nth(3).hover()
    await page.getByRole("status", { name: /Live/ }).waitFor()
    const before = await rowNames(page)
    stage.desk().hurry("c-more-31")
    stage.desk().receive("c-guest", "Still here, by the way")
    await page.getByRole("button", { name: /update/ }).waitFor()
    expect(await rowNames(page)).toEqual(before)
    // Words change in place.
    await page.getByText("Still here, by the way").waitFor()
    await page.getByRole("button", { name: /update/ }).click()
    await eventually(() => rowNames(page).then(([first]) => first)).toBe("/?conversation=c-more-31")
  })

  test("away from the pointer it follows at once", async () => {
    const page = await stage.open({ as: "mara" })
    await page.locator(".row").first().waitFor()
    await page.getByRole("status", { name: /Live/ }).waitFor()
    await page.mouse.move(900, 400)
    stage.desk().hurry("c-more-32")
    await eventually(() => rowNames(page).then(([first]) => first)).toBe("/?conversation=c-more-32")
  })

  test("after a break the stream comes back", async () => {
    const page = await stage.open({ as: "mara" })
    await page.getByRole("status", { name: /Live/ }).waitFor()
    stage.desk().dropStreams()
    await page.getByRole("status", { name: /lost/ }).waitFor()
    await page.getByRole("status", { name: /Live/ }).waitFor()
    stage.desk().hurry("c-more-33")
    await eventually(() => rowNames(page).then(([first]) => first)).toBe("/?conversation=c-more-33")
  })

  test("j, k and Enter walk it", async () => {
    const page = await stage.open({ as: "mara" })
    await page.locator(".row").first().waitFor()
    await page.keyboard.press("j")
    await page.keyboard.press("j")
    await page.keyboard.press("k")
    await page.keyboard.press("j")
    await page.keyboard.press("Enter")
    await page.getByRole("heading", { name: "Charged twice for order #48213" }).waitFor()
  })

  test("mine and unassigned are what they say", async () => {
    const page = await stage.open({ as: "mara" })
    await page.getByText("Unassigned", { exact: true }).first().click()
    await eventually(() => stage.desk().calls.filter(({ path }) => path === "/api/inbox").length).toBeGreaterThan(1)
    await eventually(() => page.getByRole("link", { name: /Charged twice/ }).count()).toBe(0)
    await page.getByText("Mine", { exact: true }).click()
    await page.getByRole("link", { name: /Charged twice/ }).waitFor()
  })
})

describe("offers", () => {
  test("an offer says who, what and what else is open; accepting opens it", async () => {
    const page = await stage.open({ as: "mara" })
    await page.getByRole("status", { name: /Live/ }).waitFor()
    stage.desk().offer("c-webchat", "mara")
    const dock = page.getByRole("region", { name: "Offers" })
    await dock.getByText("Ana García").waitFor()
    await dock.getByText(/Already open:.*Charged twice for order #48213/).waitFor()
    expect(await page.title()).toBe("(1) Offer · Switchboard")
    await page.waitForTimeout(450)
    await page.keyboard.press("a")
    await page.getByRole("alert").filter({ hasText: "There is already an open conversation" }).waitFor()
    expect(commands(/accept$/)).toHaveLength(1)
    await eventually(() => page.title()).toBe("Switchboard")
  })

  test("declining lets it go, and what came too late is said", async () => {
    const page = await stage.open({ as: "mara" })
    await page.getByRole("status", { name: /Live/ }).waitFor()
    stage.desk().offer("c-guest", "mara")
    const dock = page.getByRole("region", { name: "Offers" })
    await dock.getByRole("button", { name: "Decline" }).waitFor()
    await page.waitForTimeout(450)
    await dock.getByRole("button", { name: "Decline" }).click()
    await eventually(() => commands(/decline$/).length).toBe(1)
    await eventually(() => dock.getByRole("button").count()).toBe(0)
  })
})

describe("a conversation", () => {
  test("a reply is shown at once, sent once, and its draft survives a reload", async () => {
    const page = await stage.open({ path: "/?conversation=c-sam", as: "mara" })
    const field = page.getByRole("textbox", { name: "Reply" })
    await field.fill("Does it work")
    await page.reload()
    expect(await field.inputValue()).toBe("Does it work")
    let open = () => {}
    stage.desk().gate = new Promise((resolve) => {
      open = resolve
    })
    await field.fill("Does it work now?")
    await field.press("Control+Enter")
    await page.getByText("Sending…").waitFor()
    await page.locator(".message").getByText("Does it work now?").waitFor()
    open()
    await eventually(() => page.getByText("Sending…").count()).toBe(0)
    expect(await page.locator(".message").getByText("Does it work now?").count()).toBe(1)
    expect(await field.inputValue()).toBe("")
    expect(commands(/replies$/)).toMatchObject([{ body: { fence: 2, threadId: "c-sam-webchat" } }])
  })

  test("a busy desk is asked again under the same command id", async () => {
    const page = await stage.open({ path: "/?conversation=c-sam", as: "mara" })
    const field = page.getByRole("textbox", { name: "Reply" })
    await field.fill("Once only")
    stage.desk().refuseNext = () => new Response(JSON.stringify({ code: "overloaded" }), { status: 503 })
    await field.press("Control+Enter")
    await eventually(() => commands(/replies$/).length).toBe(2)
    await eventually(() => page.getByText("Sending…").count()).toBe(0)
    const [first, second] = commands(/replies$/)
    expect(first?.commandId).toBe(second?.commandId)
    expect(await page.locator(".message").getByText("Once only").count()).toBe(1)
  })

  test("a reply is not sent over somebody else's head", async () => {
    const page = await stage.open({ path: "/?conversation=c-sam", as: "mara" })
    await page.getByRole("status", { name: /Live/ }).waitFor()
    await page.getByRole("textbox", { name: "Reply" }).fill("I was just writing")
    stage.desk().takeOver("c-sam", "jonas")
    await page.getByText(/Jonas Okafor took this conversation while you were writing/).waitFor()
    await page.getByRole("button", { name: "Send", exact: true }).click()
    await page.getByText(/Not sent.*took this conversation over/).waitFor()
    await page.getByRole("button", { name: "Back to the draft" }).click()
    expect(await page.getByRole("textbox", { name: "Reply" }).inputValue()).toBe("I was just writing")
  })

  test("a note mentions a team and stays inside", async () => {
    const page = await stage.open({ path: "/?conversation=c-sam", as: "mara" })
    await page.getByRole("textbox", { name: "Reply" }).waitFor()
    await page.keyboard.press("n")
    const field = page.getByRole("textbox", { name: "Note to colleagues" })
    await field.pressSequentially("Look at this, @Bil")
    await page.getByRole("option", { name: "Billing" }).waitFor()
    await page.keyboard.press("Enter")
    await field.pressSequentially("please")
    await page.keyboard.press("Control+Enter")
    await page.locator('.message[data-direction="note"]').getByText("@Billing").waitFor()
    expect(commands(/notes$/)).toMatchObject([
      { body: { text: "Look at this, @Billing please", mentions: [{ kind: "team", id: "billing" }] } }
    ])
  })

  test("files go with a reply", async () => {
    const page = await stage.open({ path: "/?conversation=c-sam", as: "mara" })
    await page.locator('input[type="file"]').setInputFiles({
      name: "voucher.txt",
      mimeType: "text/plain",
      buffer: Buffer.from("HELLO15")
    })
    await page.getByRole("list", { name: "Attachments" }).getByText("voucher.txt").waitFor()
    await page.getByRole("button", { name: "Send", exact: true }).click()
    await eventually(() => commands(/replies$/).length).toBe(1)
    expect(commands(/replies$/)[0]?.body).toMatchObject({
      parts: [],
      attachments: [{ name: "voucher.txt", mediaType: "text/plain", base64: "SEVMTE8xNQ==" }]
    })
  })

  test("a mail runs no script and loads no picture until the agent asks", async () => {
    stage.strangers.length = 0
    const page = await stage.open({ path: "/?conversation=c-refund", as: "mara" })
    const mail = page.frameLocator('iframe[title^="E-mail"]')
    await mail.getByText("credit card statement").waitFor()
    expect(await mail.getByText("credit card statement").evaluate((it) => getComputedStyle(it).color)).toBe(
      "rgb(176, 0, 32)"
    )
    expect(await page.title()).toBe("Switchboard")
    expect(stage.strangers).toEqual([])
    await page.getByRole("button", { name: "Show pictures from elsewhere" }).click()
    await eventually(() => stage.strangers).toContain("https://tracker.example.net/pixel.png")
  })

  test("a failed delivery says why and is tried again", async () => {
    const page = await stage.open({ path: "/?conversation=c-refund", as: "mara" })
    await page.getByText(/the number can't receive messages at the moment/).waitFor()
    await page.getByRole("button", { name: "Retry" }).click()
    await page.getByText("Queued").waitFor()
    expect(commands(/commands$/).map(({ body }) => body)).toContainEqual({
      type: "RetryDelivery",
      messageId: "m7",
      deliveryId: "d-6"
    })
  })

  test("e resolves, snoozing takes a preset, a transfer takes a team and a note", async () => {
    const page = await stage.open({ path: "/?conversation=c-refund", as: "mara" })
    await page.getByRole("button", { name: "Snooze" }).click()
    await page.getByRole("menuitem", { name: /Tomorrow morning/ }).click()
    await page
      .getByText(/Snoozed until \d/)
      .first()
      .waitFor()
    await page.getByRole("button", { name: "More actions" }).click()
    await page.getByRole("menuitem", { name: "Transfer…" }).click()
    await page
      .getByRole("textbox", { name: "Team or agent" })
      .or(page.getByRole("combobox", { name: "Team or agent" }))
      .click()
    await page.getByRole("option", { name: "Billing" }).click()
    await page.getByLabel(/Note for whoever takes it/).fill("Refund approved")
    await page.getByRole("button", { name: "Transfer", exact: true }).click()
    await eventually(() => page.getByRole("dialog").count()).toBe(0)
    await page.keyboard.press("e")
    await page.getByRole("button", { name: "Reopen" }).waitFor()
    expect(commands(/commands$/).map(({ body }) => (body as { type: string }).type)).toEqual(
      expect.arrayContaining(["SnoozeConversation", "TransferConversation", "ResolveConversation"])
    )
  })

  test("earlier messages come on demand", async () => {
    const page = await stage.open({ path: "/?conversation=c-priya", as: "mara" })
    await page.getByText("Answer 64: yes, between 9 and 12.").waitFor()
    expect(await page.getByText("Question 1: can you deliver").count()).toBe(0)
    await page.getByRole("button", { name: "Show earlier messages" }).click()
    await page.getByText("Question 1: can you deliver").waitFor()
  })
})

describe("the card", () => {
  test("late context says so and nothing waits for it", async () => {
    const page = await stage.open({ path: "/?conversation=c-arabic", as: "mara" })
    await page.getByText("Shop did not answer in time.").waitFor()
    await page.getByRole("button", { name: "Ask again" }).waitFor()
  })

  test("the same person is suggested with the evidence, and merged when the agent says so", async () => {
    const page = await stage.open({ path: "/?conversation=c-refund", as: "mara" })
    await page.getByText(/the same phone number, claimed in a chat/).waitFor()
    await page.getByRole("button", { name: "Merge…" }).click()
    await page.getByRole("button", { name: "Merge", exact: true }).click()
    await eventually(() => commands(/contacts/).map(({ path, body }) => [path, body])).toEqual([
      ["/api/contacts/k-ana2/commands", { type: "MergeContact", into: "k-ana" }]
    ])
    await eventually(() => page.getByText(/Maybe the same person/).count()).toBe(0)
  })
})

test("presence changes from the top bar", async () => {
  const page = await stage.open({ as: "mara" })
  await page.getByRole("button", { name: /Your presence: available/ }).click()
  await page.getByRole("menuitem", { name: /Away/ }).click()
  await page.getByRole("button", { name: /Your presence: away/ }).waitFor()
})

test("who is made away for leaving offers alone is told so, and comes back", async () => {
  const page = await stage.open({ as: "mara" })
  await page.getByRole("status", { name: /Live/ }).waitFor()
  stage.desk().sendAway("mara")
  await page.getByText(/you are away now/).waitFor()
  await page.getByRole("button", { name: "I am back" }).click()
  await page.getByRole("button", { name: /Your presence: available/ }).waitFor()
  await eventually(() => page.getByText(/you are away now/).count()).toBe(0)
})

test("at 390 px the list, the conversation and the card come one at a time", async () => {
  const page = await stage.open({ as: "mara", width: 390, height: 844 })
  await page.getByRole("link", { name: /Charged twice/ }).click()
  await page.getByRole("textbox", { name: "Reply" }).waitFor()
  expect(await page.locator("[data-row]").first().isVisible()).toBe(false)
  expect(await page.evaluate("document.documentElement.scrollWidth")).toBe(390)
  await page.getByRole("button", { name: "Show the contact" }).click()
  await page.getByRole("dialog").getByText("ana@example.com").waitFor()
  await page.getByRole("dialog").getByRole("button", { name: "Close" }).click()
  await page.getByRole("button", { name: "Back to the list" }).click()
  await page.locator("[data-row]").first().waitFor()
})

describe("the dashboard", () => {
  test("every figure has its definition, and the time can be changed", async () => {
    const page = await stage.open({ path: "/dashboard", as: "mara" })
    await page.getByRole("article", { name: "First response", exact: true }).getByText("2m", { exact: true }).waitFor()
    await page
      .getByRole("button", { name: /first-response-time, version 1: Time from/ })
      .first()
      .hover()
    await page
      .getByRole("tooltip")
      .getByText(/counts at most once/)
      .waitFor()
    await page.getByText("7 days").click()
    await page.getByRole("heading", { name: "Opened and resolved per day" }).waitFor()
    await page.locator(".recharts-surface").first().waitFor()
  })
})

test("the shop signs a visitor in", async () => {
  const page = await stage.open({ path: "/customer" })
  await page.getByLabel("Signed in as").selectOption("ana@example.com")
  await page.getByText("Signed in as ana@example.com.").waitFor()
  await page.getByRole("button", { name: "Ask us something" }).click()
  await page.getByRole("dialog").waitFor()
})

describe("accessible", () => {
  for (const dark of [false, true]) {
    const scheme = dark ? "dark" : "light"
    test(`axe finds nothing, ${scheme}`, async () => {
      expect(await violations(await stage.open({ dark }))).toEqual([])
      const page = await stage.open({ path: "/?conversation=c-refund", as: "mara", dark })
      await page.getByText("Customer since").waitFor()
      stage.desk().offer("c-webchat", "mara")
      await page.getByRole("button", { name: "Decline" }).waitFor()
      expect(await violations(page)).toEqual([])
      const dashboard = await stage.open({ path: "/dashboard", as: "mara", dark })
      await dashboard.locator(".recharts-surface").first().waitFor()
      expect(await violations(dashboard)).toEqual([])
      const narrow = await stage.open({ path: "/?conversation=c-webchat", as: "ines", dark, width: 390, height: 844 })
      await narrow.getByText("Hello? I wrote about a payment").waitFor()
      expect(await violations(narrow)).toEqual([])
      expect(await violations(await stage.open({ path: "/customer", dark }))).toEqual([])
    })
  }
})

test("no page complained, and nothing left for elsewhere", () => {
  expect(stage.complaints.filter((complaint) => !/sandboxed and the 'allow-scripts'/.test(complaint))).toEqual([])
  expect(stage.strangers.filter((url) => url !== "https://tracker.example.net/pixel.png")).toEqual([])
})
