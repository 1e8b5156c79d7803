/**
 * The texts of keys in a keyset: `trefoil-root-1_…` is a root key, `trefoil-node-1_…` a node below a domain
 * (docs/spec/keyset-v1.md, "File"). The prefixes let scanners for leaked secrets find them.
 */

import { fail } from '../errors.ts';
import { decode, encode } from '../wire/base32.ts';
import { CHECK_LENGTH, checkCharacters, crc20 } from '../wire/check-characters.ts';
import { NODE_LENGTH } from './derive.ts';

const PREFIXES = { secret: 'trefoil-root-1_', node: 'trefoil-node-1_' } as const;

/** Writes a root key (`secret`) or a node. */
export function writeKeyText(field: 'secret' | 'node', bytes: Uint8Array): string {
  const body = encode(bytes);
  return PREFIXES[field] + body + checkCharacters(crc20(body));
}

/**
 * Returns the 32 bytes of a root key or node. Checks its spelling, its check characters, and that it can be a random
 * key.
 *
 * @param name whose key it is, for messages, which never quote the text.
 * @throws TrefoilError `invalid_keyset`, `weak_key`.
 */
export function readKeyText(field: 'secret' | 'node', text: unknown, name: string): Uint8Array {
  const prefix = PREFIXES[field];
  if (typeof text !== 'string' || !text.startsWith(prefix)) {
    fail('invalid_keyset', `the ${field} of ${name} must be text that begins with "${prefix}"`);
  }
  const body = text.slice(prefix.length, -CHECK_LENGTH);
  const bytes = decode(body);
  if (bytes === null || bytes.length !== NODE_LENGTH) {
    fail('invalid_keyset', `the ${field} of ${name} must hold ${NODE_LENGTH} bytes; it is cut short or mistyped`);
  }
  if (checkCharacters(crc20(body)) !== text.slice(-CHECK_LENGTH)) {
    fail('invalid_keyset', `the ${field} of ${name} is mistyped: its check characters are wrong`);
  }
  const weakness = weaknessOf(bytes);
  if (weakness !== null) {
    fail('weak_key', `the ${field} of ${name} ${weakness}; make root keys with keyset.generate() or trefoil keys new`);
  }
  return bytes;
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
  if (bytes.every((byte, i) => i === 0 || ((byte - bytes[i - 1]!) & 255) === step)) {
    return 'counts up or down, so it is not random';
  }
  return null;
}
