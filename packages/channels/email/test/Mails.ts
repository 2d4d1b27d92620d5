import { readFileSync } from "node:fs"
import type { Channel } from "@switchboard/channel"
import type { EmailConfig } from "../src/EmailConfig.ts"
import { toAddress } from "../src/EmailThreadToken.ts"
import { make } from "../src/internal/MessageId.ts"

export const threadSecret = "a thread secret for tests"
export const inboundSecret = "an inbound secret for tests"

export const config: EmailConfig = {
  accounts: [
    {
      id: "support",
      address: "support@example.com",
      name: "Example Support",
      trustAuthenticationResults: "mx.example.com"
    },
    { id: "sales", address: "sales@example.com" }
  ],
  inboundSecret,
  threadSecret,
  smtpUrl: "smtp://127.0.0.1:1"
}

/** The Message-ID of a mail that this desk sent. */
export const ours = make(threadSecret, "delivery-1", 0, "example.com")
export const threadAddress = toAddress(threadSecret, "support@example.com", "thread-42")

/** A recorded mail, with the line ends of the wire and what only this desk can sign. */
export const mail = (name: string): Uint8Array => {
  const text = readFileSync(new URL(`./payloads/${name}.eml`, import.meta.url), "latin1")
    .replaceAll("{{OURS}}", ours)
    .replaceAll("{{THREAD}}", threadAddress)
    .replaceAll("\n", "\r\n")
  return new Uint8Array(Buffer.from(text, "latin1"))
}

export const receivedAtMs = Date.UTC(2025, 4, 5, 12)

export const input = (
  bytes: Uint8Array,
  to = "support@example.com",
  from = "<someone@customer.example>"
): Channel.Verified => ({ bytes, headers: { "x-envelope-from": from, "x-envelope-to": to }, receivedAtMs })

export const request = (bytes: Uint8Array, headers: Record<string, string> = {}): Channel.ChannelRequest => ({
  method: "POST",
  url: new URL("http://desk.example/channels/email/raw"),
  headers: {
    authorization: `Bearer ${inboundSecret}`,
    "x-envelope-from": "<someone@customer.example>",
    "x-envelope-to": "support@example.com",
    ...headers
  },
  body: bytes,
  receivedAtMs
})
