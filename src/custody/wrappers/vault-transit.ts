/**
 * Key wrapper of HashiCorp Vault: the secrets engine Transit, by two HTTP calls
 * (https://developer.hashicorp.com/vault/api-docs/secret/transit, "Encrypt data" and "Decrypt data"). The key must be
 * of a type with associated data: `aes256-gcm96`, `aes128-gcm96` or `chacha20-poly1305`.
 */

import { decodeBase64, encodeBase64 } from '../../core/base64.ts';
import { utf8 } from '../../core/bytes.ts';
import { badRange, badType, checkOptions, typeName } from '../../core/checks.ts';
import { fail } from '../../errors.ts';
import { checkCall, contextBytes, type KeyContext, type KeyWrapper, type WrapperCall } from '../wrapper.ts';

/** Options of {@link vaultTransit}. */
export interface VaultTransitOptions {
  /** Address of the server, such as `https://vault.example:8200`. Without TLS only for this machine. */
  readonly address: string;
  /** Name of the key. */
  readonly key: string;
  /** Token of Vault, or a function that returns it before each call. */
  readonly token: string | (() => string | Promise<string>);
  /** Path at which the engine is mounted. Default: `transit`. */
  readonly mount?: string;
  /** Namespace of Vault Enterprise. */
  readonly namespace?: string;
  /** Another `fetch`, such as one that knows the certificate of a company. */
  readonly fetch?: typeof globalThis.fetch;
}

/** Longest answer that is read, in bytes. An answer with a wrapped key has fewer than 1,000. */
const MAX_ANSWER = 65_536;

/** Names of keys, and the parts of a mount path. */
const NAME = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/;

/** A ciphertext as Transit writes it: the version of its key, then base64. */
const CIPHERTEXT = /^vault:v[1-9][0-9]{0,8}:[A-Za-z0-9+/]{16,2048}={0,2}$/;

/** Hosts of this machine, which may be called without TLS. */
const LOOPBACK: ReadonlySet<string> = new Set(['localhost', '127.0.0.1', '[::1]']);

/**
 * Makes a key wrapper of HashiCorp Vault's Transit engine. Its `uri` is `vault-transit:MOUNT/KEY`. The address is not
 * part of it, so the server may move, and a file never decides which host is called. Redirects are refused, because
 * they would send the token to another host.
 *
 * The token needs the capability `update` on `MOUNT/encrypt/KEY` to seal, and on `MOUNT/decrypt/KEY` to open.
 *
 * @throws TypeError, RangeError for options that do not fit.
 *
 * @example
 * ```ts
 * import { vaultTransit } from 'trefoil/custody';
 *
 * const wrapper = vaultTransit({ address: 'https://vault.example:8200', key: 'trefoil-keys', token: 'hvs.example' });
 * wrapper.uri; // → 'vault-transit:transit/trefoil-keys'
 * ```
 */
export function vaultTransit(options: VaultTransitOptions): KeyWrapper {
  const { address, key, token, mount, namespace, fetch } = checkTransit(options);
  const base = `${address}/v1/${mount}`;

  async function call(verb: 'encrypt' | 'decrypt', body: object, signal: AbortSignal): Promise<unknown> {
    const text = typeof token === 'string' ? token : await token();
    if (!isHeaderText(text)) fail('key_refused', 'there is no token of Vault, or it has characters that no token has');
    const answer = await fetch(`${base}/${verb}/${key}`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        'x-vault-request': 'true',
        'x-vault-token': text,
        ...(namespace === undefined ? {} : { 'x-vault-namespace': namespace }),
      },
      body: JSON.stringify(body),
      redirect: 'manual',
      signal,
    });
    if (answer.status !== 200) refuse(answer);
    const read: unknown = JSON.parse(await textOf(answer));
    return (read as { readonly data?: unknown } | null)?.data;
  }

  return Object.freeze({
    uri: `vault-transit:${mount}/${key}`,
    async wrap(fileKey: Uint8Array, context: KeyContext, options: WrapperCall): Promise<Uint8Array> {
      const signal = checkCall('key', fileKey, options);
      const body = { plaintext: encodeBase64(fileKey), associated_data: encodeBase64(contextBytes(context)) };
      const data = await call('encrypt', body, signal);
      const { ciphertext } = (data ?? {}) as { readonly ciphertext?: unknown };
      if (typeof ciphertext !== 'string' || !CIPHERTEXT.test(ciphertext)) return broken();
      return utf8(ciphertext);
    },
    async unwrap(wrapped: Uint8Array, context: KeyContext, options: WrapperCall): Promise<Uint8Array> {
      const signal = checkCall('wrapped', wrapped, options);
      const ciphertext = new TextDecoder().decode(wrapped);
      if (!CIPHERTEXT.test(ciphertext)) fail('key_refused', 'the file has no ciphertext of Transit for this key');
      const data = await call('decrypt', { ciphertext, associated_data: encodeBase64(contextBytes(context)) }, signal);
      const { plaintext } = (data ?? {}) as { readonly plaintext?: unknown };
      return (typeof plaintext === 'string' ? decodeBase64(plaintext) : null) ?? broken();
    },
  });
}

