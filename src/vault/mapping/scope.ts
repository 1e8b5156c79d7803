/**
 * One scope of a vault: how the rows of its mappings are named and found (docs/spec/vault-v1.md, "Inner layer").
 * sealing.ts seals and opens what is in them. All functions work on lists.
 */

import { concat, encodeList, utf8 } from '../../core/bytes.ts';
import type { Issue } from '../../errors.ts';
import { isOver, today } from '../days.ts';
import type { Content } from '../rows/content.ts';
import type { Inner, Name } from '../rows/inner.ts';
import type { Places } from '../rows/places.ts';
import { TOKEN } from '../rows/token-text.ts';
import type { OpenedRow, View } from '../rows/view.ts';
import type { Session } from '../session.ts';
import type { Row } from '../stores/store.ts';
import type { Subject } from '../subjects.ts';

/** Options of a scope. */
export interface ScopeOptions {
  readonly scope: string;
  readonly label: string | undefined;
  /** Days that a mapping is kept; `null` for ever. */
  readonly ttl: number | null;
  readonly withSubject: boolean;
  readonly onErased: 'error' | 'new';
}

/** The two tables of a scope, and the two sides of its inner layer. */
export type Which = 'value' | 'token';

/** Reports the issue of the item at an index of a list. */
export type ReportIssue = (index: number, issue: Issue) => void;

/** One scope of a vault. */
export interface Scope {
  readonly session: Session;
  readonly options: ScopeOptions;
  /** Associated data of what a subject's key seals in the table `value`. */
  readonly dataOfValue: Uint8Array;
  /** The same in the table `token`, with zeros for the token. */
  readonly dataOfTokens: Uint8Array;
}

/** The rows that a store has for some names. */
export interface Lookup {
  readonly places: Places;
  /** The row of each name. If a name has several, it is the first of: live, damaged, erased, expired. */
  readonly rows: readonly (Row | undefined)[];
  /** These rows, opened. */
  readonly opened: readonly (OpenedRow | null)[];
  /** Returns all rows of a name, opened. */
  readonly allOf: (i: number) => readonly (OpenedRow | null)[];
  /** Whether the row of some name may have moved to an index that the view does not know. */
  readonly mayHaveMoved: boolean;
}

/** What a name has under one key of the inner layer: a row under any outer key, or a free index under the first one. */
export interface Column {
  readonly inner: string;
  readonly index: Uint8Array;
  readonly row: Row | undefined;
  /** `null` if there is no row, or if it does not verify. */
  readonly content: Content | null;
}

/** Items that go to the store at once. */
export const BATCH = 1000;

export const BROKEN: Issue = {
  code: 'row_broken',
  message: 'the row in the vault is damaged or was changed; run trefoil vault verify',
};

/** A row by value is bound to no token: it is read in order to find the token. */
const NO_TOKEN: Uint8Array = /* @__PURE__ */ new Uint8Array(0);

/** Opens a scope of a vault. */
export function openScope(session: Session, options: ScopeOptions): Scope {
  const { scope } = options;
  return {
    session,
    options,
    dataOfValue: encodeList([scope, 'value', NO_TOKEN]),
    dataOfTokens: encodeList([scope, 'token', new Uint8Array(TOKEN)]),
  };
}

/** Returns the inner layer of a scope under a key. */
export function innerOf({ session, options }: Scope, id: string): Inner {
  return session.inner(id, options.scope, options.withSubject);
}

/**
 * Returns the name of a value in the inner layer: the value, preceded by the name of its subject if it has one. When
 * the subject is shredded, that name is destroyed, and nobody can compute the names of its values any more.
 */
export function nameOf(value: Name, subject: Subject | null): Name {
  if (subject === null) return value;
  return concat([subject.name, typeof value === 'string' ? utf8(value) : value]);
}

/** Returns the places of names. */
export function placesOf(scope: Scope, view: View, which: Which, names: readonly Name[]): Places {
  const inners = view.meta.inner.map((id) => innerOf(scope, id)[which].indexesOf(names));
  return view.placesOf(inners);
}

/** Looks up the rows of names. */
export async function lookUp(scope: Scope, view: View, which: Which, names: readonly Name[]): Promise<Lookup> {
  const places = placesOf(scope, view, which, names);
  const stored = await view.store.get(which, places.all);
  // Under one key of the inner layer a name has at most one row, whatever the outer keys are.
  const found =
    view.meta.inner.length === 1 ? oneEach(view, which, places, stored) : bestOfEach(view, which, places, stored);
  // A token never has a live row beside its tombstones, but a value that was protected again after it was erased does.
  const mayBeElsewhere = (row: Row | undefined, i: number) =>
    row === undefined || (which === 'value' && found.opened[i]?.content.state === 'erased');
  return { places, ...found, mayHaveMoved: found.rows.some(mayBeElsewhere) };
}

type RowsOfNames = Pick<Lookup, 'rows' | 'opened' | 'allOf'>;

function oneEach(view: View, which: Which, places: Places, stored: readonly Row[]): RowsOfNames {
  const rows = places.pick(stored);
  const opened = view.openMany(which, rows);
  return { rows, opened, allOf: (i) => (rows[i] === undefined ? [] : [opened[i]!]) };
}

function bestOfEach(view: View, which: Which, places: Places, stored: readonly Row[]): RowsOfNames {
  const each = places.pickAll(stored);
  const flat = view.openMany(which, each.flat());
  const rows = new Array<Row | undefined>(each.length).fill(undefined);
  const all: (OpenedRow | null)[][] = [];
  let at = 0;
  const day = today();
  const opened = each.map((own, i) => {
    const ours = flat.slice(at, at + own.length);
    at += own.length;
    all.push(ours);
    let best = -1;
    for (let k = 0; k < own.length; k++) {
      if (best < 0 || rankOf(ours[k]!, day) < rankOf(ours[best]!, day)) best = k;
    }
    rows[i] = own[best];
    return best < 0 ? null : ours[best]!;
  });
  return { rows, opened, allOf: (i) => all[i]! };
}

/** Rank of one of several rows of a name; the lowest counts. A row that does not verify may be the live one. */
function rankOf(opened: OpenedRow | null, day: number): number {
  if (opened === null) return 1;
  if (opened.content.state === 'erased') return 2;
  return isOver(opened.row, day) ? 3 : 0;
}

/** Returns what each name has under each key of the inner layer. */
export async function columnsOf(scope: Scope, view: View, which: Which, names: readonly Name[]): Promise<Column[][]> {
  const places = placesOf(scope, view, which, names);
  const { inner } = view.meta;
  const each = places.pickEach(await view.store.get(which, places.all));
  const opened = view.openMany(which, each.flat());
  return each.map((rows, i) => {
    return inner.map((id, k) => {
      // The columns are those of all inner keys under the first outer key, then under the second, and so on.
      const column = rows.findIndex((row, c) => row !== undefined && c % inner.length === k);
      const own = column < 0 ? null : opened[i * places.columns + column]!;
      const row = column < 0 ? undefined : rows[column];
      return { inner: id, index: row?.index ?? places.at(i, k), row, content: own?.content ?? null };
    });
  });
}
