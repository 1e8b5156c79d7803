/**
 * A leaked root is taken out of a vault: what stays of it are the branches that the store needs, and the store opens,
 * reveals and verifies as before.
 */
import { beforeAll, describe, expect, it } from 'vitest';
import { cellsOf, expectVoice, json } from '../harness.ts';
import { makeVaultPlace, VALUES, vaultPolicy } from './place.ts';

const FIELDS = [
  'name: { rule: vault, scope: person.name, store: people, subject: id, label: nm }',
  'phone: { rule: vault, scope: person.phone, store: people }',
  'plate: { rule: seal, scope: plate }',
];
const ROWS = ['1,Person 1,+49 30 1,KA1', '2,Person 2,+49 30 2,KA2', '3,Person 3,+49 30 3,KA3'];
const place = makeVaultPlace(vaultPolicy(...FIELDS), `id,name,phone,plate\n${ROWS.join('\n')}\n`);
const { options, done } = place;

let old: string;
let now: string;
let safe: string;

beforeAll(async () => {
  safe = await place.filled();
  place.write('safe.csv', safe);
  await done(['keys', 'add', '--keys', 'keys.json', '--out', 'k2.json']);
  const { keys } = JSON.parse((await done(['keys', 'inspect', '--keys', 'k2.json', '--json'])).out) as {
    keys: { id: string }[];
  };
  [old, now] = keys.map(({ id }) => id) as [string, string];
  await done(['keys', 'promote', now, '--keys', 'k2.json', '--out', 'k3.json']);
});

const retire = (out: string, ...more: readonly string[]) =>
  place.run(['keys', 'retire', old, '--keys', 'k3.json', '--out', out, '--policy', 'p.yaml', ...more]);

describe('a root that a vault names', () => {
  it('is not retired without the place of every store', async () => {
    const ended = await retire('no.json');
    expect(ended).toMatchObject({ code: 2, err: expect.stringContaining('the place of the store people is missing') });
  });

  it('is not retired while rows are in its outer layer, whatever is kept', async () => {
    for (const more of [[], ['--keep-needed']]) {
      const ended = await retire('no.json', '--vault', 'people.db', ...more);
      expect(ended.code).toBe(4);
      expect(ended.err).toContain('the store people has rows in the outer layer of key');
      expect(ended.err).toContain('run trefoil vault rekey first');
    }
    expect(place.files()).not.toContain('no.json');
  });

  it('gives way to the branches of mappings and subjects once the outer layer has moved', async () => {
    await done(['vault', 'rekey', ...options('people.db', 'k3.json')]);
    const refused = await retire('no.json', '--vault', 'people.db');
    expect(refused.code).toBe(4);
    expect(refused.err).toContain('has mappings in the inner layer of key');
    expect(refused.err).toContain('looks up subjects under key');

    const ended = await retire('k4.json', '--vault', 'people.db', '--keep-needed');
    expect(ended.code, ended.err).toBe(0);
    expectVoice(ended, VALUES);
    const { keys } = JSON.parse((await done(['keys', 'inspect', '--keys', 'k4.json', '--json'])).out) as {
      keys: { id: string; branches?: { kind: string; scope: string; part: string }[] }[];
    };
    // The old key is also the base of the new one. Nothing else of it is left: no seal, no rejects, no outer layer.
    expect(
      keys.find(({ id }) => id === old)!.branches!.map(({ kind, scope, part }) => `${kind} ${scope} ${part}`),
    ).toEqual(
      expect.arrayContaining([
        'token person null',
        'vault person.name inner',
        'vault people subjects',
        'vault person.phone inner',
      ]),
    );
    expect(keys.find(({ id }) => id === old)!.branches).toHaveLength(4);
    const [pin] = /branchCheck: "\w{26}"/.exec(ended.err)!;
    place.write('pinned.yaml', `${pin}\n${place.read('p.yaml')}`);
  });

  const after = ['--policy', 'pinned.yaml', '--keys', 'k4.json', '--vault', 'people.db'];

  it('leaves a vault that opens, reveals old tokens and passes verify', async () => {
    const tokens = cellsOf(safe).map((cells) => cells.slice(0, 3).join(','));
    place.write('tokens.csv', `id,name,phone\n${tokens.join('\n')}\n`);
    place.write('back.yaml', place.read('pinned.yaml').replace(/ {2}plate: .*\n/, ''));
    const back = await done(['reveal', 'tokens.csv', '--policy', 'back.yaml', ...after.slice(2), '--quiet']);
    expect(cellsOf(back.out).map((cells) => cells.slice(1))).toEqual(ROWS.map((row) => row.split(',').slice(1, 3)));
    const [report] = json((await done(['vault', 'verify', ...after])).out);
    expect(report).toMatchObject({ store: 'people', broken: 0, problems: [] });
    const [stats] = json((await done(['vault', 'stats', ...after])).out);
    // New mappings keep the inner layer of the old key until tokens are moved, and so do the subjects.
    expect(stats.inner).toEqual([stats.subjects]);
    expect(stats.inner).not.toContain(stats.outer[0]);
  });

  it('gives the same tokens to the same values, and new ones under the new key', async () => {
    place.write('more.csv', `id,name,phone,plate\n${ROWS[0]}\n4,Person 4,+49 30 4,KA4\n`);
    const { out } = await done(['protect', 'more.csv', ...after, '--quiet']);
    const [first, fourth] = cellsOf(out);
    expect(first!.slice(1, 3)).toEqual(cellsOf(safe)[0]!.slice(1, 3));
    expect(fourth![1]).toMatch(/^nm_\w{35}$/);
    const [report] = json((await done(['vault', 'verify', ...after])).out);
    expect(report.broken).toBe(0);
  });

  it('without the pin, or with the old sealed values, is refused', async () => {
    const unpinned = await place.run(['vault', 'verify', ...options('people.db', 'k4.json')]);
    expect(unpinned).toMatchObject({ code: 4, err: expect.stringContaining('pin "branchCheck"') });
    const sealed = await place.run(['reveal', 'safe.csv', ...after, '--quiet']);
    expect(sealed.code).toBe(1);
    expect(sealed.err).toContain('the value was sealed with a key of another domain or keyset');
  });

  it('erasure goes on, and the certificate verifies', async () => {
    const { out } = await done(['vault', 'shred', ...after], '2\n');
    place.write('certificates.ndjson', out);
    place.write('subjects.txt', '2\n');
    await done(['vault', 'check-certificate', 'certificates.ndjson', '--subjects', 'subjects.txt', ...after]);
    const [report] = json((await done(['vault', 'verify', ...after])).out);
    expect(report.broken).toBe(0);
  });
});

