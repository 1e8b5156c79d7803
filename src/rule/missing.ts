/** Which values count as missing. Every rule returns a missing value as it is: it is not a person. */

/**
 * Whether a value is missing: `null`, `undefined` and, unless the rule has `empty: 'protect'`, the empty string. Rules
 * call it for every value before they do anything else.
 */
export function isMissing(value: unknown, empty: 'keep' | 'protect'): value is null | undefined | '' {
  return value === null || value === undefined || (value === '' && empty === 'keep');
}
