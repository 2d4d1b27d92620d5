/** Looking for what was said, in all conversations. */
import type { Page } from "playwright-core"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { isAsked, toBehind, toFindings, toSummary } from "../../src/ui/search/Findings.ts"
import { toLines, toPieces } from "../../src/ui/search/Marked.tsx"
import { eventually, type Stage, setStage, violations } from "./stage.ts"

let stage: Stage
beforeAll(async () => {
  stage = await setStage()
})
afterAll(() => stage.close())

const field = (page: Page) => page.getByRole("textbox", { name: "Search messages and contacts" })
const messages = (page: Page) => page.getByRole("list", { name: "Messages that were found" }).getByRole("listitem")
const contacts = (page: Page) => page.getByRole("list", { name: "Contacts" }).getByRole("listitem")
const summary = (page: Page) => page.locator(".found-head").getByRole("status")
const asked = () => stage.desk().calls.filter(({ path }) => path === "/api/search").length
const focusedText = (page: Page) => page.evaluate(() => document.activeElement?.textContent ?? "")

describe("what was found", () => {
  const snippet = { text: "Ana García\nana@example.com", matches: [{ start: 11, end: 14 }] }

  test("a snippet is cut at its matches and loses nothing", () => {
    expect(toPieces({ text: "charged twice", matches: [{ start: 0, end: 7 }] })).toEqual([
      { text: "charged", isMatch: true, start: 0 },
      { text: " twice", isMatch: false, start: 7 }
    ])
    expect(toPieces({ text: "…", matches: [] })).toEqual([{ text: "…", isMatch: false, start: 0 }])
    expect(toPieces({ text: "", matches: [] })).toEqual([])
    const both = [
      { start: 0, end: 3 },
      { start: 11, end: 14 }
    ]
    expect(
      toPieces({ ...snippet, matches: both })
        .map(({ text }) => text)
        .join("")
    ).toBe(snippet.text)
  })

  test("a line keeps its own matches", () => {
    expect(toLines(snippet)).toEqual([
      { text: "Ana García", matches: [] },
      { text: "ana@example.com", matches: [{ start: 0, end: 3 }] }
    ])
  })

  test("a contact is there once, and leads to its latest active conversation", () => {
    const row = (conversationId: string, updatedAtMs: number, active = true) =>
      ({ conversationId, contactId: "k", updatedAtMs, active }) as Parameters<typeof toFindings>[1][number]
    const person = { contactId: "k", name: "Ana", snippet }
    const answer = { contacts: [person, person], messages: [], behind: 0 }
    expect(toFindings(answer, [row("c1", 1), row("c2", 3), row("c3", 2), row("c4", 4, false)]).people).toEqual([
      { ...person, conversationId: "c2" }
    ])
    expect(toFindings(answer, [row("c4", 4, false)]).people[0]?.conversationId).toBe(null)
  })

  test("it is counted in words", () => {
    const findings = { people: [], messages: [] }
    expect(toSummary(findings)).toBe("Nothing found")
    expect(toSummary({ ...findings, people: [{}] } as unknown as typeof findings)).toBe("1 contact")
    const many = { people: [{}, {}], messages: Array.from({ length: 20 }, () => ({})) }
    expect(toSummary(many as unknown as typeof findings)).toMatch(/^The best: 2 contacts, 20 messages\./)
    expect(toBehind(1)).toBe("1 message or contact is not searched yet.")
    expect(isAsked(" \t")).toBe(false)
  })
})

