/** Numbers from 0 to below 1. */
export type Random = () => number

const mix = (value: number): number => {
  let mixed = Math.imul(value ^ (value >>> 16), 0x85ebca6b)
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35)
  return (mixed ^ (mixed >>> 16)) >>> 0
}

/**
 * A generator of its own for every seed and path, so that one part of a simulation draws the same numbers whatever the
 * others do. It is sfc32 of PractRand with 53 bits a number, its state spread by the finalizer of MurmurHash3.
 */
export const make = (seed: number, ...path: ReadonlyArray<number>): Random => {
  let hash = mix((seed >>> 0) ^ 0x9e3779b9) ^ mix(Math.floor(seed / 4_294_967_296))
  for (const part of path) hash = mix((Math.imul(hash, 31) + part + 0x7f4a7c15) | 0)
  let a = mix(hash + 0x3c6ef372)
  let b = mix(hash + 0x1b873593)
  let c = mix(hash + 0xa54ff53a)
  let counter = 1
  const next = (): number => {
    const sum = (((a + b) | 0) + counter) | 0
    counter = (counter + 1) | 0
    a = b ^ (b >>> 9)
    b = (c + (c << 3)) | 0
    c = (((c << 21) | (c >>> 11)) + sum) | 0
    return sum >>> 0
  }
  for (let warm = 0; warm < 12; warm++) next()
  return () => ((next() >>> 5) * 67_108_864 + (next() >>> 6)) / 9_007_199_254_740_992
}

/** Exponential with mean 1. */
export const exponential = (random: Random): number => -Math.log(1 - random())

/** Standard normal, from two numbers (Box and Muller). */
export const normal = (random: Random): number => Math.sqrt(2 * exponential(random)) * Math.cos(2 * Math.PI * random())
