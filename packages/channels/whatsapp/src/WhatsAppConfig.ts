/**
 * What a WhatsApp channel needs to know: its numbers, its credentials and its limits.
 *
 * @module
 */
import type { ChannelAccount } from "@switchboard/channel"
import { Id } from "@switchboard/conversation"
import * as z from "zod"

const positive = z.number().int().positive()
const dayMs = 86_400_000

/** The environment variables that stand in for credentials left out of the configuration. */
export const environmentVariables = {
  accessToken: "WHATSAPP_ACCESS_TOKEN",
  appSecret: "WHATSAPP_APP_SECRET",
  verifyToken: "WHATSAPP_VERIFY_TOKEN"
} as const

/**
 * One business number.
 *
 * **Shape** `id` is yours and lasting. `phoneNumberId` is the platform's name of the number, digits, not the number
 * itself. `name` is what people read. `workspace` is the tenant, `main` without it.
 */
export const WhatsAppAccount = z.strictObject({
  id: z.string().min(1).max(128),
  phoneNumberId: z.string().regex(/^\d{5,32}$/, "expected the phone number ID, digits as the app dashboard shows it"),
  name: z.string().min(1).max(256),
  workspace: z.string().min(1).max(128).default("main")
})
export type WhatsAppAccount = z.infer<typeof WhatsAppAccount>

/**
 * The configuration.
 *
 * **Shape** `accessToken` is a system user's token that may send from every account. `appSecret` signs webhooks.
 * `verifyToken` is a word of yours, the same as in the app dashboard, that proves a webhook's address. `mediaHosts` are
 * the hosts that files may come from, `*.` stands for any part before; the host of `apiUrl` always may. `listButton` is
 * what opens a list of more than three options, in your contacts' language.
 *
 * **Units** sizes in bytes; times in milliseconds: what is older than `replayBackMs` or ahead by more than
 * `replayAheadMs` is kept but not believed.
 */
export const WhatsAppConfig = z.strictObject({
  accounts: z.array(WhatsAppAccount).min(1, "expected at least one account").max(1000),
  accessToken: z.string().regex(/^[\x21-\x7e]{16,4096}$/, "expected the token of a system user, without spaces"),
  appSecret: z.string().min(16, "expected the app secret, 32 characters in the app dashboard under Basic settings"),
  verifyToken: z.string().min(8, "expected at least 8 characters, the same as in the app dashboard"),
  apiUrl: z
    .url({ protocol: /^https?$/, error: "expected the address of the Graph API with its version" })
    .transform((url) => url.replace(/\/+$/, ""))
    .default("https://graph.facebook.com/v26.0"),
  mediaHosts: z
    .array(z.string().regex(/^(\*\.)?[a-z0-9.-]+(:\d+)?$/, "expected a host such as *.example.com"))
    .default(["lookaside.fbsbx.com", "*.fbcdn.net"]),
  mediaLimitBytes: positive.default(100 * 1024 * 1024),
  bodyLimitBytes: positive.default(4 * 1024 * 1024),
  replayBackMs: positive.default(8 * dayMs),
  replayAheadMs: positive.default(300_000),
  listButton: z.string().min(1).max(20, "expected at most 20 characters").default("Options")
})
export type WhatsAppConfig = z.output<typeof WhatsAppConfig>

/** What {@link decode} takes: credentials may come from the environment. */
export type WhatsAppConfigInput = Omit<z.input<typeof WhatsAppConfig>, keyof typeof environmentVariables> & {
  readonly [Field in keyof typeof environmentVariables]?: string
}

/** The configuration can't be used. `issues` name each field, what was found (never a credential) and what to do. */
export class WhatsAppConfigError extends Error {
  override readonly name = "WhatsAppConfigError"
  readonly _tag = "WhatsAppConfigError"
  readonly code = "whatsAppConfig"
  readonly issues: ReadonlyArray<{ readonly field: string; readonly found: string; readonly fix: string }>

