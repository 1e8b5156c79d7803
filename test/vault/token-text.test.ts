/** The text of a vault's token: it is read if, and only if, `inspect` reads it as a token with a whole body. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { readToken, writeToken } from '../../src/vault/rows/token-text.ts';
import { decode } from '../../src/wire/base32.ts';
import { inspect } from '../../src/wire/labelled-token.ts';

const label = fc.option(fc.stringMatching(/^[a-z][a-z0-9]{0,15}$/), { nil: undefined });
const id = fc.stringMatching(/^[0-9a-hjkmnp-tv-z]{5}$/);
const body = fc.uint8Array({ minLength: 16, maxLength: 16 });

function read(text: string): Uint8Array | null {
  try {
    return readToken(text);
  } catch (error) {
    expect(error).toMatchObject({ code: 'malformed_token' });
    return null;
  }
}

function byInspect(text: string): Uint8Array | null {
  const parts = inspect(text);
  return parts?.intact === true && parts.body.length === 26 ? decode(parts.body) : null;
}

test('property: a written token is read, and yields its label, key id and bytes', () => {
  fc.assert(
    fc.property(label, id, body, (label, id, body) => {
      const text = writeToken(label, id, body);
      expect(read(text)).toEqual(body);
      expect(inspect(text)).toMatchObject({ label: label ?? null, keyId: id, intact: true });
      expect(byInspect(text)).toEqual(body);
    }),
  );
});

test('property: a text with a character changed, left out or inserted is read if, and only if, inspect reads it', () => {
  const piece = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 3 }),
    fc.constantFrom('_', 'u', 'i', 'A', '0', 'é', '\ud800'),
  );
  fc.assert(
    fc.property(label, id, body, fc.nat(60), fc.nat(3), piece, (label, id, body, at, cut, piece) => {
      const text = writeToken(label, id, body);
      const other = text.slice(0, at) + piece + text.slice(at + cut);
      expect(read(other)).toEqual(byInspect(other));
    }),
    { numRuns: 2000 },
  );
});

test.each([
  '',
  '_',
  'a',
  '_'.repeat(36),
  '0'.repeat(35),
  `1${'0'.repeat(35)}`,
  `a__${'0'.repeat(35)}`,
  '0'.repeat(10_000),
])('as inspect reads it: %s', (text) => expect(read(text)).toEqual(byInspect(text)));
