/**
 * SSH signatures: Go's verdicts (golang.org/x/crypto/ssh and golang.org/x/mod/sumdb/note, committed in
 * go-verdicts.jsonl), every part made wrong by itself, the edges of Ed25519, and what the real `ssh-keygen -Y verify`
 * says to each.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ED25519_TORSION_SUBGROUP, ed25519 } from '@noble/curves/ed25519.js';
import { p256 } from '@noble/curves/nist.js';
import { sha512 } from '@noble/hashes/sha2.js';
import { afterAll, describe, expect, it } from 'vitest';
import { TrefoilError } from '../../../src/errors.ts';
import { type PartyKey, readPartyKeys } from '../../../src/govern/officers/party-key.ts';
import { signaturesOf } from '../../../src/govern/officers/signatures.ts';
import { sshKey } from '../../../src/govern/officers/ssh-key.ts';
import { checkSshSignature, unarmoured } from '../../../src/govern/officers/ssh-signature.ts';
import { openNote, verifierKey } from '../../../src/log.ts';
import {
  armour,
  type Choices,
  hasSshKeygen,
  keyBlob,
  mpint,
  opensshVerifies,
  privateKey,
  type SshType,
  sshsig,
  string,
  TYPES,
} from './sshsig.ts';

const TEXT = 'trefoil warrant v1\nid 7x2k9q0m4d8r5t1w3y6b8c0f2h\n';
const NAMESPACE = 'warrant@trefoil';
const NONE = { touch: false, verified: false };

const folder = mkdtempSync(join(tmpdir(), 'trefoil-sshsig-'));
afterAll(() => rmSync(folder, { recursive: true }));

const throwing = (message: string): never => {
  throw new Error(message);
};

/** Our verdict: `good`, or the code of the error. */
function verdict(line: string, blob: Uint8Array, demands = NONE, text = TEXT): string {
  return codeOf(() => checkSshSignature(sshKey(line, demands), NAMESPACE, Buffer.from(text), blob));
}

function codeOf(run: () => unknown): string {
  try {
    run();
    return 'good';
  } catch (error) {
    if (!(error instanceof TrefoilError)) throw error;
    return error.code;
  }
}

interface Judged {
  readonly name: string;
  readonly note: string;
  readonly vkey: string;
  readonly key: string;
  readonly verified: number;
  readonly unknown: number;
  readonly valid: boolean;
  readonly flips: string;
}

const JUDGED = readFileSync(new URL('go-verdicts.jsonl', import.meta.url), 'utf8')
  .trimEnd()
  .split('\n')
  .map((line) => JSON.parse(line) as Judged);

describe('notes that Go has made', () => {
  it('are of every type of keys and of both hashes', () => {
    for (const type of TYPES) {
      const of = JUDGED.filter(({ key }) => key.startsWith(`${type} `));
      expect(of.some(({ name, valid }) => valid && name.includes(' sha256'))).toBe(true);
      expect(of.some(({ name, valid }) => valid && name.includes(' sha512'))).toBe(true);
    }
  });

  it.each(JUDGED)('$name: the same signatures count', ({ note, vkey, key, verified, unknown, valid, name }) => {
    const blob = Buffer.from(note.trimEnd().split('\n').at(-1)!.split(' ')[2]!, 'base64').subarray(4);
    // x/crypto demands a touch of all hardware, which a charter may do.
    const touch = key.startsWith('sk-');
    expect(verdict(key, blob, { touch, verified: false })).toBe(valid ? 'good' : 'ssh_signature_invalid');
    expect(verdict(key, blob)).toBe('good');
    if (hasSshKeygen()) expect(opensshVerifies(folder, key, TEXT, NAMESPACE, blob)).toBe(true);

    // "verified 1 unknown 1": other tools skip the line of the SSH key, and so does our own reader of notes.
    expect([verified, unknown]).toEqual([1, 1]);
    const opened = openNote(note, [verifierKey(vkey)]);
    expect([opened.signatures.length, opened.unknown]).toEqual([verified, unknown]);
    const parties = new Map<string, readonly PartyKey[]>([
      ['anna', readPartyKeys(['note', vkey], throwing)],
      ['bela', readPartyKeys(['ssh', ...key.split(' ')], throwing)],
    ]);
    const signed = signaturesOf(note, parties, NAMESPACE);
    expect([...signed.by.keys()], name).toEqual(['anna', 'bela']);
    expect(signed.unknown).toBe(0);
  });

  it('every byte flipped: no signature verifies, and none does in Go', () => {
    for (const { note, key, flips, name } of JUDGED) {
      const blob = Buffer.from(note.trimEnd().split('\n').at(-1)!.split(' ')[2]!, 'base64').subarray(4);
      expect(flips).toBe('r'.repeat(blob.length));
      const ssh = sshKey(key);
      for (const [at, byte] of blob.entries()) {
        const flipped = Uint8Array.from(blob).with(at, byte ^ (1 << (at % 8)));
        const code = codeOf(() => checkSshSignature(ssh, NAMESPACE, Buffer.from(TEXT), flipped));
        expect(code, `${name}, byte ${at}`).toMatch(/^(ssh_)?signature_invalid$/);
      }
    }
  });
});

