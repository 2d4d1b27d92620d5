/** What an agent, and whoever leads, can do beyond reading and answering. */
import type { Locator, Page } from "playwright-core"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { eventually, type Stage, setStage, violations } from "./stage.ts"

let stage: Stage
beforeAll(async () => {
  stage = await setStage()
})
afterAll(() => stage.close())

const given = (path: RegExp) =>
  stage
    .desk()
    .calls.filter((call) => call.method === "POST" && path.test(call.path))
    .map(({ body }) => body as { readonly type: string })
/** What was given to conversations, except that they were read. */
const commands = () => given(/conversations\/[^/]+\/commands$/).filter(({ type }) => type !== "MarkRead")
const menuOf = (page: Page, text: string): Locator =>
  page
    .locator(".message")
    .filter({ hasText: text })
    .getByRole("button", { name: /What to do with/ })

const explainWebchat = (): void => {
  const now = Date.now()
  stage.desk().explanations.set("c-webchat", {
    item: {
      itemId: "c-webchat",
      queueId: "billing",
      channelKind: "webchat",
      weight: 1,
      priority: 0,
      arrivedAtMs: now - 330_000
    },
    requirement: { kind: "team", team: "billing" },
    place: { kind: "waiting" },
    ageMs: 330_000,
    waitsFor: "capacity",
    ahead: 2,
    agents: [
      { agentId: "jonas", obstacles: [{ kind: "capacity", limit: "channelKind", used: 3, allowed: 3 }] },
      { agentId: "mara", obstacles: [{ kind: "requirement", unmet: [{ kind: "team", team: "billing" }] }] }
    ]
  })
}

