/** The desk's API as a signed-in agent uses it. */
import { password } from "../people.ts"

export interface DeskApi {
  readonly get: <A>(path: string) => Promise<A>
  readonly send: <A>(method: "POST" | "PUT" | "DELETE", path: string, body?: unknown) => Promise<A>
}

/** The desk's answer was no success. */
export class ApiError extends Error {
  override readonly name = "ApiError"
  readonly status: number
  constructor(method: string, path: string, status: number, body: string) {
    super(`${method} ${path}: ${status} ${body.slice(0, 500)}`)
    this.status = status
  }
}

export const signIn = async (deskUrl: string, agentId: string): Promise<DeskApi> => {
  const answer = await fetch(`${deskUrl}/auth/sign-in`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ agentId, password })
  })
  if (!answer.ok) throw new ApiError("POST", "/auth/sign-in", answer.status, await answer.text())
  const cookie = answer.headers.get("set-cookie")?.split(";")[0] ?? ""
  const call = async <A>(method: string, path: string, body?: unknown): Promise<A> => {
    const response = await fetch(`${deskUrl}${path}`, {
      method,
      headers: { cookie, "x-switchboard": "1", ...(body === undefined ? {} : { "content-type": "application/json" }) },
      ...(body === undefined ? {} : { body: JSON.stringify(body) })
    })
    const text = await response.text()
    if (!response.ok) throw new ApiError(method, path, response.status, text)
    return (text === "" ? undefined : JSON.parse(text)) as A
  }
  return { get: (path) => call("GET", path), send: call }
}
