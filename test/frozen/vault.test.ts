/**
 * Frozen: keys, rows and metadata of docs/spec/vault-v1.md, computed with another implementation of AES-SIV, HMAC and
 * HKDF (Python). Every later version must open these rows, and the same random values (token, link, version,
 * handle and key of a subject) must give the same rows.
 */
import { readFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { encodeList, utf8 } from '../../src/core/bytes.ts';
import { keyset } from '../../src/index.ts';
import { openEach, sealEach } from '../../src/kernel/siv/keyed.ts';
import { expandNode, openKeys } from '../../src/keys/domain-keys.ts';
import { revealAccess } from '../../src/reveal.ts';
import {
  type Content,
  eraseContent,
  goneContent,
  readContent,
  readUnderSubject,
  writeContent,
  writeUnderSubject,
} from '../../src/vault/rows/content.ts';
import { innerLayer, type Side, subjectKeys } from '../../src/vault/rows/inner.ts';
import { readMeta, writeMeta } from '../../src/vault/rows/meta.ts';
import { outerLayer } from '../../src/vault/rows/outer.ts';
import { readToken, writeToken } from '../../src/vault/rows/token-text.ts';
import { memoryStore, type Row, type Table, type VaultOptions, type VaultStore, vault } from '../../src/vault.ts';
import { hex } from '../helpers/hex.ts';

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
/** The day on which the mapping of the subject expires, in the year 2079. */
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
  ['subjects, `subject`', '7e9a7fd003e8582b9cb425dcae0a2e52e337f91ddbf30542b3d8af1631ea7ae6'],
  ['subjects, `handle`', '6e28f8f6d0c4fdcbefedd62e14d3f5eb65503aca2e5fb4423dbef88808be607c'],
  ['subjects, `grave`', 'a99787ae1e03dae5e0bd20193bd9e0e67e1a3735fc1aa31c586e2e3061ccce9a'],
  ['subjects, `certificate`', '810066b99d8cddb8528529058097b6fd42153ada942a2c050e1222c7cc0d1560'],
  ['inner node', 'ca350555a62d7d8c7cae79c16746a3beb4c55085bb037e575f44b14e325708df'],
  ['inner, `value index`', 'd8cf87a7d5139e045cd8e931c3b57f668770f4b945138d2f098867d91139aebd'],
  ['inner, `value content`', '987c8f3766ac9b7415c22fff258279a7796dea22282f0cd794441d168fecc754'],
  ['inner, `token index`', '88a2dfcf065b5a8f27ecc14617920591241bf3e6622d22ef0985dccaf25426b2'],
  ['inner, `token content`', '65bc4ce4287bf8b7f5348e7f34590c6f9e0123c11bd0bef70174ef5303e94677'],
  ['with subject: inner node', '6492602f423a8c1d726c8a03319906433f1977ebe6faf320a99dfac7d48c8cc7'],
  ['with subject: inner, `value index`', 'e4009dd94194b8e6ce4271aeab5d08924c465b66eb814f6371125cd9d25607e1'],
  ['with subject: inner, `value content`', '835f7b98220ab06736564ae7b256684390c1a286e3a236664bc15c9267227b16'],
  ['with subject: inner, `token index`', '91397d18f3b9684d37a63ef3f068e9032940586307673895583d932554446912'],
  ['with subject: inner, `token content`', '882466cc71202e770fe06ce110a38994f5337e07c45aa9c2b868d7683e397b06'],
  ['token bytes', '000102030405060708090a0b0c0d0e0f'],
  ['link', '1011121314151617'],
  ['value, inner index', '69dad8c8f4964e788be689e7f66d02b0'],
  ['value, key', '09cd8d8f67d2e8291558ef00d8dd30772ec707e74714c13dec95f961cb87b81a'],
  ['value, rest', '73306e723097050c587135be927b50d6fec6466777af46ebcd05d13123bd5422910ccd72ec'],
  ['value, index', '147b6e754658f547716a3d8b3509433a'],
  ['value, version', '16909060'],
  [
    'value, content',
    '010173306e7230101112131415161773306e723097050c587135be927b50d6fec6466777af46ebcd05d13123bd5422910ccd72ec',
  ],
  [
    'value, associated data',
    '000000087661756c742d76310000000576616c75650000000573306e723000000010147b6e754658f547716a3d8b3509433a0000000801020304ffffffff',
  ],
  [
    'value, body',
    'df4a2d2bce641b2534cad2a5f0302974aa8f4b8b7e0e88e54777a8f4237e9c84da9a7a7e92497b5f522be98f078c4e9f38aafdfd06fba05842ce23c8a8cf195d57b38fc4',
  ],
  ['token, inner index', 'fa57e22c91b86775e847e805d7f670a9'],
  ['token, key', '676e94e56288e87647e807780ced76fd110e7a6b03cc4d99efa7fb0e8976131c'],
  ['token, rest', '08a6bcef72bbdadeeb1098900cf381c3076415d7f8c5090eb650d70c90cdd1af76439a1876d496c788296409d29d2be6'],
  ['token, index', 'fca6da3625590e8ce1c4c0a4853fd8e0'],
  ['token, version', '286397204'],
  [
    'token, body',
    '826b97b7d99b03de9d9f8fd7b44d1f6b4bb8aa1ec331c86dc91b92ee3ad1943efa1d8ba52084bab80e2e72ce0845f7c10555c4e9a14b6847f4954cc00d33f902812cd226213fd7540e8d5ed3833f6c',
  ],
  ['token text, label `name`', 'name_s0nr0000g40r40m30e209185gr38e1wdn19'],
  ['forgotten value, link', 'a0a1a2a3a4a5a6a7'],
  [
    'forgotten value, body',
    'd942e63b09f50a3b06528a810337a3fb789ecc95b79b8552db3d5649b51cdec25cc37d00d5db2f2992b6be459b5961ac9188508e632e90ebb510992b15eb46ac72e8762d',
  ],
  ['forgotten token, link', 'a8a9aaabacadaeaf'],
  [
    'forgotten token, body',
    '2df8056e6bc3c80a381f06163e8caa57ffae56925bc865f95352c80c410016dc25b8399ae19e21208d7037c08e21aafbba9ff045ece704029ea5591e07c7c924ad0a108708e529dde9b65588ceff08',
  ],
  ['grave, inner index', '0368d65a20d18b56f00259180ea323e7'],
  ['grave, index', '3bd7d840513792ed36a6ffd84d02af3f'],
  ['grave, version', '305419896'],
  ['grave, link', 'f0f1f2f3f4f5f6f7'],
  ['grave, body', '024139f68cd0a9c82959a355f790329817039d3f364f6d2e01f26dfb1a2af386dfa01bbffff00abee862de88bcc7e2'],
  ['handle', '808182838485868788898a8b8c8d8e8f'],
  [
    'key of the subject',
    '404142434445464748494a4b4c4d4e4f505152535455565758595a5b5c5d5e5f606162636465666768696a6b6c6d6e6f707172737475767778797a7b7c7d7e7f',
  ],
  ['name of the subject', 'c0c1c2c3c4c5c6c7c8c9cacbcccdcecfd0d1d2d3d4d5d6d7d8d9dadbdcdddedf'],
  ['by subject, inner index', 'ee1852bbf4eca06a795553ece5e21e36'],
  ['by subject, index', '98f385be01cfc6f1e36e6f84529d7da1'],
  ['by subject, version', '555885348'],
  ['by subject, link', '38393a3b3c3d3e3f'],
  [
    'by subject, body',
    '6418c6dd9b607d80ba0e7a06431007c25bcf3d3040de2f024fa140d9b27edc54af63684ced382dcaf003ae59fa0586',
  ],
  ['by handle, inner index', 'd5692f21e224b63a108468a7838f6d67'],
  ['by handle, index', '28b52aa6095a3ba8f23383532fd80f64'],
  ['by handle, version', '825373492'],
  ['by handle, link', '9091929394959697'],
  [
    'by handle, body',
    '23c3bc6a06711864c0807a6b8d86cf849a693a9586ee89dc65f04a50401fe54f71b82fcc838d3e53fb34e5ddd1ce0480f96156941292df13bbd42bbe36e639b6e13fbd966dd25857bf4e746813318cfb168a0bf8394cab7b255ff398a438f4c8b0bf8d1ea038e891c2ff18195afbbab0e900f59f85bd2b683e92e7165ebcd4',
  ],
  ['shredded by subject, link', 'b0b1b2b3b4b5b6b7'],
  [
    'shredded by subject, body',
    '233af9bfc4f20d660bace9e0c78fb3c120b6bc8d6944e7566d3ead1c1d5ebdd494cfdae3baccec63c6f9ada9ebfc11',
  ],
  ['shredded by handle, link', 'b8b9babbbcbdbebf'],
  [
    'shredded by handle, body',
    '9dfbab6a40485c06ebdfa182c438602e9a7b6f0ab4d821dffac830e474fdf8fe5021e26200e51970b9775f486545f7455ce415df6925ca23455f30c1b4e956d2bfd9a1e7ab7f84927126c7b1a6bad1550134cf09351e10548bdcd675363a5193f26b4a0052448f9719e14c1e4bc28e796dde07734db8daa3b104b790436629',
  ],
  ['with subject: token bytes', '202122232425262728292a2b2c2d2e2f'],
  ['with subject: link', '3031323334353637'],
  ['with subject: value, inner index', '6b1b3473b3d12b10305a3f9bb0e3144b'],
  ['with subject: value, key', '1c2280a7b9335da6dd9ef048acb8132cbf63bcb18922458680fc141de6facd1d'],
  [
    'with subject: value, associated data under the subject',
    '0000000b706572736f6e2e6e616d650000000576616c756500000000',
  ],
  ['with subject: value, under the subject', 'c26a2c639497b52c88ff20e1249553b43d24620f87c42ebb4c8dedfff2223e89'],
  [
    'with subject: value, rest',
    '73306e72300d096e1c09a7315649423f52e4985911e451a7ac8d9564f79b681af34e2ba42f994494c8e2fd914c51beca2d34759611afc176b5ade23a01888cc7a9484a8932',
  ],
  ['with subject: value, index', 'f047f1477f86a08854c7b45ccc5ec8d0'],
  ['with subject: value, version', '16909060'],
  [
    'with subject: value, body',
    '9dfb6f8482f64d56ce30a7bb658c18f4c1e4df055bed54d1e1c7ecf40d20ac8912ef5731680996a6afdffd50e51a6970fb47a0183cb4b7348313be4b1e6a4438398a846387bbbc49141127a93541c914a29b648ab327d759b4e97abd6b73ebb70a1af6c9',
  ],
  ['with subject: token, inner index', '67b8d5c678978daf94c3e9e8454370c1'],
  ['with subject: token, key', '098de1fb995b50b7076b4417d379f15ad1f6f8613a48c8d67a8aa590bcf3e16c'],
  [
    'with subject: token, associated data under the subject',
    '0000000b706572736f6e2e6e616d6500000005746f6b656e00000010202122232425262728292a2b2c2d2e2f',
  ],
  [
    'with subject: token, under the subject',
    'adab32a535f51d3f4b60ceaf1b07433bb7cb9d42e5c6a7c4a8d749b9bd152ae5b6bbe5d14a29651399f3df255e9edc11',
  ],
  [
    'with subject: token, rest',
    '42f9aff9cfdd663816347903a30b009d2cb719e3e75bbaa1748227c7e782d2cf79c5b29a0e23c735dda6e36fb7ac4c40115ad8163f9d6ef3789e6ca3034cd11307d49734b0fd0519692deb6fe17e7363',
  ],
  ['with subject: token, index', '0ea7a359d9c5c5ab7340f4f438652ba4'],
  ['with subject: token, version', '286397204'],
  [
    'with subject: token, body',
    '060c6e429e82592d4450b421832d9e0ee87132a38857e352ffb650c2e174eb875b24f4da66d13b43008a183cb47d1ab177a655005873a76415cebd4f8b71ae164f4201f7fb2c76e24c9d4a2501e20d01b8a60048eb41ba3432621b81da52e7785a42b38438d83abcf930a2e6616a26',
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
    'certificate, message',
    '000000147661756c742d7631206365727469666963617465000000036b6579000000166e6f74206b6e6f776e20746f207468652073746f72650000000a65752d656e636c617665000000046d61696e0000000573306e72300000000573306e723000000020656531383532626266346563613036613739353535336563653565323165333600000018323032352d30312d33315431323a30303a30302e3030305a',
  ],
  [
    'certificate',
    '{"trefoil":"vault-v1 certificate","destroyed":"key","mappings":"not known to the store","domain":"eu-enclave","store":"main","keyId":"s0nr0","outerKeyId":"s0nr0","subject":"ee1852bbf4eca06a795553ece5e21e36","at":"2025-01-31T12:00:00.000Z","mac":"8b7573096c9fbec12e65f2d0e9b175a1ef6516222be4138e30bc7b486c9ec098","outerMac":"9bb2db3355b119d0293c7e078aa3a8987e851577500c68c223e42a23e9306510"}',
  ],
  [
    'certificate, shredded before',
    '{"trefoil":"vault-v1 certificate","destroyed":"nothing","mappings":"not known to the store","domain":"eu-enclave","store":"main","keyId":"s0nr0","outerKeyId":"s0nr0","subject":"ee1852bbf4eca06a795553ece5e21e36","at":"2025-01-31T12:00:00.000Z","mac":"00483d10d0aba6be2d2ea13fde8a98d3308ac50cd3ba1e42df48cdf916a1ea46","outerMac":"cc5160395f9a3c574688d2e47367e831ea17c5c514af7b49e9fa290b37bc8925"}',
  ],
  [
    'certificate, in advance',
    '{"trefoil":"vault-v1 certificate","destroyed":"in advance","mappings":"not known to the store","domain":"eu-enclave","store":"main","keyId":"s0nr0","outerKeyId":"s0nr0","subject":"ee1852bbf4eca06a795553ece5e21e36","at":"2025-01-31T12:00:00.000Z","mac":"54036b0ee2d61aaac9cafcd644e9d7ef04d9b52663a3f87ca0b64275aa627da9","outerMac":"333c88f7913d59f8fc91491404ac74a41b34ec43e930a1f8a9d85323bbdd7030"}',
  ],
  [
    'export, message of the first line',
    '0000000f7661756c742d7631206578706f72740000000a65752d656e636c617665000000046d61696e000000090000000573306e7230000000090000000573306e72300000000573306e723000000010e0e1e2e3e4e5e6e7e8e9eaebecedeeef00000018323032352d30312d33315431323a30303a30302e3030305a',
  ],
  [
    'export, first line',
    '{"trefoil":"vault-v1 export","domain":"eu-enclave","store":"main","outer":["s0nr0"],"inner":["s0nr0"],"subjects":"s0nr0","export":"e0e1e2e3e4e5e6e7e8e9eaebecedeeef","at":"2025-01-31T12:00:00.000Z","mac":"b377e3688ff3cea2d4c78251255d90c4f888ef69e8da9b217f7f8f9547198295"}',
  ],
  [
    'export, token',
    '{"table":"token","index":"fca6da3625590e8ce1c4c0a4853fd8e0","key":"s0nr0","version":286397204,"expires":null,"body":"gmuXt9mbA96dn4_XtE0fa0u4qh7DMchtyRuS7jrRlD76HYulIIS6uA4ucs4IRffBBVXE6aFLaEf0lUzADTP5AoEs0iYhP9dUDo1e04M_bA"}',
  ],
  [
    'export, value',
    '{"table":"value","index":"147b6e754658f547716a3d8b3509433a","key":"s0nr0","version":16909060,"expires":null,"body":"30otK85kGyU0ytKl8DApdKqPS4t-DojlR3eo9CN-nITamnp-kkl7X1Ir6Y8HjE6fOKr9_Qb7oFhCziPIqM8ZXVezj8Q"}',
  ],
  ['export, digest of the two rows', '31d34e61d72da6df8b21d8a2abcde105eb7527e3f82c5cf50c429289e2dccbd0'],
  [
    'export, message of the end of a part',
    '000000147661756c742d7631206578706f7274207061727400000020b377e3688ff3cea2d4c78251255d90c4f888ef69e8da9b217f7f8f954719829500000001310000002031d34e61d72da6df8b21d8a2abcde105eb7527e3f82c5cf50c429289e2dccbd0',
  ],
  ['export, end of a part', '{"part":1,"mac":"b9589a1cd619693a2b2204ceef57415554fbda078237f436b95a7b88985a04f6"}'],
  [
    'export, message of the last line',
    '000000137661756c742d7631206578706f727420656e6400000020b377e3688ff3cea2d4c78251255d90c4f888ef69e8da9b217f7f8f9547198295000000013100000001320000002031d34e61d72da6df8b21d8a2abcde105eb7527e3f82c5cf50c429289e2dccbd0',
  ],
  ['export, last line', '{"part":1,"rows":2,"mac":"c5316b872f8a24b0a12a30399bc203eb88a369b8a06a847042a706225208f4cc"}'],
];

