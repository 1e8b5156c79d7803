/** All rows of a table, also while others change the keys of the store; and records, where there are millions. */

import type { Found, View } from '../rows/view.ts';
import type { Session } from '../session.ts';
import type { Row, Table } from '../stores/store.ts';
import { scan } from './stores.ts';

/**
 * The rows of a table that verify, each at least once. A change of keys moves rows, also to places that were looked at
 * already; but it moves them to the first keys of the metadata alone, first of the outer layer or of both. So where there
 * are several keys, the table is read once for each step on that way, and what moved meanwhile is seen at the next.
 */
export async function* rowsOf(
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

/** Items in batches, as they come. */
export async function* inBatches<T>(items: AsyncIterable<T>, size: number): AsyncGenerator<T[], void, undefined> {
  let batch: T[] = [];
  for await (const item of items) {
    batch.push(item);
    if (batch.length < size) continue;
    yield batch;
    batch = [];
  }
  if (batch.length > 0) yield batch;
}

/** Records of one size, without an object for each. */
export interface Records {
  readonly add: (record: Uint8Array) => void;
  readonly size: () => number;
  /** In their order, some at a time. */
  readonly batches: (count: number) => Iterable<Uint8Array[]>;
}

/** Records in one piece of memory. */
const PIECE = 1000;

/** @param bytes of a record. */
export function makeRecords(bytes: number): Records {
  const pieces: Uint8Array[] = [];
  let size = 0;
  const at = (i: number) => pieces[Math.floor(i / PIECE)]!.subarray((i % PIECE) * bytes, ((i % PIECE) + 1) * bytes);
  return {
    add(record) {
      if (size === pieces.length * PIECE) pieces.push(new Uint8Array(PIECE * bytes));
      at(size++).set(record);
    },
    size: () => size,
    *batches(count) {
      for (let first = 0; first < size; first += count) {
        yield Array.from({ length: Math.min(count, size - first) }, (_, k) => at(first + k));
      }
    },
  };
}
