/**
 * IP addresses: all of a family, or prefix-preserving with ipcrypt-pfx (draft-denis-ipcrypt-13, section 6.2).
 */

import { badType, checkOptions, typeName } from '../core/checks.ts';
import { formatIp, parseIp, readV4, writeV4 } from '../core/ip.ts';
import { fail } from '../errors.ts';
import { sameFamily } from '../kernel/address-text.ts';
import { ipcryptPfxCipher } from '../kernel/ipcrypt-pfx.ts';
import { type Format, type Index, type IndexEngine, makeFormat, type OwnCipher } from './engine.ts';
import type { Known } from './outline.ts';

/** The format that {@link ipv4} and {@link ipv6} make. */
export interface IpFormat extends Format {
  readonly type: 'ipv4' | 'ipv6';
  readonly prefixPreserving?: boolean;
}

/** Options of {@link ipv4} and {@link ipv6}. */
export interface IpFormatOptions {
  /**
   * Keep common prefixes: two addresses that share their first n bits, and no more, have outputs that share their
   * first n bits, and no more. Networks can still be counted and grouped; who knows some addresses learns the prefixes
   * of others.
   */
  readonly prefixPreserving?: boolean;
}

/**
 * Addresses of version 4, in dotted decimal: one of all 2^32, or prefix-preserving.
 *
 * What comes out is any address, reserved and private ones too. With `prefixPreserving` the cipher is ipcrypt-pfx.
 *
 * *Warning*: prefix-preserving output shows which addresses lie in one network, at every length of prefix; whoever
 * knows or can have enciphered some addresses reads the beginnings of all that share prefixes with them.
 *
 * @throws TypeError for an unknown option.
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
  return ipFormat('ipv4', options, () => ({
    size: 2 ** 32,
    because: 'all addresses of version 4: 2^32',
    outline: { min: 7, max: 15, at: (position) => (position === 0 ? DIGITS : `${DIGITS}.`), has: '.' },
    rank(text) {
      const index = readV4(text);
      if (index < 0) {
        fail('outside_format', 'expected an address of version 4: four numbers up to 255, no leading zeros');
      }
      return index;
    },
    unrank: (index) => writeV4(Number(index)),
  }));
}

/**
 * Addresses of version 6, in the one writing of RFC 5952: one of all 2^128, or prefix-preserving.
 *
 * Other writings are refused, since they could not be given back; so are IPv4-mapped ones (`::ffff:0:0/96`) with
 * `prefixPreserving`, which are addresses of version 4.
 *
 * *Warning*: prefix-preserving output shows which addresses lie in one network, as with {@link ipv4}.
 *
 * @throws TypeError for an unknown option.
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
  return ipFormat('ipv6', options, (prefixPreserving) => ({
    size: prefixPreserving ? 2n ** 128n - MAPPED_COUNT : 2n ** 128n,
    because: `all addresses of version 6${prefixPreserving ? ' but the IPv4-mapped ones: 2^128 - 2^32' : ': 2^128'}`,
    outline: { min: 2, max: 39, at: () => '0123456789abcdef:', has: ':' },
    rank(text) {
      const bytes = text.includes(':') ? parseIp(text) : null;
      if (bytes === null) fail('outside_format', 'expected an address of version 6, without a zone or a prefix');
      if (formatIp(bytes) !== text) {
        fail('outside_format', 'expected the writing of RFC 5952: lower case, "::" for the longest run of zeros');
      }
      const view = new DataView(bytes.buffer);
      const number = (view.getBigUint64(0) << 64n) | view.getBigUint64(8);
      if (!prefixPreserving || number < MAPPED) return number;
      if (number < MAPPED + MAPPED_COUNT) {
        fail('outside_format', 'an IPv4-mapped address is one of version 4; write it as such and take ipv4');
      }
      return number - MAPPED_COUNT;
    },
    unrank(index) {
      const rank = BigInt(index);
      const number = prefixPreserving && rank >= MAPPED ? rank + MAPPED_COUNT : rank;
      const view = new DataView(new ArrayBuffer(16));
      view.setBigUint64(0, number >> 64n);
      view.setBigUint64(8, BigInt.asUintN(64, number));
      return formatIp(new Uint8Array(view.buffer));
    },
  }));
}

const DIGITS = '0123456789';

/** ::ffff:0:0/96 (RFC 4291, section 2.5.5.2): the first of the addresses, and how many there are. */
const MAPPED = 0xffff_0000_0000n;
const MAPPED_COUNT: bigint = 2n ** 32n;

/** The addresses of a family and their numbers. */
interface Family {
  readonly size: Index;
  readonly because: string;
  readonly outline: Known;
  readonly rank: (text: string) => Index;
  readonly unrank: (index: Index) => string;
}

function ipFormat(
  type: 'ipv4' | 'ipv6',
  options: IpFormatOptions,
  familyOf: (prefixPreserving: boolean) => Family,
): IpFormat {
  const { prefixPreserving } = checkOptions('options', options, ['prefixPreserving']) as IpFormatOptions;
  if (prefixPreserving !== undefined && typeof prefixPreserving !== 'boolean') {
    badType('prefixPreserving', `expected true or false, got ${typeName(prefixPreserving)}`);
  }
  const { size, because, outline, rank, unrank } = familyOf(prefixPreserving === true);
  const nothing = { shape: '', clear: '', layout: null, size } as const;
  const engine: IndexEngine = {
    kind: 'index',
    descriptor: [`${type}@1`],
    smallest: { size: BigInt(size), because },
    hasClear: false,
    visible: 'nothing but the version',
    outline,
    sample: { ...nothing, index: typeof size === 'number' ? 0 : 0n },
    split: (text) => ({ ...nothing, index: rank(text) }),
    join: (_, index) => unrank(index),
  };
  return makeFormat(
    { type, ...(prefixPreserving === undefined ? {} : { prefixPreserving }) },
    prefixPreserving === true
      ? {
          ...engine,
          descriptor: [...engine.descriptor, 'prefixPreserving'],
          visible: 'which addresses share how long a prefix, as it was',
          own: PFX,
        }
      : engine,
  ) as IpFormat;
}

/**
 * ipcrypt-pfx under the 32 bytes of the node: two equal halves, which it must not have, have a probability of 2^-128.
 */
const PFX: OwnCipher = {
  name: 'ipcrypt-pfx',
  bind: (key) => sameFamily(ipcryptPfxCipher(key), true, false),
};
