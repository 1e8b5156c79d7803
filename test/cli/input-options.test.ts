/** How inputs are written, on the command line: encodings, quotes, `sep=`, and no records at all. */
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makePlace, type Place } from './harness.ts';

const POLICY = `trefoil: 1
domain: eu
fields:
  id: { rule: token, scope: person }
  name: keep
`;

const latin1 = (text: string): Buffer => Buffer.from(text, 'latin1');

describe('options about the input', () => {
  let place: Place;
  const files = ['--policy', 'p.yaml', '--keys', 'k.json'];
  const protect = (args: readonly string[], input?: string | Uint8Array) =>
    place.run(['protect', ...args, ...files], input);

  beforeAll(async () => {
    place = makePlace();
    place.write('p.yaml', POLICY);
    expect((await place.run(['keys', 'new', '--out', 'k.json'])).code).toBe(0);
  });
  afterAll(() => place.remove());

  it('--encoding decodes the input, and the summary and the last lines say what was read and written', async () => {
    place.write('in.csv', latin1('id,name\n1,Zo\xeb \x80\n'));
    for (const [encoding, summary, note] of [
      ['windows-1252', { input: 'windows-1252', output: 'utf-8' }, 'read as windows-1252; the output is UTF-8'],
      [
        'iso-8859-1',
        { input: 'windows-1252', named: 'iso-8859-1', output: 'utf-8' },
        'read as iso-8859-1, which means windows-1252 as on the web; the output is UTF-8',
      ],
    ] as const) {
      const { code, out, err } = await protect(['in.csv', '--encoding', encoding, '--summary', 's.json', '--force']);
      expect({ code, out }, err).toEqual({ code: 0, out: expect.stringMatching(/^id,name\n[^,]+,Zoë €\n$/) });
      expect(err).toContain(note);
      expect(JSON.parse(place.read('s.json')).encoding).toEqual(summary);
    }
    await protect([
      'in.csv',
      '--encoding',
      'windows-1252',
      '--summary',
      's.json',
      '--force',
      '--quiet',
      '--limit',
      '1',
    ]);
    const utf8 = await protect(['-', '--format', 'csv', '--summary', 's.json', '--force'], 'id,name\n1,ë\n');
    expect(utf8.err).not.toContain('UTF-8');
    expect(JSON.parse(place.read('s.json')).encoding).toEqual({ input: 'utf-8', output: 'utf-8' });
  });

  it('a file in another encoding than was said is told so', async () => {
    place.write('in.csv', latin1('id,name\n1,Zo\xeb\n'));
    const wrong = await protect(['in.csv']);
    expect(wrong).toMatchObject({ code: 1, out: 'id,name\n' });
    expect(wrong.err).toContain('set its encoding (--encoding windows-1252)');
    place.write('utf8.csv', 'id,name\n1,Zoë\n');
    const other = await protect(['utf8.csv', '--encoding', 'windows-1252', '--out', 'never.csv']);
    expect(other.code).toBe(1);
    expect(other.err).toMatch(/all characters beyond ASCII are UTF-8.*leave out the encoding/);
    const marked = await protect(['--format', 'ndjson', '--encoding', 'iso-8859-15'], '\ufeff{"id":"1","name":"x"}\n');
    expect(marked.err).toContain('byte order mark of UTF-8');
    expect(place.files()).not.toContain('never.csv');
    const unknown = await protect(['in.csv', '--encoding', 'latin1']);
    expect(unknown.code).toBe(2);
    expect(unknown.err).toContain('--encoding expected utf-8, windows-1252, iso-8859-1, iso-8859-15');
  });

  it('check and --dry-run read the input in the same way', async () => {
    place.write('in.csv', latin1("'id';'name'\n'1';'Zo\xeb;'\n"));
    const options = ['--encoding', 'windows-1252', '--quote', "'", '--delimiter', 'semicolon'];
    const checked = await place.run(['check', '--policy', 'p.yaml', '--input', 'in.csv', ...options]);
    expect(checked).toMatchObject({ code: 0, err: expect.stringContaining('1 row tried') });
    const dry = await protect(['in.csv', '--dry-run', ...options]);
    expect(dry).toMatchObject({ code: 0, out: expect.stringContaining('Zoë;') });
    place.write('bare.csv', gzipSync(Buffer.from('1,Zoë\n', 'utf16le')));
    const bare = ['--encoding', 'utf-16le', '--header', 'id,name', '--input-compression', 'gzip', '--max-record', '99'];
    const named = await place.run(['check', '--policy', 'p.yaml', '--input', 'bare.csv', ...bare]);
    expect(named, named.err).toMatchObject({ code: 0, err: expect.stringContaining('1 row tried') });
    const wide = await protect(['bare.csv', '--dry-run', ...bare]);
    expect(wide).toMatchObject({ code: 0, out: expect.stringContaining('Zoë') });
    place.write('bad.csv', latin1('id,name\n1,\x81\n'));
    for (const command of [
      ['check', '--policy', 'p.yaml', '--input', 'bad.csv'],
      ['protect', 'bad.csv', '--dry-run', ...files],
    ]) {
      const { code, err } = await place.run([...command, '--encoding', 'windows-1252']);
      expect({ code, err }).toEqual({ code: 1, err: expect.stringContaining('no character in windows-1252') });
    }
  });

  it('rejects open says that the records are UTF-8, how they are quoted, and what was no character', async () => {
    place.write('in.csv', latin1("id;'na;me'\n1;'\x81\xe9'\n2;x'\n"));
    place.write('other.yaml', POLICY.replace('name', "'na;me'"));
    const dialect = ['--encoding', 'iso-8859-1', '--quote', "'", '--escape', '\\', '--delimiter', ';'];
    const run = await place.run([
      ...['protect', 'in.csv', '--policy', 'other.yaml', '--keys', 'k.json', '--out', 'out.csv', ...dialect],
      ...['--on-error', 'reject', '--rejects', 'r.ndjson'],
    ]);
    expect(run.code).toBe(9);
    expect(place.read('out.csv')).toBe('id;"na;me"\n');
    const { code, out, err } = await place.run(['rejects', 'open', 'r.ndjson', '--keys', 'k.json']);
    expect({ code, out }).toEqual({ code: 0, out: "id;'na;me'\n1;'\ufffdé'\n2;x'\n" });
    expect(err).toContain('2 records opened, as UTF-8');
    expect(err).toContain(`hint: run the corrected records with --delimiter ';' --quote ''\\''' --escape '\\'`);
    expect(err).toContain('warning: 1 record has bytes that are no characters');
    place.write('mend.csv', out.replace('\ufffd', '').replace("x'", 'x'));
    const again = await place.bash(
      `$T protect mend.csv --policy other.yaml --keys k.json --delimiter ';' --quote ''\\''' --escape '\\' --quiet`,
    );
    expect(again, again.err).toMatchObject({ code: 0, out: expect.stringMatching(/^id;"na;me"\n[^;]+;é\n[^;]+;x\n$/) });
  });

  it('a part without bytes has no records, and the dry run shows those of another part', async () => {
    place.write('none.csv', '');
    place.write('in.csv', 'id,name\n1,x\n');
    const whole = (await protect(['in.csv'])).out;
    for (const inputs of [
      ['none.csv', 'in.csv'],
      ['in.csv', 'none.csv'],
    ]) {
      expect(await protect(inputs)).toMatchObject({ code: 0, out: whole });
      const dry = await protect([...inputs, '--dry-run']);
      expect(dry).toMatchObject({ code: 0, err: '', out: expect.stringMatching(/^row 1\n.*name +x +x +keep\n$/s) });
    }
    for (const more of [[], ['--dry-run'], ['--out-dir', 'safe']]) {
      const { code, out, err } = await protect(['none.csv', 'none.csv'].slice(more.length === 2 ? 1 : 0).concat(more));
      expect({ code, out }).toEqual({ code: 1, out: '' });
      expect(err).toContain('--header a,b,c');
    }
  });

  it.each([
    ['latin1', 'iso-8859-1'],
    ['Latin-1', 'iso-8859-1'],
    ['ISO8859-1', 'iso-8859-1'],
    ['cp1252', 'windows-1252'],
    ['win1252', 'windows-1252'],
    ['ANSI', 'windows-1252'],
    ['latin-9', 'iso-8859-15'],
    ['utf8', 'utf-8'],
    ['UTF-8', 'utf-8'],
    ['utf-8-sig', 'utf-8'],
    ['utf16', 'utf-16'],
    ['UTF-16LE', 'utf-16le'],
    ['windows-1525', 'windows-1252'],
  ])('another name of an encoding is refused, and its own name suggested: %s', async (name, encoding) => {
    const { code, out, err } = await protect(['in.csv', '--encoding', name]);
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(err).toMatch(/^trefoil: error: --encoding expected utf-8, windows-1252, /);
    expect(err).toContain(`\ntrefoil: hint: did you mean --encoding ${encoding}?\n`);
  });

  it('a name that no encoding has gets no suggestion', async () => {
    for (const name of ['shift_jis', 'koi8-r', 'x'.repeat(100)]) {
      const { code, err } = await protect(['in.csv', '--encoding', name]);
      expect({ code, hint: err.includes('did you mean') }).toEqual({ code: 2, hint: false });
    }
  });

  it('options that exclude each other, or another file format, are refused', async () => {
    place.write('in.csv', 'id,name\n1,x\n');
    for (const [args, message] of [
      [['--quote', 'none', '--escape', '\\'], '--escape cannot be combined with --quote none'],
      [['--quote', 'none', '--quoting', 'all'], '--quoting all cannot be combined with --quote none'],
      [['--quote', ','], '--quote cannot be the delimiter'],
      [['--escape', ';', '--delimiter', ';'], '--escape cannot be the delimiter'],
      [['--quote', 'nothing'], '--quote expected none, or one ASCII character'],
      [['--escape', ''], '--escape expected one ASCII character'],
      [['--quote', "'", '--format', 'ndjson'], '--quote is for csv, but the file format is ndjson'],
      [['--escape', '\\', '--format', 'tsv'], '--escape is for csv, but the file format is tsv'],
      [['--quote', "'", '--engine', 'duckdb', '--out', 'd.csv'], '--quote cannot be combined with the DuckDB engine'],
      [['--escape', '\\', '--engine', 'duckdb', '--out', 'd.csv'], '--escape cannot be combined with the DuckDB'],
      [
        ['--encoding', 'utf-16', '--engine', 'duckdb', '--out', 'd.csv'],
        '--encoding cannot be combined with the DuckDB',
      ],
    ] as const) {
      const { code, err } = await protect(['in.csv', ...args]);
      expect(code, err).toBe(2);
      expect(err).toContain(message);
    }
    for (const [flag, value] of [
      ['--quote', "'"],
      ['--encoding', 'utf-16'],
      ['--header', 'a'],
    ] as const) {
      const { code, err } = await place.run(['check', '--policy', 'p.yaml', '--input', 'x.parquet', flag, value]);
      expect({ code, err }).toEqual({ code: 2, err: expect.stringContaining(`${flag} cannot be combined with`) });
    }
    const harmless = ['--engine', 'duckdb', '--out', 'd.csv', '--quote', '"', '--encoding', 'utf-8'];
    expect((await protect(['in.csv', ...harmless])).code).toBe(0);
  });

  it('--engine duckdb refuses what the two readers do not read alike', async () => {
    for (const [text, code, said] of [
      ['id,name\n1,5" pipe\n2,x\n', 1, 'a quote inside an unquoted cell'],
      ['id,name\n1,a "b" c\n2,x\n', 1, 'a quote inside an unquoted cell'],
      ['id,name\n1,"a"b\n2,x\n', 1, 'text after the quote that closes a cell'],
      ['sep=;\nid;name\n1;x\n', 5, 'DuckDB does not read a first line that names the delimiter'],
    ] as const) {
      place.write('q.csv', text);
      const ended = await protect(['q.csv', '--engine', 'duckdb', '--out', 'q.out.csv']);
      expect(ended, ended.err).toMatchObject({ code, out: '' });
      expect(ended.err).toContain(said);
      expect(place.files()).not.toContain('q.out.csv');
    }
    place.write('q.csv', '\ufeff"id","name"\n"1","a,""b""\nc"\n2,""\n');
    const good = await protect(['q.csv', '--engine', 'duckdb', '--out', 'q.out.csv']);
    expect(good, good.err).toMatchObject({ code: 0 });
    expect(place.read('q.out.csv')).toMatch(/^id,name\n[^,]+,"a,""b""\nc"\n[^,]+,""\n$/);
  });

  it('sep= is read, and written again', async () => {
    place.write('in.csv', 'sep=;\r\nid;name\r\n1;"x;y"\r\n');
    const { code, out } = await protect(['in.csv', '--workers', '2']);
    expect({ code, out }).toEqual({ code: 0, out: expect.stringMatching(/^sep=;\r\nid;name\r\n[^;]+;"x;y"\r\n$/) });
    const other = await protect(['in.csv', '--delimiter', 'tab']);
    expect(other).toMatchObject({ code: 1, err: expect.stringContaining('names another delimiter') });
  });

  it('no records are no error where the columns are known', async () => {
    for (const args of [
      ['--format', 'ndjson'],
      ['--format', 'csv', '--header', 'id,name'],
      ['--format', 'tsv', '--header', 'id,name'],
    ]) {
      for (const more of [[], ['--dry-run'], ['--limit', '3'], ['--on-error', 'reject', '--rejects', 'none.ndjson']]) {
        const ended = await protect([...args, ...more, '--force'], '');
        expect(ended, ended.err).toMatchObject({ code: 0, out: '' });
      }
      place.write('empty', '');
      const checked = await place.run(['check', '--policy', 'p.yaml', '--input', 'empty', ...args]);
      expect(checked).toMatchObject({ code: 0, err: expect.stringContaining('0 rows tried') });
      const out = ['--out', 'empty.out', '--resume', '--force', '--workers', '2', '--summary', 's.json'];
      expect((await protect(['empty', ...args, ...out])).code).toBe(0);
      expect(place.read('empty.out')).toBe('');
      expect(JSON.parse(place.read('s.json'))).toMatchObject({ rowsIn: 0, rowsOut: 0, rowsRejected: 0 });
    }
    for (const format of ['csv', 'tsv']) {
      const { code, err } = await protect(['--format', format], '');
      expect({ code, err }).toEqual({ code: 1, err: expect.stringMatching(/name its columns \(--header a,b,c\)/) });
    }
    const applied = await place.run(['apply', '--ndjson', ...files], '');
    expect(applied).toMatchObject({ code: 0, out: '' });
  });

  it('no records in a table of DuckDB', async () => {
    place.write('h.csv', 'id,name\n');
    place.write('z.csv', '');
    const bare = ['--header', 'id,name'];
    for (const [input, args, output, due] of [
      ['h.csv', [], 'd.csv', 'id,name\n'],
      ['h.csv', [], 'd.parquet', null],
      ['d.parquet', [], 'e.parquet', null],
      ['e.parquet', [], 'f.csv', 'id,name\n'],
      ['z.csv', bare, 'g.csv', ''],
    ] as const) {
      const ended = await protect([input, ...args, '--engine', 'duckdb', '--out', output, '--force']);
      expect(ended, ended.err).toMatchObject({ code: 0, err: expect.stringContaining('0 rows in, 0 out') });
      if (due !== null) expect(place.read(output)).toBe(due);
    }
    const ended = await protect(['z.csv', '--engine', 'duckdb', '--out', 'never.csv']);
    expect(ended).toMatchObject({ code: 1, err: expect.stringContaining('--header') });
  });
});
