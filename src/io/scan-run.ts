/**
 * What one run of letters, digits and underscores shows (docs/spec/scan-v1.md, "What is counted"): a value that is the
 * whole run, perhaps after an escape or in capitals, or labelled tokens that are glued to other characters.
 */

import { inspectSealed } from '../rule/seal.ts';
import { symbolValue } from '../wire/base32.ts';
import { CHECK_LENGTH } from '../wire/check-characters.ts';
import { BODY_LENGTH, ID_LENGTH, inspect, SHORTEST_BODY } from '../wire/labelled-token.ts';

/** Is called for each value of a run: with the label of a token, or with `null` for a sealed value. */
export type Count = (keyId: string, label: string | null) => void;

/** Escapes that a run may begin with after a backslash: those of JSON, of COPY and of most languages. */
const BACKSLASHED = [/^[a-z0]/, /^x[0-9a-fA-F]{2}/, /^[0-7]{3}/, /^u[0-9a-fA-F]{4}/] as const;

/** The same after a percent sign: `%3D`, and `%253D`, which was encoded twice. */
const PERCENT = [/^[0-9a-fA-F]{2}/, /^(?:25)+[0-9a-fA-F]{2}/] as const;

/** Symbols of a token after its label, of a whole one and of the shortest. */
const WHOLE_LENGTH = ID_LENGTH + BODY_LENGTH + CHECK_LENGTH;
const SHORTEST_LENGTH = ID_LENGTH + SHORTEST_BODY + CHECK_LENGTH;

/** What every sealed value has after its key id: the first symbols of its header (docs/spec/seal-v1.md). */
const SEALED = '040';

/** Characters of the longest label, and of the longest labelled token. */
const LONGEST_LABEL = 16;
const LONGEST_TOKEN = LONGEST_LABEL + 1 + WHOLE_LENGTH;

/**
 * Counts the values of a run.
 *
 * @param run the run without the character before it.
 * @param mark that character, if it begins an escape: a backslash or a percent sign; else the empty text.
 * @returns whether the run has no value, and the form of a token with wrong check characters.
 */
export function readRun(run: string, mark: string, count: Count): boolean {
  let seen = readWhole(run, count);
  if (seen === 'value') return false;
  const texts = mark === '' ? NONE : behindEscape(run, mark === '%' ? PERCENT : BACKSLASHED);
  for (const text of texts) {
    const other = readWhole(text, count);
    if (other === 'value') return false;
    seen ??= other;
  }
  const isInCapitals = (text: string) => mayBeCapitals(text) && readWhole(text.toLowerCase(), count) === 'value';
  if (isInCapitals(run) || texts.some(isInCapitals)) return false;
  let isGlued = false;
  for (let at = run.indexOf('_'); at !== -1; at = run.indexOf('_', at + 1)) {
    isGlued = readGlued(run, at, false, count) || readGlued(run, at, true, count) || isGlued;
  }
  return !isGlued && seen === 'damaged';
}

const NONE: readonly string[] = [];

/** Counts a text that is a token or a sealed value as a whole. Returns what it is; `null` if it is neither. */
function readWhole(text: string, count: Count): 'value' | 'damaged' | null {
  const token = inspect(text);
  if (token?.intact === true) {
    count(token.keyId, token.label ?? '');
    return 'value';
  }
  const sealed = inspectSealed(text);
  if (sealed === null) return token === null ? null : 'damaged';
  count(sealed.keyId, null);
  return 'value';
}

/** What is left of a run without the escape that it may begin with, for each form that fits. */
function behindEscape(run: string, forms: readonly RegExp[]): readonly string[] {
  return forms.flatMap((form) => {
    const found = form.exec(run);
    return found === null ? [] : [run.slice(found[0].length)];
  });
}

/**
 * Whether a text has no small letter, and may be a token or a sealed value. Most texts are neither by their length and
 * their first characters, and no copy of them is made in lower case.
 */
function mayBeCapitals(text: string): boolean {
  const mayBeToken =
    text.length === WHOLE_LENGTH || (text.length <= LONGEST_TOKEN && text.lastIndexOf('_', LONGEST_LABEL) > 0);
  return (mayBeToken || text.startsWith(SEALED, ID_LENGTH)) && !/[a-z]/.test(text);
}

/**
 * Counts the labelled token whose underscore is at a place of a run, if there is one.
 *
 * Each text that is tried passes its check by chance with 2^-20, so as few are tried as find a token: the longest label
 * with all the symbols that follow it, or with those of a whole token; and only before a whole token that is followed
 * by no symbol, the shorter labels.
 *
 * @param inCapitals whether the token is in capitals; else in the lower case in which it was written.
 */
function readGlued(run: string, underscore: number, inCapitals: boolean, count: Count): boolean {
  const start = underscore + 1;
  let end = start;
  // One symbol more than a token has tells that others follow it.
  const stop = Math.min(run.length, start + WHOLE_LENGTH + 1);
  while (end < stop && symbolAt(run, end, inCapitals) >= 0) end++;
  if (end - start < SHORTEST_LENGTH) return false;
  let from = underscore;
  while (from > 0 && isOfLabel(run.charCodeAt(from - 1), inCapitals)) from--;
  // A label begins with a letter.
  while (from < underscore && run.charCodeAt(from) <= NINE) from++;
  const isLonger = underscore - from > LONGEST_LABEL;
  if (isLonger) from = underscore - LONGEST_LABEL;
  const isWhole = end - start === WHOLE_LENGTH;
  if (end - start >= WHOLE_LENGTH) {
    end = start + WHOLE_LENGTH;
    // The last two bits of a whole body are zero. This tells most other texts, in less time than an expression takes.
    if ((symbolAt(run, end - CHECK_LENGTH - 1, inCapitals) & 3) !== 0) return false;
  }
  if (isLonger && !isWhole) return false;
  for (let label = from; label < underscore; label++) {
    const text = run.slice(label, end);
    const token = inspect(inCapitals ? text.toLowerCase() : text);
    if (token?.intact === true) {
      count(token.keyId, token.label ?? '');
      return true;
    }
    if (!isWhole) return false;
  }
  return false;
}

const NINE = 57;

/** The value of a symbol of base32 in one case; below zero for any other character. */
function symbolAt(text: string, at: number, inCapitals: boolean): number {
  const code = text.charCodeAt(at);
  if (!inCapitals || code <= NINE) return symbolValue(code);
  return isCapital(code) ? symbolValue(code + 32) : -1;
}

/** Whether a character is a letter of one case, or a digit. */
function isOfLabel(code: number, inCapitals: boolean): boolean {
  return (code >= 48 && code <= NINE) || (inCapitals ? isCapital(code) : code >= 97 && code <= 122);
}

function isCapital(code: number): boolean {
  return code >= 65 && code <= 90;
}
