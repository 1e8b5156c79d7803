/**
 * The header of a table (CSV, TSV) compared with the fields of a policy. The comparison is strict in both directions,
 * and everything that is wrong is reported at once.
 *
 * A message shows a name from the file only if the first line is certainly a header: if the caller has named the
 * columns, or if the line has a name of the policy. Otherwise the line may be the data of a person.
 */

import { badRange, badType, typeName } from '../core/checks.ts';
import { visible } from '../core/visible.ts';
import { type Issue, TrefoilError } from '../errors.ts';
import { type BoundInside, type Direction, isGone, type Leaf } from '../policy/bound.ts';
import { alike } from '../policy/unnamed.ts';
import { type Claim, claimsOf, columnsOf, positionsOf, type TableMap } from './columns.ts';

/**
 * Whether the output must not show which cells were empty. That is so for a constant, which hides what it replaced.
 * When a file is revealed or rekeyed, the cell is the constant itself and is written as it was read.
 *
 * @param leaf of the column; `undefined` for a column whose cells hold values, because an empty cell has none.
 */
export function hidesEmpty(leaf: Leaf | undefined, direction: Direction): boolean {
  return (direction === 'protect' || direction === 'project') && leaf?.engine.facts.origin === 'fixed';
}

/** The message for an input without bytes whose columns nobody has named. */
export const NO_HEADER: string =
  'the input is empty and does not have a header line; if it may have no records, name its columns (--header a,b,c), ' +
  'or check the step that writes it';

/** Checks an option that lists names of columns, and returns a list that the caller cannot change any more. */
export function checkNames(argument: string, names: unknown): readonly string[] {
  if (!Array.isArray(names)) badType(argument, `expected a list of names, got ${typeName(names)}`);
  const copy: readonly unknown[] = Array.from(names);
  if (copy.length === 0 || !copy.every((name) => typeof name === 'string' && name.isWellFormed())) {
    badRange(argument, 'expected at least one name, each a text without half of a surrogate pair');
  }
  return copy as readonly string[];
}

/**
 * Refuses a policy whose records do not fit into a table.
 *
 * @throws TrefoilError `not_tabular` for two fields with one header, and for two objects of the policy that would be
 * the cells of one column.
 */
export function checkTabular(inside: BoundInside): void {
  const issues: Issue[] = [];
  const seen = new Set<string>();
  const cells = new Map<string, object>();
  for (const { leaf, around } of claimsOf(new Set(), inside)) {
    const field = leaf.path;
    if (leaf.header !== null && seen.has(leaf.header)) {
      const message = 'another field has the same name as a column of a table; rename one of them';
      issues.push({ code: 'not_tabular', message, field });
    }
    if (leaf.header !== null) seen.add(leaf.header);
    for (const [name, node] of around) {
      if ((cells.get(name) ?? node) !== node) {
        const message = 'another field has the same name on the way to it, as a column of a table; rename one of them';
        issues.push({ code: 'not_tabular', message, field });
      }
      cells.set(name, node);
    }
  }
  if (issues.length > 0) throw new TrefoilError(issues);
}

/**
 * Refuses a policy with fields inside arrays, where a value cannot be a column of its own.
 *
 * @throws TrefoilError `not_tabular`.
 */
export function refuseArrays({ leaves }: BoundInside): void {
  const issues = leaves.flatMap(({ path, header }): Issue[] => {
    if (header !== null) return [];
    const message = 'a field inside an array cannot be a column of its own; use CSV, TSV or NDJSON';
    return [{ code: 'not_tabular', message, field: path }];
  });
  if (issues.length > 0) throw new TrefoilError(issues);
}

/**
 * Refuses an input whose first record has the very names that the caller has given to the columns: it has a header
 * line, which would be taken for a person.
 *
 * @throws TrefoilError `header_duplicate`.
 */
export function refuseRepeated(header: readonly string[], first: readonly (string | null)[]): void {
  if (first.length !== header.length || !header.every((name, i) => name === first[i])) return;
  const message =
    'the first line has the names that were set for the columns (--header); leave them out for this input';
  throw new TrefoilError([{ code: 'header_duplicate', message, line: 1, column: 1 }]);
}

/** What is known about a header. */
interface Header {
  readonly names: readonly string[];
  /** Whether the caller has named the columns. */
  readonly own: boolean;
  /** Whether the names are certainly those of columns. */
  readonly isCertain: boolean;
  /** The fields that the input should have. */
  readonly expected: readonly Claim[];
}

/**
 * Maps the header of an input.
 *
 * @param names the names in the header.
 * @param own whether the caller has named the columns, so that the names are certainly no data.
 * @throws TrefoilError with all of `header_missing`, `header_duplicate`, `unnamed_field` and `missing_field` at once.
 */
