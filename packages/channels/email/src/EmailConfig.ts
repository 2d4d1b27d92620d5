/**
 * How an e-mail channel is set up.
 *
 * @module
 */
import type { ChannelAccount } from "@switchboard/channel"
import { Id } from "@switchboard/conversation"
import * as z from "zod"
import { fromText } from "./EmailAddress.ts"

/** An address in its normal form, or a refusal. */
const Mailbox = z.string().transform((text, context) => {
  const address = fromText(text)
  if (address !== undefined) return address
  context.addIssue({ code: "custom", message: "expected an address such as support@example.com" })
  return z.NEVER
})

/**
 * One mailbox that the desk answers for.
 *
 * **Shape** `id` is yours and lasting. `name` is what contacts see as the sender, the address without it. `workspace` is
 * the tenant, `main` without it. `mailingList`: mail reaches this address through a group or mailing list, so that list
 * headers don't mark a message as automatic. `trustAuthenticationResults` is the authserv-id of your own mail server: its
 * topmost Authentication-Results header decides whether a sender is verified.
 *
 * **Gotchas** Anybody can write an Authentication-Results header: set `trustAuthenticationResults` only when all mail
 * passes a server of yours that removes foreign ones (RFC 8601, section 5). Without it every sender is `claimed`.
 */
export const EmailAccount = z.strictObject({
  id: z.string().min(1).max(128),
  address: Mailbox,
  name: z.string().min(1).max(256).optional(),
  workspace: z.string().min(1).max(128).default("main"),
  mailingList: z.boolean().default(false),
  trustAuthenticationResults: z.string().min(1).max(255).optional()
})
export type EmailAccount = z.infer<typeof EmailAccount>

/**
 * The SMTP server that takes mail in.
 *
 * **Shape** `port` 0 takes a free one. `tls` is the PEM key and certificate for STARTTLS, which is not offered without.
 *
 * **Units** times in milliseconds; `idleTimeoutMs` without a byte, `sessionTimeoutMs` for a whole connection.
 */
export const EmailListen = z.strictObject({
  host: z.string().min(1).default("127.0.0.1"),
  port: z.number().int().min(0).max(65_535).default(2525),
  hostname: z.string().min(1).max(253).optional(),
  tls: z.strictObject({ key: z.string().min(1), cert: z.string().min(1) }).optional(),
  maxConnections: z.number().int().min(1).max(10_000).default(100),
  maxRecipients: z.number().int().min(1).max(100).default(50),
  idleTimeoutMs: z.number().int().min(100).max(3_600_000).default(60_000),
  sessionTimeoutMs: z.number().int().min(100).max(3_600_000).default(600_000)
})
export type EmailListen = z.infer<typeof EmailListen>

/**
 * What a mail may cost.
 *
 * **Units** `messageBytes` and `headerBytes` in bytes, `parseMs` in milliseconds, `parseHeapMb` in megabytes, `depth` in
 * multiparts inside multiparts.
 */
export const EmailLimits = z.strictObject({
  messageBytes: z.number().int().min(1024).max(104_857_600).default(26_214_400),
  headerBytes: z.number().int().min(1024).max(2_097_152).default(262_144),
  depth: z.number().int().min(1).max(100).default(30),
  parseMs: z.number().int().min(50).max(120_000).default(10_000),
  parseHeapMb: z.number().int().min(32).max(4096).default(512)
})
export type EmailLimits = z.infer<typeof EmailLimits>

const secret = z.string().min(16, "expected at least 16 characters, such as `openssl rand -hex 32` writes")

const smtpUrl = z.string().refine((text) => {
  const url = URL.canParse(text) ? new URL(text) : undefined
  return url !== undefined && /^smtps?:$/.test(url.protocol) && url.hostname !== ""
}, "expected smtp://user:password@host:587 or smtps://user:password@host:465")

/** Reads a configuration whose secrets are filled in. */
export const ResolvedEmailConfig = z
  .strictObject({
    accounts: z.array(EmailAccount).min(1, "expected at least one account").max(1000),
    listen: EmailListen.optional(),
    inboundSecret: secret.optional(),
    threadSecret: secret,
    smtpUrl,
    limits: EmailLimits.prefault({})
  })
  .superRefine(({ accounts, listen, inboundSecret }, context) => {
    for (const field of ["id", "address"] as const) {
      const seen = new Set<string>()
      for (const [index, account] of accounts.entries()) {
        if (seen.has(account[field]))
          context.addIssue({
            code: "custom",
            path: ["accounts", index, field],
            message: "expected one that no other account has"
          })
        seen.add(account[field])
      }
    }
    if (listen === undefined && inboundSecret === undefined)
      context.addIssue({
        code: "custom",
        path: ["inboundSecret"],
        message: "expected a secret, or `listen` for an SMTP server"
      })
  })

