/** Sealing a keyset into an age file (docs/spec/at-rest-v1.md). */

import { utf8 } from '../core/bytes.ts';
import { badRange, badType, checkInteger, checkOptions, isArgumentError, typeName } from '../core/checks.ts';
import { fail, TrefoilError } from '../errors.ts';
import { describeKeyset } from '../keys/described.ts';
import { keyset } from '../keys/keyset.ts';
import { type AgeModule, type AgeRecipient, checkAge, MAX_FILE } from './age.ts';
import { type CallOptions, DEFAULT_TIMEOUT, forgetLastMatch, withoutStack } from './calls.ts';
import { checkStanzas, MAX_STANZAS, wrapperRecipient } from './stanza.ts';
import { checkWrapper, type KeyWrapper, keyContext } from './wrapper.ts';

/** What sealing and opening have in common. */
export interface CustodyOptions {
  /** The module `age-encryption`: `import * as age from 'age-encryption'`. */
  readonly age: AgeModule;
  /** A passphrase. age derives a key from it with scrypt, which blocks the process for about a second. */
  readonly passphrase?: string;
  /** Key wrappers, such as those that `vaultTransit` and `awsKms` make. */
  readonly wrappers?: readonly KeyWrapper[];
  /**
   * Your name of the keyset, such as `production`: 1 to 64 characters of `a-z`, `0-9`, `.`, `_`, `-`. Needed with
   * `wrappers`. The KMS binds the key to it, so that a file of another name is refused.
   */
  readonly name?: string;
  /** The region in which the process runs. A KMS binds the key to it, and keys for another region are not sealed. */
  readonly region?: string;
  /** Time limit of a call of a KMS in milliseconds, 1 to 600,000. Default: 10,000. */
  readonly timeout?: number;
  /** Ends the calls of a KMS. The promise is then rejected with the reason of the signal. */
  readonly signal?: AbortSignal;
}

/** Options of {@link sealKeyFile}. At least one way in must be set, and a passphrase is the only one of its file. */
export interface SealOptions extends CustodyOptions {
  /** Recipients of age: `age1…`, `age1pq1…`, or objects with `wrapFileKey`. */
  readonly recipients?: readonly (string | AgeRecipient)[];
  /** Write the file as ASCII text, which fits into an environment variable. */
  readonly armour?: boolean;
  /**
   * Seal keys that are labelled with a region also with a multi-region key of AWS (`mrk-…`). `false` by default: every
   * region that has a replica of the key could open the file. Only the name of a key shows it, and an alias does not.
   */
  readonly allowMultiRegion?: boolean;
}

/** A multi-region key of AWS: its id begins with `mrk-`. */
const MULTI_REGION = /^aws-kms:.*:key\/mrk-/;

/** The names of the options of {@link CustodyOptions}. */
export const COMMON: readonly string[] = ['age', 'passphrase', 'wrappers', 'name', 'region', 'timeout', 'signal'];

/** The checked options that sealing and opening share. */
export interface Common {
  readonly age: AgeModule;
  readonly passphrase: string | undefined;
  readonly wrappers: readonly KeyWrapper[];
  /** How wrappers are called; `null` if there are none. */
  readonly calls: CallOptions | null;
}

/** Checks the options that sealing and opening share. */
export function checkCommon(options: CustodyOptions): Common {
  const { passphrase, wrappers = [], name, region, timeout = DEFAULT_TIMEOUT, signal } = options;
  if (passphrase !== undefined && typeof passphrase !== 'string') {
    badType('passphrase', `expected text, got ${typeName(passphrase)}`);
  }
  if (passphrase === '') badRange('passphrase', 'expected a text that is not empty');
  checkInteger('timeout', timeout, 1, 600_000);
  if (signal !== undefined && !(signal instanceof AbortSignal)) {
    badType('signal', `expected an AbortSignal, got ${typeName(signal)}`);
  }
  const checked = checkList('wrappers', wrappers).map((wrapper) => checkWrapper('wrappers', wrapper));
  if (new Set(checked.map(({ uri }) => uri)).size < checked.length) badRange('wrappers', 'has two with one "uri"');
  if (checked.length > 0 && name === undefined)
    badRange('name', 'expected the name of the keyset, which wrappers need');
  const context = name === undefined ? null : keyContext(name, region);
  return {
    age: checkAge(options.age),
    passphrase,
    wrappers: checked,
    calls: context === null ? null : { context, timeout, signal },
  };
}

/** Checks a list of at most 64 items. */
export function checkList(argument: string, value: unknown): readonly unknown[] {
  if (!Array.isArray(value)) badType(argument, `expected a list, got ${typeName(value)}`);
  if (value.length > 64) badRange(argument, 'expected at most 64 items');
  return value;
}

/**
 * Seals a keyset into an age file. Every recipient and every key wrapper can open the file alone; so can the command
 * `age`, with the identity of a recipient or the passphrase.
 *
 * **Warning**: age gives secrecy and never origin. Anyone who knows a recipient can make another file for it, and
 * anyone who can open a file can make another that opens in the same ways. What shows that the keys are yours is the
 * `keyCheck` of a policy.
 *
 * @param text the keyset as JSON text, as `keyset.export` returns it.
 * @returns the bytes of the file; with `armour`, a text.
 * @throws TrefoilError `invalid_keyset`, `weak_key` if the text is not a keyset, `region_required`, `wrong_region` if
 *   it is for another region than `region`; `key_unavailable`, `key_refused`, `key_answer_broken` if a KMS does not
 *   wrap the key.
 * @throws TypeError, RangeError for options that do not fit, such as a passphrase beside recipients, or a multi-region
 *   key of AWS for keys with a region.
 *
 * @example
 * ```ts
 * import * as age from 'age-encryption';
 * import { openKeyFile, sealKeyFile } from 'trefoil/custody';
 * import { keyset } from 'trefoil/keys';
 * import { secretAccess } from 'trefoil/reveal';
 *
 * const identity = await age.generateIdentity();
 * const recipient = await age.identityToRecipient(identity);
 * const made = keyset.generate();
 * const file = await sealKeyFile(made.export(secretAccess), { age, recipients: [recipient] });
 *
 * const opened = keyset.parse(await openKeyFile(file, { age, identities: [identity] }));
 * opened.primary === made.primary; // → true
 * ```
 */
