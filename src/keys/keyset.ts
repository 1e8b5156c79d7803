/**
 * Keysets: root keys with ids, one of which is primary (docs/spec/keyset-v1.md). The JSON text of a keyset is the
 * secret of the whole system: all other keys are derived from it.
 */

import { equalBytes } from '../core/bytes.ts';
import { isCapability, type SecretAccess } from '../core/capability.ts';
import { badType, checkName, checkOptions, NAME_PATTERN, ownProperties, typeName } from '../core/checks.ts';
import { scanJson } from '../core/json/scan.ts';
import { fail } from '../errors.ts';
import { randomBytes } from '../kernel/random.ts';
import { decode, encode } from '../wire/base32.ts';
import { CHECK_LENGTH, checkCharacters, crc20 } from '../wire/check-characters.ts';
import { NODE_LENGTH } from './derive.ts';
import { type DomainKeys, type KeyCheck, makeDomainKeys, pinKeys } from './domain-keys.ts';
import { checkTestDomain, isTestKey } from './test-keys.ts';

/** The version that the text of a keyset states. */
const VERSION = 'keyset-v1';

/** The first characters of a secret, by which scanners for leaked secrets can find it. */
const SECRET_PREFIX = 'trefoil-root-1_';

/** The most root keys in a keyset. */
const MAX_KEYS = 64;

/** The longest text that is parsed, in UTF-16 code units. */
const MAX_TEXT = 65_536;

/** Fields that the format reserves, and what for. */
const RESERVED = { of: 'the parent of a domain', region: 'the region of a key' } as const;

/** Root keys and the way to the keys of domains. It is opaque and immutable: no property shows a key. */
export interface Keyset {
  /** Id of the primary root key. */
  readonly primary: string;
  /** Ids of all root keys, the primary first. */
  readonly ids: readonly string[];
  /**
   * Ids of the root keys that are public test keys (`trefoil/testing`). If there is one, the keyset opens only the
   * domains `test` and `test-…`.
   */
  readonly testIds: readonly string[];
  /**
   * Returns the keys of a pseudonymisation domain.
   *
   * @param name 1 to 64 characters of `a-z`, `0-9`, `.`, `_`, `-`, the first a letter or digit.
   * @param options `keyCheck`: check values that the keys must have, by shown key id (`trefoil keys inspect` shows
   *   them).
   * @throws TrefoilError `key_check_mismatch` if the keys do not have these check values, `public_test_keys` if the
   *   keyset has test keys and the domain is not `test` or `test-…`.
   * @throws TypeError, RangeError for a name or an option that does not fit.
   */
  readonly domain: (name: string, options?: { readonly keyCheck?: KeyCheck }) => DomainKeys;
  /**
   * Returns the keyset as JSON text, including its secrets.
   *
   * **Warning**: anyone who reads this text can reveal everything that the keyset protects.
   *
   * @param access `secretAccess` of `trefoil/reveal`.
   */
  readonly export: (access: SecretAccess) => string;
}

/** A root key with its id. */
export interface RootKey {
  readonly id: string;
  readonly secret: Uint8Array;
}

/** Makes a keyset with one root key of 32 random bytes and a random id. */
function generate(): Keyset {
  return makeKeyset([{ id: encode(randomBytes(5)), secret: randomBytes(NODE_LENGTH) }]);
}

