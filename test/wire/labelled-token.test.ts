import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { inspect, tokenPattern } from '../../src/index.ts';
import { endsLikeToken, LABEL } from '../../src/wire/labelled-token.ts';
import { source } from '../reference/texts.ts';
import { check } from '../reference/tree.ts';

const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz';

// The two expressions of docs/spec/token-v1.md, "Reading", copied from the page.
const WHOLE = /^(?:[a-z][a-z0-9]{0,15}_)?[0-9a-hjkmnp-tv-z]{5}[0-9a-hjkmnp-tv-z]{25}[048cgmrw][0-9a-hjkmnp-tv-z]{4}$/;
const SHORT = /^[a-z][a-z0-9]{0,15}_[0-9a-hjkmnp-tv-z]{5}[0-9a-hjkmnp-tv-z]{6,25}[0-9a-hjkmnp-tv-z]{4}$/;

const random = source(30);
const symbols = (count: number) => Array.from({ length: count }, () => ALPHABET[random.below(32)]).join('');
const bodyOf = (length: number) => (length === 26 ? symbols(25) + '048cgmrw'[random.below(8)] : symbols(length));
const whole = (head: string, body: string) => head + body + check(head + body);
const labels = Array.from({ length: 16 }, (_, i) => 'qz9label0abcdefg'.slice(0, i + 1));

describe('inspect', () => {
  it('reads every label length and body length, and says what it reads', () => {
    for (const label of labels) {
      for (let length = 6; length <= 26; length++) {
        const keyId = symbols(5);
        const body = bodyOf(length);
        const token = whole(`${label}_${keyId}`, body);
        expect(inspect(token)).toEqual({ label, keyId, body, intact: true });
        expect(endsLikeToken(token)).toBe(true);
        expect(new RegExp(tokenPattern).exec(`(${token})`)?.[0]).toBe(token);
      }
    }
    const [keyId, body] = [symbols(5), bodyOf(26)];
    expect(inspect(whole(keyId, body))).toEqual({ label: null, keyId, body, intact: true });
  });

  it('takes exactly what the page’s two expressions match', () => {
    const edit = fc.tuple(
      fc.nat(60),
      fc.constantFrom('', '_', 'a', 'u', 'i', 'l', 'o', '0', 'A', '-', 'é', '\n', 'zz'),
    );
    fc.assert(
      fc.property(
        fc.constantFrom('', '_', 'a_', '9_', 'a__', 'abcdefghijklmnop_', 'abcdefghijklmnopq_', 'A_', 'u_', 'x'),
        fc.integer({ min: 0, max: 40 }),
        fc.array(edit, { maxLength: 2 }),
        (head, length, edits) => {
          let text = head + symbols(length);
          for (const [at, put] of edits) text = text.slice(0, at) + put + text.slice(at + 1);
          const takes = WHOLE.test(text) || SHORT.test(text);
          expect(inspect(text) !== null).toBe(takes);
          if (takes) expect(endsLikeToken(text)).toBe(true);
          // In running text it is the same, unless a letter, a digit or _ is next to it.
          if (/^[A-Za-z0-9_]*$/.test(text)) expect(new RegExp(`^${tokenPattern.source}$`).test(text)).toBe(takes);
        },
      ),
      { numRuns: 20_000, seed: 4 },
    );
  });

  it('notices every changed character, and every two that are exchanged, in tokens of every length', () => {
    for (const label of ['a', 'mail', 'abcdefghijklmnop']) {
      for (const length of [6, 7, 12, 25, 26]) {
        const token = whole(`${label}_${symbols(5)}`, bodyOf(length));
        for (let at = 0; at < token.length; at++) {
          for (const symbol of `${ALPHABET}_u`) {
            if (symbol === token[at]) continue;
            expect(inspect(token.slice(0, at) + symbol + token.slice(at + 1))?.intact ?? false).toBe(false);
          }
          const [a, b] = [token[at]!, token[at + 1]];
          if (b === undefined || a === b) continue;
          expect(inspect(token.slice(0, at) + b + a + token.slice(at + 2))?.intact ?? false).toBe(false);
        }
      }
    }
  });

  it('a body that was cut, a label that was cut, a piece that was put in: not intact', () => {
    let intact = 0;
    for (let i = 0; i < 2000; i++) {
      const token = whole(`cust_${symbols(5)}`, bodyOf(26));
      for (const other of [
        token.slice(0, -1 - random.below(10)),
        token.slice(1),
        token.slice(0, 12) + token.slice(13),
        `${token.slice(0, 20)}0${token.slice(20)}`,
      ]) {
        if (inspect(other)?.intact === true) intact++;
      }
    }
    expect(intact).toBe(0);
  });

  it('without a label takes no body that is shorter', () => {
    for (let length = 6; length < 26; length++) {
      const text = whole(symbols(5), bodyOf(length));
      expect(inspect(text)).toBeNull();
      expect(endsLikeToken(text)).toBe(false);
      expect(tokenPattern.test(text)).toBe(false);
    }
  });
});

describe('endsLikeToken', () => {
  it('asks no more than inspect does: what it turns down is no token', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...ALPHABET, '_', 'u', 'É'), maxLength: 60 }), (text) => {
        if (inspect(text) !== null) expect(endsLikeToken(text)).toBe(true);
        if (!endsLikeToken(text)) expect(inspect(text)).toBeNull();
      }),
      { numRuns: 20_000, seed: 5 },
    );
  });

  it.each(['', 'x', '10017', 'ada@example.com', '2024-01-01', 'x'.repeat(100_000), `${'0'.repeat(36)}`])(
    'turns down %j',
    (text) => {
      expect(endsLikeToken(text)).toBe(false);
    },
  );
});

describe('LABEL', () => {
  it.each(['a', 'z9', 'abcdefghijklmnop', 'u', 'l0'])('%s is one', (label) => {
    expect(LABEL.test(label)).toBe(true);
  });
  it.each(['', '9a', 'A', 'a_b', 'a-b', 'abcdefghijklmnopq', 'é', 'a\n', ' a'])('%j is none', (label) => {
    expect(LABEL.test(label)).toBe(false);
  });
});
