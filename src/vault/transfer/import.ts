/** An import: reads the lines of an export, holds each against its key, and joins the rows with those of a store. */

import { cut } from '../../core/bytes.ts';
import { badType, typeName } from '../../core/checks.ts';
import { fail, TrefoilError, type Where } from '../../errors.ts';
import type { DomainKey, OpenedKeys } from '../../keys/domain-keys.ts';
import { isOver, today } from '../days.ts';
import { mapKey } from '../map-key.ts';
import { isSameContent, readContent } from '../rows/content.ts';
import { type SubjectKeys, subjectKeys } from '../rows/inner.ts';
import { INDEX, type Outer, outerLayer } from '../rows/outer.ts';
import type { Origin, Session } from '../session.ts';
import type { Row, Table } from '../stores/store.ts';
import { type Done, type Erasures, holdErasures } from './erasures.ts';
import {
  endsPart,
  type Head,
  type MacOf,
  type Parts,
  readHead,
  readLine,
  readRow,
  type Said,
  startParts,
} from './lines.ts';
import { type Conflict, type Item, isKey, isOfSubject, join, rowsIn } from './merge.ts';

/** The lines of an export: text, or UTF-8, in pieces of any size. */
export type ExportSource = AsyncIterable<string | Uint8Array> | Iterable<string | Uint8Array>;

/** What an import did. */
export interface Imported {
  /** Rows of the export. */
  readonly rows: number;
  /** Rows that were not in the store, or had expired there. */
  readonly written: number;
  /** Rows that were there already, or were erased there: what is erased stays so. Also those that a grave keeps out. */
  readonly there: number;
  /** Rows that **lived in the store and were destroyed**, because they are erased in the export. */
  readonly erased: number;
  /** Rows that were left out, as their day has come. */
  readonly expired: number;
  /**
   * Rows that were left out, as the store has something else in their places and keeps it; with a value also its token, and
   * with the row of a subject also its key.
   */
  readonly conflicts: number;
}

/** Characters of a line: a body of 2 MiB in base64url, and what is around it. */
const MAX_LINE = 3 << 20;

/** Conflicts that are kept until the end, when they are judged. */
const MAX_CONFLICTS = 100_000;

/** A row of a part, before the MAC of the part is known to fit. */
interface Waiting {
  readonly table: Table;
  readonly row: Row;
  readonly where: Where;
}

/** What is known of the export that is being read. */
interface Reading {
  readonly head: Head;
  /** Where its first line is. */
  readonly at: Where;
  /** Whether the store looks under its keys. */
  isTaken: boolean;
  readonly parts: Parts;
  readonly erasures: Erasures;
  waiting: Waiting[];
  conflicts: Conflict[];
}

/**
 * Joins an export with a store. The rows of a part are written when its MAC fits; what would erase something that lives,
 * when the last one fits. So of an export that was cut, or put together from two, nothing is done that its beginning does
 * not do.
 *
 * The key of a subject is written in one change with the row that leads to it. So an import that dies anywhere leaves no
 * key that shredding does not find.
 *
 * In memory are the rows of one part (1,000, or 8 MiB and one row), and of each erased row that the store does not have, or
 * has live, 34 bytes and up to 100 more.
 *
 * @param open opens the store, when the first part has come; a new one begins with the keys of the export.
 * @throws TrefoilError `export_refused`, `row_broken`, `wrong_domain`, `unknown_key`, `store_version`, with the line; and
 *   what the store itself refuses. The message says how much was written by then.
 */
