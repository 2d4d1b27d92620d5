import type { Agent, Contact, Conversation, Message } from "@switchboard/conversation"
import type { ChannelView } from "@switchboard/desk/Answers"
import type { ClockView, ContextAnswer } from "@switchboard/desk/DeskService"
import type { DeadLetter } from "@switchboard/desk/Views"

/** Plain JSON stands in for branded ids here: this is what comes over the wire. */
const wire = <A>(value: unknown): A => value as A

const minute = 60_000
const hour = 60 * minute
const day = 24 * hour

export interface Seed {
  readonly agents: ReadonlyArray<Agent.Agent>
  readonly teams: ReadonlyArray<Agent.Team>
  readonly contacts: ReadonlyArray<Contact.Contact>
  readonly conversations: ReadonlyArray<{
    conversation: Conversation.Conversation
    messages: Array<Message.Message>
    clocks: ReadonlyArray<ClockView>
  }>
}

const mail = `<p>Hello,</p><p>I was charged <b>twice</b> for order <b>#48213</b>: once on Monday and once on Tuesday. Both show on my <span style="color:#b00020">credit card statement</span>.</p><table style="border-collapse:collapse" cellpadding="6"><tr><td style="border:1px solid #ccc">Mon</td><td style="border:1px solid #ccc">49.90&nbsp;€</td></tr><tr><td style="border:1px solid #ccc">Tue</td><td style="border:1px solid #ccc">49.90&nbsp;€</td></tr></table><p><img src="https://tracker.example.net/pixel.png" width="240" height="60" alt="logo"></p><p>Could you please give one back?<br>Ana García</p><script>document.title = "pwned"</script>`

export const contexts = (contactId: string): ContextAnswer => {
  if (contactId === "k-arabic") return { state: "late", provider: "Shop", facts: [] }
  if (contactId === "k-long") return { state: "failed", provider: "Shop", facts: [] }
  return {
    state: "ready",
    provider: "Shop",
    facts: [
      { label: "Customer since", value: "March 2023" },
      {
        label: "Last order",
        value: "#48213 · Trail Pack 30 · delivered",
        url: "https://shop.example.com/orders/48213"
      },
      { label: "Lifetime value", value: "812.40 €" },
      { label: "Plan", value: "Plus" }
    ]
  }
}

const channel = (kind: string, outbound: ReadonlyArray<string>) => ({
  kind,
  capabilities: { outbound, contactReads: kind === "webchat" },
  accounts: [{ id: `${kind}-main`, name: kind }]
})

export const channels = wire<ReadonlyArray<ChannelView>>([
  channel("webchat", ["message", "edit", "delete", "typing"]),
  channel("email", ["message"]),
  channel("whatsapp", ["message", "reaction", "typing", "read"]),
  channel("telegram", ["message", "edit", "delete", "reaction", "typing"])
])

export const letters = (now: number): ReadonlyArray<DeadLetter> => [
  {
    id: "l-1",
    channelKind: "whatsapp",
    state: "waiting",
    code: "unknownAccount",
    reason: "no account of whatsapp has the key 106540352242999; connect it or remove its webhook",
    receivedAtMs: now - 4 * minute,
    headers: {},
    bytes: null,
    entry: {
      kind: "messageReceived",
      account: "106540352242999",
      from: { name: "ليلى حداد", addresses: [{ kind: "phone", value: "+971500000123", state: "verified" }] },
      parts: [{ kind: "text", text: "Is anybody reading this?", format: "plain" }]
    }
  },
  {
    id: "l-2",
    channelKind: "telegram",
    state: "waiting",
    code: "notJson",
    reason: "the body is no JSON: unexpected end of input",
    receivedAtMs: now - 3 * hour,
    headers: {},
    bytes: Buffer.from('{"update_id": 812, "message": {"text": "<b>hello').toString("base64"),
    entry: null
  }
]

