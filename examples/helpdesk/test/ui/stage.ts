import AxeCore from "axe-core"
import { Hono } from "hono"
import type { Page } from "playwright-core"
import { expect } from "vitest"
import { bundle } from "../../src/bundle.ts"
import * as pages from "../../src/pages.ts"
import { hear, launch, type View, windowFor } from "./browser.ts"
import { FakeDesk, serve } from "./fakeDesk.ts"

/** Machines are slow at times. */
export const eventually = <A>(read: () => A) => expect.poll(read, { timeout: 10_000 })

/** What axe finds, in one element or on the whole page, whose policy admits scripts of the browser's tools only. */
export const violations = (page: Page, selector?: string): Promise<ReadonlyArray<string>> =>
  page.evaluate(
    `(() => { ${AxeCore.source}; return axe.run(${selector === undefined ? "document" : JSON.stringify(selector)}, { resultTypes: ["violations"], iframes: false }).then(({ violations }) => violations.flatMap(({ id, nodes }) => nodes.map(({ html, failureSummary }) => id + ": " + html.slice(0, 160) + " " + failureSummary))) })()`
  )

export interface Stage {
  /** The desk behind the page that was opened last. */
  readonly desk: () => FakeDesk
  readonly url: string
  readonly open: (
    options?: View & {
      readonly path?: string
      /** Signed in as this agent. */
      readonly as?: string
    }
  ) => Promise<Page>
  /** Requests to anywhere but this server. */
  readonly strangers: Array<string>
  /** What pages complained about. */
  readonly complaints: Array<string>
  readonly close: () => Promise<void>
}

export const setStage = async (): Promise<Stage> => {
  let desk = new FakeDesk()
  const app = new Hono()
  pages.mount(app, await bundle())
  app.get("/demo/identity", (context) =>
    context.json({ email: context.req.query("email"), issuedAtMs: Date.now(), signature: "0".repeat(64) })
  )
  app.all("*", (context) => desk.fetch(context.req.raw))
  const server = await serve(async (request) => app.fetch(request))
  const strangers: Array<string> = []
  const complaints: Array<string> = []
  const browser = await launch()
  return {
    desk: () => desk,
    url: server.url,
    strangers,
    complaints,
    open: async ({ path = "/", as, ...view } = {}) => {
      for (const context of browser.contexts()) await context.close()
      desk = new FakeDesk()
      const context = await browser.newContext(windowFor(view))
      if (as !== undefined) await context.addCookies([{ name: "switchboard_session", value: as, url: server.url }])
      const page = await context.newPage()
      page.setDefaultTimeout(10_000)
      page.on("request", (request) => {
        const { origin, protocol } = new URL(request.url())
        if (origin !== server.url && protocol.startsWith("http")) strangers.push(request.url())
      })
      hear(page, complaints)
      await page.goto(server.url + path)
      return page
    },
    close: async () => {
      await browser.close()
      await server.close()
    }
  }
}
