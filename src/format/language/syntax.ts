/**
 * The syntax of `regex` (docs/spec/fpe-v1.md, "Regular expressions"): a part of ECMA-262's `Pattern[+UnicodeMode]`
 * (section 22.2.1). What is taken means what it means there, under a match of the whole value; whatever has no longest
 * value, no finite alphabet or no meaning for a set of texts is refused by its name.
 */

import { badRange } from '../../core/checks.ts';
import { MAX_FORMAT_LENGTH } from '../lengths.ts';
import { isSurrogate, MAX_CODE_POINT, normalRanges, type Ranges } from './ranges.ts';

/** Longest source, in UTF-16 code units. */
const MAX_SOURCE = 4096;

/** Groups in groups: the parser and the builder of the automaton recurse. */
const MAX_NESTING = 64;

/** An expression. No node has an empty language: the syntax has no way to write one. */
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

/** Why an escape is refused. A negated class would be most of Unicode, and what comes out would be, too. */
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

/** Reads the source of a regular expression. @throws RangeError that names the place and what is not taken. */
export function parse(source: string): Node {
  if (source.length > MAX_SOURCE) {
    badRange('regex', `expected at most ${MAX_SOURCE} characters, got ${source.length}`);
  }
  if (!source.isWellFormed()) badRange('regex', 'expected text without halves of surrogate pairs');
  const characters = [...source];
  let at = 0;

  function refuse(position: number, why: string): never {
    badRange('regex', `at character ${position + 1}: ${why}`);
  }

  // Disjunction :: Alternative | Alternative "|" Disjunction
  function readChoice(depth: number): Node {
    const choices = [readSequence(depth)];
    while (characters[at] === '|') {
      at++;
      choices.push(readSequence(depth));
    }
    return choice(choices);
  }

  // Alternative :: Term…, with its anchors
  function readSequence(depth: number): Node {
    const start = at;
    const parts: Node[] = [];
    if (depth === 0 && characters[at] === '^') at++;
    for (;;) {
      const character = characters[at];
      if (character === undefined || character === '|') break;
      if (character === ')') {
        if (depth === 0) refuse(at, '")" closes no group: write \\)');
        break;
      }
      if (character === '$' && depth === 0) {
        const next = characters[at + 1];
        if (next === undefined || next === '|') {
          at++;
          break;
        }
      }
      parts.push(readQuantifier(readAtom(depth)));
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

  function readAtom(depth: number): Node {
    const start = at;
    const character = characters[at++]!;
    switch (character) {
      case '(':
        return readGroup(depth, start);
      case '[':
        return readClass(start);
      case '\\': {
        const { ranges } = readEscape(start);
        return classOf(ranges);
      }
      case '.':
        return refuse(start, '"." is any character of Unicode: write a class, such as [ -~], or \\.');
      case '^':
      case '$':
        return refuse(start, `"${character}" stands only at the ends: write \\${character}, or leave it out`);
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

  function readGroup(depth: number, start: number): Node {
    if (depth >= MAX_NESTING) refuse(start, `groups nest more than ${MAX_NESTING} deep`);
    if (characters[at] === '?') {
      const mark = characters[at + 1];
      const after = characters[at + 2];
      if (mark === '=' || mark === '!')
        refuse(start, 'look-ahead is not a part of a format: write what may stand there');
      if (mark === '<' && (after === '=' || after === '!')) {
        refuse(start, 'look-behind is not a part of a format: write what may stand there');
      }
      if (mark === '<' || mark === 'P') refuse(start, 'a named group: write (?: and leave the name out');
      if (mark === '>') refuse(start, 'an atomic group: write (?:');
      if (mark !== ':') refuse(start, 'a group with an option: write (?: and spell both cases out');
      at += 2;
    }
    const node = readChoice(depth + 1);
    if (characters[at] !== ')') refuse(start, '"(" is never closed: write \\( for the character');
    at++;
    return node;
  }

  function readQuantifier(node: Node): Node {
    const start = at;
    const character = characters[at];
    let least = 0;
    let most = 1;
    if (character === '*') refuse(at, '"*" has no bound: write {0,n}');
    if (character === '+') refuse(at, '"+" has no bound: write {1,n}');
    if (character === '?') at++;
    else if (character === '{') [least, most] = readBounds();
    else return node;

    const next = characters[at];
    if (next === '?') refuse(at, 'a lazy quantifier: leave its "?" out, the set of values is the same');
    if (next === '+') refuse(at, 'a possessive quantifier: leave its "+" out');
    if (next === '*' || next === '{') refuse(at, 'two quantifiers in a row: put a group around the first');
    if (node.longest === 0 || most === 0) return EMPTY;
    const longest = node.longest * most;
    checkLongest(longest, start);
    return least === 1 && most === 1 ? node : { kind: 'repeat', node, least, most, longest };
  }

  // "{n}" or "{n,m}"
  function readBounds(): [least: number, most: number] {
    const start = at++;
    const least = readNumber(start);
    let most = least;
    if (characters[at] === ',') {
      at++;
      if (characters[at] === '}') refuse(start, 'a repetition without an upper bound: write {n,m}');
      most = readNumber(start);
    }
    if (characters[at] !== '}') refuse(start, 'expected {n} or {n,m}: write \\{ for the character');
    at++;
    if (least > most) refuse(start, `the bounds are out of order: ${least} is more than ${most}`);
    return [least, most];
  }

  function readNumber(start: number): number {
    let text = '';
    for (; characters[at] !== undefined && isDigit(characters[at]!); at++) text += characters[at];
    if (text === '') refuse(start, 'expected {n} or {n,m}: write \\{ for the character');
    const number = Number(text);
    if (number > MAX_FORMAT_LENGTH) refuse(start, `a bound is more than ${MAX_FORMAT_LENGTH}`);
    return number;
  }

  // CharacterClass. A "-" that could be meant in two ways is refused, so is what other flavours read as set operations.
  function readClass(start: number): Node {
    if (characters[at] === '^') refuse(start, 'a negated class: list the characters that are allowed');
    const first = at;
    const pairs: number[] = [];
    for (;;) {
      const position = at;
      const character = characters[at++];
      if (character === undefined) refuse(start, '"[" is never closed: write \\[ for the character');
      if (character === ']') break;
      if (character === '-') {
        if (position !== first && characters[at] !== ']') refuse(position, '"-" between ranges: write \\-');
        pairs.push(0x2d, 0x2d);
        continue;
      }
      const from = readClassAtom(character, position);
      if (characters[at] !== '-' || characters[at + 1] === ']') {
        pairs.push(...from.ranges);
        continue;
      }
      at++;
      const end = at;
      const last = characters[at++];
      if (last === undefined) refuse(start, '"[" is never closed: write \\[ for the character');
      if (last === '-') refuse(end, '"-" as the end of a range: write \\-');
      const to = readClassAtom(last, end);
      if (from.set || to.set) refuse(position, 'a range from or to a class such as \\d: write \\- for the character');
      if (from.ranges[0]! > to.ranges[0]!) refuse(position, 'the ends of the range are out of order');
      pairs.push(from.ranges[0]!, to.ranges[0]!);
    }
    if (pairs.length === 0) refuse(start, 'an empty class: nothing could stand there');
    return classOf(normalRanges(pairs));
  }

  function readClassAtom(character: string, position: number): { readonly ranges: Ranges; readonly set: boolean } {
    if (character === '\\') return readEscape(position);
    if (character === '[') refuse(position, '"[" in a class: write \\[');
    if (character === '&' && characters[at] === '&') refuse(position, '"&&" in a class: write \\& once');
    const point = character.codePointAt(0)!;
    return { ranges: [point, point], set: false };
  }

  // The backslash is read.
  function readEscape(start: number): { readonly ranges: Ranges; readonly set: boolean } {
    const letter = characters[at++];
    if (letter === undefined) refuse(start, 'a "\\" that escapes nothing');
    if (letter === 'd') return { ranges: DIGITS, set: true };
    if (letter === 'w') return { ranges: WORD, set: true };
    const point = readPoint(letter, start);
    return { ranges: [point, point], set: false };
  }

  function readPoint(letter: string, start: number): number {
    if (Object.hasOwn(CONTROLS, letter)) return CONTROLS[letter]!;
    if (letter === 'x') return readHex(2, start, '\\x and two hexadecimal digits');
    if (letter === 'u') {
      if (characters[at] !== '{') return readHex(4, start, '\\u and four hexadecimal digits, or \\u{…}');
      at++;
      let digits = 0;
      while (isHex(characters[at + digits])) digits++;
      const expected = '\\u{…} with one to six hexadecimal digits';
      if (digits > 6) refuse(start, `expected ${expected}`);
      const point = readHex(Math.max(digits, 1), start, expected);
      if (characters[at++] !== '}') refuse(start, `expected ${expected}`);
      return point;
    }
    if (Object.hasOwn(REFUSED_ESCAPES, letter)) refuse(start, `"\\${letter}" is ${REFUSED_ESCAPES[letter]}`);
    if (isDigit(letter)) refuse(start, 'a back-reference: write the group once more');
    // Any ASCII sign may be escaped: it means itself in every flavour.
    if (!/^[ -/:-@[-`{-~]$/.test(letter)) refuse(start, 'an escape that is not known: write the character itself');
    return letter.codePointAt(0)!;
  }

  function readHex(digits: number, start: number, expected: string): number {
    let point = 0;
    for (let i = 0; i < digits; i++) {
      const digit = characters[at++];
      if (!isHex(digit)) refuse(start, `expected ${expected}`);
      point = point * 16 + Number.parseInt(digit!, 16);
    }
    if (point > MAX_CODE_POINT) refuse(start, 'more than the last code point, 10ffff');
    if (isSurrogate(point)) refuse(start, 'half of a surrogate pair: write \\u{…} with the code point');
    return point;
  }

  const node = readChoice(0);
  // Only "|" and ")" end a choice, and both are dealt with.
  return node;
}

const isDigit = (character: string): boolean => character >= '0' && character <= '9';
const isHex = (character: string | undefined): boolean => character !== undefined && /^[0-9a-fA-F]$/.test(character);

const classOf = (ranges: Ranges): Node => ({ kind: 'class', ranges, longest: 1 });

/** All choices of one character become one class: `a|b|c` costs what `[abc]` costs. */
function choice(choices: readonly Node[]): Node {
  const pairs = choices.flatMap((each) => (each.kind === 'class' ? each.ranges : []));
  const others = choices.filter((each) => each.kind !== 'class');
  const kept = pairs.length === 0 ? others : [classOf(normalRanges(pairs)), ...others];
  if (kept.length === 1) return kept[0]!;
  return { kind: 'choice', choices: kept, longest: Math.max(...kept.map((each) => each.longest)) };
}
