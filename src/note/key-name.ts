/** Names and hashes of note keys (https://c2sp.org/signed-note, "Format" and "Signatures"). */

import { concat, utf8 } from '../core/bytes.ts';
import { writeHex } from '../core/hex.ts';
import { runningSha256 } from '../kernel/digest.ts';

/** Signature types by their identifier bytes (https://c2sp.org/signed-note, "Signature types"). */
export const ALGORITHMS = { ed25519: 0x01, 'cosignature/v1': 0x04 } as const;

/** What a key signs: note texts as they are, or checkpoints with a time. */
export type NoteAlgorithm = keyof typeof ALGORITHMS;

/** Bytes of the key hash, which the specification calls key ID. */
export const HASH_BYTES = 4;

// The property White_Space of Unicode is what Go's `unicode.IsSpace` asks for. Control characters could not be in a
// note, so a key with such a name could never sign one.
const NOT_IN_NAMES = /[+\p{White_Space}\x00-\x1f]/u;

/** Whether a text can be the name of a key: it is not empty, and has no white space, plus or control character. */
export function isKeyName(text: string): boolean {
  return text !== '' && text.isWellFormed() && !NOT_IN_NAMES.test(text);
}

/** SHA-256(name || 0x0A || type || public key), of which the first four bytes, as eight hexadecimal digits. */
export function keyHashOf(name: string, algorithm: NoteAlgorithm, publicKey: Uint8Array): string {
  const digest = runningSha256();
  digest.add(concat([utf8(`${name}\n`), Uint8Array.of(ALGORITHMS[algorithm]), publicKey]));
  return writeHex(digest.soFar().subarray(0, HASH_BYTES));
}
