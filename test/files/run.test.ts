/** Runs over files: chunks, workers, compression, several inputs, folders, rejects. */

import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import * as zlib from 'node:zlib';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import type { Issue } from '../../src/errors.ts';
import { coarsen, type DomainKeys, drop, keep, keyset, optional, policy, seal, token } from '../../src/index.ts';
import { type FileOptions, openRejects, protectFile, protectFiles, type Reject, revealFile } from '../../src/node.ts';
import { revealAccess } from '../../src/reveal.ts';
import { memoryStore, vault } from '../../src/vault.ts';
import { errorOf, keys } from '../io/helpers.ts';

const root = await mkdtemp(`${tmpdir()}/trefoil-run-`);
afterAll(() => rm(root, { recursive: true }));
let folder = '';
let count = 0;
beforeEach(async () => {
  folder = `${root}/${count++}`;
  await mkdir(folder);
});
const at = (name: string): string => `${folder}/${name}`;
const left = async (): Promise<string[]> => (await readdir(folder)).sort();
const put = (name: string, content: string | Uint8Array): Promise<void> => writeFile(at(name), content);

const people = policy({
  id: token({ scope: 'person' }),
  name: seal({ scope: 'person.name' }),
  born: coarsen({ date: 'year' }),
  notes: optional(drop),
}).bind(keys, revealAccess);

/** Rows with quoted line ends, quotes and commas, so that a cut inside a record would be noticed. */
function table(rows: number, newline = '\n', from = 0): string {
  let text = `id,name,born,notes${newline}`;
  for (let i = from; i < from + rows; i++) {
    const name = i % 3 === 0 ? `"Zoë, ""${i}""\nsecond line"` : `Name ${i}`;
    text += `${i},${name},19${10 + (i % 90)}-01-31,"note,\r\n${'x'.repeat(i % 50)}"${newline}`;
  }
  return text;
}

async function protect(input: string | string[], output: string, options: FileOptions = {}): Promise<Buffer> {
  await protectFile(Array.isArray(input) ? input.map(at) : at(input), at(output), people, options);
  return readFile(at(output));
}

/** `toEqual` compares megabytes element by element, which takes half a minute. */
function expectSame(got: Uint8Array, expected: Uint8Array): void {
  expect(Buffer.compare(got, expected)).toBe(0);
}

