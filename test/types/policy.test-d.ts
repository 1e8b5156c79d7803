/**
 * What the compiler says about a policy: which record it protects, and what the protected and the revealed record are.
 */
import {
  coarsen,
  constant,
  drop,
  type Enciphered,
  each,
  fpe,
  keep,
  keyset,
  mark,
  mask,
  optional,
  type Policy,
  policy,
  type Sealed,
  seal,
  shiftDate,
  type Token,
  token,
} from 'trefoil';
import { card } from 'trefoil/format';
import {
  type BoundFilePolicy,
  explain,
  type FilePolicy,
  type OutputRow,
  parsePolicy,
  project,
  rekey,
} from 'trefoil/policy';
import { readDate, readEpoch } from 'trefoil/prepare';
import { revealAccess } from 'trefoil/reveal';
import { describe, expectTypeOf, test } from 'vitest';

const keys = keyset.generate().domain('eu');
const customers = policy({
  id: token({ scope: 'person' }),
  pan: fpe({ scope: 'card.pan', format: card() }),
  name: seal({ scope: 'person.name' }),
  country: keep,
  notes: drop,
});
const bound = customers.bind(keys);
const revealing = customers.bind(keys, revealAccess);

interface Customer {
  id: number;
  pan: string;
  name: string | null;
  country: 'NO' | 'DE';
  notes?: string;
}
interface Noted extends Customer {
  notes: string;
}
declare const customer: Noted;
declare const stranger: Noted & { shoeSize: number };
declare const loose: Record<string, unknown>;
declare const cells: Record<string, string>;

describe('a record that goes in', () => {
  test('a policy that may reveal takes the key of values that do not show it, and one that may not takes none', () => {
    expectTypeOf(customers.bind(keys, revealAccess, { fromKey: 'b341r' })).toEqualTypeOf(revealing);
    // @ts-expect-error the option is fromKey
    customers.bind(keys, revealAccess, { from: 'b341r' });
    // @ts-expect-error without the access nothing is revealed
    customers.bind(keys, undefined, { fromKey: 'b341r' });
  });

  test('has every field, with a type that its rule takes', () => {
    bound.protect(customer);
    bound.protect({ id: '7', pan: '4111', name: null, country: 'NO', notes: undefined });
    bound.protect({ id: 7n, pan: null, name: undefined, country: 47, notes: { any: ['thing'] } });
    // @ts-expect-error a missing field
    bound.protect({ id: 7, pan: '4111', name: 'Ada', country: 'NO' });
    // @ts-expect-error an optional field does not fit a field that must be there
    bound.protect({} as Customer);
    // @ts-expect-error fpe takes text
    bound.protect({ ...customer, pan: 4111 });
    // @ts-expect-error seal takes text unless it says integer
    bound.protect({ ...customer, name: 7 });
    // @ts-expect-error a token is not made of a boolean
    bound.protect({ ...customer, id: true });
    // @ts-expect-error keep takes single values: fields inside need rules of their own
    bound.protect({ ...customer, country: { code: 'NO' } });
    // @ts-expect-error an array is not a record
    bound.protect([customer]);
    // @ts-expect-error text is not a record
    bound.protect('customer');
    // @ts-expect-error no positional booleans
    bound.protect(customer, true);
  });

  test('has no field without a rule, unless its names are not known', () => {
    // @ts-expect-error an extra field in a literal
    bound.protect({ ...customer, shoeSize: 43 });
    // @ts-expect-error an extra field in a typed record
    bound.protect(stranger);
    // @ts-expect-error an extra field in typed records
    bound.protectMany([stranger]);
    // @ts-expect-error an extra field that may be missing
    bound.protect({} as Noted & { shoeSize?: number });
    bound.protect(loose);
    bound.protect(cells);
    bound.protectMany([loose]);
    bound.protectMany([cells]);
  });

  test('may come from an array of an interface, read-only or not', () => {
    const rows: Noted[] = [];
    const frozen: readonly Readonly<Noted>[] = rows;
    expectTypeOf(bound.protectMany(rows)[0]!.id).toEqualTypeOf<Token<'person'>>();
    expectTypeOf(bound.protectMany(frozen)[0]!.name).toEqualTypeOf<Sealed<'person.name'> | null>();
    bound.protectMany(rows, { onReject: (issue) => issue.code });
    // @ts-expect-error one record is not many
    bound.protectMany(customer);
    // @ts-expect-error an option that does not exist
    bound.protectMany(rows, { onRejekt: () => {} });
    // @ts-expect-error no positional booleans
    bound.protectMany(rows, true);
  });
});

