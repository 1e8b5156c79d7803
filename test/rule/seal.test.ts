import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { inspectSealed, keyset, type Sealed, seal, TrefoilError } from '../../src/index.ts';
import { revealAccess } from '../../src/reveal.ts';
import { ALPHABET } from '../../src/wire/base32.ts';
import { codeOf, thrown } from '../helpers/errors.ts';
import { sealReference, sivEncrypt } from '../reference/seal.ts';
import { base32, child, domainOf, keysetJson, list, ruleNode, testRoot } from '../reference/tree.ts';
import { DOMAIN, keys, otherDomain, otherKeyset, ROOT } from './keys.ts';

const SCOPE = 'person.name';
type S = Sealed<typeof SCOPE>;
const bound = seal({ scope: SCOPE }).bind(keys, revealAccess);
const integers = seal({ scope: 'person.age', value: 'integer' }).bind(keys, revealAccess);
const sealed = bound.protect('Zoë Müller') as S;

/**
 * The length of a sealed text for a padded plaintext of this many bytes: key id, then base32 of header, IV and text.
 */
const length = (bucket: number) => 5 + Math.ceil(((2 + 16 + bucket) * 8) / 5);

/** A sealed text of any plaintext, which someone with the key could make. */
function forge(plaintext: Uint8Array, header = [1, 1], scope = SCOPE, domain = DOMAIN): S {
  const K = child(ruleNode(ROOT, domain, 'seal', scope, 'aes-256-siv', 'buckets-1'), 64, 'aes-256-siv');
  const { id } = domainOf(ROOT, domain);
  const Z = sivEncrypt(K, plaintext, list('seal-v1', Buffer.from(header), id, domain, scope));
  return (id + base32(Buffer.concat([Buffer.from(header), Z]))) as S;
}

describe('the construction', () => {
  it('is the one of the specification, from the root to the text, for any value, and comes back', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'grapheme', minLength: 1, maxLength: 80 }),
        fc.stringMatching(/^[a-z0-9][a-z0-9._-]{0,10}$/),
        (value, scope) => {
          const rule = seal({ scope }).bind(keys, revealAccess);
          const out = rule.protect(value);
          expect(out).toBe(sealReference({ root: ROOT, domain: DOMAIN, scope }, value));
          expect(rule.reveal(out)).toBe(value);
        },
      ),
      { numRuns: 300 },
    );
  });

  it('keeps every text as it was: BOM, zero bytes, spellings, line ends, astral', () => {
    for (const value of [
      '\ufeffBOM',
      '\ufeff',
      '\0',
      'a\0',
      '\0\0\0',
      'e\u0301',
      '\u00e9',
      ' a ',
      '\r\n',
      '\u{10ffff}',
      '\ufffd',
      '\u0080',
      '80',
    ])
      expect(bound.reveal(bound.protect(value) as S)).toBe(value);
  });
});

describe('buckets', () => {
  it('every byte length from 0 to 200 has the length of its bucket', () => {
    const strict = seal({ scope: SCOPE, missing: [] }).bind(keys, revealAccess);
    for (let bytes = 0; bytes <= 200; bytes++) {
      const bucket = bytes < 32 ? 32 : bytes < 64 ? 64 : bytes < 128 ? 128 : 256;
      const value = 'x'.repeat(bytes);
      const out = strict.protect(value) as S;
      expect(out).toHaveLength(length(bucket));
      expect(strict.reveal(out)).toBe(value);
    }
    expect([32, 64, 128, 256].map(length)).toEqual([85, 137, 239, 444]);
  });

  it('bytes count and not characters', () => {
    expect(bound.protect('ë'.repeat(15))).toHaveLength(85);
    expect(bound.protect('ë'.repeat(16))).toHaveLength(137);
    expect(bound.protect('\u{1f600}'.repeat(7))).toHaveLength(85);
    expect(bound.protect('\u{1f600}'.repeat(8))).toHaveLength(137);
  });

  it('1,048,575 bytes are the most', () => {
    const most = 'x'.repeat(1_048_575);
    const out = bound.protect(most) as S;
    expect(out).toHaveLength(length(1_048_576));
    expect(bound.reveal(out)).toBe(most);
    const error = thrown(() => bound.protect(`${most}x`));
    expect(error.code).toBe('too_long');
    expect(error.issues[0]).toMatchObject({ maximum: 1_048_575 });
  });
});

