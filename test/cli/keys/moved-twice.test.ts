/**
 * Records that show no key although other records of their table do, as processes: the field that shows the key is
 * missing in them, or has a token of an earlier run. The note beside the output keeps them from a second move, and a
 * retired key leaves the branches for them.
 */
import { existsSync, mkdirSync, readdirSync, rmSync, symlinkSync } from 'node:fs';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { addDomain, addKey, keyset, promoteKey } from '../../../src/keys.ts';
import { secretAccess } from '../../../src/reveal.ts';
import { expectVoice, makePlace, type Place } from '../harness.ts';

const FIRST = addDomain(keyset.generate({ renewable: true }), 'partner', { of: 'eu' });
const READY = addKey(FIRST);
const SECOND = promoteKey(READY, READY.ids.at(-1)!);
const [OLD, NOW] = [FIRST, SECOND].map((keys) => keys.domain('eu').keyId) as [string, string];
const { keyCheck } = SECOND.domain('eu');
const PARTNER = SECOND.domain('partner').keyId;

const PAN = "pan: { rule: fpe, scope: pan, format: { type: pattern, pattern: '9999999999' } }";
const CODE = 'code: { rule: token, scope: code, form: hex }';
const ID = 'id: { rule: token, scope: person, label: cust }';
const PASSED = 'id: { rule: token, scope: person, label: cust, onToken: pass }';
const policyOf = (fields: readonly string[], more = '', domain = 'eu') =>
  `trefoil: 1\ndomain: ${domain}\n${more}fields:\n${fields.map((field) => `  ${field}\n`).join('')}`;
const PINS = `keyCheck: { ${OLD}: "${keyCheck[OLD]}", ${NOW}: "${keyCheck[NOW]}" }\n`;
/** The second record has no id, so nothing in it shows the key. */
const CSV = 'id,pan,code\n7,1234567890,a1\n,2345678901,b2\n';
const VALUES = ['1234567890', '2345678901'];

let place: Place;

async function run(args: readonly string[], code = 0) {
  const ended = await place.run(args);
  expect(ended.code, ended.err).toBe(code);
  expectVoice(ended, VALUES);
  return ended;
}

beforeAll(async () => {
  place = makePlace();
  place.write('k1.json', FIRST.export(secretAccess));
  place.write('k2.json', SECOND.export(secretAccess));
  place.write('free.yaml', policyOf([ID, PAN, CODE]));
  place.write('p.yaml', policyOf([ID, PAN, CODE], PINS));
  place.write('in.csv', CSV);
  for (const [out, keys] of [
    ['old.csv', 'k1.json'],
    ['new.csv', 'k2.json'],
  ] as const) {
    await run(['protect', 'in.csv', '--policy', 'free.yaml', '--keys', keys, '--out', out]);
  }
});

afterAll(() => place.remove());

afterEach(() => {
  for (const name of place.files()) if (/^out/.test(name)) rmSync(place.path(name), { recursive: true });
});

const move = (input: string, ...more: readonly string[]) => [
  ...['rekey', input, '--policy', 'p.yaml', '--keys', 'k2.json', '--from', OLD],
  ...more,
];

