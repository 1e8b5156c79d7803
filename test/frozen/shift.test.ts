/**
 * Frozen: the dates of docs/spec/shift-v1.md, which were computed with another implementation. If an output changes
 * here, dates that were protected earlier no longer fit those that are protected later.
 */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { keyset, shiftDate } from '../../src/index.ts';
import { trim } from '../../src/prepare.ts';

const keys = keyset
  .parse(
    JSON.stringify({
      version: 'keyset-v1',
      keys: [
        {
          id: 'frozen',
          primary: true,
          secret: 'trefoil-root-1_med7afeazz3tc4ydw2xkm1nwwzy0e9sdkdjw97dqg7812j3x62a05n2v',
        },
      ],
    }),
  )
  .domain('eu-enclave');

const FROZEN = [
  ['visit', 180, 'none', '7', '2024-02-29', '2024-08-21'],
  ['visit', 180, 'none', '7', '2024-03-01T08:15:00+01:00', '2024-08-22T08:15:00+01:00'],
  ['visit', 180, 'none', 'Zoë', '2024-02-29', '2024-01-06'],
  ['visit', 1, 'none', '7', '1999-12-31', '2000-01-01'],
  ['visit', 3650, 'trim', '7', '2000-03-01', '2008-05-18'],
  ['stay', 180, 'none', '7', '2024-02-29', '2023-11-14'],
  ['visit', 181, 'none', '7', '2024-02-29', '2023-12-20'],
  ['visit', 180, 'trim', '7', '2024-02-29', '2023-11-05'],
] as const;

test.each(FROZEN)('%s, %i days, steps %s, subject %s: %s is %s', (scope, days, steps, subject, date, shifted) => {
  const rule = shiftDate({ scope, days, subject: 'who', ...(steps === 'trim' ? { prepareSubject: trim } : {}) });
  expect(rule.bind(keys).protect(date, { subject })).toBe(shifted);
});

test('the specification has the same dates', () => {
  const page = readFileSync(new URL('../../docs/spec/shift-v1.md', import.meta.url), 'utf8');
  const rows = [...page.matchAll(/^\| (`.*`) \| `(.*)` \|$/gm)].map(([, given, result]) => [
    ...given!.replaceAll('`', '').split(', '),
    result,
  ]);
  expect(rows).toEqual(FROZEN.map((row) => row.map(String)));
});
