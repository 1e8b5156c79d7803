/**
 * Lineages, recipients, regions and branches of keyset-v1, against the construction written down with node:crypto and
 * against the vectors of the specification, which were computed in Python.
 */
import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TrefoilError } from '../../src/errors.ts';
import { seal } from '../../src/index.ts';
import { type DomainKey, openKeys, packKeys, unpackKeys } from '../../src/keys/domain-keys.ts';
import { keyset } from '../../src/keys.ts';
import { secretAccess } from '../../src/reveal.ts';
import { base32, check, child, FROZEN_ROOT, list, secretText, testRoot } from '../reference/tree.ts';

const ROOT_2 = createHash('sha256').update('trefoil frozen test root 2').digest();
const ROOT_3 = createHash('sha256').update('trefoil frozen test root 3').digest();

const EPOCH_1 = { id: 'e1', secret: secretText(FROZEN_ROOT) };
const EPOCH_2 = { id: 'e2', base: 'e1', secret: secretText(ROOT_2) };
const EPOCH_3 = { id: 'e3', base: 'e1', secret: secretText(ROOT_3) };
const BASE_ONLY = { id: 'b0', use: 'base', secret: secretText(testRoot('base')) };

/** The text of a keyset, the first key primary. */
function fileOf(keys: readonly object[], more: object = {}): string {
  return JSON.stringify({
    version: 'keyset-v1',
    keys: keys.map((key, i) => (i === 0 ? { primary: true, ...key } : key)),
    ...more,
  });
}

function codeOf(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    if (error instanceof TrefoilError) return error.code;
    throw error;
  }
  return 'none';
}

const refused = (keys: readonly object[], more?: object) => codeOf(() => keyset.parse(fileOf(keys, more)));

const nodeText = (node: Uint8Array) => `trefoil-node-1_${base32(node)}${check(base32(node))}`;

/** The node of a domain, with parent and region. */
function domainNode(root: Uint8Array, domain: string, ...labels: string[]): Buffer {
  return child(root, 32, 'domain', domain, ...labels);
}

const keyCheck = (node: Uint8Array, ...base: string[]) => base32(child(node, 32, 'key check', ...base), 80);
const keyId = (node: Uint8Array, ...base: string[]) => base32(child(node, 32, 'key id', ...base), 25);

function ruleNode(domain: Uint8Array, kind: string, scope: string, ...parameters: string[]): Buffer {
  return child(child(child(domain, 32, 'kind', kind), 32, 'scope', scope), 32, 'parameters', ...parameters);
}

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');
const opened = (text: string, domain: string) => openKeys(keyset.parse(text).domain(domain));

describe('a base that is a base and nothing else', () => {
  const epoch = { id: 'e2', base: 'b0', secret: secretText(ROOT_2) };
  const { use: _, ...plain } = BASE_ONLY;
  const domains = { domains: { partner: { of: 'eu' } } };

  it('cannot be made a key like any other under a pinned check', () => {
    for (const domain of ['eu', 'partner']) {
      const { keyId: id, keyCheck: pin } = keyset.parse(fileOf([epoch, BASE_ONLY], domains)).domain(domain);
      const edited = keyset.parse(fileOf([epoch, plain], domains));
      // The tokens stay, so without a pin nothing would tell.
      expect(edited.domain(domain).keyId).toBe(id);
      expect(codeOf(() => edited.domain(domain, { keyCheck: pin }))).toBe('key_check_mismatch');
      expect(codeOf(() => edited.domain(domain, { keyCheck: { ...pin, protects: id } }))).toBe('key_check_mismatch');
    }
  });

  it('nor the reverse', () => {
    const { keyId: id, keyCheck: pin } = keyset.parse(fileOf([epoch, plain])).domain('eu');
    const edited = keyset.parse(fileOf([epoch, BASE_ONLY]));
    expect(codeOf(() => edited.domain('eu', { keyCheck: { [id]: pin[id]! } }))).toBe('key_check_mismatch');
  });

  it('has a check that is written down with node:crypto', () => {
    const base = keyCheck(domainNode(testRoot('base'), 'eu'));
    const own = domainNode(ROOT_2, 'eu');
    const { keyCheck: pin } = keyset.parse(fileOf([epoch, BASE_ONLY])).domain('eu');
    expect(pin).toEqual({ [keyId(own, base)]: keyCheck(own, base, 'base') });
  });
});

