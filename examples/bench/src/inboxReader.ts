/** Reads a page of the inbox again and again, in a process of its own, as a browser is. Each message is answered with how long each took since the last. */
const [inbox = "", key = ""] = process.argv.slice(2)
let times: Array<number> = []
process.on("message", () => {
  process.send?.(times)
  times = []
})
for (;;) {
  const begin = performance.now()
  const answer = await fetch(inbox, { headers: { authorization: `Bearer ${key}` } })
  if (!answer.ok) throw new Error(`the inbox answered ${answer.status}: ${await answer.text()}`)
  await answer.arrayBuffer()
  times.push(performance.now() - begin)
  await new Promise((resolve) => setTimeout(resolve, 50))
}
