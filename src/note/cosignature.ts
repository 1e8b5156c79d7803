/** What an Ed25519 cosignature of a checkpoint signs (https://c2sp.org/tlog-cosignature). */

import { concat, utf8 } from '../core/bytes.ts';

/** The first line of the message, which keeps it apart from all note texts (docs/guide/notes.md, "One key"). */
export const PREAMBLE = 'cosignature/v1\n';

/** Bytes of the time before the signature. */
export const TIME_BYTES = 8;

/**
 * The form of a checkpoint (https://c2sp.org/tlog-checkpoint, "Note text"): origin, size, root hash of 32 bytes and
 * extension lines. Sizes end at 2^63 - 1, as in Go's tools.
 */
const CHECKPOINT = /^[^\n]+\n(0|[1-9][0-9]{0,18})\n[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]=\n([^\n]+\n)*$/;

const MOST_LEAVES = 2n ** 63n - 1n;

/** Whether a note text has the form of a checkpoint. */
export function isCheckpointText(text: string): boolean {
  const size = CHECKPOINT.exec(text)?.[1];
  return size !== undefined && BigInt(size) <= MOST_LEAVES;
}

/** The message: the header line, the time line and the whole text of the checkpoint. */
export function cosignedMessage(time: number, text: string): Uint8Array {
  return utf8(`${PREAMBLE}time ${time}\n${text}`);
}

/** A `timestamped_signature`: the time in seconds since 1970, in eight bytes, big-endian, and the signature. */
export function writeTimed(time: number, signature: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(TIME_BYTES);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(time), false);
  return concat([bytes, signature]);
}

/**
 * Reads one. Returns `null` for a time beyond 2^53 - 1, which is 285 million years away. The specification lets
 * verifiers reject times in the future.
 */
export function readTimed(bytes: Uint8Array): { readonly time: number; readonly signature: Uint8Array } | null {
  if (bytes.length < TIME_BYTES) return null;
  const time = Number(new DataView(bytes.buffer, bytes.byteOffset, TIME_BYTES).getBigUint64(0, false));
  return Number.isSafeInteger(time) ? { time, signature: bytes.subarray(TIME_BYTES) } : null;
}
