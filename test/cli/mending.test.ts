/** Rejected rows from end to end: protect, open, correct, protect again. Then every row is there, once. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { makePlace, type Place } from './harness.ts';

const POLICY = `trefoil: 1
domain: eu
fields:
  id: keep
  name: { rule: seal, scope: name }
  born: { rule: coarsen, date: year, read: DD.MM.YYYY }
  '': { rule: keep, optional: true }
`;

let place: Place;
const KEYS = ['--policy', 'p.yaml', '--keys', 'k.json'];

beforeAll(async () => {
  place = makePlace();
  place.write('p.yaml', POLICY);
  expect((await place.run(['keys', 'new', '--out', 'k.json'])).code).toBe(0);
});
afterAll(() => place.remove());

/** What is in the rejected rows, how the run reads it, and what the hint of `rejects open` says. */
interface Case {
  readonly name: string;
  readonly file: string;
  readonly options: readonly string[];
  readonly content: string | Uint8Array;
  /** The line before the records, in the output. */
  readonly header: string;
  readonly opened: string;
  readonly hint: string | null;
  /** What the caller has to fill in of the hint. */
  readonly names?: string;
  readonly back: string;
}

const CASES: readonly Case[] = [
  {
    name: 'CSV with semicolons and no quotes, in windows-1252',
    file: 'in.csv',
    options: ['--encoding', 'windows-1252', '--delimiter', 'semicolon', '--quote', 'none'],
    content: Buffer.from('id;name;born\r\n1;Zo\xeb;31.03.1984\r\n2;"Gro\xdf";spring\r\n3;x\r\n', 'latin1'),
    header: 'id;name;born\r\n',
    opened: 'id;name;born\r\n2;"Groß";spring\r\n3;x\r\n',
    hint: "--delimiter ';' --quote none",
    back: '1;Zoë;1984\r\n2;"Groß";1985\r\n3;x;1985\r\n',
  },
  {
    name: 'CSV with a column without a name, and a first line that names the delimiter',
    file: 'in.csv',
    options: [],
    content: 'sep=;\n;id;name;born\n0;1;Zoë;31.03.1984\n"";2;Groß;spring\n;3;"x;y";spring\n',
    header: 'sep=;\n;id;name;born\n',
    opened: ';id;name;born\n"";2;Groß;spring\n;3;"x;y";spring\n',
    hint: "--delimiter ';'",
    back: '0;1;Zoë;1984\n"";2;Groß;1985\n;3;"x;y";1985\n',
  },
  {
    name: 'CSV without a header line',
    file: 'in.csv',
    options: ['--header', 'id,name,born', '--delimiter', 'pipe'],
    content: '1|Zoë|31.03.1984\n2|Groß|spring\n3|x|spring\n',
    header: '',
    opened: '2|Groß|spring\n3|x|spring\n',
    hint: "--delimiter '|' --header NAMES, with the names of that run: its input had no header line",
    names: 'id,name,born',
    back: '1|Zoë|1984\n2|Groß|1985\n3|x|1985\n',
  },
  {
    name: 'TSV in UTF-16',
    file: 'in.tsv',
    options: ['--format', 'tsv', '--encoding', 'utf-16le'],
    content: Buffer.from('id\tname\tborn\n1\tZoë\t31.03.1984\n2\tGr\\toß\tspring\n3\tx\n', 'utf16le'),
    header: 'id\tname\tborn\n',
    opened: 'id\tname\tborn\n2\tGr\\toß\tspring\n3\tx\n',
    hint: '--format tsv',
    back: '1\tZoë\t1984\n2\tGr\\toß\t1985\n3\tx\t1985\n',
  },
  {
    name: 'TSV without a header line',
    file: 'in.tsv',
    options: ['--format', 'tsv', '--header', 'id,name,born'],
    content: '1\tZoë\t31.03.1984\n2\tGroß\tspring\n3\tx\n',
    header: '',
    opened: '2\tGroß\tspring\n3\tx\n',
    hint: '--format tsv --header NAMES, with the names of that run: its input had no header line',
    names: 'id,name,born',
    back: '1\tZoë\t1984\n2\tGroß\t1985\n3\tx\t1985\n',
  },
  {
    name: 'NDJSON in iso-8859-1',
    file: 'in.ndjson',
    options: ['--encoding', 'iso-8859-1'],
    content: Buffer.from(
      '{"id":1,"name":"Zo\xeb","born":"31.03.1984"}\n{"id":2,"name":"Gro\xdf","born":"spring"}\n{"id":3,"name":"x"\n',
      'latin1',
    ),
    header: '',
    opened: '{"id":2,"name":"Groß","born":"spring"}\n{"id":3,"name":"x"\n',
    hint: null,
    back: '{"id":1,"name":"Zoë","born":"1984"}\n{"id":2,"name":"Groß","born":"1985"}\n{"id":3,"name":"x","born":"1985"}\n',
  },
];

