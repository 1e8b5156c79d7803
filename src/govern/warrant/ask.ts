/** Asking: a new warrant with its dossier, checked against the charter before anybody signs it. */

import { badRange, badType, checkOptions, typeName } from '../../core/checks.ts';
import { fail } from '../../errors.ts';
import { randomBytes } from '../../kernel/random.ts';
import { encode } from '../../wire/base32.ts';
import { inspect } from '../../wire/labelled-token.ts';
import type { Charter } from '../charter/charter.ts';
import { checkIsCharter } from '../charter/parse.ts';
import {
  caseCommitment,
  type DossierFields,
  type DossierSubject,
  isSubjectText,
  isToken,
  parseDossier,
  saltOf,
  writeDossier,
} from './dossier.ts';
import { partiesOf, purposeOf } from './steps.ts';
import { CASE, CASE_FORM, MOST_SUBJECTS, type Warrant, writeWarrant } from './warrant.ts';

/** What a requester asks for. */
export interface WarrantRequest {
  /** The name of a purpose, or of a break-glass purpose. */
  readonly purpose: string;
  /** The handle of the officer who asks. */
  readonly requester: string;
  /** The handle of the desk that will use the warrant: one of the requester's. */
  readonly desk: string;
  /** The number of the case: 1 to 64 characters of A-Z, a-z, 0-9, `.`, `_`, `/` and `-`. */
  readonly case: string;
  /** `kind:[store/]scope`, in any order, each once. */
  readonly scopes: readonly string[];
  /** How many values: 1 to 1,000,000; `null`: any number, for purposes that allow it. */
  readonly values: number | null;
  /** Whom it is about: 1 to 1,000 people; `null`: any, for purposes about whole tables. */
  readonly subjects: readonly DossierSubject[] | null;
  /** Why: 10 to 2,000 characters on one line. */
  readonly reason: string;
  /** How long it is valid, in seconds: at most what the purpose allows. */
  readonly seconds: number;
  /** When it begins, in seconds since 1970; at most 7 days ahead. Default: now. */
  readonly from?: number | undefined;
}

/** Options of {@link newWarrant}. */
export interface NewWarrantOptions {
  readonly charter: Charter;
  /** The time, in seconds since 1970 in UTC. */
  readonly now: number;
  /** Returns so many random bytes. Default: the generator of the system; another one is for tests alone. */
  readonly random?: ((length: number) => Uint8Array) | undefined;
}

/** A warrant that nobody has signed, and its dossier. */
export interface NewWarrant {
  readonly warrant: Warrant;
  /** The text of the dossier, for a file that only those may read who approve and use the warrant. */
  readonly dossier: string;
}

/**
 * Makes a warrant and its dossier. The requester signs `warrant.text`, then those who approve.
 *
 * @throws TrefoilError as `verifyWarrant` for what the charter does not allow: `not_in_charter`, `unknown_purpose`,
 * `warrant_exceeds`; `dossier_wrong` for a reason that is not one; `warrant_invalid` for times and limits of the form.
 * @throws TypeError, RangeError for another wrong part of the request.
 *
 * @example
 * ```ts
 * import { newWarrant } from 'trefoil/govern';
 *
 * const ask = (options: Parameters<typeof newWarrant>[1]): string =>
 *   newWarrant(
 *     {
 *       purpose: 'support.call-back',
 *       requester: 'chris',
 *       desk: 'chris-desk',
 *       case: 'TICKET-20817',
 *       scopes: ['seal:person.name'],
 *       values: 4,
 *       subjects: [{ text: '10017' }],
 *       reason: 'The customer asks to be called back.',
 *       seconds: 12 * 3600,
 *     },
 *     options,
 *   ).warrant.text;
 * ```
 */
