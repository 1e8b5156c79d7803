/**
 * `shiftDate`: all dates of a subject move by one keyed number of whole days (docs/spec/shift-v1.md).
 *
 * The offset is made from the first 128 bits of HMAC-SHA-256(key, prepared subject as UTF-8), and is one of -days … -1,
 * 1 … days. The subject is another field of the record. So intervals within a subject stay true, and no others.
 */

import { encodeList } from '../core/bytes.ts';
import { badRange, badType, checkInteger, checkOptions, checkText, typeName } from '../core/checks.ts';
import { DATE_LENGTH, dateText, dayNumber, isWritable, readCivilDate, writeCivilDate } from '../core/civil-date.ts';
import {
  type ColumnOf,
  columnLength,
  isUtf8Column,
  type NumberColumn,
  type Utf8Column,
  utf8Texts,
} from '../core/columns.ts';
import { given } from '../core/given.ts';
import { inputText } from '../core/input-text.ts';
import { issueOf } from '../core/issues.ts';
import { fail, type Issue } from '../errors.ts';
import { hmacSha256 } from '../kernel/prf/hmac.ts';
import { ruleSteps } from '../keys/derive.ts';
import { type DomainKeys, mayProtect, type OpenedKeys, protectingKey, writingKey } from '../keys/domain-keys.ts';
import { isOneLineage } from '../keys/lineage.ts';
import { checkReading, type OpenedReading, type ReadDate, type Reading } from '../prepare/reading.ts';
import { applySteps, type Prepare, prepareSteps, stepNames } from '../prepare/steps.ts';
import { openFor } from './binding.ts';
import { revealNothing, runColumn, runValue } from './columns.ts';
import { isMissing, type MissingLists, type MissingTexts, ownLists } from './missing.ts';
import { checkRule, checkScope, checkSubject, checkSubjectText } from './options.ts';
import {
  type ColumnVerb,
  type Common,
  type MayBeAbsent,
  type Move,
  makeRule,
  type ReadBy,
  type Rule,
  type RuleEngine,
  type RuleFacts,
} from './rule.ts';

/** The most days that a date may move: ten years. */
const MAX_DAYS = 3650;

/** Options of {@link shiftDate}. */
export interface ShiftDateOptions<Scope extends string = string> extends Common {
  /** A subject has one offset in all fields of a scope: `visit`. Enters the key. */
  readonly scope: Scope;
  /** Path of the field that identifies the subject of the date, as in the policy file, without arrays: `patient.id`. */
  readonly subject: string;
  /** The most days that a date moves, back or forth: 1 to 3650. Enters the key. */
  readonly days: number;
  /**
   * Named normalisation of the subject: one step, or a list of up to eight in order. Subjects that are equal after it
   * are one subject. Enters the key.
   */
  readonly prepareSubject?: Prepare | readonly Prepare[];
  /**
   * The form in which the dates are written, such as `readDate('DD.MM.YYYY')` or `readEpoch('seconds')`. They are
   * written in the same form again. It enters no key.
   */
  readonly read?: Reading;
}

/** What `shiftDate` can move: numbers only with a reading such as `readEpoch('seconds')`, a `Date` only without one. */
export type DateInput = string | number | bigint | Date;

/** What `shiftDate` makes of a value: numbers stay numbers, and a `Date` becomes text. */
export type Shifted<V> = unknown extends V
  ? string | number | bigint | null | undefined
  : V extends number
    ? number
    : V extends bigint
      ? bigint
      : V extends null | undefined
        ? V
        : string;

/** What can identify a subject. A number must be a safe integer; it counts as its decimal text. */
export type SubjectInput = string | number | bigint;

/** A `shiftDate` rule. */
export interface ShiftDateRule<Scope extends string = string> extends Rule {
  readonly rule: 'shiftDate';
  readonly scope: Scope;
  readonly subject: string;
  readonly days: number;
  readonly prepareSubject?: string | readonly string[];
  readonly read?: string;
  /** Does the key set-up, once. Not enumerable. */
  readonly bind: (keys: DomainKeys) => BoundShiftDate;
}

/** A `shiftDate` rule with its keys. It has no `reveal`, because dates are not moved back. */
export interface BoundShiftDate {
  /** Moves one date of a subject. A date that is `null`, `undefined` or empty passes, whatever the subject is. */
  readonly protect: <V extends DateInput | null | undefined>(
    value: V,
    options: { readonly subject: SubjectInput | null | undefined },
  ) => Shifted<V>;
  /**
   * Moves a column of dates; `subjects` has the subject of each. Throws one error, with the first 100 issues and their
   * rows from 1.
   */
  readonly protectMany: <C extends readonly (DateInput | null | undefined)[] | NumberColumn | Utf8Column>(
    column: C,
    options: { readonly subjects: readonly (SubjectInput | null | undefined)[] | NumberColumn | Utf8Column },
  ) => C extends readonly (infer V)[] ? Shifted<V>[] : C extends NumberColumn ? number[] : ColumnOf<C, string>;
}

