/** The demo shop's page: signs a person in, or out, and tells the chat. */
import type { SwitchboardChat, WidgetIdentity } from "@switchboard/channel-webchat/widget"
import "./customer.css"

const who = document.querySelector<HTMLSelectElement>("#who")
const greeting = document.querySelector<HTMLElement>("#greeting")
const chat = document.querySelector<SwitchboardChat>("switchboard-chat")
const remembered = "switchboard-shop-who"

const signIn = async (email: string): Promise<void> => {
  if (!chat || !greeting) return
  sessionStorage.setItem(remembered, email)
  if (email === "") {
    chat.identity = null
    greeting.textContent = "You are not signed in."
    return
  }
  const response = await fetch(`/demo/identity?email=${encodeURIComponent(email)}`)
  if (!response.ok) {
    greeting.textContent = "Signing in is not possible right now."
    return
  }
  const identity = (await response.json()) as WidgetIdentity
  chat.identity = identity
  greeting.textContent = `Signed in as ${identity.name ?? email}.`
}

if (who) {
  who.value = sessionStorage.getItem(remembered) ?? ""
  who.addEventListener("change", () => void signIn(who.value))
  void signIn(who.value)
}
document.querySelector("#ask")?.addEventListener("click", () => chat?.open())
