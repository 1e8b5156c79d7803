/** Key files that are made, added to, promoted, inspected and narrowed, as processes. */
import { spawn } from 'node:child_process';
import { existsSync, statSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CLI, expectVoice, json, makePlace, type Place } from '../harness.ts';

let place: Place;

const POLICY = `trefoil: 1
domain: eu-enclave
fields:
  id: { rule: token, scope: person, label: cust }
  code: { rule: token, scope: person, form: hex, length: 12, population: 100 }
  name: { rule: seal, scope: person.name }
  plate: { rule: fpe, scope: car, format: { type: pattern, pattern: AA99999 } }
  seen: { rule: shiftDate, scope: visit, subject: id, days: 30 }
  born: { rule: coarsen, date: year }
`;
/** A policy whose values all show their key, so that a table may be moved in parts. */
const ID_POLICY = `trefoil: 1
domain: eu-enclave
fields:
  id: { rule: token, scope: person, label: cust }
`;
const CSV = 'id,code,name,plate,seen,born\n7,7,Zoë Müller,KA12345,2024-02-29,1984-03-12\n';

beforeAll(() => {
  place = makePlace();
  place.write('p.yaml', POLICY);
  place.write('in.csv', CSV);
  place.write('id.csv', 'id\n7\n8\n');
});

afterAll(() => place.remove());

/** What `keys inspect --json` says. */
interface Inspected {
  readonly ids: readonly string[];
  readonly primary: string;
  readonly keys: readonly { readonly id: string; readonly state: string; readonly base?: string }[];
  readonly keyId?: string;
  readonly keyCheck?: Readonly<Record<string, string>>;
  readonly pins?: Readonly<Record<string, string>>;
  readonly [more: string]: unknown;
}

async function inspect(
  file: string,
  more: readonly string[] = [],
  env: Record<string, string> = {},
): Promise<Inspected> {
  const ended = await place.run(['keys', 'inspect', '--keys', file, '--json', ...more], '', env);
  expect(ended).toMatchObject({ code: 0, err: '' });
  return JSON.parse(ended.out) as Inspected;
}

const states = ({ keys }: Inspected) => keys.map(({ state }) => state);

async function run(args: readonly string[], env: Record<string, string> = {}) {
  const ended = await place.run(args, '', env);
  expect(ended.code, ended.err).toBe(0);
  expectVoice(ended, ['trefoil-root', 'Müller', 'KA12345']);
  return ended;
}

