import { SignJWT, UnsecuredJWT } from "jose"
import { describe, expect, test } from "vitest"
import * as Credential from "../../src/Credential.ts"
import { hourMs, make, nowMs, origin, problemOf, request, secret, token } from "./FakeDesk.ts"

const key = (text = secret) => new TextEncoder().encode(text)

/** A good token but for what is changed. */
const forge = (
  changes: { issuer?: string; audience?: string; subject?: string | null; expiresAt?: number | null } = {},
  alg = "HS256",
  signWith = secret
): Promise<string> => {
  const { issuer = "switchboard", audience = "main", subject = "ada", expiresAt = nowMs + hourMs } = changes
  let jwt = new SignJWT({ role: "administrator" })
    .setProtectedHeader({ alg })
    .setIssuer(issuer)
    .setAudience(audience)
    .setIssuedAt(nowMs / 1000)
  if (subject !== null) jwt = jwt.setSubject(subject)
  if (expiresAt !== null) jwt = jwt.setExpirationTime(expiresAt / 1000)
  return jwt.sign(key(signWith))
}

const status = async (bearer: string): Promise<number> => {
  const { fetch } = make()
  const answer = await fetch(
    await request("GET", "/api/me", { as: null, headers: { authorization: `Bearer ${bearer}` } })
  )
  return answer.status
}

describe("an agent's credential", () => {
  test("[HTTP-2] a good one names its agent", async () => {
    const { fetch } = make()
    const answer = await fetch(await request("GET", "/api/me"))
    expect(answer.status).toBe(200)
    expect(await answer.json()).toMatchObject({
      actor: { kind: "agent", id: "ada", role: "agent" },
      agent: { name: "ada of the desk" },
      workspace: "main",
      expiresAtMs: nowMs + hourMs
    })
    expect(await status(await forge())).toBe(200)
  })

  test.each<[string, () => Promise<string> | string]>([
    ["another secret", () => forge({}, "HS256", "another secret of 32 characters!!")],
    ["another algorithm of the same secret", () => forge({}, "HS512", secret.repeat(2))],
    [
      "no signature at all",
      () =>
        new UnsecuredJWT({})
          .setSubject("ada")
          .setIssuer("switchboard")
          .setAudience("main")
          .setExpirationTime((nowMs + hourMs) / 1000)
          .encode()
    ],
    ["another issuer", () => forge({ issuer: "somebody" })],
    ["another workspace", () => forge({ audience: "acme" })],
    ["an expiry that is now", () => forge({ expiresAt: nowMs })],
    ["an expiry in the past", () => forge({ expiresAt: nowMs - 1000 })],
    ["no expiry", () => forge({ expiresAt: null })],
    ["no agent", () => forge({ subject: null })],
    ["no structure", () => "ada"]
  ])("[HTTP-2] one with %s is worth nothing", async (_, made) => {
    expect(await status(await made())).toBe(401)
  })

  test("[HTTP-2] a changed byte in any of its three parts makes it worth nothing", async () => {
    const good = await token("ada")
    const parts = good.split(".")
    for (const index of [0, 1, 2]) {
      const changed = parts.map((part, at) =>
        at === index ? `${part.slice(0, 4)}${part[4] === "A" ? "B" : "A"}${part.slice(5)}` : part
      )
      expect(await status(changed.join("."))).toBe(401)
    }
    const claims = Buffer.from(JSON.stringify({ ...JSON.parse(atob(parts[1]!)), sub: "root" })).toString("base64url")
    expect(await status([parts[0], claims, parts[2]].join("."))).toBe(401)
  })

  test("[HTTP-3] rights are those of the configuration, whatever the credential says", async () => {
    const { fetch } = make()
    const headers = { authorization: `Bearer ${await forge()}` }
    const me = await fetch(await request("GET", "/api/me", { as: null, headers }))
    expect(await me.json()).toMatchObject({ actor: { role: "agent" } })
    const erase = await fetch(await request("DELETE", "/api/contacts/p1", { as: null, headers }))
    expect(erase.status).toBe(403)
  })

  test("[HTTP-3] an agent who is no longer configured is nobody", async () => {
    expect(await status(await token("gone"))).toBe(401)
    expect(await status(await token("constructor"))).toBe(401)
  })

  test("[HTTP-2] a secret that is too short signs nothing", async () => {
    await expect(Credential.issue("short", "ada", { nowMs, lifetimeMs: hourMs })).rejects.toThrow()
  })
})

describe("an API key", () => {
  test("[HTTP-4] its secret names it, whichever of several it is", async () => {
    const { fetch } = make()
    for (const [id, role] of [
      ["crm", "agent"],
      ["ops", "administrator"]
    ]) {
      const headers = { authorization: `Bearer ${id}-secret-of-thirty-two-0123456789` }
      const answer = await fetch(await request("GET", "/api/me", { as: null, headers }))
      expect(await answer.json()).toMatchObject({ actor: { kind: "apiKey", id, role }, agent: null, expiresAtMs: null })
    }
  })

  test.each([
    "",
    "crm-secret-of-thirty-two-012345678",
    "crm-secret-of-thirty-two-01234567890",
    "crm-secret-of-thirty-two-012345678X",
    "Xrm-secret-of-thirty-two-0123456789",
    "CRM-SECRET-OF-THIRTY-TWO-0123456789",
    "crm"
  ])("[HTTP-4] %j is no key", async (near) => {
    expect(await status(near)).toBe(401)
  })

  test("[HTTP-4] a key in a cookie counts for nothing", async () => {
    const { fetch } = make()
    const headers = { cookie: "switchboard_session=ops-secret-of-thirty-two-0123456789" }
    expect((await fetch(await request("GET", "/api/me", { as: null, headers }))).status).toBe(401)
  })
})