describe('a record in which the field that shows the key is missing', () => {
  it.each([
    ['by trefoil', []],
    ['by workers', ['--workers', '2']],
    ['by DuckDB', ['--engine', 'duckdb']],
    ['with resume', ['--resume']],
    ['with rejects', ['--on-error', 'reject', '--rejects', 'out.rejects.ndjson']],
  ])('is not moved twice, %s', async (name, more) => {
    const first = await run(move('old.csv', '--out', 'out.csv', ...more));
    expect(first.err).toContain('keep the note .trefoil-rekeyed beside each output');
    expect(place.read('out.csv')).toBe(place.read('new.csv'));
    expect(JSON.parse(place.read('out.csv.trefoil-rekeyed'))).toMatchObject({ domain: 'eu', from: OLD, to: NOW });
    const again = name === 'with rejects' ? ['--on-error', 'reject', '--rejects', 'out.more.ndjson'] : more;
    const second = await run(move('out.csv', '--out', 'out2.csv', ...again), 1);
    expect(second.err).toContain(`out.csv.trefoil-rekeyed) says that it was moved to key ${NOW}`);
    expect(existsSync(place.path('out2.csv'))).toBe(false);
    const back = ['reveal', 'out.csv', '--policy', 'p.yaml', '--keys', 'k2.json', '--out', 'out3.csv'];
    expect((await run([...back, '--from', OLD], 1)).err).toContain('was moved to key');
    await run([...back, '--from', NOW]);
    expect(place.read('out3.csv')).toContain('1234567890');
    // The policy pins both keys, so without a name the records themselves are asked.
    expect((await run([...back, '--force'], 4)).err).toContain('the record does not show which key made the value');
  });

  it('each output of a folder has its note', async () => {
    place.write('out.a.csv', place.read('old.csv'));
    place.write('out.b.csv', place.read('old.csv'));
    await run(move('out.a.csv', 'out.b.csv', '--out-dir', 'out.dir'));
    expect(readdirSync(place.path('out.dir')).sort()).toEqual(
      ['a', 'b'].flatMap((name) => [`out.${name}.csv`, `out.${name}.csv.trefoil-rekeyed`]),
    );
    expect((await run(move('out.dir/*.csv', '--out-dir', 'out.dir2'), 1)).err).toContain('was moved to key');
  });

  it('a policy all of whose fields show their key writes no note, and moves a file as often as you like', async () => {
    place.write('shown.yaml', policyOf([ID]));
    place.write('out.in.csv', 'id\n7\n\n');
    const on = (keys: string) => ['--policy', 'shown.yaml', '--keys', keys, '--quiet'];
    await run(['protect', 'out.in.csv', ...on('k1.json'), '--out', 'out.old.csv']);
    await run(['rekey', 'out.old.csv', ...on('k2.json'), '--out', 'out.csv']);
    await run(['rekey', 'out.csv', ...on('k2.json'), '--out', 'out2.csv']);
    expect(place.read('out2.csv')).toBe(place.read('out.csv'));
    expect(place.files().filter((file) => file.endsWith('rekeyed'))).toEqual([]);
  });

  it('keeps its branches when the key is retired, although no report names the key', async () => {
    place.write('out.new.csv', place.read('old.csv').replace(/^cust.*\n/m, ''));
    // A report without a value of any key proves nothing and is refused, so a table of the new key is scanned as well.
    place.write('now.yaml', policyOf([ID]));
    place.write('now.csv', 'id\n7\n');
    await run(['protect', 'now.csv', '--policy', 'now.yaml', '--keys', 'k2.json', '--out', 'now.new.csv']);
    const tables = ['out.new.csv', 'now.new.csv'];
    const scan = await run(['scan', ...tables, '--policy', 'p.yaml', '--out', 'out.scan.json']);
    expect(scan.out).not.toContain(`key ${OLD}`);
    const retire = ['keys', 'retire', FIRST.primary, '--policy', 'p.yaml', '--scan', 'out.scan.json'];
    const kept = await run([...retire, '--keep-needed', '--keys', 'k2.json', '--out', 'out.k3.json']);
    expect(kept.err).toContain(
      `no scan can tell whether values of key ${OLD} are left in the fields pan, code of domain eu: a record in which id ` +
        'is missing shows no key',
    );
    expect(kept.err).toContain(`kept of ${FIRST.primary}: fpe pan in eu`);
    const [pin] = /branchCheck: "\w{26}"/.exec(kept.err)!;
    place.write('out.yaml', policyOf([ID, PAN, CODE], `${PINS}${pin}\n`));
    const reveal = ['reveal', 'out.new.csv', '--policy', 'out.yaml', '--keys', 'out.k3.json', '--from', OLD];
    expect((await run(reveal)).out).toContain('2345678901');
    const gone = await run([...retire, '--keys', 'k2.json', '--out', 'out.k4.json']);
    expect(gone.err).toContain('a record is found only if another of its fields shows the key and is not missing');
  });
});

