import { WebchatWidget } from "@switchboard/channel-webchat"
import { build } from "esbuild"

/**
 * The widget's JavaScript. An application that installed the package only needs `WebchatWidget.source()`; here, within
 * the repository, the package is TypeScript and is made one browser module first.
 */
export const widgetSource = (): Promise<string> =>
  WebchatWidget.source({
    bundle: async (entryPoint) => {
      const { outputFiles } = await build({
        entryPoints: [entryPoint],
        bundle: true,
        format: "esm",
        minify: true,
        write: false,
        conditions: ["@switchboard/source"]
      })
      return outputFiles[0]!.text
    }
  })
