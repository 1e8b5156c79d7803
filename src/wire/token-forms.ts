/**
 * The forms of a token's body: the first bits of a tag as text (docs/spec/token-v1.md, "Forms"). The body of every form
 * and length is the beginning of the same tag. So anyone can tell that two bodies of one value belong together, even if
 * their forms differ.
 */

import { ALPHABET, PAIRS } from './base32.ts';
import { base32Reader, base64urlReader, hexReader, type ReadBody, uuidReader } from './body-readers.ts';
import { BODY_CLASS, BODY_LENGTH, checkChanges, checkStart, wholeChanges } from './labelled-token.ts';

/** The names of the forms. */
export const FORMS = ['labelled', 'bare', 'uuid', 'hex', 'base64url', 'digits'] as const;
export type Form = (typeof FORMS)[number];

/** Writes a body as ASCII at `offset`. Word j of its tag is `tags[at + j * step]`. */
export type WriteBody = (tags: Int32Array, at: number, step: number, out: DataView, offset: number) => void;

/** The set of all bodies of a form and length: all strings of so many bits, or of so many decimal digits. */
export interface Space {
  readonly unit: 'bits' | 'digits';
  readonly size: number;
}

/** What a form is. */
export interface FormDefinition {
  /** Characters of a whole body, which is also the longest. */
  readonly whole: number;
  /** How many different bodies of a length there are. */
  readonly bodies: (length: number) => bigint;
  /** The source of a regular expression for bodies of a length. */
  readonly pattern: (length: number) => string;
  /** The space of bodies of a length. */
  readonly space: (length: number) => Space;
  /** Makes the function that writes bodies of a length. */
  readonly writer: (length: number) => WriteBody;
  /** Makes the function that reads bodies of a length; `null` for digits, whose bodies are not bits. */
  readonly reader: ((length: number) => ReadBody) | null;
}

const bits = (size: number): Space => ({ unit: 'bits', size });

const TABLE: Readonly<Record<Form, FormDefinition>> = /* @__PURE__ */ (() => {
  const base32: FormDefinition = {
    whole: BODY_LENGTH,
    bodies: (length) => 1n << BigInt(Math.min(128, 5 * length)),
    space: (length) => bits(Math.min(128, 5 * length)),
    pattern: (length) => (length === BODY_LENGTH ? BODY_CLASS : `[${ALPHABET}]{${length}}`),
    writer: base32Writer,
    reader: base32Reader,
  };
  return {
    labelled: base32,
    bare: base32,
    uuid: {
      whole: 36,
      bodies: () => 1n << 122n,
      space: () => bits(122),
      pattern: () => '[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}',
      writer: () => writeUuid,
      reader: uuidReader,
    },
    hex: {
      whole: 32,
      bodies: (length) => 1n << BigInt(4 * length),
      space: (length) => bits(4 * length),
      pattern: (length) => `[0-9a-f]{${length}}`,
      writer: hexWriter,
      reader: hexReader,
    },
    base64url: {
      whole: 22,
      bodies: (length) => 1n << BigInt(Math.min(128, 6 * length)),
      space: (length) => bits(Math.min(128, 6 * length)),
      pattern: (length) => (length === 22 ? '[A-Za-z0-9_-]{21}[AQgw]' : `[A-Za-z0-9_-]{${length}}`),
      writer: base64urlWriter,
      reader: base64urlReader,
    },
    digits: {
      whole: 38,
      bodies: (length) => 10n ** BigInt(length),
      space: (size) => ({ unit: 'digits', size }),
      pattern: (length) => `[0-9]{${length}}`,
      writer: digitsWriter,
      reader: null,
    },
  };
})();

/** Returns the definition of a form. */
export function formOf(form: Form): FormDefinition {
  return TABLE[form];
}

/** The character codes of an alphabet. */
function codes(alphabet: string): Uint8Array {
  return Uint8Array.from(alphabet, (c) => c.charCodeAt(0));
}

