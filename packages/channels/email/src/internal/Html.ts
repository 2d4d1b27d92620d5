import { convert } from "html-to-text"
import sanitizeHtml from "sanitize-html"

const color = /^(?:#[0-9a-f]{3,8}|[a-z]{3,20}|rgba?\([\d\s.,%]{1,40}\))$/i

const options = (remoteImages: "block" | "keep"): sanitizeHtml.IOptions => ({
  allowedTags: [
    ...[
      "p",
      "div",
      "span",
      "br",
      "hr",
      "h1",
      "h2",
      "h3",
      "h4",
      "h5",
      "h6",
      "blockquote",
      "pre",
      "code",
      "center",
      "font"
    ],
    ...[
      "a",
      "b",
      "strong",
      "i",
      "em",
      "u",
      "s",
      "strike",
      "del",
      "ins",
      "small",
      "big",
      "sub",
      "sup",
      "mark",
      "q",
      "cite"
    ],
    ...["ul", "ol", "li", "dl", "dt", "dd", "abbr", "address", "img", "figure", "figcaption"],
    ...["table", "thead", "tbody", "tfoot", "tr", "td", "th", "caption"]
  ],
  allowedAttributes: {
    "*": ["dir", "lang", "align", "style"],
    a: ["href", "title", "rel", "target"],
    img: ["src", "alt", "title", "width", "height", "data-blocked-src"],
    td: ["colspan", "rowspan", "valign"],
    th: ["colspan", "rowspan", "valign"],
    ol: ["start", "type"],
    font: ["color"]
  },
  // Nothing that positions, hides or loads: only how text looks.
  allowedStyles: {
    "*": {
      color: [color],
      "background-color": [color],
      "text-align": [/^(?:left|right|center|justify)$/],
      "font-weight": [/^(?:bold|bolder|normal|\d{3})$/],
      "font-style": [/^(?:italic|normal)$/],
      "text-decoration": [/^(?:underline|line-through|none)$/]
    }
  },
  allowedSchemes: ["http", "https", "mailto", "tel"],
  allowedSchemesByTag: { img: remoteImages === "keep" ? ["http", "https", "cid", "data"] : ["cid", "data"] },
  allowProtocolRelative: false,
  nonTextTags: ["script", "style", "textarea", "option", "noscript", "title", "xml"],
  nestingLimit: 100,
  transformTags: {
    a: (tagName, attributes) => ({
      tagName,
      attribs: { ...attributes, rel: "noopener noreferrer nofollow", target: "_blank" }
    }),
    img: (tagName, { src = "", ...attributes }) => {
      delete attributes["data-blocked-src"]
      const url = src.trim()
      if (/^cid:/i.test(url) || /^data:image\/(?:png|jpeg|gif|webp);base64,/i.test(url))
        return { tagName, attribs: { ...attributes, src: url } }
      if (!/^https?:\/\//i.test(url)) return { tagName, attribs: attributes }
      // A remote image tells its server that the mail was opened: the reader decides.
      return remoteImages === "keep"
        ? { tagName, attribs: { ...attributes, src: url } }
        : { tagName, attribs: { ...attributes, "data-blocked-src": url } }
    }
  }
})

const blocking = options("block")
const keeping = options("keep")

/** HTML that is safe to show: no scripts, no forms, nothing loaded; remote images wait in `data-blocked-src`. */
export const sanitize = (html: string, remoteImages: "block" | "keep" = "block"): string =>
  sanitizeHtml(html, remoteImages === "keep" ? keeping : blocking)

const heading = { options: { uppercase: false } }

/** The words of sanitised HTML, quotes marked with `>`. */
export const toText = (html: string): string =>
  convert(html, {
    wordwrap: false,
    limits: { maxDepth: 110 },
    selectors: [
      { selector: "img", format: "skip" },
      { selector: "a", options: { hideLinkHrefIfSameAsText: true, linkBrackets: ["(", ")"] } },
      ...["h1", "h2", "h3", "h4", "h5", "h6"].map((selector) => ({ selector, ...heading }))
    ]
  })