const all = new Map(FROZEN);
const text = (name: string): string => all.get(name) ?? expect.fail(`nothing is frozen as ${name}`);
const frozen = (name: string): Uint8Array => Uint8Array.from(Buffer.from(text(name), 'hex'));

const outer = outerLayer(key, 'main');
const plain = innerLayer(key, 'main', 'person.name', false);
const ofSubject = innerLayer(key, 'main', 'person.name', true);
const subjects = subjectKeys(key, 'main');

/** The value, one byte 0x80, and zeros up to 32 bytes. */
const PADDED = Uint8Array.from(Buffer.concat([utf8(VALUE), Uint8Array.of(0x80), Buffer.alloc(32)]).subarray(0, 32));
const join = (...parts: Uint8Array[]) => Uint8Array.from(Buffer.concat(parts));

const frozenRow = (name: string, expires: number | null = null): Row => {
  const version = Number(text(`${name}, version`));
  return { index: frozen(`${name}, index`), key: 's0nr0', version, expires, body: frozen(`${name}, body`) };
};
const erasedRow = (name: string, from: Row): Row => {
  return { ...from, version: from.version + 1, expires: null, body: frozen(`${name}, body`) };
};
const VALUE_ROW = frozenRow('value');
const TOKEN_ROW = frozenRow('token');
const BY_SUBJECT = frozenRow('by subject');
const BY_HANDLE = frozenRow('by handle');
const SUBJECTS_VALUE_ROW = frozenRow('with subject: value', EXPIRES);
const SUBJECTS_TOKEN_ROW = frozenRow('with subject: token', EXPIRES);
/** Erased rows: their names, the live rows that they replace, and their tables. */
const ERASED = {
  value: ['forgotten value', VALUE_ROW, 'value'],
  token: ['forgotten token', TOKEN_ROW, 'token'],
  bySubject: ['shredded by subject', BY_SUBJECT, 'subject'],
  byHandle: ['shredded by handle', BY_HANDLE, 'subject'],
} as const;
const gone = (which: keyof typeof ERASED) => erasedRow(ERASED[which][0], ERASED[which][1]);

