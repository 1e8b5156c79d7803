/**
 * Frozen: the request for a use, which test/reference/generators/request-vectors.py has written with hashlib and
 * OpenSSL. docs/spec/govern/request-v1.md has it, too. If it changed, digests in logs would be of texts that nobody can
 * make.
 */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { signRequest } from '../../src/govern/access/request.ts';
import type { VerifiedWarrant } from '../../src/govern/warrant/verify.ts';
import { noteSigner, verifierKey } from '../../src/log.ts';

const page = readFileSync(new URL('../../docs/spec/govern/request-v1.md', import.meta.url), 'utf8');
const program = fileURLToPath(new URL('../reference/generators/request-vectors.py', import.meta.url));
const sha256 = (text: string): Buffer => createHash('sha256').update(text).digest();

const PRIVATE = 'PRIVATE+KEY+chris-desk.example+2bfc681e+ATg7fNNBEc7qLcKPqWbwoC0Ndi7Di/VpfJsxD/vv3zdo';
const DIGEST = '0bfbfa6be13c35a370ae49e8515fbcd0d0e9a2bf6c21e14a351b3dc8d591b8cc';
const NOTE = `trefoil request v1
warrant sha256:41a53a533bb56f2a641329b791db1b0cb3f22413ae4efde5b06b5e2dff84ebd3
desk chris-desk
verb reveal
values seal:person.name 3
values vault:people/person.phone 1
at 2026-11-30T20:30:00Z
nonce st1yg6xyxbdej92mqkawm6s6j8

— chris-desk.example K/xoHqfdhRg6mN5fPcWM2OX14t4RJ2JTOV1WdGSQCUnGlPyiJPSSsSNSduw8GztQ/ElggGyoX88CbzJKAJB/CioU4ws=
`;

describe('request-v1', () => {
  test('is the text of the page, signed by the desk', async () => {
    const desk = noteSigner(PRIVATE);
    const warrant = {
      sha256: sha256('the warrant of request-v1').toString('hex'),
      warrant: { verb: 'reveal' },
      desk: { handle: 'chris-desk', of: 'chris', key: verifierKey(desk.verifierKey) },
    } as unknown as VerifiedWarrant;
    const scopes = new Map([
      ['vault:people/person.phone', 1],
      ['seal:person.name', 3],
    ]);
    const nonce = new Uint8Array(sha256('the nonce of request-v1').subarray(0, 16));
    const now = Date.parse('2026-11-30T20:30:00Z') / 1000;
    const made = await signRequest({ warrant, scopes, now, nonce }, desk);
    expect(made).toEqual({ note: NOTE, sha256: DIGEST });
    expect(page).toContain(`\`\`\`text\n${NOTE}\`\`\``);
    expect(page).toContain(`| SHA-256 of the text | \`${DIGEST}\` |`);
    expect(page).toContain(`| verifier key of the desk | \`${desk.verifierKey}\` |`);
  });

  const hasPython = (): boolean => {
    try {
      execFileSync('python3', ['-c', 'import cryptography'], { stdio: 'ignore' });
      return true;
    } catch {
      return false;
    }
  };

  test.skipIf(!hasPython())('is what the program in Python writes', () => {
    const run = (what: string): string => execFileSync('python3', [program, what], { encoding: 'utf8' });
    expect(run('note')).toBe(NOTE);
    expect(run('sha256').trim()).toBe(DIGEST);
  });
});
