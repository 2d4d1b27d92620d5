/**
 * E-mail as a channel: SMTP or raw mail by HTTP in, SMTP out.
 *
 * @module
 */
import { type Capabilities, Channel } from "@switchboard/channel"
import { type EmailConfig, type ResolvedEmailConfig, resolve, toChannelAccount } from "./EmailConfig.ts"
import { decodeWith, verifyWith } from "./EmailInbound.ts"
import { listenWith } from "./EmailListener.ts"
import { sendWith } from "./EmailOutbound.ts"
import { make as makeParser } from "./EmailParser.ts"

const toCapabilities = ({ listen, inboundSecret }: ResolvedEmailConfig): Capabilities.Capabilities => ({
  transports: [
    ...(inboundSecret === undefined ? [] : ["webhook" as const]),
    ...(listen === undefined ? [] : ["listen" as const])
  ],
  outbound: ["message"],
  text: { limit: 200_000, formats: ["markdown", "html", "plain"] },
  media: { types: ["*/*"], limitBytes: 20_000_000, perMessage: 20, captionLimit: 4096, withText: true },
  choices: null,
  templates: false,
  locations: false,
  contactCards: false,
  replies: true,
  receipts: [],
  threads: "topic",
  audiences: ["private"],
  messagingWindowMs: null,
  starts: "either",
  // The Message-ID is the same at every attempt, and mail servers deliver it twice all the same.
  idempotentSend: false,
  contactReads: false
})

/**
 * The e-mail channel.
 *
 * **Fails with** a thrown `EmailConfigError` that names every wrong or missing field.
 *
 * **Example**
 *
 * ```ts
 * import { strict as assert } from "node:assert"
 * import { email } from "@switchboard/channel-email"
 *
 * const channel = email({
 *   accounts: [{ id: "support", address: "support@example.com", name: "Example Support" }],
 *   listen: { port: 0 },
 *   threadSecret: "a long random secret",
 *   smtpUrl: "smtp://localhost:25"
 * })
 * assert.equal(channel.kind, "email")
 * assert.ok(channel.capabilities.transports.includes("listen"))
 * ```
 */
export const make = (
  config: EmailConfig,
  environment: Readonly<Record<string, string | undefined>> = process.env
): Channel.Channel => {
  const resolved = resolve(config, environment)
  const parser = makeParser(resolved.limits)
  return {
    contractVersion: Channel.contractVersion,
    kind: "email",
    capabilities: toCapabilities(resolved),
    accounts: resolved.accounts.map(toChannelAccount),
    acknowledgement: { status: 200, headers: { "content-type": "text/plain" }, body: "kept" },
    verify: verifyWith(resolved),
    decode: decodeWith({ config: resolved, parser }),
    send: sendWith(resolved),
    fetch: async () => ({
      outcome: "refused",
      code: "noReferences",
      message: "Files of e-mails come with their bytes: there is nothing to fetch."
    }),
    ...(resolved.listen === undefined ? {} : { listen: listenWith(resolved, resolved.listen) })
  }
}
