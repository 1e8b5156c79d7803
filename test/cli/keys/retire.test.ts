/** Scanning files, and keys that are retired once nothing needs them, as processes. */
import { existsSync, statSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expectVoice, makePlace, type Place } from '../harness.ts';

let place: Place;

const FIELDS = `fields:
  id: { rule: token, scope: person, label: cust }
  code: { rule: token, scope: person, form: hex, length: 12, population: 100 }
  name: { rule: seal, scope: person.name }
  plate: { rule: fpe, scope: car, format: { type: pattern, pattern: AA99999 } }
`;
const POLICY = `trefoil: 1\ndomain: eu-enclave\n${FIELDS}`;
const CSV = 'id,code,name,plate\n7,7,Zoë Müller,KA12345\n8,8,Ada Lovelace,KA12346\n';
const VALUES = ['Müller', 'Lovelace', 'KA1234', 'trefoil-root', 'trefoil-node'];

beforeAll(async () => {
  place = makePlace();
  place.write('p.yaml', POLICY);
  place.write('in.csv', CSV);
  await run(['keys', 'new', '--renewable', '--out', 'k1.json']);
  await run(['keys', 'add', '--keys', 'k1.json', '--out', 'k2.json']);
  const { keys } = await inspect('k2.json');
  ids = { old: keys[0]!.id, base: keys[1]!.id, now: keys[2]!.id };
  await run(['keys', 'promote', ids.now, '--keys', 'k2.json', '--out', 'k3.json']);
  await run(['protect', 'in.csv', '--policy', 'p.yaml', '--keys', 'k1.json', '--out', 'old.csv']);
  await run(['protect', 'in.csv', '--policy', 'p.yaml', '--keys', 'k3.json', '--out', 'new.csv']);
});

afterAll(() => place.remove());

let ids: { readonly old: string; readonly base: string; readonly now: string };

async function run(args: readonly string[], input = '') {
  const ended = await place.run(args, input);
  expect(ended.code, ended.err).toBe(0);
  expectVoice(ended, VALUES);
  return ended;
}

interface Inspected {
  readonly keyId: string;
  readonly keys: readonly { readonly id: string; readonly state: string; readonly shown?: string }[];
  readonly [more: string]: unknown;
}

async function inspect(file: string, ...more: readonly string[]): Promise<Inspected> {
  return JSON.parse((await run(['keys', 'inspect', '--keys', file, '--json', ...more])).out) as Inspected;
}

const shownOf = async (file: string) => (await inspect(file, '--domain', 'eu-enclave')).keyId;

/** The report that a scan writes. */
async function scan(inputs: readonly string[], ...more: readonly string[]) {
  return JSON.parse((await run(['scan', ...inputs, '--json', ...more])).out);
}

