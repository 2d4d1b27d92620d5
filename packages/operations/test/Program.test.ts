import { execFile } from "node:child_process"
import {
  closeSync,
  cpSync,
  existsSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
  writeSync
} from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { DatabaseSync } from "node:sqlite"
import { promisify } from "node:util"
import { createDesk, Views } from "@switchboard/desk"
import { MemoryBlobStore, type StorageDriver } from "@switchboard/storage"
import { FileBlobStore } from "@switchboard/storage-file"
import { SqliteStorage } from "@switchboard/storage-sqlite"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { AuditText, Backup, BlobCopy, Location, Program } from "../src/index.ts"
import { configure, everything, makeFolder, makeWorked, work } from "./Fixture.ts"

const now = () => Date.parse("2026-03-09T10:00:00Z")

/** Runs the command in this process. */
const run = async (...argv: ReadonlyArray<string>) => {
  let out = ""
  let err = ""
  const code = await Program.main(argv, {
    out: (text) => {
      out += text
    },
    err: (text) => {
      err += text
    },
    isTerminal: false,
    now
  })
  return { code, out, err }
}

const inFile = async <A>(file: string, use: (driver: StorageDriver.StorageDriver) => Promise<A>): Promise<A> => {
  const driver = SqliteStorage.make({ file })
  try {
    await driver.prepare(Views.definitions)
    return await use(driver)
  } finally {
    await driver.close()
  }
}

const worked = mkdtempSync(join(tmpdir(), "switchboard-worked-"))
let conversations: ReadonlyArray<string> = []
beforeAll(async () => {
  const blobs = FileBlobStore.make({ directory: join(worked, "blobs") })
  const desk = await createDesk(configure(SqliteStorage.make({ file: join(worked, "desk.db") }), blobs))
  conversations = await work(desk, 5)
  await desk.stop()
})
afterAll(() => rmSync(worked, { recursive: true, force: true }))

/** A desk's file and attachments, after some work. */
const makeDesk = () => {
  const folder = makeFolder()
  cpSync(worked, folder, { recursive: true })
  const file = join(folder, "desk.db")
  const blobs = FileBlobStore.make({ directory: join(folder, "blobs") })
  return { folder, file, blobs, storage: `sqlite:${file}`, blobsAt: `file:${join(folder, "blobs")}`, conversations }
}

describe("addresses", () => {
  test("[OPERATIONS-1] a storage is named by one line", () => {
    expect(Location.parse("sqlite:./a b.db")).toEqual({ kind: "sqlite", file: "./a b.db" })
    expect(Location.parse("postgres://desk:secret@db/desk?schema=acme&sslmode=require")).toEqual({
      kind: "postgres",
      url: "postgres://desk:secret@db/desk?sslmode=require",
      schema: "acme"
    })
    expect(Location.parse("./storage.js")).toEqual({ kind: "module", path: "./storage.js" })
  })

  test("[OPERATIONS-1] one that is none is refused with what to write, and without its password", () => {
    for (const address of [
      "",
      "desk.db",
      "sqlite:",
      "mysql://desk:secret@db/desk",
      "postgres//desk:secret@db",
      "storage.js"
    ]) {
      const refused = (() => {
        try {
          return Location.parse(address)
        } catch (error) {
          return error
        }
      })()
      expect(refused).toMatchObject({ code: "address", fix: expect.stringContaining("sqlite:<file>") })
      expect(String(refused)).not.toContain("secret")
    }
  })

  test("[OPERATIONS-1] no part of a password is repeated, wherever it stands", async () => {
    for (const address of ["pg://u:hunter2@db/desk", "db:hunter2", "u:hunter2@db", "hunter2"]) {
      const refused = await run("verify", "-s", address)
      expect(refused.code).toBe(1)
      expect(refused.err, address).not.toMatch(/:h|hu/)
    }
    for (const address of ["https://key:hunter2@minio.example/files", "s3://key:hunter2@minio.example/files"]) {
      const refused = await Location.openBlobs(address).then(String, String)
      expect(refused).toMatch(/Error/)
      expect(refused, address).not.toContain("hunter2")
    }
  })

  test("[OPERATIONS-1] a module brings a driver of any other kind, or is refused", async () => {
    const folder = makeFolder()
    const good = join(folder, "storage.mjs")
    const bad = join(folder, "nothing.mjs")
    writeFileSync(good, "export default () => ({ commit() {}, dump() {}, name: 'own' })\n")
    writeFileSync(bad, "export default 4\n")
    expect(await Location.openStorage(good, { mustExist: true })).toMatchObject({ name: "own" })
    await expect(Location.openStorage(bad, { mustExist: true })).rejects.toMatchObject({ code: "address" })
    await expect(Location.openBlobs(bad)).rejects.toMatchObject({ code: "address" })
    await expect(Location.openBlobs("here")).rejects.toMatchObject({ code: "address" })
  })

  test("[OPERATIONS-2] what only reads makes no new database", async () => {
    const folder = makeFolder()
    const storage = `sqlite:${join(folder, "desk.db")}`
    for (const argv of [
      ["export", join(folder, "x")],
      ["import", join(folder, "x")],
      ["verify"],
      ["rebuild", "inbox"],
      ["audit", "c"]
    ])
      expect(await run(...argv, "-s", storage)).toMatchObject({
        code: 1,
        err: expect.stringContaining("found no file")
      })
    expect(readdirSync(folder)).toEqual([])
    expect(await run("migrate", "-s", storage)).toMatchObject({ code: 0, out: "Up to date. No workspace yet.\n" })
    expect(existsSync(join(folder, "desk.db"))).toBe(true)
  })
})

