/** SSH signatures against the real `ssh-keygen`: what it signs is accepted, and what is accepted it verifies. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { PartyKey, SshNamespace } from '../../../src/govern/officers/party-key.ts';
import { readPartyKeys } from '../../../src/govern/officers/party-key.ts';
import { sshPartySigner } from '../../../src/govern/officers/party-signer.ts';
import { addSignature, signaturesOf } from '../../../src/govern/officers/signatures.ts';

const TEXT = 'trefoil warrant v1\nid 7x2k9q0m4d8r5t1w3y6b8c0f2h\n';
const throwing = (message: string): never => {
  throw new Error(message);
};

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'trefoil-ssh-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

describe.each([
  ['ed25519', []],
  ['ecdsa', ['-b', '256']],
])('%s', (type, more) => {
  it('signs', async () => {
    const path = join(folder, type);
    execFileSync('ssh-keygen', ['-q', '-t', type, ...more, '-N', '', '-C', 'a comment', '-f', path]);
    const line = readFileSync(`${path}.pub`, 'utf8');
    const sign = async (message: Uint8Array, namespace: SshNamespace) =>
      execFileSync('ssh-keygen', ['-q', '-Y', 'sign', '-f', path, '-n', namespace], {
        input: message,
        encoding: 'utf8',
      });
    const signer = sshPartySigner('anna', line, sign);
    const note = addSignature(TEXT, await signer.sign(TEXT, 'warrant@trefoil'));
    const keys = readPartyKeys(['ssh', ...line.split(' ').slice(0, 2)], throwing);
    const parties = new Map<string, readonly PartyKey[]>([['anna', keys]]);
    const { text, by, unknown } = signaturesOf(note, parties, 'warrant@trefoil');
    expect(text).toBe(TEXT);
    expect([...by.keys()]).toEqual(['anna']);
    expect(unknown).toBe(0);
    writeFileSync(join(folder, 'x'), note);
  });
});
