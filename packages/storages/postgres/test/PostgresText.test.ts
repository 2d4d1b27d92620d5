import { strict as assert } from "node:assert"
import { Words } from "@switchboard/storage"
import type { StorageDriver } from "@switchboard/storage/StorageDriver"
import { PostgresStorage } from "@switchboard/storage-postgres"
import { afterAll, test } from "vitest"
import { namesOf } from "../src/internal/Columns.ts"
import { Database } from "../src/internal/Database.ts"
import { TextReader } from "../src/internal/TextIndex.ts"
import { type Fixture, inSchema } from "./Given.ts"
import { start } from "./Server.ts"

const server = await start()
afterAll(server.stop)

const letters = { name: "letters", version: 1, fields: { size: "number" }, indexes: [], words: ["text"] } as const

const put = (key: string, text: string, more: { readonly size?: number } = {}) => ({
  view: letters.name,
  key,
  put: { text, ...more }
})

const openLetters = async ({ url, schema }: Fixture, views = [letters]): Promise<StorageDriver> => {
  const driver = PostgresStorage.make({ url, schema, maxConnections: 4 })
  await driver.prepare(views)
  return driver
}

const write = async (driver: StorageDriver, workspace: string, ...views: ReadonlyArray<ReturnType<typeof put>>) => {
  const [outcome] = await driver.commit([{ workspace, views }], 0)
  assert.equal(outcome?.ok, true)
}

const indexAll = async (driver: StorageDriver, atOnce = 500): Promise<void> => {
  while ((await driver.fullText!.index(atOnce)) > 0) {
    // Goes on until nothing is left.
  }
}

const find = async (driver: StorageDriver, terms: ReadonlyArray<Words.Term>, limit = 200, workspace = "w") =>
  driver.fullText!.search(workspace, { view: letters.name, terms, limit })

const keysOf = async (...parameters: Parameters<typeof find>) =>
  (await find(...parameters)).documents.map(({ key }) => key)

/** A number of words that repeats; some are common, most are rare. */
const random = (seed: number) => () => {
  seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31
  return seed / 2 ** 31
}

const rareWords = (next: () => number) =>
  Array.from(
    { length: 6 },
    () => `${"abc"[Math.floor(next() * 3)]}${Math.floor(next() ** 4 * 3_000).toString(36)}`
  ).join(" ")

test("[POSTGRES-9] words common and rare, lately and before, are found as the reference finds them, the latest first", () =>
  inSchema(server.url, async (fixture) => {
    const next = random(7)
    const [driver, other] = [await openLetters(fixture), await openLetters(fixture)]
    const texts = new Map<string, string>()
    for (let batch = 0; batch < 12; batch++) {
      const mine = Array.from({ length: 500 }, (_, index) => {
        const number = batch * 500 + index
        const more = [
          number % 50 === 7 && "some",
          number < 900 && "early",
          number > 5_300 && "late",
          number === 2_345 && "once"
        ]
        return [`k${number}`, [rareWords(next), ...more.filter((word) => word !== false)].join(" ")] as const
      })
      for (const [key, text] of mine) texts.set(key, text)
      await write(driver, "w", ...mine.map(([key, text]) => put(key, text)))
      await write(driver, "v", put(`v${batch}`, "once early some late a0 b0 c0"))
      if (batch < 4) await Promise.all([indexAll(driver), indexAll(other)])
    }
    const left = (await find(driver, Words.termsOf("late"))).behind
    // Counted exactly while there are few, and by their span beyond: both workspaces' are in it.
    assert.equal(left, 8 * 501)
    await Promise.all([indexAll(driver), indexAll(other)])
    assert.equal((await find(driver, Words.termsOf("late"))).behind, 0)
    const inOrder = [...texts].reverse()
    const typed = [
      "a",
      "a0 ",
      "a0",
      "b1 c2 ",
      "some ",
      "som",
      "early ",
      "ear",
      "late a",
      "once ",
      "once a",
      "none",
      "a b c",
      "early late "
    ]
    for (let turn = 0; turn < 30; turn++)
      typed.push(
        rareWords(next)
          .split(" ")
          .slice(0, 1 + (turn % 3))
          .join(" ")
          .slice(0, 2 + (turn % 9))
      )
    for (const text of typed)
      for (const limit of [2, 40]) {
        const terms = Words.termsOf(text)
        const expected = inOrder.filter(([, held]) => Words.holds(held, terms)).map(([key]) => key)
        assert.deepEqual(await keysOf(driver, terms, limit), expected.slice(0, limit), `${text}, ${limit}`)
      }
    assert.deepEqual(
      await keysOf(driver, Words.termsOf("once "), 9, "v"),
      Array.from({ length: 9 }, (_, index) => `v${11 - index}`)
    )
    await driver.close()
    await other.close()
  }))

