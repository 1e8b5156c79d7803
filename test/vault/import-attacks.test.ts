/**
 * Attacks on exports and imports, under the names of the programs that once showed them. The export or import runs
 * while other processes work, or it is killed. Then a person was missing in an export, a key remained that shredding
 * did not find, or a token was live although its value had another one.
 */
import { describe, expect, test } from 'vitest';
import { keyset } from '../../src/index.ts';
import { openKeys } from '../../src/keys/domain-keys.ts';
import { revealAccess, secretAccess } from '../../src/reveal.ts';
import { readContent } from '../../src/vault/rows/content.ts';
import { subjectKeys } from '../../src/vault/rows/inner.ts';
import { outerLayer } from '../../src/vault/rows/outer.ts';
import { memoryStore, type RevealingVault, type Row, type VaultStore, vault } from '../../src/vault.ts';

const roots = [0, 1].map(() => JSON.parse(keyset.generate().export(secretAccess)).keys[0]);
const withPrimary = (which: number) => {
  const list = roots.map(({ id, secret }, i) => ({ id, secret, primary: i === which }));
  return keyset.parse(JSON.stringify({ version: 'keyset-v1', keys: list })).domain('eu');
};
const [keys, next] = [withPrimary(0), withPrimary(1)];
const people = vault({ scope: 's', store: 'main', subject: 'id' });
const back = vault({ scope: 's', store: 'main', subject: 'id', onErased: 'new' });
const names = vault({ scope: 'n', store: 'main' });

type Verb = Exclude<keyof VaultStore, 'kind'>;
type Hook = (when: 'before' | 'after', verb: Verb, args: readonly unknown[]) => unknown;

const VERBS = ['open', 'meta', 'setMeta', 'get', 'create', 'change', 'scan', 'sweep', 'sizes', 'scrub'] as const;

/** Wraps a store, and does something before and after each of its verbs. */
function hooked(store: VaultStore, on: Hook): VaultStore {
  const out = { ...store } as Record<string, unknown>;
  for (const verb of VERBS) {
    out[verb] = async (...args: readonly unknown[]) => {
      await on('before', verb, args);
      const done = await (store[verb] as (...all: readonly unknown[]) => Promise<unknown>)(...args);
      await on('after', verb, args);
      return done;
    };
  }
  return out as unknown as VaultStore;
}

const WRITES: readonly Verb[] = ['create', 'change', 'setMeta'];

/** The store of a process that is killed after a number of writes: later writes do not reach the store. */
function dying(store: VaultStore, writes: number) {
  const state = { dead: false };
  let left = writes;
  const on: Hook = (when, verb) => {
    if (state.dead) throw Error('dead');
    if (!WRITES.includes(verb)) return;
    if (when === 'before' && left === 0) state.dead = true;
    if (state.dead) throw Error('dead');
    if (when === 'after') left--;
  };
  return { store: hooked(store, on), state };
}

const open = (store: VaultStore, rule = people, as = keys) => rule.open(as, { main: store }, revealAccess);
const linesOf = async (from: Pick<RevealingVault, 'export'>) => {
  const lines: string[] = [];
  for await (const line of from.export()) lines.push(line);
  return lines;
};
const into = (store: VaultStore, lines: readonly string[]) => people.import(keys, { main: store }, [...lines]);
const said = (from: Pick<RevealingVault, 'reveal'>, token: string) =>
  from.reveal(token as never).catch((error) => `! ${error.code}`);
const codeOf = (work: Promise<unknown>) =>
  work.then(
    () => 'no error',
    (error) => error.code ?? error.message,
  );
const subjectRows = (store: VaultStore) => store.scan('subject', { after: null, limit: 1e6 });

/** Returns the live keys to which no live row leads, and the live rows whose key is missing. */
async function apartIn(store: VaultStore): Promise<{ readonly keys: number; readonly rows: number }> {
  const byId = new Map(openKeys(keys).keys.map((key) => [key.id, outerLayer(key, 'main')]));
  const subjects = subjectKeys(openKeys(keys).keys.find(({ id }) => id === first)!, 'main');
  const [seen, led] = [new Set<string>(), new Set<string>()];
  for (const row of await subjectRows(store)) {
    const layer = byId.get(row.key)!;
    const content = readContent(layer.open('subject', row)!)!;
    if (content.state === 'erased') {
      if (content.rest.length === 96) seen.add(`erased ${layer.innerOf(row.index).join()}`);
    } else if (content.rest.length === 96) seen.add(layer.innerOf(row.index).join());
    else led.add(subjects.keyIndexesOf([content.rest]).join());
  }
  const live = [...seen].filter((key) => !key.startsWith('erased'));
  return {
    keys: live.filter((key) => !led.has(key)).length,
    rows: [...led].filter((key) => !seen.has(key) && !seen.has(`erased ${key}`)).length,
  };
}
/** Returns the shown id of the key of subjects. */
const first = openKeys(keys).primary.id;

