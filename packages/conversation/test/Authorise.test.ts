import { type Actor, Authorise, Contact, type Conversation, ConversationCommand } from "@switchboard/conversation"
import { describe, expect, test } from "vitest"
import { ada, after, ana, ben, give, held, heldByBot, jo, nobody, open, robo, sue, timer } from "./scenario.ts"

const key = (role: Actor.Role): Actor.Actor => ({ kind: "apiKey", id: "key", role })

/** By actor in this order; supervisors and administrators have one column, and so have API keys as their role has. */
const table = `
command                agent  supervisor  bot  contact
OpenConversation       yes    yes         -    yes
AddThread              yes    yes         -    yes
ReceiveMessage         -      -           -    yes
RecordEcho             -      -           -    -
SendMessage            yes    yes         yes  -
AddNote                yes    yes         yes  -
EditMessage            yes    yes         -    yes
DeleteMessage          yes    yes         -    yes
AddReaction            yes    yes         -    yes
RemoveReaction         yes    yes         -    yes
RecordDelivery         -      -           -    yes
RetryDelivery          yes    yes         -    -
RecordAttachment       -      -           -    -
MarkRead               yes    yes         -    -
WaitForContact         yes    yes         yes  -
SnoozeConversation     yes    yes         -    -
WakeConversation       yes    yes         -    -
ResolveConversation    yes    yes         yes  -
ReopenConversation     yes    yes         -    -
CloseConversation      -      yes         -    -
GiveControl            yes    yes         -    -
HandOff                yes    yes         yes  -
TransferConversation   yes    yes         -    -
SetPriority            yes    yes         yes  -
AddTag                 yes    yes         yes  -
RemoveTag              yes    yes         yes  -
SetAttributes          yes    yes         yes  -
SetSubject             yes    yes         yes  -
AddParticipant         yes    yes         -    yes
RemoveParticipant      yes    yes         -    -
LinkConversation       yes    yes         -    -
UnlinkConversation     yes    yes         -    -
MergeConversation      -      yes         -    -
UndoMerge              -      yes         -    -
EraseContent           -      -           -    -
CreateContact          yes    yes         -    yes
AddAddress             yes    yes         -    yes
RemoveAddress          yes    yes         -    -
UpdateContact          yes    yes         yes  -
GrantConsent           yes    yes         -    yes
WithdrawConsent        yes    yes         -    yes
StartConversation      -      -           -    yes
SuggestMatch           yes    yes         -    yes
MergeContact           yes    yes         -    -
UndoContactMerge       yes    yes         -    -
RecordExport           -      -           -    -
EraseContact           -      -           -    -
`

const rows = table
  .trim()
  .split("\n")
  .slice(1)
  .map((line) => line.split(/\s+/) as [type: string, agent: string, supervisor: string, bot: string, contact: string])

const unheld = after([open(), jo])

/** Only the type matters for these; giving control to nobody is what the table means by it. */
const commandOf = (type: string): Authorise.Command =>
  type === "GiveControl"
    ? give(nobody)
    : ({ type, addresses: [], address: { kind: "phone", value: "+34600000001", state: "claimed" } } as never)

const allowed = (actor: Actor.Actor, command: Authorise.Command, conversation: Conversation.Conversation | undefined) =>
  Authorise.byDefault(actor, command, conversation).ok

