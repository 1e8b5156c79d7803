/**
 * The schema of the policy file: which options each rule and each format has, and of what type. Limits and spellings are
 * the constructors' business, so that a file and code are judged by the same lines.
 */

import * as v from 'valibot';

/** A map of option names to schemas. */
export type Entries = Readonly<Record<string, v.GenericSchema>>;

const text = v.string();
const whole = v.number();
const flag = v.boolean();
const empty = v.picklist(['keep', 'protect']);

/** What every rule may say. */
const COMMON = { optional: v.optional(flag), why: v.optional(text) };

/** The options of each rule; `rule` itself has been read. */
export const RULES: Readonly<Record<string, Entries>> = {
  keep: COMMON,
  drop: COMMON,
  constant: { ...COMMON, value: v.union([text, v.number(), flag, v.null()]) },
  mask: { ...COMMON, first: v.optional(whole), last: v.optional(whole), with: v.optional(text) },
  coarsen: {
    ...COMMON,
    date: v.optional(v.picklist(['month', 'quarter', 'year', 'decade'])),
    number: v.optional(v.number()),
    prefix: v.optional(whole),
    ip: v.optional(v.object({ v4: whole, v6: whole })),
  },
  token: {
    ...COMMON,
    scope: text,
    prepare: v.optional(v.union([text, v.array(text)])),
    form: v.optional(v.picklist(['labelled', 'bare'])),
    label: v.optional(text),
    onToken: v.optional(v.picklist(['error', 'pass'])),
    empty: v.optional(empty),
  },
  fpe: { ...COMMON, scope: text, format: v.union([text, v.looseObject({ type: text })]), empty: v.optional(empty) },
  seal: { ...COMMON, scope: text, value: v.optional(v.picklist(['text', 'integer'])), empty: v.optional(empty) },
};

const LENGTHS = { length: v.optional(whole), min: v.optional(whole), max: v.optional(whole) };

/** The options of each format; `type` itself has been read. */
export const FORMATS: Readonly<Record<string, Entries>> = {
  digits: LENGTHS,
  text: { alphabet: text, ...LENGTHS },
  card: { clear: v.optional(v.object({ first: v.optional(whole) })), ...LENGTHS },
  pattern: { pattern: text },
};

/** The top of the file. */
export const FILE: Entries = {
  trefoil: v.literal(1),
  domain: text,
  keyCheck: v.optional(v.record(text, text)),
  unnamed: v.optional(v.picklist(['error', 'drop'])),
  fields: v.looseObject({}),
};

/** One thing that a value does not fit in. */
export interface Misfit {
  readonly code: 'must_be_text' | 'missing_option' | 'unknown_option' | 'wrong_option';
  /** Where, below the value. */
  readonly path: readonly (string | number)[];
  readonly message: string;
}

/** Holds an object against the options that it may have. All misfits are found; none quotes a value. */
export function misfits(entries: Entries, value: Readonly<Record<string, unknown>>): readonly Misfit[] {
  const result = v.safeParse(v.looseObject(entries), value);
  return (result.issues ?? []).flatMap(deepest).map(({ issue, path }): Misfit => {
    const name = path.at(-1);
    // valibot's own message quotes what it received; `expected` comes from the schema alone.
    if (issue.received === 'undefined') return { code: 'missing_option', path, message: `${name} is missing` };
    if (issue.type === 'string' || (issue.type === 'union' && typeof issue.input === 'number')) {
      const hint = typeof issue.input === 'object' ? '' : ': quote it';
      return { code: 'must_be_text', path, message: `${name} must be text${hint}` };
    }
    return { code: 'wrong_option', path, message: `${name} must be ${expectation(issue)}` };
  });
}

/** The issues inside one of the forms that a value may have, where it came that far: `prepare.1` and not `prepare`. */
function deepest(issue: v.BaseIssue<unknown>): { issue: v.BaseIssue<unknown>; path: (string | number)[] }[] {
  const path = (issue.path ?? []).map((item) => item.key as string | number);
  const inner = issue.type === 'union' ? (issue.issues ?? []).filter((below) => below.path !== undefined) : [];
  if (inner.length === 0) return [{ issue, path }];
  return inner.flatMap(deepest).map((below) => ({ issue: below.issue, path: [...path, ...below.path] }));
}

/** What a schema expected, in words. */
function expectation(issue: v.BaseIssue<unknown>): string {
  if (issue.type === 'number') return 'a number';
  if (issue.type === 'boolean') return 'true or false';
  if (issue.type === 'loose_object' || issue.type === 'object' || issue.type === 'record') return 'a map';
  if (issue.type === 'array') return 'a list';
  return (issue.expected ?? 'something else')
    .replace(/["()]/g, '')
    .replace('string', 'text')
    .replace('Object', 'a map')
    .replace('Array', 'a list')
    .replace(/ \| /g, ', ')
    .replace(/, ([^,]*)$/, ' or $1');
}