/** Reads a keyset from the JSON text that `export` wrote. */
function parse(json: string): Keyset {
  if (typeof json !== 'string') badType('json', `expected text, got ${typeName(json)}`);
  if (json.length > MAX_TEXT) fail('invalid_keyset', `the keyset is longer than ${MAX_TEXT} characters`);
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch {
    // The parser's own message would quote the text, which is the secret.
    fail('invalid_keyset', 'the keyset is not JSON; it may be cut short');
  }
  const { version, keys, base } = fields(value, 'the keyset', ['version', 'keys', 'base']);
  // If a name occurs twice, JSON.parse keeps the last field and hides the mistake.
  const hidden = scanJson(json, value as object);
  if (hidden !== null && hidden !== 'inexact') fail('invalid_keyset', `the keyset cannot be read: ${hidden.message}`);
  if (version !== VERSION) {
    fail(
      'invalid_keyset',
      `the keyset has no "version": "${VERSION}"; it is not a keyset, or a newer trefoil has made it`,
    );
  }
  const roots = readRootKeys(keys);
  // `base` is for a later version that renews stored tokens: it will name the root key of the tokens. Until then that
  // is the primary root key.
  if (base !== undefined && base !== roots[0]!.id) {
    fail('reserved_field', '"base" must name the primary root key: this version of trefoil does not renew tokens');
  }
  return makeKeyset(roots);
}

/** Reads the list of root keys. Returns the primary one first, and the others in their order. */
function readRootKeys(keys: unknown): readonly RootKey[] {
  if (!Array.isArray(keys) || keys.length === 0 || keys.length > MAX_KEYS) {
    fail('invalid_keyset', `"keys" of the keyset must be a list of 1 to ${MAX_KEYS} root keys`);
  }
  const roots: RootKey[] = [];
  let primary: RootKey | undefined;
  for (const [index, entry] of keys.entries()) {
    const name = `root key ${index + 1}`;
    const key = fields(entry, name, ['id', 'primary', 'secret']);
    if (typeof key.id !== 'string' || !NAME_PATTERN.test(key.id)) {
      fail('invalid_keyset', `${name} needs an "id" of 1 to 64 characters of a-z, 0-9, ".", "_", "-"`);
    }
    if (roots.some((root) => root.id === key.id)) fail('invalid_keyset', `${name} has the same id as another root key`);
    if (key.primary !== undefined && typeof key.primary !== 'boolean') {
      fail('invalid_keyset', `"primary" of ${name} must be true or false`);
    }
    const root: RootKey = { id: key.id, secret: readSecret(key.secret, name) };
    if (roots.some((other) => equalBytes(other.secret, root.secret))) {
      fail('invalid_keyset', `${name} has the same secret as another root key`);
    }
    if (key.primary === true) {
      if (primary !== undefined) fail('invalid_keyset', 'two root keys are primary; only one may have "primary": true');
      primary = root;
    }
    roots.push(root);
  }
  if (primary === undefined) fail('invalid_keyset', 'no root key is primary; one must have "primary": true');
  return [primary, ...roots.filter((root) => root !== primary)];
}

/** Checks that a value is an object with known fields only, and returns a copy of them. */
function fields(value: unknown, name: string, known: readonly string[]): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    fail('invalid_keyset', `${name} must be an object, got ${typeName(value)}`);
  }
  for (const field of Object.keys(value)) {
    if (known.includes(field)) continue;
    if (Object.hasOwn(RESERVED, field)) {
      const purpose = RESERVED[field as keyof typeof RESERVED];
      fail(
        'reserved_field',
        `${name} has the field "${field}", which is reserved for ${purpose}; ` +
          'this version of trefoil does not support it',
      );
    }
    fail('invalid_keyset', `${name} has an unknown field; the fields are ${known.join(', ')}`);
  }
  return ownProperties(value) as Record<string, unknown>;
}

/** Returns the 32 bytes of a secret. Checks its spelling, its check characters, and that it can be a random key. */
function readSecret(secret: unknown, name: string): Uint8Array {
  if (typeof secret !== 'string' || !secret.startsWith(SECRET_PREFIX)) {
    fail('invalid_keyset', `the secret of ${name} must be text that begins with "${SECRET_PREFIX}"`);
  }
  const body = secret.slice(SECRET_PREFIX.length, -CHECK_LENGTH);
  const bytes = decode(body);
  if (bytes === null || bytes.length !== NODE_LENGTH) {
    fail('invalid_keyset', `the secret of ${name} must hold ${NODE_LENGTH} bytes; it is cut short or mistyped`);
  }
  if (checkCharacters(crc20(body)) !== secret.slice(-CHECK_LENGTH)) {
    fail('invalid_keyset', `the secret of ${name} is mistyped: its check characters are wrong`);
  }
  const weakness = weaknessOf(bytes);
  if (weakness !== null) {
    fail('weak_key', `the secret of ${name} ${weakness}; make root keys with keyset.generate() or trefoil keys new`);
  }
  return bytes;
}

