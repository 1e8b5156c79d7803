/** Public keys of OpenSSH: which are read, and why the others are not. */
import { readFileSync } from 'node:fs';
import { p256 } from '@noble/curves/nist.js';
import { describe, expect, it } from 'vitest';
import { TrefoilError } from '../../../src/errors.ts';
import { type PartyKey, rawNoteKey, readPartyKeys } from '../../../src/govern/officers/party-key.ts';
import { rawSshKey, sshKey, sshKeyText } from '../../../src/govern/officers/ssh-key.ts';
import { newNoteKey, verifierKey } from '../../../src/log.ts';
import { keyBlob, privateKey, string, TYPES } from './sshsig.ts';

const touch = { touch: true, verified: false };

/** The message of the error, whose code is `ssh_key_invalid`. */
function refused(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    if (!(error instanceof TrefoilError)) throw error;
    expect(error.code).toBe('ssh_key_invalid');
    return error.issues[0]!.message;
  }
  return expect.fail('the key was read');
}

const line = (type: string, blob: Uint8Array): string => `${type} ${Buffer.from(blob).toString('base64')}`;

describe.each(TYPES)('%s', (type) => {
  const key = privateKey(type);
  it('is read, with a comment or without', () => {
    for (const text of [key.line, `${key.line}\n`, `${key.line} a comment\r\n`, `${key.line} two words\n`]) {
      const read = sshKey(text);
      expect(read.type).toBe(type);
      expect(Buffer.from(read.blob)).toEqual(key.blob);
      expect(sshKeyText(read)).toBe(key.line);
      expect(rawSshKey(read)).toBe(key.raw.toString('hex'));
      expect(read.demands).toEqual({ touch: false, verified: false });
    }
  });

  it('demands a touch or a PIN only if it is on hardware', () => {
    for (const demands of [touch, { touch: false, verified: true }, { touch: true, verified: true }]) {
      if (key.isHardware) expect(sshKey(key.line, demands).demands).toEqual(demands);
      else expect(refused(() => sshKey(key.line, demands))).toMatch(/not on hardware/);
    }
  });

  it('cut anywhere, or with a byte more, is refused', () => {
    for (let end = 0; end < key.blob.length; end++) refused(() => sshKey(line(type, key.blob.subarray(0, end))));
    for (const more of [Buffer.of(0), string('')]) {
      expect(refused(() => sshKey(line(type, Buffer.concat([key.blob, more]))))).toMatch(/bytes after its end/);
    }
  });

  it('under the name of another type is refused', () => {
    for (const other of TYPES) {
      if (other !== type) expect(refused(() => sshKey(line(other, key.blob)))).toMatch(/another type/);
    }
  });

  it.each([
    ['spaces at the end of the type', (text: string) => text.replace(' ', '  ')],
    ['padding missing', (text: string) => `${text.replace(/=*$/, '')}A`],
    ['base64url', (text: string) => `${text.slice(0, -4)}-_==`],
    ['a line feed within', (text: string) => `${text.slice(0, 60)}\n${text.slice(60)}`],
    ['an option of authorized_keys before it', (text: string) => `no-pty ${text}`],
    ['a byte order mark', (text: string) => `\ufeff${text}`],
    ['upper case', (text: string) => text.replace(type, type.toUpperCase())],
  ])('%s: refused', (_, change) => {
    refused(() => sshKey(change(key.line)));
  });
});

it('base64 with bits after its last byte is refused', () => {
  // 51 bytes have no padding; a blob of P-256 has 104 bytes, so its last symbol before the padding has two idle bits.
  const { line: text } = privateKey('ecdsa-sha2-nistp256');
  expect(text).toMatch(/[A-Z]=$/i);
  const symbols = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
  const last = symbols[symbols.indexOf(text.at(-2)!) + 1]!;
  expect(refused(() => sshKey(`${text.slice(0, -2)}${last}=`))).toMatch(/canonical base64/);
});

