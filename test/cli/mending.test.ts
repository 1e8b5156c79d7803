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
