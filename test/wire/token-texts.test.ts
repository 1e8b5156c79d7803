import { createHash } from 'node:crypto';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { SLOTS, TAG_STEP, tagAt } from '../../src/kernel/prf/prf.ts';
import { FORMS } from '../../src/wire/token-forms.ts';
import { tokenTexts } from '../../src/wire/token-texts.ts';
import { bodyReference, LENGTHS } from '../reference/token.ts';
import { check } from '../reference/tree.ts';

const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz';
const LABELS = ['', ...Array.from({ length: 16 }, (_, i) => `${'label0z9abcdefgh'.slice(0, i + 1)}_`)];

const tags = Array.from({ length: SLOTS + 2 }, (_, i) => createHash('sha256').update(`text ${i}`).digest());
const words = (tag: Buffer): Int32Array => Int32Array.from({ length: 8 }, (_, j) => tag.readInt32BE(4 * j));
const column = new Int32Array(8 * (SLOTS + 4));
tags.forEach((tag, slot) => {
  words(tag).forEach((word, j) => {
    column[tagAt(slot) + j * TAG_STEP] = word;
  });
});

describe.each(FORMS)('%s', (form) => {
  const [least, most] = LENGTHS[form];
  const heads = form === 'labelled' ? LABELS.map((label) => `${label}k3m7a`) : [''];

  it('of every length and head is the reference’s, one by one and in groups', () => {
    for (const head of heads) {
      for (let length = least; length <= most; length++) {
        const texts = tokenTexts(form, length, head);
        const expected = (tag: Buffer) => {
          const body = head + bodyReference(form, length, tag);
          return form === 'labelled' ? body + check(body) : body;
        };
        for (let i = 0; i < 5; i++) {
          expect(texts.one(words(tags[i]!))).toBe(expected(tags[i]!));
          expect(texts.body(words(tags[i]!))).toBe(bodyReference(form, length, tags[i]!));
        }
        const out: unknown[] = [];
        texts.many(
          column,
          tagAt,
          TAG_STEP,
          Int32Array.from({ length: 35 }, (_, i) => 34 - i),
          35,
          out,
        );
        expect(out).toEqual(tags.slice(0, 35).map(expected).reverse());
      }
    }
  });

  it.each([0, 1, 15, 16, 17, 31, 32, 33, 1023, 1024, 1025])('a column of %s, and nothing behind it', (count) => {
    const texts = tokenTexts(form, most, heads.at(-1)!);
    const rows = Int32Array.from({ length: count }, (_, i) => 2 * i + 1);
    const out: unknown[] = new Array(2 * count + 3).fill('mine');
    texts.many(column, tagAt, TAG_STEP, rows, count, out);
    for (let i = 0; i < count; i++) {
      expect(out[2 * i]).toBe('mine');
      expect(out[2 * i + 1]).toBe(texts.one(words(tags[i]!)));
    }
    expect(out).toHaveLength(2 * count + 3);
    expect(out.slice(2 * count)).toEqual(['mine', 'mine', 'mine']);
  });
});

describe('check characters', () => {
  it('are those of the polynomial for every symbol at every place of a whole body', () => {
    // Each of 32 symbols at each place: tags whose five bits there are set, among zeros and among ones.
    const texts = tokenTexts('labelled', 26, 'abcdefghijklmnop_k3m7a');
    for (let place = 0; place < 26; place++) {
      for (let symbol = 0; symbol < 32; symbol++) {
        for (const around of ['0', '1']) {
          const bits = around.repeat(256).split('');
          for (let bit = 0; bit < 5; bit++) bits[5 * place + bit] = (symbol >> (4 - bit)) & 1 ? '1' : '0';
          const hex = BigInt(`0b${bits.join('')}`)
            .toString(16)
            .padStart(64, '0');
          const tag = Buffer.from(hex, 'hex');
          const body = `abcdefghijklmnop_k3m7a${bodyReference('labelled', 26, tag)}`;
          expect(texts.one(words(tag))).toBe(body + check(body));
        }
      }
    }
  });

  it('the alphabet of the reference is that of the page', () => {
    expect(
      bodyReference('bare', 6, Buffer.from('00443214c74254b635cf84653a56d7c675be77df0000000000000000000000ff', 'hex')),
    ).toBe(ALPHABET.slice(0, 6));
  });
});

describe('where there is no Buffer', () => {
  afterEach(() => {
    vi.unstubAllGlobals();
    vi.resetModules();
  });
  it('tokens are the same', async () => {
    const usual = tokenTexts('labelled', 26, 'cust_k3m7a');
    vi.resetModules();
    vi.stubGlobal('Buffer', undefined);
    const other = (await import('../../src/wire/token-texts.ts')).tokenTexts('labelled', 26, 'cust_k3m7a');
    vi.unstubAllGlobals();
    const rows = Int32Array.from({ length: 100 }, (_, i) => i);
    const [a, b]: [unknown[], unknown[]] = [[], []];
    usual.many(column, tagAt, TAG_STEP, rows, 100, a);
    other.many(column, tagAt, TAG_STEP, rows, 100, b);
    expect(b).toEqual(a);
    expect(other.one(words(tags[0]!))).toBe(a[0]);
  });
});
