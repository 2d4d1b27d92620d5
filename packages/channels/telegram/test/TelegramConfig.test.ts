import { Id } from "@switchboard/conversation"
import { describe, expect, test } from "vitest"
import { TelegramConfig, telegram } from "../src/index.ts"
import { config, token, webhookSecret } from "./Fixtures.ts"

const bare = {
  id: Id.ChannelAccountId.parse("my-shop"),
  name: "Shop",
  workspace: Id.WorkspaceId.parse("main")
}

const messageOf = (input: unknown, environment: Record<string, string> = {}): string => {
  try {
    TelegramConfig.decode(input as TelegramConfig.TelegramConfigInput, environment)
    return ""
  } catch (error) {
    if (error instanceof TelegramConfig.TelegramConfigError) return error.message
    throw error
  }
}

test("credentials come from the environment when they are left out", () => {
  const environment = { TELEGRAM_TOKEN: token, TELEGRAM_WEBHOOK_SECRET: webhookSecret }
  expect(TelegramConfig.decode({ accounts: [bare] }, environment)).toEqual({
    accounts: [{ ...bare, key: "123456789", token, webhookSecret }],
    apiUrl: "https://api.telegram.org",
    bodyLimitBytes: 1_000_000
  })
})

test("several bots have a variable each", () => {
  const environment = {
    TELEGRAM_TOKEN_MY_SHOP: token,
    TELEGRAM_WEBHOOK_SECRET_MY_SHOP: webhookSecret,
    TELEGRAM_TOKEN_B: "9:AAF-this-is-no-real-token",
    TELEGRAM_WEBHOOK_SECRET_B: webhookSecret
  }
  const accounts = [bare, { ...bare, id: Id.ChannelAccountId.parse("b") }]
  expect(TelegramConfig.decode({ accounts }, environment).accounts.map(({ key }) => key)).toEqual(["123456789", "9"])
})

describe("what is wrong is told with its field, what was found and the fix:", () => {
  const account = { ...bare, token, webhookSecret }
  test.each<[string, unknown, RegExp]>([
    [
      "no token",
      { accounts: [{ ...bare, webhookSecret }] },
      /^telegram: accounts\.0\.token: found nothing; set it, or the environment variable TELEGRAM_TOKEN: .*@BotFather/
    ],
    [
      "no secret",
      { accounts: [{ ...bare, token }] },
      /^telegram: accounts\.0\.webhookSecret: found nothing; .*TELEGRAM_WEBHOOK_SECRET: /
    ],
    ["an empty secret", { accounts: [{ ...account, webhookSecret: "" }] }, /webhookSecret: found 0 characters/],
    ["a short secret", { accounts: [{ ...account, webhookSecret: "short" }] }, /webhookSecret: found 5 characters/],
    [
      "a token of another form",
      { accounts: [{ ...account, token: "abc" }] },
      /token: found 3 characters of another form/
    ],
    ["no accounts", { accounts: [] }, /^telegram: accounts: found \[\]/],
    ["accounts that are none", {}, /^telegram: accounts: found /],
    [
      "an address that is none",
      { accounts: [account], apiUrl: "api.telegram.org" },
      /apiUrl: found "api.telegram.org"/
    ],
    ["a field that is unknown", { accounts: [account], proxy: "x" }, /proxy/],
    ["one id twice", { accounts: [account, { ...account, key: "2" }] }, /accounts\.\*\.id: found the same one twice/],
    ["one bot twice", { accounts: [account, { ...account, id: "b" }] }, /accounts\.\*\.key: .*token of its own/]
  ])("%s", (_, input, said) => {
    expect(messageOf(input)).toMatch(said)
  })

  test("and never a credential", () => {
    const wrong = "wrong-but-still-a-secret!"
    const said = messageOf({ accounts: [{ ...account, token: wrong, webhookSecret: `${wrong}!` }] })
    expect(said).toMatch(/token.*\n.*webhookSecret/)
    expect(said).not.toContain(wrong)
  })
})

test("the account's credentials don't leave the channel", () => {
  expect(JSON.stringify(telegram(config()))).not.toMatch(new RegExp(`${token}|${webhookSecret}`))
})
