/**
 * The prepare steps (docs/spec/prepare-v1.md): named normalisations of a value before a token is made of it. They
 * decide which values get the same token, and their names enter the key derivation. An exported step therefore never
 * changes; a better one gets a new name. Every step is idempotent, which `test/property/prepare.test.ts` checks.
 */

import { badType, checkText, typeName } from '../core/checks.ts';
import { formatIp, parseIp, withoutMapping } from '../core/ip.ts';
import { fail } from '../errors.ts';
import { asciiEmail, asciiPhone } from './ascii-values.ts';
import { checkEmailLength, checkEmailSyntax } from './email-syntax.ts';
import { phoneNumber } from './phone-number.ts';
import { trimText } from './space.ts';
import { checkAssigned, foldFull, foldSimple, isAscii, toNfc, toNfd, toNfkc } from './unicode.ts';
import { plainWhole } from './whole-number.ts';

const STEP = Symbol.for('trefoil.prepare.v1');

/** The most steps in one list. */
const MAX_STEPS = 8;

/**
 * A prepare step: a frozen function. You may call it to see what it does. Rules accept no other functions: they
 * recognise a step by a registered symbol, so that the CommonJS and the ES module build in one process accept each
 * other's steps.
 */
export interface Prepare<Name extends string = string> {
  (text: string): string;
  /** The step's name in a policy file. */
  readonly step: Name;
}

/** The names of all steps in a policy file. */
export const PREPARE_NAMES: readonly string[] = /* @__PURE__ */ Object.freeze([
  'nfc',
  'nfkc',
  'trim',
  'casefold',
  'digitsOnly',
  'emailAddress',
  'emailAddressExact',
  'phoneE164',
  'ipAddress',
  'phone',
  'wholeNumber',
]);

function make<Name extends string>(name: Name, apply: (text: string) => string): Prepare<Name> {
  const step = (text: string): string => apply(checkText(text));
  return Object.freeze(
    Object.defineProperties(step, {
      name: { value: name },
      step: { value: name, enumerable: true },
      [STEP]: { value: name },
    }),
  ) as Prepare<Name>;
}

/**
 * Normalises to Unicode's Normalization Form C. Spellings of a text that are canonically equivalent become one, such as
 * `é` as one code point and `e` with a combining accent. Texts that differ in case, width or ligatures stay different.
 *
 * @throws TrefoilError `unassigned_code_point` if Unicode 15.1.0 does not assign a code point of the text; `too_long`
 *   if there are more than 30 combining marks in a row; `lone_surrogate`; `wrong_type`.
 * @see UAX #15, https://www.unicode.org/reports/tr15/; docs/spec/prepare-v1.md.
 *
 * @example
 * ```ts
 * import { nfc } from 'trefoil/prepare';
 *
 * nfc('Zoe\u0308'); // → 'Zo\u00eb'
 * nfc('\ufb01'); // → '\ufb01'
 * ```
 */
export const nfc: Prepare<'nfc'> = /* @__PURE__ */ make('nfc', (text) => {
  checkAssigned(text);
  return toNfc(text);
});

/**
 * Normalises to Unicode's Normalization Form KC. In addition to the spellings that {@link nfc} makes one, compatibility
 * variants become one: full-width and ordinary digits, `ﬁ` and `fi`, `²` and `2`. Texts that differ in case stay
 * different.
 *
 * **Warning**: `2²` and `22` become the same text.
 *
 * @throws TrefoilError `unassigned_code_point` if Unicode 15.1.0 does not assign a code point of the text; `too_long`
 *   if there are more than 30 combining marks in a row; `lone_surrogate`; `wrong_type`.
 * @see UAX #15, https://www.unicode.org/reports/tr15/; docs/spec/prepare-v1.md.
 *
 * @example
 * ```ts
 * import { nfkc } from 'trefoil/prepare';
 *
 * nfkc('\uff14\uff12'); // → '42'
 * nfkc('\ufb01n'); // → 'fin'
 * ```
 */
