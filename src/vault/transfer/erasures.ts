/**
 * What an import erases, once it has the whole of an export (docs/spec/vault-v1.md, "Importing"). Until then rows that would
 * erase what lives are held back, and so are those that may be graves: an export that was cut erases nothing.
 */

import { concat, cut } from '../../core/bytes.ts';
import { mapKey } from '../map-key.ts';
import { type Content, eraseContent, LINK, readId } from '../rows/content.ts';
import { dig, findGraves } from '../rows/graves.ts';
import { INDEX } from '../rows/outer.ts';
import type { Found, View } from '../rows/view.ts';
import type { Session } from '../session.ts';
import type { Change, Stale, Table } from '../stores/store.ts';
import { inBatches, makeRecords, type Records, rowsOf } from '../upkeep/walk.ts';
import { BATCH, type Conflict, type Item, type Joined, join } from './merge.ts';
import { settle } from './settle.ts';

/** What one export would erase. */
export interface Erasures {
  /** Holds back what a join left over. */
  readonly add: (joined: Joined) => void;
  /** Whether a grave was held back, by its inner index. */
  readonly isHeld: (grave: Uint8Array) => boolean;
  /** Erases; `note` is told what became of the rows. */
  readonly run: (session: Session, conflicts: readonly Conflict[], note: (done: Done) => void) => Promise<void>;
}

/** What became of some rows. */
export interface Done extends Partial<Pick<Joined, 'written' | 'there' | 'erased' | 'conflicts'>> {
  /** Tokens that were removed again: each is one of a value that the store has with another token. */
  readonly removed?: number;
}

const TABLES: readonly Table[] = ['value', 'token', 'subject'];

/** Table, inner index, link, key id of the inner layer, length of the rest. */
const RECORD = 1 + INDEX + LINK + 5 + 4;

export function holdErasures(): Erasures {
  const [held, graves] = [makeRecords(RECORD), makeRecords(RECORD)];
  const buried = new Set<string>();
  const refused = new Set<string>();
  const denied = makeRecords(INDEX + LINK);
  const isHeld = (grave: Uint8Array) => buried.has(mapKey(grave));

  return {
    add(joined) {
      for (const item of joined.held) held.add(writeRecord(item));
      for (const item of joined.graves) {
        graves.add(writeRecord(item));
        buried.add(mapKey(item.inner));
      }
      for (const link of joined.refused) refused.add(mapKey(link));
      for (const { key, tombstone } of joined.denied) denied.add(concat([key, tombstone]));
    },
    isHeld,
    async run(session, conflicts, note) {
      // A mapping dies as a whole: one of whose rows is erased, the other is, too.
      const links = await linksOf(session, held);
      for (const link of links) buried.add(mapKey(session.subjects.graveIndexesOf([link])));
      // The tokens first: as long as the value is not erased, an import that is begun again finds its token.
      if (buried.size > 0) note({ erased: await bury(session, 'token', isHeld) });
      for (let first = 0; first < links.length; first += BATCH)
        await digAll(session, links.slice(first, first + BATCH));
      for (const items of itemsOf(held)) note(await join(session, items, { erase: true, isHeld }));
      const settled = await settle(session, conflicts);
      note(settled);
      if (buried.size > 0) note({ erased: await bury(session, 'value', isHeld) });
      if (refused.size > 0) await removeTokens(session, refused);
      const lost = lostLinks(settled.conflicts);
      if (lost.size > 0) note({ removed: await removeTokens(session, lost) });
      // The graves last: they say that all of this was done.
      for (const items of itemsOf(graves)) note(await join(session, items, { erase: true, isHeld }));
      for (const batch of denied.batches(BATCH)) await forgetDenied(session, batch);
    },
  };
}

/** The links of the live mappings that would be erased. */
async function linksOf(session: Session, held: Records): Promise<Uint8Array[]> {
  const links = new Map<string, Uint8Array>();
  for (const items of itemsOf(held)) {
    for (const table of ['value', 'token'] as const) {
      const ours = items.filter((item) => item.table === table);
      if (ours.length === 0) continue;
      const found = await session.steady(async (view): Promise<(Found | null)[] | Stale> => {
        const places = view.placesOf([concat(ours.map(({ inner }) => inner))]);
        const rows = places.pick(await view.store.get(table, places.all));
        if (rows.includes(undefined) && (await view.isOlder())) return 'stale';
        return view.openMany(table, rows);
      });
      for (const one of found) {
        if (one?.content.state === 'live') links.set(mapKey(one.content.link), one.content.link.slice());
      }
    }
  }
  return [...links.values()];
}

