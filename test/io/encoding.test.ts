/** Encodings of inputs: the tables, byte by byte, against Python's; UTF-16 against Node's; what is no character. */
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { protectCsv, protectCsvStream } from '../../src/csv.ts';
import type { Issue } from '../../src/errors.ts';
import { ENCODINGS, type Encoding, makeTranscoder } from '../../src/io/encoding.ts';
import { protectNdjson } from '../../src/ndjson.ts';
import { protectTsv } from '../../src/tsv.ts';
import { CP1252, ISO8859_15 } from './codecs.ts';
import { abc, brief, collect, cut, errorOf, textOf } from './helpers.ts';

function transcode(encoding: Encoding, bytes: Uint8Array, lengths: readonly number[] = []): Buffer {
  const { push, end } = makeTranscoder(encoding)!;
  const parts: Uint8Array[] = [];
  for (const chunk of cut(bytes, lengths)) parts.push(push(chunk));
  return Buffer.concat([...parts, end()]);
}

describe('single bytes', () => {
  test.each([
    ['windows-1252', CP1252, ['81', '8d', '8f', '90', '9d']],
    ['iso-8859-15', ISO8859_15, Array.from({ length: 32 }, (_, i) => (0x80 + i).toString(16))],
  ] as const)('all 256 bytes of %s', (encoding, python, without) => {
    expect(python).toHaveLength(256);
    for (let byte = 0; byte < 256; byte++) {
      const name = byte.toString(16).padStart(2, '0');
      // An A before and after, so that no two bytes together are UTF-8.
      const out = transcode(encoding, Uint8Array.of(65, byte, 65));
      if ((without as readonly string[]).includes(name)) {
        // Python decodes bytes 80 to 9f of iso-8859-15 as control characters. They are no characters of the standard.
        expect(python[byte]).toMatch(encoding === 'windows-1252' ? /^----$/ : new RegExp(`^00${name}$`));
        expect([...out], name).toEqual([65, byte, 65]);
        expect(out.toString()).toContain('\ufffd');
      } else {
        expect(out.toString(), name).toBe(`A${String.fromCodePoint(Number.parseInt(python[byte]!, 16))}A`);
      }
    }
  });

  test('the euro sign is one on every Node', () => {
    expect(transcode('windows-1252', Uint8Array.of(0x80, 0x31)).toString()).toBe('€1');
    expect(transcode('iso-8859-15', Uint8Array.of(0xa4, 0x31)).toString()).toBe('€1');
  });

  test('chunks make no difference', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), fc.array(fc.nat({ max: 5 })), (bytes, lengths) => {
        const text = Buffer.concat([Buffer.from('é ', 'latin1'), bytes]);
        expect(transcode('windows-1252', text, lengths)).toEqual(transcode('windows-1252', text));
      }),
    );
  });

  test('UTF-8 is not read as another encoding', async () => {
    const [marked, plain] = [Buffer.from('\ufeffa,b,c\n'), Buffer.from('a,b,c\n1,Müller,3\n4,Zoë,6\n')];
    for (const encoding of ['windows-1252', 'iso-8859-1', 'iso-8859-15'] as const) {
      for (const bytes of [marked, plain]) {
        for (const source of [[bytes], [...bytes].map((byte) => Uint8Array.of(byte))]) {
          const error = await errorOf(protectCsv(source, abc, { encoding }));
          expect(error.code).toBe('not_in_encoding');
          expect(error.message).toMatch(/UTF-8, so the input is not .*; leave out the encoding/);
          expect(error.message).not.toMatch(/ller|Zo/);
        }
      }
      // Half of it is not UTF-8, so nothing says what it is.
      const mixed = Buffer.concat([plain, Buffer.from('4,Zo\xeb,6\n', 'latin1')]);
      expect(await textOf(protectCsv([mixed], abc, { encoding }))).toContain('\n4,Zoë,6\n');
      // ASCII is the same in all of them.
      expect(await textOf(protectCsv([Buffer.from('a,b,c\n1,2,3\n')], abc, { encoding }))).toBe('a,b,c\n1,2,3\n');
    }
  });
});

