import { createHash } from 'node:crypto';
import { chmodSync, existsSync, statSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { secretAccess } from '../../src/reveal.ts';
import { testKeyset } from '../../src/testing.ts';
import { CSV, expectVoice, makePlace, type Place, POLICY } from './harness.ts';

let place: Place;

beforeAll(async () => {
  place = makePlace();
  place.write('p.yaml', POLICY);
  place.write('in.csv', CSV);
  expect((await place.run(['keys', 'new', '--out', 'keys.json'])).code).toBe(0);
});

afterAll(() => place.remove());

/** The end of every help page. */
const EXIT_CODES = `

Exit codes:
    0  success
    1  a value or a record is wrong
    2  the command line is wrong
    3  the policy is wrong
    4  the keys are wrong, or not those of the policy
    5  a file, a stream or a store cannot be read or written
    6  refused: by a warrant, a charter, a budget or a rate
    7  a row, an export, a certificate, a share, a token, a note or a log does not verify
    9  success, but something was left out or not found
   70  an error in trefoil itself
  129  hung up (SIGHUP)
  130  interrupted (SIGINT, Ctrl-C)
  143  terminated (SIGTERM)
`;

describe('help and version', () => {
  it('writes help with examples and exit codes to standard output', async () => {
    for (const args of [
      ['--help'],
      ['protect', '--help'],
      ['help', 'reveal'],
      ['keys', 'new', '--help'],
      ['check', '-h'],
    ]) {
      const { code, out, err } = await place.run(args);
      expect(code, args.join(' ')).toBe(0);
      expect(out).toContain('Usage: trefoil');
      expect(out).toMatch(/Examples?:\n/);
      expect(out.slice(out.indexOf('\n\nExit codes:\n'))).toBe(EXIT_CODES);
      for (const line of out.split('\n')) expect(line.length).toBeLessThanOrEqual(130);
      expect(err).toBe('');
    }
  });

  it('writes the version', async () => {
    expect(await place.run(['--version'])).toEqual({ code: 0, out: '0.1.0\n', err: '' });
  });

  it('takes a call without a command, or without its subcommand, as a wrong one', async () => {
    for (const args of [[], ['keys']]) {
      const { code, out, err } = await place.run(args);
      expect(code).toBe(2);
      expect(out).toBe('');
      expect(err).toContain('Usage: trefoil');
    }
  });
});

describe('usage mistakes', () => {
  const P = ['--policy', 'p.yaml', '--keys', 'keys.json'];
  it.each([
    [['protect', 'in.csv', '--polcy', 'p.yaml'], 'unknown option --polcy', 'did you mean --policy?'],
    [['protec'], 'unknown command protec', 'did you mean protect?'],
    [['keys', 'new'], '--out FILE is required', undefined],
    [['keys', 'nw'], 'unknown command nw', undefined],
    [['keys', 'inspct'], 'unknown command inspct', 'did you mean inspect?'],
    [['protect', 'a.csv', '-', ...P], 'standard input cannot be combined with files', undefined],
    [['protect', 'a.csv', ...P, '--out', 'x', '--out-dir', 'y'], '--out and --out-dir cannot be combined', undefined],
    [['protect', 'a.csv', ...P, '--resume'], '--resume needs files as inputs, and --out or --out-dir', undefined],
    [['protect', 'a.tsv', ...P], 'the extension .tsv stands for two file formats', '--format tsv'],
    [['protect', 'a.csv', 'b.ndjson', ...P], 'the inputs are of more than one file format', undefined],
    [['rejects', 'open', 'a', 'b'], "too many arguments for 'open': expected 1 argument but got 2", undefined],
    [['vault', 'stats', '7', ...P], "too many arguments for 'stats'", undefined],
    [['vault', 'shred', '7', ...P], 'subjects cannot be arguments', undefined],
    [['vault', 'forget', 'phone_x', ...P], 'tokens cannot be arguments', undefined],
    [['protect', 'in.csv'], '--policy FILE is required', undefined],
    [['protect', 'in.csv', '--policy'], "option '--policy <FILE>' argument missing", undefined],
    [['protect', 'in.csv', ...P, '--force=false'], 'unknown option, or one that takes no value --force', undefined],
    [['protect', 'in.csv', ...P, '--policy', 'other.yaml'], '--policy is set twice', undefined],
    [['protect', 'in.csv', ...P, '--format', 'xml'], '--format expected csv, tsv or ndjson', undefined],
    [['protect', 'in.txt', ...P], 'the name of the input does not tell its file format', 'use --format csv'],
    [
      ['protect', 'in.ndjson', ...P, '--out', 'x.parquet'],
      'the DuckDB engine reads CSV and Parquet, not NDJSON',
      'leave out --engine and write --out FILE.ndjson',
    ],
    [
      ['protect', 'in.jsonl', ...P, '--out', 'x.jsonl', '--engine', 'duckdb'],
      'the DuckDB engine reads CSV and Parquet, not NDJSON',
      'leave out --engine',
    ],
    [
      ['protect', 'in.txt', ...P, '--format', 'ndjson', '--out', 'x.parquet'],
      'the DuckDB engine reads CSV and Parquet, not NDJSON',
      'leave out --engine',
    ],
    [
      ['protect', 'in.txt', ...P, '--format', 'tsv', '--out', 'x.parquet'],
      'the DuckDB engine reads CSV and Parquet, not TSV with backslashes',
      'leave out --engine',
    ],
    [
      ['protect', 'in.csv.gz', ...P, '--out', 'x.parquet'],
      'the DuckDB engine takes no compressed files',
      'decompress the input',
    ],
    [
      ['protect', 'in.txt', ...P, '--out', 'x.parquet'],
      'the name of the input does not tell its file format',
      'use --format csv if it is CSV',
    ],
    ...[['in.parquet'], ['in.csv', '--engine', 'duckdb']].map((input): [string[], string, string] => [
      ['protect', ...input, ...P, '--out', 'x.ndjson'],
      'the DuckDB engine writes Parquet and CSV, and the extension of --out is of another file format',
      'use --out FILE.parquet or --out FILE.csv',
    ]),
    [['protect', ...P], 'standard input needs --format', 'use --format csv'],
    [['protect', '-', ...P], 'standard input needs --format', 'use --format csv'],
    [['protect', 'in.csv', ...P, '--delimiter', ';;'], '--delimiter expected one character', 'write tab for a tab'],
    [['protect', 'in.csv', ...P, '--delimiter', '"'], '--delimiter expected one character', 'write tab for a tab'],
    [
      ['protect', 'in.ndjson', ...P, '--delimiter', ';'],
      '--delimiter is for csv, but the file format is ndjson',
      undefined,
    ],
    [
      ['protect', 'in.ndjson', ...P, '--quoting', 'all'],
      '--quoting is for csv, but the file format is ndjson',
      undefined,
    ],
    [['protect', 'in.csv', ...P, '--limit', '0'], '--limit expected a whole number from 1', undefined],
    [['protect', 'in.csv', ...P, '--limit', '1e3'], '--limit expected a whole number from 1', undefined],
    [['protect', 'in.csv', ...P, '--max-record', '-1'], '--max-record expected a whole number from 1', undefined],
    [['protect', 'in.csv', ...P, '--on-error', 'reject'], '--on-error reject needs --rejects FILE', undefined],
    [['protect', 'in.csv', ...P, '--rejects', 'r.ndjson'], '--rejects needs --on-error reject', undefined],
    [['protect', 'in.csv', ...P, '--out', ''], '--out expected the name of a file, got nothing', undefined],
    [['protect', 'in.csv', '--policy', 'p.yaml'], 'the keys are missing', 'TREFOIL_KEYS_FILE'],
    [['keys', 'inspect', '--keys', 'keys.json', '--domain', 'EU'], '--domain expected 1 to 64 characters', undefined],
  ])('%j', async (args, message, hint) => {
    const before = place.files();
    const ended = await place.run(args);
    expect(ended.code).toBe(2);
    expect(ended.out).toBe('');
    expect(ended.err).toContain(`trefoil: error: ${message}`);
    if (hint !== undefined) expect(ended.err).toMatch(/^trefoil: hint: /m);
    if (hint !== undefined) expect(ended.err).toContain(hint);
    expectVoice(ended);
    expect(place.files()).toEqual(before);
  });

  it('does not repeat what was typed into the wrong place', async () => {
    for (const args of [
      ['--kyes=Ada-Lovelace-7', 'x'],
      ['Ada Lovelace'],
      ['protect', 'in.csv', '--format', 'Lovelace'],
    ]) {
      expectVoice(await place.run(args));
    }
  });
});

describe('keys', () => {
  it('makes a key file for its owner alone, and says so on standard error only', async () => {
    const ended = await place.run(['keys', 'new', '--out', 'fresh.json']);
    expect(ended.code).toBe(0);
    expect(ended.out).toBe('');
    expect(ended.err).toMatch(/^trefoil: wrote fresh.json with root key [0-9a-z]+\ntrefoil: keep the file secret/);
    expect(statSync(place.path('fresh.json')).mode & 0o777).toBe(0o600);
    expect(JSON.parse(place.read('fresh.json'))).toMatchObject({ version: 'keyset-v1' });
    const [, secret] = /"secret": "([^"]+)"/.exec(place.read('fresh.json'))!;
    expect(ended.err).not.toContain(secret!);
  });

  it('never overwrites', async () => {
    const before = place.read('keys.json');
    const ended = await place.run(['keys', 'new', '--out', 'keys.json']);
    expect(ended.code).toBe(5);
    expect(ended.err).toBe(
      'trefoil: error: keys.json: the file exists, and key files are never overwritten; choose another name\n',
    );
    expectVoice(ended);
    expect(place.read('keys.json')).toBe(before);
    expect((await place.run(['keys', 'new', '--out', 'keys.json', '--force'])).code).toBe(2);
  });

  it('shows ids and key checks and never a key', async () => {
    const { primary } = JSON.parse((await place.run(['keys', 'inspect', '--keys', 'keys.json', '--json'])).out);
    const ended = await place.run(['keys', 'inspect', '--keys', 'keys.json', '--domain', 'eu-enclave']);
    expect(ended).toMatchObject({ code: 0, err: '' });
    expect(ended.out).toMatch(
      /^root key \w+ \(primary\): makes new values\ndomain eu-enclave: protects with key (\w{5})\nkeyCheck: { "\1": "\w{16}" }\n$/,
    );
    expect(ended.out).toContain(primary);
    const json = JSON.parse(
      (await place.run(['keys', 'inspect', '--keys', 'keys.json', '--domain', 'eu-enclave', '--json'])).out,
    );
    expect(json).toEqual({
      ids: [primary],
      primary,
      testIds: [],
      keys: [{ id: primary, state: 'primary', shown: json.keyId }],
      domain: 'eu-enclave',
      keyId: expect.stringMatching(/^\w{5}$/),
      keyCheck: { [json.keyId]: expect.stringMatching(/^\w{16}$/) },
    });
    const [, secret] = /"secret": "trefoil-root-1_([^"]+)"/.exec(place.read('keys.json'))!;
    expect(ended.out + JSON.stringify(json)).not.toContain(secret!.slice(0, 8));
  });

  it('warns when others can read the key file', async () => {
    place.write('open.json', place.read('keys.json'));
    chmodSync(place.path('open.json'), 0o644);
    const { code, err } = await place.run(['keys', 'inspect', '--keys', 'open.json']);
    expect(code).toBe(0);
    expect(err).toBe('trefoil: warning: open.json: other users can read the key file; run chmod 600 on it\n');
  });

  it('come from --keys, TREFOIL_KEYS_FILE, TREFOIL_KEYS, in this order', async () => {
    const ids = async (args: string[], env: Record<string, string>): Promise<string> => {
      const { out } = await place.run(['keys', 'inspect', '--json', ...args], '', env);
      return (JSON.parse(out) as { primary: string }).primary;
    };
    const json: string[] = [];
    for (const name of ['a.json', 'b.json', 'c.json']) {
      await place.run(['keys', 'new', '--out', name]);
      json.push(place.read(name));
    }
    const primary = json.map((text) => (JSON.parse(text) as { keys: { id: string }[] }).keys[0]!.id);
    expect(await ids(['--keys', 'a.json'], { TREFOIL_KEYS_FILE: 'b.json', TREFOIL_KEYS: json[2]! })).toBe(primary[0]);
    expect(await ids([], { TREFOIL_KEYS_FILE: 'b.json', TREFOIL_KEYS: json[2]! })).toBe(primary[1]);
    expect(await ids([], { TREFOIL_KEYS_FILE: '', TREFOIL_KEYS: json[2]! })).toBe(primary[2]);
  });

  it('may come through a pipe', async () => {
    const { code, out } = await place.bash('$T keys inspect --keys <(cat keys.json) --json');
    expect(code).toBe(0);
    expect(JSON.parse(out).ids).toHaveLength(1);
  });
});

