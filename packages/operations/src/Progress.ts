/** How far an operation has come. */

/** Called now and then: how much is done, and of how much. */
export type Progress = (done: number, total: number) => void
