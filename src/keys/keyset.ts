/**
 * Keysets: root keys with ids, one of them primary (docs/spec/keyset-v1.md). The JSON text is the secret of the whole
 * system; everything else is derived from it.
 */

import { isCapability, type SecretAccess } from '../core/capability.ts';
import { badType, checkName, checkOptions, NAME_PATTERN, ownProperties, typeName } from '../core/checks.ts';
import { scanJson } from '../core/json/scan.ts';
import { fail } from '../errors.ts';
import { randomBytes } from '../kernel/random.ts';
import { decode, encode } from '../wire/base32.ts';
import { CHECK_LENGTH, checkCharacters, crc20 } from '../wire/check-characters.ts';
import { NODE_LENGTH } from './derive.ts';
import { type DomainKeys, type KeyCheck, makeDomainKeys, pinKeys } from './domain-keys.ts';

/** Version that a keyset's text begins with. */
const VERSION = 'keyset-v1';

/** What a secret begins with, so that scanners for leaked secrets can find it. */
const SECRET_PREFIX = 'trefoil-root-1_';

/** Most root keys in a keyset. */
const MAX_KEYS = 64;

/** Longest text that is parsed, in UTF-16 code units. */
const MAX_TEXT = 65_536;

/** Fields that the format keeps free, and what they are kept free for. */
const RESERVED = { of: "a domain's parent", region: "a key's region" } as const;

/** A keyset: opaque, immutable. */
export interface Keyset {
  /** Id of the primary root key. */
  readonly primary: string;
  /** Ids of all root keys, the primary first. */
  readonly ids: readonly string[];
  /**
   * The keys of a pseudonymisation domain.
   *
   * @param name 1 to 64 characters of `a-z`, `0-9`, `.`, `_`, `-`, the first a letter or digit.
   * @param options `keyCheck`: check values that the keys must have, by shown key id.
   * @throws TrefoilError `key_check_mismatch`; RangeError for a bad name.
   */
  readonly domain: (name: string, options?: { readonly keyCheck?: KeyCheck }) => DomainKeys;
  /**
   * The keyset as JSON text, secrets included.
   *
   * **Warning**: the text is the secret; whoever reads it can reveal everything.
   *
   * @param access `secretAccess` of `trefoil/reveal`.
   */
  readonly export: (access: SecretAccess) => string;
}

interface RootKey {
  readonly id: string;
  readonly secret: Uint8Array;
}

/** A new keyset with one root key of 32 random bytes and a random id. */
function generate(): Keyset {
  return make([{ id: encode(randomBytes(5)), secret: randomBytes(NODE_LENGTH) }]);
}

