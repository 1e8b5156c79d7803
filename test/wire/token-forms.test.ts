import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { type LengthPlan, planLength, token } from '../../src/index.ts';
import { FORMS, type Form, formOf } from '../../src/wire/token-forms.ts';
import { bodyReference, LENGTHS } from '../reference/token.ts';

const every = FORMS.flatMap((form) => {
  const [least, most] = LENGTHS[form];
  return Array.from({ length: most - least + 1 }, (_, i) => [form, least + i] as const);
});

/** Tags: the edges, each bit alone, and pseudo-random ones. */
function* tags(count: number): Generator<Buffer> {
  for (const byte of [0, 0xff, 0xaa, 0x55, 0x80, 0x7f, 0x01]) yield Buffer.alloc(32, byte);
  for (let bit = 0; bit < 256; bit++) {
    const tag = Buffer.alloc(32);
    tag[bit >> 3]! |= 0x80 >> (bit & 7);
    yield tag;
    yield Buffer.from(tag.map((byte) => byte ^ 0xff));
  }
  for (let i = 0; i < count; i++) yield createHash('sha256').update(`form ${i}`).digest();
}

const words = (tag: Buffer): Int32Array => Int32Array.from({ length: 8 }, (_, j) => tag.readInt32BE(4 * j));

/** The body by a form's writer, with the words `step` apart in a larger array. */
function written(form: Form, length: number, tag: Int32Array, step = 1): string {
  const spread = new Int32Array(8 * step + 5).fill(-1);
  tag.forEach((word, j) => {
    spread[3 + j * step] = word;
  });
  const bytes = Buffer.alloc(length + 8, '.');
  const write = formOf(form).writer(length);
  write(spread, 3, step, new DataView(bytes.buffer, bytes.byteOffset, bytes.length), 4);
  const text = bytes.toString('latin1');
  expect([text.slice(0, 4), text.slice(4 + length)], 'nothing outside').toEqual(['....', '....']);
  return text.slice(4, 4 + length);
}

describe.each(every)('%s of %s characters', (form, length) => {
  it('is the beginning of the tag as the page says, wherever the words lie, and of its own form only', () => {
    const pattern = new RegExp(`^${formOf(form).pattern(length)}$`);
    const fast = createHash('sha256');
    const slow = createHash('sha256');
    let i = 0;
    for (const tag of tags(200)) {
      const body = written(form, length, words(tag), i++ % 2 === 0 ? 1 : 4);
      fast.update(body);
      slow.update(bodyReference(form, length, tag));
      expect(pattern.test(body)).toBe(true);
    }
    expect(fast.digest('hex')).toBe(slow.digest('hex'));
  });

  it('is the beginning of the longest of its form, but for the filled last character', () => {
    const [, most] = LENGTHS[form];
    for (const tag of tags(20)) {
      expect(written(form, most, words(tag)).startsWith(written(form, length, words(tag)))).toBe(true);
    }
  });

  it('has the bits that the page says', () => {
    const bits = { labelled: 5, bare: 5, hex: 4, base64url: 6, digits: Math.log2(10), uuid: 122 / 36 }[form] * length;
    expect(Math.log2(Number(formOf(form).bodies(length)))).toBeCloseTo(
      form === 'digits' ? bits : Math.min(128, bits),
      10,
    );
  });
});

/** Tags on both sides of the border between two bodies of digits, and the nearest with zeros or ones at the end. */
describe.each(every.filter(([form]) => form === 'digits'))('%s of %s characters', (form, length) => {
  it('is right at the border of two bodies', () => {
    const bodies = 10n ** BigInt(length);
    for (let i = 0; i < 300; i++) {
      const body = 1n + (BigInt(`0x${createHash('sha256').update(`border ${i}`).digest('hex')}`) % (bodies - 1n));
      // The least tag with this body.
      const least = ((body << 256n) + bodies - 1n) / bodies;
      for (const cut of [0n, 64n, 96n, 128n, 160n]) {
        const round = ((least >> cut) + 1n) << cut;
        for (const tag of [least, least - 1n, round, round - 1n]) {
          if (tag >= 1n << 256n) continue;
          const bytes = Buffer.from(tag.toString(16).padStart(64, '0'), 'hex');
          const expected = ((tag * bodies) >> 256n).toString().padStart(length, '0');
          if (written(form, length, words(bytes)) !== expected) expect.fail(`tag ${tag}`);
        }
      }
    }
  });
});

