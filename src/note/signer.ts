/** Private keys of notes, in the form of Go's `note.GenerateKey`, and what signs with them. */

import { encodeBase64 } from '../core/base64.ts';
import { concat } from '../core/bytes.ts';
import { badRange, badType, checkOneOf, checkOptions, typeName } from '../core/checks.ts';
import { type Ed25519Signer, ed25519Signer, KEY_BYTES } from '../kernel/curves/ed25519.ts';
import { randomBytes } from '../kernel/random.ts';
import { cosignedMessage, isCheckpointText, PREAMBLE, writeTimed } from './cosignature.ts';
import { ALGORITHMS, isKeyName, type NoteAlgorithm } from './key-name.ts';
import { checkCharacters, invalid } from './note-text.ts';
import { algorithmOf, HASH_DIFFERS, makeVerifier, readParts, refuse, type Verifier } from './verifier.ts';

/** What signs notes: a private key in this process, or anything else, such as a hardware token. */
export interface Signer {
  /** The name of the key, as signature lines have it. */
  readonly name: string;
  /** The first four bytes of the key's hash: eight hexadecimal digits. */
  readonly keyHash: string;
  /** The verifier key, for those who verify. */
  readonly verifierKey: string;
  /** Signs the text of a note, as UTF-8. Returns what follows the key hash in the signature line. */
  readonly sign: (message: Uint8Array) => Uint8Array | Promise<Uint8Array>;
}

/** A key pair of notes. */
export interface NoteKey {
  /** The private key, one line of text: the secret of its signer. Keep it in a file that only its owner can read. */
  readonly privateKey: string;
  /** The verifier key, one line of text, which is public. */
  readonly verifierKey: string;
}

/** Options of {@link newNoteKey}. */
export interface NoteKeyOptions {
  /** What it signs: note texts (`ed25519`, the default), or checkpoints of logs with a time (`cosignature/v1`). */
  readonly algorithm?: NoteAlgorithm;
  /** Returns that many random bytes. The default is the system's generator; another one is for tests alone. */
  readonly random?: (length: number) => Uint8Array;
}

/** Options of {@link cosigner}. */
export interface CosignerOptions {
  /** The clock, in milliseconds since 1970. The default is `Date.now`. */
  readonly now?: () => number;
}

const PREFIX = 'PRIVATE+KEY+';

/** The most characters of the name of a new key. Names that are read may be longer: the specification has no limit. */
export const LONGEST_NAME = 255;

/**
 * Makes a new key pair for notes. The private key has the form of Go's `note.GenerateKey`, so tools in Go sign with it,
 * too; one for cosignatures differs in its type byte and is for trefoil alone.
 *
 * A key has one algorithm. Make a second key for a second use.
 *
 * @param name not empty, without white space, plus and control characters. A URL without its scheme is recommended:
 *   `anna.dpo.example`.
 * @throws TypeError, RangeError for a name or option that does not fit.
 *
 * @example
 * ```ts
 * import { newNoteKey, noteSigner, openNote, signNote, verifierKey } from 'trefoil/log';
 *
 * const { privateKey, verifierKey: text } = newNoteKey('anna.dpo.example');
 * const note = await signNote('The report of March is complete.\n', [noteSigner(privateKey)]);
 * openNote(note, [verifierKey(text)]).text; // → 'The report of March is complete.\n'
 * ```
 */
