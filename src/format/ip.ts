/**
 * IP addresses of one version or of both. An address becomes any other address of its version, or it is enciphered so
 * that prefixes are preserved, with ipcrypt-pfx (draft-denis-ipcrypt-13, section 6.2).
 */

import { badType, checkOptions, typeName } from '../core/checks.ts';
import { given } from '../core/given.ts';
import { formatIp, parseIp, readV4, withoutMapping, writeV4 } from '../core/ip.ts';
import { fail } from '../errors.ts';
import { sameFamily } from '../kernel/ip/address-text.ts';
import { ipcryptPfxCipher } from '../kernel/ip/ipcrypt-pfx.ts';
import type { Known } from './composed/outline.ts';
import { type Format, type Index, type IndexEngine, type IndexParts, makeFormat, type OwnCipher } from './engine.ts';

/** The format that {@link ip}, {@link ipv4} and {@link ipv6} make. */
export interface IpFormat extends Format {
  readonly type: 'ip' | 'ipv4' | 'ipv6';
  readonly prefixPreserving?: boolean;
}

/** Options of {@link ip}, {@link ipv4} and {@link ipv6}. */
export interface IpFormatOptions {
  /**
   * Preserve common prefixes: if two addresses share exactly their first n bits, so do their outputs. Networks can
   * still be counted and grouped, and anyone who knows some of the addresses learns the prefixes of others.
   */
  readonly prefixPreserving?: boolean;
}

/**
 * Addresses of version 4, in dotted decimal. An address becomes one of all 2^32 addresses.
 *
 * The output can be any address, reserved and private ones included. With `prefixPreserving` the cipher is ipcrypt-pfx.
 * For a column that may have addresses of both versions take {@link ip}.
 *
 * *Warning*: prefix-preserving output shows which addresses are in one network, for every length of prefix. Anyone who
 * knows some addresses, or can have some enciphered, can read the first bits of all addresses that share a prefix with
 * these.
 *
 * @throws TypeError for an unknown option or one of a wrong type.
 *
 * @example
 * ```ts
 * import { ipv4 } from 'trefoil/format';
 *
 * ipv4().test('192.0.2.1'); // → true
 * ipv4().test('192.0.2.01'); // → false
 * ipv4().size; // → 4294967296n
 * ```
 */
export function ipv4(options: IpFormatOptions = {}): IpFormat {
  return oneFamily('ipv4', options, () => V4);
}

/**
 * Addresses of version 6, written as RFC 5952 says. An address becomes one of all 2^128 addresses.
 *
 * Addresses that are written differently are refused, because revealing could not restore how they were written. With
 * `prefixPreserving` IPv4-mapped addresses (`::ffff:0:0/96`) are refused, too, because they are addresses of version 4.
 * For the addresses that a server sees which listens on both versions, take {@link ip}: there an IPv4-mapped address is
 * handled as one of version 4.
 *
 * *Warning*: prefix-preserving output shows which addresses are in one network, as with {@link ipv4}.
 *
 * @throws TypeError for an unknown option or one of a wrong type.
 *
 * @example
 * ```ts
 * import { ipv6 } from 'trefoil/format';
 *
 * ipv6().test('2001:db8::1'); // → true
 * ipv6().test('2001:DB8::1'); // → false
 * ipv6().strength().bits; // → 128
 * ```
 */
export function ipv6(options: IpFormatOptions = {}): IpFormat {
  return oneFamily('ipv6', options, v6);
}

/**
 * Addresses of both versions; each keeps its version. Version 4 is written in dotted decimal, version 6 as RFC 5952
 * says. An IPv4-mapped address (`::ffff:192.0.2.1`, also `::ffff:c000:201`) is one of version 4: it is enciphered as
 * `192.0.2.1` is and written as a mapped address again, so that revealing returns the original text. An address becomes
 * one of 2^32 or of 2^128 - 2^32 addresses, or one that preserves prefixes.
 *
 * If one address is written in two ways, its two ciphertexts are written in two ways as well, so they join only after
 * one of them has been rewritten. For tokens the prepare step `ipAddress` does that. Addresses that contain one of
 * version 4 in another form (6to4, NAT64, Teredo, `::192.0.2.1`) are of version 6. Zones (`%eth0`) and prefix lengths
 * are refused.
 *
 * *Warning*: prefix-preserving output shows which addresses are in one network, as with {@link ipv4}. If
 * addresses of version 6 contain one of version 4, it also shows which of the contained addresses are in one network.
 *
 * @throws TypeError for an unknown option or one of a wrong type.
 *
 * @example
 * ```ts
 * import { ip } from 'trefoil/format';
 *
 * ip().rank('::ffff:192.0.2.1') === ip().rank('192.0.2.1'); // → true
 * ip().unrank(3_221_225_985, '::ffff:0.0.0.0'); // → '::ffff:192.0.2.1'
 * ip().test('2001:db8::1'); // → true
 * ip().test('fe80::1%eth0'); // → false
 * ```
 */