describe('a certificate from the time of a key that is retired', () => {
  it('verifies before, and afterwards the messages say why it does not', async () => {
    await place.filled('certified.db');
    const { out } = await done(['vault', 'shred', ...options('certified.db')], '2\n');
    place.write('of-then.ndjson', out);
    await done(['vault', 'rekey', ...options('certified.db', 'k3.json')]);
    const check = ['vault', 'check-certificate', 'of-then.ndjson'];
    expect((await done([...check, ...options('certified.db', 'k3.json')])).out).toContain('"verified":true');
    const ended = await retire('k9.json', '--vault', 'certified.db', '--keep-needed');
    expect(ended.code, ended.err).toBe(0);
    expect(ended.err).toContain('trefoil: hint: check your certificates first: those of subjects that were shredded');
    place.write('then.yaml', `${/branchCheck: "\w{26}"/.exec(ended.err)![0]}\n${place.read('p.yaml')}`);
    const later = ['--policy', 'then.yaml', '--keys', 'k9.json', '--vault', 'certified.db'];
    const gone = await place.run([...check, ...later]);
    expect(gone).toMatchObject({ code: 7, out: '{"line":1,"verified":false}\n' });
    expect(gone.err).toContain(
      'trefoil: hint: 1 line of them names an outer key that the store does not use now. Once that key is retired, no ' +
        'certificate of it verifies, genuine or not; only a key file from before can tell\n',
    );
    // A certificate of today that was changed has no such excuse.
    const today = await done(['vault', 'shred', ...later], '3\n');
    place.write('of-then.ndjson', today.out.replace('"destroyed":"key"', '"destroyed":"nothing"'));
    const changed = await place.run([...check, ...later]);
    expect(changed.code).toBe(7);
    expect(changed.err).not.toContain('outer key');
  });
});

