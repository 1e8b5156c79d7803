/** Tokens over a lineage: candidates, matches, renewing and projecting, against a slow second implementation. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TrefoilError } from '../../src/errors.ts';
import { policy, projectTokens, seal, type TokenOptions, token, utf8Column, utf8Texts } from '../../src/index.ts';
import { type DomainKeys, openKeys } from '../../src/keys/domain-keys.ts';
import { type Keyset, keyset, retireKey } from '../../src/keys.ts';
import { keyNeeds, narrow } from '../../src/policy.ts';
import { casefold } from '../../src/prepare.ts';
import { revealAccess, secretAccess } from '../../src/reveal.ts';
import { lineageReference } from '../reference/renewal.ts';
import { type FormName, LENGTHS } from '../reference/token.ts';
import { secretText, testRoot } from '../reference/tree.ts';

const ROOTS = [0, 1, 2, 3].map((epoch) => testRoot(`renewal ${epoch}`));
const OTHER = testRoot('renewal of another lineage');

const made = new Map<string, Keyset>();

/** A keyset of epochs 0 to 3 over one base, the named one primary. With `isApart`, the base is only a base. */
function lineage(primary: number, isApart = false, more: object = {}): Keyset {
  const name = JSON.stringify([primary, isApart, more]);
  if (!made.has(name)) made.set(name, makeLineage(primary, isApart, more));
  return made.get(name)!;
}

function makeLineage(primary: number, isApart: boolean, more: object): Keyset {
  const base = isApart ? testRoot('renewal base') : ROOTS[0]!;
  const keys = ROOTS.map((root, i) => ({
    id: `e${i}`,
    ...(i === primary && { primary: true }),
    ...((isApart || i > 0) && { base: isApart ? 'base' : 'e0' }),
    secret: secretText(root),
  }));
  const all = isApart ? [...keys, { id: 'base', use: 'base', secret: secretText(base) }] : keys;
  return keyset.parse(JSON.stringify({ version: 'keyset-v1', keys: all, domains: { b: { of: 'eu' } }, ...more }));
}

function codeOf(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    if (error instanceof TrefoilError) return error.code;
    throw error;
  }
  return 'none';
}

const mail = token({ scope: 'mail', label: 'mail' });

/** Every form with a shortest, a middle and its longest length. */
const shapes: readonly (readonly [FormName, number])[] = (Object.keys(LENGTHS) as FormName[]).flatMap((form) => {
  const [least, most] = LENGTHS[form];
  return [...new Set([least, (least + most) >> 1, most - 1, most])]
    .filter((length) => length >= least)
    .map((length) => [form, length] as const);
});

function ruleOf(form: FormName, length: number) {
  const options: TokenOptions = {
    scope: 'mail',
    form,
    ...(form === 'labelled' && { label: 'mail' }),
    ...(length < LENGTHS[form][1] && { length, population: 2, maxCollisionProbability: 0.5 }),
  };
  return token(options);
}

