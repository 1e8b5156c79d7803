/**
 * The syntax of `regex` (docs/spec/fpe-v1.md, "Regular expressions"): a part of ECMA-262's `Pattern[+UnicodeMode]`
 * (section 22.2.1). An expression means what it means there, if the whole value must match. Syntax that allows values
 * of any length or most of Unicode, or that has no meaning for a set of texts, is refused, and the message names it.
 */

import { badRange } from '../../core/checks.ts';
import { MAX_FORMAT_LENGTH } from '../lengths.ts';
import { isSurrogate, MAX_CODE_POINT, normalRanges, type Ranges } from './ranges.ts';

/** The longest expression, in UTF-16 code units. */
const MAX_SOURCE = 4096;

/** How deep groups may be nested. The parser and the builder of the automaton are recursive. */
const MAX_NESTING = 64;

/** An expression. Every node matches some text: the syntax has no way to write one that matches none. */
export type Node =
  | { readonly kind: 'class'; readonly ranges: Ranges; readonly longest: 1 }
  | { readonly kind: 'sequence'; readonly parts: readonly Node[]; readonly longest: number }
  | { readonly kind: 'choice'; readonly choices: readonly Node[]; readonly longest: number }
  | {
      readonly kind: 'repeat';
      readonly node: Node;
      readonly least: number;
      readonly most: number;
      readonly longest: number;
    };

const EMPTY: Node = { kind: 'sequence', parts: [], longest: 0 };

const DIGITS: Ranges = [0x30, 0x39];
const WORD: Ranges = [0x30, 0x39, 0x41, 0x5a, 0x5f, 0x5f, 0x61, 0x7a];

/** Escapes of one control character, as in ECMA-262. */
const CONTROLS: Readonly<Record<string, number>> = { t: 0x09, n: 0x0a, v: 0x0b, f: 0x0c, r: 0x0d };

/** Why an escape is refused. A negated class would allow most of Unicode, in outputs as well. */
const REFUSED_ESCAPES: Readonly<Record<string, string>> = {
  D: 'a negated class: list the characters that are allowed',
  W: 'a negated class: list the characters that are allowed',
  S: 'a negated class: list the characters that are allowed',
  s: 'white space of many kinds: write the space itself',
  p: 'a Unicode property, which changes from version to version: list the characters that are allowed',
  P: 'a Unicode property, which changes from version to version: list the characters that are allowed',
  b: 'a word boundary: leave it out, the whole value is matched',
  B: 'a word boundary: leave it out, the whole value is matched',
  k: 'a back-reference: write the group once more',
  c: 'a control character: write it as \\x and two hexadecimal digits',
  0: 'an octal escape: write \\x and two hexadecimal digits',
};

/** Reads a regular expression. @throws RangeError that names the place and the syntax that is not allowed. */
export function parse(expression: string): Node {
  if (expression.length > MAX_SOURCE) {
    badRange('regex', `expected at most ${MAX_SOURCE} characters, got ${expression.length}`);
  }
  if (!expression.isWellFormed()) badRange('regex', 'expected text without halves of surrogate pairs');
  // Reading ends at the end of the text: only "|" and ")" end a choice earlier, and readSequence handles both.
  return readChoice({ characters: [...expression], at: 0 }, 0);
}

/** The text that is read, and the position of the next character. */
interface Source {
  readonly characters: readonly string[];
  at: number;
}

function refuse(position: number, why: string): never {
  badRange('regex', `at character ${position + 1}: ${why}`);
}

// Disjunction :: Alternative | Alternative "|" Disjunction
function readChoice(source: Source, depth: number): Node {
  const choices = [readSequence(source, depth)];
  while (source.characters[source.at] === '|') {
    source.at++;
    choices.push(readSequence(source, depth));
  }
  return choice(choices);
}

// Alternative :: Term…, with its anchors
function readSequence(source: Source, depth: number): Node {
  const start = source.at;
  const parts: Node[] = [];
  if (depth === 0 && source.characters[source.at] === '^') source.at++;
  for (;;) {
    const character = source.characters[source.at];
    if (character === undefined || character === '|') break;
    if (character === ')') {
      if (depth === 0) refuse(source.at, '")" closes no group: write \\)');
      break;
    }
    if (character === '$' && depth === 0) {
      const next = source.characters[source.at + 1];
      if (next === undefined || next === '|') {
        source.at++;
        break;
      }
    }
    parts.push(readQuantifier(source, readAtom(source, depth)));
  }
  return sequence(parts, start);
}

function sequence(parts: readonly Node[], start: number): Node {
  const kept = parts.filter((part) => part.longest > 0);
  if (kept.length === 1) return kept[0]!;
  const longest = kept.reduce((sum, part) => sum + part.longest, 0);
  checkLongest(longest, start);
  return { kind: 'sequence', parts: kept, longest };
}

