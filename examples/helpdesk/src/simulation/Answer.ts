/** What became of one post to the desk. */

/** `again`: the desk can't take it now, or can't be reached; the same bytes are to be sent once more. */
export type Answer =
  | { readonly outcome: "acknowledged" }
  | { readonly outcome: "again"; readonly reason: string; readonly afterMs: number }
  | { readonly outcome: "refused"; readonly reason: string }

const defaultPauseMs = 500

/** Posts, and says what became of it. A broken connection means: nobody knows, so send it again. */
export const post = async (url: string, init: RequestInit): Promise<Answer> => {
  try {
    const response = await fetch(url, { method: "POST", signal: AbortSignal.timeout(30_000), ...init })
    const text = await response.text()
    if (response.ok) return { outcome: "acknowledged" }
    const reason = `${response.status} ${text.slice(0, 200)}`
    if (response.status === 429 || response.status >= 500) {
      const seconds = Number(response.headers.get("retry-after"))
      return { outcome: "again", reason, afterMs: seconds > 0 ? seconds * 1000 : defaultPauseMs }
    }
    return { outcome: "refused", reason }
  } catch (error) {
    return { outcome: "again", reason: error instanceof Error ? error.message : String(error), afterMs: defaultPauseMs }
  }
}
