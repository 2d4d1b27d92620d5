/**
 * Adapts a rich message to what a channel can show, and says what was lost.
 *
 * @module
 */
import type { Attachment } from "@switchboard/conversation"

/** One message in the channel's terms: at most one of each, within its limits. */
export interface RenderedMessage {
  readonly text?: { readonly body: string; readonly format: "plain" | "markdown" | "html" }
  readonly attachments: ReadonlyArray<{ readonly attachment: Attachment.Attachment; readonly caption?: string }>
  readonly choices?: ReadonlyArray<{ readonly id: string; readonly label: string; readonly url?: string }>
  readonly template?: { readonly name: string; readonly language: string; readonly parameters: ReadonlyArray<string> }
  readonly location?: {
    readonly latitude: number
    readonly longitude: number
    readonly name?: string
    readonly address?: string
  }
  readonly contactCard?: {
    readonly name: string
    readonly phones: ReadonlyArray<string>
    readonly emails: ReadonlyArray<string>
  }
}
