/** Writing a note: its text, and a line for each signature (https://c2sp.org/signed-note, "Format"). */

import { encodeBase64 } from '../core/base64.ts';
import { concat, utf8 } from '../core/bytes.ts';
import { badRange, badType, checkText } from '../core/checks.ts';
import { readHex } from '../core/hex.ts';
import { fail } from '../errors.ts';
import { HASH_BYTES } from './key-name.ts';
import { invalid, MOST_SIGNATURES, MOST_TEXT_BYTES } from './note-text.ts';
import { DASH } from './parse.ts';
import { checkSignedText, type Signer } from './signer.ts';
import { checkOf, type Verifier, verifierKey } from './verifier.ts';

/** The verifiers of signers, because reading a verifier key takes longer than signing. */
const VERIFIERS: WeakMap<object, Verifier> = /* @__PURE__ */ new WeakMap();

/**
 * Signs a text and returns the note. Every signature is verified before it is written, so a signer that errs, or that
 * has another key than it says, makes no note.
 *
 * @param text at most 65,536 bytes of valid Unicode, without control characters other than the line feed, with which it
 *   ends.
 * @param signers at least one and at most 100, each with another key; their lines are in this order.
 * @throws TrefoilError `note_invalid` for such a text; `signature_invalid` if a signer returns something else than its
 *   signature; `note_key_invalid` if its verifier key is not one. What a signer throws passes through.
 * @throws TypeError, RangeError for a wrong list of signers.
 *
 * @example
 * ```ts
 * import { newNoteKey, noteSigner, parseNote, signNote } from 'trefoil/log';
 *
 * const anna = noteSigner(newNoteKey('anna.dpo.example').privateKey);
 * const bela = noteSigner(newNoteKey('bela.dpo.example').privateKey);
 * parseNote(await signNote('Both of us have read it.\n', [anna, bela])).signatures.length; // → 2
 * ```
 */
export async function signNote(text: string, signers: readonly Signer[]): Promise<string> {
  const message = utf8(checkText(text));
  checkSignedText(message);
  if (message.length > MOST_TEXT_BYTES) invalid(`the text of the note is longer than ${MOST_TEXT_BYTES} bytes`);
  if (!Array.isArray(signers)) badType('signers', 'expected an array of signers');
  if (signers.length === 0) badRange('signers', 'expected at least one signer');
  if (signers.length > MOST_SIGNATURES) badRange('signers', `expected at most ${MOST_SIGNATURES} signers`);
  const lines = new Map<string, string>();
  for (const signer of [...signers]) {
    const verifier = verifierOf(signer);
    const id = `${verifier.name}+${verifier.keyHash}`;
    if (lines.has(id)) badRange('signers', 'has one key twice');
    lines.set(id, await signatureLine(text, message, signer, verifier));
  }
  return `${text}\n${[...lines.values()].join('')}`;
}

/** The line of one signer. */
async function signatureLine(text: string, message: Uint8Array, signer: Signer, verifier: Verifier): Promise<string> {
  // Each signer gets a copy of its own: one that writes into it must not change what the next one signs.
  const signature: unknown = await signer.sign(message.slice());
  if (!(signature instanceof Uint8Array) || checkOf(verifier)!(text, signature) === null) {
    fail('signature_invalid', 'a signer returned something that does not verify under its own verifier key');
  }
  const keyHash = readHex(verifier.keyHash, HASH_BYTES)!;
  return `${DASH}${verifier.name} ${encodeBase64(concat([keyHash, signature]))}\n`;
}

function verifierOf(signer: unknown): Verifier {
  if (typeof signer !== 'object' || signer === null || typeof (signer as Partial<Signer>).sign !== 'function') {
    return badType('signers', 'has something that is not a signer');
  }
  const text = (signer as Signer).verifierKey;
  const kept = VERIFIERS.get(signer);
  if (kept !== undefined && kept.text === text) return kept;
  const verifier = verifierKey(text);
  VERIFIERS.set(signer, verifier);
  return verifier;
}
