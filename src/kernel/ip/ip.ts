/**
 * Encryption of IP addresses, for those who want just that: Crypto-PAn and the four ciphers of ipcrypt. Keys are bytes
 * of the caller's; nothing here derives, stores or rotates one.
 */

import { badRange, badType, checkOptions, typeName } from '../../core/checks.ts';
import { readHex, writeHex } from '../../core/hex.ts';
import { fail } from '../../errors.ts';
import { randomBytes } from '../random.ts';
import { anyFamily, read128, readAddresses, sameFamily, V6, writeAddress, writeAddresses } from './address-text.ts';
import { CRYPTOPAN_KEY, cryptoPanCipher } from './cryptopan.ts';
import {
  ipcryptDeterministicCipher,
  ipcryptNdCipher,
  ipcryptNdxCipher,
  ND_TWEAK,
  NDX_TWEAK,
  type TweakedColumn,
} from './ipcrypt.ts';
import { ipcryptPfxCipher, PFX_KEY } from './ipcrypt-pfx.ts';

/** Addresses to addresses. Text comes out as dotted decimal or as RFC 5952 has it, whatever form it came in. */
export interface AddressCipher {
  /** @throws TrefoilError `not_an_ip`, `wrong_type`. */
  readonly encrypt: (address: string) => string;
  readonly decrypt: (address: string) => string;
  /** The same for a column, in much less time a value. An error tells the row, from 1; then nothing comes back. */
  readonly encryptMany: (column: readonly string[]) => string[];
  readonly decryptMany: (column: readonly string[]) => string[];
  /** The same for an address of 4 or 16 bytes. @throws TypeError, RangeError */
  readonly encryptBytes: (address: Uint8Array) => Uint8Array;
  readonly decryptBytes: (address: Uint8Array) => Uint8Array;
}

/**
 * Addresses to something longer that is not an address: the tweak, then 16 bytes. As text in lower-case hexadecimal.
 */
export interface TweakedAddressCipher {
  /** @param tweak Drawn at random unless given. @throws TrefoilError `not_an_ip`, `wrong_type`. */
  readonly encrypt: (address: string, tweak?: Uint8Array) => string;
  /** @throws TrefoilError `outside_format` for what is not hexadecimal of the right length. */
  readonly decrypt: (output: string) => string;
  /** The same for a column, every tweak at random. An error tells the row, from 1; then nothing comes back. */
  readonly encryptMany: (column: readonly string[]) => string[];
  readonly decryptMany: (column: readonly string[]) => string[];
  /** The same with the bytes of the output. */
  readonly encryptToBytes: (address: string, tweak?: Uint8Array) => Uint8Array;
  /** @throws TypeError, RangeError */
  readonly decryptFromBytes: (output: Uint8Array) => string;
}

/** Options of the ciphers whose output is an address. */
export interface AddressOptions {
  /**
   * Leave the {@link SPECIAL_RANGES} as they are: private, loopback, link-local, multicast, documentation addresses and
   * their like. No other address becomes one of these: where a result would lie in such a range, it is enciphered again
   * until it does not. Off unless asked for.
   */
  readonly keepSpecial?: boolean;
}

