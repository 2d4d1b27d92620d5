import ts from "typescript"
import type { Problem } from "./Problem.ts"
import { isPure, isShared } from "./Ranks.ts"
import { lineOf, parse, stringText, walk } from "./Syntax.ts"
import { isPublished, type Package, type SourceFile } from "./Workspace.ts"

const ambientMembers = new Set([
  "Date.now",
  "Math.random",
  "performance.now",
  "performance.timeOrigin",
  "crypto.randomUUID",
  "crypto.getRandomValues",
  "Temporal.Now",
  "AbortSignal.timeout"
])
const ambientGlobals = new Set(["setTimeout", "setInterval", "setImmediate"])

/** Only names that mean nothing else, so that prose in a message is never taken for a platform. */
const platforms = /\b(whatsapp|telegram|instagram|facebook|viber|wechat|kakaotalk|tiktok|discord|twitter|gmail)\b/i

/** `timers.setTimeout` and `{ setTimeout: … }` name a property, and `(setTimeout) =>` an argument: neither is the global. */
const isReference = (node: ts.Identifier): boolean => {
  const { parent } = node
  if (ts.isPropertyAccessExpression(parent)) return parent.expression === node
  return !("name" in parent && parent.name === node) || ts.isShorthandPropertyAssignment(parent)
}

/** `Date.now`, `globalThis.Date.now` and `Date["now"]` are one name; anything longer or computed is none. */
const memberName = (node: ts.Node): string | undefined => {
  const key = ts.isPropertyAccessExpression(node)
    ? node.name.text
    : ts.isElementAccessExpression(node) && ts.isStringLiteralLike(node.argumentExpression)
      ? node.argumentExpression.text
      : undefined
  if (key === undefined) return undefined
  const { expression } = node as ts.PropertyAccessExpression | ts.ElementAccessExpression
  if (ts.isIdentifier(expression)) return expression.text === "globalThis" ? key : `${expression.text}.${key}`
  const outer = memberName(expression)
  return outer === undefined ? undefined : `${outer}.${key}`
}

/** Ambient time, randomness and timers: everything that makes two runs of the same input differ. */
export const ambientUses = (file: SourceFile): ReadonlyArray<Problem> => {
  const tree = parse(file)
  const problems: Array<Problem> = []
  const report = (node: ts.Node, what: string): number =>
    problems.push({
      file: file.path,
      line: lineOf(tree, node),
      message: `uses ${what}: ranks 0 and 1 are pure; take times, ids and random numbers as arguments`
    })
  walk(tree, (node) => {
    const member = memberName(node)
    if (member !== undefined && (ambientMembers.has(member) || ambientGlobals.has(member))) report(node, member)
    if (ts.isIdentifier(node) && ambientGlobals.has(node.text) && isReference(node)) report(node, node.text)
    if (ts.isNewExpression(node) && node.expression.getText(tree) === "Date" && (node.arguments ?? []).length === 0)
      report(node, "new Date()")
    if (ts.isCallExpression(node) && node.expression.getText(tree) === "Date") report(node, "Date()")
    if (ts.isVariableDeclaration(node) && ts.isObjectBindingPattern(node.name) && node.initializer !== undefined) {
      const from = node.initializer.getText(tree)
      for (const { propertyName, name } of node.name.elements) {
        const key = `${from}.${(propertyName ?? name).getText(tree)}`
        if (ambientMembers.has(key)) report(node, key)
      }
    }
  })
  return problems
}

/**
 * Strings that name a platform, and comparisons with a channel package's name: shared code reads a capability
 * instead. Comments and import paths may say what they like.
 */
export const platformNames = (file: SourceFile, channels: ReadonlyArray<string>): ReadonlyArray<Problem> => {
  const tree = parse(file)
  const problems: Array<Problem> = []
  walk(tree, (node) => {
    const text =
      ts.isTemplateMiddle(node) || ts.isTemplateTail(node)
        ? node.text
        : ts.isTemplateExpression(node)
          ? undefined
          : stringText(node)
    if (text === undefined || ts.isImportDeclaration(node.parent) || ts.isExportDeclaration(node.parent)) return
    const compared =
      ts.isCaseClause(node.parent) ||
      (ts.isBinaryExpression(node.parent) &&
        [
          ts.SyntaxKind.EqualsEqualsEqualsToken,
          ts.SyntaxKind.EqualsEqualsToken,
          ts.SyntaxKind.ExclamationEqualsEqualsToken,
          ts.SyntaxKind.ExclamationEqualsToken
        ].includes(node.parent.operatorToken.kind))
    const name = platforms.exec(text)?.[0] ?? (compared && channels.includes(text) ? text : undefined)
    if (name !== undefined)
      problems.push({
        file: file.path,
        line: lineOf(tree, node),
        message: `names the platform "${name}": let channels declare a capability and read that`
      })
  })
  return problems
}

export const checkPurity = (packages: ReadonlyArray<Package>): ReadonlyArray<Problem> => {
  const channels = packages.flatMap(({ folder }) => /^packages\/channels\/(.+)$/.exec(folder)?.[1] ?? [])
  return packages.flatMap((owner) =>
    owner.files
      .filter((file) => isPublished(owner, file))
      .flatMap((file) => [
        ...(isPure(owner.folder) ? ambientUses(file) : []),
        ...(isShared(owner.folder) ? platformNames(file, channels) : [])
      ])
  )
}
