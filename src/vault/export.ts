/**
 * An export: the rows of a store as they are in it, under the same two layers, so that the lines protect as much as the
 * store does. Others may work meanwhile.
 */

import { writeHex } from '../core/hex.ts';
import { fail } from '../errors.ts';
import { groupOf, makeComparison } from './comparison.ts';
import { type MacOf, writeEnd, writeHead, writeRow } from './export-lines.ts';
import type { Session } from './session.ts';
import type { Row, Table } from './store.ts';
import { type BrokenRow, scan } from './upkeep.ts';
import type { Found, View } from './view.ts';

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
  const [links, subjects] = [makeComparison(), makeComparison()];
  let rows = 0;

  const broken = async (table: Table, row: Row) => {
    // Under keys that have come since it is none of ours to judge.
    if (await view.isOlder()) busy();
    const place = { table, index: writeHex(row.index), why: 'does not verify' } as const;
    if (onBroken === undefined) {
      fail('row_broken', `a row of the table ${table} does not verify; see trefoil vault verify, or take onBroken`);
    }
    onBroken(place);
  };

  yield writeHead(meta, macOf);
  for (const table of TABLES) {
    for await (const { row, content } of rowsOf(session, view, table, broken)) {
      if (table === 'subject') subjects.one(row.index);
      else if (content.state === 'live') links[table === 'value' ? 'one' : 'other'](content.link);
      rows++;
      yield writeRow(table, row);
    }
  }
  // Values that came since the tokens were read have a token, and perhaps a subject, that are not in the export yet. Rows
  // may be in it twice, so whole groups of them are no harm.
  const late = links.odd();
  if (late.size > 0) {
    for await (const { row, content } of rowsOf(session, view, 'token')) {
      if (content.state === 'erased' || !late.has(groupOf(content.link))) continue;
      rows++;
      yield writeRow('token', row);
    }
    for await (const { row } of rowsOf(session, view, 'subject')) subjects.other(row.index);
    const more = subjects.odd();
    for await (const { row } of more.size === 0 ? [] : rowsOf(session, view, 'subject')) {
      if (!more.has(groupOf(row.index))) continue;
      rows++;
      yield writeRow('subject', row);
    }
  }
  if (await view.isOlder()) busy();
  yield writeEnd(meta, rows, macOf);
}

function busy(): never {
  fail('store_busy', 'the keys of the vault were changed while it was exported; begin again');
}

/**
 * The rows of a table that verify, each at least once. A change of keys moves rows, also to places that were looked at
 * already; but it moves them to the first keys of the metadata alone, first of the outer layer or of both. So where there
 * are several keys, the table is read once for each step on that way, and what moved meanwhile is seen at the next.
 */
async function* rowsOf(
  session: Session,
  view: View,
  table: Table,
  broken: (table: Table, row: Row) => Promise<void> = async () => {},
): AsyncGenerator<Found, void, undefined> {
  const { outer, inner } = view.meta;
  const [newest] = outer;
  const steps = { outer: outer.length > 1, inner: inner.length > 1 && table !== 'subject' };
  const stepOf = ({ row, content }: Found): Step => {
    if (steps.outer && row.key !== newest) return 'old outer key';
    return steps.inner && content.inner !== inner[0] ? 'old inner key' : 'first keys';
  };
  const way: readonly Step[] = [
    ...(steps.outer ? (['old outer key'] as const) : []),
    ...(steps.inner ? (['old inner key'] as const) : []),
    'first keys',
  ];
  for (const step of way) {
    for await (const batch of scan(session, table, step === 'old outer key' ? newest : undefined)) {
      for (const [i, found] of view.openMany(table, batch).entries()) {
        if (found === null) {
          const row = batch[i]!;
          const last = steps.outer && row.key !== newest ? 'old outer key' : 'first keys';
          if (step === last) await broken(table, row);
        } else if (stepOf(found) === step) yield found;
      }
    }
  }
}

/** Where a row is on its way to the first keys. */
type Step = 'old outer key' | 'old inner key' | 'first keys';