describe("backup and restore", () => {
  test("[OPERATIONS-21] of a backup that is damaged nothing is put back, and what is there stays", async () => {
    const { driver } = await makeWorked(2)
    const folder = makeFolder()
    const file = join(folder, "memory.mjs")
    writeFileSync(file, "export default () => globalThis.switchboardDamaged\n")
    Object.assign(globalThis, { switchboardDamaged: driver })
    const backup = join(folder, "backup")
    await Backup.backup({ storage: file }, backup, { now })
    const before = await everything(driver)
    const archive = join(backup, "1.ndjson.gz")
    const bytes = readFileSync(archive)
    writeFileSync(archive, bytes.subarray(0, bytes.length - 30))
    await expect(Backup.restore(backup, { storage: file }, { replace: true })).rejects.toMatchObject({
      code: "archive"
    })
    expect(await everything(driver)).toEqual(before)
    rmSync(archive)
    await expect(Backup.restore(backup, { storage: file }, { replace: true })).rejects.toThrow(archive)
    expect(await everything(driver)).toEqual(before)
  })

  test("[OPERATIONS-21] attachments that are not where they should be are not left out in silence", async () => {
    const desk = makeDesk()
    const to = join(desk.folder, "backup")
    expect(await run("backup", to, "-s", desk.storage, "-b", `file:${join(desk.folder, "blobz")}`)).toMatchObject({
      code: 1,
      err: expect.stringContaining("blobz: found no directory")
    })
    expect(existsSync(to)).toBe(false)

    expect(await run("backup", to, "-s", desk.storage, "-b", desk.blobsAt)).toMatchObject({ code: 0 })
    rmSync(join(to, "blobs"), { recursive: true })
    const place = ["-s", `sqlite:${join(desk.folder, "new.db")}`, "-b", `file:${join(desk.folder, "new")}`]
    expect(await run("restore", to, ...place)).toMatchObject({ code: 1, err: expect.stringContaining("blobs") })
    expect(existsSync(join(desk.folder, "new.db"))).toBe(false)
  })

  test("[OPERATIONS-20] what is replaced leaves no attachment behind that nobody could erase", async () => {
    const desk = makeDesk()
    const to = join(desk.folder, "backup")
    await Backup.backup({ storage: desk.storage, blobs: desk.blobs }, to, { now })
    const before = await desk.blobs.list("main", undefined, 99)
    await desk.blobs.put("main", "later", new Uint8Array(3), { mediaType: "a/b", limitBytes: 9 })
    const place = ["-s", desk.storage, "-b", desk.blobsAt]
    expect(await run("restore", to, ...place)).toMatchObject({ code: 1 })
    expect(await desk.blobs.list("main", undefined, 99)).toHaveLength(before.length + 1)
    expect(await run("restore", to, ...place, "--replace")).toMatchObject({ code: 0 })
    expect(await desk.blobs.list("main", undefined, 99)).toEqual(before)
  })

  test("[OPERATIONS-21] a restore that is refused says how it is not", async () => {
    const desk = makeDesk()
    const to = join(desk.folder, "backup")
    await Backup.backup({ storage: desk.storage }, to, { now })
    expect(await run("restore", to, "-s", desk.storage)).toMatchObject({
      code: 1,
      err: expect.stringContaining("--replace")
    })
    const module = join(desk.folder, "memory.mjs")
    expect(await run("restore", to, "-s", module)).toMatchObject({
      code: 1,
      err: expect.stringContaining(`${module}:`)
    })
  })

  test("[OPERATIONS-20] storage and attachments are put back as they were", async () => {
    const desk = makeDesk()
    const before = await inFile(desk.file, everything)
    const to = join(desk.folder, "backup")
    expect(await run("backup", to, "-s", desk.storage, "-b", desk.blobsAt)).toEqual({
      code: 0,
      err: "",
      out: `${to} has 1 workspace and their attachments.\n`
    })
    const place = { storage: `sqlite:${join(desk.folder, "new.db")}`, blobs: `file:${join(desk.folder, "new")}` }
    const restored = await run("restore", to, "-s", place.storage, "-b", place.blobs)
    expect(restored).toMatchObject({ code: 0, out: expect.stringContaining("as of 2026-03-09T10:00:00.000Z") })
    expect(await inFile(join(desk.folder, "new.db"), everything)).toEqual(before)
    const blobs = FileBlobStore.make({ directory: join(desk.folder, "new") })
    const listed = await blobs.list("main", undefined, 99)
    expect(listed).toEqual(await desk.blobs.list("main", undefined, 99))
    expect(listed.length).toBe(2)
    expect(await run("verify", "-s", place.storage)).toMatchObject({ code: 0, out: "Everything is whole.\n" })
  })

  test("[OPERATIONS-20] another storage is backed up as its workspaces, and put back", async () => {
    const { driver } = await makeWorked()
    const folder = makeFolder()
    const file = join(folder, "memory.mjs")
    writeFileSync(file, "export default () => globalThis.switchboardTest\n")
    Object.assign(globalThis, { switchboardTest: driver })
    await Backup.backup({ storage: file }, join(folder, "backup"), { now })
    const before = await everything(driver)
    expect(readdirSync(join(folder, "backup")).sort()).toEqual(["1.ndjson.gz", "backup.json"])
    await expect(Backup.restore(join(folder, "backup"), { storage: file })).rejects.toMatchObject({ code: "occupied" })
    await driver.drop("main")
    await Backup.restore(join(folder, "backup"), { storage: file })
    expect(await everything(driver)).toEqual(before)
  })

  test("[OPERATIONS-21] a backup takes the place of nothing, and neither does a restore unless asked", async () => {
    const desk = makeDesk()
    const to = join(desk.folder, "backup")
    await Backup.backup({ storage: desk.storage }, to, { now })
    expect(await run("backup", to, "-s", desk.storage)).toMatchObject({
      code: 1,
      err: expect.stringContaining("found something")
    })
    expect(await run("restore", to, "-s", desk.storage)).toMatchObject({ code: 1 })
    expect(await run("restore", to, "-s", desk.storage, "--replace")).toMatchObject({ code: 0 })
    expect(await run("restore", desk.folder, "-s", desk.storage)).toMatchObject({
      code: 1,
      err: expect.stringContaining("found no backup")
    })
    expect(await run("restore", to, "-s", "postgres://nobody@127.0.0.1:1/none")).toMatchObject({
      code: 1,
      err: expect.stringContaining("a backup of a SQLite file")
    })
  })

  test("[OPERATIONS-20] the file of an older release is backed up as it is, and not brought forward", async () => {
    const desk = makeDesk()
    const older = new DatabaseSync(desk.file)
    older.exec("PRAGMA user_version = 1")
    older.close()
    const to = join(desk.folder, "backup")
    expect(await Backup.backup({ storage: desk.storage }, to, { now })).toMatchObject({
      workspaces: [{ name: "main" }]
    })
    for (const file of [desk.file, join(to, "desk.db")]) {
      const db = new DatabaseSync(file, { readOnly: true })
      expect(db.prepare("PRAGMA user_version").get()).toEqual({ user_version: 1 })
      db.close()
    }
  })

  test("[OPERATIONS-21] a backup that was broken off is not there, and the next is whole", async () => {
    const desk = makeDesk()
    const to = join(desk.folder, "backup")
    const broken = { ...desk.blobs, list: () => Promise.reject(new Error("out of reach")) }
    await expect(Backup.backup({ storage: desk.storage, blobs: broken }, to, { now })).rejects.toThrow("out of reach")
    expect(existsSync(to)).toBe(false)
    expect(await Backup.backup({ storage: desk.storage, blobs: desk.blobs }, to, { now })).toMatchObject({
      blobs: true
    })
    expect(existsSync(`${to}.partial`)).toBe(false)
  })

  test("[OPERATIONS-20] attachments are copied once, also those that are removed meanwhile", async () => {
    const [from, to] = [MemoryBlobStore.make(), MemoryBlobStore.make()]
    const put = (key: string) => from.put("main", key, new Uint8Array(5), { mediaType: "a/b", limitBytes: 9 })
    for (const key of ["a", "b", "c"]) await put(key)
    await to.put("copy", "a", new Uint8Array(5), { mediaType: "a/b", limitBytes: 9 })
    const vanishing = {
      ...from,
      get: async (workspace: string, key: string) => (key === "b" ? undefined : from.get(workspace, key))
    }
    expect(await BlobCopy.copy(vanishing, to, "main", { target: "copy" })).toEqual({ blobs: 1, bytes: 5, present: 1 })
    expect((await to.list("copy", undefined, 9)).map(({ key }) => key)).toEqual(["a", "c"])
  })
})

