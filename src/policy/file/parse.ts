/**
 * The policy file: from the plain value that YAML or JSON gives to a policy, with all problems at once and each in its
 * place. YAML itself is read in `cli/`.
 */

import { badType, ownProperties, typeName } from '../../core/checks.ts';
import { type Issue, TrefoilError } from '../../errors.ts';
import type { Format } from '../../format/engine.ts';
import { PREPARE_NAMES, type Prepare, prepareByName } from '../../prepare/steps.ts';
import { type CoarsenBucket, coarsen } from '../../rule/coarsen.ts';
import { type ConstantValue, constant } from '../../rule/constant.ts';
import { makeDrop } from '../../rule/drop.ts';
import { fpe } from '../../rule/fpe.ts';
import { makeKeep } from '../../rule/keep.ts';
import { mask } from '../../rule/mask.ts';
import type { Common, Rule } from '../../rule/rule.ts';
import { seal } from '../../rule/seal.ts';
import { type ShiftDateOptions, shiftDate } from '../../rule/shift-date.ts';
import { token } from '../../rule/token.ts';
import { type VaultOptions, vault } from '../../rule/vault.ts';
import { unfitRules } from '../join.ts';
import { halfJoins } from '../joins.ts';
import { lostSubjects, policy } from '../policy.ts';
import { treeOfFields, treeOfPaths } from '../tree.ts';
import type { FilePolicy, PolicyOptions } from '../types.ts';
import { readFormat } from './formats.ts';
import { admits, attempt, type Complain, isMap, nameOneOf, type Options, type ValuePath } from './options.ts';
import { SCHEMA } from './schema.ts';

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
  admits(SCHEMA.file, value, [], 'the policy', complain);
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

function readRule(entry: unknown, path: ValuePath, complain: Complain): Rule | null {
  if (typeof entry === 'string') {
    if (entry === 'keep') return makeKeep({});
    if (entry === 'drop') return makeDrop({});
    const known = Object.hasOwn(SCHEMA.rules, entry);
    if (known) complain('missing_option', path, `${entry} needs options: write { rule: ${entry}, … }`);
    else complain('unknown_rule', path, `there is no such rule; ${nameOneOf(entry, Object.keys(SCHEMA.rules))}`);
    return null;
  }
  if (!isMap(entry)) {
    complain('wrong_option', path, `a field has a rule: keep, drop or a map with "rule", got ${typeName(entry)}`);
    return null;
  }
  const { rule: name, ...rest } = ownProperties(entry);
  const options = ownProperties(rest);
  if (name === undefined) {
    complain('missing_option', [...path, 'rule'], 'rule is missing');
    return null;
  }
  if (typeof name !== 'string') {
    complain('must_be_text', [...path, 'rule'], 'rule must be text: quote it');
    return null;
  }
  const entries = Object.hasOwn(SCHEMA.rules, name) ? SCHEMA.rules[name] : undefined;
  if (entries === undefined) {
    complain('unknown_rule', [...path, 'rule'], `there is no such rule; ${nameOneOf(name, Object.keys(SCHEMA.rules))}`);
    return null;
  }
  let fits = admits(entries, options, path, name, complain);
  const steps: Record<string, readonly Prepare[] | Prepare> = {};
  let format: Format | undefined;
  const option = name === 'token' ? 'prepare' : 'prepareSubject';
  if ((name === 'token' || name === 'shiftDate') && options[option] !== undefined) {
    const read = readPrepare(options[option], [...path, option], complain);
    if (read === null) fits = false;
    else steps[option] = read;
  }
  if (name === 'fpe' && options.format !== undefined) {
    const read = readFormat(options.format, [...path, 'format'], complain);
    if (read === null) fits = false;
    else format = read;
  }
  if (!fits) return null;
  let rule: Rule | null = null;
  attempt(path, options, complain, 'wrong_option', () => {
    rule = build(name, { ...options, ...steps, ...(format && { format }) });
  });
  return rule;
}

/** A rule from options whose types the schema has checked. */
function build(name: string, options: Options): Rule {
  switch (name) {
    case 'keep':
      return makeKeep(options as Common);
    case 'drop':
      return makeDrop(options as Common);
    case 'constant':
      return constant(options as { value: ConstantValue });
    case 'mask':
      return mask(options);
    case 'coarsen':
      return coarsen(options as unknown as CoarsenBucket);
    case 'token':
      return token(options as { scope: string });
    case 'fpe':
      return fpe(options as { scope: string; format: Format });
    case 'vault':
      return vault(options as unknown as VaultOptions);
    case 'shiftDate':
      return shiftDate(options as unknown as ShiftDateOptions);
    default:
      return seal(options as { scope: string });
  }
}

function readPrepare(value: unknown, path: ValuePath, complain: Complain): Prepare | readonly Prepare[] | null {
  // Anything else than names has been reported by the schema.
  const names = Array.isArray(value) ? value : [value];
  if (!names.every((name) => typeof name === 'string')) return null;
  const steps = names.map((name, index) => {
    const step = prepareByName(name);
    if (step === undefined) {
      const place = Array.isArray(value) ? [...path, index] : path;
      complain('unknown_prepare', place, `there is no such prepare step; ${nameOneOf(name, PREPARE_NAMES)}`);
    }
    return step;
  });
  if (steps.some((step) => step === undefined)) return null;
  return (Array.isArray(value) ? steps : steps[0]) as Prepare | readonly Prepare[];
}
