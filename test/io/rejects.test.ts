import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decodeBase64url, encodeBase64url } from '../../src/core/base64.ts';
import { keyset } from '../../src/index.ts';
import {
  makeRejectOpener,
  makeRejectSealer,
  type RejectsHead,
  readRejectLine,
  readRejectsHead,
  rejectLine,
} from '../../src/io/rejects.ts';
import { openKeys } from '../../src/keys/domain-keys.ts';
import { secretAccess } from '../../src/reveal.ts';

const keys = openKeys(keyset.generate().domain('test'));
const fileId = new Uint8Array(16).fill(7);
const sealer = makeRejectSealer(keys, fileId);
const head = readRejectsHead(sealer.head({ format: 'csv', delimiter: ',', newline: '\n' }, ['a', 'b']))!;
const opener = makeRejectOpener(keys, head)!;
const place = { input: 2, line: 31 };

const bytes = (length: number): Uint8Array => new Uint8Array(length).fill(0x80);

describe('sealed records', () => {
  test('property: any record is opened again, and sealed twice it looks different', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (record) => {
        const one = sealer.seal([{ record: record, place }])[0]!;
        const two = sealer.seal([{ record: record, place }])[0]!;
        expect(one).not.toBe(two);
        expect(opener.open(one, place)).toEqual(record);
        expect(opener.open(two, place)).toEqual(record);
      }),
    );
  });

  test.each([
    [0, 64],
    [63, 64],
    [64, 128],
    [127, 128],
    [128, 256],
    [5000, 8192],
    [(1 << 20) - 1, 1 << 20],
    [1 << 20, 2 << 20],
    [(2 << 20) - 1, 2 << 20],
    [2 << 20, 3 << 20],
  ])('%i bytes are padded to %i', (length, padded) => {
    const sealed = sealer.seal([{ record: bytes(length), place }])[0]!;
    expect(decodeBase64url(sealed)!.length).toBe(16 + 16 + padded);
    expect(opener.open(sealed, place)!.length).toBe(length);
  });

  test('do not open for another line, input, file, domain or key', () => {
    const sealed = sealer.seal([{ record: bytes(10), place }])[0]!;
    expect(opener.open(sealed, { input: 2, line: 32 })).toBeNull();
    expect(opener.open(sealed, { input: 1, line: 31 })).toBeNull();
    const elsewhere = makeRejectOpener(keys, { ...head, fileId: new Uint8Array(16).fill(8) })!;
    expect(elsewhere.open(sealed, place)).toBeNull();
    expect(makeRejectOpener(openKeys(keyset.generate().domain('test')), head)).toBeNull();
    expect(makeRejectOpener(openKeys(keyset.generate().domain('other')), head)).toBeNull();
  });

  test('do not open if any character is changed', () => {
    const sealed = sealer.seal([{ record: bytes(20), place }])[0]!;
    for (let i = 0; i < sealed.length; i++) {
      const changed = `${sealed.slice(0, i)}${sealed[i] === 'A' ? 'B' : 'A'}${sealed.slice(i + 1)}`;
      expect(opener.open(changed, place), `symbol ${i}`).toBeNull();
    }
    for (const cut of ['', 'AAAA', sealed.slice(0, -4), `${sealed}AAAA`, `${sealed}=`]) {
      expect(opener.open(cut, place)).toBeNull();
    }
  });

  test('the sealed names are bound to the other fields of the head', () => {
    expect(opener.header()).toEqual(['a', 'b']);
    const changes: Partial<RejectsHead>[] = [{ delimiter: ';' }, { newline: '\r\n' }, { format: 'tsv' }];
    for (const change of changes) expect(makeRejectOpener(keys, { ...head, ...change })!.header()).toBeUndefined();
  });

  test('an older key still opens what it sealed', () => {
    const [before, after] = [keyset.generate(), keyset.generate()];
    const rootOf = (set: typeof before): object => JSON.parse(set.export(secretAccess)).keys[0];
    const text = JSON.stringify({
      version: 'keyset-v1',
      keys: [rootOf(after), { ...rootOf(before), primary: false }],
    });
    const line = makeRejectSealer(openKeys(before.domain('test')), fileId).head(
      { format: 'ndjson', delimiter: null, newline: '\n' },
      null,
    );
    const both = openKeys(keyset.parse(text).domain('test'));
    expect(both.primary.id).toBe(after.domain('test').keyId);
    expect(makeRejectOpener(both, readRejectsHead(line)!)!.header()).toBeNull();
  });
});

describe('lines', () => {
  test('are read as they were written, and have the place only once', () => {
    const issues = [
      { code: 'ragged_row', message: 'x', row: 3, line: 31, file: 'a.csv' },
      { code: 'not_a_date', message: 'y', row: 3, line: 32, column: 4 },
    ] as const;
    const line = rejectLine({ file: 'a.csv', ...place, row: 3, issues, sealed: null });
    expect(line).toBe(
      '{"file":"a.csv","input":2,"row":3,"line":31,"issues":[{"code":"ragged_row","message":"x"},' +
        '{"code":"not_a_date","message":"y","column":4,"line":32}],"sealed":null}\n',
    );
    expect(readRejectLine(line)).toMatchObject({ file: 'a.csv', input: 2, row: 3, line: 31, sealed: null });
  });

  test.each([
    '',
    '[]',
    'null',
    '{}',
    '{"input":0,"row":0,"line":1,"issues":[],"sealed":null}',
    '{"input":-1,"row":1,"line":1,"issues":[],"sealed":null}',
    '{"input":0,"row":1,"line":1,"issues":[3],"sealed":null}',
    '{"input":0,"row":1,"line":1,"issues":[],"sealed":5}',
    '{"input":0,"row":1,"line":1.5,"issues":[],"sealed":null}',
  ])('%s is none', (text) => {
    expect(readRejectLine(text)).toBeNull();
  });

  test.each(['', '{}', '{"trefoil":"rejects-v2"}', '{"trefoil":"rejects-v1"}'])('%s is not a first line', (text) => {
    expect(readRejectsHead(text)).toBeNull();
  });
});

describe('base64url', () => {
  test('property: writes what Node writes, and reads nothing else', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 70 }), (data) => {
        const text = encodeBase64url(data);
        expect(text).toBe(Buffer.from(data).toString('base64url'));
        expect(decodeBase64url(text)).toEqual(data);
      }),
    );
    for (const text of ['A', 'AB', 'AAB', 'AA=', 'A+AA', 'AAAAA', 'é']) expect(decodeBase64url(text)).toBeNull();
  });
});

test('many records are sealed at once, each for its own place, whatever their lengths', () => {
  const records = Array.from({ length: 3000 }, (_, i) => ({
    record: bytes([0, 1, 47, 62, 63, 64, 200, 5000][i % 8]!),
    place: { input: i % 700 === 0 ? 1 : 0, line: i + 1 },
  }));
  records.push({ record: bytes((1 << 20) + 5), place: { input: 2, line: 1_000_000 } });
  const sealed = sealer.seal(records);
  expect(new Set(sealed).size).toBe(records.length);
  for (const [i, { record, place }] of records.entries()) {
    expect(Buffer.compare(opener.open(sealed[i]!, place)!, record)).toBe(0);
    if (i % 100 === 0) expect(opener.open(sealed[i]!, { ...place, line: place.line + 1 })).toBeNull();
  }
});