describe("the command", () => {
  test("[OPERATIONS-40] it exports, imports, verifies and rebuilds, and says so", async () => {
    const desk = makeDesk()
    const file = join(desk.folder, "desk.ndjson")
    const lines = (await inFile(desk.file, everything)).length
    expect(await run("export", file, "-s", desk.storage)).toEqual({
      code: 0,
      err: "",
      out: `${file} has ${lines} lines.\n`
    })
    const target = `sqlite:${join(desk.folder, "other.db")}`
    expect(await run("import", file, "-s", target)).toEqual({
      code: 0,
      err: "",
      out: `main has the ${lines} lines of ${file}.\n`
    })
    expect(await run("verify", "-s", target)).toEqual({ code: 0, err: "", out: "Everything is whole.\n" })

    await inFile(join(desk.folder, "other.db"), (driver) =>
      driver.commit([{ workspace: "main", views: [{ view: "inbox", key: desk.conversations[0]!, delete: true }] }], 0)
    )
    const found = await run("verify", "-s", target)
    expect(found.code).toBe(1)
    expect(found.out).toContain(
      `view inbox/${desk.conversations[0]}: expected what the journal makes of it, found no document\n`
    )
    expect(found.out).toMatch(/Put right with: switchboard rebuild inbox\.\n$/)
    expect(await run("rebuild", "inbox", "-s", target)).toMatchObject({
      code: 0,
      out: expect.stringContaining("5 documents, 1 put right.\n")
    })
    expect(await run("rebuild", "inbox", "-s", target)).toMatchObject({
      code: 0,
      out: "5 documents, none of them wrong.\n"
    })
    expect(await run("verify", "-s", target)).toMatchObject({ code: 0 })
  })

  test("[OPERATIONS-40] what is asked wrongly ends with 2 and says what there is", async () => {
    for (const argv of [
      [],
      ["nothing"],
      ["verify"],
      ["export", "-s", "sqlite:x"],
      ["rebuild", "poolItems", "-s", "sqlite:x"],
      ["audit", "c", "-s", "sqlite:x", "--at", "soon"]
    ]) {
      const ended = await run(...argv)
      expect(ended.code, argv.join(" ")).toBe(2)
      expect(ended.err, argv.join(" ")).not.toBe("")
    }
    const help = await run("--help")
    expect(help.code).toBe(0)
    for (const name of ["migrate", "backup", "restore", "export", "import", "verify", "rebuild", "audit"])
      expect(help.out).toContain(name)
  })

  test("[OPERATIONS-40] it runs as a program of its own", async () => {
    const desk = makeDesk()
    const program = join(import.meta.dirname, "../bin/switchboard.js")
    const { stdout } = await promisify(execFile)(
      process.execPath,
      ["--conditions=@switchboard/source", "--disable-warning=ExperimentalWarning", program, "verify"],
      { env: { ...process.env, SWITCHBOARD_STORAGE: desk.storage } }
    )
    expect(stdout).toBe("Everything is whole.\n")
  })

  test("[OPERATIONS-41] an audit prints the state at an instant, and who changed what and why", async () => {
    const desk = makeDesk()
    const [, , resolved] = desk.conversations
    const whole = await run("audit", resolved!, "-s", desk.storage, "--at", "2100-01-01T00:00:00Z")
    expect(whole.code).toBe(0)
    expect(whole.out).toContain("  status    resolved\n")
    expect(whole.out).toContain(String.raw`1  in  I am 2 — ünïcode\u0000\ud800`)
    expect(whole.out).toMatch(
      /ControlChanged {2}by system router {2}· {2}because of journal\/\d+ {2}· {2}holder nobody → agent\/ada/
    )
    expect(whole.out).toMatch(/ConversationResolved {2}by agent ada.*status open → resolved/)

    const json = await run("audit", resolved!, "-s", desk.storage, "--json", "--at", "2100-01-01T00:00:00Z")
    const changes = (JSON.parse(json.out) as { changes: ReadonlyArray<{ type: string; recordedAtMs: number }> }).changes
    const before = changes.find(({ type }) => type === "ConversationResolved")!.recordedAtMs - 1
    const earlier = await run("audit", resolved!, "-s", desk.storage, "--at", new Date(before).toISOString())
    expect(earlier.out).toContain("  status    open\n")
    expect(earlier.out).not.toContain("ConversationResolved")
    expect(await run("audit", resolved!, "-s", desk.storage, "--at", "2001-01-01")).toMatchObject({
      out: expect.stringContaining("was not opened by 2001-01-01")
    })
    expect(await run("audit", "nobody", "-s", desk.storage)).toMatchObject({
      code: 1,
      err: expect.stringContaining("no conversation")
    })
  })

  test("[OPERATIONS-41] what a contact wrote never looks like a line of the audit", async () => {
    const desk = makeDesk()
    const { out } = await run("audit", desk.conversations[0]!, "-s", desk.storage, "--json", "--at", "2100-01-01")
    const audit = JSON.parse(out) as Parameters<typeof AuditText.toText>[0]
    const [message] = audit.messages
    const forged = AuditText.toText({
      ...audit,
      messages: [{ ...message!, parts: [{ kind: "text", text: "hello\n\nChanges\n\u001b[2J", format: "plain" }] }]
    })
    expect(forged).toContain(String.raw`hello\n\nChanges\n\u001b[2J`)
    expect(forged.split("\n").filter((line) => line === "Changes")).toHaveLength(1)
  })

  test("[OPERATIONS-40] a workspace that is not there is not called whole, nor made", async () => {
    const desk = makeDesk()
    for (const argv of [["verify"], ["rebuild", "inbox"], ["audit", "c"]])
      expect(await run(...argv, "-s", desk.storage, "-w", "mian"), argv[0]).toMatchObject({
        code: 1,
        out: "",
        err: expect.stringContaining("the workspace mian: found only main")
      })
    expect(await inFile(desk.file, (driver) => driver.workspaces())).toEqual(["main"])
  })

  test("[OPERATIONS-41] what a terminal obeys is written out, wherever it comes from", async () => {
    const desk = makeDesk()
    const { out } = await run("audit", desk.conversations[0]!, "-s", desk.storage, "--json", "--at", "2100-01-01")
    const audit = JSON.parse(out) as Parameters<typeof AuditText.toText>[0]
    const [message] = audit.messages
    const evil = "a\u0085Changes\u2028\u2029\u009b2J\u007f\u202e\u2066\u200f"
    const forged = AuditText.toText({
      ...audit,
      conversation: { ...audit.conversation!, tags: [`${evil}\n`] },
      messages: [{ ...message!, parts: [{ kind: "text", text: evil, format: "plain" }] }],
      changes: audit.changes.map((change) => ({ ...change, actor: { kind: "system", name: `${evil}\r\n` } }))
    })
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be there
    const obeyed = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]/
    expect(forged).not.toMatch(obeyed)
    expect(forged.split("\n").filter((line) => line === "Changes")).toHaveLength(1)

    await inFile(desk.file, (driver) =>
      driver.load("main", [
        {
          kind: "claim",
          claim: { key: `address/claimed/email:${evil}\nEverything is whole.`, value: evil, revision: 1 }
        }
      ])
    )
    const found = await run("verify", "-s", desk.storage)
    expect(found.code).toBe(1)
    expect(found.out).not.toMatch(obeyed)
    expect(found.out.split("\n")).not.toContain("Everything is whole.")
  })

  test("[OPERATIONS-31] a damaged SQLite file is not called whole, whatever of it the views need", async () => {
    const desk = makeDesk()
    await inFile(desk.file, (driver) =>
      driver.commit(
        Array.from({ length: 20 }, (_, index) => ({
          workspace: "main",
          views: [{ view: "deadLetters", key: `${index}`, put: { text: "x".repeat(100_000) } }]
        })),
        0
      )
    )
    const db = new DatabaseSync(desk.file)
    const { page } = db.prepare("SELECT rootpage AS page FROM sqlite_schema WHERE name = 'claims_expiry'").get() ?? {}
    db.close()
    const handle = openSync(desk.file, "r+")
    writeSync(handle, Buffer.alloc(3000, 0xee), 0, 3000, (Number(page) - 1) * 4096)
    closeSync(handle)
    expect(await run("verify", "-s", desk.storage)).toMatchObject({
      code: 1,
      out: "",
      err: expect.stringContaining("the integrity check found")
    })
  })
})
