import { expect, test } from "vitest"
import { EmailThreadToken } from "../src/index.ts"

const secret = "a long random secret"
const account = "support@shop.test"

test.each([
  "01a21021-3993-76d8-b2a5-013a344ee4c9.1",
  "ffffffff-ffff-ffff-ffff-ffffffffffff.99",
  "00000000-0000-0000-0000-000000000000.10",
  "thread-1",
  "Thread One"
])("a thread's reply address fits and leads back: %s", (threadId) => {
  const address = EmailThreadToken.toAddress(secret, account, threadId)
  expect(address).not.toBe(account)
  expect(address.split("@")[0]!.length).toBeLessThanOrEqual(64)
  expect(EmailThreadToken.fromAddress(secret, account, address)).toBe(threadId)
  expect(EmailThreadToken.fromAddress(secret, account, address.toUpperCase())).toBe(threadId)
  expect(EmailThreadToken.fromAddress("another", account, address)).toBeUndefined()
  expect(EmailThreadToken.fromAddress(secret, "sales@shop.test", address.replace("support", "sales"))).toBeUndefined()
})

test("an id too long for an address leaves the plain one", () => {
  expect(EmailThreadToken.toAddress(secret, account, "x".repeat(60))).toBe(account)
})
