/** Workspaces and keys that look alike stay apart. */
import type { Commit } from "../../StorageDriver.ts"
import { equal } from "../Check.ts"
import { committed, event, type Opened, timer } from "./Given.ts"

export const workspaces = (opened: Opened): void => {
  const tricky: ReadonlyArray<readonly [readonly [string, string], readonly [string, string]]> = [
    [
      ["a/b", "c"],
      ["a", "b/c"]
    ],
    [
      ["a", "b"],
      ["A", "b"]
    ],
    [
      ["a", "b"],
      ["a ", "b"]
    ],
    [
      ["é", "k"],
      ["e\u0301", "k"]
    ],
    [
      ["1", "k"],
      ["01", "k"]
    ],
    [
      ["%", "k"],
      ["_", "k"]
    ],
    [
      ["a:b", ":c"],
      ["a", ":b:c"]
    ],
    [
      ["a'b", "k"],
      ["a''b", "k"]
    ]
  ]
  for (const [[first, key], [second, otherKey]] of tricky)
    opened(`[STORAGE-23] "${first}" with "${key}" and "${second}" with "${otherKey}" stay apart`, async (driver) => {
      const commit = (workspace: string, key: string, value: string): Commit => ({
        workspace,
        appends: [{ stream: key, expectedVersion: 0, events: [event("E", 0, { value })] }],
        views: [{ view: "things", key, put: { name: value } }],
        timers: [{ set: timer(key, 1, { payload: { value } }), revision: 0 }],
        cursor: { reader: key, from: 0, to: value.length },
        claims: [{ key, value }]
      })
      for (const outcome of await driver.commit([commit(first, key, "one"), commit(second, otherKey, "second")], 0))
        committed(outcome)
      for (const [workspace, own, value] of [
        [first, key, "one"],
        [second, otherKey, "second"]
      ] as const) {
        const found = {
          journal: (await driver.journal(workspace, 0, 9)).map(({ body }) => body.value),
          stream: (await driver.stream(workspace, own, 0, 9)).map(({ body }) => body.value),
          documents: (await driver.query(workspace, { view: "things", limit: 9 })).documents.map(
            ({ key, document }) => [key, document.name]
          ),
          timer: (await driver.timers(workspace, [own]))[0]?.payload.value,
          cursor: await driver.cursor(workspace, own),
          claim: (await driver.claims(workspace, [own], 0))[0]?.value
        }
        equal(
          found,
          {
            journal: [value],
            stream: [value],
            documents: [[own, value]],
            timer: value,
            cursor: value.length,
            claim: value
          },
          workspace
        )
      }
      if (key !== otherKey) equal(await driver.streamVersions(first, [otherKey]), [0], "the other's key")
    })
}