describe('a lineage', () => {
  it.each([
    ['e1', 'eu-enclave', 's0nr0', 'aybrrwdf0sv5jjp6'],
    ['e2', 'eu-enclave', 'p9t4e', 'ebhthhcg1rb1abex'],
    ['e3', 'eu-enclave', 'wdh8w', 'ee6dhk8egwwnnskv'],
    ['e1', 'partner-b', 'wrx8p', 'js5htpctcfgr212v'],
    ['e2', 'partner-b', '9tsat', '5zermfaqmvnw4km9'],
  ])('%s in %s shows the key id and key check of the specification', (id, domain, shown, value) => {
    const keys = [EPOCH_1, EPOCH_2, EPOCH_3];
    const sorted = [...keys.filter((key) => key.id === id), ...keys.filter((key) => key.id !== id)];
    const one = keyset.parse(fileOf(sorted, { domains: { 'partner-b': { of: 'eu-enclave' } } })).domain(domain);
    expect(one.keyId).toBe(shown);
    expect(one.keyCheck[shown]).toBe(value);
  });

  it('derives tokens from the base node, dates from the base of the domain itself, all else from its own', () => {
    const file = fileOf([EPOCH_2, EPOCH_1], { domains: { b: { of: 'a' } } });
    for (const [domain, labels] of [
      ['a', []],
      ['b', ['of', 'a']],
    ] as const) {
      const { primary } = opened(file, domain);
      expect(primary.isBound).toBe(true);
      const [own, dates] = [domainNode(ROOT_2, domain, ...labels), domainNode(FROZEN_ROOT, domain, ...labels)];
      const base = domainNode(FROZEN_ROOT, 'a');
      const derive = (...args: Parameters<DomainKey['derive']>) => hex(primary.derive(...args));
      expect(derive('token', 's', ['x'])).toBe(hex(ruleNode(base, 'token', 's', 'x')));
      expect(derive('shiftDate', 's', ['x'])).toBe(hex(ruleNode(dates, 'shiftDate', 's', 'x')));
      for (const kind of ['token permutation', 'seal', 'fpe', 'vault', 'rejects'] as const) {
        expect(derive(kind, 's', ['x'])).toBe(hex(ruleNode(own, kind, 's', 'x')));
      }
    }
  });

  it('a key that is its own base is bound only in the domain of a recipient', () => {
    const file = fileOf([EPOCH_1], { domains: { b: { of: 'a' } } });
    expect(opened(file, 'a').primary.isBound).toBe(false);
    expect(opened(file, 'b').primary.isBound).toBe(true);
  });

  it('the permutation of epoch 2 has the node of the specification', () => {
    const { primary } = opened(fileOf([EPOCH_2, EPOCH_1]), 'eu-enclave');
    expect(hex(primary.derive('token permutation', 'person.email', ['bits', '128']))).toBe(
      '334a3fa49047de41db8194c8ade9007dcfafbc92ef957a8faa03e7114d1e16e4',
    );
  });

  it('a right root key under a wrong base has another id and check', () => {
    const right = keyset.parse(fileOf([EPOCH_2, EPOCH_1])).domain('eu');
    const wrong = { ...EPOCH_1, secret: secretText(testRoot('another base')) };
    const other = keyset.parse(fileOf([EPOCH_2, wrong]));
    expect(other.domain('eu').keyId).not.toBe(right.keyId);
    expect(codeOf(() => other.domain('eu', { keyCheck: { [right.keyId]: right.keyCheck[right.keyId]! } }))).toBe(
      'key_check_mismatch',
    );
    // The same if somebody leaves the base out.
    const { base: _, ...alone } = EPOCH_2;
    expect(codeOf(() => keyset.parse(fileOf([alone, EPOCH_1])).domain('eu', { keyCheck: right.keyCheck }))).toBe(
      'key_check_mismatch',
    );
  });

  it('a base that is only a base is no key of a domain', () => {
    const made = keyset.generate({ renewable: true });
    expect(made.ids).toHaveLength(2);
    const { keys, primary } = openKeys(made.domain('eu'));
    expect(keys).toHaveLength(1);
    expect(primary.isBound).toBe(true);
    const { keys: entries } = JSON.parse(made.export(secretAccess)) as { keys: readonly Record<string, unknown>[] };
    expect(entries.map(({ use, base }) => [use, base])).toEqual([
      [undefined, made.ids[1]],
      ['base', undefined],
    ]);
    expect(keyset.parse(made.export(secretAccess)).domain('eu')).toEqual(made.domain('eu'));
  });

  it.each([
    ['a base that is not in the file', [EPOCH_2]],
    ['a base that has a base', [{ ...EPOCH_3, base: 'e2' }, EPOCH_2, EPOCH_1]],
    ['itself as its base', [{ ...EPOCH_1, base: 'e1' }]],
    ['a base-only key that is primary', [BASE_ONLY]],
    ['a base-only key with a base', [EPOCH_1, { ...BASE_ONLY, base: 'e1' }]],
    ['another word for use', [EPOCH_1, { ...BASE_ONLY, use: 'old' }]],
    ['base null', [{ ...EPOCH_1, base: null }]],
    ['two primaries', [EPOCH_1, { ...EPOCH_2, primary: true }]],
    ['another region than its base', [{ ...EPOCH_2, region: 'eu' }, EPOCH_1]],
    [
      'two regions',
      [
        { ...EPOCH_1, region: 'eu' },
        { id: 'x', region: 'us', secret: secretText(ROOT_2) },
      ],
    ],
    ['a secret and branches', [{ ...EPOCH_1, branches: [] }]],
    ['neither', [{ id: 'e1' }]],
    ['a check that no key needs', [EPOCH_1, { id: 'z', check: { eu: 'aybrrwdf0sv5jjp6' } }]],
    ['a check of another length', [EPOCH_2, { id: 'e1', check: { eu: 'aybrrwdf0sv5jjp' } }]],
    ['shown beside a secret', [{ ...EPOCH_1, shown: { eu: { id: 's0nr0', check: 'aybrrwdf0sv5jjp6' } } }]],
  ])('refuses %s', (_, keys) => {
    expect(refused(keys as object[])).toBe('invalid_keyset');
  });

  it.each([
    ['a parent that has a parent', { domains: { a: { of: 'b' }, b: { of: 'c' } } }],
    ['itself as its parent', { domains: { a: { of: 'a' } } }],
    ['an unknown field of a domain', { domains: { a: { of: 'b', x: 1 } } }],
    ['a retired key that is in the list', { retired: [{ id: 'e1', at: '2027-01-31', shown: {} }] }],
    ['a retired key without a day', { retired: [{ id: 'x', at: 'soon', shown: {} }] }],
    ['a verb that there is not', { narrowed: { verbs: ['read'], soft: [] } }],
  ])('refuses %s', (_, more) => {
    expect(refused([EPOCH_1], more)).toBe('invalid_keyset');
  });
});

