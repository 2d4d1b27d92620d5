/**
 * A stranger's HTML, in a frame of its own.
 *
 * The frame may run no script and send no form; it keeps our origin only so that its height can be read. Pictures from
 * elsewhere tell the sender that the mail was opened, so they stay away until the agent asks for them.
 */
import { Button, useComputedColorScheme } from "@mantine/core"
import { IconPhoto } from "@tabler/icons-react"
import { useRef, useState } from "react"

const nonce = document.querySelector<HTMLElement>("script[nonce]")?.nonce ?? ""

const toDocument = (
  html: string,
  withPictures: boolean,
  isOwnPaper: boolean,
  isDark: boolean
): string => `<!doctype html>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; img-src data:${withPictures ? " https:" : ""}">
<meta name="referrer" content="no-referrer">
<base target="_blank">
<style nonce="${nonce}">
:root { color-scheme: ${isDark && !isOwnPaper ? "dark" : "light"} }
body { margin: 0; padding: ${isOwnPaper ? "14px" : "0"}; font: 14px/1.5 system-ui, sans-serif; overflow-wrap: anywhere; ${isOwnPaper ? "background: #fff; color: #1a1d26" : `background: transparent; color: ${isDark ? "#e3e5ec" : "#1a1d26"}`} }
body > :first-child { margin-top: 0 } body > :last-child { margin-bottom: 0 }
img { max-width: 100%; height: auto } table { max-width: 100% } pre { white-space: pre-wrap }
a { color: ${isDark && !isOwnPaper ? "#9ca8fb" : "#3341c4"} }
blockquote { margin: 8px 0; padding-inline-start: 12px; border-inline-start: 3px solid #c3c8d4 }
</style>
<body dir="auto">${html}</body>`

export const MailFrame = ({ html, text }: { readonly html: string; readonly text: string }) => {
  const isDark = useComputedColorScheme("light") === "dark"
  const frame = useRef<HTMLIFrameElement>(null)
  const [height, setHeight] = useState(80)
  const [withPictures, setWithPictures] = useState(false)
  const hasPictures = /<img[^>]+src\s*=\s*["']?https?:/i.test(html)
  // A mail that sets colours was made for white paper.
  const isOwnPaper = /(background|bgcolor|color)\s*[:=]/i.test(html)
  const shown = withPictures ? html : html.replace(/(<img[^>]*?\s)src(?=\s*=\s*["']?https?:)/gi, "$1data-src")
  const measure = (): void => {
    const body = frame.current?.contentDocument?.body
    if (body) setHeight(Math.min(4000, Math.max(24, body.scrollHeight + 2)))
  }
  return (
    <div className="mail">
      {hasPictures && !withPictures && (
        <Button
          className="mail-pictures"
          size="compact-xs"
          variant="default"
          leftSection={<IconPhoto size={14} aria-hidden />}
          onClick={() => setWithPictures(true)}
        >
          Show pictures from elsewhere
        </Button>
      )}
      <iframe
        ref={frame}
        title={`E-mail: ${text.slice(0, 80)}`}
        sandbox="allow-same-origin allow-popups allow-popups-to-escape-sandbox"
        referrerPolicy="no-referrer"
        srcDoc={toDocument(shown, withPictures, isOwnPaper, isDark)}
        style={{ height }}
        data-paper={isOwnPaper || undefined}
        onLoad={() => {
          measure()
          const body = frame.current?.contentDocument?.body
          if (body) new ResizeObserver(measure).observe(body)
        }}
      />
    </div>
  )
}
