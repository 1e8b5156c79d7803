/**
 * Ciphers on addresses as text. A column is divided by family, enciphered as numbers and bytes, and written in its
 * order.
 *
 * If a result lies among addresses that must not result, it is enciphered again until it lies outside (cycle walking:
 * Black and Rogaway, "Ciphers with Arbitrary Finite Domains", CT-RSA 2002, section 3). That is a permutation of the
 * other addresses, because a walk stays on one cycle. It ends, because the cycle contains the address where the walk
 * began.
 */

import { badRange, badType, typeName } from '../../core/checks.ts';
import { formatIp, parseIp, readV4, writeV4 } from '../../core/ip.ts';
import { fail } from '../../errors.ts';
import type { BlockColumn } from './ipcrypt.ts';
import type { PrefixCipher } from './prefix-cipher.ts';
import { isSpecialV4, isSpecialV6 } from './special-addresses.ts';

/** Bytes of a version 6 address. */
export const V6 = 16;

/** The verbs of a cipher whose result is an address. */
export interface AddressVerbs {
  readonly encrypt: (address: string) => string;
  readonly decrypt: (address: string) => string;
  readonly encryptMany: (column: readonly string[]) => string[];
  readonly decryptMany: (column: readonly string[]) => string[];
  readonly encryptBytes: (address: Uint8Array) => Uint8Array;
  readonly decryptBytes: (address: Uint8Array) => Uint8Array;
}

/** Returns whether 16 bytes of a column are an address ::ffff:a.b.c.d (RFC 4291, section 2.5.5.2). */
export function isMapped(column: Uint8Array, at: number): boolean {
  for (let i = 0; i < 10; i++) if (column[at + i] !== 0) return false;
  return column[at + 10] === 255 && column[at + 11] === 255;
}

/** Returns the version 4 address at the end of 16 bytes. */
function mappedAddress(column: Uint8Array, at: number): number {
  return ((column[at + 12]! << 24) | (column[at + 13]! << 16) | (column[at + 14]! << 8) | column[at + 15]!) >>> 0;
}

/** Writes ::ffff:a.b.c.d over 16 zero bytes. */
function writeMapped(column: Uint8Array, at: number, address: number): void {
  column[at + 10] = 255;
  column[at + 11] = 255;
  column[at + 12] = address >>> 24;
  column[at + 13] = address >>> 16;
  column[at + 14] = address >>> 8;
  column[at + 15] = address;
}

/** An address: a number for version 4, 16 bytes for version 6. */
type Address = number | Uint8Array;

/**
 * Reads the text of an address.
 *
 * @param row Number of the value in its column, from 1.
 */
function readAddress(text: unknown, row?: number): Address {
  const where = row === undefined ? {} : { row };
  if (typeof text !== 'string') fail('wrong_type', `expected text, got ${typeName(text)}`, where);
  const v4 = readV4(text);
  if (v4 >= 0) return v4;
  const bytes = parseIp(text);
  if (bytes === null) {
    fail('not_an_ip', 'expected an IP address, version 4 or 6, without a zone or a prefix', where);
  }
  return bytes;
}

function checkColumn(column: unknown): asserts column is readonly unknown[] {
  if (!Array.isArray(column)) badType('column', `expected an array of addresses, got ${typeName(column)}`);
}

function checkAddressBytes(address: unknown): asserts address is Uint8Array {
  if (!(address instanceof Uint8Array)) badType('address', `expected bytes, got ${typeName(address)}`);
  if (address.length !== 4 && address.length !== V6)
    badRange('address', `expected 4 or 16 bytes, got ${address.length}`);
}

/** Whether 16 bytes of a column are an address that stays as it is. Such an address must not result for another one. */
type Stays = (column: Uint8Array, at: number) => boolean;

/** Enciphers a column of addresses of which none stays, 16 bytes each, until no result is an address that stays. */
function walkBytes(step: (column: Uint8Array) => Uint8Array, column: Uint8Array, stays: Stays | null): Uint8Array {
  const out = step(column);
  if (stays === null) return out;
  const result = Uint8Array.from(out);
  for (let places = placesOf(result.length / V6, (i) => stays(result, V6 * i)); places.length > 0; ) {
    const again = new Uint8Array(V6 * places.length);
    for (const [i, place] of places.entries()) again.set(result.subarray(V6 * place, V6 * (place + 1)), V6 * i);
    const next = step(again);
    for (const [i, place] of places.entries()) result.set(next.subarray(V6 * i, V6 * (i + 1)), V6 * place);
    places = places.filter((place) => stays(result, V6 * place));
  }
  return result;
}

