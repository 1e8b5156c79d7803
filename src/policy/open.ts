/**
 * `open` combines a policy with its keys and its stores. The verbs are those of a bound policy, and return promises.
 */

import type { Column } from '../core/columns.ts';
import { given } from '../core/given.ts';
import { throwIssues } from '../core/issues.ts';
import type { Issue } from '../errors.ts';
import type { DomainKeys } from '../keys/domain-keys.ts';
import type { Grant } from '../keys/place/place.ts';
import { refuseGoverned } from '../keys/place/refusals.ts';
import type { Access } from '../rule/binding.ts';
import { runReported } from '../rule/columns.ts';
import type { AsyncColumns, BoundColumns, ColumnVerb } from '../rule/rule.ts';
import { bindKeys } from './bind.ts';
import { type AsyncRun, type BoundInside, type Direction, hideInside, type Leaf } from './bound.ts';
import { protectColumns } from './columns.ts';
import { farRules } from './elsewhere/open.ts';
import { checkMany, type RowIssue, settleIssues } from './many.ts';
import { policyMissing } from './missing.ts';
import { makeAsyncTransform, makeTransform, makeValues } from './transform.ts';
import type { FieldsNode } from './tree.ts';
import type { ManyOptions, OpenFilePolicy, PolicyOptions, RevealOptions } from './types.ts';
import { withRecordKeys } from './unmarked/record-keys.ts';
import { makeReplay, type WaitingRules } from './waiting/replay.ts';
import { boundScopes, type Gated, makeGate, scopesOf, subjectField, turnsBack } from './waiting/use.ts';

type AsyncTransform = ReturnType<typeof makeAsyncTransform>;

/** The rules of a policy with their keys and stores, and how to make an inside of other columns. */
interface Opened extends WaitingRules {
  readonly insideOf: (columns: readonly BoundColumns[]) => BoundInside;
}

export async function openPolicy(
  root: FieldsNode,
  leaves: readonly Leaf[],
  sheet: PolicyOptions,
  domainKeys: DomainKeys,
  stores: unknown,
  access: Access,
  options: RevealOptions | undefined,
): Promise<OpenFilePolicy> {
  const { revealing } = access;
  const { opened: keys, recordKeys, demand, warrant } = bindKeys(leaves, sheet, domainKeys, access, options);
  const { domain } = keys;
  // If the keys are in another process, nothing is bound to them here.
  const far = keys.place?.elsewhere ?? null;
  const missing = policyMissing(leaves, sheet.missing);
  const bound = leaves.map((leaf, i) => {
    const { engine } = leaf;
    if (engine.open !== undefined || (far !== null && engine.keyed)) return undefined;
    const lists = missing.listsOf(i);
    return withRecordKeys(engine.bind(engine.keyed ? keys : null, revealing, lists), leaf, recordKeys, lists);
  });
  const subject = subjectField(leaves, sheet.subject, keys, missing.listsOf);
  const scopes = { scopes: scopesOf(leaves), bound: boundScopes(leaves, sheet.subject) };
  const facts = { verb: 'reveal' as const, domain, ...scopes, subject };
  const { columns, waiting, gate } =
    far === null
      ? await nearRules()
      : farRules(
          { leaves, sheet, missing: missing.texts, recordKeys, bound, elsewhere: far },
          warrant === null ? null : await far.present(warrant),
        );

  async function nearRules(): Promise<Pick<WaitingRules, 'columns' | 'waiting' | 'gate'>> {
    // The warrant comes before the stores: without it, nothing of them is read.
    const grant = warrant === null ? null : await keys.place!.grant(warrant, facts);
    const stored: (AsyncColumns | undefined)[] = [];
    // One after another: two rules of one store share what the first of them has read from it.
    for (const [i, { engine }] of leaves.entries()) stored.push(await engine.open?.(keys, stores, missing.listsOf(i)));
    return governed(grant, { leaves, missing: missing.texts, subject }, bound, stored);
  }
  const { unnamed = 'error' } = sheet;

  const lists = { missing: missing.texts, missingCells: missing.cells };
  const witnesses = recordKeys.witnesses.paths;
  const named = { fromKey: recordKeys.fromKey, witnesses };
  const common = { domain, keys, ...named, sheet: { ...sheet, domain }, unnamed, leaves, root, demand, ...lists };
  const insideOf = (own: readonly BoundColumns[]): BoundInside => {
    const transforms = { rows: makeTransform(root, own, unnamed), values: makeValues(root, own, unnamed) };
    return { ...common, columns: own, ...transforms };
  };
  const opened: Opened = { leaves, columns, waiting, witnesses, gate, insideOf };
  const waits = waiting.some((rule) => rule !== undefined);
  const inside: BoundInside = {
    ...beginAsync(opened).answer,
    ...given({ beginAsync: waits ? () => beginAsync(opened) : undefined }),
  };

  const transform = makeAsyncTransform(root, opened, unnamed);
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

/**
 * With a grant, every rule that turns something back waits for it. The verb that reveals at once is taken out of its
 * columns, so that no other way to run them can reveal.
 */
function governed(
  grant: Grant | null,
  gated: Omit<Gated, 'verbs'>,
  bound: readonly (BoundColumns | undefined)[],
  stored: readonly (AsyncColumns | undefined)[],
): Pick<WaitingRules, 'columns' | 'waiting' | 'gate'> {
  if (grant === null) return { columns: bound, waiting: stored, gate: null };
  const { leaves } = gated;
  const verbs = leaves.map((leaf, i): Gated['verbs'][number] => {
    const own = bound[i];
    if (!turnsBack(leaf)) return undefined;
    if (own === undefined) return stored[i]!;
    return {
      reveal: async (column, report, siblings) => runReported(own.reveal, column, report, siblings!),
      revealOf: null,
    };
  });
  const refuse: ColumnVerb = () => refuseGoverned('reveal');
  return {
    columns: bound.map((own, i) => (own === undefined || verbs[i] === undefined ? own : { ...own, reveal: refuse })),
    waiting: leaves.map((_, i) => stored[i] ?? (verbs[i] && { protect: null, reveal: verbs[i].reveal })),
    gate: makeGate(grant, { ...gated, verbs }),
  };
}

function beginAsync(opened: Opened): AsyncRun {
  const { collecting, answering, settle } = makeReplay(opened);
  return { collect: opened.insideOf(collecting), answer: opened.insideOf(answering), settle };
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
  opened: Opened,
  tables: Readonly<Record<string, Column>>,
): Promise<ReturnType<typeof protectColumns>> {
  const { leaves, columns, waiting, insideOf } = opened;
  const { collecting, answering, settle } = makeReplay(opened);
  // The rules that do not wait come first, so that the vault makes no token for a value that they refuse.
  const out = protectColumns(insideOf(columns.map((own, i) => own ?? collecting[i]!)), tables);
  await settle();
  const waited = protectColumns(insideOf(columns.map((own, i) => (own ? collecting : answering)[i]!)), tables);
  for (const [i, { path }] of leaves.entries()) {
    if (waiting[i]?.protect != null && Object.hasOwn(waited, path)) out[path] = waited[path]!;
  }
  return out;
}
