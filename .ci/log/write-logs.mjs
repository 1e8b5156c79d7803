// Writes what the judges judge, in the folder of the argument: a log of 600 entries that two witnesses have cosigned,
// proofs of an entry, two forks that one witness each has cosigned, policies, and a signature for openssl. The other
// two arguments are the addresses of the witnesses.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  checkProof,
  cosign,
  inclusionProof,
  leafHash,
  nodeHash,
  noteSigner,
  openLog,
  parseLogPolicy,
  parseNote,
  signNote,
  treeEdge,
  verifierKey,
  writeCheckpoint,
  writeEntry,
  writeLogProof,
} from '../../dist/log.js';
import { logFolder } from '../../dist/node.js';

const [folder, ...urls] = process.argv.slice(2);
const path = (name) => join(folder, name);
const read = (name) => readFileSync(path(name), 'utf8').trim();
const write = (name, bytes) => writeFileSync(path(name), bytes);

/** Policies of a log with all, one or none of the two witnesses. */
function writePolicies(log, name) {
  const witnesses = ['one', 'two'].map((who, i) => `witness ${who} ${read(`${who}.vkey`)} ${urls[i]}\n`).join('');
  const head = `log ${read(`${log}.vkey`)}\n`;
  for (const quorum of ['all', 'any']) {
    write(`${name}.${quorum}`, `${head}${witnesses}group outside ${quorum} one two\nquorum outside\n`);
  }
  write(`${name}.none`, `${head}quorum none\n`);
}

writePolicies('written', 'policy');
writePolicies('forked', 'forks');

// The log: its end is what a rollback takes away, so it is copied after 500 entries by the caller.
const signer = noteSigner(read('written.key'));
const witnesses = parseLogPolicy(readFileSync(path('policy.all'), 'utf8'));
const store = logFolder(path('written'), { head: path('written.head') });
const isNew = !existsSync(path('written'));
const log = await openLog(store, { signer, create: isNew, witnesses });
const more = isNew ? 500 : 100;
await Promise.all(Array.from({ length: more }, () => log.append({ kind: 'beat' })));
const checkpoint = await log.cosigned(log.size(), 10_000);
if (!isNew) {
  const index = 299;
  const proof = await log.prove(index);
  const bundle = readFileSync(path('written/tile/entries/001'));
  let at = 0;
  for (let i = 256; i < index; i++) at += 2 + bundle.readUInt16BE(at);
  const entry = bundle.subarray(at + 2, at + 2 + bundle.readUInt16BE(at));
  checkProof(proof, entry, witnesses);
  write('entry', entry);
  write('other-entry', Buffer.concat([entry, Buffer.from(' ')]));
  write('whole.tlog-proof', proof);
  write(
    'half.tlog-proof',
    proof
      .split('\n')
      .filter((line) => !line.startsWith('— witness.example/two '))
      .join('\n'),
  );
  write(
    'bare.tlog-proof',
    proof
      .split('\n')
      .filter((line) => !line.startsWith('— witness.example/'))
      .join('\n'),
  );
  // A note signature for openssl: the text, 64 bytes, and the public key as DER (RFC 8410).
  const { text, signatures } = parseNote(checkpoint);
  const own = signatures.find(({ name }) => name === log.origin);
  write('signed.txt', text);
  write('signed.sig', own.signature);
  const key = Buffer.from(read('written.vkey').split('+').slice(2).join('+'), 'base64').subarray(1);
  write('signed.der', Buffer.concat([Buffer.from('302a300506032b6570032100', 'hex'), key]));
  await forks();
}
await log.close();
console.log(`  ${log.origin}: ${log.size()} entries, cosigned by two witnesses`);

/** Two forks of a log, after a beginning that both witnesses have cosigned; each witness sees one of them. */
async function forks() {
  const key = noteSigner(read('forked.key'));
  const places = ['one', 'two'].map((name, i) => ({ name, verifier: verifierKey(read(`${name}.vkey`)), url: urls[i] }));
  const entriesOf = (times) => times.map((at) => writeEntry({ kind: 'beat' }, at));
  const common = entriesOf([1, 2, 3, 4, 5, 6, 7, 8]);
  for (const [name, entries, witness] of [
    ['fork-a', [...common, ...entriesOf([9, 10])], places[1]],
    ['fork-b', [...common, ...entriesOf([11, 12])], places[0]],
  ]) {
    const tree = await treeOf(key, entries);
    const { line } = await cosign(tree.note, 0, () => [], witness, { log: verifierKey(key.verifierKey) });
    const hashes = await inclusionProof(tree.read, 8, entries.length);
    write(`${name}.tlog-proof`, writeLogProof({ index: 8, hashes, checkpoint: `${tree.note}${line}\n`, extra: null }));
    write(`${name}.entry`, entries[8]);
  }
}

async function treeOf(key, entries) {
  const leaves = entries.map(leafHash);
  const edge = treeEdge();
  for (const leaf of leaves) edge.append(leaf);
  const hashOf = (level, index) =>
    level === 0 ? leaves[index] : nodeHash(hashOf(level - 1, 2 * index), hashOf(level - 1, 2 * index + 1));
  const text = writeCheckpoint({ origin: key.name, size: entries.length, root: edge.root() });
  return { note: await signNote(text, [key]), read: (nodes) => nodes.map(({ level, index }) => hashOf(level, index)) };
}