export async function importStore(
  source: ExportSource,
  keys: OpenedKeys,
  name: string,
  open: (origin: Origin) => Promise<Session>,
): Promise<Imported> {
  let where: Where = {};
  const keyOf = (id: string): DomainKey => {
    const key = keys.keys.find((one) => one.id === id);
    return key ?? fail('unknown_key', `the export is under key ${id}, which the keys do not have`, where);
  };
  const outerOf = layersOf(keyOf, name);
  const macOf: MacOf = (id) => outerOf(id).mac;
  const counts = { rows: 0, written: 0, there: 0, erased: 0, expired: 0, conflicts: 0 };
  let session: Session | null = null;
  let reading: Reading | null = null;
  let hasBegun = false;

  function note(done: Done): void {
    counts.written += done.written ?? 0;
    counts.there += done.there ?? 0;
    counts.erased += done.erased ?? 0;
    for (const { item } of done.conflicts ?? []) counts.conflicts += rowsIn(item);
    // They were written when they came, or by an import before this one.
    counts.written = Math.max(0, counts.written - (done.removed ?? 0));
    counts.conflicts += done.removed ?? 0;
  }

  function begin(text: Said | null): Reading {
    const head = readHead(text, keys.domain, name, macOf, where);
    for (const id of [...head.outer, ...head.inner, head.subjects]) outerOf(id);
    const parts = startParts(head, macOf);
    return { head, at: where, isTaken: false, parts, erasures: holdErasures(), waiting: [], conflicts: [] };
  }

  /** The store, which is not touched before a part of the export is known to be whole. */
  async function sessionFor(own: Reading): Promise<Session> {
    const { head } = own;
    session ??= await open({ inner: head.inner, subjects: head.subjects });
    if (!own.isTaken) await takeKeys(session, head, own.at);
    own.isTaken = true;
    return session;
  }

  /** The rows of the part that has ended. */
  function openPart({ head, waiting }: Reading): Item[] {
    const items = openRows(waiting, head, outerOf);
    const broken = items.indexOf(null);
    if (broken >= 0) {
      const message = 'the line is not a row of this export as it was written';
      fail('row_broken', message, waiting[broken]!.where);
    }
    return items as Item[];
  }

  async function writePart(own: Reading): Promise<void> {
    const opened = openPart(own);
    const subjects = subjectKeys(keyOf(own.head.subjects), name);
    const day = today();
    const items = pairKeys(subjects, opened, (i) => own.waiting[i]!.where).filter((item) => !isOver(item, day));
    counts.rows += own.waiting.length;
    counts.expired += own.waiting.length - items.reduce((sum, item) => sum + rowsIn(item), 0);
    own.waiting = [];
    const to = await sessionFor(own);
    // No place is twice in one batch.
    let batch: Item[] = [];
    let places = new Map<string, Item>();
    const flush = async () => {
      if (batch.length === 0) return;
      const { conflicts, ...joined } = await join(to, batch, { isHeld: own.erasures.isHeld });
      batch = [];
      places = new Map();
      note(joined);
      own.erasures.add({ ...joined, conflicts });
      own.conflicts = own.conflicts.concat(conflicts);
    };
    for (const item of items) {
      const rows = item.key === undefined ? [item] : [item, item.key];
      const others = rows.map(({ table, inner }) => places.get(table + mapKey(inner)));
      const isRepeated = rows.every(({ table, content }, i) => {
        const other = others[i];
        return other !== undefined && isSameContent(table, other.content, content);
      });
      if (isRepeated) {
        counts.there += rows.length;
        continue;
      }
      if (others.some((other) => other !== undefined)) await flush();
      batch.push(item);
      for (const row of rows) places.set(row.table + mapKey(row.inner), row);
    }
    await flush();
    if (own.conflicts.length > MAX_CONFLICTS) {
      fail('export_refused', `more than ${MAX_CONFLICTS} rows are others in the store: the two were filled apart`);
    }
  }

  async function endPart(own: Reading, text: Said): Promise<'part' | 'end'> {
    const what = own.parts.read(text);
    if (what === null) {
      // If one row was changed, its line is named; otherwise some were left out, repeated or put in another order.
      openPart(own);
      fail('export_refused', 'rows before this line were left out or changed, or are of another export', where);
    }
    await writePart(own);
    return what;
  }

  async function finish(own: Reading): Promise<void> {
    await own.erasures.run(await sessionFor(own), own.conflicts, note);
  }

  async function readAll(): Promise<void> {
    for await (const { text, line } of linesOf(source)) {
      if (text.trim() === '') continue;
      where = { line };
      const said = readLine(text);
      if (reading === null) {
        hasBegun = true;
        reading = begin(said);
      } else if (said !== null && endsPart(said)) {
        if ((await endPart(reading, said)) === 'part') continue;
        await finish(reading);
        reading = null;
      } else {
        const read = said === null ? null : readRow(said);
        if (read === null) fail('row_broken', 'the line is not a row of an export', where);
        if (reading.parts.isFull()) fail('export_refused', 'the part of the export has no end', where);
        reading.parts.add(read.table, read.row);
        reading.waiting.push({ ...read, where });
      }
    }
    if (!hasBegun) fail('export_refused', 'there is no export: not one line came');
    if (reading !== null) fail('export_refused', 'the end of the export is missing: import the whole of it');
  }

  try {
    await readAll();
  } catch (error) {
    // If that fails, the first error says more.
    if (session !== null && counts.erased > 0) await (session as Session).scrub().catch(() => {});
    throw saying(error, counts);
  }
  if (counts.erased > 0) await session!.scrub();
  return Object.freeze(counts);
}

/** The error, with what was done before it. */
function saying(error: unknown, { written, erased }: Pick<Imported, 'written' | 'erased'>): unknown {
  if (!(error instanceof TrefoilError)) return error;
  const [wrote, erases] = [written, erased].map((count) => count.toLocaleString('en-GB'));
  const before =
    written + erased === 0 ? 'nothing was written' : `before it ${wrote} rows were written and ${erases} erased`;
  const issues = error.issues.map((issue) => ({ ...issue, message: `${issue.message}; ${before}` }));
  return new TrefoilError(issues, error.total);
}

