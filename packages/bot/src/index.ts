export * as Bot from "./Bot.ts"
export * as BotAction from "./BotAction.ts"
