/** Something that breaks a rule of this repository: where it is, and what to do about it. */
export interface Problem {
  readonly file: string
  readonly line: number
  readonly message: string
}

/** One line per problem, in the `file:line` form that editors and terminals turn into a link. */
export const toText = (problems: ReadonlyArray<Problem>): string =>
  problems.map(({ file, line, message }) => `${file}:${line} ${message}`).join("\n")