describe('what does not open', () => {
  it('cut by one character, or any number, at the end, the start and in the middle', () => {
    for (let count = 1; count <= sealed.length; count++) {
      const end = sealed.slice(0, -count);
      if (end !== '')
        expect(codeOf(() => bound.reveal(end as S))).toBe(end.length < 9 ? 'not_sealed' : 'reveal_failed');
      const start = sealed.slice(count);
      if (start !== '') expect(codeOf(() => bound.reveal(start as S))).toBe('not_sealed');
    }
    for (let at = 0; at < sealed.length; at++) {
      const cut = (sealed.slice(0, at) + sealed.slice(at + 1)) as S;
      expect(['reveal_failed', 'not_sealed']).toContain(codeOf(() => bound.reveal(cut)));
    }
    expect(codeOf(() => bound.reveal(sealed.slice(0, -1) as S))).toBe('reveal_failed');
  });

  it('any character changed to any other', () => {
    for (let at = 0; at < sealed.length; at++) {
      for (const symbol of `${ALPHABET}oU-_ `) {
        if (symbol === sealed[at]) continue;
        const changed = (sealed.slice(0, at) + symbol + sealed.slice(at + 1)) as S;
        const code = codeOf(() => bound.reveal(changed));
        if (at >= 9) expect(code).toBe('reveal_failed');
        else if (at < 5) expect(code).toBe(ALPHABET.includes(symbol) ? 'unknown_key' : 'not_sealed');
        else expect(['reveal_failed', 'not_sealed']).toContain(code);
      }
    }
  });

  it('lengthened, in upper case, with space around it, twice', () => {
    for (const text of [`${sealed}0`, `${sealed}00`, sealed + sealed, `${sealed} `, `${sealed}\n`]) {
      expect(codeOf(() => bound.reveal(text as S))).toBe('reveal_failed');
    }
    for (const text of [sealed.toUpperCase(), ` ${sealed}`])
      expect(codeOf(() => bound.reveal(text as S))).toBe('not_sealed');
  });

  it('another scope: the one opaque error', () => {
    const other = seal({ scope: 'person.street' }).bind(keys).protect('Zoë Müller');
    expect(codeOf(() => bound.reveal(other as unknown as S))).toBe('reveal_failed');
  });

  it('another domain or keyset: unknown_key', () => {
    for (const foreign of [otherDomain, otherKeyset]) {
      const text = seal({ scope: SCOPE }).bind(foreign).protect('Zoë Müller') as S;
      expect(codeOf(() => bound.reveal(text))).toBe('unknown_key');
    }
  });

  it.each([
    'Zoë Müller',
    'x',
    keys.keyId,
    `${keys.keyId}040`,
    '0'.repeat(85),
    'null',
    `${keys.keyId}${'0'.repeat(80)}`,
  ])('not sealed: %j', (text) => {
    expect(codeOf(() => bound.reveal(text as S))).toBe('not_sealed');
  });

  it.each([5, true, {}, [], new Date(0)])('%o is no text', (value) => {
    expect(codeOf(() => bound.reveal(value as unknown as S))).toBe('wrong_type');
  });

  it('all failures of what is ours have one message', () => {
    const messages = [
      sealed.slice(0, -1),
      `${sealed.slice(0, -1)}${sealed.endsWith('0') ? '8' : '0'}`,
      seal({ scope: 'b' }).bind(keys).protect('x') as string,
      forge(Buffer.alloc(32)),
      forge(Buffer.concat([Buffer.from([0x80]), Buffer.alloc(63)])),
      forge(Buffer.from([0xff, 0x80, ...new Array<number>(30).fill(0)])),
    ].map((text) => thrown(() => bound.reveal(text as S)).message);
    expect(new Set(messages).size).toBe(1);
  });

  it('padding and encoding that nobody writes, though the key made them', () => {
    const pad = (text: string, to: number) =>
      Buffer.concat([Buffer.from(text), Buffer.from([0x80]), Buffer.alloc(to - text.length - 1)]);
    expect(bound.reveal(forge(pad('Ada', 32)))).toBe('Ada');
    const bad = [
      Buffer.alloc(32), // no 0x80
      pad('Ada', 64), // a bucket that is too large
      pad('x'.repeat(31), 64),
      pad('', 64),
      pad('Ada', 33), // no bucket
      pad('Ada', 48),
      Buffer.from('x'.repeat(32)), // no padding
      Buffer.concat([pad('Ada', 32).subarray(0, 31), Buffer.from([1])]), // something behind the padding
      Buffer.concat([Buffer.from([0xc3, 0x28, 0x80]), Buffer.alloc(29)]), // not UTF-8
      Buffer.concat([Buffer.from([0xed, 0xa0, 0x80, 0x80]), Buffer.alloc(28)]), // half a surrogate pair
      Buffer.alloc(0),
      Buffer.from([0x80]),
    ];
    for (const plaintext of bad) expect(codeOf(() => bound.reveal(forge(plaintext)))).toBe('reveal_failed');
    expect(bound.reveal(forge(pad('x'.repeat(32), 64)))).toBe('x'.repeat(32));
    expect(codeOf(() => bound.reveal(forge(pad('Ada', 32), [1, 2])))).not.toBe('unknown_key');
    expect(codeOf(() => bound.reveal(forge(pad('Ada', 32), [2, 1])))).not.toBe('unknown_key');
  });
});