const BASE32: Uint8Array = /* @__PURE__ */ codes(ALPHABET);
const HEX: Uint8Array = /* @__PURE__ */ codes('0123456789abcdef');
const BASE64URL: Uint8Array = /* @__PURE__ */ codes('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_');

/** Returns `count` bits (at most 25) of a tag from bit `from` on. Bit 0 is the highest bit of word 0. */
function bitsOf(tags: Int32Array, at: number, step: number, from: number, count: number): number {
  const word = at + (from >>> 5) * step;
  const free = 32 - (from & 31) - count;
  const value = free >= 0 ? tags[word]! >>> free : (tags[word]! << -free) | (tags[word + step]! >>> (32 + free));
  return value & ((1 << count) - 1);
}

/** Returns the value of symbol k of a body in base32. The last symbol of a whole body ends with two zero bits. */
function symbolAt(tags: Int32Array, at: number, step: number, k: number): number {
  return k < BODY_LENGTH - 1 ? bitsOf(tags, at, step, 5 * k, 5) : bitsOf(tags, at, step, 5 * k, 3) << 2;
}

function base32Writer(length: number): WriteBody {
  return (tags, at, step, out, offset) => {
    for (let k = 0; k < length; k++) out.setUint8(offset + k, BASE32[symbolAt(tags, at, step, k)]!);
  };
}

/** Makes the function that writes a body in base32, followed by the check characters over `head` and body. */
export function checkedWriter(length: number, head: string): WriteBody {
  return length === BODY_LENGTH ? wholeWriter(checkStart(head, length)) : shortWriter(length, checkStart(head, length));
}

function shortWriter(length: number, start: number): WriteBody {
  const changes = checkChanges(length, 1);
  return (tags, at, step, out, offset) => {
    let crc = start;
    for (let k = 0; k < length; k++) {
      const symbol = symbolAt(tags, at, step, k);
      crc ^= changes[32 * k + symbol]!;
      out.setUint8(offset + k, BASE32[symbol]!);
    }
    out.setUint16(offset + length, PAIRS[(crc >>> 10) & 1023]!);
    out.setUint16(offset + length + 2, PAIRS[crc & 1023]!);
  };
}

/**
 * Does the same for a whole body, which is 26 symbols, as 13 pairs. It is written out without a loop, because every
 * token of the default form is written here. Measured: 22 ns; symbol by symbol it takes 60 ns.
 */
function wholeWriter(start: number): WriteBody {
  const changes = wholeChanges();
  return (tags, at, step, out, offset) => {
    const t0 = tags[at]!;
    const t1 = tags[at + step]!;
    const t2 = tags[at + 2 * step]!;
    const t3 = tags[at + 3 * step]!;
    const p0 = t0 >>> 22;
    const p1 = (t0 >>> 12) & 1023;
    const p2 = (t0 >>> 2) & 1023;
    const p3 = ((t0 << 8) | (t1 >>> 24)) & 1023;
    const p4 = (t1 >>> 14) & 1023;
    const p5 = (t1 >>> 4) & 1023;
    const p6 = ((t1 << 6) | (t2 >>> 26)) & 1023;
    const p7 = (t2 >>> 16) & 1023;
    const p8 = (t2 >>> 6) & 1023;
    const p9 = ((t2 << 4) | (t3 >>> 28)) & 1023;
    const p10 = (t3 >>> 18) & 1023;
    const p11 = (t3 >>> 8) & 1023;
    // Eight bits are left, and two zero bits fill the last symbol.
    const p12 = (t3 << 2) & 1020;
    const even =
      changes[p0]! ^
      changes[2048 + p2]! ^
      changes[4096 + p4]! ^
      changes[6144 + p6]! ^
      changes[8192 + p8]! ^
      changes[10240 + p10]! ^
      changes[12288 + p12]!;
    const odd =
      changes[1024 + p1]! ^
      changes[3072 + p3]! ^
      changes[5120 + p5]! ^
      changes[7168 + p7]! ^
      changes[9216 + p9]! ^
      changes[11264 + p11]!;
    const crc = start ^ even ^ odd;
    out.setInt32(offset, (PAIRS[p0]! << 16) | PAIRS[p1]!);
    out.setInt32(offset + 4, (PAIRS[p2]! << 16) | PAIRS[p3]!);
    out.setInt32(offset + 8, (PAIRS[p4]! << 16) | PAIRS[p5]!);
    out.setInt32(offset + 12, (PAIRS[p6]! << 16) | PAIRS[p7]!);
    out.setInt32(offset + 16, (PAIRS[p8]! << 16) | PAIRS[p9]!);
    out.setInt32(offset + 20, (PAIRS[p10]! << 16) | PAIRS[p11]!);
    out.setInt32(offset + 24, (PAIRS[p12]! << 16) | PAIRS[(crc >>> 10) & 1023]!);
    out.setInt16(offset + 28, PAIRS[crc & 1023]!);
  };
}

