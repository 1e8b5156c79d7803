import { BlockList } from 'node:net';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatIp, parseIp, writeV4 } from '../../../src/core/ip.ts';
import { TrefoilError } from '../../../src/errors.ts';
import {
  type AddressCipher,
  cryptoPan,
  ipcryptDeterministic,
  ipcryptNd,
  ipcryptNdx,
  ipcryptPfx,
  SPECIAL_RANGES,
} from '../../../src/ip.ts';
import { cryptoPanCipher } from '../../../src/kernel/ip/cryptopan.ts';
import { ipcryptPfxCipher } from '../../../src/kernel/ip/ipcrypt-pfx.ts';
import { bytes } from '../../helpers/hex.ts';
import { pfxReference } from '../../reference/ip.ts';
import { random } from '../../reference/random.ts';
import { sharedIsThere, sharedJson } from '../../shared.ts';

interface PanVectors {
  readonly sets: readonly {
    readonly key: string;
    readonly ipv4: readonly (readonly [string, string])[];
    readonly ipv6: readonly (readonly [string, string])[];
  }[];
}

interface IpcryptVector {
  readonly variant: string;
  readonly key: string;
  readonly ip: string;
  /** Of deterministic and pfx. */
  readonly encrypted_ip?: string;
  /** Of nd and ndx. */
  readonly tweak?: string;
  readonly output?: string;
}

describe.skipIf(!sharedIsThere)('published vectors', () => {
  it('Crypto-PAn, one by one and as columns, both ways', () => {
    for (const { key, ipv4, ipv6 } of sharedJson<PanVectors>('vectors/ip/cryptopan.json').sets) {
      const pan = cryptoPan(bytes(key));
      const [plain, encrypted] = [0, 1].map((i) => [...ipv4, ...ipv6].map((pair) => pair[i]!)) as [string[], string[]];
      expect(plain.map(pan.encrypt)).toEqual(encrypted);
      expect(encrypted.map(pan.decrypt)).toEqual(plain);
      expect(pan.encryptMany(plain)).toEqual(encrypted);
      expect(pan.decryptMany(encrypted)).toEqual(plain);
    }
  });

  it('ipcrypt, every variant, both ways', () => {
    const seen = new Set<string>();
    for (const vector of sharedJson<IpcryptVector[]>('vectors/ip/ipcrypt.json')) {
      seen.add(vector.variant);
      const key = bytes(vector.key);
      const { ip, tweak, output, encrypted_ip: encrypted } = vector;
      if (tweak !== undefined && output !== undefined) {
        const cipher = vector.variant === 'ipcrypt-nd' ? ipcryptNd(key) : ipcryptNdx(key);
        expect(cipher.encrypt(ip, bytes(tweak))).toBe(output);
        expect(cipher.encryptToBytes(ip, bytes(tweak))).toEqual(bytes(output));
        expect(cipher.decrypt(output)).toBe(ip);
        expect(cipher.decryptFromBytes(bytes(output))).toBe(ip);
        expect(cipher.decryptMany([output, output.toUpperCase()])).toEqual([ip, ip]);
        continue;
      }
      const cipher = vector.variant === 'ipcrypt-pfx' ? ipcryptPfx(key) : ipcryptDeterministic(key);
      expect(cipher.encrypt(ip)).toBe(encrypted);
      expect(cipher.decrypt(encrypted!)).toBe(ip);
      expect(cipher.encryptMany([ip])).toEqual([encrypted]);
      expect(cipher.decryptMany([encrypted!])).toEqual([ip]);
    }
    expect(seen.size).toBe(4);
  });
});

const { bytes: keyBytes } = random('keys of trefoil/ip');
const key32 = keyBytes(32);
const key16 = keyBytes(16);

const plainCiphers: readonly (readonly [string, AddressCipher])[] = [
  ['cryptoPan', cryptoPan(key32)],
  ['ipcryptPfx', ipcryptPfx(key32)],
  ['ipcryptDeterministic', ipcryptDeterministic(key16)],
  ['cryptoPan, keepSpecial', cryptoPan(key32, { keepSpecial: true })],
  ['ipcryptPfx, keepSpecial', ipcryptPfx(key32, { keepSpecial: true })],
  ['ipcryptDeterministic, keepSpecial', ipcryptDeterministic(key16, { keepSpecial: true })],
];