describe('scan', () => {
  it('counts by the key that values show, and names the fields that show none', async () => {
    const [old, now] = [await shownOf('k1.json'), await shownOf('k3.json')];
    const report = await scan(['old.csv', 'new.csv'], '--policy', 'p.yaml');
    expect(report).toEqual({
      trefoil: 'scan-v1',
      at: expect.stringMatching(/^\d{4}-\d\d-\d\dT/),
      files: [old, now].map((id, i) => ({
        file: ['old.csv', 'new.csv'][i],
        bytes: statSync(place.path('old.csv')).size,
        keys: { [id]: { tokens: { cust: 2 }, sealed: 2, rejects: 0, first: 2 } },
        damaged: 0,
      })),
      silent: [
        { policy: 'p.yaml', field: 'code', rule: 'token, form hex' },
        { policy: 'p.yaml', field: 'plate', rule: 'fpe' },
      ],
    });
    const { out } = await run(['scan', 'old.csv', '--policy', 'p.yaml']);
    expect(out).toBe(
      `old.csv: key ${old}: 2 tokens (cust 2), 2 sealed values, first in line 2\n` +
        'p.yaml: field code (token, form hex): its values do not show their key\n' +
        'p.yaml: field plate (fpe): its values do not show their key\n',
    );
  });

  it('needs no keys, and reads pipes, patterns, compressions, encodings and sentences', async () => {
    const old = await shownOf('k1.json');
    const [, row] = place.read('old.csv').split('\n');
    const token = row!.split(',')[0]!;
    place.write('note.txt', `Dear Zoë, your number is ${token}.\nRegards`);
    place.write('note.txt.gz', gzipSync(place.read('note.txt')));
    place.write('utf16.txt', Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from(`é ${token}`, 'utf16le')]));
    place.write('latin.txt', Buffer.from(`é ${token}`, 'latin1'));
    place.write('le.txt', Buffer.from(`a ${token}`, 'utf16le'));
    const one = { [old]: { tokens: { cust: 1 }, sealed: 0, rejects: 0, first: 1 } };
    const keysOf = async (...args: readonly string[]) =>
      (await scan(args)).files.map((file: { keys: object }) => file.keys);
    expect(await keysOf('note.txt', 'note.txt.gz', 'utf16.txt')).toEqual([one, one, one]);
    expect(await keysOf('latin.txt', '--encoding', 'windows-1252')).toEqual([one]);
    expect(await keysOf('le.txt', '--encoding', 'utf-16le')).toEqual([one]);
    expect(await keysOf('note.*')).toEqual([one, one]);
    const piped = await place.run(['scan', '--json'], place.read('note.txt'));
    expect(JSON.parse(piped.out).files).toMatchObject([{ file: 'standard input', keys: one }]);

    const latin = await place.run(['scan', 'latin.txt', '--json']);
    expect(latin).toMatchObject({
      code: 1,
      out: '',
      err: expect.stringContaining('latin.txt: line 1: the input is not UTF-8'),
    });
    const le = await place.run(['scan', 'le.txt']);
    expect(le).toMatchObject({ code: 1, err: expect.stringContaining('has a NUL byte') });
  });

  it('an empty file is not taken for one without keys, and a file that is missing is an error', async () => {
    place.write('empty.csv', '');
    const empty = await place.run(['scan', 'empty.csv', '--json']);
    expect(empty.code).toBe(9);
    expect(JSON.parse(empty.out).files).toEqual([{ file: 'empty.csv', bytes: 0, keys: {}, damaged: 0 }]);
    const warning =
      'trefoil: warning: these files are empty, so nothing was scanned in them; what wrote them may have failed\n' +
      '  empty.csv\n';
    const two = await place.run(['scan', 'in.csv', 'empty.csv']);
    expect(two).toEqual({ code: 9, out: 'in.csv: no value shows a key\nempty.csv: empty\n', err: warning });
    const missing = await place.run(['scan', 'old.csv', 'none.csv', '--out', 'none.json']);
    expect(missing.code).toBe(5);
    expect(existsSync(place.path('none.json'))).toBe(false);
  });

  it('an empty standard input is not taken for one without keys', async () => {
    const text = 'trefoil: warning: standard input is empty, so nothing was scanned; ';
    const piped = await place.run(['scan', '--out', 'dump.json']);
    expect(piped).toMatchObject({ code: 9, err: expect.stringContaining(text) });
    expect(await place.run(['scan', 'old.csv', '-'])).toMatchObject({ code: 9, err: expect.stringContaining(text) });
    const blank = await place.run(['scan'], '\n');
    expect(blank).toMatchObject({ code: 0, out: 'standard input: no value shows a key\n', err: '' });
  });

  it('counts the records of a file of rejects', async () => {
    place.write('bad.csv', 'id,code,name,plate\n7,7,x,KA1\n8,8,y,KA12345\n9,9,z,K\n');
    const args = ['--policy', 'p.yaml', '--keys', 'k1.json', '--on-error', 'reject', '--rejects', 'r.ndjson'];
    expect((await place.run(['protect', 'bad.csv', ...args, '--out', 'good.csv'])).code).toBe(9);
    const { files } = await scan(['r.ndjson']);
    expect(files[0].keys).toEqual({ [await shownOf('k1.json')]: { tokens: {}, sealed: 0, rejects: 2, first: 2 } });
  });

  it('a report is written whole, and replaced only with --force', async () => {
    await run(['scan', 'old.csv', '--out', 'once.json']);
    const before = place.read('once.json');
    expect((await place.run(['scan', 'new.csv', '--out', 'once.json'])).code).toBe(5);
    expect(place.read('once.json')).toBe(before);
    await run(['scan', 'new.csv', '--out', 'once.json', '--force']);
    expect(place.read('once.json')).not.toBe(before);
    expect((await place.run(['scan', 'once.json', '--out', 'once.json', '--force'])).code).toBe(5);
    expect((await place.run(['scan', 'old.csv', '--json', '--out', '-'])).code).toBe(2);
  });
});

