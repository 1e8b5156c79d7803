/** The keys for tests of rules: two roots and two domains, the same in every run. */
import { keyset, type TrefoilError } from '../../src/index.ts';
import { keysetJson, testRoot } from '../reference/tree.ts';

export const ROOT = testRoot('rules');
export const DOMAIN = 'eu';
export const keys = keyset.parse(keysetJson(ROOT)).domain(DOMAIN);
export const otherDomain = keyset.parse(keysetJson(ROOT)).domain('us');
export const otherKeyset = keyset.parse(keysetJson(testRoot('other rules'))).domain(DOMAIN);
export const pinned = keyset.parse(keysetJson(ROOT)).domain(DOMAIN, { keyCheck: keys.keyCheck });

/** Returns the error that a function throws. */
export function thrown(run: () => unknown): TrefoilError {
  try {
    run();
  } catch (error) {
    return error as TrefoilError;
  }
  throw new Error('nothing was thrown');
}

/** Returns the code of the error that a function throws. */
export const codeOf = (run: () => unknown): string => thrown(run).code;
