/**
 * Pseudo-random texts and bytes in large numbers. They come from a seeded 32-bit generator (a multiplication and two
 * shifts), because SHA-256 for each number would take longer than the tested code.
 */

export interface Source {
  /** A whole number from 0 to `limit` - 1. */
  readonly below: (limit: number) => number;
  readonly bytes: (length: number) => Uint8Array;
  /** A text of `length` bytes of ASCII. */
  readonly ascii: (length: number) => string;
  /** A well-formed text of about `length` bytes of UTF-8, of code points from all planes. */
  readonly unicode: (length: number) => string;
}

/** The generator that begins with `seed`. */
export function source(seed: number): Source {
  let state = seed | 0;
  const next = (): number => {
    state = (state + 0x9e3779b9) | 0;
    let x = state;
    x = Math.imul(x ^ (x >>> 16), 0x21f0aaad);
    x = Math.imul(x ^ (x >>> 15), 0x735a2d97);
    return (x ^ (x >>> 15)) >>> 0;
  };
  const below = (limit: number): number => next() % limit;

  function codePoint(): number {
    switch (below(8)) {
      case 0:
        return below(128);
      case 1:
        return 128 + below(0x800 - 128);
      case 2:
        // The code points at which UTF-8 needs one byte more, and those around the surrogates.
        return [0, 0x7f, 0x80, 0x7ff, 0x800, 0xd7ff, 0xe000, 0xfeff, 0xfffd, 0xffff, 0x10000, 0x10ffff][below(12)]!;
      case 3: {
        const point = 0x800 + below(0x10000 - 0x800);
        return point >= 0xd800 && point < 0xe000 ? point - 0x2000 : point;
      }
      case 4:
        return 32 + below(95);
      default:
        // One of the 16 other planes.
        return 0x10000 * (1 + below(16)) + below(0x10000);
    }
  }

  return {
    below,
    bytes: (length) => Uint8Array.from({ length }, () => next() & 255),
    ascii(length) {
      const codes = new Array<number>(length);
      for (let i = 0; i < length; i++) codes[i] = next() & 127;
      return String.fromCharCode(...codes);
    },
    unicode(length) {
      let text = '';
      for (let bytes = 0; bytes < length; ) {
        const point = codePoint();
        bytes += point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
        text += String.fromCodePoint(point);
      }
      return text;
    },
  };
}
