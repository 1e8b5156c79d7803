/**
 * White space: WhiteSpace and LineTerminator of ECMA-262 (https://tc39.es/ecma262/#sec-white-space), with the
 * characters of Unicode 15.1.0. The list is written out, because ECMAScript takes "any Space_Separator" from the
 * Unicode version of the runtime, and that set has changed before (U+180E left it with Unicode 6.3).
 */

/** The 25 code points, as the content of a character class of a regular expression. */
export const SPACE_CLASS =
  '\\u0009-\\u000d\\u0020\\u00a0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000\\ufeff';

const SPACE: RegExp = /* @__PURE__ */ new RegExp(`[${SPACE_CLASS}]`);

/**
 * Removes white space at both ends. It is a loop, because `/\s+$/` takes quadratic time on long runs of space inside.
 */
export function trimText(text: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && isSpace(text.charCodeAt(start))) start++;
  while (end > start && isSpace(text.charCodeAt(end - 1))) end--;
  return text.slice(start, end);
}

function isSpace(unit: number): boolean {
  if (unit > 0x20 && unit < 0xa0) return false;
  return SPACE.test(String.fromCharCode(unit));
}
