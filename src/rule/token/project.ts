/** Projecting tokens: those of one domain become those of another domain of the same lineage. */

import type { Token } from '../../core/brands.ts';
import { badType, checkOptions, typeName } from '../../core/checks.ts';
import type { ColumnOf, Utf8Column } from '../../core/columns.ts';
import type { Missing } from '../../core/missing.ts';
import { type DomainKeys, openKeys } from '../../keys/domain-keys.ts';
import { demandUngoverned } from '../../keys/place/refusals.ts';
import { ownLists } from '../missing.ts';
import { type Rule, ruleEngine } from '../rule.ts';
import { movingVerbs, type RenewOptions } from './renewal.ts';

/** Options of {@link projectTokens}. */
export interface ProjectOptions {
  /** Keys of the domain that the tokens are of. */
  readonly from: DomainKeys;
  /** Keys of the domain that they go to. */
  readonly to: DomainKeys;
}

/** A `token` rule between two domains. */
export interface TokenProjection<Scope extends string = string> {
  /**
   * Returns the token that the value of a token has in the other domain, without the value. Missing values pass.
   *
   * @throws TrefoilError as {@link BoundToken.renew}; `not_related` if the key of the token and that of the other
   *   domain have no common base.
   */
  readonly project: <V extends string | null | undefined>(
    token: V,
    options?: RenewOptions,
  ) => Token<Scope> | Missing<V>;
  /** Projects a column of tokens. Throws one error, with the first 100 issues and their rows from 1. */
  readonly projectMany: <C extends readonly (string | null | undefined)[] | Utf8Column>(
    column: C,
    options?: RenewOptions,
  ) => ColumnOf<C, Token<Scope>>;
}

/**
 * Makes the verbs that turn tokens of one domain into those of another domain of the same lineage: for a recipient, who
 * gets pseudonyms of their own, or from one recipient to another. The result equals what `protect` gives in the other
 * domain, so tables of it join.
 *
 * *Warning*: who projects links the tables of both domains. If the first key of a keyset is its own base, they link the
 * tables of the parent domain, too; `keyset.generate({ renewable: true })` makes keysets for which that is not so.
 *
 * @throws TrefoilError `not_related` if the domains have no common base, `not_granted`, `key_not_pinned`;
 *   `warrant_required` for governed keys; TypeError for other arguments. The construction is in
 *   docs/spec/renewal-v1.md.
 *
 * @example
 * ```ts
 * import { keyset, projectTokens, token } from 'trefoil';
 * import { addDomain } from 'trefoil/keys';
 *
 * const keys = addDomain(keyset.generate(), 'partner-b', { of: 'eu-enclave' });
 * const [ours, theirs] = [keys.domain('eu-enclave'), keys.domain('partner-b')];
 * const person = token({ scope: 'person', label: 'cust' });
 * const { project } = projectTokens(person, { from: ours, to: theirs });
 * project(person.bind(ours).protect(7)) === person.bind(theirs).protect(7); // → true
 * ```
 */
export function projectTokens<Scope extends string>(
  rule: Rule & { readonly rule: 'token'; readonly scope: Scope },
  options: ProjectOptions,
): TokenProjection<Scope> {
  const mover = ruleEngine(rule)?.mover;
  if (mover === undefined || rule.rule !== 'token') badType('rule', `expected a token rule, got ${typeName(rule)}`);
  const own = checkOptions<ProjectOptions>('options', options, ['from', 'to']);
  const [from, to] = [openKeys(own.from), openKeys(own.to)];
  for (const side of [from, to]) demandUngoverned(side, 'project');
  const move = {
    kind: 'project',
    from,
    to,
    revealing: false,
    arrived: 'pass',
    missing: ownLists(rule),
  } as const;
  const verbs = movingVerbs((fromKey) => mover.bind({ ...move, fromKey }), mover.showsKey);
  // What can be found without a token is found here.
  if (mover.showsKey) verbs.many([]);
  return Object.freeze({ project: verbs.one, projectMany: verbs.many }) as unknown as TokenProjection<Scope>;
}
