/**
 * The sequencer of a gateway: budgets, refusals, break-glass, rates, the clock, and that a restart knows what was
 * spent. Names of tests that begin with "amendment" are attacks on the design.
 */
import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { openCharter } from '../../../src/govern/charter/succession.ts';
import { writeClock } from '../../../src/govern/warrant/clock.ts';
import { writeRatification } from '../../../src/govern/warrant/ratification.ts';
import { writeRefusal } from '../../../src/govern/warrant/refusal.ts';
import { type LogStore, readEntry } from '../../../src/log.ts';
import {
  CHARTER,
  type Clock,
  charterText,
  codeOf,
  FIRST,
  NOW,
  open,
  person,
  place,
  REQUEST,
  signed,
  TEXT,
  useOf,
  warrantFor,
} from './shared.ts';

const entriesOf = async (log: { entries(): AsyncGenerator<Uint8Array> }) => {
  const entries = [];
  for await (const bytes of log.entries()) entries.push({ ...readEntry(bytes), bytes: bytes.slice() });
  return entries;
};

describe('budgets', () => {
  it('amendment 9: eight requests of 50 under a budget of 50 release 50', async () => {
    const { gate, log } = await open(place().store(), { now: NOW }, { create: true });
    const warrant = await warrantFor();
    await gate.admit(warrant);
    const codes = await Promise.all(Array.from({ length: 8 }, () => codeOf(() => gate.use(useOf(warrant, 50)))));
    expect(codes.filter((code) => code === 'done').length).toBe(1);
    expect(codes.filter((code) => code === 'budget_spent').length).toBe(7);
    await log.close();
  });

  it('amendment 9: a hundred requests at once for the last value open one, before and after a restart', async () => {
    const { store } = place();
    const clock = { now: NOW };
    const first = await open(store(), clock, { create: true });
    const warrant = await warrantFor();
    await first.gate.admit(warrant);
    await first.gate.use(useOf(warrant, 49));
    const all = (gate: typeof first.gate) =>
      Promise.all(Array.from({ length: 100 }, () => codeOf(() => gate.use(useOf(warrant, 1)))));
    expect((await all(first.gate)).filter((code) => code === 'done').length).toBe(1);
    await first.log.close();
    const second = await open(store(), clock);
    expect(new Set(await all(second.gate))).toEqual(new Set(['budget_spent']));
    await second.log.close();
  });

  it('count people over all uses, each once, though every entry seals them anew', async () => {
    const { store } = place();
    const clock = { now: NOW };
    let { gate, log } = await open(store(), clock, { create: true });
    const warrant = await warrantFor();
    await gate.admit(warrant);
    await gate.use(useOf(warrant, 1, [person(1)]));
    await gate.use(useOf(warrant, 1, [person(1), person(2)]));
    await log.close();
    ({ gate, log } = await open(store(), clock));
    expect(await codeOf(() => gate.use(useOf(warrant, 1, [person(3)])))).toBe('budget_spent');
    expect(await codeOf(() => gate.use(useOf(warrant, 1, [person(2)])))).toBe('done');
    const uses = (await entriesOf(log)).flatMap(({ event }) => (event?.kind === 'use' ? [event] : []));
    expect(uses.map(({ n }) => n)).toEqual([1, 2, 3]);
    const sealed = uses.flatMap(({ subjects }) => subjects);
    expect(new Set(sealed).size).toBe(4);
    expect(sealed.some((text) => text.includes(person(1)))).toBe(false);
    await log.close();
  });

  it('are spent by a use whose entry could not be written', async () => {
    const { store } = place();
    const clock = { now: NOW };
    const first = await open(store(), clock, { create: true });
    const warrant = await warrantFor();
    await first.gate.admit(warrant);
    await first.log.close();
    let isFull = false;
    const inner = store();
    const failing: LogStore = {
      ...inner,
      writeJournal: (bytes) => (isFull ? Promise.reject(new Error('disk full')) : inner.writeJournal(bytes)),
    };
    const second = await open(failing, clock);
    isFull = true;
    expect(await codeOf(() => second.gate.use(useOf(warrant, 30)))).not.toBe('done');
    expect(await codeOf(() => second.gate.use(useOf(warrant, 30)))).toBe('budget_spent');
    expect(await codeOf(() => second.gate.use(useOf(warrant, 20)))).toBe('log_stopped');
    await second.log.close();
  });

  it('do not take another scope than the warrant has', async () => {
    const { gate, log } = await open(place().store(), { now: NOW }, { create: true });
    const warrant = await warrantFor();
    await gate.admit(warrant);
    const other = { ...useOf(warrant, 1), scopes: { 'seal:person.mail': 1 } };
    expect(await codeOf(() => gate.use(other))).toBe('warrant_exceeds');
    expect(await codeOf(() => gate.use({ ...useOf(warrant, 1), warrant: '0'.repeat(64) }))).toBe('warrant_invalid');
    await log.close();
  });
});

