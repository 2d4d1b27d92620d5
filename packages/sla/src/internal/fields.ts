/** Dates and times of day as calendars write them. */
import * as z from "zod"
import { isDate } from "./holidays.ts"

export const FullDate: z.ZodType<string> = z
  .string()
  .refine(
    (date) =>
      /^\d{4}-\d\d-\d\d$/.test(date) &&
      isDate(Number(date.slice(0, 4)), Number(date.slice(5, 7)), Number(date.slice(8))),
    `expected a date such as "2026-12-25"`
  )

/** `12-25`; 29 February is one. */
export const YearlyDate: z.ZodType<string> = z
  .string()
  .refine(
    (date) => /^\d\d-\d\d$/.test(date) && isDate(2000, Number(date.slice(0, 2)), Number(date.slice(3))),
    `expected a date such as "12-25"`
  )

export const Time: z.ZodType<string> = z
  .string()
  .regex(/^([01]\d|2[0-3]):[0-5]\d$/, `expected a time from "00:00" to "23:59"`)

export const EndTime: z.ZodType<string> = z
  .string()
  .regex(/^(([01]\d|2[0-3]):[0-5]\d|24:00)$/, `expected a time from "00:00" to "24:00"`)
