/** The looks. Logical properties throughout, so that right-to-left pages need nothing more. */
export const css = `
:host { all: initial; position: fixed; inset-block-end: 20px; inset-inline-end: 20px; z-index: 2147483000; direction: inherit; }
:host([hidden]) { display: none; }
*, *::before, *::after { box-sizing: border-box; }
[hidden] { display: none !important; }
.root {
  --accent: #3d4ee0; --on-accent: #fff;
  --surface: #fff; --raised: #f2f3f7; --line: #e2e4ec; --text: #171a26; --quiet: #5b6072; --danger: #b3261e; --warn: #fff4d6; --warn-text: #5c4300; --shadow: 0 24px 60px rgb(20 24 50 / .22), 0 2px 8px rgb(20 24 50 / .1);
  font: 15px/1.45 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", sans-serif; color: var(--text); color-scheme: light;
  -webkit-font-smoothing: antialiased; text-align: start;
}
.root[data-theme="dark"] { --surface: #171923; --raised: #262a37; --line: #343948; --text: #eef0f6; --quiet: #a6acbd; --danger: #ff9c92; --warn: #3a2f10; --warn-text: #ffe2a0; --shadow: 0 24px 60px rgb(0 0 0 / .55), 0 0 0 1px #2d3140; color-scheme: dark; }
button, textarea, input { font: inherit; color: inherit; margin: 0; }
button { cursor: pointer; border: 0; background: none; padding: 0; }
button:disabled { cursor: default; }
svg { width: 22px; height: 22px; flex: none; display: block; }
:focus-visible { outline: 3px solid var(--text); outline-offset: 2px; }
.sr { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }

.launcher { position: absolute; inset-block-end: 0; inset-inline-end: 0; width: 58px; height: 58px; border-radius: 50%; display: grid; place-items: center; background: var(--accent); color: var(--on-accent); box-shadow: 0 8px 24px rgb(20 24 50 / .28); transition: transform .15s; }
.launcher:hover { transform: scale(1.05); }
.launcher svg { width: 27px; height: 27px; }
.badge { position: absolute; inset-block-start: -3px; inset-inline-end: -3px; min-width: 22px; height: 22px; padding: 0 6px; border-radius: 11px; background: #c4122f; color: #fff; font-size: 12px; font-weight: 700; line-height: 22px; text-align: center; box-shadow: 0 0 0 2px var(--surface); }

.panel { position: absolute; inset-block-end: 74px; inset-inline-end: 0; width: 384px; height: min(640px, calc(100vh - 114px)); display: flex; flex-direction: column; overflow: hidden; border-radius: 18px; background: var(--surface); box-shadow: var(--shadow); animation: rise .2s ease-out; }
@keyframes rise { from { opacity: 0; transform: translateY(12px); } }

header { display: flex; align-items: center; gap: 12px; padding: 16px 14px 16px 18px; background: var(--accent); color: var(--on-accent); }
:host(:dir(rtl)) header { padding: 16px 18px 16px 14px; }
header .mark { width: 38px; height: 38px; border-radius: 50%; display: grid; place-items: center; background: color-mix(in srgb, var(--on-accent) 16%, transparent); }
header .titles { flex: 1; min-width: 0; }
h2 { margin: 0; font-size: 16px; line-height: 1.3; font-weight: 650; }
header p { margin: 1px 0 0; font-size: 13px; line-height: 1.35; }
header button { width: 38px; height: 38px; border-radius: 50%; display: grid; place-items: center; }
header button:hover { background: color-mix(in srgb, var(--on-accent) 14%, transparent); }
header button:focus-visible, .launcher:focus-visible { outline-color: var(--on-accent); outline-offset: -5px; }
.launcher:focus-visible { box-shadow: 0 0 0 3px var(--text); }

.notice { margin: 0; padding: 8px 18px; font-size: 13px; background: var(--warn); color: var(--warn-text); }
.log { flex: 1; overflow-y: auto; overscroll-behavior: contain; padding: 16px; display: flex; flex-direction: column; scrollbar-width: thin; scrollbar-color: var(--line) transparent; }
.log:focus-visible { outline-offset: -4px; }
.items { display: flex; flex-direction: column; margin-block-start: auto; }
.day { align-self: center; margin: 14px 0 10px; font-size: 12px; font-weight: 600; color: var(--quiet); }
.message { display: flex; flex-direction: column; align-items: flex-start; max-width: 86%; margin-block-start: 3px; }
.message.first { margin-block-start: 12px; }
.message.mine { align-self: flex-end; align-items: flex-end; }
.author { margin: 0 0 4px; font-size: 12.5px; font-weight: 600; color: var(--quiet); display: flex; align-items: center; gap: 6px; }
.face { width: 22px; height: 22px; border-radius: 50%; background: var(--raised); color: var(--text); display: grid; place-items: center; font-size: 11px; font-weight: 700; }
.tag { padding: 0 6px; border-radius: 6px; background: var(--raised); font-weight: 600; font-size: 11px; line-height: 18px; }
.bubble { max-width: 100%; padding: 9px 13px; border-radius: 16px; border-end-start-radius: 5px; background: var(--raised); overflow-wrap: anywhere; }
.mine .bubble { background: var(--accent); color: var(--on-accent); border-end-start-radius: 16px; border-end-end-radius: 5px; }
.bubble > * { margin: 0; }
.bubble > * + * { margin-block-start: 8px; }
.bubble p { white-space: pre-wrap; }
.bubble ul, .bubble ol { padding-inline-start: 20px; }
.bubble blockquote { padding-inline-start: 10px; border-inline-start: 3px solid currentColor; }
.bubble code { font: 13px/1.5 ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; }
.bubble pre { overflow-x: auto; padding: 8px 10px; border-radius: 8px; background: var(--surface); color: var(--text); }
.bubble a { color: inherit; text-decoration: underline; text-underline-offset: 2px; }
.mine :focus-visible { outline-color: currentColor; }
.quiet, .deleted .bubble { color: var(--quiet); font-style: italic; }
.deleted .bubble { background: none; border: 1px solid var(--line); }
.place { display: flex; gap: 8px; }
.file { display: inline-flex; align-items: center; gap: 7px; max-width: 100%; padding: 7px 10px; border-radius: 10px; border: 1px solid color-mix(in srgb, currentColor 25%, transparent); font-size: 13.5px; }
.bubble a.file { text-decoration: none; }
.bubble a.file:hover .file-name { text-decoration: underline; }
.file svg { width: 17px; height: 17px; }
.file-name { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.file-size { flex: none; font-size: 12px; }
.image { display: block; }
.image img { display: block; max-width: 100%; max-height: 240px; border-radius: 10px; }
.choices { display: flex; flex-wrap: wrap; gap: 7px; }
.choices button, .bubble .choices a { padding: 7px 13px; border-radius: 17px; border: 1.5px solid currentColor; font-weight: 600; font-size: 14px; text-decoration: none; text-align: start; background: var(--surface); }
.choices button:not(:disabled):hover, .choices a:hover { background: var(--text); color: var(--surface); }
.choices button:disabled { color: var(--quiet); border-color: var(--line); font-weight: 500; }
.meta { display: flex; flex-wrap: wrap; align-items: center; gap: 3px 8px; margin: 3px 2px 0; font-size: 12px; color: var(--quiet); }
/* Of a group of messages only the last says when. */
.message:has(+ .message:not(.first)) .meta.when { display: none; }
.mine .meta { justify-content: flex-end; }
.meta.bad { color: var(--danger); }
.meta button { font-weight: 600; text-decoration: underline; text-underline-offset: 2px; min-height: 24px; color: var(--text); }
.typing { display: flex; align-items: center; gap: 8px; margin: 0; padding: 0 18px 8px; min-height: 26px; font-size: 13px; color: var(--quiet); }
.dots { display: inline-flex; gap: 3px; }
.dots i { width: 6px; height: 6px; border-radius: 50%; background: currentColor; animation: blink 1.2s infinite; }
.dots i:nth-child(2) { animation-delay: .2s; }
.dots i:nth-child(3) { animation-delay: .4s; }
@keyframes blink { 0%, 60%, 100% { opacity: .25; } 30% { opacity: 1; } }

form { padding: 10px 12px 12px; border-block-start: 1px solid var(--line); }
fieldset { border: 0; padding: 0; margin: 0 0 10px; display: grid; gap: 8px; min-width: 0; }
fieldset label { display: grid; gap: 3px; font-size: 12.5px; font-weight: 600; color: var(--quiet); }
fieldset input { padding: 8px 11px; border-radius: 10px; border: 1px solid #868b9b; background: var(--surface); color: var(--text); font-weight: 400; font-size: 15px; min-width: 0; }
fieldset small { font-size: 12px; font-weight: 400; }
.error { margin: 0 4px 8px; font-size: 13px; color: var(--danger); }
.chips { display: flex; flex-wrap: wrap; gap: 6px; margin: 0 0 8px; padding: 0; list-style: none; }
.chips li { min-width: 0; max-width: 100%; }
.chips button { display: grid; place-items: center; width: 24px; height: 24px; border-radius: 50%; }
.chips button:hover { background: var(--raised); }
.chips button svg { width: 14px; height: 14px; }
.field { display: flex; align-items: flex-end; gap: 4px; padding: 4px; border-radius: 22px; border: 1px solid #868b9b; background: var(--surface); }
.field:focus-within { border-color: var(--text); box-shadow: 0 0 0 1px var(--text); }
textarea { flex: 1; min-width: 0; resize: none; border: 0; background: none; padding: 7px 4px; max-height: 130px; line-height: 22px; height: 36px; outline: none; }
textarea:focus-visible { outline: none; }
textarea::placeholder { color: var(--quiet); opacity: 1; }
.field button { width: 36px; height: 36px; border-radius: 50%; display: grid; place-items: center; flex: none; color: var(--quiet); }
.field button:hover { background: var(--raised); }
.field button.send { background: var(--accent); color: var(--on-accent); }
.field button.send:disabled { background: var(--raised); color: var(--quiet); }
.field button svg { width: 20px; height: 20px; }

@media (max-width: 480px) {
  .root[data-open] .launcher { display: none; }
  .panel { position: fixed; inset: 0; width: auto; height: 100%; height: 100dvh; border-radius: 0; }
  textarea, fieldset input { font-size: 16px; }
}
@media (prefers-reduced-motion: reduce) {
  *, *::before, *::after { animation: none !important; transition: none !important; }
}
@media (forced-colors: active) {
  .bubble, .launcher, .field button.send { border: 1px solid; }
}
@media print { :host { display: none; } }
`
