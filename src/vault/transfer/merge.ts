/**
 * Merges rows of an export with those of a store (docs/spec/vault-v1.md, "Importing"). A row that is erased on either
 * side is erased afterwards. If both sides have a live row and the two differ, the row of the store stays. So neither
 * the order of the rows nor repetitions make a difference.
 *
 * A subject is erased as a whole. Its row holds a handle, which leads to its key. So if the row of a subject is erased
 * on one side, the key that the other side has for it is erased as well.
 */

import { concat } from '../../core/bytes.ts';
import { fail } from '../../errors.ts';
import { randomBytes } from '../../kernel/random.ts';
import { isOver, today } from '../days.ts';
import { mapKey } from '../map-key.ts';
import { type Content, HANDLE, isSameContent, LINK } from '../rows/content.ts';
import { findGraves } from '../rows/graves.ts';
import type { Draft, OpenedRow, View } from '../rows/view.ts';
import type { Session } from '../session.ts';
import type { Change, Row, Stale, Table } from '../stores/store.ts';
import { KEY, ROUNDS } from '../subjects.ts';

/** A row of an export, opened. */
export interface Item {
  readonly table: Table;
  readonly inner: Uint8Array;
  readonly content: Content;
  readonly expires: number | null;
  /**
   * The live key to which this live row of a subject leads. Either both are written in one change, or the key is not
   * written: a key to which no row leads could not be shredded.
   */
  readonly key?: Item;
}

/** Returns the number of rows in an item. */
export function rowsIn({ key }: Item): number {
  return key === undefined ? 1 : 2;
}

/** A live row in whose place the store has another one, `there`; `null` if that one does not verify. */
export interface Conflict {
  readonly item: Item;
  readonly there: Content | null;
}

/** A subject that is erased in the store and live in the export: its key was erased, too. */
export interface Denied {
  /** Inner index of the row by handle. */
  readonly key: Uint8Array;
  /** Link of the subject's erased row. */
  readonly tombstone: Uint8Array;
}

/** Result of a merge: numbers of rows by what happened to them, and rows that need more work. */
export interface Merged {
  /** Rows that were written, because the store had none or an expired one. */
  readonly written: number;
  /** Rows that were not written, because the store has an equal or an erased one, or because they have a grave. */
  readonly there: number;
  /** Rows of the store that were live and are erased now. */
  readonly erased: number;
  /** Rows that were not written, because the store has another live one; a row of a subject with its key. */
  readonly conflicts: readonly Conflict[];
  /** Rows that would erase a live one. They wait until the whole export is known. */
  readonly held: readonly Item[];
  /** Erased rows of subjects that the store does not have. Each may be a grave, so they wait, too. */
  readonly graves: readonly Item[];
  /** Links of mappings whose value is erased in the store: their tokens must not live in it either. */
  readonly refused: readonly Uint8Array[];
  readonly denied: readonly Denied[];
}

/** Whether the live row of the store is replaced by that of the export. */
export type GivesWay = (table: Table, there: Content, exported: Content) => boolean;

/** Options of a merge. */
export interface MergeOptions {
  readonly givesWay?: GivesWay;
  /** Whether live rows are erased. Without it, rows that would erase one are held back. */
  readonly erase?: boolean;
  /** Whether the grave at an inner index was held back. */
  readonly isHeld?: (grave: Uint8Array) => boolean;
}

/** Rows that are merged at once. */
export const BATCH = 1000;

/** Merges some rows with a store. No two of them may have one place. */
export async function merge(session: Session, items: readonly Item[], options: MergeOptions = {}): Promise<Merged> {
  for (let round = 0; round < ROUNDS; round++) {
    const done = await session.withView((view) => mergeOnce(session, view, items, options));
    if (done !== null) return done;
    if (items.length === 1) continue;
    // Another process has changed one of the rows. The batch is divided, in the end into single rows.
    const half = items.length >> 1;
    const first = await merge(session, items.slice(0, half), options);
    return addMerged(first, await merge(session, items.slice(half), options));
  }
  return fail('store_busy', 'other processes keep changing the same rows; try again');
}

