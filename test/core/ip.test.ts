import { isIPv4, isIPv6 } from 'node:net';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatIp, networkOf, parseIp } from '../../src/core/ip.ts';

const same = (text: string) => {
  const bytes = parseIp(text);
  return bytes === null ? null : formatIp(bytes);
};

const v4 = fc.uint8Array({ minLength: 4, maxLength: 4 });
// Zero groups are what the text form is about.
const v6 = fc
  .array(fc.oneof(fc.constant(0), fc.constant(0), fc.nat(0xffff)), { minLength: 8, maxLength: 8 })
  .map((groups) => Uint8Array.from(groups.flatMap((group) => [group >> 8, group & 255])));

describe('version 4', () => {
  it.each(['0.0.0.0', '255.255.255.255', '192.0.2.1', '10.20.30.40', '1.2.3.100'])('%s is itself', (text) => {
    expect(same(text)).toBe(text);
  });

  it.each([
    '',
    '1',
    '1.2.3',
    '1.2.3.4.5',
    '256.1.1.1',
    '1.2.3.-4',
    '01.2.3.4',
    '1.2.3.04',
    '1.2.3.000',
    '1.2.3.4 ',
    ' 1.2.3.4',
    '1.2.3.4\n',
    '0x7f.0.0.1',
    '1.2.3.4/24',
    '1..3.4',
    '1.2.3.',
    '.1.2.3',
    '1.2.3.4e0',
    '١.2.3.4',
    '1,2,3,4',
    '999999999999.1.1.1',
  ])('%j is none', (text) => {
    expect(parseIp(text)).toBeNull();
  });
});

describe('version 6', () => {
  // RFC 5952, sections 1, 2 and 4, and RFC 4291, section 2.2.
  it.each([
    ['2001:db8:0:0:1:0:0:1', '2001:db8::1:0:0:1'],
    ['2001:0db8:0:0:1:0:0:1', '2001:db8::1:0:0:1'],
    ['2001:db8::1:0:0:1', '2001:db8::1:0:0:1'],
    ['2001:db8::0:1:0:0:1', '2001:db8::1:0:0:1'],
    ['2001:0db8::1:0:0:1', '2001:db8::1:0:0:1'],
    ['2001:DB8:0:0:1::1', '2001:db8::1:0:0:1'],
    ['2001:db8:aaaa:bbbb:cccc:dddd:eeee:0001', '2001:db8:aaaa:bbbb:cccc:dddd:eeee:1'],
    ['2001:db8:aaaa:bbbb:cccc:dddd::1', '2001:db8:aaaa:bbbb:cccc:dddd:0:1'],
    ['2001:db8:0:1:1:1:1:1', '2001:db8:0:1:1:1:1:1'],
    ['2001:db8::1:1:1:1:1', '2001:db8:0:1:1:1:1:1'],
    ['2001:0:0:1:0:0:0:1', '2001:0:0:1::1'],
    ['2001:db8:0:0:0:0:2:1', '2001:db8::2:1'],
    ['0:0:0:0:0:0:0:0', '::'],
    ['::', '::'],
    ['0:0:0:0:0:0:0:1', '::1'],
    ['::1', '::1'],
    ['1::', '1::'],
    ['1:0:0:0:0:0:0:0', '1::'],
    ['ABCD:EF01:2345:6789:ABCD:EF01:2345:6789', 'abcd:ef01:2345:6789:abcd:ef01:2345:6789'],
    ['::13.1.68.3', '::d01:4403'],
    ['::FFFF:129.144.52.38', '::ffff:8190:3426'],
    ['0:0:0:0:0:FFFF:129.144.52.38', '::ffff:8190:3426'],
    ['64:ff9b::192.0.2.33', '64:ff9b::c000:221'],
    ['1:2:3:4:5:6:7::', '1:2:3:4:5:6:7:0'],
    ['::2:3:4:5:6:7:8', '0:2:3:4:5:6:7:8'],
  ])('%s is %s', (text, canonical) => {
    expect(same(text)).toBe(canonical);
    expect(same(canonical)).toBe(canonical);
  });

  it.each([
    ':',
    ':::',
    '1:2:3:4:5:6:7',
    '1:2:3:4:5:6:7:8:9',
    '1::2::3',
    '1:2:3:4:5:6:7:8::',
    '::1:2:3:4:5:6:7:8',
    '1:2:3:4::5:6:7:8',
    '12345::',
    'g::1',
    ':1',
    '1:',
    '1::2:',
    ':1::2',
    '::1%eth0',
    '::1/64',
    '[::1]',
    ' ::1',
    '::1 ',
    '1.2.3.4::',
    '::1.2.3',
    '::1.2.3.256',
    '::01.2.3.4',
    '1:2:3:4:5:6:7:1.2.3.4',
    '1.2.3.4:1::',
    '::1.2.3.4:5',
    '::-1',
    '::+1',
    '::0x1',
    '::1\n',
  ])('%j is none', (text) => {
    expect(parseIp(text)).toBeNull();
  });
});

describe('any address', () => {
  it('has one text, which reads as the same bytes', () => {
    fc.assert(
      fc.property(fc.oneof(v4, v6), (bytes) => {
        expect(parseIp(formatIp(bytes))).toEqual(bytes);
      }),
      { numRuns: 3000 },
    );
  });

  it('is what the URL standard writes for version 6', () => {
    fc.assert(
      fc.property(v6, (bytes) => {
        expect(`[${formatIp(bytes)}]`).toBe(new URL(`http://[${formatIp(bytes)}]/`).hostname);
      }),
    );
  });

  it('is read where node:net reads it, and nowhere else', () => {
    const text = fc.oneof(
      fc.string({ unit: fc.constantFrom(...'0129af.:'), maxLength: 20 }),
      fc
        .array(fc.constantFrom('0', '1', 'ff', '0db8', '', '1.2.3.4', '01'), { maxLength: 9 })
        .map((groups) => groups.join(':')),
      fc
        .array(fc.constantFrom('0', '1', '255', '256', '01', ''), { minLength: 3, maxLength: 5 })
        .map((parts) => parts.join('.')),
    );
    fc.assert(
      fc.property(text, (input) => {
        expect(parseIp(input)?.length ?? null).toBe(isIPv4(input) ? 4 : isIPv6(input) ? 16 : null);
      }),
      { numRuns: 20_000 },
    );
  });
});

describe('networkOf', () => {
  it('keeps the first bits and clears the others, at every length', () => {
    fc.assert(
      fc.property(fc.oneof(v4, v6), (bytes) => {
        const bits = [...bytes].map((byte) => byte.toString(2).padStart(8, '0')).join('');
        for (let length = 0; length <= bits.length; length++) {
          const network = [...networkOf(bytes, length)].map((byte) => byte.toString(2).padStart(8, '0')).join('');
          expect(network).toBe(bits.slice(0, length).padEnd(bits.length, '0'));
        }
      }),
      { numRuns: 200 },
    );
  });

  it('does not write to its argument', () => {
    const bytes = Uint8Array.of(1, 2, 3, 4);
    networkOf(bytes, 0);
    expect([...bytes]).toEqual([1, 2, 3, 4]);
  });
});
