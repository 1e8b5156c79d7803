/**
 * UUIDs: RFC 9562 (https://www.rfc-editor.org/rfc/rfc9562), section 4, in their text form.
 */

import { checkOneOf, checkOptions } from '../core/checks.ts';
import { given } from '../core/given.ts';
import { fail } from '../errors.ts';
import { type Format, makeFormat } from './engine.ts';

/** The format that {@link uuid} makes. */
export interface UuidFormat extends Format {
  readonly type: 'uuid';
  readonly letters?: 'lower' | 'upper';
}

/** Options of {@link uuid}. */
export interface UuidOptions {
  /** Case of the hexadecimal digits: `lower` (default) or `upper`. RFC 9562, section 4, allows both. */
  readonly letters?: 'lower' | 'upper';
}

/** Version 1 to 8 (section 4.2); variant 10 (section 4.1), so the fourth group begins with 8, 9, a or b. */
const FORM = {
  lower: /^[0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
  upper: /^[0-9A-F]{8}-[0-9A-F]{4}-[1-8][0-9A-F]{3}-[89AB][0-9A-F]{3}-[0-9A-F]{12}$/,
};

const DIGITS = { lower: '0123456789abcdef', upper: '0123456789ABCDEF' };

/** 128 bits without the four bits of the version and the two of the variant. */
const SIZE: bigint = 2n ** 122n;

const LENGTH = 36;

/**
 * UUIDs of versions 1 to 8 in their text form of 36 characters.
 *
 * The version stays in clear and enters the tweak. The variant is fixed. The other 122 bits form one space. Values are
 * in lower case, or in upper case with `letters: 'upper'`; a UUID has the same output in both, apart from the case.
 * Other variants, the nil and the max UUID, braces and `urn:uuid:` are refused.
 *
 * *Warning*: the output does not keep what a version promises about its bits: the time in version 1, 6 or 7, and the
 * order of version 7. Do not sort or expire records by it.
 *
 * @throws RangeError if `letters` is neither of the two.
 *
 * @example
 * ```ts
 * import { uuid } from 'trefoil/format';
 *
 * uuid().test('01890a5d-ac96-774b-bcce-b302099a8057'); // → true
 * uuid().test('01890A5D-AC96-774B-BCCE-B302099A8057'); // → false
 * uuid().test('00000000-0000-0000-0000-000000000000'); // → false
 * uuid().strength().bits; // → 122
 * ```
 */
export function uuid(options: UuidOptions = {}): UuidFormat {
  const { letters } = checkOptions('options', options, ['letters']);
  const written = letters === undefined ? 'lower' : checkOneOf('letters', letters, ['lower', 'upper']);
  const form = FORM[written];
  const digits = DIGITS[written];
  return makeFormat(
    { type: 'uuid', ...given({ letters: letters === undefined ? undefined : written }) },
    {
      kind: 'index',
      descriptor: ['uuid@1'],
      smallest: { size: SIZE, because: '128 bits without version and variant: 2^122' },
      hasClear: true,
      visible: 'the version',
      outline: {
        min: LENGTH,
        max: LENGTH,
        at(position) {
          if (position === 8 || position === 13 || position === 18 || position === 23) return '-';
          if (position === 14) return '12345678';
          return position === 19 ? digits.slice(8, 12) : digits;
        },
      },
      sample: { shape: '', clear: '4', layout: null, size: SIZE, index: 0n },
      split(value) {
        if (!form.test(value)) {
          fail(
            'outside_format',
            `the value is not a UUID of version 1 to 8 and variant 10, with dashes and in ${written} case`,
            { expected: LENGTH },
          );
        }
        // 31 hexadecimal digits: the digit of the variant without its upper bits, then the others from left to right.
        const variant = Number.parseInt(value[19]!, 16) - 8;
        const hex =
          value.slice(0, 8) + value.slice(9, 13) + value.slice(15, 18) + value.slice(20, 23) + value.slice(24);
        return { shape: '', clear: value[14]!, layout: null, size: SIZE, index: BigInt(`0x${variant}${hex}`) };
      },
      assemble(parts, index) {
        const hex = index.toString(16).padStart(31, '0');
        const variant = '89ab'[Number(hex[0])];
        const lower =
          `${hex.slice(1, 9)}-${hex.slice(9, 13)}-${parts.clear}${hex.slice(13, 16)}` +
          `-${variant}${hex.slice(16, 19)}-${hex.slice(19)}`;
        return written === 'lower' ? lower : lower.toUpperCase();
      },
    },
  ) as UuidFormat;
}
