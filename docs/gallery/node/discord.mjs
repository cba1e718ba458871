// Discord: messages and modals, by @skyra/discord-components-core, whose custom
// elements draw themselves in the browser. What they leave to their user is done
// here: Markdown, as far as the adapter writes any, times, names, and the columns
// of fields. The frame of a modal is ours.
import { createRequire } from 'node:module'
import { buildSync } from 'esbuild'
import { face, read } from './fonts.mjs'

const escape = (s) => s.replace(/[&<>"]/g, (c) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' })[c])

// local returns an instant as one whose UTC fields are the reader's.
const local = (instant, job) => new Date(Number(new Date(instant)) + job.offset * 1000)
const clock = (d) => d.toISOString().slice(11, 16)

// time shows a time token to a reader who prefers the 24-hour clock.
function time(stamp, form, job) {
  const now = local(job.at, job), d = local(stamp * 1000, job)
  const minutes = Math.round((now - d) / 6e4)
  const day = d.toLocaleDateString('en-GB', { day: 'numeric', month: 'long', year: 'numeric', timeZone: 'UTC' })
  const count = (n, unit) => `${n === 1 ? (unit === 'hour' ? 'an' : 'a') : n} ${unit}${n === 1 ? '' : 's'}`
  const ago = minutes < 1 ? 'a few seconds' : minutes < 60 ? count(minutes, 'minute') : count(Math.round(minutes / 60), 'hour')
  return { t: clock(d), f: `${day} ${clock(d)}`, R: `${ago} ago` }[form]
}

// inline returns a line of Markdown as HTML. What a backslash precedes is text.
function inline(s, job) {
  const name = (id) => job.people.find((p) => p.id === id)?.name ?? 'unknown-user'
  const marks = [
    [/^\\([^\p{L}\p{N}\s])/u, (m) => escape(m[1])],
    [/^`([^`]+)`/, (m) => `<code>${escape(m[1])}</code>`],
    [/^\*\*(.+?)\*\*(?!\*)/s, (m) => `<b>${inline(m[1], job)}</b>`],
    [/^<t:(-?\d+):(\w)>/, (m) => `<span class="time">${time(m[1], m[2], job)}</span>`],
    [/^<@(\d+)>/, (m) => `<discord-mention type="user">${escape(name(m[1]))}</discord-mention>`],
    [/^<#(\d+)>/, (m) => `<discord-mention type="channel">${escape(name(m[1]))}</discord-mention>`],
    [/^\[((?:\\.|[^\]])+)\]\(<([^>]+)>\)/, (m) => `<a href="${escape(m[2])}">${inline(m[1], job)}</a>`],
    [/^<(https?:[^>]+)>/, (m) => `<a href="${escape(m[1])}">${escape(m[1])}</a>`],
    [/^[^\\`*<[]+/, (m) => escape(m[0])],
    [/^./su, (m) => escape(m[0])],
  ]
  let html = ''
  while (s) {
    const [match, show] = marks.map(([mark, show]) => [mark.exec(s), show]).find(([match]) => match)
    html += show(match)
    s = s.slice(match[0].length)
  }
  return html
}

// markdown returns Markdown as HTML, line by line.
function markdown(s, job) {
  return s.split(/(```\n[\s\S]*?\n```)/).map((part, i) => {
    if (i % 2) return `<pre>${escape(part.slice(4, -4))}</pre>`
    const lines = part.replace(/^\n|\n$/g, '').split('\n')
    if (lines.length === 1 && lines[0] === '') return ''
    return lines.map((line) => line.startsWith('-# ') ? `<small>${inline(line.slice(3), job)}</small>` : `<div>${inline(line, job) || '&nbsp;'}</div>`).join('')
  }).join('')
}

// fields returns the fields of an embed: inline ones stand up to three in a row.
function fields(list, job) {
  let column = 0
  return list.map((f) => {
    column = f.inline ? column % 3 + 1 : 0
    const place = f.inline ? `inline inline-index="${column}"` : ''
    return `<discord-embed-field ${place} field-title="${escape(plain(f.name))}">${markdown(f.value, job)}</discord-embed-field>`
  }).join('')
}

// plain takes the backslashes out of what the library shows as it is.
const plain = (s) => s.replace(/\\([^\p{L}\p{N}\s])/gu, '$1')

const picture = (url, files) => {
  const f = files.find((f) => url === `attachment://${f.name}`)
  return f && `data:${f.type};base64,${f.data}`
}