export function ip(options: IpFormatOptions = {}): IpFormat {
  const prefixPreserving = readOptions(options);
  return makeIp('ip', prefixPreserving, {
    kind: 'index',
    descriptor: ['ip@1'],
    smallest: { size: BigInt(V4.size), because: V4.because },
    hasClear: false,
    visible: 'the version of the address, and whether one of version 4 was written as IPv4-mapped',
    outline: { min: 2, max: 39, at: () => '0123456789abcdef:.' },
    sample: { shape: '4', clear: '', layout: DOTTED, size: V4.size, index: 0 },
    split: splitBoth,
    assemble: ({ shape, layout }, index) =>
      shape === '6' ? V6.unrank(index) : writeAs(V4.unrank(index), layout as Writing),
  });
}

/**
 * How an address of version 4 is written: in dotted decimal, or IPv4-mapped, with dotted decimal (RFC 5952, section 5)
 * or in hexadecimal groups.
 */
type Writing = 'dotted' | 'mapped' | 'mapped hexadecimal';

const DOTTED: Writing = 'dotted';
const MAPPED_PREFIX = '::ffff:';

function writingOf(text: string): Writing {
  if (!text.includes(':')) return 'dotted';
  return text.includes('.') ? 'mapped' : 'mapped hexadecimal';
}

function writeAs(dotted: string, writing: Writing): string {
  if (writing === 'dotted') return dotted;
  const mapped = MAPPED_PREFIX + dotted;
  return writing === 'mapped' ? mapped : formatIp(parseIp(mapped)!);
}

function splitBoth(text: string): IndexParts {
  if (!text.includes(':')) return { shape: '4', clear: '', layout: DOTTED, size: V4.size, index: V4.rank(text) };
  const bytes = parseIp(text);
  const v4 = bytes === null ? null : withoutMapping(bytes);
  if (v4 === null || v4.length === 16) {
    return { shape: '6', clear: '', layout: null, size: V6.size, index: V6.rank(text) };
  }
  const dotted = formatIp(v4);
  const layout = writingOf(text);
  if (writeAs(dotted, layout) !== text) {
    fail(
      'outside_format',
      'the IPv4-mapped address is not written as RFC 5952 says: "::ffff:" and the address of version 4, in lower case',
    );
  }
  return { shape: '4', clear: '', layout, size: V4.size, index: V4.rank(dotted) };
}

const DIGITS = '0123456789';

/** ::ffff:0:0/96 (RFC 4291, section 2.5.5.2): the first of these addresses, and how many there are. */
const MAPPED = 0xffff_0000_0000n;
const MAPPED_COUNT: bigint = 2n ** 32n;

/** The addresses of a version and their numbers. */
interface Family {
  readonly size: Index;
  readonly because: string;
  readonly outline: Known;
  readonly rank: (text: string) => Index;
  readonly unrank: (index: Index) => string;
}

const V4: Family = {
  size: 2 ** 32,
  because: 'all addresses of version 4: 2^32',
  outline: { min: 7, max: 15, at: (position) => (position === 0 ? DIGITS : `${DIGITS}.`), has: '.' },
  rank(text) {
    const index = readV4(text);
    if (index < 0) {
      fail(
        'outside_format',
        'the value is not an address of version 4: write four numbers up to 255, without leading zeros',
      );
    }
    return index;
  },
  unrank: (index) => writeV4(Number(index)),
};