/** Corrects the rejected rows: spring has a date, and the row that is cut has its end. */
function mended(text: string): string {
  return text
    .replaceAll('spring', '01.04.1985')
    .replace(/^(3[;\t]x)$/m, (row) => `${row}${row.charAt(1)}01.04.1985`)
    .replace(/"x"$/m, '"x","born":"01.04.1985"}');
}

describe('mending rejected rows', () => {
  test.each(CASES)('$name', async ({ file, options, content, header, opened, hint, names, back }) => {
    const out = `safe-${file}`;
    place.write(file, content);
    const run = await place.run([
      ...['protect', file, ...KEYS, ...options, '--out', out, '--force'],
      ...['--on-error', 'reject', '--rejects', 'r.ndjson'],
    ]);
    expect(run.code, run.err).toBe(9);
    expect(run.err).toContain('2 rows rejected');

    const open = await place.run([
      'rejects',
      'open',
      'r.ndjson',
      '--keys',
      'k.json',
      '--out',
      `mend-${file}`,
      '--force',
    ]);
    expect(open.code, open.err).toBe(0);
    expect(open.err).toContain('2 records opened, as UTF-8');
    expect(place.read(`mend-${file}`)).toBe(opened);
    const told = /hint: run the corrected records with (.*)/.exec(open.err)?.[1] ?? null;
    expect(told).toBe(hint);

    // The options of the hint are all that it takes.
    place.write(`mend-${file}`, mended(opened));
    const told2 = (told ?? '').replace(/NAMES,.*/, names ?? '');
    const again = await place.bash(
      `$T protect mend-${file} ${KEYS.join(' ')} ${told2} --out safe-mend-${file} --force`,
    );
    expect(again.code, again.err).toBe(0);

    // Row for row in the form of the other output, so that the two can be put together.
    const all = place.read(out) + place.read(`safe-mend-${file}`).replace(header.replace('sep=;\n', ''), '');
    place.write(`all-${file}`, all);
    const dialect = told2 === '' ? [] : told2.replaceAll("'", '').split(' ');
    const reveal = await place.run(['reveal', `all-${file}`, ...KEYS, ...dialect, '--quiet']);
    expect(reveal, reveal.err).toMatchObject({ code: 0, out: header + back });
  });
});

/** A policy in which a name that is read as a city would be written in clear. */
const CITIES = `trefoil: 1
domain: eu
fields:
  id: keep
  name: { rule: seal, scope: name }
  born: { rule: coarsen, date: year }
  city: keep
`;

