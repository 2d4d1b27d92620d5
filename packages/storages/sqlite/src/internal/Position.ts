// 2^53 row ids that JavaScript holds exactly: a million workspaces of eight billion events.
export const eventsPerWorkspace = 2 ** 33

/** The most workspaces one file holds. */
export const mostWorkspaces = 2 ** 20 - 1

export const rowOf = (workspace: number, position: number): number => workspace * eventsPerWorkspace + position