describe('public test keys', () => {
  const POLICY_OF = (domain: string) =>
    `trefoil: 1\ndomain: ${domain}\nfields: { id: { rule: token, scope: person } }\n`;

  it('are marked by keys inspect, and protect in test domains alone', async () => {
    place.write('test-keys.json', testKeyset('orders').export(secretAccess));
    place.write('ids.csv', 'id\n10017\n');
    const shown = await place.run(['keys', 'inspect', '--keys', 'test-keys.json', '--domain', 'test']);
    expect(shown.out).toBe(
      'root key orders (primary): makes new values; public test keys, only for the domains test and test-…\n' +
        'domain test: protects with key xyyq4\nkeyCheck: { "xyyq4": "9ssnxzjanjktps4k" }\n',
    );
    const json = await place.run(['keys', 'inspect', '--keys', 'test-keys.json', '--json']);
    expect(JSON.parse(json.out)).toMatchObject({ ids: ['orders'], primary: 'orders', testIds: ['orders'] });
    const real = await place.run(['keys', 'inspect', '--keys', 'keys.json', '--json']);
    expect(JSON.parse(real.out).testIds).toEqual([]);

    place.write('test.yaml', POLICY_OF('test'));
    place.write('eu.yaml', POLICY_OF('eu'));
    const protect = ['protect', 'ids.csv', '--keys', 'test-keys.json', '--policy'];
    expect((await place.run([...protect, 'test.yaml'])).out).toBe('id\nxyyq4w6e5bmq70dpr28x3bqke09v678jeqv\n');
    for (const args of [
      [...protect, 'eu.yaml', '--out', 'eu.csv'],
      ['keys', 'inspect', '--keys', 'test-keys.json', '--domain', 'eu'],
      ['check', '--policy', 'eu.yaml', '--keys', 'test-keys.json'],
    ]) {
      const refused = await place.run(args);
      expect(refused.code).toBe(4);
      expect(refused.err).toContain('public test keys open only the domains test and test-…');
    }
    expect(existsSync(place.path('eu.csv'))).toBe(false);
  });
});