describe('regions', () => {
  const file = fileOf([
    { ...EPOCH_2, region: 'eu' },
    { ...EPOCH_1, region: 'eu' },
  ]);

  it('enter the node of every domain', () => {
    expect(hex(domainNode(ROOT_2, 'eu-enclave', 'region', 'eu'))).toBe(
      '0881ad8433735fa08a1dab45a39428b88c39e7ec016fd886ab0ad29daa318ae9',
    );
    const { primary } = openKeys(keyset.parse(file, { region: 'eu' }).domain('eu-enclave'));
    const own = domainNode(ROOT_2, 'eu-enclave', 'region', 'eu');
    const base = domainNode(FROZEN_ROOT, 'eu-enclave', 'region', 'eu');
    expect(primary.id).toBe(keyId(own, keyCheck(base)));
    expect(hex(primary.derive('token', 's', []))).toBe(hex(ruleNode(base, 'token', 's')));
  });

  it('open only where the process says that it is', () => {
    expect(codeOf(() => keyset.parse(file))).toBe('region_required');
    expect(codeOf(() => keyset.parse(file, { region: 'us' }))).toBe('wrong_region');
    const { region } = keyset.parse(file, { region: 'eu' }).domain('eu');
    expect(region).toBe('eu');
    // Keys without a label open everywhere.
    expect(keyset.parse(fileOf([EPOCH_1]), { region: 'eu' }).domain('eu')).not.toHaveProperty('region');
  });

  it('dropping the label gives other keys', () => {
    const plain = keyset.parse(fileOf([EPOCH_2, EPOCH_1])).domain('eu');
    expect(keyset.parse(file, { region: 'eu' }).domain('eu').keyId).not.toBe(plain.keyId);
  });

  it('a parent and a region are told from each other and from names', () => {
    const nodes = [
      domainNode(FROZEN_ROOT, 'a'),
      domainNode(FROZEN_ROOT, 'a', 'of', 'b'),
      domainNode(FROZEN_ROOT, 'a', 'region', 'b'),
      domainNode(FROZEN_ROOT, 'a', 'of', 'region', 'region', 'of'),
    ].map(hex);
    expect(new Set(nodes).size).toBe(nodes.length);
  });
});

