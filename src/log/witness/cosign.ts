/** Asking a witness for its cosignature of a checkpoint (https://c2sp.org/tlog-witness, "add-checkpoint"). */

import { badRange, badType } from '../../core/checks.ts';
import { fail } from '../../errors.ts';
import { HASH_BYTES } from '../../kernel/merkle.ts';
import { readTimed } from '../../note/cosignature.ts';
import { openNote } from '../../note/open.ts';
import { type NoteSignature, parseNote } from '../../note/parse.ts';
import { checkOf, type Verifier } from '../../note/verifier.ts';
import { parseCheckpoint } from '../tree/checkpoint.ts';
import { checkConsistency } from '../tree/proofs.ts';
import {
  type Answer,
  checkCall,
  checkPlace,
  exchange,
  type WitnessCallOptions,
  type WitnessPlace,
} from './exchange.ts';
import { latestOf, orNull } from './latest.ts';
import { MOST_HASHES, writeRequest } from './request.ts';

/** The most bytes of an answer: some cosignatures, each of at most 4 kB. */
const MOST_BYTES = 65_536;

/** How many times a witness may name another size before it is given up. Others may ask it at the same time. */
const ATTEMPTS = 4;

/** The media type of an answer that is a size. */
const SIZE_TYPE = 'text/x.tlog.size';

/** Options of {@link cosign}. */
export interface CosignOptions extends WitnessCallOptions {
  /** The key of the log. It proves a larger size, or another tree, by the checkpoint that the witness serves. */
  readonly log: Verifier;
}

/** Makes the consistency proof of the checkpoint from a smaller size, which is not 0. */
export type ProofFrom = (size: number) => readonly Uint8Array[] | Promise<readonly Uint8Array[]>;

/** The cosignature of a witness. */
export interface Cosignature {
  /** The signature line without its line feed. It is written after the signatures of the checkpoint. */
  readonly line: string;
  /** When it was made, by the clock of the witness, in seconds since 1970. */
  readonly time: number;
}

/** The checkpoint that is asked for, and how. */
interface Asked {
  readonly checkpoint: string;
  readonly size: number;
  readonly root: Uint8Array;
  readonly proof: ProofFrom;
  readonly witness: WitnessPlace;
  readonly options: CosignOptions;
}

/**
 * Asks a witness to cosign a checkpoint, and verifies its cosignature.
 *
 * If the witness has seen another size than `oldSize`, it names it, and the proof is made again from there. A larger
 * size than that of the checkpoint is a mere number unless the witness serves the checkpoint with it: the log has
 * signed that one, so it proves that the log was rolled back.
 *
 * @param checkpoint the checkpoint with the signature of the log.
 * @param oldSize what the witness has probably seen: the size of the last checkpoint that it cosigned, or 0.
 * @param proof makes the consistency proof from a smaller size to this checkpoint.
 * @throws TrefoilError `witness_unavailable` if it does not answer in time; `witness_refused` if it does not know the
 *   log or its key; `witness_answer_broken` for anything that is no answer, also a wrong cosignature;
 *   `witness_disagrees` if it names a larger size or refuses the checkpoint without proof, or refuses a proof that is
 *   right; `log_rolled_back`, `log_forked` with a checkpoint that the log has signed. A log that grows meanwhile has to
 *   compare that checkpoint with its newest one. What `proof` throws passes through.
 * @throws TypeError, RangeError for wrong arguments. `note_invalid` if the checkpoint is not one.
 *
 * @example
 * ```ts
 * import { cosign, newNoteKey, noteSigner, signNote, verifierKey } from 'trefoil/log';
 *
 * const key = newNoteKey('log.example');
 * const text = 'log.example\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n';
 * const checkpoint = await signNote(text, [noteSigner(key.privateKey)]);
 * const other = newNoteKey('witness.example', { algorithm: 'cosignature/v1' });
 * const witness = { name: 'W', verifier: verifierKey(other.verifierKey), url: 'http://127.0.0.1:7381' };
 * const fetch = async () => new Response('', { status: 404 });
 * const options = { log: verifierKey(key.verifierKey), fetch };
 * await cosign(checkpoint, 0, () => [], witness, options).catch((error) => error.code); // → 'witness_refused'
 * ```
 */
export async function cosign(
  checkpoint: string,
  oldSize: number,
  proof: ProofFrom,
  witness: WitnessPlace,
  options: CosignOptions,
): Promise<Cosignature> {
  const { size, root } = parseCheckpoint(parseNote(checkpoint).text);
  if (!Number.isSafeInteger(oldSize) || oldSize < 0 || oldSize > size) {
    badRange('oldSize', 'expected a whole number up to the size of the checkpoint');
  }
  if (typeof proof !== 'function') badType('proof', 'expected a function');
  const given = checkCall(options, ['log']);
  if (checkOf(given.log) === null) badType('log', 'expected a verifier, as verifierKey makes it');
  const asked: Asked = { checkpoint, size, root, proof, witness: checkPlace(witness), options: given };
  let from = oldSize;
  for (let tried = 0; tried < ATTEMPTS; tried++) {
    const answer = await ask(asked, from);
    if (answer.status !== 409) return settle(asked, answer);
    const seen = sizeIn(answer, witness.name);
    if (seen > size) return behind(asked, seen);
    if (seen === from) broken(witness.name, 'refuses a size and names the same one');
    from = seen;
  }
  return fail(
    'witness_unavailable',
    `the witness ${witness.name} names another size each time; is another process writing this log?`,
  );
}

