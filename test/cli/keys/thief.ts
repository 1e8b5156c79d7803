/** What the thief of a key file tries, with every key in it and in every way that its keys can be used. */
import { seal, token } from '../../../src/index.ts';
import { keyset } from '../../../src/keys.ts';
import { emailAddress } from '../../../src/prepare.ts';
import { revealAccess } from '../../../src/reveal.ts';

/** A stolen key file, and the domain of the data. */
export interface Theft {
  readonly keys: string;
  readonly domain: string;
}

interface Entry {
  readonly id: string;
  readonly secret?: string;
  readonly base?: string;
}

/**
 * The keysets that the thief can make of the file: each root key over its base, over each other root key, and as a key
 * of its own. That of the base alone makes tokens by the keyed function without any permutation.
 */
export function keysetsOf({ keys, domain }: Theft) {
  const roots = (JSON.parse(keys) as { readonly keys: readonly Entry[] }).keys.filter(({ secret }) => secret);
  const files = roots.flatMap(({ id, secret }) => [
    [{ id, secret, primary: true }],
    ...roots
      .filter((one) => one.id !== id)
      .map((one) => [
        { id, secret, primary: true, base: one.id },
        { id: one.id, secret: one.secret },
      ]),
  ]);
  return files.map((list) => keyset.parse(JSON.stringify({ version: 'keyset-v1', keys: list })).domain(domain));
}

/** The part of a labelled token with 128 bits: without label, key id and check characters, which show the key. */
const bodyOf = (text: string) => text.slice(text.indexOf('_') + 6, -4);

/** How many of the tokens a guess meets, whatever key id they show. */
export function tokensMet(theft: Theft, scope: string, guesses: readonly string[], tokens: readonly string[]): number {
  const prepare = scope.endsWith('email') ? { prepare: emailAddress } : {};
  const rule = token({ scope, label: 'any', ...prepare });
  const made = new Set(keysetsOf(theft).flatMap((keys) => rule.bind(keys).protectMany(guesses).map(bodyOf)));
  return tokens.filter((text) => made.has(bodyOf(text))).length;
}

/** What opens of sealed values, with their own key ids and with those of the thief. */
export function opensSealed(theft: Theft, scope: string, values: readonly string[]): string[] {
  const opened = new Set<string>();
  for (const keys of keysetsOf(theft)) {
    const bound = seal({ scope }).bind(keys, revealAccess);
    const own = bound.protect('x').slice(0, 5);
    for (const value of values) {
      for (const text of [value, own + value.slice(5)]) {
        try {
          opened.add(bound.reveal(text as never) as string);
        } catch {
          // It does not open.
        }
      }
    }
  }
  return [...opened].sort();
}
