/**
 * A file in a message. Its bytes are a blob; remote media are `pending` until a job fetched them.
 *
 * @module
 */
import * as z from "zod"
import { AttachmentId } from "./Id.ts"

/**
 * An attachment as it stands.
 *
 * **Shape** `state` is `pending` (to be fetched from `source`), `stored` (bytes under `blobKey`) or `failed` (`failure`
 * says why). `contentId` is set on an inline part of an e-mail.
 *
 * **Units** `sizeBytes` in bytes.
 */
export const Attachment = z.object({
  id: AttachmentId,
  name: z.string().max(512).optional(),
  mediaType: z.string().max(128),
  sizeBytes: z.number().int().nonnegative().optional(),
  state: z.enum(["pending", "stored", "failed"]),
  source: z.string().max(4096).optional(),
  blobKey: z.string().max(512).optional(),
  contentId: z.string().max(512).optional(),
  failure: z.string().max(1000).optional()
})
export type Attachment = z.infer<typeof Attachment>
