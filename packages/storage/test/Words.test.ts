import { strict as assert } from "node:assert"
import { holds, snippetOf, type Term, termsOf, type Word, wordsOf } from "@switchboard/storage/Words"
import fc from "fast-check"
import { describe, test } from "vitest"

const textsOf = (text: string): ReadonlyArray<string> => wordsOf(text).map((word) => word.text)
const placesOf = (text: string): ReadonlyArray<string> => wordsOf(text).map(({ start, end }) => text.slice(start, end))
const whole = (text: string): Term => ({ text, isPrefix: false })
const prefix = (text: string): Term => ({ text, isPrefix: true })
const meets = (word: Word, term: Term): boolean =>
  term.isPrefix ? word.text.startsWith(term.text) : word.text === term.text

const unspaced = /[\p{scx=Hani}\p{scx=Hira}\p{scx=Kana}\p{scx=Thai}\p{scx=Laoo}\p{scx=Khmr}\p{scx=Mymr}]/u

describe("sentences of customer service", () => {
  const spaced: ReadonlyArray<readonly [language: string, text: string, words: string]> = [
    [
      "Catalan",
      "Bon dia, sóc l'Àngels Puigdollers de Vic: m'heu cobrat dues vegades el rebut del col·legi.",
      "bon dia soc l angels puigdollers de vic m heu cobrat dues vegades el rebut del collegi"
    ],
    ["Catalan in capitals", "LA INSTAL·LACIÓ ÉS A L’HABITACIÓ", "la installacio es a l habitacio"],
    [
      "Spanish",
      "¿Cuándo llegará mi pedido nº 1042? El niño cumple años el 3 de mayo.",
      "cuando llegara mi pedido no 1042 el nino cumple anos el 3 de mayo"
    ],
    [
      "English",
      'I can\'t log in; it says "Invalid e-mail" (error E-404) — please help!',
      "i can t log in it says invalid e mail error e 404 please help"
    ],
    [
      "German",
      "Die Rechnung über 1.250,00 € war größer als gedacht. STRASSE und Straße, ẞ.",
      "die rechnung uber 1 250 00 war grosser als gedacht strasse und strasse ss"
    ],
    ["Arabic", "لم يصلني الطلب رقم ١٠٤٢ إلى المدرسة", "لم يصلني الطلب رقم 1042 الي المدرسه"],
    ["Arabic with vowels and a tatweel", "شُكْرًا جَزِيلًا عـــلى المساعدة", "شكرا جزيلا علي المساعده"],
    ["Persian digits", "سفارش ۱۲۳", "سفارش 123"],
    ["Turkish", "İade ISPARTA ılık", "iade isparta ilik"],
    ["Polish", "Zażółć łódź", "zazolc lodz"],
    ["Greek", "ΟΔΟΣ Οδός", "οδοσ οδοσ"],
    ["Nordic and French", "Ærø Þór Đorđe ðá cœur", "aero thor dorde da coeur"]
  ]
  for (const [language, text, words] of spaced)
    test(`[STORAGE-80] ${language}`, () => {
      assert.deepEqual(textsOf(text), words.split(" "))
      // What is shown folds to the word, whichever way it was written.
      for (const place of placesOf(text)) assert.equal(textsOf(place).length, 1, place)
      assert.deepEqual(placesOf(text).flatMap(textsOf), words.split(" "))
      assert.deepEqual(textsOf(text.normalize("NFD")), words.split(" "))
      assert.deepEqual(textsOf(text.toUpperCase()), words.split(" "))
    })

  const joined: ReadonlyArray<readonly [language: string, text: string, words: string]> = [
    ["Chinese", "我的订单1042还没到。", "我的 的订 订单 单 1042 还没 没到 到"],
    ["Chinese in other widths", "ＶＩＰ会员，请退款", "vip 会员 员 请退 退款 款"],
    ["Japanese", "お問い合わせ番号はABC-12です。", "お問 問い い合 合わ わせ せ番 番号 号は は abc 12 てす す"],
    ["Japanese in half width", "ﾊﾟｽﾜｰﾄﾞ", "ハス スワ ワー ート ト"],
    ["Japanese with a middle dot", "カスタマー・サービス", "カス スタ タマ マー ー サー ーヒ ヒス ス"],
    ["Japanese with a repeated sign and a zero", "人々二〇二六年", "人々 々二 二〇 〇二 二六 六年 年"],
    ["Thai", "ขอเงินคืน ๑๒", "ขอ อเ เง งน นค คน น 12"],
    ["one alone", "茶", "茶"]
  ]
  for (const [language, text, words] of joined)
    test(`[STORAGE-81] ${language}`, () => {
      assert.deepEqual(textsOf(text), words.split(" "))
      for (const [index, place] of placesOf(text).entries()) assert.equal(textsOf(place)[0], words.split(" ")[index])
    })
})

