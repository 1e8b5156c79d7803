/**
 * What the compiler says about a rule that is bound alone.
 */
import { type Enciphered, fpe, keyset, type Sealed, seal, type Token, token } from 'trefoil';
import { card, clear, digits, enumOf, oneOf, regex, seq } from 'trefoil/format';
import { emailAddress, trim } from 'trefoil/prepare';
import { revealAccess, secretAccess } from 'trefoil/reveal';
import { describe, expectTypeOf, test } from 'vitest';

// Type tests are compiled and never run, so values need a type only.
declare const someText: string;

const keys = keyset.generate().domain('eu');
const person = token({ scope: 'person' }).bind(keys);
const order = token({ scope: 'order' }).bind(keys);
const pan = fpe({ scope: 'card.pan', format: card() });
const name = seal({ scope: 'person.name' });
const age = seal({ scope: 'person.age', value: 'integer' });

describe('tokens', () => {
  test('carry their scope', () => {
    expectTypeOf(person.protect('7')).toEqualTypeOf<Token<'person'>>();
    expectTypeOf(person.protect(7)).toEqualTypeOf<Token<'person'>>();
    expectTypeOf(person.protect(7n)).toEqualTypeOf<Token<'person'>>();
    expectTypeOf(person.protectMany(['7', 8])).toEqualTypeOf<Token<'person'>[]>();
    expectTypeOf(person.protect('7')).toExtend<string>();
  });

  test('with contexts take one for each field', () => {
    const one = token({ scope: 'person', per: 'tenant' }).bind(keys);
    expectTypeOf(one.protect('7', { per: 'acme' })).toEqualTypeOf<Token<'person'>>();
    expectTypeOf(one.protectMany(['7'], { per: [7] })).toEqualTypeOf<Token<'person'>[]>();
    const two = token({ scope: 'person', per: ['tenant', { field: 'y', name: 'year' }] }).bind(keys);
    expectTypeOf(two.protect('7', { per: ['acme', 2024] })).toEqualTypeOf<Token<'person'>>();
    two.protectMany(['7'], { per: [['acme'], new Int32Array(1)] });
    // @ts-expect-error the context is missing
    one.protect('7');
    // @ts-expect-error a rule without contexts takes none
    person.protect('7', { per: 'acme' });
    // @ts-expect-error a list of two
    two.protect('7', { per: ['acme'] });
    const monthly = token({ scope: 'person', per: { month: 'seen' } }).bind(keys);
    expectTypeOf(monthly.protect('7', { per: '2024-03-01' })).toEqualTypeOf<Token<'person'>>();
    monthly.protectMany(['7'], { per: [new Date(0)] });
    // @ts-expect-error a period takes one date
    monthly.protect('7', { per: ['2024-03-01'] });
    // @ts-expect-error there is no such period
    token({ scope: 'person', per: { decade: 'seen' } });
  });

  test('of two scopes cannot be compared or assigned', () => {
    const a = person.protect('7');
    const b = order.protect('7');
    // @ts-expect-error tokens of two scopes never match, so comparing them is a mistake
    a === b;
    // @ts-expect-error a token of another scope
    const c: Token<'person'> = b;
    // @ts-expect-error a look-up of persons does not take an order
    ((id: Token<'person'>) => id)(b);
    // @ts-expect-error a list of one scope does not hold tokens of another
    [a].includes(b);
    // @ts-expect-error nor does a map find them
    new Map([[a, 1]]).get(b);
    return c;
  });

  test('are not made of plain text', () => {
    // @ts-expect-error text is not a token
    const a: Token<'person'> = someText;
    // @ts-expect-error a sealed value is not a token
    const b: Token<'person.name'> = name.bind(keys).protect('Ada');
    return [a, b];
  });

  test('cannot be turned back', () => {
    // @ts-expect-error a token cannot be revealed
    person.reveal;
    // @ts-expect-error nor can a column of tokens
    person.revealMany;
    // @ts-expect-error and a capability changes nothing
    token({ scope: 'person' }).bind(keys, revealAccess);
  });

  test('keep null and undefined', () => {
    const maybe = null as string | null;
    const absent = undefined as number | undefined;
    expectTypeOf(person.protect(maybe)).toEqualTypeOf<Token<'person'> | null>();
    expectTypeOf(person.protect(absent)).toEqualTypeOf<Token<'person'> | undefined>();
    expectTypeOf(person.protect(null)).toEqualTypeOf<Token<'person'> | null>();
    expectTypeOf(person.protectMany([maybe, '7'])).toEqualTypeOf<(Token<'person'> | null)[]>();
  });

  test('take text, numbers and bigints', () => {
    // @ts-expect-error not a boolean
    person.protect(true);
    // @ts-expect-error not an object
    person.protect({ id: 7 });
    // A Date is its text in UTC.
    expectTypeOf(person.protect(new Date(0))).toEqualTypeOf<Token<'person'>>();
  });

  test('take options by name', () => {
    token({ scope: 's', prepare: emailAddress });
    token({
      scope: 's',
      prepare: [trim, emailAddress],
      form: 'bare',
      missing: [],
      onToken: 'pass',
      why: 'because',
    });
    // @ts-expect-error no scope, no token
    token({});
    // @ts-expect-error the scope is not a position
    token('person');
    // @ts-expect-error no positional booleans
    token({ scope: 's' }, true);
    // @ts-expect-error an option that does not exist
    token({ scope: 's', lable: 'cust' });
    // @ts-expect-error prepare steps are values, so that a misspelt one does not compile
    token({ scope: 's', prepare: 'emailAdress' });
    // @ts-expect-error a form that does not exist
    token({ scope: 's', form: 'raw' });
  });
});

