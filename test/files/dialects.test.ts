/** Encodings, quotes and empty inputs in runs over files: chunks, workers, compression, rejects, several inputs. */

import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { gunzipSync, gzipSync } from 'node:zlib';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { coarsen, drop, keep, optional, policy, seal, token } from '../../src/index.ts';
import { type FileOptions, openRejects, protectFile, protectFiles, type Reject } from '../../src/node.ts';
import { revealAccess } from '../../src/reveal.ts';
import { memoryStore, vault } from '../../src/vault.ts';
import { brief, errorOf, keys } from '../io/helpers.ts';

const root = await mkdtemp(`${tmpdir()}/trefoil-dialects-`);
afterAll(() => rm(root, { recursive: true }));
let folder = '';
let count = 0;
beforeEach(async () => {
  folder = `${root}/${count++}`;
  await mkdir(folder);
});
const at = (name: string): string => `${folder}/${name}`;
const put = (name: string, content: string | Uint8Array): Promise<void> => writeFile(at(name), content);
const text = (name: string): Promise<string> => readFile(at(name), 'utf8');

const people = policy({
  id: token({ scope: 'person' }),
  name: token({ scope: 'name' }),
  born: coarsen({ date: 'year' }),
  note: keep,
}).bind(keys, revealAccess);

/** Rows with letters beyond ASCII, and quoted line ends, so that a cut inside a record or a letter would be noticed. */
function table(rows: number, header = 'id,name,born,note\n'): string {
  let out = header;
  for (let i = 0; i < rows; i++) {
    out += `${i},Zoë Müller ${i % 100},19${10 + (i % 90)}-01-31,"naïve €\r\n${'ß'.repeat(i % 50)}"\n`;
  }
  return out;
}

/** The bytes of a text in an encoding. */
function encode(characters: string, encoding: string): Buffer {
  if (encoding === 'utf-16le') return Buffer.from(characters, 'utf16le');
  if (encoding === 'utf-16be') return Buffer.from(characters, 'utf16le').swap16();
  if (encoding === 'utf-16') return Buffer.from(`\ufeff${characters}`, 'utf16le');
  const euro = encoding === 'iso-8859-15' ? '\xa4' : '\x80';
  return Buffer.from(characters.replaceAll('€', euro), 'latin1');
}

async function protect(input: string, output: string, options: FileOptions = {}): Promise<Buffer> {
  await protectFile(at(input), at(output), people, { force: true, ...options });
  return readFile(at(output));
}

async function rejected(name: string): Promise<Reject[]> {
  const { records } = await openRejects(at(name), keys, revealAccess);
  const all: Reject[] = [];
  for await (const reject of records) all.push(reject);
  return all;
}

const ENCODINGS = ['windows-1252', 'iso-8859-1', 'iso-8859-15', 'utf-16', 'utf-16le', 'utf-16be'] as const;

