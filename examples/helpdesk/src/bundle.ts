/**
 * Makes what browsers load, in memory, when the desk starts: nothing is built beforehand.
 */
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import { type BuildOptions, build, type Plugin } from "esbuild"

/** A file as it is served. */
export interface Asset {
  readonly body: Uint8Array
  readonly type: string
}

const here = dirname(fileURLToPath(import.meta.url))

const types: Readonly<Record<string, string>> = {
  js: "text/javascript; charset=utf-8",
  css: "text/css; charset=utf-8"
}

/** Everything must share one copy of Mantine, this example's, or its components don't find their provider. */
const oneMantine: Plugin = {
  name: "one-mantine",
  setup: ({ onResolve, resolve }) =>
    onResolve({ filter: /^@mantine\/(core|hooks)(\/|$)/ }, ({ path, kind, pluginData }) =>
      pluginData === oneMantine ? undefined : resolve(path, { kind, resolveDir: here, pluginData: oneMantine })
    )
}

const common = {
  bundle: true,
  write: false,
  outdir: "/",
  minify: true,
  format: "esm",
  platform: "browser",
  target: "es2023",
  jsx: "automatic",
  charset: "utf8",
  legalComments: "none",
  conditions: ["@switchboard/source"],
  plugins: [oneMantine],
  define: {
    "process.env.NODE_ENV": '"production"',
    // The library that keeps the page from scrolling behind a dialog asks for its nonce under this name.
    __webpack_nonce__: "globalThis.switchboardNonce"
  },
  logLevel: "silent"
} satisfies BuildOptions

/**
 * The agents' application, the demo shop's page and the chat widget, by the path under which they are served.
 *
 * What the application imports when it is asked for is a file of its own. The widget is one file, for other people's pages.
 */
export const bundle = async (): Promise<ReadonlyMap<string, Asset>> => {
  const built = await Promise.all([
    build({
      ...common,
      entryPoints: { "assets/inbox": join(here, "ui/main.tsx") },
      splitting: true,
      chunkNames: "assets/[name]-[hash]"
    }),
    build({
      ...common,
      entryPoints: {
        "assets/customer": join(here, "ui/customer/customer.ts"),
        widget: fileURLToPath(import.meta.resolve("@switchboard/channel-webchat/widget"))
      }
    })
  ])
  const outputFiles = built.flatMap((one) => one.outputFiles)
  return new Map(
    outputFiles.map(({ path, contents }) => [
      path.replaceAll("\\", "/").replace(/^([A-Za-z]:)?\/?/, "/"),
      { body: contents, type: types[path.slice(path.lastIndexOf(".") + 1)] ?? "application/octet-stream" }
    ])
  )
}
