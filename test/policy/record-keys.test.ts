/**
 * `reveal` and `rekey` of fields that do not show their key: the record shows the key, or the caller names it, and no
 * record is ever turned back under another key than its own.
 */
import { describe, expect, it } from 'vitest';
import { type AnyIssue, TrefoilError } from '../../src/errors.ts';
import { pattern } from '../../src/format.ts';
import { drop, each, fpe, keep, keyset, mask, optional, policy, seal, token } from '../../src/index.ts';
import { addDomain, addKey, type Keyset, promoteKey, retireKey } from '../../src/keys.ts';
import { keyNeeds, project, rekey } from '../../src/policy.ts';
import { revealAccess } from '../../src/reveal.ts';
import { memoryStore, vault } from '../../src/vault.ts';

const next = (from: Keyset): Keyset => {
  const more = addKey(from);
  return promoteKey(more, more.ids.at(-1)!);
};
const FIRST = addDomain(keyset.generate({ renewable: true }), 'partner', { of: 'eu' });
const SECOND = next(FIRST);
const THIRD = next(SECOND);
const [old, now, last] = [FIRST, SECOND, THIRD].map((keys) => keys.domain('eu')) as [
  ReturnType<Keyset['domain']>,
  ReturnType<Keyset['domain']>,
  ReturnType<Keyset['domain']>,
];
const [OLD, NOW, LAST] = [old.keyId, now.keyId, last.keyId];
const check = (...ids: string[]) => ({ keyCheck: Object.fromEntries(ids.map((id) => [id, last.keyCheck[id]!])) });

const pan = fpe({ scope: 'pan', format: pattern('9999999999') });
const id = token({ scope: 'person', label: 'cust' });
const name = seal({ scope: 'person.name' });
const FIELDS = { id, name, pan };
const ROW = { id: 7, name: 'Ada', pan: '1234567890' };
/** What code the call fails with, and what its message says. */
function failure(run: () => unknown): { code: string; issues: readonly AnyIssue[]; message: string } {
  try {
    run();
  } catch (error) {
    if (error instanceof TrefoilError) {
      return { code: error.code, issues: error.issues as readonly AnyIssue[], message: error.message };
    }
    throw error;
  }
  return { code: 'none', issues: [], message: '' };
}

const under = (keys: typeof old, fields = FIELDS) => policy(fields).bind(keys).protect(ROW);