test("[STORAGE-81] a change between a script without spaces and another one divides", () => {
  assert.deepEqual(textsOf("新iPhone15手机한국어"), ["新", "iphone15", "手机", "机", ...textsOf("한국어")])
})

describe("places point into the text as it was given", () => {
  const places: ReadonlyArray<readonly [title: string, text: string, places: ReadonlyArray<string>]> = [
    ["a ligature", "an oﬃce", ["an", "oﬃce"]],
    ["ß", "große Straße", ["große", "Straße"]],
    ["decomposed accents", "cafe\u0301 sole\u0301.", ["cafe\u0301", "sole\u0301"]],
    ["letters beyond the first plane", "😀𝐇𝐨𝐥𝐚 🄰!", ["𝐇𝐨𝐥𝐚", "🄰"]],
    ["voiced half-width kana", "ｶﾞｷﾞ", ["ｶﾞｷﾞ", "ｷﾞ"]],
    ["ideographs beyond the first plane", "𠮷野", ["𠮷野", "野"]],
    ["a square of four", "㍿", ["㍿", "㍿", "㍿", "㍿"]],
    ["a fraction", "x½", ["x½", "½"]],
    ["a word that is not the end of an l·l", "al·a sol· ŀ", ["al", "a", "sol", "ŀ"]],
    ["two dots, and a dot with a mark", "sol··l al·\u0301b", ["sol", "l", "al", "b"]],
    ["an apostrophe that counts as a letter", "l\u02bcAnna", ["l", "Anna"]],
    ["the letter with its own dot", "coŀlegi CoĿlegi", ["coŀlegi", "CoĿlegi"]],
    ["l·l with other dots", "col‧legi col・legi", ["col‧legi", "col・legi"]],
    ["soft hyphens, joiners, bidi marks", "\ufeffin\u00advoi\u200bce\u2069 a\u200d", ["in\u00advoi\u200bce", "a"]],
    ["an emoji that begins with a digit", "1\ufe0f\u20e3", ["1\ufe0f\u20e3"]],
    ["marks before any letter", "\u0301a", ["a"]],
    ["a no-break space and a control", "a\u00a0b\u0000c", ["a", "b", "c"]]
  ]
  for (const [title, text, expected] of places)
    test(`[STORAGE-80] ${title}`, () => {
      assert.deepEqual(placesOf(text), expected)
    })
})

test("[STORAGE-80] the l·l is one word however it is written", () => {
  for (const text of [
    "col·legi",
    "coŀlegi",
    "COL·LEGI",
    "col‧legi",
    "col・legi",
    "col･legi",
    "co\u00adl\u00ad·\u00adlegi"
  ])
    assert.deepEqual(textsOf(text), ["collegi"], text)
})

test("[STORAGE-80] a word ends after 64 code points, and what follows in it is left out", () => {
  assert.deepEqual(wordsOf(`${"a".repeat(1_000)} b`), [
    { text: "a".repeat(64), start: 0, end: 64 },
    { text: "b", start: 1_001, end: 1_002 }
  ])
  const mathematical = "𝐚".repeat(64)
  assert.deepEqual(wordsOf(`${mathematical}b\u0301`), [{ text: "a".repeat(64), start: 0, end: 128 }])
  assert.equal(wordsOf("a".repeat(64))[0]?.text.length, 64)
  assert(holds("a".repeat(100), termsOf("a".repeat(90))))
})

