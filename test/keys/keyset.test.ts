import { inspect } from 'node:util';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { card } from '../../src/format.ts';
import { fpe, keyset, policy, seal, TrefoilError, token } from '../../src/index.ts';
import { revealAccess, secretAccess } from '../../src/reveal.ts';
import { ALPHABET } from '../../src/wire/base32.ts';
import { base32, domainOf, FROZEN_ROOT, keysetJson, ruleNode, secretText, testRoot } from '../reference/tree.ts';

const SECRET = secretText(FROZEN_ROOT);
const OTHER = secretText(testRoot('other'));
const good = { version: 'keyset-v1', keys: [{ id: 'a', primary: true, secret: SECRET }] };

/** The error of a keyset that must be refused. No message may contain eight characters of a secret in a row. */
function refused(json: string): TrefoilError {
  try {
    keyset.parse(json);
  } catch (error) {
    expect(error).toBeInstanceOf(TrefoilError);
    const { message, stack, issues } = error as TrefoilError;
    for (const text of [
      message,
      stack!.split('\n    at ')[0]!,
      JSON.stringify(issues),
      inspect(error).split('\n    at ')[0]!,
    ]) {
      for (const secret of [SECRET, OTHER]) {
        const body = secret.slice('trefoil-root-1_'.length);
        for (let at = 0; at + 8 <= body.length; at++) expect(text.includes(body.slice(at, at + 8))).toBe(false);
      }
    }
    return error as TrefoilError;
  }
  throw new Error('the keyset was taken');
}

const code = (value: unknown) => refused(typeof value === 'string' ? value : JSON.stringify(value)).code;

describe('round trip', () => {
  it('generate, export, parse: one primary, the same domain keys, the same text', () => {
    const made = keyset.generate();
    const json = made.export(secretAccess);
    const read = keyset.parse(json);
    expect(read.primary).toBe(made.primary);
    expect(read.ids).toEqual([made.primary]);
    expect(read.export(secretAccess)).toBe(json);
    expect(read.domain('eu')).toEqual(made.domain('eu'));
    expect(JSON.parse(json)).toEqual({
      version: 'keyset-v1',
      keys: [{ id: made.primary, primary: true, secret: expect.stringMatching(/^trefoil-root-1_[0-9a-z]{56}$/) }],
    });
  });

  it('two generated keysets have nothing in common', () => {
    const [a, b] = [keyset.generate(), keyset.generate()];
    expect(a.primary).not.toBe(b.primary);
    expect(a.domain('eu').keyId).not.toBe(b.domain('eu').keyId);
  });

  it('the primary comes first, wherever it stood, and the others keep their order', () => {
    const keys = ['x', 'y', 'z', 'w'].map((id) => ({
      id,
      primary: id === 'z',
      secret: secretText(testRoot(id)),
    }));
    const read = keyset.parse(JSON.stringify({ version: 'keyset-v1', keys }));
    expect(read.primary).toBe('z');
    expect(read.ids).toEqual(['z', 'x', 'y', 'w']);
    expect(keyset.parse(read.export(secretAccess)).ids).toEqual(read.ids);
    const domain = read.domain('eu');
    expect(domain.keyId).toBe(domainOf(testRoot('z'), 'eu').id);
    expect(domain.keyCheck).toEqual(
      Object.fromEntries(keys.map(({ id }) => [domainOf(testRoot(id), 'eu').id, domainOf(testRoot(id), 'eu').check])),
    );
  });

  it('takes 64 root keys and not 65', () => {
    const keys = Array.from({ length: 65 }, (_, i) => ({
      id: `k${i}`,
      primary: i === 0,
      secret: secretText(testRoot(`${i}`)),
    }));
    expect(keyset.parse(JSON.stringify({ version: 'keyset-v1', keys: keys.slice(0, 64) })).ids).toHaveLength(64);
    expect(code({ version: 'keyset-v1', keys })).toBe('invalid_keyset');
  });

  it('white space and the order of fields do not matter', () => {
    const json = `\n{ "keys": [ { "secret": "${SECRET}", "primary": true, "id": "a" } ], "version": "keyset-v1" }\n `;
    expect(keyset.parse(json).domain('eu').keyId).toBe(keyset.parse(JSON.stringify(good)).domain('eu').keyId);
  });
});

