/**
 * The erasures of an import (docs/spec/vault-v1.md, "Importing"). Rows that would erase a live one are held back until
 * the whole export has been read, and so are rows that may be graves: an export that was cut off erases nothing.
 */

import { concat, cut } from '../../core/bytes.ts';
import { ID_LENGTH } from '../../wire/labelled-token.ts';
import { mapKey } from '../map-key.ts';
import { type Content, eraseContent, LINK, readId, writeId } from '../rows/content.ts';
import { findGraves, graveChanges } from '../rows/graves.ts';
import type { OpenedRow, View } from '../rows/view.ts';
import type { Session } from '../session.ts';
import { type Change, INDEX, type Stale, TABLES } from '../stores/store.ts';
import { rowsOf } from '../upkeep/walk.ts';
import { BATCH, type Conflict, type Item, type Merged, merge } from './merge.ts';
import { inBatches, makeRecords, type Records } from './records.ts';
import { settle } from './settle.ts';

/** The rows of one export that were held back. */
export interface Erasures {
  /** Holds back the rows that a merge has left. */
  readonly add: (merged: Merged) => void;
  /** Whether the grave at an inner index was held back. */
  readonly isHeld: (grave: Uint8Array) => boolean;
  /** Erases, and calls `note` with the results. */
  readonly run: (session: Session, conflicts: readonly Conflict[], note: (done: Done) => void) => Promise<void>;
}

/** Result of one step. */
export interface Done extends Partial<Pick<Merged, 'written' | 'there' | 'erased' | 'conflicts'>> {
  /** Number of tokens that were removed again, because the store has another token for their values. */
  readonly removed?: number;
}

// Fields of a record: table, inner index, link, key id of the inner layer, length of the rest.
const INNER_AT = 1;
const LINK_AT: number = INNER_AT + INDEX;
const ID_AT: number = LINK_AT + LINK;
const LENGTH_AT: number = ID_AT + ID_LENGTH;
const RECORD: number = LENGTH_AT + 4;

/** Starts to hold back rows. */
export function holdErasures(): Erasures {
  const [held, graves] = [makeRecords(RECORD), makeRecords(RECORD)];
  const buried = new Set<string>();
  const refused = new Set<string>();
  const denied = makeRecords(INDEX + LINK);
  const isHeld = (grave: Uint8Array) => buried.has(mapKey(grave));

  return {
    add(merged) {
      for (const item of merged.held) held.add(writeRecord(item));
      for (const item of merged.graves) {
        graves.add(writeRecord(item));
        buried.add(mapKey(item.inner));
      }
      for (const link of merged.refused) refused.add(mapKey(link));
      for (const { key, tombstone } of merged.denied) denied.add(concat([key, tombstone]));
    },
    isHeld,
    async run(session, conflicts, note) {
      // A mapping is erased as a whole: if one of its rows is erased, the other one is, too.
      const links = await linksOf(session, held);
      for (const link of links) buried.add(mapKey(session.subjects.graveIndexesOf([link])));
      // The tokens come first: as long as the value is not erased, an import that is run again finds its token.
      if (buried.size > 0) note({ erased: await eraseBuried(session, 'token', isHeld) });
      for (let first = 0; first < links.length; first += BATCH) {
        await makeGraves(session, links.slice(first, first + BATCH));
      }
      for (const items of itemsOf(held)) note(await merge(session, items, { erase: true, isHeld }));
      const settled = await settle(session, conflicts);
      note(settled);
      if (buried.size > 0) note({ erased: await eraseBuried(session, 'value', isHeld) });
      if (refused.size > 0) await removeTokens(session, refused);
      const lost = lostLinks(settled.conflicts);
      if (lost.size > 0) note({ removed: await removeTokens(session, lost) });
      // The graves come last: they state that all of this was done.
      for (const items of itemsOf(graves)) note(await merge(session, items, { erase: true, isHeld }));
      for (const batch of denied.batches(BATCH)) await removeDenied(session, batch);
    },
  };
}

/** Returns the links of the live mappings that would be erased. */
async function linksOf(session: Session, held: Records): Promise<Uint8Array[]> {
  const links = new Map<string, Uint8Array>();
  for (const items of itemsOf(held)) {
    for (const table of ['value', 'token'] as const) {
      const ours = items.filter((item) => item.table === table);
      if (ours.length === 0) continue;
      const found = await session.withView(async (view): Promise<(OpenedRow | null)[] | Stale> => {
        const places = view.placesOf([concat(ours.map(({ inner }) => inner))]);
        const rows = places.pick(await view.store.get(table, places.all));
        if (rows.includes(undefined) && (await view.isOutdated())) return 'stale';
        return view.openMany(table, rows);
      });
      for (const one of found) {
        if (one?.content.state === 'live') links.set(mapKey(one.content.link), one.content.link.slice());
      }
    }
  }
  return [...links.values()];
}