describe('export-loses, export-half', () => {
  /** Exports a store of a few people, and does something after one of the reads. Returns whether it was done. */
  async function exported(store: VaultStore, look: number, meanwhile: () => Promise<unknown>) {
    let looks = 0;
    const h = hooked(store, async (when, verb) => {
      if (when === 'after' && verb === 'scan' && ++looks === look) await meanwhile();
    });
    const target = memoryStore();
    await into(target, await linesOf(await open(h)));
    return { target, done: looks >= look };
  }

  async function filled(outerKeys: number) {
    const store = memoryStore();
    const from = await open(store);
    for (let i = 0; i < 3; i++) await from.protect(`x${i}`, { subject: `s${i}` });
    if (outerKeys === 1) return { store, from };
    // A change of the outer key that was interrupted.
    const stopped = hooked(store, (when, verb) => {
      if (when === 'before' && verb === 'scan') throw Error('dead');
    });
    await codeOf((await open(stopped, people, next)).rekey());
    await from.protect('x3', { subject: 's3' });
    return { store, from };
  }

  test.each([1, 2])('a new person, at any read of the export; outer keys: %i', async (outerKeys) => {
    let taken = 0;
    for (let look = 1, more = true; more; look++) {
      // Their positions in the order of indexes are random.
      for (let k = 0; k < 8; k++) {
        const { store, from } = await filled(outerKeys);
        let token = '';
        const { target, done } = await exported(store, look, async () => {
          token = await from.protect('Ada', { subject: '7' });
        });
        more = done;
        if (!done) break;
        const to = await open(target);
        expect(await apartIn(target)).toEqual({ keys: 0, rows: 0 });
        expect((await to.verify()).problems).toEqual([]);
        // Either all rows of the person are in the export, or none that needs a missing one.
        const is = await said(to, token);
        expect(['Ada', '! unknown_token']).toContain(is);
        if (is === 'Ada') taken++;
        const other = await to.protect('Zed', { subject: '7' });
        await to.shred('7');
        expect(await said(to, token)).not.toBe('Ada');
        expect(await said(to, other)).toBe('! forgotten');
      }
    }
    expect(taken).toBeGreaterThan(20);
  });

  test('a person who is shredded and protected again, at any read', async () => {
    let taken = 0;
    for (let look = 1, more = true; more; look++) {
      for (let k = 0; k < 6; k++) {
        const { store } = await filled(1);
        const from = await open(store, back);
        const before = await from.protect('Old', { subject: '7' });
        let token = '';
        const { target, done } = await exported(store, look, async () => {
          await from.shred('7');
          token = await from.protect('Ada', { subject: '7' });
        });
        more = done;
        if (!done) break;
        const to = await open(target, back);
        expect(await apartIn(target)).toEqual({ keys: 0, rows: 0 });
        const is = await said(to, token);
        expect(['Ada', '! unknown_token']).toContain(is);
        if (is === 'Ada') taken++;
        if (is === 'Ada') expect(await said(to, before)).toBe('! forgotten');
        await to.shred('7');
        for (const one of [before, token]) expect(await said(to, one)).not.toMatch(/^(Old|Ada)$/);
      }
    }
    expect(taken).toBeGreaterThan(5);
  });

  test('many people: each key is in one part with its row, and after it', async () => {
    const store = memoryStore();
    const from = await open(store, back);
    const values = Array.from({ length: 1300 }, (_, i) => `v${i}`);
    await from.protectMany(values, { subjects: values.map((_, i) => i) });
    // There are erased rows between them.
    for (let i = 0; i < 101; i++) await from.shred(i * 7);
    const lines = await linesOf(from);
    const bodies = (line: string) => Buffer.from(JSON.parse(line).body, 'base64url').length;
    const parts = lines.flatMap((line, i) => (line.startsWith('{"part"') ? [i] : []));
    const rows = lines.slice(1).filter((line) => line.includes('"table":"subject"'));
    expect(rows.length).toBe(2600);
    expect(rows.filter((line) => bodies(line) === 127).length).toBe(1300);
    for (const [i, end] of parts.entries()) expect(end - (parts[i - 1] ?? 0) - 1).toBeLessThanOrEqual(1000);
    const target = memoryStore();
    expect(await into(target, lines)).toMatchObject({ rows: 5200, written: 5200 });
    // Cut off after any part: no key is without its row, and no row without its key.
    for (const end of parts.slice(0, -1)) {
      const cut = memoryStore();
      expect(await codeOf(into(cut, lines.slice(0, end + 1)))).toBe('export_refused');
      expect(await apartIn(cut)).toEqual({ keys: 0, rows: 0 });
    }
    expect(await apartIn(target)).toEqual({ keys: 0, rows: 0 });
  });
});

