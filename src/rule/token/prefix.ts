/**
 * `after`: a part of a value that stays in clear before the token, such as `Patient/` in a reference of FHIR. The token
 * is that of what follows, so it joins with the token of the bare value.
 */

import { badRange, badType, typeName } from '../../core/checks.ts';
import { issueOf } from '../../core/issues.ts';
import { fail } from '../../errors.ts';
import type { ColumnVerb } from '../rule.ts';

/** The most characters of the part. */
const MAX_LENGTH = 200;

/** Checks the option `after`. */
export function checkAfter(after: unknown): string | undefined {
  if (after === undefined) return undefined;
  if (typeof after !== 'string') badType('after', `expected text, got ${typeName(after)}`);
  if (after === '' || after.length > MAX_LENGTH || !after.isWellFormed()) {
    badRange('after', `expected 1 to ${MAX_LENGTH} characters, without half of a surrogate pair`);
  }
  return after;
}

/**
 * Returns what follows the part.
 *
 * @throws TrefoilError `outside_format` if the value does not begin with the part.
 */
export function restOf(value: unknown, after: string): string {
  if (typeof value === 'string' && value.startsWith(after)) return value.slice(after.length);
  fail('outside_format', 'the value does not begin with the text that the rule has in after');
}

/** Wraps a verb so that it works on what follows the part, and the part is written before each result. */
export function behind(after: string, isMissing: (value: unknown) => boolean, verb: ColumnVerb): ColumnVerb {
  return (column, report, siblings) => {
    const rest = column.map((value, i) => {
      if (isMissing(value)) return null;
      try {
        return restOf(value, after);
      } catch (error) {
        report(i, issueOf(error));
        return null;
      }
    });
    const out = verb(rest, report, siblings);
    return column.map((value, i) => {
      if (isMissing(value)) return value;
      return typeof out[i] === 'string' ? after + out[i] : undefined;
    });
  };
}
