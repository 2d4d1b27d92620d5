import { createHmac, timingSafeEqual } from "node:crypto"

/** The HMAC-SHA256 of a text. */
export const mac = (secret: string, text: string): Buffer => createHmac("sha256", secret).update(text, "utf8").digest()

/** Whether a claimed code is the right one, in time that doesn't depend on where they differ. */
export const isMac = (claimed: Buffer, secret: string, text: string): boolean => {
  const right = mac(secret, text)
  return claimed.byteLength === right.byteLength && timingSafeEqual(claimed, right)
}
