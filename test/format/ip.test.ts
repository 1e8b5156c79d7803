import { describe, expect, it } from 'vitest';
import { formatIp, parseIp } from '../../src/core/ip.ts';
import { formatCipher } from '../../src/format/cipher.ts';
import { ip, ipv4, ipv6 } from '../../src/format/ip.ts';
import { clear, oneOf } from '../../src/format.ts';
import { ipcryptPfx } from '../../src/ip.ts';
import { random } from '../reference/random.ts';
import { counted, engineOf, JUNK, kept, outlined, plainData, refusal } from './values.ts';

const V4 = ['0.0.0.0', '192.0.2.1', '10.0.0.255', '255.255.255.255', '127.0.0.1'];
const V6 = ['::', '::1', '1::', '2001:db8::1', '2001:db8:0:1:1:1:1:1', 'fe80::1:0:0:2', `${'ffff:'.repeat(7)}ffff`];

describe('ipv4', () => {
  it('takes every address, numbered as it is, and gives it back', () => {
    for (const format of [ipv4(), ipv4({ prefixPreserving: true })]) {
      for (const value of V4) {
        const number = value.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);
        expect(kept(format, value)).toMatchObject({ shape: '', clear: '', size: 2 ** 32, index: number });
      }
      outlined(format, counted(format));
      expect(format.size).toBe(2n ** 32n);
      expect(format.strength().bits).toBe(32);
    }
    expect(ipv4().strength().engine).toBe('ff1-cycle-walking');
    expect(ipv4({ prefixPreserving: true }).strength().engine).toBe('ipcrypt-pfx');
  });

  it('refuses every other text', () => {
    for (const value of [...JUNK, '1.2.3', '1.2.3.4.5', '256.0.0.1', '01.2.3.4', '1.2.3.4 ', '::1', '1.2.3.4/32']) {
      refusal(ipv4(), value);
      refusal(ipv4({ prefixPreserving: true }), value);
    }
  });
});

describe('ipv6', () => {
  it('takes every address, numbered as it is, and gives it back', () => {
    const { bytes } = random('ipv6');
    for (const value of [...V6, '::ffff:c000:201', ...Array.from({ length: 200 }, () => formatIp(bytes(16)))]) {
      expect(kept(ipv6(), value)).toMatchObject({ shape: '', clear: '', size: 2n ** 128n });
    }
    expect(ipv6().rank('2001:db8::1')).toBe(0x20010db8000000000000000000000001n);
    outlined(ipv6(), counted(ipv6()));
    expect(ipv6().size).toBe(2n ** 128n);
    expect(ipv6().strength()).toMatchObject({ bits: 128, engine: 'ff1-cycle-walking' });
  });

  it('leaves the IPv4-mapped ones out with prefixPreserving, and counts on without a gap', () => {
    const format = ipv6({ prefixPreserving: true });
    for (const value of V6) kept(format, value);
    outlined(format, counted(format));
    expect(format.size).toBe(2n ** 128n - 2n ** 32n);
    expect(format.strength().engine).toBe('ipcrypt-pfx');
    expect(format.unrank(0xfffeffffffffn)).toBe('::fffe:ffff:ffff');
    expect(format.unrank(0xffff00000000n)).toBe('::1:0:0:0');
    expect(format.rank('::1:0:0:0')).toBe(0xffff00000000n);
    for (const value of ['::ffff:0:0', '::ffff:c000:201', '::ffff:ffff:ffff']) refusal(format, value);
  });

  it('refuses every other text, and writings that could not be given back', () => {
    const writings = [
      '2001:DB8::1',
      '2001:0db8::1',
      '2001:db8:0:0:0:0:0:1',
      '2001:db8:0:0::1',
      '::ffff:192.0.2.1',
      '::192.0.2.1',
      '2001:db8::1:1:1:1:1',
      '1:0:0:0:2::',
    ];
    const others = ['1.2.3.4', 'fe80::1%eth0', '::1/128', '[::1]', '::1 ', ':', ':::', '1:2:3:4:5:6:7', '1::2::3'];
    for (const value of [...JUNK, ...writings, ...others]) {
      refusal(ipv6(), value);
      refusal(ipv6({ prefixPreserving: true }), value);
    }
  });
});

