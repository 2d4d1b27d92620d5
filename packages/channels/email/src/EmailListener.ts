/**
 * The SMTP server that takes mail for the accounts, and for nobody else.
 *
 * @module
 */
import type { AddressInfo } from "node:net"
import type { Channel } from "@switchboard/channel"
import { SMTPServer, type SMTPServerDataStream, type SMTPServerSession } from "smtp-server"
import { fromText } from "./EmailAddress.ts"
import type { EmailListen, ResolvedEmailConfig } from "./EmailConfig.ts"
import { envelopeHeaders, toAccount } from "./EmailInbound.ts"

const reply = (responseCode: number, message: string): Error => Object.assign(new Error(message), { responseCode })

/** How many full-size mails may be under way at once over all connections. */
const mailsInMemory = 8

/**
 * Starts the server. It answers 250 to a mail only when `context.receive` resolved, 451 when it rejected, 452 when too
 * much is under way, 550 for a recipient that is no account's, 552 for a mail that is too large. It never relays.
 *
 * **Fails with** a rejection when the port can't be taken.
 */
export const listenWith =
  ({ accounts, limits }: ResolvedEmailConfig, listen: EmailListen) =>
  async (context: Channel.ListenContext): Promise<Channel.Listener> => {
    let buffered = 0

    const readAll = (stream: SMTPServerDataStream): Promise<Uint8Array | Error> =>
      new Promise((resolve) => {
        const chunks: Array<Buffer> = []
        let size = 0
        let problem: Error | undefined
        const release = (result: Uint8Array | Error): void => {
          buffered -= size
          size = 0
          resolve(result)
        }
        stream.on("data", (chunk: Buffer) => {
          // A refused mail is read to its end without being kept: the protocol has no other way to say no.
          if (problem !== undefined) return
          size += chunk.length
          buffered += chunk.length
          if (size > limits.messageBytes) problem = reply(552, `5.3.4 a mail may have ${limits.messageBytes} bytes`)
          else if (buffered > limits.messageBytes * mailsInMemory)
            problem = reply(452, "4.3.1 too much mail at once, try again later")
          else chunks.push(chunk)
          if (problem !== undefined) chunks.length = 0
        })
        stream.on("end", () => release(problem ?? new Uint8Array(Buffer.concat(chunks))))
        stream.on("error", () => release(reply(451, "4.4.2 the mail did not arrive in full")))
        stream.on("close", () => release(problem ?? reply(451, "4.4.2 the mail did not arrive in full")))
      })

    const take = async (stream: SMTPServerDataStream, { envelope }: SMTPServerSession): Promise<Error | undefined> => {
      const bytes = await readAll(stream)
      if (bytes instanceof Error) return bytes
      if (bytes.length === 0) return reply(554, "5.6.0 the mail is empty")
      const from = envelope.mailFrom === false ? "" : envelope.mailFrom.address
      const headers = {
        [envelopeHeaders.from]: `<${from}>`,
        [envelopeHeaders.to]: envelope.rcptTo.map(({ address }) => address).join(", ")
      }
      buffered += bytes.length
      try {
        await context.receive({ bytes, headers, receivedAtMs: context.now() })
        return undefined
      } catch {
        return reply(451, "4.3.0 the mail could not be kept, try again later")
      } finally {
        buffered -= bytes.length
      }
    }

    const timers = new Map<string, NodeJS.Timeout>()
    const server = new SMTPServer({
      name: listen.hostname,
      ...(listen.tls ?? {}),
      // Without a certificate of its own the library would offer one whose key is public.
      disabledCommands: listen.tls === undefined ? ["AUTH", "STARTTLS"] : ["AUTH"],
      authOptional: true,
      size: limits.messageBytes,
      maxClients: listen.maxConnections,
      socketTimeout: listen.idleTimeoutMs,
      closeTimeout: 5_000,
      disableReverseLookup: true,
      logger: false,
      onConnect: ({ id }, done) => {
        // Whoever sends a byte a minute never idles: the whole session ends too.
        const timer = setTimeout(() => {
          for (const connection of server.connections)
            if (connection.id === id) {
              connection.send(421, "4.4.2 the session took too long")
              connection.close()
            }
        }, listen.sessionTimeoutMs)
        timers.set(id, timer.unref())
        done()
      },
      onClose: ({ id }) => {
        clearTimeout(timers.get(id))
        timers.delete(id)
      },
      onRcptTo: ({ address }, { envelope }, done) => {
        const recipient = fromText(address)
        if (recipient === undefined || toAccount(accounts, recipient) === undefined)
          return done(reply(550, "5.1.1 no such mailbox here"))
        if (envelope.rcptTo.length >= listen.maxRecipients) return done(reply(452, "4.5.3 too many recipients"))
        done()
      },
      onData: (stream, session, done) => {
        void take(stream, session).then((problem) => (problem === undefined ? done(null, "kept") : done(problem)))
      }
    })

    await new Promise<void>((resolve, reject) => {
      server.once("error", reject)
      server.listen(listen.port, listen.host, () => {
        server.off("error", reject)
        resolve()
      })
    })
    // Broken connections are the clients' trouble: they send again.
    server.on("error", () => undefined)

    const stopped = new Promise<void>((resolve) => server.server.once("close", () => resolve()))
    const stop = async (): Promise<void> => {
      await new Promise<void>((resolve) => server.close(() => resolve()))
      for (const timer of timers.values()) clearTimeout(timer)
    }
    context.signal.addEventListener("abort", () => void stop(), { once: true })
    if (context.signal.aborted) await stop()

    const { address, family, port } = server.server.address() as AddressInfo
    return { stop, stopped, url: `smtp://${family === "IPv6" ? `[${address}]` : address}:${port}` }
  }
