/**
 * What is done to a whole store: verification, a change of the outer key, expiry. The outer layer is enough for all of it:
 * no token and no value is needed, and none is seen.
 */

import { cut } from '../../core/bytes.ts';
import { checkInteger } from '../../core/checks.ts';
import { writeHex } from '../../core/hex.ts';
import { fail, type Issue } from '../../errors.ts';
import { today } from '../days.ts';
import { mapKey } from '../map-key.ts';
import { HANDLE } from '../rows/content.ts';
import { INDEX } from '../rows/outer.ts';
import type { Found, View } from '../rows/view.ts';
import type { Session } from '../session.ts';
import type { Change, Row, Stale, Table, TableSize } from '../stores/store.ts';
import { groupOf, makeComparison } from './comparison.ts';

/** Rows that are looked at at once. */
const BATCH = 1000;

const TABLES: readonly Table[] = ['value', 'token', 'subject'];

/** A row that is not as it must be. */
export interface BrokenRow {
  readonly table: Table;
  /** Its index, in hexadecimal. */
  readonly index: string;
  /**
   * `has no partner`: the other row of a mapping is not there, or the other row of a subject: its key, without which nothing
   * of it can be revealed, or the row that leads to its key, without which it cannot be shredded.
   */
  readonly why: 'does not verify' | 'has no partner';
}

/** What a verification found. */
export interface Verified {
  readonly rows: number;
  /** At most 1,000 are kept; `broken` counts all. */
  readonly problems: readonly BrokenRow[];
  readonly broken: number;
  /** Rows by the shown id of their key, of the outer and of the inner layer. */
  readonly outer: Readonly<Record<string, number>>;
  readonly inner: Readonly<Record<string, number>>;
  /** What is wrong with tokens, by their places in the list from 1; there when tokens were asked for. */
  readonly tokens?: readonly Issue[];
}

/** What is known of a store without its keys' help, and what its metadata say. */
export interface VaultStats {
  readonly domain: string;
  readonly store: string;
  /** Shown ids of keys, the one that is written with first. */
  readonly outer: readonly string[];
  readonly inner: readonly string[];
  readonly tables: Readonly<Record<Table, TableSize>>;
}

const KEPT_PROBLEMS = 1000;

/** Rows of a table, batch by batch. */
export async function* scan({ store }: Session, table: Table, notKey?: string): AsyncGenerator<Row[], void, undefined> {
  for (let after: Uint8Array | null = null; ; ) {
    const rows: Row[] = await store.scan(table, { after, limit: BATCH, ...(notKey === undefined ? {} : { notKey }) });
    if (rows.length === 0) return;
    yield rows;
    after = rows.at(-1)!.index;
  }
}

/** Opens every row, and compares the live rows of the two tables by their links, and the two rows of each subject. */
export async function verifyStore(session: Session): Promise<Verified> {
  await session.refresh();
  return session.steady((view) => verifyBy(session, view));
}

/** By one set of metadata: when others came meanwhile, what was not found proves nothing. */
async function verifyBy(session: Session, view: View): Promise<Verified | Stale> {
  const [links, subjects] = [makeComparison(), makeComparison()];
  const counts = { outer: {} as Record<string, number>, inner: {} as Record<string, number> };
  const problems: BrokenRow[] = [];
  let broken = 0;
  let rows = 0;
  const complain = (table: Table, row: Row, why: BrokenRow['why']) => {
    broken++;
    if (problems.length < KEPT_PROBLEMS) problems.push({ table, index: writeHex(row.index), why });
  };
  for (const table of TABLES) {
    for await (const batch of scan(session, table)) {
      const all = view.openMany(table, batch);
      if (table === 'subject') {
        const { keys, handles } = pairsOf(session, view, all);
        for (const { inner } of keys) subjects.one(inner);
        for (const { inner } of handles) subjects.other(inner);
      }
      for (const [i, found] of all.entries()) {
        const row = batch[i]!;
        rows++;
        counts.outer[row.key] = (counts.outer[row.key] ?? 0) + 1;
        if (found === null) {
          complain(table, row, 'does not verify');
          continue;
        }
        const { inner, state, link } = found.content;
        counts.inner[inner] = (counts.inner[inner] ?? 0) + 1;
        if (table !== 'subject' && state === 'live') links[table === 'value' ? 'one' : 'other'](link);
      }
    }
  }
  const odd = links.odd();
  if (odd.size > 0) await findOrphans(session, view, odd, complain);
  const apart = subjects.odd();
  if (apart.size > 0) await findUnpaired(session, view, apart, complain);
  if (broken > 0 && (await view.isOlder())) return 'stale';
  return { rows, problems, broken, ...counts };
}