export const nfkc: Prepare<'nfkc'> = /* @__PURE__ */ make('nfkc', (text) => {
  checkAssigned(text);
  return toNfkc(text);
});

/**
 * Removes white space at both ends: the 25 code points that ECMAScript's `trim` removes today, in a list of our own so
 * that later versions change nothing. White space inside the text stays. A text of white space only becomes the empty
 * text.
 *
 * @throws TrefoilError `lone_surrogate`; `wrong_type`.
 * @see ECMA-262, WhiteSpace and LineTerminator, https://tc39.es/ecma262/#sec-white-space; docs/spec/prepare-v1.md.
 *
 * @example
 * ```ts
 * import { trim } from 'trefoil/prepare';
 *
 * trim('\u00a0 Ada  Lovelace\r\n'); // → 'Ada  Lovelace'
 * ```
 */
export const trim: Prepare<'trim'> = /* @__PURE__ */ make('trim', trimText);

/**
 * Folds case and normalises: NFC(toCasefold(NFD(x))) with full folding. Two texts get the same result if and only if
 * Unicode defines them as a canonical caseless match. So `ß`, `ẞ` and `ss` become the same, and so do `σ` and the final
 * `ς`.
 *
 * The rules of single languages are not applied: Turkish `ı` and `i` stay different, and `I` becomes `i`.
 *
 * @throws TrefoilError `unassigned_code_point` if Unicode 15.1.0 does not assign a code point of the text; `too_long`
 *   if there are more than 30 combining marks in a row; `lone_surrogate`; `wrong_type`.
 * @see The Unicode Standard, section 3.13, D145, https://www.unicode.org/versions/Unicode15.0.0/ch03.pdf;
 * docs/spec/prepare-v1.md.
 *
 * @example
 * ```ts
 * import { casefold } from 'trefoil/prepare';
 *
 * casefold('Straße'); // → 'strasse'
 * casefold('STRASSE'); // → 'strasse'
 * ```
 */
// D145 compares NFD(toCasefold(NFD(X))). Two texts have the same NFD if and only if they have the same NFC, which is
// shorter.
export const casefold: Prepare<'casefold'> = /* @__PURE__ */ make('casefold', (text) => {
  checkAssigned(text);
  return toNfc(foldFull(toNfd(text)));
});

const NON_ASCII = /[^\x00-\x7f]/;
const NOT_A_DIGIT = /[^0-9]+/g;

/**
 * Keeps the ASCII digits and removes every other ASCII character, so `12-34`, `12 34` and `1234` become the same text.
 *
 * **Warning**: `-5` and `5` become the same, and so do `1.5` and `15`. Use it for identifiers, not for amounts.
 *
 * @throws TrefoilError `not_digits` if the text has a character outside ASCII (put `nfkc` before this step if digits
 *   may be full-width), or if it has no digit; `lone_surrogate`; `wrong_type`.
 * @see docs/spec/prepare-v1.md.
 *
 * @example
 * ```ts
 * import { digitsOnly } from 'trefoil/prepare';
 *
 * digitsOnly('DE 12-34.5'); // → '12345'
 * ```
 */
export const digitsOnly: Prepare<'digitsOnly'> = /* @__PURE__ */ make('digitsOnly', (text) => {
  if (NON_ASCII.test(text)) {
    fail('not_digits', 'the text has a character outside ASCII; put nfkc before digitsOnly if it may be a digit');
  }
  const digits = text.replace(NOT_A_DIGIT, '');
  if (digits === '') fail('not_digits', 'the text has no digit');
  return digits;
});

