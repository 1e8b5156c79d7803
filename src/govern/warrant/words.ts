/**
 * A warrant in words, for those who have to agree to it: who asks, for whom and why, how much of what is possible,
 * until when, and who else must sign. What comes from a dossier is somebody's input, so everything that is not a plain
 * character is shown as an escape: nothing in it can repaint or reorder the screen on which an officer decides.
 */

import { checkOptions } from '../../core/checks.ts';
import { escapeOf } from '../../core/visible.ts';
import { fail } from '../../errors.ts';
import type { Charter, Officer, Purpose } from '../charter/charter.ts';
import { checkIsCharter } from '../charter/parse.ts';
import { demandsInWords, matchDemands } from '../officers/matching.ts';
import type { Demand } from '../text/items.ts';
import { writeTime } from '../text/items.ts';
import { candidatesOf, checkDemands, type Signed, signedSoFar } from './approvals.ts';
import { type Dossier, type DossierSubject, NOT_ITS_OWN, parseDossier } from './dossier.ts';
import { parseWarrant, type Warrant } from './warrant.ts';

/** Options of {@link warrantInWords}. */
export interface WarrantWordsOptions {
  readonly charter: Charter;
  /** The file of the dossier, as text or bytes. Without it, neither the people nor the reason are known. */
  readonly dossier?: string | Uint8Array | undefined;
  /** Demands on top of those of the purpose. **Warning**: they say that somebody is protected; not for requesters. */
  readonly extra?: readonly Demand[] | undefined;
}

/**
 * A warrant in words, as lines without line feeds: who asks, for whom and why, how much of what is possible, until
 * when, who has signed and who still has to.
 *
 * It does not say whether the warrant is valid: `verifyWarrant` does. Every text of the dossier is in quotation marks,
 * on one line, with everything that is not shown as it is as an escape.
 *
 * @param note the warrant, with or without signatures.
 * @throws TrefoilError `warrant_invalid`; `note_invalid`, `signature_invalid`, `ssh_signature_invalid`;
 * `dossier_not_canonical`, `dossier_wrong` also if the dossier is not the one of this warrant.
 *
 * @example
 * ```ts
 * import { warrantInWords } from 'trefoil/govern';
 *
 * const page = (...args: Parameters<typeof warrantInWords>): string => warrantInWords(...args).join('\n');
 * ```
 */
export function warrantInWords(note: string | Uint8Array, options: WarrantWordsOptions): readonly string[] {
  const given = checkOptions<WarrantWordsOptions>('options', options, ['charter', 'dossier', 'extra']);
  const charter = checkIsCharter('charter', given.charter);
  const extra = checkDemands('extra', given.extra);
  const warrant = parseWarrant(note);
  const dossier = given.dossier === undefined ? null : parseDossier(given.dossier);
  if (dossier !== null && dossier.sha256 !== warrant.dossier) fail('dossier_wrong', NOT_ITS_OWN);
  const signed = signedSoFar(note, warrant.text, charter, 'warrant@trefoil');
  return inWords({ warrant, dossier, charter, signed, extra });
}

/** What is shown. */
export interface WarrantView {
  readonly warrant: Warrant;
  /** `null` if the dossier is not at hand: then neither the people nor the reason are known. */
  readonly dossier: Dossier | null;
  readonly charter: Charter;
  /** The verified signatures. */
  readonly signed: Signed;
  /** Demands on top of those of the purpose. **Warning**: they say that somebody is protected; not for requesters. */
  readonly extra?: readonly Demand[];
}

/**
 * A warrant in words, as lines without line feeds. Every text of the dossier is in quotation marks and on one line.
 */
export function inWords({ warrant, dossier, charter, signed, extra = [] }: WarrantView): readonly string[] {
  const purpose = charter.purposes.get(warrant.purpose) ?? null;
  return [
    `${warrant.requester} asks to ${warrant.verb}${purpose?.isGlass === true ? ', by BREAK-GLASS' : ''}`,
    ...rows([
      ['purpose', purposeInWords(warrant, purpose)],
      ['case', caseInWords(warrant, dossier)],
      ['reason', dossier === null ? NO_DOSSIER : quoted(dossier.reason)],
      ['people', breadth(warrant.subjects, purpose?.subjects, 'people')],
      ...peopleInWords(dossier),
      ['values', breadth(warrant.values, purpose?.values, 'values')],
      ...warrant.scopes.map((scope, i): Row => [i === 0 ? 'scopes' : '', scope]),
      ['used by', `desk ${warrant.desk}${charter.desks.get(warrant.desk)?.of === warrant.requester ? '' : UNKNOWN}`],
      ['asked', writeTime(warrant.asked)],
      ['valid', validityInWords(warrant, purpose)],
      ...(purpose === null ? [] : promises(purpose)),
      ['charter', `version ${warrant.charter.version} of ${warrant.domain}, sha256:${warrant.charter.sha256}`],
      ['signed by', signersInWords(signed, warrant)],
      ['missing', missingInWords(signed, warrant, charter, purpose, extra)],
      ['what is signed', `the text with the digest sha256:${warrant.sha256}`],
    ]),
  ];
}

type Row = readonly [label: string, text: string];

const NO_DOSSIER = '(the dossier is not here)';
const UNKNOWN = ' (NOT IN THE CHARTER)';

function rows(list: readonly Row[]): readonly string[] {
  return list.map(([label, text]) => `  ${label.padEnd(15)} ${text}`);
}

function purposeInWords({ purpose: name }: Warrant, purpose: Purpose | null): string {
  if (purpose === null) return `${name}${UNKNOWN}`;
  return purpose.dpv === null ? name : `${name} (dpv:${purpose.dpv})`;
}

