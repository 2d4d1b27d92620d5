/// <reference lib="dom" />
import type { WidgetEnvironment } from "./WidgetClient.ts"
import type { QueuedAttachment, WidgetStorage } from "./WidgetQueue.ts"

/** Local storage where the browser allows it, otherwise the page's memory. */
const makeStorage = (): WidgetStorage => {
  const memory = new Map<string, string>()
  try {
    const { localStorage } = window
    localStorage.getItem("")
    return {
      get: (key) => localStorage.getItem(key),
      set: (key, value) => {
        try {
          localStorage.setItem(key, value)
          return true
        } catch {
          return false
        }
      },
      remove: (key) => localStorage.removeItem(key),
      keys: () => Object.keys(localStorage)
    }
  } catch {
    return {
      get: (key) => memory.get(key) ?? null,
      set: (key, value) => {
        memory.set(key, value)
        return false
      },
      remove: (key) => memory.delete(key),
      keys: () => [...memory.keys()]
    }
  }
}

/** `crypto.randomUUID` exists on secure pages only, and a site under development may not be one. */
const makeUuid = (): string => {
  const bytes = crypto.getRandomValues(new Uint8Array(16))
  bytes[6] = (bytes[6]! & 0x0f) | 0x40
  bytes[8] = (bytes[8]! & 0x3f) | 0x80
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("")
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5")
}

/** The browser as the client's world. */
export const makeEnvironment = (): WidgetEnvironment => ({
  fetch: (url, init) => window.fetch(url, init),
  storage: makeStorage(),
  now: () => Date.now(),
  after: (ms, run) => {
    const timer = setTimeout(run, ms)
    return () => clearTimeout(timer)
  },
  newId: makeUuid,
  random: () => Math.random()
})

/** A chosen file, read whole. */
export const readFile = (file: File): Promise<QueuedAttachment> =>
  new Promise((resolve, reject) => {
    const reader = new FileReader()
    reader.onerror = () => reject(reader.error)
    reader.onload = () => {
      const url = String(reader.result)
      resolve({
        name: file.name,
        mediaType: /^[\w.+-]+\/[\w.+-]+$/.exec(file.type)?.[0] ?? "application/octet-stream",
        sizeBytes: file.size,
        base64: url.slice(url.indexOf(",") + 1)
      })
    }
    reader.readAsDataURL(file)
  })

/** Black or white, whichever reads better on a colour. `undefined` when it is no colour. */
export const readableOn = (color: string, probe: HTMLElement): string | undefined => {
  if (!CSS.supports("color", color)) return undefined
  probe.style.color = color
  const [red = 0, green = 0, blue = 0] = (getComputedStyle(probe).color.match(/[\d.]+/g) ?? []).map(Number)
  probe.style.color = ""
  const linear = (value: number): number => (value <= 10 ? value / 3294 : ((value / 255 + 0.055) / 1.055) ** 2.4)
  const luminance = 0.2126 * linear(red) + 0.7152 * linear(green) + 0.0722 * linear(blue)
  return 1.05 / (luminance + 0.05) >= (luminance + 0.05) / 0.05 ? "#ffffff" : "#000000"
}
