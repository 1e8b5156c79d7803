/**
 * Lets the synchronous readers and writers use rules that wait: for a store, or for the place of governed keys. A first
 * pass collects what these rules will be asked, they answer, and a second pass uses the answers. See `AsyncRun` in
 * bound.ts. A replay serves one run, batch by batch.
 */

import type { ReportIssue } from '../../core/issues.ts';
import type { Issue } from '../../errors.ts';
import type { AsyncVerb, BoundColumns, ColumnVerb, Siblings } from '../../rule/rule.ts';
import type { Leaf } from '../bound.ts';
import type { Gate } from './use.ts';

/** The verbs of a rule that waits; `null` for a direction in which it does not. */
export interface Waiting {
  readonly protect: AsyncVerb | null;
  readonly reveal: AsyncVerb;
}

/** The rules of a policy with their keys and stores. */
export interface WaitingRules {
  readonly leaves: readonly Leaf[];
  /** By the index of a leaf; `undefined` for rules that wait in both directions. */
  readonly columns: readonly (BoundColumns | undefined)[];
  /** By the index of a leaf; `undefined` for rules that do not wait. */
  readonly waiting: readonly (Waiting | undefined)[];
  /** Paths of the fields that show the key of a record: a rule whose outputs do not show theirs is asked with them. */
  readonly witnesses: readonly string[];
  /** What a batch goes through before it is revealed; `null` if the keys are not governed. */
  readonly gate: Gate | null;
}

type Way = 'protect' | 'reveal';

/** What a waiting rule will be asked: one column. */
interface Question {
  readonly leaf: number;
  readonly direction: Way;
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

export function makeReplay({ leaves, columns, waiting, witnesses, gate }: WaitingRules): Replay {
  let questions: Question[] = [];
  let answers: Answer[] = [];

  /** The other fields that the answer may depend on, or that a use is noted with. */
  const readsOf = ({ engine }: Leaf, direction: Way): readonly string[] => [
    ...new Set([
      ...(engine.needs ?? []),
      ...(direction === 'reveal' && engine.under !== undefined ? witnesses : []),
      ...(direction === 'reveal' && gate?.subject != null ? [gate.subject] : []),
    ]),
  ];
  const note =
    (leaf: number, direction: Way): ColumnVerb =>
    (column, _, siblings) => {
      const read = new Map(readsOf(leaves[leaf]!, direction).map((path) => [path, [...siblings!(path)]]));
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

  const ask = async (
    { leaf, column, siblings }: Question,
    verb: (column: readonly unknown[], report: ReportIssue, siblings: Siblings) => Promise<unknown[]>,
  ): Promise<void> => {
    const issues: [number, Issue][] = [];
    const report: ReportIssue = (index, issue) => issues.push([index, issue]);
    const out = await verb(column, report, siblingsOf(siblings, leaves[leaf]!));
    answers.push({ out, issues });
  };

  return {
    collecting: leaves.map((_, leaf) => ({
      protect: waiting[leaf]?.protect == null ? same : note(leaf, 'protect'),
      reveal: waiting[leaf] === undefined ? same : note(leaf, 'reveal'),
    })),
    answering: leaves.map((_, leaf) => ({
      ...(columns[leaf] ?? { protect: answer, reveal: answer }),
      ...(waiting[leaf]?.protect != null && { protect: answer }),
      ...(waiting[leaf] !== undefined && { reveal: answer }),
    })),
    async settle() {
      const asked = questions;
      questions = [];
      answers = [];
      let erased = 0;
      const noteErased = (count: number): void => {
        erased += count;
      };
      const toReveal = gate === null ? [] : asked.filter(({ direction }) => direction === 'reveal');
      const others = asked.filter((question) => !toReveal.includes(question));
      // A batch goes in one direction, so the answers keep the order of the questions.
      for (const question of others) {
        const verb = waiting[question.leaf]![question.direction]!;
        await ask(question, (column, report, siblings) => verb(column, report, siblings, noteErased));
      }
      if (toReveal.length > 0) {
        const opening = toReveal.map(({ leaf, column, siblings }) => ({
          leaf,
          column,
          siblings: siblingsOf(siblings, leaves[leaf]!),
        }));
        await gate!.through(opening, async (reveal) => {
          for (const question of toReveal) {
            await ask(question, (column, report, siblings) =>
              reveal(question.leaf, column, report, siblings, noteErased),
            );
          }
        });
      }
      return erased;
    },
  };
}

/** The other fields that were noted with a column. Without one that a rule asks for, it might take another key. */
function siblingsOf(noted: ReadonlyMap<string, readonly unknown[]>, { path: own }: Leaf): Siblings {
  return (path) => {
    const column = noted.get(path);
    if (column === undefined) throw new Error(`the field ${own} asks for a field that was not noted`);
    return column;
  };
}
