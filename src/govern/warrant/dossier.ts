/**
 * The dossier: the private part of a warrant, with the people it is about and the reason
 * (docs/spec/govern/warrant-v1.md, "Dossier"). The log has only its digest, which says nothing, because 32 random bytes
 * are hashed with it. When the file is destroyed, nobody can find out from the log whom the warrant was about.
 *
 * A dossier has exactly one spelling: what was read is written again and compared. Otherwise two readers of one file
 * could see two people in it (a name that an object has twice, for example).
 */

import { concat, equalBytes, utf8 } from '../../core/bytes.ts';
import { typeName } from '../../core/checks.ts';
import { readHex, writeHex } from '../../core/hex.ts';
import { fail } from '../../errors.ts';
import { UNSAFE } from '../text/lines.ts';
import { checkFields, digestHex } from './fields.ts';
import { CASE, MOST_SUBJECTS, type WarrantCase } from './warrant.ts';

/** The most bytes of a dossier. */
export const MOST_DOSSIER_BYTES = 1_048_576;

/** Bytes of the random number in front. */
const SALT = 32;

/** The message about a dossier that belongs to another warrant. */
export const NOT_ITS_OWN = 'the dossier is not the one of this warrant, or one of them was changed';

/** The most characters of a token, and of a subject's text. */
const MOST_TOKEN = 256;
const MOST_SUBJECT_TEXT = 1024;

/** The fewest and the most characters (code points) of a reason. */
const REASON = [10, 2000] as const;

/**
 * A person: the token that the data has for them, or the text that the token is made from. Both may name one person;
 * without keys nobody can tell.
 */
export type DossierSubject = { readonly token: string } | { readonly text: string };

/** What a dossier says. */
export interface DossierFields {
  /** 32 random bytes as 64 hexadecimal digits. */
  readonly salt: string;
  /** The number of the case: 1 to 64 characters of A-Z, a-z, 0-9, `.`, `_`, `/` and `-`. */
  readonly case: string;
  /** At most 1,000, each once; none if the warrant is about whole tables. */
  readonly subjects: readonly DossierSubject[];
  /**
   * Why: 10 to 2,000 characters in Normalization Form C, with at least three different letters or digits, without
   * control characters (also no line feed) and invisible ones.
   */
  readonly reason: string;
}

/** A dossier that was read. */
export interface Dossier extends DossierFields {
  /** SHA-256 of its bytes, as `sha256sum` prints it. */
  readonly sha256: string;
}

/**
 * Reads a dossier.
 *
 * **Warning**: it has personal data. Texts in it may hold control characters; show them with escapes.
 *
 * @param dossier the text or the bytes of the file: at most 1,048,576 bytes.
 * @throws TrefoilError `dossier_not_canonical`; `dossier_wrong` if its reason is none; `wrong_type`.
 *
 * @example
 * ```ts
 * import { parseDossier } from 'trefoil/govern';
 *
 * const { reason } = parseDossier(
 *   `{"trefoil":"dossier v1","salt":"${'0f'.repeat(32)}","case":"TICKET-20817",` +
 *     '"subjects":[{"text":"10017"}],"reason":"The customer asks to be called back."}',
 * );
 * reason; // → 'The customer asks to be called back.'
 * ```
 */
export function parseDossier(dossier: string | Uint8Array): Dossier {
  const bytes = bytesOf(dossier);
  const text = decoded(bytes);
  const fields = fieldsOf(text);
  if (fields === null || writeFields(fields) !== text) {
    refuse('the file is not a dossier as trefoil writes it; pass the file that was made with the warrant, unchanged');
  }
  checkReason(fields.reason);
  return Object.freeze({ ...fields, sha256: digestHex(bytes) });
}

/**
 * Writes a dossier.
 *
 * @throws TrefoilError as {@link parseDossier}. TypeError for a field of another type.
 *
 * @example
 * ```ts
 * import { parseDossier, writeDossier } from 'trefoil/govern';
 *
 * const reason = 'The customer asks to be called back.';
 * const text = writeDossier({ salt: '0f'.repeat(32), case: 'TICKET-20817', subjects: [{ text: '10017' }], reason });
 * parseDossier(text).subjects; // → [{ text: '10017' }]
 * ```
 */
export function writeDossier(fields: DossierFields): string {
  const text = writeFields(fields);
  parseDossier(text);
  return text;
}

const TYPES = { salt: 'text', case: 'text', subjects: 'list', reason: 'text' } as const;

/** The text of a dossier, with its fields in their order. */
function writeFields(fields: DossierFields): string {
  const { salt, case: case_, subjects, reason } = checkFields<DossierFields>('fields', fields, TYPES);
  return JSON.stringify({ trefoil: 'dossier v1', salt, case: case_, subjects: subjects.map(written), reason });
}

/** A person as it is written. What is not one is refused when the text is read again. */
function written(subject: unknown): object {
  return own(subject, 'token') === undefined ? { text: own(subject, 'text') } : { token: own(subject, 'token') };
}