function hexWriter(length: number): WriteBody {
  return (tags, at, step, out, offset) => {
    for (let k = 0; k < length; k++) {
      out.setUint8(offset + k, HEX[(tags[at + (k >>> 3) * step]! >>> (28 - 4 * (k & 7))) & 15]!);
    }
  };
}

/** RFC 4648, section 5, without padding. The last character of a whole body has two bits of the tag and four zeros. */
function base64urlWriter(length: number): WriteBody {
  return (tags, at, step, out, offset) => {
    for (let k = 0; k < length; k++) {
      const sextet = k < 21 ? bitsOf(tags, at, step, 6 * k, 6) : bitsOf(tags, at, step, 126, 2) << 4;
      out.setUint8(offset + k, BASE64URL[sextet]!);
    }
  };
}

/** Writes a UUID of version 8 (RFC 9562, section 5.8): 48 bits, the version, 12 bits, the variant, 62 bits. */
function writeUuid(tags: Int32Array, at: number, step: number, out: DataView, offset: number): void {
  let to = offset;
  let from = 0;
  for (let k = 0; k < 32; k++) {
    if (k === 8 || k === 12 || k === 16 || k === 20) out.setUint8(to++, 45);
    if (k === 12) {
      out.setUint8(to++, HEX[8]!);
    } else if (k === 16) {
      out.setUint8(to++, HEX[8 | bitsOf(tags, at, step, from, 2)]!);
      from += 2;
    } else {
      out.setUint8(to++, HEX[bitsOf(tags, at, step, from, 4)]!);
      from += 4;
    }
  }
}

/** How many limbs of 16 bits a tag has, and how many digits one multiplication yields. */
const LIMBS = 16;
const DIGITS_A_STEP = 4;

/**
 * Writes the first decimals of the tag, read as a binary fraction 0.t. Each multiplication by 10^4 moves four decimals
 * in front of the point. A body of n digits is floor(tag * 10^n / 2^256), so no body is more likely than another by
 * more than a factor of 1 + 10^n / 2^256.
 */
function digitsWriter(length: number): WriteBody {
  const limbs = new Int32Array(LIMBS);
  return (tags, at, step, out, offset) => {
    for (let j = 0; j < LIMBS / 2; j++) {
      const word = tags[at + j * step]!;
      limbs[2 * j] = word >>> 16;
      limbs[2 * j + 1] = word & 0xffff;
    }
    for (let k = 0; k < length; k += DIGITS_A_STEP) {
      let carry = 0;
      for (let j = LIMBS - 1; j >= 0; j--) {
        const product = limbs[j]! * 10_000 + carry;
        limbs[j] = product & 0xffff;
        carry = product >>> 16;
      }
      for (let d = DIGITS_A_STEP - 1; d >= 0; d--) {
        if (k + d < length) out.setUint8(offset + k + d, 48 + (carry % 10));
        carry = (carry / 10) | 0;
      }
    }
  };
}
