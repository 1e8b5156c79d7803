/** One entry of a log, with the proof that it is in the tree which the log has signed. */

import { fail } from '../../errors.ts';
import { MOST_BUNDLE_BYTES, parseBundle } from '../../log/tree/bundle.ts';
import { timeOfQuorum } from '../../log/tree/check-proof.ts';
import { CHECKPOINT_PATH, readTileFile } from '../../log/tree/source.ts';
import { tileOf } from '../../log/tree/tiles.ts';
import {
  checkInclusion,
  hashesOf,
  inclusionProof,
  type LogPolicy,
  type LogSource,
  leafHash,
  openCheckpoint,
  writeLogProof,
} from '../../log.ts';
import { MOST_NOTE_BYTES } from '../../note/note-text.ts';

/** An entry and its proof. */
export interface ProvenEntry {
  readonly bytes: Uint8Array;
  /** The text of a `.tlog-proof` (https://c2sp.org/tlog-proof), whose extra data are the bytes of the entry. */
  readonly proof: string;
}

/**
 * Reads entries of a log and proves each of them under one checkpoint.
 *
 * @throws TrefoilError `log_broken` if an entry is missing or another one; `witness_missing` if the checkpoint has no
 *   quorum; what `openCheckpoint` throws.
 */
export async function proveEntries(
  source: LogSource,
  policy: LogPolicy,
  indices: readonly number[],
): Promise<readonly ProvenEntry[]> {
  const note = await source.read(CHECKPOINT_PATH, MOST_NOTE_BYTES);
  if (note === null) return fail('log_broken', 'the log has no checkpoint');
  const { size, root, witnesses } = openCheckpoint(note, policy);
  timeOfQuorum(witnesses, policy);
  const checkpoint = new TextDecoder().decode(note);
  const read = hashesOf(source, size);
  const proven: ProvenEntry[] = [];
  for (const index of indices) {
    if (index >= size)
      fail('log_broken', 'the log does not have so many entries', { maximum: size - 1, actual: index });
    const bytes = await readEntryAt(source, index, size);
    const hashes = await inclusionProof(read, index, size);
    if (!checkInclusion(leafHash(bytes), index, size, root, hashes)) {
      fail('log_broken', `entry ${index} is not the one that the log has signed`);
    }
    proven.push({ bytes, proof: writeLogProof({ index, hashes, checkpoint, extra: bytes }) });
  }
  return proven;
}

async function readEntryAt(source: LogSource, at: number, size: number): Promise<Uint8Array> {
  const place = tileOf(0, at, size);
  const file = await readTileFile(source, { ...place, level: 'entries' }, () => MOST_BUNDLE_BYTES);
  if (file === null)
    return fail('log_broken', 'a bundle of entries is missing; the log was cut, or a file was deleted');
  return parseBundle(file.bytes, file.width)[at % 256]!.slice();
}
