/**
 * Upkeep of a whole store: verification, a change of the outer key, expiry, statistics. It works on the outer layer
 * only, so it needs no token and no value, and sees none.
 */

import { cut } from '../../core/bytes.ts';
import { checkInteger } from '../../core/checks.ts';
import { writeHex } from '../../core/hex.ts';
import { fail, type Issue } from '../../errors.ts';
import { dayOf, today } from '../days.ts';
import { mapKey } from '../map-key.ts';
import { HANDLE } from '../rows/content.ts';
import type { OpenedRow, View } from '../rows/view.ts';
import type { Session } from '../session.ts';
import { type Change, INDEX, type Row, type Stale, TABLES, type Table, type TableSize } from '../stores/store.ts';
import { groupOf, makeComparison } from './comparison.ts';
import { scan } from './walk.ts';

/** A row that is damaged, or that lacks its partner. */
export interface BrokenRow {
  readonly table: Table;
  /** Its index, in hexadecimal. */
  readonly index: string;
  /**
   * `has no partner`: the other row of the mapping is missing, or the other row of the subject. Without the row of its
   * key, no value of a subject can be revealed; without the row that leads to its key, the subject cannot be shredded.
   */
  readonly why: 'does not verify' | 'has no partner';
}

/** Result of a verification. */
export interface Verified {
  /** Number of rows, or of tokens, that were checked. */
  readonly rows: number;
  /** The first 1,000 problems; `broken` counts all. */
  readonly problems: readonly BrokenRow[];
  readonly broken: number;
  /** Numbers of rows by the shown ids of their keys, of the outer and of the inner layer. */
  readonly outer: Readonly<Record<string, number>>;
  readonly inner: Readonly<Record<string, number>>;
  /** Issues of tokens, with their positions in the list from 1 as `row`. Present if tokens were verified. */
  readonly tokens?: readonly Issue[];
}

/** Sizes of a store, and its metadata. */
export interface VaultStats {
  readonly domain: string;
  readonly store: string;
  /** Shown ids of the keys of the outer and of the inner layer. New rows are written under the first. */
  readonly outer: readonly string[];
  readonly inner: readonly string[];
  /** Shown id of the key that subjects are looked up under. It never changes. */
  readonly subjects: string;
  readonly tables: Readonly<Record<Table, TableSize>>;
}

const KEPT_PROBLEMS = 1000;

/** Reports a problem of a row. */
type ReportRow = (table: Table, row: Row, why: BrokenRow['why']) => void;

/**
 * Opens every row. It compares the live rows of `value` and `token` by their links, and the two rows of each subject by
 * the index of the key.
 */
export async function verifyStore(session: Session): Promise<Verified> {
  await session.refresh();
  return session.withView((view) => verifyView(session, view));
}

/** If the metadata have changed meanwhile, a row that was not found proves nothing, and the result is `stale`. */
async function verifyView(session: Session, view: View): Promise<Verified | Stale> {
  const [links, subjects] = [makeComparison(), makeComparison()];
  const counts = { outer: {} as Record<string, number>, inner: {} as Record<string, number> };
  const problems: BrokenRow[] = [];
  let broken = 0;
  let rows = 0;
  const report: ReportRow = (table, row, why) => {
    broken++;
    if (problems.length < KEPT_PROBLEMS) problems.push({ table, index: writeHex(row.index), why });
  };
  for (const table of TABLES) {
    for await (const batch of scan(session, table)) {
      const all = view.openMany(table, batch);
      if (table === 'subject') {
        const { keys, handles } = keyIndexesOf(session, view, all);
        for (const { inner } of keys) subjects.addFirst(inner);
        for (const { inner } of handles) subjects.addSecond(inner);
      }
      for (const [i, opened] of all.entries()) {
        const row = batch[i]!;
        rows++;
        counts.outer[row.key] = (counts.outer[row.key] ?? 0) + 1;
        if (opened === null) {
          report(table, row, 'does not verify');
          continue;
        }
        const { inner, state, link } = opened.content;
        counts.inner[inner] = (counts.inner[inner] ?? 0) + 1;
        if (table !== 'subject' && state === 'live') links[table === 'value' ? 'addFirst' : 'addSecond'](link);
      }
    }
  }
  const linkGroups = links.differing();
  if (linkGroups.size > 0) await findOrphans(session, view, linkGroups, report);
  const subjectGroups = subjects.differing();
  if (subjectGroups.size > 0) await findUnpaired(session, view, subjectGroups, report);
  if (broken > 0 && (await view.isOutdated())) return 'stale';
  return { rows, problems, broken, ...counts };
}

