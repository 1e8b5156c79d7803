/**
 * Joins rows of another store with those of this one. What was erased on either side is erased, and of two live ones that
 * differ the one that is there stays: so neither the order of the rows nor how often one comes makes a difference.
 *
 * A subject is erased as a whole. Its row names a handle, which leads to its key, so where the row of a subject is erased
 * on one side, the key that the other side has for it is erased as well.
 */

import { concat } from '../core/bytes.ts';
import { fail } from '../errors.ts';
import { randomBytes } from '../kernel/random.ts';
import { type Content, HANDLE, isSameContent, LINK } from './content.ts';
import { nameOf, today } from './names.ts';
import type { Session } from './session.ts';
import type { Change, Stale, Table } from './store.ts';
import { findByHandle, KEY, ROUNDS, type SubjectState } from './subjects.ts';
import { scan } from './upkeep.ts';
import type { Draft, View } from './view.ts';

/** A row of another store, opened. */
export interface Item {
  readonly table: Table;
  readonly inner: Uint8Array;
  readonly content: Content;
  readonly expires: number | null;
}

/** A live row in whose place the store has another; `null` for one that does not verify. */
export interface Conflict {
  readonly item: Item;
  readonly there: Content | null;
}

/** What became of some rows. */
export interface Joined {
  /** Were absent, or had expired. */
  readonly written: number;
  /** Were there, or erased there. */
  readonly there: number;
  /** Were live, and are erased now. */
  readonly erased: number;
  /** Are as they were. */
  readonly conflicts: readonly Conflict[];
}

/** Whether the live row that is there gives way to the one that is given. */
type GivesWay = (table: Table, there: Content, given: Content) => boolean;

/** Rows that are joined at once. */
export const BATCH = 1000;

/** Joins some rows, no two of them in one place. */
export async function join(
  session: Session,
  items: readonly Item[],
  givesWay: GivesWay = () => false,
): Promise<Joined> {
  for (let round = 0; round < ROUNDS; round++) {
    const done = await session.steady((view) => joinOnce(session, view, items, givesWay));
    if (done !== null) return done;
    if (items.length === 1) continue;
    // Somebody else changed one of them: the halves are tried, and in the end each alone.
    const half = items.length >> 1;
    const first = await join(session, items.slice(0, half), givesWay);
    return add(first, await join(session, items.slice(half), givesWay));
  }
  return fail('store_busy', 'others change the same rows all the time; try again');
}

/** Makes all changes, or none (`null`) when a row is no longer as it was read. */
async function joinOnce(
  session: Session,
  view: View,
  items: readonly Item[],
  givesWay: GivesWay,
): Promise<Joined | null | Stale> {
  const done = { written: 0, there: 0, erased: 0, conflicts: [] as Conflict[] };
  const changes: (Change & { readonly verdict: 'written' | 'erased' })[] = [];
  const orphans: Item[] = [];
  for (const table of new Set(items.map((item) => item.table))) {
    const ours = items.filter((item) => item.table === table);
    const places = view.placesOf([concat(ours.map(({ inner }) => inner))]);
    const rows = places.pick(await view.store.get(table, places.all));
    const found = view.openMany(table, rows);
    const drafts: { readonly draft: Draft; readonly from: number; readonly verdict: 'written' | 'erased' }[] = [];
    for (const [i, item] of ours.entries()) {
      const { inner, content, expires } = item;
      const row = rows[i];
      if (row === undefined) {
        drafts.push({ draft: { at: { inner }, content, expires }, from: 0, verdict: 'written' });
        done.written++;
        continue;
      }
      const there = found[i]?.content ?? null;
      const verdict = there === null ? 'conflict' : judge(item, there, row.expires, givesWay);
      if (verdict === 'conflict') done.conflicts.push({ item, there });
      else done[verdict]++;
      if (there !== null && there.state !== content.state) {
        const live = there.state === 'live' ? there : content;
        if (isOfSubject(item.table, live)) orphans.push(keyOf(session, live));
      }
      if (verdict === 'conflict' || verdict === 'there') continue;
      drafts.push({ draft: { at: { instead: row }, content, expires }, from: row.version, verdict });
    }
    const sealed = view.sealMany(
      table,
      drafts.map(({ draft }) => draft),
    );
    for (const [i, to] of sealed.entries()) {
      const { from, verdict } = drafts[i]!;
      changes.push({ table, index: to.index, from, to, verdict });
    }
  }
  if (orphans.length > 0) {
    // First the keys: once the row of a subject is erased, nothing leads to its key any more.
    done.erased += (await join(session, orphans)).erased;
    const settled = new Set(view.placesOf([concat(orphans.map(({ inner }) => inner))]).all.map(nameOf));
    for (const [i, { table, index, verdict }] of [...changes.entries()].toReversed()) {
      if (table !== 'subject' || !settled.has(nameOf(index))) continue;
      changes.splice(i, 1);
      done[verdict]--;
      done.there++;
    }
  }
  if (changes.length === 0) return done;
  const all = await view.store.change(
    view.meta.generation,
    changes.map(({ table, index, from, to }) => ({ table, index, from, to })),
  );
  return all === 'stale' ? all : all ? done : null;
}