/** Two stores that were filled independently, both with subject 7. */
async function filledApart() {
  const [store, other] = [memoryStore(), memoryStore()];
  const [here, there] = [await open(store), await open(other)];
  const mine = await here.protect('Ada', { subject: '7' });
  const theirs = await there.protect('Bob', { subject: '7' });
  const more = await there.protect('Cyd', { subject: '8' });
  return { store, here, there, mine, theirs, more, lines: await linesOf(there) };
}

describe('import-dies', () => {
  test('after any write, a subject with two keys is shredded whole, and the import run again ends it', async () => {
    for (let writes = 0; ; writes++) {
      const { store, here, mine, theirs, more, lines } = await filledApart();
      const { store: dies, state } = dying(store, writes);
      await into(dies, lines).catch(() => {});
      expect(await apartIn(store)).toEqual({ keys: 0, rows: 0 });
      expect(await said(here, theirs)).not.toBe('Bob');
      if (writes % 2 === 1) await into(store, lines);
      expect((await here.shred('7'))?.destroyed).toBe('key');
      for (const token of [mine, theirs]) expect(await said(here, token)).not.toMatch(/^(Ada|Bob)$/);
      expect(await into(store, lines)).toMatchObject({ conflicts: 0 });
      for (const token of [mine, theirs]) expect(await said(here, token)).not.toMatch(/^(Ada|Bob)$/);
      expect(await said(here, more)).toBe('Cyd');
      expect((await here.verify()).problems).toEqual([]);
      if (!state.dead) break;
      expect(writes).toBeLessThan(30);
    }
  });

  test('into a new store, then shredding, protecting or importing in any order', async () => {
    for (let writes = 0; ; writes++) {
      const { theirs, lines } = await filledApart();
      const store = memoryStore();
      const { store: dies, state } = dying(store, writes);
      await into(dies, lines).catch(() => {});
      const here = await open(store);
      expect(await apartIn(store)).toEqual({ keys: 0, rows: 0 });
      // Protecting after the killed import is not refused.
      expect(await codeOf(here.protect('Zed', { subject: '8' }))).toBe('no error');
      await here.shred('7', { inAdvance: true });
      expect(await said(here, theirs)).not.toBe('Bob');
      await into(store, lines);
      expect(await said(here, theirs)).not.toBe('Bob');
      if (!state.dead) break;
    }
  });

  test('a subject of the export replaces one whose key was erased: its row and its key are written in one change', async () => {
    for (let writes = 0; ; writes++) {
      const store = memoryStore();
      const [other, here] = [memoryStore(), await open(store, back)];
      await here.protect('Ada', { subject: '7' });
      await into(other, await linesOf(here));
      // There it is shredded and comes back; here the key alone is erased, as an import that died leaves it.
      const there = await open(other, back);
      await there.shred('7');
      const token = await there.protect('Bob', { subject: '7' });
      const lines = await linesOf(there);
      const { store: dies, state } = dying(store, writes);
      await into(dies, lines).catch(() => {});
      expect(await apartIn(store)).toEqual({ keys: 0, rows: 0 });
      await into(store, lines);
      expect(await apartIn(store)).toEqual({ keys: 0, rows: 0 });
      expect((await here.shred('7'))?.destroyed).toBe('key');
      expect(await said(here, token)).not.toBe('Bob');
      if (!state.dead) break;
    }
  });
});