describe.each(shapes)('%s of %s characters', (form, length) => {
  const rule = ruleOf(form, length);
  const label = form === 'labelled' ? { label: 'mail' } : {};

  it('is what the construction says in every epoch and domain, and moves between them', () => {
    for (const isApart of [false, true]) {
      const base = isApart ? testRoot('renewal base') : ROOTS[0]!;
      const values = Array.from({ length: 20 }, (_, i) => `value ${form} ${i}`);
      const made = new Map<string, { readonly id: string; readonly keys: DomainKeys; readonly tokens: string[] }>();
      for (const [domain, of] of [
        ['eu', undefined],
        ['b', 'eu'],
      ] as const) {
        for (const epoch of [0, 1, 2]) {
          const keys = lineage(epoch, isApart).domain(domain);
          const options = {
            base,
            root: ROOTS[epoch]!,
            domain,
            scope: 'mail',
            form,
            length,
            ...label,
            ...(of && { of }),
          };
          const expected = values.map((value) => lineageReference(options, value));
          const tokens = expected.map((one) => one.token);
          const bound = rule.bind(keys);
          expect(keys.keyId).toBe(expected[0]!.id);
          expect(bound.protectMany(values)).toEqual(tokens);
          expect(values.map((value) => bound.protect(value))).toEqual(tokens);
          expect(values.every((value, i) => bound.matches(value, tokens[i]!))).toBe(true);
          expect(bound.matches(values[1]!, tokens[0]!)).toBe(false);
          made.set(`${domain} ${epoch}`, { id: keys.keyId, keys, tokens });
        }
      }
      for (const [from, source] of made) {
        for (const [to, target] of made) {
          if (from === to) continue;
          const named = form === 'labelled' ? {} : { from: source.id };
          if (from.split(' ')[0] === to.split(' ')[0]) {
            const { renew, renewMany } = rule.bind(target.keys);
            expect(renewMany(source.tokens, named)).toEqual(target.tokens);
            expect(renew(source.tokens[3]!, named)).toBe(target.tokens[3]);
          } else {
            const { project, projectMany } = projectTokens(rule, { from: source.keys, to: target.keys });
            expect(projectMany(source.tokens, named)).toEqual(target.tokens);
            expect(project(source.tokens[3]!, named)).toBe(target.tokens[3]);
          }
        }
      }
      // Tokens of two keys are never equal: that would be a chance of 2 in 10^6 at the shortest length.
      const all = [...made.values()].flatMap(({ tokens }) => tokens);
      if (length > LENGTHS[form][0]) expect(new Set(all).size).toBe(all.length);
    }
  });

  it('has a candidate for each key, the primary first', () => {
    const keys = lineage(2).domain('eu');
    const { candidates, matches } = rule.bind(keys);
    const expected = [2, 0, 1, 3].map((epoch) => rule.bind(lineage(epoch).domain('eu')).protect('Ada'));
    expect(candidates('Ada')).toEqual(expected);
    for (const one of expected) expect(matches('Ada', one)).toBe(true);
    // A base that is only a base would give F(v) in the clear.
    const apart = rule.bind(lineage(2, true).domain('eu'));
    expect(apart.candidates('Ada')).toHaveLength(4);
  });
});

describe('a column', () => {
  const tokensOf = (epoch: number, values: readonly (string | number)[]) =>
    mail.bind(lineage(epoch).domain('eu')).protectMany(values);
  const values = Array.from({ length: 3000 }, (_, i) => i);
  const target = mail.bind(lineage(3).domain('eu'));

  it('may have tokens of several epochs, missing values, and tokens of the primary key, which pass', () => {
    const all = [0, 1, 2, 3].map((epoch) => tokensOf(epoch, values));
    const mixed = values.map((_, i) => (i % 11 === 0 ? null : i % 13 === 0 ? '' : all[(i * 7) % 4]![i]!));
    const expected = values.map((_, i) => (i % 11 === 0 ? null : i % 13 === 0 ? '' : all[3]![i]!));
    expect(target.renewMany(mixed)).toEqual(expected);
    expect(target.renewMany(expected)).toEqual(expected);
    expect(target.renewMany([])).toEqual([]);
    expect([target.renew(null), target.renew(undefined), target.renew('')]).toEqual([null, undefined, '']);
  });

  it('that repeats is moved as well, and UTF-8 with offsets stays UTF-8', () => {
    const few = tokensOf(
      1,
      values.map((i) => i % 50),
    );
    expect(target.renewMany(few)).toEqual(
      tokensOf(
        3,
        values.map((i) => i % 50),
      ),
    );
    const column = utf8Column(tokensOf(1, values));
    expect(utf8Texts(target.renewMany(column))).toEqual(tokensOf(3, values));
  });

  it('with bad tokens is one error with the rows', () => {
    const [good] = tokensOf(1, ['Ada']);
    const bad = [good!, `${good!.slice(0, -1)}${good!.endsWith('0') ? '1' : '0'}`, null, 'Ada'];
    try {
      target.renewMany(bad);
      expect.fail('no error');
    } catch (error) {
      const { issues, message } = error as TrefoilError;
      expect(issues.map(({ code, row }) => [code, row])).toEqual([
        ['malformed_token', 2],
        ['malformed_token', 4],
      ]);
      expect(message).not.toContain(good!.slice(10, 20));
    }
  });
});

