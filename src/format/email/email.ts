/**
 * E-mail addresses: `Mailbox` of RFC 5321, section 4.1.2 (https://www.rfc-editor.org/rfc/rfc5321), as the steps
 * of trefoil/prepare accept it, in ASCII and lower case. Enciphered and hashed domains end in `.invalid`, which is
 * reserved and never resolves (RFC 2606, section 2; RFC 6761, section 6.4).
 *
 * The local part is the part before the @. Its shape is its mask: every letter or digit as an `a`, the other characters
 * as they are. If there are four letters and digits or fewer, the mask has one `a` for each run of them, and all such
 * local parts with the same marks form one space (local.ts), so that short ones are hidden among enough others.
 */

import { checkOneOf, checkOptions } from '../../core/checks.ts';
import { given } from '../../core/given.ts';
import { fail } from '../../errors.ts';
import type { Known } from '../composed/outline.ts';
import { type Format, type Index, type IndexEngine, type IndexParts, makeFormat } from '../engine.ts';
import { mix, product, unmix } from '../mixed-radix.ts';
import { fromIndex, power, RADIX, SHORT, SYMBOLS, shortFromIndex, shortSize, shortToIndex, toIndex } from './local.ts';
import { checkHost, countMasks, fill, MASK, masked, maskedLocal, SPECIALS, splitAddress, writeMask } from './mask.ts';

/** What happens to the part after the @. */
export type EmailDomain = 'clear' | 'hashed' | 'enciphered';

/** Options of {@link email}. */
export interface EmailOptions {
  /** What happens to the part after the @; `clear` by default. Enters the key. */
  readonly domain?: EmailDomain;
}

/** The format that {@link email} makes. */
export interface EmailFormat extends Format, EmailOptions {
  readonly type: 'email';
}

/** RFC 5321, section 4.5.3.1.1. */
const MAX_LOCAL = 64;

/** RFC 5321, section 4.5.3.1.3: a path has at most 256 octets, its two angle brackets included. */
const MAX_ADDRESS = 254;

const RESERVED = 'invalid';
const SUFFIX = `.${RESERVED}`;

/** A hashed domain: 128 bits in base32. */
const HASHED = /^[a-z0-9]{26}\.invalid$/;

/**
 * The index of `invalid` among the top labels of its length. It is left out, so that a domain under `.invalid` is
 * always an enciphered one.
 */
const RESERVED_INDEX: number = /* @__PURE__ */ [...RESERVED].reduce(
  (index, letter) => index * RADIX + SYMBOLS.indexOf(letter),
  0,
);

/**
 * E-mail addresses in ASCII and lower case. The letters and digits before the @ are enciphered together; dots and other
 * marks stay where they are.
 *
 * The marks and the number of letters and digits between them stay visible and enter the tweak. Parts with up to four
 * letters and digits form one space for all these lengths: `jo@` is hidden among 1,727,604 values, and its output
 * usually has four characters. Longer parts keep their length. A part before the @ without a letter or digit is
 * refused. An address has at most 254 characters.
 *
 * `domain` sets what happens to the part after the @:
 * - `clear`, the default: it stays and enters the tweak.
 * - `hashed`: it becomes a keyed digest under `.invalid`, the same one for equal domains. *Warning*: revealing restores
 *   the part before the @ and never the domain. How often each domain occurs stays visible, so common domains may be
 *   recognised.
 * - `enciphered`: its letters and digits, including those of the top label, form one space with the part before the @;
 *   dots and hyphens stay in place. `.invalid` is added after it, and revealing removes it. Only the lengths of its
 *   labels show which addresses may share a domain.
 *
 * Upper case is refused, because two spellings of one mailbox would not join: write addresses in lower case at the
 * source. Domains of other scripts must be written in `xn--` labels. With `hashed` and `enciphered`, values under
 * `.invalid` are refused.
 *
 * *Warning*: with a domain in clear, an output may be somebody's mailbox. Never send anything to it.
 *
 * Source: RFC 5321, sections 4.1.2 and 4.5.3.1; RFC 2606, section 2; the space is in docs/spec/fpe-v1.md.
 *
 * @throws TypeError for an unknown option, RangeError if `domain` is none of the three.
 *
 * @example
 * ```ts
 * import { email } from 'trefoil/format';
 *
 * email().test('ada.lovelace@example.com'); // → true
 * email().test('Ada@Example.com'); // → false
 * email().unrank(0, 'ada.lovelace@example.com'); // → 'aaa.aaaaaaaa@example.com'
 * email().size; // → 1679616n
 * ```
 */
