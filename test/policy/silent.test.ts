/** Which fields a scan says nothing about, held against what a scan finds of their values. */
import { describe, expect, it } from 'vitest';
import { keyset, policy, token } from '../../src/index.ts';
import { makeScan } from '../../src/io/scan.ts';
import { silentFields } from '../../src/policy/explain/silent.ts';
import type { FilePolicy } from '../../src/policy.ts';

const keys = keyset.generate().domain('eu');

describe('a token after a text that stays in clear', () => {
  it.each([
    ['/', {}, false],
    ['/', { label: 'cust', length: 12, population: 9 }, false],
    ['id', {}, true],
    ['7', {}, true],
    ['_', {}, true],
    ['id', { label: 'cust' }, false],
    ['7', { label: 'cust' }, false],
    ['_', { label: 'cust' }, false],
    ['id', { label: 'cust', length: 12, population: 9 }, true],
    ['7', { label: 'cust', length: 12, population: 9 }, false],
    ['id7', { label: 'cust', length: 12, population: 9 }, true],
    ['ID', { label: 'cust', length: 12, population: 9 }, false],
    ['_', { label: 'cust', length: 12, population: 9 }, false],
  ])('%j %j', (after, options, isSilent) => {
    const sheet = policy({ a: token({ scope: 'person', after, ...options }) }, { domain: 'eu' });
    expect(silentFields(sheet as unknown as FilePolicy)).toEqual(
      isSilent ? [{ field: 'a', rule: 'token after a letter or digit' }] : [],
    );
    const { push, end } = makeScan();
    const { a } = sheet.bind(keys).protect({ a: `${after}10017` });
    push(new TextEncoder().encode(`x,${a}\n`));
    expect(Object.keys(end().keys)).toEqual(isSilent ? [] : [keys.keyId]);
  });
});