describe('refused are', () => {
  const target = mail.bind(lineage(2).domain('eu'));
  const of = (rule: { bind: typeof mail.bind }, epoch = 1, domain = 'eu') =>
    rule.bind(lineage(epoch).domain(domain)).protect('Ada') as string;
  const rebind = (options: TokenOptions) => token(options) as unknown as typeof mail;

  it('tokens of another label, no label, another length, another form', () => {
    expect(codeOf(() => target.renew(of(rebind({ scope: 'mail', label: 'cust' }))))).toBe('foreign_token');
    expect(codeOf(() => target.renew(of(rebind({ scope: 'mail' }))))).toBe('foreign_token');
    const short = rebind({ scope: 'mail', label: 'mail', length: 20, population: 10 });
    expect(codeOf(() => target.renew(of(short)))).toBe('foreign_token');
    expect(codeOf(() => target.renew(of(rebind({ scope: 'mail', form: 'uuid' }))))).toBe('malformed_token');
    expect(codeOf(() => target.renew('Ada'))).toBe('malformed_token');
    for (const value of [7, 7n, true, {}, new Date(0)]) {
      expect(codeOf(() => target.renew(value as never))).toBe('malformed_token');
    }
  });

  it('every token with one changed character, and with something around it', () => {
    const one = of(mail);
    for (let at = 0; at < one.length; at++) {
      for (const symbol of '0a z_A') {
        const text = one.slice(0, at) + symbol + one.slice(at + 1);
        if (text === one) continue;
        expect(['malformed_token', 'foreign_token']).toContain(codeOf(() => target.renew(text)));
      }
    }
    for (const text of [` ${one}`, `${one} `, `${one}\n`, one.toUpperCase(), one.slice(1), `${one}0`]) {
      expect(codeOf(() => target.renew(text))).toBe('malformed_token');
    }
  });

  it('tokens of another domain or keyset, and of a key that is retired, with its day', () => {
    expect(codeOf(() => target.renew(of(mail, 1, 'us')))).toBe('foreign_token');
    expect(codeOf(() => target.renew(of(mail, 1, 'b')))).toBe('foreign_token');
    const gone = lineage(1).domain('eu').keyId;
    const later = keyset.parse(
      JSON.stringify({
        version: 'keyset-v1',
        keys: [
          { id: 'e2', primary: true, base: 'e0', secret: secretText(ROOTS[2]!) },
          { id: 'e0', secret: secretText(ROOTS[0]!) },
        ],
        retired: [{ id: 'e1', at: '2027-01-31', shown: { eu: gone } }],
      }),
    );
    const rule = mail.bind(later.domain('eu'));
    expect(codeOf(() => rule.renew(of(mail)))).toBe('key_retired');
    expect(() => rule.renew(of(mail))).toThrow('2027-01-31');
    expect(codeOf(() => rule.matches('Ada', of(mail)))).toBe('key_retired');
    // No token is made of it, and none passes: nothing joins with it.
    const upper = of(mail).toUpperCase();
    for (const onToken of ['error', 'pass'] as const) {
      for (const prepare of [undefined, casefold]) {
        const options = { scope: 'mail', label: 'mail', onToken, ...(prepare && { prepare }) };
        const bound = token(options).bind(later.domain('eu'));
        for (const one of prepare === undefined ? [of(mail)] : [of(mail), upper]) {
          expect(codeOf(() => bound.protect(one))).toBe('key_retired');
          expect(() => bound.protect(one)).toThrow('2027-01-31');
          expect(codeOf(() => bound.protectMany(['Ada', one]))).toBe('key_retired');
          expect(codeOf(() => bound.candidates(one))).toBe('key_retired');
        }
      }
    }
    // In another domain the key was not known, and a sealed value says the same.
    expect(codeOf(() => mail.bind(later.domain('us')).protect(of(mail)))).toBe('none');
    const names = seal({ scope: 'name' });
    const sealed = names.bind(lineage(1).domain('eu')).protect('Zoë');
    const opens = names.bind(later.domain('eu'), revealAccess);
    expect(codeOf(() => opens.reveal(sealed))).toBe('key_retired');
    expect(() => opens.revealMany([sealed])).toThrow('2027-01-31');
    expect(codeOf(() => names.bind(later.domain('us'), revealAccess).reveal(sealed))).toBe('unknown_key');
  });

  it('no token is made of a token whose key has lost its permutation', () => {
    const other = policy({ name: seal({ scope: 'name' }) }, { domain: 'eu' });
    const keep = keyNeeds([other], { verbs: ['reveal'] });
    const part = retireKey(lineage(2, true), 'e1', { at: '2027-01-31', domains: ['eu'], keep });
    const keys = part.domain('eu', { branchCheck: part.domain('eu').branchCheck! });
    const made = mail.bind(lineage(1, true).domain('eu')).protect('Ada');
    expect(mail.bind(keys).candidates('Ada')).not.toContain(made);
    expect(codeOf(() => mail.bind(keys).protect(made))).toBe('already_token');
    expect(codeOf(() => mail.bind(keys).protectMany([made]))).toBe('already_token');
    expect(token({ scope: 'mail', label: 'mail', onToken: 'pass' }).bind(keys).protect(made)).toBe(made);
  });

  it('tokens of a key that has a keyed function of its own', () => {
    const two = (...ids: string[]) =>
      keyset
        .parse(
          JSON.stringify({
            version: 'keyset-v1',
            keys: [
              { id: 'k0', secret: secretText(ROOTS[0]!) },
              { id: 'k1', base: 'k0', secret: secretText(ROOTS[1]!) },
              { id: 'k2', secret: secretText(OTHER) },
              { id: 'k3', base: 'k2', secret: secretText(ROOTS[3]!) },
            ].map((key) => (key.id === ids[0] ? { ...key, primary: true } : key)),
          }),
        )
        .domain('eu');
    const made = Object.fromEntries(['k0', 'k1', 'k2', 'k3'].map((id) => [id, mail.bind(two(id)).protect('Ada')]));
    const outcome = (to: string, from: string) => codeOf(() => mail.bind(two(to)).renew(made[from]!));
    for (const [to, from] of [
      ['k3', 'k0'],
      ['k3', 'k1'],
      ['k1', 'k2'],
      ['k0', 'k3'],
      ['k2', 'k0'],
    ] as const) {
      expect(outcome(to, from), `${from} to ${to}`).toBe('not_renewable');
    }
    for (const [to, from] of [
      ['k3', 'k2'],
      ['k1', 'k0'],
      ['k0', 'k1'],
      ['k2', 'k3'],
    ] as const) {
      expect(mail.bind(two(to)).renew(made[from]!)).toBe(made[to]);
    }
    // All four are candidates, and match.
    const bound = mail.bind(two('k3'));
    expect(bound.candidates('Ada')).toEqual([made.k3, made.k0, made.k1, made.k2]);
    for (const one of Object.values(made)) expect(bound.matches('Ada', one!)).toBe(true);
    const bare = token({ scope: 'mail', form: 'bare' }).bind(two('k3'));
    const from = two('k0').keyId;
    expect(codeOf(() => bare.renewMany(['0'.repeat(26)], { from }))).toBe('not_renewable');
  });

  it('bare tokens and tokens without a label, unless the key is named', () => {
    for (const options of [
      { scope: 'mail', form: 'uuid' },
      { scope: 'mail' },
      { scope: 'mail', form: 'digits' },
    ] as const) {
      const rule = rebind(options);
      const [first, second] = [lineage(1).domain('eu'), lineage(2).domain('eu')];
      const [old, now] = [rule.bind(first).protect('Ada'), rule.bind(second).protect('Ada')];
      const bound = rule.bind(second);
      expect(codeOf(() => bound.renew(old))).toBe('epoch_required');
      expect(codeOf(() => bound.renewMany([]))).toBe('epoch_required');
      expect(bound.renew(old, { from: first.keyId })).toBe(now);
      expect(codeOf(() => bound.renew(now, { from: second.keyId }))).toBe('epoch_required');
      expect(codeOf(() => bound.renew(old, { from: '00000' }))).toBe('foreign_token');
      expect(() => bound.renew(old, { from: 7 } as never)).toThrow(TypeError);
      expect(() => bound.renew(old, { form: first.keyId } as never)).toThrow(TypeError);
    }
    // A token that shows its key is not taken for one of the named key.
    const unlabelled = rebind({ scope: 'mail' });
    const from = lineage(1).domain('eu').keyId;
    const bound = unlabelled.bind(lineage(2).domain('eu'));
    expect(codeOf(() => bound.renew(of(unlabelled, 2), { from }))).toBe('already_rekeyed');
    expect(codeOf(() => bound.renew(of(unlabelled, 3), { from }))).toBe('foreign_token');
  });

  it('a primary key that is not pinned', () => {
    const old = lineage(1).domain('eu');
    const keys = lineage(2).domain('eu', { keyCheck: old.keyCheck[old.keyId] === undefined ? {} : pick(old) });
    expect(codeOf(() => mail.bind(keys).renew(of(mail)))).toBe('key_not_pinned');
  });

  function pick({ keyId, keyCheck }: DomainKeys) {
    return { [keyId]: keyCheck[keyId]! };
  }
});

