/** A small picture that differs with its name: for platforms that only name a picture, and for people who attach one. */
import { createHash } from "node:crypto"
import { crc32, deflateSync } from "node:zlib"

const width = 320
const height = 200

const chunk = (type: string, data: Buffer): Buffer => {
  const content = Buffer.concat([Buffer.from(type, "latin1"), data])
  const size = Buffer.alloc(4)
  size.writeUInt32BE(data.length)
  const check = Buffer.alloc(4)
  check.writeUInt32BE(crc32(content))
  return Buffer.concat([size, content, check])
}

/** A PNG: a parcel on a ground, in the colours of its name. */
export const toPicture = (name: string): Uint8Array<ArrayBuffer> => {
  const [r = 0, g = 0, b = 0] = createHash("sha256").update(name).digest()
  const rows = Buffer.alloc((width * 3 + 1) * height)
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const isBox = x > 90 && x < 230 && y > 60 && y < 160
      const isTape = isBox && x > 150 && x < 170
      const light = isTape ? 1 : isBox ? 0.75 : 0.35 + y / 500
      const at = y * (width * 3 + 1) + 1 + x * 3
      for (const [index, value] of [r, g, b].entries()) rows[at + index] = Math.round((96 + value * 0.6) * light)
    }
  }
  const header = Buffer.alloc(13)
  header.writeUInt32BE(width, 0)
  header.writeUInt32BE(height, 4)
  header.set([8, 2, 0, 0, 0], 8)
  return Uint8Array.from(
    Buffer.concat([
      Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]),
      chunk("IHDR", header),
      chunk("IDAT", deflateSync(rows)),
      chunk("IEND", Buffer.alloc(0))
    ])
  )
}
