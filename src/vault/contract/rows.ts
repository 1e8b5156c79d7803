/** Rows for the cases of the contract. */

import type { Entry, Row } from '../stores/store.ts';

/** Bytes of the largest body of a row. */
export const MAX_BODY: number = 2 * 1024 * 1024;

/** Characters of the largest text of the metadata. */
export const MAX_META: number = 64 * 1024;

/** Largest version, and largest day that the suite asks for. */
export const MAX_NUMBER: number = 2 ** 31 - 1;

/** Returns the row of a number. Rows of consecutive numbers have indexes far apart. */
export function row(n: number, more: Partial<Row> = {}): Row {
  const index = new Uint8Array(16);
  const view = new DataView(index.buffer);
  // 2^32 divided by the golden ratio scatters consecutive numbers.
  view.setUint32(0, Math.imul(n, 0x9e3779b1));
  view.setUint32(12, n);
  const body = Uint8Array.from({ length: 40 + (n % 7) }, (_, i) => n * 31 + i * 7);
  return { index, key: 'k3m7a', version: 1, expires: null, body, ...more };
}

/** Returns the number of a row. */
export function numberOf(index: Uint8Array): number {
  return new DataView(index.buffer, index.byteOffset).getUint32(12);
}

/** Returns rows of consecutive numbers. */
export function rowsFrom(first: number, count: number): Row[] {
  return Array.from({ length: count }, (_, i) => row(first + i));
}

/** Returns an entry with the row of a number. */
export function entry(n: number): Entry {
  return { row: row(n) };
}

export function entriesOf(rows: readonly Row[]): Entry[] {
  return rows.map((one) => ({ row: one }));
}

export function indexesOf(rows: readonly Row[]): Uint8Array[] {
  return rows.map(({ index }) => index);
}
