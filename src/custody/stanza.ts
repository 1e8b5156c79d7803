/**
 * The stanza of a key wrapper in an age file: `-> trefoil/kms-v1 URI`, and the wrapped file key as its body
 * (docs/spec/at-rest-v1.md, "The stanza of a wrapper"). It contains no address and no context, so the author of a file
 * cannot decide which host is called or what it is asked for.
 */

import { encodeBase64url } from '../core/base64.ts';
import { utf8 } from '../core/bytes.ts';
import { fail, TrefoilError } from '../errors.ts';
import type { AgeIdentity, AgeRecipient, AgeStanza } from './age.ts';
import { type CallOptions, MAX_WRAPPED, unwrapKey, wrapKey } from './calls.ts';
import type { KeyWrapper } from './wrapper.ts';

/** The type of the stanza. */
export const STANZA = 'trefoil/kms-v1';

/** The most stanzas of a key file. Each one may cost an identity a scalar multiplication. */
export const MAX_STANZAS = 64;

/** The highest work factor of scrypt: 2^20 rounds over 1 GiB. Each step more doubles both. */
const MAX_WORK_FACTOR = 20;

/** The argument that names a key. Equal names have equal arguments, so comparing these compares the names. */
const argumentOf = (uri: string): string => encodeBase64url(utf8(uri));

/** The recipient that seals a file key with a wrapper. */
export function wrapperRecipient(wrapper: KeyWrapper, options: CallOptions): AgeRecipient {
  return {
    async wrapFileKey(fileKey) {
      return [{ args: [STANZA, argumentOf(wrapper.uri)], body: await wrapKey(wrapper, fileKey, options) }];
    },
  };
}

/** The kinds of ways into a file, counted. */
export interface Ways {
  readonly passphrases: number;
  readonly wrappers: number;
  /** Recipients, and stanzas of kinds that this version does not know. */
  readonly recipients: number;
}

/** Counts the ways into a file. */
export function waysOf(stanzas: readonly AgeStanza[]): Ways {
  const passphrases = stanzas.filter(({ args }) => args[0] === 'scrypt').length;
  const wrappers = stanzas.filter(({ args }) => args[0] === STANZA).length;
  return { passphrases, wrappers, recipients: stanzas.length - passphrases - wrappers };
}

/**
 * Checks the stanzas of a file before any of them is tried.
 *
 * @throws TrefoilError `invalid_keyset` if there are too many, if a passphrase is not the only way in, if its work
 *   factor is too high, or if two stanzas are for one wrapper: then one start would make several calls.
 */
export function checkStanzas(stanzas: readonly AgeStanza[]): void {
  if (stanzas.length > MAX_STANZAS) refuse(`it has more than ${MAX_STANZAS} stanzas`);
  const names = new Set<string>();
  for (const { args, body } of stanzas) {
    if (args[0] === 'scrypt') {
      if (stanzas.length > 1) refuse('it has other ways in beside its passphrase, which age does not allow');
      if (!/^[1-9][0-9]{0,2}$/.test(args[2] ?? '') || Number(args[2]) > MAX_WORK_FACTOR) {
        refuse(`the work factor of its passphrase is not a number from 1 to ${MAX_WORK_FACTOR}`);
      }
    }
    if (args[0] !== STANZA) continue;
    if (args.length !== 2) refuse('a stanza of a key wrapper has another number of arguments than one');
    if (body.length === 0 || body.length > MAX_WRAPPED) {
      refuse(`a stanza of a key wrapper is empty, or has more than ${MAX_WRAPPED} bytes`);
    }
    if (names.has(args[1]!)) refuse('it has two stanzas of one key wrapper');
    names.add(args[1]!);
  }
}

function refuse(reason: string): never {
  return fail('invalid_keyset', `the sealed key file cannot be opened: ${reason}`);
}

/**
 * The identity that opens a file key with a wrapper. It asks the wrapper only if the file has a stanza of exactly its
 * name. If the wrapper fails, another way into the file may still work, so the error is passed to `onFailure`.
 */
export function wrapperIdentity(
  wrapper: KeyWrapper,
  options: CallOptions,
  onFailure: (error: TrefoilError) => void,
): AgeIdentity {
  return {
    async unwrapFileKey(stanzas) {
      const own = stanzas.find(({ args }) => args[0] === STANZA && args[1] === argumentOf(wrapper.uri));
      if (own === undefined) return null;
      try {
        return await unwrapKey(wrapper, own.body, options);
      } catch (error) {
        if (!(error instanceof TrefoilError)) throw error;
        onFailure(error);
        return null;
      }
    },
  };
}
