/// <reference types="node" />
/** The key of a shard (docs/spec/log-v1.md, "Sealed subjects"): 32 random bytes as 64 hexadecimal digits. */

import { readHex } from '../../core/hex.ts';
import { fail } from '../../errors.ts';
import { type SubjectSealer, subjectSealer } from '../../log.ts';
import type { Voice } from '../voice.ts';
import { readSecretFile } from './secret-file.ts';

const BYTES = 32;

/**
 * Reads the file of a shard key: one line.
 *
 * @throws TrefoilError `key_refused` if it is something else; `io_failed`.
 */
export async function readShardKey(path: string, voice: Voice): Promise<SubjectSealer> {
  const text = await readSecretFile(path, 'the key of the shard', 2 * BYTES + 2, voice);
  const bytes = readHex(text.replace(/\r?\n$/, ''), BYTES);
  if (bytes === null) return fail('key_refused', 'the key of the shard is not 64 hexadecimal digits', { file: path });
  return subjectSealer(bytes);
}