describe('a token that its record was protected with', () => {
  beforeAll(async () => {
    place.write('id.yaml', policyOf([ID]));
    place.write('id.csv', 'id\n7\n');
    await run(['protect', 'id.csv', '--policy', 'id.yaml', '--keys', 'k2.json', '--out', 'id.new.csv']);
    place.write('pass.csv', `id,pan\n${place.read('id.new.csv').split('\n')[1]},1234567890\n`);
    place.write('pass.free.yaml', policyOf([PASSED, PAN]));
    place.write('pass.yaml', policyOf([PASSED, PAN], PINS));
    // A key that is only ready reads its tokens, as during the roll-out of a rotation.
    place.write('kr.json', READY.export(secretAccess));
    await run(['protect', 'pass.csv', '--policy', 'pass.free.yaml', '--keys', 'kr.json', '--out', 'pass.old.csv']);
  });

  it('does not destroy the key of its record', async () => {
    await run(['scan', 'pass.old.csv', '--policy', 'pass.yaml', '--out', 'out.scan.json']);
    const retire = ['keys', 'retire', FIRST.primary, '--policy', 'pass.yaml', '--scan', 'out.scan.json'];
    const kept = await run([...retire, '--keep-needed', '--keys', 'k2.json', '--out', 'out.k3.json']);
    expect(kept.err).toContain('no field of their policy shows its key');
    const [pin] = /branchCheck: "\w{26}"/.exec(kept.err)!;
    place.write('out.yaml', policyOf([PASSED, PAN], `${PINS}${pin}\n`));
    const reveal = ['reveal', 'pass.old.csv', '--policy', 'out.yaml', '--keys', 'out.k3.json', '--from', OLD];
    expect((await run(reveal)).out).toContain('1234567890');
  });

  it('does not keep its record from being moved once, and the note keeps it from a second time', async () => {
    const args = ['--policy', 'pass.yaml', '--keys', 'k2.json', '--from', OLD];
    await run(['rekey', 'pass.old.csv', ...args, '--out', 'out.csv']);
    await run(['protect', 'pass.csv', '--policy', 'pass.yaml', '--keys', 'k2.json', '--out', 'out.fresh.csv']);
    expect(place.read('out.csv')).toBe(place.read('out.fresh.csv'));
    expect((await run(['rekey', 'out.csv', ...args, '--out', 'out2.csv'], 1)).err).toContain('was moved to key');
  });
});

describe('a file of tokens that do not show their key', () => {
  it.each([
    ['by trefoil', []],
    ['by DuckDB', ['--engine', 'duckdb']],
  ])('is not projected twice, %s', async (_, more) => {
    place.write('code.yaml', policyOf([CODE], PINS));
    place.write('code.partner.yaml', policyOf([CODE], '', 'partner'));
    place.write('out.in.csv', 'code\n1\n2\n');
    await run(['protect', 'out.in.csv', '--policy', 'code.yaml', '--keys', 'k2.json', '--out', 'out.safe.csv']);
    const to = ['--to', 'partner', '--as', 'code.partner.yaml', '--from', NOW, ...more];
    const args = ['--policy', 'code.yaml', '--keys', 'k2.json', ...to];
    const first = await run(['project', 'out.safe.csv', ...args, '--out', 'out.csv']);
    expect(first.err).toContain('keep the note .trefoil-rekeyed beside each output');
    await run(['protect', 'out.in.csv', '--policy', 'code.partner.yaml', '--keys', 'k2.json', '--out', 'out.p.csv']);
    expect(place.read('out.csv')).toBe(place.read('out.p.csv'));
    expect(JSON.parse(place.read('out.csv.trefoil-rekeyed'))).toMatchObject({
      trefoil: 'rekeyed-v1',
      domain: 'partner',
      from: NOW,
      to: PARTNER,
    });
    const says = `says that it was moved to key ${PARTNER} in domain partner, and this run takes its values for those`;
    const second = await run(['project', 'out.csv', ...args, '--out', 'out2.csv'], 1);
    expect(second.err).toContain(says);
    const back = await run(['rekey', 'out.csv', '--policy', 'code.yaml', '--keys', 'k2.json', '--from', OLD], 1);
    expect(back.err).toContain(says);
    expect(existsSync(place.path('out2.csv'))).toBe(false);
  });
});

describe('a note and links', () => {
  it('is found beside the file that a link leads to', async () => {
    await run(move('old.csv', '--out', 'out.csv'));
    mkdirSync(place.path('out.links'));
    symlinkSync('../out.csv', place.path('out.links/link.csv'));
    const { err } = await run(move('out.links/link.csv', '--out', 'out2.csv'), 1);
    expect(err).toContain(`says that it was moved to key ${NOW}`);
    expect(existsSync(place.path('out2.csv'))).toBe(false);
  });

  it('is written beside the file that a link leads to, and found for both names', async () => {
    mkdirSync(place.path('out.links'));
    place.write('out.csv', '');
    symlinkSync('../out.csv', place.path('out.links/link.csv'));
    await run(move('old.csv', '--out', 'out.links/link.csv', '--force'));
    expect(existsSync(place.path('out.csv.trefoil-rekeyed'))).toBe(true);
    for (const name of ['out.csv', 'out.links/link.csv']) {
      expect((await run(move(name, '--out', 'out2.csv'), 1)).err).toContain('was moved to key');
    }
  });

  it('is found beside the link as well', async () => {
    await run(move('old.csv', '--out', 'out.csv'));
    mkdirSync(place.path('out.store'));
    await place.bash('mv out.csv out.store/1f3a; ln -s out.store/1f3a out.csv');
    expect((await run(move('out.csv', '--out', 'out2.csv'), 1)).err).toContain('was moved to key');
  });
});
