// Slack's own receiver of requests over HTTP, as far as its check goes: every
// request is answered with 200 if it is Slack's, and with 401 if it is not. The
// first line of output is the address. It ends with its standard input.
import { createServer } from 'node:http';
import bolt from '@slack/bolt';

const [signingSecret] = process.argv.slice(2);

const server = createServer(async (req, res) => {
  try {
    await bolt.HTTPModuleFunctions.parseAndVerifyHTTPRequest({ signingSecret }, req);
    res.writeHead(200).end();
  } catch (e) {
    res.writeHead(401).end(e.message);
  }
});
server.listen(0, '127.0.0.1', () => console.log(`http://127.0.0.1:${server.address().port}`));
process.stdin.on('end', () => process.exit()).resume();
