/** `check`: all problems of a policy file, or of several that are to work together. */

import { badType, typeName } from '../core/checks.ts';
import type { Issue } from '../errors.ts';
import { type Locate, readPolicy } from './file/parse.ts';
import { halfJoinsAcross } from './joins.ts';
import { namedPolicies, nameOf } from './named.ts';
import type { FilePolicy } from './types.ts';

/**
 * All problems of a policy file's value, without throwing; an empty list means that `parsePolicy` takes it and that it
 * can be bound.
 *
 * With a list of values it also says where two of the policies seem to join and do not: the same domain, kind of rule and
 * scope, and another label, form, length, step, format, store or number of days (`half_join`). An issue names its policy as
 * `file`: by what `locate` says, or `policy 1`, `policy 2` and so on.
 *
 * @param locate gives line and column of a place in the value; for a list, a list of these.
 *
 * @example
 * ```ts
 * import { check } from 'trefoil/policy';
 *
 * const problems = check({ trefoil: 1, domain: 'eu', fields: { id: { rule: 'tokn' } } });
 * problems.map((issue) => issue.code); // → ['unknown_rule']
 *
 * const id = { rule: 'token', scope: 'person' };
 * const people = { trefoil: 1, domain: 'eu', fields: { id } };
 * const orders = { trefoil: 1, domain: 'eu', fields: { customer: { ...id, label: 'cust' } } };
 * check([people, orders]).map(({ code, file, field }) => [code, file, field]);
 * // → [['half_join', 'policy 2', 'fields.customer.scope']]
 * ```
 */
export function check(value: unknown, locate?: Locate | readonly (Locate | undefined)[]): readonly Issue[] {
  if (!Array.isArray(value) || value.length === 0) {
    if (Array.isArray(locate)) badType('locate', 'expected a function, got array: there is one policy');
    return readPolicy(value, locate as Locate | undefined).issues;
  }
  if (locate !== undefined && (!Array.isArray(locate) || locate.length !== value.length)) {
    badType('locate', `expected a list of as many functions as there are policies, got ${typeName(locate)}`);
  }
  const locates: readonly (Locate | undefined)[] = locate ?? [];
  const read = Array.from(value, (one: unknown, i) => readPolicy(one, locates[i]));
  const names = read.map((_, i) => nameOf(undefined, i, read.length));
  const own = read.flatMap(({ issues }, i) => issues.map((issue): Issue => ({ file: names[i]!, ...issue })));
  const whole = read.flatMap(({ sheet }, i) => (sheet === null ? [] : [{ sheet, i }]));
  return [...own, ...acrossFiles(whole, names, locates)];
}

/** The problems between policies that have none by themselves, at their places. */
export function acrossFiles(
  whole: readonly { readonly sheet: FilePolicy; readonly i: number }[],
  names: readonly string[],
  locates: readonly (Locate | undefined)[],
): readonly Issue[] {
  if (whole.length < 2) return [];
  const policies = namedPolicies(
    whole.map(({ sheet }) => sheet),
    whole.map(({ i }) => names[i]!),
  );
  return halfJoinsAcross(policies).map(({ policy, path, ...issue }): Issue => {
    const i = whole[policies.indexOf(policy)]!.i;
    return { ...issue, file: names[i]!, ...locates[i]?.(path) };
  });
}