function judge(
  { table, content }: Item,
  there: Content,
  expires: number | null,
  givesWay: GivesWay,
): 'written' | 'there' | 'erased' | 'conflict' {
  if (isSameContent(table, there, content) || there.state === 'erased') return 'there';
  if (expires !== null && expires <= today()) return 'written';
  if (content.state === 'erased') return 'erased';
  return givesWay(table, there, content) ? 'written' : 'conflict';
}

function add(a: Joined, b: Joined): Joined {
  return {
    written: a.written + b.written,
    there: a.there + b.there,
    erased: a.erased + b.erased,
    conflicts: [...a.conflicts, ...b.conflicts],
  };
}

/** Whether this is the row of a subject, which names a handle, and not that of a key. */
function isOfSubject(table: Table, { rest }: Content): boolean {
  return table === 'subject' && rest.length === HANDLE;
}

/** The erased row of the key that the row of a subject leads to. */
function keyOf(session: Session, { inner, rest: handle }: Content): Item {
  const content: Content = { state: 'erased', inner, link: randomBytes(LINK), rest: new Uint8Array(KEY) };
  return { table: 'subject', inner: session.subjects.keyIndexesOf([handle]), content, expires: null };
}

/**
 * Judges conflicts once all rows are there. A row that leads to nothing gives way: that of a subject to a key that was
 * erased, and that of a value whose token was forgotten. Both are left behind where a value or subject came back after
 * its erasure (`onErased: 'new'`).
 *
 * Of a subject that has two keys, the one that was not taken is removed again: shredding would not find it.
 */
export async function settle(session: Session, conflicts: readonly Conflict[]): Promise<Joined> {
  let settled: Joined = { written: 0, there: 0, erased: 0, conflicts: [] };
  if (conflicts.length === 0) return settled;
  const tokens = await tokensOf(session, conflicts);
  const subjects = await subjectsOf(session, conflicts);
  const givesWay: GivesWay = (table, there, given) => {
    if (table === 'value') return tokens.get(nameOf(there.link)) === false && tokens.get(nameOf(given.link)) === true;
    const key = (content: Content) => (isOfSubject(table, content) ? subjects.get(nameOf(content.rest)) : undefined);
    return key(there) === 'shredded' && typeof key(given) === 'object';
  };
  // One by one: several may be for one place.
  for (const { item } of conflicts) settled = add(settled, await join(session, [item], givesWay));
  for (const { item, there } of settled.conflicts) {
    if (there !== null && isOfSubject(item.table, item.content)) await removeKey(session, item.content.rest);
  }
  return settled;
}

/** Of the mappings whose values are in conflict, by their links: whether the token is there and live. */
async function tokensOf(session: Session, conflicts: readonly Conflict[]): Promise<ReadonlyMap<string, boolean>> {
  const live = new Map<string, boolean>();
  for (const { item, there } of conflicts) {
    if (item.table !== 'value' || there === null) continue;
    for (const { link } of [item.content, there]) live.set(nameOf(link), false);
  }
  if (live.size === 0) return live;
  for await (const rows of scan(session, 'token')) {
    const view = session.view();
    for (const row of rows) {
      const content = view.open('token', row)?.content;
      if (content?.state === 'live' && live.has(nameOf(content.link))) live.set(nameOf(content.link), true);
    }
  }
  return live;
}

/** The keys of the subjects that are in conflict, by their handles. */
async function subjectsOf(
  session: Session,
  conflicts: readonly Conflict[],
): Promise<ReadonlyMap<string, SubjectState>> {
  const handles = new Map<string, Uint8Array>();
  for (const { item, there } of conflicts) {
    for (const content of [item.content, ...(there === null ? [] : [there])]) {
      if (isOfSubject(item.table, content)) handles.set(nameOf(content.rest), content.rest);
    }
  }
  const all = [...handles];
  const found = new Map<string, SubjectState>();
  for (let first = 0; first < all.length; first += BATCH) {
    const some = all.slice(first, first + BATCH);
    const states = await session.steady((view) =>
      findByHandle(
        view,
        some.map(([, handle]) => handle),
      ),
    );
    for (const [i, [name]] of some.entries()) found.set(name, states[i]!);
  }
  return found;
}

/** Takes a live key away again. It is in the export still, and so is what it opens. */
function removeKey(session: Session, handle: Uint8Array): Promise<null> {
  return session.steady(async (view): Promise<null | Stale> => {
    const places = view.placesOf([view.subjects.keyIndexesOf([handle])]);
    const [row] = places.pick(await view.store.get('subject', places.all));
    if (row === undefined && (await view.isOlder())) return 'stale';
    if (row === undefined || view.open('subject', row)?.content.state !== 'live') return null;
    const change: Change = { table: 'subject', index: row.index, from: row.version, to: null };
    return (await view.store.change(view.meta.generation, [change])) === true ? null : 'stale';
  });
}
