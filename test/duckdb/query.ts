import { DuckDBInstance } from '@duckdb/node-api';

/** Runs a statement in an instance of its own and returns its rows. `@` in the statement is the folder. */
export async function query(folder: string, sql: string): Promise<readonly (readonly unknown[])[]> {
  const instance = await DuckDBInstance.create(':memory:');
  const connection = await instance.connect();
  try {
    return (await connection.runAndReadAll(sql.replaceAll('@', `${folder}/`))).getRowsJson() as never;
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
}
