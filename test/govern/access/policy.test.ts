/**
 * Policies with governed keys: nothing is revealed without a warrant, everything that will be revealed is noted before,
 * and what became of it afterwards.
 */
import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { papersOf, warrantCapability } from '../../../src/core/capability.ts';
import { TrefoilError } from '../../../src/errors.ts';
import { card } from '../../../src/format.ts';
import { each, fpe, keep, keyset, optional, policy, seal, token } from '../../../src/index.ts';
import { withPlace } from '../../../src/keys/domain-keys.ts';
import { revealAccess } from '../../../src/reveal.ts';
import { memoryStore, vault } from '../../../src/vault.ts';
import { codeOf } from '../../helpers/errors.ts';
import { anyWarrant, recording, total } from './recording-place.ts';

const root = keyset.generate();
const plain = root.domain('eu-enclave');

const id = token({ scope: 'person', label: 'cust' });
const name = seal({ scope: 'person.name' });
const people = policy({ id, name, city: keep }, { subject: 'id' });
const rows = [
  { id: 1, name: 'Ada', city: 'Oslo' },
  { id: 2, name: 'Bob', city: 'Rome' },
  { id: 1, name: null, city: 'Bonn' },
];
const safe = people.bind(plain).protectMany(rows);

describe('without a warrant', () => {
  const { keys, events } = recording(plain);

  it('governed keys protect as before', async () => {
    expect(people.bind(keys).protectMany(rows)).toEqual(safe);
    expect(await (await people.open(keys, {})).protectMany(rows)).toEqual(safe);
    expect(name.bind(keys).protect('Ada')).toBe(safe[0]!.name);
    expect(events).toEqual([]);
  });

  it('reveal nothing: rules, policies, and policies with stores', async () => {
    expect(codeOf(() => name.bind(keys, revealAccess))).toBe('warrant_required');
    expect(codeOf(() => people.bind(keys, revealAccess))).toBe('warrant_required');
    await expect(people.open(keys, {}, revealAccess)).rejects.toMatchObject({ code: 'warrant_required' });
    const held = vault({ scope: 'person.name', store: 'main' });
    await expect(held.open(keys, { main: memoryStore() }, revealAccess)).rejects.toMatchObject({
      code: 'warrant_required',
    });
    expect(events).toEqual([]);
  });

  it('stay governed when a policy pins them', () => {
    const pinning = policy({ name }, { keyCheck: plain.keyCheck, domain: 'eu-enclave' });
    expect(codeOf(() => pinning.bind(keys, revealAccess))).toBe('warrant_required');
  });

  it('a vault is not asked either: look-ups, exports and moves', async () => {
    const open = await vault({ scope: 'person.name', store: 'main' }).open(keys, { main: memoryStore() });
    const made = await open.protect('Ada');
    for (const refused of [() => open.lookup('Ada'), () => open.exists(made), () => open.rekey()]) {
      await expect(refused()).rejects.toMatchObject({ code: 'warrant_required' });
    }
    expect(codeOf(() => open.export())).toBe('warrant_required');
    expect(await open.verify()).toMatchObject({ broken: 0 });
  });

  it('cannot be governed twice, so that no second place takes the first one out', () => {
    expect(() => withPlace(keys, { grant: () => Promise.reject(new Error('never')) })).toThrow(TypeError);
  });
});

