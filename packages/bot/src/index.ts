/**
 * Bots: what they are asked, what they answer, and how small steps make a whole one, as plain functions.
 *
 * @module
 */
export * as Bot from "./Bot.ts"
export { defineBot } from "./Bot.ts"
export * as BotAction from "./BotAction.ts"
export * as BotDefinitionError from "./BotDefinitionError.ts"
export * as BotTesting from "./BotTesting.ts"
export * as Handoff from "./Handoff.ts"
export * as Menu from "./Menu.ts"
export * as Predicate from "./Predicate.ts"
export * as Step from "./Step.ts"
export * as Turn from "./Turn.ts"
