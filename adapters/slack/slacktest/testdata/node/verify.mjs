// Slack's own check of signatures. Standard input holds requests and whether
// they are Slack's: [{name, secret, body, headers, good}].
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import bolt from '@slack/bolt';

for (const { name, secret, body, headers, good } of JSON.parse(readFileSync(0, 'utf8'))) {
  const check = () => bolt.verifySlackRequest({
    signingSecret: secret, body,
    headers: { 'x-slack-signature': headers['X-Slack-Signature'][0], 'x-slack-request-timestamp': Number(headers['X-Slack-Request-Timestamp'][0]) },
  });
  if (good) assert.doesNotThrow(check, name);
  else assert.throws(check, /Failed to verify authenticity/, name);
}