test("it asks when the typing pauses, shows contacts and messages with their matches, and gives the list back", async () => {
  const page = await stage.open({ as: "mara" })
  await page.locator(".row").first().waitFor()
  await page.keyboard.press("/")
  await page.keyboard.type("garc", { delay: 20 })
  await contacts(page).first().waitFor()
  expect(asked()).toBe(1)
  expect(await contacts(page).allTextContents()).toEqual(["AGAna García", "AGA. Garcia"])
  expect(await page.locator("mark").allTextContents()).toEqual(["García", "Garcia"])
  expect(await page.getByRole("link", { name: /Wrong size delivered/ }).count()).toBe(0)

  await field(page).fill("refund appr")
  await eventually(() => summary(page).textContent()).toBe("2 messages")
  expect(await contacts(page).count()).toBe(0)
  const [first, second] = await messages(page).all()
  expect(await first?.locator("mark").allTextContents()).toEqual(["refund", "approved"])
  expect(await first?.textContent()).toMatch(/Ana García.*From the desk.*Charged twice/)
  expect(await second?.textContent()).toMatch(/Ana García.*Confirmed, it is ours. Refund approved\..*Note/)

  // A space at the end says that the word is whole.
  await field(page).fill("refund appr ")
  await page.getByText("of the last one, its beginning is enough").waitFor()
  expect(await summary(page).textContent()).toBe("Nothing found")
  await page.keyboard.press("Escape")
  await page.getByRole("link", { name: /Charged twice/ }).waitFor()
  expect(await field(page).inputValue()).toBe("")
  expect(await page.locator(".found-head").count()).toBe(0)
  // Nothing to look for is the list.
  await field(page).fill("   ")
  await page.waitForTimeout(300)
  expect(await page.locator(".found-head").count()).toBe(0)
  expect(asked()).toBe(3)
})

test("the keyboard alone: arrows walk what was found, Enter opens it, Escape comes back", async () => {
  const page = await stage.open({ as: "mara" })
  await page.locator(".row").first().waitFor()
  // Where the key needs Shift.
  await page.keyboard.press("Shift+/")
  await page.keyboard.type("parcel")
  await eventually(() => summary(page).textContent()).toBe("1 message")
  expect(await messages(page).first().locator(".state").textContent()).toBe("Resolved")
  await page.keyboard.press("ArrowDown")
  expect(await focusedText(page)).toContain("Where is my parcel?")
  await page.keyboard.press("ArrowUp")
  expect(await field(page).evaluate((it) => it === document.activeElement)).toBe(true)
  await page.keyboard.press("ArrowDown")
  await page.keyboard.press("Enter")
  await page.getByRole("heading", { name: "Where is my parcel?" }).waitFor()
  await page.locator(".message[data-found]").getByText("Where is my parcel?").waitFor()
  expect(page.url()).toBe(`${stage.url}/?conversation=c-old`)
  await page.keyboard.press("Escape")
  expect(await field(page).evaluate((it) => it === document.activeElement)).toBe(true)
  expect(await field(page).inputValue()).toBe("")

  // A contact leads to what is open with them.
  await page.keyboard.type("hohenstein")
  await contacts(page).first().waitFor()
  expect(await contacts(page).locator("mark").allTextContents()).toEqual(["Hohenstein", "hohenstein"])
  await page.keyboard.press("ArrowDown")
  await page.keyboard.press("Enter")
  await page.getByRole("heading", { name: /^Rückfrage zur Rechnung/ }).waitFor()

  // Nothing of theirs is known here: a name, and no way.
  await field(page).fill("соколов")
  await contacts(page).getByText("Соколов").waitFor()
  expect(await contacts(page).getByRole("link").count()).toBe(0)
})

test("the message stands out where it was said, also when that is further up, and again when asked again", async () => {
  const page = await stage.open({ path: "/?conversation=c-sam", as: "mara" })
  await field(page).fill("question 1 saturday")
  await eventually(() => messages(page).count()).toBe(1)
  await messages(page).first().getByRole("link").click()
  const found = page.locator(".message[data-found]")
  await found.getByText("Question 1: can you deliver").waitFor()
  expect(await found.count()).toBe(1)
  const isInSight = () =>
    page.locator('[data-message]:has-text("Question 1: can")').evaluate((message) => {
      const [it, frame] = [message, message.closest(".timeline")!].map((one) => one.getBoundingClientRect())
      return it!.top >= frame!.top && it!.bottom <= frame!.bottom
    })
  await eventually(isInSight).toBe(true)
  await eventually(() => found.count()).toBe(0)
  expect(await isInSight()).toBe(true)

  await page.getByRole("button", { name: "Latest" }).click()
  await eventually(isInSight).toBe(false)
  await messages(page).first().getByRole("link").click()
  await eventually(isInSight).toBe(true)
  await found.waitFor()
  // Showing another message of the same conversation is no step of its own.
  await page.goBack()
  await page.getByRole("heading", { name: "Discount code does not work" }).waitFor()
})

