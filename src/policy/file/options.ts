/**
 * Reading the options of rules and formats in a policy file. The schema checks their types and the constructors check
 * everything else, so the same lines judge a policy file and a policy in code.
 */

import { isArgumentError, ownProperties } from '../../core/checks.ts';
import { nearest } from '../../core/suggest.ts';
import type { Issue, IssueCode } from '../../errors.ts';
import { type Entries, misfits } from './schema.ts';

/** A path into the value of a policy file: `['fields', 'email', 'rule']`. */
export type ValuePath = readonly (string | number)[];

export type Options = Readonly<Record<string, unknown>>;
/** Reports a problem at a place of the file. */
export type Complain = (code: IssueCode, path: ValuePath, message: string, more?: Partial<Issue>) => void;

/** Checks the names and types of options and reports every problem; returns whether there was none. */
export function admits(
  entries: Entries,
  options: Options,
  path: ValuePath,
  owner: string,
  complain: Complain,
): boolean {
  const names = Object.keys(entries);
  const unknown = Object.keys(options).filter((name) => !names.includes(name));
  for (const name of unknown) {
    // A name that does not look like an option may be data, from a file of records that was passed as a policy by
    // mistake.
    const shown = /^[A-Za-z_]{1,24}$/.test(name) ? [...path, name] : path;
    const message = `${owner} has no such option; ${nameOneOf(name, names)}`;
    complain('unknown_option', [...path, name], message, { field: shown.join('.') });
  }
  const found = misfits(entries, ownOptions(options));
  for (const misfit of found) complain(misfit.code, [...path, ...misfit.path], misfit.message);
  return unknown.length === 0 && found.length === 0;
}

/**
 * Options, and maps among them, without a prototype: valibot looks for options with "in", which sees inherited ones.
 */
function ownOptions(options: Options): Options {
  const own = (value: unknown): unknown => (isMap(value) ? ownProperties(value) : value);
  const entries = Object.entries(options).map(([name, value]) => [
    name,
    Array.isArray(value) ? Array.from(value, own) : own(value),
  ]);
  return ownProperties(Object.fromEntries(entries) as Options);
}

/** Runs a constructor; `null` if it refused, which is then reported at the option that the error names. */
export function attempt<Made>(
  path: ValuePath,
  options: Options,
  complain: Complain,
  code: IssueCode,
  make: () => Made,
): Made | null {
  try {
    return make();
  } catch (error) {
    if (!isArgumentError(error)) throw error;
    complain(code, [...path, ...placeOf(options, error.argument)], error.message.replace(/^"options" /, ''));
    return null;
  }
}

/** The path of an argument below the options: an option itself, or a member of an option that is a map. */
function placeOf(options: Options, argument: string): ValuePath {
  if (Object.hasOwn(options, argument)) return [argument];
  for (const [name, option] of Object.entries(options)) {
    if (isMap(option) && Object.hasOwn(option, argument)) return [name, argument];
  }
  return [];
}

/** `did you mean token?`, or the list of all names. */
export function nameOneOf(word: string, known: readonly string[]): string {
  const near = nearest(word, known);
  return near === null ? `there are ${known.join(', ')}` : `did you mean ${near}?`;
}

export function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