describe('workers', () => {
  test('give the same bytes, whatever their number', async () => {
    // About 2.5 MB: a small first chunk, two whole ones and a rest.
    await put('in.csv', table(40_000));
    const alone = await protect('in.csv', 'one.csv');
    expectSame(await protect('in.csv', 'two.csv', { workers: 2 }), alone);
    expectSame(await protect('in.csv', 'three.csv', { workers: 3, batchSize: 100 }), alone);
    await revealFile(at('two.csv'), at('back.csv'), people, { workers: 2 });
    const back = await readFile(at('back.csv'), 'utf8');
    expect(back.split('\n').length).toBe(alone.toString().split('\n').length + Math.ceil(40_000 / 3));
  });

  test('report rows and lines of the file, not of a chunk', async () => {
    const text = table(40_000);
    await put('in.csv', `${text}77777,Name,no date,x\n`);
    const one = await errorOf(protectFile(at('in.csv'), at('one.csv'), people));
    const two = await errorOf(protectFile(at('in.csv'), at('two.csv'), people, { workers: 2 }));
    const line = text.split(/\n/).length;
    expect(one.issues).toEqual([expect.objectContaining({ code: 'not_a_date', row: 40_001, line, field: 'born' })]);
    expect(two.issues).toEqual(one.issues);
    expect(await left()).toEqual(['in.csv']);
  });

  test('report a fault in the middle of a file that always ends the run', async () => {
    const text = table(20_000);
    await put('in.csv', `${text}1,a"b,1999-01-01,x\n${table(20_000).slice(text.indexOf('\n') + 1)}`);
    const one = await errorOf(protectFile(at('in.csv'), at('one.csv'), people));
    const two = await errorOf(protectFile(at('in.csv'), at('two.csv'), people, { workers: 2 }));
    expect(one.issues[0]).toMatchObject({ code: 'stray_quote', row: 20_001 });
    expect(two.issues).toEqual(one.issues);
  });

  test('keep NULL and the empty text apart, in both directions, and seal a rejected record as it was', async () => {
    const bound = policy({ a: seal({ scope: 'a' }), b: keep, c: coarsen({ number: 10 }) }).bind(keys, revealAccess);
    let text = 'a,b,c\n';
    for (let i = 0; i < 60_000; i++) text += `${[`"",${i},`, `,"",""`, `,x,`, `"",,""`][i % 4]}\n`;
    await put('in.csv', `${text}"",,no number\n`);
    for (const workers of [1, 2]) {
      const options = { workers, force: true, rejects: at('r.ndjson') };
      await protectFile(at('in.csv'), at('safe.csv'), bound, options);
      expectSame(await readFile(at('safe.csv')), Buffer.from(text));
      const records: (string | null)[] = [];
      for await (const { record } of (await openRejects(at('r.ndjson'), keys, revealAccess)).records) {
        records.push(record);
      }
      expect(records).toEqual(['"",,no number']);
      await revealFile(at('safe.csv'), at('back.csv'), bound, { workers, force: true });
      expectSame(await readFile(at('back.csv')), Buffer.from(text));
    }
  });

  test('keep the numbers of NDJSON as they are written, also with a vault', async () => {
    const bound = policy({ id: token({ scope: 'id' }), n: keep }).bind(keys, revealAccess);
    let text = '';
    for (let i = 0; i < 60_000; i++) text += `{"id":${6150769120280496000n + BigInt(i)},"n":${i % 1000}.${i % 7}0}\n`;
    await put('in.ndjson', text);
    const numbers = (of: string): string[] => of.match(/"n":[^}]*/g)!;
    for (const workers of [1, 2]) {
      await protectFile(at('in.ndjson'), at('safe.ndjson'), bound, { workers, force: true });
      const safe = await readFile(at('safe.ndjson'), 'utf8');
      expect(numbers(safe).join()).toBe(numbers(text).join());
      expect(new Set(safe.match(/"id":"[^"]*"/g)).size).toBe(60_000);
    }
    const subjects = policy({ id: keep, name: vault({ scope: 'name', store: 'people', subject: 'id' }), n: keep });
    const open = await subjects.open(keys, { people: memoryStore() }, revealAccess);
    const two = '{"id":6150769120280496265,"name":"Ada","n":1.0}\n{"id":6150769120280496266,"name":"Ada","n":2.0}\n';
    await put('two.ndjson', two);
    await protectFile(at('two.ndjson'), at('two.safe.ndjson'), open);
    const safe = await readFile(at('two.safe.ndjson'), 'utf8');
    const tokens = safe.match(/"name":"[^"]*"/g)!;
    // Two subjects, which would be one if the reader rounded numbers.
    expect(tokens[0]).not.toBe(tokens[1]);
    await revealFile(at('two.safe.ndjson'), at('two.back.ndjson'), open);
    expect(await readFile(at('two.back.ndjson'), 'utf8')).toBe(two);
  });

  test('an abort ends them', async () => {
    await put('in.csv', table(40_000));
    const abort = new AbortController();
    const run = protectFile(at('in.csv'), at('out.csv'), people, {
      workers: 2,
      signal: abort.signal,
      onProgress: () => abort.abort(new Error('enough')),
    });
    await expect(run).rejects.toThrow('enough');
    expect(await left()).toEqual(['in.csv']);
  });

  test('if one of them dies, the run ends, and nothing is left', async () => {
    await put('in.csv', table(200_000));
    await put('policy.json', JSON.stringify({ trefoil: 1, domain: 'test', fields: FIELDS }));
    // Every worker thread is ended from outside while it works.
    await put(
      'deadly.mjs',
      `import wt from 'node:worker_threads'; import { syncBuiltinESMExports } from 'node:module';
       const { Worker } = wt;
       wt.Worker = class extends Worker { constructor(...a) { super(...a); setTimeout(() => this.terminate(), 400); } };
       syncBuiltinESMExports();`,
    );
    const cli = fileURLToPath(new URL('../../dist/cli.js', import.meta.url));
    const run = promisify(execFile);
    await run(process.execPath, [cli, 'keys', 'new', '--out', at('keys.json')]);
    const args = ['protect', at('in.csv'), '--policy', at('policy.json'), '--keys', at('keys.json'), '--workers', '2'];
    const failed = await run(process.execPath, [
      '--import',
      at('deadly.mjs'),
      cli,
      ...args,
      '--out',
      at('out.csv'),
    ]).then(
      () => null,
      (error: { code: number; stderr: string }) => error,
    );
    expect(failed).toMatchObject({ code: 5 });
    expect(failed?.stderr).toMatch(/a worker ended before its work was done/);
    expect((await left()).filter((name) => /out|part|tmp/.test(name))).toEqual([]);
  });
});

const FIELDS = {
  id: { rule: 'token', scope: 'person' },
  name: { rule: 'seal', scope: 'person.name' },
  born: { rule: 'coarsen', date: 'year' },
  notes: 'drop',
};

describe('compression', () => {
  test('gzip by name and by option, with and without workers', async () => {
    const text = table(30_000);
    await put('in.csv', text);
    await put('in.csv.gz', zlib.gzipSync(text));
    await put('packed', zlib.gzipSync(text));
    const plain = await protect('in.csv', 'plain.csv');
    expectSame(await protect('in.csv.gz', 'a.csv'), plain);
    expectSame(await protect('packed', 'b.csv', { format: 'csv', inputCompression: 'gzip' }), plain);
    const packed = await protect('in.csv', 'c.csv.gz');
    expectSame(zlib.gunzipSync(packed), plain);
    expectSame(await protect('in.csv', 'd', { outputCompression: 'gzip', workers: 2 }), packed);
  });

  test('several gzip members are one file', async () => {
    const text = table(1000);
    const half = text.length >> 1;
    await put('in.csv', text);
    await put('in.csv.gz', Buffer.concat([text.slice(0, half), text.slice(half)].map((part) => zlib.gzipSync(part))));
    expectSame(await protect('in.csv.gz', 'a.csv'), await protect('in.csv', 'b.csv'));
  });

  test.each([
    ['cut', (packed: Buffer) => packed.subarray(0, -9), /it ends too early/],
    [
      'broken',
      (packed: Buffer) => Buffer.concat([packed.subarray(0, 200), Buffer.alloc(50), packed.subarray(250)]),
      /its bytes are damaged/,
    ],
    [
      'with something behind it',
      (packed: Buffer) => Buffer.concat([packed, Buffer.from('more')]),
      /after its end|its bytes are damaged/,
    ],
  ])('a gzip file that is %s is refused', async (_, spoil, message) => {
    await put('in.csv.gz', spoil(zlib.gzipSync(table(5000))));
    const error = await errorOf(protectFile(at('in.csv.gz'), at('out.csv'), people));
    expect(error.code).toBe('bad_compression');
    expect(error.message).toMatch(message);
    expect(await left()).toEqual(['in.csv.gz']);
  });

  test('compressed bytes under an ordinary name are refused with a hint', async () => {
    await put('in.csv', zlib.gzipSync(table(10)));
    const error = await errorOf(protectFile(at('in.csv'), at('out.csv'), people));
    expect(error.message).toMatch(/compressed with gzip; set --input-compression gzip/);
  });

  const { zstdCompressSync } = zlib as { zstdCompressSync?: (bytes: Uint8Array) => Buffer };
  test.skipIf(zstdCompressSync === undefined)('Zstandard, in and out', async () => {
    const text = table(30_000);
    await put('in.csv', text);
    await put('in.csv.zst', zstdCompressSync!(Buffer.from(text)));
    const plain = await protect('in.csv', 'plain.csv');
    expectSame(await protect('in.csv.zst', 'a.csv'), plain);
    await protect('in.csv', 'b.csv.zst');
    expect(
      await protectFile(
        at('b.csv.zst'),
        at('c.csv'),
        policy({ id: token({ scope: 'a', onToken: 'pass' }), name: keep, born: keep }).bind(keys),
      ),
    ).toMatchObject({ rowsIn: 30_000 });
  });

  test.skipIf(zstdCompressSync === undefined)(
    'Zstandard: many frames are one file, what is spoilt is refused',
    async () => {
      const text = table(3000);
      const frames = text.match(/.{1,999}/gs)!.map((part) => zstdCompressSync!(Buffer.from(part)));
      const skippable = Buffer.from([0x5f, 0x2a, 0x4d, 0x18, 2, 0, 0, 0, 1, 2]);
      const packed = Buffer.concat([skippable, ...frames.flatMap((frame) => [frame, skippable])]);
      await put('in.csv', text);
      await put('in.csv.zst', packed);
      expectSame(await protect('in.csv.zst', 'a.csv'), await protect('in.csv', 'b.csv'));
      const begun = Buffer.concat(frames.slice(0, -1)).length;
      const whole = Buffer.concat(frames);
      for (const [bytes, message] of [
        [whole.subarray(0, begun + 2), /it ends too early/],
        [whole.subarray(0, begun + 20), /it ends too early/],
        [whole.subarray(0, -1), /it ends too early/],
        [Buffer.alloc(0), /it ends too early/],
        [Buffer.concat([whole, Buffer.from('more')]), /there are bytes after its end/],
        [Buffer.from('id,name'), /its bytes are damaged/],
        // A compressed block of five bytes that are not valid.
        [Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0x20, 5, 0x2d, 0, 0, ...Array(5).fill(255)]), /its bytes are damaged/],
      ] as const) {
        await put('in.csv.zst', bytes);
        const error = await errorOf(protectFile(at('in.csv.zst'), at('out.csv'), people));
        expect(error.code).toBe('bad_compression');
        expect(error.message).toMatch(message);
        expect(await left()).toEqual(['a.csv', 'b.csv', 'in.csv', 'in.csv.zst']);
      }
    },
  );

  test.skipIf(zstdCompressSync !== undefined)('Zstandard is refused by a version of Node without it', async () => {
    await put('in.csv.zst', 'x');
    const error = await errorOf(protectFile(at('in.csv.zst'), at('out.csv'), people));
    expect(error.message).toMatch(/Node 22\.15/);
  });
});

