/**
 * `open`: a policy with its keys and its stores. The verbs are those of a bound policy and wait.
 */

import type { Column } from '../core/columns.ts';
import { type Issue, TrefoilError } from '../errors.ts';
import type { DomainKeys } from '../keys/domain-keys.ts';
import type { AsyncColumns, BoundColumns } from '../rule/rule.ts';
import { type BoundInside, type Direction, hideInside, type Later, type Leaf } from './bound.ts';
import { protectColumns } from './columns.ts';
import { joinKeys } from './join.ts';
import { checkMany, settleIssues } from './many.ts';
import { makeReplay } from './replay.ts';
import { makeLaterTransform, makeTransform } from './transform.ts';
import type { FieldsNode } from './tree.ts';
import type { ManyOptions, OpenFilePolicy, PolicyOptions } from './types.ts';

export async function openPolicy(
  root: FieldsNode,
  leaves: readonly Leaf[],
  sheet: PolicyOptions,
  given: DomainKeys,
  stores: unknown,
  revealing: boolean,
): Promise<OpenFilePolicy> {
  const { opened, demand } = joinKeys(leaves, sheet, given, revealing);
  const columns = leaves.map(({ engine }) =>
    engine.open === undefined ? engine.bind(engine.keyed ? opened : null, revealing) : undefined,
  );
  const later: (AsyncColumns | undefined)[] = [];
  // One after the other: two rules of one store share what the first has read of it.
  for (const { engine } of leaves) later.push(await engine.open?.(opened, stores));
  const { unnamed = 'error' } = sheet;
  const turn = makeLaterTransform(root, columns, later, unnamed);

  const common = { domain: opened.domain, keys: opened, sheet: { ...sheet, domain: opened.domain }, unnamed, leaves };
  const insideOf = (bound: readonly BoundColumns[]): BoundInside => {
    return { ...common, columns: bound, demand, rows: makeTransform(root, bound, unnamed) };
  };
  function beginLater(): Later {
    const { collecting, answering, settle } = makeReplay(leaves, columns, later);
    return { collect: insideOf(collecting), answer: insideOf(answering), settle };
  }
  const waits = later.some((one) => one !== undefined);
  const inside: BoundInside = { ...beginLater().answer, ...(waits ? { later: beginLater } : {}) };

  const one = (direction: Direction) => async (row: unknown) => {
    demand(direction);
    const issues: Issue[] = [];
    const [out] = await turn(direction, [row], (_, issue) => issues.push(issue));
    if (issues.length > 0) throw new TrefoilError(issues);
    return out;
  };
  const many =
    (direction: Direction) =>
    async (rows: readonly unknown[], options: ManyOptions = {}) => {
      const onReject = checkMany(rows, options);
      demand(direction);
      const issues: (Issue & { readonly row: number })[] = [];
      const out = await turn(direction, rows, (index, issue) => {
        issues.push({ ...issue, row: index + 1 });
      });
      settleIssues(issues, onReject);
      return out.filter((row) => row !== undefined);
    };
  async function byColumns(tables: Readonly<Record<string, Column>>) {
    const { collecting, answering, settle } = makeReplay(leaves, columns, later);
    // First the rules that do not wait: what they refuse makes no token.
    const out = protectColumns(insideOf(columns.map((own, i) => own ?? collecting[i]!)), tables);
    await settle();
    const waited = protectColumns(insideOf(columns.map((own, i) => (own ? collecting : answering)[i]!)), tables);
    for (const [i, { path }] of leaves.entries()) {
      if (later[i] !== undefined && Object.hasOwn(waited, path)) out[path] = waited[path]!;
    }
    return out;
  }
  if (revealing) demand('reveal');
  const verbs = {
    protect: one('protect'),
    protectMany: many('protect'),
    protectColumns: byColumns,
    ...(revealing && { reveal: one('reveal'), revealMany: many('reveal') }),
  };
  return Object.freeze(hideInside(verbs, inside)) as unknown as OpenFilePolicy;
}
