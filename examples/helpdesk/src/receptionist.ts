/** The bot that answers first: knows orders and opening hours, and hands everything else to people. */
import type { Bot, BotAction } from "@switchboard/bot"
import { Id, Message } from "@switchboard/conversation"

const order = /\b(\d{4,6})\b/
const human = /\b(human|person|agent|persona|mensch|humano|humà)\b/i
const billing = /\b(invoice|refund|charge[ds]?|double|payment|factura|cobro|rechnung)\b/i
const hours = /\b(open|hours|horario|horari|geöffnet)\b/i

const handOff = (text: string, team: string): BotAction.BotAction => ({
  type: "handOff",
  reason: "asked",
  summary: text.slice(0, 500),
  wanted: { teamId: Id.TeamId.parse(team) }
})
const reply = (text: string): BotAction.BotAction => ({ type: "reply", parts: [Message.text(text)] })

export const receptionist: Bot.Bot = {
  id: Id.BotId.parse("receptionist"),
  name: "Robin (bot)",
  deadlineMs: 5000,
  onTurn: ({ messages, history }) => {
    const text = messages.map((message) => Message.toText(message.parts)).join("\n")
    if (billing.test(text)) {
      return {
        actions: [
          reply("That is one for our billing team. I am passing it on with everything you wrote."),
          { type: "tag", tag: "billing" },
          handOff(text, "billing")
        ]
      }
    }
    if (human.test(text)) return { actions: [reply("Of course. A person will be with you."), handOff(text, "orders")] }
    const found = order.exec(text)
    if (found) {
      return {
        actions: [
          reply(`Order ${found[1]} left our warehouse yesterday and should arrive within two working days.`),
          { type: "setAttributes", attributes: { order: found[1]! } },
          {
            type: "ask",
            text: "Does that answer your question?",
            options: [
              { id: "yes", label: "Yes, thank you" },
              { id: "no", label: "No, a person please" }
            ]
          }
        ],
        confidence: 0.9
      }
    }
    if (hours.test(text)) return { actions: [reply("We are open Monday to Thursday 9–18 h and Friday 9–15 h.")] }
    if (messages.some((message) => message.parts.some((part) => part.kind === "choice" && part.id === "yes"))) {
      return { actions: [reply("Glad to hear it!"), { type: "resolve" }] }
    }
    if (messages.some((message) => message.parts.some((part) => part.kind === "choice" && part.id === "no"))) {
      return { actions: [reply("A person will be with you."), handOff(text, "orders")] }
    }
    return history.length === 0
      ? {
          actions: [reply("Hello! Tell me your order number, or ask for a person at any time.")],
          confidence: 0.7
        }
      : { actions: [reply("I am not sure I can help with that. A person will be with you."), handOff(text, "orders")] }
  }
}
