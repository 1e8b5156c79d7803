/** Proofs of an entry as a text that needs nothing but a policy (https://c2sp.org/tlog-proof). */

import { decodeBase64, encodeBase64 } from '../../core/base64.ts';
import { typeName } from '../../core/checks.ts';
import { fail } from '../../errors.ts';
import { parseNote } from '../../note/parse.ts';
import { DECIMAL, decodeHash } from './checkpoint.ts';
import { checkProofHashes, MOST_PROOF_HASHES } from './proofs.ts';

const FIRST_LINE = 'c2sp.org/tlog-proof@v1';

/** The most bytes of a proof: the largest note, and as much of extra data and hashes. */
export const MOST_PROOF_BYTES = 1_048_576;

/** A proof in its parts. Nothing has verified it. */
export interface LogProof {
  /** The number of the entry, from 0. */
  readonly index: number;
  /** The hashes of the inclusion proof, from the sibling of the leaf upwards. */
  readonly hashes: readonly Uint8Array[];
  /** The checkpoint with its signatures. */
  readonly checkpoint: string;
  /** Data of the application, which nobody has signed; `null` if there are none. */
  readonly extra: Uint8Array | null;
}

/**
 * Reads a proof without verifying it; use `checkProof` for that.
 *
 * @param text at most 1 MiB, as text or as bytes of UTF-8.
 * @throws TrefoilError `proof_invalid` with the line.
 *
 * @example
 * ```ts
 * import { newNoteKey, noteSigner, parseLogProof, signNote, writeLogProof } from 'trefoil/log';
 *
 * const signer = noteSigner(newNoteKey('log.example').privateKey);
 * const text = 'log.example\n1\nlqKW0iTyhcZ77pPDD4owkVfw2qNdxbh+QQt4YwoJz8c=\n';
 * const proof = writeLogProof({ index: 0, hashes: [], checkpoint: await signNote(text, [signer]), extra: null });
 * parseLogProof(proof).index; // → 0
 * ```
 */
export function parseLogProof(text: string | Uint8Array): LogProof {
  const whole = readText(text);
  const end = whole.indexOf('\n\n');
  if (end === -1) invalid('the proof has no empty line before its checkpoint');
  const lines = whole.slice(0, end).split('\n');
  if (lines[0] !== FIRST_LINE) invalid(`the first line is not ${FIRST_LINE}`, 1);
  let extra: Uint8Array | null = null;
  let next = 1;
  if (lines[next]?.startsWith('extra ')) {
    extra = decodeBase64(lines[next]!.slice('extra '.length));
    if (extra === null) invalid('the extra data are not canonical base64', next + 1);
    next++;
  }
  const line = lines[next] ?? '';
  if (!line.startsWith('index ')) invalid('the line is not index and a number', next + 1);
  const digits = line.slice('index '.length);
  const index = Number(digits);
  if (!DECIMAL.test(digits) || !Number.isSafeInteger(index)) {
    invalid('the index is not a decimal number up to 2^53 - 1 without leading zeros', next + 1);
  }
  next++;
  if (lines.length - next > MOST_PROOF_HASHES) invalid(`the proof has more than ${MOST_PROOF_HASHES} hashes`, next + 1);
  const hashes = lines.slice(next).map((hash, i) => {
    return decodeHash(hash) ?? invalid('the line is not the base64 of 32 bytes', next + 1 + i);
  });
  return { index, hashes, checkpoint: whole.slice(end + 2), extra };
}

/**
 * Writes a proof, for a file whose name ends in `.tlog-proof`.
 *
 * @throws TypeError, RangeError for a part that no proof has. `note_invalid` if the checkpoint is not a note.
 *
 * @example
 * ```ts
 * import { newNoteKey, noteSigner, signNote, writeLogProof } from 'trefoil/log';
 *
 * const signer = noteSigner(newNoteKey('log.example').privateKey);
 * const text = 'log.example\n1\nlqKW0iTyhcZ77pPDD4owkVfw2qNdxbh+QQt4YwoJz8c=\n';
 * const checkpoint = await signNote(text, [signer]);
 * writeLogProof({ index: 0, hashes: [], checkpoint, extra: null }).split('\n')[1]; // → 'index 0'
 * ```
 */
export function writeLogProof(proof: LogProof): string {
  if (typeof proof !== 'object' || proof === null) throw new TypeError('"proof" expected an object');
  const { index, hashes, checkpoint, extra } = proof;
  if (!Number.isSafeInteger(index) || index < 0) throw new RangeError('"index" expected a whole number');
  checkProofHashes(hashes);
  if (extra !== null && !(extra instanceof Uint8Array)) throw new TypeError('"extra" expected bytes or null');
  if (typeof checkpoint !== 'string') throw new TypeError('"checkpoint" expected a note as text');
  parseNote(checkpoint);
  const lines = [
    FIRST_LINE,
    ...(extra === null ? [] : [`extra ${encodeBase64(extra)}`]),
    `index ${index}`,
    ...hashes.map(encodeBase64),
  ];
  return `${lines.join('\n')}\n\n${checkpoint}`;
}

function readText(proof: unknown): string {
  if (typeof proof === 'string') {
    if (proof.length > MOST_PROOF_BYTES) tooLong();
    return proof;
  }
  if (!(proof instanceof Uint8Array)) fail('wrong_type', `expected a proof as text or bytes, got ${typeName(proof)}`);
  if (proof.length > MOST_PROOF_BYTES) tooLong();
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(proof);
  } catch {
    return invalid('the proof is not UTF-8');
  }
}

function tooLong(): never {
  return invalid(`the proof is longer than ${MOST_PROOF_BYTES} bytes`);
}

function invalid(message: string, line?: number): never {
  return fail('proof_invalid', message, line === undefined ? {} : { line });
}
