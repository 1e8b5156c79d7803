/** A public key of an officer: one of signed notes, or one of OpenSSH. */

import { writeHex } from '../../core/hex.ts';
import { TrefoilError } from '../../errors.ts';
import { readParts, type Verifier, verifierKey } from '../../note/verifier.ts';
import { rawSshKey, readSshKey, type SshKey } from './ssh-key.ts';

export type { SshNamespace } from './namespace.ts';
export type { SshDemands, SshKey } from './ssh-key.ts';

/** A key of an officer. */
export type PartyKey =
  | { readonly kind: 'note'; readonly verifier: Verifier; readonly raw: string }
  | { readonly kind: 'ssh'; readonly ssh: SshKey; readonly raw: string };
// `raw` is the bare public key in hexadecimal digits, without name and format. A charter has each at most once.

/**
 * Reads the keys of one person, as the words of a charter's line have them: `note VKEY`, or
 * `ssh TYPE BASE64 [touch] [verified]`, one after another.
 *
 * @param refuse throws the error of the caller. Its message names no key.
 */
export function readPartyKeys(items: readonly string[], refuse: (message: string) => never): readonly PartyKey[] {
  const keys: PartyKey[] = [];
  let at = 0;
  while (at < items.length) {
    const word = items[at];
    if (word === 'note') {
      keys.push(readNoteKey(items[at + 1], refuse));
      at += 2;
    } else if (word === 'ssh') {
      const [, type, base64, ...rest] = items.slice(at, at + 5);
      const touch = rest[0] === 'touch';
      const verified = rest[touch ? 1 : 0] === 'verified';
      const key = readWords(type, base64, { touch, verified }, refuse);
      keys.push({ kind: 'ssh', ssh: key, raw: rawSshKey(key) });
      at += 3 + Number(touch) + Number(verified);
    } else {
      refuse('a key is `note VKEY` or `ssh TYPE BASE64`, followed by `touch`, `verified`, both or neither');
    }
  }
  if (keys.length === 0) refuse('a key is missing: `note VKEY` or `ssh TYPE BASE64`');
  if (new Set(keys.map(({ raw }) => raw)).size !== keys.length) refuse('the line has one key twice');
  return keys;
}

/**
 * Reads a verifier key as a key of a party.
 *
 * @param refuse throws the error of the caller.
 */
export function readNoteKey(
  vkey: string | undefined,
  refuse: (message: string) => never,
): Extract<PartyKey, { kind: 'note' }> {
  if (vkey === undefined) return refuse('after `note` the verifier key is missing');
  const verifier = orRefuse(() => verifierKey(vkey), refuse);
  if (verifier.algorithm !== 'ed25519') {
    refuse('the verifier key is for cosignatures of checkpoints, and signs no other notes');
  }
  return { kind: 'note', verifier, raw: rawNoteKey(verifier) };
}

/** The bare public key of a verifier in hexadecimal digits, without name and type. */
export function rawNoteKey(verifier: Verifier): string {
  const [, , typed] = readParts(verifier.text, 'verifier key');
  return writeHex(typed.subarray(1));
}

function readWords(
  type: string | undefined,
  base64: string | undefined,
  demands: SshKey['demands'],
  refuse: (message: string) => never,
): SshKey {
  if (type === undefined || base64 === undefined)
    return refuse('after `ssh` the type and the base64 of a key are missing');
  return orRefuse(() => readSshKey(type, base64, demands), refuse);
}

/** Runs a reader of keys, and passes the words of its error on. */
function orRefuse<Result>(read: () => Result, refuse: (message: string) => never): Result {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof TrefoilError)) throw error;
    return refuse(error.issues[0]!.message);
  }
}
