import { Contact, ConversationCommand, ConversationEvent, JsonSchema } from "@switchboard/conversation"
import { describe, expect, test } from "vitest"

/** What stands in a JSON value at a path. */
const at = (value: unknown, ...path: ReadonlyArray<string | number>): unknown =>
  path.reduce<unknown>((found, name) => (found as Record<string | number, unknown> | undefined)?.[name], value)

const everyPart = (value: unknown): ReadonlyArray<Record<string, unknown>> =>
  typeof value !== "object" || value === null
    ? []
    : [
        ...(Array.isArray(value) ? [] : [value as Record<string, unknown>]),
        ...Object.values(value).flatMap((inner) => everyPart(inner))
      ]

const unions = [
  ConversationCommand.ConversationCommand,
  ConversationEvent.ConversationEvent,
  Contact.ContactCommand,
  Contact.ContactEvent
] as const
const types = unions.flatMap((union) => union.options.map((option) => option.shape.type.value as string))
const names = Object.keys(JsonSchema.schemas)

describe("JSON Schema", () => {
  test("[SCHEMA-1] every command, event and document has one under its own name", () => {
    expect(names.sort()).toEqual(["Agent", "Team", "Contact", "Conversation", "Message", ...types].sort())
    expect(new Set(types).size).toBe(types.length)
    expect(JsonSchema.toJsonSchema("Nothing")).toBeUndefined()
  })

  test.each(names)("[SCHEMA-2] %s is an object of draft 2020-12, plain JSON", (name) => {
    const schema = JsonSchema.toJsonSchema(name)
    expect(at(schema, "$schema")).toBe("https://json-schema.org/draft/2020-12/schema")
    expect(at(schema, "type")).toBe("object")
    expect(JSON.parse(JSON.stringify(schema))).toEqual(schema)
    // What can't be said in JSON Schema would stand as {}, which allows everything.
    const properties = Object.values(at(schema, "properties") as Record<string, object>)
    expect(properties.filter((property) => Object.keys(property).length === 0)).toEqual([])
    for (const part of everyPart(schema)) {
      if (Array.isArray(part["required"])) {
        expect(Object.keys(part["properties"] as object)).toEqual(expect.arrayContaining(part["required"]))
      }
    }
  })

  test.each(types)("[SCHEMA-3] %s requires its type, and events their meta", (type) => {
    const schema = JsonSchema.toJsonSchema(type)
    expect(at(schema, "properties", "type", "const")).toBe(type)
    expect(at(schema, "required")).toContain("type")
    const isEvent = [...unions[1].options, ...unions[3].options].some((option) => option.shape.type.value === type)
    expect((at(schema, "required") as ReadonlyArray<string>).includes("meta")).toBe(isEvent)
    // A command with a field that nobody knows is refused; an event may be read by an older release.
    expect(at(schema, "additionalProperties")).toBe(isEvent ? undefined : false)
  })

  test("[SCHEMA-4] limits and units are there", () => {
    const snooze = JsonSchema.toJsonSchema("SnoozeConversation")
    expect(at(snooze, "properties", "untilMs")).toMatchObject({ type: "integer" })
    expect(at(snooze, "required")).toEqual(["type", "untilMs"])
    expect(at(JsonSchema.toJsonSchema("AddTag"), "properties", "tag")).toMatchObject({ minLength: 1, maxLength: 64 })
    expect(at(JsonSchema.toJsonSchema("Conversation"), "properties", "status", "enum")).toEqual([
      "open",
      "pending",
      "snoozed",
      "resolved",
      "closed"
    ])
  })

  test.each([
    ["Contact", ["name"], null],
    ["Contact", ["addresses"], []],
    ["Conversation", ["subject"], ""],
    ["Conversation", ["threads", "items", "properties", "key"], "erased"],
    ["Message", ["parts"], []],
    ["MessageReceived", ["message", "properties", "parts"], []],
    ["ConversationOpened", ["thread", "properties", "recipients"], []],
    ["AddressAdded", ["address"], { kind: "erased", value: "erased", state: "claimed" }]
  ])("[SCHEMA-5] %s marks what is personal, with its stand-in: %j", (name, path, erased) => {
    expect(at(JsonSchema.toJsonSchema(name), "properties", ...path)).toMatchObject({ personal: true, erased })
  })
})