describe('ip', () => {
  const MAPPED = ['::ffff:192.0.2.1', '::ffff:0.0.0.0', '::ffff:255.255.255.255', '::ffff:c000:201', '::ffff:0:1'];

  it('takes both families, each numbered by itself, and gives every writing back', () => {
    for (const format of [ip(), ip({ prefixPreserving: true })]) {
      for (const value of V4) {
        expect(kept(format, value)).toMatchObject({
          shape: '4',
          clear: '',
          size: 2 ** 32,
          index: Number(ipv4().rank(value)),
        });
      }
      for (const value of V6) {
        const index = ipv6({ prefixPreserving: true }).rank(value);
        expect(kept(format, value)).toMatchObject({ shape: '6', clear: '', size: 2n ** 128n - 2n ** 32n, index });
      }
      outlined(format, [...counted(format), ...counted(format, '::1'), ...counted(format, '::ffff:1.2.3.4')]);
      expect(format.size).toBe(2n ** 32n);
    }
    expect(ip().strength()).toMatchObject({ size: 2n ** 32n, bits: 32, engine: 'ff1-cycle-walking' });
    expect(ip({ prefixPreserving: true }).strength().engine).toBe('ipcrypt-pfx');
  });

  it('an IPv4-mapped address is one of version 4, in the writing in which it came', () => {
    for (const value of MAPPED) {
      const parts = kept(ip(), value);
      expect(parts).toMatchObject({ shape: '4', size: 2 ** 32 });
      const dotted = formatIp(parseIp(value)!.subarray(12));
      expect(ip().rank(value)).toBe(ipv4().rank(dotted));
    }
    expect(ip().unrank(0xc0000201, '::ffff:1.2.3.4')).toBe('::ffff:192.0.2.1');
    expect(ip().unrank(0xc0000201, '::ffff:102:304')).toBe('::ffff:c000:201');
    expect(ip().unrank(0xc0000201)).toBe('192.0.2.1');
  });

  it('what holds one of version 4 otherwise is of version 6', () => {
    for (const value of [
      '2002:c000:201::1',
      '64:ff9b::c000:201',
      '::c000:201',
      '::ffff:0:c000:201',
      '::fffe:c000:201',
    ]) {
      expect(kept(ip(), value).shape).toBe('6');
    }
  });

  it('refuses every other text, and writings that could not be given back', () => {
    const writings = [
      '::FFFF:192.0.2.1',
      '::ffff:192.0.2.01',
      '0:0:0:0:0:ffff:192.0.2.1',
      '::0:ffff:192.0.2.1',
      '::ffff:0c00:201',
      '::192.0.2.1',
      '64:ff9b::192.0.2.1',
      '2001:DB8::1',
      '2001:db8:0:0::1',
      '01.2.3.4',
    ];
    const others = ['fe80::1%eth0', '::ffff:192.0.2.1%eth0', '192.0.2.1/24', '::1/128', '[::1]', '1.2.3.4:80', '1.2.3'];
    for (const value of [...JUNK, ...writings, ...others]) {
      refusal(ip(), value);
      refusal(ip({ prefixPreserving: true }), value);
    }
  });

  it('says where dotted decimal belongs', () => {
    expect(refusal(ipv6(), '::ffff:192.0.2.1').message).toContain('use the format ip for IPv4-mapped addresses');
    expect(refusal(ipv6({ prefixPreserving: true }), '::ffff:c000:201').message).toContain('use the format ip');
    expect(() => oneOf(ipv4({ prefixPreserving: true }), ipv6({ prefixPreserving: true }))).toThrow('the format ip');
  });
});

