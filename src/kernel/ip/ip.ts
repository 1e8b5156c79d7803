/**
 * Encryption of IP addresses by itself (`trefoil/ip`): Crypto-PAn and the four ciphers of ipcrypt. The caller passes
 * keys as bytes. Nothing here derives, stores or rotates a key.
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

/**
 * A cipher whose result is an address. The text of a result is dotted decimal or the form of RFC 5952, whatever the
 * input was.
 */
export interface AddressCipher {
  /** Enciphers an address. @throws TrefoilError `not_an_ip`, `wrong_type`. */
  readonly encrypt: (address: string) => string;
  readonly decrypt: (address: string) => string;
  /**
   * Enciphers a column, which is much faster per value. An error names the row, from 1, and nothing is returned then.
   */
  readonly encryptMany: (column: readonly string[]) => string[];
  readonly decryptMany: (column: readonly string[]) => string[];
  /** Enciphers an address of 4 or 16 bytes. @throws TypeError or RangeError for anything else. */
  readonly encryptBytes: (address: Uint8Array) => Uint8Array;
  readonly decryptBytes: (address: Uint8Array) => Uint8Array;
}

/**
 * A cipher whose output is longer than an address: the tweak, then 16 bytes. The text of an output is lower-case
 * hexadecimal.
 */
export interface TweakedAddressCipher {
  /**
   * Enciphers an address.
   *
   * @param tweak The tweak. Without it, a random one is drawn.
   * @throws TrefoilError `not_an_ip`, `wrong_type`.
   */
  readonly encrypt: (address: string, tweak?: Uint8Array) => string;
  /**
   * Deciphers an output. @throws TrefoilError `outside_format` for a text that is not hexadecimal of the right length.
   */
  readonly decrypt: (output: string) => string;
  /** Enciphers a column with random tweaks. An error names the row, from 1, and nothing is returned then. */
  readonly encryptMany: (column: readonly string[]) => string[];
  readonly decryptMany: (column: readonly string[]) => string[];
  /** Enciphers an address and returns the output as bytes. */
  readonly encryptToBytes: (address: string, tweak?: Uint8Array) => Uint8Array;
  /** Deciphers an output of bytes. @throws TypeError or RangeError for anything else. */
  readonly decryptFromBytes: (output: Uint8Array) => string;
}

/** Options of the ciphers whose output is an address. */
export interface AddressOptions {
  /**
   * Whether addresses in the {@link SPECIAL_RANGES} stay as they are: private, loopback, link-local, multicast and
   * documentation addresses, and some others. No other address becomes one of these: a result in such a range is
   * enciphered again until it lies outside. The default is `false`.
   */
  readonly keepSpecial?: boolean;
}

/**
 * Crypto-PAn: prefix-preserving encryption of addresses. If exactly the first n bits of two addresses are equal, then
 * exactly the first n bits of their results are equal. Version 4 stays version 4, and version 6 stays version 6.
 *
 * Source: Xu, Fan, Ammar, Moon, "Prefix-Preserving IP Address Anonymization", ICNP 2002, as their program implements it
 * (AES-128). For data that no other system has to read, {@link ipcryptPfx} is the newer design.
 *
 * *Warning*: anyone who knows some addresses with their results, or can have addresses enciphered, learns the
 * beginnings of all other addresses from the prefixes that they share. That is what keeping prefixes means.
 *
 * *Warning*: `keepSpecial` makes some addresses go through the cipher again (a seventh of version 4, an eightieth of
 * version 6). Such an address keeps common prefixes only with addresses that went through as often. This cannot be
 * avoided: to keep a range and all prefixes at once, every address next to the range would have to show all bits that
 * it shares with the range. Note also that private addresses identify machines to the operator of the network, and that
 * link-local and unique local addresses of version 6 may contain the number of a network card.
 *
 * @param key 32 bytes: the AES key, then 16 bytes for the padding.
 * @throws TypeError or RangeError for a wrong key or option.
 *
 * @example
 * ```ts
 * import { cryptoPan } from 'trefoil/ip';
 *
 * const key = Uint8Array.from({ length: 32 }, (_, i) => i); // use 32 random bytes
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
 * ipcrypt-pfx: prefix-preserving encryption of addresses. If exactly the first n bits of two addresses of one family
 * are equal, then exactly the first n bits of their results are equal. Version 4 stays version 4, and version 6 stays
 * version 6.
 *
 * Source: draft-denis-ipcrypt-13, sections 6 and 9.6. `::ffff:a.b.c.d` is the version 4 address `a.b.c.d`. One rule is
 * added that the draft leaves open: a version 6 address whose result would be `::ffff:a.b.c.d` (2^32 of 2^128
 * addresses) is enciphered again, because the result could not be told from version 4.
 *
 * *Warning*: both warnings of {@link cryptoPan}, about known addresses and about `keepSpecial`, apply here as well.
 *
 * @param key 32 bytes. The first 16 must differ from the last 16.
 * @throws TypeError or RangeError for a wrong key or option.
 *
 * @example
 * ```ts
 * import { ipcryptPfx } from 'trefoil/ip';
 *
 * const key = Uint8Array.from({ length: 32 }, (_, i) => i); // use 32 random bytes
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
 * ipcrypt-deterministic: an address becomes another address, which shows only whether two addresses are equal. The
 * cipher is one block of AES-128 over the 16 bytes of the address. A version 4 address is enciphered as
 * `::ffff:a.b.c.d`, so its result is nearly always version 6. A result as bytes always has 16 bytes.
 *
 * Source: draft-denis-ipcrypt-13, sections 5.1 and 9.5.
 *
 * *Warning*: a wrong key is not noticed. It yields another address.
 *
 * @param key 16 bytes.
 * @throws TypeError or RangeError for a wrong key or option.
 *
 * @example
 * ```ts
 * import { ipcryptDeterministic } from 'trefoil/ip';
 *
 * const key = Uint8Array.from({ length: 16 }, (_, i) => i); // use 16 random bytes
 * const ip = ipcryptDeterministic(key);
 * ip.encrypt('192.0.2.1'); // → 'aea5:d7ae:1a7b:a7d8:3cdd:d186:d763:cd9b'
 * ip.decrypt(ip.encrypt('192.0.2.1')); // → '192.0.2.1'
 * ```
 */
