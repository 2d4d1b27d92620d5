/// <reference lib="dom" />
import { SwitchboardChat } from "./WidgetElement.ts"

export type { WidgetIdentity } from "./WidgetClient.ts"
export type { WidgetTexts } from "./WidgetTexts.ts"
export { SwitchboardChat }

if (typeof customElements !== "undefined" && customElements.get("switchboard-chat") === undefined)
  customElements.define("switchboard-chat", SwitchboardChat)
