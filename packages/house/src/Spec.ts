import ts from "typescript"
import type { Problem } from "./Problem.ts"
import { lineOf, parse, stringText, walk } from "./Syntax.ts"
import type { SourceFile } from "./Workspace.ts"

interface Mention {
  readonly id: string
  readonly file: string
  readonly line: number
}

interface Citation extends Mention {
  /** False for a string that is no argument of `test` or its like: a row of a table, or a string about something else. */
  readonly isTitle: boolean
}

/** The rules of one SPEC.md: lines of the form `- **SLA-1** sentence.` */
const rulesOf = ({ path, text }: SourceFile): ReadonlyArray<Mention> =>
  text.split("\n").flatMap((line, index) => {
    const id = /^\s*[-*] \*\*([A-Z][A-Z0-9]*-\d+)\*\* \S/.exec(line)?.[1]
    return id === undefined ? [] : [{ id, file: path, line: index + 1 }]
  })

/** `[SLA-1] …`, `[SLA-1, SLA-2] …` and `[SLA-1] [SLA-2] …` at the start of a title. */
const idsOf = (title: string): ReadonlyArray<string> =>
  (/^(?:\s*\[[A-Z0-9, -]+\])+/.exec(title)?.[0] ?? "").match(/[A-Z][A-Z0-9]*-\d+/g) ?? []

const calleeOf = (node: ts.Node): string | undefined =>
  ts.isCallExpression(node) ? node.expression.getText() : undefined

const isTitle = (node: ts.Node): boolean =>
  /^(?:\w+\.)*(?:test|it|describe)\b/.test(calleeOf(node.parent) ?? "") &&
  (node.parent as ts.CallExpression).arguments[0] === node

const isUnrun = (node: ts.Node | undefined): boolean =>
  node !== undefined && (/\.(?:skip|todo)\b/.test(calleeOf(node) ?? "") || isUnrun(node.parent))

/**
 * The ids that test titles cite. A title may stand in a table of cases, so every string counts that starts with an
 * id in brackets; what stands in a skipped test counts for nothing.
 */
const citationsOf = (file: SourceFile): ReadonlyArray<Citation> => {
  const tree = parse(file)
  const found: Array<Citation> = []
  walk(tree, (node) => {
    const title = ts.isTemplateHead(node) ? undefined : stringText(node)
    const ids = title === undefined ? [] : idsOf(title)
    if (ids.length === 0 || isUnrun(node)) return
    const at = { file: file.path, line: lineOf(tree, node), isTitle: isTitle(node) }
    found.push(...ids.map((id) => ({ id, ...at })))
  })
  return found
}

/** SPEC rules and test titles, both ways: no rule without a test, no citation of a rule that isn't there. */
export const checkSpecs = (
  specs: ReadonlyArray<SourceFile>,
  files: ReadonlyArray<SourceFile>
): ReadonlyArray<Problem> => {
  const problems: Array<Problem> = []
  const rules = new Map<string, Mention>()
  for (const spec of specs) {
    const own = rulesOf(spec)
    if (own.length === 0)
      problems.push({ file: spec.path, line: 1, message: "has no rule: write each as `- **NAME-1** sentence.`" })
    for (const rule of own) {
      const first = rules.get(rule.id)
      if (first === undefined) rules.set(rule.id, rule)
      else problems.push({ ...rule, message: `${rule.id} is already at ${first.file}:${first.line}: number it anew` })
    }
  }
  const prefixes = new Set([...rules.keys()].map((id) => id.replace(/-\d+$/, "")))
  const cited = new Set<string>()
  for (const { id, file, line, isTitle } of files.flatMap(citationsOf)) {
    cited.add(id)
    // Outside titles, brackets also hold things like [UTF-8].
    if (!rules.has(id) && (isTitle || prefixes.has(id.replace(/-\d+$/, ""))))
      problems.push({ file, line, message: `cites ${id}, which no SPEC.md holds: write the rule or correct the id` })
  }
  for (const { id, file, line } of rules.values())
    if (!cited.has(id))
      problems.push({ file, line, message: `${id} is cited by no test: write one titled "[${id}] …"` })
  return problems.map(({ file, line, message }) => ({ file, line, message }))
}
