/** The list of protected people: its file, and that a charter which commits to it gives nobody away. */
import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { Charter } from '../../../src/govern/charter/charter.ts';
import { parseProtected, protectedDemands, writeProtected } from '../../../src/govern/people/protected.ts';
import { CHARTER } from '../ledger/shared.ts';

const name = (number: number): string => number.toString().padStart(16, '0');
const refusal = (work: () => unknown): unknown => {
  try {
    return work();
  } catch (error) {
    const { code, issues } = error as { code: string; issues: readonly { line?: number }[] };
    return [code, issues[0]?.line ?? null];
  }
};

describe('the file', () => {
  it('has a random number, and its digest is that of its bytes, as sha256sum prints it', () => {
    const text = writeProtected([name(2), name(1), name(2)]);
    const { sha256, size, has } = parseProtected(new TextEncoder().encode(text));
    expect(text.split('\n')).toEqual([
      'trefoil protected v1',
      expect.stringMatching(/^[0-9a-f]{64}$/),
      name(1),
      name(2),
      '',
    ]);
    expect([sha256, size]).toEqual([createHash('sha256').update(text).digest('hex'), 2]);
    expect([1, 2, 3].map((one) => has(name(one)))).toEqual([true, true, false]);
  });

  it('is refused if a line is wrong', () => {
    const text = writeProtected([name(1), name(2)], { random: (length) => new Uint8Array(length) });
    const lines = text.split('\n');
    const without = (...at: number[]) => lines.filter((_, i) => !at.includes(i)).join('\n');
    expect(refusal(() => parseProtected(text.slice(0, -1)))).toEqual(['charter_invalid', 4]);
    expect(refusal(() => parseProtected(without(0)))).toEqual(['charter_invalid', 1]);
    expect(refusal(() => parseProtected(without(1)))).toEqual(['charter_invalid', 2]);
    expect(refusal(() => parseProtected(`${text}${name(1)}\n`))).toEqual(['charter_invalid', 5]);
    expect(refusal(() => parseProtected(`${text}${name(3)}\r\n`))).toEqual(['charter_invalid', 5]);
    expect(refusal(() => parseProtected(''))).toEqual(['charter_invalid', 1]);
  });
});

describe('demands', () => {
  const text = writeProtected([name(7)]);
  const { sha256 } = parseProtected(text);
  const charter = { ...CHARTER, protected: { sha256, approvals: [{ count: 1, role: 'legal' }] } } as Charter;

  it('are those of the charter if one of the people is on the list', () => {
    const list = parseProtected(text);
    expect(protectedDemands(charter, list, [name(1)])).toEqual([]);
    expect(protectedDemands(charter, list, [name(1), name(7)])).toEqual([{ count: 1, role: 'legal' }]);
    expect(protectedDemands(CHARTER, null, [name(7)])).toEqual([]);
  });

  it('nobody is taken for not protected because the list is missing or another', () => {
    expect(refusal(() => protectedDemands(charter, null, [name(1)]))).toEqual(['charter_invalid', null]);
    const other = parseProtected(writeProtected([]));
    expect(refusal(() => protectedDemands(charter, other, [name(1)]))).toEqual(['charter_invalid', null]);
  });
});

it('amendment 11: with the charter and the people of the log, no list is found that fits', () => {
  const people = Array.from({ length: 300 }, (_, i) => name(i));
  const wanted = parseProtected(writeProtected([people[41]!, people[207]!])).sha256;
  // The attack on a list without a random number: all pairs of the people in the log.
  const tried = (head: string) => {
    for (let a = 0; a < people.length; a++) {
      for (let b = a + 1; b < people.length; b++) {
        const text = `trefoil protected v1\n${head}${people[a]}\n${people[b]}\n`;
        if (createHash('sha256').update(text).digest('hex') === wanted) return true;
      }
    }
    return false;
  };
  expect(tried('')).toBe(false);
  expect(tried(`${'0'.repeat(64)}\n`)).toBe(false);
});
