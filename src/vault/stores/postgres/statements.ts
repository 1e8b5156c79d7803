/** The SQL of a store in PostgreSQL: its tables, its statements, and the rows that their results hold. */

import { concat, cut } from '../../../core/bytes.ts';
import { badRange, badType, typeName } from '../../../core/checks.ts';
import { type Change, type Entry, INDEX, type Row, TABLES, type Table } from '../store.ts';
import type { SqlRow } from './driver.ts';

const COLUMNS = 'idx, key, version, expires, body';

/**
 * First half of every advisory lock that is taken here: "tref". The second half is 0 while tables are made, else the id
 * of the store's table of metadata.
 */
const LOCKS = 0x74726566;

/** Most bytes of bodies in a statement. The protocol allows 1 GiB; this keeps the memory of both sides small. */
const PIECE_BYTES = 16 * 1024 * 1024;

/** Most rows in a statement: for more of them the planner begins to prefer reading the whole table. */
const PIECE_ROWS = 1_000;

/** The names of a store's tables in SQL. */
export interface TableNames {
  /** Schema of the tables; `undefined` for the first of the connection's `search_path`. */
  readonly schema: string | undefined;
  readonly meta: string;
  readonly table: (table: Table) => string;
}

/**
 * Returns the names of the tables in a schema.
 *
 * @param schema as the caller passed it.
 * @throws TypeError, RangeError if it is not a valid name.
 */
export function tableNames(schema: unknown): TableNames {
  const before = schema === undefined ? '' : `${identifier('schema', schema)}.`;
  return {
    schema: schema as string | undefined,
    meta: `${before}trefoil_meta`,
    table: (table) => `${before}trefoil_${table}`,
  };
}

/** Each entry makes the tables of a version from those of the version before. */
export const MIGRATIONS: readonly ((names: TableNames) => readonly string[])[] = [
  (names) => [
    ...TABLES.flatMap((table) => [
      `create table ${names.table(table)} (
        idx bytea primary key,
        key text not null,
        version integer not null,
        expires integer,
        body bytea not null
      )`,
      // Sealed bodies do not compress, so the server should not try.
      `alter table ${names.table(table)} alter column body set storage external`,
    ]),
    ...(['value', 'token'] as const).map(
      (table) => `create index trefoil_${table}_expires on ${names.table(table)} (expires) where expires is not null`,
    ),
  ],
];

/** The table of metadata, which also has the version of the tables, in one row. */
export function makeMetaTexts(names: TableNames): readonly string[] {
  return [
    `create table if not exists ${names.meta} (
      one boolean primary key default true check (one),
      tables integer not null,
      generation integer not null,
      text text not null
    )`,
    `insert into ${names.meta} (tables, generation, text) values (0, 0, '') on conflict do nothing`,
  ];
}

/** Takes the lock under which tables are made, until the transaction ends. */
export const LOCK_TABLES: string = `select pg_advisory_xact_lock(${LOCKS}, 0)`;

/** Takes the lock of a store, shared or exclusive, until the transaction ends. */
export function lockText(names: TableNames, mode: 'shared' | 'exclusive'): string {
  const suffix = mode === 'shared' ? '_shared' : '';
  return `select pg_advisory_xact_lock${suffix}(${LOCKS}, ${literal(names.meta)}::regclass::oid::integer)`;
}

/** A statement with its parameters. */
export interface Statement {
  readonly text: string;
  readonly values: unknown[];
}

/** A parameter row: an index, with a row to write there or none. */
interface Packed {
  readonly index: Uint8Array;
  readonly row: Row | null | undefined;
}

/**
 * Returns rows as seven parameters, starting with `$first`: all indexes are in one bytea and all bodies in another, and
 * the server cuts them up. `pg` sends a bytea as bytes but a bytea[] as text: 58,000 to 96,000 rows/s against 32,000 to
 * 40,000 with bytea[] (measured, batches of 1,000). If there is no row, `key` is null.
 */
function packed(first: number, rows: readonly Packed[]): Statement {
  const bodies = rows.map(({ row }) => row?.body ?? NO_BYTES);
  let start = 1;
  const starts = bodies.map(({ length }) => {
    start += length;
    return start - length;
  });
  const p = (i: number): string => `$${first + i}`;
  return {
    text: `select n::integer as n, substr(${p(0)}::bytea, ${INDEX} * n::integer - ${INDEX - 1}, ${INDEX}) as idx,
        key, version, expires, substr(${p(1)}::bytea, start, size) as body
      from unnest(${p(2)}::text[], ${p(3)}::integer[], ${p(4)}::integer[], ${p(5)}::integer[], ${p(6)}::integer[])
        with ordinality as packed (key, version, expires, start, size, n)`,
    values: [
      concatIndexes(rows.map(({ index }) => index)),
      concat(bodies),
      rows.map(({ row }) => row?.key ?? null),
      integers(rows.map(({ row }) => row?.version)),
      integers(rows.map(({ row }) => row?.expires)),
      integers(starts),
      integers(bodies.map(({ length }) => length)),
    ],
  };
}