describe('types that are not taken', () => {
  it.each([
    ['ssh-rsa', /RSA and DSA/],
    ['rsa-sha2-512', /RSA and DSA/],
    ['ssh-dss', /RSA and DSA/],
    ['ssh-ed25519-cert-v01@openssh.com', /certificate/],
    ['sk-ssh-ed25519-cert-v01@openssh.com', /certificate/],
    ['ecdsa-sha2-nistp256-cert-v01@openssh.com', /certificate/],
    ['ssh-rsa-cert-v01@openssh.com', /certificate/],
    ['ecdsa-sha2-nistp384', /does not begin with a type/],
    ['ecdsa-sha2-nistp521', /does not begin with a type/],
    ['ssh-ed448', /does not begin with a type/],
    ['webauthn-sk-ecdsa-sha2-nistp256@openssh.com', /one of signatures/],
    ['toString', /does not begin with a type/],
    ['__proto__', /does not begin with a type/],
    ['', /does not begin with a type/],
  ])('%s', (type, words) => {
    expect(refused(() => sshKey(line(type, privateKey('ssh-ed25519').blob)))).toMatch(words);
  });

  it('what is no text is refused in words', () => {
    for (const value of [undefined, null, 7, {}, ['ssh-ed25519']]) {
      expect(refused(() => sshKey(value as never))).toMatch(/expected the line of a .pub file/);
    }
  });
});

it('demands are true or false, and their own', () => {
  const { line: text } = privateKey('sk-ssh-ed25519@openssh.com');
  expect(sshKey(text, { touch: true }).demands).toEqual({ touch: true, verified: false });
  expect(sshKey(text, Object.create({ touch: true })).demands).toEqual({ touch: false, verified: false });
  for (const demands of [null, [], 'touch', { touch: 1 }, { touch: 'no' }, { tuch: true }]) {
    expect(() => sshKey(text, demands as never)).toThrow(TypeError);
  }
});

it('a curve or a point that does not fit the type is refused', () => {
  const { raw } = privateKey('ecdsa-sha2-nistp256');
  const type = 'ecdsa-sha2-nistp256';
  expect(refused(() => sshKey(line(type, keyBlob(type, raw, '', 'nistp384'))))).toMatch(/another curve/);
  const compressed = p256.Point.fromBytes(raw).toBytes(true);
  expect(refused(() => sshKey(line(type, keyBlob(type, compressed))))).toMatch(/has 33 bytes, not 65/);
  const off = Uint8Array.from(raw).with(64, raw[64]! ^ 1);
  expect(refused(() => sshKey(line(type, keyBlob(type, off))))).toMatch(/not a point of the curve/);
  expect(refused(() => sshKey(line(type, keyBlob(type, Buffer.of(0)))))).toMatch(/1 bytes, not 65/);
});

describe('Ed25519 keys: the verdict of Go on each, which is that of verifierKey', () => {
  const edges = readFileSync(new URL('../../kernel/curves/edges.jsonl', import.meta.url), 'utf8')
    .trimEnd()
    .split('\n')
    .map((text) => JSON.parse(text) as { readonly key: string; readonly safe: boolean });
  const keys = new Map(edges.map(({ key, safe }) => [key, safe]));
  it.each(['ssh-ed25519', 'sk-ssh-ed25519@openssh.com'])('%s', (type) => {
    expect([...keys.values()].filter((safe) => !safe).length).toBeGreaterThan(20);
    for (const [key, safe] of keys) {
      const text = line(type, keyBlob(type, Buffer.from(key, 'hex')));
      if (safe) expect(rawSshKey(sshKey(text))).toBe(key);
      else expect(refused(() => sshKey(text))).toMatch(/canonical encoding|small order|prime order|bytes, not 32/);
    }
  });
});

