/**
 * Frozen tokens of every form and length, under both keyed hashes, with the keys of frozen.test.ts. They were computed
 * by a program in Python (hmac, hashlib, and BLAKE3 from its specification) that shares no code with the library or
 * with test/reference.
 */
import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { keyset, token } from '../../src/index.ts';
import { type FormName, formReference, LENGTHS } from '../reference/token.ts';
import { FROZEN_ROOT, keysetJson } from '../reference/tree.ts';

const keys = keyset.parse(keysetJson(FROZEN_ROOT)).domain('eu-enclave', { keyCheck: { s0nr0: 'aybrrwdf0sv5jjp6' } });

const VALUES = [
  ...['Ada Lovelace', '10017', ' Zoë\u{1f600} '],
  ...[55, 56, 64, 65, 1000].map((length) => 'x'.repeat(length)),
  ...Array.from({ length: 50 }, (_, i) => `value ${i}`),
];

/**
 * Scope `person`, label `cust`: the token of `Ada Lovelace`, and SHA-256 of the tokens of all values in all lengths,
 * one on each line.
 */
const FROZEN: readonly (readonly ['hmac-sha256' | 'blake3', FormName, string, string])[] = [
  ['hmac-sha256', 'labelled', 'cust_s0nr09m6f2xf9aqcn3kaj4dfreqj7z8k0ar', '7cf8bb45124e415c33cf17e4fc595b7b'],
  ['hmac-sha256', 'bare', '9m6f2xf9aqcn3kaj4dfreqj7z8', '4d1e764d5cb13f34600da05a8e548b89'],
  ['hmac-sha256', 'uuid', '4d0cf175-e955-8d95-8735-488d7e1d791f', '0e7e932759bceb4a72e696bc0e595a71'],
  ['hmac-sha256', 'hex', '4d0cf175e955d951cd52235f875e47fa', '8b8acc8dc16f321e709862d1ff32d8f0'],
  ['hmac-sha256', 'base64url', 'TQzxdelV2VHNUiNfh15H-g', 'cf055f4f8f034f5e0aab006c77c4cc00'],
  ['hmac-sha256', 'digits', '30097874764154343873361338000171254705', '6b0d47a081f55daa100db383c5cf7a66'],
  ['blake3', 'labelled', 'cust_s0nr05j96r1y8cqra3ecpncbrm5yxacwqj8', 'efe76a69c2d5821599acd382a76b973d'],
  ['blake3', 'bare', '5j96r1y8cqra3ecpncbrm5yxac', '9ea6e4a9a206b7aee9c9e5fc71d79b48'],
  ['blake3', 'uuid', '2c926c07-c865-8f0a-86e6-5aac5e285f75', '64cd8af3c05ffe14af4b1d5e31741c03'],
  ['blake3', 'hex', '2c926c07c865f0a1b996ab178a17dd53', 'f9ec8ae748a4deb6c1ec68d159935171'],
  ['blake3', 'base64url', 'LJJsB8hl8KG5lqsXihfdUw', '65ef139dac1d4208928c911f34f5f619'],
  ['blake3', 'digits', '17410922231683635163693316822885816559', 'e20056298096476c8626a2378346553b'],
];

describe.each(FROZEN)('%s, %s', (prf, form, ada, digest) => {
  const [least, most] = LENGTHS[form];
  const label = form === 'labelled' ? { label: 'cust' } : {};

  it('has the frozen tokens', () => {
    const lines: string[] = [];
    for (let length = least; length <= most; length++) {
      const short = length === most ? {} : { length, population: 2, maxCollisionProbability: 0.5 };
      const rule = token({ scope: 'person', form, prf, ...label, ...short }).bind(keys);
      const tokens = rule.protectMany(VALUES) as string[];
      expect(VALUES.map((value) => rule.protect(value))).toEqual(tokens);
      lines.push(...tokens);
    }
    expect(lines.at(-VALUES.length)).toBe(ada);
    expect(createHash('sha256').update(lines.join('\n')).digest('hex').slice(0, 32)).toBe(digest);
  });

  it('has the tokens of the reference', () => {
    const options = { root: FROZEN_ROOT, domain: 'eu-enclave', scope: 'person', prepare: [], prf, form, ...label };
    expect(formReference(options, 'Ada Lovelace')).toBe(ada);
  });
});
