import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { TrefoilError } from '../../src/errors.ts';
import * as exported from '../../src/ff3.ts';
import { ff3, ff3Text } from '../../src/ff3.ts';
import { ff3Reference } from '../reference/ff3.ts';
import { random } from '../reference/random.ts';

const DIGITS = '0123456789';
const key = new Uint8Array(32).fill(7);
const tweak = Uint8Array.of(1, 2, 3, 4, 5, 6, 7);

/** The output of the old system: the separators stay, and the other characters are encrypted as one string. */
function old(text: string, alphabet: string, with_: Uint8Array, of: Uint8Array = key): string {
  const symbols = [...alphabet];
  const digits = [...text].map((symbol) => symbols.indexOf(symbol)).filter((digit) => digit >= 0);
  const encrypted = ff3Reference('encrypt', of, symbols.length, digits, with_);
  let at = 0;
  return [...text].map((symbol) => (symbols.includes(symbol) ? symbols[encrypted[at++]!] : symbol)).join('');
}

/** The first issue of an error. Checks that the error contains none of the texts. */
function issueOf(run: () => unknown, ...texts: string[]) {
  try {
    run();
  } catch (error) {
    if (!(error instanceof TrefoilError)) throw error;
    const shown = `${error.message} ${JSON.stringify(error.issues)}`;
    for (const text of texts) expect(shown).not.toContain(text);
    return error.issues[0]!;
  }
  throw new Error('nothing was thrown');
}

describe('trefoil/ff3 encrypts nothing', () => {
  it('exports two functions whose objects decrypt', () => {
    expect(Object.keys(exported).sort()).toEqual(['ff3', 'ff3Text']);
    for (const made of [ff3(key, 10), ff3Text(key, DIGITS)]) {
      expect(Reflect.ownKeys(made).sort()).toEqual(['decrypt', 'decryptMany']);
    }
  });

  it('only its own files and the reference mention it, and its own files define nothing that encrypts', () => {
    const folder = fileURLToPath(new URL('../../src/', import.meta.url));
    const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'));
    const importing = files.filter((name) => /from '[^']*\/ff3\.ts'/.test(readFileSync(folder + name, 'utf8')));
    expect(importing.sort()).toEqual(['ff3.ts', 'kernel/ff3/text.ts']);
    for (const name of ['ff3.ts', 'kernel/ff3/ff3.ts', 'kernel/ff3/halves.ts', 'kernel/ff3/text.ts']) {
      const code = readFileSync(folder + name, 'utf8').replace(/\/\*[\s\S]*?\*\/|\/\/.*/g, '');
      // This AES has only the forward direction.
      expect(code.replaceAll('encryptEach', ''), name).not.toMatch(/encrypt|encipher|forward/i);
    }
  });
});

