/** What went wrong, in words for an agent. */
import { DeskFault } from "./DeskClient.ts"
import { toCapital } from "./Format.ts"

const sentences: Readonly<Record<string, string>> = {
  unreachable: "The desk can't be reached. Check your connection; nothing was lost.",
  wrongPassword: "That password is not right.",
  staleFence: "Somebody else took this conversation over in the meantime.",
  notInControl: "You don't hold this conversation at the moment.",
  notAllowed: "Your role does not allow that.",
  conversationClosed: "This conversation is closed for good.",
  conversationMerged: "This conversation goes on in another one.",
  statusNotAllowed: "That is not possible in the state this conversation is in now.",
  snoozeInThePast: "Choose a time that is still to come.",
  threadUnknown: "That channel is no longer part of this conversation.",
  messageDeleted: "That message was deleted.",
  deliveryUnknown: "That delivery is not known any more.",
  limit: "That is more than this conversation can hold.",
  agent_offline: "You are offline. Set your presence to Available first.",
  capacity_full: "You hold as much as you can at once. Resolve or pass on something first.",
  not_eligible: "This one asks for another team or skill. Take another, or ask a supervisor to assign it.",
  item_offered: "This one is being offered to a colleague right now.",
  item_taken: "Somebody else has it already.",
  item_unknown: "This one is no longer waiting.",
  offer_expired: "Too late: the time for this offer was over.",
  offer_over: "Too late: this offer is over.",
  offer_unknown: "Too late: this offer is over.",
  offer_not_yours: "That offer was for somebody else.",
  credentialNeeded: "You were signed out. Sign in again."
}

/** A sentence that says what happened and, where it helps, what the desk said about it. */
export const toSentence = (error: unknown): string => {
  if (!(error instanceof DeskFault)) return "Something unexpected happened. Try again."
  const known = sentences[error.code]
  if (known !== undefined) return known
  if (error.code === "requestInvalid") {
    const [first] = (error.facts["errors"] ?? []) as ReadonlyArray<{
      readonly field: string
      readonly expected: string
    }>
    return first
      ? `The desk can't take this (${first.field.replace(/^body\./, "")}): it expects ${first.expected.replace(/^string to have <=(\d+) characters$/, "at most $1 characters")}.`
      : "The desk can't take this."
  }
  if (error.status === 413) return "That is too large. Send smaller or fewer files."
  if (error.status === 429 || error.status === 503) return "The desk is very busy. Try again in a moment."
  if (error.status >= 500) return "The desk had a problem. Try again."
  return `${toCapital(error.message)}.`.replace(/\.\.$/, ".")
}