describe('encodings and dialects', () => {
  test.each(['utf16le', 'utf16be'])('%s with a byte order mark becomes UTF-8', async (encoding) => {
    const bytes = Buffer.from(`\ufeff${table(5000)}`, 'utf16le');
    await put('in.csv', table(5000));
    await put('wide.csv', encoding === 'utf16be' ? bytes.swap16() : bytes);
    expectSame(await protect('wide.csv', 'a.csv'), await protect('in.csv', 'b.csv'));
  });

  test('UTF-16 without a mark is refused: nothing is guessed', async () => {
    await put('in.csv', Buffer.from(table(10), 'utf16le'));
    expect((await errorOf(protectFile(at('in.csv'), at('out.csv'), people))).code).toBe('nul_byte');
  });

  test('Windows line endings are kept, in workers, too', async () => {
    await put('in.csv', table(20_000, '\r\n'));
    const out = (await protect('in.csv', 'out.csv', { workers: 2 })).toString();
    expect(out.startsWith('id,name,born\r\n')).toBe(true);
    expect(out.split('\r\n')).toHaveLength(20_002);
  });

  test('a table without a header gets its names from the caller, and the output has none', async () => {
    const header = 'id,name,born,notes'.split(',');
    const text = table(20_000);
    await put('in.csv', text);
    await put('bare.csv', text.slice(text.indexOf('\n') + 1));
    const whole = (await protect('in.csv', 'a.csv')).toString();
    const bare = await protect('bare.csv', 'b.csv', { header });
    expect(bare.toString()).toBe(whole.slice(whole.indexOf('\n') + 1));
    expectSame(await protect('bare.csv', 'c.csv', { header, workers: 2 }), bare);
    const error = await errorOf(protectFile(at('bare.csv'), at('d.csv'), people, { header: header.slice(1) }));
    expect(error.code).toBe('missing_field');
  });

  test('other delimiters', async () => {
    await put('in.csv', 'id|name|born\n1|a,b|1999-01-01\n');
    expect((await protect('in.csv', 'out.csv', { delimiter: '|' })).toString()).toMatch(/^id\|name\|born\n/);
  });
});