describe('the life of a key file', () => {
  let ready: string;
  let first: string;

  it('begins with a base and a first key', async () => {
    const { err } = await run(['keys', 'new', '--renewable', '--out', 'k1.json']);
    expect(statSync(place.path('k1.json')).mode & 0o777).toBe(0o600);
    const made = await inspect('k1.json');
    first = made.primary;
    expect(states(made)).toEqual(['primary', 'base']);
    expect(made.keys[0]!.base).toBe(made.keys[1]!.id);
    expect(err).toContain(`root key ${first} and its base ${made.keys[1]!.id}`);
  });

  it('add makes a key that is ready, in a new file, and the old file stays as it was', async () => {
    const before = place.read('k1.json');
    const { err } = await run(['keys', 'add', '--keys', 'k1.json', '--out', 'k2.json']);
    expect(place.read('k1.json')).toBe(before);
    expect(statSync(place.path('k2.json')).mode & 0o777).toBe(0o600);
    const now = await inspect('k2.json');
    expect(states(now)).toEqual(['primary', 'base', 'ready']);
    ready = now.keys[2]!.id;
    expect(now.keys[2]!.base).toBe(now.keys[0]!.base);
    expect(err).toContain(`root key ${ready} is ready`);
    // It makes no values: both files protect alike.
    const protect = async (keys: string) =>
      (await run(['protect', 'in.csv', '--policy', 'p.yaml', '--keys', keys, '--quiet'])).out;
    expect(await protect('k2.json')).toBe(await protect('k1.json'));
  });

  it('promote makes it primary; the one before reads', async () => {
    await run(['keys', 'promote', ready, '--keys', 'k2.json', '--out', 'k3.json']);
    const now = await inspect('k3.json', ['--domain', 'eu-enclave']);
    expect(now.primary).toBe(ready);
    expect(states(now)).toEqual(['primary', 'old', 'base']);
    const old = await inspect('k1.json', ['--domain', 'eu-enclave']);
    expect(now.keyCheck).toEqual({ ...old.keyCheck, [now.keyId!]: expect.stringMatching(/^\w{16}$/) });
    expect(now.pins).toEqual({ ...now.keyCheck, protects: now.keyId });
    expect(old).not.toHaveProperty('pins');
    // The line with "protects" refuses the file from before.
    const { out } = await run(['keys', 'inspect', '--keys', 'k3.json', '--domain', 'eu-enclave']);
    const line = out.split('\n').find((text) => text.includes('protects:'))!;
    place.write('pinned.yaml', `${line}\n${POLICY}`);
    const protect = ['protect', 'in.csv', '--policy', 'pinned.yaml', '--quiet', '--keys'];
    expect((await place.run([...protect, 'k3.json'])).code).toBe(0);
    const before = await place.run([...protect, 'k2.json', '--out', 'x.csv']);
    expect(before.code).toBe(4);
    expect(before.err).toContain('the key file may be from before a rotation');
    expect(existsSync(place.path('x.csv'))).toBe(false);
  });

  it('promoting back is possible, and said', async () => {
    const { err } = await run(['keys', 'promote', first, '--keys', 'k3.json', '--out', 'back.json']);
    expect(err).toContain(`warning: root key ${first} was primary before`);
    expect(states(await inspect('back.json'))).toEqual(['primary', 'old', 'base']);
  });

  it('a key with a base of its own is possible, and what it breaks is said', async () => {
    const { err } = await run(['keys', 'add', '--new-lineage', '--keys', 'k3.json', '--out', 'other.json']);
    expect(err).toContain('will join no tokens of older keys');
    const { keys } = await inspect('other.json');
    const [own] = keys.filter(({ state }) => state === 'ready');
    expect(own).not.toHaveProperty('base');
    const promoted = await run(['keys', 'promote', own!.id, '--keys', 'other.json', '--out', 'other-2.json']);
    expect(promoted.err).toContain('warning: new tokens join no tokens of');
  });

  it('a new lineage with a base of its own goes through the whole rotation', async () => {
    const add = ['keys', 'add', '--new-lineage', '--renewable', '--keys', 'k1.json', '--out', 'apart.json'];
    const { err } = await run(add);
    const { keys } = await inspect('apart.json');
    const [own, base] = keys.slice(-2);
    expect(own).toMatchObject({ state: 'ready', base: base!.id });
    expect(base).toMatchObject({ state: 'base', baseOf: [own!.id] });
    expect(err).toContain(`root key ${own!.id}, over its base ${base!.id}, is ready; ${first} still makes new values`);
    expect(JSON.parse(place.read('apart.json')).keys.at(-1)).toMatchObject({ id: base!.id, use: 'base' });
    const refused = await place.run(['keys', 'promote', base!.id, '--keys', 'apart.json', '--out', 'no.json']);
    expect(refused).toMatchObject({ code: 4, err: expect.stringContaining('is a base and nothing else') });

    // Before it protects, the words say what the move will refuse; the tokens are protected anew from the originals.
    const told = (await run(['keys', 'inspect', '--keys', 'apart.json', '--policy', 'p.yaml'])).out;
    expect(told).toContain('field id (token person): tokens of key');
    expect(told).toContain('cannot be renewed, because they have another base; protect the originals anew');
    await run(['keys', 'promote', own!.id, '--keys', 'apart.json', '--out', 'apart-2.json']);
    await run(['protect', 'in.csv', '--policy', 'p.yaml', '--keys', 'k1.json', '--out', 'lineage-1.csv']);
    const move = ['rekey', 'lineage-1.csv', '--policy', 'p.yaml', '--keys', 'apart-2.json'];
    const { keyId } = await inspect('k1.json', ['--domain', 'eu-enclave']);
    const moved = await place.run([...move, '--from', String(keyId)]);
    expect(moved.code).not.toBe(0);
    expect(moved.out).toBe('');
    await run(['protect', 'in.csv', '--policy', 'p.yaml', '--keys', 'apart-2.json', '--out', 'lineage-2.csv']);

    // The first lineage goes, its key and then its base.
    const retire = async (id: string, from: string, to: string) => {
      await run(['keys', 'retire', id, '--policy', 'p.yaml', '--keys', from, '--out', to]);
    };
    await retire(keys[0]!.id, 'apart-2.json', 'apart-3.json');
    await retire(keys[1]!.id, 'apart-3.json', 'apart-4.json');
    expect((await inspect('apart-4.json')).ids).toEqual([own!.id, base!.id]);

    // Inside the new lineage tokens are renewed, and then its first key goes as well.
    await run(['keys', 'add', '--keys', 'apart-4.json', '--out', 'apart-5.json']);
    const next = (await inspect('apart-5.json')).keys.find(({ state }) => state === 'ready')!;
    expect(next).toMatchObject({ base: base!.id });
    await run(['keys', 'promote', next.id, '--keys', 'apart-5.json', '--out', 'apart-6.json']);
    place.write('id.yaml', ID_POLICY);
    for (const n of [2, 6]) {
      const keysFile = n === 2 ? 'apart-2.json' : 'apart-6.json';
      await run(['protect', 'id.csv', '--policy', 'id.yaml', '--keys', keysFile, '--out', `id-${n}.csv`]);
    }
    const renewed = await run(['rekey', 'id-2.csv', '--policy', 'id.yaml', '--keys', 'apart-6.json', '--quiet']);
    expect(renewed.out).toBe(place.read('id-6.csv'));
    await retire(own!.id, 'apart-6.json', 'apart-7.json');
    const fresh = await run(['protect', 'id.csv', '--policy', 'id.yaml', '--keys', 'apart-7.json', '--quiet']);
    expect(fresh.out).toBe(place.read('id-6.csv'));
    // An epoch of a lineage takes the base that is there.
    const usage = await place.run(['keys', 'add', '--renewable', '--keys', 'k1.json', '--out', 'no.json']);
    expect(usage).toMatchObject({ code: 2, err: expect.stringContaining('--renewable needs --new-lineage') });
  });

  it('a recipient is added in place of a key', async () => {
    await run(['keys', 'add', '--domain', 'partner-b', '--of', 'eu-enclave', '--keys', 'k3.json', '--out', 'b.json']);
    const { recipients, ids } = await inspect('b.json');
    expect(recipients).toEqual({ 'partner-b': 'eu-enclave' });
    expect(ids).toEqual((await inspect('k3.json')).ids);
    const { out } = await run(['keys', 'inspect', '--keys', 'b.json']);
    expect(out).toContain('domain partner-b: a recipient of eu-enclave\n');
    const again = ['keys', 'add', '--domain', 'partner-b', '--of', 'us', '--keys', 'b.json', '--out', 'c.json'];
    expect(await place.run(again)).toMatchObject({
      code: 4,
      err: expect.stringContaining('has the parent eu-enclave'),
    });
  });

  it('inspect says of each key in words what it does', async () => {
    const { out } = await run(['keys', 'inspect', '--keys', 'k2.json', '--domain', 'eu-enclave']);
    const base = (await inspect('k2.json')).keys[1]!.id;
    expect(out.split('\n').slice(0, 4)).toEqual([
      `root key ${first} (primary): makes new values; its base is ${base}`,
      `root key ${base}: is a base and nothing else: it makes no values of its own; the base of ${first}, ${ready}`,
      `root key ${ready}: is ready: it reads, and makes no values yet; its base is ${base}`,
      expect.stringMatching(/^domain eu-enclave: protects with key \w{5}$/),
    ]);
    expect(out).toMatch(/# primary: protects and reveals\n.*# ready: makes no values yet\n/);
  });

  it('inspect --policy says what a rotation changes', async () => {
    const { out } = await run(['keys', 'inspect', '--keys', 'k3.json', '--policy', 'p.yaml']);
    for (const line of [
      'policy p.yaml: what a rotation changes',
      '  field id (token person): tokens are renewed without the originals',
      '  field code (token person): tokens are renewed without the originals, as a whole column',
      '  field name (seal person.name): values are opened and sealed anew',
      '  field plate (fpe car): values are decrypted and encrypted anew, as a whole column',
      '  field seen (shiftDate visit): dates stay as they are',
    ]) {
      expect(out).toContain(line);
    }
    expect(out).not.toContain('field born');
    expect(out).not.toContain('beginnings of');
    // Under a first key that is its own base, both sizes of bodies still join.
    await run(['keys', 'new', '--out', 'single.json']);
    const single = await run(['keys', 'inspect', '--keys', 'single.json', '--policy', 'p.yaml']);
    expect(single.out).toContain(
      'tokens of fields id, code (scope person): the shorter of 128 bits and 48 bits are beginnings of the longer ones, ',
    );
    const { policies, lost } = await inspect('single.json', ['--policy', 'p.yaml']);
    expect(lost).toEqual([{ scope: 'person', fields: ['id', 'code'], spaces: ['128 bits', '48 bits'] }]);
    expect(policies).toMatchObject([{ policy: 'p.yaml', lacking: [] }]);
  });

  it('a key file is never overwritten, also by a second run', async () => {
    const before = place.read('k3.json');
    for (const args of [
      ['new', '--out', 'k3.json'],
      ['add', '--keys', 'k2.json', '--out', 'k3.json'],
      ['promote', ready, '--keys', 'k2.json', '--out', 'k3.json'],
      ['narrow', '--policy', 'p.yaml', '--verbs', 'protect', '--keys', 'k2.json', '--out', 'k3.json'],
      // The file that is read is no exception.
      ['add', '--keys', 'k3.json', '--out', 'k3.json'],
    ]) {
      const ended = await place.run(['keys', ...args]);
      expect(ended.code).toBe(5);
      expect(ended.err).toContain('k3.json: the file exists, and key files are never overwritten');
      expect(place.read('k3.json')).toBe(before);
    }
  });

  it.each([
    [['promote', 'nosuchid', '--keys', 'k2.json', '--out', 'n.json'], 'ID is not the id of a root key'],
    [['promote', 'nosuchid', '--keys', 'k2.json'], '--out FILE is required'],
    [['promote'], "missing required argument 'ID'"],
    [['add', '--keys', 'k2.json'], '--out FILE is required'],
    [['add', '--domain', 'b', '--keys', 'k2.json', '--out', 'n.json'], '--domain and --of need each other'],
    [
      ['add', '--domain', 'b', '--of', 'eu', '--new-lineage', '--keys', 'k2.json', '--out', 'n.json'],
      '--new-lineage cannot be combined with --domain',
    ],
    [['new', '--region', 'EU', '--out', 'n.json'], '--region expected 1 to 64 characters'],
    [['narrow', '--keys', 'k2.json', '--verbs', 'protect', '--out', 'n.json'], '--policy FILE is required'],
    [['narrow', '--keys', 'k2.json', '--policy', 'p.yaml', '--out', 'n.json'], '--verbs is required'],
    [['narrow', '--keys', 'k2.json', '--policy', 'p.yaml', '--verbs', 'read', '--out', 'n.json'], '--verbs expected'],
    [['inspect', '--keys', 'k2.json', '--policy', 'p.yaml', '--domain', 'us'], 'name several domains'],
  ])('keys %j is a mistake of usage', async (args, message) => {
    const ended = await place.run(['keys', ...args]);
    expect(ended.code).toBe(2);
    expect(ended.err).toContain(message);
    expect(ended.err).not.toContain('nosuchid');
    expect(existsSync(place.path('n.json'))).toBe(false);
  });

  it('an id that values show is told from the id of a root key', async () => {
    const { keyId } = await inspect('k2.json', ['--domain', 'eu-enclave']);
    const ended = await place.run(['keys', 'promote', keyId!, '--keys', 'k2.json', '--out', 'n.json']);
    expect(ended.code).toBe(2);
    expect(ended.err).toContain('the five characters that values show are another id');
    expect(ended.err).toContain(ready);
  });

  it('the primary key and a base cannot be promoted', async () => {
    const { keys, primary } = await inspect('k2.json');
    const promote = (id: string) => place.run(['keys', 'promote', id, '--keys', 'k2.json', '--out', 'n.json']);
    expect(await promote(primary)).toMatchObject({ code: 2, err: expect.stringContaining('is primary already') });
    const base = keys.find(({ state }) => state === 'base')!;
    expect(await promote(base.id)).toMatchObject({
      code: 4,
      err: expect.stringContaining('is a base and nothing else'),
    });
  });

  it('an empty key file is refused', async () => {
    place.write('empty.json', '');
    for (const args of [
      ['add', '--keys', 'empty.json', '--out', 'n.json'],
      ['promote', ready, '--keys', 'empty.json', '--out', 'n.json'],
      ['retire', first, '--domain', 'eu', '--keys', 'empty.json', '--out', 'n.json'],
    ]) {
      const ended = await place.run(['keys', ...args]);
      expect(ended.code).toBe(4);
      expect(ended.err).toContain('empty.json: the keyset is not JSON');
      expect(existsSync(place.path('n.json'))).toBe(false);
    }
  });

  it('a process that is killed leaves the whole file or none', async () => {
    for (let i = 0; i < 6; i++) {
      const out = `killed-${i}.json`;
      const child = spawn(process.execPath, [CLI, 'keys', 'add', '--keys', 'k1.json', '--out', out], {
        cwd: place.dir,
        stdio: 'ignore',
      });
      const ended = new Promise((done) => child.on('close', done));
      setTimeout(() => child.kill('SIGKILL'), 100 + 100 * i);
      await ended;
      // Without the file, the same command can be run again.
      if (!existsSync(place.path(out))) await run(['keys', 'add', '--keys', 'k1.json', '--out', out]);
      expect(states(await inspect(out))).toEqual(['primary', 'base', 'ready']);
    }
  });
});

describe('regions', () => {
  const EU = { TREFOIL_REGION: 'eu' };

  it('keys with a region open only where the process says that it is there', async () => {
    await run(['keys', 'new', '--renewable', '--region', 'eu', '--out', 'eu.json']);
    const protect = ['protect', 'in.csv', '--policy', 'p.yaml', '--keys', 'eu.json', '--out', 'eu.csv'];
    for (const [env, message] of [
      [{}, 'set TREFOIL_REGION'],
      [{ TREFOIL_REGION: '' }, 'set TREFOIL_REGION'],
      [{ TREFOIL_REGION: 'us' }, 'this process runs in us'],
    ] as const) {
      const ended = await place.run(protect, '', env);
      expect(ended.code).toBe(4);
      expect(ended.err).toContain(message);
      expect(existsSync(place.path('eu.csv'))).toBe(false);
    }
    const odd = await place.run(protect, '', { TREFOIL_REGION: 'EU west' });
    expect(odd).toMatchObject({
      code: 2,
      err: expect.stringContaining('TREFOIL_REGION expected 1 to 64 characters'),
    });
    await run(protect, EU);
    const { region } = await inspect('eu.json', [], EU);
    expect(region).toBe('eu');
    // A new key has the region of the others.
    await run(['keys', 'add', '--keys', 'eu.json', '--out', 'eu-2.json'], EU);
    const regions = (JSON.parse(place.read('eu-2.json')) as { keys: { region: string }[] }).keys;
    expect(regions.map((key) => key.region)).toEqual(['eu', 'eu', 'eu']);
    expect((await place.run(['keys', 'add', '--keys', 'eu.json', '--out', 'eu-3.json'])).code).toBe(4);
  });

  it('keys without a region open everywhere', async () => {
    await run(['keys', 'new', '--out', 'anywhere.json']);
    await run(['keys', 'inspect', '--keys', 'anywhere.json'], EU);
  });
});

describe('keys narrow', () => {
  it('says wall or seat belt of each field, and the worker protects alike', async () => {
    await run(['keys', 'new', '--renewable', '--out', 'all.json']);
    const narrow = ['keys', 'narrow', '--policy', 'p.yaml', '--verbs', 'protect', '--keys', 'all.json'];
    const { err } = await run([...narrow, '--out', 'worker.json']);
    for (const line of [
      'field id (token person): wall',
      'field name (seal person.name): seat belt',
      'field plate (fpe car): seat belt',
      'field seen (shiftDate visit): wall',
      'field born (coarsen): no key',
    ]) {
      expect(err).toContain(`trefoil: ${line}\n`);
    }
    expect(statSync(place.path('worker.json')).mode & 0o777).toBe(0o600);
    expect(place.read('worker.json')).not.toContain('trefoil-root');
    const [line] = /branchCheck: "\w{26}"/.exec(err)!;
    place.write('worker.yaml', `${line}\n${POLICY}`);
    const protect = async (policy: string, keys: string) =>
      (await run(['protect', 'in.csv', '--policy', policy, '--keys', keys, '--quiet'])).out;
    expect(await protect('worker.yaml', 'worker.json')).toBe(await protect('p.yaml', 'all.json'));

    const unpinned = await place.run(['protect', 'in.csv', '--policy', 'p.yaml', '--keys', 'worker.json']);
    expect(unpinned).toMatchObject({ code: 4, out: '', err: expect.stringContaining('pin "branchCheck"') });
    const rejecting = await place.run(
      ['protect', 'in.csv', '--policy', 'worker.yaml', '--keys', 'worker.json', '--on-error', 'reject'].concat([
        '--rejects',
        'r.ndjson',
        '--out',
        'r.csv',
      ]),
    );
    expect(rejecting.code).toBe(4);
    const wide = await run([...narrow, '--rejects', '--out', 'worker-2.json']);
    expect(wide.err).toContain('rejected records: seat belt');
  });

  it('opens rejects under the policy that pins its branches', async () => {
    const both = ['keys', 'narrow', '--policy', 'p.yaml', '--verbs', 'protect,reveal', '--rejects'];
    const { err } = await run([...both, '--keys', 'all.json', '--out', 'both.json']);
    const [line] = /branchCheck: "\w{26}"/.exec(err)!;
    place.write('both.yaml', `${line}\n${POLICY}`);
    // The branch check is printed without a domain, too, because it is the same for all.
    expect((await run(['keys', 'inspect', '--keys', 'both.json'])).out).toContain(`\n${line}\n`);
    const { branchCheck } = JSON.parse((await run(['keys', 'inspect', '--keys', 'both.json', '--json'])).out);
    expect(line).toBe(`branchCheck: "${branchCheck}"`);
    const { out: ofDomain } = await run(['keys', 'inspect', '--keys', 'both.json', '--domain', 'eu-enclave']);
    expect(ofDomain.split(`${line}\n`)).toHaveLength(2);

    const [head, first] = place.read('in.csv').split('\n');
    place.write('bad.csv', `${head}\n${first}\n${first!.replace(/\d{4}-\d\d-\d\d/g, 'never')}\n`);
    const bad = ['protect', 'bad.csv', '--policy', 'both.yaml', '--keys', 'both.json', '--on-error', 'reject'];
    const rejected = await place.run([...bad, '--rejects', 'bad.ndjson', '--out', 'bad.safe.csv']);
    expect(rejected.code, rejected.err).toBe(9);
    const open = ['rejects', 'open', 'bad.ndjson', '--keys', 'both.json'];
    const unpinned = await place.run(open);
    expect(unpinned).toMatchObject({ code: 4, out: '', err: expect.stringContaining('pin "branchCheck"') });
    const { out } = await run([...open, '--policy', 'both.yaml']);
    expect(out).toBe(`${head}\n${first!.replace(/\d{4}-\d\d-\d\d/g, 'never')}\n`);
    const over = await place.run([...open, '--policy', 'both.yaml', '--out', 'both.yaml', '--force']);
    expect(over).toMatchObject({ code: 5, err: expect.stringContaining('the output is an input of the same run') });
    // Each pin of the policy holds, and so does its domain.
    for (const [pin, message] of [
      [`branchCheck: "${'0'.repeat(26)}"`, 'the branches of the key file are not the pinned ones'],
      [`${line}\nkeyCheck: { "b341r": "jemd61whyev3ty22" }`, 'the keys are not the pinned ones'],
      [`${line}\nregion: eu`, 'the policy is for region eu'],
    ] as const) {
      place.write('wrong.yaml', `${pin}\n${POLICY}`);
      const wrong = await place.run([...open, '--policy', 'wrong.yaml']);
      expect(wrong).toMatchObject({ code: 4, out: '', err: expect.stringContaining(message) });
    }
    place.write('wrong.yaml', `${line}\n${POLICY.replace('eu-enclave', 'us')}`);
    const other = await place.run([...open, '--policy', 'wrong.yaml']);
    expect(other).toMatchObject({ out: '', err: expect.stringContaining('the policy is for domain us') });
    expect(other.code).not.toBe(0);
  });

  it('keys add of a recipient says what changes, and that a domain is not its own parent', async () => {
    const add = ['keys', 'add', '--keys', 'all.json', '--of', 'eu-enclave'];
    const note = 'trefoil: if partner has data already: its tokens change, and its sealed values open with the old key';
    expect((await run([...add, '--domain', 'partner', '--out', 'with.json'])).err).toContain(note);
    const again = ['keys', 'add', '--keys', 'with.json', '--of', 'eu-enclave', '--domain', 'partner'];
    expect(await place.run([...again, '--out', 'with-2.json'])).toMatchObject({
      code: 2,
      err:
        'trefoil: error: domain partner is a recipient of eu-enclave already\n' +
        'trefoil: hint: nothing changed, and no file was written; use the key file as it is\n',
    });
    expect(existsSync(place.path('with-2.json'))).toBe(false);
    const own = await place.run([...add, '--domain', 'eu-enclave', '--out', 'own.json']);
    expect(own).toMatchObject({
      code: 4,
      err: expect.stringContaining('domain eu-enclave cannot be its own parent; name the recipient something else'),
    });
    expect(existsSync(place.path('own.json'))).toBe(false);
    // What the note says.
    const protect = async (keys: string, policy: string) =>
      (await run(['protect', 'in.csv', '--policy', policy, '--keys', keys, '--quiet'])).out;
    place.write('partner.yaml', POLICY.replace('eu-enclave', 'partner'));
    expect(await protect('with.json', 'partner.yaml')).not.toBe(await protect('all.json', 'partner.yaml'));
  });

  it('of one period makes the tokens of this period, and of no other', async () => {
    place.write(
      'per.yaml',
      'trefoil: 1\ndomain: eu-enclave\nfields: { id: { rule: token, scope: p, per: { month: seen } }, seen: keep }\n',
    );
    const narrow = ['keys', 'narrow', '--policy', 'per.yaml', '--verbs', 'protect', '--keys', 'all.json', '--period'];
    for (const period of ['March', '2024-W09', '2024-13', '2024-W99']) {
      expect(await place.run([...narrow, period, '--out', 'n.json'])).toMatchObject({
        code: 2,
        err: expect.stringContaining('--period'),
      });
    }
    const none = narrow.map((one) => (one === 'per.yaml' ? 'p.yaml' : one));
    const refused = await place.run([...none, '2024-03', '--out', 'n.json']);
    expect(refused).toMatchObject({ code: 2, err: expect.stringContaining('no rule has a period') });
    expect(existsSync(place.path('n.json'))).toBe(false);
    const { err } = await run([...narrow, '2024-03', '--out', 'march.json']);
    const [line] = /branchCheck: "\w{26}"/.exec(err)!;
    place.write('march.yaml', `${line}\n${place.read('per.yaml')}`);
    const protect = (policy: string, keys: string, row: string) =>
      place.run(['protect', '--format', 'csv', '--policy', policy, '--keys', keys], `id,seen\n${row}\n`);
    const march = await protect('march.yaml', 'march.json', '7,2024-03-09');
    expect(march.out).toBe((await protect('per.yaml', 'all.json', '7,2024-03-09')).out);
    expect((await protect('march.yaml', 'march.json', '7,2024-04-09')).code).not.toBe(0);
    const { out } = await run(['keys', 'inspect', '--keys', 'march.json', '--policy', 'per.yaml']);
    expect(out).toContain('  field id: this key file has its keys for some periods only\n');
    expect(out).not.toContain('does not have all of its keys');
    const { policies } = await inspect('march.json', ['--policy', 'per.yaml']);
    expect(policies).toMatchObject([{ lacking: [], somePeriods: ['id'] }]);
    // Of another rule the file has none.
    place.write('other.yaml', place.read('per.yaml').replace('scope: p', 'scope: q'));
    const other = await inspect('march.json', ['--policy', 'other.yaml']);
    expect(other.policies).toMatchObject([{ lacking: ['id'], somePeriods: [] }]);
  });

  it('inspect says what the keys of a narrowed file can do', async () => {
    await run(['keys', 'new', '--renewable', '--out', 'both-0.json']);
    await run(['keys', 'add', '--keys', 'both-0.json', '--out', 'both-ready.json']);
    const { keys } = await inspect('both-ready.json');
    const { id } = (keys as { id: string; state: string }[]).find(({ state }) => state === 'ready')!;
    await run(['keys', 'promote', id, '--keys', 'both-ready.json', '--out', 'both-1.json']);
    for (const [verbs, ...lines] of [
      ['rekey', 'is the key that values are moved to', 'is a key that values are moved from', 'moves values to key'],
      ['reveal', 'reads the values that it has made', 'reads old values', 'reveals with key'],
      ['protect', 'makes new values', 'is known by its ids only', 'protects with key'],
      [
        'reveal,rekey',
        'reads the values that it has made, and is the key that',
        'reads old values',
        'reveals with key',
      ],
    ] as const) {
      const file = `can-${verbs}.json`;
      await run(['keys', 'narrow', '--policy', 'p.yaml', '--verbs', verbs, '--keys', 'both-1.json', '--out', file]);
      const { out } = await run(['keys', 'inspect', '--keys', file, '--domain', 'eu-enclave']);
      for (const line of lines) expect(out, verbs).toContain(line);
      expect(out.includes('reveals')).toBe(verbs.includes('reveal'));
    }
    const { out } = await run(['keys', 'inspect', '--keys', 'can-rekey.json', '--domain', 'eu-enclave']);
    expect(out).toMatch(/# primary: values are moved to it\n/);
    expect(out).toMatch(/# older: values are moved from it\n/);
    expect(out).not.toMatch(/protects with/);
  });

  it('passes the check of its policy, which says what it is for', async () => {
    for (const verb of ['protect', 'reveal', 'rekey']) {
      const source = ['--policy', 'p.yaml', '--keys', 'both-1.json'];
      const { err } = await run(['keys', 'narrow', ...source, '--verbs', verb, '--out', `only-${verb}.json`]);
      const pins = JSON.parse(
        (await run(['keys', 'inspect', '--keys', 'both-1.json', '--domain', 'eu-enclave', '--json'])).out,
      );
      const [line] = /branchCheck: "\w{26}"/.exec(err)!;
      place.write('only.yaml', `${line}\nkeyCheck: ${JSON.stringify(pins.keyCheck)}\n${POLICY}`);
      const check = ['check', '--policy', 'only.yaml', '--keys', `only-${verb}.json`];
      const checked = await run(check);
      expect(checked.err).toContain(`trefoil: domain eu-enclave: the keys are narrowed to ${verb}\n`);
      expect(checked.err).toContain('no problems');
      expect((await run([...check, '--input', 'in.csv'])).err).toContain('1 row tried');
      // The check of another file is not this one's.
      place.write('only.yaml', `branchCheck: "${'0'.repeat(26)}"\n${POLICY}`);
      expect((await place.run(check)).code).toBe(4);
    }
  });

  it('of a recipient says if tokens of the parent can be made of the recipient’s', async () => {
    place.write('b.yaml', 'trefoil: 1\ndomain: b\nfields: { id: { rule: token, scope: p } }\n');
    for (const [name, more] of [
      ['one', []],
      ['two', ['--renewable']],
    ] as const) {
      await run(['keys', 'new', ...more, '--out', `${name}.json`]);
      await run(['keys', 'add', '--domain', 'b', '--of', 'a', '--keys', `${name}.json`, '--out', `${name}-b.json`]);
      const args = ['--policy', 'b.yaml', '--verbs', 'rekey', '--keys', `${name}-b.json`, '--out', `${name}-n.json`];
      const { err } = await run(['keys', 'narrow', ...args]);
      expect(err).toContain(`field id (token p): ${name === 'one' ? 'seat belt' : 'wall'}\n`);
      expect(err.includes('turn tokens of the recipient into tokens of its parent')).toBe(name === 'one');
    }
  });

  it('has another check once a key is added, and says so', async () => {
    const narrow = ['keys', 'narrow', '--policy', 'id.yaml', '--verbs', 'rekey', '--keys', 'all.json'];
    place.write('id.yaml', ID_POLICY);
    await run([...narrow, '--out', 'mover.json']);
    const added = await run(['keys', 'add', '--keys', 'mover.json', '--out', 'mover-3.json']);
    expect(added.err).toContain('its branchCheck is another one now');
    const plain = await run(['keys', 'add', '--keys', 'all.json', '--out', 'all-3.json']);
    expect(plain.err).not.toContain('branchCheck');
  });

  it('is not rotated by the holder of a file that protects: nobody else would have the key', async () => {
    const added = await place.run(['keys', 'add', '--keys', 'worker.json', '--out', 'worker-3.json']);
    expect(added).toMatchObject({
      code: 4,
      err:
        'trefoil: error: the key file is narrowed to protect: a key that is added here is in no other file; add it ' +
        'to the file that this one was made from, and run trefoil keys narrow again\n',
    });
    const ready = (await inspect('all-3.json')).keys.find(({ state }) => state === 'ready')!.id;
    const narrow = ['keys', 'narrow', '--policy', 'p.yaml', '--verbs', 'protect', '--keys', 'all-3.json'];
    await run([...narrow, '--out', 'worker-4.json']);
    const promoted = await place.run(['keys', 'promote', ready, '--keys', 'worker-4.json', '--out', 'worker-5.json']);
    expect(promoted).toMatchObject({
      code: 4,
      err:
        'trefoil: error: the key file is narrowed to protect: promote the key in the file that this one was made ' +
        'from, and run trefoil keys narrow again\n',
    });
    for (const name of ['worker-3.json', 'worker-5.json']) expect(existsSync(place.path(name))).toBe(false);
  });

  it('inspect names the fields whose keys are not in the file', async () => {
    place.write('more.yaml', `${POLICY}  phone: { rule: token, scope: phone }\n`);
    const { out } = await run(['keys', 'inspect', '--keys', 'worker.json', '--policy', 'more.yaml']);
    expect(out).toContain('narrowed to protect; a seat belt, not a wall, for seal:person.name, fpe:car\n');
    expect(out).toContain('  field phone: this key file does not have all of its keys\n');
    expect(out).not.toContain('field id: this key file');
    const { policies } = await inspect('worker.json', ['--policy', 'more.yaml']);
    expect(policies).toMatchObject([{ lacking: ['phone'] }]);
  });
});

describe('check with keys', () => {
  const check = async (policy: string, keys: string, env: Record<string, string> = {}) =>
    (await run(['check', '--policy', policy, '--keys', keys], env)).err;

  it('says which tokens of one scope will not join after a rotation, or do not', async () => {
    await run(['keys', 'new', '--out', 'first.json']);
    expect(await check('p.yaml', 'first.json')).toContain(
      'the shorter of 128 bits and 48 bits are beginnings of the longer ones, and after a rotation they are not',
    );
    expect(await check('p.yaml', 'k3.json')).toContain(
      'the shorter of 128 bits and 48 bits are not beginnings of the longer ones',
    );
    place.write('one.yaml', POLICY.replace(/ {2}code: .*\n/, ''));
    expect(await check('one.yaml', 'first.json')).not.toContain('beginnings of');
  });

  it('says that recipients want a base that is only a base', async () => {
    await run([
      'keys',
      'add',
      '--domain',
      'partner-b',
      '--of',
      'eu-enclave',
      '--keys',
      'first.json',
      '--out',
      'fb.json',
    ]);
    place.write('b.yaml', POLICY.replace('eu-enclave', 'partner-b'));
    expect(await check('b.yaml', 'fb.json')).toContain('for recipients, begin with trefoil keys new --renewable');
    expect(await check('b.yaml', 'b.json')).not.toContain('for recipients');
    expect(await check('p.yaml', 'fb.json')).not.toContain('for recipients');
  });

  it('asks for a pin if the key file is sealed, and a changed copy of it says that it is not', async () => {
    place.write('passphrase', 'correct horse battery staple\n');
    const env = { TREFOIL_PASSPHRASE_FILE: place.path('passphrase') };
    await run(['keys', 'wrap', 'k3.json', '--passphrase', '--out', 'sealed.age'], env);
    expect(await check('p.yaml', 'sealed.age', env)).toContain('p.yaml: the policy pins no keys');
    expect(await check('pinned.yaml', 'sealed.age', env)).not.toContain('the policy pins no keys');
    expect(await check('p.yaml', 'k3.json')).not.toContain('the policy pins no keys');
    const { err } = await run(['keys', 'add', '--keys', 'sealed.age', '--plain', '--out', 'plain.json'], env);
    expect(err).toContain('the key file that was read is sealed, and this one is not');
  });
});

describe('keys inspect of files that protect', () => {
  it('says the same as the values show', async () => {
    const { out } = await run(['protect', 'in.csv', '--policy', 'p.yaml', '--keys', 'k3.json', '--quiet']);
    const { keyId } = await inspect('k3.json', ['--domain', 'eu-enclave']);
    const token = out.split('\n')[1]!.split(',')[0]!;
    expect(json((await place.run(['inspect', '--json', token])).out)).toMatchObject([{ keyId }]);
  });
});
