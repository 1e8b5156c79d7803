/**
 * `per`: other fields of the record that are hashed with the value, so a value has one token for each of their values
 * (docs/spec/token-v1.md, "Contexts").
 */

import { encodeList } from '../../core/bytes.ts';
import { badRange, badType, checkOptions, ownProperties, typeName } from '../../core/checks.ts';
import { dateText } from '../../core/civil-date.ts';
import { columnLength, isUtf8Column, type NumberColumn, type Utf8Column, utf8Texts } from '../../core/columns.ts';
import { given } from '../../core/given.ts';
import { inputText } from '../../core/input-text.ts';
import { issueOf } from '../../core/issues.ts';
import { fail, type Issue } from '../../errors.ts';
import { PERIODS, type PeriodUnit } from '../../prepare/civil-period.ts';
import { isMissing, type MissingTexts } from '../missing.ts';
import { checkFieldPath } from '../options.ts';
import type { Siblings } from '../rule.ts';
import type { Period } from './periods.ts';

/** The most fields of one rule. */
const MAX_FIELDS = 8;

/**
 * A field whose value is a context: its path as in the policy file, without arrays, or the path and the name that
 * enters the key. The default name is the last part of the path: `tenant` of `order.tenant`.
 */
export type PerField = string | { readonly field: string; readonly name?: string };

/**
 * A period: the kind of it, and the path of the field with the date. A value then has one token for each period in
 * which such dates lie: `{ month: 'seen' }`. `name` is the name that enters the key, by default the last part of the
 * path.
 */
export type PerPeriod = {
  readonly [U in PeriodUnit]: { readonly [K in U]: string } & { readonly name?: string };
}[PeriodUnit];

/**
 * The option `per` of a token: a field, or a list of up to eight in the order in which they are hashed; or a period.
 */
export type Per = PerField | readonly PerField[] | PerPeriod;

/** What can be a context. A number must be a safe integer; it counts as its decimal text, and a `Date` as its text. */
export type ContextInput = string | number | bigint | Date | null | undefined;

/** The contexts of a column: one for each value. */
export type ContextColumn = readonly ContextInput[] | NumberColumn | Utf8Column;

/**
 * The further arguments of a verb: none without `per`. With a field, `per` is its context (for a column, the column of
 * contexts); with a list of fields, it is a list of them in the same order; with a period, it is the date.
 */
export type PerArguments<P, Context> = [P] extends [undefined]
  ? []
  : undefined extends P
    ? [options?: PerOptions<P, Context>]
    : [options: PerOptions<P, Context>];

type PerOptions<P, Context> = {
  readonly per: P extends readonly unknown[] ? { readonly [K in keyof P]: Context } : Context;
};

/** A context of a rule. */
export interface Context {
  /** Path of the field. */
  readonly path: string;
  /** The name that enters the key. */
  readonly name: string;
}

/** The contexts of a rule, from its option `per`; an empty list without the option. */
export function checkPer(per: unknown): readonly Context[] {
  if (per === undefined || isPeriod(per)) return [];
  const fields = Array.isArray(per) ? Array.from<unknown>(per) : [per];
  if (fields.length < 1 || fields.length > MAX_FIELDS) {
    badRange('per', `expected a field, or a list of 1 to ${MAX_FIELDS} fields`);
  }
  const contexts = fields.map(contextOf);
  for (const [i, { path, name }] of contexts.entries()) {
    if (contexts.findIndex((other) => other.path === path) < i) badRange('per', 'has one field twice');
    if (contexts.findIndex((other) => other.name === name) < i) {
      badRange('per', 'has two fields of one name; give one of them another: { field: PATH, name: NAME }');
    }
  }
  return contexts;
}

function contextOf(value: unknown): Context {
  if (typeof value === 'string') {
    const path = checkFieldPath('per', value, 'a context is one value');
    return { path, name: lastName(path) };
  }
  if (typeof value !== 'object' || value === null) {
    badType('per', `expected the path of a field, a list of paths, or { field, name }, got ${typeName(value)}`);
  }
  if (isPeriod(value)) badRange('per', 'has a period in a list; a period stands alone: { month: PATH }');
  const { field, name } = checkOptions('per', value, ['field', 'name']);
  const path = checkFieldPath('per', field, 'a context is one value');
  return { path, name: nameOf(path, name) };
}

/** The name that enters the key: the one that is set, else the last part of the path. */
function nameOf(path: string, name: unknown): string {
  if (name === undefined) return lastName(path);
  if (typeof name !== 'string' || name === '' || !name.isWellFormed()) {
    badRange('per', 'expected a name of at least one character, without half of a surrogate pair');
  }
  return name;
}

/** Whether an option `per` is a period. */
function isPeriod(per: unknown): boolean {
  if (typeof per !== 'object' || per === null || Array.isArray(per)) return false;
  return PERIODS.some((unit) => Object.hasOwn(per, unit));
}

/** The period of a rule, from its option `per`; `null` without one. */
export function checkPeriod(per: unknown): Period | null {
  if (!isPeriod(per)) return null;
  const units = PERIODS.filter((unit) => Object.hasOwn(per as object, unit));
  if (units.length > 1) badRange('per', `has two periods; expected one of ${PERIODS.join(', ')}`);
  const unit = units[0]!;
  const own = checkOptions<Record<string, unknown>>('per', per as object, [unit, 'name']);
  const path = checkFieldPath('per', own[unit], 'the date is one value');
  return { unit, path, name: nameOf(path, own.name) };
}