describe('explain', () => {
  it('writes Markdown to standard output or to a file', async () => {
    const { code, out, err } = await place.run(['explain', '--policy', 'p.yaml']);
    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(out).toMatch(/^# /);
    expect(out.endsWith('\n')).toBe(true);
    expect((await place.run(['explain', '--policy', 'p.yaml', '--out', 'p.md'])).code).toBe(0);
    expect(place.read('p.md')).toBe(out);
    expect((await place.run(['explain', '--policy', 'p.yaml', '--out', 'p.md'])).code).toBe(5);
    expect((await place.run(['explain', '--policy', 'p.yaml', '--out', 'p.md', '--force'])).code).toBe(0);
    expect((await place.run(['explain', '--policy', 'p.yaml', '--out', 'p.yaml', '--force'])).code).toBe(5);
    expect(place.read('p.yaml')).toBe(POLICY);
  });
});

describe('protect and reveal', () => {
  it('goes through a file and back, with a summary', async () => {
    const pinned = await pin();
    const args = ['--policy', pinned, '--keys', 'keys.json'];
    const there = await place.run(['protect', 'in.csv', ...args, '--out', 'safe.csv', '--summary', 'safe.json']);
    expect(there).toMatchObject({ code: 0, out: '' });
    expect(there.err).toMatch(/^trefoil: 3 rows in, 3 out, 0 rejected in \d+\.\d s\n$/);
    const [header, row] = place.read('safe.csv').split('\n');
    expect(header).toBe('id,name,plate,born,city');
    expect(row).toMatch(/^cust_\w{35},\w+,[A-Z]{2}\d{5},1984,Freiburg$/);
    expect(row).not.toContain('KA12345');

    const summary = JSON.parse(place.read('safe.json'));
    expect(summary).toEqual({
      command: 'protect',
      rowsIn: 3,
      rowsOut: 3,
      rowsRejected: 0,
      valuesErased: 0,
      encoding: { input: 'utf-8', output: 'utf-8' },
      issues: [],
      fields: { id: 'token', name: 'seal', plate: 'fpe', born: 'coarsen', city: 'keep', notes: 'drop' },
      policySha256: expect.stringMatching(/^[0-9a-f]{64}$/),
      domain: 'eu-enclave',
      keyCheck: expect.any(Object),
      version: '0.1.0',
    });
    // Comments and spacing do not change it.
    place.write('spaced.yaml', `# a comment\n${place.read(pinned)}\n`);
    await place.run([
      'protect',
      'in.csv',
      '--policy',
      'spaced.yaml',
      '--keys',
      'keys.json',
      '--summary',
      'spaced.json',
    ]);
    expect(JSON.parse(place.read('spaced.json'))).toEqual(summary);
    expect(createHash('sha256').update(place.read(pinned)).digest('hex')).not.toBe(summary.policySha256);

    const back = await place.run(['reveal', 'safe.csv', ...args, '--quiet']);
    expect(back).toMatchObject({ code: 0, err: '' });
    const rows = back.out
      .trimEnd()
      .split('\n')
      .map((line) => line.split(','));
    expect(rows[0]).toEqual(['id', 'name', 'plate', 'born', 'city']);
    expect(rows.slice(1).map((cells) => cells.slice(1, 3))).toEqual([
      ['Zoë Müller', 'KA12345'],
      ['Ada Lovelace', 'AL18151'],
      ['山田太郎', 'YT00001'],
    ]);
  });

  /** A policy with the key check of keys.json. */
  async function pin(): Promise<string> {
    const { out } = await place.run(['keys', 'inspect', '--keys', 'keys.json', '--domain', 'eu-enclave']);
    const line = out.split('\n').find((text) => text.startsWith('keyCheck:'))!;
    place.write('pinned.yaml', POLICY.replace('fields:', `${line}\nfields:`));
    return 'pinned.yaml';
  }

  it('works as a filter, and gives the same bytes as for a file', async () => {
    const args = ['--policy', 'p.yaml', '--keys', 'keys.json'];
    const file = await place.run(['protect', 'in.csv', ...args]);
    const pipe = await place.run(['protect', '--format', 'csv', ...args], CSV);
    const dash = await place.run(['protect', '-', '--format', 'csv', ...args], CSV);
    expect(pipe).toMatchObject({ code: 0, out: file.out });
    expect(dash.out).toBe(file.out);
    const tabs = await place.run(
      ['protect', '--format', 'csv', '--delimiter', 'tab', ...args],
      CSV.replaceAll(',', '\t'),
    );
    expect(tabs.out.replaceAll('\t', ',')).toBe(file.out);
    const backslash = await place.run(
      ['protect', '--format', 'csv', '--delimiter', '\\t', ...args],
      CSV.replaceAll(',', '\t'),
    );
    expect(backslash.out).toBe(tabs.out);
    const quoted = await place.run(['protect', 'in.csv', ...args, '--quoting', 'all']);
    expect(quoted.out.split('\n')[0]).toBe('"id","name","plate","born","city"');
  });

  it('reads NDJSON under both names', async () => {
    const line = '{"id":1,"name":"Zoë","plate":"KA12345","born":"1984-03-12","city":null,"notes":""}\n';
    place.write('in.jsonl', line);
    place.write('in.ndjson', line);
    const args = ['--policy', 'p.yaml', '--keys', 'keys.json', '--quiet'];
    const a = await place.run(['protect', 'in.jsonl', ...args]);
    const b = await place.run(['protect', 'in.ndjson', ...args]);
    expect(a).toMatchObject({ code: 0, err: '' });
    expect(a.out).toBe(b.out);
    expect(JSON.parse(a.out)).toMatchObject({ born: '1984', city: null });
  });

  it('needs no keys for a policy without keyed rules', async () => {
    place.write('plain.yaml', 'trefoil: 1\ndomain: open\nfields: { a: keep, b: { rule: mask, last: 1 } }\n');
    const { code, out } = await place.run(['protect', '--format', 'csv', '--policy', 'plain.yaml'], 'a,b\n1,secret\n');
    expect({ code, out }).toEqual({ code: 0, out: 'a,b\n1,***t\n' });
  });

  it('--limit takes the first records only', async () => {
    const { code, out, err } = await place.run([
      'protect',
      'in.csv',
      '--policy',
      'p.yaml',
      '--keys',
      'keys.json',
      '--limit',
      '2',
    ]);
    expect(code).toBe(0);
    expect(out.trimEnd().split('\n')).toHaveLength(3);
    expect(err).toContain('2 rows in, 2 out');
  });

  it.skipIf(!existsSync('/usr/bin/script'))(
    'draws a progress line on a terminal and erases it, unless --quiet',
    async () => {
      place.write('many.csv', CSV.split('\n')[0] + `\n${CSV.split('\n')[1]}`.repeat(200_000));
      const args = 'protect many.csv --policy p.yaml --keys keys.json --out many.safe.csv --force';
      const { out } = await place.bash(`script -qec '$T ${args}' /dev/null < /dev/null`);
      expect(out).toMatch(
        /^(\r[\d,]+ rows, [\d,]+ rows\/s, \d+\.\d MB\u001b\[K)+\r\u001b\[Ktrefoil: 200,000 rows in, /,
      );
      const quiet = await place.bash(`script -qec '$T ${args} --quiet' /dev/null < /dev/null`);
      expect(quiet.out).toBe('');
    },
  );

  it('--dry-run shows records before and after and writes nothing', async () => {
    const before = place.files();
    const args = ['protect', 'in.csv', '--policy', 'p.yaml', '--keys', 'keys.json', '--dry-run'];
    const { code, out, err } = await place.run([
      ...args,
      '--limit',
      '2',
      '--out',
      'never.csv',
      '--summary',
      'never.json',
    ]);
    expect({ code, err }).toEqual({ code: 0, err: 'trefoil: dry run: no file is written\n' });
    expect(place.files()).toEqual(before);
    expect(out).toMatch(/^row 1\n {2}field {2}before +after +rule\n {2}id {5}10017 +cust_\w+… +token\n/);
    expect(out).toMatch(/^ {2}city {3}Freiburg +Freiburg +keep$/m);
    expect(out).toMatch(/^ {2}notes +likes "tea" +drop$/m);
    expect(out.match(/^row /gm)).toHaveLength(2);
    expect((await place.run(args)).out.match(/^row /gm)).toHaveLength(3);
  });

  it('rejects rows on demand, says which and why without values, and ends with 1', async () => {
    const csv = CSV.replace('1815-12-10', 'Lovelace').replace('YT00001', 'YT1').replace('1990-01-01', '京都');
    place.write('bad.csv', csv);
    const args = ['protect', 'bad.csv', '--policy', 'p.yaml', '--keys', 'keys.json'];
    const stop = await place.run([...args, '--out', 'bad.safe.csv']);
    expect(stop.code).toBe(1);
    expectVoice(stop);
    expect(stop.err).toContain('trefoil: error: 3 problems\n');
    expect(place.files()).not.toContain('bad.safe.csv');

    const ended = await place.run([
      ...args,
      ...['--out', 'bad.safe.csv', '--on-error', 'reject', '--rejects', 'bad.rejects.ndjson', '--summary', 'bad.json'],
    ]);
    expect(ended.code).toBe(9);
    expect(ended.err).toContain('3 rows in, 1 out, 2 rejected');
    expect(ended.err).toContain(
      'trefoil: warning: 2 rows rejected and left out; bad.rejects.ndjson contains them, sealed',
    );
    expectVoice(ended);
    const rejects = place.read('bad.rejects.ndjson');
    for (const value of ['Lovelace', 'YT1', '京都']) expect(rejects).not.toContain(value);
    expect(
      rejects
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line)),
    ).toEqual([
      expect.objectContaining({ trefoil: 'rejects-v1', format: 'csv', header: expect.any(String) }),
      {
        input: 0,
        row: 2,
        line: 3,
        issues: [{ field: 'born', code: 'not_a_date', message: expect.any(String) }],
        sealed: expect.any(String),
      },
      {
        input: 0,
        row: 3,
        line: 4,
        issues: [
          { field: 'plate', code: 'outside_format', message: expect.any(String), expected: 7 },
          { field: 'born', code: 'not_a_date', message: expect.any(String) },
        ],
        sealed: expect.any(String),
      },
    ]);
    const open = ['rejects', 'open', 'bad.rejects.ndjson', '--keys', 'keys.json'];
    const [header, , ...rows] = csv.split('\n');
    const opened = await place.run([...open, '--out', 'mend.csv']);
    expect(opened).toMatchObject({ code: 0, out: '', err: 'trefoil: 2 records opened, as UTF-8\n' });
    expect(place.read('mend.csv')).toBe([header, ...rows].join('\n'));
    expect(statSync(place.path('mend.csv')).mode & 0o777).toBe(0o600);
    const listed = await place.run([...open, '--json']);
    expect(
      listed.out
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line)),
    ).toMatchObject([
      { row: 2, line: 3, record: rows[0] },
      { row: 3, line: 4, record: rows[1] },
    ]);
    expect(await place.run(['rejects', 'open', 'in.csv', '--keys', 'keys.json'])).toMatchObject({ code: 1, out: '' });
    expect(statSync(place.path('bad.rejects.ndjson')).mode & 0o777).toBe(0o600);
    expect(place.read('bad.safe.csv').trimEnd().split('\n')).toHaveLength(2);
    expect(JSON.parse(place.read('bad.json'))).toMatchObject({ rowsIn: 3, rowsOut: 1, rowsRejected: 2 });

    const none = await place.run([
      ...args.slice(0, 1),
      'in.csv',
      ...args.slice(2),
      '--on-error',
      'reject',
      '--rejects',
      'none.ndjson',
    ]);
    expect(none.code).toBe(0);
    // Its first line alone: a file of rejects without one.
    expect(place.read('none.ndjson')).toMatch(/^\{"trefoil":"rejects-v1",.*\}\n$/);
  });
});

