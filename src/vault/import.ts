/** An import: reads the lines of an export, holds each against its key, and joins the rows with those of a store. */

import { badType, typeName } from '../core/checks.ts';
import { fail, type Where } from '../errors.ts';
import type { OpenedKeys } from '../keys/domain-keys.ts';
import { isSameContent, readContent } from './content.ts';
import { type Head, readEnd, readHead, readRow, type Said } from './export-lines.ts';
import { BATCH, type Conflict, type Item, type Joined, join, settle } from './join.ts';
import { nameOf, today } from './names.ts';
import { type Outer, outerLayer } from './outer.ts';
import type { Origin, Session } from './session.ts';

/** The lines of an export: text, or UTF-8, in pieces of any size. */
export type ExportSource = AsyncIterable<string | Uint8Array> | Iterable<string | Uint8Array>;

/** What an import did. */
export interface Imported {
  /** Rows of the export. */
  readonly rows: number;
  /** Rows that were not in the store, or had expired there. */
  readonly written: number;
  /** Rows that were there already, or were erased there: what is erased stays so. */
  readonly there: number;
  /** Rows that were live in the store, and are erased now as they are in the export. */
  readonly erased: number;
  /** Rows that were left out, as their day has come. */
  readonly expired: number;
  /** Rows that were left out, as the store has something else in their places and keeps it. */
  readonly conflicts: number;
}

/** Bytes of rows that are joined at once. */
const BATCH_BYTES = 1 << 23;

/** Characters of a line: a body of 2 MiB in base64url, and what is around it. */
const MAX_LINE = 3 << 20;

/** Conflicts that are kept until the end, when they are judged. */
const MAX_CONFLICTS = 100_000;

/**
 * Joins an export with a store.
 *
 * @param open opens the store; a new one begins with the keys of the export.
 * @throws TrefoilError `export_refused`, `row_broken`, `wrong_domain`, `unknown_key`, `store_version`, with the line; and
 *   what the store itself refuses. What came before stays.
 */
export async function importStore(
  source: ExportSource,
  keys: OpenedKeys,
  name: string,
  open: (origin: Origin) => Promise<Session>,
): Promise<Imported> {
  let at: Where = {};
  const outerOf = layersOf(keys, name, () => at);
  const macOf = (id: string) => outerOf(id).mac;
  const counts = { rows: 0, written: 0, there: 0, erased: 0, expired: 0, conflicts: 0 };
  let conflicts: Conflict[] = [];
  let session: Session | null = null;
  let batch = new Map<string, Item>();
  let bytes = 0;

  function note(done: Joined): void {
    counts.written += done.written;
    counts.there += done.there;
    counts.erased += done.erased;
  }

  async function flush(): Promise<void> {
    if (session === null || batch.size === 0) return;
    const items = [...batch.values()];
    batch = new Map();
    bytes = 0;
    const done = await join(session, items);
    note(done);
    conflicts = conflicts.concat(done.conflicts);
    if (conflicts.length > MAX_CONFLICTS) {
      fail('export_refused', `more than ${MAX_CONFLICTS} rows are others in the store: the two were filled apart`);
    }
  }

  async function add(item: Item): Promise<void> {
    const place = item.table + nameOf(item.inner);
    const other = batch.get(place);
    if (other !== undefined && isSameContent(item.table, other.content, item.content)) {
      counts.there++;
      return;
    }
    // No place is twice in one batch.
    if (other !== undefined || batch.size === BATCH || bytes > BATCH_BYTES) await flush();
    batch.set(place, item);
    bytes += item.content.rest.length;
  }

  async function finish(): Promise<void> {
    await flush();
    if (session === null) return;
    const settled = await settle(session, conflicts);
    note(settled);
    counts.conflicts = settled.conflicts.length;
    if (counts.erased > 0) await session.scrub();
  }

  async function readAll(): Promise<void> {
    let head: Head | null = null;
    let rows = 0;
    for await (const { text, line } of linesOf(source)) {
      if (text.trim() === '') continue;
      at = { line };
      const said = readJson(text);
      if (head === null) {
        head = readHead(said, keys.domain, name, macOf, at);
        for (const id of [...head.outer, ...head.inner, head.subjects]) outerOf(id);
        session ??= await open({ inner: head.inner, subjects: head.subjects });
        await takeKeys(session, head, at);
        rows = 0;
      } else if (said !== null && Object.hasOwn(said, 'rows')) {
        const expected = readEnd(said, head, macOf);
        if (expected === null) fail('export_refused', 'the last line of the export was changed', at);
        if (expected > rows) {
          const message = 'lines of the export are missing; what was imported stays: import the whole of it';
          fail('export_refused', message, { ...at, expected, actual: rows });
        }
        head = null;
      } else {
        const item = said === null ? null : readItem(said, head, outerOf);
        if (item === null) {
          const message = 'the line is not a row of this export as it was written; what came before it was imported';
          fail('row_broken', message, at);
        }
        rows++;
        counts.rows++;
        if (item.expires !== null && item.expires <= today()) counts.expired++;
        else await add(item);
      }
    }
    if (session === null) fail('export_refused', 'there is no export: not one line came');
    if (head !== null) {
      fail('export_refused', 'the end of the export is missing; what was imported stays: import the whole of it');
    }
  }

  try {
    await readAll();
  } catch (error) {
    // What came before is brought to its end all the same. If that fails, too, the first error says more.
    await finish().catch(() => {});
    throw error;
  }
  await finish();
  return Object.freeze(counts);
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

/** A row that verifies under a key of the export, with a key of the inner layer that the export names. */
function readItem(said: Said, head: Head, outerOf: (id: string) => Outer): Item | null {
  const read = readRow(said);
  if (read === null || !head.outer.includes(read.row.key)) return null;
  const { table, row } = read;
  const layer = outerOf(row.key);
  const bytes = layer.open(table, row);
  const content = bytes === null ? null : readContent(bytes);
  if (content === null) return null;
  const inner = table === 'subject' ? [head.subjects] : head.inner;
  if (!inner.includes(content.inner)) return null;
  return { table, inner: layer.innerOf(row.index), content, expires: row.expires };
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

function readJson(text: string): Said | null {
  try {
    const said: unknown = JSON.parse(text);
    return typeof said === 'object' && said !== null && !Array.isArray(said) ? (said as Said) : null;
  } catch {
    return null;
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
