// A Slack that others wrote: emulate's, with scopes enforced. The first line of
// output is the address. It ends with its standard input.
import { createEmulator } from 'emulate';

const scopes = (list) => list.split(',');
const { url } = await createEmulator({
  service: 'slack',
  seed: {
    slack: {
      strict_scopes: true,
      users: [{ name: 'floorwalker' }],
      channels: [{ name: 'support' }], // everybody is a member
      tokens: [
        { token: 'xoxb-emulated', type: 'bot', user: 'floorwalker', scopes: scopes('commands,chat:write,im:write,users:read,files:write') },
        { token: 'xoxb-poor', type: 'bot', user: 'floorwalker', scopes: scopes('commands,users:read') },
        { token: 'xoxp-witness', user: 'admin', scopes: scopes('channels:history,im:history,channels:read,im:read,files:read') },
      ],
    },
  },
});
console.log(url);
process.stdin.on('end', () => process.exit()).resume();