describe('projecting', () => {
  const ours = lineage(1).domain('eu');
  const stranger = keyset.parse(
    JSON.stringify({ version: 'keyset-v1', keys: [{ id: 'x', primary: true, secret: secretText(OTHER) }] }),
  );

  it('goes from one recipient to another and back to the parent', () => {
    const more = { domains: { b: { of: 'eu' }, c: { of: 'eu' } } };
    const [eu, b, c] = ['eu', 'b', 'c'].map((name) => lineage(1, true, more).domain(name));
    const value = mail.bind(eu!).protect('Ada');
    const atB = projectTokens(mail, { from: eu!, to: b! }).project(value);
    const atC = projectTokens(mail, { from: b!, to: c! }).project(atB);
    expect([atB, atC]).toEqual([mail.bind(b!).protect('Ada'), mail.bind(c!).protect('Ada')]);
    expect(projectTokens(mail, { from: c!, to: eu! }).project(atC)).toBe(value);
    // One that has arrived passes.
    expect(projectTokens(mail, { from: b!, to: c! }).project(atC)).toBe(atC);
  });

  it('between domains without a common base is not_related', () => {
    for (const to of [lineage(1).domain('us'), stranger.domain('eu'), stranger.domain('b')]) {
      expect(codeOf(() => projectTokens(mail, { from: ours, to }))).toBe('not_related');
    }
    const bare = token({ scope: 'mail', form: 'uuid' });
    const { project } = projectTokens(bare, { from: ours, to: lineage(1).domain('us') });
    expect(codeOf(() => project(bare.bind(ours).protect('Ada'), { from: ours.keyId }))).toBe('not_related');
  });

  it('takes a token rule and keys of two domains', () => {
    expect(() => projectTokens({ rule: 'token', scope: 'mail' } as never, { from: ours, to: ours })).toThrow(TypeError);
    expect(() => projectTokens(mail, { from: ours } as never)).toThrow(TypeError);
    expect(() => projectTokens(mail, { from: ours, to: ours, as: 'x' } as never)).toThrow(TypeError);
  });
});

