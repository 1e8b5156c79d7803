/**
 * Checks of arguments and of text. A mistake in an argument is a `TypeError` or a `RangeError` that begins with the
 * argument's name in quotation marks; the policy file's reader finds the place in the file by the `argument` property.
 */

import { fail } from '../errors.ts';
import { jsonNumberText } from './json/number.ts';

/** An argument error that remembers which argument it is about. */
export interface ArgumentError extends Error {
  readonly argument: string;
}

/** Throws a `TypeError` about an argument. `rest` reads on after the name: `expected text, got number`. */
export function badType(argument: string, rest: string): never {
  throw about(new TypeError(`"${argument}" ${rest}`), argument);
}

/** Throws a `RangeError` about an argument. */
export function badRange(argument: string, rest: string): never {
  throw about(new RangeError(`"${argument}" ${rest}`), argument);
}

function about(error: Error, argument: string): Error {
  return Object.defineProperty(error, 'argument', { value: argument });
}

/** Tells whether an error came from {@link badType} or {@link badRange}. */
export function isArgumentError(error: unknown): error is ArgumentError {
  return error instanceof Error && typeof (error as { argument?: unknown }).argument === 'string';
}

/** What a value is, in a word that says nothing about its content. */
export function typeName(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'array';
  if (value instanceof Uint8Array) return 'bytes';
  if (jsonNumberText(value) !== null) return 'number';
  return typeof value;
}

/** Domain and scope names: ASCII, 1 to 64 characters (docs/spec/keyset-v1.md, "Names"). */
export const NAME_PATTERN: RegExp = /^[a-z0-9][a-z0-9._-]{0,63}$/;

/** Checks a domain or scope name. */
export function checkName(argument: string, value: unknown): string {
  if (typeof value !== 'string') badType(argument, `expected text, got ${typeName(value)}`);
  if (!NAME_PATTERN.test(value)) {
    badRange(argument, 'expected 1 to 64 characters of a-z, 0-9, ".", "_", "-", the first a letter or digit');
  }
  return value;
}

/** Checks a whole number between two limits, both allowed. */
export function checkInteger(argument: string, value: unknown, minimum: number, maximum: number): number {
  if (typeof value !== 'number') badType(argument, `expected a whole number, got ${typeName(value)}`);
  if (!Number.isSafeInteger(value) || value < minimum || value > maximum) {
    badRange(argument, `expected a whole number from ${minimum} to ${maximum}`);
  }
  return value;
}

/** Checks that a value is one of a few words. */
export function checkOneOf<T extends string>(argument: string, value: unknown, words: readonly T[]): T {
  if (typeof value !== 'string' || !(words as readonly string[]).includes(value)) {
    badRange(argument, `expected one of ${words.join(', ')}`);
  }
  return value as T;
}

/**
 * A copy of an object's own properties in an object without a prototype. What was put on `Object.prototype`, or on any
 * other prototype, is not in it, and a getter is asked once.
 */
export function ownProperties<T extends object>(value: T): T {
  return Object.assign(Object.create(null), value) as T;
}

/**
 * Checks an options object, with no names but the known ones, and returns a copy of its own properties. Callers read
 * the copy and never the object: an inherited option is not an option, or whoever can write to `Object.prototype` could
 * set it.
 */
export function checkOptions<T = Record<string, unknown>>(
  argument: string,
  value: unknown,
  known: readonly string[],
): T {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    badType(argument, `expected an object, got ${typeName(value)}`);
  }
  for (const key of Object.keys(value)) {
    if (!known.includes(key)) badType(argument, `has an option that is not one of ${known.join(', ')}`);
  }
  return ownProperties(value) as T;
}

/** Text without lone surrogates, or an issue: `TextEncoder` would merge two people into U+FFFD. */
export function checkText(value: unknown): string {
  if (typeof value !== 'string') fail('wrong_type', `expected text, got ${typeName(value)}`);
  if (!value.isWellFormed()) {
    fail('lone_surrogate', 'the text holds half of a surrogate pair; mend the encoding of the source');
  }
  return value;
}