/** Erases the live rows of a table whose link has one of the graves; tells how many. */
function bury(session: Session, table: 'value' | 'token', isHeld: Erasures['isHeld']): Promise<number> {
  let erased = 0;
  const isBuried = (view: View, { content }: Found) =>
    content.state === 'live' && isHeld(view.subjects.graveIndexesOf([content.link]));
  const erase = (view: View, { row, content }: Found): Change => {
    const to = view.seal(table, { instead: row }, eraseContent(content), null);
    return { table, index: row.index, from: row.version, to };
  };
  /** One row, which somebody else may change at the same time. */
  const one = (index: Uint8Array): Promise<number> =>
    session.steady(async (view): Promise<number | Stale> => {
      const [row] = await view.store.get(table, [index]);
      const found = row === undefined ? null : view.open(table, row);
      if (found === null || !isBuried(view, found)) return 0;
      return (await view.store.change(view.meta.generation, [erase(view, found)])) === true ? 1 : 'stale';
    });
  return session.steady(async (view): Promise<number | Stale> => {
    for await (const batch of inBatches(rowsOf(session, view, table), BATCH)) {
      const live = batch.filter(({ content }) => content.state === 'live');
      const inners = cut(view.subjects.graveIndexesOf(live.map(({ content }) => content.link)), INDEX);
      const dead = live.filter((_, i) => isHeld(inners[i]!));
      if (dead.length === 0) continue;
      const changes = dead.map((found) => erase(view, found));
      if ((await view.store.change(view.meta.generation, changes)) === true) erased += dead.length;
      else for (const { row } of dead) erased += await one(row.index);
    }
    return (await view.isOlder()) ? 'stale' : erased;
  });
}

/**
 * The links of mappings whose value the store has with another token. Where the row of the store does not verify it may be
 * one of the same mapping, whose token stays.
 */
function lostLinks(conflicts: readonly Conflict[]): ReadonlySet<string> {
  const links = conflicts.flatMap(({ item, there }) => {
    return item.table === 'value' && there !== null ? [mapKey(item.content.link)] : [];
  });
  return new Set(links);
}

/**
 * Removes tokens that came with a value that is erased here, or has another token; tells how many. They are not erased: in
 * the store that they came from they live, and a tombstone would be one for that store, too. A mapping that has its value
 * under another inner key stays.
 */
async function removeTokens(session: Session, links: ReadonlySet<string>): Promise<number> {
  let removed = 0;
  await session.steady(async (view): Promise<null | Stale> => {
    const left = new Set(links);
    for await (const { content } of rowsOf(session, view, 'value')) {
      if (content.state === 'live') left.delete(mapKey(content.link));
    }
    if (left.size === 0) return (await view.isOlder()) ? 'stale' : null;
    for await (const { row, content } of rowsOf(session, view, 'token')) {
      if (content.state !== 'live' || !left.has(mapKey(content.link))) continue;
      // One that somebody changed since is not the one that came.
      const change: Change = { table: 'token', index: row.index, from: row.version, to: null };
      if ((await view.store.change(view.meta.generation, [change])) === true) removed++;
    }
    return (await view.isOlder()) ? 'stale' : null;
  });
  return removed;
}

/**
 * Keys that were erased here because their subject is, although the subject came back after that erasure in the store that
 * was exported. The erased rows are removed: there the key lives, and a tombstone would be one for that store, too.
 */
function forgetDenied(session: Session, records: readonly Uint8Array[]): Promise<null> {
  return session.steady(async (view): Promise<null | Stale> => {
    const { rows: graves } = await findGraves(
      view,
      records.map((record) => record.subarray(INDEX)),
    );
    const keys = records.filter((_, i) => graves[i] !== undefined).map((record) => record.subarray(0, INDEX));
    if (keys.length === 0) return null;
    const places = view.placesOf([concat(keys)]);
    const found = view.openMany('subject', places.pick(await view.store.get('subject', places.all)));
    for (const one of found) {
      if (one?.content.state !== 'erased') continue;
      const { index, version } = one.row;
      const done = await view.store.change(view.meta.generation, [
        { table: 'subject', index, from: version, to: null },
      ]);
      if (done === 'stale') return 'stale';
    }
    return null;
  });
}

/** Graves for links. */
function digAll(session: Session, links: readonly Uint8Array[]): Promise<null> {
  return session.steady(async (view): Promise<null | Stale> => {
    const changes = (await dig(view, links)).filter((change) => change !== null);
    return changes.length === 0 || (await view.store.change(view.meta.generation, changes)) === true ? null : 'stale';
  });
}

function writeRecord({ table, inner, content }: Item): Uint8Array {
  const out = new Uint8Array(RECORD);
  out[0] = TABLES.indexOf(table);
  out.set(inner, 1);
  out.set(content.link, 1 + INDEX);
  for (let i = 0; i < 5; i++) out[1 + INDEX + LINK + i] = content.inner.charCodeAt(i);
  new DataView(out.buffer).setUint32(RECORD - 4, content.rest.length);
  return out;
}

function readRecord(record: Uint8Array): Item {
  const length = new DataView(record.buffer, record.byteOffset).getUint32(RECORD - 4);
  const content: Content = {
    state: 'erased',
    inner: readId(record, 1 + INDEX + LINK),
    link: record.slice(1 + INDEX, 1 + INDEX + LINK),
    rest: new Uint8Array(length),
  };
  return { table: TABLES[record[0]!]!, inner: record.slice(1, 1 + INDEX), content, expires: null };
}

/** Bytes of rows that are written at once. */
const BATCH_BYTES = 1 << 23;

/** The erased rows that records stand for, some at a time and no place twice in one batch. */
function* itemsOf(records: Records): Generator<Item[], void, undefined> {
  for (const batch of records.batches(BATCH)) {
    let items = new Map<string, Item>();
    let bytes = 0;
    for (const record of batch) {
      const item = readRecord(record);
      items.set(item.table + mapKey(item.inner), item);
      bytes += item.content.rest.length;
      if (bytes < BATCH_BYTES) continue;
      yield [...items.values()];
      items = new Map();
      bytes = 0;
    }
    if (items.size > 0) yield [...items.values()];
  }
}
