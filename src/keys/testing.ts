/** Keysets for tests, which are public (docs/spec/keyset-v1.md, "Test keys"). */

import { checkName } from '../core/checks.ts';
import { type Keyset, keysetOf, newRootKey } from './keyset.ts';
import { testKey } from './test-keys.ts';

/**
 * Returns the public test keyset of a name: the same keys on every machine and in every version, so that a snapshot of
 * protected values does not change. It opens only the domains `test` and `test-…`. Every other domain is refused with
 * `public_test_keys`, also after the keyset was exported to a file and read again.
 *
 * **Warning**: everybody can compute these keys. What they protect is not protected.
 *
 * @param name 1 to 64 characters of `a-z`, `0-9`, `.`, `_`, `-`, the first a letter or digit. It is also the id of the
 *   root key.
 * @throws TypeError, RangeError for another name.
 *
 * @example
 * ```ts
 * import { token } from 'trefoil';
 * import { testKeyset } from 'trefoil/testing';
 *
 * const keys = testKeyset('orders').domain('test');
 * token({ scope: 'person' }).bind(keys).protect('10017'); // → 'xyyq4w6e5bmq70dpr28x3bqke09v678jeqv'
 * ```
 */
export function testKeyset(name: string): Keyset {
  checkName('name', name);
  return keysetOf([{ ...newRootKey([], {}), id: name, secret: testKey(name) }]);
}
