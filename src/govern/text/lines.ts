/**
 * The plain texts of charters, warrants and what belongs to them (docs/spec/govern/charter-v1.md, "Text"): lines of
 * words that read the same to a person, to a terminal and to a program. What an officer signs is this text, so nothing
 * in it may look like something else.
 */

import { utf8 } from '../../core/bytes.ts';
import { typeName } from '../../core/checks.ts';

/** The most bytes of a note with its signatures and of its text: a log entry has to hold it (docs/spec/log-v1.md). */
export const MOST_BYTES = 32_768;

/** Throws the error of the kind of text that is read. Lines count from 1. It must never name a value. */
export type Refuse = (message: string, line?: number) => never;

/** A line: its first word, and what follows, separated by single spaces. */
export interface Line {
  /** From 1. */
  readonly number: number;
  readonly word: string;
  readonly items: readonly string[];
  /** All that follows the word and its space, unsplit. */
  readonly rest: string;
}

/** Printable ASCII. */
const PLAIN = /^[\x20-\x7e]*$/;

/** Characters that a line of free text must not have: they are invisible, or they change how the others are shown. */
export const UNSAFE: RegExp = /[\p{C}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/u;

/**
 * Splits a text into its lines and checks their characters.
 *
 * The text ends with a line feed. A line is printable ASCII; it is not empty, it does not begin with an em dash (so no
 * line looks like a signature), and exactly one space separates its words.
 *
 * @param free the words of lines that may be free text: in Normalization Form C, without control, format, unassigned
 *   and private characters, line separators, and default-ignorable characters.
 */
export function readLines(text: unknown, refuse: Refuse, free: readonly string[] = []): readonly Line[] {
  if (typeof text !== 'string') return refuse(`expected text, got ${typeName(text)}`);
  // No text has more characters than bytes, so a huge one is not encoded in order to be counted.
  if (text.length > MOST_BYTES || utf8(text).length > MOST_BYTES) refuse(`the text is longer than ${MOST_BYTES} bytes`);
  const lines = text.split('\n');
  if (lines.pop() !== '') refuse('the text does not end with a line feed; is it cut?', lines.length + 1);
  if (lines.length === 0) refuse('the text is empty');
  return lines.map((line, i) => readLine(line, i + 1, refuse, free));
}

function readLine(line: string, number: number, refuse: Refuse, free: readonly string[]): Line {
  if (line === '') refuse('the line is empty, and the text ends at an empty line', number);
  const space = line.indexOf(' ');
  const word = space === -1 ? line : line.slice(0, space);
  const rest = space === -1 ? '' : line.slice(space + 1);
  if (free.includes(word)) {
    if (!line.isWellFormed() || UNSAFE.test(line))
      refuse('the line has a character that is not shown as it is', number);
    if (line.normalize('NFC') !== line) refuse('the line is not in Normalization Form C of Unicode', number);
    if (rest.trim() !== rest || rest === '') refuse('the line has no text, or spaces at an end of it', number);
    return { number, word, rest, items: [] };
  }
  if (!PLAIN.test(line)) {
    const what = line.endsWith('\r') ? 'a carriage return' : 'a character outside printable ASCII';
    refuse(`the line has ${what}`, number);
  }
  const items = rest === '' ? [] : rest.split(' ');
  if (space === 0 || line.endsWith(' ') || items.includes('')) {
    refuse('the line has a space too many: one space separates two words', number);
  }
  return { number, word, rest, items };
}
