// Splits, joins or refuses, lets everything go, and writes a snapshot of its heap. Standard output has the secrets that
// it had, one on each line: the identity, and the lines of the shares. See heap.test.ts.
import { writeSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import { writeHeapSnapshot } from 'node:v8';
import * as age from 'age-encryption';
import * as shamir from 'shamir-secret-sharing';
import { combineShares, splitIdentity } from '../../../dist/custody.js';

const [what, snapshot] = process.argv.slice(2);

/** Writes texts without keeping them: byte by byte, through one buffer that is cleared. */
function tell(text) {
  const bytes = Buffer.alloc(4096);
  writeSync(1, bytes, 0, bytes.write(`${text}\n`));
  bytes.fill(0);
}

const lettingGo = {
  shamir,
  age: {
    identityToRecipient(identity) {
      if (what === 'split') tell(identity);
      return age.identityToRecipient(identity);
    },
  },
};

const kept = [];

async function work() {
  const made = await splitIdentity({ ...lettingGo, shares: 3, threshold: 2 });
  for (const text of made.shares) for (const line of text.split('\n').slice(2, 4)) tell(line);
  if (what === 'combine') tell(await combineShares(made.shares, lettingGo));
  if (what === 'refuse') {
    const typed = `${made.shares[0].slice(0, -2)}u`;
    for (const texts of [[typed, made.shares[1]], [made.shares[0]]]) {
      await combineShares(texts, lettingGo).catch((error) => kept.push(error));
    }
    if (kept.length !== 2) throw new Error('nothing was refused');
  }
  if (what === 'keep') kept.push(made);
}

await work();
for (let i = 0; i < 5; i++) {
  await wait(20);
  globalThis.gc();
}
writeHeapSnapshot(snapshot);
if (kept.length > 2) throw new Error('the list is still there');