describe('fpe and seal', () => {
  test('reveal only with the capability', () => {
    // @ts-expect-error no capability, no way back
    pan.bind(keys).reveal;
    // @ts-expect-error no capability, no way back
    pan.bind(keys).revealMany;
    // @ts-expect-error no capability, no way back
    name.bind(keys).reveal;
    // @ts-expect-error no capability, no way back
    name.bind(keys).revealMany;
    // @ts-expect-error the capability to export keys is another one
    name.bind(keys, secretAccess);
    // @ts-expect-error an object that looks like a capability is not one
    name.bind(keys, {});
    // @ts-expect-error no positional booleans
    pan.bind(keys, true);
    // @ts-expect-error a keyset is not the keys of a domain
    pan.bind(keyset.generate());
    // @ts-expect-error the capability to reveal does not export keys
    keyset.generate().export(revealAccess);
  });

  test('fpe takes and gives text', () => {
    const bound = pan.bind(keys, revealAccess);
    const safe = bound.protect('4111 1111 1111 1111');
    expectTypeOf(safe).toEqualTypeOf<Enciphered<'card.pan'>>();
    expectTypeOf(bound.reveal(safe)).toEqualTypeOf<string>();
    expectTypeOf(bound.protect(null)).toEqualTypeOf<Enciphered<'card.pan'> | null>();
    expectTypeOf(bound.revealMany(bound.protectMany(['4111', undefined]))).toEqualTypeOf<(string | undefined)[]>();
    // @ts-expect-error a number would lose its leading zeros
    bound.protect(4111);
    // @ts-expect-error no prepare: reveal returns the exact value
    fpe({ scope: 's', format: card(), prepare: trim });
    // @ts-expect-error a format is a value, not a name
    fpe({ scope: 's', format: 'card' });
    // @ts-expect-error no format, no cipher
    fpe({ scope: 's' });
  });

  test('fpe takes any format, and few values with a reason in words', () => {
    const few = fpe({ scope: 'few', format: enumOf(['a', 'b']), allowCodebook: 'two, and everybody knows' });
    expectTypeOf(few.bind(keys).protect('a')).toEqualTypeOf<Enciphered<'few'>>();
    expectTypeOf(few.allowCodebook).toEqualTypeOf<string | undefined>();
    fpe({ scope: 's', format: seq(clear(digits()), '-', oneOf(digits({ length: 6 }), clear('none'))) });
    fpe({ scope: 's', format: regex(/[a-f]{9}/u) });
    // @ts-expect-error a reason is text, not a switch
    fpe({ scope: 's', format: enumOf(['a', 'b']), allowCodebook: true });
    // @ts-expect-error a part in clear is not a format
    fpe({ scope: 's', format: clear(digits()) });
    // @ts-expect-error a text that is a format of its own is written as clear
    oneOf(digits(), 'none');
    // @ts-expect-error a domain is clear, hashed or enciphered; a card has none
    card({ domain: 'hashed' });
    // @ts-expect-error a format has no verb that enciphers
    digits().protect('123456');
  });

  test('reveal takes what was protected in its own scope', () => {
    const names = name.bind(keys, revealAccess);
    const cities = seal({ scope: 'city' }).bind(keys, revealAccess);
    expectTypeOf(names.reveal(names.protect('Ada'))).toEqualTypeOf<string>();
    // @ts-expect-error sealed in another scope
    names.reveal(cities.protect('Oslo'));
    // @ts-expect-error a token is not sealed
    names.reveal(person.protect('7'));
    // @ts-expect-error a ciphertext of another scope
    fpe({ scope: 'other', format: card() }).bind(keys, revealAccess).reveal(pan.bind(keys).protect('4111'));
    // @ts-expect-error sealed values of two scopes never match, so comparing them is a mistake
    names.protect('Ada') === cities.protect('Ada');
  });

  test('seal integer takes numbers and gives numbers', () => {
    const ages = age.bind(keys, revealAccess);
    const safe = ages.protect(42);
    expectTypeOf(safe).toEqualTypeOf<Sealed<'person.age', number>>();
    expectTypeOf(ages.reveal(safe)).toEqualTypeOf<number>();
    expectTypeOf(ages.revealMany(ages.protectMany([1, null]))).toEqualTypeOf<(number | null)[]>();
    // @ts-expect-error text is another kind of value
    ages.protect('42');
    // @ts-expect-error a number is another kind of value
    name.bind(keys).protect(42);
    // @ts-expect-error a sealed number is not a sealed text
    seal({ scope: 'person.age' }).bind(keys, revealAccess).reveal(safe);
    // @ts-expect-error decimals and dates are text
    seal({ scope: 's', value: 'float' });
    // @ts-expect-error no prepare: reveal returns the exact value
    seal({ scope: 's', prepare: trim });
  });
});
