/**
 * What a web chat needs to know: its accounts, its secrets, which sites may embed it, and its limits.
 *
 * @module
 */
import { ChannelAccount } from "@switchboard/channel"
import * as z from "zod"

/** The fewest characters a secret may have: 32 random hex digits hold 128 bits. */
const secretLength = 32
const dayMs = 86_400_000

const Secret = z.string().min(secretLength)
const Origin = z.union([
  z.literal("*"),
  z.string().refine((value) => URL.canParse(value) && new URL(value).origin === value, {
    error: "an origin has a scheme, a host and nothing after it, such as https://www.example.com"
  })
])
const positive = z.number().int().positive()

/**
 * One chat on one site.
 *
 * **Shape** `id` is part of the chat's address. `identitySecret` and `allowedOrigins` stand in for the channel's own, so
 * that one tenant's site can't speak for another's.
 */
export const WebchatAccount = ChannelAccount.ChannelAccount.extend({
  identitySecret: Secret.optional(),
  allowedOrigins: z.array(Origin).optional()
}).strict()
export type WebchatAccount = z.infer<typeof WebchatAccount>

/**
 * The configuration.
 *
 * **Shape** `sessionSecret` signs visitors' tokens; `formerSessionSecrets` are still believed, so that a secret can be
 * replaced. `identitySecret` is shared with the site's server, which signs who is signed in; without it nobody can be.
 * `allowedOrigins` are the sites that may embed the chat; the desk's own origin always may, `*` means every site.
 *
 * **Units** times in milliseconds; `limits.bodyBytes` and `limits.attachmentBytes` in bytes; `limits.textLength` in
 * UTF-16 code units.
 *
 * **Gotchas** attachments travel as base64 inside the body, a third larger than the file: `bodyBytes` bounds what one
 * request can carry.
 */
export const WebchatConfig = z.strictObject({
  accounts: z.array(WebchatAccount).min(1),
  sessionSecret: Secret,
  formerSessionSecrets: z.array(Secret).default([]),
  identitySecret: Secret.optional(),
  allowedOrigins: z.array(Origin).default([]),
  /** How long a visitor's token lasts after the last visit. */
  sessionMs: positive.default(180 * dayMs),
  /** How far a signed identity's time may lie from ours, both ways. */
  identityWindowMs: positive.default(dayMs),
  limits: z
    .strictObject({
      bodyBytes: positive.default(8 * 1024 * 1024),
      attachmentBytes: positive.default(5 * 1024 * 1024),
      attachments: positive.max(20).default(5),
      textLength: positive.max(50_000).default(10_000),
      entries: positive.max(200).default(50)
    })
    .prefault({})
})
export type WebchatConfig = z.output<typeof WebchatConfig>

/** What {@link decode} takes: `sessionSecret` may come from the environment. */
export type WebchatConfigInput = Omit<z.input<typeof WebchatConfig>, "sessionSecret"> & {
  readonly sessionSecret?: string
}

/** The environment variables that stand in for secrets left out of the configuration. */
export const environmentVariables = {
  sessionSecret: "WEBCHAT_SESSION_SECRET",
  identitySecret: "WEBCHAT_IDENTITY_SECRET"
} as const

const isSecret = (path: ReadonlyArray<PropertyKey>): boolean => path.some((key) => /secret/i.test(String(key)))

const describe = (value: unknown, path: ReadonlyArray<PropertyKey>): string => {
  if (value === undefined) return "nothing"
  if (isSecret(path)) return typeof value === "string" ? `${value.length} characters` : `a ${typeof value}`
  return typeof value === "object" ? "an object" : JSON.stringify(value)
}

const find = (value: unknown, path: ReadonlyArray<PropertyKey>): unknown =>
  path.reduce<unknown>(
    (at, key) => (typeof at === "object" && at !== null ? (at as Record<PropertyKey, unknown>)[key] : undefined),
    value
  )

const fixes: Readonly<Record<string, string>> = {
  sessionSecret: `set it, or the environment variable ${environmentVariables.sessionSecret}, to at least ${secretLength} random characters (openssl rand -hex 32)`,
  identitySecret: `set it, or the environment variable ${environmentVariables.identitySecret}, to at least ${secretLength} random characters (openssl rand -hex 32), or leave it out`,
  allowedOrigins: "list origins such as https://www.example.com, without a path or a slash at the end"
}

/** The configuration can't be used. `issues` name each field, what was found there and what to do. */
export class WebchatConfigError extends Error {
  readonly _tag = "WebchatConfigError"
  readonly code = "webchat_config_invalid"
  readonly issues: ReadonlyArray<{ readonly field: string; readonly found: string; readonly fix: string }>
  constructor(issues: WebchatConfigError["issues"]) {
    super(issues.map(({ field, found, fix }) => `webchat: ${field}: found ${found}; ${fix}`).join("\n"))
    this.name = "WebchatConfigError"
    this.issues = issues
  }
}

/**
 * Reads the configuration, with secrets from the environment where they are left out.
 *
 * **Fails with** {@link WebchatConfigError}, thrown: a wrong configuration must stop the start.
 */
export const decode = (
  input: WebchatConfigInput,
  environment: Readonly<Record<string, string | undefined>> = process.env
): WebchatConfig => {
  const sessionSecret = input.sessionSecret ?? environment[environmentVariables.sessionSecret]
  const identitySecret = input.identitySecret ?? environment[environmentVariables.identitySecret]
  const candidate = {
    ...input,
    ...(sessionSecret === undefined ? {} : { sessionSecret }),
    ...(identitySecret === undefined ? {} : { identitySecret })
  }
  const parsed = WebchatConfig.safeParse(candidate)
  const issues = parsed.success
    ? repeated(parsed.data.accounts)
    : parsed.error.issues.map((issue) => ({
        field: issue.path.join(".") || "configuration",
        found: describe(find(candidate, issue.path), issue.path),
        fix: fixes[String(issue.path.find((key) => String(key) in fixes))] ?? issue.message
      }))
  if (!parsed.success || issues.length > 0) throw new WebchatConfigError(issues)
  return parsed.data
}

/** Accounts are told apart by id in addresses and by key in entries. */
const repeated = (accounts: ReadonlyArray<WebchatAccount>): WebchatConfigError["issues"] =>
  (["id", "key"] as const).flatMap((field) =>
    accounts.flatMap((account, index) =>
      accounts.findIndex((other) => other[field] === account[field]) < index
        ? [{ field: `accounts.${index}.${field}`, found: JSON.stringify(account[field]), fix: "give each its own" }]
        : []
    )
  )
