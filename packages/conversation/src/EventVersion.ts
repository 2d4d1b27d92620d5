/**
 * Events have versions: old ones are brought up to date when they are read, one step at a time.
 *
 * @module
 */

/**
 * Turns the body of version n of one event type into version n + 1.
 *
 * **Gotchas** A personal field may be missing: its person was erased. Put it back (`Personal.join`) before a body is
 * brought up to date, and the stand-ins of an erased one after that.
 */
export type Upcast = (body: Readonly<Record<string, unknown>>) => Readonly<Record<string, unknown>>

/** The steps of every event type that has changed. **Shape** for each event type the steps from version 1 on: `[from1to2, from2to3]`. A type not named is at version 1. */
export type Upcasts = Readonly<Record<string, ReadonlyArray<Upcast>>>

/** The version that is written now. */
export const current = (upcasts: Upcasts, type: string): number => (upcasts[type]?.length ?? 0) + 1

/** The event is newer than this code: an older release reads a journal that a newer one wrote. */
export interface UnknownVersion {
  readonly code: "unknownVersion"
  readonly type: string
  readonly version: number
  readonly newest: number
  readonly message: string
}

/**
 * A body brought up to date, or why it can't be.
 *
 * **Fails with** `unknownVersion` when the event is newer than this release.
 *
 * **Example**
 *
 * ```ts
 * import { strict as assert } from "node:assert"
 * import { EventVersion } from "@switchboard/conversation"
 *
 * // Once the event had a title; since version 2 it is called subject.
 * const upcasts: EventVersion.Upcasts = {
 *   TicketNamed: [({ title, ...rest }) => ({ ...rest, subject: title })]
 * }
 * assert.equal(EventVersion.current(upcasts, "TicketNamed"), 2)
 * assert.deepEqual(EventVersion.upcast(upcasts, "TicketNamed", 1, { title: "Refund" }), {
 *   ok: true,
 *   value: { subject: "Refund" }
 * })
 * assert(!EventVersion.upcast(upcasts, "TicketNamed", 3, {}).ok)
 * ```
 */
export const upcast = (
  upcasts: Upcasts,
  type: string,
  version: number,
  body: Readonly<Record<string, unknown>>
):
  | { readonly ok: true; readonly value: Readonly<Record<string, unknown>> }
  | { readonly ok: false; readonly error: UnknownVersion } => {
  const newest = current(upcasts, type)
  if (version > newest || version < 1) {
    return {
      ok: false,
      error: {
        code: "unknownVersion",
        type,
        version,
        newest,
        message:
          version > newest
            ? `${type} has version ${version}, this release knows up to ${newest}; run a newer release`
            : `${type} has version ${version}, but versions begin at 1; the journal is damaged`
      }
    }
  }
  const steps = upcasts[type] ?? []
  return { ok: true, value: steps.slice(version - 1).reduce((found, step) => step(found), body) }
}

/** The steps of this release: every event is still at its first version. */
export const upcasts: Upcasts = {}
