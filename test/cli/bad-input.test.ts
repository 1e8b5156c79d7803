/**
 * Wrong input, as a user of the command line sees it: the message names the row or the line and no value, the exit code
 * is the documented one, and no file has the final name.
 */
import { existsSync, linkSync, symlinkSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { keyset } from '../../src/keys.ts';
import { secretAccess } from '../../src/reveal.ts';
import { CSV, type Ended, expectVoice, makePlace, type Place, POLICY } from './harness.ts';

let place: Place;
const ARGS = ['--policy', 'p.yaml', '--keys', 'keys.json'];

beforeAll(async () => {
  place = makePlace();
  place.write('p.yaml', POLICY);
  place.write('in.csv', CSV);
  place.write('keys.json', keyset.generate().export(secretAccess));
  // Rules that need no pinned key check.
  place.write(
    'seal.yaml',
    'trefoil: 1\ndomain: eu-enclave\nfields: { id: keep, name: { rule: seal, scope: person.name } }\n',
  );
});

afterAll(() => place.remove());

/** Runs a command that must fail, and checks what holds for every failure. A temporary file left over would count. */
async function fails(
  args: readonly string[],
  code: number,
  message: string | RegExp,
  values?: string[],
): Promise<Ended> {
  const before = place.files();
  const ended = await place.run(args);
  expect(ended.err).toMatch(/^trefoil: (error|warning): /);
  if (typeof message === 'string') expect(ended.err).toContain(message);
  else expect(ended.err).toMatch(message);
  expect(ended.code).toBe(code);
  expectVoice(ended, values);
  expect(place.files()).toEqual(before);
  return ended;
}

describe('records', () => {
  const header = 'id,name,plate,born,city,notes\n';
  const good = '1,Lovelace,KA12345,1984-01-01,London,x\n';
  it.each([
    [
      'a field that the policy does not name',
      `id,name,plate,born,city,notes,telephone\n${good}`,
      /column 7, "telephone"/,
    ],
    ['a column that is missing', 'id,name,plate,born,city\n', /line 1, field notes|field notes/],
    ['a name twice in the header', `id,name,name,born,city,notes\n${good}`, /line 1/],
    ['a row that is too short', `${header}${good}2,Lovelace\n`, /row 2, line 3/],
    ['a row that is too long', `${header}2,Lovelace,KA12345,1984-01-01,London,x,Lovelace\n`, /row 1, line 2/],
    ['a quote that is not closed', `${header}${good}2,"Lovelace,KA12345\n`, /line 3/],
    ['a quote inside a cell', `${header}2,Love"lace,KA12345,1984-01-01,London,x\n`, /line 2/],
    ['no header', good, /line 1/],
    ['nothing', '', /the input is empty/],
    [
      'Latin-1',
      Buffer.from(`${header}1,Zo\xeb,KA12345,1984-01-01,London,x\n`, 'latin1'),
      /line 2, column \d+: a byte that is not UTF-8/,
    ],
    ['UTF-16 that is cut', Buffer.from(`\ufeff${header}${good}`, 'utf16le').subarray(0, -1), /line 2: .*UTF-16/],
    ['a NUL', `${header}${good}2,Love\0lace,KA12345,1984-01-01,London,x\n`, /line 3, column 7: a NUL/],
    [
      'a value outside its format',
      `${header}${good}2,Lovelace,KA-12345,1984-01-01,London,x\n`,
      /row 2, line 3, field plate/,
    ],
    ['a date that is none', `${header}1,Lovelace,KA12345,Lovelace,London,x\n`, /row 1, line 2, field born/],
  ])('%s', async (_, content, message) => {
    place.write('bad.csv', content);
    await fails(['protect', 'bad.csv', ...ARGS, '--out', 'out.csv'], 1, message, [
      'Lovelace',
      'KA12345',
      'KA-12345',
      '1984',
      'London',
    ]);
  });

  it('a record above the limit', async () => {
    place.write('bad.csv', `${header}${good}2,${'x'.repeat(2000)},KA12345,1984-01-01,London,x\n`);
    const ended = await fails(
      ['protect', 'bad.csv', ...ARGS, '--max-record', '1000', '--out', 'out.csv'],
      1,
      /row 2, line 3/,
      ['xxxx'],
    );
    expect(ended.err).toContain(
      'trefoil: hint: if the data has records of this length, raise the limit with --max-record BYTES',
    );
  });

  const json = (more: string): string =>
    `{"id":1,"name":"n","plate":"KA12345","born":"1984-01-01","city":"London","notes":""}\n{"id":2,"name":"n","plate":"KA12345","born":"1984-01-01","notes":"",${more}}\n`;
  it.each([
    [
      'a number that a token cannot read without rounding it',
      json('"city":"x"').replace('"id":2', '"id":1e20'),
      /row 2, line 2, field id: the whole number is beyond 2\^53 - 1; write it without a point/,
    ],
    ['a list where a scalar was promised', json('"city":["Lovelace"]'), /row 2, line 2, field city/],
    ['a map where a scalar was promised', json('"city":{"Lovelace":1}'), /row 2, line 2, field city/],
    [
      'a lone surrogate',
      json('"city":"x"').replace(
        '"name":"n","plate":"KA12345","born":"1984-01-01","notes"',
        '"name":"Lovelace\\ud800","plate":"KA12345","born":"1984-01-01","notes"',
      ),
      /row 2, line 2/,
    ],
    [
      'a field that the policy does not name',
      json('"city":"London","debug":"Lovelace"'),
      /row 2, line 2, field debug: /,
    ],
    ['a field that is missing', json('"x":1').replace(',"x":1', ''), /row 2, line 2, field city/],
    ['a name twice', json('"city":"London","city":"Paris"'), /row 2, line 2/],
    ['not JSON', `${json('"city":"x"')}{"id":Lovelace}\n`, /row 3, line 3/],
    ['no object', `${json('"city":"x"')}["Lovelace"]\n`, /row 3, line 3/],
  ])('NDJSON: %s', async (_, content, message) => {
    place.write('bad.ndjson', content);
    await fails(['protect', 'bad.ndjson', ...ARGS, '--out', 'out.ndjson'], 1, message, [
      'Lovelace',
      'KA12345',
      '1984',
      'London',
      '9007199254740993',
    ]);
  });

  it('a token that is fed in as a value', async () => {
    const { out } = await place.run(['protect', 'in.csv', ...ARGS]);
    const token = out.split('\n')[1]!.split(',')[0]!;
    place.write('bad.csv', CSV.replace('10018', token));
    await fails(['protect', 'bad.csv', ...ARGS, '--out', 'out.csv'], 1, 'row 2, line 3, field id', [token.slice(5)]);
  });

  describe('on the way back', () => {
    let safe: string;
    const seal = ['--policy', 'seal.yaml', '--keys', 'keys.json'];
    beforeAll(async () => {
      place.write('names.csv', 'id,name\n1,Lovelace\n2,Müller\n');
      safe = (await place.run(['protect', 'names.csv', ...seal])).out;
      place.write('names.safe.csv', safe);
    });

    it('a sealed value cut by one character', async () => {
      place.write('cut.csv', safe.replace(/.\n$/, '\n'));
      await fails(['reveal', 'cut.csv', ...seal, '--out', 'out.csv'], 1, 'row 2, line 3, field name');
    });

    it('a sealed value that was changed', async () => {
      place.write(
        'cut.csv',
        safe.replace(/(.)(.{10}\n)$/, (_, c: string, rest: string) => (c === '0' ? '1' : '0') + rest),
      );
      await fails(
        ['reveal', 'cut.csv', ...seal, '--out', 'out.csv'],
        1,
        'row 2, line 3, field name: the sealed value does not open',
      );
    });

    it('what was never sealed', async () => {
      await fails(['reveal', 'names.csv', ...seal, '--out', 'out.csv'], 1, 'the value is not a sealed value', [
        'Lovelace',
        'Müller',
      ]);
    });

    it('another keyset', async () => {
      place.write('other.json', keyset.generate().export(secretAccess));
      await fails(
        ['reveal', 'names.safe.csv', '--policy', 'seal.yaml', '--keys', 'other.json', '--out', 'out.csv'],
        1,
        'row 1, line 2, field name',
      );
    });

    it('another domain', async () => {
      place.write('us.yaml', place.read('seal.yaml').replace('eu-enclave', 'us-enclave'));
      await fails(
        ['reveal', 'names.safe.csv', '--policy', 'us.yaml', '--keys', 'keys.json', '--out', 'out.csv'],
        1,
        'row 1, line 2, field name',
      );
    });

    it('another keyset than the pinned one: before the first row', async () => {
      const { out } = await place.run(['keys', 'inspect', '--keys', 'keys.json', '--domain', 'eu-enclave']);
      place.write('pinned.yaml', POLICY.replace('fields:', `${out.split('\n')[2]}\nfields:`));
      for (const verb of ['protect', 'reveal']) {
        await fails(
          [verb, 'in.csv', '--policy', 'pinned.yaml', '--keys', 'other.json', '--out', 'out.csv'],
          4,
          'the keys are not the pinned ones',
        );
      }
    });

    it('fpe without a pinned key check', async () => {
      const ended = await fails(
        ['reveal', 'in.csv', ...ARGS, '--out', 'out.csv'],
        4,
        'an fpe field cannot detect a wrong key',
      );
      expect(ended.err).toContain('trefoil: hint: trefoil keys inspect --keys FILE --domain NAME prints the line');
    });
  });
});

describe('policies', () => {
  it('ten mistakes, all ten, with line and column', async () => {
    place.write(
      'ten.yaml',
      `trefoil: 2
domain: EU Enclave
unnamed: ignore
fields:
  a: { rule: tokn, scope: person }
  b: { rule: token }
  c: { rule: token, scope: 12e4 }
  d: { rule: seal, scope: person.name, form: bare }
  e: { rule: fpe, scope: x, format: { type: pattern, pattern: A9 } }
  f: { rule: token, scope: p, prepare: [trim, lower] }
  g: remove
`,
    );
    for (const args of [
      ['check', '--policy', 'ten.yaml'],
      ['protect', 'in.csv', '--policy', 'ten.yaml', '--out', 'o.csv'],
      ['explain', '--policy', 'ten.yaml'],
    ]) {
      const { err } = await fails(args, 3, 'trefoil: error: 10 problems\n', [
        '12e4',
        '120000',
        'EU Enclave',
        'tokn',
        'remove',
        'ignore',
      ]);
      expect(
        err
          .split('\n')
          .slice(1, 11)
          .map((line) => /^ {2}(\S+?): /.exec(line)?.[1] ?? /^ {2}(\S+ \S+): /.exec(line)?.[1]),
      ).toEqual([
        'ten.yaml:1:10 trefoil',
        'ten.yaml:2:9 domain',
        'ten.yaml:3:10 unnamed',
        'ten.yaml:5:14 fields.a.rule',
        'ten.yaml:6:6 fields.b.scope',
        'ten.yaml:7:28 fields.c.scope',
        'ten.yaml:8:40 fields.d.form',
        'ten.yaml:9:37 fields.e.format',
        'ten.yaml:10:47 fields.f.prepare.1',
        'ten.yaml:11:6 fields.g',
      ]);
    }
    const { code, out, err } = await place.run(['check', '--policy', 'ten.yaml', '--json']);
    expect({ code, err }).toEqual({ code: 3, err: '' });
    expect(JSON.parse(out).issues).toHaveLength(10);
  });

  it('a number where text must stand', async () => {
    place.write('bad.yaml', POLICY.replace('scope: person,', 'scope: 12e4,'));
    const { err } = await fails(['check', '--policy', 'bad.yaml'], 3, 'bad.yaml:4:29 fields.id.scope: ', [
      '12e4',
      '120000',
    ]);
    expect(err).toContain('quote it');
  });

  it('what YAML could hide: with what it means, in the order of the file', async () => {
    place.write('bad.yaml', 'trefoil: 1\ndomain: &d eu\nfields:\n  a: { rule: tokn }\n  b: keep\n  b: drop\n  c: *d\n');
    const { err } = await fails(['check', '--policy', 'bad.yaml'], 3, 'trefoil: error: 4 problems\n');
    expect(
      err
        .split('\n')
        .slice(1, 5)
        .map((line) => line.split(/[ :]+/).slice(1, 4).join(':')),
    ).toEqual(['bad.yaml:2:9', 'bad.yaml:4:14', 'bad.yaml:6:3', 'bad.yaml:7:6']);
  });

  it('a space that is too small, with the numbers', async () => {
    place.write('bad.yaml', POLICY.replace('AA99999', 'A9'));
    await fails(
      ['protect', 'in.csv', '--policy', 'bad.yaml', '--keys', 'keys.json', '--out', 'o.csv'],
      3,
      /bad\.yaml:6:\d+ fields\.plate\.format: .*260/,
    );
  });

  it('two token rules that would half-join', async () => {
    place.write('bad.yaml', POLICY.replace('city: keep', 'city: { rule: token, scope: person, prepare: trim }'));
    await fails(['check', '--policy', 'bad.yaml'], 3, /bad\.yaml:8:\d+ fields\.city\.scope: /);
  });

  it.each([
    ['not UTF-8', Buffer.from('trefoil: 1\ndomain: Zo\xeb\n', 'latin1'), 'bad.yaml: the policy file is not UTF-8'],
    ['too large', `# ${'x'.repeat(1_048_576)}\n`, 'bad.yaml: the policy file is larger than 1 MiB'],
    ['empty', '', 'bad.yaml:1:1: the file is empty'],
    ['a list', '- a\n', 'bad.yaml:1:1: the policy must be a map'],
    ['cut short', POLICY.slice(0, 80), /bad\.yaml:4:\d+: /],
  ])('a file that is %s', async (_, content, message) => {
    place.write('bad.yaml', content);
    await fails(['check', '--policy', 'bad.yaml'], 3, message);
  });

  it('a file that is not there, or a directory', async () => {
    await fails(
      ['check', '--policy', 'none.yaml'],
      5,
      'none.yaml: the policy file cannot be read: there is no such file',
    );
    await fails(['check', '--policy', '.'], 5, 'it is a directory');
  });
});

describe('keysets', () => {
  const good = keyset.generate().export(secretAccess);
  const other = keyset.generate().export(secretAccess);
  interface Plain {
    base: string;
    keys: { id: string; primary?: boolean; secret: string; [more: string]: unknown }[];
    [more: string]: unknown;
  }
  const changed = (change: (value: Plain) => void): string => {
    const value = JSON.parse(good) as Plain;
    change(value);
    return JSON.stringify(value);
  };
  const second = (JSON.parse(other) as Plain).keys[0]!;

  it.each([
    ['cut short', good.slice(0, 100)],
    ['a secret cut short', changed((value) => (value.keys[0]!.secret = value.keys[0]!.secret.slice(0, -1)))],
    ['two primaries', changed((value) => value.keys.push({ ...second, id: 'b', primary: true }))],
    ['two equal ids', changed((value) => value.keys.push({ id: value.keys[0]!.id, secret: second.secret }))],
    ['an unknown field', changed((value) => (value.extra = 1))],
    ['an unknown field of a key', changed((value) => (value.keys[0]!.extra = 1))],
    ['a reserved field', changed((value) => (value.region = 'eu'))],
    ['a short key', changed((value) => (value.keys[0]!.secret = 'trefoil-root-1_0123'))],
    ['a printable key', changed((value) => (value.keys[0]!.secret = 'correct horse battery staple'))],
    ['another version', changed((value) => (value.version = 'keyset-v2'))],
    ['nothing', ''],
    ['no text', Buffer.from([0xff, 0xfe, 0x00])],
  ])('%s', async (_, content) => {
    place.write('bad.json', content);
    const secret = /_([0-9a-z]{20})/.exec(good)![1]!;
    for (const args of [
      ['keys', 'inspect', '--keys', 'bad.json'],
      ['protect', 'in.csv', '--policy', 'p.yaml', '--keys', 'bad.json', '--out', 'o.csv'],
    ]) {
      await fails(args, 4, 'trefoil: error: bad.json: ', [secret, secret.slice(0, 8), 'correct horse', second.secret]);
    }
    if (typeof content !== 'string' || content === '') return;
    const ended = await place.run(['keys', 'inspect'], '', { TREFOIL_KEYS: content });
    expect(ended.code).toBe(4);
    expect(ended.err).toContain('trefoil: error: TREFOIL_KEYS: ');
    expectVoice(ended, [secret]);
  });

  it('a key file that is not there', async () => {
    await fails(
      ['keys', 'inspect', '--keys', 'none.json'],
      5,
      'none.json: the key file cannot be read: there is no such file',
    );
  });
});

describe('input and output', () => {
  const big = `id,name,plate,born,city,notes\n${'1,Lovelace,KA12345,1984-01-01,London,x\n'.repeat(20_000)}`;
  beforeAll(() => place.write('big.csv', big));

  it('an input that is not there, or a directory', async () => {
    await fails(
      ['protect', 'none.csv', ...ARGS, '--out', 'o.csv'],
      5,
      'none.csv: cannot be read: there is no such file',
    );
    await fails(['protect', '.', '--format', 'csv', ...ARGS, '--out', 'o.csv'], 5, 'cannot be read: it is a directory');
    const ended = await place.bash(`$T protect --format csv ${ARGS.join(' ')} < .`);
    expect(ended.code).toBe(5);
    expectVoice(ended);
  });

  it('an output whose folder is not there', async () => {
    await fails(['protect', 'in.csv', ...ARGS, '--out', 'no/where.csv'], 5, 'no/where.csv: cannot be written');
  });

  it('an existing output, summary or list of rejects', async () => {
    place.write('old', 'old');
    const reject = ['--on-error', 'reject', '--rejects'];
    for (const more of [
      ['--out', 'old'],
      ['--out', 'o.csv', '--summary', 'old'],
      ['--out', 'o.csv', ...reject, 'old'],
    ]) {
      const { err } = await fails(['protect', 'in.csv', ...ARGS, ...more], 5, 'trefoil: error: old: the output exists');
      expect(err).toContain('--force');
      expect(place.read('old')).toBe('old');
    }
    expect((await place.run(['protect', 'in.csv', ...ARGS, '--out', 'old', '--force'])).code).toBe(0);
    expect(place.read('old')).toMatch(/^id,name/);
    // A run that fails leaves the old file.
    place.write('bad.csv', CSV.replace('KA12345', 'KA1'));
    await fails(['protect', 'bad.csv', ...ARGS, '--out', 'old', '--force'], 1, 'field plate');
    expect(place.read('old')).toMatch(/^id,name/);
  });

  it('an output that is an input, however it is spelt', async () => {
    symlinkSync(place.path('in.csv'), place.path('link.csv'));
    linkSync(place.path('in.csv'), place.path('hard.csv'));
    for (const out of ['in.csv', './in.csv', 'link.csv', 'hard.csv', 'p.yaml', 'keys.json']) {
      for (const option of ['--out', '--summary']) {
        const file = option === '--out' ? [] : ['--out', 'o.csv'];
        await fails(['protect', 'in.csv', ...ARGS, ...file, option, out, '--force'], 5, /is an input of the same run/);
      }
    }
    await fails(
      ['protect', 'in.csv', ...ARGS, '--out', 'o.csv', '--summary', './o.csv'],
      5,
      'two outputs have the same name',
    );
    expect(place.read('in.csv')).toBe(CSV);
    expect(place.read('p.yaml')).toBe(POLICY);
  });

  it('an output that is the file behind standard input', async () => {
    const run = await place.bash(
      '$T protect - --format csv --policy p.yaml --keys keys.json --out in.csv --force < in.csv',
    );
    expect(run.code).toBe(5);
    expect(run.err).toContain('is an input of the same run');
    expect(place.read('in.csv')).toBe(CSV);
  });

  it('the content of a key file where its name belongs, which is never repeated', async () => {
    const content = place.read('keys.json');
    for (const [args, env] of [
      [['protect', 'in.csv', '--policy', 'p.yaml', '--keys', content], {}],
      [['protect', content, '--policy', 'p.yaml', '--keys', 'keys.json'], {}],
      [['protect', 'in.csv', '--policy', content, '--keys', 'keys.json'], {}],
      [['protect', 'in.csv', '--policy', 'p.yaml'], { TREFOIL_KEYS_FILE: content }],
    ] as const) {
      const run = await place.run([...args], '', env);
      expect(run.code).toBe(2);
      expect(run.err).toContain('looks like the content of a key file');
      expect(run.out + run.err).not.toContain('trefoil-root');
    }
  });

  it('an input that standard output appends to', async () => {
    for (const line of [
      `$T protect in.csv ${ARGS.join(' ')} >> in.csv`,
      `$T protect --format csv ${ARGS.join(' ')} < in.csv >> in.csv`,
    ]) {
      const ended = await place.bash(line);
      expect(ended.code).toBe(5);
      expect(ended.err).toContain('standard output is an input of the same run');
      expect(place.read('in.csv')).toBe(CSV);
    }
  });

  it.skipIf(!existsSync('/dev/full'))('a full disk', async () => {
    await fails(
      ['protect', 'big.csv', ...ARGS, '--out', '/dev/full'],
      5,
      '/dev/full: cannot be written: there is no space left',
    );
    const ended = await place.bash(`$T protect big.csv ${ARGS.join(' ')} > /dev/full`);
    expect(ended.code).toBe(5);
    expect(ended.err).toContain('standard output: cannot be written: there is no space left');
    expectVoice(ended);
    const keys = await place.bash('$T keys inspect --keys keys.json > /dev/full');
    expect(keys.code).toBe(5);
    expectVoice(keys);
  });

  it.skipIf(process.platform === 'win32')('a limit on the size of files', async () => {
    const before = place.files();
    const ended = await place.bash(`ulimit -f 100; $T protect big.csv ${ARGS.join(' ')} --out limited.csv`);
    expect(ended.code).toBe(5);
    expect(ended.err).toContain('limited.csv: cannot be written: the file would be larger than the limit');
    expectVoice(ended);
    expect(place.files()).toEqual(before);
  });

  it('a pipe that is closed half-way', async () => {
    const ended = await place.bash(
      `set -o pipefail; { $T protect big.csv ${ARGS.join(' ')}; echo "code $?" >&2; } | head -c 10`,
    );
    expect(ended.out).toBe('id,name,pl');
    expect(ended.err).toContain('trefoil: error: standard output was closed by its reader');
    expect(ended.err).toMatch(/code 5\n$/);
  });

  it('an input that ends in the middle of a run: nothing under the final name', async () => {
    const ended = await place.bash(`head -c 300000 big.csv | $T protect --format csv ${ARGS.join(' ')} --out o.csv`);
    expect(ended.code).toBe(1);
    expect(ended.err).toMatch(/row \d+, line \d+/);
    expect(place.files()).not.toContain('o.csv');
  });

  it.each([
    ['SIGINT', 130, 'interrupted'],
    ['SIGTERM', 143, 'terminated'],
    ['SIGHUP', 129, 'hung up'],
  ] as const)('%s on a slow input', async (signal, code, word) => {
    const before = place.files();
    const { child, ended } = place.start([
      'protect',
      '--format',
      'csv',
      ...ARGS,
      '--out',
      'slow.csv',
      '--summary',
      'slow.json',
    ]);
    // The process ends before it has read all of it: that is the test.
    child.stdin!.on('error', () => {});
    child.stdin!.write(big.slice(0, 200_000));
    // The hidden files are there: the run has begun.
    while (place.files().length < before.length + 2) await sleep(20);
    await sleep(200);
    expect(place.files()).not.toContain('slow.csv');
    const begin = performance.now();
    child.kill(signal);
    // npm and shells send it twice.
    await sleep(5);
    child.kill(signal);
    const { err, ...rest } = await ended;
    expect(performance.now() - begin).toBeLessThan(1500);
    expect(rest).toEqual({ code, out: '' });
    expect(err).toBe(`trefoil: error: ${word}\n`);
    expect(place.files()).toEqual(before);
  });

  it('SIGINT while another program does not read', async () => {
    const { child, ended } = place.start(['protect', 'big.csv', ...ARGS]);
    child.stdout!.pause();
    await sleep(800);
    child.kill('SIGINT');
    child.stdout!.resume();
    expect((await ended).code).toBe(130);
  });
});

describe('a fault of our own', () => {
  it('says its name and not its message, which could hold a value', async () => {
    // A preloaded script breaks what the command line relies on.
    place.write('break.cjs', "performance.now = () => { throw new RangeError('Lovelace'); };\n");
    for (const debug of ['', '1']) {
      const fault = await place.bash(
        `TREFOIL_DEBUG=${debug} NODE_OPTIONS="--require ./break.cjs" $T protect in.csv ${ARGS.join(' ')} --out o.csv`,
      );
      expect(fault.code).toBe(70);
      expect(fault.err).toMatch(/^trefoil: error: internal error: RangeError\ntrefoil: hint: please report/);
      expect(fault.err.includes('Lovelace')).toBe(debug === '1');
    }
  });
});

it('leaves no temporary file behind', () => {
  expect(place.files().filter((name) => name.startsWith('.') || name.includes('.tmp'))).toEqual([]);
});
