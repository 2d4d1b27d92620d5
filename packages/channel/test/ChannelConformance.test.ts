import { describe, expect, test } from "vitest"
import type { Channel } from "../src/Channel.ts"
import { type ConformanceOptions, channelConformance } from "../src/ChannelConformance.ts"
import { account, make, payloads, signed, tampered } from "./MemoryChannel.ts"

const options: Omit<ConformanceOptions, "test"> = {
  name: "memory",
  make: () => make().channel,
  signed,
  tampered,
  payloads,
  recipient: { kind: "memory", value: "ana" },
  mediaRef: "one"
}

describe("[CHANNEL-32] a channel that keeps its word", () => {
  channelConformance({ ...options, test })
})

/** Runs the suite on a channel with one thing broken and returns what it said. */
const complaints = async (
  breakIt: (channel: Channel) => Partial<Channel>,
  others: Partial<ConformanceOptions> = {}
): Promise<ReadonlyArray<string>> => {
  const runs: Array<() => Promise<void>> = []
  channelConformance({
    ...options,
    make: () => {
      const { channel } = make()
      return { ...channel, ...breakIt(channel) }
    },
    ...others,
    test: (_, run) => runs.push(run)
  })
  const said: Array<string> = []
  for (const run of runs)
    await run().catch((error: Error) => {
      said.push(error.cause instanceof Error ? `${error.message}: ${error.cause.message}` : error.message)
    })
  return said
}

describe("[CHANNEL-33] the suite finds", () => {
  const cases: ReadonlyArray<[string, (channel: Channel) => Partial<Channel>, RegExp]> = [
    ["invalid capabilities", ({ capabilities }) => ({ capabilities: { ...capabilities, outbound: [] } }), /parse/],
    ["an acknowledgement that asks for more", () => ({ acknowledgement: { status: 500 } }), /2xx/],
    ["two accounts with one key", () => ({ accounts: [account, account] }), /unique/],
    ["no fetch beside media", (channel) => ({ capabilities: { ...channel.capabilities, media: null } }), /fetch/],
    [
      "no listen beside the transport",
      ({ capabilities }) => ({ capabilities: { ...capabilities, transports: ["webhook", "listen"] } }),
      /listen/
    ],
    [
      "a channel that believes anybody",
      () => ({
        verify: ({ body, receivedAtMs }) => ({ kind: "verified", input: { bytes: body, headers: {}, receivedAtMs } })
      }),
      /is refused/
    ],
    [
      "a forged request that is answered with success",
      () => ({ verify: () => ({ kind: "refused", status: 200, reason: "no" }) }),
      /status is a refusal/
    ],
    [
      "a decode that throws",
      () => ({ decode: ({ bytes }) => JSON.parse(new TextDecoder().decode(bytes)) }),
      /breaks decode/
    ],
    ["a decode that says nothing", () => ({ decode: () => ({ ok: true, value: [] }) }), /at least one entry/],
    [
      "entries that change from one decoding to the next",
      ({ decode }) => {
        let count = 0
        return {
          decode: async (input) => {
            const decoded = await decode(input)
            return decoded.ok
              ? { ok: true, value: decoded.value.map((entry) => ({ ...entry, entryId: `${count++}` })) }
              : decoded
          }
        }
      },
      /same entries twice/
    ],
    [
      "entry ids used twice",
      ({ decode }) => ({
        decode: async (input) => {
          const decoded = await decode(input)
          return decoded.ok ? { ok: true, value: decoded.value.map((entry) => ({ ...entry, entryId: "1" })) } : decoded
        }
      }),
      /unique within its account/
    ],
    [
      "an account nobody knows",
      ({ decode }) => ({
        decode: async (input) => {
          const decoded = await decode(input)
          return decoded.ok ? { ok: true, value: decoded.value.map((entry) => ({ ...entry, account: "x" })) } : decoded
        }
      }),
      /names one of the channel's accounts/
    ],
    [
      "a declared kind that is refused",
      () => ({ send: async () => ({ outcome: "refused", code: "no", message: "no" }) }),
      /sending message is accepted/
    ],
    [
      "a kind that is not declared and yet sent",
      () => ({ send: async () => ({ outcome: "accepted", platformIds: ["1"] }) }),
      /sending edit is refused/
    ],
    [
      "parts sent again",
      ({ send }) => ({
        send: (outbound, context) =>
          send(outbound.kind === "message" ? { ...outbound, alreadySent: 0 } : outbound, context)
      }),
      /one more is sent/
    ],
    [
      "operations that need their object",
      (channel) => ({
        async send(this: Channel | undefined, outbound, context) {
          if (this === undefined) throw new TypeError("this is undefined")
          return channel.send(outbound, context)
        }
      }),
      /this is undefined/
    ]
  ]
  test.each(cases)("%s", async (_, breakIt, complaint) => {
    expect((await complaints(breakIt)).join("\n")).toMatch(complaint)
  })

  test("payloads that decode to something else than was said", async () => {
    const wrong = [{ ...payloads[0]!, kinds: ["messageDeleted" as const] }]
    expect((await complaints(() => ({}), { payloads: wrong })).join("\n")).toMatch(/the kinds are messageDeleted/)
  })

  test("nothing when nothing is broken", async () => {
    expect(await complaints(() => ({}))).toEqual([])
  })
})