describe('vault rekey --tokens', () => {
  it('moves mappings to the inner layer of the primary key, by whatever rule they are', async () => {
    await place.filled('moving.db');
    const cells = cellsOf(place.read('safe.csv'));
    const own = cellsOf((await done(['protect', 'in.csv', ...options('moving.db'), '--quiet'])).out);
    expect(own).not.toEqual(cells);
    place.write('tokens.txt', `${own.flatMap((row) => [row[1], row[2]]).join('\n')}\n\n`);
    const rekey = ['vault', 'rekey', '--tokens', 'tokens.txt', ...options('moving.db', 'k3.json')];
    expect(json((await done(rekey)).out)).toEqual([{ store: 'people', moved: 6, left: 0 }]);
    // A second run has nothing to do.
    expect(json((await done(rekey)).out)).toEqual([{ store: 'people', moved: 0, left: 0 }]);
    const again = cellsOf((await done(['protect', 'in.csv', ...options('moving.db', 'k3.json'), '--quiet'])).out);
    expect(again.map((row) => row.slice(1, 3))).toEqual(own.map((row) => row.slice(1, 3)));
  });

  it('says what is no token of the stores', async () => {
    place.write('odd.txt', `${cellsOf(safe)[0]![0]}\nPerson 9\n`);
    const ended = await place.run(['vault', 'rekey', '--tokens', 'odd.txt', ...options('moving.db', 'k3.json')]);
    expect(ended.code).toBe(9);
    expect(ended.err).toContain('2 lines of the file are not tokens of these stores');
    expectVoice(ended, VALUES);
    place.write('none.txt', '');
    expect(
      json((await done(['vault', 'rekey', '--tokens', 'none.txt', ...options('moving.db', 'k3.json')])).out),
    ).toEqual([{ store: 'people', moved: 0, left: 0 }]);
    const missing = await place.run(['vault', 'rekey', '--tokens', 'x.txt', ...options('moving.db', 'k3.json')]);
    expect(missing.code).toBe(5);
  });
});

describe('a policy with fields of a vault only, after a rotation of a key that is its own base', () => {
  const pinned = (name: string, err: string) => {
    const [pin] = /branchCheck: "\w{26}"/.exec(err)!;
    place.write(name, `${pin}\n${place.read('only.yaml')}`);
  };
  const protectWith = (policy: string, keys: string) =>
    done(['protect', 'phones.csv', '--policy', policy, '--keys', keys, '--vault', 'only.db', '--quiet']);
  let tokens: string;

  beforeAll(async () => {
    place.write(
      'only.yaml',
      `trefoil: 1\ndomain: eu-enclave\nfields:\n  phone: ${FIELDS[1]!.slice('phone: '.length)}\n`,
    );
    place.write('phones.csv', 'phone\n+49 30 1\n+49 30 2\n');
    tokens = (await protectWith('only.yaml', 'keys.json')).out;
    await done(['vault', 'rekey', '--policy', 'only.yaml', '--keys', 'k3.json', '--vault', 'only.db']);
  });

  it('keys narrow --verbs protect makes a file that protects, and says which branches it has', async () => {
    const narrow = ['keys', 'narrow', '--policy', 'only.yaml', '--verbs', 'protect', '--keys', 'k3.json'];
    const { err } = await done([...narrow, '--out', 'worker.json']);
    expect(err).toContain(
      `the file also has the vault branches of root key ${old}: a vault looks values up under every`,
    );
    pinned('worker.yaml', err);
    expect((await protectWith('worker.yaml', 'worker.json')).out).toBe(tokens);
    const first = await done([...narrow.with(-1, 'keys.json'), '--out', 'first.json']);
    expect(first.err).not.toContain('vault branches');
  });

  it('keys retire --keep-needed keeps the branches of the vault, and nothing of the base', async () => {
    place.write('only.csv', tokens);
    await done(['scan', 'only.csv', '--policy', 'only.yaml', '--out', 'only.scan.json']);
    const vault = ['--policy', 'only.yaml', '--scan', 'only.scan.json', '--vault', 'only.db', '--keep-needed'];
    const ended = await done(['keys', 'retire', old, ...vault, '--keys', 'k3.json', '--out', 'only.json']);
    expectVoice(ended, VALUES);
    const lines = ended.err.split('\n').filter((line) => line.includes('kept of'));
    expect(lines.map((line) => line.replace(/.*kept of \w+: /, '')).sort()).toEqual([
      'vault people, its subjects in eu-enclave',
      'vault person.phone, its mappings in eu-enclave',
    ]);
    expect(ended.err).toContain(`so nothing is kept for those of root key ${now}, whose base this is`);
    pinned('kept.yaml', ended.err);
    expect((await protectWith('kept.yaml', 'only.json')).out).toBe(tokens);
    const back = [
      'reveal',
      'only.csv',
      '--policy',
      'kept.yaml',
      '--keys',
      'only.json',
      '--vault',
      'only.db',
      '--quiet',
    ];
    expect((await done(back)).out).toBe(place.read('phones.csv'));
  });
});
