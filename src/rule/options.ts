/** Checks of the options that several rules share. */

import { badRange, badType, checkName, checkOptions, typeName } from '../core/checks.ts';
import { given } from '../core/given.ts';
import { fail } from '../errors.ts';
import type { Common } from './rule.ts';

/** The options of a rule, after their names were checked. */
export interface RuleOptions<T> {
  /** A copy of the caller's own properties. Rules read the copy only. */
  readonly own: T;
  /** The options that every rule has, without those that are not set. */
  readonly common: Common;
}

/** Checks the names of a rule's options, and the values of the options that every rule has. */
export function checkRule<T>(name: string, options: T, known: readonly string[]): RuleOptions<T> {
  const own = checkOptions<T & Common>('options', options, [...known, 'optional', 'why']);
  const { optional: absent, why } = own as { readonly optional?: unknown; readonly why?: unknown };
  if (absent !== undefined && typeof absent !== 'boolean')
    badType('optional', `expected true or false, got ${typeName(absent)}`);
  if (why !== undefined && (typeof why !== 'string' || why.length > 1000)) {
    badType('why', `expected text of at most 1000 characters for ${name}`);
  }
  return { own, common: given({ optional: absent === true ? true : undefined, why: why as string | undefined }) };
}

/** Checks the scope of a rule. */
export function checkScope(options: { readonly scope?: unknown }): string {
  return checkName('scope', options.scope);
}

/**
 * Checks `subject`, the path of the field that tells which subject a value belongs to. Whether the policy has that
 * field is checked when the policy is made.
 */
export function checkSubject(subject: unknown): string {
  return checkFieldPath('subject', subject, 'a record has one subject');
}

/**
 * Checks an option that is the path of another field of the record, without arrays.
 *
 * @param because why there can be no arrays: `a record has one subject`.
 */
export function checkFieldPath(option: string, path: unknown, because: string): string {
  if (typeof path !== 'string') badType(option, `expected the path of a field, got ${typeName(path)}`);
  if (path === '') badRange(option, 'expected the path of a field, got the empty text');
  // An escaped bracket is part of a name.
  if (path.replace(/\\./g, '').includes('[')) {
    badRange(option, `expected a path without arrays: ${because}`);
  }
  return path;
}

/**
 * Checks that the text of a subject is not empty.
 *
 * @param consequence what cannot be done without a subject: `the date cannot be moved`.
 * @throws TrefoilError `missing_subject`.
 */
export function checkSubjectText(text: string, consequence: string): string {
  if (text === '') fail('missing_subject', `the subject is missing or empty, so ${consequence}`);
  return text;
}

/** Checks `empty`, which says whether the empty string passes (`keep`, the default) or is protected. */
export function checkEmpty(empty: unknown): 'keep' | 'protect' {
  if (empty === undefined) return 'keep';
  if (empty !== 'keep' && empty !== 'protect') badRange('empty', 'expected keep or protect');
  return empty;
}
