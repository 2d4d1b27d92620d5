export const view = { name: "rounds", version: 1, fields: { round: "number" }, indexes: [["round"]] } as const
