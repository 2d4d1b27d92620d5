// Says that it is ready, opens storage in a file once it is told to, commits, and ends.
import { once } from "node:events"
import { SqliteStorage } from "@switchboard/storage-sqlite"

const [file, name] = process.argv.slice(2)
const driver = SqliteStorage.make({ file: file! })
process.stdout.write("ready\n")
await once(process.stdin, "data")
await driver.prepare([{ name: "things", version: 1, fields: { size: "number" }, indexes: [["size"]], words: ["text"] }])
await driver.commit([{ workspace: name!, claims: [{ key: "k", value: "v" }] }], 0)
await driver.close()
process.exit()