describe('encodings', () => {
  test.each(ENCODINGS)('%s becomes UTF-8, in workers and out of gzip, too', async (encoding) => {
    const due = table(25_000);
    await put('utf8.csv', due);
    const expected = await protect('utf8.csv', 'due.csv');
    const bytes = encode(due, encoding);
    await put('in.csv', bytes);
    await put('in.csv.gz', gzipSync(bytes));
    for (const [input, workers] of [
      ['in.csv', 1],
      ['in.csv', 2],
      ['in.csv.gz', 2],
    ] as const) {
      const out = await protect(input, 'out.csv', { encoding, workers });
      expect(Buffer.compare(out, expected)).toBe(0);
    }
  });

  test('bytes that are no characters are rejected with row and line, and opened as U+FFFD', async () => {
    const rows = table(30_000).split(/(?<=")\n/);
    rows[19_999] = `7,bad \x81 name,1990-01-31,"two\nlines"`;
    rows[24_999] = `8,name,not a date,x`;
    await put('in.csv', encode(rows.join('\n'), 'windows-1252'));
    const seen = [];
    for (const workers of [1, 2]) {
      const options = { encoding: 'windows-1252', workers, rejects: at('r.ndjson') } as const;
      const result = await protectFile(at('in.csv'), at('out.csv'), people, { ...options, force: true });
      expect(result).toMatchObject({ rowsIn: 30_000, rowsRejected: 2 });
      const rejects = await rejected('r.ndjson');
      seen.push(rejects.map(({ row, line, issues, record }) => ({ row, line, code: issues[0]!.code, record })));
    }
    expect(seen[0]).toEqual([
      { row: 20_000, line: 40_000, code: 'not_in_encoding', record: '7,bad \ufffd name,1990-01-31,"two\nlines"' },
      { row: 25_000, line: 50_000, code: 'not_a_date', record: '8,name,not a date,x' },
    ]);
    expect(seen[1]).toEqual(seen[0]);
  });

  test('also in front of a vault, which sees each value once in each pass', async () => {
    const ids = policy({ id: vault({ scope: 'person', store: 'people' }), note: keep });
    const open = await ids.open(keys, { people: memoryStore() });
    await put('in.csv', Buffer.from('id,note\n1,\xe9\n2,\x81\n3,\xe9\n1,x\n', 'latin1'));
    await protectFile(at('in.csv'), at('out.csv'), open, { encoding: 'windows-1252', rejects: at('r.ndjson') });
    const lines = (await text('out.csv')).trimEnd().split('\n');
    expect(lines.map((line) => line.split(',')[1])).toEqual(['note', 'é', 'é', 'x']);
    expect(lines[1]!.split(',')[0]).toBe(lines[3]!.split(',')[0]);
    expect(lines[1]!.split(',')[0]).not.toBe(lines[2]!.split(',')[0]);
    expect((await rejected('r.ndjson')).map(({ row }) => row)).toEqual([2]);
  });

  test('an interrupted run continues, and only in the same encoding', async () => {
    const characters = table(25_000);
    await put('utf8.csv', characters);
    const expected = await protect('utf8.csv', 'due.csv');
    for (const encoding of ['windows-1252', 'utf-16', 'utf-16be'] as const) {
      await put('in.csv', encode(characters, encoding));
      const abort = new AbortController();
      const options = { encoding, resume: true, force: true };
      const stop = protectFile(at('in.csv'), at('out.csv'), people, {
        ...options,
        signal: abort.signal,
        onProgress: ({ rows }) => {
          if (rows > 10_000) abort.abort(new Error('enough'));
        },
      });
      await expect(stop).rejects.toThrow('enough');
      const position = JSON.parse(await text('out.csv.resume.json')).position;
      expect(position.rows).toBeGreaterThan(1000);
      for (const other of [undefined, 'iso-8859-15', 'utf-16le'] as const) {
        const error = await errorOf(protectFile(at('in.csv'), at('out.csv'), people, { ...options, encoding: other }));
        expect(error.code).toBe('resume_refused');
      }
      for (const other of [{ quote: "'" }, { escape: '\\' }, { quote: 'none' }, { delimiter: ';' }]) {
        const error = await errorOf(protectFile(at('in.csv'), at('out.csv'), people, { ...options, ...other }));
        expect(error.code).toBe('resume_refused');
      }
      await protectFile(at('in.csv'), at('out.csv'), people, options);
      expect(Buffer.compare(await readFile(at('out.csv')), expected)).toBe(0);
    }
  });

  test('UTF-8 as another encoding is refused, and leaves no output', async () => {
    await put('in.csv', table(5000));
    for (const encoding of ['windows-1252', 'iso-8859-15'] as const) {
      const error = await errorOf(protectFile(at('in.csv'), at('out.csv'), people, { encoding }));
      expect(error.code).toBe('not_in_encoding');
      expect(await readdir(folder)).toEqual(['in.csv']);
    }
  });

  test('broken UTF-16 that nobody has named ends the run', async () => {
    await put('in.csv', Buffer.from('\ufeffid,name,born,note\n1,\ud800,,\n', 'utf16le'));
    const options = { rejects: at('r.ndjson') };
    const error = await errorOf(protectFile(at('in.csv'), at('out.csv'), people, options));
    expect(error.issues.map(brief)).toEqual(['not_in_encoding line 2']);
    await protectFile(at('in.csv'), at('out.csv'), people, { ...options, encoding: 'utf-16' });
    expect((await rejected('r.ndjson')).map(({ row, line }) => [row, line])).toEqual([[1, 2]]);
  });
});

describe('quotes', () => {
  test('each dialect gives the same output, whatever the number of workers', async () => {
    const plain = (rows: number, cell: (value: string) => string, d = ','): string => {
      let out = ['id', 'name', 'born', 'note'].map(cell).join(d).concat('\n');
      for (let i = 0; i < rows; i++) {
        const cells = [String(i), `O'Brien "${i}"`, `19${10 + (i % 90)}-01-31`, `a\\b, c\n${'x'.repeat(i % 40)}`];
        out += `${cells.map(cell).join(d)}\n`;
      }
      return out;
    };
    const rows = 15_000;
    await put(
      'rfc.csv',
      plain(rows, (value) => `"${value.replaceAll('"', '""')}"`),
    );
    await put(
      'single.csv',
      plain(rows, (value) => `'${value.replaceAll("'", "''")}'`),
    );
    await put(
      'escaped.csv',
      plain(rows, (value) => `"${value.replaceAll(/["\\]/g, '\\$&')}"`),
    );
    const due = await protect('rfc.csv', 'due.csv');
    expect(due.length).toBeGreaterThan(1_000_000);
    for (const [input, options] of [
      ['single.csv', { quote: "'" }],
      ['escaped.csv', { escape: '\\' }],
    ] as const) {
      for (const workers of [1, 2]) {
        expect(Buffer.compare(await protect(input, 'out.csv', { ...options, workers }), due)).toBe(0);
      }
    }
  });

  test('stray quotes in chunks of their own are rejected, and what is between them is not', async () => {
    const rows = table(30_000).split(/(?<=")\n/);
    rows[99] = '1,5" pipe,1990-01-31,x';
    rows[19_999] = '2,"x",1990-01-31,a"b"c';
    await put('in.csv', rows.join('\n'));
    const outputs: Buffer[] = [];
    for (const workers of [1, 2]) {
      outputs.push(await protect('in.csv', 'out.csv', { workers, rejects: at('r.ndjson') }));
      const rejects = await rejected('r.ndjson');
      expect(rejects.map(({ row, record }) => [row, record])).toEqual([
        [100, rows[99]],
        [20_000, rows[19_999]],
      ]);
    }
    expect(Buffer.compare(outputs[0]!, outputs[1]!)).toBe(0);
    await put('good.csv', rows.filter((_, i) => i !== 99 && i !== 19_999).join('\n'));
    expect(Buffer.compare(await protect('good.csv', 'good.out.csv'), outputs[0]!)).toBe(0);
  });

  test('the file of rejects says how its records are quoted', async () => {
    const header = "'id','name','born','note'\n";
    await put('in.csv', `${header}'1','O''Brien','never','x'\n`);
    for (const [options, form] of [
      [{ quote: "'" }, { quote: "'" }],
      [
        { quote: "'", escape: '\\' },
        { quote: "'", escape: '\\' },
      ],
    ] as const) {
      await protect('in.csv', 'out.csv', { ...options, rejects: at('r.ndjson') });
      const { firstTable } = await openRejects(at('r.ndjson'), keys, revealAccess);
      expect(firstTable).toEqual({
        format: 'csv',
        delimiter: ',',
        newline: '\n',
        ...form,
        header: ['id', 'name', 'born', 'note'],
      });
      // Another form than the one that was written does not verify.
      const lines = (await text('r.ndjson')).replace(`"quote":"'"`, '"quote":"|"');
      await put('other.ndjson', lines);
      expect((await errorOf(openRejects(at('other.ndjson'), keys, revealAccess))).code).toBe('reveal_failed');
    }
  });
});

describe('sep=', () => {
  const sep = 'sep=;\r\n';
  const bare = (rows: number): string =>
    Array.from({ length: rows }, (_, i) => `${i};n;1990-01-31;"a;${i}"\r\n`).join('');

  test('is written once, in workers and after an interruption, too', async () => {
    const rows = bare(60_000);
    await put('in.csv', `${sep}id;name;born;note\r\n${rows}`);
    await put('plain.csv', `id;name;born;note\r\n${rows}`);
    const due = Buffer.concat([Buffer.from(sep), await protect('plain.csv', 'due.csv', { delimiter: ';' })]);
    for (const workers of [1, 2]) expect(Buffer.compare(await protect('in.csv', 'out.csv', { workers }), due)).toBe(0);
    await put('in.bare.csv', `${sep}${rows}`);
    const header = ['id', 'name', 'born', 'note'];
    const headless = await protect('in.bare.csv', 'out.csv', { header });
    expect(headless.toString()).toBe(due.toString().replace('id;name;born;note\r\n', ''));
    const abort = new AbortController();
    const stop = protectFile(at('in.csv'), at('out.csv'), people, {
      resume: true,
      force: true,
      signal: abort.signal,
      onProgress: ({ rows: so }) => {
        if (so > 30_000) abort.abort(new Error('enough'));
      },
    });
    await expect(stop).rejects.toThrow('enough');
    await protectFile(at('in.csv'), at('out.csv'), people, { resume: true, force: true });
    expect(Buffer.compare(await readFile(at('out.csv')), due)).toBe(0);
  });

  test('several inputs must name the same delimiter', async () => {
    const head = 'id;name;born;note\r\n';
    await put('a.csv', `${sep}${head}${bare(2)}`);
    await put('b.csv', `${sep}${head}${bare(3)}`);
    await put('c.csv', `sep=,\r\n${head}`.replaceAll(';', ','));
    await protectFile([at('a.csv'), at('b.csv')], at('out.csv'), people);
    expect((await text('out.csv')).split('\r\n').filter((line) => /sep=|id;/.test(line))).toHaveLength(2);
    const error = await errorOf(protectFile([at('a.csv'), at('c.csv')], at('two.csv'), people));
    expect(error.issues.map(brief)).toEqual(['delimiter_mismatch line 1']);
    await protectFiles([at('a.csv'), at('c.csv')], at('safe'), people);
    expect(await readdir(at('safe'))).toEqual(['a.csv', 'c.csv']);
    // A first input with nothing but the line.
    await put('d.csv', 'sep=;');
    await put('e.csv', `${sep}${bare(1)}`);
    const header = ['id', 'name', 'born', 'note'];
    await protectFile([at('d.csv'), at('e.csv')], at('three.csv'), people, { header });
    expect(await text('three.csv')).toMatch(/^sep=;\n[^;]+;[^;]+;1990;"a;0"\r\n$/);
  });

  test('the delimiter is in the head of the rejects', async () => {
    await put('in.csv', `${sep}id;name;born;note\r\n1;x;never;\r\n`);
    await protect('in.csv', 'out.csv', { rejects: at('r.ndjson') });
    const { firstTable } = await openRejects(at('r.ndjson'), keys, revealAccess);
    expect(firstTable).toMatchObject({ delimiter: ';', newline: '\r\n' });
  });
});

describe('inputs without records', () => {
  const records = policy({
    id: token({ scope: 'person' }),
    name: optional(seal({ scope: 'name' })),
    note: optional(drop),
  });
  const bound = records.bind(keys, revealAccess);
  const header = ['id', 'name', 'note'];

  const WAYS = [
    ['ndjson', {}, '{"id":"1"}\n'],
    ['csv', { header }, '1,x,\n'],
    ['tsv', { header, format: 'tsv' }, '1\tx\t\n'],
  ] as const;

  test.each(WAYS)('%s: are no error, and give empty outputs', async (extension, options, row) => {
    const [empty, full] = [`empty.${extension}`, `full.${extension}`];
    for (const [name, content] of [
      [empty, ''],
      [`${empty}.gz`, gzipSync('')],
      [full, row],
    ] as const) {
      await put(name, content);
    }
    for (const more of [{}, { workers: 2 }, { rejects: at('r.ndjson') }, { limit: 1 }, { resume: true }]) {
      const all = { ...options, ...more, force: true };
      const out = at(`out.${extension}`);
      for (const input of [empty, `${empty}.gz`]) {
        expect(await protectFile(at(input), out, bound, all)).toMatchObject({ rowsIn: 0, rowsOut: 0, bytesOut: 0 });
        expect(await readFile(out, 'utf8')).toBe('');
      }
      await protectFile(at(empty), `${out}.gz`, bound, all);
      expect(gunzipSync(await readFile(`${out}.gz`)).length).toBe(0);
      // One among many, at each place.
      for (const inputs of [
        [empty, full, full],
        [full, empty, full],
        [full, full, empty],
      ]) {
        const paths = inputs.map(at);
        const limited = 'limit' in more;
        expect(await protectFile(paths, out, bound, all)).toMatchObject({ rowsIn: limited ? 1 : 2 });
        expect((await readFile(out, 'utf8')).trimEnd().split('\n')).toHaveLength(limited ? 1 : 2);
      }
    }
    await protectFiles([at(empty), at(full)], at('safe'), bound, options);
    expect((await readdir(at('safe'))).sort()).toEqual([empty, full]);
    expect(await readFile(`${at('safe')}/${empty}`, 'utf8')).toBe('');
    // A file of rejects is one, too.
    await protectFile(at(empty), at('a.out'), bound, { ...options, format: extension, rejects: at('r2.ndjson') });
    expect(await rejected('r2.ndjson')).toEqual([]);
  });

  test('a table whose columns nobody has named is an error that says what to do', async () => {
    for (const [name, format] of [
      ['in.csv', undefined],
      ['in.tsv', 'tsv'],
    ] as const) {
      for (const content of ['', '\ufeff']) {
        await put(name, content);
        const error = await errorOf(protectFile(at(name), at(`out.${name}`), bound, { format }));
        expect(error.issues.map(brief)).toEqual(['empty_input line 1']);
        expect(error.message).toMatch(/header line.*--header/);
      }
    }
    await put('in.csv', 'id,name,note\n');
    expect(await protectFile(at('in.csv'), at('head.csv'), bound)).toMatchObject({ rowsIn: 0 });
    expect(await text('head.csv')).toBe('id,name\n');
  });

  describe('a part of a table without a header line', () => {
    const bound = policy({ id: keep, name: keep, note: drop }).bind(keys);
    const options = { format: 'csv' } as const;
    const empties = ['', '\ufeff', 'sep=,\n'];
    const parts = ['id,name,note\n1,a,x\n', 'id,name,note\n2,b,y'];
    const both = (first: string, second: string): FileOptions[] => [
      options,
      { ...options, workers: 2, rejects: at(`${first}${second}`) },
    ];

    test('has no records, at each place among parts that have one', async () => {
      for (const empty of empties) {
        for (const places of [
          [empty, ...parts],
          [parts[0]!, empty, parts[1]!],
          [...parts, empty],
          [empty, empty, ...parts],
        ]) {
          const paths = places.map((_, i) => at(`${i}.csv`));
          for (const [i, content] of places.entries()) await put(`${i}.csv`, content);
          for (const more of both('re', 'jects')) {
            const result = await protectFile(paths, at('out.csv'), bound, { ...more, force: true });
            expect(result).toMatchObject({ rowsIn: 2, rowsOut: 2 });
            expect((await text('out.csv')).trimEnd()).toBe('id,name\n1,a\n2,b');
          }
          if (places.length > 3) continue;
          // Each into a file of its own.
          const result = await protectFiles(paths, at('safe'), bound, { ...options, force: true });
          expect(result).toMatchObject({ rowsIn: 2, rowsOut: 2 });
          expect(await text(`safe/${places.indexOf(empty)}.csv`)).toBe('id,name\n');
        }
      }
    });

    test('in TSV, and with what other programs write before the header', async () => {
      await put('a.tsv', '');
      await put('b.tsv', 'id\tname\tnote\r\n1\ta\tx\r\n');
      const paths = [at('a.tsv'), at('b.tsv')];
      await protectFile(paths, at('out.tsv'), bound, { format: 'tsv' });
      expect(await text('out.tsv')).toBe('id\tname\r\n1\ta\r\n');
      await put('c.csv', '\ufeffsep=;\r\nid;name;note\r\n1;a;x\r\n');
      await put('d.csv', '');
      await protectFiles([at('c.csv'), at('d.csv')], at('safe'), bound);
      expect(await text('safe/d.csv')).toBe('\ufeffsep=;\r\nid;name\r\n');
    });

    test('is an error if no part has one', async () => {
      for (const name of ['a.csv', 'b.csv']) await put(name, '');
      const paths = [at('a.csv'), at('b.csv')];
      for (const run of [() => protectFile(paths, at('o.csv'), bound), () => protectFiles(paths, at('safe'), bound)]) {
        const error = await errorOf(run());
        expect(error.issues.map(brief)).toEqual(['empty_input line 1']);
        expect(error.message).toMatch(/none of the inputs has a header line; .*--header/);
        expect(error.issues[0]?.file).toBe(at('a.csv'));
      }
      expect(await readdir(folder)).not.toContain('o.csv');
    });

    test('is an error if the other inputs are of different tables', async () => {
      await put('a.csv', '');
      await put('b.csv', 'id,name,note\n');
      await put('c.csv', 'id,note,name\n');
      const error = await errorOf(protectFiles([at('b.csv'), at('a.csv'), at('c.csv')], at('safe'), bound));
      expect(error.issues.map(brief)).toEqual(['empty_input line 1']);
      expect(error.message).toContain('the headers of the other inputs differ');
      expect(error.issues[0]?.file).toBe(at('a.csv'));
    });

    test('does not hide the line end of the parts from the file of rejects', async () => {
      const born = policy({ id: keep, born: coarsen({ date: 'year' }) }).bind(keys);
      await put('a.csv', '');
      await put('b.csv', 'sep=;\r\nid;born\r\n1;spring\r\n');
      await protectFile([at('a.csv'), at('b.csv')], at('out.csv'), born, { rejects: at('r.ndjson') });
      const { firstTable, records } = await openRejects(at('r.ndjson'), keys, revealAccess);
      expect(firstTable).toEqual({ format: 'csv', newline: '\r\n', delimiter: ';', header: ['id', 'born'] });
      for await (const { table, input, record } of records) {
        expect({ table, input, record }).toEqual({ table: firstTable, input: 1, record: '1;spring' });
      }
    });
  });
});