describe('reveal during a rotation', () => {
  it('a policy that pins the new key refuses a table of the old one', () => {
    const revealing = policy(FIELDS, check(NOW)).bind(now, revealAccess);
    expect(revealing.reveal(under(now))).toMatchObject({ name: 'Ada', pan: ROW.pan });
    const { code, issues, message } = failure(() => revealing.reveal(under(old)));
    expect([code, issues.length, issues[0]!.field]).toEqual(['wrong_key', 1, 'pan']);
    expect(message).toContain(`show key ${OLD}, and the keys that are pinned are ${NOW}`);
    expect(message).toContain('pin the key check of that key as well');
  });

  it('and a policy that pins the old key refuses a table of the new one', () => {
    const revealing = policy(FIELDS, check(OLD)).bind(now, revealAccess);
    expect(revealing.reveal(under(old))).toMatchObject({ name: 'Ada', pan: ROW.pan });
    expect(failure(() => revealing.reveal(under(now))).code).toBe('wrong_key');
  });

  it('a policy that pins both reveals a table with records of both', () => {
    const revealing = policy(FIELDS, check(OLD, NOW)).bind(now, revealAccess);
    const rows = [under(old), under(now), under(old), { ...under(now), name: null }, { ...under(old), pan: null }];
    expect(revealing.revealMany(rows as never).map((row) => (row as typeof ROW).pan)).toEqual([
      ROW.pan,
      ROW.pan,
      ROW.pan,
      ROW.pan,
      null,
    ]);
    expect(rows.map((row) => revealing.reveal(row as never).pan).slice(0, 4)).toEqual(Array(4).fill(ROW.pan));
  });

  it('a record that shows nothing needs fromKey while there are several keys', () => {
    const bare = (keys: typeof old) => ({ ...under(keys), id: null, name: null });
    const both = check(OLD, NOW);
    const { code, issues, message } = failure(() =>
      policy(FIELDS, both)
        .bind(now, revealAccess)
        .reveal(bare(old) as never),
    );
    expect([code, issues[0]!.field]).toEqual(['epoch_required', 'pan']);
    expect(message).toContain('--from KEYID, in code fromKey');
    const named = (fromKey: string) => policy(FIELDS, both).bind(now, revealAccess, { fromKey });
    expect(named(OLD).reveal(bare(old) as never).pan).toBe(ROW.pan);
    expect(named(NOW).reveal(bare(now) as never).pan).toBe(ROW.pan);
    // With one key there is no doubt.
    expect(
      policy(FIELDS, check(OLD))
        .bind(old, revealAccess)
        .reveal(bare(old) as never).pan,
    ).toBe(ROW.pan);
  });

  it('a key that is only ready changes nothing for a job that pins the other key', () => {
    const more = addKey(FIRST).domain('eu');
    const alone = { pan };
    const made = policy(alone).bind(old).protect({ pan: ROW.pan });
    expect(policy(alone, check(OLD)).bind(more, revealAccess).reveal(made).pan).toBe(ROW.pan);
    // A pin of the key that is ready is refused, and so is any single pin once it was promoted.
    const ready = more.keyCheck;
    const pin = Object.fromEntries(Object.entries(ready).filter(([key]) => key !== OLD));
    expect(failure(() => policy(alone, { keyCheck: pin }).bind(more, revealAccess)).code).toBe('epoch_required');
    expect(failure(() => policy(alone, check(OLD)).bind(now, revealAccess)).code).toBe('epoch_required');
  });

  it('fromKey that the record contradicts is refused', () => {
    const revealing = policy(FIELDS, check(OLD, NOW)).bind(now, revealAccess, { fromKey: NOW });
    const { code, message } = failure(() => revealing.reveal(under(old)));
    expect(code).toBe('wrong_key');
    expect(message).toContain(`show key ${OLD}, and the value was said to be of key ${NOW}`);
  });

  it('a record that shows two keys is refused, with and without fromKey', () => {
    const mixed = { ...under(old), name: under(now).name };
    for (const more of [{}, { fromKey: OLD }, { fromKey: NOW }]) {
      const { code, message } = failure(() =>
        policy(FIELDS, check(OLD, NOW))
          .bind(now, revealAccess, more)
          .reveal(mixed as never),
      );
      expect(code).toBe('wrong_key');
      expect(message).toContain('more than one key');
    }
  });

  it('a record of a retired or unknown key is refused also if one key is left', () => {
    const left = retireKey(SECOND, FIRST.primary, { at: '2027-01-31', domains: ['eu'] }).domain('eu');
    const revealing = policy({ id, pan }, check(NOW)).bind(left, revealAccess);
    const of = (keys: typeof old) => policy({ id, pan }).bind(keys).protect({ id: 7, pan: ROW.pan });
    expect(revealing.reveal(of(now)).pan).toBe(ROW.pan);
    const retired = failure(() => revealing.reveal(of(old)));
    expect([retired.code, retired.message]).toEqual(['key_retired', expect.stringContaining('2027-01-31')]);
    expect(failure(() => revealing.reveal(of(keyset.generate().domain('eu')))).code).toBe('unknown_key');
  });

  it('a policy of nothing but fpe needs fromKey as soon as there are two keys, before the first record', () => {
    const alone = policy({ pan }, check(OLD));
    expect(alone.bind(old, revealAccess).reveal({ pan: alone.bind(old).protect(ROW2).pan }).pan).toBe(ROW.pan);
    const { code, message, issues } = failure(() => alone.bind(now, revealAccess));
    expect([code, issues[0]!.field]).toEqual(['epoch_required', 'pan']);
    expect(message).toContain('no field of the policy shows its key');
    const made = policy({ pan }).bind(old).protect(ROW2);
    expect(alone.bind(now, revealAccess, { fromKey: OLD }).reveal(made).pan).toBe(ROW.pan);
    expect(failure(() => alone.bind(now, revealAccess, { fromKey: NOW })).code).toBe('key_check_required');
  });

  it('tokens without the labelled form and tokens that pass are no witnesses', () => {
    const fields = {
      code: token({ scope: 'code', form: 'uuid' }),
      id: token({ scope: 'person', label: 'cust', onToken: 'pass' }),
      pan,
    };
    const passed = id.bind(old).protect(7);
    const row = policy(fields).bind(now).protect({ code: 1, id: passed, pan: ROW.pan });
    expect(row.id).toBe(passed);
    expect(failure(() => policy(fields, check(OLD, NOW)).bind(now, revealAccess)).code).toBe('epoch_required');
    const named = policy(fields, check(OLD, NOW)).bind(now, revealAccess, { fromKey: NOW });
    expect(named.reveal(row as never).pan).toBe(ROW.pan);
  });

  it.each([
    ['with a label', { label: 'cust' }],
    ['without a label', {}],
  ])('tokens that pass do not keep their record from being moved, %s', (_, label) => {
    const fields = { id: token({ scope: 'person', onToken: 'pass', ...label }), pan };
    const keyed = (keys: typeof old) =>
      token({ scope: 'person', ...label })
        .bind(keys)
        .protect(7);
    const made = (keys: typeof old, one: unknown) =>
      policy(fields)
        .bind(keys)
        .protect({ id: one, pan: ROW.pan } as never);
    // The old key file made the record, and its id is a token of either key.
    const rows = [keyed(now), keyed(old)].map((one) => ({ ...made(old, 7), id: one }));
    const moving = rekey(policy(fields, check(OLD, NOW)), { from: now, to: now, fromKey: OLD }, revealAccess);
    expect(moving.rekeyMany(rows as never)).toEqual([made(now, keyed(now)), made(now, 7)]);
    // A damaged token is refused as before.
    const other = (rows[0]!.id as string).endsWith('0') ? '1' : '0';
    const damaged = { ...rows[0], id: `${(rows[0]!.id as string).slice(0, -1)}${other}` };
    expect(failure(() => moving.rekey(damaged as never)).code).toBe('malformed_token');
  });

  it('tokens without a label, and tokens after a clear part, are witnesses', () => {
    const fields = {
      id: token({ scope: 'person' }),
      ref: token({ scope: 'person', label: 'p', after: 'Patient/' }),
      pan,
    };
    const make = (keys: typeof old) => policy(fields).bind(keys).protect({ id: 7, ref: 'Patient/7', pan: ROW.pan });
    const revealing = policy(fields, check(OLD, NOW)).bind(now, revealAccess);
    for (const keys of [old, now]) {
      for (const gone of ['id', 'ref']) {
        expect(revealing.reveal({ ...make(keys), [gone]: null } as never).pan).toBe(ROW.pan);
      }
    }
    expect(failure(() => revealing.reveal({ ...make(old), ref: make(now).ref } as never)).code).toBe('wrong_key');
  });

  it('fields in objects and arrays see each other, and one record has one key', () => {
    const fields = { user: { name: optional(name), card: pan }, items: each({ by: name, cards: each(pan) }) };
    const row = {
      user: { name: 'Ada', card: ROW.pan },
      items: [
        { by: 'Zoë', cards: ['1111111111', '2222222222'] },
        { by: null, cards: ['3333333333'] },
      ],
    };
    const of = (keys: typeof old) => policy(fields).bind(keys).protect(row);
    const revealing = policy(fields, check(OLD, NOW)).bind(now, revealAccess);
    expect(revealing.revealMany([of(old), of(now)] as never)).toEqual([row, row]);
    // Without the name outside, the one in the array is left.
    const bare = (keys: typeof old) => ({ ...of(keys), user: { card: of(keys).user!.card } });
    expect(revealing.revealMany([bare(old), bare(now)] as never)).toEqual(
      [row, row].map((one) => ({ ...one, user: { card: ROW.pan } })),
    );
    const mixed = { ...of(old), items: of(now).items };
    expect(failure(() => revealing.reveal(mixed as never)).code).toBe('wrong_key');
  });

  it('missing texts of the field are left as they are, whatever the record shows', () => {
    const fields = { id, pan: fpe({ scope: 'pan', format: pattern('9999999999'), missing: ['', 'NA'] }) };
    const row = policy(fields).bind(old).protect({ id: 7, pan: 'NA' });
    expect(policy(fields, check(NOW)).bind(now, revealAccess).reveal(row).pan).toBe('NA');
  });

  it('a policy with a vault reveals in the same way', async () => {
    const fields = { name: vault({ scope: 'n', store: 'main' }), mail: seal({ scope: 'mail' }), pan };
    const stores = { main: memoryStore() };
    const row = await (await policy(fields).open(old, stores)).protect({ name: 'Ada', mail: 'a@b', pan: ROW.pan });
    const open = (pins: object, more = {}) => policy(fields, pins).open(now, stores, revealAccess, more);
    expect((await (await open(check(OLD, NOW))).reveal(row)).pan).toBe(ROW.pan);
    const wrong = await (await open(check(NOW))).reveal(row).catch((error: unknown) => error);
    expect((wrong as TrefoilError).code).toBe('wrong_key');
    const named = await (await open(check(OLD, NOW), { fromKey: NOW })).reveal(row).catch((error: unknown) => error);
    expect((named as TrefoilError).code).toBe('wrong_key');
  });

  it('a key id that is none is a mistake of the caller, and a retired one is said to be', () => {
    const both = policy(FIELDS, check(OLD, NOW));
    expect(() => both.bind(now, revealAccess, { fromKey: 7 as never })).toThrow(TypeError);
    expect(() => both.bind(now, revealAccess, { from: OLD } as never)).toThrow(/options/);
    expect(() => both.bind(now, revealAccess, { fromKey: 'zzzzz' })).toThrow(RangeError);
    const left = retireKey(SECOND, FIRST.primary, { at: '2027-01-31', domains: ['eu'] }).domain('eu');
    const late = () => policy(FIELDS, check(NOW)).bind(left, revealAccess, { fromKey: OLD });
    expect(late).toThrow(new RegExp(`key ${OLD} was retired on 2027-01-31`));
    expect(() => rekey(policy(FIELDS, check(NOW)), { from: left, to: left, fromKey: OLD }, revealAccess)).toThrow(
      /was retired on 2027-01-31/,
    );
  });
});

