/// <reference types="node" />
/** DuckDB's package: an optional peer, loaded when it is asked for. What is used of it is said here by shape. */

import { fail } from '../errors.ts';

/** A column of a batch, as DuckDB hands it over. */
export interface Vector {
  readonly getItem: (index: number) => unknown;
  readonly setItem: (index: number, value: string | null) => void;
  readonly flush: () => void;
}

/** A batch of records, up to 2,048. */
export interface Chunk {
  readonly rowCount: number;
  readonly getColumnVector: (index: number) => Vector;
}

/** What a function is told of its call. */
export interface CallInfo {
  readonly setError: (message: string) => void;
}

/** A connection of `@duckdb/node-api`. */
export interface DuckdbConnection {
  readonly registerScalarFunction: (made: never) => void;
}

/** A connection as the file engine uses it. */
export interface Connection extends DuckdbConnection {
  readonly runAndReadAll: (sql: string) => Promise<{ readonly getRows: () => readonly (readonly unknown[])[] }>;
  readonly stream: (sql: string) => Promise<{ readonly fetchChunk: () => Promise<Chunk | null> }>;
  readonly interrupt: () => void;
  readonly closeSync: () => void;
}

/** An instance of the engine. */
export interface Instance {
  readonly connect: () => Promise<Connection>;
  readonly closeSync: () => void;
}

/** The package. */
export interface DuckdbModule {
  readonly VARCHAR: unknown;
  readonly DuckDBScalarFunction: {
    readonly create: (options: {
      readonly name: string;
      readonly mainFunction: (info: CallInfo, input: Chunk, output: Vector) => void;
      readonly returnType: unknown;
      readonly parameterTypes: readonly unknown[];
      readonly specialHandling: boolean;
    }) => never;
  };
  readonly DuckDBInstance: {
    readonly create: (path: string, options: Readonly<Record<string, string>>) => Promise<Instance>;
  };
}

/**
 * Loads the package.
 *
 * @throws TrefoilError `engine_failed` where it is not installed.
 */
export async function loadDuckdb(): Promise<DuckdbModule> {
  try {
    return (await import('@duckdb/node-api')) as unknown as DuckdbModule;
  } catch {
    return fail('engine_failed', 'DuckDB is not there: npm install @duckdb/node-api (1.5 or newer)');
  }
}
