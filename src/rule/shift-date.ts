/**
 * `shiftDate`: all dates of a subject move by one keyed number of whole days (docs/spec/shift-v1.md).
 *
 * offset = the first 128 bits of HMAC-SHA-256(key, prepared subject as UTF-8), brought to -days … -1, 1 … days. The
 * subject is another field of the record, so intervals within a subject stay true, and nothing else does.
 */

import { encodeList } from '../core/bytes.ts';
import { badRange, badType, checkInteger, checkOptions, checkText, typeName } from '../core/checks.ts';
import { DATE_LENGTH, dayNumber, isWritable, readCivilDate, writeCivilDate } from '../core/civil-date.ts';
import {
  type ColumnOf,
  columnLength,
  isUtf8Column,
  type NumberColumn,
  type Utf8Column,
  utf8Texts,
} from '../core/columns.ts';
import { inputText } from '../core/input-text.ts';
import { issueOf } from '../core/issues.ts';
import { fail, type Issue } from '../errors.ts';
import { hmacSha256 } from '../kernel/prf/hmac.ts';
import { type DomainKeys, type OpenedKeys, protectingKey } from '../keys/domain-keys.ts';
import { type Prepare, prepareSteps } from '../prepare/steps.ts';
import { openFor } from './binding.ts';
import { runColumn, runValue } from './columns.ts';
import { checkRule, checkScope, checkSubject, checkSubjectText } from './options.ts';
import { type ColumnVerb, type Common, type MayBeAbsent, makeRule, type Rule, type RuleEngine } from './rule.ts';

/** Days that a date may move at most: ten years. */
const MAX_DAYS = 3650;

/** Options of {@link shiftDate}. */
export interface ShiftDateOptions<Scope extends string = string> extends Common {
  /** Subjects of one scope have one offset in all fields of the scope: `visit`. Enters the key. */
  readonly scope: Scope;
  /** Path of the field that says whose date it is, as the policy file writes it, without arrays: `patient.id`. */
  readonly subject: string;
  /** The most days that a date moves, back or forth: 1 to 3650. Enters the key. */
  readonly days: number;
  /** Named normalisation of the subject, one step or up to eight in order. It decides who is one subject and enters the
   *  key. */
  readonly prepareSubject?: Prepare | readonly Prepare[];
}

/** What may name a subject; numbers are safe integers and count as their decimal text. */
export type SubjectInput = string | number | bigint;

type Missing<V> = Extract<V, null | undefined>;

/** A `shiftDate` rule. */
export interface ShiftDateRule<Scope extends string = string> extends Rule {
  readonly rule: 'shiftDate';
  readonly scope: Scope;
  readonly subject: string;
  readonly days: number;
  readonly prepareSubject?: string | readonly string[];
  /** Makes the key and the keyed state of the HMAC, once. Not enumerable. */
  readonly bind: (keys: DomainKeys) => BoundShiftDate;
}

/** A `shiftDate` rule with its keys. It has no `reveal`: there is no way back. */
export interface BoundShiftDate {
  /** Moves one date of a subject. A date that is `null`, `undefined` or empty passes, whatever the subject. */
  readonly protect: <V extends string | null | undefined>(
    value: V,
    options: { readonly subject: SubjectInput | null | undefined },
  ) => string | Missing<V>;
  /** Moves a column of dates, with the subject of each. Throws once, with the first 100 issues and their rows from 1. */
  readonly protectMany: <C extends readonly (string | null | undefined)[] | Utf8Column>(
    column: C,
    options: { readonly subjects: readonly (SubjectInput | null | undefined)[] | NumberColumn | Utf8Column },
  ) => ColumnOf<C, string>;
}

const OPTIONS = ['scope', 'subject', 'days', 'prepareSubject'] as const;