  constructor(issues: WhatsAppConfigError["issues"]) {
    super(issues.map(({ field, found, fix }) => `whatsapp: ${field}: found ${found}; ${fix}`).join("\n"))
    this.issues = issues
  }
}

const variableOf = (field: PropertyKey | undefined): string | undefined =>
  typeof field === "string" && Object.hasOwn(environmentVariables, field)
    ? environmentVariables[field as keyof typeof environmentVariables]
    : undefined

const valueAt = (value: unknown, path: ReadonlyArray<PropertyKey>): unknown =>
  path.reduce<unknown>(
    (inner, step) =>
      typeof inner === "object" && inner !== null ? (inner as Record<PropertyKey, unknown>)[step] : undefined,
    value
  )

const describe = (value: unknown, isCredential: boolean): string => {
  if (value === undefined) return "nothing"
  if (isCredential) return typeof value === "string" ? `${value.length} characters` : `a ${typeof value}`
  return typeof value === "object" ? "an object" : JSON.stringify(value)
}

/** Accounts are told apart by id in the desk and by number in webhooks. */
const repeated = (accounts: ReadonlyArray<WhatsAppAccount>): WhatsAppConfigError["issues"] =>
  (["id", "phoneNumberId"] as const).flatMap((field) =>
    accounts.flatMap((account, index) =>
      accounts.findIndex((other) => other[field] === account[field]) < index
        ? [{ field: `accounts.${index}.${field}`, found: JSON.stringify(account[field]), fix: "give each its own" }]
        : []
    )
  )

/**
 * Reads a configuration, with credentials from the environment where they are left out.
 *
 * **Fails with** {@link WhatsAppConfigError}, thrown: a desk must not start with half a configuration.
 *
 * **Example**
 *
 * ```ts
 * import { strict as assert } from "node:assert"
 * import { WhatsAppConfig } from "@switchboard/channel-whatsapp"
 *
 * const accounts = [{ id: "shop", phoneNumberId: "106540352242922", name: "+1 555 078 3881" }]
 * const config = WhatsAppConfig.decode(
 *   { accounts, verifyToken: "a-word-of-ours" },
 *   { WHATSAPP_ACCESS_TOKEN: "EAAG-no-real-token", WHATSAPP_APP_SECRET: "0123456789abcdef0123456789abcdef" }
 * )
 * assert.equal(config.accounts[0]?.workspace, "main")
 * assert.throws(() => WhatsAppConfig.decode({ accounts }, {}), /WHATSAPP_ACCESS_TOKEN/)
 * ```
 */
export const decode = (
  input: WhatsAppConfigInput,
  environment: Readonly<Record<string, string | undefined>> = process.env
): WhatsAppConfig => {
  const candidate: Record<string, unknown> = { ...input }
  for (const [field, variable] of Object.entries(environmentVariables)) {
    const value = candidate[field] ?? environment[variable]
    if (value === undefined || value === "") delete candidate[field]
    else candidate[field] = value
  }
  const parsed = WhatsAppConfig.safeParse(candidate)
  const issues = parsed.success
    ? repeated(parsed.data.accounts)
    : parsed.error.issues.map(({ path, message }) => {
        const variable = variableOf(path[0])
        return {
          field: path.join(".") || "the configuration",
          found: describe(valueAt(candidate, path), variable !== undefined),
          fix: variable === undefined ? message : `set it, or the environment variable ${variable}: ${message}`
        }
      })
  if (!parsed.success || issues.length > 0) throw new WhatsAppConfigError(issues)
  return parsed.data
}

/** The account as the desk knows it: its key is the phone number ID, which webhooks name. */
export const toChannelAccount = ({
  id,
  phoneNumberId,
  name,
  workspace
}: WhatsAppAccount): ChannelAccount.ChannelAccount => ({
  id: Id.ChannelAccountId.parse(id),
  key: phoneNumberId,
  name,
  workspace: Id.WorkspaceId.parse(workspace)
})
