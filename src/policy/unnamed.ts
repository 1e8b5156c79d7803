/**
 * Issues of names that a policy does not have. A name of a field belongs in a message, because nobody can mend a policy
 * without it. But the names of an object may be data as well: those of a map from people to numbers are people. So a
 * name is shown only if it looks like the name of a field, and at most {@link MOST} names of one object are.
 */

import { visible } from '../core/visible.ts';
import type { Issue } from '../errors.ts';
import { badName, escapeName } from './file/path.ts';

/** How many unknown names of one object are shown. If it has more, they are counted instead. */
const MOST = 3;

/**
 * How many different unknown names of the same object a run shows; each worker counts for itself. Fields are added one
 * by one; a file with other names in each record has data for names.
 */
const MOST_IN_RUN = 10;

/** The longest name that is shown, in UTF-16 code units. */
const LONGEST = 64;

/** The most digits of a name that is shown: years and numbers of versions have so many, identifiers have more. */
const MOST_DIGITS = 4;

/** The names that a policy has at one place: a map or a set. */
export interface Names {
  readonly has: (name: string) => boolean;
  readonly keys: () => Iterable<string>;
}

/** What an issue says about a name that the policy does not have, or about several names that are not shown. */
export interface OtherName {
  /** The name, as a path of a policy has it; `null` if it is not shown. */
  readonly name: string | null;
  readonly message: string;
  /** How many names it is about, if they are not shown. */
  readonly count: number;
}

/**
 * Describes the names of an object that the policy does not have.
 *
 * @param others these names. When a record is revealed, names that the policy drops may be among them.
 * @param known the names that the policy has at this place.
 * @param object what the names are in, for the message: `record`, `object`, `STRUCT`.
 * @param beside whether the object has a name of the policy as well, so that it is no map of another kind.
 * @param seen the names that were shown for other records of the run. Names that are shown are added.
 */
export function otherNames(
  others: readonly string[],
  known: Names,
  object: string,
  beside: boolean,
  seen: Set<string> = new Set(),
): OtherName[] {
  const dropped = others.filter((name) => known.has(name));
  const unknown = others.filter((name) => !known.has(name));
  const described = dropped.map((name) => shown(name, DROPPED));
  const shownNames = unknown.length > MOST ? [] : unknown.filter((name) => mayBeShown(name, known, beside, seen));
  for (const name of shownNames) described.push(shown(name, adviceFor(name, known)));
  const hidden = unknown.length - shownNames.length;
  if (hidden > 0) described.push({ name: null, message: hiddenMessage(hidden, object), count: hidden });
  return described;
}

/**
 * The issue of such a name, and its path.
 *
 * @param parent path of the object; `null` for the record itself.
 */
export function unnamedIssue(
  { name, message, count }: OtherName,
  parent: string | null,
): Issue & { path: string | null } {
  if (name === null) return { code: 'unnamed_field', message, path: parent, actual: count };
  return { code: 'unnamed_field', message, path: parent === null ? name : `${parent}.${name}` };
}

function shown(name: string, message: string): OtherName {
  return { name: visible(escapeName(name)), message, count: 1 };
}

const DROPPED = 'the policy drops this field, so a protected record does not have it; was it protected by this policy?';

const ADVICE = 'name it, or set unnamed: drop';

function adviceFor(name: string, known: Names): string {
  const like = alike(name, known);
  if (like !== null) {
    return `the policy does not name this field; it names ${escapeName(like.name)}, which differs only in ${like.how}`;
  }
  return badName(name) === null
    ? `the policy does not name this field; ${ADVICE}`
    : 'the policy does not name this field, and no policy can; remove it, or set unnamed: drop';
}

function hiddenMessage(count: number, object: string): string {
  const fields = count === 1 ? 'a field' : `${count} fields`;
  const names = count === 1 ? 'its name is not shown, because it' : 'their names are not shown, because they';
  const advice = count === 1 ? ADVICE : 'name them, or set unnamed: drop';
  return `the ${object} has ${fields} that the policy does not name (${names} may be data); ${advice}`;
}

function mayBeShown(name: string, known: Names, beside: boolean, seen: Set<string>): boolean {
  if (alike(name, known) !== null) return true;
  if (looksLikeData(name) || (!beside && /\s/.test(name))) return false;
  if (seen.size < MOST_IN_RUN) seen.add(name);
  return seen.has(name);
}

/**
 * Returns whether a name is more like a value than like the name of a field: an e-mail address, a number, an identifier
 * with many digits, a long text.
 */
export function looksLikeData(name: string): boolean {
  if (name.length > LONGEST || !/\p{L}/u.test(name) || name.indexOf('@', 1) > 0) return true;
  return (name.match(/\p{Nd}/gu) ?? []).length > MOST_DIGITS;
}

/** How two names can differ and yet be meant as one, the smallest difference first. */
const DIFFERENCES: readonly (readonly [how: string, fold: (name: string) => string])[] = [
  ['Unicode normalisation', (name) => name.normalize('NFKC')],
  ['letter case', (name) => name.toLowerCase()],
  ['white space', (name) => name.replace(/\s+/g, '')],
  ['letter case, white space or Unicode normalisation', fold],
];

function fold(name: string): string {
  return name.normalize('NFKC').toLowerCase().replace(/\s+/g, '');
}

/**
 * Returns the known name that differs from a name only in letter case, white space or Unicode normalisation, and in
 * which of them; `null` if there is none.
 */
export function alike(name: string, known: Names): { readonly name: string; readonly how: string } | null {
  if (name.length > LONGEST) return null;
  const found = foldedNames(known).get(fold(name));
  if (found === undefined) return null;
  return { name: found, how: DIFFERENCES.find(([, by]) => by(found) === by(name))![0] };
}

const FOLDED: WeakMap<Names, ReadonlyMap<string, string>> = /* @__PURE__ */ new WeakMap();

/** The names by their folded forms. They are kept, because every record of a run may have the same wrong name. */
function foldedNames(known: Names): ReadonlyMap<string, string> {
  let folded = FOLDED.get(known);
  if (folded === undefined) {
    folded = new Map(Array.from(known.keys(), (name) => [fold(name), name]));
    FOLDED.set(known, folded);
  }
  return folded;
}
