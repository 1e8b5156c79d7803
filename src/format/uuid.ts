/**
 * UUIDs: RFC 9562 (https://www.rfc-editor.org/rfc/rfc9562), section 4, in their text form.
 */

import { checkOptions } from '../core/checks.ts';
import { fail } from '../errors.ts';
import { type Format, makeFormat } from './engine.ts';

/** The format that {@link uuid} makes. */
export interface UuidFormat extends Format {
  readonly type: 'uuid';
}

/** Options of {@link uuid}. There are none. */
export type UuidOptions = Readonly<Record<string, never>>;

/** Version 1 to 8 (section 4.2); variant 10 (section 4.1), so the fourth group begins with 8, 9, a or b. */
const LOWER = /^[0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
const UPPER = /^[0-9A-F]{8}-[0-9A-F]{4}-[1-8][0-9A-F]{3}-[89AB][0-9A-F]{3}-[0-9A-F]{12}$/;

/** Any 128 bits in the text form, in any case: for the message about a value that is refused. */
const ANY = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

const DIGITS = '0123456789abcdefABCDEF';

/** 128 bits without the four bits of the version and the two of the variant. */
const SIZE: bigint = 2n ** 122n;

const LENGTH = 36;

/**
 * UUIDs of versions 1 to 8 in their text form of 36 characters.
 *
 * The version stays in clear and enters the tweak. The variant is fixed. The other 122 bits form one space. A value is
 * in lower case or in upper case (RFC 9562, section 4, allows both), and its output is in the same case; apart from the
 * case, the two have the same output. A value with letters of both cases is refused. So are other variants, the nil and
 * the max UUID, braces and `urn:uuid:`.
 *
 * A UUID without letters counts as lower case. So if the output of a value in upper case has no letter, which happens
 * to one in about 2.7 million, it is revealed in lower case.
 *
 * *Warning*: the output does not keep what a version promises about its bits: the time in version 1, 6 or 7, and the
 * order of version 7. Do not sort or expire records by it.
 *
 * @throws TypeError for an option.
 *
 * @example
 * ```ts
 * import { uuid } from 'trefoil/format';
 *
 * uuid().test('01890a5d-ac96-774b-bcce-b302099a8057'); // → true
 * uuid().test('01890A5D-AC96-774B-BCCE-B302099A8057'); // → true
 * uuid().test('01890a5d-AC96-774b-bcce-b302099a8057'); // → false
 * uuid().test('00000000-0000-0000-0000-000000000000'); // → false
 * uuid().strength().bits; // → 122
 * ```
 */
export function uuid(options: UuidOptions = {}): UuidFormat {
  checkOptions('options', options, []);
  return makeFormat(
    { type: 'uuid' },
    {
      kind: 'index',
      descriptor: ['uuid@1'],
      smallest: { size: SIZE, because: '128 bits without version and variant: 2^122' },
      hasClear: true,
      visible: 'the version and the letter case',
      outline: {
        min: LENGTH,
        max: LENGTH,
        at(position) {
          if (position === 8 || position === 13 || position === 18 || position === 23) return '-';
          if (position === 14) return '12345678';
          return position === 19 ? '89abAB' : DIGITS;
        },
      },
      sample: { shape: '', clear: '4', layout: null, size: SIZE, index: 0n },
      split(value) {
        const layout = LOWER.test(value) ? null : 'upper';
        if (layout !== null && !UPPER.test(value)) refuse(value);
        // 31 hexadecimal digits: the digit of the variant without its upper bits, then the others from left to right.
        const variant = Number.parseInt(value[19]!, 16) - 8;
        const hex =
          value.slice(0, 8) + value.slice(9, 13) + value.slice(15, 18) + value.slice(20, 23) + value.slice(24);
        return { shape: '', clear: value[14]!, layout, size: SIZE, index: BigInt(`0x${variant}${hex}`) };
      },
      assemble(parts, index) {
        const hex = index.toString(16).padStart(31, '0');
        const variant = '89ab'[Number(hex[0])];
        const lower =
          `${hex.slice(1, 9)}-${hex.slice(9, 13)}-${parts.clear}${hex.slice(13, 16)}` +
          `-${variant}${hex.slice(16, 19)}-${hex.slice(19)}`;
        return parts.layout === null ? lower : lower.toUpperCase();
      },
    },
  ) as UuidFormat;
}

/** Says why a value is refused, and what to do with such values. */
function refuse(value: string): never {
  const kind = !ANY.test(value) ? 'form' : /[a-f]/.test(value) && /[A-F]/.test(value) ? 'case' : 'bits';
  const messages = {
    form: 'the value is not a UUID in its text form: 36 characters with dashes, without braces; for another form of 128 bits, such as 32 hexadecimal digits, use the format regex',
    case: 'the UUID has letters of both cases, and an output can keep only one; write it in one case at the source',
    bits: 'the UUID is not of version 1 to 8 and variant 10; if it stands for no value, as the nil UUID does, list it under missing; if a column may hold any 128 bits, use the format regex',
  };
  fail('outside_format', messages[kind], { expected: LENGTH });
}
