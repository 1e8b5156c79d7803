/**
 * Loads every subpath by `import` and by `require` in one process, and checks that each build accepts the objects of
 * the other. `test/runtime/packed.test.ts` runs it in a folder where the packed tarball is installed. It prints the
 * name of each check.
 */
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);
const names = ['', 'errors', 'format', 'prepare', 'keys', 'reveal', 'policy', 'csv', 'ndjson', 'tsv', 'node', 'duckdb', 'vault', 'vault-contract', 'vault-sqlite', 'vault-postgres', 'custody', 'log', 'govern',
  'gateway', 'ff1', 'ff3', 'ip', 'testing'];
const subpath = (name) => (name === '' ? 'trefoil' : `trefoil/${name}`);

const esm = { title: 'import' };
const cjs = { title: 'require' };
for (const name of names) {
  esm[name || 'index'] = await import(subpath(name));
  cjs[name || 'index'] = require(subpath(name));
}

/** Everything below is true in both directions. */
const ways = [
  [esm, cjs],
  [cjs, esm],
];

/** The same as `Array.fromAsync`, which Node has since version 22. */
async function collect(items) {
  const all = [];
  for await (const item of items) all.push(item);
  return all;
}

const checks = {
  'every subpath exports the same names'() {
    for (const name of names) {
      const a = Object.keys(esm[name || 'index']).filter((key) => key !== 'default' && key !== 'module.exports');
      const b = Object.keys(cjs[name || 'index']).filter((key) => key !== '__esModule');
      assert.ok(a.length > 0, name);
      assert.deepEqual(a.sort(), b.sort(), name);
    }
  },

  'the two builds are two: nothing below holds by identity'() {
    assert.notEqual(esm.index.token, cjs.index.token);
    assert.notEqual(esm.errors.TrefoilError, cjs.errors.TrefoilError);
    assert.notEqual(esm.reveal.revealAccess, cjs.reveal.revealAccess);
  },

  'within a build, one export at two subpaths is one'() {
    for (const build of [esm, cjs]) {
      assert.equal(build.index.TrefoilError, build.errors.TrefoilError);
      assert.equal(build.index.keyset, build.keys.keyset);
      assert.equal(build.index.policy, build.policy.policy);
    }
  },

  'an error of one is an instance of the other'() {
    for (const [one, other] of ways) {
      assert.throws(
        () => one.keys.keyset.parse('{}'),
        (error) => error instanceof other.errors.TrefoilError && error instanceof Error && error.code === 'invalid_keyset',
      );
      assert.ok(!(new Error('another') instanceof other.errors.TrefoilError));
    }
  },

  'a capability of one is accepted by the other'() {
    for (const [one, other] of ways) {
      const keys = one.index.keyset.generate().domain('eu');
      const rule = one.index.seal({ scope: 'name' });
      const names = rule.bind(keys, other.reveal.revealAccess);
      assert.equal(names.reveal(names.protect('Zoë')), 'Zoë');
      assert.match(one.index.keyset.generate().export(other.reveal.secretAccess), /^\{/);
      assert.throws(() => rule.bind(keys, other.reveal.secretAccess), TypeError);
      assert.throws(() => rule.bind(keys, {}), TypeError);
      assert.throws(() => one.index.keyset.generate().export(other.reveal.revealAccess), TypeError);
    }
  },

  'keys of one are bound by the rules of the other'() {
    for (const [one, other] of ways) {
      const keys = one.index.keyset.generate().domain('eu');
      const pinned = one.index.keyset.generate().domain('eu');
      assert.equal(
        other.index.token({ scope: 's' }).bind(keys).protect('a'),
        one.index.token({ scope: 's' }).bind(keys).protect('a'),
      );
      const sheet = other.index.policy({ id: other.index.token({ scope: 's' }) }, { keyCheck: keys.keyCheck });
      assert.equal(sheet.bind(keys).protect({ id: 'a' }).id, one.index.token({ scope: 's' }).bind(keys).protect('a'));
      assert.throws(() => sheet.bind(pinned), { code: 'key_check_mismatch' });
    }
  },

  async 'keys of notes of one sign and open the notes of the other'() {
    for (const [one, other] of ways) {
      const key = one.log.newNoteKey('anna.example');
      const note = await other.log.signNote('text\n', [one.log.noteSigner(key.privateKey)]);
      assert.equal(one.log.openNote(note, [other.log.verifierKey(key.verifierKey)]).text, 'text\n');
    }
  },

  'formats and prepare steps of one make rules of the other'() {
    for (const [one, other] of ways) {
      const root = one.index.keyset.generate();
      const open = root.domain('eu');
      const keys = root.domain('eu', { keyCheck: open.keyCheck });
      for (const format of [
        other.format.card({ clear: { first: 6 } }),
        other.format.digits({ length: 16 }),
        other.format.pattern('9999999999999999'),
        other.format.text('0123456789', { length: 16 }),
      ]) {
        const pan = one.index.fpe({ scope: 'pan', format }).bind(keys, other.reveal.revealAccess);
        assert.equal(pan.reveal(pan.protect('4111111111111111')), '4111111111111111');
      }
      // A format of one within a format of the other.
      const { format: lent } = other;
      const ref = one.format.seq(lent.clear(one.format.digits({ length: 2 })), '-', lent.digits({ length: 6 }));
      const mixed = one.format.oneOf(ref, lent.uuid(), lent.clear('none'));
      const bound = one.index.fpe({ scope: 'ref', format: mixed }).bind(keys, other.reveal.revealAccess);
      for (const value of ['12-345678', '01890a5d-ac96-774b-bcce-b302099a8057', 'none']) {
        assert.equal(bound.reveal(bound.protect(value)), value);
      }
      for (const [step, text] of [
        ['nfc', 'a'],
        ['nfkc', 'a'],
        ['trim', ' a '],
        ['casefold', 'A'],
        ['digitsOnly', '1-2'],
        ['emailAddress', 'A@example.com'],
        ['emailAddressExact', 'A@example.com'],
        ['phoneE164', '+47 22 22 55 55'],
        ['phone', '+49 (0)30 901820'],
        ['wholeNumber', '10017.0'],
      ]) {
        const own = one.index.token({ scope: 's', prepare: one.prepare[step] }).bind(keys);
        const lent = one.index.token({ scope: 's', prepare: [other.prepare[step]] }).bind(keys);
        assert.equal(own.protect(text), lent.protect(text), step);
      }
    }
  },

  'rules of one make a policy of the other, which the other explains'() {
    for (const [one, other] of ways) {
      const { coarsen, constant, drop, each, fpe, keep, mask, optional, seal, token } = other.index;
      const keys = one.index.keyset.generate().domain('eu');
      const sheet = one.policy.policy(
        {
          id: token({ scope: 'person' }),
          pan: fpe({ scope: 'pan', format: one.format.card() }),
          name: seal({ scope: 'name' }),
          tags: each(keep),
          city: optional(keep),
          zip: one.index.optional(mask({ first: 2 })),
          born: coarsen({ date: 'year' }),
          src: constant({ value: 'web' }),
          notes: drop,
        },
        { domain: 'eu', keyCheck: keys.keyCheck },
      );
      const row = { id: 7, pan: '4111111111111111', name: 'Zoë', tags: ['a'], born: '1984-03-12', src: 1, notes: 'x' };
      const safe = sheet.bind(keys).protect(row);
      const back = sheet.bind(keys, other.reveal.revealAccess).reveal(safe);
      assert.deepEqual(back, { id: safe.id, pan: row.pan, name: 'Zoë', tags: ['a'], born: '1984', src: 'web' });
      assert.equal(other.policy.explain(sheet), one.policy.explain(sheet));
      const file = other.policy.parsePolicy(JSON.parse(JSON.stringify(sheet)));
      assert.deepEqual(file.bind(keys).protect(row), safe);
      assert.equal(JSON.stringify(file), JSON.stringify(sheet));
    }
  },

  'ciphers of one read what the other wrote'() {
    const key = Uint8Array.from({ length: 32 }, (_, i) => i);
    const tweak = new Uint8Array(8);
    for (const [one, other] of ways) {
      const numerals = [4, 1, 1, 1, 1, 1, 1, 1];
      assert.deepEqual(other.ff1.ff1(key, 10).decrypt(one.ff1.ff1(key, 10).encrypt(numerals, tweak), tweak), numerals);
      const column = ['4111111111111111', '0000000000'];
      const written = one.ff1.ff1Text(key, '0123456789').encryptMany(column, tweak);
      assert.deepEqual(other.ff1.ff1Text(key, '0123456789').decryptMany(written, tweak), column);
      assert.equal(
        one.ff3.ff3Text(key, '0123456789').decrypt('4716569208', tweak),
        other.ff3.ff3Text(key, '0123456789').decrypt('4716569208', tweak),
      );
      for (const name of ['cryptoPan', 'ipcryptPfx', 'ipcryptNdx']) {
        assert.equal(other.ip[name](key).decrypt(one.ip[name](key).encrypt('192.0.2.1')), '192.0.2.1', name);
      }
    }
  },

  async 'a bound policy of one goes through the streams of the other'() {
    const text = async (chunks) => Buffer.concat(await collect(chunks)).toString();
    for (const [one, other] of ways) {
      const keys = one.index.keyset.generate().domain('eu');
      const sheet = one.index.policy({ name: one.index.seal({ scope: 'name' }), country: one.index.keep });
      const bound = sheet.bind(keys);
      const both = sheet.bind(keys, other.reveal.revealAccess);
      const csv = 'name,country\nZoë,DE\n';
      assert.equal(await text(other.csv.revealCsv([await text(other.csv.protectCsv([csv], bound))], both)), csv);
      const json = '{"name":"Zoë","country":"DE"}\n';
      assert.equal(await text(other.ndjson.revealNdjson([await text(other.ndjson.protectNdjson([json], bound))], both)), json);
    }
  },

  'both write the same'() {
    const secret = esm.index.keyset.generate().export(esm.reveal.secretAccess);
    const outputs = [esm, cjs].map(({ index, keys, format, prepare }) => {
      const domain = keys.keyset.parse(secret).domain('eu');
      const row = { id: 7, mail: 'Ada@Example.com', pan: '4111 1111 1111 1111', plate: 'A123456', name: 'Zoë', n: 42, iban: 'NO9386011117947', born: '2024-02-29', ip: '2001:db8::1' };
      const sheet = index.policy({
        id: index.token({ scope: 'person', label: 'cust' }),
        mail: index.token({ scope: 'mail', prepare: [prepare.trim, prepare.emailAddress], form: 'bare' }),
        pan: index.fpe({ scope: 'pan', format: format.card({ clear: { first: 6 } }) }),
        plate: index.fpe({ scope: 'plate', format: format.pattern('A999999') }),
        iban: index.fpe({ scope: 'iban', format: format.iban() }),
        born: index.fpe({ scope: 'born', format: format.date({ from: '1900-01-01', to: '2029-12-31' }) }),
        ip: index.fpe({ scope: 'ip', format: format.ipv6({ prefixPreserving: true }) }),
        name: index.seal({ scope: 'name' }),
        n: index.seal({ scope: 'n', value: 'integer' }),
      });
      return { domain: { ...domain }, safe: sheet.bind(domain).protect(row), sheet: JSON.stringify(sheet) };
    });
    assert.deepEqual(outputs[0], outputs[1]);
  },
};


for (const [name, check] of Object.entries(checks)) {
  await check();
  console.log(name);
}
