import { toLocalPart } from "../EmailAddress.ts"
import type { ParsedMail } from "./ParsedMail.ts"

/** Answering programs that say so nowhere but in the subject. */
const subjects =
  /^(?:automatic reply|auto[- ]?reply|autoreply|out of (?:the )?office|respuesta autom[áa]tica|fuera de la oficina|resposta autom[àa]tica|fora de l['’]oficina|automatische antwort|abwesenheitsnotiz|abwesend)\s*:/i

const systems = new Set(["mailer-daemon", "postmaster", "mail-daemon", "noreply-dmarc-support"])

/** Whether the author is a mail system. */
export const isFromSystem = ({ from }: ParsedMail): boolean =>
  from[0] !== undefined && systems.has(toLocalPart(from[0].address))

/**
 * Whether a program wrote the mail, or it went to many: such mail is recorded and never answered by a program.
 * Sources: RFC 3834, RFC 2919, MS-OXCMAIL 2.1.3.2.20.
 */
export const isAutomatic = (mail: ParsedMail, isNullSender: boolean, isMailingList: boolean): boolean => {
  const first = (name: string): string => mail.headers[name]?.[0]?.trim().toLowerCase() ?? ""
  const has = (name: string): boolean => mail.headers[name] !== undefined
  const submitted = first("auto-submitted").split(/[;\s]/)[0]
  if (submitted !== "" && submitted !== "no") return true
  const precedence = first("precedence")
  if (["bulk", "junk", "auto_reply", "auto-reply"].includes(precedence)) return true
  if (/\b(?:all|autoreply|oof|dr)\b/.test(first("x-auto-response-suppress"))) return true
  if (
    ["x-autoreply", "x-autorespond", "x-autoreply-from", "x-mail-autoreply"].some(has) &&
    first("x-autoreply") !== "no"
  )
    return true
  if (!isMailingList && (precedence === "list" || ["list-id", "list-unsubscribe", "list-post"].some(has))) return true
  return isNullSender || isFromSystem(mail) || subjects.test(mail.subject)
}
