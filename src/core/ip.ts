/**
 * The text of IP addresses. Version 4 is dotted decimal. Version 6 is read as RFC 4291, section 2.2, allows it, and
 * written as RFC 5952 recommends. Zones, prefixes, and leading zeros in version 4 (which some parsers read as octal)
 * are not accepted.
 */

import { hexDigit } from './hex.ts';

/** Reads an address as its 4 or 16 bytes. Returns `null` for any other text. */
export function parseIp(text: string): Uint8Array | null {
  return text.includes(':') ? parseV6(text) : parseV4(text);
}

/**
 * Reads a version 4 address as a number below 2^32. Returns -1 for any other text. It does without `split`, because it
 * is called for every address of a column.
 */
export function readV4(text: string): number {
  let address = 0;
  let parts = 0;
  // -1 means that the part has no digit yet.
  let part = -1;
  for (let i = 0; i < text.length; i++) {
    const digit = text.charCodeAt(i) - 48;
    if (digit >= 0 && digit <= 9 && part !== 0) {
      part = part < 0 ? digit : part * 10 + digit;
      if (part > 255) return -1;
    } else if (digit === -2 && part >= 0 && parts < 3) {
      // The code of "." is that of "0" minus 2.
      address = address * 256 + part;
      part = -1;
      parts++;
    } else {
      return -1;
    }
  }
  return parts === 3 && part >= 0 ? address * 256 + part : -1;
}

const OCTETS: readonly string[] = /* @__PURE__ */ Array.from({ length: 256 }, (_, octet) => String(octet));
const DOTTED: readonly string[] = /* @__PURE__ */ OCTETS.map((octet) => `${octet}.`);

/** Writes a number below 2^32 as dotted decimal. */
export function writeV4(address: number): string {
  return (
    DOTTED[address >>> 24]! + DOTTED[(address >>> 16) & 255]! + DOTTED[(address >>> 8) & 255]! + OCTETS[address & 255]!
  );
}

function parseV4(text: string): Uint8Array | null {
  const address = readV4(text);
  if (address < 0) return null;
  return Uint8Array.of(address >>> 24, (address >>> 16) & 255, (address >>> 8) & 255, address & 255);
}

/** Reads a version 6 address in one pass over the characters. Splitting at colons would take three times as long. */
function parseV6(text: string): Uint8Array | null {
  const bytes = new Uint8Array(16);
  // How many bytes are written, and where "::" is among them.
  let length = 0;
  let gap = -1;
  for (let i = 0; i < text.length; ) {
    // A group: up to four digits.
    const start = i;
    let group = 0;
    for (; i < text.length; i++) {
      const digit = hexDigit(text.charCodeAt(i));
      if (digit < 0) break;
      if (i - start === 4) return null;
      group = (group << 4) | digit;
    }
    if (text[i] === '.') {
      // A version 4 address may only be the end of an address.
      const v4 = readV4(text.slice(start));
      if (v4 < 0 || length > 12) return null;
      writeGroup(bytes, length, v4 >>> 16);
      writeGroup(bytes, length + 2, v4 & 0xffff);
      length += 4;
      break;
    }
    if (i > start) {
      if (length === 16) return null;
      writeGroup(bytes, length, group);
      length += 2;
      if (i === text.length) break;
    }
    if (text[i] !== ':') return null;
    i++;
    if (text[i] === ':') {
      if (gap >= 0) return null;
      gap = length;
      i++;
    } else if (i - 1 === start || i === text.length) {
      // An address cannot begin or end with a single colon.
      return null;
    }
  }
  // "::" replaces at least one group. Without it, no group may be missing.
  if (gap < 0) return length === 16 ? bytes : null;
  if (length > 14) return null;
  bytes.copyWithin(16 - (length - gap), gap, length);
  return bytes.fill(0, gap, 16 - (length - gap));
}

function writeGroup(bytes: Uint8Array, at: number, group: number): void {
  bytes[at] = group >>> 8;
  bytes[at + 1] = group & 255;
}

