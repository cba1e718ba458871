// A discord-digital-twin that is worked over standard input and output. It says
// where it is in one line of JSON, and then answers each line, {call, args}, with
// one of {result} or {error}. It ends with its input.
import { createInterface } from 'node:readline'
import { DigitalDiscord } from 'discord-digital-twin'

const [app, guild, channel, user, token] = process.argv.slice(2)
const discord = new DigitalDiscord({
  guild: { id: guild, name: 'Acme' },
  channels: [{ id: channel, name: 'support', type: 0 }],
  users: [{ id: user, username: 'asha' }],
  botUser: { id: app, username: 'floorwalker' },
  botToken: token,
})

const calls = {
  // interact makes a person do something, and returns the interaction's id.
  interact: (what) => discord.simulateInteraction({ channelId: channel, userId: user, guildId: guild, ...what }),
  // response is the first response to an interaction, null before there is one.
  async response({ id }) {
    const r = await discord.prisma.interactionResponse.findUnique({ where: { interactionId: id } })
    return r.acknowledged ? { type: r.type, data: JSON.parse(r.data), message: r.messageId } : null
  },
  messages: () => discord.channel(channel).getMessages(),
  commands: () => discord.prisma.applicationCommand.findMany(),
  // drop cuts the gateway's connections.
  async drop() {
    const { clients } = discord.server.gateway
    for (const c of clients) c.ws.terminate()
    return clients.length
  },
}

await discord.start()
console.log(JSON.stringify({ api: discord.restUrl }))
for await (const line of createInterface({ input: process.stdin })) {
  const { call, args } = JSON.parse(line)
  try {
    console.log(JSON.stringify({ result: (await calls[call](args)) ?? null }))
  } catch (e) {
    console.log(JSON.stringify({ error: String(e) }))
  }
}
process.exit(0)