/** What happens to a row. `apart` is a key whose subject's row is a conflict. */
type Verdict = 'written' | 'there' | 'erased' | 'conflict' | 'held' | 'grave' | 'apart';

/** A change, with the verdict that it was counted under. */
interface CountedChange extends Change {
  readonly verdict: 'written' | 'there' | 'erased';
}

/** A merge that is being planned. */
interface Plan {
  readonly counts: Record<Verdict, number>;
  readonly conflicts: Conflict[];
  readonly held: Item[];
  readonly graves: Item[];
  readonly refused: Uint8Array[];
  readonly denied: Denied[];
  /** Keys of subjects whose row is erased on one side. */
  readonly orphans: Item[];
  changes: CountedChange[];
}

/** Makes all changes, or none (`null`) if a row has changed since it was read. */
async function mergeOnce(
  session: Session,
  view: View,
  items: readonly Item[],
  options: MergeOptions,
): Promise<Merged | null | Stale> {
  const plan: Plan = {
    counts: { written: 0, there: 0, erased: 0, conflict: 0, held: 0, grave: 0, apart: 0 },
    conflicts: [],
    held: [],
    graves: [],
    refused: [],
    denied: [],
    orphans: [],
    changes: [],
  };
  for (const table of new Set(items.map((item) => item.table))) {
    await planTable(session, view, table, items, options, plan);
  }
  if (plan.orphans.length > 0) await eraseKeys(session, view, plan);
  const { counts, conflicts, held, graves, refused, denied, changes } = plan;
  const { written, there, erased } = counts;
  const done = { written, there, erased, conflicts, held, graves, refused, denied };
  if (changes.length === 0) return done;
  const all = await view.store.change(
    view.meta.generation,
    changes.map(({ table, index, from, to }) => ({ table, index, from, to })),
  );
  return all === 'stale' ? all : all ? done : null;
}

/** The items of one table, each followed by its key if it has one, with the rows of the store and the verdicts. */
interface Judged {
  readonly items: readonly Item[];
  readonly rows: readonly (Row | undefined)[];
  readonly opened: readonly (OpenedRow | null)[];
  readonly verdicts: readonly Verdict[];
  /** Whether the item is a live value that is erased in the store. */
  readonly isRefused: readonly boolean[];
}

async function judgeTable(view: View, table: Table, all: readonly Item[], options: MergeOptions): Promise<Judged> {
  const items = all.flatMap((item) => (item.table !== table ? [] : item.key ? [item, item.key] : [item]));
  const places = view.placesOf([concat(items.map(({ inner }) => inner))]);
  const rows = places.pick(await view.store.get(table, places.all));
  const opened = view.openMany(table, rows);
  const verdicts = items.map((item, i) => judge(item, rows[i], opened[i]!, options));
  for (let i = 1; i < items.length; i++) {
    if (items[i - 1]!.key === undefined) continue;
    if (verdicts[i - 1] === 'conflict') verdicts[i] = 'apart';
    else if (opened[i - 1]?.content.state === 'erased') verdicts[i] = 'there';
  }
  const isRefused = items.map(({ content }, i) => {
    return table === 'value' && content.state === 'live' && opened[i]?.content.state === 'erased';
  });
  for (const i of await buriedOf(view, items, verdicts, isRefused, options)) {
    verdicts[i] = 'there';
    isRefused[i] = false;
  }
  return { items, rows, opened, verdicts, isRefused };
}

