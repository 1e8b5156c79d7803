/**
 * Erasure from the command line: which subjects get a certificate, what it contains, which lines are refused, and how
 * certificates are verified.
 */
import { copyFileSync, rmSync } from 'node:fs';
import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import { cellsOf, expectVoice, json } from '../harness.ts';
import { makeVaultPlace, VALUES as PARTS, vaultPolicy } from './place.ts';

const POLICY = vaultPolicy(
  'name: { rule: vault, scope: person.name, store: people, subject: id }',
  'phone: { rule: vault, scope: person.phone, store: calls, subject: id }',
  'ticket: { rule: vault, scope: ticket, store: tickets, label: tkt }',
);
// 10005 has no telephone, so the second store does not know it.
const ROWS = Array.from({ length: 20 }, (_, n) => `${10000 + n},Person ${n},${n === 5 ? '' : `+49 30 ${n}`},t${n}\n`);
const place = makeVaultPlace(POLICY, `id,name,phone,ticket\n${ROWS.join('')}`);
const VALUES = [...PARTS, '10017', '99999'];
const at = (...more: readonly string[]) => [
  ...place.options(['people=people.db', 'calls=calls.db', 'tickets=tickets.db']),
  ...more,
];
const shred = (input: string | Uint8Array, ...more: readonly string[]) =>
  place.run(['vault', 'shred', ...at(...more)], input);
const check = (input: string, ...more: readonly string[]) =>
  place.run(['vault', 'check-certificate', ...more, ...at()], input);

beforeAll(async () => {
  await place.done(['protect', 'in.csv', ...at(), '--out', 'safe.csv']);
  for (const store of ['people', 'calls', 'tickets'])
    copyFileSync(place.path(`${store}.db`), place.path(`${store}.first`));
});

afterEach(() => {
  for (const store of ['people', 'calls', 'tickets'])
    copyFileSync(place.path(`${store}.first`), place.path(`${store}.db`));
  for (const name of place.files()) if (/^out|\.txt$|^empty/.test(name)) rmSync(place.path(name));
});

/** The number of records that can be revealed. */
async function whole(): Promise<number> {
  const [head, ...lines] = place.read('safe.csv').trimEnd().split('\n');
  let count = 0;
  const done = await place.run(
    [
      'reveal',
      '-',
      '--format',
      'csv',
      ...at(),
      '--on-error',
      'reject',
      '--rejects',
      'out.rejects',
      '--out',
      'out.csv',
      '--force',
    ],
    `${[head, ...lines].join('\n')}\n`,
  );
  expect([0, 9]).toContain(done.code);
  count = cellsOf(place.read('out.csv')).length;
  rmSync(place.path('out.rejects'), { force: true });
  return count;
}

