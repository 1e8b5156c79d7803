/**
 * The prepare steps (docs/spec/prepare-v1.md): named normalisations of a value before it is tokenised. They decide
 * which values join, and their names enter the key derivation: one that is exported never changes, a better one gets a
 * new name. Every step is idempotent; `test/property/prepare.test.ts` holds them to it.
 */

import { badType, checkText, typeName } from '../core/checks.ts';
import { formatIp, parseIp, withoutMapping } from '../core/ip.ts';
import { fail } from '../errors.ts';
import { checkEmailLength, checkEmailSyntax } from './email-syntax.ts';
import { plainEmail, plainPhone } from './plain.ts';
import { trimText } from './space.ts';
import { checkAssigned, foldFull, foldSimple, isAscii, toNfc, toNfd, toNfkc } from './unicode.ts';

const STEP = Symbol.for('trefoil.prepare.v1');

/** Most steps in one list. */
const MAX_STEPS = 8;

/**
 * A prepare step: a frozen function that may be called to see what it does. Rules recognise it by a registered symbol,
 * so that the CommonJS and the ES module build in one process take each other's, and take no other function.
 */
export interface Prepare<Name extends string = string> {
  (text: string): string;
  /** The step's name, as a policy file writes it. */
  readonly step: Name;
}

/** Names of all steps, as a policy file writes them. */
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
 * Normalization Form C: spellings of one text that Unicode calls canonically equivalent become one, such as `é` as one
 * code point and `e` with a combining accent. Case, width and ligatures stay apart.
 *
 * @throws TrefoilError `unassigned_code_point` for what Unicode 15.1.0 does not assign; `too_long` for more than 30
 *   combining marks in a row; `lone_surrogate`; `wrong_type`.
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
 * Normalization Form KC: joins what {@link nfc} joins, and compatibility variants too, such as full-width digits and
 * ordinary ones, `ﬁ` and `fi`, `²` and `2`. Case stays apart.
 *
 * **Warning**: `2²` and `22` become one.
 *
 * @throws TrefoilError `unassigned_code_point` for what Unicode 15.1.0 does not assign; `too_long` for more than 30
 *   combining marks in a row; `lone_surrogate`; `wrong_type`.
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
 * Drops white space at both ends: the 25 code points that ECMAScript's `trim` takes today, written down so that they
 * stay what they are. Space inside stays. What is only white space becomes the empty text.
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
 * Folds case and normalises: NFC(toCasefold(NFD(x))) with full folding. Two texts get the same result exactly when
 * Unicode calls them a canonical caseless match, so `ß`, `ẞ` and `ss` meet, and so do `σ` and the final `ς`.
 *
 * No language is asked: Turkish `ı` and `i` stay apart, `I` meets `i`.
 *
 * @throws TrefoilError `unassigned_code_point` for what Unicode 15.1.0 does not assign; `too_long` for more than 30
 *   combining marks in a row; `lone_surrogate`; `wrong_type`.
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
// D145 compares NFD(toCasefold(NFD(X))); two texts have one NFD exactly when they have one NFC, which is shorter.
export const casefold: Prepare<'casefold'> = /* @__PURE__ */ make('casefold', (text) => {
  checkAssigned(text);
  return toNfc(foldFull(toNfd(text)));
});

const NON_ASCII = /[^\x00-\x7f]/;
const NOT_A_DIGIT = /[^0-9]+/g;

/**
 * Keeps the ASCII digits and drops every other ASCII character, so `12-34`, `12 34` and `1234` become one.
 *
 * **Warning**: `-5` and `5` become one, and `1.5` and `15`; it is for identifiers, not for amounts.
 *
 * @throws TrefoilError `not_digits` for a character outside ASCII (put `nfkc` before it for full-width digits) and for
 * a value without a digit; `lone_surrogate`; `wrong_type`.
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
    fail('not_digits', 'the text holds a character outside ASCII; put nfkc before digitsOnly if it may be a digit');
  }
  const digits = text.replace(NOT_A_DIGIT, '');
  if (digits === '') fail('not_digits', 'the text holds no digit');
  return digits;
});

/**
 * Makes one of the spellings of an e-mail address that people take for the same mailbox: drops white space at the ends,
 * applies NFC and folds the case of both parts, one character to one, so `ß` and `ss` stay apart.
 *
 * RFC 5321 lets a host tell `Ada@` from `ada@`; hardly one does, and {@link emailAddressExact} is for those. Dots,
 * `+tags`, and the `xn--` and Unicode spellings of a domain stay apart.
 *
 * @throws TrefoilError `not_an_email` for what is no plain `local@domain` (a local part of 1 to 64 octets without
 * quotes, a domain of two labels at least and 255 octets at most); `unassigned_code_point` for what Unicode 15.1.0 does
 * not assign; `too_long` for more than 30 combining marks in a row; `lone_surrogate`; `wrong_type`.
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
 * Like {@link emailAddress}, but the local part keeps its case: only the domain is folded, as RFC 5321, section 2.4,
 * has it.
 *
 * @throws TrefoilError `not_an_email`, `unassigned_code_point`, `too_long`, `lone_surrogate`, `wrong_type`, as
 * `emailAddress` does.
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
 * The steps of both e-mail addresses. Not `toLowerCase`: its Unicode version is the runtime's, and it spells the last
 * sigma of a word differently from the others.
 */
