/**
 * Narrowed keysets: a policy works with the nodes that it needs as with the root keys, and a thief of the file opens
 * nothing else. The thief uses the library, and HKDF without it.
 */
import { hkdfSync } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { TrefoilError } from '../../src/errors.ts';
import { ip } from '../../src/format.ts';
import { fpe, keep, keyset, policy, seal, shiftDate, token } from '../../src/index.ts';
import { type DomainKeys, openKeys, packKeys, unpackKeys } from '../../src/keys/domain-keys.ts';
import { addDomain, addKey, promoteKey } from '../../src/keys.ts';
import { narrow } from '../../src/policy.ts';
import { revealAccess, secretAccess } from '../../src/reveal.ts';
import { memoryStore, vault } from '../../src/vault.ts';
import { EVERY_FORMAT, ruleOf } from '../property/every-format.ts';
import { keysetJson, list, testRoot } from '../reference/tree.ts';

const ROOT = testRoot('narrow');
const all = keyset.parse(keysetJson(ROOT, testRoot('older')));
const eu = all.domain('eu');

const FIELDS = {
  id: token({ scope: 'person', label: 'cust' }),
  short: token({ scope: 'person', form: 'hex', length: 12, population: 10 }),
  account: token({ scope: 'account', per: 'id', prf: 'blake3' }),
  name: seal({ scope: 'person.name' }),
  visit: shiftDate({ scope: 'visit', subject: 'id', days: 30 }),
  client: fpe({ scope: 'client', format: ip() }),
  note: keep,
} as const;
const sheet = policy(FIELDS, { domain: 'eu', keyCheck: { [eu.keyId]: eu.keyCheck[eu.keyId]! } });
const ROW = {
  id: '10017',
  short: '10017',
  account: '77',
  name: 'Zoë Müller',
  visit: '2024-02-29',
  client: '192.0.2.7',
  note: 'x',
};

function codeOf(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    if (error instanceof TrefoilError) return error.code;
    throw error;
  }
  return 'none';
}

/** The keys of a narrowed keyset that went through its file and to another thread. */
function opened({ keyset: made, branchCheck }: ReturnType<typeof narrow>, domain = 'eu'): DomainKeys {
  const read = keyset.parse(made.export(secretAccess)).domain(domain, { branchCheck });
  return unpackKeys(structuredClone(packKeys(openKeys(read))));
}