describe('shred', () => {
  test('a certificate for each line and each store with subjects', async () => {
    const done = await shred('10017\n');
    expect(done.code, done.err).toBe(0);
    const certificates = json(done.out);
    expect(certificates.map(({ store, destroyed, mappings }) => [store, destroyed, mappings])).toEqual([
      ['people', 'key', 'not known to the store'],
      ['calls', 'key', 'not known to the store'],
    ]);
    expect(await whole()).toBe(19);
    // What was destroyed before is not destroyed once more.
    const again = await shred('10017\n');
    expect(again.code).toBe(0);
    expect(json(again.out).map(({ destroyed }) => destroyed)).toEqual(['nothing', 'nothing']);
  });

  test('an unknown subject: no certificate, code 9, and the other lines are done', async () => {
    const done = await shred('99999\n\n10005\r\n010017\n10003');
    expect(done.code).toBe(9);
    expect(json(done.out).map(({ line, found, store, destroyed }) => ({ line, found, store, destroyed }))).toEqual([
      { line: 1, found: false, store: 'people' },
      { line: 1, found: false, store: 'calls' },
      { store: 'people', destroyed: 'key' },
      { line: 3, found: false, store: 'calls' },
      { line: 4, found: false, store: 'people' },
      { line: 4, found: false, store: 'calls' },
      { store: 'people', destroyed: 'key' },
      { store: 'calls', destroyed: 'key' },
    ]);
    expectVoice(done, VALUES);
    expect(done.out).not.toMatch(/99999|10005/);
    expect(await whole()).toBe(18);
  });

  test('an empty copy of a store, and a store that never had a subject', async () => {
    const others = [
      '--vault',
      'people=empty.people',
      '--vault',
      'calls=empty.calls',
      '--vault',
      'tickets=empty.tickets',
    ];
    const empty = ['--policy', 'p.yaml', '--keys', 'keys.json', ...others];
    place.write('none.csv', 'id,name,phone,ticket\n1,Ada,,\n');
    for (const name of ['empty.people', 'empty.calls', 'empty.tickets']) place.write(name, '');
    expect((await place.run(['vault', 'shred', ...empty], '10017\n')).code).toBe(5);
    expect((await place.run(['protect', 'none.csv', ...empty, '--out', 'out.csv'])).code).toBe(0);
    const done = await place.run(['vault', 'shred', ...empty], '10017\n');
    expect(done.code).toBe(9);
    expect(json(done.out).map(({ found }) => found)).toEqual([false, false]);
    place.write('tickets.yaml', POLICY.replaceAll(', subject: id', ''));
    const none = await place.run(
      ['vault', 'shred', ...at().map((one) => (one === 'p.yaml' ? 'tickets.yaml' : one))],
      '1\n',
    );
    expect(none.code).toBe(2);
    expect(none.err).toContain('no vault rule of the policy has a subject');
  });

  test('in advance: the certificate says so, and the subject is refused when it is loaded', async () => {
    const done = await shred('20001\n10017\n', '--in-advance');
    expect(done.code, done.err).toBe(0);
    expect(json(done.out).map(({ destroyed }) => destroyed)).toEqual(['in advance', 'in advance', 'key', 'key']);
    place.write('out.in.csv', 'id,name,phone,ticket\n20001,Ada,1,t\n');
    const load = await place.run(['protect', 'out.in.csv', ...at()]);
    expect(load.code).toBe(1);
    expect(load.err).toContain('the subject was erased');
    const other = await place.run(['vault', 'forget', ...at('--in-advance')], 'x\n');
    expect(other.code).toBe(2);
  });

  test('a line that is no subject by its form is refused; those before it were done, those after not', async () => {
    const [id, name, , ticket] = cellsOf(place.read('safe.csv'))[17]!;
    const token = 'the line is a token; vault shred takes subjects';
    const space = 'the line begins or ends with white space';
    const control = 'the line contains a control character';
    for (const [line, message] of [
      [' 10017', space],
      ['10017 ', space],
      ['10017\u00a0', space],
      ['\ufeff10017', space],
      ['10017\u200b', space],
      ['\t', space],
      ['10017\tPerson 17', control],
      ['10017\r10018', control],
      ['10017\u2028x', control],
      [id!, token],
      [name!, token],
      [ticket!, token],
      // Mistyped.
      [`${name!.slice(0, -1)}${name!.endsWith('0') ? '1' : '0'}`, token],
    ] as const) {
      for (const more of [[], ['--in-advance']]) {
        const done = await shred(`10003\n${line}\n10004\n`, ...more);
        expect(done.err).toContain(`line 2: ${message}`);
        expect(done.err).toContain('hint: the lines before this one are erased');
        expect(done.code).toBe(1);
        expect(json(done.out)).toHaveLength(2);
        expectVoice(done, VALUES);
      }
    }
    expect(await whole()).toBe(19);
    const latin = await shred(Buffer.from('10004\nM\u00fcller\n', 'latin1'), '--in-advance');
    expect(latin.err).toContain('line 2: the line is not UTF-8');
    expect(latin.code).toBe(1);
    const long = await shred(`${'7'.repeat(2_000_000)}\n`);
    expect(long.err).toContain('line 1: the line is longer than 1,048,576 bytes');
    expect(long.code).toBe(1);
    expect(await whole()).toBe(18);
  });

  test('a subject that only looks like a short token is one', async () => {
    place.write('out.in.csv', 'id,name,phone,ticket\nacct_1a2b3c4d5e6f7g8h,Ada,1,t\n');
    expect((await place.run(['protect', 'out.in.csv', ...at()])).code).toBe(0);
    const done = await shred('acct_1a2b3c4d5e6f7g8h\n');
    expect(done.code, done.err).toBe(0);
    expect(json(done.out)).toHaveLength(2);
  });
});