const OPTIONS = ['scope', 'subject', 'days', 'prepareSubject', 'read'] as const;

/**
 * Moves all dates of a subject by the same number of days. The key derives that number from the subject: it is between
 * 1 and `days`, back or forth, and never 0. So intervals between dates of one subject stay true, in all fields of a
 * scope.
 *
 * A date is `YYYY-MM-DD` in the years 0001 to 9999, alone or followed by a time. The time, its offset and a `Z` are not
 * changed, and no time zone is assumed. A `Date` counts as its text in UTC, and text is the result. With `read`, dates
 * are in another form and come out in that form; a number comes out as a number. If the subject is missing or empty,
 * that is the issue `missing_subject`.
 *
 * *Warning*: anyone who knows one true date of a subject can work out all dates of that subject. So can anyone who may
 * protect a date of their own under that subject. If `days` is small, the year mostly stays the same.
 *
 * @throws TypeError, RangeError for options that do not fit. The construction is in docs/spec/shift-v1.md.
 *
 * @example
 * ```ts
 * import { keyset, shiftDate } from 'trefoil';
 *
 * const visit = shiftDate({ scope: 'visit', subject: 'patient', days: 180 });
 * const bound = visit.bind(keyset.generate().domain('eu-enclave'));
 * const days = (date: string) => Date.parse(bound.protect(date, { subject: 7 })) / 86_400_000;
 * days('2024-03-01') - days('2024-02-28'); // → 2
 * bound.protect('2024-02-28T08:15:00+01:00', { subject: 7 }).slice(10); // → 'T08:15:00+01:00'
 * ```
 */
export function shiftDate<
  const Scope extends string,
  const Optional extends boolean = false,
  const Read extends Reading | undefined = undefined,
>(
  options: ShiftDateOptions<Scope> & { readonly optional?: Optional; readonly read?: Read },
): MayBeAbsent<ShiftDateRule<Scope> & ReadBy<Read>, Optional> {
  const { own, common } = checkRule('shiftDate', options, OPTIONS);
  const scope = checkScope(own);
  const subject = checkSubject(own.subject);
  const days = checkInteger('days', own.days, 1, MAX_DAYS);
  const steps = own.prepareSubject === undefined ? [] : prepareSteps('prepareSubject', own.prepareSubject);
  const reading = checkReading(own.read, ['date']);
  const settings: Settings = { scope, subject, days, steps, reading, names: steps.map(({ step }) => step) };
  const data = {
    rule: 'shiftDate' as const,
    scope,
    subject,
    days,
    ...given({ prepareSubject: stepNames(own.prepareSubject, steps), read: reading?.name }),
    ...common,
  };
  const engine: RuleEngine = {
    facts: factsOf(settings),
    keyed: true,
    cell: 'text',
    removes: false,
    needs: Object.freeze([subject]),
    unfit: null,
    needsKeys: (verbs) => ({
      paths: verbs.includes('protect') ? [ruleSteps('shiftDate', scope, parametersOf(settings))] : [],
      isWall: true,
    }),
    bind(opened, _, missing) {
      const protect = mayProtect(opened!) ? shiftColumns(settings, opened!, missing) : () => [protectingKey(opened!)];
      return { protect, reveal: revealNothing };
    },
    mover: { reveals: false, showsKey: true, bind: stayColumns },
    stays: 'shifted dates of one person are the same in every copy, so the recipients could join their tables by them',
  };
  const bind = (keys: DomainKeys) =>
    boundShiftDate(shiftColumns(settings, openFor(keys, undefined).opened, ownLists(common)));
  return makeRule(data, engine, { bind }) as unknown as MayBeAbsent<ShiftDateRule<Scope> & ReadBy<Read>, Optional>;
}

/** The checked options of a rule. */
interface Settings {
  readonly scope: string;
  readonly subject: string;
  readonly days: number;
  readonly steps: readonly Prepare[];
  readonly names: readonly string[];
  readonly reading: OpenedReading | null;
}

function factsOf({ scope, subject, days, names, reading }: Settings): RuleFacts {
  return {
    what: [
      `moved by 1 to ${days} days, back or forth, by one keyed number of days for each `,
      { quoted: subject },
      names.length === 0 ? '' : ` after ${names.join(', ')}`,
      reading === null ? '' : `; read and written as ${reading.name}`,
    ],
    origin: 'derived from the value with a key',
    back: 'never',
    joins: `shiftDate ${scope} ${days} ${names.join(' ')}`,
    scope,
    visible:
      `intervals between dates of one subject, the date to within ${days} days, and a time and offset after it as ` +
      'they are; one known date of a subject reveals all of that subject',
  };
}

/** The names below the node of a scope that enter the key. */
function parametersOf({ days, names }: Settings): readonly (string | Uint8Array)[] {
  return [String(days), encodeList(names)];
}

