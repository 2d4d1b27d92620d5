import { describe, expect, test } from "vitest"
import { WhatsAppConfig } from "../src/index.ts"
import { accessToken, appSecret, config, verifyToken } from "./Platform.ts"

const { accounts } = config
const issuesOf = (input: object, environment: Record<string, string> = {}): WhatsAppConfig.WhatsAppConfigError => {
  try {
    WhatsAppConfig.decode(input as WhatsAppConfig.WhatsAppConfigInput, environment)
  } catch (error) {
    if (error instanceof WhatsAppConfig.WhatsAppConfigError) return error
    throw error
  }
  throw new Error("it was accepted")
}

test("credentials come from the environment where they are left out", () => {
  const environment = {
    WHATSAPP_ACCESS_TOKEN: accessToken,
    WHATSAPP_APP_SECRET: appSecret,
    WHATSAPP_VERIFY_TOKEN: verifyToken
  }
  expect(WhatsAppConfig.decode({ accounts }, environment)).toEqual(WhatsAppConfig.decode(config, {}))
})

test("the platform's current version and hosts are the default", () => {
  expect(WhatsAppConfig.decode(config, {})).toMatchObject({
    apiUrl: "https://graph.facebook.com/v26.0",
    mediaHosts: ["lookaside.fbsbx.com", "*.fbcdn.net"]
  })
  expect(WhatsAppConfig.decode({ ...config, apiUrl: "http://localhost:1/v26.0/" }, {}).apiUrl).toBe(
    "http://localhost:1/v26.0"
  )
})

describe("an error names the field, what was found and what to do", () => {
  test.each(["accessToken", "appSecret", "verifyToken"] as const)("%s missing, or empty", (field) => {
    const variable = WhatsAppConfig.environmentVariables[field]
    for (const value of [undefined, ""])
      expect(issuesOf({ ...config, [field]: value }, { [variable]: "" }).issues).toEqual([
        { field, found: "nothing", fix: expect.stringContaining(variable) }
      ])
  })

  test("never a credential's value", () => {
    const error = issuesOf({ ...config, appSecret: "hush-hush", verifyToken: "hush" })
    expect(error.message).toContain("whatsapp: appSecret: found 9 characters; set it")
    expect(error.message).not.toContain("hush")
  })

  test.each([
    [{ ...config, accounts: [] }, "accounts"],
    [{ ...config, accounts: [{ ...accounts[0], phoneNumberId: "+1 555" }] }, "accounts.0.phoneNumberId"],
    [{ ...config, accounts: [accounts[0], { ...accounts[1], id: "shop" }] }, "accounts.1.id"],
    [{ ...config, apiUrl: "ftp://example.com" }, "apiUrl"],
    [{ ...config, mediaHosts: ["https://example.com"] }, "mediaHosts.0"],
    [{ ...config, colour: "green" }, "the configuration"]
  ])("%#", (input, field) => {
    expect(issuesOf(input).issues[0]?.field).toBe(field)
  })
})