test('the page has the same vectors as this file', () => {
  const page = readFileSync(new URL('../../docs/spec/vault-v1.md', import.meta.url), 'utf8');
  const vectors = page.slice(page.indexOf('\n## Vectors\n'));
  const rows = [...vectors.matchAll(/^\| (.+) \| `(.+)` \|$/gm)].map(([, name, value]) => [name, value]);
  expect(rows).toEqual(FROZEN);
});

describe('keys', () => {
  test('of the outer layer and of subjects are the frozen ones', () => {
    const node = key.derive('vault', 'main', ['outer']);
    expect(hex(node)).toBe(text('outer node'));
    expect(hex(expandNode(node, 'index', 32))).toBe(text('outer, `index`'));
    expect(hex(expandNode(node, 'content', 64))).toBe(text('outer, `content`'));
    expect(hex(expandNode(node, 'meta', 32))).toBe(text('outer, `meta`'));
    const ofSubjects = key.derive('vault', 'main', ['subjects']);
    expect(hex(ofSubjects)).toBe(text('subjects node'));
    for (const label of ['subject', 'handle', 'grave', 'certificate']) {
      expect(hex(expandNode(ofSubjects, label, 32))).toBe(text(`subjects, \`${label}\``));
    }
  });

  test.each([
    ['', ''],
    ['with subject: ', 'subject'],
  ])('of the inner layer, %s', (prefix, parameter) => {
    const node = key.derive('vault', 'person.name', ['inner', 'main', parameter]);
    expect(hex(node)).toBe(text(`${prefix}inner node`));
    for (const label of ['value index', 'value content', 'token index', 'token content']) {
      expect(hex(expandNode(node, label, 32))).toBe(text(`${prefix}inner, \`${label}\``));
    }
  });
});