describe('joins', () => {
  const at = (rule: { bind: (keys: DomainKeys) => { protect: (value: string) => string | null } }, epoch: number) =>
    rule.bind(lineage(epoch).domain('eu')).protect('Ada')!;
  const whole = token({ scope: 'mail', form: 'hex' });
  const short = token({ scope: 'mail', form: 'hex', length: 12, population: 100 });

  it('two lengths of one scope join in the first epoch and not in a later one', () => {
    expect(at(whole, 0).startsWith(at(short, 0))).toBe(true);
    expect(at(whole, 1).startsWith(at(short, 1))).toBe(false);
  });

  it('forms of equally many bits go on joining', () => {
    const bare = token({ scope: 'mail', form: 'bare' });
    const bits = [...at(bare, 1)].map((c) =>
      '0123456789abcdefghjkmnpqrstvwxyz'.indexOf(c).toString(2).padStart(5, '0'),
    );
    expect(BigInt(`0b${bits.join('').slice(0, 128)}`)).toBe(BigInt(`0x${at(whole, 1)}`));
    const twelve = token({ scope: 'mail', form: 'bare', length: 12, population: 100 });
    const fifteen = token({ scope: 'mail', form: 'hex', length: 15, population: 100 });
    const sixty = [...at(twelve, 1)].map((c) =>
      '0123456789abcdefghjkmnpqrstvwxyz'.indexOf(c).toString(2).padStart(5, '0'),
    );
    expect(BigInt(`0b${sixty.join('')}`)).toBe(BigInt(`0x${at(fifteen, 1)}`));
  });

  it('values with contexts, steps, readings and a part in clear are renewed like any other', () => {
    const old = lineage(1).domain('eu');
    const now = lineage(2).domain('eu');
    const account = token({ scope: 'account', label: 'acc', per: 'tenant' });
    const made = account.bind(old).protect(7, { per: 'acme' });
    expect(account.bind(now).renew(made)).toBe(account.bind(now).protect(7, { per: 'acme' }));
    expect(account.bind(now).candidates(7, { per: 'acme' })).toContain(made);
    expect(account.bind(now).matches(7, made, { per: 'acme' })).toBe(true);
    const patient = token({ scope: 'patient', label: 'pat', after: 'Patient/' });
    const reference = patient.bind(old).protect('Patient/7f3a');
    const { renew, renewMany, candidates } = patient.bind(now);
    expect(renew(reference)).toBe(patient.bind(now).protect('Patient/7f3a'));
    expect(renewMany([reference, 'Patient/', null])).toEqual([
      patient.bind(now).protect('Patient/7f3a'),
      'Patient/',
      null,
    ]);
    expect(candidates('Patient/7f3a')).toContain(reference);
    expect(codeOf(() => renew(reference.slice('Patient/'.length)))).toBe('outside_format');
    const blake = token({ scope: 'mail', label: 'mail', prf: 'blake3' });
    expect(blake.bind(now).renew(blake.bind(old).protect('Ada'))).toBe(blake.bind(now).protect('Ada'));
  });
});

