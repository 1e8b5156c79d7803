/** What is unwise about the rates of a charter. */

import type { Charter, Rate } from '../charter.ts';
import { lineOf } from '../spots.ts';
import { type CharterFinding, refused, warning } from './finding.ts';

/** Verbs whose answers are ciphertexts of `fpe`: with them, a client writes down the code book. */
const ENCIPHERS: readonly Rate['verb'][] = ['protect', 'candidates'];

/**
 * @param spaces how many values the formats of scopes have, by scope with its kind.
 */
export function rateFindings(charter: Charter, spaces: ReadonlyMap<string, bigint>): readonly CharterFinding[] {
  const limited = charter.rates.filter(({ of, verb }) => of === 'client' && ENCIPHERS.includes(verb));
  return [
    ...limited.flatMap((rate) => codeBook(charter, rate, spaces)),
    ...[...charter.clients.keys()]
      .filter((client) => !charter.rates.some(({ of, handle }) => of === 'client' && [client, '*'].includes(handle)))
      .map((client) => {
        const message = 'the client has no rate, and what no rate allows is refused';
        return warning('client-without-rate', lineOf(charter, 'client', client), message);
      }),
  ];
}

/**
 * A client that may protect every value of a small format in one window has the whole code book: the way back, without
 * a warrant.
 */
function codeBook(charter: Charter, rate: Rate, spaces: ReadonlyMap<string, bigint>): readonly CharterFinding[] {
  if (rate.isCodeBook || !(rate.scope === '*' || rate.scope.startsWith('fpe:'))) return [];
  const line = lineOfRate(charter, rate);
  const sizes = rate.scope === '*' ? [...spaces].filter(([scope]) => scope.startsWith('fpe:')) : spacesOf(rate, spaces);
  if (sizes.length === 0) {
    const message =
      'the rate lets a client encipher with fpe, and the size of the format is not known here: with a policy, the check ' +
      'finds whether all its values fit into one window';
    return [warning('space-unknown', line, message)];
  }
  if (sizes.every(([, size]) => size > BigInt(rate.count))) return [];
  const message =
    'the rate holds every value of a format of fpe in one window, so a client can turn every ciphertext of it back; ' +
    'lower it, or write code-book at the end of the line, which states that it is known';
  return [refused('code-book', line, message)];
}

function spacesOf({ scope }: Rate, spaces: ReadonlyMap<string, bigint>): (readonly [string, bigint])[] {
  const size = spaces.get(scope);
  return size === undefined ? [] : [[scope, size]];
}

function lineOfRate(charter: Charter, { of, handle, verb, scope, count }: Rate): number | null {
  return lineOf(charter, 'rate', of, handle, verb, scope, String(count));
}