test("[STORAGE-80] each character of Unicode folds to letters and digits that fold to themselves", () => {
  const isFolded = /^[a-z0-9[[\p{L}\p{N}]--[\p{Nd}\p{ASCII}]]]+$/v
  const wrong: Array<string> = []
  // The planes beyond hold nothing but tags and private use.
  for (let codePoint = 0; codePoint <= 0x3ffff; codePoint++) {
    const character = String.fromCodePoint(codePoint)
    for (const { text, end } of wordsOf(character))
      if (!isFolded.test(text) || wordsOf(text)[0]?.text !== text || end !== character.length)
        wrong.push(codePoint.toString(16))
  }
  assert.deepEqual(wrong, [])
})

test("[STORAGE-80] texts without words have none", () => {
  for (const text of ["", " \n\t", "¿?!…", "😀❤️", "\ud800", "\udc00\ud800 ", "\u0301", "\u200b"])
    assert.deepEqual(wordsOf(text), [], JSON.stringify(text))
  assert.deepEqual(textsOf("a\ud800b"), ["a", "b"])
})

test("[STORAGE-80] ten million letters are one word", () => {
  const text = "a".repeat(10_000_000)
  assert.deepEqual(wordsOf(text), [{ text: "a".repeat(64), start: 0, end: 64 }])
  assert.deepEqual(termsOf(text), [prefix("a".repeat(64))])
})

describe("a query", () => {
  const queries: ReadonlyArray<readonly [query: string, terms: ReadonlyArray<Term>]> = [
    ["", []],
    ["  ", []],
    ["?!", []],
    ["fact", [prefix("fact")]],
    ["fact ", [whole("fact")]],
    ["fact\n", [whole("fact")]],
    ["退款\u3000", [whole("退款")]],
    ["Hola, l'Anna", [whole("hola"), whole("l"), prefix("anna")]],
    ['"doble cobro"', [whole("doble"), prefix("cobro")]],
    ["cob cob", [whole("cob")]],
    ["cob COB ", [whole("cob")]],
    ["col·l", [prefix("coll")]],
    ["中文字", [whole("中文"), whole("文字")]],
    ["中", [prefix("中")]],
    ["中 ", [prefix("中")]],
    ["中 文", [prefix("中"), prefix("文")]],
    ["order 退款", [whole("order"), whole("退款")]],
    ["退款 ord", [whole("退款"), prefix("ord")]],
    ["ガ", [prefix("カ")]],
    ["½", [whole("1"), prefix("2")]]
  ]
  for (const [query, terms] of queries)
    test(`[STORAGE-82] ${JSON.stringify(query)}`, () => {
      assert.deepEqual(termsOf(query), terms)
    })

  test("[STORAGE-82] has at most 16 different terms, and only its very last word is a prefix", () => {
    const words = Array.from({ length: 20 }, (_, index) => `w${index}`)
    const first = words.slice(0, 16)
    assert.deepEqual(termsOf(words.join(" ")), first.map(whole))
    assert.deepEqual(termsOf(first.join(" ")), [...words.slice(0, 15).map(whole), prefix("w15")])
    assert.deepEqual(termsOf(`${first.join(" ")} w3`), first.map(whole))
    assert.equal(termsOf("中文字".repeat(1_000)).length, 3)
  })

  const answers: ReadonlyArray<readonly [text: string, query: string, isHeld: boolean]> = [
    ["M'heu cobrat dues vegades la comanda 1042.", "comanda cobr", true],
    ["M'heu cobrat dues vegades la comanda 1042.", "comanda cobr ", false],
    ["M'heu cobrat dues vegades la comanda 1042.", "manda", false],
    ["M'heu cobrat dues vegades la comanda 1042.", "cobrat retornat", false],
    ["Straße 5", "STRASSE", true],
    ["我的订单还没到", "订单", true],
    ["我的订单还没到", "到", true],
    ["我的订单还没到", "单", true],
    ["我的订单还没到", "订还", false],
    ["我的订单还没到", "没到 订单", true],
    ["パスワードを忘れました", "ﾊﾟｽﾜｰﾄﾞ", true],
    ["طلبي رقم ١٠٤٢", "1042", true],
    ["한국어 상담", "한국", true],
    ["anything", "", true]
  ]
  for (const [text, query, isHeld] of answers)
    test(`[STORAGE-82] ${JSON.stringify(query)} is ${isHeld ? "held" : "not held"} by ${JSON.stringify(text)}`, () => {
      assert.equal(holds(text, termsOf(query)), isHeld)
    })
})

