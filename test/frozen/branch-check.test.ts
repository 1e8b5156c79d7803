/**
 * Frozen branch checks, and key checks over a base that is a base and nothing else (docs/spec/keyset-v1.md). They were
 * computed in Python with hmac and hashlib: test/reference/generators/keyset-vectors.py.
 */
import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { keyset } from '../../src/keys.ts';
import { base32, FROZEN_ROOT, list, secretText } from '../reference/tree.ts';

const root = (n: 2 | 3): Buffer => createHash('sha256').update(`trefoil frozen test root ${n}`).digest();
const DOMAIN = 'eu-enclave';

interface Key {
  readonly id: string;
  readonly [field: string]: unknown;
}

describe('key checks over a base alone', () => {
  it.each([
    [{}, DOMAIN, 'p9t4e', 'vft0wk0jcye6h455'],
    [{}, 'partner-b', '9tsat', 'g9er6dgrr9x29kp7'],
    [{ region: 'eu' }, DOMAIN, 's6ka7', 'n425551w9892s4h3'],
  ])('%j %s', (labels, domain, id, check) => {
    const file = {
      version: 'keyset-v1',
      keys: [
        { id: 'epoch-2', primary: true, base: 'base', secret: secretText(root(2)), ...labels },
        { id: 'base', use: 'base', secret: secretText(FROZEN_ROOT), ...labels },
      ],
      domains: { 'partner-b': { of: DOMAIN } },
    };
    expect(keyset.parse(JSON.stringify(file), labels).domain(domain).keyCheck).toEqual({ [id]: check });
  });
});

const path = (kind: string, ...parameters: unknown[]) => [
  ['kind', kind],
  ['scope', 'person.email'],
  ['parameters', ...parameters],
];
const STEPS = { b32: base32(list('emailAddress')) };
/** The digest of a name of 65 letters x. */
const LONG = { digest: base32(Buffer.from('6e70c4f0ead9de424d27e34531cc65f358f0a562fe351e8dd2fd2e0e316a9e62', 'hex')) };
const NODE_P = 'trefoil-node-1_6d53z94g8zf43pw1jk4avt80fq7tzf4jxyaqn3xa0fkh2k8y2vj0105x';
const NODE_F = 'trefoil-node-1_qdmf6w6dnhe7cre5qj5pq6w6y8nr7p4y0ctv4spacy27xxwt5akgaze7';
const FUNCTION = path('token', 'hmac-sha256', STEPS, 'equal values');

const EPOCH: Key = {
  id: 'epoch-2',
  base: 'base',
  branches: [{ domain: DOMAIN, path: path('token permutation', 'bits', '128'), node: NODE_P }],
  shown: { [DOMAIN]: { id: 'p9t4e', check: 'vft0wk0jcye6h455' } },
};
const BASE: Key = {
  id: 'base',
  use: 'base',
  branches: [{ domain: DOMAIN, path: FUNCTION, node: NODE_F }],
  shown: { [DOMAIN]: { id: 's0nr0', check: 'aybrrwdf0sv5jjp6' } },
};
const THIRD: Key = { id: 'third', secret: secretText(root(3)) };
const GONE: Key = { id: 'gone', region: 'eu', check: { [DOMAIN]: 'aybrrwdf0sv5jjp6' } };
const PARTNER = { domains: { 'partner-b': { of: DOMAIN } } };
const protecting = { narrowed: { verbs: ['protect'], soft: [] } };
const eu = (keys: readonly Key[]) => keys.map((key) => ({ ...key, region: 'eu' }));

/** A file whose primary key is the named one, or the first. */
function branchCheckOf(keys: readonly Key[], more: object, primary = keys[0]!.id): string | undefined {
  const file = { version: 'keyset-v1', ...more, keys: keys.map((key) => ({ ...key, primary: key.id === primary })) };
  return keyset.parse(JSON.stringify(file), { region: 'eu' }).domain(DOMAIN).branchCheck;
}

describe('branch checks', () => {
  const without = (key: Key, field: string) => {
    const { [field]: _, ...rest } = key;
    return rest as Key;
  };
  it.each([
    ['two keys', 'b6ke18e7a06s5fs87exm73kkpr', [EPOCH, BASE], protecting],
    [
      'everything that is covered',
      'prevnqkgv93aqpq24tqm9pbef8',
      [...eu([EPOCH, without(BASE, 'shown'), { ...THIRD, base: 'gone' }]), GONE],
      { narrowed: { verbs: ['protect', 'rekey'], soft: ['seal:person.name'] }, ...PARTNER },
    ],
    ['without use', 'rz52hw9f11jrbcpxbme7r3w8n8', [EPOCH, without(BASE, 'use')], protecting],
    ['without base', 'j3cg3s32r5jyv3he99e3yxn0x4', [without(EPOCH, 'base'), BASE], protecting],
    ['another region', 'grg8zr27qztjx0vfzyshrrx1vr', eu([EPOCH, BASE]), protecting],
    [
      'another shown check',
      'esnknqhc2p6f1mjqwr7v7r80mm',
      [{ ...EPOCH, shown: { [DOMAIN]: { id: 'p9t4e', check: 'aybrrwdf0sv5jjp6' } } }, BASE],
      protecting,
    ],
    [
      'another node',
      'fx48prp5j2q9r1y0md4q4vj274',
      [EPOCH, { ...BASE, branches: [{ domain: DOMAIN, path: FUNCTION, node: NODE_P }] }],
      protecting,
    ],
    [
      'another path, with a digest',
      'zbr7bqdxjpvd4rrxmy0napkkn0',
      [
        EPOCH,
        {
          ...BASE,
          branches: [{ domain: DOMAIN, path: path('token', 'hmac-sha256', LONG, 'equal values'), node: NODE_F }],
        },
      ],
      protecting,
    ],
    [
      'another verb',
      'gdg0sbyb305p9dnrqfttmschy8',
      [EPOCH, BASE],
      { narrowed: { verbs: ['protect', 'rekey'], soft: [] } },
    ],
    [
      'another seat belt',
      'qe9ngd1xpbzfrt7svamjz24j0g',
      [EPOCH, BASE],
      { narrowed: { verbs: ['protect'], soft: ['token:person.email'] } },
    ],
    ['a recipient', 'ewaw3fhp1wapwsbebgk38y470c', [EPOCH, BASE], { ...protecting, ...PARTNER }],
    ['a key more', 'n7ye9twxwa98w8xpwq6qb91558', [EPOCH, BASE, THIRD], protecting],
    ['another primary key', 'hjk8r6st3594jvdwwvr11h20vw', [EPOCH, BASE, THIRD], protecting, 'third'],
  ] as const)('%s', (_, expected, keys, more, primary?: string) => {
    expect(branchCheckOf(keys, more, primary)).toBe(expected);
    // The order of keys does not matter.
    expect(branchCheckOf(keys.toReversed(), more, primary ?? keys[0].id)).toBe(expected);
  });
});
