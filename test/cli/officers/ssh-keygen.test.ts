/** Signing with the real `ssh-keygen`, and what happens if there is none or if it fails. */
import { execFileSync } from 'node:child_process';
import { chmodSync, copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { sshKeygenSigner, sshPublicKeyOf } from '../../../src/cli/officers/ssh-keygen.ts';
import { TrefoilError } from '../../../src/errors.ts';
import { type PartyKey, readPartyKeys } from '../../../src/govern/officers/party-key.ts';
import { addSignature, signaturesOf } from '../../../src/govern/officers/signatures.ts';
import { sshKeyText } from '../../../src/govern/officers/ssh-key.ts';
import { armour, hasSshKeygen, privateKey, sshsig } from '../../govern/officers/sshsig.ts';

const TEXT = 'trefoil warrant v1\nid 7x2k9q0m4d8r5t1w3y6b8c0f2h\n';
const NAMESPACE = 'warrant@trefoil';
const PATH = process.env.PATH!;
const throwing = (message: string): never => {
  throw new Error(message);
};
const partiesOf = (handle: string, line: string): ReadonlyMap<string, readonly PartyKey[]> =>
  new Map([[handle, readPartyKeys(['ssh', ...line.trimEnd().split(' ').slice(0, 2)], throwing)]]);

/** The code and message of the error. */
async function failed(run: Promise<unknown>): Promise<string> {
  try {
    await run;
  } catch (error) {
    if (!(error instanceof TrefoilError)) throw error;
    expect(error.issues[0]!.file).toBeDefined();
    return `${error.code}: ${error.issues[0]!.message}`;
  }
  return 'nothing';
}

let folder: string;
const at = (name: string): string => join(folder, name);
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'trefoil-keygen-'));
});
afterAll(() => rmSync(folder, { recursive: true }));
afterEach(() => {
  process.env.PATH = PATH;
  for (const name of ['SSH_ASKPASS', 'SSH_ASKPASS_REQUIRE']) delete process.env[name];
});

/** A program by the name of ssh-keygen, first in PATH. */
function fake(script: string): void {
  const program = at('ssh-keygen');
  writeFileSync(program, `#!/bin/sh\n${script}\n`);
  chmodSync(program, 0o755);
  process.env.PATH = `${folder}:${PATH}`;
}

describe.skipIf(!hasSshKeygen()).each([
  ['ed25519', []],
  ['ecdsa', ['-b', '256']],
])('a key of ssh-keygen -t %s', (type, more) => {
  const make = (name: string, passphrase = '') => {
    execFileSync('ssh-keygen', ['-q', '-t', type, ...more, '-N', passphrase, '-C', 'a comment', '-f', at(name)]);
    return readFileSync(at(`${name}.pub`), 'utf8');
  };

  it('signs, with its public key beside it or without', async () => {
    const line = make(`${type}-a`);
    const parties = partiesOf('anna', line);
    for (const pass of [1, 2]) {
      const signer = await sshKeygenSigner(at(`${type}-a`), parties);
      expect(signer.handle).toBe('anna');
      const note = addSignature(TEXT, await signer.sign(TEXT, NAMESPACE));
      expect([...signaturesOf(note, parties, NAMESPACE).by.keys()]).toEqual(['anna']);
      if (pass === 1) rmSync(at(`${type}-a.pub`));
    }
  });

  it('that is of no officer is refused before anything is signed', async () => {
    make(`${type}-b`);
    const parties = partiesOf('anna', privateKey('ssh-ed25519').line);
    expect(await failed(sshKeygenSigner(at(`${type}-b`), parties))).toMatch(/^not_in_charter: /);
    // The same public key, in the charter as another type.
    const twin = privateKey('sk-ssh-ed25519@openssh.com');
    writeFileSync(at('twin.pub'), privateKey('ssh-ed25519').line);
    const other = await sshKeygenSigner(at('twin.pub'), partiesOf('anna', twin.line));
    fake(`cat ${at('made')}`);
    writeFileSync(at('made'), armour(sshsig(privateKey('ssh-ed25519'), TEXT, NAMESPACE)));
    expect(await failed(other.sign(TEXT, NAMESPACE).catch(withFile))).toMatch(/^ssh_signature_invalid: /);
  });

  it('beside another public key makes no signature', async () => {
    const line = make(`${type}-c`);
    const other = make(`${type}-d`);
    copyFileSync(at(`${type}-d.pub`), at(`${type}-c.pub`));
    expect(line).not.toBe(other);
    const signer = await sshKeygenSigner(at(`${type}-c`), partiesOf('anna', other));
    expect(await failed(signer.sign(TEXT, NAMESPACE).catch(withFile))).toMatch(/signature_invalid: |io_failed: /);
  });

  it('with a passphrase is asked for it by ssh-keygen itself', async () => {
    const parties = partiesOf('anna', make(`${type}-e`, 'a long passphrase'));
    const signer = await sshKeygenSigner(at(`${type}-e`), parties);
    // Whoever runs this may have a terminal; the variable has the question go elsewhere.
    process.env.SSH_ASKPASS_REQUIRE = 'force';
    process.env.SSH_ASKPASS = at('askpass');
    const answer = (text: string) => {
      writeFileSync(at('askpass'), `#!/bin/sh\necho '${text}'\n`);
      chmodSync(at('askpass'), 0o755);
    };
    answer('a long passphrase');
    const note = addSignature(TEXT, await signer.sign(TEXT, NAMESPACE));
    expect(signaturesOf(note, parties, NAMESPACE).by.size).toBe(1);
    answer('another passphrase');
    expect(await failed(signer.sign(TEXT, NAMESPACE))).toBe(
      'io_failed: ssh-keygen has failed; its own message says why',
    );
  });
});