describe('forget', () => {
  test('refuses a line with white space, and says of others what they are not', async () => {
    const [, , , ticket] = cellsOf(place.read('safe.csv'))[3]!;
    const [, , , other] = cellsOf(place.read('safe.csv'))[4]!;
    for (const line of [` ${other}`, `${other} `, `${other}\tx`]) {
      const done = await place.run(['vault', 'forget', ...at()], `${ticket}\n${line}\n`);
      expect(done.code).toBe(1);
      expect(done.err).toMatch(/line 2: the line (begins or ends with white space|contains a control character)/);
      expect(json(done.out)).toHaveLength(1);
    }
    const done = await place.run(['vault', 'forget', ...at()], `\n10017\n${ticket}\n${other}\n`);
    expect(done.code).toBe(9);
    expect(json(done.out)).toEqual([
      { line: 2, found: false, forgotten: false },
      { line: 3, found: true, forgotten: false },
      { line: 4, found: true, forgotten: true },
    ]);
    expect(done.err).toContain(
      'hint: line 2 is not a token; vault forget takes tokens, and vault shred takes subjects',
    );
    expectVoice(done, VALUES);
  });
});

describe('check-certificate', () => {
  test('of a file and of standard input, with the subjects and without', async () => {
    const { out } = await shred('10017\n10003\n10017\n', '--in-advance');
    place.write('out.ndjson', out);
    const lines = json(out);
    const alone = await check(out);
    expect(alone.code, alone.err).toBe(0);
    expect(json(alone.out)).toEqual(
      lines.map(({ destroyed, store, at }, i) => ({
        line: i + 1,
        verified: true,
        destroyed,
        store,
        at,
        now: 'erased',
        subject: null,
      })),
    );
    place.write('subjects.txt', '\n10003\n10017\n');
    const held = await check('', 'out.ndjson', '--subjects', 'subjects.txt');
    expect(held.code, held.err).toBe(0);
    expect(json(held.out).map(({ subject }) => subject)).toEqual([3, 3, 2, 2, 3, 3]);
    const piped = await check('10003\n10017\n', 'out.ndjson', '--subjects', '-');
    expect(piped.code, piped.err).toBe(0);
    expect(piped.out).not.toMatch(/10003|10017/);
  });

  test('a subject without a certificate: code 9', async () => {
    const { out } = await shred('10017\n10005\n');
    place.write('out.ndjson', out.split('\n').slice(0, 3).join('\n'));
    place.write('subjects.txt', '10017\n10005\n10006\n');
    const done = await check('', 'out.ndjson', '--subjects', 'subjects.txt');
    expect(done.code).toBe(9);
    expect(json(done.out).slice(3)).toEqual([
      { subject: 3, store: 'people', found: false },
      { subject: 2, store: 'calls', found: false },
      { subject: 3, store: 'calls', found: false },
    ]);
    expectVoice(done, VALUES);
  });

  test('what was changed, moved, made up or is of somebody else does not verify: code 7', async () => {
    const { out } = await shred('10017\n');
    const [first] = json(out);
    const changed = [
      { ...first, destroyed: 'in advance' },
      { ...first, destroyed: 'nothing' },
      { ...first, store: 'calls' },
      { ...first, store: 'tickets' },
      { ...first, store: 'other' },
      { ...first, domain: 'other' },
      { ...first, at: '2020-01-01T00:00:00.000Z' },
      { ...first, subject: '0'.repeat(32) },
      { ...first, mappings: '3' },
      { ...first, mac: '0'.repeat(64) },
      [],
      null,
      7,
    ].map((one) => JSON.stringify(one));
    const done = await check([...changed, 'no json', '{', out.split('\n')[0]].join('\n'));
    expect(done.code).toBe(7);
    const verdicts = json(done.out).map(({ verified }) => verified);
    expect(verdicts).toEqual([...changed.map(() => false), false, false, true]);
    expect(done.err).toContain('warning: 15 lines');
    place.write('out.ndjson', out);
    place.write('subjects.txt', '10018\n');
    const other = await check('', 'out.ndjson', '--subjects', 'subjects.txt');
    expect(other.code).toBe(7);
    expect(json(other.out)[0]).toEqual({ line: 1, verified: false });
    await place.run(['keys', 'new', '--out', 'out.keys']);
    const keys = await place.run([
      'vault',
      'check-certificate',
      'out.ndjson',
      ...at().map((one) => (one === 'keys.json' ? 'out.keys' : one)),
    ]);
    expect(keys.code).toBe(1);
    expect(keys.err).toContain('which the keyset does not have');
  });

  test('says whether the erasure holds in the store that was opened', async () => {
    const { out } = await shred('10017\n');
    const stores = ['people', 'calls', 'tickets'];
    for (const store of stores) copyFileSync(place.path(`${store}.db`), place.path(`${store}.shredded`));
    // A copy from before: the certificate is genuine, and the person lives.
    for (const store of stores) copyFileSync(place.path(`${store}.first`), place.path(`${store}.db`));
    const before = await check(out);
    expect(before.code, before.err).toBe(9);
    expect(json(before.out).map(({ verified, now }) => [verified, now])).toEqual(json(out).map(() => [true, 'alive']));
    expect(before.err).toContain('not erased in this store');
    for (const store of stores) copyFileSync(place.path(`${store}.shredded`), place.path(`${store}.db`));
    expect((await check(out)).code).toBe(0);
  });

  test('an empty line names nobody: a warning, and code 9; and no line is said, too', async () => {
    for (const verb of ['shred', 'forget']) {
      const unset = await place.run(['vault', verb, ...at()], '\n');
      expect(unset).toMatchObject({ code: 9, out: '' });
      expect(unset.err).toContain('1 line of standard input was empty');
      const none = await place.run(['vault', verb, ...at()], '');
      expect(none).toMatchObject({ code: 0, out: '' });
      expect(none.err).toContain('so nothing was erased');
    }
    const mixed = await shred('10017\n\n');
    expect(mixed.code).toBe(9);
    expect(json(mixed.out).length).toBeGreaterThan(0);
  });

  test('a subject that is twice has one certificate, and a subject that was not found has none', async () => {
    const { out } = await shred('10017\n404\n');
    place.write('subjects.txt', '10017\n10017\n');
    const twice = await check(out, '--subjects', 'subjects.txt');
    expect(twice.code, twice.err).toBe(9);
    expect(json(twice.out).filter((line) => 'subject' in line && line.found === false)).toEqual([]);
    const alone = await check(out);
    expect(alone.code, alone.err).toBe(9);
    expect(alone.err).toContain('without a certificate, because the store did not know the subject');
    expect(json(alone.out).filter(({ found }) => found === false).length).toBeGreaterThan(0);
    place.write('subjects.txt', '404\n');
    expect((await check(out, '--subjects', 'subjects.txt')).code).toBe(7);
  });

  test('a certificate says nothing that was not signed', async () => {
    const [line] = (await shred('10017\n')).out.split('\n');
    expect((await check(`${line}\n`)).code).toBe(0);
    const { mac } = JSON.parse(line!) as { readonly mac: string };
    const forged = [
      line!.replace('{', '{"mappingsDestroyed":17,'),
      line!.replace('{', '{"destroyed":"in advance",'),
      line!.replace('"destroyed"', '"d\\u0065stroyed":"nothing","destroyed"'),
      line!.replace(mac, mac.toUpperCase()),
      line!.replace('{', '{"found":false,'),
      '{"line":1,"found":false,"store":"people","more":1}',
    ];
    for (const one of forged) {
      expect(one).not.toBe(line);
      const ended = await check(`${one}\n`);
      expect(ended.code, one.slice(0, 40)).toBe(7);
      expect(json(ended.out)).toEqual([{ line: 1, verified: false }]);
    }
  });

  test('what does not go with it is refused', async () => {
    const { out } = await shred('10017\n');
    expect((await check(out, '--subjects', '-')).err).toContain('FILE and --subjects are both standard input');
    expect((await check(out, '-', '10017')).code).toBe(2);
    expect((await check('')).err).toContain('the input contains no certificate');
    place.write('subjects.txt', '\n');
    expect(await check('', '--subjects', 'subjects.txt')).toMatchObject({ code: 2 });
    expect((await check(out, 'nowhere.ndjson')).code).toBe(5);
  });
});
