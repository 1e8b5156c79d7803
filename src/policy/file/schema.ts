/**
 * Types of options in a policy file, and how a value is checked against them. The options of rules and formats are in
 * the registries (rules.ts, formats.ts). A schema checks types only. Limits and spellings are checked by the
 * constructors, so the same lines judge a policy file and a policy in code.
 */

import * as v from 'valibot';
import { ownProperties } from '../../core/checks.ts';

/** A map of option names to schemas. */
export type Entries = Readonly<Record<string, v.GenericSchema>>;

/** The top of a policy file. Made by a call without side effects, so that a bundle without policy files drops it. */
export const FILE_OPTIONS: Entries = /* @__PURE__ */ makeFile();

function makeFile(): Entries {
  return {
    trefoil: v.literal(1),
    domain: v.string(),
    region: v.optional(v.string()),
    keyCheck: v.optional(v.record(v.string(), v.string())),
    branchCheck: v.optional(v.string()),
    unnamed: v.optional(v.picklist(['error', 'drop'])),
    missing: v.optional(v.array(v.string())),
    subject: v.optional(v.string()),
    fields: v.looseObject(ownProperties({})),
  };
}

/**
 * A map with these members and no others. valibot reads the members with "for … in", which sees inherited ones, too.
 */
export function closed<E extends Entries>(entries: E): v.ObjectSchema<E, undefined> {
  return v.object(ownProperties(entries));
}

/** A format: its name, or a map with its `type`. The registry of formats reads the rest. */
export function formatOption(): v.GenericSchema<unknown> {
  return v.union([v.string(), v.looseObject(ownProperties({ type: v.string() }))]);
}

/** One way in which a value does not fit its schema. */
export interface Misfit {
  readonly code: 'must_be_text' | 'missing_option' | 'unknown_option' | 'wrong_option';
  /** The place, below the value. */
  readonly path: readonly (string | number)[];
  readonly message: string;
}

/** Checks an object against the options that it may have. Finds all misfits; no message quotes a value. */
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

/** If a value may have several forms, the issues inside the form that it has: at `prepare.1` and not at `prepare`. */
function deepest(issue: v.BaseIssue<unknown>): { issue: v.BaseIssue<unknown>; path: (string | number)[] }[] {
  const path = (issue.path ?? []).map((item) => item.key as string | number);
  const inner = issue.type === 'union' ? (issue.issues ?? []).filter((below) => below.path !== undefined) : [];
  if (inner.length === 0) return [{ issue, path }];
  return inner.flatMap(deepest).map((below) => ({ issue: below.issue, path: [...path, ...below.path] }));
}

/** What the schema expected, in words. */
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
