/** Stands in for the mail server of the world: takes what the desk sends, and keeps it for whoever looks. */
import type { AddressInfo } from "node:net"
import { SMTPServer } from "smtp-server"
import type { SentLog } from "./sent.ts"

export interface MailSink {
  readonly url: string
  readonly stop: () => Promise<void>
}

/** The headers of a raw mail, unfolded, by their names in lower case; the topmost of each name. */
export const readHeaders = (raw: string): ReadonlyMap<string, string> => {
  const [head = ""] = raw.split(/\r?\n\r?\n/, 1)
  const headers = new Map<string, string>()
  for (const line of head.replace(/\r?\n[ \t]+/g, " ").split(/\r?\n/)) {
    const colon = line.indexOf(":")
    const name = line.slice(0, colon).toLowerCase()
    if (colon > 0 && !headers.has(name)) headers.set(name, line.slice(colon + 1).trim())
  }
  return headers
}

export const startMailSink = async (log: SentLog): Promise<MailSink> => {
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ["STARTTLS"],
    disableReverseLookup: true,
    onData: (stream, session, done) => {
      const chunks: Array<Buffer> = []
      stream.on("data", (chunk: Buffer) => chunks.push(chunk))
      stream.on("end", () => {
        const raw = Buffer.concat(chunks).toString("utf8")
        const headers = readHeaders(raw)
        for (const { address } of session.envelope.rcptTo) {
          log.add({
            platform: "email",
            to: address,
            text: headers.get("subject") ?? "",
            id: headers.get("message-id") ?? "",
            buttons: [],
            raw
          })
        }
        done()
      })
    }
  })
  // A sender that breaks off is the sender's trouble.
  server.on("error", () => {})
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  const { port } = server.server.address() as AddressInfo
  return {
    url: `smtp://127.0.0.1:${port}`,
    stop: () => new Promise((resolve) => server.close(() => resolve()))
  }
}