describe('a narrowed keyset', () => {
  it('for both verbs protects and reveals as the root keys do', () => {
    const keys = opened(narrow(all, sheet, { verbs: ['protect', 'reveal'] }));
    const out = sheet.bind(keys).protect(ROW);
    expect(out).toEqual(sheet.bind(eu).protect(ROW));
    expect(sheet.bind(keys, revealAccess).reveal(out)).toEqual(sheet.bind(eu, revealAccess).reveal(out));
    expect(FIELDS.id.bind(keys).matches(ROW.id, out.id)).toBe(true);
  });

  it.each(EVERY_FORMAT.map((each) => [each.name, each] as const))('has every engine of the format %s', (_, each) => {
    const one = policy({ f: ruleOf(each) }, { domain: 'eu', keyCheck: { [eu.keyId]: eu.keyCheck[eu.keyId]! } });
    const keys = opened(narrow(all, one, { verbs: ['protect', 'reveal'] }));
    for (const f of each.like) {
      const out = one.bind(eu).protect({ f });
      expect(one.bind(keys).protect({ f })).toEqual(out);
      const named = { fromKey: eu.keyId };
      const back = one.bind(keys, revealAccess, named).reveal(out);
      expect(back).toEqual(one.bind(eu, revealAccess, named).reveal(out));
    }
  });

  it('for protecting alone does not reveal, for revealing alone does not protect, and says so', () => {
    const protecting = narrow(all, sheet, { verbs: ['protect'] });
    const out = sheet.bind(opened(protecting)).protect(ROW);
    expect(codeOf(() => sheet.bind(opened(protecting), revealAccess))).toBe('not_granted');
    expect(codeOf(() => FIELDS.name.bind(opened(protecting), revealAccess))).toBe('not_granted');
    const revealing = opened(narrow(all, sheet, { verbs: ['reveal'] }));
    expect(sheet.bind(revealing, revealAccess).reveal(out)).toEqual(sheet.bind(eu, revealAccess).reveal(out));
    expect(codeOf(() => sheet.bind(revealing).protect(ROW))).toBe('not_granted');
    expect(Object.fromEntries(protecting.fields.map(({ field, kept }) => [field, kept]))).toEqual({
      id: 'wall',
      short: 'wall',
      account: 'wall',
      name: 'seat belt',
      visit: 'wall',
      client: 'seat belt',
      note: 'none',
    });
    const { narrowed } = JSON.parse(protecting.keyset.export(secretAccess)) as { narrowed: object };
    expect(narrowed).toEqual({ verbs: ['protect'], soft: ['seal:person.name', 'fpe:client'] });
  });

  it('of a policy that pins the check of the branches, and of no other', () => {
    const { keyset: made, branchCheck } = narrow(all, sheet, { verbs: ['protect'] });
    const keys = made.domain('eu');
    expect(codeOf(() => sheet.bind(keys))).toBe('branches_unpinned');
    const pinned = policy(FIELDS, { domain: 'eu', branchCheck });
    expect(pinned.bind(keys).protect(ROW)).toEqual(sheet.bind(eu).protect(ROW));
    const other = narrow(all, sheet, { verbs: ['protect', 'reveal'] });
    expect(other.branchCheck).not.toBe(branchCheck);
    const less = narrow(all, policy({ id: FIELDS.id }, { domain: 'eu' }), { verbs: ['protect'] });
    expect(codeOf(() => pinned.bind(less.keyset.domain('eu')))).toBe('key_check_mismatch');
  });

  it('over a lineage has the base for tokens alone, and never a root key', () => {
    const first = keyset.generate({ renewable: true });
    const second = addDomain(addKey(first), 'b', { of: 'eu' });
    const now = promoteKey(second, second.ids.find((id) => !first.ids.includes(id))!);
    for (const domain of ['eu', 'b']) {
      const lined = policy(FIELDS, { domain });
      const made = narrow(now, lined, { verbs: ['protect'] });
      const { branchCheck } = made;
      const worker = policy(FIELDS, { domain, branchCheck });
      const text = made.keyset.export(secretAccess);
      expect(text).not.toContain('trefoil-root');
      const keys = keyset.parse(text).domain(domain);
      expect(worker.bind(keys).protect(ROW)).toEqual(lined.bind(now.domain(domain)).protect(ROW));
      expect(keys.keyCheck).toEqual(now.domain(domain).keyCheck);
    }
  });

  it('for protecting alone has nothing of older keys but their ids', () => {
    const first = keyset.generate({ renewable: false });
    const second = addKey(first);
    const now = promoteKey(second, second.ids.find((id) => id !== first.primary)!);
    const lined = policy(FIELDS, { domain: 'eu', keyCheck: now.domain('eu').keyCheck });
    const kindsOf = (verbs: ('protect' | 'reveal' | 'rekey')[], id: string, rejects: boolean) => {
      const text = narrow(now, lined, { verbs, rejects }).keyset.export(secretAccess);
      const { keys } = JSON.parse(text) as { keys: { id: string; branches: { path: [string, string][] }[] }[] };
      return new Set(keys.find((key) => key.id === id)!.branches.map(({ path }) => path[0]![1]));
    };
    // The first key is the base: its tokens and dates are those of the second.
    expect(kindsOf(['protect'], first.primary, true)).toEqual(new Set(['token', 'shiftDate']));
    expect(kindsOf(['protect'], now.primary, true)).toEqual(new Set(['token permutation', 'seal', 'fpe', 'rejects']));
    for (const verb of ['reveal', 'rekey'] as const) {
      expect(kindsOf(['protect', verb], first.primary, true)).toContain('seal');
      expect(kindsOf(['protect', verb], first.primary, true)).toContain('rejects');
    }
    // A policy that pins both keys takes the file, and it protects and does not open older values.
    const keys = opened(narrow(now, lined, { verbs: ['protect'] }));
    expect(keys.keyCheck).toEqual(now.domain('eu').keyCheck);
    expect(lined.bind(keys).protect(ROW)).toEqual(lined.bind(now.domain('eu')).protect(ROW));
    const old = openKeys(keys).keys.find(({ id }) => id !== keys.keyId)!;
    expect(codeOf(() => old.derive('seal', 'person.name', ['aes-256-siv', 'buckets-1']))).toBe('not_granted');
  });

  it('is narrowed further, and never widened', () => {
    const both = narrow(all, sheet, { verbs: ['protect', 'reveal'] }).keyset;
    const less = narrow(both, policy({ id: FIELDS.id }, { domain: 'eu' }), { verbs: ['protect'] });
    expect(FIELDS.id.bind(opened(less)).protect('7')).toBe(FIELDS.id.bind(eu).protect('7'));
    expect(codeOf(() => narrow(less.keyset, sheet, { verbs: ['protect', 'reveal'] }))).toBe('not_granted');
    expect(codeOf(() => narrow(both, sheet, { verbs: ['rekey'] }))).toBe('not_granted');
    expect(() => narrow(less.keyset, sheet, { verbs: ['protect'] })).toThrow(/no token account|no seal person.name/);
    expect(codeOf(() => narrow(less.keyset, sheet, { verbs: ['protect'] }))).toBe('not_granted');
    expect(codeOf(() => narrow(both, sheet, { verbs: ['protect'], rejects: true }))).toBe('not_granted');
    const monthly = policy({ id: token({ scope: 'm', per: { month: 'day' } }), day: keep }, { domain: 'eu' });
    const march = narrow(all, monthly, { verbs: ['protect'], period: '2024-03' }).keyset;
    expect(narrow(march, monthly, { verbs: ['protect'], period: '2024-03' }).fields[0]!.kept).toBe('wall');
    expect(() => narrow(march, monthly, { verbs: ['protect'], period: '2024-04' })).toThrow(/the period 2024-04/);
    expect(codeOf(() => narrow(march, monthly, { verbs: ['protect'] }))).toBe('not_granted');
  });

  it('takes a period that there is, and that a rule has', () => {
    const monthly = policy({ id: token({ scope: 'm', per: { month: 'day' } }), day: keep }, { domain: 'eu' });
    for (const period of ['2024-13', '2024-00', '2024-W09', '2024-W99', '2024-02-30', '0000', '2024', '2024-Q1']) {
      expect(() => narrow(all, monthly, { verbs: ['protect'], period }), period).toThrow(RangeError);
    }
    expect(() => narrow(all, sheet, { verbs: ['protect'], period: '2024-03' })).toThrow(RangeError);
  });

  it('of a recipient keeps tokens by a seat belt if the base of the keys also protects', () => {
    const tokens = policy({ id: FIELDS.id, name: FIELDS.name }, { domain: 'b' });
    const keptBy = (renewable: boolean, verb: 'protect' | 'reveal' | 'rekey', domain = 'b') => {
      const keys = addDomain(keyset.generate({ renewable }), 'b', { of: 'eu' });
      const one = policy({ id: FIELDS.id, name: FIELDS.name }, { domain });
      return narrow(keys, one, { verbs: [verb] }).fields[0]!.kept;
    };
    for (const verb of ['protect', 'rekey'] as const) {
      expect(keptBy(false, verb)).toBe('seat belt');
      expect(keptBy(true, verb)).toBe('wall');
    }
    expect(keptBy(false, 'reveal')).toBe('wall');
    expect(keptBy(false, 'protect', 'eu')).toBe('wall');
    // What the belt is about: the permutation of the recipient alone opens the parent's token.
    const keys = addDomain(keyset.generate(), 'b', { of: 'eu' });
    const made = narrow(keys, tokens, { verbs: ['rekey'] });
    const { narrowed } = JSON.parse(made.keyset.export(secretAccess)) as { narrowed: { soft: string[] } };
    expect(narrowed.soft).toContain('token:person');
  });

  it('for rekeying has the permutation of a token and not its function', () => {
    const first = keyset.generate({ renewable: true });
    const one = policy({ id: FIELDS.id }, { domain: 'eu' });
    const made = narrow(first, one, { verbs: ['rekey'] });
    const { primary } = openKeys(made.keyset.domain('eu', { branchCheck: made.branchCheck }));
    expect(primary.has('token permutation', 'person', ['bits', '128'])).toBe(true);
    expect(made.keyset.export(secretAccess)).not.toContain('"token"');
    expect(codeOf(() => one.bind(opened(made)).protect({ id: '7' }))).toBe('not_granted');
  });
});

