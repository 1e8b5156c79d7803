// Writes what Go has judged in the folder of the argument as one JSON text: policies, proofs, entries, what torchwood
// said to each, and a checkpoint that litewitness has cosigned.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const [folder] = process.argv.slice(2);
const read = (name) => readFileSync(join(folder, name), 'utf8');
const rows = read('rows.txt')
  .trim()
  .split('\n')
  .map((line) => line.split(' '));
const filesOf = (column) => Object.fromEntries(rows.map((row) => [row[column], read(row[column])]));
const litewitness = {
  log: read('log.vkey').trim(),
  witness: read('lite.vkey').trim(),
  note: read('lite.note'),
};
console.log(
  JSON.stringify({ policies: filesOf(0), proofs: filesOf(1), entries: filesOf(2), rows, litewitness }, null, 1),
);
