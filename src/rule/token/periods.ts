/**
 * `per` a period: a value has one token for each day, week, month, quarter or year of a date of its record
 * (docs/spec/token-v1.md, "Periods"). The period has a key of its own below that of the rule, so one day can be handed
 * out alone.
 */

import { dateText } from '../../core/civil-date.ts';
import { issueOf, type ReportIssue } from '../../core/issues.ts';
import { fail, type Issue } from '../../errors.ts';
import type { Step } from '../../keys/derive.ts';
import { type PeriodUnit, periodOf } from '../../prepare/civil-period.ts';
import { isMissing, type MissingTexts } from '../missing.ts';
import type { ColumnVerb } from '../rule.ts';

/** The field whose date says in which period a value is. */
export interface Period {
  readonly unit: PeriodUnit;
  /** Path of the field. */
  readonly path: string;
  /** The name that enters the key. */
  readonly name: string;
}

/** The step from the key of a rule to the key of a period. */
export function periodStep(text: string): readonly Step[] {
  return [['period', text]];
}

/** The text of the period of a record. The issue is reported for the value, so its message names the field. */
export function periodText({ unit, path }: Period, value: unknown, missing: MissingTexts): string {
  if (value === '' || isMissing(value, missing)) {
    fail('missing_context', `the date, field ${path}, is missing or empty, so the token cannot be made`);
  }
  if (typeof value !== 'string' && !(value instanceof Date)) {
    fail('missing_context', `the date, field ${path}: expected text or a Date`);
  }
  try {
    return periodOf(unit, typeof value === 'string' ? value : dateText(value));
  } catch (error) {
    fail('missing_context', `the date, field ${path}: ${issueOf(error).message}`);
  }
}

/**
 * Makes the verb of a rule with a period out of the verbs of its periods. The values of one period go through the verb
 * of that period together.
 *
 * @param isAbsent whether a value passes as it is, so that its record needs no date.
 */
export function byPeriod(
  period: Period,
  missing: MissingTexts,
  isAbsent: (value: unknown) => boolean,
  verbOf: (text: string) => ColumnVerb,
): ColumnVerb {
  return (column, report, siblings) => {
    const dates = siblings!(period.path);
    const out: unknown[] = [...column];
    const groups = new Map<string, number[]>();
    for (let i = 0; i < column.length; i++) {
      if (isAbsent(column[i])) continue;
      const text = tryText(period, dates[i], missing, report, i);
      if (text === undefined) {
        out[i] = undefined;
        continue;
      }
      const rows = groups.get(text);
      if (rows === undefined) groups.set(text, [i]);
      else rows.push(i);
    }
    for (const [text, rows] of groups) {
      const verb = tryVerb(verbOf, text, (issue) => {
        for (const i of rows) {
          out[i] = undefined;
          report(i, issue);
        }
      });
      if (verb === null) continue;
      const values = rows.map((i) => column[i]);
      const made = verb(values, (index, issue) => report(rows[index]!, issue));
      for (const [k, i] of rows.entries()) out[i] = made[k];
    }
    return out;
  };
}

/** The verb of a period, or `null` if the keys do not have the period. Any other error of the keys is thrown. */
function tryVerb(
  verbOf: (text: string) => ColumnVerb,
  text: string,
  refuse: (issue: Issue) => void,
): ColumnVerb | null {
  try {
    return verbOf(text);
  } catch (error) {
    refuse(issueOf(error));
    return null;
  }
}

function tryText(
  period: Period,
  value: unknown,
  missing: MissingTexts,
  report: ReportIssue,
  index: number,
): string | undefined {
  try {
    return periodText(period, value, missing);
  } catch (error) {
    report(index, issueOf(error));
    return undefined;
  }
}
