import { once } from "node:events"
import type { AddressInfo } from "node:net"
import { SMTPServer, type SMTPServerOptions } from "smtp-server"

export interface Taken {
  readonly from: string
  readonly to: ReadonlyArray<string>
  readonly raw: string
}

/** A mail server that keeps what it is given. */
export const standIn = async (options: SMTPServerOptions = {}) => {
  const taken: Array<Taken> = []
  const server = new SMTPServer({
    disabledCommands: ["AUTH", "STARTTLS"],
    disableReverseLookup: true,
    closeTimeout: 100,
    onData: (stream, { envelope }, done) => {
      const chunks: Array<Buffer> = []
      stream.on("data", (chunk: Buffer) => chunks.push(chunk))
      stream.on("end", () => {
        taken.push({
          from: envelope.mailFrom === false ? "" : envelope.mailFrom.address,
          to: envelope.rcptTo.map(({ address }) => address),
          raw: Buffer.concat(chunks).toString()
        })
        done()
      })
    },
    ...options
  })
  server.on("error", () => undefined)
  await once(server.listen(0, "127.0.0.1"), "listening")
  return {
    taken,
    url: `smtp://127.0.0.1:${(server.server.address() as AddressInfo).port}`,
    stop: () => new Promise<void>((resolve) => server.close(() => resolve()))
  }
}