describe('a rejected record above the limit', () => {
  const long = `{"a":"${'x'.repeat(200)}"}\n`;
  const bad = '{"b":1}\n';
  const good = '{"a":"1"}\n';
  beforeAll(() => place.write('a.yaml', 'trefoil: 1\ndomain: d\nfields:\n  a: keep\n'));

  it.each([
    [
      'one of three',
      good + long + bad + bad,
      '3 rows rejected and left out; r.ndjson contains 2 of them, sealed; 1 row longer',
    ],
    ['all of them', long + good + long, '2 rows rejected and left out; r.ndjson contains none of them; 2 rows longer'],
  ])('is not in the file of rejects, and that is said: %s', async (_, input, said) => {
    place.write('long.ndjson', input);
    const args = ['--policy', 'a.yaml', '--keys', 'keys.json', '--max-record', '100', '--force'];
    const rejecting = ['--on-error', 'reject', '--rejects', 'r.ndjson', '--out', 'long.safe.ndjson'];
    const ended = await place.run(['protect', 'long.ndjson', ...args, ...rejecting]);
    expect(ended.code).toBe(9);
    expect(ended.err).toContain(`trefoil: warning: ${said} than --max-record`);
    expect(ended.err).toMatch(/(is|are) in no output: keep the input, and run it again with a larger --max-record\n/);
    expectVoice(ended);
    const sealed = place
      .read('r.ndjson')
      .trimEnd()
      .split('\n')
      .slice(1)
      .map((line) => JSON.parse(line).sealed);
    expect(sealed.filter((text) => text === null)).toHaveLength(input.split(long).length - 1);
  });
});