const ROW2 = { pan: ROW.pan };

describe('rekey', () => {
  const all = check(OLD, NOW, LAST);
  const moving = (fromKey: string, fields: object = FIELDS) =>
    rekey(policy(fields as typeof FIELDS, all), { from: last, to: last, fromKey }, revealAccess);

  it('refuses --from of a key that the record contradicts', () => {
    expect(moving(OLD).rekey(under(old))).toEqual(under(last));
    expect(moving(NOW).rekey(under(now))).toEqual(under(last));
    const { code, issues, message } = failure(() => moving(NOW).rekey(under(old)));
    expect([code, issues.map(({ field }) => field)]).toEqual(['wrong_key', ['pan']]);
    expect(message).toContain(`show key ${OLD}, and the value was said to be of key ${NOW}`);
  });

  it('also for tokens in a bare form, and for each record alone', () => {
    const fields = { code: token({ scope: 'code', form: 'uuid' }), name };
    const of = (keys: typeof old, who = 'Ada') => policy(fields).bind(keys).protect({ code: 1, name: who });
    const verbs = rekey(policy(fields, all), { from: last, to: last, fromKey: NOW }, revealAccess);
    const issues: AnyIssue[] = [];
    const out = verbs.rekeyMany([of(now), of(old), of(now, 'Zoë'), of(last)] as never, {
      onReject: (issue) => issues.push(issue as AnyIssue),
    });
    expect(out).toEqual([of(last), of(last, 'Zoë')]);
    expect(issues.map(({ row, code, field }) => [row, code, field])).toEqual([
      [2, 'wrong_key', 'code'],
      [4, 'already_rekeyed', 'name'],
    ]);
  });

  it('a record of two keys is refused', () => {
    const mixed = { ...under(old), name: under(now).name };
    expect(failure(() => moving(OLD).rekey(mixed as never)).code).toBe('wrong_key');
  });
});

