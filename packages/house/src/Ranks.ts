/** The ranks of the house: what a folder is, and which other folders it may know. */
const rank1 = ["channel", "storage", "routing", "sla", "bot", "metrics"]

/** Packages that hold rules, and so must have a SPEC.md. */
export const domain: ReadonlyArray<string> = ["conversation", ...rank1, "desk", "operations"].map(
  (name) => `packages/${name}`
)

const rankOf = (folder: string): number | undefined => {
  if (folder === "packages/conversation") return 0
  if (rank1.some((name) => folder === `packages/${name}`)) return 1
  if (folder === "packages/desk" || /^packages\/(channels|storages)\/[^/]+$/.test(folder)) return 2
  if (folder === "packages/operations") return 3
  if (/^examples\/[^/]+$/.test(folder)) return 4
  return folder === "packages/house" ? 5 : undefined
}

export const isKnown = (folder: string): boolean => rankOf(folder) !== undefined

/** Ranks 0 and 1 run in a browser, an edge worker and a simulation. */
export const isPure = (folder: string): boolean => (rankOf(folder) ?? 2) < 2

/** Packages that read a channel's capabilities and never ask which platform it is. */
export const isShared = (folder: string): boolean => isPure(folder) || folder === "packages/desk"

/**
 * Every allowed edge goes to a lower rank, so the allowed graph has no cycle: an edge that could close
 * one is already refused as upward or sideways.
 */
export const mayUse = (from: string, to: string): boolean => {
  const [fromRank, toRank] = [rankOf(from), rankOf(to)]
  if (fromRank === undefined || toRank === undefined || toRank >= fromRank || fromRank === 5) return false
  if (from.startsWith("packages/channels/")) return to === "packages/channel" || to === "packages/conversation"
  if (from.startsWith("packages/storages/")) return to === "packages/storage"
  return true
}

/** The rule of a folder in words, for the person who broke it. */
export const allowance = (folder: string): string => {
  if (folder.startsWith("packages/channels/"))
    return "a channel may use only @switchboard/channel and @switchboard/conversation"
  if (folder.startsWith("packages/storages/")) return "a storage may use only @switchboard/storage"
  switch (rankOf(folder)) {
    case 0:
      return "rank 0 may use no package of ours"
    case 1:
      return "rank 1 may use only @switchboard/conversation, never its neighbours"
    case 2:
      return "desk may use only ranks 0 and 1"
    case 3:
      return "operations may use only lower ranks"
    case 4:
      return "an example may use published packages only"
    default:
      return "packages/house reads the others as files, it imports none"
  }
}