/** Seals one row from the inside out, compares each step with the frozen one, and opens it again. */
function pin(table: Table, prefix: string, side: Side, name: Uint8Array, inside: Uint8Array, expires: number | null) {
  const at = (what: string) => `${prefix}${table}, ${what}`;
  const inner = side.indexOf(name);
  expect(hex(inner)).toBe(text(at('inner index')));
  // In a row by value, the sealed text is preceded by the key id that the token shows.
  const shown = table === 'value' ? utf8('s0nr0') : new Uint8Array(0);
  const sealed = side.seal(name, inside);
  const rest = join(shown, sealed);
  expect(hex(rest)).toBe(text(at('rest')));
  expect(sealEach({ keys: frozen(at('key')), keyLength: 32 }, [inside], null)).toEqual([sealed]);
  const index = outer.indexOf(inner);
  expect(hex(index)).toBe(text(at('index')));
  expect(hex(outer.innerOf(index))).toBe(text(at('inner index')));
  const content: Content = { state: 'live', inner: 's0nr0', link: frozen(`${prefix}link`), rest };
  const expected = frozenRow(`${prefix}${table}`, expires);
  const row = outer.seal(table, { index, version: expected.version, expires }, writeContent(content));
  expect(row).toEqual(expected);

  const opened = readContent(outer.open(table, row)!)!;
  expect(opened).toEqual(content);
  expect(side.open(name, opened.rest.slice(shown.length))).toEqual(inside);
  return writeContent(content);
}