describe('a warrant', () => {
  it('is for governed keys and for policy.open', async () => {
    const { keys } = recording(plain);
    await expect(people.open(plain, {}, anyWarrant)).rejects.toThrow(/expected governed keys/);
    expect(() => people.bind(keys, anyWarrant as never)).toThrow(/a warrant is for policy.open/);
    expect(() => name.bind(keys, anyWarrant as never)).toThrow(/a warrant is for policy.open/);
  });

  it('shows nothing of its papers', () => {
    const access = warrantCapability(() => ({ note: 'SECRET-NOTE', dossier: 'SECRET-DOSSIER' }));
    const shown = [String(access), JSON.stringify(access), inspect(access, { showHidden: true, depth: 9 })].join();
    expect(shown).not.toContain('SECRET');
    expect(Object.keys(access)).toEqual([]);
    expect(papersOf(access)).toEqual({ note: 'SECRET-NOTE', dossier: 'SECRET-DOSSIER' });
    for (const other of [revealAccess, {}, null, { '~trefoil.capability': 'warrant' }]) {
      expect(papersOf(other)).toBeUndefined();
    }
  });

  it('is granted with the scopes and the subject of the policy, before the stores are read', async () => {
    const before: number[] = [];
    const { keys, events } = recording(plain);
    const watched = new Proxy(memoryStore(), {
      get(target, verb, self) {
        if (verb === 'open') before.push(events.length);
        return Reflect.get(target, verb, self) as unknown;
      },
    });
    const mixed = policy({
      id,
      name: vault({ scope: 'person.name', store: 'main' }),
      other: seal({ scope: 'b' }),
      same: seal({ scope: 'b' }),
      city: keep,
    });
    await mixed.open(keys, { main: watched }, anyWarrant);
    expect(Math.min(...before)).toBe(1);
    expect(events).toEqual([
      {
        kind: 'grant',
        facts: {
          verb: 'reveal',
          domain: 'eu-enclave',
          scopes: ['seal:b', 'vault:main/person.name'],
          bound: [],
          subject: null,
        },
      },
    ]);
  });

  it('that is refused opens no policy', async () => {
    const refusal = new TrefoilError([{ code: 'warrant_exceeds', message: 'no' }]);
    const keys = withPlace(plain, { grant: () => Promise.reject(refusal) });
    await expect(people.open(keys, {}, anyWarrant)).rejects.toBe(refusal);
  });
});

