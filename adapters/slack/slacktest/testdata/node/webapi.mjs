// Slack's own Web API client against the fake: the shapes of answers and errors.
import assert from 'node:assert/strict';
import { WebClient, WebAPIPlatformError, WebAPIRateLimitedError } from '@slack/web-api';

const [slackApiUrl, trigger, stale] = process.argv.slice(2);
const web = new WebClient('xoxb-1', { slackApiUrl, logLevel: 'error', retryConfig: { retries: 0 }, rejectRateLimitedCalls: true });
// The client logs what it expects to fail; nobody needs to read it.
const quiet = { debug() {}, info() {}, warn() {}, error() {}, setLevel() {}, getLevel: () => 'error', setName() {} };
const failing = new WebClient('xoxb-1', { slackApiUrl, logger: quiet, retryConfig: { retries: 0 }, rejectRateLimitedCalls: true });

const plain = (text) => ({ type: 'plain_text', text });
const blocks = [
  { type: 'header', text: plain('My numbers') },
  { type: 'section', fields: [{ type: 'mrkdwn', text: '*Calls*\n42' }] },
  { type: 'actions', elements: [{ type: 'button', action_id: 'refresh', text: plain('Refresh') }] },
];
const modal = {
  type: 'modal', title: plain('Link'), submit: plain('Save'),
  blocks: [{ type: 'input', block_id: 'token', label: plain('Token'), element: { type: 'plain_text_input', action_id: 't' } }],
};

const platformError = (call, code) => assert.rejects(call, (e) => {
  assert.ok(e instanceof WebAPIPlatformError, `${e}`);
  assert.equal(e.data.error, code);
  return true;
});

const me = await web.auth.test();
assert.equal(me.user_id, 'U0BOT');
assert.deepEqual(me.response_metadata.scopes, ['commands', 'chat:write', 'im:write', 'users:read', 'files:write']);

const posted = await web.chat.postMessage({ channel: 'C1', text: '42 calls', blocks, unfurl_links: false, unfurl_media: false });
assert.equal(posted.channel, 'C1');
assert.match(posted.ts, /^\d+\.\d{6}$/);
assert.deepEqual(posted.message.blocks.map((b) => b.type), ['header', 'section', 'actions']);
assert.equal((await web.chat.update({ channel: 'C1', ts: posted.ts, text: '43 calls', blocks: [] })).ts, posted.ts);
await web.chat.postEphemeral({ channel: 'C1', user: 'U1', text: 'psst' });
await web.chat.delete({ channel: 'C1', ts: (await web.chat.postMessage({ channel: 'C1', text: 'oops' })).ts });

const { channel } = await web.conversations.open({ users: 'U1' });
assert.match(channel.id, /^D/);
assert.equal((await web.users.info({ user: 'U1' })).user.tz, 'Asia/Kolkata');

const opened = await web.views.open({ trigger_id: trigger, view: modal });
assert.equal(opened.view.title.text, 'Link');
await web.views.update({ view_id: opened.view.id, hash: opened.view.hash, view: modal });
await platformError(failing.views.update({ view_id: opened.view.id, hash: opened.view.hash, view: modal }), 'hash_conflict');
await platformError(failing.views.open({ trigger_id: trigger, view: modal }), 'exchanged_trigger_id');
await platformError(failing.views.open({ trigger_id: stale, view: modal }), 'expired_trigger_id');
const home = await web.views.publish({ user_id: 'U1', view: { type: 'home', blocks } });
assert.equal(home.view.type, 'home');

const uploaded = await web.filesUploadV2({ channel_id: 'C1', filename: 'export.json', file: Buffer.from('{}'), initial_comment: 'all of it' });
assert.equal(uploaded.files.length, 1);

await assert.rejects(failing.chat.postMessage({ channel: 'C1', text: 'x', blocks: [{ type: 'header', text: plain('x'.repeat(151)) }] }), (e) => {
  assert.equal(e.data.error, 'invalid_blocks');
  assert.deepEqual(e.data.response_metadata.messages, ['[ERROR] must be less than 151 characters [json-pointer:/blocks/0/text/text]']);
  return true;
});
await assert.rejects(failing.users.lookupByEmail({ email: 'asha@example.com' }), (e) => {
  assert.equal(e.data.error, 'missing_scope');
  assert.equal(e.data.needed, 'users:read.email');
  return true;
});
await platformError(failing.chat.postMessage({ channel: 'C9', text: 'x' }), 'channel_not_found');
await platformError(failing.apiCall('chat.sing'), 'unknown_method');
// The fake was told to limit this one.
await assert.rejects(failing.conversations.open({ users: 'U2' }), (e) => {
  assert.ok(e instanceof WebAPIRateLimitedError, `${e}`);
  assert.equal(e.retryAfter, 7);
  return true;
});