function writeSecret(bytes: Uint8Array): string {
  const body = encode(bytes);
  return SECRET_PREFIX + body + checkCharacters(crc20(body));
}

/**
 * Why 32 bytes cannot be a random key, or `null`. The three rules refuse fewer than one random key in 10^13:
 *
 * - all bytes are printable ASCII: (95/256)^32 < 2 × 10^-14;
 * - at most 16 different bytes: < C(256,16) × 16^32 / 256^32 < 3 × 10^-14;
 * - equal steps from byte to byte: 2^-240.
 */
function weaknessOf(bytes: Uint8Array): string | null {
  if (bytes.every((byte) => byte >= 0x20 && byte < 0x7f)) return 'is printable text, not random bytes';
  if (new Set(bytes).size <= 16) return 'repeats its bytes, so it is not random';
  const step = (bytes[1]! - bytes[0]!) & 255;
  if (bytes.every((byte, i) => i === 0 || ((byte - bytes[i - 1]!) & 255) === step))
    return 'counts up or down, so it is not random';
  return null;
}

/** Makes the object of a keyset. @param roots its root keys, the primary first. */
export function makeKeyset(roots: readonly RootKey[]): Keyset {
  const primary = roots[0]!.id;
  // One test key among others is enough: everybody could reveal its values.
  const testIds = Object.freeze(roots.filter(({ secret }) => isTestKey(secret)).map(({ id }) => id));
  return Object.freeze({
    primary,
    ids: Object.freeze(roots.map((root) => root.id)),
    testIds,
    domain(name: string, options: { readonly keyCheck?: KeyCheck } = {}): DomainKeys {
      checkName('name', name);
      if (testIds.length > 0) checkTestDomain(name);
      const { keyCheck } = checkOptions<{ readonly keyCheck?: KeyCheck }>('options', options, ['keyCheck']);
      const keys = makeDomainKeys(
        name,
        roots.map((root) => root.secret),
      );
      return keyCheck === undefined ? keys : pinKeys(keys, keyCheck);
    },
    export(access: SecretAccess): string {
      if (!isCapability(access, 'secret')) badType('access', 'expected secretAccess of trefoil/reveal');
      const keys = roots.map(({ id, secret }) => ({
        id,
        ...(id === primary ? { primary: true } : {}),
        secret: writeSecret(secret),
      }));
      return `${JSON.stringify({ version: VERSION, base: primary, keys }, null, 2)}\n`;
    },
  });
}

/**
 * Makes and reads keysets.
 *
 * - `keyset.generate()` makes a keyset with one root key of 32 bytes from the random generator of the system.
 * - `keyset.parse(json)` reads the text that `export` wrote. It throws a {@link TrefoilError} with `invalid_keyset`,
 *   `weak_key` or `reserved_field`. Its messages never quote the text.
 *
 * The format is docs/spec/keyset-v1.md.
 *
 * @example
 * ```ts
 * import { keyset } from 'trefoil/keys';
 * import { secretAccess } from 'trefoil/reveal';
 *
 * const made = keyset.generate();
 * const read = keyset.parse(made.export(secretAccess));
 * read.domain('eu-enclave').keyId === made.domain('eu-enclave').keyId; // → true
 * ```
 */
export const keyset: { readonly generate: () => Keyset; readonly parse: (json: string) => Keyset } = Object.freeze({
  generate,
  parse,
});
