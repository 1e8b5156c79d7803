/**
 * Frozen: the lines of an export in docs/spec/vault-v1.md, "Export". The MACs were computed with Python's hmac and
 * hashlib under the frozen key `meta` of the vault's vectors. This file computes them again with node:crypto, over
 * bytes that it puts together itself. The rows are those of the same page.
 */
import { createHash, createHmac } from 'node:crypto';
import { expect, test } from 'vitest';
import { readHex } from '../../src/core/hex.ts';
import { keyset } from '../../src/index.ts';
import { revealAccess } from '../../src/reveal.ts';
import { startParts, writeHead } from '../../src/vault/transfer/lines.ts';
import { memoryStore, type Row, type VaultStore, vault } from '../../src/vault.ts';
import { bytes, hex } from '../helpers/hex.ts';

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
const names = vault({ scope: 'person.name', store: 'main', label: 'name' });

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
  '0000000f7661756c742d7631206578706f72740000000a65752d656e636c617665000000046d61696e000000090000000573306e7230000000090000000573306e72300000000573306e723000000010e0e1e2e3e4e5e6e7e8e9eaebecedeeef00000018323032352d30312d33315431323a30303a30302e3030305a';
/** encode(table, index, key, version, expires, body) of the row by token, followed by that of the row by value. */
const ROWS =
  '00000005746f6b656e00000010fca6da3625590e8ce1c4c0a4853fd8e00000000573306e723000000009323836333937323034000000000000004f826b97b7d99b03de9d9f8fd7b44d1f6b4bb8aa1ec331c86dc91b92ee3ad1943efa1d8ba52084bab80e2e72ce0845f7c10555c4e9a14b6847f4954cc00d33f902812cd226213fd7540e8d5ed3833f6c0000000576616c756500000010147b6e754658f547716a3d8b3509433a0000000573306e72300000000831363930393036300000000000000044df4a2d2bce641b2534cad2a5f0302974aa8f4b8b7e0e88e54777a8f4237e9c84da9a7a7e92497b5f522be98f078c4e9f38aafdfd06fba05842ce23c8a8cf195d57b38fc4';

const mac = (message: Uint8Array) => createHmac('sha256', bytes(META_KEY)).update(message).digest('hex');
const list = (...items: (string | Uint8Array)[]) =>
  Buffer.concat(
    items.flatMap((item) => {
      const length = Buffer.alloc(4);
      length.writeUInt32BE(Buffer.from(item as string).length);
      return [length, Buffer.from(item as string)];
    }),
  );
const digest = createHash('sha256').update(bytes(ROWS)).digest();

const LINES = [
  '{"trefoil":"vault-v1 export","domain":"eu-enclave","store":"main","outer":["s0nr0"],"inner":["s0nr0"],"subjects":"s0nr0","export":"e0e1e2e3e4e5e6e7e8e9eaebecedeeef","at":"2025-01-31T12:00:00.000Z","mac":"b377e3688ff3cea2d4c78251255d90c4f888ef69e8da9b217f7f8f9547198295"}',
  '{"table":"token","index":"fca6da3625590e8ce1c4c0a4853fd8e0","key":"s0nr0","version":286397204,"expires":null,"body":"gmuXt9mbA96dn4_XtE0fa0u4qh7DMchtyRuS7jrRlD76HYulIIS6uA4ucs4IRffBBVXE6aFLaEf0lUzADTP5AoEs0iYhP9dUDo1e04M_bA"}',
  '{"table":"value","index":"147b6e754658f547716a3d8b3509433a","key":"s0nr0","version":16909060,"expires":null,"body":"30otK85kGyU0ytKl8DApdKqPS4t-DojlR3eo9CN-nITamnp-kkl7X1Ir6Y8HjE6fOKr9_Qb7oFhCziPIqM8ZXVezj8Q"}',
  '{"part":1,"rows":2,"mac":"c5316b872f8a24b0a12a30399bc203eb88a369b8a06a847042a706225208f4cc"}',
];
/** The line that ends a part of 1,000 rows. The last line of the export ends the next part. */
const PART = '{"part":1,"mac":"b9589a1cd619693a2b2204ceef57415554fbda078237f436b95a7b88985a04f6"}';
const END_OF_TWO = '{"part":2,"rows":2,"mac":"105237789cc585aa5259ea32b4aef437073442c927a78ac90b05c31a137d52dc"}';

test('the MACs are those that node:crypto computes', () => {
  const head = bytes(mac(bytes(HEAD_MESSAGE)));
  expect(LINES[0]).toContain(hex(head));
  expect(LINES[3]).toContain(mac(list('vault-v1 export end', head, '1', '2', digest)));
  expect(PART).toContain(mac(list('vault-v1 export part', head, '1', digest)));
  expect(END_OF_TWO).toContain(mac(list('vault-v1 export end', head, '2', '2', digest)));
});

/** Makes a store with the frozen rows. */
async function filled(): Promise<VaultStore> {
  const store = memoryStore();
  await store.setMeta({ generation: 1, text: META });
  await store.create(1, 'value', [{ row: VALUE, with: TOKEN }]);
  return store;
}

test('a store with the frozen rows exports the frozen rows, with MACs over its own first line', async () => {
  const lines: string[] = [];
  for await (const line of (await names.open(keys, { main: await filled() })).export()) lines.push(line);
  expect(lines.slice(1, 3)).toEqual(LINES.slice(1, 3).map((line) => `${line}\n`));
  const [first, last] = [JSON.parse(lines[0]!), JSON.parse(lines[3]!)];
  const { export: id, at } = first;
  const ids = list('s0nr0');
  const head = mac(list('vault-v1 export', 'eu-enclave', 'main', ids, ids, 's0nr0', bytes(id), at));
  expect(first).toEqual({ ...JSON.parse(LINES[0]!), export: id, at, mac: head });
  expect(Object.keys(first)).toEqual(Object.keys(JSON.parse(LINES[0]!)));
  const end = mac(list('vault-v1 export end', bytes(head), '1', '2', digest));
  expect(last).toEqual({ part: 1, rows: 2, mac: end });
});

test('the frozen head and the frozen ends are written', () => {
  const macOf = () => (message: Uint8Array) => bytes(mac(Buffer.from(message)));
  const { mac: _, trefoil, ...own } = JSON.parse(LINES[0]!);
  const head = { ...own, export: readHex(own.export, 16)! };
  expect(writeHead(head, macOf)).toBe(`${LINES[0]}\n`);
  const parts = startParts(head, macOf);
  parts.add('token', TOKEN);
  parts.add('value', VALUE);
  expect(parts.write(false)).toBe(`${PART}\n`);
  expect(parts.write(true)).toBe(`${END_OF_TWO}\n`);
});

test.each([
  ['one part', LINES],
  ['two', [...LINES.slice(0, 3), PART, END_OF_TWO]],
])('a new store that takes the frozen lines says what they say: %s', async (_, lines) => {
  const store = memoryStore();
  expect(await names.import(keys, { main: store }, [lines.join('\n')])).toMatchObject({ rows: 2, written: 2 });
  const open = await names.open(keys, { main: store }, revealAccess);
  expect(await open.reveal('name_s0nr0000g40r40m30e209185gr38e1wdn19' as never)).toBe('Zoë Müller');
  expect(await open.lookup('Zoë Müller')).toBe('name_s0nr0000g40r40m30e209185gr38e1wdn19');
  expect(await store.meta()).toEqual({ generation: 1, text: META });
});