describe('candidates', () => {
  it('of what protect passes are the value alone', () => {
    const keys = lineage(2).domain('eu');
    const list = token({ scope: 'mail', label: 'mail', missing: ['', 'n/a'], onToken: 'pass' }).bind(keys);
    expect(list.candidates('n/a')).toEqual(['n/a']);
    expect(list.candidates('')).toEqual(['']);
    const made = list.protect('Ada');
    expect(list.candidates(made)).toEqual([made]);
    expect(codeOf(() => mail.bind(keys).candidates(made))).toBe('already_token');
    for (const value of [null, undefined, true, {}]) {
      expect(() => mail.bind(keys).candidates(value as never)).toThrow();
    }
  });

  it('of a keyset with one key are its token', () => {
    const keys = keyset.generate().domain('eu');
    expect(mail.bind(keys).candidates(7)).toEqual([mail.bind(keys).protect(7)]);
  });
});

describe('who has the permutations alone', () => {
  const sheet = policy({ id: mail }, { domain: 'eu' });
  const full = lineage(2);
  const { keyset: narrowed, branchCheck } = narrow(full, sheet, { verbs: ['rekey'] });
  const keys = keyset.parse(narrowed.export(secretAccess)).domain('eu', { branchCheck });
  const old = mail.bind(lineage(1).domain('eu'));

  it('renews', () => {
    const now = mail.bind(full.domain('eu'));
    expect(mail.bind(keys).renew(old.protect('Ada'))).toBe(now.protect('Ada'));
    const values = Array.from({ length: 2000 }, (_, i) => i);
    expect(mail.bind(keys).renewMany(old.protectMany(values))).toEqual(now.protectMany(values));
  });

  it('makes no token and tests no value', () => {
    const bound = mail.bind(keys);
    for (const run of [
      () => bound.protect('Ada'),
      () => bound.protectMany(['Ada']),
      () => bound.matches('Ada', old.protect('Ada')),
      () => bound.candidates('Ada'),
    ]) {
      expect(codeOf(run)).toBe('not_granted');
    }
    for (const key of openKeys(keys).keys) expect(key.has('token', 'mail', ['hmac-sha256'])).toBe(false);
  });

  it('with all that it has, no guess of 100,000 meets a token', () => {
    const { primary } = openKeys(keys);
    const node = primary.derive('token permutation', 'mail', ['bits', '128']);
    const target = mail.bind(full.domain('eu')).protect('99999');
    // The best that is left: the node it holds as if it were that of the keyed function.
    const { candidates } = mail.bind(
      keyset
        .parse(JSON.stringify({ version: 'keyset-v1', keys: [{ id: 'x', primary: true, secret: secretText(node) }] }))
        .domain('eu'),
    );
    let hits = 0;
    for (let i = 0; i < 100_000; i++) if (candidates(String(i))[0]!.slice(10, -4) === target.slice(10, -4)) hits++;
    expect(hits).toBe(0);
  });

  it('is refused to renew with a file for protecting alone', () => {
    const other = narrow(full, sheet, { verbs: ['protect'] });
    const worker = mail.bind(other.keyset.domain('eu', { branchCheck: other.branchCheck }));
    expect(worker.protect('Ada')).toBe(mail.bind(full.domain('eu')).protect('Ada'));
    expect(codeOf(() => worker.renew(old.protect('Ada')))).toBe('not_granted');
  });
});

