/**
 * People in a log (docs/spec/log-v1.md, "Sealed subjects"). A person has one pseudonym of 80 bits for the life of a
 * log. In an entry the pseudonym is sealed with 48 random bits under the key of the shard, so that somebody who reads
 * the log does not see that two entries are about one person. When the key of the shard is destroyed, nobody can find
 * people in it any more, and every proof still verifies.
 *
 * The seal is one block of AES-256 (FIPS 197). It hides the pseudonym; it authenticates nothing, because the log does.
 */

import { badRange, badType, checkOptions, typeName } from '../../core/checks.ts';
import { aesBackend, BLOCK, eachBlock, encryptEach } from '../../kernel/aes/aes.ts';
import { decryptWords, inverseBackend } from '../../kernel/aes/inverse.ts';
import { randomBytes } from '../../kernel/random.ts';
import { decode, encode } from '../../wire/base32.ts';
import { randomOf } from './commitment.ts';

/** Bytes of a pseudonym, and of the random number beside it. */
const PSEUDONYM = 10;
const RANDOM = BLOCK - PSEUDONYM;

/** Seals and opens the pseudonyms of one shard. */
export interface SubjectSealer {
  /** Seals a pseudonym of 16 symbols of base32 and returns 26 symbols. Each call returns others. */
  readonly seal: (pseudonym: string) => string;
  /** Opens 26 symbols and returns the pseudonym. Symbols that were sealed under another key give a random one. */
  readonly open: (sealed: string) => string;
}

/** Options of {@link subjectSealer}. */
export interface SubjectSealerOptions {
  /** Returns so many random bytes. Default: the generator of the system. For tests and vectors. */
  readonly random?: ((length: number) => Uint8Array) | undefined;
}

/**
 * Makes the sealer of a shard.
 *
 * @param shardKey 32 random bytes. Destroying them erases the people of the shard.
 * @throws TypeError or RangeError if the key, a pseudonym or a sealed pseudonym has another form.
 *
 * @example
 * ```ts
 * import { subjectSealer } from 'trefoil/log';
 *
 * const sealer = subjectSealer(crypto.getRandomValues(new Uint8Array(32)));
 * const sealed = sealer.seal('0123456789abcdef');
 * sealed.length; // → 26
 * sealer.open(sealed); // → '0123456789abcdef'
 * ```
 */
export function subjectSealer(shardKey: Uint8Array, options: SubjectSealerOptions = {}): SubjectSealer {
  if (!(shardKey instanceof Uint8Array)) badType('shardKey', `expected bytes, got ${typeName(shardKey)}`);
  if (shardKey.length !== 32) badRange('shardKey', 'expected 32 bytes');
  const { random = randomBytes } = checkOptions<SubjectSealerOptions>('options', options, ['random']);
  if (typeof random !== 'function') badType('random', `expected a function, got ${typeName(random)}`);
  const forward = aesBackend(shardKey).block;
  const inverse = inverseBackend(shardKey).block;
  return Object.freeze({
    seal(pseudonym: string): string {
      const block = new Uint8Array(BLOCK);
      block.set(bytesOf('pseudonym', pseudonym, PSEUDONYM));
      block.set(randomOf(random, RANDOM), PSEUDONYM);
      const out = new Uint8Array(BLOCK);
      encryptEach(forward, new DataView(block.buffer), new DataView(out.buffer));
      return encode(out);
    },
    open(sealed: string): string {
      const block = bytesOf('sealed', sealed, BLOCK);
      const out = new Uint8Array(BLOCK);
      eachBlock(decryptWords, inverse, new DataView(block.buffer), new DataView(out.buffer));
      return encode(out.subarray(0, PSEUDONYM));
    },
  });
}

/** Decodes base32 of exactly so many bytes. */
function bytesOf(argument: string, text: unknown, length: number): Uint8Array {
  if (typeof text !== 'string') badType(argument, `expected text, got ${typeName(text)}`);
  const bytes = text.length === Math.ceil((length * 8) / 5) ? decode(text) : null;
  if (bytes === null || bytes.length !== length) {
    badRange(argument, `expected ${Math.ceil((length * 8) / 5)} symbols of base32`);
  }
  return bytes;
}