describe('under keys', () => {
  const { bytes, below } = random('ip format keys');
  const key = bytes(32);
  const run = (format: Parameters<typeof engineOf>[0], direction: 'protect' | 'reveal', column: readonly string[]) => {
    const cipher = formatCipher(engineOf(format), direction, () => key);
    return cipher.runMany(column.map(cipher.read));
  };

  /** An address of either family, or IPv4-mapped in either writing. */
  const mixed = (): string => {
    const v4 = formatIp(bytes(4));
    const mapped = `::ffff:${v4}`;
    return [formatIp(bytes(16)), v4, mapped, formatIp(parseIp(mapped)!)][below(4)]!;
  };

  it.each([
    ['ipv4', ipv4(), () => formatIp(bytes(4)), V4],
    ['ipv6', ipv6(), () => formatIp(bytes(16)), V6],
    ['ipv4, prefix-preserving', ipv4({ prefixPreserving: true }), () => formatIp(bytes(4)), V4],
    ['ipv6, prefix-preserving', ipv6({ prefixPreserving: true }), () => formatIp(bytes(16)), V6],
    ['ip', ip(), () => mixed(), [...V4, ...V6, '::ffff:192.0.2.1', '::ffff:c000:201']],
    ['ip, prefix-preserving', ip({ prefixPreserving: true }), () => mixed(), [...V4, ...V6, '::ffff:192.0.2.1']],
  ])('%s: comes back, in its format', (_, format, draw, fixed) => {
    const column = [...fixed, ...Array.from({ length: 300 }, draw)];
    const out = run(format, 'protect', column);
    expect(out.every((value) => format.test(value))).toBe(true);
    expect(out).not.toEqual(column);
    // The family and the writing stay.
    const form = (text: string) => [
      text.includes('.'),
      text.includes(':'),
      /^::ffff:[0-9a-f.]+(?::[0-9a-f]+)?$/.test(text),
    ];
    expect(out.map(form)).toEqual(column.map(form));
    expect(new Set(out).size).toBe(new Set(column).size);
    expect(run(format, 'reveal', out)).toEqual(column);
  });

  it('prefix-preserving is ipcrypt-pfx under the key of the node', () => {
    const pfx = ipcryptPfx(key);
    const v4 = Array.from({ length: 50 }, () => formatIp(bytes(4)));
    expect(run(ipv4({ prefixPreserving: true }), 'protect', v4)).toEqual(v4.map(pfx.encrypt));
    const v6 = Array.from({ length: 50 }, () => formatIp(bytes(16)));
    expect(run(ipv6({ prefixPreserving: true }), 'protect', v6)).toEqual(v6.map(pfx.encrypt));
  });

  it('ip enciphers a mapped address as the address of version 4 that it is', () => {
    for (const format of [ip(), ip({ prefixPreserving: true })]) {
      const v4 = Array.from({ length: 50 }, () => formatIp(bytes(4)));
      const out = run(format, 'protect', v4);
      expect(
        run(
          format,
          'protect',
          v4.map((text) => `::ffff:${text}`),
        ),
      ).toEqual(out.map((text) => `::ffff:${text}`));
      const hexadecimal = (text: string) => formatIp(parseIp(`::ffff:${text}`)!);
      expect(run(format, 'protect', v4.map(hexadecimal))).toEqual(out.map(hexadecimal));
    }
    const pfx = ipcryptPfx(key);
    const both = Array.from({ length: 50 }, () => formatIp(bytes(below(2) === 0 ? 4 : 16)));
    expect(run(ip({ prefixPreserving: true }), 'protect', both)).toEqual(both.map(pfx.encrypt));
  });

  it('goes with the other family in one field, but not prefix-preserving', () => {
    const both = oneOf(ipv4(), ipv6(), clear('-'));
    const column = Array.from({ length: 100 }, () => formatIp(bytes(below(2) === 0 ? 4 : 16)));
    const out = run(both, 'protect', [...column, '-']);
    expect(out.map((value) => value.includes(':'))).toEqual([...column, '-'].map((value) => value.includes(':')));
    expect(run(both, 'reveal', out)).toEqual([...column, '-']);
    expect(() => oneOf(ipv4({ prefixPreserving: true }), ipv6())).toThrow(RangeError);
  });
});

describe('as data', () => {
  it('is what was asked for, and nothing that is changed later', () => {
    plainData(ipv4(), { type: 'ipv4' });
    plainData(ipv6({ prefixPreserving: true }), { type: 'ipv6', prefixPreserving: true });
    plainData(ipv4({ prefixPreserving: false }), { type: 'ipv4', prefixPreserving: false });
    plainData(ip({ prefixPreserving: true }), { type: 'ip', prefixPreserving: true });
    expect(engineOf(ip()).descriptor).toEqual(['ip@1']);
    expect(engineOf(ip({ prefixPreserving: true })).descriptor).toEqual(['ip@1', 'prefixPreserving']);
    expect(engineOf(ipv4()).descriptor).toEqual(['ipv4@1']);
    expect(engineOf(ipv6({ prefixPreserving: true })).descriptor).toEqual(['ipv6@1', 'prefixPreserving']);
    const options = { prefixPreserving: true };
    const format = ipv6(options);
    options.prefixPreserving = false;
    refusal(format, '::ffff:c000:201');
  });

  it('refuses options that are not there', () => {
    for (const make of [ip, ipv4, ipv6]) {
      for (const options of [null, [], 'x', { prefix: true }, { prefixPreserving: 1 }, { prefixPreserving: 'yes' }]) {
        expect(() => make(options as object)).toThrow(TypeError);
      }
    }
  });
});
