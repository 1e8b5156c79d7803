/** The statements of a store in PostgreSQL that carry rows, and rows out of what they answer. */

import { concat } from '../../../core/bytes.ts';
import { badRange } from '../../../core/checks.ts';
import type { Change, Entry, Row } from '../store.ts';
import type { Found } from './driver.ts';

export const COLUMNS = 'idx, key, version, expires, body';

/** Bytes of an index. */
export const INDEX = 16;

/** Bodies of one statement, in bytes. A message of the protocol ends at 1 GiB; this keeps both sides' memory small. */
const PIECE = 16 * 1024 * 1024;

/** Rows of one statement: for more of them the planner begins to prefer reading a whole table. */
const PIECE_ROWS = 1_000;

/** A statement with its parameters. */
export interface Statement {
  readonly text: string;
  readonly values: unknown[];
}

/** A row, or what stands in its place where there is none. */
interface Packed {
  readonly index: Uint8Array;
  readonly row: Row | null | undefined;
}

/**
 * Rows as seven parameters from `$first` on: all indexes in one bytea, all bodies in another, cut up on the server.
 * `pg` sends bytes as they are but turns an array of them into text: 58,000 to 96,000 rows/s against 32,000 to 40,000
 * with bytea[] (measured, batches of 1,000). Where there is no row, `key` is null.
 */
function packed(first: number, rows: readonly Packed[]): Statement {
  const bodies = rows.map(({ row }) => row?.body ?? NOTHING);
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
      joined(rows.map(({ index }) => index)),
      concat(bodies),
      rows.map(({ row }) => row?.key ?? null),
      integers(rows.map(({ row }) => row?.version)),
      integers(rows.map(({ row }) => row?.expires)),
      integers(starts),
      integers(bodies.map(({ length }) => length)),
    ],
  };
}

const NOTHING: Uint8Array = /* @__PURE__ */ new Uint8Array(0);

const NOWHERE: Uint8Array = /* @__PURE__ */ new Uint8Array(INDEX);

export function createStatement(into: string, token: string, entries: readonly Entry[]): Statement {
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
    values.push(integers(unless.map(({ n }) => n)), joined(unless.map(({ index }) => index)));
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
      entries.map(({ with: row }) => ({ index: row?.index ?? NOWHERE, row })),
    );
    values.push(...others.values);
    // No "on conflict" here: a mapping is never taken to be another's.
    linked = `, linked as (
        insert into ${token} (${COLUMNS})
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

/** Locks the rows that are there, in order, and counts those that are not as expected. */
export function lockStatement(table: string, changes: readonly Change[]): Statement {
  return {
    text: `with expected as materialized (
        select substr($1::bytea, ${INDEX} * n::integer - ${INDEX - 1}, ${INDEX}) as idx, before
        from unnest($2::integer[]) with ordinality as e (before, n) order by 1
      ), there as materialized (
        select t.idx, t.version from expected cross join lateral (
          select idx, version from ${table} where idx = expected.idx for update
        ) as t
      )
      select count(*) as wrong from expected left join there using (idx)
      where coalesce(there.version, 0) <> expected.before`,
    values: [joined(changes.map(({ index }) => index)), integers(changes.map(({ from }) => from))],
  };
}

/** Makes changes whose rows are locked and as expected, and counts the rows that it made. */
export function changeStatement(table: string, changes: readonly Change[]): Statement & { readonly made: number } {
  const rows = packed(
    1,
    changes.map(({ index, to }) => ({ index, row: to })),
  );
  const gone = `, gone as (
      delete from ${table} as t using input as i where t.idx = i.idx and i.before > 0 and i.key is null
    )`;
  const changed = `, changed as (
      update ${table} as t set key = i.key, version = i.version, expires = i.expires, body = i.body
      from input as i where t.idx = i.idx and i.before > 0 and i.key is not null
    )`;
  const removes = changes.some(({ from, to }) => from > 0 && to === null);
  const replaces = changes.some(({ from, to }) => from > 0 && to !== null);
  const text = `with input as materialized (
      select * from (${rows.text}) as r
        join unnest($${rows.values.length + 1}::integer[]) with ordinality as e (before, m) on m = n
    )${removes ? gone : ''}${replaces ? changed : ''}, made as (
      insert into ${table} (${COLUMNS}) select ${COLUMNS} from input where before = 0 and key is not null order by idx
      on conflict (idx) do nothing returning 1
    )
    select count(*) as made from made`;
  const made = changes.filter(({ from, to }) => from === 0 && to !== null).length;
  return { text, values: [...rows.values, integers(changes.map(({ from }) => from))], made };
}

/** Removes what has expired by a day from some tables, by one snapshot, and counts it. */
export function sweepStatement(tables: readonly string[], day: number): Statement {
  const gone = tables.map((table, i) => `gone${i} as (delete from ${table} where expires <= $1 returning 1)`);
  const counts = tables.map((_, i) => `(select count(*) from gone${i})`);
  return { text: `with ${gone.join(', ')} select ${counts.join(' + ')} as gone`, values: [day] };
}

/** Items for one statement each; in the order of their indexes where they are several, as locks are taken. */
export function piecesOf<T>(items: readonly T[], indexOf: (item: T) => Uint8Array, sizeOf: (item: T) => number): T[][] {
  const pieces: T[][] = [];
  let room = 0;
  const add = (item: T): void => {
    const size = sizeOf(item);
    const last = pieces.at(-1);
    if (last === undefined || size > room || last.length === PIECE_ROWS) {
      pieces.push([item]);
      room = PIECE;
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

export const createSize = ({ row, with: other }: Entry): number => row.body.length + (other?.body.length ?? 0);

export const changeSize = ({ to }: Change): number => to?.body.length ?? 0;

function compare(a: Uint8Array, b: Uint8Array): number {
  for (let i = 0; i < INDEX; i++) {
    if (a[i] !== b[i]) return a[i]! - b[i]!;
  }
  return 0;
}

/** Indexes one after the other. One of another length would shift all behind it. */
export function joined(indexes: readonly Uint8Array[]): Uint8Array {
  if (indexes.some(({ length }) => length !== INDEX)) badRange('index', `expected ${INDEX} bytes`);
  return concat(indexes);
}

/** The inverse of {@link joined}; nothing for null. */
export function split(indexes: unknown): Uint8Array[] {
  const bytes = (indexes ?? NOTHING) as Uint8Array;
  return Array.from({ length: bytes.length / INDEX }, (_, i) => bytes.subarray(INDEX * i, INDEX * (i + 1)));
}

/** An integer[] as PostgreSQL reads it: both clients pass a text on, and `pg` would quote each number of an array. */
function integers(numbers: readonly (number | null | undefined)[]): string {
  return `{${numbers.map((number) => number ?? 'null').join()}}`;
}

export function readRow({ idx, key, version, expires, body }: Found): Row {
  return {
    index: readBytes(idx),
    key: String(key),
    version: Number(version),
    expires: expires === null ? null : Number(expires),
    body: readBytes(body),
  };
}

/**
 * Never a `Buffer`, whose `slice` does not copy. A view: copies of both fields made `get` 1.2 to 1.6 times as long
 * (measured).
 */
function readBytes(value: unknown): Uint8Array {
  const { buffer, byteOffset, length } = value as Uint8Array;
  return new Uint8Array(buffer, byteOffset, length);
}
