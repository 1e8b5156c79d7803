/** What signs charters and warrants for an officer: a note key in this process, or a key of OpenSSH in another. */

import { encodeBase64 } from '../../core/base64.ts';
import { concat, utf8 } from '../../core/bytes.ts';
import { badRange, badType, NAME_PATTERN } from '../../core/checks.ts';
import { fail } from '../../errors.ts';
import { DASH } from '../../note/parse.ts';
import { signNote } from '../../note/sign.ts';
import { noteSigner } from '../../note/signer.ts';
import { verifierKey } from '../../note/verifier.ts';
import { checkNamespace, type SshNamespace } from './namespace.ts';
import { type PartyKey, rawNoteKey } from './party-key.ts';
import { checkShort, sshKeyHash } from './signatures.ts';
import { rawSshKey, type SshKey, sshCheckOf, sshKey } from './ssh-key.ts';
import { checkSshSignature, unarmoured } from './ssh-signature.ts';

/** What signs for an officer. */
export interface PartySigner {
  /** The handle that its lines have; `null` for a note key, whose lines have the name of the key. */
  readonly handle: string | null;
  readonly key: PartyKey;
  /**
   * Signs a text and returns the signature line with its line feed. The signature was verified.
   *
   * @param text at most 32,768 bytes without empty lines. Its first line must be that of the namespace.
   * @throws TrefoilError `note_invalid` for another text; `signature_invalid` or `ssh_signature_invalid` if what signs
   *   returned something else than its signature.
   */
  readonly sign: (text: string, namespace: SshNamespace) => Promise<string>;
}

/** Signs the bytes of a text with a key of OpenSSH. Returns an SSHSIG, as bytes or in its armour. */
export type SshSign = (message: Uint8Array, namespace: SshNamespace) => Promise<Uint8Array | string>;

/**
 * Makes a signer from the private key of a note key.
 *
 * @param privateKey the text that `trefoil officer new` or `newNoteKey` made.
 * @throws TrefoilError `note_key_invalid`.
 *
 * @example
 * ```ts
 * import { addSignature, notePartySigner } from 'trefoil/govern';
 * import { newNoteKey } from 'trefoil/log';
 *
 * const eva = notePartySigner(newNoteKey('eva.example').privateKey);
 * const text = 'trefoil clock v1\ndomain eu-enclave\nat 2026-11-30T20:00:00Z\nwhy the clock was set\n';
 * const note = addSignature(text, await eva.sign(text, 'clock@trefoil'));
 * note.includes('— eva.example '); // → true
 * ```
 */
export function notePartySigner(privateKey: string): PartySigner {
  const signer = noteSigner(privateKey);
  const verifier = verifierKey(signer.verifierKey);
  return Object.freeze({
    handle: null,
    key: Object.freeze({ kind: 'note' as const, verifier, raw: rawNoteKey(verifier) }),
    sign: async (text: string, namespace: SshNamespace) => {
      checkText(text, namespace);
      const note = await signNote(text, [signer]);
      return note.slice(text.length + 1);
    },
  });
}

/**
 * Makes a signer from a key of OpenSSH, whose private key is elsewhere: in an agent, on hardware, or in a file that
 * `ssh-keygen` reads.
 *
 * @param handle the officer's handle in the charter. The lines have it as their name.
 * @param publicKey the key of the charter, or the line of a `.pub` file. Of the first, the demands are checked as well.
 * @param sign gets the bytes of the text and the namespace, and returns the SSH signature of both. An error that it
 *   throws passes through.
 * @throws TrefoilError `ssh_key_invalid`.
 * @throws TypeError, RangeError for a wrong argument.
 *
 * @example
 * ```ts
 * import { spawnSync } from 'node:child_process';
 * import { sshPartySigner } from 'trefoil/govern';
 *
 * const line = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAILMXhLvGk+CLoG+U4S5/BeH4CNfBMty4RrHac2G3bsE1';
 * const anna = sshPartySigner('anna', line, async (input, namespace) => {
 *   const args = ['-Y', 'sign', '-f', '/home/anna/.ssh/id_ed25519', '-n', namespace];
 *   return spawnSync('ssh-keygen', args, { input, encoding: 'utf8' }).stdout;
 * });
 * anna.handle; // → 'anna'
 * ```
 */
export function sshPartySigner(handle: string, publicKey: string | SshKey, sign: SshSign): PartySigner {
  if (typeof handle !== 'string' || !NAME_PATTERN.test(handle)) badRange('handle', 'expected a handle of a charter');
  if (typeof sign !== 'function') badType('sign', 'expected a function');
  const ssh = typeof publicKey === 'string' ? sshKey(publicKey) : publicKey;
  if (sshCheckOf(ssh) === null) badType('publicKey', 'expected a key that sshKey made, or the line of a .pub file');
  return Object.freeze({
    handle,
    key: Object.freeze({ kind: 'ssh' as const, ssh, raw: rawSshKey(ssh) }),
    sign: async (text: string, namespace: SshNamespace) => {
      checkText(text, namespace);
      const made: unknown = await sign(utf8(text), namespace);
      const blob = typeof made === 'string' ? unarmoured(made) : made;
      if (!(blob instanceof Uint8Array)) fail('ssh_signature_invalid', 'what signs returned no SSH signature');
      checkSshSignature(ssh, namespace, utf8(text), blob);
      return `${DASH}${handle} ${encodeBase64(concat([sshKeyHash(handle, ssh.blob), blob]))}\n`;
    },
  });
}

/** Checks what is to be signed, before a person is asked for a touch. */
function checkText(text: string, namespace: SshNamespace): void {
  if (typeof text !== 'string') badType('text', 'expected text');
  if (!text.isWellFormed()) fail('note_invalid', 'the text holds half of a surrogate pair');
  checkNamespace(checkShort(text), namespace);
}
