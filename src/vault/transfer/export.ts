/**
 * An export: the rows of a store as they are in it, sealed under both layers, so that the lines protect as much as the
 * store does. Other processes may use the store meanwhile.
 */

import { writeHex } from '../../core/hex.ts';
import { fail } from '../../errors.ts';
import { randomBytes } from '../../kernel/random.ts';
import { mapKey } from '../map-key.ts';
import type { OpenedRow, View } from '../rows/view.ts';
import type { Session } from '../session.ts';
import type { Row, Table } from '../stores/store.ts';
import { readSubjectRows } from '../subjects.ts';
import { groupOf, makeComparison } from '../upkeep/comparison.ts';
import type { BrokenRow } from '../upkeep/stores.ts';
import { rowsOf } from '../upkeep/walk.ts';
import { EXPORT, type Head, type MacOf, type Parts, startParts, writeHead, writeRow } from './lines.ts';
import { isKey } from './merge.ts';

/** Options of an export. */
export interface ExportOptions {
  /**
   * Called with each row that does not verify; the row is left out. Without it, such a row ends the export with the
   * error `row_broken`.
   */
  readonly onBroken?: ((row: BrokenRow) => void) | undefined;
}

/** Bytes of the longest body in the table `subject`, that of a key. */
const LONGEST = 127;

/** Lines of an export. */
type Lines = AsyncGenerator<string, void, undefined>;

/** Called with a row that does not verify. */
type OnBroken = (table: Table, row: Row) => Promise<void>;

/** An export that is being written. */
interface Writing {
  readonly session: Session;
  readonly view: View;
  readonly parts: Parts;
}

/**
 * Yields the lines of an export. A row comes after the rows that it needs, so that an import that died leaves no value
 * whose token does not reveal, and none whose subject would be made a second time. The key of a subject is in one part
 * with the row that leads to it, so that an import can write both at once.
 *
 * @throws TrefoilError `row_broken`; `store_busy` if the keys of the store are changed meanwhile.
 */
export async function* exportStore(session: Session, options: ExportOptions): Lines {
  await session.refresh();
  const view = session.view();
  const { domain, store, outer, inner, subjects: key } = view.meta;
  const at = new Date().toISOString();
  const head: Head = { domain, store, outer, inner, subjects: key, export: randomBytes(EXPORT), at };
  const macOf: MacOf = (id) => session.outer(id).mac;
  const parts = startParts(head, macOf);
  const writing: Writing = { session, view, parts };
  const onBroken: OnBroken = (table, row) => skipBroken(view, options, table, row);
  const [links, subjects] = [makeComparison(), makeComparison()];

  yield writeHead(head, macOf);
  const isAny = ({ content }: OpenedRow) => {
    subjects.addFirst(content.link);
    return true;
  };
  yield* subjectLines(writing, isAny, onBroken);
  for (const table of ['token', 'value'] as const) {
    for await (const { row, content } of rowsOf(session, view, table, onBroken)) {
      if (content.state === 'live') links[table === 'value' ? 'addFirst' : 'addSecond'](content.link);
      yield* linesOf(parts, table, row);
    }
  }
  // A value that was made after the tokens were read has a token that is not in the export yet. Rows may be in an
  // export several times, so whole groups of tokens are written again.
  const late = links.differing();
  for await (const { row, content } of late.size === 0 ? [] : rowsOf(session, view, 'token')) {
    if (content.state === 'live' && late.has(groupOf(content.link))) yield* linesOf(parts, 'token', row);
  }
  // Now the subjects are read a second time. The rows of a subject are written before its mappings, and a grave in one
  // change with the tombstones of its mapping. So all rows that the tokens and values above need are in the table
  // before this second read begins. Rows that are written later belong to mappings that are not in the export.
  for await (const { content } of rowsOf(session, view, 'subject')) {
    if (!isKey('subject', content)) subjects.addSecond(content.link);
  }
  const more = subjects.differing();
  if (more.size > 0) yield* subjectLines(writing, ({ content }) => more.has(groupOf(content.link)));
  if (await view.isOutdated()) failBusy();
  yield parts.write(true);
}

/** Yields the line of a row, followed by the end of the part if the row has filled it. */
function* linesOf(parts: Parts, table: Table, row: Row): Generator<string, void, undefined> {
  parts.add(table, row);
  yield writeRow(table, row);
  if (parts.isFull()) yield parts.write(false);
}

/**
 * Yields the rows of the table `subject` that are wanted. Live keys are written only with the rows that lead to them.
 */
async function* subjectLines(writing: Writing, isWanted: (row: OpenedRow) => boolean, onBroken?: OnBroken): Lines {
  const { session, view, parts } = writing;
  let leads = new Map<string, OpenedRow>();
  const fits = (more: number) => parts.fits(2 * leads.size + more, (2 * leads.size + more) * LONGEST);
  for await (const opened of rowsOf(session, view, 'subject', onBroken)) {
    const { row, content } = opened;
    if (isKey('subject', content) || !isWanted(opened)) continue;
    const isLead = content.state === 'live';
    if (!fits(isLead ? 2 : 1)) {
      yield* groupLines(writing, [...leads.values()]);
      leads = new Map();
    }
    if (isLead) leads.set(mapKey(content.rest), opened);
    else yield* linesOf(parts, 'subject', row);
  }
  yield* groupLines(writing, [...leads.values()]);
}

/** Yields rows of subjects, followed by the keys to which they lead, all in one part. */
async function* groupLines({ view, parts }: Writing, leads: readonly OpenedRow[]): Lines {
  if (leads.length === 0) return;
  const rows = [...leads.map(({ row }) => row), ...(await keysOf(view, leads))];
  if (!parts.fits(rows.length, rows.length * LONGEST)) yield parts.write(false);
  for (const row of rows) yield* linesOf(parts, 'subject', row);
}

/**
 * Returns the keys to which rows of subjects lead. They are sorted by index, so that the order does not show the pairs.
 */
async function keysOf(view: View, leads: readonly OpenedRow[]): Promise<Row[]> {
  const inners = view.subjects.keyIndexesOf(leads.map(({ content }) => content.rest));
  const { opened } = await readSubjectRows(view, inners);
  // A key is written before the row that leads to it. If it is not found, it is being moved to the first outer key.
  const again = opened.includes(null) ? await readSubjectRows(view, inners) : { opened };
  const rows = again.opened.flatMap((one) => (one === null ? [] : [one.row]));
  return rows.sort((a, b) => (mapKey(a.index) < mapKey(b.index) ? -1 : 1));
}

async function skipBroken(view: View, { onBroken }: ExportOptions, table: Table, row: Row): Promise<void> {
  // The row may be under a key that came meanwhile; then this view cannot tell whether it verifies.
  if (await view.isOutdated()) failBusy();
  if (onBroken === undefined) {
    const message = `a row of the table ${table} is damaged or was changed`;
    fail('row_broken', `${message}; run trefoil vault verify, or pass onBroken to leave such rows out`);
  }
  onBroken({ table, index: writeHex(row.index), why: 'does not verify' });
}

function failBusy(): never {
  fail('store_busy', 'the keys of the vault were changed during the export; export again');
}
