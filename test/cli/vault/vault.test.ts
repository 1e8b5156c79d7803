/** A vault in a file from the command line: protecting and revealing records, erasure, and what is refused. */
import { afterAll, describe, expect, test } from 'vitest';
import { cellsOf, expectVoice, makePlace } from '../harness.ts';

const place = makePlace();
afterAll(() => place.remove());

const POLICY = `trefoil: 1
domain: eu-enclave
fields:
  id: { rule: token, scope: person, label: cust }
  name: { rule: vault, scope: person.name, store: people, subject: id, onErased: error }
  phone: { rule: vault, scope: person.phone, store: people }
  born: { rule: coarsen, date: year }
`;
const ROWS = Array.from({ length: 3000 }, (_, i) => `${i},Person ${i % 1500},+49 30 ${i % 700},1984-03-12`);
const VALUES = ['Person', '+49 30', '1984-03'];
const common = ['--policy', 'p.yaml', '--keys', 'keys.json', '--vault', 'people.db'];

describe('records', () => {
  test('there and back, the same twice, and nothing of them in the store', async () => {
    place.write('p.yaml', POLICY);
    place.write('in.csv', `id,name,phone,born\n${ROWS.join('\n')}\n`);
    await place.run(['keys', 'new', '--out', 'keys.json']);
    const done = await place.run(['protect', 'in.csv', ...common, '--out', 'safe.csv']);
    expect(done.err).toContain('3,000 rows in, 3,000 out');
    expect(done.code).toBe(0);
    expectVoice(done, VALUES);
    const again = await place.run(['protect', 'in.csv', ...common, '--out', 'again.csv']);
    expect(again.code).toBe(0);
    expect(place.read('again.csv')).toBe(place.read('safe.csv'));

    const back = await place.run(['reveal', 'safe.csv', ...common, '--out', 'back.csv']);
    expect(back.code).toBe(0);
    const cells = cellsOf(place.read('back.csv'));
    expect(cells.map(([, name, phone]) => `${name},${phone}`)).toEqual(
      ROWS.map((row) => row.split(',').slice(1, 3).join(',')),
    );
    for (const file of place.files().filter((name) => name.startsWith('people.db'))) {
      // Long enough not to be there by chance, among as many random bytes.
      expect(/Person \d|\+49 30 /.test(place.read(file)), file).toBe(false);
    }
  });

  test('NDJSON, nested and compressed, through standard input', async () => {
    const lines = ROWS.slice(0, 50).map((row) => {
      const [id, name, phone, born] = row.split(',');
      return JSON.stringify({ id, name, phone, born });
    });
    const done = await place.run(['protect', '-', '--format', 'ndjson', ...common], `${lines.join('\n')}\n`);
    expect(done.code).toBe(0);
    const safe = place.read('safe.csv').split('\n')[1]!.split(',');
    expect(Object.values(JSON.parse(done.out.split('\n')[0]!))).toEqual(safe);
  });

  test('a record that does not fit is told by row and field, and rejected where that is said', async () => {
    place.write('bad.csv', 'id,name,phone,born\n1,Person 1,+49 30 1,1984-03-12\n,Person 2,+49 30 2,1984-03-12\n');
    const stopped = await place.run(['protect', 'bad.csv', ...common, '--out', 'bad.safe.csv']);
    expect(stopped).toMatchObject({ code: 1 });
    expect(stopped.err).toContain('row 2, line 3, field name: ');
    expectVoice(stopped, VALUES);
    const rejected = await place.run([
      ...['protect', 'bad.csv', ...common, '--out', 'bad.safe.csv'],
      ...['--on-error', 'reject', '--rejects', 'rejects.ndjson'],
    ]);
    expect(rejected.code).toBe(9);
    expect(place.read('bad.safe.csv').trimEnd().split('\n').length).toBe(2);
  });
});

