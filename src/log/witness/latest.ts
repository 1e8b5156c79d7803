/**
 * The checkpoint that a witness has cosigned last (https://c2sp.org/tlog-witness, "Monitor Retrieval Mechanism"). A
 * log asks for it when it starts, and an overseer before believing what the log shows.
 */

import { utf8 } from '../../core/bytes.ts';
import { badType } from '../../core/checks.ts';
import { writeHex } from '../../core/hex.ts';
import { fail, TrefoilError } from '../../errors.ts';
import { runningSha256 } from '../../kernel/digest.ts';
import { openNote } from '../../note/open.ts';
import { checkOf, type Verifier } from '../../note/verifier.ts';
import { parseCheckpoint } from '../tree/checkpoint.ts';
import { checkCall, checkPlace, exchange, type WitnessCallOptions, type WitnessPlace } from './exchange.ts';

/** The most bytes of an answer with a checkpoint, also with many signatures of ML-DSA. */
const MOST_BYTES = 65_536;

/** A checkpoint that a witness has cosigned, verified under the key of the log and of the witness. */
export interface WitnessedCheckpoint {
  /** The checkpoint with its signatures, as the witness sent it. */
  readonly note: string;
  /** How many entries it has. */
  readonly size: number;
  /** The root hash, 32 bytes. */
  readonly root: Uint8Array;
  /** When the witness cosigned it, by the clock of the witness, in seconds since 1970. */
  readonly time: number;
}

/** The SHA-256 of an origin as 64 hexadecimal digits in lower case. */
export function originHash(origin: string): string {
  const digest = runningSha256();
  digest.add(utf8(origin));
  return writeHex(digest.soFar());
}

/** The path of the checkpoint of a log, after the address of a witness. */
export function checkpointPath(origin: string): string {
  return `/${originHash(origin)}/checkpoint`;
}

/**
 * Asks a witness for the checkpoint of a log that it has cosigned last.
 *
 * The log has signed the checkpoint itself, so its size is proven: if it is larger than the log that you see, entries
 * were taken away. Not every witness serves checkpoints; the specification asks for it and does not demand it.
 *
 * @param witness as a policy names it. The address of its checkpoints is taken to be that of `add-checkpoint`.
 * @param log the key of the log. Its name is the origin.
 * @returns the checkpoint, or `null` if the witness has none of this log or does not serve checkpoints.
 * @throws TrefoilError `witness_unavailable`, `witness_answer_broken`.
 *
 * @example
 * ```ts
 * import { latestOf, newNoteKey, verifierKey } from 'trefoil/log';
 *
 * const log = verifierKey('example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k');
 * const { verifierKey: text } = newNoteKey('witness.example', { algorithm: 'cosignature/v1' });
 * const witness = { name: 'W', verifier: verifierKey(text), url: 'http://127.0.0.1:7381' };
 * const fetch = async () => new Response('', { status: 404 });
 * await latestOf(witness, log, { fetch }); // → null
 * ```
 */
export async function latestOf(
  witness: WitnessPlace,
  log: Verifier,
  options: WitnessCallOptions = {},
): Promise<WitnessedCheckpoint | null> {
  const place = checkPlace(witness);
  const { name, verifier } = place;
  if (checkOf(log) === null) badType('log', 'expected a verifier, as verifierKey makes it');
  const call = checkCall(options);
  const answer = await exchange(place, checkpointPath(log.name), { method: 'GET' }, MOST_BYTES, call);
  if (answer.status === 404) return null;
  if (answer.status !== 200) {
    return fail('witness_unavailable', `the witness ${name} answers with the HTTP status ${answer.status}`);
  }
  const broken = (what: string): never => fail('witness_answer_broken', `the witness ${name} serves ${what}`);
  const opened = openedBy(answer.text, [log, verifier]);
  const time = opened?.signatures.find((signature) => signature.verifier === verifier)?.time ?? null;
  if (opened === null || time === null || !opened.signatures.some((signature) => signature.verifier === log)) {
    return broken('a checkpoint that the log or the witness itself has not signed');
  }
  const checkpoint = checkpointOf(opened.text);
  if (checkpoint === null || checkpoint.origin !== log.name) return broken('a note that is no checkpoint of this log');
  return { note: answer.text, size: checkpoint.size, root: checkpoint.root, time };
}

function openedBy(note: string, verifiers: readonly Verifier[]): ReturnType<typeof openNote> | null {
  return orNull(() => openNote(note, verifiers));
}

/** Reads a checkpoint; `null` if the text is not one. */
export function checkpointOf(text: string): ReturnType<typeof parseCheckpoint> | null {
  return orNull(() => parseCheckpoint(text));
}

/** The result, or `null` instead of an error about the data. */
export function orNull<T>(read: () => T): T | null {
  try {
    return read();
  } catch (error) {
    if (error instanceof TrefoilError) return null;
    throw error;
  }
}