function checkLongest(longest: number, position: number): void {
  if (longest > MAX_FORMAT_LENGTH) {
    refuse(position, `the longest value would have ${longest} characters, expected at most ${MAX_FORMAT_LENGTH}`);
  }
}

function readAtom(source: Source, depth: number): Node {
  const start = source.at;
  const character = source.characters[source.at++]!;
  switch (character) {
    case '(':
      return readGroup(source, depth, start);
    case '[':
      return readClass(source, start);
    case '\\': {
      const { ranges } = readEscape(source, start);
      return classOf(ranges);
    }
    case '.':
      return refuse(start, '"." is any character of Unicode: write a class, such as [ -~], or \\.');
    case '^':
    case '$':
      return refuse(start, `"${character}" is allowed only at the ends: write \\${character}, or leave it out`);
    case '?':
    case '*':
    case '+':
    case '{':
      return refuse(start, `"${character}" repeats nothing: write \\${character} for the character`);
    case ']':
    case '}':
      return refuse(start, `"${character}" closes nothing: write \\${character}`);
    default: {
      const point = character.codePointAt(0)!;
      return classOf([point, point]);
    }
  }
}

function readGroup(source: Source, depth: number, start: number): Node {
  if (depth >= MAX_NESTING) refuse(start, `groups nest more than ${MAX_NESTING} deep`);
  if (source.characters[source.at] === '?') {
    const mark = source.characters[source.at + 1];
    const after = source.characters[source.at + 2];
    if (mark === '=' || mark === '!') refuse(start, 'look-ahead is not supported: write what may be there');
    if (mark === '<' && (after === '=' || after === '!')) {
      refuse(start, 'look-behind is not supported: write what may be there');
    }
    if (mark === '<' || mark === 'P') refuse(start, 'a named group: write (?: and leave the name out');
    if (mark === '>') refuse(start, 'an atomic group: write (?:');
    if (mark !== ':') refuse(start, 'a group with an option: write (?: and spell both cases out');
    source.at += 2;
  }
  const node = readChoice(source, depth + 1);
  if (source.characters[source.at] !== ')') refuse(start, '"(" is never closed: write \\( for the character');
  source.at++;
  return node;
}

function readQuantifier(source: Source, node: Node): Node {
  const start = source.at;
  const character = source.characters[source.at];
  let least = 0;
  let most = 1;
  if (character === '*') refuse(source.at, '"*" has no bound: write {0,n}');
  if (character === '+') refuse(source.at, '"+" has no bound: write {1,n}');
  if (character === '?') source.at++;
  else if (character === '{') [least, most] = readBounds(source);
  else return node;

  const next = source.characters[source.at];
  if (next === '?') refuse(source.at, 'a lazy quantifier: leave its "?" out, the set of values is the same');
  if (next === '+') refuse(source.at, 'a possessive quantifier: leave its "+" out');
  if (next === '*' || next === '{') refuse(source.at, 'two quantifiers in a row: put a group around the first');
  if (node.longest === 0 || most === 0) return EMPTY;
  const longest = node.longest * most;
  checkLongest(longest, start);
  return least === 1 && most === 1 ? node : { kind: 'repeat', node, least, most, longest };
}

// "{n}" or "{n,m}"
function readBounds(source: Source): [least: number, most: number] {
  const start = source.at++;
  const least = readNumber(source, start);
  let most = least;
  if (source.characters[source.at] === ',') {
    source.at++;
    if (source.characters[source.at] === '}') refuse(start, 'a repetition without an upper bound: write {n,m}');
    most = readNumber(source, start);
  }
  if (source.characters[source.at] !== '}') refuse(start, 'expected {n} or {n,m}: write \\{ for the character');
  source.at++;
  if (least > most) refuse(start, `the bounds are out of order: ${least} is more than ${most}`);
  return [least, most];
}

function readNumber(source: Source, start: number): number {
  let text = '';
  for (; source.characters[source.at] !== undefined && isDigit(source.characters[source.at]!); source.at++)
    text += source.characters[source.at];
  if (text === '') refuse(start, 'expected {n} or {n,m}: write \\{ for the character');
  const number = Number(text);
  if (number > MAX_FORMAT_LENGTH) refuse(start, `a bound is more than ${MAX_FORMAT_LENGTH}`);
  return number;
}