/** Reports the live rows of some groups whose link is in one table only. */
async function findOrphans(
  session: Session,
  view: View,
  groups: ReadonlySet<number>,
  report: ReportRow,
): Promise<void> {
  const seen = { value: new Map<string, Row>(), token: new Map<string, Row>() };
  for (const table of ['value', 'token'] as const) {
    for await (const batch of scan(session, table)) {
      for (const opened of view.openMany(table, batch)) {
        if (opened?.content.state !== 'live') continue;
        const { link } = opened.content;
        if (groups.has(groupOf(link))) seen[table].set(mapKey(link), opened.row);
      }
    }
  }
  for (const [link, row] of seen.value) if (!seen.token.has(link)) report('value', row, 'has no partner');
  for (const [link, row] of seen.token) if (!seen.value.has(link)) report('token', row, 'has no partner');
}

/** A row of a subject, with the inner index of the subject's key. */
interface KeyIndex {
  readonly inner: Uint8Array;
  readonly row: Row;
}

/** Returns the live keys of subjects, and the live rows that lead to a key, each with the inner index of the key. */
function keyIndexesOf(session: Session, view: View, all: readonly (OpenedRow | null)[]) {
  const live = all.filter((one) => one?.content.state === 'live') as OpenedRow[];
  const keys = live.flatMap(({ row, content }): KeyIndex[] => {
    return content.rest.length === HANDLE ? [] : [{ inner: session.outer(row.key).innerOf(row.index), row }];
  });
  const leading = live.filter(({ content }) => content.rest.length === HANDLE);
  const inners = cut(view.subjects.keyIndexesOf(leading.map(({ content }) => content.rest)), INDEX);
  return { keys, handles: leading.map(({ row }, i): KeyIndex => ({ inner: inners[i]!, row })) };
}

/** Milliseconds between two reads of the subjects: an import writes a key before the row that leads to it. */
const SECOND_LOOK = 250;

/** Reports subjects without a key, and keys to which no subject leads. Each has to be found by two reads. */
async function findUnpaired(
  session: Session,
  view: View,
  groups: ReadonlySet<number>,
  report: ReportRow,
): Promise<void> {
  const first = await unpairedOf(session, view, groups);
  if (first.size === 0) return;
  await new Promise((done) => setTimeout(done, SECOND_LOOK));
  for (const [index, row] of await unpairedOf(session, view, groups)) {
    if (first.has(index)) report('subject', row, 'has no partner');
  }
}

/** Returns the rows of subjects in some groups that have no partner, by their indexes. */
async function unpairedOf(
  session: Session,
  view: View,
  groups: ReadonlySet<number>,
): Promise<ReadonlyMap<string, Row>> {
  const seen = { keys: new Map<string, Row>(), handles: new Map<string, Row>() };
  for await (const batch of scan(session, 'subject')) {
    const found = keyIndexesOf(session, view, view.openMany('subject', batch));
    for (const side of ['keys', 'handles'] as const) {
      for (const { inner, row } of found[side]) if (groups.has(groupOf(inner))) seen[side].set(mapKey(inner), row);
    }
  }
  const unpaired = new Map<string, Row>();
  for (const [inner, row] of seen.keys) if (!seen.handles.has(inner)) unpaired.set(mapKey(row.index), row);
  for (const [inner, row] of seen.handles) if (!seen.keys.has(inner)) unpaired.set(mapKey(row.index), row);
  return unpaired;
}

