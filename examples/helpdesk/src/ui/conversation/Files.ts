/** A file's bytes as base64. */
export const toBase64 = (file: Blob): Promise<string> =>
  new Promise((resolve, reject) => {
    const reader = new FileReader()
    reader.addEventListener("error", () => reject(reader.error))
    reader.addEventListener("load", () => {
      const url = String(reader.result)
      resolve(url.slice(url.indexOf(",") + 1))
    })
    reader.readAsDataURL(file)
  })
