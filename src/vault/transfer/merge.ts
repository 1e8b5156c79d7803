/**
 * Joins rows of another store with those of this one. What was erased on either side is erased, and of two live ones that
 * differ the one that is there stays: so neither the order of the rows nor how often one comes makes a difference.
 *
 * A subject is erased as a whole. Its row names a handle, which leads to its key, so where the row of a subject is erased
 * on one side, the key that the other side has for it is erased as well.
 */

import { concat } from '../../core/bytes.ts';
import { fail } from '../../errors.ts';
import { randomBytes } from '../../kernel/random.ts';
import { isOver, today } from '../days.ts';
import { mapKey } from '../map-key.ts';
import { type Content, HANDLE, isSameContent, LINK } from '../rows/content.ts';
import { findGraves } from '../rows/graves.ts';
import type { Draft, Found, View } from '../rows/view.ts';
import type { Session } from '../session.ts';
import type { Change, Row, Stale, Table } from '../stores/store.ts';
import { KEY, ROUNDS } from '../subjects.ts';

/** A row of another store, opened. */
export interface Item {
  readonly table: Table;
  readonly inner: Uint8Array;
  readonly content: Content;
  readonly expires: number | null;
  /**
   * The live key that the live row of a subject leads to. Both are written in one change, or the key is not: a key that
   * nothing leads to cannot be shredded.
   */
  readonly key?: Item;
}

/** How many rows an item is. */
export function rowsIn({ key }: Item): number {
  return key === undefined ? 1 : 2;
}

/** A live row in whose place the store has another; `null` for one that does not verify. */
export interface Conflict {
  readonly item: Item;
  readonly there: Content | null;
}

/** A subject that is erased in the store and lives in the export: its key was erased, too. */
export interface Denied {
  /** Inner index of the row by handle. */
  readonly key: Uint8Array;
  /** Link of the subject's erased row. */
  readonly tombstone: Uint8Array;
}

/** What became of some rows. */
export interface Joined {
  /** Were absent, or had expired. */
  readonly written: number;
  /** Were there, or erased there, or are over. */
  readonly there: number;
  /** Were live, and are erased now. */
  readonly erased: number;
  /** Are as they were; the key of a subject with its row. */
  readonly conflicts: readonly Conflict[];
  /** Would erase what is live: as they were, until the whole of the export is known. */
  readonly held: readonly Item[];
  /** Erased rows of subjects that are not in the store, each perhaps a grave: they wait, too. */
  readonly graves: readonly Item[];
  /** Links of mappings whose value is erased in the store: their tokens are not to live in it either. */
  readonly refused: readonly Uint8Array[];
  readonly denied: readonly Denied[];
}

/** Whether the live row that is there gives way to the one that is given. */
export type GivesWay = (table: Table, there: Content, given: Content) => boolean;

/** How rows are joined. */
export interface Way {
  readonly givesWay?: GivesWay;
  /** Whether what is live is erased; otherwise such rows are held back. */
  readonly erase?: boolean;
  /** Whether a grave was held back, by its inner index. */
  readonly isHeld?: (grave: Uint8Array) => boolean;
}

/** Rows that are joined at once. */
export const BATCH = 1000;

/** Joins some rows, no two of them in one place. */
export async function join(session: Session, items: readonly Item[], way: Way = {}): Promise<Joined> {
  for (let round = 0; round < ROUNDS; round++) {
    const done = await session.steady((view) => joinOnce(session, view, items, way));
    if (done !== null) return done;
    if (items.length === 1) continue;
    // Somebody else changed one of them: the halves are tried, and in the end each alone.
    const half = items.length >> 1;
    const first = await join(session, items.slice(0, half), way);
    return add(first, await join(session, items.slice(half), way));
  }
  return fail('store_busy', 'others change the same rows all the time; try again');
}

/** `apart` is a key whose row is a conflict. */
type Verdict = 'written' | 'there' | 'erased' | 'conflict' | 'held' | 'grave' | 'apart';

