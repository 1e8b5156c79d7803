/** What a note may contain (https://c2sp.org/signed-note, "Format"), and the error for what it may not. */

import { fail } from '../errors.ts';

/**
 * The most bytes of the text of a note. The specification sets no limit. Ours leaves room for a checkpoint with many
 * extension lines.
 */
export const MOST_TEXT_BYTES = 65_536;

/**
 * The most bytes of a note with its signatures: a hundred signatures of ML-DSA-44, which have 3.3 kB each, and the
 * text. The specification asks for at least 16.
 */
export const MOST_NOTE_BYTES = 524_288;

/** The most signatures of a note, as in Go's `note.Open`. The specification asks for at least 16. */
export const MOST_SIGNATURES = 100;

/** Control characters of ASCII other than the line feed. DEL is not one: the specification means those below U+0020. */
const CONTROL = /[\x00-\x09\x0b-\x1f]/;

/** Throws `note_invalid`. Lines count from 1. */
export function invalid(message: string, line?: number): never {
  return fail('note_invalid', message, line === undefined ? {} : { line });
}

/** Checks the characters of a note, or of the text of one. */
export function checkCharacters(text: string): void {
  const at = text.search(CONTROL);
  if (at === -1) return;
  const kind =
    text[at] === '\r' ? 'a carriage return; lines of a note end with a line feed alone' : 'a control character';
  invalid(`the note has ${kind}`, lineAt(text, at));
}

/** The line of a position in the text, from 1. */
export function lineAt(text: string, position: number): number {
  let line = 1;
  for (let at = text.indexOf('\n'); at !== -1 && at < position; at = text.indexOf('\n', at + 1)) line++;
  return line;
}
