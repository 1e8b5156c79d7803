/**
 * Reads a policy file: from the plain value that a YAML or JSON parser returns to a policy. All problems are reported
 * at once, each with its place. YAML itself is parsed in `cli/`.
 */

import { badType, ownProperties, typeName } from '../../core/checks.ts';
import { given } from '../../core/given.ts';
import { throwIssues } from '../../core/issues.ts';
import type { Issue } from '../../errors.ts';
import { makeKeep } from '../../rule/keep.ts';
import type { Rule } from '../../rule/rule.ts';
import { unfitRules } from '../bind.ts';
import { halfJoins, labelClashes } from '../joins.ts';
import { missingClashes } from '../missing.ts';
import { lostPerson, lostSubjects, makePolicy, policy } from '../policy.ts';
import { treeOfFields, treeOfPaths } from '../tree.ts';
import type { FilePolicy, PolicyOptions } from '../types.ts';
import { admits, attempt, type Complain, isMap, type Options, type ValuePath } from './options.ts';
import { readRule } from './rules.ts';
import { FILE_OPTIONS } from './schema.ts';

/** Returns where in the file a value, or the nearest value around it, is written. */
export type Locate = (path: ValuePath) =>
  | {
      readonly line: number;
      readonly column: number;
      readonly file?: string;
    }
  | undefined;

/**
 * Reads a policy from the value of a policy file, as a YAML or JSON parser returns it.
 *
 * @param value the parsed file.
 * @param locate returns the line and column of a place in the value, if the parser knows them.
 * @throws TrefoilError with **all** problems: unknown rules and options, missing options, numbers that must be text,
 *   paths that contradict each other, half joins, subjects that are not fields, spaces that are too small.
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
  throwIssues(issues);
  return sheet!;
}

/** Reads the value of a policy file. If there are problems, `sheet` is `null`. */
export function readPolicy(
  file: unknown,
  locate: Locate | undefined,
): { sheet: FilePolicy | null; issues: readonly Issue[] } {
  if (locate !== undefined && typeof locate !== 'function') {
    badType('locate', `expected a function, got ${typeName(locate)}`);
  }
  const issues: Issue[] = [];
  const complain: Complain = (code, path, message, more) => {
    const field = more?.field ?? path.map((part) => (part === '' ? '""' : part)).join('.');
    issues.push({ ...more, code, message, ...given({ field: field === '' ? undefined : field }), ...locate?.(path) });
  };

  if (!isMap(file)) {
    complain('invalid_policy', [], `the policy must be a map, got ${typeName(file)}`);
    return { sheet: null, issues };
  }
  const value = ownProperties(file);
  admits(FILE_OPTIONS, value, [], 'the policy', complain);
  // The schema takes an array for an object.
  for (const name of ['fields', 'keyCheck']) {
    if (Array.isArray(value[name])) complain('wrong_option', [name], `${name} must be a map`);
  }
  if (isMap(value.fields) && Object.keys(value.fields).length === 0) {
    complain('invalid_policy', ['fields'], 'fields must name at least one field');
  }

  const rules = new Map<string, Rule>();
  for (const [path, entry] of Object.entries(isMap(value.fields) ? value.fields : {})) {
    const rule = readRule(entry, ['fields', path], complain);
    // A rule with mistakes is replaced by keep, so that its path is checked all the same.
    rules.set(path, rule ?? makeKeep({}));
  }
  const { fields, problems } = treeOfPaths(rules);
  for (const { path, code, message } of problems) complain(code, ['fields', path], message);

  // The other options of the file are checked one by one with a made-up field, so that no mistake hides another.
  const options = fileOptions(value);
  const { subject, ...others } = ownProperties(options);
  for (const [name, option] of Object.entries(others)) {
    attempt([], value, complain, 'invalid_policy', () => policy({ field: makeKeep({}) }, { [name]: option }));
  }
  if (Object.keys(fields).length > 0) {
    const { leaves } = treeOfFields(fields);
    for (const { field, ...issue } of halfJoins(leaves))
      complain(issue.code, ['fields', field!, 'scope'], issue.message);
    for (const { field, ...issue } of labelClashes(leaves))
      complain(issue.code, ['fields', field!, 'label'], issue.message);
    for (const { field, option, ...issue } of lostSubjects(leaves))
      complain(issue.code, ['fields', field!, option], issue.message);
    for (const { field: _, ...issue } of lostPerson(leaves, subject)) {
      complain(issue.code, ['subject'], issue.message);
    }
    for (const { field, ...issue } of missingClashes(leaves, ownProperties(options).missing)) {
      complain(issue.code, ['fields', field!, 'format'], issue.message);
    }
    for (const { field, ...issue } of unfitRules(leaves)) {
      complain(issue.code, ['fields', field!, 'format'], issue.message, issue);
    }
  }
  return { sheet: issues.length === 0 ? (makePolicy(fields, options) as unknown as FilePolicy) : null, issues };
}

function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((text) => typeof text === 'string');
}

/** The options of the file, without those of a wrong type. */
function fileOptions({ domain, region, keyCheck, branchCheck, unnamed, missing, subject }: Options): PolicyOptions {
  return given({
    domain: typeof domain === 'string' ? domain : undefined,
    region: typeof region === 'string' ? region : undefined,
    keyCheck: isMap(keyCheck) ? (keyCheck as Record<string, string>) : undefined,
    branchCheck: typeof branchCheck === 'string' ? branchCheck : undefined,
    unnamed: unnamed === 'drop' || unnamed === 'error' ? unnamed : undefined,
    missing: isTexts(missing) ? missing : undefined,
    subject: typeof subject === 'string' ? subject : undefined,
  });
}
