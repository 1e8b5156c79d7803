/**
 * Frozen: keys, rows and metadata of docs/spec/vault-v1.md, computed with another implementation of AES-SIV, HMAC and HKDF
 * (Python). Rows that were written once must open for ever, and what is written is the same for the same random bytes.
 */
import { readFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { utf8 } from '../../src/core/bytes.ts';
import { keyset } from '../../src/index.ts';
import { openOnce, sealOnce } from '../../src/kernel/siv-once.ts';
import { expandNode, openKeys } from '../../src/keys/domain-keys.ts';
import { revealAccess } from '../../src/reveal.ts';
import {
  type Content,
  eraseContent,
  readContent,
  readSubjectKey,
  readUnderSubject,
  writeContent,
  writeSubjectKey,
  writeUnderSubject,
} from '../../src/vault/content.ts';
import { innerLayer, type Side, subjectIndex } from '../../src/vault/inner.ts';
import { readMeta, writeMeta } from '../../src/vault/meta.ts';
import { outerLayer } from '../../src/vault/outer.ts';
import { readToken, writeToken } from '../../src/vault/token-text.ts';
import { memoryStore, type Row, type Table, type VaultOptions, type VaultStore, vault } from '../../src/vault.ts';

const KEYSET = JSON.stringify({
  version: 'keyset-v1',
  keys: [
    {
      id: 'frozen',
      primary: true,
      secret: 'trefoil-root-1_med7afeazz3tc4ydw2xkm1nwwzy0e9sdkdjw97dqg7812j3x62a05n2v',
    },
  ],
});
const keys = keyset.parse(KEYSET).domain('eu-enclave');
const key = openKeys(keys).primary;

const VALUE = 'Zoë Müller';
/** Day from which on the mapping of the subject may be swept away: in the year 2079. */
const EXPIRES = 40_000;

const FROZEN: readonly (readonly [string, string])[] = [
  ['kind node', '29871cc9cf6adb53df1e59b2e5f6c17a7199ba04fa1d5c43d449e24dc757acf6'],
  ['outer node', 'cd98b3f737cbbda4f038c9d87a8e39809851525f185a6faeaee9056caf404c33'],
  ['outer, `index`', '2f1a204dd78b229cca45a53cc107f23d5be24f1e300a82aae3a302315a9fbaca'],
  [
    'outer, `content`',
    '0c1534c5bbbca79833caae6e3a3a596952bee38112c35768e88e8e255cdf2eef9fa2e2f74d94f253dbf8e98a0feda858b62d4f8dd6926a7b58e8b3ff3702f4c0',
  ],
  ['outer, `meta`', '0818ae8c5292fb93f43b72cf2b97a2f003a1b8b687591f93aff6ea3bd4f20f54'],
  ['subjects node', 'baf42c70eed2c47cb27efbea65750432cc592fbeb01a66be399ea18739ce38b9'],
  ['inner node', '950017fcb8a07766c049c8d8be7eedbf35faf8a9ef3058559369ec55d7b1b7be'],
  ['inner, `value index`', '9c9f04e2554df58e2ac016200f92fe732155312f6e29a6e500f3ffbf5295b913'],
  ['inner, `value content`', 'a77a7612bd6bf04d7e73f72db9c984d7c285f3683afd284c6a2a96f9bd440370'],
  ['inner, `token index`', 'bf96c631e0d8c9f85291b261a2209425a635593b1a56a5d9d2ee1dcb1710ac78'],
  ['inner, `token content`', 'fd6db95d424c08aa9391edc62e2b0520f8d0b27f84f4a4b3942b060637a325aa'],
  ['with subject: inner node', '1e8f4a013c82c3230ac2a80e68d3f94c6ebe3cadd2cdea457856988a1fac38d4'],
  ['with subject: inner, `value index`', 'ff2b3e1b5cf9a4df0ca18e40bff9bf7d2aff1c942583b93dee6f2591f1cad455'],
  ['with subject: inner, `value content`', 'c767183995d916c1c581ceedff2768c975ef75148c03e62bdf76fd300d3e2f2f'],
  ['with subject: inner, `token index`', 'bb8c1e0860d7e49485b28d51928cc23900503d70f2eb513421b262608668f788'],
  ['with subject: inner, `token content`', '2d755a9e9511cdcc8c6877542f60237a6d482abec0a4e3d08eaff03be7d22366'],
  ['token bytes', '000102030405060708090a0b0c0d0e0f'],
  ['link', '1011121314151617'],
  ['value, inner index', 'c594ef753a2ef2e5e73fa507ba3c0e46'],
  [
    'value, key',
    '220e3d4ae31f70674747861d17ad8fce66fe58de4669739693a70627660b43d447917938a39d5d29db0aa4448386c9dc9787e0cba0e28fc403b2ca19dcb5ecbb',
  ],
  ['value, rest', '0ef440235a572f91f366f41870e10981ca9ff2d9790948cf518593a22ca889082d65095d8c'],
  ['value, index', '9d5ef03d806139b12e855edd7aca3ef6'],
  [
    'value, content',
    '010173306e723010111213141516170ef440235a572f91f366f41870e10981ca9ff2d9790948cf518593a22ca889082d65095d8c',
  ],
  [
    'value, associated data',
    '000000087661756c742d76310000000576616c75650000000573306e7230000000109d5ef03d806139b12e855edd7aca3ef60000000800000001ffffffff',
  ],
  [
    'value, body',
    '7d6733ef13b1cbfc703319f379936030db2bde3b87a1288a7990c2c77178aa6c5920df17657f8887b2bc564a930970ebadbe5b01ad79d7a084d4bd1af7e26d25dc355d4c',
  ],
  ['token, inner index', '01b59a7047f94bbba8c9410eed760dc7'],
  [
    'token, key',
    '6556ae3e1b292cbaf471fbc02271aec303b1c54bb4967276ff7e4e4b647335f1d3aa0cb22560e01af716fce03c03a1abf3904e6276cd8da735804253e37da80f',
  ],
  ['token, rest', '8dd6398b378c175665f61b887e0aff49f5bd60017cee6921f15138806ee2778455f2d98827c3840b1224a8300d8a20ce'],
  ['token, index', '4fcc8ea41270511796ef0db0969b5a82'],
  [
    'token, body',
    '7d780d907eb87fd393b1c45f0dfa7e6b2dd43ba97f03844241ccbd8ace7de47061ea6fe54dd6fadf54d977518c77932efefcbcb24da0845d25478507b95609419c4049c5a2a28e7197662c62f87bb7',
  ],
  ['token text, label `name`', 'name_s0nr0000g40r40m30e209185gr38e1wdn19'],
  [
    'forgotten value, body',
    '0e6c2bcbea7f3b3fd418b15ed9e1476883f92359001615210c6b39ccc5e23be5334bd81827bbdaf5a10888e1f08de2d0adcabdf58c9734993d39810032e675e7a0e4c609',
  ],
  [
    'forgotten token, body',
    '1ab6eba2ef805b33e22884cf94496cf7370dd446c4a2e0ba7fa0855f335b2b98e3d265622906d1bf38a249fe66f06930d4f6a8e9caf619c61c48d3b7b979c87d55ae875f431a0cd24c12db6172ff80',
  ],
  ['subject, inner index', '9958d2da1258b378740a4161efaf2e0c'],
  [
    'subject, key',
    '404142434445464748494a4b4c4d4e4f505152535455565758595a5b5c5d5e5f606162636465666768696a6b6c6d6e6f707172737475767778797a7b7c7d7e7f',
  ],
  ['subject, link', '38393a3b3c3d3e3f'],
  ['subject, index', 'dba3d3ffcb8cb661fd8277d1a7b7b8e4'],
  [
    'subject, body',
    '3a652395f64eeab0d2f3fd8bfc579b0b7754967525939ceea19e2f909cda5a55835ed8285e0fdcc1dc0f856ec7ea7402b585eb175fc37d16f006ae577fb104202de44cdd5dddf66144cdc16d10eeb05bdb8e1e07a4be4269973df281ef5524fed4d4e6',
  ],
  [
    'shredded subject, body',
    '59bac4fe535d7f58585fa1ace9a9267e4f21c2261d9aebe0b2cfa3c162280652f336e91c462d35d90d6b8429bbe328a5baed7dfde28cd3ef8228b5fbd3c23e67ed7bc7086ca0dee2b9329e66059f42bafb8ef088511d0e2c8291dbfab45c5a4f5d575a',
  ],
  ['with subject: token bytes', '202122232425262728292a2b2c2d2e2f'],
  ['with subject: link', '3031323334353637'],
  ['with subject: value, inner index', '85f81571a9e30781ba9d8759e738195a'],
  [
    'with subject: value, key',
    'f2fbb18671f8dfe815ed6edc5d04a8eef0e8edfbaa0254e4d9be0c438e4a30e7bfadbd988104fb672317dd978c6582cd1223f414f0318285a67bb9baa1ef8e4b',
  ],
  [
    'with subject: value, under the subject',
    '99d696ef2842d22702ec3ad2817f27e86fbce96b75874ac502a755326260655dd3921cc76b',
  ],
  [
    'with subject: value, rest',
    '850de3c4425c7e75b07551719edcf368afbf423b0b0ddd4346d317cbbc4cab5cea94596c9a252f657971aad4d0abfa9a912a3173e930e34f6c1a53a7dca930126981102c3e4dcb9583',
  ],
  ['with subject: value, index', 'a1b3f7fe6f349c0726bd9716146a61fc'],
  [
    'with subject: value, body',
    '58d6c86933665fda27bb947ae029e4d5102a70225660d319c683e97c205435b178be344908fc0020011caadd103c15d8f54a60af90e81114f19184196391111115c44e25b47b5ce370bde6651cbcc144097c8572ce36aa9cda90c501e83b4fa1939428f6e660720e',
  ],
  ['with subject: token, inner index', '83db0e4bbfdc29766e78742e64144822'],
  [
    'with subject: token, key',
    '33f45407d0a74078e37879077db41cc2546218223c14e2dbf3f9046706c8ab8cc15e63cddea9d2163a11b426b6882e7c5fc608517859d2986772e2726d53aa41',
  ],
  [
    'with subject: token, under the subject',
    '46711fb787a0a2b2fa783adf791c59e70a41afa0ed78adbea05bef61a799bbe7a0ba7471215ada1b8b510c6f500d764c',
  ],
  [
    'with subject: token, rest',
    'fb7ef650fcef15b6fe9d338e2d523b7e0c8832f4e32735978120e239b48040e219df8c10ef41178ea9f0af7a6f5bf9e611d917b17239c832212137bc8b0a4a6fc1c62fb070185b78a60b112fe4264ed01dd9326c',
  ],
  ['with subject: token, index', 'b4766f91ba3d15205276f9166af09b2f'],
  [
    'with subject: token, body',
    '1281fc13c75a19ce53af2a78a36f7c69adb98481374f108137b28467fa55707f6e6a72073749bd26656cd6643512e7091842570e9cd0cbdadc1d4deae8b92b2202085193cec5c94c6537be153f1f10def649b0c22c06ffbafbc771d5db0cbc69a4d24e18ed6f7c10480a6615ee2d5a60e990f4',
  ],
  ['with subject: token text, label `name`', 'name_s0nr040gj48s44mk2ea1958njrb9e5wx7ys'],
  [
    'metadata, message',
    '000000087661756c742d763100000001310000000a65752d656e636c617665000000046d61696e000000090000000573306e7230000000090000000573306e72300000000573306e7230',
  ],
  ['metadata, MAC', '41c69fe5ca9a3c282e06dd190a7cced2c6a9fa728ca4604d79e0620872d2d947'],
  [
    'metadata',
    '{"trefoil":"vault-v1","domain":"eu-enclave","store":"main","outer":["s0nr0"],"inner":["s0nr0"],"subjects":"s0nr0","mac":"41c69fe5ca9a3c282e06dd190a7cced2c6a9fa728ca4604d79e0620872d2d947"}',
  ],
  [
    'certificate',
    '{"trefoil":"vault-v1 shredding","domain":"eu-enclave","store":"main","subject":"9958d2da1258b378740a4161efaf2e0c","generation":1,"at":"2025-01-31T12:00:00.000Z","mac":"f241a6e0a45d064f27bb347619ab588ef5275c5671969f235a60a85747c7dba5"}',
  ],
];

const all = new Map(FROZEN);
const text = (name: string): string => all.get(name) ?? expect.fail(`nothing is frozen as ${name}`);
const frozen = (name: string): Uint8Array => Uint8Array.from(Buffer.from(text(name), 'hex'));
const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');

const outer = outerLayer(key, 'main');
const plain = innerLayer(key, 'person.name', false);
const ofSubject = innerLayer(key, 'person.name', true);

/** The value, one byte 0x80, and zeros up to 32 bytes. */
const PADDED = Uint8Array.from(Buffer.concat([utf8(VALUE), Uint8Array.of(0x80), Buffer.alloc(32)]).subarray(0, 32));
const join = (...parts: Uint8Array[]) => Uint8Array.from(Buffer.concat(parts));

const frozenRow = (index: string, body: string, version = 1, expires: number | null = null): Row => {
  return { index: frozen(index), key: 's0nr0', version, expires, body: frozen(body) };
};
const VALUE_ROW = frozenRow('value, index', 'value, body');
const TOKEN_ROW = frozenRow('token, index', 'token, body');
const SUBJECT_ROW = frozenRow('subject, index', 'subject, body');
const SUBJECTS_VALUE_ROW = frozenRow('with subject: value, index', 'with subject: value, body', 1, EXPIRES);
const SUBJECTS_TOKEN_ROW = frozenRow('with subject: token, index', 'with subject: token, body', 1, EXPIRES);
const FORGOTTEN_VALUE_ROW = frozenRow('value, index', 'forgotten value, body', 2);
const FORGOTTEN_TOKEN_ROW = frozenRow('token, index', 'forgotten token, body', 2);
const SHREDDED_ROW = frozenRow('subject, index', 'shredded subject, body', 2);

test('the page has what is frozen here', () => {
  const page = readFileSync(new URL('../../docs/spec/vault-v1.md', import.meta.url), 'utf8');
  const vectors = page.slice(page.indexOf('\n## Vectors\n'));
  const rows = [...vectors.matchAll(/^\| (.+) \| `(.+)` \|$/gm)].map(([, name, value]) => [name, value]);
  expect(rows).toEqual(FROZEN);
});

describe('keys', () => {
  test('of the outer layer, and of subjects', () => {
    const node = key.derive('vault', 'main', ['outer']);
    expect(hex(node)).toBe(text('outer node'));
    expect(hex(expandNode(node, 'index', 32))).toBe(text('outer, `index`'));
    expect(hex(expandNode(node, 'content', 64))).toBe(text('outer, `content`'));
    expect(hex(expandNode(node, 'meta', 32))).toBe(text('outer, `meta`'));
    expect(hex(key.derive('vault', 'main', ['subjects']))).toBe(text('subjects node'));
  });

  test.each([
    ['', ''],
    ['with subject: ', 'subject'],
  ])('of the inner layer, %s', (prefix, parameter) => {
    const node = key.derive('vault', 'person.name', ['inner', parameter]);
    expect(hex(node)).toBe(text(`${prefix}inner node`));
    for (const label of ['value index', 'value content', 'token index', 'token content']) {
      expect(hex(expandNode(node, label, 32))).toBe(text(`${prefix}inner, \`${label}\``));
    }
  });
});

/** One row from its inside out, each step held against the frozen one; and from its outside in. */
function pin(table: Table, prefix: string, side: Side, name: Uint8Array, inside: Uint8Array, expires: number | null) {
  const at = (what: string) => `${prefix}${table}, ${what}`;
  const inner = side.indexOf(name);
  expect(hex(inner)).toBe(text(at('inner index')));
  const rest = side.seal(name, inside);
  expect(hex(rest)).toBe(text(at('rest')));
  expect(hex(sealOnce(frozen(at('key')), inside))).toBe(text(at('rest')));
  const index = outer.indexOf(inner);
  expect(hex(index)).toBe(text(at('index')));
  expect(hex(outer.innerOf(index))).toBe(text(at('inner index')));
  const content: Content = { state: 'live', inner: 's0nr0', link: frozen(`${prefix}link`), rest };
  const row = outer.seal(table, { index, version: 1, expires }, writeContent(content));
  expect(row).toEqual(frozenRow(at('index'), at('body'), 1, expires));

  const opened = readContent(outer.open(table, row)!)!;
  expect(opened).toEqual(content);
  expect(side.open(name, opened.rest)).toEqual(inside);
  return writeContent(content);
}

describe('rows', () => {
  test('without a subject', () => {
    const body = frozen('token bytes');
    const kept = join(utf8('s0nr0'), body);
    expect(hex(pin('value', '', plain.value, utf8(VALUE), kept, null))).toBe(text('value, content'));
    pin('token', '', plain.token, body, PADDED, null);
    expect(writeToken('name', 's0nr0', body)).toBe(text('token text, label `name`'));
    expect(readToken(text('token text, label `name`'))).toEqual(body);
  });

  test('the key of a subject', () => {
    const inner = subjectIndex(key, 'main')(utf8('7'));
    expect(hex(inner)).toBe(text('subject, inner index'));
    const rest = writeSubjectKey({ generation: 1, key: frozen('subject, key') });
    const content: Content = { state: 'live', inner: 's0nr0', link: frozen('subject, link'), rest };
    const bound = { index: outer.indexOf(inner), version: 1, expires: null };
    expect(outer.seal('subject', bound, writeContent(content))).toEqual(SUBJECT_ROW);
    expect(readSubjectKey(readContent(outer.open('subject', SUBJECT_ROW)!)!.rest)).toEqual({
      generation: 1,
      key: frozen('subject, key'),
    });
  });

  test('with a subject', () => {
    const [subject, subjectKey] = [frozen('subject, inner index'), frozen('subject, key')];
    const body = frozen('with subject: token bytes');
    const under = (table: 'value' | 'token', inside: Uint8Array) => {
      const sealed = sealOnce(subjectKey, inside);
      expect(hex(sealed)).toBe(text(`with subject: ${table}, under the subject`));
      expect(openOnce(subjectKey, sealed)).toEqual(inside);
      const written = writeUnderSubject({ subject, generation: 1, sealed });
      expect(readUnderSubject(written)).toEqual({ subject, generation: 1, sealed });
      return written;
    };
    const kept = under('value', join(utf8('s0nr0'), body));
    pin('value', 'with subject: ', ofSubject.value, join(subject, utf8(VALUE)), kept, EXPIRES);
    pin('token', 'with subject: ', ofSubject.token, body, under('token', PADDED), EXPIRES);
    expect(writeToken('name', 's0nr0', body)).toBe(text('with subject: token text, label `name`'));
  });

  test('erased ones', () => {
    const erased = (table: Table, row: Row, rest?: Uint8Array) => {
      const content = eraseContent(readContent(outer.open(table, row)!)!);
      const bound = { index: row.index, version: row.version + 1, expires: null };
      return outer.seal(table, bound, writeContent({ ...content, rest: rest ?? content.rest }));
    };
    expect(erased('value', VALUE_ROW)).toEqual(FORGOTTEN_VALUE_ROW);
    expect(erased('token', TOKEN_ROW)).toEqual(FORGOTTEN_TOKEN_ROW);
    const gone = writeSubjectKey({ generation: 1, key: new Uint8Array(64) });
    expect(erased('subject', SUBJECT_ROW, gone)).toEqual(SHREDDED_ROW);
  });

  test('nothing of what is around a body may be another', () => {
    for (const [table, row] of [
      ['value', VALUE_ROW],
      ['token', TOKEN_ROW],
      ['subject', SUBJECT_ROW],
    ] as const) {
      expect(outer.open(table, row)).not.toBeNull();
      for (const other of ['value', 'token', 'subject'] as const) {
        if (other !== table) expect(outer.open(other, row)).toBeNull();
      }
      expect(outer.open(table, { ...row, version: 2 })).toBeNull();
      expect(outer.open(table, { ...row, expires: EXPIRES })).toBeNull();
      expect(outer.open(table, { ...row, index: row.index.map((byte) => byte ^ 1) })).toBeNull();
      expect(outerLayer(key, 'other').open(table, row)).toBeNull();
      for (let at = 0; at < row.body.length; at++) {
        const body = row.body.slice();
        body[at]! ^= 0x20;
        expect(outer.open(table, { ...row, body })).toBeNull();
      }
    }
  });
});

test('metadata', () => {
  const macOf = () => outer.mac;
  const meta = {
    generation: 1,
    domain: 'eu-enclave',
    store: 'main',
    outer: ['s0nr0'],
    inner: ['s0nr0'],
    subjects: 's0nr0',
  };
  expect(writeMeta(meta, macOf)).toEqual({ generation: 1, text: text('metadata') });
  expect(readMeta({ generation: 1, text: text('metadata') }, 'eu-enclave', 'main', macOf)).toEqual(meta);
  expect(hex(outer.mac(frozen('metadata, message')))).toBe(text('metadata, MAC'));
});

/** A store with exactly these rows, and the frozen metadata. */
async function storeOf(rows: { value?: Row; token?: Row; subject?: Row }): Promise<VaultStore> {
  const store = memoryStore();
  await store.setMeta({ generation: 1, text: text('metadata') });
  if (rows.value !== undefined) await store.create(1, 'value', [{ row: rows.value, with: rows.token }]);
  if (rows.subject !== undefined) await store.create(1, 'subject', [{ row: rows.subject }]);
  return store;
}

const get = async (store: VaultStore, table: Table, row: Row) => (await store.get(table, [row.index]))[0];
const open = (store: VaultStore, options: Partial<VaultOptions> = {}) =>
  vault({ scope: 'person.name', store: 'main', token: { label: 'name' }, ...options }).open(
    keys,
    { main: store },
    revealAccess,
  );
const code = (work: Promise<unknown>) =>
  work.then(
    () => 'no error',
    (error) => error.code,
  );

describe('a store that is filled with the frozen rows', () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['Date'], now: Date.parse('2025-01-31T12:00:00.000Z') });
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  test('reveals, finds, verifies; and forgetting writes the frozen erased rows', async () => {
    const store = await storeOf({ value: VALUE_ROW, token: TOKEN_ROW });
    const opened = await open(store);
    const token = text('token text, label `name`') as Awaited<ReturnType<typeof opened.protect>> & string;
    expect(await opened.reveal(token)).toBe(VALUE);
    expect(await opened.lookup(VALUE)).toBe(token);
    expect(await opened.protect(VALUE)).toBe(token);
    expect(await opened.exists(token)).toBe(true);
    expect(await opened.verify()).toEqual({
      rows: 2,
      problems: [],
      broken: 0,
      outer: { s0nr0: 2 },
      inner: { s0nr0: 2 },
    });
    expect((await opened.verify({ tokens: [token] })).broken).toBe(0);
    expect(await store.meta()).toEqual({ generation: 1, text: text('metadata') });

    expect(await opened.forget(token)).toBe(true);
    expect(await get(store, 'value', VALUE_ROW)).toEqual(FORGOTTEN_VALUE_ROW);
    expect(await get(store, 'token', TOKEN_ROW)).toEqual(FORGOTTEN_TOKEN_ROW);
  });

  test('knows what was forgotten', async () => {
    const opened = await open(await storeOf({ value: FORGOTTEN_VALUE_ROW, token: FORGOTTEN_TOKEN_ROW }));
    const token = text('token text, label `name`') as never;
    expect(await code(opened.reveal(token))).toBe('forgotten');
    expect(await opened.exists(token)).toBe(true);
    expect(await opened.lookup(VALUE)).toBeNull();
    expect(await code(opened.protect(VALUE))).toBe('erased');
  });

  const rows = { value: SUBJECTS_VALUE_ROW, token: SUBJECTS_TOKEN_ROW };

  test('the same with a subject; and shredding writes the frozen row and certificate', async () => {
    const store = await storeOf({ ...rows, subject: SUBJECT_ROW });
    const opened = await open(store, { subject: 'customer' });
    const token = text('with subject: token text, label `name`') as never;
    expect(await opened.reveal(token)).toBe(VALUE);
    expect(await opened.lookup(VALUE, { subject: '7' })).toBe(token);
    expect(await opened.protect(VALUE, { subject: 7 })).toBe(token);
    expect(await opened.lookup(VALUE, { subject: '8' })).toBeNull();
    expect((await opened.verify()).broken).toBe(0);

    const certificate = await opened.shred('7');
    expect(JSON.stringify(certificate)).toBe(text('certificate'));
    expect(await get(store, 'subject', SUBJECT_ROW)).toEqual(SHREDDED_ROW);
  });

  test('knows what was shredded, and without the row of the subject nothing is there', async () => {
    const token = text('with subject: token text, label `name`') as never;
    const shredded = await open(await storeOf({ ...rows, subject: SHREDDED_ROW }), { subject: 'customer' });
    expect(await code(shredded.reveal(token))).toBe('forgotten');
    expect(await code(shredded.protect(VALUE, { subject: 7 }))).toBe('erased');
    const alone = await open(await storeOf(rows), { subject: 'customer' });
    expect(await code(alone.reveal(token))).toBe('forgotten');
  });

  test('a rule with a subject and one without do not read each other’s', async () => {
    const store = await storeOf({ value: VALUE_ROW, token: TOKEN_ROW });
    const opened = await open(store, { subject: 'customer' });
    expect(await code(opened.reveal(text('token text, label `name`') as never))).toBe('unknown_token');
    expect(await opened.lookup(VALUE, { subject: '7' })).toBeNull();
  });
});
