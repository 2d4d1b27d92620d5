import { gzipSync } from "node:zlib"
import { Hono } from "hono"
import { beforeAll, describe, expect, test } from "vitest"
import { type Asset, bundle } from "../../src/bundle.ts"
import * as pages from "../../src/pages.ts"

let files: ReadonlyMap<string, Asset>
const app = new Hono()
beforeAll(async () => {
  files = await bundle()
  pages.mount(app, files, { mail: "help@b.test", shoppers: [{ email: "a@b.test", name: '<i>"Ann"</i>' }] })
})

test("the bundle holds the applications and the widget", () => {
  expect([...files.keys()].filter((path) => !/-[0-9A-Z]{8}\.js$/.test(path)).sort()).toEqual([
    "/assets/customer.css",
    "/assets/customer.js",
    "/assets/inbox.css",
    "/assets/inbox.js",
    "/widget.js"
  ])
  expect(gzipSync(files.get("/widget.js")!.body).byteLength).toBeLessThan(30_000)
})

test("charts and what is rarely opened are no part of the first load", () => {
  const first = new Set<string>()
  const load = (path: string): void => {
    if (first.has(path)) return
    first.add(path)
    const text = new TextDecoder().decode(files.get(path)!.body)
    for (const [, name] of text.matchAll(/(?:from|import)"\.\/([^"]+)"/g)) load(`/assets/${name}`)
  }
  load("/assets/inbox.js")
  const bytes = [...first].reduce((sum, path) => sum + gzipSync(files.get(path)!.body).byteLength, 0)
  expect(bytes).toBeLessThan(250_000)
  const later = [...files.keys()].filter((path) => path.endsWith(".js") && !first.has(path))
  for (const name of ["Dashboard", "Health", "Why"]) expect(later.join()).toContain(`/assets/${name}-`)
})

test("an asset is read again only when it has changed", async () => {
  const first = await app.request("/assets/inbox.js")
  const etag = first.headers.get("etag")!
  expect(first.headers.get("content-type")).toBe("text/javascript; charset=utf-8")
  expect((await app.request("/assets/inbox.js", { headers: { "if-none-match": etag } })).status).toBe(304)
  expect((await app.request("/assets/inbox.js", { headers: { "if-none-match": '"other"' } })).status).toBe(200)
})

describe("the pages' policies", () => {
  test("scripts run only under a nonce that is new each time", async () => {
    const nonces = await Promise.all(
      [1, 2].map(async () => {
        const answer = await app.request("/")
        const policy = answer.headers.get("content-security-policy")!
        const nonce = /script-src 'nonce-([^']+)'/.exec(policy)?.[1]
        expect(await answer.text()).toContain(`<script type="module" nonce="${nonce}"`)
        expect(policy).toContain("default-src 'none'")
        expect(policy).toContain("frame-ancestors 'none'")
        expect(/script-src[^;]*unsafe/.test(policy)).toBe(false)
        return nonce
      })
    )
    expect(nonces[0]).not.toBe(nonces[1])
  })

  test("the shop's page has no script of its own and shows names as text", async () => {
    const html = await (await app.request("/customer")).text()
    expect(/<script(?![^>]*src=)/.test(html)).toBe(false)
    expect(html).not.toContain("<i>")
    expect(html).toContain("&#60;i&#62;")
    expect(html).toContain("help@b.test")
  })
})