describe('bad keysets', () => {
  it('cut at every length', () => {
    const json = keyset.parse(JSON.stringify(good)).export(secretAccess).trimEnd();
    for (let length = 0; length < json.length; length++) expect(code(json.slice(0, length))).toBe('invalid_keyset');
    for (let length = 1; length < json.length; length++) expect(code(json.slice(length))).toBe('invalid_keyset');
  });

  it.each([
    '',
    ' ',
    'null',
    'true',
    '5',
    '"keyset-v1"',
    '[]',
    '[1]',
    '{}',
    '{',
    'not json',
    '\u0000',
    '\ufeff{}',
    '{"version":"keyset-v1"}',
    `[${JSON.stringify(good)}]`,
    JSON.stringify(JSON.stringify(good)),
    SECRET,
  ])('%j', (json) => {
    expect(code(json)).toBe('invalid_keyset');
  });

  it('longer than 1,048,576 characters', () => {
    expect(code(JSON.stringify(good) + ' '.repeat(1_048_576))).toBe('invalid_keyset');
  });

  it.each([
    ['no version', { ...good, version: undefined }],
    ['another version', { ...good, version: 'keyset-v2' }],
    ['a version that is no text', { ...good, version: 1 }],
    ['no keys', { ...good, keys: undefined }],
    ['an empty list of keys', { ...good, keys: [] }],
    ['keys as an object', { ...good, keys: { 0: good.keys[0] } }],
    ['a key that is null', { ...good, keys: [null] }],
    ['a key that is a list', { ...good, keys: [[]] }],
    ['a key that is its secret', { ...good, keys: [SECRET] }],
    ['an unknown field', { ...good, comment: 'x' }],
    ['an unknown field of a key', { ...good, keys: [{ ...good.keys[0], note: 'x' }] }],
    ['the field __proto__', JSON.stringify(good).replace('{', '{"__proto__":{},')],
    ['the field constructor', { ...good, constructor: 1 }],
    ['no id', { ...good, keys: [{ primary: true, secret: SECRET }] }],
    ['a bad id', { ...good, keys: [{ ...good.keys[0], id: 'A key' }] }],
    ['an id that is a number', { ...good, keys: [{ ...good.keys[0], id: 7 }] }],
    ['no primary', { ...good, keys: [{ id: 'a', secret: SECRET }] }],
    ['primary: false', { ...good, keys: [{ ...good.keys[0], primary: false }] }],
    ['primary as text', { ...good, keys: [{ ...good.keys[0], primary: 'true' }] }],
    ['primary: null', { ...good, keys: [{ ...good.keys[0], primary: null }] }],
    ['two primaries', { ...good, keys: [good.keys[0], { id: 'b', primary: true, secret: OTHER }] }],
    ['two equal ids', { ...good, keys: [good.keys[0], { id: 'a', secret: OTHER }] }],
    ['two equal secrets', { ...good, keys: [good.keys[0], { id: 'b', secret: SECRET }] }],
    ['no secret', { ...good, keys: [{ id: 'a', primary: true }] }],
    ['a secret that is null', { ...good, keys: [{ ...good.keys[0], secret: null }] }],
    ['a secret that is a list of bytes', { ...good, keys: [{ ...good.keys[0], secret: [...FROZEN_ROOT] }] }],
    ['a secret without its beginning', { ...good, keys: [{ ...good.keys[0], secret: SECRET.slice(15) }] }],
    ['a secret in upper case', { ...good, keys: [{ ...good.keys[0], secret: SECRET.toUpperCase() }] }],
    ['a secret with space around it', { ...good, keys: [{ ...good.keys[0], secret: ` ${SECRET}` }] }],
    ['a secret with a line end', { ...good, keys: [{ ...good.keys[0], secret: `${SECRET}\n` }] }],
    ['an empty secret', { ...good, keys: [{ ...good.keys[0], secret: 'trefoil-root-1_' }] }],
  ])('%s', (_, value) => {
    expect(code(value)).toBe('invalid_keyset');
  });

  it('a base beside the list of keys is refused, and the message says where it belongs', () => {
    expect(refused(JSON.stringify({ ...good, base: 'a' })).message).toContain('"base" belongs to a key of the list');
  });

  it('a key of another length', () => {
    for (const length of [0, 1, 16, 24, 31, 33, 64]) {
      const bytes = Buffer.concat([FROZEN_ROOT, FROZEN_ROOT]).subarray(0, length);
      expect(code({ ...good, keys: [{ id: 'a', primary: true, secret: secretText(bytes) }] })).toBe('invalid_keyset');
    }
  });

  it.each([
    ['printable text', Buffer.from('correct horse battery staple 123')],
    ['zeros', Buffer.alloc(32)],
    ['one byte again and again', Buffer.alloc(32, 0xa5)],
    [
      'two halves that repeat a few bytes',
      Buffer.concat(Array.from({ length: 4 }, () => Buffer.from([1, 250, 3, 200, 5, 150, 7, 100]))),
    ],
    ['sixteen bytes twice', Buffer.concat([testRoot('half').subarray(0, 16), testRoot('half').subarray(0, 16)])],
    ['counting up', Buffer.from(Array.from({ length: 32 }, (_, i) => i))],
    ['counting down from 255', Buffer.from(Array.from({ length: 32 }, (_, i) => 255 - i))],
    ['counting by seven', Buffer.from(Array.from({ length: 32 }, (_, i) => (i * 7 + 250) & 255))],
  ])('a weak key: %s', (_, bytes) => {
    expect(bytes.length).toBe(32);
    expect(code({ ...good, keys: [{ id: 'a', primary: true, secret: secretText(bytes) }] })).toBe('weak_key');
  });

  it('keys from a generator are not weak', () => {
    for (let i = 0; i < 500; i++) expect(() => keyset.parse(keysetJson(testRoot(`strong ${i}`)))).not.toThrow();
  });

  it('one mistyped character of a secret, every other character in every position', () => {
    const start = 'trefoil-root-1_'.length;
    for (let at = 0; at < SECRET.length; at++) {
      for (const symbol of at < start ? 'x_-1A' : `${ALPHABET}oilu_-AZ `) {
        if (symbol === SECRET[at]) continue;
        const secret = SECRET.slice(0, at) + symbol + SECRET.slice(at + 1);
        expect(code({ ...good, keys: [{ id: 'a', primary: true, secret }] })).toBe('invalid_keyset');
      }
    }
  });

  it('two characters of a secret exchanged, or one left out or doubled', () => {
    const start = 'trefoil-root-1_'.length;
    for (let at = start; at < SECRET.length; at++) {
      const [a, b] = [SECRET[at]!, SECRET[at + 1] ?? ''];
      const changes = [SECRET.slice(0, at) + SECRET.slice(at + 1), SECRET.slice(0, at) + a + SECRET.slice(at)];
      if (a !== b && b !== '') changes.push(SECRET.slice(0, at) + b + a + SECRET.slice(at + 2));
      for (const secret of changes)
        expect(code({ ...good, keys: [{ id: 'a', primary: true, secret }] })).toBe('invalid_keyset');
    }
  });

  it('any text: an error of ours that quotes none of it', () => {
    const marked = fc.string({
      unit: fc.constantFrom('\u0416', '\u0429', '"', '{', '}', '[', ',', ':', ' '),
      maxLength: 60,
    });
    fc.assert(
      fc.property(marked, (text) => {
        expect(refused(text).message).not.toMatch(/[\u0400-\u04ff]/);
      }),
    );
  });

  it('what is no text is an argument error', () => {
    for (const value of [undefined, null, 5, {}, [], Buffer.from(JSON.stringify(good))]) {
      expect(() => keyset.parse(value as string)).toThrow(/^"json" expected text or a list of texts, got/);
    }
  });
});

