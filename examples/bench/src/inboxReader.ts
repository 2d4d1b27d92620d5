/** Reads a page of the inbox again and again, and reports how long each took: in a process of its own, as a browser is. */
const [inbox = "", key = ""] = process.argv.slice(2)
const times: Array<number> = []
process.once("message", () => {
  process.send?.(times, () => process.exit())
})
for (;;) {
  const begin = performance.now()
  const answer = await fetch(inbox, { headers: { authorization: `Bearer ${key}` } })
  if (!answer.ok) throw new Error(`the inbox answered ${answer.status}: ${await answer.text()}`)
  await answer.arrayBuffer()
  times.push(performance.now() - begin)
  await new Promise((resolve) => setTimeout(resolve, 50))
}