/**
 * Crypto-PAn: prefix-preserving encryption of addresses. Two addresses that share their first n bits, and no more, have
 * outputs that share their first n bits, and no more. Version 4 stays version 4, version 6 stays version 6.
 *
 * Xu, Fan, Ammar, Moon, "Prefix-Preserving IP Address Anonymization", ICNP 2002, as their program has it (AES-128). For
 * data of one's own, {@link ipcryptPfx} is the younger design.
 *
 * *Warning*: who can have addresses enciphered, or knows some of them, reads from shared prefixes the beginnings of all
 * the others. That is what keeping prefixes means.
 *
 * *Warning*: with `keepSpecial`, addresses that had to be enciphered again (a seventh of version 4, an eightieth of
 * version 6) keep their common prefixes among those that were enciphered as often, not with the others. It cannot be
 * otherwise: to keep a range and all prefixes at once, every address next to the range would have to show all bits
 * that it shares with it. And private addresses identify machines to whoever runs the network; link-local and unique
 * local ones of version 6 may contain the number of a network card.
 *
 * @param key 32 bytes: the AES key, then 16 bytes for the padding.
 * @throws TypeError, RangeError for a wrong key or option.
 *
 * @example
 * ```ts
 * import { cryptoPan } from 'trefoil/ip';
 *
 * const key = Uint8Array.from({ length: 32 }, (_, i) => i); // in earnest: 32 random bytes
 * const pan = cryptoPan(key);
 * pan.encrypt('192.0.2.1'); // → '2.90.93.17'
 * pan.encryptMany(['192.0.2.2', '2001:db8::1']); // → ['2.90.93.19', 'dd92:2c44:3fc0:ff1e:7ff9:c7f0:8180:7e00']
 * pan.decrypt('2.90.93.17'); // → '192.0.2.1'
 * ```
 */
export function cryptoPan(key: Uint8Array, options: AddressOptions = {}): AddressCipher {
  const checked = checkKey(key, CRYPTOPAN_KEY);
  return sameFamily(cryptoPanCipher(checked), false, readOptions(options));
}

/**
 * ipcrypt-pfx: prefix-preserving encryption of addresses. Two addresses of one family that share their first n bits,
 * and no more, have outputs that share their first n bits, and no more. Version 4 stays version 4, version 6 stays
 * version 6.
 *
 * draft-denis-ipcrypt-13, sections 6 and 9.6. `::ffff:a.b.c.d` is the version 4 address `a.b.c.d`. One thing is added
 * that the draft leaves open: the version 6 addresses, 2^32 of 2^128, that would come out as `::ffff:a.b.c.d` are
 * enciphered again, or they could not be told from version 4.
 *
 * *Warning*: what is said of known addresses and of `keepSpecial` at {@link cryptoPan} is true here, too.
 *
 * @param key 32 bytes, of which the first 16 are not equal to the last 16.
 * @throws TypeError, RangeError for a wrong key or option.
 *
 * @example
 * ```ts
 * import { ipcryptPfx } from 'trefoil/ip';
 *
 * const key = Uint8Array.from({ length: 32 }, (_, i) => i); // in earnest: 32 random bytes
 * const pfx = ipcryptPfx(key);
 * pfx.encryptMany(['192.0.2.1', '192.0.2.2']); // → ['63.33.160.167', '63.33.160.164']
 * pfx.decrypt(pfx.encrypt('2001:db8::1')); // → '2001:db8::1'
 * ipcryptPfx(key, { keepSpecial: true }).encrypt('192.168.0.1'); // → '192.168.0.1'
 * ```
 */
export function ipcryptPfx(key: Uint8Array, options: AddressOptions = {}): AddressCipher {
  const checked = checkKey(key, PFX_KEY);
  checkHalves(checked);
  return sameFamily(ipcryptPfxCipher(checked), true, readOptions(options));
}

/**
 * ipcrypt-deterministic: an address becomes an address that tells nothing but whether two are equal. It is one block of
 * AES-128 over the 16 bytes of the address; version 4 is `::ffff:a.b.c.d`, and its output is nearly always version 6.
 * As bytes the output has always 16.
 *
 * draft-denis-ipcrypt-13, sections 5.1 and 9.5.
 *
 * *Warning*: a wrong key is not noticed; it gives some other address.
 *
 * @param key 16 bytes.
 * @throws TypeError, RangeError for a wrong key or option.
 *
 * @example
 * ```ts
 * import { ipcryptDeterministic } from 'trefoil/ip';
 *
 * const key = Uint8Array.from({ length: 16 }, (_, i) => i); // in earnest: 16 random bytes
 * const ip = ipcryptDeterministic(key);
 * ip.encrypt('192.0.2.1'); // → 'aea5:d7ae:1a7b:a7d8:3cdd:d186:d763:cd9b'
 * ip.decrypt(ip.encrypt('192.0.2.1')); // → '192.0.2.1'
 * ```
 */
