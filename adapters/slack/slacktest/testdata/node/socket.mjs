// Slack's own Socket Mode client against the fake: it connects, answers
// commands, follows a recycled connection, sees events, and closes cleanly after
// the command "bye".
import assert from 'node:assert/strict';
import { SocketModeClient } from '@slack/socket-mode';

const client = new SocketModeClient({
  appToken: 'xapp-1',
  clientPingTimeout: 200, // also the pause before it reconnects
  logLevel: 'error',
  clientOptions: { slackApiUrl: process.argv[2] },
});

client.on('slash_commands', async ({ body, ack }) => {
  await ack({ text: `heard ${body.command} ${body.text}` });
  if (body.text === 'bye') await client.disconnect();
});

client.on('interactive', async ({ body, ack }) => {
  assert.equal(body.type, 'block_actions');
  await ack();
});

client.on('app_home_opened', async ({ ack, event, retry_num }) => {
  assert.equal(event.user, 'U1');
  assert.equal(retry_num, 0);
  await ack();
});

const { url } = await client.start();
assert.match(url, /^ws:/);