const address = fc.oneof(
  fc.uint8Array({ minLength: 4, maxLength: 4 }).map(formatIp),
  fc.uint8Array({ minLength: 16, maxLength: 16 }).map(formatIp),
  // In a special range, or beside one.
  fc.constantFrom(...SPECIAL_RANGES, { range: '::ffff:0:0/96' }).chain(({ range }) => {
    const [text, length] = range.split('/') as [string, string];
    const base = parseIp(text)!;
    return fc.tuple(fc.uint8Array({ minLength: base.length, maxLength: base.length }), fc.boolean()).map(([low, out]) =>
      formatIp(
        base.map((byte, i) => {
          const bits = Math.min(8, Math.max(0, Number(length) - 8 * i));
          const last = out && Number(length) > 8 * i && Number(length) <= 8 * i + 8 ? 0x100 >> bits : 0;
          return (byte ^ (low[i]! & (0xff >> bits)) ^ last) & 255;
        }),
      ),
    );
  }),
);

/** Addresses that ipcrypt takes as the same one. */
const canonical = (text: string) => {
  const mapped = /^::ffff:([0-9a-f]+):([0-9a-f]+)$/.exec(text);
  if (mapped === null) return text;
  return writeV4(Number.parseInt(mapped[1]!, 16) * 65_536 + Number.parseInt(mapped[2]!, 16));
};

describe.each(plainCiphers)('%s', (name, cipher) => {
  const back = (text: string) => (name.startsWith('cryptoPan') ? text : canonical(text));

  it('goes back, one by one and as a column, and both are the same', () => {
    fc.assert(
      fc.property(fc.array(address, { maxLength: 30 }), (column) => {
        const encrypted = column.map(cipher.encrypt);
        expect(cipher.encryptMany(column)).toEqual(encrypted);
        expect(encrypted.map(cipher.decrypt)).toEqual(column.map(back));
        expect(cipher.decryptMany(encrypted)).toEqual(column.map(back));
        expect(column.map(cipher.decrypt).map(cipher.encrypt)).toEqual(column.map(back));
      }),
      { numRuns: 60 },
    );
  });

  it('does the same with bytes', () => {
    fc.assert(
      fc.property(address, (text) => {
        const bytes = parseIp(text)!;
        const given = Uint8Array.from(bytes);
        const out = cipher.encryptBytes(bytes);
        expect(canonical(formatIp(out))).toBe(canonical(cipher.encrypt(text)));
        expect(canonical(formatIp(cipher.decryptBytes(out)))).toBe(canonical(text));
        expect(bytes).toEqual(given);
        if (!name.startsWith('ipcryptDet')) expect(out.length).toBe(bytes.length);
        else expect(out.length).toBe(16);
      }),
      { numRuns: 200 },
    );
  });

  it('writes one text for an address, however it was written', () => {
    const forms = ['2001:db8::1', '2001:DB8:0:0::1', '2001:0db8:0000:0000:0000:0000:0000:0001', '2001:db8::0.0.0.1'];
    expect(new Set(forms.map(cipher.encrypt)).size).toBe(1);
    expect(new Set(cipher.encryptMany(forms)).size).toBe(1);
  });

  it('refuses what is not an address, and tells the row', () => {
    const texts = [
      '',
      ' ',
      '1.2.3',
      '1.2.3.4.5',
      '256.1.1.1',
      '01.2.3.4',
      '1.2.3.4/8',
      'fe80::1%eth0',
      '::1\n',
      '\ud800',
    ];
    for (const text of texts) {
      for (const verb of [cipher.encrypt, cipher.decrypt]) {
        expect(() => verb(text)).toThrow(expect.objectContaining({ code: 'not_an_ip' }));
      }
      for (const verb of [cipher.encryptMany, cipher.decryptMany]) {
        try {
          verb(['192.0.2.1', '::2', text]);
          expect.unreachable();
        } catch (error) {
          expect((error as TrefoilError).issues).toEqual([expect.objectContaining({ code: 'not_an_ip', row: 3 })]);
        }
      }
    }
    for (const value of [null, undefined, 1, 1n, {}, [], Symbol('s'), new Uint8Array(4), new String('::1')]) {
      expect(() => cipher.encrypt(value as string)).toThrow(expect.objectContaining({ code: 'wrong_type' }));
      expect(() => cipher.encryptMany([value] as string[])).toThrow(expect.objectContaining({ code: 'wrong_type' }));
    }
    // A hole is not an address either.
    expect(() => cipher.encryptMany(new Array<string>(1))).toThrow(TrefoilError);
    for (const value of [null, undefined, '::1', { length: 0 }, new Uint8Array(4)]) {
      expect(() => cipher.encryptMany(value as unknown as string[])).toThrow(TypeError);
    }
    for (const value of [null, undefined, '::1', [1, 2, 3, 4]]) {
      expect(() => cipher.encryptBytes(value as unknown as Uint8Array)).toThrow(TypeError);
    }
    for (const length of [0, 3, 5, 15, 17])
      expect(() => cipher.decryptBytes(new Uint8Array(length))).toThrow(RangeError);
  });
});