const marked = (text: string, query: string, length?: number): string => {
  const snippet = snippetOf(text, termsOf(query), length)
  let shown = ""
  let at = 0
  for (const { start, end } of snippet.matches) {
    shown += `${snippet.text.slice(at, start)}[${snippet.text.slice(start, end)}]`
    at = end
  }
  return shown + snippet.text.slice(at)
}

describe("a snippet", () => {
  const long =
    "Bon dia. Sóc l'Anna Puig i us escric per la comanda 1042. M'heu cobrat dues vegades el mateix import i encara no he rebut cap resposta. Podeu mirar si la comanda s'ha cobrat bé?"
  const snippets: ReadonlyArray<
    readonly [title: string, text: string, query: string, length: number | undefined, shown: string]
  > = [
    ["of a short text is the text", "Hola, Anna", "anna", undefined, "Hola, [Anna]"],
    ["of nothing is nothing", "", "anna", undefined, ""],
    ["without a match is the beginning", long, "factura", 30, "Bon dia. Sóc l'Anna Puig i us…"],
    ["without terms is the beginning", long, "", 30, "Bon dia. Sóc l'Anna Puig i us…"],
    [
      "is where most different terms are near each other",
      long,
      "mirar cobrat comanda",
      60,
      "…cap resposta. Podeu [mirar] si la [comanda] s'ha [cobrat] bé?"
    ],
    ["is the first such place", long, "comanda", 40, "…escric per la [comanda] 1042. M'heu…"],
    ["is the first place also when terms are missing", long, "comanda factura ", 30, "…per la [comanda] 1042. M'…"],
    ["is cut in a word too long to show", "a".repeat(100), "b", 10, "aaaaaaaaa…"],
    ["marks the whole word of a prefix", "He rebut una factura", "fact", undefined, "He rebut una [factura]"],
    ["marks what folds to the term", "Hans' Straße, ﬁn", "strasse fi", undefined, "Hans' [Straße], [ﬁn]"],
    ["marks a run of pairs once", "我的订单还没到", "我的订单", undefined, "[我的订单]还没到"],
    ["marks only the one that was looked for", "我的订单还没到", "单", undefined, "我的订[单]还没到"],
    ["marks touching matches once", "买iPhone吧", "买 iphone", undefined, "[买iPhone]吧"],
    ["of a script without spaces is cut anywhere", "我的订单还没到请帮我查询", "没", 7, "…单还[没]到请…"],
    ["leaves no half emoji", "👍🏽👍🏽👍🏽👍🏽", "", 7, "👍🏽…"],
    ["leaves no half family", "👩\u200d👩\u200d👧👩\u200d👩\u200d👧", "", 13, "👩\u200d👩\u200d👧…"],
    ["leaves no letter without its accent", "中e\u0301中e\u0301中e\u0301", "", 6, "中e\u0301中…"],
    ["marks nothing that doesn't fit", "the incomprehensibilities", "incomprehensibilities ", 10, "the…"],
    ["has room for nothing", "two words", "words", 1, "…"]
  ]
  for (const [title, text, query, length, shown] of snippets)
    test(`[STORAGE-83] ${title}`, () => {
      assert.equal(marked(text, query, length), shown)
    })

  test("[STORAGE-83] is found at the end of a long text", () => {
    for (const filler of ["hola ", "中文", "a\u0301", "\ud800", "l·"])
      assert.match(marked(`${filler.repeat(100_000)} zebra`, "zebra"), /^….*\[zebra\]$/s)
  })
})

/** Letters of all kinds, and what makes trouble. */
const character = fc.oneof(
  fc.constantFrom(..."aàÀlLßﬁŀıİ'’·・ -\n.½ﷺ0٣๑"),
  fc.constantFrom(..."中文𠮷かｶﾞーไทยមမລ〇㍿"),
  fc.constantFrom(
    "\u0301",
    "\u00ad",
    "\u200d",
    "\u200b",
    "\ufe0f",
    "\u0640",
    "\ud800",
    "\udc00",
    "👍🏽",
    "한",
    "\u3099"
  ),
  fc.string({ unit: "binary", minLength: 1, maxLength: 1 })
)
const anyText = fc
  .array(fc.oneof({ weight: 29, arbitrary: character }, { weight: 1, arbitrary: fc.constant("a".repeat(70)) }), {
    maxLength: 40,
    size: "max"
  })
  .map((characters) => characters.join(""))
