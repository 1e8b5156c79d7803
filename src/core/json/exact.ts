/**
 * JSON with every number as it was written: puts the text of each number that `JSON.parse` would change into a record
 * (`number.ts`), and writes such a record. Only records that have such numbers are read and written this way.
 */

import { jsonNumber, jsonNumberText } from './number.ts';
import { endOfNumber, endOfString, isShort } from './scan.ts';

const QUOTE = 34;
const COMMA = 44;
const MINUS = 45;
const COLON = 58;
const OPEN_ARRAY = 91;
const CLOSE_ARRAY = 93;
const OPEN_OBJECT = 123;
const CLOSE_OBJECT = 125;

type Container = Record<string | number, unknown>;

/**
 * Replaces numbers of a value by their texts: all numbers that are not short, because those may be written differently.
 *
 * @param text A text that `scanJson` has accepted: JSON without duplicate names, and not nested too deep.
 * @param value What `JSON.parse` returned for it: an object or an array.
 */
export function putNumbers(text: string, value: object): void {
  // The objects and arrays around the current place, and the index in each array.
  const around: Container[] = [];
  const indices: number[] = [];
  let container = value as Container;
  let isArray = Array.isArray(value);
  let index = 0;
  // Where the last string is, and where the name of the current member is. A name is a string followed by a colon.
  let start = 0;
  let end = 0;
  let nameStart = 0;
  let nameEnd = 0;
  const key = (): string | number => (isArray ? index : readName(text.slice(nameStart, nameEnd)));

  for (let i = text.search(/[[{]/) + 1; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === QUOTE) {
      start = i;
      i = endOfString(text, i);
      end = i + 1;
    } else if (code === COLON) {
      nameStart = start;
      nameEnd = end;
    } else if (code === COMMA) index++;
    else if (code === MINUS || (code >= 48 && code <= 57)) {
      const after = endOfNumber(text, i);
      if (!isShort(text, i, after)) putNumber(container, key(), text.slice(i, after));
      i = after - 1;
    } else if (code === OPEN_OBJECT || code === OPEN_ARRAY) {
      around.push(container);
      indices.push(isArray ? index : -1);
      container = container[key()] as Container;
      isArray = code === OPEN_ARRAY;
      index = 0;
    } else if (code === CLOSE_OBJECT || code === CLOSE_ARRAY) {
      // There is no container around the record itself.
      container = around.pop() ?? container;
      index = indices.pop() ?? -1;
      isArray = index !== -1;
    }
  }
}

function readName(quoted: string): string {
  return quoted.includes('\\') ? (JSON.parse(quoted) as string) : quoted.slice(1, -1);
}

function putNumber(container: Container, key: string | number, text: string): void {
  const value = jsonNumber(text);
  // An assignment to __proto__ would set the prototype. Other names are assigned, because a definition makes an object
  // slow.
  if (key !== '__proto__') container[key] = value;
  else Object.defineProperty(container, key, { value, writable: true, enumerable: true, configurable: true });
}

/**
 * Makes a writer. It writes a value as `JSON.stringify` does, but writes each number that has a text as this text. It
 * keeps the quoted names of the fields that it has written, which are as many as a policy has.
 */
export function makeExactWriter(): (value: unknown) => string {
  const names = new Map<string, string>();

  function quotedName(name: string): string {
    let quoted = names.get(name);
    if (quoted === undefined) {
      quoted = `${quote(name)}:`;
      names.set(name, quoted);
    }
    return quoted;
  }

  function write(value: unknown): string {
    if (typeof value === 'string') return quote(value);
    if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null';
    const number = jsonNumberText(value);
    if (number !== null) return number;
    if (Array.isArray(value)) {
      let text = '[';
      for (let i = 0; i < value.length; i++) text += i === 0 ? write(value[i]) : `,${write(value[i])}`;
      return `${text}]`;
    }
    let text = '{';
    for (const name of Object.keys(value)) {
      const member = (value as Container)[name];
      if (member !== undefined) text += `${text.length === 1 ? '' : ','}${quotedName(name)}${write(member)}`;
    }
    return `${text}}`;
  }

  return write;
}

/** The characters that JSON.stringify escapes, and all surrogates: of those, it escapes halves of a pair. */
const ESCAPED = /["\\\u0000-\u001f\ud800-\udfff]/;

function quote(text: string): string {
  return ESCAPED.test(text) ? JSON.stringify(text) : `"${text}"`;
}
