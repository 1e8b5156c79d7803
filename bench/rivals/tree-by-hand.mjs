/**
 * Derives the key of a rule by hand (docs/spec/keyset-v1.md), so that a rival computes the same bytes as the library.
 * The root is the public one of the specification's test vectors.
 */
import { createHash, hkdfSync } from 'node:crypto';

const ROOT = createHash('sha256').update('trefoil frozen test root').digest();

/** A keyset with that root, for `keyset.parse`. */
export const KEYSET = JSON.stringify({
  version: 'keyset-v1',
  keys: [
    { id: 'bench', primary: true, secret: 'trefoil-root-1_med7afeazz3tc4ydw2xkm1nwwzy0e9sdkdjw97dqg7812j3x62a05n2v' },
  ],
});

/** encode(x1, ..., xn): each item's length in four bytes, then the item. */
export function list(...items) {
  return Buffer.concat(
    items.flatMap((item) => {
      const bytes = Buffer.from(item);
      const length = Buffer.alloc(4);
      length.writeUInt32BE(bytes.length);
      return [length, bytes];
    }),
  );
}

/** One step down the tree. */
export function child(parent, step, names, length = 32) {
  return Buffer.from(hkdfSync('sha256', parent, 'trefoil keyset-v1', list(step, ...names), length));
}

/** The node of a domain. */
export function domainKey(domain) {
  return child(ROOT, 'domain', [domain]);
}

/** The node of a rule. */
export function ruleKey(domain, kind, scope, parameters) {
  return child(child(child(domainKey(domain), 'kind', [kind]), 'scope', [scope]), 'parameters', parameters);
}