describe('text', () => {
  it('decrypts as ff3 does on the numerals of its characters', () => {
    const { bytes, below } = random('ff3 text');
    const alphabets = [
      DIGITS,
      'abcdefghijklmnopqrstuvwxyz',
      '01',
      'zyxw9876',
      `${DIGITS}äöüß🦊🐻`,
      DIGITS.split('').reverse().join(''),
    ];
    for (const alphabet of alphabets) {
      const symbols = [...alphabet];
      for (let i = 0; i < 50; i++) {
        const digits = Array.from({ length: 20 + below(12) }, () => below(symbols.length));
        const of = bytes([16, 24, 32][below(3)]!);
        const with_ = bytes(7 + below(2));
        const text = digits.map((digit) => symbols[digit]).join('');
        expect(ff3Text(of, alphabet).decrypt(old(text, alphabet, with_, of), with_)).toBe(text);
        const plain = ff3(of, symbols.length).decrypt(digits, with_);
        expect(ff3Text(of, alphabet).decrypt(text, with_)).toBe(plain.map((digit) => symbols[digit]).join(''));
      }
    }
  });

  it('leaves separators in their places', () => {
    const cipher = ff3Text(key, DIGITS, { separators: '- ·' });
    for (const text of ['4111-1111-1111-1111', '-4111 1111·', '411111', '--4-1-1-1-1-1--']) {
      expect(cipher.decrypt(old(text, DIGITS, tweak), tweak)).toBe(text);
    }
    const bare = cipher.decrypt('4111111111111111', tweak);
    expect(cipher.decrypt('4111-1111-1111-1111', tweak).replaceAll('-', '')).toBe(bare);
  });

  it('passes missing values, and requires a tweak nevertheless', () => {
    const cipher = ff3Text(key, DIGITS);
    expect(cipher.decrypt(null, tweak)).toBe(null);
    expect(cipher.decrypt(undefined, tweak)).toBe(undefined);
    expect(cipher.decrypt('', tweak)).toBe('');
    expect(() => cipher.decrypt(null, new Uint8Array(5))).toThrow(RangeError);
  });

  it('takes a column under one tweak, or under one for each value; missing values need none', () => {
    const { bytes, below } = random('ff3 column');
    const cipher = ff3Text(key, DIGITS, { separators: '-' });
    const column = Array.from({ length: 3000 }, (_, i) => {
      if (i % 7 === 0) return null;
      if (i % 11 === 0) return '';
      return `${below(10 ** 9)}-${below(10 ** 9)}`.padStart(12, '0');
    });
    const one = column.map((text) => (text ? old(text, DIGITS, tweak) : text));
    expect(cipher.decryptMany(one, tweak)).toEqual(column);
    const tweaks = column.map((text, i) => (text === null ? null : bytes(7 + (i % 2))));
    const each = column.map((text, i) => (text ? old(text, DIGITS, tweaks[i]!) : text));
    expect(cipher.decryptMany(each, tweaks)).toEqual(column);
    expect(cipher.decryptMany([], tweak)).toEqual([]);
    expect(cipher.decryptMany([null, undefined, ''], [null, undefined, null])).toEqual([null, undefined, '']);
  });

  it('small values need an explicitly lower floor', () => {
    const text = old('42', DIGITS, tweak);
    expect(ff3Text(key, DIGITS, { minDomain: 100 }).decrypt(text, tweak)).toBe('42');
    const issue = issueOf(() => ff3Text(key, DIGITS).decrypt(text, tweak), text);
    expect(issue).toEqual({
      code: 'outside_format',
      message: 'expected 6 to 56 characters of the alphabet, got 2',
      minimum: 6,
      maximum: 56,
    });
  });
});

describe('text that does not fit', () => {
  const cipher = ff3Text(key, DIGITS, { separators: '-' });

  it('is reported as an issue without the text', () => {
    expect(issueOf(() => cipher.decrypt('4111-1111x1111', tweak), '4111', 'x1111')).toMatchObject({
      code: 'outside_format',
      message: 'character 10 is neither a separator nor one of the 10 of the alphabet',
      actual: 10,
    });
    expect(issueOf(() => ff3Text(key, DIGITS).decrypt('🦊123456', tweak), '🦊', '123456').message).toBe(
      'character 1 is not one of the 10 of the alphabet',
    );
    const wanted = 'expected 6 to 56 characters of the alphabet, got';
    expect(issueOf(() => cipher.decrypt('12-34', tweak), '12-34').message).toBe(`${wanted} 4`);
    expect(issueOf(() => cipher.decrypt('---------', tweak), '--').message).toBe(`${wanted} 0`);
    expect(issueOf(() => cipher.decrypt('7'.repeat(57), tweak), '777').message).toBe(`${wanted} more`);
    expect(issueOf(() => cipher.decrypt('7'.repeat(100_000), tweak), '777').message).toBe(`${wanted} more`);
    expect(issueOf(() => cipher.decrypt('12345\ud800', tweak), '12345').code).toBe('lone_surrogate');
    for (const wrong of [123_456, 123_456n, true, [], {}, Symbol('x')]) {
      expect(issueOf(() => cipher.decrypt(wrong as unknown as string, tweak)).code).toBe('wrong_type');
    }
  });

  it('is reported as an issue of its row; of a column, the first hundred are', () => {
    const column = Array.from({ length: 250 }, (_, i) => (i % 2 === 0 ? '123456' : '9x9'));
    const issue = issueOf(() => cipher.decryptMany(column, tweak), '123456', '9x9');
    expect(issue).toMatchObject({ code: 'outside_format', row: 2, actual: 2 });
    try {
      cipher.decryptMany(column, tweak);
    } catch (error) {
      expect((error as TrefoilError).total).toBe(125);
      expect((error as TrefoilError).issues.length).toBe(100);
    }
  });

  it('a wrong column or list of tweaks is an argument error', () => {
    for (const wrong of ['123456', null, undefined, 5, { length: 1 }]) {
      expect(() => cipher.decryptMany(wrong as unknown as string[], tweak)).toThrow(/^"column" expected an array/);
      expect(() => cipher.decryptMany(['123456'], wrong as unknown as Uint8Array)).toThrow(
        /^"tweaks" expected bytes or an array/,
      );
    }
    expect(() => cipher.decryptMany(['123456', '123456'], [tweak])).toThrow('one for each of 2 values, got 1');
    expect(() => cipher.decryptMany(['123456'], [null])).toThrow(
      '"tweaks" expected bytes, got null (value 1 of the batch)',
    );
    expect(() => cipher.decryptMany([null, '123456'], [tweak, new Uint8Array(6)])).toThrow(
      'got 6 (value 2 of the batch)',
    );
    expect(() => cipher.decryptMany(['123456'], new Uint8Array(9))).toThrow(RangeError);
  });
});