/** Reads a keyset from the JSON text that `export` wrote. */
function parse(json: string): Keyset {
  if (typeof json !== 'string') badType('json', `expected text, got ${typeName(json)}`);
  if (json.length > MAX_TEXT) fail('invalid_keyset', `the keyset is longer than ${MAX_TEXT} characters`);
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch {
    // The parser's own message quotes the text, and the text is the secret.
    fail('invalid_keyset', 'the keyset is not JSON; it may be cut short');
  }
  const { version, keys, base } = fields(value, 'the keyset', ['version', 'keys', 'base']);
  // JSON.parse keeps the last of two fields of one name, and nobody would know which was meant.
  const hidden = scanJson(json, value as object);
  if (hidden !== null && hidden !== 'inexact') fail('invalid_keyset', `the keyset cannot be read: ${hidden.message}`);
  if (version !== VERSION) {
    fail('invalid_keyset', `the keyset has no "version": "${VERSION}"; it is not a keyset or one of a newer trefoil`);
  }
  if (!Array.isArray(keys) || keys.length === 0 || keys.length > MAX_KEYS) {
    fail('invalid_keyset', `"keys" must be a list of 1 to ${MAX_KEYS} root keys`);
  }
  const roots: RootKey[] = [];
  let primary: RootKey | undefined;
  for (const [index, entry] of keys.entries()) {
    const name = `root key ${index + 1}`;
    const key = fields(entry, name, ['id', 'primary', 'secret']);
    if (typeof key.id !== 'string' || !NAME_PATTERN.test(key.id)) {
      fail('invalid_keyset', `${name} needs an "id" of 1 to 64 characters of a-z, 0-9, ".", "_", "-"`);
    }
    if (roots.some((root) => root.id === key.id)) fail('invalid_keyset', `${name} has the id of another root key`);
    if (key.primary !== undefined && typeof key.primary !== 'boolean') {
      fail('invalid_keyset', `"primary" of ${name} must be true or false`);
    }
    const root: RootKey = { id: key.id, secret: readSecret(key.secret, name) };
    if (roots.some((other) => sameBytes(other.secret, root.secret))) {
      fail('invalid_keyset', `${name} has the secret of another root key`);
    }
    if (key.primary === true) {
      if (primary !== undefined) fail('invalid_keyset', 'two root keys are primary; one must be');
      primary = root;
    }
    roots.push(root);
  }
  if (primary === undefined) fail('invalid_keyset', 'no root key is primary; one must have "primary": true');
  // `base` names the root that the tokens' PRF uses once stored tokens can be renewed; until then it is the primary.
  if (base !== undefined && base !== primary.id) {
    fail('reserved_field', '"base" must name the primary root key: this version of trefoil does not renew tokens');
  }
  return make([primary, ...roots.filter((root) => root !== primary)]);
}

/** An object with no fields but the known ones. */
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
        `${name} has "${field}", which is kept free for ${purpose}; this version does not know it`,
      );
    }
    fail('invalid_keyset', `${name} has a field that is not one of ${known.join(', ')}`);
  }
  return ownProperties(value) as Record<string, unknown>;
}

/** The 32 bytes of a secret, after its spelling, its check characters and its quality are checked. */
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
    fail('invalid_keyset', `the check characters of ${name} do not fit: its secret is mistyped`);
  }
  const weakness = weaknessOf(bytes);
  if (weakness !== null) {
    fail('weak_key', `${name} ${weakness}; make root keys with keyset.generate() or trefoil keys new`);
  }
  return bytes;
}

function writeSecret(bytes: Uint8Array): string {
  const body = encode(bytes);
  return SECRET_PREFIX + body + checkCharacters(crc20(body));
}

/**
 * Why 32 bytes cannot be a random key, or `null`. Of random keys these rules refuse fewer than one in 10^13:
 * all printable ASCII, (95/256)^32 < 2 × 10^-14; at most 16 different bytes, < C(256,16) × 16^32 / 256^32 < 3 × 10^-14;
 * equal steps from byte to byte, 2^-240.
 */
function weaknessOf(bytes: Uint8Array): string | null {
  if (bytes.every((byte) => byte >= 0x20 && byte < 0x7f)) return 'is printable text, not random bytes';
  if (new Set(bytes).size <= 16) return 'repeats its bytes, so it is not random';
  const step = (bytes[1]! - bytes[0]!) & 255;
  if (bytes.every((byte, i) => i === 0 || ((byte - bytes[i - 1]!) & 255) === step))
    return 'counts up or down, so it is not random';
  return null;
}

/** Both are secrets of one keyset and their owner waits for the answer, so time tells nobody anything. */
function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.every((byte, i) => byte === b[i]);
}

/** @param roots the primary first. */
function make(roots: readonly RootKey[]): Keyset {
  const primary = roots[0]!.id;
  return Object.freeze({
    primary,
    ids: Object.freeze(roots.map((root) => root.id)),
    domain(name: string, options: { readonly keyCheck?: KeyCheck } = {}): DomainKeys {
      checkName('name', name);
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
 * - `keyset.generate()` makes a keyset with one root key of 32 bytes from the system's generator.
 * - `keyset.parse(json)` reads what `export` wrote. It throws a {@link TrefoilError} with `invalid_keyset`,
 *   `weak_key` or `reserved_field`, whose message never quotes the text.
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
