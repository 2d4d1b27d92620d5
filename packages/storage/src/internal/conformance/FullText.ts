/** Words found in every language the corpus has, as they stand now, and in no other workspace. */
import type { Commit, FullText, Holding, StorageDriver } from "../../StorageDriver.ts"
import { textOf } from "../../View.ts"
import { holds, type Term, termsOf, wordsOf } from "../../Words.ts"
import { equal, ok } from "../Check.ts"
import { committed, letters, type Opened, one, type Reopened, views } from "./Given.ts"

/** What customers write, by its key. */
const corpus: Readonly<Record<string, string>> = {
  catalan: "Bon dia, l'Anna m'ha dit que la col·laboració amb l'agència s'ha cobrat dues vegades. Gràcies!",
  spanish: "¿Dónde está mi pedido? El número de señal no funciona desde ayer por la mañana.",
  english: "My order hasn't arrived; I was charged twice for order 4711, café included.",
  german: "Die Straße ist gesperrt, meine Bestellung wurde zurückgeschickt. Bitte um Rückruf, Größe XXL.",
  arabic: "مرحباً، لم أستلم طلبي رقم ٤٧١١ حتى الآن، أرجو المساعدة في استرجاع المبلغ.",
  chinese: "您好，我的订单还没有送到，请帮我查询物流信息。",
  japanese: "注文した商品がまだ届いていません。キャンセルして返金してください。",
  mixed: "iPhone15の画面が割れました。Ticket #A-42, grazie, Ωmega.",
  decomposed: "Re\u0301sume\u0301 du proble\u0300me : ﬁ\u00adche technique",
  empty: "?!… 🙂"
}

/** Texts that somebody would type, and what they must find. */
const searches: ReadonlyArray<readonly [string, ...ReadonlyArray<keyof typeof corpus>]> = [
  ["collaboracio", "catalan"],
  ["anna", "catalan"],
  ["agencia dues", "catalan"],
  ["donde senal", "spanish"],
  ["MAÑANA", "spanish"],
  ["order", "english"],
  ["charg", "english"],
  ["cafe ", "english"],
  ["strasse", "german"],
  ["grosse xxl", "german"],
  ["ruck", "german"],
  ["4711", "english", "arabic"],
  ["المساعده", "arabic"],
  ["استلم", "arabic"],
  ["订单", "chinese"],
  ["查询物流", "chinese"],
  ["返金", "japanese"],
  ["キャンセル", "japanese"],
  ["ｷｬﾝｾﾙ", "japanese"],
  ["画", "mixed"],
  ["iphone", "mixed"],
  ["ticket 42", "mixed"],
  ["resume probleme", "decomposed"],
  ["fiche", "decomposed"],
  ["nothing like this"],
  ["order bestellung"]
]

const put = (key: string, text: string, subject?: string) => ({
  view: letters.name,
  key,
  put: { parts: [{ kind: "text", text }] },
  ...(subject !== undefined && { subject })
})

const write = async (driver: StorageDriver, workspace: string, views: NonNullable<Commit["views"]>) =>
  committed(await one(driver, { workspace, views }))

/** The driver's full text, which it declared. */
const fullTextOf = (driver: StorageDriver): FullText => {
  ok(driver.fullText !== undefined, "a driver that declares full text has it")
  return driver.fullText!
}

const indexAll = async (driver: StorageDriver): Promise<void> => {
  while ((await fullTextOf(driver).index(3)) > 0) {
    // Goes on until nothing is left.
  }
}

const find = async (driver: StorageDriver, text: string, limit = 99, workspace = "w") => {
  const found = await fullTextOf(driver).search(workspace, { view: letters.name, terms: termsOf(text), limit })
  return found.documents.map(({ key }) => key)
}

