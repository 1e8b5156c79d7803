/**
 * An import: reads the lines of an export, checks them against their keys, and merges the rows with those of a store.
 */

import { fail, TrefoilError, type Where } from '../../errors.ts';
import type { DomainKey, OpenedKeys } from '../../keys/domain-keys.ts';
import { isOver, today } from '../days.ts';
import { mapKey } from '../map-key.ts';
import { isSameContent } from '../rows/content.ts';
import { subjectKeys } from '../rows/inner.ts';
import { type Outer, outerLayer } from '../rows/outer.ts';
import type { Origin, Session } from '../session.ts';
import { type Done, type Erasures, holdErasures } from './erasures.ts';
import {
  endsPart,
  type Head,
  type JsonObject,
  type MacOf,
  type Parts,
  readHead,
  readLine,
  readRow,
  startParts,
} from './lines.ts';
import { type Conflict, type Item, merge, rowsIn } from './merge.ts';
import { openRows, pairKeys, type WaitingRow } from './parts.ts';
import { type ExportSource, linesOf } from './source.ts';

export type { ExportSource } from './source.ts';

/** Result of an import: numbers of rows. */
export interface Imported {
  /** Rows of the export. */
  readonly rows: number;
  /** Rows that were written, because the store did not have them, or had expired ones in their places. */
  readonly written: number;
  /** Rows that the store already had, or that are erased in it: an import never undoes an erasure. */
  readonly there: number;
  /** Rows that were **live in the store and were destroyed**, because they are erased in the export. */
  readonly erased: number;
  /** Rows that were left out because they have expired. */
  readonly expired: number;
  /**
   * Rows that were left out because the store has a different row in their places and keeps it. A value is counted with
   * its token, and the row of a subject with its key.
   */
  readonly conflicts: number;
}

/** Most conflicts that are kept until the end, when they are settled. */
const MAX_CONFLICTS = 100_000;

/** The export that is being read. */
interface Reading {
  readonly head: Head;
  /** Position of its first line. */
  readonly at: Where;
  readonly parts: Parts;
  readonly erasures: Erasures;
  /** Whether the store looks under the export's keys. */
  hasKeys: boolean;
  /** The rows of a part, until its MAC has been checked. */
  waiting: WaitingRow[];
  conflicts: Conflict[];
}

/** An import that is running. */
interface Importing {
  readonly keys: OpenedKeys;
  readonly name: string;
  readonly open: (origin: Origin) => Promise<Session>;
  readonly keyOf: (id: string) => DomainKey;
  readonly outerOf: (id: string) => Outer;
  readonly macOf: MacOf;
  readonly counts: { -readonly [Name in keyof Imported]: number };
  /** Position of the line that is being read. */
  where: Where;
  session: Session | null;
}

/**
 * Merges an export with a store. The rows of a part are written when its MAC has been checked; rows that would erase a
 * live one are processed when the last MAC has been checked. So of an export that was cut off, or put together from
 * two, only the parts that verify are written, and nothing is erased.
 *
 * The key of a subject is written in one change with the row that leads to it. So an import that dies at any point
 * leaves no key that shredding does not find.
 *
 * The rows of one part are in memory (1,000 rows, or 8 MiB and one row). In addition, each erased row that the store
 * does not have, or has live, takes 34 bytes and up to 100 more.
 *
 * @param open opens the store, when the first part has been checked; a new store starts with the keys of the export.
 * @throws TrefoilError `export_refused`, `row_broken`, `wrong_domain`, `unknown_key`, `store_version`, with the line;
 *   and errors of the store itself. The message says how many rows had been written by then.
 */
export async function importStore(
  source: ExportSource,
  keys: OpenedKeys,
  name: string,
  open: (origin: Origin) => Promise<Session>,
): Promise<Imported> {
  const importing = startImport(keys, name, open);
  const { counts } = importing;
  try {
    await readAll(importing, source);
  } catch (error) {
    // If scrubbing fails as well, the first error says more.
    if (importing.session !== null && counts.erased > 0) await importing.session.scrub().catch(() => {});
    throw withCounts(error, counts);
  }
  if (counts.erased > 0) await importing.session!.scrub();
  return Object.freeze(counts);
}