describe('a vault', () => {
  const people = vault({ scope: 'person.name', store: 'people' });
  const one = policy({ name: people }, { domain: 'eu' });

  it('opens with the branches that it needs, for both verbs and for revealing alone', async () => {
    const store = memoryStore();
    const keys = opened(narrow(all, one, { verbs: ['protect', 'reveal'] }));
    const made = await (await people.open(keys, { people: store }, revealAccess)).protect('Zoë Müller');
    const full = await people.open(eu, { people: store }, revealAccess);
    expect(await full.reveal(made)).toBe('Zoë Müller');
    const narrowed = narrow(all, one, { verbs: ['reveal'] });
    expect(narrowed.fields[0]!.kept).toBe('wall');
    const revealing = await people.open(opened(narrowed), { people: store }, revealAccess);
    expect(await revealing.reveal(made)).toBe('Zoë Müller');
    await expect(async () => revealing.protect('Zoë Müller')).rejects.toMatchObject({ code: 'not_granted' });
    await expect(async () => revealing.lookup('Zoë Müller')).rejects.toMatchObject({ code: 'not_granted' });
  });

  it.each([false, true])(
    'for protecting alone finds values of older keys after a rotation; renewable: %s',
    async (renewable) => {
      const first = keyset.generate({ renewable });
      const ready = addKey(first);
      const now = promoteKey(ready, ready.ids.find((id) => !first.ids.includes(id))!);
      const mixed = policy({ id: FIELDS.id, name: people, secret: FIELDS.name }, { domain: 'eu' });
      const store = memoryStore();
      const made = await (await people.open(first.domain('eu'), { people: store })).protect('Zoë Müller');
      // Before and after the outer layer has moved, by workers of either primary key.
      for (const moves of [false, true]) {
        if (moves) await (await people.open(now.domain('eu'), { people: store })).rekey();
        for (const from of [ready, now]) {
          const worker = await people.open(opened(narrow(from, mixed, { verbs: ['protect'] })), { people: store });
          expect(await worker.protect('Zoë Müller')).toBe(made);
        }
      }
      const text = narrow(now, mixed, { verbs: ['protect'] }).keyset.export(secretAccess);
      const { keys } = JSON.parse(text) as { keys: { id: string; branches?: { path: [string, string][] }[] }[] };
      const older = keys.find(({ id }) => id === first.primary)!;
      const kinds = new Set(older.branches!.map(({ path }) => path[0]![1]));
      // Of the older key the file has the vault, and what a base is for; it opens no older sealed value.
      expect(kinds).toEqual(new Set(renewable ? ['vault'] : ['token', 'vault']));
    },
  );
});

