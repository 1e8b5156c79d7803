/** Opening a note: its text, if a trusted key has signed it (https://c2sp.org/signed-note, "Signatures"). */

import { badRange, badType } from '../core/checks.ts';
import { fail } from '../errors.ts';
import { parseNote } from './parse.ts';
import { checkOf, type Verifier } from './verifier.ts';

/** A signature that was verified. */
export interface OpenedSignature {
  /** The key that made it. */
  readonly verifier: Verifier;
  /** When a cosignature was made, by the clock of its maker, in seconds since 1970; `null` for other signatures. */
  readonly time: number | null;
}

/** A note that at least one trusted key has signed. */
export interface OpenedNote {
  /** The text that is signed, with its last line feed. */
  readonly text: string;
  /** The verified signatures, one for each key, in the order of `verifiers`. */
  readonly signatures: readonly OpenedSignature[];
  /** How many signature lines are by other keys. They say nothing. */
  readonly unknown: number;
}

/**
 * Opens a note: verifies every signature by one of the keys, and returns the text.
 *
 * If a line names one of the keys, by name and key hash, and its signature does not verify, the whole note is refused:
 * the others do not suffice. Lines of other keys, also of types that trefoil does not know (such as ML-DSA), are
 * counted and otherwise ignored. A key counts once, however many lines it has. If it has several cosignatures, the
 * latest time counts.
 *
 * Go's `note.Open` looks only at the first line of each key. A note whose second line by a known key is broken is
 * refused here, as the specification asks.
 *
 * **Note**: one signature is enough. How many of the keys must have signed is for the caller to decide.
 *
 * @param note the note as text or bytes; `parseNote` has its limits.
 * @param verifiers the keys that the caller trusts: at least one. Two different ones must not share name and key hash.
 * @throws TrefoilError `note_invalid`; `signature_invalid` with the line; `note_unsigned` if none of the keys has
 *   signed.
 * @throws TypeError, RangeError for a wrong list of keys.
 *
 * @example
 * ```ts
 * import { openNote, verifierKey } from 'trefoil/log';
 *
 * const key = verifierKey('example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k');
 * const note =
 *   'This is an example message.\n' +
 *   '\n' +
 *   '— example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n';
 * openNote(note, [key]).text; // → 'This is an example message.\n'
 * ```
 */
export function openNote(note: string | Uint8Array, verifiers: readonly Verifier[]): OpenedNote {
  const known = byName(verifiers);
  const { text, signatures } = parseNote(note);
  const firstLine = text.split('\n').length + 1;
  const times = new Map<Verifier, number | null>();
  let unknown = 0;
  for (const [i, { name, keyHash, signature }] of signatures.entries()) {
    const verifier = known.get(`${name}+${keyHash}`);
    if (verifier === undefined) {
      unknown++;
      continue;
    }
    const verified = checkOf(verifier)!(text, signature);
    if (verified === null) {
      const message = 'the signature by a known key does not verify: the note was changed, or was never signed by it';
      fail('signature_invalid', message, { line: firstLine + i });
    }
    const before = times.get(verifier) ?? null;
    times.set(verifier, verified.time === null ? null : Math.max(verified.time, before ?? 0));
  }
  if (times.size === 0) {
    fail('note_unsigned', 'the note has no signature by a known key; check which keys are trusted, and who signed it');
  }
  const opened = [...known.values()].filter((verifier) => times.has(verifier));
  return { text, signatures: opened.map((verifier) => ({ verifier, time: times.get(verifier)! })), unknown };
}

/** The verifiers by name and key hash. */
function byName(verifiers: unknown): Map<string, Verifier> {
  if (!Array.isArray(verifiers)) badType('verifiers', 'expected an array of verifiers, as verifierKey makes them');
  if (verifiers.length === 0) badRange('verifiers', 'expected at least one verifier');
  const known = new Map<string, Verifier>();
  for (const verifier of [...verifiers] as Verifier[]) {
    if (checkOf(verifier) === null) badType('verifiers', 'has something that verifierKey did not make');
    const id = `${verifier.name}+${verifier.keyHash}`;
    if ((known.get(id) ?? verifier).text !== verifier.text) {
      badRange('verifiers', 'has two keys with one name and one key hash; one of them was made to collide');
    }
    known.set(id, verifier);
  }
  return known;
}