describe('families', () => {
  it('stay in Crypto-PAn and ipcrypt-pfx', () => {
    for (const cipher of [cryptoPan(key32), ipcryptPfx(key32)]) {
      fc.assert(
        fc.property(address.map(canonical), (text) => {
          expect(cipher.encrypt(text).includes(':')).toBe(text.includes(':'));
        }),
      );
    }
  });

  it('::ffff:a.b.c.d is a.b.c.d in ipcrypt, and a version 6 address in Crypto-PAn', () => {
    for (const cipher of [ipcryptPfx(key32), ipcryptDeterministic(key16)]) {
      expect(cipher.encrypt('::ffff:192.0.2.1')).toBe(cipher.encrypt('192.0.2.1'));
      expect(cipher.decrypt(cipher.encrypt('::ffff:c000:201'))).toBe('192.0.2.1');
    }
    const tweak = new Uint8Array(8);
    expect(ipcryptNd(key16).encrypt('::ffff:192.0.2.1', tweak)).toBe(ipcryptNd(key16).encrypt('192.0.2.1', tweak));
    const pan = cryptoPan(key32);
    expect(pan.decrypt(pan.encrypt('::ffff:192.0.2.1'))).toBe('::ffff:c000:201');
  });

  it('no version 6 address becomes version 4 in ipcrypt-pfx: the one that would is enciphered again', () => {
    const kernel = ipcryptPfxCipher(key32);
    const mapped = parseIp('::ffff:192.0.2.1')!;
    const before = kernel.decryptV6(mapped);
    const after = formatIp(kernel.encryptV6(mapped));
    for (const pfx of [ipcryptPfx(key32), ipcryptPfx(key32, { keepSpecial: true })]) {
      expect(pfx.encrypt(formatIp(before))).toBe(after);
      expect(pfx.decrypt(after)).toBe(formatIp(before));
      expect(pfx.encryptMany(['::2', formatIp(before)])[1]).toBe(after);
      expect(pfx.decryptMany([after])).toEqual([formatIp(before)]);
    }
    // The draft's own form agrees about everything but that.
    expect(formatIp(pfxReference('encrypt', key32, before))).toBe('::ffff:c000:201');
  });
});