export function sealKeyFile(text: string, options: SealOptions & { readonly armour: true }): Promise<string>;
export function sealKeyFile(text: string, options: SealOptions & { readonly armour?: false }): Promise<Uint8Array>;
export function sealKeyFile(text: string, options: SealOptions): Promise<Uint8Array | string>;
export async function sealKeyFile(text: string, options: SealOptions): Promise<Uint8Array | string> {
  const checked = checkOptions<SealOptions>('options', options, [
    ...COMMON,
    'recipients',
    'armour',
    'allowMultiRegion',
  ]);
  const { age, passphrase, wrappers, calls } = checkCommon(checked);
  const recipients = checkRecipients(checked.recipients ?? []);
  const { armour = false } = checked;
  if (typeof armour !== 'boolean') badType('armour', `expected true or false, got ${typeName(armour)}`);
  const { allowMultiRegion = false } = checked;
  if (typeof allowMultiRegion !== 'boolean') {
    badType('allowMultiRegion', `expected true or false, got ${typeName(allowMultiRegion)}`);
  }
  const others = recipients.length + wrappers.length;
  if (passphrase !== undefined && others > 0) {
    badRange('passphrase', 'cannot be combined with recipients or wrappers, because age does not allow it');
  }
  if (others > MAX_STANZAS) badRange('recipients', `expected at most ${MAX_STANZAS}, wrappers included`);
  if (passphrase === undefined && others === 0) badRange('options', 'expected recipients, wrappers or a passphrase');
  if (typeof text !== 'string') badType('text', `expected text, got ${typeName(text)}`);
  // A mistake in the text would otherwise be found when the file is needed.
  const parsed = keyset.parse(text, checked.region === undefined ? {} : { region: checked.region });
  const hasReplicas = wrappers.some(({ uri }) => MULTI_REGION.test(uri));
  if (hasReplicas && !allowMultiRegion && describeKeyset(parsed, null).region !== null) {
    badRange(
      'allowMultiRegion',
      'expected true, because the keys are for one region and a wrapper is a multi-region key of AWS, which other ' +
        'regions may have, too; use a key of that region, or set it if the replicas stay there',
    );
  }
  const encrypter = new age.Encrypter();
  if (passphrase !== undefined) encrypter.setPassphrase(passphrase);
  for (const recipient of recipients) addRecipient(encrypter, recipient);
  for (const wrapper of wrappers) encrypter.addRecipient(wrapperRecipient(wrapper, calls!));
  const bytes = utf8(text);
  try {
    const file = await encrypter.encrypt(bytes);
    await checkFile(file, age);
    return armour ? age.armor.encode(file) : file;
  } catch (error) {
    checked.signal?.throwIfAborted();
    if (isArgumentError(error)) throw error;
    if (error instanceof TrefoilError) throw withoutStack(error);
    // The error of a recipient of the caller may quote what it was called with.
    return fail('key_refused', 'a recipient cannot seal the key of the file');
  } finally {
    bytes.fill(0);
    forgetLastMatch();
  }
}

/**
 * Checks that a new file is one that is opened. A recipient of the caller may make any stanzas, and a file with too
 * many of them, or with a passphrase beside others, would be refused on the day when it is needed.
 */
async function checkFile(file: Uint8Array, age: AgeModule): Promise<void> {
  if (file.length > MAX_FILE) fail('key_refused', 'the sealed file would be larger than 1 MiB');
  const decrypter = new age.Decrypter();
  let read = false;
  decrypter.addIdentity({
    unwrapFileKey(stanzas) {
      checkStanzas(stanzas);
      read = true;
      return null;
    },
  });
  try {
    await decrypter.decrypt(file);
  } catch (error) {
    // Without a file key the package throws in any case.
    if (!read) throw error;
  }
}

function checkRecipients(value: unknown): readonly (string | AgeRecipient)[] {
  const recipients = checkList('recipients', value) as readonly (string | AgeRecipient)[];
  for (const recipient of recipients) {
    if (typeof recipient !== 'string' && typeof recipient?.wrapFileKey !== 'function') {
      badType('recipients', `expected recipients of age, got ${typeName(recipient)}`);
    }
  }
  const texts = recipients.filter((recipient) => typeof recipient === 'string');
  const isHybrid = (text: string) => /^age1(tag)?pq1/.test(text);
  // The command age refuses such a mixture: an attacker with a quantum computer would take the weaker way in.
  if (texts.some(isHybrid) && !texts.every(isHybrid)) {
    badRange('recipients', 'has post-quantum recipients beside others, and age refuses such a mixture');
  }
  return recipients;
}

function addRecipient(encrypter: { addRecipient(one: string | AgeRecipient): void }, recipient: string | AgeRecipient) {
  try {
    encrypter.addRecipient(recipient);
  } catch {
    badRange('recipients', 'expected recipients of age ("age1…"), got a text that is not one');
  }
}