describe('half-then-dead', () => {
  /** Makes a row by subject whose key is missing, as in a damaged store. */
  async function withoutKey() {
    const store = memoryStore();
    const here = await open(store, back);
    const token = await here.protect('Ada', { subject: '7' });
    const lines = await linesOf(here);
    const key = (await subjectRows(store)).find(({ body }) => body.length === 127)!;
    await store.change(1, [{ table: 'subject', index: key.index, from: key.version, to: null }]);
    expect(await codeOf(here.protect('Bob', { subject: '7' }))).toBe('row_broken');
    return { store, here, token, lines, key };
  }

  test('an import restores the missing key of a row', async () => {
    const { store, here, token, lines } = await withoutKey();
    expect(await into(store, lines)).toMatchObject({ written: 1, there: 3, conflicts: 0 });
    expect(await said(here, token)).toBe('Ada');
    expect(await codeOf(here.protect('Bob', { subject: '7' }))).toBe('no error');
    await here.shred('7');
    expect(await said(here, token)).toBe('! forgotten');
  });

  test('after a shredding, an import does not restore the missing key', async () => {
    const { store, here, token, lines } = await withoutKey();
    expect((await here.shred('7'))?.destroyed).toBe('nothing');
    await into(store, lines);
    expect(await said(here, token)).toBe('! forgotten');
    expect(await codeOf(here.protect('Bob', { subject: '7' }))).toBe('no error');
    expect(await said(here, token)).toBe('! forgotten');
  });

  test('a key is not written if its row has changed since it was read', async () => {
    const { store, here, token, lines, key } = await withoutKey();
    let isDone = false;
    const h = hooked(store, async (when, verb, args) => {
      const changes = args[1] as readonly { readonly to: Row | null }[];
      if (isDone || when !== 'before' || verb !== 'change' || changes.every(({ to }) => to?.body.length !== 127))
        return;
      isDone = true;
      await here.shred('7');
      // The erased key is taken away again, as an import of somebody else may do.
      const [erased] = await store.get('subject', [key.index]);
      await store.change(1, [{ table: 'subject', index: key.index, from: erased!.version, to: null }]);
    });
    await into(h, lines);
    expect(isDone).toBe(true);
    expect(await apartIn(store)).toEqual({ keys: 0, rows: 0 });
    expect(await said(here, token)).toBe('! forgotten');
  });

  test('a key to which no row leads is not exported, and verify reports it', async () => {
    const store = memoryStore();
    const here = await open(store);
    const token = await here.protect('Ada', { subject: '7' });
    const lead = (await subjectRows(store)).find(({ body }) => body.length === 47)!;
    await store.change(1, [{ table: 'subject', index: lead.index, from: lead.version, to: null }]);
    expect((await here.verify()).broken).toBe(1);
    const target = memoryStore();
    expect(await into(target, await linesOf(here))).toMatchObject({ rows: 2 });
    expect(await said(await open(target), token)).toBe('! forgotten');
    // It stays where it is: an import takes away no key of others.
    await into(store, await linesOf(here));
    expect((await here.verify()).broken).toBe(1);
  });
});

describe('a key that the store has, and that no row leads to, before an import of an export that has both', () => {
  test('gets its row by an import, and shredding finds it', async () => {
    const store = memoryStore();
    const here = await open(store);
    const token = await here.protect('Ada', { subject: '7' });
    const lines = await linesOf(here);
    const lead = (await subjectRows(store)).find(({ body }) => body.length === 47)!;
    await store.change(1, [{ table: 'subject', index: lead.index, from: lead.version, to: null }]);
    expect(await apartIn(store)).toEqual({ keys: 1, rows: 0 });
    expect(await into(store, lines)).toMatchObject({ written: 1, there: 3 });
    expect((await here.shred('7'))?.destroyed).toBe('key');
    expect(await said(here, token)).toBe('! forgotten');
  });

  test('is removed if the subject has another key in the store', async () => {
    const { store, here, theirs, lines } = await filledApart();
    const source = memoryStore();
    await into(source, lines);
    for (const row of await subjectRows(source)) {
      if (row.body.length === 127) await store.change(1, [{ table: 'subject', index: row.index, from: 0, to: row }]);
    }
    expect(await apartIn(store)).toEqual({ keys: 2, rows: 0 });
    // The row and the key of subject 7; that of subject 8 gets its row.
    expect(await into(store, lines)).toMatchObject({ conflicts: 2, there: 1, written: 5 });
    expect(await apartIn(store)).toEqual({ keys: 0, rows: 0 });
    expect((await here.shred('7'))?.destroyed).toBe('key');
    expect(await said(here, theirs)).toBe('! forgotten');
  });
});

