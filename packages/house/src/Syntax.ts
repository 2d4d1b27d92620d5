import ts from "typescript"
import type { SourceFile } from "./Workspace.ts"

export const parse = ({ path, text }: SourceFile): ts.SourceFile =>
  ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true, path.endsWith("x") ? ts.ScriptKind.TSX : undefined)

export const lineOf = (tree: ts.SourceFile, node: ts.Node): number =>
  tree.getLineAndCharacterOfPosition(node.getStart(tree)).line + 1

export const walk = (node: ts.Node, visit: (node: ts.Node) => void): void => {
  visit(node)
  ts.forEachChild(node, (child) => walk(child, visit))
}

/** The text of a string, or of a template before its first placeholder. */
export const stringText = (node: ts.Node): string | undefined => {
  if (ts.isStringLiteralLike(node) || ts.isTemplateHead(node)) return node.text
  return ts.isTemplateExpression(node) ? node.head.text : undefined
}

export interface Import {
  readonly specifier: string
  readonly line: number
}

/** Static imports, re-exports, `import("…")` and `import("…").Type`; what is computed can't be known. */
export const importsOf = (file: SourceFile): ReadonlyArray<Import> => {
  const tree = parse(file)
  const found: Array<Import> = []
  const add = (node: ts.Node | undefined): void => {
    if (node !== undefined && ts.isStringLiteralLike(node))
      found.push({ specifier: node.text, line: lineOf(tree, node) })
  }
  walk(tree, (node) => {
    if (ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) add(node.moduleSpecifier)
    else if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)) add(node.argument.literal)
    else if (ts.isCallExpression(node) && isLoad(node.expression)) add(node.arguments[0])
  })
  return found
}

const isLoad = (callee: ts.Expression): boolean =>
  callee.kind === ts.SyntaxKind.ImportKeyword ||
  callee.getText() === "require" ||
  callee.getText() === "import.meta.resolve"
