/**
 * Random histories of several stores: an erased mapping stays erased, and a live one is revealed. They use stores in
 * memory, two keys, and every verb that moves, erases or restores rows, and compare the stores with a model that knows
 * all tokens and all erasures.
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { writeHex } from '../../src/core/hex.ts';
import { keyset } from '../../src/index.ts';
import { openKeys } from '../../src/keys/domain-keys.ts';
import { revealAccess, secretAccess } from '../../src/reveal.ts';
import { openSession, type Session } from '../../src/vault/session.ts';
import { memoryStore, type RevealingVault, type VaultStore, vault } from '../../src/vault.ts';

const roots = [keyset.generate(), keyset.generate()].map((set) => JSON.parse(set.export(secretAccess)).keys[0]);
const withPrimary = (which: number) => {
  const list = roots.map(({ id, secret }, i) => ({ id, secret, primary: i === which }));
  return keyset.parse(JSON.stringify({ version: 'keyset-v1', keys: list })).domain('eu-enclave');
};
const keys = [withPrimary(0), withPrimary(1)] as const;

const SUBJECTS = ['s0', 's1'];
const VALUES = ['value 0', 'value 1'];
const RULES = [
  vault({ scope: 'strict', store: 'main' }),
  vault({ scope: 'fresh', store: 'main', onErased: 'new' }),
  vault({ scope: 'strict', store: 'main', subject: 'id' }),
  vault({ scope: 'fresh', store: 'main', subject: 'id', onErased: 'new' }),
] as const;
const withSubject = (rule: number) => rule > 1;

/** A token that was made, with its value and subject. */
interface Given {
  readonly token: string;
  readonly rule: number;
  readonly value: string;
  readonly subject: string;
  /** Handle of its subject at the time when the token was made. */
  readonly handle: string | null;
}

/** The erasures that a store, or an export of it, contains. */
interface Knowledge {
  readonly tokens: Set<string>;
  readonly handles: Set<string>;
}

interface Place {
  readonly store: VaultStore;
  readonly knows: Knowledge;
}

interface Kept {
  readonly lines: string;
  readonly knows: Knowledge;
  /** Tokens that could be revealed, and values that were erased, at the time of the export. */
  readonly live: ReadonlySet<string>;
  readonly erased: ReadonlySet<string>;
  readonly shredded: ReadonlySet<string>;
}

const code = (error: unknown) => (error as { code?: string }).code ?? String(error);
const copy = ({ tokens, handles }: Knowledge): Knowledge => ({ tokens: new Set(tokens), handles: new Set(handles) });

const sessions = new WeakMap<VaultStore, Session>();

/** Returns the handle of a subject in a store, `erased`, or `null` if the store does not know the subject. */
async function handleOf(store: VaultStore, subject: string): Promise<string | null> {
  const session = sessions.get(store) ?? (await openSession(store, 'main', openKeys(keys[0])));
  sessions.set(store, session);
  await session.refresh();
  const view = session.view();
  const places = view.placesOf([session.subjects.indexesOf([subject])]);
  const [row] = places.pick(await store.get('subject', places.all));
  const content = row === undefined ? null : view.open('subject', row)?.content;
  return content === undefined || content === null
    ? null
    : content.state === 'live'
      ? writeHex(content.rest)
      : 'erased';
}

const open = (place: Place, rule: number, primary = 0) =>
  RULES[rule]!.open(keys[primary as 0 | 1], { main: place.store }, revealAccess) as Promise<RevealingVault>;

async function revealed(place: Place, given: readonly Given[]): Promise<Set<string>> {
  const out = new Set<string>();
  for (const { token, rule, value } of given) {
    const text = await (await open(place, rule)).reveal(token as never).catch(code);
    if (text !== 'forgotten' && text !== 'unknown_token') {
      expect(text).toBe(value);
      out.add(token);
    }
  }
  return out;
}

const nameOf = ({ rule, value, subject }: Pick<Given, 'rule' | 'value' | 'subject'>) =>
  `${rule} ${value} ${withSubject(rule) ? subject : ''}`;

