/// <reference types="node" />
/**
 * DuckDB's package, an optional peer dependency that is loaded on demand. The types describe the parts that are used.
 */

import { fail } from '../errors.ts';

/** A column of a batch. */
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

/** A call of a function, which can fail with a message. */
export interface CallInfo {
  readonly setError: (message: string) => void;
}

/** A connection of `@duckdb/node-api`. */
export interface DuckdbConnection {
  readonly registerScalarFunction: (made: never) => void;
}

/** Type of a column. */
export interface Type {
  /** One of {@link TypeIds}. */
  readonly typeId: number;
  /** Name of a type that is stored as another: `JSON` is VARCHAR. */
  readonly alias?: string | undefined;
  /** Names and types of the fields of a STRUCT. */
  readonly entryNames?: readonly string[];
  readonly entryTypes?: readonly Type[];
  /** Type of the elements of a LIST. */
  readonly valueType?: Type;
}

/** Numbers of the types, by their names. */
export type TypeIds = Readonly<Record<string, number | string>>;

/** All rows of a result. */
export interface Rows {
  readonly getRows: () => readonly (readonly unknown[])[];
  readonly columnNames: () => readonly string[];
  readonly columnTypes: () => readonly Type[];
}

/** A connection as the file engine uses it. */
export interface Connection extends DuckdbConnection {
  readonly runAndReadAll: (sql: string) => Promise<Rows>;
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
  /** The engine's version: `v1.5.6`. */
  readonly version: () => string;
  readonly VARCHAR: unknown;
  readonly DuckDBTypeId: TypeIds;
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

/** The first version of DuckDB whose functions work as they are used here. */
const OLDEST = [1, 5];

/**
 * Loads the package and checks its version. `package.json` accepts any version, because for npm all versions of the
 * package are pre-releases, which only the range `*` matches.
 *
 * @throws TrefoilError `engine_failed` if the package is not installed or is too old.
 */
export async function loadDuckdb(): Promise<DuckdbModule> {
  const install = 'npm install @duckdb/node-api';
  let duckdb: DuckdbModule;
  try {
    duckdb = (await import('@duckdb/node-api')) as unknown as DuckdbModule;
  } catch {
    return fail('engine_failed', `DuckDB is not installed; run ${install} (${OLDEST.join('.')} or newer)`);
  }
  const version = duckdb.version?.() ?? 'unknown';
  if (!isNewEnough(version)) {
    fail('engine_failed', `DuckDB ${version} is installed, but ${OLDEST.join('.')} or newer is needed; run ${install}`);
  }
  return duckdb;
}

/** Whether a version of DuckDB (`v1.5.6`, `1.5.6`) is not too old. */
export function isNewEnough(version: string): boolean {
  const [, major = 0, minor = 0] = (/^v?(\d+)\.(\d+)\./.exec(version) ?? []).map(Number);
  return major > OLDEST[0]! || (major === OLDEST[0] && minor >= OLDEST[1]!);
}