describe('several files', () => {
  it('are one keyset; the first says which key is primary', () => {
    const both = keyset.parse([
      fileOf([EPOCH_2, EPOCH_1]),
      JSON.stringify({ version: 'keyset-v1', keys: [EPOCH_3, EPOCH_1] }),
    ]);
    expect(both.ids).toEqual(['e2', 'e1', 'e3']);
    expect(both.domain('eu').keyId).toBe(keyset.parse(fileOf([EPOCH_2, EPOCH_1])).domain('eu').keyId);
  });

  it.each([
    ['one id with two secrets', { id: 'e1', secret: secretText(testRoot('x')) }],
    ['one id with two bases', { ...EPOCH_2, base: 'e3' }],
    ['one id with two uses', { ...EPOCH_1, use: 'base' }],
  ])('refuses %s', (_, key) => {
    const second = JSON.stringify({ version: 'keyset-v1', keys: [key] });
    expect(codeOf(() => keyset.parse([fileOf([EPOCH_2, EPOCH_1, EPOCH_3]), second]))).toBe('invalid_keyset');
  });

  it('refuses a second file with another primary key', () => {
    expect(codeOf(() => keyset.parse([fileOf([EPOCH_1]), fileOf([EPOCH_2, EPOCH_1])]))).toBe('invalid_keyset');
  });
});

