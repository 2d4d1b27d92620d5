/**
 * What a Telegram channel needs to know: its bots, their tokens, and the secrets of their webhooks.
 *
 * @module
 */
import { ChannelAccount } from "@switchboard/channel"
import * as z from "zod"

const Token = z.string().regex(/^\d{1,20}:[\w-]{10,200}$/)
// What setWebhook allows, and long enough not to be guessed.
const WebhookSecret = z.string().regex(/^[\w-]{16,256}$/)

/**
 * One bot.
 *
 * **Shape** `id` is the last segment of the bot's webhook address. `token` is what BotFather gave; `webhookSecret` is
 * the `secret_token` given to `setWebhook`: 16 to 256 letters, digits, `_` and `-`. `key` is the bot's id, the digits
 * before the colon of its token.
 */
export const TelegramAccount = ChannelAccount.ChannelAccount.extend({
  key: z.string().min(1).max(64),
  token: Token,
  webhookSecret: WebhookSecret
}).strict()
export type TelegramAccount = z.infer<typeof TelegramAccount>

/**
 * The configuration.
 *
 * **Units** `bodyLimitBytes` in bytes: a larger webhook is refused with 413.
 */
export const TelegramConfig = z.strictObject({
  accounts: z.array(TelegramAccount).min(1),
  /** Where the Bot API is: Telegram's own, or a server of yours. */
  apiUrl: z
    .url({ protocol: /^https?$/ })
    .transform((url) => url.replace(/\/+$/, ""))
    .default("https://api.telegram.org"),
  bodyLimitBytes: z.number().int().positive().default(1_000_000)
})
export type TelegramConfig = z.infer<typeof TelegramConfig>

/** A bot as it is configured: credentials may come from the environment, and the key follows from the token. */
export type TelegramAccountInput = Omit<TelegramAccount, "key" | "token" | "webhookSecret"> & {
  readonly key?: string
  readonly token?: string
  readonly webhookSecret?: string
}

/** What {@link decode} takes. */
export interface TelegramConfigInput {
  readonly accounts: ReadonlyArray<TelegramAccountInput>
  readonly apiUrl?: string
  readonly bodyLimitBytes?: number
}

/** The configuration can't be used. `issues` name each field, what was found (never a credential) and what to do. */
export class TelegramConfigError extends Error {
  override readonly name = "TelegramConfigError"
  readonly _tag = "TelegramConfigError"
  readonly code = "telegramConfig"
  readonly issues: ReadonlyArray<{ readonly field: string; readonly found: string; readonly fix: string }>

  constructor(issues: TelegramConfigError["issues"]) {
    super(issues.map(({ field, found, fix }) => `telegram: ${field}: found ${found}; ${fix}`).join("\n"))
    this.issues = issues
  }
}

/**
 * The environment variable that stands in for a credential: `TELEGRAM_TOKEN` and `TELEGRAM_WEBHOOK_SECRET`, and with
 * several bots `TELEGRAM_TOKEN_<ID>`, the account's id in capitals.
 */
export const variableOf = (field: "token" | "webhookSecret", id: string, bots: number): string => {
  const name = field === "token" ? "TELEGRAM_TOKEN" : "TELEGRAM_WEBHOOK_SECRET"
  return bots === 1
    ? name
    : `${name}_${String(id)
        .toUpperCase()
        .replaceAll(/[^A-Z0-9]/g, "_")}`
}

const isCredential = (field: string): field is "token" | "webhookSecret" =>
  field === "token" || field === "webhookSecret"

const valueAt = (value: unknown, path: ReadonlyArray<PropertyKey>): unknown =>
  path.reduce<unknown>(
    (inner, step) =>
      typeof inner === "object" && inner !== null ? (inner as Record<PropertyKey, unknown>)[step] : undefined,
    value
  )

const describe = (value: unknown, secret: boolean): string => {
  if (value === undefined) return "nothing"
  if (secret) return typeof value === "string" ? `${value.length} characters of another form` : `a ${typeof value}`
  return JSON.stringify(value)
}

const expectations = {
  token: "it must look like 123456789:AAF…, as @BotFather gave it",
  webhookSecret: "it must be 16 to 256 letters, digits, _ and - (openssl rand -hex 32)"
}

/**
 * Reads a configuration, with credentials from the environment where they are left out.
 *
 * **Fails with** {@link TelegramConfigError}, thrown: a desk must not start with half a configuration.
 */
export const decode = (
  input: TelegramConfigInput,
  environment: Readonly<Record<string, string | undefined>> = process.env
): TelegramConfig => {
  const given = Array.isArray(input.accounts) ? (input.accounts as ReadonlyArray<TelegramAccountInput>) : []
  const fromEnvironment = (field: "token" | "webhookSecret", id: string) =>
    environment[variableOf(field, id, given.length)]
  const accounts = given.map((account) => {
    const token = account.token ?? fromEnvironment("token", account.id)
    const webhookSecret = account.webhookSecret ?? fromEnvironment("webhookSecret", account.id)
    return { ...account, key: account.key ?? token?.split(":")[0], token, webhookSecret }
  })
  const parsed = TelegramConfig.safeParse({ ...input, accounts })
  if (parsed.success) {
    const repeated = (["id", "key"] as const).filter(
      (field) => new Set(parsed.data.accounts.map((account) => account[field])).size < parsed.data.accounts.length
    )
    if (repeated.length === 0) return parsed.data
    throw new TelegramConfigError(
      repeated.map((field) => ({
        field: `accounts.*.${field}`,
        found: "the same one twice",
        fix: field === "key" ? "each bot needs a token of its own" : "give each bot an id of its own"
      }))
    )
  }
  throw new TelegramConfigError(
    parsed.error.issues
      // A key that is missing follows from a token that is missing.
      .filter(({ path }) => path.at(-1) !== "key" || valueAt(accounts, [...path.slice(1, -1), "token"]) !== undefined)
      .map(({ path, message }) => {
        const field = String(path.at(-1) ?? "")
        const id = String(given[Number(path[1])]?.id)
        return {
          field: path.join("."),
          found: describe(valueAt({ ...input, accounts }, path), isCredential(field)),
          fix: isCredential(field)
            ? `set it, or the environment variable ${variableOf(field, id, given.length)}: ${expectations[field]}`
            : message
        }
      })
  )
}
