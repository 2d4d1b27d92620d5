/** What the journal makes of conversations and contacts, folded as it is read. */
import { Contact, ConversationEvolution } from "@switchboard/conversation"
import type { DeskEvent } from "@switchboard/desk"
import { digest } from "./Digest.ts"
import { Held } from "./Held.ts"
import type { Ledger } from "./Ledger.ts"

/**
 * Adds the documents of each conversation and contact to a ledger, as they are once nothing has happened for a while.
 *
 * **Gotchas** something that happens later still does not change what was added, and so the ledger won't balance: whoever
 * it happened to has to be looked at by themselves.
 */
export class DocumentFold {
  readonly #conversations: Held<ConversationEvolution.State>
  readonly #contacts: Held<Contact.Contact>

  constructor(ledger: Ledger, held: number) {
    this.#conversations = new Held(held, (stream, { conversation, messages }) => {
      if (conversation) ledger.add(stream, "documents", digest("conversations", conversation.id, conversation))
      for (const [id, message] of messages) ledger.add(stream, "documents", digest("messages", id, message))
    })
    this.#contacts = new Held(held, (stream, contact) =>
      ledger.add(stream, "documents", digest("contacts", contact.id, contact))
    )
  }

  take({ family, stream, version, event }: DeskEvent.Recorded): void {
    if (family === "conversation") {
      const state = version === 1 ? ConversationEvolution.empty : this.#conversations.get(stream)
      if (state) this.#conversations.set(stream, ConversationEvolution.evolve(state, event))
    } else if (family === "contact") {
      const contact = this.#contacts.get(stream)
      if (contact || version === 1) this.#contacts.set(stream, Contact.evolve(contact, event))
    }
  }

  /** Adds what is still held. */
  end(): void {
    this.#conversations.clear()
    this.#contacts.clear()
  }
}
