/**
 * A plain CommonJS project under Jest, without any transform. Run by `test/runtime/packed.test.ts`.
 */
const { card } = require('trefoil/format');
const { emailAddress } = require('trefoil/prepare');
const { keyset } = require('trefoil/keys');
const { TrefoilError } = require('trefoil/errors');
const { explain } = require('trefoil/policy');
const { protectCsv } = require('trefoil/csv');
const { protectNdjson } = require('trefoil/ndjson');
const { protectFile } = require('trefoil/node');
const { revealAccess } = require('trefoil/reveal');
const { drop, fpe, keep, policy, seal, token } = require('trefoil');

const keys = keyset.generate().domain('eu-enclave');
const sheet = policy(
  {
    id: token({ scope: 'person' }),
    email: token({ scope: 'person.email', prepare: emailAddress }),
    pan: fpe({ scope: 'card.pan', format: card({ clear: { first: 6 } }) }),
    name: seal({ scope: 'person.name' }),
    country: keep,
    notes: drop,
  },
  { domain: 'eu-enclave', keyCheck: keys.keyCheck },
);
const row = { id: 7, email: 'a@example.com', pan: '4111111111111111', name: 'Zoë', country: 'DE', notes: 'x' };

test('protects and reveals', () => {
  const safe = sheet.bind(keys).protect(row);
  expect(safe).not.toHaveProperty('notes');
  expect(safe.pan).toMatch(/^411111\d{10}$/);
  const back = sheet.bind(keys, revealAccess).reveal(safe);
  expect(back).toMatchObject({ pan: row.pan, name: row.name, country: row.country });
});

test('throws errors that can be distinguished', () => {
  expect(() => sheet.bind(keys).protect({})).toThrow(TrefoilError);
  expect(() => sheet.bind(keys).protect({})).toThrow(/the record has no such field/);
  expect(() => sheet.bind(keys).reveal).not.toThrow();
  expect(sheet.bind(keys).reveal).toBeUndefined();
});

test('streams', async () => {
  const bound = policy({ country: keep }).bind(keys);
  const chunks = [];
  for await (const chunk of protectCsv(['country\nDE\n'], bound)) chunks.push(chunk);
  for await (const chunk of protectNdjson(['{"country":"DE"}\n'], bound)) chunks.push(chunk);
  expect(Buffer.concat(chunks).toString()).toBe('country\nDE\n{"country":"DE"}\n');
  expect(typeof protectFile).toBe('function');
});

test('explains', () => {
  expect(explain(sheet)).toContain('# Pseudonymisation policy of the domain eu-enclave');
});
