/**
 * JSON Schema (2020-12) of every command, event and document, for other languages and for OpenAPI.
 *
 * @module
 */
import * as z from "zod"
import { Agent, Team } from "./Agent.ts"
import { Contact, ContactCommand, ContactEvent } from "./Contact.ts"
import { Conversation } from "./Conversation.ts"
import { ConversationCommand } from "./ConversationCommand.ts"
import { ConversationEvent } from "./ConversationEvent.ts"
import { Message } from "./Message.ts"

/** The schemas by name: documents under theirs, commands and events under their type. */
export const schemas: Readonly<Record<string, z.ZodType>> = {
  Agent,
  Team,
  Contact,
  Conversation,
  Message,
  ...Object.fromEntries(
    [ConversationCommand, ConversationEvent, ContactCommand, ContactEvent].flatMap((union) =>
      union.options.map((option) => [option.shape.type.value, option])
    )
  )
}

/**
 * A JSON Schema by name; personal fields carry `"personal": true` and, in `"erased"`, their stand-in.
 *
 * **Example**
 *
 * ```ts
 * import { strict as assert } from "node:assert"
 * import { JsonSchema } from "@switchboard/conversation"
 *
 * const schema = JsonSchema.toJsonSchema("AddTag")
 * assert.equal(schema?.["$schema"], "https://json-schema.org/draft/2020-12/schema")
 * assert.deepEqual(schema?.["required"], ["type", "tag"])
 * assert(Object.keys(JsonSchema.schemas).includes("MessageReceived"))
 * ```
 */
export const toJsonSchema = (name: string): Record<string, unknown> | undefined => {
  const schema = schemas[name]
  return schema && (z.toJSONSchema(schema, { io: "input", unrepresentable: "any" }) as Record<string, unknown>)
}