export function newWarrant(request: WarrantRequest, options: NewWarrantOptions): NewWarrant {
  const given = checkOptions<NewWarrantOptions>('options', options, ['charter', 'now', 'random']);
  const { charter, now, random = randomBytes } = given;
  checkIsCharter('charter', charter);
  const seconds = wholeSeconds('now', now);
  const asked = checkRequest(request);
  const purpose = charter.purposes.get(asked.purpose);
  if (purpose === undefined) return fail('unknown_purpose', 'the charter does not have this purpose');
  const from = wholeSeconds('from', asked.from ?? seconds);
  const salt = saltOf(bytesOf(random, 32));
  const fields: DossierFields = { salt, case: asked.case, subjects: asked.subjects ?? [], reason: asked.reason };
  const dossier = writeDossier(fields);
  const warrant = writeWarrant({
    id: encode(bytesOf(random, 16)),
    charter: { version: charter.version, sha256: charter.sha256 },
    domain: charter.domain,
    requester: asked.requester,
    desk: asked.desk,
    verb: purpose.verb,
    purpose: asked.purpose,
    case: charter.isCaseShown ? { shown: asked.case } : { commit: caseCommitment(fields) },
    scopes: [...asked.scopes].sort(),
    values: asked.values,
    subjects: asked.subjects === null ? null : asked.subjects.length,
    dossier: parseDossier(dossier).sha256,
    asked: seconds,
    from,
    until: from + wholeSeconds('seconds', asked.seconds),
  });
  partiesOf(warrant, charter);
  purposeOf(warrant, charter);
  return Object.freeze({ warrant, dossier });
}

const REQUEST = [
  'purpose',
  'requester',
  'desk',
  'case',
  'scopes',
  'values',
  'subjects',
  'reason',
  'seconds',
  'from',
] as const;

/** Checks what would otherwise be reported as a fault of the texts that are made from it. */
function checkRequest(request: WarrantRequest): WarrantRequest {
  const asked = checkOptions<WarrantRequest>('request', request, REQUEST);
  for (const name of ['purpose', 'requester', 'desk', 'case', 'reason'] as const) {
    if (typeof asked[name] !== 'string') badType(name, `expected text, got ${typeName(asked[name])}`);
  }
  if (!CASE.test(asked.case)) badRange('case', `expected ${CASE_FORM}`);
  if (!Array.isArray(asked.scopes) || !asked.scopes.every((scope) => typeof scope === 'string')) {
    badType('scopes', 'expected a list of texts');
  }
  if (asked.scopes.length === 0 || new Set(asked.scopes).size !== asked.scopes.length) {
    badRange('scopes', 'expected at least one scope, and each once');
  }
  if (asked.values !== null && !Number.isSafeInteger(asked.values))
    badType('values', 'expected a whole number or null');
  return asked.subjects === null ? asked : { ...asked, subjects: checkSubjects(asked.subjects) };
}

function checkSubjects(subjects: unknown): readonly DossierSubject[] {
  if (!Array.isArray(subjects)) badType('subjects', `expected a list or null, got ${typeName(subjects)}`);
  if (subjects.length === 0 || subjects.length > MOST_SUBJECTS) {
    badRange('subjects', `expected 1 to ${MOST_SUBJECTS} people`);
  }
  const seen = new Set<string>();
  return [...(subjects as DossierSubject[])].map((subject, i) => {
    const { token, text } = checkOptions<{ token?: unknown; text?: unknown }>('subjects', subject, ['token', 'text']);
    const isOne =
      (token === undefined) !== (text === undefined) && (text === undefined ? isToken(token) : isSubjectText(text));
    if (!isOne) badRange('subjects', `has a person at place ${i + 1} that is neither a token nor a text`);
    // The check characters find a token that was mistyped. It would be a warrant for nobody.
    if (token !== undefined && inspect(token as string)?.intact === false) {
      badRange('subjects', `has a token at place ${i + 1} whose check characters are wrong; copy it again`);
    }
    const one = JSON.stringify([token, text]);
    if (seen.has(one)) badRange('subjects', `has the person at place ${i + 1} twice`);
    seen.add(one);
    return token === undefined ? { text: text as string } : { token: token as string };
  });
}

function bytesOf(random: unknown, length: number): Uint8Array {
  if (typeof random !== 'function') badType('random', `expected a function, got ${typeName(random)}`);
  const bytes: unknown = random(length);
  if (bytes instanceof Uint8Array && bytes.length === length) return bytes;
  return badRange('random', 'returned something else than the bytes it was asked for');
}

/** A time or a duration in whole seconds. */
function wholeSeconds(argument: string, value: unknown): number {
  if (typeof value !== 'number') badType(argument, `expected seconds as a number, got ${typeName(value)}`);
  // The years 2020 to 2099 are checked where the text is read; this only keeps `Date` from failing.
  if (!(value > 0 && value < 4_102_444_800)) badRange(argument, 'expected seconds, at most those up to the year 2100');
  return Math.floor(value);
}
