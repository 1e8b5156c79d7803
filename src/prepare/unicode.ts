/**
 * One fixed version of Unicode, 15.1.0: its assigned code points and its case folding.
 *
 * Normalisation is done by the runtime. By Unicode's stability policy, a text of assigned code points has the same
 * normalisation form in every later version (https://www.unicode.org/policies/stability_policy.html#Normalization). So
 * it is enough to refuse code points that 15.1.0 does not assign: then no upgrade of the runtime changes a result. Case
 * folding is a table of our own, because ECMAScript has no function for it.
 */

import { fail } from '../errors.ts';
import { ASSIGNED, FOLD_C, FOLD_F, FOLD_S } from './unicode-15-1.ts';

const ASCII = /^[\x00-\x7f]*$/;

/** Every code point below U+0300 is assigned and is its own NFC. */
const BELOW_0300 = /^[\u0000-\u02ff]*$/;

export function isAscii(text: string): boolean {
  return ASCII.test(text);
}

/** Whether Unicode 15.1.0 assigns a code point. Noncharacters are never assigned. */
export function isAssigned(code: number): boolean {
  // The first run is one of assigned code points. So a code point is in a gap if an odd number of bounds is not above
  // it.
  return countUpTo(assignedBounds(), code) % 2 === 0;
}

/** Refuses text with a code point that Unicode 15.1.0 does not assign. */
export function checkAssigned(text: string): void {
  if (BELOW_0300.test(text)) return;
  for (let i = 0; i < text.length; i++) {
    const code = text.codePointAt(i)!;
    if (code > 0x2ff && !isAssigned(code)) {
      fail('unassigned_code_point', `Unicode 15.1.0 does not assign the code point at index ${i} of the text`);
    }
    if (code > 0xffff) i++;
  }
}

/** NFC of a text that {@link checkAssigned} has accepted. */
export function toNfc(text: string): string {
  return BELOW_0300.test(text) ? text : normalize(text, 'NFC');
}

/** NFKC of a text that {@link checkAssigned} has accepted. */
export function toNfkc(text: string): string {
  return isAscii(text) ? text : normalize(text, 'NFKC');
}

/** NFD of a text that {@link checkAssigned} has accepted. */
export function toNfd(text: string): string {
  return isAscii(text) ? text : normalize(text, 'NFD');
}

/** toCasefold(X), statuses C and F: The Unicode Standard 15.0, section 3.13, R4. */
export function foldFull(text: string): string {
  return isAscii(text) ? text.toLowerCase() : fold(text, foldings().full);
}

/** Simple case folding, statuses C and S: one code point stays one, so ß and ss stay different. */
export function foldSimple(text: string): string {
  return isAscii(text) ? text.toLowerCase() : fold(text, foldings().simple);
}

function fold(text: string, table: ReadonlyMap<string, string>): string {
  let out = '';
  for (const character of text) out += table.get(character) ?? character;
  return out;
}

/** Whether the normalisation of the runtime was tested. */
let probed = false;

/** The only place that calls the normalisation of the runtime, so that no text reaches it unchecked. */
function normalize(text: string, form: 'NFC' | 'NFD' | 'NFKC'): string {
  if (!probed) {
    // A runtime without Unicode data returns the text unchanged. One with data before 15.0 does not order the marks
    // that 15.0 added (15.1 added none). With either, one person would get two tokens and nobody would notice.
    if (
      'e\u0301\u{10efd}'.normalize('NFC') !== 'e\u{10efd}\u0301'.normalize('NFC') ||
      '\ufb01'.normalize('NFKC') !== 'fi'
    ) {
      throw new Error(
        'this runtime normalises text with a Unicode version before 15.0, or not at all; use a newer runtime',
      );
    }
    probed = true;
  }
  checkRuns(text);
  return text.normalize(form);
}

/**
 * The most non-starters (combining marks that a normalisation form sorts) in a row: the limit of Stream-Safe Text
 * Format, UAX #15, section 13, https://www.unicode.org/reports/tr15/#Stream_Safe_Text_Format. Runtimes sort a run by
 * insertion, which takes quadratic time, so one value of 4 MB would block a process for minutes.
 */
const MAX_NON_STARTERS = 30;

/**
 * Runs are counted only if a text has 14 code points in a row whose NFKD consists of non-starters. These are marks, or
 * the two half-width sound marks of Katakana. Each has at most 2 non-starters, and the code point before them ends with
 * at most 3, so a text without such a row cannot exceed the limit.
 */
const MAY_BE_LONG = /[\p{M}\uff9e\uff9f]{14}/u;

/**
 * Refuses text that is not in Stream-Safe Text Format. Runs are counted in NFKD, as UAX15-D3 defines it, whichever form
 * is requested. So all steps have one definition, and every step accepts the results of the others.
 */
