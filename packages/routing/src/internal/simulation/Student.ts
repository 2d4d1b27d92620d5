/**
 * How many standard errors to either side hold the truth in `confidence` of all cases, with so many degrees of freedom.
 *
 * With t = √ν·tan θ, Student's density becomes a power of the cosine, whose integral Simpson's rule gets right to ten
 * digits; the angle is then halved in on.
 */
export const quantile = (confidence: number, degrees: number): number => {
  // Γ((ν+1)/2) / (√π·Γ(ν/2)), by Γ(x+1) = x·Γ(x) from ν = 1 or 2.
  let scale = degrees % 2 === 1 ? 1 / Math.PI : 1 / 2
  for (let at = degrees % 2 === 1 ? 3 : 4; at <= degrees; at += 2) scale *= (at - 1) / (at - 2)
  const within = (angle: number): number => {
    const steps = 400
    let sum = 1 + Math.cos(angle) ** (degrees - 1)
    for (let step = 1; step < steps; step++)
      sum += (step % 2 === 1 ? 4 : 2) * Math.cos((angle * step) / steps) ** (degrees - 1)
    return (2 * scale * sum * angle) / steps / 3
  }
  let low = 0
  let high = Math.PI / 2
  for (let round = 0; round < 50; round++) {
    const middle = (low + high) / 2
    if (within(middle) < confidence) low = middle
    else high = middle
  }
  return Math.sqrt(degrees) * Math.tan(low)
}