describe('two houses', () => {
  it('the second house renews to a key of its own, knowing the base by its key check alone', () => {
    const controller = lineage(1, true);
    const base = { id: 'base', use: 'base', secret: secretText(testRoot('renewal base')) };
    // The controller hands out the permutation of epoch 1.
    const { keyset: handed } = narrow(controller, policy({ id: mail }, { domain: 'eu' }), { verbs: ['rekey'] });
    const file = JSON.parse(handed.export(secretAccess)) as { keys: Record<string, unknown>[] };
    const epoch = file.keys.find(({ id }) => id === 'e1')!;
    const check = openKeys(controller.domain('eu')).primary.lineage.check!;
    const { primary: _, ...rest } = epoch;
    const house = (mine: object[]) =>
      keyset.parse(
        JSON.stringify({
          version: 'keyset-v1',
          keys: [{ id: 'f', primary: true, base: 'base', secret: secretText(OTHER) }, ...mine],
        }),
      );
    const second = house([rest, { id: 'base', use: 'base', check: { eu: check } }]);
    const branches = second.domain('eu').branchCheck!;
    const theirs = mail.bind(second.domain('eu', { branchCheck: branches }));
    const sent = mail.bind(controller.domain('eu')).protect('Ada');
    const published = theirs.renew(sent);
    // What somebody with all keys would make.
    expect(published).toBe(mail.bind(house([base]).domain('eu')).protect('Ada'));
    expect(codeOf(() => theirs.protect('Ada'))).toBe('not_granted');
    expect(codeOf(() => theirs.candidates('Ada'))).toBe('not_granted');
    expect(codeOf(() => mail.bind(controller.domain('eu')).matches('Ada', published))).toBe('foreign_token');
  });
});

describe('random histories', () => {
  it('tokens of one epoch are equal exactly when the values are, whatever way they went', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...shapes.filter(([form, length]) => length > LENGTHS[form][0])),
        fc.boolean(),
        fc.array(
          fc.record({
            value: fc.integer({ min: 0, max: 5 }),
            way: fc.array(fc.integer({ min: 0, max: 3 }), { minLength: 1, maxLength: 4 }),
          }),
          {
            minLength: 2,
            maxLength: 12,
          },
        ),
        fc.integer({ min: 0, max: 3 }),
        ([form, length], isApart, rows, end) => {
          const rule = ruleOf(form, length);
          const keysOf = (epoch: number) => lineage(epoch, isApart).domain('eu');
          const out = rows.map(({ value, way }) => {
            let [at, ...others] = way;
            let made = rule.bind(keysOf(at!)).protect(`value ${value}`)!;
            for (const next of [...others, end]) {
              if (next === at) continue;
              const named = form === 'labelled' ? {} : { from: keysOf(at!).keyId };
              made = rule.bind(keysOf(next)).renew(made, named)!;
              at = next;
            }
            return made;
          });
          const fresh = rule.bind(keysOf(end));
          expect(out).toEqual(rows.map(({ value }) => fresh.protect(`value ${value}`)));
        },
      ),
      { numRuns: 25 },
    );
  });
});
