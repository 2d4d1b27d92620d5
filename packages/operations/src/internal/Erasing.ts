/** Who is being erased at this moment. */
import type { Storage } from "@switchboard/storage"

/** Whether an erasure of a contact, or of what was said in a conversation, was asked for and is not over. */
export const isBeingErased = async (
  reads: Pick<Storage.Reads, "timers">,
  contactId: string | undefined,
  conversationId: string | undefined
): Promise<boolean> => {
  const keys = [
    ...(contactId === undefined ? [] : [`erase/${contactId}`]),
    ...(conversationId === undefined ? [] : [`erase/content/${conversationId}`])
  ]
  return (await reads.timers(keys)).some((timer) => timer !== undefined)
}