describe('a record that comes out', () => {
  test('is flat and says what happened to each field', () => {
    const safe = bound.protect(customer);
    expectTypeOf(safe).toEqualTypeOf<{
      id: Token<'person'>;
      pan: Enciphered<'card.pan'>;
      name: Sealed<'person.name'> | null;
      country: 'NO' | 'DE';
    }>();
    expectTypeOf(bound.protectMany([customer])).toEqualTypeOf<(typeof safe)[]>();
  });

  test('has no dropped field', () => {
    const safe = bound.protect(customer);
    // @ts-expect-error a dropped field is not there
    safe.notes;
    // @ts-expect-error nor in many records
    bound.protectMany([customer])[0]!.notes;
    // @ts-expect-error nor where names are not known
    bound.protect(loose).notes;
  });

  test('does not join two scopes', () => {
    const orders = policy({ id: token({ scope: 'order' }), customer: token({ scope: 'person' }) }).bind(keys);
    const order = orders.protect({ id: 1, customer: 7 });
    const safe = bound.protect(customer);
    safe.id === order.customer;
    // @ts-expect-error an order's id is not a person's
    safe.id === order.id;
  });

  test('keeps null and undefined, and what the empty record field may be', () => {
    const p = policy({ a: token({ scope: 's' }), b: mask({ last: 2 }), c: coarsen({ date: 'year' }), d: keep }).bind(
      keys,
    );
    const safe = p.protect(
      {} as { a: string | null; b: string | undefined; c: string | null | undefined; d: null | boolean },
    );
    expectTypeOf(safe).toEqualTypeOf<{
      a: Token<'s'> | null;
      b: string | undefined;
      c: string | null | undefined;
      d: null | boolean;
    }>();
  });

  test('has kept types as they were', () => {
    const p = policy({ a: keep, b: keep, c: keep, d: keep }).bind(keys);
    type Row = { a: 'x' | 'y'; b: Date; c: number | null; d: bigint };
    expectTypeOf(p.protect({} as Row)).toEqualTypeOf<Row>();
  });

  test('has the literal of a constant, whatever was there', () => {
    const p = policy({
      src: constant({ value: 'web' }),
      n: constant({ value: 0 }),
      none: constant({ value: null }),
    }).bind(keys);
    expectTypeOf(p.protect({ src: 'app', n: null, none: { a: 1 } })).toEqualTypeOf<{ src: 'web'; n: 0; none: null }>();
  });

  test('has buckets: numbers stay numbers, text stays text', () => {
    const p = policy({
      born: coarsen({ date: 'year' }),
      age: coarsen({ number: 10 }),
      ip: coarsen({ ip: { v4: 24, v6: 48 } }),
    });
    const row = { born: '1984-03-12', age: 28.5, ip: '192.0.2.1' };
    expectTypeOf(p.bind(keys).protect(row)).toEqualTypeOf<{ born: string; age: number; ip: string }>();
    expectTypeOf(p.bind(keys).protect({ ...row, age: '28.5' }).age).toEqualTypeOf<string>();
    // A bucket of literals is not one of the literals.
    expectTypeOf(p.bind(keys).protect({ ...row, age: 28 as 28 | 29 | null }).age).toEqualTypeOf<number | null>();
    // A Date counts as its date in UTC.
    expectTypeOf(p.bind(keys).protect({ ...row, born: new Date(0) }).born).toEqualTypeOf<string>();
    // @ts-expect-error a number is a date only with a reading
    p.bind(keys).protect({ ...row, born: 448070400000 });
    // @ts-expect-error a Date is no address
    p.bind(keys).protect({ ...row, ip: new Date(0) });
    // @ts-expect-error exactly one kind of bucket
    coarsen({ date: 'year', number: 10 });
    // @ts-expect-error one kind of bucket
    coarsen({});
    // @ts-expect-error no such bucket
    coarsen({ date: 'week' });
    // @ts-expect-error limits are for numbers
    coarsen({ date: 'year', max: 1990 });
    // @ts-expect-error numbers have limits, and no names of buckets
    coarsen({ number: 10, merge: { old: ['90'] } });
    // @ts-expect-error an address has no other form
    coarsen({ ip: { v4: 24, v6: 48 }, read: readDate('YYYYMMDD') });
    // @ts-expect-error a reading is a value, and its name is for files
    coarsen({ date: 'year', read: 'YYYYMMDD' });
  });

  test('reads other forms, and a bucket below min is text', () => {
    const p = policy({
      born: coarsen({ date: 'year', read: readEpoch('seconds') }),
      age: coarsen({ number: 10, min: 20, max: 90 }),
      zip: coarsen({ prefix: 3, merge: { '000': ['036'] } }),
      seen: shiftDate({ scope: 'v', subject: 'zip', days: 9, read: readEpoch('seconds') }),
      left: shiftDate({ scope: 'v', subject: 'zip', days: 9 }),
    });
    const row = { born: 448070400, age: 28, zip: '03601', seen: 1711872900, left: new Date(0) };
    const safe = p.bind(keys).protect(row);
    expectTypeOf(safe).toEqualTypeOf<{ born: string; age: string | number; zip: string; seen: number; left: string }>();
    expectTypeOf(p.bind(keys).protect({ ...row, seen: '1' }).seen).toEqualTypeOf<string>();
    expectTypeOf(p.bind(keys).protect({ ...row, seen: null }).seen).toEqualTypeOf<null>();
    // @ts-expect-error a number is a date only with a reading
    p.bind(keys).protect({ ...row, left: 1711872900 });
    // @ts-expect-error a Date is in no form
    p.bind(keys).protect({ ...row, seen: new Date(0) });
  });

  test('of a rule that is marked', () => {
    const p = policy({ a: mark(keep, { optional: true, role: 'other' }), b: mark(drop, { why: 'x' }) }).bind(keys);
    p.protect({ b: 1 });
    // @ts-expect-error not optional
    p.protect({ a: 1 });
    // @ts-expect-error no such role
    mark(keep, { role: 'key' });
  });

  test('is known by the policy where the names of the record are not', () => {
    const safe = bound.protect(loose);
    expectTypeOf(safe.id).toEqualTypeOf<Token<'person'> | null | undefined>();
    expectTypeOf(safe.country).toEqualTypeOf<unknown>();
    expectTypeOf(bound.protect(cells)).toEqualTypeOf<{
      id: Token<'person'>;
      pan: Enciphered<'card.pan'>;
      name: Sealed<'person.name'>;
      country: string;
    }>();
  });

  test('can be named', () => {
    type Safe = OutputRow<
      { id: ReturnType<typeof token<'person'>>; notes: typeof drop },
      { id: string; notes: string }
    >;
    expectTypeOf<Safe>().toEqualTypeOf<{ id: Token<'person'> }>();
  });
});