/** Erases the live rows of a table whose links have one of the held graves, and returns their number. */
function eraseBuried(session: Session, table: 'value' | 'token', isHeld: Erasures['isHeld']): Promise<number> {
  let erased = 0;
  const isBuried = (view: View, { content }: OpenedRow) =>
    content.state === 'live' && isHeld(view.subjects.graveIndexesOf([content.link]));
  const erase = (view: View, { row, content }: OpenedRow): Change => {
    const to = view.seal(table, { instead: row }, eraseContent(content), null);
    return { table, index: row.index, from: row.version, to };
  };
  /** Erases one row, which another process may change at the same time. */
  const one = (index: Uint8Array): Promise<number> =>
    session.withView(async (view): Promise<number | Stale> => {
      const [row] = await view.store.get(table, [index]);
      const found = row === undefined ? null : view.open(table, row);
      if (found === null || !isBuried(view, found)) return 0;
      return (await view.store.change(view.meta.generation, [erase(view, found)])) === true ? 1 : 'stale';
    });
  return session.withView(async (view): Promise<number | Stale> => {
    for await (const batch of inBatches(rowsOf(session, view, table), BATCH)) {
      const live = batch.filter(({ content }) => content.state === 'live');
      const inners = cut(view.subjects.graveIndexesOf(live.map(({ content }) => content.link)), INDEX);
      const dead = live.filter((_, i) => isHeld(inners[i]!));
      if (dead.length === 0) continue;
      const changes = dead.map((found) => erase(view, found));
      if ((await view.store.change(view.meta.generation, changes)) === true) erased += dead.length;
      else for (const { row } of dead) erased += await one(row.index);
    }
    return (await view.isOutdated()) ? 'stale' : erased;
  });
}

/**
 * Returns the links of mappings for whose values the store has another token. If the row of the store does not verify,
 * it may belong to the same mapping; then the token stays.
 */
function lostLinks(conflicts: readonly Conflict[]): ReadonlySet<string> {
  const links = conflicts.flatMap(({ item, there }) => {
    return item.table === 'value' && there !== null ? [mapKey(item.content.link)] : [];
  });
  return new Set(links);
}

/**
 * Removes tokens of the export whose value is erased in this store, or has another token in it. Returns their number.
 * They are removed and not erased: in their own store they are live, and a tombstone would count in that store, too. A
 * mapping that has its value under another inner key stays.
 */
async function removeTokens(session: Session, links: ReadonlySet<string>): Promise<number> {
  let removed = 0;
  await session.withView(async (view): Promise<null | Stale> => {
    const left = new Set(links);
    for await (const { content } of rowsOf(session, view, 'value')) {
      if (content.state === 'live') left.delete(mapKey(content.link));
    }
    if (left.size === 0) return (await view.isOutdated()) ? 'stale' : null;
    for await (const { row, content } of rowsOf(session, view, 'token')) {
      if (content.state !== 'live' || !left.has(mapKey(content.link))) continue;
      // If another process has changed the row, it is no longer the one of the export.
      const change: Change = { table: 'token', index: row.index, from: row.version, to: null };
      if ((await view.store.change(view.meta.generation, [change])) === true) removed++;
    }
    return (await view.isOutdated()) ? 'stale' : null;
  });
  return removed;
}

/**
 * Removes the erased rows of keys whose subject is erased in this store, but was protected again after that erasure in
 * the exported store. There the key is live, and a tombstone would count in that store, too.
 */
function removeDenied(session: Session, records: readonly Uint8Array[]): Promise<null> {
  return session.withView(async (view): Promise<null | Stale> => {
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

/** Writes the graves of links. */
function makeGraves(session: Session, links: readonly Uint8Array[]): Promise<null> {
  return session.withView(async (view): Promise<null | Stale> => {
    const changes = (await graveChanges(view, links)).filter((change) => change !== null);
    return changes.length === 0 || (await view.store.change(view.meta.generation, changes)) === true ? null : 'stale';
  });
}

function writeRecord({ table, inner, content }: Item): Uint8Array {
  const out = new Uint8Array(RECORD);
  out[0] = TABLES.indexOf(table);
  out.set(inner, INNER_AT);
  out.set(content.link, LINK_AT);
  writeId(content.inner, out, ID_AT);
  new DataView(out.buffer).setUint32(LENGTH_AT, content.rest.length);
  return out;
}

function readRecord(record: Uint8Array): Item {
  const length = new DataView(record.buffer, record.byteOffset).getUint32(LENGTH_AT);
  const content: Content = {
    state: 'erased',
    inner: readId(record, ID_AT),
    link: record.slice(LINK_AT, ID_AT),
    rest: new Uint8Array(length),
  };
  return { table: TABLES[record[0]!]!, inner: record.slice(INNER_AT, LINK_AT), content, expires: null };
}

/** Bytes of the rows that are written at once. */
const BATCH_BYTES = 1 << 23;

/** Yields the erased rows of records in batches. No batch has one place twice. */
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
