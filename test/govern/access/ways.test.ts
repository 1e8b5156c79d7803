/** Every way to reveal records of an opened policy with governed keys: streams, web streams, files, lines, SQL. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { protectCsv, revealCsv, revealCsvStream } from '../../../src/csv.ts';
import { register } from '../../../src/duckdb.ts';
import { TrefoilError } from '../../../src/errors.ts';
import { keep, keyset, policy, seal, token } from '../../../src/index.ts';
import { makeAsyncApply } from '../../../src/io/apply.ts';
import { openKeys, packKeys } from '../../../src/keys/domain-keys.ts';
import { protectNdjson, revealNdjson, revealNdjsonStream } from '../../../src/ndjson.ts';
import { openRejects, protectFile, revealFile } from '../../../src/node.ts';
import { openBound, openReady } from '../../../src/policy/bound.ts';
import { project, rekey } from '../../../src/policy.ts';
import { revealAccess } from '../../../src/reveal.ts';
import { protectTsv, revealTsv, revealTsvStream } from '../../../src/tsv.ts';
import { codeOf, rejection } from '../../helpers/errors.ts';
import { anyWarrant, type Recording, recording, total } from './recording-place.ts';

const plain = keyset.generate().domain('eu-enclave');
const people = policy(
  { id: token({ scope: 'person', label: 'cust' }), name: seal({ scope: 'person.name' }), city: keep },
  { domain: 'eu-enclave', subject: 'id' },
);
const bound = people.bind(plain);
const COUNT = 2500;
const rows = Array.from({ length: COUNT }, (_, i) => ({ id: i, name: i % 5 === 0 ? null : `name ${i}`, city: 'Oslo' }));
const filled = rows.filter(({ name }) => name !== null).length;
const safe = bound.protectMany(rows);

const dir = mkdtempSync(join(tmpdir(), 'trefoil-governed-'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

const csv = (of: readonly Record<string, unknown>[]): string =>
  `id,name,city\n${of.map(({ id, name, city }) => `${id},${name ?? ''},${city}\n`).join('')}`;
const tsv = (of: readonly Record<string, unknown>[]): string =>
  `id\tname\tcity\n${of.map(({ id, name, city }) => `${id}\t${name ?? '\\N'}\t${city}\n`).join('')}`;
const ndjson = (of: readonly Record<string, unknown>[]): string => of.map((row) => `${JSON.stringify(row)}\n`).join('');
const cleared = safe.map((row, i) => ({ ...row, name: rows[i]!.name }));

async function textOf(stream: AsyncIterable<Uint8Array>): Promise<string> {
  let text = '';
  for await (const chunk of stream) text += Buffer.from(chunk).toString('utf8');
  return text;
}

/** The source in pieces that end anywhere. */
function* pieces(text: string, size = 777): Generator<Uint8Array> {
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

const piped = (text: string, stream: TransformStream<Uint8Array, Uint8Array>): Promise<string> =>
  new Response(new Response(text).body!.pipeThrough(stream)).text();

type Opened = Parameters<typeof revealCsv>[1];

let files = 0;
/** A file with a text, and the name of another beside it. */
function filesOf(text: string, extension: string): readonly [input: string, output: string] {
  const [input, output] = [join(dir, `in-${++files}.${extension}`), join(dir, `out-${files}.${extension}`)];
  writeFileSync(input, text);
  return [input, output];
}

async function file(text: string, extension: string, open: Opened, options: object = {}): Promise<string> {
  const [input, output] = filesOf(text, extension);
  await revealFile(input, output, open, { format: extension as 'csv', ...options });
  return readFileSync(output, 'utf8');
}

async function lines(text: string, open: Opened): Promise<string> {
  const options = {
    direction: 'reveal',
    fileFormat: 'ndjson',
    columns: null,
    errorsInline: false,
    maxRecord: 1e6,
  } as const;
  const work = makeAsyncApply(openBound(open).beginAsync!(), options);
  let out = '';
  for (const chunk of pieces(text)) out += (await work.push(chunk)).text;
  return out + (await work.end()).text;
}

/** Every way, the text that it takes and what it writes. */
const WAYS: Readonly<Record<string, readonly [(open: Opened) => Promise<string>, string]>> = {
  revealCsv: [(open) => textOf(revealCsv(pieces(csv(safe)), open)), csv(cleared)],
  revealCsvStream: [(open) => piped(csv(safe), revealCsvStream(open)), csv(cleared)],
  revealTsv: [(open) => textOf(revealTsv(pieces(tsv(safe)), open)), tsv(cleared)],
  revealTsvStream: [(open) => piped(tsv(safe), revealTsvStream(open)), tsv(cleared)],
  revealNdjson: [(open) => textOf(revealNdjson(pieces(ndjson(safe)), open)), ndjson(cleared)],
  revealNdjsonStream: [(open) => piped(ndjson(safe), revealNdjsonStream(open)), ndjson(cleared)],
  'revealFile, CSV': [(open) => file(csv(safe), 'csv', open), csv(cleared)],
  'revealFile, TSV': [(open) => file(tsv(safe), 'tsv', open), tsv(cleared)],
  'revealFile, NDJSON': [(open) => file(ndjson(safe), 'ndjson', open), ndjson(cleared)],
  'revealFile, with workers': [(open) => file(csv(safe), 'csv', open, { workers: 2 }), csv(cleared)],
  lines: [(open) => lines(ndjson(safe), open), ndjson(cleared)],
};

describe.each(Object.entries(WAYS))('%s', (_, [run, expected]) => {
  it('notes every batch before it reveals it', async () => {
    const { keys, events, uses, outcomes } = recording(plain);
    expect(await run(await people.open(keys, {}, anyWarrant))).toBe(expected);
    expect(uses().reduce((sum, batch) => sum + total(batch), 0)).toBe(filled);
    expect(outcomes().reduce((sum, { opened }) => sum + opened, 0)).toBe(filled);
    expect(new Set(uses().flatMap(({ subjects }) => subjects))).toEqual(
      new Set(safe.filter(({ name }) => name !== null).map(({ id }) => id)),
    );
    // Between two uses there is always the end of the first.
    const kinds = events.slice(1).map(({ kind }) => kind);
    expect(kinds).toEqual(kinds.map((_, i) => (i % 2 === 0 ? 'use' : 'done')));
  });

  it('reveals nothing of a batch whose use is refused', async () => {
    const refusal = new TrefoilError([{ code: 'budget_spent', message: 'the warrant has no values left' }]);
    const refusing: Recording = recording(plain, {
      onUse() {
        throw refusal;
      },
    });
    const open = await people.open(refusing.keys, {}, anyWarrant);
    let out = '';
    const error = await rejection(
      run(open).then((text) => {
        out = text;
      }),
    );
    expect(error.code).toBe('budget_spent');
    expect(out).toBe('');
    expect(refusing.events.map(({ kind }) => kind)).toEqual(['grant']);
  });
});

describe('a run', () => {
  it('whose budget ends in the middle leaves no file', async () => {
    let left = 1500;
    const { keys } = recording(plain, {
      onUse(batch) {
        left -= total(batch);
        if (left < 0) throw new TrefoilError([{ code: 'budget_spent', message: 'no values left' }]);
      },
    });
    const [input, output] = filesOf(csv(safe), 'csv');
    const error = await rejection(revealFile(input, output, await people.open(keys, {}, anyWarrant)));
    expect(error.code).toBe('budget_spent');
    expect(() => readFileSync(output)).toThrow(/ENOENT/);
  });

  it('with rejected records notes only what goes through a rule, and reports rejects as ever', async () => {
    const { keys, uses, outcomes } = recording(plain);
    const bad = [safe[1]!, { ...safe[2]!, name: 'not sealed' }, safe[3]!];
    const issues: string[] = [];
    const open = await people.open(keys, {}, anyWarrant);
    const stream = revealNdjson(ndjson(bad), open, { onReject: ({ code }) => issues.push(code) });
    expect(await textOf(stream)).toBe(ndjson([cleared[1]!, cleared[3]!]));
    expect(issues).toEqual(['not_sealed']);
    expect(uses().map(total)).toEqual([3]);
    expect(outcomes()).toEqual([{ opened: 2, failed: 1, refused: 0 }]);
  });
});

describe('governed keys', () => {
  const { keys, events } = recording(plain);

  it('protect streams and files as before, without worker threads', async () => {
    const own = people.bind(keys);
    expect(await textOf(protectCsv(csv(rows), own))).toBe(csv(safe));
    expect(await textOf(protectTsv(tsv(rows), own))).toBe(tsv(safe));
    expect(await textOf(protectNdjson(ndjson(rows), own))).toBe(ndjson(safe));
    const [input, output] = filesOf(csv(rows), 'csv');
    await protectFile(input, output, own, { workers: 2 });
    expect(readFileSync(output, 'utf8')).toBe(csv(safe));
    expect(codeOf(() => packKeys(openKeys(keys)))).toBe('warrant_required');
    expect(events).toEqual([]);
  });

  it('reveal nothing in SQL, where a function cannot wait', async () => {
    const { DuckDBInstance } = await import('@duckdb/node-api');
    const connection = await (await DuckDBInstance.create(':memory:')).connect();
    const options = { policy: people, keys, access: revealAccess };
    expect((await rejection(register(connection as never, options))).code).toBe('warrant_required');
    const open = await people.open(keys, {}, anyWarrant);
    expect(codeOf(() => openReady(open))).toBe('warrant_required');
    // To protect, nothing has to wait.
    await register(connection as never, { policy: people, keys });
    const found = await connection.runAndReadAll("SELECT trefoil_protect_name('name 1') AS name");
    expect(found.getRows()).toEqual([[safe[1]!.name]]);
    connection.closeSync();
  });

  it('move nothing, and open no rejects', async () => {
    for (const [from, to] of [
      [keys, keys],
      [keys, plain],
      [plain, keys],
    ] as const) {
      expect(codeOf(() => rekey(people, { from, to }, revealAccess))).toBe('warrant_required');
      expect(codeOf(() => project(people, { from, to }, revealAccess))).toBe('warrant_required');
    }
    const [input, output] = filesOf('id,name,city\n1,Ada\n', 'csv');
    const rejects = `${output}.rejects`;
    await protectFile(input, output, people.bind(keys), { rejects });
    expect((await rejection(openRejects(rejects, keys, revealAccess))).code).toBe('warrant_required');
    const opened = await openRejects(rejects, plain, revealAccess);
    const records: (string | null)[] = [];
    for await (const { record } of opened.records) records.push(record);
    expect(records).toEqual(['1,Ada']);
  });
});
