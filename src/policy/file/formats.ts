/**
 * The registry of formats: for each format that a policy file can name, its options and its constructor. A format is
 * written as its name or as a map with its `type`; `seq`, `oneOf` and `clear` have other formats inside.
 */

import * as v from 'valibot';
import { ownProperties } from '../../core/checks.ts';
import type { CardBrand } from '../../format/card/brands.ts';
import { card } from '../../format/card/card.ts';
import { caseKept } from '../../format/case-kept.ts';
import { type ClearPart, clear } from '../../format/composed/clear.ts';
import { MAX_DEPTH, MAX_PARTS } from '../../format/composed/members.ts';
import { oneOf } from '../../format/composed/one-of.ts';
import { type SeqPart, seq } from '../../format/composed/seq.ts';
import { date, dateTime } from '../../format/date.ts';
import { email } from '../../format/email/email.ts';
import type { Format } from '../../format/engine.ts';
import { enumOf } from '../../format/enum.ts';
import { iban } from '../../format/iban/iban.ts';
import { ip, ipv4, ipv6 } from '../../format/ip.ts';
import { decimal, integer } from '../../format/number.ts';
import { pattern } from '../../format/pattern.ts';
import { phone } from '../../format/phone/phone.ts';
import { regex } from '../../format/regex.ts';
import { digits, text } from '../../format/text.ts';
import { uuid } from '../../format/uuid.ts';
import { entry, type Registry } from './entry.ts';
import { admits, attempt, type Complain, isMap, nameOneOf, type ValuePath } from './options.ts';
import { closed, formatOption } from './schema.ts';

/** A format, or a part in clear, which is a format only inside another one. */
type Part = Format | ClearPart;

/** Every format, and `clear`. Made by a call without side effects, so that a bundle without policy files drops it. */
export const FORMATS: Registry<Part> = /* @__PURE__ */ makeFormats();

function makeFormats(): Registry<Part> {
  const string = v.string();
  const whole = v.number();
  const flag = v.optional(v.boolean());
  const lengths = { length: v.optional(whole), min: v.optional(whole), max: v.optional(whole) };
  const limit = v.union([string, whole]);
  const span = { from: string, to: string };
  const prefix = { prefixPreserving: flag };

  return {
    digits: entry(lengths, digits),
    text: entry({ alphabet: string, ...lengths }, ({ alphabet, ...rest }) => text(alphabet, rest)),
    pattern: entry({ pattern: string }, (options) => pattern(options.pattern)),
    regex: entry({ regex: string }, (options) => regex(options.regex)),
    enumOf: entry({ values: v.array(string) }, ({ values }) => enumOf(values)),
    integer: entry({ min: limit, max: limit }, integer),
    decimal: entry({ min: limit, max: limit, places: whole }, decimal),
    date: entry(span, date),
    dateTime: entry(span, dateTime),
    uuid: entry({}, uuid),
    card: entry(
      {
        clear: v.optional(closed({ first: v.optional(whole), last: v.optional(whole) })),
        luhn: v.optional(v.picklist(['valid', 'any', 'invalid'])),
        // Text to the schema; the constructor knows the names of the brands.
        brands: v.optional(v.array(string as v.GenericSchema<CardBrand>)),
        ...lengths,
      },
      card,
    ),
    iban: entry({ countries: v.optional(v.array(string)) }, iban),
    phone: entry({ min: v.optional(whole) }, phone),
    email: entry({ domain: v.optional(v.picklist(['clear', 'hashed', 'enciphered'])) }, email),
    ip: entry(prefix, ip),
    ipv4: entry(prefix, ipv4),
    ipv6: entry(prefix, ipv6),
    caseKept: entry({ minSize: v.optional(whole) }, caseKept),
    seq: entry({ parts: v.array(formatOption()) }, ({ parts }) => seq(...parts), { parts: readParts }),
    oneOf: entry({ formats: v.array(formatOption()) }, ({ formats }) => oneOf(...formats), { formats: readFormats }),
    clear: entry({ of: formatOption() }, ({ of }) => clear(of), { of: readClear }),
  };
}

/** Reads the format at a place of the file; `null` if it has reported a problem. */
export function readFormat(value: unknown, path: ValuePath, complain: Complain): Format | null {
  const part = readPart(value, path, complain, 0);
  if (part === null || part.type !== 'clear') return part as Format | null;
  complain('wrong_option', path, 'clear alone would encipher nothing: use it as a part of seq or oneOf');
  return null;
}

/** Reads a format or `clear`. A text is the name of a format. */
function readPart(value: unknown, path: ValuePath, complain: Complain, depth: number): Part | null {
  const map = typeof value === 'string' ? { type: value } : value;
  // The schema has already reported anything else.
  const own = isMap(map) ? ownProperties(map) : {};
  const { type, ...rest } = own;
  if (typeof type !== 'string') return null;
  if (depth > MAX_DEPTH) {
    complain('wrong_option', path, `formats are nested deeper than ${MAX_DEPTH}`);
    return null;
  }
  const options = ownProperties(rest);
  const found = Object.hasOwn(FORMATS, type) ? FORMATS[type] : undefined;
  if (found === undefined) {
    const place = typeof value === 'string' ? path : [...path, 'type'];
    complain('unknown_format', place, `there is no such format; ${nameOneOf(type, Object.keys(FORMATS))}`);
    return null;
  }
  if (!admits(found.entries, options, path, type, complain)) return null;
  const read: Record<string, unknown> = {};
  for (const [option, reader] of Object.entries(found.readers)) {
    read[option] = reader(options[option], [...path, option], complain, depth + 1);
    if (read[option] === null) return null;
  }
  return attempt(path, options, complain, 'wrong_option', () => found.make({ ...options, ...read }));
}

/** The parts of a `seq`: a text is a literal, as it is in code. */
function readParts(value: unknown, path: ValuePath, complain: Complain, depth: number): readonly SeqPart[] | null {
  return readList(value, path, complain, (part, place) =>
    typeof part === 'string' ? part : readPart(part, place, complain, depth),
  );
}

/** The members of a `oneOf`: a text is the name of a format. */
function readFormats(value: unknown, path: ValuePath, complain: Complain, depth: number): readonly Part[] | null {
  return readList(value, path, complain, (part, place) => readPart(part, place, complain, depth));
}

/** What is in `clear`: a text is a literal, as it is in code. */
function readClear(value: unknown, path: ValuePath, complain: Complain, depth: number): Format | string | null {
  // `clear` itself refuses another `clear`.
  return typeof value === 'string' ? value : (readPart(value, path, complain, depth) as Format | null);
}

/** Reads every member of a list; `null` if one of them has a problem. */
function readList<Item>(
  value: unknown,
  path: ValuePath,
  complain: Complain,
  readItem: (item: unknown, place: ValuePath) => Item | null,
): readonly Item[] | null {
  const list = value as readonly unknown[];
  if (list.length > MAX_PARTS) {
    complain('wrong_option', path, `expected at most ${MAX_PARTS}, got ${list.length}`);
    return null;
  }
  const items = list.map((item, index) => readItem(item, [...path, index]));
  return items.includes(null) ? null : (items as readonly Item[]);
}
