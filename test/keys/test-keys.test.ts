/** Public test keysets: they open only domains for tests, in whichever file and under whichever id their keys are. */
import { createHash, hkdfSync, randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { keyset, policy, seal, TrefoilError, token } from '../../src/index.ts';
import { isTestKey, testKey } from '../../src/keys/test-keys.ts';
import { parsePolicy } from '../../src/policy.ts';
import { revealAccess, secretAccess } from '../../src/reveal.ts';
import { testKeyset } from '../../src/testing.ts';
import { secretText, testRoot } from '../reference/tree.ts';

const OPEN = ['test', 'test-eu', 'test-', 'test-1.2_3'];
const CLOSED = ['eu', 'eu-enclave', 'tests', 'testing', 'test.eu', 'test_eu', 'my-test', 'a-test-b', 'tes'];

/** The code and the message of the error with which a domain is refused. */
function refusal(run: () => unknown): { readonly code: string; readonly kind: string; readonly message: string } {
  try {
    run();
  } catch (error) {
    expect(error).toBeInstanceOf(TrefoilError);
    const { code, kind, message } = error as TrefoilError;
    return { code, kind, message };
  }
  throw new Error('the domain was opened');
}

const file = (...secrets: readonly string[]) =>
  JSON.stringify({
    version: 'keyset-v1',
    keys: secrets.map((secret, i) => ({ id: `k${i}`, primary: i === 0, secret })),
  });
const TEST_SECRET = JSON.parse(testKeyset('orders').export(secretAccess)).keys[0].secret as string;
const REAL_SECRET = secretText(testRoot('real'));

describe('the domains', () => {
  it.each(OPEN)('%s is open', (domain) => {
    expect(testKeyset('orders').domain(domain).domain).toBe(domain);
  });

  it.each(CLOSED)('%s is refused, and the error says what to do', (domain) => {
    const { code, kind, message } = refusal(() => testKeyset('orders').domain(domain));
    expect({ code, kind }).toEqual({ code: 'public_test_keys', kind: 'keys' });
    expect(message).toContain(`test-…, not ${domain};`);
    expect(message).toContain('trefoil keys new');
    expect(message).not.toContain(TEST_SECRET.slice(15, 30));
  });

  it('are those of real keys, too: a real key opens every domain', () => {
    for (const domain of [...OPEN, ...CLOSED]) expect(keyset.generate().domain(domain).domain).toBe(domain);
  });
});

describe('a test key is recognised', () => {
  it('after it was exported and read again', () => {
    const read = keyset.parse(testKeyset('orders').export(secretAccess));
    expect(read.testIds).toEqual(['orders']);
    expect(read.domain('test')).toEqual(testKeyset('orders').domain('test'));
    expect(refusal(() => read.domain('eu')).code).toBe('public_test_keys');
  });

  it('under another id, and beside real keys in either order', () => {
    expect(keyset.parse(file(TEST_SECRET)).testIds).toEqual(['k0']);
    for (const secrets of [
      [TEST_SECRET, REAL_SECRET],
      [REAL_SECRET, TEST_SECRET],
      [REAL_SECRET, secretText(testRoot('more')), TEST_SECRET],
    ]) {
      const mixed = keyset.parse(file(...secrets));
      expect(mixed.testIds).toEqual([`k${secrets.indexOf(TEST_SECRET)}`]);
      expect(refusal(() => mixed.domain('eu')).code).toBe('public_test_keys');
      expect(mixed.domain('test').domain).toBe('test');
    }
  });

  it('for every name', () => {
    const name = fc.stringMatching(/^[a-z0-9][a-z0-9._-]{0,63}$/);
    fc.assert(fc.property(name, (text) => isTestKey(testKey(text)) && testKeyset(text).testIds[0] === text));
    expect(new Set(['a', 'b', 'a.', 'aa'].map((text) => testKey(text).join())).size).toBe(4);
  });

  it('with the formula of the page, computed with node:crypto', () => {
    const encode = (...texts: readonly string[]) =>
      Buffer.concat(texts.flatMap((text) => [Buffer.from([0, 0, 0, text.length]), Buffer.from(text)]));
    const derive = (key: Uint8Array, info: Uint8Array) =>
      new Uint8Array(hkdfSync('sha256', key, Buffer.from('trefoil keyset-v1'), info, 16));
    const seed = derive(Buffer.from('trefoil public test keys'), encode('test key', 'orders'));
    const key = Buffer.concat([seed, derive(seed, encode('test key mark'))]);
    expect(Buffer.from(testKey('orders')).equals(key)).toBe(true);
  });
});

describe('a real key is no test key', () => {
  it('if it is random', () => {
    for (let i = 0; i < 2_000; i++) expect(isTestKey(randomBytes(32))).toBe(false);
    expect(keyset.generate().testIds).toEqual([]);
    expect(keyset.parse(file(REAL_SECRET)).testIds).toEqual([]);
    expect(isTestKey(createHash('sha256').update('trefoil frozen test root').digest())).toBe(false);
  });

  it('if a single bit of a test key is changed', () => {
    for (let bit = 0; bit < 256; bit++) {
      const changed = testKey('orders');
      changed[bit >> 3]! ^= 1 << (bit & 7);
      expect(isTestKey(changed), `bit ${bit}`).toBe(false);
    }
  });
});

describe('the keys of a test domain', () => {
  it('protect and reveal like others, through a policy in code and a file', () => {
    const keys = testKeyset('orders').domain('test', { keyCheck: { xyyq4: '9ssnxzjanjktps4k' } });
    const sheet = policy({ id: token({ scope: 'person' }), name: seal({ scope: 'name' }) });
    const safe = sheet.bind(keys).protect({ id: '10017', name: 'Zoë' });
    expect(safe.id).toBe('xyyq4w6e5bmq70dpr28x3bqke09v678jeqv');
    expect(sheet.bind(keys, revealAccess).reveal(safe).name).toBe('Zoë');
    const fields = { id: { rule: 'token', scope: 'person' } };
    expect(parsePolicy({ trefoil: 1, domain: 'test', fields }).bind(keys).protect({ id: '10017' })).toEqual({
      id: safe.id,
    });
  });

  it('do not fit a policy of another domain', () => {
    const file = parsePolicy({ trefoil: 1, domain: 'eu', fields: { id: { rule: 'token', scope: 'person' } } });
    expect(refusal(() => file.bind(testKeyset('orders').domain('test'))).code).toBe('wrong_domain');
  });
});

describe('a name', () => {
  it.each(['', 'A', 'a b', '-a', 'é', 'x'.repeat(65)])('%j is refused', (name) => {
    expect(() => testKeyset(name)).toThrow(RangeError);
  });
  it.each([undefined, null, 7, {}])('%j is refused', (name) => {
    expect(() => testKeyset(name as never)).toThrow(TypeError);
  });
});