describe('patterns', () => {
  const TAG = createHash('sha256').update('patterns').digest();
  it.each(every)('of %s of %s characters match nothing else', (form, length) => {
    const pattern = new RegExp(`^${formOf(form).pattern(length)}$`);
    const body = bodyReference(form, length, TAG);
    for (const other of ['', ' ', body.slice(1), `${body}0`, `${body}\n`, ` ${body}`, body.replace(/.$/, '\u0660')]) {
      expect(pattern.test(other)).toBe(false);
    }
    // Every character at every place: exactly those that some tag puts there.
    const allowed = {
      labelled: /[0-9a-hjkmnp-tv-z]/,
      bare: /[0-9a-hjkmnp-tv-z]/,
      uuid: /[0-9a-f]/,
      hex: /[0-9a-f]/,
      base64url: /[A-Za-z0-9_-]/,
      digits: /[0-9]/,
    }[form];
    for (let at = 0; at < length; at++) {
      for (let code = 1; code < 128; code++) {
        const symbol = String.fromCharCode(code);
        let may = allowed.test(symbol);
        if (form === 'uuid' && [8, 13, 18, 23].includes(at)) may = symbol === '-';
        if (form === 'uuid' && at === 14) may = symbol === '8';
        if (form === 'uuid' && at === 19) may = '89ab'.includes(symbol);
        if ((form === 'bare' || form === 'labelled') && at === 25) may = '048cgmrw'.includes(symbol);
        if (form === 'base64url' && at === 21) may = 'AQgw'.includes(symbol);
        expect(pattern.test(body.slice(0, at) + symbol + body.slice(at + 1)), `${at} ${code}`).toBe(may);
      }
    }
  });
});

