import { type CheckerSettings, type Checking, openChecker } from "./CheckConnection.ts"
import { type CopierSettings, type Copying, openCopier } from "./CopyConnection.ts"
import { type FolderSettings, type Folding, openFolder } from "./FoldConnection.ts"
import { openWriter, type WriterSettings, type Writing } from "./WriterConnection.ts"

/** What a thread is for, how it opens its connection, and what can be asked of it. */
export interface Roles {
  readonly write: { readonly settings: WriterSettings; readonly methods: Writing }
  readonly fold: { readonly settings: FolderSettings; readonly methods: Folding }
  readonly check: { readonly settings: CheckerSettings; readonly methods: Checking }
  readonly copy: { readonly settings: CopierSettings; readonly methods: Copying }
}

const openers: { readonly [Role in keyof Roles]: (settings: Roles[Role]["settings"]) => Roles[Role]["methods"] } = {
  write: openWriter,
  fold: openFolder,
  check: openChecker,
  copy: openCopier
}

export const openRole = <Role extends keyof Roles>(
  role: Role,
  settings: Roles[Role]["settings"]
): Roles[Role]["methods"] => openers[role](settings)
