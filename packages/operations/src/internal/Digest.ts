/** Digests of documents: those that hold the same have the same one, in whatever order their properties stand. */

// The last step of MurmurHash3: every bit of what comes in moves every bit of what goes out.
const mixed = (hash: number): number => {
  let bits = Math.imul(hash ^ (hash >>> 16), 0x85eb_ca6b)
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2_ae35)
  return bits ^ (bits >>> 16)
}

// FNV-1a, over UTF-16 units.
const ofText = (text: string, seed: number): number => {
  let hash = seed
  for (let index = 0; index < text.length; index++) hash = Math.imul(hash ^ text.charCodeAt(index), 0x0100_0193)
  return mixed(hash)
}

const float = new Float64Array(1)
const halves = new Uint32Array(float.buffer)

const ofNumber = (value: number): number => {
  // JSON has one zero.
  float[0] = value + 0
  return mixed(Math.imul(halves[0]!, 0x9e37_79b1) ^ mixed(halves[1]! + 1))
}

const ofValue = (value: unknown): number => {
  switch (typeof value) {
    case "string":
      return ofText(value, 0x811c_9dc5)
    case "number":
      return ofNumber(value)
    case "boolean":
      return value ? 0x2545_f491 : 0x7feb_352d
    case "object": {
      if (value === null) break
      if (Array.isArray(value)) {
        let hash = value.length
        for (const one of value) hash = mixed(Math.imul(hash, 31) + ofValue(one))
        return hash
      }
      let sum = 0x1656_67b1
      for (const name in value) {
        const one = (value as Readonly<Record<string, unknown>>)[name]
        if (one !== undefined) sum += mixed(ofText(name, ofValue(one)))
      }
      return mixed(sum)
    }
  }
  return 0x27d4_eb2f
}

/** The digest of a document under its name. **Units** 32 bits: of documents that differ, one in 4 billion is not told apart. */
export const digest = (view: string, key: string, document: object): number =>
  ofText(key, ofText(view, ofValue(document)))
