/**
 * `policy`: the data-protection sheet of a record, as a value. Binding it to keys is done once.
 */

import type { RevealAccess, WarrantAccess } from '../core/capability.ts';
import { badRange, badType, checkName, checkOptions, ownProperties, typeName } from '../core/checks.ts';
import type { Column } from '../core/columns.ts';
import { given } from '../core/given.ts';
import { throwIssues } from '../core/issues.ts';
import type { Issue } from '../errors.ts';
import { checkBranchCheck, checkKeyCheck, type KeyCheck } from '../keys/checks.ts';
import type { DomainKeys } from '../keys/domain-keys.ts';
import { type Access, checkAccess, readAccess } from '../rule/binding.ts';
import { checkMissing, checkSubject } from '../rule/options.ts';
import { bindKeys } from './bind.ts';
import { type BoundInside, hideInside, type Leaf } from './bound.ts';
import { protectColumns } from './columns.ts';
import { halfJoins, labelClashes } from './joins.ts';
import { runMany, runOne } from './many.ts';
import { missingClashes, policyMissing } from './missing.ts';
import { openPolicy } from './open.ts';
import { makeTransform, makeValues } from './transform.ts';
import { type FieldsNode, refuseStars, treeOfFields } from './tree.ts';
import type { BoundFilePolicy, Fields, ManyOptions, Policy, PolicyOptions, RevealOptions } from './types.ts';
import { withRecordKeys } from './unmarked/record-keys.ts';

const TREE = Symbol.for('trefoil.policy.v1');

/** The fields of a policy as a tree, and its leaves in order. */
export interface PolicyTree {
  readonly root: FieldsNode;
  readonly leaves: readonly Leaf[];
}

/**
 * Makes a policy: what happens to each field of a record. Nested objects in the policy describe nested objects in the
 * record, and {@link each} describes arrays.
 *
 * A field that the policy does not name is an error, unless `unnamed` is `'drop'`. A field that is absent is an error,
 * unless its rule is optional. `null`, `undefined` and the texts of `missing` are returned as they are.
 * `JSON.stringify` of a policy that has a `domain` gives its policy file.
 *
 * @throws TrefoilError `half_join` if two rules have the same kind and scope, so that they seem to join, but some of
 *   their values would not: tokens with different steps or `prf`, vaults with different stores, shifted dates with
 *   different days; or if two scopes have one label, since their tokens could not be told apart; `wrong_option`
 *   if a `subject` or a field of `per` is not a field of the policy, or if a missing
 *   text is a value of the format of an `fpe` field. TypeError or RangeError if an argument is not a policy.
 *
 * @example
 * ```ts
 * import { drop, keep, keyset, policy, seal, token } from 'trefoil';
 * import { revealAccess } from 'trefoil/reveal';
 *
 * const customers = policy({
 *   id: token({ scope: 'person', label: 'cust' }),
 *   name: seal({ scope: 'person.name' }),
 *   country: keep,
 *   notes: drop,
 * });
 * const keys = keyset.generate().domain('eu-enclave');
 * const safe = customers.bind(keys).protect({ id: 7, name: 'Zoë Müller', country: 'DE', notes: 'called' });
 * customers.bind(keys, revealAccess).reveal(safe).name; // → 'Zoë Müller'
 * ```
 */
export function policy<const F extends Fields, const Unnamed extends 'error' | 'drop' = 'error'>(
  fields: F,
  options: PolicyOptions<Unnamed> = {},
): Policy<F, Unnamed> {
  refuseStars(fields);
  return makePolicy(fields, options);
}

const OPTIONS = ['domain', 'region', 'keyCheck', 'branchCheck', 'unnamed', 'missing', 'subject'];

/** Makes a policy in code or of a file. In a file a `*` in a name is escaped, so here it is a name. */
export function makePolicy<const F extends Fields, const Unnamed extends 'error' | 'drop' = 'error'>(
  fields: F,
  options: PolicyOptions<Unnamed> = {},
): Policy<F, Unnamed> {
  const own = checkOptions('options', options, OPTIONS);
  const { domain, region, keyCheck, branchCheck, unnamed } = own;
  const missing = own.missing === undefined ? undefined : checkMissing(own.missing);
  if (domain !== undefined) checkName('domain', domain);
  if (region !== undefined) checkName('region', region);
  if (keyCheck !== undefined) checkKeyCheck(keyCheck);
  if (branchCheck !== undefined) checkBranchCheck(branchCheck);
  if (unnamed !== undefined && unnamed !== 'error' && unnamed !== 'drop') badRange('unnamed', 'expected error or drop');
  const subject = own.subject === undefined ? undefined : checkSubject(own.subject);
  const { root, leaves } = treeOfFields(fields);
  const lost = [...lostSubjects(leaves).map(({ option: _, ...issue }) => issue), ...lostPerson(leaves, subject)];
  throwIssues([...halfJoins(leaves), ...labelClashes(leaves), ...lost, ...missingClashes(leaves, missing)]);

  const data = {
    trefoil: 1 as const,
    ...given({
      domain: domain as string | undefined,
      region: region as string | undefined,
      keyCheck: keyCheck === undefined ? undefined : Object.freeze({ ...(keyCheck as KeyCheck) }),
      branchCheck: branchCheck as string | undefined,
      unnamed,
      missing,
      subject,
    }),
    fields: Object.freeze(Object.fromEntries(leaves.map((leaf) => [leaf.path, leaf.rule]))),
  };
  // Without a prototype, so that an option that is not set is not read from one.
  const sheet = ownProperties(data) as PolicyOptions;
  const bind = (keys: DomainKeys, access?: RevealAccess, more?: RevealOptions) =>
    bindPolicy(root, leaves, sheet, keys, { revealing: checkAccess(access), warrant: null }, more);
  const open = (keys: DomainKeys, stores: unknown, access?: RevealAccess | WarrantAccess, more?: RevealOptions) =>
    openPolicy(root, leaves, sheet, keys, stores, readAccess(access), more);
  Object.defineProperty(data, 'bind', { value: bind });
  Object.defineProperty(data, 'open', { value: open });
  Object.defineProperty(data, TREE, { value: { root, leaves } satisfies PolicyTree });
  return Object.freeze(data) as unknown as Policy<F, Unnamed>;
}

