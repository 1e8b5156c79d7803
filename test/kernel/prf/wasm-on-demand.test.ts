/**
 * Only HMAC-SHA-256 assembles its WebAssembly module, and only once. The token rule is run here, because it is what
 * asks for batches. The counters that decide belong to this test file's own copy of the modules.
 */
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { keyset, token } from '../../../src/index.ts';

const COLUMN = Array.from({ length: 20_000 }, (_, i) => `person ${i}`);
const keys = keyset.generate().domain('test');
const real = WebAssembly;
let modules = 0;

beforeAll(() => {
  class Counted extends real.Module {
    constructor(bytes: Uint8Array<ArrayBuffer>) {
      super(bytes);
      modules++;
    }
  }
  vi.stubGlobal('WebAssembly', { validate: real.validate, Module: Counted, Instance: real.Instance });
});
afterAll(() => {
  vi.unstubAllGlobals();
});

it('20,000 tokens by keyed BLAKE3 assemble no module', () => {
  const tokens = token({ scope: 'person', prf: 'blake3' }).bind(keys).protectMany(COLUMN);
  expect(new Set(tokens).size).toBe(COLUMN.length);
  expect(modules).toBe(0);
});

it('20,000 tokens by HMAC-SHA-256 assemble one module, which later columns use again', () => {
  const rule = token({ scope: 'person' }).bind(keys);
  expect(new Set(rule.protectMany(COLUMN)).size).toBe(COLUMN.length);
  expect(modules).toBe(1);
  rule.protectMany(COLUMN);
  expect(modules).toBe(1);
});