describe('a batch', () => {
  it('is noted with its values and its people, revealed, and noted as done', async () => {
    const { keys, events } = recording(plain);
    const open = await people.open(keys, {}, anyWarrant);
    expect(await open.revealMany(safe)).toEqual(safe.map((row, i) => ({ ...row, name: rows[i]!.name })));
    expect(events.slice(1)).toEqual([
      {
        kind: 'use',
        batch: {
          verb: 'reveal',
          values: new Map([['seal:person.name', 2]]),
          // The third record has no name, so nobody's is revealed.
          subjects: [safe[0]!.id, safe[1]!.id],
          withoutSubject: 0,
        },
      },
      { kind: 'done', outcome: { opened: 2, failed: 0, refused: 0 } },
    ]);
  });

  it('is not revealed before its use is granted: the store is not read', async () => {
    const order: string[] = [];
    const store = memoryStore();
    const held = policy({ id, name: vault({ scope: 'person.name', store: 'main' }) }, { subject: 'id' });
    const row = await (await held.open(plain, { main: store })).protect({ id: 1, name: 'Ada' });
    const watched = new Proxy(store, {
      get(target, verb, self) {
        if (verb === 'get') order.push('read');
        return Reflect.get(target, verb, self) as unknown;
      },
    });
    let release = (): void => {};
    const waiting = new Promise<void>((resolve) => {
      release = resolve;
    });
    const { keys } = recording(plain, {
      async onUse() {
        order.push('asked');
        await waiting;
        order.push('granted');
      },
    });
    const open = await held.open(keys, { main: watched }, anyWarrant);
    order.length = 0;
    const revealed = open.reveal(row);
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(order).toEqual(['asked']);
    release();
    expect(await revealed).toEqual({ ...row, name: 'Ada' });
    expect(order.slice(0, 3)).toEqual(['asked', 'granted', 'read']);
  });

  it('is not revealed if its use is refused', async () => {
    const refusal = new TrefoilError([{ code: 'budget_spent', message: 'the warrant has no values left' }]);
    const { keys, events } = recording(plain, {
      onUse() {
        throw refusal;
      },
    });
    const open = await people.open(keys, {}, anyWarrant);
    await expect(open.reveal(safe[0]!)).rejects.toBe(refusal);
    await expect(open.revealMany(safe, { onReject: () => {} })).rejects.toBe(refusal);
    expect(events.map(({ kind }) => kind)).toEqual(['grant']);
  });

  it('is not returned if its end cannot be noted', async () => {
    const broken = new TrefoilError([{ code: 'log_stopped', message: 'the log has stopped' }]);
    const { keys } = recording(plain, {
      onDone() {
        throw broken;
      },
    });
    const open = await people.open(keys, {}, anyWarrant);
    await expect(open.revealMany(safe)).rejects.toBe(broken);
  });

  it('without a value to reveal is no use', async () => {
    const { keys, events } = recording(plain);
    const open = await people.open(keys, {}, anyWarrant);
    expect(await open.revealMany([])).toEqual([]);
    expect(await open.reveal(safe[2]!)).toEqual(safe[2]);
    expect(events.map(({ kind }) => kind)).toEqual(['grant']);
  });

  it('counts values that fail, and those of records that were rejected before', async () => {
    const { keys, uses, outcomes } = recording(plain);
    const open = await people.open(keys, {}, anyWarrant);
    const bad = [{ ...safe[0]!, name: `${safe[0]!.name!.slice(0, -1)}x` }, { ...safe[1]!, unknown: 1 }, safe[1]!];
    const issues: unknown[] = [];
    const back = await open.revealMany(bad as never, { onReject: ({ code, row }) => issues.push([row, code]) });
    expect(back).toEqual([{ ...safe[1]!, name: 'Bob' }]);
    expect(issues).toEqual([
      [1, 'reveal_failed'],
      [2, 'unnamed_field'],
    ]);
    // The record with an unknown field is rejected before anything waits, so its value is never asked for.
    expect(uses().map(total)).toEqual([2]);
    expect(outcomes()).toEqual([{ opened: 1, failed: 1, refused: 0 }]);
  });

  it('counts as refused what is not tried because another field of the record has failed', async () => {
    const two = policy({ a: name, b: seal({ scope: 'b' }) });
    const row = two.bind(plain).protect({ a: 'Ada', b: 'x' });
    const { keys, outcomes } = recording(plain);
    const open = await two.open(keys, {}, anyWarrant);
    await expect(open.reveal({ ...row, a: row.b as never })).rejects.toMatchObject({ code: 'reveal_failed' });
    expect(outcomes()).toEqual([{ opened: 0, failed: 1, refused: 1 }]);
  });

  it('says how many values are in records that do not say whose they are', async () => {
    const loose = policy({ id: optional(id), name, tags: each(name) }, { subject: 'id' });
    const made = loose.bind(plain).protectMany([
      { id: 1, name: 'Ada', tags: ['a', 'b', null] },
      { id: null, name: 'Bob', tags: ['c'] },
      { name: null, tags: [] },
    ]);
    const { keys, uses } = recording(plain);
    const open = await loose.open(keys, {}, anyWarrant);
    await open.revealMany(made);
    expect(uses()).toEqual([
      {
        verb: 'reveal',
        values: new Map([['seal:person.name', 5]]),
        subjects: [made[0]!.id],
        withoutSubject: 2,
      },
    ]);
  });

  it('reveals for code what code gets: numbers and dates', async () => {
    const typed = policy({
      born: seal({ scope: 'born', value: 'date' }),
      size: seal({ scope: 'size', value: 'integer' }),
    });
    const row = { born: new Date('1815-12-10T00:00:00Z'), size: 7 };
    const { keys } = recording(plain);
    const open = await typed.open(keys, {}, anyWarrant);
    expect(await open.reveal(typed.bind(plain).protect(row))).toEqual(row);
  });

  it('finds the key of fields that do not show theirs by the other fields of the record', async () => {
    const cards = policy(
      { name, pan: fpe({ scope: 'card.pan', format: card() }) },
      { domain: 'eu-enclave', keyCheck: plain.keyCheck },
    );
    const row = cards.bind(plain).protect({ name: 'Ada', pan: '4111111111111111' });
    const { keys, uses, outcomes } = recording(plain);
    const open = await cards.open(keys, {}, anyWarrant);
    expect(await open.reveal(row)).toEqual({ name: 'Ada', pan: '4111111111111111' });
    expect(uses()[0]!.values).toEqual(
      new Map([
        ['seal:person.name', 1],
        ['fpe:card.pan', 1],
      ]),
    );
    expect(outcomes()).toEqual([{ opened: 2, failed: 0, refused: 0 }]);
  });

  it('of which a store has erased a value counts it as failed', async () => {
    const store = memoryStore();
    const rule = vault({ scope: 'person.name', store: 'main', onErased: 'missing' });
    const held = policy({ name: rule });
    const all = await held.open(plain, { main: store });
    const made = await all.protectMany([{ name: 'Ada' }, { name: 'Bob' }]);
    await (await rule.open(plain, { main: store }, revealAccess)).forget(made[0]!.name!);
    const { keys, outcomes } = recording(plain);
    const open = await held.open(keys, { main: store }, anyWarrant);
    expect(await open.revealMany(made)).toEqual([{ name: null }, { name: 'Bob' }]);
    expect(outcomes()).toEqual([{ opened: 1, failed: 1, refused: 0 }]);
  });

  it('of which a store fails counts everything as failed, and tells the reason of the store', async () => {
    const store = memoryStore();
    const held = policy({ name: vault({ scope: 'person.name', store: 'main' }), other: name });
    const row = await (await held.open(plain, { main: store })).protect({ name: 'Ada', other: 'x' });
    let isBroken = false;
    const broken = new Proxy(store, {
      get(target, verb, self) {
        if (verb === 'get' && isBroken) return () => Promise.reject(new Error('disk'));
        return Reflect.get(target, verb, self) as unknown;
      },
    });
    const { keys, outcomes } = recording(plain);
    const open = await held.open(keys, { main: broken }, anyWarrant);
    isBroken = true;
    await expect(open.reveal(row)).rejects.toThrow('disk');
    expect(outcomes()).toEqual([{ opened: 0, failed: 1, refused: 1 }]);
  });

  it('is protected as before by a policy that was opened with a warrant', async () => {
    const { keys, events } = recording(plain);
    const open = await people.open(keys, {}, anyWarrant);
    expect(await open.protectMany(rows)).toEqual(safe);
    expect(await open.protectColumns({ id: [1], name: ['Ada'], city: ['Oslo'] })).toEqual({
      id: [safe[0]!.id],
      name: [safe[0]!.name],
      city: ['Oslo'],
    });
    expect(events.map(({ kind }) => kind)).toEqual(['grant']);
  });
});