describe('rejected rows of inputs with other columns', () => {
  const ONE = 'id,name,born,city\n1,Ada,never,Rome\n';
  const TWO = 'id,city,born,name\n2,Bonn,later,Zoe Secret\n3,Kiel,1980-01-01,Max\n';
  const THREE = 'sep=;\nid;city;born;name\n4;Oslo;never;"Bob; Jr"\n';
  const CASES: readonly (readonly [name: string, files: Readonly<Record<string, string | Buffer>>, options: string])[] =
    [
      ['CSV', { '1.csv': ONE, '2.csv': TWO, '3.csv': THREE }, ''],
      ['CSV in workers', { '1.csv': ONE, '2.csv': TWO, '3.csv': THREE }, '--workers 2'],
      [
        'CSV in UTF-16',
        Object.fromEntries([ONE, TWO, THREE].map((text, i) => [`${i + 1}.csv`, Buffer.from(text, 'utf16le')])),
        '--encoding utf-16le',
      ],
      ['TSV', { '1.tsv': ONE.replaceAll(',', '\t'), '2.tsv': TWO.replaceAll(',', '\t') }, '--format tsv'],
    ];

  test.each(CASES)('%s: --out refuses, and --out-dir writes a file for each input', async (_, files, options) => {
    place.write('cities.yaml', CITIES);
    const names = Object.keys(files);
    for (const name of names) place.write(name, files[name]!);
    const keys = '--policy cities.yaml --keys k.json';
    const run = await place.bash(
      `rm -rf safe mend m.csv; $T protect ${names.join(' ')} ${keys} --out-dir safe ${options} --on-error reject --rejects r --force`,
    );
    expect(run.code, run.err).toBe(9);

    const refused = await place.bash('$T rejects open r --keys k.json --out m.csv');
    expect(refused.code, refused.err).toBe(1);
    expect(refused.err).toContain(`${names[1]}: the input of this rejected record has other columns`);
    expect(refused.err).toContain('with --out-dir DIR the records of each input get a file of their own');
    expect(place.files()).not.toContain('m.csv');
    // What standard output has before the refusal is the rows of the first input.
    const piped = await place.bash('$T rejects open r --keys k.json');
    expect([piped.code, piped.out.split('\n').length]).toEqual([1, 3]);

    const opened = await place.bash('$T rejects open r --keys k.json --out-dir mend');
    expect(opened.code, opened.err).toBe(0);
    const text = (name: string): string => place.read(`mend/${name}`);
    const plain = (name: string): string =>
      typeof files[name] === 'string' ? files[name] : files[name]!.toString('utf16le');
    expect(text(names[0]!)).toBe(plain(names[0]!));
    expect(text(names[1]!)).toBe(plain(names[1]!).replace(/^3.*\n/m, ''));
    if (names.length > 2) {
      expect(text(names[2]!)).toBe(plain(names[2]!).replace('sep=;\n', ''));
      expect(opened.err).toContain("hint: run the corrected records of 3.csv with --delimiter ';'");
    }

    // Mended, the rows of the second file have their name sealed.
    place.write('mended', text(names[1]!).replace('later', '1981-01-01'));
    const format = options.includes('tsv') ? 'tsv' : 'csv';
    const again = await place.bash(`$T protect mended --format ${format} ${keys}`);
    expect(again.code, again.err).toBe(0);
    expect(again.out).toMatch(/^2[,\t]Bonn[,\t]1981[,\t]/m);
    expect(again.out).not.toContain('Secret');
  });

  test('inputs with the same columns are opened into one file', async () => {
    place.write('cities.yaml', CITIES);
    place.write('1.csv', ONE);
    place.write('2.csv', ONE.replaceAll('\n', '\r\n').replace('1,Ada', '2,Zoe'));
    const run = await place.bash(
      '$T protect 1.csv 2.csv --policy cities.yaml --keys k.json --out-dir safe --force --on-error reject --rejects r',
    );
    expect(run.code, run.err).toBe(9);
    const opened = await place.bash('$T rejects open r --keys k.json');
    expect(opened.out).toBe(`${ONE}2,Zoe,never,Rome\r\n`);
  });

  test('the names of the inputs are not sealed, and lead to no other folder', async () => {
    place.write('cities.yaml', CITIES);
    place.write('1.csv', ONE);
    place.write('2.csv', TWO);
    await place.bash(
      '$T protect 1.csv 2.csv --policy cities.yaml --keys k.json --out-dir safe --force --on-error reject --rejects r',
    );
    const rejects = place.read('r');
    const attempt = async (name: string): Promise<string> => {
      place.write('r2', rejects.replace('"file":"2.csv"', `"file":${JSON.stringify(name)}`));
      const { code, err } = await place.bash(
        'rm -rf mend; $T rejects open r2 --keys k.json --out-dir mend; c=$?; ls mend >&2; exit $c',
      );
      return `${code} ${err}`;
    };
    expect(await attempt('../../over.csv.gz')).toMatch(/^0 .*1\.csv\nover\.csv\n$/s);
    for (const name of ['..', '.', '', '/', 'a/..'])
      expect(await attempt(name)).toMatch(/^1 .*not the name of a file\n$/);
    expect(await attempt('x/1.csv')).toMatch(/^5 .*1\.csv: two inputs would get this name/);
    // The input is in the folder, and is not replaced.
    const over = await place.bash('$T rejects open r --keys k.json --out-dir . --force');
    expect([over.code, place.read('2.csv')]).toEqual([5, TWO]);
    for (const flags of ['--out m', '--json']) {
      expect((await place.bash(`$T rejects open r --keys k.json --out-dir mend ${flags}`)).code).toBe(2);
    }
    // A run over one input does not name it.
    await place.bash(
      '$T protect 1.csv --policy cities.yaml --keys k.json --out o --force --on-error reject --rejects r1',
    );
    const one = await place.bash('$T rejects open r1 --keys k.json --out-dir mend');
    expect([one.code, one.err]).toEqual([1, expect.stringContaining('use --out FILE')]);
  });
});
