import { WebchatConfig } from "@switchboard/channel-webchat"
import { describe, expect, test } from "vitest"
import { account, identitySecret, sessionSecret } from "./Fixtures.ts"

const accounts = [account("shop")]
const problemOf = (input: unknown, environment = {}): WebchatConfig.WebchatConfigError => {
  try {
    WebchatConfig.decode(input as WebchatConfig.WebchatConfigInput, environment)
  } catch (error) {
    if (error instanceof WebchatConfig.WebchatConfigError) return error
    throw error
  }
  throw new Error("the configuration was accepted")
}

describe("a wrong configuration names the field, what was found and the fix", () => {
  const cases: ReadonlyArray<readonly [string, unknown, string, string, string]> = [
    ["no secret", { accounts }, "sessionSecret", "nothing", "WEBCHAT_SESSION_SECRET"],
    ["an empty secret", { accounts, sessionSecret: "" }, "sessionSecret", "0 characters", "32 random characters"],
    ["a short secret", { accounts, sessionSecret: "hunter2" }, "sessionSecret", "7 characters", "openssl rand"],
    [
      "a short identity secret",
      { accounts, sessionSecret, identitySecret: "hunter2" },
      "identitySecret",
      "7 characters",
      "WEBCHAT_IDENTITY_SECRET"
    ],
    ["no account", { accounts: [], sessionSecret }, "accounts", "an object", ">=1"],
    [
      "a site with a path",
      { accounts, sessionSecret, allowedOrigins: ["https://a.example/"] },
      "allowedOrigins.0",
      '"https://a.example/"',
      "without a path"
    ],
    [
      "two accounts with one id",
      { accounts: [...accounts, { ...account("other"), id: "shop" }], sessionSecret },
      "accounts.1.id",
      '"shop"',
      "its own"
    ],
    ["a word it doesn't know", { accounts, sessionSecret, sesionMs: 5 }, "configuration", "an object", "sesionMs"]
  ]
  test.each(cases)("%s", (_, input, field, found, fix) => {
    const error = problemOf(input)
    expect(error.issues[0]).toEqual({ field, found, fix: expect.stringContaining(fix) })
    expect(error.message).toContain(`${field}: found ${found}`)
    expect(error.message).not.toContain("hunter2")
  })
})

test("secrets come from the environment where they are left out", () => {
  const environment = { WEBCHAT_SESSION_SECRET: sessionSecret, WEBCHAT_IDENTITY_SECRET: identitySecret }
  expect(WebchatConfig.decode({ accounts }, environment)).toMatchObject({ sessionSecret, identitySecret })
  const given = "given in the configuration, 32 characters"
  expect(WebchatConfig.decode({ accounts, sessionSecret: given }, environment).sessionSecret).toBe(given)
})
