// Makes the keys of logs and witnesses for the judges, in the folder of the argument.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { newNoteKey } from '../../dist/log.js';

const [folder] = process.argv.slice(2);
const keys = {
  // A log for litewitness, one for the client in Go, one for the writer, one that shows two forks, and a stranger.
  log: newNoteKey('log.example/judged'),
  client: newNoteKey('log.example/client'),
  written: newNoteKey('log.example/written'),
  forked: newNoteKey('log.example/forked'),
  stranger: newNoteKey('log.example/written'),
  // Two witnesses.
  one: newNoteKey('witness.example/one', { algorithm: 'cosignature/v1' }),
  two: newNoteKey('witness.example/two', { algorithm: 'cosignature/v1' }),
};
for (const [name, { privateKey, verifierKey }] of Object.entries(keys)) {
  writeFileSync(join(folder, `${name}.key`), `${privateKey}\n`, { mode: 0o600 });
  writeFileSync(join(folder, `${name}.vkey`), `${verifierKey}\n`);
}