function startImport(keys: OpenedKeys, name: string, open: (origin: Origin) => Promise<Session>): Importing {
  const layers = new Map<string, Outer>();
  const keyOf = (id: string): DomainKey => {
    const key = keys.keys.find((one) => one.id === id);
    return key ?? fail('unknown_key', `the export uses key ${id}, which the keyset does not have`, importing.where);
  };
  // The export may name keys that the metadata of the store do not name, so these layers are not those of the session.
  const outerOf = (id: string): Outer => {
    const layer = layers.get(id) ?? outerLayer(keyOf(id), name);
    layers.set(id, layer);
    return layer;
  };
  const importing: Importing = {
    keys,
    name,
    open,
    keyOf,
    outerOf,
    macOf: (id) => outerOf(id).mac,
    counts: { rows: 0, written: 0, there: 0, erased: 0, expired: 0, conflicts: 0 },
    where: {},
    session: null,
  };
  return importing;
}

async function readAll(importing: Importing, source: ExportSource): Promise<void> {
  let reading: Reading | null = null;
  let hasBegun = false;
  for await (const { text, line } of linesOf(source)) {
    if (text.trim() === '') continue;
    const where = { line };
    importing.where = where;
    const object = readLine(text);
    if (reading === null) {
      hasBegun = true;
      reading = begin(importing, object);
    } else if (object !== null && endsPart(object)) {
      if ((await endPart(importing, reading, object)) === 'part') continue;
      await finish(importing, reading);
      reading = null;
    } else {
      const read = object === null ? null : readRow(object);
      if (read === null) fail('row_broken', 'the line is not a row of an export', where);
      if (reading.parts.isFull()) {
        fail('export_refused', 'the part of the export has no end: it has more rows than a part may have', where);
      }
      reading.parts.add(read.table, read.row);
      reading.waiting.push({ ...read, where });
    }
  }
  if (!hasBegun) fail('export_refused', 'the export is empty: it has no line');
  if (reading !== null) fail('export_refused', 'the end of the export is missing; import the complete export');
}

function begin({ keys, name, macOf, outerOf, where }: Importing, line: JsonObject | null): Reading {
  const head = readHead(line, keys.domain, name, macOf, where);
  for (const id of [...head.outer, ...head.inner, head.subjects]) outerOf(id);
  const parts = startParts(head, macOf);
  return { head, at: where, parts, erasures: holdErasures(), hasKeys: false, waiting: [], conflicts: [] };
}

/** Checks the line that ends a part, and writes the rows of the part. Returns what the line ends. */
async function endPart(importing: Importing, reading: Reading, line: JsonObject): Promise<'part' | 'end'> {
  const ended = reading.parts.read(line);
  if (ended === null) {
    // If a row was changed, this names its line. Otherwise rows were left out, repeated or reordered.
    openPart(importing, reading);
    const message = 'rows before this line were left out or changed, or belong to another export';
    fail('export_refused', message, importing.where);
  }
  await writePart(importing, reading);
  return ended;
}

/** Erases what the export erases, after its last part. */
async function finish(importing: Importing, reading: Reading): Promise<void> {
  const session = await sessionFor(importing, reading);
  await reading.erasures.run(session, reading.conflicts, (done) => count(importing, done));
}

/** Opens the rows of the part that has ended. */
function openPart({ outerOf }: Importing, { head, waiting }: Reading): Item[] {
  const items = openRows(waiting, head, outerOf);
  const broken = items.indexOf(null);
  if (broken >= 0) {
    fail('row_broken', 'the line is not a row of this export, or it was changed', waiting[broken]!.where);
  }
  return items as Item[];
}

