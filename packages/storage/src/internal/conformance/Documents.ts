/** Documents, the indexes that follow them, and the queries that find them. */
import type { Condition, FieldValue, NewEvent, Page, Query } from "../../StorageDriver.ts"
import { equal, ok, rejects } from "../Check.ts"
import { committed, type Opened, one, stock } from "./Given.ts"

export const documents = (opened: Opened): void => {
  opened("[STORAGE-8] documents are put, replaced, deleted and read in the order asked", async (driver) => {
    const put = (key: string, document: NewEvent["body"], version?: number) => ({
      view: "things",
      key,
      put: document,
      ...(version === undefined ? {} : { version })
    })
    committed(await one(driver, { workspace: "w", views: [put("a", { name: "A", more: [1] }, 1), put("b", {})] }))
    committed(await one(driver, { workspace: "w", views: [put("a", { name: "A2" }, 2), put("c", { size: 3 })] }))
    committed(
      await one(driver, {
        workspace: "w",
        views: [
          { view: "things", key: "c", delete: true },
          { view: "things", key: "never", delete: true }
        ]
      })
    )
    equal(
      await driver.documents("w", "things", ["c", "b", "a", "none", "b"]),
      [
        undefined,
        { key: "b", document: {} },
        { key: "a", document: { name: "A2" }, version: 2 },
        undefined,
        { key: "b", document: {} }
      ],
      "documents"
    )
    equal(await driver.documents("w", "notes", ["a"]), [undefined], "another view")
    equal(await driver.documents("w", "things", []), [], "no keys")
  })

  opened("[STORAGE-8] replacing a document moves it in every index", async (driver) => {
    const found = async (...where: ReadonlyArray<Condition>) =>
      (await driver.query("w", { view: "things", where, limit: 9 })).documents.map(({ key }) => key)
    const put = async (document: NewEvent["body"]) =>
      committed(await one(driver, { workspace: "w", views: [{ view: "things", key: "k", put: document }] }))
    await put({ name: "n", owner: "o", open: true, size: 1 })
    await put({ name: "n", owner: "p", open: true, size: 1 })
    equal(await found({ field: "owner", equals: "o" }), [], "old owner")
    equal(await found({ field: "owner", equals: "p" }, { field: "name", equals: "n" }), ["k"], "new owner")
    await put({ name: "m", open: false, size: 2 })
    equal(await found({ field: "owner", equals: "p" }), [], "removed owner")
    equal(await found({ field: "open", equals: false }, { field: "size", equals: 2 }), ["k"], "open and size")
    committed(await one(driver, { workspace: "w", views: [{ view: "things", key: "k", delete: true }] }))
    equal(await found(), [], "deleted")
    await put({ name: "again" })
    equal(await found({ field: "name", equals: "again" }), ["k"], "put again")
    equal(await found({ field: "size", equals: null }), ["k"], "nothing left of before")
  })

  const matching: ReadonlyArray<readonly [string, ReadonlyArray<Condition>, string]> = [
    ["no condition", [], "abcdefgh"],
    ["equality with text", [{ field: "owner", equals: "x" }], "abe"],
    ["equality with empty text", [{ field: "owner", equals: "" }], "f"],
    ["equality with a number", [{ field: "size", equals: 2 }], "abf"],
    ["equality with true", [{ field: "open", equals: true }], "acg"],
    ["equality with false", [{ field: "open", equals: false }], "be"],
    ["equality with null", [{ field: "open", equals: null }], "dfh"],
    ["in several", [{ field: "size", in: [2, 10, 11] }], "abdf"],
    ["in several with null", [{ field: "size", in: [10, null] }], "deh"],
    ["in booleans", [{ field: "open", in: [true, null] }], "acdfgh"],
    ["in nothing", [{ field: "size", in: [] }], ""],
    ["at least", [{ field: "size", atLeast: 2 }], "abdf"],
    ["above", [{ field: "size", above: 0 }], "abdf"],
    ["at most", [{ field: "size", atMost: 0 }], "cg"],
    ["below", [{ field: "size", below: 2 }], "cg"],
    ["between", [{ field: "size", atLeast: 0, below: 10 }], "abfg"],
    ["text range by code points", [{ field: "name", above: "b" }], "ef"],
    ["text range past the surrogates", [{ field: "name", above: "\uffee" }], "e"],
    [
      "several conditions",
      [
        { field: "owner", equals: "x" },
        { field: "size", atLeast: 1 },
        { field: "open", equals: false }
      ],
      "b"
    ],
    [
      "two conditions on one field",
      [
        { field: "size", atLeast: 0 },
        { field: "size", in: [-1.5, 0, 10] }
      ],
      "dg"
    ]
  ]
  for (const [title, where, expected] of matching)
    opened(`[STORAGE-9] a query finds by ${title}`, async (driver) => {
      await stock(driver)
      const page = await driver.query("w", { view: "things", where, limit: 100 })
      equal(page.documents.map(({ key }) => key).join(""), expected, "keys")
      equal(page.next, undefined, "next")
    })

  const orders: ReadonlyArray<readonly [string, Omit<Query, "limit">, string]> = [
    ["key", { view: "things" }, "abcdefgh"],
    ["a number, ties by key", { view: "things", order: { field: "size", direction: "ascending" } }, "ehcgabfd"],
    ["a number downwards", { view: "things", order: { field: "size", direction: "descending" } }, "dfbagche"],
    ["text by code points", { view: "things", order: { field: "name", direction: "ascending" } }, "cdhgbafe"],
    ["text downwards", { view: "things", order: { field: "name", direction: "descending" } }, "efabghdc"],
    ["booleans", { view: "things", order: { field: "open", direction: "ascending" } }, "dfhbeacg"],
    [
      "an index's last field under equality",
      {
        view: "things",
        where: [{ field: "open", equals: true }],
        order: { field: "size", direction: "descending" }
      },
      "agc"
    ],
    [
      "a field within a list",
      {
        view: "things",
        where: [{ field: "owner", in: ["x", "y"] }],
        order: { field: "name", direction: "ascending" }
      },
      "cgbae"
    ]
  ]
  for (const [title, query, expected] of orders)
    opened(`[STORAGE-10] pages ordered by ${title} neither skip nor repeat`, async (driver) => {
      await stock(driver)
      for (const limit of [1, 2, 3, expected.length, 100]) {
        const keys: Array<string> = []
        let after: { readonly value: FieldValue; readonly key: string } | undefined
        let pages = 0
        do {
          const page: Page = await driver.query("w", { ...query, limit, ...(after === undefined ? {} : { after }) })
          keys.push(...page.documents.map(({ key }) => key))
          ok(page.documents.length <= limit, "a page is no longer than its limit")
          after = page.next
          ok(++pages <= expected.length, "pages end")
        } while (after !== undefined)
        equal(keys.join(""), expected, `pages of ${limit}`)
        equal(pages, Math.max(1, Math.ceil(expected.length / limit)), `number of pages of ${limit}`)
      }
    })

  opened("[STORAGE-10] a page goes on where it ended though documents came, went and moved", async (driver) => {
    await stock(driver)
    const query: Query = { view: "things", order: { field: "size", direction: "ascending" }, limit: 4 }
    const { next } = await driver.query("w", query)
    const changes = [
      { view: "things", key: "g", delete: true as const },
      { view: "things", key: "e", put: { size: 99 } },
      { view: "things", key: "aa", put: { size: 2 } }
    ]
    committed(await one(driver, { workspace: "w", views: changes }))
    const page = await driver.query("w", { ...query, after: next!, limit: 9 })
    equal(page.documents.map(({ key }) => key).join(" "), "a aa b f d e", "rest")
  })

  const wrong: ReadonlyArray<readonly [string, Query]> = [
    ["an undeclared field", { view: "things", where: [{ field: "colour", equals: "red" }], limit: 1 }],
    ["an undeclared order", { view: "things", order: { field: "colour", direction: "ascending" }, limit: 1 }],
    ["a value of another type", { view: "things", where: [{ field: "size", atLeast: "2" }], limit: 1 }],
    ["an unknown view", { view: "nothing", limit: 1 }],
    ["a limit of 0", { view: "things", limit: 0 }]
  ]
  for (const [title, query] of wrong)
    opened(`[STORAGE-11] a query with ${title} is refused`, async (driver) => {
      await rejects(() => driver.query("w", query), title)
    })
}
