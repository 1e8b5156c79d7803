/**
 * Public test keys, frozen: snapshots of other people's tests depend on them. They were computed with Python's hmac and
 * hashlib from docs/spec/keyset-v1.md.
 */
import { describe, expect, it } from 'vitest';
import { token } from '../../src/index.ts';
import { secretAccess } from '../../src/reveal.ts';
import { testKeyset } from '../../src/testing.ts';

const LONGEST = 'x'.repeat(64);

const SECRETS: Readonly<Record<string, string>> = {
  orders: 'trefoil-root-1_pn3jgq92w2yyt55hyq6anv2qpsszekzwf7f4fxqzvmefk28v1pv0kwq4',
  a: 'trefoil-root-1_eyaz0fs835x3b6yfm8fgytj9f0cqx5b2kr62j8pp06cyngjngmeg3gtp',
  [LONGEST]: 'trefoil-root-1_jz9jqhzfvk8gf11dtqg4dy151s2b7kbsajzsq9fqpnmy6v0bw6e0z92j',
};

/** Name, domain, shown key id, key check value, and the token of `10017` in the scope `person`. */
const TOKENS = [
  ['orders', 'test', 'xyyq4', '9ssnxzjanjktps4k', 'xyyq4w6e5bmq70dpr28x3bqke09v678jeqv'],
  ['orders', 'test-eu', 'm4zv7', 'ek3ecym5t22g67hc', 'm4zv7v9cp3byhc9ggyesy1ze3mvcgqcwzs4'],
  ['a', 'test', 'jnnaz', 'g043fnr9wvb9hc4p', 'jnnaztz0y846491ykeaxqafsvy7ymjgeyzw'],
  [LONGEST, 'test-eu', 'b92g0', '668kvqd6xmpy57yb', 'b92g0qbfhmewjf3cr6xm1t1rcw37grwdz57'],
] as const;

describe('test keys', () => {
  it.each(Object.entries(SECRETS))('%s: the file', (name, secret) => {
    expect(JSON.parse(testKeyset(name).export(secretAccess))).toEqual({
      version: 'keyset-v1',
      keys: [{ id: name, primary: true, secret }],
    });
  });

  it.each(TOKENS)('%s in %s: ids, checks and a token', (name, domain, id, check, result) => {
    const keys = testKeyset(name).domain(domain);
    expect(keys.keyId).toBe(id);
    expect(keys.keyCheck).toEqual({ [id]: check });
    expect(token({ scope: 'person' }).bind(keys).protect('10017')).toBe(result);
  });
});