const NO_BYTES: Uint8Array = /* @__PURE__ */ new Uint8Array(0);

/** The index of a parameter row that has no index. */
const NO_INDEX: Uint8Array = /* @__PURE__ */ new Uint8Array(INDEX);

/** Writes the rows whose indexes are free, with their rows of `with`, and returns the indexes that it wrote. */
export function createStatement(names: TableNames, table: Table, entries: readonly Entry[]): Statement {
  const into = names.table(table);
  const rows = packed(
    1,
    entries.map(({ row }) => ({ index: row.index, row })),
  );
  const values = [...rows.values];
  let free = '';
  const unless = entries.flatMap(({ unless = [] }, i) => unless.map((index) => ({ n: i + 1, index })));
  if (unless.length > 0) {
    const [owners, indexes] = [values.length + 1, values.length + 2];
    const index = `substr($${indexes}::bytea, ${INDEX} * m::integer - ${INDEX - 1}, ${INDEX})`;
    values.push(integers(unless.map(({ n }) => n)), concatIndexes(unless.map(({ index }) => index)));
    free = `where not exists (
        select from unnest($${owners}::integer[]) with ordinality as u (owner, m) cross join lateral (
          select from ${into} where idx = ${index} limit 1
        ) as taken where u.owner = input.n
      )`;
  }
  let linked = '';
  if (entries.some((entry) => entry.with !== undefined)) {
    const others = packed(
      values.length + 1,
      entries.map(({ with: row }) => ({ index: row?.index ?? NO_INDEX, row })),
    );
    values.push(...others.values);
    // No "on conflict" here: the statement has to fail, because a mapping must never be mistaken for another one.
    linked = `, linked as (
        insert into ${names.table('token')} (${COLUMNS})
        select other.idx, other.key, other.version, other.expires, other.body
        from (${others.text}) as other join input using (n) join won on won.idx = input.idx
        where other.key is not null order by other.idx
      )`;
  }
  const text = `with input as materialized (${rows.text}),
      won as (
        insert into ${into} (${COLUMNS}) select ${COLUMNS} from input ${free} order by idx
        on conflict (idx) do nothing returning idx
      )${linked}
    select string_agg(idx, '') as won from won`;
  return { text, values };
}

/** Locks the rows of changes, in order, and counts those that do not have the expected version. */
export function lockStatement(names: TableNames, table: Table, changes: readonly Change[]): Statement {
  return {
    text: `with expected as materialized (
        select substr($1::bytea, ${INDEX} * n::integer - ${INDEX - 1}, ${INDEX}) as idx, before
        from unnest($2::integer[]) with ordinality as e (before, n) order by 1
      ), there as materialized (
        select t.idx, t.version from expected cross join lateral (
          select idx, version from ${names.table(table)} where idx = expected.idx for update
        ) as t
      )
      select count(*) as wrong from expected left join there using (idx)
      where coalesce(there.version, 0) <> expected.before`,
    values: [concatIndexes(changes.map(({ index }) => index)), integers(changes.map(({ from }) => from))],
  };
}

/** A statement that inserts rows. */
export interface InsertStatement extends Statement {
  /** Number of rows that it has to insert. */
  readonly made: number;
}

/** Makes changes whose rows are locked and have the expected versions, and counts the rows that it inserted. */
export function changeStatement(names: TableNames, table: Table, changes: readonly Change[]): InsertStatement {
  const name = names.table(table);
  const rows = packed(
    1,
    changes.map(({ index, to }) => ({ index, row: to })),
  );
  const gone = `, gone as (
      delete from ${name} as t using input as i where t.idx = i.idx and i.before > 0 and i.key is null
    )`;
  const changed = `, changed as (
      update ${name} as t set key = i.key, version = i.version, expires = i.expires, body = i.body
      from input as i where t.idx = i.idx and i.before > 0 and i.key is not null
    )`;
  const removes = changes.some(({ from, to }) => from > 0 && to === null);
  const replaces = changes.some(({ from, to }) => from > 0 && to !== null);
  const text = `with input as materialized (
      select * from (${rows.text}) as r
        join unnest($${rows.values.length + 1}::integer[]) with ordinality as e (before, m) on m = n
    )${removes ? gone : ''}${replaces ? changed : ''}, made as (
      insert into ${name} (${COLUMNS}) select ${COLUMNS} from input where before = 0 and key is not null order by idx
      on conflict (idx) do nothing returning 1
    )
    select count(*) as made from made`;
  const made = changes.filter(({ from, to }) => from === 0 && to !== null).length;
  return { text, values: [...rows.values, integers(changes.map(({ from }) => from))], made };
}

/** Removes the rows of some tables that have expired by a day, in one snapshot, and counts them. */
export function sweepStatement(names: TableNames, tables: readonly Table[], day: number): Statement {
  const gone = tables.map(
    (table, i) => `gone${i} as (delete from ${names.table(table)} where expires <= $1 returning 1)`,
  );
  const counts = tables.map((_, i) => `(select count(*) from gone${i})`);
  return { text: `with ${gone.join(', ')} select ${counts.join(' + ')} as gone`, values: [day] };
}