test("[POSTGRES-9] what is rare is read from the index of words, what is common from the latest, never all there is", () =>
  inSchema(server.url, async (fixture) => {
    const driver = await openLetters(fixture)
    for (let batch = 0; batch < 12; batch++)
      await write(
        driver,
        "w",
        ...Array.from({ length: 1_000 }, (_, index) => {
          const number = batch * 1_000 + index
          return put(
            `k${number}`,
            `${number % 2 === 0 ? "even" : "odd"} n${number} ${number % 25 === 0 ? "often" : ""}`
          )
        })
      )
    await indexAll(driver)
    await fixture.database.query("ANALYZE", [])
    const plans: Array<string> = []
    class Explained extends Database {
      override async plan<Row extends object>(sql: string, parameters: ReadonlyArray<unknown>) {
        const found = await super.plan<Record<string, string>>(`EXPLAIN ${sql}`, parameters)
        plans.push(found.map((row) => Object.values(row)[0]).join("\n"))
        return super.plan<Row>(sql, parameters)
      }
    }
    const { url, schema } = fixture
    const explained = new Explained({
      url,
      schema,
      maxConnections: 1,
      connectTimeoutMs: 5_000,
      applicationName: "plans"
    })
    const table = namesOf(letters).words!
    const reader = new TextReader(explained, table)
    const plansOf = async (text: string, limit: number) => {
      plans.length = 0
      const terms = Words.termsOf(text)
      const { keys } = await reader.search("w", { view: letters.name, terms, limit })
      assert.ok(keys.length > 0)
      return plans
    }
    const order = new RegExp(`Index Scan Backward using ${table}_order`)
    const found = new RegExp(`Bitmap Index Scan on ${table}_found`)
    const [sample, ...none] = await plansOf("even ", 200)
    assert.match(sample!, order)
    assert.equal(none.length, 0)
    const [, latest, ...more] = await plansOf("often ", 50)
    assert.match(latest!, order)
    assert.equal(more.length, 0)
    const [, rare] = await plansOf("n777 ", 200)
    assert.match(rare!, found)
    // A beginning that many words have is not looked for in the index where a whole word is rarer.
    const [, mixed] = await plansOf("n778 e", 200)
    assert.match(mixed!, /Index Cond: \(words @@ '''_1'' & ''n778'''::tsquery\)/)
    for (const plan of [sample!, latest!, rare!, mixed!]) assert.doesNotMatch(plan, /Seq Scan on words_/)
    await explained.close()
    await driver.close()
  }))

test("[POSTGRES-10] a document that is written again with the same text is not indexed again, whoever wrote it", () =>
  inSchema(server.url, async (fixture) => {
    const [first, second] = [await openLetters(fixture), await openLetters(fixture)]
    await write(first, "w", put("k", "red", { size: 1 }), put("none", "", { size: 1 }))
    assert.equal((await find(first, Words.termsOf("red"))).behind, 1)
    await indexAll(first)
    for (const [index, driver] of [second, first].entries()) {
      await write(driver, "w", put("k", "red", { size: index }), put("none", "", { size: index }))
      assert.equal((await find(first, Words.termsOf("red"))).behind, 0)
    }
    await write(second, "w", put("k", "blue", { size: 1 }))
    // Found as it was indexed last, until it is indexed anew.
    assert.deepEqual(
      [await keysOf(first, Words.termsOf("red")), (await find(first, Words.termsOf("red"))).behind],
      [["k"], 1]
    )
    await write(second, "w", put("none", "green"))
    await indexAll(second)
    assert.deepEqual(await keysOf(first, Words.termsOf("red")), [])
    assert.deepEqual(await keysOf(first, Words.termsOf("blue")), ["k"])
    assert.deepEqual(await keysOf(first, Words.termsOf("green")), ["none"])
    await first.close()
    await second.close()
  }))

test("[POSTGRES-10] documents that change while two processes index them are indexed as they stand in the end", () =>
  inSchema(server.url, async (fixture) => {
    const drivers = [await openLetters(fixture), await openLetters(fixture)]
    let isOver = false
    const indexing = drivers.map(async (driver) => {
      while (!isOver) await driver.fullText!.index(7)
    })
    const writing = drivers.map(async (driver, name) => {
      for (let turn = 0; turn < 60; turn++) {
        const keys = Array.from({ length: 10 }, (_, index) => `k${(turn * 7 + index) % 40}`)
        await write(driver, `w${name}`, ...keys.map((key) => put(key, `turn${turn} ${key}`)))
        if (turn % 9 === 8)
          await driver.commit(
            [{ workspace: `w${name}`, views: [{ view: letters.name, key: keys[0]!, delete: true }] }],
            0
          )
      }
    })
    await Promise.all(writing)
    isOver = true
    await Promise.all(indexing)
    await indexAll(drivers[0]!)
    for (const workspace of ["w0", "w1"]) {
      const { documents } = await drivers[0]!.query(workspace, { view: letters.name, limit: 99 })
      for (const { key, document } of documents) {
        const terms = Words.termsOf(`${document.text} `)
        assert.ok((await keysOf(drivers[1]!, terms, 99, workspace)).includes(key), JSON.stringify(document))
      }
      const terms = [{ text: "turn", isPrefix: true }]
      assert.equal((await keysOf(drivers[1]!, terms, 99, workspace)).length, documents.length)
    }
    for (const driver of drivers) await driver.close()
  }))

