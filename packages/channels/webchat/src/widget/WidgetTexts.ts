/** Everything the widget says. `{…}` is filled in. */
export interface WidgetTexts {
  readonly heading: string
  readonly greeting: string
  readonly open: string
  /** `{count}` */
  readonly openUnread: string
  readonly close: string
  readonly log: string
  readonly write: string
  readonly send: string
  readonly attach: string
  readonly removeFile: string
  /** `{name}` `{size}` */
  readonly fileTooLarge: string
  /** `{count}` */
  readonly tooManyFiles: string
  /** `{count}` */
  readonly textTooLong: string
  readonly fileUnreadable: string
  readonly you: string
  readonly team: string
  readonly bot: string
  readonly today: string
  readonly yesterday: string
  readonly sending: string
  readonly waiting: string
  readonly sent: string
  readonly failed: string
  readonly retry: string
  readonly discard: string
  readonly edited: string
  readonly deleted: string
  /** `{name}` */
  readonly typing: string
  readonly connecting: string
  readonly offline: string
  readonly identityTrouble: string
  readonly refusedTrouble: string
  readonly name: string
  readonly email: string
  readonly emailHint: string
  readonly choices: string
  readonly showOnMap: string
  readonly file: string
  readonly notKept: string
}

const en: WidgetTexts = {
  heading: "Chat with us",
  greeting: "Hello! How can we help?",
  open: "Open chat",
  openUnread: "Open chat, {count} unread",
  close: "Close chat",
  log: "Messages",
  write: "Write a message",
  send: "Send",
  attach: "Attach files",
  removeFile: "Remove {name}",
  fileTooLarge: "{name} is too large: at most {size}.",
  tooManyFiles: "At most {count} files in one message.",
  textTooLong: "At most {count} characters in one message.",
  fileUnreadable: "{name} can't be read.",
  you: "You",
  team: "Team",
  bot: "Assistant",
  today: "Today",
  yesterday: "Yesterday",
  sending: "Sending…",
  waiting: "Waiting for a connection",
  sent: "Sent",
  failed: "Not sent",
  retry: "Try again",
  discard: "Discard",
  edited: "edited",
  deleted: "This message was deleted.",
  typing: "{name} is typing…",
  connecting: "Connecting…",
  offline: "No connection. Your messages are kept and sent later.",
  identityTrouble: "We could not verify who you are. Please reload the page.",
  refusedTrouble: "This chat is not available here.",
  name: "Your name (optional)",
  email: "Your e-mail (optional)",
  emailHint: "So that we can answer when you are gone.",
  choices: "Choose an answer",
  showOnMap: "Show on a map",
  file: "File",
  notKept: "Keep this page open until it is sent."
}

const es: WidgetTexts = {
  heading: "Habla con nosotros",
  greeting: "¡Hola! ¿En qué podemos ayudarte?",
  open: "Abrir el chat",
  openUnread: "Abrir el chat, {count} sin leer",
  close: "Cerrar el chat",
  log: "Mensajes",
  write: "Escribe un mensaje",
  send: "Enviar",
  attach: "Adjuntar archivos",
  removeFile: "Quitar {name}",
  fileTooLarge: "{name} es demasiado grande: como máximo {size}.",
  tooManyFiles: "Como máximo {count} archivos por mensaje.",
  textTooLong: "Como máximo {count} caracteres por mensaje.",
  fileUnreadable: "No se puede leer {name}.",
  you: "Tú",
  team: "Equipo",
  bot: "Asistente",
  today: "Hoy",
  yesterday: "Ayer",
  sending: "Enviando…",
  waiting: "Esperando conexión",
  sent: "Enviado",
  failed: "No enviado",
  retry: "Reintentar",
  discard: "Descartar",
  edited: "editado",
  deleted: "Este mensaje se ha eliminado.",
  typing: "{name} está escribiendo…",
  connecting: "Conectando…",
  offline: "Sin conexión. Tus mensajes se guardan y se enviarán después.",
  identityTrouble: "No hemos podido verificar quién eres. Recarga la página.",
  refusedTrouble: "Este chat no está disponible aquí.",
  name: "Tu nombre (opcional)",
  email: "Tu correo (opcional)",
  emailHint: "Para poder responderte cuando te hayas ido.",
  choices: "Elige una respuesta",
  showOnMap: "Ver en un mapa",
  file: "Archivo",
  notKept: "Mantén la página abierta hasta que se envíe."
}

