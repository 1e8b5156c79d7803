/**
 * The schema of the policy file: which options each rule and each format has, and of what type. Limits and spellings are
 * the constructors' business, so that a file and code are judged by the same lines.
 */

import * as v from 'valibot';
import { ownProperties } from '../../core/checks.ts';
import { FORMS } from '../../wire/token-forms.ts';

/** A map of option names to schemas. */
export type Entries = Readonly<Record<string, v.GenericSchema>>;

/** The options that there are. */
export interface PolicySchema {
  /** Of each rule; `rule` itself has been read. */
  readonly rules: Readonly<Record<string, Entries>>;
  /** Of each format; `type` itself has been read. */
  readonly formats: Readonly<Record<string, Entries>>;
  /** Of the top of the file. */
  readonly file: Entries;
}

/** The schema. Made by a call without side effects, so that a bundle without policy files drops it. */
export const SCHEMA: PolicySchema = /* @__PURE__ */ makeSchema();

function makeSchema(): PolicySchema {
  // valibot goes through the members with "for … in", which sees what is inherited.
  const closed = <E extends Entries>(entries: E) => v.object(ownProperties(entries));
  const open = <E extends Entries>(entries: E) => v.looseObject(ownProperties(entries));
  const text = v.string();
  const whole = v.number();
  const flag = v.boolean();
  const empty = v.picklist(['keep', 'protect']);
  const steps = v.union([text, v.array(text)]);

  // What every rule may say.
  const common = { optional: v.optional(flag), why: v.optional(text) };

  // The options of each rule; `rule` itself has been read.
  const rules: Readonly<Record<string, Entries>> = {
    keep: common,
    drop: common,
    constant: { ...common, value: v.union([text, v.number(), flag, v.null()]) },
    mask: { ...common, first: v.optional(whole), last: v.optional(whole), with: v.optional(text) },
    coarsen: {
      ...common,
      date: v.optional(v.picklist(['month', 'quarter', 'year', 'decade'])),
      number: v.optional(v.number()),
      prefix: v.optional(whole),
      ip: v.optional(closed({ v4: whole, v6: whole })),
    },
    shiftDate: {
      ...common,
      scope: text,
      subject: text,
      days: whole,
      prepareSubject: v.optional(steps),
    },
    vault: {
      ...common,
      scope: text,
      store: text,
      token: v.optional(closed({ label: text })),
      ttl: v.optional(whole),
      subject: v.optional(text),
      onErased: v.optional(v.picklist(['error', 'new'])),
      empty: v.optional(empty),
    },
    token: {
      ...common,
      scope: text,
      prepare: v.optional(steps),
      form: v.optional(v.picklist(FORMS)),
      length: v.optional(whole),
      population: v.optional(whole),
      maxCollisionProbability: v.optional(v.number()),
      prf: v.optional(v.picklist(['hmac-sha256', 'blake3'])),
      label: v.optional(text),
      onToken: v.optional(v.picklist(['error', 'pass'])),
      empty: v.optional(empty),
    },
    fpe: {
      ...common,
      scope: text,
      format: v.union([text, open({ type: text })]),
      empty: v.optional(empty),
      allowCodebook: v.optional(text),
    },
    seal: { ...common, scope: text, value: v.optional(v.picklist(['text', 'integer'])), empty: v.optional(empty) },
  };

  const lengths = { length: v.optional(whole), min: v.optional(whole), max: v.optional(whole) };

  // The options of each format; `type` itself has been read.
  const format = v.union([text, open({ type: text })]);
  const limit = v.union([text, whole]);
  const span = { from: text, to: text };
  const formats: Readonly<Record<string, Entries>> = {
    digits: lengths,
    text: { alphabet: text, ...lengths },
    pattern: { pattern: text },
    regex: { regex: text },
    enumOf: { values: v.array(text) },
    integer: { min: limit, max: limit },
    decimal: { min: limit, max: limit, places: whole },
    date: span,
    dateTime: span,
    uuid: { letters: v.optional(v.picklist(['lower', 'upper'])) },
    card: {
      clear: v.optional(closed({ first: v.optional(whole), last: v.optional(whole) })),
      luhn: v.optional(v.picklist(['valid', 'any', 'invalid'])),
      brands: v.optional(v.array(text)),
      ...lengths,
    },
    iban: { countries: v.optional(v.array(text)) },
    phone: { min: v.optional(whole) },
    email: { domain: v.optional(v.picklist(['clear', 'hashed', 'enciphered'])) },
    ip: { prefixPreserving: v.optional(flag) },
    ipv4: { prefixPreserving: v.optional(flag) },
    ipv6: { prefixPreserving: v.optional(flag) },
    caseKept: { minSize: v.optional(whole) },
    seq: { parts: v.array(format) },
    oneOf: { formats: v.array(format) },
    clear: { of: format },
  };

  // The top of the file.
  const file: Entries = {
    trefoil: v.literal(1),
    domain: text,
    keyCheck: v.optional(v.record(text, text)),
    unnamed: v.optional(v.picklist(['error', 'drop'])),
    fields: open({}),
  };

  return { rules, formats, file };
}

/** One thing that a value does not fit in. */
export interface Misfit {
  readonly code: 'must_be_text' | 'missing_option' | 'unknown_option' | 'wrong_option';
  /** Where, below the value. */
  readonly path: readonly (string | number)[];
  readonly message: string;
}

/** Holds an object against the options that it may have. All misfits are found; none quotes a value. */
export function misfits(entries: Entries, value: Readonly<Record<string, unknown>>): readonly Misfit[] {
  const result = v.safeParse(v.looseObject(ownProperties(entries)), value);
  return (result.issues ?? []).flatMap(deepest).map(({ issue, path }): Misfit => {
    const last = path.at(-1);
    const name = typeof last === 'number' ? `item ${last + 1} of ${path.at(-2)}` : last;
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
