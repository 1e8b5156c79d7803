/** An import: reads the lines of an export, holds each against its key, and joins the rows with those of a store. */

import { badType, typeName } from '../core/checks.ts';
import { fail, TrefoilError, type Where } from '../errors.ts';
import type { OpenedKeys } from '../keys/domain-keys.ts';
import { isSameContent, readContent } from './content.ts';
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
} from './export-lines.ts';
import { type Conflict, type Item, join } from './join.ts';
import { isOver, nameOf, today } from './names.ts';
import { type Outer, outerLayer } from './outer.ts';
import { watchPairs } from './pairing.ts';
import type { Origin, Session } from './session.ts';
import type { Row, Table } from './store.ts';

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
  /** Rows that were left out, as the store has something else in their places and keeps it. */
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
  readonly session: Session;
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
 * In memory are the rows of one part (1,000, or 8 MiB and one row), 20 bytes for each key of a subject that was written,
 * and of each erased row that the store does not have, or has live, 34 bytes and up to 100 more.
 *
 * @param open opens the store; a new one begins with the keys of the export.
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
  const outerOf = layersOf(keys, name, () => where);
  const macOf: MacOf = (id) => outerOf(id).mac;
  const counts = { rows: 0, written: 0, there: 0, erased: 0, expired: 0, conflicts: 0 };
  const pairing = watchPairs();
  let session: Session | null = null;
  let reading: Reading | null = null;

  function note(done: Done): void {
    counts.written += done.written ?? 0;
    counts.there += done.there ?? 0;
    counts.erased += done.erased ?? 0;
    pairing.note(session!, done);
  }

  async function begin(text: Said | null): Promise<Reading> {
    const head = readHead(text, keys.domain, name, macOf, where);
    for (const id of [...head.outer, ...head.inner, head.subjects]) outerOf(id);
    session ??= await open({ inner: head.inner, subjects: head.subjects });
    await takeKeys(session, head, where);
    return { head, session, parts: startParts(head, macOf), erasures: holdErasures(), waiting: [], conflicts: [] };
  }

  /** The rows of the part that has ended, as far as their day has not come. */
  function openPart({ head, waiting }: Reading): Item[] {
    const items = openRows(waiting, head, outerOf);
    const broken = items.indexOf(null);
    if (broken >= 0) {
      const message = 'the line is not a row of this export as it was written';
      fail('row_broken', message, waiting[broken]!.where);
    }
    const day = today();
    return items.filter((item) => item !== null && !isOver(item, day)) as Item[];
  }

  async function writePart(own: Reading): Promise<void> {
    const items = openPart(own);
    counts.rows += own.waiting.length;
    counts.expired += own.waiting.length - items.length;
    own.waiting = [];
    // No place is twice in one batch.
    let batch = new Map<string, Item>();
    const flush = async () => {
      if (batch.size === 0) return;
      const joined = await join(own.session, [...batch.values()], { isHeld: own.erasures.isHeld });
      batch = new Map();
      note(joined);
      own.erasures.add(joined);
      own.conflicts = own.conflicts.concat(joined.conflicts);
    };
    for (const item of items) {
      const place = item.table + nameOf(item.inner);
      const other = batch.get(place);
      if (other !== undefined && isSameContent(item.table, other.content, item.content)) {
        counts.there++;
        continue;
      }
      if (other !== undefined) await flush();
      batch.set(place, item);
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
    await own.erasures.run(own.session, own.conflicts, (done) => {
      note(done);
      counts.conflicts += done.conflicts?.length ?? 0;
    });
  }

  async function readAll(): Promise<void> {
    for await (const { text, line } of linesOf(source)) {
      if (text.trim() === '') continue;
      where = { line };
      const said = readLine(text);
      if (reading === null) {
        reading = await begin(said);
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
    if (session === null) fail('export_refused', 'there is no export: not one line came');
    if (reading !== null) fail('export_refused', 'the end of the export is missing: import the whole of it');
  }

  try {
    await readAll();
  } catch (error) {
    // What was written may have keys of subjects whose rows did not come any more. If that fails, the first error says more.
    if (session !== null) await pairing.clean(session).catch(() => {});
    if (session !== null && counts.erased > 0) await (session as Session).scrub().catch(() => {});
    throw saying(error, counts);
  }
  await pairing.clean(session!);
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
function layersOf({ keys }: OpenedKeys, name: string, at: () => Where): (id: string) => Outer {
  const layers = new Map<string, Outer>();
  return (id) => {
    const key = keys.find((one) => one.id === id);
    if (key === undefined) fail('unknown_key', `the export is under key ${id}, which the keys do not have`, at());
    const layer = layers.get(id) ?? outerLayer(key, name);
    layers.set(id, layer);
    return layer;
  };
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
