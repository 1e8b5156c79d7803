/** The lines of a charter about oversight and change: `protected`, `alert …`, `openings` and `change`. */

import type { Demand } from '../text/items.ts';
import type { Refuse } from '../text/lines.ts';
import type { Alerts, Charter } from './charter.ts';
import type { Arranged } from './order.ts';
import { wordsOf } from './words.ts';

/** The most warrants or openings that a line of this page may count. */
const MOST = 1_000_000;

/** `protected commit sha256:HEX approvals N:ROLE[,…]` */
export function readProtected(arranged: Arranged, countsPeople: boolean, refuse: Refuse): Charter['protected'] {
  const line = arranged.maybe('protected');
  if (line === null) return null;
  const words = wordsOf(line, refuse);
  if (!countsPeople) words.refuse('people are protected, and the charter has no line subject, which says who is one');
  words.word('commit');
  const sha256 = words.digest();
  words.word('approvals');
  const approvals = words.demands();
  words.end();
  return Object.freeze({ sha256, approvals });
}

/** `alert subject N warrants per DUR`, `alert pair PCT% of N`, `alert hours HH-HH` */
export function readAlerts(arranged: Arranged, countsPeople: boolean, refuse: Refuse): Alerts {
  return Object.freeze({
    subject: readSubjectAlert(arranged, countsPeople, refuse),
    pair: readPairAlert(arranged, refuse),
    hours: readHoursAlert(arranged, refuse),
  });
}

function readSubjectAlert(arranged: Arranged, countsPeople: boolean, refuse: Refuse): Alerts['subject'] {
  const line = arranged.maybe('alert subject');
  if (line === null) return null;
  const words = wordsOf(line, refuse);
  if (!countsPeople)
    words.refuse('the alert counts people, and the charter has no line subject, which says who is one');
  const count = words.number('the number of warrants', 1, MOST);
  words.word('warrants');
  words.word('per');
  const seconds = words.duration('the window');
  words.end();
  return Object.freeze({ count, seconds });
}

function readPairAlert(arranged: Arranged, refuse: Refuse): Alerts['pair'] {
  const line = arranged.maybe('alert pair');
  if (line === null) return null;
  const words = wordsOf(line, refuse);
  const percent = words.other('a share from 1% to 100%', (item) => {
    const percent = /^(?:[1-9][0-9]?|100)%$/.test(item) ? Number(item.slice(0, -1)) : null;
    return percent;
  });
  words.word('of');
  const least = words.number('the number of warrants', 1, MOST);
  words.end();
  return Object.freeze({ percent, least });
}

function readHoursAlert(arranged: Arranged, refuse: Refuse): Alerts['hours'] {
  const line = arranged.maybe('alert hours');
  if (line === null) return null;
  const words = wordsOf(line, refuse);
  const hours = words.other('two hours of a day in UTC, as 06-20, the first before the second, at most 24', (item) => {
    const [, from, to] = /^([01][0-9]|2[0-3])-([01][0-9]|2[0-4])$/.exec(item) ?? [];
    return from !== undefined && Number(from) < Number(to) ? { from: Number(from), to: Number(to) } : null;
  });
  words.end();
  return Object.freeze(hours);
}

/** `openings N per DUR` */
export function readOpenings(arranged: Arranged, refuse: Refuse): Charter['openings'] {
  const line = arranged.maybe('openings');
  if (line === null) return null;
  const words = wordsOf(line, refuse);
  const count = words.number('the number of openings', 1, MOST);
  words.word('per');
  const seconds = words.duration('the window');
  words.end();
  return Object.freeze({ count, seconds });
}

/** `change N:keeper` */
export function readChange(arranged: Arranged, refuse: Refuse): readonly Demand[] {
  const words = wordsOf(arranged.one('change'), refuse);
  const change = words.demands();
  words.end();
  if (change.length !== 1 || change[0]!.role !== 'keeper') words.refuse('expected keepers alone, as 2:keeper');
  return change;
}
