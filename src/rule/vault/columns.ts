/** Columns of values and of tokens through the verbs of a mapping. Missing values pass and never reach the store. */

import { checkText } from '../../core/checks.ts';
import { inputText } from '../../core/input-text.ts';
import { issueOf, type ReportIssue } from '../../core/issues.ts';
import type { Claimed } from '../../vault/mapping/claimed.ts';
import type { Named } from '../../vault/mapping/values.ts';
import { EMPTY_TEXT, isMissing, type MissingTexts } from '../missing.ts';
import { checkSubjectText } from '../options.ts';

/** The missing texts of the values and tokens of a rule, and those of its subjects. */
export interface VaultMissing {
  readonly own: MissingTexts;
  readonly subject: MissingTexts;
}

/** A verb of a mapping: it takes a list, and returns a list of the same length. */
type ListVerb<Item, Result> = (items: readonly Item[], report: ReportIssue) => Promise<(Result | undefined)[]>;

/** What follows from a missing subject. */
const NO_SUBJECT = 'the vault cannot protect or look up the value';

/** What a rule does with a value, or a token, whose mapping was erased. */
export type OnErased = 'error' | 'new' | 'missing';

/**
 * With `onErased: missing`, wraps a verb so that the result for what was erased is `null` and not an issue.
 *
 * @param note takes the number of items that were erased.
 */
export function sparing<Item, Result>(
  verb: ListVerb<Item, Result>,
  onErased: OnErased,
  note: (count: number) => void = () => {},
): ListVerb<Item, Result | null> {
  if (onErased !== 'missing') return verb;
  return async (items, report) => {
    const erased = new Set<number>();
    const out: (Result | null | undefined)[] = await verb(items, (k, issue) => {
      if (issue.code === 'erased' || issue.code === 'forgotten') erased.add(k);
      else report(k, issue);
    });
    for (const k of erased) out[k] = null;
    note(erased.size);
    return out;
  };
}

/**
 * Runs a verb over values.
 *
 * @param subjects the subject of each value; `null` if the rule has no subject.
 */
export function overValues<Result>(
  verb: ListVerb<Named, Result>,
  column: readonly unknown[],
  subjects: readonly unknown[] | null,
  missing: VaultMissing,
  report: ReportIssue,
): Promise<unknown[]> {
  const read = (value: unknown, i: number): Named => ({
    value: checkText(value),
    subject: subjects === null ? null : subjectText(subjects[i], NO_SUBJECT, missing.subject),
  });
  return overPresent(verb, column, read, missing.own, report);
}

/** Runs a verb over tokens. A token needs no subject: its row names the one that it belongs to. */
export function overTokens<Result>(
  verb: ListVerb<string, Result>,
  column: readonly unknown[],
  missing: VaultMissing,
  report: ReportIssue,
): Promise<unknown[]> {
  return overPresent(verb, column, checkText, missing.own, report);
}

/** Runs a verb over tokens, each with the text of the person that it is expected to belong to. */
export function overTokensOf<Result>(
  verb: ListVerb<Claimed, Result>,
  column: readonly unknown[],
  expected: readonly (string | null)[],
  missing: VaultMissing,
  report: ReportIssue,
): Promise<unknown[]> {
  const read = (value: unknown, i: number): Claimed => ({ token: checkText(value), subject: expected[i] ?? null });
  return overPresent(verb, column, read, missing.own, report);
}

async function overPresent<Item, Result>(
  verb: ListVerb<Item, Result>,
  column: readonly unknown[],
  read: (value: unknown, i: number) => Item,
  missing: MissingTexts,
  report: ReportIssue,
): Promise<unknown[]> {
  const out = new Array<unknown>(column.length);
  const items: Item[] = [];
  const rows: number[] = [];
  for (let i = 0; i < column.length; i++) {
    const value = column[i];
    if (isMissing(value, missing)) {
      out[i] = value;
      continue;
    }
    try {
      items.push(read(value, i));
      rows.push(i);
    } catch (error) {
      report(i, issueOf(error));
    }
  }
  const done = items.length === 0 ? [] : await verb(items, (k, issue) => report(rows[k]!, issue));
  for (let k = 0; k < rows.length; k++) out[rows[k]!] = done[k];
  return out;
}

/**
 * The text of a subject. Whole numbers count as their decimal text.
 *
 * @param consequence what cannot be done without a subject.
 * @param missing which texts are no subject; the empty text never is one.
 * @throws TrefoilError `missing_subject`.
 */
export function subjectText(value: unknown, consequence: string, missing: MissingTexts = EMPTY_TEXT): string {
  return checkSubjectText(isMissing(value, missing) ? '' : inputText(value), consequence);
}
