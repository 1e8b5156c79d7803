/** What an entry keeps private: commitments and their openings, and the people. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { checkOpening, commitment, subjectSealer } from '../../../src/log.ts';

/** What a call throws. */
function caught(act: () => unknown): unknown {
  try {
    act();
  } catch (error) {
    return error;
  }
  return null;
}

describe('commitments', () => {
  const details = { tokens: ['cust_0', 'cust_1'], rows: [17, 18], host: 'desk <1> & \u201c2\u201d' };

  test('open to the details', () => {
    const { commit, opening } = commitment(details);
    expect(checkOpening(commit, opening)).toEqual(details);
    expect(checkOpening({ commit }, opening)).toEqual(details);
    fc.assert(
      fc.property(fc.dictionary(fc.string({ unit: 'grapheme' }), fc.jsonValue()), (value) => {
        const json = JSON.stringify(value);
        // Beyond 2^53 - 1, readers of JSON differ in what a number is.
        fc.pre(!/\d{16}|e\+/.test(json));
        const made = commitment(JSON.parse(json));
        expect(checkOpening(made.commit, made.opening)).toEqual(JSON.parse(json));
      }),
    );
  });

  test('equal details have different commitments', () => {
    const made = Array.from({ length: 100 }, () => commitment(details).commit);
    expect(new Set(made).size).toBe(100);
  });

  test('an opening with any byte changed, left out or doubled is refused', () => {
    const { commit, opening } = commitment(details);
    for (let i = 0; i < opening.length; i++) {
      const changed = String.fromCharCode(opening.charCodeAt(i) ^ 1);
      for (const middle of [changed, '', opening[i]! + opening[i]!]) {
        const text = opening.slice(0, i) + middle + opening.slice(i + 1);
        if (text === opening) continue;
        expect(
          caught(() => checkOpening(commit, text)),
          `${i}`,
        ).toMatchObject({ code: 'opening_wrong' });
      }
    }
  });

  test('the opening of another entry, a line feed after it, upper-case digits, and a name twice are refused', () => {
    const { commit, opening } = commitment(details);
    const wrong = [
      commitment(details).opening,
      `${opening}\n`,
      opening.replace(/"nonce":"([0-9a-f]+)"/, (_, hex: string) => `"nonce":"${hex.toUpperCase()}"`),
      opening.replace('"rows"', '"rows":[1],"rows"'),
      '',
      '{}',
    ];
    for (const text of wrong.filter((text) => text !== opening)) {
      expect(caught(() => checkOpening(commit, text))).toMatchObject({ code: 'opening_wrong' });
    }
  });

  test('details that JSON cannot hold are refused', () => {
    const deep = JSON.parse(`{"a":${'['.repeat(200)}${']'.repeat(200)}}`) as object;
    for (const wrong of [null, 1, 'text', [], { toJSON: () => undefined }, deep, { a: 'x'.repeat(1_048_577) }]) {
      expect(caught(() => commitment(wrong as object))).toBeInstanceOf(Error);
    }
    expect(caught(() => checkOpening('ab', ''))).toBeInstanceOf(TypeError);
    expect(caught(() => commitment(details, { random: () => new Uint8Array(3) }))).toBeInstanceOf(RangeError);
  });
});

describe('sealed subjects', () => {
  const key = new Uint8Array(32).fill(9);

  test('open under the key alone', () => {
    const sealer = subjectSealer(key);
    const sealed = sealer.seal('0123456789abcdef');
    expect(sealed).toMatch(/^[0-9a-hjkmnp-tv-z]{26}$/);
    expect(sealer.open(sealed)).toBe('0123456789abcdef');
    expect(subjectSealer(new Uint8Array(32).fill(8)).open(sealed)).not.toBe('0123456789abcdef');
  });

  test('one person is never written the same way twice', () => {
    const sealer = subjectSealer(key);
    const sealed = Array.from({ length: 1000 }, () => sealer.seal('zzzzzzzzzzzzzzzz'));
    expect(new Set(sealed).size).toBe(1000);
    expect(new Set(sealed.map(sealer.open))).toEqual(new Set(['zzzzzzzzzzzzzzzz']));
  });

  test('the sealed texts of one person and of many have the same statistics', () => {
    const sealer = subjectSealer(key);
    const symbols = (pseudonym: (i: number) => string): number[] => {
      const counts = new Array<number>(32).fill(0);
      for (let i = 0; i < 2000; i++) {
        for (const symbol of sealer.seal(pseudonym(i)).slice(0, 25)) {
          counts['0123456789abcdefghjkmnpqrstvwxyz'.indexOf(symbol)]!++;
        }
      }
      return counts;
    };
    const expected = (2000 * 25) / 32;
    // Chi-squared with 31 degrees of freedom: above 80 with a probability below 10^-5.
    const chi = (counts: number[]) => counts.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
    expect(chi(symbols(() => '0000000000000000'))).toBeLessThan(80);
    expect(
      chi(
        symbols((i) =>
          i
            .toString(32)
            .padStart(16, '0')
            .replace(/[ilou]/g, 'z'),
        ),
      ),
    ).toBeLessThan(80);
  });

  test('other keys, pseudonyms and sealed texts are refused', () => {
    const sealer = subjectSealer(key);
    expect(caught(() => subjectSealer(new Uint8Array(31)))).toBeInstanceOf(RangeError);
    expect(caught(() => subjectSealer('key' as unknown as Uint8Array))).toBeInstanceOf(TypeError);
    for (const wrong of [
      '',
      '0',
      '0123456789abcde',
      '0123456789abcdefg',
      'ABCDEFGH01234567',
      'ilou456789abcdef',
      null,
    ]) {
      expect(caught(() => sealer.seal(wrong as string))).toBeInstanceOf(Error);
    }
    // The last two of 130 bits are not zero.
    expect(caught(() => sealer.open(`${'0'.repeat(25)}1`))).toBeInstanceOf(RangeError);
  });
});