describe('UTF-16', () => {
  const le = (text: string): Buffer => Buffer.from(text, 'utf16le');
  const be = (text: string): Buffer => le(text).swap16();

  test('is what Node reads, whatever the chunks', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 20 }), fc.array(fc.nat({ max: 5 })), (text, lengths) => {
        const whole = `a${text}`;
        expect(transcode('utf-16le', le(whole), lengths).toString()).toBe(whole);
        expect(transcode('utf-16be', be(whole), lengths).toString()).toBe(whole);
        expect(transcode('utf-16', le(`\ufeff${whole}`), lengths).toString()).toBe(whole);
        expect(transcode('utf-16', be(`\ufeff${whole}`), lengths).toString()).toBe(whole);
      }),
    );
  });

  test('a long chunk', () => {
    const text = 'Zoë 山田 \u{1f600}'.repeat(20_000);
    expect(transcode('utf-16le', le(text)).toString()).toBe(text);
  });

  test('what is no character becomes a byte that is not UTF-8', () => {
    expect([...transcode('utf-16le', le('a\ud800b'))]).toEqual([97, 0xff, 98]);
    expect([...transcode('utf-16be', be('\udc00\ud800'))]).toEqual([0xff, 0xff]);
    expect([...transcode('utf-16le', le('\ud83d\ude00\ud83d'), [1, 2, 3])]).toEqual([0xf0, 0x9f, 0x98, 0x80, 0xff]);
    expect([...transcode('utf-16le', Buffer.concat([le('a'), Buffer.of(7)]), [2])]).toEqual([97, 0xff]);
    expect([...transcode('utf-16le', Buffer.of(7))]).toEqual([0xff]);
    expect([...transcode('utf-16be', Buffer.of(0xd8, 0, 7))]).toEqual([0xff, 0xff]);
  });

  test('the byte order mark says which one it is, and must not say another one', async () => {
    for (const [encoding, bytes] of [
      ['utf-16', le('a,b,c\n')],
      ['utf-16', Buffer.of(0x61)],
      ['utf-16le', be('\ufeffa,b,c\n')],
      ['utf-16be', le('\ufeffa,b,c\n')],
    ] as const) {
      const error = await errorOf(protectCsv([bytes], abc, { encoding }));
      expect(error.issues.map(brief)).toEqual(['not_in_encoding line 1']);
    }
    for (const [encoding, bytes] of [
      ['utf-16le', le('\ufeffa,b,c\n')],
      ['utf-16le', le('a,b,c\n')],
      ['utf-16be', be('\ufeffa,b,c\n')],
      ['utf-16be', be('a,b,c\n')],
    ] as const) {
      expect(await textOf(protectCsv([bytes], abc, { encoding }))).toBe('a,b,c\n');
    }
  });

  test('no records are no records, with a mark and without bytes', async () => {
    for (const bytes of [le('\ufeff'), le('')]) {
      expect(await textOf(protectNdjson([bytes], abc, { encoding: 'utf-16' }))).toBe('');
    }
  });
});

