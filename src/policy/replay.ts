/**
 * Answers that were fetched before: rules that wait for a store, as rules that do not. See `Later` of bound.ts. One of
 * these serves one run, batch by batch.
 */

import type { Issue } from '../errors.ts';
import type { AsyncColumns, BoundColumns, ColumnVerb, Siblings } from '../rule/rule.ts';
import type { Direction, Leaf } from './bound.ts';

/** What a waiting rule will be asked. */
interface Asked {
  readonly leaf: number;
  readonly direction: Direction;
  readonly column: readonly unknown[];
  readonly siblings: ReadonlyMap<string, readonly unknown[]>;
}

/** What it answered. */
interface Answer {
  readonly out: readonly unknown[];
  readonly issues: readonly (readonly [index: number, issue: Issue])[];
}

/** Columns for the two passes, and what comes between them. */
export interface Replay {
  readonly collecting: readonly BoundColumns[];
  readonly answering: readonly BoundColumns[];
  readonly settle: () => Promise<void>;
}

/**
 * @param columns of the rules that do not wait, by the index of the leaf.
 * @param later of those that do.
 */
export function makeReplay(
  leaves: readonly Leaf[],
  columns: readonly (BoundColumns | undefined)[],
  later: readonly (AsyncColumns | undefined)[],
): Replay {
  let asked: Asked[] = [];
  let answers: Answer[] = [];

  const note =
    (leaf: number, direction: Direction): ColumnVerb =>
    (column, _, siblings) => {
      const needs = leaves[leaf]!.engine.needs ?? [];
      const held = new Map(needs.map((path) => [path, [...siblings!(path)]]));
      asked.push({ leaf, direction, column: [...column], siblings: held });
      return [...column];
    };
  const answer: ColumnVerb = (column, report) => {
    const next = answers.shift();
    if (next === undefined || next.out.length !== column.length) throw new Error('the two passes differ');
    for (const [index, issue] of next.issues) report(index, issue);
    return [...next.out];
  };
  const same: ColumnVerb = (column) => [...column];

  return {
    collecting: later.map((waits, leaf) =>
      waits === undefined
        ? { protect: same, reveal: same }
        : { protect: note(leaf, 'protect'), reveal: note(leaf, 'reveal') },
    ),
    answering: later.map((waits, leaf) => (waits === undefined ? columns[leaf]! : { protect: answer, reveal: answer })),
    async settle() {
      const all = asked;
      asked = [];
      answers = [];
      for (const { leaf, direction, column, siblings } of all) {
        const issues: [number, Issue][] = [];
        const of: Siblings = (path) => siblings.get(path) ?? [];
        const out = await later[leaf]![direction](column, (index, issue) => issues.push([index, issue]), of);
        answers.push({ out, issues });
      }
    },
  };
}