/**
 * Moves the dates of a subject by one number of days, which a key makes of the subject: at random from 1 to `days`, back
 * or forth, never 0. Intervals between dates of one subject stay true, in all fields of one scope.
 *
 * Dates are `YYYY-MM-DD` of the years 0001 to 9999, alone or before a time; the time, its offset and a `Z` stay as they are,
 * byte for byte, and no time zone is guessed. A missing or empty subject is the issue `missing_subject`.
 *
 * *Warning*: one known date of a subject reveals all of that subject. Who can pass for a subject and protect a date of his
 * own learns the offset, too, and the year is nearly kept when `days` is small.
 *
 * @throws TypeError, RangeError for options that do not fit; see docs/spec/shift-v1.md for the construction.
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
export function shiftDate<const Scope extends string, const Optional extends boolean = false>(
  options: ShiftDateOptions<Scope> & { readonly optional?: Optional },
): MayBeAbsent<ShiftDateRule<Scope>, Optional> {
  const { own, common } = checkRule('shiftDate', options, OPTIONS);
  const scope = checkScope(own) as Scope;
  const subject = checkSubject(own.subject);
  const days = checkInteger('days', own.days, 1, MAX_DAYS);
  const steps = own.prepareSubject === undefined ? [] : prepareSteps('prepareSubject', own.prepareSubject);
  const names = steps.map((step) => step.step);
  const data = {
    rule: 'shiftDate' as const,
    scope,
    subject,
    days,
    ...(own.prepareSubject === undefined
      ? {}
      : { prepareSubject: Array.isArray(own.prepareSubject) ? Object.freeze(names) : names[0]! }),
    ...common,
  };
  const parameters = [String(days), encodeList(names)];

  /** The text of a subject after its steps. */
  function subjectText(value: unknown): string {
    let text = value === null || value === undefined ? '' : inputText(value);
    for (const step of steps) text = step(text);
    return checkSubjectText(text, 'date', 'the date cannot be moved');
  }

  function setUp(opened: OpenedKeys): ColumnVerb {
    const prf = hmacSha256(opened.primary.derive('shiftDate', scope, parameters));

    return (column, report, siblings) => {
      protectingKey(opened);
      const subjects = siblings!(subject);
      const out = new Array<unknown>(column.length);
      // Records of one subject often stand together.
      let known: unknown;
      let offset = 0;
      for (let i = 0; i < column.length; i++) {
        const value = column[i];
        if (value === null || value === undefined || value === '') {
          out[i] = value;
          continue;
        }
        try {
          const whose = subjects[i];
          if (offset === 0 || whose !== known) {
            offset = 0;
            prf.text(subjectOf(whose, subjectText));
            offset = offsetOf(prf.tag, days);
            known = whose;
          }
          out[i] = shift(checkText(value), offset);
        } catch (error) {
          report(i, issueOf(error));
        }
      }
      return out;
    };
  }

  const engine: RuleEngine = {
    facts: {
      what: [
        `moved by 1 to ${days} days, back or forth, by one keyed number of days for each `,
        { quoted: subject },
        names.length === 0 ? '' : ` after ${names.join(', ')}`,
      ],
      origin: 'derived from the value with a key',
      back: 'never',
      joins: `shiftDate ${scope} ${days} ${names.join(' ')}`,
      scope,
      visible:
        `intervals between dates of one subject, the date to within ${days} days, and what stands behind it (time, ` +
        'offset) as it is; one known date of a subject reveals all of that subject',
    },
    keyed: true,
    needsPin: false,
    cell: 'text',
    removes: false,
    needs: Object.freeze([subject]),
    unfit: null,
    bind: (opened) => ({ protect: setUp(opened!), reveal: (column) => [...column] }),
  };

  function bind(keys: DomainKeys): BoundShiftDate {
    const verb = setUp(openFor(keys, undefined).opened);
    return Object.freeze({
      protect(value: unknown, given: unknown) {
        const { subject } = checkOptions('options', given, ['subject']);
        return runValue((column, report) => verb(column, report, () => [subject]), value);
      },
      protectMany(column: unknown, given: unknown) {
        const subjects = readSubjects(checkOptions('options', given, ['subjects']).subjects);
        if (subjects.length !== (columnLength(column) ?? subjects.length)) {
          badRange('subjects', 'expected as many subjects as there are dates');
        }
        return runColumn((dates, report) => verb(dates, report, () => subjects), column);
      },
    }) as BoundShiftDate;
  }

  return makeRule(data, engine, { bind }) as unknown as MayBeAbsent<ShiftDateRule<Scope>, Optional>;
}

/** The subject's text; what is wrong with it is said of the subject, because the issue stands at the date. */
function subjectOf(value: unknown, read: (value: unknown) => string): string {
  try {
    return read(value);
  } catch (error) {
    const { code, message, ...numbers }: Issue = issueOf(error);
    fail(code, code === 'missing_subject' ? message : `the subject: ${message}`, numbers);
  }
}

/**
 * Steps 3 and 4 of docs/spec/shift-v1.md: floor(x · 2 days / 2^128), x the first 128 bits of the tag, word by word from the
 * last. A product is below 2^45, so doubles are exact.
 */
function offsetOf(tag: Int32Array, days: number): number {
  const count = 2 * days;
  let carry = 0;
  for (let j = 3; j >= 0; j--) carry = Math.floor(((tag[j]! >>> 0) * count + carry) / 0x100000000);
  return carry < days ? carry - days : carry - days + 1;
}

/** Step 5: the date, moved; what stands behind it, as it is. */
function shift(text: string, offset: number): string {
  const from = dayNumber(readCivilDate(text));
  if (!isWritable(from)) fail('outside_format', 'expected a date of the years 0001 to 9999');
  if (!isWritable(from + offset))
    fail('outside_format', 'the date would leave the years 0001 to 9999 when it is moved');
  return writeCivilDate(from + offset) + text.slice(DATE_LENGTH);
}

function readSubjects(subjects: unknown): readonly unknown[] {
  if (columnLength(subjects) === null) badType('subjects', `expected an array, got ${typeName(subjects)}`);
  if (isUtf8Column(subjects)) return utf8Texts(subjects);
  return Array.isArray(subjects) ? subjects : Array.from(subjects as ArrayLike<unknown>);
}