/** The last part of a path, without its escapes. */
function lastName(path: string): string {
  // From the left, so that a backslash that is itself escaped escapes nothing.
  return (path.match(/(?:\\.|[^.\\])+/g)?.at(-1) ?? path).replace(/\\(.)/g, '$1');
}

/** The names of the contexts that enter the key, from the option `per` of a rule; an empty list without it. */
export function contextNames(per: unknown): readonly string[] {
  const period = checkPeriod(per);
  return period === null ? checkPer(per).map(({ name }) => name) : [`${period.unit} of ${period.name}`];
}

/** The option `per` as plain data, as the policy file writes it. */
export function perData(per: unknown): unknown {
  if (Array.isArray(per)) return Object.freeze(per.map(perData));
  if (typeof per !== 'object' || per === null) return per;
  const { name, ...field } = ownProperties(per) as { readonly name?: string };
  return Object.freeze({ ...field, ...given({ name }) });
}

/** The third parameter of a token's key, for a rule with contexts. */
export function linkageOf(contexts: readonly Context[], period: Period | null): Uint8Array {
  if (period !== null) return encodeList(['period', period.name]);
  return encodeList(['per', ...contexts.map(({ name }) => name)]);
}

/** Writes the messages of a rule with contexts: encode(c1, …, cn, prepared value). */
export interface MessageWriter {
  /**
   * Writes the message of a value to the beginning of `bytes()`, and returns its length.
   *
   * @param contexts in the order of the rule; the array is not kept.
   * @throws TrefoilError `missing_context`, and the issues of a context that is neither text nor a whole number.
   */
  readonly write: (contexts: readonly unknown[], text: string) => number;
  /** The bytes that were written last. A longer message makes a new array. */
  readonly bytes: () => Uint8Array;
}

const encoder: TextEncoder = /* @__PURE__ */ new TextEncoder();

/** Makes a writer. Records of one context often follow each other, so the contexts that were written last are kept. */
export function messageWriter(contexts: readonly Context[], missingOf: (path: string) => MissingTexts): MessageWriter {
  const missing = contexts.map(({ path }) => missingOf(path));
  let buffer = new Uint8Array(512);
  const known: unknown[] = [];
  /** Bytes of the known contexts. */
  let head = 0;

  function put(text: string, at: number): number {
    const from = at + 4;
    if (from + 3 * text.length > buffer.length) {
      const longer = new Uint8Array(2 * (from + 3 * text.length));
      longer.set(buffer);
      buffer = longer;
    }
    const { written } = encoder.encodeInto(text, buffer.subarray(from));
    for (let i = 0; i < 4; i++) buffer[at + i] = written >>> (24 - 8 * i);
    return from + written;
  }

  return {
    write(values, text) {
      if (known.length === 0 || contexts.some((_, j) => values[j] !== known[j])) {
        known.length = 0;
        head = 0;
        for (const [j, context] of contexts.entries()) {
          head = put(contextText(values[j], context, missing[j]!), head);
        }
        for (const value of values) known.push(value);
      }
      return put(text, head);
    },
    bytes: () => buffer,
  };
}

/** The text of a context. The issue is reported for the value, so its message names the context. */
function contextText(value: unknown, { path }: Context, missing: MissingTexts): string {
  if (value === '' || isMissing(value, missing)) {
    fail('missing_context', `the context, field ${path}, is missing or empty, so the token cannot be made`);
  }
  try {
    return value instanceof Date ? dateText(value) : inputText(value);
  } catch (error) {
    const { code, message, ...numbers }: Issue = issueOf(error);
    fail(code, `the context, field ${path}: ${message}`, numbers);
  }
}

/**
 * Reads the contexts that a caller passed for a column, or for a single value if `column` is `null`.
 *
 * @throws TypeError, RangeError if they are not as many as the rule has, or not as long as the column.
 */
export function readContexts(
  contexts: readonly Context[],
  isList: boolean,
  options: unknown,
  column: unknown,
): Siblings {
  const { per } = checkOptions('options', options, ['per']);
  if (isList && !Array.isArray(per)) badType('per', `expected a list of contexts, got ${typeName(per)}`);
  const passed: readonly unknown[] = isList ? (per as unknown[]) : [per];
  if (passed.length !== contexts.length)
    badRange('per', `expected ${contexts.length} contexts, as the rule has fields`);
  const columns = new Map(contexts.map(({ path }, j) => [path, column === null ? [passed[j]] : readColumn(passed[j])]));
  const length = column === null ? 1 : columnLength(column);
  for (const values of columns.values()) {
    if (length !== null && values.length !== length) badRange('per', 'expected as many contexts as there are values');
  }
  return (path) => columns.get(path)!;
}

function readColumn(column: unknown): readonly unknown[] {
  if (columnLength(column) === null) badType('per', `expected an array of contexts, got ${typeName(column)}`);
  if (isUtf8Column(column)) return utf8Texts(column);
  return Array.isArray(column) ? column : Array.from(column as ArrayLike<unknown>);
}