export function ipcryptDeterministic(key: Uint8Array, options: AddressOptions = {}): AddressCipher {
  return anyFamily(ipcryptDeterministicCipher(checkKey(key, 16)), readOptions(options));
}

/**
 * ipcrypt-nd: equal addresses become different outputs of 24 bytes, which are a tweak of 8 random bytes and a block of
 * KIASU-BC under it. After about 2^32 outputs under one key, two tweaks are expected to be equal. Two such outputs show
 * whether their addresses are equal.
 *
 * Source: draft-denis-ipcrypt-13, sections 7 and 9.7.
 *
 * *Warning*: a wrong key or a changed output is not noticed. It yields another address.
 *
 * @param key 16 bytes.
 * @throws TypeError or RangeError for a wrong key.
 *
 * @example
 * ```ts
 * import { ipcryptNd } from 'trefoil/ip';
 *
 * const key = Uint8Array.from({ length: 16 }, (_, i) => i); // use 16 random bytes
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
 * ipcrypt-ndx: equal addresses become different outputs of 32 bytes, which are a tweak of 16 random bytes and a block
 * of AES-XTS under it. Two equal tweaks are expected only after about 2^64 outputs under one key.
 *
 * Source: draft-denis-ipcrypt-13, sections 7 and 9.8. By NIST SP 800-38E and FIPS 140-3 IG C.I, the halves of the key
 * must differ.
 *
 * *Warning*: a wrong key or a changed output is not noticed. It yields another address.
 *
 * @param key 32 bytes. The first 16 must differ from the last 16.
 * @throws TypeError or RangeError for a wrong key.
 *
 * @example
 * ```ts
 * import { ipcryptNdx } from 'trefoil/ip';
 *
 * const key = Uint8Array.from({ length: 32 }, (_, i) => i); // use 32 random bytes
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

/** How many tweaks are drawn and enciphered at once: at most 64 KiB of random bytes. */
const CHUNK = 4096;

function tweakedVerbs(name: string, cipher: TweakedColumn, tweakBytes: number): TweakedAddressCipher {
  const outputBytes = tweakBytes + V6;

  function checkTweak(tweak: unknown): Uint8Array {
    if (!(tweak instanceof Uint8Array)) badType('tweak', `expected bytes, got ${typeName(tweak)}`);
    if (tweak.length !== tweakBytes) badRange('tweak', `expected ${tweakBytes} bytes, got ${tweak.length}`);
    return Uint8Array.from(tweak);
  }

  /** Section 7.1, step 4: the tweak, then the block, for each value of a column. */
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

/** With equal halves ipcrypt-pfx would change nothing (draft, section 6.2.2), and the proof of XTS would not hold. */
function checkHalves(key: Uint8Array): void {
  const half = key.length / 2;
  for (let i = 0; i < half; i++) if (key[i] !== key[half + i]) return;
  badRange('key', 'expected two halves that differ; draw all the bytes at random');
}

function readOptions(options: AddressOptions): boolean {
  const { keepSpecial = false } = checkOptions('options', options, ['keepSpecial']);
  if (typeof keepSpecial !== 'boolean') badType('keepSpecial', `expected true or false, got ${typeName(keepSpecial)}`);
  return keepSpecial;
}