describe('the application of keys on hardware', () => {
  it.each(['ssh:', 'ssh:anna', 'ssh:a/b.c', `ssh:${'x'.repeat(251)}`])('%s is taken', (application) => {
    for (const type of TYPES.slice(2)) expect(sshKey(privateKey(type, 7, application).line).type).toBe(type);
  });
  // A browser lets the page of a host use a key with its name as application.
  it.each(['', 'ssh', 'SSH:', 'example.com', 'ssh:a b', 'ssh:é', ' ssh:', 'ssh:\n', `ssh:${'x'.repeat(252)}`])(
    '%j is refused',
    (application) => {
      for (const type of TYPES.slice(2)) {
        const blob = keyBlob(type, privateKey(type).raw, application);
        expect(refused(() => sshKey(line(type, blob)))).toMatch(/does not begin with "ssh:"/);
      }
    },
  );
});

describe('the keys of a line of the charter', () => {
  class Refused extends Error {}
  const refuse = (message: string): never => {
    throw new Refused(message);
  };
  const read = (text: string): readonly PartyKey[] => readPartyKeys(text === '' ? [] : text.split(' '), refuse);
  const vkey = newNoteKey('anna.example', { random: () => new Uint8Array(32).fill(3) }).verifierKey;
  const [ed, ec, skEd, skEc] = TYPES.map((type) => privateKey(type).line) as [string, string, string, string];

  it('are read in their order, with their demands', () => {
    const keys = read(
      `note ${vkey} ssh ${privateKey('ssh-ed25519', 9).line} ssh ${skEd} touch ssh ${skEc} touch verified ssh ${privateKey('ecdsa-sha2-nistp256', 9).line}`,
    );
    expect(keys.map((key) => key.kind)).toEqual(['note', 'ssh', 'ssh', 'ssh', 'ssh']);
    expect(keys.map((key) => (key.kind === 'ssh' ? key.ssh.demands : null))).toEqual([
      null,
      { touch: false, verified: false },
      { touch: true, verified: false },
      { touch: true, verified: true },
      { touch: false, verified: false },
    ]);
  });

  it('the raw key is that of the key alone, whatever name, format and demands', () => {
    const seed = new Uint8Array(32).fill(7);
    const note = newNoteKey('bela.example', { random: () => seed }).verifierKey;
    const raws = [`note ${note}`, `ssh ${ed}`, `ssh ${skEd} touch`].map((text) => read(text)[0]!.raw);
    expect(new Set(raws).size).toBe(1);
    expect(raws[0]).toBe(rawNoteKey(verifierKey(note)));
    expect(() => read(`note ${note} ssh ${ed}`)).toThrow(/one key twice/);
    expect(() => read(`ssh ${ed} ssh ${skEd}`)).toThrow(/one key twice/);
    expect(() => read(`ssh ${ec} ssh ${skEc}`)).toThrow(/one key twice/);
  });

  it.each([
    ['', /a key is missing/],
    ['note', /after `note`/],
    ['ssh', /after `ssh`/],
    ['ssh ssh-ed25519', /after `ssh`/],
    [ed, /a key is `note VKEY`/],
    [`ssh ${ed} touch`, /not on hardware/],
    [`ssh ${skEd} verified touch`, /a key is `note VKEY`/],
    [`ssh ${skEd} touch touch`, /a key is `note VKEY`/],
    [`ssh ${skEd} Touch`, /a key is `note VKEY`/],
    [`ssh ${ed} a-comment`, /a key is `note VKEY`/],
    [`note ${vkey} touch`, /a key is `note VKEY`/],
    ['note anna', /not a verifier key/],
    ['ssh ssh-rsa AAAA', /RSA and DSA/],
    ['ssh ssh-ed25519 AAAA', /another type/],
    [`note ${newNoteKey('w.example', { algorithm: 'cosignature/v1' }).verifierKey}`, /for cosignatures/],
  ])('%s', (text, words) => {
    expect(() => read(text)).toThrow(Refused);
    expect(() => read(text)).toThrow(words);
  });

  it('no message has a piece of the key', () => {
    for (const text of [`ssh ssh-ed25519 ${ed.split(' ')[1]!.slice(0, -4)}`, `note ${vkey.slice(0, -4)}`]) {
      try {
        read(text);
        expect.fail('the key was read');
      } catch (error) {
        expect((error as Error).message).not.toContain(text.split(' ').at(-1)!.slice(0, 12));
      }
    }
  });
});
