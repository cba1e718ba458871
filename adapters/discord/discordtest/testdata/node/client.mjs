// discord.js against the fake: it logs in, registers commands, sends direct
// messages with a file, answers a command, a button, an autocomplete and a form,
// hears that a channel and a guild are gone, and goes on after its connection was
// lost. It ends after the command "bye".
import assert from 'node:assert/strict';
import {
  ActionRowBuilder, ApplicationCommandOptionType, AttachmentBuilder, ButtonBuilder, ButtonStyle, Client, EmbedBuilder,
  Events, GatewayIntentBits, MessageFlags, ModalBuilder, TextInputBuilder, TextInputStyle,
} from 'discord.js';

const [api, token, guildId, userId] = process.argv.slice(2);
const client = new Client({ intents: [GatewayIntentBits.Guilds], rest: { api, version: '10', retries: 0 } });
process.on('unhandledRejection', (e) => { console.error(e); process.exit(1); });
client.on(Events.Error, (e) => { console.error(e); process.exit(1); });

const text = ApplicationCommandOptionType.String;
const commands = [
  { name: 'mystats', description: 'My numbers', options: [{ name: 'period', description: 'Which', type: text, autocomplete: true }] },
  { name: 'link', description: 'A form' },
  { name: 'bye', description: 'The end' },
];

const card = (n) => ({
  content: `${n} calls`,
  embeds: [new EmbedBuilder().setTitle('My stats').addFields({ name: 'Calls', value: `**${n}** ▲ 3`, inline: true }).setImage('attachment://chart.png').setTimestamp()],
  files: [new AttachmentBuilder(Buffer.from('png'), { name: 'chart.png', description: 'a chart' })],
  components: [new ActionRowBuilder().addComponents(new ButtonBuilder().setCustomId('refresh').setLabel('Refresh').setStyle(ButtonStyle.Secondary))],
});

const answers = {
  async mystats(i) {
    await i.deferReply({ flags: MessageFlags.Ephemeral });
    const m = await i.editReply(card(42));
    assert.equal(m.attachments.first().description, 'a chart');
    assert.ok(m.flags.has(MessageFlags.Ephemeral));
    await i.followUp({ content: 'and more', flags: MessageFlags.Ephemeral });
  },
  async link(i) {
    const input = new TextInputBuilder().setCustomId('name').setLabel('Name').setStyle(TextInputStyle.Short);
    await i.showModal(new ModalBuilder().setCustomId('form').setTitle('Link').addComponents(new ActionRowBuilder().addComponents(input)));
  },
  async bye(i) {
    await i.reply('bye');
    await client.destroy();
  },
};

client.on(Events.InteractionCreate, async (i) => {
  if (i.isChatInputCommand()) return answers[i.commandName](i);
  if (i.isAutocomplete()) return i.respond([{ name: `${i.options.getFocused()}day`, value: 'today' }]);
  if (i.isModalSubmit()) return i.reply({ content: `hello ${i.fields.getTextInputValue('name')}`, flags: MessageFlags.Ephemeral });
  assert.ok(i.isButton());
  const { content, embeds, files } = card(43);
  await i.deferUpdate();
  await i.editReply({ content, embeds, files });
});

client.on(Events.ChannelDelete, (c) => console.log(`channel gone: ${c.name}`));
client.on(Events.GuildDelete, (g) => console.log(`guild gone: ${g.name}`));
client.on(Events.GuildUnavailable, (g) => console.log(`guild unavailable: ${g.name}`));

client.once(Events.ClientReady, async () => {
  assert.equal(client.guilds.cache.get(guildId).name, 'Acme');
  assert.equal(client.guilds.cache.get(guildId).channels.cache.find((c) => c.name === 'support').type, 0);
  const made = await client.application.commands.set(commands);
  assert.deepEqual([...made.values()].map((c) => c.name), ['mystats', 'link', 'bye']);
  const user = await client.users.fetch(userId);
  const m = await user.send({ ...card(1), nonce: 'n1', enforceNonce: true });
  assert.equal((await user.send({ ...card(1), nonce: 'n1', enforceNonce: true })).id, m.id);
  await m.edit('edited');
  await assert.rejects(user.send({ embeds: [{ title: 'x', fields: [{ name: 'x', value: '' }] }] }), (e) => {
    assert.equal(e.code, 50035);
    assert.match(e.message, /fields\[0\]\.value\[BASE_TYPE_REQUIRED\]/);
    return true;
  });
  await assert.rejects(client.channels.fetch('99'), (e) => e.code === 10003 && e.status === 404);
  console.log('ready');
});

await client.login(token);