describe('values that must be bound to their people', () => {
  const rule = vault({ scope: 'person.name', store: 'main', subject: 'id' });
  const bound = policy({ id, name: rule, city: keep }, { subject: 'id' });

  async function setting(allowed: readonly string[]) {
    const store = memoryStore();
    const stores = { main: store };
    const made = await (await bound.open(plain, stores)).protectMany(rows);
    const tokens = new Map(allowed.map((text) => [id.bind(plain).protect(text) as string, text]));
    const recorded = recording(plain, { personOf: (subject) => tokens.get(subject) ?? null });
    return { made, stores, ...recorded, open: await bound.open(recorded.keys, stores, anyWarrant) };
  }

  it('are known before: only a vault with the subject of the policy binds', async () => {
    const { events } = await setting(['1']);
    expect(events[0]).toMatchObject({
      facts: { scopes: ['vault:main/person.name'], bound: ['vault:main/person.name'] },
    });
    for (const other of [
      policy({ id, name: rule }),
      policy({ id, city: token({ scope: 'city' }), name: rule }, { subject: 'city' }),
      policy(
        { id, name: rule, more: vault({ scope: 'person.name', store: 'main', subject: 'more2' }), more2: id },
        { subject: 'id' },
      ),
    ]) {
      const { keys, events: of } = recording(plain);
      await other.open(keys, { main: memoryStore() }, anyWarrant);
      expect(of[0]).toMatchObject({ facts: { bound: [] } });
    }
  });

  it('are revealed for their person', async () => {
    const { made, open, outcomes } = await setting(['1', '2']);
    expect(await open.revealMany(made)).toEqual(made.map((row, i) => ({ ...row, name: rows[i]!.name })));
    expect(outcomes()).toEqual([{ opened: 2, failed: 0, refused: 0 }]);
  });

  it('amendment 1: a requester puts another person’s value beside the name of the person of the warrant', async () => {
    const { made, open, outcomes } = await setting(['1']);
    const swapped = [{ ...made[0]!, name: made[1]!.name }, made[0]!];
    const issues: unknown[] = [];
    const back = await open.revealMany(swapped, {
      onReject: ({ code, row, field }) => issues.push([row, field, code]),
    });
    expect(back).toEqual([{ ...made[0]!, name: 'Ada' }]);
    expect(issues).toEqual([[1, 'name', 'other_subject']]);
    expect(outcomes()).toEqual([{ opened: 1, failed: 1, refused: 0 }]);
  });

  it('are not revealed for a person whom the warrant does not name, nor for one whom the store does not know', async () => {
    const { made, open } = await setting(['1', '3']);
    const stranger = { ...made[0]!, id: id.bind(plain).protect(3) };
    for (const row of [made[1]!, stranger]) {
      await expect(open.reveal(row)).rejects.toMatchObject({ code: 'other_subject' });
    }
  });

  it('are counted apart from a value that is no token, whatever stands before it', async () => {
    const { made, open } = await setting(['1', '2']);
    const bad = [{ ...made[0]!, name: 7 }, made[1]!, { ...made[0]!, name: null }, made[0]!];
    const issues: unknown[] = [];
    const back = await open.revealMany(bad as never, { onReject: ({ code, row }) => issues.push([row, code]) });
    expect((back as { name: unknown }[]).map(({ name: of }) => of)).toEqual(['Bob', null, 'Ada']);
    expect(issues).toEqual([[1, 'wrong_type']]);
  });

  it('of rules that bind to nobody are not revealed, even if a place grants them', async () => {
    const { keys } = recording(plain, { personOf: () => '1' });
    const open = await people.open(keys, {}, anyWarrant);
    await expect(open.reveal(safe[0]!)).rejects.toThrow(/bound to nobody/);
  });
});

