/**
 * Frozen: the sealed texts of docs/spec/rejects-v1.md, which were computed with another implementation of AES-SIV and
 * of HKDF. Every later version must open them. Sealing is random, so no output can be frozen.
 */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { keyset } from '../../src/index.ts';
import { makeRejectOpener, makeRejectSealer, type RejectsHead, readRejectsHead } from '../../src/io/rejects.ts';
import { openKeys } from '../../src/keys/domain-keys.ts';
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
const keys = openKeys(keyset.parse(KEYSET).domain('eu-enclave'));

const page = readFileSync(new URL('../../docs/spec/rejects-v1.md', import.meta.url), 'utf8');
const onPage = (name: string): string => new RegExp(`^\\| ${name} \\| \`(.+)\` \\|$`, 'm').exec(page)![1]!;

const RECORD =
  'EBESExQVFhcYGRobHB0eH3PE0eS51pAkcnrRL6unq1NDse8h6QQETSt8pXe9aWAbs97tZTOB9fSW8jTMVG5gKYVPVtQ0O38jz9kVd1hQuQU90W-ES_PBvqQTp5GdpLVt';
const HEAD =
  'AAECAwQFBgcICQoLDA0OD5MlZjaW-2g4BQzaHVCaIpHKZ_DjVaMVT4pt3r6eF6oflygEvSDeNeLesU1ZH4lSl8dkDKt4wXFrdfhoz7yIpUtZdpklkDi38ZtiJccrOTOG';
const head: RejectsHead = {
  domain: 'eu-enclave',
  keyId: 's0nr0',
  fileId: createHash('sha256').update('rejects-v1 test file').digest().subarray(0, 16),
  format: 'csv',
  delimiter: ',',
  newline: '\n',
  input: 0,
  header: HEAD,
};

/** The heads of other inputs than the first. */
const OTHERS = [
  [
    'head of input 2',
    { input: 2, delimiter: ';', newline: '\r\n' },
    'AAECAwQFBgcICQoLDA0OD6Ii0xq1MUIZSHzKs6u8enztk-s_HnB93DWcgwrFvTf5_mgcqdVUT0jXaLeERmctdt9YiDkOPls5EaM3VgBcxk9HezJfduvvjOFrnwY2iO7Q',
  ],
  [
    "head of input 1, quote `'`, escape `\\\\`",
    { input: 1, delimiter: ';', quote: "'", escape: '\\' },
    'AAECAwQFBgcICQoLDA0OD8FfqQ5Zg3NfpwzhdN7aY39X54Zbkmjeyeifu2uh0f_GlDc8dkIJqxsWj-90UAuQJ_GTqQ_Fwxw-PRQ_xgkawoPSz7s_QEQSiqVq9ysskLIt',
  ],
] as const;

/** The same head of files that are quoted in another way. */
const QUOTED = [
  [
    "head, quote `'`, escape `\\\\`",
    { quote: "'", escape: '\\' },
    'AAECAwQFBgcICQoLDA0OD4vT-FK34JCTYZ9YvTvxaYr0MUvaywv_FXswFVFDntGAQ1Oi0xJZCh4F_Jir7VjhtnyXvDNq5ZAJ64gAJ-oy2stkCwU87e5RIjlaczH0Wp4O',
  ],
  [
    'head, quote `none`',
    { quote: 'none' },
    'AAECAwQFBgcICQoLDA0OD0UB7KiM0HG88IMosARAyRA0i901-MYdPy2m0JK0jKMx4wR1oT2Bkw-9qL_vG4-54Fn-xH9HEAHPOVNuOO97pmJxshlmmYq5f6xHiKDSweGq',
  ],
] as const;

describe('rejects-v1', () => {
  test('the specification has the texts that are frozen here', () => {
    expect([onPage('head'), onPage('record')]).toEqual([HEAD, RECORD]);
    const node = keys.primary.derive('rejects', '', ['aes-256-siv', 'pad-v1']);
    expect(hex(node)).toBe(onPage('node'));
    expect(Buffer.from(head.fileId).toString('base64url')).toBe(onPage('file id'));
  });

  test('the frozen texts are opened', () => {
    const opener = makeRejectOpener(keys, head)!;
    expect(opener.header()).toEqual(['id', 'email']);
    expect(Buffer.from(opener.open(RECORD, { input: 0, line: 12 })!).toString()).toBe('7,"Zoë, at home"');
  });

  test.each(QUOTED)('%s: is opened, and not as the head of another file', (name, quoting, sealed) => {
    expect(onPage(name)).toBe(sealed);
    expect(makeRejectOpener(keys, { ...head, ...quoting, header: sealed })!.header()).toEqual(['id', 'email']);
    expect(makeRejectOpener(keys, { ...head, header: sealed })!.header()).toBeUndefined();
    expect(makeRejectOpener(keys, { ...head, ...quoting, header: HEAD })!.header()).toBeUndefined();
    const line = makeRejectSealer(keys, head.fileId).head({ ...head, ...quoting }, ['id']);
    const read = readRejectsHead(line)!;
    expect(read).toMatchObject(quoting);
    expect(makeRejectOpener(keys, read)!.header()).toEqual(['id']);
    expect(readRejectsHead(line.replace('"quote":', '"quote":7,"was":'))).toBeNull();
  });

  test.each(OTHERS)('%s: is opened, and not as the head of another input', (name, other, sealed) => {
    expect(onPage(name)).toBe(sealed);
    const at = { ...head, ...other, header: sealed };
    expect(makeRejectOpener(keys, at)!.header()).toEqual(['id', 'email']);
    expect(makeRejectOpener(keys, head)!.header(at)).toEqual(['id', 'email']);
    for (const input of [0, 3]) expect(makeRejectOpener(keys, head)!.header({ ...at, input })).toBeUndefined();
    const line = makeRejectSealer(keys, head.fileId).head(at, ['id'], other.input);
    expect(line).toContain(`"input":${other.input},`);
    expect(readRejectsHead(line)).toMatchObject(other);
    for (const wrong of ['0', '-1', '1.5', 'null', '"1"']) {
      expect(readRejectsHead(line.replace(/"input":\d/, `"input":${wrong}`))).toBeNull();
    }
  });

  test('a new text is opened, and its first line has the form of the specification', () => {
    const sealer = makeRejectSealer(keys, head.fileId);
    const line = sealer.head({ format: 'csv', delimiter: ';', newline: '\r\n' }, null);
    expect(Object.keys(JSON.parse(line))).toEqual([
      'trefoil',
      'domain',
      'keyId',
      'fileId',
      'format',
      'delimiter',
      'newline',
      'header',
    ]);
    const opener = makeRejectOpener(keys, readRejectsHead(line)!)!;
    expect(opener.header()).toBeNull();
    const place = { input: 3, line: 9 };
    expect(opener.open(sealer.seal([{ record: new Uint8Array([1, 0x80, 0]), place }])[0]!, place)).toEqual(
      new Uint8Array([1, 0x80, 0]),
    );
  });
});