async function writePart(importing: Importing, reading: Reading): Promise<void> {
  const { counts, keyOf, name } = importing;
  const opened = openPart(importing, reading);
  const { waiting } = reading;
  const subjects = subjectKeys(keyOf(reading.head.subjects), name);
  const day = today();
  const items = pairKeys(subjects, opened, (i) => waiting[i]!.where).filter((item) => !isOver(item, day));
  counts.rows += waiting.length;
  counts.expired += waiting.length - items.reduce((sum, item) => sum + rowsIn(item), 0);
  reading.waiting = [];
  await mergeItems(importing, reading, await sessionFor(importing, reading), items);
  if (reading.conflicts.length > MAX_CONFLICTS) {
    const limit = MAX_CONFLICTS.toLocaleString('en-GB');
    const message = `more than ${limit} rows of the export differ from those of the store`;
    fail('export_refused', `${message}: the two were filled independently`);
  }
}

/** Merges items in batches in which no two rows have one place. */
async function mergeItems(
  importing: Importing,
  reading: Reading,
  session: Session,
  items: readonly Item[],
): Promise<void> {
  let batch: Item[] = [];
  let places = new Map<string, Item>();
  const flush = async () => {
    if (batch.length === 0) return;
    const { conflicts, ...merged } = await merge(session, batch, { isHeld: reading.erasures.isHeld });
    batch = [];
    places = new Map();
    count(importing, merged);
    reading.erasures.add({ ...merged, conflicts });
    reading.conflicts = reading.conflicts.concat(conflicts);
  };
  for (const item of items) {
    const rows = item.key === undefined ? [item] : [item, item.key];
    const others = rows.map(({ table, inner }) => places.get(table + mapKey(inner)));
    const isRepeated = rows.every(({ table, content }, i) => {
      const other = others[i];
      return other !== undefined && isSameContent(table, other.content, content);
    });
    if (isRepeated) {
      importing.counts.there += rows.length;
      continue;
    }
    if (others.some((other) => other !== undefined)) await flush();
    batch.push(item);
    for (const row of rows) places.set(row.table + mapKey(row.inner), row);
  }
  await flush();
}

/** Opens the store. It is not touched before a part of the export has been checked. */
async function sessionFor(importing: Importing, reading: Reading): Promise<Session> {
  const { head } = reading;
  importing.session ??= await importing.open({ inner: head.inner, subjects: head.subjects });
  if (!reading.hasKeys) await takeKeys(importing.session, head, reading.at);
  reading.hasKeys = true;
  return importing.session;
}

/**
 * Makes the store look under the export's keys of the inner layer. If the export's list ends with the store's own list,
 * the exported store has changed its key since; the newer key then comes first in this store as well, so that a mapping
 * that was moved to it is found there.
 */
async function takeKeys(session: Session, head: Head, at: Where): Promise<void> {
  if (session.meta().subjects !== head.subjects) {
    const message = 'the export and the store look up subjects under different keys; import it into a new store';
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

function count({ counts }: Importing, done: Done): void {
  counts.written += done.written ?? 0;
  counts.there += done.there ?? 0;
  counts.erased += done.erased ?? 0;
  for (const { item } of done.conflicts ?? []) counts.conflicts += rowsIn(item);
  // Removed rows had been written before, by this import or by an earlier one.
  counts.written = Math.max(0, counts.written - (done.removed ?? 0));
  counts.conflicts += done.removed ?? 0;
}

/** Returns the error, with the numbers of rows that had been written and erased before it. */
function withCounts(error: unknown, { written, erased }: Pick<Imported, 'written' | 'erased'>): unknown {
  if (!(error instanceof TrefoilError)) return error;
  const [wrote, erases] = [written, erased].map((number) => number.toLocaleString('en-GB'));
  const before =
    written + erased === 0 ? 'nothing was written' : `before that, ${wrote} rows were written and ${erases} erased`;
  const issues = error.issues.map((issue) => ({ ...issue, message: `${issue.message}; ${before}` }));
  return new TrefoilError(issues, error.total);
}