function email(text: string, foldLocal: boolean): string {
  const capitals = plainEmail(text);
  if (capitals === 0 || (capitals === 1 && !foldLocal)) return text;
  if (capitals !== null && foldLocal) return text.toLowerCase();
  // Before anything is dropped, so that the index in the message is the caller's.
  checkAssigned(text);
  const trimmed = trimText(text);
  checkEmailLength(trimmed);
  const address = toNfc(trimmed);
  checkEmailSyntax(address);
  const domainAt = foldLocal ? 0 : address.indexOf('@');
  // NFC again: J with a caron is two code points, and j with one is one. `@` joins with nothing, so the normal form of
  // the whole is that of its parts.
  const folded = toNfc(address.slice(0, domainAt) + foldSimple(address.slice(domainAt)));
  // Folding changes lengths in octets: Ⱥ has two and ⱥ three. Without this a result could be refused on a second pass.
  // What folds to ASCII gets no longer.
  if (folded !== address && !isAscii(folded)) checkEmailSyntax(folded);
  return folded;
}

/** What may stand between the digits of a phone number. */
const PHONE = /^\+[0-9 \u00a0\u202f\-\u2010-\u2013./()]*$/;

/** Brackets, if any, come in pairs, are not nested and hold something. */
const PHONE_BRACKETS = /^[^()]*(?:\([^()]+\)[^()]*)*$/;

const PHONE_LAYOUT = /[^0-9]+/g;

/** `(0)`: the trunk prefix that is dialled inside a country only, whatever layout is inside the brackets. */
const TRUNK_PREFIX = /\([^0-9()]*0[^0-9()]*\)/;

/**
 * Writes a phone number as `+` and its digits, so `+49 (30) 901-820` and `+4930901820` become one. No table of
 * countries is asked: the number must be written with its country code.
 *
 * @throws TrefoilError `not_a_phone` for what does not begin with `+`, has fewer than 7 or more than 15 digits, begins
 * with 0, holds `(0)` or anything but digits and layout; `lone_surrogate`; `wrong_type`.
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
  const plain = plainPhone(text);
  if (plain !== null) return plain;
  const number = trimText(text);
  if (!number.startsWith('+'))
    fail('not_a_phone', 'the number has no country code; write it with + and the country code');
  if (!PHONE.test(number)) {
    fail(
      'not_a_phone',
      'the number holds a character that is neither a digit nor layout (space, hyphen, dot, slash, brackets)',
    );
  }
  if (!PHONE_BRACKETS.test(number)) fail('not_a_phone', 'the brackets of the number do not come in pairs');
  // Dialled after a country code it reaches nobody, or somebody else; whether a 0 belongs there differs by country.
  if (TRUNK_PREFIX.test(number)) fail('not_a_phone', 'the number has (0), which is not part of it; write it without');
  const digits = number.replace(PHONE_LAYOUT, '');
  if (digits.length < 7 || digits.length > 15) {
    const limits = { minimum: 7, maximum: 15, actual: digits.length };
    fail('not_a_phone', `a number has 7 to 15 digits with its country code, this has ${digits.length}`, limits);
  }
  if (digits.startsWith('0'))
    fail('not_a_phone', 'no country code begins with 0; write the number with + and the country code');
  return `+${digits}`;
});

/**
 * Writes an IP address in one way: version 4 in dotted decimal, version 6 as RFC 5952, section 4, has it. An IPv4-mapped
 * address, which is how a server that listens on both families sees a client of version 4, is written as version 4. So
 * `::ffff:192.0.2.7`, `::FFFF:c000:207` and `192.0.2.7` become one. White space at the ends is dropped.
 *
 * Other addresses that hold one of version 4 (6to4, NAT64, Teredo, `::192.0.2.7`) are of version 6 and stay apart from it.
 *
 * @throws TrefoilError `not_an_ip` for what is not an address: leading zeros in version 4, brackets, a port, a prefix, and
 *   a zone (`fe80::1%eth0`), which names an interface of one machine; `lone_surrogate`; `wrong_type`.
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
    fail('not_an_ip', 'the address has a zone (what begins with %), which names an interface of one machine; drop it');
  }
  fail('not_an_ip', 'expected an IP address, version 4 or 6, without brackets, a port or a prefix');
});

function isPrepare(value: unknown): value is Prepare {
  if (typeof value !== 'function') return false;
  const name = (value as unknown as Record<symbol, unknown>)[STEP];
  return typeof name === 'string' && PREPARE_NAMES.includes(name) && (value as Partial<Prepare>).step === name;
}

/**
 * The steps that an option names: one, or a list of at most 8, in the order in which they are applied. Functions that
 * are no steps are refused: a policy file could not name them, and nothing would keep them from changing.
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

/** The step of a name, for policy files. A list inside, so that a bundle without policy files drops unused steps. */
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
  ];
  return steps.find(({ step }) => step === name);
}
