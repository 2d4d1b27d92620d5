/** What contacts say, in six languages: five matters, each with its turns. `{order}` and `{amount}` are filled in. */

export type Language = "en" | "es" | "ca" | "de" | "ar" | "zh"
export const languages: readonly [Language, ...ReadonlyArray<Language>] = ["en", "es", "ca", "de", "ar", "zh"]

/**
 * One turn. `choice` presses a button of the last answer when it has one of that id, and says the text otherwise;
 * `picture` is a photo with the text below.
 */
export interface Turn {
  readonly kind: "text" | "picture" | "choice"
  readonly text: string
  readonly choice?: "yes" | "no"
}

/** A matter, as it is written about: a subject, for mails, and its turns. */
export interface Matter {
  readonly subject: string
  readonly turns: readonly [Turn, ...ReadonlyArray<Turn>]
}

const text = (said: string): Turn => ({ kind: "text", text: said })
const picture = (said: string): Turn => ({ kind: "picture", text: said })
const choice = (id: "yes" | "no", said: string): Turn => ({ kind: "choice", choice: id, text: said })

type Matters = readonly [Matter, ...ReadonlyArray<Matter>]

export const matters: Readonly<Record<Language, Matters>> = {
  en: [
    { subject: "Where is my order?", turns: [text("Hi, where is order {order}?"), choice("yes", "Thank you!")] },
    {
      subject: "Charged twice",
      turns: [
        text("Order {order}: my card was charged twice."),
        text("The second charge is {amount} €, from this morning."),
        text("When will I get the money back?")
      ]
    },
    {
      subject: "It arrived broken",
      turns: [
        text("The parcel came today and the kettle is dented."),
        picture("This is how it looks"),
        text("Can you send a new one?")
      ]
    },
    { subject: "Opening hours", turns: [text("What are your opening hours?"), text("Perfect, thanks.")] },
    {
      subject: "Changing an address",
      turns: [text("I need to talk to a person."), text("I have moved and order {order} goes to my old flat.")]
    }
  ],
  es: [
    {
      subject: "¿Dónde está mi pedido?",
      turns: [
        text("Hola, ¿dónde está el pedido {order}?"),
        choice("no", "Todavía no lo entiendo, una persona por favor.")
      ]
    },
    {
      subject: "Cobro doble",
      turns: [
        text("Me habéis hecho el cobro dos veces, pedido {order}."),
        text("Son {amount} € de más. ¿Cuándo los devolvéis?")
      ]
    },
    {
      subject: "Ha llegado roto",
      turns: [
        text("Buenas, la mochila ha llegado con la cremallera rota."),
        picture("Mira la foto"),
        text("¿Me mandáis otra?")
      ]
    },
    { subject: "Horario", turns: [text("¿Qué horario tenéis?"), text("Gracias, muy amables.")] },
    {
      subject: "Factura",
      turns: [text("Necesito la factura del pedido {order}."), text("Con el NIF de mi empresa, por favor.")]
    }
  ],
  ca: [
    {
      subject: "On és la comanda?",
      turns: [text("Bon dia, on és la comanda {order}?"), choice("yes", "Moltes gràcies!")]
    },
    {
      subject: "Cobrament doble",
      turns: [
        text("M'heu cobrat dues vegades, vull parlar amb una persona. Comanda {order}."),
        text("Són {amount} € de més.")
      ]
    },
    { subject: "Horari", turns: [text("Quin horari feu els divendres?"), text("D'acord, gràcies.")] },
    {
      subject: "Talla equivocada",
      turns: [text("La jaqueta m'ha quedat petita."), text("La puc canviar per una L?"), picture("És aquesta")]
    }
  ],
  de: [
    {
      subject: "Wo ist meine Bestellung?",
      turns: [text("Guten Tag, wo ist Bestellung {order}?"), choice("no", "Nein, bitte ein Mensch.")]
    },
    {
      subject: "Rechnung falsch",
      turns: [
        text("Auf der Rechnung zu {order} stehen {amount} € zu viel."),
        text("Wann bekomme ich das Geld zurück?"),
        text("Danke.")
      ]
    },
    { subject: "Öffnungszeiten", turns: [text("Wann haben Sie geöffnet?"), text("Alles klar, danke!")] },
    {
      subject: "Beschädigt angekommen",
      turns: [text("Der Kocher ist verbeult angekommen."), picture("So sah er aus"), text("Bekomme ich Ersatz?")]
    }
  ],
  ar: [
    { subject: "أين طلبي؟", turns: [text("مرحبا، أين الطلب {order}؟"), choice("yes", "شكرا جزيلا")] },
    {
      subject: "خصم مرتين",
      turns: [
        text("تم خصم المبلغ مرتين من بطاقتي للطلب {order}."),
        text("المبلغ الزائد هو {amount} يورو."),
        text("متى يعود المبلغ؟")
      ]
    },
    { subject: "وصل مكسورا", turns: [text("وصلت الحقيبة ممزقة."), picture("هذه صورتها"), text("هل يمكن استبدالها؟")] }
  ],
  zh: [
    { subject: "我的订单在哪里？", turns: [text("你好，订单 {order} 到哪里了？"), choice("no", "我想找人工客服。")] },
    {
      subject: "重复扣款",
      turns: [text("订单 {order} 扣了两次款。"), text("多扣了 {amount} 欧元，什么时候退？")]
    },
    { subject: "收到时已损坏", turns: [text("水壶收到时就坏了。"), picture("请看照片"), text("可以换一个吗？谢谢")] }
  ]
}

export const names: Readonly<Record<Language, readonly [string, ...ReadonlyArray<string>]>> = {
  en: ["Olivia Hart", "Noah Bennett", "Priya Nair", "Liam O'Brien", "Grace Mensah", "Tom Whitaker"],
  es: ["Lucía Romero", "Mateo Gil", "Valeria Ortiz", "Diego Navarro", "Carmen Vidal"],
  ca: ["Laia Puig", "Jordi Serra", "Mireia Roca", "Pau Ferrer"],
  de: ["Lena Brandt", "Jonas Vogel", "Sofie Krämer", "Emre Yıldız", "Klaus Hoffmann"],
  ar: ["ليلى حداد", "عمر منصور", "نور الشامي", "يوسف خليل"],
  zh: ["王芳", "李伟", "陈静", "赵明"]
}