describe('domains', () => {
  const keys = keyset.parse(JSON.stringify(good));

  it('have the key ids and checks of the specification', () => {
    for (const name of ['eu', 'eu-enclave', 'a', '0', 'a'.repeat(64), 'x.y_z-1']) {
      const domain = keys.domain(name);
      const reference = domainOf(FROZEN_ROOT, name);
      expect({ ...domain }).toEqual({
        domain: name,
        keyId: reference.id,
        keyCheck: { [reference.id]: reference.check },
      });
    }
  });

  it('have key ids that are not related, so that one root does not link two of them', () => {
    const ids = new Set(Array.from({ length: 300 }, (_, i) => keys.domain(`d${i}`).keyId));
    expect(ids.size).toBe(300);
    const checks = new Set(Array.from({ length: 300 }, (_, i) => Object.values(keys.domain(`d${i}`).keyCheck)[0]));
    expect(checks.size).toBe(300);
  });

  it.each(['', 'EU', 'a b', '-eu', 'eu/1', 'é', 'a'.repeat(65)])('%j is no name', (name) => {
    expect(() => keys.domain(name)).toThrow(RangeError);
  });

  it.each([undefined, null, 5, {}])('%o is no text', (name) => {
    expect(() => keys.domain(name as unknown as string)).toThrow(TypeError);
  });

  it('unknown options and check values that are none are refused, not passed over', () => {
    for (const options of [null, 5, 'x', [], { keycheck: {} }]) {
      expect(() => keys.domain('eu', options as object)).toThrow(TypeError);
    }
    for (const keyCheck of [null, 5, 'x', [], true, () => 1]) {
      expect(() => keys.domain('eu', { keyCheck } as unknown as object)).toThrow(/^"keyCheck" expected/);
    }
    for (const keyCheck of [{ x: 'y' }, { s0nr0: 5 }, { s0nr0: '' }]) {
      expect(() => keys.domain('eu', { keyCheck } as unknown as object)).toThrow();
    }
  });

  it('frozen', () => {
    const domain = keys.domain('eu');
    expect(Object.isFrozen(domain)).toBe(true);
    expect(Object.isFrozen(domain.keyCheck)).toBe(true);
    expect(Object.isFrozen(keys)).toBe(true);
    expect(Object.isFrozen(keys.ids)).toBe(true);
    expect(Object.isFrozen(keyset)).toBe(true);
  });
});

