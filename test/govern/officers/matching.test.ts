/** Distinct officers for demands, against trying every assignment. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { demandsInWords, matchDemands } from '../../../src/govern/officers/matching.ts';

interface Person {
  readonly handle: string;
  readonly roles: readonly string[];
}

/** The most places that distinct people can take, by trying all: each person takes one of the free places, or none. */
function bruteForce(people: readonly Person[], places: readonly string[]): number {
  const [first, ...rest] = people;
  if (first === undefined) return 0;
  let best = bruteForce(rest, places);
  places.forEach((role, i) => {
    if (first.roles.includes(role)) best = Math.max(best, 1 + bruteForce(rest, places.toSpliced(i, 1)));
  });
  return best;
}

const role = fc.constantFrom('a', 'b', 'c');
const people = fc
  .array(fc.uniqueArray(role, { maxLength: 3 }), { maxLength: 5 })
  .map((all) => all.map((roles, i): Person => ({ handle: `p${i}`, roles })));
const demands = fc.uniqueArray(fc.record({ count: fc.integer({ min: 1, max: 3 }), role }), {
  maxLength: 3,
  selector: (demand) => demand.role,
});

describe('matchDemands', () => {
  test('finds as many as trying every assignment does', () => {
    fc.assert(
      fc.property(people, demands, (all, wanted) => {
        const places = wanted.flatMap(({ count, role }) => Array.from({ length: count }, () => role));
        const { chosen, missing } = matchDemands(all, wanted);
        const left = missing.reduce((sum, { count }) => sum + count, 0);
        expect(chosen.length).toBe(bruteForce(all, places));
        expect(chosen.length + left).toBe(places.length);
        expect(new Set(chosen).size).toBe(chosen.length);
      }),
      { numRuns: 2000 },
    );
  });

  test('those who count can really take the places, and are the first who can', () => {
    fc.assert(
      fc.property(people, demands, (all, wanted) => {
        const { chosen } = matchDemands(all, wanted);
        const places = wanted.flatMap(({ count, role }) => Array.from({ length: count }, () => role));
        expect(bruteForce(chosen, places)).toBe(chosen.length);
        // Whoever counts among the first counts among all.
        for (let k = 0; k <= all.length; k++) {
          const among = matchDemands(all.slice(0, k), wanted).chosen;
          expect(chosen.slice(0, among.length)).toEqual(among);
        }
      }),
      { numRuns: 1000 },
    );
  });

  test('somebody with two roles moves when another can take only one of them', () => {
    const bela = { handle: 'bela', roles: ['approver', 'legal'] };
    const anna = { handle: 'anna', roles: ['approver'] };
    const wanted = [
      { count: 1, role: 'approver' },
      { count: 1, role: 'legal' },
    ];
    expect(matchDemands([bela, anna], wanted)).toEqual({ chosen: [bela, anna], missing: [] });
    expect(matchDemands([bela], wanted).missing).toEqual([{ count: 1, role: 'legal' }]);
    expect(matchDemands([anna], wanted).missing).toEqual([{ count: 1, role: 'legal' }]);
    expect(matchDemands([], [])).toEqual({ chosen: [], missing: [] });
  });

  test('a hundred of a hundred', () => {
    const all = Array.from(
      { length: 100 },
      (_, i): Person => ({ handle: `p${i}`, roles: i < 50 ? ['a', 'b'] : ['a'] }),
    );
    const wanted = [
      { count: 50, role: 'b' },
      { count: 50, role: 'a' },
    ];
    expect(matchDemands(all, wanted).missing).toEqual([]);
  });

  test('in words', () => {
    expect(demandsInWords([])).toBe('');
    expect(demandsInWords([{ count: 2, role: 'approver' }])).toBe('2 of the role approver');
    expect(
      demandsInWords([
        { count: 2, role: 'approver' },
        { count: 1, role: 'legal' },
        { count: 1, role: 'board' },
      ]),
    ).toBe('2 of the role approver, 1 of the role legal and 1 of the role board');
  });
});
