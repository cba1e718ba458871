// Slack: messages, modals and home pages, by slack-blocks-to-jsx. The frame
// around the blocks is ours. What the library gets wrong is put right here:
//
//   - it shows "verbatim" text without its formatting, while Slack means by it
//     only that nothing is linked by itself;
//   - it reads "09:00–17:00" as an emoji's name; the product sends none;
//   - it does not say that an input is optional;
//   - it reads a table's "#" as a heading without words;
//   - it writes times as in the United States; we show them to a reader who
//     prefers the 24-hour clock.
import { createElement } from 'react'
import { renderToStaticMarkup } from 'react-dom/server'
import { Message } from 'slack-blocks-to-jsx'
import { face, read } from './fonts.mjs'

const colon = '\ue000' // stands for a colon

// local returns an instant as one whose UTC fields are the reader's.
const local = (instant, job) => new Date(Number(new Date(instant)) + job.offset * 1000)
const clock = (d) => d.toISOString().slice(11, 16)
const day = (d) => Math.floor(d / 864e5)

// date shows a date token to the reader.
function date(stamp, format, job) {
  const now = local(job.at, job), d = local(stamp * 1000, job)
  const pretty = ['Today', 'Yesterday'][day(now) - day(d)] ?? d.toLocaleDateString('en-US', { month: 'short', day: 'numeric', year: 'numeric', timeZone: 'UTC' })
  const minutes = Math.round((now - d) / 6e4)
  const ago = minutes < 1 ? 'just now' : minutes < 60 ? `${minutes} minutes ago` : `${Math.round(minutes / 60)} hours ago`
  return format.replace('{date_short_pretty}', pretty).replace('{time}', clock(d)).replace('{ago}', ago)
}

const shown = (s, job) => s
  .replace(/<!date\^(-?\d+)\^([^|>]*)\|[^>]*>/g, (_, stamp, format) => date(stamp, format, job))
  .split(/(<[^>]*>)/).map((part, i) => i % 2 ? part : part.replaceAll(':', colon)).join('')

// readable returns the blocks as the library understands them.
function readable(x, job) {
  if (Array.isArray(x)) return x.map((y) => readable(y, job))
  if (typeof x === 'string') return shown(x, job)
  if (x === null || typeof x !== 'object') return x
  const y = Object.fromEntries(Object.entries(x).filter(([k]) => k !== 'verbatim').map(([k, v]) => [k, readable(v, job)]))
  if (y.type === 'raw_text' && y.text === '#') y.text = '\u2060#'
  if (y.type === 'input' && y.optional) y.label.text += ' (optional)'
  return y
}

function blocks(list, job) {
  const props = { blocks: readable(list ?? [], job), theme: job.theme, withoutWrapper: true, name: '', logo: '', data: { users: job.people, channels: job.people } }
  return renderToStaticMarkup(createElement(Message, props)).replaceAll(colon, ':')
}

const escape = (s) => s.replace(/[&<>"]/g, (c) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' })[c])

const logo = `<svg class="logo" viewBox="0 0 36 36"><rect width="36" height="36" rx="8" fill="#0b6b5b"/>
<g fill="#fff"><rect x="8" y="19" width="5" height="9" rx="1.5"/><rect x="15.5" y="13" width="5" height="15" rx="1.5"/><rect x="23" y="8" width="5" height="20" rx="1.5"/></g></svg>`

const eye = `<svg viewBox="0 0 20 20" width="13" height="13" fill="none" stroke="currentColor" stroke-width="1.6"><path d="M1.5 10S4.5 4.5 10 4.5 18.500 10 18.500 10 15.500 15.500 10 15.500 1.500 10 1.500 10Z"/><circle cx="10" cy="10" r="2.6"/></svg>`

function message(job) {
  const { drawing, only } = job
  const bars = (drawing.attachments ?? []).map((a) =>
    `<div class="attachment"><i style="background:${a.color}"></i>${blocks(a.blocks, job)}</div>`)
  return `<div class="message">${only ? `<p class="only">${eye} Only visible to you</p>` : ''}
<div class="row">${logo}<div class="what"><p class="who"><b>floorwalker</b><span class="app">APP</span><time>${clock(local(job.at, job))}</time></p>
${blocks(drawing.blocks, job)}${bars.join('')}</div></div></div>`
}

function modal(job) {
  const { drawing: v } = job
  const button = (t, cls = '') => t ? `<span class="${cls}">${escape(t.text)}</span>` : ''
  return `<div class="modal"><header><b>${escape(v.title.text)}</b><i>✕</i></header>
<main>${blocks(v.blocks, job)}</main><footer>${button(v.close)}${button(v.submit, 'send')}</footer></div>`
}

// home is the tab of the app's own page.
function home(job) {
  const tab = (name, open) => `<span class="${open ? 'open' : ''}">${name}</span>`
  return `<div class="home"><header>${logo}<b>floorwalker</b></header>
<nav>${tab('Home', true)}${tab('Messages')}${tab('About')}</nav><main>${blocks(job.drawing.blocks, job)}</main></div>`
}

const kinds = { message, form: modal, home }

const css = [
  face('Slack', 'lato', 400), face('Slack', 'lato', 700), face('Slack', 'lato', 900), face('Mono', 'dejavu-mono', 400),
  read('slack-blocks-to-jsx/dist/style.css', 'utf8'),
  read('./slack.css', 'utf8'),
].join('\n')

// slack returns the page of a message, a modal or a home page.
export function slack(job) {
  const body = kinds[job.kind](job)
  return `<!doctype html><html data-theme="${job.theme}"><meta charset="utf-8"><style>${css}</style><body><div id="card">${body}</div></body></html>`
}