/**
 * Normalises an e-mail address, so that spellings which people take for the same mailbox become one. It removes white
 * space at the ends, applies NFC, and folds the case of both parts character by character, so `ß` and `ss` stay
 * different.
 *
 * RFC 5321 allows a host to treat `Ada@` and `ada@` as two mailboxes. Hardly any host does; for those, use {@link
 * emailAddressExact}. Addresses that differ in dots or `+tags`, and the `xn--` and Unicode spellings of a domain, stay
 * different.
 *
 * @throws TrefoilError `not_an_email` if the text is not `local@domain` with a local part of 1 to 64 octets without
 *   quotes, and a domain of two or more labels and at most 255 octets; `unassigned_code_point` if Unicode 15.1.0 does
 *   not assign a code point of the text; `too_long` if there are more than 30 combining marks in a row;
 *   `lone_surrogate`; `wrong_type`.
 * @see RFC 5321, section 4.1.2, https://www.rfc-editor.org/rfc/rfc5321; RFC 6531, section 3.3,
 * https://www.rfc-editor.org/rfc/rfc6531; docs/spec/prepare-v1.md.
 *
 * @example
 * ```ts
 * import { emailAddress } from 'trefoil/prepare';
 *
 * emailAddress(' Ada@Example.COM '); // → 'ada@example.com'
 * emailAddress('a.da+news@example.com'); // → 'a.da+news@example.com'
 * ```
 */
export const emailAddress: Prepare<'emailAddress'> = /* @__PURE__ */ make('emailAddress', (text) => email(text, true));

/**
 * Normalises an e-mail address like {@link emailAddress}, but the local part keeps its case. Only the domain is folded,
 * as in RFC 5321, section 2.4.
 *
 * @throws TrefoilError the same codes as {@link emailAddress}.
 * @see RFC 5321, https://www.rfc-editor.org/rfc/rfc5321; RFC 6531, https://www.rfc-editor.org/rfc/rfc6531;
 * docs/spec/prepare-v1.md.
 *
 * @example
 * ```ts
 * import { emailAddressExact } from 'trefoil/prepare';
 *
 * emailAddressExact(' Ada@Example.COM '); // → 'Ada@example.com'
 * ```
 */
export const emailAddressExact: Prepare<'emailAddressExact'> = /* @__PURE__ */ make('emailAddressExact', (text) =>
  email(text, false),
);

/**
 * The common part of the two e-mail steps. It does not use `toLowerCase` outside ASCII, because that follows the
 * Unicode version of the runtime, and writes the last sigma of a word differently from the others.
 */
function email(text: string, foldLocal: boolean): string {
  const capitals = asciiEmail(text);
  if (capitals === 0 || (capitals === 1 && !foldLocal)) return text;
  if (capitals !== null && foldLocal) return text.toLowerCase();
  // Before white space is removed, so that the index in the message is an index into the caller's text.
  checkAssigned(text);
  const trimmed = trimText(text);
  checkEmailLength(trimmed);
  const address = toNfc(trimmed);
  checkEmailSyntax(address);
  const domainAt = foldLocal ? 0 : address.indexOf('@');
  // NFC again, because J with a caron is two code points, and j with a caron is one. `@` combines with no character, so
  // the normal form of the whole is made of those of its parts.
  const folded = toNfc(address.slice(0, domainAt) + foldSimple(address.slice(domainAt)));
  // Folding can change the length in octets: Ⱥ has two and ⱥ has three. Without this check, the step could refuse its
  // own result. A text that folds to ASCII does not get longer.
  if (folded !== address && !isAscii(folded)) checkEmailSyntax(folded);
  return folded;
}

/** The characters of a phone number: digits, and layout between them. */
const PHONE = /^\+[0-9 \u00a0\u202f\-\u2010-\u2013./()]*$/;

/** Brackets come in pairs, are not nested and are not empty. */
const PHONE_BRACKETS = /^[^()]*(?:\([^()]+\)[^()]*)*$/;

const PHONE_LAYOUT = /[^0-9]+/g;

/** `(0)`, also with layout inside the brackets: the trunk prefix, which is dialled inside a country only. */
const TRUNK_PREFIX = /\([^0-9()]*0[^0-9()]*\)/;