/**
 * What `email()` takes.
 *
 * **Shape** `inboundSecret` opens the route for raw mail and `listen` the SMTP server; one of them is needed.
 * `threadSecret` signs reply addresses and Message-IDs; changed, answers to older mails are joined by their references
 * only. Secrets and `smtpUrl` may come from the environment instead: EMAIL_INBOUND_SECRET, EMAIL_THREAD_SECRET,
 * EMAIL_SMTP_URL.
 */
export interface EmailConfig {
  readonly accounts: ReadonlyArray<z.input<typeof EmailAccount>>
  readonly listen?: z.input<typeof EmailListen> | undefined
  readonly inboundSecret?: string | undefined
  readonly threadSecret?: string | undefined
  readonly smtpUrl?: string | undefined
  readonly limits?: z.input<typeof EmailLimits> | undefined
}

/** The configuration with everything filled in. */
export type ResolvedEmailConfig = z.infer<typeof ResolvedEmailConfig>

/** A configuration that can't be used. `problems` has one sentence per field: what was expected, what was found. */
export class EmailConfigError extends Error {
  readonly code = "emailConfig"
  readonly problems: ReadonlyArray<string>
  constructor(problems: ReadonlyArray<string>) {
    super(`The e-mail channel can't start:\n${problems.map((problem) => `- ${problem}`).join("\n")}`)
    this.name = "EmailConfigError"
    this.problems = problems
  }
}

const variables: Readonly<Record<string, string>> = {
  inboundSecret: "EMAIL_INBOUND_SECRET",
  threadSecret: "EMAIL_THREAD_SECRET",
  smtpUrl: "EMAIL_SMTP_URL"
}

const found = (config: unknown, path: ReadonlyArray<PropertyKey>, isSecret: boolean): string => {
  let value = config
  for (const key of path) value = typeof value === "object" && value !== null ? Reflect.get(value, key) : undefined
  if (value === undefined) return "nothing"
  if (isSecret || path.includes("tls")) return `a value of ${String(value).length} characters`
  return JSON.stringify(value)?.slice(0, 100) ?? typeof value
}

/**
 * The configuration, with missing credentials from the environment.
 *
 * **Fails with** a thrown {@link EmailConfigError} that names every wrong field; it never holds a secret.
 *
 * **Example**
 *
 * ```ts
 * import { strict as assert } from "node:assert"
 * import { EmailConfig } from "@switchboard/channel-email"
 *
 * const config = EmailConfig.resolve(
 *   { accounts: [{ id: "support", address: "Support@Example.com" }], listen: { port: 0 } },
 *   { EMAIL_THREAD_SECRET: "0123456789abcdef", EMAIL_SMTP_URL: "smtp://localhost:25" }
 * )
 * assert.equal(config.accounts[0]?.address, "support@example.com")
 * assert.throws(() => EmailConfig.resolve({ accounts: [] }, {}), EmailConfig.EmailConfigError)
 * ```
 */
export const resolve = (
  config: EmailConfig,
  environment: Readonly<Record<string, string | undefined>>
): ResolvedEmailConfig => {
  const filled: Record<string, unknown> = { ...config }
  for (const [field, variable] of Object.entries(variables)) {
    filled[field] ??= environment[variable] || undefined
    if (filled[field] === undefined) delete filled[field]
  }
  const parsed = ResolvedEmailConfig.safeParse(filled)
  if (parsed.success) return parsed.data
  throw new EmailConfigError(
    parsed.error.issues.map((issue) => {
      const variable = variables[String(issue.path[0])]
      const where = issue.path.length === 0 ? "the configuration" : issue.path.join(".")
      const fix = variable === undefined ? "" : `; set ${where} or the environment variable ${variable}`
      return `${where}: ${issue.message}, found ${found(filled, issue.path, variable !== undefined)}${fix}`
    })
  )
}

/** The account as the desk knows it: its key is its address. */
export const toChannelAccount = (account: EmailAccount): ChannelAccount.ChannelAccount => ({
  id: Id.ChannelAccountId.parse(account.id),
  key: account.address,
  name: account.name ?? account.address,
  workspace: Id.WorkspaceId.parse(account.workspace)
})