export function ipcryptDeterministic(key: Uint8Array, options: AddressOptions = {}): AddressCipher {
  return anyFamily(ipcryptDeterministicCipher(checkKey(key, 16)), readOptions(options));
}

/**
 * ipcrypt-nd: equal addresses become different outputs of 24 bytes: a tweak of 8 random bytes, then a block of
 * KIASU-BC under it. After about 2^32 outputs under one key two tweaks are equal; then the output shows whether the
 * addresses are equal, too.
 *
 * draft-denis-ipcrypt-13, sections 7 and 9.7.
 *
 * *Warning*: a wrong key, or an output that somebody changed, is not noticed; it gives some other address.
 *
 * @param key 16 bytes.
 * @throws TypeError, RangeError for a wrong key.
 *
 * @example
 * ```ts
 * import { ipcryptNd } from 'trefoil/ip';
 *
 * const key = Uint8Array.from({ length: 16 }, (_, i) => i); // in earnest: 16 random bytes
 * const ip = ipcryptNd(key);
 * ip.encrypt('192.0.2.1') === ip.encrypt('192.0.2.1'); // → false
 * ip.encrypt('192.0.2.1', new Uint8Array(8)); // → '0000000000000000aea5d7ae1a7ba7d83cddd186d763cd9b'
 * ip.decrypt(ip.encrypt('192.0.2.1')); // → '192.0.2.1'
 * ```
 */
export function ipcryptNd(key: Uint8Array): TweakedAddressCipher {
  return tweakedVerbs('ipcrypt-nd', ipcryptNdCipher(checkKey(key, 16)), ND_TWEAK);
}

/**
 * ipcrypt-ndx: equal addresses become different outputs of 32 bytes: a tweak of 16 random bytes, then a block of
 * AES-XTS under it. Tweaks meet after about 2^64 outputs under one key.
 *
 * draft-denis-ipcrypt-13, sections 7 and 9.8; the halves of the key must differ by NIST SP 800-38E and FIPS 140-3 IG
 * C.I.
 *
 * *Warning*: a wrong key, or an output that somebody changed, is not noticed; it gives some other address.
 *
 * @param key 32 bytes, of which the first 16 are not equal to the last 16.
 * @throws TypeError, RangeError for a wrong key.
 *
 * @example
 * ```ts
 * import { ipcryptNdx } from 'trefoil/ip';
 *
 * const key = Uint8Array.from({ length: 32 }, (_, i) => i); // in earnest: 32 random bytes
 * const ip = ipcryptNdx(key);
 * const outputs = ip.encryptMany(['192.0.2.1', '192.0.2.1']);
 * outputs[0] === outputs[1]; // → false
 * ip.decryptMany(outputs); // → ['192.0.2.1', '192.0.2.1']
 * ```
 */
export function ipcryptNdx(key: Uint8Array): TweakedAddressCipher {
  const checked = checkKey(key, 32);
  checkHalves(checked);
  return tweakedVerbs('ipcrypt-ndx', ipcryptNdxCipher(checked), NDX_TWEAK);
}

/** So many tweaks a call of the random generator, which takes no more than 65,536 bytes in some runtimes. */
const CHUNK = 4096;