const options = { seed: 80, numRuns: 1_500 }

test("[STORAGE-80] places are in order and in range, and hold their word", () => {
  fc.assert(
    fc.property(anyText, (text) => {
      let latest = 0
      for (const word of wordsOf(text)) {
        assert(word.start >= latest && word.end > word.start && word.end <= text.length)
        latest = word.start
        assert(textsOf(text.slice(word.start, word.end)).includes(word.text))
      }
    }),
    options
  )
})

test("[STORAGE-80] the words of a word are the word", () => {
  fc.assert(
    fc.property(anyText, (text) => {
      for (const word of textsOf(text)) {
        // Of a pair, the last code point is a word as well.
        const again = unspaced.test(word) ? textsOf(word).slice(0, 1) : textsOf(word)
        assert.deepEqual(again, [word])
        assert.match(word, /^[\p{L}\p{N}]{1,64}$/u)
        assert.doesNotMatch(word, /[A-Z]/)
      }
    }),
    options
  )
})

test("[STORAGE-82] a text holds each of its words, and the beginning of each one", () => {
  fc.assert(
    fc.property(anyText, fc.nat(), (text, cut) => {
      for (const word of textsOf(text)) {
        assert(holds(text, [whole(word)]))
        const letters = [...word]
        assert(holds(text, [prefix(letters.slice(0, 1 + (cut % letters.length)).join(""))]))
        assert(holds(text, termsOf(word)))
      }
      assert(holds(text, termsOf(text)))
    }),
    { ...options, numRuns: 500 }
  )
})

test("[STORAGE-82] any query has at most 16 different terms", () => {
  fc.assert(
    fc.property(anyText, (query) => {
      const terms = termsOf(query)
      assert(terms.length <= 16)
      assert.equal(new Set(terms.map(({ text }) => text)).size, terms.length)
      assert.equal(terms.length === 0, wordsOf(query).length === 0)
    }),
    options
  )
})

test("[STORAGE-82] text holds what its words say one by one", () => {
  fc.assert(
    fc.property(anyText, anyText, (text, query) => {
      const terms = termsOf(query)
      const expected = terms.every((term) => wordsOf(text).some((word) => meets(word, term)))
      assert.equal(holds(text, terms), expected)
    }),
    options
  )
})

test("[STORAGE-83] matches are in the snippet, in order, apart, and meet a term; the snippet is of the text", () => {
  fc.assert(
    fc.property(anyText, anyText, fc.nat(), fc.integer({ min: 1, max: 60 }), (text, other, pick, length) => {
      const words = wordsOf(text)
      const own = words[pick % Math.max(1, words.length)]
      const ownTerms = own === undefined ? [] : termsOf(own.text)
      const terms = [...new Map([...termsOf(other), ...ownTerms].map((term) => [JSON.stringify(term), term])).values()]
      const snippet = snippetOf(text, terms, length)
      assert(snippet.text.length <= length)
      assert(text.includes(snippet.text.replace(/^…/, "").replace(/…$/, "")))
      if (text.isWellFormed()) assert(snippet.text.isWellFormed())
      let latest = -1
      for (const { start, end } of snippet.matches) {
        assert(start > latest && end > start && end <= snippet.text.length)
        latest = end
        const found = wordsOf(snippet.text.slice(start, end))
        assert(
          found.some((word) => terms.some((term) => meets(word, term))),
          JSON.stringify({ snippet, terms })
        )
      }
      const met = (found: ReadonlyArray<Word>): number =>
        terms.filter((term) => found.some((word) => meets(word, term))).length
      // No other place of the snippet's length, less its two cuts, holds more of the terms than are marked.
      const most = Math.max(
        0,
        ...words.map(({ start }) => met(words.filter((word) => word.start >= start && word.end <= start + length - 2)))
      )
      const shown = met(snippet.matches.flatMap(({ start, end }) => wordsOf(snippet.text.slice(start, end))))
      assert(shown >= most, JSON.stringify({ text, snippet, terms, length }))
    }),
    options
  )
})