/**
 * Dates are shifted with the base of a lineage, so they stay as they are when the epoch changes. With keys of another
 * lineage, equal dates of a subject would be shifted differently from then on.
 */
function stayColumns({ from, to, fromKey }: Move): ColumnVerb {
  const { lineage } = writingKey(to);
  const sources = from.keys.filter(({ id }) => fromKey === null || id === fromKey);
  if (!sources.every((key) => isOneLineage(key.lineage, lineage))) {
    fail(
      'not_renewable',
      'some of the keys belong to another lineage than the primary key, under which dates are shifted by other days; ' +
        'shift the dates of that lineage anew from the originals, or name the key that made the values (fromKey)',
    );
  }
  return revealNothing;
}

/** Key set-up, and the verb that it makes. The verb reads the subjects from `siblings`. */
function shiftColumns(settings: Settings, opened: OpenedKeys, { own: missing, of }: MissingLists): ColumnVerb {
  const { scope, subject, days, steps, reading } = settings;
  const read = reading?.readDate ?? readIso;
  const noSubject = of(subject);
  const prf = hmacSha256(opened.primary.derive('shiftDate', scope, parametersOf(settings)));

  return (column, report, siblings) => {
    protectingKey(opened);
    const subjects = siblings!(subject);
    const out = new Array<unknown>(column.length);
    // Records of one subject often follow each other, so the last offset is kept. 0 is no offset.
    let known: unknown;
    let offset = 0;
    for (let i = 0; i < column.length; i++) {
      const value = column[i];
      if (isMissing(value, missing)) {
        out[i] = value;
        continue;
      }
      try {
        const current = subjects[i];
        if (offset === 0 || current !== known) {
          offset = 0;
          prf.text(subjectText(current, steps, noSubject));
          offset = offsetOf(prf.tag, days);
          known = current;
        }
        out[i] = shift(read(value), offset);
      } catch (error) {
        report(i, issueOf(error));
      }
    }
    return out;
  };
}

function boundShiftDate(verb: ColumnVerb): BoundShiftDate {
  return Object.freeze({
    protect(value: unknown, options: unknown) {
      const { subject } = checkOptions('options', options, ['subject']);
      return runValue((column, report) => verb(column, report, () => [subject]), value);
    },
    protectMany(column: unknown, options: unknown) {
      const subjects = readSubjects(checkOptions('options', options, ['subjects']).subjects);
      if (subjects.length !== (columnLength(column) ?? subjects.length)) {
        badRange('subjects', 'expected as many subjects as there are dates');
      }
      return runColumn((dates, report) => verb(dates, report, () => subjects), column);
    },
  }) as BoundShiftDate;
}

/** The prepared text of a subject. The issue is reported for the date, so its message names the subject. */
function subjectText(value: unknown, steps: readonly Prepare[], missing: MissingTexts): string {
  let text: string;
  try {
    text = applySteps(steps, isMissing(value, missing) ? '' : inputText(value));
  } catch (error) {
    const { code, message, ...numbers }: Issue = issueOf(error);
    fail(code, `the subject: ${message}`, numbers);
  }
  return checkSubjectText(text, 'the date cannot be moved');
}

/**
 * Steps 3 and 4 of docs/spec/shift-v1.md: floor(x · 2 days / 2^128), where x is the first 128 bits of the tag. They are
 * computed word by word from the last; every product is below 2^45, so doubles are exact.
 */
function offsetOf(tag: Int32Array, days: number): number {
  const count = 2 * days;
  let carry = 0;
  for (let j = 3; j >= 0; j--) carry = Math.floor(((tag[j]! >>> 0) * count + carry) / 0x100000000);
  return carry < days ? carry - days : carry - days + 1;
}

/** Reads a date in the usual form. What follows the date stays as it is. A `Date` counts as its text in UTC. */
function readIso(value: unknown): ReadDate {
  const text = value instanceof Date ? dateText(value) : checkText(value);
  return { day: dayNumber(readCivilDate(text)), withDay: (day) => writeCivilDate(day) + text.slice(DATE_LENGTH) };
}

/** Step 5: the date is moved, and what follows it is not changed. */
function shift({ day: from, withDay }: ReadDate, offset: number): unknown {
  if (!isWritable(from)) fail('outside_format', 'expected a date of the years 0001 to 9999');
  if (!isWritable(from + offset)) {
    fail('outside_format', 'the date would leave the years 0001 to 9999 when it is moved');
  }
  return withDay(from + offset);
}

function readSubjects(subjects: unknown): readonly unknown[] {
  if (columnLength(subjects) === null) badType('subjects', `expected an array, got ${typeName(subjects)}`);
  if (isUtf8Column(subjects)) return utf8Texts(subjects);
  return Array.isArray(subjects) ? subjects : Array.from(subjects as ArrayLike<unknown>);
}