describe('project', () => {
  it('coarsens an fpe value with the key that its record shows, and refuses what contradicts --from', () => {
    const theirs = policy({ id, name: drop, pan: mask({ last: 4 }) });
    const to = SECOND.domain('partner');
    const verbs = (more: object, pins = check(OLD, NOW)) =>
      project(policy(FIELDS, pins), { from: now, to, as: theirs, ...more }, revealAccess);
    for (const keys of [old, now]) {
      expect(verbs({}).project(under(keys)).pan).toBe('***7890');
    }
    expect(failure(() => verbs({ fromKey: NOW }).project(under(old))).code).toBe('wrong_key');
    // The only pin does not say that the table is of this key.
    expect(failure(() => verbs({}, check(NOW)).project(under(old))).code).toBe('wrong_key');
    const bare = () =>
      project(policy({ pan }, check(NOW)), { from: now, to, as: policy({ pan: mask({ last: 4 }) }) }, revealAccess);
    expect(failure(bare).code).toBe('epoch_required');
  });

  it('a bare token of another key than that of --from is refused', () => {
    const code = token({ scope: 'code', form: 'uuid' });
    const ours = policy({ id, code, city: keep });
    const to = SECOND.domain('partner');
    const of = (keys: typeof old) => ours.bind(keys).protect({ id: 7, code: 1, city: 'Oslo' });
    const verbs = (fromKey: string) => project(ours, { from: now, to, fromKey });
    expect(verbs(OLD).project(of(old))).toEqual(verbs(NOW).project(of(now)));
    expect(failure(() => verbs(NOW).project(of(old))).code).toBe('wrong_key');
  });
});

