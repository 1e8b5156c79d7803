/**
 * The policy file: from the plain value that YAML or JSON gives to a policy, with all problems at once and each in its
 * place. YAML itself is read in `cli/`.
 */

import { badType, ownProperties, typeName } from '../../core/checks.ts';
import { type Issue, TrefoilError } from '../../errors.ts';
import { makeKeep } from '../../rule/plain.ts';
import type { Rule } from '../../rule/rule.ts';
import { unfitRules } from '../join.ts';
import { halfJoins } from '../joins.ts';
import { lostSubjects, policy } from '../policy.ts';
import { treeOfFields, treeOfPaths } from '../tree.ts';
import type { FilePolicy, PolicyOptions } from '../types.ts';
import { admits, attempt, type Complain, isMap, type Options, type ValuePath } from './options.ts';
import { readRule } from './rules.ts';
import { FILE_OPTIONS } from './schema.ts';

/** Tells where in the file a value, or the nearest one around it, stands. */
export type Locate = (path: ValuePath) =>
  | {
      readonly line: number;
      readonly column: number;
      readonly file?: string;
    }
  | undefined;

/**
 * Reads a policy from the value of a policy file, as a YAML or JSON parser gives it.
 *
 * @param value the parsed file.
 * @param locate gives line and column of a place in the value, if the parser knows them.
 * @throws TrefoilError with **all** problems: unknown rules and options, missing ones, numbers where text must stand,
 *   paths that contradict each other, half joins, subjects that are no fields, spaces that are too small.
 *
 * @example
 * ```ts
 * import { parsePolicy } from 'trefoil/policy';
 *
 * const sheet = parsePolicy({
 *   trefoil: 1,
 *   domain: 'eu-enclave',
 *   fields: { id: { rule: 'token', scope: 'person' }, notes: 'drop' },
 * });
 * Object.keys(sheet.fields); // → ['id', 'notes']
 * ```
 */
export function parsePolicy(value: unknown, locate?: Locate): FilePolicy {
  const { sheet, issues } = readPolicy(value, locate);
  if (sheet === null || issues.length > 0) throw new TrefoilError(issues);
  return sheet;
}

/** Reads the value of a policy file; with problems there is no policy. */
export function readPolicy(
  given: unknown,
  locate: Locate | undefined,
): { sheet: FilePolicy | null; issues: readonly Issue[] } {
  if (locate !== undefined && typeof locate !== 'function') {
    badType('locate', `expected a function, got ${typeName(locate)}`);
  }
  const issues: Issue[] = [];
  const complain: Complain = (code, path, message, more) => {
    const field = more?.field ?? path.join('.');
    issues.push({ ...more, code, message, ...(field === '' ? {} : { field }), ...locate?.(path) });
  };

  if (!isMap(given)) {
    complain('invalid_policy', [], `the policy must be a map, got ${typeName(given)}`);
    return { sheet: null, issues };
  }
  const value = ownProperties(given);
  admits(FILE_OPTIONS, value, [], 'the policy', complain);
  // An array is an object to the schema.
  for (const name of ['fields', 'keyCheck']) {
    if (Array.isArray(value[name])) complain('wrong_option', [name], `${name} must be a map`);
  }
  if (isMap(value.fields) && Object.keys(value.fields).length === 0) {
    complain('invalid_policy', ['fields'], 'fields must name at least one field');
  }

  const rules = new Map<string, Rule>();
  for (const [path, entry] of Object.entries(isMap(value.fields) ? value.fields : {})) {
    const rule = readRule(entry, ['fields', path], complain);
    // A stand-in for a rule with mistakes, so that its path is judged all the same.
    rules.set(path, rule ?? makeKeep({}));
  }
  const { fields, problems } = treeOfPaths(rules);
  for (const { path, code, message } of problems) complain(code, ['fields', path], message);

  // What the file says besides fields is judged with a field of its own, so that no mistake hides another.
  const options = fileOptions(value);
  for (const [name, option] of Object.entries(options)) {
    attempt([], value, complain, 'invalid_policy', () => policy({ field: makeKeep({}) }, { [name]: option }));
  }
  if (Object.keys(fields).length > 0) {
    const { leaves } = treeOfFields(fields);
    for (const { field, ...issue } of halfJoins(leaves))
      complain(issue.code, ['fields', field!, 'scope'], issue.message);
    for (const { field, ...issue } of lostSubjects(leaves))
      complain(issue.code, ['fields', field!, 'subject'], issue.message);
    for (const { field, ...issue } of unfitRules(leaves)) {
      complain(issue.code, ['fields', field!, 'format'], issue.message, issue);
    }
  }
  return { sheet: issues.length === 0 ? (policy(fields, options) as unknown as FilePolicy) : null, issues };
}

/** The options of the file that have the type they must have. */
function fileOptions({ domain, keyCheck, unnamed }: Options): PolicyOptions {
  return {
    ...(typeof domain === 'string' ? { domain } : {}),
    ...(isMap(keyCheck) ? { keyCheck: keyCheck as Record<string, string> } : {}),
    ...(unnamed === 'drop' || unnamed === 'error' ? { unnamed } : {}),
  };
}