async function ask({ checkpoint, size, proof, witness, options }: Asked, oldSize: number): Promise<Answer> {
  const hashes = oldSize === 0 || oldSize === size ? [] : await hashesOf(proof, oldSize);
  const body = writeRequest({ oldSize, proof: hashes, checkpoint });
  return exchange(witness, '/add-checkpoint', { method: 'POST', body }, MOST_BYTES, options);
}

/** The hashes of a proof. What makes it is the caller's, so its result is checked. */
async function hashesOf(proof: ProofFrom, size: number): Promise<readonly Uint8Array[]> {
  const hashes: unknown = await proof(size);
  const isProof = Array.isArray(hashes) && hashes.length <= MOST_HASHES;
  if (!isProof || hashes.some((hash) => !(hash instanceof Uint8Array) || hash.length !== HASH_BYTES)) {
    return badType('proof', `returned something else than at most ${MOST_HASHES} hashes of ${HASH_BYTES} bytes`);
  }
  return hashes;
}

/** What an answer other than 409 means. */
async function settle(asked: Asked, answer: Answer): Promise<Cosignature> {
  const { name } = asked.witness;
  switch (answer.status) {
    case 200:
      return cosignatureIn(asked, answer.text);
    case 422:
      return disputed(asked);
    case 404:
      return fail('witness_refused', `the witness ${name} does not know this log; its operator has to add the log`);
    case 403:
      return fail(
        'witness_refused',
        `the witness ${name} does not take the signature; it may know another key of the log`,
      );
    case 400:
      return fail('witness_refused', `the witness ${name} does not understand the request`);
    default:
      return fail('witness_unavailable', `the witness ${name} answers with the HTTP status ${answer.status}`);
  }
}

/**
 * The cosignature in an answer. The specification has the client concatenate the answer to the checkpoint and open the
 * note with the key of the witness; lines of other keys are ignored.
 */
function cosignatureIn({ checkpoint, witness: { name, verifier } }: Asked, text: string): Cosignature {
  const { text: signed } = parseNote(checkpoint);
  const note = `${signed}\n${text}`;
  const time = orNull(() => openNote(note, [verifier]))?.signatures[0]?.time ?? null;
  if (time === null) return broken(name, 'sends something that is not its cosignature of this checkpoint');
  // "The cosignature MUST NOT omit the timestamp, i.e. the timestamp MUST NOT be zero."
  if (time === 0) return broken(name, 'sends a cosignature without a time');
  // If it sends several, it is the latest.
  const isIt = ({ name, keyHash, signature }: NoteSignature): boolean =>
    name === verifier.name && keyHash === verifier.keyHash && readTimed(signature)?.time === time;
  return { line: parseNote(note).signatures.find(isIt)!.line, time };
}

/** The size in the answer to a request with another one. */
function sizeIn({ type, text }: Answer, name: string): number {
  const size = type === SIZE_TYPE ? /^(0|[1-9][0-9]{0,15})\n$/.exec(text)?.[1] : undefined;
  if (size === undefined || !Number.isSafeInteger(Number(size)))
    return broken(name, 'refuses a size without naming one');
  return Number(size);
}

/** The witness names a larger size. Anybody can name a number, so the checkpoint of that size has to prove it. */
async function behind({ size, witness, options }: Asked, named: number): Promise<never> {
  const { log, ...call } = options;
  const seen = await latestOf(witness, log, call).catch(() => null);
  call.signal?.throwIfAborted();
  if (seen !== null && seen.size > size) {
    return fail(
      'log_rolled_back',
      `the witness ${witness.name} has a checkpoint of ${seen.size} entries that the log has signed, and this one ` +
        `has ${size}: the log was restored from an old copy, or its end was deleted`,
      { expected: seen.size, actual: size },
    );
  }
  return fail(
    'witness_disagrees',
    `the witness ${witness.name} says that it has seen ${named} entries, and this checkpoint has ${size}; it does ` +
      'not prove it, so ask its operator',
    { expected: named, actual: size },
  );
}

/** The witness says that the proof is wrong. If it serves its checkpoint, the proof is tried against that. */
async function disputed(asked: Asked): Promise<never> {
  const { size, root, proof, witness, options } = asked;
  const { log, ...call } = options;
  const seen = await latestOf(witness, log, call).catch(() => null);
  call.signal?.throwIfAborted();
  if (seen !== null && seen.size > size) return behind(asked, seen.size);
  if (seen === null) {
    return fail(
      'witness_disagrees',
      `the witness ${witness.name} refuses the checkpoint as one that does not extend what it has seen, and does not ` +
        'prove it by a checkpoint of this log; ask its operator',
    );
  }
  const hashes = seen.size === 0 || seen.size === size ? [] : await hashesOf(proof, seen.size);
  if (checkConsistency(seen.size, size, seen.root, root, hashes)) {
    return fail(
      'witness_disagrees',
      `the witness ${witness.name} refuses a checkpoint that extends the one which it serves; ask its operator`,
    );
  }
  return fail(
    'log_forked',
    `the witness ${witness.name} has cosigned another tree of this log, which this checkpoint does not extend; it ` +
      'serves that checkpoint, signed by the log',
  );
}

function broken(name: string, what: string): never {
  return fail('witness_answer_broken', `the witness ${name} ${what}; check its address`);
}
