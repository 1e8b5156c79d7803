/** The lines of a charter about how much may be done in a window: `rate client` and `rate desk`. */

import { isScope } from '../text/items.ts';
import type { Refuse } from '../text/lines.ts';
import type { ForwardVerb, Rate } from './charter.ts';
import type { Arranged } from './order.ts';
import type { People } from './people.ts';
import { type Words, wordsOf } from './words.ts';

/** The largest count of a rate: the most that a number of a charter can say. */
const MOST = 999_999_999;

/**
 * The verbs of clients. Each also gives something back to somebody who guesses (docs/spec/govern/charter-v1.md,
 * "Rates").
 */
const FORWARD: readonly ForwardVerb[] = ['protect', 'blind', 'candidates', 'matches', 'lookup', 'exists', 'renew'];

/** Reads the lines. */
export function readRates(arranged: Arranged, { clients, desks }: People, refuse: Refuse): readonly Rate[] {
  const seen = new Set<string>();
  const rates = [
    ...arranged.all('rate client').map((line) => readRate('client', clients, wordsOf(line, refuse), seen)),
    ...arranged.all('rate desk').map((line) => readRate('desk', desks, wordsOf(line, refuse), seen)),
  ];
  return Object.freeze(rates);
}

/** `rate client HANDLE|* VERB SCOPE|* N per DUR [code-book]`, `rate desk HANDLE|* reveal SCOPE|* N per DUR` */
function readRate(of: Rate['of'], handles: ReadonlyMap<string, unknown>, words: Words, seen: Set<string>): Rate {
  const handle = words.maybe('*') ? '*' : words.name(`* or the handle of a ${of}`);
  if (handle !== '*' && !handles.has(handle)) words.refuse(`the ${of} of the rate is not in the charter`);
  const verb = of === 'client' ? words.oneOf('a verb', FORWARD) : words.oneOf('the verb', ['reveal'] as const);
  const scope = words.other('* or a scope with its kind, as token:person.email', (item) =>
    item === '*' || isScope(item) ? item : null,
  );
  const count = words.number('the count', 1, MOST);
  words.word('per');
  const seconds = words.duration('the window');
  const isCodeBook = of === 'client' && words.maybe('code-book');
  words.end();
  // Two windows of one rate are two limits. Two counts of one window are a contradiction.
  const id = [of, handle, verb, scope, seconds].join(' ');
  if (seen.has(id)) words.refuse('a rate of this handle, verb, scope and window is already in the charter');
  seen.add(id);
  return Object.freeze({ of, handle, verb, scope, count, seconds, isCodeBook });
}
