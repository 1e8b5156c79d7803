/**
 * The syntax of an e-mail address: `Mailbox` of RFC 5321, section 4.1.2 (https://www.rfc-editor.org/rfc/rfc5321), with
 * UTF-8 as in RFC 6531, section 3.3 (https://www.rfc-editor.org/rfc/rfc6531), but narrower. The local part must be a
 * Dot-string, and the domain must have two labels or more and must not be an address literal. Forms are refused if the
 * same mailbox has another spelling (quotes, comments, a final dot), or if they are not the mailbox of a person
 * (`root@localhost`).
 */

import { fail } from '../errors.ts';
import { SPACE_CLASS } from './space.ts';
import { isAscii } from './unicode.ts';

/** RFC 5321, section 4.5.3.1.1. */
const MAX_LOCAL = 64;

/** RFC 5321, section 4.5.3.1.2. */
const MAX_DOMAIN = 255;

/**
 * The most UTF-16 code units that an address can have before NFC: twice the octets of both parts and the `@`. After NFC
 * there are at least half as many octets as code units before it, so this limit refuses no address that would pass
 * later.
 */
const MAX_UNITS = 2 * (MAX_LOCAL + 1 + MAX_DOMAIN);

/** RFC 1035, section 2.3.4. */
const MAX_LABEL = 63;

/** Characters of Dot-string: atext of RFC 5322, section 3.2.3, with UTF8-non-ascii of RFC 6531, and dots. */
const ATOMS = /^[A-Za-z0-9!#$%&'*+/=?^_`{|}~\u0080-\uffff.-]+$/;

/** A dot at an end or after a dot. */
const STRAY_DOT = /^\.|\.\.|\.$/;

/** Characters of a Domain: those of sub-domain of RFC 5321, with U-label of RFC 6531, and dots. */
const LABELS = /^[A-Za-z0-9\u0080-\uffff.-]+$/;

/** A hyphen at an end of a label. */
const STRAY_HYPHEN = /^-|\.-|-\.|-$/;

/**
 * Characters that are invisible or that nobody types: C1 controls, white space, soft hyphen, Arabic letter mark,
 * Mongolian vowel separator, zero-width and directional marks, invisible operators, annotation and replacement
 * characters, tags.
 */
const UNSEEN: RegExp = /* @__PURE__ */ new RegExp(
  `[${SPACE_CLASS}\\u0080-\\u009f\\u00ad\\u061c\\u180e\\u200b-\\u200f\\u202a-\\u202e` +
    '\\u2060-\\u206f\\ufff9-\\ufffd\\u{e0000}-\\u{e007f}]',
  'u',
);

/** Ideographic, full-width and half-width full stops, which IDNA2003 and UTS #46 read as dots between labels. */
const OTHER_DOTS = /[\u3002\uff0e\uff61]/;

/** Refuses a text that is too long for an address in any normalisation form, before any work is done on it. */
export function checkEmailLength(address: string): void {
  if (address.length <= MAX_UNITS) return;
  const limits = { maximum: MAX_UNITS, actual: address.length };
  fail(
    'not_an_email',
    `the address has ${address.length} characters; it may have at most ${MAX_LOCAL + 1 + MAX_DOMAIN} octets`,
    limits,
  );
}

/** Refuses a text that is not `local@domain`. No message shows any part of the text. */
export function checkEmailSyntax(address: string): void {
  const ascii = isAscii(address);
  const octets = (part: string): number => (ascii ? part.length : utf8Length(part));

  const at = address.indexOf('@');
  if (at < 0 || address.includes('@', at + 1)) {
    fail('not_an_email', `the address has ${at < 0 ? 'no' : 'more than one'} @; it must have exactly one`);
  }
  const local = address.slice(0, at);
  const domain = address.slice(at + 1);
  if (!ascii && UNSEEN.test(address)) {
    fail(
      'not_an_email',
      'the address has white space, a control character or an invisible character; correct it at the source',
    );
  }

  checkLength('the part before the @', octets(local), MAX_LOCAL);
  if (!ATOMS.test(local) || STRAY_DOT.test(local)) {
    fail(
      'not_an_email',
      'the part before the @ has a space, a quote, another character that needs quotes, ' +
        'or a dot at an end or after a dot',
    );
  }

  checkLength('the domain', octets(domain), MAX_DOMAIN);
  if (OTHER_DOTS.test(domain)) fail('not_an_email', 'the domain has a full stop that is not the ASCII one');
  if (!LABELS.test(domain) || STRAY_HYPHEN.test(domain)) {
    fail('not_an_email', 'a label of the domain has a character other than letters, digits and inner hyphens');
  }
  const labels = domain.split('.');
  if (labels.length < 2) fail('not_an_email', 'the domain has no dot; write the full domain');
  for (const label of labels) checkLength('each label of the domain', octets(label), MAX_LABEL);
}

/**
 * The number of octets of well-formed text in UTF-8, counted without encoding it. A surrogate pair has four: two a
 * half.
 */
function utf8Length(text: string): number {
  let octets = text.length;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit > 0x7f) octets += unit < 0x800 || (unit & 0xf800) === 0xd800 ? 1 : 2;
  }
  return octets;
}

function checkLength(label: string, actual: number, maximum: number): void {
  if (actual < 1 || actual > maximum) {
    fail('not_an_email', `${label} has ${actual} octets; it must have 1 to ${maximum}`, {
      minimum: 1,
      maximum,
      actual,
    });
  }
}
