/**
 * What wraps the key of a sealed key file: a key management service (KMS), an HSM, or anything else that encrypts 16
 * bytes under a key that never leaves it (docs/spec/at-rest-v1.md, "The stanza of a wrapper").
 */

import { utf8 } from '../core/bytes.ts';
import { badRange, badType, checkName, checkOptions, typeName } from '../core/checks.ts';

/** Length of the key that a wrapper encrypts, in bytes. It is the file key of an age file. */
export const FILE_KEY_LENGTH = 16;

/**
 * What a wrapped key is bound to. Its texts are computed by the process that opens the file and are never read from the
 * file. A KMS logs them, and its policies can compare them, so they are not secret.
 */
export interface KeyContext {
  /** What the key is for. */
  readonly trefoil: 'keyset';
  /** The caller's name of the keyset, such as `production`. Another name does not open the file. */
  readonly name: string;
  /** The region that the process has declared, if it has declared one. */
  readonly region?: string;
}

/** What a wrapper is called with, besides the bytes. */
export interface WrapperCall {
  /** Ends the call, after a time limit or because the caller has given up. */
  readonly signal: AbortSignal;
}

/**
 * Encrypts and decrypts the key of a file. `vaultTransit` and `awsKms` make wrappers; an object of your own with these
 * three members is one, too.
 *
 * Each verb makes one attempt. It throws if it fails, and the error may be anything: its message is never shown, and
 * only an HTTP status, a system error code or a name of it decides whether the call is repeated.
 */
export interface KeyWrapper {
  /**
   * Name of the key, 1 to 512 printable ASCII characters without a space: `aws-kms:arn:…`. It is written into the file,
   * readable for everyone, and a wrapper is only asked to open what has exactly its own name.
   */
  readonly uri: string;
  /** Encrypts the 16 bytes of a key. Returns 1 to 4,096 bytes. */
  readonly wrap: (key: Uint8Array, context: KeyContext, call: WrapperCall) => Promise<Uint8Array>;
  /** Decrypts what `wrap` returned. The result must have exactly 16 bytes. */
  readonly unwrap: (wrapped: Uint8Array, context: KeyContext, call: WrapperCall) => Promise<Uint8Array>;
}

/** The longest name of a key, in characters. */
const MAX_URI = 512;

/** Checks a wrapper of the caller. */
export function checkWrapper(argument: string, value: unknown): KeyWrapper {
  if (typeof value !== 'object' || value === null) badType(argument, `expected a key wrapper, got ${typeName(value)}`);
  const { uri, wrap, unwrap } = value as Partial<KeyWrapper>;
  if (typeof uri !== 'string' || typeof wrap !== 'function' || typeof unwrap !== 'function') {
    badType(argument, 'expected a key wrapper with "uri", "wrap" and "unwrap"');
  }
  if (uri.length > MAX_URI || !/^[!-~]+$/.test(uri)) {
    badRange(argument, `expected a "uri" of 1 to ${MAX_URI} printable ASCII characters without a space`);
  }
  // The verbs may need their object, and a copy of the name cannot change while the wrapper is used.
  const wrapper = value as KeyWrapper;
  return {
    uri,
    wrap: (key, context, call) => wrapper.wrap(key, context, call),
    unwrap: (wrapped, context, call) => wrapper.unwrap(wrapped, context, call),
  };
}

/** Makes the context of a keyset from its name and the region of the process. */
export function keyContext(name: string, region?: string): KeyContext {
  checkName('name', name);
  return Object.freeze({
    trefoil: 'keyset',
    name,
    ...(region === undefined ? {} : { region: checkName('region', region) }),
  });
}

/**
 * Returns the context as bytes, for a KMS whose associated data are bytes: UTF-8 of a JSON object with the members
 * `trefoil`, `name` and `region` in this order and without spaces (docs/spec/at-rest-v1.md, "Context").
 *
 * @throws TypeError, RangeError if it is not a context.
 *
 * @example
 * ```ts
 * import { contextBytes } from 'trefoil/custody';
 *
 * const bytes = contextBytes({ trefoil: 'keyset', name: 'production', region: 'eu' });
 * new TextDecoder().decode(bytes); // → '{"trefoil":"keyset","name":"production","region":"eu"}'
 * ```
 */
export function contextBytes(context: KeyContext): Uint8Array {
  const { trefoil, name, region } = checkOptions<KeyContext>('context', context, ['trefoil', 'name', 'region']);
  if (trefoil !== 'keyset') badRange('trefoil', 'expected "keyset"');
  return utf8(JSON.stringify(keyContext(name, region)));
}

/**
 * Checks the arguments of a verb of a wrapper.
 *
 * @param argument name of the bytes.
 * @returns the signal of the call.
 */
export function checkCall(argument: string, bytes: unknown, call: unknown): AbortSignal {
  if (!(bytes instanceof Uint8Array)) badType(argument, `expected bytes, got ${typeName(bytes)}`);
  if (typeof call !== 'object' || call === null) badType('call', `expected { signal }, got ${typeName(call)}`);
  const { signal } = call as Partial<WrapperCall>;
  if (!(signal instanceof AbortSignal)) badType('signal', `expected an AbortSignal, got ${typeName(signal)}`);
  return signal;
}
