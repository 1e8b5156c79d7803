import { expectTypeOf, test } from 'vitest';
import { keyset, type Sealed, seal, type Token, token, type Utf8Column, utf8Column } from '../../src/index.ts';

const keys = keyset.generate().domain('types');
const ids = token({ scope: 'person' }).bind(keys);
const names = seal({ scope: 'person.name' }).bind(keys);

test('a column stays what it is: missing values, UTF-8, numbers', () => {
  expectTypeOf(ids.protectMany(['1', '2'])).toEqualTypeOf<Token<'person'>[]>();
  expectTypeOf(ids.protectMany([1, null])).toEqualTypeOf<(Token<'person'> | null)[]>();
  expectTypeOf(ids.protectMany(Int32Array.of(1))).toEqualTypeOf<Token<'person'>[]>();
  expectTypeOf(ids.protectMany(utf8Column(['1']))).toEqualTypeOf<Utf8Column>();
  expectTypeOf(names.protectMany(['Ada', undefined])).toEqualTypeOf<(Sealed<'person.name', string> | undefined)[]>();
  // @ts-expect-error bytes are not a column of numbers
  ids.protectMany(Uint8Array.of(1));
  // @ts-expect-error an object cannot become a token
  ids.protectMany([{}]);
});