describe('a key of which branches are left', () => {
  const sheet = policy({ name }, { domain: 'eu' });
  const keep = keyNeeds([sheet], { verbs: ['reveal'] });
  const kept = retireKey(SECOND, FIRST.primary, { at: '2027-01-31', domains: ['eu'], keep });
  const left = kept.domain('eu', { branchCheck: kept.domain('eu').branchCheck! });

  it('is no second key of fpe fields if it has no branch for them', () => {
    const alone = policy({ pan }, check(NOW));
    expect(alone.bind(left, revealAccess).reveal(alone.bind(now).protect(ROW2)).pan).toBe(ROW.pan);
    // A record that shows it is refused all the same.
    const revealing = policy(FIELDS, check(NOW)).bind(left, revealAccess);
    expect(failure(() => revealing.reveal(under(old))).code).toBe('wrong_key');
  });

  it('and its tokens are said to be of a key that cannot make them', () => {
    const { code, message } = failure(() => id.bind(left).matches(7, id.bind(old).protect(7)));
    expect(code).toBe('not_granted');
    expect(message).toContain(`the token is of key ${OLD} of domain eu`);
    expect(id.bind(left).matches(7, id.bind(now).protect(7))).toBe(true);
    expect(failure(() => id.bind(left).matches(7, id.bind(last).protect(7))).code).toBe('foreign_token');
  });
});

describe('messages about keys', () => {
  it('a pinned key that an older key file lacks is named', () => {
    const { code, message } = failure(() => policy(FIELDS, check(OLD, NOW)).bind(old));
    expect(code).toBe('key_check_mismatch');
    expect(message).toContain(`the policy pins key ${NOW}, which the key file lacks: domain eu has key ${OLD}`);
  });

  it('a pinned key that was retired, with the day', () => {
    const left = retireKey(SECOND, FIRST.primary, { at: '2027-01-31', domains: ['eu'] }).domain('eu');
    const { code, message } = failure(() => policy(FIELDS, check(OLD, NOW)).bind(left));
    expect(code).toBe('key_check_mismatch');
    expect(message).toContain(`the policy pins key ${OLD}, which was retired on 2027-01-31`);
  });

  it('other keys altogether, and another check under one id', () => {
    const other = keyset.generate().domain('eu');
    expect(failure(() => policy(FIELDS, check(OLD, NOW)).bind(other)).message).toContain('are not the pinned ones');
    const forged = { keyCheck: { [OLD]: old.keyCheck[OLD]!.replace(/^./, (c) => (c === '0' ? '1' : '0')) } };
    expect(failure(() => policy(FIELDS, forged).bind(old)).message).toContain(`key ${OLD} of domain eu has another`);
  });
});
