/** Whether somebody may still have to act on a conversation. */
export const isActive = ({ status }: { readonly status: string }): boolean =>
  status === "open" || status === "pending" || status === "snoozed"