test("the answer before stays while the next one comes", async () => {
  const page = await stage.open({ as: "mara" })
  await field(page).fill("parcel")
  await eventually(() => summary(page).textContent()).toBe("1 message")
  let open = () => {}
  stage.desk().searchGate = new Promise((resolve) => {
    open = resolve
  })
  await field(page).fill("receipt")
  await eventually(asked).toBe(2)
  expect(await messages(page).first().textContent()).toContain("Where is my parcel?")
  open()
  await messages(page).getByText("Here is the").waitFor()
  await eventually(() => page.getByText("Where is my parcel?").count()).toBe(0)
})

test("what is not searched yet is said until it is, and a search that failed is tried again", async () => {
  const page = await stage.open({ as: "mara" })
  await page.locator(".row").first().waitFor()
  stage.desk().behind = 3
  await field(page).fill("parcel")
  await page.getByText("3 messages or contacts are not searched yet.").waitFor()
  stage.desk().behind = 0
  await eventually(() => summary(page).textContent()).toBe("1 message")

  await page.route(/api\/search/, (route) => route.fulfill({ status: 500, body: "{}" }))
  await field(page).fill("receipt")
  await page.getByText("What was found can't be shown").waitFor()
  await page.getByText("The desk had a problem. Try again.").waitFor()
  await page.unroute(/api\/search/)
  await page.getByRole("button", { name: "Try again" }).click()
  await messages(page).getByText("Here is the").waitFor()
})

test("what was said is text, whatever it looks like", async () => {
  const page = await stage.open({ as: "mara" })
  stage.desk().receive("c-sam", "<img src=x onerror=alert(1)> parcelling <b>up</b>")
  await field(page).fill("parcelling")
  await messages(page).first().waitFor()
  expect(await messages(page).locator(".found-words").textContent()).toBe(
    "<img src=x onerror=alert(1)> parcelling <b>up</b>"
  )
  expect(await messages(page).locator("img, b").count()).toBe(0)
})

test("axe finds nothing in it, light and dark; it fits a telephone", async () => {
  const page = await stage.open({ as: "mara" })
  stage.desk().behind = 2
  const look = async (): Promise<void> => {
    for (const colorScheme of ["dark", "light"] as const) {
      await page.emulateMedia({ colorScheme })
      await page.locator(`[data-mantine-color-scheme="${colorScheme}"]`).waitFor({ state: "attached" })
      expect(await violations(page, "main")).toEqual([])
    }
  }
  await field(page).fill("a")
  await contacts(page).first().waitFor()
  await messages(page).first().waitFor()
  await look()
  await messages(page).first().getByRole("link").click()
  await page.locator(".message[data-found]").waitFor()
  await look()
  await field(page).fill("nowhere")
  await page.getByText("Nothing found").first().waitFor()
  expect(await violations(page, "main")).toEqual([])

  await page.setViewportSize({ width: 390, height: 844 })
  await page.getByRole("button", { name: "Back to the list" }).click()
  await field(page).fill("mahngebühren")
  await messages(page).first().waitFor()
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(390)
  expect(await violations(page, "main")).toEqual([])
  await messages(page).first().getByRole("link").click()
  await page.locator(".message[data-found]").waitFor()
  await page.getByRole("button", { name: "Back to the list" }).click()
  // What was found is still there.
  await messages(page).first().waitFor()
})

test("no page complained", () => {
  expect(stage.complaints.filter((complaint) => !/sandboxed and the 'allow-scripts'/.test(complaint))).toEqual([])
})