describe('inspect', () => {
  it('tells tokens, sealed values and other things apart, without repeating them', async () => {
    const { out } = await place.run(['protect', 'in.csv', '--policy', 'p.yaml', '--keys', 'keys.json']);
    const [token = '', sealed = ''] = out.split('\n')[1]!.split(',');
    const one = await place.run(['inspect', token]);
    expect(one).toMatchObject({ code: 0, err: '' });
    expect(one.out).toMatch(/^1: token, label cust, key \w{5}, intact\n$/);
    const flipped = token.slice(0, -1) + (token.endsWith('0') ? '1' : '0');
    const all = await place.run(['inspect'], `${token}\n${sealed}\n${flipped}\nAda Lovelace\n`);
    expect(all.code).toBe(7);
    expect(all.out).toMatch(
      /^1: token, label cust, key (\w{5}), intact\n2: sealed value, key \1, version \d\n3: token, label cust, key \1, damaged\n4: neither a labelled token nor a sealed value\n$/,
    );
    expectVoice(all);
    const json = await place.run(['inspect', '--json', token, sealed, 'x']);
    expect(
      json.out
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line)),
    ).toEqual([
      { item: 1, kind: 'token', label: 'cust', keyId: expect.any(String), intact: true },
      {
        item: 2,
        kind: 'sealed',
        keyId: expect.any(String),
        version: expect.any(Number),
        algorithm: expect.any(Number),
      },
      { item: 3, kind: 'unknown' },
    ]);
  });
});

