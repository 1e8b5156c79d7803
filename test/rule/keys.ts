/** The keys for tests of rules: two roots and two domains, the same in every run. */
import { keyset } from '../../src/index.ts';
import { keysetJson, testRoot } from '../reference/tree.ts';

export const ROOT = testRoot('rules');
export const DOMAIN = 'eu';
export const keys = keyset.parse(keysetJson(ROOT)).domain(DOMAIN);
export const otherDomain = keyset.parse(keysetJson(ROOT)).domain('us');
export const otherKeyset = keyset.parse(keysetJson(testRoot('other rules'))).domain(DOMAIN);
export const pinned = keyset.parse(keysetJson(ROOT)).domain(DOMAIN, { keyCheck: keys.keyCheck });