describe('several inputs', () => {
  test('become one output with one header, by list and by pattern', async () => {
    await put('a.csv', table(20_000));
    await put('b.csv', table(20_000, '\n', 20_000).slice(0, -1));
    await put('c.csv', table(3, '\r\n', 40_000));
    const whole = table(20_000) + table(20_000, '\n', 20_000).slice(19) + table(3, '\n', 40_000).slice(19);
    await put('whole.csv', whole);
    const expected = await protect('whole.csv', 'out1.csv');
    expectSame(await protect(['a.csv', 'b.csv', 'c.csv'], 'out2.csv'), expected);
    expectSame(await protect(['[abc].csv'], 'out3.csv', { workers: 2 }), expected);
  });

  test('an issue names its file, and the row there', async () => {
    await put('a.csv', table(100));
    await put('b.csv', 'id,name,born,notes\n1,a,1999-01-01,\n2,b,x,\n');
    const error = await errorOf(protectFile([at('a.csv'), at('b.csv')], at('out.csv'), people));
    expect(error.issues).toEqual([
      expect.objectContaining({ file: at('b.csv'), row: 2, line: 3, field: 'born', code: 'not_a_date' }),
    ]);
  });

  test('a different header is refused, even if only the order differs', async () => {
    await put('a.csv', 'id,name,born\n1,a,1999-01-01\n');
    await put('b.csv', 'name,id,born\na,1,1999-01-01\n');
    const error = await errorOf(protectFile([at('a.csv'), at('b.csv')], at('out.csv'), people));
    expect(error).toMatchObject({ code: 'header_mismatch', issues: [{ file: at('b.csv'), line: 1 }] });
    expect(await left()).toEqual(['a.csv', 'b.csv']);
  });

  test('are written to a folder, each under its name, and either all or none', async () => {
    await put('a.csv', table(30_000));
    await put('b.csv.gz', zlib.gzipSync(table(10)));
    const alone = await protect('a.csv', 'alone.csv');
    await expect(protectFiles([at('[ab].csv*')], at('out'), people)).rejects.toThrow(RangeError);
    await protectFiles([at('a.csv')], at('out'), people, { workers: 2 });
    expectSame(await readFile(at('out/a.csv')), alone);
    await put('c.csv', 'id,name,born\n1,a,x\n');
    await rm(at('out'), { recursive: true });
    const error = await errorOf(protectFiles([at('a.csv'), at('c.csv')], at('out'), people));
    expect(error.issues).toEqual([expect.objectContaining({ file: at('c.csv'), row: 1 })]);
    expect(await readdir(at('out'))).toEqual([]);
  });

  test('two inputs with the same name, and a pattern that no file matches', async () => {
    await mkdir(at('x'));
    await put('a.csv', table(3));
    await put('x/a.csv', table(3));
    expect((await errorOf(protectFiles([at('a.csv'), at('x/a.csv')], at('out'), people))).code).toBe('same_file');
    expect((await errorOf(protectFiles([at('no*.csv')], at('out'), people))).code).toBe('io_failed');
    expect((await errorOf(protectFiles([at('a.csv')], folder, people, { force: true }))).code).toBe('same_file');
  });
});

