// An app's endpoint behind the middleware of discord-interactions. It prints its
// address, and answers PING (the middleware does), a command, and a button.
import { createServer } from 'node:http';
import { InteractionResponseType, InteractionType, verifyKeyMiddleware } from 'discord-interactions';

const verified = verifyKeyMiddleware(process.argv[2]);

const server = createServer((req, res) => {
  req.header = (name) => req.headers[name.toLowerCase()]; // as in Express
  verified(req, res, () => {
    const update = req.body.type === InteractionType.MESSAGE_COMPONENT;
    const type = update ? InteractionResponseType.UPDATE_MESSAGE : InteractionResponseType.CHANNEL_MESSAGE_WITH_SOURCE;
    const components = [{ type: 1, components: [{ type: 2, style: 2, custom_id: 'go', label: 'Go' }] }];
    res.setHeader('Content-Type', 'application/json');
    res.end(JSON.stringify({ type, data: { content: update ? 'pressed' : `heard ${req.body.data.name}`, components } }));
  });
});
server.listen(0, '127.0.0.1', () => console.log(`http://127.0.0.1:${server.address().port}/`));
process.stdin.on('end', () => process.exit(0)).resume();
