import { readFileSync } from "node:fs"
import { type Channel, Inbound } from "@switchboard/channel"
import { WebchatChannel, type WebchatConfig, WebchatIdentity } from "@switchboard/channel-webchat"
import { Id } from "@switchboard/conversation"
import { build } from "esbuild"

export const nowMs = 1_764_028_800_000
export const sessionSecret = "test session secret, 32 characters"
export const identitySecret = "test identity secret, 32 characters"
export const site = "https://shop.example"

export const account = (id: string): WebchatConfig.WebchatAccount => ({
  id: Id.ChannelAccountId.parse(id),
  key: `${id}-key`,
  name: `Chat on ${id}`,
  workspace: Id.WorkspaceId.parse("acme")
})

export const makeChannel = (config: Partial<WebchatConfig.WebchatConfigInput> = {}): Channel.Channel =>
  WebchatChannel.make({
    accounts: [account("shop"), account("blog")],
    sessionSecret,
    identitySecret,
    allowedOrigins: [site],
    ...config
  })

export const request = (
  path: string,
  options: {
    readonly method?: string
    readonly headers?: Readonly<Record<string, string>>
    readonly body?: unknown
    readonly receivedAtMs?: number
  } = {}
): Channel.ChannelRequest => ({
  method: options.method ?? (options.body === undefined ? "GET" : "POST"),
  url: new URL(path, "https://desk.example/channels/webchat/"),
  headers: options.headers ?? {},
  body: new TextEncoder().encode(
    options.body === undefined ? "" : typeof options.body === "string" ? options.body : JSON.stringify(options.body)
  ),
  receivedAtMs: options.receivedAtMs ?? nowMs
})

/** A session's answer; throws when it was refused. */
export const openSession = (
  channel: Channel.Channel,
  body: unknown = {},
  options: { readonly account?: string; readonly receivedAtMs?: number } = {}
): WebchatChannel.SessionAnswer => {
  const verification = channel.verify(
    request(`${options.account ?? "shop"}/session`, { body, receivedAtMs: options.receivedAtMs ?? nowMs })
  ) as Channel.Verification
  if (verification.kind !== "answered") throw new Error(JSON.stringify(verification))
  return WebchatChannel.SessionAnswer.parse(JSON.parse(verification.answer.body ?? ""))
}

export const bearer = ({ visitorToken }: { readonly visitorToken: string }): Readonly<Record<string, string>> => ({
  authorization: `Bearer ${visitorToken}`
})

export const ana = (changes: Partial<WebchatIdentity.WebchatIdentityClaims> = {}): WebchatIdentity.WebchatIdentity =>
  WebchatIdentity.sign({
    secret: identitySecret,
    account: "shop",
    id: "42",
    email: "Ana@Example.com",
    phone: "+34600000001",
    name: "Ana",
    issuedAtMs: nowMs,
    ...changes
  })

/** What a post to `messages` decodes to, for this visitor. */
export const receive = async (
  channel: Channel.Channel,
  session: { readonly visitorToken: string },
  body: unknown
): Promise<Channel.Decoded> => {
  const verification = await channel.verify(request("shop/messages", { headers: bearer(session), body }))
  if (verification.kind !== "verified") throw new Error(JSON.stringify(verification))
  return channel.decode(verification.input)
}

/** The entries, each proven to be what the contract says. */
export const entriesOf = (decoded: Channel.Decoded): ReadonlyArray<Inbound.Entry> => {
  if (!decoded.ok) throw new Error(decoded.error.message)
  return decoded.value.map((entry) => Inbound.Entry.parse(entry))
}

export const payload = (name: string): unknown =>
  JSON.parse(readFileSync(new URL(`payloads/${name}.json`, import.meta.url), "utf8"))

/** The widget as a browser gets it, from its sources. */
export const bundle = async (entryPoint: string): Promise<string> => {
  const { outputFiles } = await build({
    entryPoints: [entryPoint],
    bundle: true,
    minify: true,
    format: "esm",
    target: "es2022",
    write: false
  })
  return outputFiles[0]!.text
}