describe('a thief of the key file', () => {
  const { keyset: stolen, branchCheck } = narrow(all, sheet, { verbs: ['protect'] });
  const { keys: held } = openKeys(stolen.domain('eu', { branchCheck }));
  const nodes = (
    JSON.parse(stolen.export(secretAccess)) as {
      keys: { branches: { path: (string | object)[][]; node: string }[] }[];
    }
  ).keys.flatMap(({ branches }) => branches);

  it('opens no other scope, kind or parameter, and no other domain', () => {
    for (const key of held) {
      for (const kind of ['token', 'token permutation', 'fpe', 'seal', 'shiftDate', 'rejects', 'vault'] as const) {
        for (const scope of ['', 'person', 'person.name', 'visit', 'client', 'account', 'other']) {
          for (const parameters of [
            [],
            ['hmac-sha256'],
            ['aes-256-siv'],
            ['aes-256-siv', 'other'],
            ['30'],
            ['outer'],
          ]) {
            expect(key.has(kind, scope, parameters)).toBe(false);
          }
        }
      }
    }
    expect(codeOf(() => stolen.domain('us'))).toBe('not_granted');
  });

  it('finds no other node by HKDF from those that he holds', () => {
    const bytes = nodes.map(({ node }) => {
      const bits = [...node.slice('trefoil-node-1_'.length, -4)]
        .map((c) => '0123456789abcdefghjkmnpqrstvwxyz'.indexOf(c).toString(2).padStart(5, '0'))
        .join('');
      return Buffer.from(
        bits
          .slice(0, 256)
          .match(/.{8}/g)!
          .map((byte) => Number.parseInt(byte, 2)),
      );
    });
    const child = (node: Buffer, ...names: string[]) =>
      Buffer.from(hkdfSync('sha256', node, 'trefoil keyset-v1', list(...names), 32)).toString('hex');
    const below = new Set(
      bytes.flatMap((node) =>
        ['kind', 'scope', 'parameters', 'domain', 'key id', 'key check', 'node check'].flatMap((step) =>
          ['', 'token', 'seal', 'person', 'person.name', 'eu', 'aes-256-siv'].map((name) => child(node, step, name)),
        ),
      ),
    );
    const { primary } = openKeys(eu);
    const targets = (['token', 'seal', 'fpe', 'vault', 'rejects', 'shiftDate'] as const).flatMap((kind) =>
      ['person', 'person.name', 'other', ''].map((scope) =>
        Buffer.from(primary.derive(kind, scope, [])).toString('hex'),
      ),
    );
    const held = new Set(bytes.map((node) => node.toString('hex')));
    for (const target of targets) {
      expect(held.has(target)).toBe(false);
      expect(below.has(target)).toBe(false);
    }
  });

  it('seat belt: raw keys reveal what the library refuses to reveal', () => {
    // The file says "protect", and its text is all that keeps the holder to it: without that word the library reveals.
    const text = stolen.export(secretAccess);
    const file = JSON.parse(text) as { narrowed: { verbs: string[] } };
    file.narrowed.verbs = ['protect', 'reveal'];
    const edited = keyset.parse(JSON.stringify(file));
    // The pin of the worker stops the file. The thief pins what they like.
    expect(codeOf(() => edited.domain('eu', { branchCheck }))).toBe('key_check_mismatch');
    const forged = edited.domain('eu', { branchCheck: edited.domain('eu').branchCheck! });
    const sealed = FIELDS.name.bind(eu).protect('Zoë Müller');
    expect(FIELDS.name.bind(forged, revealAccess).reveal(sealed)).toBe('Zoë Müller');
  });
});