/** The same for a column of version 4 addresses. */
function walkV4(step: (column: Uint32Array) => Uint32Array, column: Uint32Array, keep: boolean): Uint32Array {
  const result = step(column);
  if (!keep) return result;
  for (let places = placesOf(result.length, (i) => isSpecialV4(result[i]!)); places.length > 0; ) {
    const next = step(Uint32Array.from(places, (place) => result[place]!));
    for (const [i, place] of places.entries()) result[place] = next[i]!;
    places = places.filter((place) => isSpecialV4(result[place]!));
  }
  return result;
}

/** Returns the places of a column that pass a test. */
function placesOf(length: number, test: (i: number) => boolean): number[] {
  const places: number[] = [];
  for (let i = 0; i < length; i++) if (test(i)) places.push(i);
  return places;
}

/** One direction of a cipher that keeps the family. */
interface Direction {
  readonly one: (address: number) => number;
  readonly v4: (column: Uint32Array) => Uint32Array;
  readonly v6: (column: Uint8Array) => Uint8Array;
}

/** Enciphers one version 4 address. */
function walkOne({ one }: Direction, address: number, keepSpecial: boolean): number {
  if (keepSpecial && isSpecialV4(address)) return address;
  let result = one(address);
  while (keepSpecial && isSpecialV4(result)) result = one(result);
  return result;
}

/** Returns which version 6 addresses stay as they are; `null` if all are enciphered. See {@link sameFamily}. */
function staysOf(mapped: boolean, keepSpecial: boolean): Stays | null {
  if (keepSpecial) return (column, at) => (mapped && isMapped(column, at)) || isSpecialV6(column, at);
  return mapped ? isMapped : null;
}

/**
 * Makes the verbs of a cipher that keeps the family.
 *
 * @param mapped Whether ::ffff:a.b.c.d is the version 4 address. If so, no version 6 address may become one of these.
 * @param keepSpecial Whether addresses of the special ranges stay as they are.
 */
export function sameFamily(cipher: PrefixCipher, mapped: boolean, keepSpecial: boolean): AddressVerbs {
  const stays = staysOf(mapped, keepSpecial);
  const staysV4 = (address: number): boolean => keepSpecial && isSpecialV4(address);
  const familyOf = (address: Address): Address =>
    mapped && typeof address !== 'number' && isMapped(address, 0) ? mappedAddress(address, 0) : address;

  const oneV4 = (direction: Direction, address: number): number => walkOne(direction, address, keepSpecial);

  function oneV6({ v6 }: Direction, address: Uint8Array): Uint8Array {
    return stays?.(address, 0) ? address : walkBytes(v6, address, stays);
  }

  function text(direction: Direction, value: string): string {
    const address = familyOf(readAddress(value));
    return typeof address === 'number' ? writeV4(oneV4(direction, address)) : formatIp(oneV6(direction, address));
  }

  function bytes(direction: Direction, value: Uint8Array): Uint8Array {
    checkAddressBytes(value);
    const result = new Uint8Array(value.length);
    const view = new DataView(result.buffer);
    if (value.length === 4) {
      const address = new DataView(value.buffer, value.byteOffset, 4).getUint32(0);
      view.setUint32(0, oneV4(direction, address));
      return result;
    }
    const address = familyOf(value);
    if (typeof address === 'number') writeMapped(result, 0, oneV4(direction, address));
    else result.set(oneV6(direction, address));
    return result;
  }

  function many(direction: Direction, column: readonly string[]): string[] {
    checkColumn(column);
    const out = new Array<string>(column.length);
    // The addresses that are enciphered, by family, and their places in the column.
    const v4 = new Uint32Array(column.length);
    const places4 = new Uint32Array(column.length);
    let count4 = 0;
    const v6: Uint8Array[] = [];
    const places6: number[] = [];
    for (let i = 0; i < column.length; i++) {
      const value: unknown = column[i];
      // The usual case first: to go through a union of a number and an object would take a third of the time.
      const number = typeof value === 'string' ? readV4(value) : -1;
      const address = number >= 0 ? number : familyOf(readAddress(value, i + 1));
      if (typeof address === 'number') {
        if (staysV4(address)) {
          out[i] = writeV4(address);
        } else {
          v4[count4] = address;
          places4[count4++] = i;
        }
      } else if (stays?.(address, 0)) {
        out[i] = formatIp(address);
      } else {
        v6.push(address);
        places6.push(i);
      }
    }
    const results4 = walkV4(direction.v4, v4.subarray(0, count4), keepSpecial);
    for (let i = 0; i < count4; i++) out[places4[i]!] = writeV4(results4[i]!);
    if (v6.length === 0) return out;
    const results6 = walkBytes(direction.v6, inOneColumn(v6), stays);
    for (let i = 0; i < v6.length; i++) out[places6[i]!] = formatIp(results6.subarray(V6 * i, V6 * (i + 1)));
    return out;
  }

  const forward: Direction = { one: cipher.encryptV4, v4: cipher.encryptV4Many, v6: cipher.encryptV6 };
  const back: Direction = { one: cipher.decryptV4, v4: cipher.decryptV4Many, v6: cipher.decryptV6 };
  return {
    encrypt: (address) => text(forward, address),
    decrypt: (address) => text(back, address),
    encryptMany: (column) => many(forward, column),
    decryptMany: (column) => many(back, column),
    encryptBytes: (address) => bytes(forward, address),
    decryptBytes: (address) => bytes(back, address),
  };
}

