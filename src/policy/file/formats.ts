/**
 * Formats in a policy file: names or maps with a `type`, nested where a format is made of others.
 */

import { ownProperties } from '../../core/checks.ts';
import { type CardOptions, card } from '../../format/card/card.ts';
import { caseKept } from '../../format/case-kept.ts';
import { type ClearPart, clear } from '../../format/composed/clear.ts';
import { MAX_DEPTH, MAX_PARTS } from '../../format/composed/members.ts';
import { oneOf } from '../../format/composed/one-of.ts';
import { type SeqPart, seq } from '../../format/composed/seq.ts';
import { date, dateTime, type Span } from '../../format/date.ts';
import { type EmailOptions, email } from '../../format/email/email.ts';
import type { Format } from '../../format/engine.ts';
import { enumOf } from '../../format/enum.ts';
import { iban } from '../../format/iban/iban.ts';
import { ip, ipv4, ipv6 } from '../../format/ip.ts';
import { type DecimalOptions, decimal, type IntegerOptions, integer } from '../../format/number.ts';
import { pattern } from '../../format/pattern.ts';
import { phone } from '../../format/phone/phone.ts';
import { regex } from '../../format/regex.ts';
import { digits, text } from '../../format/text.ts';
import { type UuidOptions, uuid } from '../../format/uuid.ts';
import { admits, attempt, type Complain, isMap, nameOneOf, type Options, type ValuePath } from './options.ts';
import { SCHEMA } from './schema.ts';

/** Reads the format at a place of the file; `null` when something was complained about. */
export function readFormat(value: unknown, path: ValuePath, complain: Complain): Format | null {
  const part = readPart(value, path, complain, 0);
  if (part === null || typeof part === 'string') return null;
  if (part.type !== 'clear') return part as Format;
  complain('wrong_option', path, 'clear is a part of seq or oneOf: alone it would encipher nothing');
  return null;
}

/** A format, or `clear`; texts are taken by the caller, for whom they are literals or names. */
function readPart(value: unknown, path: ValuePath, complain: Complain, depth: number): Format | ClearPart | null {
  const given = typeof value === 'string' ? { type: value } : value;
  // Anything else has been reported by the schema.
  const asMap = isMap(given) ? ownProperties(given) : {};
  if (typeof asMap.type !== 'string') return null;
  if (depth > MAX_DEPTH) {
    complain('wrong_option', path, `formats are nested deeper than ${MAX_DEPTH}`);
    return null;
  }
  const { type, ...rest } = asMap as { type: string } & Options;
  const options = ownProperties(rest);
  const entries = Object.hasOwn(SCHEMA.formats, type) ? SCHEMA.formats[type] : undefined;
  const place = typeof value === 'string' ? path : [...path, 'type'];
  if (entries === undefined) {
    complain('unknown_format', place, `there is no such format; ${nameOneOf(type, Object.keys(SCHEMA.formats))}`);
    return null;
  }
  if (!admits(entries, options, path, type, complain)) return null;
  let nested: readonly unknown[] | null = [];
  if (type === 'seq') nested = readAll(options.parts, [...path, 'parts'], complain, depth, true);
  if (type === 'oneOf') nested = readAll(options.formats, [...path, 'formats'], complain, depth, false);
  if (type === 'clear') {
    // A text after "of" is a literal, as it is in code.
    const { of } = options;
    const part = typeof of === 'string' ? of : readPart(of, [...path, 'of'], complain, depth + 1);
    nested = part === null ? null : [part];
  }
  if (nested === null) return null;
  let format: Format | ClearPart | null = null;
  attempt(path, options, complain, 'wrong_option', () => {
    format = build(type, options, nested);
  });
  return format;
}

/** The parts of a format; `null` when one of them was complained about. */
function readAll(
  values: unknown,
  path: ValuePath,
  complain: Complain,
  depth: number,
  literals: boolean,
): readonly unknown[] | null {
  const list = values as readonly unknown[];
  if (list.length > MAX_PARTS) {
    complain('wrong_option', path, `expected at most ${MAX_PARTS}, got ${list.length}`);
    return null;
  }
  const parts = list.map((value, index) =>
    literals && typeof value === 'string' ? value : readPart(value, [...path, index], complain, depth + 1),
  );
  return parts.includes(null) ? null : parts;
}

/** A format from options whose types the schema has checked. */
function build(type: string, options: Options, nested: readonly unknown[]): Format | ClearPart {
  switch (type) {
    case 'digits':
      return digits(options);
    case 'text': {
      const { alphabet, ...lengths } = options;
      return text(alphabet as string, lengths);
    }
    case 'pattern':
      return pattern(options.pattern as string);
    case 'regex':
      return regex(options.regex as string);
    case 'enumOf':
      return enumOf(options.values as readonly string[]);
    case 'integer':
      return integer(options as unknown as IntegerOptions);
    case 'decimal':
      return decimal(options as unknown as DecimalOptions);
    case 'date':
      return date(options as unknown as Span);
    case 'dateTime':
      return dateTime(options as unknown as Span);
    case 'uuid':
      return uuid(options as UuidOptions);
    case 'card':
      return card(options as CardOptions);
    case 'iban':
      return iban(options);
    case 'phone':
      return phone(options);
    case 'email':
      return email(options as EmailOptions);
    case 'ip':
      return ip(options);
    case 'ipv4':
      return ipv4(options);
    case 'ipv6':
      return ipv6(options);
    case 'caseKept':
      return caseKept(options);
    case 'seq':
      return seq(...(nested as readonly SeqPart[]));
    case 'oneOf':
      return oneOf(...(nested as readonly Format[]));
    default:
      return clear(nested[0] as Format | string);
  }
}
