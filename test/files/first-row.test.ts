/** An input without a header line: its first row is a row like any other, in the same batch as the next ones. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { protectCsv } from '../../src/csv.ts';
import type { TrefoilError } from '../../src/errors.ts';
import { coarsen, keep, keyset, policy } from '../../src/index.ts';
import { type FileOptions, protectFile } from '../../src/node.ts';
import { protectTsv } from '../../src/tsv.ts';
import { rejection } from '../helpers/errors.ts';

const keys = keyset.generate().domain('test');
const bound = policy({ id: keep, born: coarsen({ date: 'year' }) }).bind(keys);
const header = ['id', 'born'];

let folder: string;
const at = (name: string): string => join(folder, name);
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'trefoil-first-'));
});
afterAll(() => rm(folder, { recursive: true }));

/** Rows of which 1, 3 and 5 have no date. */
const bad = (count: number): string =>
  Array.from({ length: count }, (_, i) => `${i + 1}|${i % 2 === 0 ? 'never' : '1980-01-01'}\n`).join('');
const rowsOf = ({ issues }: TrefoilError): unknown => issues.map(({ row }) => row);

const FORMATS = [
  ['csv', '|', protectCsv],
  ['tsv', '\t', protectTsv],
] as const;

describe.each(FORMATS)('%s', (format, delimiter, protect) => {
  const textOf = (text: string): string => text.replaceAll('|', format === 'csv' ? ',' : delimiter);
  const run = async (text: string, options: FileOptions = {}) => {
    await writeFile(at('in'), textOf(text));
    return protectFile(at('in'), at('out'), bound, { format, header, force: true, ...options });
  };
  async function* stream(text: string, size = 7): AsyncGenerator<Uint8Array> {
    const bytes = Buffer.from(textOf(text));
    // The source uses one piece of memory again and again.
    const chunk = new Uint8Array(size);
    for (let i = 0; i < bytes.length; i += size) {
      const part = bytes.subarray(i, i + size);
      chunk.set(part);
      yield chunk.subarray(0, part.length);
    }
  }
  const drain = async (chunks: AsyncIterable<Uint8Array>): Promise<string> => {
    const parts: Uint8Array[] = [];
    for await (const chunk of chunks) parts.push(chunk.slice());
    return Buffer.concat(parts).toString();
  };

  test('the issues of the first row and of the next ones are found together', async () => {
    for (const workers of [1, 2]) expect(rowsOf(await rejection(run(bad(6), { workers })))).toEqual([1, 3, 5]);
    expect(rowsOf(await rejection(drain(protect(stream(bad(6)), bound, { header }))))).toEqual([1, 3, 5]);
    expect(rowsOf(await rejection(run(bad(1))))).toEqual([1]);
    expect(rowsOf(await rejection(drain(protect(stream(bad(1)), bound, { header }))))).toEqual([1]);
  });

  test('a limit counts the first row', async () => {
    const good = bad(4).replaceAll('never', '1980-01-01');
    for (const limit of [1, 2, 3, 4, 5]) {
      const due = Math.min(limit, 4);
      expect((await run(good, { limit })).rowsIn).toBe(due);
      for (const batchSize of [1, 2, 1024]) {
        const text = await drain(protect(stream(good), bound, { header, limit, batchSize }));
        expect(text).toBe(textOf(Array.from({ length: due }, (_, i) => `${i + 1}|1980\n`).join('')));
      }
    }
  });

  // In CSV a row above the limit ends the run, because of quotes that are never closed.
  test.runIf(format === 'tsv')('a row above the limit of bytes may follow it', async () => {
    const long = `2|${'x'.repeat(60)}\n`;
    const text = `1|1980-01-01\n${long}3|never\n4|1981-01-01\n`;
    const { rowsIn, rowsRejected, rowsNotHeld } = await run(text, { maxRecord: 40, rejects: at('r') });
    expect([rowsIn, rowsRejected, rowsNotHeld]).toEqual([4, 2, 1]);
    const rows: unknown[] = [];
    const options = { header, maxRecord: 40, onReject: ({ row }: { row?: number }) => rows.push(row) };
    expect(await drain(protect(stream(text), bound, options))).toBe(textOf('1|1980\n4|1981\n'));
    expect(rows).toEqual([2, 3]);
  });
});
