/** Reads a ZIP whose files are stored, as a test needs it: by its central directory. */
const text = new TextDecoder()

export const unzip = (zip: Uint8Array): ReadonlyMap<string, Uint8Array> => {
  const view = new DataView(zip.buffer, zip.byteOffset, zip.byteLength)
  const end = zip.length - 22
  if (view.getUint32(end, true) !== 0x06054b50) throw new Error("the ZIP has no end")
  const files = new Map<string, Uint8Array>()
  let at = view.getUint32(end + 16, true)
  for (let left = view.getUint16(end + 10, true); left > 0; left--) {
    if (view.getUint32(at, true) !== 0x02014b50) throw new Error("the ZIP's directory is broken")
    const size = view.getUint32(at + 24, true)
    const [name, extra, comment] = [28, 30, 32].map((place) => view.getUint16(at + place, true)) as [
      number,
      number,
      number
    ]
    const local = view.getUint32(at + 42, true)
    const start = local + 30 + view.getUint16(local + 26, true) + view.getUint16(local + 28, true)
    files.set(text.decode(zip.subarray(at + 46, at + 46 + name)), zip.subarray(start, start + size))
    at += 46 + name + extra + comment
  }
  return files
}

export const collect = async (bytes: AsyncIterable<Uint8Array>): Promise<Uint8Array> => {
  const chunks: Array<Uint8Array> = []
  for await (const chunk of bytes) chunks.push(chunk)
  return new Uint8Array(await new Blob(chunks as Array<Uint8Array<ArrayBuffer>>).arrayBuffer())
}
