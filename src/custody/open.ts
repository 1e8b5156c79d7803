/** Opening an age file that contains a keyset (docs/spec/at-rest-v1.md). */

import { badRange, badType, checkOptions, typeName } from '../core/checks.ts';
import { fail, TrefoilError } from '../errors.ts';
import { type AgeIdentity, type AgeModule, type AgeStanza, fileKind, MAX_FILE } from './age.ts';
import { forgetLastMatch, withoutStack } from './calls.ts';
import { COMMON, type Common, type CustodyOptions, checkCommon, checkList } from './seal.ts';
import { checkStanzas, type Ways, waysOf, wrapperIdentity } from './stanza.ts';

/** Options of {@link openKeyFile}. At least one of `identities`, `passphrase` and `wrappers` must be set. */
export interface OpenKeyFileOptions extends CustodyOptions {
  /** Identities of age: `AGE-SECRET-KEY-1…`, or objects with `unwrapFileKey`. */
  readonly identities?: readonly (string | AgeIdentity)[];
}

/**
 * Opens a sealed key file. The identities are tried first, then the passphrase, then the wrappers, each of which makes
 * at most one successful call. A wrapper is asked only if the file names exactly its `uri`; no address, project or
 * context is read from the file.
 *
 * @param file bytes, or the text of an armoured file; at most 1 MiB.
 * @returns the JSON text of the keyset, for `keyset.parse`.
 * @throws TrefoilError `key_not_sealed` if the file is plain JSON; `invalid_keyset` if it is damaged, or is not an age
 *   file; `key_refused` if nothing that was passed opens it; and, of a KMS, `key_refused`, `key_unavailable`,
 *   `key_answer_broken`.
 * @throws TypeError, RangeError for options that do not fit.
 *
 * @example
 * ```ts
 * // not run: needs a server of Vault
 * import { readFile } from 'node:fs/promises';
 * import * as age from 'age-encryption';
 * import { openKeyFile, vaultTransit } from 'trefoil/custody';
 * import { keyset } from 'trefoil/keys';
 *
 * const wrapper = vaultTransit({ address: 'https://vault.example:8200', key: 'trefoil', token: '…' });
 * const text = await openKeyFile(await readFile('keys.age'), { age, wrappers: [wrapper], name: 'production' });
 * const keys = keyset.parse(text).domain('eu-enclave');
 * ```
 */
export async function openKeyFile(file: Uint8Array | string, options: OpenKeyFileOptions): Promise<string> {
  const checked = checkOptions<OpenKeyFileOptions>('options', options, [...COMMON, 'identities']);
  const common = checkCommon(checked);
  const identities = checkIdentities(checked.identities ?? []);
  if (identities.length + common.wrappers.length === 0 && common.passphrase === undefined) {
    badRange('options', 'expected identities, wrappers or a passphrase');
  }
  const bytes = readEnvelope(file, common.age);
  const payload = await decrypt(bytes, identities, common, checked.signal);
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(payload);
  } catch {
    return fail('invalid_keyset', 'the sealed key file does not contain UTF-8, so it is not a keyset');
  } finally {
    payload.fill(0);
  }
}

function checkIdentities(value: unknown): readonly (string | AgeIdentity)[] {
  const identities = checkList('identities', value) as readonly (string | AgeIdentity)[];
  for (const identity of identities) {
    if (typeof identity !== 'string' && typeof identity?.unwrapFileKey !== 'function') {
      badType('identities', `expected identities of age, got ${typeName(identity)}`);
    }
  }
  return identities;
}

/** The binary form of a sealed file. */
function readEnvelope(file: unknown, age: AgeModule): Uint8Array {
  if (typeof file !== 'string' && !(file instanceof Uint8Array)) {
    badType('file', `expected bytes or text, got ${typeName(file)}`);
  }
  if (file.length > MAX_FILE) fail('invalid_keyset', 'the key file is larger than 1 MiB');
  switch (fileKind(file)) {
    case 'json':
      return fail(
        'key_not_sealed',
        'the key file is not sealed, although an identity, a passphrase or a key wrapper was passed to open it',
      );
    case 'age':
      // As text the bytes of the file are lost.
      return typeof file === 'string' ? damaged() : file;
    case 'armour':
      try {
        const text = typeof file === 'string' ? file : new TextDecoder('utf-8', { fatal: true }).decode(file);
        return age.armor.decode(text);
      } catch {
        return damaged();
      }
    default:
      return fail('invalid_keyset', 'the key file is neither an age file nor JSON');
  }
}

function damaged(): never {
  return fail('invalid_keyset', 'the sealed key file is damaged: it was cut or changed, or its key is another one');
}

/**
 * Decrypts an age file. The package tells failures apart by their messages alone. So there are two identities of our
 * own, one before and one after the others: they show how far the package has come.
 */
async function decrypt(
  file: Uint8Array,
  identities: readonly (string | AgeIdentity)[],
  { age, passphrase, wrappers, calls }: Common,
  signal: AbortSignal | undefined,
): Promise<Uint8Array> {
  const decrypter = new age.Decrypter();
  const failures: TrefoilError[] = [];
  decrypter.addIdentity({
    unwrapFileKey(stanzas) {
      checkStanzas(stanzas);
      return null;
    },
  });
  for (const identity of identities) {
    try {
      decrypter.addIdentity(identity);
    } catch {
      badRange('identities', 'expected identities of age ("AGE-SECRET-KEY-1…"), got a text that is not one');
    }
  }
  if (passphrase !== undefined) decrypter.addPassphrase(passphrase);
  for (const wrapper of wrappers) {
    decrypter.addIdentity(wrapperIdentity(wrapper, calls!, (failure) => failures.push(failure)));
  }
  decrypter.addIdentity({ unwrapFileKey: (stanzas) => refuse(stanzas, failures) });
  try {
    return await decrypter.decrypt(file);
  } catch (error) {
    signal?.throwIfAborted();
    if (error instanceof TrefoilError) throw withoutStack(error);
    return damaged();
  } finally {
    forgetLastMatch();
  }
}

/** Nothing has opened the file. A KMS that could not answer is the reason that is worth another attempt. */
function refuse(stanzas: readonly AgeStanza[], failures: readonly TrefoilError[]): never {
  const first = failures.find(({ code }) => code === 'key_unavailable') ?? failures[0];
  if (first !== undefined) throw first;
  const message = `nothing that was passed opens the key file, which is sealed with ${inWords(waysOf(stanzas))}`;
  return fail('key_refused', message);
}

function inWords({ passphrases, recipients, wrappers }: Ways): string {
  if (passphrases > 0) return 'a passphrase';
  const many = (count: number, noun: string) => (count === 0 ? [] : [`${count} ${noun}${count === 1 ? '' : 's'}`]);
  return [...many(recipients, 'recipient'), ...many(wrappers, 'key wrapper')].join(' and ') || 'no way in';
}
