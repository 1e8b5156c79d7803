/// <reference types="node" />
/** An instance of DuckDB for one run: in memory, and without files of its own. */

import { given } from '../core/given.ts';
import type { Connection, DuckdbModule, Instance } from './module.ts';

/**
 * Settings of the instance. With one thread the rows keep the order of the input without a buffer. The thread waits
 * while our functions run on the JavaScript thread. A second thread would read and write meanwhile, which saves a fifth
 * of the time and takes twice the memory (measured).
 */
const SETTINGS = {
  threads: '1',
  // If this were on, DuckDB would buffer whole row groups and end them by rows alone, so wide rows could need any
  // amount of memory.
  preserve_insertion_order: 'false',
  // Without a folder nothing is swapped to the disk. DuckDB would write it in clear, because encryption needs an
  // extension from the network.
  temp_directory: '',
  // The cache would keep in memory what is read only once.
  enable_external_file_cache: 'false',
  // Nothing is fetched from the network, whatever a path looks like, and nothing is read from the home folder.
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
 * Starts an instance.
 *
 * @param memoryLimit most memory of DuckDB, such as `'2GB'`; by default 80 % of that of the machine or the container.
 */
export async function startEngine(duckdb: DuckdbModule, memoryLimit?: string): Promise<Engine> {
  const settings = { ...SETTINGS, ...given({ memory_limit: memoryLimit }) };
  const instance: Instance = await duckdb.DuckDBInstance.create(':memory:', settings);
  let connection: Connection | null = null;
  const close = (): void => {
    connection?.closeSync();
    instance.closeSync();
  };
  try {
    connection = await instance.connect();
    // The text of a TIMESTAMP can go into tokens, so it must not depend on the time zone of the machine.
    await connection.runAndReadAll("SET TimeZone = 'UTC'");
  } catch (error) {
    close();
    throw error;
  }
  return { connection, close };
}