describe('set-up that does not fit', () => {
  it('alphabets', () => {
    const wrong: readonly (readonly [unknown, string])[] = [
      [10, '"alphabet" expected text, got number'],
      [[...DIGITS], '"alphabet" expected text, got array'],
      [undefined, '"alphabet" expected text, got undefined'],
      ['', '"alphabet" expected 2 to 65536 characters, got 0'],
      ['q', '"alphabet" expected 2 to 65536 characters, got 1'],
      ['🦊', '"alphabet" expected 2 to 65536 characters, got 1'],
      ['x'.repeat(200_000), '"alphabet" expected 2 to 65536 characters'],
      ['qwertyq', '"alphabet" expected different characters; one of them occurs twice'],
      ['ab\ud800', '"alphabet" expected text without halves of surrogate pairs'],
    ];
    for (const [alphabet, message] of wrong) {
      expect(() => ff3Text(key, alphabet as string)).toThrow(message);
    }
  });

  it('takes an alphabet of 65,536 characters, and refuses one of 65,537', () => {
    const symbols = Array.from({ length: 65_537 }, (_, i) => String.fromCodePoint(0x10000 + i));
    const alphabet = symbols.slice(0, 65_536).join('');
    const text = symbols[65_535]! + symbols[0]! + symbols[1]!;
    expect(ff3Text(key, alphabet).decrypt(old(text, alphabet, tweak), tweak)).toBe(text);
    expect(() => ff3Text(key, symbols.join(''))).toThrow('expected 2 to 65536 characters');
  });

  it('separators, options and keys', () => {
    expect(() => ff3Text(key, DIGITS, { separators: '-5' })).toThrow(
      '"separators" expected characters that are not in the alphabet',
    );
    expect(() => ff3Text(key, DIGITS, { separators: '\udc00' })).toThrow(RangeError);
    expect(() => ff3Text(key, DIGITS, { separators: ['-'] as unknown as string })).toThrow(TypeError);
    expect(() => ff3Text(key, DIGITS, { minDomain: 99 })).toThrow(RangeError);
    expect(() => ff3Text(key, DIGITS, { keep: '-' } as object)).toThrow(TypeError);
    expect(() => ff3Text(key, DIGITS, null as unknown as object)).toThrow(TypeError);
    expect(() => ff3Text(new Uint8Array(20), DIGITS)).toThrow('"key" expected 16, 24 or 32 bytes, got 20');
    expect(() => ff3Text('secret' as unknown as Uint8Array, DIGITS)).toThrow('"key" expected bytes, got string');
  });
});