describe('TSV of COPY', () => {
  test('keeps nulls apart from empty texts, and needs the option format', async () => {
    const lines = ['id\tname\tborn\tnotes', '1\ta\\tb\t1999-01-31\tx', '2\t\\N\t\\N\t', ''].join('\n');
    await put('in.tsv', lines);
    const error = await protectFile(at('in.tsv'), at('a.tsv'), people).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(TypeError);
    const out = (await protect('in.tsv', 'a.tsv', { format: 'tsv', workers: 2 })).toString();
    expect(out).toMatch(/^id\tname\tborn\n\S+\t\S+\t1999\n\S+\t\\N\t\\N\n$/);
    await revealFile(at('a.tsv'), at('back.tsv'), people, { format: 'tsv' });
    expect(await readFile(at('back.tsv'), 'utf8')).toContain('\ta\\tb\t1999\n');
  });
});

describe('a rejected record', () => {
  const bad = (i: number): string => `${i},b,x,\n`;

  test('is sealed, and the corrected records complete the output', async () => {
    const text = table(20_000);
    const broken = text.replace(/^19999,(.*?),19/m, '19999,$1,x~').replace(/^7,(.*?),19/m, '7,$1,y~');
    await put('in.csv', broken);
    for (const workers of [1, 2]) {
      const options = { rejects: at('r.ndjson'), force: true, workers };
      const { rowsRejected } = await protectFile(at('in.csv'), at('a.csv'), people, options);
      expect(rowsRejected).toBe(2);
      expect(await readFile(at('r.ndjson'), 'utf8')).not.toContain('~');
      const opened = await openRejects(at('r.ndjson'), keys, revealAccess);
      expect(opened.firstTable).toMatchObject({ format: 'csv', delimiter: ',', newline: '\n' });
      const { header } = opened.firstTable;
      const records: Reject[] = [];
      for await (const record of opened.records) records.push(record);
      expect(records.map(({ row }) => row)).toEqual([8, 20_000]);
      const lines = records.map(({ record }) => record!);
      await put('mended.csv', `${header!.join(',')}\n${lines.join('\n').replaceAll(/[xy]~/g, '19')}\n`);
      await protectFile(at('mended.csv'), at('b.csv'), people, { force: true });
      await put('whole.csv', text);
      await protectFile(at('whole.csv'), at('c.csv'), people, { force: true });
      const rows = async (name: string): Promise<string[]> => (await readFile(at(name), 'utf8')).split('\n').slice(1);
      expect([...(await rows('a.csv')), ...(await rows('b.csv'))].sort()).toEqual(
        [...(await rows('c.csv')), ''].sort(),
      );
    }
  });

  test('can be a malformed line of 16 MB', async () => {
    const good = '{"id":"1","name":"b","born":"1999-01-01"}\n';
    for (const line of [`{"id":"${'x'.repeat(16 << 20)}`, `{"id":"${'\\n'.repeat(8 << 20)}"`]) {
      await put('in.ndjson', `${good}${line}\n${good}`);
      for (const maxRecord of [1 << 20, 1 << 25]) {
        const options = { rejects: at('r.ndjson'), force: true, maxRecord };
        const { rowsRejected, rowsNotHeld } = await protectFile(at('in.ndjson'), at('a.ndjson'), people, options);
        expect([rowsRejected, rowsNotHeld]).toEqual([1, maxRecord === 1 << 20 ? 1 : 0]);
        const lines: (string | null)[] = [];
        for await (const { record } of (await openRejects(at('r.ndjson'), keys, revealAccess)).records)
          lines.push(record);
        // A record above the limit is never in memory as a whole.
        expect(lines.length === 1 && lines[0] === (maxRecord === 1 << 20 ? null : line)).toBe(true);
        expect((await readFile(at('a.ndjson'), 'utf8')).split('\n')).toHaveLength(3);
      }
    }
  }, 120_000);

  test.each([1, 2])(
    'records above the limit are counted apart, also by a run that goes on: %i workers',
    async (workers) => {
      const good = Array.from({ length: 40_000 }, (_, i) => `{"id":"${i}","name":"b","born":"1999-01-01"}\n`).join('');
      const bad = '{"id":"1","name":"b","born":"never"}\n';
      const long = `{"id":"1","name":"${'x'.repeat(2000)}","born":"1999-01-01"}\n`;
      await put('in.ndjson', `${long}${bad}${good}${long}${bad}${bad}`);
      const options = { rejects: at('r.ndjson'), resume: true, maxRecord: 1000, workers };
      const stop = new AbortController();
      const onProgress = ({ rows }: { rows: number }): void => {
        if (rows > 10_000) stop.abort();
      };
      const died = protectFile(at('in.ndjson'), at('a.ndjson'), people, {
        ...options,
        signal: stop.signal,
        onProgress,
      });
      await expect(died).rejects.toThrow();
      expect(await left()).toContain('a.ndjson.resume.json');
      expect(await protectFile(at('in.ndjson'), at('a.ndjson'), people, options)).toMatchObject({
        rowsIn: 40_005,
        rowsRejected: 5,
        rowsNotHeld: 2,
      });
      const held: boolean[] = [];
      for await (const { record } of (await openRejects(at('r.ndjson'), keys, revealAccess)).records)
        held.push(record !== null);
      expect(held).toEqual([false, true, false, true, true]);
    },
  );

  test('can be half of many rows, with one worker and two, and by a function as well', async () => {
    let text = 'id,name,born\n';
    for (let i = 0; i < 30_000; i++) text += `${i},"N\n${i}",${i % 2 === 0 ? 'never' : '1999-01-01'}\n`;
    await put('in.csv', text);
    for (const workers of [1, 2]) {
      const seen: Issue[] = [];
      const options = { rejects: at('r.ndjson'), force: true, workers, onReject: (issue: Issue) => seen.push(issue) };
      await protectFile(at('in.csv'), at('a.csv'), people, options);
      let i = 0;
      for await (const { row, line, record, issues } of (await openRejects(at('r.ndjson'), keys, revealAccess))
        .records) {
        const want = { row: 2 * i + 1, line: 4 * i + 2 };
        if (row !== want.row || line !== want.line || record !== `${2 * i},"N\n${2 * i}",never`) {
          expect({ row, line, record }).toEqual(want);
        }
        if (i % 5000 === 0) {
          expect(issues).toEqual([expect.objectContaining({ code: 'not_a_date', field: 'born' })]);
          expect(seen[i]).toMatchObject({ ...want, code: 'not_a_date', field: 'born' });
        }
        i++;
      }
      expect([i, seen.length]).toEqual([15_000, 15_000]);
    }
  });

  test('can be every record: a compressed output is then an empty text, not an empty file', async () => {
    await put('in.ndjson', '{"id":"1","name":"b","born":"x"}\n{"id":"2","name":"b","born":"y"}\n');
    for (const workers of [1, 2]) {
      await protectFile(at('in.ndjson'), at('a.ndjson.gz'), people, { rejects: at('r.ndjson'), force: true, workers });
      expect(zlib.gunzipSync(await readFile(at('a.ndjson.gz'))).toString()).toBe('');
      await protectFile(at('in.ndjson'), at('a.ndjson'), people, { rejects: at('r.ndjson'), force: true, workers });
      expect(await readFile(at('a.ndjson'), 'utf8')).toBe('');
    }
    for (const empty of ['a.ndjson.gz', 'a.ndjson']) {
      expect(await protectFile(at(empty), at('b.ndjson'), people, { force: true })).toMatchObject({ rowsIn: 0 });
      expect(await readFile(at('b.ndjson'), 'utf8')).toBe('');
    }
  });

  test('is opened only with the keys and the access', async () => {
    await put('in.csv', `${table(3)}${bad(1)}`);
    await protect('in.csv', 'a.csv', { rejects: at('r.ndjson') });
    const open = (domain: DomainKeys, path = 'r.ndjson'): Promise<unknown> =>
      openRejects(at(path), domain, revealAccess);
    expect((await errorOf(open(keyset.generate().domain('other')))).code).toBe('wrong_domain');
    expect((await errorOf(open(keyset.generate().domain(keys.domain)))).code).toBe('unknown_key');
    expect((await errorOf(open(keys, 'in.csv'))).code).toBe('not_rejects');
    expect((await errorOf(openRejects(at('r.ndjson'), keys, {} as never))).code).toBe('reveal_access_required');
    const moved = (await readFile(at('r.ndjson'), 'utf8')).replace('"line":', '"line":1');
    await put('moved.ndjson', moved);
    const { records } = await openRejects(at('moved.ndjson'), keys, revealAccess);
    const drain = async (): Promise<void> => {
      for await (const _ of records);
    };
    expect((await errorOf(drain())).issues[0]).toMatchObject({ code: 'reveal_failed', line: 2 });
  });

  test('is reported with rows of the file, in order, also by workers', async () => {
    const text = table(20_000) + bad(1) + table(20_000).slice(19) + bad(2);
    await put('in.csv', text);
    const [one, two]: [Issue[], Issue[]] = [[], []];
    const result = await protectFile(at('in.csv'), at('a.csv'), people, { onReject: (issue) => one.push(issue) });
    await protectFile(at('in.csv'), at('b.csv'), people, { onReject: (issue) => two.push(issue), workers: 2 });
    expect(one.map(({ row }) => row)).toEqual([20_001, 40_002]);
    expect(two).toEqual(one);
    expect(result).toMatchObject({ rowsIn: 40_002, rowsOut: 40_000, rowsRejected: 2 });
    expectSame(await readFile(at('a.csv')), await readFile(at('b.csv')));
  });

  test.each([
    [1, 'too_many_rejects'],
    [2, null],
    ['0.004%' as const, 'too_many_rejects'],
    ['50%' as const, null],
  ])('a run with more than %s ends', async (maxRejects, code) => {
    await put('in.csv', table(40_000) + bad(1) + bad(2));
    const run = protectFile(at('in.csv'), at('out.csv'), people, { onReject: () => {}, maxRejects });
    if (code === null) expect(await run).toMatchObject({ rowsRejected: 2 });
    else expect((await errorOf(run)).code).toBe(code);
    expect(await left()).toEqual(code === null ? ['in.csv', 'out.csv'] : ['in.csv']);
  });

  test('a limit on rejects without rejects or onReject is an error', async () => {
    await put('in.csv', table(1));
    await expect(protectFile(at('in.csv'), at('out.csv'), people, { maxRejects: 1 })).rejects.toThrow(RangeError);
    await expect(
      protectFile(at('in.csv'), at('out.csv'), people, { maxRejects: '101%', onReject: () => {} }),
    ).rejects.toThrow(TypeError);
  });
});

test('a limit counts over all inputs', async () => {
  await put('a.csv', table(5));
  await put('b.csv', table(5, '\n', 5));
  const result = await protectFile([at('a.csv'), at('b.csv')], at('out.csv'), people, { limit: 7, workers: 2 });
  expect(result).toMatchObject({ rowsIn: 7, rowsOut: 7 });
});
