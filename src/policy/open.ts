/**
 * `open` combines a policy with its keys and its stores. The verbs are those of a bound policy, and return promises.
 */

import type { Column } from '../core/columns.ts';
import { given } from '../core/given.ts';
import { throwIssues } from '../core/issues.ts';
import type { Issue } from '../errors.ts';
import type { DomainKeys } from '../keys/domain-keys.ts';
import type { AsyncColumns, BoundColumns } from '../rule/rule.ts';
import { bindKeys } from './bind.ts';
import { type AsyncRun, type BoundInside, type Direction, hideInside, type Leaf } from './bound.ts';
import { protectColumns } from './columns.ts';
import { checkMany, type RowIssue, settleIssues } from './many.ts';
import { policyMissing } from './missing.ts';
import { makeReplay } from './replay.ts';
import { makeAsyncTransform, makeTransform, makeValues } from './transform.ts';
import type { FieldsNode } from './tree.ts';
import type { ManyOptions, OpenFilePolicy, PolicyOptions, RevealOptions } from './types.ts';
import { withRecordKeys } from './unmarked/record-keys.ts';

type AsyncTransform = ReturnType<typeof makeAsyncTransform>;

/** The rules of a policy with their keys and stores, and how to make an inside of other columns. */
interface Opened {
  readonly leaves: readonly Leaf[];
  /** By the index of a leaf; `undefined` for rules that wait for a store. */
  readonly columns: readonly (BoundColumns | undefined)[];
  /** By the index of a leaf; `undefined` for rules that do not wait. */
  readonly waiting: readonly (AsyncColumns | undefined)[];
  readonly insideOf: (columns: readonly BoundColumns[]) => BoundInside;
}

export async function openPolicy(
  root: FieldsNode,
  leaves: readonly Leaf[],
  sheet: PolicyOptions,
  domainKeys: DomainKeys,
  stores: unknown,
  revealing: boolean,
  options: RevealOptions | undefined,
): Promise<OpenFilePolicy> {
  const { opened: keys, recordKeys, demand } = bindKeys(leaves, sheet, domainKeys, revealing, options);
  const { domain } = keys;
  const missing = policyMissing(leaves, sheet.missing);
  const columns = leaves.map((leaf, i) => {
    const { engine } = leaf;
    if (engine.open !== undefined) return undefined;
    const lists = missing.listsOf(i);
    return withRecordKeys(engine.bind(engine.keyed ? keys : null, revealing, lists), leaf, recordKeys, lists);
  });
  const waiting: (AsyncColumns | undefined)[] = [];
  // One after another: two rules of one store share what the first of them has read from it.
  for (const [i, { engine }] of leaves.entries()) waiting.push(await engine.open?.(keys, stores, missing.listsOf(i)));
  const { unnamed = 'error' } = sheet;

  const lists = { missing: missing.texts, missingCells: missing.cells };
  const named = { fromKey: recordKeys.fromKey, witnesses: recordKeys.witnesses.paths };
  const common = { domain, keys, ...named, sheet: { ...sheet, domain }, unnamed, leaves, root, demand, ...lists };
  const insideOf = (bound: readonly BoundColumns[]): BoundInside => {
    const transforms = { rows: makeTransform(root, bound, unnamed), values: makeValues(root, bound, unnamed) };
    return { ...common, columns: bound, ...transforms };
  };
  const opened: Opened = { leaves, columns, waiting, insideOf };
  const waits = waiting.some((rule) => rule !== undefined);
  const inside: BoundInside = {
    ...beginAsync(opened).answer,
    ...given({ beginAsync: waits ? () => beginAsync(opened) : undefined }),
  };

  const transform = makeAsyncTransform(root, columns, waiting, unnamed);
  if (revealing) demand('reveal');
  const verbs = {
    protect: oneVerb(inside, transform, 'protect'),
    protectMany: manyVerb(inside, transform, 'protect'),
    protectColumns: (tables: Readonly<Record<string, Column>>) => protectWaiting(opened, tables),
    ...(revealing && {
      reveal: oneVerb(inside, transform, 'reveal'),
      revealMany: manyVerb(inside, transform, 'reveal'),
    }),
  };
  return Object.freeze(hideInside(verbs, inside)) as unknown as OpenFilePolicy;
}

function beginAsync({ leaves, columns, waiting, insideOf }: Opened): AsyncRun {
  const { collecting, answering, settle } = makeReplay(leaves, columns, waiting);
  return { collect: insideOf(collecting), answer: insideOf(answering), settle };
}

function oneVerb({ demand }: BoundInside, transform: AsyncTransform, direction: Direction) {
  return async (row: unknown): Promise<unknown> => {
    demand(direction);
    const issues: Issue[] = [];
    const [out] = await transform(direction, [row], (_, issue) => issues.push(issue));
    throwIssues(issues);
    return out;
  };
}

function manyVerb({ demand }: BoundInside, transform: AsyncTransform, direction: Direction) {
  return async (rows: readonly unknown[], options: ManyOptions = {}): Promise<unknown[]> => {
    const onReject = checkMany(rows, options);
    demand(direction);
    const issues: RowIssue[] = [];
    const out = await transform(direction, rows, (index, issue) => issues.push({ ...issue, row: index + 1 }));
    settleIssues(issues, onReject);
    return out.filter((row) => row !== undefined);
  };
}

async function protectWaiting(
  { leaves, columns, waiting, insideOf }: Opened,
  tables: Readonly<Record<string, Column>>,
): Promise<ReturnType<typeof protectColumns>> {
  const { collecting, answering, settle } = makeReplay(leaves, columns, waiting);
  // The rules that do not wait come first, so that the vault makes no token for a value that they refuse.
  const out = protectColumns(insideOf(columns.map((own, i) => own ?? collecting[i]!)), tables);
  await settle();
  const waited = protectColumns(insideOf(columns.map((own, i) => (own ? collecting : answering)[i]!)), tables);
  for (const [i, { path }] of leaves.entries()) {
    if (waiting[i] !== undefined && Object.hasOwn(waited, path)) out[path] = waited[path]!;
  }
  return out;
}
