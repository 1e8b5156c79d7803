/** Writes the log of a gateway into a folder, from the entries of a story. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { noteSigner } from '../../../src/log.ts';
import { KEYS, SHARD_KEY, type Story } from '../../govern/report/shared.ts';
import { logIn, type WrittenLog } from './log-files.ts';

export const LOG_KEY: string = KEYS.log!.verifierKey;

/** Writes the log as `log` in the folder, and the key of its shard beside it as `shard.key`. */
export function writeStory(folder: string, { entries }: Story): Promise<WrittenLog> {
  writeFileSync(join(folder, 'shard.key'), `${SHARD_KEY.toString('hex')}\n`, { mode: 0o600 });
  const text = (i: number) => new TextDecoder().decode(entries[i]!);
  return logIn(join(folder, 'log'), noteSigner(KEYS.log!.privateKey), entries.length, { text });
}
