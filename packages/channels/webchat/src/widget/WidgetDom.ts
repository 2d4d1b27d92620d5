/// <reference lib="dom" />

type Child = Node | string | undefined

/** An element with attributes and children. Strings become text nodes: nothing is ever parsed as HTML. */
export const h = <K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Readonly<Record<string, string | number | boolean | undefined>> = {},
  ...children: ReadonlyArray<Child>
): HTMLElementTagNameMap[K] => {
  const element = document.createElement(tag)
  setAttributes(element, attributes)
  element.append(...children.filter((child) => child !== undefined))
  return element
}

/** `false` and `undefined` take an attribute away, `true` sets it empty. */
export const setAttributes = (
  element: Element,
  attributes: Readonly<Record<string, string | number | boolean | undefined>>
): void => {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === false) element.removeAttribute(name)
    else {
      const text = value === true ? "" : String(value)
      if (element.getAttribute(name) !== text) element.setAttribute(name, text)
    }
  }
}

const svg = "http://www.w3.org/2000/svg"

/** A decorative icon from one path on a 24 by 24 grid. */
export const icon = (path: string): SVGElement => {
  const element = document.createElementNS(svg, "svg")
  setAttributes(element, {
    viewBox: "0 0 24 24",
    "aria-hidden": "true",
    fill: "none",
    stroke: "currentColor",
    "stroke-width": 2,
    "stroke-linecap": "round",
    "stroke-linejoin": "round"
  })
  const shape = document.createElementNS(svg, "path")
  shape.setAttribute("d", path)
  element.append(shape)
  return element
}

export const icons = {
  chat: "M21 11.5a8.4 8.4 0 0 1-12.3 7.4L3 21l2.1-5.7A8.4 8.4 0 1 1 21 11.5Z M8.5 11.5h.01 M12.5 11.5h.01 M16.5 11.5h.01",
  down: "m6 9 6 6 6-6",
  close: "M6 6l12 12 M18 6 6 18",
  send: "M12 19V5 M5.5 11.5 12 5l6.5 6.5",
  clip: "m21 11.5-8.6 8.6a5.6 5.6 0 0 1-8-8L13 3.500a3.700 3.700 0 0 1 5.300 5.300l-8.600 8.600a1.900 1.900 0 0 1-2.700-2.700l7.900-7.900",
  file: "M14 3H7a2 2 0 0 0-2 2v14a2 2 0 0 0 2 2h10a2 2 0 0 0 2-2V8Z M14 3v5h5",
  pin: "M12 21s7-6.200 7-11.500a7 7 0 1 0-14 0C5 14.800 12 21 12 21Z M12 12a2.500 2.500 0 1 0 0-5 2.500 2.500 0 0 0 0 5Z",
  card: "M12 12a4 4 0 1 0 0-8 4 4 0 0 0 0 8Z M4.500 20a7.500 7.500 0 0 1 15 0"
} as const

/** One child of a list that is kept up to date. It is made again only when `signature` changes. */
export interface Item {
  readonly key: string
  readonly signature: string
  readonly make: () => HTMLElement
}

/**
 * Brings a parent's children in line with the items and touches nothing that stays the same: a screen reader is told of
 * additions only, focus and selection stay.
 */
export const reconcile = (parent: HTMLElement, items: ReadonlyArray<Item>): void => {
  const known = new Map([...parent.children].map((child) => [(child as HTMLElement).dataset.key, child as HTMLElement]))
  const wanted = new Set(items.map(({ key }) => key))
  for (const child of [...parent.children]) if (!wanted.has((child as HTMLElement).dataset.key ?? "")) child.remove()
  let before: HTMLElement | undefined
  for (const { key, signature, make } of items) {
    let child = known.get(key)
    if (child === undefined || child.dataset.signature !== signature) {
      const made = make()
      made.dataset.key = key
      made.dataset.signature = signature
      if (child !== undefined && child.parentNode === parent) child.replaceWith(made)
      child = made
    }
    const next: ChildNode | null = before === undefined ? parent.firstChild : before.nextSibling
    if (next !== child) parent.insertBefore(child, next)
    before = child
  }
}
