/** A key that is retired with --keep-needed: the old table is still read and moved, field by field. As processes. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import type { TokenRule } from '../../../src/index.ts';
import { keyset } from '../../../src/keys.ts';
import { parsePolicy } from '../../../src/policy.ts';
import { expectVoice, makePlace, type Place } from '../harness.ts';

let place: Place;

/** A field for each kind of value, and the fields whose values do not show their key. */
const FIELDS: Readonly<Record<string, string>> = {
  id: '{ rule: token, scope: person, label: cust }',
  uid: '{ rule: token, scope: person.uid, form: uuid }',
  bare: '{ rule: token, scope: person.bare, form: bare }',
  code: '{ rule: token, scope: person.code, form: hex, length: 12, population: 100 }',
  name: '{ rule: seal, scope: person.name }',
  plate: '{ rule: fpe, scope: car, format: { type: pattern, pattern: AA99999 } }',
  born: '{ rule: shiftDate, scope: visit, subject: id, days: 100 }',
};
const policyOf = (names: readonly string[], ...pins: readonly string[]) =>
  [
    'trefoil: 1',
    'domain: eu-enclave',
    ...pins,
    'fields:',
    ...names.map((name) => `  ${name}: ${FIELDS[name]}`),
    '',
  ].join('\n');
const CSV =
  'id,uid,bare,code,name,plate,born\n7,7,7,7,Zoë Müller,KA12345,2024-03-01\n8,8,8,8,Ada Lovelace,KA12346,2024-05-01\n';
const VALUES = ['Müller', 'Lovelace', 'KA1234', 'trefoil-root', 'trefoil-node'];

beforeAll(() => {
  place = makePlace();
  place.write('in.csv', CSV);
  place.write('all.yaml', policyOf(Object.keys(FIELDS)));
});

afterAll(() => place.remove());

async function run(args: readonly string[]) {
  const ended = await place.run(args);
  expect(ended.code, ended.err).toBe(0);
  expectVoice(ended, VALUES);
  return ended;
}

interface Inspected {
  readonly keyId: string;
  readonly keyCheck: Readonly<Record<string, string>>;
  readonly branchCheck?: string;
  readonly keys: readonly { readonly id: string; readonly shown?: string }[];
}

const inspect = async (file: string): Promise<Inspected> =>
  JSON.parse((await run(['keys', 'inspect', '--keys', file, '--domain', 'eu-enclave', '--json'])).out);

/** One column of a table. */
const column = (csv: string, name: string) => {
  const [head, ...rows] = csv.trimEnd().split('\n');
  const at = head!.split(',').indexOf(name);
  return rows.map((row) => row.split(',')[at]);
};

const kinds: readonly [string, readonly string[], readonly string[]][] = [
  ['renewable', ['--renewable'], []],
  ['its own base', [], []],
  ['of another lineage than the primary key', ['--renewable'], ['--new-lineage']],
  ['its own base, and the primary key of another lineage', [], ['--new-lineage']],
];

describe.each(kinds)('a retired key that is %s', (kind, made, added) => {
  const at = (name: string) => `${kinds.findIndex(([one]) => one === kind)}-${name}`;
  let old: Inspected;

  beforeAll(async () => {
    await run(['keys', 'new', ...made, '--out', at('k1.json')]);
    old = await inspect(at('k1.json'));
    const before = old.keys.map(({ id }) => id);
    await run(['keys', 'add', ...added, '--keys', at('k1.json'), '--out', at('k2.json')]);
    const now = (await inspect(at('k2.json'))).keys.find(({ id, shown }) => shown && !before.includes(id))!;
    await run(['keys', 'promote', now.id, '--keys', at('k2.json'), '--out', at('k3.json')]);
    await run(['protect', 'in.csv', '--policy', 'all.yaml', '--keys', at('k1.json'), '--out', at('old.csv')]);
    await run(['scan', at('old.csv'), '--policy', 'all.yaml', '--out', at('scan.json')]);
    const retire = ['keys', 'retire', old.keys[0]!.id, '--policy', 'all.yaml', '--scan', at('scan.json')];
    await run([...retire, '--keep-needed', '--keys', at('k3.json'), '--out', at('kept.json')]);
  });

  /** Writes the table and the policy of one column, and returns the arguments that name policy and keys. */
  async function only(name: string, keys: string, now: Readonly<Record<string, string>> = {}) {
    const { branchCheck } = await inspect(keys);
    const pins = [`keyCheck: ${JSON.stringify({ ...old.keyCheck, ...now })}`];
    if (branchCheck !== undefined) pins.push(`branchCheck: "${branchCheck}"`);
    place.write('one.yaml', policyOf([name], ...pins));
    place.write('one.csv', `${[name, ...column(place.read(at('old.csv')), name)].join('\n')}\n`);
    return ['one.csv', '--policy', 'one.yaml', '--keys', keys, '--quiet'];
  }

  it.each(['name', 'plate'])('the field %s of the old table is still revealed', async (name) => {
    // Nothing in the column shows that the old key made it.
    const from = name === 'plate' ? ['--from', old.keyId] : [];
    const { out } = await run(['reveal', ...(await only(name, at('kept.json'))), ...from]);
    expect(column(out, name)).toEqual(column(CSV, name));
  });

  it.each(['id', 'uid', 'bare', 'code'])('the tokens of the field %s are still recognised', async (name) => {
    const { branchCheck } = await inspect(at('kept.json'));
    const keys = keyset.parse(place.read(at('kept.json'))).domain('eu-enclave', { branchCheck: branchCheck! });
    const rule = parsePolicy(parse(policyOf([name]))).fields[name] as TokenRule;
    const [seven] = column(place.read(at('old.csv')), name);
    expect(rule.bind(keys).matches('7', seven!)).toBe(true);
    expect(rule.bind(keys).matches('8', seven!)).toBe(false);
  });

  const moved = added.length === 0 ? ['id', 'uid', 'bare', 'code', 'name', 'plate'] : ['name', 'plate'];
  it.each(moved)('the field %s of the old table still moves to the primary key', async (name) => {
    const { keyId, keyCheck } = await inspect(at('k3.json'));
    const args = await only(name, at('kept.json'), { [keyId]: keyCheck[keyId]! });
    const { out } = await run(['rekey', ...args, '--from', old.keyId]);
    const fresh = await run(['protect', 'in.csv', '--policy', 'all.yaml', '--keys', at('k3.json'), '--quiet']);
    expect(column(out, name)).toEqual(column(fresh.out, name));
  });
});