describe('ssh-keygen', () => {
  const key = privateKey('ssh-ed25519');
  const signer = async () => {
    writeFileSync(at('fake.pub'), `${key.line} a comment\n`);
    return sshKeygenSigner(at('fake.pub'), partiesOf('anna', key.line));
  };

  it('that is not installed is named', async () => {
    const made = await signer();
    process.env.PATH = at('nowhere');
    expect(await failed(made.sign(TEXT, NAMESPACE))).toBe(
      'io_failed: ssh-keygen, which signs with keys of OpenSSH, was not found; install OpenSSH',
    );
  });

  it('gets the text on standard input, and the namespace', async () => {
    const made = await signer();
    writeFileSync(at('made'), armour(sshsig(key, TEXT, NAMESPACE)));
    fake(`cat > ${at('input')}; echo "$@" > ${at('arguments')}; cat ${at('made')}`);
    await made.sign(TEXT, NAMESPACE);
    expect(readFileSync(at('input'), 'utf8')).toBe(TEXT);
    expect(readFileSync(at('arguments'), 'utf8')).toBe(`-q -Y sign -f ${at('fake.pub')} -n ${NAMESPACE}\n`);
  });

  it.each([
    ['fails', 'exit 3', /^io_failed: ssh-keygen has failed/],
    ['is killed', 'kill -9 $$', /^io_failed: ssh-keygen has failed/],
    ['writes nothing', 'cat > /dev/null', /^ssh_signature_invalid: the text is not an SSH signature/],
    ['writes something else', 'echo Signing; cat', /^ssh_signature_invalid: the text is not an SSH signature/],
    ['writes without end', 'head -c 100000 /dev/zero', /^io_failed: ssh-keygen has failed/],
    ['does not read', 'exec < /dev/null; exit 1', /^io_failed: ssh-keygen has failed/],
  ])('that %s makes no signature', async (_, script, words) => {
    const made = await signer();
    fake(script);
    expect(await failed(made.sign(TEXT, NAMESPACE).catch(withFile))).toMatch(words);
  });
});

describe('the public key of a path', () => {
  it('is that of the .pub file, or that beside the private key', async () => {
    const { line } = privateKey('sk-ecdsa-sha2-nistp256@openssh.com');
    writeFileSync(at('sk'), 'a handle to hardware');
    writeFileSync(at('sk.pub'), `${line} anna@laptop\r\n`);
    for (const path of ['sk', 'sk.pub']) expect(sshKeyText(await sshPublicKeyOf(at(path)))).toBe(line);
  });

  it.each([
    ['missing.pub', null, /^io_failed: the public key cannot be read/],
    ['missing', null, /^io_failed: the key cannot be read/],
    ['rsa.pub', 'ssh-rsa AAAA anna@laptop', /^ssh_key_invalid: keys of RSA and DSA/],
    ['empty.pub', '', /^ssh_key_invalid: /],
    ['long.pub', 'x'.repeat(20_000), /^ssh_key_invalid: the public key is longer/],
  ])('%s', async (name, text, words) => {
    if (text !== null) writeFileSync(at(name), text);
    expect(await failed(sshPublicKeyOf(at(name)))).toMatch(words);
  });
});

/** Errors of signatures have no file. */
function withFile(error: unknown): never {
  if (!(error instanceof TrefoilError)) throw error;
  throw new TrefoilError(error.issues.map((issue) => ({ file: 'none', ...issue })));
}