export function newNoteKey(name: string, options: NoteKeyOptions = {}): NoteKey {
  if (typeof name !== 'string') badType('name', `expected text, got ${typeName(name)}`);
  if (!isKeyName(name)) badRange('name', 'expected a name without white space, plus and control characters');
  if (name.length > LONGEST_NAME) badRange('name', `expected at most ${LONGEST_NAME} characters`);
  const given = checkOptions<NoteKeyOptions>('options', options, ['algorithm', 'random']);
  const { algorithm = 'ed25519', random = randomBytes } = given;
  checkOneOf('algorithm', algorithm, Object.keys(ALGORITHMS));
  if (typeof random !== 'function') badType('random', `expected a function, got ${typeName(random)}`);
  const seed: unknown = random(KEY_BYTES);
  if (!(seed instanceof Uint8Array) || seed.length !== KEY_BYTES) {
    badRange('random', `returned something else than the ${KEY_BYTES} bytes it was asked for`);
  }
  const verifier = makeVerifier(name, algorithm, ed25519Signer(seed).publicKey);
  const typed = concat([Uint8Array.of(ALGORITHMS[algorithm]), seed]);
  const privateKey = `${PREFIX}${name}+${verifier.keyHash}+${encodeBase64(typed)}`;
  return { privateKey, verifierKey: verifier.text };
}

/**
 * Makes a signer of note texts from a private key of type Ed25519.
 *
 * It signs whole note texts and nothing else: valid UTF-8 that ends with a line feed and has no other control
 * characters. A text that begins like the message of a cosignature is refused, so that no note is one.
 *
 * @param privateKey the text that `newNoteKey` or Go's `note.GenerateKey` made; a line feed at its end is allowed.
 * @throws TrefoilError `note_key_invalid`.
 *
 * @example
 * ```ts
 * import { newNoteKey, noteSigner } from 'trefoil/log';
 *
 * const signer = noteSigner(newNoteKey('anna.dpo.example').privateKey);
 * signer.name; // → 'anna.dpo.example'
 * ```
 */
export function noteSigner(privateKey: string): Signer {
  const { verifier, key } = readPrivateKey(privateKey, 'ed25519');
  return makeSigner(verifier, (message) => {
    checkSignedText(message);
    return key.sign(message);
  });
}