function checkTransit(options: VaultTransitOptions) {
  const names = ['address', 'key', 'token', 'mount', 'namespace', 'fetch'];
  const checked = checkOptions<VaultTransitOptions>('options', options, names);
  const { key, token, mount = 'transit', namespace, fetch = globalThis.fetch } = checked;
  const address = checkAddress(checked.address);
  if (typeof key !== 'string') badType('key', `expected text, got ${typeName(key)}`);
  if (!NAME.test(key)) badRange('key', 'expected 1 to 128 letters, digits, "_", "." and "-"');
  if (typeof mount !== 'string') badType('mount', `expected text, got ${typeName(mount)}`);
  if (mount.length > 256 || !mount.split('/').every((part) => NAME.test(part))) {
    badRange('mount', 'expected a path such as "transit", without a slash at its ends');
  }
  if (typeof token !== 'string' && typeof token !== 'function') {
    badType('token', `expected text or a function, got ${typeName(token)}`);
  }
  if (typeof token === 'string' && !isHeaderText(token)) badRange('token', 'expected a token of Vault');
  if (namespace !== undefined && !isHeaderText(namespace)) badRange('namespace', 'expected a path of a namespace');
  if (typeof fetch !== 'function') badType('fetch', `expected a function, got ${typeName(fetch)}`);
  return { address, key, token, mount, namespace, fetch };
}

/** Whether a text may be the value of a header. Anything else would be an error of `fetch` that quotes it. */
function isHeaderText(text: unknown): text is string {
  return typeof text === 'string' && /^[!-~]{1,4096}$/.test(text);
}

function checkAddress(value: unknown): string {
  if (typeof value !== 'string') badType('address', `expected text, got ${typeName(value)}`);
  let url: URL;
  try {
    url = new URL(value);
  } catch {
    return badRange('address', 'expected an address such as "https://vault.example:8200"');
  }
  const isPlain = url.username === '' && url.password === '' && url.search === '' && url.hash === '';
  if (!isPlain) badRange('address', 'expected an address without a user, a query or a fragment');
  if (url.protocol !== 'https:' && !(url.protocol === 'http:' && LOOPBACK.has(url.hostname))) {
    badRange('address', 'expected https: the token would be readable on the network');
  }
  return url.origin + url.pathname.replace(/\/+$/, '');
}

/** Throws the error for an answer that is not 200. Its body is not read. */
function refuse({ status, type }: Response): never {
  // 412: a standby of Vault Enterprise has not seen the token yet.
  if (status === 408 || status === 412 || status === 429 || status >= 500) {
    return fail('key_unavailable', 'Vault is sealed or overloaded');
  }
  // A browser hides the status of a redirect and reports 0.
  if (status < 400 || type === 'opaqueredirect') return broken();
  return fail('key_refused', 'Vault refuses the call');
}

function broken(): never {
  return fail('key_answer_broken', 'Vault did not answer with a key');
}

/** The text of an answer. It stops at the limit, because a broken server may send without end. */
async function textOf({ body }: Response): Promise<string> {
  if (body === null) return broken();
  const reader = body.getReader();
  const decoder = new TextDecoder('utf-8', { fatal: true });
  let text = '';
  for (let length = 0; ; ) {
    const { done, value } = await reader.read();
    if (done) return text + decode(decoder);
    length += value.length;
    if (length > MAX_ANSWER) {
      await reader.cancel();
      return broken();
    }
    text += decode(decoder, value);
  }
}

function decode(decoder: TextDecoder, part?: Uint8Array): string {
  try {
    return part === undefined ? decoder.decode() : decoder.decode(part, { stream: true });
  } catch {
    return broken();
  }
}