/** Makes the verbs of a cipher of 128 bits, for which a version 4 address is ::ffff:a.b.c.d. */
export function anyFamily(cipher: BlockColumn, keepSpecial: boolean): AddressVerbs {
  const stays: Stays | null = keepSpecial
    ? (column, at) => (isMapped(column, at) ? isSpecialV4(mappedAddress(column, at)) : isSpecialV6(column, at))
    : null;

  function walk(step: BlockColumn['encrypt'], column: Uint8Array): Uint8Array {
    if (stays === null) return step(column);
    const result = Uint8Array.from(column);
    const places = placesOf(column.length / V6, (i) => !stays(column, V6 * i));
    const walked = walkBytes(
      step,
      inOneColumn(places.map((place) => column.subarray(V6 * place, V6 * (place + 1)))),
      stays,
    );
    for (const [i, place] of places.entries()) result.set(walked.subarray(V6 * i, V6 * (i + 1)), V6 * place);
    return result;
  }

  function bytes(step: BlockColumn['encrypt'], value: Uint8Array): Uint8Array {
    checkAddressBytes(value);
    if (value.length === V6) return Uint8Array.from(walk(step, value));
    const address = new Uint8Array(V6);
    writeMapped(address, 0, new DataView(value.buffer, value.byteOffset, 4).getUint32(0));
    return Uint8Array.from(walk(step, address));
  }

  function many(step: BlockColumn['encrypt'], column: readonly string[]): string[] {
    return writeAddresses(walk(step, readAddresses(column)));
  }

  return {
    encrypt: (address) => writeAddress(walk(cipher.encrypt, read128(address)), 0),
    decrypt: (address) => writeAddress(walk(cipher.decrypt, read128(address)), 0),
    encryptMany: (column) => many(cipher.encrypt, column),
    decryptMany: (column) => many(cipher.decrypt, column),
    encryptBytes: (address) => bytes(cipher.encrypt, address),
    decryptBytes: (address) => bytes(cipher.decrypt, address),
  };
}

/** Returns the 16 bytes of an address of either family. */
export function read128(text: unknown): Uint8Array {
  const address = readAddress(text);
  if (typeof address !== 'number') return address;
  const bytes = new Uint8Array(V6);
  writeMapped(bytes, 0, address);
  return bytes;
}

/** Returns the 16 bytes of each address of a column, one after another. */
export function readAddresses(column: readonly unknown[]): Uint8Array {
  checkColumn(column);
  const bytes = new Uint8Array(V6 * column.length);
  for (let i = 0; i < column.length; i++) {
    const address = readAddress(column[i], i + 1);
    if (typeof address === 'number') writeMapped(bytes, V6 * i, address);
    else bytes.set(address, V6 * i);
  }
  return bytes;
}

/** Returns the text of 16 bytes of a column. It is dotted decimal for ::ffff:a.b.c.d. */
export function writeAddress(column: Uint8Array, at: number): string {
  return isMapped(column, at) ? writeV4(mappedAddress(column, at)) : formatIp(column.subarray(at, at + V6));
}

/** Returns the text of every address of a column. */
export function writeAddresses(column: Uint8Array): string[] {
  return Array.from({ length: column.length / V6 }, (_, i) => writeAddress(column, V6 * i));
}

function inOneColumn(addresses: readonly Uint8Array[]): Uint8Array {
  const column = new Uint8Array(V6 * addresses.length);
  for (const [i, address] of addresses.entries()) column.set(address, V6 * i);
  return column;
}