describe('integers', () => {
  it.each([0, 1, -1, 42, 28, Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER, 1_000_000])(
    '%s comes back as a number',
    (value) => {
      const out = integers.protect(value);
      expect(integers.reveal(out)).toBe(value);
      expect(out).toBe(sealReference({ root: ROOT, domain: DOMAIN, scope: 'person.age' }, `${value}`));
      expect(out).toHaveLength(85);
    },
  );

  it.each([-0, Number.NaN, Number.POSITIVE_INFINITY, 0.5, 2 ** 53, 1e21])('%s is none', (value) => {
    expect(codeOf(() => integers.protect(value))).toBe('unsafe_integer');
  });

  it.each(['5', 5n, true, {}])('%o is no number', (value) => {
    expect(codeOf(() => integers.protect(value as unknown as number))).toBe('wrong_type');
  });

  it('a sealed text that is no canonical integer does not reveal as one', () => {
    const texts = seal({ scope: 'person.age' }).bind(keys, revealAccess);
    type T = Sealed<'person.age', number>;
    expect(integers.reveal(texts.protect('42') as unknown as T)).toBe(42);
    for (const value of [
      '042',
      '42 ',
      '+42',
      '4.2',
      '-0',
      '4e2',
      'NaN',
      'Infinity',
      '0x2a',
      ' ',
      '9007199254740992',
      'Zoë',
    ]) {
      expect(codeOf(() => integers.reveal(texts.protect(value) as unknown as T))).toBe('reveal_failed');
    }
    expect(texts.reveal(integers.protect(42) as unknown as Sealed<'person.age'>)).toBe('42');
  });
});

describe('missing values', () => {
  it('null, undefined and the empty text pass, both ways', () => {
    expect(bound.protectMany([null, undefined, ''])).toEqual([null, undefined, '']);
    expect(bound.revealMany([null, undefined, '' as S])).toEqual([null, undefined, '']);
    expect(integers.protectMany([null, undefined])).toEqual([null, undefined]);
  });

  it('missing: [] seals the empty text and then knows no empty sealed text', () => {
    const strict = seal({ scope: SCOPE, missing: [] }).bind(keys, revealAccess);
    const out = strict.protect('') as S;
    expect(out).toHaveLength(85);
    expect(strict.reveal(out)).toBe('');
    expect(codeOf(() => strict.reveal('' as S))).toBe('not_sealed');
    expect(strict.protect(null)).toBeNull();
  });

  it.each([5, true, {}, [], Symbol('s')])('%o is no text', (value) => {
    expect(codeOf(() => bound.protect(value as unknown as string))).toBe('wrong_type');
  });

  it('half a surrogate pair is refused', () => {
    expect(codeOf(() => bound.protect('Zo\ud800'))).toBe('lone_surrogate');
  });
});

