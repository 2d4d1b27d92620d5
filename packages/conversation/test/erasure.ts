import { Contact, ConversationEvent, Personal } from "@switchboard/conversation"
import * as z from "zod"

const options = [...ConversationEvent.ConversationEvent.options, ...Contact.ContactEvent.options]
const fieldsByType = new Map(options.map((option) => [option.shape.type.value as string, Personal.fields(option)]))

export const personalFieldsOf = (type: string): ReadonlyArray<Personal.PersonalField> => fieldsByType.get(type) ?? []

type Event = ConversationEvent.ConversationEvent | Contact.ContactEvent

/** An event as it comes back from a journal after its person was erased. */
export const erase = <E extends Event>(event: E): E => {
  const fields = personalFieldsOf(event.type)
  const { rest } = Personal.split(fields, event)
  return Personal.join(fields, JSON.parse(JSON.stringify(rest)), null) as E
}

/** A document without its personal fields, those in its lists included. */
export const withoutPersonal = (schema: z.ZodType, value: unknown): unknown => {
  if (schema.meta()?.["personal"] === true) return undefined
  if (schema instanceof z.ZodOptional) return withoutPersonal(schema.unwrap() as z.ZodType, value)
  if (value === undefined) return undefined
  if (schema instanceof z.ZodArray) {
    return (value as ReadonlyArray<unknown>).map((item) => withoutPersonal(schema.element as z.ZodType, item))
  }
  if (schema instanceof z.ZodObject) {
    return Object.fromEntries(
      Object.entries(schema.shape as Record<string, z.ZodType>)
        .map(([name, inner]) => [name, withoutPersonal(inner, (value as Record<string, unknown>)[name])] as const)
        .filter(([, inner]) => inner !== undefined)
    )
  }
  return value
}
