/**
 * The widget's file, for applications that serve it themselves.
 *
 * @module
 */
import { readFile } from "node:fs/promises"
import { fileURLToPath } from "node:url"

const isSource = import.meta.url.endsWith(".ts")

/**
 * Where the widget is: one self-contained module in the published package. Within this repository it is the TypeScript
 * it is built from, which no browser can read.
 */
export const path: string = fileURLToPath(
  new URL(isSource ? "./widget/index.ts" : "./widget/index.js", import.meta.url)
)

/**
 * The widget as JavaScript, to be served as `text/javascript`.
 *
 * **Gotchas** `bundle` is called only when the package runs from its sources and makes one browser module from the file
 * it is given; a published package never needs it.
 */
export const source = async (
  options: { readonly bundle?: (entryPoint: string) => Promise<string> } = {}
): Promise<string> => {
  if (!isSource) return readFile(path, "utf8")
  if (options.bundle === undefined)
    throw new Error(`the widget is not built: pass \`bundle\`, such as one that runs esbuild on ${path}`)
  return options.bundle(path)
}