describe("who may ask", () => {
  test("[AUTH-1] the table names every command", () => {
    const all = [...ConversationCommand.ConversationCommand.options, ...Contact.ContactCommand.options].map(
      (option) => option.shape.type.value as string
    )
    expect(rows.map(([type]) => type).sort()).toEqual(all.sort())
  })

  test.each(rows)("[AUTH-1] %s: agent %s, supervisor %s, bot %s, contact %s", (type, ...cells) => {
    const [agent, supervisor, bot, contact] = cells.map((cell) => cell === "yes")
    const command = commandOf(type)
    const found = (actor: Actor.Actor) => allowed(actor, command, unheld)
    expect([ana, key("agent")].map(found)).toEqual([agent, agent])
    expect([sue, key("supervisor")].map(found)).toEqual(Array(2).fill(supervisor))
    // Of these, administrators alone.
    const administrator = supervisor || ["RecordExport", "EraseContact", "EraseContent"].includes(type)
    expect([ada, key("administrator")].map(found)).toEqual(Array(2).fill(administrator))
    expect([found(robo), found(jo)]).toEqual([bot, contact])
  })

  test.each(rows)("[AUTH-2] the system may %s", (type) => {
    expect(allowed(timer, commandOf(type), unheld)).toBe(true)
  })

  test("[AUTH-3] a refusal names the actor, the command and what it needs", () => {
    const refused = Authorise.byDefault(ana, { type: "CloseConversation" }, unheld)
    expect(refused).toEqual({
      ok: false,
      error: {
        code: "notAllowed",
        message: "CloseConversation needs the role supervisor",
        facts: { actor: ana, command: "CloseConversation", needs: "the role supervisor" }
      }
    })
  })

  test("[AUTH-6] only an administrator notes an address as verified; everybody else's is claimed", () => {
    const address = { kind: "phone", value: "+34600000001", state: "verified" } as const
    for (const command of [
      { type: "AddAddress", address },
      { type: "CreateContact", contactId: "contact-1", addresses: [address] }
    ] as unknown as ReadonlyArray<Authorise.Command>) {
      const found = [ana, sue, key("supervisor"), ada, key("administrator"), jo].map((actor) =>
        allowed(actor, command, undefined)
      )
      expect(found).toEqual([false, false, false, true, true, true])
    }
  })

  test.each([{ type: "EraseContact" }, { type: "RecordExport" }, { type: "EraseContent", reason: "request" }] as const)(
    "[AUTH-7] an administrator or the system gives $type, nobody else",
    (command) => {
      const found = [ana, sue, key("supervisor"), robo, jo, ada, key("administrator"), timer].map((actor) =>
        allowed(actor, command, unheld)
      )
      expect(found).toEqual([false, false, false, false, false, true, true, true])
    }
  )

  const heldBy = (holder: Conversation.Holder) => after([open({ holder }), jo])
  const holders = { ana: held("ana"), ben: held("ben"), bot: heldByBot, nobody } as const

  /** An agent (ana) gives control; rows are who has it, columns who gets it. */
  test.each([
    ["ana", { ana: true, ben: false, bot: true, nobody: true }],
    ["ben", { ana: false, ben: false, bot: false, nobody: false }],
    ["bot", { ana: true, ben: false, bot: true, nobody: true }],
    ["nobody", { ana: true, ben: false, bot: true, nobody: true }]
  ] as const)("[AUTH-4] an agent takes over from bots and nobody only: %s has control", (from, row) => {
    const found = Object.entries(holders).map(([to, holder]) => [to, allowed(ana, give(holder), heldBy(holders[from]))])
    expect(Object.fromEntries(found)).toEqual(row)
    for (const holder of Object.values(holders)) expect(allowed(sue, give(holder), heldBy(holders[from]))).toBe(true)
  })

  test("[AUTH-4] a key with an agent's role is no agent: it takes over nothing and gives nobody work", () => {
    expect(allowed(key("agent"), give(held("ana")), heldBy(nobody))).toBe(false)
    expect(allowed(key("agent"), give(nobody), heldBy(held("ana")))).toBe(false)
    expect(allowed(key("agent"), give(nobody), heldBy(heldByBot))).toBe(true)
  })

  test("[AUTH-5] an agent passes on its own work, supervisors everybody's", () => {
    const transfer = { type: "TransferConversation", wanted: {} } as const
    const own = heldBy(held("ana"))
    expect(allowed(ana, transfer, own)).toBe(true)
    expect(allowed(ben, transfer, own)).toBe(false)
    expect(allowed(sue, transfer, own)).toBe(true)
    expect(allowed(key("agent"), transfer, own)).toBe(false)
    for (const holder of [heldByBot, nobody]) expect(allowed(ben, transfer, heldBy(holder))).toBe(true)
    expect(allowed(ben, transfer, undefined)).toBe(true)
  })
})
