/** The body of an add-checkpoint request (https://c2sp.org/tlog-witness, "add-checkpoint"). */

import { decodeBase64, encodeBase64 } from '../../core/base64.ts';

/** The most hashes of a consistency proof that a client may send. */
export const MOST_HASHES = 63;

/** Bytes of a hash of the tree. */
const HASH_BYTES = 32;

/** A request: the size that the witness has seen, the proof from there, and the new checkpoint. */
export interface AddCheckpoint {
  readonly oldSize: number;
  readonly proof: readonly Uint8Array[];
  /** The checkpoint with its signatures. */
  readonly checkpoint: string;
}

/** Writes the body of a request. */
export function writeRequest({ oldSize, proof, checkpoint }: AddCheckpoint): string {
  return `old ${oldSize}\n${proof.map((hash) => `${encodeBase64(hash)}\n`).join('')}\n${checkpoint}`;
}

/**
 * Reads the body of a request.
 *
 * @returns the request, or in words what is wrong with it.
 */
export function readRequest(body: string): AddCheckpoint | string {
  // The head ends at the first empty line. The text of the checkpoint has none, but its signatures follow one.
  const end = body.indexOf('\n\n');
  if (end === -1) return 'the request has no empty line before the checkpoint';
  const [first = '', ...lines] = body.slice(0, end).split('\n');
  const size = /^old (0|[1-9][0-9]{0,15})$/.exec(first)?.[1];
  if (size === undefined || !Number.isSafeInteger(Number(size))) return 'the first line is not old and a size';
  if (lines.length > MOST_HASHES) return `the request has more than ${MOST_HASHES} lines of the proof`;
  const proof: Uint8Array[] = [];
  for (const line of lines) {
    const hash = decodeBase64(line);
    if (hash === null || hash.length !== HASH_BYTES) return 'a line of the proof is not a hash in base64';
    proof.push(hash);
  }
  return { oldSize: Number(size), proof, checkpoint: body.slice(end + 2) };
}