function checkRuns(text: string): void {
  if (text.length < 14 || !MAY_BE_LONG.test(text)) return;
  let longest = 0;
  let run = 0;
  for (let i = 0; i < text.length; i++) {
    const code = text.codePointAt(i)!;
    if (code > 0xffff) i++;
    // A code point below U+00A0 is a starter and is its own NFKD.
    const marks = code < 0xa0 ? 0 : marksOf(code);
    const leading = marks >>> 4;
    run += leading;
    if (run > longest) longest = run;
    if ((marks & ALL) === 0) run = marks & TRAILING;
  }
  if (longest > MAX_NON_STARTERS) {
    fail(
      'too_long',
      `the text has ${longest} combining marks in a row, more than the ${MAX_NON_STARTERS} of Stream-Safe Text ` +
        'Format (UAX #15); correct it at the source',
      { maximum: MAX_NON_STARTERS, actual: longest },
    );
  }
}

// The byte that `marks` holds for a code point: how many non-starters its NFKD begins with, whether it has no starter
// at all, and how many non-starters it ends with.
const ALL = 8;
const TRAILING = 7;
const KNOWN = 128;

/** The results of `marksOf` so far. The table is made at the first call. */
let marks: Uint8Array | undefined;

/**
 * The non-starters in the NFKD of a code point. By the stability policy they are the same in every version of Unicode.
 */
function marksOf(code: number): number {
  marks ??= new Uint8Array(0x110000);
  let known = marks[code]!;
  if (known === 0) {
    const parts = [...String.fromCodePoint(code).normalize('NFKD')].map(isNonStarter);
    const leading = parts.indexOf(false) < 0 ? parts.length : parts.indexOf(false);
    const trailing = parts.length - 1 - parts.lastIndexOf(false);
    known = KNOWN | (leading << 4) | (leading === parts.length ? ALL : 0) | trailing;
    marks[code] = known;
  }
  return known & ~KNOWN;
}

/**
 * Whether a code point has a combining class other than 0. ECMAScript does not tell, but normalisation shows it:
 * exactly these code points change places with a mark of class 1 (U+0334) after them or, if they are of class 1
 * themselves, with a mark of class 230 (U+0301) before them.
 */
function isNonStarter(character: string): boolean {
  const after = `${character}\u0334`;
  const before = `\u0301${character}`;
  return after.normalize('NFD') !== after || before.normalize('NFD') !== before;
}

/** How many of the ascending `bounds` are at or below `code`. */
function countUpTo(bounds: Uint32Array, code: number): number {
  let low = 0;
  let high = bounds.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (bounds[middle]! <= code) low = middle + 1;
    else high = middle;
  }
  return low;
}

let bounds: Uint32Array | undefined;

/** The code points at which a run of assigned ones ends (even index) or begins (odd index). */
function assignedBounds(): Uint32Array {
  if (bounds === undefined) {
    const lengths = numbers(ASSIGNED);
    bounds = new Uint32Array(lengths.length);
    for (let i = 0, at = 0; i < lengths.length; i++) {
      at += lengths[i]!;
      bounds[i] = at;
    }
  }
  return bounds;
}

interface Foldings {
  readonly full: ReadonlyMap<string, string>;
  readonly simple: ReadonlyMap<string, string>;
}

let tables: Foldings | undefined;

function foldings(): Foldings {
  tables ??= {
    full: new Map([...oneToOne(FOLD_C), ...oneToMany(FOLD_F)]),
    simple: new Map([...oneToOne(FOLD_C), ...oneToOne(FOLD_S)]),
  };
  return tables;
}

/**
 * Reads a table of code points that fold to one code point. A run is four numbers: the gap after the last run, the
 * number of code points, the step from one to the next, and the distance to what it folds to (zigzag).
 */
function oneToOne(text: string): [string, string][] {
  const runs = numbers(text);
  const entries: [string, string][] = [];
  let code = 0;
  for (let i = 0; i < runs.length; i += 4) {
    code += runs[i]!;
    const step = runs[i + 2]!;
    const way = runs[i + 3]! % 2 === 1 ? -(runs[i + 3]! + 1) / 2 : runs[i + 3]! / 2;
    for (let left = runs[i + 1]!; left > 0; left--, code += step) {
      entries.push([String.fromCodePoint(code), String.fromCodePoint(code + way)]);
    }
    code -= step;
  }
  return entries;
}

/**
 * Reads a table of code points that fold to several. An entry is the gap after the last entry, the number of code
 * points that it folds to, and these code points.
 */
function oneToMany(text: string): [string, string][] {
  const list = numbers(text);
  const entries: [string, string][] = [];
  let code = 0;
  for (let i = 0; i < list.length; ) {
    code += list[i]!;
    const end = i + 2 + list[i + 1]!;
    entries.push([String.fromCodePoint(code), String.fromCodePoint(...list.slice(i + 2, end))]);
    i = end;
  }
  return entries;
}

/** Reads numbers in base 26: `a` to `z` is a digit followed by another, `A` to `Z` is the last digit. */
function numbers(text: string): number[] {
  const out: number[] = [];
  let value = 0;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    value = value * 26 + (code & 31) - 1;
    if (code < 0x61) {
      out.push(value);
      value = 0;
    }
  }
  return out;
}