function bytesOf(dossier: unknown): Uint8Array {
  if (typeof dossier !== 'string' && !(dossier instanceof Uint8Array)) {
    return fail('wrong_type', `expected a dossier as text or bytes, got ${typeName(dossier)}`);
  }
  if (dossier.length > MOST_DOSSIER_BYTES) tooLong();
  // A copy: what is hashed has to be what is read, whatever the caller does with its bytes meanwhile.
  const bytes = typeof dossier === 'string' ? utf8(dossier) : dossier.slice();
  if (bytes.length > MOST_DOSSIER_BYTES) tooLong();
  return bytes;
}

function tooLong(): never {
  return refuse(`the dossier is longer than ${MOST_DOSSIER_BYTES} bytes`);
}

function decoded(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return refuse('the dossier is not UTF-8');
  }
}

/** The fields of a text; `null` if it is not a dossier. Whether it is spelled as one is for the caller to see. */
function fieldsOf(text: string): DossierFields | null {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return null;
  }
  const salt = own(value, 'salt');
  const case_ = own(value, 'case');
  const people = own(value, 'subjects');
  const reason = own(value, 'reason');
  if (typeof salt !== 'string' || readHex(salt, SALT) === null || salt !== salt.toLowerCase()) return null;
  if (typeof case_ !== 'string' || !CASE.test(case_) || typeof reason !== 'string' || !reason.isWellFormed()) {
    return null;
  }
  const subjects = subjectsOf(people);
  return subjects === null ? null : { salt, case: case_, subjects, reason };
}

function subjectsOf(people: unknown): readonly DossierSubject[] | null {
  if (!Array.isArray(people) || people.length > MOST_SUBJECTS) return null;
  const subjects = people.map(subjectOf);
  if (!subjects.every((subject) => subject !== null)) return null;
  const different = new Set(subjects.map((subject) => JSON.stringify(subject)));
  return different.size === subjects.length ? Object.freeze(subjects) : null;
}

function subjectOf(person: unknown): DossierSubject | null {
  const token = own(person, 'token');
  if (isToken(token)) return Object.freeze({ token });
  const text = own(person, 'text');
  return isSubjectText(text) ? Object.freeze({ text }) : null;
}

/** Whether a text can be a token in any of its forms: 1 to 256 printable characters of ASCII, without spaces. */
export function isToken(token: unknown): token is string {
  return typeof token === 'string' && token.length <= MOST_TOKEN && /^[\x21-\x7e]+$/.test(token);
}

/** Whether a text can be a subject: 1 to 1,024 characters. */
export function isSubjectText(text: unknown): text is string {
  return typeof text === 'string' && text !== '' && text.length <= MOST_SUBJECT_TEXT && text.isWellFormed();
}

/** An own property of an object, so that none is read from a prototype. */
function own(value: unknown, name: string): unknown {
  const isObject = typeof value === 'object' && value !== null && Object.hasOwn(value, name);
  return isObject ? (value as Record<string, unknown>)[name] : undefined;
}

/**
 * Checks a reason. A reason of a dot, or of one letter held down, is what people write when a form demands one.
 *
 * @param what the text in words, for the message.
 * @throws TrefoilError with the code.
 */
export function checkReason(
  reason: string,
  what = 'reason in the dossier',
  code: 'dossier_wrong' | 'warrant_invalid' = 'dossier_wrong',
): void {
  const [least, most] = REASON;
  const { length } = [...reason];
  if (length < least || length > most) fail(code, `the ${what} does not have ${least} to ${most} characters`);
  if (UNSAFE.test(reason)) fail(code, `the ${what} has a character that is not shown as it is, such as a line feed`);
  if (reason.normalize('NFC') !== reason) fail(code, `the ${what} is not in Normalization Form C of Unicode`);
  if (reason.trim() !== reason) fail(code, `the ${what} has spaces at an end`);
  const letters = new Set(reason.toLowerCase().match(/[\p{L}\p{N}]/gu) ?? []);
  if (letters.size < 3) fail(code, `the ${what} has fewer than three different letters or digits, so it says nothing`);
}

/**
 * The commitment to a case: SHA-256(salt ‖ "case" ‖ LF ‖ case), 64 hexadecimal digits. The salt is that of the dossier.
 */
export function caseCommitment({ salt, case: case_ }: Pick<DossierFields, 'salt' | 'case'>): string {
  return digestHex(concat([readHex(salt, SALT)!, utf8(`case\n${case_}`)]));
}

/** Whether a dossier has the case of a warrant. */
export function isCaseOf(dossier: Dossier, stated: WarrantCase): boolean {
  if ('shown' in stated) return stated.shown === dossier.case;
  return equalBytes(utf8(caseCommitment(dossier)), utf8(stated.commit));
}

/** Writes random bytes as a salt. */
export function saltOf(bytes: Uint8Array): string {
  return writeHex(bytes);
}

function refuse(message: string): never {
  return fail('dossier_not_canonical', message);
}