/**
 * Normalises a phone number to `+` and its digits, so `+49 (30) 901-820` and `+4930901820` become the same text. The
 * number must have its country code, because no table of countries is used.
 *
 * @throws TrefoilError `not_a_phone` if the text does not begin with `+`, has fewer than 7 or more than 15 digits,
 *   has a country code that begins with 0, or contains `(0)` or a character that is neither a digit nor layout;
 *   `lone_surrogate`; `wrong_type`.
 * @see ITU-T E.164 (11/2010), section 6, https://www.itu.int/rec/T-REC-E.164; docs/spec/prepare-v1.md.
 *
 * @example
 * ```ts
 * import { phoneE164 } from 'trefoil/prepare';
 *
 * phoneE164('+49 (30) 901-820'); // → '+4930901820'
 * ```
 */
export const phoneE164: Prepare<'phoneE164'> = /* @__PURE__ */ make('phoneE164', (text) => {
  const plain = asciiPhone(text);
  if (plain !== null) return plain;
  const number = trimText(text);
  if (!number.startsWith('+'))
    fail('not_a_phone', 'the number has no country code; write it with + and the country code');
  if (!PHONE.test(number)) {
    fail(
      'not_a_phone',
      'the number has a character that is neither a digit nor layout (space, hyphen, dot, slash, brackets)',
    );
  }
  if (!PHONE_BRACKETS.test(number)) fail('not_a_phone', 'the brackets of the number are not in pairs');
  // After a country code, this 0 makes a number of nobody or of somebody else. Whether a 0 belongs there depends on the
  // country.
  if (TRUNK_PREFIX.test(number))
    fail('not_a_phone', 'the number has (0), which is not part of an international number; leave it out');
  const digits = number.replace(PHONE_LAYOUT, '');
  if (digits.length < 7 || digits.length > 15) {
    const limits = { minimum: 7, maximum: 15, actual: digits.length };
    fail('not_a_phone', `the number has ${digits.length} digits; with its country code it must have 7 to 15`, limits);
  }
  if (digits.startsWith('0'))
    fail('not_a_phone', 'no country code begins with 0; write the number with + and the country code');
  return `+${digits}`;
});

/**
 * Normalises an IP address: version 4 is written in dotted decimal, and version 6 as in RFC 5952, section 4. An
 * IPv4-mapped address is written as version 4, because a server that listens on both families sees clients of version 4
 * in that form. So `::ffff:192.0.2.7`, `::FFFF:c000:207` and `192.0.2.7` become the same text. White space at the ends
 * is removed.
 *
 * Other version 6 addresses that contain a version 4 address (6to4, NAT64, Teredo, `::192.0.2.7`) stay version 6.
 *
 * @throws TrefoilError `not_an_ip` if the text is not an address. Leading zeros in version 4, brackets, a port and a
 *   prefix are refused, and so is a zone (`fe80::1%eth0`), which names an interface of one machine; `lone_surrogate`;
 *   `wrong_type`.
 * @see RFC 5952, section 4, https://www.rfc-editor.org/rfc/rfc5952; RFC 4291, section 2.5.5.2,
 * https://www.rfc-editor.org/rfc/rfc4291; docs/spec/prepare-v1.md.
 *
 * @example
 * ```ts
 * import { ipAddress } from 'trefoil/prepare';
 *
 * ipAddress('::ffff:192.0.2.7'); // → '192.0.2.7'
 * ipAddress('2001:DB8:0:0::1'); // → '2001:db8::1'
 * ```
 */
export const ipAddress: Prepare<'ipAddress'> = /* @__PURE__ */ make('ipAddress', (text) => {
  const trimmed = trimText(text);
  const bytes = parseIp(trimmed);
  if (bytes !== null) return formatIp(withoutMapping(bytes));
  if (trimmed.includes('%')) {
    fail(
      'not_an_ip',
      'the address has a zone (the part from % on), which names an interface of one machine; leave it out',
    );
  }
  fail('not_an_ip', 'expected an IP address, version 4 or 6, without brackets, a port or a prefix');
});