export function email(options: EmailOptions = {}): EmailFormat {
  const { domain } = checkOptions<EmailOptions>('options', options, ['domain']);
  if (domain !== undefined) checkOneOf('domain', domain, ['clear', 'hashed', 'enciphered']);
  const data = { type: 'email', ...given({ domain }) } as const;
  return makeFormat(data, domain === 'enciphered' ? hiddenDomain() : openDomain(domain ?? 'clear')) as EmailFormat;
}

/** The smallest space of a local part: four runs of one character. */
const SMALLEST = { mask: 'a.a.a.a', size: shortSize(SHORT), because: '4 letters or digits before the @: 36^4' };

const VISIBLE = 'before the @ the marks, and the number of letters and digits if there are more than 4';

/** The domain stays or becomes a digest. In both cases it is the clear part. */
function openDomain(domain: 'clear' | 'hashed'): IndexEngine {
  const hashed = domain === 'hashed';

  function split(address: string): IndexParts {
    const { local, host } = splitAddress(address);
    checkHost(host);
    if (hashed) refuseReserved(host);
    return partsOf(local, host, MAX_ADDRESS);
  }

  function assemble(parts: { readonly shape: string; readonly clear: string }, index: Index): string {
    return `${writeLocal(parts.shape, index)}@${parts.clear}`;
  }

  function splitHashed(address: string): IndexParts {
    const { local, host } = splitAddress(address);
    if (!HASHED.test(host))
      fail('outside_format', 'the domain is not one that this rule has hashed: expected 26 characters and .invalid');
    return partsOf(local, host, MAX_ADDRESS);
  }

  return {
    kind: 'index',
    descriptor: ['email@1', `domain=${domain}`],
    smallest: { size: BigInt(SMALLEST.size), because: SMALLEST.because },
    hasClear: true,
    visible: `${hashed ? 'which addresses share a domain' : 'the domain'}; ${VISIBLE}`,
    outline: OUTLINE,
    sample: { shape: SMALLEST.mask, clear: 'example.com', layout: null, size: SMALLEST.size, index: 0 },
    split,
    assemble,
    ...(hashed
      ? {
          enciphered: { split: splitHashed, assemble },
          blind: (host: string, digest: (text: string) => string) => digest(host) + SUFFIX,
        }
      : {}),
  };
}

/** The domain is enciphered with the local part and written under `.invalid`. */
function hiddenDomain(): IndexEngine {
  /** Sizes of the local part, of the domain before the top label, and of the top label. */
  function sizesOf(mask: string, hostMask: string): [Index, Index, Index] {
    const top = hostMask.lastIndexOf('.') + 1;
    return [localSize(mask), power(countMasks(hostMask, 0, top)), topSize(hostMask.slice(top))];
  }

  function partsOfBoth(local: string, host: string): IndexParts {
    checkHost(host);
    refuseReserved(host);
    const before = partsOf(local, host, MAX_ADDRESS - SUFFIX.length);
    const domain = masked(host);
    const top = host.lastIndexOf('.') + 1;
    const inner = countMasks(domain.mask, 0, top);
    const sizes = sizesOf(before.shape, domain.mask);
    const size = product(sizes);
    const topIndex = toIndex(domain.numerals, inner, domain.numerals.length);
    const skip = domain.mask.slice(top) === TOP_LIKE_RESERVED && topIndex > RESERVED_INDEX ? 1 : 0;
    const indices = [
      before.index,
      toIndex(domain.numerals, 0, inner),
      skip === 1 ? (topIndex as number) - skip : topIndex,
    ];
    return { shape: `${before.shape}@${domain.mask}`, clear: '', layout: null, size, index: mix(sizes, indices, size) };
  }

  function assemble({ shape }: { readonly shape: string }, index: Index): string {
    const at = shape.indexOf('@');
    const mask = shape.slice(0, at);
    const hostMask = shape.slice(at + 1);
    const top = hostMask.lastIndexOf('.') + 1;
    const topMask = hostMask.slice(top);
    const [localIndex, innerIndex, topIndex] = unmix(sizesOf(mask, hostMask), index) as [Index, Index, Index];
    const skip = topMask === TOP_LIKE_RESERVED && topIndex >= RESERVED_INDEX ? 1 : 0;
    const inner = writeMask(hostMask.slice(0, top), innerIndex);
    const last = writeMask(topMask, skip === 1 ? (topIndex as number) + 1 : topIndex);
    return `${writeLocal(mask, localIndex)}@${inner}${last}`;
  }

  const size = SMALLEST.size * RADIX * RADIX;
  const enciphered = {
    outline: { ...OUTLINE, min: OUTLINE.min + SUFFIX.length },
    split(address: string): IndexParts {
      const { local, host } = splitAddress(address);
      if (!host.endsWith(SUFFIX))
        fail('outside_format', `the domain is not one that this rule has enciphered: it does not end in ${SUFFIX}`);
      return partsOfBoth(local, host.slice(0, -SUFFIX.length));
    },
    assemble: (parts: IndexParts, index: Index) => assemble(parts, index) + SUFFIX,
  };
  return {
    kind: 'index',
    descriptor: ['email@1', 'domain=enciphered'],
    smallest: {
      size: BigInt(size),
      because: `${SMALLEST.because}; × 36 × 36 for a domain of two labels of one character`,
    },
    hasClear: false,
    visible: `${VISIBLE}; the lengths of the labels of the domain and the hyphens in them`,
    outline: { ...OUTLINE, max: MAX_ADDRESS - SUFFIX.length },
    sample: { shape: `${SMALLEST.mask}@a.a`, clear: '', layout: null, size, index: 0 },
    split(address) {
      const { local, host } = splitAddress(address);
      return partsOfBoth(local, host);
    },
    assemble,
    enciphered,
  };
}

