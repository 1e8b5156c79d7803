import { afterEach, describe, expect, it, vi } from 'vitest';
import { decodeAscii, GROUP } from '../../src/core/ascii.ts';

const ALL = Uint8Array.from({ length: 128 }, (_, i) => i);
const TEXT = String.fromCharCode(...ALL);

/** A second copy of the module, as it is in a runtime without `Buffer`. */
async function without(): Promise<typeof decodeAscii> {
  vi.resetModules();
  vi.stubGlobal('Buffer', undefined);
  return (await import('../../src/core/ascii.ts')).decodeAscii;
}

afterEach(() => {
  vi.unstubAllGlobals();
  vi.resetModules();
});

describe('decodeAscii', () => {
  it.each(['with Buffer', 'without'])('%s gives any piece of all of ASCII', async (kind) => {
    const decode = kind === 'without' ? await without() : decodeAscii;
    for (let from = 0; from <= 128; from++) {
      for (let to = from; to <= 128; to += 1 + (from & 3)) expect(decode(ALL, from, to)).toBe(TEXT.slice(from, to));
    }
  });

  it.each(['with Buffer', 'without'])('%s gives it out of an array that is a part of a larger buffer', async (kind) => {
    const decode = kind === 'without' ? await without() : decodeAscii;
    const part = new Uint8Array(Uint8Array.from([1, 2, 3, ...ALL, 4, 5]).buffer, 3, 128);
    expect(decode(part, 0, 128)).toBe(TEXT);
    expect(decode(part, 60, 90)).toBe(TEXT.slice(60, 90));
  });

  it('is a text of its own: bytes that change afterwards do not change it', () => {
    const bytes = Uint8Array.from(ALL);
    const text = decodeAscii(bytes, 0, 128);
    bytes.fill(65);
    expect(text).toBe(TEXT);
  });

  it('has groups that a body of any form fills', () => {
    expect(GROUP).toBe(16);
  });
});