const ca: WidgetTexts = {
  heading: "Parla amb nosaltres",
  greeting: "Hola! En què et podem ajudar?",
  open: "Obre el xat",
  openUnread: "Obre el xat, {count} sense llegir",
  close: "Tanca el xat",
  log: "Missatges",
  write: "Escriu un missatge",
  send: "Envia",
  attach: "Adjunta fitxers",
  removeFile: "Treu {name}",
  fileTooLarge: "{name} és massa gran: com a màxim {size}.",
  tooManyFiles: "Com a màxim {count} fitxers per missatge.",
  textTooLong: "Com a màxim {count} caràcters per missatge.",
  fileUnreadable: "No es pot llegir {name}.",
  you: "Tu",
  team: "Equip",
  bot: "Assistent",
  today: "Avui",
  yesterday: "Ahir",
  sending: "S'està enviant…",
  waiting: "Esperant connexió",
  sent: "Enviat",
  failed: "No enviat",
  retry: "Torna-ho a provar",
  discard: "Descarta",
  edited: "editat",
  deleted: "Aquest missatge s'ha eliminat.",
  typing: "{name} està escrivint…",
  connecting: "S'està connectant…",
  offline: "Sense connexió. Els teus missatges es guarden i s'enviaran després.",
  identityTrouble: "No hem pogut verificar qui ets. Torna a carregar la pàgina.",
  refusedTrouble: "Aquest xat no està disponible aquí.",
  name: "El teu nom (opcional)",
  email: "El teu correu (opcional)",
  emailHint: "Per poder respondre't quan hagis marxat.",
  choices: "Tria una resposta",
  showOnMap: "Mostra-ho en un mapa",
  file: "Fitxer",
  notKept: "Mantén la pàgina oberta fins que s'enviï."
}

const de: WidgetTexts = {
  heading: "Schreib uns",
  greeting: "Hallo! Wie können wir helfen?",
  open: "Chat öffnen",
  openUnread: "Chat öffnen, {count} ungelesen",
  close: "Chat schließen",
  log: "Nachrichten",
  write: "Nachricht schreiben",
  send: "Senden",
  attach: "Dateien anhängen",
  removeFile: "{name} entfernen",
  fileTooLarge: "{name} ist zu groß: höchstens {size}.",
  tooManyFiles: "Höchstens {count} Dateien pro Nachricht.",
  textTooLong: "Höchstens {count} Zeichen pro Nachricht.",
  fileUnreadable: "{name} lässt sich nicht lesen.",
  you: "Du",
  team: "Team",
  bot: "Assistent",
  today: "Heute",
  yesterday: "Gestern",
  sending: "Wird gesendet…",
  waiting: "Wartet auf Verbindung",
  sent: "Gesendet",
  failed: "Nicht gesendet",
  retry: "Erneut versuchen",
  discard: "Verwerfen",
  edited: "bearbeitet",
  deleted: "Diese Nachricht wurde gelöscht.",
  typing: "{name} schreibt…",
  connecting: "Verbindung wird aufgebaut…",
  offline: "Keine Verbindung. Deine Nachrichten bleiben erhalten und werden später gesendet.",
  identityTrouble: "Wir konnten nicht prüfen, wer du bist. Bitte lade die Seite neu.",
  refusedTrouble: "Dieser Chat ist hier nicht verfügbar.",
  name: "Dein Name (freiwillig)",
  email: "Deine E-Mail (freiwillig)",
  emailHint: "Damit wir antworten können, wenn du weg bist.",
  choices: "Antwort wählen",
  showOnMap: "Auf einer Karte zeigen",
  file: "Datei",
  notKept: "Lass die Seite offen, bis es gesendet ist."
}

const languages: Readonly<Record<string, WidgetTexts>> = { en, es, ca, de }

/** The built-in texts for a BCP 47 tag by its language, otherwise English. */
export const textsFor = (tag: string): WidgetTexts => languages[tag.toLowerCase().split("-")[0] ?? ""] ?? en

/** A text with its places filled in. */
export const fill = (text: string, values: Readonly<Record<string, string | number>>): string =>
  text.replace(/\{(\w+)\}/g, (place, key: string) => String(values[key] ?? place))
