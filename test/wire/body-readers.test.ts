import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checkedReader } from '../../src/wire/body-readers.ts';
import { checkedWriter } from '../../src/wire/body-writers.ts';
import { FORMS, type Form, formOf } from '../../src/wire/token-forms.ts';
import { bodyReference, LENGTHS } from '../reference/token.ts';

/** All forms and lengths whose bodies are bits. */
const every = FORMS.filter((form) => form !== 'digits').flatMap((form) => {
  const [least, most] = LENGTHS[form];
  return Array.from({ length: most - least + 1 }, (_, i) => [form, least + i] as const);
});

const tagOf = (name: string): Buffer => createHash('sha256').update(name).digest();

/** Reads a body in the middle of a text. Returns its bits as a text of ones and zeros, or `null` if it is refused. */
function read(form: Form, length: number, body: string): string | null {
  const words = new Int32Array(6).fill(-1);
  const isRead = formOf(form).reader!(length)(`..${body}..`, 2, words, 1);
  // Nothing is written around the four words.
  if (words[0] !== -1 || words[5] !== -1) expect.fail('a word outside was written');
  if (!isRead) return null;
  return [1, 2, 3, 4].map((j) => (words[j]! >>> 0).toString(2).padStart(32, '0')).join('');
}

/** The first bits of a tag, followed by zeros. */
function bitsOf(form: Form, length: number, tag: Buffer): string {
  const { size } = formOf(form).space(length);
  const all = [...tag].map((byte) => byte.toString(2).padStart(8, '0')).join('');
  return all.slice(0, size).padEnd(128, '0');
}

describe.each(every)('%s of %s characters', (form, length) => {
  it('is read as the bits that it was written from', () => {
    const tags: Buffer[] = [0, 0xff, 0x55, 0xaa].map((byte) => Buffer.alloc(32, byte));
    for (let i = 0; i < 60; i++) tags.push(tagOf(`reader ${i}`));
    for (let bit = 0; bit < 128; bit++) {
      const tag = Buffer.alloc(32);
      tag[bit >> 3]! |= 0x80 >> (bit & 7);
      tags.push(tag);
    }
    for (const tag of tags)
      expect(read(form, length, bodyReference(form, length, tag))).toBe(bitsOf(form, length, tag));
  });

  it('accepts at every place exactly the characters that some tag puts there', () => {
    const body = bodyReference(form, length, tagOf('reader strict'));
    const pattern = new RegExp(`^${formOf(form).pattern(length)}$`);
    // Characters of ASCII, and some whose lowest seven or eight bits are those of a symbol.
    const codes = Array.from({ length: 256 }, (_, code) => code);
    codes.push(0x130, 0x160, 0x1030, 0xff10, 0xff41, 0xd830, 0xdc30, 0x4031, 0x8061);
    for (let at = 0; at < length; at++) {
      for (const code of codes) {
        const text = body.slice(0, at) + String.fromCharCode(code) + body.slice(at + 1);
        if ((read(form, length, text) !== null) !== pattern.test(text)) expect.fail(`character ${code} at ${at}`);
      }
    }
  });

  it('is refused if it is cut', () => {
    const body = bodyReference(form, length, tagOf('reader cut'));
    const words = new Int32Array(4);
    const reader = formOf(form).reader!(length);
    for (let end = 0; end < length; end++) expect(reader(body.slice(0, end), 0, words, 0)).toBe(false);
    expect(reader(body, 1, words, 0)).toBe(false);
  });
});

it('digits have no reader of bits, and a space of digits', () => {
  expect(formOf('digits').reader).toBeNull();
  expect(formOf('digits').space(12)).toEqual({ unit: 'digits', size: 12 });
});

it('the space of a form has as many elements as the form has bodies', () => {
  for (const form of FORMS) {
    const [least, most] = LENGTHS[form];
    for (let length = least; length <= most; length++) {
      const { unit, size } = formOf(form).space(length);
      expect(formOf(form).bodies(length)).toBe((unit === 'bits' ? 2n : 10n) ** BigInt(size));
    }
  }
});

describe.each(Array.from({ length: 21 }, (_, i) => 6 + i))('a checked body of %s symbols', (length) => {
  const HEAD = 'mail_s0nr0';
  const write = checkedWriter(length, HEAD);
  const reader = checkedReader(length, HEAD);

  function written(tag: Buffer): string {
    const bytes = Buffer.alloc(HEAD.length + length + 4, HEAD);
    const words = Int32Array.from({ length: 8 }, (_, j) => tag.readInt32BE(4 * j));
    write(words, 0, 1, new DataView(bytes.buffer, bytes.byteOffset, bytes.length), HEAD.length);
    return bytes.toString('latin1');
  }

  it('is read as the bits that it was written from', () => {
    const words = new Int32Array(4);
    for (let i = 0; i < 50; i++) {
      const tag = tagOf(`checked ${i}`);
      expect(reader(written(tag), HEAD.length, words, 0)).toBe(true);
      const bits = [...words].map((word) => (word >>> 0).toString(2).padStart(32, '0')).join('');
      expect(bits).toBe(bitsOf('labelled', length, tag));
    }
  });

  it('is refused after every change of one character, and under another head', () => {
    const words = new Int32Array(4);
    const token = written(tagOf('checked change'));
    for (let at = HEAD.length; at < token.length; at++) {
      for (const symbol of '0123456789abcdefghjkmnpqrstvwxyzilouAZ-_ \u0130\u0660') {
        const other = token.slice(0, at) + symbol + token.slice(at + 1);
        if (reader(other, HEAD.length, words, 0) !== (other === token)) expect.fail(`${symbol} at ${at}`);
      }
    }
    for (const head of ['mail_s0nr1', 'mall_s0nr0', 's0nr0', '']) {
      expect(checkedReader(length, head)(token, HEAD.length, words, 0)).toBe(false);
    }
    for (let end = HEAD.length; end < token.length; end++) {
      expect(reader(token.slice(0, end), HEAD.length, words, 0)).toBe(false);
    }
  });
});

it('a text is read exactly if a writer writes it', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...every),
      fc.string({ unit: fc.constantFrom(...'0123456789abcdefghjkmnpqrstvwxyzABCIlo-_8 '), maxLength: 40 }),
      ([form, length], text) => {
        const padded = text.padEnd(length, '0').slice(0, length);
        expect(read(form, length, padded) !== null).toBe(new RegExp(`^${formOf(form).pattern(length)}$`).test(padded));
      },
    ),
    { numRuns: 2000 },
  );
});