export const seed = (now: number): Seed => {
  const agents = wire<ReadonlyArray<Agent.Agent>>([
    {
      id: "mara",
      name: "Mara Lindqvist",
      role: "agent",
      teams: ["support"],
      skills: { refunds: 4 },
      languages: ["en", "es", "de"],
      capacity: { total: 5, perChannelKind: { webchat: 3 } }
    },
    {
      id: "jonas",
      name: "Jonas Okafor",
      role: "agent",
      teams: ["support", "billing"],
      skills: {},
      languages: ["en", "ar"],
      capacity: { total: 6, perChannelKind: {} }
    },
    {
      id: "tomas",
      name: "Tomás Ferreira dos Santos",
      role: "agent",
      teams: ["billing"],
      skills: {},
      languages: ["en", "es"],
      capacity: { total: 4, perChannelKind: {} }
    },
    {
      id: "ines",
      name: "Inés Valverde",
      role: "supervisor",
      teams: ["support"],
      skills: {},
      languages: ["en", "es"],
      capacity: { total: 2, perChannelKind: {} }
    }
  ])
  const teams = wire<ReadonlyArray<Agent.Team>>([
    { id: "support", name: "Support" },
    { id: "billing", name: "Billing" }
  ])

  const contact = (
    id: string,
    name: string,
    addresses: ReadonlyArray<Record<string, string>>,
    more: Record<string, unknown> = {}
  ) =>
    wire<Contact.Contact>({
      id,
      version: 1,
      name,
      addresses,
      attributes: {},
      consents: [],
      suggestions: [],
      createdAtMs: now - 300 * day,
      updatedAtMs: now - day,
      ...more
    })
  const verified = (kind: string, value: string, label?: string) => ({
    kind,
    value,
    state: "verified",
    ...(label && { label })
  })
  const claimed = (kind: string, value: string) => ({ kind, value, state: "claimed" })

  const contacts = [
    contact(
      "k-ana",
      "Ana García",
      [
        verified("email", "ana@example.com"),
        verified("phone", "+34600000001"),
        verified("visitor", "v_8f2c1a77d0", "Web visitor")
      ],
      {
        language: "es",
        attributes: { plan: "plus", newsletter: true },
        consents: [
          { purpose: "marketing", channelKind: "email", grantedAtMs: now - 200 * day, evidence: "Sign-up form, 12 May" }
        ],
        suggestions: [{ contactId: "k-ana2", evidence: "the same phone number, claimed in a chat" }]
      }
    ),
    contact("k-ana2", "A. Garcia", [claimed("phone", "+34600000001")]),
    contact("k-arabic", "ليلى حداد", [verified("phone", "+971500000123")], { language: "ar" }),
    contact(
      "k-long",
      "Maximiliane Freifrau von und zu Hohenstein-Wittelsbach auf Neuschwanstein",
      [verified("email", "maximiliane.von.hohenstein-wittelsbach@very-long-domain-name.example.org")],
      { language: "de" }
    ),
    contact("k-dmitri", "Дмитрий Соколов", [verified("telegram", "551200341", "@dsokolov")], { language: "ru" }),
    contact("k-sam", "Sam Whitfield", [
      verified("visitor", "v_1b2c3d", "Web visitor"),
      claimed("email", "sam@example.com")
    ]),
    contact("k-priya", "Priya Raman", [verified("email", "priya@example.com")]),
    contact("k-guest", "", [verified("visitor", "v_99aa01", "Web visitor")])
  ]

  const threadOf = (
    channelKind: string,
    conversationId: string,
    recipient: { kind: string; value: string },
    audience = "private"
  ) => ({
    id: `${conversationId}-${channelKind}`,
    channelKind,
    accountId: channelKind === "email" ? "support" : "main",
    audience,
    key: `${conversationId}`,
    recipients: [recipient],
    openedAtMs: now - day
  })
  let number = 0
  const message = (
    conversationId: string,
    channelKind: string,
    direction: string,
    author: Record<string, unknown>,
    ago: number,
    parts: unknown,
    more: Record<string, unknown> = {}
  ) => {
    number += 1
    return {
      id: `m${number}`,
      conversationId,
      threadId: direction === "note" ? "notes" : `${conversationId}-${channelKind}`,
      direction,
      origin: direction === "in" ? "platform" : "desk",
      author,
      purpose: "service",
      parts: typeof parts === "string" ? [{ kind: "text", text: parts, format: "plain" }] : parts,
      attachments: [],
      ...(direction === "in" && { platformId: `platform-${number}` }),
      sentAtMs: now - ago,
      recordedAtMs: now - ago,
      reactions: [],
      deliveries: [],
      ...more
    }
  }
  const delivery = (state: string, kind: string, value: string, more: Record<string, unknown> = {}) => ({
    deliveries: [
      {
        id: `d-${number}`,
        recipient: { kind, value },
        state,
        changedAtMs: now - 3 * minute,
        platformIds: ["x"],
        ...more
      }
    ]
  })
  const agent = (id: string) => ({ kind: "agent", id, role: "agent" })
  const by = (id: string) => ({ kind: "contact", id })
  const bot = { kind: "bot", id: "first-aid" }
  const clock = (target: string, inMs: number, startedAgo: number, state = "running"): ClockView => ({
    target,
    state: state as ClockView["state"],
    dueAtMs: now + inMs,
    breachedAtMs: inMs < 0 ? now + inMs : null,
    startedAtMs: now - startedAgo
  })
  const make = (
    id: string,
    contactId: string,
    subject: string,
    threads: ReadonlyArray<unknown>,
    messages: ReadonlyArray<Record<string, unknown>>,
    clocks: ReadonlyArray<ClockView>,
    more: Record<string, unknown> = {}
  ): Seed["conversations"][number] => {
    const last = messages.at(-1)
    const text =
      (last?.["parts"] as ReadonlyArray<Record<string, string | undefined>> | undefined)
        ?.map((part) => part["text"] ?? part["caption"] ?? part["label"] ?? part["name"] ?? "")
        .join(" ") ?? ""
    return {
      conversation: wire<Conversation.Conversation>({
        id,
        version: 3,
        contactId,
        subject,
        status: "open",
        control: { holder: { kind: "nobody" }, fence: 1 },
        priority: "normal",
        tags: [],
        attributes: {},
        participants: [{ role: "requester", contactId }],
        threads,
        links: [],
        cycle: 1,
        messageCount: messages.length,
        unreadCount: 0,
        preview: text.slice(0, 200),
        openedAtMs: now - day,
        updatedAtMs: now - 5 * minute,
        ...more
      }),
      messages: wire<Array<Message.Message>>(messages.map((one, index) => ({ ...one, sequence: index + 1 }))),
      clocks
    }
  }
  const held = (id: string, fence = 2) => ({ control: { holder: { kind: "agent", id }, fence } })
  const ana = { kind: "email", value: "ana@example.com" }

  const named = [
    make(
      "c-refund",
      "k-ana",
      "Charged twice for order #48213",
      [threadOf("email", "c-refund", ana), threadOf("whatsapp", "c-refund", { kind: "phone", value: "+34600000001" })],
      [
        message(
          "c-refund",
          "email",
          "in",
          by("k-ana"),
          26 * hour,
          [{ kind: "html", html: mail, text: "I was charged twice for order #48213" }],
          {
            attachments: [
              {
                id: "a1",
                name: "statement.png",
                mediaType: "image/png",
                sizeBytes: 182_400,
                state: "stored",
                blobKey: "b1"
              },
              {
                id: "a2",
                name: "statement-november-with-an-exceedingly-long-file-name.pdf",
                mediaType: "application/pdf",
                sizeBytes: 1_482_400,
                state: "stored",
                blobKey: "b2"
              }
            ]
          }
        ),
        message(
          "c-refund",
          "email",
          "out",
          agent("mara"),
          25 * hour,
          "Hello Ana,\n\nthank you for writing. I can see both payments and have asked billing to look into it. You will hear from me today.\n\nBest regards\nMara",
          delivery("read", "email", "ana@example.com")
        ),
        message(
          "c-refund",
          "notes",
          "note",
          agent("mara"),
          24.8 * hour,
          "@Billing the second charge has no order behind it: looks like the terminal retried. Can you confirm, @Tomás Ferreira dos Santos?",
          {
            mentions: [
              { kind: "team", id: "billing" },
              { kind: "agent", id: "tomas" }
            ]
          }
        ),
        message("c-refund", "notes", "note", agent("tomas"), 22 * hour, "Confirmed, it is ours. Refund approved."),
        message(
          "c-refund",
          "whatsapp",
          "in",
          by("k-ana"),
          14 * minute,
          "Hi, it's Ana with the double payment. Any news? 🙂",
          { reactions: [{ emoji: "👍", by: agent("mara"), atMs: now - 13 * minute }] }
        ),
        message("c-refund", "whatsapp", "in", by("k-ana"), 13 * minute, "Here is the receipt again, in case it helps", {
          editedAtMs: now - 12 * minute,
          parts: [{ kind: "attachment", attachmentId: "a3", caption: "Here is the receipt again, in case it helps" }],
          attachments: [
            {
              id: "a3",
              name: "IMG_2041.jpg",
              mediaType: "image/jpeg",
              sizeBytes: 812_000,
              state: "stored",
              blobKey: "b3"
            }
          ]
        }),
        message(
          "c-refund",
          "whatsapp",
          "out",
          agent("mara"),
          9 * minute,
          "Good news: the refund is approved. Should it go to the card you paid with?",
          {
            ...delivery("failed", "phone", "+34600000001", {
              platformIds: [],
              failure: { code: "131026", message: "the number can't receive messages at the moment", retryable: true }
            })
          }
        )
      ],
      [clock("next-reply", 3 * minute + 20_000, 14 * minute), clock("resolution", 5 * hour, 26 * hour)],
      {
        ...held("mara", 4),
        priority: "high",
        tags: ["refund", "vip"],
        unreadCount: 2,
        waitingSinceMs: now - 14 * minute,
        language: "es",
        attributes: { order: "48213" }
      }
    ),
    make(
      "c-webchat",
      "k-ana",
      "",
      [threadOf("webchat", "c-webchat", { kind: "visitor", value: "v_8f2c1a77d0" })],
      [
        message("c-webchat", "webchat", "in", by("k-ana"), 6 * minute, "Hello? I wrote about a payment"),
        message(
          "c-webchat",
          "webchat",
          "out",
          bot,
          5.9 * minute,
          [
            {
              kind: "choices",
              text: "Hello Ana! What is it about?",
              options: [
                { id: "payment", label: "A payment" },
                { id: "delivery", label: "A delivery" },
                { id: "person", label: "Talk to a person" }
              ]
            }
          ],
          delivery("delivered", "visitor", "v_8f2c1a77d0")
        ),
        message("c-webchat", "webchat", "in", by("k-ana"), 5.5 * minute, [
          { kind: "choice", id: "person", label: "Talk to a person", of: "m9" }
        ])
      ],
      [clock("first-reply", 8 * minute, 5.5 * minute)],
      {
        waitingSinceMs: now - 5.5 * minute,
        unreadCount: 2,
        handoffSummary: "Asks about a double payment and wants to talk to a person.",
        openedAtMs: now - 6 * minute,
        language: "en"
      }
    ),
    make(
      "c-old",
      "k-ana",
      "Where is my parcel?",
      [threadOf("email", "c-old", ana)],
      [
        message("c-old", "email", "in", by("k-ana"), 40 * day, "Where is my parcel?"),
        message(
          "c-old",
          "email",
          "out",
          agent("jonas"),
          39.9 * day,
          "It arrives tomorrow.",
          delivery("read", "email", "ana@example.com")
        )
      ],
      [],
      {
        ...held("jonas"),
        status: "resolved",
        openedAtMs: now - 40 * day,
        updatedAtMs: now - 39 * day,
        resolvedAtMs: now - 39 * day
      }
    ),
    make(
      "c-arabic",
      "k-arabic",
      "تأخر الطلب",
      [threadOf("whatsapp", "c-arabic", { kind: "phone", value: "+971500000123" })],
      [
        message(
          "c-arabic",
          "whatsapp",
          "in",
          by("k-arabic"),
          18 * minute,
          "السلام عليكم، طلبي رقم 55120 لم يصل بعد. هل يمكنكم التحقق من موعد التسليم؟"
        ),
        message("c-arabic", "whatsapp", "in", by("k-arabic"), 17 * minute, [
          { kind: "location", latitude: 25.2048, longitude: 55.2708, name: "Dubai", address: "Sheikh Zayed Road" }
        ])
      ],
      [clock("first-reply", -4 * minute, 18 * minute)],
      { waitingSinceMs: now - 18 * minute, unreadCount: 2, priority: "urgent", language: "ar", tags: ["delivery"] }
    ),
    make(
      "c-long",
      "k-long",
      "Rückfrage zur Rechnung 2025-11-000481 vom 3. November einschließlich Mahngebühren und Versandkosten",
      [
        threadOf("email", "c-long", {
          kind: "email",
          value: "maximiliane.von.hohenstein-wittelsbach@very-long-domain-name.example.org"
        })
      ],
      [
        message(
          "c-long",
          "email",
          "in",
          by("k-long"),
          3 * hour,
          "Sehr geehrte Damen und Herren,\n\nin der Rechnung 2025-11-000481 sind Mahngebühren enthalten, obwohl ich fristgerecht bezahlt habe. Donaudampfschifffahrtsgesellschaftskapitänsmützenabzeichenverordnung.\n\nMit freundlichen Grüßen"
        )
      ],
      [clock("first-reply", 55 * minute, 3 * hour)],
      {
        ...held("jonas"),
        waitingSinceMs: now - 3 * hour,
        unreadCount: 1,
        tags: ["billing", "invoice", "dunning", "escalated"],
        wanted: { teamId: "billing" }
      }
    ),
    make(
      "c-dmitri",
      "k-dmitri",
      "",
      [threadOf("telegram", "c-dmitri", { kind: "telegram", value: "551200341" })],
      [
        message(
          "c-dmitri",
          "telegram",
          "in",
          by("k-dmitri"),
          30 * minute,
          "Здравствуйте! Можно поменять размер куртки?"
        ),
        message(
          "c-dmitri",
          "telegram",
          "out",
          bot,
          29 * minute,
          "Здравствуйте! Конечно. Какой размер вам нужен?",
          delivery("read", "telegram", "551200341")
        )
      ],
      [],
      { control: { holder: { kind: "bot", id: "first-aid" }, fence: 0 }, language: "ru" }
    ),
    make(
      "c-sam",
      "k-sam",
      "Discount code does not work",
      [threadOf("webchat", "c-sam", { kind: "visitor", value: "v_1b2c3d" })],
      [
        message("c-sam", "webchat", "in", by("k-sam"), 50 * minute, "The code HELLO10 says expired"),
        message("c-sam", "webchat", "in", by("k-sam"), 49 * minute, "oops, wrong chat", {
          deletedAtMs: now - 48 * minute,
          parts: []
        }),
        message(
          "c-sam",
          "webchat",
          "out",
          agent("mara"),
          45 * minute,
          "Sorry about that, Sam. I have made a new one for you: **HELLO15**",
          {
            ...delivery("delivered", "visitor", "v_1b2c3d"),
            parts: [
              {
                kind: "text",
                text: "Sorry about that, Sam. I have made a new one for you: **HELLO15**",
                format: "markdown"
              }
            ]
          }
        )
      ],
      [],
      { ...held("mara"), status: "pending" }
    ),
    make(
      "c-priya",
      "k-priya",
      "Bulk order for our office",
      [threadOf("email", "c-priya", { kind: "email", value: "priya@example.com" })],
      [
        ...Array.from({ length: 64 }, (_, index) =>
          message(
            "c-priya",
            "email",
            index % 2 === 0 ? "in" : "out",
            index % 2 === 0 ? by("k-priya") : agent("mara"),
            (70 - index) * hour,
            index % 2 === 0
              ? `Question ${index + 1}: can you deliver on a Saturday?`
              : `Answer ${index + 1}: yes, between 9 and 12.`,
            index % 2 === 0 ? {} : delivery("sent", "email", "priya@example.com")
          )
        )
      ],
      [clock("resolution", 2 * day, 70 * hour, "paused")],
      { ...held("mara"), priority: "low" }
    ),
    make(
      "c-guest",
      "k-guest",
      "",
      [threadOf("webchat", "c-guest", { kind: "visitor", value: "v_99aa01" })],
      [message("c-guest", "webchat", "in", by("k-guest"), 2 * minute, "Is anybody there?")],
      [clock("first-reply", 13 * minute, 2 * minute)],
      { waitingSinceMs: now - 2 * minute, unreadCount: 1 }
    )
  ]

  const names = [
    "Olivia Brandt",
    "Mateo Ruiz",
    "Chloé Martin",
    "Noah Schmidt",
    "Fatima Zahra",
    "Liam O'Connor",
    "Sofia Rossi",
    "Yusuf Demir"
  ]
  const matters = [
    "Wrong size delivered",
    "How do I change my address?",
    "Gift card not accepted",
    "Cancel my subscription",
    "Zip is broken after a week",
    "Invoice for my company",
    "Is the blue one back in stock?",
    "Delivery to the Canary Islands"
  ]
  const kinds = ["email", "webchat", "whatsapp", "telegram"] as const
  const many = Array.from({ length: 60 }, (_, index) => {
    const id = `c-more-${String(index).padStart(2, "0")}`
    const contactId = `k-more-${index}`
    const kind = kinds[index % 4]!
    contacts.push(
      contact(contactId, names[index % 8]!, [
        verified(
          kind === "email" ? "email" : "phone",
          kind === "email" ? `person${index}@example.com` : `+3460000${1000 + index}`
        )
      ])
    )
    return make(
      id,
      contactId,
      matters[(index * 3) % 8]!,
      [threadOf(kind, id, { kind: "email", value: `person${index}@example.com` })],
      [
        message(
          id,
          kind,
          "in",
          by(contactId),
          (index + 20) * minute,
          `${matters[(index * 3) % 8]}. Could you help me with that, please?`
        )
      ],
      [clock("first-reply", (20 + index * 7) * minute, (index + 20) * minute)],
      {
        ...(index % 7 === 0 ? held(["mara", "jonas", "ines"][index % 21 === 0 ? 2 : index % 2 === 0 ? 1 : 0]!) : {}),
        waitingSinceMs: now - (index + 20) * minute,
        unreadCount: 1,
        priority: index % 11 === 0 ? "high" : "normal",
        tags: index % 5 === 0 ? ["delivery"] : []
      }
    )
  })
  return { agents, teams, contacts, conversations: [...named, ...many] }
}