/** r and s, the second as n - s. */
const otherS = (bare: Buffer): Buffer => {
  const n = p256.Point.Fn.ORDER;
  const s = n - BigInt(`0x${bare.subarray(32).toString('hex')}`);
  return Buffer.concat([bare.subarray(0, 32), Buffer.from(s.toString(16).padStart(64, '0'), 'hex')]);
};

const lowFirst = (bare: Buffer): Buffer =>
  bare[0]! < 0x80 ? bare : Buffer.concat([Buffer.of(0x7f), bare.subarray(1)]);

/**
 * Each part made wrong by itself and signed as it is: our verdict, and whether the real `ssh-keygen` accepts it. Where
 * it accepts what we refuse, docs/spec/govern/officer-signature-v1.md has the difference.
 */
const VARIANTS: readonly {
  readonly name: string;
  readonly types?: readonly SshType[];
  readonly choices: Choices;
  readonly ours: string;
  readonly openssh: boolean;
}[] = [
  { name: 'as it should be', choices: {}, ours: 'good', openssh: true },
  { name: 'sha256', choices: { hash: 'sha256' }, ours: 'good', openssh: true },
  { name: 'another magic', choices: { magic: 'SSHSIH' }, ours: 'ssh_signature_invalid', openssh: false },
  { name: 'version 0', choices: { version: 0 }, ours: 'ssh_signature_invalid', openssh: true },
  { name: 'version 2', choices: { version: 2 }, ours: 'ssh_signature_invalid', openssh: false },
  {
    name: 'another namespace',
    choices: { namespace: 'refusal@trefoil' },
    ours: 'ssh_signature_invalid',
    openssh: false,
  },
  { name: 'the namespace of git', choices: { namespace: 'git' }, ours: 'ssh_signature_invalid', openssh: false },
  {
    name: 'a namespace with a NUL',
    choices: { namespace: 'warrant@trefoil\0' },
    ours: 'ssh_signature_invalid',
    openssh: false,
  },
  { name: 'reserved with a byte', choices: { reserved: 'x' }, ours: 'ssh_signature_invalid', openssh: false },
  { name: 'sha1', choices: { hash: 'sha1' }, ours: 'ssh_signature_invalid', openssh: false },
  {
    name: 'a hash by the name of a property',
    choices: { hash: 'toString' },
    ours: 'ssh_signature_invalid',
    openssh: false,
  },
  { name: 'bytes after the whole', choices: { after: '\0' }, ours: 'ssh_signature_invalid', openssh: false },
  {
    name: 'bytes after the signature',
    choices: { afterSignature: '\0' },
    ours: 'ssh_signature_invalid',
    openssh: false,
  },
  {
    name: 'another key inside',
    choices: { key: privateKey('ssh-ed25519', 99).blob },
    ours: 'ssh_signature_invalid',
    openssh: false,
  },
  {
    name: 'a signature of RSA',
    choices: { signatureType: 'rsa-sha2-512' },
    ours: 'ssh_signature_invalid',
    openssh: false,
  },
  {
    name: 'a signature of a browser',
    types: ['sk-ecdsa-sha2-nistp256@openssh.com'],
    choices: { signatureType: 'webauthn-sk-ecdsa-sha2-nistp256@openssh.com' },
    ours: 'ssh_signature_invalid',
    openssh: false,
  },
  { name: 'no signature', choices: { write: () => Buffer.alloc(0) }, ours: 'ssh_signature_invalid', openssh: false },
  {
    name: 'a signature of 63 bytes',
    types: ['ssh-ed25519', 'sk-ssh-ed25519@openssh.com'],
    choices: { write: (bare) => bare.subarray(1) },
    ours: 'ssh_signature_invalid',
    openssh: false,
  },
  {
    name: 'a signature of 65 bytes',
    types: ['ssh-ed25519', 'sk-ssh-ed25519@openssh.com'],
    choices: { write: (bare) => Buffer.concat([bare, Buffer.of(0)]) },
    ours: 'ssh_signature_invalid',
    openssh: false,
  },
  {
    name: 'zeros in front of r',
    types: ['ecdsa-sha2-nistp256', 'sk-ecdsa-sha2-nistp256@openssh.com'],
    choices: { write: (bare) => Buffer.concat([mpint(bare.subarray(0, 32), 1), mpint(bare.subarray(32))]) },
    ours: 'ssh_signature_invalid',
    openssh: true,
  },
  {
    name: 'r and s negative',
    types: ['ecdsa-sha2-nistp256', 'sk-ecdsa-sha2-nistp256@openssh.com'],
    choices: {
      write: (bare) => {
        const negative = Buffer.concat([Buffer.of(0xff), bare.subarray(1, 32)]);
        return Buffer.concat([string(negative), mpint(bare.subarray(32))]);
      },
    },
    ours: 'ssh_signature_invalid',
    openssh: false,
  },
  {
    name: 'r of 33 bytes',
    types: ['ecdsa-sha2-nistp256', 'sk-ecdsa-sha2-nistp256@openssh.com'],
    choices: {
      write: (bare) =>
        Buffer.concat([string(Buffer.concat([Buffer.of(1), bare.subarray(0, 32)])), mpint(bare.subarray(32))]),
    },
    ours: 'ssh_signature_invalid',
    openssh: false,
  },
  {
    name: 'r of 0',
    types: ['ecdsa-sha2-nistp256', 'sk-ecdsa-sha2-nistp256@openssh.com'],
    choices: { write: (bare) => Buffer.concat([string(''), mpint(bare.subarray(32))]) },
    ours: 'ssh_signature_invalid',
    openssh: false,
  },
  {
    name: 'something after s',
    types: ['ecdsa-sha2-nistp256', 'sk-ecdsa-sha2-nistp256@openssh.com'],
    choices: {
      write: (bare) => Buffer.concat([mpint(bare.subarray(0, 32)), mpint(bare.subarray(32)), string('')]),
    },
    ours: 'ssh_signature_invalid',
    openssh: false,
  },
  {
    name: 'r and s without their form',
    types: ['ecdsa-sha2-nistp256', 'sk-ecdsa-sha2-nistp256@openssh.com'],
    choices: { write: (bare) => lowFirst(bare) },
    ours: 'ssh_signature_invalid',
    openssh: false,
  },
  {
    name: 'the other s',
    types: ['ecdsa-sha2-nistp256', 'sk-ecdsa-sha2-nistp256@openssh.com'],
    choices: { change: otherS },
    ours: 'good',
    openssh: true,
  },
];