/** Values of which a store has tombstones: they are neither found nor made. */
async function erasedValues(place: Place, given: readonly Given[]): Promise<Set<string>> {
  const out = new Set<string>();
  for (const one of given) {
    const options = withSubject(one.rule) ? { subject: one.subject } : undefined;
    const token = await (await open(place, one.rule)).lookup(one.value, options).catch(code);
    if (token === null) out.add(nameOf(one));
  }
  return out;
}

const pick = fc.nat(1000);
const step = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constant('protect' as const), at: pick, n: pick, m: pick }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('forget' as const), at: pick, n: pick, m: pick }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('shred' as const), at: pick, n: pick, m: pick }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('rekey' as const), at: pick, n: pick, m: pick }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('outer' as const), at: pick, n: pick, m: pick }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('export' as const), at: pick, n: pick, m: pick }) },
  { weight: 5, arbitrary: fc.record({ do: fc.constant('import' as const), at: pick, n: pick, m: pick }) },
);

/** Runs a history with a number of stores. All of them start with the same mappings, one of each rule. */
async function run(steps: readonly { do: string; at: number; n: number; m: number }[], stores: number): Promise<void> {
  const given: Given[] = [];
  const kept: Kept[] = [];
  const places: Place[] = Array.from({ length: stores }, () => ({
    store: memoryStore(),
    knows: { tokens: new Set(), handles: new Set() },
  }));
  // If two stores have made two tokens for one value, that is a conflict. From then on a token may have no value.
  let apart = false;

  async function protect(place: Place, rule: number, value: string, subject: string, primary: number): Promise<void> {
    const options = withSubject(rule) ? { subject } : undefined;
    const token = await (await open(place, rule, primary)).protect(value, options).catch(code);
    if (['erased', 'row_broken'].includes(token)) {
      expect(token).toBe('erased');
      expect(rule % 2).toBe(0);
      return;
    }
    const known = given.find((one) => one.token === token);
    if (known !== undefined) expect(known).toMatchObject({ rule, value, ...(withSubject(rule) ? { subject } : {}) });
    else {
      const handle = withSubject(rule) ? await handleOf(place.store, subject) : null;
      given.push({ token, rule, value, subject, handle });
    }
    expect(place.knows.tokens.has(token)).toBe(false);
  }

  async function exportOf(place: Place): Promise<Kept> {
    let lines = '';
    for await (const line of (await open(place, 0)).export()) lines += line;
    const erased = await erasedValues(place, given);
    const shredded = new Set<string>();
    for (const subject of SUBJECTS) if ((await handleOf(place.store, subject)) === 'erased') shredded.add(subject);
    return { lines, knows: copy(place.knows), live: await revealed(place, given), erased, shredded };
  }

  async function importInto(
    place: Place,
    { lines, knows, live, erased, shredded }: Kept,
    primary: number,
  ): Promise<void> {
    const isNew = (await place.store.meta()) === null;
    const before = isNew ? new Set<string>() : await revealed(place, given);
    const gone = isNew ? new Set<string>() : await erasedValues(place, given);
    const handles = new Map<string, string | null>();
    for (const subject of SUBJECTS) handles.set(subject, isNew ? null : await handleOf(place.store, subject));
    const done = await RULES[0].import(keys[primary as 0 | 1], { main: place.store }, [lines]).catch((error) => {
      // The key of subjects cannot be changed, and two stores may have started under different ones.
      expect(code(error)).toBe('export_refused');
      return null;
    });
    if (done === null) return;
    apart ||= done.conflicts > 0;
    const after = await revealed(place, given);
    for (const token of knows.tokens) place.knows.tokens.add(token);
    for (const handle of knows.handles) place.knows.handles.add(handle);
    for (const one of given) {
      const { token, handle } = one;
      const isShreddedThere = handle !== null && (knows.handles.has(handle) || shredded.has(one.subject));
      const isErasedThere = knows.tokens.has(token) || erased.has(nameOf(one)) || isShreddedThere;
      if (before.has(token) && !after.has(token)) {
        // It was destroyed: there must be a reason, and it is counted.
        expect(isErasedThere).toBe(true);
        expect(done.erased).toBeGreaterThan(0);
        if (isShreddedThere) place.knows.handles.add(handle!);
        else place.knows.tokens.add(token);
      }
      if (!live.has(token) || before.has(token) || apart) continue;
      // It is live in the export, and nothing in this store contradicts it.
      const isOthers =
        handle !== null && (place.knows.handles.has(handle) || (handles.get(one.subject) ?? handle) !== handle);
      const isShredded = handle !== null && (await handleOf(place.store, one.subject)) !== handle;
      if (place.knows.tokens.has(token) || gone.has(nameOf(one)) || isOthers || isShredded) continue;
      expect(after.has(token), `${nameOf(one)} lives in the export`).toBe(true);
    }
  }

  /** Checks what must be true at all times. */
  async function check(place: Place): Promise<void> {
    if ((await place.store.meta()) === null) return;
    const live = await revealed(place, given);
    for (const { token, handle } of given) {
      if (place.knows.tokens.has(token)) expect(live.has(token), 'a token that was forgotten').toBe(false);
      if (handle !== null && place.knows.handles.has(handle)) expect(live.has(token), 'a shredded subject').toBe(false);
    }
    expect((await (await open(place, 0)).verify()).problems).toEqual([]);
  }

  // All stores start with the same rows.
  for (const rule of RULES.keys()) for (const value of VALUES) await protect(places[0]!, rule, value, 's0', 0);
  kept.push(await exportOf(places[0]!));
  for (const other of places.slice(1)) await importInto(other, kept[0]!, 0);
  for (const { do: what, at, n, m } of steps) {
    const place = places[at % places.length]!;
    const [value, subject] = [VALUES[n % 2]!, SUBJECTS[m % 2]!];
    const one = given.length === 0 ? null : given[n % given.length]!;
    if (what === 'protect') await protect(place, m % 4, value, `s${(n >> 1) % 2}`, (n >> 3) % 2);
    else if (what === 'import' && kept.length > 0) await importInto(place, kept[n % kept.length]!, m % 2);
    else if (what === 'forget' && one !== null) {
      const done = await (await open(place, one.rule, m % 2)).forget(one.token).catch(code);
      if (done === true) place.knows.tokens.add(one.token);
    } else if (what === 'shred') {
      const handle = await handleOf(place.store, subject);
      if (handle === null || handle === 'erased') continue;
      await (await open(place, 2, m % 2)).shred(subject);
      place.knows.handles.add(handle);
    } else if (what === 'rekey') {
      for (const [rule] of RULES.entries()) {
        const tokens = given.filter((own) => own.rule === rule).map(({ token }) => token);
        const now = await open(place, rule, n % 2);
        const live = await revealed(place, given);
        const mine = tokens.filter((token) => live.has(token));
        const { left } = await now.rekey({ tokens: mine });
        if (!apart) expect(left).toBe(0);
      }
    } else if (what === 'outer') await (await open(place, 0, n % 2)).rekey();
    else if (what === 'export') kept.push(await exportOf(place));
    await check(place);
  }
  for (const place of places) await check(place);
}

test('one store: without imports a value has one live token, and nothing is broken', async () => {
  const alone = step.filter((one) => one.do !== 'import' && one.do !== 'export');
  await fc.assert(
    fc.asyncProperty(fc.array(alone, { minLength: 10, maxLength: 40, size: 'max' }), async (steps) => run(steps, 1)),
    { numRuns: 15 },
  );
});

test('one store and its exports: an old export neither erases what was protected again nor restores what was erased', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 10, maxLength: 40, size: 'max' }), async (steps) => run(steps, 1)),
    { numRuns: 15 },
  );
});

test('several stores and their exports, in any order', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { minLength: 10, maxLength: 40, size: 'max' }),
      fc.integer({ min: 2, max: 3 }),
      (steps, count) => run(steps, count),
    ),
    { numRuns: 30 },
  );
});