describe("no credential", () => {
  test.each([
    ["GET", "/api/me"],
    ["GET", "/api/events"],
    ["POST", "/api/conversations/c1/replies"],
    ["PATCH", "/api/me"],
    ["GET", "/api/no-such-thing"],
    ["OPTIONS", "/api/inbox"],
    ["GET", "/api"]
  ])("[HTTP-1] %s %s is 401 and reaches nobody", async (method, path) => {
    const { fetch, calls } = make()
    const answer = await fetch(await request(method, path, { as: null, ...(method === "POST" && { body: "{" }) }))
    expect(answer.status).toBe(401)
    expect(answer.headers.get("www-authenticate")).toBe('Bearer realm="switchboard"')
    expect((await problemOf(answer)).code).toBe("credentialNeeded")
    expect(calls).toEqual([])
  })

  test("[HTTP-1] another scheme is no credential", async () => {
    const { fetch } = make()
    const headers = { authorization: `Basic ${await token("ada")}` }
    expect((await fetch(await request("GET", "/api/me", { as: null, headers }))).status).toBe(401)
  })

  test("[HTTP-5] a bad authorization header is not made up for by a good cookie", async () => {
    const { fetch } = make()
    const headers = { authorization: "Bearer nonsense", cookie: `switchboard_session=${await token("ada")}` }
    expect((await fetch(await request("GET", "/api/me", { as: null, headers }))).status).toBe(401)
  })
})

describe("a browser's cookie", () => {
  const send = async (method: string, path: string, headers: Readonly<Record<string, string>>) => {
    const { fetch, calls } = make()
    const cookie = `theme=dark; switchboard_session=${await token("ada")}; other=1`
    const answer = await fetch(await request(method, path, { as: null, headers: { cookie, ...headers } }))
    return { answer, calls }
  }

  test("[HTTP-6] reading needs nothing more", async () => {
    const { answer } = await send("GET", "/api/inbox", {})
    expect(answer.status).toBe(200)
  })

  test.each<[string, Record<string, string>]>([
    ["nothing more", {}],
    ["the origin of another site", { origin: "https://evil.test" }],
    ["the origin of a sandboxed page", { origin: "null" }],
    ["an origin that only begins like ours", { origin: `${origin}.evil.test` }],
    ["our host without TLS", { origin: "http://desk.test" }],
    ["the header with another value", { "x-switchboard": "0" }]
  ])("[HTTP-6] a change with %s is refused and reaches nobody", async (_, headers) => {
    const { answer, calls } = await send("POST", "/api/offers/c1.1/accept", headers)
    expect(answer.status).toBe(403)
    expect((await problemOf(answer)).code).toBe("forgeryPossible")
    expect(calls).toEqual([])
  })

  test("[HTTP-40] behind a proxy that ends TLS the own origin is the public one, and no other", async () => {
    const { fetch, calls } = make({ config: { publicUrl: "https://desk.test/" } })
    const from = async (ownOrigin: string) => {
      const cookie = `switchboard_session=${await token("ada")}`
      const headers = { cookie, origin: ownOrigin, "x-forwarded-proto": "https" }
      return fetch(new Request("http://10.0.0.7:4000/api/offers/c1.1/accept", { method: "POST", headers }))
    }
    expect((await from("https://desk.test")).status).toBe(204)
    expect(calls.map(([name]) => name)).toEqual(["acceptOffer"])
    for (const other of ["http://10.0.0.7:4000", "http://desk.test", "https://evil.test"]) {
      expect((await from(other)).status).toBe(403)
    }
  })

  test.each<[string, Record<string, string>]>([
    ["the header", { "x-switchboard": "1" }],
    ["the desk's own origin", { origin }]
  ])("[HTTP-6] a change with %s goes through", async (_, headers) => {
    const { answer, calls } = await send("POST", "/api/offers/c1.1/accept", headers)
    expect(answer.status).toBe(204)
    expect(calls.map(([name]) => name)).toEqual(["acceptOffer"])
  })

  test("[HTTP-8] scripts can't read it and other sites don't send it", () => {
    expect(Credential.toCookie("t", { lifetimeMs: 1500, secure: true }).split("; ")).toEqual([
      "switchboard_session=t",
      "Path=/",
      "HttpOnly",
      "SameSite=Strict",
      "Max-Age=2",
      "Secure"
    ])
    expect(Credential.toExpiredCookie({ secure: false })).toBe(
      "switchboard_session=; Path=/; HttpOnly; SameSite=Strict; Max-Age=0"
    )
  })
})

describe("roles", () => {
  const crossed = (["ada", "sol", "root"] as const).flatMap((as, rank) =>
    (
      [
        ["POST", "/api/conversations/c1/assign", { agentId: "ada" }, 1],
        ["POST", "/api/dead-letters/d1/redrive", undefined, 1],
        ["POST", "/api/parked/retry", { reactor: "inbox", stream: "conversation/c1" }, 1],
        ["DELETE", "/api/contacts/p1", undefined, 2]
      ] as const
    ).map(([method, path, body, needed]) => ({ as, method, path, body, allowed: rank >= needed }))
  )
  test.each(crossed)("[HTTP-7] $as may $method $path: $allowed", async ({ as, method, path, body, allowed }) => {
    const { fetch, calls } = make()
    const answer = await fetch(await request(method, path, { as, ...(body && { body }) }))
    if (allowed) {
      expect(answer.ok).toBe(true)
      expect(calls).toHaveLength(1)
    } else {
      expect(answer.status).toBe(403)
      expect((await problemOf(answer)).code).toBe("notAllowed")
      expect(calls).toEqual([])
    }
  })
})