describe.each(TYPES)('%s: every part made wrong', (type) => {
  const key = privateKey(type);
  it.each(VARIANTS.filter(({ types }) => types?.includes(type) ?? true))('$name', ({ choices, ours, openssh }) => {
    const blob = sshsig(key, TEXT, NAMESPACE, choices);
    expect(verdict(key.line, blob)).toBe(ours);
    if (hasSshKeygen()) expect(opensshVerifies(folder, key.line, TEXT, NAMESPACE, blob)).toBe(openssh);
  });

  it('of another text', () => {
    const blob = sshsig(key, TEXT, NAMESPACE);
    expect(verdict(key.line, blob, NONE, `${TEXT}x\n`)).toBe('signature_invalid');
    expect(verdict(key.line, blob, NONE, TEXT.slice(0, -1))).toBe('signature_invalid');
  });

  it('of another key of its type', () => {
    const other = privateKey(type, 8);
    expect(verdict(key.line, sshsig(other, TEXT, NAMESPACE))).toBe('ssh_signature_invalid');
    expect(verdict(key.line, sshsig(other, TEXT, NAMESPACE, { key: key.blob }))).toBe('signature_invalid');
  });

  it('cut anywhere', () => {
    const blob = sshsig(key, TEXT, NAMESPACE);
    const ssh = sshKey(key.line);
    for (let end = 0; end < blob.length; end++) {
      const code = codeOf(() => checkSshSignature(ssh, NAMESPACE, Buffer.from(TEXT), blob.subarray(0, end)));
      expect(code, `${end}`).toBe('ssh_signature_invalid');
    }
    expect(verdict(key.line, Buffer.concat([blob, Buffer.alloc(5000)]))).toBe('ssh_signature_invalid');
  });
});

