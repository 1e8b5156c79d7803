/**
 * The texts of warrants, refusals, ratifications and clock statements: a title, then lines in a fixed order, each once
 * (docs/spec/govern/warrant-v1.md, "Texts"). This file reads such lines one after another.
 */

import { utf8 } from '../../core/bytes.ts';
import { badType, checkInteger, ownProperties, typeName } from '../../core/checks.ts';
import { writeHex } from '../../core/hex.ts';
import { fail, type IssueCode } from '../../errors.ts';
import { sha256Of } from '../../kernel/digest.ts';
import { type Line, MOST_BYTES, type Refuse, readLines } from '../text/lines.ts';

/** Reads the lines of a text in their order. */
export interface Fields {
  /**
   * Reads the next line, which must begin with this word.
   *
   * @param form what follows the word, for the message.
   * @param read returns `null` if what follows is not that.
   */
  readonly take: <T>(word: string, form: string, read: (line: Line) => T | null) => T;
  /** Whether the next line begins with this word. */
  readonly has: (word: string) => boolean;
  /** Refuses the text, naming the line that was read last. */
  readonly refuse: (message: string) => never;
  /** Checks that no line is left. */
  readonly end: () => void;
}

/**
 * Begins to read a text, and checks its title.
 *
 * @param title the whole first line.
 * @param free the words of lines with free text.
 * @throws TrefoilError `warrant_invalid` with the line, here and from the fields.
 */
export function readFields(text: string, title: string, free: readonly string[] = []): Fields {
  const refuse: Refuse = (message, line) => fail('warrant_invalid', message, line === undefined ? {} : { line });
  const lines = readLines(text, refuse, free);
  const [first] = lines;
  if (`${first!.word} ${first!.rest}` !== title) refuse(`the first line is not "${title}"`, 1);
  let at = 1;
  return {
    take(word, form, read) {
      const line = lines[at];
      if (line === undefined) return refuse(`the line "${word}" is missing`, at + 1);
      if (line.word !== word) return refuse(`expected the line "${word}" here; the lines have a fixed order`, at + 1);
      at++;
      return read(line) ?? refuse(`the line "${word}" expected ${form}`, at);
    },
    has: (word) => lines[at]?.word === word,
    refuse: (message) => refuse(message, at),
    end() {
      if (at < lines.length) refuse('a line too many: the text has no such line, or not twice', at + 1);
    },
  };
}

/** Reads a line of one item. */
export function only<T>(read: (item: string | undefined) => T | null): (line: Line) => T | null {
  return ({ items }) => (items.length === 1 ? read(items[0]) : null);
}

/**
 * The text of a note, without its signatures. A text without signatures is returned as it is.
 *
 * @param note as text or as bytes, at most 32,768 bytes.
 * @throws TrefoilError with this code, `warrant_invalid` or `note_invalid`.
 */
export function textOf(note: string | Uint8Array, code: IssueCode = 'warrant_invalid'): string {
  const whole = wholeOf(note, code);
  const blank = whole.lastIndexOf('\n\n');
  return blank === -1 ? whole : whole.slice(0, blank + 1);
}

/** The note as text. */
function wholeOf(note: unknown, code: IssueCode): string {
  if (typeof note !== 'string' && !(note instanceof Uint8Array)) {
    return fail('wrong_type', `expected a note as text or bytes, got ${typeName(note)}`);
  }
  const isLong = typeof note === 'string' ? !fits(note) : note.length > MOST_BYTES;
  if (isLong) fail(code, `the note is longer than ${MOST_BYTES} bytes, so a log entry could not hold it`);
  if (typeof note === 'string') return note;
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(note);
  } catch {
    return fail(code, 'the note is not UTF-8');
  }
}

/** A text never has more characters than bytes, so a huge one is not encoded in order to be counted. */
function fits(text: string): boolean {
  return text.length <= MOST_BYTES && utf8(text).length <= MOST_BYTES;
}

/** SHA-256 of bytes, as 64 hexadecimal digits. */
export function digestHex(bytes: Uint8Array): string {
  return writeHex(sha256Of(bytes));
}

/** What the members of an object have to be. `time` is whole seconds of the years up to 2099. */
export type FieldTypes<T> = { readonly [Name in keyof T]: 'text' | 'time' | 'number' | 'list' };

/**
 * Checks the types of what is to be written, and returns only these members. What was read may be written again, so
 * others are left out and not refused.
 *
 * @throws TypeError, RangeError that name the member.
 */
export function checkFields<T extends object>(argument: string, value: unknown, types: FieldTypes<T>): T {
  if (typeof value !== 'object' || value === null) badType(argument, `expected an object, got ${typeName(value)}`);
  const given = ownProperties(value) as Readonly<Record<string, unknown>>;
  const checked: Record<string, unknown> = {};
  for (const [name, type] of Object.entries(types)) {
    const member = given[name];
    if (type === 'list' ? !Array.isArray(member) : typeof member !== (type === 'text' ? 'string' : 'number')) {
      badType(name, `expected a ${type}, got ${typeName(member)}`);
    }
    if (type === 'time') checkInteger(name, member, 0, LAST_SECOND);
    checked[name] = type === 'list' ? [...(member as unknown[])] : member;
  }
  return checked as T;
}

/** 2099-12-31T23:59:59Z. */
const LAST_SECOND = 4_102_444_799;
