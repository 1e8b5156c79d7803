/// <reference types="node" />
/**
 * Signing with a key of OpenSSH. The private key stays with `ssh-keygen`, an agent or hardware: `ssh-keygen -Y sign`
 * gets the text on standard input and writes the signature to standard output, so there are no files in between. It
 * asks for a passphrase, a PIN or a touch on the terminal by itself.
 */

import { spawn } from 'node:child_process';
import { access } from 'node:fs/promises';
import { fail, TrefoilError } from '../../errors.ts';
import { errorCode, systemError } from '../../files/system-error.ts';
import type { PartyKey } from '../../govern/officers/party-key.ts';
import { type PartySigner, sshPartySigner } from '../../govern/officers/party-signer.ts';
import { partyOf } from '../../govern/officers/signatures.ts';
import { rawSshKey, type SshKey, sshKey } from '../../govern/officers/ssh-key.ts';
import { readSmallFile } from '../policy-file.ts';

const PROGRAM = 'ssh-keygen';

/** The most bytes of what is read: an armoured signature has about 600, a `.pub` file a comment of any length. */
const MOST_BYTES = 16_384;

/**
 * Makes a signer that runs `ssh-keygen -Y sign`. Its lines have the handle that the charter has for the key, and its
 * signatures show what the charter demands of the key.
 *
 * @param path a private key of OpenSSH, or a `.pub` file whose private key an agent has.
 * @param parties the keys of each officer by its handle.
 * @throws TrefoilError `not_in_charter` if the key is of no officer; `ssh_key_invalid`; `io_failed`.
 */
export async function sshKeygenSigner(
  path: string,
  parties: ReadonlyMap<string, readonly PartyKey[]>,
): Promise<PartySigner> {
  const given = await sshPublicKeyOf(path);
  const party = partyOf(parties, { kind: 'ssh', ssh: given, raw: rawSshKey(given) });
  if (party === null || party.key.kind !== 'ssh') {
    const words = 'the charter has no officer with this key of OpenSSH; compare the .pub file with the charter';
    return fail('not_in_charter', words, { file: path });
  }
  return sshPartySigner(party.handle, party.key.ssh, (message, namespace) =>
    run(['-q', '-Y', 'sign', '-f', path, '-n', namespace], message, path),
  );
}

/**
 * The public key of a path: of a `.pub` file, of the one beside a private key, or else of the private key itself, for
 * which `ssh-keygen -y` may ask for the passphrase.
 *
 * @throws TrefoilError `ssh_key_invalid`, `io_failed`.
 */
export async function sshPublicKeyOf(path: string): Promise<SshKey> {
  if (path.endsWith('.pub')) return readPublicKey(path);
  try {
    await access(path);
  } catch (error) {
    throw systemError(error, 'the key cannot be read', path);
  }
  const beside = `${path}.pub`;
  const isBeside = await access(beside).then(
    () => true,
    () => false,
  );
  return isBeside ? readPublicKey(beside) : sshKey(await run(['-y', '-f', path], null, path));
}

function readPublicKey(path: string): Promise<SshKey> {
  return readSmallFile(path, MOST_BYTES, 'the public key', 'ssh_key_invalid', (text) => sshKey(text));
}

/**
 * Runs `ssh-keygen`. What it says and asks goes to the terminal and to standard error.
 *
 * @param input its standard input; `null` if it gets none.
 * @returns its standard output.
 */
function run(args: readonly string[], input: Uint8Array | null, file: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(PROGRAM, args, { stdio: [input === null ? 'ignore' : 'pipe', 'pipe', 'inherit'] });
    const parts: Buffer[] = [];
    let length = 0;
    child.stdout?.on('data', (part: Buffer) => {
      length += part.length;
      if (length <= MOST_BYTES) parts.push(part);
    });
    child.on('error', (error) => reject(cannotRun(error)));
    child.on('close', (code) => {
      if (code === 0 && length <= MOST_BYTES) resolve(Buffer.concat(parts).toString('latin1'));
      else reject(failed(`${PROGRAM} has failed; its own message says why`, file));
    });
    // A program that ends before it has read its input is judged by its exit code.
    child.stdin?.on('error', () => undefined);
    child.stdin?.end(input);
  });
}

function cannotRun(error: unknown): unknown {
  if (errorCode(error) !== 'ENOENT') return systemError(error, 'cannot be started', PROGRAM);
  return failed(`${PROGRAM}, which signs with keys of OpenSSH, was not found; install OpenSSH`, PROGRAM);
}

function failed(message: string, file: string): TrefoilError {
  return new TrefoilError([{ code: 'io_failed', message, file }]);
}