describe.each(TYPES.filter((type) => type.startsWith('sk-')))('%s: the flags of hardware', (type) => {
  const key = privateKey(type);
  const touch = { touch: true, verified: false };
  const pin = { touch: false, verified: true };
  const both = { touch: true, verified: true };

  it('a signature without a touch is Good to ssh-keygen and refused here where the charter says touch', () => {
    const blob = sshsig(key, TEXT, NAMESPACE, { flags: 0 });
    if (hasSshKeygen()) expect(opensshVerifies(folder, key.line, TEXT, NAMESPACE, blob)).toBe(true);
    expect(verdict(key.line, blob)).toBe('good');
    expect(verdict(key.line, blob, touch)).toBe('ssh_signature_invalid');
    expect(verdict(key.line, blob, pin)).toBe('ssh_signature_invalid');
  });

  it.each([
    [0x01, true, false],
    [0x04, false, true],
    [0x05, true, true],
    [0x1d, true, true],
    [0xfa, false, false],
  ])('flags %i', (flags, isTouched, isVerified) => {
    const blob = sshsig(key, TEXT, NAMESPACE, { flags });
    const word = (isGood: boolean) => (isGood ? 'good' : 'ssh_signature_invalid');
    expect(verdict(key.line, blob, touch)).toBe(word(isTouched));
    expect(verdict(key.line, blob, pin)).toBe(word(isVerified));
    expect(verdict(key.line, blob, both)).toBe(word(isTouched && isVerified));
  });

  it('a flag that is added afterwards breaks the signature, and so does another counter', () => {
    const blob = sshsig(key, TEXT, NAMESPACE, { flags: 0 });
    const at = blob.length - 5;
    expect(blob[at]).toBe(0);
    expect(verdict(key.line, Uint8Array.from(blob).with(at, 1), touch)).toBe('signature_invalid');
    expect(verdict(key.line, Uint8Array.from(blob).with(at + 4, 1))).toBe('signature_invalid');
  });

  it('a signature without flags and counter is none', () => {
    const plain = privateKey(type.includes('ed25519') ? 'ssh-ed25519' : 'ecdsa-sha2-nistp256');
    const blob = sshsig(plain, TEXT, NAMESPACE, { key: key.blob, signatureType: type });
    expect(verdict(key.line, blob)).toBe('ssh_signature_invalid');
  });

  it('of a key with another application, it does not verify', () => {
    const other = privateKey(type, 7, 'ssh:other');
    expect(verdict(key.line, sshsig(other, TEXT, NAMESPACE, { key: key.blob }))).toBe('signature_invalid');
    expect(verdict(other.line, sshsig(other, TEXT, NAMESPACE))).toBe('good');
  });
});

/** Signatures that tell implementations of Ed25519 apart, made for the message of an SSH signature. */
const { Point } = ed25519;
const { ORDER } = Point.Fn;
const little = (bytes: Uint8Array): bigint => BigInt(`0x${Buffer.from(bytes).reverse().toString('hex') || '0'}`);
const scalarBytes = (value: bigint): Buffer => Buffer.from(value.toString(16).padStart(64, '0'), 'hex').reverse();
const torsion = (i: number) => Point.fromHex(ED25519_TORSION_SUBGROUP[i]!);
/** A signature with r = 5, whose R has a point of small order added, or another encoding. */
const crafted = (message: Buffer, R: Buffer, r: bigint): Buffer => {
  const { scalar, pointBytes } = ed25519.utils.getExtendedPublicKey(Buffer.alloc(32, 7));
  const h = little(sha512(Buffer.concat([R, pointBytes, message]))) % ORDER;
  return Buffer.concat([R, scalarBytes((r + h * scalar) % ORDER)]);
};