describe('the order of the log', () => {
  it('amendment 17: an id belongs to the first text that has it', async () => {
    const { gate, log } = await open(place().store(), { now: NOW }, { create: true });
    const random = (length: number) => new Uint8Array(length).fill(7);
    const one = await warrantFor({}, { random });
    const two = await warrantFor({ values: 49 }, { random });
    expect([one.warrant.id, one.sha256 === two.sha256]).toEqual([two.warrant.id, false]);
    await gate.admit(one);
    expect(await codeOf(() => gate.admit(two))).toBe('id_taken');
    expect(await codeOf(() => gate.admit(one))).toBe('done');
    expect((await entriesOf(log)).filter(({ kind }) => kind === 'warrant').length).toBe(1);
    await log.close();
  });

  it('amendment 20: a refusal ends a warrant, also one that has been used, and after a restart', async () => {
    const { store } = place();
    const clock = { now: NOW };
    let { gate, log } = await open(store(), clock, { create: true });
    const warrant = await warrantFor();
    await gate.admit(warrant);
    await gate.use(useOf(warrant, 1));
    const refusal = writeRefusal({
      warrant: warrant.sha256,
      officer: 'bela',
      at: NOW,
      why: 'The ticket was closed in March.',
    });
    for (let i = 0; i < 3; i++) await gate.refuse(await signed(refusal.text, ['bela'], 'refusal@trefoil'));
    expect((await entriesOf(log)).filter(({ kind }) => kind === 'refusal').length).toBe(1);
    expect(await codeOf(() => gate.use(useOf(warrant, 1)))).toBe('warrant_refused');
    expect(await codeOf(() => gate.admit(warrant))).toBe('warrant_refused');
    await log.close();
    ({ gate, log } = await open(store(), clock));
    expect(await codeOf(() => gate.use(useOf(warrant, 1)))).toBe('warrant_refused');
    await log.close();
  });

  it('amendment 20: a newer charter voids the warrants under the one before', async () => {
    const { store } = place();
    const clock = { now: NOW };
    let { gate, log } = await open(store(), clock, { create: true });
    const warrant = await warrantFor();
    await gate.admit(warrant);
    const next = await signed(charterText(2, FIRST), ['eva'], 'charter@trefoil');
    expect((await gate.changeCharter(next)).version).toBe(2);
    expect(await codeOf(() => gate.use(useOf(warrant, 1)))).toBe('charter_outdated');
    expect(await codeOf(() => gate.changeCharter(next))).toBe('charter_outdated');
    await log.close();
    ({ gate, log } = await open(store(), clock));
    expect(gate.charter().version).toBe(2);
    expect(await codeOf(() => gate.use(useOf(warrant, 1)))).toBe('charter_outdated');
    const fresh = await warrantFor({}, { charter: openCharter(next, { previous: CHARTER }) });
    await gate.admit(fresh);
    expect(await codeOf(() => gate.use(useOf(fresh, 1)))).toBe('done');
    await log.close();
  });

  it('the charter of a log is not exchanged for another first one', async () => {
    const { store } = place();
    const { log } = await open(store(), { now: NOW }, { create: true });
    await log.close();
    const other = await signed(TEXT.replace('hours 12', 'hours 700'), ['eva'], 'charter@trefoil');
    expect(await codeOf(() => open(store(), { now: NOW }, { charter: other }))).toBe('charter_outdated');
  });
});

