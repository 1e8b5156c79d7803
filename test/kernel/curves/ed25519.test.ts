/**
 * Ed25519: one verdict on every runtime. The cases of edges.jsonl and their verdicts are Go's
 * (test/reference/generators/notes): honest signatures, every bit of one flipped, S of L and more, R with torsion or of
 * small order, keys of small and mixed order, and encodings that are not canonical.
 */
import { readFileSync } from 'node:fs';
import { ED25519_TORSION_SUBGROUP, ed25519 } from '@noble/curves/ed25519.js';
import fc from 'fast-check';
import { afterEach, describe, expect, it, vi } from 'vitest';
import {
  type Ed25519,
  ed25519KeyFault,
  ed25519Signer,
  ed25519Verifier,
  nodeEd25519,
  portableEd25519,
} from '../../../src/kernel/curves/ed25519.ts';
import { bytes, hex } from '../../helpers/hex.ts';

interface Edge {
  readonly name: string;
  readonly key: string;
  readonly message: string;
  readonly signature: string;
  /** Whether the key is the canonical encoding of a point of prime order, by filippo.io/edwards25519. */
  readonly safe: boolean;
  /** What crypto/ed25519 says. */
  readonly go: boolean;
  /** Both. */
  readonly valid: boolean;
}

const EDGES = readFileSync(new URL('edges.jsonl', import.meta.url), 'utf8')
  .trimEnd()
  .split('\n')
  .map((line) => JSON.parse(line) as Edge);

/** Both implementations. Node has the first one. */
const IMPLEMENTATIONS: readonly (readonly [string, Ed25519])[] = [
  ['node:crypto', nodeEd25519()!],
  ['points of noble', portableEd25519()],
];

const refuse = (fault: string): never => {
  throw new Error(fault);
};

describe('the edge set', () => {
  it('has cases of every kind', () => {
    const count = (which: (edge: Edge) => boolean) => EDGES.filter(which).length;
    expect(count(({ valid }) => valid)).toBeGreaterThan(20);
    expect(count(({ safe, valid }) => safe && !valid)).toBeGreaterThan(100);
    // Under these keys Go, OpenSSL and Web Crypto accept what nobody has signed.
    expect(count(({ safe, go }) => !safe && go)).toBeGreaterThan(50);
  });

  it('our check of keys agrees with Go on every key', () => {
    const keys = new Map(EDGES.map(({ key, safe }) => [key, safe]));
    for (const [key, safe] of keys) expect(ed25519KeyFault(bytes(key)) === null, key).toBe(safe);
  });

  it.each(IMPLEMENTATIONS)('%s gives the verdict of Go on every signature under a safe key', (_, { verifier }) => {
    for (const { name, key, message, signature, safe, valid } of EDGES) {
      if (safe) expect(verifier(bytes(key))(bytes(message), bytes(signature)), name).toBe(valid);
    }
  });

  it('no signature verifies under a key that is not safe, because there is no verifier for it', () => {
    for (const { name, key, safe } of EDGES) {
      if (!safe) expect(() => ed25519Verifier(bytes(key), refuse), name).toThrow();
    }
  });
});

it('keys are refused in words that say why', () => {
  const identity = `01${'00'.repeat(31)}`;
  expect(ed25519KeyFault(bytes(identity))).toMatch(/small order/);
  expect(ed25519KeyFault(bytes(`${identity.slice(0, -2)}80`))).toMatch(/canonical/);
  expect(ed25519KeyFault(bytes(`ee${'ff'.repeat(30)}7f`))).toMatch(/canonical/);
  expect(ed25519KeyFault(new Uint8Array(31))).toBe('has 31 bytes, not 32');
  const torsion = ed25519.Point.fromHex(ED25519_TORSION_SUBGROUP[1]!);
  expect(ed25519KeyFault(ed25519.Point.BASE.add(torsion).toBytes())).toMatch(/not a point of prime order/);
  expect(ed25519KeyFault(ed25519.Point.BASE.toBytes())).toBeNull();
});

