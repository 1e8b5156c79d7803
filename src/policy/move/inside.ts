/**
 * The inside of a policy that moves records from one key to another. Streams, files, workers and DuckDB run it as they
 * run a policy that protects: it has one column for each leaf, and the verb of the column is `move`.
 */

import { badType } from '../../core/checks.ts';
import { throwIssues } from '../../core/issues.ts';
import { TrefoilError } from '../../errors.ts';
import { writingKey } from '../../keys/domain-keys.ts';
import { mapColumn } from '../../rule/columns.ts';
import type { MissingLists } from '../../rule/missing.ts';
import type { ColumnVerb, Move } from '../../rule/rule.ts';
import { unfitRules } from '../bind.ts';
import type { BoundInside, FieldsNode, Leaf, MoveDirection, Moving } from '../bound.ts';
import { policyMissing } from '../missing.ts';
import { makeTransform, makeValues } from '../transform.ts';
import type { PolicyOptions } from '../types.ts';
import type { Witnesses } from '../unmarked/witnesses.ts';

/** What a move is made from, besides its keys. */
export interface MoveParts {
  readonly root: FieldsNode;
  /** The leaves of the records that come out. */
  readonly leaves: readonly Leaf[];
  /** The leaves of the records that go in, by the same index: which texts are missing is theirs to say. */
  readonly sources: readonly Leaf[];
  readonly sheet: PolicyOptions;
  readonly moving: Moving;
  readonly witnesses: Witnesses;
  /** Makes the verb of a leaf. */
  readonly verbOf: (index: number, missing: MissingLists) => ColumnVerb;
}

/** Makes the inside. All key set-up is done here. */
export function makeMoveInside({ root, leaves, sources, sheet, moving, witnesses, verbOf }: MoveParts): BoundInside {
  throwIssues(unfitRules(sources));
  const { direction, from, to } = moving;
  const missing = policyMissing(sources, sheet.missing);
  const keyed = sources.some(({ engine }) => engine.keyed);
  const demand = (asked: string): void => {
    if (asked !== direction) {
      badType('bound', `expected a policy that is bound to ${asked}; this one was made to ${direction}`);
    }
    if (keyed) writingKey(to);
  };
  demand(direction);
  const columns = leaves.map(({ path }, i) => ({
    protect: refuse,
    reveal: refuse,
    move: naming(path, () => verbOf(i, missing.listsOf(i))),
  }));
  const { unnamed = 'error' } = sheet;
  // Rejected records are sealed for those who sent them, under a key that stays.
  const keys = direction === 'rekey' ? to : from;
  return {
    domain: keys.domain,
    keys,
    fromKey: moving.fromKey,
    witnesses: witnesses.paths,
    sheet: { ...sheet, domain: from.domain },
    unnamed,
    leaves,
    root,
    missing: missing.texts,
    missingCells: missing.cells,
    columns,
    demand,
    rows: makeTransform(root, columns, unnamed),
    values: makeValues(root, columns, unnamed),
    moving,
  };
}

/** Does the key set-up of a field. An error of it names the field. */
function naming<T>(path: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof TrefoilError)) throw error;
    throw new TrefoilError(error.issues.map((issue) => ({ field: path, ...issue })));
  }
}

const refuse: ColumnVerb = () =>
  badType('bound', 'expected a policy that is bound to its keys; this one moves records');

/**
 * What rules are told about a move. If one of the fields does not show its key, no field may hold a value that was
 * moved before: such a record would be moved a second time in the fields that do not show it.
 *
 * @param leaves whose outputs are moved.
 */
export function moveOf(
  kind: MoveDirection,
  moving: Omit<Moving, 'as' | 'direction'>,
  revealing: boolean,
  leaves: readonly Leaf[],
) {
  const arrived = leaves.every(({ engine }) => engine.mover?.showsKey ?? true) ? 'pass' : 'refuse';
  const { from, to, fromKey } = moving;
  return (missing: MissingLists): Move => ({ kind, from, to, fromKey, revealing, arrived, missing });
}

/** The verb of a rule whose outputs depend on no key. Most of them reveal a column by copying it. */
export function passing({ engine }: Leaf, missing: MissingLists): ColumnVerb {
  return engine.keyed
    ? (column, report) => mapColumn(column, (value) => value, report)
    : engine.bind(null, false, missing).reveal;
}
