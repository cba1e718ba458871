// Discord's own check of signatures. Standard input holds the public key and
// requests, and whether they are Discord's: {key, requests: [{name, body, headers, good}]}.
// verifyKey knows no age, so it has nothing to say about a stale timestamp.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { verifyKey } from 'discord-interactions';

const { key, requests } = JSON.parse(readFileSync(0, 'utf8'));
assert.ok(requests.length > 0);
for (const { name, body, headers, good } of requests) {
  const signature = headers['X-Signature-Ed25519']?.[0] ?? '';
  const timestamp = headers['X-Signature-Timestamp']?.[0] ?? '';
  assert.equal(await verifyKey(body, signature, timestamp, key), good, name);
}
