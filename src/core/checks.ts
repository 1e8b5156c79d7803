/**
 * Checks of arguments and of text. A mistake in an argument is a `TypeError` or a `RangeError` whose message begins
 * with the argument's name in quotation marks. By its property `argument`, the reader of policy files finds the place
 * in the file.
 */

import { fail } from '../errors.ts';
import { jsonNumberText } from './json/number.ts';

/** An error that names the argument that it is about. */
export interface ArgumentError extends Error {
  readonly argument: string;
}

/** Throws a `TypeError` about an argument. `rest` follows the name in the message: `expected text, got number`. */
export function badType(argument: string, rest: string): never {
  throw about(new TypeError(`"${argument}" ${rest}`), argument);
}

/** Throws a `RangeError` about an argument. `rest` follows the name in the message. */
export function badRange(argument: string, rest: string): never {
  throw about(new RangeError(`"${argument}" ${rest}`), argument);
}

function about(error: Error, argument: string): Error {
  return Object.defineProperty(error, 'argument', { value: argument });
}

/** Returns whether an error was thrown by {@link badType} or {@link badRange}. */
export function isArgumentError(error: unknown): error is ArgumentError {
  return error instanceof Error && typeof (error as { argument?: unknown }).argument === 'string';
}

/** Returns a word for the type of a value, for messages. The word says nothing about the content. */
export function typeName(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'array';
  if (value instanceof Uint8Array) return 'bytes';
  if (jsonNumberText(value) !== null) return 'number';
  return typeof value;
}

/** The names of domains and scopes: 1 to 64 ASCII characters (docs/spec/keyset-v1.md, "Names"). */
export const NAME_PATTERN: RegExp = /^[a-z0-9][a-z0-9._-]{0,63}$/;

/** Checks the name of a domain or scope. */
export function checkName(argument: string, value: unknown): string {
  if (typeof value !== 'string') badType(argument, `expected text, got ${typeName(value)}`);
  if (!NAME_PATTERN.test(value)) {
    badRange(argument, 'expected 1 to 64 characters of a-z, 0-9, ".", "_", "-", the first a letter or digit');
  }
  return value;
}

/** Checks a whole number from `minimum` to `maximum`. */
export function checkInteger(argument: string, value: unknown, minimum: number, maximum: number): number {
  if (typeof value !== 'number') badType(argument, `expected a whole number, got ${typeName(value)}`);
  if (!Number.isSafeInteger(value) || value < minimum || value > maximum) {
    badRange(argument, `expected a whole number from ${minimum} to ${maximum}`);
  }
  return value;
}

/** Checks that a value is one of some words. */
export function checkOneOf<T extends string>(argument: string, value: unknown, words: readonly T[]): T {
  if (typeof value !== 'string' || !(words as readonly string[]).includes(value)) {
    badRange(argument, `expected one of ${words.join(', ')}`);
  }
  return value as T;
}

/**
 * Copies an object's own properties into an object without a prototype. Properties of `Object.prototype`, or of any
 * other prototype, are not copied. A getter is called once.
 */
export function ownProperties<T extends object>(value: T): T {
  return Object.assign(Object.create(null), value) as T;
}

/**
 * Checks an options object, which may only have the known names, and returns a copy of its own properties. Callers read
 * the copy and never the object. So an inherited property is never an option: otherwise anyone who can write to
 * `Object.prototype` could set one.
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
    if (!known.includes(key))
      badType(
        argument,
        known.length === 0 ? 'has an option, expected none' : `has an option that is not one of ${known.join(', ')}`,
      );
  }
  return ownProperties(value) as T;
}

/**
 * Checks that a value is text without lone surrogates. `TextEncoder` would turn every lone surrogate into U+FFFD, so
 * two people could become one.
 */
export function checkText(value: unknown): string {
  if (typeof value !== 'string') fail('wrong_type', `expected text, got ${typeName(value)}`);
  if (!value.isWellFormed()) {
    fail('lone_surrogate', 'the text holds half of a surrogate pair; correct the encoding of the source');
  }
  return value;
}
