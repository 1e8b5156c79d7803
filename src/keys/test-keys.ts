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
 * Refuses a domain that is not for tests. A keyset with test keys calls it.
 *
 * @throws TrefoilError `public_test_keys`.
 */
export function checkTestDomain(domain: string): void {
  if (TEST_DOMAIN.test(domain)) return;
  fail(
    'public_test_keys',
    `public test keys open only the domains test and test-…, not ${domain}; run trefoil keys new`,
  );
}
