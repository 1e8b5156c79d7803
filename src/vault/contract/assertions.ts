/**
 * Assertions of the contract, which depend on no test runner. Each throws an `Error` with what was expected and found.
 */

import { equalBytes } from '../../core/bytes.ts';
import { writeHex } from '../../core/hex.ts';
import type { Row, Table, VaultStore } from '../stores/store.ts';

/** Compares plain data by its JSON text with sorted names. */
export function expectEqual(actual: unknown, expected: unknown, label: string): void {
  const [found, wanted] = [actual, expected].map((value) => JSON.stringify(value, sortNames) ?? 'undefined');
  if (found !== wanted) throw new Error(`${label}: expected ${shorten(wanted!)}, got ${shorten(found!)}`);
}

/** Expects a promise to reject with an error of a code. */
export async function expectError(work: Promise<unknown>, code: string, label: string): Promise<void> {
  const result = await work.then(
    (returned) => ({ returned }),
    (error: { readonly code?: unknown } | null | undefined) => error?.code ?? 'an error without a code',
  );
  expectEqual(result, code, label);
}

/** Expects the same rows, in any order. */
export function expectRows(actual: readonly Row[], expected: readonly Row[], label: string): void {
  expectEqual(actual.length, expected.length, `${label}: number of rows`);
  const byIndex = new Map(actual.map((row) => [writeHex(row.index), row]));
  for (const row of expected) {
    const index = writeHex(row.index);
    const found = byIndex.get(index);
    if (found === undefined) throw new Error(`${label}: expected a row under ${index}, got none`);
    for (const field of ['key', 'version', 'expires'] as const) {
      expectEqual(found[field], row[field], `${label}: "${field}" of the row under ${index}`);
    }
    const areBytes = found.index instanceof Uint8Array && found.body instanceof Uint8Array;
    expectEqual(areBytes, true, `${label}: index and body of the row under ${index} are Uint8Array`);
    expectEqual(found.body.length, row.body.length, `${label}: length of the body of the row under ${index}`);
    expectEqual(equalBytes(found.body, row.body), true, `${label}: the body of the row under ${index} is unchanged`);
  }
}

/** Expects a table to contain these rows and no others, by `scan` and by `get`. */
export async function expectTable(store: VaultStore, table: Table, rows: readonly Row[]): Promise<void> {
  expectRows(await store.scan(table, { after: null, limit: 100_000 }), rows, `rows of ${table}`);
  const indexes = rows.map(({ index }) => index);
  expectRows(await store.get(table, indexes), rows, `rows of ${table} by index`);
}

function sortNames(_name: string, value: unknown): unknown {
  if (typeof value === 'bigint') return `bigint ${value}`;
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
}

function shorten(text: string): string {
  return text.length > 200 ? `${text.slice(0, 200)}…` : text;
}
