/** Storage over a driver that is prepared already and closed by whoever opened it. */
import { Views } from "@switchboard/desk"
import { Storage, type StorageDriver } from "@switchboard/storage"
import { OperationError } from "../OperationError.ts"

export const openPrepared = (driver: StorageDriver.StorageDriver): Promise<Storage.Storage> =>
  Storage.open(
    { ...driver, prepare: async () => {}, close: async () => {} },
    // Nothing is read twice, and nothing that another process writes may be missed.
    { views: Views.definitions, now: () => 0, cachedDocuments: 0, cachedEvents: 0 }
  )

/** **Fails with** {@link OperationError} (rejected) for a workspace that is not there: a name that was mistyped. */
export const checkWorkspace = async (
  driver: Pick<StorageDriver.StorageDriver, "workspaces">,
  workspace: string
): Promise<void> => {
  const workspaces = await driver.workspaces()
  if (workspaces.includes(workspace)) return
  throw new OperationError({
    code: "missing",
    what: `the workspace ${workspace}`,
    found: workspaces.length === 0 ? "an empty storage" : `only ${workspaces.join(", ")}`,
    fix: workspaces.length === 0 ? "name the desk's storage" : "name one of those"
  })
}
