/**
 * Writes changed values into a JSON text (RFC 8259) and leaves everything else as it is written: the order of the
 * names, the white space, the spelling of numbers and of escapes. So the text that comes out has the form of the text
 * that came in.
 */

import { makeExactWriter } from './exact.ts';
import { asNumber, jsonNumber, jsonNumberText } from './number.ts';
import { endOfNumber, endOfString } from './scan.ts';

const QUOTE = 34;
const COMMA = 44;
const MINUS = 45;
const OPEN_ARRAY = 91;
const CLOSE_ARRAY = 93;
const OPEN_OBJECT = 123;
const CLOSE_OBJECT = 125;

// It keeps the names that it has written, which are few: a rule rarely returns an object.
const writeExact: (value: unknown) => string = /* @__PURE__ */ makeExactWriter();

/** A text under way: where reading is, and what has been written. */
interface Rewriting {
  readonly text: string;
  at: number;
  out: string;
}

/**
 * Returns the text with the values of `value`. A name that `value` does not have is left out. The value may have other
 * values than the text, and fewer names; it has no other names, and its arrays are as long as those of the text.
 *
 * @param text A text that `scanJson` has accepted: JSON without duplicate names, and not nested too deep.
 */
export function rewriteJson(text: string, value: unknown): string {
  const at = endOfSpace(text, 0);
  const rewriting: Rewriting = { text, at, out: text.slice(0, at) };
  rewrite(rewriting, value);
  return rewriting.out + text.slice(rewriting.at);
}

/** Rewrites the value at the current place, and moves to its end. */
function rewrite(rewriting: Rewriting, value: unknown): void {
  const { text, at } = rewriting;
  const code = text.charCodeAt(at);
  const isObject = typeof value === 'object' && value !== null && jsonNumberText(value) === null;
  if (code === OPEN_OBJECT && isObject && !Array.isArray(value)) {
    rewriteObject(rewriting, value as Record<string, unknown>);
    return;
  }
  if (code === OPEN_ARRAY && Array.isArray(value)) {
    rewriteArray(rewriting, value);
    return;
  }
  rewriting.at = endOfValue(text, at);
  const written = text.slice(at, rewriting.at);
  rewriting.out += isWritten(written, value) ? written : writeExact(value);
}

function rewriteObject(rewriting: Rewriting, value: Readonly<Record<string, unknown>>): void {
  const { text } = rewriting;
  // What is written before a member: first the brace, then a comma, each with the white space after it. If members are
  // left out, the first that stays has what was written before the first of all.
  const before = text.slice(rewriting.at, endOfSpace(text, rewriting.at + 1));
  rewriting.at += before.length;
  if (text.charCodeAt(rewriting.at) === CLOSE_OBJECT) {
    rewriting.out += `${before}}`;
    rewriting.at++;
    return;
  }
  let start = rewriting.at;
  let separator = before;
  let isEmpty = true;
  for (;;) {
    const endOfName = endOfString(text, start) + 1;
    const valueAt = endOfSpace(text, text.indexOf(':', endOfName) + 1);
    const quoted = text.slice(start, endOfName);
    const name = quoted.includes('\\') ? (JSON.parse(quoted) as string) : quoted.slice(1, -1);
    const member = Object.hasOwn(value, name) ? value[name] : undefined;
    if (member === undefined) rewriting.at = endOfValue(text, valueAt);
    else {
      rewriting.out += (isEmpty ? before : separator) + text.slice(start, valueAt);
      rewriting.at = valueAt;
      isEmpty = false;
      rewrite(rewriting, member);
    }
    const end = endOfSpace(text, rewriting.at);
    if (text.charCodeAt(end) !== COMMA) break;
    start = endOfSpace(text, end + 1);
    separator = text.slice(rewriting.at, start);
    rewriting.at = start;
  }
  const close = endOfSpace(text, rewriting.at);
  rewriting.out += isEmpty ? '{}' : text.slice(rewriting.at, close + 1);
  rewriting.at = close + 1;
}

function rewriteArray(rewriting: Rewriting, value: readonly unknown[]): void {
  const { text } = rewriting;
  for (let i = 0; ; i++) {
    const start = endOfSpace(text, rewriting.at + 1);
    rewriting.out += text.slice(rewriting.at, start);
    rewriting.at = start;
    if (text.charCodeAt(start) === CLOSE_ARRAY) break;
    rewrite(rewriting, value[i]);
    const end = endOfSpace(text, rewriting.at);
    rewriting.out += text.slice(rewriting.at, end);
    rewriting.at = end;
    if (text.charCodeAt(end) === CLOSE_ARRAY) break;
  }
  rewriting.out += ']';
  rewriting.at++;
}

/** Returns whether a value is written as this text already, if in another spelling of a number or with escapes. */
function isWritten(written: string, value: unknown): boolean {
  if (typeof value === 'string') {
    if (written.charCodeAt(0) !== QUOTE) return false;
    return written.includes('\\') ? JSON.parse(written) === value : written.slice(1, -1) === value;
  }
  if (typeof value === 'number')
    return String(value) === written || (isNumber(written) && Object.is(asNumber(jsonNumber(written)), value));
  return (jsonNumberText(value) ?? String(value)) === written;
}

function isNumber(written: string): boolean {
  const first = written.charCodeAt(0);
  return first === MINUS || (first >= 48 && first <= 57);
}

const SPACE = /[\t\n\r ]*/y;

/** Returns the position after white space. */
function endOfSpace(text: string, at: number): number {
  // Most texts have a single space or none.
  if (text.charCodeAt(at) > 32) return at;
  SPACE.lastIndex = at;
  SPACE.test(text);
  return SPACE.lastIndex;
}

/** Returns the position after the value that begins at `at`. */
function endOfValue(text: string, at: number): number {
  const first = text.charCodeAt(at);
  if (first === QUOTE) return endOfString(text, at) + 1;
  if (first !== OPEN_OBJECT && first !== OPEN_ARRAY) return endOfScalar(text, at);
  let depth = 0;
  for (let i = at; ; i++) {
    const code = text.charCodeAt(i);
    if (code === QUOTE) i = endOfString(text, i);
    else if (code === OPEN_OBJECT || code === OPEN_ARRAY) depth++;
    else if ((code === CLOSE_OBJECT || code === CLOSE_ARRAY) && --depth === 0) return i + 1;
  }
}

const WORDS = ['true', 'false', 'null'];

function endOfScalar(text: string, at: number): number {
  const word = WORDS.find((one) => text.startsWith(one, at));
  return word === undefined ? endOfNumber(text, at) : at + word.length;
}
