/** At most `limit` UTF-16 units of a text, with `…` for what is missing, and no half character. */
export const cut = (text: string, limit: number): string =>
  text.length <= limit ? text : `${text.slice(0, Math.max(0, limit - 1)).replace(/[\ud800-\udbff]$/, "")}…`