describe('pinned key checks', () => {
  const [root, old] = [testRoot('new'), testRoot('old')];
  const keys = keyset.parse(keysetJson(root, old));
  const [now, before] = [domainOf(root, 'eu'), domainOf(old, 'eu')];

  it('the right ones pass, alone and together', () => {
    for (const keyCheck of [
      { [now.id]: now.check },
      { [before.id]: before.check },
      { [now.id]: now.check, [before.id]: before.check },
    ]) {
      expect(keys.domain('eu', { keyCheck }).keyId).toBe(now.id);
    }
  });

  it('an empty key check is an error: it would pin nothing, and nobody would notice', () => {
    expect(() => keys.domain('eu', { keyCheck: {} })).toThrow(/at least one/);
  });

  it('a second pin may only narrow the first', () => {
    const only = (id: string, check: string) => ({ [id]: check });
    const old = keys.domain('eu', { keyCheck: only(before.id, before.check) });
    const sheet = (keyCheck: Record<string, string>) => policy({ a: seal({ scope: 's' }) }, { keyCheck });
    expect(() => sheet(only(now.id, now.check)).bind(old)).toThrow(/pins other keys than an earlier one/);
    const both = { ...only(now.id, now.check), ...only(before.id, before.check) };
    // The policy pins both keys, its caller only the old one. So only the old one is pinned, and nothing can be
    // protected.
    expect(() => sheet(both).bind(old).protect({ a: 'x' })).toThrow(/is not pinned, so nothing can be protected/);
  });

  it('a wrong check, an id of another key or domain, or one of several wrong: key_check_mismatch', () => {
    const wrong = `${now.check.slice(0, -1)}${now.check.endsWith('0') ? '1' : '0'}`;
    const elsewhere = domainOf(root, 'us');
    for (const keyCheck of [
      { [now.id]: wrong },
      { [now.id]: before.check },
      { [elsewhere.id]: elsewhere.check },
      { [now.id]: now.check, [before.id]: now.check },
      { [now.id]: now.check, zzzzz: before.check },
    ]) {
      expect(() => keys.domain('eu', { keyCheck })).toThrow(expect.objectContaining({ code: 'key_check_mismatch' }));
    }
  });

  it('an old root still reads sealed values and tokens; fpe needs the pin of the key that protected', () => {
    const oldKeys = keyset.parse(keysetJson(old)).domain('eu');
    const names = seal({ scope: 'person.name' });
    const ids = token({ scope: 'person' });
    const sealed = names.bind(oldKeys).protect('Zoë');
    const tokenThen = ids.bind(oldKeys).protect('10017');
    const domain = keys.domain('eu');
    expect(names.bind(domain, revealAccess).reveal(sealed)).toBe('Zoë');
    expect(ids.bind(domain).matches('10017', tokenThen)).toBe(true);
    expect(ids.bind(domain).matches('10018', tokenThen)).toBe(false);
    expect(ids.bind(domain).protect('10017')).not.toBe(tokenThen);
    expect(names.bind(domain).protect('Zoë').slice(0, 5)).toBe(now.id);

    const pan = fpe({ scope: 'card.pan', format: card() });
    const number = '4111 1111 1111 1111';
    const enciphered = pan.bind(oldKeys).protect(number);
    expect(() => pan.bind(domain, revealAccess)).toThrow(expect.objectContaining({ code: 'key_check_required' }));
    const both = keys.domain('eu', { keyCheck: { [now.id]: now.check, [before.id]: before.check } });
    expect(() => pan.bind(both, revealAccess)).toThrow(expect.objectContaining({ code: 'key_check_required' }));
    const pinnedOld = keys.domain('eu', { keyCheck: { [before.id]: before.check } });
    expect(pan.bind(pinnedOld, revealAccess).reveal(enciphered)).toBe(number);
    const pinnedNow = keys.domain('eu', { keyCheck: { [now.id]: now.check } });
    expect(pan.bind(pinnedNow, revealAccess).reveal(enciphered)).not.toBe(number);
    expect(pan.bind(pinnedNow, revealAccess).reveal(pan.bind(domain).protect(number))).toBe(number);
  });

  it('with only the old key pinned nothing is protected with the new one', () => {
    const pinned = keys.domain('eu', { keyCheck: { [before.id]: before.check } });
    const notPinned = expect.objectContaining({ code: 'key_not_pinned' });
    expect(() => token({ scope: 'a' }).bind(pinned).protect('x')).toThrow(notPinned);
    expect(() => token({ scope: 'a' }).bind(pinned).protectMany([])).toThrow(notPinned);
    expect(() => seal({ scope: 'a' }).bind(pinned).protect('x')).toThrow(notPinned);
    expect(() => fpe({ scope: 'a', format: card() }).bind(pinned).protect('4111111111111111')).toThrow(notPinned);
    expect(() =>
      policy({ a: token({ scope: 'a' }) })
        .bind(pinned)
        .protect({ a: 'x' }),
    ).toThrow(notPinned);
  });
});