describe('several policies', () => {
  const head = 'trefoil: 1\ndomain: eu-test\nfields:\n';
  beforeAll(() => {
    place.write('one.yaml', `${head}  id: { rule: token, scope: person }\n  city: keep\n`);
    place.write('two.yaml', `${head}  customer: { rule: token, scope: person, label: cust }\n`);
    place.write('far.yaml', `${head.replace('eu-test', 'us-test')}  id: { rule: token, scope: person }\n`);
    place.write('bad.yaml', `${head}  id: { rule: tokn }\n`);
  });

  it('check refuses what only seems to join, at its place, and takes what joins or clearly does not', async () => {
    const ended = await place.run(['check', '--policy', 'one.yaml', '--policy', 'two.yaml']);
    expect(ended).toMatchObject({ code: 3, out: '' });
    expect(ended.err).toMatch(
      /^trefoil: error: two\.yaml:4:\d+ fields\.customer\.scope: has the same scope as id in one\.yaml but/,
    );
    const json = await place.run(['check', '--policy', 'one.yaml', '--policy', 'two.yaml', '--json']);
    expect(json.code).toBe(3);
    expect(JSON.parse(json.out)).toMatchObject({
      ok: false,
      issues: [{ code: 'half_join', file: 'two.yaml', line: 4, field: 'fields.customer.scope' }],
    });
    const same = await place.run(['check', '--policy', 'one.yaml', '--policy', 'one.yaml']);
    expect(same).toMatchObject({ code: 0, out: '' });
    const far = await place.run(['check', '--policy', 'one.yaml', '--policy', 'far.yaml']);
    expect(far.code).toBe(0);
    expect(far.err).toContain('hint: fields of different domains (eu-test, us-test) never join, whatever their scopes');
    const bad = await place.run(['check', '--policy', 'bad.yaml', '--policy', 'two.yaml']);
    expect(bad.code).toBe(3);
    expect(bad.err).toContain('bad.yaml:4');
    const input = await place.run(['check', '--policy', 'one.yaml', '--policy', 'far.yaml', '--input', 'in.csv']);
    expect(input.code).toBe(2);
    expect(input.err).toContain('--input cannot be combined with several policies');
  });

  it('check says where only one side of a join has a reading', async () => {
    const fields = (day: string) => `${head}  born: { rule: token, scope: birth${day} }\n`;
    place.write('iso.yaml', fields(''));
    place.write('german.yaml', fields(', read: DD.MM.YYYY'));
    place.write('american.yaml', fields(', read: MM/DD/YYYY'));
    const check = (...names: string[]) =>
      place.run(['check', ...names.flatMap((name) => ['--policy', `${name}.yaml`])]);
    const one = await check('iso', 'german');
    expect(one).toMatchObject({ code: 0, out: '' });
    expect(one.err).toBe(
      'trefoil: field born in german.yaml is read as DD.MM.YYYY, and field born in iso.yaml without a reading: they join ' +
        'only if the values without a reading have the form that this gives already (YYYY-MM-DD)\n' +
        'trefoil: iso.yaml, german.yaml: no problems\n',
    );
    // Two readings make the same form.
    expect((await check('american', 'german')).err).toBe('trefoil: american.yaml, german.yaml: no problems\n');
    expect((await check('iso')).err).toBe('trefoil: iso.yaml: no problems\n');
    expect((await check('american', 'iso', 'german')).err.match(/without a reading:/g)).toHaveLength(2);
  });

  it('explain writes a page each and one about all', async () => {
    const { code, out } = await place.run([
      'explain',
      '--policy',
      'one.yaml',
      '--policy',
      'two.yaml',
      '--policy',
      'far.yaml',
    ]);
    expect(code).toBe(0);
    expect(out.match(/^# .*$/gm)).toEqual([
      '# Pseudonymisation policy `one.yaml` of the domain eu-test',
      '# Pseudonymisation policy `two.yaml` of the domain eu-test',
      '# Pseudonymisation policy `far.yaml` of the domain us-test',
      '# Which fields join across these policies',
    ]);
    expect(out).toContain('- `id` in `one.yaml` and `customer` in `two.yaml`: a different label, so equal values');
    expect(out).toContain(
      '- `id` in `one.yaml`, `customer` in `two.yaml` and `id` in `far.yaml`: the scope is the same but the domains differ',
    );
    expect((await place.run(['explain', '--policy', 'one.yaml', '--policy', 'bad.yaml'])).code).toBe(3);
    expect(
      (await place.run(['explain', '--policy', 'one.yaml', '--policy', 'two.yaml', '--out', 'two.yaml', '--force']))
        .code,
    ).toBe(5);
  });

  it('what a policy says in its names does not repaint a terminal, nor reorder its letters', async () => {
    const name = 'a\\u202eb\\u200ec\\u001b[2J\\ufeff';
    place.write('odd.yaml', `${head}  "${name}": { rule: tokn }\n`);
    const { code, err } = await place.run(['check', '--policy', 'odd.yaml']);
    expect(code).toBe(3);
    expect(err).toContain('a\\u202eb\\u200ec\\u001b[2J\\ufeff');
    expect(err).not.toMatch(/[\u202e\u200e\u001b\ufeff]/);
    const json = await place.run(['check', '--policy', 'odd.yaml', '--json']);
    expect(json.out).not.toMatch(/[\u202e\u200e\u001b\ufeff]/);
    expect(JSON.parse(json.out).issues[0].field).toContain('fields.a\u202eb\u200ec\u001b[2J\ufeff');
  });
});

