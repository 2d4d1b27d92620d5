import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import chromium from "@sparticuz/chromium"
import { WebchatWidget } from "@switchboard/channel-webchat"
import { type Browser, type Page, chromium as playwright } from "playwright-core"
import { FakeDesk, serve } from "./FakeDesk.ts"
import { bundle, makeChannel } from "./Fixtures.ts"

/** A site that embeds the widget, a desk on another origin, and a browser. */
export interface Stage {
  readonly desk: () => FakeDesk
  /** A new visitor's page. `attributes` are the widget's. */
  readonly open: (options?: {
    readonly attributes?: string
    readonly width?: number
    readonly height?: number
    readonly dark?: boolean
    readonly lang?: string
    readonly dir?: string
    readonly now?: () => number
  }) => Promise<Page>
  /** Requests that went to neither the site nor the desk. */
  readonly strangers: ReadonlyArray<string>
  /** What pages complained about. */
  readonly complaints: Array<string>
  readonly closePages: () => Promise<void>
  readonly close: () => Promise<void>
}

const html = (lang: string, dir: string, attributes: string): string => `<!doctype html>
<html lang="${lang}" dir="${dir}">
<head><title>A shop</title><meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="stylesheet" href="/style.css"><script type="module" src="/widget.js"></script></head>
<body><main><h1>A shop</h1><p>With <a href="#top">a link</a> and words.</p></main>
<switchboard-chat ${attributes}></switchboard-chat></body></html>`

// A site's own rules must not reach into the widget.
const style = `body { font-family: serif; margin: 40px; background: Canvas; color: CanvasText; color-scheme: light dark }
button { background: hotpink !important; font-size: 40px } p { color: lime } h1, main p { color: inherit }`

export const setStage = async (): Promise<Stage> => {
  const widget = await WebchatWidget.source({ bundle })
  const strangers: Array<string> = []
  const complaints: Array<string> = []
  let page = { lang: "en", dir: "ltr", attributes: "" }
  let desk: FakeDesk
  const { url: deskUrl, server: deskServer } = await serve(() => desk)
  const siteServer = createServer((request, response) => {
    const [type, body] =
      request.url === "/widget.js"
        ? ["text/javascript", widget]
        : request.url === "/style.css"
          ? ["text/css", style]
          : ["text/html; charset=utf-8", html(page.lang, page.dir, page.attributes)]
    response.writeHead(200, {
      "content-type": type,
      "content-security-policy": `default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self' ${deskUrl}; img-src ${deskUrl}`
    })
    response.end(body)
  })
  await new Promise<void>((resolve) => siteServer.listen(0, "127.0.0.1", resolve))
  const siteUrl = `http://localhost:${(siteServer.address() as AddressInfo).port}`
  const browser: Browser = await playwright.launch({
    executablePath: await chromium.executablePath(),
    // Without what would weaken the browser: other origins must be other origins here.
    args: [
      ...chromium.args.filter((arg) => !["--single-process", "--no-zygote", "--disable-web-security"].includes(arg)),
      "--no-sandbox",
      "--disable-background-networking"
    ],
    headless: true
  })
  return {
    desk: () => desk,
    strangers,
    complaints,
    open: async (options = {}) => {
      desk = new FakeDesk(makeChannel({ allowedOrigins: [siteUrl] }), options.now ?? Date.now)
      page = {
        lang: options.lang ?? "en",
        dir: options.dir ?? "ltr",
        attributes: `account="shop" endpoint="${deskUrl}" ${options.attributes ?? ""}`
      }
      const context = await browser.newContext({
        viewport: { width: options.width ?? 1280, height: options.height ?? 800 },
        colorScheme: options.dark ? "dark" : "light",
        reducedMotion: "reduce"
      })
      const opened = await context.newPage()
      opened.setDefaultTimeout(10_000)
      opened.on("request", (request) => {
        const { origin } = new URL(request.url())
        if (origin !== siteUrl && origin !== deskUrl && !origin.startsWith("chrome")) strangers.push(request.url())
      })
      opened.on("pageerror", (error) => complaints.push(String(error)))
      opened.on("console", (message) => {
        if (message.type() === "error" && !/Failed to load resource|net::ERR/.test(message.text()))
          complaints.push(message.text())
      })
      await opened.goto(siteUrl)
      return opened
    },
    closePages: async () => {
      for (const context of browser.contexts()) await context.close()
    },
    close: async () => {
      await browser.close()
      for (const server of [deskServer, siteServer]) {
        server.closeAllConnections()
        await new Promise((resolve) => server.close(resolve))
      }
    }
  }
}
