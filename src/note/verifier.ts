/** Verifier keys: the public keys that notes are verified with (https://c2sp.org/signed-note, "Verifier keys"). */

import { decodeBase64, encodeBase64 } from '../core/base64.ts';
import { concat, utf8 } from '../core/bytes.ts';
import { typeName } from '../core/checks.ts';
import { fail } from '../errors.ts';
import { ed25519Verifier } from '../kernel/curves/ed25519.ts';
import { cosignedMessage, isCheckpointText, readTimed } from './cosignature.ts';
import { ALGORITHMS, isKeyName, keyHashOf, type NoteAlgorithm } from './key-name.ts';

const CHECK = Symbol.for('trefoil.note-verifier.v1');

/** Longer texts are no keys. A name is a URL without its scheme, and the key has 44 symbols. */
const MOST_SYMBOLS = 1024;

/** A public key that notes are verified with. It is data; its code is behind a symbol. */
export interface Verifier {
  /** The name of the key, as signature lines have it: `anna.dpo.example`. */
  readonly name: string;
  /** The first four bytes of the key's hash: eight hexadecimal digits. */
  readonly keyHash: string;
  /** The verifier key as text: name, key hash and key, joined by plus signs. */
  readonly text: string;
  /** `ed25519` signs the text of a note; `cosignature/v1` signs a checkpoint together with a time. */
  readonly algorithm: NoteAlgorithm;
}

/** What a signature says if it verifies: the time of a cosignature, in seconds since 1970, or no time. */
export interface Verified {
  readonly time: number | null;
}

/** Verifies what follows the key hash in a signature line. Returns `null` if it is no signature of the text. */
type Check = (text: string, signature: Uint8Array) => Verified | null;

/**
 * Reads a verifier key (a *vkey*). It takes about a millisecond, so read each key once.
 *
 * Two types of keys are known: Ed25519 (type 0x01), which signs note texts, and Ed25519 cosignatures of checkpoints
 * (type 0x04). A key that is not the canonical encoding of a point of prime order is refused: under a key of small
 * order, anybody can make signatures. Go's `note.NewVerifier` does not look at this.
 *
 * @param text at most 1,024 characters: name, key hash and key, as `newNoteKey` and Go's `note.GenerateKey` write them.
 * @throws TrefoilError `note_key_invalid`.
 *
 * @example
 * ```ts
 * import { verifierKey } from 'trefoil/log';
 *
 * const key = verifierKey('example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k');
 * key.name; // → 'example.com/foo'
 * key.algorithm; // → 'ed25519'
 * ```
 */
export function verifierKey(text: string): Verifier {
  if (typeof text !== 'string') return refuse(`expected a verifier key as text, got ${typeName(text)}`);
  if (text.startsWith('PRIVATE+KEY+')) {
    return refuse('the text is a private key, which belongs to its signer alone; a verifier key is needed here');
  }
  const [name, keyHash, key] = readParts(text, 'verifier key');
  const algorithm = algorithmOf(key);
  if (keyHash !== keyHashOf(name, algorithm, key.subarray(1))) return refuse(HASH_DIFFERS);
  return makeVerifier(name, algorithm, key.subarray(1));
}

export const HASH_DIFFERS = 'the key hash does not fit the name and the key; copy the whole line again';

/**
 * Makes a verifier of the bytes of a public key.
 *
 * @throws TrefoilError `note_key_invalid` if they are not one, or not a safe one.
 */
export function makeVerifier(name: string, algorithm: NoteAlgorithm, publicKey: Uint8Array): Verifier {
  const keyHash = keyHashOf(name, algorithm, publicKey);
  const typed = concat([Uint8Array.of(ALGORITHMS[algorithm]), publicKey]);
  const verifier = { name, keyHash, text: `${name}+${keyHash}+${encodeBase64(typed)}`, algorithm };
  return Object.freeze(Object.defineProperty(verifier, CHECK, { value: checkWith(algorithm, publicKey) }));
}

function checkWith(algorithm: NoteAlgorithm, publicKey: Uint8Array): Check {
  const verify = ed25519Verifier(publicKey, (fault) => refuse(`the key ${fault}`));
  if (algorithm === 'ed25519') return (text, signature) => (verify(utf8(text), signature) ? { time: null } : null);
  return (text, signature) => {
    const timed = readTimed(signature);
    // A cosignature is a statement about a checkpoint, and under another text it would mean nothing.
    if (timed === null || !isCheckpointText(text)) return null;
    return verify(cosignedMessage(timed.time, text), timed.signature) ? { time: timed.time } : null;
  };
}

/** The code of a verifier; `null` if the value is not one. */
export function checkOf(verifier: unknown): Check | null {
  if (typeof verifier !== 'object' || verifier === null || !Object.hasOwn(verifier, CHECK)) return null;
  return (verifier as { readonly [CHECK]?: Check })[CHECK] ?? null;
}

/**
 * Splits the text of a key at its plus signs and decodes the key.
 *
 * @throws TrefoilError `note_key_invalid`.
 */
export function readParts(text: string, what: string): readonly [name: string, keyHash: string, key: Uint8Array] {
  if (text.length > MOST_SYMBOLS) refuse(`the text is longer than ${MOST_SYMBOLS} characters, so it is no ${what}`);
  const [name = '', keyHash, ...rest] = text.split('+');
  // A key in base64 may have plus signs of its own.
  const encoded = rest.join('+');
  if (keyHash === undefined || rest.length === 0) {
    refuse(`the text is not a ${what}: a name, a key hash and a key, joined by plus signs`);
  }
  if (!isKeyName(name)) refuse('the name is empty, or has white space or a control character');
  if (!/^[0-9a-f]{8}$/.test(keyHash)) refuse('the key hash is not eight hexadecimal digits in lower case');
  const key = decodeBase64(encoded);
  if (key === null || key.length === 0) refuse('the key is not base64; copy the whole line again');
  return [name, keyHash, key];
}

/** The algorithm of a key by its first byte. */
export function algorithmOf(key: Uint8Array): NoteAlgorithm {
  for (const [algorithm, type] of Object.entries(ALGORITHMS)) {
    if (key[0] === type) return algorithm as NoteAlgorithm;
  }
  return refuse('the key is of a type that trefoil does not verify: it knows Ed25519 (1) and cosignature/v1 (4)');
}

/** Throws `note_key_invalid`. */
export function refuse(message: string): never {
  return fail('note_key_invalid', message);
}
