/// <reference types="node" />
/** Checkpoints that a witness has refused although the log has signed them: what an overseer may need as evidence. */

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { errorCode } from '../../files/system-error.ts';
import { originHash } from '../../log/witness/latest.ts';

/** The most of them that are kept for one log, so that a client cannot fill the disk. */
const MOST = 16;

/** Keeps a checkpoint under a name that is free. Returns the name, or that of the last one if there are too many. */
export async function keepDisputed(folder: string, origin: string, note: string): Promise<string> {
  let path = '';
  for (let number = 1; number <= MOST; number++) {
    path = join(folder, `${originHash(origin)}.disputed-${number}`);
    try {
      await writeFile(path, note, { flag: 'wx', mode: 0o600 });
      return path;
    } catch (error) {
      if (errorCode(error) !== 'EEXIST') throw error;
    }
  }
  return path;
}
