// Copies the log `written` of the folder of the argument, and does to each copy one of the things that the page
// docs/guide/overseer.md names. Writes a line for each: the copy and the policy.
import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { noteSigner, openLog, parseNote, signNote } from '../../dist/log.js';
import { logFolder } from '../../dist/node.js';

const [folder] = process.argv.slice(2);
const path = (...names) => join(folder, ...names);

/** Replaces bytes of a file by others of the same length. */
function replace(file, from, to) {
  const before = readFileSync(file, 'latin1');
  const at = before.lastIndexOf(from);
  if (at === -1 || from.length !== to.length) throw new Error(`${file} does not have what is to be replaced`);
  writeFileSync(file, before.slice(0, at) + to + before.slice(at + from.length), 'latin1');
}

const note = readFileSync(path('written', 'checkpoint'), 'utf8');
const { text, signatures } = parseNote(note);
const key = (name) => noteSigner(readFileSync(path(`${name}.key`), 'utf8'));

const changes = {
  // An entry is taken out of a bundle.
  deleted(copy) {
    const file = join(copy, 'tile/entries/001');
    const bundle = readFileSync(file);
    writeFileSync(file, bundle.subarray(0, bundle.length - 2 - bundle.readUInt16BE(0)));
  },
  'deleted-bundle': (copy) => rmSync(join(copy, 'tile/entries/000')),
  rewritten: (copy) => replace(join(copy, 'tile/entries/000'), '"kind":"beat"', '"kind":"bead"'),
  'rewritten-last': (copy) => replace(join(copy, 'tile/entries/002.p/88'), '"kind":"beat"', '"kind":"bead"'),
  cut: (copy) => rmSync(join(copy, 'tile/entries/002.p'), { recursive: true }),
  unreadable: (copy) => writeFileSync(join(copy, 'tile/entries/001'), Buffer.alloc(100, 0xff)),
  'unreadable-checkpoint': (copy) => writeFileSync(join(copy, 'checkpoint'), 'hello\n'),
  'no-checkpoint': (copy) => rmSync(join(copy, 'checkpoint')),
  unsigned: async (copy) => writeFileSync(join(copy, 'checkpoint'), await signNote(text, [key('stranger')])),
  'rolled-back'(copy) {
    rmSync(copy, { recursive: true });
    cpSync(path('written-500'), copy, { recursive: true });
  },
  // The operator writes another log of 600 entries and signs it with the same key.
  async forked(copy) {
    rmSync(copy, { recursive: true });
    const store = logFolder(copy, { head: `${copy}.head`, sync: false });
    const log = await openLog(store, { signer: key('written'), create: true, now: () => 1_700_000_000_000 });
    await Promise.all(Array.from({ length: 620 }, () => log.append({ kind: 'beat' })));
    await log.close();
  },
};

for (const [name, change] of Object.entries(changes)) {
  const copy = path(`copy-${name}`);
  cpSync(path('written'), copy, { recursive: true });
  await change(copy);
  console.log(`copy-${name} policy.none`);
}
// Without the cosignatures of its witnesses.
cpSync(path('written'), path('copy-unwitnessed'), { recursive: true });
const own = signatures.filter(({ name }) => name === text.split('\n')[0]);
writeFileSync(path('copy-unwitnessed', 'checkpoint'), `${text}\n${own.map(({ line }) => `${line}\n`).join('')}`);
console.log('copy-unwitnessed policy.all');
