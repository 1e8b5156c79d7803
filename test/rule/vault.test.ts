/** The vault rule alone: what its verbs return, and what they refuse. */
import { describe, expect, test } from 'vitest';
import { keyset } from '../../src/index.ts';
import { revealAccess, secretAccess } from '../../src/reveal.ts';
import { memoryStore, vault } from '../../src/vault.ts';

const keys = keyset.generate().domain('eu-enclave');
const names = vault({ scope: 'person.name', store: 'main', label: 'name' });
const code = (work: Promise<unknown>) =>
  work.then(
    () => 'no error',
    (error) => error.code ?? error.message,
  );

describe('without a subject', () => {
  test('one value, one token, in whatever order and batch; and back', async () => {
    const open = await names.open(keys, { main: memoryStore() }, revealAccess);
    const values = Array.from({ length: 2500 }, (_, i) => `person ${i % 1200}`);
    const tokens = await open.protectMany([...values, null, undefined, '']);
    expect(tokens.slice(-3)).toEqual([null, undefined, '']);
    expect(new Set(tokens.slice(0, 2500)).size).toBe(1200);
    expect(await open.protect('person 7')).toBe(tokens[7]);
    expect(await open.revealMany(tokens as never[])).toEqual([...values, null, undefined, '']);
    expect(tokens[0]).toMatch(/^name_[0-9a-z]{35}$/);
    const stats = await open.stats();
    expect(stats.tables.value.rows).toBe(1200);
    expect(stats.tables.token.rows).toBe(1200);
  });

  test('values of every length', async () => {
    const open = await names.open(keys, { main: memoryStore() }, revealAccess);
    for (const length of [1, 31, 32, 33, 63, 64, 1000, 1_048_575]) {
      const value = 'ü'.repeat(length >> 1) + 'x'.repeat(length & 1);
      expect(await open.reveal(await open.protect(value))).toBe(value);
    }
    expect(await code(open.protect('x'.repeat(1_048_576)))).toBe('too_long');
    expect(await code(open.protect('\ud800'))).toBe('lone_surrogate');
    expect(await code(open.protect(7 as never))).toBe('wrong_type');
  });

  test('lookup makes nothing, exists knows, forget destroys and keeps the pseudonym', async () => {
    const open = await names.open(keys, { main: memoryStore() }, revealAccess);
    expect(await open.lookup('Ada')).toBeNull();
    expect((await open.stats()).tables.value.rows).toBe(0);
    const token = await open.protect('Ada');
    expect(await open.lookup('Ada')).toBe(token);
    expect(await open.exists(token)).toBe(true);
    expect(await open.forget(token)).toBe(true);
    expect(await open.forget(token)).toBe(false);
    expect(await open.exists(token)).toBe(true);
    expect(await open.lookup('Ada')).toBeNull();
    expect(await code(open.reveal(token))).toBe('forgotten');
    expect(await code(open.protect('Ada'))).toBe('erased');
    const verified = await open.verify();
    expect(verified.broken).toBe(0);
  });

  test('onErased: new gives a token that nothing links to the old', async () => {
    const store = memoryStore();
    const fresh = vault({ scope: 'person.name', store: 'main', onErased: 'new' });
    const open = await fresh.open(keys, { main: store }, revealAccess);
    const before = await open.protect('Ada');
    await open.forget(before);
    const after = await open.protect('Ada');
    expect(after).not.toBe(before);
    expect(await open.protect('Ada')).toBe(after);
    expect(await open.reveal(after)).toBe('Ada');
    expect(await code(open.reveal(before))).toBe('forgotten');
    expect((await open.verify()).broken).toBe(0);
  });

  test('a token of another scope, store, domain; a damaged one; none', async () => {
    const store = memoryStore();
    const open = await names.open(keys, { main: store }, revealAccess);
    const token = await open.protect('Ada');
    const other = await vault({ scope: 'person.town', store: 'main' }).open(keys, { main: store }, revealAccess);
    expect(await code(other.reveal(token as never))).toBe('unknown_token');
    expect(await other.exists(token)).toBe(false);
    const empty = await names.open(keys, { main: memoryStore() }, revealAccess);
    expect(await code(empty.reveal(token))).toBe('unknown_token');
    expect(await code(names.open(keyset.generate().domain('eu-enclave'), { main: store }))).toBe('unknown_key');
    const swapped = token.slice(0, -1) + (token.endsWith('0') ? '1' : '0');
    expect(await code(open.reveal(swapped as never))).toBe('malformed_token');
    expect(await code(open.reveal('Ada' as never))).toBe('malformed_token');
  });

  test('two first loads of the same values at the same instant', async () => {
    const store = memoryStore();
    const values = Array.from({ length: 500 }, (_, i) => `v${i}`);
    const loads = await Promise.all(
      Array.from({ length: 6 }, async (_, i) => {
        const open = await names.open(keys, { main: store });
        const order = i % 2 === 0 ? values : values.toReversed();
        const tokens = await open.protectMany(order);
        return new Map(order.map((value, k) => [value, tokens[k]]));
      }),
    );
    for (const value of values) expect(new Set(loads.map((load) => load.get(value))).size).toBe(1);
    const open = await names.open(keys, { main: store });
    expect((await open.stats()).tables.token.rows).toBe(500);
  });
});

