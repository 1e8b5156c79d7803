/** The words of a line of a charter, taken one after the other. An error names what is expected, never what it got. */

import { NAME_PATTERN } from '../../core/checks.ts';
import { TrefoilError } from '../../errors.ts';
import { type Verifier, verifierKey } from '../../note/verifier.ts';
import { type Demand, demandOf, digestOf, durationOf, isScope, wholeOf } from '../text/items.ts';
import type { Line, Refuse } from '../text/lines.ts';

/** Takes the words of a line in their order. */
export interface Words {
  /** Takes a fixed word. */
  readonly word: (word: string) => void;
  /** Takes a fixed word if it is the next one, and returns whether it was. */
  readonly maybe: (word: string) => boolean;
  /** Takes the next word if it begins with a prefix; else `null`. */
  readonly prefixed: (prefix: string) => string | null;
  readonly name: (what: string) => string;
  readonly number: (what: string, least: number, most: number) => number;
  /** Takes a duration, in seconds. */
  readonly duration: (what: string) => number;
  readonly digest: () => string;
  readonly scopes: () => readonly string[];
  readonly demands: () => readonly Demand[];
  /** Takes one of some words. */
  readonly oneOf: <T extends string>(what: string, words: readonly T[]) => T;
  /** Takes a verifier key of type Ed25519. */
  readonly key: () => Verifier;
  /** Takes a word that `read` accepts: it returns `null` for any other. */
  readonly other: <T>(expected: string, read: (item: string) => T | null) => T;
  /** Takes all words that are left. */
  readonly rest: () => readonly string[];
  /** Refuses if a word is left. */
  readonly end: () => void;
  /** Refuses this line. */
  readonly refuse: (message: string) => never;
}

/** The words of a line. */
export function wordsOf(line: Line, refuseText: Refuse): Words {
  const items = [...line.items];
  const refuse = (message: string): never => refuseText(message, line.number);

  function other<T>(expected: string, read: (item: string) => T | null): T {
    const item = items[0];
    if (item === undefined) return refuse(`the line ends where ${expected} is expected`);
    const value = read(item);
    if (value === null) return refuse(`expected ${expected}`);
    items.shift();
    return value;
  }

  function maybe(word: string): boolean {
    if (items[0] !== word) return false;
    items.shift();
    return true;
  }

  return {
    maybe,
    other,
    refuse,
    word: (word) => other(`the word ${word}`, (item) => (item === word ? word : null)),
    prefixed: (prefix) => (items[0]?.startsWith(prefix) === true ? items.shift()! : null),
    name: (what) =>
      other(`${what}: 1 to 64 characters of a-z, 0-9, ".", "_", "-", the first a letter or digit`, (item) =>
        NAME_PATTERN.test(item) ? item : null,
      ),
    number: (what, least, most) =>
      other(`${what}, a whole number from ${least} to ${most}`, (item) => {
        const number = wholeOf(item);
        return number !== null && number >= least && number <= most ? number : null;
      }),
    duration: (what) => other(`${what}, a duration such as 5m, 12h or 7d`, durationOf),
    digest: () => other('sha256: and 64 hexadecimal digits in lower case', digestOf),
    scopes: () => other('scopes with their kinds, as seal:person.name, separated by commas, each once', scopesOf),
    demands: () => other('demands such as 2:approver, separated by commas, each role once', demandsOf),
    oneOf: (what, words) =>
      other(`${what}: ${words.join(', ')}`, (item) => words.find((candidate) => candidate === item) ?? null),
    key: () => other('a verifier key', (item) => noteKeyOf(item, refuse)),
    rest: () => items.splice(0),
    end: () => {
      if (items.length > 0) refuse('the line has more words than its form has');
    },
  };
}

function scopesOf(item: string): readonly string[] | null {
  const scopes = item.split(',');
  return scopes.every(isScope) && new Set(scopes).size === scopes.length ? Object.freeze(scopes) : null;
}

function demandsOf(item: string): readonly Demand[] | null {
  const demands: Demand[] = [];
  for (const part of item.split(',')) {
    const demand = demandOf(part);
    if (demand === null || demand.count === 0 || demands.some(({ role }) => role === demand.role)) return null;
    demands.push(Object.freeze(demand));
  }
  return Object.freeze(demands);
}

/** Reads a verifier key that signs note texts. */
function noteKeyOf(item: string, refuse: (message: string) => never): Verifier {
  let verifier: Verifier;
  try {
    verifier = verifierKey(item);
  } catch (error) {
    if (!(error instanceof TrefoilError) || error.code !== 'note_key_invalid') throw error;
    return refuse(error.issues[0]!.message);
  }
  if (verifier.algorithm !== 'ed25519') refuse('the key cosigns checkpoints (type 4), and a key of type 1 is needed');
  return verifier;
}