const EDGES: readonly {
  readonly name: string;
  readonly change: (bare: Buffer, message: Buffer) => Buffer;
  readonly isGood: boolean;
  readonly openssh: boolean;
}[] = [
  {
    name: 'r = 5',
    change: (_, message) => crafted(message, Buffer.from(Point.BASE.multiply(5n).toBytes()), 5n),
    isGood: true,
    openssh: true,
  },
  ...[1, 2, 3, 4, 5, 6, 7].map((i) => ({
    name: `r = 5, and R with the point ${i} of small order`,
    change: (_: Buffer, message: Buffer) =>
      crafted(message, Buffer.from(Point.BASE.multiply(5n).add(torsion(i)).toBytes()), 5n),
    isGood: false,
    openssh: false,
  })),
  {
    name: 'R is the identity',
    change: (_, message) => crafted(message, Buffer.from(Point.ZERO.toBytes()), 0n),
    isGood: true,
    openssh: true,
  },
  {
    name: 'R is the identity, with a sign',
    change: (_, message) => crafted(message, Buffer.from(`01${'00'.repeat(30)}80`, 'hex'), 0n),
    isGood: false,
    openssh: false,
  },
  {
    name: 'R is the identity, as y = p + 1',
    change: (_, message) => crafted(message, Buffer.from(`ee${'ff'.repeat(30)}7f`, 'hex'), 0n),
    isGood: false,
    openssh: false,
  },
  {
    name: 'S + L',
    change: (bare) => Buffer.concat([bare.subarray(0, 32), scalarBytes(little(bare.subarray(32)) + ORDER)]),
    isGood: false,
    // OpenSSH looks at the three highest bits alone.
    openssh: true,
  },
  {
    name: 'S + 2^255',
    change: (bare) => {
      const changed = Buffer.from(bare);
      changed[63]! |= 0x80;
      return changed;
    },
    isGood: false,
    openssh: false,
  },
];

describe.each(['ssh-ed25519', 'sk-ssh-ed25519@openssh.com'] as const)('edges of Ed25519 through %s', (type) => {
  const key = privateKey(type);
  it.each(EDGES)('$name', ({ change, isGood, openssh }) => {
    const blob = sshsig(key, TEXT, NAMESPACE, { change });
    expect(verdict(key.line, blob)).toBe(isGood ? 'good' : 'signature_invalid');
    if (hasSshKeygen()) expect(opensshVerifies(folder, key.line, TEXT, NAMESPACE, blob)).toBe(openssh);
  });
});

it.skipIf(!hasSshKeygen())(
  'under a key of small order ssh-keygen says Good to every text; here there is no such key',
  () => {
    const identity = Buffer.from(Point.ZERO.toBytes());
    const blob = keyBlob('ssh-ed25519', identity);
    const line = `ssh-ed25519 ${blob.toString('base64')}`;
    // S·B − h·A is B for S = 1, whatever h is.
    const forged = Buffer.concat([Buffer.from(Point.BASE.toBytes()), scalarBytes(1n)]);
    const key = privateKey('ssh-ed25519');
    for (const text of [TEXT, 'trefoil warrant v1\nvalues 1000000\n']) {
      const signature = sshsig(key, text, NAMESPACE, { key: blob, change: () => forged });
      expect(opensshVerifies(folder, line, text, NAMESPACE, signature)).toBe(true);
    }
    expect(codeOf(() => sshKey(line))).toBe('ssh_key_invalid');
  },
);

describe('the armour', () => {
  const blob = sshsig(privateKey('ssh-ed25519'), TEXT, NAMESPACE);
  const text = armour(blob);
  it('comes off, also with the line ends of Windows', () => {
    expect(Buffer.from(unarmoured(text))).toEqual(blob);
    expect(Buffer.from(unarmoured(text.replaceAll('\n', '\r\n')))).toEqual(blob);
  });
  it.each([
    ['nothing', ''],
    ['something before it', ` ${text}`],
    ['something after it', `${text} `],
    ['no end', text.slice(0, -30)],
    ['an empty line', text.replace('\n', '\n\n')],
    ['no lines', '-----BEGIN SSH SIGNATURE-----\n-----END SSH SIGNATURE-----\n'],
    ['a line of 77 symbols', armour(blob).replace(/(.{70})\n(.{7})/, '$1$2\n')],
    ['another kind', text.replaceAll('SSH SIGNATURE', 'PGP SIGNATURE')],
    ['a comma', text.replace('U1NI', 'U1N,')],
    [
      'bits after the last byte',
      armour(blob.subarray(0, -1)).replace(/.=\n/, (end) => `${end === 'g=\n' ? 'h' : 'x'}=\n`),
    ],
    ['far too much', armour(Buffer.alloc(9000))],
  ])('%s is refused', (_, wrong) => {
    expect(codeOf(() => unarmoured(wrong))).toBe('ssh_signature_invalid');
  });
});