describe('keepSpecial', () => {
  const list = new BlockList();
  for (const { range } of SPECIAL_RANGES) {
    const [base, length] = range.split('/') as [string, string];
    list.addSubnet(base, Number(length), base.includes(':') ? 'ipv6' : 'ipv4');
  }
  // Node takes ::ffff:a.b.c.d as version 4; it is not in the list.
  const isSpecial = (text: string) =>
    canonical(text) === text && list.check(text, text.includes(':') ? 'ipv6' : 'ipv4');
  const keeping = [
    ['cryptoPan', cryptoPan(key32, { keepSpecial: true }), cryptoPan(key32)],
    ['ipcryptPfx', ipcryptPfx(key32, { keepSpecial: true }), ipcryptPfx(key32)],
    ['ipcryptDeterministic', ipcryptDeterministic(key16, { keepSpecial: true }), ipcryptDeterministic(key16)],
  ] as const;

  it.each(keeping)('%s: special addresses stay, and no other becomes one', (name, cipher, plain) => {
    const counts = { kept: 0, same: 0, again: 0 };
    const { bytes } = random(`${name} special`);
    const texts = [
      ...fc.sample(address, { numRuns: 2000, seed: 1 }),
      ...Array.from({ length: 4000 }, () => formatIp(bytes(4))),
      ...Array.from({ length: 1000 }, () => formatIp(bytes(16))),
    ].map((text) => (name === 'cryptoPan' ? text : canonical(text)));
    const encrypted = cipher.encryptMany(texts);
    const simple = plain.encryptMany(texts);
    texts.forEach((text, i) => {
      if (isSpecial(text)) {
        expect(encrypted[i]).toBe(text);
        counts.kept++;
        return;
      }
      expect(isSpecial(encrypted[i]!)).toBe(false);
      if (isSpecial(simple[i]!)) counts.again++;
      else expect(encrypted[i]).toBe(simple[i]);
      counts.same++;
    });
    expect(new Set(encrypted).size).toBe(new Set(texts).size);
    expect(cipher.decryptMany(encrypted)).toEqual(texts);
    expect(counts.kept).toBeGreaterThan(1000);
    expect(counts.again).toBeGreaterThan(10);
  });

  it('addresses that were enciphered equally often keep their common prefix', () => {
    const { bytes, below } = random('equal steps');
    for (const [make, kernelOf] of [
      [cryptoPan, cryptoPanCipher],
      [ipcryptPfx, ipcryptPfxCipher],
    ] as const) {
      const key = bytes(32);
      const cipher = make(key, { keepSpecial: true });
      const kernel = kernelOf(key);
      const number = (text: string) => Buffer.from(parseIp(text)!).readUInt32BE();
      const steps = (text: string) => {
        let [count, at] = [1, kernel.encryptV4(number(text))];
        for (; isSpecial(writeV4(at)); count++) at = kernel.encryptV4(at);
        return count;
      };
      let again = 0;
      for (let i = 0; i < 3000; i++) {
        const first = formatIp(bytes(4));
        const second = writeV4((number(first) ^ (1 << below(32))) >>> 0);
        if (isSpecial(first) || isSpecial(second) || steps(first) !== steps(second)) continue;
        if (steps(first) > 1) again++;
        const [a, b] = [number(cipher.encrypt(first)), number(cipher.encrypt(second))];
        expect(Math.clz32(a ^ b)).toBe(Math.clz32(number(first) ^ number(second)));
      }
      expect(again).toBeGreaterThan(50);
    }
  });

  it('the list is frozen, and addresses that hold somebody else\u2019s are not on it', () => {
    expect(Object.isFrozen(SPECIAL_RANGES) && SPECIAL_RANGES.every(Object.isFrozen)).toBe(true);
    expect(SPECIAL_RANGES.map(({ range }) => range)).toMatchInlineSnapshot(`
      [
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.168.0.0/16",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/4",
        "240.0.0.0/4",
        "::/128",
        "::1/128",
        "100::/64",
        "100:0:0:1::/64",
        "2001:2::/48",
        "2001:db8::/32",
        "3fff::/20",
        "fc00::/7",
        "fe80::/10",
        "ff00::/8",
      ]
    `);
    for (const text of ['64:ff9b::c000:201', '2002:c000:201::1', '2001:0:c000:201::1', '192.88.99.1', '8.8.8.8']) {
      expect(isSpecial(text)).toBe(false);
    }
    const special = ['0.0.0.0', '127.0.0.1', '10.1.2.3', '172.31.255.255', '255.255.255.255', '::', '::1', 'fe80::1'];
    for (const text of special) expect(isSpecial(text)).toBe(true);
  });
});

