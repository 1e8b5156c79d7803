/** The real command `age`, and what the tests of sealed key files begin with. */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as age from 'age-encryption';
import { keyset } from '../../src/keys.ts';
import { secretAccess } from '../../src/reveal.ts';

/** Whether the commands `age` and `age-keygen` are installed. Without them tests are skipped, but fail in CI. */
export const HAS_AGE: boolean = spawnSync('age', ['--version']).status === 0;
if (!HAS_AGE && process.env.CI) throw new Error('the command age is missing: apt-get install age');

/** A folder with an identity of `age-keygen`. */
export interface AgePlace {
  readonly identity: string;
  readonly recipient: string;
  /** Encrypts a text with the command. */
  readonly encrypt: (text: string, ...args: readonly string[]) => Buffer;
  /** Decrypts a file with the command and the identity. */
  readonly decrypt: (file: Uint8Array | string, identity?: string) => string;
  readonly remove: () => void;
}

/** Makes the folder. */
export function makeAgePlace(): AgePlace {
  const folder = mkdtempSync(join(tmpdir(), 'trefoil-age-'));
  const text = execFileSync('age-keygen', { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
  const identity = /AGE-SECRET-KEY-1\S+/.exec(text)![0];
  const recipient = /age1\S+/.exec(text)![0];
  return {
    identity,
    recipient,
    encrypt: (content, ...args) =>
      execFileSync('age', ['-e', ...(args.length === 0 ? ['-r', recipient] : args)], { input: content }),
    decrypt(file, with_ = identity) {
      writeFileSync(join(folder, 'identity.txt'), `# a comment\n${with_}\n`);
      const args = ['-d', '-i', join(folder, 'identity.txt')];
      return execFileSync('age', args, { input: file, encoding: 'utf8', stdio: ['pipe', 'pipe', 'ignore'] });
    },
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

/** A new keyset as JSON text. */
export const newKeyset = (): string => keyset.generate().export(secretAccess);

/** A new identity of the package, with its recipient. */
export async function newIdentity(): Promise<{ readonly identity: string; readonly recipient: string }> {
  const identity = await age.generateIdentity();
  return { identity, recipient: await age.identityToRecipient(identity) };
}
