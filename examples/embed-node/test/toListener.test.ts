import { createServer, request as httpRequest } from "node:http"
import { type AddressInfo, connect } from "node:net"
import { text } from "node:stream/consumers"
import { afterEach, expect, test, vi } from "vitest"
import { type ListenerOptions, toListener } from "../src/toListener.ts"

const closers: Array<() => void> = []
afterEach(() => {
  for (const close of closers.splice(0)) close()
})

const serve = async (handler: (request: Request) => Promise<Response>, options?: ListenerOptions): Promise<string> => {
  const server = createServer(toListener(handler, options))
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  closers.push(() => {
    server.close()
    server.closeAllConnections()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

/** What the server says to these very bytes. */
const raw = async (url: string, bytes: string): Promise<string> => {
  const { port } = new URL(url)
  const socket = connect(Number(port), "127.0.0.1")
  socket.end(bytes)
  return text(socket)
}

test("the handler gets the method, the address, every header and the raw bytes", async () => {
  let seen: unknown
  const url = await serve(async (request) => {
    seen = {
      method: request.method,
      url: request.url,
      header: request.headers.get("x-one"),
      body: [...new Uint8Array(await request.arrayBuffer())]
    }
    return new Response("ok")
  })
  const body = Uint8Array.from({ length: 256 }, (_, index) => index)
  const answer = await fetch(`${url}/a/b?c=d`, { method: "POST", headers: { "x-one": "1" }, body })
  expect(answer.headers.get("connection")).toBe("keep-alive")
  expect(seen).toEqual({ method: "POST", url: `${url}/a/b?c=d`, header: "1", body: [...body] })
})

test("a connection is kept for the next request, also by a handler that answers at once", async () => {
  const url = await serve(async () => new Response("ok"))
  expect((await fetch(url)).headers.get("connection")).toBe("keep-alive")
})

test("a large body arrives whole", async () => {
  const url = await serve(async (request) => new Response(String((await request.arrayBuffer()).byteLength)))
  const answer = await fetch(url, { method: "POST", body: new Uint8Array(5_000_000) })
  expect(await answer.text()).toBe("5000000")
})

test("behind a proxy the origin is the one that was configured", async () => {
  const url = await serve(async (request) => new Response(request.url), { origin: "https://desk.example" })
  expect(await (await fetch(`${url}/api/me`)).text()).toBe("https://desk.example/api/me")
})

test("a path that looks like another host stays a path", async () => {
  const url = await serve(async (request) => new Response(new URL(request.url).host))
  const answer = await raw(url, "GET //evil.example/api HTTP/1.1\r\nhost: desk.example\r\nconnection: close\r\n\r\n")
  expect(answer).toMatch(/desk\.example\r\n/)
})

test("a host that is none is answered with 400", async () => {
  const url = await serve(async () => new Response("never"))
  const answer = await raw(url, "GET / HTTP/1.1\r\nhost: a b\r\nconnection: close\r\n\r\n")
  expect(answer).toMatch(/^HTTP\/1\.1 400 /)
})

test("several cookies stay several", async () => {
  const url = await serve(async () => {
    const headers = new Headers([
      ["set-cookie", "a=1"],
      ["set-cookie", "b=2"]
    ])
    return new Response(null, { status: 204, headers })
  })
  const answer = await fetch(url)
  expect(answer.status).toBe(204)
  expect(answer.headers.getSetCookie()).toEqual(["a=1", "b=2"])
})

test("what is written is sent at once, while the answer goes on", async () => {
  let say: ReadableStreamDefaultController<Uint8Array> | undefined
  const url = await serve(
    async () =>
      new Response(
        new ReadableStream<Uint8Array>({
          start: (controller) => {
            say = controller
          }
        }),
        { headers: { "content-type": "text/event-stream" } }
      )
  )
  const answer = await fetch(url)
  expect(answer.headers.get("content-type")).toBe("text/event-stream")
  const reader = answer.body!.pipeThrough(new TextDecoderStream()).getReader()
  for (const word of ["one", "two"]) {
    say!.enqueue(new TextEncoder().encode(word))
    expect((await reader.read()).value).toBe(word)
  }
  say!.close()
  expect((await reader.read()).done).toBe(true)
})

test("a client that goes away aborts the request and cancels the answer", async () => {
  const { promise: cancelled, resolve: cancel } = Promise.withResolvers<void>()
  let signal: AbortSignal | undefined
  const url = await serve(async (request) => {
    signal = request.signal
    return new Response(new ReadableStream({ cancel: () => cancel() }))
  })
  const client = new AbortController()
  await fetch(url, { signal: client.signal })
  expect(signal!.aborted).toBe(false)
  client.abort()
  await cancelled
  expect(signal!.aborted).toBe(true)
})

test("a client that goes away before there is an answer aborts the request", async () => {
  const { promise: started, resolve: start } = Promise.withResolvers<void>()
  const { promise: aborted, resolve: abort } = Promise.withResolvers<void>()
  const url = await serve(async (request) => {
    request.signal.addEventListener("abort", () => abort())
    start()
    await aborted
    return new Response("nobody reads this")
  })
  const client = new AbortController()
  const answer = fetch(url, { signal: client.signal })
  await started
  client.abort()
  await expect(answer).rejects.toThrow()
  await aborted
})

test("an answer that is complete aborts nothing", async () => {
  const { promise: closed, resolve: close } = Promise.withResolvers<void>()
  let aborted: boolean | undefined
  const listener = toListener(async (request) => {
    request.signal.addEventListener("abort", () => {
      aborted = true
    })
    return new Response("ok")
  })
  const server = createServer((incoming, outgoing) => {
    outgoing.on("close", close)
    return listener(incoming, outgoing)
  })
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  closers.push(() => server.close())
  const { port } = server.address() as AddressInfo
  await (await fetch(`http://127.0.0.1:${port}`, { headers: { connection: "close" } })).text()
  await closed
  expect(aborted).toBeUndefined()
})

test("a body that the handler stops reading still gets its answer", async () => {
  const url = await serve(async (request) => {
    const reader = request.body!.getReader()
    await reader.read()
    await reader.cancel()
    return new Response("too large", { status: 413 })
  })
  const { promise, resolve, reject } = Promise.withResolvers<number | undefined>()
  const client = httpRequest(url, { method: "POST" }, (answer) => {
    answer.resume()
    expect(answer.headers.connection).toBe("close")
    resolve(answer.statusCode)
  })
  client.on("error", reject)
  // More is announced than ever comes.
  client.setHeader("content-length", "1000000")
  client.write("a first piece")
  expect(await promise).toBe(413)
  client.destroy()
})

test("a handler that throws is 500, and is in the log", async () => {
  const log = vi.spyOn(console, "error").mockImplementation(() => {})
  const url = await serve(async () => {
    throw new Error("broken")
  })
  expect((await fetch(url)).status).toBe(500)
  expect(log).toHaveBeenCalledOnce()
  log.mockRestore()
})

test("an answer that breaks off is seen to break off", async () => {
  const log = vi.spyOn(console, "error").mockImplementation(() => {})
  const url = await serve(
    async () =>
      new Response(
        new ReadableStream({
          start: (controller) => controller.enqueue(new TextEncoder().encode("half of it")),
          pull: () => {
            throw new Error("broken")
          }
        })
      )
  )
  await expect(fetch(url).then((answer) => answer.text())).rejects.toThrow()
  log.mockRestore()
})