describe('records with bytes that are no characters', () => {
  const latin1 = (text: string): Buffer => Buffer.from(text, 'latin1');

  const WAYS = [
    {
      format: 'csv',
      text: 'a,b,c\r\n1,\xe9,"x\r\ny"\r\n2,\x81,"x\r\ny"\r\n3,ok,\r\n4,\x81\x81,\r\n5,,\xfc',
      due: 'a,b,c\r\n1,é,"x\r\ny"\r\n3,ok,\r\n5,,ü',
      at: ['row 2 line 4', 'row 4 line 7'],
      run: protectCsv,
    },
    {
      format: 'tsv',
      text: 'a\tb\tc\n1\t\xe9\tx\n2\t\x81\ty\n3\tok\t\n4\t\x81\t\n5\t\\N\t\xfc',
      due: 'a\tb\tc\n1\té\tx\n3\tok\t\n5\t\\N\tü',
      at: ['row 2 line 3', 'row 4 line 5'],
      run: protectTsv,
    },
    {
      format: 'ndjson',
      text: '{"a":"1","b":"\xe9","c":1}\n\n{"a":"\x81"}\n{"a":"3","b":"ok","c":1}\n\n{"a":"\x81"}\n{"a":"5","b":"","c":"\xfc"}',
      due: '{"a":"1","b":"é","c":1}\n{"a":"3","b":"ok","c":1}\n{"a":"5","b":"","c":"ü"}\n',
      at: ['row 2 line 3', 'row 4 line 6'],
      run: protectNdjson,
    },
  ];

  test.each(WAYS)('$format: they can be rejected, and the others are written', async ({ text, due, at, run }) => {
    for (const encoding of ['windows-1252', 'iso-8859-1'] as const) {
      for (const batchSize of [1, 2, 1024]) {
        const rejects: Issue[] = [];
        const onReject = (issue: Issue) => rejects.push(issue);
        const out = await textOf(run([latin1(text)], abc, { encoding, batchSize, onReject }));
        expect(out).toBe(due);
        expect(rejects.map(brief)).toEqual(at.map((place) => `not_in_encoding ${place}`));
        expect(rejects[0]!.message).toContain('windows-1252');
      }
    }
  });

  test.each(WAYS)('$format: the same in UTF-8', async ({ text: shown, at, due: written, run }) => {
    const [text, due] = [shown, written].map((one) => one.replaceAll('ok', '\u00f6\u00e4\u00fc')) as [string, string];
    const bytes = Buffer.concat([...text].map((one) => (one === '\x81' ? Buffer.of(0x81) : Buffer.from(one))));
    const rejects: Issue[] = [];
    const chunks = [...bytes].map((byte) => Uint8Array.of(byte));
    expect(await textOf(run(chunks, abc, { onReject: (issue) => rejects.push(issue) }))).toBe(due);
    expect(rejects.map(brief)).toEqual(at.map((place) => `not_utf8 ${place}`));
    expect(rejects[0]!.message).toMatch(/in a file that otherwise is; correct the byte/);
    const error = await errorOf(run(chunks, abc));
    expect(error.issues.map(brief)).toEqual([`not_utf8 ${at[0]!.slice(6)}`]);
  });

  test('a file that is not UTF-8 at all is told which encoding to try', async () => {
    const { message } = await errorOf(protectCsv([latin1('a,b,c\nZo\xeb,M\xfcller,3\n')], abc));
    expect(message).toContain('--encoding windows-1252');
    expect(message).not.toContain('ller');
  });

  test('the column is that of the character', async () => {
    const error = await errorOf(protectCsv([latin1('a,b,c\n\x80\xe9,\x81,3\n')], abc, { encoding: 'windows-1252' }));
    expect(error.issues[0]).toMatchObject({ line: 2, column: 4 });
  });

  test('a NUL byte ends the run beside them', async () => {
    const error = await errorOf(
      protectCsv([latin1('a,b,c\n1,\0,3\n1,\x81,3\n')], abc, { encoding: 'windows-1252', onReject: () => {} }),
    );
    expect(error.code).toBe('nul_byte');
  });
});

describe('the option', () => {
  test('takes the names of the list alone, and bytes alone', async () => {
    for (const encoding of ['latin1', 'UTF-8', '', null, 7]) {
      expect(() => protectCsv([], abc, { encoding: encoding as never })).toThrow(/one of utf-8, windows-1252/);
    }
    expect(ENCODINGS).toHaveLength(7);
    const run = collect(protectCsv(['a,b,c\n'], abc, { encoding: 'windows-1252' }));
    await expect(run).rejects.toThrow(/expected chunks of bytes in windows-1252, got text/);
    expect(await textOf(protectCsv(['a,b,c\n'], abc, { encoding: 'utf-8' }))).toBe('a,b,c\n');
  });

  test('holds for web streams, and a limit does not read on', async () => {
    const bytes = Buffer.from('a,b,c\n\xe9,2,3\n', 'latin1');
    const stream = new Blob([bytes]).stream().pipeThrough(protectCsvStream(abc, { encoding: 'iso-8859-1' }));
    expect(await textOf(stream)).toBe('a,b,c\né,2,3\n');
    const utf8 = Buffer.from('a,b,c\né,2,3\n4,5,6\n');
    expect(await textOf(protectCsv([utf8], abc, { encoding: 'windows-1252', limit: 1 }))).toBe('a,b,c\nÃ©,2,3\n');
  });

  test('the limit of a record counts bytes of UTF-8', async () => {
    const bytes = Buffer.from(`a,b,c\n1,2,${'\xe9'.repeat(48)}\n`, 'latin1');
    const encoding = 'windows-1252';
    expect(await textOf(protectCsv([bytes], abc, { encoding, maxRecord: 100 }))).toContain('éé');
    expect((await errorOf(protectCsv([bytes], abc, { encoding, maxRecord: 99 }))).code).toBe('record_too_large');
  });
});
