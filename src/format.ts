/**
 * Formats for `fpe`: which values there are, what of them stays public, and how many can be hidden among each other.
 */

export type { CardBrand } from './format/card/brands.ts';
export { type CardClear, type CardFormat, type CardLuhn, type CardOptions, card } from './format/card/card.ts';
export { type CaseKeptFormat, type CaseKeptOptions, caseKept } from './format/case-kept.ts';
export { type ClearPart, clear } from './format/composed/clear.ts';
export { type OneOfFormat, oneOf } from './format/composed/one-of.ts';
export { type SeqFormat, type SeqPart, seq } from './format/composed/seq.ts';
export { type DateFormat, type DateTimeFormat, date, dateTime, type Span } from './format/date.ts';
export { type EmailDomain, type EmailFormat, type EmailOptions, email } from './format/email/email.ts';
export type { Format, Strength } from './format/engine.ts';
export { type EnumOfFormat, enumOf } from './format/enum.ts';
export { type IbanFormat, type IbanOptions, iban } from './format/iban/iban.ts';
export { type IpFormat, type IpFormatOptions, ip, ipv4, ipv6 } from './format/ip.ts';
export type { Lengths } from './format/lengths.ts';
export {
  type DecimalFormat,
  type DecimalOptions,
  decimal,
  type IntegerFormat,
  type IntegerOptions,
  integer,
  type Limit,
} from './format/number.ts';
export { type PatternFormat, pattern } from './format/pattern.ts';
export { type PhoneFormat, type PhoneOptions, phone } from './format/phone/phone.ts';
export { type RegexFormat, regex } from './format/regex.ts';
export { type DigitsFormat, digits, type TextFormat, text } from './format/text.ts';
export { type UuidFormat, type UuidOptions, uuid } from './format/uuid.ts';
