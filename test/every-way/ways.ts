/**
 * Every way to protect, reveal and rekey records: functions, streams, files, commands and SQL. A new way is added to
 * {@link WAYS}, and every-way.test.ts then runs its corpus through it.
 *
 * A record has a text or `null` in each field. Each way writes the records in its own file format and reads its output
 * again, so that the result can be compared with that of the library. CSV has no null: here an empty cell without
 * quotes is null, and a quoted one is the empty text.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { parse } from 'csv-parse/sync';
import { protectCsv, rekeyCsv, revealCsv } from '../../src/csv.ts';
import { register } from '../../src/duckdb.ts';
import { type DomainKeys, policy as makePolicy } from '../../src/index.ts';
import { protectNdjson, rekeyNdjson, revealNdjson } from '../../src/ndjson.ts';
import { protectFile, rekeyFile, revealFile } from '../../src/node.ts';
import { rekey } from '../../src/policy.ts';
import { revealAccess } from '../../src/reveal.ts';
import type { PerField } from '../../src/rule/token/contexts.ts';
import { protectTsv, rekeyTsv, revealTsv } from '../../src/tsv.ts';
import type { Place } from '../cli/harness.ts';

export type Cell = string | null;
export type Record_ = Readonly<Record<string, Cell>>;
export type Direction = 'protect' | 'reveal' | 'rekey';

/** What all ways share: a policy and its keys, both in code and as files, and a folder. */
export interface Setting {
  readonly fields: Readonly<Record<string, unknown>>;
  /** The list of the policy. */
  readonly missing: readonly string[];
  readonly keys: DomainKeys;
  /** The same keys with a later epoch, which is primary. */
  readonly next: DomainKeys;
  /** The folder of the command line, with `p.yaml` and `k.json`, and for rekeying `both.yaml` and `next.json`. */
  readonly place: Place;
}

/** One way. It throws if it refuses a record. */
export interface Way {
  readonly name: string;
  readonly run: (records: readonly Record_[], direction: Direction, setting: Setting) => Promise<readonly Record_[]>;
  /** Set for a way that only protects and reveals. */
  readonly stays?: true;
}

/** How records are written and read in a file format. */
interface Text {
  readonly extension: string;
  readonly write: (records: readonly Record_[]) => string;
  readonly read: (text: string) => readonly Record_[];
}

const namesOf = (records: readonly Record_[]): readonly string[] => Object.keys(records[0]!);

const csv: Text = {
  extension: 'csv',
  write(records) {
    const names = namesOf(records);
    const cell = (value: Cell) => (value === null ? '' : `"${value.replaceAll('"', '""')}"`);
    const lines = records.map((record) => names.map((name) => cell(record[name]!)).join(','));
    return `${[names.join(','), ...lines].join('\n')}\n`;
  },
  read(text) {
    // The reader tells for each cell whether it was quoted.
    return parse(text, {
      columns: true,
      skip_empty_lines: false,
      cast: (value, { quoting, header }) => (value === '' && !quoting && !header ? null : value),
    }) as readonly Record_[];
  },
};

const TSV_OUT: Readonly<Record<string, string>> = { '\\': '\\\\', '\t': '\\t', '\n': '\\n', '\r': '\\r' };
const TSV_IN: Readonly<Record<string, string>> = { t: '\t', n: '\n', r: '\r', b: '\b', f: '\f', v: '\v' };

/** One line of TSV as cells. */
function tsvCells(line: string): readonly Cell[] {
  return line
    .split('\t')
    .map((cell) => (cell === '\\N' ? null : cell.replace(/\\(.)/gs, (_, letter: string) => TSV_IN[letter] ?? letter)));
}
const tsvLine = (cells: readonly Cell[]): string =>
  cells
    .map((cell) => (cell === null ? '\\N' : cell.replace(/[\\\t\n\r]/g, (character) => TSV_OUT[character]!)))
    .join('\t');

const tsv: Text = {
  extension: 'tsv',
  write: (records) =>
    `${[namesOf(records), ...records.map((record) => Object.values(record))].map((cells) => tsvLine(cells as Cell[])).join('\n')}\n`,
  read(text) {
    const [names, ...lines] = text.split('\n').slice(0, -1).map(tsvCells);
    return lines.map((cells) => Object.fromEntries(names!.map((name, i) => [name, cells[i]!])));
  },
};

const ndjson: Text = {
  extension: 'ndjson',
  write: (records) => records.map((record) => `${JSON.stringify(record)}\n`).join(''),
  read: (text) =>
    text
      .split('\n')
      .slice(0, -1)
      .map((line) => JSON.parse(line) as Record_),
};