/** The characters of an address, plain or enciphered. It cannot begin with a dot or an @. */
const INSIDE = `${SYMBOLS}${SPECIALS}.@`;
const OUTLINE: Known = {
  min: 'a@a.a'.length,
  max: MAX_ADDRESS,
  at: (position) => (position === 0 ? SYMBOLS + SPECIALS : INSIDE),
  has: '@.',
};

/** The mask of the top labels that have the length of `invalid`. */
const TOP_LIKE_RESERVED = MASK.repeat(RESERVED.length);

function topSize(mask: string): Index {
  const size = power(countMasks(mask, 0, mask.length));
  return mask === TOP_LIKE_RESERVED ? (size as number) - 1 : size;
}

/** Splits a local part before a host that stays. `maximum` is the most characters of the address. */
function partsOf(local: string, host: string, maximum: number): IndexParts {
  if (local.length > MAX_LOCAL) tooLong('the part before the @', local.length, MAX_LOCAL);
  const { mask, numerals } = maskedLocal(local);
  const count = numerals.length;
  if (count === 0) fail('outside_format', 'the part before the @ has no letter or digit to encipher');
  const short = count <= SHORT;
  // The longest value of the shape must fit, so that all values of a shape are taken or none.
  const longest = mask.length - count + Math.max(count, SHORT);
  if (longest > MAX_LOCAL) tooLong('the part before the @, with 4 letters or digits,', longest, MAX_LOCAL);
  if (longest + 1 + host.length > maximum) tooLong('the address', longest + 1 + host.length, maximum);
  if (!short) return { shape: mask, clear: host, layout: null, size: power(count), index: toIndex(numerals, 0, count) };

  const lengths = mask.match(/a+/g)!.map((run) => run.length);
  const index = shortToIndex(numerals, lengths);
  return { shape: mask.replace(/a+/g, MASK), clear: host, layout: null, size: shortSize(lengths.length), index };
}

function refuseReserved(host: string): void {
  if (host.endsWith(SUFFIX)) {
    fail('outside_format', `the domain ends in ${SUFFIX}: it has already been hashed or enciphered`);
  }
}

/**
 * The size of a local part. A mask with up to four `a` is that of a short local part; longer ones have five or more.
 */
function localSize(mask: string): Index {
  const count = countMasks(mask, 0, mask.length);
  return count <= SHORT ? shortSize(count) : power(count);
}

function writeLocal(mask: string, index: Index): string {
  const count = countMasks(mask, 0, mask.length);
  if (count > SHORT) return fill(mask, fromIndex(index, count));
  return fill(mask, shortFromIndex(index as number, count));
}

function tooLong(label: string, actual: number, maximum: number): never {
  fail('outside_format', `${label} has ${actual} characters, expected at most ${maximum}`, { maximum, actual });
}
