/**
 * What a TypeScript project sees of the packed declarations. It is compiled as an ES module, as CommonJS and for a
 * bundler; `used` keeps the compiler from dropping what it need not look at.
 */
import { drop, fpe, keep, keyset, optional, policy, seal, type Token, token } from 'trefoil';
import { type Issue, TrefoilError } from 'trefoil/errors';
import { card, digits, pattern, text } from 'trefoil/format';
import { keyset as sameKeyset } from 'trefoil/keys';
import { check, explain, parsePolicy } from 'trefoil/policy';
import { emailAddress, trim } from 'trefoil/prepare';
import { revealAccess, secretAccess } from 'trefoil/reveal';

const keys = keyset.generate().domain('eu');
const sheet = policy({
  id: token({ scope: 'person' }),
  email: token({ scope: 'person.email', prepare: [trim, emailAddress], optional: true }),
  pan: fpe({ scope: 'card.pan', format: card() }),
  name: seal({ scope: 'person.name' }),
  age: seal({ scope: 'person.age', value: 'integer' }),
  country: optional(keep),
  notes: drop,
});

interface Row {
  id: number;
  pan: string;
  name: string | null;
  age: number;
  notes: unknown;
}
const row: Row = { id: 7, pan: '4111111111111111', name: 'Ada', age: 36, notes: '' };

const safe = sheet.bind(keys).protect(row);
const id: Token<'person'> = safe.id;
const back = sheet.bind(keys, revealAccess).reveal(safe);
const name: string | null = back.name;
const age: number = back.age;

// @ts-expect-error a dropped field is not there
safe.notes;
// @ts-expect-error no capability, no way back
sheet.bind(keys).reveal;
// @ts-expect-error a missing field
sheet.bind(keys).protect({ id: 7 });
// @ts-expect-error an extra field
sheet.bind(keys).protect({ ...row, shoeSize: 43 });
// @ts-expect-error tokens of two scopes
id === token({ scope: 'order' }).bind(keys).protect(1);

function codeOf(error: unknown): Issue['code'] | null {
  return error instanceof TrefoilError ? error.code : null;
}

export const used: unknown[] = [
  ...[id, name, age, codeOf, digits, pattern, text, check, parsePolicy, explain(sheet)],
  ...[sameKeyset.generate().export(secretAccess)],
];