function moving({ fields, keys, next, missing }: Setting) {
  const both = makePolicy(fields as never, { domain: keys.domain, keyCheck: next.keyCheck, missing });
  return rekey(both, { from: next, to: next, fromKey: keys.keyId }, revealAccess);
}

function bound({ fields, keys, missing }: Setting) {
  return makePolicy(fields as never, { domain: keys.domain, keyCheck: keys.keyCheck, missing }).bind(
    keys,
    revealAccess,
  );
}

/** A text in chunks of a few bytes, which may end anywhere. */
function* inPieces(text: string, size: number): Generator<Uint8Array> {
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

type Stream = (source: Iterable<Uint8Array>, own: never) => AsyncIterable<Uint8Array>;

const stream = (name: string, text: Text, works: Readonly<Record<Direction, unknown>>, size: number): Way => ({
  name,
  async run(records, direction, setting) {
    const out: Uint8Array[] = [];
    const work = works[direction] as Stream;
    const own = direction === 'rekey' ? moving(setting) : bound(setting);
    for await (const chunk of work(inPieces(text.write(records), size), own as never)) out.push(chunk);
    return text.read(Buffer.concat(out).toString('utf8'));
  },
});

let number = 0;

/** A new name for a file in the folder. */
const fresh = (extension: string): string => `f${++number}.${extension}`;

const files = (name: string, text: Text, options: object): Way => ({
  name,
  async run(records, direction, setting) {
    const [input, output] = [fresh(text.extension), fresh(text.extension)].map((file) => join(setting.place.dir, file));
    writeFileSync(input!, text.write(records));
    const work = { protect: protectFile, reveal: revealFile, rekey: rekeyFile }[direction] as typeof protectFile;
    const own = direction === 'rekey' ? moving(setting) : bound(setting);
    await work(input!, output!, own as never, { format: text.extension as 'csv', ...options });
    return text.read(readFileSync(output!, 'utf8'));
  },
});

/** What names policy and keys for a command. */
const sidesOf = (direction: Direction, { keys }: Setting): readonly string[] =>
  direction === 'rekey'
    ? ['--policy', 'both.yaml', '--keys', 'next.json', '--from', keys.keyId]
    : ['--policy', 'p.yaml', '--keys', 'k.json'];

/** The error of a command that failed: its first line, and the issues below it. */
function failed(err: string): Error {
  return new Error(err);
}

const command = (name: string, input: Text, output: Text, args: readonly string[] = []): Way => ({
  name,
  async run(records, direction, setting) {
    const { place } = setting;
    const [from, to] = [fresh(input.extension), fresh(output.extension)];
    place.write(from, input.write(records));
    const format = input.extension === 'tsv' ? ['--format', 'tsv'] : [];
    const common = [...sidesOf(direction, setting), '--quiet', ...format, ...args];
    const { code, err } = await place.run([direction, from, ...common, '--out', to]);
    if (code !== 0) throw failed(err);
    return output.read(place.read(to));
  },
});

const apply = (text: Text, flag: string): Way => ({
  name: `trefoil apply ${flag}`,
  stays: true,
  async run(records, direction, { place }) {
    const columns = flag === '--tsv' ? ['--columns', namesOf(records).join(',')] : [];
    const reveal = direction === 'reveal' ? ['--reveal'] : [];
    const args = ['apply', flag, '--policy', 'p.yaml', '--keys', 'k.json', ...columns, ...reveal];
    const lines = text.write(records).split('\n');
    // TSV has no header line here.
    const input = lines.slice(flag === '--tsv' ? 1 : 0).join('\n');
    const { code, out, err } = await place.run(args, input);
    if (code !== 0) throw failed(err);
    if (flag !== '--tsv') return text.read(out);
    const kept = namesOf(records).filter((name) => direction === 'reveal' || !DROPPED.has(name));
    return text.read(`${kept.join('\t')}\n${out}`);
  },
});

/** Fields that the policy drops. An answer of `apply --tsv` has no names that would show it. */
export const DROPPED: Set<string> = new Set();

const quoted = (name: string) => `"${name.replaceAll('"', '""')}"`;
const literal = (value: Cell) => (value === null ? 'NULL' : `'${value.replaceAll("'", "''")}'`);

/** The rows of a result of SQL, as texts. */
async function query(sql: string): Promise<readonly Record_[]> {
  const instance = await DuckDBInstance.create(':memory:');
  const connection = await instance.connect();
  try {
    const result = await connection.runAndReadAll(sql);
    return result.getRowObjects() as readonly Record_[];
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
}

/** Records as a table of SQL, in their order. */
function valuesOf(records: readonly Record_[]): string {
  const names = namesOf(records);
  const rows = records.map((record) => `(${names.map((name) => `${literal(record[name]!)}::VARCHAR`).join(', ')})`);
  return `(VALUES ${rows.join(', ')}) AS t(${names.map(quoted).join(', ')})`;
}

const parquet: Way = {
  name: 'trefoil, Parquet to Parquet',
  async run(records, direction, setting) {
    const { place } = setting;
    const [from, to] = [fresh('parquet'), fresh('parquet')];
    await query(`COPY (SELECT * FROM ${valuesOf(records)}) TO '${place.path(from)}' (FORMAT parquet)`);
    const args = [...sidesOf(direction, setting), '--quiet', '--out', to];
    const { code, err } = await place.run([direction, from, ...args]);
    if (code !== 0) throw failed(err);
    return query(`SELECT * FROM read_parquet('${place.path(to)}')`);
  },
};

const parquetToCsv: Way = {
  name: 'trefoil, Parquet to CSV',
  async run(records, direction, setting) {
    const { place } = setting;
    const [from, to] = [fresh('parquet'), fresh('csv')];
    await query(`COPY (SELECT * FROM ${valuesOf(records)}) TO '${place.path(from)}' (FORMAT parquet)`);
    const args = [...sidesOf(direction, setting), '--quiet', '--out', to];
    const { code, err } = await place.run([direction, from, ...args]);
    if (code !== 0) throw failed(err);
    return csv.read(place.read(to));
  },
};

/** The SQL functions, each with its own field and the other fields that it needs. */
const sql: Way = {
  name: 'functions of SQL',
  stays: true,
  async run(records, direction, { fields, keys, missing }) {
    const instance = await DuckDBInstance.create(':memory:');
    const connection = await instance.connect();
    try {
      const policy = makePolicy(fields as never, { domain: keys.domain, keyCheck: keys.keyCheck, missing });
      await register(connection as never, { policy: policy as never, keys, access: revealAccess });
      const kept = namesOf(records).filter((name) => !DROPPED.has(name));
      const call = (name: string) => {
        const { subject, per } = fields[name] as { subject?: string; per?: PerField | readonly PerField[] };
        const others = [subject ?? [], per ?? []]
          .flat()
          .map((other) => (typeof other === 'string' ? other : other.field));
        const taken = [name, ...others].map(quoted).join(', ');
        return `trefoil_${direction}_${name}(${taken}) AS ${quoted(name)}`;
      };
      const select = `SELECT ${kept.map(call).join(', ')} FROM ${valuesOf(records)}`;
      return (await connection.runAndReadAll(select)).getRowObjects() as readonly Record_[];
    } finally {
      connection.closeSync();
      instance.closeSync();
    }
  },
};

/** The library, with whole columns and with single records. All other ways are compared with it. */
export const library: Way = {
  name: 'library, many records',
  async run(records, direction, setting) {
    if (direction === 'rekey') return moving(setting).rekeyMany(records as never) as never;
    const own = bound(setting);
    return (direction === 'protect' ? own.protectMany(records as never) : own.revealMany(records as never)) as never;
  },
};

const single: Way = {
  name: 'library, one record',
  async run(records, direction, setting) {
    if (direction === 'rekey') {
      const own = moving(setting);
      return records.map((record) => own.rekey(record as never) as never);
    }
    const own = bound(setting);
    return records.map((record) => own[direction](record as never) as never);
  },
};

const CSV = { protect: protectCsv, reveal: revealCsv, rekey: rekeyCsv };
const TSV = { protect: protectTsv, reveal: revealTsv, rekey: rekeyTsv };
const NDJSON = { protect: protectNdjson, reveal: revealNdjson, rekey: rekeyNdjson };

export const WAYS: readonly Way[] = [
  single,
  stream('CSV stream', csv, CSV, 1 << 16),
  stream('CSV stream, 3 bytes at a time', csv, CSV, 3),
  stream('TSV stream', tsv, TSV, 5),
  stream('NDJSON stream', ndjson, NDJSON, 7),
  files('CSV file', csv, {}),
  files('TSV file', tsv, {}),
  files('NDJSON file', ndjson, {}),
  files('CSV file, two workers', csv, { workers: 2 }),
  files('NDJSON file, two workers', ndjson, { workers: 2 }),
  files('CSV file that can be resumed', csv, { resume: true }),
  command('trefoil, CSV', csv, csv),
  command('trefoil, TSV', tsv, tsv),
  command('trefoil, NDJSON', ndjson, ndjson),
  command('trefoil, all cells quoted', csv, csv, ['--quoting', 'all']),
  command('trefoil, CSV by DuckDB', csv, csv, ['--engine', 'duckdb']),
  apply(ndjson, '--ndjson'),
  apply(tsv, '--tsv'),
  parquet,
  parquetToCsv,
  sql,
];
