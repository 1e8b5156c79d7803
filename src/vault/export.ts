/**
 * An export: the rows of a store as they are in it, under the same two layers, so that the lines protect as much as the
 * store does. Others may work meanwhile.
 */

import { writeHex } from '../core/hex.ts';
import { fail } from '../errors.ts';
import { randomBytes } from '../kernel/random.ts';
import { groupOf, makeComparison } from './comparison.ts';
import { EXPORT, type Head, type MacOf, startParts, writeHead, writeRow } from './export-lines.ts';
import { rowsOf } from './rows.ts';
import type { Session } from './session.ts';
import type { Row, Table } from './store.ts';
import type { BrokenRow } from './upkeep.ts';

/** What an export is told. */
export interface ExportOptions {
  /**
   * Called with each row that does not verify, and is not exported therefore. Without it such a row is the error
   * `row_broken`.
   */
  readonly onBroken?: ((row: BrokenRow) => void) | undefined;
}

/**
 * What refers to another row comes behind it, so that an import that died has no value whose token does not reveal, and
 * none whose subject would be made a second time.
 */
const TABLES: readonly Table[] = ['subject', 'token', 'value'];

/**
 * The lines of an export.
 *
 * @throws TrefoilError `row_broken`; `store_busy` when the keys of the store are changed meanwhile.
 */
export async function* exportStore(
  session: Session,
  { onBroken }: ExportOptions,
): AsyncGenerator<string, void, undefined> {
  await session.refresh();
  const view = session.view();
  const { meta } = view;
  const macOf: MacOf = (id) => session.outer(id).mac;
  const { domain, store, outer, inner, subjects: key } = meta;
  const at = new Date().toISOString();
  const head: Head = { domain, store, outer, inner, subjects: key, export: randomBytes(EXPORT), at };
  const parts = startParts(head, macOf);
  const [links, subjects] = [makeComparison(), makeComparison()];

  /** The line of a row, and that of the part which it ends. */
  function* lines(table: Table, row: Row): Generator<string, void, undefined> {
    parts.add(table, row);
    yield writeRow(table, row);
    if (parts.isFull()) yield parts.write(false);
  }

  const broken = async (table: Table, row: Row) => {
    // Under keys that have come since it is none of ours to judge.
    if (await view.isOlder()) busy();
    const place = { table, index: writeHex(row.index), why: 'does not verify' } as const;
    if (onBroken === undefined) {
      fail('row_broken', `a row of the table ${table} does not verify; see trefoil vault verify, or take onBroken`);
    }
    onBroken(place);
  };

  yield writeHead(head, macOf);
  for (const table of TABLES) {
    for await (const { row, content } of rowsOf(session, view, table, broken)) {
      if (table === 'subject') subjects.one(row.index);
      else if (content.state === 'live') links[table === 'value' ? 'one' : 'other'](content.link);
      yield* lines(table, row);
    }
  }
  // Values that came since the tokens were read have a token, and perhaps a subject, that are not in the export yet; tokens
  // that were forgotten since have a grave that is not in it. Rows may be in it twice, so whole groups of them are no harm.
  const late = links.odd();
  if (late.size > 0) {
    for await (const { row, content } of rowsOf(session, view, 'token')) {
      if (content.state === 'erased' || !late.has(groupOf(content.link))) continue;
      yield* lines('token', row);
    }
    for await (const { row } of rowsOf(session, view, 'subject')) subjects.other(row.index);
    const more = subjects.odd();
    for await (const { row } of more.size === 0 ? [] : rowsOf(session, view, 'subject')) {
      if (!more.has(groupOf(row.index))) continue;
      yield* lines('subject', row);
    }
  }
  if (await view.isOlder()) busy();
  yield parts.write(true);
}

function busy(): never {
  fail('store_busy', 'the keys of the vault were changed while it was exported; begin again');
}