describe('the store', () => {
  const json = (out: string) =>
    out
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));

  test('stats and verify', async () => {
    const stats = await place.run(['vault', 'stats', ...common]);
    expect(json(stats.out)[0]).toMatchObject({ domain: 'eu-enclave', store: 'people' });
    expect(json(stats.out)[0].tables.value.rows).toBe(3000 + 700);
    const verified = await place.run(['vault', 'verify', ...common]);
    expect(verified.code).toBe(0);
    expect(json(verified.out)[0]).toMatchObject({ store: 'people', broken: 0, problems: [] });
  });

  test('forget and shred; what was erased stays so', async () => {
    const [, name, phone] = place.read('safe.csv').split('\n')[1]!.split(',');
    const forgotten = await place.run(['vault', 'forget', ...common], `${phone}\n`);
    expect(json(forgotten.out)).toEqual([{ line: 1, found: true, forgotten: true }]);
    const shredded = await place.run(['vault', 'shred', ...common], '0\n');
    expect(json(shredded.out)[0]).toMatchObject({ trefoil: 'vault-v1 certificate', destroyed: 'key', store: 'people' });
    place.write('one.csv', `id,name,phone,born\ncust,${name},${phone},1984\n`);
    const back = await place.run(['reveal', 'one.csv', ...common, '--out', 'one.back.csv']);
    expect(back.code).toBe(1);
    expect(back.err).toContain('field name: the mapping of this token was destroyed');
    const load = await place.run(['protect', 'in.csv', ...common, '--out', 'later.csv']);
    expect(load.code).toBe(1);
    expect(load.err).toContain('erased');
    expectVoice(load, VALUES);
    const verified = await place.run(['vault', 'verify', ...common]);
    expect(json(verified.out)[0].broken).toBe(0);
  });

  test('a new primary key: still one token a value, and the outer layer follows', async () => {
    const old = JSON.parse(place.read('keys.json'));
    await place.run(['keys', 'new', '--out', 'next.json']);
    const next = JSON.parse(place.read('next.json'));
    const keys = [...old.keys.map(({ primary: _, ...key }: { primary?: boolean }) => key), ...next.keys];
    place.write('both.json', JSON.stringify({ version: 'keyset-v1', keys }));
    const moved = common.map((one) => (one === 'keys.json' ? 'both.json' : one));
    place.write('two.csv', `id,name,phone,born\n7,Person 7,+49 30 7,1984-03-12\n`);
    const before = await place.run(['protect', 'two.csv', ...common]);
    const rekeyed = await place.run(['vault', 'rekey', ...moved]);
    expect(rekeyed.code).toBe(0);
    expect(json(rekeyed.out)[0]).toMatchObject({ left: 0 });
    const after = await place.run(['protect', 'two.csv', ...moved]);
    const [was, is] = [before, after].map(({ out }) => out.trimEnd().split('\n')[1]!.split(','));
    expect(is!.slice(1)).toEqual(was!.slice(1));
    const alone = await place.run(['protect', 'two.csv', ...common]);
    expect(alone.code).not.toBe(0);
    expect(alone.err).toContain('which the keyset does not have');
  });

  test('what does not go with it is said', async () => {
    const refused = async (args: readonly string[], part: string, code = 2) => {
      const ended = await place.run(args);
      expect(ended.err).toContain(part);
      expect(ended.code).toBe(code);
    };
    const policy = ['--policy', 'p.yaml', '--keys', 'keys.json'];
    await refused(['protect', 'in.csv', ...policy], 'the place of the store people is missing');
    await refused(['protect', 'in.csv', ...policy, '--vault', 'postgres://a:secret@b/c'], 'password');
    await refused(['apply', '--ndjson', ...policy], 'apply cannot be used with a vault');
    place.write('plain.yaml', 'trefoil: 1\ndomain: eu-enclave\nfields:\n  id: keep\n');
    await refused(
      ['protect', 'in.csv', '--policy', 'plain.yaml', '--vault', 'x.db'],
      '--vault is set, but the policy has no vault rule',
    );
    place.write('broken.db', 'this is no database, and long enough to be looked at as one. '.repeat(20));
    await refused(['vault', 'stats', ...policy, '--vault', 'broken.db'], 'SQLITE_NOTADB', 5);
  });
});

describe('check', () => {
  const check = (...args: string[]) => place.run(['check', '--policy', 'p.yaml', ...args]);

  test('compares the keys of a policy with a vault and opens no store', async () => {
    expect(await check('--keys', 'keys.json')).toMatchObject({ code: 0 });
    place.write('pinned.yaml', POLICY.replace('fields:', 'keyCheck: { "mzv61": "0000000000000000" }\nfields:'));
    const pinned = await place.run(['check', '--policy', 'pinned.yaml', '--keys', 'keys.json']);
    expect(pinned.code).toBe(4);
  });

  test('tries records in memory', async () => {
    const store = place.read('people.db');
    const tried = await check('--input', 'in.csv');
    expect(tried).toEqual({ code: 0, out: '', err: 'trefoil: p.yaml: no problems, the first 100 rows tried\n' });
    expect(place.read('people.db')).toBe(store);
  });
});