export function mapHeader(names: readonly string[], inside: BoundInside, direction: Direction, own = false): TableMap {
  // A protected file has no column for a dropped field: a column with its name is one that the policy does not name.
  const claims = claimsOf(new Set(names), inside).filter(({ leaf, node }) => node !== null || !isGone(leaf, direction));
  const expected = claims.filter(({ leaf }) => !isGone(leaf, direction));
  const claimed = new Set(claims.map(({ column }) => column));
  // A number may be the name of a column, and may as well be data.
  const isCertain = own || names.some((name) => claimed.has(name) && /\p{L}/u.test(name));
  const header: Header = { names, own, isCertain, expected };
  const near = nearNames(header, claimed);
  if (expected.length > 0 && near.size === 0 && !names.some((name) => claimed.has(name))) {
    throw new TrefoilError([noHeader(header)]);
  }

  const lost: Issue[] = [];
  // A column is excused from being unnamed only if an issue says which field it is nearly.
  const excused = new Set<number>();
  for (const claim of expected) {
    if (claim.column !== null) continue;
    const from = nearest(claim, near);
    // A field that may be absent is absent, unless a column would be left out that is nearly it.
    if (claim.leaf.rule.optional === true && (from === null || inside.unnamed === 'drop')) continue;
    lost.push(missing(claim, from, near));
    if (from !== null) excused.add(from);
  }

  const issues: Issue[] = [];
  const columns = columnsOf(names, claims);
  const firstAt = new Map<string, number>();
  for (const [from, name] of names.entries()) {
    const first = firstAt.get(name);
    if (first !== undefined) issues.push(duplicate(header, first, from));
    else if (inside.unnamed === 'error' && !claimed.has(name) && !excused.has(from))
      issues.push(unnamedColumn(name, from, isCertain));
    if (first === undefined) firstAt.set(name, from);
  }
  issues.push(...lost);
  if (issues.length > 0) throw new TrefoilError(issues.map((issue) => ({ ...issue, line: 1, column: 1 })));
  const inOrder = [...columns.values()].sort((a, b) => a.from - b.from);
  return { columns: inOrder, positions: positionsOf(names, claims) };
}

/** A name of the header that may be meant as a name of the policy. */
interface Near {
  /** The name that the policy has. */
  readonly name: string;
  /** What the two differ in: `white space`. */
  readonly how: string;
}

/** The columns that no field belongs to and whose names are nearly those of missing fields, by index. */
function nearNames({ names, expected }: Header, claimed: ReadonlySet<string | null>): ReadonlyMap<number, Near> {
  const wanted = new Set(expected.flatMap(({ column, candidates }) => (column === null ? candidates : [])));
  const near = new Map<number, Near>();
  const taken = new Set<string>();
  for (const [from, name] of names.entries()) {
    const found = claimed.has(name) ? null : alike(name, wanted);
    if (found === null || taken.has(found.name)) continue;
    near.set(from, found);
    taken.add(found.name);
  }
  return near;
}

function noHeader({ own }: Header): Issue {
  const code = 'header_missing';
  if (own)
    return { code, message: "none of the policy's fields is among the names of the columns", line: 1, column: 1 };
  const message =
    "none of the policy's fields is in the first line, which is not shown because it may be data; check that it is the " +
    'header, and check the delimiter; if the input has no header, name its columns (--header)';
  return { code, message, line: 1, column: 1 };
}

function duplicate({ names, isCertain, expected }: Header, first: number, from: number): Issue {
  const name = names[from]!;
  const columns = `columns ${first + 1} and ${from + 1} of the header`;
  const field = expected.find(({ leaf }) => leaf.header === name)?.leaf.path;
  const place = field === undefined ? {} : { field };
  if (name === '') return { code: 'header_duplicate', message: `${columns} have no name; name one of them`, ...place };
  const shown = isCertain && !looksLikeValue(name) ? `, ${quoted(name)}` : '';
  return { code: 'header_duplicate', message: `${columns} have the same name${shown}`, ...place };
}

/**
 * The issue of a column that the policy does not name.
 *
 * @param from index of the column.
 * @param isCertain whether the name is certainly that of a column, and no data.
 */
export function unnamedColumn(name: string, from: number, isCertain: boolean): Issue {
  const code = 'unnamed_field';
  const advice = 'name it, or set unnamed: drop';
  const column = `column ${from + 1} of the header`;
  if (name === '') {
    return {
      code,
      message: `${column} has no name; name it '' in the policy (such as '': drop), or set unnamed: drop`,
    };
  }
  if (!isCertain) {
    const why = 'its name is not shown, because the first line may be data; if it is, name the columns with --header';
    return { code, message: `${column} is not named in the policy (${why}); ${advice}` };
  }
  if (looksLikeValue(name)) {
    const why = 'its name is not shown, because it looks like data';
    return { code, message: `${column} is not named in the policy (${why}); ${advice}` };
  }
  return { code, message: `column ${from + 1}, ${quoted(name)}, is not named in the policy; ${advice}` };
}

/** The index of the column whose name is nearly that of a field; `null` if there is none. */
function nearest({ candidates }: Claim, near: ReadonlyMap<number, Near>): number | null {
  for (const [from, { name }] of near) if (candidates.includes(name)) return from;
  return null;
}

/** @param from the column whose name is nearly that of the field, if there is one. */
function missing({ leaf, candidates }: Claim, from: number | null, near: ReadonlyMap<number, Near>): Issue {
  const code = 'missing_field';
  const field = leaf.path;
  if (from !== null) {
    const { name, how } = near.get(from)!;
    const message = `column ${from + 1} of the header differs from ${quoted(name)} only in ${how}; write both in one way`;
    return { code, message, field };
  }
  const [name, ...shorter] = candidates;
  const columns =
    shorter.length === 0 ? '' : `: no column ${[name, ...shorter].map((one) => quoted(one!)).join(' or ')}`;
  return { code, message: `the header does not have the field${columns}`, field };
}

/** The longest name that a message shows, in UTF-16 code units. */
const LONGEST = 64;

function quoted(name: string): string {
  const shown = name.length > LONGEST ? `${name.slice(0, LONGEST).toWellFormed()}…` : name;
  return `"${visible(shown)}"`;
}

/**
 * Whether a name is a value and not a name even in a header, as in a table with a column for each person or day: it has
 * an e-mail address, or more digits than a year.
 */
function looksLikeValue(name: string): boolean {
  return name.indexOf('@', 1) > 0 || (name.match(/\p{Nd}/gu) ?? []).length > 4;
}
