/** `check`: all problems of a policy file, or of several policy files that will be used together. */

import { badType, typeName } from '../core/checks.ts';
import type { Issue } from '../errors.ts';
import { type Locate, readPolicy } from './file/parse.ts';
import { halfJoinsAcross } from './joins.ts';
import { namedPolicies, nameOf } from './named.ts';
import type { FilePolicy } from './types.ts';

/**
 * Returns all problems of the value of a policy file and does not throw. An empty list means that `parsePolicy` accepts
 * the value and that the policy can be bound.
 *
 * For a list of values it also finds fields of two policies that seem to join and do not (`half_join`): they have the
 * same domain, kind of rule and scope, but another label, form, length, step, format, store or number of days. The
 * `file` of an issue is what `locate` returns, or `policy 1`, `policy 2` and so on.
 *
 * @param locate returns the line and column of a place in the value; for a list of values, a list of such functions.
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
    if (Array.isArray(locate)) badType('locate', 'expected a function, got array: one policy was passed');
    return readPolicy(value, locate as Locate | undefined).issues;
  }
  if (locate !== undefined && (!Array.isArray(locate) || locate.length !== value.length)) {
    badType('locate', `expected a list with one function for each policy, got ${typeName(locate)}`);
  }
  const locates: readonly (Locate | undefined)[] = locate ?? [];
  const read = Array.from(value, (one: unknown, i) => readPolicy(one, locates[i]));
  const names = read.map((_, i) => nameOf(undefined, i, read.length));
  const own = read.flatMap(({ issues }, i) => issues.map((issue): Issue => ({ file: names[i]!, ...issue })));
  const whole = read.flatMap(({ sheet }, i) => (sheet === null ? [] : [{ sheet, i }]));
  return [...own, ...acrossFiles(whole, names, locates)];
}

/** Problems between policies that have no problems of their own, each with its place in its file. */
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
