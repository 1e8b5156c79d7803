/// <reference types="node" />
/** An instance of DuckDB that is ours alone: in memory, and without files of its own. */

import type { Connection, DuckdbModule, Instance } from './module.ts';

/**
 * One thread: rows come out in the order of the input, and nothing is buffered for that. It waits while the functions
 * run, which run on ours; a second one would read and write meanwhile, which is a fifth of the time and twice the memory
 * (measured).
 */
const SETTINGS = {
  threads: '1',
  // With it DuckDB buffers whole row groups, and ends them by rows alone: wide rows would need any amount of memory.
  preserve_insertion_order: 'false',
  // It writes what does not fit into memory in clear: encrypting that needs an extension from the network.
  temp_directory: '',
  // What is read once would stay in memory as long as there is any.
  enable_external_file_cache: 'false',
  // Nothing is fetched over the network, whatever a path looks like, and nothing is read from the home folder.
  autoinstall_known_extensions: 'false',
  autoload_known_extensions: 'false',
  allow_persistent_secrets: 'false',
};

/** An instance with one connection. */
export interface Engine {
  readonly connection: Connection;
  readonly close: () => void;
}

/**
 * Starts one.
 *
 * @param memoryLimit what DuckDB may take, as `'2GB'`; by default 80 % of the machine's, or of the container's.
 */
export async function startEngine(duckdb: DuckdbModule, memoryLimit?: string): Promise<Engine> {
  const limit = memoryLimit === undefined ? {} : { memory_limit: memoryLimit };
  const instance: Instance = await duckdb.DuckDBInstance.create(':memory:', { ...SETTINGS, ...limit });
  let connection: Connection | null = null;
  const close = (): void => {
    connection?.closeSync();
    instance.closeSync();
  };
  try {
    connection = await instance.connect();
    // The text of a point in time enters tokens: it must not follow the machine's time zone.
    await connection.runAndReadAll("SET TimeZone = 'UTC'");
  } catch (error) {
    close();
    throw error;
  }
  return { connection, close };
}
