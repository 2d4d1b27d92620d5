/**
 * Why a command was refused: a code for programs, facts, and a sentence for people that says what to do.
 *
 * @module
 */

/** Every reason for which a command on a contact or a conversation can be refused. */
export type RejectionCode =
  | "contactUnknown"
  | "contactExists"
  | "contactMerged"
  | "contactErased"
  | "contentErased"
  | "notMerged"
  | "addressLimit"
  | "mergeIntoItself"
  | "conversationUnknown"
  | "conversationExists"
  | "conversationClosed"
  | "conversationMerged"
  | "threadUnknown"
  | "threadExists"
  | "messageUnknown"
  | "messageExists"
  | "messageDeleted"
  | "deliveryUnknown"
  | "attachmentUnknown"
  | "staleFence"
  | "notInControl"
  | "statusNotAllowed"
  | "snoozeInThePast"
  | "limit"
  | "notAllowed"
  | "notAnAuthor"

/**
 * A refusal.
 *
 * **Shape** `facts` hold what `message` says, for programs and for other languages.
 */
export interface Rejection {
  readonly code: RejectionCode
  readonly message: string
  readonly facts: Readonly<Record<string, unknown>>
}

/** A refusal. */
export const make = (code: RejectionCode, message: string, facts: Readonly<Record<string, unknown>>): Rejection => ({
  code,
  message,
  facts
})
