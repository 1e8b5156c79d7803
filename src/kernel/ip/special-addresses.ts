/**
 * The ranges of addresses that `keepSpecial` leaves as they are, because they identify nobody on the public internet.
 *
 * They are taken from the IANA registries of special-purpose addresses (RFC 6890;
 * https://www.iana.org/assignments/iana-ipv4-special-registry,
 * https://www.iana.org/assignments/iana-ipv6-special-registry, as of October 2025) and of multicast addresses. Some
 * special ranges are not in the list, so their addresses are enciphered: ranges whose addresses contain the address of
 * somebody (::ffff:0:0/96, 64:ff9b::/96, 64:ff9b:1::/48, 2001::/32, 2002::/16), identifiers of hosts and of aircraft
 * (2001:20::/28, 2001:30::/28), segment identifiers (5f00::/16), deprecated ranges, and ranges that are reachable from
 * everywhere.
 *
 * Every result depends on the list, so it never changes. Another list would get another name.
 */

import { parseIp } from '../../core/ip.ts';

/** A range, what it is for, and the document that defines it. */
export interface SpecialRange {
  readonly range: string;
  readonly name: string;
  readonly source: string;
}

/**
 * The ranges that `keepSpecial` leaves as they are, version 4 first. They are those ranges of the IANA registries of
 * special-purpose addresses (RFC 6890) and of multicast addresses that identify nobody on the public internet and whose
 * addresses contain no other address. The list is frozen and never changes.
 *
 * @example
 * ```ts
 * import { SPECIAL_RANGES } from 'trefoil/ip';
 *
 * SPECIAL_RANGES[1]; // → { range: '10.0.0.0/8', name: 'private use', source: 'RFC 1918' }
 * ```
 */
export const SPECIAL_RANGES: readonly SpecialRange[] = /* @__PURE__ */ Object.freeze(
  (
    [
      ['0.0.0.0/8', 'this network', 'RFC 791, section 3.2'],
      ['10.0.0.0/8', 'private use', 'RFC 1918'],
      ['100.64.0.0/10', 'shared address space', 'RFC 6598'],
      ['127.0.0.0/8', 'loopback', 'RFC 1122, section 3.2.1.3'],
      ['169.254.0.0/16', 'link local', 'RFC 3927'],
      ['172.16.0.0/12', 'private use', 'RFC 1918'],
      ['192.0.0.0/24', 'protocol assignments', 'RFC 6890, section 2.1'],
      ['192.0.2.0/24', 'documentation', 'RFC 5737'],
      ['192.168.0.0/16', 'private use', 'RFC 1918'],
      ['198.18.0.0/15', 'benchmarking', 'RFC 2544'],
      ['198.51.100.0/24', 'documentation', 'RFC 5737'],
      ['203.0.113.0/24', 'documentation', 'RFC 5737'],
      ['224.0.0.0/4', 'multicast', 'RFC 5771'],
      ['240.0.0.0/4', 'reserved, and limited broadcast', 'RFC 1112, section 4; RFC 8190'],
      ['::/128', 'unspecified', 'RFC 4291, section 2.5.2'],
      ['::1/128', 'loopback', 'RFC 4291, section 2.5.3'],
      ['100::/64', 'discard only', 'RFC 6666'],
      ['100:0:0:1::/64', 'dummy prefix', 'RFC 9780'],
      ['2001:2::/48', 'benchmarking', 'RFC 5180'],
      ['2001:db8::/32', 'documentation', 'RFC 3849'],
      ['3fff::/20', 'documentation', 'RFC 9637'],
      ['fc00::/7', 'unique local', 'RFC 4193'],
      ['fe80::/10', 'link local', 'RFC 4291, section 2.5.6'],
      ['ff00::/8', 'multicast', 'RFC 4291, section 2.7'],
    ] as const
  ).map(([range, name, source]) => Object.freeze({ range, name, source })),
);

/** A range as the words of its first address and of its mask. */
interface Words {
  readonly base: Int32Array;
  readonly mask: Int32Array;
}

const WORDS: readonly Words[] = /* @__PURE__ */ SPECIAL_RANGES.map(({ range }) => {
  const [address, length] = range.split('/') as [string, string];
  const bytes = parseIp(address)!;
  const view = new DataView(bytes.buffer);
  const base = Int32Array.from({ length: bytes.length / 4 }, (_, i) => view.getInt32(4 * i));
  const mask = base.map((_, i) => {
    const bits = Number(length) - 32 * i;
    return bits <= 0 ? 0 : bits >= 32 ? -1 : -1 << (32 - bits);
  });
  return { base, mask };
});
const V4: readonly Words[] = /* @__PURE__ */ WORDS.filter(({ base }) => base.length === 1);
const V6: readonly Words[] = /* @__PURE__ */ WORDS.filter(({ base }) => base.length === 4);

/** Returns whether a version 4 address is in one of the ranges. */
export function isSpecialV4(address: number): boolean {
  for (const { base, mask } of V4) if ((address & mask[0]!) === base[0]) return true;
  return false;
}

/** Returns whether 16 bytes of a column are an address in one of the ranges of version 6. */
export function isSpecialV6(column: Uint8Array, at: number): boolean {
  const view = new DataView(column.buffer, column.byteOffset + at, 16);
  return V6.some(({ base, mask }) => base.every((word, i) => (view.getInt32(4 * i) & mask[i]!) === word));
}
