/**
 * How agents and programs prove who they are to the API.
 *
 * An agent's credential is a signed token (JWT, HS256) that names the agent and nothing else: rights are looked up in the
 * desk's configuration at every request. A browser carries it in a cookie; programs carry an API key.
 *
 * @module
 */
import { Signature } from "@switchboard/channel"
import type { Actor } from "@switchboard/conversation"
import { errors, jwtVerify, SignJWT } from "jose"
import type { Settings } from "./DeskConfig.ts"

/** The cookie in which a browser carries an agent's credential. */
export const cookieName = "switchboard_session"

const issuer = "switchboard"
const algorithm = "HS256"
const toKey = (secret: string): Uint8Array => new TextEncoder().encode(secret)

/**
 * **Units** `nowMs` in epoch milliseconds, `lifetimeMs` in milliseconds, rounded up to whole seconds. `workspace` is the
 * desk's, `main` by default: a credential for one is worth nothing at another.
 */
export interface IssueOptions {
  readonly nowMs: number
  readonly lifetimeMs: number
  readonly workspace?: string
}

/**
 * A credential for an agent. Give it only to somebody who has proven to be that agent.
 *
 * **Fails with** a rejection when the secret is shorter than 32 characters.
 *
 * **Gotchas** it holds until it expires or the agent is taken out of the configuration: keep the lifetime to a shift.
 *
 * **Example**
 *
 * ```ts
 * import { strict as assert } from "node:assert"
 * import { Credential } from "@switchboard/desk"
 *
 * const secret = "change me: 32 characters or more"
 * const nowMs = Date.UTC(2030, 0, 1, 9)
 * const token = await Credential.issue(secret, "ada", { nowMs, lifetimeMs: 8 * 3_600_000 })
 * assert.deepEqual(await Credential.verify(secret, token, { nowMs }), {
 *   agentId: "ada",
 *   expiresAtMs: nowMs + 8 * 3_600_000
 * })
 * assert.equal(await Credential.verify(secret, token, { nowMs: nowMs + 9 * 3_600_000 }), undefined)
 * ```
 */
export const issue = async (secret: string, agentId: string, options: IssueOptions): Promise<string> => {
  if (secret.length < 32) throw new RangeError("the secret is too short: use at least 32 random characters")
  return new SignJWT()
    .setProtectedHeader({ alg: algorithm, typ: "JWT" })
    .setIssuer(issuer)
    .setAudience(options.workspace ?? "main")
    .setSubject(agentId)
    .setIssuedAt(Math.floor(options.nowMs / 1000))
    .setExpirationTime(Math.ceil((options.nowMs + options.lifetimeMs) / 1000))
    .sign(toKey(secret))
}

/** What a credential says. **Units** epoch milliseconds. */
export interface Claims {
  readonly agentId: string
  readonly expiresAtMs: number
}

/** What a credential says; `undefined` when it is forged, expired, made for something else or no credential at all. */
export const verify = async (
  secret: string,
  token: string,
  options: { readonly nowMs: number; readonly workspace?: string }
): Promise<Claims | undefined> => {
  try {
    const { payload } = await jwtVerify(token, toKey(secret), {
      algorithms: [algorithm],
      issuer,
      audience: options.workspace ?? "main",
      requiredClaims: ["sub", "exp"],
      currentDate: new Date(options.nowMs)
    })
    return { agentId: payload.sub!, expiresAtMs: payload.exp! * 1000 }
  } catch (cause) {
    if (cause instanceof errors.JOSEError) return undefined
    throw cause
  }
}

/**
 * The value of a `set-cookie` header that signs a browser in.
 *
 * **Units** `lifetimeMs` in milliseconds. **Gotchas** leave `secure` off only where a browser reaches the desk without
 * TLS, as in development.
 *
 * **Example**
 *
 * ```ts
 * import { strict as assert } from "node:assert"
 * import { Credential } from "@switchboard/desk"
 *
 * assert.equal(
 *   Credential.toCookie("token", { lifetimeMs: 60_000, secure: true }),
 *   "switchboard_session=token; Path=/; HttpOnly; SameSite=Strict; Max-Age=60; Secure"
 * )
 * ```
 */
export const toCookie = (token: string, options: { readonly lifetimeMs: number; readonly secure: boolean }): string =>
  `${cookieName}=${token}; Path=/; HttpOnly; SameSite=Strict; Max-Age=${Math.ceil(options.lifetimeMs / 1000)}${
    options.secure ? "; Secure" : ""
  }`

/** The value of a `set-cookie` header that signs a browser out. */
export const toExpiredCookie = (options: { readonly secure: boolean }): string =>
  toCookie("", { lifetimeMs: 0, ...options })

/**
 * Who calls the API. `inCookie`: a browser sent the credential by itself, so the request must also prove that the desk's
 * own pages made it. `expiresAtMs` is `null` for API keys.
 */
export interface Caller {
  readonly actor: Extract<Actor.Actor, { readonly kind: "agent" | "apiKey" }>
  readonly expiresAtMs: number | null
  readonly inCookie: boolean
}

const toCookieValue = (header: string | null): string | undefined => {
  for (const pair of header?.split(";") ?? []) {
    const [name, value] = pair.split("=", 2)
    if (name?.trim() === cookieName) return value?.trim()
  }
  return undefined
}

const digest = async (text: string): Promise<Uint8Array> =>
  new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text)))

/** Finds out who calls. */
export interface Authenticator {
  /** The caller by a request's headers; `undefined` without a valid credential. */
  readonly identify: (headers: Headers, nowMs: number) => Promise<Caller | undefined>
}

/**
 * The authenticator of a desk.
 *
 * An `authorization: Bearer` header holds an API key's secret or an agent's credential, and counts alone where there is
 * one. Secrets are compared by their digests, every one of them, so that time tells nothing about them.
 */
export const make = (settings: Settings): Authenticator => {
  const { workspace, agents, config } = settings
  const keys = Promise.all((config.apiKeys ?? []).map(async (key) => ({ key, digest: await digest(key.secret) })))

  const toAgent = async (token: string, inCookie: boolean, nowMs: number): Promise<Caller | undefined> => {
    const claims = await verify(config.credentialSecret, token, { nowMs, workspace })
    const agent = claims && agents.get(claims.agentId)
    return (
      agent && { actor: { kind: "agent", id: agent.id, role: agent.role }, expiresAtMs: claims.expiresAtMs, inCookie }
    )
  }

  const toApiKey = async (secret: string): Promise<Caller | undefined> => {
    const all = await keys
    if (all.length === 0) return undefined
    const given = await digest(secret)
    const [match] = all.filter((one) => Signature.isEqual(one.digest, given))
    return (
      match && { actor: { kind: "apiKey", id: match.key.id, role: match.key.role }, expiresAtMs: null, inCookie: false }
    )
  }

  return {
    identify: async (headers, nowMs) => {
      const authorization = headers.get("authorization")
      if (authorization !== null) {
        const token = /^bearer +(\S+)$/i.exec(authorization)?.[1]
        return token === undefined ? undefined : ((await toApiKey(token)) ?? toAgent(token, false, nowMs))
      }
      const cookie = toCookieValue(headers.get("cookie"))
      return cookie === undefined || cookie === "" ? undefined : toAgent(cookie, true, nowMs)
    }
  }
}
