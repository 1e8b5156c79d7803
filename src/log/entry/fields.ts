/**
 * The types that a field of a log entry can have (docs/spec/log-v1.md, "Fields"). Each type is a function that checks a
 * value and returns its JSON text, so the order and the spelling of an entry are decided in one place, and nothing that
 * was not checked is ever written.
 *
 * No type takes free text. The only texts that people wrote are signed notes, whose form is checked here and whose
 * words are decided by their own specification.
 */

import { NAME_PATTERN, typeName } from '../../core/checks.ts';
import { fail } from '../../errors.ts';
import { decode } from '../../wire/base32.ts';

/**
 * Checks the value of a field and returns its JSON text.
 *
 * @throws TrefoilError `entry_invalid`, which names the field and never carries the value.
 */
export type FieldType = (value: unknown, field: string) => string;

/** The latest second that a log can state: the end of the year 9999. */
export const MAX_TIME = 253_402_300_799;

/** The most UTF-8 bytes of a note in an entry. JSON escapes line feeds and quotes, so the entry is longer. */
export const MAX_NOTE = 32_768;

/** The most people that one entry can name. */
export const MAX_SUBJECTS = 1000;

/** The most different scopes of one entry. */
export const MAX_SCOPES = 100;

/** Throws the error about a field. `expected` follows the word "expected" in the message. */
export function refuse(field: string, expected: string): never {
  fail('entry_invalid', `the field of the log entry is wrong: expected ${expected}`, { field });
}

function checkedText(value: unknown, field: string, pattern: RegExp, expected: string): string {
  if (typeof value !== 'string') refuse(field, `${expected}, got ${typeName(value)}`);
  if (!pattern.test(value)) refuse(field, expected);
  return `"${value}"`;
}

/** A type for the texts that match a pattern. It must allow no character that JSON escapes: quotes, backslashes. */
function matching(pattern: RegExp, expected: string): FieldType {
  return (value, field) => checkedText(value, field, pattern, expected);
}

/** A handle of an officer, a client, a key or a host. */
export const name: FieldType = /* @__PURE__ */ matching(
  NAME_PATTERN,
  '1 to 64 characters of a-z, 0-9, ".", "_", "-", the first a letter or digit',
);

/** A SHA-256 digest. */
export const hash: FieldType = /* @__PURE__ */ matching(/^[0-9a-f]{64}$/, 'a SHA-256 digest of 64 lower-case digits');

/** 128 random bits. */
export const id128: FieldType = /* @__PURE__ */ matching(/^[0-9a-f]{32}$/, '32 lower-case hexadecimal digits');

/** A code of an error, such as `budget_spent`. */
export const code: FieldType = /* @__PURE__ */ matching(/^[a-z][a-z0-9_]{0,63}$/, 'the code of an error');

const SCOPE = /^[a-zA-Z]{1,32}:(?:[a-z0-9][a-z0-9._-]{0,63}\/)?[a-z0-9][a-z0-9._-]{0,63}$/;
const SCOPE_FORM = 'a scope with its kind, kind:scope or kind:store/scope';

/** A scope with its kind: `seal:person.name`, `vault:people/person.name`. */
export const scope: FieldType = /* @__PURE__ */ matching(SCOPE, SCOPE_FORM);

const VERIFIER_KEY = /^[^\s+"\\\p{Cc}\p{Cs}]{1,255}\+[0-9a-f]{8}\+[A-Za-z0-9+/]{4,4096}={0,2}$/u;

/** A verifier key of a signed note: `name+hash+base64`. Its name has no quotes and no backslashes. */
export const verifierKeyText: FieldType = /* @__PURE__ */ matching(
  VERIFIER_KEY,
  'a verifier key, name+hash+base64, without quotes and backslashes',
);

/** A type for one of some words, which have no character that JSON escapes. */
export function word(...words: readonly string[]): FieldType {
  return (value, field) => {
    if (typeof value !== 'string' || !words.includes(value)) refuse(field, `one of ${words.join(', ')}`);
    return `"${value}"`;
  };
}

/** A type for whole numbers. */
function whole(minimum: number, maximum: number): FieldType {
  return (value, field) => {
    const isWhole = Number.isSafeInteger(value) && !Object.is(value, -0);
    if (!isWhole || (value as number) < minimum || (value as number) > maximum) {
      refuse(field, `a whole number from ${minimum} to ${maximum}`);
    }
    return String(value);
  };
}

/** A number of things: 0 and more. It is also the type of an index of an entry. */
export const count: FieldType = /* @__PURE__ */ whole(0, Number.MAX_SAFE_INTEGER);

/** A number of things of which there is at least one. */
export const positive: FieldType = /* @__PURE__ */ whole(1, Number.MAX_SAFE_INTEGER);

/** A time, in seconds since 1970 in UTC. */
export const time: FieldType = /* @__PURE__ */ whole(0, MAX_TIME);

/** `true` or `false`. */
export const flag: FieldType = (value, field) => {
  if (typeof value !== 'boolean') refuse(field, `true or false, got ${typeName(value)}`);
  return String(value);
};

/** Everything that a note must not contain: control characters other than the line feed, and halves of a pair. */
const NOT_IN_NOTES = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f]|\p{Cs}/u;

/** Text, an empty line, and then one or more signature lines up to the end. */
const NOTE_FORM = /\n\n(?:\u2014 [^\s+]+ [A-Za-z0-9+/]+={0,2}\n)+$/;

/**
 * A signed note, whole (https://c2sp.org/signed-note). Whether its signatures verify is not decided here: a log keeps
 * what was shown, and its readers know the keys.
 */
export const note: FieldType = (value, field) => {
  if (typeof value !== 'string') refuse(field, `a signed note, got ${typeName(value)}`);
  if (new TextEncoder().encode(value).length > MAX_NOTE) refuse(field, `a signed note of at most ${MAX_NOTE} bytes`);
  if (NOT_IN_NOTES.test(value)) refuse(field, 'a signed note without control characters');
  if (!NOTE_FORM.test(value)) refuse(field, 'a signed note: text, an empty line, and signature lines');
  return JSON.stringify(value);
};

/** How many values of each scope: an object whose names are scopes, written in ascending order. */
export const scopes: FieldType = (value, field) => {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    refuse(field, `an object of scopes and their counts, got ${typeName(value)}`);
  }
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  if (entries.length === 0 || entries.length > MAX_SCOPES) refuse(field, `1 to ${MAX_SCOPES} scopes`);
  const members = entries.map(
    ([key, number]) => `${checkedText(key, field, SCOPE, SCOPE_FORM)}:${positive(number, field)}`,
  );
  return `{${members.join(',')}}`;
};

const SEALED = /^[0-9a-hjkmnp-tv-z]{26}$/;

/** The people of an entry, each sealed (subjects.ts). */
export const subjects: FieldType = (value, field) => {
  if (!Array.isArray(value)) refuse(field, `a list of sealed pseudonyms, got ${typeName(value)}`);
  if (value.length > MAX_SUBJECTS) refuse(field, `at most ${MAX_SUBJECTS} sealed pseudonyms`);
  const items = Array.from(value, (item: unknown) => {
    const text = checkedText(item, field, SEALED, 'sealed pseudonyms of 26 symbols of base32');
    // 26 symbols hold 130 bits. The last two must be zero, or one sealed pseudonym would have four spellings.
    if (decode(item as string) === null) refuse(field, 'sealed pseudonyms, each of 16 bytes');
    return text;
  });
  return `[${items.join(',')}]`;
};