function caseInWords({ case: stated }: Warrant, dossier: Dossier | null): string {
  if ('shown' in stated) return stated.shown;
  return dossier === null ? NO_DOSSIER : `${dossier.case} (the log has a commitment in its place)`;
}

/** `4 of up to 50 values`. */
function breadth(asked: number | null, most: number | null | undefined, noun: string): string {
  if (asked === null) return `ANY NUMBER of ${noun}`;
  if (most === undefined) return `${number(asked)} ${noun}`;
  return most === null
    ? `${number(asked)} ${noun} (the purpose has no limit)`
    : `${number(asked)} of up to ${number(most)} ${noun}`;
}

function peopleInWords(dossier: Dossier | null): readonly Row[] {
  return dossier === null ? [] : dossier.subjects.map((subject, i): Row => ['', `${i + 1}. ${personInWords(subject)}`]);
}

function personInWords(subject: DossierSubject): string {
  return 'token' in subject ? `token ${subject.token}` : `text ${quoted(subject.text)}`;
}

function validityInWords({ from, until }: Warrant, purpose: Purpose | null): string {
  const most = purpose === null ? '' : ` of up to ${duration(purpose.seconds)}`;
  return `from ${writeTime(from)} until ${writeTime(until)}: ${duration(until - from)}${most}`;
}

/** What the charter says about every use of the purpose. */
function promises({ witnessed, show, isUnbound, ratify }: Purpose): readonly Row[] {
  const seen =
    witnessed === null
      ? 'by nobody outside'
      : witnessed === 'before'
        ? 'by others, before anything is opened'
        : `by others, within ${duration(witnessed)} after it`;
  const told = show === null ? 'never by an extract of the log' : `after ${duration(show)}`;
  const later: readonly Row[] =
    ratify === null ? [] : [['ratified', `within ${duration(ratify.seconds)}: ${demandsInWords(ratify.demands)}`]];
  const unbound: readonly Row[] = isUnbound
    ? [['bound to', 'NOBODY: whose values they are is the word of the desk']]
    : [];
  return [['witnessed', seen], ['person is told', told], ...later, ...unbound];
}

function signersInWords({ officers }: Signed, { requester }: Warrant): string {
  if (officers.length === 0) return 'nobody';
  return officers
    .map(({ handle, roles }) => (handle === requester ? `${handle} (asks)` : `${handle} (${roles.join(', ')})`))
    .join('; ');
}

function missingInWords(
  signed: Signed,
  { requester: handle, desk }: Warrant,
  charter: Charter,
  purpose: Purpose | null,
  extra: readonly Demand[],
): string {
  const requester = charter.officers.get(handle);
  if (requester === undefined || purpose === null) return '(cannot be said: not in the charter)';
  const demands = [...purpose.approvals, ...extra];
  const { missing } = matchDemands(candidatesOf(signed, requester, charter.desks.get(desk) ?? null), demands);
  const parts = missing.map((demand) => `${demandsInWords([demand])}${couldSign(demand, signed, requester, charter)}`);
  if (!signed.officers.includes(requester)) parts.unshift('the requester');
  return parts.length === 0 ? 'nobody' : parts.join('; ');
}

/** ` (anna or bela)`: who has the role and has not signed. */
function couldSign({ role }: Demand, { officers }: Signed, requester: Officer, charter: Charter): string {
  const others = [...charter.officers.values()].filter(
    (officer) => officer !== requester && officer.roles.includes(role) && !officers.includes(officer),
  );
  return others.length === 0 ? ' (NOBODY LEFT)' : ` (${others.map(({ handle }) => handle).join(', ')})`;
}

/** `12 hours`, `90 minutes`, `7 days`. */
export function duration(seconds: number): string {
  for (const [unit, name] of [
    [86_400, 'day'],
    [3600, 'hour'],
    [60, 'minute'],
  ] as const) {
    // Hours are shown up to two days, as the purposes of charters state them.
    if (seconds % unit === 0 && (unit !== 86_400 || seconds > 2 * unit)) return plural(seconds / unit, name);
  }
  return plural(seconds, 'second');
}

function plural(value: number, noun: string): string {
  return `${number(value)} ${noun}${value === 1 ? '' : 's'}`;
}

function number(value: number): string {
  return value.toLocaleString('en-GB');
}

/**
 * Everything but letters, marks, digits, punctuation, symbols and the space; and what is one of these and invisible, or
 * a quotation mark or backslash, which delimit the text and its escapes.
 */
const NOT_PLAIN =
  /[^\p{L}\p{M}\p{N}\p{P}\p{S} ]|[\p{Default_Ignorable_Code_Point}\p{Bidi_Control}"\\\u115f\u1160\u2800\u3164\uffa0]/gu;

/** A text in quotation marks, on one line, with everything that is not shown as it is as an escape of JavaScript. */
export function quoted(text: string): string {
  const shown = text.replace(NOT_PLAIN, (character) =>
    character === '"' || character === '\\' ? `\\${character}` : escapeOf(character),
  );
  return `"${shown}"${MIXED.test(text) ? ' (WORDS WITH LETTERS OF TWO SCRIPTS)' : ''}`;
}

/** A word with Latin letters and with Cyrillic or Greek ones, many of which look like Latin ones. */
const MIXED =
  /\p{Script=Latin}[\p{L}\p{M}\p{N}]*[\p{Script=Cyrillic}\p{Script=Greek}]|[\p{Script=Cyrillic}\p{Script=Greek}][\p{L}\p{M}\p{N}]*\p{Script=Latin}/u;