/** Result of a change of keys. */
export interface Rekeyed {
  /** Number of rows, or of mappings, that were moved. */
  readonly moved: number;
  /**
   * Number of rows that stay as they are because they do not verify, or because other processes kept changing them. If
   * tokens were passed: number of tokens that are unknown or forgotten, or whose value has another token, which
   * `protect` returns.
   */
  readonly left: number;
}

/** How often all tables are read. Nearly always it is twice: the second pass finds nothing. */
const PASSES = 20;

/**
 * Moves all rows to the primary key's outer layer, batch by batch, while other processes may use the store. It may be
 * stopped and started again: it does not read rows that have been moved.
 *
 * The other keys are removed from the metadata only after a pass over all tables that found none of their rows, and
 * only if the metadata were of one generation from the start of the pass to that change. Within a generation new rows
 * are written only under the first key, and a row of another key is only replaced in its place or removed, so no row of
 * another key can appear after the pass has read its place. Without this condition, a rekey to another primary key that
 * ran meanwhile could leave rows under a key that nobody looks under any more.
 *
 * @throws TrefoilError `store_busy` if other processes keep changing the metadata, as a rekey to another key does.
 */
export async function rekeyOuter(session: Session): Promise<Rekeyed> {
  const { id } = session.keys.primary;
  let moved = 0;
  for (let passes = 0; passes < PASSES; passes++) {
    await beginOuter(session, id);
    const view = session.view();
    // Another verb of this process may have read newer metadata in between; the same is true below.
    if (view.meta.outer[0] !== id) continue;
    const pass = await moveAll(session, view, id);
    moved += pass.moved;
    if (pass.found > pass.left || (await view.isOutdated())) continue;
    const { outer, inner } = view.meta;
    if (pass.left > 0 || outer.length === 1) return { moved, left: pass.left };
    if (session.view() === view && (await session.change({ outer: [id], inner }))) return { moved, left: 0 };
  }
  const message = 'other processes keep changing the keys of the vault, as a rekey to another primary key does';
  return fail('store_busy', `${message}; wait until they have finished, then run the rekey again`);
}

/** Makes the new key the first one: from now on every process writes under it, and still looks under the old ones. */
async function beginOuter(session: Session, id: string): Promise<void> {
  while (session.meta().outer[0] !== id) {
    const { outer, inner } = session.meta();
    await session.change({ outer: [id, ...outer.filter((other) => other !== id)], inner });
  }
}

/**
 * Result of one pass. A row of another key that was found, but neither moved nor left, was moved by another process.
 */
interface Pass extends Rekeyed {
  readonly found: number;
}

/** Moves the rows of all tables, according to one version of the metadata. It stops if the metadata have changed. */
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

/** Result for a batch. `isStale` says that the metadata have changed, so that the rest of the batch was not moved. */
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

/** Returns two changes for each row that verifies. */
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

/** Moves the rows of a batch one by one, after another process has changed one of them. */
async function oneByOne(session: Session, view: View, table: Table, rows: readonly Row[]): Promise<Moved> {
  let moved = 0;
  let left = 0;
  for (const { index } of rows) {
    for (let tries = 0; ; tries++) {
      const [row] = await session.store.get(table, [index]);
      // Another process has moved or swept it.
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

/** Removes expired rows, and returns their number. */
export async function sweep(session: Session, now: number | undefined): Promise<number> {
  const day = now === undefined ? today() : dayOf(checkInteger('now', now, 0, 8.64e15));
  const removed = await session.withView((view) => session.store.sweep(view.meta.generation, day));
  if (removed > 0) await session.scrub();
  return removed;
}

/** Returns sizes and metadata of a store. */
export async function statsOf(session: Session): Promise<VaultStats> {
  await session.refresh();
  const { domain, store, outer, inner, subjects } = session.meta();
  return { domain, store, outer, inner, subjects, tables: await session.store.sizes() };
}