describe('conflict-lives', () => {
  test('a token does not become live if the store has another token for its value', async () => {
    const [store, other] = [memoryStore(), memoryStore()];
    const [here, there] = [await open(store, names as never), await open(other, names as never)];
    const [mine, theirs] = [await here.protect('Ada'), await there.protect('Ada')];
    const both = await there.protect('Bob');
    const lines = await linesOf(there);
    for (let i = 0; i < 2; i++) {
      expect(await into(store, lines)).toEqual({
        rows: 4,
        written: i === 0 ? 2 : 0,
        there: i === 0 ? 0 : 2,
        erased: 0,
        expired: 0,
        conflicts: 2,
      });
      expect(await said(here, mine)).toBe('Ada');
      expect(await said(here, theirs)).toBe('! unknown_token');
      expect(await said(here, both)).toBe('Bob');
      expect((await here.verify()).problems).toEqual([]);
    }
    await here.forget(mine);
    await into(store, lines);
    for (const token of [mine, theirs]) expect(await said(here, token)).toMatch(/^! /);
    expect(await codeOf(here.protect('Ada'))).toBe('erased');
    expect((await here.verify()).problems).toEqual([]);
    // In their own store they are live.
    expect(await said(there, theirs)).toBe('Ada');
  });

  test('also after an import that died, at any write', async () => {
    for (let writes = 0; ; writes++) {
      const [store, other] = [memoryStore(), memoryStore()];
      const [here, there] = [await open(store, names as never), await open(other, names as never)];
      const [mine, theirs] = [await here.protect('Ada'), await there.protect('Ada')];
      const lines = await linesOf(there);
      const { store: dies, state } = dying(store, writes);
      await into(dies, lines).catch(() => {});
      await into(store, lines);
      expect(await said(here, mine)).toBe('Ada');
      expect(await said(here, theirs)).toBe('! unknown_token');
      expect((await here.verify()).problems).toEqual([]);
      if (!state.dead) break;
    }
  });

  test("the store's own token stays if its value does not verify, or is under another key", async () => {
    const store = memoryStore();
    const here = await open(store, names as never);
    const token = await here.protect('Ada');
    const lines = await linesOf(here);
    const [row] = await store.scan('value', { after: null, limit: 1 });
    const to = { ...row!, body: row!.body.toReversed(), version: row!.version + 1 };
    await store.change(1, [{ table: 'value', index: row!.index, from: row!.version, to }]);
    expect(await into(store, lines)).toMatchObject({ there: 1, conflicts: 1 });
    expect(await said(here, token)).toBe('Ada');
    // Two tokens of one value, each under its own inner key, are both live.
    const [one, two] = [memoryStore(), memoryStore()];
    const [a, b] = [await open(one, names as never), await open(two, names as never)];
    const [x, y] = [await a.protect('Ada'), await b.protect('Ada')];
    await (await open(two, names as never, next)).rekey({ tokens: [y] });
    await into(one, await linesOf(b));
    expect([await said(a, x), await said(a, y)]).toEqual(['Ada', 'Ada']);
  });
});

describe('cut-meta', () => {
  test('an export without one complete part changes nothing, not even the metadata', async () => {
    const [store, other] = [memoryStore(), memoryStore()];
    const [here, there] = [await open(store, names as never), await open(other, names as never)];
    const token = await there.protect('Ada');
    await (await open(other, names as never, next)).rekey({ tokens: [token] });
    const lines = await linesOf(there);
    const meta = await store.meta();
    for (const end of [1, 2, lines.length - 1]) {
      const error = await into(store, lines.slice(0, end)).catch((thrown) => thrown);
      expect(error.message).toMatch(/the end of the export is missing.*; nothing was written$/);
      expect(await store.meta()).toEqual(meta);
      const fresh = memoryStore();
      expect(await codeOf(into(fresh, lines.slice(0, end)))).toBe('export_refused');
      expect(await fresh.meta()).toBeNull();
    }
    // After the complete import, the store looks under its key.
    await into(store, lines);
    expect((await here.stats()).inner.length).toBe(2);
    expect(await said(here, token)).toBe('Ada');
  });
});