describe('the characters of a body', () => {
  /** The 0.9999 quantile of chi-square (Wilson and Hilferty). */
  const limit = (df: number) => df * (1 - 2 / (9 * df) + 3.719 * Math.sqrt(2 / (9 * df))) ** 3;
  const COUNT = 20_000;
  const many = Array.from({ length: COUNT }, (_, i) => createHash('sha256').update(`chi ${i}`).digest());

  it.each([
    ['digits', 6, 10],
    ['digits', 7, 10],
    ['digits', 38, 10],
    ['hex', 32, 16],
    ['bare', 25, 32],
    ['bare', 6, 32],
    ['base64url', 21, 64],
  ] as const)('%s of %s: first, middle and last are equally frequent', (form, length, radix) => {
    const bodies = many.map((tag) => written(form, length, words(tag)));
    for (const at of [0, 1, length >> 1, length - 2, length - 1]) {
      const counts = new Map<string, number>();
      for (const body of bodies) counts.set(body[at]!, (counts.get(body[at]!) ?? 0) + 1);
      expect(counts.size).toBe(radix);
      const mean = COUNT / radix;
      const chi = [...counts.values()].reduce((sum, count) => sum + (count - mean) ** 2 / mean, 0);
      expect(chi).toBeLessThan(limit(radix - 1));
    }
  });

  it('uuids: a validator takes them, as version 8 of RFC 9562', () => {
    // The expression of the npm package uuid, for versions 1 to 8.
    const valid = /^[0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/i;
    for (const tag of many.slice(0, 1000)) {
      const body = written('uuid', 36, words(tag));
      expect(valid.test(body)).toBe(true);
      const bytes = Buffer.from(body.replaceAll('-', ''), 'hex');
      expect(bytes[6]! >> 4).toBe(8);
      expect(bytes[8]! >> 6).toBe(2);
      expect(body).toBe(body.toLowerCase());
    }
  });
});

describe('planLength', () => {
  /** Whether N (N - 1) / 2^(b + 1) is at most p, in whole numbers; p is taken as the exact double it is. */
  function fits(form: Form, length: number, population: number, tolerated: number): boolean {
    const n = BigInt(population);
    const bodies =
      form === 'digits'
        ? 10n ** BigInt(length)
        : 2n ** BigInt({ labelled: 5, bare: 5, hex: 4, base64url: 6, uuid: 4 }[form] * length);
    const most = form === 'uuid' ? 2n ** 122n : form === 'digits' || bodies < 2n ** 128n ? bodies : 2n ** 128n;
    // p = m / 2^1100 exactly, for all doubles.
    let exponent = 0n;
    let mantissa = tolerated;
    while (!Number.isInteger(mantissa)) {
      mantissa *= 2;
      exponent++;
    }
    return n * (n - 1n) * 2n ** exponent <= BigInt(mantissa) * 2n * most;
  }
  const exact = (form: Form, population: number, tolerated: number): number | null => {
    const [least, most] = LENGTHS[form];
    for (let length = least; length <= most; length++) if (fits(form, length, population, tolerated)) return length;
    return null;
  };
  const plan = (options: LengthPlan): number | null => {
    try {
      return planLength(options);
    } catch (error) {
      expect(error).toBeInstanceOf(RangeError);
      return null;
    }
  };

  it.each(FORMS)('%s: is the exact arithmetic’s, for populations and probabilities of every size', (form) => {
    const populations = [2, 3, 10, 1000, 1001, 1e6, 175e6, 1e9, 1e10, 1.9e10, 1e12, 2 ** 40, 1e15, 2 ** 53 - 1];
    for (let i = 1; i < 53; i++) populations.push(2 ** i, 2 ** i + 1);
    const probabilities = [1e-6, 1e-12, 0.5, 1 - 2 ** -53, 1e-3, 1 / 3, 1e-30, 1e-300, 5e-324, 2 ** -20, 2 ** -24];
    for (const population of populations) {
      if (population < 2) continue;
      for (const maxCollisionProbability of probabilities) {
        expect(
          plan({ population, maxCollisionProbability, form }),
          `${population} values, ${maxCollisionProbability}`,
        ).toBe(exact(form, population, maxCollisionProbability));
      }
    }
  });

  it('one in a million is tolerated and labelled is the form unless said otherwise', () => {
    for (const population of [2, 1000, 1e6, 1e9, 1e12]) {
      expect(planLength({ population })).toBe(
        planLength({ population, maxCollisionProbability: 1e-6, form: 'labelled' }),
      );
    }
    expect(planLength({ population: 175_000_000 })).toBe(exact('labelled', 175_000_000, 1e-6));
    expect(planLength({ population: 2, form: 'uuid' })).toBe(36);
  });

  it('and the rule agree: the planned length is taken, one less is not', () => {
    for (const form of FORMS) {
      if (form === 'uuid') continue;
      for (const population of [2, 5000, 1e6, 1e9, 1e15]) {
        for (const maxCollisionProbability of [1e-6, 1e-3, 0.9]) {
          const length = plan({ population, maxCollisionProbability, form });
          if (length === null) continue;
          const options = { scope: 'a', form, population, maxCollisionProbability };
          const label = form === 'labelled' ? { label: 'x' } : {};
          expect(token({ ...options, ...label, length }).length).toBe(length);
          if (length > LENGTHS[form][0]) {
            expect(() => token({ ...options, ...label, length: length - 1 })).toThrow(/^"length" .*planLength/);
          }
        }
      }
    }
  });

  it('says what would be enough, and what is tolerated', () => {
    expect(() => planLength({ population: 2 ** 53 - 1, form: 'base64url', maxCollisionProbability: 1e-9 })).toThrow(
      new RangeError(
        '"population" is too large for the form base64url: even with 22 characters, two values collide with a ' +
          'probability of up to 1.2e-7, and at most 1.0e-9 is allowed',
      ),
    );
    expect(() => planLength({ population: 1e12, form: 'uuid', maxCollisionProbability: 1e-30 })).toThrow(
      /^"population" is too large for the form uuid: even with 36 characters/,
    );
  });

  it.each([
    [{}, TypeError, /^"population" expected a whole number, got undefined$/],
    [{ population: '5' }, TypeError, /^"population" /],
    [{ population: 5n }, TypeError, /^"population" /],
    [{ population: 1 }, RangeError, /^"population" expected a whole number from 2 to 9007199254740991$/],
    [{ population: 0 }, RangeError, /^"population" /],
    [{ population: -2 }, RangeError, /^"population" /],
    [{ population: 2.5 }, RangeError, /^"population" /],
    [{ population: 2 ** 53 }, RangeError, /^"population" /],
    [{ population: Number.NaN }, RangeError, /^"population" /],
    [{ population: Number.POSITIVE_INFINITY }, RangeError, /^"population" /],
    [{ population: null }, TypeError, /^"population" /],
    [{ population: 5, maxCollisionProbability: 0 }, RangeError, /^"maxCollisionProbability" /],
    [{ population: 5, maxCollisionProbability: 1 }, RangeError, /^"maxCollisionProbability" /],
    [{ population: 5, maxCollisionProbability: -0.1 }, RangeError, /^"maxCollisionProbability" /],
    [{ population: 5, maxCollisionProbability: Number.NaN }, RangeError, /^"maxCollisionProbability" /],
    [{ population: 5, maxCollisionProbability: '0.1' }, TypeError, /^"maxCollisionProbability" /],
    [{ population: 5, maxCollisionProbability: null }, TypeError, /^"maxCollisionProbability" /],
    [{ population: 5, form: 'octal' }, RangeError, /^"form" expected one of labelled, bare, uuid, hex/],
    [{ population: 5, form: 'toString' }, RangeError, /^"form" /],
    [{ population: 5, form: null }, RangeError, /^"form" /],
    [{ population: 5, lenght: 6 }, TypeError, /^"options" has an option that is not one of population, max/],
    [null, TypeError, /^"options" expected an object, got null$/],
    ['x', TypeError, /^"options" /],
    [undefined, TypeError, /^"options" /],
  ])('%o is refused', (options, kind, message) => {
    const run = () => planLength(options as never);
    expect(run).toThrow(kind);
    expect(run).toThrow(message);
  });
});