describe("a message", () => {
  test("is reacted to with the keyboard alone, and says why it can't be changed", async () => {
    const page = await stage.open({ path: "/?conversation=c-refund", as: "mara" })
    await menuOf(page, "Here is the receipt again").waitFor()
    await page.keyboard.press("m")
    await page.keyboard.press("ArrowUp")
    await page.keyboard.press("Enter")
    const emoji = page.getByRole("menuitem", { name: "React with thumbs up" })
    await emoji.waitFor()
    await eventually(async () => {
      if (!(await emoji.evaluate((it) => it === document.activeElement))) await page.keyboard.press("ArrowDown")
      return emoji.evaluate((it) => it === document.activeElement)
    }).toBe(true)
    await page.keyboard.press("ArrowDown")
    await page.keyboard.press("Enter")
    await page.getByRole("img", { name: "🙏 by Mara Lindqvist" }).waitFor()
    // Another emoji takes the place of the first: platforms keep one.
    await menuOf(page, "Here is the receipt again").click()
    await page.getByRole("menuitem", { name: "Take back thank you" }).waitFor()
    await page.getByRole("menuitem", { name: "React with celebration" }).click()
    await page.getByRole("img", { name: "🎉 by Mara Lindqvist" }).waitFor()
    const reactions = [
      { type: "AddReaction", messageId: "m6", emoji: "🙏" },
      { type: "RemoveReaction", messageId: "m6", emoji: "🙏" },
      { type: "AddReaction", messageId: "m6", emoji: "🎉" }
    ]
    expect(commands()).toEqual(reactions)

    await menuOf(page, "I can see both payments").click()
    await page.getByText("E-mail takes no reactions.").waitFor()
    await page.getByRole("menuitem", { name: /Delete….*E-mail can't take back what was sent/ }).click({ force: true })
    await page.keyboard.press("Escape")
    await eventually(() => page.getByRole("menuitem").count()).toBe(0)
    expect(await page.getByRole("dialog").count()).toBe(0)
    // What a colleague wrote is theirs.
    await menuOf(page, "Confirmed, it is ours").click()
    await page.getByRole("menuitem", { name: "Copy the text" }).waitFor()
    expect(await page.getByRole("menuitem", { name: "Edit" }).count()).toBe(0)
    await page.keyboard.press("Escape")
    // What never reached anybody can be taken back on any channel.
    await menuOf(page, "the refund is approved. Should it").click()
    await page.getByRole("menuitem", { name: "Delete…" }).click()
    await page.getByText("It was never delivered.").waitFor()
    expect(commands()).toEqual(reactions)
  })

  test("of one's own is edited, and deleted after a question; either side's typing is seen", async () => {
    const page = await stage.open({ path: "/?conversation=c-sam", as: "mara" })
    await menuOf(page, "Sorry about that, Sam").click()
    await page.getByRole("menuitem", { name: "Edit" }).click()
    const field = page.getByRole("textbox", { name: "Edit the message" })
    await field.fill("Not this")
    await field.press("Escape")
    await menuOf(page, "Sorry about that, Sam").click()
    await page.getByRole("menuitem", { name: "Edit" }).click()
    await field.fill("Sorry, Sam. Use **HELLO20**")
    await field.press("Control+Enter")
    await page.locator(".message b").getByText("HELLO20").waitFor()
    await page.getByText("Edited").waitFor()
    await menuOf(page, "Use HELLO20").click()
    await page.getByRole("menuitem", { name: "Delete…" }).click()
    const dialog = page.getByRole("dialog", { name: "Delete this message?" })
    await dialog.getByText("Sam Whitfield no longer sees it in Web chat").waitFor()
    await dialog.getByRole("button", { name: "Delete", exact: true }).click()
    await eventually(() => page.getByText("This message was deleted").count()).toBe(2)
    const [{ messageId } = { messageId: "" }] = commands() as unknown as ReadonlyArray<{ readonly messageId: string }>
    expect(commands()).toEqual([
      {
        type: "EditMessage",
        messageId,
        parts: [{ kind: "text", text: "Sorry, Sam. Use **HELLO20**", format: "markdown" }]
      },
      { type: "DeleteMessage", messageId }
    ])

    // The contact is told that the agent types, and that it is over.
    const reply = page.getByRole("textbox", { name: "Reply" })
    await reply.pressSequentially("Hi")
    await eventually(() => given(/typing$/)).toEqual([{ typing: true }])
    await reply.press("Control+Enter")
    await eventually(() => given(/typing$/)).toEqual([{ typing: true }, { typing: false }])

    // The agent sees it of the contact, until the message is there.
    expect(stage.desk().followed()).toEqual(["c-sam"])
    const typing = page.getByRole("log").locator(".typing")
    stage.desk().type("c-sam", true)
    await typing.getByText("Sam Whitfield is typing…").waitFor()
    stage.desk().receive("c-sam", "It works, thank you", "MessageReceived")
    await page.locator(".message").getByText("It works, thank you").waitFor()
    expect(await typing.count()).toBe(0)
    stage.desk().type("c-sam", true)
    await typing.waitFor()
    stage.desk().type("c-sam", false)
    await eventually(() => typing.count()).toBe(0)
    // Another conversation is followed in its place, from where the stream was.
    await page
      .getByRole("link", { name: /Charged twice/ })
      .first()
      .click()
    await eventually(() => stage.desk().followed()).toEqual(["c-refund"])
    stage.desk().type("c-sam", true)
    stage.desk().type("c-refund", true)
    await typing.getByText("Ana García is typing…").waitFor()
    // Nobody reads along on WhatsApp.
    await reply.pressSequentially("Hi")
    expect(given(/typing$/)).toHaveLength(2)
  })
})

test("why: a waiting conversation says what keeps it, from its clock or with w", async () => {
  const page = await stage.open({ path: "/?conversation=c-webchat", as: "mara" })
  explainWebchat()
  await page
    .locator(".conversation-head")
    .getByRole("button", { name: /First reply/ })
    .click()
  const dialog = page.getByRole("dialog", { name: "Why it stands where it does" })
  await dialog.getByText("It asks for the team Billing.").waitFor()
  await dialog.getByText("Whoever could take it has no hand free.").waitFor()
  await dialog.getByText(/^2 conversations are given out before it/).waitFor()
  expect(await dialog.getByRole("listitem").allTextContents()).toEqual([
    expect.stringContaining("holds 3 of 3 by Web chat"),
    expect.stringContaining("is not in Billing"),
    expect.stringMatching(/^First reply began .* and is due .*, in /)
  ])
  await page.keyboard.press("Escape")
  await eventually(() => dialog.count()).toBe(0)
  stage.desk().explanations.clear()
  await page.keyboard.press("w")
  await dialog.getByText("It has only just come in.").waitFor()
})

describe("health", () => {
  test("is for whoever leads; a page that can't be loaded says so", async () => {
    const page = await stage.open({ path: "/health", as: "mara" })
    await page.getByText("Supervisors and administrators look after this").waitFor()
    expect(await page.getByRole("link", { name: "Health" }).count()).toBe(0)
    expect(stage.desk().calls.some(({ path }) => path === "/api/dead-letters")).toBe(false)
    // A page that can't be loaded says so, and leaves the rest alone.
    await page.route(/Dashboard-\w+\.js/, (route) => route.abort())
    await page.getByRole("link", { name: "Dashboard" }).click()
    await page.getByRole("button", { name: "Load again" }).waitFor()
    await page.getByRole("link", { name: "Inbox" }).click()
    await page
      .getByRole("link", { name: /Charged twice/ })
      .first()
      .waitFor()
  })

  test("shows what stands still, and tries it again", async () => {
    const page = await stage.open({ as: "ines" })
    await page.getByRole("link", { name: "Health" }).click()
    const reactors = page.getByRole("article", { name: "Reactors", exact: true })
    await reactors.getByText(/Stands still for 1m.*the disk is full/).waitFor()
    expect(await reactors.getByRole("row", { name: /SLA/ }).getByRole("cell").allTextContents()).toEqual(["97", "3"])
    const parked = page.getByRole("article", { name: "Parked streams" }).last()
    await parked.getByText("The calendar office has no hours any more").waitFor()
    await parked.getByRole("button", { name: "Retry" }).click()
    await parked.getByText("None: every event could be read").waitFor()
    expect(given(/parked\/retry$/)).toEqual([{ reactor: "sla", stream: "conversation/c-long" }])

    const letter = page.getByRole("listitem").filter({ hasText: "+971500000123" })
    await letter.getByText("No account of whatsapp has the key").waitFor()
    await letter.getByText("What came").click()
    await letter.getByText("Is anybody reading this?").waitFor()
    stage.desk().stillWrong = "the account is still not connected"
    await letter.getByRole("button", { name: "Drive again" }).click()
    await letter.getByText(/in vain.*The account is still not connected/).waitFor()
    stage.desk().stillWrong = null
    await letter.getByRole("button", { name: "Drive again" }).click()
    await eventually(() => letter.count()).toBe(0)
    await page.getByText("Unknown sender").waitFor()
  })
})

test("the card takes a consent with its source and its withdrawal, merges, and undoes that", async () => {
  const page = await stage.open({ path: "/?conversation=c-refund", as: "mara" })
  const card = page.getByRole("complementary", { name: "Contact" })
  await card.getByText("Sign-up form, 12 May").waitFor()
  await card.getByRole("button", { name: "Record a consent" }).click()
  const dialog = page.getByRole("dialog", { name: "Record a consent" })
  await dialog.getByLabel("Where it comes from").fill("Said so on the phone")
  expect(await dialog.getByRole("button", { name: "Record", exact: true }).isEnabled()).toBe(false)
  await dialog.getByRole("combobox", { name: "By" }).click()
  await page.getByRole("option", { name: "WhatsApp" }).click()
  await dialog.getByRole("button", { name: "Record", exact: true }).click()
  await card.getByText("Marketing by WhatsApp").waitFor()
  await card.getByText("Said so on the phone").waitFor()
  await card.getByRole("button", { name: "Withdraw Marketing by E-mail" }).click()
  await page
    .getByRole("dialog")
    .getByText(/for marketing by E-mail/)
    .waitFor()
  await page.getByRole("dialog").getByRole("button", { name: "Withdraw", exact: true }).click()
  await eventually(() => card.getByText("Marketing by E-mail").count()).toBe(0)
  expect(given(/contacts\/k-ana\/commands$/)).toEqual([
    { type: "GrantConsent", purpose: "marketing", channelKind: "whatsapp", evidence: "Said so on the phone" },
    { type: "WithdrawConsent", purpose: "marketing", channelKind: "email" }
  ])

  await page.getByRole("button", { name: "Merge…" }).click()
  await page.getByRole("button", { name: "Merge", exact: true }).click()
  await page.getByText("Merged into this contact").waitFor()
  expect(await page.getByText(/Maybe the same person/).count()).toBe(0)
  await page.getByRole("button", { name: "Undo the merge of A. Garcia" }).click()
  await page.getByRole("button", { name: "Undo the merge", exact: true }).click()
  await page.getByText(/Maybe the same person/).waitFor()
  expect(given(/contacts\/k-ana2\/commands$/)).toEqual([
    { type: "MergeContact", into: "k-ana" },
    { type: "UndoContactMerge" }
  ])
})

test("axe finds nothing in menu, dialogs and health, light and dark; they fit a telephone", async () => {
  const page = await stage.open({ path: "/?conversation=c-webchat", as: "ines" })
  explainWebchat()
  const look = async (selector: string): Promise<void> => {
    for (const colorScheme of ["dark", "light"] as const) {
      await page.emulateMedia({ colorScheme })
      await page.locator(`[data-mantine-color-scheme="${colorScheme}"]`).waitFor({ state: "attached" })
      expect(await violations(page, selector)).toEqual([])
    }
  }
  await menuOf(page, "Hello? I wrote about a payment").click()
  await page.getByRole("menuitem", { name: "Copy the text" }).waitFor()
  stage.desk().type("c-webchat", true)
  await page.getByText("is typing…").waitFor()
  await look("[role=menu]")
  await look(".timeline")
  await page.keyboard.press("Escape")
  await page.getByRole("button", { name: "Why it stands where it does" }).click()
  await page.getByText("Who could take it").waitFor()
  await look("[role=dialog]")
  await page.keyboard.press("Escape")
  await page.getByRole("button", { name: "Record a consent" }).click()
  await page.getByRole("dialog", { name: "Record a consent" }).waitFor()
  await look("[role=dialog]")
  await page.keyboard.press("Escape")
  await page.getByRole("link", { name: "Health" }).click()
  await page.getByText("Unknown sender").waitFor()
  await look("main")
  await page.setViewportSize({ width: 390, height: 844 })
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(390)
})

test("no page complained", () => {
  const expected = /sandboxed and the 'allow-scripts'|Failed to fetch dynamically imported module/
  expect(stage.complaints.filter((complaint) => !expected.test(complaint))).toEqual([])
})
