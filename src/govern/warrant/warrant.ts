/**
 * A warrant: who may open what, for which purpose, how much of it, and until when (docs/spec/govern/warrant-v1.md). It
 * is a text of lines, and officers sign exactly what they read. A warrant *is* the SHA-256 of its text: its note has
 * endless forms, because signature lines may be added, repeated and exchanged.
 */

import { utf8 } from '../../core/bytes.ts';
import { NAME_PATTERN } from '../../core/checks.ts';
import { decode } from '../../wire/base32.ts';
import type { WarrantVerb } from '../charter/charter.ts';
import { digestOf, isScope, timeOf, wholeOf, writeTime } from '../text/items.ts';
import type { Line } from '../text/lines.ts';
import { digestHex, only, readFields, textOf } from './fields.ts';

/** The first line of a warrant. */
const TITLE = 'trefoil warrant v1';

/** The most people, values and seconds of a warrant, whatever its purpose allows. */
export const MOST_SUBJECTS = 1000;
export const MOST_VALUES = 1_000_000;
export const MOST_SECONDS: number = 31 * 86_400;

/** How long after it was asked for a warrant may begin, in seconds. */
export const LATEST_START: number = 7 * 86_400;

const VERBS: readonly WarrantVerb[] = ['reveal', 'rekey', 'erase', 'lookup', 'project'];

/** The number of a case, as a ticket system writes it. `commit` is the word of the other form of the line. */
export const CASE: RegExp = /^(?!commit$)[A-Za-z0-9][A-Za-z0-9._/-]{0,63}$/;

/** The form in words, for messages. */
export const CASE_FORM = '1 to 64 characters of A-Z, a-z, 0-9, ".", "_", "/" and "-", the first a letter or digit';

/** The case in a warrant: in clear, or a commitment that the dossier opens. */
export type WarrantCase = { readonly shown: string } | { readonly commit: string };

/** What a warrant says. Times are seconds since 1970 in UTC. Digests are 64 hexadecimal digits. */
export interface WarrantFields {
  /** 128 random bits as 26 symbols of base32. The first warrant of a log with an id owns it. */
  readonly id: string;
  /** The version of the charter that the warrant is under, and SHA-256 of its text. */
  readonly charter: { readonly version: number; readonly sha256: string };
  readonly domain: string;
  /** The handle of the officer who asks. */
  readonly requester: string;
  /** The handle of the desk that will use the warrant. It is one of the requester's. */
  readonly desk: string;
  readonly verb: WarrantVerb;
  /** The name of a purpose, or of a break-glass purpose, of the charter. */
  readonly purpose: string;
  readonly case: WarrantCase;
  /** `kind:[store/]scope`, ascending, each once. */
  readonly scopes: readonly string[];
  /** The most values: 1 to 1,000,000; `null`: any number. */
  readonly values: number | null;
  /** How many people the dossier names: 1 to 1,000; `null`: any, because the purpose is about whole tables. */
  readonly subjects: number | null;
  /** SHA-256 of the bytes of the dossier. */
  readonly dossier: string;
  readonly asked: number;
  /** Not before `asked`, and at most 7 days after it. */
  readonly from: number;
  /** After `from`, by at most 31 days. */
  readonly until: number;
}

/** A warrant that was read. Nothing has verified it. */
export interface Warrant extends WarrantFields {
  /** The text that is signed, with its last line feed. */
  readonly text: string;
  /** SHA-256 of the text, 64 hexadecimal digits: what refusals, uses, ratifications and budgets name. */
  readonly sha256: string;
}

/**
 * Reads a warrant without verifying it.
 *
 * **Warning**: the text is anybody's until it is verified. Use `verifyWarrant` to act on it.
 *
 * @param note the note, or its text without signatures: at most 32,768 bytes.
 * @throws TrefoilError `warrant_invalid` with the line; `wrong_type`.
 *
 * @example
 * ```ts
 * import { parseWarrant } from 'trefoil/govern';
 *
 * const warrant = parseWarrant(
 *   'trefoil warrant v1\n' +
 *     'id 7x2k9q0m4d8r5t1w3y6b8c0f2g\n' +
 *     `charter 4 sha256:${'0'.repeat(64)}\n` +
 *     'domain eu-enclave\n' +
 *     'requester chris\n' +
 *     'desk chris-desk\n' +
 *     'verb reveal\n' +
 *     'purpose support.call-back\n' +
 *     'case TICKET-20817\n' +
 *     'scopes seal:person.name vault:people/person.phone\n' +
 *     'values 4\n' +
 *     'subjects 2\n' +
 *     `dossier sha256:${'0'.repeat(64)}\n` +
 *     'asked 2026-11-30T20:00:00Z\n' +
 *     'from 2026-11-30T20:00:00Z\n' +
 *     'until 2026-12-01T08:00:00Z\n',
 * );
 * warrant.scopes; // → ['seal:person.name', 'vault:people/person.phone']
 * ```
 */