// CharacterClass. A "-" that could be meant in two ways is refused. So is syntax that other flavours read as set
// operations.
function readClass(source: Source, start: number): Node {
  if (source.characters[source.at] === '^') refuse(start, 'a negated class: list the characters that are allowed');
  const first = source.at;
  const pairs: number[] = [];
  for (;;) {
    const position = source.at;
    const character = source.characters[source.at++];
    if (character === undefined) refuse(start, '"[" is never closed: write \\[ for the character');
    if (character === ']') break;
    if (character === '-') {
      if (position !== first && source.characters[source.at] !== ']') refuse(position, '"-" between ranges: write \\-');
      pairs.push(0x2d, 0x2d);
      continue;
    }
    const from = readClassAtom(source, character, position);
    if (source.characters[source.at] !== '-' || source.characters[source.at + 1] === ']') {
      pairs.push(...from.ranges);
      continue;
    }
    source.at++;
    const end = source.at;
    const last = source.characters[source.at++];
    if (last === undefined) refuse(start, '"[" is never closed: write \\[ for the character');
    if (last === '-') refuse(end, '"-" as the end of a range: write \\-');
    const to = readClassAtom(source, last, end);
    if (from.set || to.set) refuse(position, 'a range from or to a class such as \\d: write \\- for the character');
    if (from.ranges[0]! > to.ranges[0]!) refuse(position, 'the ends of the range are out of order');
    pairs.push(from.ranges[0]!, to.ranges[0]!);
  }
  if (pairs.length === 0) refuse(start, 'an empty class: no character could be there');
  return classOf(normalRanges(pairs));
}

function readClassAtom(
  source: Source,
  character: string,
  position: number,
): { readonly ranges: Ranges; readonly set: boolean } {
  if (character === '\\') return readEscape(source, position);
  if (character === '[') refuse(position, '"[" in a class: write \\[');
  if (character === '&' && source.characters[source.at] === '&') refuse(position, '"&&" in a class: write \\& once');
  const point = character.codePointAt(0)!;
  return { ranges: [point, point], set: false };
}

// The backslash has been read.
function readEscape(source: Source, start: number): { readonly ranges: Ranges; readonly set: boolean } {
  const letter = source.characters[source.at++];
  if (letter === undefined) refuse(start, 'a "\\" that has nothing to escape');
  if (letter === 'd') return { ranges: DIGITS, set: true };
  if (letter === 'w') return { ranges: WORD, set: true };
  const point = readPoint(source, letter, start);
  return { ranges: [point, point], set: false };
}

function readPoint(source: Source, letter: string, start: number): number {
  if (Object.hasOwn(CONTROLS, letter)) return CONTROLS[letter]!;
  if (letter === 'x') return readHex(source, 2, start, '\\x and two hexadecimal digits');
  if (letter === 'u') {
    if (source.characters[source.at] !== '{')
      return readHex(source, 4, start, '\\u and four hexadecimal digits, or \\u{…}');
    source.at++;
    let digits = 0;
    while (isHex(source.characters[source.at + digits])) digits++;
    const expected = '\\u{…} with one to six hexadecimal digits';
    if (digits > 6) refuse(start, `expected ${expected}`);
    const point = readHex(source, Math.max(digits, 1), start, expected);
    if (source.characters[source.at++] !== '}') refuse(start, `expected ${expected}`);
    return point;
  }
  if (Object.hasOwn(REFUSED_ESCAPES, letter)) refuse(start, `"\\${letter}" is ${REFUSED_ESCAPES[letter]}`);
  if (isDigit(letter)) refuse(start, 'a back-reference: write the group once more');
  // Any ASCII punctuation may be escaped: it means itself in every flavour.
  if (!/^[ -/:-@[-`{-~]$/.test(letter)) refuse(start, 'an unknown escape: write the character itself');
  return letter.codePointAt(0)!;
}

function readHex(source: Source, digits: number, start: number, expected: string): number {
  let point = 0;
  for (let i = 0; i < digits; i++) {
    const digit = source.characters[source.at++];
    if (!isHex(digit)) refuse(start, `expected ${expected}`);
    point = point * 16 + Number.parseInt(digit!, 16);
  }
  if (point > MAX_CODE_POINT) refuse(start, 'a number above the last code point, 10ffff');
  if (isSurrogate(point)) refuse(start, 'half of a surrogate pair: write \\u{…} with the code point');
  return point;
}

const isDigit = (character: string): boolean => character >= '0' && character <= '9';
const isHex = (character: string | undefined): boolean => character !== undefined && /^[0-9a-fA-F]$/.test(character);

const classOf = (ranges: Ranges): Node => ({ kind: 'class', ranges, longest: 1 });

/** All choices of one character become one class, so that `a|b|c` costs no more than `[abc]`. */
function choice(choices: readonly Node[]): Node {
  const pairs = choices.flatMap((each) => (each.kind === 'class' ? each.ranges : []));
  const others = choices.filter((each) => each.kind !== 'class');
  const kept = pairs.length === 0 ? others : [classOf(normalRanges(pairs)), ...others];
  if (kept.length === 1) return kept[0]!;
  return { kind: 'choice', choices: kept, longest: Math.max(...kept.map((each) => each.longest)) };
}
