/**
 * Promises in business time: calendars, policies, targets and the clocks that measure them, as plain functions on plain
 * data.
 *
 * @module
 */
export * as Calendar from "./Calendar.ts"
export * as DecodeError from "./DecodeError.ts"
export * as Escalation from "./Escalation.ts"
export * as Explanation from "./Explanation.ts"
export * as Facts from "./Facts.ts"
export * as Holiday from "./Holiday.ts"
export * as Result from "./Result.ts"
export * as SlaClock from "./SlaClock.ts"
export * as SlaEvent from "./SlaEvent.ts"
export * as SlaPlan from "./SlaPlan.ts"
export * as SlaPolicy from "./SlaPolicy.ts"
export * as SlaRecord from "./SlaRecord.ts"
export * as SlaSignal from "./SlaSignal.ts"
export * as Target from "./Target.ts"
export * as Threshold from "./Threshold.ts"
