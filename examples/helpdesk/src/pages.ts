/** The pages around the applications, each with a policy that lets nothing in but our own files. */
import { createHash, randomBytes } from "node:crypto"
import type { Hono } from "hono"
import type { Asset } from "./bundle.ts"

const icon = `data:image/svg+xml,${encodeURIComponent('<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32" rx="9" fill="#3d4ee0"/><path d="M9 11.5h6.5a4.5 4.5 0 0 1 0 9H9" fill="none" stroke="#fff" stroke-width="2.6" stroke-linecap="round"/><circle cx="22.5" cy="11.5" r="2.6" fill="#fff"/><circle cx="22.5" cy="20.5" r="2.6" fill="#aab3ff"/></svg>')}`

const answer = (html: string, policy: ReadonlyArray<string>): Response =>
  new Response(html, {
    headers: {
      "content-type": "text/html; charset=utf-8",
      "content-security-policy": policy.join("; "),
      "cache-control": "no-store",
      "referrer-policy": "no-referrer",
      "x-content-type-options": "nosniff",
      "x-frame-options": "DENY"
    }
  })

const closed = [
  "default-src 'none'",
  "base-uri 'self'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "connect-src 'self'"
]

/**
 * The agents' application, for `/`, `/dashboard` and `/health`.
 *
 * Its style elements and scripts carry a nonce that is new for each answer. Style attributes are allowed because mails use
 * them; pictures from elsewhere are allowed because the agent may ask for a mail's, and the frame that shows it says no
 * until then.
 */
export const inbox = (): Response => {
  const nonce = randomBytes(16).toString("base64")
  return answer(
    `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>Switchboard</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<link rel="icon" href="${icon}">
<link rel="stylesheet" href="/assets/inbox.css">
<script nonce="${nonce}">
globalThis.switchboardNonce = "${nonce}"
try {
  const chosen = localStorage.getItem("mantine-color-scheme-value")
  const dark = chosen === "dark" || (chosen !== "light" && matchMedia("(prefers-color-scheme: dark)").matches)
  document.documentElement.setAttribute("data-mantine-color-scheme", dark ? "dark" : "light")
} catch {}
</script>
<script type="module" nonce="${nonce}" src="/assets/inbox.js"></script>
</head>
<body><div id="root"></div><noscript>The help desk needs JavaScript.</noscript></body>
</html>`,
    [
      ...closed,
      `script-src 'nonce-${nonce}'`,
      `style-src 'self' 'nonce-${nonce}'`,
      "style-src-attr 'unsafe-inline'",
      "img-src 'self' data: blob: https:",
      "media-src 'self' blob:",
      "font-src 'self'",
      "frame-src 'self'"
    ]
  )
}

/** The demo shop: where it takes mail, and who may be signed in there. */
export interface Shop {
  readonly mail: string
  readonly shoppers: ReadonlyArray<{ readonly email: string; readonly name: string }>
}

const usualShop: Shop = {
  mail: "support@shop.test",
  shoppers: [
    { email: "ana@example.com", name: "Ana García" },
    { email: "sam@example.com", name: "Sam Whitfield" }
  ]
}

const escape = (text: string): string => text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`)

const goods = [
  {
    name: "Trail Pack 30",
    price: "129 €",
    hue: "#c9d8c5",
    shape: "M130 70q0-26 30-26t30 26v16h14v84q0 14-14 14h-60q-14 0-14-14V86h14zm14 16h32V72q0-14-16-14t-16 14z"
  },
  {
    name: "Ridge Shell Jacket",
    price: "189 €",
    hue: "#d8cfc0",
    shape: "M128 56l22-12h20l22 12 26 34-18 16-12-12v90h-56V94l-12 12-18-16z"
  },
  {
    name: "Camp Kettle 0.8 l",
    price: "34 €",
    hue: "#cdd5df",
    shape: "M120 96h70l26-18-14 44v48q0 14-14 14h-54q-14 0-14-14zm24-12a20 16 0 0 1 40 0z"
  }
]

/** The demo shop, with the chat. */
export const customer = ({ mail, shoppers }: Shop): Response =>
  answer(
    `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>Fernweh Outdoor</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/assets/customer.css">
<script type="module" src="/widget.js"></script>
<script type="module" src="/assets/customer.js"></script>
</head>
<body>
<header class="bar">
<span class="logo">Fernweh Outdoor</span>
<label>Signed in as
<select id="who"><option value="">nobody</option>${shoppers.map(({ email, name }) => `<option value="${escape(email)}">${escape(name)} (${escape(email)})</option>`).join("")}</select>
</label>
</header>
<main>
<section class="hero">
<div>
<h1>Good things for a long way out</h1>
<p>Packs, shells and kettles that are repaired, not replaced. Free delivery from 60 €, thirty days to change your mind.</p>
<button class="button" id="ask" type="button">Ask us something</button>
<p id="greeting" role="status">You are not signed in.</p>
</div>
<svg viewBox="0 0 480 340" role="img" aria-label="Mountains in the morning"><rect width="480" height="340" fill="#e9d9c0"/><circle cx="344" cy="96" r="40" fill="#f6efe2"/><path d="M0 250l110-130 78 84 74-112 96 118 50-52 72 84v98H0z" fill="#8fa894"/><path d="M0 290l92-72 84 52 96-76 110 72 98-46v120H0z" fill="#4f6f5d"/><path d="M0 318l140-40 120 30 120-36 100 28v40H0z" fill="#2f4a3c"/></svg>
</section>
<h2>Much loved</h2>
<ul class="goods">
${goods.map(({ name, price, hue, shape }) => `<li><svg viewBox="0 0 320 220" aria-hidden="true"><rect width="320" height="220" fill="${hue}"/><path d="${shape}" fill="#3b4a43" fill-rule="evenodd"/></svg><div><b>${name}</b><span>${price}</span></div></li>`).join("\n")}
</ul>
<section class="service" aria-label="Service">
<div><b>Chat</b><p>The button at the corner. A person answers within minutes.</p></div>
<div><b>E-mail</b><p>${escape(mail)}</p></div>
<div><b>WhatsApp</b><p>+34 600 000 000</p></div>
</section>
</main>
<switchboard-chat account="web" heading="Fernweh Outdoor" greeting="Hello! What can we do for you?"></switchboard-chat>
</body>
</html>`,
    [...closed, "script-src 'self'", "style-src 'self'", "img-src 'self' data: blob:", "media-src 'self' blob:"]
  )

/** A file as an answer: read again only when it has changed. */
const file = ({ body, type }: Asset): ((request: Request) => Response) => {
  const etag = `"${createHash("sha256").update(body).digest("base64url").slice(0, 16)}"`
  const bytes = Uint8Array.from(body)
  const headers = { etag, "cache-control": "no-cache", "x-content-type-options": "nosniff" }
  return (request) =>
    request.headers.get("if-none-match") === etag
      ? new Response(null, { status: 304, headers })
      : new Response(bytes, { headers: { ...headers, "content-type": type } })
}

/** Serves the pages and the files they load. */
export const mount = (app: Hono, files: ReadonlyMap<string, Asset>, shop: Partial<Shop> = {}): void => {
  app.get("/", () => inbox())
  app.get("/dashboard", () => inbox())
  app.get("/health", () => inbox())
  app.get("/customer", () => customer({ ...usualShop, ...shop }))
  for (const [path, asset] of files) {
    const answerWith = file(asset)
    app.get(path, (context) => answerWith(context.req.raw))
  }
}
