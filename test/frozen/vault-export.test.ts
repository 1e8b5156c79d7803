/**
 * Frozen: the lines of an export of docs/spec/vault-v1.md, "Export". The MACs are those of node:crypto over bytes that are
 * put together here, under the frozen key `meta` of the vault's own vectors; the rows are that page's.
 */
import { createHmac } from 'node:crypto';
import { expect, test } from 'vitest';
import { readHex } from '../../src/core/hex.ts';
import { keyset } from '../../src/index.ts';
import { revealAccess } from '../../src/reveal.ts';
import { memoryStore, type Row, vault } from '../../src/vault.ts';

const keys = keyset
  .parse(
    JSON.stringify({
      version: 'keyset-v1',
      keys: [
        {
          id: 'frozen',
          primary: true,
          secret: 'trefoil-root-1_med7afeazz3tc4ydw2xkm1nwwzy0e9sdkdjw97dqg7812j3x62a05n2v',
        },
      ],
    }),
  )
  .domain('eu-enclave');
const names = vault({ scope: 'person.name', store: 'main', token: { label: 'name' } });

const META_KEY = '0818ae8c5292fb93f43b72cf2b97a2f003a1b8b687591f93aff6ea3bd4f20f54';
const META =
  '{"trefoil":"vault-v1","domain":"eu-enclave","store":"main","outer":["s0nr0"],"inner":["s0nr0"],"subjects":"s0nr0","mac":"41c69fe5ca9a3c282e06dd190a7cced2c6a9fa728ca4604d79e0620872d2d947"}';
const VALUE: Row = {
  index: readHex('147b6e754658f547716a3d8b3509433a', 16)!,
  key: 's0nr0',
  version: 16_909_060,
  expires: null,
  body: readHex(
    'df4a2d2bce641b2534cad2a5f0302974aa8f4b8b7e0e88e54777a8f4237e9c84da9a7a7e92497b5f522be98f078c4e9f38aafdfd06fba05842ce23c8a8cf195d57b38fc4',
    68,
  )!,
};
const TOKEN: Row = {
  index: readHex('fca6da3625590e8ce1c4c0a4853fd8e0', 16)!,
  key: 's0nr0',
  version: 286_397_204,
  expires: null,
  body: readHex(
    '826b97b7d99b03de9d9f8fd7b44d1f6b4bb8aa1ec331c86dc91b92ee3ad1943efa1d8ba52084bab80e2e72ce0845f7c10555c4e9a14b6847f4954cc00d33f902812cd226213fd7540e8d5ed3833f6c',
    79,
  )!,
};

const HEAD_MESSAGE =
  '0000000f7661756c742d7631206578706f72740000000a65752d656e636c617665000000046d61696e000000090000000573306e7230000000090000000573306e72300000000573306e7230';
const mac = (message: string) =>
  createHmac('sha256', Buffer.from(META_KEY, 'hex')).update(Buffer.from(message, 'hex')).digest('hex');
const END_MESSAGE = `000000137661756c742d7631206578706f727420656e6400000020${mac(HEAD_MESSAGE)}0000000132`;

const LINES = [
  '{"trefoil":"vault-v1 export","domain":"eu-enclave","store":"main","outer":["s0nr0"],"inner":["s0nr0"],"subjects":"s0nr0","mac":"c066e167b26975045d56b3ffff0a58cbbaace643c9be4fcf18d8b7bd19592675"}',
  '{"table":"token","index":"fca6da3625590e8ce1c4c0a4853fd8e0","key":"s0nr0","version":286397204,"expires":null,"body":"gmuXt9mbA96dn4_XtE0fa0u4qh7DMchtyRuS7jrRlD76HYulIIS6uA4ucs4IRffBBVXE6aFLaEf0lUzADTP5AoEs0iYhP9dUDo1e04M_bA"}',
  '{"table":"value","index":"147b6e754658f547716a3d8b3509433a","key":"s0nr0","version":16909060,"expires":null,"body":"30otK85kGyU0ytKl8DApdKqPS4t-DojlR3eo9CN-nITamnp-kkl7X1Ir6Y8HjE6fOKr9_Qb7oFhCziPIqM8ZXVezj8Q"}',
  '{"rows":2,"mac":"eb25df10a634078d43da774cfb9d0bfdc795fddcfbfc6509c3c36db10097e4af"}',
];

test('the MACs are those of node:crypto', () => {
  expect(LINES[0]).toContain(mac(HEAD_MESSAGE));
  expect(LINES[3]).toContain(mac(END_MESSAGE));
});

test('a store with the frozen rows writes the frozen lines', async () => {
  const store = memoryStore();
  await store.setMeta({ generation: 1, text: META });
  await store.create(1, 'value', [{ row: VALUE, with: TOKEN }]);
  const lines: string[] = [];
  for await (const line of (await names.open(keys, { main: store })).export()) lines.push(line);
  expect(lines).toEqual(LINES.map((line) => `${line}\n`));
});

test('a new store that takes the frozen lines says what they say', async () => {
  const store = memoryStore();
  expect(await names.import(keys, { main: store }, [LINES.join('\n')])).toMatchObject({ rows: 2, written: 2 });
  const open = await names.open(keys, { main: store }, revealAccess);
  expect(await open.reveal('name_s0nr0000g40r40m30e209185gr38e1wdn19' as never)).toBe('Zoë Müller');
  expect(await open.lookup('Zoë Müller')).toBe('name_s0nr0000g40r40m30e209185gr38e1wdn19');
  expect(await store.meta()).toEqual({ generation: 1, text: META });
});
