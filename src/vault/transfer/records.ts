/** Many small records in memory, and batches of a stream. */

/** Yields the items of a stream in batches. */
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

/** Records of one size, stored without an object for each, because there may be millions. */
export interface Records {
  readonly add: (record: Uint8Array) => void;
  readonly size: () => number;
  /** Yields the records in order, `count` at a time. */
  readonly batches: (count: number) => Iterable<Uint8Array[]>;
}

/** Records in one array. */
const CHUNK = 1000;

/** @param bytes size of a record. */
export function makeRecords(bytes: number): Records {
  const chunks: Uint8Array[] = [];
  let size = 0;
  const at = (i: number) => chunks[Math.floor(i / CHUNK)]!.subarray((i % CHUNK) * bytes, ((i % CHUNK) + 1) * bytes);
  return {
    add(record) {
      if (size === chunks.length * CHUNK) chunks.push(new Uint8Array(CHUNK * bytes));
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