describe('branches', () => {
  const own = domainNode(ROOT_2, 'eu');
  const base = domainNode(FROZEN_ROOT, 'eu');
  const shown = { eu: { id: keyId(own, keyCheck(base)), check: keyCheck(own, keyCheck(base)) } };
  const path = (kind: string, scope: string, ...parameters: unknown[]) => [
    ['kind', kind],
    ['scope', scope],
    ['parameters', ...parameters],
  ];
  const branch = (kind: string, scope: string, node: Uint8Array, ...parameters: string[]) => ({
    domain: 'eu',
    path: path(kind, scope, ...parameters),
    node: nodeText(node),
  });
  const epoch = {
    id: 'e2',
    base: 'e1',
    shown,
    branches: [branch('token permutation', 's', ruleNode(own, 'token permutation', 's', 'bits', '128'), 'bits', '128')],
  };
  const root = {
    id: 'e1',
    use: 'base',
    branches: [branch('token', 's', ruleNode(base, 'token', 's', 'p'), 'p')],
  };
  const file = fileOf([epoch, root], { narrowed: { verbs: ['protect'], soft: [] } });

  /** The branch check of two keys that have nothing else but `shown`, narrowed to protect, written down. */
  function branchCheck() {
    const line = (id: string, of: string, use: string, primary: string) =>
      list('key', id, of, use, primary, '', 'branches', '');
    const branchLine = (id: string, { domain, path: steps }: (typeof root.branches)[0], node: Buffer) => {
      const bytesOf = (name: unknown) => list(name as string);
      const pathBytes = list(...steps.map((step) => list(...step.map(bytesOf))));
      return list('branch', id, domain, pathBytes, child(node, 32, 'node check'));
    };
    const lines = [
      line('e2', 'e1', '', 'primary'),
      branchLine('e2', epoch.branches[0]!, ruleNode(own, 'token permutation', 's', 'bits', '128')),
      list('shown', 'e2', 'eu', shown.eu.id, shown.eu.check),
      line('e1', '', 'base', ''),
      branchLine('e1', root.branches[0]!, ruleNode(base, 'token', 's', 'p')),
      list('narrowed', list('protect'), list()),
    ];
    lines.sort(Buffer.compare);
    return base32(child(Buffer.from('trefoil branch check'), 16, 'branches', ...lines));
  }

  it('give the nodes that they cover, those below them, and no others', () => {
    const keys = keyset.parse(file).domain('eu');
    expect(keys.branchCheck).toBe(branchCheck());
    const { primary } = openKeys(keyset.parse(file).domain('eu', { branchCheck: keys.branchCheck! }));
    expect(hex(primary.derive('token', 's', ['p']))).toBe(hex(ruleNode(base, 'token', 's', 'p')));
    expect(hex(primary.derive('token', 's', ['p'], [['period', '2024-03-01']]))).toBe(
      hex(child(ruleNode(base, 'token', 's', 'p'), 32, 'period', '2024-03-01')),
    );
    for (const [kind, scope, parameters] of [
      ['token', 's', ['q']],
      ['token', 's', []],
      ['token', 's', ['p', '']],
      ['token', 't', ['p']],
      ['token permutation', 's', ['bits', '122']],
      ['seal', 's', ['p']],
      ['fpe', 's', ['p']],
      ['shiftDate', 's', ['p']],
      ['vault', 's', ['p']],
      ['rejects', '', []],
    ] as const) {
      expect(primary.has(kind, scope, parameters)).toBe(false);
      expect(codeOf(() => primary.derive(kind, scope, parameters))).toBe('not_granted');
    }
  });

  it('are refused until their check is pinned', () => {
    const keys = keyset.parse(file).domain('eu');
    expect(codeOf(() => openKeys(keys).primary.derive('token', 's', ['p']))).toBe('branches_unpinned');
    expect(codeOf(() => keyset.parse(file).domain('eu', { branchCheck: '0'.repeat(26) }))).toBe('key_check_mismatch');
    // Id and key check are right, and the nodes are an attacker's.
    const forged = fileOf(
      [{ ...epoch, branches: [{ ...epoch.branches[0]!, node: nodeText(testRoot('attacker')) }] }, root],
      { narrowed: { verbs: ['protect'], soft: [] } },
    );
    const theirs = keyset.parse(forged).domain('eu', { keyCheck: keys.keyCheck });
    expect(theirs.keyCheck).toEqual(keys.keyCheck);
    expect(codeOf(() => keyset.parse(forged).domain('eu', { branchCheck: keys.branchCheck! }))).toBe(
      'key_check_mismatch',
    );
  });

  const narrowed = { verbs: ['protect'], soft: [] as string[] };
  const known = { id: 'mine', secret: secretText(testRoot('attacker')) };
  const other = { id: 'zzzzz', check: '0'.repeat(16) };
  const cases: [string, object[], object?][] = [
    ['a base whose secret they know, and points the key at it', [{ ...epoch, base: 'mine' }, root, known]],
    ['a key', [epoch, root, known]],
    ['another base', [{ ...epoch, base: 'mine' }, root, { id: 'mine', use: 'base', branches: root.branches }]],
    ['no base', [{ ...epoch, base: undefined }, root]],
    ['another shown id', [{ ...epoch, shown: { eu: { ...shown.eu, id: other.id } } }, root]],
    ['another shown check', [{ ...epoch, shown: { eu: { ...shown.eu, check: other.check } } }, root]],
    ['shown of another domain', [{ ...epoch, shown: { ...shown, us: other } }, root]],
    ['the id of a key', [{ ...epoch, id: 'e9' }, root]],
    ['a secret in place of branches', [epoch, { id: 'e1', use: 'base', secret: secretText(testRoot('attacker')) }]],
    ['a check in place of branches', [epoch, { id: 'e1', use: 'base', check: { eu: keyCheck(base) } }]],
    [
      'a region',
      [
        { ...epoch, region: 'eu' },
        { ...root, region: 'eu' },
      ],
    ],
    ['other verbs', [epoch, root], { narrowed: { verbs: ['protect', 'reveal'], soft: [] } }],
    ['other seat belts', [epoch, root], { narrowed: { verbs: ['protect'], soft: ['seal:s'] } }],
    ['a parent', [epoch, root], { domains: { b: { of: 'eu' } } }],
  ];
  it.each(cases)('with %s, written into the file, are refused', (_, keys, more = {}) => {
    const pin = { branchCheck: branchCheck() };
    expect(keyset.parse(file).domain('eu', pin).keyId).toBe(shown.eu.id);
    const forged = keyset.parse(fileOf(keys, { narrowed, ...more }), { region: 'eu' });
    expect(codeOf(() => forged.domain('eu', pin))).toBe('key_check_mismatch');
  });

  it.each([
    ['another primary', [{ ...epoch, id: 'e3' }, epoch, root], [epoch, { ...epoch, id: 'e3' }, root]],
    [
      'no region',
      [
        { ...epoch, region: 'eu' },
        { ...root, region: 'eu' },
      ],
      [epoch, root],
    ],
    [
      'another use',
      [epoch, { ...root, shown: { eu: other } }],
      [epoch, { ...root, use: undefined, shown: { eu: other } }],
    ],
    [
      'another secret of a key',
      [epoch, { ...root, use: undefined, shown: { eu: other } }, { id: 'k', secret: secretText(ROOT_3) }],
      [epoch, { ...root, use: undefined, shown: { eu: other } }, { ...known, id: 'k' }],
    ],
    [
      'another check of a base',
      [
        { ...epoch, base: 'g' },
        { id: 'g', check: { eu: keyCheck(base) } },
      ],
      [
        { ...epoch, base: 'g' },
        { id: 'g', check: { eu: other.check } },
      ],
    ],
    [
      'another parent',
      [epoch, root],
      [epoch, root],
      { domains: { b: { of: 'eu' } } },
      { domains: { b: { of: 'us' } } },
    ],
  ] as [string, object[], object[], object?, object?][])(
    'with %s, written into the file, are refused',
    (_, keys, edited, was = {}, now = {}) => {
      const region = { region: 'eu' };
      // Two keys of one shown id do not open together, so the second has another one.
      const apart = (list_: object[]) =>
        list_.map((key) =>
          'id' in key && key.id === 'e3' ? { ...key, shown: { eu: { ...shown.eu, id: 'zzzzz' } } } : key,
        );
      const read = keyset.parse(fileOf(apart(keys), { narrowed, ...was }), region);
      const pin = { branchCheck: read.domain('eu').branchCheck! };
      expect(read.domain('eu', pin).branchCheck).toBe(pin.branchCheck);
      const forged = keyset.parse(fileOf(apart(edited), { narrowed, ...now }), region);
      expect(codeOf(() => forged.domain('eu', pin))).toBe('key_check_mismatch');
    },
  );

  it('have one check whether or not a key is ready or another is retired', () => {
    const pin = { branchCheck: branchCheck() };
    const more = { narrowed, retired: [{ id: 'old', at: '2027-01-31', shown: { eu: 'zzzzz' } }] };
    expect(keyset.parse(fileOf([epoch, root], more)).domain('eu', pin).branchCheck).toBe(pin.branchCheck);
  });

  it('bytes and text, and steps and names, are told from each other in a path', () => {
    const node = testRoot('node');
    const variants = [
      [
        ['kind', 'token'],
        ['scope', 's'],
        ['parameters', 'p', 'q'],
      ],
      [['kind', 'token'], ['scope', 's'], ['parameters', 'p'], ['q']],
      [
        ['kind', 'token', 'scope', 's'],
        ['parameters', 'p', 'q'],
      ],
    ];
    const checks = variants.map(
      (steps) =>
        keyset
          .parse(
            fileOf([{ ...epoch, branches: [{ domain: 'eu', path: steps, node: nodeText(node) }] }, root], {
              narrowed: { verbs: ['protect'], soft: [] },
            }),
          )
          .domain('eu').branchCheck,
    );
    expect(new Set(checks).size).toBe(variants.length);
  });

  it('are for the domains that they name', () => {
    expect(codeOf(() => keyset.parse(file).domain('us'))).toBe('not_granted');
  });

  it('of a base that was kept for one domain do not open another', () => {
    const kept = { ...root, shown: { eu: { id: 's0nr0', check: keyCheck(base) } } };
    const keys = keyset.parse(fileOf([EPOCH_2, kept]));
    expect(keys.domain('eu').keyId).toBe(shown.eu.id);
    expect(codeOf(() => keys.domain('us'))).toBe('domain_gone');
  });

  it('survive being written and being sent to a worker', () => {
    const again = keyset.parse(keyset.parse(file).export(secretAccess));
    const keys = again.domain('eu', { branchCheck: branchCheck() });
    const { primary } = openKeys(unpackKeys(structuredClone(packKeys(openKeys(keys)))));
    expect(hex(primary.derive('token', 's', ['p']))).toBe(hex(ruleNode(base, 'token', 's', 'p')));
    expect(codeOf(() => primary.derive('token', 's', ['q']))).toBe('not_granted');
  });

  it('a base that is elsewhere is known by its check', () => {
    const elsewhere = { id: 'e1', check: { eu: keyCheck(base) } };
    const keys = keyset.parse(fileOf([EPOCH_2, elsewhere])).domain('eu');
    expect(keys.keyCheck).toEqual({ [shown.eu.id]: shown.eu.check });
    const { primary } = openKeys(keys);
    expect(codeOf(() => primary.derive('token', 's', ['p']))).toBe('not_granted');
    expect(hex(primary.derive('token permutation', 's', ['bits', '128']))).toBe(
      hex(ruleNode(own, 'token permutation', 's', 'bits', '128')),
    );
  });

  it('property: paths come back as they were written', () => {
    const name = fc.oneof(fc.string({ unit: 'binary', maxLength: 20 }), fc.uint8Array({ maxLength: 64 }));
    const step = fc.tuple(fc.string({ unit: 'binary', maxLength: 20 }), fc.array(name, { maxLength: 5 }));
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 6 }), (steps) => {
        const text = steps.map(([word, names]) => [
          word,
          ...names.map((one) => (typeof one === 'string' ? one : { b32: base32(one) })),
        ]);
        const keys = fileOf([{ ...epoch, branches: [{ domain: 'eu', path: text, node: nodeText(own) }] }, root], {
          narrowed: { verbs: ['protect'], soft: [] },
        });
        const written = JSON.parse(keyset.parse(keys).export(secretAccess)) as {
          keys: { branches: { path: unknown }[] }[];
        };
        expect(written.keys[0]!.branches[0]!.path).toEqual(text);
      }),
    );
  });
});

describe('pins', () => {
  it('protects refuses a key file from before a rotation', () => {
    const [before, after] = [fileOf([EPOCH_1, EPOCH_2]), fileOf([EPOCH_2, EPOCH_1])];
    const { keyCheck: both, keyId: id } = keyset.parse(after).domain('eu');
    const pin = { keyCheck: { ...both, protects: id } };
    expect(keyset.parse(after).domain('eu', pin).keyId).toBe(id);
    const old = keyset.parse(before).domain('eu', pin);
    expect(codeOf(() => seal({ scope: 's' }).bind(old).protect('x'))).toBe('key_not_pinned');
    expect(
      seal({ scope: 's' })
        .bind(keyset.parse(before).domain('eu', { keyCheck: both }))
        .protect('x'),
    ).toHaveLength(85);
    expect(() => keyset.parse(after).domain('eu', { keyCheck: { ...both, protects: 'zzzzz' } })).toThrow(RangeError);
  });
});