describe.each([
  ['ipcrypt-nd', ipcryptNd(key16), 8],
  ['ipcrypt-ndx', ipcryptNdx(key32), 16],
] as const)('%s', (name, cipher, tweakBytes) => {
  const digits = 2 * (tweakBytes + 16);

  it('goes back, and draws a tweak for every output', () => {
    fc.assert(
      fc.property(fc.array(address, { maxLength: 20 }), (column) => {
        const outputs = cipher.encryptMany(column);
        expect(outputs.every((output) => new RegExp(`^[0-9a-f]{${digits}}$`).test(output))).toBe(true);
        expect(cipher.decryptMany(outputs)).toEqual(column.map(canonical));
        expect(outputs.map(cipher.decrypt)).toEqual(column.map(canonical));
        expect(column.map((text) => cipher.decrypt(cipher.encrypt(text)))).toEqual(column.map(canonical));
        expect(column.map((text) => cipher.decryptFromBytes(cipher.encryptToBytes(text)))).toEqual(
          column.map(canonical),
        );
      }),
      { numRuns: 50 },
    );
    // More than one call of the random generator.
    const long = new Array<string>(10_000).fill('192.0.2.1');
    const outputs = cipher.encryptMany(long);
    expect(new Set(outputs.map((output) => output.slice(0, 2 * tweakBytes))).size).toBe(10_000);
    expect(new Set(outputs).size).toBe(10_000);
    expect(cipher.decryptMany(outputs)).toEqual(long);
  });

  it('gives for a column what it gives for one under the same tweaks', () => {
    const outputs = cipher.encryptMany(['192.0.2.1', '::1', '2001:db8::1']);
    const again = ['192.0.2.1', '::1', '2001:db8::1'].map((text, i) =>
      cipher.encrypt(text, bytes(outputs[i]!.slice(0, 2 * tweakBytes))),
    );
    expect(again).toEqual(outputs);
  });

  it('neither keeps nor changes the bytes it is given', () => {
    const tweak = keyBytes(tweakBytes);
    const before = Uint8Array.from(tweak);
    const output = cipher.encryptToBytes('192.0.2.1', tweak);
    const copy = Uint8Array.from(output);
    expect(Uint8Array.from(tweak)).toEqual(before);
    tweak.fill(0);
    expect(output).toEqual(copy);
    cipher.decryptFromBytes(output);
    expect(output).toEqual(copy);
  });

  it('refuses what is not its output', () => {
    const output = cipher.encrypt('192.0.2.1');
    const texts = ['', output.slice(2), `${output}00`, ` ${output.slice(1)}`, `${output.slice(1)}g`, '192.0.2.1'];
    for (const text of [...texts, `${output.slice(1)}\u0430`]) {
      expect(() => cipher.decrypt(text)).toThrow(expect.objectContaining({ code: 'outside_format' }));
      try {
        cipher.decryptMany([output, text]);
        expect.unreachable();
      } catch (error) {
        const issue = (error as TrefoilError).issues[0]!;
        expect(issue).toMatchObject({ code: 'outside_format', row: 2 });
        expect(issue.message).toContain(name);
        expect(text === '' || !issue.message.includes(text)).toBe(true);
      }
    }
    for (const value of [null, undefined, 1, {}, new Uint8Array(24)]) {
      expect(() => cipher.decrypt(value as string)).toThrow(expect.objectContaining({ code: 'wrong_type' }));
      expect(() => cipher.decryptMany(value as unknown as string[])).toThrow(TypeError);
      expect(() => cipher.encryptMany(value as unknown as string[])).toThrow(TypeError);
    }
    expect(() => cipher.encrypt('nonsense')).toThrow(expect.objectContaining({ code: 'not_an_ip' }));
    expect(() => cipher.encrypt('::1', '00' as unknown as Uint8Array)).toThrow(TypeError);
    expect(() => cipher.encrypt('::1', new Uint8Array(tweakBytes + 1))).toThrow(RangeError);
    expect(() => cipher.decryptFromBytes(output as unknown as Uint8Array)).toThrow(TypeError);
    expect(() => cipher.decryptFromBytes(new Uint8Array(tweakBytes))).toThrow(RangeError);
  });
});

describe('keys and options', () => {
  const makers = [
    [cryptoPan, 32],
    [ipcryptPfx, 32],
    [ipcryptDeterministic, 16],
    [ipcryptNd, 16],
    [ipcryptNdx, 32],
  ] as const;

  it('refuses keys of another type or length', () => {
    for (const [make, length] of makers) {
      for (const key of [
        null,
        undefined,
        'x'.repeat(length),
        Array.from({ length }, () => 1),
        new ArrayBuffer(length),
      ]) {
        expect(() => make(key as unknown as Uint8Array)).toThrow(TypeError);
      }
      for (const other of [0, length - 1, length + 1, 24, 64]) {
        expect(() => make(keyBytes(other))).toThrow(`"key" expected ${length} bytes, got ${other}`);
      }
    }
  });

  it('refuses keys with equal halves where they would do harm', () => {
    const equal = Uint8Array.from([...key16, ...key16]);
    for (const make of [ipcryptPfx, ipcryptNdx]) expect(() => make(equal)).toThrow(/"key" expected two halves/);
    expect(() => cryptoPan(equal)).not.toThrow();
  });

  it('refuses options that are not there', () => {
    for (const make of [cryptoPan, ipcryptPfx] as const) {
      for (const options of [
        null,
        [],
        'keepSpecial',
        { keepspecial: true },
        { keepSpecial: 'yes' },
        { keepSpecial: 1 },
      ]) {
        expect(() => make(key32, options as object)).toThrow(TypeError);
      }
      expect(make(key32, { keepSpecial: false }).encrypt('10.0.0.1')).toBe(make(key32).encrypt('10.0.0.1'));
    }
  });

  it('does not follow a key that is changed afterwards', () => {
    for (const [make, length] of makers) {
      const key = keyBytes(length);
      const [held, copy] = [make(key), make(Uint8Array.from(key))];
      key.fill(0);
      expect(copy.decrypt(held.encrypt('192.0.2.77'))).toBe('192.0.2.77');
      expect(held.decryptMany(copy.encryptMany(['192.0.2.77', '::1']))).toEqual(['192.0.2.77', '::1']);
    }
  });
});