export function parseWarrant(note: string | Uint8Array): Warrant {
  const text = textOf(note);
  const fields = readFields(text, TITLE);
  const { take } = fields;
  const id = take('id', '26 symbols of base32, for 128 bits', only(idOf));
  const charter = take('charter', 'a version from 1 and sha256:HEX', charterOf);
  const domain = take('domain', 'a name', only(nameOf));
  const requester = take('requester', 'a handle', only(nameOf));
  const desk = take('desk', 'a handle', only(nameOf));
  const verb = take('verb', VERBS.join(', ').replace(/, (?=[a-z]+$)/, ' or '), only(verbOf));
  const purpose = take('purpose', 'a name', only(nameOf));
  const case_ = take('case', 'a case of 1 to 64 characters, or commit sha256:HEX', caseOf);
  const scopes = take('scopes', 'KIND:[STORE/]SCOPE, ascending, each once', scopesOf);
  const values = take('values', 'a number from 1 to 1,000,000, or any', only(limitOf(MOST_VALUES)));
  const subjects = take('subjects', 'a number from 1 to 1,000, or any', only(limitOf(MOST_SUBJECTS)));
  const dossier = take('dossier', 'sha256:HEX', only(digestOf));
  const time = 'a time such as 2026-11-30T20:00:00Z, of the years 2020 to 2099';
  const asked = take('asked', time, only(timeOf));
  const from = take('from', time, only(timeOf));
  if (from < asked || from > asked + LATEST_START) fields.refuse('"from" is before "asked", or over 7 days after it');
  const until = take('until', time, only(timeOf));
  if (until <= from || until > from + MOST_SECONDS) fields.refuse('"until" is not 1 second to 31 days after "from"');
  fields.end();
  return Object.freeze({
    text,
    sha256: digestHex(utf8(text)),
    id,
    charter: Object.freeze(charter),
    domain,
    requester,
    desk,
    verb,
    purpose,
    case: Object.freeze(case_),
    scopes: Object.freeze(scopes),
    values: values === 'any' ? null : values,
    subjects: subjects === 'any' ? null : subjects,
    dossier,
    asked,
    from,
    until,
  });
}

/** Writes the text of a warrant, and reads it, so that no wrong one is written. */
export function writeWarrant(fields: WarrantFields): Warrant {
  const { charter } = fields;
  const shown = 'shown' in fields.case ? fields.case.shown : `commit sha256:${fields.case.commit}`;
  return parseWarrant(
    [
      TITLE,
      `id ${fields.id}`,
      `charter ${charter.version} sha256:${charter.sha256}`,
      `domain ${fields.domain}`,
      `requester ${fields.requester}`,
      `desk ${fields.desk}`,
      `verb ${fields.verb}`,
      `purpose ${fields.purpose}`,
      `case ${shown}`,
      `scopes ${fields.scopes.join(' ')}`,
      `values ${fields.values ?? 'any'}`,
      `subjects ${fields.subjects ?? 'any'}`,
      `dossier sha256:${fields.dossier}`,
      `asked ${writeTime(fields.asked)}`,
      `from ${writeTime(fields.from)}`,
      `until ${writeTime(fields.until)}`,
      '',
    ].join('\n'),
  );
}

/** Reads a name of a domain, an officer, a desk or a purpose. */
export function nameOf(item: string | undefined): string | null {
  return item !== undefined && NAME_PATTERN.test(item) ? item : null;
}

function idOf(item: string | undefined): string | null {
  return item?.length === 26 && decode(item) !== null ? item : null;
}

function charterOf({ items }: Line): WarrantFields['charter'] | null {
  const version = wholeOf(items[0]);
  const sha256 = digestOf(items[1]);
  return items.length === 2 && version !== null && version > 0 && sha256 !== null ? { version, sha256 } : null;
}

function verbOf(item: string | undefined): WarrantVerb | null {
  return VERBS.find((verb) => verb === item) ?? null;
}

function caseOf({ items }: Line): WarrantCase | null {
  const [first, second] = items;
  if (items.length === 1) return CASE.test(first!) ? { shown: first! } : null;
  const commit = items.length === 2 && first === 'commit' ? digestOf(second) : null;
  return commit === null ? null : { commit };
}

function scopesOf({ items }: Line): readonly string[] | null {
  const isFit = items.every((item, i) => isScope(item) && (i === 0 || items[i - 1]! < item));
  return items.length > 0 && isFit ? items : null;
}

/** Reads a number from 1 to the most, or `any`. */
function limitOf(most: number): (item: string | undefined) => number | 'any' | null {
  return (item) => {
    if (item === 'any') return 'any';
    const number = wholeOf(item);
    return number !== null && number >= 1 && number <= most ? number : null;
  };
}