export const fullText = (
  opened: Opened,
  { reopened, isShared }: { readonly reopened: Reopened | undefined; readonly isShared: boolean }
): void => {
  opened("[STORAGE-85] what somebody types finds the same in every language and on every backend", async (driver) => {
    await write(
      driver,
      "w",
      Object.entries(corpus).map(([key, text]) => put(key, text))
    )
    await indexAll(driver)
    for (const [text, ...keys] of searches) equal((await find(driver, text)).toSorted(), keys.toSorted(), text)
  })

  opened(
    "[STORAGE-85] every word, every beginning and every pair of words of the corpus finds what holds them",
    async (driver) => {
      await write(
        driver,
        "w",
        Object.entries(corpus).map(([key, text]) => put(key, text))
      )
      await indexAll(driver)
      const { search } = fullTextOf(driver)
      const words = [...new Set(Object.values(corpus).flatMap((text) => wordsOf(text).map((word) => word.text)))]
      const exact = words.map((text): ReadonlyArray<Term> => [{ text, isPrefix: false }])
      const beginnings = words.map(
        (text): ReadonlyArray<Term> => [{ text: [...text].slice(0, 2).join(""), isPrefix: true }]
      )
      const pairs = words.map(
        (text, index): ReadonlyArray<Term> => [
          { text, isPrefix: false },
          { text: words[(index * 7 + 3) % words.length]!, isPrefix: true }
        ]
      )
      for (const terms of [...exact, ...beginnings, ...pairs]) {
        const found = await search("w", { view: letters.name, terms, limit: 99 })
        const expected = Object.entries(corpus).filter(([, text]) => holds(text, terms))
        equal(
          found.documents.map(({ key }) => key).toSorted(),
          expected.map(([key]) => key).toSorted(),
          JSON.stringify(terms)
        )
      }
    }
  )

  opened(
    "[STORAGE-46] what was loaded is found by its words, in the same order; what was dropped is not",
    async (driver) => {
      for (let index = 0; index < 5; index++) await write(driver, "w", [put(`k${index}`, "blue whale")])
      await write(driver, "w", [put("k1", "blue again")])
      await indexAll(driver)
      const holdings: Array<Holding> = []
      for await (const batch of driver.dump("w", 0)) holdings.push(...batch)
      await driver.load("x", holdings)
      await indexAll(driver)
      equal(await find(driver, "blue", 99, "x"), await find(driver, "blue"), "found")
      equal(await find(driver, "blue", 99, "x"), ["k4", "k3", "k2", "k1", "k0"], "order")
      await driver.load("x", [
        { kind: "document", view: letters.name, document: { key: "k2", document: { parts: [{ text: "green" }] } } }
      ])
      await indexAll(driver)
      equal(await find(driver, "whale", 99, "x"), ["k4", "k3", "k0"], "loaded again")
      equal(await find(driver, "green", 99, "x"), ["k2"], "its new words")
      await driver.drop("w")
      equal(await find(driver, "blue"), [], "dropped")
      equal((await find(driver, "blue", 99, "x")).length, 4, "another workspace")
    }
  )

  opened(
    "[STORAGE-84] the latest that hold all words come first, as many as are asked for, as they were put",
    async (driver) => {
      for (let index = 0; index < 7; index++)
        await write(driver, "w", [
          { ...put(`k${index}`, index % 2 === 0 ? "blue whale" : "blue"), version: index },
          put(`other${index}`, "green")
        ])
      await indexAll(driver)
      equal(await find(driver, "blue"), ["k6", "k5", "k4", "k3", "k2", "k1", "k0"], "all")
      equal(await find(driver, "whale blu", 2), ["k6", "k4"], "the latest two")
      const { documents } = await fullTextOf(driver).search("w", {
        view: letters.name,
        terms: termsOf("whale"),
        limit: 1
      })
      equal(documents, [{ key: "k6", document: put("", "blue whale").put, version: 6 }], "document")
      ok(textOf(letters, documents[0]!.document) === "blue whale", "text")
    }
  )

  opened("[STORAGE-86] a document is found as it stands, and not once it is deleted or erased", async (driver) => {
    await write(driver, "w", [
      put("changed", "first red"),
      put("deleted", "red"),
      put("erased", "red", "p"),
      put("last", "red")
    ])
    await indexAll(driver)
    equal(await find(driver, "red"), ["last", "erased", "deleted", "changed"], "before")
    await write(driver, "w", [put("changed", "second red"), { view: letters.name, key: "deleted", delete: true }])
    await driver.erase("w", "p")
    equal(
      (await find(driver, "red")).filter((key) => key !== "changed"),
      ["last"],
      "what is gone is not found, however far the index is"
    )
    await indexAll(driver)
    equal(await find(driver, "red"), ["last", "changed"], "after")
    equal([await find(driver, "first"), await find(driver, "second")], [[], ["changed"]], "changed")
    // The place of what was last may be given to the next.
    await write(driver, "w", [{ view: letters.name, key: "last", delete: true }])
    await write(driver, "w", [put("next", "red and blue")])
    await write(driver, "w", [put("deleted", "red again")])
    await indexAll(driver)
    equal(await find(driver, "red"), ["deleted", "next", "changed"], "anew")
    equal(await find(driver, "blue"), ["next"], "the next")
  })

  opened(
    "[STORAGE-87] the index comes forward by as many documents as it is told, and says what is left",
    async (driver) => {
      await write(
        driver,
        "w",
        Array.from({ length: 5 }, (_, index) => put(`k${index}`, `word${index} all`))
      )
      const { index, search } = fullTextOf(driver)
      const behind = async () => (await search("w", { view: letters.name, terms: termsOf("all"), limit: 9 })).behind
      const found = async () => (await find(driver, "all")).length
      // An index that never lags has nothing left, and finds all at once.
      const lag = await behind()
      ok(lag === 0 || lag === 5, `behind ${lag}`)
      equal(await found(), 5 - lag, "before")
      equal(await index(2), Math.max(0, lag - 2), "after two")
      equal(await behind(), Math.max(0, lag - 2), "behind")
      await indexAll(driver)
      equal([await found(), await behind(), await index(9)], [5, 0, 0], "all")
    }
  )

  opened("[STORAGE-88] a search finds nothing of another workspace", async (driver) => {
    for (const workspace of ["w", "v", "w1"]) await write(driver, workspace, [put("k", `shared only${workspace}`)])
    await indexAll(driver)
    for (const workspace of ["w", "v", "w1"]) {
      equal(await find(driver, "shared", 9, workspace), ["k"], workspace)
      equal(await find(driver, "onlyv", 9, workspace), workspace === "v" ? ["k"] : [], `${workspace}: onlyv`)
    }
    equal(await find(driver, "shared", 9, "none"), [], "none")
  })

  opened("[STORAGE-89] a search without terms or limit, or of a view without words, is refused", async (driver) => {
    const { search } = fullTextOf(driver)
    const terms = termsOf("word")
    for (const [what, asked] of Object.entries({
      terms: { view: letters.name, terms: [], limit: 9 },
      limit: { view: letters.name, terms, limit: 0 },
      "without words": { view: "things", terms, limit: 9 },
      unknown: { view: "unknown", terms, limit: 9 }
    })) {
      const error = await search("w", asked).then(
        () => undefined,
        (reason: unknown) => reason
      )
      ok(error instanceof Error && "code" in error && error.code === "storage-invalid", what)
    }
  })

  reopened?.(
    "[STORAGE-90] the index is there after opening again, and covers the words a view declares then",
    async (driver, reopen) => {
      await write(driver, "w", [
        { view: letters.name, key: "k", put: { subject: "invoice", parts: [{ text: "paid" }] } }
      ])
      await indexAll(driver)
      let current = await reopen()
      await current.prepare([letters])
      equal([await find(current, "invoice"), await find(current, "paid")], [[], ["k"]], "the same")
      current = await reopen()
      await current.prepare([{ ...letters, version: 2, words: ["subject", "parts.text"] }])
      await indexAll(current)
      equal([await find(current, "invoice"), await find(current, "paid")], [["k"], ["k"]], "more")
      current = await reopen()
      await current.prepare([{ ...letters, version: 3, words: [] }])
      await write(current, "w", [put("k", "changed")])
      current = await reopen()
      await current.prepare([{ ...letters, version: 4, fields: { kind: "text" } }])
      await indexAll(current)
      equal([await find(current, "paid"), await find(current, "changed")], [[], ["k"]], "given up meanwhile")
    }
  )

  if (isShared)
    opened(
      "[STORAGE-90] two processes keep one index, whichever writes and whichever indexes",
      async (first, subject) => {
        const second = await subject.reopen!()
        try {
          await second.prepare(views)
          for (let round = 0; round < 6; round++) {
            const [writer, other] = round % 2 === 0 ? [first, second] : [second, first]
            await write(writer, "w", [
              ...(round === 0 ? [] : [put(`k${round}`, `word${round} red`)]),
              put("k0", `word0 turn${round} red`)
            ])
            await fullTextOf(round % 3 === 0 ? writer : other).index(9)
            equal(await find(other, `turn${round}`), ["k0"], "the other finds it")
            equal((await find(writer, "red")).length, round + 1, "all of them")
          }
          await Promise.all([indexAll(first), indexAll(second)])
          await second.erase("w", "nobody")
          await write(second, "w", [{ view: letters.name, key: "k5", delete: true }])
          await write(first, "w", [put("k6", "word6 red")])
          await indexAll(first)
          equal((await find(second, "red")).toSorted(), ["k0", "k1", "k2", "k3", "k4", "k6"], "after a deletion")
        } finally {
          await second.close()
        }
      }
    )
}
