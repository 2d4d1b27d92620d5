/** One server-sent event. */
export interface StreamEvent {
  readonly event: string
  readonly data: string
}

/**
 * Reads `text/event-stream` in whatever pieces it arrives; comments are dropped. The widget reads through `fetch`
 * because `EventSource` can't carry a token.
 */
export const makeEventReader = (onEvent: (event: StreamEvent) => void): ((piece: string) => void) => {
  let rest = ""
  let event = "message"
  let data: Array<string> = []
  return (piece) => {
    const lines = (rest + piece).split("\n")
    rest = lines.pop() ?? ""
    for (const raw of lines) {
      const line = raw.endsWith("\r") ? raw.slice(0, -1) : raw
      if (line === "") {
        if (data.length > 0) onEvent({ event, data: data.join("\n") })
        event = "message"
        data = []
        continue
      }
      const [, field, value = ""] = /^([^:]*)(?::\s?(.*))?$/s.exec(line) ?? []
      if (field === "event") event = value
      else if (field === "data") data.push(value)
    }
  }
}