describe('keys retire', () => {
  const retire = (id: string, keys: string, out: string, ...more: readonly string[]) =>
    place.run(['keys', 'retire', id, '--keys', keys, '--out', out, ...more]);
  const ON_P = ['--policy', 'p.yaml'];

  it('refuses while a report names the key, with counts and places', async () => {
    const old = await shownOf('k1.json');
    await run(['scan', 'old.csv', 'new.csv', '--policy', 'p.yaml', '--out', 'both.json']);
    const ended = await retire(ids.old, 'k3.json', 'no.json', ...ON_P, '--scan', 'both.json');
    expect(ended.code).toBe(4);
    expect(ended.err).toBe(
      `trefoil: error: both.json: root key ${ids.old} is in use: 2 tokens cust_… and 2 sealed values of key ${old} ` +
        'in old.csv, the first in line 2\n',
    );
    expect(existsSync(place.path('no.json'))).toBe(false);
  });

  it('removes a key that no report names; its values then give key_retired with the day', async () => {
    await run(['scan', 'new.csv', '--policy', 'p.yaml', '--out', 'clean.json']);
    const ended = await retire(ids.old, 'k3.json', 'k4.json', ...ON_P, '--scan', 'clean.json');
    expect(ended.code, ended.err).toBe(0);
    expectVoice(ended, VALUES);
    // A hex token and fpe show no key.
    expect(ended.err).toContain('the values of these fields do not show their key');
    expect(ended.err).toContain('  p.yaml: field plate (fpe)\n');
    expect(statSync(place.path('k4.json')).mode & 0o777).toBe(0o600);
    const secret = (JSON.parse(place.read('k1.json')) as { keys: { secret: string }[] }).keys[0]!.secret;
    expect(place.read('k3.json')).toContain(secret);
    expect(place.read('k4.json')).not.toContain(secret);
    const { out } = await run(['keys', 'inspect', '--keys', 'k4.json']);
    const today = new Date().toISOString().slice(0, 10);
    expect(out).toContain(
      `root key ${ids.old}: retired on ${today}; values show ${await shownOf('k1.json')} in eu-enclave`,
    );
  });

  it('looks at the domains of the key file, and refuses values of a domain that it does not know', async () => {
    place.write('us.yaml', POLICY.replace('eu-enclave', 'us'));
    await run(['protect', 'in.csv', '--policy', 'us.yaml', '--keys', 'k1.json', '--out', 'us.csv']);
    await run(['scan', 'new.csv', 'us.csv', '--out', 'us.json']);
    const { keyId } = await inspect('k1.json', '--domain', 'us');
    const found = `2 tokens cust_… and 2 sealed values of key ${keyId} in us.csv, the first in line 2`;
    for (const more of [[], ['--keep-needed']]) {
      const ended = await retire(ids.old, 'k3.json', 'no.json', ...ON_P, '--scan', 'us.json', ...more);
      expect(ended.code).toBe(4);
      expect(ended.err).toContain(
        `us.json: root key ${ids.old} may be in use: ${found}, and no domain that was looked`,
      );
      expect(ended.err).toContain('name the domain of these values with --domain or --policy');
    }
    const named = await retire(ids.old, 'k3.json', 'no.json', ...ON_P, '--domain', 'us', '--scan', 'us.json');
    expect(named).toMatchObject({ code: 4, err: expect.stringContaining(`root key ${ids.old} is in use: ${found}\n`) });

    // The domain of a recipient stands in the key file.
    await run(['keys', 'add', '--domain', 'us', '--of', 'eu-enclave', '--keys', 'k1.json', '--out', 'of1.json']);
    await run(['keys', 'add', '--domain', 'us', '--of', 'eu-enclave', '--keys', 'k3.json', '--out', 'of3.json']);
    await run(['protect', 'in.csv', '--policy', 'us.yaml', '--keys', 'of1.json', '--out', 'of.csv']);
    await run(['scan', 'new.csv', 'of.csv', '--out', 'of.json']);
    const inside = await retire(ids.old, 'of3.json', 'no.json', ...ON_P, '--scan', 'of.json');
    expect(inside).toMatchObject({ code: 4, err: expect.stringContaining(`root key ${ids.old} is in use: 2 tokens`) });
    expect(existsSync(place.path('no.json'))).toBe(false);
    // And what is retired is remembered for it.
    await run(['keys', 'retire', ids.old, '--keys', 'of3.json', '--out', 'of4.json', ...ON_P, '--scan', 'clean.json']);
    const old = (await inspect('of1.json', '--domain', 'us')).keyId;
    expect((await run(['keys', 'inspect', '--keys', 'of4.json'])).out).toContain(`${old} in us`);
    await run(['protect', 'in.csv', '--policy', 'us.yaml', '--keys', 'of4.json', '--out', 'of-new.csv']);
    const again = await place.run(['protect', 'of.csv', '--policy', 'us.yaml', '--keys', 'of4.json']);
    expect(again).toMatchObject({ code: 1, err: expect.stringContaining(`key ${old}, which was retired on`) });
  });

  it('refuses reports that show nothing, of empty files and of originals', async () => {
    place.write('empty.csv', '');
    await place.run(['scan', 'empty.csv', '--out', 'of-empty.json']);
    await run(['scan', 'in.csv', '--out', 'of-originals.json']);
    for (const report of ['of-empty.json', 'of-originals.json']) {
      const ended = await retire(ids.old, 'k3.json', 'no.json', ...ON_P, '--scan', report);
      expect(ended.code).toBe(2);
      expect(ended.err).toBe(
        `trefoil: error: the reports ${report} have no value of any key of eu-enclave, not even of the primary key, ` +
          `so they do not show that root key ${ids.old} is unused\n` +
          'trefoil: hint: scan the protected files and dumps of tables; originals and empty files show nothing. ' +
          'Without --scan the key is retired unseen\n',
      );
      expect(existsSync(place.path('no.json'))).toBe(false);
    }
    // One report that shows something is enough.
    const both = ['--scan', 'of-originals.json', '--scan', 'clean.json'];
    expect((await retire(ids.old, 'k3.json', 'shown.json', ...ON_P, ...both)).code).toBe(0);
  });

  it('warns of fields that show no key also if the scan was made without the policy', async () => {
    await run(['scan', 'new.csv', '--out', 'no-policy.json']);
    const ended = await retire(ids.old, 'k3.json', 'warned.json', ...ON_P, '--scan', 'no-policy.json');
    expect(ended.code, ended.err).toBe(0);
    expect(ended.err).toContain('the values of these fields do not show their key');
    expect(ended.err.match(/ {2}p\.yaml: field plate \(fpe\)\n/g)).toHaveLength(1);
    expect(ended.err).not.toContain('check your certificates');
  });

  it('a second run finds no such key, and overwrites nothing', async () => {
    const again = await retire(ids.old, 'k4.json', 'k5.json', ...ON_P);
    expect(again).toMatchObject({ code: 2, err: expect.stringContaining('ID is not the id of a root key') });
    const same = await retire(ids.old, 'k3.json', 'k4.json', ...ON_P);
    expect(same).toMatchObject({ code: 5, err: expect.stringContaining('never overwritten') });
  });

  it('without a report it says that nothing was scanned', async () => {
    const ended = await retire(ids.old, 'k3.json', 'unscanned.json', '--domain', 'eu-enclave');
    expect(ended.code).toBe(0);
    expect(ended.err).toContain('warning: no files were scanned');
  });

  it('with --keep-needed it keeps the branches of what was found, and no others', async () => {
    const ended = await retire(ids.old, 'k3.json', 'kept.json', ...ON_P, '--scan', 'both.json', '--keep-needed');
    expect(ended.code, ended.err).toBe(0);
    expect(ended.err).toContain(`kept of ${ids.old}: seal person.name in eu-enclave\n`);
    const { keys, branchCheck } = await inspect('kept.json', '--domain', 'eu-enclave');
    expect(keys[1]).toMatchObject({
      id: ids.old,
      state: 'old',
      branches: [
        { domain: 'eu-enclave', kind: 'token permutation', scope: 'person', part: null },
        { domain: 'eu-enclave', kind: 'seal', scope: 'person.name', part: null },
        { domain: 'eu-enclave', kind: 'fpe', scope: 'car', part: null },
      ],
    });
    // The sealed values of the old key still open, if the branches are pinned.
    const names = POLICY.replace(/ {2}(id|code|plate): .*\n/g, '');
    place.write('names.csv', place.read('old.csv').replace(/^.*?,.*?,(.*?),.*$/gm, '$1'));
    const reveal = ['reveal', 'names.csv', '--keys', 'kept.json', '--quiet', '--policy'];
    place.write('names.yaml', `branchCheck: "${branchCheck}"\n${names}`);
    expect((await run([...reveal, 'names.yaml'])).out).toBe('name\nZoë Müller\nAda Lovelace\n');
    place.write('unpinned.yaml', names);
    const unpinned = await place.run([...reveal, 'unpinned.yaml']);
    expect(unpinned).toMatchObject({ code: 4, out: '', err: expect.stringContaining('pin "branchCheck"') });
  });

  it('branches that were kept go once their columns are moved', async () => {
    const kindsOf = async (file: string) => {
      const { keys } = await inspect(file);
      const key = keys.find(({ id }) => id === ids.old) as { branches?: readonly { kind: string }[] } | undefined;
      return key?.branches?.map(({ kind }) => kind);
    };
    place.write('no-plate.yaml', POLICY.replace(/ {2}plate: .*\n/, ''));
    const fewer = ['--policy', 'no-plate.yaml', '--scan', 'both.json', '--keep-needed'];
    expect((await retire(ids.old, 'kept.json', 'fewer.json', ...fewer)).code).toBe(0);
    expect(await kindsOf('kept.json')).toEqual(['token permutation', 'seal', 'fpe']);
    expect(await kindsOf('fewer.json')).toEqual(['token permutation', 'seal']);
    const gone = await retire(ids.old, 'kept.json', 'gone.json', ...ON_P, '--scan', 'clean.json');
    expect(gone.code, gone.err).toBe(0);
    expect(await kindsOf('gone.json')).toBeUndefined();
  });

  it('a base gives way to the scopes of the policies, and tokens stay as they are', async () => {
    const refused = await retire(ids.base, 'k4.json', 'no.json', ...ON_P);
    expect(refused).toMatchObject({ code: 4, err: expect.stringContaining(`it is the base of root key ${ids.now}`) });
    const ended = await retire(ids.base, 'k4.json', 'based.json', ...ON_P, '--keep-needed');
    expect(ended.code, ended.err).toBe(0);
    const [line] = /branchCheck: "\w{26}"/.exec(ended.err)!;
    place.write('based.yaml', `${line}\n${POLICY}`);
    const protect = ['protect', 'in.csv', '--quiet', '--policy'];
    const { out } = await run([...protect, 'based.yaml', '--keys', 'based.json']);
    expect(out).toBe(place.read('new.csv'));
    place.write('other.yaml', `${line}\n${POLICY.replace('scope: person,', 'scope: other,')}`);
    const other = await place.run([...protect, 'other.yaml', '--keys', 'based.json']);
    expect(other).toMatchObject({ code: 4, err: expect.stringContaining('has no token other') });
    // Another domain of this lineage is gone.
    place.write('us.yaml', `${line}\n${POLICY.replace('eu-enclave', 'us')}`);
    const us = await place.run([...protect, 'us.yaml', '--keys', 'based.json']);
    expect(us).toMatchObject({ code: 4, err: expect.stringContaining('only branches or checks of other domains') });
    expect(ended.err).toContain('branches of the base are kept for the domains that were named (eu-enclave). In a');
    // With --all-scopes new scopes stay possible, in the domains that were named.
    const wide = await retire(ids.base, 'k4.json', 'wide.json', ...ON_P, '--keep-needed', '--all-scopes');
    expect(wide.err).toContain(`kept of ${ids.base}: token of every scope in eu-enclave\n`);
    expect(wide.err).toContain(
      'In a recipient of them, shifted dates cannot be made again, and in any other domain no',
    );
    expect(wide.err).not.toContain('the key file also names');
    await run(['keys', 'add', '--domain', 'b', '--of', 'eu-enclave', '--keys', 'k4.json', '--out', 'k4-b.json']);
    const more = await retire(ids.base, 'k4-b.json', 'wide-b.json', ...ON_P, '--keep-needed', '--all-scopes');
    expect(more.err).toContain('the key file also names b');
    const [pin] = /branchCheck: "\w{26}"/.exec(wide.err)!;
    place.write('wide.yaml', `${pin}\n${POLICY.replace('scope: person,', 'scope: other,')}`);
    await run([...protect, 'wide.yaml', '--keys', 'wide.json']);
  });

  it('a base is not removed while its epochs stay, whatever is kept', async () => {
    const bare = await retire(ids.base, 'k4.json', 'no.json', '--domain', 'eu-enclave');
    expect(bare.code).toBe(4);
    place.write('seal.yaml', POLICY.replace(/ {2}(id|code|plate): .*\n/g, ''));
    const none = await retire(ids.base, 'k4.json', 'no.json', '--policy', 'seal.yaml', '--keep-needed');
    expect(none).toMatchObject({
      code: 4,
      err: expect.stringContaining('no policy says which branches this use needs'),
    });
    expect(existsSync(place.path('no.json'))).toBe(false);
  });

  it('the primary key cannot be retired', async () => {
    const ended = await retire(ids.now, 'k3.json', 'no.json', ...ON_P);
    expect(ended).toMatchObject({ code: 4, err: expect.stringContaining('is primary; run trefoil keys promote') });
  });

  it.each([
    ['', 'the file is not a whole report'],
    ['{"trefoil":"scan-v1"}', 'the file is not a whole report'],
  ])('a report that is %j is refused', async (text, message) => {
    place.write('bad.json', text);
    const ended = await retire(ids.old, 'k3.json', 'no.json', ...ON_P, '--scan', 'bad.json');
    expect(ended.code).toBe(1);
    expect(ended.err).toContain(`bad.json: ${message}`);
    expect(existsSync(place.path('no.json'))).toBe(false);
  });

  it.each([
    [[], '--domain or --policy is required'],
    [['--domain', 'eu', '--keep-needed'], '--keep-needed needs --policy'],
    [['--domain', 'eu', '--all-scopes'], '--all-scopes needs --keep-needed'],
    [['--domain', 'eu', '--vault', 'x.db'], '--vault needs --policy'],
    [['--domain', 'EU'], '--domain expected 1 to 64 characters'],
  ])('with %j is a mistake of usage', async (more, message) => {
    const ended = await retire(ids.old, 'k3.json', 'no.json', ...more);
    expect(ended).toMatchObject({ code: 2, err: expect.stringContaining(message) });
  });
});