describe('RFC 8032, section 7.1', () => {
  const TESTS = [
    {
      seed: '9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60',
      publicKey: 'd75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a',
      message: '',
      signature:
        'e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b',
    },
    {
      seed: 'c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7',
      publicKey: 'fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025',
      message: 'af82',
      signature:
        '6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a',
    },
  ];
  it.each(IMPLEMENTATIONS)('%s makes the public keys and signatures of the document', (_, { signer, verifier }) => {
    for (const { seed, publicKey, message, signature } of TESTS) {
      const made = signer(bytes(seed));
      expect(hex(made.publicKey)).toBe(publicKey);
      expect(hex(made.sign(bytes(message)))).toBe(signature);
      expect(verifier(bytes(publicKey))(bytes(message), bytes(signature))).toBe(true);
    }
  });
});

it('ed-torsion: a signature with a point of order 8 in R, by an ordinary key, is refused by both implementations', () => {
  const { Point } = ed25519;
  const edge = EDGES.find(({ name }) => name === 'R + 1 T8')!;
  const [key, message, signature] = [edge.key, edge.message, edge.signature].map(bytes) as [
    Uint8Array,
    Uint8Array,
    Uint8Array,
  ];
  expect(edge.safe).toBe(true);
  // What noble's own verification says, with either rule for encodings: it multiplies by the cofactor.
  expect(ed25519.verify(signature, message, key)).toBe(true);
  expect(ed25519.verify(signature, message, key, { zip215: false })).toBe(true);
  expect(Point.fromBytes(signature.subarray(0, 32)).isTorsionFree()).toBe(false);
  for (const [name, { verifier }] of IMPLEMENTATIONS) expect(verifier(key)(message, signature), name).toBe(false);
});

it('both implementations sign alike and verify each other, whatever the seed and the message', () => {
  const [[, node], [, portable]] = IMPLEMENTATIONS as [(typeof IMPLEMENTATIONS)[0], (typeof IMPLEMENTATIONS)[0]];
  const seeds = fc.uint8Array({ minLength: 32, maxLength: 32 });
  fc.assert(
    fc.property(seeds, fc.uint8Array({ maxLength: 300 }), fc.nat(63), fc.nat(7), (seed, message, byte, bit) => {
      const [a, b] = [node.signer(seed), portable.signer(seed)];
      const signature = a.sign(message);
      expect(b.publicKey).toEqual(a.publicKey);
      expect(b.sign(message)).toEqual(signature);
      const verifiers = [node.verifier(a.publicKey), portable.verifier(a.publicKey)];
      for (const verify of verifiers) expect(verify(message, signature)).toBe(true);
      signature[byte]! ^= 1 << bit;
      for (const verify of verifiers) expect(verify(message, signature)).toBe(false);
    }),
    { numRuns: 50 },
  );
});

it('a signer and a verifier keep copies of what they were made from', () => {
  const seed = new Uint8Array(32).fill(7);
  const signer = ed25519Signer(seed);
  const key = Uint8Array.from(signer.publicKey);
  const verify = ed25519Verifier(key, refuse);
  const signature = signer.sign(Uint8Array.of(1));
  seed.fill(0);
  key.fill(0);
  expect(signer.sign(Uint8Array.of(1))).toEqual(signature);
  expect(verify(Uint8Array.of(1), signature)).toBe(true);
  expect(() => ed25519Signer(new Uint8Array(31))).toThrow(RangeError);
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
    ['signs in another way', { sign: () => Buffer.alloc(64) }],
    [
      'has no Ed25519',
      {
        createPublicKey: () => {
          throw new Error('unsupported');
        },
      },
    ],
    ['lacks a function', { createPrivateKey: undefined }],
  ])('that %s, it is not used', async (_, changes) => {
    vi.resetModules();
    vi.stubGlobal('process', { ...process, getBuiltinModule: () => ({ ...node, ...changes }) });
    const fresh = await import('../../../src/kernel/curves/ed25519.ts');
    for (const { name, key, message, signature, safe, valid } of EDGES.filter(({ name }) => /^(R \+|RFC)/.test(name))) {
      expect(safe).toBe(true);
      expect(fresh.ed25519Verifier(bytes(key), refuse)(bytes(message), bytes(signature)), name).toBe(valid);
    }
    expect(fresh.ed25519Signer(new Uint8Array(32)).sign(Uint8Array.of(1))).toEqual(
      portableEd25519().signer(new Uint8Array(32)).sign(Uint8Array.of(1)),
    );
  });
});
