/**
 * Public test keys (docs/spec/keyset-v1.md, "Test keys"): root keys that everybody can compute, for snapshots of tests.
 *
 * A test key is recognised by its bytes: the second half is a function of the first. So it stays one under any id and
 * in any file, and nothing has to be listed. A random root key has this form with probability 2^-128.
 */

import { concat, equalBytes, utf8 } from '../core/bytes.ts';
import { fail } from '../errors.ts';
import { child, NODE_LENGTH } from './derive.ts';

/** Length of either half of a test key in bytes. */
const HALF = NODE_LENGTH / 2;

/** The domains that test keys open. */
const TEST_DOMAIN = /^test(-|$)/;

/** Computes the test key of a name. */
export function testKey(name: string): Uint8Array {
  const seed = child(utf8('trefoil public test keys'), 'test key', [name], HALF);
  return concat([seed, markOf(seed)]);
}

/** Whether a root key is a test key, of whichever name. */
export function isTestKey(root: Uint8Array): boolean {
  return equalBytes(root.subarray(HALF), markOf(root.subarray(0, HALF)));
}

function markOf(seed: Uint8Array): Uint8Array {
  return child(seed, 'test key mark', [], HALF);
}

/**
 * Refuses test keys in a domain that is not for tests. One test key among others is enough, because its values could be
 * revealed by everybody.
 *
 * @throws TrefoilError `public_test_keys`.
 */
export function checkTestKeys(domain: string, roots: readonly Uint8Array[]): void {
  if (TEST_DOMAIN.test(domain) || !roots.some(isTestKey)) return;
  fail(
    'public_test_keys',
    'the keyset has public test keys, which everybody can compute; they open only the domains test and test-…, ' +
      `and this is the domain ${domain}; make keys with keyset.generate() or trefoil keys new`,
  );
}
