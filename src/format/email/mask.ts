/**
 * Syntax and masks of e-mail addresses in ASCII and lower case: Dot-string and Domain of RFC 5321, section 4.1.2
 * (https://www.rfc-editor.org/rfc/rfc5321). A mask has an `a` for every letter and digit, which are enciphered, and the
 * other characters as they are.
 */

import { fail } from '../../errors.ts';
import type { Index } from '../engine.ts';
import { fromIndex, SYMBOLS } from './local.ts';

/** RFC 1035, section 2.3.4. */
const MAX_LABEL = 63;

/** `atext` of RFC 5322, section 3.2.3, without letters and digits. */
export const SPECIALS = "!#$%&'*+-/=?^_`{|}~";

/** Marks the place of a letter or digit in a mask. It cannot be confused with a mark, because marks are not letters. */
export const MASK = 'a';
const MASK_CODE = 97;

const DOT = 46;
const HYPHEN = 45;

const SPECIAL = -1;
const OTHER = -2;

/** By character code: the numeral of a letter or digit, else `SPECIAL` or `OTHER`. */
const NUMERALS: Int8Array = /* @__PURE__ */ makeNumerals();

function makeNumerals(): Int8Array {
  const numerals = new Int8Array(128).fill(OTHER);
  for (let i = 0; i < SPECIALS.length; i++) numerals[SPECIALS.charCodeAt(i)] = SPECIAL;
  for (let i = 0; i < SYMBOLS.length; i++) numerals[SYMBOLS.charCodeAt(i)] = i;
  return numerals;
}

/** A part of an address: its mask, and the numerals of its letters and digits. */
export interface Masked {
  readonly mask: string;
  readonly numerals: number[];
}

/** The mask of a local part. Throws if it is not one (Dot-string of RFC 5321). */
export function maskedLocal(local: string): Masked {
  const numerals: number[] = [];
  let mask = '';
  let dot = true;
  for (let i = 0; i < local.length; i++) {
    const code = local.charCodeAt(i);
    const numeral = NUMERALS[code] ?? OTHER;
    if (numeral >= 0) {
      numerals.push(numeral);
      mask += MASK;
    } else if (numeral === SPECIAL || (code === DOT && !dot)) {
      mask += local[i];
    } else {
      refuseCharacter(code, 'before the @');
    }
    dot = code === DOT;
  }
  if (dot) fail('outside_format', 'the part before the @ is empty or ends with a dot');
  return { mask, numerals };
}

/** The mask of a host that {@link checkHost} has accepted. */
export function masked(host: string): Masked {
  const numerals: number[] = [];
  let mask = '';
  for (let i = 0; i < host.length; i++) {
    const numeral = NUMERALS[host.charCodeAt(i)]!;
    if (numeral >= 0) numerals.push(numeral);
    mask += numeral >= 0 ? MASK : host[i];
  }
  return { mask, numerals };
}

/** Checks that a host has two labels or more of letters, digits and inner hyphens (sub-domain of RFC 5321). */
export function checkHost(host: string): void {
  let labels = 0;
  let from = 0;
  for (let i = 0; i <= host.length; i++) {
    const code = i === host.length ? DOT : host.charCodeAt(i);
    if (code === DOT) {
      if (i === from || i - from > MAX_LABEL) {
        fail('outside_format', `a label of the domain has ${i - from} characters, expected 1 to ${MAX_LABEL}`, {
          minimum: 1,
          maximum: MAX_LABEL,
          actual: i - from,
        });
      }
      if (host.charCodeAt(from) === HYPHEN || host.charCodeAt(i - 1) === HYPHEN) {
        fail('outside_format', 'a label of the domain begins or ends with a hyphen');
      }
      labels++;
      from = i + 1;
    } else if (code !== HYPHEN && !((NUMERALS[code] ?? OTHER) >= 0)) {
      refuseCharacter(code, 'in the domain');
    }
  }
  if (labels < 2) fail('outside_format', 'the domain has no dot: write it in full');
}

function refuseCharacter(code: number, where: string): never {
  if (code >= 65 && code <= 90) {
    fail(
      'outside_format',
      `the address has upper case ${where}: write it in lower case, because two spellings of one mailbox do not join`,
    );
  }
  if (code > 127) {
    fail(
      'outside_format',
      `the address has a character that is not ASCII ${where}: write the domain in xn-- labels, or take token or seal`,
    );
  }
  if (code === DOT) fail('outside_format', `the address has a dot too many ${where}`);
  fail('outside_format', `the address has a character ${where} that is not allowed there without quotes`);
}

/** Splits an address into the part before the @ and the part after it. */
export function splitAddress(address: string): { local: string; host: string } {
  const at = address.indexOf('@');
  if (at < 0 || address.includes('@', at + 1)) {
    fail('outside_format', `the value is not an e-mail address: it has ${at < 0 ? 'no @' : 'more than one @'}`);
  }
  return { local: address.slice(0, at), host: address.slice(at + 1) };
}

/** The number of letters and digits in a mask between two positions. */
export function countMasks(mask: string, from: number, to: number): number {
  let count = 0;
  for (let i = from; i < to; i++) if (mask.charCodeAt(i) === MASK_CODE) count++;
  return count;
}

/** Writes the numerals of an index into the places of a mask. */
export function writeMask(mask: string, index: Index): string {
  return fill(mask, fromIndex(index, countMasks(mask, 0, mask.length)));
}

/**
 * Writes symbols into the places of a mask, in order: one character of a text, or one item of a list, for each place.
 */
export function fill(mask: string, symbols: string | readonly string[]): string {
  let out = '';
  let next = 0;
  for (let i = 0; i < mask.length; i++) out += mask.charCodeAt(i) === MASK_CODE ? symbols[next++] : mask[i];
  return out;
}
