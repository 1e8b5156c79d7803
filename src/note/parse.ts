/** Reading a note: its text and its signature lines (https://c2sp.org/signed-note, "Format"). */

import { decodeBase64 } from '../core/base64.ts';
import { utf8 } from '../core/bytes.ts';
import { typeName } from '../core/checks.ts';
import { writeHex } from '../core/hex.ts';
import { fail } from '../errors.ts';
import { HASH_BYTES, isKeyName } from './key-name.ts';
import { checkCharacters, invalid, lineAt, MOST_NOTE_BYTES, MOST_SIGNATURES, MOST_TEXT_BYTES } from './note-text.ts';

/** An em dash and a space: how a signature line begins. */
export const DASH = '\u2014 ';

/** One signature line. Nothing has verified it. */
export interface NoteSignature {
  /** The name of the key that the line names. */
  readonly name: string;
  /** The hash of that key: eight hexadecimal digits. */
  readonly keyHash: string;
  /** What follows the key hash: 64 bytes of Ed25519, or other bytes of another type of key. */
  readonly signature: Uint8Array;
  /** The line as it is in the note, without its line feed. */
  readonly line: string;
}

/** A note in its parts. Nothing has verified it. */
export interface ParsedNote {
  /** The text that is signed, with its last line feed. */
  readonly text: string;
  /** The signature lines in their order, also repeated ones. */
  readonly signatures: readonly NoteSignature[];
}

/**
 * Reads a note without verifying it.
 *
 * **Warning**: the text is anybody's until a signature is verified. Use `openNote` unless you do not need to trust it.
 *
 * A note is valid UTF-8 without control characters other than the line feed; its text has at most 65,536 bytes, and the
 * note at most 524,288 bytes and 100 signatures. Base64 has to be canonical: Go's reader also takes bits after the end
 * of the last byte, so that one signature would have several texts.
 *
 * @param note the note as text or as bytes.
 * @throws TrefoilError `note_invalid` with the line, `wrong_type`.
 *
 * @example
 * ```ts
 * import { parseNote } from 'trefoil/log';
 *
 * const { text, signatures } = parseNote(
 *   'This is an example message.\n' +
 *     '\n' +
 *     '— example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYj' +
 *     'OBH3mFXmRKuwHjG1Yu72IneyaQM=\n',
 * );
 * text; // → 'This is an example message.\n'
 * signatures[0]?.keyHash; // → '530d903a'
 * ```
 */
export function parseNote(note: string | Uint8Array): ParsedNote {
  const whole = readText(note);
  checkCharacters(whole);
  if (!whole.endsWith('\n')) invalid('the note does not end with a line feed', lineAt(whole, whole.length));
  // The text ends at the last empty line, because it may have empty lines itself.
  const blank = whole.lastIndexOf('\n\n');
  if (blank === -1) invalid('the note has no empty line between its text and its signatures');
  const text = whole.slice(0, blank + 1);
  const lines = whole.slice(blank + 2, -1).split('\n');
  const first = lineAt(whole, blank + 2);
  if (blank + 2 === whole.length) invalid('the note has no signature line after its last empty line', first);
  if (utf8(text).length > MOST_TEXT_BYTES) invalid(`the text of the note is longer than ${MOST_TEXT_BYTES} bytes`);
  if (lines.length > MOST_SIGNATURES) {
    invalid(`the note has more than ${MOST_SIGNATURES} signature lines`, first + MOST_SIGNATURES);
  }
  return { text, signatures: lines.map((line, i) => readLine(line, first + i)) };
}

/** Returns the text of a note that may be bytes, and refuses one that is too long or no valid Unicode. */
function readText(note: unknown): string {
  if (typeof note === 'string') {
    if (!note.isWellFormed()) invalid('the note holds half of a surrogate pair');
    // A text never has more characters than bytes, so a huge one is not encoded in order to be counted.
    if (note.length > MOST_NOTE_BYTES || utf8(note).length > MOST_NOTE_BYTES) tooLong();
    return note;
  }
  if (!(note instanceof Uint8Array)) fail('wrong_type', `expected a note as text or bytes, got ${typeName(note)}`);
  if (note.length > MOST_NOTE_BYTES) tooLong();
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(note);
  } catch {
    return invalid('the note is not UTF-8');
  }
}

function tooLong(): never {
  return invalid(`the note is longer than ${MOST_NOTE_BYTES} bytes`);
}

/** Reads a signature line. */
function readLine(line: string, number: number): NoteSignature {
  if (!line.startsWith(DASH))
    invalid('a signature line begins with an em dash and a space, and this one does not', number);
  const rest = line.slice(DASH.length);
  const space = rest.indexOf(' ');
  if (space === -1) invalid('the signature line has no signature after the name', number);
  const name = rest.slice(0, space);
  if (!isKeyName(name)) invalid('the name in the signature line is empty, or has white space or a plus', number);
  const bytes = decodeBase64(rest.slice(space + 1));
  if (bytes === null) invalid('the signature is not canonical base64', number);
  if (bytes.length <= HASH_BYTES) invalid(`the signature has no bytes after the ${HASH_BYTES} of the key hash`, number);
  return { name, keyHash: writeHex(bytes.subarray(0, HASH_BYTES)), signature: bytes.slice(HASH_BYTES), line };
}
