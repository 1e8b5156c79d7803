// Makes the keys of a log and of a witness for the judges, in the folder of the argument.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { newNoteKey } from '../../dist/log.js';

const [folder] = process.argv.slice(2);
const keys = {
  log: newNoteKey('log.example/judged'),
  witness: newNoteKey('witness.example/judge', { algorithm: 'cosignature/v1' }),
  other: newNoteKey('other.example/judge', { algorithm: 'cosignature/v1' }),
};
for (const [name, { privateKey, verifierKey }] of Object.entries(keys)) {
  writeFileSync(join(folder, `${name}.key`), `${privateKey}\n`, { mode: 0o600 });
  writeFileSync(join(folder, `${name}.vkey`), `${verifierKey}\n`);
}
