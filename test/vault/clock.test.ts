/** A clock that jumps while a vault is open. test/cli/vault/faults.test.ts has clocks that differ between processes. */
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { keyset } from '../../src/index.ts';
import { revealAccess } from '../../src/reveal.ts';
import { memoryStore, vault } from '../../src/vault.ts';

const DAY = 86_400_000;
const begin = Date.UTC(2026, 5, 1, 12);
const keys = keyset.generate().domain('eu-enclave');
const code = (work: Promise<unknown>) =>
  work.then(
    () => 'no error',
    (error) => error.code ?? error.message,
  );

beforeAll(() => {
  vi.useFakeTimers({ toFake: ['Date'] });
});
afterAll(() => {
  vi.useRealTimers();
});

test('a clock that goes back and forth: nothing expires early, and nothing that has expired is found again', async () => {
  const at = (days: number) => vi.setSystemTime(begin + days * DAY);
  at(0);
  const store = memoryStore();
  const open = await vault({ scope: 's', store: 'main', ttl: 30 }).open(keys, { main: store }, revealAccess);
  const ada = await open.protect('Ada');

  at(-400);
  expect(await open.protect('Ada')).toBe(ada);
  expect(await open.reveal(ada)).toBe('Ada');
  expect(await open.expire()).toBe(0);
  // A mapping that is made while the clock is wrong is kept as long as the others.
  const grace = await open.protect('Grace');
  const rows = await store.scan('value', { after: null, limit: 10 });
  expect(new Set(rows.map(({ expires }) => expires))).toEqual(new Set([Math.floor(begin / DAY) + 31]));

  at(30);
  expect(await open.revealMany([ada, grace])).toEqual(['Ada', 'Grace']);
  at(31);
  expect(await code(open.reveal(ada))).toBe('unknown_token');
  expect(await open.lookup('Ada')).toBeNull();
  const again = await open.protect('Ada');
  expect(again).not.toBe(ada);

  at(-400);
  // A mapping that has expired stays expired.
  expect(await code(open.reveal(grace))).toBe('unknown_token');
  expect(await open.lookup('Grace')).toBeNull();
  expect(await open.protect('Ada')).toBe(again);
  expect(await open.reveal(again)).toBe('Ada');
  expect(await open.expire()).toBe(2);
  expect((await open.stats()).tables).toMatchObject({ value: { rows: 1 }, token: { rows: 1 } });
  expect((await open.verify()).broken).toBe(0);
});
