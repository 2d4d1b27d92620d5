import chromium from "@sparticuz/chromium"
import { type Browser, type Page, chromium as playwright } from "playwright-core"

export const launch = async (): Promise<Browser> =>
  playwright.launch({
    executablePath: await chromium.executablePath(),
    args: [
      ...chromium.args.filter((arg) => !["--single-process", "--no-zygote", "--disable-web-security"].includes(arg)),
      "--no-sandbox",
      "--disable-background-networking"
    ],
    headless: true
  })

export interface View {
  readonly width?: number
  readonly height?: number
  readonly dark?: boolean
}

/** A browser's window of somebody in Madrid who reads English. */
export const windowFor = ({ width = 1280, height = 800, dark = false }: View = {}) => ({
  viewport: { width, height },
  colorScheme: dark ? ("dark" as const) : ("light" as const),
  locale: "en-GB",
  timezoneId: "Europe/Madrid",
  reducedMotion: "reduce" as const
})

/** Collects what a page complains about, except requests that a test lets fail. */
export const hear = (page: Page, complaints: Array<string>): void => {
  page.on("pageerror", (error) => complaints.push(String(error)))
  page.on("console", (message) => {
    if (message.type() === "error" && !/Failed to load resource|net::ERR/.test(message.text()))
      complaints.push(message.text())
  })
}
