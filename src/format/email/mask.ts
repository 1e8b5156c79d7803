/**
 * Syntax and masks of e-mail addresses in ASCII and lower case: Dot-string and Domain of RFC 5321, section 4.1.2
 * (https://www.rfc-editor.org/rfc/rfc5321). A mask has an `a` for every letter and digit and the other characters as
 * they are; the letters and digits are what is enciphered.
 */

import { fail } from '../../errors.ts';
import type { Index } from '../engine.ts';
import { fromIndex, SYMBOLS } from './local.ts';

/** RFC 1035, section 2.3.4. */
const MAX_LABEL = 63;

/** `atext` of RFC 5322, section 3.2.3, without letters and digits. */
export const SPECIALS = "!#$%&'*+-/=?^_`{|}~";

/** Stands for letters and digits in a mask; marks are no letters. */
export const MASK = 'a';
const MASK_CODE = 97;

const DOT = 46;
const HYPHEN = 45;

const SPECIAL = -1;
const OTHER = -2;

/** By character code: the numeral, or one of the two above. */
const NUMERALS: Int8Array = /* @__PURE__ */ makeNumerals();

function makeNumerals(): Int8Array {
  const numerals = new Int8Array(128).fill(OTHER);
  for (let i = 0; i < SPECIALS.length; i++) numerals[SPECIALS.charCodeAt(i)] = SPECIAL;
  for (let i = 0; i < SYMBOLS.length; i++) numerals[SYMBOLS.charCodeAt(i)] = i;
  return numerals;
}

/** A part of an address. */
export interface Masked {
  readonly mask: string;
  readonly numerals: number[];
}

/** The mask of a local part; refuses what cannot be one (Dot-string of RFC 5321). */
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
  if (dot) fail('outside_format', 'the part before the @ is empty, or ends with a dot');
  return { mask, numerals };
}

/** The mask of a host that {@link checkHost} has taken. */
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

/** Two labels or more of letters, digits and inner hyphens (sub-domain of RFC 5321). */
export function checkHost(host: string): void {
  let labels = 0;
  let from = 0;
  for (let i = 0; i <= host.length; i++) {
    const code = i === host.length ? DOT : host.charCodeAt(i);
    if (code === DOT) {
      if (i === from || i - from > MAX_LABEL) {
        fail('outside_format', `each label of the domain has 1 to ${MAX_LABEL} characters, here ${i - from}`, {
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
  if (labels < 2) fail('outside_format', 'the domain has no dot; write it in full');
}

function refuseCharacter(code: number, where: string): never {
  if (code >= 65 && code <= 90) {
    fail(
      'outside_format',
      `upper case ${where}: write the address in lower case, or spellings of one mailbox do not join`,
    );
  }
  if (code > 127) {
    fail(
      'outside_format',
      `a character that is not ASCII ${where}: write the domain in xn-- labels, or take token or seal`,
    );
  }
  if (code === DOT) fail('outside_format', `a dot too many ${where}`);
  fail('outside_format', `a character ${where} that cannot stand there without quotes`);
}

/** The part before the @ and the part behind it. */
export function splitAddress(address: string): { local: string; host: string } {
  const at = address.indexOf('@');
  if (at < 0 || address.includes('@', at + 1)) {
    fail('outside_format', `an e-mail address has one @, this has ${at < 0 ? 'none' : 'more'}`);
  }
  return { local: address.slice(0, at), host: address.slice(at + 1) };
}

/** How many letters and digits a mask stands for between two positions. */
export function countMasks(mask: string, from: number, to: number): number {
  let count = 0;
  for (let i = from; i < to; i++) if (mask.charCodeAt(i) === MASK_CODE) count++;
  return count;
}

/** Writes symbols into a mask: as many numerals of an index as it has places. */
export function writeMask(mask: string, index: Index): string {
  return fill(mask, fromIndex(index, countMasks(mask, 0, mask.length)));
}

/** Writes symbols into the places of a mask, in order: a text takes one each, a list one item each. */
export function fill(mask: string, symbols: string | readonly string[]): string {
  let out = '';
  let next = 0;
  for (let i = 0; i < mask.length; i++) out += mask.charCodeAt(i) === MASK_CODE ? symbols[next++] : mask[i];
  return out;
}