describe('with a subject', () => {
  const phones = vault({ scope: 'person.phone', store: 'main', subject: 'id', onErased: 'new' });

  test('two people may share a phone; shredding destroys one of them alone', async () => {
    const open = await phones.open(keys, { main: memoryStore() }, revealAccess);
    const [a, b, again] = await open.protectMany(['+49 30 1', '+49 30 1', '+49 30 1'], { subjects: [1, 2, '1'] });
    expect(a).not.toBe(b);
    expect(again).toBe(a);
    const certificate = (await open.shred(1))!;
    expect(certificate).toMatchObject({
      trefoil: 'vault-v1 certificate',
      destroyed: 'key',
      mappings: 'not known to the store',
      domain: 'eu-enclave',
      store: 'main',
    });
    expect(open.isCertificate(certificate, null)).toBe(true);
    expect(open.isCertificate(certificate, '1')).toBe(true);
    expect(open.isCertificate(certificate, 2)).toBe(false);
    expect(open.isCertificate({ ...certificate, at: '2020-01-01T00:00:00.000Z' }, 1)).toBe(false);
    expect(JSON.stringify(certificate)).not.toContain('+49');
    expect(await code(open.reveal(a!))).toBe('forgotten');
    expect(await open.reveal(b!)).toBe('+49 30 1');
    expect(await open.exists(a!)).toBe(true);
    expect(await open.lookup('+49 30 1', { subject: 1 })).toBeNull();
    const fresh = await open.protect('+49 30 1', { subject: 1 });
    expect(fresh).not.toBe(a);
    expect(await open.reveal(fresh)).toBe('+49 30 1');
    expect(await code(open.reveal(a!))).toBe('forgotten');
    // The subject has another key now, so that another key is destroyed.
    expect((await open.shred(1))!.destroyed).toBe('key');
    expect((await open.shred(1))!.destroyed).toBe('nothing');
    expect(await code(open.reveal(fresh))).toBe('forgotten');
    expect((await open.verify()).broken).toBe(0);
  });

  test('a shredded subject stays so, in all scopes, also one that was shredded in advance', async () => {
    const store = memoryStore();
    const strict = await vault({ scope: 'person.phone', store: 'main', subject: 'id' }).open(
      keys,
      { main: store },
      revealAccess,
    );
    const name = await vault({ scope: 'person.name', store: 'main', subject: 'id' }).open(
      keys,
      { main: store },
      revealAccess,
    );
    const [phone, text] = [await strict.protect('1', { subject: 7 }), await name.protect('Ada', { subject: 7 })];
    await strict.shred('7');
    const before = await store.sizes();
    expect(await strict.shred('never')).toBeNull();
    expect(await store.sizes()).toEqual(before);
    const certificate = (await strict.shred('never', { inAdvance: true }))!;
    expect(certificate.destroyed).toBe('in advance');
    expect(strict.isCertificate(certificate, 'never')).toBe(true);
    expect(strict.isCertificate({ ...certificate, destroyed: 'key' }, 'never')).toBe(false);
    expect((await strict.shred('never', { inAdvance: true }))!.destroyed).toBe('nothing');
    expect(await code(strict.reveal(phone))).toBe('forgotten');
    expect(await code(name.reveal(text))).toBe('forgotten');
    expect(await code(name.protect('Ada', { subject: 7 }))).toBe('erased');
    expect(await code(name.protect('Bob', { subject: 'never' }))).toBe('erased');
    expect(await code(name.protect('Bob'))).toBe('missing_subject');
    expect(await name.forget(text)).toBe(false);
    expect((await name.verify()).broken).toBe(0);
  });

  test('an unknown subject gets no certificate: mistyped, another store or domain, an empty store', async () => {
    const store = memoryStore();
    const open = await phones.open(keys, { main: store }, revealAccess);
    const token = await open.protect('+49 30 1', { subject: 10017 });
    for (const subject of ['99999', ' 10017', '10017 ', '010017', '10017.0', token]) {
      expect(await open.shred(subject)).toBeNull();
    }
    expect(await open.reveal(token)).toBe('+49 30 1');
    for (const [elsewhere, at] of [
      [keys, { main: memoryStore() }],
      [keyset.generate().domain('other'), { main: memoryStore() }],
    ] as const) {
      const empty = await phones.open(elsewhere, at, revealAccess);
      expect(await empty.shred(10017)).toBeNull();
      expect((await empty.stats()).tables.subject.rows).toBe(0);
    }
    const aside = vault({ scope: 'person.phone', store: 'aside', subject: 'id' });
    expect(await code(aside.open(keys, { aside: store }, revealAccess))).toBe('wrong_domain');
    expect((await open.shred(10017))!.destroyed).toBe('key');
  });

  test('a key that somebody took away is not certified as destroyed, and does not come back', async () => {
    const store = memoryStore();
    const open = await phones.open(keys, { main: store }, revealAccess);
    const token = await open.protect('+49 30 1', { subject: 7 });
    const rows = await store.scan('subject', { after: null, limit: 10 });
    const key = rows.find(({ body }) => body.length > 100)!;
    const { generation } = (await store.meta())!;
    expect(await store.change(generation, [{ table: 'subject', index: key.index, from: key.version, to: null }])).toBe(
      true,
    );
    expect((await open.shred(7))!.destroyed).toBe('nothing');
    expect(await store.create(generation, 'subject', [{ row: key }])).toEqual([]);
    expect(await code(open.reveal(token))).toBe('forgotten');
    expect((await open.verify()).broken).toBe(0);
  });

  test('options of shred are checked', async () => {
    const open = await phones.open(keys, { main: memoryStore() }, revealAccess);
    await expect(open.shred(7, { inAdvance: false } as never)).rejects.toThrow(RangeError);
    await expect(open.shred(7, { advance: true } as never)).rejects.toThrow(TypeError);
    await expect(open.shred(7, true as never)).rejects.toThrow(TypeError);
    expect(await code(open.shred(null as never, { inAdvance: true }))).toBe('missing_subject');
    // `undefined` names no subject; `null` means any subject.
    expect(() => open.isCertificate({} as never, undefined as never)).toThrow('the subject is missing or empty');
    expect(open.isCertificate({} as never, null)).toBe(false);
  });
});