describe('optional fields', () => {
  const p = policy({
    a: token({ scope: 's', optional: true }),
    b: optional(keep),
    c: optional(drop),
    d: fpe({ scope: 'f', format: card(), optional: true, why: 'because' }),
    e: seal({ scope: 'n', value: 'integer', optional: true }),
    f: constant({ value: 1, optional: true }),
    g: mask({ last: 3, optional: true }),
    h: coarsen({ number: 10, optional: true }),
    i: optional(token({ scope: 's' })),
  }).bind(keys, revealAccess);

  test('may be absent, and stay so', () => {
    expectTypeOf(p.protect({})).toEqualTypeOf<Record<never, never>>();
    const safe = p.protect({} as { a?: string; b?: number; e?: number; h?: number });
    expectTypeOf(safe).toEqualTypeOf<{ a?: Token<'s'>; b?: number; e?: Sealed<'n', number>; h?: number }>();
    expectTypeOf(p.reveal(safe)).toEqualTypeOf<{ a?: Token<'s'>; b?: number; e?: number; h?: number }>();
    expectTypeOf(p.protect({ i: 'x', g: '123456', f: null })).toEqualTypeOf<{ i: Token<'s'>; g: string; f: 1 }>();
    // @ts-expect-error optional does not mean any type
    p.protect({ e: '7' });
    // @ts-expect-error optional does not mean any name
    p.protect({ z: 1 });
  });

  test('are those that say so', () => {
    const q = policy({ a: token({ scope: 's', optional: false }), b: keep }).bind(keys);
    // @ts-expect-error optional: false is not optional
    q.protect({ b: 1 });
    // @ts-expect-error nor is a rule without the option
    q.protect({ a: 's' });
    const maybe = token({ scope: 's', optional: true as boolean });
    // @ts-expect-error a field that is not known to be optional must be there
    policy({ a: maybe }).bind(keys).protect({});
  });
});