describe('what shows', () => {
  it('equal values seal equally, and the key id is the domain’s', () => {
    expect(bound.protect('Zoë Müller')).toBe(sealed);
    expect(sealed.slice(0, 5)).toBe(keys.keyId);
    expect(inspectSealed(sealed)).toEqual({ keyId: keys.keyId, version: 1, algorithm: 1 });
  });

  it('inspectSealed takes what has the form of a sealed text only', () => {
    for (const text of [
      '',
      'x',
      sealed.slice(1),
      sealed.slice(0, -1),
      `${sealed}0`,
      sealed.toUpperCase(),
      `${sealed}\n`,
      forge(Buffer.alloc(33)),
      null,
      5,
      {},
    ]) {
      expect(inspectSealed(text as string)).toBeNull();
    }
  });

  it('sealed texts are lower-case base32', () => {
    expect(sealed).toMatch(/^[0-9a-hjkmnp-tv-z]{85}$/);
  });
});

describe('columns', () => {
  it('are the values one by one, there and back', () => {
    const column = ['a', null, '', 'Zoë', undefined, 'a'];
    const out = bound.protectMany(column);
    expect(out).toEqual(column.map((value) => bound.protect(value)));
    expect(bound.revealMany(out)).toEqual(column);
  });

  it('throw once, with rows, when revealed too', () => {
    const error = thrown(() => bound.revealMany([sealed, 'x' as S, sealed.slice(0, -1) as S]));
    expect(error.issues.map(({ row, code }) => [row, code])).toEqual([
      [2, 'not_sealed'],
      [3, 'reveal_failed'],
    ]);
  });

  it('cannot be revealed without the capability', () => {
    expect(Object.keys(seal({ scope: SCOPE }).bind(keys))).toEqual(['protect', 'protectMany', 'candidates']);
    expect(Object.keys(bound)).toEqual(['protect', 'protectMany', 'candidates', 'reveal', 'revealMany']);
    expect(Object.isFrozen(bound)).toBe(true);
  });
});

describe('the rule', () => {
  it('is frozen plain data', () => {
    const rule = seal({ scope: SCOPE, value: 'integer', missing: [], optional: true, why: 'calls' });
    expect(Object.isFrozen(rule)).toBe(true);
    expect(JSON.parse(JSON.stringify(rule))).toEqual({ ...rule });
    expect({ ...rule }).toEqual({
      rule: 'seal',
      scope: SCOPE,
      value: 'integer',
      missing: [],
      optional: true,
      why: 'calls',
    });
  });

  it.each([
    [{}, TypeError],
    [{ scope: 'Ü' }, RangeError],
    [{ scope: 'a', value: 'number' }, RangeError],
    [{ scope: 'a', prepare: [] }, TypeError],
    [{ scope: 'a', missing: [0] }, TypeError],
    [null, TypeError],
  ])('%j is refused', (options, kind) => {
    expect(() => seal(options as never)).toThrow(kind);
  });
});

describe('candidates', () => {
  it('are one sealed text for each key, the primary first, and none of a base that is only a base', () => {
    const roots = [testRoot('candidates 1'), testRoot('candidates 2'), testRoot('candidates 3')];
    const of = (...order: number[]) => keyset.parse(keysetJson(...order.map((i) => roots[i]!))).domain('eu');
    const rule = seal({ scope: 'person.name', missing: ['', 'n/a'] });
    const { candidates } = rule.bind(of(2, 0, 1));
    expect(candidates('Ada')).toEqual([2, 0, 1].map((i) => rule.bind(of(i)).protect('Ada')));
    expect(candidates('n/a')).toEqual(['n/a']);
    expect(candidates('')).toEqual(['']);
    for (const value of [null, undefined, 7, {}]) expect(() => candidates(value as never)).toThrow(TrefoilError);
    const bound = rule.bind(keyset.generate({ renewable: true }).domain('eu'));
    expect(bound.candidates('Ada')).toEqual([bound.protect('Ada')]);
    const number = seal({ scope: 'balance', value: 'integer' }).bind(of(0, 1));
    expect(number.candidates(7)).toHaveLength(2);
    expect(number.candidates(7)[0]).toBe(number.protect(7));
  });
});