test("[POSTGRES-10] a batch of long documents ends early", () =>
  inSchema(server.url, async (fixture) => {
    const driver = await openLetters(fixture)
    await write(
      driver,
      "w",
      ...Array.from({ length: 30 }, (_, index) => put(`k${index}`, `n${index} ${"word ".repeat(10_001)}`))
    )
    // Ten of 50,000 units.
    assert.equal(await driver.fullText!.index(100), 20)
    await driver.close()
  }))

test("[POSTGRES-7] the longest words, and texts with the most different ones, are found", () =>
  inSchema(server.url, async (fixture) => {
    const driver = await openLetters(fixture)
    const next = random(3)
    const many = (length: number, one: () => string) => Array.from({ length }, one).join("")
    const texts = {
      astral: "𝛀𐐷".repeat(40),
      long: "x".repeat(3_000),
      pairs: many(50_000, () => String.fromCodePoint(0x4e00 + Math.floor(next() * 20_000))),
      astralPairs: many(25_000, () => String.fromCodePoint(0x20000 + Math.floor(next() * 40_000))),
      ligatures: many(2_900, () => `${Math.floor(next() * 1e6).toString(36)}${"\ufdf4".repeat(13)} `),
      squares: many(50_000, () => String.fromCodePoint(0x3300 + Math.floor(next() * 255))),
      short: many(
        10_000,
        () =>
          `${Math.floor(next() * 2 ** 20)
            .toString(36)
            .padStart(4, "0")} `
      )
    }
    await write(driver, "w", ...Object.entries(texts).map(([key, text]) => put(key, text)))
    await indexAll(driver)
    for (const [key, text] of Object.entries(texts)) {
      const words = Words.wordsOf(text.slice(0, 50_000))
      for (const index of [0, Math.floor(words.length / 2), words.length - 1])
        assert.ok(
          (await keysOf(driver, [{ text: words[index]!.text, isPrefix: false }])).includes(key),
          `${key} ${index}`
        )
    }
    // What no word can be is not found, and no harm.
    const harm = [
      "x".repeat(65),
      "x".repeat(5_000),
      "'",
      "\\",
      "a' | 'b",
      "a:*",
      "a & b",
      "\0",
      "\ud800",
      "_1",
      "_1' | 'x",
      " ",
      "",
      "<->",
      "!x"
    ]
    for (const text of harm)
      for (const isPrefix of [false, true]) {
        if (text === "" && isPrefix) continue
        assert.deepEqual(await keysOf(driver, [{ text, isPrefix }]), [], JSON.stringify(text))
      }
    assert.equal((await keysOf(driver, [{ text: "", isPrefix: true }])).length, Object.keys(texts).length)
    await driver.close()
  }))

test("[POSTGRES-2] a process with other words is refused, and neither writes nor indexes the wrong ones", () =>
  inSchema(server.url, async (fixture) => {
    const before = await openLetters(fixture)
    await write(before, "w", put("k1", "red"), put("k2", "red"))
    await before.commit(
      [{ workspace: "w", views: [{ view: letters.name, key: "k3", put: { text: "red", note: "blue" } }] }],
      0
    )
    await before.fullText!.index(2)
    const { url, schema } = fixture
    const after = PostgresStorage.make({ url, schema })
    await after.prepare([{ ...letters, version: 2, words: ["text", "note"] }])
    await assert.rejects(write(before, "w", put("k4", "red")), { code: "postgres-newer" })
    await assert.rejects(before.fullText!.index(9), { code: "postgres-newer" })
    await assert.rejects(find(before, Words.termsOf("red")), { code: "postgres-newer" })
    await indexAll(after)
    // In the order of first puts, as before.
    assert.deepEqual(await keysOf(after, Words.termsOf("red")), ["k3", "k2", "k1"])
    assert.deepEqual(await keysOf(after, Words.termsOf("blue")), ["k3"])
    // Columns that change leave the words as they are.
    const wider = PostgresStorage.make({ url, schema })
    await wider.prepare([{ ...letters, version: 3, fields: { size: "number", note: "text" }, words: ["text", "note"] }])
    assert.deepEqual(await find(wider, Words.termsOf("blue")), {
      documents: [{ key: "k3", document: { text: "red", note: "blue" } }],
      behind: 0
    })
    await wider.commit([{ workspace: "w", views: [{ view: letters.name, key: "k3", delete: true }] }], 0)
    assert.deepEqual(await keysOf(wider, Words.termsOf("red")), ["k2", "k1"])
    for (const driver of [before, after, wider]) await driver.close()
  }))