/** Makes all changes, or none (`null`) when a row is no longer as it was read. */
async function joinOnce(
  session: Session,
  view: View,
  items: readonly Item[],
  way: Way,
): Promise<Joined | null | Stale> {
  const counts = { written: 0, there: 0, erased: 0, conflict: 0, held: 0, grave: 0, apart: 0 };
  const [conflicts, held, graves, orphans] = [[] as Conflict[], [] as Item[], [] as Item[], [] as Item[]];
  const [refused, denied] = [[] as Uint8Array[], [] as Denied[]];
  const changes: (Change & { readonly verdict: 'written' | 'there' | 'erased' })[] = [];
  for (const table of new Set(items.map((item) => item.table))) {
    const ours = items.flatMap((item) => (item.table !== table ? [] : item.key ? [item, item.key] : [item]));
    const hasKey = (i: number) => ours[i]!.key !== undefined;
    const places = view.placesOf([concat(ours.map(({ inner }) => inner))]);
    const rows = places.pick(await view.store.get(table, places.all));
    const found = view.openMany(table, rows);
    const verdicts = ours.map((item, i) => judge(item, rows[i], found[i]!, way));
    for (let i = 1; i < ours.length; i++) {
      if (!hasKey(i - 1)) continue;
      if (verdicts[i - 1] === 'conflict') verdicts[i] = 'apart';
      else if (found[i - 1]?.content.state === 'erased') verdicts[i] = 'there';
    }
    const isRefused = ours.map(({ content }, i) => {
      return table === 'value' && content.state === 'live' && found[i]?.content.state === 'erased';
    });
    for (const i of await whatIsOver(view, ours, verdicts, isRefused, way)) {
      verdicts[i] = 'there';
      isRefused[i] = false;
    }
    const drafts: { readonly draft: Draft; readonly i: number }[] = [];
    for (const [i, item] of ours.entries()) {
      const { inner, content, expires } = item;
      const row = rows[i];
      const there = found[i]?.content ?? null;
      const verdict = verdicts[i]!;
      counts[verdict]++;
      if (isRefused[i]) refused.push(content.link);
      if (verdict === 'conflict') conflicts.push({ item, there });
      else if (verdict === 'held') held.push(item);
      else if (verdict === 'grave') graves.push(item);
      else if (isOfSubject(table, content) && content.state === 'live') {
        if (there?.state === 'erased') {
          const key = keyOf(session, content);
          orphans.push(key);
          denied.push({ key: key.inner, tombstone: there.link });
        }
      } else if (isOfSubject(table, content) && verdict === 'erased') orphans.push(keyOf(session, there!));
      if (verdict === 'there' && hasKey(i) && verdicts[i + 1] === 'written') {
        // The row goes along as it is: if somebody changes it meanwhile, the key is not written.
        drafts.push({ draft: { at: { instead: row! }, content: there!, expires: row!.expires }, i });
      }
      if (verdict !== 'written' && verdict !== 'erased') continue;
      drafts.push({ draft: { at: row === undefined ? { inner } : { instead: row }, content, expires }, i });
    }
    const sealed = view.sealMany(
      table,
      drafts.map(({ draft }) => draft),
    );
    for (const [k, to] of sealed.entries()) {
      const { i } = drafts[k]!;
      const verdict = verdicts[i] as 'written' | 'there' | 'erased';
      changes.push({ table, index: to.index, from: rows[i]?.version ?? 0, to, verdict });
    }
  }
  if (orphans.length > 0) {
    // First the keys: once the row of a subject is erased, nothing leads to its key any more.
    counts.erased += (await join(session, orphans, { erase: true })).erased;
    const settled = new Set(view.placesOf([concat(orphans.map(({ inner }) => inner))]).all.map(mapKey));
    for (const [i, { table, index, verdict }] of [...changes.entries()].toReversed()) {
      if (table !== 'subject' || !settled.has(mapKey(index))) continue;
      changes.splice(i, 1);
      counts[verdict]--;
      counts.there++;
    }
  }
  const { written, there, erased } = counts;
  const done = { written, there, erased, conflicts, held, graves, refused, denied };
  if (changes.length === 0) return done;
  const all = await view.store.change(
    view.meta.generation,
    changes.map(({ table, index, from, to }) => ({ table, index, from, to })),
  );
  return all === 'stale' ? all : all ? done : null;
}

/** The places of rows that would be written, or would erase, though what has their link is over. */
async function whatIsOver(
  view: View,
  items: readonly Item[],
  verdicts: readonly Verdict[],
  isRefused: readonly boolean[],
  { isHeld }: Way,
): Promise<number[]> {
  const asked = items.flatMap(({ table, content }, i) => {
    const verdict = verdicts[i]!;
    const isLive = content.state === 'live' && table !== 'subject' && (verdict !== 'there' || isRefused[i]);
    // A tombstone has a grave where a value, or a subject, came back in its place.
    const isTombstone =
      (verdict === 'held' || verdict === 'erased') && (table !== 'subject' || isOfSubject(table, content));
    return isLive || isTombstone ? [i] : [];
  });
  const { rows, inners } = await findGraves(
    view,
    asked.map((i) => items[i]!.content.link),
  );
  return asked.filter((_, k) => rows[k] !== undefined || isHeld?.(inners[k]!) === true);
}

function judge(
  { table, content }: Item,
  row: Row | undefined,
  found: Found | null,
  { givesWay, erase = false }: Way,
): Verdict {
  if (row === undefined)
    return content.state === 'erased' && isOfSubject(table, content) && !erase ? 'grave' : 'written';
  if (found === null) return 'conflict';
  const there = found.content;
  if (isSameContent(table, there, content) || there.state === 'erased') return 'there';
  if (isOver(row, today())) return 'written';
  if (content.state === 'erased') return erase ? 'erased' : 'held';
  return givesWay?.(table, there, content) ? 'written' : 'conflict';
}

/** What became of no rows. */
export const NOTHING: Joined = {
  written: 0,
  there: 0,
  erased: 0,
  conflicts: [],
  held: [],
  graves: [],
  refused: [],
  denied: [],
};

export function add(a: Joined, b: Joined): Joined {
  return {
    written: a.written + b.written,
    there: a.there + b.there,
    erased: a.erased + b.erased,
    conflicts: [...a.conflicts, ...b.conflicts],
    held: [...a.held, ...b.held],
    graves: [...a.graves, ...b.graves],
    refused: [...a.refused, ...b.refused],
    denied: [...a.denied, ...b.denied],
  };
}

/** Whether this is the live row of a key. */
export function isKey(table: Table, content: Content): boolean {
  return table === 'subject' && content.state === 'live' && content.rest.length === KEY;
}

/** Whether this is the row of a subject, which names a handle, and not that of a key. */
export function isOfSubject(table: Table, { rest }: Content): boolean {
  return table === 'subject' && rest.length === HANDLE;
}

/** The erased row of the key that the row of a subject leads to. */
function keyOf(session: Session, { inner, rest: handle }: Content): Item {
  const content: Content = { state: 'erased', inner, link: randomBytes(LINK), rest: new Uint8Array(KEY) };
  return { table: 'subject', inner: session.subjects.keyIndexesOf([handle]), content, expires: null };
}
