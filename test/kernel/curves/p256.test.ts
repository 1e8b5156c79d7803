/**
 * ECDSA over P-256: one verdict on every runtime. The cases of p256-edges.jsonl and their verdicts are Go's
 * (test/reference/generators/notes): honest signatures, either of the two s, r and s of 0, n and more, flipped bits, an
 * R whose x is n or more, and keys that are no points.
 */
import { generateKeyPairSync, sign } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { p256 } from '@noble/curves/nist.js';
import fc from 'fast-check';
import { afterEach, describe, expect, it, vi } from 'vitest';
import {
  nodeP256,
  type P256Verifier,
  p256KeyFault,
  p256Verifier,
  portableP256,
} from '../../../src/kernel/curves/p256.ts';
import { bytes } from '../../helpers/hex.ts';

interface Edge {
  readonly name: string;
  readonly key: string;
  readonly message: string;
  readonly signature: string;
  /** Whether the key is an uncompressed point of the curve, by crypto/ecdsa. */
  readonly safe: boolean;
  readonly valid: boolean;
}

const EDGES = readFileSync(new URL('p256-edges.jsonl', import.meta.url), 'utf8')
  .trimEnd()
  .split('\n')
  .map((line) => JSON.parse(line) as Edge);

const IMPLEMENTATIONS: readonly (readonly [string, P256Verifier])[] = [
  ['node:crypto', nodeP256()!],
  ['noble', portableP256],
];

const refuse = (fault: string): never => {
  throw new Error(fault);
};

describe('the edge set', () => {
  it('has cases of every kind', () => {
    expect(EDGES.filter(({ valid }) => valid).length).toBe(24);
    expect(EDGES.filter(({ safe, valid }) => safe && !valid).length).toBeGreaterThan(150);
    expect(EDGES.filter(({ safe }) => !safe).length).toBeGreaterThan(50);
  });

  it('our check of keys agrees with Go on every key', () => {
    for (const { name, key, safe } of EDGES) expect(p256KeyFault(bytes(key)) === null, name).toBe(safe);
  });

  it.each(IMPLEMENTATIONS)('%s gives the verdict of Go on every signature', (_, verifier) => {
    for (const { name, key, message, signature, safe, valid } of EDGES) {
      if (safe) expect(verifier(bytes(key))(bytes(message), bytes(signature)), name).toBe(valid);
    }
  });

  it('no signature verifies under a key that is none, because there is no verifier for it', () => {
    for (const { name, key, safe } of EDGES) {
      if (!safe)
        expect(() => p256Verifier(bytes(key), refuse), name).toThrow(/bytes, not 65|uncompressed|of the curve/);
    }
  });
});

it('keys are refused in words that say why', () => {
  const base = p256.Point.BASE.toBytes(false);
  expect(p256KeyFault(base)).toBeNull();
  expect(p256KeyFault(p256.Point.BASE.toBytes(true))).toBe('has 33 bytes, not 65');
  expect(p256KeyFault(base.with(0, 6))).toBe('is not an uncompressed point');
  expect(p256KeyFault(base.with(64, base[64]! ^ 1))).toBe('is not a point of the curve');
  expect(p256KeyFault(Uint8Array.of(0))).toBe('has 1 bytes, not 65');
});

it('both implementations verify what OpenSSL signs, and nothing else', () => {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const point = Uint8Array.from(publicKey.export({ format: 'der', type: 'spki' }).subarray(-65));
  const verifiers = IMPLEMENTATIONS.map(([, verifier]) => verifier(point));
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), fc.nat(63), fc.nat(7), (message, byte, bit) => {
      const made = Uint8Array.from(sign('sha256', message, { key: privateKey, dsaEncoding: 'ieee-p1363' }));
      for (const verify of verifiers) expect(verify(message, made)).toBe(true);
      const changed = made.with(byte, made[byte]! ^ (1 << bit));
      for (const verify of verifiers) {
        expect(verify(message, changed)).toBe(false);
        expect(verify(message, made.subarray(1))).toBe(false);
        expect(verify(message, Uint8Array.from([...made, 0]))).toBe(false);
      }
    }),
    { numRuns: 50 },
  );
});

it('a verifier keeps a copy of its key', () => {
  const edge = EDGES.find(({ valid }) => valid)!;
  const key = bytes(edge.key);
  const verify = p256Verifier(key, refuse);
  key.fill(0);
  expect(verify(bytes(edge.message), bytes(edge.signature))).toBe(true);
});

describe('a runtime whose node:crypto gives other verdicts', () => {
  afterEach(() => {
    vi.unstubAllGlobals();
    vi.resetModules();
  });

  const node = process.getBuiltinModule('node:crypto');
  it.each([
    ['accepts everything', { verify: () => true }],
    ['accepts nothing', { verify: () => false }],
    [
      'has no P-256',
      {
        createPublicKey: () => {
          throw new Error('unsupported');
        },
      },
    ],
    ['lacks a function', { createPublicKey: undefined }],
  ])('that %s, it is not used', async (_, changes) => {
    vi.resetModules();
    vi.stubGlobal('process', { ...process, getBuiltinModule: () => ({ ...node, ...changes }) });
    const fresh = await import('../../../src/kernel/curves/p256.ts');
    for (const { name, key, message, signature, valid } of EDGES.filter((edge) => edge.safe && / 0$/.test(edge.name))) {
      expect(fresh.p256Verifier(bytes(key), refuse)(bytes(message), bytes(signature)), name).toBe(valid);
    }
  });
});
