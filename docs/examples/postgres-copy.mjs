// Copies one PostgreSQL table into another and protects the rows on the way. It is one transaction: either all rows
// arrive or none.
//
//   DATABASE_URL=postgres://… TREFOIL_KEYS_FILE=keys.json node postgres-copy.mjs policy.yaml people people_safe
//
// The new table must exist, with a column of the same name for each column that the policy does not drop: jsonb and
// arrays as they are, text for a column whose values are replaced.
import { readFileSync } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import pg from 'pg';
import { from as copyFrom, to as copyTo } from 'pg-copy-streams';
import { keyset } from 'trefoil';
import { parsePolicy } from 'trefoil/policy';
import { protectTsv } from 'trefoil/tsv';
import { parse } from 'yaml';

const [policyFile, source, target] = process.argv.slice(2);
const policy = parsePolicy(parse(readFileSync(policyFile, 'utf8')));
const keys = keyset.parse(readFileSync(process.env.TREFOIL_KEYS_FILE, 'utf8'));
const bound = policy.bind(keys.domain(policy.domain));

const list = (columns) => columns.map((name) => pg.escapeIdentifier(name)).join(', ');

// Two connections, because COPY out and COPY in each occupy one.
const [reader, writer] = [new pg.Client(process.env.DATABASE_URL), new pg.Client(process.env.DATABASE_URL)];
await Promise.all([reader.connect(), writer.connect()]);
let rows = 0;
try {
  await writer.query('BEGIN');
  // A path such as data.name reaches into the column data, so the columns are those of the table.
  const { fields } = await reader.query(`SELECT * FROM ${pg.escapeIdentifier(source)} LIMIT 0`);
  const names = fields.map(({ name }) => name);
  const kept = names.filter((name) => policy.fields[name]?.rule !== 'drop');
  const out = reader.query(copyTo(`COPY (SELECT ${list(names)} FROM ${pg.escapeIdentifier(source)}) TO STDOUT`));
  const into = writer.query(copyFrom(`COPY ${pg.escapeIdentifier(target)} (${list(kept)}) FROM STDIN`));
  const onProgress = (progress) => {
    rows = progress.rows;
  };
  await pipeline(protectTsv(out, bound, { header: names, onProgress }), into);
  await writer.query('COMMIT');
  console.log(`${rows} rows`);
} catch (error) {
  await writer.query('ROLLBACK').catch(() => {});
  // The database's own messages can quote a row; trefoil's never do.
  console.error(error.issues === undefined ? `database error ${error.code ?? ''}` : error.message);
  process.exitCode = 1;
} finally {
  await Promise.all([reader.end(), writer.end()]);
}