describe('break-glass', () => {
  const GLASS = { purpose: 'safety-of-life', values: 5, subjects: [{ text: '10017' }], seconds: 3600 } as const;
  const glass = (requester: 'chris' | 'dora', now: number) =>
    warrantFor({ ...REQUEST, ...GLASS, requester, desk: `${requester}-desk` }, { by: [requester], now });

  it('is used as often as the charter allows, by one requester and by all', async () => {
    const { store } = place();
    const clock = { now: NOW };
    let { gate, log } = await open(store(), clock, { create: true });
    const results = [];
    for (const requester of ['chris', 'chris', 'chris', 'dora', 'dora'] as const) {
      const warrant = await glass(requester, clock.now);
      await gate.admit(warrant);
      results.push(await codeOf(() => gate.use(useOf(warrant, 1))));
    }
    expect(results).toEqual(['done', 'done', 'glass_spent', 'done', 'glass_spent']);
    await log.close();
    ({ gate, log } = await open(store(), clock));
    const again = await glass('dora', clock.now);
    await gate.admit(again);
    expect(await codeOf(() => gate.use(useOf(again, 1)))).toBe('glass_spent');
    await log.close();
  });

  it('amendment 33: a ratification covers the uses that it names, and no others', async () => {
    const { store } = place();
    const clock = { now: NOW };
    let { gate, log } = await open(store(), clock, { create: true });
    const warrant = await glass('chris', clock.now);
    await gate.admit(warrant);
    const first = await gate.use(useOf(warrant, 1));
    const second = await gate.use(useOf(warrant, 1));
    const bytes = (await entriesOf(log)).map((entry) => entry.bytes);
    const named = (index: number) => ({
      index,
      sha256: createHash('sha256').update(bytes[index]!).digest('hex'),
    });
    const ratify = async (indices: readonly number[]) => {
      const uses = indices.map(named);
      const { text } = writeRatification({ warrant: warrant.sha256, uses, why: 'An ambulance was on its way.' });
      await gate.ratify(await signed(text, ['anna', 'bela'], 'ratification@trefoil'));
    };
    await ratify([first.index]);
    await ratify([first.index]);
    expect((await entriesOf(log)).filter(({ kind }) => kind === 'ratified').length).toBe(1);
    expect(await codeOf(() => ratify([0]))).toBe('warrant_invalid');
    for (let minute = 0; minute < 130; minute++) {
      clock.now += 60;
      await gate.tick();
    }
    const usual = await warrantFor({}, { now: clock.now });
    await gate.admit(usual);
    expect(await codeOf(() => gate.use(useOf(usual, 1)))).toBe('glass_unratified');
    await log.close();
    ({ gate, log } = await open(store(), clock));
    expect(await codeOf(() => gate.use(useOf(usual, 1)))).toBe('glass_unratified');
    await ratify([second.index]);
    expect(await codeOf(() => gate.use(useOf(usual, 1)))).toBe('done');
    await log.close();
  });
});

