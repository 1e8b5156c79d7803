/** The lines of a charter about what a warrant may be for: `purpose`, and `glass` for emergencies. */

import type { Refuse } from '../text/lines.ts';
import type { Purpose, WarrantVerb } from './charter.ts';
import type { Arranged } from './order.ts';
import { type Words, wordsOf } from './words.ts';

/** The most people of one warrant. */
export const MOST_SUBJECTS = 1000;

/** The most values of one warrant, unless it is about whole tables. */
export const MOST_VALUES = 1_000_000;

/** The longest validity of a warrant, in hours: 31 days. */
export const MOST_HOURS = 744;

/** The most glass warrants of a window. */
const MOST_GLASS = 1000;

const VERBS: readonly WarrantVerb[] = ['reveal', 'rekey', 'erase', 'lookup', 'project'];

/** A name of the Data Privacy Vocabulary (https://w3id.org/dpv). Whether it has this name is not looked up. */
const DPV = /^dpv:[A-Z][A-Za-z0-9]{0,63}$/;

/** Reads the lines. Purposes and break-glass purposes share their names. */
export function readPurposes(arranged: Arranged, countsPeople: boolean, refuse: Refuse): ReadonlyMap<string, Purpose> {
  const purposes = new Map<string, Purpose>();
  for (const line of [...arranged.all('purpose'), ...arranged.all('glass')]) {
    const words = wordsOf(line, refuse);
    const purpose = line.word === 'glass' ? readGlass(words) : readPurpose(words);
    if (purposes.has(purpose.name)) words.refuse('a purpose of this name is already in the charter');
    if (purpose.subjects !== null && !countsPeople) {
      words.refuse('the purpose counts people, and the charter has no line subject, which says by which tokens');
    }
    purposes.set(purpose.name, purpose);
  }
  return purposes;
}

/**
 * `purpose NAME [dpv:NAME] verb … scopes … approvals … values … [subjects …] hours … witnessed … show … [unbound]`
 */
function readPurpose(words: Words): Purpose {
  const { name, dpv } = readName(words);
  words.word('verb');
  const verb = words.oneOf('a verb', VERBS);
  words.word('scopes');
  const scopes = words.scopes();
  words.word('approvals');
  const approvals = words.demands();
  words.word('values');
  const values = words.maybe('any') ? null : words.number('the most values, or any', 1, MOST_VALUES);
  const subjects = words.maybe('subjects') ? words.number('the most people', 1, MOST_SUBJECTS) : null;
  // A warrant for people has a list of them, and a list has an end.
  if (values === null && subjects !== null) words.refuse('a purpose with subjects states the most values as a number');
  const seconds = readHours(words);
  words.word('witnessed');
  const witnessed = words.maybe('no') ? null : readWitnessed(words);
  const show = readShow(words);
  if (subjects === null && show !== null) {
    words.refuse('a purpose without subjects is about whole tables, and its people cannot be told: write show never');
  }
  const isUnbound = readUnbound(words);
  return Object.freeze({
    ...{ name, isGlass: false, verb, dpv, scopes, approvals, values, subjects, seconds, witnessed, show, isUnbound },
    ratify: null,
    atMost: null,
  });
}

/** `glass NAME [dpv:NAME] verb reveal … ratify DUR N:ROLE[,…] at-most EACH ALL per DUR show … [unbound]` */
function readGlass(words: Words): Purpose {
  const { name, dpv } = readName(words);
  words.word('verb');
  const verb = words.oneOf('the verb of glass', ['reveal'] as const);
  words.word('scopes');
  const scopes = words.scopes();
  words.word('approvals');
  const approvals = words.maybe('none') ? Object.freeze([]) : words.demands();
  words.word('values');
  const values = words.number('the most values', 1, MOST_VALUES);
  words.word('subjects');
  const subjects = words.number('the most people', 1, MOST_SUBJECTS);
  const seconds = readHours(words);
  words.word('witnessed');
  const witnessed = readWitnessed(words);
  words.word('ratify');
  const ratify = Object.freeze({ seconds: words.duration('the time to ratify'), demands: words.demands() });
  words.word('at-most');
  const each = words.number('the most warrants of one requester', 1, MOST_GLASS);
  const all = words.number('the most warrants of all', each, MOST_GLASS);
  words.word('per');
  const atMost = Object.freeze({ each, all, seconds: words.duration('the window') });
  const show = readShow(words);
  const isUnbound = readUnbound(words);
  return Object.freeze({
    ...{ name, isGlass: true, verb, dpv, scopes, approvals, values, subjects, seconds, witnessed, show, isUnbound },
    ratify,
    atMost,
  });
}

function readName(words: Words): { readonly name: string; readonly dpv: string | null } {
  const name = words.name('the name of the purpose');
  const dpv = words.prefixed('dpv:');
  if (dpv !== null && !DPV.test(dpv)) words.refuse('expected dpv: and a name of letters, as dpv:CustomerCare');
  return { name, dpv: dpv === null ? null : dpv.slice('dpv:'.length) };
}

function readHours(words: Words): number {
  words.word('hours');
  return 3600 * words.number('the longest validity in hours', 1, MOST_HOURS);
}

function readWitnessed(words: Words): 'before' | number {
  return words.maybe('before') ? 'before' : words.duration('before, or the time for cosignatures');
}

function readShow(words: Words): number | null {
  words.word('show');
  return words.maybe('never') ? null : words.duration('never, or the time after which the person may be told');
}

function readUnbound(words: Words): boolean {
  const isUnbound = words.maybe('unbound');
  words.end();
  return isUnbound;
}