/** Live rows of some groups whose link is in one table alone. */
async function findOrphans(
  session: Session,
  view: View,
  groups: ReadonlySet<number>,
  complain: (table: Table, row: Row, why: BrokenRow['why']) => void,
): Promise<void> {
  const seen = { value: new Map<string, Row>(), token: new Map<string, Row>() };
  for (const table of ['value', 'token'] as const) {
    for await (const batch of scan(session, table)) {
      for (const found of view.openMany(table, batch)) {
        if (found?.content.state !== 'live') continue;
        const { link } = found.content;
        if (groups.has(groupOf(link))) seen[table].set(mapKey(link), found.row);
      }
    }
  }
  for (const [link, row] of seen.value) if (!seen.token.has(link)) complain('value', row, 'has no partner');
  for (const [link, row] of seen.token) if (!seen.value.has(link)) complain('token', row, 'has no partner');
}

/** A row of a subject, and the inner index that its key has. */
interface OfKey {
  readonly inner: Uint8Array;
  readonly row: Row;
}

/** Live keys of subjects, and the live rows of subjects with the keys that they lead to. */
function pairsOf(session: Session, view: View, all: readonly (Found | null)[]) {
  const live = all.filter((one) => one?.content.state === 'live') as Found[];
  const keys = live.flatMap(({ row, content }): OfKey[] => {
    return content.rest.length === HANDLE ? [] : [{ inner: session.outer(row.key).innerOf(row.index), row }];
  });
  const leading = live.filter(({ content }) => content.rest.length === HANDLE);
  const inners = cut(view.subjects.keyIndexesOf(leading.map(({ content }) => content.rest)), INDEX);
  return { keys, handles: leading.map(({ row }, i): OfKey => ({ inner: inners[i]!, row })) };
}

/** Milliseconds between two looks at the subjects: an import writes a key before the row that leads to it. */
const SECOND_LOOK = 250;

/** Subjects whose key is not there, and keys that no subject leads to: each is looked at twice before it is reported. */
async function findUnpaired(
  session: Session,
  view: View,
  groups: ReadonlySet<number>,
  complain: (table: Table, row: Row, why: BrokenRow['why']) => void,
): Promise<void> {
  const look = async (): Promise<ReadonlyMap<string, Row>> => {
    const seen = { keys: new Map<string, Row>(), handles: new Map<string, Row>() };
    for await (const batch of scan(session, 'subject')) {
      const pairs = pairsOf(session, view, view.openMany('subject', batch));
      for (const side of ['keys', 'handles'] as const) {
        for (const { inner, row } of pairs[side]) if (groups.has(groupOf(inner))) seen[side].set(mapKey(inner), row);
      }
    }
    const alone = new Map<string, Row>();
    for (const [inner, row] of seen.keys) if (!seen.handles.has(inner)) alone.set(mapKey(row.index), row);
    for (const [inner, row] of seen.handles) if (!seen.keys.has(inner)) alone.set(mapKey(row.index), row);
    return alone;
  };
  const first = await look();
  if (first.size === 0) return;
  await new Promise((done) => setTimeout(done, SECOND_LOOK));
  for (const [index, row] of await look()) if (first.has(index)) complain('subject', row, 'has no partner');
}

/** What a change of keys did. */
export interface Rekeyed {
  readonly moved: number;
  /**
   * Rows that could not be opened, or that others changed again and again. Of tokens those that are not known or were
   * forgotten, and those whose value has another token that `protect` gives. They stay as they are.
   */
  readonly left: number;
}

/** How often all tables are gone through. Nearly always it is twice, the second time to find nothing. */
const PASSES = 20;

/**
 * Brings all rows under the primary key's outer layer, batch by batch, while others work. It may be stopped and begun
 * again: rows that were moved are not looked at twice.
 *
 * The other keys are taken out of the metadata only after a pass over all tables that found none of their rows, by
 * metadata of one generation from its beginning to that change. Within a generation new rows are written under the
 * first key alone, and a row of another key is replaced where it stands or removed: so none comes behind the pass.
 * Without that, a rekey to another primary key that began and ended meanwhile would leave rows where nobody looks any
 * more.
 *
 * @throws TrefoilError `store_busy` where others change the metadata again and again, as a rekey to another key does.
 */