describe('rows', () => {
  test('without a subject', () => {
    const body = frozen('token bytes');
    expect(hex(pin('value', '', plain.value, utf8(VALUE), body, null))).toBe(text('value, content'));
    pin('token', '', plain.token, body, PADDED, null);
    expect(writeToken('name', 's0nr0', body)).toBe(text('token text, label `name`'));
    expect(readToken(text('token text, label `name`'))).toEqual(body);
  });

  test('handle and key of a subject', () => {
    const handle = frozen('handle');
    const subjectKey = join(frozen('key of the subject'), frozen('name of the subject'));
    for (const [name, inner, rest, row] of [
      ['by subject', subjects.indexesOf(['7']), handle, BY_SUBJECT],
      ['by handle', subjects.keyIndexesOf([handle]), subjectKey, BY_HANDLE],
    ] as const) {
      expect(hex(inner)).toBe(text(`${name}, inner index`));
      const content: Content = { state: 'live', inner: 's0nr0', link: frozen(`${name}, link`), rest };
      const bound = { index: outer.indexOf(inner), version: row.version, expires: null };
      expect(outer.seal('subject', bound, writeContent(content))).toEqual(row);
      expect(readContent(outer.open('subject', row)!)).toEqual(content);
    }
  });

  test('a grave', () => {
    const inner = subjects.graveIndexesOf([frozen('link')]);
    expect(hex(inner)).toBe(text('grave, inner index'));
    const grave = frozenRow('grave');
    const content = { ...goneContent('s0nr0', 16), link: frozen('grave, link') };
    const bound = { index: outer.indexOf(inner), version: grave.version, expires: null };
    expect(outer.seal('subject', bound, writeContent(content))).toEqual(grave);
    expect(readContent(outer.open('subject', grave)!)).toEqual(content);
    // It has the length of the row of a subject.
    expect(grave.body.length).toBe(BY_SUBJECT.body.length);
  });

  test('with a subject', () => {
    const [handle, subjectKey] = [frozen('handle'), frozen('key of the subject')];
    const body = frozen('with subject: token bytes');
    const under = (table: 'value' | 'token', token: Uint8Array, inside: Uint8Array) => {
      const data = encodeList(['person.name', table, token]);
      expect(hex(data)).toBe(text(`with subject: ${table}, associated data under the subject`));
      const key = { keys: subjectKey, keyLength: 64 };
      const sealed = sealEach(key, [inside], [data])[0]!;
      expect(hex(sealed)).toBe(text(`with subject: ${table}, under the subject`));
      expect(openEach(key, [sealed], [data])).toEqual([inside]);
      const written = writeUnderSubject({ handle, sealed });
      expect(readUnderSubject(written)).toEqual({ handle, sealed });
      return written;
    };
    const kept = under('value', new Uint8Array(0), body);
    pin('value', 'with subject: ', ofSubject.value, join(frozen('name of the subject'), utf8(VALUE)), kept, EXPIRES);
    pin('token', 'with subject: ', ofSubject.token, body, under('token', body, PADDED), EXPIRES);
    expect(writeToken('name', 's0nr0', body)).toBe(text('with subject: token text, label `name`'));
  });

  test.each(Object.values(ERASED))('erased: %s', (name, row, table) => {
    const content = eraseContent(readContent(outer.open(table, row)!)!);
    // The link is random. With the frozen link, the row is the frozen one.
    const written = writeContent({ ...content, link: frozen(`${name}, link`) });
    const bound = { index: row.index, version: row.version + 1, expires: null };
    expect(outer.seal(table, bound, written)).toEqual(erasedRow(name, row));
  });

  test('the lengths of all rows are as specified', () => {
    const rows = [VALUE_ROW, TOKEN_ROW, SUBJECTS_VALUE_ROW, SUBJECTS_TOKEN_ROW, BY_SUBJECT, BY_HANDLE];
    expect(rows.map(({ body }) => body.length)).toEqual([68, 47 + 32, 100, 79 + 32, 47, 127]);
  });

  test('a body opens only with its own table, key, index, version and day', () => {
    for (const [table, row] of [
      ['value', VALUE_ROW],
      ['token', TOKEN_ROW],
      ['subject', BY_SUBJECT],
      ['subject', BY_HANDLE],
    ] as const) {
      expect(outer.open(table, row)).not.toBeNull();
      for (const other of ['value', 'token', 'subject'] as const) {
        if (other !== table) expect(outer.open(other, row)).toBeNull();
      }
      expect(outer.open(table, { ...row, version: row.version + 1 })).toBeNull();
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

test('metadata, and a certificate', () => {
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
  expect(hex(subjects.mac(frozen('certificate, message')))).toBe(JSON.parse(text('certificate')).mac);
  expect(hex(outer.mac(frozen('certificate, message')))).toBe(JSON.parse(text('certificate')).outerMac);
});

/** Makes a store with exactly these rows and the frozen metadata. */
async function storeOf(rows: { value?: Row; token?: Row; subject?: readonly Row[] }): Promise<VaultStore> {
  const store = memoryStore();
  await store.setMeta({ generation: 1, text: text('metadata') });
  if (rows.value !== undefined) await store.create(1, 'value', [{ row: rows.value, with: rows.token }]);
  await store.create(
    1,
    'subject',
    (rows.subject ?? []).map((row) => ({ row })),
  );
  return store;
}

/** Checks that a row is the erased form of another: equal to the frozen erased row except for its link. */
async function expectErased(store: VaultStore, which: keyof typeof ERASED) {
  const [name, before, table] = ERASED[which];
  const { body, ...row } = (await get(store, table, before))!;
  const { body: expected, ...bound } = erasedRow(name, before);
  expect(row).toEqual(bound);
  expect(body.length).toBe(expected.length);
  const { link, ...content } = readContent(outer.open(table, { ...row, body })!)!;
  const { link: _, ...frozenContent } = readContent(outer.open(table, { ...row, body: expected })!)!;
  expect(content).toEqual(frozenContent);
  expect(content.state).toBe('erased');
  expect(link).not.toEqual(readContent(outer.open(table, before)!)!.link);
}

/** A certificate in an older form, without the field `destroyed`. */
const OLDER_CERTIFICATE =
  '{"trefoil":"vault-v1 shredding","domain":"eu-enclave","store":"main","keyId":"s0nr0","subject":"ee1852bbf4eca06a795553ece5e21e36","at":"2025-01-31T12:00:00.000Z","mac":"333609df8a6841be15983cdc224644a1ee0af306015a73279d93660c5d55d847"}';

const get = async (store: VaultStore, table: Table, row: Row) => (await store.get(table, [row.index]))[0];
const open = (store: VaultStore, options: Partial<VaultOptions> = {}) =>
  vault({ scope: 'person.name', store: 'main', label: 'name', ...options }).open(keys, { main: store }, revealAccess);
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

  test('reveals, looks up and verifies, and forgetting erases both rows', async () => {
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
    await expectErased(store, 'value');
    await expectErased(store, 'token');
    expect(await get(store, 'subject', frozenRow('grave'))).toMatchObject({ key: 's0nr0', expires: null });
    expect((await opened.verify()).broken).toBe(0);
  });

  test('recognises a forgotten token', async () => {
    const opened = await open(await storeOf({ value: gone('value'), token: gone('token') }));
    const token = text('token text, label `name`') as never;
    expect(await code(opened.reveal(token))).toBe('forgotten');
    expect(await opened.exists(token)).toBe(true);
    expect(await opened.lookup(VALUE)).toBeNull();
    expect(await code(opened.protect(VALUE))).toBe('erased');
  });

  const rows = { value: SUBJECTS_VALUE_ROW, token: SUBJECTS_TOKEN_ROW };

  test('with a subject does the same, and shredding erases both rows and writes the frozen certificate', async () => {
    const store = await storeOf({ ...rows, subject: [BY_SUBJECT, BY_HANDLE] });
    const opened = await open(store, { subject: 'customer' });
    const token = text('with subject: token text, label `name`') as never;
    expect(await opened.reveal(token)).toBe(VALUE);
    expect(await opened.lookup(VALUE, { subject: '7' })).toBe(token);
    expect(await opened.protect(VALUE, { subject: 7 })).toBe(token);
    expect(await opened.lookup(VALUE, { subject: '8' })).toBeNull();
    expect((await opened.verify()).broken).toBe(0);

    expect(await opened.shred('8')).toBeNull();
    const certificate = (await opened.shred('7'))!;
    expect(JSON.stringify(certificate)).toBe(text('certificate'));
    await expectErased(store, 'bySubject');
    await expectErased(store, 'byHandle');
    expect((await opened.verify()).broken).toBe(0);
    expect(opened.isCertificate(JSON.parse(text('certificate')), 7)).toBe(true);
    expect(opened.isCertificate(certificate, 8)).toBe(false);
    for (const field of Object.keys(certificate)) {
      expect(opened.isCertificate({ ...certificate, [field]: `${'0'.repeat(63)}1` }, 7)).toBe(false);
    }
    expect(JSON.stringify(await opened.shred('7'))).toBe(text('certificate, shredded before'));
    expect(opened.isCertificate({ ...certificate, destroyed: 'nothing' }, 7)).toBe(false);
    const other = await open(await storeOf({}), { subject: 'customer' });
    expect(JSON.stringify(await other.shred(7, { inAdvance: true }))).toBe(text('certificate, in advance'));
  });

  test('refuses a certificate without `destroyed`, whatever is added to it', async () => {
    const opened = await open(await storeOf({ ...rows, subject: [BY_SUBJECT, BY_HANDLE] }), { subject: 'customer' });
    const older = JSON.parse(OLDER_CERTIFICATE);
    expect(opened.isCertificate(older, 7)).toBe(false);
    for (const trefoil of ['vault-v1 shredding', 'vault-v1 certificate']) {
      for (const destroyed of ['key', 'nothing', 'in advance', undefined]) {
        const more = { ...older, trefoil, destroyed, mappings: 'not known to the store' };
        expect(opened.isCertificate(more, 7)).toBe(false);
      }
    }
  });

  test('recognises a shredded subject, and reveals nothing without the rows of the subject', async () => {
    const token = text('with subject: token text, label `name`') as never;
    const subject = [gone('bySubject'), gone('byHandle')];
    const shredded = await open(await storeOf({ ...rows, subject }), { subject: 'customer' });
    expect(await code(shredded.reveal(token))).toBe('forgotten');
    expect(await code(shredded.protect(VALUE, { subject: 7 }))).toBe('erased');
    const alone = await open(await storeOf(rows), { subject: 'customer' });
    expect(await code(alone.reveal(token))).toBe('forgotten');
  });

  test('a rule with a subject and one without do not read the rows of each other', async () => {
    const store = await storeOf({ value: VALUE_ROW, token: TOKEN_ROW });
    const opened = await open(store, { subject: 'customer' });
    expect(await code(opened.reveal(text('token text, label `name`') as never))).toBe('unknown_token');
    expect(await opened.lookup(VALUE, { subject: '7' })).toBeNull();
  });
});