describe('rates', () => {
  const lease = (count: number, more = {}) =>
    ({ client: 'etl', verb: 'protect', scope: 'token:person.mail', count, ...more }) as const;

  it('amendment 12: what no line allows is refused, and leases are logged before they are spent', async () => {
    const { store } = place();
    const clock = { now: NOW };
    let { gate, log } = await open(store(), clock, { create: true });
    await gate.forward(lease(100));
    await gate.forward(lease(100));
    const forwards = (await entriesOf(log)).flatMap(({ event }) => (event?.kind === 'forward' ? [event] : []));
    expect(forwards.map(({ count }) => count)).toEqual([100, 200]);
    for (const more of [{ client: 'other' }, { scope: 'seal:person.name' }, { verb: 'matches' }]) {
      expect(await codeOf(() => gate.forward(lease(1, more) as never))).toBe('not_in_charter');
    }
    // A crash loses the rest of the lease.
    await log.close();
    ({ gate, log } = await open(store(), clock));
    await gate.forward(lease(20_000));
    expect(await codeOf(() => gate.forward(lease(4701)))).toBe('rate_spent');
    expect(await codeOf(() => gate.forward(lease(4700)))).toBe('done');
    expect(await codeOf(() => gate.forward(lease(1)))).toBe('rate_spent');
    await log.close();
  });

  it('are all there for a client that asks seldom, one value at a time, and for requests that do not fit a lease', async () => {
    const clock = { now: NOW };
    const { gate, log } = await open(place().store(), clock, { create: true });
    for (let i = 0; i < 5; i++) {
      for (let minute = 0; minute < 11; minute++) {
        clock.now += 60;
        await gate.tick();
      }
      await gate.forward(lease(1, { verb: 'lookup', scope: 'vault:people/person.name' }) as never);
    }
    const look = (count: number) =>
      codeOf(() => gate.forward(lease(count, { verb: 'lookup', scope: 'vault:people/person.name' }) as never));
    for (let i = 0; i < 13; i++) expect(await look(7)).toBe('done');
    expect(await look(5)).toBe('rate_spent');
    expect(await look(4)).toBe('done');
    await log.close();
  });

  it('a line for all scopes counts them together', async () => {
    const { gate, log } = await open(place().store(), { now: NOW }, { create: true });
    const look = (scope: string, count: number) => gate.forward(lease(count, { verb: 'lookup', scope }) as never);
    expect(await codeOf(() => look('vault:people/person.name', 60))).toBe('done');
    expect(await codeOf(() => look('vault:people/person.phone', 60))).toBe('rate_spent');
    expect(await codeOf(() => look('vault:people/person.phone', 40))).toBe('done');
    await log.close();
  });

  it('are free again when the window and the lease have passed, and not before', async () => {
    const clock = { now: NOW };
    const { gate, log } = await open(place().store(), clock, { create: true });
    await gate.forward(lease(25_000));
    const later = async (seconds: number) => {
      for (let gone = 0; gone < seconds; gone += 60) {
        clock.now += 60;
        await gate.tick();
      }
    };
    await later(3600);
    expect(await codeOf(() => gate.forward(lease(1)))).toBe('rate_spent');
    await later(660);
    expect(await codeOf(() => gate.forward(lease(1)))).toBe('done');
    await log.close();
  });

  it('limit desks as well: 200 values a day', async () => {
    const { gate, log } = await open(place().store(), { now: NOW }, { create: true });
    const codes = [];
    for (let i = 0; i < 5; i++) {
      const warrant = await warrantFor();
      await gate.admit(warrant);
      codes.push(await codeOf(() => gate.use(useOf(warrant, 50))));
    }
    expect(codes).toEqual(['done', 'done', 'done', 'done', 'rate_spent']);
    await log.close();
  });
});

describe('the clock', () => {
  it('amendment 20: a jump ahead opens nothing until keepers state that the clock is right', async () => {
    const clock: Clock = { now: NOW };
    const { gate, log } = await open(place().store(), clock, { create: true });
    const warrant = await warrantFor({ seconds: 12 * 3600 });
    await gate.admit(warrant);
    clock.now += 3600;
    expect(await codeOf(() => gate.use(useOf(warrant, 1)))).toBe('clock_jumped');
    await gate.tick();
    expect(await codeOf(() => gate.use(useOf(warrant, 1)))).toBe('clock_jumped');
    const say = async (at: number, by: readonly string[]) => {
      const { text } = writeClock({ domain: 'eu-enclave', at, why: 'The host was asleep for an hour.' });
      await gate.setClock(await signed(text, by, 'clock@trefoil'));
    };
    expect(await codeOf(() => say(clock.now, ['anna']))).toBe('warrant_unsigned');
    expect(await codeOf(() => say(clock.now - 3600, ['eva']))).toBe('clock_jumped');
    await say(clock.now, ['eva']);
    expect(await codeOf(() => gate.use(useOf(warrant, 1)))).toBe('done');
    await log.close();
  });

  it('a clock that goes back ends no window and begins none', async () => {
    const clock: Clock = { now: NOW };
    const { gate, log } = await open(place().store(), clock, { create: true });
    const warrant = await warrantFor({ seconds: 600 });
    await gate.admit(warrant);
    clock.now += 500;
    await gate.tick();
    await gate.use(useOf(warrant, 1));
    clock.now += 300;
    await gate.tick();
    await gate.forward({ client: 'etl', verb: 'lookup', scope: 'vault:people/person.name', count: 1 });
    clock.now = NOW;
    expect(await codeOf(() => gate.use(useOf(warrant, 1)))).toBe('warrant_expired');
    await log.close();
  });
});