export async function rekeyOuter(session: Session): Promise<Rekeyed> {
  const { id } = session.keys.primary;
  let moved = 0;
  for (let passes = 0; passes < PASSES; passes++) {
    await beginOuter(session, id);
    const view = session.view();
    // Another verb of this process may have read newer metadata in between, here and below.
    if (view.meta.outer[0] !== id) continue;
    const pass = await moveAll(session, view, id);
    moved += pass.moved;
    if (pass.found > pass.left || (await view.isOlder())) continue;
    const { outer, inner } = view.meta;
    if (pass.left > 0 || outer.length === 1) return { moved, left: pass.left };
    if (session.view() === view && (await session.change({ outer: [id], inner }))) return { moved, left: 0 };
  }
  const message = 'others change the keys of the vault all the time, as a rekey to another primary key does';
  return fail('store_busy', `${message}; let them end, and begin again`);
}

/** From here on everybody writes under the new key and still looks under the old ones. */
async function beginOuter(session: Session, id: string): Promise<void> {
  while (session.meta().outer[0] !== id) {
    const { outer, inner } = session.meta();
    await session.change({ outer: [id, ...outer.filter((other) => other !== id)], inner });
  }
}

/**
 * What one pass found of other keys; more is found than moved and left where others did it, or changed the metadata.
 */
interface Pass extends Rekeyed {
  readonly found: number;
}

/** One pass over all tables, by one set of metadata. It ends when others have come. */
async function moveAll(session: Session, view: View, id: string): Promise<Pass> {
  let [found, moved, left] = [0, 0, 0];
  for (const table of TABLES) {
    for await (const rows of scan(session, table, id)) {
      found += rows.length;
      const done = await moveSome(session, view, table, rows);
      moved += done.moved;
      left += done.left;
      if (!done.isStale) continue;
      await session.refresh();
      return { found, moved, left };
    }
  }
  return { found, moved, left };
}

/** What was done to a batch, as far as the metadata were those of the pass. */
interface Moved extends Rekeyed {
  readonly isStale: boolean;
}

async function moveSome(session: Session, view: View, table: Table, rows: readonly Row[]): Promise<Moved> {
  const changes = moves(session, view, table, rows);
  const moved = changes.length / 2;
  const all = await session.store.change(view.meta.generation, changes);
  if (all === 'stale') return { moved: 0, left: 0, isStale: true };
  if (all) return { moved, left: rows.length - moved, isStale: false };
  return oneByOne(session, view, table, rows);
}

/** Two changes for each row that verifies. */
function moves(session: Session, view: View, table: Table, rows: readonly Row[]): Change[] {
  const found = view.openMany(table, rows).filter((one) => one !== null);
  const drafts = found.map(({ row, content }) => {
    return { at: { inner: session.outer(row.key).innerOf(row.index) }, content, expires: row.expires };
  });
  return view.sealMany(table, drafts).flatMap((to, i): Change[] => {
    const { index, version } = found[i]!.row;
    return [
      { table, index, from: version, to: null },
      { table, index: to.index, from: 0, to },
    ];
  });
}

/** Rows of a batch in which somebody else changed one. */
async function oneByOne(session: Session, view: View, table: Table, rows: readonly Row[]): Promise<Moved> {
  let moved = 0;
  let left = 0;
  for (const { index } of rows) {
    for (let tries = 0; ; tries++) {
      const [row] = await session.store.get(table, [index]);
      // It was moved or swept by somebody else.
      if (row === undefined) break;
      const change = moves(session, view, table, [row]);
      const done = change.length === 0 ? null : await session.store.change(view.meta.generation, change);
      if (done === 'stale') return { moved, left, isStale: true };
      if (done === true) moved++;
      else if (done === null || tries === 8) left++;
      if (done !== false || tries === 8) break;
    }
  }
  return { moved, left, isStale: false };
}

/** Removes what has expired. */
export async function sweep(session: Session, now: number | undefined): Promise<number> {
  const day = now === undefined ? today() : Math.floor(checkInteger('now', now, 0, 8.64e15) / 86_400_000);
  const removed = await session.steady((view) => session.store.sweep(view.meta.generation, day));
  if (removed > 0) await session.scrub();
  return removed;
}

export async function statsOf(session: Session): Promise<VaultStats> {
  await session.refresh();
  const { domain, store, outer, inner } = session.meta();
  return { domain, store, outer, inner, tables: await session.store.sizes() };
}