describe('key bytes', () => {
  const keys = keyset.parse(keysetJson(FROZEN_ROOT, testRoot('old')));
  const domain = keys.domain('eu-enclave');
  const shown: [string, unknown][] = [
    ['keyset', keys],
    ['domain keys', domain],
    ['pinned domain keys', keys.domain('eu-enclave', { keyCheck: domain.keyCheck })],
    ['bound token', token({ scope: 'person' }).bind(domain)],
    ['bound seal', seal({ scope: 'person' }).bind(domain, revealAccess)],
    ['bound fpe', fpe({ scope: 'person', format: card() }).bind(domain)],
    ['bound policy', policy({ a: token({ scope: 'person' }), b: seal({ scope: 'x' }) }).bind(domain, revealAccess)],
  ];
  const secrets = [FROZEN_ROOT, testRoot('old')].flatMap((root) => [
    root,
    domainOf(root, 'eu-enclave').node,
    ruleNode(root, 'eu-enclave', 'token', 'person', 'hmac-sha256', Buffer.alloc(0), 'equal values'),
    ruleNode(root, 'eu-enclave', 'seal', 'person', 'aes-256-siv', 'buckets-1'),
  ]);
  // Eight bytes in a row, in every notation that a dump may use.
  const spellings = secrets.flatMap((secret) =>
    Array.from({ length: secret.length - 7 }, (_, at) => secret.subarray(at, at + 8)).flatMap((piece) => [
      piece.toString('hex'),
      piece.toString('base64').slice(0, 10),
      [...piece].join(', '),
      [...piece].join(','),
      piece.toString('latin1'),
      base32(piece).slice(0, 12),
    ]),
  );

  it.each(shown)('of a %s are in no dump of it', (_, value) => {
    const dumps = [
      inspect(value, {
        showHidden: true,
        depth: Number.POSITIVE_INFINITY,
        maxArrayLength: null,
        maxStringLength: null,
        getters: true,
      }),
      inspect(value),
      JSON.stringify(value) ?? '',
      String(value),
      `${value}`,
      JSON.stringify(Object.getOwnPropertyDescriptors(value)),
      Object.entries(value as object).join(),
    ];
    for (const dump of dumps) {
      for (const spelling of spellings) expect(dump.includes(spelling)).toBe(false);
    }
  });

  it('leave by export alone, with the capability', () => {
    expect(keys.export(secretAccess)).toContain(secretText(FROZEN_ROOT));
    for (const access of [undefined, null, {}, true, 'secret', revealAccess, { '~trefoil.capability': 'secret' }]) {
      expect(() => keys.export(access as unknown as typeof secretAccess)).toThrow(/^"access" expected secretAccess/);
    }
  });
});

it('refuses a field that stands twice, which JSON.parse would hide', () => {
  const text = keyset.generate().export(secretAccess);
  const twice = text.replace('"version"', '"version": "keyset-v1",\n  "version"');
  expect(() => keyset.parse(twice)).toThrow(/same key twice/);
});