/** Writes an address: dotted decimal, or RFC 5952, section 4, without the mixed notation of section 5. */
export function formatIp(bytes: Uint8Array): string {
  if (bytes.length === 4) return bytes.join('.');
  // Section 4.2: "::" replaces the longest run of two or more zero groups; if two are equally long, the first.
  let start = -1;
  let longest = 1;
  for (let i = 0; i < 8; i++) {
    let end = i;
    while (end < 8 && groupAt(bytes, end) === 0) end++;
    if (end - i > longest) {
      start = i;
      longest = end - i;
    }
    i = end;
  }
  let text = '';
  let colon = '';
  for (let i = 0; i < 8; i++) {
    if (i === start) {
      text += '::';
      colon = '';
      i += longest - 1;
      continue;
    }
    text += colon + groupAt(bytes, i).toString(16);
    colon = ':';
  }
  return text;
}

function groupAt(bytes: Uint8Array, group: number): number {
  return (bytes[2 * group]! << 8) | bytes[2 * group + 1]!;
}

/**
 * Returns the version 4 address in an IPv4-mapped one, ::ffff:a.b.c.d (RFC 4291, section 2.5.5.2), or else the address.
 */
export function withoutMapping(bytes: Uint8Array): Uint8Array {
  return bytes.length === 16 && startsWith(bytes, MAPPED) ? bytes.subarray(12) : bytes;
}

/** The first bytes of a version 6 address, and the bit at which a version 4 address begins in it. */
type Holding = readonly [prefix: readonly number[], start: number];

const MAPPED: readonly number[] = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff];

/**
 * The ranges of version 6 whose addresses contain one of version 4, and where it begins. For 64:ff9b:1::/48 the
 * documents leave the place to the network (RFC 6052, section 2.2, has /48, /56, /64 and /96), so the first of these is
 * taken.
 */
const HOLDING: readonly Holding[] = [
  // IPv4-compatible, ::a.b.c.d: RFC 4291, section 2.5.5.1.
  [[0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], 96],
  // IPv4-translated, ::ffff:0:a.b.c.d: RFC 2765, section 2.1.
  [[0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0, 0], 96],
  // NAT64, 64:ff9b::a.b.c.d: RFC 6052, section 2.1.
  [[0, 0x64, 0xff, 0x9b, 0, 0, 0, 0, 0, 0, 0, 0], 96],
  // NAT64 of local use: RFC 8215.
  [[0, 0x64, 0xff, 0x9b, 0, 1], 48],
  // Teredo: RFC 4380, section 4. The server's address comes first. The client's, inverted, is at the end.
  [[0x20, 1, 0, 0], 32],
  // 6to4: RFC 3056, section 2.
  [[0x20, 2], 16],
];

/**
 * Where an ISATAP address contains one of version 4: in the last 32 bits, after 0000:5efe or 0200:5efe (RFC 5214,
 * section 6.1).
 */
const ISATAP = 96;

/** Returns the bit at which the first version 4 address inside 16 bytes begins, or `null` if there is none. */
export function innerV4(bytes: Uint8Array): number | null {
  for (const [prefix, start] of HOLDING) if (startsWith(bytes, prefix)) return start;
  const isatap = (bytes[8]! & 0xfd) === 0 && bytes[9] === 0 && bytes[10] === 0x5e && bytes[11] === 0xfe;
  return isatap ? ISATAP : null;
}

function startsWith(bytes: Uint8Array, prefix: readonly number[]): boolean {
  for (let i = 0; i < prefix.length; i++) if (bytes[i] !== prefix[i]) return false;
  return true;
}

/** Returns the first `length` bits of an address, followed by zeros. */
export function networkOf(bytes: Uint8Array, length: number): Uint8Array {
  return bytes.map((byte, i) => {
    const bits = Math.min(8, Math.max(0, length - 8 * i));
    return byte & (0xff00 >> bits) & 0xff;
  });
}
