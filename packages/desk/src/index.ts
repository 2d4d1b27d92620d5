/**
 * The composition: a working customer-service desk.
 *
 * @module
 */
export * as Answers from "./Answers.ts"
export * as Api from "./Api.ts"
export * as Audit from "./Audit.ts"
export * as ContactExport from "./ContactExport.ts"
export * as Credential from "./Credential.ts"
export { createDesk, type PromiseDesk, type Promised } from "./createDesk.ts"
export { Desk } from "./Desk.ts"
export * as DeskConfig from "./DeskConfig.ts"
export * as DeskError from "./DeskError.ts"
export * as DeskEvent from "./DeskEvent.ts"
export * as DeskFetch from "./DeskFetch.ts"
export * as DeskService from "./DeskService.ts"
export * as Draft from "./Draft.ts"
export * as Environment from "./Environment.ts"
export * as FileLink from "./FileLink.ts"
export * as Intake from "./Intake.ts"
export * as Jobs from "./Jobs.ts"
export * as Live from "./Live.ts"
export * as OpenApi from "./OpenApi.ts"
export * as ProblemDetails from "./ProblemDetails.ts"
export * as Route from "./Route.ts"
export * as ServerSentEvents from "./ServerSentEvents.ts"
export * as Views from "./Views.ts"