/** The outer layers of a store by the ids of their keys, whether the store's metadata name them or not. */
function layersOf(keyOf: (id: string) => DomainKey, name: string): (id: string) => Outer {
  const layers = new Map<string, Outer>();
  return (id) => {
    const layer = layers.get(id) ?? outerLayer(keyOf(id), name);
    layers.set(id, layer);
    return layer;
  };
}

/**
 * The items of a part, each live key of a subject with the row that leads to it. An export writes that row before the key,
 * in the same part; a key without it could never be shredded.
 */
function pairKeys(subjects: SubjectKeys, items: readonly Item[], whereOf: (i: number) => Where): Item[] {
  const leads = items.filter(({ table, content }) => content.state === 'live' && isOfSubject(table, content));
  const inners = cut(subjects.keyIndexesOf(leads.map(({ content }) => content.rest)), INDEX);
  const placeOf = new Map(leads.map((lead, i) => [lead, mapKey(inners[i]!)]));
  // A row may be in an export several times.
  const open = new Map<string, number[]>();
  const out: Item[] = [];
  for (const [i, item] of items.entries()) {
    const place = placeOf.get(item);
    if (place !== undefined) open.set(place, [...(open.get(place) ?? []), out.length]);
    if (!isKey(item.table, item.content)) {
      out.push(item);
      continue;
    }
    const at = open.get(mapKey(item.inner))?.shift();
    if (at === undefined) {
      fail('export_refused', 'a key of a subject came without the row that leads to it', whereOf(i));
    }
    out[at] = { ...out[at]!, key: item };
  }
  return out;
}

/** Rows that verify under a key of the export, with a key of the inner layer that it names; `null` for all others. */
function openRows(
  waiting: readonly Waiting[],
  { outer, inner, subjects }: Head,
  outerOf: (id: string) => Outer,
): (Item | null)[] {
  const out = new Array<Item | null>(waiting.length).fill(null);
  for (const table of new Set(waiting.map((one) => one.table))) {
    for (const id of outer) {
      const places = waiting.flatMap((one, i) => (one.table === table && one.row.key === id ? [i] : []));
      if (places.length === 0) continue;
      const layer = outerOf(id);
      const contents = layer.openMany(
        table,
        places.map((i) => waiting[i]!.row),
        readContent,
      );
      for (const [k, i] of places.entries()) {
        const content = contents[k]!;
        const isNamed = content !== null && (table === 'subject' ? [subjects] : inner).includes(content.inner);
        if (!isNamed) continue;
        const { index, expires } = waiting[i]!.row;
        out[i] = { table, inner: layer.innerOf(index), content, expires };
      }
    }
  }
  return out;
}

/**
 * Has the store look under the export's keys of the inner layer. Where the export's list ends with the store's own, its
 * store changed its key since, and the newer key comes first here as well: a mapping that was moved to it is found there.
 */
async function takeKeys(session: Session, head: Head, at: Where): Promise<void> {
  if (session.meta().subjects !== head.subjects) {
    const message = 'its subjects are under another key than those of the store; import it into a new store';
    fail('export_refused', message, at);
  }
  for (;;) {
    const { outer, inner: own } = session.meta();
    const isLater = own.every((id, i) => head.inner[head.inner.length - own.length + i] === id);
    const inner = isLater ? head.inner : [...own, ...head.inner.filter((id) => !own.includes(id))];
    if (inner.length === own.length) return;
    await session.change({ outer, inner });
  }
}

/** Lines with their numbers from 1, whatever the pieces are. */
async function* linesOf(source: ExportSource): AsyncGenerator<{ text: string; line: number }, void, undefined> {
  const decoder = new TextDecoder();
  let rest = '';
  let line = 0;
  for await (const piece of piecesOf(source)) {
    if (typeof piece !== 'string' && !(piece instanceof Uint8Array)) {
      badType('source', `expected text or bytes in pieces, got ${typeName(piece)}`);
    }
    const texts = (rest + (typeof piece === 'string' ? piece : decoder.decode(piece, { stream: true }))).split('\n');
    rest = texts.pop()!;
    for (const text of texts) yield { text, line: ++line };
    if (rest.length > MAX_LINE) fail('row_broken', 'the line is longer than any of an export', { line: line + 1 });
  }
  if (rest !== '') yield { text: rest, line: line + 1 };
}

/** Lines are often at hand as one text, whose pieces would be characters. */
function piecesOf(source: unknown): ExportSource {
  if (typeof source === 'string') return [source];
  const isIterable =
    typeof source === 'object' && source !== null && (Symbol.asyncIterator in source || Symbol.iterator in source);
  if (!isIterable || source instanceof Uint8Array) {
    badType('source', `expected the lines of an export in pieces, got ${typeName(source)}`);
  }
  return source as ExportSource;
}
