/** Walks over all rows of a table, also while other processes change the keys of the store. */

import { given } from '../../core/given.ts';
import type { OpenedRow, View } from '../rows/view.ts';
import type { Session } from '../session.ts';
import type { Row, Table } from '../stores/store.ts';

/** Rows that are read at once. */
const BATCH = 1000;

/** Yields the rows of a table in batches; with `notKey`, only rows of other keys. */
export async function* scan({ store }: Session, table: Table, notKey?: string): AsyncGenerator<Row[], void, undefined> {
  for (let after: Uint8Array | null = null; ; ) {
    const rows: Row[] = await store.scan(table, { after, limit: BATCH, ...given({ notKey }) });
    if (rows.length === 0) return;
    yield rows;
    after = rows.at(-1)!.index;
  }
}

/**
 * Yields the rows of a table that verify, each at least once. A change of keys moves rows while they are read, also to
 * places that have been read already. But it moves them only to the first keys of the metadata: to the first outer key,
 * then to the first inner key, or to both at once. So if there are several keys, the table is read once for each of
 * these steps, and a row that has moved meanwhile is found by a later one.
 */
export async function* rowsOf(
  session: Session,
  view: View,
  table: Table,
  onBroken: (table: Table, row: Row) => Promise<void> = async () => {},
): AsyncGenerator<OpenedRow, void, undefined> {
  const { outer, inner } = view.meta;
  const [newest] = outer;
  const hasSteps = { outer: outer.length > 1, inner: inner.length > 1 && table !== 'subject' };
  const stepOf = ({ row, content }: OpenedRow): Step => {
    if (hasSteps.outer && row.key !== newest) return 'old outer key';
    return hasSteps.inner && content.inner !== inner[0] ? 'old inner key' : 'first keys';
  };
  const steps: readonly Step[] = [
    ...(hasSteps.outer ? (['old outer key'] as const) : []),
    ...(hasSteps.inner ? (['old inner key'] as const) : []),
    'first keys',
  ];
  for (const step of steps) {
    for await (const batch of scan(session, table, step === 'old outer key' ? newest : undefined)) {
      for (const [i, opened] of view.openMany(table, batch).entries()) {
        if (opened === null) {
          const row = batch[i]!;
          const reportedAt = hasSteps.outer && row.key !== newest ? 'old outer key' : 'first keys';
          if (step === reportedAt) await onBroken(table, row);
        } else if (stepOf(opened) === step) yield opened;
      }
    }
  }
}

/** How far a row has moved towards the first keys. */
type Step = 'old outer key' | 'old inner key' | 'first keys';