describe('time', () => {
  test('a mapping expires, is swept, and comes back as another', async () => {
    const store = memoryStore();
    const open = await vault({ scope: 's', store: 'main', ttl: 30 }).open(keys, { main: store }, revealAccess);
    const token = await open.protect('Ada');
    const day = 86_400_000;
    expect(await open.expire(Date.now() + 30 * day)).toBe(0);
    expect(await open.expire(Date.now() - 1000 * day)).toBe(0);
    expect(await open.reveal(token)).toBe('Ada');
    expect(await open.expire(Date.now() + 31 * day)).toBe(2);
    expect(await code(open.reveal(token))).toBe('unknown_token');
    expect(await open.protect('Ada')).not.toBe(token);
    expect((await open.verify()).broken).toBe(0);
  });

  test('whoever may not forget may not let expire', async () => {
    const store = memoryStore();
    const open = await vault({ scope: 's', store: 'main', ttl: 30 }).open(keys, { main: store });
    for (const verb of ['expire', 'forget', 'shred', 'reveal', 'isCertificate']) expect(verb in open).toBe(false);
  });
});

describe('keys change', () => {
  const roots = [keyset.generate(), keyset.generate()].map((set) => JSON.parse(set.export(secretAccess)).keys[0]);
  const withPrimary = (which: number) =>
    keyset
      .parse(
        JSON.stringify({
          version: 'keyset-v1',
          keys: roots.map((root, i) => ({
            id: root.id,
            secret: root.secret,
            ...(i === which ? { primary: true } : {}),
          })),
        }),
      )
      .domain('eu-enclave');
  const [old, next] = [withPrimary(0), withPrimary(1)];
  const values = Array.from({ length: 1500 }, (_, i) => `v${i}`);

  test('during a roll-out, two primaries: still one token a value', async () => {
    const store = memoryStore();
    const [a, b] = [await names.open(old, { main: store }), await names.open(next, { main: store }, revealAccess)];
    const tokens = await a.protectMany(values);
    expect(await b.protectMany(values)).toEqual(tokens);
    expect(await b.revealMany(tokens)).toEqual(values);
  });

  test('the outer layer changes while others work, and the old key is not needed for it any more', async () => {
    const store = memoryStore();
    const [a, b] = [await names.open(old, { main: store }), await names.open(next, { main: store }, revealAccess)];
    const tokens = await a.protectMany(values);
    await b.forget(tokens[3]!);
    const more = ['w1', 'w2', 'v1', 'v2'];
    const [rekeyed, others] = await Promise.all([b.rekey(), a.protectMany(more)]);
    expect(rekeyed.left).toBe(0);
    expect(others.slice(2)).toEqual(tokens.slice(1, 3));
    expect((await b.stats()).outer).toEqual([next.keyId]);
    const verified = await b.verify();
    expect(verified).toMatchObject({ broken: 0, outer: { [next.keyId]: verified.rows } });
    expect(await a.protectMany(more)).toEqual(others);
    expect(await code(a.protect('v3'))).toBe('erased');
    expect(await b.rekey()).toEqual({ moved: 0, left: 0 });
  });

  test('the inner layer changes for the tokens that are given', async () => {
    const store = memoryStore();
    const [a, b] = [await names.open(old, { main: store }), await names.open(next, { main: store }, revealAccess)];
    const tokens = await a.protectMany(values);
    expect(await b.rekey({ tokens: tokens.slice(0, 700) })).toEqual({ moved: 700, left: 0 });
    expect(await a.protectMany(values)).toEqual(tokens);
    expect(await b.revealMany(tokens)).toEqual(values);
    const verified = await b.verify();
    expect(verified.broken).toBe(0);
    expect(verified.inner).toEqual({ [old.keyId]: 1600, [next.keyId]: 1400 });
    expect(await b.verify({ tokens })).toMatchObject({ broken: 0, rows: 1500 });
    expect(await b.rekey({ tokens })).toEqual({ moved: 800, left: 0 });
    expect(await b.revealMany(tokens)).toEqual(values);
  });
});
