/** The vectors and commands of docs/spec/govern/officer-signature-v1.md. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readPartyKeys } from '../../../src/govern/officers/party-key.ts';
import { signaturesOf, sshKeyHash } from '../../../src/govern/officers/signatures.ts';
import { sshKey } from '../../../src/govern/officers/ssh-key.ts';
import { hex } from '../../helpers/hex.ts';
import { hasSshKeygen, sha256, signedMessage, TYPES, uint32 } from './sshsig.ts';

const PAGE = readFileSync(new URL('../../../docs/spec/govern/officer-signature-v1.md', import.meta.url), 'utf8');
const VECTORS = PAGE.slice(PAGE.indexOf('## Vectors'));
const bytesOf = (name: string): Buffer =>
  Buffer.from(
    VECTORS.split('\n')
      .find((row) => row.startsWith(`| ${name} | `))!
      .split('`')[1]!,
    'hex',
  );
const TEXT = bytesOf('text').toString();
const ROWS = [...VECTORS.matchAll(/^\| `(\S+ \S+)` \| `([0-9a-f]{8})` \| `(— bela \S+)` \|$/gm)].map(
  ([, key, hash, line]) => ({ key: key!, hash: hash!, line: line! }),
);

it('has a vector of each type', () => {
  expect(ROWS.map(({ key }) => key.split(' ')[0])).toEqual(TYPES);
});

it('M and what hardware signs are as the page says', () => {
  const message = signedMessage(TEXT, 'warrant@trefoil', 'sha512');
  expect(bytesOf('*M*')).toEqual(message);
  const hardware = Buffer.concat([sha256('ssh:'), Buffer.of(5), uint32(0x01020304), sha256(message)]);
  expect(bytesOf('what hardware signs')).toEqual(hardware);
});

describe.each(ROWS)('$key', ({ key, hash, line }) => {
  it('has the hash and the signature of the page', () => {
    expect(hex(sshKeyHash('bela', sshKey(key).blob))).toBe(hash);
    const demands = key.startsWith('sk-') ? ['touch', 'verified'] : [];
    const keys = readPartyKeys(['ssh', ...key.split(' '), ...demands], (message) => expect.fail(message));
    const { by } = signaturesOf(`${TEXT}\n${line}\n`, new Map([['bela', keys]]), 'warrant@trefoil');
    expect(by.get('bela')).toEqual([{ key: keys[0], line }]);
  });

  it.skipIf(!hasSshKeygen())('verifies with the commands of the page', () => {
    const folder = mkdtempSync(join(tmpdir(), 'trefoil-spec-'));
    try {
      writeFileSync(join(folder, 'warrant.note'), `${TEXT}\n${line}\n`);
      const commands = [...PAGE.matchAll(/^\$ (.+)$/gm)].map(([, command]) => command!);
      expect(commands.length).toBe(5);
      const script = commands.join('\n').replace(/'bela sk-ssh-ed25519@openssh\.com AAAA…'/, `'bela ${key}'`);
      const out = execFileSync('bash', ['-e'], { cwd: folder, input: script, encoding: 'utf8' });
      expect(out).toMatch(/^Good "warrant@trefoil" signature for bela with /);
      expect(readFileSync(join(folder, 'warrant.txt'), 'utf8')).toBe(TEXT);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
