// The client of trefoil/log against a real witness: litewitness of filippo.io/torchwood. It has to cosign growth, and
// to refuse a rollback with 409 and two forks with 422. Arguments: the URL of the witness, its verifier key, the file
// with the private key of the log, and a file for the last note that it cosigned.
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import {
  consistencyProof,
  cosign,
  latestOf,
  leafHash,
  nodeHash,
  noteSigner,
  openNote,
  signNote,
  treeEdge,
  verifierKey,
  writeCheckpoint,
} from '../../dist/log.js';

const [url, vkey, keyFile, noteFile] = process.argv.slice(2);
const signer = noteSigner(readFileSync(keyFile, 'utf8'));
const log = verifierKey(signer.verifierKey);
const witness = { name: 'litewitness', verifier: verifierKey(vkey), url };

/** A log in memory. Logs of two branches differ from entry `fork` on. */
function makeLog(branch = '', fork = 0) {
  const leaf = (index) => leafHash(new TextEncoder().encode(`entry ${index}${index < fork ? '' : branch}`));
  const subtree = (level, index) =>
    level === 0 ? leaf(index) : nodeHash(subtree(level - 1, 2 * index), subtree(level - 1, 2 * index + 1));
  return {
    async checkpoint(size) {
      const edge = treeEdge();
      for (let i = 0; i < size; i++) edge.append(leaf(i));
      return signNote(writeCheckpoint({ origin: log.name, size, root: edge.root() }), [signer]);
    },
    proofTo: (size) => (from) =>
      consistencyProof((nodes) => nodes.map(({ level, index }) => subtree(level, index)), from, size),
  };
}

/** Asks for a cosignature. Returns 'cosigned', or the code of the error. */
async function ask({ checkpoint, proofTo }, from, size) {
  const note = await checkpoint(size);
  try {
    const { line, time } = await cosign(note, from, proofTo(size), witness, { log });
    const opened = openNote(`${note}${line}\n`, [log, witness.verifier]);
    assert.equal(opened.signatures.length, 2);
    writeFileSync(noteFile, `${note}${line}\n`);
    assert.ok(Math.abs(time - Date.now() / 1000) < 60);
    return 'cosigned';
  } catch (error) {
    return error.code ?? String(error);
  }
}

/** The bare status, without the client that turns it into a code. */
async function status({ checkpoint, proofTo }, from, size) {
  const hashes = from === 0 ? [] : await proofTo(size)(from);
  const lines = hashes.map((hash) => `${Buffer.from(hash).toString('base64')}\n`).join('');
  const body = `old ${from}\n${lines}\n${await checkpoint(size)}`;
  return (await fetch(`${url}/add-checkpoint`, { method: 'POST', body })).status;
}

const real = makeLog();
const forkA = makeLog(' of fork A', 150);
const forkB = makeLog(' of fork B', 20);
const rows = [
  ['growth from nothing', () => ask(real, 0, 100), 'cosigned'],
  ['growth', () => status(real, 100, 200), 200],
  ['growth, from a size that the witness has to name', () => ask(real, 0, 300), 'cosigned'],
  ['the same checkpoint again', () => ask(real, 300, 300), 'cosigned'],
  ['rollback', () => status(real, 100, 200), 409],
  ['rollback, by the client', () => ask(real, 100, 200), 'witness_disagrees'],
  ['fork A', () => status(forkA, 300, 320), 422],
  ['fork A, by the client', () => ask(forkA, 300, 320), 'witness_disagrees'],
  ['fork B', () => status(forkB, 300, 600), 422],
  ['fork B of the same size, by the client', () => ask(forkB, 300, 300), 'witness_disagrees'],
  ['litewitness serves no checkpoints', async () => latestOf(witness, log), null],
  ['growth after all that', () => ask(real, 300, 1000), 'cosigned'],
];
for (const [what, run, wanted] of rows) {
  assert.equal(await run(), wanted, what);
  console.log(`  ${what}: ${wanted}`);
}