/**
 * Normalises a phone number like {@link phoneE164}, and understands the trunk prefix, which is dialled inside a country
 * only. A table says which countries have which prefix. So `+49 (0)30 901820`, `+49 030 901820` and `+49 30 901820`
 * become the same text. In Italy, and in a few other countries, a 0 is part of the number and stays.
 *
 * A number without a country code is refused. To read the numbers of one country, such as `030/901820`, set `read:
 * phone DE`.
 *
 * @throws TrefoilError `not_a_phone` as {@link phoneE164} does; and if the ITU has not assigned the country code, or a
 *   0 follows it that is neither a trunk prefix nor part of the number; `lone_surrogate`; `wrong_type`.
 * @see ITU-T E.164 (11/2010), section 6, https://www.itu.int/rec/T-REC-E.164; docs/spec/prepare-v1.md.
 *
 * @example
 * ```ts
 * import { phone } from 'trefoil/prepare';
 *
 * phone('+49 (0)30 901820'); // → '+4930901820'
 * phone('+39 06 6982'); // → '+39066982'
 * ```
 */
export const phone: Prepare<'phone'> = /* @__PURE__ */ make('phone', phoneNumber);

/**
 * Normalises a whole number, so that `10017.0`, which some programs write for the integer, and `10017` become the same
 * text. White space at the ends is removed, and `-0` becomes `0`. The digits are not computed with, so a number may
 * have any length.
 *
 * @throws TrefoilError `not_an_integer` for a fraction, an exponent, leading zeros, a plus sign, separators or any
 *   other text; `lone_surrogate`; `wrong_type`.
 * @see docs/spec/prepare-v1.md.
 *
 * @example
 * ```ts
 * import { wholeNumber } from 'trefoil/prepare';
 *
 * wholeNumber('10017.0'); // → '10017'
 * wholeNumber('6150769120280496265'); // → '6150769120280496265'
 * ```
 */
export const wholeNumber: Prepare<'wholeNumber'> = /* @__PURE__ */ make('wholeNumber', plainWhole);

function isPrepare(value: unknown): value is Prepare {
  if (typeof value !== 'function') return false;
  const name = (value as unknown as Record<symbol, unknown>)[STEP];
  return typeof name === 'string' && PREPARE_NAMES.includes(name) && (value as Partial<Prepare>).step === name;
}

/**
 * Returns the steps of an option: one step, or a list of at most 8 in the order in which they are applied. Other
 * functions are refused, because a policy file could not name them and they could change.
 *
 * @throws TypeError if the value is not a step and not a list of steps.
 */
export function prepareSteps(argument: string, value: unknown): readonly Prepare[] {
  if (isPrepare(value)) return Object.freeze([value]);
  if (!Array.isArray(value)) {
    badType(argument, `expected a step of trefoil/prepare or a list of them, got ${typeName(value)}`);
  }
  if (value.length > MAX_STEPS) badType(argument, `expected at most ${MAX_STEPS} steps, got ${value.length}`);
  const steps: Prepare[] = [];
  for (let i = 0; i < value.length; i++) {
    const step: unknown = value[i];
    if (!isPrepare(step)) badType(argument, `expected steps of trefoil/prepare; the one at index ${i} is not`);
    steps.push(step);
  }
  return Object.freeze(steps);
}

/** Applies steps to a text, in their order. */
export function applySteps(steps: readonly Prepare[], text: string): string {
  let prepared = text;
  for (const step of steps) prepared = step(prepared);
  return prepared;
}

/**
 * What a policy file writes for an option that names steps: the name of the step, or the list of names if the option is
 * a list. `undefined` if the option is not set.
 */
export function stepNames(option: unknown, steps: readonly Prepare[]): string | readonly string[] | undefined {
  if (option === undefined) return undefined;
  const names = steps.map(({ step }) => step);
  return Array.isArray(option) ? Object.freeze(names) : names[0];
}

/**
 * Returns the step of a name, for policy files. The list is inside the function, so that a bundler can leave unused
 * steps out of a program without policy files.
 */
export function prepareByName(name: string): Prepare | undefined {
  const steps: readonly Prepare[] = [
    nfc,
    nfkc,
    trim,
    casefold,
    digitsOnly,
    emailAddress,
    emailAddressExact,
    phoneE164,
    ipAddress,
    phone,
    wholeNumber,
  ];
  return steps.find(({ step }) => step === name);
}