describe("the policy's subject", () => {
  it('tells a place what it writes for the text of a person', async () => {
    const { keys, events } = recording(plain);
    const reference = token({ scope: 'person', after: 'Patient/', label: 'cust' });
    await policy({ of: reference, name }, { subject: 'of' }).open(keys, {}, anyWarrant);
    const [event] = events;
    if (event?.kind !== 'grant') throw new Error('no grant');
    const { path, rule, outputOf } = event.facts.subject!;
    const options = ['rule', 'scope', 'after', 'label'];
    expect({ path, rule }).toEqual({
      path: 'of',
      rule: { rule: 'token', scope: 'person', after: 'Patient/', options: expect.any(Array) },
    });
    expect([...rule.options].sort()).toEqual(options.sort());
    expect(outputOf('Patient/4711')).toBe(reference.bind(plain).protect('Patient/4711'));
  });

  it('is a field that protected records have', () => {
    expect(codeOf(() => policy({ id, name }, { subject: 'number' }))).toBe('wrong_option');
    expect(codeOf(() => policy({ ids: each(id) }, { subject: 'ids' }))).toBe('wrong_option');
    expect(() => policy({ ids: each(id) }, { subject: 'ids[]' })).toThrow(RangeError);
    expect(policy({ a: { id } }, { subject: 'a.id' }).subject).toBe('a.id');
  });
});