describe('nested records', () => {
  const p = policy({
    user: { email: token({ scope: 'person.email' }), address: { city: keep, street: drop } },
    items: each({ sku: keep, note: seal({ scope: 'note' }) }),
    tags: each(token({ scope: 'tag' })),
    grid: each(each(keep)),
  });
  type Row = {
    user: { email: string; address: { city: string; street: string } | null };
    items: readonly { sku: number; note: string | null }[];
    tags?: never;
    grid: number[][];
  };
  type Whole = Omit<Row, 'tags'> & { tags: (string | null)[] };
  const b = p.bind(keys, revealAccess);
  const row = {} as Whole;

  test('come out nested', () => {
    const safe = b.protect(row);
    expectTypeOf(safe).toEqualTypeOf<{
      user: { email: Token<'person.email'>; address: { city: string } | null };
      items: { sku: number; note: Sealed<'note'> | null }[];
      tags: (Token<'tag'> | null)[];
      grid: number[][];
    }>();
    expectTypeOf(b.reveal(safe)).toEqualTypeOf<{
      user: { email: Token<'person.email'>; address: { city: string } | null };
      items: { sku: number; note: string | null }[];
      tags: (Token<'tag'> | null)[];
      grid: number[][];
    }>();
    // @ts-expect-error a dropped field inside is not there
    safe.user.address?.street;
  });

  test('are held to the policy at every depth', () => {
    b.protect(row);
    b.protect({ user: null, items: null, tags: [], grid: [[1], [null]] });
    // @ts-expect-error a missing field inside
    b.protect({ ...row, user: { address: null } });
    // @ts-expect-error an extra field inside
    b.protect({ ...row, user: { ...row.user, shoeSize: 43 } });
    // @ts-expect-error an extra field two levels in
    b.protect({ ...row, user: { email: 'a@b.no', address: { city: 'Oslo', street: 'x', zip: '0001' } } });
    // @ts-expect-error an extra field inside an array
    b.protect({ ...row, items: [{ sku: 1, note: null, price: 7 }] });
    // @ts-expect-error a missing field inside an array
    b.protect({ ...row, items: [{ sku: 1 }] });
    // @ts-expect-error an object where an array was promised
    b.protect({ ...row, items: { sku: 1, note: null } });
    // @ts-expect-error an array where an object was promised
    b.protect({ ...row, user: [] });
    // @ts-expect-error a single value where an array was promised
    b.protect({ ...row, tags: 'a' });
    // @ts-expect-error nesting where a single value was promised
    b.protect({ ...row, tags: [['a']] });
  });

  test('may have unknown names inside', () => {
    const inside = b.protect({ ...row, user: loose });
    expectTypeOf(inside.user.email).toEqualTypeOf<Token<'person.email'> | null | undefined>();
    // @ts-expect-error a dropped field is not there
    inside.user.address?.street;
  });
});

describe('a record that comes back', () => {
  test('has sealed and enciphered fields as they were', () => {
    const back = revealing.reveal(revealing.protect(customer));
    expectTypeOf(back).toEqualTypeOf<{
      id: Token<'person'>;
      pan: string;
      name: string | null;
      country: 'NO' | 'DE';
    }>();
    expectTypeOf(revealing.revealMany(revealing.protectMany([customer]))).toEqualTypeOf<(typeof back)[]>();
    const p = policy({ n: seal({ scope: 'n', value: 'integer' }), src: constant({ value: 'web' }) }).bind(
      keys,
      revealAccess,
    );
    expectTypeOf(p.reveal(p.protect({ n: 7, src: 1 }))).toEqualTypeOf<{ n: number; src: 'web' }>();
  });

  test('needs the capability', () => {
    // @ts-expect-error no capability, no way back
    bound.reveal;
    // @ts-expect-error no capability, no way back
    bound.revealMany;
    // @ts-expect-error an object that looks like a capability is not one
    customers.bind(keys, {});
    // @ts-expect-error no positional booleans
    customers.bind(keys, true);
  });

  test('was protected by this policy', () => {
    const safe = bound.protect(customer);
    // @ts-expect-error plain text is not sealed
    revealing.reveal({ ...safe, name: 'Ada' });
    // @ts-expect-error sealed in another scope
    revealing.reveal({ ...safe, name: seal({ scope: 'city' }).bind(keys).protect('Oslo') });
    // @ts-expect-error a missing field
    revealing.reveal({ id: safe.id, pan: safe.pan, name: safe.name });
    // @ts-expect-error a dropped field is not revealed
    revealing.reveal(safe).notes;
  });

  test('may have unknown names, as it comes from a file', () => {
    const back = revealing.reveal(loose);
    expectTypeOf(back.name).toEqualTypeOf<string | null | undefined>();
    expectTypeOf(revealing.reveal(cells)).toEqualTypeOf<{ id: string; pan: string; name: string; country: string }>();
    // @ts-expect-error a dropped field is not revealed
    back.notes;
  });
});

