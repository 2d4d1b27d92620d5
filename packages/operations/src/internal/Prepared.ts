/** Storage over a driver that is prepared already and closed by whoever opened it. */
import { Views } from "@switchboard/desk"
import { Storage, type StorageDriver } from "@switchboard/storage"

export const openPrepared = (driver: StorageDriver.StorageDriver): Promise<Storage.Storage> =>
  Storage.open(
    { ...driver, prepare: async () => {}, close: async () => {} },
    // Nothing is read twice, and nothing that another process writes may be missed.
    { views: Views.definitions, now: () => 0, cachedDocuments: 0, cachedEvents: 0 }
  )
