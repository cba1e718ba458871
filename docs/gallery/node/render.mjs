// Draws what a chat network was sent as the network shows it.
//
// Reads a JSON array of jobs from standard input, each {network, theme, kind,
// only, at, channel, drawing}, and writes a JSON array of HTML documents in the
// same order. The picture is the element #card of each.
import { text } from 'node:stream/consumers'
import { discord } from './discord.mjs'
import { slack } from './slack.mjs'

const networks = { discord, slack }
const jobs = JSON.parse(await text(process.stdin))
const pages = jobs.map((job) => networks[job.network](job))
process.stdout.write(JSON.stringify(pages))