/** The policy's own `subject`, if it is not a field that protected records have. */
export function lostPerson(leaves: readonly Leaf[], subject: string | undefined): readonly Issue[] {
  if (subject === undefined) return [];
  const leaf = leaves.find(({ path }) => path === subject);
  if (leaf !== undefined && !leaf.engine.removes && leaf.header !== null) return [];
  const message =
    leaf === undefined || leaf.header === null
      ? 'the subject of the policy is not one of its fields; write its path from the top of the record, without arrays'
      : 'the subject of the policy is a field that it drops; give the field a rule that keeps people apart, as token does';
  return [{ code: 'wrong_option', message, field: subject }];
}

/**
 * The tree of a policy.
 *
 * @throws TypeError if the value is not a policy.
 */
export function policyTree(value: unknown): PolicyTree {
  const tree = typeof value === 'object' && value !== null ? (value as Record<symbol, unknown>)[TREE] : undefined;
  if (tree === undefined) badType('policy', `expected a policy, got ${typeName(value)}`);
  return tree as PolicyTree;
}

/** The leaves of a policy, for `explain` and for comparing policies. */
export function policyLeaves(value: unknown): readonly Leaf[] {
  return policyTree(value).leaves;
}

/**
 * Rules that need a field which the policy does not have: a misspelt subject or context would be missing in every
 * record.
 */
export function lostSubjects(leaves: readonly Leaf[]): readonly (Issue & { readonly option: string })[] {
  const paths = leaves.map(({ path }) => path).filter((path) => !path.includes('[]'));
  return leaves.flatMap(({ path, rule, engine }) =>
    (engine.needs ?? []).flatMap((needed): (Issue & { readonly option: string })[] => {
      if (needed !== path && paths.includes(needed)) return [];
      const [field, hint] =
        rule.rule === 'token'
          ? ['a field of per', 'name another field of the record']
          : ['the subject', 'name the field that says whose value it is'];
      const message =
        needed === path
          ? `${field} is the field itself; ${hint}`
          : `${field} is not a field of this policy; write its path from the top of the record, without arrays, and ` +
            'give it a rule of its own (drop will do)';
      return [{ code: 'wrong_option', message, field: path, option: rule.rule === 'token' ? 'per' : 'subject' }];
    }),
  );
}

function bindPolicy(
  root: FieldsNode,
  leaves: readonly Leaf[],
  sheet: PolicyOptions,
  domainKeys: DomainKeys,
  access: Access,
  options: RevealOptions | undefined,
): BoundFilePolicy {
  const { unnamed = 'error' } = sheet;
  const { revealing } = access;
  const { opened, recordKeys, demand } = bindKeys(leaves, sheet, domainKeys, access, options);
  const missing = policyMissing(leaves, sheet.missing);
  const columns = leaves.map((leaf, i) => {
    const lists = missing.listsOf(i);
    return withRecordKeys(
      leaf.engine.bind(leaf.engine.keyed ? opened : null, revealing, lists),
      leaf,
      recordKeys,
      lists,
    );
  });
  const inside: BoundInside = {
    domain: opened.domain,
    keys: opened,
    fromKey: recordKeys.fromKey,
    witnesses: recordKeys.witnesses.paths,
    sheet: { ...sheet, domain: opened.domain },
    unnamed,
    leaves,
    root,
    missing: missing.texts,
    missingCells: missing.cells,
    columns,
    demand,
    rows: makeTransform(root, columns, unnamed),
    values: makeValues(root, columns, unnamed),
  };
  const verbs = {
    protect: (row: unknown) => runOne(inside, 'protect', row),
    protectMany: (rows: readonly unknown[], options?: ManyOptions) => runMany(inside, 'protect', rows, options),
    protectColumns: (tables: Readonly<Record<string, Column>>) => protectColumns(inside, tables),
    ...(revealing && {
      reveal: (row: unknown) => runOne(inside, 'reveal', row),
      revealMany: (rows: readonly unknown[], options?: ManyOptions) => runMany(inside, 'reveal', rows, options),
    }),
  };
  return Object.freeze(hideInside(verbs, inside)) as unknown as BoundFilePolicy;
}