/** How the signature base of a request or an answer begins and ends (RFC 9421, section 2.5). */
const SIGNATURE_BASE = /^"@(?:method|status)": .*\n"@signature-params": \([^\n]+$/s;

/**
 * Makes a signer of HTTP messages from a private key of type Ed25519: what a desk or a client signs its requests to a
 * gateway with, and the gateway its answers (docs/spec/govern/gateway-v1.md).
 *
 * It signs signature bases of RFC 9421 and nothing else. They begin with a quotation mark and do not end with a line
 * feed, so no note is one.
 *
 * @param privateKey the text that `newNoteKey` or Go's `note.GenerateKey` made; a line feed at its end is allowed.
 * @throws TrefoilError `note_key_invalid`.
 *
 * @example
 * ```ts
 * import { newNoteKey } from 'trefoil/log';
 * import { requestSigner } from 'trefoil/gateway';
 *
 * const signer = requestSigner(newNoteKey('desk.example').privateKey);
 * signer.name; // → 'desk.example'
 * ```
 */
export function requestSigner(privateKey: string): Signer {
  const { verifier, key } = readPrivateKey(privateKey, 'ed25519');
  return makeSigner(verifier, (message) => {
    if (!SIGNATURE_BASE.test(textOf(message))) invalid('the text is not what is signed of a request or an answer');
    return key.sign(message);
  });
}

/**
 * Makes a signer of cosignatures: statements of a witness that it has seen a checkpoint, with the time. It signs
 * checkpoints and nothing else.
 *
 * **Warning**: a cosignature states that this is the largest tree of its log that the witness has seen, and that it has
 * all the entries of the trees before. The signer does not check that; a witness must.
 *
 * @param privateKey the text that `newNoteKey(name, { algorithm: 'cosignature/v1' })` made; a line feed at its end is
 *   allowed.
 * @throws TrefoilError `note_key_invalid`.
 * @throws TypeError, RangeError for a wrong option. The signer throws it for a clock that is before the second 1 of
 *   1970: a cosignature with the time 0 would be one without the statement above.
 *
 * @example
 * ```ts
 * import { cosigner, newNoteKey, noteSigner, openNote, signNote, verifierKey } from 'trefoil/log';
 *
 * const log = newNoteKey('log.example');
 * const witness = newNoteKey('witness.example', { algorithm: 'cosignature/v1' });
 * const checkpoint = 'log.example\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n';
 * const now = () => 1_700_000_000_000;
 * const note = await signNote(checkpoint, [noteSigner(log.privateKey), cosigner(witness.privateKey, { now })]);
 * openNote(note, [verifierKey(witness.verifierKey)]).signatures[0]?.time; // → 1700000000
 * ```
 */
export function cosigner(privateKey: string, options: CosignerOptions = {}): Signer {
  const { now = Date.now } = checkOptions<CosignerOptions>('options', options, ['now']);
  if (typeof now !== 'function') badType('now', `expected a function, got ${typeName(now)}`);
  const { verifier, key } = readPrivateKey(privateKey, 'cosignature/v1');
  return makeSigner(verifier, (message) => {
    const text = textOf(message);
    checkCharacters(text);
    if (!isCheckpointText(text)) invalid('the text is not a checkpoint, and a cosigner signs checkpoints alone');
    const time = secondsOf(now());
    return writeTimed(time, key.sign(cosignedMessage(time, text)));
  });
}

/**
 * The whole seconds of a clock. Not 0: in cosignatures that have that time, it states nothing about the largest tree
 * (https://c2sp.org/tlog-cosignature), and a witness must not omit its statement (https://c2sp.org/tlog-witness).
 */
function secondsOf(milliseconds: unknown): number {
  const seconds = typeof milliseconds === 'number' ? Math.floor(milliseconds / 1000) : Number.NaN;
  return Number.isSafeInteger(seconds) && seconds >= 1
    ? seconds
    : badRange('now', 'returned something else than milliseconds since 1970, of at least one second');
}

function makeSigner({ name, keyHash, text }: Verifier, sign: (message: Uint8Array) => Uint8Array): Signer {
  return Object.freeze({ name, keyHash, verifierKey: text, sign });
}

/** Reads a private key and derives its public key. */
function readPrivateKey(privateKey: unknown, wanted: NoteAlgorithm | null): { verifier: Verifier; key: Ed25519Signer } {
  if (typeof privateKey !== 'string') return refuse(`expected a private key as text, got ${typeName(privateKey)}`);
  if (!privateKey.startsWith(PREFIX)) {
    return refuse('the text does not begin with PRIVATE+KEY+, so it is not a private key of notes');
  }
  const [name, keyHash, typed] = readParts(privateKey.slice(PREFIX.length).replace(/\n$/, ''), 'private key');
  const algorithm = algorithmOf(typed);
  if (typed.length !== 1 + KEY_BYTES) return refuse(`the private key does not have the ${KEY_BYTES} bytes of Ed25519`);
  if (wanted !== null && algorithm !== wanted) {
    return refuse(
      wanted === 'ed25519'
        ? 'the private key is for cosignatures of checkpoints, and signs no other notes'
        : 'the private key is for notes; make one for cosignatures, because one key must not have two uses',
    );
  }
  const key = ed25519Signer(typed.subarray(1));
  typed.fill(0);
  const verifier = makeVerifier(name, algorithm, key.publicKey);
  if (keyHash !== verifier.keyHash) return refuse(HASH_DIFFERS);
  return { verifier, key };
}

/**
 * The verifier of a private key of either algorithm, for the command line.
 *
 * @throws TrefoilError `note_key_invalid`.
 */
export function verifierOfPrivateKey(privateKey: string): Verifier {
  return readPrivateKey(privateKey, null).verifier;
}

/** Checks that a message is a note text that is nothing else, and returns it. */
export function checkSignedText(message: Uint8Array): string {
  const text = textOf(message);
  if (!text.endsWith('\n')) invalid('the text does not end with a line feed');
  checkCharacters(text);
  if (text.startsWith(PREAMBLE)) invalid('the text begins like the message of a cosignature, which notes must not', 1);
  return text;
}

function textOf(message: unknown): string {
  if (!(message instanceof Uint8Array)) badType('message', `expected the text as bytes, got ${typeName(message)}`);
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(message);
  } catch {
    return invalid('the text is not UTF-8');
  }
}