function embed(e, files, job) {
  const color = e.color === undefined ? '' : `color="#${e.color.toString(16).padStart(6, '0')}"`
  const image = e.image ? `image="${picture(e.image.url, files)}"` : ''
  return `<discord-embed slot="embeds" ${color} ${image} embed-title="${escape(plain(e.title ?? ''))}">
${e.description ? `<discord-embed-description slot="description">${markdown(e.description, job)}</discord-embed-description>` : ''}
${e.fields ? `<discord-embed-fields slot="fields">${fields(e.fields, job)}</discord-embed-fields>` : ''}
${e.footer ? `<discord-embed-footer slot="footer">${escape(e.footer.text)}</discord-embed-footer>` : ''}</discord-embed>`
}

const styles = { 1: 'primary', 2: 'secondary', 3: 'success', 4: 'destructive', 5: 'secondary' }

function button(b) {
  const url = b.url ? `url="${escape(b.url)}"` : ''
  return `<discord-button type="${styles[b.style]}" ${url}>${escape(b.label)}</discord-button>`
}

const avatar = `data:image/svg+xml,${encodeURIComponent(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 36 36"><rect width="36" height="36" fill="#0b6b5b"/>
<g fill="#fff"><rect x="10" y="19" width="4" height="8" rx="1.2"/><rect x="16" y="14" width="4" height="13" rx="1.2"/><rect x="22" y="9" width="4" height="18" rx="1.2"/></g></svg>`)}`

function message(job) {
  const { message: m } = job.drawing, files = job.drawing.files ?? []
  const rows = m.components.map((r) => `<discord-action-row>${r.components.map(button).join('')}</discord-action-row>`)
  const shown = new Set(m.embeds.filter((e) => e.image).map((e) => e.image.url))
  const others = files.filter((f) => !shown.has(`attachment://${f.name}`)).map((f) =>
    `<discord-file-attachment name="${escape(f.name)}" bytes="${atob(f.data).length}" bytes-unit="B"></discord-file-attachment>`)
  return `<discord-messages ${job.theme === 'light' ? 'light-theme' : ''}>
<discord-message author="floorwalker" bot avatar="${avatar}" timestamp="Today at ${clock(local(job.at, job))}" ${job.only ? 'ephemeral' : ''}>${markdown(m.content, job)}
${m.embeds.map((e) => embed(e, files, job)).join('')}
${others.length ? `<discord-attachments slot="attachments">${others.join('')}</discord-attachments>` : ''}
${rows.length ? `<discord-attachments slot="components">${rows.join('')}</discord-attachments>` : ''}</discord-message></discord-messages>`
}

function modal(job) {
  const parts = job.drawing.components.map((c) => c.component
    ? `<label>${escape(c.label)}${c.component.required ? ' <em>*</em>' : ''}</label>${c.description ? `<p>${escape(c.description)}</p>` : ''}<div class="input">${escape(c.component.value ?? '')}</div>`
    : `<div class="intro">${markdown(c.content, job)}</div>`)
  return `<div class="modal"><header>${escape(job.drawing.title)}<i>✕</i></header><main>${parts.join('')}</main>
<footer><span>Cancel</span><span class="send">Submit</span></footer></div>`
}

const weights = [400, 500, 600, 700]
const css = [...weights.map((w) => face('gg sans', 'noto-sans', w)), face('Mono', 'dejavu-mono', 400), read('./discord.css', 'utf8')].join('\n')

// The library, to be run once in a window: pages follow each other in one.
const require = createRequire(import.meta.url)
let library
const script = () => library ??= buildSync({
  entryPoints: [require.resolve('@skyra/discord-components-core')], bundle: true, format: 'iife', minify: true, write: false,
}).outputFiles[0].text.replaceAll('</script', '<\\/script')

// drawn waits until every element has drawn itself, those inside others too. The
// library's pictures are narrower than the 400 points that Discord gives them.
const drawn = `window.ready = (async () => {
  const wide = new CSSStyleSheet()
  wide.replaceSync('.discord-embed-image { max-width: 400px !important }')
  const inside = (root) => [...root.querySelectorAll('*')].flatMap((e) => e.shadowRoot ? [e, ...inside(e.shadowRoot)] : [e])
  for (let i = 0; i < 3; i++) await Promise.all(inside(document).map((e) => e.updateComplete))
  for (const e of document.querySelectorAll('discord-embed')) e.shadowRoot.adoptedStyleSheets.push(wide)
  await Promise.all(inside(document).filter((e) => e.tagName === 'IMG').map((e) => e.decode()))
})()`

// discord returns the page of a message or a modal.
export function discord(job) {
  const body = job.kind === 'form' ? modal(job) : message(job)
  return `<!doctype html><html data-theme="${job.theme}"><meta charset="utf-8"><style>${css}</style>
<body><div id="card">${body}</div><script>if (!customElements.get('discord-message')) {${script()}}</script><script>${drawn}</script></body></html>`
}