function tweakedVerbs(name: string, cipher: TweakedColumn, tweakBytes: number): TweakedAddressCipher {
  const outputBytes = tweakBytes + V6;

  function checkTweak(tweak: unknown): Uint8Array {
    if (!(tweak instanceof Uint8Array)) badType('tweak', `expected bytes, got ${typeName(tweak)}`);
    if (tweak.length !== tweakBytes) badRange('tweak', `expected ${tweakBytes} bytes, got ${tweak.length}`);
    return Uint8Array.from(tweak);
  }

  /** Section 7.1, step 4: the tweak, then the block, for each place of a column. */
  function outputs(tweaks: Uint8Array, blocks: Uint8Array): Uint8Array {
    const out = new Uint8Array((blocks.length / V6) * outputBytes);
    for (let i = 0; i < blocks.length / V6; i++) {
      out.set(tweaks.subarray(i * tweakBytes, (i + 1) * tweakBytes), i * outputBytes);
      out.set(blocks.subarray(i * V6, (i + 1) * V6), i * outputBytes + tweakBytes);
    }
    return out;
  }

  function encryptToBytes(address: string, tweak?: Uint8Array): Uint8Array {
    const own = tweak === undefined ? randomBytes(tweakBytes) : checkTweak(tweak);
    return outputs(own, cipher.encrypt(own, read128(address)));
  }

  /** Section 7.2. */
  function decryptBytes(output: Uint8Array): string {
    return writeAddress(cipher.decrypt(output.slice(0, tweakBytes), output.slice(tweakBytes)), 0);
  }

  function readOutput(text: unknown, row?: number): Uint8Array {
    const where = row === undefined ? {} : { row };
    if (typeof text !== 'string') fail('wrong_type', `expected text, got ${typeName(text)}`, where);
    const bytes = readHex(text, outputBytes);
    if (bytes === null) {
      fail('outside_format', `expected the ${2 * outputBytes} hexadecimal digits that ${name} writes`, where);
    }
    return bytes;
  }

  return {
    encrypt: (address, tweak) => writeHex(encryptToBytes(address, tweak)),
    decrypt: (output) => decryptBytes(readOutput(output)),
    encryptMany(column) {
      const addresses = readAddresses(column);
      const out: string[] = [];
      for (let start = 0; start < column.length; start += CHUNK) {
        const chunk = addresses.subarray(V6 * start, V6 * Math.min(start + CHUNK, column.length));
        const tweaks = randomBytes((chunk.length / V6) * tweakBytes);
        const bytes = outputs(tweaks, cipher.encrypt(tweaks, chunk));
        for (let at = 0; at < bytes.length; at += outputBytes) out.push(writeHex(bytes.subarray(at, at + outputBytes)));
      }
      return out;
    },
    decryptMany(column) {
      if (!Array.isArray(column)) badType('column', `expected an array of outputs, got ${typeName(column)}`);
      const tweaks = new Uint8Array(column.length * tweakBytes);
      const blocks = new Uint8Array(column.length * V6);
      for (let i = 0; i < column.length; i++) {
        const output = readOutput(column[i], i + 1);
        tweaks.set(output.subarray(0, tweakBytes), i * tweakBytes);
        blocks.set(output.subarray(tweakBytes), i * V6);
      }
      return writeAddresses(cipher.decrypt(tweaks, blocks));
    },
    encryptToBytes,
    decryptFromBytes(output) {
      if (!(output instanceof Uint8Array)) badType('output', `expected bytes, got ${typeName(output)}`);
      if (output.length !== outputBytes) badRange('output', `expected ${outputBytes} bytes, got ${output.length}`);
      return decryptBytes(output);
    },
  };
}

function checkKey(key: unknown, length: number): Uint8Array {
  if (!(key instanceof Uint8Array)) badType('key', `expected bytes, got ${typeName(key)}`);
  if (key.length !== length) badRange('key', `expected ${length} bytes, got ${key.length}`);
  return Uint8Array.from(key);
}

/** Equal halves make ipcrypt-pfx the identity (draft, section 6.2.2) and take from XTS what its proof rests on. */
function checkHalves(key: Uint8Array): void {
  const half = key.length / 2;
  for (let i = 0; i < half; i++) if (key[i] !== key[half + i]) return;
  badRange('key', 'expected two halves that are not equal: draw all the bytes at random');
}

function readOptions(options: AddressOptions): boolean {
  const { keepSpecial = false } = checkOptions('options', options, ['keepSpecial']);
  if (typeof keepSpecial !== 'boolean') badType('keepSpecial', `expected true or false, got ${typeName(keepSpecial)}`);
  return keepSpecial;
}