describe('a policy as a value', () => {
  const file = parsePolicy({});

  test('is explained, from code or from a file', () => {
    expectTypeOf(explain(customers)).toEqualTypeOf<string>();
    expectTypeOf(explain(file)).toEqualTypeOf<string>();
    expectTypeOf(explain(policy({ a: each({ b: optional(keep) }) }))).toEqualTypeOf<string>();
    // @ts-expect-error a bound policy is not the policy
    explain(bound);
    // @ts-expect-error fields alone are not a policy
    explain({ a: keep });
  });

  test('goes where any policy goes', () => {
    // biome-ignore lint/suspicious/noExplicitAny: the way to name any policy
    const takesAny = (p: FilePolicy | Policy<any>) => Object.keys(p.fields);
    takesAny(customers);
    takesAny(file);
    takesAny(policy({ a: { b: keep } }, { domain: 'eu', unnamed: 'drop' }));
    const takesPolicy = (p: Policy) => p.domain;
    takesPolicy(customers);
    takesPolicy(policy({ a: each(keep) }));
    expectTypeOf(file.bind(keys)).toEqualTypeOf<BoundFilePolicy>();
    // @ts-expect-error no capability, no way back
    file.bind(keys).reveal;
    expectTypeOf(file.bind(keys, revealAccess).reveal({ a: 1 })).toEqualTypeOf<Record<string, unknown>>();
  });

  test('is made of rules', () => {
    // @ts-expect-error a rule's name is not the rule
    policy({ a: 'keep' });
    // @ts-expect-error an array of rules is written each(rule)
    policy({ a: [keep] });
    // @ts-expect-error options by name
    policy({ a: keep }, 'eu');
    // @ts-expect-error an option that does not exist
    policy({ a: keep }, { domian: 'eu' });
    // @ts-expect-error a rule that is a function call away
    policy({ a: mask });
  });

  test('is read-only', () => {
    // @ts-expect-error nothing mutates
    customers.domain = 'us';
    // @ts-expect-error nothing mutates
    customers.fields.id = keep;
  });
});

describe("unnamed: 'drop'", () => {
  const p = policy({ id: keep, items: each({ sku: keep }) }, { unnamed: 'drop' }).bind(keys);

  test('takes typed records with other fields, and does not have them in the output', () => {
    const safe = p.protect({ id: 1, more: 'x', items: [{ sku: 'A1', price: 3 }] });
    expectTypeOf(safe).toEqualTypeOf<{ id: number; items: { sku: string }[] }>();
  });

  test('still asks for the fields that have a rule', () => {
    // @ts-expect-error id is missing
    p.protect({ more: 'x', items: [] });
  });
});

describe('a record that is moved', () => {
  const moving = rekey(customers, { from: keys, to: keys }, revealAccess);
  const safe = bound.protect(customer);

  test('is a protected one, and comes out as one of the same type', () => {
    expectTypeOf(moving.rekey(safe)).toEqualTypeOf<typeof safe>();
    expectTypeOf(moving.rekeyMany([safe])).toEqualTypeOf<(typeof safe)[]>();
    expectTypeOf(project(customers, { from: keys, to: keys, as: customers }).project(safe)).toEqualTypeOf<
      Record<string, unknown>
    >();
  });

  test('is not a clear one', () => {
    // @ts-expect-error the fields are clear, and notes is dropped
    moving.rekey(customer);
    // @ts-expect-error only the verb of its own
    moving.protect;
    // @ts-expect-error a policy that is bound to keys moves nothing
    bound.rekey;
  });

  test('may be one of a policy from a file', () => {
    const file: FilePolicy = parsePolicy({});
    rekey(file, { from: keys, to: keys }).rekey({ any: 'thing' });
    project(customers, { from: keys, to: keys, as: file });
  });
});
