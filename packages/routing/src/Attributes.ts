/**
 * What an application knows of its agents and items beyond skills, teams and languages: a region, a contract, a score.
 *
 * Which attributes there are, and of which type, is the application's choice: `Vocabulary` holds its schemas.
 *
 * @module
 */
import * as z from "zod"

const text = z.string().max(1024)

/** One attribute: a text, a number, a yes or no, or a list of texts. */
export const Attribute = z.union([text, z.number(), z.boolean(), z.array(text).max(1000).readonly()], {
  error: "expected a text, a number, true or false, or a list of texts"
})
export type Attribute = z.infer<typeof Attribute>

/** Attributes by name. */
export const Attributes = z.record(z.string().min(1).max(128), Attribute).readonly()
export type Attributes = z.infer<typeof Attributes>

/** The attribute of this name; undefined when there is none. */
export const get = (attributes: Attributes | undefined, name: string): Attribute | undefined =>
  attributes !== undefined && Object.hasOwn(attributes, name) ? attributes[name] : undefined
