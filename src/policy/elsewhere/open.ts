/** Opening a policy whose keys are in another process: its keyed rules wait for that process, in both directions. */

import type { Issue } from '../../errors.ts';
import type { OpenedKeys } from '../../keys/domain-keys.ts';
import type { Elsewhere, FarAnswer, FarBatch } from '../../keys/place/place.ts';
import { isMissing, type MissingTexts } from '../../rule/missing.ts';
import type { AsyncVerb, BoundColumns, ColumnVerb } from '../../rule/rule.ts';
import type { Leaf } from '../bound.ts';
import type { PolicyOptions } from '../types.ts';
import { judgeOf, type RecordKeys } from '../unmarked/record-keys.ts';
import type { WaitingRules } from '../waiting/replay.ts';
import { type Asked, type Gate, turnsBack } from '../waiting/use.ts';
import { type FarColumn, type FarSetting, turnFar, unsendable } from './batches.ts';

/** A policy whose keys are elsewhere. */
export interface FarPolicy {
  readonly leaves: readonly Leaf[];
  readonly sheet: PolicyOptions;
  /** Which texts are missing in each leaf. */
  readonly missing: readonly MissingTexts[];
  readonly recordKeys: RecordKeys;
  /** The columns of rules without keys. */
  readonly bound: readonly (BoundColumns | undefined)[];
  readonly elsewhere: Elsewhere;
}

type Send = (batch: FarBatch) => Promise<FarAnswer>;

/**
 * Makes the rules of such a policy.
 *
 * @param reveal turns values back; `null` if nothing may be revealed.
 */
export function farRules(policy: FarPolicy, reveal: Send | null): Pick<WaitingRules, 'columns' | 'waiting' | 'gate'> {
  const { leaves, bound, elsewhere } = policy;
  // The waiting rules take their turn in both directions; these are never called.
  const never: ColumnVerb = () => {
    throw new Error('a rule whose keys are elsewhere was called');
  };
  const same: AsyncVerb = async (column) => [...column];
  const isFar = (leaf: Leaf): boolean => leaf.engine.keyed;
  return {
    columns: leaves.map((leaf, i) => (isFar(leaf) ? { protect: never, reveal: never } : bound[i])),
    waiting: leaves.map((leaf, i) =>
      isFar(leaf) ? { protect: protectVerb(policy, i, elsewhere.protect), reveal: same } : undefined,
    ),
    gate: reveal === null ? null : farGate(policy, reveal),
  };
}

function settingOf({ leaves, sheet, recordKeys, elsewhere }: FarPolicy, subject: string | null): FarSetting {
  return {
    leaves,
    subject,
    missing: sheet.missing ?? null,
    keyCheck: pinsOf(recordKeys.opened),
    mostRows: elsewhere.mostRows,
  };
}

/** The check values that are pinned. */
function pinsOf({ pinned, keys }: OpenedKeys): Readonly<Record<string, string>> | null {
  if (pinned === null) return null;
  return Object.fromEntries(keys.filter(({ id }) => pinned.includes(id)).map(({ id, check }) => [id, check]));
}

function protectVerb(policy: FarPolicy, index: number, send: Send): AsyncVerb {
  const setting = settingOf(policy, null);
  return async (column, report, siblings) => {
    const out = [...column];
    const rows = sendableRows(column, policy.missing[index]!, report);
    const leaf = policy.leaves[index]!;
    await turnFar([{ leaf, column, rows, siblings: siblings!, fromKey: null, out, report }], setting, send);
    return out;
  };
}

function sendableRows(
  column: readonly unknown[],
  missing: MissingTexts,
  report: (index: number, issue: Issue) => void,
): readonly number[] {
  return column.flatMap((value, i) => {
    if (isMissing(value, missing)) return [];
    const issue = unsendable(value);
    if (issue === null) return [i];
    report(i, issue);
    return [];
  });
}

/** The answers to one question. */
interface Result {
  readonly asked: Asked;
  readonly out: unknown[];
  readonly issues: Map<number, Issue>;
}

/** Everything of a batch is sent before the first rule is asked, so that it is one use if it fits one request. */
function farGate(policy: FarPolicy, send: Send): Gate {
  const { leaves, sheet } = policy;
  const subject = sheet.subject ?? null;
  const setting = settingOf(policy, subject);
  return {
    subject,
    async through(asked, work) {
      const results = asked.map((one) => ({ asked: one, out: [...one.column], issues: new Map<number, Issue>() }));
      const columns = results.flatMap((result) =>
        turnsBack(leaves[result.asked.leaf]!) ? farColumns(policy, result) : [],
      );
      let erased = await turnFar(columns, setting, send);
      let next = 0;
      return work(async (leaf, column, report, _, noteErased, at) => {
        const result = results[next++];
        if (result?.asked.leaf !== leaf) throw new Error('other columns are revealed than were asked for');
        noteErased?.(erased);
        erased = 0;
        return picked(result, column, report, at);
      });
    },
  };
}

/** The part of a result that is still wanted. */
function picked(
  { asked, out, issues }: Result,
  column: readonly unknown[],
  report: (index: number, issue: Issue) => void,
  at: readonly number[] | undefined,
): unknown[] {
  const placeOf = new Map((asked.at ?? asked.column.map((_, i) => i)).map((place, i) => [place, i]));
  return column.map((value, i) => {
    const place = placeOf.get(at === undefined ? i : at[i]!);
    if (place === undefined || asked.column[place] !== value)
      throw new Error('another value is revealed than asked for');
    const issue = issues.get(place);
    if (issue !== undefined) report(i, issue);
    return issue === undefined ? out[place] : undefined;
  });
}

/** What is sent of a question: one column for each key that its values may have. */
function farColumns({ leaves, missing, recordKeys }: FarPolicy, { asked, out, issues }: Result): readonly FarColumn[] {
  const { column, siblings } = asked;
  const leaf = leaves[asked.leaf]!;
  const report = (i: number, issue: Issue): void => void issues.set(i, issue);
  const rows = sendableRows(column, missing[asked.leaf]!, report);
  const far = (fromKey: string | null, places: readonly number[]): FarColumn => ({
    leaf,
    column,
    rows: places,
    siblings,
    fromKey,
    out,
    report,
  });
  const { under } = leaf.engine;
  if (under === undefined) return [far(null, rows)];
  const keyOf = judgeOf(recordKeys, under);
  const ids = recordKeys.witnesses.idsOf(siblings, column.length);
  const groups = new Map<string, number[]>();
  for (const i of rows) {
    const key = keyOf(ids[i]!);
    if ('code' in key) {
      report(i, key);
      continue;
    }
    const group = groups.get(key.id);
    if (group === undefined) groups.set(key.id, [i]);
    else group.push(i);
  }
  return [...groups].map(([id, places]) => far(id, places));
}