describe('check', () => {
  it('says that nothing is wrong', async () => {
    const ended = await place.run(['check', '--policy', 'p.yaml']);
    expect(ended).toEqual({ code: 0, out: '', err: 'trefoil: p.yaml: no problems\n' });
    const json = await place.run(['check', '--policy', 'p.yaml', '--json']);
    expect(json).toMatchObject({ code: 0, err: '' });
    expect(JSON.parse(json.out)).toEqual({ ok: true, issues: [] });
  });

  it('tries the first records of an input, with keys and without', async () => {
    const without = await place.run(['check', '--policy', 'p.yaml', '--input', 'in.csv']);
    expect(without).toEqual({ code: 0, out: '', err: 'trefoil: p.yaml: no problems, 3 rows tried\n' });
    const keyed = await place.run(['check', '--policy', 'p.yaml', '--input', 'in.csv', '--keys', 'keys.json']);
    expect(keyed.code).toBe(0);
    // fpe fields and no pinned key check.
    expect(keyed.err).toContain('trefoil: warning: this policy cannot reveal with these keys');
    place.write('more.csv', CSV.replace('notes', 'remarks').replace('KA12345', 'KA1'));
    const wrong = await place.run(['check', '--policy', 'p.yaml', '--input', 'more.csv']);
    expect(wrong.code).toBe(1);
    expectVoice(wrong);
  });

  it('holds the key check against the keys', async () => {
    place.write('pin.yaml', POLICY.replace('fields:', 'keyCheck: { "k3m7a": "0123456789abcdef" }\nfields:'));
    expect((await place.run(['check', '--policy', 'pin.yaml'])).code).toBe(0);
    const ended = await place.run(['check', '--policy', 'pin.yaml', '--keys', 'keys.json']);
    expect(ended.code).toBe(4);
    expectVoice(ended);
  });

  it('writes sizes that are bigints as JSON', async () => {
    place.write('small.yaml', POLICY.replace('AA99999', 'A99'));
    const ended = await place.run(['check', '--policy', 'small.yaml', '--json']);
    expect(ended.code).toBe(3);
    expect(ended.err).toBe('');
    const { ok, issues } = JSON.parse(ended.out);
    expect(ok).toBe(false);
    expect(issues).toEqual([
      expect.objectContaining({
        code: 'space_too_small',
        actual: 2600,
        field: 'fields.plate.format',
        line: 6,
        file: 'small.yaml',
      }),
    ]);
  });
});