/** Adds the items of one table to a plan. */
async function planTable(
  session: Session,
  view: View,
  table: Table,
  all: readonly Item[],
  options: MergeOptions,
  plan: Plan,
): Promise<void> {
  const judged = await judgeTable(view, table, all, options);
  const { items, rows, opened, verdicts } = judged;
  const drafts: { readonly draft: Draft; readonly i: number }[] = [];
  for (const [i, item] of items.entries()) {
    const { inner, content, expires } = item;
    const row = rows[i];
    const verdict = verdicts[i]!;
    addVerdict(session, table, judged, i, plan);
    if (verdict === 'there' && item.key !== undefined && verdicts[i + 1] === 'written') {
      // The row is written unchanged, together with its key: if another process changes it, the key is not written
      // either.
      drafts.push({ draft: { at: { instead: row! }, content: opened[i]!.content, expires: row!.expires }, i });
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
    const verdict = verdicts[i] as CountedChange['verdict'];
    plan.changes.push({ table, index: to.index, from: rows[i]?.version ?? 0, to, verdict });
  }
}

/** Counts an item, and notes the work that it leaves. */
function addVerdict(session: Session, table: Table, judged: Judged, i: number, plan: Plan): void {
  const item = judged.items[i]!;
  const { content } = item;
  const there = judged.opened[i]?.content ?? null;
  const verdict = judged.verdicts[i]!;
  plan.counts[verdict]++;
  if (judged.isRefused[i]) plan.refused.push(content.link);
  if (verdict === 'conflict') plan.conflicts.push({ item, there });
  else if (verdict === 'held') plan.held.push(item);
  else if (verdict === 'grave') plan.graves.push(item);
  else if (isOfSubject(table, content) && content.state === 'live') {
    if (there?.state === 'erased') {
      const key = erasedKeyOf(session, content);
      plan.orphans.push(key);
      plan.denied.push({ key: key.inner, tombstone: there.link });
    }
  } else if (isOfSubject(table, content) && verdict === 'erased') plan.orphans.push(erasedKeyOf(session, there!));
}

/**
 * Erases the keys of subjects whose row is erased on one side. They are erased before that row is, because nothing
 * leads to them afterwards. Changes of the plan at the same indexes are dropped.
 */
async function eraseKeys(session: Session, view: View, plan: Plan): Promise<void> {
  plan.counts.erased += (await merge(session, plan.orphans, { erase: true })).erased;
  const done = new Set(view.placesOf([concat(plan.orphans.map(({ inner }) => inner))]).all.map(mapKey));
  plan.changes = plan.changes.filter(({ table, index, verdict }) => {
    if (table !== 'subject' || !done.has(mapKey(index))) return true;
    plan.counts[verdict]--;
    plan.counts.there++;
    return false;
  });
}

/** Returns the positions of rows that would be written, or would erase, although their link has a grave. */
async function buriedOf(
  view: View,
  items: readonly Item[],
  verdicts: readonly Verdict[],
  isRefused: readonly boolean[],
  { isHeld }: MergeOptions,
): Promise<number[]> {
  const asked = items.flatMap(({ table, content }, i) => {
    const verdict = verdicts[i]!;
    const isLive = content.state === 'live' && table !== 'subject' && (verdict !== 'there' || isRefused[i]);
    // A tombstone has a grave if a value, or a subject, was protected again in its place.
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
  opened: OpenedRow | null,
  { givesWay, erase = false }: MergeOptions,
): Verdict {
  if (row === undefined) {
    return content.state === 'erased' && isOfSubject(table, content) && !erase ? 'grave' : 'written';
  }
  if (opened === null) return 'conflict';
  const there = opened.content;
  if (isSameContent(table, there, content) || there.state === 'erased') return 'there';
  if (isOver(row, today())) return 'written';
  if (content.state === 'erased') return erase ? 'erased' : 'held';
  return givesWay?.(table, there, content) ? 'written' : 'conflict';
}

/** The result of merging no rows. */
export const NOTHING: Merged = {
  written: 0,
  there: 0,
  erased: 0,
  conflicts: [],
  held: [],
  graves: [],
  refused: [],
  denied: [],
};

export function addMerged(a: Merged, b: Merged): Merged {
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

/** Whether this is the live row of a subject's key. */
export function isKey(table: Table, content: Content): boolean {
  return table === 'subject' && content.state === 'live' && content.rest.length === KEY;
}

/** Whether this is the row of a subject, which holds a handle, and not the row of its key. */
export function isOfSubject(table: Table, { rest }: Content): boolean {
  return table === 'subject' && rest.length === HANDLE;
}

/** Returns the erased row of the key to which the row of a subject leads. */
function erasedKeyOf(session: Session, { inner, rest: handle }: Content): Item {
  const content: Content = { state: 'erased', inner, link: randomBytes(LINK), rest: new Uint8Array(KEY) };
  return { table: 'subject', inner: session.subjects.keyIndexesOf([handle]), content, expires: null };
}