describe('several key files', () => {
  it('are one keyset: a root in a file of its own', async () => {
    const whole = JSON.parse(place.read('k3.json')) as { version: string; keys: { id: string }[] };
    const part = (...names: readonly string[]) =>
      JSON.stringify({ version: whole.version, keys: whole.keys.filter(({ id }) => names.includes(id)) });
    place.write('epoch.json', part(ids.now));
    place.write('base.json', part(ids.base));
    const protect = ['protect', 'in.csv', '--policy', 'p.yaml', '--quiet'];
    const { out } = await run([...protect, '--keys', 'epoch.json', '--keys', 'base.json']);
    expect(out).toBe(place.read('new.csv'));
    const alone = await place.run([...protect, '--keys', 'epoch.json']);
    expect(alone).toMatchObject({ code: 4, err: expect.stringContaining('epoch.json: the base of root key') });
    const odd = await place.run([...protect, '--keys', 'epoch.json', '--keys', 'k1.json']);
    expect(odd).toMatchObject({
      code: 4,
      err: expect.stringContaining('k1.json: it has another primary key than epoch.json, the first file'),
    });
    // An error of one file has the name of that file, wherever it is in the order.
    place.write('cut.json', '{');
    for (const files of [
      ['base.json', 'cut.json', 'epoch.json'],
      ['cut.json', 'base.json'],
      ['base.json', 'cut.json'],
    ]) {
      const ended = await place.run([...protect, ...files.flatMap((file) => ['--keys', file])]);
      expect(ended).toMatchObject({ code: 4, err: expect.stringContaining('error: cut.json: the keyset is not JSON') });
    }
    expect((await place.run([...protect, '--keys', '-', '--keys', '-'])).code).toBe(2);
    // None of them can be the output.
    const over = [...protect, '--keys', 'epoch.json', '--keys', 'base.json', '--out', 'base.json', '--force'];
    expect((await place.run(over)).code).toBe(5);
  });
});