/** Version 6, with or without the IPv4-mapped addresses. */
const v6 = (withoutMapped: boolean): Family => ({
  size: withoutMapped ? 2n ** 128n - MAPPED_COUNT : 2n ** 128n,
  because: `all addresses of version 6${withoutMapped ? ' without the IPv4-mapped ones: 2^128 - 2^32' : ': 2^128'}`,
  outline: { min: 2, max: 39, at: () => '0123456789abcdef:', has: ':' },
  rank(text) {
    const bytes = text.includes(':') ? parseIp(text) : null;
    if (bytes === null)
      fail('outside_format', 'the value is not an address of version 6; write it without a zone and a prefix length');
    if (formatIp(bytes) !== text) {
      fail(
        'outside_format',
        text.includes('.')
          ? 'the address has dotted decimal in it: write groups of hexadecimal digits, or use the format ip for IPv4-mapped addresses'
          : 'the address is not written as RFC 5952 says: lower case, "::" for the longest run of zeros',
      );
    }
    const view = new DataView(bytes.buffer);
    const number = (view.getBigUint64(0) << 64n) | view.getBigUint64(8);
    if (!withoutMapped || number < MAPPED) return number;
    if (number < MAPPED + MAPPED_COUNT) {
      fail(
        'outside_format',
        'the address is IPv4-mapped, so it is one of version 4: use the format ip, or write it as version 4',
      );
    }
    return number - MAPPED_COUNT;
  },
  unrank(index) {
    const rank = BigInt(index);
    const number = withoutMapped && rank >= MAPPED ? rank + MAPPED_COUNT : rank;
    const view = new DataView(new ArrayBuffer(16));
    view.setBigUint64(0, number >> 64n);
    view.setBigUint64(8, BigInt.asUintN(64, number));
    return formatIp(new Uint8Array(view.buffer));
  },
});

/** Version 6 in the format for both versions. */
const V6: Family = /* @__PURE__ */ v6(true);

function readOptions(options: unknown): boolean | undefined {
  const { prefixPreserving } = checkOptions('options', options, ['prefixPreserving']);
  if (prefixPreserving !== undefined && typeof prefixPreserving !== 'boolean') {
    badType('prefixPreserving', `expected true or false, got ${typeName(prefixPreserving)}`);
  }
  return prefixPreserving;
}

function oneFamily(
  type: 'ipv4' | 'ipv6',
  options: IpFormatOptions,
  familyOf: (withoutMapped: boolean) => Family,
): IpFormat {
  const prefixPreserving = readOptions(options);
  const { size, because, outline, rank, unrank } = familyOf(prefixPreserving === true);
  const nothing = { shape: '', clear: '', layout: null, size } as const;
  return makeIp(type, prefixPreserving, {
    kind: 'index',
    descriptor: [`${type}@1`],
    smallest: { size: BigInt(size), because },
    hasClear: false,
    visible: 'only the version',
    outline,
    sample: { ...nothing, index: typeof size === 'number' ? 0 : 0n },
    split: (text) => ({ ...nothing, index: rank(text) }),
    assemble: (_, index) => unrank(index),
  });
}

function makeIp(type: IpFormat['type'], prefixPreserving: boolean | undefined, engine: IndexEngine): IpFormat {
  const visible = 'which addresses share a prefix, and how long it is';
  return makeFormat(
    { type, ...given({ prefixPreserving }) },
    prefixPreserving === true
      ? {
          ...engine,
          descriptor: [...engine.descriptor, 'prefixPreserving'],
          visible: type === 'ip' ? `${visible}; ${engine.visible}` : visible,
          own: type === 'ip' ? PFX_AS_WRITTEN : PFX,
        }
      : engine,
  ) as IpFormat;
}

/**
 * ipcrypt-pfx under the 32 derived bytes. It must not have two equal halves; the probability of that is 2^-128.
 */
const PFX: OwnCipher = {
  name: 'ipcrypt-pfx',
  bind: (key) => sameFamily(ipcryptPfxCipher(key), true, false),
};

/** The same for both versions. The kernel writes an IPv4-mapped address as version 4; here it is written as it was. */
const PFX_AS_WRITTEN: OwnCipher = {
  name: 'ipcrypt-pfx',
  bind(key) {
    const { encryptMany, decryptMany } = PFX.bind(key);
    const asWritten = (run: typeof encryptMany) => (texts: readonly string[]) =>
      run(texts).map((text, i) => (text.includes(':') ? text : writeAs(text, writingOf(texts[i]!))));
    return { encryptMany: asWritten(encryptMany), decryptMany: asWritten(decryptMany) };
  },
};