describe('denials and beats', () => {
  it('amendment 14: no text of a caller reaches the log, and a warrant only if the log has it', async () => {
    const clock: Clock = { now: NOW };
    const { gate, log } = await open(place().store(), clock, { create: true });
    const warrant = await warrantFor();
    await gate.admit(warrant);
    gate.deny('budget_spent', warrant.sha256);
    gate.deny('budget_spent', warrant.sha256);
    gate.deny('warrant_invalid', 'ab'.repeat(32));
    await gate.tick();
    const denials = (await entriesOf(log)).flatMap(({ event }) => (event?.kind === 'deny' ? [event] : []));
    expect(denials).toEqual([
      { kind: 'deny', code: 'budget_spent', count: 2, warrant: warrant.sha256 },
      { kind: 'deny', code: 'warrant_invalid', count: 1 },
    ]);
    await log.close();
  });

  it('a beat is written when nothing else was for nine minutes', async () => {
    const clock: Clock = { now: NOW };
    const { gate, log } = await open(place().store(), clock, { create: true });
    for (let minute = 0; minute < 60; minute++) {
      clock.now += 60;
      await gate.tick();
    }
    const at = (await entriesOf(log)).map((entry) => entry.at);
    for (const [i, time] of at.entries()) if (i > 0) expect(time - at[i - 1]!).toBeLessThanOrEqual(600);
    expect((await entriesOf(log)).filter(({ kind }) => kind === 'beat').length).toBe(6);
    await log.close();
  });
});

describe('a restart', () => {
  it('decides as the running gateway would have: random uses, refusals and restarts', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.record({ warrant: fc.nat(2), count: fc.integer({ min: 1, max: 30 }), who: fc.nat(4) }), {
          maxLength: 12,
        }),
        fc.array(fc.boolean(), { minLength: 12, maxLength: 12 }),
        async (uses, restarts) => {
          const clock = { now: NOW };
          const [one, two] = [place(), place()];
          const warrants = await Promise.all([warrantFor(), warrantFor({ values: 20 }), warrantFor()]);
          const steady = await open(one.store(), clock, { create: true });
          let broken = await open(two.store(), clock, { create: true });
          for (const warrant of warrants) for (const { gate } of [steady, broken]) await gate.admit(warrant);
          for (const [i, { warrant, count, who }] of uses.entries()) {
            if (restarts[i]) {
              await broken.log.close();
              broken = await open(two.store(), clock);
            }
            const request = useOf(warrants[warrant]!, count, [person(who)]);
            const [a, b] = [await codeOf(() => steady.gate.use(request)), await codeOf(() => broken.gate.use(request))];
            expect(b).toBe(a);
          }
          await steady.log.close();
          await broken.log.close();
        },
      ),
      { numRuns: 15 },
    );
  });

  it('notices an entry that was changed on the disk, in a bundle that the head does not show', async () => {
    const { store } = place();
    const { log, gate } = await open(store(), { now: NOW }, { create: true });
    const warrant = await warrantFor();
    await gate.admit(warrant);
    await gate.use(useOf(warrant, 49));
    for (let i = 0; i < 300; i++) gate.deny(`code_${i}`);
    await gate.tick();
    await log.close();
    const inner = store();
    const changed: LogStore = {
      ...inner,
      async read(path, limit) {
        const bytes = await inner.read(path, limit);
        if (path !== 'tile/entries/000' || bytes === null) return bytes;
        const text = new TextDecoder('latin1').decode(bytes).replace('"seal:person.name":49', '"seal:person.name":10');
        return Uint8Array.from(text, (character) => character.charCodeAt(0));
      },
    };
    expect(await codeOf(() => open(changed, { now: NOW }))).toBe('log_broken');
  });
});