/**
 * Reads rows by their indexes. LATERAL with LIMIT looks each one up in the index. With "= any" the planner may read the
 * whole table instead, and it did so for 5,000 rows of a million: 181 ms against 53 to 71 ms (measured).
 */
export function getStatement(names: TableNames, table: Table, indexes: readonly Uint8Array[]): Statement {
  const text = `select found.* from generate_series(0, $2::integer - 1) as n cross join lateral (
      select ${COLUMNS} from ${names.table(table)} where idx = substr($1::bytea, ${INDEX} * n + 1, ${INDEX}) limit 1
    ) as found`;
  return { text, values: [concatIndexes(indexes), indexes.length] };
}

export function scanStatement(
  names: TableNames,
  table: Table,
  after: Uint8Array | null,
  limit: number,
  notKey: string | undefined,
): Statement {
  // The empty bytea sorts before all others.
  const text = `select ${COLUMNS} from ${names.table(table)}
    where idx > $1::bytea ${notKey === undefined ? '' : 'and key <> $3::text'} order by idx limit $2::integer`;
  return { text, values: [after ?? NO_BYTES, limit, ...(notKey === undefined ? [] : [notKey])] };
}

/** Returns the sizes of all tables. The length of a body is known without reading the body. */
export function sizesText(names: TableNames): string {
  const selects = TABLES.map(
    (table) => `(select count(*) from ${names.table(table)}) as ${table}_rows,
      (select coalesce(sum(length(body)), 0) from ${names.table(table)}) as ${table}_bytes`,
  );
  return `select ${selects.join(', ')}`;
}

/**
 * Cuts a batch into pieces, each for one statement. Several pieces are in the order of their indexes, as locks are
 * taken.
 */
export function piecesOf<T>(items: readonly T[], indexOf: (item: T) => Uint8Array, sizeOf: (item: T) => number): T[][] {
  const pieces: T[][] = [];
  let room = 0;
  const add = (item: T): void => {
    const size = sizeOf(item);
    const last = pieces.at(-1);
    if (last === undefined || size > room || last.length === PIECE_ROWS) {
      pieces.push([item]);
      room = PIECE_BYTES;
    } else last.push(item);
    room -= size;
  };
  items.forEach(add);
  if (pieces.length < 2) return pieces;
  const ordered = [...items].sort((a, b) => compare(indexOf(a), indexOf(b)));
  pieces.length = 0;
  ordered.forEach(add);
  return pieces;
}

/** Bytes of the bodies of an entry. */
export const createSize = ({ row, with: other }: Entry): number => row.body.length + (other?.body.length ?? 0);

/** Bytes of the body of a change. */
export const changeSize = ({ to }: Change): number => to?.body.length ?? 0;

function compare(a: Uint8Array, b: Uint8Array): number {
  for (let i = 0; i < INDEX; i++) {
    if (a[i] !== b[i]) return a[i]! - b[i]!;
  }
  return 0;
}

/** Returns indexes as one array. An index of another length would shift all that follow it. */
function concatIndexes(indexes: readonly Uint8Array[]): Uint8Array {
  if (indexes.some(({ length }) => length !== INDEX)) badRange('index', `expected ${INDEX} bytes`);
  return concat(indexes);
}

/** Returns the indexes of such an array; none for null. */
export function cutIndexes(column: unknown): Uint8Array[] {
  return cut((column ?? NO_BYTES) as Uint8Array, INDEX);
}

/** Returns the text of an integer[]: both clients pass a text on, while `pg` would quote each number of an array. */
function integers(numbers: readonly (number | null | undefined)[]): string {
  return `{${numbers.map((number) => number ?? 'null').join()}}`;
}

/** Returns the row of a result. */
export function readRow({ idx, key, version, expires, body }: SqlRow): Row {
  return {
    index: readBytes(idx),
    key: String(key),
    version: Number(version),
    expires: expires === null ? null : Number(expires),
    body: readBytes(body),
  };
}

/**
 * Returns the bytes of a column. They are never a `Buffer`, whose `slice` does not copy, and they are a view: copies of
 * both columns made `get` take 1.2 to 1.6 times as long (measured).
 */
function readBytes(value: unknown): Uint8Array {
  const { buffer, byteOffset, length } = value as Uint8Array;
  return new Uint8Array(buffer, byteOffset, length);
}

/** Returns an identifier in SQL. PostgreSQL would cut a name of more than 63 bytes. */
export function identifier(argument: string, name: unknown): string {
  if (typeof name !== 'string') badType(argument, `expected text, got ${typeName(name)}`);
  if (name === '' || name.includes('\0') || !name.isWellFormed() || new TextEncoder().encode(name).length > 63) {
    badRange(argument, 'expected 1 to 63 bytes, none of them zero');
  }
  return `"${name.replaceAll('"', '""')}"`;
}

/** Returns a text in SQL. With `E`, backslashes mean the same under every setting of the server. */
function literal(text: string): string {
  return `E'${text.replaceAll('\\', '\\\\').replaceAll("'", "''")}'`;
}
