/** Checks of the options that several rules share, and `mark`, which sets those that every rule has. */

import { badRange, badType, checkName, checkOneOf, checkOptions, ownProperties, typeName } from '../core/checks.ts';
import { given } from '../core/given.ts';
import { fail } from '../errors.ts';
import type { KeyVerb } from '../keys/entries.ts';
import { type Common, type MayBeAbsent, makeRule, ROLES, type Rule, ruleEngine } from './rule.ts';

/** The options of a rule, after their names were checked. */
export interface RuleOptions<T> {
  /** A copy of the caller's own properties. Rules read the copy only. */
  readonly own: T;
  /** The options that every rule has, without those that are not set. */
  readonly common: Common;
}

/** The names of the options that every rule has. */
const COMMON = ['optional', 'why', 'role', 'missing'] as const;

/** The most texts in a list of missing texts, and the most characters of each. */
const MOST_MISSING = 100;

/** Checks the names of a rule's options, and the values of the options that every rule has. */
export function checkRule<T>(name: string, options: T, known: readonly string[]): RuleOptions<T> {
  const own = checkOptions<T & Common>('options', options, [...known, ...COMMON]);
  const { optional: absent, why, role, missing } = own as Partial<Record<(typeof COMMON)[number], unknown>>;
  if (absent !== undefined && typeof absent !== 'boolean')
    badType('optional', `expected true or false, got ${typeName(absent)}`);
  if (why !== undefined && (typeof why !== 'string' || why.length > 1000)) {
    badType('why', `expected text of at most 1000 characters for ${name}`);
  }
  // Without a prototype, so that an option that is not set is not read from one.
  const common = ownProperties(
    given({
      optional: absent === true ? true : undefined,
      why: why as string | undefined,
      role: role === undefined ? undefined : checkOneOf('role', role, ROLES),
      missing: missing === undefined ? undefined : checkMissing(missing),
    }),
  );
  return { own, common };
}

/** Checks a list of missing texts, and returns a frozen copy of it. */
export function checkMissing(list: unknown): readonly string[] {
  if (!Array.isArray(list)) badType('missing', `expected a list of texts, got ${typeName(list)}`);
  const texts: unknown[] = Array.from(list);
  const other = texts.findIndex((text) => typeof text !== 'string');
  if (other !== -1) badType('missing', `expected text as item ${other + 1}, got ${typeName(texts[other])}`);
  const fits = (text: string, i: number) =>
    i < MOST_MISSING && text.length <= MOST_MISSING && text.isWellFormed() && texts.indexOf(text) === i;
  const wrong = (texts as string[]).findIndex((text, i) => !fits(text, i));
  if (wrong !== -1) {
    const most = `at most ${MOST_MISSING} different texts of at most ${MOST_MISSING} characters`;
    badRange('missing', `expected ${most}, without halves of surrogate pairs; item ${wrong + 1} does not fit`);
  }
  return Object.freeze(texts as string[]);
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

/**
 * Returns the same rule with options that every rule has. Most rules take these options themselves; `keep` and `drop`
 * take none in code, so this function is for them.
 *
 * @param options `optional`, `why`, `role` and `missing`. Those that are not set stay as they are in the rule.
 * @throws TypeError if the first argument is not a rule, or if an option does not fit; RangeError for `missing` with a
 *   rule that can be bound alone (`token`, `seal`, `fpe`, `vault`, `shiftDate`): such a rule takes it itself.
 *
 * @example
 * ```ts
 * import { keep, keyset, mark, policy } from 'trefoil';
 *
 * const p = policy({ shelf: mark(keep, { optional: true, role: 'other', why: 'warehouse shelf' }) });
 * p.bind(keyset.generate().domain('eu')).protect({}); // → {}
 * p.fields.shelf?.role; // → 'other'
 * ```
 */
export function mark<R extends Rule, const Optional extends boolean = false>(
  rule: R,
  options: Common & { readonly optional?: Optional },
): MayBeAbsent<R, Optional> {
  const engine = ruleEngine(rule);
  if (engine === null) badType('rule', `expected a rule, got ${typeName(rule)}`);
  const { common } = checkRule('mark', options, []);
  const hidden: Record<string, unknown> = {};
  for (const name of Object.getOwnPropertyNames(rule)) {
    if (!Object.prototype.propertyIsEnumerable.call(rule, name))
      hidden[name] = (rule as unknown as Record<string, unknown>)[name];
  }
  // Its verbs were made for the list that it has.
  if (common.missing !== undefined && Object.keys(hidden).length > 0) {
    badRange('missing', `is an option of the rule itself: pass it where the rule is made, to ${rule.rule}`);
  }
  // In the order in which a constructor puts them.
  const { optional: absent, why, role, missing, ...rest } = ownProperties<Rule>(rule);
  const all = ownProperties({ ...given({ optional: absent, why, role, missing }), ...common });
  const marks = given({ optional: all.optional, why: all.why, role: all.role, missing: all.missing });
  return makeRule({ ...rest, ...marks }, engine, hidden) as unknown as MayBeAbsent<R, Optional>;
}

/**
 * Returns the same rule for a field that may be absent: the short form of `mark(rule, { optional: true })`.
 *
 * @throws TypeError if the argument is not a rule.
 *
 * @example
 * ```ts
 * import { keep, keyset, optional, policy } from 'trefoil';
 *
 * const p = policy({ country: optional(keep) });
 * p.bind(keyset.generate().domain('eu')).protect({}); // → {}
 * ```
 */
export function optional<R extends Rule>(rule: R): R & { readonly optional: true } {
  return mark(rule, { optional: true });
}

/** Whether a narrowed keyset may do all that a rule with one key for both ways can do, so that nothing is left out. */
export function isWhole(verbs: readonly KeyVerb[]): boolean {
  return verbs.includes('protect') && verbs.includes('reveal');
}
