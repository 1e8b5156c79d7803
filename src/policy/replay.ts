/**
 * Lets the synchronous readers and writers use rules that wait for a store. A first pass collects what these rules will
 * be asked, the store answers, and a second pass uses the answers. See `AsyncRun` in bound.ts. A replay serves one run,
 * batch by batch.
 */

import type { ReportIssue } from '../core/issues.ts';
import type { Issue } from '../errors.ts';
import type { AsyncColumns, BoundColumns, ColumnVerb, Siblings } from '../rule/rule.ts';
import type { Leaf } from './bound.ts';

/** What a waiting rule will be asked: one column. */
interface Question {
  readonly leaf: number;
  readonly direction: 'protect' | 'reveal';
  readonly column: readonly unknown[];
  readonly siblings: ReadonlyMap<string, readonly unknown[]>;
}

/** What it answered. */
interface Answer {
  readonly out: readonly unknown[];
  readonly issues: readonly (readonly [index: number, issue: Issue])[];
}

/** Columns for the two passes, and what is done between them. */
export interface Replay {
  /** Columns that note what the waiting rules will be asked; other rules do nothing. */
  readonly collecting: readonly BoundColumns[];
  /** Columns that return the answers of the waiting rules; other rules do their work. */
  readonly answering: readonly BoundColumns[];
  /** Asks the waiting rules what was noted. Returns how many values became missing because they were erased. */
  readonly settle: () => Promise<number>;
}

/**
 * @param columns of the rules that do not wait, by the index of the leaf.
 * @param waiting the rules that wait, by the index of the leaf.
 */
export function makeReplay(
  leaves: readonly Leaf[],
  columns: readonly (BoundColumns | undefined)[],
  waiting: readonly (AsyncColumns | undefined)[],
): Replay {
  let questions: Question[] = [];
  let answers: Answer[] = [];

  const note =
    (leaf: number, direction: 'protect' | 'reveal'): ColumnVerb =>
    (column, _, siblings) => {
      const needs = leaves[leaf]!.engine.needs ?? [];
      const read = new Map(needs.map((path) => [path, [...siblings!(path)]]));
      questions.push({ leaf, direction, column: [...column], siblings: read });
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
    collecting: waiting.map((waits, leaf) =>
      waits === undefined
        ? { protect: same, reveal: same }
        : { protect: note(leaf, 'protect'), reveal: note(leaf, 'reveal') },
    ),
    answering: waiting.map((waits, leaf) =>
      waits === undefined ? columns[leaf]! : { protect: answer, reveal: answer },
    ),
    async settle() {
      const asked = questions;
      questions = [];
      answers = [];
      let erased = 0;
      const noteErased = (count: number): void => {
        erased += count;
      };
      for (const { leaf, direction, column, siblings } of asked) {
        const issues: [number, Issue][] = [];
        const of: Siblings = (path) => siblings.get(path) ?? [];
        const note: ReportIssue = (index, issue) => issues.push([index, issue]);
        const out = await waiting[leaf]![direction](column, note, of, noteErased);
        answers.push({ out, issues });
      }
      return erased;
    },
  };
}
