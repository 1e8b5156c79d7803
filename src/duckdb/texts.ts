/// <reference types="node" />
/** The values of a Parquet file as texts, for `trefoil scan`. */

import { resolve } from 'node:path';
import { TrefoilError } from '../errors.ts';
import { startEngine } from './engine.ts';
import { refuseShortage } from './failure.ts';
import { loadDuckdb } from './module.ts';
import { parquetReading } from './source.ts';
import { textList } from './sql.ts';

/**
 * Returns the rows of a Parquet file, a line each: the texts of its values, separated by spaces. Line ends inside
 * values are spaces, too, so the number of a line is that of its row.
 *
 * @throws TrefoilError `engine_failed`, `out_of_memory`.
 */
export async function* parquetLines(path: string, signal: AbortSignal): AsyncGenerator<Uint8Array, void, undefined> {
  const duckdb = await loadDuckdb();
  const { connection, close } = await startEngine(duckdb);
  const stop = (): void => connection.interrupt();
  signal.addEventListener('abort', stop);
  const encoder = new TextEncoder();
  try {
    const table = parquetReading(textList([resolve(path)]));
    const { length } = (await connection.runAndReadAll(`SELECT * FROM ${table} LIMIT 0`)).columnNames();
    const result = await connection.stream(`SELECT CAST(COLUMNS(*) AS VARCHAR) FROM ${table}`);
    for (;;) {
      const chunk = await result.fetchChunk();
      if (chunk === null || chunk.rowCount === 0) return;
      const vectors = Array.from({ length }, (_, column) => chunk.getColumnVector(column));
      let text = '';
      for (let row = 0; row < chunk.rowCount; row++) {
        const texts = vectors.map((vector) => (vector.getItem(row) ?? '') as string);
        text += `${texts.join(' ').replace(/[\n\0]/g, ' ')}\n`;
      }
      yield encoder.encode(text);
    }
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof TrefoilError) throw error;
    refuseShortage(error, path, path);
    // DuckDB's own message is not used, because it quotes values.
    throw new TrefoilError([{ code: 'engine_failed', message: 'DuckDB cannot read the file as Parquet', file: path }]);
  } finally {
    signal.removeEventListener('abort', stop);
    close();
  }
}
